//! The pages that people read are made from the specifications.

mod support;

use support::Project;
use xtask::shell::Outcome;

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
