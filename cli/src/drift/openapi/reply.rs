//! What the client reads: statuses, media types and bodies of replies.

use finrail_spec::operations::OperationObject;
use finrail_spec::pointer::join;
use serde_json::{Map, Value};

use super::compared::{Compared, Direction};
use super::media::{chosen, place_of_media};
use crate::drift::finding::Class;

/// A reply with a body: its status, its media type, and what is said of it.
type Body<'v> = (&'v String, &'v String, &'v Value);

impl<'s> Compared<'s> {
    pub(super) fn replies(&mut self, ours: &OperationObject<'s>, theirs: &OperationObject<'s>) {
        let replies = |operation: &OperationObject<'s>| operation.value.get("responses").and_then(Value::as_object);
        let (Some(mine), Some(other)) = (replies(ours), replies(theirs)) else {
            return;
        };
        let class_of = |status: &str| format!("{}XX", status.get(..1).unwrap_or_default());
        for status in other.keys().filter(|status| status.starts_with('2')) {
            let known = mine.contains_key(status) || mine.contains_key(&class_of(status)) || status.as_str() == "2XX";
            if !known {
                self.add(
                    "status-added",
                    Class::WireBreaking,
                    status,
                    format!("success may be {status} now"),
                    "the client takes a status that is not listed for a failure",
                    "describe the status",
                );
            }
        }
        let accept = ours.value.get("x-accept").and_then(Value::as_str);
        for (wanted, name, direction) in [
            (&['2'][..], "reply", Direction::Reply),
            (&['4', '5'][..], "error", Direction::Failure),
        ] {
            // Success has one schema here, and failure another: the first body stands for all.
            let first = first_body(mine, wanted);
            let others: Vec<&String> = other.keys().filter(|status| is_of(status, wanted)).collect();
            let Some((status, media, described)) = first else {
                if let Some((_, media, _)) = first_body(other, wanted).filter(|_| direction == Direction::Reply) {
                    self.add(
                        "reply-added",
                        Class::Additive,
                        media,
                        "the reply has a body now".to_owned(),
                        "the client leaves it unread",
                        "describe the reply",
                    );
                }
                continue;
            };
            let mut bodies = 0;
            for other_status in &others {
                let content = other[*other_status].get("content").and_then(Value::as_object);
                let Some(content) = content.filter(|content| !content.is_empty()) else {
                    continue;
                };
                bodies += 1;
                let found = chosen(media, content).or_else(|| accept.and_then(|accept| chosen(accept, content)));
                let Some((other_media, found)) = found else {
                    if direction == Direction::Reply {
                        let names: Vec<&str> = content.keys().map(String::as_str).collect();
                        self.add(
                            "media-type-changed",
                            Class::WireBreaking,
                            media,
                            format!("the reply is {} now", names.join(" or ")),
                            &format!("the client reads {media}"),
                            "correct the media type",
                        );
                    }
                    continue;
                };
                if let (Some(mine), Some(theirs_schema)) = (described.get("schema"), found.get("schema")) {
                    let place = |operation: &OperationObject<'_>, status: &str, media: &str| {
                        place_of_media(&join(&join(&operation.pointer(), "responses"), status), media)
                    };
                    let here = place(ours, status, media);
                    let there = place(theirs, other_status, other_media);
                    self.schema((&here, mine), (&there, theirs_schema), direction, name);
                }
            }
            if bodies == 0 && !others.is_empty() && direction == Direction::Reply {
                self.add(
                    "reply-gone",
                    Class::WireBreaking,
                    media,
                    "the reply has no body any more".to_owned(),
                    "the client cannot read an empty reply",
                    "remove the reply's schema",
                );
            }
        }
    }
}

/// Whether the specification says what the reply is, and the document only that there is one.
pub(super) fn is_silent(ours: &OperationObject<'_>, theirs: &OperationObject<'_>) -> bool {
    let says = |operation: &OperationObject<'_>| {
        let replies = operation.value.get("responses").and_then(Value::as_object)?;
        let (_, _, described) = first_body(replies, &['2'])?;
        let schema = described.get("schema").and_then(Value::as_object);
        Some(schema.is_some_and(|schema| !schema.is_empty()))
    };
    says(ours) == Some(true) && says(theirs) == Some(false)
}

fn is_of(status: &str, wanted: &[char]) -> bool {
    status.starts_with(wanted) || status == "default" && wanted.contains(&'4')
}

fn first_body<'v>(replies: &'v Map<String, Value>, wanted: &[char]) -> Option<Body<'v>> {
    replies
        .iter()
        .filter(|(status, _)| is_of(status, wanted))
        .find_map(|(status, reply)| {
            let (media, described) = reply.get("content")?.as_object()?.iter().next()?;
            Some((status, media, described))
        })
}
