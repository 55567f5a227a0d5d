//! A grant's end here, without a word to the provider.

use super::lease::acquire_to_drop;
use super::retain::leave_or_release;
use super::write::write;
use crate::token::live::Live;
use crate::token::record::Versioned;
use crate::token::store::Damage;
use crate::token::{AuditAction, Error, ReauthorizationReason, Record, StoreError};

/// What is left of a grant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Left {
    /// That it was forgotten, and whose it was.
    Name,
    /// That it was forgotten, and a pseudonym.
    Pseudonym,
    /// The same of a grant that was to end at the provider too.
    PseudonymRevoked,
}

/// No token of the grant stays, here and in the store.
pub(crate) async fn forget(live: &Live, left: Left) -> Result<(), Error> {
    let _unnamed = (left != Left::Name).then(|| live.grant.unnamed());
    let _held_back = live.held.unstored.hold_back();
    let lease = acquire_to_drop(live).await?;
    let outcome = under_lease(live, lease.fence, left).await;
    leave_or_release(live, Some(lease)).await;
    outcome
}

pub(super) async fn under_lease(live: &Live, fence: u64, left: Left) -> Result<(), Error> {
    // What cannot be read can still be forgotten.
    let (stored, damaged, older) = match live.store.load().await {
        Ok(stored) => (stored, None, None),
        Err(error) => match (error.older().cloned(), error) {
            (Some(older), _) => (None, None, Some(older)),
            (None, StoreError::Corrupt { damage, .. }) => (None, Some(damage), None),
            (None, error) => return Err(error.into()),
        },
    };
    let held = live.held.snapshot();
    let read = stored.as_ref().and_then(|stored| {
        let record = Record::decode(&stored.bytes).ok()?;
        let revision = stored.revision;
        Some(Versioned { revision, record })
    });
    // An older copy of the store knows nothing of the grant that ends.
    let is_behind = read.is_some() && live.held.lost_by_store(read.as_ref()).is_some();
    // Nor of an end that this process knows: it stays the end of that grant.
    let known_end = read.as_ref().and_then(|read| live.held.end_undone_by(read));
    let record = read.map(|read| read.record);
    // Nothing of what is to be told to the audit is new.
    let is_over =
        live.held.unstored.is_empty() && !is_behind && record.as_ref().is_some_and(|record| is_left(record, left));
    let generation = record
        .as_ref()
        .map_or(0, |record| record.generation())
        .max(live.held.generation());
    let held = held.as_ref().and_then(|held| held.lineage());
    let unreadable = || stored.clone().map(Damage::of).or_else(|| damaged.clone().flatten());
    // Otherwise others may know of a grant that this process has never seen.
    let is_known = record.is_some() || unreadable().is_some_and(|damage| live.held.knows(&damage));
    let lineage = match (&record, is_known) {
        (Some(_), _) if known_end.is_some() => known_end.as_ref().and_then(Record::lineage),
        (Some(record), _) if !is_behind => record.lineage(),
        (Some(_), _) | (None, true) => held,
        (None, false) => None,
    };
    let now = live.now().utc();
    let ends_at = [&record, &known_end]
        .into_iter()
        .flatten()
        .fold(now, |at, ended| ended.ends_at(at));
    // Where there is nothing, too: a login that waits for its store, or tokens that the store has lost, are to find the end.
    let mark = Record::ended(
        live.grant.key.clone(),
        ReauthorizationReason::Forgotten,
        ends_at,
        generation,
        &live.grant.holder,
    )
    .of(lineage);
    let mark = match is_known {
        true => mark,
        false => mark.of_what_nobody_saw(held),
    };
    // Of what is erased nobody is named once more.
    let is_named = record.as_ref().is_none_or(|record| record.pseudonym.is_none())
        && !live.held.snapshot().is_some_and(|shown| shown.names_nobody);
    let left = match is_named {
        false if left == Left::Name => Left::Pseudonym,
        _ => left,
    };
    let _unnamed = (left != Left::Name).then(|| live.grant.unnamed());
    let mark = match left {
        Left::Name => live.grant.tombstone(mark),
        Left::Pseudonym => mark.without_person(live.grant.pseudonym_key.as_ref()),
        Left::PseudonymRevoked => mark
            .ended_at_provider()
            .without_person(live.grant.pseudonym_key.as_ref()),
    };
    let marked = match older {
        // After all that was seen, or the mark is refused as older too.
        Some(older) => {
            let next = live.successor(Some(older.newest), mark);
            write_mark(live, Some(older.stored.revision), next, fence).await?
        }
        None => {
            let seen = stored.map(|stored| stored.revision);
            let marked = write_mark(live, seen, live.successor(seen, mark.clone()), fence).await?;
            match damaged {
                // A store keeps what is damaged until it has something to put in its place for sure.
                Some(_) => {
                    let seen = Some(marked.revision);
                    write_mark(live, seen, live.successor(seen, mark), fence).await?
                }
                None => marked,
            }
        }
    };
    match left {
        _ if is_over => {}
        Left::Name => live.audit(generation, AuditAction::Forgotten),
        Left::Pseudonym | Left::PseudonymRevoked => live.audit(generation, AuditAction::Erased),
    }
    live.store.remove_aside().await?;
    live.clear();
    // Shown, and not only cleared: a read that began before is older than this.
    live.publish(marked);
    Ok(())
}

/// Whether this is what is left of a grant, or less.
fn is_left(record: &Record, left: Left) -> bool {
    let tombstone = record.tombstone.as_ref();
    let is_forgotten = tombstone.is_some_and(|tombstone| tombstone.reason == ReauthorizationReason::Forgotten);
    is_forgotten && (left == Left::Name || record.pseudonym.is_some())
}

async fn write_mark(live: &Live, seen: Option<u64>, next: Versioned, fence: u64) -> Result<Versioned, StoreError> {
    write(live, seen, next, fence).await?.done("forget the record")
}
