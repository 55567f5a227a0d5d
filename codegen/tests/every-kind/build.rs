//! Generates the client: `every_kind.json` -> `OUT_DIR/every_kind.rs`.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo::rerun-if-changed=every_kind.json");
    let bundle = std::fs::read_to_string("every_kind.json")?;
    let options = finrail_codegen::Options {
        module: Some("every_kind".to_owned()),
    };
    let code = finrail_codegen::generate("every_kind.json", &bundle, &options)?;
    std::fs::write(format!("{}/every_kind.rs", std::env::var("OUT_DIR")?), code)?;
    Ok(())
}
