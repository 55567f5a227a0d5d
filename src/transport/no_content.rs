//! The reply to a call that succeeded, where the specification describes no body.

use serde::de::IgnoredAny;

use super::charset::{Wrong, in_utf_8};
use super::error::Error;
use super::invalid_reply::{Problem, is_json};
use super::reading::{media_type, told_at_the_end, whole};
use super::response::{Response, ResponseValue};
use crate::value::decode::members;
use crate::value::error_in_success::error_for_nothing;

impl ResponseValue<()> {
    /// Of a success without a described body. What comes with it all the same is left aside, unless it says that this is no
    /// success, or is somebody else's page.
    #[doc(hidden)]
    #[allow(clippy::unused_async)] // generated code awaits it
    pub async fn nothing<E>(mut response: Response) -> Result<Self, Error<E>> {
        let ending = response.ending.take();
        told_at_the_end(ending, Self::read_nothing(response))
    }

    fn read_nothing<E>(response: Response) -> Result<Self, Error<E>> {
        let Response { head, body, .. } = response;
        let body = whole(&head, body)?;
        let text = in_utf_8(&body, &head.headers, Wrong::Replaced);
        let text = text.trim_ascii();
        let problem = match text.first() {
            None => None,
            Some(b'<') => Some(Problem::NotJson {
                media_type: media_type(&head.headers).unwrap_or_default(),
            }),
            Some(b'{') => match members(text) {
                Some(members) => error_for_nothing(&members).map(|member| Problem::Decode {
                    path: ".".to_owned(),
                    reason: format!("the reply to a success has `{member}`, as an error has"),
                }),
                None => Some(Problem::Decode {
                    path: ".".to_owned(),
                    reason: "it begins as an object, and is none".to_owned(),
                }),
            },
            // A word such as `OK`, a list, a number: not a page, whatever it is said to be.
            Some(_) => media_type(&head.headers)
                .filter(|name| !is_json(name) && name.contains("html") && is_of_a_page(text))
                .map(|media_type| Problem::NotJson { media_type }),
        };
        if let Some(problem) = problem {
            return Err(Error::invalid_reply(head.invalid(problem, Some(body))));
        }
        Ok(Self {
            inner: (),
            raw: head.keeps_body.then_some(body),
            head,
            unreadable: Vec::new(),
        })
    }
}

/// Whether a text that is said to be HTML is a part of a page: it has tags, or is more than a word and no JSON.
fn is_of_a_page(text: &[u8]) -> bool {
    let has_blanks = text.iter().any(u8::is_ascii_whitespace);
    text.contains(&b'<') || has_blanks && serde_json::from_slice::<IgnoredAny>(text).is_err()
}
