//! What a reply to a revocation request says.

use super::*;

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
