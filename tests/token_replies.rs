//! What a token endpoint answers, however odd: whatever can be read of it is kept, and nothing is taken for an end that is none.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod connected;
mod recorder;

use std::error::Error as _;
use std::io::Write as _;
use std::sync::Arc;
use std::time::Duration;

use connected::{NO_SCOPES, REDIRECT, builder};
use finrail::grant::AuthorizationCode;
use finrail::token::{
    Bearer, Error, ManualClock, MemoryStore, ReauthorizationReason, Record, TokenKey, TokenSet, TokenStore as _,
    Verdict,
};
use finrail::{App, AppBuilder, Connection, finexer, mx, oauth, ofx};
use recorder::{Answer, Recorder, Seen, token};

/// A provider that answers the token requests of one user in this order, with a clock and a store to look into.
struct World {
    recorder: Recorder,
    clock: Arc<ManualClock>,
    store: Arc<MemoryStore>,
}

impl World {
    async fn new(answers: impl IntoIterator<Item = Answer>) -> Self {
        Self {
            recorder: Recorder::in_order(answers).await,
            clock: Arc::default(),
            store: Arc::default(),
        }
    }

    fn app<P: AuthorizationCode>(&self) -> AppBuilder<P> {
        builder::<P>(&self.recorder)
            .clock(self.clock.clone())
            .store(self.store.clone())
    }

    async fn login<P: AuthorizationCode>(app: &App<P>, scopes: &[&'static str]) -> Result<Connection<P>, oauth::Error> {
        let authorization = app.authorize(scopes.iter().copied()).unwrap().subject("user-1");
        let state = authorization.pending.state().expose_secret();
        let callback = format!("{REDIRECT}?code=code-1&state={state}");
        app.finish(authorization.pending, &callback).await
    }

    async fn ofx(&self) -> Result<Connection<ofx::Provider>, oauth::Error> {
        Self::login(&self.app().build().unwrap(), &["payments", "ofxrates"]).await
    }

    async fn finexer(&self) -> Connection<finexer::Provider> {
        Self::login(&self.app().build().unwrap(), &NO_SCOPES).await.unwrap()
    }

    async fn stored(&self, key: &TokenKey) -> TokenSet {
        let stored = self.store.load(key).await.unwrap().unwrap();
        Record::decode(&stored.bytes).unwrap().tokens.unwrap()
    }

    /// Over with every token that lives an hour, and with every rest after a failure.
    fn later(&self) {
        self.clock.advance(Duration::from_secs(4000));
    }

    fn last_request(&self) -> Seen {
        self.recorder.token_requests().pop().unwrap()
    }
}

fn text(bearer: &Bearer) -> &str {
    bearer.header.to_str().unwrap()
}

fn refresh_token(tokens: &TokenSet) -> Option<&str> {
    tokens.refresh_token.as_ref().map(|token| token.expose_secret())
}

fn seconds(tokens: &TokenSet) -> Option<u64> {
    tokens.lifetime().map(|life| life.as_secs())
}

/// A good reply whose other fields are these.
fn with(fields: &str) -> Vec<u8> {
    format!(r#"{{"access_token":"access-2","expires_in":600,"refresh_token":"refresh-2",{fields}}}"#).into_bytes()
}

fn ok(body: impl Into<Vec<u8>>) -> Answer {
    Answer::typed(200, "application/json", body)
}

fn gzip(body: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(body).unwrap();
    encoder.finish().unwrap()
}

// --- reading

#[tokio::test]
async fn one_odd_detail_costs_neither_a_login_nor_a_refresh() {
    let typed = |kind: &str| with(&format!(r#""token_type":{kind}"#));
    let mut bodies: Vec<Vec<u8>> = [
        r#""BearerToken""#,
        r#"" Bearer ""#,
        r#""""#,
        "1",
        r#"["Bearer"]"#,
        // Neighbours.
        r#""bearer_token""#,
        r#""BEARER""#,
        r#""Bearer\n""#,
        r#"" ""#,
        "null",
        "true",
        "{}",
        "[]",
        r#"["mac","bearer"]"#,
        r#""mac","token_type":"Bearer""#,
        r#""Bearer","token_type":null"#,
    ]
    .map(typed)
    .into();
    bodies.extend(
        [
            // A key twice.
            r#""expires_in":600,"token_type":"Bearer""#,
            r#""scope":"payments","scope":"payments""#,
            r#""access_token":"access-2""#,
            r#""access_token":null"#,
            r#""refresh_token":null"#,
            r#""refresh_token":"""#,
            r#""refresh_token":["odd"]"#,
            r#""expires_in":"soon""#,
            // Fields that nobody needs.
            r#""name":"caf\ud83d""#,
            r#""\ud83d":1"#,
            r#""name":"two
lines""#,
            r#""id_token":{}"#,
            r#""id_token":[1]"#,
            r#""id_token":7"#,
            r#""rate":NaN"#,
            r#""rate":"#,
            r#""rate":,"x":1"#,
            r#""scope":{"payments":true}"#,
            r#""scope":"caf\ud83d""#,
            r#""error":null"#,
            r#""error":"""#,
            r#""error":"none","error_description":"all is well""#,
        ]
        .map(with),
    );
    bodies.push(with(&format!(r#""deep":{}{}"#, "[".repeat(10_000), "]".repeat(10_000))));
    bodies.push(with(&format!(r#""large":"{}""#, "x".repeat(200_000))));
    bodies.push([&with(r#""name":"M*ller""#)[..], b"\r\n<!-- made by a proxy -->"].concat());
    bodies.push([&b"\xef\xbb\xbf \n"[..], &with(r#""x":1"#)].concat());
    bodies.push(
        with(r#""name":"M*ller""#)
            .iter()
            .map(|byte| if *byte == b'*' { 0xfc } else { *byte })
            .collect(),
    );
    for access in [r"access-2\n", r" access-2 ", r"\taccess-2\r\n"] {
        let body = format!(r#"{{"access_token":"{access}","expires_in":600,"refresh_token":"refresh-2\n"}}"#);
        bodies.push(body.into_bytes());
    }
    for body in bodies {
        let shown = String::from_utf8_lossy(&body[..body.len().min(200)]).into_owned();
        // The code exchange.
        let world = World::new([ok(body.clone())]).await;
        let user = world.ofx().await.unwrap_or_else(|error| panic!("{shown}: {error}"));
        let tokens = world.stored(user.key()).await;
        assert_eq!(text(&user.tokens().header().unwrap()), "Bearer access-2", "{shown}");
        assert_eq!(refresh_token(&tokens), Some("refresh-2"), "{shown}");
        assert_eq!(seconds(&tokens), Some(600), "{shown}");
        assert!(tokens.id_token.is_none());
        // The refresh.
        let world = World::new([Answer::json(token(1)), ok(body)]).await;
        let user = world.ofx().await.unwrap();
        world.later();
        let bearer = user
            .tokens()
            .fresh()
            .await
            .unwrap_or_else(|error| panic!("{shown}: {error}"));
        assert_eq!(text(&bearer), "Bearer access-2", "{shown}");
        let tokens = world.stored(user.key()).await;
        assert_eq!(
            (tokens.generation, refresh_token(&tokens)),
            (2, Some("refresh-2")),
            "{shown}"
        );
    }
}

#[tokio::test]
async fn a_refresh_token_of_no_use_is_read_as_none() {
    for odd in [
        "false",
        "true",
        "null",
        "0",
        "{}",
        "[]",
        r#""""#,
        r#"" ""#,
        r#""\n""#,
        r#""caf\ud83d""#,
    ] {
        let body = format!(r#"{{"access_token":"access-2","token_type":"Bearer","refresh_token":{odd}}}"#);
        let world = World::new([Answer::json(body.clone())]).await;
        let user = world.ofx().await.unwrap();
        assert_eq!(refresh_token(&world.stored(user.key()).await), None, "{odd}");
        let world = World::new([Answer::json(token(1)), Answer::json(body)]).await;
        let user = world.ofx().await.unwrap();
        world.later();
        assert_eq!(text(&user.tokens().fresh().await.unwrap()), "Bearer access-2", "{odd}");
        assert_eq!(
            refresh_token(&world.stored(user.key()).await),
            Some("refresh-1"),
            "{odd}: the old one stays"
        );
    }
}

#[tokio::test]
async fn tokens_that_are_numbers_are_read_digit_for_digit() {
    for number in [
        "7",
        "1234567",
        "123456789012345678901234567890",
        "-7",
        "1.50",
        "1e400",
        "0042",
    ] {
        let body = format!(r#"{{"access_token":{number},"token_type":"Bearer","refresh_token":{number}}}"#);
        let world = World::new([Answer::json(token(1)), Answer::json(body), Answer::json(token(3))]).await;
        let user = world.ofx().await.unwrap();
        for _ in 0..2 {
            world.later();
            let generation = user.tokens().info().unwrap().generation;
            user.tokens().renew(generation).await.unwrap();
            let header = user.tokens().header().map(|bearer| bearer.header.clone());
            let numbered = header.filter(|header| header.to_str().unwrap() == format!("Bearer {number}"));
            assert_eq!(numbered.is_some(), generation == 1, "{number}");
        }
        assert_eq!(world.last_request().field("refresh_token").as_deref(), Some(number));
    }
}

#[tokio::test]
async fn a_life_with_a_fraction_is_one_without_it() {
    for (told, life) in [
        ("3599.9", Some(3599)),
        (r#""3599.9""#, Some(3599)),
        ("3.5999e3", Some(3599)),
        ("1e3", Some(1000)),
        (r#""1e3""#, Some(1000)),
        ("-1", None),
        ("0", None),
        ("99999999999999999999", Some(315_360_000)),
        ("3599", Some(3599)),
        ("0.9", None),
        ("-3599.9", None),
        ("1e400", None),
        ("true", None),
    ] {
        let body = format!(r#"{{"access_token":"a","token_type":"Bearer","expires_in":{told}}}"#);
        let world = World::new([Answer::json(body)]).await;
        let user = world.ofx().await.unwrap();
        assert_eq!(seconds(&world.stored(user.key()).await), life, "{told}");
    }
}

#[tokio::test]
async fn a_compressed_reply_is_not_asked_for_and_is_read_all_the_same() {
    let body = with(r#""token_type":"Bearer""#);
    for (encoding, body) in [
        ("gzip", gzip(&body)),
        ("x-gzip", gzip(&body)),
        ("identity", gzip(&body)),
        ("gzip", body),
    ] {
        let refreshed = ok(body).header("content-encoding", encoding);
        let world = World::new([Answer::json(token(1)), refreshed]).await;
        let user = world.ofx().await.unwrap();
        world.later();
        assert_eq!(
            text(&user.tokens().fresh().await.unwrap()),
            "Bearer access-2",
            "{encoding}"
        );
        for seen in world.recorder.token_requests() {
            assert_eq!(seen.header("accept-encoding"), Some("identity"));
        }
    }
    // What no decoder here knows leaves the refresh in doubt, and the refresh token where it was.
    for encoding in ["br", "zstd"] {
        let refreshed = ok(&b"\x28\xb5\x2f\xfd\x04\x00 compressed"[..]).header("content-encoding", encoding);
        let world = World::new([Answer::json(token(1)), refreshed]).await;
        let user = world.ofx().await.unwrap();
        world.later();
        let error = user.tokens().fresh().await.unwrap_err();
        assert!(matches!(error, Error::InDoubt { .. }), "{encoding}: {error:?}");
        assert_eq!(refresh_token(&world.stored(user.key()).await), Some("refresh-1"));
    }
    let refused = ok(gzip(br#"{"error":"invalid_grant"}"#)).header("content-encoding", "gzip");
    let world = World::new([Answer::json(token(1)), refused]).await;
    let user = world.ofx().await.unwrap();
    world.later();
    assert!(user.tokens().fresh().await.unwrap_err().reauthorization_required());
}

#[tokio::test]
async fn what_has_arrived_of_a_reply_that_breaks_off_is_kept() {
    let body = r#"{"refresh_token":"refresh-2","access_token":"access-2","expires_in":600,"name":"caf"#;
    let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 400\r\n\r\n";
    let arrives = |body: &str| (Duration::ZERO, format!("{head}{body}").into_bytes());
    let chunked = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
    // The second chunk ends in the middle, and a third does not come.
    let chunks = format!("{chunked}{:x}\r\n{}\r\nff\r\n{}", 30, &body[..30], &body[30..]);
    let squeezed = gzip(format!("{body}{}", "e".repeat(5000)).as_bytes());
    let head_of_squeezed = "HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 400\r\n\r\n";
    let squeezed = [head_of_squeezed.as_bytes(), &squeezed[..squeezed.len() - 9]].concat();
    for (arrived, stays_open) in [
        (arrives(body), Duration::ZERO),
        (arrives(body), Duration::from_secs(600)),
        ((Duration::ZERO, chunks.into_bytes()), Duration::ZERO),
        ((Duration::ZERO, squeezed), Duration::ZERO),
    ] {
        let pieces = Answer::Pieces(vec![arrived, (stays_open, Vec::new())]);
        let world = World::new([Answer::json(token(1)), pieces]).await;
        let app = world
            .app()
            .token_request_timeout(Duration::from_millis(500))
            .build()
            .unwrap();
        let user = World::login::<ofx::Provider>(&app, &["payments"]).await.unwrap();
        world.later();
        assert_eq!(text(&user.tokens().fresh().await.unwrap()), "Bearer access-2");
        assert_eq!(refresh_token(&world.stored(user.key()).await), Some("refresh-2"));
    }
    // Of a token there is no half, and without the refresh token nobody knows what the grant has.
    for body in [&body[..20], r#"{"access_token":"access-2","refresh"#, "", "{"] {
        let world = World::new([Answer::json(token(1)), Answer::Pieces(vec![arrives(body)])]).await;
        let user = world.ofx().await.unwrap();
        world.later();
        let error = user.tokens().fresh().await.unwrap_err();
        assert!(matches!(error, Error::InDoubt { .. }), "{body}: {error:?}");
        assert_eq!(
            refresh_token(&world.stored(user.key()).await),
            Some("refresh-1"),
            "{body}"
        );
    }
}

// --- store first, judge afterwards

const UNUSABLE: [(&str, &str); 7] = [
    (r#""access_token":"a","token_type":"mac""#, "not bearer"),
    (r#""access_token":"a","token_type":"DPoP""#, "not bearer"),
    (r#""access_token":"a","token_type":["mac"]"#, "not bearer"),
    (
        r#""access_token":"two words","token_type":"Bearer""#,
        "that a header cannot carry",
    ),
    (r#""access_token":"caf\ud83d""#, "that a header cannot carry"),
    (r#""access_token":"""#, "an empty `access_token`"),
    (r#""access_token":{"live":"token"}"#, "no usable `access_token`"),
];

#[tokio::test]
async fn without_a_usable_access_token_the_new_refresh_token_is_stored_and_makes_the_next_refresh() {
    for (fields, problem) in UNUSABLE {
        let odd = Answer::json(format!(r#"{{"refresh_token":"refresh-2","expires_in":600,{fields}}}"#));
        let world = World::new([Answer::json(token(1)), odd, Answer::json(token(3))]).await;
        let user = world.ofx().await.unwrap();
        world.later();
        let error = user.tokens().fresh().await.unwrap_err();
        assert!(matches!(error, Error::UnusableToken { .. }), "{fields}: {error:?}");
        assert!(!error.is_retryable() && !error.reauthorization_required());
        assert!(
            error.source().unwrap().to_string().contains(problem),
            "{fields}: {error:?}"
        );
        assert!(user.tokens().header().is_none(), "{fields}");
        let tokens = world.stored(user.key()).await;
        assert_eq!(
            (tokens.generation, refresh_token(&tokens)),
            (2, Some("refresh-2")),
            "{fields}"
        );
        assert_eq!(
            tokens.access_token.expose_secret(),
            "token-1",
            "{fields}: the old one stays"
        );

        // The server is asked again after a rest, by this process or by another one.
        user.tokens().fresh().await.unwrap_err();
        assert_eq!(world.recorder.token_requests().len(), 2);
        world.later();
        let other = world.app::<ofx::Provider>().build().unwrap();
        let other = other.connection(user.key()).await.unwrap().unwrap();
        assert_eq!(
            text(&other.tokens().fresh().await.unwrap()),
            "Bearer token-3",
            "{fields}"
        );
        assert_eq!(
            world.last_request().field("refresh_token").as_deref(),
            Some("refresh-2"),
            "{fields}"
        );
    }
}

#[tokio::test]
async fn a_token_that_still_lives_serves_on_when_its_successor_cannot_be_used() {
    let odd = Answer::json(r#"{"refresh_token":"refresh-2","access_token":"a","token_type":"mac","expires_in":600}"#);
    let world = World::new([Answer::json(token(1)), odd, Answer::json(token(3))]).await;
    let user = world.ofx().await.unwrap();
    world.clock.advance(Duration::from_secs(3580));
    assert_eq!(text(&user.tokens().fresh().await.unwrap()), "Bearer token-1");
    assert_eq!(refresh_token(&world.stored(user.key()).await), Some("refresh-2"));
    world.clock.advance(Duration::from_secs(15));
    assert_eq!(text(&user.tokens().fresh().await.unwrap()), "Bearer token-3");
    assert_eq!(
        world.last_request().field("refresh_token").as_deref(),
        Some("refresh-2")
    );
}

#[tokio::test]
async fn a_login_whose_access_token_cannot_be_used_is_not_lost() {
    for (fields, problem) in UNUSABLE {
        let odd = Answer::json(format!(r#"{{"refresh_token":"refresh-2","expires_in":600,{fields}}}"#));
        let world = World::new([odd, Answer::json(token(3))]).await;
        let user = world.ofx().await.unwrap_or_else(|error| panic!("{fields}: {error}"));
        assert!(user.tokens().header().is_none());
        assert_eq!(
            text(&user.tokens().fresh().await.unwrap()),
            "Bearer token-3",
            "{fields}"
        );
        assert_eq!(
            world.last_request().field("refresh_token").as_deref(),
            Some("refresh-2"),
            "{fields}"
        );

        // Without a refresh token there is nothing to keep.
        let world = World::new([Answer::json(format!("{{{fields}}}"))]).await;
        let error = world.ofx().await.unwrap_err();
        assert!(error.to_string().contains(problem), "{fields}: {error}");
        assert_eq!(error.verdict(), Verdict::InDoubt, "{fields}: the code is spent");
    }
}

#[tokio::test]
async fn client_credentials_without_a_usable_token_are_told_so() {
    let odd = r#"{"refresh_token":"refresh-2","access_token":"a","token_type":"mac","expires_in":600}"#;
    let world = World::new([Answer::json(odd)]).await;
    let app = world.app::<ofx::Provider>().build().unwrap();
    let tokens = app.client_tokens(["payments"]).unwrap();
    let error = tokens.fresh().await.unwrap_err();
    assert!(error.source().unwrap().to_string().contains("not bearer"), "{error:?}");
    assert!(tokens.header().is_none() && tokens.info().is_none());
}

// --- verdicts

/// What a refresh with this answer comes to, and whether the next one with a good answer brings a token.
async fn refreshed(answer: Answer) -> (Error, bool) {
    let world = World::new([Answer::json(token(1)), answer, Answer::json(token(3))]).await;
    let user = world.ofx().await.unwrap();
    world.later();
    let error = user.tokens().fresh().await.unwrap_err();
    world.later();
    let next = user.tokens().fresh().await;
    (error, next.is_ok_and(|bearer| text(&bearer) == "Bearer token-3"))
}

#[tokio::test]
async fn a_refusal_counts_with_200_and_with_a_4xx_in_any_spelling() {
    for body in [
        r#"{"error":"invalid_grant"}"#,
        r#"{"error":"invalid_grant "}"#,
        r#"{"error":"INVALID_GRANT"}"#,
        r#"{"error":"Invalid_Grant"}"#,
        r#"{"error":"\ninvalid_grant\t"}"#,
        r#"{"error":"invalid_grant: the token is spent"}"#,
        r#"{"error":"invalid_grant - refresh-1 is unknown"}"#,
        r#"{"error":"invalid_grant (expired)"}"#,
        r#"{"error":"invalid_grant."}"#,
        r#"{"error":"\"invalid_grant\""}"#,
        r#"{"error":{"code":"INVALID_GRANT "}}"#,
        r#"{"error":"invalid_grant","error":null}"#,
        r#"{"error":"invalid_grant","error_description":"caf\ud83d"}"#,
        r#"{"error":"invalid_grant","refresh_token":"refresh-1"}"#,
    ] {
        for status in [200, 400, 401, 403, 404, 422] {
            let (error, lives) = refreshed(Answer::status(status, body)).await;
            let reason = ReauthorizationReason::Refused;
            assert!(
                matches!(error, Error::ReauthorizationRequired { reason: told, .. } if told == reason),
                "{status} {body}: {error:?}"
            );
            assert!(!lives, "{status} {body}");
        }
    }
}

#[tokio::test]
async fn nothing_else_ends_a_grant() {
    const DEAD: &str = r#"{"error":"invalid_grant","error_description":"upstream unavailable"}"#;
    for status in [408, 425, 429, 500, 501, 502, 503, 504, 520, 302] {
        let (error, lives) = refreshed(Answer::status(status, DEAD)).await;
        assert!(lives && error.is_retryable(), "{status}: {error:?}");
        let throttled = matches!(error, Error::Throttled { .. });
        assert_eq!(throttled, status == 429, "{status}: {error:?}");
        let source = error.source().unwrap().downcast_ref::<oauth::Error>().unwrap();
        assert_eq!(source.code(), None, "{status}: its code is no word on the grant");
    }
    for (status, body) in [
        (400, "<html>{\"error\":\"invalid_grant\"}</html>"),
        (200, "<html>invalid_grant</html>"),
        (400, "invalid_grant"),
        (400, r#"["invalid_grant"]"#),
        (400, r#"{"error":"invalid_grant_type"}"#),
        (400, r#"{"error":"not_invalid_grant"}"#),
        (400, r#"{"error":"grant expired: invalid_grant"}"#),
        (400, r#"{"error_description":"invalid_grant"}"#),
        (400, r#"{"error":"invalid_grant""#),
        (400, r#"{"error":400}"#),
        (401, r#"{"error":"INVALID_CLIENT"}"#),
        (400, r#"{"error":"Invalid_Scope: payments"}"#),
    ] {
        let (error, lives) = refreshed(Answer::typed(status, "text/html", body)).await;
        assert!(lives && !error.reauthorization_required(), "{status} {body}: {error:?}");
    }
}

#[tokio::test]
async fn when_the_server_asks_to_be_left_alone_it_is() {
    let answer = |status| Answer::status(status, r#"{"error":"invalid_grant"}"#).header("retry-after", "77");
    for status in [429, 503] {
        let (error, _) = refreshed(answer(status)).await;
        assert_eq!(
            error.retry_after(),
            Some(Duration::from_secs(77)),
            "{status}: {error:?}"
        );
    }
}

// --- what a refresh asks for

#[tokio::test]
async fn a_refresh_asks_for_what_was_granted_and_no_more() {
    let reply = |n: usize, scope: &str| {
        Answer::json(format!(
            r#"{{"access_token":"token-{n}","expires_in":3600,"refresh_token":"refresh-{n}"{scope}}}"#
        ))
    };
    for (exchanged, asked) in [
        (r#","scope":"payments""#, "payments"),
        (r#","scope":["ofxrates"]"#, "ofxrates"),
        (r#","scope":"payments ofxrates openid""#, "ofxrates openid payments"),
        (r#","scope":"all-of-it""#, "all-of-it"),
        // Not told: as asked for (RFC 6749 section 5.1).
        ("", "ofxrates payments"),
        (r#","scope":"""#, "ofxrates payments"),
    ] {
        let world = World::new([
            reply(1, exchanged),
            reply(2, ""),
            reply(3, r#","scope":"less""#),
            reply(4, ""),
        ])
        .await;
        let user = world.ofx().await.unwrap();
        let mut sent = Vec::new();
        for _ in 0..3 {
            world.later();
            user.tokens().fresh().await.unwrap();
            sent.push(world.last_request().field("scope").unwrap());
        }
        // The second reply says nothing of scopes, the third says that there are fewer.
        assert_eq!(sent, [asked, asked, "less"], "{exchanged}");
    }
}

// --- whose tokens they are

#[tokio::test]
async fn tokens_of_another_account_are_neither_stored_nor_used() {
    let reply = |n: usize, account: &str| {
        Answer::json(format!(
            r#"{{"access_token":"token-{n}","expires_in":3600,"refresh_token":"refresh-{n}"{account}}}"#
        ))
    };
    const FIRST: &str = r#","account_id":"acc_1""#;
    for other in [
        r#","account_id":"acc_2""#,
        r#","account_id":2"#,
        r#","account_id":"acc_1","account_id":"acc_2""#,
        r#","account_id":["acc_2"]"#,
        r#","account_id":{"id":"acc_2"}"#,
        r#","account_id":"acc_2\ud83d""#,
        r#","accountId":"acc_2""#,
        r#","account_id":null,"AccountId":"acc_2""#,
    ] {
        let world = World::new([reply(1, FIRST), reply(2, other), reply(3, FIRST)]).await;
        let user = world.finexer().await;
        world.later();
        let error = user.tokens().fresh().await.unwrap_err();
        assert!(
            matches!(&error, Error::OtherAccount { field } if field == "account_id"),
            "{other}: {error:?}"
        );
        assert!(!error.is_retryable() && !format!("{error} {error:?}").contains("acc_"));
        assert!(user.client().list_bank_accounts().send().await.is_err());
        assert_eq!(world.recorder.calls().len(), 0, "{other}: nothing is called with it");
        let tokens = world.stored(user.key()).await;
        assert_eq!(
            (tokens.generation, refresh_token(&tokens)),
            (1, Some("refresh-1")),
            "{other}"
        );
        assert_eq!(tokens.extra["account_id"], "acc_1");
        // A server that comes to its senses is believed.
        world.later();
        assert_eq!(text(&user.tokens().fresh().await.unwrap()), "Bearer token-3");
    }
    for same in [
        "",
        FIRST,
        r#","account_id":null"#,
        r#","account_id":"""#,
        r#","account_id":" acc_1 ""#,
        r#","account_id":["acc_1"]"#,
        r#","account_id":"acc_2","account_id":"acc_1""#,
    ] {
        let world = World::new([reply(1, FIRST), reply(2, same)]).await;
        let user = world.finexer().await;
        world.later();
        assert_eq!(text(&user.tokens().fresh().await.unwrap()), "Bearer token-2", "{same}");
        assert_eq!(user.extra().account_id.as_deref(), Some("acc_1"), "{same}");
    }
}

#[tokio::test]
async fn the_id_token_is_kept_on_request_only() {
    for (kept, told) in [(true, Some("live-id-token")), (false, None)] {
        let reply = |n| {
            let token = token(n);
            Answer::json(token.replacen('{', r#"{"id_token":"live-id-token","#, 1))
        };
        let world = World::new([reply(1), reply(2)]).await;
        let app = world.app::<mx::Provider>().keep_id_token(kept).build().unwrap();
        let user = World::login(&app, &["accounts"]).await.unwrap();
        for generation in [1, 2] {
            let tokens = world.stored(user.key()).await;
            let id_token = tokens.id_token.as_ref().map(|token| token.expose_secret());
            assert_eq!((tokens.generation, id_token), (generation, told));
            world.later();
            user.tokens().fresh().await.unwrap();
        }
    }
    let world = World::new([Answer::json(token(1).replacen(
        '{',
        r#"{"id_token":"live-id-token","#,
        1,
    ))])
    .await;
    let user = world.ofx().await.unwrap();
    assert!(
        world.stored(user.key()).await.id_token.is_none(),
        "by default it is not"
    );
}

// --- what a server says

#[tokio::test]
async fn what_a_server_says_is_read_by_a_method_and_printed_nowhere() {
    // Everything that came in: the fields, and the header with the credentials.
    let echo = |seen: &Seen| {
        let heads: Vec<String> = seen
            .headers
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let said = format!(
            "You said\n\u{202e}{} {} {}",
            seen.text(),
            heads.join(" "),
            "x".repeat(2000)
        );
        let body = serde_json::json!({ "error": "invalid_grant", "error_description": said });
        Answer::status(400, body.to_string())
    };
    let recorder = Recorder::start(move |seen, _| echo(seen)).await;
    let app = |recorder: &Recorder| {
        builder::<ofx::Provider>(recorder)
            .credentials(finrail::Credentials::new("client", "a&b/live secret"))
            .build()
            .unwrap()
    };
    let error = World::login(&app(&recorder), &["payments"]).await.unwrap_err();
    assert_eq!(error.code(), Some("invalid_grant"));
    let printed = format!("{error} {error:?} {error:#?}");
    assert!(!printed.contains("You said") && !printed.contains("live"), "{printed}");
    let said = error.description().unwrap();
    assert!(said.starts_with("You saidgrant_type=authorization_code"), "{said}");
    assert!(
        said.chars().count() <= 300 && !said.contains('\n') && !said.contains('\u{202e}'),
        "{said}"
    );
    assert!(said.contains("code=[REDACTED]"), "{said}");
    for secret in ["live", "code-1", "a%26b", "a&b"] {
        assert!(!said.contains(secret), "{secret}: {said}");
    }
    let oauth::Error::Server(server) = &error else {
        panic!("{error:?}")
    };
    assert_eq!(server.description(), Some(said));
    assert!(!format!("{server} {server:?}").contains("You said"));

    // By HTTP Basic the secret goes out in a header.
    let said_back = |seen: &Seen| {
        let body = serde_json::json!({ "error": "invalid_client", "error_description": seen.header("authorization") });
        Answer::status(401, body.to_string())
    };
    let recorder = Recorder::start(move |seen, _| said_back(seen)).await;
    let app = builder::<mx::Provider>(&recorder).build().unwrap();
    let error = World::login(&app, &["accounts"]).await.unwrap_err();
    assert_eq!(error.description(), Some("Basic [REDACTED]"));
}

// --- the end of a grant

#[tokio::test]
async fn a_revocation_is_done_when_the_token_is_gone_and_never_when_something_else_answers() {
    let revoked = async |answer: Answer| {
        let world = World::new([Answer::json(token(1)), answer, Answer::empty(200)]).await;
        let app = world.app::<mx::Provider>().build().unwrap();
        let user = World::login(&app, &["accounts"]).await.unwrap();
        user.revoke().await
    };
    for (status, body) in [
        (200, ""),
        (200, "{}"),
        (200, r#"{"error":"invalid_token"}"#),
        (400, r#"{"error":"invalid_token"}"#),
        (401, r#"{"error":"INVALID_TOKEN: unknown"}"#),
        (400, r#"{"error":"invalid_grant"}"#),
    ] {
        let outcome = revoked(Answer::status(status, body)).await;
        assert!(outcome.is_ok(), "{status} {body}: {outcome:?}");
    }
    for (status, body, retryable) in [
        // What will never succeed is not to be tried again later (RFC 7009 section 2.2.1).
        (400, r#"{"error":"unsupported_token_type"}"#, false),
        (400, r#"{"error":"something_else"}"#, false),
        (401, r#"{"error":"invalid_client"}"#, false),
        (403, "{}", false),
        (404, "", false),
        (200, r#"{"error":"unsupported_token_type"}"#, false),
        // The server, or something in front of it, is out of order.
        (400, r#"{"error":"temporarily_unavailable"}"#, true),
        (503, r#"{"error":"invalid_token"}"#, true),
        (503, r#"{"error":"invalid_grant"}"#, true),
        (429, r#"{"error":"invalid_token"}"#, true),
        (500, "", true),
        (403, "<html>Not from here</html>", true),
        (200, "<html>Log in first</html>", true),
        (202, "", true),
    ] {
        let error = revoked(Answer::status(status, body)).await.expect_err(body);
        assert_eq!(error.is_retryable(), retryable, "{status} {body}: {error:?}");
    }
}

#[tokio::test]
async fn after_a_lost_reply_to_a_revocation_a_token_that_is_unknown_is_a_token_that_is_gone() {
    let unknown = r#"{"error":"invalid_request","error_description":"This refresh token is not known"}"#;
    let half = "HTTP/1.1 204 No Con".as_bytes().to_vec();
    for lost in [Answer::Drop, Answer::Pieces(vec![(Duration::ZERO, half)])] {
        for elsewhere in [false, true] {
            let answers = [Answer::json(token(1)), lost.clone(), Answer::status(400, unknown)];
            let world = World::new(answers).await;
            let user = world.finexer().await;
            let error = user.revoke().await.unwrap_err();
            assert!(matches!(error, Error::InDoubt { .. }), "{error:?}");
            assert!(error.is_retryable() && !error.reauthorization_required());
            // The grant lives, as far as anybody knows.
            assert!(user.tokens().header().is_some());
            let again = match elsewhere {
                true => {
                    let other = world.app::<finexer::Provider>().build().unwrap();
                    other.connection(user.key()).await.unwrap().unwrap()
                }
                false => user,
            };
            again.revoke().await.unwrap();
            let stored = world.store.load(again.key()).await.unwrap().unwrap();
            assert!(Record::decode(&stored.bytes).unwrap().tokens.is_none());
        }
    }
    // Without a lost reply before, nobody knows what the server means by it: the first time, and after every answer.
    let answers = [
        Answer::json(token(1)),
        Answer::status(400, unknown),
        Answer::status(400, unknown),
    ];
    let world = World::new(answers).await;
    let user = world.finexer().await;
    for attempt in [1, 2] {
        let error = user.revoke().await.unwrap_err();
        assert!(matches!(error, Error::RequestRejected { .. }), "{attempt}: {error:?}");
    }
    assert_eq!(refresh_token(&world.stored(user.key()).await), Some("refresh-1"));
    // Nor when the token is another one by now.
    let answers = [
        Answer::json(token(1)),
        Answer::Drop,
        Answer::json(token(2)),
        Answer::status(400, unknown),
    ];
    let world = World::new(answers).await;
    let user = world.finexer().await;
    user.revoke().await.unwrap_err();
    world.later();
    assert_eq!(text(&user.tokens().fresh().await.unwrap()), "Bearer token-2");
    let error = user.revoke().await.unwrap_err();
    assert!(matches!(error, Error::RequestRejected { .. }), "{error:?}");
}

#[tokio::test]
async fn where_the_refresh_token_may_be_gone_a_token_that_is_unknown_ends_the_revocation() {
    let unknown = r#"{"error":"invalid_request","error_description":"This refresh token is not known"}"#;
    // The refresh has no answer, or is refused; the same after a revocation without an answer.
    let dead = Answer::status(400, r#"{"error":"invalid_grant"}"#);
    for (refresh, revoked_before) in [
        (Answer::Drop, false),
        (dead.clone(), false),
        (Answer::Drop, true),
        (dead, true),
    ] {
        for erases in [false, true] {
            let mut answers = vec![Answer::json(token(1)), refresh.clone(), Answer::status(400, unknown)];
            if revoked_before {
                answers.insert(1, Answer::Drop);
            }
            let world = World::new(answers).await;
            let user = world.finexer().await;
            if revoked_before {
                user.revoke().await.unwrap_err();
            }
            world.later();
            user.tokens().fresh().await.unwrap_err();
            let before = world.recorder.seen().len();
            if erases {
                let app = world.app::<finexer::Provider>().build().unwrap();
                let erased = app.erase(&*user.key().subject).run().await.unwrap();
                assert!(erased.is_complete(), "{erased:?}");
            } else {
                user.revoke().await.unwrap();
                let seen = world.recorder.seen();
                let revoked: Vec<_> = seen[before..]
                    .iter()
                    .filter_map(|request| request.field("refresh_token"))
                    .collect();
                assert_eq!(revoked, ["refresh-1"]);
            }
            let stored = world.store.load(user.key()).await.unwrap().unwrap();
            assert!(Record::decode(&stored.bytes).unwrap().tokens.is_none());
        }
    }
    // What says nothing of the token is no success here either.
    let answers = [Answer::json(token(1)), Answer::Drop, Answer::status(503, "")];
    let world = World::new(answers).await;
    let user = world.finexer().await;
    world.later();
    user.tokens().fresh().await.unwrap_err();
    assert!(user.revoke().await.unwrap_err().is_retryable());
    assert_eq!(refresh_token(&world.stored(user.key()).await), Some("refresh-1"));
}

#[tokio::test]
async fn a_doubt_about_a_revocation_stays_until_the_server_says_what_became_of_the_token() {
    let unknown = r#"{"error":"invalid_request"}"#;
    for between in [
        Answer::status(503, ""),
        Answer::status(401, r#"{"error":"invalid_client"}"#),
        Answer::html(200, "<html>Log in first</html>"),
        Answer::Drop,
    ] {
        let answers = [
            Answer::json(token(1)),
            Answer::Drop,
            between,
            Answer::status(400, unknown),
        ];
        let world = World::new(answers).await;
        let user = world.finexer().await;
        user.revoke().await.unwrap_err();
        user.revoke().await.unwrap_err();
        user.revoke().await.unwrap();
    }
    // Nor does the first answer, where it gives no word on the request: it may have been passed on all the same.
    for first in [
        Answer::html(502, "<html>Bad gateway</html>"),
        Answer::html(504, "<html>Gateway timeout</html>"),
        Answer::empty(500),
        Answer::status(408, "{}"),
        Answer::status(202, ""),
        Answer::html(200, "<html>Log in first</html>"),
        Answer::redirect(302, "https://login.example.com/".to_owned()),
    ] {
        let answers = [Answer::json(token(1)), first, Answer::status(400, unknown)];
        let world = World::new(answers).await;
        let user = world.finexer().await;
        user.revoke().await.unwrap_err();
        user.revoke().await.unwrap();
    }
    // And after a word on it, the next one is as the first.
    let refused = Answer::status(400, r#"{"error":"unsupported_token_type"}"#);
    for first in [
        refused,
        Answer::status(429, "{}"),
        Answer::status(503, r#"{"error":"server_error"}"#),
        Answer::html(503, "<html>Out of order</html>"),
        Answer::status(400, r#"{"error":"temporarily_unavailable"}"#),
    ] {
        let answers = [Answer::json(token(1)), first, Answer::status(400, unknown)];
        let world = World::new(answers).await;
        let user = world.finexer().await;
        user.revoke().await.unwrap_err();
        user.revoke().await.unwrap_err();
    }
    // A provider that does as RFC 7009 says has no such status.
    for (status, body, done) in [
        (400, r#"{"error":"invalid_request"}"#, false),
        (400, r#"{"error":"invalid_token"}"#, true),
        (200, "", true),
    ] {
        let answers = [Answer::json(token(1)), Answer::Drop, Answer::status(status, body)];
        let world = World::new(answers).await;
        let user = World::login(&world.app::<mx::Provider>().build().unwrap(), &["accounts"])
            .await
            .unwrap();
        assert!(matches!(user.revoke().await.unwrap_err(), Error::InDoubt { .. }));
        assert_eq!(user.revoke().await.is_ok(), done, "{status} {body}");
    }
}
