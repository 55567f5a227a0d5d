//! Whom a callback is believed, where a code goes, and which redirect URIs and endpoints there may be (RFC 6749, 8252,
//! 9207 and 9700).
#![cfg(all(feature = "mx", feature = "ofx", feature = "finexer"))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod recorder;

use finrail::oauth::{self, Pending};
use finrail::{App, AppBuilder, ConfigError, Provider, finexer, mx, ofx};
use recorder::{Answer, Recorder};

const REDIRECT: &str = "https://app.example.com/callback";
const NO_SCOPES: [&str; 0] = [];

fn app<P: Provider>(recorder: &Recorder) -> AppBuilder<P> {
    let app = App::<P>::builder().base_url(recorder.origin()).redirect_uri(REDIRECT);
    app.credentials(finrail::Credentials::new("client", "secret"))
}

async fn granting() -> Recorder {
    Recorder::granting(|_, _| Answer::json("{}")).await
}

fn state(pending: &Pending) -> &str {
    pending.state().expose_secret()
}

/// What comes of a callback with these parameters, at an app whose issuer is set or not.
async fn outcome(issuer: Option<&str>, parameters: &str) -> (Result<(), oauth::Error>, usize) {
    let recorder = granting().await;
    let mut builder = app::<mx::Provider>(&recorder);
    if let Some(issuer) = issuer {
        builder = builder.issuer(issuer);
    }
    let app = builder.build().unwrap();
    let pending = app.authorize(["accounts"]).unwrap().pending;
    let parameters = parameters.replace("{origin}", recorder.origin());
    let callback = format!("{REDIRECT}?state={}&{parameters}", state(&pending));
    let outcome = app.finish(pending, &callback).await.map(drop);
    (outcome, recorder.token_requests().len())
}

#[tokio::test]
async fn a_set_issuer_is_demanded_of_codes_and_refusals_and_compared_letter_for_letter() {
    const ISSUER: &str = "https://bank.example/tenant";
    for result in ["code=c", "error=access_denied"] {
        for missing in ["", "&iss="] {
            let (outcome, sent) = outcome(Some(ISSUER), &format!("{result}{missing}")).await;
            let error = outcome.unwrap_err();
            assert!(
                matches!(error, oauth::Error::IssuerMissing),
                "{result}{missing}: {error:?}"
            );
            assert!(error.to_string().contains("do not use the code"), "{error}");
            assert_eq!(sent, 0, "the code went nowhere");
        }
        for other in [
            "https://evil.example",
            "https://bank.example",
            "https://bank.example/tenant/",
            "https://BANK.example/tenant",
            "{origin}",
        ] {
            let (outcome, sent) = outcome(Some(ISSUER), &format!("{result}&iss={other}")).await;
            assert!(
                matches!(outcome, Err(oauth::Error::IssuerMismatch)),
                "{other}: {outcome:?}"
            );
            assert_eq!(sent, 0, "the code went nowhere");
        }
    }
    let (code, sent) = outcome(Some(ISSUER), &format!("code=c&iss={ISSUER}")).await;
    assert!(code.is_ok() && sent == 1, "{code:?}");
    let (refused, _) = outcome(Some(ISSUER), &format!("error=access_denied&iss={ISSUER}")).await;
    assert!(refused.unwrap_err().refusal().is_some());
}

/// Otherwise no callback could name it, and the user would have consented for nothing.
#[tokio::test]
async fn an_issuer_that_no_server_can_have_is_an_error_before_anybody_is_sent_to_one() {
    let recorder = granting().await;
    for issuer in ["", " ", "not a url", "https://b.example#x", "https://b.example?x=1"] {
        let built = app::<mx::Provider>(&recorder).issuer(issuer).build();
        let Err(error) = built.map(drop) else {
            panic!("{issuer}");
        };
        assert!(
            matches!(error, finrail::ConfigError::Url { what: "issuer", .. }),
            "{issuer}: {error}"
        );
    }
}

#[tokio::test]
async fn without_a_set_issuer_only_one_at_an_endpoints_origin_passes() {
    for result in ["code=c", "error=access_denied"] {
        for other in [
            "https://evil.example",
            "{origin}.evil.example",
            "https://127.0.0.1",
            "http://127.0.0.1:1",
            "not a url",
            "urn:bank",
        ] {
            let (outcome, sent) = outcome(None, &format!("{result}&iss={other}")).await;
            assert!(
                matches!(outcome, Err(oauth::Error::IssuerMismatch)),
                "{other}: {outcome:?}"
            );
            assert_eq!(sent, 0, "the code went nowhere");
        }
    }
    for own in ["iss={origin}", "iss={origin}/tenant", "iss=", ""] {
        let (outcome, sent) = outcome(None, &format!("code=c&{own}")).await;
        assert!(outcome.is_ok() && sent == 1, "{own}: {outcome:?}");
    }
}

#[tokio::test]
async fn the_issuer_may_be_at_the_authorization_endpoint_or_at_the_token_endpoint() {
    let recorder = granting().await;
    let app = app::<mx::Provider>(&recorder)
        .authorization_endpoint("https://login.bank.example/authorize")
        .build()
        .unwrap();
    for (issuer, passes) in [
        ("https://login.bank.example", true),
        (recorder.origin(), true),
        ("https://bank.example", false),
    ] {
        let pending = app.authorize(["accounts"]).unwrap().pending;
        let callback = format!("{REDIRECT}?code=c&iss={issuer}&state={}", state(&pending));
        let outcome = app.finish(pending, &callback).await;
        assert_eq!(outcome.is_ok(), passes, "{issuer}: {:?}", outcome.err());
    }
}

/// Two institutions at one provider, each with a redirect URI of its own: what one's server sends to the other's
/// authorization is not used (RFC 9700 section 4.4.2.2).
#[tokio::test]
async fn a_callback_to_another_institutions_redirect_uri_spends_nothing() {
    let recorder = granting().await;
    let at = |institution: &str| {
        let app = app::<mx::Provider>(&recorder).redirect_uri(format!("{REDIRECT}/{institution}"));
        app.build().unwrap()
    };
    let pending = at("first").authorize(["accounts"]).unwrap().pending;
    let query = format!("?code=c&state={}", state(&pending));
    for elsewhere in [
        format!("{REDIRECT}/second{query}"),
        format!("/callback/second{query}"),
        format!("{REDIRECT}{query}"),
        format!("https://evil.example/callback/first{query}"),
        format!("http://app.example.com/callback/first{query}"),
        format!("https://app.example.com:8443/callback/first{query}"),
    ] {
        let error = at("first").finish(pending.clone(), &elsewhere).await.unwrap_err();
        assert!(
            matches!(error, oauth::Error::RedirectUriMismatch),
            "{elsewhere}: {error:?}"
        );
        assert!(error.to_string().contains("the path and the query only"), "{error}");
    }
    assert!(recorder.seen().is_empty(), "the code went nowhere");
    // Behind a proxy only this is known; the query alone where the proxy changes the path.
    for known in [
        format!("/callback/first{query}"),
        query.clone(),
        format!("{REDIRECT}/first{query}"),
    ] {
        let pending = at("first").authorize(["accounts"]).unwrap().pending;
        let known = known.replace(&query, &format!("?code=c&state={}", state(&pending)));
        at("first").finish(pending, &known).await.unwrap();
    }
}

#[tokio::test]
async fn a_native_application_may_be_called_back_on_another_loopback_port() {
    let recorder = granting().await;
    for (registered, came_to, passes) in [
        ("http://127.0.0.1/cb", "http://127.0.0.1:51004/cb", true),
        ("http://[::1]:8000/cb", "http://[::1]:51004/cb", true),
        ("http://127.0.0.1/cb", "http://127.0.0.1:51004/other", false),
        ("https://127.0.0.1/cb", "https://127.0.0.1:51004/cb", false),
    ] {
        let app = app::<mx::Provider>(&recorder).redirect_uri(registered).build().unwrap();
        let pending = app.authorize(["accounts"]).unwrap().pending;
        let callback = format!("{came_to}?code=c&state={}", state(&pending));
        let outcome = app.finish(pending, &callback).await;
        assert_eq!(outcome.is_ok(), passes, "{came_to}: {:?}", outcome.err());
    }
}

#[tokio::test]
async fn a_parameter_without_a_value_counts_as_absent() {
    for parameters in [
        "code=c&error=",
        "code=c&error&error_code=",
        "error=&code=c&iss=",
        "code=&code=c",
        "code=c&state=",
    ] {
        let recorder = granting().await;
        let app = app::<finexer::Provider>(&recorder).build().unwrap();
        let pending = app.authorize(NO_SCOPES).unwrap().pending;
        let callback = format!("{REDIRECT}?{parameters}&state={}", state(&pending));
        let outcome = app.finish(pending, &callback).await;
        assert!(outcome.is_ok(), "{parameters}: {:?}", outcome.err());
        assert_eq!(recorder.seen()[0].field("code").as_deref(), Some("c"));
    }
}

/// RFC 6749 section 4.1.2.
#[tokio::test]
async fn what_nobody_knows_in_a_callback_is_ignored() {
    for unknown in [
        "session_state=1&session_state=2",
        "scope=accounts&x",
        "error_uri=a&token=b",
    ] {
        let (outcome, sent) = outcome(None, &format!("{unknown}&code=c")).await;
        assert!(outcome.is_ok() && sent == 1, "{unknown}: {outcome:?}");
    }
}

/// RFC 9207 section 4.
#[tokio::test]
async fn a_callback_of_two_issuers_is_refused() {
    const ISSUER: &str = "https://bank.example/tenant";
    for second in [ISSUER, "https://evil.example"] {
        for issuers in [[ISSUER, second], [second, ISSUER]] {
            let [first, second] = issuers;
            let (outcome, sent) = outcome(Some(ISSUER), &format!("code=c&iss={first}&iss={second}")).await;
            assert!(
                matches!(outcome, Err(oauth::Error::Callback(_))),
                "{issuers:?}: {outcome:?}"
            );
            assert_eq!(sent, 0, "the code went nowhere");
        }
    }
}

/// The rule is RFC 8252's and not one provider's.
#[test]
fn redirect_uris_are_https_or_loopback_or_of_a_private_scheme_for_every_provider() {
    fn refused<P: finrail::grant::AuthorizationCode>(uri: &str) -> Option<String> {
        let app = App::<P>::builder().base_url("https://bank.example").redirect_uri(uri);
        let app = app
            .credentials(finrail::Credentials::new("client", "secret"))
            .build()
            .unwrap();
        match app.authorize([P::profile().scopes.first().copied().unwrap_or("accounts")]) {
            Ok(_) => None,
            Err(error @ oauth::Error::RedirectUri { .. }) => Some(error.to_string()),
            Err(other) => panic!("{other:?}"),
        }
    }
    let every = [
        refused::<ofx::Provider>,
        refused::<mx::Provider>,
        refused::<finexer::Provider>,
    ];
    for refused in every {
        for bad in [
            "http://app.example.com/callback",
            "http://127.0.0.1.evil.example/cb",
            "https://user@app.example.com/callback",
            "https://user:pw@app.example.com/callback",
            "demoapp://user@redirect",
            "javascript:alert(1)",
            "JavaScript://app.example/%0aalert(1)",
            "java\nscript:alert(1)",
            " javascript:alert(1)",
            "vbscript:msgbox",
            "data:text/html,x",
            "blob:https://app.example/1",
            "about:blank",
            "file:///etc/passwd",
            "mailto:a@app.example",
            "ws://app.example/cb",
            "wss://app.example/cb",
            "https://app.example.com/callback#part",
            "app.example.com/callback",
        ] {
            let error = refused(bad).unwrap_or_else(|| panic!("{bad} is taken"));
            assert!(!error.contains("pw"), "{error}");
        }
        for good in [
            "https://app.example.com/callback?bank=1",
            "http://127.0.0.1:9000/cb",
            "http://[::1]/cb",
            "http://localhost/cb",
            "demoapp://redirect",
            "com.example.app:/oauth2redirect",
        ] {
            assert_eq!(refused(good), None, "{good}");
        }
    }
}

#[tokio::test]
async fn endpoints_keep_their_query_and_parameters_are_added_to_it() {
    let recorder = granting().await;
    let app = app::<mx::Provider>(&recorder)
        .authorization_endpoint("https://bank.example/authorize?tenant=a%20b")
        .token_endpoint(format!("{}/token?tenant=7", recorder.origin()))
        .revocation_endpoint(format!("{}/revoke?tenant=7", recorder.origin()))
        .build()
        .unwrap();
    let authorization = app.authorize(["accounts"]).unwrap();
    let url = authorization.url.as_str();
    assert!(url.starts_with("https://bank.example/authorize?tenant=a%20b&"), "{url}");
    let callback = format!("{REDIRECT}?code=c&state={}", state(&authorization.pending));
    let user = app.finish(authorization.pending, &callback).await.unwrap();
    user.revoke().await.unwrap();
    let targets: Vec<String> = recorder.seen().into_iter().map(|seen| seen.target).collect();
    assert_eq!(targets, ["/token?tenant=7", "/revoke?tenant=7"]);

    for (endpoint, reason) in [
        ("https://bank.example/token#part", "a fragment"),
        ("http://bank.example/token?tenant=7", "plain http"),
    ] {
        let error = self::app::<mx::Provider>(&recorder)
            .token_endpoint(endpoint)
            .build()
            .unwrap_err();
        assert!(error.to_string().contains(reason), "{error}");
    }
    let error = self::app::<mx::Provider>(&recorder)
        .base_url("https://bank.example/?tenant=7")
        .build()
        .unwrap_err();
    assert!(error.to_string().contains("a query"), "{error}");
}

#[test]
fn the_state_can_be_read_out_of_a_callback() {
    for callback in [
        "https://app.example/cb?code=c&state=s%20t",
        "/cb?state=s+t",
        "?error=x&state=s%20t#end",
    ] {
        assert_eq!(
            oauth::callback_state(callback).unwrap().expose_secret(),
            "s t",
            "{callback}"
        );
    }
    for callback in ["/cb?code=c", "/cb?state=", "/cb?state=a&state=b", "/cb", ""] {
        assert!(oauth::callback_state(callback).is_err(), "{callback}");
    }
}

/// Nothing is known of PKCE at OFX and Finexer: it is sent, and can be switched off.
#[tokio::test]
async fn undocumented_pkce_is_sent_and_can_be_switched_off() {
    async fn check<P: finrail::grant::AuthorizationCode>() {
        assert_eq!(P::profile().pkce, oauth::Pkce::Undocumented);
        assert!(!P::profile().pkce.is_checked(), "it counts as no protection");
        for switched_off in [false, true] {
            let recorder = granting().await;
            let mut builder = app::<P>(&recorder);
            if switched_off {
                builder = builder.without_pkce();
            }
            let app = builder.build().unwrap();
            let authorization = app.authorize([P::profile().scopes[0]]).unwrap();
            let challenged = authorization.url.as_str().contains("code_challenge_method=S256");
            assert_eq!(challenged, !switched_off, "{}", authorization.url);
            let callback = format!("{REDIRECT}?code=c&state={}", state(&authorization.pending));
            app.finish(authorization.pending, &callback).await.unwrap();
            assert_eq!(recorder.seen()[0].field("code_verifier").is_some(), !switched_off);
        }
    }
    check::<ofx::Provider>().await;
    check::<finexer::Provider>().await;
}

#[test]
fn pkce_cannot_be_switched_off_where_the_provider_demands_it() {
    let app = mx::App::builder().base_url("https://bank.example").without_pkce();
    let error = app
        .credentials(mx::Credentials::new("client", "secret"))
        .build()
        .unwrap_err();
    assert!(matches!(error, ConfigError::PkceRequired(_)), "{error:?}");
    assert!(error.to_string().contains("remove `without_pkce`"), "{error}");
}

#[tokio::test]
async fn a_refusal_that_may_be_about_undocumented_pkce_names_the_switch() {
    /// What the callback and the exchange say when the server answers this error.
    async fn says<P: finrail::grant::AuthorizationCode>(error: &str, with_pkce: bool) -> [oauth::Error; 2] {
        let body = format!(r#"{{"error":"{error}"}}"#);
        let recorder = Recorder::in_order([Answer::status(400, body)]).await;
        let mut builder = app::<P>(&recorder);
        if !with_pkce {
            builder = builder.without_pkce();
        }
        let app = builder.build().unwrap();
        let pending = app.authorize([P::profile().scopes[0]]).unwrap().pending;
        let refused = format!("{REDIRECT}?error={error}&state={}", state(&pending));
        let by_browser = app.finish(pending.clone(), &refused).await.unwrap_err();
        let callback = format!("{REDIRECT}?code=SplxlOBeZQQ&state={}", state(&pending));
        [by_browser, app.finish(pending, &callback).await.unwrap_err()]
    }
    const SWITCH: &str = "`without_pkce`";
    let errors = says::<ofx::Provider>("invalid_request", true).await;
    for error in &errors {
        assert!(error.to_string().contains(SWITCH), "{error}");
        assert_eq!(error.code(), Some("invalid_request"));
    }
    assert!(errors[0].refusal().unwrap().may_be_pkce);
    assert!(matches!(&errors[1], oauth::Error::PkceRefused(server) if server.status == 400));
    assert_eq!(errors[1].verdict(), finrail::token::Verdict::RequestRejected);

    for [by_browser, by_server] in [
        // Switched off: it is something else.
        says::<ofx::Provider>("invalid_request", false).await,
        // Of another kind.
        says::<ofx::Provider>("invalid_scope", true).await,
        // Where PKCE is demanded it is not the reason.
        says::<mx::Provider>("invalid_request", true).await,
    ] {
        assert!(!by_browser.to_string().contains(SWITCH), "{by_browser}");
        assert!(matches!(by_server, oauth::Error::Server(_)), "{by_server:?}");
        assert!(!by_server.to_string().contains(SWITCH), "{by_server}");
    }
}
