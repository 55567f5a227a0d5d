//! What `cargo xtask regen` says, word for word.

mod support;

use finrail_cli::shell::Outcome;
use support::Project;

#[test]
fn a_new_bundle_is_written_and_then_fresh() {
    let project = Project::new("written");
    let (outcome, written) = project.regen(false);
    assert_eq!(outcome, Outcome::Fresh, "{written}");
    let (outcome, fresh) = project.regen(true);
    assert_eq!(outcome, Outcome::Fresh, "{fresh}");
    insta::assert_snapshot!(format!("{written}---\n{fresh}"));
}

#[test]
fn an_edited_word_is_stale_with_a_diff_and_the_command() {
    let project = Project::new("edited");
    project.regen(false);
    project.edit(
        "specs/tiny.yaml",
        "The accounts of the user.",
        "The accounts of the customer.",
    );
    let before = project.read("specs/bundled/tiny.json");
    let (outcome, text) = project.regen(true);
    assert_eq!(outcome, Outcome::Stale);
    assert_eq!(outcome.code(), 4);
    assert_eq!(project.read("specs/bundled/tiny.json"), before, "--check wrote");
    insta::assert_snapshot!(text);
    assert_eq!(project.regen(false).0, Outcome::Fresh);
    assert_eq!(project.regen(true).0, Outcome::Fresh);
}

#[test]
fn all_problems_are_told_at_once() {
    let project = Project::new("problems");
    project.edit("specs/tiny.yaml", "summary: List accounts", "summary: List accounts.");
    project.edit("specs/tiny.yaml", "oauth: [accounts]", "oauth: [account]");
    project.edit("specs/tiny.yaml", "balance: 12.5", "balance: much");
    project.edit("specs/tiny.yaml", "x-browser: true", "x-browsers: true");
    let (outcome, text) = project.regen(true);
    assert_eq!(outcome, Outcome::Failure);
    assert_eq!(outcome.code(), 100);
    insta::assert_snapshot!(text);
}

#[test]
fn a_yaml_error_names_file_line_and_column() {
    let project = Project::new("yaml");
    project.edit("specs/tiny.yaml", "tags: [Accounts]", "tags: [Accounts");
    let (outcome, text) = project.regen(true);
    assert_eq!(outcome, Outcome::Failure);
    insta::assert_snapshot!(text);
}

#[test]
fn an_unknown_provider_is_named() {
    let project = Project::new("unknown");
    let (outcome, text) = project.regen_with(&finrail_cli::regen::Options {
        providers: vec!["nobody".to_owned()],
        ..finrail_cli::regen::Options::default()
    });
    assert_eq!(outcome, Outcome::Failure);
    assert!(text.contains("nobody"), "{text}");
}
