//! A token by the grant itself: client credentials, which have no refresh token.

use std::sync::Arc;

use super::lease::release;
use super::send::{first, send};
use super::write::store;
use crate::token::live::Inner;
use crate::token::live::snapshot::Snapshot;
use crate::token::record::Versioned;
use crate::token::store::Lease;
use crate::token::{Error, IssuerError, Obtain, Record, StoreError, Verdict};

/// Asks with the grant itself. Nothing can be lost here: no intent, and a store that fails costs a request only.
pub(crate) async fn anew(inner: &Arc<Inner>, seen: Option<Versioned>, lease: Lease) -> Result<Arc<Snapshot>, Error> {
    let sent_at = inner.now();
    let outcome = send(inner, Obtain::Anew).await;
    inner.note_verdict(outcome.as_ref().err().map(|error| error.verdict));
    let reply = match outcome {
        Ok(reply) => reply,
        Err(error) => {
            release(inner, lease).await;
            return Err(anew_error(error));
        }
    };
    let tokens = match seen.as_ref().and_then(|seen| seen.record.tokens.as_ref()) {
        Some(tokens) => tokens.next(reply, sent_at.wall),
        None => first(inner, reply, sent_at),
    };
    let record = Record::alive(inner.key().clone(), tokens);
    let seen = seen.map(|seen| seen.revision);
    let stored = store(inner, seen, record.clone(), lease.fence).await;
    release(inner, lease).await;
    Ok(inner.publish(match stored {
        Ok(Ok(stored)) => stored,
        _ => {
            tracing::warn!(key = %inner.key(), "a token that can be fetched anew was not stored");
            Versioned {
                // Not ahead of the store: what it takes next is newer.
                revision: inner.revision().max(seen.unwrap_or(0)),
                record,
            }
        }
    }))
}

/// Client credentials work without their store: siblings then fetch for themselves.
pub(crate) async fn without_store(inner: &Arc<Inner>, error: StoreError) -> Result<Arc<Snapshot>, Error> {
    tracing::warn!(key = %inner.key(), %error, "fetching a token without the token store");
    let sent_at = inner.now();
    let outcome = send(inner, Obtain::Anew).await;
    inner.note_verdict(outcome.as_ref().err().map(|error| error.verdict));
    let mut tokens = first(inner, outcome.map_err(anew_error)?, sent_at);
    tokens.generation = inner.generation() + 1;
    Ok(inner.publish(Versioned {
        // Not a revision ahead of the store: what it takes when it is back is newer.
        revision: inner.revision(),
        record: Record::alive(inner.key().clone(), tokens),
    }))
}

/// `invalid_grant` to client credentials is about the client: there is no user to ask.
fn anew_error(error: IssuerError) -> Error {
    match error.verdict {
        Verdict::Dead => Error::ClientMisconfigured { source: error.source },
        Verdict::InDoubt => Error::Transient {
            retry_after: None,
            source: error.source,
        },
        _ => error.into(),
    }
}
