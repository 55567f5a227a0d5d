//! What `finrail::rt::v1` offers to generated code is in `v1.txt`, line by line, and it keeps every line: code that an
//! older finrail-codegen wrote lives in users' crates, and is compiled with newer versions of finrail.
//!
//! The files of `src/` are read as syntax. A line more is taken with
//! `INSTA_UPDATE=always cargo test -p xtask --test contract`, which takes no line out.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod expand;
mod lines;
mod manifest;
mod samples;
#[path = "../test_files/mod.rs"]
mod test_files;
mod tree;

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::{TokenStream, TokenTree};
use test_files::{root, under};
use tree::{Tree, has};

const FILE: &str = "xtask/tests/contract/v1.txt";
/// What the generator's own test says that it takes.
const TAKEN: &str = "codegen/tests/snapshots/generated_what_is_taken_from_the_contract.snap";
const HEAD: &str = "# What `finrail::rt::v1` offers to generated code: names, fields, signatures. Lines are added with
# `INSTA_UPDATE=always cargo test -p xtask --test contract`, and never changed or taken out: contract 1 keeps them.
";

/// The lines of contract 1, from the files of `src/`, `Cargo.toml`, and the paths that generated code takes.
fn contract_1(texts: &BTreeMap<String, String>, manifest: &str, taken: &BTreeSet<String>) -> BTreeSet<String> {
    let tree = Tree::of(texts);
    let mut lines = lines::lines(&tree, &["rt", "v1"], taken);
    lines.found.extend(
        minor_numbers(&tree)
            .into_iter()
            .map(|n| format!("contract! {{ 1, {n} }}")),
    );
    for name in &lines.crates {
        lines.found.extend(manifest::lines(manifest, name));
    }
    lines.found
}

/// The minor numbers of contract 1 with which `contract!` takes code.
fn minor_numbers(tree: &Tree) -> BTreeSet<String> {
    let items = tree.modules().flat_map(|(_, items)| items);
    let tokens = items.filter_map(|item| match item {
        syn::Item::Macro(item)
            if item.ident.as_ref().is_some_and(|name| name == "__contract") && has(&item.attrs, "macro_export") =>
        {
            Some(item.mac.tokens.clone())
        }
        _ => None,
    });
    let mut numbers = BTreeSet::new();
    for tokens in tokens {
        let groups: Vec<TokenStream> = tokens
            .into_iter()
            .filter_map(|token| match token {
                TokenTree::Group(group) => Some(group.stream()),
                _ => None,
            })
            .collect();
        for arm in groups.chunks(2) {
            let [pattern, code] = arm else {
                panic!("an arm without code")
            };
            let pattern: Vec<String> = pattern.clone().into_iter().map(|token| token.to_string()).collect();
            let takes = code.to_string().replace(' ', "") == "$($code)*";
            if takes && pattern.len() > 2 && pattern[0] == "1" && pattern[2].parse::<u32>().is_ok() {
                numbers.insert(pattern[2].clone());
            }
        }
    }
    numbers
}

/// The lines that are gone, and those that are new.
fn changes(kept: &str, now: &BTreeSet<String>) -> (Vec<String>, Vec<String>) {
    let kept: BTreeSet<String> = kept
        .lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty())
        .map(str::to_owned)
        .collect();
    (
        kept.difference(now).cloned().collect(),
        now.difference(&kept).cloned().collect(),
    )
}

#[test]
fn contract_1_keeps_what_it_has() {
    let src = root().join("src");
    let manifest = std::fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let taken = std::fs::read_to_string(root().join(TAKEN)).unwrap();
    let taken: BTreeSet<String> = taken.lines().map(str::to_owned).collect();
    assert!(taken.contains("ClientBuilder::new"), "{TAKEN} has another form");
    let now = contract_1(&under(&src, &src).unwrap(), &manifest, &taken);
    let file = root().join(FILE);
    let kept = std::fs::read_to_string(&file).unwrap_or_default();
    let (gone, new) = changes(&kept, &now);
    assert!(
        gone.is_empty(),
        "contract 1 does not have this any more:\n  {}\nand has this instead, or besides:\n  {}\nCode that an older \
         finrail-codegen wrote needs the former. Put it back. What cannot be put back begins contract 2: `v2` in \
         src/rt/mod.rs has what is new, `v1` keeps the old, and `CONTRACT` in codegen/src/generate.rs goes up. A line is \
         taken out of {FILE} by hand only where no version of the generator ever wrote code that needs it",
        gone.join("\n  "),
        new.join("\n  ")
    );
    if std::env::var("INSTA_UPDATE").is_ok_and(|update| update == "always") {
        let lines: Vec<String> = now.into_iter().collect();
        std::fs::write(&file, format!("{HEAD}{}\n", lines.join("\n"))).unwrap();
    } else {
        assert!(
            new.is_empty(),
            "contract 1 has more than {FILE} says:\n  {}\nIt will have to keep it. If that is meant, write it down with \
             `INSTA_UPDATE=always cargo test -p xtask --test contract`",
            new.join("\n  ")
        );
    }
}
