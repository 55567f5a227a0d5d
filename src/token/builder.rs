//! How a handle is set up.

use std::sync::Arc;
use std::time::Duration;

use super::{
    AuditEvent, AuditSink, Clock, Issuer, MemoryStore, NewsOfAll, PseudonymKey, Renewal, Rotation, SystemClock,
    TokenKey, TokenStore,
};

/// Sets up a [`TokenHandle`](super::TokenHandle).
#[derive(Clone)]
#[must_use]
pub struct TokenHandleBuilder {
    pub(super) key: TokenKey,
    pub(super) issuer: Arc<dyn Issuer>,
    pub(super) renewal: Renewal,
    pub(super) rotation: Rotation,
    pub(super) store: Arc<dyn TokenStore>,
    /// The store, while it is the one that nobody chose: it goes by the same clock.
    memory: Option<MemoryStore>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) holder: Option<String>,
    pub(super) seed: Option<u64>,
    pub(super) request_timeout: Duration,
    pub(super) look_again_every: Duration,
    pub(super) revoke_replaced: bool,
    pub(super) pseudonym_key: Option<PseudonymKey>,
    pub(super) audit: AuditSink,
    pub(super) news_of_all: NewsOfAll,
}

impl TokenHandleBuilder {
    pub(super) fn new(key: TokenKey, issuer: Arc<dyn Issuer>, renewal: Renewal) -> Self {
        let memory = MemoryStore::new();
        Self {
            key,
            issuer,
            renewal,
            rotation: Rotation::UNKNOWN,
            store: Arc::new(memory.clone()),
            memory: Some(memory),
            clock: Arc::new(SystemClock),
            holder: None,
            seed: None,
            request_timeout: Duration::from_secs(20),
            look_again_every: Self::LOOK_AGAIN_EVERY,
            revoke_replaced: false,
            pseudonym_key: None,
            audit: AuditSink::default(),
            news_of_all: NewsOfAll::default(),
        }
    }

    /// How often the store is looked at again by default.
    pub(crate) const LOOK_AGAIN_EVERY: Duration = Duration::from_secs(300);

    /// Where the grant is kept. Without one it lives as long as the process.
    pub fn store(mut self, store: Arc<dyn TokenStore>) -> Self {
        self.store = store;
        self.memory = None;
        self
    }

    /// What the provider does with refresh tokens.
    pub fn rotation(mut self, rotation: Rotation) -> Self {
        self.rotation = rotation;
        self
    }

    /// The clock to go by. Where no [`store`](Self::store) was given, its leases go by it too.
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        if let Some(memory) = &self.memory {
            self.store = Arc::new(memory.by(Arc::clone(&clock)));
        }
        self.clock = clock;
        self
    }

    /// The name of this process in leases and intents; the process id by default. Chance is added to it: two replicas
    /// of one name are still two.
    pub fn holder(mut self, holder: impl Into<String>) -> Self {
        self.holder = Some(holder.into());
        self
    }

    /// Makes jitter repeatable. For tests.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// How long a process may serve tokens without a look at the store, where another process may have
    /// [revoked](super::TokenHandle::revoke) or [forgotten](super::TokenHandle::forget) the grant: five minutes by default,
    /// two seconds at least.
    ///
    /// While there are calls, one that comes after half of that time starts the look and does not wait for it. After a longer
    /// pause the first call waits for the look, for a second at most: a store that does not answer stops no calls. It costs
    /// two reads of the store per grant, process and interval, and nothing while there are no calls.
    ///
    /// A store that lost the record of a grant gets it back from a process that holds tokens. Another process may hold newer
    /// ones, and finds the loss with its next look: for so long, an hour at most, the refresh token that was put back is not
    /// sent. Let all processes that share a store have the same setting.
    pub fn look_again_every(mut self, interval: Duration) -> Self {
        self.look_again_every = interval.max(Duration::from_secs(2));
        self
    }

    /// Whether the tokens that a login replaces are revoked at the provider: no by default, and the grant of the earlier
    /// login lives on there until it ends by itself.
    ///
    /// They are revoked once the new ones are stored, never before, and beside the login: a revocation that fails is
    /// logged and not tried again, and the login holds. Nothing is revoked where the provider gave the same refresh token
    /// again. Where all logins of a user are one consent at the provider, a revocation may end the new tokens too (RFC 7009
    /// section 2.1): ask the provider before this is turned on.
    pub fn revoke_replaced(mut self, revoke: bool) -> Self {
        self.revoke_replaced = revoke;
        self
    }

    /// The key of the pseudonyms that tombstones have in place of a subject; see
    /// [`AppBuilder::pseudonym_key`](crate::AppBuilder::pseudonym_key).
    pub fn pseudonym_key(mut self, key: PseudonymKey) -> Self {
        self.pseudonym_key = Some(key);
        self
    }

    /// Tells this sink of all that this handle does to the grant, without a secret: [`AuditEvent`] says what, and has an
    /// example. Without one nothing is told.
    ///
    /// The sink is called in the task that makes the change, so it should be quick: let it hand what takes time to somebody
    /// else. A panic in it is logged and changes nothing.
    pub fn audit(self, sink: impl Fn(&AuditEvent) + Send + Sync + 'static) -> Self {
        self.audit_sink(AuditSink::new(sink))
    }

    pub(crate) fn news_of_all(mut self, news: NewsOfAll) -> Self {
        self.news_of_all = news;
        self
    }

    pub(crate) fn audit_sink(mut self, sink: AuditSink) -> Self {
        self.audit = sink;
        self
    }

    /// How long one token request may take before its reply counts as lost. 20 seconds by default, a millisecond at least,
    /// two hours at most.
    pub fn request_timeout(mut self, timeout: Duration) -> Self {
        self.request_timeout = timeout.clamp(Duration::from_millis(1), Duration::from_secs(7200));
        self
    }
}
