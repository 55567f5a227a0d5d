//! Tasks that cargo has not: `cargo xtask --help`.

fn main() {}
