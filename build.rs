//! Generates the typed client of every enabled provider: `specs/bundled/<p>.json` -> `OUT_DIR/<p>.rs`.

use std::path::PathBuf;
use std::{env, fs, process};

fn main() {
    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default());
    for provider in ["ofx", "mx", "omnifund", "tatrabanka", "finexer"] {
        let bundle = format!("specs/bundled/{provider}.json");
        println!("cargo::rerun-if-changed={bundle}");
        if env::var_os(format!("CARGO_FEATURE_{}", provider.to_uppercase())).is_none() {
            continue;
        }
        let options = finrail_codegen::Options {
            module: Some(format!("finrail::{provider}")),
        };
        let text =
            fs::read_to_string(&bundle).unwrap_or_else(|e| fail(&format!("{bundle}: {e}; run `cargo xtask regen`")));
        let code = finrail_codegen::generate(&bundle, &text, &options).unwrap_or_else(|e| fail(&e.to_string()));
        fs::write(out.join(format!("{provider}.rs")), code).unwrap_or_else(|e| fail(&format!("OUT_DIR: {e}")));
    }
}

fn fail(reason: &str) -> ! {
    eprintln!("{reason}");
    process::exit(1);
}
