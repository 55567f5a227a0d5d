//! Grants that end in another process, and what is served until that is known.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod store_support;
mod token_support;

use std::sync::Arc;

use finrail::token::Rejection;
use finrail::token::store::StoredRecord;
use finrail::token::{Error, Event, Expiring, ReauthorizationReason, Rotation, TokenStore};
use store_support::*;
use token_support::*;

#[tokio::test(start_paused = true)]
async fn a_grant_forgotten_elsewhere_is_noticed_within_minutes_though_the_token_never_ends() {
    let world = World::new(Habits { life: None, ..STRICT });
    let here = world.logged_in("here").await;
    assert!(here.header().is_some());
    world.process("there").forget().await.unwrap();
    tokio::time::sleep(secs(301)).await;
    let _ = here.header();
    here.settled().await;
    assert!(here.header().is_none());
    assert!(here.fresh().await.unwrap_err().reauthorization_required());
}

#[tokio::test(start_paused = true)]
async fn a_read_that_began_before_does_not_bring_a_forgotten_grant_back() {
    let world = World::new(STRICT);
    let slow = Watched::new(world.store());
    let store: Arc<dyn TokenStore> = Arc::clone(&slow) as Arc<dyn TokenStore>;
    let handle = user(&world.bank, &store, &world.clock, "a").build();
    handle.adopt(world.bank.login()).await.unwrap();
    *slow.delay_of_next_read.lock().unwrap() = secs(5);
    let reader = handle.clone();
    let read = tokio::spawn(async move { reader.load().await });
    tokio::time::sleep(secs(1)).await;
    handle.forget().await.unwrap();
    let _ = read.await.unwrap();
    assert!(handle.header().is_none());
}

#[tokio::test(start_paused = true)]
async fn of_a_grant_that_never_was_a_mark_is_left_when_it_is_forgotten_and_a_login_goes_over_it() {
    let world = World::new(STRICT);
    let handle = world.process("a");
    handle.forget().await.unwrap();
    let record = world.address.record().await.unwrap();
    assert!(record.tokens.is_none() && record.tombstone.is_some());
    assert!(handle.fresh().await.is_err());
    handle.adopt(world.bank.login()).await.unwrap();
    assert_eq!(text(&handle.fresh().await.unwrap()), "Bearer access-1");
}

/// It may have seen an end before this one, or nothing.
#[tokio::test(start_paused = true)]
async fn a_login_that_waits_for_its_store_ends_with_every_end_that_comes_meanwhile() {
    for before in ["nothing", "alive", "forgotten", "revoked"] {
        for how in ["forget", "revoke"] {
            for answers in [true, false] {
                let world = World::new(STRICT);
                let flaky = Arc::new(FlakyStore::new(world.store()));
                let store: Arc<dyn TokenStore> = Arc::clone(&flaky) as Arc<dyn TokenStore>;
                let waits = user(&world.bank, &store, &world.clock, "waits").build();
                let ends = world.process("ends");
                if before != "nothing" {
                    ends.adopt(world.bank.login()).await.unwrap();
                }
                match before {
                    "forgotten" => ends.forget().await.unwrap(),
                    "revoked" => ends.revoke().await.unwrap(),
                    _ => {}
                }
                // It learns of what there was, an end included.
                let _ = waits.load().await;
                let is_missing = how == "revoke" && before == "nothing";
                match answers {
                    true => flaky.lose_swaps(),
                    false => flaky.fail_after_swaps(0),
                }
                waits.adopt(world.bank.login()).await.unwrap_err();
                tokio::time::sleep(secs(30)).await;
                let ended = loop {
                    let ended = match how {
                        "forget" => ends.forget().await,
                        _ => ends.revoke().await,
                    };
                    // The login may have the lease.
                    if !matches!(ended, Err(Error::Busy { .. })) {
                        break ended;
                    }
                };
                // What was never there cannot be revoked, and that is said.
                assert_eq!(ended.is_err(), is_missing, "{before} {how} {answers}: {ended:?}");
                flaky.heal();
                tokio::time::sleep(secs(60)).await;
                if is_missing {
                    continue;
                }
                let record = world.address.record().await.unwrap();
                assert!(record.tokens.is_none(), "{before} {how} {answers}");
                for handle in [&waits, &ends] {
                    assert!(handle.fresh().await.is_err(), "{before} {how} {answers}");
                }
                let login = if before == "nothing" { "refresh-1" } else { "refresh-2" };
                let revoked = world.bank.revoked_tokens();
                assert!(
                    revoked.iter().any(|token| token == login),
                    "{before} {how} {answers}: {revoked:?}"
                );
                // The next login goes over the end.
                waits.adopt(world.bank.login()).await.unwrap();
                assert!(ends.load().await.unwrap().is_some(), "{before} {how} {answers}");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_read_can_be_forgotten() {
    let world = World::new(STRICT);
    let damaged = StoredRecord::new(7, b"{ not a record".to_vec());
    world.address.fails_over_to(Some(damaged)).await;
    world.process("a").forget().await.unwrap();
    assert!(world.address.record().await.unwrap().tokens.is_none());
}

#[tokio::test(start_paused = true)]
async fn a_revocation_elsewhere_is_noticed_within_minutes_though_the_token_never_ends() {
    let world = World::new(Habits { life: None, ..STRICT });
    let here = world.logged_in("here").await;
    assert!(here.header().is_some());
    world.process("there").revoke().await.unwrap();
    tokio::time::sleep(secs(301)).await;
    let _ = here.header();
    here.settled().await;
    assert!(here.header().is_none());
    let error = here.fresh().await.unwrap_err();
    let revoked = ReauthorizationReason::Revoked;
    assert!(matches!(error, Error::ReauthorizationRequired { reason, .. } if reason == revoked));
}

#[tokio::test(start_paused = true)]
async fn a_revocation_while_a_sibling_refreshes_waits_for_what_the_sibling_gets() {
    let world = World::new(STRICT);
    let here = world.logged_in("here").await;
    let there = world.process("there");
    there.load().await.unwrap();
    tokio::time::sleep(HOUR).await;
    world.bank.faults([Fault::Slow(secs(5))]);
    let refresh = tokio::spawn(async move { there.fresh().await });
    tokio::time::sleep(secs(1)).await;
    here.revoke().await.unwrap();
    refresh.await.unwrap().unwrap();
    assert_eq!(world.bank.revoked_tokens(), ["refresh-2"]);
    assert!(world.address.record().await.unwrap().tokens.is_none());
}

#[tokio::test(start_paused = true)]
async fn a_revocation_after_a_refresh_in_doubt_or_refused_ends_the_access_token_too() {
    for refused in [false, true] {
        let world = World::new(STRICT);
        let handle = world.logged_in("a").await;
        tokio::time::sleep(HOUR).await;
        match refused {
            true => world.bank.withdraw(),
            false => world.bank.faults([Fault::LoseReply]),
        }
        let error = handle.fresh().await.unwrap_err();
        assert_eq!(error.reauthorization_required(), refused, "{error:?}");
        handle.revoke().await.unwrap();
        assert_eq!(world.bank.revoked_tokens(), ["refresh-1", "access-1"]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_401_without_a_reason_does_not_end_a_grant_that_has_no_refresh_token() {
    let world = World::new(Habits { life: None, ..STRICT });
    let handle = world.process("a");
    let mut reply = world.bank.login();
    reply.refresh_token = None;
    handle.adopt(reply).await.unwrap();
    let bearer = handle.fresh().await.unwrap();
    for _ in 0..3 {
        let refused = handle.rejected(bearer.generation, Rejection::Unexplained).await;
        assert!(matches!(refused, Err(Error::TokenRefused { .. })), "{refused:?}");
        assert_eq!(text(&handle.fresh().await.unwrap()), text(&bearer));
    }
    // The provider's own word is another matter.
    let over = handle.rejected(bearer.generation, Rejection::InvalidToken).await;
    assert!(over.unwrap_err().reauthorization_required());
}

#[tokio::test(start_paused = true)]
async fn a_token_that_nothing_can_replace_is_served_to_its_end_without_asking_the_store_with_every_call() {
    let world = World::new(STRICT);
    let store = Watched::new(world.store());
    let counted: Arc<dyn TokenStore> = Arc::clone(&store) as Arc<dyn TokenStore>;
    let handle = user(&world.bank, &counted, &world.clock, "a").build();
    let mut reply = world.bank.login();
    reply.refresh_token = None;
    handle.adopt(reply).await.unwrap();
    let before = store.reads();
    // A call every second, to the last one.
    for _ in 0..3599 {
        assert!(handle.header().is_some());
        tokio::time::sleep(secs(1)).await;
    }
    let asked = store.reads() - before;
    assert!(asked <= 25, "{asked} looks at the store in an hour");
    tokio::time::sleep(secs(2)).await;
    let error = handle.fresh().await.unwrap_err();
    assert!(error.reauthorization_required(), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_refresh_that_waits_out_a_doubt_does_not_ask_with_every_call() {
    let habits = Habits {
        grace: Some(secs(60)),
        ..STRICT
    };
    let world = World::new(habits);
    let rotation = Rotation::new(Some(true), habits.grace).reuse_revokes_family(true);
    let store = Watched::new(world.store());
    let counted: Arc<dyn TokenStore> = Arc::clone(&store) as Arc<dyn TokenStore>;
    let handle = user(&world.bank, &counted, &world.clock, "a")
        .rotation(rotation)
        .build();
    handle.adopt(world.bank.login()).await.unwrap();
    tokio::time::sleep(secs(3110)).await;
    handle.fresh().await.unwrap();
    tokio::time::sleep(secs(200)).await;
    world.bank.faults([Fault::LoseReply]);
    let _ = handle.header();
    handle.settled().await;
    // Out of grace: asking again could end the access token that still serves.
    tokio::time::sleep(secs(61)).await;
    let before = store.reads();
    for _ in 0..100 {
        assert!(handle.header().is_some());
        tokio::time::sleep(secs(1)).await;
    }
    let asked = store.reads() - before;
    assert!(asked <= 20, "{asked} looks at the store in 100 seconds");
    assert_eq!(world.bank.requests(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_suspend_between_lease_and_request_sends_nothing() {
    let world = World::new(STRICT);
    let asleep = Watched::new(world.store());
    let store: Arc<dyn TokenStore> = Arc::clone(&asleep) as Arc<dyn TokenStore>;
    let handle = user(&world.bank, &store, &world.clock, "laptop").build();
    handle.adopt(world.bank.login()).await.unwrap();
    tokio::time::sleep(HOUR).await;
    // The machine is suspended while the store writes: the wall clock goes on, the monotonic one does not.
    let clock = Arc::clone(&world.clock);
    *asleep.before_next_write.lock().unwrap() = Some(Box::new(move || clock.jump(3600)));
    assert!(matches!(handle.fresh().await, Err(Error::Busy { .. })));
    assert_eq!(world.bank.requests(), 0);
    // Nothing was sent, so there is no doubt.
    assert!(world.address.record().await.unwrap().intent.is_none());
    tokio::time::sleep(secs(2)).await;
    handle.fresh().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn settled_waits_for_a_refresh_beside_the_calls_and_for_its_write() {
    let world = World::new(STRICT);
    let flaky = Arc::new(FlakyStore::new(world.store()));
    let store: Arc<dyn TokenStore> = Arc::clone(&flaky) as Arc<dyn TokenStore>;
    let handle = user(&world.bank, &store, &world.clock, "a").build();
    handle.adopt(world.bank.login()).await.unwrap();
    tokio::time::sleep(secs(3140)).await;
    handle.fresh().await.unwrap();
    tokio::time::sleep(secs(260)).await;
    flaky.fail_after_swaps(1);
    assert_eq!(text(&handle.header().unwrap()), "Bearer access-1");
    assert!(tokio::time::timeout(secs(60), handle.settled()).await.is_err());
    assert_eq!(world.address.record().await.unwrap().generation(), 1);
    flaky.heal();
    handle.settled().await;
    assert_eq!(world.address.record().await.unwrap().generation(), 2);
}

#[tokio::test(start_paused = true)]
async fn an_end_that_comes_near_is_told_though_nothing_happens_to_the_grant() {
    let world = World::new(Habits { life: None, ..STRICT });
    let rotation = Rotation::new(Some(true), None).consent_lifetime(Some(secs(90 * 86_400)));
    let handle = user(&world.bank, &world.store(), &world.clock, "a")
        .rotation(rotation)
        .build();
    let mut reply = world.bank.login();
    reply.refresh_expires_in = Some(secs(28 * 86_400));
    handle.adopt(reply).await.unwrap();
    // The grant was read before anybody watched.
    let mut events = handle.watch();
    let started = tokio::time::Instant::now();
    let mut told = Vec::new();
    while let Ok(Some(event)) = tokio::time::timeout(secs(100 * 86_400), events.next()).await {
        let Event::ExpiresSoon { what, .. } = event else {
            panic!("{event:?}");
        };
        told.push((what, started.elapsed().as_secs() / 86_400));
        if told.len() == 2 {
            break;
        }
    }
    assert_eq!(told, [(Expiring::RefreshToken, 21), (Expiring::Consent, 83)]);
    assert_eq!(events.try_next(), None);
}

#[tokio::test(start_paused = true)]
async fn a_store_that_does_not_answer_holds_up_no_good_token_for_more_than_a_second() {
    let world = World::new(STRICT);
    let handle = world.logged_in("a").await;
    let watched = Watched::new(world.store());
    let idle = user(
        &world.bank,
        &(Arc::clone(&watched) as Arc<dyn TokenStore>),
        &world.clock,
        "idle",
    )
    .build();
    idle.load().await.unwrap();
    tokio::time::sleep(secs(1200)).await;
    *watched.delay_of_next_read.lock().unwrap() = secs(3600);
    let began = tokio::time::Instant::now();
    assert_eq!(text(&idle.fresh().await.unwrap()), "Bearer access-1");
    assert_eq!(began.elapsed(), secs(1));
    // And the calls after it do not wait again.
    assert_eq!(text(&idle.fresh().await.unwrap()), "Bearer access-1");
    assert_eq!(began.elapsed(), secs(1));
    // A store that answers is asked first, when nobody has looked for the whole time.
    handle.forget().await.unwrap();
    tokio::time::sleep(secs(600)).await;
    assert!(matches!(idle.fresh().await, Err(Error::NoGrant { .. })));
}

#[tokio::test(start_paused = true)]
async fn tokens_that_are_in_memory_only_are_revoked_with_their_grant_wherever_that_is_asked_for() {
    for revoked_here in [true, false] {
        let world = World::new(STRICT);
        let flaky = Arc::new(FlakyStore::new(world.store()));
        let store: Arc<dyn TokenStore> = Arc::clone(&flaky) as Arc<dyn TokenStore>;
        let handle = user(&world.bank, &store, &world.clock, "a").build();
        handle.adopt(world.bank.login()).await.unwrap();
        tokio::time::sleep(HOUR).await;
        world.bank.faults([Fault::Slow(secs(1))]);
        let refresh = tokio::spawn({
            let handle = handle.clone();
            async move { handle.fresh().await }
        });
        tokio::time::sleep(secs(1) / 2).await;
        flaky.lose_swaps();
        assert_eq!(text(&refresh.await.unwrap().unwrap()), "Bearer access-2");
        tokio::time::sleep(secs(60)).await;
        if revoked_here {
            flaky.heal();
            handle.revoke().await.unwrap();
        } else {
            // Its own way to the store is a good one, and it knows of the tokens before only.
            world.process("there").revoke().await.unwrap();
            assert_eq!(world.bank.revoked_tokens(), ["refresh-1", "access-1"]);
            flaky.heal();
        }
        handle.settled().await;
        tokio::time::sleep(secs(10)).await;
        let revoked = world.bank.revoked_tokens();
        assert!(revoked.contains(&"refresh-2".to_owned()), "{revoked_here}: {revoked:?}");
        let tombstone = world.address.record().await.unwrap().tombstone.unwrap();
        assert_eq!(tombstone.reason, ReauthorizationReason::Revoked);
        assert!(handle.header().is_none());
    }
}

/// After a pause the first call looks before it uses a token, however far the token is in its life and whichever clock
/// shows the pause.
#[tokio::test(start_paused = true)]
async fn after_a_pause_an_end_elsewhere_is_learned_before_the_first_call() {
    for (pause, slept) in [(1800, 0), (3400, 0), (10, 600)] {
        let world = World::new(Habits {
            life: Some(HOUR * 2),
            ..STRICT
        });
        let handle = world.logged_in("a").await;
        let idle = world.process("idle");
        idle.fresh().await.unwrap();
        handle.revoke().await.unwrap();
        tokio::time::sleep(secs(pause)).await;
        // The machine slept: only the time of day went on.
        world.clock.jump(slept);
        assert!(idle.header().is_none(), "{pause} {slept}");
        assert!(
            idle.fresh().await.unwrap_err().reauthorization_required(),
            "{pause} {slept}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn after_a_pause_an_end_elsewhere_is_learned_while_the_server_rests_too() {
    let world = World::new(Habits {
        life: Some(HOUR * 2),
        ..STRICT
    });
    let handle = world.logged_in("a").await;
    world.bank.faults([Fault::Throttle(Some(secs(600)))]);
    assert!(matches!(handle.renew(1).await, Err(Error::Throttled { .. })));
    assert_eq!(text(&handle.fresh().await.unwrap()), "Bearer access-1");
    world.process("there").revoke().await.unwrap();
    tokio::time::sleep(secs(400)).await;
    assert!(handle.fresh().await.unwrap_err().reauthorization_required());
    assert_eq!(world.bank.requests(), 1);
}

#[tokio::test(start_paused = true)]
async fn while_the_server_rests_the_store_is_looked_at_every_two_seconds_and_not_with_every_call() {
    let world = World::new(STRICT);
    let store = Watched::new(world.store());
    let counted: Arc<dyn TokenStore> = Arc::clone(&store) as Arc<dyn TokenStore>;
    let handle = user(&world.bank, &counted, &world.clock, "a").build();
    handle.adopt(world.bank.login()).await.unwrap();
    tokio::time::sleep(HOUR).await;
    world.bank.faults([Fault::Throttle(Some(secs(600)))]);
    assert!(matches!(handle.fresh().await, Err(Error::Throttled { .. })));
    let before = store.reads();
    for _ in 0..100 {
        assert!(matches!(handle.fresh().await, Err(Error::Throttled { .. })));
        tokio::time::sleep(secs(1) / 10).await;
    }
    let looks = store.reads() - before;
    assert!((4..=5).contains(&looks), "{looks} looks in ten seconds");
}

/// A 401 that does not say that it is the token, and a refresh whose reply is lost: the token may be good, and the spent
/// refresh token could end it.
#[tokio::test(start_paused = true)]
async fn a_suspect_token_serves_where_asking_for_another_one_could_only_end_it() {
    let world = World::new(STRICT);
    let handle = world.logged_in("a").await;
    tokio::time::sleep(secs(600)).await;
    let bearer = handle.fresh().await.unwrap();
    world.bank.faults([Fault::LoseReply]);
    let error = handle
        .rejected(bearer.generation, Rejection::Unexplained)
        .await
        .unwrap_err();
    assert!(matches!(error, Error::InDoubt { .. }), "{error:?}");
    for _ in 0..20 {
        tokio::time::sleep(secs(60)).await;
        assert!(world.bank.accepts(&text(&handle.fresh().await.unwrap())));
    }
    assert_eq!(
        world.bank.sent(),
        ["refresh-1"],
        "the spent token is not sent while the access token lives"
    );
    // One that the provider refuses by name is over.
    assert!(
        handle
            .rejected(bearer.generation, Rejection::InvalidToken)
            .await
            .is_err()
    );
    assert!(handle.fresh().await.is_err());
}

#[tokio::test(start_paused = true)]
async fn tokens_in_memory_that_give_way_to_their_own_login_are_not_revoked_with_it() {
    for what in ["a refresh", "forgotten"] {
        let world = World::new(Habits {
            grace: Some(HOUR),
            ..STRICT
        });
        let flaky = Arc::new(FlakyStore::new(world.store()));
        let store: Arc<dyn TokenStore> = Arc::clone(&flaky) as Arc<dyn TokenStore>;
        let handle = user(&world.bank, &store, &world.clock, "a").build();
        handle.adopt(world.bank.login()).await.unwrap();
        tokio::time::sleep(HOUR).await;
        world.bank.faults([Fault::Slow(secs(1))]);
        let refresh = tokio::spawn({
            let handle = handle.clone();
            async move { handle.fresh().await }
        });
        tokio::time::sleep(secs(1) / 2).await;
        flaky.lose_swaps();
        assert_eq!(text(&refresh.await.unwrap().unwrap()), "Bearer access-2");
        // Its own way to the store is a good one.
        let there = world.process("there");
        match what {
            "a refresh" => assert_eq!(text(&there.fresh().await.unwrap()), "Bearer access-3"),
            _ => there.forget().await.unwrap(),
        }
        flaky.heal();
        tokio::time::timeout(secs(60), handle.settled()).await.unwrap();
        // What ends one refresh token of the login at the provider ends all of them.
        assert!(world.bank.alive() && world.bank.revoked_tokens().is_empty(), "{what}");
        match what {
            "a refresh" => assert_eq!(text(&handle.header().unwrap()), "Bearer access-3"),
            _ => assert!(handle.header().is_none()),
        }
    }
}

/// Each call of a process whose writes arrive, and whose answers are lost, may leave another intent behind.
#[tokio::test(start_paused = true)]
async fn nobody_waits_for_ever_for_a_sender_that_announces_one_request_after_the_other() {
    for what in ["a revocation", "a refresh"] {
        let world = World::new(STRICT);
        let flaky = Arc::new(FlakyStore::new(world.store()));
        let store: Arc<dyn TokenStore> = Arc::clone(&flaky) as Arc<dyn TokenStore>;
        let here = world.logged_in("here").await;
        let there = user(&world.bank, &store, &world.clock, "there").seed(99_000).build();
        there.fresh().await.unwrap();
        tokio::time::sleep(HOUR).await;
        flaky.lose_answers_and_the_reads_after_them();
        let calls = called_each_second(&there);
        tokio::time::sleep(secs(10)).await;
        let began = tokio::time::Instant::now();
        let done = tokio::time::timeout(HOUR, async {
            match what {
                "a revocation" => here.revoke().await,
                _ => here.fresh().await.map(|_| ()),
            }
        });
        let done = done.await.expect(what);
        assert!(began.elapsed() < secs(120), "{what}: {:?}", began.elapsed());
        if what == "a revocation" {
            done.unwrap();
            // The request may have left, for all that is known.
            assert_eq!(world.bank.revoked_tokens(), ["refresh-1", "access-1"]);
            there.fresh().await.unwrap_err();
        } else {
            assert!(
                matches!(&done, Err(Error::Busy { holder, .. }) if holder.starts_with("there")),
                "{what}: {done:?}"
            );
        }
        calls.abort();
    }
}

#[tokio::test(start_paused = true)]
async fn who_finds_its_intent_in_the_store_sends_under_it_though_the_answer_to_its_write_was_lost() {
    let world = World::new(STRICT);
    let flaky = Arc::new(FlakyStore::new(world.store()));
    let store: Arc<dyn TokenStore> = Arc::clone(&flaky) as Arc<dyn TokenStore>;
    let handle = user(&world.bank, &store, &world.clock, "a").build();
    handle.adopt(world.bank.login()).await.unwrap();
    tokio::time::sleep(HOUR).await;
    flaky.lose_answers();
    assert_eq!(text(&handle.fresh().await.unwrap()), "Bearer access-2");
    flaky.heal();
    handle.settled().await;
    let record = world.address.record().await.unwrap();
    assert!(record.intent.is_none());
    assert_eq!(record.tokens.unwrap().generation, 2);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_sent_where_the_intent_did_not_arrive_though_the_store_can_be_read() {
    let world = World::new(STRICT);
    let flaky = Arc::new(FlakyStore::new(world.store()));
    let store: Arc<dyn TokenStore> = Arc::clone(&flaky) as Arc<dyn TokenStore>;
    let handle = user(&world.bank, &store, &world.clock, "a").build();
    handle.adopt(world.bank.login()).await.unwrap();
    tokio::time::sleep(HOUR).await;
    flaky.lose_swaps();
    handle.fresh().await.unwrap_err();
    handle.settled().await;
    assert!(world.bank.sent().is_empty(), "{:?}", world.bank.sent());
    flaky.heal();
    tokio::time::sleep(secs(60)).await;
    assert_eq!(text(&handle.fresh().await.unwrap()), "Bearer access-2");
}
