//! The pages that people read are made from the specifications.

mod support;

use finrail_cli::shell::Outcome;
use support::Project;

#[test]
fn a_provider_has_a_page_and_an_outline() {
    let project = Project::new("pages");
    project.regen(false);
    insta::assert_snapshot!("page", project.read("docs/tiny.md"));
    insta::assert_snapshot!("outline", project.read("docs/outline/tiny.txt"));
}

#[test]
fn the_table_of_the_readme_is_kept_fresh() {
    let project = Project::new("table");
    let readme = "# Tiny\n\n<!-- providers:begin -->\nold\n<!-- providers:end -->\n\nText that stays.\n";
    project.write("README.md", readme);
    assert_eq!(project.regen(true).0, Outcome::Stale);
    project.regen(false);
    let text = project.read("README.md");
    insta::assert_snapshot!("readme", text);
    project.edit("README.md", "authorization code", "password");
    assert_eq!(project.regen(true).0, Outcome::Stale);
}

#[test]
fn a_readme_without_the_markers_is_left_alone() {
    let project = Project::new("no-markers");
    project.write("README.md", "# Tiny\n");
    project.regen(false);
    assert_eq!(project.read("README.md"), "# Tiny\n");
    assert_eq!(project.regen(true).0, Outcome::Fresh);
}

#[test]
fn the_table_has_one_order_whoever_asks() {
    let project = Project::new("order");
    let second = support::TINY
        .replace("id: tiny", "id: small")
        .replace("name: Tiny Bank", "name: Small Bank");
    project.write("specs/small.yaml", &second);
    project.write("README.md", "<!-- providers:begin -->\n<!-- providers:end -->\n");
    project.regen(false);
    let readme = project.read("README.md");
    for providers in [["tiny", "small"].as_slice(), &["tiny", "small", "tiny"]] {
        let (outcome, said) = project.regen_with(&finrail_cli::regen::Options {
            providers: providers.iter().map(|name| (*name).to_owned()).collect(),
            ..finrail_cli::regen::Options::default()
        });
        assert_eq!(outcome, Outcome::Fresh, "{said}");
        assert_eq!(project.read("README.md"), readme, "{providers:?}");
        assert!(said.contains("regen of 2 providers"), "{said}");
    }
}
