//! Generates the typed clients of the enabled providers.

fn main() {}
