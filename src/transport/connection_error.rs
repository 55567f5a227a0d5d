//! Connections that fail, and time that is up.

use std::fmt;

use http::StatusCode;
use url::Url;

use super::machine::{Happened, may_pass};
use super::outcome::{Conclusion, Outcome, Proof};
use crate::http::{RetryAfter, host_of};

/// A connection that failed, or time that was up.
#[derive(Debug)]
#[non_exhaustive]
pub struct ConnectionError {
    /// The operation.
    pub operation: &'static str,
    /// The host that it was for, with its port where the URL has one; none: no request was made, because there was no
    /// token in time.
    pub host: Option<String>,
    /// At which point.
    pub point: ConnectionPoint,
    /// Whether the time was up, rather than the connection broken.
    pub timeout: bool,
    /// The status of a reply that broke off.
    pub status: Option<StatusCode>,
    /// The provider's id of the request, or else the one that it carried: ask them with it.
    pub request_id: Option<String>,
    /// `Retry-After`, when the reply had one.
    pub retry_after: Option<RetryAfter>,
    /// Whether an earlier attempt of the same call may have taken effect.
    pub in_doubt: bool,
    /// What may be concluded of the reply that broke off.
    concluded: Option<Conclusion>,
    /// Twice is the same as once.
    repeatable: bool,
    source: Option<reqwest::Error>,
}

impl ConnectionError {
    /// `left` says that the request had left, whatever connection failed then: a caller's own client may have followed
    /// a redirect to where nobody listens.
    pub(crate) fn new(operation: &'static str, source: reqwest::Error, left: bool) -> Self {
        let point = match () {
            () if source.is_connect() || source.is_builder() => match left {
                true => ConnectionPoint::Sent,
                false => ConnectionPoint::Connect,
            },
            () if source.is_body() || source.is_decode() => ConnectionPoint::Reply,
            () => ConnectionPoint::Sent,
        };
        // The URL may carry personal data in its query.
        Self {
            operation,
            host: None,
            point,
            timeout: source.is_timeout(),
            status: None,
            request_id: None,
            retry_after: None,
            in_doubt: false,
            concluded: None,
            repeatable: false,
            source: Some(source.without_url()),
        }
    }

    /// The same of a request to this URL, of which the host is told and nothing else.
    pub(crate) fn at(self, url: &Url) -> Self {
        Self {
            host: Some(host_of(url)),
            ..self
        }
    }

    /// The same of a request that was called off before its body left.
    pub(crate) fn called_off(self) -> Self {
        Self {
            point: ConnectionPoint::Connect,
            ..self
        }
    }

    /// The same of a request that carried this id. `repeatable`: sending it twice is the same as sending it once.
    pub(crate) fn of_request(self, request_id: Option<String>, repeatable: bool) -> Self {
        Self {
            request_id,
            repeatable,
            ..self
        }
    }

    /// The same of a reply whose headers had come.
    pub(crate) fn in_reply(self, status: StatusCode, request_id: Option<String>) -> Self {
        Self {
            point: ConnectionPoint::Reply,
            status: Some(status),
            request_id,
            ..self
        }
    }

    /// The same of a reply of which this may be concluded, and which asks for this.
    pub(crate) fn concluding(self, concluded: Conclusion, asked: Option<RetryAfter>, repeatable: bool) -> Self {
        Self {
            retry_after: asked,
            concluded: Some(concluded),
            repeatable,
            ..self
        }
    }

    pub(crate) fn outcome(&self) -> Outcome {
        match (self.point, self.concluded) {
            _ if self.in_doubt => Outcome::Unknown,
            (ConnectionPoint::Connect, _) => Outcome::NotSent,
            (_, Some(concluded)) => concluded.outcome,
            (_, None) => Outcome::Unknown,
        }
    }

    /// What shows that the provider refused the call.
    pub(crate) fn proof(&self) -> Option<Proof> {
        self.concluded.filter(|_| !self.in_doubt)?.proof
    }

    pub(crate) fn is_repeatable(&self) -> bool {
        self.repeatable
    }

    /// A refusal stays one, however little of its body came.
    pub(crate) fn may_succeed_later(&self) -> bool {
        self.status
            .is_none_or(|status| !status.is_client_error() || may_pass(status))
    }

    /// What became of the attempt that ended so.
    pub(crate) fn happened(&self) -> Happened {
        match self.point {
            ConnectionPoint::Connect => Happened::NeverLeft,
            ConnectionPoint::Sent | ConnectionPoint::Reply => Happened::NoAnswer,
        }
    }

    /// A reply whose end is missing, though the connection says nothing of it.
    pub(crate) fn broke_off(operation: &'static str) -> Self {
        Self {
            timeout: false,
            ..Self::out_of_time(operation, ConnectionPoint::Reply)
        }
    }

    pub(crate) fn out_of_time(operation: &'static str, point: ConnectionPoint) -> Self {
        Self {
            operation,
            host: None,
            point,
            timeout: true,
            status: None,
            request_id: None,
            retry_after: None,
            in_doubt: false,
            concluded: None,
            repeatable: false,
            source: None,
        }
    }
}

/// How far a call had come when its connection failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConnectionPoint {
    /// No connection was made: nothing was sent.
    Connect,
    /// The request was sent, wholly or in part; no reply came.
    Sent,
    /// The reply began to come and broke off.
    Reply,
}

impl fmt::Display for ConnectionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            operation,
            host,
            point,
            timeout,
            status,
            in_doubt,
            ..
        } = self;
        let what = match (point, timeout) {
            _ if host.is_none() => "the time was up before there was a token; try again later",
            (ConnectionPoint::Connect, false) => "no connection could be made; check the host and the network",
            (ConnectionPoint::Connect, true) => "no connection was made in time; check the host and the network",
            (ConnectionPoint::Sent, false) => {
                "the connection broke before a reply came; the call may have taken effect"
            }
            (ConnectionPoint::Sent, true) => "no reply came in time; the call may have taken effect",
            (ConnectionPoint::Reply, false) => "the reply broke off",
            (ConnectionPoint::Reply, true) => "the reply did not end in time",
        };
        write!(f, "{operation}")?;
        if let Some(host) = host {
            write!(f, " at {host}")?;
        }
        write!(f, ": {what}")?;
        if let Some(status) = status {
            write!(f, " (status {status})")?;
        }
        if *in_doubt && *point != ConnectionPoint::Sent {
            f.write_str("; an earlier attempt may have taken effect")?;
        }
        Ok(())
    }
}

impl std::error::Error for ConnectionError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_ref().map(|source| source as _)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed(point: ConnectionPoint) -> ConnectionError {
        ConnectionError::out_of_time("pay", point)
    }

    #[test]
    fn what_was_concluded_of_a_reply_that_broke_off_is_told_unless_an_earlier_attempt_is_in_doubt() {
        let concluded = Conclusion {
            outcome: Outcome::Rejected,
            proof: Some(Proof::Documented),
        };
        let asked = Some(RetryAfter::Unreadable);
        let error = failed(ConnectionPoint::Sent).in_reply(StatusCode::FORBIDDEN, Some("r-1".to_owned()));
        assert_eq!(
            (error.point, error.outcome()),
            (ConnectionPoint::Reply, Outcome::Unknown)
        );
        assert_eq!((error.proof(), error.is_repeatable()), (None, false));
        let mut error = error.concluding(concluded, asked, true);
        assert_eq!(
            (error.outcome(), error.proof()),
            (Outcome::Rejected, Some(Proof::Documented))
        );
        assert!(error.is_repeatable() && error.retry_after == asked);
        error.in_doubt = true;
        assert_eq!((error.outcome(), error.proof()), (Outcome::Unknown, None));
    }

    #[test]
    fn what_was_called_off_was_not_sent() {
        let error = failed(ConnectionPoint::Sent).called_off();
        assert_eq!(
            (error.point, error.outcome()),
            (ConnectionPoint::Connect, Outcome::NotSent)
        );
    }

    #[test]
    fn a_refusal_stays_one_and_everything_else_may_pass() {
        assert!(failed(ConnectionPoint::Sent).may_succeed_later());
        for (status, may_pass) in [
            (200, true),
            (400, false),
            (403, false),
            (429, true),
            (500, true),
            (503, true),
        ] {
            let error = failed(ConnectionPoint::Sent).in_reply(StatusCode::from_u16(status).unwrap(), None);
            assert_eq!(error.may_succeed_later(), may_pass, "{status}");
        }
    }

    #[test]
    fn it_is_said_how_far_the_call_had_come() {
        let bank: Url = "https://bank.example/pay?secret=1".parse().unwrap();
        let said = |point, timeout, in_doubt| {
            let mut error = failed(point).at(&bank);
            (error.timeout, error.in_doubt) = (timeout, in_doubt);
            let said = error.to_string();
            said.strip_prefix("pay at bank.example: ").unwrap().to_owned()
        };
        use ConnectionPoint::{Connect, Reply, Sent};
        for (point, timeout, in_doubt, expected) in [
            (
                Connect,
                false,
                false,
                "no connection could be made; check the host and the network",
            ),
            (
                Connect,
                true,
                false,
                "no connection was made in time; check the host and the network",
            ),
            (
                Connect,
                true,
                true,
                "no connection was made in time; check the host and the network; an earlier attempt may have taken effect",
            ),
            (
                Sent,
                false,
                false,
                "the connection broke before a reply came; the call may have taken effect",
            ),
            (
                Sent,
                true,
                true,
                "no reply came in time; the call may have taken effect",
            ),
            (Reply, false, false, "the reply broke off"),
            (
                Reply,
                true,
                true,
                "the reply did not end in time; an earlier attempt may have taken effect",
            ),
        ] {
            assert_eq!(said(point, timeout, in_doubt), expected);
        }
        let without_token = failed(Connect).to_string();
        assert_eq!(
            without_token,
            "pay: the time was up before there was a token; try again later"
        );
        let cut = failed(Reply).at(&bank).in_reply(StatusCode::OK, None).to_string();
        assert_eq!(
            cut,
            "pay at bank.example: the reply did not end in time (status 200 OK)"
        );
    }

    #[test]
    fn what_the_http_client_says_is_behind_it() {
        let refused = http::Response::builder().status(500).body("").unwrap();
        let source = reqwest::Response::from(refused).error_for_status().unwrap_err();
        let error = ConnectionError::new("pay", source, true);
        assert!(std::error::Error::source(&error).is_some());
        assert!(std::error::Error::source(&failed(ConnectionPoint::Sent)).is_none());
    }
}
