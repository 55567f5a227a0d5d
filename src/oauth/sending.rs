//! A request with the client's secret: sent once, and again with another secret where the server refuses the client.

use std::time::Duration;

use tokio::time::Instant;

use super::client_secrets::KeptSecrets;
use super::error::Error;
use super::profile::ClientAuthentication;
use crate::token::Verdict;
use crate::value::Secret;

/// One sending of a request.
pub(super) struct Sending {
    /// What the request is called in errors.
    pub(super) request: &'static str,
    /// The client's secrets that the request was sent with. The last one is for this sending.
    pub(super) sent: Vec<Secret>,
    /// Time for this sending.
    pub(super) timeout: Duration,
}

impl Sending {
    /// The secret to send; empty: there is none.
    pub(super) fn client_secret(&self) -> &str {
        self.sent.last().map_or("", Secret::expose_secret)
    }
}

/// Sends a request with one of the client's secrets.
///
/// A server that answers `invalid_client` has looked at the client and not at the grant (RFC 6749 section 5.2): the code or
/// the refresh token is not spent, and goes out once more with another secret, with each one once. After any other answer,
/// and after none, nothing is sent again. All sendings and readings of the source together have the time of one request.
pub(super) async fn with_a_secret<T, F>(
    secrets: &KeptSecrets,
    request: &'static str,
    method: ClientAuthentication,
    timeout: Duration,
    send: impl Fn(Sending) -> F,
) -> Result<T, Error>
where
    F: Future<Output = Result<T, Error>>,
{
    let time = Time::begin(timeout);
    let first = match method {
        ClientAuthentication::None => secrets.at_hand(),
        ClientAuthentication::Basic | ClientAuthentication::Post => secrets
            .first(time.for_a_reading())
            .await
            .map_err(|source| Error::ClientSecret { request, source })?,
    };
    let mut sent = vec![first.clone()];
    let mut secret = first;
    let mut may_ask = true;
    loop {
        let outcome = send(Sending {
            request,
            sent: sent.clone(),
            timeout: time.left(),
        })
        .await;
        if method == ClientAuthentication::None {
            return outcome;
        }
        if !refuses_the_client(&outcome) {
            if takes_the_client(&outcome) {
                secrets.took(&secret);
            }
            return outcome;
        }
        secrets.refused(&secret);
        let mut next = secrets.known(&sent);
        if next.is_none() && may_ask && time.is_enough_for_a_sending() {
            may_ask = false;
            next = secrets.read_again(&sent, time.for_a_reading()).await;
        }
        // A reply that is cut off by the end of the time would leave a doubt where there is none now.
        let Some(next) = next.filter(|_| time.is_enough_for_a_sending()) else {
            return outcome;
        };
        tracing::info!(
            request,
            "the server refused the client: the request is sent again with another of its secrets"
        );
        sent.push(next.clone());
        secret = next;
    }
}

/// Whether the server refused the client, and looked at nothing else of the request.
fn refuses_the_client<T>(outcome: &Result<T, Error>) -> bool {
    matches!(outcome, Err(Error::Server(error))
        if error.error == "invalid_client" && error.verdict == Verdict::ClientMisconfigured)
}

/// Whether the server got past the client: it carried the request out, or spoke of something else in it.
fn takes_the_client<T>(outcome: &Result<T, Error>) -> bool {
    match outcome {
        Ok(_) => true,
        Err(Error::Server(error)) => matches!(error.verdict, Verdict::Dead | Verdict::RequestRejected),
        Err(_) => false,
    }
}

/// The time of a request, for all that belongs to it.
struct Time {
    whole: Duration,
    began: Instant,
}

impl Time {
    fn begin(whole: Duration) -> Self {
        Self {
            whole,
            began: Instant::now(),
        }
    }

    /// In whole milliseconds gone by: a request that had to wait for nothing has all of it.
    fn left(&self) -> Duration {
        let gone = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.whole.saturating_sub(Duration::from_millis(gone))
    }

    /// The sending after it has the other half.
    fn for_a_reading(&self) -> Duration {
        self.left() / 2
    }

    fn is_enough_for_a_sending(&self) -> bool {
        self.left() >= self.whole / 4
    }
}

#[cfg(test)]
mod tests;
