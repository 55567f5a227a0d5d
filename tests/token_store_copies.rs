//! Copies of a store that come and go: which of several ends and logins counts, when each was made on another copy.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod store_support;
mod token_support;

use std::sync::Arc;

use finrail::token::store::StoredRecord;
use finrail::token::{PseudonymKey, TokenHandle, TokenStore};
use store_support::*;
use token_support::*;

async fn copy(world: &World) -> Option<StoredRecord> {
    world.address.now().load(&user_key()).await.unwrap()
}

/// What each shows after so many seconds of calls.
async fn called(seconds: u64, handles: &[&TokenHandle]) -> Vec<Option<String>> {
    let calls: Vec<_> = handles.iter().map(|handle| called_each_second(handle)).collect();
    tokio::time::sleep(secs(seconds)).await;
    calls.iter().for_each(tokio::task::JoinHandle::abort);
    let mut shown = Vec::new();
    for handle in handles {
        shown.push(handle.fresh().await.ok().map(|bearer| text(&bearer)));
    }
    shown
}

/// The store goes on with an older copy, somebody logs in there, and then the newer copy comes back.
#[tokio::test(start_paused = true)]
async fn a_login_made_on_an_older_copy_stays_when_the_newer_copy_comes_back() {
    for seed in [1, 2_000_000, 4_000_000, 7_000_000, 15_000_000] {
        for (gap, stays) in [(100, true), (62, true), (58, false)] {
            for looks_first in [0, 1] {
                let world = World::new(STRICT);
                let process = |holder: &str, seed| {
                    let set_up = user(&world.bank, &world.store(), &world.clock, holder);
                    set_up.seed(seed).build()
                };
                let (a, c) = (process("a", seed), process("c", seed * 3 + 77_777));
                a.adopt(world.bank.login()).await.unwrap();
                let older = copy(&world).await;
                tokio::time::sleep(secs(100)).await;
                a.adopt(world.bank.login()).await.unwrap();
                let newer = copy(&world).await;
                world.address.fails_over_to(older).await;
                tokio::time::sleep(secs(gap)).await;
                c.adopt(world.bank.login()).await.unwrap();
                tokio::time::sleep(secs(10)).await;
                world.address.fails_over_to(newer).await;
                let mut calls = vec![called_each_second([&a, &c][looks_first])];
                tokio::time::sleep(secs(20)).await;
                calls.push(called_each_second([&c, &a][looks_first]));
                tokio::time::sleep(secs(900)).await;
                calls.iter().for_each(tokio::task::JoinHandle::abort);
                let newest = if stays { "Bearer access-3" } else { "Bearer access-2" };
                for handle in [&a, &c] {
                    let shown = text(&handle.fresh().await.unwrap());
                    assert_eq!(shown, newest, "{gap} {seed} {looks_first}");
                }
                // What is ended after it ends it.
                a.forget().await.unwrap();
                tokio::time::sleep(secs(700)).await;
                assert!(a.fresh().await.is_err() && c.fresh().await.is_err(), "{gap} {seed}");
            }
        }
    }
}

/// What was at hand when the copies parted: of two processes, one goes on with the newer copy, and the other one logs in on
/// the older copy, which has it then.
struct Parted {
    world: World,
    a: TokenHandle,
    c: TokenHandle,
    newer: Option<StoredRecord>,
}

impl Parted {
    /// `logins`: on the newer copy. The last one is ended there after ten seconds; `gap`: then c logs in.
    async fn new(habits: Habits, logins: usize, ended: Option<&str>, gap: u64) -> Self {
        let world = World::new(habits);
        let (a, c) = (world.process("a"), world.process("c"));
        a.adopt(world.bank.login()).await.unwrap();
        let older = copy(&world).await;
        for _ in 0..logins {
            tokio::time::sleep(secs(70)).await;
            a.adopt(world.bank.login()).await.unwrap();
        }
        if let Some(how) = ended {
            tokio::time::sleep(secs(10)).await;
            end(&a, how).await;
        }
        let newer = copy(&world).await;
        world.address.fails_over_to(older).await;
        tokio::time::sleep(secs(gap)).await;
        c.adopt(world.bank.login()).await.unwrap();
        tokio::time::sleep(secs(100)).await;
        Self { world, a, c, newer }
    }

    /// The newer copy comes back, and these are called for a while: what they show then.
    async fn comes_back(&self, handles: &[&TokenHandle]) -> Vec<Option<String>> {
        self.world.address.fails_over_to(self.newer.clone()).await;
        called(900, handles).await
    }
}

#[tokio::test(start_paused = true)]
async fn a_login_made_on_an_older_copy_stays_however_many_logins_the_newer_copy_has() {
    for logins in [1, 16, 17, 40] {
        let parted = Parted::new(STRICT, logins, None, 100).await;
        let newest = Some(format!("Bearer access-{}", logins + 2));
        let shown = parted.comes_back(&[&parted.c, &parted.a]).await;
        assert_eq!(shown, [newest.clone(), newest], "{logins}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_login_made_on_an_older_copy_stays_when_an_end_of_long_before_comes_back() {
    for how in ["forget", "revoke"] {
        for (gap, stays) in [(3000, true), (62, true), (58, false)] {
            let parted = Parted::new(STRICT, 1, Some(how), gap).await;
            let shown = parted.comes_back(&[&parted.c, &parted.a]).await;
            let newest = stays.then(|| "Bearer access-3".to_owned());
            assert_eq!(shown, [newest.clone(), newest], "{how} {gap}");
        }
    }
}

/// Whoever ends it there does not know what the newer copy has.
#[tokio::test(start_paused = true)]
async fn a_grant_that_was_ended_on_an_older_copy_stays_ended_when_the_newer_copy_comes_back() {
    for how in ["forget", "revoke"] {
        for ends_it in ["a", "c"] {
            for looks_first in [0, 1] {
                let parted = Parted::new(STRICT, 1, None, 100).await;
                let Parted { world, a, c, .. } = &parted;
                end(if ends_it == "a" { a } else { c }, how).await;
                let handles = [[a, c], [c, a]][looks_first];
                let shown = parted.comes_back(&handles).await;
                assert_eq!(shown, [None, None], "{how} {ends_it} {looks_first}");
                let record = world.address.record().await.unwrap();
                assert!(record.tokens.is_none() && record.tombstone.is_some(), "{how} {ends_it}");
                // A login after it counts.
                c.adopt(world.bank.login()).await.unwrap();
                tokio::time::sleep(secs(700)).await;
                assert!(a.fresh().await.is_ok() && c.fresh().await.is_ok(), "{how} {ends_it}");
            }
        }
    }
}

/// Nobody logged in there: whoever ended it, and all who learned of that, know the newer copy's login to be over with it.
#[tokio::test(start_paused = true)]
async fn a_grant_that_was_ended_on_an_older_copy_stays_ended_where_nobody_logged_in_there() {
    for how in ["forget", "revoke"] {
        for (ends_it, logins, gap, stays_ended) in [
            ("a", 1, 100, true),
            ("c", 1, 100, true),
            ("c", 2, 100, true),
            ("c", 40, 100, true),
            ("c", 1, 62, true),
            ("c", 1, 58, false),
        ] {
            let world = World::new(STRICT);
            let (a, c) = (world.process("a"), world.process("c"));
            a.adopt(world.bank.login()).await.unwrap();
            c.load().await.unwrap();
            let older = copy(&world).await;
            for _ in 0..logins {
                tokio::time::sleep(secs(100)).await;
                a.adopt(world.bank.login()).await.unwrap();
            }
            let newer = copy(&world).await;
            world.address.fails_over_to(older).await;
            tokio::time::sleep(secs(gap)).await;
            end(if ends_it == "a" { &a } else { &c }, how).await;
            let calls = [called_each_second(&a), called_each_second(&c)];
            tokio::time::sleep(secs(400)).await;
            world.address.fails_over_to(newer).await;
            tokio::time::sleep(secs(900)).await;
            calls.iter().for_each(tokio::task::JoinHandle::abort);
            for handle in [&a, &c] {
                let is_over = handle.fresh().await.is_err();
                assert_eq!(is_over, stays_ended, "{how} {ends_it} {logins} {gap}");
            }
            // A login after it counts.
            c.adopt(world.bank.login()).await.unwrap();
            tokio::time::sleep(secs(700)).await;
            assert!(a.fresh().await.is_ok() && c.fresh().await.is_ok(), "{how} {ends_it}");
        }
    }
}

/// One process: the second end, of what an older copy shows, is not all that it knows.
#[tokio::test(start_paused = true)]
async fn an_end_on_an_older_copy_lets_nobody_forget_the_end_before_it() {
    for first in ["forget", "revoke"] {
        for second in ["forget", "revoke"] {
            for gap in [100, 1] {
                let world = World::new(STRICT);
                let a = world.process("a");
                a.adopt(world.bank.login()).await.unwrap();
                let older = copy(&world).await;
                tokio::time::sleep(secs(100)).await;
                a.adopt(world.bank.login()).await.unwrap();
                let newer = copy(&world).await;
                tokio::time::sleep(secs(gap)).await;
                end(&a, first).await;
                world.address.fails_over_to(older).await;
                tokio::time::sleep(secs(gap)).await;
                end(&a, second).await;
                world.address.fails_over_to(newer).await;
                tokio::time::sleep(secs(400)).await;
                assert!(a.fresh().await.is_err(), "{first}, then {second}, {gap}");
                let record = world.address.record().await.unwrap();
                assert!(
                    record.tokens.is_none() && record.tombstone.is_some(),
                    "{first}, then {second}"
                );
            }
        }
    }
}

/// A login after an end; the copy with that end comes back, and is ended once more by who knows nothing else.
#[tokio::test(start_paused = true)]
async fn an_end_of_what_is_over_ends_the_login_that_came_between() {
    for how in ["forget", "revoke"] {
        let world = World::new(STRICT);
        let (a, e) = (world.process("a"), world.process("e"));
        a.adopt(world.bank.login()).await.unwrap();
        tokio::time::sleep(secs(100)).await;
        a.forget().await.unwrap();
        let older = copy(&world).await;
        tokio::time::sleep(secs(100)).await;
        a.adopt(world.bank.login()).await.unwrap();
        let newer = copy(&world).await;
        world.address.fails_over_to(older).await;
        tokio::time::sleep(secs(100)).await;
        end(&e, how).await;
        let calls = [called_each_second(&a), called_each_second(&e)];
        tokio::time::sleep(secs(400)).await;
        world.address.fails_over_to(newer).await;
        tokio::time::sleep(secs(900)).await;
        calls.iter().for_each(tokio::task::JoinHandle::abort);
        for handle in [&a, &e] {
            assert!(handle.fresh().await.is_err(), "{how}");
        }
    }
}

/// The end that comes back is of long before the one that its process knows.
#[tokio::test(start_paused = true)]
async fn a_grant_that_was_ended_on_an_older_copy_stays_ended_when_an_end_comes_back() {
    for first in ["forget", "revoke"] {
        for second in ["forget", "revoke"] {
            let parted = Parted::new(STRICT, 1, Some(first), 100).await;
            let Parted { world, c, newer, .. } = &parted;
            // It ends what it has never held, and looks before c does.
            let ends = world.process("e");
            ends.load().await.unwrap();
            end(&ends, second).await;
            world.address.fails_over_to(newer.clone()).await;
            tokio::time::sleep(secs(10)).await;
            let _ = ends.load().await;
            tokio::time::sleep(secs(400)).await;
            let shown = parted.comes_back(&[c, &ends]).await;
            assert_eq!(shown, [None, None], "{first}, then {second}");
        }
    }
}

/// Nobody else has the tokens any more.
#[tokio::test(start_paused = true)]
async fn a_revocation_on_an_older_copy_revokes_what_it_takes_along_of_the_newer_copy() {
    for how in ["forget", "revoke"] {
        let parted = Parted::new(STRICT, 1, None, 100).await;
        end(&parted.c, how).await;
        parted.comes_back(&[&parted.c]).await;
        let revoked = parted.world.bank.revoked_tokens();
        assert_eq!(
            revoked.contains(&"refresh-2".to_owned()),
            how == "revoke",
            "{revoked:?}"
        );
    }
}

/// The provider refused the login of the older copy, which says nothing of the one in the newer copy.
#[tokio::test(start_paused = true)]
async fn a_login_of_an_older_copy_that_is_over_hides_no_living_grant_of_the_newer_one() {
    let parted = Parted::new(STRICT, 1, None, 100).await;
    let Parted { world, a, c, .. } = &parted;
    world.bank.withdraw();
    c.renew(c.info().unwrap().generation).await.unwrap_err();
    let shown = parted.comes_back(&[c, a]).await;
    let living = Some("Bearer access-2".to_owned());
    assert_eq!(shown, [living.clone(), living]);
}

/// The end of the first login goes over the second one, that of the newer copy, whose tokens are in the store alone.
#[tokio::test(start_paused = true)]
async fn what_an_end_takes_along_is_revoked_where_the_end_was_a_revocation() {
    for (how, holds) in [("revoke", false), ("revoke", true), ("forget", false)] {
        let world = World::new(STRICT);
        let (a, c) = (world.process("a"), world.process("c"));
        a.adopt(world.bank.login()).await.unwrap();
        let older = copy(&world).await;
        tokio::time::sleep(secs(100)).await;
        a.adopt(world.bank.login()).await.unwrap();
        let newer = copy(&world).await;
        let a = if holds { a } else { world.process("a") };
        world.address.fails_over_to(older).await;
        tokio::time::sleep(secs(100)).await;
        end(&c, how).await;
        world.address.fails_over_to(newer).await;
        assert_eq!(called(800, &[&c, &a]).await, [None, None], "{how} {holds}");
        let is_revoked = world.bank.revoked_tokens().contains(&"refresh-2".to_owned());
        assert_eq!(is_revoked, how == "revoke", "{how} {holds}");
    }
}

/// The end has gone over the second login when the third one is made: a copy with the second says nothing of the third.
#[tokio::test(start_paused = true)]
async fn a_login_after_an_end_stays_when_a_copy_with_what_that_end_took_along_comes_back() {
    for (waits, skew, gap) in [(false, 0, 100), (true, 0, 100), (false, -50, 70), (false, 50, 70)] {
        let world = World::new(STRICT);
        let clock = VirtualClock::new();
        clock.jump(skew);
        let flaky = Arc::new(FlakyStore::new(world.store()));
        let a = world.process("a");
        let d = user(
            &world.bank,
            &(Arc::clone(&flaky) as Arc<dyn TokenStore>),
            &world.clock,
            "d",
        )
        .build();
        let b = user(&world.bank, &world.store(), &clock, "b").build();
        a.adopt(world.bank.login()).await.unwrap();
        let older = copy(&world).await;
        tokio::time::sleep(secs(100)).await;
        d.load().await.unwrap();
        if waits {
            flaky.lose_swaps();
        }
        let _ = d.adopt(world.bank.login()).await;
        flaky.heal();
        tokio::time::sleep(secs(30 * u64::from(waits))).await;
        let newer = copy(&world).await;
        drop(d);
        world.address.fails_over_to(older).await;
        tokio::time::sleep(secs(gap)).await;
        a.revoke().await.unwrap();
        world.address.fails_over_to(newer.clone()).await;
        tokio::time::sleep(secs(1)).await;
        assert_eq!(called(5, &[&a]).await, [None], "{waits} {skew}");
        b.adopt(world.bank.login()).await.unwrap();
        called(400, &[&a, &b]).await;
        world.address.fails_over_to(newer).await;
        let third = Some("Bearer access-3".to_owned());
        assert_eq!(called(900, &[&a, &b]).await, [third.clone(), third], "{waits} {skew}");
    }
}

/// The first login is ended on its copy; then come a copy on which the second one was ended before that, and one with the third.
#[tokio::test(start_paused = true)]
async fn of_ends_of_several_logins_the_last_one_counts_whichever_copy_comes_between() {
    for how in ["forget", "revoke"] {
        for comes_between in [false, true] {
            let world = World::new(STRICT);
            let (a, e) = (world.process("a"), world.process("e"));
            a.adopt(world.bank.login()).await.unwrap();
            let first = copy(&world).await;
            tokio::time::sleep(secs(100)).await;
            a.adopt(world.bank.login()).await.unwrap();
            tokio::time::sleep(secs(100)).await;
            a.forget().await.unwrap();
            let ended = copy(&world).await;
            tokio::time::sleep(secs(100)).await;
            a.adopt(world.bank.login()).await.unwrap();
            let newest = copy(&world).await;
            world.address.fails_over_to(first).await;
            tokio::time::sleep(secs(400)).await;
            end(&e, how).await;
            assert_eq!(called(1000, &[&e, &a]).await, [None, None], "{how}");
            if comes_between {
                world.address.fails_over_to(ended).await;
                assert_eq!(called(1000, &[&e, &a]).await, [None, None], "{how}");
            }
            world.address.fails_over_to(newest).await;
            assert_eq!(called(1000, &[&e, &a]).await, [None, None], "{how} {comes_between}");
        }
    }
}

/// A clock that is ahead stamps the first end; the second one comes after it all the same.
#[tokio::test(start_paused = true)]
async fn a_second_end_counts_though_the_first_was_stamped_by_a_clock_that_is_ahead() {
    for how in ["forget", "revoke"] {
        let world = World::new(STRICT);
        let ahead = VirtualClock::new();
        ahead.jump(50);
        let a = world.process("a");
        let b = user(&world.bank, &world.store(), &ahead, "b").build();
        a.adopt(world.bank.login()).await.unwrap();
        let older = copy(&world).await;
        tokio::time::sleep(secs(80)).await;
        a.adopt(world.bank.login()).await.unwrap();
        let newer = copy(&world).await;
        // Nobody holds the second login.
        let a = world.process("a");
        world.address.fails_over_to(older).await;
        let _ = a.load().await;
        tokio::time::sleep(secs(20)).await;
        b.forget().await.unwrap();
        let _ = a.load().await;
        world.address.fails_over_to(newer.clone()).await;
        tokio::time::sleep(secs(5)).await;
        end(&a, how).await;
        drop(b);
        world.address.fails_over_to(newer).await;
        assert_eq!(called(400, &[&a]).await, [None], "{how}");
    }
}

/// With a key of pseudonyms no end names anybody, and none is an erasure for that.
#[tokio::test(start_paused = true)]
async fn ends_count_the_same_whether_or_not_they_name_somebody() {
    for keyed in [false, true] {
        let process = |world: &World, holder: &str| {
            let set_up = user(&world.bank, &world.store(), &world.clock, holder);
            match keyed {
                true => set_up.pseudonym_key(PseudonymKey::new([7; 32])).build(),
                false => set_up.build(),
            }
        };
        for (first, second) in [("forget", "forget"), ("revoke", "revoke"), ("forget", "revoke")] {
            // Two ends of one login; then the copy with the first one, and that with the login between them.
            let world = World::new(STRICT);
            let [a, b, e] = ["a", "b", "e"].map(|holder| process(&world, holder));
            a.adopt(world.bank.login()).await.unwrap();
            tokio::time::sleep(secs(400)).await;
            end(&a, first).await;
            let older = copy(&world).await;
            tokio::time::sleep(secs(400)).await;
            b.adopt(world.bank.login()).await.unwrap();
            let newer = copy(&world).await;
            tokio::time::sleep(secs(400)).await;
            world.address.fails_over_to(older.clone()).await;
            end(&e, second).await;
            tokio::time::sleep(secs(400)).await;
            world.address.fails_over_to(older).await;
            called(1000, &[&e, &a]).await;
            world.address.fails_over_to(newer).await;
            assert_eq!(called(1000, &[&e, &b]).await, [None, None], "{keyed} {first} {second}");

            // A login on an older copy, after an end that it could not see; then the copy with that end.
            let world = World::new(STRICT);
            let [a, b, e] = ["a", "b", "e"].map(|holder| process(&world, holder));
            a.adopt(world.bank.login()).await.unwrap();
            tokio::time::sleep(secs(400)).await;
            let older = copy(&world).await;
            b.adopt(world.bank.login()).await.unwrap();
            tokio::time::sleep(secs(400)).await;
            end(&b, first).await;
            let ended = copy(&world).await;
            tokio::time::sleep(secs(400)).await;
            drop((a, b));
            world.address.fails_over_to(older).await;
            e.adopt(world.bank.login()).await.unwrap();
            tokio::time::sleep(secs(400)).await;
            world.address.fails_over_to(ended).await;
            let third = Some("Bearer access-3".to_owned());
            assert_eq!(called(1000, &[&e]).await, [third], "{keyed} {first}");
        }
    }
}

/// It looked while the store was an older copy; when it can be stored, there is the end that the copy had lost.
#[tokio::test(start_paused = true)]
async fn a_login_long_after_an_end_goes_over_it_though_it_saw_the_grant_alive() {
    for newer_comes in [false, true] {
        for looks in [false, true] {
            let world = World::new(STRICT);
            let flaky = Arc::new(FlakyStore::new(world.store()));
            let process = || {
                user(
                    &world.bank,
                    &(Arc::clone(&flaky) as Arc<dyn TokenStore>),
                    &world.clock,
                    "d",
                )
                .build()
            };
            let a = world.process("a");
            a.adopt(world.bank.login()).await.unwrap();
            let older = copy(&world).await;
            tokio::time::sleep(secs(100)).await;
            process().adopt(world.bank.login()).await.unwrap();
            let newer = copy(&world).await;
            let d = process();
            world.address.fails_over_to(older.clone()).await;
            let a_again = world.process("a");
            drop(a);
            tokio::time::sleep(secs(100)).await;
            a_again.revoke().await.unwrap();
            world
                .address
                .fails_over_to(if newer_comes { newer } else { older })
                .await;
            tokio::time::sleep(secs(200)).await;
            d.load().await.unwrap();
            match looks {
                true => flaky.lose_swaps(),
                false => flaky.fail_after_swaps(0),
            }
            let _ = d.adopt(world.bank.login()).await;
            let _ = a_again.fresh().await;
            flaky.heal();
            let third = Some("Bearer access-3".to_owned());
            let shown = called(900, &[&d, &a_again]).await;
            assert_eq!(shown, [third.clone(), third], "{newer_comes} {looks}");
        }
    }
}

/// Nobody is named again by whoever forgets what was erased.
#[tokio::test(start_paused = true)]
async fn an_end_of_what_names_nobody_names_nobody() {
    let world = World::new(STRICT);
    let key = PseudonymKey::new([7; 32]);
    let set_up = || user(&world.bank, &world.store(), &world.clock, "a");
    let keyed = set_up().pseudonym_key(key).build();
    keyed.adopt(world.bank.login()).await.unwrap();
    keyed.forget().await.unwrap();
    for how in ["forget", "revoke"] {
        end(&set_up().build(), how).await;
        let stored = copy(&world).await.unwrap();
        assert!(!String::from_utf8_lossy(&stored.bytes).contains("customer-42"), "{how}");
    }
}

/// What is at hand where the copies part: the first login is on the older copy, on which it is ended by `a`, and the second one
/// on the newer copy alone.
struct TwoCopies {
    world: World,
    a: TokenHandle,
    older: Option<StoredRecord>,
    newer: Option<StoredRecord>,
}

impl TwoCopies {
    async fn new() -> Self {
        let world = World::new(STRICT);
        let (a, d) = (world.process("a"), world.process("d"));
        a.adopt(world.bank.login()).await.unwrap();
        let older = copy(&world).await;
        tokio::time::sleep(secs(100)).await;
        d.adopt(world.bank.login()).await.unwrap();
        let newer = copy(&world).await;
        world.address.fails_over_to(older.clone()).await;
        tokio::time::sleep(secs(100)).await;
        Self { world, a, older, newer }
    }
}

/// It saw the end, which goes over the second login when that comes back: however clocks stand, the third one came after it.
#[tokio::test(start_paused = true)]
async fn a_login_that_saw_an_end_stays_though_the_end_becomes_that_of_another_login() {
    for how in ["forget", "revoke"] {
        for (skew, gap) in [(0, 10), (0, 50), (0, 100), (-50, 90), (50, 10), (-50, 120)] {
            for looks_first in [0, 1] {
                for waits in [false, true] {
                    let TwoCopies { world, a, newer, .. } = TwoCopies::new().await;
                    let clock = VirtualClock::new();
                    clock.jump(skew + 200);
                    let flaky = Arc::new(FlakyStore::new(world.store()));
                    let b = user(&world.bank, &(Arc::clone(&flaky) as Arc<dyn TokenStore>), &clock, "b").build();
                    end(&a, how).await;
                    tokio::time::sleep(secs(gap)).await;
                    if waits {
                        let _ = b.load().await;
                        flaky.fail_after_swaps(0);
                    }
                    let _ = b.adopt(world.bank.login()).await;
                    tokio::time::sleep(secs(1)).await;
                    world.address.fails_over_to(newer).await;
                    tokio::time::sleep(secs(1)).await;
                    let handles = [[&a, &b], [&b, &a]][looks_first];
                    called(if waits { 5 } else { 400 }, &handles[..1]).await;
                    flaky.heal();
                    let third = Some("Bearer access-3".to_owned());
                    let shown = called(900, &handles).await;
                    assert_eq!(
                        shown,
                        [third.clone(), third],
                        "{how} {skew} {gap} {looks_first} {waits}"
                    );
                }
            }
        }
    }
}

/// The end that became that of the second login is still that of the first one, over which another login had gone on the older
/// copy before that.
#[tokio::test(start_paused = true)]
async fn an_end_that_became_that_of_another_login_ends_all_that_it_ended_before() {
    for waits in [false, true] {
        for comes_between in [false, true] {
            let TwoCopies { world, a, older, newer } = TwoCopies::new().await;
            let flaky = Arc::new(FlakyStore::new(world.store()));
            let e = user(
                &world.bank,
                &(Arc::clone(&flaky) as Arc<dyn TokenStore>),
                &world.clock,
                "e",
            )
            .build();
            e.load().await.unwrap();
            if waits {
                flaky.lose_swaps();
            }
            let _ = e.adopt(world.bank.login()).await;
            flaky.heal();
            tokio::time::sleep(secs(30)).await;
            let third = copy(&world).await;
            drop(e);
            world.address.fails_over_to(older).await;
            tokio::time::sleep(secs(200)).await;
            a.revoke().await.unwrap();
            if comes_between {
                world.address.fails_over_to(newer).await;
                assert_eq!(called(400, &[&a]).await, [None], "{waits}");
            }
            world.address.fails_over_to(third).await;
            let other = world.process("f");
            assert_eq!(
                called(900, &[&a, &other]).await,
                [None, None],
                "{waits} {comes_between}"
            );
        }
    }
}
