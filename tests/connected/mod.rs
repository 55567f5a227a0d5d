//! Applications and users' connections whose provider is the recorder.
//! Of the providers, those that the library is built with.
#![allow(dead_code, unused_imports, unused_macros, clippy::unwrap_used)]

#[cfg(feature = "finexer")]
use finrail::finexer;
#[cfg(feature = "mx")]
use finrail::mx;
#[cfg(feature = "ofx")]
use finrail::ofx;
#[cfg(feature = "omnifund")]
use finrail::omnifund;
#[cfg(feature = "tatrabanka")]
use finrail::tatrabanka;
use finrail::{AppBuilder, Connection, Provider};

use crate::recorder::Recorder;

pub const REDIRECT: &str = "https://app.example.com/callback";
pub const NO_SCOPES: [&str; 0] = [];

pub fn builder<P: Provider>(recorder: &Recorder) -> AppBuilder<P> {
    finrail::App::<P>::builder()
        .base_url(recorder.origin())
        .credentials(finrail::Credentials::new("client", "secret"))
        .redirect_uri(REDIRECT)
}

/// OFX for the application itself; its tokens are `token-1`, `token-2`, ...
#[cfg(feature = "ofx")]
pub fn service(recorder: &Recorder) -> ofx::Client {
    let app = builder::<ofx::Provider>(recorder).build().unwrap();
    app.client_credentials(["payments", "ofxrates"]).unwrap()
}

/// A user's connection, whose code was exchanged at the recorder.
macro_rules! connect {
    ($provider:ident, $app:expr, $scopes:expr) => {{
        let app: $provider::App = $app;
        let pending = app.authorize($scopes).unwrap().pending;
        let callback = format!("{REDIRECT}?code=code-1&state={}", pending.state().expose_secret());
        app.finish(pending, &callback).await.unwrap()
    }};
}

#[cfg(feature = "tatrabanka")]
pub async fn tatra(recorder: &Recorder) -> Connection<tatrabanka::Provider> {
    connect!(tatrabanka, builder(recorder).build().unwrap(), ["PREMIUM_AIS"])
}

#[cfg(feature = "finexer")]
pub async fn finexer(recorder: &Recorder) -> Connection<finexer::Provider> {
    connect!(finexer, builder(recorder).build().unwrap(), NO_SCOPES)
}

#[cfg(feature = "omnifund")]
pub async fn omnifund(recorder: &Recorder) -> Connection<omnifund::Provider> {
    connect!(omnifund, builder(recorder).build().unwrap(), NO_SCOPES)
}

#[cfg(feature = "mx")]
pub async fn mx(recorder: &Recorder) -> Connection<mx::Provider> {
    connect!(
        mx,
        builder(recorder).build().unwrap(),
        ["customers", "accounts", "transactions"]
    )
}

pub fn following() -> reqwest::Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::limited(10))
        .build()
        .unwrap()
}

/// Tokens from elsewhere: one, for ever.
pub struct OneToken;

impl finrail::token::TokenSource for OneToken {
    fn ready(&self) -> Option<finrail::token::Bearer> {
        finrail::token::Bearer::new(&finrail::Secret::from("token-1"), 0).ok()
    }

    fn fresh(&self) -> finrail::BoxFuture<'_, Result<finrail::token::Bearer, finrail::token::Error>> {
        Box::pin(async { Ok(self.ready().unwrap()) })
    }

    fn rejected(
        &self,
        _: u64,
        _: finrail::token::Rejection,
    ) -> finrail::BoxFuture<'_, Result<finrail::token::Bearer, finrail::token::Error>> {
        self.fresh()
    }

    fn granted(&self) -> Option<std::sync::Arc<finrail::ScopeSet>> {
        None
    }
}
