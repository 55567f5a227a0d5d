//! What a call sends and what it reads: bodies, downloads, headers, forms, hosts.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod recorder;
#[macro_use]
mod connected;

use std::time::Duration;

use connected::*;
use finrail::oauth::TokenBody;
use finrail::transport::{ConnectionPoint, Outcome, Problem, RetryPolicy};
use finrail::{Error, finexer, mx, ofx, omnifund, tatrabanka};
use recorder::{Answer, Recorder, Seen, token};
use tokio::time::Instant;

// --- bodies

#[tokio::test]
async fn a_body_is_bounded_in_size_and_time() {
    const MIB: usize = 1024 * 1024;
    let head = |length: &str| format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n{length}\r\n").into_bytes();
    let now = Duration::ZERO;
    let claimed = vec![(now, head("content-length: 99999999999\r\n")), (now, b"[".to_vec())];
    let streamed: Vec<_> = [(now, head(""))]
        .into_iter()
        .chain((0..17).map(|_| (now, vec![b' '; MIB])))
        .collect();
    for pieces in [claimed, streamed] {
        let recorder = Recorder::granting(move |_, _| Answer::Pieces(pieces.clone())).await;
        let error = service(&recorder).list_beneficiaries().send().await.unwrap_err();
        let Error::InvalidReply(reply) = &error else {
            panic!("{error:?}")
        };
        assert!(
            matches!(reply.problem, Problem::TooLarge(limit) if limit == 16 * MIB),
            "{error}"
        );
        assert_eq!(error.status().unwrap().as_u16(), 200);
    }
    let recorder = Recorder::granting(|_, _| Answer::status(400, format!("\"{}\"", "x".repeat(70_000)))).await;
    let error = service(&recorder).list_beneficiaries().send().await.unwrap_err();
    assert!(error.to_string().contains("larger than 65536 bytes"), "{error}");

    // A token reply of more than 1 MiB is none.
    let large = format!(r#"{{"access_token":"{}"}}"#, "x".repeat(MIB));
    let recorder = Recorder::in_order([Answer::json(large)]).await;
    let error = service(&recorder).list_beneficiaries().send().await.unwrap_err();
    assert!(matches!(error, Error::Auth { .. }), "{error:?}");

    // A body that trickles in for ever.
    let mut pieces = vec![(now, head("content-length: 1000\r\n"))];
    pieces.extend((0..1000).map(|_| (Duration::from_millis(100), b" ".to_vec())));
    let recorder = Recorder::granting(move |_, _| Answer::Pieces(pieces.clone())).await;
    let policy = RetryPolicy {
        deadline: Duration::from_millis(700),
        ..RetryPolicy::default()
    };
    let app = builder::<ofx::Provider>(&recorder).retry(policy).build().unwrap();
    let started = Instant::now();
    let error = app
        .client_credentials(["payments"])
        .unwrap()
        .list_beneficiaries()
        .send()
        .await
        .unwrap_err();
    assert!(started.elapsed() < Duration::from_secs(5));
    assert!(error.to_string().contains("the reply did not end in time"), "{error}");
    assert_eq!(
        (error.outcome(), error.status().unwrap().as_u16()),
        (Outcome::Unknown, 200)
    );
}

#[tokio::test]
async fn a_body_that_breaks_off_or_is_garbled_says_where() {
    for (status, outcome, sent) in [
        ("200 OK", Outcome::Unknown, 3),
        ("400 Bad Request", Outcome::Rejected, 1),
        ("503 Service Unavailable", Outcome::Unknown, 3),
    ] {
        let half = format!(
            "HTTP/1.1 {status}\r\ncontent-type: application/json\r\nx-request-id: r-1\r\ncontent-length: 100\r\n\r\n[{{"
        );
        let recorder =
            Recorder::granting(move |_, _| Answer::Pieces(vec![(Duration::ZERO, half.clone().into())])).await;
        let error = service(&recorder).list_beneficiaries().send().await.unwrap_err();
        let Error::Connection(connection) = &error else {
            panic!("{error:?}")
        };
        assert_eq!(
            (connection.point, error.outcome()),
            (ConnectionPoint::Reply, outcome),
            "{status}"
        );
        assert_eq!(error.status().unwrap().as_str(), &status[..3], "the status had come");
        assert_eq!(error.request_id(), Some("r-1"), "{status}");
        assert_eq!(recorder.calls().len(), sent, "{status}");
        let error = service(&recorder)
            .create_deal()
            .body_map(|deal| deal)
            .send()
            .await
            .unwrap_err();
        // Who refused it cannot be told from half a body.
        assert_eq!(error.outcome(), Outcome::Unknown, "{status}");
        assert!(!error.is_retryable(), "{status}");
    }

    for (body, place) in [
        (r#"{"id":"q-1","buyAmount":"#, "the JSON ends too early"),
        ("{]", "not JSON (line 1, column 2)"),
        ("", "the JSON ends too early"),
        (r#"{"id":"q-1"} trailing"#, "not JSON"),
        (r#"{"id":["a"],"buyAmount":1}"#, "`id`: expected a"),
        (r#"{"buyAmount":"a lot"}"#, "`buyAmount`: expected a decimal"),
        (r#"{"buyAmount":{"amount":1}}"#, "`buyAmount`: expected a decimal"),
    ] {
        let recorder = Recorder::granting(move |_, _| Answer::json(body).header("x-request-id", "req-7")).await;
        let error = service(&recorder).get_quote().quote_id("q-1").send().await.unwrap_err();
        let Error::InvalidReply(reply) = &error else {
            panic!("{error:?}")
        };
        assert!(matches!(reply.problem, Problem::Decode { .. }), "{body}: {reply:?}");
        assert!(error.to_string().contains(place), "{body}: {error}");
        assert_eq!(
            (error.status().unwrap().as_u16(), error.request_id()),
            (200, Some("req-7"))
        );
        assert!(!error.to_string().contains("a lot"), "values are not shown");
    }
}

#[tokio::test]
async fn error_bodies_of_every_shape_keep_their_status() {
    // The body, and what is read of it: `error.message`, `message`, `code`, `error_code`.
    for (body, read) in [
        (
            r#"{"error":{"message":"no such customer","code":"resource_missing"},"extra":[1]}"#,
            Some([Some("no such customer"), None, None, None]),
        ),
        (
            r#"{"message":"no such customer","code":"x"}"#,
            Some([None, Some("no such customer"), Some("x"), None]),
        ),
        (
            r#"{"message":"no such customer","error_code":404}"#,
            Some([None, Some("no such customer"), None, Some("404")]),
        ),
        (
            r#"{"error":"not_found","error_code":"x"}"#,
            Some([Some("not_found"), None, None, Some("x")]),
        ),
        (
            r#"{"error":null,"code":"x","error_code":null}"#,
            Some([None, None, Some("x"), None]),
        ),
        ("{}", Some([None; 4])),
        ("[]", None),
        ("", None),
    ] {
        let recorder = Recorder::granting(move |_, _| Answer::status(404, body).header("request-id", "r-1")).await;
        let error = finexer(&recorder)
            .await
            .client()
            .get_customer()
            .customer_id("c")
            .send()
            .await
            .unwrap_err();
        assert_eq!(
            (error.status().unwrap().as_u16(), error.outcome()),
            (404, Outcome::Rejected),
            "{body}"
        );
        assert_eq!(error.request_id(), Some("r-1"), "{body}");
        let told = error.body().map(|body| {
            let nested = body.error.as_ref().and_then(|detail| detail.message.as_deref());
            [
                nested,
                body.message.as_deref(),
                body.code.as_deref(),
                body.error_code.as_deref(),
            ]
        });
        assert_eq!(told, read, "{body}: {error:?}");
    }
    for (body, code) in [(r#"{"code":701,"message":"m"}"#, "701"), (r#"{"code":"701"}"#, "701")] {
        let recorder = Recorder::granting(move |_, _| Answer::status(400, body)).await;
        let error = mx(&recorder)
            .await
            .client()
            .get_current_customer()
            .send()
            .await
            .unwrap_err();
        assert_eq!(error.body().unwrap().code.as_deref(), Some(code));
    }
    let body = r#"{"errors":[{"message":"quote has expired"},{"message":"again"}]}"#;
    let recorder = Recorder::granting(move |_, _| Answer::status(400, body)).await;
    let error = service(&recorder).get_quote().quote_id("q").send().await.unwrap_err();
    let told: Vec<_> = error
        .body()
        .unwrap()
        .errors
        .iter()
        .map(|e| e.message.as_deref())
        .collect();
    assert_eq!(told, [Some("quote has expired"), Some("again")]);
}

#[tokio::test]
async fn a_download_is_bytes_to_the_end() {
    let bytes: Vec<u8> = (0..=255).cycle().take(100_000).collect();
    let file = bytes.clone();
    let recorder = Recorder::granting(move |_, before| match before {
        0 | 1 => Answer::typed(200, "application/pdf", file.clone()),
        _ => Answer::status(404, r#"{"errorCode":"NO_ACCOUNT"}"#),
    })
    .await;
    let user = tatra(&recorder).await;
    let download = || {
        user.client()
            .download_statement()
            .account_id("a")
            .statement_id("s")
            .send()
    };
    assert_eq!(
        download().await.unwrap().into_inner().bytes(100_000).await.unwrap(),
        bytes
    );
    let refused = download().await.unwrap().into_inner().bytes(99_999).await.unwrap_err();
    assert!(refused.to_string().contains("larger than 99999 bytes"), "{refused}");
    assert_eq!(download().await.unwrap_err().status().unwrap().as_u16(), 404);
    assert_eq!(
        recorder.calls()[0].header("accept"),
        Some("application/pdf, application/zip")
    );
}

fn gzip(body: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    std::io::Write::write_all(&mut encoder, body).unwrap();
    encoder.finish().unwrap()
}

#[tokio::test]
async fn a_reply_that_comes_compressed_is_read_though_none_is_asked_for() {
    const DONE: &str = r#"{"dealId":"d1"}"#;
    let done = gzip(DONE.as_bytes());
    let refused = gzip(br#"{"error":"x"}"#);
    let cut = |body: &[u8]| body[..body.len() - 8].to_vec();
    let bomb = gzip(&[&br#"{"dealId":"d1","note":""#[..], &vec![b' '; 17 * 1024 * 1024]].concat());
    for (status, encoding, body, expected) in [
        (200, Some("gzip"), done.clone(), Ok(DONE)),
        (200, None, done.clone(), Ok(DONE)),
        (200, Some("gzip"), DONE.as_bytes().to_vec(), Ok(DONE)),
        (400, Some("gzip"), refused.clone(), Err(Outcome::Rejected)),
        (200, Some("gzip"), cut(&done), Err(Outcome::Unknown)),
        (200, Some("gzip"), bomb, Err(Outcome::Unknown)),
        (200, Some("gzip"), gzip(b""), Err(Outcome::Unknown)),
        (200, Some("br"), b"\x8b\x07\x80{}\x03".to_vec(), Err(Outcome::Unknown)),
    ] {
        let what = format!("{status} {encoding:?} {}", body.len());
        let mut answer = Answer::typed(status, "application/json", body);
        if let Some(encoding) = encoding {
            answer = answer.header("content-encoding", encoding);
        }
        let recorder = Recorder::granting(move |_, _| answer.clone()).await;
        let own = service(&recorder);
        let call = own.create_deal().body_map(|deal| deal.quote_id("q".to_owned()));
        let got = call.send().await;
        assert_eq!(recorder.calls()[0].header("accept-encoding"), Some("identity"));
        assert_eq!(recorder.calls().len(), 1, "{what}");
        let got = got.map(|deal| {
            // What is still there was taken off by somebody else.
            let is_said = deal.headers().contains_key("content-encoding");
            assert_eq!(is_said, encoding.is_some() && what.ends_with(" 15"), "{what}");
            serde_json::to_string(&*deal).unwrap()
        });
        let got = got.map_err(|error| error.outcome());
        assert_eq!(got, expected.map(|body: &str| body.to_owned()), "{what}");
    }
}

#[tokio::test]
async fn a_download_that_comes_compressed_is_what_it_was_before_and_one_that_is_meant_so_stays() {
    let file: Vec<u8> = (0..300_000_u32).flat_map(u32::to_le_bytes).collect();
    let (packed, said) = (gzip(&file), Some("gzip"));
    let mut bare = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::default());
    std::io::Write::write_all(&mut bare, &file).unwrap();
    let bare = bare.finish().unwrap();
    for (encoding, body, expected) in [
        (said, packed.clone(), Some(file.clone())),
        (None, packed.clone(), Some(packed.clone())),
        (said, file.clone(), Some(file.clone())),
        (said, [&packed[..], b"\r\n"].concat(), Some(file.clone())),
        (Some("gzip, gzip"), gzip(&packed), Some(file.clone())),
        (Some("deflate"), bare.clone(), Some(file.clone())),
        (Some("deflate, gzip"), gzip(&bare), Some(file.clone())),
        (Some("utf-8"), file.clone(), Some(file.clone())),
        (said, packed[..packed.len() - 1].to_vec(), None),
        (said, [&packed[..100], b"planted", &packed[100..]].concat(), None),
    ] {
        let mut answer = Answer::typed(200, "application/zip", body);
        if let Some(encoding) = encoding {
            answer = answer.header("content-encoding", encoding);
        }
        let recorder = Recorder::granting(move |_, _| answer.clone()).await;
        let user = tatra(&recorder).await;
        let call = user.client().download_statement().account_id("a").statement_id("s");
        let got = call.send().await.unwrap();
        let is_decoded = encoding.is_some_and(|encoding| encoding != "utf-8");
        for header in ["content-encoding", "content-length"] {
            assert!(
                !(is_decoded && got.headers().contains_key(header)),
                "{encoding:?} {header}"
            );
        }
        let got = got.into_inner().bytes(2_000_000).await;
        if let Err(error) = &got {
            assert!(error.to_string().contains("the reply broke off"), "{error}");
        }
        assert_eq!(got.ok().as_deref(), expected.as_deref());
    }
}

#[tokio::test]
async fn a_download_in_an_encoding_that_cannot_be_undone_is_an_error_and_no_file() {
    for encoding in ["br", "zstd", "compress", "br, gzip", "gzip, gzip, gzip"] {
        let body = gzip(b"what a brotli stream would be");
        let recorder = Recorder::granting(move |_, _| {
            Answer::typed(200, "application/zip", body.clone()).header("content-encoding", encoding)
        })
        .await;
        let user = tatra(&recorder).await;
        let call = user.client().download_statement().account_id("a").statement_id("s");
        let error = call.send().await.unwrap_err();
        assert!(error.to_string().contains("cannot be decoded"), "{error}");
        assert_eq!(recorder.calls().len(), 1, "{encoding}");
    }
}

/// A statement is a PDF or a ZIP archive: a page and an error are not.
#[tokio::test]
async fn a_page_and_an_error_are_no_file() {
    for (media_type, body, is_file) in [
        ("text/html", "<html>log in</html>", false),
        ("Text/HTML; charset=utf-8", "<html>log in</html>", false),
        ("application/xhtml+xml", "<html>log in</html>", false),
        ("application/problem+json", "{}", false),
        ("application/problem+xml", "<problem/>", false),
        ("application/json", r#"{"errorCode":"NO_ACCOUNT"}"#, false),
        ("application/vnd.bank+json", "{}", false),
        ("application/pdf", "%PDF", true),
        ("Application/ZIP", "PK", true),
        ("application/octet-stream", "%PDF", true),
        ("binary/octet-stream", "%PDF", true),
        ("application/x-zip-compressed", "PK", true),
        ("", "%PDF", true),
        // Nothing is no page.
        ("text/html", "", true),
    ] {
        let answer = match media_type {
            "" => Answer::Pieces(vec![(
                Duration::ZERO,
                format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len()).into_bytes(),
            )]),
            _ => Answer::typed(200, media_type, body),
        };
        let recorder = Recorder::granting(move |_, _| answer.clone()).await;
        let user = tatra(&recorder).await;
        let call = user.client().download_statement().account_id("a").statement_id("s");
        let got = call.send().await;
        assert_eq!(got.is_ok(), is_file, "{media_type}: {:?}", got.err());
        let Err(error) = got else { continue };
        assert!(
            matches!(&error, Error::InvalidReply(reply) if matches!(reply.problem, Problem::NotTheFile { .. })),
            "{error:?}"
        );
        assert!(error.to_string().contains("instead of the file"), "{error}");
        assert_eq!(recorder.calls().len(), 1);
    }
}

#[tokio::test]
async fn a_download_may_take_its_time_but_no_piece_of_it_for_ever() {
    let policy = RetryPolicy {
        attempt_timeout: Duration::from_millis(400),
        deadline: Duration::from_millis(600),
        ..RetryPolicy::default()
    };
    let head = b"HTTP/1.1 200 OK\r\ncontent-type: application/pdf\r\nx-request-id: r-1\r\ncontent-length: 10\r\n\r\n";
    let pieces = |last: Duration| {
        let mut pieces = vec![(Duration::ZERO, head.to_vec())];
        pieces.extend((0..9).map(|_| (Duration::from_millis(100), b"x".to_vec())));
        pieces.push((last, b"x".to_vec()));
        pieces
    };
    let answers = [pieces(Duration::ZERO), pieces(Duration::from_secs(60))];
    let recorder = Recorder::granting(move |_, before| Answer::Pieces(answers[before].clone())).await;
    let app = builder(&recorder).retry(policy).build().unwrap();
    let user = connect!(tatrabanka, app, ["PREMIUM_AIS"]);
    let download = || {
        let call = user.client().download_statement();
        call.account_id("a").statement_id("s").send()
    };
    let steady = download().await.unwrap().into_inner().bytes(10).await.unwrap();
    assert_eq!(&*steady, b"xxxxxxxxxx");
    let started = Instant::now();
    let mut stalled = download().await.unwrap().into_inner();
    let mut read = 0;
    let error = loop {
        match stalled.next().await.unwrap() {
            Ok(piece) => read += piece.len(),
            Err(error) => break error,
        }
    };
    assert!(started.elapsed() < Duration::from_secs(10));
    assert_eq!((read, error.timeout, error.point), (9, true, ConnectionPoint::Reply));
    assert_eq!(
        (error.status.unwrap().as_u16(), error.request_id.as_deref()),
        (200, Some("r-1"))
    );
    assert!(stalled.next().await.is_none(), "what broke off is not read on");
}

// --- what is sent

#[tokio::test]
async fn headers_are_those_that_the_providers_document() {
    let recorder = Recorder::granting(|seen, _| match seen.method.as_str() {
        "PUT" => Answer::json("{}"),
        _ => Answer::json(r#"{"id":"q-1","hydra:member":[],"accounts":[],"data":[]}"#),
    })
    .await;
    service(&recorder)
        .create_quote()
        .body_map(|quote| quote.buy_amount(1))
        .send()
        .await
        .unwrap();
    mx(&recorder).await.client().list_accounts().send().await.unwrap();
    omnifund(&recorder)
        .await
        .client()
        .list_customers()
        .send()
        .await
        .unwrap();
    let user = tatra(&recorder).await;
    user.client().list_accounts().send().await.unwrap();
    user.client()
        .refresh_accounts()
        .psu_ip_address("192.0.2.1")
        .psu_user_agent("Browser")
        .send()
        .await
        .unwrap();
    finexer(&recorder).await.client().list_customers().send().await.unwrap();
    let names = |seen: &Seen| {
        let mut names: Vec<String> = seen.headers.iter().map(|(name, _)| name.clone()).collect();
        names.retain(|name| !["host", "content-length"].contains(&name.as_str()));
        names.sort();
        names.join(" ")
    };
    let plain = "accept accept-encoding authorization user-agent";
    let expected = [
        "accept accept-encoding authorization content-type user-agent",
        plain,
        plain,
        "accept accept-encoding authorization user-agent x-request-id",
        "accept accept-encoding authorization psu-ip-address psu-user-agent user-agent x-request-id",
        plain,
    ];
    assert_eq!(recorder.calls().iter().map(names).collect::<Vec<_>>(), expected);
    for seen in recorder.seen() {
        assert_eq!(
            seen.header("user-agent"),
            Some(concat!("finrail/", env!("CARGO_PKG_VERSION")))
        );
        assert_eq!(seen.header("api-version"), None);
    }
    for seen in recorder.token_requests() {
        let known = [
            "accept accept-encoding content-type user-agent",
            "accept accept-encoding authorization content-type user-agent",
        ];
        assert!(known.contains(&names(&seen).as_str()), "{}", names(&seen));
    }
    let accepts: Vec<_> = recorder
        .calls()
        .iter()
        .map(|call| call.header("accept").unwrap().to_owned())
        .collect();
    assert_eq!(accepts[0], "application/json");
    assert_eq!(accepts[2], "application/ld+json, application/json;q=0.9, */*;q=0.8");
}

/// RFC 6750 section 2.
#[tokio::test]
async fn an_access_token_goes_in_one_header_and_nowhere_else() {
    let recorder =
        Recorder::granting(|_, _| Answer::json(r#"{"id":"c","hydra:member":[],"accounts":[],"data":[]}"#)).await;
    let own = service(&recorder);
    own.create_quote()
        .body_map(|quote| quote.buy_amount(1))
        .send()
        .await
        .unwrap();
    mx(&recorder).await.client().list_accounts().send().await.unwrap();
    omnifund(&recorder)
        .await
        .client()
        .list_customers()
        .send()
        .await
        .unwrap();
    tatra(&recorder).await.client().list_accounts().send().await.unwrap();
    let finexer = finexer(&recorder).await;
    finexer.client().list_customers().send().await.unwrap();
    // A form, in which a token could stand too.
    let create = finexer.client().create_customer().body_map(|body| body.name("Jo"));
    create.send().await.unwrap();
    let calls = recorder.calls();
    assert_eq!(calls.len(), 6);
    for (seen, number) in calls.iter().zip([1, 2, 3, 4, 5, 5]) {
        let carriers: Vec<_> = seen
            .headers
            .iter()
            .filter(|(_, value)| value.contains("token-"))
            .collect();
        assert_eq!(
            carriers,
            [&("authorization".to_owned(), format!("Bearer token-{number}"))]
        );
        assert!(!seen.target.contains("token-") && !seen.text().contains("token-"));
    }
}

#[tokio::test]
async fn every_request_has_an_id_of_its_own() {
    let quick = RetryPolicy {
        backoff: Duration::from_millis(1),
        ..RetryPolicy::default()
    };
    let recorder = Recorder::granting(|seen, before| match before {
        0 => Answer::status(503, "{}"),
        1 => Answer::json("{}"),
        _ => Answer::status(400, "{}").header("x-request-id", seen.header("x-request-id").unwrap()),
    })
    .await;
    let user = connect!(
        tatrabanka,
        builder(&recorder).retry(quick).build().unwrap(),
        ["PREMIUM_AIS"]
    );
    user.client().list_accounts().send().await.unwrap();
    let error = user.client().list_accounts().send().await.unwrap_err();
    let ids: Vec<String> = recorder
        .calls()
        .iter()
        .map(|call| call.header("x-request-id").unwrap().to_owned())
        .collect();
    assert_eq!(ids.len(), 3);
    assert!(ids[0] != ids[1] && ids[1] != ids[2] && ids[0] != ids[2], "{ids:?}");
    assert!(ids.iter().all(|id| uuid::Uuid::parse_str(id).is_ok()), "{ids:?}");
    assert_eq!(error.request_id(), Some(ids[2].as_str()));
    assert!(error.to_string().contains(&ids[2]), "{error}");
}

#[tokio::test]
async fn a_secret_with_reserved_characters_is_encoded_before_basic() {
    let recorder = Recorder::in_order([Answer::json(token(1))]).await;
    let app = builder::<mx::Provider>(&recorder).credentials(mx::Credentials::new("id:1", "s %+&/é"));
    connect!(mx, app.build().unwrap(), ["accounts"]);
    let header = recorder.seen()[0].header("authorization").unwrap().to_owned();
    use base64::Engine as _;
    let text = base64::engine::general_purpose::STANDARD
        .decode(header.strip_prefix("Basic ").unwrap())
        .unwrap();
    assert_eq!(
        String::from_utf8(text).unwrap(),
        "id%3A1:s+%25%2B%26%2F%C3%A9",
        "RFC 6749 section 2.3.1"
    );
}

#[tokio::test]
async fn omnifund_takes_token_requests_as_a_form_or_as_json() {
    let recorder = Recorder::in_order([Answer::json(token(1))]).await;
    let app = builder::<omnifund::Provider>(&recorder)
        .token_body(TokenBody::Json)
        .build()
        .unwrap();
    app.password("user", "pässword&", NO_SCOPES).await.unwrap();
    let seen = &recorder.seen()[0];
    assert_eq!(seen.header("content-type"), Some("application/json"));
    let body: serde_json::Value = serde_json::from_slice(&seen.body).unwrap();
    let expected = serde_json::json!({
        "grant_type": "password", "username": "user", "password": "pässword&", "client_id": "client", "client_secret": "secret"
    });
    assert_eq!(body, expected);
    assert_eq!(seen.header("authorization"), None);
}

#[tokio::test]
async fn forms_and_queries_are_written_as_the_providers_read_them() {
    let recorder = Recorder::granting(|seen, _| match seen.path() {
        "/consents" => Answer::json(r#"{"id":"c"}"#),
        "/api/v1/settlements" => Answer::json(r#"{"items":[]}"#),
        _ => Answer::json(r#"{"data":[],"hydra:member":[]}"#),
    })
    .await;
    let client = finexer(&recorder).await;
    let mut consent = client.client().create_consent();
    consent = consent.body_map(|body| {
        body.customer("cus 1")
            .scopes(["accounts", "balance"])
            .return_url("https://app.example.com/?a=1&b=2".to_owned())
            .metadata(std::collections::BTreeMap::from([(
                "order".to_owned(),
                "7&8".to_owned(),
            )]))
    });
    consent.send().await.unwrap();
    let sent = recorder.calls().pop().unwrap();
    assert_eq!(sent.header("content-type"), Some("application/x-www-form-urlencoded"));
    let mut fields: Vec<&str> = sent.text().split('&').collect();
    fields.sort_unstable();
    let expected = [
        "customer=cus+1",
        "metadata%5Border%5D=7%268",
        "return_url=https%3A%2F%2Fapp.example.com%2F%3Fa%3D1%26b%3D2",
        "scopes%5B%5D=accounts",
        "scopes%5B%5D=balance",
    ];
    assert_eq!(fields, expected);

    let client = omnifund(&recorder).await;
    let pending = client
        .client()
        .list_pending_transactions()
        .ids(vec![1, 2])
        .tran_date_between("10..20")
        .tran_date_gte(5);
    pending.send().await.unwrap();
    let sent = recorder.calls().pop().unwrap();
    let mut fields: Vec<&str> = sent.target.split_once('?').unwrap().1.split('&').collect();
    fields.sort_unstable();
    assert_eq!(
        fields,
        [
            "id%5B%5D=1",
            "id%5B%5D=2",
            "tranDate%5Bbetween%5D=10..20",
            "tranDate%5Bgte%5D=5"
        ]
    );
    let filter = r#"{"settleDate":">=20260101"}"#;
    client.client().list_settlements().filter(filter).send().await.unwrap();
    assert_eq!(
        recorder.calls().pop().unwrap().query(),
        [("filter".to_owned(), filter.to_owned())]
    );
}

#[tokio::test]
async fn keys_that_are_not_tokens_go_where_they_belong() {
    let recorder = Recorder::granting(|_, _| Answer::json(r#"{"data":[],"hydra:member":[],"client_id":"c"}"#)).await;
    let key = finexer::Client::builder()
        .base_url(recorder.origin())
        .access_key("live_key", "")
        .build()
        .unwrap();
    key.list_customers().send().await.unwrap();
    let key = omnifund::Client::builder()
        .base_url(recorder.origin())
        .access_key("1", "key/+")
        .build()
        .unwrap();
    key.list_customers().send().await.unwrap();
    let registrar = mx::registration::Client::builder()
        .base_url(recorder.origin())
        .registration_token("dcr")
        .unwrap();
    registrar
        .build()
        .unwrap()
        .get_registered_client()
        .client_id("c")
        .send()
        .await
        .unwrap();
    let sent: Vec<_> = recorder
        .seen()
        .iter()
        .map(|seen| seen.header("authorization").unwrap().to_owned())
        .collect();
    assert_eq!(sent, ["Basic bGl2ZV9rZXk6", "Basic MTprZXkvKw==", "Bearer dcr"]);
}

#[tokio::test]
async fn two_hosts_get_what_is_theirs() {
    let reply = r#"{"access_token":"t","token_type":"bearer","refresh_token":"r"}"#;
    let oauth = Recorder::in_order([Answer::json(reply), Answer::empty(204)]).await;
    let api = Recorder::in_order([Answer::json(r#"{"data":[]}"#)]).await;
    let app = builder(&api)
        .oauth_base_url(oauth.origin())
        .revocation_endpoint(format!("{}/own/revoke", oauth.origin()));
    let user = connect!(finexer, app.build().unwrap(), NO_SCOPES);
    user.client().list_customers().send().await.unwrap();
    user.revoke().await.unwrap();
    assert_eq!(oauth.seen()[1].path(), "/own/revoke", "the path can be set");
    assert!(
        oauth.seen().iter().all(|seen| seen.header("authorization").is_none()),
        "the token stays with the resources"
    );
    assert!(
        api.seen()
            .iter()
            .all(|seen| seen.body.is_empty() && !seen.target.contains("secret"))
    );
}

#[tokio::test]
async fn forgetting_a_grant_sends_nothing_where_there_is_no_revocation() {
    let recorder = Recorder::granting(|_, _| Answer::json("{}")).await;
    let user = omnifund(&recorder).await;
    user.forget().await.unwrap();
    assert_eq!(recorder.seen().len(), 1);
    assert!(
        user.client()
            .list_customers()
            .send()
            .await
            .unwrap_err()
            .reauthorization_required()
    );
}

#[tokio::test]
async fn a_callers_own_http_client_is_the_one_that_is_used() {
    let recorder = Recorder::granting(|_, _| Answer::json("[]")).await;
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mine = reqwest::Client::builder().user_agent("mine/1").build().unwrap();
    let app = builder::<ofx::Provider>(&recorder).http_client(mine).build().unwrap();
    app.client_credentials(["payments"])
        .unwrap()
        .list_beneficiaries()
        .send()
        .await
        .unwrap();
    assert!(
        recorder
            .seen()
            .iter()
            .all(|seen| seen.header("user-agent") == Some("mine/1"))
    );
}
