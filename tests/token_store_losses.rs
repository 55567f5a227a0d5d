//! Stores that go back in time, lose a record or an answer, and what each process makes of it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod store_support;
mod token_support;

use std::sync::Arc;
use std::time::Duration;

use finrail::token::Rejection;
use finrail::token::store::{Leased, StoredRecord};
use finrail::token::{
    Clock, Error, GrantKind, Issuer, ReauthorizationReason, Renewal, TokenHandle, TokenKey, TokenStore,
};
use store_support::*;
use token_support::*;

#[tokio::test(start_paused = true)]
async fn a_store_that_went_back_gets_the_newer_tokens_and_no_spent_one_is_sent() {
    let world = World::new(STRICT);
    let handle = world.logged_in("a").await;
    let old = world.address.now().load(&user_key()).await.unwrap();
    tokio::time::sleep(HOUR).await;
    assert_eq!(text(&handle.fresh().await.unwrap()), "Bearer access-2");
    world.address.fails_over_to(old).await;
    tokio::time::sleep(HOUR).await;
    assert_eq!(text(&handle.fresh().await.unwrap()), "Bearer access-3");
    assert_eq!(world.bank.sent(), ["refresh-1", "refresh-2"]);
    assert!(world.bank.alive());
    assert_eq!(world.address.record().await.unwrap().generation(), 3);
}

#[tokio::test(start_paused = true)]
async fn an_older_copy_brings_no_grant_back_that_is_over() {
    let world = World::new(STRICT);
    let handle = world.logged_in("a").await;
    let old = world.address.now().load(&user_key()).await.unwrap();
    tokio::time::sleep(HOUR).await;
    handle.fresh().await.unwrap();
    world.bank.withdraw();
    tokio::time::sleep(HOUR).await;
    assert!(handle.fresh().await.unwrap_err().reauthorization_required());
    assert_eq!(world.bank.sent(), ["refresh-1", "refresh-2"]);
    world.address.fails_over_to(old).await;
    tokio::time::sleep(HOUR).await;
    let error = handle.fresh().await.unwrap_err();
    assert!(error.reauthorization_required(), "{error}");
    assert_eq!(world.bank.sent().len(), 2, "no spent token is sent");
    // The user may come back.
    let sibling = world.process("b");
    sibling.adopt(world.bank.login()).await.unwrap();
    tokio::time::sleep(secs(1)).await;
    assert!(world.bank.accepts(&text(&handle.fresh().await.unwrap())));
}

#[tokio::test(start_paused = true)]
async fn a_sibling_that_reads_the_older_copy_first_does_not_make_this_process_forget_what_it_has() {
    let world = World::new(Habits {
        reuse_revokes_family: false,
        ..STRICT
    });
    let handle = world.logged_in("a").await;
    let old = world.address.now().load(&user_key()).await.unwrap();
    tokio::time::sleep(HOUR).await;
    handle.fresh().await.unwrap();
    world.address.fails_over_to(old).await;
    // The sibling knows only the spent refresh token; its refusal buries the older copy.
    let refused = world.process("sibling").fresh().await.unwrap_err();
    assert!(refused.reauthorization_required(), "{refused}");
    tokio::time::sleep(HOUR).await;
    assert_eq!(text(&handle.fresh().await.unwrap()), "Bearer access-3");
    assert_eq!(text(&world.process("c").fresh().await.unwrap()), "Bearer access-3");
}

#[tokio::test(start_paused = true)]
async fn a_store_that_lost_a_record_gets_it_back_from_a_process_that_has_it() {
    let world = World::new(STRICT);
    let handle = world.logged_in("a").await;
    world.address.fails_over_to(None).await;
    tokio::time::sleep(HOUR).await;
    assert_eq!(text(&handle.fresh().await.unwrap()), "Bearer access-2");
    assert_eq!(world.address.record().await.unwrap().generation(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_login_after_a_loss_is_not_overwritten_by_what_another_process_still_has() {
    let world = World::new(STRICT);
    let old = world.logged_in("a").await;
    for _ in 0..3 {
        tokio::time::sleep(HOUR).await;
        old.fresh().await.unwrap();
    }
    world.address.fails_over_to(None).await;
    tokio::time::sleep(secs(10)).await;
    let new = world.process("b");
    new.adopt(world.bank.login()).await.unwrap();
    let refresh_token = world.bank.current().unwrap();
    tokio::time::sleep(HOUR).await;
    let (one, two) = tokio::join!(old.fresh(), new.fresh());
    assert_eq!(text(&one.unwrap()), text(&two.unwrap()));
    assert_eq!(world.bank.sent().last(), Some(&refresh_token));
}

#[tokio::test(start_paused = true)]
async fn what_a_sibling_got_after_the_store_went_back_is_taken_over() {
    let world = World::new(Habits {
        grace: Some(HOUR * 10),
        ..STRICT
    });
    let handle = world.logged_in("a").await;
    let old = world.address.now().load(&user_key()).await.unwrap();
    for _ in 0..2 {
        tokio::time::sleep(HOUR).await;
        handle.fresh().await.unwrap();
    }
    world.address.fails_over_to(old).await;
    tokio::time::sleep(HOUR / 2).await;
    // Fewer writes led to it than to what is at hand here.
    assert_eq!(text(&world.process("b").fresh().await.unwrap()), "Bearer access-4");
    tokio::time::sleep(HOUR / 2).await;
    assert_eq!(text(&handle.fresh().await.unwrap()), "Bearer access-4");
}

#[tokio::test(start_paused = true)]
async fn new_tokens_are_shown_after_a_loss_though_the_wall_clock_was_set_back() {
    let world = World::new(STRICT);
    let user = world.logged_in("a").await;
    world.address.fails_over_to(None).await;
    world.clock.jump(-3000);
    user.adopt(world.bank.login()).await.unwrap();
    assert_eq!(text(&user.fresh().await.unwrap()), "Bearer access-2");

    let world = World::new(STRICT);
    let service = world.service();
    service.fresh().await.unwrap();
    world.address.fails_over_to(None).await;
    world.clock.jump(-30_000);
    for _ in 0..3 {
        tokio::time::sleep(HOUR).await;
        assert!(world.bank.accepts(&text(&service.fresh().await.unwrap())));
    }
    assert_eq!(world.bank.requests(), 4);
}

#[tokio::test(start_paused = true)]
async fn a_grant_that_was_forgotten_elsewhere_is_not_brought_back() {
    let world = World::new(STRICT);
    let here = world.logged_in("here").await;
    let there = world.process("there");
    there.load().await.unwrap().unwrap();
    there.forget().await.unwrap();
    let record = world.address.record().await.unwrap();
    assert!(record.tokens.is_none());
    tokio::time::sleep(HOUR).await;
    assert!(here.fresh().await.unwrap_err().reauthorization_required());
    assert!(here.header().is_none());
    assert!(world.process("later").load().await.unwrap().is_none());
    assert_eq!(world.bank.requests(), 0);
    // A new login is a new grant.
    here.adopt(world.bank.login()).await.unwrap();
    assert!(world.process("later").load().await.unwrap().is_some());
}

#[tokio::test(start_paused = true)]
async fn a_login_that_waits_for_the_store_is_not_lost_to_a_refresh_of_the_grant_before() {
    let world = World::new(STRICT);
    let flaky = Arc::new(FlakyStore::new(world.store()));
    let store: Arc<dyn TokenStore> = Arc::clone(&flaky) as Arc<dyn TokenStore>;
    let handle = user(&world.bank, &store, &world.clock, "a").build();
    handle.adopt(world.bank.login()).await.unwrap();
    tokio::time::sleep(HOUR).await;
    world.bank.faults([Fault::Slow(secs(5))]);
    let refreshing = handle.clone();
    let refresh = tokio::spawn(async move { refreshing.fresh().await });
    tokio::time::sleep(secs(1)).await;
    flaky.fail_after_swaps(0);
    // The user logs in while the refresh is under way and the store is out.
    let mut login = world.bank.login();
    login.access_token = "access-of-the-login".into();
    assert!(handle.adopt(login).await.is_err());
    let _ = refresh.await.unwrap();
    assert_eq!(text(&handle.header().unwrap()), "Bearer access-of-the-login");
    flaky.heal();
    handle.settled().await;
    let stored = world.address.record().await.unwrap().tokens.unwrap();
    assert_eq!(stored.access_token.expose_secret(), "access-of-the-login");
    assert_eq!(text(&handle.header().unwrap()), "Bearer access-of-the-login");
}

#[tokio::test(start_paused = true)]
async fn settled_waits_for_a_login_whose_caller_went_away() {
    let world = World::new(STRICT);
    let handle = world.process("a");
    let store = world.store();
    let Leased::Granted(lease) = store.lease(&user_key(), "somebody", HOUR).await.unwrap() else {
        panic!("nobody else is there");
    };
    let reply = world.bank.login();
    let cut_off = tokio::time::timeout(secs(1), handle.adopt(reply)).await;
    assert!(cut_off.is_err());
    tokio::spawn(async move {
        tokio::time::sleep(secs(5)).await;
        store.release(&user_key(), lease).await
    });
    handle.settled().await;
    assert_eq!(world.address.record().await.unwrap().generation(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_grant_that_the_store_lost_is_marked_as_forgotten_for_those_who_still_hold_it() {
    let world = World::new(STRICT);
    let here = world.logged_in("here").await;
    let there = world.process("there");
    there.load().await.unwrap();
    world.address.fails_over_to(None).await;
    here.forget().await.unwrap();
    let tombstone = world.address.record().await.unwrap().tombstone.unwrap();
    assert_eq!(tombstone.reason, ReauthorizationReason::Forgotten);
    tokio::time::sleep(HOUR).await;
    assert!(matches!(there.fresh().await, Err(Error::NoGrant { .. })));
    assert_eq!(world.bank.requests(), 0);
}

#[tokio::test(start_paused = true)]
async fn client_credentials_go_on_with_the_store_after_an_outage_of_it() {
    let world = World::new(STRICT);
    let flaky = Arc::new(FlakyStore::new(world.store()));
    let key = TokenKey::new("ofx", "client-1", GrantKind::ClientCredentials);
    let handle = TokenHandle::builder(key, Arc::clone(&world.bank) as Arc<dyn Issuer>, Renewal::Anew)
        .store(Arc::clone(&flaky) as Arc<dyn TokenStore>)
        .clock(Arc::clone(&world.clock) as Arc<dyn Clock>)
        .build();
    handle.fresh().await.unwrap();
    flaky.fail_after_swaps(0);
    for generation in 2..5 {
        tokio::time::sleep(HOUR).await;
        let bearer = handle.fresh().await.unwrap();
        assert!(world.bank.accepts(&text(&bearer)));
        assert_eq!(bearer.generation, generation);
    }
    flaky.heal();
    for _ in 0..3 {
        tokio::time::sleep(HOUR).await;
        let bearer = handle.fresh().await.unwrap();
        assert!(world.bank.accepts(&text(&bearer)), "an ended token was served");
    }
    let sibling = world.service().fresh().await.unwrap();
    assert_eq!(text(&sibling), text(&handle.fresh().await.unwrap()));
}

#[tokio::test(start_paused = true)]
async fn a_record_that_is_lost_during_a_refresh_is_put_back_and_the_request_is_waited_for() {
    for lost_after in [0, 2, 9] {
        let world = World::new(STRICT);
        let here = world.logged_in("here").await;
        let there = world.process("there");
        there.load().await.unwrap();
        let stored = world.address.now().load(&user_key()).await.unwrap();
        tokio::time::sleep(HOUR).await;
        world.bank.faults([Fault::Slow(secs(10))]);
        let refresh = tokio::spawn(async move { here.fresh().await });
        tokio::time::sleep(Duration::from_millis(100)).await;
        let waiting = tokio::spawn(async move {
            // It waits for the other one, and sees what that has written; or it comes when that is lost.
            tokio::time::sleep(if lost_after == 2 {
                Duration::ZERO
            } else {
                secs(lost_after)
            })
            .await;
            there.fresh().await.map(|bearer| (bearer, there))
        });
        tokio::time::sleep(secs(lost_after)).await;
        // Everything, or what was written last.
        let copy = if lost_after == 2 { stored } else { None };
        world.address.fails_over_to(copy).await;
        let ((one, there), two) = (waiting.await.unwrap().unwrap(), refresh.await.unwrap().unwrap());
        assert_eq!((text(&one), text(&two)), ("Bearer access-2".to_owned(), text(&one)));
        assert_eq!(world.bank.sent(), ["refresh-1"], "{lost_after}");
        assert!(world.bank.alive());
        tokio::time::sleep(HOUR).await;
        there.fresh().await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn as_long_as_new_tokens_are_not_stored_nothing_is_asked_for() {
    let world = World::new(STRICT);
    let flaky = Arc::new(FlakyStore::new(world.store()));
    let counted = Watched::new(Arc::clone(&flaky) as Arc<dyn TokenStore>);
    let store: Arc<dyn TokenStore> = Arc::clone(&counted) as Arc<dyn TokenStore>;
    let handle = user(&world.bank, &store, &world.clock, "a").build();
    handle.adopt(world.bank.login()).await.unwrap();
    tokio::time::sleep(HOUR).await;
    world.bank.faults([Fault::Slow(secs(1))]);
    let refresh = tokio::spawn({
        let handle = handle.clone();
        async move { handle.fresh().await }
    });
    tokio::time::sleep(secs(1) / 2).await;
    // The intent is stored. From now on the store is read, and what is written does not arrive.
    flaky.lose_swaps();
    assert_eq!(text(&refresh.await.unwrap().unwrap()), "Bearer access-2");
    let before = counted.reads();
    tokio::time::sleep(secs(60)).await;
    let tried = counted.reads() - before;
    assert!((15..=25).contains(&tried), "{tried} tries to store them in a minute");
    tokio::time::sleep(HOUR).await;
    // The store takes writes again, and the task that stores the tokens has not tried yet.
    flaky.heal();
    let reads = counted.reads();
    assert!(matches!(handle.fresh().await, Err(Error::Store { .. })));
    assert_eq!(counted.reads(), reads);
    assert_eq!(world.bank.sent(), ["refresh-1"]);
    handle.settled().await;
    tokio::time::sleep(secs(2)).await;
    assert_eq!(text(&handle.fresh().await.unwrap()), "Bearer access-3");
    assert_eq!(world.bank.sent(), ["refresh-1", "refresh-2"]);
}

#[tokio::test(start_paused = true)]
async fn a_new_refresh_token_beside_an_access_token_that_is_given_again_waits_to_be_stored_too() {
    for what in ["a refresh", "a login"] {
        let world = World::new(STRICT);
        let flaky = Arc::new(FlakyStore::new(world.store()));
        let store: Arc<dyn TokenStore> = Arc::clone(&flaky) as Arc<dyn TokenStore>;
        let handle = user(&world.bank, &store, &world.clock, "a").build();
        handle.adopt(world.bank.login()).await.unwrap();
        world.bank.repeat_the_access_token();
        tokio::time::sleep(HOUR).await;
        if what == "a refresh" {
            // The intent is written, and then the store goes away.
            flaky.fail_after_swaps(1);
            assert_eq!(text(&handle.fresh().await.unwrap()), "Bearer access-1");
        } else {
            flaky.fail_after_swaps(0);
            handle.adopt(world.bank.login()).await.unwrap_err();
        }
        tokio::time::sleep(secs(60)).await;
        flaky.heal();
        handle.settled().await;
        let stored = world.address.record().await.unwrap().tokens.unwrap();
        let refresh_token = stored.refresh_token.unwrap();
        assert_eq!(
            (stored.generation, refresh_token.expose_secret()),
            (2, "refresh-2"),
            "{what}"
        );
        tokio::time::sleep(HOUR).await;
        let next = world.process("next");
        next.fresh().await.unwrap();
        assert_eq!(world.bank.sent().last().unwrap(), "refresh-2", "{what}");
        assert!(world.bank.alive(), "{what}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_write_whose_confirmation_was_lost_is_known_by_all_that_it_wrote() {
    for what in ["a refresh", "a login"] {
        let world = World::new(STRICT);
        let flaky = Arc::new(FlakyStore::new(world.store()));
        let store: Arc<dyn TokenStore> = Arc::clone(&flaky) as Arc<dyn TokenStore>;
        let handle = user(&world.bank, &store, &world.clock, "a").build();
        handle.adopt(world.bank.login()).await.unwrap();
        world.bank.repeat_the_access_token();
        tokio::time::sleep(HOUR).await;
        if what == "a refresh" {
            world.bank.faults([Fault::Slow(secs(1))]);
            let refresh = tokio::spawn({
                let handle = handle.clone();
                async move { handle.fresh().await }
            });
            tokio::time::sleep(secs(1) / 2).await;
            flaky.lose_answers();
            refresh.await.unwrap().unwrap();
        } else {
            flaky.lose_answers();
            handle.adopt(world.bank.login()).await.unwrap_err();
        }
        let written = world.address.now().load(&user_key()).await.unwrap().unwrap();
        flaky.heal();
        handle.settled().await;
        let stored = world.address.now().load(&user_key()).await.unwrap().unwrap();
        assert_eq!(stored.revision, written.revision, "{what}: it was written again");
        assert_eq!(handle.info().unwrap().generation, 2);
    }
}

#[tokio::test(start_paused = true)]
async fn a_renewal_that_joins_a_look_at_the_store_is_made_after_it() {
    let world = World::new(STRICT);
    drop(world.logged_in("before").await);
    let slow = Watched::new(world.store());
    let store: Arc<dyn TokenStore> = Arc::clone(&slow) as Arc<dyn TokenStore>;
    let handle = user(&world.bank, &store, &world.clock, "a").build();
    *slow.delay_of_next_read.lock().unwrap() = secs(1);
    let look = tokio::spawn({
        let handle = handle.clone();
        async move { handle.fresh().await }
    });
    tokio::task::yield_now().await;
    handle.renew(1).await.unwrap();
    assert_eq!(text(&look.await.unwrap().unwrap()), "Bearer access-1");
    assert_eq!(handle.info().unwrap().generation, 2);
}

#[tokio::test(start_paused = true)]
async fn client_credentials_take_what_a_sibling_stored_just_before_the_lease() {
    let world = World::new(STRICT);
    let slow = Watched::new(world.store());
    let key = TokenKey::new("ofx", "client-1", GrantKind::ClientCredentials);
    let late = TokenHandle::builder(key, Arc::clone(&world.bank) as Arc<dyn Issuer>, Renewal::Anew)
        .store(Arc::clone(&slow) as Arc<dyn TokenStore>)
        .clock(Arc::clone(&world.clock) as Arc<dyn Clock>)
        .build();
    *slow.delay_of_next_read.lock().unwrap() = secs(1);
    let late = tokio::spawn(async move { late.fresh().await });
    tokio::task::yield_now().await;
    let first = world.service().fresh().await.unwrap();
    assert_eq!(text(&late.await.unwrap().unwrap()), text(&first));
    assert_eq!(world.bank.requests(), 1);
}

#[tokio::test(start_paused = true)]
async fn client_credentials_serve_no_token_that_ended_because_an_older_copy_of_the_store_has_one_that_lives() {
    let world = World::new(STRICT);
    let service = world.service();
    let lives_long = Bank::new(Habits {
        life: Some(HOUR * 10),
        ..STRICT
    });
    let key = TokenKey::new("ofx", "client-1", GrantKind::ClientCredentials);
    let before = TokenHandle::builder(key.clone(), Arc::clone(&lives_long) as Arc<dyn Issuer>, Renewal::Anew)
        .store(world.store())
        .clock(Arc::clone(&world.clock) as Arc<dyn Clock>)
        .build();
    before.fresh().await.unwrap();
    let old = world.address.now().load(&key).await.unwrap();
    let refused = service.fresh().await.unwrap();
    let bearer = service
        .rejected(refused.generation, Rejection::InvalidToken)
        .await
        .unwrap();
    assert!(world.bank.accepts(&text(&bearer)));
    world.address.fails_over_to_record_of(&key, old).await;
    tokio::time::sleep(HOUR).await;
    let bearer = service.fresh().await.unwrap();
    assert!(world.bank.accepts(&text(&bearer)), "{}", text(&bearer));
}

#[tokio::test(start_paused = true)]
async fn logins_that_are_in_memory_only_are_of_later_generations_than_what_was_served_before() {
    let world = World::new(STRICT);
    let flaky = Arc::new(FlakyStore::new(world.store()));
    let store: Arc<dyn TokenStore> = Arc::clone(&flaky) as Arc<dyn TokenStore>;
    let handle = user(&world.bank, &store, &world.clock, "a").build();
    handle.adopt(world.bank.login()).await.unwrap();
    handle.renew(1).await.unwrap();
    flaky.fail_after_swaps(0);
    for generation in [3, 4] {
        handle.adopt(world.bank.login()).await.unwrap_err();
        assert_eq!(handle.header().unwrap().generation, generation);
        // A call with the token before says nothing of this one.
        let bearer = handle.rejected(generation - 1, Rejection::InvalidToken).await.unwrap();
        assert_eq!(bearer.generation, generation);
    }
    flaky.heal();
    handle.settled().await;
    assert_eq!(world.address.record().await.unwrap().generation(), 4);
}

#[tokio::test(start_paused = true)]
async fn what_two_processes_write_over_the_same_copy_of_a_record_has_two_revisions() {
    let clock = VirtualClock::new();
    let bank = Bank::new(STRICT);
    let address = Address::new(&clock);
    let store = Arc::clone(&address) as Arc<dyn TokenStore>;
    user(&bank, &store, &clock, "a")
        .build()
        .adopt(bank.login())
        .await
        .unwrap();
    let copy = store.load(&user_key()).await.unwrap().unwrap();
    let mut revisions = std::collections::BTreeSet::new();
    for process in 0..4 {
        address.fails_over_to(Some(copy.clone())).await;
        user(&bank, &store, &clock, "b")
            .seed(process)
            .build()
            .forget()
            .await
            .unwrap();
        let revision = store.load(&user_key()).await.unwrap().unwrap().revision;
        assert!((1..=0x1_0000).contains(&(revision - copy.revision)), "{revision}");
        revisions.insert(revision);
    }
    assert!(revisions.len() > 2, "{revisions:?}");
}

/// What a store that went back holds, and how the process that is newer came to its tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Behind {
    Nothing,
    /// The tokens before an early renewal.
    Renewed,
    /// The tokens before one for which the provider refused the access token.
    Refused,
    /// An earlier login: the generations do not tell.
    OtherLogin,
}

impl Behind {
    const ALL: [Self; 4] = [Self::Nothing, Self::Renewed, Self::Refused, Self::OtherLogin];

    /// Makes the handle hold newer tokens, and takes the store back to before that.
    async fn bring_about(self, world: &World, handle: &TokenHandle) {
        let old = world.address.now().load(&user_key()).await.unwrap();
        let generation = handle.info().unwrap().generation;
        match self {
            Self::Nothing | Self::Renewed => handle.renew(generation).await.unwrap(),
            Self::Refused => drop(handle.rejected(generation, Rejection::InvalidToken).await.unwrap()),
            Self::OtherLogin => drop(handle.adopt(world.bank.login()).await.unwrap()),
        }
        tokio::time::sleep(secs(60)).await;
        let copy = old.filter(|_| self != Self::Nothing);
        world.address.fails_over_to(copy).await;
    }
}

#[tokio::test(start_paused = true)]
async fn the_next_look_puts_back_newer_tokens_though_the_older_ones_in_the_store_still_serve() {
    for behind in Behind::ALL {
        for every in [300, 10] {
            let world = World::new(STRICT);
            let process = |holder| {
                let set_up = user(&world.bank, &world.store(), &world.clock, holder);
                set_up.look_again_every(secs(every)).build()
            };
            let newer = process("newer");
            newer.adopt(world.bank.login()).await.unwrap();
            tokio::time::sleep(secs(600)).await;
            behind.bring_about(&world, &newer).await;
            let calls = called_each_second(&newer);
            tokio::time::sleep(secs(every)).await;
            let stored = world.address.record().await.unwrap().tokens.unwrap();
            let refresh_token = stored.refresh_token.unwrap();
            assert_eq!(refresh_token.expose_secret(), "refresh-2", "{behind:?} {every}");
            let starts = called_each_second(&process("starts"));
            tokio::time::sleep(HOUR).await;
            assert!(world.bank.alive(), "{behind:?} {every}");
            let sent = world.bank.sent();
            let others = sent.iter().collect::<std::collections::HashSet<_>>();
            assert_eq!(sent.len(), others.len(), "{behind:?} {every}: {sent:?}");
            calls.abort();
            starts.abort();
        }
    }
}

#[tokio::test(start_paused = true)]
async fn who_looks_a_grant_up_puts_back_newer_tokens_too_and_serves_them() {
    for behind in Behind::ALL {
        let world = World::new(STRICT);
        let newer = world.logged_in("newer").await;
        tokio::time::sleep(secs(600)).await;
        behind.bring_about(&world, &newer).await;
        let held = newer.info();
        assert_eq!(newer.load().await.unwrap(), held, "{behind:?}");
        let stored = world.address.record().await.unwrap().tokens.unwrap();
        let refresh_token = stored.refresh_token.unwrap();
        assert_eq!(refresh_token.expose_secret(), "refresh-2", "{behind:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_where_the_tokens_that_are_put_back_serve() {
    for behind in Behind::ALL {
        let world = World::new(STRICT);
        let newer = world.logged_in("newer").await;
        tokio::time::sleep(secs(600)).await;
        behind.bring_about(&world, &newer).await;
        tokio::time::sleep(secs(300)).await;
        let began = tokio::time::Instant::now();
        assert_eq!(text(&newer.fresh().await.unwrap()), "Bearer access-2", "{behind:?}");
        newer.settled().await;
        assert!(began.elapsed() < secs(1), "{behind:?}: {:?}", began.elapsed());
        let stored = world.address.record().await.unwrap().tokens.unwrap();
        let refresh_token = stored.refresh_token.unwrap();
        assert_eq!(refresh_token.expose_secret(), "refresh-2", "{behind:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_store_that_is_lost_soon_after_a_refresh_gets_the_new_tokens_back_before_the_spent_one_is_sent() {
    for (after, every) in [(1, 300), (5, 300), (15, 300), (40, 300), (1, 60), (1, 10)] {
        let world = World::new(STRICT);
        let [one, two] = ["one", "another"].map(|holder| {
            let set_up = user(&world.bank, &world.store(), &world.clock, holder);
            set_up.look_again_every(secs(every)).build()
        });
        one.adopt(world.bank.login()).await.unwrap();
        two.fresh().await.unwrap();
        tokio::time::sleep(HOUR * 3 / 4).await;
        let calls = [called_each_second(&one), called_each_second(&two)];
        while world.bank.sent().is_empty() {
            tokio::time::sleep(secs(1) / 2).await;
        }
        tokio::time::sleep(secs(after)).await;
        world.address.fails_over_to(None).await;
        tokio::time::sleep(HOUR / 2).await;
        assert!(world.bank.alive(), "{after} {every}");
        assert_eq!(world.bank.sent(), ["refresh-1"], "{after} {every}");
        calls.iter().for_each(tokio::task::JoinHandle::abort);
    }
}

#[tokio::test(start_paused = true)]
async fn a_revocation_ends_the_newer_login_that_a_store_lost_and_a_sibling_put_back() {
    for every in [300, 60, 10] {
        let world = World::new(STRICT);
        let [one, two] = ["one", "another"].map(|holder| {
            let set_up = user(&world.bank, &world.store(), &world.clock, holder);
            set_up.look_again_every(secs(every)).build()
        });
        one.adopt(world.bank.login()).await.unwrap();
        two.fresh().await.unwrap();
        tokio::time::sleep(secs(100)).await;
        two.adopt(world.bank.login()).await.unwrap();
        world.address.fails_over_to(None).await;
        // The one that holds the earlier login looks first.
        one.load().await.unwrap();
        let calls = [called_each_second(&one), called_each_second(&two)];
        tokio::time::sleep(secs(every * 2)).await;
        one.revoke().await.unwrap();
        assert_eq!(world.bank.revoked_tokens()[0], "refresh-2", "{every}");
        tokio::time::sleep(secs(every)).await;
        for handle in [one, two] {
            assert!(handle.fresh().await.unwrap_err().reauthorization_required(), "{every}");
        }
        calls.iter().for_each(tokio::task::JoinHandle::abort);
    }
}

#[tokio::test(start_paused = true)]
async fn a_grant_that_is_ended_over_an_older_copy_is_not_brought_back_by_who_holds_the_newer_login() {
    for before in ["alive", "forgotten"] {
        for how in ["forget", "revoke"] {
            let world = World::new(STRICT);
            let here = world.logged_in("here").await;
            if before == "forgotten" {
                here.forget().await.unwrap();
            }
            let old = world.address.now().load(&user_key()).await.unwrap();
            tokio::time::sleep(secs(600)).await;
            here.adopt(world.bank.login()).await.unwrap();
            let there = world.process("there");
            there.fresh().await.unwrap();
            world.address.fails_over_to(old).await;
            match how {
                "forget" => here.forget().await.unwrap(),
                _ => here.revoke().await.unwrap(),
            }
            let calls = called_each_second(&there);
            tokio::time::sleep(secs(600)).await;
            let record = world.address.record().await.unwrap();
            assert!(record.tombstone.is_some() && record.tokens.is_none(), "{before} {how}");
            assert!(
                there.fresh().await.is_err() && here.fresh().await.is_err(),
                "{before} {how}"
            );
            calls.abort();
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_login_that_was_forgotten_over_an_older_copy_stays_forgotten_where_the_store_has_it_again() {
    let world = World::new(STRICT);
    let handle = world.logged_in("a").await;
    let old = world.address.now().load(&user_key()).await.unwrap();
    tokio::time::sleep(secs(600)).await;
    handle.adopt(world.bank.login()).await.unwrap();
    let newer = world.address.now().load(&user_key()).await.unwrap();
    world.address.fails_over_to(old).await;
    handle.forget().await.unwrap();
    world.address.fails_over_to(newer).await;
    tokio::time::sleep(secs(600)).await;
    let error = handle.fresh().await.unwrap_err();
    assert!(error.reauthorization_required(), "{error}");
}

/// Whoever ends it knows the earlier login at most.
#[tokio::test(start_paused = true)]
async fn an_end_over_an_older_copy_ends_the_newer_login_that_the_store_lost_too() {
    for copy in ["an older login", "nothing"] {
        for knows_it in [true, false] {
            for how in ["forget", "revoke"] {
                for every in [300, 10] {
                    let what = format!("{copy} {knows_it} {how} {every}");
                    let world = World::new(STRICT);
                    let [holds, ends] = ["holds", "ends"].map(|holder| {
                        let set_up = user(&world.bank, &world.store(), &world.clock, holder);
                        set_up.look_again_every(secs(every)).build()
                    });
                    holds.adopt(world.bank.login()).await.unwrap();
                    let old = world.address.now().load(&user_key()).await.unwrap();
                    if knows_it {
                        ends.fresh().await.unwrap();
                    }
                    tokio::time::sleep(secs(1)).await;
                    holds.adopt(world.bank.login()).await.unwrap();
                    world.address.fails_over_to(old.filter(|_| copy != "nothing")).await;
                    let ended = match how {
                        "forget" => ends.forget().await,
                        _ => ends.revoke().await,
                    };
                    let calls = [called_each_second(&holds), called_each_second(&ends)];
                    tokio::time::sleep(secs(700)).await;
                    let outcomes = [holds.fresh().await, ends.fresh().await];
                    calls.iter().for_each(tokio::task::JoinHandle::abort);
                    if copy == "nothing" && how == "revoke" && !knows_it {
                        // It knows of nothing to revoke, and says so.
                        assert!(ended.is_err() && outcomes.iter().all(Result::is_ok), "{what}");
                        continue;
                    }
                    ended.unwrap();
                    assert!(outcomes.iter().all(Result::is_err), "{what}: {outcomes:?}");
                    let revoked = world.bank.revoked_tokens();
                    let newest = revoked.iter().any(|token| token == "refresh-2");
                    assert_eq!(newest, how == "revoke", "{what}: {revoked:?}");
                }
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn after_a_loss_all_go_on_with_the_login_that_the_store_has_whatever_their_clocks_say() {
    for wrong in [0, -5, -50, 30] {
        // Which of two writes has the larger number is drawn.
        for seed in [1, 2_000_000, 4_000_000, 7_000_000, 15_000_000] {
            let world = World::new(STRICT);
            let clock = VirtualClock::new();
            clock.jump(wrong);
            let process = |holder: &str, clock, seed| {
                let set_up = user(&world.bank, &world.store(), clock, holder);
                set_up.seed(seed).build()
            };
            let (a, b) = (
                process("a", &world.clock, seed),
                process("bb", &clock, seed * 3 + 77_777),
            );
            a.adopt(world.bank.login()).await.unwrap();
            b.fresh().await.unwrap();
            let old = world.address.now().load(&user_key()).await.unwrap();
            tokio::time::sleep(secs(100)).await;
            a.adopt(world.bank.login()).await.unwrap();
            world.address.fails_over_to(old).await;
            tokio::time::sleep(secs(1)).await;
            b.adopt(world.bank.login()).await.unwrap();
            let calls = [called_each_second(&a), called_each_second(&b)];
            tokio::time::sleep(secs(900)).await;
            for handle in [&a, &b] {
                let bearer = handle.fresh().await.unwrap();
                assert_eq!(text(&bearer), "Bearer access-3", "{wrong} {seed}");
            }
            calls.iter().for_each(tokio::task::JoinHandle::abort);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_store_that_goes_back_by_more_logins_than_a_grant_remembers_gets_the_newest_one_back() {
    for logins in [17, 18, 40] {
        for is_lost in [false, true] {
            let world = World::new(STRICT);
            let [holds, idle] = ["holds", "idle"].map(|holder| world.process(holder));
            holds.adopt(world.bank.login()).await.unwrap();
            idle.fresh().await.unwrap();
            let old = world.address.now().load(&user_key()).await.unwrap();
            for _ in 1..logins {
                tokio::time::sleep(secs(60)).await;
                holds.adopt(world.bank.login()).await.unwrap();
            }
            world.address.fails_over_to(old.filter(|_| !is_lost)).await;
            if is_lost {
                // It puts back what it holds, which is the first login.
                idle.load().await.unwrap();
            }
            let calls = [called_each_second(&holds), called_each_second(&idle)];
            tokio::time::sleep(secs(700)).await;
            let newest = format!("Bearer access-{logins}");
            for handle in [&holds, &idle] {
                assert_eq!(text(&handle.fresh().await.unwrap()), newest, "{is_lost}");
            }
            calls.iter().for_each(tokio::task::JoinHandle::abort);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_look_at_a_store_that_lost_nothing_takes_no_lease_and_writes_nothing() {
    let world = World::new(STRICT);
    let watched = Watched::new(world.store());
    let store: Arc<dyn TokenStore> = Arc::clone(&watched) as Arc<dyn TokenStore>;
    let handle = user(&world.bank, &store, &world.clock, "a").build();
    handle.adopt(world.bank.login()).await.unwrap();
    let sibling = world.process("sibling");
    sibling.fresh().await.unwrap();
    let (reads, leases) = (watched.reads(), watched.leases());
    let is_written = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let tells = Arc::clone(&is_written);
    *watched.before_next_write.lock().unwrap() = Some(Box::new(move || {
        tells.store(true, std::sync::atomic::Ordering::Relaxed);
    }));
    let calls = called_each_second(&handle);
    tokio::time::sleep(secs(700)).await;
    // What somebody else has renewed is taken over.
    sibling.renew(1).await.unwrap();
    tokio::time::sleep(secs(700)).await;
    assert_eq!(handle.info().unwrap().generation, 2);
    handle.load().await.unwrap();
    assert!(watched.reads() > reads + 6);
    assert_eq!(watched.leases(), leases);
    assert!(!is_written.load(std::sync::atomic::Ordering::Relaxed));
    calls.abort();
}

#[tokio::test(start_paused = true)]
async fn a_login_that_waits_for_a_store_which_went_back_goes_over_what_a_sibling_puts_back_meanwhile() {
    for is_lost in [false, true] {
        let world = World::new(STRICT);
        let flaky = Arc::new(FlakyStore::new(world.store()));
        let store: Arc<dyn TokenStore> = Arc::clone(&flaky) as Arc<dyn TokenStore>;
        let here = user(&world.bank, &store, &world.clock, "here").build();
        here.adopt(world.bank.login()).await.unwrap();
        let old = world.address.now().load(&user_key()).await.unwrap();
        tokio::time::sleep(secs(100)).await;
        here.adopt(world.bank.login()).await.unwrap();
        let there = world.process("there");
        there.fresh().await.unwrap();
        let old = old.filter(|_| !is_lost);
        // Its leases end by the clock of the test.
        let clock = Arc::clone(&world.clock) as Arc<dyn Clock>;
        let copy = finrail::token::MemoryStore::with_clock(clock);
        let Leased::Granted(lease) = copy.lease(&user_key(), "x", HOUR).await.unwrap() else {
            panic!("a new store has no holders");
        };
        if let Some(old) = old {
            let swap = finrail::token::store::Swap::new(None, lease.fence, Some(old));
            copy.swap(&user_key(), swap).await.unwrap();
        }
        copy.release(&user_key(), lease).await.unwrap();
        *world.address.0.lock().unwrap() = Arc::new(copy);
        flaky.lose_swaps();
        assert!(here.adopt(world.bank.login()).await.is_err());
        flaky.fail_after_swaps(0);
        let calls = called_each_second(&there);
        tokio::time::sleep(secs(300)).await;
        let stored = world.address.record().await.unwrap().tokens.unwrap();
        assert_eq!(stored.refresh_token.unwrap().expose_secret(), "refresh-2", "{is_lost}");
        flaky.heal();
        here.settled().await;
        let stored = world.address.record().await.unwrap().tokens.unwrap();
        assert_eq!(stored.refresh_token.unwrap().expose_secret(), "refresh-3", "{is_lost}");
        tokio::time::sleep(secs(300)).await;
        assert_eq!(text(&there.fresh().await.unwrap()), "Bearer access-3", "{is_lost}");
        assert!(world.bank.revoked_tokens().is_empty(), "{is_lost}");
        calls.abort();
    }
}

#[tokio::test(start_paused = true)]
async fn a_login_comes_after_an_end_that_its_process_saw_whatever_the_store_has_lost_and_gets_back() {
    for how in ["forget", "revoke"] {
        for (login_of, lost, comes_back) in [
            ("the one who ended it", "the end", "the end"),
            ("the one who ended it", "all", "the end"),
            ("the one who ended it", "all", "the grant"),
            ("the one who saw it", "the end", "the end"),
            ("the one who saw it", "all", "the end"),
            ("the one who saw it", "all", "the grant"),
        ] {
            let world = World::new(STRICT);
            let (a, b) = (world.logged_in("a").await, world.process("b"));
            b.fresh().await.unwrap();
            let alive = world.address.now().load(&user_key()).await.unwrap();
            end(&a, how).await;
            let ended = world.address.now().load(&user_key()).await.unwrap();
            tokio::time::sleep(secs(400)).await;
            b.fresh().await.unwrap_err();
            world
                .address
                .fails_over_to(alive.clone().filter(|_| lost == "the end"))
                .await;
            let login = if login_of == "the one who saw it" { &b } else { &a };
            login.adopt(world.bank.login()).await.unwrap();
            tokio::time::sleep(secs(400)).await;
            let copy = if comes_back == "the end" { ended } else { alive };
            world.address.fails_over_to(copy).await;
            let calls = [called_each_second(&a), called_each_second(&b)];
            tokio::time::sleep(secs(700)).await;
            let case = format!("{how}: {login_of}, {lost} was lost, {comes_back} comes back");
            for handle in [&a, &b] {
                let bearer = handle.fresh().await.expect(&case);
                assert_eq!(text(&bearer), "Bearer access-2", "{case}");
            }
            assert!(!world.bank.revoked_tokens().contains(&"refresh-2".to_owned()), "{case}");
            calls.iter().for_each(tokio::task::JoinHandle::abort);
        }
    }
}

/// Somebody who holds the grant that came between puts it back over the earlier end.
#[tokio::test(start_paused = true)]
async fn an_end_stays_where_the_store_goes_back_to_the_end_of_the_grant_before() {
    for (first, second) in [
        ("forget", "forget"),
        ("revoke", "forget"),
        ("forget", "revoke"),
        ("revoke", "revoke"),
    ] {
        let world = World::new(STRICT);
        let (a, b) = (world.logged_in("a").await, world.process("b"));
        b.fresh().await.unwrap();
        end(&a, first).await;
        let earlier = world.address.now().load(&user_key()).await.unwrap();
        tokio::time::sleep(secs(400)).await;
        b.load().await.unwrap_or_default();
        b.adopt(world.bank.login()).await.unwrap();
        a.load().await.unwrap();
        end(&a, second).await;
        world.address.fails_over_to(earlier).await;
        a.fresh().await.unwrap_err();
        let calls = [called_each_second(&a), called_each_second(&b)];
        tokio::time::sleep(secs(700)).await;
        for handle in [&a, &b] {
            assert!(handle.fresh().await.is_err(), "{first}, then {second}");
        }
        assert!(
            world.address.record().await.unwrap().tokens.is_none(),
            "{first}, then {second}"
        );
        calls.iter().for_each(tokio::task::JoinHandle::abort);
    }
}

#[tokio::test(start_paused = true)]
async fn a_login_made_while_the_store_had_lost_all_stays_when_an_older_grant_comes_back() {
    for looks_too in [true, false] {
        let world = World::new(STRICT);
        let before = world.logged_in("before").await;
        let old = world.address.now().load(&user_key()).await.unwrap();
        drop(before);
        world.address.fails_over_to(None).await;
        tokio::time::sleep(secs(100)).await;
        let handle = world.logged_in("a").await;
        tokio::time::sleep(secs(100)).await;
        world.address.fails_over_to(old).await;
        let other = world.process("b");
        let others = looks_too.then(|| called_each_second(&other));
        let calls = called_each_second(&handle);
        tokio::time::sleep(secs(700)).await;
        for handle in [&handle, &other] {
            assert_eq!(text(&handle.fresh().await.unwrap()), "Bearer access-2", "{looks_too}");
        }
        calls.abort();
        others.inspect(tokio::task::JoinHandle::abort);
    }
}

/// A login over a loss stays, too, where the process of the login remembered a grant that was older still, and had not seen the one that is lost.
#[tokio::test(start_paused = true)]
async fn a_login_made_over_a_loss_stays_though_its_process_remembered_an_older_grant() {
    for how in ["comes back", "lost again", "damage"] {
        for (gap, stays) in [(100, true), (30, false)] {
            let world = World::new(STRICT);
            let (a, c) = (world.logged_in("a").await, world.process("c"));
            c.fresh().await.unwrap();
            tokio::time::sleep(secs(100)).await;
            a.adopt(world.bank.login()).await.unwrap();
            let second = world.address.now().load(&user_key()).await.unwrap();
            let lost = second.clone().filter(|_| how == "damage").map(|second| {
                let half = &second.bytes[..second.bytes.len() / 2];
                StoredRecord::new(second.revision, half)
            });
            world.address.fails_over_to(lost).await;
            tokio::time::sleep(secs(gap)).await;
            c.adopt(world.bank.login()).await.unwrap();
            world
                .address
                .fails_over_to(second.clone().filter(|_| how != "lost again"))
                .await;
            if how == "lost again" {
                // It puts back what it has before the other one looks.
                let calls = called_each_second(&a);
                tokio::time::sleep(secs(700)).await;
                calls.abort();
            }
            let calls = [called_each_second(&a), called_each_second(&c)];
            tokio::time::sleep(secs(700)).await;
            calls.iter().for_each(tokio::task::JoinHandle::abort);
            for handle in [&a, &c] {
                let shown = text(&handle.fresh().await.unwrap());
                let newest = if stays { "Bearer access-3" } else { "Bearer access-2" };
                assert_eq!(shown, newest, "{how} {gap}");
            }
            // What is ended after it ends it.
            a.forget().await.unwrap();
            tokio::time::sleep(secs(700)).await;
            assert!(a.fresh().await.is_err() && c.fresh().await.is_err(), "{how} {gap}");
        }
    }
}

/// An end that came just before such a login stays one, seen or not; one of long before does not.
#[tokio::test(start_paused = true)]
async fn a_login_made_over_a_loss_undoes_no_end_of_just_before() {
    for (gap, stays) in [(30, false), (100, true)] {
        let world = World::new(STRICT);
        let (a, c) = (world.logged_in("a").await, world.process("c"));
        c.fresh().await.unwrap();
        let first = world.address.now().load(&user_key()).await.unwrap();
        tokio::time::sleep(secs(100)).await;
        a.adopt(world.bank.login()).await.unwrap();
        a.forget().await.unwrap();
        let ended = world.address.now().load(&user_key()).await.unwrap();
        world.address.fails_over_to(None).await;
        tokio::time::sleep(secs(gap)).await;
        c.adopt(world.bank.login()).await.unwrap();
        world.address.fails_over_to(ended).await;
        let calls = [called_each_second(&a), called_each_second(&c)];
        let newest = stays.then(|| "Bearer access-3".to_owned());
        for copy in [None, Some(first)] {
            if let Some(copy) = copy {
                world.address.fails_over_to(copy).await;
            }
            tokio::time::sleep(secs(700)).await;
            for handle in [&a, &c] {
                let shown = handle.fresh().await.ok().map(|bearer| text(&bearer));
                assert_eq!(shown, newest, "{gap}");
            }
        }
        calls.iter().for_each(tokio::task::JoinHandle::abort);
    }
}

/// Whoever ended the grant before writes that end again, which the login could not see.
#[tokio::test(start_paused = true)]
async fn a_login_made_while_the_store_had_lost_an_end_stays_when_that_end_comes_back() {
    for how in ["forget", "revoke"] {
        for (gap, stays) in [(100, true), (30, false)] {
            let world = World::new(STRICT);
            let (a, b) = (world.logged_in("a").await, world.process("b"));
            b.fresh().await.unwrap();
            let alive = world.address.now().load(&user_key()).await.unwrap();
            end(&a, how).await;
            world.address.fails_over_to(alive.clone()).await;
            tokio::time::sleep(secs(gap)).await;
            b.adopt(world.bank.login()).await.unwrap();
            world.address.fails_over_to(alive).await;
            a.fresh().await.unwrap_err();
            let calls = [called_each_second(&a), called_each_second(&b)];
            tokio::time::sleep(secs(700)).await;
            calls.iter().for_each(tokio::task::JoinHandle::abort);
            for handle in [&a, &b] {
                let shown = handle.fresh().await.ok().map(|bearer| text(&bearer));
                assert_eq!(shown.as_deref(), stays.then_some("Bearer access-2"), "{how} {gap}");
            }
            let is_revoked = world.bank.revoked_tokens().contains(&"refresh-2".to_owned());
            assert_eq!(is_revoked, !stays && how == "revoke", "{how} {gap}");
            // What is ended after it ends it.
            if stays {
                end(&a, how).await;
                tokio::time::sleep(secs(700)).await;
                assert!(a.fresh().await.is_err() && b.fresh().await.is_err(), "{how}");
            }
        }
    }
}
