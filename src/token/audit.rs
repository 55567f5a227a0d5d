//! What was done to grants, for those who have to account for it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::{ReauthorizationReason, TokenKey};

/// Something that this process did to a grant, or found out about it from the authorization server.
///
/// The application sets one sink for them: [`AppBuilder::audit`](crate::AppBuilder::audit), or
/// [`TokenHandleBuilder::audit`](super::TokenHandleBuilder::audit) for a handle of its own. Each event is told once, by the
/// process that did it: when the store has what it writes, or at once with `stored: false` where the store did not take new
/// tokens. A process that learns from the store what another one did tells nothing, so that the logs of all processes
/// together are the history of a grant; [`id`](Self::id) puts them together.
///
/// No event holds a token, a code or a secret, in any of its forms. It names whose grant it is in
/// [`key`](Self::key), and that is left out of the events of an erasure. Earlier events of the grant have its name: find them
/// by their [`id`](Self::id) where a person is to be erased from the log too.
///
/// Not told are calls, requests that changed nothing (a 503 from the token endpoint, a change that the store refused before
/// anything was sent), an access token that ended where there is no refresh token, and ends that come near:
/// [`TokenHandle::watch`](super::TokenHandle::watch) has the last. An event is lost with a process that is killed before it
/// tells it, and so is the end of a grant that was written and that the store never confirmed.
///
/// As JSON the action's name is in `action` and its fields stand beside it. JSON lines for a log:
///
/// ```
/// use std::sync::Arc;
///
/// use finrail::token::{AuditAction, AuditEvent, GrantKind, Issuer, Renewal, TokenHandle, TokenKey};
///
/// fn handle(key: TokenKey, issuer: Arc<dyn Issuer>, log: std::sync::mpsc::Sender<String>) -> TokenHandle {
///     TokenHandle::builder(key, issuer, Renewal::Refresh)
///         .audit(move |event: &AuditEvent| {
///             if let AuditAction::Ended { reason, .. } = &event.action {
///                 eprintln!("{} is lost: {reason}", event.id);
///             }
///             if let Ok(line) = serde_json::to_string(event) {
///                 let _ = log.send(line); // another thread writes the file
///             }
///         })
///         .build()
/// }
/// ```
///
/// ```json
/// {"at":"2026-01-01T01:00:00Z","id":"mx-..","key":{"provider":"mx","client_id":"client-1","grant":"authorization_code","subject":"customer-42","scopes":["accounts"]},"holder":"4711-..","generation":2,"action":"refreshed","stored":true}
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct AuditEvent {
    /// When it was told, by the application's clock: after what it tells of.
    pub at: DateTime<Utc>,
    /// The [storage id](TokenKey::storage_id) of the grant: the same in all its events, after an erasure too.
    pub id: String,
    /// Whose grant it is. It has no subject, and nothing that scopes are bound to, in the events of an erasure, and in those
    /// of a grant that is over and whose mark in the store does not name the person any more.
    pub key: TokenKey,
    /// Who did it: the name of this process in leases, as [`explain`](super::TokenHandle::explain) and
    /// [`Tombstone::holder`](super::Tombstone::holder) have it. Of [`TombstoneRemoved`](AuditAction::TombstoneRemoved), which
    /// needs no lease, the process id.
    pub holder: String,
    /// Of the tokens that it is about, the new ones where there are new ones. Every login and refresh counts it up.
    pub generation: u64,
    /// What was done.
    #[serde(flatten)]
    pub action: AuditAction,
}

/// What was done to a grant.
///
/// Tokens of a [`Login`](Self::Login) or [`Refreshed`](Self::Refreshed) with `stored: false` serve from memory. What became
/// of them is the next event of the same process: [`Stored`](Self::Stored), [`Superseded`](Self::Superseded), or a login,
/// revocation or erasure that was meant for them too. Without one they ended with the process.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "action", rename_all = "snake_case")]
#[non_exhaustive]
pub enum AuditAction {
    /// The user authorized, and the authorization server gave the first tokens of a grant.
    #[non_exhaustive]
    Login {
        /// A grant under the same key that was not over, as far as this process could see.
        replaced: bool,
        /// The store has the tokens.
        stored: bool,
    },
    /// The tokens of a grant that was made elsewhere were taken over.
    Imported,
    /// A token by the grant itself (client credentials, RFC 6749 section 4.4).
    #[non_exhaustive]
    Obtained {
        /// The store has it. Otherwise this process alone uses it, and it is not stored later.
        stored: bool,
    },
    /// The authorization server gave new tokens for the refresh token (RFC 6749 section 6).
    #[non_exhaustive]
    Refreshed {
        /// The store has them.
        stored: bool,
    },
    /// A refresh was sent and nobody knows what the authorization server did: the reply was lost, or came from a gateway. The
    /// refresh token may be spent.
    RefreshInDoubt,
    /// The reply to a refresh named another account than the grant's. Its tokens were neither stored nor used; the refresh
    /// token may be spent.
    #[non_exhaustive]
    OtherAccount {
        /// The field of the reply that names the account.
        field: String,
    },
    /// Tokens that the store had not taken are stored now. The generation may be a later one than they had in memory.
    Stored,
    /// Tokens that the store had not taken were dropped, because the store has what came after them.
    #[non_exhaustive]
    Superseded {
        /// They were revoked at the provider.
        revoked: bool,
    },
    /// The authorization server refused the refresh token: the grant is lost, and only the user can give another one.
    #[non_exhaustive]
    Ended {
        /// Why, as far as this can be known.
        reason: ReauthorizationReason,
    },
    /// The record in the store was damaged, and was replaced by what the next event says. A copy is kept
    /// ([`TokenKey::damaged_copy`]) where the store could read its bytes.
    DamagedRecord,
    /// The store had lost tokens that it had taken, or the end of the grant, and was given them back.
    PutBack,
    /// The application ended the grant (RFC 7009).
    #[non_exhaustive]
    Revoked {
        /// The provider said that it is done. Otherwise it has no revocation endpoint, and the grant ended here only.
        at_provider: bool,
    },
    /// The application wanted to end the grant, and it is not ended: it has to be asked for again.
    #[non_exhaustive]
    RevocationFailed {
        /// The tokens may be revoked at the provider: its reply was lost, or the store did not take the end.
        in_doubt: bool,
    },
    /// The tokens that a login replaced were revoked at the provider
    /// ([`revoke_replaced`](crate::AppBuilder::revoke_replaced)).
    ReplacedTokensRevoked,
    /// The tokens that a login replaced were to be revoked and were not, or not all of them: they live until they end.
    ReplacedTokensNotRevoked,
    /// The application removed the grant here. At the provider it lives on.
    Forgotten,
    /// The application removed the grant with the name of the person whose it was. Whether it was revoked at the provider
    /// is in an event before this one.
    Erased,
    /// The mark of a grant that is over was removed from the store after its time
    /// ([`tombstones_live`](crate::AppBuilder::tombstones_live)).
    TombstoneRemoved,
}

/// Where audit events go; nowhere by default.
#[derive(Clone, Default)]
pub(crate) struct AuditSink(Option<Arc<Sink>>);

type Sink = dyn Fn(&AuditEvent) + Send + Sync;

impl AuditSink {
    pub fn new(sink: impl Fn(&AuditEvent) + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(sink)))
    }

    /// What is told is made only where somebody listens. A sink that panics changes nothing of what was done.
    pub fn tell(&self, event: impl FnOnce() -> AuditEvent) {
        let Some(sink) = &self.0 else { return };
        let event = event();
        if catch_unwind(AssertUnwindSafe(|| sink(&event))).is_err() {
            tracing::error!(id = event.id, action = ?event.action, "the audit sink panicked, and may not have this event");
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::token::GrantKind;

    #[test]
    fn an_event_is_one_flat_line_of_json() {
        let key = TokenKey::new("mx", "client-1", GrantKind::AuthorizationCode).subject("customer-42");
        let event = |action| AuditEvent {
            at: DateTime::from_timestamp(1_767_225_600, 0).unwrap(),
            id: "mx-1".to_owned(),
            key: key.clone(),
            holder: "a".to_owned(),
            generation: 2,
            action,
        };
        let line = |action| serde_json::to_string(&event(action)).unwrap();
        assert_eq!(
            line(AuditAction::Refreshed { stored: true }),
            r#"{"at":"2026-01-01T00:00:00Z","id":"mx-1","key":{"provider":"mx","client_id":"client-1","grant":"authorization_code","subject":"customer-42","scopes":[]},"holder":"a","generation":2,"action":"refreshed","stored":true}"#
        );
        for (action, end) in [
            (AuditAction::Imported, r#""action":"imported"}"#),
            (
                AuditAction::Ended {
                    reason: ReauthorizationReason::LostReply,
                },
                r#""action":"ended","reason":"lost_reply"}"#,
            ),
        ] {
            assert!(line(action).ends_with(end));
        }
    }
}
