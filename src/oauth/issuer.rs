//! One grant at an authorization server, as the token lifecycle knows it.

use futures_util::future::BoxFuture;

use super::server::AuthorizationServer;
use crate::token::{Issuer, IssuerError, Obtain, RevokedToken, TokenReply};
use crate::value::ScopeSet;

/// One grant at an authorization server, for the token lifecycle.
pub(crate) struct GrantIssuer {
    pub server: AuthorizationServer,
    pub scopes: ScopeSet,
}

impl Issuer for GrantIssuer {
    fn obtain(&self, obtain: Obtain) -> BoxFuture<'_, Result<TokenReply, IssuerError>> {
        Box::pin(async move {
            match obtain {
                Obtain::Anew => self.server.client_credentials(&self.scopes).await,
                Obtain::Refresh(token) => self.server.refresh(&token, &self.scopes).await,
            }
            .map_err(IssuerError::from)
        })
    }

    fn revoke(&self, token: RevokedToken) -> BoxFuture<'_, Result<bool, IssuerError>> {
        Box::pin(async move { self.server.revoke(&token).await.map_err(IssuerError::from) })
    }
}
