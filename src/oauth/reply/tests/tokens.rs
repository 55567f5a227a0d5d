//! The tokens of a reply, and why there are none.

use super::*;
use crate::oauth::profile::{ExtraField, RefreshFacts, ScopeTemplate};

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
        (r#"{"access_token":0}"#, unusable),
        (r#"{"access_token":""}"#, "the reply has an empty `access_token`"),
        (r#"{"access_token":"a b"}"#, unfit),
        (r#"{"access_token":"a\u007fb"}"#, unfit),
        (r#"{"access_token":"a\nb"}"#, unfit),
        (r#"{"access_token":"\u00e9"}"#, unfit),
        (r#"{"access_token":"a","token_type":"mac"}"#, foreign),
        (r#"{"access_token":"a","token_type":["mac"]}"#, foreign),
        (r#"{"access_token":"a","token_type":"N_A"}"#, foreign),
        (r#"{"access_token":"a""#, "the reply ends in the middle"),
        (
            r#"{"access_token":"a","token_type":"Bea"#,
            "the reply ends in the middle",
        ),
    ] {
        for spends in [Spends::RefreshToken, Spends::Code, Spends::Nothing] {
            let asked = Asked { spends, ..ASKED };
            assert_eq!(
                problem(&asked, &reply(200, body)),
                (expected, spends != Spends::Nothing),
                "{body}"
            );
        }
    }
}

#[test]
fn behind_something_else_only_tokens_are_read_and_nothing_but_an_end_follows_them() {
    let t = r#"{"access_token":"a","refresh_token":"r"}"#;
    let cut = r#"{"access_token":"a","refresh_token":"r","name":"caf"#;
    for body in [
        format!("Warning: x\n{t}"),
        format!("[2026-11-27 10:00:00] warning: x\n{t}"),
        format!("[warn] x\n{t}"),
        format!("\"Notice\" x\n{t}"),
        format!("{{}}\n{t}"),
        format!("{{\"log\":\"x\"}}\n{t}"),
        format!("{{\"access_token\":\"missing\"}}\n{t}"),
        format!("request: {{\"refresh_token\":\"refresh-1\"}}\nreply: {t}"),
        format!("[{cut}"),
        format!("{{\"error\":\"invalid_grant\"}}\n{t}"),
        format!("[]\n{t}"),
        format!("Warning: {{\"user\":1}}\n{t}"),
        format!("Warning: x {{}} in {{ y\n{t}"),
        format!(")]}}',\n{t}"),
        format!("\u{feff}\u{feff}{t}"),
        format!("\0{t}\0"),
        format!("callback({t});"),
        format!("while(1);[{t}]"),
        format!("/*{t}*/"),
        format!("'{t}'"),
        format!("```json\n{t}\n```\n"),
        format!("callback({t});// end"),
        format!("<br />\n<b>Notice</b>: x {{y}} <br />\n{t}"),
        format!("<br />\n<b>Notice</b>: x<br />\n{t}<!-- served by -->\n"),
        format!("<br />\n<b>Notice</b>: x<br />\n[{t}]"),
        format!("<br />\n<b>Notice</b>: x<br />\n{{}}\n<br />\n{t}"),
        format!("<br />\n<b>Notice</b>: x<br />\n{{\"data\":{t}}}"),
        format!("<script>x</script>{t}"),
        format!("<br />\n{cut}"),
        format!("Notice: x\n{cut}"),
        format!("Notice: no cache\n{t}"),
        format!("old: {{\"refresh_token\":\"s\"}}\nnew: {t}"),
        format!("{t}\n<br />\n<b>Notice</b>: y<br />\n"),
    ] {
        let tokens = tokens(&PLAIN, &body);
        assert_eq!(tokens.access_token.expose_secret(), "a", "{body}");
        assert_eq!(tokens.refresh_token.unwrap().expose_secret(), "r", "{body}");
        // A failure has no tokens.
        assert!(read(&PLAIN, &ASKED, &reply(400, &body)).is_err(), "{body}");
    }
    for body in [
        format!("Please log in <script>var s={t};</script>"),
        format!("Please log in <script>var s={t};"),
        format!("Please log in <SCRIPT>var s={cut}"),
        format!("<html><script>{t}</script></html>"),
        format!("<p>{t}</p>"),
        format!("<p data-x='{t}'>"),
        format!("Notice: {t} is what I would send"),
        format!("[{t},{t}"),
        format!("Notice: {{\"previous\":{t},\"access_to"),
        r#"Notice: {"access_token":7,"refresh_token":null}"#.to_owned(),
        r#"Notice: {"x":"\"access_token\":\"a\""}"#.to_owned(),
        r#"Notice: {"error":"invalid_grant"}"#.to_owned(),
        format!("old: {t}"),
        format!("Notice: x\nfrom cache {t}"),
        format!("previous_tokens={t}"),
        format!("{{\"error\":\"invalid_grant\"}} old: {t}"),
    ] {
        let (_, in_doubt) = problem(&ASKED, &reply(200, &body));
        assert!(in_doubt, "{body}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_body_of_many_objects_takes_no_long_time_to_be_read() {
    assert_eq!(MAX_REPLY, 1_048_576);
    for part in [
        "{",
        "{\"",
        "{\"a\":",
        "{\"a\":1}",
        "{\"a\" \"b\"",
        "{\"error\":",
        "[{\"error\":",
        "{\"access_token\":\"a\"}<!--x",
        "{\"access_token\":\"a\"}<!--",
        "{\"access_token\":\"a\"}x",
        "{\"access_token\":\"a\",",
        "<script>{\"access_token\":\"a\"}",
        "\"x\":{\"access_token\":\"a\"},",
    ] {
        for before in ["", "x ", "{", "{\"error\":{", "[", "{\"data\":["] {
            let body = format!("{before}{}-->y", part.repeat(MAX_REPLY / 8 / part.len()));
            let cost = cost(|| {
                let _ = read(&PLAIN, &ASKED, &reply(200, &body));
                let revocation = &crate::oauth::profile::Revocation::BASE;
                let _ = reply(200, &body).revocation(&PLAIN, revocation, false, &ASKED);
            });
            assert!(cost < Duration::from_secs(5), "{before} {part} {cost:?}");
        }
    }
}

#[cfg(target_os = "linux")]
#[test]
fn many_objects_with_the_same_tokens_take_no_long_time_beside_one_of_many_fields() {
    let tokens = r#""access_token":"a","refresh_token":"r""#;
    let others = vec![format!("{{{tokens}}}"); 4000].join(",");
    let fields: String = (0..20_000).map(|at| format!(r#","{at}":1"#)).collect();
    for body in [
        format!(r#"{{"data":{{{tokens}{fields}}},"x":[{others}]}}"#),
        format!(r#"{{"data":[{others}],"x":{{{tokens}{fields}}}}}"#),
        format!(r#"[{{{tokens}{fields}}},{others}]"#),
        format!(r#"{{"access_token":"a"{fields},"x":[{others}]}}"#),
        format!(r#"{{"refresh_token":"r"{fields},"x":[{others}]}}"#),
    ] {
        let cost = cost(|| assert!(read(&PLAIN, &ASKED, &reply(200, &body)).is_ok()));
        assert!(cost < Duration::from_secs(5), "{cost:?}");
    }
}

#[test]
fn a_failure_without_a_code_may_be_a_proxys_and_is_told_with_its_retry_after() {
    for body in ["<html>", "{}", "", r#"{"access_token":"a"}"#] {
        let error = read(&PLAIN, &ASKED, &busy(503, body)).unwrap_err();
        let Error::Reply {
            request,
            status,
            problem,
            retry_after,
            in_doubt,
        } = error
        else {
            panic!("{error:?}")
        };
        assert_eq!((request, status), (ASKED.request, StatusCode::SERVICE_UNAVAILABLE));
        assert_eq!((retry_after, in_doubt), (Some(SEVEN), false));
        assert!(problem.starts_with("an error without an OAuth error code"), "{problem}");
    }
}

#[test]
fn a_refresh_token_is_kept_for_itself_where_one_was_spent_and_it_is_new() {
    let odd = reply(200, r#"{"refresh_token":"r","access_token":[7]}"#);
    let kept = read(&PLAIN, &ASKED, &odd).unwrap();
    assert!(kept.unusable.is_some() && kept.access_token.is_empty());
    assert_eq!(kept.refresh_token.unwrap().expose_secret(), "r");
    let nothing_spent = Asked {
        spends: Spends::Nothing,
        ..ASKED
    };
    let error = read(&PLAIN, &nothing_spent, &odd).unwrap_err();
    assert!(error.is_retryable(), "nothing was spent: {error:?}");
    let echo = r#"{"refresh_token":"refresh-1","error":"invalid_grant"}"#;
    assert_eq!(
        read(&PLAIN, &ASKED, &reply(200, echo)).unwrap_err().verdict(),
        Verdict::Dead
    );
    // Beside an error, whatever it says, it may be a word on the one that was sent.
    for code in ["of_no_standard", "server_error"] {
        let made = format!(r#"{{"refresh_token":"r","error":"{code}"}}"#);
        assert!(problem(&ASKED, &reply(200, &made)).1, "{made}");
    }
    // One that cannot be read: the old one may be spent.
    for made in [
        r#"{"refresh_token":{"x":"r"},"error":"server_error"}"#,
        r#"{"data":{"access_token":"a\u007fb"},"error":"of_no_standard"}"#,
        r#"{"a":{"access_token":"a","refresh_token":"r"},"b":{"access_token":"b","refresh_token":"s"},"error":"slow_down"}"#,
    ] {
        assert!(problem(&ASKED, &reply(200, made)).1, "{made}");
    }
    // What was sent is none that it made.
    let sent = r#"{"refresh_token":"refresh-1","error":"server_error"}"#;
    assert!(read(&PLAIN, &ASKED, &reply(200, sent)).is_err());
    // The one that was sent stays good where a token stands beside it, though not one that can be used.
    for (access, is_kept) in [("7", true), (r#"["a"]"#, true), ("null", false)] {
        let body = format!(r#"{{"refresh_token":"refresh-1","access_token":{access}}}"#);
        assert_eq!(read(&PLAIN, &ASKED, &reply(200, &body)).is_ok(), is_kept, "{access}");
    }
    // No tokens come with a status that is no success.
    for status in [302, 400, 500] {
        let body = r#"{"access_token":"a","refresh_token":"r"}"#;
        assert!(read(&PLAIN, &ASKED, &reply(status, body)).is_err(), "{status}");
    }
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
        (&PLAIN, r#","expires_in":3599.9"#, Some(Duration::from_secs(3599))),
        (&PLAIN, r#","expires_in":"3599.9""#, Some(Duration::from_secs(3599))),
        (&PLAIN, r#","expires_in":" 3600 ""#, Some(Duration::from_secs(3600))),
        (&PLAIN, r#","expires_in":1e3"#, Some(Duration::from_secs(1000))),
        (&PLAIN, r#","expires_in":"1E3""#, Some(Duration::from_secs(1000))),
        (&PLAIN, r#","expires_in":0.9"#, None),
        (&PLAIN, r#","expires_in":-3599.9"#, None),
        (&PLAIN, r#","expires_in":"-1""#, None),
        (&PLAIN, r#","expires_in":9223372036854775807"#, Some(LONGEST_LIFE)),
        (&PLAIN, r#","expires_in":18446744073709551616"#, Some(LONGEST_LIFE)),
        (&PLAIN, r#","expires_in":1e30"#, Some(LONGEST_LIFE)),
        (&PLAIN, r#","expires_in":1e400"#, None),
        (&PLAIN, r#","expires_in":"soon""#, None),
        (&PLAIN, r#","expires_in":"""#, None),
        (&PLAIN, r#","expires_in":true"#, None),
        (&PLAIN, r#","expires_in":[3600]"#, None),
        (&PLAIN, r#","expires_in":null"#, None),
        (
            &PLAIN,
            r#","expires_in":60,"expires_in":3600"#,
            Some(Duration::from_secs(3600)),
        ),
        (
            &PLAIN,
            r#","expires_in":3600,"expires_in":"soon""#,
            Some(Duration::from_secs(3600)),
        ),
        (&documented, "", Some(Duration::from_secs(1800))),
        (&documented, r#","expires_in":0"#, Some(Duration::from_secs(1800))),
        (&documented, r#","expires_in":60"#, Some(Duration::from_secs(60))),
        (&millis, r#","expires_in":3600"#, Some(Duration::from_millis(3600))),
        (&millis, r#","expires_in":3599.9"#, Some(Duration::from_millis(3599))),
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
    for (told, expected) in [
        ("", None),
        (r#","scope":"""#, None),
        (r#","scope":"b a""#, Some("a b")),
        (r#","scope":"b,a""#, Some("a b")),
        (r#","scope":["b","a",7]"#, Some("a b")),
        (r#","scope":[]"#, None),
        // What is told and cannot be read: none is known.
        (r#","scope":{"a":true}"#, Some("")),
        (r#","scope":[{"name":"a"}]"#, Some("")),
        (r#","scope":"a caf\ud83d""#, Some("")),
        (r#","scope":7"#, Some("")),
        (r#","scope":null"#, None),
        (r#","scope":false"#, None),
        (r#","scope":{}"#, None),
        (r#","scope":"a","scope":"b""#, Some("b")),
        (r#","scope":"a","scope":null"#, Some("a")),
    ] {
        let reply = tokens(&PLAIN, &format!(r#"{{"access_token":"a"{told}}}"#));
        assert_eq!(
            reply.scopes.map(|scopes| scopes.to_string()).as_deref(),
            expected,
            "{told}"
        );
    }
}

#[test]
fn scopes_are_told_apart_by_what_the_provider_puts_between_them() {
    let own = Profile {
        scope_separator: ";",
        scope_separators_accepted: &["+"],
        ..PLAIN
    };
    for (told, expected) in [
        (r#""b;a""#, "a b"),
        (r#""b;;a+c d""#, "a b c d"),
        (r#"["b;a","c"]"#, "a b c"),
    ] {
        let reply = tokens(&own, &format!(r#"{{"access_token":"a","scope":{told}}}"#));
        assert_eq!(reply.scopes.map(|scopes| scopes.to_string()).as_deref(), Some(expected));
        let plain = tokens(&PLAIN, &format!(r#"{{"access_token":"a","scope":{told}}}"#));
        assert!(plain.scopes.is_some_and(|scopes| !scopes.contains("a")), "{told}");
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
        assert_eq!(granted(&bound, &ScopeSet::parse(told)).to_string(), expected);
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
        assert_eq!(granted(profile, &ScopeSet::parse(told)).to_string(), expected);
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
        field("spaced"),
        field("empty"),
        field("blank"),
    ];
    let profile = Profile { extra: EXTRA, ..PLAIN };
    let body = r#"{"access_token":"a","text":"t","number":7,"flag":true,"list":[1],"spaced":" s\n","empty":"","blank":" ","other":"o"}"#;
    let kept: Vec<_> = tokens(&profile, body).extra.into_iter().collect();
    let expected = [("flag", "true"), ("number", "7"), ("spaced", "s"), ("text", "t")];
    assert_eq!(kept, expected.map(|(name, text)| (name.to_owned(), text.to_owned())));
}

#[test]
fn tokens_that_a_server_wraps_are_found_and_those_at_the_top_come_first() {
    for body in [
        r#"{"data":{"access_token":"a","refresh_token":"r"}}"#,
        r#"{"status":"ok","result":{"n":1},"token":{"refresh_token":"r","access_token":"a"},"x":7}"#,
        r#"{"tokens":[{"kind":"none"},{"access_token":"a","refresh_token":"r"}]}"#,
        r#"[{"access_token":"a","refresh_token":"r"}]"#,
        r#" [ {"x":1}, {"access_token":"a","refresh_token":"r"}] "#,
        r#"[{"access_token":"a"},{"refresh_token":"r"}]"#,
        r#"[{"access_token":"a","refresh_token":"r"},{"x":1}]"#,
        // The server names the field for an error where there is none, and that for a token where there is none.
        r#"{"error":null,"data":{"access_token":"a","refresh_token":"r"}}"#,
        r#"{"error":"","data":{"access_token":"a","refresh_token":"r"}}"#,
        r#"{"error":[],"data":{"access_token":"a","refresh_token":"r"}}"#,
        r#"{"error":{},"data":{"access_token":"a","refresh_token":"r"}}"#,
        r#"{"error":{"code":0,"message":""},"data":{"access_token":"a","refresh_token":"r"}}"#,
        r#"{"error":{"code":null},"data":{"access_token":"a","refresh_token":"r"}}"#,
        r#"{"error":{"code":0,"message":"all is well"},"data":{"access_token":"a","refresh_token":"r"}}"#,
        r#"{"error":[{"code":"0"}],"data":{"access_token":"a","refresh_token":"r"}}"#,
        r#"{"error":{"code":200,"message":"Success"},"data":{"access_token":"a","refresh_token":"r"}}"#,
        r#"{"Error":{"Code":0,"Message":"Operation completed"},"session":{"access_token":"a","refresh_token":"r"}}"#,
        r#"{"ERROR":{"Code":"00","Message":"Operation completed"},"session":{"access_token":"a","refresh_token":"r"}}"#,
        r#"{"error":{"code":"OK","message":"Operation completed"},"session":{"access_token":"a","refresh_token":"r"}}"#,
        r#"{"error":0.0,"data":{"access_token":"a","refresh_token":"r"}}"#,
        r#"{"error":"0000","data":{"access_token":"a","refresh_token":"r"}}"#,
        r#"{"error":"n/a","data":{"access_token":"a","refresh_token":"r"}}"#,
        r#"{"error":"NO ERROR","data":{"access_token":"a","refresh_token":"r"}}"#,
        r#"{"error":"none","data":{"access_token":"a","refresh_token":"r"}}"#,
        r#"{"error":"0","data":{"access_token":"a","refresh_token":"r"}}"#,
        r#"{"error":0,"data":{"access_token":"a","refresh_token":"r"}}"#,
        r#"{"error":" OK ","data":{"access_token":"a","refresh_token":"r"}}"#,
        r#"{"error":{},"access_token":"a","data":{"refresh_token":"r"}}"#,
        // Whatever error stands beside them.
        r#"{"error":{"code":"e1"},"data":{"access_token":"a","refresh_token":"r"}}"#,
        r#"{"error":["e1"],"data":{"access_token":"a","refresh_token":"r"}}"#,
        r#"{"error":{"message":"e1"},"data":{"access_token":"a","refresh_token":"r"}}"#,
        r#"{"error":[{"code":7}],"data":{"access_token":"a","refresh_token":"r"}}"#,
        r#"{"error":7,"data":{"access_token":"a","refresh_token":"r"}}"#,
        r#"{"error":404,"data":{"access_token":"a","refresh_token":"r"}}"#,
        r#"{"error":2001,"data":{"access_token":"a","refresh_token":"r"}}"#,
        r#"{"error":{"code":null,"message":"e1"},"data":{"access_token":"a","refresh_token":"r"}}"#,
        r#"{"error":"server_error","data":{"access_token":"a","refresh_token":"r"}}"#,
        r#"{"error":"invalid_grant","data":{"access_token":"a","refresh_token":"r"}}"#,
        r#"{"error":"e1","access_token":"a","data":{"refresh_token":"r"}}"#,
        r#"{"refresh_token":"refresh-1","data":{"access_token":"a","refresh_token":"r"}}"#,
        // In a list, alone.
        r#"{"access_token":"a","refresh_token":["r"]}"#,
        r#"{"error":false,"access_token":null,"data":{"access_token":"a","refresh_token":"r"}}"#,
        // Each in an object of its own.
        r#"{"access":{"access_token":"a"},"refresh":{"refresh_token":"r"}}"#,
        r#"{"access_token":"a","refresh":{"refresh_token":"r"}}"#,
        r#"{"refresh_token":"r","access":{"access_token":"a"}}"#,
        r#"{"refresh_token":"r","access":{"access_token":"a"},"user":{"id":1}}"#,
        r#"{"data":{"access_token":"a","refresh_token":"r"},"previous":{"refresh_token":"s"}}"#,
        // The request, repeated.
        r#"{"request":{"grant_type":"refresh_token","refresh_token":"refresh-1"},"data":{"access_token":"a","refresh_token":"r"}}"#,
        // In another case, where the names of the standard do not stand there.
        r#"{"accessToken":"a","refreshToken":"r"}"#,
        r#"{"access_token":"a","refreshToken":"r"}"#,
        r#"{"access_token":"a","refresh_token":"r","refreshToken":"s"}"#,
        r#"{"access_token":"a","refresh":{"refreshToken":"r"}}"#,
        r#"{"AccessToken":"a","RefreshToken":"r"}"#,
        r#"{"ACCESS_TOKEN":"a","refresh-token":"r"}"#,
        r#"{"refresh_token":"refresh-1","data":{"accessToken":"a","refreshToken":"r"}}"#,
        r#"{"access_token":"a","refresh_token":"r","data":{"accessToken":"b","refreshToken":"c"}}"#,
        // Where what stands there by the name of the standard is none, or the one that was sent.
        r#"{"access_token":"a","refresh_token":"refresh-1","refreshToken":"r"}"#,
        r#"{"access_token":"a","refresh_token":null,"refreshToken":"r"}"#,
        r#"{"access_token":"a","refreshToken":"r","refresh_token":""}"#,
        r#"{"access_token":"a","refreshToken":"r","refresh_token":["s","t"]}"#,
        r#"{"access_token":null,"accessToken":"a","refresh_token":"r"}"#,
        r#"{"access_token":"","accessToken":"a","refresh_token":"r","refreshToken":null}"#,
        // The same access token again, with the refresh token beside it.
        r#"{"access_token":"a","tokens":{"access_token":"a","refresh_token":"r"}}"#,
        r#"{"access_token":"a","session":{"accessToken":"a","refreshToken":"r"}}"#,
        r#"{"refresh_token":"r","tokens":{"access_token":"a","refresh_token":"r"}}"#,
        r#"{"data":{"access_token":"a","refresh_token":"r"},"tokens":[{"access_token":"a","refresh_token":"r"}]}"#,
        r#"{"access_token":"a","data":{"access_token":"a","refresh_token":"r"},"tokens":{"refresh_token":"r"}}"#,
        // Where both stand side by side, or in one object, one alone is not theirs; and what has none is passed over.
        r#"{"access_token":"a","refresh_token":"r","data":{"refresh_token":"s"}}"#,
        r#"{"data":{"access_token":"a","refresh_token":"r"},"token":{"refresh_token":"s"}}"#,
        r#"{"access_token":"a","data":{"n":1},"tokens":{"refresh_token":"r"}}"#,
        r#"{"access":{"access_token":"a"},"data":{"n":1},"tokens":{"refresh_token":"r"}}"#,
        r#"{"refresh_token":"r","data":{"access_token":"a"},"result":{"n":1}}"#,
        // Odd fields.
        r#"{"name":"Joe "J" Doe","access_token":"a","refresh_token":"r"}"#,
        r#"{"access_token":"a","refresh_token":"r","data":{"access_token":"b","refresh_token":"c"}}"#,
    ] {
        let read = tokens(&PLAIN, body);
        assert_eq!(read.access_token.expose_secret(), "a", "{body}");
        assert_eq!(read.refresh_token.unwrap().expose_secret(), "r", "{body}");
    }
    // What only looks like them, an error beside them, an end that is missing, and several of which one may be older.
    for body in [
        r#"{"data":"{\"access_token\":\"a\"}"}"#,
        r#"{"data":{"data":{"access_token":"a"}}}"#,
        r#"{"error":"server_error","request":{"refresh_token":"r","access_token":"a"}}"#,
        // What an error or nothing else says which is the reply's.
        r#"{"error":"e1","details":{"access_token":"a"}}"#,
        r#"{"error":"e1","session":{"access_token":"a","refresh_token":"r"}}"#,
        r#"{"error":"e1","history":[{"access_token":"a","refresh_token":"r"}]}"#,
        r#"{"message":"gone","last_tokens":{"access_token":"a","refresh_token":"r"}}"#,
        r#"{"status":"processing","old":{"refresh_token":"refresh-0"}}"#,
        r#"{"message":"expired","old":{"access_token":"a","refresh_token":"refresh-0"}}"#,
        r#"{"originalRequest":{"access_token":"a","refresh_token":"refresh-0"}}"#,
        r#"{"data":{"access_token":"a"],"x":1}"#,
        r#"[["access_token","a"]]"#,
        r#"["#,
        r#"{"data":{"access_token":"a","refresh_token":"r","scope":"#,
        r#"{"data":{"access_token":"a","expires_in":600},"refresh_to"#,
        r#"[{"access_token":"a","refresh_token":"r"},{"refresh_token":"refr"#,
        r#"{"previous":{"access_token":"a","refresh_token":"r"},"access_token":"ac"#,
        r#"[{"access_token":"a","refresh_token":"r"},{"access_token":"b","refresh_token":"s"}]"#,
        // Only what was sent, repeated.
        r#"{"status":"processing","refresh_token":"refresh-1"}"#,
        r#"{"status":"processing","refreshToken":"refresh-1"}"#,
        r#"{"status":"processing","refreshToken":"****sh-1"}"#,
        // An error in the spelling of the tokens.
        r#"{"Error":"invalid_grant","RefreshToken":"r"}"#,
        r#"{"Error":"invalid_grant","AccessToken":"a","RefreshToken":"field 1 is required"}"#,
        r#"{"ERROR":"e1","Session":{"AccessToken":"a","RefreshToken":"r"}}"#,
        r#"{"Error":{"Code":7,"Message":"Operation completed"},"session":{"access_token":"a","refresh_token":"r"}}"#,
        r#"{"Error":{"Code":0,"Message":"The token is locked"},"session":{"access_token":"a","refresh_token":"r"}}"#,
        r#"{"access_token":"[REDACTED]","refresh_token":"[REDACTED]"}"#,
        r#"{"access_token":"<Your[Access-Token]GoesHere>","refresh_token":"${Refresh_Token[Goes_Here]}"}"#,
        r#"{"access_token":"acce...en-1","refresh_token":"refr...sh-1"}"#,
        r#"{"access_token":"[sha256:0a1b2c]","refresh_token":"[sha256:0a1b2d]"}"#,
        r#"{"status":"processing","request":{"refresh_token":"refresh-1"}}"#,
    ] {
        assert!(read(&PLAIN, &ASKED, &reply(200, body)).is_err(), "{body}");
    }
    // A refresh token without an access token.
    for body in [
        r#"{"refresh_token":"r"}"#,
        r#"{"data":{"refresh_token":"r"}}"#,
        r#"{"error":"none","refresh_token":"r"}"#,
        r#"{"access_token":"null","refresh_token":"r"}"#,
        r#"{"refreshToken":"r"}"#,
        r#"{"status":"ok","success":true,"refresh_token":"r"}"#,
    ] {
        let alone = tokens(&PLAIN, body);
        assert!(alone.unusable.is_some(), "{body}");
        assert_eq!(alone.refresh_token.unwrap().expose_secret(), "r", "{body}");
    }
    // An older pair beside the new access token is not what replaces the spent refresh token.
    let older = r#"{"access_token":"a","previous":{"access_token":"b","refresh_token":"s"}}"#;
    assert!(tokens(&PLAIN, older).refresh_token.is_none());
    let linked = r#"{"access_token":"a","tokens":{"access_token":"b","refresh_token":"s"}}"#;
    assert!(tokens(&PLAIN, linked).refresh_token.is_none());
    let two = r#"{"access_token":"a","x":{"access_token":"a","refresh_token":"r"},"tokens":{"refresh_token":"s"}}"#;
    assert!(tokens(&PLAIN, two).refresh_token.is_none());
    // Nor is one alone in an object of another's, or of a name that nobody knows.
    for name in [
        "previous",
        "linked",
        "revoked",
        "request",
        "old_tokens",
        "oldTokens",
        "PREV",
        "partner",
    ] {
        let body = format!(r#"{{"access_token":"a","{name}":[{{"refresh_token":"refresh-0"}}]}}"#);
        assert!(tokens(&PLAIN, &body).refresh_token.is_none(), "{name}");
    }
    for name in ["data", "Result", "tokens", "holder_payload"] {
        let body = format!(r#"{{"{name}":{{"access_token":"a","refresh_token":"r"}}}}"#);
        assert!(tokens(&PLAIN, &body).refresh_token.is_some(), "{name}");
    }
    // What stands beside the wrapper counts.
    let beside = tokens(&PLAIN, r#"{"expires_in":60,"scope":"s","data":{"access_token":"a"}}"#);
    assert_eq!(beside.expires_in, Some(Duration::from_secs(60)));
    assert!(beside.scopes.unwrap().contains("s"));
    let own = Profile {
        extra: &[ExtraField {
            name: "account_id",
            subject: true,
        }],
        ..PLAIN
    };
    for (told, read) in [
        (r#""acc_2""#, Some("acc_2")),
        // One that is not read would tell of no other account.
        (r#"["acc_2"]"#, Some("acc_2")),
        ("[2]", Some("2")),
        (r#"{"id":"acc_2"}"#, Some("acc_2")),
        (r#""acc_2\ud83d""#, Some("acc_2\u{fffd}")),
        (r#"["acc_1","acc_2"]"#, None),
        ("null", None),
        (r#""""#, None),
        (r#"null,"accountId":"acc_2""#, Some("acc_2")),
        (r#""","AccountID":"acc_2""#, Some("acc_2")),
        (r#""acc_2","accountId":"acc_1""#, Some("acc_2")),
    ] {
        for name in ["account_id", "accountId", "AccountId", "account-id"] {
            let body = format!(r#"{{"{name}":{told},"data":{{"access_token":"a","refresh_token":"r"}}}}"#);
            // Of two that are not the standard's the last counts.
            if name == "account_id" || !told.contains("acc_1") {
                let account = tokens(&own, &body).extra.get("account_id").cloned();
                assert_eq!(account.as_deref(), read, "{name} {told}");
            }
        }
    }
    let with_life = Profile {
        refresh: RefreshFacts {
            lifetime_field: Some("refresh_expires_in"),
            ..RefreshFacts::BASE
        },
        ..PLAIN
    };
    let all =
        r#"{"AccessToken":"a","RefreshToken":"r","expires_in":null,"ExpiresIn":60,"refreshExpiresIn":90,"Scope":"s"}"#;
    let all = tokens(&with_life, all);
    assert_eq!(all.expires_in, Some(Duration::from_secs(60)));
    assert_eq!(all.refresh_expires_in, Some(Duration::from_secs(90)));
    assert!(all.scopes.unwrap().contains("s"));
    let foreign = r#"{"AccessToken":"a","TokenType":"mac"}"#;
    assert!(problem(&ASKED, &reply(200, foreign)).0.contains("not bearer"));
}

/// What is read beside an error: the tokens; none: the code, or that it cannot be told.
type Beside = Result<(&'static str, Option<&'static str>), Option<&'static str>>;

#[test]
fn beside_a_known_error_only_a_new_pair_or_an_access_token_with_its_type_or_life_is_read() {
    const GRANT: Beside = Err(Some("invalid_grant"));
    const PAIR: Beside = Ok(("a", Some("r")));
    let of_a_code = Asked {
        spends: Spends::Code,
        secrets: &["code-1"],
        ..ASKED
    };
    for (beside, refreshed, exchanged) in [
        (r#""refresh_token":"r""#, GRANT, GRANT),
        (r#""access_token":"a""#, GRANT, GRANT),
        (r#""access_token":"a","refresh_token":"r""#, PAIR, PAIR),
        (r#""data":{"access_token":"a","refresh_token":"r"}"#, PAIR, PAIR),
        (r#""access_token":"a","data":{"refresh_token":"r"}"#, PAIR, PAIR),
        (r#""access_token":"a","token_type":"bearer""#, Ok(("a", None)), GRANT),
        (r#""access_token":"a","expires_in":60"#, Ok(("a", None)), GRANT),
        (r#""access_token":"a","expires_in":0"#, GRANT, GRANT),
        (r#""data":{"access_token":"a","expires_in":60}"#, GRANT, GRANT),
        // Another's.
        (r#""session":{"access_token":"a","refresh_token":"r"}"#, GRANT, GRANT),
        (r#""grant":{"access_token":"a","refresh_token":"r"}"#, GRANT, GRANT),
        (r#""details":{"access_token":"a","refresh_token":"r"}"#, GRANT, GRANT),
        (r#""history":[{"access_token":"a","refresh_token":"r"}]"#, GRANT, GRANT),
        (r#""old_data":{"access_token":"a","refresh_token":"r"}"#, GRANT, GRANT),
        // Words on tokens, and what hides one.
        (r#""access_token":"expired","refresh_token":"revoked""#, GRANT, GRANT),
        (r#""access_token":"a","refresh_token":"none issued""#, GRANT, GRANT),
        (r#""access_token":"a","refresh_token":["required"]"#, GRANT, GRANT),
        (r#""access_token":"a","refresh_token":"refr***""#, GRANT, GRANT),
        (r#""access_token":"a","refresh_token":"[REDACTED]""#, GRANT, GRANT),
        (
            r#""access_token":"a","refresh_token":"REFRESH-1""#,
            GRANT,
            Ok(("a", Some("REFRESH-1"))),
        ),
        (
            r#""access_token":"a","refresh_token":"refresh-1""#,
            GRANT,
            Ok(("a", Some("refresh-1"))),
        ),
        (
            r#""access_token":"a","refresh_token":"code-1""#,
            Ok(("a", Some("code-1"))),
            GRANT,
        ),
    ] {
        for (asked, expected) in [(&ASKED, refreshed), (&of_a_code, exchanged)] {
            let body = format!(r#"{{"error":"invalid_grant",{beside}}}"#);
            let tokens = read(&PLAIN, asked, &reply(200, &body));
            let tokens = tokens.as_ref().map(|tokens| {
                let refresh = tokens.refresh_token.as_ref().map(Secret::expose_secret);
                (tokens.access_token.expose_secret(), refresh)
            });
            assert_eq!(tokens.map_err(Error::code), expected, "{beside}");
        }
    }
    // So it is with the other codes that say something that lasts, be they the provider's own.
    let own = Profile {
        errors: &[("consent_gone", Verdict::Dead)],
        ..PLAIN
    };
    for code in ["invalid_client", "invalid_request", "invalid_scope", "consent_gone"] {
        let body = format!(r#"{{"error":"{code}","refresh_token":"r"}}"#);
        assert_eq!(read(&own, &ASKED, &reply(200, &body)).unwrap_err().code(), Some(code));
    }
    // Beside another code what hides a token is none either.
    for code in ["server_error", "of_no_standard"] {
        for beside in [
            r#""refresh_token":"refr***""#,
            r#""refresh_token":"The refresh token field is required.""#,
            r#""result":{"refresh_token":["required"]}"#,
            r#""access_token":"missing""#,
            r#""access_token":"refresh-1""#,
        ] {
            let body = format!(r#"{{"error":"{code}",{beside}}}"#);
            let error = read(&PLAIN, &ASKED, &reply(200, &body)).unwrap_err();
            assert_eq!(error.code(), Some(code), "{beside}");
        }
    }
}

#[test]
fn of_two_that_have_the_same_access_token_alone_nobody_knows_which_refresh_token_it_is() {
    let two = r#"{"data":{"access_token":"a","refresh_token":"r"},"tokens":{"access_token":"a","refresh_token":"s"}}"#;
    assert!(problem(&ASKED, &reply(200, two)).1);
}

#[test]
fn a_refresh_token_alone_is_none_beside_whatever_hints_at_an_error() {
    for body in [
        r#"{"data":{"Error":"invalid_grant","RefreshToken":"not_found"}}"#,
        r#"{"data":{"error":"invalid_grant","refresh_token":"not_found"}}"#,
        r#"{"data":{"errors":["invalid_grant"],"refresh_token":"not_found"}}"#,
        r#"{"errors":[{"code":4711}],"data":{"refresh_token":"E4711"}}"#,
        r#"{"ErrorCode":4711,"RefreshToken":"E4711"}"#,
        r#"{"error_code":4711,"refresh_token":"E4711"}"#,
        r#"{"Fault":{"code":"E4711"},"RefreshToken":"E4711"}"#,
        r#"{"success":false,"refresh token":"blacklisted"}"#,
        r#"{"success":false,"refresh_token":"blacklisted"}"#,
        r#"{"status":"failed","refresh_token":"blacklisted"}"#,
        r#"{"refresh token":"blacklisted"}"#,
        r#"[{"errors":["x"]},{"refresh_token":"E4711"}]"#,
        "Notice: x\n{\"errorCode\":4711,\"refresh_token\":\"E4711\"}",
        "RefreshToken=E4711",
        "refresh.token=E4711&status=failed",
        "refresh_token=E4711&status=failed",
    ] {
        assert!(problem(&ASKED, &reply(200, body)).1, "{body}");
    }
    // An error in an object of its own takes nothing from the access token beside it.
    for inner in [
        r#""Error":"invalid_grant","RefreshToken":"not_found""#,
        r#""errorCode":4711,"refresh_token":"not_found""#,
    ] {
        for body in [
            format!(r#"{{"access_token":"a","data":{{{inner}}}}}"#),
            format!(r#"[{{"access_token":"a"}},{{{inner}}}]"#),
        ] {
            assert!(tokens(&PLAIN, &body).refresh_token.is_none(), "{body}");
        }
    }
}

#[test]
fn what_is_told_of_the_refresh_token_alone_is_not_told_of_the_access_token() {
    for (body, expires_in, scope) in [
        (
            r#"{"access":{"access_token":"a","expires_in":300,"scope":"s"},"refresh":{"refresh_token":"r","expires_in":86400,"scope":"offline"}}"#,
            Some(300),
            Some("s"),
        ),
        (
            r#"{"access":{"access_token":"a"},"refresh":{"refresh_token":"r","expires_in":86400,"token_type":"Refresh"}}"#,
            None,
            None,
        ),
        (
            r#"{"access_token":"a","expires_in":300,"refresh":{"refresh_token":"r","expires_in":86400}}"#,
            Some(300),
            None,
        ),
        (
            r#"{"access_token":"a","refresh":{"refresh_token":"r","expires_in":86400,"scope":"offline"}}"#,
            None,
            None,
        ),
        (
            r#"{"access_token":"a","expires_in":300,"session":{"access_token":"a","refresh_token":"r","expires_in":7200}}"#,
            Some(300),
            None,
        ),
        (
            r#"{"access_token":"a","session":{"access_token":"a","refresh_token":"r","expires_in":7200,"scope":"s"}}"#,
            Some(7200),
            Some("s"),
        ),
        (
            r#"{"refresh_token":"r","expires_in":86400,"access":{"access_token":"a","expires_in":300}}"#,
            Some(300),
            None,
        ),
        (
            r#"{"expires_in":300,"data":{"access_token":"a","refresh_token":"r"}}"#,
            Some(300),
            None,
        ),
        (
            r#"{"expires_in":7,"data":{"access_token":"a","refresh_token":"r","expiresIn":300}}"#,
            Some(300),
            None,
        ),
    ] {
        let read = tokens(&PLAIN, body);
        assert_eq!(read.expires_in, expires_in.map(Duration::from_secs), "{body}");
        assert_eq!(read.scopes.map(|scopes| scopes.to_string()).as_deref(), scope, "{body}");
        assert_eq!(read.refresh_token.unwrap().expose_secret(), "r", "{body}");
        assert!(read.unusable.is_none(), "{body}");
    }
}
