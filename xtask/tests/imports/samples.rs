//! Small crates with one of each fault: the tests of the project must be able to fail.

use std::collections::BTreeSet;

use crate::graph::circles;
use crate::sources::{File, Sources};

/// A crate whose module `a` has this text, beside a module `b` that has everything in its child `c`.
fn sources(text: &str) -> Sources {
    let files = [
        (
            "lib.rs",
            "extern crate self as own; macro_rules! at_root { () => {} } mod a; mod b; mod rt;",
        ),
        ("a/mod.rs", text),
        ("a/child.rs", "pub struct Child;"),
        (
            "b/mod.rs",
            "mod c; mod d; pub use c::Thing; pub use d::*; pub fn free() {} macro_rules! m { () => {} } pub(crate) use m;",
        ),
        (
            "b/c.rs",
            "pub struct Thing; #[macro_export] macro_rules! __exported { () => {} }",
        ),
        ("b/d.rs", "pub struct ByGlob; pub mod inner {}"),
        ("rt/mod.rs", ""),
    ];
    let files = files.map(|(name, text)| File::parse(name.to_owned(), text.to_owned()));
    Sources::of(files.into())
}

fn of(text: &str) -> Vec<String> {
    sources(text).graph()["a/mod.rs"].iter().cloned().collect()
}

#[test]
fn every_way_to_write_an_import_is_seen() {
    for (seen, target) in [
        ("use crate::b::Thing;", "b/c.rs"),
        ("use super::b::Thing as Other;", "b/c.rs"),
        ("use crate::b::{self, Thing};", "b/c.rs"),
        ("fn f(_: crate::b::Thing) {}", "b/c.rs"),
        ("fn f() { let _ = crate::b::c::Thing; }", "b/c.rs"),
        ("fn f() { println!(\"{}\", crate::b::Thing); }", "b/c.rs"),
        ("fn f() { let _ = vec![(1, super::b::c::Thing)]; }", "b/c.rs"),
        ("mod inner { use super::super::b::Thing; }", "b/c.rs"),
        ("impl crate::b::Thing { }", "b/c.rs"),
        // Macros by their paths.
        ("fn f() { crate::b::m!(); }", "b/mod.rs"),
        ("crate::b::m!();", "b/mod.rs"),
        ("fn f() { crate::__exported!(); }", "b/c.rs"),
        ("fn f() { vec![crate::b::m!()]; }", "b/mod.rs"),
        // Macros by their names alone.
        ("fn f() { __exported!(); }", "b/c.rs"),
        ("__exported! {}", "b/c.rs"),
        ("fn f() { vec![__exported!()]; }", "b/c.rs"),
        ("macro_rules! n { () => { __exported!(); } }", "b/c.rs"),
        ("mod inner { fn f() { at_root!(); } }", "lib.rs"),
        (
            "use std::println as at_root; mod inner { fn f() { at_root!(); } }",
            "lib.rs",
        ),
        // Behind the two dots of a range, or of what is left of a struct.
        ("fn f() { vec![0..__exported!()]; }", "b/c.rs"),
        ("fn f() { vec![..__exported!()]; }", "b/c.rs"),
        ("fn f() { vec![0..=__exported!()]; }", "b/c.rs"),
        (
            "mod child; pub use child::Child; fn f() { vec![S { a: 3, ..Child }]; }",
            "a/child.rs",
        ),
        (
            "mod child; pub use child::Child; fn f() { vec![0..Child]; }",
            "a/child.rs",
        ),
        // Who may see an item.
        ("pub(in crate::b) struct A;", "b/mod.rs"),
        ("struct A { pub(in super::b::c) x: u8 }", "b/c.rs"),
        ("macro_rules! n { () => { pub(in crate::b::c) struct A; } }", "b/c.rs"),
        ("fn f() { m!(pub(in $crate::b) struct A;); }", "b/mod.rs"),
        ("m! { struct A(pub (crate::b::Thing)); }", "b/c.rs"),
        // What is handed on and is no child's.
        ("pub use super::b::Thing;", "b/c.rs"),
        ("pub use self::super::b::Thing;", "b/c.rs"),
        ("pub(crate) use self::{super::b::Thing as Other};", "b/c.rs"),
        ("mod inner { pub use self::super::super::b::Thing; }", "b/c.rs"),
        ("use super::b as x; pub(crate) use x::c::Thing;", "b/c.rs"),
        ("use super::b; pub(crate) use b::c::Thing;", "b/c.rs"),
        ("use super::b as x; pub use self::x::Thing as Other;", "b/c.rs"),
        ("use super::b as x; pub use x::*;", "b/d.rs"),
        ("mod inner { use crate::b as x; pub use x::c::Thing; }", "b/c.rs"),
        (
            "mod x {} mod inner { use crate::b as x; pub use x::c::Thing; }",
            "b/c.rs",
        ),
        (
            "#[cfg(unix)] mod x; #[cfg(not(unix))] use super::b as x; pub use x::c::Thing;",
            "b/c.rs",
        ),
        // The crate by other names.
        ("use ::own::b::Thing;", "b/c.rs"),
        ("use own::b::Thing;", "b/c.rs"),
        ("fn f() { extern crate self as q; q::b::c::f(); }", "b/c.rs"),
        ("use crate as x; fn f(_: x::b::Thing) {}", "b/c.rs"),
        ("fn f(_: crate::r#b::Thing) {}", "b/c.rs"),
        // Under a name that a `use` gave.
        ("use crate::b; fn f(_: b::c::Thing) {}", "b/c.rs"),
        ("use crate::b; fn f(_: self::b::c::Thing) {}", "b/c.rs"),
        ("use crate::b as x; use x::Thing;", "b/c.rs"),
        ("use crate::b as x; use x as y; fn f() { vec![y::c::Thing]; }", "b/c.rs"),
        (
            "mod inner { use super::super::b as x; fn f(_: x::c::Thing) {} }",
            "b/c.rs",
        ),
        (
            "use crate::b as x; mod inner { use super::*; fn f(_: x::c::Thing) {} }",
            "b/c.rs",
        ),
        ("use crate::b as x; mod inner { fn f(_: super::x::Thing) {} }", "b/c.rs"),
        // What a file hands on of its child, and uses.
        ("mod child; pub use child::Child; fn f(_: Child) {}", "a/child.rs"),
        ("mod child; pub use child::Child as X; fn f(_: X) {}", "a/child.rs"),
        ("mod child; pub use self::child::Child; fn f(_: Child) {}", "a/child.rs"),
        ("mod child; pub use child::*; fn f(_: Child) {}", "a/child.rs"),
        ("mod child; pub use child::Child; fn f() { vec![Child]; }", "a/child.rs"),
        (
            "mod child; pub use child::Child; fn f(x: u8) { match x { Child => {} } }",
            "a/child.rs",
        ),
        (
            "mod child; pub use child::Child; mod inner { use super::*; fn f(_: Child) {} }",
            "a/child.rs",
        ),
        (
            "mod child; pub use child::Child; #[derive(S)] #[serde(bound = \"T: Into<Child>\")] struct A<T>(T);",
            "a/child.rs",
        ),
        ("fn f(_: ::own::b::Thing) {}", "b/c.rs"),
        ("fn f() { println!(\"{}\", ::own::b::Thing); }", "b/c.rs"),
        // A file by its name.
        ("include!(\"../b/c.rs\");", "b/c.rs"),
        ("std::include!(\"../b/c.rs\");", "b/c.rs"),
        ("core::include!(\"../b/c.rs\");", "b/c.rs"),
        ("fn f() { m! { include!(\"../b/c.rs\") } }", "b/c.rs"),
        ("macro_rules! n { () => { include!(\"../b/c.rs\"); } }", "b/c.rs"),
        (
            "macro_rules! n { () => { ::core::include! { \"../b/c.rs\" } } }",
            "b/c.rs",
        ),
        ("include!(concat!(env!(\"OUT_DIR\"), \"/c.rs\"));", "rt/mod.rs"),
        ("#[path = \"../b/c.rs\"] mod theirs;", "b/c.rs"),
        ("#[cfg_attr(unix, path = \"../b/c.rs\")] mod theirs;", "b/c.rs"),
        (
            "#[cfg_attr(unix, allow(unused), cfg_attr(all(), path = \"../b/c.rs\"))] mod theirs;",
            "b/c.rs",
        ),
        ("mod inner { #[path = \"../../b/c.rs\"] mod theirs; }", "b/c.rs"),
        (
            "macro_rules! n { () => { #[path = \"../b/c.rs\"] mod theirs; } }",
            "b/c.rs",
        ),
        (
            "macro_rules! n { () => { #[cfg_attr(unix, path = \"../b/c.rs\")] mod theirs; } }",
            "b/c.rs",
        ),
        // A `use` in what a macro is given.
        ("macro_rules! n { () => { use crate::{b::Thing}; } }", "b/c.rs"),
        ("fn f() { m!(use crate::{rt, b::{self, c::{Thing as X}}}); }", "b/c.rs"),
        ("fn f() { m!(use $crate::b::{Thing}); }", "b/c.rs"),
        ("fn f() { m!(use crate::b::*); }", "b/c.rs"),
        // Under a name that such a `use` gave.
        ("m! { use crate::b as x; } fn f(_: x::c::Thing) {}", "b/c.rs"),
        ("m! { use crate::b; } fn f() { vec![b::c::Thing]; }", "b/c.rs"),
        ("m! { { use {crate::{b as x}}; } } fn f(_: x::c::Thing) {}", "b/c.rs"),
        ("m!(use crate::b as x); fn f(_: x::c::Thing) {}", "b/c.rs"),
        (
            "macro_rules! n { () => { use $crate::b as x; } } n!(); fn f(_: x::c::Thing) {}",
            "b/c.rs",
        ),
        // In the text of an attribute.
        (
            "#[derive(S)] struct A { #[serde(with = \"crate::b::c\")] x: u8 }",
            "b/c.rs",
        ),
        (
            "#[derive(S)] #[serde(bound = \"T: crate::b::Thing\")] struct A<T>(T);",
            "b/c.rs",
        ),
        (
            "#[derive(S)] #[serde(bound = \"T: Copy, U: super::b::Thing\")] struct A<T, U>(T, U);",
            "b/c.rs",
        ),
        (
            "#[derive(S)] struct A { #[serde(with = \"Option::<crate::b::Thing>\")] x: u8 }",
            "b/c.rs",
        ),
        (
            "#[derive(S)] struct A { #[serde(with = r#\"crate::b::c\"#)] x: u8 }",
            "b/c.rs",
        ),
        (
            "#[derive(S)] struct A { #[serde(with = \"::own::b::c\")] x: u8 }",
            "b/c.rs",
        ),
        (
            "macro_rules! n { () => { struct A { #[serde(with = \"crate::b::c\")] x: u8 } } }",
            "b/c.rs",
        ),
        // The path of an attribute, and a macro that gives its text.
        ("#[crate::b::m(Clone)] struct A;", "b/mod.rs"),
        ("#[super::b::m] struct A;", "b/mod.rs"),
        ("struct A { #[crate::b::m] x: u8 }", "b/mod.rs"),
        ("use crate::b as x; #[x::c::derived(Clone)] struct A;", "b/c.rs"),
        ("mod child; pub use child::derived; #[derived] struct A;", "a/child.rs"),
        ("#[doc = crate::__exported!()] struct A;", "b/c.rs"),
        ("#[doc = __exported!()] struct A;", "b/c.rs"),
        (
            "macro_rules! n { () => { #[doc = crate::__exported!()] struct A; } }",
            "b/c.rs",
        ),
        // What is for tests, and for something else too.
        (
            "#[cfg(any(test, feature = \"x\"))] mod more { use crate::b::Thing; }",
            "b/c.rs",
        ),
        ("#[cfg(not(test))] use crate::b::Thing;", "b/c.rs"),
        // All of a module.
        ("use crate::b::ByGlob;", "b/d.rs"),
        ("use crate::b::*;", "b/mod.rs"),
        ("use crate::b::*;", "b/c.rs"),
        ("use crate::b::*;", "b/d.rs"),
        ("pub use crate::b::*;", "b/d.rs"),
    ] {
        let targets = of(seen);
        assert!(targets.contains(&target.to_owned()), "{seen}: {targets:?}");
    }
}

#[test]
fn what_is_no_import_is_not_taken_for_one() {
    for unseen in [
        "#[cfg(test)] mod tests { use crate::b::Thing; }",
        "#[cfg(any(test, finrail_fuzzing))] mod tests { use crate::b::Thing; }",
        "#[cfg(all(feature = \"x\", any(test, finrail_fuzzing)))] enum A { B(crate::b::Thing) }",
        "struct A; impl A { #[cfg(test)] const B: crate::b::Thing = crate::b::Thing; }",
        "use std::fmt;",
        "std::println!();",
        "use ::b::Thing;",
        "fn f(_: ::other::b::Thing) {}",
        "fn f() { println!(\"{}\", ::other::b::Thing); }",
        "static TEXT: &str = include_str!(\"../b/c.rs\");",
        "#[path = \"child.rs\"] mod renamed;",
        "fn f() { trace!(target: \"crate::b::c\", \"said\"); }",
        "/// See `crate::b::Thing`.\nfn f() {}",
        "macro_rules! n { () => { #[doc = \"crate::b::Thing\"] fn f() {} } }",
        "#[deprecated(note = \"use crate::b::Thing for it\")] fn f() {}",
        "mod child; pub use child::*; mod inner { use super::*; }",
        "mod child; pub use child::Child;",
        "mod child; pub use child::child;",
        "mod child; pub use self::{child::Child as Other};",
        "mod inner { pub mod more {} pub use more::Child; }",
        "mod child; pub use child::Child; fn f() { m!(x.Child); }",
        "mod child; pub use child::*; struct Child; fn f(_: Child) {}",
        "mod child; pub use child::Child; mod inner { fn f(_: Child) {} }",
        "mod child; pub use child::Child; #[cfg(test)] fn f(_: Child) {}",
        "use std::fmt as b; fn f(_: b::c::Thing) {}",
        "macro_rules! n { () => { pub(crate) fn f() {} } }",
        "pub(crate) struct A { pub(super) x: u8, pub(self) y: u8, pub(in crate::a) z: u8 }",
        "mod inner { pub(in super::super) struct A { pub(in crate::a::inner) x: u8, pub(in crate::a) y: u8 } }",
        "macro_rules! n { () => { struct A { pub(super) x: u8, pub(in crate::a) y: u8 } } }",
        "macro_rules! at_root { () => {} } fn f() { at_root!(); vec![at_root!()]; }",
        "use std::println as at_root; fn f() { at_root!(); }",
        "fn f() { m!(x.at_root != (y)); }",
        "fn f() { m!(); }",
        "#[cfg(test)] fn f() { __exported!(); }",
        "macro_rules! n { () => { #[utoipa(path = \"../b/c.rs\")] fn f() {} } }",
    ] {
        assert_eq!(of(unseen), Vec::<String>::new(), "{unseen}");
    }
}

#[test]
fn what_does_not_say_where_it_leads_is_a_fault() {
    let unreadable = |text: &str| {
        let sources = sources(text);
        let file = sources.files.iter().find(|file| file.name == "a/mod.rs").unwrap();
        sources.unreadable(file)
    };
    for text in [
        "include!(concat!(\"../b/\", \"c.rs\"));",
        "include!(concat!(env!(\"OUT_DIR\"), \"/../c.rs\"));",
        "include!(concat!(env!(\"CARGO_MANIFEST_DIR\"), \"/src/b/c.rs\"));",
        "std::include!(env!(\"FILE\"));",
        "macro_rules! n { ($file:literal) => { include!($file); } }",
        "macro_rules! n { ($file:literal) => { #[path = $file] mod theirs; } }",
        "macro_rules! n { ($room:ident) => { fn f(_: crate::$room::Thing) {} } }",
        "macro_rules! n { ($room:ident) => { fn f(_: $crate::$room::Thing) {} } }",
        "macro_rules! n { ($room:ident) => { use crate::{rt, $room}; } }",
        "macro_rules! n { ($room:ident) => { use super::$room; } }",
        "macro_rules! n { ($($path:tt)*) => { fn f(_: own::$($path)*) {} } }",
        "#[derive(S)] struct A { #[serde(with = concat!(\"crate::\", \"b::c\"))] x: u8 }",
        "#[derive(S)] struct A { #[serde(with = std::stringify!(crate::b::c))] x: u8 }",
        "macro_rules! n { () => { struct A { #[serde(with = concat!(\"crate::\", \"b\"))] x: u8 } } }",
        // The beginning of a path, or a macro, is given to a macro.
        "macro_rules! n { ($a:tt, $b:ident) => { fn f(_: $a::$b::Thing) {} } } n!(crate, b);",
        "fn f() { n!(x, [super] b); }",
        "fn f() { n!(self, super, b); }",
        "macro_rules! n { () => { m!($crate b) } }",
        "macro_rules! n { () => { use crate as x; } }",
        "n!(include, \"../b/c.rs\");",
        "n!(std::include, \"../b/c.rs\");",
        "n!(0..include, \"../b/c.rs\");",
        // A name that is given in a macro.
        "macro_rules! n { ($path:path, $name:ident) => { use $path as $name; } } n!(crate::b, x);",
        "macro_rules! n { ($path:path) => { pub(crate) use $path; } }",
        "macro_rules! n { ($($name:ident)::*) => { use $($name)::*; } }",
        "macro_rules! n { ($path:path) => { use {std::fmt, $path as x}; } }",
        "macro_rules! n { ($path:path) => { use ::{$path as x}; } }",
        "macro_rules! n { ($name:ident) => { extern crate self as $name; } }",
        "m! { extern crate self as x; }",
        // A file that is not read.
        "include!(\"../../elsewhere.rs\");",
        "include!(\"/elsewhere.rs\");",
        "#[path = \"../../more/x.rs\"] mod x;",
        "mod inner { #[path = \"../../../more/x.rs\"] mod x; }",
        "#[cfg_attr(unix, path = \"/more/x.rs\")] mod x;",
        "macro_rules! n { () => { #[path = \"../../more/x.rs\"] mod x; } }",
        "include!(\"zz.in\");",
        "mod inner { include!(\"../b/c.inc\"); }",
        "macro_rules! n { () => { include!(\"zz\"); } }",
        "#[path = \"zz.inc\"] mod zz;",
        "#[path = \"../b/zz.inc\"] mod zz;",
        "mod inner { #[path = \"zz.inc\"] mod zz; }",
        "#[cfg_attr(unix, path = \"zz.inc\")] mod zz;",
        "#[cfg_attr(unix, path = \"zz.rs\")] #[cfg_attr(not(unix), path = \"zz.inc\")] mod zz;",
        "macro_rules! n { () => { #[path = \"zz.inc\"] mod zz; } }",
        // `include!` by another name.
        "use std::include as inc; inc!(\"../b/c.rs\");",
        "pub(crate) use ::core::{include as inc, println};",
        "macro_rules! n { () => { use std::include as inc; inc!(\"../b/c.rs\"); } }",
        "macro_rules! n { () => { use std::{include as inc}; } }",
        "macro_rules! n { ($room:ident) => { pub(in crate::$room) fn f() {} } }",
        "mod inner { use super::super::a as x; fn f(_: x::super::b::Thing) {} }",
        "mod inner {} fn f(_: inner::super::super::b::Thing) {}",
        "mod inner {} pub use inner::super::super::b::Thing;",
    ] {
        assert_ne!(unreadable(text), Vec::<String>::new(), "{text}");
    }
    for text in [
        "include!(concat!(env!(\"OUT_DIR\"), \"/c.rs\"));",
        "include!(\"../b/c.rs\");",
        "#[path = \"child.rs\"] mod renamed;",
        "#[cfg(test)] mod tests { include!(\"zz.in\"); }",
        "static TEXT: &str = include_str!(\"zz.in\");",
        "#[doc = include_str!(\"a.md\")] fn f() {}",
        "#[cfg_attr(docsrs, doc = include_str!(\"a.md\"))] fn f() {}",
        "#[derive(E)] #[error(\"{}\", concat!(\"a\", \"b\"))] struct A;",
        "macro_rules! n { ($kind:ident) => { fn f() { std::$kind::MAX; $kind::$kind(); } } }",
        "mod inner { fn f(_: super::super::b::Thing) {} }",
        "use std::include; include!(\"../b/c.rs\");",
        "macro_rules! n { ($a:ident) => { use $crate::b::Thing; use {$crate::b, std::fmt::$a}; use std::$a; } }",
        "m! { pub(crate) fn f(_: super::super::b::Thing) {} pub(super) struct A; }",
        "m! { #[serde(crate = \"own::rt\")] struct A { include: u8 } }",
        "fn f() { m!(x.include, include = 1); }",
        "fn f() { quote!(super); vec![quote! { #[serde(crate)] mod a {} }]; }",
        "#[cfg(test)] macro_rules! n { ($room:ident) => { use crate::$room; } }",
    ] {
        assert_eq!(unreadable(text), Vec::<String>::new(), "{text}");
    }
}

/// Where a module has another file on another condition, each counts as that module.
#[test]
fn every_file_of_a_module_is_examined() {
    let uses = "pub fn f(_: super::user::A) {}";
    let plain = "pub fn f() {} fn g() { crate::a::zz::f(); self::f(); }";
    let handing_on = "pub use super::inner::f;";
    let user = "pub struct A; fn g() { super::zz::f(A); }";
    let both = |one: &str, other: &str| vec![BTreeSet::from([one.to_owned(), other.to_owned()])];
    for declared in [
        "#[cfg(unix)] mod zz; #[cfg(not(unix))] #[path = \"zzw.rs\"] mod zz;",
        "#[cfg(not(unix))] #[path = \"zzw.rs\"] mod zz; #[cfg(unix)] mod zz;",
        "#[cfg_attr(not(unix), path = \"zzw.rs\")] mod zz;",
        "#[cfg_attr(unix, path = \"zz.rs\")] #[cfg_attr(not(unix), path = \"zzw.rs\")] mod zz;",
    ] {
        let graph = |zz: &str, zzw: &str| {
            let parent = format!("{declared} mod user; mod inner;");
            let files = [
                ("lib.rs", "mod a;"),
                ("a/mod.rs", parent.as_str()),
                ("a/inner.rs", "pub fn f(_: super::user::A) {}"),
                ("a/user.rs", user),
                ("a/zz.rs", zz),
                ("a/zzw.rs", zzw),
            ];
            let files = files.map(|(name, text)| File::parse(name.to_owned(), text.to_owned()));
            Sources::of(files.into()).undefended()
        };
        let circles = |zz: &str, zzw: &str| circles(&graph(zz, zzw));
        assert_eq!(circles(uses, plain), both("a/zz.rs", "a/user.rs"), "{declared}");
        assert_eq!(circles(plain, uses), both("a/zzw.rs", "a/user.rs"), "{declared}");
        assert_eq!(
            circles(plain, handing_on),
            both("a/inner.rs", "a/user.rs"),
            "{declared}"
        );
        // The two are never compiled together.
        assert_eq!(graph(plain, plain)["a/zz.rs"], BTreeSet::new(), "{declared}");
        assert_eq!(graph(plain, plain)["a/zzw.rs"], BTreeSet::new(), "{declared}");
    }
}

/// The files that are examined of a crate whose module `a` has this text, and which of them use `b`.
fn examined(parent: &str) -> (Vec<String>, Vec<String>) {
    let of_b = "fn f(_: crate::b::Thing) {}";
    let files = [
        ("lib.rs", "mod a; mod b;"),
        ("a/mod.rs", parent),
        ("a/zz.rs", of_b),
        ("a/zzw.rs", of_b),
        ("a/helpers/mod.rs", "mod more;"),
        ("a/helpers/more.rs", of_b),
        ("b.rs", "pub struct Thing;"),
    ];
    let files = files.map(|(name, text)| File::parse(name.to_owned(), text.to_owned()));
    let graph = Sources::of(files.into()).graph();
    let below = |file: &&String| file.starts_with("a/") && *file != "a/mod.rs";
    let all = graph.keys().filter(below).cloned().collect();
    let of_b = graph.iter().filter(|(_, targets)| targets.contains("b.rs"));
    (all, of_b.map(|(file, _)| file.clone()).collect())
}

/// A file that is compiled for tests and for users counts.
#[test]
fn only_what_is_for_tests_alone_is_left_out() {
    let helpers = "#[cfg(test)] mod helpers;";
    for (parent, seen) in [
        ("#[cfg(test)] mod zz; #[cfg(test)] mod zzw;", &[][..]),
        (
            "#[cfg(test)] mod tests { #[path = \"../zz.rs\"] mod zz; } mod zzw;",
            &["a/zzw.rs"],
        ),
        (
            "#[cfg(test)] mod zz; #[cfg(not(test))] mod zz; mod zzw;",
            &["a/zz.rs", "a/zzw.rs"],
        ),
        (
            "#[cfg(not(test))] mod zz; #[cfg(test)] mod zz; #[cfg(test)] mod zzw;",
            &["a/zz.rs"],
        ),
        (
            "#[cfg(test)] #[path = \"zzw.rs\"] mod zz; #[cfg(not(test))] mod zz;",
            &["a/zz.rs"],
        ),
        (
            "#[cfg(test)] mod zz; #[cfg(not(test))] #[path = \"zzw.rs\"] mod zz;",
            &["a/zzw.rs"],
        ),
        (
            "#[cfg(test)] mod zz; #[path = \"zz.rs\"] mod real; #[cfg(test)] mod zzw;",
            &["a/zz.rs"],
        ),
        (
            "#[path = \"zz.rs\"] mod real; #[cfg(test)] #[path = \"zz.rs\"] mod zz; mod zzw;",
            &["a/zz.rs", "a/zzw.rs"],
        ),
        (
            "#[cfg(test)] mod zz; mod inner { #[path = \"../zz.rs\"] mod real; } mod zzw;",
            &["a/zz.rs", "a/zzw.rs"],
        ),
        // What is included is compiled for users, however it is declared.
        (
            "#[cfg(test)] #[path = \"zz.rs\"] mod zz; include!(\"zz.rs\"); #[cfg(test)] mod zzw;",
            &["a/zz.rs"],
        ),
        (
            "#[cfg(test)] mod zz; mod inner { include!(\"zz.rs\"); } #[cfg(test)] mod zzw;",
            &["a/zz.rs"],
        ),
        (
            "#[cfg(test)] mod zz; m! { include!(\"zz.rs\"); } #[cfg(test)] mod zzw;",
            &["a/zz.rs"],
        ),
        (
            "#[cfg(test)] mod zz; #[cfg(test)] include!(\"zz.rs\"); #[cfg(test)] mod zzw;",
            &[],
        ),
    ] {
        let (all, of_b) = examined(&format!("{helpers} {parent}"));
        assert_eq!(all, seen, "{parent}");
        assert_eq!(of_b, seen, "{parent}");
    }
    let (all, _) = examined("#[cfg(test)] mod helpers; #[cfg(not(test))] mod helpers; mod zz; mod zzw;");
    assert_eq!(all, ["a/helpers/mod.rs", "a/helpers/more.rs", "a/zz.rs", "a/zzw.rs"]);
}

/// What is included is read from the module that it becomes a part of, and what it includes itself counts too.
#[test]
fn an_included_file_is_a_part_of_the_module_that_includes_it() {
    let files = [
        ("lib.rs", "mod a; mod b;"),
        (
            "a/mod.rs",
            "#[cfg(test)] #[path = \"hidden.rs\"] mod hidden; include!(\"hidden.rs\");",
        ),
        (
            "a/hidden.rs",
            "fn f(_: super::b::Thing) {} #[cfg(test)] mod more; include!(\"more.rs\");",
        ),
        ("a/more.rs", "fn g(_: super::b::Thing) {}"),
        ("b.rs", "pub struct Thing;"),
    ];
    let files = files.map(|(name, text)| File::parse(name.to_owned(), text.to_owned()));
    let graph = Sources::of(files.into()).graph();
    let edges = |names: &[&str]| -> BTreeSet<String> { names.iter().map(|&name| name.to_owned()).collect() };
    assert_eq!(graph["a/mod.rs"], edges(&["a/hidden.rs"]));
    assert_eq!(graph["a/hidden.rs"], edges(&["a/more.rs", "b.rs"]));
    assert_eq!(graph["a/more.rs"], edges(&["b.rs"]));
}

/// A fault names the file, so that it is found.
#[test]
fn a_file_that_is_not_read_is_named() {
    for text in ["include!(\"../b/zz.in\");", "#[path = \"../b/zz.in\"] mod zz;"] {
        let sources = sources(text);
        let file = sources.files.iter().find(|file| file.name == "a/mod.rs").unwrap();
        let found = sources.unreadable(file);
        assert!(
            matches!(&found[..], [one] if one.contains("b/zz.in") && one.contains("`.rs`")),
            "{found:?}"
        );
    }
}

/// What the parent hands on of its child does not make a circle, and what it uses does.
#[test]
fn a_circle_through_what_a_parent_hands_on_is_seen() {
    let circle_of = |parent: &str, child: &str| {
        let files = [("lib.rs", "mod a;"), ("a/mod.rs", parent), ("a/child.rs", child)];
        let files = files.map(|(name, text)| File::parse(name.to_owned(), text.to_owned()));
        circles(&Sources::of(files.into()).undefended())
    };
    let both = vec![BTreeSet::from(["a/child.rs".to_owned(), "a/mod.rs".to_owned()])];
    let child = "pub struct Child(super::Parent);";
    for parent in [
        "mod child; pub use child::Child; pub struct Parent; fn f(_: Child) {}",
        "mod child; pub use self::child::Child as Other; pub struct Parent(Option<Other>);",
        "mod child; pub use child::*; pub struct Parent; impl Parent { fn f(&self) -> Child {} }",
    ] {
        assert_eq!(circle_of(parent, child), both, "{parent}");
    }
    let through_an_alias = [
        ("lib.rs", "mod a;"),
        ("a/mod.rs", "mod p; mod q;"),
        (
            "a/p.rs",
            "use super::q as x; pub(crate) use x::inner::Thing; pub struct Foo;",
        ),
        ("a/q/mod.rs", "pub(crate) mod inner;"),
        ("a/q/inner.rs", "pub struct Thing(pub super::super::p::Foo);"),
    ];
    let files = through_an_alias.map(|(name, text)| File::parse(name.to_owned(), text.to_owned()));
    assert_eq!(
        circles(&Sources::of(files.into()).undefended()),
        [BTreeSet::from(["a/p.rs".to_owned(), "a/q/inner.rs".to_owned()])]
    );
    let only_handed_on = "mod child; pub use child::Child; pub struct Parent;";
    assert_eq!(circle_of(only_handed_on, child), Vec::<BTreeSet<String>>::new());
}

/// A module that is written out in a file may have files below it, and hand on what they have.
#[test]
fn a_file_below_a_module_that_is_written_out_is_seen() {
    let graph = |parent: &str, permit: &str| {
        let files = [
            ("lib.rs", "mod token;"),
            ("token/mod.rs", parent),
            ("token/permit.rs", permit),
            (
                "token/inner/deep.rs",
                "pub struct Deep; pub fn f(_: super::super::permit::Permit) {}",
            ),
        ];
        let files = files.map(|(name, text)| File::parse(name.to_owned(), text.to_owned()));
        Sources::of(files.into()).undefended()
    };
    let both = vec![BTreeSet::from([
        "token/inner/deep.rs".to_owned(),
        "token/permit.rs".to_owned(),
    ])];
    let only_declared = "mod permit; mod inner { pub(crate) mod deep; }";
    let in_a_macro = "mod permit; m! { mod inner { pub(crate) mod deep; } }";
    let by_name = "mod permit; mod inner { mod deep; pub(super) use deep::Deep; }";
    let by_glob = "mod permit; mod inner { mod deep; pub(super) use self::deep::*; }";
    let twice = "mod permit; pub mod inner { pub mod more { pub use super::deep::Deep; } mod deep; }";
    let from_outside = "mod permit; mod inner { mod deep; pub use deep::Deep; } pub(crate) use inner::Deep;";
    let with_itself = "mod permit; mod inner { pub(crate) mod deep; } pub(crate) use inner::*;";
    for (parent, used) in [
        (only_declared, "super::inner::deep::Deep"),
        (only_declared, "crate::token::inner::deep::Deep"),
        (in_a_macro, "super::inner::deep::Deep"),
        (by_name, "super::inner::Deep"),
        (by_glob, "super::inner::Deep"),
        (twice, "super::inner::more::Deep"),
        (from_outside, "super::Deep"),
        (with_itself, "super::deep::Deep"),
    ] {
        for permit in [
            format!("pub struct Permit; fn g(_: {used}) {{}}"),
            format!("use {used}; pub struct Permit;"),
            format!("pub struct Permit; pub use {used} as Other;"),
        ] {
            assert_eq!(circles(&graph(parent, &permit)), both, "{parent} {permit}");
        }
    }
    for used in ["super::inner::*", "super::inner::deep::*"] {
        let permit = format!("use {used}; pub struct Permit;");
        assert_eq!(circles(&graph(by_name, &permit)), both, "{permit}");
    }
    // What the module has itself stands in the file in which it is written out.
    let own = "mod permit; mod inner { mod deep; pub struct Own; }";
    let permit = "use super::inner::Own; pub struct Permit;";
    assert_eq!(
        graph(own, permit)["token/permit.rs"],
        BTreeSet::from(["token/mod.rs".to_owned()])
    );
}

/// A macro that is not exported is known behind its definition, in its module and those within, and further out only where
/// each module on the way says `#[macro_use]`.
#[test]
fn a_macro_by_its_name_alone_is_looked_for_where_it_can_be_seen() {
    let of = |root: &str, parent: &str, defined: &str| {
        let files = [
            ("lib.rs", root),
            ("a.rs", "fn f() { m!(); }"),
            ("b/mod.rs", parent),
            ("b/c.rs", defined),
            ("b/d.rs", "fn f() { m!(); }"),
        ];
        let files = files.map(|(name, text)| File::parse(name.to_owned(), text.to_owned()));
        let graph = Sources::of(files.into()).graph();
        ["a.rs", "b/d.rs"].map(|file| graph[file].iter().cloned().collect::<Vec<_>>())
    };
    let (seen, unseen) = (vec!["b/c.rs".to_owned()], Vec::new());
    for (root, parent, by_a, by_d) in [
        ("#[macro_use] mod b; mod a;", "#[macro_use] mod c; mod d;", &seen, &seen),
        ("mod b; mod a;", "#[macro_use] mod c; mod d;", &unseen, &seen),
        ("#[macro_use] mod b; mod a;", "mod c; mod d;", &unseen, &unseen),
    ] {
        let found = of(root, parent, "macro_rules! m { () => {} }");
        assert_eq!(found, [by_a.clone(), by_d.clone()], "{root} {parent}");
    }
    // On a condition, and from within.
    for (root, parent, defined) in [
        (
            "#[cfg_attr(all(), macro_use)] mod b; mod a;",
            "#[cfg_attr(unix, allow(unused), macro_use)] mod c; mod d;",
            "macro_rules! m { () => {} }",
        ),
        (
            "#[macro_use] mod b; mod a;",
            "#[cfg_attr(unix, cfg_attr(all(), macro_use))] mod c; mod d;",
            "macro_rules! m { () => {} }",
        ),
        (
            "mod b; mod a;",
            "#![macro_use] mod c; mod d;",
            "#![macro_use] macro_rules! m { () => {} }",
        ),
        (
            "#[macro_use] mod b; mod a;",
            "#[macro_use] mod c; mod d;",
            "#[cfg_attr(all(), macro_use)] mod inner { macro_rules! m { () => {} } }",
        ),
        (
            "mod b; mod a;",
            "mod c; mod d;",
            "#[cfg_attr(all(), macro_export)] macro_rules! m { () => {} }",
        ),
    ] {
        assert_eq!(
            of(root, parent, defined),
            [seen.clone(), seen.clone()],
            "{root} {parent} {defined}"
        );
    }
}

/// A name that a module has itself is not one that it hands on.
#[test]
fn a_name_is_looked_for_where_it_is() {
    assert_eq!(of("use crate::b::free;"), ["b/mod.rs"]);
    assert_eq!(of("use crate::b::ByGlob;"), ["b/d.rs"]);
    assert_eq!(of("use crate::b::Thing;"), ["b/c.rs"]);
    assert_eq!(of("use crate::b; fn f() { b::Thing::new(); }"), ["b/c.rs", "b/mod.rs"]);
}

#[test]
fn a_comment_defends_a_circle_of_files_on_the_next_line_only() {
    let why = "// circular: a thing names the room that made it, for errors\n";
    let undefended = |text: &str| -> Vec<String> { sources(text).undefended()["a/mod.rs"].iter().cloned().collect() };
    assert_eq!(undefended(&format!("{why}use crate::b::Thing;")), Vec::<String>::new());
    assert_eq!(
        undefended(&format!("{why}#[serde(with = \"crate::b::c\")] struct A;")),
        Vec::<String>::new()
    );
    for text in [
        // Without a reason.
        "// circular: short\nuse crate::b::Thing;".to_owned(),
        // On another line, about the same name.
        format!("{why}use crate::b::Thing;\n\nfn f(_: crate::b::Thing) {{}}"),
        format!("{why}\nuse crate::b::Thing;"),
        // In the midst of another text.
        format!("// see: {why}use crate::b::Thing;"),
        format!("{why}fn f() {{\n    crate::b::c::Thing;\n}}"),
    ] {
        assert_eq!(undefended(&text), ["b/c.rs"], "{text}");
    }
    // Rooms import one way whatever a comment says.
    assert_eq!(of(&format!("{why}use crate::b::Thing;")), ["b/c.rs"]);
}
