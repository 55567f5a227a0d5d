//! An authorization server in memory, and a clock that follows tokio's virtual time.
#![allow(dead_code, clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, SystemTime};

use finrail::Secret;
use finrail::token::store::{Lease, Leased, StoreError, StoredRecord, Swap, Swapped};
use finrail::token::{
    Clock, GrantKind, Issuer, IssuerError, Obtain, Renewal, RevokeRequest, Rotation, TokenHandle, TokenHandleBuilder,
    TokenKey, TokenReply, TokenStore, Verdict,
};
use futures_util::future::BoxFuture;
use tokio::time::Instant;

pub const HOUR: Duration = Duration::from_secs(3600);
pub const ROTATING: Rotation = Rotation::new(Some(true), None);

pub fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// Follows tokio's virtual time; the wall clock can be set off from it.
pub struct VirtualClock {
    origin: Instant,
    wall: Mutex<(SystemTime, bool)>,
}

impl VirtualClock {
    pub fn new() -> Arc<Self> {
        Arc::new(Self {
            origin: Instant::now(),
            wall: Mutex::new((SystemTime::UNIX_EPOCH + secs(1_767_225_600), false)),
        })
    }

    /// Moves the wall clock alone: a suspend, or somebody who sets it.
    pub fn jump(&self, seconds: i64) {
        let mut wall = self.wall.lock().unwrap();
        wall.0 = if seconds < 0 {
            wall.0 - secs(seconds.unsigned_abs())
        } else {
            wall.0 + secs(seconds.unsigned_abs())
        };
    }
}

impl Clock for VirtualClock {
    fn wall(&self) -> SystemTime {
        self.wall.lock().unwrap().0 + self.origin.elapsed()
    }

    fn monotonic(&self) -> Duration {
        self.origin.elapsed() + secs(1)
    }
}

/// What goes wrong with one token request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The request never arrives, and nobody knows that.
    LoseRequest,
    /// The server does its work and the reply never arrives.
    LoseReply,
    /// The server does its work and the reply takes this long.
    Slow(Duration),
    /// 503 from the server itself.
    Unavailable,
    /// 502 from a gateway: the server has done its work.
    BadGateway,
    /// 429.
    Throttle(Option<Duration>),
    /// An OAuth error that says nothing about the grant.
    Reject,
    /// `invalid_client`.
    Misconfigured,
}

#[derive(Clone, Copy, Debug)]
pub struct Habits {
    pub rotates: bool,
    pub grace: Option<Duration>,
    pub reuse_revokes_family: bool,
    pub life: Option<Duration>,
    pub latency: Duration,
}

pub const STRICT: Habits = Habits {
    rotates: true,
    grace: None,
    reuse_revokes_family: true,
    life: Some(HOUR),
    latency: Duration::from_millis(80),
};

#[derive(Debug)]
pub struct Request {
    pub refresh_token: Option<String>,
    pub at: Instant,
    pub answered: bool,
}

#[derive(Default)]
struct Books {
    issued: u64,
    /// The refresh token that works now.
    current: Option<String>,
    /// Spent refresh tokens, and when.
    spent: HashMap<String, Instant>,
    /// Access tokens that work, until when.
    access: HashMap<String, Option<Instant>>,
    revoked: bool,
    /// Every reply has the first access token again.
    repeats: bool,
    faults: VecDeque<Fault>,
    revocations: VecDeque<Verdict>,
    requests: Vec<Request>,
    revoked_tokens: Vec<String>,
}

/// An authorization server with one grant.
pub struct Bank {
    habits: Habits,
    books: Mutex<Books>,
}

#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Said(&'static str);

pub fn verdict(verdict: Verdict, text: &'static str) -> IssuerError {
    IssuerError::new(verdict, Said(text))
}

impl Bank {
    pub fn new(habits: Habits) -> Arc<Self> {
        Arc::new(Self {
            habits,
            books: Mutex::default(),
        })
    }

    fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap()
    }

    /// What goes wrong with the next requests, in order.
    pub fn faults(&self, faults: impl IntoIterator<Item = Fault>) {
        self.books().faults.extend(faults);
    }

    /// From now on every reply has the first access token again, with a refresh token of its own.
    pub fn repeat_the_access_token(&self) {
        self.books().repeats = true;
    }

    pub fn refuse_revocation(&self, verdict: Verdict) {
        self.books().revocations.push_back(verdict);
    }

    /// The user takes the consent back.
    pub fn withdraw(&self) {
        self.books().revoked = true;
    }

    /// The user logs in: a first reply.
    pub fn login(&self) -> TokenReply {
        let mut books = self.books();
        books.revoked = false;
        self.issue(&mut books)
    }

    pub fn requests(&self) -> usize {
        self.books().requests.len()
    }

    /// The refresh tokens that arrived, in order.
    pub fn sent(&self) -> Vec<String> {
        self.books()
            .requests
            .iter()
            .filter_map(|r| r.refresh_token.clone())
            .collect()
    }

    pub fn revoked_tokens(&self) -> Vec<String> {
        self.books().revoked_tokens.clone()
    }

    /// Whether the grant is alive on the server.
    pub fn alive(&self) -> bool {
        !self.books().revoked
    }

    /// The refresh token that works now.
    pub fn current(&self) -> Option<String> {
        self.books().current.clone()
    }

    /// Whether an API call with this access token would pass.
    pub fn accepts(&self, access: &str) -> bool {
        let books = self.books();
        let token = access.trim_start_matches("Bearer ");
        !books.revoked
            && match books.access.get(token) {
                None => false,
                Some(None) => true,
                Some(Some(until)) => Instant::now() < *until,
            }
    }

    /// The API stops taking this access token.
    pub fn expire(&self, access: &str) {
        self.books().access.remove(access.trim_start_matches("Bearer "));
    }

    fn issue(&self, books: &mut Books) -> TokenReply {
        books.issued += 1;
        let number = books.issued;
        let access = format!("access-{}", if books.repeats { 1 } else { number });
        books
            .access
            .insert(access.clone(), self.habits.life.map(|life| Instant::now() + life));
        let mut reply = TokenReply::new(access);
        reply.expires_in = self.habits.life;
        if self.habits.rotates || books.current.is_none() {
            let refresh = format!("refresh-{number}");
            if let Some(old) = books.current.replace(refresh.clone()) {
                books.spent.entry(old).or_insert_with(Instant::now);
            }
            reply.refresh_token = Some(Secret::from(refresh));
        }
        reply
    }

    fn answer(&self, refresh_token: Option<&str>) -> Result<TokenReply, IssuerError> {
        let mut books = self.books();
        let Some(token) = refresh_token else {
            return Ok({
                let mut reply = self.issue(&mut books);
                reply.refresh_token = None;
                reply
            });
        };
        if books.revoked {
            return Err(verdict(Verdict::Dead, "invalid_grant"));
        }
        if books.current.as_deref() == Some(token) {
            return Ok(self.issue(&mut books));
        }
        match (books.spent.get(token), self.habits.grace) {
            (Some(at), Some(grace)) if at.elapsed() <= grace => Ok(self.issue(&mut books)),
            (Some(_), _) => {
                books.revoked = self.habits.reuse_revokes_family;
                Err(verdict(Verdict::Dead, "invalid_grant"))
            }
            _ => Err(verdict(Verdict::Dead, "invalid_grant")),
        }
    }
}

impl Issuer for Bank {
    fn obtain(&self, obtain: Obtain) -> BoxFuture<'_, Result<TokenReply, IssuerError>> {
        let refresh_token = match &obtain {
            Obtain::Refresh(refresh) => Some(refresh.refresh_token.expose_secret().to_owned()),
            _ => None,
        };
        Box::pin(async move {
            let fault = {
                let mut books = self.books();
                books.requests.push(Request {
                    refresh_token: refresh_token.clone(),
                    at: Instant::now(),
                    answered: false,
                });
                books.faults.pop_front()
            };
            tokio::time::sleep(self.habits.latency / 2).await;
            match fault {
                Some(Fault::LoseRequest) => return Err(verdict(Verdict::InDoubt, "connection reset")),
                Some(Fault::Unavailable) => return Err(verdict(Verdict::Transient { retry_after: None }, "503")),
                Some(Fault::Throttle(retry_after)) => return Err(verdict(Verdict::Throttled { retry_after }, "429")),
                Some(Fault::Reject) => return Err(verdict(Verdict::RequestRejected, "invalid_request")),
                Some(Fault::Misconfigured) => return Err(verdict(Verdict::ClientMisconfigured, "invalid_client")),
                _ => {}
            }
            let answer = self.answer(refresh_token.as_deref());
            match fault {
                Some(Fault::Slow(delay)) => tokio::time::sleep(delay).await,
                _ => tokio::time::sleep(self.habits.latency / 2).await,
            }
            match fault {
                Some(Fault::LoseReply) => Err(verdict(Verdict::InDoubt, "connection reset")),
                Some(Fault::BadGateway) => Err(verdict(Verdict::Transient { retry_after: None }, "502")),
                _ => answer,
            }
        })
    }

    fn revoke(&self, request: RevokeRequest) -> BoxFuture<'_, Result<bool, IssuerError>> {
        Box::pin(async move {
            tokio::time::sleep(self.habits.latency).await;
            let mut books = self.books();
            if let Some(refusal) = books.revocations.pop_front() {
                return Err(verdict(refusal, "503"));
            }
            let token = request.token.secret().expose_secret().to_owned();
            books.revoked_tokens.push(token);
            books.revoked = true;
            Ok(true)
        })
    }
}

pub fn user_key() -> TokenKey {
    TokenKey::new("mx", "client-1", GrantKind::AuthorizationCode).subject("customer-42")
}

/// A handle for a user's grant.
pub fn user(
    bank: &Arc<Bank>,
    store: &Arc<dyn TokenStore>,
    clock: &Arc<VirtualClock>,
    holder: &str,
) -> TokenHandleBuilder {
    TokenHandle::builder(user_key(), Arc::clone(bank) as Arc<dyn Issuer>, Renewal::Refresh)
        .store(Arc::clone(store))
        .rotation(ROTATING)
        .clock(Arc::clone(clock) as Arc<dyn Clock>)
        .holder(holder)
        .seed(holder.len() as u64)
}

/// Calls go through this process every second, until the task is ended.
pub fn called_each_second(handle: &TokenHandle) -> tokio::task::JoinHandle<()> {
    let handle = handle.clone();
    tokio::spawn(async move {
        loop {
            let _ = handle.fresh().await;
            tokio::time::sleep(secs(1)).await;
        }
    })
}

pub fn text(bearer: &finrail::token::Bearer) -> String {
    bearer.header.to_str().unwrap().to_owned()
}

/// A store that goes away on command.
pub struct FlakyStore {
    inner: Arc<dyn TokenStore>,
    /// How many swaps still succeed; none: all.
    swaps: Mutex<Option<u32>>,
    /// What is written does not arrive.
    loses_swaps: AtomicBool,
    /// What is written arrives, and nobody is told.
    loses_answers: AtomicBool,
    /// And the next read has no answer either.
    loses_next_reads: AtomicBool,
    loses_next_read: AtomicBool,
}

impl FlakyStore {
    pub fn new(inner: Arc<dyn TokenStore>) -> Self {
        Self {
            inner,
            swaps: Mutex::default(),
            loses_swaps: AtomicBool::new(false),
            loses_answers: AtomicBool::new(false),
            loses_next_reads: AtomicBool::new(false),
            loses_next_read: AtomicBool::new(false),
        }
    }

    /// Reads and leases are answered; what is written does not arrive.
    pub fn lose_swaps(&self) {
        self.loses_swaps.store(true, Ordering::SeqCst);
    }

    /// What is written arrives, and nobody is told.
    pub fn lose_answers(&self) {
        self.loses_answers.store(true, Ordering::SeqCst);
    }

    /// The same, and who reads at once to find out is told nothing either.
    pub fn lose_answers_and_the_reads_after_them(&self) {
        self.lose_answers();
        self.loses_next_reads.store(true, Ordering::SeqCst);
    }

    /// The lease, in the hands of somebody else.
    pub async fn lease_of_another(&self, key: &TokenKey) -> Lease {
        match self.inner.lease(key, "another", secs(60)).await.unwrap() {
            Leased::Granted(lease) => lease,
            Leased::Held { by, .. } => panic!("{by} has the lease"),
        }
    }

    pub async fn give_back(&self, key: &TokenKey, lease: Lease) {
        self.inner.release(key, lease).await.unwrap();
    }

    pub fn fail_after_swaps(&self, swaps: u32) {
        *self.swaps.lock().unwrap() = Some(swaps);
    }

    pub fn heal(&self) {
        *self.swaps.lock().unwrap() = None;
        self.loses_swaps.store(false, Ordering::SeqCst);
        self.loses_answers.store(false, Ordering::SeqCst);
        self.loses_next_reads.store(false, Ordering::SeqCst);
    }

    fn up(&self) -> bool {
        *self.swaps.lock().unwrap() != Some(0)
    }

    fn out<T: Send + 'static>() -> BoxFuture<'static, Result<T, StoreError>> {
        Box::pin(async { Err(StoreError::unavailable("answer", "it is out")) })
    }
}

impl TokenStore for FlakyStore {
    fn load<'a>(&'a self, key: &'a TokenKey) -> BoxFuture<'a, Result<Option<StoredRecord>, StoreError>> {
        let is_lost = self.loses_next_read.swap(false, Ordering::SeqCst);
        if self.up() && !is_lost {
            self.inner.load(key)
        } else {
            Self::out()
        }
    }

    fn swap<'a>(&'a self, key: &'a TokenKey, swap: Swap) -> BoxFuture<'a, Result<Swapped, StoreError>> {
        let mut swaps = self.swaps.lock().unwrap();
        match swaps.as_mut() {
            Some(0) => return Self::out(),
            Some(left) => *left -= 1,
            None => {}
        }
        if self.loses_swaps.load(Ordering::SeqCst) {
            return Self::out();
        }
        if self.loses_answers.load(Ordering::SeqCst) {
            let and_the_next_read = self.loses_next_reads.load(Ordering::SeqCst);
            self.loses_next_read.store(and_the_next_read, Ordering::SeqCst);
            return Box::pin(async move {
                self.inner.swap(key, swap).await?;
                Self::out().await
            });
        }
        self.inner.swap(key, swap)
    }

    fn lease<'a>(
        &'a self,
        key: &'a TokenKey,
        holder: &'a str,
        ttl: Duration,
    ) -> BoxFuture<'a, Result<Leased, StoreError>> {
        if self.up() {
            self.inner.lease(key, holder, ttl)
        } else {
            Self::out()
        }
    }

    fn release<'a>(&'a self, key: &'a TokenKey, lease: Lease) -> BoxFuture<'a, Result<(), StoreError>> {
        if self.up() {
            self.inner.release(key, lease)
        } else {
            Self::out()
        }
    }

    fn renews_leases(&self) -> bool {
        self.inner.renews_leases()
    }

    fn renew<'a>(
        &'a self,
        key: &'a TokenKey,
        lease: &'a Lease,
        ttl: Duration,
    ) -> BoxFuture<'a, Result<bool, StoreError>> {
        if self.up() {
            self.inner.renew(key, lease, ttl)
        } else {
            Self::out()
        }
    }
}
