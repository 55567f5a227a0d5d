//! What tells secrets apart without being one.

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::value::Secret;

/// Tells two secrets apart without being one: 64 bits of a hash.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fingerprint(u64);

impl Fingerprint {
    /// Of a secret.
    #[must_use]
    pub fn of(secret: &Secret) -> Self {
        let digest = Sha256::new()
            .chain_update(b"finrail fingerprint 1")
            .chain_update(secret.expose_secret().as_bytes())
            .finalize();
        let mut head = [0; 8];
        head.copy_from_slice(&digest[..8]);
        Self(u64::from_be_bytes(head))
    }
}

impl std::fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl Serialize for Fingerprint {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{:016x}", self.0))
    }
}

impl<'de> Deserialize<'de> for Fingerprint {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        u64::from_str_radix(&text, 16)
            .map(Self)
            // What the parser says of a number is less than this.
            .map_err(|_| serde::de::Error::custom("not a fingerprint"))
    }
}
