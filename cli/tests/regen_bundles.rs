//! What a bundle is.

mod support;

use finrail_cli::shell::{Outcome, Shell};
use finrail_cli::workspace::Workspace;
use serde_json::Value;
use support::{Project, TINY};

#[test]
fn the_bundles_of_this_project_are_fresh() {
    let workspace = Workspace::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."), "cargo xtask");
    let options = finrail_cli::regen::Options {
        check: true,
        ..finrail_cli::regen::Options::default()
    };
    let (outcome, text) = support::speak(|shell: &mut Shell<'_>| finrail_cli::regen::run(&workspace, &options, shell));
    assert_eq!(outcome, Outcome::Fresh, "{text}");
}

#[test]
fn references_are_resolved_except_to_schemas() {
    let project = Project::new("resolved");
    project.regen(false);
    let text = project.read("specs/bundled/tiny.json");
    let bundle: Value = serde_json::from_str(&text).unwrap_or_default();
    assert!(text.ends_with("}\n"));
    let get = |pointer: &str| bundle.pointer(pointer).cloned().unwrap_or_default();
    assert_eq!(get("/paths/~1accounts/get/parameters/0/name"), "cursor");
    assert_eq!(get("/paths/~1accounts/get/responses/4XX/description"), "Refused.");
    assert_eq!(get("/paths/~1accounts~1{accountId}/get/parameters/0/name"), "accountId");
    assert_eq!(get("/paths/~1accounts~1{accountId}/parameters"), Value::Null);
    let sections: Vec<String> = get("/components")
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, _)| name.clone())
        .collect();
    assert_eq!(sections, ["securitySchemes", "schemas"]);
    for reference in text.lines().filter(|line| line.contains("\"$ref\"")) {
        assert!(reference.contains("#/components/schemas/"), "{reference}");
    }
    // Only the shared schemas that are used come in.
    assert_eq!(get("/components/schemas/TokenResponse/required/0"), "access_token");
    assert_eq!(get("/components/schemas/RevocationRequest"), Value::Null);
}

#[test]
fn the_order_of_keys_in_the_source_does_not_matter() {
    let project = Project::new("order");
    project.regen(false);
    let before = project.read("specs/bundled/tiny.json");
    let reordered = TINY.replacen(
        "      summary: Read an account\n      description: One account.\n",
        "      description: One account.\n      summary: Read an account\n",
        1,
    );
    assert_ne!(reordered, TINY);
    project.write("specs/tiny.yaml", &reordered);
    project.regen(false);
    assert_eq!(project.read("specs/bundled/tiny.json"), before);
}

#[test]
fn a_bundle_without_specification_goes() {
    let project = Project::new("orphan");
    project.regen(false);
    project.write("specs/bundled/gone.json", "{}\n");
    let (outcome, text) = project.regen(true);
    assert_eq!(outcome, Outcome::Stale, "{text}");
    assert!(text.contains("specs/bundled/gone.json"), "{text}");
    project.regen(false);
    assert_eq!(project.regen(true).0, Outcome::Fresh);
}
