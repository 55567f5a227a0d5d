//! A call that is made in two steps: what it is going to do is kept, and then it is sent.

use std::fmt;

use futures_util::future::BoxFuture;
use http::{HeaderMap, HeaderName};
use uuid::Uuid;

use super::core::Core;
use super::error::Error;
use super::intent::Intent;
use super::operation::Operation;
use super::options::CallOptions;
use super::response::{Response, ResponseValue};

/// From a reply to what the call gives.
type Read<T, E> = fn(Response) -> BoxFuture<'static, Result<ResponseValue<T>, Error<E>>>;

/// A call that is ready to be sent, with its [`Intent`]: see `prepare()` of a call.
///
/// Dropping it sends nothing. Keep the intent first, then send; where the outcome is
/// [`Unknown`](super::Outcome::Unknown), or the program was stopped in between, a [`Doubt`](crate::Doubt) made of the intent
/// looks up what became of it.
#[must_use = "nothing is sent until `send`"]
pub struct Prepared<'a, T, E> {
    core: &'a Core,
    http: &'a reqwest::Client,
    request: reqwest::Request,
    operation: &'static Operation,
    with: CallOptions,
    read: Read<T, E>,
    intent: Intent,
}

impl<T, E> Prepared<'_, T, E> {
    /// What the call is going to do. Keep it before [`send`](Self::send).
    #[must_use]
    pub fn intent(&self) -> &Intent {
        &self.intent
    }

    /// Sends the call.
    ///
    /// # Errors
    ///
    /// See [`Error`]: what it says of the call's effect is in `outcome()`.
    pub async fn send(self) -> Result<ResponseValue<T>, Error<E>> {
        let Self {
            core,
            http,
            request,
            operation,
            with,
            read,
            ..
        } = self;
        let response = core.execute_with(http, request, operation, with).await?;
        read(response).await
    }
}

impl<T, E> fmt::Debug for Prepared<'_, T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Prepared")
            .field("intent", &self.intent)
            .finish_non_exhaustive()
    }
}

/// Prepares a call. Where the provider has a header for an idempotency key and the call has none, it gets one.
///
/// # Errors
///
/// When the body cannot be known before it is sent, or an option does not fit the call.
#[doc(hidden)] // for generated code, which makes what users see of it
pub fn prepare<'a, T, E>(
    core: &'a Core,
    http: &'a reqwest::Client,
    request: reqwest::Request,
    operation: &'static Operation,
    with: CallOptions,
    read: Read<T, E>,
) -> Result<Prepared<'a, T, E>, Error<E>> {
    prepared(core, http, request, operation, with, read, None)
}

/// Prepares a call of which an intent was kept, to send it once more with the same idempotency key.
///
/// # Errors
///
/// When the provider has no header for a key, or this is not the call of that intent. Its outcome is unknown, as it was.
#[doc(hidden)] // for generated code, which makes what users see of it
pub fn prepare_again<'a, T, E>(
    core: &'a Core,
    http: &'a reqwest::Client,
    request: reqwest::Request,
    operation: &'static Operation,
    with: CallOptions,
    read: Read<T, E>,
    intent: &Intent,
) -> Result<Prepared<'a, T, E>, Error<E>> {
    let with = with.sent_before();
    prepared(core, http, request, operation, with, read, Some(intent)).map_err(Error::in_doubt)
}

fn prepared<'a, T, E>(
    core: &'a Core,
    http: &'a reqwest::Client,
    request: reqwest::Request,
    operation: &'static Operation,
    mut with: CallOptions,
    read: Read<T, E>,
    before: Option<&Intent>,
) -> Result<Prepared<'a, T, E>, Error<E>> {
    let refused = |problem: &str| Error::invalid_request(format!("{}: {problem}", operation.id));
    if request.body().is_some_and(|body| body.as_bytes().is_none()) {
        return Err(refused("a body that is a stream cannot be prepared; use `send`"));
    }
    // The call as it will be sent, but for what each sending has of its own.
    let Some(mut whole) = request.try_clone() else {
        return Err(refused("a body that is a stream cannot be prepared; use `send`"));
    };
    with.add_to(whole.headers_mut(), operation).map_err(refused)?;
    core.add_headers(whole.headers_mut(), operation);
    let given = with
        .given_key()
        .map(str::to_owned)
        .or_else(|| key_in(&request, operation));
    let key = match (before, operation.idempotency_header) {
        (Some(_), None) => {
            return Err(refused(
                "the provider has no header for an idempotency key, so nothing may be sent twice; look up what became of \
                 it with a `Doubt`",
            ));
        }
        (Some(intent), Some(_)) => {
            if !intent.is_of(core.provider(), operation, core.base(), &whole) {
                return Err(refused(
                    "this is not the call of that intent: operation, parameters, headers or body differ; prepare it as a new one",
                ));
            }
            if !intent.is_under(core.connection()) {
                return Err(refused(
                    "the intent is of another grant: send the call with the client under which it was prepared",
                ));
            }
            let Some(key) = intent.idempotency_key() else {
                return Err(refused("the intent has no idempotency key; look up what became of it"));
            };
            if key.trim().is_empty() {
                return Err(refused(
                    "the idempotency key of the intent is blank; look up what became of it",
                ));
            }
            if given.is_some_and(|given| given != key) {
                return Err(refused(
                    "the call has another idempotency key than the intent; leave it out",
                ));
            }
            Some(key.to_owned())
        }
        (None, Some(_)) => Some(given.unwrap_or_else(|| Uuid::new_v4().to_string())),
        (None, None) => None,
    };
    let intent = match before {
        Some(intent) => intent.clone(),
        None => {
            let mut beside = HeaderMap::new();
            with.add_to(&mut beside, operation).map_err(refused)?;
            core.add_headers(&mut beside, operation);
            Intent::of(core.provider(), operation, core.base(), &whole, key.clone())
                .under(core.connection())
                .with_headers(operation, whole.headers(), &beside)
        }
    };
    if let Some(key) = key {
        with = with.idempotency_key(key);
    }
    Ok(Prepared {
        core,
        http,
        request,
        operation,
        with,
        read,
        intent,
    })
}

/// The idempotency key that a parameter of the call has.
fn key_in(request: &reqwest::Request, operation: &Operation) -> Option<String> {
    let name = HeaderName::try_from(operation.idempotency_header?).ok()?;
    let key = request.headers().get(name)?.to_str().ok()?.trim();
    (!key.is_empty()).then(|| key.to_owned())
}

#[cfg(test)]
#[cfg(feature = "mx")]
mod tests {
    use std::sync::Arc;

    use futures_util::future::ready;

    use super::super::outcome::Outcome;
    use super::*;
    use crate::token::{Bearer, Rejection, TokenSource};
    use crate::{ScopeSet, Secret, TypedClient as _, mx, token};

    static KEYED: Operation = Operation {
        id: "pay",
        path: "/payments",
        idempotency_header: Some("x-key"),
        ..Operation::BASE
    };
    static WITHOUT_KEY: Operation = Operation {
        idempotency_header: None,
        ..KEYED
    };

    /// Tokens of the grant with this name.
    struct Of(&'static str);

    impl TokenSource for Of {
        fn ready(&self) -> Option<Bearer> {
            Bearer::new(&Secret::from("token-1"), 0).ok()
        }
        fn fresh(&self) -> BoxFuture<'_, Result<Bearer, token::Error>> {
            Box::pin(ready(Err(token::Error::from_source("no other"))))
        }
        fn rejected(&self, _: u64, _: Rejection) -> BoxFuture<'_, Result<Bearer, token::Error>> {
            self.fresh()
        }
        fn granted(&self) -> Option<Arc<ScopeSet>> {
            None
        }
        fn connection(&self) -> Option<String> {
            Some(self.0.to_owned())
        }
    }

    fn client(grant: &'static str) -> mx::Client {
        let builder = mx::Client::builder().base_url("https://bank.example");
        builder.token_source(Arc::new(Of(grant))).build().unwrap()
    }

    fn pay(amount: &str, key: Option<&str>) -> reqwest::Request {
        let url = "https://bank.example/payments".parse().unwrap();
        let mut request = reqwest::Request::new(http::Method::POST, url);
        *request.body_mut() = Some(amount.to_owned().into());
        if let Some(key) = key {
            request.headers_mut().insert("x-key", key.parse().unwrap());
        }
        request
    }

    /// The intent of a call that is prepared, once or after this intent; or why it is not.
    fn prepared_by(
        client: &mx::Client,
        request: reqwest::Request,
        operation: &'static Operation,
        with: CallOptions,
        before: Option<&Intent>,
    ) -> Result<Intent, String> {
        let core = client.core();
        let read: Read<(), ()> = |_| Box::pin(ready(Err(Error::invalid_request(String::new()))));
        prepared(core, core.http(), request, operation, with, read, before)
            .map(|prepared| {
                assert_eq!(prepared.with.given_key(), prepared.intent.idempotency_key());
                prepared.intent
            })
            .map_err(|error| error.to_string())
    }

    #[test]
    fn a_call_that_is_prepared_has_the_key_that_it_was_given_or_one_of_its_own() {
        let one = client("one");
        let key = |request, with| prepared_by(&one, request, &KEYED, with, None).unwrap();
        let nothing = CallOptions::new;
        let given = key(pay("1", None), nothing().idempotency_key("k"));
        assert_eq!(given.idempotency_key(), Some("k"));
        let of_parameter = key(pay("1", Some(" k ")), nothing());
        assert_eq!(of_parameter.idempotency_key(), Some("k"));
        let own = [key(pay("1", None), nothing()), key(pay("1", None), nothing())];
        assert!(own.iter().all(|intent| intent.idempotency_key().unwrap().len() == 36));
        assert_ne!(own[0].idempotency_key(), own[1].idempotency_key());
        let blank = prepared_by(&one, pay("1", Some(" ")), &KEYED, nothing(), None).unwrap_err();
        assert!(blank.contains("the idempotency key is blank"), "{blank}");
        let without = prepared_by(&one, pay("1", None), &WITHOUT_KEY, nothing(), None).unwrap();
        assert_eq!(without.idempotency_key(), None);
    }

    #[tokio::test]
    async fn of_a_call_that_is_prepared_again_nobody_knows_that_it_was_not_sent_before() {
        let one = client("one");
        let core = one.core();
        let late = || CallOptions::new().deadline(std::time::Duration::ZERO);
        let read: Read<(), ()> = |_| Box::pin(ready(Err(Error::invalid_request(String::new()))));
        let first = prepare(core, core.http(), pay("1", None), &KEYED, late(), read).unwrap();
        let intent = first.intent().clone();
        assert_eq!(first.send().await.unwrap_err().outcome(), Outcome::NotSent);
        let again = prepare_again(core, core.http(), pay("1", None), &KEYED, late(), read, &intent).unwrap();
        assert_eq!(again.send().await.unwrap_err().outcome(), Outcome::Unknown);
        let other = prepare_again(core, core.http(), pay("2", None), &KEYED, late(), read, &intent);
        assert_eq!(other.unwrap_err().outcome(), Outcome::Unknown);
    }

    #[test]
    fn after_an_intent_a_client_with_other_headers_makes_another_call() {
        let with = |value: &str| {
            let builder = mx::Client::builder()
                .base_url("https://bank.example")
                .header("x-tenant", value);
            builder.token_source(Arc::new(Of("one"))).build().unwrap()
        };
        let before = prepared_by(&with("a"), pay("1", None), &KEYED, CallOptions::new(), None).unwrap();
        let again = |value| prepared_by(&with(value), pay("1", None), &KEYED, CallOptions::new(), Some(&before));
        assert!(again("a").is_ok());
        assert!(again("b").unwrap_err().contains("not the call of that intent"));
    }

    #[test]
    fn after_an_intent_the_same_call_of_the_same_grant_is_prepared_with_the_same_key_and_no_other() {
        let (one, other) = (client("one"), client("other"));
        let before = prepared_by(&one, pay("1", None), &KEYED, CallOptions::new(), None).unwrap();
        let again = |client, amount, with| prepared_by(client, pay(amount, None), &KEYED, with, Some(&before));
        assert_eq!(again(&one, "1", CallOptions::new()).unwrap().id(), before.id());
        let same = CallOptions::new().idempotency_key(before.idempotency_key().unwrap());
        assert!(again(&one, "1", same).is_ok());
        for (refused, why) in [
            (again(&one, "2", CallOptions::new()), "not the call of that intent"),
            (again(&other, "1", CallOptions::new()), "of another grant"),
            (
                again(&one, "1", CallOptions::new().idempotency_key("k")),
                "another idempotency key",
            ),
            (
                prepared_by(&one, pay("1", None), &WITHOUT_KEY, CallOptions::new(), Some(&before)),
                "no header for an idempotency key",
            ),
        ] {
            assert!(
                refused.as_ref().is_err_and(|refused| refused.contains(why)),
                "{refused:?}"
            );
        }
    }
}
