//! What `.ci/mutants` examines, and what it says when it could not: tried with a cargo that only pretends.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn script() -> String {
    fs::read_to_string(workspace().join(".ci/mutants")).unwrap()
}

/// Files of the stores in which no mutant is made.
const LEFT_OUT: [(&str, &str); 3] = [
    ("src/token/store/contract.rs", "it is a test itself"),
    ("src/token/store/postgres.rs", "its tests need a server"),
    ("src/token/store/redis.rs", "its tests need a server"),
];

#[test]
fn what_a_group_names_is_there_and_every_file_of_the_stores_is_named() {
    let script = script();
    let groups = script.split("\nfiles[").skip(1);
    let lists = groups.map(|group| group.split('"').nth(1).unwrap());
    let mut named = BTreeSet::new();
    for pattern in lists.flat_map(str::split_whitespace) {
        let pattern = pattern.trim_start_matches('?');
        let found = files(pattern);
        assert!(!found.is_empty(), "there is no {pattern}");
        named.extend(found);
    }
    assert!(named.len() > 40, "{named:?}");
    for (file, why) in LEFT_OUT {
        assert!(workspace().join(file).is_file(), "there is no {file} any more");
        assert!(named.insert(file.to_owned()), "{file} is named, though {why}");
    }
    let mut all = files("src/token/store/*.rs");
    for folder in ["file", "postgres", "redis"] {
        all.extend(files(&format!("src/token/store/{folder}/*.rs")));
    }
    let unnamed: Vec<_> = all.iter().filter(|file| !named.contains(*file)).collect();
    assert_eq!(unnamed, Vec::<&String>::new(), "name them in a group of .ci/mutants");
}

/// The files that a path stands for, which may end in `*.rs`.
fn files(pattern: &str) -> Vec<String> {
    let (folder, name) = pattern.rsplit_once('/').unwrap();
    let entries = fs::read_dir(workspace().join(folder)).into_iter().flatten();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names
        .filter(|found| found == name || name == "*.rs" && found.ends_with(".rs"))
        .map(|found| format!("{folder}/{found}"))
        .collect()
}

/// Answers `cargo mutants` from the files beside it.
const CARGO: &str = r#"#!/usr/bin/env bash
here=$(dirname "$0")
case "$1 ${2:-}" in
    "mutants --version") cat "$here/version" ;;
    "mutants --list")
        [ -f "$here/list" ] || { echo "no list" >&2; exit 1; }
        case " $* " in *" --in-diff "*) cat "$here/touched" ;; *) cat "$here/list" ;; esac ;;
    "mutants --in-place")
        while [ "$1" != --output ]; do shift; done
        mkdir -p "$2/mutants.out"
        case " $* " in *" --in-diff "*) part=change ;; *) part=rest ;; esac
        for outcome in caught missed timeout unviable; do
            if [ -f "$here/$part-$outcome" ]; then cp "$here/$part-$outcome" "$2/mutants.out/$outcome.txt"; fi
        done
        exit "$(cat "$here/$part-code")" ;;
esac
"#;

/// What a pretended cargo has, beside a list of two mutants.
#[derive(Clone, Copy, Default)]
struct Case {
    /// How many mutants the change touches.
    touched: usize,
    /// What becomes of them, and the code with which that ends.
    change: (&'static str, i32),
    rest: (&'static str, i32),
    no_list: bool,
    /// Where the mutants are; empty: in a file that is clean.
    file: &'static str,
}

/// A file of the group `rules` that is not clean in these runs.
const MARKED: &str = "src/oauth/one_use.rs";

/// Runs the script in a project of its own: whether it succeeds, and what it says.
fn run(name: &str, case: Case, arguments: &[&str]) -> (bool, String) {
    let home = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("mutants-{name}"));
    let _ = fs::remove_dir_all(&home);
    let (project, bin) = (home.join("project"), home.join("bin"));
    for folder in [&project.join(".ci"), &project.join("src"), &bin] {
        fs::create_dir_all(folder).unwrap();
    }
    let executable = |path: &Path, text: &str| {
        fs::write(path, text).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    };
    // One that is marked here, whichever are marked in the project.
    let marked = script().replace(&format!(" {MARKED}"), &format!(" ?{MARKED}"));
    executable(&project.join(".ci/mutants"), &marked);
    executable(
        &project.join(".ci/seed"),
        &fs::read_to_string(workspace().join(".ci/seed")).unwrap(),
    );
    fs::write(project.join("Cargo.toml"), "[package]\n").unwrap();
    fs::write(project.join("src/lib.rs"), "").unwrap();
    fs::write(project.join(".gitignore"), "target\n").unwrap();
    for arguments in [&["init", "-q"][..], &["add", "-A"], &["commit", "-qm", "Begin"]] {
        let identity = ["-c", "user.name=a", "-c", "user.email=a@example.com"];
        let done = Command::new("git")
            .args(identity)
            .args(arguments)
            .current_dir(&project)
            .status();
        assert!(done.unwrap().success());
    }

    let version = script()
        .lines()
        .find_map(|line| line.strip_prefix("version=").map(str::to_owned))
        .unwrap();
    executable(&bin.join("cargo"), CARGO);
    fs::write(bin.join("version"), format!("cargo-mutants {version}\n")).unwrap();
    let file = if case.file.is_empty() { "src/lib.rs" } else { case.file };
    let mutants = |n: usize| format!("{file}:1:1: replace f with ()\n").repeat(n);
    if !case.no_list {
        fs::write(bin.join("list"), mutants(2)).unwrap();
    }
    fs::write(bin.join("touched"), mutants(case.touched)).unwrap();
    for (part, (outcome, code)) in [("change", case.change), ("rest", case.rest)] {
        fs::write(bin.join(format!("{part}-code")), code.to_string()).unwrap();
        if !outcome.is_empty() {
            fs::write(bin.join(format!("{part}-{outcome}")), mutants(1)).unwrap();
        }
    }

    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
    let mut command = Command::new("bash");
    command
        .arg(project.join(".ci/mutants"))
        .args(arguments)
        .env("PATH", path);
    for name in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"] {
        command.env_remove(name);
    }
    let done = command.output().unwrap();
    let said = String::from_utf8_lossy(&done.stdout).into_owned() + &String::from_utf8_lossy(&done.stderr);
    (done.status.success(), said)
}

/// How `timeout` ends what takes too long.
const TOO_LATE: i32 = 124;

#[test]
fn a_run_that_finished_nothing_does_not_say_that_all_is_well() {
    let bounded = &["--minutes", "1", "rules"][..];
    let none = Case {
        rest: ("", TOO_LATE),
        ..Case::default()
    };
    let caught = Case {
        rest: ("caught", 0),
        ..Case::default()
    };
    let touches = |change, case: Case| Case {
        touched: 2,
        change,
        ..case
    };
    let no_list = Case { no_list: true, ..none };
    for (name, case, arguments, succeeds, says) in [
        (
            "change-late",
            touches(("", TOO_LATE), none),
            bounded,
            false,
            "no mutant of the change was finished",
        ),
        // That others were finished says nothing of the change.
        (
            "rest-alone",
            touches(("", TOO_LATE), caught),
            bounded,
            false,
            "no mutant of the change was finished",
        ),
        (
            "some",
            touches(("caught", TOO_LATE), none),
            bounded,
            true,
            "of 2 mutants of what the change touches, 1 are finished",
        ),
        (
            "killed",
            Case {
                rest: ("caught", 137),
                ..Case::default()
            },
            &["rules"],
            false,
            "was killed",
        ),
        ("missed", touches(("missed", 2), none), bounded, false, "these live"),
        (
            "missed-where-it-is-not-clean-yet",
            Case {
                file: MARKED,
                ..touches(("missed", 2), none)
            },
            bounded,
            true,
            "1 live, all of them in files that are not clean yet",
        ),
        (
            "missed-there-in-a-whole-run",
            Case {
                file: MARKED,
                rest: ("missed", 2),
                ..Case::default()
            },
            &["rules"],
            false,
            "these live",
        ),
        (
            "not-compiling",
            touches(("unviable", 0), none),
            bounded,
            true,
            "1 more do not compile",
        ),
        ("elsewhere", caught, bounded, true, "the change touches no mutant"),
        ("elsewhere-late", none, bounded, true, "no other mutant was finished"),
        ("unlisted", no_list, bounded, false, "cannot be listed"),
        ("whole-late", none, &["rules"], false, "no mutant was finished"),
        // Such as a filter that fits nothing.
        (
            "whole-none",
            Case::default(),
            &["rules", "--re", "nothing"],
            false,
            "no mutant was finished",
        ),
        ("whole", caught, &["rules"], true, "1 mutants, and none lives"),
    ] {
        let (success, said) = run(name, case, arguments);
        assert_eq!(success, succeeds, "{name}: {said}");
        assert!(said.contains(says), "{name}: {said}");
        let is_well = said.contains("none lives");
        let is_unknown = ["elsewhere-late", "missed-where-it-is-not-clean-yet"].contains(&name);
        assert!(is_well == (succeeds && !is_unknown), "{name}: {said}");
    }
}
