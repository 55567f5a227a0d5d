//! A user's consent, with the client that acts under it.

use std::fmt;

use super::provider::{Provider, TypedClient};
use crate::http::ConfigError;
use crate::token::{self, TokenHandle, TokenInfo, TokenKey};

/// A user's consent, with the client that acts under it.
///
/// Keep its [`key`](Self::key): with it [`App::connection`](crate::App::connection)
/// finds the connection again after a restart, when the store outlives the process.
pub struct Connection<P: Provider> {
    handle: TokenHandle,
    client: P::Client,
}

impl<P: Provider> Connection<P> {
    pub(crate) fn new(handle: TokenHandle, client: P::Client) -> Self {
        Self { handle, client }
    }

    /// The typed client. It keeps its token fresh by itself.
    #[must_use]
    pub fn client(&self) -> &P::Client {
        &self.client
    }

    /// The same connection, with one header more on every call of its client, such as the id of a tenant. See
    /// [`TypedClient::with_header`].
    ///
    /// # Errors
    ///
    /// When the name or the value has characters that a header cannot carry, or a call has this header by itself.
    pub fn with_header(self, name: &str, value: &str) -> Result<Self, ConfigError> {
        Ok(Self {
            client: self.client.with_header(name, value)?,
            ..self
        })
    }

    /// The typed client, when the connection itself is no longer needed.
    #[must_use]
    pub fn into_client(self) -> P::Client {
        self.client
    }

    /// The key by which the connection is found again. It holds no secret and can be serialised.
    #[must_use]
    pub fn key(&self) -> &TokenKey {
        self.handle.key()
    }

    /// Whose consent it is.
    #[must_use]
    pub fn subject(&self) -> &str {
        &self.handle.key().subject
    }

    /// What is known of the tokens, without the tokens.
    #[must_use]
    pub fn info(&self) -> Option<TokenInfo> {
        self.handle.info()
    }

    /// The fields that the provider's token reply has beyond RFC 6749.
    #[must_use]
    pub fn extra(&self) -> P::Extra {
        P::Extra::from(&self.handle.info().map(|info| info.extra).unwrap_or_default())
    }

    /// The handle of the tokens: to watch it, to ask it what it would do next.
    #[must_use]
    pub fn tokens(&self) -> &TokenHandle {
        &self.handle
    }

    /// Revokes the grant at the provider (RFC 7009) and keeps a tombstone in the store.
    ///
    /// Other processes that share the store learn of it within the time that
    /// [`look_again_every`](crate::AppBuilder::look_again_every) says, five minutes by default.
    ///
    /// # Errors
    ///
    /// When the provider did not carry it out: the grant then still lives. When its reply was lost the error is
    /// [`InDoubt`](token::Error::InDoubt), and the next try, in whichever process, takes a token that the provider does not
    /// know for one that is revoked.
    pub async fn revoke(&self) -> Result<(), token::Error>
    where
        P: super::provider::grant::Revocation,
    {
        self.handle.revoke().await
    }

    /// Forgets the grant here. The provider is not told: where it has a revocation endpoint, use [`revoke`](Self::revoke).
    ///
    /// # Errors
    ///
    /// When the store cannot be written.
    pub async fn forget(&self) -> Result<(), token::Error> {
        self.handle.forget().await
    }
}

impl<P: Provider> Clone for Connection<P> {
    fn clone(&self) -> Self {
        Self {
            handle: self.handle.clone(),
            client: self.client.clone(),
        }
    }
}

impl<P: Provider> fmt::Debug for Connection<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("key", self.handle.key())
            .field("kind", &P::Client::KIND)
            .finish_non_exhaustive()
    }
}
