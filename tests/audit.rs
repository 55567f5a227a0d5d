//! The audit events of a grant: its whole history, each thing once, told by whoever did it, and no secret in it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[cfg(feature = "mx")]
mod recorder;
#[cfg(feature = "mx")]
#[macro_use]
mod connected;
mod token_support;

use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
#[cfg(feature = "mx")]
use connected::*;
#[cfg(feature = "mx")]
use finrail::oauth::ExistingTokens;
use finrail::token::store::{Leased, MemoryStore, StoredRecord, Swap, Swapped};
use finrail::token::{
    AuditAction, AuditEvent, Clock, GrantKind, Issuer, IssuerError, ManualClock, Obtain, PseudonymKey, Renewal,
    RevokeRequest, RevokedToken, TokenHandle, TokenHandleBuilder, TokenKey, TokenReply, TokenStore, Verdict,
};
#[cfg(feature = "mx")]
use finrail::{AppBuilder, mx};
use futures_util::future::BoxFuture;
#[cfg(feature = "mx")]
use recorder::{Answer, Recorder};
use token_support::*;

/// All events, of whichever process.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<AuditEvent>>>);

impl Log {
    fn sink(&self) -> impl Fn(&AuditEvent) + Send + Sync + 'static {
        let log = self.clone();
        move |event| log.0.lock().unwrap().push(event.clone())
    }

    fn events(&self) -> Vec<AuditEvent> {
        self.0.lock().unwrap().clone()
    }

    /// What was told since this was called last: who, the generation, the action and its fields.
    fn told(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap()).iter().map(line).collect()
    }
}

fn line(event: &AuditEvent) -> String {
    let json = serde_json::to_value(event).unwrap();
    let who = event.holder.split('-').next().unwrap();
    let mut line = format!("{who} {} {}", event.generation, json["action"].as_str().unwrap());
    for (name, value) in json.as_object().unwrap() {
        if !["at", "id", "key", "holder", "generation", "action"].contains(&name.as_str()) {
            line.push_str(&format!(" {name}={value}"));
        }
    }
    line.replace('"', "")
}

struct World {
    bank: Arc<Bank>,
    clock: Arc<VirtualClock>,
    memory: Arc<dyn TokenStore>,
    log: Log,
}

impl World {
    fn new() -> Self {
        let clock = VirtualClock::new();
        Self {
            bank: Bank::new(STRICT),
            memory: Arc::new(MemoryStore::with_clock(Arc::clone(&clock) as Arc<dyn Clock>)),
            clock,
            log: Log::default(),
        }
    }

    fn builder(&self, holder: &str) -> TokenHandleBuilder {
        user(&self.bank, &self.memory, &self.clock, holder).audit(self.log.sink())
    }

    fn process(&self, holder: &str) -> TokenHandle {
        self.builder(holder).build()
    }

    /// A process with a way of its own to the store, which can fail.
    fn flaky(&self, holder: &str) -> (TokenHandle, Arc<FlakyStore>) {
        let store = Arc::new(FlakyStore::new(Arc::clone(&self.memory)));
        let handle = self.builder(holder).store(Arc::clone(&store) as _).build();
        (handle, store)
    }

    /// Whatever is stored becomes this.
    async fn overwrite(&self, bytes: &[u8]) {
        let Leased::Granted(lease) = self.memory.lease(&user_key(), "a disk", secs(5)).await.unwrap() else {
            panic!("somebody has the lease");
        };
        let seen = self.memory.load(&user_key()).await.unwrap().unwrap().revision;
        let swap = Swap::new(Some(seen), lease.fence, Some(StoredRecord::new(seen, bytes)));
        assert_eq!(self.memory.swap(&user_key(), swap).await.unwrap(), Swapped::Done);
        self.memory.release(&user_key(), lease).await.unwrap();
    }

    async fn lose_the_record(&self) {
        let seen = self.memory.load(&user_key()).await.unwrap().unwrap().revision;
        assert!(self.memory.remove(&user_key().storage_id(), seen).await.unwrap());
    }
}

#[tokio::test(start_paused = true)]
async fn the_history_of_a_grant_from_its_login_to_its_end() {
    let world = World::new();
    let handle = world.process("a");
    handle.adopt(world.bank.login()).await.unwrap();
    tokio::time::sleep(HOUR).await;
    handle.fresh().await.unwrap();
    handle.fresh().await.unwrap();
    handle.adopt(world.bank.login()).await.unwrap();
    handle.forget().await.unwrap();
    handle.forget().await.unwrap();
    handle.adopt(world.bank.login()).await.unwrap();
    handle.revoke().await.unwrap();
    handle.revoke().await.unwrap();
    let events = world.log.events();
    assert_eq!(
        world.log.told(),
        [
            "a 1 login replaced=false stored=true",
            "a 2 refreshed stored=true",
            "a 3 login replaced=true stored=true",
            "a 3 forgotten",
            "a 4 login replaced=false stored=true",
            "a 4 revoked at_provider=true",
        ]
    );
    let start = DateTime::<Utc>::from_timestamp(1_767_225_600, 0).unwrap();
    assert!(events[0].at < start + TimeDelta::seconds(5));
    assert!(events[1].at >= start + TimeDelta::hours(1));
    for event in &events {
        assert_eq!((&event.key, &*event.id), (&user_key(), &*user_key().storage_id()));
        assert!(event.holder.starts_with("a-"), "{event:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn of_two_processes_the_one_that_acts_tells() {
    let world = World::new();
    let (a, b) = (world.process("a"), world.process("b"));
    a.adopt(world.bank.login()).await.unwrap();
    b.load().await.unwrap().unwrap();
    assert_eq!(world.log.told(), ["a 1 login replaced=false stored=true"]);
    tokio::time::sleep(HOUR).await;
    let (one, two) = tokio::join!(a.fresh(), b.fresh());
    assert_eq!(text(&one.unwrap()), text(&two.unwrap()));
    assert_eq!(world.bank.requests(), 1);
    let told = world.log.told();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].ends_with("2 refreshed stored=true"), "{told:?}");
    b.revoke().await.unwrap();
    assert!(a.load().await.is_err());
    assert_eq!(world.log.told(), ["b 2 revoked at_provider=true"]);
}

#[tokio::test(start_paused = true)]
async fn a_refresh_whose_reply_is_lost_is_told_and_so_is_the_end_that_it_brings() {
    let world = World::new();
    let (a, b) = (world.process("a"), world.process("b"));
    a.adopt(world.bank.login()).await.unwrap();
    b.load().await.unwrap();
    world.log.told();
    tokio::time::sleep(HOUR).await;
    world.bank.faults([Fault::LoseReply]);
    a.fresh().await.unwrap_err();
    assert_eq!(world.log.told(), ["a 1 refresh_in_doubt"]);
    // Nothing is known of an answer that a gateway gave, either.
    world.bank.faults([Fault::BadGateway]);
    tokio::time::sleep(HOUR).await;
    a.fresh().await.unwrap_err();
    assert_eq!(world.log.told(), ["a 1 refresh_in_doubt"]);
    tokio::time::sleep(HOUR).await;
    a.fresh().await.unwrap_err();
    b.fresh().await.unwrap_err();
    tokio::time::sleep(HOUR).await;
    a.fresh().await.unwrap_err();
    assert_eq!(world.log.told(), ["a 1 ended reason=lost_reply"]);
}

#[tokio::test(start_paused = true)]
async fn a_request_that_changed_nothing_is_not_told() {
    let world = World::new();
    let handle = world.process("a");
    handle.adopt(world.bank.login()).await.unwrap();
    world.log.told();
    world
        .bank
        .faults([Fault::Throttle(None), Fault::Reject, Fault::Misconfigured]);
    for _ in 0..3 {
        tokio::time::sleep(HOUR).await;
        handle.fresh().await.unwrap_err();
    }
    assert_eq!(world.bank.requests(), 3);
    assert_eq!(world.log.told(), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn a_grant_that_the_server_ended_is_lost_once() {
    let world = World::new();
    let (a, b) = (world.process("a"), world.process("b"));
    a.adopt(world.bank.login()).await.unwrap();
    b.load().await.unwrap();
    world.log.told();
    world.bank.withdraw();
    tokio::time::sleep(HOUR).await;
    b.fresh().await.unwrap_err();
    for handle in [&a, &b] {
        tokio::time::sleep(HOUR).await;
        handle.fresh().await.unwrap_err();
        handle.load().await.unwrap_err();
    }
    assert_eq!(world.log.told(), ["b 1 ended reason=refused"]);
}

#[tokio::test(start_paused = true)]
async fn tokens_that_the_store_does_not_take_are_told_at_once_and_again_when_it_has_them() {
    let world = World::new();
    let (handle, store) = world.flaky("a");
    store.fail_after_swaps(0);
    handle.adopt(world.bank.login()).await.unwrap_err();
    assert_eq!(world.log.told(), ["a 1 login replaced=false stored=false"]);
    store.heal();
    handle.settled().await;
    assert_eq!(world.log.told(), ["a 1 stored"]);
    tokio::time::sleep(HOUR).await;
    // The intent is written, and what came of it is not.
    store.fail_after_swaps(1);
    handle.fresh().await.unwrap();
    assert_eq!(world.log.told(), ["a 2 refreshed stored=false"]);
    store.heal();
    handle.settled().await;
    assert_eq!(world.log.told(), ["a 2 stored"]);
    // What arrived without a confirmation is found.
    store.lose_answers();
    handle.adopt(world.bank.login()).await.unwrap_err();
    assert_eq!(world.log.told(), ["a 3 login replaced=true stored=false"]);
    store.heal();
    handle.settled().await;
    assert_eq!(world.log.told(), ["a 3 stored"]);
}

/// A login that the store did not take yet is one more grant that ends.
#[tokio::test(start_paused = true)]
async fn a_login_that_waits_after_an_end_is_told_when_it_is_forgotten_too() {
    let world = World::new();
    let (handle, store) = world.flaky("a");
    handle.adopt(world.bank.login()).await.unwrap();
    handle.forget().await.unwrap();
    world.log.told();
    store.fail_after_swaps(0);
    handle.adopt(world.bank.login()).await.unwrap_err();
    assert_eq!(world.log.told(), ["a 1 login replaced=false stored=false"]);
    store.heal();
    handle.forget().await.unwrap();
    assert_eq!(world.log.told(), ["a 1 forgotten"]);
}

#[tokio::test(start_paused = true)]
async fn tokens_that_the_store_never_took_are_dropped_for_what_came_after_them() {
    let world = World::new();
    let (a, store) = world.flaky("a");
    let b = world.process("b");
    a.adopt(world.bank.login()).await.unwrap();
    tokio::time::sleep(HOUR).await;
    store.fail_after_swaps(1);
    a.fresh().await.unwrap();
    // Its lease runs out, and the user authorizes again.
    tokio::time::sleep(secs(60)).await;
    b.adopt(world.bank.login()).await.unwrap();
    store.heal();
    a.settled().await;
    assert_eq!(
        world.log.told(),
        [
            "a 1 login replaced=false stored=true",
            "a 2 refreshed stored=false",
            "b 2 login replaced=true stored=true",
            "a 2 superseded revoked=false",
        ]
    );
    // A login that nobody knows any more would live on at the provider.
    store.fail_after_swaps(0);
    a.adopt(world.bank.login()).await.unwrap_err();
    tokio::time::sleep(secs(60)).await;
    b.revoke().await.unwrap();
    b.adopt(world.bank.login()).await.unwrap();
    store.heal();
    a.settled().await;
    assert_eq!(
        world.log.told(),
        [
            "a 3 login replaced=true stored=false",
            "b 2 revoked at_provider=true",
            "b 3 login replaced=false stored=true",
            "a 3 superseded revoked=true",
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn tokens_of_a_grant_whose_mark_names_nobody_are_dropped_without_a_name() {
    let world = World::new();
    let store = Arc::new(FlakyStore::new(Arc::clone(&world.memory)));
    let process = |holder: &str| world.builder(holder).pseudonym_key(PseudonymKey::new([7; 32]));
    let (a, b) = (
        process("a").store(Arc::clone(&store) as _).build(),
        process("b").build(),
    );
    a.adopt(world.bank.login()).await.unwrap();
    tokio::time::sleep(HOUR).await;
    store.fail_after_swaps(1);
    a.fresh().await.unwrap();
    tokio::time::sleep(secs(60)).await;
    b.forget().await.unwrap();
    world.log.told();
    store.heal();
    a.settled().await;
    let events = world.log.events();
    assert_eq!(world.log.told(), ["a 2 superseded revoked=false"]);
    assert_eq!(events[0].id, user_key().storage_id());
    assert!(!format!("{events:?}").contains("customer-42"), "{events:?}");
}

#[tokio::test(start_paused = true)]
async fn a_revocation_that_failed_is_told_with_what_it_leaves_open() {
    let world = World::new();
    let (handle, store) = world.flaky("a");
    handle.adopt(world.bank.login()).await.unwrap();
    world.log.told();
    for (verdict, told) in [
        (
            Verdict::Throttled { retry_after: None },
            "a 1 revocation_failed in_doubt=false",
        ),
        (Verdict::InDoubt, "a 1 revocation_failed in_doubt=true"),
        // The one before is still open.
        (
            Verdict::Transient { retry_after: None },
            "a 1 revocation_failed in_doubt=true",
        ),
    ] {
        world.bank.refuse_revocation(verdict);
        handle.revoke().await.unwrap_err();
        assert_eq!(world.log.told(), [told]);
    }
    // The mark is written, and the end is not.
    store.fail_after_swaps(0);
    handle.revoke().await.unwrap_err();
    assert_eq!(world.log.told(), [""; 0], "nothing was sent");
    store.heal();
    handle.revoke().await.unwrap();
    assert_eq!(world.log.told(), ["a 1 revoked at_provider=true"]);
    handle.adopt(world.bank.login()).await.unwrap();
    world.log.told();
    store.fail_after_swaps(1);
    handle.revoke().await.unwrap_err();
    assert_eq!(world.log.told(), ["a 2 revocation_failed in_doubt=true"]);
    store.heal();
    handle.revoke().await.unwrap();
    assert_eq!(world.log.told(), ["a 2 revoked at_provider=true"]);
}

#[tokio::test(start_paused = true)]
async fn a_record_that_the_store_lost_or_damaged_is_put_back_by_one() {
    for damaged in [false, true] {
        let world = World::new();
        let (a, b) = (world.process("a"), world.process("b"));
        a.adopt(world.bank.login()).await.unwrap();
        b.load().await.unwrap();
        world.log.told();
        match damaged {
            true => world.overwrite(b"{\"version\":1,\"tok").await,
            false => world.lose_the_record().await,
        }
        tokio::time::sleep(HOUR).await;
        a.fresh().await.unwrap();
        b.fresh().await.unwrap();
        let expected: &[&str] = match damaged {
            true => &["a 1 damaged_record", "a 1 put_back", "a 2 refreshed stored=true"],
            false => &["a 1 put_back", "a 2 refreshed stored=true"],
        };
        assert_eq!(world.log.told(), expected);
    }
    // A login over what is damaged.
    let world = World::new();
    world.process("a").adopt(world.bank.login()).await.unwrap();
    world.log.told();
    world.overwrite(b"{\"version\":1,\"tok").await;
    world.process("c").adopt(world.bank.login()).await.unwrap();
    assert_eq!(
        world.log.told(),
        ["c 1 damaged_record", "c 1 login replaced=false stored=true"]
    );
}

#[tokio::test(start_paused = true)]
async fn a_token_of_the_application_itself_is_told_by_who_fetched_it() {
    let world = World::new();
    let key = TokenKey::new("ofx", "client-1", GrantKind::ClientCredentials);
    let process = |holder: &str, store: &Arc<FlakyStore>| {
        TokenHandle::builder(key.clone(), Arc::clone(&world.bank) as Arc<dyn Issuer>, Renewal::Anew)
            .store(Arc::clone(store) as _)
            .clock(Arc::clone(&world.clock) as Arc<dyn Clock>)
            .holder(holder)
            .audit(world.log.sink())
            .build()
    };
    let store = Arc::new(FlakyStore::new(Arc::clone(&world.memory)));
    let (a, b) = (process("a", &store), process("b", &store));
    a.fresh().await.unwrap();
    b.fresh().await.unwrap();
    assert_eq!(world.log.told(), ["a 1 obtained stored=true"]);
    tokio::time::sleep(HOUR).await;
    store.lose_swaps();
    b.fresh().await.unwrap();
    assert_eq!(world.log.told(), ["b 2 obtained stored=false"]);
    store.fail_after_swaps(0);
    a.fresh().await.unwrap();
    assert_eq!(world.log.told(), ["a 2 obtained stored=false"]);
}

/// A bank whose replies name an account.
struct Naming(Arc<Bank>, Mutex<&'static str>);

impl Naming {
    fn named(&self, mut reply: TokenReply) -> TokenReply {
        reply.account_field = Some("account_id".to_owned());
        reply
            .extra
            .insert("account_id".to_owned(), (*self.1.lock().unwrap()).to_owned());
        reply
    }
}

impl Issuer for Naming {
    fn obtain(&self, obtain: Obtain) -> BoxFuture<'_, Result<TokenReply, IssuerError>> {
        Box::pin(async move { Ok(self.named(self.0.obtain(obtain).await?)) })
    }
    fn revoke(&self, _: RevokeRequest) -> BoxFuture<'_, Result<bool, IssuerError>> {
        Box::pin(std::future::ready(Ok(false)))
    }
}

#[tokio::test(start_paused = true)]
async fn a_reply_of_another_account_and_a_provider_without_revocation_are_told() {
    let world = World::new();
    let naming = Arc::new(Naming(Arc::clone(&world.bank), Mutex::new("account-1")));
    let handle = TokenHandle::builder(user_key(), Arc::clone(&naming) as _, Renewal::Refresh)
        .store(Arc::clone(&world.memory))
        .rotation(ROTATING)
        .clock(Arc::clone(&world.clock) as _)
        .holder("a")
        .revoke_replaced(true)
        .audit(world.log.sink())
        .build();
    handle.adopt(naming.named(world.bank.login())).await.unwrap();
    tokio::time::sleep(HOUR).await;
    *naming.1.lock().unwrap() = "account-2";
    handle.fresh().await.unwrap_err();
    let events = world.log.events();
    assert!(!format!("{events:?}").contains("account-2"));
    handle.adopt(naming.named(world.bank.login())).await.unwrap();
    handle.settled().await;
    handle.revoke().await.unwrap();
    assert_eq!(
        world.log.told(),
        [
            "a 1 login replaced=false stored=true",
            "a 1 other_account field=account_id",
            "a 2 login replaced=true stored=true",
            "a 1 replaced_tokens_not_revoked",
            "a 2 revoked at_provider=false",
        ]
    );
}

/// A server that revokes refresh tokens and nothing else.
struct RefreshTokensOnly(Arc<Bank>);

impl Issuer for RefreshTokensOnly {
    fn obtain(&self, obtain: Obtain) -> BoxFuture<'_, Result<TokenReply, IssuerError>> {
        self.0.obtain(obtain)
    }
    fn revoke(&self, request: RevokeRequest) -> BoxFuture<'_, Result<bool, IssuerError>> {
        match request.token {
            RevokedToken::Access(_) => Box::pin(std::future::ready(Ok(false))),
            RevokedToken::Refresh(_) => self.0.revoke(request),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_revocation_of_two_tokens_is_one_at_the_provider_if_both_are_revoked_there() {
    let world = World::new();
    let handle = TokenHandle::builder(
        user_key(),
        Arc::new(RefreshTokensOnly(Arc::clone(&world.bank))),
        Renewal::Refresh,
    )
    .store(Arc::clone(&world.memory))
    .rotation(ROTATING)
    .clock(Arc::clone(&world.clock) as _)
    .holder("a")
    .audit(world.log.sink())
    .build();
    handle.adopt(world.bank.login()).await.unwrap();
    tokio::time::sleep(HOUR).await;
    world.bank.faults([Fault::LoseReply]);
    handle.fresh().await.unwrap_err();
    world.log.told();
    handle.revoke().await.unwrap();
    assert_eq!(world.log.told(), ["a 1 revoked at_provider=false"]);
    assert_eq!(world.bank.revoked_tokens(), ["refresh-1"]);
}

#[tokio::test(start_paused = true)]
async fn the_tokens_that_a_login_replaced_are_told_when_they_are_revoked() {
    let world = World::new();
    let handle = world.builder("a").revoke_replaced(true).build();
    let settled = async || {
        handle.adopt(world.bank.login()).await.unwrap();
        handle.settled().await;
    };
    settled().await;
    settled().await;
    world.bank.refuse_revocation(Verdict::Transient { retry_after: None });
    settled().await;
    assert_eq!(
        world.log.told(),
        [
            "a 1 login replaced=false stored=true",
            "a 2 login replaced=true stored=true",
            "a 1 replaced_tokens_revoked",
            "a 3 login replaced=true stored=true",
            "a 2 replaced_tokens_not_revoked",
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn a_sink_may_ask_the_handle_and_one_that_panics_changes_nothing() {
    let world = World::new();
    let handle: Arc<OnceLock<TokenHandle>> = Arc::default();
    let (log, asked) = (world.log.clone(), Arc::clone(&handle));
    let sink = move |event: &AuditEvent| {
        let handle = asked.get().unwrap();
        assert!(handle.info().is_none() || handle.header().is_some() || handle.watch().try_next().is_none());
        log.sink()(event);
        if event.generation < 3 {
            panic!("a sink in need of a mend");
        }
    };
    let store = Arc::new(FlakyStore::new(Arc::clone(&world.memory)));
    let user = user(&world.bank, &world.memory, &world.clock, "a");
    let user = handle.get_or_init(|| user.store(Arc::clone(&store) as _).audit(sink).build());
    user.adopt(world.bank.login()).await.unwrap();
    tokio::time::sleep(HOUR).await;
    store.fail_after_swaps(1);
    assert_eq!(text(&user.fresh().await.unwrap()), "Bearer access-2");
    store.heal();
    user.settled().await;
    tokio::time::sleep(HOUR).await;
    assert_eq!(text(&user.fresh().await.unwrap()), "Bearer access-3");
    user.revoke().await.unwrap();
    assert!(!world.bank.alive());
    assert_eq!(
        world.log.told(),
        [
            "a 1 login replaced=false stored=true",
            "a 2 refreshed stored=false",
            "a 2 stored",
            "a 3 refreshed stored=true",
            "a 3 revoked at_provider=true",
        ]
    );
}

#[cfg(feature = "mx")]
const DAY: Duration = Duration::from_secs(86_400);

#[cfg(feature = "mx")]
/// Applications whose authorization server is at an address, and whose clock is turned by hand.
struct Applications {
    bank: Recorder,
    store: Arc<dyn TokenStore>,
    clock: Arc<ManualClock>,
    log: Log,
}

#[cfg(feature = "mx")]
impl Applications {
    async fn new() -> Self {
        let clock = Arc::new(ManualClock::new());
        let token = |_: &recorder::Seen, before: usize| {
            Answer::json(format!(
                r#"{{"access_token":"planted-access-{before}","token_type":"Bearer","expires_in":3600,"refresh_token":"planted-refresh-{before}","refresh_token_expires_in":2592000,"id_token":"planted-id"}}"#
            ))
        };
        Self {
            bank: Recorder::with_tokens(token, |_, _| Answer::json("{}")).await,
            store: Arc::new(MemoryStore::with_clock(Arc::clone(&clock) as _)),
            clock,
            log: Log::default(),
        }
    }

    fn app(&self) -> mx::App {
        let builder: AppBuilder<mx::Provider> = builder(&self.bank);
        builder
            .credentials(mx::Credentials::new("client", "planted-secret"))
            .keep_id_token(true)
            .store(Arc::clone(&self.store))
            .clock(Arc::clone(&self.clock) as _)
            .audit(self.log.sink())
            .build()
            .unwrap()
    }

    /// The actions, without the names of processes.
    fn told(&self) -> Vec<String> {
        let lines = self.log.told();
        lines
            .iter()
            .map(|line| line.split_once(' ').unwrap().1.to_owned())
            .collect()
    }
}

#[cfg(feature = "mx")]
async fn connect(app: &mx::App, user: &str) -> mx::Connection {
    let pending = app.authorize(["accounts"]).unwrap().subject(user).pending;
    let state = pending.state().expose_secret().to_owned();
    app.finish(pending, &format!("{REDIRECT}?code=planted-code&state={state}"))
        .await
        .unwrap()
}

#[cfg(feature = "mx")]
#[tokio::test]
async fn the_events_of_an_erasure_do_not_name_the_person() {
    let world = Applications::new().await;
    let app = world.app();
    let key = connect(&app, "erase-me").await.key().clone();
    connect(&app, "somebody-else").await;
    assert_eq!(
        world.told(),
        [
            "1 login replaced=false stored=true",
            "1 login replaced=false stored=true"
        ]
    );
    app.erase("erase-me").run().await.unwrap();
    app.erase("erase-me").run().await.unwrap();
    let mut events = world.log.events();
    assert_eq!(world.told(), ["1 revoked at_provider=true", "1 erased"]);
    // Its mark is removed when it is old.
    world.clock.advance(DAY * 91);
    for _ in 0..2 {
        let done = world.app().keep_alive().once().await.unwrap();
        assert_eq!(done.grants, 1, "{done:?}");
    }
    let later = world.log.events();
    let removed = later
        .into_iter()
        .filter(|event| event.action == AuditAction::TombstoneRemoved);
    events.extend(removed);
    assert_eq!(events.len(), 3, "{events:?}");
    for event in &events {
        assert_eq!(event.id, key.storage_id());
        assert_eq!(event.key, TokenKey::subject(key.clone(), ""));
        let text = format!("{event:?} {}", serde_json::to_string(event).unwrap());
        assert!(!text.contains("erase-me"), "{text}");
    }
}

#[cfg(feature = "mx")]
#[tokio::test]
async fn a_forgotten_grant_is_erased_once_more_and_a_revocation_that_fails_names_nobody() {
    let world = Applications::new().await;
    let app = world.app();
    connect(&app, "erase-me").await.forget().await.unwrap();
    world.told();
    app.erase("erase-me").run().await.unwrap();
    assert_eq!(world.told(), ["1 erased"]);

    let refusing = Applications {
        bank: Recorder::granting(|_, _| Answer::status(503, "{}")).await,
        ..Applications::new().await
    };
    let app = refusing.app();
    connect(&app, "erase-me").await;
    refusing.told();
    let report = app.erase("erase-me").run().await.unwrap();
    assert!(!report.is_complete());
    let events = refusing.log.events();
    assert!(!format!("{events:?}").contains("erase-me"), "{events:?}");
    assert_eq!(refusing.told(), ["1 revocation_failed in_doubt=false"]);
}

#[cfg(feature = "mx")]
#[tokio::test]
async fn an_import_is_told_once_and_so_is_a_renewal_of_an_unused_grant() {
    let world = Applications::new().await;
    let tokens = || ExistingTokens::refresh_token("planted-refresh-old").scopes(["accounts"]);
    world.app().import("user", tokens()).await.unwrap();
    let user = world.app().import("user", tokens()).await.unwrap();
    assert_eq!(world.told(), ["1 imported"]);
    user.tokens().fresh().await.unwrap();
    assert_eq!(world.told(), ["2 refreshed stored=true"]);
    world.clock.advance(DAY * 25);
    for _ in 0..2 {
        world.app().keep_alive().per_second(1000).once().await.unwrap();
    }
    assert_eq!(world.told(), ["3 refreshed stored=true"]);
}

#[cfg(feature = "mx")]
#[tokio::test]
async fn other_tokens_that_are_imported_in_place_of_a_grant_that_is_over_are_the_next_generation() {
    let world = Applications::new().await;
    let tokens = |token: &str| ExistingTokens::refresh_token(token.to_owned()).scopes(["accounts"]);
    let user = world.app().import("user", tokens("planted-refresh-old")).await;
    let user = user.unwrap();
    user.tokens().fresh().await.unwrap();
    user.forget().await.unwrap();
    world.told();
    world
        .app()
        .import("user", tokens("planted-refresh-other"))
        .await
        .unwrap();
    assert_eq!(world.told(), ["3 imported"]);
}

#[cfg(feature = "mx")]
#[tokio::test]
async fn no_event_shows_a_secret() {
    let world = Applications::new().await;
    let app = world.app();
    let user = connect(&app, "user").await;
    world.clock.advance(Duration::from_secs(3600));
    user.tokens().fresh().await.unwrap();
    connect(&app, "user").await;
    user.revoke().await.unwrap();
    let tokens = ExistingTokens::refresh_token("planted-refresh-old");
    app.import("another", tokens).await.unwrap().forget().await.unwrap();
    let stored = world.store.load(user.key()).await.unwrap();
    assert!(stored.is_some());
    let requests = format!(
        "{:?}",
        world
            .bank
            .seen()
            .iter()
            .map(|seen| seen.text().to_owned())
            .collect::<Vec<_>>()
    );
    assert!(requests.contains("planted-code") && requests.contains("planted-refresh-0"));
    let events = world.log.events();
    assert_eq!(events.len(), 6, "{events:?}");
    for event in events {
        for text in [
            format!("{event:?}"),
            format!("{event:#?}"),
            serde_json::to_string(&event).unwrap(),
        ] {
            assert!(!text.contains("planted"), "{text}");
        }
    }
}
