//! Calls that no specification describes.

use std::fmt;
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use http::Method;
use http::header::{CONTENT_TYPE, HeaderValue};
use serde::Serialize;
use serde::de::DeserializeOwned;
use url::Url;

use super::charset::{Wrong, in_utf_8};
use super::core::Core;
use super::error::Error;
use super::invalid_reply::Problem;
use super::operation::{Authentication, Effect, ErrorProof, Operation};
use super::options::CallOptions;
use super::reading::{told_at_the_end, whole};
use super::request::encode_path;
use super::response::{Response, ResponseValue};
use crate::http::is_same_origin;
use crate::value::decode::{Undecodable, decode};

/// A call by method and path, for what a specification lacks: with the client's credentials, retry policy, headers and
/// tracing, and the same care for what may have taken effect. A provider's own limits of single calls are not known of it.
///
/// `Debug` shows method and path as they were given, without what is put into them.
///
/// ```
/// # #[cfg(feature = "mx")] {
/// use finrail::transport::RawCall;
/// use finrail::{Json, TypedClient as _, mx};
///
/// async fn rewards(client: &mx::Client, member: &str) -> Result<Json, finrail::AnyError> {
///     let reply = client
///         .raw(http::Method::GET, "/members/{id}/rewards")
///         .path_parameter("id", member)
///         .query("limit", "50")
///         .send()
///         .await?;
///     Ok(reply.json()?)
/// }
/// # }
/// ```
#[derive(Clone)]
#[must_use = "nothing is sent until `send`"]
pub struct RawCall {
    core: Core,
    method: Method,
    path: String,
    path_parameters: Vec<(String, String)>,
    query: Vec<(String, String)>,
    body: Option<(HeaderValue, Bytes)>,
    accept: HeaderValue,
    effect: Effect,
    /// How a refusal is known to be the provider's.
    proof: Option<ErrorProof>,
    /// Members in which the provider's own code stands.
    codes: &'static [&'static str],
    /// The provider has a header for the key of a caller's intent on some of its calls.
    has_key_elsewhere: bool,
    with: CallOptions,
    problem: Option<String>,
}

impl RawCall {
    /// `others`: what its provider's specification says of other calls.
    pub(crate) fn new<'o>(
        core: Core,
        method: Method,
        path: &str,
        others: impl IntoIterator<Item = &'o Operation> + Clone,
    ) -> Self {
        let effect = if matches!(method, Method::GET | Method::HEAD | Method::OPTIONS) {
            Effect::Safe
        } else {
            // Nobody says what happens when it is sent twice.
            Effect::Neither
        };
        Self {
            core,
            method,
            path: path.to_owned(),
            path_parameters: Vec::new(),
            query: Vec::new(),
            body: None,
            accept: HeaderValue::from_static("application/json"),
            effect,
            proof: proof_of_all(others.clone()),
            codes: codes_of_all(others.clone()),
            has_key_elsewhere: others
                .into_iter()
                .any(|operation| operation.idempotency_header.is_some()),
            with: CallOptions::new(),
            problem: None,
        }
    }

    /// What stands for `{name}` in the path. It is encoded: no character of it changes the path's structure.
    pub fn path_parameter(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.path_parameters.push((name.into(), value.into()));
        self
    }

    /// A parameter of the query. The same name may come several times.
    pub fn query(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.query.push((name.into(), value.into()));
        self
    }

    /// A body in JSON.
    pub fn json<T: Serialize + ?Sized>(mut self, body: &T) -> Self {
        match serde_json::to_vec(body) {
            Ok(body) => self.body = Some((HeaderValue::from_static("application/json"), body.into())),
            // What serde says may quote a value of the call.
            Err(_) => self.problem = Some("the body could not be written as JSON".to_owned()),
        }
        self
    }

    /// A body as `application/x-www-form-urlencoded`.
    pub fn form<'a>(mut self, fields: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        form.extend_pairs(fields);
        let media_type = HeaderValue::from_static("application/x-www-form-urlencoded");
        self.body = Some((media_type, form.finish().into()));
        self
    }

    /// A body of another type.
    pub fn body(mut self, media_type: &str, body: impl Into<Bytes>) -> Self {
        match HeaderValue::from_str(media_type) {
            Ok(media_type) => self.body = Some((media_type, body.into())),
            Err(_) => self.problem = Some("the media type has characters that a header cannot carry".to_owned()),
        }
        self
    }

    /// The media type that is asked for; `application/json` without it.
    pub fn accept(mut self, media_type: &str) -> Self {
        match HeaderValue::from_str(media_type) {
            Ok(media_type) => self.accept = media_type,
            Err(_) => self.problem = Some("the media type has characters that a header cannot carry".to_owned()),
        }
        self
    }

    /// What sending it twice does. `GET`, `HEAD` and `OPTIONS` change nothing (RFC 9110 section 9.2.1). Of every other method
    /// nobody says: such a call is sent once, unless the caller knows better, or its provider recognises a header of it
    /// as the key of one intent.
    pub fn effect(mut self, effect: Effect) -> Self {
        self.effect = effect;
        self
    }

    /// What is set for this call alone: times, retries, headers.
    pub fn with(mut self, options: CallOptions) -> Self {
        self.with = options;
        self
    }

    /// Sends it.
    ///
    /// # Errors
    ///
    /// As a typed call. A reply with a status that is not 2xx is an [`Error::ErrorResponse`] with the body as it came.
    pub async fn send(self) -> Result<ResponseValue<Bytes>, Error<Bytes>> {
        let url = self.url().map_err(Error::invalid_request)?;
        let mut request = reqwest::Request::new(self.method, url);
        let headers = request.headers_mut();
        headers.insert(http::header::ACCEPT, self.accept);
        if let Some((media_type, body)) = self.body {
            headers.insert(CONTENT_TYPE, media_type);
            *request.body_mut() = Some(body.into());
        }
        if self.has_key_elsewhere && self.with.given_key().is_some() {
            let told = "raw: which header of this call has the key, no specification says: give it with `header`";
            return Err(Error::invalid_request(told.to_owned()));
        }
        let operation = operation(self.effect, self.proof, self.codes);
        let response = self.core.execute_given(request, operation, self.with).await?;
        match response.status().as_u16() {
            200..=299 => ResponseValue::as_it_came(response),
            400..=599 => Err(Error::error_response(ResponseValue::as_it_came(response)?)),
            _ => Err(Error::unexpected(response)),
        }
    }

    /// Where it goes: under the base URL, and nowhere else.
    fn url(&self) -> Result<Url, String> {
        if let Some(problem) = &self.problem {
            return Err(problem.clone());
        }
        let path = self.path.as_str();
        let is_unfit = |c: char| matches!(c, '?' | '#' | '\\') || c.is_control() || c.is_whitespace();
        if !path.starts_with('/') || path.contains(is_unfit) {
            return Err("a path begins with `/`; what belongs into the query goes through `query`".to_owned());
        }
        let mut segments = Vec::new();
        for segment in path.split('/').skip(1) {
            segments.push(self.filled(segment)?);
        }
        // A browser's way to read a URL takes these for steps.
        let steps = |segment: &String| {
            matches!(
                segment.to_ascii_lowercase().as_str(),
                "." | ".." | "%2e" | "%2e%2e" | ".%2e" | "%2e."
            )
        };
        if segments.iter().any(steps) {
            return Err("a step of the path is `.` or `..`; give the path as it is".to_owned());
        }
        let base = self.core.base();
        let text = format!("{}/{}", base.as_str().trim_end_matches('/'), segments.join("/"));
        let mut url = Url::parse(&text).map_err(|_| "the path gives no URL".to_owned())?;
        let below = url.path().strip_prefix(base.path().trim_end_matches('/'));
        if !is_same_origin(&url, base) || !below.is_some_and(|below| below.starts_with('/')) {
            return Err("the path leads away from the base URL".to_owned());
        }
        if !self.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&self.query);
        }
        Ok(url)
    }

    /// A step of the path, with what stands for the names in it.
    fn filled(&self, segment: &str) -> Result<String, String> {
        let (mut filled, mut rest) = (String::new(), segment);
        while let Some((before, behind)) = rest.split_once('{') {
            let (name, after) = behind
                .split_once('}')
                .ok_or_else(|| "a `{` of the path has no `}`".to_owned())?;
            let given = self.path_parameters.iter().find(|(given, _)| given == name);
            let (_, value) = given.ok_or_else(|| format!("nothing is given for `{{{name}}}` of the path"))?;
            if value.is_empty() {
                return Err(format!(
                    "what is given for `{{{name}}}` of the path is empty; give the id of the thing"
                ));
            }
            filled.push_str(before);
            filled.push_str(&encode_path(value));
            rest = after;
        }
        filled.push_str(rest);
        Ok(filled)
    }
}

impl fmt::Debug for RawCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RawCall")
            .field("method", &self.method)
            .field("path", &self.path)
            .field("effect", &self.effect)
            .field("with", &self.with)
            .finish_non_exhaustive()
    }
}

impl ResponseValue<Bytes> {
    /// A reply with its body as it came.
    pub(crate) fn as_it_came<E>(response: Response) -> Result<Self, Error<E>> {
        let Response { head, body, ending } = response;
        let read = whole(&head, body).map(|inner| Self {
            inner,
            head,
            unreadable: Vec::new(),
            raw: None,
        });
        told_at_the_end(ending, read)
    }

    /// The body, read as JSON, in the charset that its header declares.
    ///
    /// A list is not read as an object by the position of its items, as serde would. It is inside of what serde keeps to read
    /// it a second time: the fields of a type with `#[serde(flatten)]`, and what is in an enum that is untagged or has its tag
    /// inside.
    ///
    /// # Errors
    ///
    /// When it does not have the form of `T`; the error names the place, and no value.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Error<Bytes>> {
        decode(&in_utf_8(&self.inner, &self.head.headers, Wrong::Refused)).map_err(|Undecodable { path, reason }| {
            let problem = Problem::Decode { path, reason };
            Error::invalid_reply(self.head.invalid(problem, Some(self.inner.clone())))
        })
    }
}

/// Whatever credentials the client has.
const ANY: &[Authentication] = &[
    Authentication::Bearer { scopes: &[] },
    Authentication::AccessKey,
    Authentication::ClientBasic,
    Authentication::RegistrationToken,
    Authentication::Nothing,
];

const RAW: Operation = Operation {
    id: "raw",
    authentication: ANY,
    ..Operation::BASE
};

/// The operation that a raw call is. There is one for each effect, and for each way in which a provider is known: they are
/// made once and stay.
fn operation(
    effect: Effect,
    error_proof: Option<ErrorProof>,
    error_codes: &'static [&'static str],
) -> &'static Operation {
    static MADE: Mutex<Vec<&'static Operation>> = Mutex::new(Vec::new());
    let mut made = MADE.lock().unwrap_or_else(PoisonError::into_inner);
    let known = made.iter().find(|operation| {
        operation.effect == effect && operation.error_proof == error_proof && operation.error_codes == error_codes
    });
    if let Some(known) = known {
        return known;
    }
    let new: &'static Operation = Box::leak(Box::new(Operation {
        effect,
        error_proof,
        error_codes,
        ..RAW
    }));
    made.push(new);
    new
}

/// The members with the provider's own code, where all calls that have such have the same.
fn codes_of_all<'o>(others: impl IntoIterator<Item = &'o Operation>) -> &'static [&'static str] {
    let mut codes = others
        .into_iter()
        .map(|operation| operation.error_codes)
        .filter(|codes| !codes.is_empty());
    let first = codes.next().unwrap_or_default();
    match codes.all(|other| other == first) {
        true => first,
        false => &[],
    }
}

/// How the refusals of a provider are known where its specification says nothing of a call: as those of all others are.
/// Where only some of them are known, or in different ways, nothing proves a refusal; where none is, it is assumed.
fn proof_of_all<'o>(others: impl IntoIterator<Item = &'o Operation>) -> Option<ErrorProof> {
    let mut others = others.into_iter().filter(|operation| !operation.browser);
    let first = others.next()?.error_proof;
    match others.all(|operation| operation.error_proof == first) {
        true => first,
        false => Some(ErrorProof::BASE),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_refusals_of_a_raw_call_are_known_as_those_of_all_others_are() {
        let known = |statuses| ErrorProof {
            statuses,
            members: &["code"],
        };
        let (one, other) = (known(&[400]), known(&[409]));
        for (others, expected) in [
            (&[][..], None),
            (&[None, None], None),
            (&[Some(one), Some(one)], Some(one)),
            (&[Some(one), Some(other)], Some(ErrorProof::BASE)),
            (&[None, Some(one)], Some(ErrorProof::BASE)),
        ] {
            let others = others.iter().map(|error_proof| Operation {
                error_proof: *error_proof,
                ..Operation::BASE
            });
            let others: Vec<_> = others.collect();
            assert_eq!(proof_of_all(&others), expected);
        }
    }

    #[test]
    fn a_raw_call_of_one_kind_is_one_operation() {
        let [first, again] = [Effect::Neither; 2].map(|effect| operation(effect, Some(ErrorProof::BASE), &["code"]));
        assert!(std::ptr::eq(first, again));
        let other = operation(Effect::Safe, None, &[]);
        assert_eq!((other.effect, other.error_codes), (Effect::Safe, &[][..]));
        assert_eq!(first.error_codes, ["code"]);
    }

    #[test]
    fn the_code_of_a_raw_call_stands_where_that_of_all_others_does() {
        let known: [(&[&'static [&'static str]], &[&str]); 4] = [
            (&[], &[]),
            (&[&["code"], &[], &["code"]], &["code"]),
            (&[&["code"], &["id"]], &[]),
            (&[&[], &[]], &[]),
        ];
        for (others, expected) in known {
            let others = others.iter().map(|error_codes| Operation {
                error_codes,
                ..Operation::BASE
            });
            let others: Vec<_> = others.collect();
            assert_eq!(codes_of_all(&others), expected);
        }
    }
}
