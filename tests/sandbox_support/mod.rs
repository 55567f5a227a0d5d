//! A plain HTTP client at a provider of the sandbox: it knows nothing of the library's own clients.
#![allow(dead_code, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

pub mod panics;

use finrail::Secret;
use finrail::sandbox::{Sandbox, SandboxClient};
use serde_json::Value;

/// What a provider's own pages say about its token requests, typed once more.
pub struct Rules {
    pub id: &'static str,
    pub authorize: &'static str,
    pub token: &'static str,
    pub revoke: Option<(&'static str, &'static str)>,
    /// HTTP Basic at the code exchange, the refresh and the revocation.
    pub basic: bool,
    pub pkce: bool,
    pub scope_at_authorize: Option<&'static str>,
    pub scope_at_code: Option<&'static str>,
    pub scope_at_refresh: Option<&'static str>,
    pub redirect_at_code: bool,
    pub rotates: bool,
    /// A call that the scope of `scope_at_authorize` opens to a user.
    pub call: &'static str,
}

/// The five providers.
pub const RULES: [Rules; 5] = [
    Rules {
        id: "ofx",
        authorize: "/oauth/authorize",
        token: "/oauth/token",
        revoke: None,
        basic: false,
        pkce: false,
        scope_at_authorize: Some("payments"),
        scope_at_code: Some("payments"),
        scope_at_refresh: Some("payments"),
        redirect_at_code: true,
        rotates: true,
        call: "/payments/beneficiaries",
    },
    Rules {
        id: "mx",
        authorize: "/oauth2/v4/authorize",
        token: "/oauth2/v4/token",
        revoke: Some(("/oauth2/v4/revoke", "token")),
        basic: true,
        pkce: true,
        scope_at_authorize: Some("openid customers accounts transactions"),
        scope_at_code: None,
        scope_at_refresh: None,
        redirect_at_code: true,
        rotates: true,
        call: "/accounts",
    },
    Rules {
        id: "omnifund",
        authorize: "/oauth/v2/auth",
        token: "/oauth/v2/token",
        revoke: None,
        basic: false,
        pkce: false,
        scope_at_authorize: None,
        scope_at_code: None,
        scope_at_refresh: None,
        redirect_at_code: true,
        rotates: true,
        call: "/api/customers",
    },
    Rules {
        id: "tatrabanka",
        authorize: "/auth/oauth/v2/authorize",
        token: "/auth/oauth/v2/token",
        revoke: None,
        basic: true,
        pkce: true,
        scope_at_authorize: Some("PREMIUM_AIS"),
        scope_at_code: Some("PREMIUM_AIS"),
        scope_at_refresh: None,
        redirect_at_code: true,
        rotates: true,
        call: "/v3/accounts",
    },
    Rules {
        id: "finexer",
        authorize: "/oauth/",
        token: "/oauth/token",
        revoke: Some(("/oauth/revoke", "refresh_token")),
        basic: false,
        pkce: false,
        scope_at_authorize: Some("customer_read,customer_write"),
        scope_at_code: None,
        scope_at_refresh: None,
        redirect_at_code: false,
        rotates: false,
        call: "/customers",
    },
];

/// RFC 7636, appendix B.
pub const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// A reply, read.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: reqwest::header::HeaderMap,
    pub text: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|e| panic!("{e}: {} {}", self.status, self.text))
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// `error` of an OAuth reply.
    pub fn error(&self) -> String {
        self.json()["error"].as_str().unwrap_or_default().to_owned()
    }

    pub fn string(&self, name: &str) -> String {
        self.json()[name]
            .as_str()
            .unwrap_or_else(|| panic!("no {name}: {}", self.text))
            .to_owned()
    }
}

/// One provider, and a client that is registered there.
pub struct Peer<'a> {
    pub rules: &'a Rules,
    pub sandbox: &'a Sandbox,
    pub client: SandboxClient,
    pub http: reqwest::Client,
}

pub async fn start() -> Sandbox {
    Sandbox::start().await.unwrap()
}

pub fn rules(id: &str) -> &'static Rules {
    RULES.iter().find(|rules| rules.id == id).unwrap()
}

/// The rules of the providers whose feature is on.
pub fn played(sandbox: &Sandbox) -> impl Iterator<Item = &'static Rules> {
    let ids = sandbox.providers();
    RULES.iter().filter(move |rules| ids.iter().any(|id| id == rules.id))
}

pub fn http() -> reqwest::Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap()
}

pub fn peer<'a>(sandbox: &'a Sandbox, id: &str) -> Peer<'a> {
    Peer {
        rules: rules(id),
        client: sandbox.client(id),
        sandbox,
        http: http(),
    }
}

pub type Fields = Vec<(String, String)>;

pub fn encode(fields: &[(String, String)]) -> String {
    url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(fields)
        .finish()
}

pub fn fields(pairs: &[(&str, &str)]) -> Fields {
    pairs.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect()
}

pub fn set(fields: &mut Fields, name: &str, value: &str) {
    fields.retain(|(n, _)| n != name);
    fields.push((name.to_owned(), value.to_owned()));
}

pub fn unset(fields: &mut Fields, name: &str) {
    fields.retain(|(n, _)| n != name);
}

pub fn of_url(url: &str, name: &str) -> Option<String> {
    let query = url.split_once('?')?.1;
    url::form_urlencoded::parse(query.as_bytes())
        .find(|(n, _)| n == name)
        .map(|(_, v)| v.into_owned())
}

impl Peer<'_> {
    /// The query of a right authorization request.
    pub fn authorization(&self) -> Fields {
        let mut query = fields(&[
            ("client_id", &self.client.client_id),
            ("redirect_uri", &self.client.redirect_uri),
            ("response_type", "code"),
            ("state", "the-state"),
        ]);
        if let Some(scope) = self.rules.scope_at_authorize {
            set(&mut query, "scope", scope);
        }
        if self.rules.pkce {
            set(&mut query, "code_challenge", CHALLENGE);
            set(&mut query, "code_challenge_method", "S256");
        }
        query
    }

    pub fn authorization_url(&self, query: &[(String, String)]) -> String {
        format!(
            "{}{}?{}",
            self.sandbox.oauth_url(self.rules.id),
            self.rules.authorize,
            encode(query)
        )
    }

    /// Where the browser ends after Allow.
    pub async fn allowed(&self, query: &[(String, String)]) -> String {
        self.sandbox
            .approve(&self.authorization_url(query))
            .await
            .unwrap_or_else(|e| panic!("{}: {e}", self.rules.id))
    }

    pub async fn code(&self) -> String {
        let callback = self.allowed(&self.authorization()).await;
        of_url(&callback, "code").unwrap_or_else(|| panic!("{}: no code in {callback}", self.rules.id))
    }

    /// The fields of a right code exchange, without the client's credentials.
    pub fn exchange_fields(&self, code: &str) -> Fields {
        let mut form = fields(&[("grant_type", "authorization_code"), ("code", code)]);
        if self.rules.redirect_at_code {
            set(&mut form, "redirect_uri", &self.client.redirect_uri);
        }
        if self.rules.pkce {
            set(&mut form, "code_verifier", VERIFIER);
        }
        if let Some(scope) = self.rules.scope_at_code {
            set(&mut form, "scope", scope);
        }
        form
    }

    pub fn refresh_fields(&self, refresh_token: &str) -> Fields {
        let mut form = fields(&[("grant_type", "refresh_token"), ("refresh_token", refresh_token)]);
        if let Some(scope) = self.rules.scope_at_refresh {
            set(&mut form, "scope", scope);
        }
        form
    }

    /// Sends a token request with the credentials in the place where this provider wants them.
    pub async fn token(&self, form: &[(String, String)]) -> Answer {
        let body_grant = form.iter().any(|(n, v)| n == "grant_type" && v == "client_credentials");
        self.token_by(form, self.rules.basic && !body_grant).await
    }

    /// Sends a token request with the credentials in the header or in the body.
    pub async fn token_by(&self, form: &[(String, String)], basic: bool) -> Answer {
        self.oauth_by(self.rules.token, form, basic, &self.client.client_secret)
            .await
    }

    pub async fn oauth_by(&self, path: &str, form: &[(String, String)], basic: bool, secret: &Secret) -> Answer {
        let mut form = form.to_vec();
        let mut request = self
            .http
            .post(format!("{}{path}", self.sandbox.oauth_url(self.rules.id)));
        if basic {
            // RFC 6749 section 2.3.1: form encoded first.
            let encoded = |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
            request = request.basic_auth(encoded(&self.client.client_id), Some(encoded(secret.expose_secret())));
        } else {
            set(&mut form, "client_id", &self.client.client_id);
            set(&mut form, "client_secret", secret.expose_secret());
        }
        let request = request
            .header("content-type", "application/x-www-form-urlencoded")
            .body(encode(&form));
        answer(request).await
    }

    /// A code, exchanged.
    pub async fn tokens(&self) -> Answer {
        let code = self.code().await;
        let answer = self.token(&self.exchange_fields(&code)).await;
        assert_eq!(answer.status, 200, "{}: {}", self.rules.id, answer.text);
        answer
    }

    pub async fn refresh(&self, refresh_token: &str) -> Answer {
        self.token(&self.refresh_fields(refresh_token)).await
    }

    pub async fn service_token(&self, scope: &str) -> String {
        let answer = self
            .token(&fields(&[("grant_type", "client_credentials"), ("scope", scope)]))
            .await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.string("access_token")
    }

    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.sandbox.url(self.rules.id))
    }

    pub async fn get(&self, path: &str, token: &str) -> Answer {
        answer(self.http.get(self.url(path)).bearer_auth(token)).await
    }

    pub async fn get_url(&self, url: &str, token: &str) -> Answer {
        answer(self.http.get(url).bearer_auth(token)).await
    }

    pub async fn delete(&self, path: &str, token: &str) -> Answer {
        answer(self.http.delete(self.url(path)).bearer_auth(token)).await
    }

    pub async fn send(&self, method: &str, path: &str, token: &str, media_type: &str, body: &str) -> Answer {
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        let request = self.http.request(method, self.url(path)).bearer_auth(token);
        answer(request.header("content-type", media_type).body(body.to_owned())).await
    }

    pub async fn post_json(&self, path: &str, token: &str, body: &str) -> Answer {
        self.send("POST", path, token, "application/json", body).await
    }

    pub async fn post_form(&self, path: &str, token: &str, pairs: &[(&str, &str)]) -> Answer {
        self.send(
            "POST",
            path,
            token,
            "application/x-www-form-urlencoded",
            &encode(&fields(pairs)),
        )
        .await
    }
}

pub async fn answer(request: reqwest::RequestBuilder) -> Answer {
    // Tatra banka wants one on every call; nobody else minds.
    let (client, request) = request.build_split();
    let mut request = request.unwrap();
    let id = || reqwest::header::HeaderValue::from_static("0b9f5b0e-7d5c-4f0a-9d3e-3a8b0a6d1c11");
    request.headers_mut().entry("x-request-id").or_insert_with(id);
    let reply = client.execute(request).await.unwrap();
    Answer {
        status: reply.status().as_u16(),
        headers: reply.headers().clone(),
        text: reply.text().await.unwrap(),
    }
}
