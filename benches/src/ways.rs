//! The ways to a header that are measured: finrail's, and those of others.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use finrail::token::{
    GrantKind, Issuer, IssuerError, Obtain, Renewal, RevokeRequest, TokenHandle, TokenKey, TokenReply,
};
use futures_util::future::BoxFuture;
use http::HeaderValue;

// ---- finrail ----

/// Gives a token at once, or never.
pub struct Bench {
    pub requests: AtomicUsize,
    hang: bool,
    life: Duration,
}

impl Bench {
    pub fn new(life: Duration, hang: bool) -> Arc<Self> {
        Arc::new(Self {
            requests: AtomicUsize::new(0),
            hang,
            life,
        })
    }

    pub fn reply(&self) -> TokenReply {
        let mut reply = TokenReply::new(TOKEN);
        reply.refresh_token = Some("a-refresh-token-of-some-length-0123456789".into());
        reply.expires_in = Some(self.life);
        reply
    }
}

impl Issuer for Bench {
    fn obtain(&self, _: Obtain) -> BoxFuture<'_, Result<TokenReply, IssuerError>> {
        self.requests.fetch_add(1, Ordering::Relaxed);
        Box::pin(async move {
            if self.hang {
                std::future::pending::<()>().await;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
            Ok(self.reply())
        })
    }

    fn revoke(&self, _: RevokeRequest) -> BoxFuture<'_, Result<bool, IssuerError>> {
        Box::pin(async { Ok(true) })
    }
}

pub const TOKEN: &str = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIG1hZGUgdXAgdG9rZW4gb2Ygc29tZSBsZW5ndGgifQ.0123456789abcdef";

pub fn key(subject: usize) -> TokenKey {
    TokenKey::new("mx", "client-1", GrantKind::AuthorizationCode).subject(format!("customer-{subject}"))
}

pub fn handle(runtime: &tokio::runtime::Runtime, issuer: &Arc<Bench>) -> TokenHandle {
    let handle = TokenHandle::builder(key(0), Arc::clone(issuer) as Arc<dyn Issuer>, Renewal::Refresh).build();
    runtime.block_on(handle.adopt(issuer.reply())).unwrap();
    handle
}

// ---- rivals ----

/// What one writes by hand over the `oauth2` crate.
pub struct HandWritten(pub tokio::sync::Mutex<(oauth2::AccessToken, Instant)>);

impl HandWritten {
    pub async fn header(&self) -> HeaderValue {
        let cached = self.0.lock().await;
        assert!(cached.1 > Instant::now());
        let mut header = HeaderValue::try_from(format!("Bearer {}", cached.0.secret())).unwrap();
        header.set_sensitive(true);
        header
    }
}

/// A source that is asked once; the cache in front of it is what is measured.
pub struct Once;

impl huskarl::cache::TokenSource for Once {
    fn token(
        &self,
    ) -> huskarl::core::platform::MaybeSendBoxFuture<
        '_,
        Result<Arc<huskarl::grant::core::TokenResponse>, huskarl::cache::TokenError>,
    > {
        Box::pin(async {
            let raw: huskarl::grant::core::RawTokenResponse = serde_json::from_value(serde_json::json!({
                "access_token": TOKEN, "token_type": "Bearer", "expires_in": 3600
            }))
            .unwrap();
            Ok(Arc::new(
                raw.into_token_response(None, std::time::SystemTime::now()).unwrap(),
            ))
        })
    }
}

pub async fn yup() -> Arc<yup_oauth2::authenticator::DefaultAuthenticator> {
    let tokens = std::env::temp_dir().join(format!("finrail-bench-yup-{}", std::process::id()));
    // Without an expiry, which spares it looking at the clock.
    let stored = serde_json::json!([{ "scopes": ["a"], "token": {
        "access_token": TOKEN, "refresh_token": null, "expires_at": null, "id_token": null
    }}]);
    std::fs::write(&tokens, stored.to_string()).unwrap();
    let secret = yup_oauth2::authorized_user::AuthorizedUserSecret {
        client_id: "client".to_owned(),
        client_secret: "secret".to_owned(),
        refresh_token: "refresh".to_owned(),
        key_type: "authorized_user".to_owned(),
    };
    let authenticator = yup_oauth2::AuthorizedUserAuthenticator::builder(secret)
        .persist_tokens_to_disk(tokens)
        .build()
        .await
        .unwrap();
    Arc::new(authenticator)
}

/// A token that is near its end, and a server that does not answer.
pub fn refreshing(runtime: &tokio::runtime::Runtime) -> TokenHandle {
    let issuer = Bench::new(Duration::from_secs(100), true);
    let handle = handle(runtime, &issuer);
    let _inside = runtime.enter();
    eprintln!("waiting for a token to come near its end");
    while issuer.requests.load(Ordering::Relaxed) == 0 {
        std::thread::sleep(Duration::from_millis(200));
        handle.header().unwrap();
    }
    handle
}
