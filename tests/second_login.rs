//! A user who authorizes again: what becomes of the tokens of the login before.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[cfg(feature = "mx")]
mod recorder;
#[cfg(feature = "mx")]
#[macro_use]
mod connected;
mod token_support;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

#[cfg(feature = "mx")]
use finrail::mx;
use finrail::token::store::MemoryStore;
use finrail::token::{
    Clock, Issuer, IssuerError, Obtain, Record, Renewal, RevokeRequest, TokenHandle, TokenReply, TokenStore, Verdict,
};
use futures_util::future::BoxFuture;
#[cfg(feature = "mx")]
use recorder::{Answer, Recorder, token};
use token_support::*;

/// An authorization server that looks at the store when it is asked to revoke a token.
struct Watching {
    bank: Arc<Bank>,
    store: Arc<dyn TokenStore>,
    /// The access tokens that were stored then.
    stored: Mutex<Vec<String>>,
    /// It never answers a revocation.
    is_silent: AtomicBool,
}

impl Issuer for Watching {
    fn obtain(&self, obtain: Obtain) -> BoxFuture<'_, Result<TokenReply, IssuerError>> {
        self.bank.obtain(obtain)
    }

    fn revoke(&self, request: RevokeRequest) -> BoxFuture<'_, Result<bool, IssuerError>> {
        Box::pin(async move {
            let stored = self.store.load(&user_key()).await.unwrap().unwrap();
            let record = Record::decode(&stored.bytes).unwrap();
            let token = record.tokens.unwrap().access_token;
            self.stored.lock().unwrap().push(token.expose_secret().to_owned());
            if self.is_silent.load(Ordering::SeqCst) {
                std::future::pending::<()>().await;
            }
            self.bank.revoke(request).await
        })
    }
}

struct World {
    bank: Arc<Bank>,
    server: Arc<Watching>,
    store: Arc<FlakyStore>,
    clock: Arc<VirtualClock>,
}

impl World {
    fn new() -> Self {
        let (clock, bank) = (VirtualClock::new(), Bank::new(STRICT));
        let memory: Arc<dyn TokenStore> = Arc::new(MemoryStore::with_clock(Arc::clone(&clock) as Arc<dyn Clock>));
        Self {
            server: Arc::new(Watching {
                bank: Arc::clone(&bank),
                store: Arc::clone(&memory),
                stored: Mutex::default(),
                is_silent: AtomicBool::new(false),
            }),
            store: Arc::new(FlakyStore::new(memory)),
            bank,
            clock,
        }
    }

    fn process(&self, revoke_replaced: bool) -> TokenHandle {
        TokenHandle::builder(
            user_key(),
            Arc::clone(&self.server) as Arc<dyn Issuer>,
            Renewal::Refresh,
        )
        .store(Arc::clone(&self.store) as Arc<dyn TokenStore>)
        .rotation(ROTATING)
        .clock(Arc::clone(&self.clock) as Arc<dyn Clock>)
        .seed(1)
        .revoke_replaced(revoke_replaced)
        .build()
    }

    fn revoked(&self) -> Vec<String> {
        self.bank.revoked_tokens()
    }
}

#[tokio::test(start_paused = true)]
async fn the_grant_of_the_login_before_lives_on_at_the_provider_unless_the_application_says_otherwise() {
    for (revoke_replaced, revoked) in [(false, &[][..]), (true, &["refresh-1"])] {
        // In the same process, and in another one.
        for same_process in [true, false] {
            let world = World::new();
            let first = world.process(revoke_replaced);
            first.adopt(world.bank.login()).await.unwrap();
            assert_eq!(world.revoked(), [""; 0]);
            let second = if same_process {
                first
            } else {
                world.process(revoke_replaced)
            };
            second.adopt(world.bank.login()).await.unwrap();
            second.settled().await;
            assert_eq!(world.revoked(), revoked);
            assert_eq!(text(&second.fresh().await.unwrap()), "Bearer access-2");
            let stored_then = if revoke_replaced { &["access-2"][..] } else { &[] };
            assert_eq!(
                *world.server.stored.lock().unwrap(),
                stored_then,
                "the new tokens come first"
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_revocation_of_replaced_tokens_that_fails_or_hangs_is_no_failure_of_the_login() {
    for is_silent in [false, true] {
        let world = World::new();
        let handle = world.process(true);
        handle.adopt(world.bank.login()).await.unwrap();
        world.bank.refuse_revocation(Verdict::Transient { retry_after: None });
        world.server.is_silent.store(is_silent, Ordering::SeqCst);
        let login = tokio::time::timeout(secs(1), handle.adopt(world.bank.login()));
        assert_eq!(login.await.unwrap().unwrap().generation, 2);
        assert_eq!(text(&handle.header().unwrap()), "Bearer access-2");
        let settled = tokio::time::timeout(secs(1), handle.settled()).await;
        assert_eq!(settled.is_err(), is_silent, "it is under way until it has an end");
        handle.settled().await;
        tokio::time::sleep(secs(60)).await;
        assert_eq!(world.server.stored.lock().unwrap().len(), 1, "it is tried once");
        assert_eq!(world.revoked(), [""; 0]);
        handle.fresh().await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_gives_the_same_tokens_again_is_asked_to_revoke_nothing() {
    for (access, refresh) in [("access-9", "refresh-1"), ("access-1", "refresh-9")] {
        let world = World::new();
        let handle = world.process(true);
        handle.adopt(world.bank.login()).await.unwrap();
        let mut again = TokenReply::new(access);
        again.refresh_token = Some(refresh.into());
        handle.adopt(again).await.unwrap();
        handle.settled().await;
        assert_eq!(world.revoked(), [""; 0]);
    }
}

#[tokio::test(start_paused = true)]
async fn replaced_tokens_are_revoked_when_the_store_takes_the_login_and_not_before() {
    // A store that is out, and one that loses what is written; and one that takes it, and whose answer is lost.
    for (fails, is_stored) in [
        (FlakyStore::lose_swaps as fn(&FlakyStore), false),
        (|store| store.fail_after_swaps(0), false),
        (FlakyStore::lose_answers, true),
    ] {
        let world = World::new();
        let handle = world.process(true);
        handle.adopt(world.bank.login()).await.unwrap();
        fails(&world.store);
        handle.adopt(world.bank.login()).await.unwrap_err();
        tokio::time::sleep(secs(20)).await;
        assert_eq!(world.revoked().len(), usize::from(is_stored));
        world.store.heal();
        handle.settled().await;
        assert_eq!(world.revoked(), ["refresh-1"]);
        assert_eq!(*world.server.stored.lock().unwrap(), ["access-2"]);
        assert_eq!(text(&handle.fresh().await.unwrap()), "Bearer access-2");
    }
}

#[tokio::test(start_paused = true)]
async fn a_login_that_gives_way_to_another_one_is_revoked_once_and_the_other_stays() {
    let world = World::new();
    let (first, second) = (world.process(true), world.process(true));
    first.adopt(world.bank.login()).await.unwrap();
    world.store.fail_after_swaps(0);
    first.adopt(world.bank.login()).await.unwrap_err();
    first.adopt(world.bank.login()).await.unwrap_err();
    world.store.heal();
    first.settled().await;
    // The second login waited to be stored when the third one replaced it too.
    let mut revoked = world.revoked();
    revoked.sort();
    assert_eq!(revoked, ["refresh-1", "refresh-2"]);
    assert_eq!(text(&second.fresh().await.unwrap()), "Bearer access-3");
}

#[tokio::test(start_paused = true)]
async fn where_the_refresh_token_may_be_spent_the_access_token_is_revoked_too() {
    let world = World::new();
    let handle = world.process(true);
    handle.adopt(world.bank.login()).await.unwrap();
    tokio::time::sleep(HOUR).await;
    world.bank.faults([Fault::LoseReply]);
    handle.fresh().await.unwrap_err();
    handle.adopt(world.bank.login()).await.unwrap();
    handle.settled().await;
    assert_eq!(world.revoked(), ["refresh-1", "access-1"]);
}

#[cfg(feature = "mx")]
#[tokio::test]
async fn a_user_who_connects_again_has_one_grant_at_the_provider_where_the_application_says_so() {
    for revoke_replaced in [false, true] {
        let bank = Recorder::with_tokens(|_, before| Answer::json(token(before + 1)), |_, _| Answer::json("{}")).await;
        let app: mx::App = connected::builder(&bank)
            .revoke_replaced(revoke_replaced)
            .build()
            .unwrap();
        for subject in ["jo", "kim", "jo"] {
            let authorization = app.authorize(["accounts"]).unwrap().subject(subject);
            let pending = authorization.pending;
            let state = pending.state().expose_secret().to_owned();
            let callback = format!("{}?code=code-1&state={state}", connected::REDIRECT);
            app.finish(pending, &callback).await.unwrap();
        }
        app.settled().await;
        let calls = bank.calls();
        let revoked: Vec<_> = calls.iter().map(|call| call.field("token").unwrap()).collect();
        assert_eq!(revoked, if revoke_replaced { vec!["refresh-1"] } else { vec![] });
    }
}
