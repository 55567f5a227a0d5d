//! The token lifecycle: what we hold, when it changes, who may change it.
//!
//! [`TokenHandle`] is the front door. Behind it stands what all its clones share (`live`); `attempt` makes one attempt
//! for all who wait, `transaction` acts, step by step, as `machine` decides; [`store`] keeps grants across restarts and
//! processes.
//!
//! Imports go one way: `handle`, `attempt`, `transaction`, `live`, `machine`, and what these are made of.

mod attempt;
mod audit;
mod builder;
mod clock;
mod error;
mod event;
mod explain;
mod fingerprint;
mod grant;
mod handle;
mod issuer;
mod key;
mod lineage;
mod live;
mod machine;
mod news_of_all;
mod permit;
mod pseudonym;
mod record;
mod registry;
mod rotation;
#[cfg(test)]
mod scenarios;
mod set;
mod source;
pub mod store;
mod transaction;
mod walk;
mod watch;

pub(crate) use audit::AuditSink;
pub use audit::{AuditAction, AuditEvent};
pub use builder::TokenHandleBuilder;
pub use clock::{Clock, ManualClock, SystemClock};
pub(crate) use clock::{Now, after};
pub use error::{EndedBy, Error, ReauthorizationReason};
pub use event::{Event, Expiring};
pub use explain::Explanation;
pub use fingerprint::Fingerprint;
pub use handle::TokenHandle;
pub(crate) use handle::WeakTokenHandle;
pub use issuer::{Issuer, IssuerError, Obtain, RefreshRequest, RevokeRequest, RevokedToken, TokenReply, Verdict};
pub use key::{GrantKind, TokenKey};
pub use lineage::Lineage;
pub use machine::Freshness;
pub(crate) use machine::{consent_ends, is_to_be_renewed};
pub(crate) use news_of_all::NewsOfAll;
pub use permit::SendPermit;
pub use pseudonym::{Pseudonym, PseudonymKey};
pub(crate) use record::{DamagedCopy, Versioned};
pub use record::{DecodeError, Intent, Record, Tombstone};
pub(crate) use registry::Handles;
pub use rotation::{Renewal, Rotation};
pub use set::{TokenInfo, TokenSet};
pub use source::{Bearer, Rejection, TokenSource, UnusableToken};
pub use store::{MemoryStore, StoreError, TokenStore};
pub(crate) use walk::{Walk, read as read_listed};
pub use watch::{AllEvents, Events, GrantEvent};
