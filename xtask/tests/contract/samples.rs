//! Small contracts with one change each: the test of the real one must be able to fail.

use std::collections::{BTreeMap, BTreeSet};

use crate::{changes, contract_1};

const MANIFEST: &str = "[dependencies]\nother = { version = \"1\", features = [\"x\"] }\nreexported = \"0.4\"\n";
const FILES: [(&str, &str); 4] = [
    ("lib.rs", "mod rt; mod room; mod app;"),
    (
        "rt/mod.rs",
        "pub mod v1 {
            pub use crate::room::{Open, Kind, Role, Data, Grows, call, inner as renamed};
            pub use crate::app::Client;
            pub use reexported;
            pub use crate::__told as told;
            pub const fn made() -> Kind { Kind::One }
        }
        #[macro_export] macro_rules! __contract {
            (1, 0, $generator:literal, $($code:tt)*) => { $($code)* };
            (1, $minor:literal, $generator:literal, $($code:tt)*) => { compile_error!(\"newer\") };
        }
        #[macro_export] macro_rules! __told { ($($told:tt)*) => {}; }",
    ),
    (
        "room/mod.rs",
        "mod inside; pub use inside::Open; pub mod inner { use super::*; pub fn deep(n: Number) -> u8 { 0 } fn own() {} }
        use other::Number; use crate::room::inside as place;
        #[derive(Clone, Debug)] pub enum Kind { One, Two { after: Option<u8> } }
        pub trait Role: Clone { const ID: u8; type Of: Role; fn needed(&self, n: u8) -> Alias; fn given(&self) {} }
        pub struct Data { pub x: u8, pub y: Number } pub struct Unused;
        impl Data { pub(crate) fn own(&self) {} }
        type Alias = Result<u8, Number>;
        pub fn call<T: Role>(first: &T, second: other::part::Thing) -> impl Iterator<Item = Alias> {}
        impl Role for other::Foreign {}
        impl place::Open { pub fn late(&mut self) {} }
        #[non_exhaustive] pub enum Grows { #[non_exhaustive] Some { n: u8 } }
        macro_rules! have {
            (none) => {};
            ($of:ident: $($kind:ty),* $(,)?) => { $(impl $of for $kind {})* have!(none); };
        }
        have!(Role: u16, Vec<(u8, Number)>, &str,);",
    ),
    (
        "room/inside.rs",
        "pub struct Open { pub a: &'static str, pub b: Option<u16>, hidden: u8 }
        impl Open { pub const BASE: Self = Self { a: \"\", b: None, hidden: 0 }; pub fn new(a: &'static str) -> Self {} }
        impl From<u8> for Open {}",
    ),
];
const APP: (&str, &str) = (
    "app.rs",
    "pub struct Client; impl Client { pub fn new() -> Self {} pub fn for_people(&self) {} }",
);

fn texts() -> BTreeMap<String, String> {
    let files = FILES.into_iter().chain([APP]);
    files.map(|(name, text)| (name.to_owned(), text.to_owned())).collect()
}

fn lines(texts: &BTreeMap<String, String>, manifest: &str) -> BTreeSet<String> {
    contract_1(texts, manifest, &BTreeSet::from(["Client::new".to_owned()]))
}

/// What is gone and what is new when a part of a file becomes another.
fn after(file: &str, old: &str, new: &str) -> (Vec<String>, Vec<String>) {
    let kept: Vec<String> = lines(&texts(), MANIFEST).into_iter().collect();
    let mut texts = texts();
    let mut manifest = MANIFEST.to_owned();
    let text = if file == "Cargo.toml" {
        &mut manifest
    } else {
        texts.get_mut(file).unwrap()
    };
    assert!(text.contains(old), "{file} has no {old}");
    *text = text.replacen(old, new, 1);
    changes(&kept.join("\n"), &lines(&texts, &manifest))
}

#[test]
fn a_contract_has_names_fields_members_signatures_and_crates() {
    let found = lines(&texts(), MANIFEST);
    let expected = [
        "Client: struct, which has {}",
        "Client::new: fn() -> Self",
        "Data.x: u8",
        "Data.y: other::Number",
        "Data: struct, which has {x, y}",
        "Grows: enum",
        "Grows::Some {..}",
        "Grows::Some.n: u8",
        "Kind: enum",
        "Kind: has Clone",
        "Kind: has Debug",
        "Kind: is matched without `_`, with {One, Two}",
        "Kind::One {}",
        "Kind::Two {after}",
        "Kind::Two.after: Option<u8>",
        "Open.a: &'static str",
        "Open.b: Option<u16>",
        "Open: impl From<u8> for Open",
        "Open: struct",
        "Open::BASE.a = \"\"",
        "Open::BASE.b = None",
        "Open::BASE.hidden = 0",
        "Open::BASE: Self",
        "Open::late: fn(&mut self)",
        "Open::new: fn(&'static str) -> Self",
        "Role: is had by &str",
        "Role: is had by Vec<(u8, other::Number)>",
        "Role: is had by other::Foreign",
        "Role: is had by u16",
        "Role: trait: Clone, which needs {ID, Of, needed}",
        "Role::ID: const u8",
        "Role::Of: type Role",
        "Role::given: fn(&self)",
        "Role::needed: fn(&self, u8) -> Alias",
        "call: fn<T: Role>(&T, other::part::Thing) -> impl Iterator<Item = Alias>",
        "contract! { 1, 0 }",
        "crate other: feature x",
        "crate other: version 1",
        "crate reexported: version 0.4",
        "made: const fn() -> Kind",
        "reexported = reexported",
        "renamed: module",
        "renamed::deep: fn(other::Number) -> u8",
        "told!: macro",
        "type Alias = Result<u8, other::Number>",
    ];
    assert_eq!(found.iter().map(String::as_str).collect::<Vec<_>>(), expected);
}

#[test]
fn what_is_removed_or_changed_is_gone() {
    for (file, old, new) in [
        // Names.
        ("rt/mod.rs", "Kind, Role,", "Role,"),
        ("rt/mod.rs", "inner as renamed", "inner"),
        ("rt/mod.rs", "pub use reexported;", ""),
        ("rt/mod.rs", "pub use crate::__told as told;", ""),
        ("rt/mod.rs", "pub const fn made", "pub fn made"),
        ("room/mod.rs", "pub fn deep", "fn deep"),
        ("rt/mod.rs", "(1, 0, $generator", "(1, 1, $generator"),
        ("rt/mod.rs", "{ $($code)* }", "{ compile_error!(\"gone\") }"),
        // Fields.
        ("room/inside.rs", "pub b: Option<u16>,", ""),
        ("room/inside.rs", "pub b: Option<u16>", "b: Option<u16>"),
        ("room/inside.rs", "pub b: Option<u16>", "pub b: Option<u32>"),
        ("room/inside.rs", "pub a: &'static str", "pub c: &'static str"),
        ("room/mod.rs", "after: Option<u8>", "after: u8"),
        ("room/inside.rs", "b: None", "b: Some(1)"),
        ("room/inside.rs", "pub const BASE", "pub const OTHER"),
        // A field more, where code writes all of them.
        ("room/mod.rs", "pub x: u8,", "pub x: u8, pub z: u8,"),
        ("room/mod.rs", "pub x: u8,", "pub x: u8, z: u8,"),
        (
            "room/mod.rs",
            "{ after: Option<u8> }",
            "{ after: Option<u8>, more: u8 }",
        ),
        ("room/mod.rs", "pub struct Data", "#[non_exhaustive] pub struct Data"),
        ("room/mod.rs", "One, Two", "Two"),
        // Traits.
        ("room/mod.rs", "fn given(&self) {}", ""),
        ("room/mod.rs", "fn given(&self) {}", "fn given(&self);"),
        (
            "room/mod.rs",
            "fn given(&self) {}",
            "fn given(&self) {} fn more(&self);",
        ),
        ("room/mod.rs", "const ID: u8;", "const ID: u8; const MORE: u8;"),
        ("room/mod.rs", "type Of: Role;", "type Of: Role + Send;"),
        ("room/mod.rs", "pub trait Role: Clone", "pub trait Role: Clone + Send"),
        ("room/mod.rs", "fn needed(&self, n: u8)", "fn needed(self, n: u8)"),
        ("room/mod.rs", "fn needed(&self, n: u8)", "fn needed(&self, n: u16)"),
        ("room/mod.rs", "-> Alias; fn", "-> u8; fn"),
        ("room/mod.rs", "impl Role for other::Foreign {}", ""),
        (
            "room/inside.rs",
            "impl From<u8> for Open {}",
            "impl From<u16> for Open {}",
        ),
        ("room/mod.rs", "#[derive(Clone, Debug)]", "#[derive(Debug)]"),
        // What macros make.
        ("room/mod.rs", "u16, Vec", "Vec"),
        ("room/mod.rs", "impl $of for $kind", "impl Other for $kind"),
        ("room/mod.rs", "have!(Role:", "#[cfg(feature = \"x\")] have!(Role:"),
        (
            "room/mod.rs",
            "$of:ident: $($kind:ty),*",
            "$of:ident: $first:ty, $($kind:ty),*",
        ),
        // What is not always there, and what only this crate writes.
        (
            "rt/mod.rs",
            "pub use reexported;",
            "#[cfg(feature = \"x\")] pub use reexported;",
        ),
        ("rt/mod.rs", "#[macro_export]", ""),
        (
            "rt/mod.rs",
            "#[macro_export]",
            "#[cfg(feature = \"x\")] #[macro_export]",
        ),
        (
            "room/mod.rs",
            "pub struct Data",
            "#[cfg_attr(feature = \"x\", non_exhaustive)] pub struct Data",
        ),
        ("room/mod.rs", "pub x: u8,", "#[cfg(feature = \"x\")] pub x: u8,"),
        ("room/mod.rs", "pub enum Kind", "#[non_exhaustive] pub enum Kind"),
        ("room/mod.rs", "enum Kind { One,", "enum Kind { One, More,"),
        ("room/mod.rs", "Two {", "#[non_exhaustive] Two {"),
        ("room/mod.rs", "One, Two", "#[cfg(feature = \"x\")] One, Two"),
        (
            "room/mod.rs",
            "after: Option<u8>",
            "#[cfg(feature = \"x\")] after: Option<u8>",
        ),
        (
            "room/mod.rs",
            "fn given(&self) {}",
            "#[cfg(feature = \"x\")] fn given(&self) {}",
        ),
        ("room/mod.rs", "const ID: u8;", "#[cfg(feature = \"x\")] const ID: u8;"),
        ("room/mod.rs", "pub fn deep", "#[cfg(feature = \"x\")] pub fn deep"),
        (
            "room/mod.rs",
            "impl Role for other::Foreign",
            "#[cfg(feature = \"x\")] impl Role for other::Foreign",
        ),
        ("room/inside.rs", "impl From", "#[cfg(feature = \"x\")] impl From"),
        (
            "room/inside.rs",
            "pub const BASE",
            "#[cfg(feature = \"x\")] pub const BASE",
        ),
        // Functions, and what their signatures are made of.
        ("room/mod.rs", "&mut self", "&self"),
        ("room/mod.rs", "pub fn late", "#[cfg(feature = \"x\")] pub fn late"),
        ("room/mod.rs", "T: Role", "T: Role + Send"),
        ("room/mod.rs", "second: other::part", "second: other::elsewhere"),
        ("room/mod.rs", "pub fn call", "pub async fn call"),
        ("room/mod.rs", "use other::Number", "use other::exact::Number"),
        ("room/mod.rs", "type Alias = Result<u8,", "type Alias = Result<u16,"),
        ("app.rs", "pub fn new() -> Self", "pub fn new(id: u8) -> Self"),
        // Versions.
        ("Cargo.toml", "version = \"1\"", "version = \"2\""),
        ("Cargo.toml", "\"0.4\"", "\"0.5\""),
        ("Cargo.toml", "[\"x\"]", "[]"),
    ] {
        let (gone, _) = after(file, old, new);
        assert!(!gone.is_empty(), "{file}: {old} -> {new}");
    }
}

#[test]
fn what_is_added_is_new_and_costs_nothing() {
    for (file, old, new) in [
        ("rt/mod.rs", "Kind, Role,", "Kind, Role, Unused,"),
        (
            "rt/mod.rs",
            "(1, 0, $generator",
            "(1, 1, $g:literal, $($code:tt)*) => { $($code)* }; (1, 0, $generator",
        ),
        ("room/inside.rs", "hidden: u8 }", "hidden: u8, pub more: u8 }"),
        ("room/inside.rs", "hidden: 0", "hidden: 0, more: 0"),
        ("room/mod.rs", "pub enum Grows {", "pub enum Grows { More,"),
        ("room/mod.rs", "#[non_exhaustive] pub enum Grows", "pub enum Grows"),
        (
            "room/mod.rs",
            "fn given(&self) {}",
            "fn given(&self) {} fn more(&self) {}",
        ),
        (
            "room/mod.rs",
            "impl Role for other::Foreign {}",
            "impl Role for other::Foreign {} impl Role for u8 {}",
        ),
        ("room/mod.rs", "have!(Role: u16", "have!(Role: u8, u16"),
        (
            "room/mod.rs",
            "#[non_exhaustive] Some {",
            "More, #[non_exhaustive] Some {",
        ),
        ("room/mod.rs", "derive(Clone, Debug)", "derive(Clone, Debug, Copy)"),
        ("Cargo.toml", "[\"x\"]", "[\"x\", \"y\"]"),
    ] {
        let (gone, new_lines) = after(file, old, new);
        assert!(
            gone.is_empty() && !new_lines.is_empty(),
            "{file}: {old} -> {new}: {gone:?} {new_lines:?}"
        );
    }
}

/// What cannot be followed is not passed over in silence.
#[test]
fn what_cannot_be_read_is_a_fault() {
    for (file, old, new) in [
        (
            "rt/mod.rs",
            "#[macro_export] macro_rules! __told",
            "macro_rules! __told",
        ),
        (
            "rt/mod.rs",
            "#[macro_export] macro_rules! __told",
            "#[cfg(feature = \"x\")] #[macro_export] macro_rules! __told",
        ),
        ("room/mod.rs", "have!(Role: u16", "have!(Role = u16"),
        ("room/mod.rs", "have!(Role: u16", "unknown!(); have!(Role: u16"),
        ("room/mod.rs", "have!(Role: u16", "have!(Role: 7, u16"),
        ("room/inside.rs", "impl Open {", "impl Open { more!();"),
        (
            "room/mod.rs",
            "pub struct Data",
            "#[cfg(feature = \"x\")] pub struct Data",
        ),
        (
            "room/mod.rs",
            "pub struct Data",
            "#[cfg_attr(all(), cfg(feature = \"x\"))] pub struct Data",
        ),
        ("room/mod.rs", "mod inside;", "#[cfg(feature = \"x\")] mod inside;"),
        ("lib.rs", "mod room;", "#[cfg(feature = \"x\")] mod room;"),
        (
            "room/inside.rs",
            "pub struct Open",
            "#![cfg(feature = \"x\")] pub struct Open",
        ),
    ] {
        let read = std::panic::catch_unwind(|| after(file, old, new));
        assert!(read.is_err(), "{file}: {old} -> {new}: {:?}", read.ok());
    }
}

#[test]
fn what_is_no_part_of_a_contract_may_change() {
    for (file, old, new) in [
        ("room/mod.rs", "pub(crate) fn own(&self)", "pub(crate) fn own(self)"),
        ("room/mod.rs", "fn own() {}", ""),
        ("room/mod.rs", "first: &T", "renamed: &T"),
        (
            "room/mod.rs",
            "pub fn late(&mut self) {}",
            "/// Late.\n#[must_use] pub fn late(&mut self) { todo!() }",
        ),
        (
            "room/mod.rs",
            "pub struct Data",
            "#[deprecated] #[doc(hidden)] pub struct Data",
        ),
        (
            "room/mod.rs",
            "have!(Role: u16",
            "#[cfg(test)] mod tests { impl super::Role for u8 {} } have!(Role: u16",
        ),
        ("app.rs", "pub fn for_people(&self)", "pub fn for_others(self)"),
        ("Cargo.toml", "version = \"1\"", "version = \"1.7\""),
        ("Cargo.toml", "[dependencies]", "[dependencies]\nmore = \"1\""),
    ] {
        assert_eq!(
            after(file, old, new),
            (Vec::new(), Vec::new()),
            "{file}: {old} -> {new}"
        );
    }
}
