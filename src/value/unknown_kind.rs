//! A kind of thing that this version does not know.

use std::fmt;

use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use super::canary::{self, Unmodelled};

/// A kind of thing that this version does not know: its key, and its JSON as it came.
///
/// `Debug` shows the key only.
#[derive(Clone)]
pub struct UnknownKind {
    kind: String,
    json: Box<RawValue>,
}

impl UnknownKind {
    #[doc(hidden)]
    #[must_use]
    pub fn new(kind: String, json: Box<RawValue>) -> Self {
        canary::note(Unmodelled::Kind, || kind.clone());
        Self { kind, json }
    }

    /// The key that names the kind; empty when there was no key at all.
    #[must_use]
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// The JSON as it came, digit for digit.
    #[must_use]
    pub fn json(&self) -> &RawValue {
        &self.json
    }

    /// Reads the JSON as a type of your own.
    ///
    /// # Errors
    ///
    /// When it does not fit the type.
    pub fn parse<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        serde_json::from_str(self.json.get())
    }
}

impl Default for UnknownKind {
    fn default() -> Self {
        Self {
            kind: String::new(),
            json: RawValue::NULL.to_owned(),
        }
    }
}

impl fmt::Debug for UnknownKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UnknownKind")
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}
