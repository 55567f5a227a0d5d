//! A grant's end at the provider, and then in the store.

use super::forget::{self, Left};
use super::lease::{SenderAtWork, UnderLease, Waited, acquire, acquire_to_drop, while_renewed};
use super::look::{Known, read_to_end};
use super::retain::leave_or_release;
use super::write::{Written, write, write_over};
use crate::token::fingerprint::Fingerprint;
use crate::token::lineage::Kinship;
use crate::token::live::{Live, NotRevoked};
use crate::token::machine;
use crate::token::record::Versioned;
use crate::token::store::Lease;
use crate::token::{
    AuditAction, Error, Lineage, ReauthorizationReason, RevokeRequest, RevokedToken, SendPermit, StoreError, TokenSet,
};

/// What is done with a grant besides its revocation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// Nothing: its mark says that it was revoked.
    Revoked,
    /// It is erased under the same lease, so that nothing comes between.
    Erased,
}

/// The provider first, the store second: a tombstone over a living grant would be a lie.
pub(crate) async fn revoke(live: &Live) -> Result<(), Error> {
    end_grant(live, End::Revoked).await
}

/// The same, and what is left in the store names nobody. A grant that is over, or cannot be read, is erased too.
pub(crate) async fn erase(live: &Live) -> Result<(), Error> {
    end_grant(live, End::Erased).await
}

async fn end_grant(live: &Live, how: End) -> Result<(), Error> {
    let _unnamed = (how == End::Erased).then(|| live.grant.unnamed());
    // What is to be erased is not written into the store before that. What is to be revoked is: a revocation may fail.
    let _held_back = (how == End::Erased).then(|| live.held.unstored.hold_back());
    let mut waited = Waited::default();
    loop {
        let lease = match how {
            End::Revoked => acquire(&live.store, &*live.clock).await?,
            End::Erased => acquire_to_drop(live).await?,
        };
        match under_lease(live, &lease, &waited, how).await {
            UnderLease::Ended(outcome) => {
                leave_or_release(live, Some(lease)).await;
                return outcome;
            }
            // It may be about to store tokens that nobody here knows and that would outlive the revocation.
            UnderLease::SenderAtWork(sender) => {
                live.store.release(lease).await;
                waited.wait(sender, live).await?;
            }
        }
    }
}

async fn under_lease(live: &Live, lease: &Lease, waited: &Waited, how: End) -> UnderLease<()> {
    // What the store refuses as older is all that can be read of the grant.
    let mut older = None;
    let read = match how {
        End::Revoked => read_to_end(live, lease.fence).await,
        End::Erased => match live.store.read().await {
            Err(error @ StoreError::Corrupt { .. }) => {
                older = live.store.read_older(&error);
                Ok(Known::Stored(None))
            }
            read => read.map(Known::Stored),
        },
    };
    let seen = match read {
        Ok(Known::Stored(seen)) => seen,
        Ok(Known::PutBack(intent)) => {
            return UnderLease::SenderAtWork(SenderAtWork::of_request(&intent, live));
        }
        Err(error) => return UnderLease::Ended(Err(error.into())),
    };
    let known = seen.as_ref().or(older.as_ref());
    // What the store has lost, or never had, is not given to it to be erased. Whoever refreshes it meanwhile finds the mark.
    let held = match how {
        End::Revoked => None,
        End::Erased => live.held.lost_by_store(known).map(|(_, tokens)| tokens),
    };
    // What is stored is of another login, and may be over.
    let held = held.or_else(|| match how {
        End::Revoked => None,
        End::Erased => of_a_login_apart(live, known?),
    });
    // The store has lost what came after an older record.
    let held = held.or_else(|| {
        let living = older.as_ref().filter(|older| older.record.tombstone.is_none())?;
        living.record.tokens.clone()
    });
    let lives = held.is_some() || seen.as_ref().is_some_and(|seen| seen.record.tombstone.is_none());
    if how == End::Erased && !lives && live.held.unstored.is_empty() {
        return UnderLease::Ended(forget::under_lease(live, lease.fence, Left::PseudonymRevoked).await);
    }
    if let Some(intent) = known.and_then(|known| known.record.intent.as_ref()) {
        let own = *intent.holder == *live.grant.holder;
        // A revocation does not wait for ever: what a sender stores later finds the mark, and is revoked too.
        let had_their_time = how == End::Revoked && waited.is_over();
        if !had_their_time && machine::unsettled(intent, own, lease.exclusive, waited.among(Some(intent.fence))) {
            return UnderLease::SenderAtWork(SenderAtWork::of_request(intent, live));
        }
    }
    // The provider may take its time.
    let revocation = revoke_known(live, lease.fence, seen, held, how);
    UnderLease::Ended(while_renewed(&live.store, lease, &SendPermit::always(), revocation).await)
}

/// Ends the newest tokens there are, and with them the grant. `held`: those that the store does not have.
async fn revoke_known(
    live: &Live,
    fence: u64,
    seen: Option<Versioned>,
    held: Option<TokenSet>,
    how: End,
) -> Result<(), Error> {
    let unstored = live.held.unstored.tokens();
    let tokens = unstored
        .as_ref()
        .or(held.as_ref())
        .or_else(|| seen.as_ref().and_then(|seen| seen.record.tokens.as_ref()));
    let Some(tokens) = tokens.cloned() else {
        let seen = seen.ok_or_else(|| live.grant.missing())?;
        // It has ended. A login that waits for its store is to end too, though it came after that end.
        let again = seen.record.revoked_again(live.now().utc(), &live.grant.holder);
        let written = write_over(live, &seen, again, fence).await?;
        live.publish(written.done("take the tombstone")?);
        return Ok(());
    };
    // With what a store lost, it lost who was about to send it.
    let may_be_sent = held.is_some() || seen.as_ref().is_some_and(|seen| seen.record.intent.is_some());
    let spent_in_doubt = unstored.is_none() && may_be_sent;
    // It is over because the server refused its refresh token.
    let refused = unstored.is_none() && seen.as_ref().is_some_and(|seen| seen.record.tombstone.is_some());
    let may_be_gone = spent_in_doubt || refused;
    let others = match how {
        End::Revoked => Vec::new(),
        End::Erased => of_other_logins(live, seen.as_ref(), &tokens),
    };
    let (seen, unanswered) = mark(live, fence, seen, &tokens).await?;
    let audit = |action| live.audit(tokens.generation, action);
    let at_provider = match end_all(live, &tokens, &others, unanswered, may_be_gone).await {
        Ok(at_provider) => at_provider,
        Err(NotRevoked { is_open, error }) => {
            let open = unanswered || is_open;
            if let Some(seen) = seen.filter(|_| !open) {
                // The server said that it did not do it: the next request is as the first one. Where this cannot be
                // written, the next request is taken for a second one.
                let unmarked = seen.record.with_revocation(None);
                if let Ok(Written::Done(written)) = write_over(live, &seen, unmarked, fence).await {
                    live.publish(written);
                }
            }
            // Of two tokens the first one may be revoked.
            let in_doubt = open || may_be_gone;
            audit(AuditAction::RevocationFailed { in_doubt });
            return Err(error);
        }
    };
    if how == End::Erased {
        live.held.unstored.clear();
        audit(AuditAction::Revoked { at_provider });
        let left = if at_provider {
            Left::PseudonymRevoked
        } else {
            Left::Pseudonym
        };
        let erased = forget::under_lease(live, fence, left).await;
        if erased.is_err() && at_provider {
            // There is nothing to keep: no store is given it any more.
            live.clear();
        }
        return erased;
    }
    match bury(live, fence, seen, &tokens).await {
        Ok(buried) => live.publish(buried),
        Err(error) => {
            audit(AuditAction::RevocationFailed { in_doubt: at_provider });
            return Err(error.into());
        }
    };
    audit(AuditAction::Revoked { at_provider });
    live.store.remove_aside().await?;
    Ok(())
}

/// Writes that the grant is revoked.
async fn bury(live: &Live, fence: u64, seen: Option<Versioned>, tokens: &TokenSet) -> Result<Versioned, StoreError> {
    live.held.unstored.clear();
    let record = match &seen {
        Some(seen) => seen.record.clone(),
        None => live.grant.alive(tokens.clone()),
    };
    let mut buried = record.buried(ReauthorizationReason::Revoked, live.now().utc(), &live.grant.holder);
    // An older copy of the store knows nothing of an end that this process knows: it stays the end of that grant.
    if let Some(known_end) = seen.as_ref().and_then(|seen| live.held.end_undone_by(seen)) {
        buried = buried.after_end(&known_end);
        if known_end.pseudonym.is_some() {
            buried = buried.without_person(live.grant.pseudonym_key.as_ref());
        }
    }
    let buried = live.grant.tombstone(buried);
    let seen = seen.map(|seen| seen.revision);
    let written = write(live, seen, live.successor(seen, buried), fence).await?;
    written.done("take the tombstone")
}

/// From here on, whoever finds the record knows that the token may be gone: its revocation was asked for. The second
/// answer: so it was before, and no word of what came of it is in the record.
async fn mark(
    live: &Live,
    fence: u64,
    seen: Option<Versioned>,
    tokens: &TokenSet,
) -> Result<(Option<Versioned>, bool), Error> {
    let token = Some(Fingerprint::of(tokens.to_revoke().secret()));
    match seen {
        Some(seen) if seen.record.revocation != token => {
            let written = write_over(live, &seen, seen.record.with_revocation(token), fence).await?;
            let marked = written.done("take the mark of a revocation")?;
            live.publish(marked.clone());
            Ok((Some(marked), false))
        }
        Some(seen) => Ok((Some(seen), true)),
        None => Ok((None, false)),
    }
}

/// The living tokens that this process shows, where neither they nor what is stored came after the other.
fn of_a_login_apart(live: &Live, stored: &Versioned) -> Option<TokenSet> {
    let shown = live.held.snapshot()?;
    let living = shown.living()?;
    let kinship = Lineage::kinship(stored.record.lineage(), living.lineage.as_ref());
    (kinship == Kinship::Apart).then(|| living.clone())
}

/// The living tokens at hand that are of other logins than those that end: the store has gone back, or has come back, and
/// nothing of the person is to be left.
fn of_other_logins(live: &Live, seen: Option<&Versioned>, tokens: &TokenSet) -> Vec<TokenSet> {
    let stored = seen.filter(|seen| seen.record.tombstone.is_none());
    let stored = stored.and_then(|seen| seen.record.tokens.clone());
    let shown = live.held.snapshot().and_then(|shown| shown.living().cloned());
    let mut others: Vec<TokenSet> = Vec::new();
    for other in stored.into_iter().chain(shown) {
        let kinship = Lineage::kinship(other.lineage.as_ref(), tokens.lineage.as_ref());
        let is_another_login = !matches!(kinship, Kinship::Same | Kinship::Unknown);
        let is_new = !others.iter().chain([tokens]).any(|known| known.has_a_token_of(&other));
        if is_another_login && is_new {
            others.push(other);
        }
    }
    others
}

/// Ends the tokens at the provider, and then those of other logins.
async fn end_all(
    live: &Live,
    tokens: &TokenSet,
    others: &[TokenSet],
    unanswered: bool,
    may_be_gone: bool,
) -> Result<bool, NotRevoked> {
    let mut at_provider = end(live, tokens, unanswered, may_be_gone).await?;
    for other in others {
        // Whoever tries again finds the first ones gone, and perhaps these.
        let also = end(live, other, true, false).await;
        at_provider &= also.map_err(|not| NotRevoked { is_open: true, ..not })?;
    }
    Ok(at_provider)
}

/// Ends the tokens at the provider. False: it has no revocation. `unanswered`: an earlier revocation may have ended them.
/// `may_be_gone`: a refresh may have, or the server has refused the refresh token.
async fn end(live: &Live, tokens: &TokenSet, unanswered: bool, may_be_gone: bool) -> Result<bool, NotRevoked> {
    let request = |token| {
        let mut request = RevokeRequest::new(token);
        request.unanswered = unanswered || may_be_gone;
        request
    };
    let mut revoked = live.server.revoke(request(tokens.to_revoke())).await?;
    if may_be_gone && tokens.refresh_token.is_some() && !tokens.access_token.is_empty() {
        // The refresh token may be spent, and then its revocation ended nothing.
        let access = RevokedToken::Access(tokens.access_token.clone());
        revoked &= live.server.revoke(request(access)).await?;
    }
    Ok(revoked)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::{Arc, Mutex};
    use std::time::Duration;

    use futures_util::future::BoxFuture;

    use super::*;
    use crate::token::store::{Lease, Leased, MemoryStore, Older, StoredRecord, Swap, Swapped, swap_alone};
    use crate::token::{
        GrantKind, Intent, Issuer, IssuerError, ManualClock, Obtain, Record, Renewal, TokenHandle, TokenKey,
        TokenReply, TokenStore, Verdict,
    };
    use crate::value::Secret;

    /// A server that writes down which tokens it is asked to revoke. With the third of them it fails once, or has no revocation
    /// of it, where it is told so.
    #[derive(Default)]
    struct Revoking(Mutex<Vec<String>>, AtomicUsize);

    impl Issuer for Revoking {
        fn obtain(&self, _: Obtain) -> BoxFuture<'_, Result<TokenReply, IssuerError>> {
            Box::pin(std::future::pending())
        }
        fn revoke(&self, request: RevokeRequest) -> BoxFuture<'_, Result<bool, IssuerError>> {
            let token = request.token.secret().expose_secret().to_owned();
            let mut asked = self.0.lock().unwrap();
            asked.push(token);
            let how = if asked.len() == 3 {
                self.1.swap(0, Ordering::SeqCst)
            } else {
                0
            };
            let refused = || IssuerError::new(Verdict::NotSent, std::io::Error::other("away"));
            Box::pin(std::future::ready(match how {
                0 => Ok(true),
                1 => Err(refused()),
                _ => Ok(false),
            }))
        }
    }

    /// A store that refuses whatever it has as older than a revision that it has seen.
    #[derive(Clone)]
    struct Refusing(MemoryStore, Arc<Mutex<u64>>);

    impl TokenStore for Refusing {
        fn load<'a>(&'a self, key: &'a TokenKey) -> BoxFuture<'a, Result<Option<StoredRecord>, StoreError>> {
            Box::pin(async move {
                let Some(stored) = self.0.load(key).await? else {
                    return Ok(None);
                };
                let newest = *self.1.lock().unwrap();
                match stored.revision < newest {
                    true => Err(StoreError::corrupt(Older { stored, newest })),
                    false => Ok(Some(stored)),
                }
            })
        }
        fn swap<'a>(&'a self, key: &'a TokenKey, swap: Swap) -> BoxFuture<'a, Result<Swapped, StoreError>> {
            self.0.swap(key, swap)
        }
        fn lease<'a>(
            &'a self,
            key: &'a TokenKey,
            by: &'a str,
            ttl: Duration,
        ) -> BoxFuture<'a, Result<Leased, StoreError>> {
            self.0.lease(key, by, ttl)
        }
        fn release<'a>(&'a self, key: &'a TokenKey, lease: Lease) -> BoxFuture<'a, Result<(), StoreError>> {
            self.0.release(key, lease)
        }
    }

    fn key() -> TokenKey {
        TokenKey::new("mx", "client", GrantKind::AuthorizationCode).subject("jo")
    }

    fn process(server: &Arc<Revoking>, store: impl TokenStore + 'static) -> TokenHandle {
        let server = Arc::clone(server) as Arc<dyn Issuer>;
        TokenHandle::builder(key(), server, Renewal::Refresh)
            .store(Arc::new(store))
            .build()
    }

    fn reply(refresh_token: &str) -> TokenReply {
        let mut reply = TokenReply::new(format!("access of {refresh_token}"));
        reply.refresh_token = Some(Secret::from(refresh_token));
        reply
    }

    /// What a login stores, with this refresh token.
    async fn stored(server: &Arc<Revoking>, store: &MemoryStore, refresh_token: &str) -> Record {
        process(server, store.clone())
            .adopt(reply(refresh_token))
            .await
            .unwrap();
        let stored = store.load(&key()).await.unwrap().unwrap();
        Record::decode(&stored.bytes).unwrap()
    }

    async fn put(store: &MemoryStore, record: &Record) -> u64 {
        let seen = store.load(&key()).await.unwrap().map(|stored| stored.revision);
        let revision = seen.unwrap_or_default() + 1;
        let swap = Swap::new(seen, 0, Some(StoredRecord::new(revision, record.encode())));
        let swapped = swap_alone(store, &key(), swap, "a disk", "go back").await;
        assert_eq!(swapped.unwrap(), Swapped::Done);
        revision
    }

    /// A process that holds nothing of a grant erases it, where the store refuses this record of it as older: the tokens
    /// whose revocation was asked for within a second, and in the end.
    async fn erased_over(record: impl FnOnce(Record) -> Record) -> [Vec<String>; 2] {
        let (server, store) = (Arc::new(Revoking::default()), MemoryStore::new());
        let record_of_login = stored(&server, &store, "refresh-1").await;
        let revision = put(&store, &record(record_of_login)).await;
        let newest = Arc::new(Mutex::new(revision + 1));
        let eraser = process(&server, Refusing(store.clone(), newest));
        let erasure = tokio::spawn(async move { eraser.erase(true).await });
        tokio::time::sleep(Duration::from_secs(1)).await;
        let at_once = server.0.lock().unwrap().clone();
        erasure.await.unwrap().unwrap();
        let left = store.load(&key()).await.unwrap().unwrap();
        let left = Record::decode(&left.bytes).unwrap();
        assert!(left.tokens.is_none() && left.pseudonym.is_some());
        let revoked = server.0.lock().unwrap().clone();
        [at_once, revoked]
    }

    #[tokio::test(start_paused = true)]
    async fn an_erasure_gives_the_sender_of_a_record_that_is_refused_as_older_its_time() {
        let both = vec!["refresh-1".to_owned(), "access of refresh-1".to_owned()];
        assert_eq!(erased_over(|record| record).await, [both.clone(), both.clone()]);
        let with_intent = |record: Record| {
            let tokens = record.tokens.as_ref().unwrap();
            let intent = Intent {
                holder: "another".to_owned(),
                fence: 1,
                at: tokens.obtained_at,
                first_at: None,
                refresh_token: Fingerprint::of(tokens.refresh_token.as_ref().unwrap()),
                unanswered: 0,
                given_up: false,
                put_back: true,
            };
            record.with_intent(intent)
        };
        assert_eq!(erased_over(with_intent).await, [vec![], both]);
    }

    #[tokio::test(start_paused = true)]
    async fn an_erasure_revokes_nothing_of_a_grant_that_is_over_or_another_in_a_record_that_is_refused_as_older() {
        let over = |record: Record| {
            let at = record.tokens.as_ref().unwrap().obtained_at;
            record.buried(ReauthorizationReason::Refused, at, "another")
        };
        assert_eq!(erased_over(over).await, [Vec::<String>::new(), vec![]]);
        let of_another = |mut record: Record| {
            record.key = key().subject("joe");
            record
        };
        assert_eq!(erased_over(of_another).await, [Vec::<String>::new(), vec![]]);
    }

    #[tokio::test(start_paused = true)]
    async fn an_erasure_revokes_the_newer_of_what_is_held_and_of_what_is_refused_as_older() {
        for (held, stored_then, is_refused, revoked) in
            [(1, 2, true, 2), (2, 1, true, 2), (2, 2, true, 2), (2, 1, false, 2)]
        {
            let (server, store) = (Arc::new(Revoking::default()), MemoryStore::new());
            let first = stored(&server, &store, "refresh-1").await;
            let mut second = first.clone();
            let tokens = first.tokens.clone().unwrap();
            let later = tokens.obtained_at + chrono::TimeDelta::seconds(10);
            second.tokens = Some(tokens.next(reply("refresh-2"), later.into()));
            let records = [first, second];
            put(&store, &records[held - 1]).await;
            let newest = Arc::new(Mutex::new(0));
            let eraser = process(&server, Refusing(store.clone(), Arc::clone(&newest)));
            eraser.load().await.unwrap().unwrap();
            let revision = put(&store, &records[stored_then - 1]).await;
            *newest.lock().unwrap() = revision + u64::from(is_refused);
            eraser.erase(true).await.unwrap();
            let asked = server.0.lock().unwrap().clone();
            let expected = [format!("refresh-{revoked}"), format!("access of refresh-{revoked}")];
            assert_eq!(asked, expected, "{held} {stored_then} {is_refused}");
        }
    }

    /// A copy of the store has come back with another login, which this process has not seen: it holds its own one.
    #[tokio::test(start_paused = true)]
    async fn an_erasure_revokes_the_logins_of_both_copies_of_a_store() {
        for gap in [100, 10] {
            for how in [0, 1, 2] {
                let (server, store) = (Arc::new(Revoking::default()), MemoryStore::new());
                let clock = Arc::new(ManualClock::new());
                let process = || {
                    let server = Arc::clone(&server) as Arc<dyn Issuer>;
                    let handle = TokenHandle::builder(key(), server, Renewal::Refresh);
                    handle.store(Arc::new(store.clone())).clock(clock.clone()).build()
                };
                let record = async || Record::decode(&store.load(&key()).await.unwrap().unwrap().bytes).unwrap();
                process().adopt(reply("refresh-1")).await.unwrap();
                let older = record().await;
                process().adopt(reply("refresh-2")).await.unwrap();
                let newer = record().await;
                put(&store, &older).await;
                clock.advance(Duration::from_secs(gap));
                let holds = process();
                holds.adopt(reply("refresh-3")).await.unwrap();
                put(&store, &newer).await;
                server.1.store(how, Ordering::SeqCst);
                if how == 1 {
                    holds.erase(true).await.unwrap_err();
                }
                holds.erase(true).await.unwrap();
                let mut asked = server.0.lock().unwrap().clone();
                assert_eq!(asked[0], "refresh-3", "{gap} {how}");
                asked.retain(|token| token.starts_with("refresh"));
                asked.sort();
                asked.dedup();
                assert_eq!(asked, ["refresh-2", "refresh-3"], "{gap} {how}");
                let left = record().await;
                assert!(left.pseudonym.is_some() && holds.header().is_none());
                assert_eq!(left.tombstone.unwrap().revoked, how != 2, "{gap} {how}");
            }
        }
    }
}
