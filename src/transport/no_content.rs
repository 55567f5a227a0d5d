//! The reply to a call that succeeded, where the specification describes no body.

use http::HeaderMap;

use super::charset::{Wrong, in_utf_8};
use super::error::Error;
use super::invalid_reply::{Problem, is_json, media_type};
use super::reading::{sent_as_an_error, told_at_the_end, whole};
use super::response::{Response, ResponseValue};
use crate::value::decode::members;
use crate::value::error_in_success::{error_for_nothing, reason, says_error, says_success};
use crate::value::{Json, JsonMap};

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
        let problem = sent_as_an_error(&head).or_else(|| problem_in(text.trim_ascii(), &head.headers));
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

/// What of a text that came in the place of nothing says that this is no success, or is somebody else's.
fn problem_in(text: &[u8], headers: &HeaderMap) -> Option<Problem> {
    let told = |reason: String| Problem::Decode {
        path: ".".to_owned(),
        reason,
    };
    let not_json = |media_type| Problem::NotJson { media_type };
    let media_type = media_type(headers);
    let json = serde_json::from_slice::<Json>(text).ok();
    let instead = |reply: &str| told(format!("the reply to a success is {reply}"));
    match (text.first()?, json) {
        (b'<', _) => Some(not_json(media_type.unwrap_or_default())),
        (b'{', _) => match members(text) {
            Some(members) => has_an_errors(&members).map(told),
            None => Some(told("it begins as an object, and is none".to_owned())),
        },
        (b'[', Some(list)) => {
            let items = list.items().unwrap_or_default();
            let mut objects = items.iter().filter_map(|item| item.parse().ok());
            objects.find_map(|object| has_an_errors(&object)).map(told)
        }
        (b'f', Some(_)) => Some(instead("`false`")),
        // A word such as `OK`, a number: not a page, whatever it is said to be.
        (_, json) => {
            let words = match &json {
                Some(json) => json.text(),
                None => Some(String::from_utf8_lossy(text).into_owned()),
            };
            if words.as_deref().is_some_and(says_error) {
                return Some(instead("the words of an error"));
            }
            let is_well = words.as_deref().is_some_and(says_success);
            let is_other = |name: &String| match is_json(name) {
                true => json.is_none() && !is_well,
                false => name.contains("html") && is_of_a_page(text, json.is_some()),
            };
            media_type.filter(is_other).map(not_json)
        }
    }
}

fn has_an_errors(members: &JsonMap) -> Option<String> {
    error_for_nothing(members).map(reason)
}

/// Whether a text that is said to be HTML is a part of a page: it has tags, or is more than a word and no JSON.
fn is_of_a_page(text: &[u8], is_json: bool) -> bool {
    text.contains(&b'<') || text.iter().any(u8::is_ascii_whitespace) && !is_json
}
