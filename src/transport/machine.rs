//! The decisions of a call, without any I/O: what happened to an attempt, and what follows.
//!
//! `call_scenarios.txt` has them as tables, and every row is a test.

use std::time::Duration;

use http::StatusCode;

use super::operation::Effect;
use super::outcome::{Conclusion, Outcome, Proof};
use super::retry::{RetryPolicy, wait_as_asked};
use crate::http::RetryAfter;

/// What became of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Happened {
    /// No connection was made.
    NeverLeft,
    /// It left, wholly or in part, and no status came back.
    NoAnswer,
    /// Somebody answered to whom a redirect led.
    Elsewhere,
    /// There is a status.
    Answered(Answer),
}

/// A reply, as far as the call's decisions need it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub status: u16,
    /// What shows that the provider itself answered.
    pub proof: Option<Proof>,
    /// The Bearer challenge of a 401 says `error="invalid_token"`.
    pub names_token: bool,
    pub asked: Option<RetryAfter>,
}

/// A call after an attempt.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Situation {
    pub effect: Effect,
    /// It carries a key of the caller's intent: the provider sees to it that twice is the same as once.
    pub has_key: bool,
    /// Another attempt is left.
    pub tries_left: bool,
    /// It was sent with a token that may be replaced, and was not sent again for that reason yet.
    pub may_renew: bool,
    /// The policy lets a refused call be sent once more with another token.
    pub may_resend: bool,
    pub happened: Happened,
}

/// What follows from an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Asks for another token, and sends the call once more with it.
    Renew,
    /// Answers the caller. The token is told of the refusal, so that the next call has another one.
    Suspect,
    /// Sends the call again after a pause.
    Repeat,
    /// Answers the caller.
    Answer,
}

impl Situation {
    /// Whether sending it twice is the same as sending it once.
    pub fn is_repeatable(&self) -> bool {
        Self::is_repeatable_call(self.effect, self.has_key)
    }

    pub fn is_repeatable_call(effect: Effect, has_key: bool) -> bool {
        effect != Effect::Neither || has_key
    }

    pub fn decide(&self) -> Step {
        match self.happened {
            Happened::Answered(Answer {
                status: 401,
                names_token,
                ..
            }) if self.may_renew => {
                // A bare 401 may have other causes than the token, and may come after the effect.
                if self.may_resend && (names_token || self.effect == Effect::Safe) {
                    Step::Renew
                } else {
                    Step::Suspect
                }
            }
            // Whoever answers behind a redirect would do so again: that does not pass.
            happened if self.tries_left && self.is_repeatable() && passes(happened) => Step::Repeat,
            _ => Step::Answer,
        }
    }

    /// What may be concluded of this attempt.
    pub fn conclude(&self) -> Conclusion {
        conclude(self.effect, self.happened)
    }
}

/// Whether it may be otherwise next time.
pub(crate) fn passes(happened: Happened) -> bool {
    match happened {
        Happened::NeverLeft | Happened::NoAnswer => true,
        Happened::Answered(answer) => StatusCode::from_u16(answer.status).is_ok_and(may_pass),
        Happened::Elsewhere => false,
    }
}

/// Whether a reply with this status may be followed by a better one.
pub(crate) fn may_pass(status: StatusCode) -> bool {
    matches!(status.as_u16(), 408 | 429 | 502..=504)
}

/// What may be concluded of an attempt. Whoever stands between may answer as well as the provider, and may do so after the
/// call was carried out: only an answer that is known to be the provider's refuses a call that has an effect.
pub(crate) fn conclude(effect: Effect, happened: Happened) -> Conclusion {
    let Happened::Answered(answer) = happened else {
        return Conclusion {
            outcome: match happened {
                Happened::NeverLeft => Outcome::NotSent,
                _ => Outcome::Unknown,
            },
            proof: None,
        };
    };
    let proof = match answer {
        // Whoever checks tokens is in front of what carries calls out (RFC 6750 section 3.1).
        Answer {
            status: 401,
            names_token: true,
            ..
        } => Some(Proof::Documented),
        answer => answer.proof,
    };
    let refused = (400..500).contains(&answer.status) && (proof.is_some() || effect == Effect::Safe);
    Conclusion {
        outcome: if refused { Outcome::Rejected } else { Outcome::Unknown },
        proof: proof.filter(|_| refused),
    }
}

/// What came of asking for another token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Renewal {
    /// There is another one.
    Another,
    /// The one at hand is the one that was refused.
    Same,
    /// There is none, and the user has to authorize again.
    Over,
    /// There is none now.
    NotNow,
    /// The time of the call was up first.
    OutOfTime,
}

/// What follows from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AfterRenewal {
    SendAgain,
    /// The 401 is the answer.
    Answer,
    /// The 401 is the answer, with the reason why there is no other token.
    AnswerWithReason,
    /// There is no token: that is the answer.
    NoToken,
}

/// `names_token`: the 401 said that the token is the reason.
pub(crate) fn after_renewal(renewal: Renewal, names_token: bool) -> AfterRenewal {
    match renewal {
        Renewal::Another => AfterRenewal::SendAgain,
        Renewal::Same => AfterRenewal::Answer,
        Renewal::Over if names_token => AfterRenewal::NoToken,
        // The 401 itself is the better answer.
        Renewal::Over | Renewal::NotNow | Renewal::OutOfTime => AfterRenewal::AnswerWithReason,
    }
}

/// How long to wait before attempt `next` (2 is the second); none: the caller has the answer now. `left` is the time that the
/// call still has, and `draw` a number from 0 to 1.
pub(crate) fn pause(
    policy: &RetryPolicy,
    next: u32,
    asked: Option<RetryAfter>,
    left: Duration,
    draw: f64,
) -> Option<Duration> {
    let wait = match asked {
        // Somebody asks for time, and nobody knows how much.
        Some(RetryAfter::Unreadable) => return None,
        Some(RetryAfter::After(asked)) => wait_as_asked(asked)?,
        None => policy.backoff(next, draw),
    };
    (wait < left).then_some(wait)
}

#[cfg(test)]
#[path = "call_scenarios.rs"]
mod scenarios;
