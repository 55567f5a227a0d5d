//! What a reply has and nobody can use is in the log, without its value.
//!
//! A test binary of its own, one test: whether an event is logged at all is decided once for all threads of a process.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod logged;
mod recorder;
#[macro_use]
mod connected;

use connected::*;
use finrail::mx;
use logged::Log;
use recorder::{Answer, Recorder};

#[tokio::test]
async fn a_refresh_token_that_cannot_be_read_is_told_without_its_value() {
    let (log, _logging) = Log::events(tracing::Level::TRACE);
    for (value, is_told) in [
        (r#"["planted"]"#, false),
        (r#"["planted","planted"]"#, true),
        (r#"{"token":"planted"}"#, true),
        (r#""planted\ud83d""#, true),
        ("planted", true),
        ("null", false),
        ("true", true),
        ("", false),
        ("false", false),
        ("0", false),
        ("[]", false),
        ("{}", false),
        (r#""""#, false),
        ("1234567", false),
        (r#""planted""#, false),
    ] {
        let body = format!(r#"{{"access_token":"access-1","token_type":"Bearer","refresh_token":{value}}}"#);
        let bank = Recorder::in_order([Answer::json(body)]).await;
        let _user = connect!(mx, builder(&bank).build().unwrap(), ["accounts"]);
        let text = log.take();
        let told = |line: &str| line.contains("WARN") && line.contains("neither a text nor a number");
        assert_eq!(
            text.lines().filter(|line| told(line)).count(),
            usize::from(is_told),
            "{value}\n{text}"
        );
        assert!(
            !text.contains("planted") && !text.contains("1234567"),
            "{value}\n{text}"
        );
    }
}
