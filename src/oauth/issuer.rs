//! One grant at an authorization server, as the token lifecycle knows it.

use futures_util::future::BoxFuture;

use super::server::AuthorizationServer;
use crate::token::{Issuer, IssuerError, Obtain, RevokeRequest, TokenReply};
use crate::value::ScopeSet;

/// One grant at an authorization server, for the token lifecycle.
pub(crate) struct GrantIssuer {
    pub server: AuthorizationServer,
    /// What the application asks for itself; a user's grant has its own.
    pub scopes: ScopeSet,
}

impl Issuer for GrantIssuer {
    fn obtain(&self, obtain: Obtain) -> BoxFuture<'_, Result<TokenReply, IssuerError>> {
        Box::pin(async move {
            match obtain {
                Obtain::Anew => self.server.client_credentials(&self.scopes).await,
                // No more than was granted (RFC 6749 section 6): the user may have taken back some of what was asked for.
                Obtain::Refresh(refresh) => self.server.refresh(&refresh).await,
            }
            .map_err(IssuerError::from)
        })
    }

    fn revoke(&self, request: RevokeRequest) -> BoxFuture<'_, Result<bool, IssuerError>> {
        Box::pin(async move { self.server.revoke(&request).await.map_err(IssuerError::from) })
    }
}
