//! The token lifecycle: what we hold, when it changes, who may change it.
//!
//! [`TokenHandle`] is the front door. Behind it, `machine` decides and
//! `transaction` acts; [`store`] keeps grants across restarts and processes.

mod attempt;
mod builder;
mod clock;
mod error;
mod event;
mod explain;
mod grant;
mod handle;
mod issuer;
mod key;
mod live;
mod machine;
mod record;
mod registry;
mod rotation;
#[cfg(test)]
mod scenarios;
mod set;
pub mod store;
mod transaction;
mod watch;

pub use builder::TokenHandleBuilder;
pub use clock::{Clock, ManualClock, SystemClock};
pub use error::{Error, ReauthorizationReason};
pub use event::{Event, Expiring};
pub use explain::Explanation;
pub use handle::TokenHandle;
pub use issuer::{Issuer, IssuerError, Obtain, RevokedToken, TokenReply, Verdict};
pub use key::{GrantKind, TokenKey};
pub use machine::Freshness;
pub use record::{DecodeError, Fingerprint, Intent, Record, Tombstone};
pub(crate) use registry::Handles;
pub use rotation::{Renewal, Rotation};
pub use set::{TokenInfo, TokenSet};
pub use store::{MemoryStore, StoreError, TokenStore};
pub use watch::Events;
