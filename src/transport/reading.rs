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
