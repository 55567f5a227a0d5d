//! A string that never prints itself.

use std::fmt;

use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

/// A secret: a token, a client secret, an authorization code, a verifier.
///
/// `Debug` shows `[REDACTED]`, the memory is overwritten when the value goes
/// away, and only [`expose_secret`](Self::expose_secret) gives the text. Serialising writes the text itself, because that is how a secret gets
/// onto the wire and into a token store.
///
/// ```
/// use finrail::Secret;
///
/// let secret = Secret::from("s3cr3t");
/// assert_eq!(format!("{secret:?}"), "[REDACTED]");
/// assert_eq!(secret.expose_secret(), "s3cr3t");
/// ```
///
/// There is no `Display`: a header made with `{secret}` would be sent with `[REDACTED]` in it, and so would one that is
/// made with `{secret:?}`, which compiles. What is to be sent is made with [`expose_secret`](Self::expose_secret).
///
/// ```compile_fail,E0277
/// let secret = finrail::Secret::from("s3cr3t");
/// let header = format!("Bearer {secret}");
/// ```
#[derive(Clone)]
pub struct Secret(SecretString);

impl Secret {
    /// Wraps a text.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        // A text with room to spare would be moved when it loses that, and stay where it was.
        Self::from(Zeroizing::new(text.into()).as_str())
    }

    /// The text itself. Do not log it.
    #[must_use]
    pub fn expose_secret(&self) -> &str {
        self.0.expose_secret()
    }

    /// Whether the text is empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.expose_secret().is_empty()
    }

    /// Whether there is nothing in it that anybody could see.
    pub(crate) fn is_blank(&self) -> bool {
        self.expose_secret().chars().all(|c| c.is_whitespace() || is_unseen(c))
    }
}

/// Whether a character is one that nobody sees: a control character, or one that only says how a text is set.
pub(crate) fn is_unseen(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[REDACTED]")
    }
}

/// Compares in a time that depends on the lengths only.
impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        let (a, b) = (self.expose_secret().as_bytes(), other.expose_secret().as_bytes());
        a.ct_eq(b).into()
    }
}

impl Eq for Secret {}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self::new(text)
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self(SecretString::from(Box::<str>::from(text)))
    }
}

impl From<&Secret> for Secret {
    fn from(secret: &Secret) -> Self {
        secret.clone()
    }
}

impl std::str::FromStr for Secret {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self::from(text))
    }
}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.expose_secret())
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::new)
    }
}
