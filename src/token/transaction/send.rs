//! One request to the authorization server, with an end to waiting for its reply.

use std::time::Duration;

use crate::token::live::Inner;
use crate::token::machine::Now;
use crate::token::{Error, IssuerError, Obtain, RevokedToken, TokenReply, TokenSet, Verdict};

/// One request, with an end to waiting for its reply.
pub(crate) async fn send(inner: &Inner, obtain: Obtain) -> Result<TokenReply, IssuerError> {
    #[derive(Debug, thiserror::Error)]
    #[error("no reply to the token request within {} s", .0.as_secs())]
    struct Silence(Duration);

    let patience = inner.request_timeout();
    match tokio::time::timeout(patience, inner.issuer().obtain(obtain)).await {
        Ok(outcome) => outcome,
        Err(_) => Err(IssuerError::new(Verdict::InDoubt, Silence(patience))),
    }
}

/// One revocation, with an end to waiting for its reply.
pub(crate) async fn send_revocation(inner: &Inner, token: RevokedToken) -> Result<(), Error> {
    let outcome = match tokio::time::timeout(inner.request_timeout(), inner.issuer().revoke(token)).await {
        Ok(outcome) => outcome,
        Err(late) => Err(IssuerError::new(Verdict::InDoubt, late)),
    };
    match outcome {
        Ok(_) => Ok(()),
        // An unknown token is a revoked token (RFC 7009 section 2.2).
        Err(error) if error.verdict == Verdict::Dead => Ok(()),
        // A lost reply to a revocation is harmless: it is simply sent again.
        Err(error) if error.verdict == Verdict::InDoubt => Err(Error::Transient {
            retry_after: None,
            source: error.source,
        }),
        Err(error) => Err(error.into()),
    }
}

pub(crate) fn first(inner: &Inner, reply: TokenReply, sent_at: Now) -> TokenSet {
    TokenSet::first(reply, &inner.key().scopes, sent_at.wall, inner.rotation())
}

/// The refresh token ends the whole grant, so it goes first (RFC 7009 section 2.1).
pub(crate) fn revoked_token(tokens: &TokenSet) -> RevokedToken {
    match &tokens.refresh_token {
        Some(refresh_token) => RevokedToken::Refresh(refresh_token.clone()),
        None => RevokedToken::Access(tokens.access_token.clone()),
    }
}
