//! A token by the grant itself: client credentials, which have no refresh token.

use super::lease::while_renewed;
use super::write::{Written, write_last};
use crate::token::live::{Live, Outcome};
use crate::token::record::Versioned;
use crate::token::store::{Damage, Lease, Older};
use crate::token::{AuditAction, Error, IssuerError, Obtain, Record, SendPermit, StoreError, TokenReply, Verdict};
use crate::value::with_causes;

/// Asks with the grant itself. Nothing can be lost here: no intent, and a store that fails costs a request only.
pub(super) async fn anew(live: &Live, seen: Option<Versioned>, lease: Lease) -> Outcome {
    let (revision, record) = seen.map(|seen| (seen.revision, seen.record)).unzip();
    anew_over(live, revision, None, record, lease).await
}

/// The same over a record that is refused as older than one that was seen. It is numbered after that one.
pub(super) async fn anew_over_older(live: &Live, older: &Older, lease: Lease) -> Outcome {
    anew_over(live, Some(older.stored.revision), Some(older.newest), None, lease).await
}

/// The same over a record that is damaged: there is nothing in it that does not come anew.
pub(super) async fn anew_over_damage(live: &Live, damage: &Damage, lease: Lease) -> Outcome {
    if let Err(error) = live.store.keep_aside(damage).await {
        live.store.release(lease).await;
        return without_store(live, error).await;
    }
    let shown = anew_over(live, damage.revision, None, None, lease).await?;
    live.audit(shown.generation().unwrap_or_default(), AuditAction::DamagedRecord);
    Ok(shown)
}

/// `seen`: the revision that is gone over. `newest`: one that was seen and is not stored any more.
async fn anew_over(
    live: &Live,
    seen: Option<u64>,
    newest: Option<u64>,
    before: Option<Record>,
    lease: Lease,
) -> Outcome {
    let sent_at = live.now();
    let reply = match while_renewed(&live.store, &lease, &SendPermit::always(), ask(live)).await {
        Ok(reply) => reply,
        Err(error) => {
            live.store.release(lease).await;
            return Err(error);
        }
    };
    let mut tokens = match before.as_ref().and_then(|before| before.tokens.as_ref()) {
        Some(tokens) => tokens.next(reply, sent_at.wall),
        None => live.grant.first_tokens(reply, sent_at),
    };
    if newest.is_some() {
        tokens.generation = live.held.generation() + 1;
    }
    let record = live.grant.alive(tokens);
    let next = live.successor(newest.or(seen), record.clone());
    let written = write_last(live, seen, next, &lease).await;
    let (fetched, stored) = match written {
        Ok(Written::Done(stored)) => (stored, true),
        refused => {
            live.store.release(lease).await;
            let error = refused.err().map(|error| with_causes(&error).to_string());
            tracing::warn!(key = %live.grant.named(), error, "a token that can be fetched anew was not stored");
            let fetched = Versioned {
                // Not ahead of the store: what it takes next is newer.
                revision: live.held.revision().max(seen.unwrap_or(0)),
                record,
            };
            (fetched, false)
        }
    };
    let generation = fetched.record.generation();
    let shown = live.publish(fetched);
    live.audit(generation, AuditAction::Obtained { stored });
    Ok(shown)
}

/// Client credentials work without their store: siblings then fetch for themselves.
pub(super) async fn without_store(live: &Live, error: StoreError) -> Outcome {
    tracing::warn!(key = %live.grant.named(), error = %with_causes(&error), "fetching a token without the token store");
    let sent_at = live.now();
    let reply = ask(live).await?;
    let mut tokens = live.grant.first_tokens(reply, sent_at);
    tokens.generation = live.held.generation() + 1;
    let generation = tokens.generation;
    let shown = live.publish(Versioned {
        // Not a revision ahead of the store: what it takes when it is back is newer.
        revision: live.held.revision(),
        record: live.grant.alive(tokens),
    });
    live.audit(generation, AuditAction::Obtained { stored: false });
    Ok(shown)
}

/// There is nothing to keep of a reply without an access token that can be used: the next request brings the same.
async fn ask(live: &Live) -> Result<TokenReply, Error> {
    let reply = live.obtain(Obtain::Anew).await.map_err(about_the_client)?;
    match &reply.unusable {
        Some(source) => Err(Error::UnusableToken { source: source.clone() }),
        None => Ok(reply),
    }
}

/// `invalid_grant` to client credentials is about the client: there is no user to ask.
fn about_the_client(error: IssuerError) -> Error {
    match error.verdict {
        Verdict::Dead => Error::ClientMisconfigured { source: error.source },
        Verdict::InDoubt => Error::Transient {
            retry_after: None,
            source: error.source,
        },
        _ => error.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("no")]
    struct No;

    #[test]
    fn a_refusal_of_client_credentials_sends_nobody_to_a_login_and_a_doubt_is_no_loss() {
        let told = |verdict| about_the_client(IssuerError::new(verdict, No));
        assert!(matches!(told(Verdict::Dead), Error::ClientMisconfigured { .. }));
        assert!(matches!(
            told(Verdict::InDoubt),
            Error::Transient { retry_after: None, .. }
        ));
        assert!(matches!(
            told(Verdict::ClientMisconfigured),
            Error::ClientMisconfigured { .. }
        ));
        assert!(matches!(told(Verdict::RequestRejected), Error::RequestRejected { .. }));
        let retry_after = Some(std::time::Duration::from_secs(7));
        assert!(matches!(
            told(Verdict::Throttled { retry_after }),
            Error::Throttled { retry_after: told, .. } if told == retry_after
        ));
    }
}
