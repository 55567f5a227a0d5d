//! The conformance suite: cases as data, run against the five clients and a generated sixth. The matrix of what ran stands in
//! `docs/conformance-matrix.md` and in the README; `FINRAIL_WRITE_MATRIX=1` writes it, otherwise it is compared.
//!
//! `FINRAIL_CASE` runs those cases alone whose ids contain it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

// First, for its macro.
#[macro_use]
#[path = "../connected/mod.rs"]
mod connected;
mod banks;
mod case;
#[path = "../logged/mod.rs"]
mod logged;
mod matrix;
#[path = "../recorder/mod.rs"]
mod recorder;
#[path = "../../src/http/refusing_server.rs"]
mod refusing_server;
mod run;
mod server;

use std::path::{Path, PathBuf};

use banks::BANKS;
use case::{Case, Subject};
use matrix::Row;

fn subjects() -> Vec<(PathBuf, Subject)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conformance");
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
        .collect();
    files.sort();
    let read = |path: PathBuf| {
        let text = std::fs::read_to_string(&path).unwrap();
        let subject = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        (path, subject)
    };
    files.into_iter().map(read).collect()
}

/// All cases of a file, against all clients.
fn row(subject: String, cases: &[Case], wrong: &mut Vec<String>) -> Row {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let mut held = [0; BANKS.len()];
    for case in cases {
        let mut applied = false;
        for (bank, held) in BANKS.into_iter().zip(&mut held) {
            for kind in case
                .kinds
                .iter()
                .copied()
                .filter(|kind| run::applies(case, bank, *kind))
            {
                applied = true;
                let found = runtime.block_on(run::run(case, bank, kind));
                let is_held = found.is_empty();
                wrong.extend(found.into_iter().map(|what| {
                    let name = bank.name();
                    format!("{subject}, {} ({}), {name}, {kind:?}: {what}", case.id, case.says)
                }));
                *held += usize::from(is_held);
            }
        }
        if !applied {
            wrong.push(format!("{subject}, {}: it is of no client", case.id));
        }
    }
    Row {
        subject,
        cases: cases.len(),
        held,
    }
}

#[test]
fn every_case_holds_for_every_client_that_has_such_a_call_and_the_matrix_says_so() {
    let asked = std::env::var("FINRAIL_CASE").ok();
    let mut ids = std::collections::BTreeSet::new();
    let (mut rows, mut wrong) = (Vec::new(), Vec::new());
    std::thread::scope(|scope| {
        let mut running = Vec::new();
        for (path, subject) in subjects() {
            let name = subject.subject.clone();
            let mut cases = subject.cases();
            assert!(cases.len() > 3, "{}: several cases", path.display());
            for case in &cases {
                assert!(ids.insert(case.id.clone()), "{}: {} twice", path.display(), case.id);
            }
            cases.retain(|case| asked.as_ref().is_none_or(|asked| case.id.contains(asked.as_str())));
            running.push(scope.spawn(move || {
                let mut wrong = Vec::new();
                (row(name, &cases, &mut wrong), wrong)
            }));
        }
        for thread in running {
            let (row, found) = thread.join().unwrap();
            rows.push(row);
            wrong.extend(found);
        }
    });
    assert!(
        wrong.is_empty(),
        "{} things are wrong:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    if asked.is_none() {
        matrix::write_or_compare(&rows);
    }
}
