//! From a reply to its value, or to the error that it is.

use bytes::Bytes;
use serde::de::DeserializeOwned;

use super::charset::{Wrong, in_utf_8};
use super::ending::Ending;
use super::error::Error;
use super::invalid_reply::{Problem, RawBody, is_an_errors, is_json, media_type};
use super::operation::{Effect, Operation};
use super::response::{Body, Head, Response, ResponseValue};
use super::trace;
use super::unreadable::{Unreadable, UnreadableItem, Whole, page_without};
use crate::value::Json;
use crate::value::canary;
use crate::value::decode::{Bare, NOTHING_DESCRIBED, Undecodable, decode, decode_items, members};
use crate::value::error_in_success::{
    error_beside, error_in, error_instead, error_of_effect, error_of_no_items, reason,
};
use crate::value::next_page::{Lost, lost};
use crate::value::wire::listed;

impl<T: DeserializeOwned> ResponseValue<T> {
    /// Decodes a reply.
    #[doc(hidden)]
    #[allow(clippy::unused_async)] // generated code awaits it
    pub async fn from_response<E>(mut response: Response) -> Result<Self, Error<E>> {
        let ending = response.ending.take();
        told_at_the_end(ending, Self::read(response))
    }

    fn read<E>(response: Response) -> Result<Self, Error<E>> {
        let Response { mut head, body, .. } = response;
        let body = whole(&head, body)?;
        let inside = body
            .trim_ascii()
            .strip_prefix(b"{")
            .and_then(|rest| rest.strip_suffix(b"}"));
        head.is_blank = inside.is_some_and(|inside| inside.trim_ascii().is_empty());
        let raw = head.keeps_body.then(|| body.clone());
        let wrong = match head.status.is_success() {
            true => Wrong::Refused,
            false => Wrong::Replaced,
        };
        let text = in_utf_8(&body, &head.headers, wrong);
        if let Some(problem) = sent_as_an_error(&head) {
            return Err(Error::invalid_reply(head.invalid(problem, Some(body))));
        }
        if let Some(member) = error_in_success(&head, &text).or_else(|| error_of_page(&head, &text)) {
            return Err(Error::invalid_reply(head.invalid(has_an_errors(member), Some(body))));
        }
        let read = || match head.status.is_success() {
            true if head.operation.replies_with_object => an_object(&text),
            true => decode_items(&text),
            false => decode(&text).map(|value| (value, Bare::default())),
        };
        let decoded = canary::watch(head.provider, head.operation.id, |text| head.secrets.are_in(text), read);
        let by_items = |text: &[u8]| {
            let items = head.operation.items.filter(|_| head.status.is_success());
            items.map_or(Err(Whole::NotTheItems), |items| {
                page_without(text, items, head.operation.pagination.is_none())
            })
        };
        // What could not be read as a whole says nothing of what else is in it.
        let tells = decoded.as_ref().map_or(true, |(_, bare)| bare.tells);
        if let Some(member) = told_beside(&head, &text, tells) {
            return Err(Error::invalid_reply(head.invalid(has_an_errors(member), Some(body))));
        }
        // A page with an item that has no described field can be read as a whole, but that item is none.
        let mut names_next = decoded.as_ref().is_ok_and(|(_, bare)| bare.names_next);
        let (whole, divided) = match decoded {
            Ok((inner, bare)) if !bare.item => (Ok(inner), None),
            Ok((inner, _)) => match by_items(&text) {
                Ok(divided) => (Ok(inner), Some(divided)),
                Err(Whole::NotTheItems) => (Ok(inner), None),
                Err(Whole::TooMany | Whole::All) => {
                    let (path, reason) = (".".to_owned(), NOTHING_DESCRIBED.to_owned());
                    (Err(Undecodable { path, reason }), None)
                }
            },
            Err(undecodable) => (Err(undecodable), by_items(&text).ok()),
        };
        names_next |= divided.as_ref().is_some_and(|(_, bare, _)| bare.names_next);
        if let Some(problem) = lost_next(&head, &text, names_next) {
            return Err(Error::invalid_reply(head.invalid(problem, Some(body))));
        }
        if let Some((inner, _, unreadable)) = divided {
            let unreadable = told(unreadable, &head);
            return Ok(Self {
                inner,
                head,
                unreadable,
                raw,
            });
        }
        match whole {
            Ok(inner) => Ok(Self {
                inner,
                head,
                unreadable: Vec::new(),
                raw,
            }),
            Err(Undecodable { path, reason }) if head.status.is_success() => {
                let problem = match media_type(&head.headers) {
                    Some(name) if !is_json(&name) => Problem::NotJson { media_type: name },
                    _ => Problem::Decode { path, reason },
                };
                Err(Error::invalid_reply(head.invalid(problem, Some(body))))
            }
            Err(Undecodable { path, reason }) => {
                let problem = Problem::ErrorBody {
                    media_type: media_type(&head.headers),
                    path,
                    reason,
                };
                Err(Error::invalid_reply(head.invalid(problem, Some(body))))
            }
        }
    }
}

/// The body of a reply that has to be there as a whole.
pub(super) fn whole<E>(head: &Head, body: Body) -> Result<Bytes, Error<E>> {
    match body {
        Body::Whole(body) => Ok(body),
        Body::TooLarge(limit) => Err(Error::invalid_reply(head.invalid(Problem::TooLarge(limit), None))),
        Body::Broken(mut error) => {
            error.in_doubt = head.in_doubt;
            Err(Error::Connection(error))
        }
        Body::Stream(..) => Err(Error::invalid_reply(head.invalid(Problem::Status, None))),
    }
}

/// What was read, after the end of the call was told of it where it could not be.
pub(super) fn told_at_the_end<T, E>(ending: Option<Ending>, read: Result<T, Error<E>>) -> Result<T, Error<E>> {
    if let (Some(mut ending), Err(error)) = (ending, &read) {
        trace::failed(&mut ending, error);
    }
    read
}

/// Reads an object, and nothing in the place of one: the fields could be read from a list in their order, and from `null`
/// as none.
fn an_object<T: DeserializeOwned>(text: &[u8]) -> Result<(T, Bare), Undecodable> {
    let instead = |reason: &str| Undecodable {
        path: ".".to_owned(),
        reason: reason.to_owned(),
    };
    match text.trim_ascii_start().first() {
        Some(b'{') => decode_items(text),
        Some(b'[') => Err(instead("expected an object, and it is a list")),
        _ => decode_items::<T>(text).and_then(|_| Err(instead("expected an object"))),
    }
}

/// The member by which a success is known for an error, where nothing of the reply that is described speaks for it. Most
/// replies are not looked through: where nothing is left blank, what is described was there.
fn error_in_success(head: &Head, text: &[u8]) -> Option<&'static str> {
    let operation = head.operation;
    let described = operation.reply_members;
    if operation.error_members.is_empty() || !head.status.is_success() {
        return None;
    }
    // Where the matter stands is what such a reply is for: no other field speaks for it.
    let state = operation.lookup.and_then(|lookup| lookup.state?.strip_prefix('/'));
    let state = described.iter().position(|name| Some(*name) == state);
    let speaking = state.and_then(|at| described.get(at..=at));
    match described.is_empty() {
        true if operation.effect == Effect::Safe => error_in(&members(text)?),
        true => error_of_effect(&members(text)?),
        false if speaking.is_some() || leaves_blank(text) => {
            error_instead(&members(text)?, described, speaking.unwrap_or(described))
        }
        false => None,
    }
}

/// What is wrong with a success whose media type is one that errors have, whatever is in it.
pub(super) fn sent_as_an_error(head: &Head) -> Option<Problem> {
    let named = head.headers.get(http::header::CONTENT_TYPE)?;
    // As nearly all are sent.
    if named == "application/json" {
        return None;
    }
    let media_type = media_type(&head.headers)?.to_ascii_lowercase();
    (is_an_errors(&media_type) && head.status.is_success()).then(|| Problem::Decode {
        path: ".".to_owned(),
        reason: "the reply to a success is sent as an error is, by its media type".to_owned(),
    })
}

/// The member that tells of an error whatever is described beside it. A reply in which nobody saw a name that may is not
/// looked through.
fn told_beside(head: &Head, text: &[u8], tells: bool) -> Option<&'static str> {
    let operation = head.operation;
    let has_effect = !operation.error_members.is_empty() && !operation.reply_members.is_empty();
    if !tells || !(has_effect || operation.items.is_some()) || !head.status.is_success() {
        return None;
    }
    error_beside(&members(text)?, operation.reply_members)
}

fn has_an_errors(member: &str) -> Problem {
    Problem::Decode {
        path: ".".to_owned(),
        reason: reason(member),
    }
}

/// The member by which a page without items is known for an error, which has none for another reason. A page that is seen to
/// have an item is not looked through.
fn error_of_page(head: &Head, text: &[u8]) -> Option<&'static str> {
    let items = head.operation.items.filter(|_| head.status.is_success())?;
    if begins_with_an_item(text, items) {
        return None;
    }
    let page = members(text)?;
    let list = decode::<Json>(text).ok()?.pointer(items);
    let is_empty = |list: &Json| listed(list.get()).is_ok_and(|items| items.is_empty());
    if !list.as_ref().is_none_or(is_empty) {
        return None;
    }
    let Operation {
        error_codes,
        error_proof,
        reply_members,
        ..
    } = *head.operation;
    let proven = error_proof.map_or(&[][..], |proof| proof.members);
    let codes: Vec<_> = error_codes.iter().chain(proven).copied().collect();
    let has_list = list.is_some_and(|list| !list.is_null());
    error_of_no_items(&page, reply_members, &codes, has_list)
}

/// What is wrong with a page that names the next one in a form in which nobody finds it, or not at all: the list would seem to
/// end with it.
/// So is what names a next one and is described as a whole list.
/// A page that has no other field than those that it is described with is not looked through.
fn lost_next(head: &Head, text: &[u8], names_next: bool) -> Option<Problem> {
    let Operation { items, next, .. } = *head.operation;
    if !names_next || !head.status.is_success() || next.or(items).is_none() {
        return None;
    }
    // Pages that are counted name none.
    if next.is_none() && head.operation.pagination.is_some() {
        return None;
    }
    let page = decode::<Json>(text).ok()?;
    // Nobody looks for the next page of a list that is described as a whole.
    let lost = lost(&page, next.unwrap_or_default(), items)?;
    let Some(next) = next else {
        return Some(Problem::Decode {
            path: ".".to_owned(),
            reason: "expected the whole list, and the reply says that there is a next page".to_owned(),
        });
    };
    Some(match lost {
        Lost::Elsewhere => Problem::next(
            next,
            "expected the next page to be named here, and it is named in another form",
        ),
        Lost::Unnamed => Problem::unnamed_next(next),
    })
}

/// Members of an object in place of a list that are seen to hold items. Others may hold what is none.
const REPORTS: [&[u8]; 3] = [b"booked", b"pending", b"information"];

/// Whether the list of items is seen to begin with an object: it stands behind its name, alone or in a report. What is around
/// it is looked through no further than that.
fn begins_with_an_item(text: &[u8], items: &str) -> bool {
    if items.is_empty() {
        return begins_with_an_object(text);
    }
    let step = |at: usize| items.split('/').nth(at + 1).unwrap_or_default().as_bytes();
    let steps = items.split('/').count() - 1;
    // How many objects and lists are open, and how many of the outer ones lead to the list.
    let (mut open, mut led, mut at) = (0_usize, 0_usize, 0);
    while let Some(byte) = text.get(at) {
        at += 1;
        match byte {
            b'{' | b'[' => open += 1,
            b'}' | b']' => {
                open = open.saturating_sub(1);
                led = led.min(open.saturating_sub(1));
            }
            b'"' => {
                let word = word(text, at);
                at += word.len() + 1;
                let behind = text.get(at..).unwrap_or_default().trim_ascii_start();
                let Some(value) = behind
                    .strip_prefix(b":")
                    .filter(|_| open == led + 1 && word == step(led))
                else {
                    continue;
                };
                if led + 1 == steps {
                    return begins_with_an_object(value);
                }
                if value.trim_ascii_start().starts_with(b"{") {
                    led += 1;
                }
            }
            _ => {}
        }
    }
    false
}

/// What stands from there to the end of the string.
fn word(text: &[u8], start: usize) -> &[u8] {
    let rest = text.get(start..).unwrap_or_default();
    let mut end = 0;
    while let Some(byte) = rest.get(end).filter(|byte| **byte != b'"') {
        end += if *byte == b'\\' { 2 } else { 1 };
    }
    rest.get(..end).unwrap_or(rest)
}

/// Whether a value begins as a list of objects does, or as a report whose first list does.
fn begins_with_an_object(value: &[u8]) -> bool {
    let value = value.trim_ascii_start();
    let list = match value.strip_prefix(b"{").map(<[u8]>::trim_ascii_start) {
        None => Some(value),
        Some([b'"', report @ ..]) => {
            let name = word(report, 0);
            let behind = report.get(name.len() + 1..).unwrap_or_default().trim_ascii_start();
            behind
                .strip_prefix(b":")
                .filter(|_| REPORTS.contains(&name))
                .map(<[u8]>::trim_ascii_start)
        }
        Some(_) => None,
    };
    let first = list.and_then(|list| list.strip_prefix(b"["));
    first.is_some_and(|first| first.trim_ascii_start().starts_with(b"{"))
}

/// Whether a value may stand in it that says nothing.
fn leaves_blank(text: &[u8]) -> bool {
    text.windows(2).any(|part| {
        let is_blank = |byte: u8| byte.is_ascii_whitespace();
        // `\u0020` and the like are blanks too, and so are characters that begin as U+00A0 or U+3000 do.
        matches!(part, b"nu" | b"fa" | b"\"\"" | b"[]" | b"{}" | b"\"\\")
            || matches!(part, [b'"', 0xc2 | 0xe1..=0xe3 | 0xef])
            // `N/A`, `none`, `undefined`, `-`.
            || matches!(part, [b'"', b'n' | b'N' | b'u' | b'U' | b'-'])
            || matches!(part[0], b'"' | b'[' | b'{') && is_blank(part[1])
            || (part[0] == b':' || is_blank(part[0])) && matches!(part[1], b'0' | b'-')
    })
}

/// The items of a page that cannot be read, with the reply that they came in. Of all of them there is one warning.
fn told(mut items: Vec<Unreadable>, head: &Head) -> Vec<UnreadableItem> {
    for item in &mut items {
        item.path = head.shown(&item.path);
    }
    if let Some(first) = items.first() {
        tracing::warn!(
            operation = head.operation.id, count = items.len(), position = first.position, path = %first.path,
            reason = %first.reason,
            "an item of a page cannot be read"
        );
    }
    let with_reply = |item: Unreadable| UnreadableItem {
        operation: head.operation.id,
        status: head.status,
        request_id: head.request_id().map(str::to_owned),
        position: item.position,
        path: item.path,
        reason: item.reason,
        raw: RawBody(item.raw.into()),
    };
    items.into_iter().map(with_reply).collect()
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
    use http::{HeaderMap, HeaderValue, StatusCode};

    use super::super::connection_error::{ConnectionError, ConnectionPoint};
    use super::super::invalid_reply::InvalidReply;
    use super::super::machine::Answer;
    use super::super::operation::{Effect, Lookup, Operation};
    use super::super::outcome::Outcome;
    use super::super::secrets::KnownSecrets;
    use super::*;
    use crate::value::JsonMap;

    static OPERATION: Operation = Operation {
        id: "get_number",
        ..Operation::BASE
    };

    fn head(status: u16, media_type: &str, in_doubt: bool) -> Box<Head> {
        let mut headers = HeaderMap::new();
        if !media_type.is_empty() {
            headers.insert(http::header::CONTENT_TYPE, HeaderValue::from_str(media_type).unwrap());
        }
        Box::new(Head {
            provider: "",
            operation: &OPERATION,
            status: StatusCode::from_u16(status).unwrap(),
            headers,
            url: "https://api.bank.example/number".parse().unwrap(),
            sent_id: None,
            answer: Answer {
                status,
                proof: None,
                names_token: false,
                asked: None,
            },
            repeatable: true,
            in_doubt,
            asked_again: false,
            not_renewed: None,
            keeps_body: false,
            is_blank: false,
            code: None,
            secrets: KnownSecrets::default(),
        })
    }

    async fn read(head: Box<Head>, body: Body) -> Result<u8, Error> {
        let value = ResponseValue::<u8>::from_response(Response {
            head,
            body,
            ending: None,
        })
        .await?;
        Ok(value.into_inner())
    }

    async fn refused(head: Box<Head>, body: Body) -> Box<InvalidReply> {
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
    async fn a_declared_charset_is_decoded() {
        for (declared, body, read) in [
            ("", "\"caf\u{e9}\"".as_bytes(), "caf\u{e9}"),
            ("; charset=utf-8", "\"caf\u{e9}\"".as_bytes(), "caf\u{e9}"),
            (";charset=ISO-8859-1", b"\"caf\xe9\"", "caf\u{e9}"),
            ("; x=y; Charset=\"windows-1250\"", b"\"\xe8aj\"", "\u{10d}aj"),
            ("; charset=utf-16le", b"\"\0a\0\"\0", "a"),
            // Which of the two, its first byte says.
            ("; charset=utf-16", b"\"\0a\0\"\0", "a"),
            ("; charset=utf-16", b"\0\"\0a\0\"", "a"),
            // Nobody knows it: as JSON is written.
            ("; charset=klingon", "\"caf\u{e9}\"".as_bytes(), "caf\u{e9}"),
        ] {
            let head = head(200, &format!("application/json{declared}"), false);
            let body = Body::Whole(Bytes::from_static(body));
            let value = ResponseValue::<String>::from_response::<()>(Response {
                head,
                body,
                ending: None,
            })
            .await;
            assert_eq!(value.unwrap().as_str(), read, "{declared}");
        }
        // What is no UTF-8 is not guessed at, whether UTF-8 is declared or goes without saying.
        for declared in ["", "; charset=utf-8"] {
            let head = head(200, &format!("application/json{declared}"), false);
            let body = Body::Whole(Bytes::from_static(b"\"caf\xe9\""));
            let value = ResponseValue::<String>::from_response::<()>(Response {
                head,
                body,
                ending: None,
            })
            .await;
            assert!(value.is_err(), "{declared}");
        }
    }

    #[tokio::test]
    async fn a_success_that_has_nothing_of_the_value_is_none_and_an_error_may_be_told_in_other_fields() {
        #[derive(Debug, serde::Deserialize)]
        struct Deal {
            #[allow(dead_code)]
            id: Option<u8>,
        }

        for (status, body, is_value) in [
            (200, r#"{"id":7}"#, true),
            // It is no list: what is next leads to something else.
            (200, r#"{"id":7,"next":"/deals?page=2"}"#, true),
            (200, "{}", true),
            (200, r#"{"error":"x"}"#, false),
            (400, r#"{"error":"x"}"#, true),
        ] {
            let response = Response {
                head: head(status, "", false),
                body: whole(body),
                ending: None,
            };
            match ResponseValue::<Deal>::from_response::<()>(response).await {
                Ok(_) => assert!(is_value, "{body}"),
                Err(error) => {
                    assert!(!is_value, "{body}");
                    assert_eq!(error.outcome(), Outcome::Unknown);
                    assert_eq!(error.raw_body(), Some(body.as_bytes()));
                    assert!(error.to_string().contains("no described field is there"), "{error}");
                }
            }
        }
    }

    #[test]
    fn a_page_is_seen_to_have_an_item_where_its_list_begins_with_an_object() {
        for (text, items, is_seen) in [
            (r#"{"items":[{"id":1}]}"#, "/items", true),
            ("{\"items\" :\n[ {}]}", "/items", true),
            (r#"{"page":{"items":[{}]}}"#, "/page/items", true),
            (r#"{"items":[]}"#, "/items", false),
            (r#"{"items2":[{}]}"#, "/items2", true),
            ("{\"items\":{\t\"booked\" : [ {}]}}", "/items", true),
            (r#"{"items":{"booked":[],"pending":[{}]}}"#, "/items", false),
            (r#"{"items":{"report":[{}]}}"#, "/items", false),
            (r#"{"items":{"tppMessages":[{}],"booked":[]}}"#, "/items", false),
            (r#"{"items":{"booked":{"0":{}}}}"#, "/items", false),
            // The name stands elsewhere too, or the list is another one.
            (r#"{"errors":{"items":[{}]},"items":[]}"#, "/items", false),
            (r#"{"errors":{"items":[{}]},"items":[{}]}"#, "/items", true),
            (r#"{"note":"items","items":[{}]}"#, "/items", true),
            (r#"{"note":"\",\"items\":[{","items":[]}"#, "/items", false),
            (r#"{"note":"\\","items":[{}]}"#, "/items", true),
            (r#"[{"items":[{}]}]"#, "/items", false),
            (r#"{"page":{"items":[]},"other":{"items":[{}]}}"#, "/page/items", false),
            (r#"{"page":7,"other":{"items":[{}]}}"#, "/page/items", false),
            (r#"{"other":{"page":{"items":[{}]}}}"#, "/page/items", false),
            (
                r#"{"a":{"page":{}},"page":{"b":[{}],"items":[{}]}}"#,
                "/page/items",
                true,
            ),
            (r#"{"items":[{}]}"#, "", false),
            (r#" [ {}]"#, "", true),
            (r#"[]"#, "", false),
            (r#"{"booked":[{}]}"#, "", true),
            (r#"{"items":[7,{}]}"#, "/items", false),
            (r#"{"items":["{"]}"#, "/items", false),
            (r#"{"items":[no{}]}"#, "/items", false),
            (r#"{"items":null,"others":[{}]}"#, "/items", false),
            (r#"{"items2":[{}]}"#, "/items", false),
            (r#"{"2items":[{}]}"#, "/items", false),
            (r#"{"items"#, "/items", false),
            (r#"{"items\"#, "/items", false),
            (r#"{"other":[{}]}"#, "/items", false),
            (r#"{"items":"#, "/items", false),
            ("", "/items", false),
        ] {
            assert_eq!(begins_with_an_item(text.as_bytes(), items), is_seen, "{text}");
        }
    }

    #[tokio::test]
    async fn a_list_is_no_success_of_a_call_that_replies_with_an_object() {
        static OBJECT: Operation = Operation {
            replies_with_object: true,
            ..Operation::BASE
        };
        let (list, other) = ("expected an object, and it is a list", "expected an object");
        for (operation, status, body, problem) in [
            (&OBJECT, 200, "[7]", Some(list)),
            (&OBJECT, 200, " \n[7]", Some(list)),
            (&OBJECT, 400, "[7]", None),
            (&OBJECT, 200, "7", Some(other)),
            (&OBJECT, 200, "null", Some(other)),
            (&OBJECT, 200, " {}", None),
            (&OPERATION, 200, "[7]", None),
        ] {
            let mut head = head(status, "application/json", false);
            head.operation = operation;
            let response = Response {
                head,
                body: whole(body),
                ending: None,
            };
            let read = ResponseValue::<serde_json::Value>::from_response::<()>(response).await;
            assert_eq!(read.is_ok(), problem.is_none(), "{status} {body}");
            if let (Err(error), Some(problem)) = (read, problem) {
                let told = error.to_string();
                assert!(
                    told.contains(problem) && told.contains(list) == (problem == list),
                    "{body}: {told}"
                );
            }
        }
    }

    #[tokio::test]
    async fn an_item_that_cannot_be_read_is_told_beside_its_page() {
        static LIST: Operation = Operation {
            id: "list_numbers",
            items: Some("/items"),
            ..Operation::BASE
        };
        #[derive(Debug, serde::Deserialize)]
        struct Page {
            items: Vec<u8>,
        }

        let mut head = head(200, "application/json", false);
        head.operation = &LIST;
        let response = Response {
            head,
            body: whole(r#"{"items":[1,"x",3]}"#),
            ending: None,
        };
        let page = ResponseValue::<Page>::from_response::<()>(response).await.unwrap();
        let told = page.unreadable.iter().map(|item| (item.operation, item.position));
        assert_eq!(told.collect::<Vec<_>>(), [("list_numbers", 1)]);
        assert_eq!(page.into_inner().items, [1, 3]);
    }

    #[tokio::test]
    async fn a_next_page_that_nobody_finds_is_told_where_the_page_can_be_read() {
        static LIST: Operation = Operation {
            items: Some("/items"),
            next: Some("/links/next"),
            ..Operation::BASE
        };
        #[derive(Debug, serde::Deserialize)]
        struct Page {
            #[allow(dead_code)]
            items: Vec<u8>,
        }
        for (items, path) in [("[1]", "links.next"), ("7", "items")] {
            let body = format!(r#"{{"items":{items},"links":{{"next":{{"href":"/items?page=2"}}}}}}"#);
            let response = Response {
                head: Box::new(Head {
                    operation: &LIST,
                    ..*head(200, "application/json", false)
                }),
                body: whole(body.leak()),
                ending: None,
            };
            let error = ResponseValue::<Page>::from_response::<()>(response).await.unwrap_err();
            let told = format!("at `{path}`");
            assert!(error.to_string().contains(&told), "{error}");
        }
    }

    #[tokio::test]
    async fn a_success_is_an_error_by_a_member_that_tells_of_one_where_nothing_else_would_speak_for_it() {
        static TELLING: Operation = Operation {
            error_members: &["error", "errors"],
            ..Operation::BASE
        };
        static READING: Operation = Operation {
            effect: Effect::Safe,
            ..TELLING
        };
        for (operation, status, body, is_value) in [
            (&TELLING, 200, r#"{"x":1}"#, true),
            (&TELLING, 200, r#"{"x":1,"error":"x"}"#, false),
            (&TELLING, 200, r#"{"error":{"code":7}}"#, false),
            (&TELLING, 201, r#"{"error":null,"errors":[1]}"#, false),
            (&TELLING, 200, r#"{"error":null,"errors":[]}"#, true),
            (&TELLING, 200, r#"{"error":false}"#, true),
            (&TELLING, 200, r#"{"error":""}"#, true),
            (&TELLING, 200, r#"{"error":{}}"#, true),
            (&TELLING, 400, r#"{"error":"x"}"#, true),
            (&OPERATION, 200, r#"{"error":"x"}"#, true),
            // Nor by a message alone, whatever an error has beside one.
            (&TELLING, 200, r#"{"message":"no"}"#, false),
            (&TELLING, 200, r#"{"message":"no","status":"failed"}"#, false),
            (&TELLING, 200, r#"{"message":"no","id":null}"#, false),
            (&TELLING, 200, r#"{"message":"done","id":7}"#, true),
            (&TELLING, 200, r#"{"message":"","status":"done"}"#, true),
            // What is read may be of something that failed; what was to be done has failed then.
            (&TELLING, 200, r#"{"id":7,"status":"failed"}"#, false),
            (&READING, 200, r#"{"id":7,"status":"failed"}"#, true),
            (&READING, 200, r#"{"error":"x"}"#, false),
        ] {
            let mut head = head(status, "application/json", false);
            head.operation = operation;
            let response = Response {
                head,
                body: whole(body),
                ending: None,
            };
            match ResponseValue::<JsonMap>::from_response::<()>(response).await {
                Ok(_) => assert!(is_value, "{status} {body}"),
                Err(error) => {
                    assert!(!is_value, "{status} {body}");
                    assert!(error.to_string().contains("as an error has"), "{error}");
                }
            }
        }
    }

    #[tokio::test]
    async fn a_body_that_cannot_be_read_is_told_by_its_media_type_and_is_kept() {
        let long = "x".repeat(64);
        let cut = format!("{}\u{2026}", "x".repeat(48));
        for (sent, named) in [
            ("text/html", Some("text/html")),
            (" text/html ; charset=utf-8", Some("text/html")),
            ("application/json", None),
            ("application/problem+JSON; charset=utf-8", None),
            ("", None),
            (long.as_str(), Some(cut.as_str())),
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
            matches!(&reply.problem, Problem::ErrorBody { media_type, .. } if media_type.as_deref() == Some("text/html"))
        );
        assert!(reply.to_string().contains("a proxy or an outage page"), "{reply}");
        let reply = refused(
            head(400, "application/json", false),
            whole("{\"secret-name\":\"secret-value\"}"),
        )
        .await;
        assert!(
            matches!(&reply.problem, Problem::ErrorBody { path, reason, .. } if path == "." && reason.contains("expected u8"))
        );
        let shown = format!("{reply} {reply:?}");
        assert!(
            shown.contains("differs from the specification at `.`: expected u8") && !shown.contains("secret"),
            "{shown}"
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
            unreadable: Vec::new(),
            raw: None,
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

    #[tokio::test]
    async fn a_page_is_an_error_where_it_tells_of_one() {
        #[derive(serde::Deserialize)]
        struct Listed {
            #[allow(dead_code)]
            page: Option<Json>,
        }
        static LIST: Operation = Operation {
            items: Some("/page/items"),
            effect: Effect::Safe,
            ..Operation::BASE
        };
        for (body, is_value) in [
            (r#"{"page":{"items":null},"error":"x"}"#, false),
            (r#"{"page":{"items":[]},"errors":[{"code":"X"}]}"#, false),
            (r#"{"page":{"items":{"booked":[]}},"faultString":"x"}"#, false),
            (r#"{"page":{},"success":false}"#, false),
            (r#"{"page":null,"validation_errors":{"x":1}}"#, false),
            (r#"{"page":{"items":[]},"errors":[],"error":null}"#, true),
            (r#"{"page":{"items":[]},"message":"there are none"}"#, true),
            (r#"{"page":{"items":null},"message":"down"}"#, false),
            (r#"{"page":{"items":null},"code":500}"#, false),
            (r#"{"page":{"items":[{}]},"error":"x"}"#, false),
            (r#"{"page":{"items":{"booked":[{}]}},"error":"x"}"#, false),
            (r#"{"items":1,"page":{"items":[1]},"success":false}"#, false),
            (r#"{"page":{"items":[{}]},"status":500,"message":"x"}"#, false),
            (r#"{"page":{"items":[{}]},"meta":{"errors":[1]}}"#, false),
            (
                r#"{"page":{"items":[{}]},"error":"none","status":"failed","success":true}"#,
                true,
            ),
            (r#"{"page":{"items":[]}}"#, true),
        ] {
            let response = Response {
                head: Box::new(Head {
                    operation: &LIST,
                    ..*head(200, "", false)
                }),
                body: Body::Whole(Bytes::from_static(body.as_bytes())),
                ending: None,
            };
            let read = ResponseValue::<Listed>::from_response::<()>(response).await;
            assert_eq!(read.is_ok(), is_value, "{body}");
        }
    }

    #[tokio::test]
    async fn a_success_that_is_sent_as_an_error_is_sent_is_none_whatever_is_in_it() {
        for (status, media_type, is_value) in [
            (200, "application/problem+json", false),
            (201, "application/Problem+JSON; charset=utf-8", false),
            (200, "application/problem+xml", false),
            (200, "application/vnd.error+json", false),
            (200, "application/vnd.bank.error+json", false),
            (200, "application/vnd.bank+json", true),
            (400, "application/problem+json", true),
        ] {
            let read = read(head(status, media_type, false), whole("7")).await;
            assert_eq!(read.is_ok(), is_value, "{status} {media_type}");
        }
    }

    #[tokio::test]
    async fn where_the_matter_stands_speaks_for_a_success_and_no_other_field_does() {
        #[derive(serde::Deserialize)]
        #[allow(dead_code)]
        struct Submitted {
            status: Option<Json>,
            at: Option<Json>,
        }
        static SUBMIT: Operation = Operation {
            error_members: &["error"],
            reply_members: &["at", "status"],
            lookup: Some(Lookup {
                state: Some("/status"),
                ..Lookup::BASE
            }),
            ..Operation::BASE
        };
        for (body, is_value) in [
            (r#"{"at":"t","code":"LIMIT","message":"declined"}"#, false),
            (r#"{"at":"t","status":"N/A","state":1,"message":"declined"}"#, false),
            (r#"{"at":"t","statusCode":"FAILED"}"#, false),
            (r#"{"at":"t","status":"X","code":"LIMIT","message":"x"}"#, true),
            (r#"{"at":"t"}"#, true),
        ] {
            let response = Response {
                head: Box::new(Head {
                    operation: &SUBMIT,
                    ..*head(200, "", false)
                }),
                body: Body::Whole(Bytes::from_static(body.as_bytes())),
                ending: None,
            };
            let read = ResponseValue::<Submitted>::from_response::<()>(response).await;
            assert_eq!(read.is_ok(), is_value, "{body}");
        }
    }

    #[tokio::test]
    async fn a_described_field_that_is_blank_does_not_make_a_success_of_an_error() {
        #[derive(serde::Deserialize)]
        #[allow(dead_code)]
        struct Paid {
            id: Option<Json>,
            status: Option<Json>,
        }
        static PAY: Operation = Operation {
            error_members: &["error", "errorCode"],
            reply_members: &["id", "status"],
            ..Operation::BASE
        };
        for (body, is_value) in [
            (r#"{"id":null,"errorCode":"LIMIT"}"#, false),
            (r#"{"id":"","errorCode":"LIMIT"}"#, false),
            (r#"{"id":0,"message":"declined"}"#, false),
            (r#"{"id": 0,"message":"declined"}"#, false),
            (r#"{"id":null,"message":"declined"}"#, false),
            (r#"{"id": " ","msg":"declined"}"#, false),
            (r#"{"id":"\u0020","fault":"x"}"#, false),
            (r#"{"id":[ ],"ok":false}"#, false),
            (r#"{"id":"1","error_code":"LIMIT"}"#, false),
            (r#"{"id":"1","success":false}"#, false),
            (r#"{"id":"1","status":"x","meta":{"status":503}}"#, false),
            (r#"{"id":"N/A","code":"LIMIT","message":"x"}"#, false),
            ("{\"id\":\"\u{feff}\",\"message\":\"x\"}", false),
            (r#"{"id":"1","errorUrl":"https://bank.example/e"}"#, true),
            (r#"{"id":null,"success":true,"message":"x"}"#, true),
            (r#"{"id":"1","errorCode":"0000"}"#, true),
            (r#"{"id":"1","error":{"code":null},"errors":[null]}"#, true),
            (r#"{"id":"1","errorCode":null}"#, true),
            (r#"{"id":"1","message":"booked","note":null}"#, true),
            (r#"{"id":"1","status":"FAILED"}"#, true),
            (r#"{"id":null,"status":"FAILED"}"#, true),
            (r#"{"id":null}"#, true),
        ] {
            let response = Response {
                head: Box::new(Head {
                    operation: &PAY,
                    ..*head(200, "", false)
                }),
                body: Body::Whole(Bytes::from_static(body.as_bytes())),
                ending: None,
            };
            let read = ResponseValue::<Paid>::from_response::<()>(response).await;
            assert_eq!(read.is_ok(), is_value, "{body}");
        }
    }
}
