//! The replies of authorization servers by example.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use http::HeaderValue;
use http::header::RETRY_AFTER;

use super::*;
use crate::oauth::profile::{ExtraField, RefreshFacts, ScopeTemplate};

const PLAIN: Profile = Profile::BASE;
const ASKED: Asked<'static> = Asked {
    request: "the refresh",
    spends: true,
    secrets: &["", "refresh-1", "pass word"],
};
const SEVEN: Duration = Duration::from_secs(7);

fn reply(status: u16, body: &str) -> RawReply {
    RawReply {
        status: StatusCode::from_u16(status).unwrap(),
        headers: HeaderMap::new(),
        body: Zeroizing::new(body.as_bytes().to_vec()),
    }
}

/// The same, with `Retry-After: 7`.
fn busy(status: u16, body: &str) -> RawReply {
    let mut reply = reply(status, body);
    reply.headers.insert(RETRY_AFTER, HeaderValue::from_static("7"));
    reply
}

fn error_body(code: &str) -> String {
    format!(r#"{{"error":"{code}"}}"#)
}

/// The OAuth error that a token request fails with; none: it is another failure.
fn server_error(profile: &Profile, reply: &RawReply) -> Option<ServerError> {
    match reply.token(profile, &ASKED).unwrap_err() {
        Error::Server(error) => Some(error),
        Error::Reply { .. } => None,
        other => panic!("{other:?}"),
    }
}

fn verdict(profile: &Profile, reply: &RawReply) -> Verdict {
    server_error(profile, reply).expect("an OAuth error").verdict
}

/// The problem of a reply that is no answer, and whether what was spent is in doubt.
fn problem(asked: &Asked<'_>, reply: &RawReply) -> (&'static str, bool) {
    match reply.token(&PLAIN, asked).unwrap_err() {
        Error::Reply { problem, in_doubt, .. } => (problem, in_doubt),
        other => panic!("{other:?}"),
    }
}

fn tokens(profile: &Profile, body: &str) -> TokenReply {
    reply(200, body).token(profile, &ASKED).unwrap()
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
fn an_error_code_says_what_becomes_of_the_grant_whatever_the_status() {
    for status in [200, 400, 401, 403, 500, 503] {
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
fn a_429_asks_for_patience_and_ends_no_grant_whatever_its_code() {
    let own = Profile {
        errors: &[("consent_gone", Verdict::Dead)],
        ..PLAIN
    };
    for (code, _) in CODES.into_iter().chain([("consent_gone", Verdict::Dead)]) {
        let throttled = Verdict::Throttled { retry_after: None };
        assert_eq!(verdict(&own, &reply(429, &error_body(code))), throttled, "{code}");
    }
    let retry_after = Some(SEVEN);
    let error = server_error(&PLAIN, &busy(429, &error_body("invalid_grant"))).unwrap();
    assert_eq!(error.verdict, Verdict::Throttled { retry_after });
    assert_eq!(error.retry_after, retry_after);
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
    let (longest, too_long) = ("e".repeat(64), "e".repeat(65));
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
        ("<html>502</html>", None, None),
        ("", None, None),
        // What is shown as a code is a code.
        (r#"{"error":""}"#, None, None),
        (&*error_body(&longest), Some(&*longest), None),
        (&*error_body(&too_long), None, None),
        (r#"{"error":"two words"}"#, None, None),
        (r#"{"error":"f\u00fcnf"}"#, None, None),
        (r#"{"error":"x-refresh-1"}"#, None, None),
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
fn a_description_shows_no_secret_no_control_character_and_only_its_beginning() {
    let long = "x".repeat(400);
    for (told, shown) in [
        ("token refresh-1 is spent", "token [REDACTED] is spent"),
        ("form: password=pass+word", "form: password=[REDACTED]"),
        ("plain: pass word", "plain: [REDACTED]"),
        (r"a\tb\nc", "abc"),
        (&*long, &long[..300]),
    ] {
        let body = format!(r#"{{"error":"e1","error_description":"{told}"}}"#);
        let error = server_error(&PLAIN, &reply(400, &body)).unwrap();
        assert_eq!(error.description.as_deref(), Some(shown));
    }
}

#[test]
fn a_success_that_is_no_token_reply_leaves_in_doubt_what_the_request_spends() {
    let unusable = "the reply has no usable `access_token`";
    let no_object = "the reply is not a JSON object";
    let unfit = "the access token has characters that a header cannot carry";
    let foreign = "the token type is not bearer, which is the only one that is supported";
    for (body, expected) in [
        ("", no_object),
        ("<html>", no_object),
        ("[]", no_object),
        (r#""token""#, no_object),
        ("{}", unusable),
        (r#"{"access_token":["a"]}"#, unusable),
        (r#"{"access_token":""}"#, "the reply has an empty `access_token`"),
        (r#"{"access_token":"a b"}"#, unfit),
        (r#"{"access_token":"a\u007f"}"#, unfit),
        (r#"{"access_token":"a\n"}"#, unfit),
        (r#"{"access_token":"\u00e9"}"#, unfit),
        (r#"{"access_token":"a","token_type":"mac"}"#, foreign),
        (r#"{"access_token":"a","token_type":""}"#, foreign),
    ] {
        for spends in [true, false] {
            let asked = Asked { spends, ..ASKED };
            assert_eq!(problem(&asked, &reply(200, body)), (expected, spends), "{body}");
        }
    }
}

#[test]
fn a_failure_without_a_code_may_be_a_proxys_and_is_told_with_its_retry_after() {
    for body in ["<html>", "{}", "", r#"{"access_token":"a"}"#] {
        let error = busy(503, body).token(&PLAIN, &ASKED).unwrap_err();
        let Error::Reply {
            request,
            status,
            retry_after,
            in_doubt,
            ..
        } = error
        else {
            panic!("{error:?}")
        };
        assert_eq!((request, status), (ASKED.request, StatusCode::SERVICE_UNAVAILABLE));
        assert_eq!((retry_after, in_doubt), (Some(SEVEN), false));
    }
}

#[test]
fn a_token_of_every_character_that_a_header_can_carry_is_taken() {
    let body = r#"{"access_token":"!a~","token_type":"BeArEr","refresh_token":"","id_token":"i"}"#;
    let taken = tokens(&PLAIN, body);
    assert_eq!(taken.access_token.expose_secret(), "!a~");
    assert!(taken.refresh_token.is_none(), "an empty refresh token is none");
    assert_eq!(taken.id_token.unwrap().expose_secret(), "i");
}

#[test]
fn the_life_of_an_access_token_is_the_replys_or_the_documented_one_and_never_longer_than_ten_years() {
    let documented = Profile {
        default_lifetime: Some(1800),
        ..PLAIN
    };
    let millis = Profile {
        expires_in_milliseconds: true,
        ..PLAIN
    };
    for (profile, told, expected) in [
        (&PLAIN, "", None),
        (&PLAIN, r#","expires_in":3600"#, Some(Duration::from_secs(3600))),
        (&PLAIN, r#","expires_in":1"#, Some(Duration::from_secs(1))),
        (&PLAIN, r#","expires_in":0"#, None),
        (&PLAIN, r#","expires_in":-1"#, None),
        (&PLAIN, r#","expires_in":999999999999"#, Some(LONGEST_LIFE)),
        (&documented, "", Some(Duration::from_secs(1800))),
        (&documented, r#","expires_in":0"#, Some(Duration::from_secs(1800))),
        (&documented, r#","expires_in":60"#, Some(Duration::from_secs(60))),
        (&millis, r#","expires_in":3600"#, Some(Duration::from_millis(3600))),
    ] {
        let body = format!(r#"{{"access_token":"a"{told}}}"#);
        assert_eq!(tokens(profile, &body).expires_in, expected, "{told}");
    }
    assert_eq!(LONGEST_LIFE.as_secs(), 315_360_000);
}

#[test]
fn the_life_of_a_refresh_token_is_the_replys_or_the_documented_one_where_there_is_a_refresh_token() {
    let facts = |lifetime, lifetime_field| Profile {
        refresh: RefreshFacts {
            lifetime,
            lifetime_field,
            ..RefreshFacts::BASE
        },
        ..PLAIN
    };
    let (nothing, documented) = (facts(None, None), facts(Some(1800), None));
    let (told, both) = (facts(None, Some("life")), facts(Some(1800), Some("life")));
    for (profile, field, expected) in [
        (&nothing, r#","life":60"#, None),
        (&documented, r#","life":60"#, Some(1800)),
        (&told, "", None),
        (&told, r#","life":60"#, Some(60)),
        (&told, r#","life":" 60 ""#, Some(60)),
        (&told, r#","life":0"#, None),
        (&told, r#","life":-60"#, None),
        (&told, r#","life":true"#, None),
        (&told, r#","life":"soon""#, None),
        (&both, r#","life":60"#, Some(60)),
        (&both, r#","life":0"#, Some(1800)),
        (&both, "", Some(1800)),
        (&both, r#","life":999999999999"#, Some(LONGEST_LIFE.as_secs())),
    ] {
        let body = |rest: &str| format!(r#"{{"access_token":"a"{rest}{field}}}"#);
        let with = tokens(profile, &body(r#","refresh_token":"r""#));
        assert_eq!(with.refresh_expires_in, expected.map(Duration::from_secs), "{field}");
        assert_eq!(tokens(profile, &body("")).refresh_expires_in, None, "{field}");
    }
}

#[test]
fn scopes_are_granted_as_told_and_none_told_is_not_none_granted() {
    for (told, expected) in [("", None), (r#","scope":"""#, None), (r#","scope":"b a""#, Some("a b"))] {
        let reply = tokens(&PLAIN, &format!(r#"{{"access_token":"a"{told}}}"#));
        assert_eq!(
            reply.scopes.map(|scopes| scopes.to_string()).as_deref(),
            expected,
            "{told}"
        );
    }
}

#[test]
fn a_scope_told_with_what_it_is_bound_to_grants_the_scope() {
    let bound = Profile {
        scope_templates: &[ScopeTemplate {
            scope: "ACCOUNTS",
            template: "ACCOUNTS:{consent}!",
            before: "ACCOUNTS:",
            after: "!",
            ..ScopeTemplate::BASE
        }],
        ..PLAIN
    };
    for (told, expected) in [
        ("ACCOUNTS:c-1!", "ACCOUNTS ACCOUNTS:c-1!"),
        ("ACCOUNTS:c-1", "ACCOUNTS:c-1"),
        ("OTHER:c-1!", "OTHER:c-1!"),
    ] {
        assert_eq!(granted(&bound, ScopeSet::parse(told)).to_string(), expected);
    }
}

#[cfg(feature = "tatrabanka")]
#[test]
fn a_scope_told_with_its_id_grants_the_scope() {
    let profile = &crate::tatrabanka::PROFILE;
    for (told, expected) in [
        ("PREMIUM_AIS", "PREMIUM_AIS"),
        ("PREMIUM_AIS:consent-1", "PREMIUM_AIS PREMIUM_AIS:consent-1"),
        ("PREMIUM_PIS_CANC:a-1", "PREMIUM_PIS_CANC PREMIUM_PIS_CANC:a-1"),
        ("OTHER:x", "OTHER:x"),
    ] {
        assert_eq!(granted(profile, ScopeSet::parse(told)).to_string(), expected);
    }
}

#[test]
fn documented_fields_are_kept_as_texts_and_others_are_not_kept() {
    const fn field(name: &'static str) -> ExtraField {
        ExtraField {
            name,
            ..ExtraField::BASE
        }
    }
    const EXTRA: &[ExtraField] = &[
        field("text"),
        field("number"),
        field("flag"),
        field("list"),
        field("absent"),
    ];
    let profile = Profile { extra: EXTRA, ..PLAIN };
    let body = r#"{"access_token":"a","text":"t","number":7,"flag":true,"list":[1],"other":"o"}"#;
    let kept: Vec<_> = tokens(&profile, body).extra.into_iter().collect();
    let expected = [("flag", "true"), ("number", "7"), ("text", "t")];
    assert_eq!(kept, expected.map(|(name, text)| (name.to_owned(), text.to_owned())));
}

/// What comes of a revocation.
#[derive(Debug, PartialEq, Eq)]
enum Revoked {
    Done,
    Refused(Verdict),
    /// Nobody knows, and asking again does no harm.
    Open,
}

#[test]
fn a_revocation_is_done_when_the_server_says_so_and_an_oauth_error_says_the_opposite_at_any_status() {
    use Revoked::{Done, Open, Refused};
    let invalid = r#"{"error":"invalid_client"}"#;
    for (success, status, body, expected) in [
        (&[200][..], 200, "", Done),
        (&[200], 200, "{}", Done),
        (&[200], 200, "<html>", Done),
        (&[200], 204, "", Done),
        (&[204], 200, "", Done),
        (&[200, 404], 404, "", Done),
        (&[200], 404, "", Open),
        (&[200], 503, "<html>", Open),
        (&[200], 200, invalid, Refused(Verdict::ClientMisconfigured)),
        (&[200], 204, invalid, Refused(Verdict::ClientMisconfigured)),
        (&[200, 404], 404, invalid, Refused(Verdict::ClientMisconfigured)),
        (&[200], 401, invalid, Refused(Verdict::ClientMisconfigured)),
        (
            &[200],
            503,
            r#"{"error":"server_error"}"#,
            Refused(Verdict::Transient { retry_after: None }),
        ),
    ] {
        let outcome = match reply(status, body).revocation(&PLAIN, success, &ASKED) {
            Ok(()) => Done,
            Err(Error::Server(error)) => Refused(error.verdict),
            Err(Error::Reply { in_doubt: false, .. }) => Open,
            Err(other) => panic!("{other:?}"),
        };
        assert_eq!(outcome, expected, "{status} {body}");
    }
}
