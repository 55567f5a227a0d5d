//! From a reply to its value, or to the error that it is.

use http::HeaderMap;
use serde::de::DeserializeOwned;

use super::error::Error;
use super::invalid_reply::Problem;
use super::response::{Body, Response, ResponseValue};
use crate::http::without_mark;
use crate::value::canary;
use crate::value::decode::{Undecodable, decode};

impl<T: DeserializeOwned> ResponseValue<T> {
    /// Decodes a reply.
    #[doc(hidden)]
    #[allow(clippy::unused_async)] // generated code awaits it
    pub async fn from_response<E>(response: Response) -> Result<Self, Error<E>> {
        let Response { head, body } = response;
        let body = match body {
            Body::Whole(body) => body,
            Body::TooLarge(limit) => return Err(Error::invalid_reply(head.invalid(Problem::TooLarge(limit), None))),
            Body::Broken(mut error) => {
                error.in_doubt = head.in_doubt;
                return Err(Error::Connection(error));
            }
            Body::Stream(..) => return Err(Error::invalid_reply(head.invalid(Problem::Status, None))),
        };
        match canary::watch(head.provider, head.operation.id, || decode(without_mark(&body))) {
            Ok(inner) => Ok(Self { inner, head }),
            Err(Undecodable { path, reason }) if head.status.is_success() => {
                let problem = match media_type(&head.headers) {
                    Some(name) if !name.to_ascii_lowercase().ends_with("json") => Problem::NotJson { media_type: name },
                    _ => Problem::Decode { path, reason },
                };
                Err(Error::invalid_reply(head.invalid(problem, Some(body))))
            }
            Err(_) => {
                let media_type = media_type(&head.headers);
                Err(Error::invalid_reply(
                    head.invalid(Problem::ErrorBody { media_type }, Some(body)),
                ))
            }
        }
    }
}

fn media_type(headers: &HeaderMap) -> Option<String> {
    let text = headers.get(http::header::CONTENT_TYPE)?.to_str().ok()?;
    text.split(';')
        .next()
        .map(|text| text.trim().to_owned())
        .filter(|text| text.len() <= 64)
}

impl<T> ResponseValue<T> {
    /// The same reply, refused for a reason of ours.
    pub(crate) fn invalid<E>(&self, problem: Problem) -> Error<E> {
        Error::invalid_reply(self.head.invalid(problem, None))
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::{HeaderValue, StatusCode};

    use super::super::connection_error::{ConnectionError, ConnectionPoint};
    use super::super::invalid_reply::InvalidReply;
    use super::super::operation::Operation;
    use super::super::response::Head;
    use super::*;

    static OPERATION: Operation = Operation {
        id: "get_number",
        ..Operation::BASE
    };

    fn head(status: u16, media_type: &str, in_doubt: bool) -> Head {
        let mut headers = HeaderMap::new();
        if !media_type.is_empty() {
            headers.insert(http::header::CONTENT_TYPE, HeaderValue::from_str(media_type).unwrap());
        }
        Head {
            provider: "",
            operation: &OPERATION,
            status: StatusCode::from_u16(status).unwrap(),
            headers,
            url: "https://api.bank.example/number".parse().unwrap(),
            sent_id: None,
            in_doubt,
            not_renewed: None,
        }
    }

    async fn read(head: Head, body: Body) -> Result<u8, Error> {
        let value = ResponseValue::<u8>::from_response(Response { head, body }).await?;
        Ok(value.into_inner())
    }

    async fn refused(head: Head, body: Body) -> Box<InvalidReply> {
        match read(head, body).await {
            Err(Error::InvalidReply(reply)) => reply,
            other => panic!("{other:?}"),
        }
    }

    fn whole(body: &'static str) -> Body {
        Body::Whole(Bytes::from_static(body.as_bytes()))
    }

    #[tokio::test]
    async fn a_body_is_read_whatever_its_status_and_its_media_type_say() {
        for (status, media_type, body) in [
            (200, "application/json", "7"),
            (400, "application/json", " 7\n"),
            (200, "text/plain", "7"),
            (200, "", "\u{feff}7"),
        ] {
            let read = read(head(status, media_type, false), whole(body)).await;
            assert_eq!(read.ok(), Some(7), "{status} {media_type} {body}");
        }
    }

    #[tokio::test]
    async fn a_body_that_cannot_be_read_is_told_by_its_media_type_and_is_kept() {
        let long = "x".repeat(64);
        for (sent, named) in [
            ("text/html", Some("text/html")),
            (" text/html ; charset=utf-8", Some("text/html")),
            ("application/json", None),
            ("application/problem+JSON; charset=utf-8", None),
            ("", None),
            (long.as_str(), Some(long.as_str())),
            // Longer than any: somebody plays.
            (format!("{long}x").leak(), None),
        ] {
            let reply = refused(head(200, sent, false), whole("<html>")).await;
            let media_type = match &reply.problem {
                Problem::NotJson { media_type } => Some(media_type.as_str()),
                Problem::Decode { .. } => None,
                other => panic!("{sent}: {other:?}"),
            };
            assert_eq!(media_type, named, "{sent}");
            assert_eq!(reply.body.as_ref().map(|body| body.expose()), Some(&b"<html>"[..]));
        }
        let reply = refused(head(502, "text/html;q=1", false), whole("<html>")).await;
        assert!(
            matches!(&reply.problem, Problem::ErrorBody { media_type } if media_type.as_deref() == Some("text/html"))
        );
        assert!(reply.body.is_some());
    }

    #[tokio::test]
    async fn a_body_that_did_not_come_whole_says_why() {
        let reply = refused(head(200, "", true), Body::TooLarge(10)).await;
        assert!(matches!(reply.problem, Problem::TooLarge(10)) && reply.in_doubt && reply.body.is_none());
        for in_doubt in [false, true] {
            let broken = ConnectionError::out_of_time(OPERATION.id, ConnectionPoint::Reply);
            let outcome = read(head(403, "", in_doubt), Body::Broken(broken)).await;
            let is_in_doubt = matches!(&outcome, Err(Error::Connection(error)) if error.in_doubt == in_doubt);
            assert!(is_in_doubt, "{in_doubt}: {outcome:?}");
        }
    }

    #[tokio::test]
    async fn a_download_is_no_value() {
        let stream = reqwest::Response::from(http::Response::new("7"));
        let body = Body::Stream(stream, std::time::Duration::from_secs(1));
        assert!(matches!(
            refused(head(200, "", false), body).await.problem,
            Problem::Status
        ));
    }

    #[test]
    fn a_value_that_is_refused_is_told_with_its_reply() {
        let value = ResponseValue {
            inner: 7,
            head: head(200, "", true),
        };
        let error: Error = value.invalid(Problem::RepeatedPage);
        let Error::InvalidReply(reply) = error else {
            panic!("{error:?}")
        };
        assert!(matches!(reply.problem, Problem::RepeatedPage));
        assert_eq!(
            (reply.operation, reply.status.as_u16(), reply.in_doubt),
            ("get_number", 200, true)
        );
    }
}
