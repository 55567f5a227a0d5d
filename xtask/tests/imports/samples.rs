//! Small crates with one of each fault.

use crate::sources::{File, Sources, module_of};

/// The test above must be able to fail: a small crate with one of each fault.
#[test]
fn every_way_to_write_an_import_is_seen() {
    let parse = |name: &str, text: &str| File {
        name: name.to_owned(),
        module: module_of(name),
        syntax: syn::parse_file(text).unwrap(),
        text: text.to_owned(),
    };
    let of = |text: &str| {
        let files = vec![
            parse("lib.rs", "mod a; mod b;"),
            parse("a/mod.rs", text),
            parse("b/mod.rs", "mod c; pub use c::Thing; pub fn free() {}"),
            parse("b/c.rs", "pub struct Thing;"),
        ];
        let by_module = files
            .iter()
            .enumerate()
            .map(|(n, file)| (file.module.clone(), n))
            .collect();
        Sources { files, by_module }.graph()["a/mod.rs"]
            .iter()
            .cloned()
            .collect::<Vec<_>>()
    };
    for seen in [
        "use crate::b::Thing;",
        "use super::b::Thing as Other;",
        "use crate::b::{self, Thing};",
        "fn f(_: crate::b::Thing) {}",
        "fn f() { let _ = crate::b::c::Thing; }",
        "fn f() { println!(\"{}\", crate::b::Thing); }",
        "fn f() { let _ = vec![(1, super::b::c::Thing)]; }",
        "#[derive(serde::Serialize)] struct S { #[serde(with = \"crate::b::c\")] x: u8 }",
        "mod inner { use super::super::b::Thing; }",
        "impl crate::b::Thing { }",
    ] {
        let targets = of(seen);
        assert!(targets.contains(&"b/c.rs".to_owned()), "{seen}: {targets:?}");
    }
    for unseen in [
        "#[cfg(test)] mod tests { use crate::b::Thing; }",
        "use std::fmt;",
        "// circular: a thing names the room that made it, for errors\nuse crate::b::Thing;",
    ] {
        assert_eq!(of(unseen), Vec::<String>::new(), "{unseen}");
    }
    assert_eq!(of("// circular: short\nuse crate::b::Thing;"), ["b/c.rs"]);
}
