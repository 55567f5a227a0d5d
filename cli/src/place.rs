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

/// Why what came is a page for people, where a document for programs is expected; none: it is no page.
pub(crate) fn web_page(place: &str, bytes: &[u8], what: &str) -> Option<String> {
    let text = String::from_utf8_lossy(bytes);
    let text = text.trim_start_matches('\u{feff}').trim_start();
    // No document begins so, in JSON or in YAML.
    if !text.starts_with('<') {
        return None;
    }
    let links = documents(text);
    let found = match links.as_slice() {
        [] => "look there for a link to it (\"Download\", \"OpenAPI\", \"Swagger\", a name that ends in .json or .yaml), or for the request \
               that fetches it among those which the browser's developer tools list"
            .to_owned(),
        links => format!("it names {}, which may be it", links.join(" and ")),
    };
    Some(format!(
        "{place} is a web page, and not {what}: open it in a browser; {found}. If the page asks you to log in, save the document to a file, \
         and give the file"
    ))
}

/// What a page names that may be the document, three at most: what stands in quotes and ends as one.
fn documents(page: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for part in page.split(['"', '\'']) {
        let is_name = part.len() < 200
            && part
                .bytes()
                .all(|byte| byte.is_ascii_graphic() && !b"<>?{}`".contains(&byte));
        let lower = part.to_ascii_lowercase();
        let is_document = [".json", ".yaml", ".yml", "/api-docs"]
            .iter()
            .any(|end| lower.ends_with(end))
            && ["openapi", "swagger", "api-docs", "spec"]
                .iter()
                .any(|word| lower.contains(word));
        if is_name && is_document && !found.iter().any(|known| known == part) {
            found.push(part.to_owned());
        }
    }
    found.truncate(3);
    found
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

#[cfg(test)]
mod tests {
    use super::web_page;

    #[test]
    fn a_page_is_told_from_a_document_and_says_where_one_may_be() {
        for (page, told) in [
            ("<!DOCTYPE html><html><title>Log in</title></html>", "\"Download\""),
            ("\u{feff}\n <html>", "is a web page, and not the document"),
            ("<?xml version=\"1.0\"?><error>no</error>", "is a web page"),
            (
                "<redoc spec-url='/v1/openapi.yaml'></redoc>",
                "it names /v1/openapi.yaml, which",
            ),
            (
                "<script>urls: [\"/v3/api-docs\", \"swagger.json\", \"manifest.json\", \"openapi.json?key=1\"]</script>",
                "it names /v3/api-docs and swagger.json, which",
            ),
        ] {
            let why = web_page("x", page.as_bytes(), "the document").unwrap_or_default();
            assert!(why.contains(told) && !why.contains("Log in"), "{page}: {why}");
        }
        for document in ["openapi: 3.0.3\n", "{}", "", "- <html>"] {
            assert_eq!(web_page("x", document.as_bytes(), "the document"), None);
        }
    }
}
