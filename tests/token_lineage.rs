//! Two logins, an end on purpose and a store that was away: what came later stands, whatever the clocks say.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod token_support;

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use finrail::token::{
    Clock, Error, Issuer, MemoryStore, ReauthorizationReason, Record, Renewal, TokenHandle, TokenReply, TokenStore,
};
use token_support::*;

/// A clock that is wrong by so many seconds.
struct Wrong(Arc<VirtualClock>, i64);

impl Clock for Wrong {
    fn wall(&self) -> SystemTime {
        let by = Duration::from_secs(self.1.unsigned_abs());
        if self.1 < 0 {
            self.0.wall() - by
        } else {
            self.0.wall() + by
        }
    }

    fn monotonic(&self) -> Duration {
        self.0.monotonic()
    }
}

struct World {
    bank: Arc<Bank>,
    clock: Arc<VirtualClock>,
    store: Arc<dyn TokenStore>,
}

impl World {
    fn new() -> Self {
        let clock = VirtualClock::new();
        Self {
            bank: Bank::new(STRICT),
            store: Arc::new(MemoryStore::with_clock(Arc::clone(&clock) as Arc<dyn Clock>)),
            clock,
        }
    }

    /// A process whose clock is wrong by so many seconds, and its own way to the store.
    fn process(&self, holder: &str, wrong: i64) -> (TokenHandle, Arc<FlakyStore>) {
        let way = Arc::new(FlakyStore::new(Arc::clone(&self.store)));
        let handle = TokenHandle::builder(user_key(), Arc::clone(&self.bank) as Arc<dyn Issuer>, Renewal::Refresh)
            .store(Arc::clone(&way) as Arc<dyn TokenStore>)
            .rotation(ROTATING)
            .clock(Arc::new(Wrong(Arc::clone(&self.clock), wrong)))
            .holder(holder)
            // Pauses drawn by chance could end at the very moment at which a test acts.
            .seed(holder.len() as u64)
            .build();
        (handle, way)
    }

    async fn stored(&self) -> Record {
        let stored = self.store.load(&user_key()).await.unwrap().unwrap();
        Record::decode(&stored.bytes).unwrap()
    }

    async fn stored_refresh_token(&self) -> Option<String> {
        let tokens = self.stored().await.tokens?;
        Some(tokens.refresh_token?.expose_secret().to_owned())
    }
}

/// Half a minute fast, right, half a minute slow.
const CLOCKS: [i64; 3] = [30, 0, -30];

#[tokio::test(start_paused = true)]
async fn a_login_that_waited_for_its_store_leaves_a_newer_login_alone() {
    for wrong in CLOCKS {
        let world = World::new();
        let (one, way) = world.process("one", wrong);
        let (two, _) = world.process("two", 0);
        one.adopt(world.bank.login()).await.unwrap();
        // The store answers the look of the second login, and then it is gone.
        way.fail_after_swaps(0);
        way.heal();
        let lease = way.lease_of_another(&user_key()).await;
        let waiting = tokio::spawn({
            let (one, reply) = (one.clone(), world.bank.login());
            async move { one.adopt(reply).await }
        });
        tokio::time::sleep(secs(1)).await;
        way.give_back(&user_key(), lease).await;
        // It comes first: the other one looks again after a pause only.
        let newer = two.adopt(world.bank.login()).await;
        let late = waiting.await.unwrap();
        let (newer, late) = (newer.unwrap(), late.unwrap());
        // Both are told of the grant that stands, and the tokens of the other are ended.
        assert_eq!(newer.generation, late.generation, "{wrong}");
        let stored = world.stored_refresh_token().await.unwrap();
        let revoked = world.bank.revoked_tokens();
        assert_eq!(revoked.len(), 1, "{wrong}: {revoked:?}");
        assert_ne!(revoked[0], stored);
    }
}

/// Some providers give a user who logs in again the grant that there is.
#[tokio::test(start_paused = true)]
async fn a_login_that_gives_way_to_one_with_the_same_tokens_ends_none() {
    for (access, refresh) in [
        ("access-1", "refresh-1"),
        ("access-9", "refresh-1"),
        ("access-1", "refresh-9"),
    ] {
        let world = World::new();
        let (one, way) = world.process("one", 0);
        let (two, _) = world.process("two", 0);
        let lease = way.lease_of_another(&user_key()).await;
        let first = world.bank.login();
        let mut again = TokenReply::new(access);
        again.refresh_token = Some(refresh.into());
        let logins = [(one, first), (two, again)]
            .map(|(process, reply)| tokio::spawn(async move { process.adopt(reply).await }));
        tokio::time::sleep(secs(1)).await;
        way.give_back(&user_key(), lease).await;
        for login in logins {
            login.await.unwrap().unwrap();
        }
        assert_eq!(world.bank.revoked_tokens(), [""; 0], "{access} {refresh}");
    }
    // Nor while they wait for their store.
    let world = World::new();
    let (one, way) = world.process("one", 0);
    let (two, _) = world.process("two", 0);
    let reply = world.bank.login();
    way.fail_after_swaps(0);
    one.adopt(reply.clone()).await.unwrap_err();
    two.adopt(reply).await.unwrap();
    way.heal();
    one.settled().await;
    assert_eq!(world.bank.revoked_tokens(), [""; 0]);
    assert_eq!(world.stored_refresh_token().await.unwrap(), "refresh-1");
}

#[tokio::test(start_paused = true)]
async fn a_login_that_waited_in_memory_leaves_what_came_since_alone() {
    for wrong in CLOCKS {
        for end in ["login", "revocation", "forgotten"] {
            let world = World::new();
            let (one, way) = world.process("one", wrong);
            let (two, _) = world.process("two", 0);
            one.adopt(world.bank.login()).await.unwrap();
            // It answers the look and gives a lease; what is written does not arrive.
            way.lose_swaps();
            let second = world.bank.login();
            let lost = second.refresh_token.clone().unwrap().expose_secret().to_owned();
            assert!(matches!(one.adopt(second).await, Err(Error::Store { .. })));
            tokio::time::sleep(secs(15)).await;
            match end {
                "login" => drop(two.adopt(world.bank.login()).await.unwrap()),
                "revocation" => two.revoke().await.unwrap(),
                _ => two.forget().await.unwrap(),
            }
            let before = world.stored().await;
            way.heal();
            tokio::time::sleep(secs(60)).await;
            let after = world.stored().await;
            assert_eq!(before.generation(), after.generation(), "{wrong} {end}");
            assert_eq!(before.tombstone.is_some(), after.tombstone.is_some(), "{wrong} {end}");
            assert!(world.bank.revoked_tokens().contains(&lost), "{wrong} {end}");
            match end {
                "login" => assert!(one.load().await.unwrap().is_some()),
                "revocation" => assert!(matches!(
                    one.load().await,
                    Err(Error::ReauthorizationRequired {
                        reason: ReauthorizationReason::Revoked,
                        ..
                    })
                )),
                _ => assert!(one.load().await.unwrap().is_none()),
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_forgotten_grant_does_not_come_back_from_a_process_with_another_time() {
    for wrong in CLOCKS {
        let world = World::new();
        let (one, _) = world.process("one", wrong);
        let (two, _) = world.process("two", 0);
        one.adopt(world.bank.login()).await.unwrap();
        two.load().await.unwrap();
        tokio::time::sleep(HOUR).await;
        one.fresh().await.unwrap();
        two.forget().await.unwrap();
        tokio::time::sleep(HOUR).await;
        let error = one.fresh().await.unwrap_err();
        assert!(matches!(error, Error::NoGrant { .. }), "{wrong}: {error}");
        assert!(world.stored().await.tokens.is_none(), "{wrong}");
        // A login brings it back, whatever its clock says.
        one.adopt(world.bank.login()).await.unwrap();
        two.fresh().await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_login_after_a_restart_goes_over_what_is_stored_though_the_store_was_away() {
    let world = World::new();
    let (before, _) = world.process("before", 0);
    before.adopt(world.bank.login()).await.unwrap();
    drop(before);
    tokio::time::sleep(HOUR).await;
    let (after, way) = world.process("after", 0);
    way.fail_after_swaps(0);
    let login = world.bank.login();
    let newest = login.refresh_token.clone().unwrap().expose_secret().to_owned();
    assert!(after.adopt(login).await.is_err());
    way.heal();
    tokio::time::sleep(secs(30)).await;
    assert_eq!(world.stored_refresh_token().await, Some(newest));
    assert_eq!(world.stored().await.generation(), 2, "after the one that is replaced");
    assert!(world.bank.revoked_tokens().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_login_that_was_stored_and_refreshed_elsewhere_is_not_written_again() {
    let world = World::new();
    let (one, way) = world.process("one", 0);
    let (two, _) = world.process("two", 0);
    // The write is made, and its confirmation is lost, again and again.
    way.lose_answers();
    assert!(one.adopt(world.bank.login()).await.is_err());
    tokio::time::sleep(HOUR).await;
    two.fresh().await.unwrap();
    way.heal();
    tokio::time::sleep(secs(60)).await;
    assert_eq!(world.stored_refresh_token().await.as_deref(), Some("refresh-2"));
    assert!(world.bank.alive() && world.bank.revoked_tokens().is_empty());
    one.fresh().await.unwrap();
    assert_eq!(world.bank.requests(), 1);
}

/// The user saw an error, and authorizes again where the store answers.
#[tokio::test(start_paused = true)]
async fn a_login_that_waits_for_its_store_stops_no_login_that_is_made_meanwhile() {
    for before in [false, true] {
        for healed_after in [600, 1500, 4000, 20_000] {
            let world = World::new();
            let ((a, way), (b, _)) = (world.process("a", 0), world.process("bb", 0));
            if before {
                a.adopt(world.bank.login()).await.unwrap();
                b.fresh().await.unwrap();
                tokio::time::sleep(secs(100)).await;
            }
            way.lose_swaps();
            a.adopt(world.bank.login()).await.unwrap_err();
            let healing = tokio::spawn(async move {
                tokio::time::sleep(Duration::from_millis(healed_after)).await;
                way.heal();
            });
            tokio::time::sleep(Duration::from_millis(500)).await;
            let newest = world.bank.login();
            let newest_token = newest.access_token.expose_secret().to_owned();
            b.adopt(newest).await.unwrap();
            healing.await.unwrap();
            tokio::time::sleep(secs(60)).await;
            for handle in [&a, &b] {
                handle.load().await.unwrap();
                let shown = text(&handle.fresh().await.unwrap());
                assert_eq!(shown, format!("Bearer {newest_token}"), "{before} {healed_after}");
            }
        }
    }
}

/// Its process may hold what it did not see ended.
#[tokio::test(start_paused = true)]
async fn a_login_that_saw_an_end_goes_over_it_whatever_its_process_holds() {
    for gap in [0, 1] {
        let world = World::new();
        let ((a, way), (b, _)) = (world.process("a", 0), world.process("bb", 0));
        a.adopt(world.bank.login()).await.unwrap();
        b.fresh().await.unwrap();
        way.fail_after_swaps(0);
        a.adopt(world.bank.login()).await.unwrap_err();
        tokio::time::sleep(secs(5)).await;
        b.forget().await.unwrap();
        way.heal();
        tokio::time::sleep(secs(gap)).await;
        a.adopt(world.bank.login()).await.unwrap();
        tokio::time::sleep(secs(30)).await;
        for handle in [&a, &b] {
            handle.load().await.unwrap();
            assert_eq!(text(&handle.fresh().await.unwrap()), "Bearer access-3", "{gap}");
        }
        let revoked = world.bank.revoked_tokens();
        assert!(!revoked.iter().any(|token| token.ends_with("-3")), "{revoked:?}");
    }
}

/// Who forgets a grant ends what the store has, and not what itself held of it.
#[tokio::test(start_paused = true)]
async fn a_newer_login_that_is_forgotten_by_who_holds_an_older_one_stays_forgotten() {
    let world = World::new();
    let ((a, _), (b, _)) = (world.process("a", 0), world.process("bb", 0));
    a.adopt(world.bank.login()).await.unwrap();
    b.fresh().await.unwrap();
    a.adopt(world.bank.login()).await.unwrap();
    b.forget().await.unwrap();
    tokio::time::sleep(secs(7200)).await;
    for handle in [&a, &b] {
        let error = handle.fresh().await.unwrap_err();
        assert!(error.reauthorization_required(), "{error}");
    }
}

/// A store that answers and takes no writes, as after a failover to a replica: the user saw an error twice.
#[tokio::test(start_paused = true)]
async fn of_two_logins_that_waited_for_their_store_the_later_one_stands_whichever_is_stored_first() {
    for wrong in CLOCKS {
        for before in [false, true] {
            for first_healed in ["earlier", "later"] {
                let world = World::new();
                let ((a, ways_a), (b, ways_b)) = (world.process("a", wrong), world.process("bb", 0));
                if before {
                    a.adopt(world.bank.login()).await.unwrap();
                    b.fresh().await.unwrap();
                }
                ways_a.lose_swaps();
                ways_b.lose_swaps();
                a.adopt(world.bank.login()).await.unwrap_err();
                tokio::time::sleep(secs(100)).await;
                let newest = world.bank.login();
                let [access, refresh] = [&newest.access_token, newest.refresh_token.as_ref().unwrap()]
                    .map(|token| token.expose_secret().to_owned());
                b.adopt(newest).await.unwrap_err();
                let (one, other) = match first_healed {
                    "earlier" => (ways_a, ways_b),
                    _ => (ways_b, ways_a),
                };
                one.heal();
                tokio::time::sleep(secs(30)).await;
                other.heal();
                tokio::time::sleep(secs(400)).await;
                let case = format!("{wrong} {before} {first_healed}");
                for handle in [&a, &b] {
                    let shown = text(&handle.fresh().await.expect(&case));
                    assert_eq!(shown, format!("Bearer {access}"), "{case}");
                }
                assert_eq!(world.stored_refresh_token().await.as_deref(), Some(&*refresh), "{case}");
                assert!(!world.bank.revoked_tokens().contains(&refresh), "{case}");
            }
        }
    }
}

/// A login whose store gave no answer has nothing but the time, and an end on purpose is no matter of clocks.
#[tokio::test(start_paused = true)]
async fn an_end_stays_where_clocks_cannot_tell_whether_a_login_that_could_not_look_came_after_it() {
    for wrong in CLOCKS {
        for how in ["revoke", "forget"] {
            for (ended_first, gap, stands) in [(false, 2, false), (true, 100, true)] {
                let world = World::new();
                let ((a, _), (b, way)) = (world.process("a", 0), world.process("bb", wrong));
                a.adopt(world.bank.login()).await.unwrap();
                b.fresh().await.unwrap();
                let end = async || match how {
                    "revoke" => a.revoke().await.unwrap(),
                    _ => a.forget().await.unwrap(),
                };
                way.fail_after_swaps(0);
                if ended_first {
                    end().await;
                    tokio::time::sleep(secs(gap)).await;
                }
                let login = world.bank.login();
                let refresh = login.refresh_token.clone().unwrap().expose_secret().to_owned();
                b.adopt(login).await.unwrap_err();
                if !ended_first {
                    tokio::time::sleep(secs(gap)).await;
                    end().await;
                }
                way.heal();
                tokio::time::sleep(secs(400)).await;
                let case = format!("{wrong} {how} {gap}");
                for handle in [&a, &b] {
                    let outcome = handle.fresh().await;
                    let told = |error: &Error| error.reauthorization_required();
                    assert!(
                        outcome.as_ref().map_or_else(|error| !stands && told(error), |_| stands),
                        "{case}: {outcome:?}"
                    );
                }
                assert_eq!(world.bank.revoked_tokens().contains(&refresh), !stands, "{case}");
            }
        }
    }
}
