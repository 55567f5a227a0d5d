//! Files and addresses that a caller names.

use std::io;
use std::path::{Path, PathBuf};

/// Whether a place is an address.
#[must_use]
pub fn is_address(place: &str) -> bool {
    place.starts_with("http://") || place.starts_with("https://")
}

/// A file as the caller names it, or relative to the root.
pub(crate) fn found(root: &Path, place: &str) -> PathBuf {
    let path = Path::new(place);
    if path.exists() {
        path.to_owned()
    } else {
        root.join(path)
    }
}

/// What is at a path, which may be relative to the root, or at an address.
///
/// Only here is the network used, and only when an address is given. `curl` fetches: it knows the
/// proxies and certificates of the machine, and nothing of this project has to.
///
/// # Errors
///
/// When it cannot be read or fetched.
pub fn fetch(root: &Path, place: &str) -> io::Result<Vec<u8>> {
    if !is_address(place) {
        return std::fs::read(found(root, place))
            .map_err(|error| io::Error::new(error.kind(), format!("{place}: {error}")));
    }
    let fetched = std::process::Command::new("curl")
        .args([
            "--fail",
            "--silent",
            "--show-error",
            "--location",
            "--connect-timeout",
            "10",
            "--max-time",
            "30",
            "--max-filesize",
            "33554432",
        ])
        .args(["--", place])
        .output()
        .map_err(|error| io::Error::other(format!("{place}: curl: {error}; save it to a file and give the file")))?;
    if fetched.status.success() {
        return Ok(fetched.stdout);
    }
    let why = String::from_utf8_lossy(&fetched.stderr).trim().to_owned();
    Err(io::Error::other(format!(
        "{place}: {why}; save it to a file and give the file"
    )))
}
