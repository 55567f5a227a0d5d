//! A record as a store keeps it: bytes, and which write it is.

use std::fmt;

use zeroize::Zeroizing;

/// A record as a store keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StoredRecord {
    /// Which write it is. The writer chooses it, larger than the one it replaces.
    pub revision: u64,
    /// What was written.
    pub bytes: RecordBytes,
}

impl StoredRecord {
    /// A record.
    #[must_use]
    pub fn new(revision: u64, bytes: impl Into<RecordBytes>) -> Self {
        Self {
            revision,
            bytes: bytes.into(),
        }
    }
}

/// Bytes that hold secrets: `Debug` shows their number only, and they are overwritten when they go away.
#[derive(Clone, PartialEq, Eq)]
pub struct RecordBytes(Zeroizing<Vec<u8>>);

impl From<Vec<u8>> for RecordBytes {
    fn from(bytes: Vec<u8>) -> Self {
        Self(Zeroizing::new(bytes))
    }
}

impl From<&[u8]> for RecordBytes {
    fn from(bytes: &[u8]) -> Self {
        Self(Zeroizing::new(bytes.to_vec()))
    }
}

impl AsRef<[u8]> for RecordBytes {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl std::ops::Deref for RecordBytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for RecordBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[REDACTED; {} bytes]", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bytes_are_those_that_were_given() {
        let bytes = RecordBytes::from(b"record".as_slice());
        assert_eq!((bytes.as_ref(), &*bytes), (&b"record"[..], &b"record"[..]));
    }
}
