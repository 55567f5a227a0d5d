//! How a call authenticates, and what it does when the provider refuses its token.

use std::convert::Infallible;
use std::sync::Arc;

use futures_util::FutureExt as _;
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue, StatusCode};
use tokio::time::Instant;

use super::connection_error::{ConnectionError, ConnectionPoint};
use super::error::{Error, MissingScope};
use super::operation::{Authentication, Effect, Operation};
use super::outcome::Outcome;
use super::response::Response;
use crate::http::challenge_is_invalid_token;
use crate::token::{self, Bearer, Rejection, TokenSource};
use crate::value::with_causes;

type Untyped = Error<Infallible>;

/// How calls authenticate.
#[derive(Clone)]
pub(crate) enum Credential {
    /// No credentials in a header.
    Nothing,
    /// The bearer token of a grant.
    Tokens(Arc<dyn TokenSource>),
    /// A header that does not change, for calls that accept it.
    Fixed(Authentication, HeaderValue),
}

impl Credential {
    /// Sets the `Authorization` header. Scopes are looked at before the first attempt only: once something was sent,
    /// nobody may be told that nothing was.
    pub(super) async fn authenticate(
        &self,
        headers: &mut HeaderMap,
        operation: &'static Operation,
        deadline: Instant,
        first: bool,
    ) -> Result<Option<Bearer>, Untyped> {
        let nothing_needed = operation.authentication.contains(&Authentication::Nothing);
        match self {
            Credential::Fixed(method, header) if operation.authentication.contains(method) => {
                headers.insert(AUTHORIZATION, header.clone());
                Ok(None)
            }
            Credential::Tokens(tokens) => {
                let scopes = operation
                    .authentication
                    .iter()
                    .find_map(|authentication| match authentication {
                        Authentication::Bearer { scopes } => Some(*scopes),
                        _ => None,
                    });
                let Some(scopes) = scopes else {
                    return if nothing_needed {
                        Ok(None)
                    } else {
                        Err(unfit(operation))
                    };
                };
                let bearer = match tokens.ready() {
                    Some(bearer) => bearer,
                    None => {
                        let left = deadline.saturating_duration_since(Instant::now());
                        match tokio::time::timeout(left, tokens.fresh()).await {
                            Ok(renewed) => renewed.map_err(no_token)?,
                            Err(_) => return Err(no_token_in_time(&**tokens, operation)),
                        }
                    }
                };
                // None asked for and none told: the provider's default, which nobody here knows (RFC 6749 section 3.3).
                if let Some(granted) = tokens.granted().filter(|granted| first && !granted.is_empty())
                    && let Some(scope) = scopes.iter().find(|scope| !granted.contains(scope))
                {
                    return Err(Error::MissingScope(MissingScope {
                        operation: operation.id,
                        scope,
                    }));
                }
                headers.insert(AUTHORIZATION, bearer.header.clone());
                Ok(Some(bearer))
            }
            _ if nothing_needed => Ok(None),
            _ => Err(unfit(operation)),
        }
    }

    /// A 401 is answered by one refresh and one replay (RFC 6750 section 3.1): always when it says
    /// `invalid_token`, otherwise only where a replay changes nothing, because a bare 401 may have other causes. Where
    /// nothing is sent again the token is told of too, so that the next call has another one.
    pub(super) async fn after_refusal(
        &self,
        response: &Response,
        bearer: &Bearer,
        operation: &'static Operation,
        deadline: Instant,
    ) -> Result<AfterRefusal, Untyped> {
        const STANDS: AfterRefusal = AfterRefusal::Stands { not_renewed: None };

        if response.status() != StatusCode::UNAUTHORIZED {
            return Ok(STANDS);
        }
        let Credential::Tokens(tokens) = self else {
            return Ok(STANDS);
        };
        let said_so = challenge_is_invalid_token(response.headers());
        if !said_so && operation.effect != Effect::Safe {
            reject_beside(tokens, bearer.generation);
            return Ok(STANDS);
        }
        tracing::debug!(said_so, "the provider rejected the access token");
        // Out of time: the refresh goes on for later calls, and this one has its answer.
        let rejection = match said_so {
            true => Rejection::InvalidToken,
            false => Rejection::Unexplained,
        };
        let Ok(renewed) = tokio::time::timeout_at(deadline, tokens.rejected(bearer.generation, rejection)).await else {
            let waited_for = tokens.waiting();
            return Ok(AfterRefusal::because(waited_for.unwrap_or(token::Error::Interrupted(
                "the time of the call was up before there was another token; try again later",
            ))));
        };
        match renewed {
            Ok(newer) if newer.generation != bearer.generation => Ok(AfterRefusal::SendAgain),
            Ok(_) => Ok(STANDS),
            Err(error) if error.reauthorization_required() && said_so => Err(no_token(error)),
            // The 401 itself is the better answer when the refresh failed for a passing reason.
            Err(error) => Ok(AfterRefusal::because(error)),
        }
    }
}

/// Tells of a 401 that does not name the token, and does not wait for another token: this call has its answer.
fn reject_beside(tokens: &Arc<dyn TokenSource>, generation: u64) {
    tracing::debug!(
        "the provider answered 401 and did not say that it is the access token: the next call gets another one"
    );
    let tokens = Arc::clone(tokens);
    let mut told = Box::pin(async move {
        if let Err(error) = tokens.rejected(generation, Rejection::Unexplained).await {
            tracing::debug!(error = %with_causes(&error), "no other token");
        }
    });
    // Told before the call ends, so that no later call takes the same token; the rest goes on beside.
    if (&mut told).now_or_never().is_none()
        && let Ok(runtime) = tokio::runtime::Handle::try_current()
    {
        runtime.spawn(told);
    }
}

/// What follows from a reply to a call with a token.
pub(super) enum AfterRefusal {
    /// There is another token.
    SendAgain,
    /// The reply is the caller's.
    Stands {
        /// Why there is no other token, where one was asked for.
        not_renewed: Option<Box<token::Error>>,
    },
}

impl AfterRefusal {
    fn because(error: token::Error) -> Self {
        Self::Stands {
            not_renewed: Some(Box::new(error)),
        }
    }
}

fn unfit(operation: &'static Operation) -> Untyped {
    let ways: Vec<&str> = operation
        .authentication
        .iter()
        .map(|authentication| match authentication {
            Authentication::Nothing => "no credentials",
            Authentication::Bearer { .. } => "an access token",
            Authentication::ClientBasic => "the client's id and secret",
            Authentication::AccessKey => "an access key",
            Authentication::RegistrationToken => "a registration token",
        })
        .collect();
    Error::invalid_request(format!(
        "{}: this call takes {}; build the client with that",
        operation.id,
        ways.join(" or ")
    ))
}

/// The call's time ran out on the way to a token, which may be known to be the store's doing.
fn no_token_in_time(tokens: &dyn TokenSource, operation: &'static Operation) -> Untyped {
    match tokens.waiting() {
        Some(error) => no_token(error),
        None => Error::Connection(ConnectionError::out_of_time(operation.id, ConnectionPoint::Connect)),
    }
}

/// How far the call had come is told by whoever made its attempts.
fn no_token(error: token::Error) -> Untyped {
    Error::Auth {
        error,
        outcome: Outcome::NotSent,
    }
}
