//! OAuth errors: their codes, what they mean for the grant, and what the server says.

use super::*;

fn error_body(code: &str) -> String {
    format!(r#"{{"error":"{code}"}}"#)
}

/// The OAuth error that a token request fails with; none: it is another failure.
fn server_error(profile: &Profile, reply: &RawReply) -> Option<ServerError> {
    match read(profile, &ASKED, reply).unwrap_err() {
        Error::Server(error) => Some(error),
        Error::Reply { .. } => None,
        other => panic!("{other:?}"),
    }
}

fn verdict(profile: &Profile, reply: &RawReply) -> Verdict {
    server_error(profile, reply).expect("an OAuth error").verdict
}

const CODES: [(&str, Verdict); 9] = [
    ("invalid_grant", Verdict::Dead),
    ("invalid_client", Verdict::ClientMisconfigured),
    ("unauthorized_client", Verdict::ClientMisconfigured),
    ("invalid_request", Verdict::RequestRejected),
    ("invalid_scope", Verdict::RequestRejected),
    ("unsupported_grant_type", Verdict::RequestRejected),
    ("slow_down", Verdict::Throttled { retry_after: None }),
    ("server_error", Verdict::Transient { retry_after: None }),
    ("of_no_standard", Verdict::Transient { retry_after: None }),
];

#[test]
fn an_error_code_says_what_becomes_of_the_grant_with_the_statuses_that_speak_of_the_request() {
    for status in [200, 400, 401, 403, 404, 422, 499] {
        for (code, expected) in CODES {
            assert_eq!(
                verdict(&PLAIN, &reply(status, &error_body(code))),
                expected,
                "{status} {code}"
            );
        }
    }
}

#[test]
fn with_another_status_an_error_code_ends_no_grant_and_refuses_no_request() {
    let own = Profile {
        errors: &[
            ("consent_gone", Verdict::Dead),
            ("busy", Verdict::Throttled { retry_after: None }),
        ],
        ..PLAIN
    };
    let codes = CODES.map(|(code, _)| code);
    for code in codes.into_iter().chain(["consent_gone", "busy"]) {
        for status in [408, 425, 429, 500, 501, 502, 503, 504, 599, 302] {
            let retry_after = Some(SEVEN);
            let body = error_body(code);
            let error = read(&own, &ASKED, &busy(status, &body)).unwrap_err();
            let expected = match (status, code) {
                (429, _) | (_, "slow_down" | "busy") => Verdict::Throttled { retry_after },
                _ => Verdict::Transient { retry_after },
            };
            assert_eq!(error.verdict(), expected, "{status} {code}");
            // Such a code is told where it speaks of the moment too.
            let of_the_moment = ["slow_down", "server_error", "of_no_standard", "busy"];
            let told = of_the_moment.contains(&code).then_some(code);
            assert_eq!(error.code(), told, "{status} {code}");
        }
    }
}

#[test]
fn html_and_what_is_no_whole_json_object_has_no_error_code() {
    for body in [
        "<html>{\"error\":\"invalid_grant\"}</html>",
        "<!doctype html>",
        "invalid_grant",
        "error=invalid_grant",
        r#"["invalid_grant"]"#,
        r#"[{"error":"invalid_grant"}]"#,
        r#""invalid_grant""#,
        // An object in the middle of something else: a page may quote anything.
        r#"Please log in <script>var s={"error":"invalid_grant"};</script>"#,
        r#"&nbsp;<html><script>{"error":"invalid_grant"}</script></html>"#,
        "\u{a0}<html><script>var s={\"error\":\"invalid_grant\"}",
        "Gateway\n<html><body data-x='{\"error\":\"invalid_grant\"}'>",
        r#"<style>body { color: red }</style>{"error":"invalid_grant"}"#,
        r#"sorry, try later {"error":"invalid_grant"}"#,
        r#"{"error":"invalid_grant"} <html>x</html>"#,
        r#"{"error":"invalid_grant"} {"error":"server_error"}"#,
        r#"{color:red} body {"error":"invalid_grant"}"#,
        r#"{ var x = "error" : "invalid_grant" }"#,
        r#"{"request":"say "error":"invalid_grant","x":1}"#,
        r#"<br>{"error":"invalid_grant","x":"\"access_token\"","access_token":null}"#,
        // A part of the reply that speaks of something else.
        r#"[{"error":"invalid_grant","access_token":"***"}]"#,
        r#"{"details":{"error":"invalid_grant","access_token":"***"}}"#,
        // What was to come might have said something else.
        r#"{"error":"invalid_grant""#,
        r#"{"error":"invalid_grant","error_description":"the tok"#,
        r#"{"error":"invalid_gra"#,
        r#"{"error_description":"invalid_grant"}"#,
        r#"{"data":{"error":"invalid_grant"}}"#,
    ] {
        for status in [200, 400, 401] {
            let error = read(&PLAIN, &ASKED, &reply(status, body)).unwrap_err();
            assert_eq!(error.code(), None, "{status} {body}");
            let expected = match status {
                200 => Verdict::InDoubt,
                _ => Verdict::Transient { retry_after: None },
            };
            assert_eq!(error.verdict(), expected, "{status} {body}");
        }
    }
}

#[test]
fn a_code_is_read_in_any_spelling_and_told_in_one() {
    let own = Profile {
        errors: &[("consent_gone", Verdict::Dead)],
        ..PLAIN
    };
    let asked = Asked {
        secrets: &["the/code+spent", "q7Z"],
        ..ASKED
    };
    let (longest, too_long) = ("e".repeat(64), "e".repeat(65));
    for (written, told) in [
        ("invalid_grant", Some("invalid_grant")),
        ("invalid_grant ", Some("invalid_grant")),
        ("\n\tinvalid_grant\r\n", Some("invalid_grant")),
        ("\u{a0}invalid_grant\u{a0}", Some("invalid_grant")),
        ("\u{feff}invalid_grant", Some("invalid_grant")),
        ("INVALID_GRANT", Some("invalid_grant")),
        ("Invalid_Grant", Some("invalid_grant")),
        ("\"invalid_grant\"", Some("invalid_grant")),
        ("invalid_grant: gone", Some("invalid_grant")),
        ("invalid_grant:gone", Some("invalid_grant")),
        ("invalid_grant; gone", Some("invalid_grant")),
        ("invalid_grant, gone", Some("invalid_grant")),
        ("invalid_grant - gone", Some("invalid_grant")),
        ("invalid_grant (gone)", Some("invalid_grant")),
        ("invalid_grant\ngone", Some("invalid_grant")),
        ("invalid_grant/4711", Some("invalid_grant")),
        ("invalid_grant.", Some("invalid_grant")),
        (" INVALID_GRANT: GONE", Some("invalid_grant")),
        ("Consent_Gone.", Some("consent_gone")),
        ("SLOW_DOWN", Some("slow_down")),
        ("Invalid_Token: unknown", Some("invalid_token")),
        ("Invalid Grant", Some("invalid_grant")),
        ("invalid-grant", Some("invalid_grant")),
        ("InvalidGrant", Some("invalid_grant")),
        ("InvalidGrant: gone", Some("InvalidGrant")),
        ("Invalid: grant", Some("Invalid")),
        // A sentence behind the words may say anything else.
        ("Invalid Request: upstream timed out", Some("Invalid")),
        ("Invalid grant: service is in maintenance", Some("Invalid")),
        ("unsupported grant type", Some("unsupported_grant_type")),
        ("ConsentGone", Some("consent_gone")),
        ("Invalid grant for now", Some("Invalid")),
        ("invalid client credentials", Some("invalid")),
        // Codes that nobody has listed stay as they are written.
        ("E-4711", Some("E-4711")),
        ("Own_Code with a word", Some("Own_Code")),
        ("urn:error:own", Some("urn:error:own")),
        ("invalid_grant_type", Some("invalid_grant_type")),
        ("invalid_grant-like", Some("invalid_grant-like")),
        ("not_invalid_grant", Some("not_invalid_grant")),
        ("sorry: invalid_grant", Some("sorry")),
        (&longest, Some(&longest)),
        (&too_long, None),
        ("", None),
        (" ", None),
        ("...", None),
        ("f\u{fc}nf", None),
        // A part of what was sent, and what holds all of it.
        ("the/code+spent", None),
        ("code", None),
        ("no:the%2Fcode%2Bspent", None),
        ("no:the%2fcode%2bspent", None),
        ("bad_CODE+SPENT_x", None),
        ("invalid_code=the/code+spent", None),
        ("token:$the/co", None),
        // A secret that is shorter than what says something of one, and nearly it.
        ("bad_q7Z_x", None),
        ("bad_Q7z_x", None),
        ("bad_q7y_x", Some("bad_q7y_x")),
        // HTTP Basic of `client:the/code+spent`.
        ("Y2xpZW50OnRoZS9jb2RlK3NwZW50", None),
        ("Basic:Y2xpZW50OnRoZS9jb2RlK3NwZW50", None),
        ("basic_Y2xpZW50OnRoZS9jb2RlK3NwZW50", None),
        ("x-Y2xpZW50OnRoZS9jb2RlK3NwZW50", None),
        // As it is in the alphabet for URLs, and in hexadecimal digits.
        ("PDw_Pz8-dGhlL2NvZGUrc3BlbnQ", None),
        ("7468652f636f64652b7370656e74", None),
        ("E-7468652F636F64652B7370656E74", None),
    ] {
        let body = serde_json::json!({ "error": written }).to_string();
        let error = read(&own, &asked, &reply(400, &body)).unwrap_err();
        assert_eq!(error.code(), told, "{written:?}");
    }
}

#[test]
fn a_provider_says_what_its_own_codes_mean_and_the_reply_how_long_to_wait() {
    let own = Profile {
        errors: &[
            ("consent_gone", Verdict::Dead),
            ("nightly_batch", Verdict::Transient { retry_after: None }),
            ("too_many", Verdict::Throttled { retry_after: None }),
            ("invalid_grant", Verdict::RequestRejected),
        ],
        ..PLAIN
    };
    let retry_after = Some(SEVEN);
    for (code, expected) in [
        ("consent_gone", Verdict::Dead),
        ("nightly_batch", Verdict::Transient { retry_after }),
        ("too_many", Verdict::Throttled { retry_after }),
        ("invalid_grant", Verdict::RequestRejected),
        ("invalid_client", Verdict::ClientMisconfigured),
        ("slow_down", Verdict::Throttled { retry_after }),
        ("server_error", Verdict::Transient { retry_after }),
    ] {
        assert_eq!(verdict(&own, &busy(400, &error_body(code))), expected, "{code}");
    }
}

#[test]
fn an_error_code_is_found_where_servers_are_known_to_put_it() {
    for (body, code, description) in [
        (r#"{"error":"e1"}"#, Some("e1"), None),
        (r#"{"error":"e1","error_description":"why"}"#, Some("e1"), Some("why")),
        (
            r#"{"error":{"code":"e1","type":"e2","message":"why"}}"#,
            Some("e1"),
            Some("why"),
        ),
        (r#"{"error":{"code":7,"type":"e2"}}"#, Some("e2"), None),
        (r#"{"error":{"error":"e3","message":7}}"#, Some("e3"), None),
        (
            r#"{"error":{"code":"e1","message":"inner"},"error_description":"outer"}"#,
            Some("e1"),
            Some("outer"),
        ),
        ("\u{feff}{\"error\":\"e1\"}", Some("e1"), None),
        (r#"{"error":{"message":"why"}}"#, None, None),
        (r#"{"error":7}"#, None, None),
        (r#"{"message":"why"}"#, None, None),
        (r#"["error"]"#, None, None),
        (r#"{"error":["e1","e2"]}"#, Some("e1"), None),
        (r#"{"error":[]}"#, None, None),
        // A code that is known comes before one that is not.
        (
            r#"{"error":{"code":"E400","type":"invalid_grant"}}"#,
            Some("invalid_grant"),
            None,
        ),
        (
            r#"{"error":{"code":"invalid_grant","type":"E400"}}"#,
            Some("invalid_grant"),
            None,
        ),
        (r#"{"error":{"code":"OK","type":"e2"}}"#, Some("e2"), None),
        (r#"{"error":"e1","at":2026-11-27 10:00:00,"x":1}"#, Some("e1"), None),
        (r#"{"error":"e1"};"#, Some("e1"), None),
        // Before the first place that cannot be read.
        (
            r#"{"error":"e1","error_description":"say "x" now"}"#,
            Some("e1"),
            Some("say "),
        ),
        (r#"{"error_description":"say "x" now","error":"e1"}"#, None, None),
        (r#"{"error":"e1","error_description":"say "x" now"} x"#, None, None),
        (r#"{"error":"e1","details":{"a":1}"#, None, None),
        ("<html>502</html>", None, None),
        ("", None, None),
        // Of a key that stands there twice, the last that can be read.
        (r#"{"error":"e1","error":"e2"}"#, Some("e2"), None),
        (r#"{"error":"e1","error":null}"#, Some("e1"), None),
        (r#"{"error":"e1","error":{"code":"e2"}}"#, Some("e2"), None),
        (
            r#"{"error":"e1","error_description":"a","error_description":7}"#,
            Some("e1"),
            Some("a"),
        ),
        // What is odd beside it costs nothing.
        (
            r#"{"error":"e1","error_description":"caf\ud83d"}"#,
            Some("e1"),
            Some("caf\u{fffd}"),
        ),
        (
            r#"{"error":"e1","x":NaN,"y":"two
lines"} <!-- made by -->"#,
            Some("e1"),
            None,
        ),
    ] {
        let error = server_error(&PLAIN, &reply(400, body));
        assert_eq!(error.as_ref().map(|error| &*error.error), code, "{body}");
        assert_eq!(
            error.and_then(|error| error.description).as_deref(),
            description,
            "{body}"
        );
    }
}

#[test]
fn of_a_long_error_the_first_words_are_looked_at_and_nothing_else_is_shown() {
    let code = |said: String| {
        let body = serde_json::json!({ "error": said }).to_string();
        let error = read(&PLAIN, &ASKED, &reply(400, &body)).unwrap_err();
        let told = error.code().map(str::to_owned);
        assert!(!format!("{error} {error:?}").contains("refresh-1"), "{error:?}");
        told
    };
    let long = |before: &str, length: usize, after: &str| format!("{before}{}{after}", " x".repeat(length / 2));
    let oops = Some("oops".to_owned());
    // A secret in what is looked at, and one behind that: there it is next to no code.
    assert_eq!(code(long("oops", 1000, " refresh-1")), None);
    assert_eq!(code(long("oops", 3000, " refresh-1")), oops);
    assert_eq!(code(long("oops", 900_000, "")), oops);
    assert_eq!(code(long("oops", 900_000, "é")), oops);
    let known = Some("invalid_grant".to_owned());
    assert_eq!(code(long("Invalid_Grant:", 900_000, "")), known);
    assert_eq!(code(format!("invalid_grant:{}", "x".repeat(9000))), known);
    // Where the end of what is looked at is in the middle of a word.
    assert_eq!(code(format!("{}{}", "-".repeat(2040), "cmVmcmVzaC0xMg==")), None);
    assert_eq!(code(format!("{}{}", "é".repeat(1023), " oops")), None);
    assert_eq!(code(format!("{}{}", "é".repeat(1022), " QZ7oops")), None);
}

#[test]
fn a_description_is_one_short_line_without_what_the_request_carried_in_secret() {
    let long = "x".repeat(400);
    for (said, shown) in [
        ("gone", "gone"),
        ("token refresh-1 is spent", "token [REDACTED] is spent"),
        ("form: password=pass+word", "form: password=[REDACTED]"),
        ("plain: pass word", "plain: [REDACTED]"),
        ("code the/code+spent is spent", "code [REDACTED] is spent"),
        ("code=the%2Fcode%2Bspent", "code=[REDACTED]"),
        ("code=the%2fcode%2bspent", "code=[REDACTED]"),
        ("key=The%2fKey%2fOne", "key=[REDACTED]"),
        ("key=the%2fkey%2fone", "key=the%2fkey%2fone"),
        ("two\r\nlines\u{0}\ta", "twolinesa"),
        ("\u{202e}right\u{200b} to left\u{feff}", "right to left"),
        // Characters that are not seen hide no secret.
        ("the/co\u{200b}de+sp\nent", "[REDACTED]"),
        // Of two secrets, one may be a part of the other.
        ("refresh-1 refresh-12 refresh-1", "[REDACTED] [REDACTED] [REDACTED]"),
        // As a URL, a page and JSON within JSON have it.
        ("?p=pass%20word", "?p=[REDACTED]"),
        // A secret that has such characters itself.
        ("sec\tret\u{ad}-9\n", "[REDACTED]"),
        ("secret-9", "[REDACTED]"),
        (r"sec\tret\u00ad-9", r"sec\tret\u00ad-9"),
        ("?s=%EF%BB%BFsec%09ret%C2%AD-9%0A", "?s=[REDACTED]"),
        ("was a&amp;&quot;b&#39;&lt;c&gt;", "was [REDACTED]"),
        ("was a&amp;&#34;b&#039;&lt;c&gt;", "was [REDACTED]"),
        ("was a&amp;&quot;b&#x27;&lt;c&gt;", "was [REDACTED]"),
        ("was a&amp;&quot;b&apos;&lt;c&gt;", "was [REDACTED]"),
        (r#"was a&\"b'<c>"#, "was [REDACTED]"),
        (r"code the\/code+spent", "code [REDACTED]"),
        (&long, &long[..300]),
    ] {
        let asked = Asked {
            secrets: &[
                "",
                "refresh-1",
                "refresh-12",
                "pass word",
                "the/code+spent",
                "The/Key/One",
                "a&\"b'<c>",
                "\u{feff}sec\tret\u{ad}-9\n",
            ],
            ..ASKED
        };
        let body = serde_json::json!({ "error": "e1", "error_description": said }).to_string();
        let error = read(&PLAIN, &asked, &reply(400, &body)).unwrap_err();
        assert_eq!(error.description(), Some(shown), "{said:?}");
        assert!(!format!("{error} {error:?} {error:#?}").contains(shown), "{said:?}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_long_secret_takes_no_long_time_to_be_cut_out() {
    for secret in ["/".repeat(30_000), "\u{e9}/".repeat(15_000), "abcdef".repeat(5_000)] {
        let asked = Asked {
            secrets: &[&secret],
            ..ASKED
        };
        for said in ["ab ".repeat(600), "a".repeat(60), "/".repeat(MAX_REPLY / 16)] {
            let body = serde_json::json!({ "error": said, "error_description": said }).to_string();
            let cost = cost(|| {
                let _ = read(&PLAIN, &asked, &reply(400, &body)).unwrap_err();
            });
            assert!(cost < Duration::from_secs(3), "{cost:?}");
        }
    }
}

#[test]
fn of_several_codes_one_that_is_listed_comes_first() {
    let own = Profile {
        errors: &[("consent_gone", Verdict::Dead)],
        ..PLAIN
    };
    for (inner, told) in [
        (r#""code":"E400","type":"consent_gone""#, "consent_gone"),
        (r#""code":"consent_gone","type":"E400""#, "consent_gone"),
        (r#""code":"E400","type":"E401""#, "E400"),
    ] {
        let body = format!(r#"{{"error":{{{inner}}}}}"#);
        let error = read(&own, &ASKED, &reply(400, &body)).unwrap_err();
        assert_eq!(error.code(), Some(told), "{inner}");
    }
}

#[test]
fn in_a_success_no_error_is_read_of_an_object_with_an_end_that_cannot_be_told() {
    let body = r#"{"error":"invalid_grant","error_description":"say "x" now"}"#;
    let error = read(&PLAIN, &ASKED, &reply(200, body)).unwrap_err();
    assert_eq!((error.code(), error.verdict()), (None, Verdict::InDoubt));
    assert_eq!(verdict(&PLAIN, &reply(400, body)), Verdict::Dead);
    // Nor where the rest did not come.
    let mut broken = reply(400, body);
    broken.broken = Some(Broken::default());
    assert_eq!(broken.token(&PLAIN, &ASKED).unwrap_err().code(), None);
}
