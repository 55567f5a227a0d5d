//! One exchange with an authorization server: a request, and the reply as it came.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use oauth2::{AsyncHttpClient, HttpRequest, HttpResponse, RequestTokenError};
use tracing::Instrument as _;
use url::Url;
use zeroize::Zeroizing;

use super::error::Error;
use super::reply::{Asked, RawReply};
use crate::http::{NoReply, ReadError, host_of, read, sent_once};

/// Largest reply of an authorization server that is read, in bytes.
const MAX_REPLY: usize = 64 * 1024;

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
            provider = self.provider,
            status = tracing::field::Empty
        );
        self.send_within(request).instrument(span).await
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
        let failed = |sent, source| Captured::Failed {
            host: host_of(&url),
            sent,
            source: Some(source),
        };
        let mut request = reqwest::Request::new(parts.method, url.clone());
        *request.headers_mut() = parts.headers;
        if let Some(credentials) = request.headers_mut().get_mut(http::header::AUTHORIZATION) {
            credentials.set_sensitive(true);
        }
        let body = if self.json {
            request
                .headers_mut()
                .insert(CONTENT_TYPE, http::HeaderValue::from_static("application/json"));
            as_json(&body)
        } else {
            body
        };
        // A redirect (307, 308) cannot make the HTTP client send the secret elsewhere.
        let (body, departure) = sent_once(Bytes::from(body));
        *request.body_mut() = Some(body);
        let exchange = async {
            let response = self
                .http
                .execute(request)
                .await
                .map_err(|error| failed(departure.happened_before(&error), error.without_url().into()))?;
            let (status, headers) = (response.status(), response.headers().clone());
            tracing::Span::current().record("status", status.as_u16());
            if *response.url() != url {
                // A caller's own HTTP client followed a redirect, with a GET and no body. Whoever answered there
                // is not the token endpoint, and no token is taken from them.
                let (status, body) = (http::StatusCode::FOUND, Zeroizing::default());
                return Ok(Captured::Reply(RawReply { status, headers, body }));
            }
            match read(response, MAX_REPLY).await {
                Ok(body) => Ok(Captured::Reply(RawReply {
                    status,
                    headers,
                    body: Zeroizing::new(body.to_vec()),
                })),
                Err(ReadError::TooLarge) => Ok(Captured::Reply(RawReply {
                    status,
                    headers,
                    body: Zeroizing::new(Vec::new()),
                })),
                Err(ReadError::Broken(error)) => Err(failed(true, error.without_url().into())),
            }
        };
        match tokio::time::timeout(self.timeout, exchange).await {
            Ok(Ok(captured) | Err(captured)) => captured,
            // How far it had come is not known.
            Err(_) => failed(true, NoReply(self.timeout).into()),
        }
    }
}

/// A form body as a JSON object of strings.
fn as_json(form: &[u8]) -> Vec<u8> {
    let fields: serde_json::Map<String, serde_json::Value> = url::form_urlencoded::parse(form)
        .map(|(name, value)| (name.into_owned(), serde_json::Value::String(value.into_owned())))
        .collect();
    serde_json::Value::Object(fields).to_string().into_bytes()
}
