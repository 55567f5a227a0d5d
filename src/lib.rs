#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

// Generated code names the crate from outside, so that it is the same here and in a user's crate.
#[allow(unused_extern_crates)] // without a provider there is no generated code
extern crate self as finrail;

mod app;
#[cfg(any(test, finrail_fuzzing))]
pub mod fuzzing;
mod http;
#[cfg(feature = "mock")]
pub mod mock;
pub mod oauth;
mod providers;
#[doc(hidden)]
pub mod rt;
#[cfg(feature = "sandbox")]
pub mod sandbox;
pub mod token;
pub mod transport;
mod value;

/// What a [raw call](TypedClient::raw) begins with: the method of HTTP.
pub use ::http::Method;
pub use app::{
    AnyError, App, AppBuilder, ClientBuilder, ClientKind, Connection, Credentials, Doubt, DoubtError, Environment,
    Erased, Erasure, Evidence, Found, GrantState, Grants, Hosts, KeepAlive, KeptAlive, ListedGrant, Provider,
    TypedClient, grant,
};
pub use http::{ConfigError, HttpClientError, TlsError};
#[allow(unused_imports)] // without a provider feature there is none
pub use providers::*;
pub use transport::{Error, FilePart};

/// No scopes: what [`App::authorize`], [`App::password`] and the like take where the provider has none, or where what it
/// grants by default is meant.
///
/// ```
/// # #[cfg(feature = "omnifund")] {
/// use finrail::{NO_SCOPES, omnifund};
///
/// fn begin(app: &omnifund::App) -> Result<finrail::oauth::Authorization, finrail::oauth::Error> {
///     app.authorize(NO_SCOPES)
/// }
/// # }
/// ```
pub const NO_SCOPES: [&str; 0] = [];

/// What the methods of this crate's traits answer with, for whoever implements one: `async { .. }.boxed()` or
/// `Box::pin(async { .. })`.
#[doc(no_inline)]
pub use futures_util::future::BoxFuture;
pub use value::{Decimal, ExactNumber, Json, JsonMap, ScopeError, ScopeSet, Secret, Timestamp, UnknownKind, canary};
