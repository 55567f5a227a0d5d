//! The tokens that a login replaced: ended at the provider, where the application chose so.

use std::sync::Arc;

use crate::token::live::Live;
use crate::token::{AuditAction, Record, RevokeRequest, RevokedToken, TokenSet};
use crate::value::with_causes;

/// What is to be revoked once a login is stored. Empty unless the application chose so.
#[derive(Default)]
pub(super) struct Replaced {
    tokens: Vec<RevokedToken>,
    /// Of the youngest of them.
    generation: u64,
}

impl Replaced {
    /// The tokens of the stored record, which `login` goes over.
    pub fn record(&mut self, live: &Live, record: Option<&Record>, login: &TokenSet) {
        let Some((record, tokens)) = record.and_then(|record| Some((record, record.tokens.as_ref()?))) else {
            return;
        };
        self.tokens(live, tokens, login);
        // The refresh token may be spent, and then its revocation ends nothing.
        if record.intent.is_some() && self.takes(live, tokens, login) && !tokens.access_token.is_empty() {
            self.add(RevokedToken::Access(tokens.access_token.clone()));
        }
    }

    /// The tokens that this process holds of a record that was lost or damaged.
    pub fn held(&mut self, live: &Live, login: &TokenSet) {
        let held = live.held.snapshot();
        if let Some(tokens) = held.as_ref().and_then(|held| held.living()) {
            self.tokens(live, tokens, login);
        }
    }

    /// Tokens that wait to be stored, and will not be.
    pub fn unstored(&mut self, live: &Live, login: &TokenSet) {
        if let Some(tokens) = live.held.unstored.tokens() {
            self.tokens(live, &tokens, login);
        }
    }

    fn tokens(&mut self, live: &Live, tokens: &TokenSet, login: &TokenSet) {
        if self.takes(live, tokens, login) {
            self.add(tokens.to_revoke());
            self.generation = self.generation.max(tokens.generation);
        }
    }

    /// Not where the provider gave the same tokens again: it goes on with the grant that there was.
    fn takes(&self, live: &Live, tokens: &TokenSet, login: &TokenSet) -> bool {
        live.grant.revoke_replaced && !tokens.has_a_token_of(login)
    }

    fn add(&mut self, token: RevokedToken) {
        if !self.tokens.iter().any(|known| known.secret() == token.secret()) {
            self.tokens.push(token);
        }
    }

    /// Now that the login is stored. Nobody waits for it but [`settled`](crate::token::TokenHandle::settled): a provider
    /// that does not answer keeps no user from coming in.
    pub fn revoke_beside(&mut self, live: &Arc<Live>) {
        let Self { tokens, generation } = std::mem::take(self);
        if tokens.is_empty() {
            return;
        }
        let under_way = live.under_way();
        tokio::spawn(async move {
            let live = under_way.live();
            let mut all_revoked = true;
            for token in tokens {
                match live.server.revoke(RevokeRequest::new(token)).await {
                    Ok(revoked) => all_revoked &= revoked,
                    Err(not) => {
                        all_revoked = false;
                        tracing::warn!(
                            key = %live.grant.named(), error = %with_causes(&not.error),
                            "the tokens that a login replaced could not be revoked and live until they end"
                        );
                    }
                }
            }
            let action = match all_revoked {
                true => AuditAction::ReplacedTokensRevoked,
                false => AuditAction::ReplacedTokensNotRevoked,
            };
            live.audit(generation, action);
        });
    }
}
