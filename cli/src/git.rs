//! The base of comparison, from version control.

use std::path::Path;
use std::process::Command;

use crate::workspace::Workspace;

/// The revision that a change is measured against: the one given, the last release, or `HEAD`.
///
/// A revision that nobody gave and that has no specifications is no base: the workspace is new, or lies in somebody
/// else's repository.
#[must_use]
pub fn base(workspace: &Workspace, given: Option<&str>) -> Option<String> {
    if let Some(revision) = given {
        return Some(revision.to_owned());
    }
    let base = git(workspace, &["describe", "--tags", "--abbrev=0", "--match", "v[0-9]*"])
        .or_else(|| git(workspace, &["rev-parse", "--short", "HEAD"]).map(|_| "HEAD".to_owned()))?;
    git(workspace, &["ls-tree", "--name-only", &base, "specs/"]).map(|_| base)
}

/// Whether a revision exists.
#[must_use]
pub fn knows(workspace: &Workspace, revision: &str) -> bool {
    git(
        workspace,
        &["rev-parse", "--verify", "--quiet", &format!("{revision}^{{commit}}")],
    )
    .is_some()
}

/// A file as it was.
#[must_use]
pub fn show(workspace: &Workspace, revision: &str, path: &Path) -> Option<String> {
    let output = Command::new("git")
        .args(["show", &format!("{revision}:./{}", path.display())])
        .current_dir(workspace.root())
        .output()
        .ok()?;
    output
        .status
        .success()
        .then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The names in a folder as it was.
#[must_use]
pub fn list(workspace: &Workspace, revision: &str, folder: &Path) -> Vec<String> {
    let folder = format!("{}/", folder.display());
    let listed = git(workspace, &["ls-tree", "--name-only", revision, &folder]).unwrap_or_default();
    listed
        .lines()
        .filter_map(|path| path.rsplit('/').next())
        .map(str::to_owned)
        .collect()
}

fn git(workspace: &Workspace, arguments: &[&str]) -> Option<String> {
    let output = Command::new("git")
        .args(arguments)
        .current_dir(workspace.root())
        .output()
        .ok()?;
    let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    (output.status.success() && !text.is_empty()).then_some(text)
}
