//! Calls that carry a key of the caller's intent (`x-idempotency`): the same key gives the first reply again.

use std::collections::BTreeMap;

use bytes::Bytes;
use finrail_spec::json::Json;

use crate::sandbox::http::{RawRequest, Reply};
use crate::sandbox::refused::{Refused, refused};
use crate::sandbox::request::Request;
use crate::sandbox::spec::Operation;

/// What was answered to calls with a key. A call that was refused made nothing, and is not kept.
#[derive(Default)]
pub(in crate::sandbox) struct Intents {
    answered: BTreeMap<Intent, (Sent, Reply)>,
}

/// Whose intent it is, and which: another client's key, or another user's, is another one.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Intent {
    client: String,
    user: Option<String>,
    operation: String,
    key: String,
}

/// What a call says, without its headers.
#[derive(PartialEq, Eq)]
struct Sent {
    path: Vec<(String, String)>,
    query: Vec<(String, String)>,
    body: Option<Json>,
    opaque: Bytes,
}

impl Sent {
    fn of(request: &Request) -> Self {
        Self {
            path: request.path.clone(),
            query: request.query.clone(),
            body: request.body.clone(),
            opaque: request.opaque.clone(),
        }
    }
}

impl Intent {
    /// The intent that a call names, where its operation has a header for that.
    pub(super) fn of(operation: &Operation, client: &str, user: Option<&str>, raw: &RawRequest) -> Option<Self> {
        let key = raw.header(&operation.idempotency.as_ref()?.header)?;
        (!key.is_empty()).then(|| Self {
            client: client.to_owned(),
            user: user.map(str::to_owned),
            operation: operation.id.clone(),
            key: key.to_owned(),
        })
    }
}

impl Intents {
    /// The reply that the intent got before; none when it is new.
    pub(super) fn answered(&self, intent: &Intent, request: &Request) -> Result<Option<Reply>, Refused> {
        match self.answered.get(intent) {
            None => Ok(None),
            Some((sent, reply)) if *sent == Sent::of(request) => Ok(Some(reply.clone())),
            Some(_) => {
                let why = "this idempotency key was sent with another call; another intent needs another key";
                Err(refused(422, why).coded(Some("idempotency_key_reused")))
            }
        }
    }

    /// Keeps the reply to an intent.
    pub(super) fn keep(&mut self, intent: Intent, request: &Request, reply: &Reply) {
        self.answered.insert(intent, (Sent::of(request), reply.clone()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_with_another_body_is_refused_whatever_kind_of_body_it_is() {
        let intent = Intent {
            client: "client".to_owned(),
            user: None,
            operation: "pay".to_owned(),
            key: "k".to_owned(),
        };
        let opaque = |text: &'static str| Request {
            opaque: Bytes::from_static(text.as_bytes()),
            ..Request::default()
        };
        let json = |text: &str| Request {
            body: Json::parse(text).ok(),
            ..Request::default()
        };
        for (first, same, other) in [
            (opaque("<pay>1</pay>"), opaque("<pay>1</pay>"), opaque("<pay>2</pay>")),
            (opaque("<pay>1</pay>"), opaque("<pay>1</pay>"), opaque("")),
            (json("{\"a\":1}"), json("{\"a\":1}"), json("{\"a\":2}")),
        ] {
            let mut intents = Intents::default();
            intents.keep(intent.clone(), &first, &Reply::empty(201));
            assert!(intents.answered(&intent, &same).is_ok_and(|reply| reply.is_some()));
            let refused = intents.answered(&intent, &other).err();
            assert_eq!(refused.map(|refused| refused.status), Some(422));
        }
    }
}
