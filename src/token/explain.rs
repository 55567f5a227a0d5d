//! What support asks first: why is this grant in the state it is in, and what happens next?

use std::fmt;
use std::time::Duration;

use chrono::{DateTime, Utc};

use super::clock::between;
use super::live::Live;
use super::machine::{Freshness, may_end_what_serves};
use super::store::LeaseState;
use super::{Intent, TokenInfo, Tombstone, Verdict};

/// The state of a grant, without a secret. `Display` tells it in a few lines.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Explanation {
    /// Whose grant.
    pub key: String,
    /// Its name in stores.
    pub storage_id: String,
    /// What this process holds.
    pub tokens: Option<TokenInfo>,
    /// How near to its end the access token is; none: there is none.
    pub freshness: Option<Freshness>,
    /// The generation in the store; none: no record.
    pub stored_generation: Option<u64>,
    /// A refresh in the store whose outcome nobody has written.
    pub intent: Option<Intent>,
    /// Why the grant is over.
    pub tombstone: Option<Tombstone>,
    /// Who may work on the grant now, as the store says it.
    pub lease: LeaseState,
    /// Why the store could not be read.
    pub store_error: Option<String>,
    /// Tokens in memory wait to be stored.
    pub unstored: bool,
    /// What the authorization server said last; none: it gave tokens, or was not asked.
    pub last_verdict: Option<Verdict>,
    /// When it was asked last, by this process.
    pub last_asked_at: Option<DateTime<Utc>>,
    /// Why no attempt is made for a while, and for how long.
    pub resting: Option<(Duration, String)>,
    /// An attempt is under way.
    pub attempting: bool,
    /// What happens next.
    pub next: String,
}

pub(crate) async fn explain(live: &Live) -> Explanation {
    let stored = live.store.look().await;
    let lease = live.store.lease_state().await;
    let snapshot = live.held.snapshot();
    let now = live.now();
    let freshness = snapshot
        .as_ref()
        .filter(|snapshot| snapshot.tokens.is_some())
        .map(|snapshot| snapshot.freshness(now.tick));
    let (record, store_error) = match stored {
        Ok(seen) => (seen.map(|seen| seen.record), None),
        Err(error) => (None, Some(chain(&error))),
    };
    let intent = record.as_ref().and_then(|record| record.intent.clone());
    let last = live.server.last_word();
    let mut explanation = Explanation {
        key: live.grant.key.to_string(),
        storage_id: live.grant.key.storage_id(),
        tokens: snapshot
            .as_ref()
            .and_then(|snapshot| snapshot.tokens.as_ref().map(|tokens| tokens.info())),
        freshness,
        stored_generation: record.as_ref().map(|record| record.generation()),
        lease,
        intent,
        tombstone: record.and_then(|record| record.tombstone),
        store_error,
        unstored: !live.held.unstored.is_empty(),
        last_verdict: last.and_then(|last| last.verdict),
        last_asked_at: last.map(|last| last.at),
        resting: live.rest.left(now).map(|(rest, error)| (rest, error.to_string())),
        attempting: live.flight.is_under_way(),
        next: String::new(),
    };
    let doubt = explanation
        .intent
        .as_ref()
        .map(|intent| between(intent.in_doubt_since(), now.utc()));
    let waits = doubt.is_some_and(|doubt| may_end_what_serves(&live.grant.rotation, doubt));
    explanation.next = next(&explanation, waits);
    explanation
}

/// `waits`: a doubt is left alone as long as the access token serves.
fn next(now: &Explanation, waits: bool) -> String {
    if let Some(tombstone) = &now.tombstone {
        return format!("nothing, until the user authorizes again: {}", tombstone.reason);
    }
    if now.unstored {
        return "the new tokens are written again every few seconds until the store takes them".to_owned();
    }
    if now.attempting {
        return "a refresh is under way".to_owned();
    }
    if let Some((rest, error)) = &now.resting {
        return format!(
            "the next attempt is made after {:.1} s, because {error}",
            rest.as_secs_f64()
        );
    }
    let serves = now.freshness.is_some_and(|freshness| freshness != Freshness::Expired);
    if let Some(intent) = now.intent.as_ref().filter(|_| waits && serves) {
        return format!(
            "calls use the token; when it is over or refused, the refresh token is sent again, because the outcome of the request by {} is \
             unknown and the question could end what still serves",
            intent.holder
        );
    }
    if let Some(intent) = &now.intent {
        return format!(
            "the next call sends the refresh token again, because the outcome of the request by {} is unknown",
            intent.holder
        );
    }
    match (now.freshness, now.stored_generation) {
        (Some(Freshness::Fresh), _) => "calls use the token",
        (Some(Freshness::Unknown), _) => "calls use the token until the provider refuses it",
        (Some(Freshness::Advisory), _) => "calls use the token, and the next one starts a refresh beside it",
        (Some(Freshness::Mandatory | Freshness::Expired), _) => "the next call waits for a refresh",
        (None, Some(_)) => "the next call reads the store",
        (None, None) => "nothing, until there is a grant",
    }
    .to_owned()
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text.push_str(": ");
        text.push_str(&error.to_string());
        source = error.source();
    }
    text
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "grant        {} ({})", self.key, self.storage_id)?;
        match &self.tokens {
            Some(tokens) => {
                write!(f, "token        generation {}", tokens.generation)?;
                if let Some(freshness) = self.freshness {
                    write!(f, ", {}", format!("{freshness:?}").to_lowercase())?;
                }
                match tokens.expires_at {
                    Some(at) => writeln!(f, ", ends {}", at.format("%FT%TZ"))?,
                    None => writeln!(f, ", end unknown")?,
                }
            }
            None => writeln!(f, "token        none in this process")?,
        }
        match (self.stored_generation, &self.store_error) {
            (_, Some(error)) => writeln!(f, "store        {error}")?,
            (Some(generation), None) => writeln!(f, "store        generation {generation}")?,
            (None, None) => writeln!(f, "store        no record")?,
        }
        if let (Some(intent), None) = (&self.intent, &self.tombstone) {
            writeln!(
                f,
                "in doubt     a refresh by {} of {}, {} before it without an answer",
                intent.holder,
                intent.at.format("%FT%TZ"),
                intent.unanswered
            )?;
        }
        if let Some(tombstone) = &self.tombstone {
            writeln!(
                f,
                "over         {}, noted {}",
                tombstone.reason,
                tombstone.at.format("%FT%TZ")
            )?;
        }
        match &self.lease {
            LeaseState::Held { by, for_at_most } => {
                write!(f, "lease        {by}")?;
                match for_at_most {
                    Some(left) => writeln!(f, ", for {:.1} s at most", left.as_secs_f64())?,
                    None => writeln!(f, ", until it is done or ends")?,
                }
            }
            LeaseState::Free => writeln!(f, "lease        nobody")?,
            LeaseState::Unknown => {}
        }
        if let Some(at) = self.last_asked_at {
            match self.last_verdict {
                Some(verdict) => writeln!(f, "server       {verdict:?} at {}", at.format("%FT%TZ"))?,
                None => writeln!(f, "server       new tokens at {}", at.format("%FT%TZ"))?,
            }
        }
        write!(f, "next         {}", self.next)
    }
}
