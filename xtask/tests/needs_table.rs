//! The table of `specs/README.md` that says which test holds which need of a provider.

mod test_files;

use std::collections::BTreeMap;

use test_files::{root, under};

/// Those of `tests/` by their path from there, those of `src/` from the project's root.
fn tests() -> std::io::Result<BTreeMap<String, String>> {
    let root = root();
    let mut found = under(&root.join("tests"), &root.join("tests"))?;
    found.extend(under(&root.join("src"), &root)?);
    Ok(found)
}

fn table() -> std::io::Result<String> {
    let text = std::fs::read_to_string(root().join("specs").join("README.md"))?;
    let (_, table) = text.split_once("## What each provider needs").unwrap_or_default();
    Ok(table.to_owned())
}

/// A name in the table that no test has, or none in the file named for it.
fn wrong(table: &str, tests: &BTreeMap<String, String>) -> Vec<String> {
    let mut wrong = Vec::new();
    for row in table.lines().filter(|line| line.starts_with("| ")) {
        // Every second part stands between backticks; what stands before a file says whether it is one of tests.
        let parts: Vec<&str> = row.split('`').collect();
        let mut names: Vec<&str> = Vec::new();
        for (at, part) in parts.iter().enumerate().skip(1).step_by(2) {
            let is_file = part.ends_with(".rs") && !part.contains(' ');
            if is_file || part.ends_with('/') && !part.starts_with('/') {
                let files: Vec<_> = tests.iter().filter(|(file, _)| file.starts_with(part)).collect();
                if files.is_empty() {
                    wrong.push(format!("no file tests/{part}"));
                }
                if parts[at - 1] == " in " {
                    for name in names
                        .drain(..)
                        .filter(|name| !files.iter().any(|(_, text)| has(text, name)))
                    {
                        wrong.push(format!("{name} is not in {part}"));
                    }
                }
            } else if is_test(part) {
                names.push(part);
            }
        }
        let calls = ["calls.rs", "calls_on_the_wire.rs"].map(|file| tests.get(file).map_or("", String::as_str));
        for name in names.drain(..).filter(|name| !calls.iter().any(|text| has(text, name))) {
            wrong.push(format!("{name} is not in calls.rs or calls_on_the_wire.rs"));
        }
    }
    wrong
}

fn has(text: &str, test: &str) -> bool {
    text.contains(&format!("fn {test}("))
}

/// A sentence in snake case; names of the vocabulary and of operations have three words at most.
fn is_test(part: &str) -> bool {
    part.bytes()
        .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
        && part.split('_').count() > 3
}

#[test]
fn every_test_that_the_table_names_is_where_it_says() -> std::io::Result<()> {
    assert_eq!(wrong(&table()?, &tests()?), Vec::<String>::new());
    Ok(())
}

#[test]
fn a_test_that_is_not_there_is_told() -> std::io::Result<()> {
    let tests = tests()?;
    for row in [
        "| need | `a_name_that_somebody_made_up` |",
        "| need | `pages_by_link_are_followed_under_the_base_url_only` |",
        "| need | `pages_by_link_are_followed_under_the_base_url_only` in `calls.rs` |",
        "| need | `no_such_file.rs` |",
    ] {
        assert_eq!(wrong(row, &tests).len(), 1, "{row}");
    }
    let right = "| need | `pages_by_link_are_followed_under_the_base_url_only` in `pages.rs` |";
    assert_eq!(wrong(right, &tests), Vec::<String>::new());
    Ok(())
}
