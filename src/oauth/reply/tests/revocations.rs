//! What a reply to a revocation request says.

use super::*;
use crate::oauth::profile::Revocation;

/// What comes of a revocation.
#[derive(Debug, PartialEq, Eq)]
enum Revoked {
    Done,
    /// The server would say the same again.
    Refused(Verdict),
    /// It was not carried out, and another time it may be.
    Later,
    /// Nobody knows: whoever answered gave no word on it.
    InDoubt,
}

use Revoked::{Done, InDoubt, Later, Refused};

const REJECTED: Revoked = Refused(Verdict::RequestRejected);
const MISCONFIGURED: Revoked = Refused(Verdict::ClientMisconfigured);

fn outcome(reply: RawReply, success: &'static [u16], unknown_token: &'static [u16], unanswered: bool) -> Revoked {
    let revocation = Revocation {
        success,
        unknown_token,
        ..Revocation::BASE
    };
    let Err(error) = reply.revocation(&PLAIN, &revocation, unanswered, &ASKED) else {
        return Done;
    };
    match error.verdict() {
        Verdict::InDoubt => InDoubt,
        Verdict::Transient { .. } | Verdict::Throttled { .. } => Later,
        verdict => Refused(verdict),
    }
}

#[test]
fn a_revocation_is_done_when_the_server_says_so_by_what_the_specification_lists() {
    for (success, status, body, expected) in [
        (&[200][..], 200, "", Done),
        (&[200], 200, "{}", Done),
        (&[200], 200, "ok", Done),
        (&[200], 200, "null", Done),
        (&[200], 200, r#"{"error":null}"#, Done),
        (&[200], 200, r#"{"error":""}"#, Done),
        (&[204], 204, "", Done),
        (&[200, 404], 404, "", Done),
        (&[200], 200, "[]", Done),
        (&[200], 200, "true", Done),
        (&[200], 200, "Token revoked.", Done),
        (&[200], 200, r#"{"error":{"code":0,"message":"OK","data":[]}}"#, Done),
        (&[200], 200, r#"{"error":False}"#, Done),
        (&[200], 200, r#"{"error":"no errors","errors":[],"error_code":0}"#, Done),
        // What only sounds like an error.
        (&[200], 200, r#"{"default":"web","defaultLocale":"en"}"#, Done),
        (&[200], 200, r#"{"result":{"isDefault":true}}"#, Done),
        (&[200], 200, r#"{"noError":true}"#, Done),
        (&[200], 200, r#"{"error_free":true}"#, Done),
        (
            &[200],
            200,
            r#"{"documentation":{"errors_url":"https://x.example"}}"#,
            Done,
        ),
        (&[200], 200, r#"{"error_code":0,"error_message":"Token revoked"}"#, Done),
        (&[200], 200, r#"{"code":"OK","errorMessage":"Token revoked"}"#, Done),
        (&[200], 200, r#"{"error":0,"error_description":"token revoked"}"#, Done),
        (
            &[200],
            200,
            r#"{"error":false,"error_description":"All is well"}"#,
            Done,
        ),
        (&[200], 200, r#"{"error":"","error_description":"Token revoked"}"#, Done),
        (
            &[200],
            200,
            r#"{"error":null,"error_description":"The token has been revoked."}"#,
            Done,
        ),
        (&[200], 200, r#"{"errorCode":null,"errorMessage":"Revoked"}"#, Done),
        (&[200], 200, r#"{"hasError":"N"}"#, Done),
        (&[200], 200, r#"{"error_code":0,"error_message":"All is well"}"#, Done),
        (&[200], 200, r#"{"error":"","error_message":"All is well"}"#, InDoubt),
        (&[200], 200, r#"{"x":false,"errorMessage":"All is well"}"#, InDoubt),
        (&[200], 200, r#"{"hasError":"Y"}"#, InDoubt),
        (
            &[200],
            200,
            r#"{"error":"","error_description":"Token could not be revoked"}"#,
            InDoubt,
        ),
        (
            &[200],
            200,
            r#"{"error":null,"error_description":"token is locked"}"#,
            InDoubt,
        ),
        (&[200], 200, r#"{"error":0,"errors":["locked"]}"#, InDoubt),
        (&[200], 200, r#"{"error":0,"error_code":7}"#, InDoubt),
        (&[200], 200, r#"{"error_message":"Revoked token"}"#, InDoubt),
        // The text says not, or something else says an error.
        (
            &[200],
            200,
            r#"{"error":false,"error_description":"The token could not be revoked"}"#,
            InDoubt,
        ),
        (
            &[200],
            200,
            r#"{"error":false,"error_description":"The token couldn't be revoked"}"#,
            InDoubt,
        ),
        (
            &[200],
            200,
            r#"{"error":false,"error_description":"Unable to revoke"}"#,
            InDoubt,
        ),
        (
            &[200],
            200,
            r#"{"error":0,"error_description":"token is locked"}"#,
            InDoubt,
        ),
        (
            &[200],
            200,
            r#"{"error_code":0,"error_message":"token is locked"}"#,
            InDoubt,
        ),
        (
            &[200],
            200,
            r#"{"error":false,"status":"failed","errorText":"boom"}"#,
            InDoubt,
        ),
        (&[200], 200, r#"{"ERROR":false,"fault":"boom"}"#, InDoubt),
        (
            &[200],
            200,
            r#"{"code":"E17","error":false,"errorMessage":"boom"}"#,
            InDoubt,
        ),
        (&[200], 200, r#"{"success":false}"#, InDoubt),
        (&[200], 200, r#"{"status":"error"}"#, InDoubt),
        (
            &[200],
            200,
            r#"{"error":false,"error_description":"Completed with no errors"}"#,
            Done,
        ),
        (&[200], 200, r#"{"success":true,"status":"success"}"#, Done),
        (&[200], 200, "No error", Done),
        (&[200], 200, "0 errors", Done),
        (&[200], 200, "Revoked without errors.", Done),
        (&[200], 200, r#"{"error":"0 errors"}"#, Done),
        // Behind what keeps other readers from it.
        (&[200], 200, ")]}',\n{}", Done),
        (&[200], 200, "callback({});", Done),
        (&[200], 200, "- {}", InDoubt),
        (&[200], 200, ") Error {}", InDoubt),
        (&[200], 200, "callback({\"errors\":[1]});", InDoubt),
        (&[200], 200, ")]}',\n{\"error\":\"invalid_request\"}", InDoubt),
        (&[200], 200, r#"{"noErrors":false}"#, InDoubt),
        (&[200], 200, r#"{"haserror":true}"#, InDoubt),
        (&[200], 200, r#"{"error_code":null,"error_message":"locked"}"#, InDoubt),
        (&[200], 200, r#"{"error_code":7,"code":0}"#, InDoubt),
        (&[200], 200, r#"{"code":0,"errors":["locked"]}"#, InDoubt),
        (&[200], 200, "10 errors", InDoubt),
        (&[200], 200, "Error: no token", InDoubt),
        // It is no word on the request, or not the whole of one.
        (&[200], 200, r#"{"a":1}<html>Please log in</html>"#, InDoubt),
        (&[200], 200, "Please log in <style>p{}</style>", InDoubt),
        (&[200], 200, "Notice: x\n{\"error\":\"invalid_request\"}", InDoubt),
        (&[200], 200, "{}\n{\"error\":\"invalid_request\"}", InDoubt),
        (&[200], 200, r#"{"error":"invalid_cl"#, InDoubt),
        (&[200], 200, r#"{"error":"#, InDoubt),
        (
            &[200],
            200,
            r#"{"error_description":"the client is unknown","er"#,
            InDoubt,
        ),
        (&[200], 200, "{", InDoubt),
        (&[200], 200, r#"[{"error":"#, InDoubt),
        (&[200], 200, r#""invalid"#, InDoubt),
        (&[200], 200, r#"{"x" "y" "error":"server_error"}"#, InDoubt),
        (&[200], 200, r#"{"x" "y" "z":1}"#, InDoubt),
        (&[200], 200, "\u{b}\u{5}abc\u{3}", InDoubt),
        (&[200], 200, "\u{5}abc", InDoubt),
        (&[200], 200, "Token\r\n\trevoked", Done),
        (&[200], 400, r#"{"error":"invalid_cl"#, InDoubt),
        // The error stands in another place.
        (&[200], 200, r#"{"errors":[{"code":"invalid_request"}]}"#, InDoubt),
        (&[200], 200, r#"{"error_code":"invalid_request"}"#, InDoubt),
        (&[200], 200, r#"{"fault":{"faultstring":"x"}}"#, InDoubt),
        (&[200], 200, r#"[{"error":"invalid_request"}]"#, InDoubt),
        (&[200], 200, r#"{"data":{"Error":"invalid_request"}}"#, InDoubt),
        (&[200], 200, "error=invalid_request", InDoubt),
        // Another success than those is none.
        (&[200], 204, "", InDoubt),
        (&[204], 200, "", InDoubt),
        (&[204], 200, "{}", InDoubt),
        (&[200], 202, "", InDoubt),
        (&[200], 206, "", InDoubt),
        // A page is somebody else's, whatever its status.
        (&[200], 200, "<html>", InDoubt),
        (&[200], 200, "\u{feff}\r\n <!doctype html>", InDoubt),
        (&[200, 404], 404, "<html>", InDoubt),
        // So is an error of whoever stands in front of the server.
        (&[200], 403, "<html>", InDoubt),
        (&[200], 503, "<html>", Later),
        (&[200], 500, "", InDoubt),
        (&[200], 408, "", InDoubt),
        // A gateway may say so, after the server did what was asked.
        (&[200], 500, r#"{"error":"server_error"}"#, InDoubt),
        (&[200], 500, r#"{"error":"Internal Server Error"}"#, InDoubt),
        (&[200], 502, r#"{"error":"Bad Gateway"}"#, InDoubt),
        (&[200], 504, r#"{"status":504,"error":"Gateway Timeout"}"#, InDoubt),
        (&[200], 504, r#"{"error":"temporarily_unavailable"}"#, InDoubt),
        (&[200], 408, r#"{"error":"Request Timeout"}"#, InDoubt),
        (&[200], 503, r#"{"error":"Service Unavailable"}"#, Later),
        (&[200], 429, r#"{"error":"Too Many Requests"}"#, Later),
        (&[200], 425, "{}", Later),
        (&[200], 429, "", Later),
        (&[200], 302, "", InDoubt),
        (&[200], 307, "", InDoubt),
    ] {
        assert_eq!(
            outcome(reply(status, body), success, &[], false),
            expected,
            "{status} {body}"
        );
    }
}

#[test]
fn what_will_never_succeed_is_no_matter_of_time() {
    for (success, status, body, expected) in [
        (&[200][..], 404, "", REJECTED),
        (&[200], 400, "{}", REJECTED),
        (&[200], 405, "not allowed", REJECTED),
        (&[200], 410, "", REJECTED),
        (&[200], 301, "", REJECTED),
        (&[200], 308, "<html>Moved</html>", REJECTED),
        (&[200], 400, r#"{"error":"unsupported_token_type"}"#, REJECTED),
        (
            &[200],
            400,
            r#"{"error":"UNSUPPORTED_TOKEN_TYPE: access_token"}"#,
            REJECTED,
        ),
        (&[200], 503, r#"{"error":"unsupported_token_type"}"#, Later),
        (&[200], 400, r#"{"error":"invalid_request"}"#, REJECTED),
        (&[200], 403, r#"{"error":"of_no_standard"}"#, REJECTED),
        (&[200], 200, r#"{"error":"of_no_standard"}"#, REJECTED),
        (&[200], 200, r#"{"error":true}"#, REJECTED),
        (&[200], 200, r#"{"error":1}"#, REJECTED),
        (&[200], 200, r#"{"error":{"message":"x y"}}"#, REJECTED),
        (&[200], 200, r#"{"error":{"description":"x y"}}"#, REJECTED),
        // Whatever stands in it that is no word for none.
        (&[200], 200, r#"{"error":{"status":500,"title":"Internal"}}"#, REJECTED),
        (
            &[200],
            200,
            r#"{"error":{"code":"","message":"token is locked"}}"#,
            REJECTED,
        ),
        (
            &[200],
            200,
            r#"{"error":{"code":{},"message":"token is locked"}}"#,
            REJECTED,
        ),
        (
            &[200],
            200,
            r#"{"error":{"code":0,"message":"token is locked"}}"#,
            REJECTED,
        ),
        (&[200], 200, r#"{"error":{"errors":[{"msg":"x"}]}}"#, REJECTED),
        (&[200], 200, r#"{"error":{"id":"invalid_request"}}"#, REJECTED),
        (&[200], 200, r#"{"error":{"Code":"invalid_request"}}"#, REJECTED),
        (&[200], 200, r#"{"error":[{"status":"failed"}]}"#, REJECTED),
        (&[200], 200, r#"{"error":True}"#, REJECTED),
        (&[200], 200, r#"{"error":TRUE}"#, REJECTED),
        (&[200], 200, r#"{"error":failed}"#, REJECTED),
        (&[200], 400, r#"[{"error":"invalid_request"}]"#, REJECTED),
        (&[200], 400, r#"{"errors":["x"]}"#, REJECTED),
        (&[200], 200, r#"{"error":"invalid_client"}"#, MISCONFIGURED),
        (&[200], 204, r#"{"error":"invalid_client"}"#, MISCONFIGURED),
        (&[200, 404], 404, r#"{"error":"invalid_client"}"#, MISCONFIGURED),
        (&[200], 401, r#"{"error":"invalid_client"}"#, MISCONFIGURED),
        // These codes speak of the moment.
        (&[200], 400, r#"{"error":"temporarily_unavailable"}"#, Later),
        (&[200], 400, r#"{"error":"server_error"}"#, Later),
        (&[200], 400, r#"{"error":"slow_down"}"#, Later),
        (&[200], 200, r#"{"error":"server_error"}"#, Later),
        (&[200], 503, r#"{"error":"server_error"}"#, Later),
        (&[200], 429, r#"{"error":"invalid_client"}"#, Later),
    ] {
        assert_eq!(
            outcome(reply(status, body), success, &[], false),
            expected,
            "{status} {body}"
        );
    }
}

#[test]
fn a_token_that_the_server_does_not_know_needs_no_revocation() {
    let dead = Refused(Verdict::Dead);
    for (status, body, expected) in [
        (200, r#"{"error":"invalid_token"}"#, Done),
        (400, r#"{"error":"invalid_token"}"#, Done),
        (401, r#"{"error":"INVALID_TOKEN: unknown"}"#, Done),
        (404, r#"{"error":{"code":"invalid_token "}}"#, Done),
        (400, r#"{"error":"invalid token"}"#, Done),
        (400, r#"{"error":"Invalid Token."}"#, Done),
        (400, r#"{"error":"invalid-token"}"#, Done),
        (400, r#"{"error":"InvalidToken"}"#, Done),
        (400, r#"{"error":"Invalid token: expired"}"#, REJECTED),
        (400, r#"{"error":"invalid_token: expired"}"#, Done),
        (400, r#"{"error":"Invalid token type"}"#, REJECTED),
        (400, r#"{"error":"invalid-token-type"}"#, REJECTED),
        (400, r#"{"error":"Not an invalid token"}"#, REJECTED),
        (503, r#"{"error":"Invalid token"}"#, Later),
        // The grant is over: whoever asked takes this for done.
        (400, r#"{"error":"invalid_grant"}"#, dead),
        // It is no word on the token.
        (408, r#"{"error":"invalid_token"}"#, InDoubt),
        (429, r#"{"error":"invalid_token"}"#, Later),
        (503, r#"{"error":"invalid_token"}"#, Later),
        (503, r#"{"error":"invalid_grant"}"#, Later),
        (400, "<html>invalid_token</html>", InDoubt),
        (400, r#"{"error":"invalid_token_type"}"#, REJECTED),
    ] {
        assert_eq!(
            outcome(reply(status, body), &[200], &[], false),
            expected,
            "{status} {body}"
        );
    }
}

#[test]
fn after_a_lost_reply_the_status_of_an_unknown_token_says_that_it_is_gone() {
    for (status, body, first, second) in [
        (
            400,
            r#"{"error":"invalid_request","error_description":"unknown"}"#,
            REJECTED,
            Done,
        ),
        (400, r#"{"error":"of_no_standard"}"#, REJECTED, Done),
        (400, r#"{"message":"unknown"}"#, REJECTED, Done),
        (400, "", REJECTED, Done),
        // These say something else.
        (400, r#"{"error":"invalid_client"}"#, MISCONFIGURED, MISCONFIGURED),
        (400, r#"{"error":"unauthorized_client"}"#, MISCONFIGURED, MISCONFIGURED),
        (400, r#"{"error":"unsupported_token_type"}"#, REJECTED, REJECTED),
        (400, r#"{"error":"temporarily_unavailable"}"#, Later, Later),
        // Nor does what cannot be read, or is no code.
        (400, r#"{"error":"invalid_cl"#, InDoubt, InDoubt),
        (400, r#"[{"error":"invalid_client"}]"#, REJECTED, REJECTED),
        (400, r#"{"error":{"status":"invalid_client"}}"#, REJECTED, REJECTED),
        (400, r#"{"errors":["invalid_client"]}"#, REJECTED, REJECTED),
        (400, "<html>", InDoubt, InDoubt),
        (403, r#"{"error":"invalid_request"}"#, REJECTED, REJECTED),
        (404, "", REJECTED, REJECTED),
        (429, "", Later, Later),
        (503, "", Later, Later),
        (200, "", InDoubt, InDoubt),
        (204, "", Done, Done),
    ] {
        for (unanswered, expected) in [(false, first), (true, second)] {
            let outcome = outcome(reply(status, body), &[204], &[400], unanswered);
            assert_eq!(outcome, expected, "{status} {body} {unanswered}");
        }
    }
    let body = r#"{"error":"invalid_request"}"#;
    assert_eq!(
        outcome(reply(400, body), &[204], &[], true),
        REJECTED,
        "where the specification lists no such status"
    );
}

#[test]
fn a_reply_that_breaks_off_leaves_the_revocation_in_doubt() {
    for (status, body, expected) in [
        (200, "", InDoubt),
        (200, r#"{"error":"invalid_cl"#, InDoubt),
        (400, r#"{"error":"invalid_to"#, InDoubt),
        (503, "", InDoubt),
        // Its whole word came.
        (400, r#"{"error":"invalid_token"} "#, Done),
        (400, r#"{"error":"invalid_client"} "#, MISCONFIGURED),
    ] {
        let mut reply = reply(status, body);
        reply.broken = Some(Broken::default());
        assert_eq!(outcome(reply, &[200], &[], false), expected, "{status} {body}");
    }
}

#[test]
fn of_a_body_that_is_cut_nothing_is_taken_for_done() {
    let mut cut = reply(200, "pad");
    cut.cut = true;
    assert_eq!(outcome(cut, &[200], &[], false), InDoubt);
}

#[test]
fn an_error_of_any_depth_is_read_without_end_of_the_stack() {
    for depth in [10, 300_000] {
        for (open, close) in [(r#"{"error":"#, "}"), ("[", "]")] {
            let body = format!("{{\"error\":{}1{}}}", open.repeat(depth), close.repeat(depth));
            assert_ne!(outcome(reply(200, &body), &[200], &[], false), Done, "{open} {depth}");
            let tokens = format!(r#"{{"access_token":"a","refresh_token":"r",{}"#, &body[1..]);
            let read = read(&PLAIN, &ASKED, &reply(200, &tokens)).unwrap();
            assert_eq!(read.refresh_token.unwrap().expose_secret(), "r", "{open} {depth}");
        }
    }
}

#[test]
fn a_page_is_known_by_its_type_too() {
    for (of_type, body) in [
        ("text/html", "Please log in <a href=/login>here</a>"),
        ("Text/HTML; charset=utf-8", "&nbsp;<html>"),
        ("application/xhtml+xml", "\u{a0}<html>"),
        ("text/html", "Please log in <script>var s={\"x\":1};</script>"),
        ("text/html", "Please log in <script>var s={};</script>"),
        ("text/html", "\u{a0}<html><style>body{}</style>Log in</html>"),
        ("text/html", "{\"a\":1}<html>Please log in</html>"),
        ("application/xhtml+xml", "Please log in <style>p{}</style>"),
        ("text/html", "callback({\"x\":\"<b>\"});"),
    ] {
        let mut page = reply(200, body);
        let of_type = http::HeaderValue::from_static(of_type);
        page.headers.insert(http::header::CONTENT_TYPE, of_type);
        assert_eq!(outcome(page, &[200], &[], false), InDoubt, "{body}");
    }
    // The type of whatever a server sends, and of nothing.
    for body in [
        "",
        "\r\n",
        "{}",
        r#"{"revoked":true}"#,
        "[]",
        "null",
        "true",
        "1",
        r#""ok""#,
        "OK",
        "Token revoked.",
    ] {
        let mut done = reply(200, body);
        let page = http::HeaderValue::from_static("text/html");
        done.headers.insert(http::header::CONTENT_TYPE, page);
        assert_eq!(outcome(done, &[200], &[], false), Done, "{body}");
    }
    for body in ["ok", "callback({\"x\":\"<b>\"});"] {
        let mut done = reply(200, body);
        let plain = http::HeaderValue::from_static("text/plain");
        done.headers.insert(http::header::CONTENT_TYPE, plain);
        assert_eq!(outcome(done, &[200], &[], false), Done, "{body}");
    }
}
