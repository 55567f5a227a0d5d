//! What a change of a specification means for users of the crate.

mod support;

use std::process::Command;

use finrail_cli::regen::Options;
use finrail_cli::shell::Outcome;
use support::{Project, TINY};

fn git(project: &Project, arguments: &[&str]) {
    let status = Command::new("git")
        .args([
            "-c",
            "user.name=test",
            "-c",
            "user.email=test@example.com",
            "-c",
            "commit.gpgsign=false",
        ])
        .args(arguments)
        .current_dir(project.root())
        .output();
    assert!(status.is_ok_and(|output| output.status.success()), "git {arguments:?}");
}

fn committed(test: &str) -> Project {
    let project = Project::new(test);
    project.regen(false);
    git(&project, &["init", "--quiet"]);
    git(&project, &["add", "."]);
    git(&project, &["commit", "--quiet", "--message", "first"]);
    project
}

/// Effect, what stands in the specification, what stands there instead, what the report names.
const CHANGES: &[(&str, &str, &str, &str)] = &[
    (
        "Docs-only",
        "The accounts of the user.",
        "The accounts of the customer.",
        "",
    ),
    (
        "Docs-only",
        "limit\n          in: query\n          required: false\n          description: How",
        "limit\n          in: query\n          required: false\n          description: About how",
        "",
    ),
    (
        "Additive",
        "        balance:\n          type",
        "        name:\n          type: string\n          description: A name.\n        balance:\n          type",
        "types::Account.name",
    ),
    (
        "Additive",
        "enum: [current, savings]",
        "enum: [current, savings, loan]",
        "types::AccountKind::Loan",
    ),
    (
        "Additive",
        "            offline: A refresh token.\n",
        "            offline: A refresh token.\n            cards: Cards.\n",
        "Scope::Cards",
    ),
    (
        "Additive",
        "lifetime: 2592000",
        "lifetime: 1209600",
        "every name stayed",
    ),
    (
        "Breaking",
        "        balance:\n          type: number\n          format: decimal\n          description: The balance, in major units.\n",
        "",
        "types::Account.balance is gone",
    ),
    (
        "Breaking",
        "      required: [id]\n",
        "",
        "types::Account.id was `id: String`, is `id: Option<String>`",
    ),
    (
        "Breaking",
        "enum: [current, savings]",
        "enum: [current]",
        "types::AccountKind::Savings is gone",
    ),
    (
        "Breaking",
        "operationId: get_account",
        "operationId: read_account",
        "Client::get_account is gone",
    ),
    (
        "Breaking",
        "limit\n          in: query\n          required: false",
        "limit\n          in: query\n          required: true",
        "builder::ListAccounts::limit",
    ),
    (
        "Breaking",
        "required: [text]\n      properties:\n",
        "required: [text, colour]\n      properties:\n        colour:\n          type: string\n          description: A colour.\n",
        "types::NewLabel.colour is new and needed",
    ),
    (
        "Breaking",
        "            offline: A refresh token.\n",
        "",
        "Scope::Offline is gone",
    ),
];

#[test]
fn each_change_has_its_class() {
    let project = committed("classes");
    let mut wrong = Vec::new();
    for (effect, from, to, named) in CHANGES {
        assert!(TINY.contains(from), "the fixture has no {from:?}");
        let mut text = TINY.replacen(from, to, 1);
        if *named == "types::Account.balance is gone" {
            text = text
                .replace("                    balance: 12.5\n", "")
                .replace("                balance: 12.5\n", "");
        }
        if named.contains("colour") {
            text = text.replace("text: holiday", "text: holiday\n              colour: red");
        }
        project.write("specs/tiny.yaml", &text);
        let (outcome, said) = project.regen(true);
        let expected = if *effect == "Breaking" {
            Outcome::Failure
        } else {
            Outcome::Stale
        };
        let told = said.contains(&format!("{effect:>12} tiny: ")) && said.contains(" since HEAD: the next version");
        if outcome != expected || !told || !said.contains(named) {
            wrong.push(format!("{effect}: {from:?} -> {to:?}\n{said}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_removed_reply_field_needs_a_decision_and_names_the_operation() {
    let project = committed("removed");
    project.edit(
        "specs/tiny.yaml",
        "        id:\n          type: string\n          description: The account's id.\n",
        "",
    );
    project.edit("specs/tiny.yaml", "      required: [id]\n", "");
    let (outcome, said) = project.regen(true);
    assert_eq!(outcome.code(), 100, "{said}");
    let report: Vec<&str> = said.lines().skip_while(|line| !line.contains("Breaking")).collect();
    insta::assert_snapshot!(report.join("\n"));
    assert_eq!(project.regen(false).0, Outcome::Fresh);
    assert_eq!(project.regen(true).0.code(), 0);
}

#[test]
fn the_base_is_the_last_release_unless_another_is_given() {
    let project = committed("base");
    git(&project, &["tag", "v0.1.0"]);
    project.edit(
        "specs/tiny.yaml",
        "enum: [current, savings]",
        "enum: [current, savings, loan]",
    );
    project.regen(false);
    git(&project, &["commit", "--quiet", "--all", "--message", "second"]);
    let (outcome, said) = project.regen(true);
    assert_eq!(outcome, Outcome::Fresh);
    assert!(said.contains("additive since v0.1.0"), "{said}");
    let (_, said) = project.regen_with(&Options {
        check: true,
        base: Some("HEAD".to_owned()),
        ..Options::default()
    });
    assert!(!said.contains("since"), "{said}");
}

#[test]
fn a_bundle_of_the_base_that_cannot_be_read_says_why() {
    let project = committed("base-unreadable");
    project.write("specs/bundled/tiny.json", "{ not JSON");
    git(&project, &["commit", "--quiet", "--all", "--message", "second"]);
    let (_, said) = project.regen(false);
    assert!(said.contains("its bundle at HEAD is not readable: "), "{said}");
    assert!(said.contains("line 1 column 3"), "{said}");
}

#[test]
fn a_base_that_does_not_exist_is_an_error() {
    let project = committed("base-typo");
    let options = Options {
        check: true,
        base: Some("v9".to_owned()),
        ..Options::default()
    };
    let mut text = Vec::new();
    let run = finrail_cli::regen::run(
        &project.workspace(),
        &options,
        &mut finrail_cli::shell::Shell::new(&mut text, false),
    );
    assert!(run.is_err_and(|error| error.to_string().contains("there is no revision v9")));
}

#[test]
fn a_provider_that_is_gone_breaks_its_users_and_leaves_nothing_behind() {
    let project = committed("gone");
    project.write("docs/notes.md", "# Notes that somebody wrote\n");
    assert!(std::fs::remove_file(project.root().join("specs/tiny.yaml")).is_ok());
    let (outcome, said) = project.regen(true);
    assert_eq!(outcome, Outcome::Stale, "{said}");
    assert!(said.contains("docs/tiny.md: its specification is gone"), "{said}");
    let (_, said) = project.regen(false);
    assert!(said.contains("Breaking tiny: gone since HEAD"), "{said}");
    assert!(said.contains("the next version is a minor one"), "{said}");
    for made in ["docs/tiny.md", "docs/outline/tiny.txt", "specs/bundled/tiny.json"] {
        assert!(!project.root().join(made).exists(), "{made}");
    }
    assert!(project.root().join("docs/notes.md").exists());
}
