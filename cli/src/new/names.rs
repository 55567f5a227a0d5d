//! Names that a crate can have, and what to take instead of another.

use finrail_spec::names::{is_keyword, snake_case};

/// Crates that every program has, or that the new crate depends on by name.
const CRATES: [&str; 10] = [
    "alloc",
    "core",
    "finrail",
    "finrail-codegen",
    "finrail-spec",
    "proc-macro",
    "serde-json",
    "std",
    "test",
    "tokio",
];

/// Files that Windows has everywhere.
const DEVICES: [&str; 6] = ["aux", "com1", "con", "lpt1", "nul", "prn"];

/// Whether a name can be a crate's.
///
/// # Errors
///
/// In words, why not, and what to take.
pub(super) fn package(name: &str) -> Result<(), String> {
    if name.is_empty() {
        return Err(
            "the folder has no name, and the crate has the folder's: name a folder, such as `my-bank`".to_owned(),
        );
    }
    match wrong(name) {
        None => Ok(()),
        Some(why) => Err(format!(
            "`{name}` {why}: name another folder, such as `{}`",
            instead(name)
        )),
    }
}

/// Why a name can be no crate's.
fn wrong(name: &str) -> Option<&'static str> {
    let is_letter = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_');
    if !name.chars().all(is_letter) {
        return Some("has letters that no name of a crate has: `a` to `z`, digits, `-` and `_` are taken");
    }
    if !name.starts_with(|letter: char| letter.is_ascii_alphabetic()) {
        return Some("begins with no letter, as the name of a crate must");
    }
    if name.contains(|letter: char| letter.is_ascii_uppercase()) {
        return Some("has capitals, and names of crates are written in small letters");
    }
    if is_keyword(name) {
        return Some("is a word of Rust, and no name of a crate");
    }
    if CRATES.contains(&name.replace('_', "-").as_str()) {
        return Some("is the name of a crate that the new one needs, and it can have no other of that name");
    }
    let is_device = DEVICES.contains(&name);
    is_device.then_some("is the name of a device on Windows, and no folder is called so there")
}

/// A name that can be taken, as near as may be.
fn instead(name: &str) -> String {
    let ascii: String = name
        .chars()
        .map(|letter| if letter.is_ascii_alphanumeric() { letter } else { '-' })
        .collect();
    let near = snake_case(&ascii).trim_matches('_').replace('_', "-");
    if near.is_empty() {
        "my-bank".to_owned()
    } else if near.starts_with(|letter: char| letter.is_ascii_digit()) {
        format!("bank-{near}")
    } else if wrong(&near).is_none() {
        near
    } else {
        // None of the names that are refused ends so.
        format!("{near}-bank")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_name_is_told_with_one_that_is() {
        for (name, told, taken) in [
            ("test", "needs", "test-bank"),
            ("std", "needs", "std-bank"),
            ("core", "needs", "core-bank"),
            ("self", "a word of Rust", "self-bank"),
            ("crate", "a word of Rust", "crate-bank"),
            ("struct", "a word of Rust", "struct-bank"),
            ("proc_macro", "needs", "proc-macro-bank"),
            ("finrail", "needs", "finrail-bank"),
            ("tokio", "needs", "tokio-bank"),
            ("serde_json", "needs", "serde-json-bank"),
            ("con", "Windows", "con-bank"),
            ("9lives", "begins with no letter", "bank-9lives"),
            ("_bank", "begins with no letter", "bank"),
            ("-", "begins with no letter", "my-bank"),
            ("MyBank", "has capitals", "my-bank"),
            ("Test", "has capitals", "test-bank"),
            ("my bank", "has letters", "my-bank"),
            ("my.bank", "has letters", "my-bank"),
            ("b\u{e4}nk", "has letters", "b-nk"),
            ("\u{94f6}\u{884c}", "has letters", "my-bank"),
            ("", "has no name", "my-bank"),
        ] {
            let why = package(name).err().unwrap_or_default();
            assert!(
                why.contains(told) && why.contains(&format!("such as `{taken}`")),
                "{name}: {why}"
            );
            assert_eq!(package(taken), Ok(()), "{taken}");
        }
        for name in ["bank", "my-bank", "bank2", "a_b", "test-bank"] {
            assert_eq!(package(name), Ok(()), "{name}");
        }
    }
}
