//! One call: its attempts, what is sent, the retry law.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::header::{ACCEPT, ACCEPT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HeaderValue};
use http::{HeaderMap, HeaderName};
use serde::de::DeserializeOwned;
use tokio::time::Instant;
use tracing::Instrument as _;
use url::Url;

use super::connection_error::{ConnectionError, ConnectionPoint};
use super::credentials::{AfterRefusal, Credential};
use super::error::{Error, Failure};
use super::invalid_reply::Problem;
use super::keys::Keys;
use super::limits::Limiter;
use super::machine::{self, Happened, Situation, Step};
use super::operation::{Effect, MadeHeader, Operation};
use super::options::{CallOptions, ExtraHeaders, is_blank};
use super::outcome::Outcome;
use super::response::{Head, Response, ResponseValue};
use super::retry::RetryPolicy;
use super::secrets::{self, ClientSecrets, KnownSecrets};
use super::trace;
use super::wire_log;
use crate::http::{Departure, Random, is_same_origin, nothing_once, retry_after, sent_once, watched};

type Untyped = Error<std::convert::Infallible>;

/// What a typed client calls with: credentials and policy. Cheap to clone.
#[doc(hidden)] // for generated code, which makes what users see of it
#[derive(Clone)]
pub struct Core(Arc<Inner>);

#[derive(Clone)]
struct Inner {
    provider: &'static str,
    base: Url,
    /// For calls whose code does not bring the client's own.
    http: reqwest::Client,
    /// Of every call.
    headers: ExtraHeaders,
    keys: Keys,
    credential: Credential,
    retry: RetryPolicy,
    /// The HTTP client is the caller's: it may follow redirects.
    own_http: bool,
    /// Of all clients of the application together.
    limiter: Arc<Limiter>,
    /// What goes over the wire is told by its shape.
    wire_log: bool,
    /// The application's own, where it is known: it is in no log.
    client_secrets: Option<ClientSecrets>,
    /// Spreads the pauses between attempts.
    random: Arc<Random>,
}

/// What a client's calls have in common.
pub(crate) struct Settings {
    pub provider: &'static str,
    /// What the paths of operations are relative to.
    pub base: Url,
    pub credential: Credential,
    pub http: reqwest::Client,
    pub headers: ExtraHeaders,
    pub keys: Keys,
    pub retry: RetryPolicy,
    /// The HTTP client is the caller's: it may follow redirects.
    pub own_http: bool,
    pub limiter: Arc<Limiter>,
    pub wire_log: bool,
    pub client_secrets: Option<ClientSecrets>,
}

impl fmt::Debug for Core {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Core")
            .field("provider", &self.0.provider)
            .finish_non_exhaustive()
    }
}

impl Core {
    pub(crate) fn new(settings: Settings) -> Self {
        let Settings {
            provider,
            base,
            credential,
            http,
            headers,
            keys,
            retry,
            own_http,
            limiter,
            wire_log,
            client_secrets,
        } = settings;
        Self(Arc::new(Inner {
            provider,
            base,
            http,
            headers,
            keys,
            credential,
            retry,
            own_http,
            limiter,
            wire_log,
            client_secrets,
            random: Arc::new(Random::from_system()),
        }))
    }

    /// The same, with one header more of every call.
    pub(crate) fn with_header(&self, name: &str, value: &str) -> Result<Self, &'static str> {
        let mut inner = Inner::clone(&self.0);
        inner.headers.set(name, value)?;
        Ok(Self(Arc::new(inner)))
    }

    /// Which grant it calls under, by a name that tells nothing of a person.
    pub(crate) fn connection(&self) -> Option<String> {
        self.0.credential.connection()
    }

    /// Whether what it shows is what one user may see.
    pub(crate) fn is_of_a_user(&self) -> bool {
        self.0.credential.is_of_a_user()
    }

    pub(super) fn provider(&self) -> &'static str {
        self.0.provider
    }

    /// Adds what the client has for every call.
    pub(crate) fn add_headers(&self, headers: &mut HeaderMap, operation: &Operation) {
        self.0.headers.add_to(headers, operation);
    }

    pub(crate) fn http(&self) -> &reqwest::Client {
        &self.0.http
    }

    /// Sends a request under the operation's rules.
    ///
    /// # Errors
    ///
    /// When there is no token, the connection fails, or a redirect leaves the origin. A reply of any status is `Ok`.
    #[doc(hidden)]
    pub fn execute<'a>(
        &'a self,
        http: &'a reqwest::Client,
        request: reqwest::Request,
        operation: &'static Operation,
    ) -> BoxFuture<'a, Result<Response, Failure>> {
        self.execute_with(http, request, operation, CallOptions::new())
    }

    /// The same, with what the caller set for this call alone.
    ///
    /// # Errors
    ///
    /// As [`execute`](Self::execute).
    #[doc(hidden)]
    pub fn execute_with<'a>(
        &'a self,
        http: &'a reqwest::Client,
        request: reqwest::Request,
        operation: &'static Operation,
        with: CallOptions,
    ) -> BoxFuture<'a, Result<Response, Failure>> {
        self.spanned(http, request, operation, Target::Path, with)
    }

    /// Sends a request that no specification describes to where its caller says, which is under the base URL.
    pub(crate) fn execute_given(
        &self,
        request: reqwest::Request,
        operation: &'static Operation,
        with: CallOptions,
    ) -> BoxFuture<'_, Result<Response, Failure>> {
        self.spanned(&self.0.http, request, operation, Target::Given, with)
    }

    /// Sends a request of an operation to where another reply or an intent says, which is under the base URL.
    pub(crate) fn execute_at(
        &self,
        request: reqwest::Request,
        operation: &'static Operation,
        with: CallOptions,
    ) -> BoxFuture<'_, Result<Response, Failure>> {
        self.spanned(&self.0.http, request, operation, Target::Found, with)
    }

    fn spanned<'a>(
        &'a self,
        http: &'a reqwest::Client,
        request: reqwest::Request,
        operation: &'static Operation,
        target: Target,
        with: CallOptions,
    ) -> BoxFuture<'a, Result<Response, Failure>> {
        let span = trace::call(self.0.provider, operation, &request, &self.0.credential);
        Box::pin(
            async move {
                let mut call = UnderWay {
                    provider: self.0.provider,
                    operation,
                    earlier: Earlier::none(with.was_sent_before()),
                    is_over: false,
                };
                let result = self
                    .run(http, request, operation, target, &with, &mut call.earlier)
                    .await;
                call.is_over = true;
                let earlier = &call.earlier;
                let ending = trace::ending(self.0.provider, operation, &result, earlier.attempts, earlier.started);
                match result {
                    Ok(response) => Ok(Response {
                        ending: Some(ending),
                        ..response
                    }),
                    Err(error) => Err(Failure::from(error)),
                }
            }
            .instrument(span),
        )
    }

    async fn run(
        &self,
        http: &reqwest::Client,
        request: reqwest::Request,
        operation: &'static Operation,
        target: Target,
        with: &CallOptions,
        earlier: &mut Earlier,
    ) -> Result<Response, Untyped> {
        if target == Target::Path {
            self.check_url(request.url(), operation)?;
        }
        let mut parts = Parts::of(request, operation)?;
        with.add_to(&mut parts.headers, operation)
            .map_err(|problem| Error::invalid_request(format!("{}: {problem}", operation.id)))?;
        let of_call = self.0.keys.mark(&mut parts.headers);
        self.0.headers.add_to(&mut parts.headers, operation);
        if let Some(missing) = operation.missing_header(&parts.headers) {
            return Err(Error::invalid_request(format!(
                "{}: this call needs the header `{missing}`, which its client is given once: use `header` of the builder, \
                 `with_header` of a client or a connection's client, or `header` of `CallOptions`",
                operation.id
            )));
        }
        let (url, headers) = (&mut parts.url, &mut parts.headers);
        let ways = || self.0.credential.ways(operation);
        parts.keys = match target {
            Target::Path | Target::Found => self.0.keys.add_to(url, headers, operation, &ways()).map_err(|scheme| {
                Error::invalid_request(format!(
                    "{}: this call takes the key `{scheme}`: give it to the builder with `key(\"{scheme}\", ..)`",
                    operation.id
                ))
            })?,
            Target::Given => self.0.keys.add_all_to(url, headers),
        };
        headers.extend(of_call);
        let policy = with.policy(self.0.retry);
        let result = self.attempts(http, parts, operation, policy, earlier).await;
        // What one attempt may have done, no later one takes back.
        match result {
            Ok(mut response) => {
                response.head.in_doubt = earlier.in_doubt;
                response.head.keeps_body = with.keeps_body();
                Ok(response)
            }
            Err(error) if earlier.in_doubt => Err(error.in_doubt()),
            Err(Error::Auth { error, .. }) => Err(Error::Auth {
                error,
                outcome: earlier.outcome(),
            }),
            Err(error) => Err(error),
        }
    }

    async fn attempts(
        &self,
        http: &reqwest::Client,
        mut parts: Parts,
        operation: &'static Operation,
        policy: RetryPolicy,
        earlier: &mut Earlier,
    ) -> Result<Response, Untyped> {
        if policy.attempt_timeout.is_zero() {
            // No later call would have more.
            let problem = "no attempt has any time; set a larger `attempt_timeout`";
            return Err(Error::invalid_request(format!("{}: {problem}", operation.id)));
        }
        let deadline = policy.end(earlier.started);
        let has_key = parts.has_key(operation);
        // What the caller sets may be a secret: an API key beside the token.
        let headers = secrets::of_caller(&parts.headers, &parts.keys);
        let mut refused = None;
        let mut renewed = false;
        let mut attempt = 1;
        let mut last: Option<Attempted> = None;
        loop {
            let credential = &self.0.credential;
            let first = !earlier.sent;
            let mut bearer = credential
                .authenticate(&mut parts.headers, operation, deadline, first)
                .await?;
            let mut situation = Situation {
                effect: operation.effect,
                has_key,
                tries_left: attempt < policy.attempts,
                may_renew: !renewed && bearer.is_some(),
                may_resend: policy.resend_with_new_token,
                happened: Happened::NeverLeft,
            };
            let connection = || credential.connection();
            let limiter = &self.0.limiter;
            let mut place = match limiter.enter(operation, &parts.url, connection, deadline).await {
                Ok(place) => place,
                Err(limited) => return self.answer_of(last, Error::Limited(limited)),
            };
            if place.as_ref().is_some_and(|place| place.waited) {
                bearer = credential
                    .authenticate(&mut parts.headers, operation, deadline, first)
                    .await?;
            }
            let left = deadline
                .saturating_duration_since(Instant::now())
                .min(policy.attempt_timeout);
            if left.is_zero() {
                // What is begun without time might still arrive.
                let too_late = ConnectionError::out_of_time(operation.id, ConnectionPoint::Connect);
                let too_late = too_late.at(&parts.url).of_request(None, situation.is_repeatable());
                return self.answer_of(last, Error::Connection(too_late));
            }
            if let Some(place) = &mut place {
                place.begin();
            }
            let attempted = Attempt {
                operation,
                within: left,
                patience: policy.attempt_timeout,
                repeatable: situation.is_repeatable(),
            };
            let span = trace::attempt(operation, &parts.method, &parts.url, earlier.attempts);
            earlier.attempts += 1;
            let secrets = KnownSecrets {
                sent: credential.header(bearer.as_ref()),
                refused: refused.clone(),
                of_client: self.0.client_secrets.clone(),
                headers: headers.clone(),
            };
            let told = self.0.wire_log && wire_log::is_heard();
            if told {
                wire_log::request(
                    operation,
                    &parts.method,
                    &parts.headers,
                    parts.body.as_deref(),
                    &secrets,
                );
            }
            let mut sent = self
                .send(&parts, http, attempted, secrets)
                .instrument(span.clone())
                .await;
            trace::attempted(self.0.provider, operation, &span, &sent);
            // The caller's HTTP client may have been led back here with another request, whose refusal this is.
            if let Ok(response) = &mut sent
                && self.0.own_http
                && operation.effect != Effect::Safe
            {
                response.head.answer.proof = None;
                response.head.answer.names_token = false;
            }
            if let Ok(response) = &sent
                && told
            {
                wire_log::reply(operation, response, &response.head.secrets);
            }
            situation.happened = match &sent {
                Ok(response) if self.was_redirected(response, &parts, operation) => Happened::Elsewhere,
                Ok(response) => Happened::Answered(response.head.answer),
                Err(error) => error.happened(),
            };
            if let Ok(response) = &sent
                && response.head.answer.status == 429
                && let Some(asked) = retry_after(&response.head.headers)
            {
                self.0.limiter.rest(asked);
            }
            let concluded = situation.conclude();
            // What the provider did not take it does not count, a token that it refused included.
            match place {
                Some(place) if concluded.outcome != Outcome::Unknown => place.give_back(),
                place => drop(place),
            }
            earlier.sent |= concluded.outcome != Outcome::NotSent;
            match (situation.decide(), bearer, &mut sent) {
                (Step::Renew, Some(bearer), Ok(response)) => {
                    match credential
                        .another_token(response.head.answer, &bearer, deadline)
                        .await?
                    {
                        AfterRefusal::SendAgain => {
                            renewed = true;
                            refused = credential.header(Some(&bearer));
                            last = Some((sent, situation.happened));
                            continue;
                        }
                        AfterRefusal::Stands { not_renewed } => response.head.not_renewed = not_renewed,
                    }
                    return self.answer(sent, situation.happened);
                }
                (Step::Suspect, Some(bearer), Ok(response)) => {
                    credential.suspect(response.head.answer, &bearer);
                    return self.answer(sent, situation.happened);
                }
                (Step::Repeat, ..) => {}
                (Step::Answer | Step::Renew | Step::Suspect, ..) => return self.answer(sent, situation.happened),
            }
            attempt += 1;
            let asked = match &sent {
                Ok(response) => response.head.answer.asked,
                Err(error) => error.retry_after,
            };
            let left = deadline.saturating_duration_since(Instant::now());
            let Some(wait) = machine::pause(&policy, attempt, asked, left, self.0.random.draw()) else {
                return self.answer(sent, situation.happened);
            };
            earlier.in_doubt |= concluded.outcome == Outcome::Unknown && operation.effect != Effect::Safe;
            tracing::debug!(attempt, ?wait, "trying again");
            tokio::time::sleep(wait).await;
            last = Some((sent, situation.happened));
        }
    }

    /// What the caller gets when there is no other attempt: what came of the one before says more than why.
    fn answer_of(&self, last: Option<Attempted>, none: Untyped) -> Result<Response, Untyped> {
        last.map_or(Err(none), |(sent, happened)| self.answer(sent, happened))
    }

    /// What the caller gets of the last attempt.
    fn answer(&self, sent: Result<Response, ConnectionError>, happened: Happened) -> Result<Response, Untyped> {
        match sent {
            Ok(response) if happened == Happened::Elsewhere => {
                Err(Error::invalid_reply(response.invalid(Problem::Redirect)))
            }
            Ok(response) => match response.is_no_file() {
                Some(problem) => Err(Error::invalid_reply(response.invalid(problem))),
                None => Ok(response),
            },
            Err(error) => Err(Error::Connection(error)),
        }
    }

    /// One attempt, from the connection to the end of the reply; of its headers, for a download.
    async fn send(
        &self,
        parts: &Parts,
        http: &reqwest::Client,
        Attempt {
            operation,
            within,
            patience,
            repeatable,
        }: Attempt,
        secrets: KnownSecrets,
    ) -> Result<Response, ConnectionError> {
        let Made {
            request,
            id,
            departure,
            let_go,
        } = parts.request(operation);
        let started = Instant::now();
        let exchange = http.execute(request);
        let exchange = async {
            match departure.as_ref().or(let_go.as_ref()) {
                // A search by POST, too, would become another question.
                Some(left) if self.0.own_http && (operation.effect != Effect::Safe || parts.body.is_some()) => {
                    watched(exchange, left).await
                }
                _ => (exchange.await, false),
            }
        };
        let (answered, asked_again) = match tokio::time::timeout(within, exchange).await {
            Ok((answered, asked_again)) => (Ok(answered), asked_again),
            Err(late) => (Err(late), false),
        };
        let mut inner = match answered {
            Ok(Ok(inner)) => inner,
            Ok(Err(error)) => {
                // A time that the HTTP client has of its own is up, and the body does not leave any more.
                let called_off = error.is_timeout() && departure.as_ref().is_some_and(Departure::call_off);
                // Without a body nothing tells whether the connection that failed was one behind a redirect.
                let left = match departure {
                    Some(departure) => departure.happened(),
                    None => self.0.own_http && operation.effect != Effect::Safe,
                };
                let error = ConnectionError::new(operation.id, error, left)
                    .at(&parts.url)
                    .of_request(id, repeatable);
                return Err(if called_off { error.called_off() } else { error });
            }
            Err(_) => {
                // A body that waits for its connection until now leaves on none: a request without it is not whole.
                let point = match departure {
                    Some(departure) if departure.call_off() => ConnectionPoint::Connect,
                    _ => ConnectionPoint::Sent,
                };
                let too_late = ConnectionError::out_of_time(operation.id, point);
                return Err(too_late.at(&parts.url).of_request(id, repeatable));
            }
        };
        // The reply's headers are in: what fails from here on fails in the reply.
        let mut head = Box::new(Head::of(self.0.provider, operation, &mut inner, id, repeatable));
        head.secrets = secrets;
        head.asked_again = asked_again;
        let left = within.saturating_sub(started.elapsed());
        Response::receive(head, inner, patience, left).await
    }

    /// Whether a caller's own HTTP client followed a redirect to where no answer counts: for a call that only reads
    /// another origin, for a page of a list another path, which may be that of another list, for any other call another URL,
    /// and its own when it was asked for again. Behind a followed redirect stands a GET, which says nothing of the request that was redirected.
    fn was_redirected(&self, response: &Response, parts: &Parts, operation: &'static Operation) -> bool {
        let landed = &response.head.url;
        if !is_same_origin(landed, &self.0.base) {
            return true;
        }
        let asked = &parts.url;
        match operation.effect {
            Effect::Safe if operation.pagination.is_none() && parts.body.is_none() => false,
            Effect::Safe => {
                response.head.asked_again
                    || landed.path().trim_end_matches('/') != asked.path().trim_end_matches('/')
                    || landed.query().unwrap_or_default() != asked.query().unwrap_or_default()
            }
            _ => response.head.asked_again || (landed.path(), landed.query()) != (asked.path(), asked.query()),
        }
    }

    /// The path has the operation's own shape: no parameter was empty or changed it (`.`, `..`).
    fn check_url(&self, url: &Url, operation: &'static Operation) -> Result<(), Untyped> {
        let refuse = || {
            Error::invalid_request(format!(
                "{}: a path parameter is empty, `.` or `..`; give the id of the thing",
                operation.id
            ))
        };
        if !is_same_origin(url, &self.0.base) {
            return Err(refuse());
        }
        let base = self.0.base.path().trim_end_matches('/');
        let path = url.path().strip_prefix(base).ok_or_else(refuse)?;
        let mut actual = path.split('/');
        for expected in operation.path.split('/') {
            match actual.next() {
                Some(segment) if segment == expected || expected.contains('{') && !segment.is_empty() => {}
                _ => return Err(refuse()),
            }
        }
        if actual.next().is_some() { Err(refuse()) } else { Ok(()) }
    }

    /// What the paths of operations are relative to.
    #[doc(hidden)]
    #[must_use]
    pub fn base(&self) -> &Url {
        &self.0.base
    }

    /// Fetches a further page from a link that was found to stay under the base URL.
    ///
    /// # Errors
    ///
    /// As the operation itself.
    #[doc(hidden)]
    pub async fn follow<T: DeserializeOwned, E: DeserializeOwned>(
        &self,
        http: &reqwest::Client,
        operation: &'static Operation,
        link: Url,
    ) -> Result<ResponseValue<T>, Error<E>> {
        self.follow_with(http, operation, link, CallOptions::new()).await
    }

    /// The same, with what the caller set for the call alone.
    ///
    /// # Errors
    ///
    /// As the operation itself.
    #[doc(hidden)]
    pub async fn follow_with<T: DeserializeOwned, E: DeserializeOwned>(
        &self,
        http: &reqwest::Client,
        operation: &'static Operation,
        link: Url,
        with: CallOptions,
    ) -> Result<ResponseValue<T>, Error<E>> {
        let headers = HeaderMap::new();
        self.follow_with_headers(http, operation, link, headers, with).await
    }

    /// The same, with the headers that the call has of its parameters: they may say whose list it is.
    ///
    /// # Errors
    ///
    /// As the operation itself.
    #[doc(hidden)]
    pub async fn follow_with_headers<T: DeserializeOwned, E: DeserializeOwned>(
        &self,
        http: &reqwest::Client,
        operation: &'static Operation,
        link: Url,
        headers: HeaderMap,
        with: CallOptions,
    ) -> Result<ResponseValue<T>, Error<E>> {
        let mut request = reqwest::Request::new(http::Method::GET, link);
        *request.headers_mut() = headers;
        let response = self.spanned(http, request, operation, Target::Found, with).await?;
        match response.status().as_u16() {
            200..=299 => ResponseValue::from_response(response).await,
            400..=599 => Err(Error::error_response(ResponseValue::from_response(response).await?)),
            _ => Err(Error::unexpected(response)),
        }
    }
}

/// What an attempt is made with.
struct Attempt {
    operation: &'static Operation,
    /// Its time.
    within: Duration,
    /// How long each piece of a download may take after it.
    patience: Duration,
    /// Sending the call twice is the same as sending it once.
    repeatable: bool,
}

/// A call that is under way. Where its caller gives it up, nobody else tells what became of it.
struct UnderWay {
    provider: &'static str,
    operation: &'static Operation,
    earlier: Earlier,
    is_over: bool,
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        if !self.is_over {
            let Earlier {
                started,
                attempts,
                in_doubt,
                ..
            } = self.earlier;
            trace::given_up(self.provider, self.operation, attempts, in_doubt, started.elapsed());
        }
    }
}

/// What came of an attempt.
type Attempted = (Result<Response, ConnectionError>, Happened);

/// What the attempts of a call have done so far.
struct Earlier {
    /// When the call began.
    started: Instant,
    /// How many there were.
    attempts: u32,
    /// One of them left.
    sent: bool,
    /// One before the last may have taken effect, or a call with the same key that was made before this one; and the call
    /// is one that has an effect.
    in_doubt: bool,
}

impl Earlier {
    /// Of a call that begins now; `in_doubt`: it may have been sent before.
    fn none(in_doubt: bool) -> Self {
        Self {
            started: Instant::now(),
            attempts: 0,
            sent: false,
            in_doubt,
        }
    }

    /// Of a call that ends without a token for its next attempt.
    fn outcome(&self) -> Outcome {
        match (self.sent, self.in_doubt) {
            (_, true) => Outcome::Unknown,
            (true, false) => Outcome::Rejected,
            (false, false) => Outcome::NotSent,
        }
    }
}

/// Where a request goes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Target {
    /// The operation's own path.
    Path,
    /// Where a reply or an intent says, under the base URL; it is the operation's all the same.
    Found,
    /// Where the caller says, under the base URL: no specification describes it.
    Given,
}

/// A request that can be sent more than once.
struct Parts {
    method: http::Method,
    url: Url,
    headers: HeaderMap,
    /// Keys of the client, in whatever place.
    keys: Vec<HeaderValue>,
    body: Option<Bytes>,
}

impl Parts {
    fn of(mut request: reqwest::Request, operation: &'static Operation) -> Result<Self, Untyped> {
        let body = match request.body() {
            None => None,
            Some(body) => Some(body.as_bytes().map(Bytes::copy_from_slice).ok_or_else(|| {
                Error::invalid_request(format!(
                    "{}: the request body is a stream, which cannot be sent again",
                    operation.id
                ))
            })?),
        };
        let mut headers = std::mem::take(request.headers_mut());
        if let Some(accept) = operation.accept {
            headers.insert(ACCEPT, HeaderValue::from_static(accept));
        }
        if let Some(content_type) = operation.content_type.filter(|_| body.is_some()) {
            // A body in parts says itself where they end.
            let is_said = |value: &HeaderValue| value.as_bytes().starts_with(content_type.as_bytes());
            if !headers.get(CONTENT_TYPE).is_some_and(is_said) {
                headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
            }
        }
        Ok(Self {
            method: request.method().clone(),
            url: request.url().clone(),
            headers,
            keys: Vec::new(),
            body,
        })
    }

    /// Whether the caller named its intent with a key: then the provider sees to it that twice is the same as once.
    fn has_key(&self, operation: &Operation) -> bool {
        operation
            .idempotency_header
            .is_some_and(|name| self.headers.get(name).is_some_and(|key| !is_blank(key)))
    }

    fn request(&self, operation: &'static Operation) -> Made {
        let mut request = reqwest::Request::new(self.method.clone(), self.url.clone());
        *request.headers_mut() = self.headers.clone();
        // What is not asked for comes all the same from some servers, and is decoded.
        request
            .headers_mut()
            .insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        let mut id = None;
        for (name, made) in operation.headers {
            let value = match made {
                MadeHeader::Uuid => uuid::Uuid::new_v4().to_string(),
            };
            if let Some(given) = self.headers.get(*name) {
                id = given.to_str().ok().map(str::to_owned);
            } else if let (Ok(name), Ok(header)) = (HeaderName::try_from(*name), HeaderValue::try_from(&value)) {
                request.headers_mut().insert(name, header);
                id = Some(value);
            }
        }
        let (mut departure, mut let_go) = (None, None);
        match self.body.clone().filter(|body| !body.is_empty()) {
            Some(body) => {
                let (body, of_body) = sent_once(body);
                *request.body_mut() = Some(body);
                departure = Some(of_body);
            }
            // Not to be copied either: a caller's own HTTP client sends nothing again by itself that could act twice. It
            // says nothing of whether the request left, because nothing is taken out of it; and nothing of its length,
            // which is said here where a server may ask for it (RFC 9110 section 8.6).
            None if operation.effect != Effect::Safe => {
                if matches!(
                    self.method,
                    http::Method::POST | http::Method::PUT | http::Method::PATCH
                ) {
                    request
                        .headers_mut()
                        .insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
                }
                let (nothing, of_request) = nothing_once();
                *request.body_mut() = Some(nothing);
                let_go = Some(of_request);
            }
            None => {}
        }
        Made {
            request,
            id,
            departure,
            let_go,
        }
    }
}

/// A request that is about to be sent.
struct Made {
    request: reqwest::Request,
    /// The id that it carries.
    id: Option<String>,
    /// Whether its body left, where it has one.
    departure: Option<Departure>,
    /// Whether the HTTP client let go of it, where it has none and changes something.
    let_go: Option<Departure>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_has_the_media_type_of_its_operation_and_what_it_says_beyond_that() {
        static PARTS: Operation = Operation {
            content_type: Some("multipart/form-data"),
            ..Operation::BASE
        };
        for (said, has_body, expected) in [
            (None, true, Some("multipart/form-data")),
            (Some("application/json"), true, Some("multipart/form-data")),
            (
                Some("multipart/form-data; boundary=b"),
                true,
                Some("multipart/form-data; boundary=b"),
            ),
            (None, false, None),
        ] {
            let mut request = reqwest::Request::new(http::Method::POST, "https://bank.example".parse().unwrap());
            *request.body_mut() = has_body.then(|| "x".into());
            if let Some(said) = said {
                request
                    .headers_mut()
                    .insert(CONTENT_TYPE, HeaderValue::from_static(said));
            }
            let parts = Parts::of(request, &PARTS).unwrap();
            let found = parts.headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes);
            assert_eq!(found, expected.map(str::as_bytes), "{said:?}");
        }
    }

    #[test]
    fn a_call_has_a_key_where_its_header_names_something() {
        static KEYED: Operation = Operation {
            idempotency_header: Some("x-key"),
            ..Operation::BASE
        };
        for (key, of_keyed) in [(None, false), (Some(" "), false), (Some("k"), true)] {
            let mut request = reqwest::Request::new(http::Method::POST, "https://bank.example".parse().unwrap());
            if let Some(key) = key {
                request.headers_mut().insert("x-key", HeaderValue::from_static(key));
            }
            let parts = Parts::of(request, &KEYED).unwrap();
            assert_eq!(parts.has_key(&KEYED), of_keyed, "{key:?}");
            assert!(!parts.has_key(&Operation::BASE), "{key:?}");
        }
    }
}
