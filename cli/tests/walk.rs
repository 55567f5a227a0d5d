//! The commands of `codegen/README.md`, from its beginning to its end, as they stand there.
#![cfg(feature = "sandbox")]
#![allow(clippy::unwrap_used, clippy::panic)]

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

const PAGE: &str = include_str!("../../codegen/README.md");
const FINRAIL: &str = env!("CARGO_BIN_EXE_finrail");

/// The lines of every block of commands.
fn commands() -> Vec<&'static str> {
    let mut inside = false;
    let mut found = Vec::new();
    for line in PAGE.lines() {
        match line {
            "```sh" => inside = true,
            "```" => inside = false,
            line if inside => found.push(line),
            _ => {}
        }
    }
    found
}

/// Ends with the test.
struct Playing(Child);

impl Drop for Playing {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn the_commands_of_the_page_do_what_it_says() {
    let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("walk-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&root);
    std::fs::create_dir_all(&root).unwrap();
    std::fs::write(root.join("bank-openapi.yaml"), include_str!("fixtures/harbour.yaml")).unwrap();
    let mut here: PathBuf = root.clone();
    let mut playing = None;
    let mut origin = String::new();
    let mut ran = Vec::new();
    for line in commands() {
        let mut words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            // The tool is built, and what it makes is built where the packaged crates are.
            ["cargo", "install" | "test", ..] => continue,
            ["cd", folder] => {
                here = here.join(folder);
                continue;
            }
            ["finrail", ..] => {}
            _ => panic!("`{line}` is no command of this page"),
        }
        words.remove(0);
        if let Some(at) = words.iter().position(|word| *word == "--finrail") {
            // The checkout that this is.
            words[at + 1] = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
        }
        ran.push(words[0]);
        if words[0] == "sandbox" {
            // Any port, so that tests do not meet.
            let mut child = Command::new(FINRAIL)
                .args(["sandbox", "--port", "0"])
                .current_dir(&here)
                .stdout(Stdio::piped())
                .spawn()
                .unwrap();
            let mut told = String::new();
            let mut out = BufReader::new(child.stdout.take().unwrap());
            out.read_line(&mut told).unwrap();
            let at = told
                .split_whitespace()
                .find(|word| word.starts_with("http://"))
                .unwrap();
            origin = at.trim_end_matches(',').to_owned();
            // Its output is read as long as it plays.
            playing = Some((Playing(child), out));
            continue;
        }
        let mut command = Command::new(FINRAIL);
        command.args(&words).current_dir(&here);
        if words[0] == "control" {
            assert!(playing.is_some(), "{line}");
            command.args(["--at", &origin]);
        }
        let done = command.output().unwrap();
        let said = String::from_utf8_lossy(&done.stdout);
        assert!(
            done.status.success(),
            "{line}: {said}{}",
            String::from_utf8_lossy(&done.stderr)
        );
    }
    drop(playing);
    for command in ["new", "import", "check", "regen", "sandbox", "control", "drift"] {
        assert!(ran.contains(&command), "the page does not run `finrail {command}`");
    }
    std::fs::remove_dir_all(&root).unwrap();
}
