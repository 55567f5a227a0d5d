//! Whose grant it is, who works on it here, and by which rules: set once, for as long as its handles live.

use std::borrow::Cow;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use super::clock::Now;
use super::machine::{self, Freshness, Horizon};
use super::{Error, PseudonymKey, Record, Renewal, Rotation, TokenHandleBuilder, TokenKey, TokenReply, TokenSet};
use crate::http::Random;

/// What never changes of a grant while its handles live, and whether it may be named.
pub(crate) struct Grant {
    pub key: TokenKey,
    pub renewal: Renewal,
    pub rotation: Rotation,
    /// The name of this process in leases and intents.
    pub holder: Box<str>,
    /// How long one token request may take before its reply counts as lost.
    pub request_timeout: Duration,
    /// How long tokens are served without a look at the store.
    pub look_again_every: Duration,
    /// The tokens that a login replaces are ended at the provider.
    pub revoke_replaced: bool,
    /// Of the pseudonyms in tombstones; none: they have a salt only, and tombstones name whose grant they end.
    pub pseudonym_key: Option<PseudonymKey>,
    /// The jitter of this process, and its pauses.
    pub random: Random,
    /// The grant was erased, as far as this process knows: from then on, nothing that it tells names the person.
    names_nobody: AtomicBool,
    /// How many are at work on a grant that is erased, or is being erased, whatever is known of it meanwhile.
    unnamed: AtomicU32,
}

/// As long as this lives, nothing that is told of the grant names the person.
pub(crate) struct Unnamed<'g>(&'g Grant);

impl Drop for Unnamed<'_> {
    fn drop(&mut self) {
        self.0.unnamed.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Grant {
    pub fn new(set_up: &TokenHandleBuilder) -> Self {
        let random = set_up.seed.map_or_else(Random::from_system, Random::seeded);
        let seed = random.seed();
        let holder = match &set_up.holder {
            Some(name) => format!("{name}-{seed:016x}"),
            None => format!("{}-{seed:016x}", std::process::id()),
        };
        Self {
            key: set_up.key.clone(),
            renewal: set_up.renewal,
            rotation: set_up.rotation,
            holder: holder.into_boxed_str(),
            request_timeout: set_up.request_timeout,
            look_again_every: set_up.look_again_every,
            revoke_replaced: set_up.revoke_replaced,
            pseudonym_key: set_up.pseudonym_key.clone(),
            random,
            names_nobody: AtomicBool::new(false),
            unnamed: AtomicU32::new(0),
        }
    }

    /// What this process knows now: whether the grant is erased.
    pub fn names_nobody(&self, names_nobody: bool) {
        self.names_nobody.store(names_nobody, Ordering::Relaxed);
    }

    /// Long enough for reading, one request and its commit.
    pub fn longest_work(&self) -> Duration {
        self.request_timeout + self.request_timeout.max(Duration::from_secs(5))
    }

    /// When the states of these tokens begin; none: their end is unknown. The jitter is the same for the same
    /// generation, and different in every process.
    pub fn horizon(&self, tokens: &TokenSet, now: Now) -> Option<Horizon> {
        let jitter = self.random.of(tokens.generation);
        Horizon::of(tokens, now, jitter, self.renewal)
    }

    /// The freshness of stored tokens.
    pub fn freshness(&self, tokens: &TokenSet, now: Now) -> Freshness {
        self.horizon(tokens, now)
            .map_or(Freshness::Unknown, |horizon| horizon.freshness(now.tick))
    }

    /// Whether there is a way from these tokens to others without the user.
    pub fn renewable(&self, tokens: &TokenSet) -> bool {
        machine::renewable(tokens, self.renewal)
    }

    /// The tokens of a reply to the grant itself.
    pub fn first_tokens(&self, reply: TokenReply, sent_at: Now) -> TokenSet {
        TokenSet::first(reply, &self.key.scopes, sent_at.wall, &self.rotation)
    }

    /// The record of the living grant with these tokens.
    pub fn alive(&self, tokens: TokenSet) -> Record {
        Record::alive(self.key.clone(), tokens)
    }

    /// A tombstone as this application keeps it: with a pseudonym in place of the person, where it has a key for that.
    pub fn tombstone(&self, ended: Record) -> Record {
        match &self.pseudonym_key {
            Some(key) => ended.without_person(Some(key)),
            None => ended,
        }
    }

    /// Begins work on a grant that is erased, or is being erased.
    pub fn unnamed(&self) -> Unnamed<'_> {
        self.unnamed.fetch_add(1, Ordering::Relaxed);
        Unnamed(self)
    }

    /// The key as logs and the audit have it: of a grant that was erased it names nobody.
    pub fn named(&self) -> Cow<'_, TokenKey> {
        match self.names_nobody.load(Ordering::Relaxed) || self.unnamed.load(Ordering::Relaxed) > 0 {
            true => Cow::Owned(self.key.without_person()),
            false => Cow::Borrowed(&self.key),
        }
    }

    /// Nobody has authorized yet.
    pub fn missing(&self) -> Error {
        Error::NoGrant {
            key: self.named().to_string(),
        }
    }

    /// Somebody else changed the record, or took the lease.
    pub fn overtaken(&self) -> Error {
        Error::Busy {
            holder: "another process".to_owned(),
            retry_after: Some(self.request_timeout),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use futures_util::future::BoxFuture;

    use super::*;
    use crate::token::{GrantKind, Issuer, IssuerError, ManualClock, Obtain, RevokeRequest};
    use crate::value::Secret;

    struct Nobody;

    impl Issuer for Nobody {
        fn obtain(&self, _: Obtain) -> BoxFuture<'_, Result<TokenReply, IssuerError>> {
            Box::pin(std::future::pending())
        }
        fn revoke(&self, _: RevokeRequest) -> BoxFuture<'_, Result<bool, IssuerError>> {
            Box::pin(std::future::pending())
        }
    }

    fn grant(renewal: Renewal, request_timeout: Duration) -> Grant {
        let key = TokenKey::new("mx", "client", GrantKind::AuthorizationCode);
        let mut set_up = TokenHandleBuilder::new(key, Arc::new(Nobody), renewal);
        set_up.request_timeout = request_timeout;
        Grant::new(&set_up)
    }

    #[test]
    fn a_holder_is_named_after_its_process_or_as_it_was_told_and_no_two_are_the_same() {
        let key = TokenKey::new("mx", "client", GrantKind::AuthorizationCode);
        let mut set_up = TokenHandleBuilder::new(key, Arc::new(Nobody), Renewal::Refresh);
        let (one, other) = (Grant::new(&set_up).holder, Grant::new(&set_up).holder);
        assert!(
            one != other && one.starts_with(&format!("{}-", std::process::id())),
            "{one} {other}"
        );
        set_up.holder = Some("worker".to_owned());
        assert!(Grant::new(&set_up).holder.starts_with("worker-"));
    }

    #[test]
    fn tokens_of_a_grant_are_recorded_under_its_key_with_the_scopes_and_the_rules_that_it_has() {
        let key = TokenKey::new("mx", "client", GrantKind::AuthorizationCode);
        let mut set_up = TokenHandleBuilder::new(key, Arc::new(Nobody), Renewal::Refresh);
        set_up.key.scopes = crate::value::ScopeSet::parse("accounts");
        set_up.rotation.consent_lifetime = Some(Duration::from_secs(60));
        let grant = Grant::new(&set_up);
        let now = Now::read(&ManualClock::new());
        let tokens = grant.first_tokens(TokenReply::new("access-1"), now);
        assert_eq!(*tokens.scopes, grant.key.scopes);
        assert_eq!(tokens.consent_expires_at, Some(now.utc() + Duration::from_secs(60)));
        let record = grant.alive(tokens.clone());
        assert_eq!((&record.key, record.tokens), (&grant.key, Some(tokens)));
    }

    #[test]
    fn a_grant_that_is_missing_or_that_another_process_works_on_is_told() {
        let grant = grant(Renewal::Refresh, Duration::from_secs(30));
        assert!(matches!(grant.missing(), Error::NoGrant { key } if key == grant.key.to_string()));
        let wait = Some(Duration::from_secs(30));
        assert!(matches!(grant.overtaken(), Error::Busy { retry_after, .. } if retry_after == wait));
    }

    #[test]
    fn work_outlives_a_request_by_as_long_again_and_by_five_seconds_at_least() {
        for (request, lease) in [(1, 6), (5, 10), (30, 60)] {
            let grant = grant(Renewal::Refresh, Duration::from_secs(request));
            assert_eq!(grant.longest_work(), Duration::from_secs(lease));
        }
    }

    #[test]
    fn tokens_have_windows_where_there_is_a_way_to_others() {
        let clock = ManualClock::new();
        let now = Now::read(&clock);
        clock.advance(Duration::from_secs(3590));
        let near = Now::read(&clock);
        for (renewal, refresh_token, expected) in [
            (Renewal::Refresh, Some("refresh-1"), Freshness::Mandatory),
            (Renewal::Refresh, None, Freshness::Fresh),
            (Renewal::Anew, None, Freshness::Mandatory),
        ] {
            let grant = grant(renewal, Duration::from_secs(30));
            let mut reply = TokenReply::new("access-1");
            reply.refresh_token = refresh_token.map(Secret::from);
            let endless = grant.first_tokens(reply.clone(), now);
            assert_eq!(grant.freshness(&endless, near), Freshness::Unknown);
            reply.expires_in = Some(Duration::from_secs(3600));
            let tokens = grant.first_tokens(reply, now);
            let horizon = grant.horizon(&tokens, now);
            assert_eq!(horizon.map(|horizon| horizon.freshness(near.tick)), Some(expected));
            assert_eq!(grant.freshness(&tokens, near), expected);
            assert_eq!(grant.renewable(&tokens), expected == Freshness::Mandatory);
        }
    }
}
