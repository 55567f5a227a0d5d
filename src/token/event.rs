//! What happens to a grant, for those who want to know.

use chrono::{DateTime, Utc};

use super::ReauthorizationReason;

/// Something that happened to a grant. No event holds a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// There are new tokens.
    Refreshed {
        /// Of the new tokens.
        generation: u64,
    },
    /// Only the user can give a new grant. The access token at hand may still serve until it ends.
    ReauthorizationRequired {
        /// Why.
        reason: ReauthorizationReason,
    },
    /// The refresh token or the consent ends soon.
    ExpiresSoon {
        /// Which of them.
        what: Expiring,
        /// When.
        at: DateTime<Utc>,
    },
    /// A refresh was sent and its reply was lost.
    InDoubt {
        /// Of the tokens whose refresh it was.
        generation: u64,
    },
    /// New tokens could not be stored. They are kept in memory, they serve, and the write is tried again.
    StoreTrouble {
        /// What the store said.
        error: String,
    },
    /// Tokens that could not be stored are stored now.
    StoreRecovered {
        /// Of the stored tokens.
        generation: u64,
    },
    /// This watcher was too slow: so many events are gone.
    Missed(u64),
}

/// What ends soon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Expiring {
    /// The refresh token: use the connection before, and it is renewed.
    RefreshToken,
    /// The consent: ask the user for a new one before.
    Consent,
}
