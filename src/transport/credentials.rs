//! How a call authenticates, and what it does when the provider refuses its token.

use std::convert::Infallible;
use std::sync::Arc;

use futures_util::FutureExt as _;
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue};
use tokio::time::Instant;

use super::connection_error::{ConnectionError, ConnectionPoint};
use super::error::{Error, MissingScope};
use super::machine::{AfterRenewal, Answer, Renewal, after_renewal};
use super::operation::{Authentication, Operation};
use super::outcome::Outcome;
use crate::token::{self, Bearer, GrantKind, Rejection, TokenSource};
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
    /// Which grant it is of, by a name that tells nothing of a person.
    pub(super) fn connection(&self) -> Option<String> {
        match self {
            Self::Tokens(tokens) => tokens.connection(),
            Self::Nothing | Self::Fixed(..) => None,
        }
    }

    /// Whether it is a user's, and so not that of every other one.
    pub(super) fn is_of_a_user(&self) -> bool {
        match self {
            Self::Tokens(tokens) => tokens
                .grant()
                .is_some_and(|grant| grant != GrantKind::ClientCredentials),
            Self::Nothing | Self::Fixed(..) => false,
        }
    }

    /// The ways of an operation that this credential goes, by their places in [`Operation::authentication`].
    pub(super) fn ways(&self, operation: &Operation) -> Vec<usize> {
        let places = |fits: &dyn Fn(&Authentication) -> bool| -> Vec<usize> {
            let all = operation.authentication.iter().enumerate();
            all.filter(|(_, way)| fits(way)).map(|(place, _)| place).collect()
        };
        let own = match self {
            Self::Nothing => Vec::new(),
            Self::Tokens(_) => places(&|way| matches!(way, Authentication::Bearer { .. })),
            Self::Fixed(method, _) => places(&|way| way == method),
        };
        match own.is_empty() {
            true => places(&|way| *way == Authentication::Nothing),
            false => own,
        }
    }

    /// What a call with this token has in its header.
    pub(super) fn header(&self, bearer: Option<&Bearer>) -> Option<HeaderValue> {
        match (self, bearer) {
            (Self::Fixed(_, header), _) => Some(header.clone()),
            (_, bearer) => bearer.map(|bearer| bearer.header.clone()),
        }
    }

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
                        in_doubt: false,
                    }));
                }
                headers.insert(AUTHORIZATION, bearer.header.clone());
                Ok(Some(bearer))
            }
            _ if nothing_needed => Ok(None),
            _ => Err(unfit(operation)),
        }
    }

    /// Asks for another token than the one that a 401 refused, and waits for it.
    pub(super) async fn another_token(
        &self,
        refused: Answer,
        bearer: &Bearer,
        deadline: Instant,
    ) -> Result<AfterRefusal, Untyped> {
        let Credential::Tokens(tokens) = self else {
            return Ok(AfterRefusal::Stands { not_renewed: None });
        };
        tracing::debug!(said_so = refused.names_token, "the provider rejected the access token");
        // Out of time: the refresh goes on for later calls, and this one has its answer.
        let renewed = tokio::time::timeout_at(deadline, tokens.rejected(bearer.generation, rejection(refused))).await;
        let (renewal, error) = match renewed {
            Ok(Ok(newer)) if newer.generation != bearer.generation => (Renewal::Another, None),
            Ok(Ok(_)) => (Renewal::Same, None),
            Ok(Err(error)) if error.reauthorization_required() => (Renewal::Over, Some(error)),
            Ok(Err(error)) => (Renewal::NotNow, Some(error)),
            Err(_) => {
                let waited_for = tokens.waiting().unwrap_or(token::Error::Interrupted(
                    "the time of the call was up before there was another token; try again later",
                ));
                (Renewal::OutOfTime, Some(waited_for))
            }
        };
        match (after_renewal(renewal, refused.names_token), error) {
            (AfterRenewal::SendAgain, _) => Ok(AfterRefusal::SendAgain),
            (AfterRenewal::NoToken, Some(error)) => Err(no_token(error)),
            (AfterRenewal::AnswerWithReason, error) => Ok(AfterRefusal::Stands {
                not_renewed: error.map(Box::new),
            }),
            (AfterRenewal::Answer | AfterRenewal::NoToken, _) => Ok(AfterRefusal::Stands { not_renewed: None }),
        }
    }

    /// Tells of a 401, and does not wait for another token: this call has its answer.
    pub(super) fn suspect(&self, refused: Answer, bearer: &Bearer) {
        let Credential::Tokens(tokens) = self else { return };
        tracing::debug!(
            said_so = refused.names_token,
            "the provider answered 401, and the call is not sent again: the next one gets another token"
        );
        let (tokens, generation, rejection) = (Arc::clone(tokens), bearer.generation, rejection(refused));
        let mut told = Box::pin(async move {
            if let Err(error) = tokens.rejected(generation, rejection).await {
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
}

fn rejection(refused: Answer) -> Rejection {
    match refused.names_token {
        true => Rejection::InvalidToken,
        false => Rejection::Unexplained,
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

#[cfg(test)]
mod tests {
    use futures_util::future::{BoxFuture, ready};

    use super::*;
    use crate::value::ScopeSet;

    /// A source of one token, which may be replaced.
    struct Source {
        replaced: fn() -> Result<Bearer, token::Error>,
    }

    fn bearer(generation: u64) -> Bearer {
        Bearer::new(&crate::Secret::from("planted"), generation).unwrap()
    }

    impl TokenSource for Source {
        fn ready(&self) -> Option<Bearer> {
            Some(bearer(1))
        }
        fn fresh(&self) -> BoxFuture<'_, Result<Bearer, token::Error>> {
            Box::pin(ready(Ok(bearer(1))))
        }
        fn rejected(&self, _: u64, _: Rejection) -> BoxFuture<'_, Result<Bearer, token::Error>> {
            Box::pin(ready((self.replaced)()))
        }
        fn granted(&self) -> Option<Arc<ScopeSet>> {
            None
        }
        fn connection(&self) -> Option<String> {
            Some("grant-1".to_owned())
        }
    }

    fn tokens(replaced: fn() -> Result<Bearer, token::Error>) -> Credential {
        Credential::Tokens(Arc::new(Source { replaced }))
    }

    fn fixed() -> Credential {
        Credential::Fixed(Authentication::ClientBasic, HeaderValue::from_static("Basic planted"))
    }

    #[test]
    fn a_grant_has_a_name_and_nothing_else_has() {
        assert_eq!(tokens(|| Ok(bearer(2))).connection().as_deref(), Some("grant-1"));
        assert!(Credential::Nothing.connection().is_none() && fixed().connection().is_none());
    }

    #[test]
    fn the_ways_of_a_call_are_those_of_its_credential_and_where_there_are_none_those_without() {
        use Authentication::{AccessKey, ClientBasic, Nothing};
        const BEARER: Authentication = Authentication::Bearer { scopes: &[] };
        const OF_SCOPES: Authentication = Authentication::Bearer { scopes: &["read"] };
        const ALL: &[Authentication] = &[OF_SCOPES, Nothing, ClientBasic, BEARER, Nothing];
        for (credential, authentication, ways) in [
            (tokens(|| Ok(bearer(2))), ALL, &[0, 3][..]),
            (tokens(|| Ok(bearer(2))), &[ClientBasic, Nothing], &[1]),
            (fixed(), ALL, &[2]),
            (fixed(), &[BEARER, AccessKey, Nothing], &[2]),
            (fixed(), &[AccessKey], &[]),
            (Credential::Nothing, ALL, &[1, 4]),
            (Credential::Nothing, &[BEARER, ClientBasic], &[]),
        ] {
            let operation = Operation {
                authentication,
                ..Operation::BASE
            };
            assert_eq!(credential.ways(&operation), ways, "{authentication:?}");
        }
    }

    /// What a call gets in its header, or none where it is not sent.
    async fn header(credential: Credential, authentication: &'static [Authentication]) -> Option<Option<String>> {
        let operation: &'static Operation = Box::leak(Box::new(Operation {
            authentication,
            ..Operation::BASE
        }));
        let mut headers = HeaderMap::new();
        let sent = credential
            .authenticate(&mut headers, operation, Instant::now(), true)
            .await;
        sent.ok()?;
        let sent = headers
            .get(AUTHORIZATION)
            .map(|header| header.to_str().unwrap().to_owned());
        Some(sent)
    }

    #[tokio::test]
    async fn a_call_is_sent_with_what_it_accepts_or_without_anything_where_it_needs_nothing() {
        use Authentication::{ClientBasic, Nothing};
        const BEARER: Authentication = Authentication::Bearer { scopes: &[] };
        let of_tokens = || tokens(|| Ok(bearer(2)));
        let basic = Some(Some("Basic planted".to_owned()));
        let token = Some(Some("Bearer planted".to_owned()));
        assert_eq!(header(fixed(), &[ClientBasic]).await, basic);
        assert_eq!(header(fixed(), &[BEARER]).await, None);
        assert_eq!(header(fixed(), &[BEARER, Nothing]).await, Some(None));
        assert_eq!(header(of_tokens(), &[BEARER, Nothing]).await, token);
        assert_eq!(header(of_tokens(), &[ClientBasic]).await, None);
        assert_eq!(header(of_tokens(), &[Nothing]).await, Some(None));
        assert_eq!(header(Credential::Nothing, &[Nothing]).await, Some(None));
        assert_eq!(header(Credential::Nothing, &[BEARER]).await, None);
    }

    #[tokio::test]
    async fn a_refusal_stands_where_no_other_token_comes_of_it() {
        let refused = Answer {
            status: 401,
            proof: None,
            names_token: true,
            asked: None,
        };
        let later = Instant::now() + std::time::Duration::from_secs(9);
        let another = tokens(|| Ok(bearer(2)));
        let sent = another.another_token(refused, &bearer(1), later).await;
        assert!(matches!(sent, Ok(AfterRefusal::SendAgain)));
        let same = tokens(|| Ok(bearer(1)));
        let sent = same.another_token(refused, &bearer(1), later).await;
        assert!(matches!(sent, Ok(AfterRefusal::Stands { not_renewed: None })));
        for (credential, is_over) in [
            (tokens(|| Err(token::Error::NoGrant { key: "mx".to_owned() })), true),
            (tokens(|| Err(token::Error::from_source("busy"))), false),
        ] {
            let sent = credential.another_token(refused, &bearer(1), later).await;
            match sent {
                Err(Error::Auth { error, .. }) => assert!(is_over && error.reauthorization_required()),
                Ok(AfterRefusal::Stands { not_renewed }) => assert!(!is_over && not_renewed.is_some()),
                other => panic!("{}", other.is_ok()),
            }
        }
    }
}
