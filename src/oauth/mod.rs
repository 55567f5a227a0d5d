//! The thin layer over the `oauth2` crate: profiles, one function per request, callbacks.
//!
//! Most users meet this module through [`App`](crate::App).
//!
//! What the RFCs ask of a client, and what becomes of it here, is in
//! [docs/conformance.md](https://github.com/finrail/finrail/blob/main/docs/conformance.md).

mod callback;
mod client_authentication;
mod client_secret_source;
mod client_secrets;
mod error;
mod exchange;
mod existing;
mod issuer;
mod one_use;
mod pending;
mod profile;
mod redacted;
mod redirect_uri;
mod reply;
mod reply_error;
mod reply_fields;
mod reply_form;
mod requested_scope;
mod sending;
mod server;
mod token_text;
pub mod wire;

#[cfg(any(test, finrail_fuzzing))]
pub(crate) use callback::ExpectedIssuer;
pub use callback::callback_state;
pub(crate) use callback::read_callback;
pub(crate) use client_authentication::{basic, plain_basic};
pub use client_secret_source::{ClientSecretError, ClientSecretSource, ClientSecrets};
pub(crate) use client_secrets::{KeptSecrets, SecretSettings};
pub use error::{Error, Refusal, ServerError};
pub use existing::ExistingTokens;
pub(crate) use issuer::GrantIssuer;
pub(crate) use one_use::{Authorizations, Seen};
pub use pending::{Authorization, Pending};
pub use profile::{
    ClientAuthentication, ClientAuthentications, ExtraField, Pkce, Profile, RedirectUriRules, RefreshFacts, Revocation,
    ScopeSentOn, ScopeTemplate, TokenBody,
};
pub(crate) use redirect_uri::check_redirect_uri;
pub(crate) use reply::granted;
#[cfg(any(test, finrail_fuzzing))]
pub(crate) use reply::{Asked, RawReply, Spends};
pub use requested_scope::RequestedScope;
pub(crate) use requested_scope::{AskedScope, Purpose, resolve};
pub use server::AuthorizationServer;
pub(crate) use server::{Endpoints, Settings};
