//! One exchange with an authorization server: a request, and the reply as it came.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT_ENCODING, CONTENT_TYPE};
use oauth2::{AsyncHttpClient, HttpRequest, HttpResponse, RequestTokenError};
use tracing::Instrument as _;
use url::Url;
use zeroize::Zeroizing;

use super::error::Error;
use super::reply::{Asked, Broken, MAX_REPLY, RawReply};
use super::reply_form::as_json_in_utf8;
use crate::http::{Departure, NoReply, decoded, host_of, sent_once_while, within};
use crate::token::SendPermit;

/// What came of sending a request. It is the "error" of the HTTP client that the
/// `oauth2` crate is given: that crate builds the requests, but its own reading of
/// replies forgets the status and keeps bodies in errors, so replies are read here.
#[derive(Debug)]
pub(super) enum Captured {
    Reply(RawReply),
    Failed {
        host: String,
        sent: bool,
        source: Option<Box<dyn std::error::Error + Send + Sync>>,
    },
}

impl Captured {
    /// Writes down in the request's span what became of it.
    fn tell(&self, span: &tracing::Span) {
        match self {
            Self::Reply(reply) => {
                let status = reply.status.as_u16();
                span.record("http.response.status_code", status);
                if status >= 400 {
                    span.record("error.type", tracing::field::display(status));
                    span.record("otel.status_code", "ERROR");
                }
            }
            Self::Failed { .. } => {
                span.record("error.type", "connection");
                span.record("otel.status_code", "ERROR");
            }
        }
    }
}

impl fmt::Display for Captured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a reply that is read elsewhere")
    }
}

impl std::error::Error for Captured {}

pub(super) fn captured<T, E: oauth2::ErrorResponse + 'static>(
    result: Result<T, RequestTokenError<Captured, E>>,
    asked: &Asked<'_>,
) -> Result<RawReply, Error> {
    match result {
        Err(RequestTokenError::Request(Captured::Reply(reply))) => Ok(reply),
        Err(RequestTokenError::Request(Captured::Failed { host, sent, source })) => Err(Error::Connection {
            request: asked.request,
            host: Some(host),
            sent,
            source,
        }),
        // The client below never gives the `oauth2` crate a reply, so it has nothing else to report than a
        // request that it could not build.
        _ => Err(Error::Connection {
            request: asked.request,
            host: None,
            sent: false,
            source: None,
        }),
    }
}

/// Sends one request: no redirects, a limit on time and size, nothing logged.
pub(super) struct Exchange<'a> {
    pub(super) http: &'a reqwest::Client,
    pub(super) timeout: Duration,
    pub(super) json: bool,
    pub(super) provider: &'static str,
    /// Whether the request may still leave when there is a connection for it.
    pub(super) permit: SendPermit,
}

impl<'c> AsyncHttpClient<'c> for Exchange<'_> {
    type Error = Captured;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, Captured>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(async move { Err(self.send(request).await) })
    }
}

impl Exchange<'_> {
    pub(super) async fn send(&self, request: HttpRequest) -> Captured {
        let span = tracing::info_span!(
            "finrail.oauth",
            otel.name = %request.method(),
            otel.kind = "client",
            otel.status_code = tracing::field::Empty,
            "finrail.provider" = self.provider,
            http.request.method = %request.method(),
            http.response.status_code = tracing::field::Empty,
            server.address = request.uri().host(),
            server.port = request.uri().port_u16(),
            error.type = tracing::field::Empty,
        );
        let captured = self.send_within(request).instrument(span.clone()).await;
        captured.tell(&span);
        captured
    }

    async fn send_within(&self, request: HttpRequest) -> Captured {
        let (parts, body) = request.into_parts();
        let url = match Url::parse(&parts.uri.to_string()) {
            Ok(url) => url,
            Err(error) => {
                return Captured::Failed {
                    host: parts.uri.host().unwrap_or_default().to_owned(),
                    sent: false,
                    source: Some(error.into()),
                };
            }
        };
        let mut request = reqwest::Request::new(parts.method, url.clone());
        *request.headers_mut() = parts.headers;
        if let Some(credentials) = request.headers_mut().get_mut(http::header::AUTHORIZATION) {
            credentials.set_sensitive(true);
        }
        // What is not asked for comes all the same from some servers, and is decoded.
        request
            .headers_mut()
            .insert(ACCEPT_ENCODING, http::HeaderValue::from_static("identity"));
        let body = if self.json {
            request
                .headers_mut()
                .insert(CONTENT_TYPE, http::HeaderValue::from_static("application/json"));
            as_json(&body)
        } else {
            body
        };
        // A redirect (307, 308) cannot make the HTTP client send the secret elsewhere.
        let permit = self.permit.clone();
        let (body, departure) = sent_once_while(Bytes::from(body), move || permit.holds());
        *request.body_mut() = Some(body);
        let mut arrived = None;
        let exchange = receive(self.http, request, &departure, &mut arrived);
        let failed = match within(self.timeout, exchange).await {
            Some(Ok(())) => None,
            Some(Err(failed)) => Some(failed),
            // A request that had not left does not leave any more.
            None => Some(Failed {
                sent: !departure.call_off(),
                source: NoReply(self.timeout).into(),
            }),
        };
        match (arrived, failed) {
            // What has arrived may have the new tokens in it, whatever became of the rest.
            (Some(reply), failed) => Captured::Reply(RawReply {
                broken: failed.map(|failed| Broken {
                    host: host_of(&url),
                    source: Some(failed.source),
                }),
                ..as_json_in_utf8(uncompressed(reply))
            }),
            (None, failed) => Captured::Failed {
                host: host_of(&url),
                sent: failed.as_ref().is_none_or(|failed| failed.sent),
                source: failed.map(|failed| failed.source),
            },
        }
    }
}

/// Why a reply did not come, or not to its end.
struct Failed {
    sent: bool,
    source: Box<dyn std::error::Error + Send + Sync>,
}

/// Sends the request and puts what comes where it stays when the time is over.
async fn receive(
    http: &reqwest::Client,
    request: reqwest::Request,
    departure: &Departure,
    arrived: &mut Option<RawReply>,
) -> Result<(), Failed> {
    let endpoint = request.url().clone();
    let mut response = http.execute(request).await.map_err(|error| Failed {
        sent: departure.happened_before(&error),
        source: error.without_url().into(),
    })?;
    let mut reply = RawReply {
        status: response.status(),
        headers: response.headers().clone(),
        body: Zeroizing::default(),
        cut: false,
        broken: None,
    };
    if *response.url() != endpoint {
        // A caller's own HTTP client followed a redirect, with a GET and no body. Whoever answered there
        // is not the token endpoint, and no token is taken from them.
        reply.status = http::StatusCode::FOUND;
        *arrived = Some(reply);
        return Ok(());
    }
    let reply = arrived.insert(reply);
    while let Some(chunk) = response.chunk().await.map_err(|error| Failed {
        sent: true,
        source: error.without_url().into(),
    })? {
        let room = MAX_REPLY - reply.body.len();
        append(&mut reply.body, &chunk[..chunk.len().min(room)]);
        if chunk.len() > room {
            reply.cut = true;
            return Ok(());
        }
    }
    Ok(())
}

/// The reply with its body as it was before it was compressed.
fn uncompressed(mut reply: RawReply) -> RawReply {
    if let Some(decoded) = decoded(&reply.headers, &reply.body, MAX_REPLY) {
        reply.body = decoded.body;
        reply.cut |= !decoded.whole;
    }
    reply
}

/// Appends without leaving a copy of a secret in memory that is given back.
fn append(body: &mut Zeroizing<Vec<u8>>, chunk: &[u8]) {
    if body.capacity() - body.len() < chunk.len() {
        let mut larger = Zeroizing::new(Vec::with_capacity((body.len() + chunk.len()) * 2));
        larger.extend_from_slice(body);
        *body = larger;
    }
    body.extend_from_slice(chunk);
}

/// A form body as a JSON object of strings.
fn as_json(form: &[u8]) -> Vec<u8> {
    let fields: serde_json::Map<String, serde_json::Value> = url::form_urlencoded::parse(form)
        .map(|(name, value)| (name.into_owned(), serde_json::Value::String(value.into_owned())))
        .collect();
    serde_json::Value::Object(fields).to_string().into_bytes()
}
