//! Bugs that other token libraries have or had: what would go wrong gives the test its name.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod recorder;
mod token_support;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use finrail::ScopeSet;
use finrail::token::Rejection;
use finrail::token::store::{Lease, Leased, MemoryStore, StoreError, StoredRecord, Swap, Swapped};
use finrail::token::{
    Clock, DecodeError, Error, GrantKind, Issuer, ManualClock, ReauthorizationReason, Record, Renewal, Rotation,
    TokenHandle, TokenKey, TokenStore,
};
use finrail::{App, Connection, ofx};
use futures_util::future::BoxFuture;
use recorder::{Answer, Recorder};
use token_support::*;

struct World {
    bank: Arc<Bank>,
    clock: Arc<VirtualClock>,
    store: Arc<dyn TokenStore>,
}

impl World {
    fn new(habits: Habits) -> Self {
        let clock = VirtualClock::new();
        Self {
            bank: Bank::new(habits),
            store: Arc::new(MemoryStore::with_clock(Arc::clone(&clock) as Arc<dyn Clock>)),
            clock,
        }
    }

    fn process(&self, holder: &str) -> TokenHandle {
        user(&self.bank, &self.store, &self.clock, holder).build()
    }

    async fn logged_in(&self, holder: &str) -> TokenHandle {
        let handle = self.process(holder);
        handle.adopt(self.bank.login()).await.unwrap();
        handle
    }

    async fn stored(&self) -> Record {
        Record::decode(&self.store.load(&user_key()).await.unwrap().unwrap().bytes).unwrap()
    }
}

// google-auth-library-nodejs: the old refresh token is written over the new one.
#[tokio::test(start_paused = true)]
async fn a_rotated_refresh_token_is_not_overwritten_by_the_old_one() {
    let world = World::new(STRICT);
    let handle = world.logged_in("a").await;
    for round in 1..=5 {
        tokio::time::sleep(HOUR).await;
        handle.fresh().await.unwrap();
        let tokens = world.stored().await.tokens.unwrap();
        assert_eq!(
            tokens.refresh_token.unwrap().expose_secret(),
            format!("refresh-{}", round + 1)
        );
    }
    let spent: Vec<_> = (1..=5).map(|round| format!("refresh-{round}")).collect();
    assert_eq!(world.bank.sent(), spent);
}

// simple-oauth2: a reply without a refresh token loses the one at hand.
#[tokio::test(start_paused = true)]
async fn a_reply_without_a_refresh_token_does_not_lose_the_one_at_hand() {
    let world = World::new(Habits {
        rotates: false,
        ..STRICT
    });
    for rotates in [Some(true), Some(false), None] {
        let handle = user(&world.bank, &world.store, &world.clock, "a")
            .rotation(Rotation::new(rotates, None))
            .build();
        handle.adopt(Bank::new(STRICT).login()).await.unwrap();
        let sent = world.bank.sent().len();
        let _ = world.bank.login();
        for _ in 0..3 {
            tokio::time::sleep(HOUR).await;
            handle.fresh().await.unwrap();
        }
        assert_eq!(world.bank.sent()[sent..], ["refresh-1", "refresh-1", "refresh-1"]);
    }
}

// Duende.AccessTokenManagement: the stored token is read before the gate, so that a late caller sends a spent one.
#[tokio::test(start_paused = true)]
async fn a_late_caller_does_not_send_a_spent_token() {
    let world = World::new(STRICT);
    let handle = world.logged_in("a").await;
    let other = world.process("bb");
    other.load().await.unwrap();
    tokio::time::sleep(HOUR).await;
    let callers: Vec<_> = (0..100)
        .map(|caller| {
            let handle = if caller % 2 == 0 { handle.clone() } else { other.clone() };
            tokio::spawn(async move {
                tokio::time::sleep(Duration::from_millis(caller * 2)).await;
                handle.fresh().await
            })
        })
        .collect();
    for caller in callers {
        assert_eq!(text(&caller.await.unwrap().unwrap()), "Bearer access-2");
    }
    assert_eq!(world.bank.sent(), ["refresh-1"]);
}

// Duende.AccessTokenManagement: when there is no token, the request goes out without one.
#[tokio::test(start_paused = true)]
async fn a_failed_refresh_does_not_send_a_call_without_a_token() {
    let world = World::new(STRICT);
    let handle = world.logged_in("a").await;
    world.bank.faults([Fault::Unavailable]);
    tokio::time::sleep(HOUR).await;
    assert!(handle.header().is_none());
    assert!(handle.fresh().await.is_err());
    assert!(handle.header().is_none());
}

/// An app at a recorder, with a connection whose first token has ended.
#[cfg(feature = "ofx")]
async fn with_an_ended_token(recorder: &Recorder) -> (Connection<ofx::Provider>, Arc<ManualClock>) {
    const REDIRECT: &str = "https://app.example.com/callback";
    let clock = Arc::new(ManualClock::new());
    let app = App::<ofx::Provider>::builder()
        .base_url(recorder.origin())
        .credentials(finrail::Credentials::new("client", "secret"))
        .redirect_uri(REDIRECT)
        .clock(clock.clone())
        .build()
        .unwrap();
    let pending = app.authorize([ofx::Scope::Payments]).unwrap().pending;
    let callback = format!("{REDIRECT}?code=code-1&state={}", pending.state().expose_secret());
    let connection = app.finish(pending, &callback).await.unwrap();
    clock.advance(secs(4000));
    (connection, clock)
}

// The same over the wire: whatever becomes of the refresh, the provider sees no call.
#[cfg(feature = "ofx")]
#[tokio::test]
async fn a_failed_refresh_sends_no_call_at_all() {
    let failures = [
        Answer::status(400, r#"{"error":"invalid_grant"}"#),
        Answer::status(400, r#"{"error":"invalid_request"}"#),
        Answer::status(401, r#"{"error":"invalid_client"}"#),
        Answer::status(429, "{}"),
        Answer::html(503, "<html>closed</html>"),
        Answer::json("{}"),
        Answer::json(r#"{"access_token":""}"#),
        Answer::redirect(302, "/elsewhere"),
        Answer::Drop,
    ];
    for failure in failures {
        let answer = failure.clone();
        let recorder = Recorder::with_tokens(
            move |_, before| match before {
                0 => Answer::json(recorder::token(1)),
                _ => answer.clone(),
            },
            |_, _| Answer::json("{}"),
        )
        .await;
        let (connection, _) = with_an_ended_token(&recorder).await;
        let client = connection.client();
        let error = client.list_beneficiaries().send().await.unwrap_err();
        assert!(
            matches!(
                error,
                finrail::Error::Auth {
                    outcome: finrail::transport::Outcome::NotSent,
                    ..
                }
            ),
            "{error}"
        );
        assert_eq!(recorder.token_requests().len(), 2, "{error}");
        assert!(recorder.calls().is_empty(), "{error}");
    }
}

// Duende.AccessTokenManagement: the first caller's cancellation cancels all.
#[tokio::test(start_paused = true)]
async fn the_first_caller_going_away_does_not_cancel_the_others() {
    let world = World::new(STRICT);
    let handle = world.logged_in("a").await;
    tokio::time::sleep(HOUR).await;
    let first = tokio::spawn({
        let handle = handle.clone();
        async move { handle.fresh().await }
    });
    tokio::time::sleep(Duration::from_millis(10)).await;
    let second = tokio::spawn(async move { handle.fresh().await });
    first.abort();
    assert!(second.await.unwrap().is_ok());
    assert_eq!(world.bank.requests(), 1);
}

// yup-oauth2: any refresh error falls through to the interactive flow.
#[tokio::test(start_paused = true)]
async fn a_failure_that_is_not_a_refusal_does_not_send_the_user_to_a_login() {
    for fault in [
        Fault::LoseRequest,
        Fault::Unavailable,
        Fault::Throttle(None),
        Fault::Reject,
        Fault::Misconfigured,
    ] {
        let world = World::new(STRICT);
        let handle = world.logged_in("a").await;
        world.bank.faults([fault]);
        tokio::time::sleep(HOUR).await;
        let error = handle.fresh().await.unwrap_err();
        assert!(!error.reauthorization_required(), "{fault:?}: {error}");
        tokio::time::sleep(secs(60)).await;
        assert!(handle.fresh().await.is_ok(), "{fault:?}");
    }
}

// azure_identity: one write lock for all scopes is held over the network.
#[tokio::test(start_paused = true)]
async fn a_slow_refresh_of_one_scope_does_not_stall_another() {
    let world = World::new(STRICT);
    let handle = |scope: &str, bank: &Arc<Bank>| {
        let key = TokenKey::new("ofx", "client-1", GrantKind::ClientCredentials).scopes(ScopeSet::parse(scope));
        TokenHandle::builder(key, Arc::clone(bank) as Arc<dyn Issuer>, Renewal::Anew)
            .store(Arc::clone(&world.store))
            .clock(Arc::clone(&world.clock) as Arc<dyn Clock>)
            .build()
    };
    let slow_bank = Bank::new(STRICT);
    slow_bank.faults([Fault::Slow(secs(15))]);
    let (slow, quick) = (handle("one", &slow_bank), handle("two", &world.bank));
    let waiting = tokio::spawn(async move { slow.fresh().await });
    tokio::time::sleep(Duration::from_millis(10)).await;
    let started = tokio::time::Instant::now();
    quick.fresh().await.unwrap();
    assert!(started.elapsed() < secs(1));
    assert!(!waiting.is_finished());
}

// The same with the store in the place of the network: two grants, two servers, one store that is slow for one of them.
#[tokio::test(start_paused = true)]
async fn a_slow_store_operation_of_one_grant_does_not_stall_another() {
    let world = World::new(STRICT);
    let store: Arc<dyn TokenStore> = Arc::new(SlowFor("slow", Arc::clone(&world.store)));
    let handle = |subject: &str, bank: &Arc<Bank>| {
        let key = TokenKey::new("mx", "client-1", GrantKind::AuthorizationCode).subject(subject);
        TokenHandle::builder(key, Arc::clone(bank) as Arc<dyn Issuer>, Renewal::Refresh)
            .store(Arc::clone(&store))
            .clock(Arc::clone(&world.clock) as Arc<dyn Clock>)
            .rotation(ROTATING)
            .build()
    };
    let other_bank = Bank::new(STRICT);
    let (slow, quick) = (handle("slow", &world.bank), handle("quick", &other_bank));
    slow.adopt(world.bank.login()).await.unwrap();
    quick.adopt(other_bank.login()).await.unwrap();
    tokio::time::sleep(HOUR).await;
    let waiting = tokio::spawn(async move { slow.fresh().await });
    tokio::time::sleep(Duration::from_millis(10)).await;
    let started = tokio::time::Instant::now();
    assert_eq!(text(&quick.fresh().await.unwrap()), "Bearer access-2");
    assert!(started.elapsed() < secs(1));
    assert!(!waiting.is_finished());
    waiting.await.unwrap().unwrap();
    assert_eq!((world.bank.requests(), other_bank.requests()), (1, 1));
}

/// Takes five seconds for each operation on a subject.
struct SlowFor(&'static str, Arc<dyn TokenStore>);

impl SlowFor {
    async fn pause(&self, key: &TokenKey) {
        if key.subject == self.0 {
            tokio::time::sleep(secs(5)).await;
        }
    }
}

impl TokenStore for SlowFor {
    fn load<'a>(&'a self, key: &'a TokenKey) -> BoxFuture<'a, Result<Option<StoredRecord>, StoreError>> {
        Box::pin(async move {
            self.pause(key).await;
            self.1.load(key).await
        })
    }
    fn swap<'a>(&'a self, key: &'a TokenKey, swap: Swap) -> BoxFuture<'a, Result<Swapped, StoreError>> {
        Box::pin(async move {
            self.pause(key).await;
            self.1.swap(key, swap).await
        })
    }
    fn lease<'a>(
        &'a self,
        key: &'a TokenKey,
        holder: &'a str,
        ttl: Duration,
    ) -> BoxFuture<'a, Result<Leased, StoreError>> {
        self.1.lease(key, holder, ttl)
    }
    fn release<'a>(&'a self, key: &'a TokenKey, lease: Lease) -> BoxFuture<'a, Result<(), StoreError>> {
        self.1.release(key, lease)
    }
}

// smithy LazyCache: jitter on the expiry eats the safety window up.
#[tokio::test(start_paused = true)]
async fn jitter_does_not_shrink_the_window() {
    for seed in 0..200 {
        let world = World::new(STRICT);
        let handle = user(&world.bank, &world.store, &world.clock, "a").seed(seed).build();
        handle.adopt(world.bank.login()).await.unwrap();
        tokio::time::sleep(HOUR - secs(451)).await;
        handle.fresh().await.unwrap();
        assert_eq!(world.bank.requests(), 0, "seed {seed} is too early");
        tokio::time::sleep(secs(151)).await;
        handle.header().unwrap();
        tokio::time::sleep(secs(1)).await;
        assert_eq!(world.bank.requests(), 1, "seed {seed} is too late");
    }
}

// google-cloud-auth: a transient failure poisons the client for ever; a torn read without a status ends its refresh task.
#[tokio::test(start_paused = true)]
async fn an_outage_does_not_poison_the_handle() {
    let world = World::new(STRICT);
    let handle = world.logged_in("a").await;
    world.bank.faults((0..500).map(|n| {
        if n % 2 == 0 {
            Fault::Unavailable
        } else {
            Fault::LoseRequest
        }
    }));
    tokio::time::sleep(HOUR).await;
    let started = tokio::time::Instant::now();
    let mut calls = 0;
    while handle.fresh().await.is_err() {
        calls += 1;
        tokio::time::sleep(secs(1)).await;
    }
    assert_eq!(world.bank.requests(), 501);
    assert!(
        calls > 500,
        "every failure is followed by a rest, and calls in it make no request"
    );
    // It goes on at a slower pace, and never stops.
    assert!(
        started.elapsed() > HOUR * 4 && started.elapsed() < HOUR * 24,
        "{:?}",
        started.elapsed()
    );
}

// google-cloud-auth: busy loop on tokens that live shorter than the refresh window.
#[tokio::test(start_paused = true)]
async fn short_tokens_do_not_make_a_busy_loop() {
    for (life, at_most) in [(0, 0), (1, 130), (10, 15), (59, 4)] {
        let world = World::new(Habits {
            life: Some(secs(life)),
            ..STRICT
        });
        let handle = world.logged_in("a").await;
        for _ in 0..1000 {
            handle.fresh().await.unwrap();
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        assert!(world.bank.requests() <= at_most, "{life} s: {}", world.bank.requests());
    }
}

// The same when the refreshes fail, and when nobody calls.
#[tokio::test(start_paused = true)]
async fn failing_refreshes_of_short_tokens_and_idle_handles_make_no_busy_loop() {
    let habits = Habits {
        life: Some(secs(10)),
        ..STRICT
    };
    let world = World::new(habits);
    let handle = world.logged_in("a").await;
    tokio::time::sleep(HOUR).await;
    assert_eq!(world.bank.requests(), 0, "nobody called");
    world.bank.faults(std::iter::repeat_n(Fault::Unavailable, 10_000));
    for _ in 0..60_000 {
        let _ = (handle.header(), handle.fresh().await);
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    // Half a second after the first, then twice as long each time.
    assert!(world.bank.requests() <= 8, "{} in a minute", world.bank.requests());
}

// google-cloud-auth: a reply that breaks off is classed as permanent, and ends the refreshes for ever.
#[cfg(feature = "ofx")]
#[tokio::test]
async fn a_reply_that_breaks_off_is_a_doubt_and_not_the_end() {
    let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 200\r\n\r\n";
    let chunked = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n40\r\n{\"access";
    let torn = [
        format!("{head}{}", r#"{"access_token":"torn-token","refresh"#),
        head.to_owned(),
        head[..40].to_owned(),
        "HTTP/1.1 2".to_owned(),
        chunked.to_owned(),
    ];
    for torn in torn {
        let piece = torn.clone().into_bytes();
        let recorder = Recorder::with_tokens(
            move |_, before| match before {
                1 => Answer::Pieces(vec![(Duration::ZERO, piece.clone())]),
                _ => Answer::json(recorder::token(before + 1)),
            },
            |_, _| Answer::json("{}"),
        )
        .await;
        let (connection, clock) = with_an_ended_token(&recorder).await;
        let client = connection.client();
        let error = client.list_beneficiaries().send().await.unwrap_err();
        let finrail::Error::Auth { error: auth, .. } = &error else {
            panic!("{torn:?}: {error}")
        };
        assert!(matches!(auth, Error::InDoubt { .. }), "{torn:?}: {auth:?}");
        assert!(auth.is_retryable() && !error.reauthorization_required());
        assert!(!format!("{error} {error:?}").contains("torn-token"));
        // The next one asks again with the same refresh token: the in-doubt rule.
        clock.advance(secs(5));
        let _ = client.list_beneficiaries().send().await;
        let sent: Vec<_> = recorder.token_requests()[1..]
            .iter()
            .map(|seen| seen.field("refresh_token"))
            .collect();
        assert_eq!(sent, vec![Some("refresh-1".to_owned()); 2], "{torn:?}");
        assert_eq!(recorder.calls()[0].header("authorization"), Some("Bearer token-3"));
    }
}

// google-cloud-auth: expiries that are aligned make a storm.
#[tokio::test(start_paused = true)]
async fn processes_that_started_together_do_not_refresh_together() {
    let mut early = Vec::new();
    for seed in 0..200 {
        let world = World::new(STRICT);
        let handle = user(&world.bank, &world.store, &world.clock, "a").seed(seed).build();
        handle.adopt(world.bank.login()).await.unwrap();
        tokio::time::sleep(HOUR - secs(450)).await;
        handle.fresh().await.unwrap();
        let mut waited = 0;
        while world.bank.requests() == 0 {
            handle.header().unwrap();
            tokio::time::sleep(secs(1)).await;
            waited += 1;
        }
        early.push(waited / 10);
    }
    for tenth in 0..15 {
        let at_once = early.iter().filter(|when| **when == tenth).count();
        assert!(at_once < 40, "{at_once} of 200 in the same ten seconds");
    }
}

// google-cloud-auth: refresh tasks leak when credentials are rebuilt for every call.
#[tokio::test(start_paused = true)]
async fn handles_that_come_and_go_leave_no_task_behind() {
    let world = World::new(STRICT);
    drop(world.logged_in("a").await);
    for _ in 0..1000 {
        world.process("b").fresh().await.unwrap();
    }
    let idle: Vec<_> = (0..1000).map(|_| world.process("c")).collect();
    for handle in &idle {
        handle.load().await.unwrap();
    }
    assert_eq!(tokio::runtime::Handle::current().metrics().num_alive_tasks(), 0);
}

// Nango: a refresh that outlasts its lock lets a second one in.
#[tokio::test(start_paused = true)]
async fn a_slow_refresh_does_not_let_a_second_one_in() {
    let world = World::new(STRICT);
    let (one, two) = (world.logged_in("a").await, world.process("bb"));
    world.bank.faults([Fault::Slow(secs(19))]);
    tokio::time::sleep(HOUR).await;
    let (one, two) = tokio::join!(one.fresh(), two.fresh());
    assert_eq!(text(&one.unwrap()), text(&two.unwrap()));
    assert_eq!(world.bank.requests(), 1);
}

// Nango: the holder goes on after its lock has lapsed, and nothing fences its write off. Here its write hangs until
// a sibling has the lease, and arrives then.
#[tokio::test(start_paused = true)]
async fn a_holder_that_commits_after_its_lease_lapsed_is_fenced_and_nobody_dies() {
    let world = World::new(STRICT);
    let hanging = Arc::new(Hanging::new(Arc::clone(&world.store)));
    let store: Arc<dyn TokenStore> = Arc::clone(&hanging) as Arc<dyn TokenStore>;
    let (slow, other) = (
        user(&world.bank, &store, &world.clock, "slow").build(),
        world.process("other"),
    );
    slow.adopt(world.bank.login()).await.unwrap();
    tokio::time::sleep(HOUR).await;
    // The intent goes through, the commit hangs.
    hanging.after(1);
    let slow_call = tokio::spawn(async move { slow.fresh().await });
    tokio::time::sleep(secs(1)).await;
    let other_call = tokio::spawn(async move { other.fresh().await });
    // The lease lapses after 40 seconds; then the sibling has had one, and waits for the intent's sender.
    tokio::time::sleep(secs(43)).await;
    assert!(!other_call.is_finished());
    hanging.let_go();
    assert_eq!(text(&slow_call.await.unwrap().unwrap()), "Bearer access-2");
    assert_eq!(text(&other_call.await.unwrap().unwrap()), "Bearer access-2");
    let outcomes = hanging.outcomes.lock().unwrap().clone();
    assert!(outcomes.contains(&Swapped::Fenced), "{outcomes:?}");
    assert_eq!(world.bank.sent(), ["refresh-1"]);
    let record = world.stored().await;
    assert!(record.tombstone.is_none() && record.generation() == 2);
    // And the grant goes on.
    tokio::time::sleep(HOUR).await;
    assert_eq!(text(&world.process("later").fresh().await.unwrap()), "Bearer access-3");
}

/// A store whose writes hang on the way, and arrive all the same, whether somebody still waits for them or not.
struct Hanging {
    inner: Arc<dyn TokenStore>,
    /// How many writes still go through at once; none: all.
    left: Mutex<Option<u32>>,
    held: Arc<tokio::sync::Semaphore>,
    outcomes: Arc<Mutex<Vec<Swapped>>>,
}

impl Hanging {
    fn new(inner: Arc<dyn TokenStore>) -> Self {
        Self {
            inner,
            left: Mutex::default(),
            held: Arc::new(tokio::sync::Semaphore::new(0)),
            outcomes: Arc::default(),
        }
    }

    fn after(&self, writes: u32) {
        *self.left.lock().unwrap() = Some(writes);
    }

    fn let_go(&self) {
        *self.left.lock().unwrap() = None;
        self.held.add_permits(1000);
    }
}

impl TokenStore for Hanging {
    fn load<'a>(&'a self, key: &'a TokenKey) -> BoxFuture<'a, Result<Option<StoredRecord>, StoreError>> {
        self.inner.load(key)
    }
    fn swap<'a>(&'a self, key: &'a TokenKey, swap: Swap) -> BoxFuture<'a, Result<Swapped, StoreError>> {
        let hangs = match self.left.lock().unwrap().as_mut() {
            Some(0) => true,
            Some(left) => {
                *left -= 1;
                false
            }
            None => false,
        };
        let (inner, key) = (Arc::clone(&self.inner), key.clone());
        let (held, outcomes) = (Arc::clone(&self.held), Arc::clone(&self.outcomes));
        let write = tokio::spawn(async move {
            if hangs {
                held.acquire().await.unwrap().forget();
            }
            let swapped = inner.swap(&key, swap).await;
            outcomes.lock().unwrap().extend(swapped.clone());
            swapped
        });
        Box::pin(async move { write.await.unwrap() })
    }
    fn lease<'a>(
        &'a self,
        key: &'a TokenKey,
        holder: &'a str,
        ttl: Duration,
    ) -> BoxFuture<'a, Result<Leased, StoreError>> {
        self.inner.lease(key, holder, ttl)
    }
    fn release<'a>(&'a self, key: &'a TokenKey, lease: Lease) -> BoxFuture<'a, Result<(), StoreError>> {
        self.inner.release(key, lease)
    }
}

// oauth2-rs: the same over the wire, with a reply of status 200 that has live tokens and one odd field.
#[cfg(feature = "ofx")]
#[tokio::test]
async fn a_reply_with_live_tokens_and_one_odd_field_is_not_quoted() {
    let odd = [
        r#""expires_in":{"odd":1}"#,
        r#""expires_in":[3600]"#,
        r#""token_type":["Bearer"]"#,
        r#""token_type":"mac""#,
        r#""scope":{"live-scope":1}"#,
        r#""id_token":7"#,
        r#""refresh_token":["live-refresh-token"]"#,
        r#""access_token":["live-access-token"]"#,
        r#""access_token":"live-access token""#,
    ];
    for odd in odd {
        let body = format!(
            r#"{{"access_token":"live-access-token","refresh_token":"live-refresh-token",{odd},"x":"live-extra"}}"#
        );
        let recorder = Recorder::with_tokens(
            move |_, before| match before {
                0 => Answer::json(recorder::token(1)),
                _ => Answer::json(body.clone()),
            },
            |_, _| Answer::json("{}"),
        )
        .await;
        let (connection, _) = with_an_ended_token(&recorder).await;
        let outcome = connection.client().list_beneficiaries().send().await;
        // Read leniently, or refused: in both cases nothing of it is shown.
        let shown = match &outcome {
            Ok(reply) => format!("{reply:?}"),
            Err(error) => {
                let mut text = format!("{error} {error:?}");
                let mut source = std::error::Error::source(error);
                while let Some(error) = source {
                    text.push_str(&format!(" {error} {error:?}"));
                    source = error.source();
                }
                text
            }
        };
        assert!(!shown.contains("live-"), "{odd}: {shown}");
        let explained = connection.tokens().explain().await;
        assert!(!format!("{explained} {explained:?}").contains("live-"), "{odd}");
    }
}

// oauth2-rs: a reply that does not parse is kept in the error, and with it a live token.
#[test]
fn a_record_that_does_not_parse_is_not_quoted() {
    let damaged = [
        r#"{"version":1,"key":"very-secret"}"#,
        r#"{"version":"very-secret"}"#,
        r#"{"version":1,"tokens":{"generation":"very-secret"}}"#,
        r#"{"very-secret":"#,
        "",
    ];
    for text in damaged {
        let error = Record::decode(text.as_bytes()).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("very-secret"));
    }
    assert_eq!(
        Record::decode(br#"{"version":2}"#),
        Err(DecodeError::Newer { version: 2 })
    );
}

// oauth2-rs: an empty scope becomes one empty scope, lists with commas stay glued.
#[test]
fn an_empty_scope_does_not_become_a_scope() {
    assert!(ScopeSet::parse("").is_empty());
    assert!(ScopeSet::parse(" , ").is_empty());
    assert_eq!(ScopeSet::parse("a,b").len(), 2);
}

// MSAL extensions: the cache file is truncated and written, so that a reader sees a torn one.
#[cfg(feature = "file")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_does_not_see_a_torn_file() {
    use finrail::token::store::FileStore;
    let directory = std::env::temp_dir().join(format!("finrail-torn-reads-{}", std::process::id()));
    let store: Arc<dyn TokenStore> = Arc::new(FileStore::open(&directory).unwrap());
    let (bank, clock) = (Bank::new(STRICT), VirtualClock::new());
    let writer = user(&bank, &store, &clock, "a").build();
    writer.adopt(bank.login()).await.unwrap();
    let reading = tokio::spawn(async move {
        for _ in 0..1000 {
            let record = store.load(&user_key()).await.unwrap().unwrap();
            Record::decode(&record.bytes).unwrap();
        }
    });
    while !reading.is_finished() {
        writer.adopt(bank.login()).await.unwrap();
    }
    reading.await.unwrap();
    std::fs::remove_dir_all(&directory).unwrap();
}

// atproto: a session whose fresh token is still refused is deleted, and one wrong host destroys the grant.
#[tokio::test(start_paused = true)]
async fn a_host_that_refuses_fresh_tokens_does_not_destroy_the_grant() {
    for same_token_again in [false, true] {
        let world = World::new(STRICT);
        let handle = world.logged_in("a").await;
        if same_token_again {
            world.bank.repeat_the_access_token();
        }
        tokio::time::sleep(secs(600)).await;
        let mut refused = 0;
        for _ in 0..300 {
            // What the next call has.
            let generation = handle.fresh().await.unwrap().generation;
            match handle.rejected(generation, Rejection::InvalidToken).await {
                Ok(bearer) => assert!(bearer.generation > generation),
                Err(Error::TokenRefused { retry_after }) => {
                    refused += 1;
                    assert!(retry_after.unwrap() <= secs(60));
                }
                Err(error) => panic!("{error}"),
            }
            tokio::time::sleep(secs(1)).await;
        }
        assert!(refused > 250, "{refused}");
        assert!(world.bank.requests() < 15, "{}", world.bank.requests());
        assert!(world.bank.alive());
        assert!(world.bank.accepts(&text(&handle.fresh().await.unwrap())));
    }
}

// DPoP and rotation: an error reply may have burned the refresh token all the same.
#[tokio::test(start_paused = true)]
async fn an_error_reply_is_not_taken_for_an_unspent_token() {
    let world = World::new(STRICT);
    let handle = world.logged_in("a").await;
    world.bank.faults([Fault::BadGateway]);
    tokio::time::sleep(HOUR).await;
    assert!(handle.fresh().await.unwrap_err().is_retryable());
    assert!(world.stored().await.intent.is_some());
    tokio::time::sleep(secs(5)).await;
    let error = handle.fresh().await.unwrap_err();
    let reason = ReauthorizationReason::LostReply;
    assert!(
        matches!(error, Error::ReauthorizationRequired { reason: found, .. } if found == reason),
        "{error}"
    );
}

// fastmcp, mcp-mux, mcp2cli: a relative expiry is restored as if it were fresh.
#[tokio::test(start_paused = true)]
async fn a_restart_does_not_make_a_token_young_again() {
    let world = World::new(STRICT);
    drop(world.logged_in("a").await);
    tokio::time::sleep(HOUR - secs(30)).await;
    assert_eq!(text(&world.process("b").fresh().await.unwrap()), "Bearer access-2");
}

// mcp-remote: everything wakes up with the laptop, and every process refreshes.
#[tokio::test(start_paused = true)]
async fn waking_up_does_not_start_a_herd() {
    let world = World::new(STRICT);
    let first = world.logged_in("a").await;
    let mut processes = vec![first];
    for number in 0..20 {
        let process = world.process(&format!("process {number}"));
        process.load().await.unwrap();
        processes.push(process);
    }
    world.clock.jump(8 * 3600);
    let calls: Vec<_> = processes
        .into_iter()
        .map(|process| tokio::spawn(async move { text(&process.fresh().await.unwrap()) }))
        .collect();
    for call in calls {
        assert_eq!(call.await.unwrap(), "Bearer access-2");
    }
    assert_eq!(world.bank.requests(), 1);
}

// codex, local-operator: the store fails after a rotation, and the new tokens are dropped.
#[tokio::test(start_paused = true)]
async fn a_store_that_fails_after_a_rotation_does_not_drop_the_new_tokens() {
    let world = World::new(STRICT);
    let flaky = Arc::new(FlakyStore::new(Arc::clone(&world.store)));
    let store: Arc<dyn TokenStore> = Arc::clone(&flaky) as Arc<dyn TokenStore>;
    let handle = user(&world.bank, &store, &world.clock, "a").build();
    handle.adopt(world.bank.login()).await.unwrap();
    let mut events = handle.watch();
    tokio::time::sleep(HOUR).await;
    // The intent is written, and then the store goes away.
    flaky.fail_after_swaps(1);
    assert_eq!(text(&handle.fresh().await.unwrap()), "Bearer access-2");
    assert!(matches!(
        events.next().await,
        Some(finrail::token::Event::StoreTrouble { .. })
    ));
    // They serve at once.
    let refreshed = finrail::token::Event::Refreshed { generation: 2 };
    assert_eq!(events.next().await, Some(refreshed));
    assert!(handle.explain().await.unstored);
    assert_eq!(world.stored().await.generation(), 1);
    drop(handle);
    tokio::time::sleep(secs(600)).await;
    flaky.heal();
    tokio::time::sleep(secs(10)).await;
    assert_eq!(world.stored().await.generation(), 2);
    let recovered = finrail::token::Event::StoreRecovered { generation: 2 };
    assert_eq!(events.next().await, Some(recovered));
    assert_eq!(world.bank.requests(), 1);
}
