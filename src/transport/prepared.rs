//! A call that is made in two steps: what it is going to do is kept, and then it is sent.

use std::fmt;

use futures_util::future::BoxFuture;
use http::HeaderName;
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
/// When the provider has no header for a key, or this is not the call of that intent.
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
    prepared(core, http, request, operation, with, read, Some(intent))
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
        None => Intent::of(core.provider(), operation, core.base(), &whole, key.clone()).under(core.connection()),
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
