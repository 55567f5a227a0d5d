//! What all clones of a handle share, in groups of their own: the grant and its rules, its store and its server, what
//! is held of it, the rest after failures, and the news for those who watch.

mod cell;
pub(crate) mod flight;
mod grant_store;
mod held;
mod news;
mod refusals;
mod rest;
mod server;
mod shown;
mod snapshot;
mod sync;
mod unstored;
mod waits;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::watch;

use super::clock::Now;
use super::grant::Grant;
use super::record::{LONGEST_STEP, Versioned, next_revision};
use super::{
    AuditAction, AuditEvent, AuditSink, Clock, Error, Event, IssuerError, Obtain, ReauthorizationReason, Record,
    TokenHandleBuilder, TokenReply, Tombstone,
};
use crate::http::meter::{self, Counted};
use flight::Flight;
pub(crate) use grant_store::{Asked, GrantStore};
use held::{Held, Show};
use news::News;
pub(crate) use refusals::Refusal;
use rest::Rest;
pub(crate) use server::NotRevoked;
use server::Server;
pub(crate) use snapshot::Snapshot;
pub(crate) use unstored::UnstoredTokens;
use waits::Waits;

/// What comes of an attempt.
pub(crate) type Outcome = Result<Arc<Snapshot>, Error>;

/// What all clones of a handle share.
pub(crate) struct Live {
    pub grant: Arc<Grant>,
    pub clock: Arc<dyn Clock>,
    pub store: GrantStore,
    pub server: Server,
    pub held: Held,
    pub rest: Rest,
    pub news: News,
    /// What it is counted as.
    counted: Counted,
    sink: AuditSink,
    /// The attempt that is under way.
    pub flight: Flight<watch::Receiver<Option<Outcome>>>,
    /// What that attempt waits for.
    pub waits: Waits,
    /// How many logins, revocations and the like are under way.
    pub changes: AtomicU64,
}

impl Live {
    pub fn new(set_up: TokenHandleBuilder) -> Self {
        let grant = Arc::new(Grant::new(&set_up));
        Self {
            store: GrantStore::new(set_up.store, Arc::clone(&grant), Arc::clone(&set_up.clock)),
            server: Server::new(set_up.issuer, Arc::clone(&set_up.clock), grant.request_timeout),
            held: Held::new(Arc::clone(&grant)),
            rest: Rest::new(),
            news: News::new(grant.key.clone(), set_up.news_of_all),
            counted: Counted::default(),
            sink: set_up.audit,
            flight: Flight::new(),
            waits: Waits::new(),
            changes: AtomicU64::new(0),
            clock: set_up.clock,
            grant,
        }
    }

    /// Marks a change of the grant as under way.
    pub fn under_way(self: &Arc<Self>) -> UnderWay {
        self.changes.fetch_add(1, Ordering::AcqRel);
        UnderWay(Arc::clone(self))
    }

    pub fn now(&self) -> Now {
        Now::read(&*self.clock)
    }

    /// The record as it is to go over the one that was read at this revision.
    pub fn successor(&self, seen: Option<u64>, record: Record) -> Versioned {
        let step = self.grant.random.up_to(LONGEST_STEP);
        Versioned {
            revision: next_revision(seen, self.held.revision(), self.now().utc(), step),
            record,
        }
    }

    /// Makes what the store holds visible to callers, unless they see something newer.
    pub fn publish(&self, seen: Versioned) -> Arc<Snapshot> {
        self.made_known(self.held.show(seen, self.now()))
    }

    /// The same for tokens that the store does not hold yet.
    pub fn publish_unstored(&self, tokens: Versioned) -> Arc<Snapshot> {
        self.made_known(self.held.show_unstored(tokens, self.now()))
    }

    fn made_known(&self, show: Show) -> Arc<Snapshot> {
        let shown = match show {
            Show::Outdated { newer } => return newer,
            Show::Shown(shown) => shown,
        };
        if shown.brings_a_token {
            self.rest.end_unless_asked_for();
        }
        if let Some(generation) = shown.moved_to {
            self.news.tell(Event::Refreshed { generation });
        }
        if let Some(reason) = shown.ended {
            self.warn_of_end(reason);
        }
        if let Some(tokens) = shown.outlived {
            self.server.revoke_beside(&self.grant, tokens.to_revoke());
        }
        self.announce_ends();
        self.counted.is(
            &self.grant.key.provider,
            match shown.snapshot.living() {
                Some(_) => "live",
                None => "ended",
            },
        );
        shown.snapshot
    }

    /// One token request.
    pub async fn obtain(&self, obtain: Obtain) -> Result<TokenReply, IssuerError> {
        let grant = match &obtain {
            Obtain::Refresh(_) => "refresh_token",
            Obtain::Anew => "client_credentials",
        };
        let began = Instant::now();
        let outcome = self.server.obtain(obtain).await;
        let verdict = outcome.as_ref().map_or_else(|error| error.verdict.as_str(), |_| "ok");
        meter::token_request(&self.grant.key.provider, grant, verdict, began.elapsed());
        outcome
    }

    /// The error of a grant that is over, with the server's answer where this handle saw it.
    pub fn ended(&self, tombstone: &Tombstone) -> Error {
        let own = *tombstone.holder == *self.grant.holder;
        Error::ReauthorizationRequired {
            reason: tombstone.reason,
            ended_by: self
                .server
                .last_refusal()
                .filter(|_| own && !tombstone.reason.is_on_purpose()),
        }
    }

    fn warn_of_end(&self, reason: ReauthorizationReason) {
        if reason.is_on_purpose() {
            tracing::info!(key = %self.grant.named(), %reason, "the grant is over, as was asked for");
        } else {
            tracing::warn!(key = %self.grant.named(), %reason, "the user must authorize again");
        }
        self.news.tell(Event::ReauthorizationRequired { reason });
    }

    /// Tells the audit what this process did to the grant; `generation`: of the tokens that it is about. Of one that is erased, it
    /// names nobody.
    pub fn audit(&self, generation: u64, action: AuditAction) {
        self.sink.tell(|| AuditEvent {
            at: self.now().utc(),
            id: self.grant.key.storage_id(),
            key: self.grant.named().into_owned(),
            holder: self.grant.holder.to_string(),
            generation,
            action,
        });
    }

    /// Removes what callers see.
    pub fn clear(&self) {
        self.counted.is(&self.grant.key.provider, "empty");
        self.held.clear();
        self.rest.end();
    }

    /// Tells those who watch of ends that are near, once for each end; says when the next one will be.
    pub fn announce_ends(&self) -> Option<Duration> {
        if !self.news.is_watched() {
            return None;
        }
        let snapshot = self.held.snapshot()?;
        self.news.announce_ends(snapshot.living()?, self.now().utc())
    }
}

/// A change of the grant that is under way, until it is dropped.
pub(crate) struct UnderWay(Arc<Live>);

impl UnderWay {
    pub fn live(&self) -> &Arc<Live> {
        &self.0
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.changes.fetch_sub(1, Ordering::AcqRel);
    }
}
