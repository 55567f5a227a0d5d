//! What a caller sets for one call alone.

use std::fmt;
use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue};

use super::operation::Operation;
use super::retry::RetryPolicy;

/// Headers that a call has by itself: from its credentials, its specification or its body.
const OWN: [&str; 9] = [
    "accept",
    "accept-encoding",
    "authorization",
    "connection",
    "content-length",
    "content-type",
    "host",
    "te",
    "transfer-encoding",
];

/// What is set for one call alone, beside what its client has. It is kept apart from the call, so that it can be set once
/// and used for several.
///
/// `Debug` shows no value of a header and no key.
///
/// ```
/// # #[cfg(feature = "ofx")] {
/// use std::time::Duration;
///
/// use finrail::transport::{CallOptions, RetryPolicy};
///
/// async fn look(client: &finrail::ofx::Client, quote: &str) -> Result<(), finrail::AnyError> {
///     let quick = CallOptions::new()
///         .attempt_timeout(Duration::from_secs(2))
///         .retry(RetryPolicy::none())
///         .header("x-trace", "checkout-7");
///     let reply = client.get_quote().quote_id(quote).with(quick).send().await?;
///     println!("{}", reply.status());
///     Ok(())
/// }
/// # }
/// ```
#[derive(Clone, Default)]
#[must_use]
pub struct CallOptions(Option<Box<Set>>);

/// What is set. Few calls have any of it, and those that have none carry no room for it.
#[derive(Clone, Default)]
struct Set {
    retry: Option<RetryPolicy>,
    attempt_timeout: Option<Duration>,
    deadline: Option<Duration>,
    idempotency_key: Option<HeaderValue>,
    headers: ExtraHeaders,
    keep_body: bool,
    was_sent_before: bool,
    problem: Option<&'static str>,
}

impl CallOptions {
    /// Nothing is set: the call goes by the settings of its client.
    pub fn new() -> Self {
        Self::default()
    }

    /// How often and for how long the call is tried, in place of the client's policy.
    pub fn retry(mut self, policy: RetryPolicy) -> Self {
        self.set().retry = Some(policy);
        self
    }

    /// Time for one attempt. See [`RetryPolicy::attempt_timeout`].
    pub fn attempt_timeout(mut self, timeout: Duration) -> Self {
        self.set().attempt_timeout = Some(timeout);
        self
    }

    /// Time for the whole call, over all attempts and waits. See [`RetryPolicy::deadline`].
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.set().deadline = Some(deadline);
        self
    }

    /// Names the caller's intent, in the header that the provider has for it ([`Operation::idempotency_header`]): a call
    /// with the same key takes effect once, however often it is sent, and so it may be repeated under the retry policy.
    ///
    /// Where the provider has no such header, the call is refused before it is sent.
    pub fn idempotency_key(mut self, key: impl AsRef<str>) -> Self {
        let set = self.set();
        match HeaderValue::from_str(key.as_ref().trim()) {
            Ok(mut value) if !value.is_empty() => {
                value.set_sensitive(true);
                set.idempotency_key = Some(value);
            }
            _ => set.problem = Some("the idempotency key is blank, or has characters that a header cannot carry"),
        }
        self
    }

    /// A header more, or one in place of the client's. Headers that a call has by itself (`Authorization`, `Accept`,
    /// `Content-Type`, what frames the message) are refused when it is sent.
    ///
    /// The value is not logged.
    pub fn header(mut self, name: impl AsRef<str>, value: impl AsRef<str>) -> Self {
        let set = self.set();
        if let Err(problem) = set.headers.set(name.as_ref(), value.as_ref()) {
            set.problem = Some(problem);
        }
        self
    }

    /// Keeps the body of the reply as it came, beside the value that is read from it:
    /// [`ResponseValue::raw_body`](super::ResponseValue::raw_body). Not for downloads.
    pub fn keep_body(mut self) -> Self {
        self.set().keep_body = true;
        self
    }

    fn set(&mut self) -> &mut Set {
        self.0.get_or_insert_default()
    }

    /// The policy of a call with these options, whose client has this one.
    pub(super) fn policy(&self, of_client: RetryPolicy) -> RetryPolicy {
        let Some(set) = &self.0 else { return of_client };
        let policy = set.retry.unwrap_or(of_client);
        RetryPolicy {
            attempt_timeout: set.attempt_timeout.unwrap_or(policy.attempt_timeout),
            deadline: set.deadline.unwrap_or(policy.deadline),
            ..policy
        }
    }

    /// The call is one that may have been sent before, with the same key.
    pub(super) fn sent_before(mut self) -> Self {
        self.set().was_sent_before = true;
        self
    }

    pub(super) fn was_sent_before(&self) -> bool {
        self.0.as_ref().is_some_and(|set| set.was_sent_before)
    }

    pub(super) fn given_key(&self) -> Option<&str> {
        self.0.as_ref()?.idempotency_key.as_ref()?.to_str().ok()
    }

    pub(super) fn keeps_body(&self) -> bool {
        self.0.as_ref().is_some_and(|set| set.keep_body)
    }

    /// Adds what is set here to the headers of a call.
    pub(crate) fn add_to(&self, headers: &mut HeaderMap, operation: &Operation) -> Result<(), &'static str> {
        let of_parameter = operation.idempotency_header.and_then(|name| headers.get(name));
        if of_parameter.is_some_and(is_blank) {
            return Err("the idempotency key is blank: give one, or leave it out");
        }
        let Some(set) = &self.0 else { return Ok(()) };
        if let Some(problem) = set.problem {
            return Err(problem);
        }
        let of_key = operation.idempotency_header;
        for (name, value) in &set.headers.0 {
            if of_key.is_some_and(|of_key| name.as_str().eq_ignore_ascii_case(of_key)) {
                return Err("this header names the caller's intent: give the key through `idempotency_key`");
            }
            headers.insert(name, value.clone());
        }
        let Some(key) = &set.idempotency_key else {
            return Ok(());
        };
        let name = operation
            .idempotency_header
            .and_then(|name| HeaderName::try_from(name).ok());
        let Some(name) = name else {
            return Err("the provider has no header for an idempotency key: leave it out, and look before you repeat");
        };
        headers.insert(name, key.clone());
        Ok(())
    }
}

/// Whether a call has this header by itself.
pub(super) fn is_own(name: &HeaderName) -> bool {
    OWN.contains(&name.as_str())
}

/// A header's value that names nothing.
pub(super) fn is_blank(value: &HeaderValue) -> bool {
    value.as_bytes().iter().all(u8::is_ascii_whitespace)
}

impl fmt::Debug for CallOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nothing = Set::default();
        let set = self.0.as_deref().unwrap_or(&nothing);
        f.debug_struct("CallOptions")
            .field("retry", &set.retry)
            .field("attempt_timeout", &set.attempt_timeout)
            .field("deadline", &set.deadline)
            .field("has_idempotency_key", &set.idempotency_key.is_some())
            .field("headers", &set.headers)
            .field("keep_body", &set.keep_body)
            .finish()
    }
}

/// Headers by a caller. Their values are marked as sensitive, and are not shown.
#[derive(Clone, Default)]
pub(crate) struct ExtraHeaders(HeaderMap);

impl ExtraHeaders {
    /// Sets a header, in place of one with the same name.
    pub fn set(&mut self, name: &str, value: &str) -> Result<(), &'static str> {
        let name = HeaderName::try_from(name).map_err(|_| "a header's name has characters that it cannot have")?;
        if is_own(&name) {
            return Err(
                "a call has `Authorization`, `Accept`, `Content-Type` and what frames its message by itself: \
                        leave them out",
            );
        }
        let mut value =
            HeaderValue::from_str(value).map_err(|_| "a header's value has characters that it cannot carry")?;
        value.set_sensitive(true);
        self.0.insert(name, value);
        Ok(())
    }

    /// Adds those that the call does not have yet. One key would stand for all calls: no header of a client is one.
    pub fn add_to(&self, headers: &mut HeaderMap, operation: &Operation) {
        let is_key = |name: &HeaderName| {
            let of_key = operation.idempotency_header;
            of_key.is_some_and(|of_key| name.as_str().eq_ignore_ascii_case(of_key))
        };
        for (name, value) in &self.0 {
            if !is_key(name) && !headers.contains_key(name) {
                headers.insert(name, value.clone());
            }
        }
    }
}

impl fmt::Debug for ExtraHeaders {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.keys()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_taken_without_the_blanks_around_it_and_a_blank_one_is_refused() {
        let keyed = Operation {
            idempotency_header: Some("x-key"),
            ..Operation::BASE
        };
        let mut headers = HeaderMap::new();
        let options = CallOptions::new().idempotency_key(" key-1 ");
        assert_eq!(options.given_key(), Some("key-1"));
        assert_eq!(options.add_to(&mut headers, &keyed), Ok(()));
        assert_eq!(headers.get("x-key").map(HeaderValue::as_bytes), Some(&b"key-1"[..]));
        for unfit in ["", " \t", "a\nb"] {
            let options = CallOptions::new().idempotency_key(unfit);
            assert_eq!(options.given_key(), None);
            assert!(options.add_to(&mut HeaderMap::new(), &keyed).is_err(), "{unfit:?}");
        }
        assert_eq!(CallOptions::new().given_key(), None);
        // One that a parameter of the call has.
        for (value, is_key) in [("key-2", true), ("a b", true), ("", false), (" \t ", false)] {
            let value = HeaderValue::from_static(value);
            assert_eq!(is_blank(&value), !is_key);
            let mut headers = HeaderMap::from_iter([(HeaderName::from_static("x-key"), value)]);
            assert_eq!(CallOptions::new().add_to(&mut headers, &keyed).is_ok(), is_key);
        }
    }
}
