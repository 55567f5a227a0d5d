//! Where a document is from, and how it was when it came.

use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// The record of an import.
pub(super) const RECORD: &str = "imported.json";

/// Where a document is from, and how it was when it came.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// Its address, or the name that its file had.
    pub from: String,
    /// The day on which it came, `YYYY-MM-DD`.
    pub taken: String,
    /// SHA-256 of its bytes, in hexadecimal.
    pub sha256: String,
}

impl Record {
    pub(super) fn of(place: &str, bytes: &[u8], today: &str) -> Self {
        let from = match crate::place::is_address(place) {
            // What stands behind a question mark may be a key.
            true => place.split(['?', '#']).next().unwrap_or_default().to_owned(),
            false => Path::new(place)
                .file_name()
                .map(|name| name.to_string_lossy().into_owned())
                .unwrap_or_default(),
        };
        Self {
            from,
            taken: today.to_owned(),
            sha256: digest(bytes),
        }
    }

    /// The text of its file.
    pub(super) fn text(&self) -> io::Result<String> {
        Ok(serde_json::to_string_pretty(self)? + "\n")
    }

    /// Reads it; none where an import left none.
    pub(crate) fn read(folder: &Path) -> io::Result<Option<Self>> {
        match std::fs::read_to_string(folder.join(RECORD)) {
            Ok(text) => Ok(Some(serde_json::from_str(&text).map_err(|error| {
                io::Error::other(format!("{}: {error}", folder.join(RECORD).display()))
            })?)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Whether these are the bytes that came.
    pub(super) fn fits(&self, bytes: &[u8]) -> bool {
        self.sha256 == digest(bytes)
    }
}

fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}
