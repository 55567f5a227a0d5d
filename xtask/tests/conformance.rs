//! `docs/conformance.md`: every row says what becomes of a duty, and which test fails without it.

mod test_files;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use syn::visit::{Visit, visit_item_fn};
use test_files::{root, under};

/// A part of an RFC, and how far the sections in it are numbered: `("4.2", 2)` for 4.2.1 and 4.2.2.
type Part = (&'static str, usize);

/// The RFCs, how many sections each has, and which of them have sections in turn.
const RFCS: [(&str, usize, &[Part]); 8] = [
    (
        "6749",
        12,
        &[
            ("1", 9),
            ("1.3", 4),
            ("2", 4),
            ("2.3", 2),
            ("3", 3),
            ("3.1", 2),
            ("3.1.2", 5),
            ("3.2", 1),
            ("4", 5),
            ("4.1", 4),
            ("4.1.2", 1),
            ("4.2", 2),
            ("4.2.2", 1),
            ("4.3", 3),
            ("4.4", 3),
            ("5", 2),
            ("7", 2),
            ("8", 5),
            ("10", 16),
            ("11", 4),
        ],
    ),
    ("6750", 7, &[("1", 3), ("2", 3), ("3", 1), ("5", 3), ("6", 2)]),
    ("7009", 7, &[("1", 1), ("2", 3), ("2.2", 1), ("4", 1), ("4.1", 2)]),
    (
        "7636",
        8,
        &[("1", 1), ("3", 1), ("4", 6), ("4.4", 1), ("6", 2), ("7", 5)],
    ),
    ("8252", 10, &[("4", 1), ("7", 3), ("8", 12)]),
    ("8414", 8, &[("1", 2), ("2", 1), ("3", 3), ("6", 2), ("7", 3)]),
    ("9207", 6, &[("1", 1), ("2", 4), ("5", 2)]),
    (
        "9700",
        7,
        &[
            ("1", 2),
            ("2", 6),
            ("2.1", 2),
            ("2.2", 2),
            ("4", 17),
            ("4.1", 3),
            ("4.2", 4),
            ("4.3", 2),
            ("4.4", 2),
            ("4.4.2", 2),
            ("4.5", 4),
            ("4.5.3", 3),
            ("4.6", 1),
            ("4.7", 1),
            ("4.8", 2),
            ("4.9", 3),
            ("4.10", 3),
            ("4.11", 2),
            ("4.14", 2),
            ("4.15", 1),
            ("4.17", 2),
            ("4.17.1", 3),
        ],
    ),
];

/// What the page is compared with.
struct Project {
    /// The names of the tests of each file, by its path from the root.
    tests: BTreeMap<String, BTreeSet<String>>,
    exists: fn(&str) -> bool,
}

impl Project {
    fn read() -> Result<Self, Box<dyn std::error::Error>> {
        let project = root();
        let mut tests = BTreeMap::new();
        for folder in ["tests", "src", "cli/tests"] {
            for (file, text) in under(&project.join(folder), &project)? {
                let mut named = Tests::default();
                // Some of what generated code is checked with is no Rust on purpose.
                if let Ok(file) = syn::parse_file(&text) {
                    named.visit_file(&file);
                }
                tests.insert(file, named.0);
            }
        }
        Ok(Self {
            tests,
            exists: |path| root().join(path).exists(),
        })
    }
}

#[derive(Default)]
struct Tests(BTreeSet<String>);

impl<'ast> Visit<'ast> for Tests {
    fn visit_item_fn(&mut self, function: &'ast syn::ItemFn) {
        let is_test = function.attrs.iter().any(|attribute| {
            let last = attribute.path().segments.last();
            last.is_some_and(|segment| segment.ident == "test")
        });
        if is_test {
            self.0.insert(function.sig.ident.to_string());
        }
        visit_item_fn(self, function);
    }
}

fn has_section(rfc: &str, section: &str) -> bool {
    let Some((_, parts, numbered)) = RFCS.iter().find(|(number, ..)| *number == rfc) else {
        return false;
    };
    let (above, last) = section.rsplit_once('.').unwrap_or(("", section));
    let count = match above {
        "" => Some(parts),
        above => numbered.iter().find(|(part, _)| *part == above).map(|(_, count)| count),
    };
    let written_plainly = !last.starts_with(['0', '+']);
    count.is_some_and(|count| written_plainly && last.parse().is_ok_and(|last: usize| last <= *count))
}

/// What stands between backticks.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

/// What is wrong with the page.
fn wrong(page: &str, project: &Project) -> Vec<String> {
    let mut wrong = Vec::new();
    let (mut rfc, mut with_rows) = ("", BTreeSet::new());
    let (mut unmet, mut listed) = (BTreeSet::new(), BTreeSet::new());
    for line in page.lines() {
        if let Some(heading) = line.strip_prefix("## ") {
            rfc = heading
                .strip_prefix("RFC ")
                .map_or("", |heading| heading.split(',').next().unwrap_or_default());
        }
        // The list of what is not met: `- RFC 6749 section 2.3.1: ..`.
        if let Some((place, _)) = line.strip_prefix("- RFC ").and_then(|item| item.split_once(':')) {
            match place.split_once(" section ") {
                Some((rfc, section)) if has_section(rfc, section) => {
                    listed.insert((rfc.to_owned(), section.to_owned()));
                }
                _ => wrong.push(format!("no such section: RFC {place}")),
            }
        }
        let is_head = line.starts_with("| section |") || line.starts_with("|---");
        if rfc.is_empty() || !line.starts_with('|') || is_head {
            continue;
        }
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let [section, duty, status, places, tests] = cells[..] else {
            wrong.push(format!("not five cells: {line}"));
            continue;
        };
        let row = format!("RFC {rfc} section {section}, {duty}");
        if has_section(rfc, section) {
            with_rows.insert(rfc);
        } else {
            wrong.push(format!("no such section: {row}"));
        }
        if duty.is_empty() {
            wrong.push(format!("no duty: {row}"));
        }
        let because = |start| status.strip_prefix(start).is_some_and(|reason: &str| reason.len() > 5);
        if because("not done, because ") {
            unmet.insert((rfc.to_owned(), section.to_owned()));
        } else if !matches!(status, "done" | "done by choice of the application")
            && !because("does not apply, because ")
        {
            wrong.push(format!("no such status: {row}: {status}"));
        }
        if status == "done" && tests.is_empty() {
            wrong.push(format!("done, and no test shows it: {row}"));
        }
        let is_path = |text: &&str| text.contains('/') && !text.contains([' ', ':']);
        for path in quoted(places).filter(is_path) {
            if !(project.exists)(path) {
                wrong.push(format!("no file {path}: {row}"));
            }
        }
        let named: Vec<&str> = quoted(tests).collect();
        let written: Vec<String> = named.iter().map(|name| format!("`{name}`")).collect();
        if tests != written.join(", ") {
            wrong.push(format!("more than tests in the cell of tests: {row}: {tests}"));
        }
        for name in named {
            match name
                .split_once("::")
                .map(|(file, test)| (project.tests.get(file), test))
            {
                Some((Some(tests), test)) if tests.contains(test) => {}
                Some((Some(_), _)) => wrong.push(format!("no such test: {name}: {row}")),
                _ => wrong.push(format!("no such file: {name}: {row}")),
            }
        }
    }
    for (rfc, ..) in RFCS.iter().filter(|(rfc, ..)| !with_rows.contains(rfc)) {
        wrong.push(format!("no row: RFC {rfc}"));
    }
    for (rfc, section) in unmet.symmetric_difference(&listed) {
        wrong.push(format!(
            "not met in a row or in the list, and not in both: RFC {rfc} section {section}"
        ));
    }
    wrong
}

#[test]
fn every_row_says_what_becomes_of_a_duty_and_names_tests_that_exist() -> Result<(), Box<dyn std::error::Error>> {
    let page = std::fs::read_to_string(root().join("docs").join("conformance.md"))?;
    assert_eq!(wrong(&page, &Project::read()?), Vec::<String>::new());
    Ok(())
}

/// A page with every RFC, and one more row.
fn page_with(list: &str, row: &str) -> String {
    let rfcs = RFCS.iter().map(|(rfc, ..)| {
        let row = if *rfc == "6749" { row } else { "" };
        format!("\n## RFC {rfc}, a name\n\n| section | duty | status | where | test |\n|---|---|---|---|---|\n| 1 | a duty | done | | `tests/x.rs::a_name` |\n{row}\n")
    });
    format!("# A page\n\n{list}\n{}", rfcs.collect::<String>())
}

fn sample() -> Project {
    let source = "#[test] fn a_name() {} mod inner { #[tokio::test] async fn an_inner_name() {} } fn no_test() {}";
    let mut tests = Tests::default();
    if let Ok(file) = syn::parse_file(source) {
        tests.visit_file(&file);
    }
    Project {
        tests: BTreeMap::from([("tests/x.rs".to_owned(), tests.0)]),
        exists: |path| Path::new(path) == Path::new("src/x.rs"),
    }
}

#[test]
fn a_wrong_row_is_told() {
    const RIGHT: &str = "| 4.1.2 | a duty | done | `src/x.rs` | `tests/x.rs::a_name`, `tests/x.rs::an_inner_name` |";
    const UNMET: &str = "| 4.1.2 | a duty | not done, because nobody does it | | |";
    const LISTED: &str = "- RFC 6749 section 4.1.2: a duty";
    let told = |list: &str, row: &str| wrong(&page_with(list, row), &sample());
    for (list, row) in [
        ("", ""),
        ("", RIGHT),
        (LISTED, UNMET),
        ("", "| 10.16 | a duty | done by choice of the application | | |"),
        ("", "| 11 | a duty | does not apply, because nobody does it | | |"),
    ] {
        assert_eq!(told(list, row), Vec::<String>::new(), "{row}");
    }
    for (list, row, what) in [
        ("", RIGHT.replace("a_name`", "another_name`"), "no such test"),
        ("", RIGHT.replace("a_name`", "no_test`"), "no such test"),
        (
            "",
            RIGHT.replace("tests/x.rs::a_name", "tests/y.rs::a_name"),
            "no such file",
        ),
        ("", RIGHT.replace("tests/x.rs::a_name", "a_name"), "no such file"),
        ("", RIGHT.replace("src/x.rs", "src/y.rs"), "no file"),
        ("", RIGHT.replace("`tests/x.rs::a_name`,", "see"), "more than tests"),
        (
            "",
            RIGHT.replace("`tests/x.rs::a_name`", "tests/x.rs::a_name"),
            "more than tests",
        ),
        ("", RIGHT.replace("done", "nearly done"), "no such status"),
        ("", RIGHT.replace("done", ""), "no such status"),
        ("", RIGHT.replace("done", "done by choice"), "no such status"),
        ("", RIGHT.replace("done", "does not apply"), "no such status"),
        ("", RIGHT.replace("done", "does not apply, because "), "no such status"),
        ("", RIGHT.replace("a duty", ""), "no duty"),
        ("", RIGHT.replace("done | ", ""), "not five cells"),
        (
            "",
            "| 4.1.2 | a duty | done | `src/x.rs` | |".to_owned(),
            "no test shows it",
        ),
        ("", UNMET.to_owned(), "not in both"),
        (LISTED, RIGHT.to_owned(), "not in both"),
        ("- RFC 6749 section 4.9: a duty", String::new(), "no such section"),
    ] {
        let told = told(list, &row);
        assert!(told.len() == 1 && told[0].contains(what), "{what}: {row}: {told:?}");
    }
    for section in [
        "4.1.5",
        "4.6",
        "13",
        "0",
        "4.1.2.2",
        "4.0",
        "04",
        "4.",
        "4.1.",
        "IV",
        "",
        "4.1.2 and 6",
    ] {
        let told = told("", &RIGHT.replace("4.1.2", section));
        assert!(
            told.len() == 1 && told[0].contains("no such section"),
            "{section}: {told:?}"
        );
    }
    for (rfc, ..) in RFCS {
        let without = page_with("", "").replace(&format!("RFC {rfc},"), "RFC 1,");
        let told = wrong(&without, &sample());
        assert!(told.contains(&format!("no row: RFC {rfc}")), "{told:?}");
    }
}
