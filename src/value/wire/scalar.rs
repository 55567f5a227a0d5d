//! A single value as text, whatever form it came in.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

/// The text of a scalar: a string without its quotes, anything else as it stands.
pub(crate) enum Scalar {
    Null,
    Text(String),
    Bare(String),
}

pub(crate) fn scalar<'de, D: Deserializer<'de>>(deserializer: D, expected: &str) -> Result<Scalar, D::Error> {
    let raw = Box::<RawValue>::deserialize(deserializer)?;
    let text = raw.get();
    match text.as_bytes().first() {
        // What serde says may quote the text.
        Some(b'"') => serde_json::from_str(text)
            .map(Scalar::Text)
            .map_err(|_| D::Error::custom(format!("expected {expected}"))),
        Some(b'n') => Ok(Scalar::Null),
        Some(b'{' | b'[') | None => Err(D::Error::custom(format!("expected {expected}"))),
        Some(_) => Ok(Scalar::Bare(text.to_owned())),
    }
}
