//! Generates the client: `bank.json` -> `OUT_DIR/bank.rs`, and beside it what reads each example of its replies.

use std::fmt::Write as _;

use finrail_spec::json::Json;
use finrail_spec::normal::operations_of;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo::rerun-if-changed=bank.json");
    let bundle = std::fs::read_to_string("bank.json")?;
    let options = finrail_codegen::Options {
        module: Some("large_bank".to_owned()),
    };
    let code = finrail_codegen::generate("bank.json", &bundle, &options)?;
    let out = std::env::var("OUT_DIR")?;
    std::fs::write(format!("{out}/bank.rs"), code)?;
    std::fs::write(format!("{out}/examples.rs"), examples(&Json::parse(&bundle)?)?)?;
    Ok(())
}

/// A list of every example of a reply whose schema has a name: where it stands, its text, and what reads it by its type.
fn examples(root: &Json) -> Result<String, std::fmt::Error> {
    let mut out = "vec![\n".to_owned();
    for (pointer, operation) in operations_of(root) {
        for (status, reply) in operation.get("responses").map(Json::members).unwrap_or_default() {
            for (_, content) in reply.get("content").map(Json::members).unwrap_or_default() {
                let Some(read_as) = content.get("schema").and_then(type_of) else {
                    continue;
                };
                let named = content.get("examples").map(Json::members).unwrap_or_default();
                let named = named.iter().filter_map(|(_, example)| example.get("value"));
                for example in content.get("example").into_iter().chain(named) {
                    let text = example.to_string();
                    writeln!(
                        out,
                        "({:?}, {text:?}, again::<{read_as}>),",
                        format!("{pointer} {status}")
                    )?;
                }
            }
        }
    }
    out.push(']');
    Ok(out)
}

/// The type that a schema is read as: by its name, or a list of one with a name.
fn type_of(schema: &Json) -> Option<String> {
    let name = |schema: &Json| {
        let name = schema.get("$ref")?.as_str()?.strip_prefix("#/components/schemas/")?;
        Some(format!("large_bank::types::{name}"))
    };
    name(schema).or_else(|| Some(format!("Vec<{}>", name(schema.get("items")?)?)))
}
