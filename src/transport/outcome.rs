//! What a caller may conclude of a call.

use super::operation::{ErrorProof, Operation};
#[cfg(feature = "mock")]
use crate::value::Json;
use crate::value::decode::members;

/// What a caller may conclude about the effect of a failed call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The request did not leave: it had no effect.
    NotSent,
    /// The provider refused the request: it had no effect. What shows that it was the provider who answered is
    /// [`Error::proof`](super::Error::proof).
    Rejected,
    /// The request may or may not have taken effect. Look before repeating it.
    Unknown,
}

impl Outcome {
    /// In a word: `not_sent`, `rejected` or `unknown`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotSent => "not_sent",
            Self::Rejected => "rejected",
            Self::Unknown => "unknown",
        }
    }
}

/// What shows that the provider itself refused a call, and nobody in between.
///
/// A gateway, a firewall or a load balancer may answer 403, 409 or 429 in the provider's place, after the provider carried
/// the call out: such an answer to a call with an effect is [`Outcome::Unknown`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Proof {
    /// The specification says by which status and which member of the reply the provider is known
    /// ([`Operation::error_proof`]), or the reply is a 401 whose Bearer challenge names the token (RFC 6750 section 3.1).
    Documented,
    /// Nobody documents how the provider is known. A JSON object with 400, 401, 404 or 422 is taken for its answer.
    Assumed,
}

/// An outcome, and what it rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Conclusion {
    pub outcome: Outcome,
    /// Of a refusal.
    pub proof: Option<Proof>,
}

/// The provider's own code in an error reply: a short word or number, and never what the call was authenticated with.
pub(crate) fn code(operation: &Operation, body: &[u8]) -> Option<String> {
    if operation.error_codes.is_empty() {
        return None;
    }
    let reply = members(body)?;
    let codes = operation
        .error_codes
        .iter()
        .filter_map(|member| reply.json(member)?.plain());
    let mut codes = codes.map(|code| code.trim().to_owned()).filter(|code| !code.is_empty());
    codes
        .next()
        .filter(|code| code.len() <= 64 && code.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-.:/".contains(&b)))
}

/// What a mocked server says (`httpmock`) where no mock fits a call. A test that takes it for the provider's refusal passes
/// for the wrong reason; and a provider that says so proves nothing by it.
#[cfg(feature = "mock")]
const NO_MOCK: &str = "Request did not match any route or mock";

/// What shows that the provider itself made this error reply.
pub(crate) fn proof(operation: &Operation, status: u16, body: &[u8]) -> Option<Proof> {
    let reply = members(body)?;
    #[cfg(feature = "mock")]
    if status == 404
        && reply.len() == 1
        && reply
            .json("message")
            .and_then(Json::text)
            .is_some_and(|said| said == NO_MOCK)
    {
        tracing::warn!(
            operation = operation.id,
            "a mocked server answered that no mock fits this call"
        );
        return None;
    }
    match &operation.error_proof {
        Some(ErrorProof { statuses, members }) => {
            let named = members
                .iter()
                .any(|member| reply.json(member).is_some_and(|value| !value.is_null()));
            (statuses.contains(&status) && named).then_some(Proof::Documented)
        }
        None => matches!(status, 400 | 401 | 404 | 422).then_some(Proof::Assumed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const UNDOCUMENTED: Operation = Operation::BASE;
    const DOCUMENTED: Operation = Operation {
        error_proof: Some(ErrorProof {
            statuses: &[400, 403],
            members: &["errorCode", "error"],
        }),
        ..Operation::BASE
    };

    #[test]
    fn the_provider_is_known_by_what_the_specification_names() {
        for (status, body, expected) in [
            (400, r#"{"errorCode":"FORMAT_ERROR"}"#, true),
            (403, r#"{"x":1,"error":{"message":"no"}}"#, true),
            (403, r#"{"errorCode":null}"#, false),
            (403, r#"{"message":"Forbidden"}"#, false),
            (403, r#"[{"errorCode":"NO_CONTRACT"}]"#, false),
            (403, r#"{"data":{"errorCode":"NO_CONTRACT"}}"#, false),
            (403, r#"{"errorCode":"NO_CONTRACT""#, false),
            (403, "<html>errorCode</html>", false),
            (403, "", false),
            (409, r#"{"errorCode":"DUPLICATE"}"#, false),
            (404, "{}", false),
        ] {
            let expected = expected.then_some(Proof::Documented);
            assert_eq!(proof(&DOCUMENTED, status, body.as_bytes()), expected, "{status} {body}");
        }
    }

    #[test]
    fn where_nobody_says_how_it_is_known_an_object_is_taken_for_its_answer_with_four_statuses() {
        for status in 400..500 {
            let expected = matches!(status, 400 | 401 | 404 | 422).then_some(Proof::Assumed);
            assert_eq!(proof(&UNDOCUMENTED, status, b"{\"x\":1}"), expected, "{status}");
            for body in ["", "[]", "\"no\"", "null", "<html>", "{", "{} {}"] {
                assert_eq!(proof(&UNDOCUMENTED, status, body.as_bytes()), None, "{status} {body}");
            }
        }
    }

    #[cfg(feature = "mock")]
    #[test]
    fn what_a_mocked_server_says_of_a_call_that_no_mock_fits_proves_nothing() {
        for (status, body, expected) in [
            (404, r#"{"message":"Request did not match any route or mock"}"#, None),
            (404, r#"{"message":"no such deal"}"#, Some(Proof::Assumed)),
            (
                404,
                r#"{"message":"Request did not match any route or mock","x":1}"#,
                Some(Proof::Assumed),
            ),
        ] {
            assert_eq!(proof(&UNDOCUMENTED, status, body.as_bytes()), expected, "{body}");
        }
    }

    #[test]
    fn an_outcome_has_a_word() {
        let words = [Outcome::NotSent, Outcome::Rejected, Outcome::Unknown].map(Outcome::as_str);
        assert_eq!(words, ["not_sent", "rejected", "unknown"]);
    }

    #[test]
    fn a_code_is_shown_that_is_a_word_and_nothing_else_of_the_reply() {
        const CODED: Operation = Operation {
            error_codes: &["errorCode", "code"],
            ..Operation::BASE
        };
        for (body, expected) in [
            (r#"{"errorCode":"FORMAT_ERROR","x":1}"#, Some("FORMAT_ERROR")),
            (r#"{"code":701}"#, Some("701")),
            (r#"{"errorCode":"","code":" 7.1/a:b "}"#, Some("7.1/a:b")),
            (r#"{"errorCode":null,"code":"x"}"#, Some("x")),
            (r#"{"errorCode":"two words"}"#, None),
            (r#"{"errorCode":"Jos\u00e9"}"#, None),
            (r#"{"errorCode":"a\nb"}"#, None),
            (r#"{"errorCode":["x"]}"#, None),
            (r#"{"message":"x"}"#, None),
            ("<html>", None),
        ] {
            assert_eq!(code(&CODED, body.as_bytes()).as_deref(), expected, "{body}");
        }
        let long = format!(r#"{{"code":"{}"}}"#, "x".repeat(65));
        assert_eq!(code(&CODED, long.as_bytes()), None);
        assert_eq!(code(&Operation::BASE, br#"{"code":"x"}"#), None);
    }
}
