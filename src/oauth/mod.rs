//! The thin layer over the `oauth2` crate: profiles, one function per request, callbacks.
//!
//! Most users meet this module through [`App`](crate::App).

mod callback;
mod client_authentication;
mod content_encoding;
mod error;
mod exchange;
mod issuer;
mod pending;
mod profile;
mod reply;
mod reply_fields;
mod requested_scope;
mod server;
pub mod wire;

pub(crate) use callback::{check_redirect_uri, read_callback};
pub(crate) use client_authentication::{basic, plain_basic};
pub use error::{Error, Refusal, ServerError};
pub(crate) use issuer::GrantIssuer;
pub use pending::{Authorization, Pending};
pub use profile::{
    ClientAuthentication, ClientAuthentications, ExtraField, Profile, RedirectUriRules, RefreshFacts, Revocation,
    ScopeSentOn, ScopeTemplate, TokenBody,
};
#[cfg(any(test, fuzzing))]
pub(crate) use reply::{Asked, RawReply};
pub use requested_scope::RequestedScope;
pub(crate) use requested_scope::{AskedScope, Purpose, resolve};
pub use server::AuthorizationServer;
pub(crate) use server::{Endpoints, Settings};
