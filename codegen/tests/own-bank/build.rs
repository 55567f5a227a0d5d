//! Generates the client: `bank.json` -> `OUT_DIR/bank.rs`.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo::rerun-if-changed=bank.json");
    let bundle = std::fs::read_to_string("bank.json")?;
    let options = finrail_codegen::Options {
        module: Some("own_bank".to_owned()),
    };
    let code = finrail_codegen::generate("bank.json", &bundle, &options)?;
    std::fs::write(format!("{}/bank.rs", std::env::var("OUT_DIR")?), code)?;
    Ok(())
}
