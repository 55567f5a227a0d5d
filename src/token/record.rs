//! What a store keeps of a grant: its tokens, a request under way, or a tombstone.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::fingerprint::Fingerprint;
use super::store::{Damage, RecordBytes, StoreError, StoredRecord};
use super::{Lineage, Pseudonym, PseudonymKey, ReauthorizationReason, TokenKey, TokenSet};

/// The version that this code writes.
const VERSION: u32 = 1;
/// How what an [`EncryptedStore`](super::store::EncryptedStore) writes begins, in every version of it.
const ENCRYPTED: &[u8] = b"frcrypt";

/// What a store keeps of a grant.
///
/// A record with tokens and no tombstone is alive; with an intent, a request
/// was about to be sent and nobody has written yet what became of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Record {
    version: u32,
    /// Whose tokens they are.
    pub key: TokenKey,
    /// The tokens; none after a revocation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokens: Option<TokenSet>,
    /// The refresh that was about to be sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub intent: Option<Intent>,
    /// The token whose revocation was asked for, by fingerprint, as long as nobody has written what the server said to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revocation: Option<Fingerprint>,
    /// Why the grant is over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tombstone: Option<Tombstone>,
    /// Whose grant it was, where the key does not say it any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pseudonym: Option<Pseudonym>,
}

/// Which login a grant goes back to, by its tokens or by what is left of it.
pub(crate) fn lineage_of<'a>(tokens: Option<&'a TokenSet>, end: Option<&'a Tombstone>) -> Option<&'a Lineage> {
    let of_tokens = tokens.and_then(|tokens| tokens.lineage.as_ref());
    of_tokens.or_else(|| end?.lineage.as_ref())
}

/// A record and the revision it was read at.
#[derive(Clone)]
pub(crate) struct Versioned {
    pub revision: u64,
    pub record: Record,
}

/// The revision of a write over the record that was read at `seen`, in a process that shows `shown`.
///
/// Larger than the one before, and than all that this process has shown: the time of day may have been set back. The
/// first one is the time of day, so that a record that was removed and made again never has a revision that somebody
/// still remembers.
///
/// `step` is drawn, up to [`LONGEST_STEP`]: after a store went back to an older copy, two processes write over the same
/// record, and neither may take what the other one wrote for its own.
pub(crate) fn next_revision(seen: Option<u64>, shown: u64, now: DateTime<Utc>, step: u64) -> u64 {
    let next = match seen {
        Some(seen) => seen.saturating_add(1),
        None => u64::try_from(now.timestamp_micros()).unwrap_or(1).max(1),
    };
    next.max(shown.saturating_add(1)).saturating_add(step)
}

/// Small enough for 2^53 after a hundred thousand million writes: some stores count in doubles.
pub(crate) const LONGEST_STEP: u64 = 0xffff;

/// A refresh that was about to be sent: written before the request, gone with its outcome.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Intent {
    /// Who was about to send it.
    pub holder: String,
    /// Which intent of the grant it is: the revision that its write gave the record, or the fence of the lease under which
    /// it was written.
    pub fence: u64,
    /// When it was written.
    pub at: DateTime<Utc>,
    /// When the first request with the same refresh token was about to be sent, where one before this brought no answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_at: Option<DateTime<Utc>>,
    /// The refresh token that it sends, by fingerprint.
    pub refresh_token: Fingerprint,
    /// How many requests before this one carried the same refresh token and brought no answer.
    #[serde(default)]
    pub unanswered: u32,
    /// Its sender waits for no reply any more and has nothing to store.
    #[serde(default)]
    pub given_up: bool,
    /// Nobody is known to have sent it: the store lost the record, and whoever put it back writes that somebody may be at
    /// work.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub put_back: bool,
}

impl Intent {
    /// Since when the refresh token may be spent: no answer came to the first request with it, or to a later one.
    #[must_use]
    pub fn in_doubt_since(&self) -> DateTime<Utc> {
        self.first_at.unwrap_or(self.at)
    }
}

/// Why a grant is over, and since when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Tombstone {
    /// Why.
    pub reason: ReauthorizationReason,
    /// Since when.
    pub at: DateTime<Utc>,
    /// The generation of the last tokens.
    pub generation: u64,
    /// Who wrote it.
    pub holder: String,
    /// Which login the grant goes back to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lineage: Option<Lineage>,
    /// The grant was to end at the provider too, whatever the reason says: who still holds tokens of it revokes them.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub revoked: bool,
    /// What it ends could not be read, or was lost: its lineage is its own, and tokens of other logins may live on.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unseen: bool,
}

impl Record {
    /// A living grant.
    #[must_use]
    pub fn alive(key: TokenKey, tokens: TokenSet) -> Self {
        Self {
            version: VERSION,
            key,
            tokens: Some(tokens),
            intent: None,
            revocation: None,
            tombstone: None,
            pseudonym: None,
        }
    }

    /// The generation of the tokens, or of the last ones.
    #[must_use]
    pub fn generation(&self) -> u64 {
        match (&self.tokens, &self.tombstone) {
            (Some(tokens), _) => tokens.generation,
            (None, Some(tombstone)) => tombstone.generation,
            (None, None) => 0,
        }
    }

    /// Which login the grant goes back to.
    pub(crate) fn lineage(&self) -> Option<&Lineage> {
        lineage_of(self.tokens.as_ref(), self.tombstone.as_ref())
    }

    /// What a login sees of it that is to replace it: which grant it is, and when that was ended on purpose, if it was.
    pub(crate) fn as_ancestor(&self) -> (Option<&Lineage>, Option<DateTime<Utc>>) {
        (self.lineage(), self.ended_on_purpose().map(|end| end.at))
    }

    /// When the grant ends that is ended now: after its last end, whatever clocks say. A login that waits may have seen that
    /// one, and is to end with this one.
    pub(crate) fn ends_at(&self, now: DateTime<Utc>) -> DateTime<Utc> {
        let before = self.ended_on_purpose().map(|end| end.at);
        let after_it = before.and_then(|at| at.checked_add_signed(TimeDelta::microseconds(1)));
        after_it.map_or(now, |after_it| after_it.max(now))
    }

    /// The same mark, of a grant that was to end at the provider once more: a login that saw the mark before this comes
    /// before it.
    #[must_use]
    pub(crate) fn revoked_again(&self, now: DateTime<Utc>, holder: &str) -> Self {
        let mut record = self.clone().ended_at_provider();
        let at = record.ends_at(now);
        if let Some(tombstone) = &mut record.tombstone {
            tombstone.at = at;
            tombstone.holder = holder.to_owned();
        }
        record
    }

    /// Since when it is ended on purpose.
    pub(crate) fn ended_on_purpose(&self) -> Option<&Tombstone> {
        let tombstone = self.tombstone.as_ref();
        tombstone.filter(|tombstone| tombstone.reason.is_on_purpose())
    }

    /// The same grant with a request about to be sent.
    #[must_use]
    pub(crate) fn with_intent(&self, intent: Intent) -> Self {
        Self {
            intent: Some(intent),
            ..self.clone()
        }
    }

    /// The same grant with the outcome of its request known to have changed nothing.
    #[must_use]
    pub(crate) fn settled(&self) -> Self {
        Self {
            intent: None,
            ..self.clone()
        }
    }

    /// The same grant with its request left without an answer.
    #[must_use]
    pub(crate) fn given_up(&self) -> Self {
        let mut record = self.clone();
        if let Some(intent) = &mut record.intent {
            intent.given_up = true;
        }
        record
    }

    /// The same grant with a revocation about to be asked for, or with none.
    #[must_use]
    pub(crate) fn with_revocation(&self, token: Option<Fingerprint>) -> Self {
        Self {
            revocation: token,
            ..self.clone()
        }
    }

    /// The grant is over. What is left of its access token may still serve until it ends, and a revocation without an answer
    /// is still without one; an end on purpose leaves nothing.
    #[must_use]
    pub(crate) fn buried(&self, reason: ReauthorizationReason, at: DateTime<Utc>, holder: &str) -> Self {
        let keep = !reason.is_on_purpose();
        Self {
            tokens: self.tokens.clone().filter(|_| keep),
            intent: self.intent.clone().filter(|_| keep),
            revocation: self.revocation.filter(|_| keep),
            ..Self::ended(self.key.clone(), reason, at, self.generation(), holder).of(self.lineage())
        }
    }

    /// A tombstone and nothing else.
    #[must_use]
    pub(crate) fn ended(
        key: TokenKey,
        reason: ReauthorizationReason,
        at: DateTime<Utc>,
        generation: u64,
        holder: &str,
    ) -> Self {
        Self {
            version: VERSION,
            key,
            tokens: None,
            intent: None,
            revocation: None,
            tombstone: Some(Tombstone {
                reason,
                at,
                generation,
                holder: holder.to_owned(),
                lineage: None,
                revoked: false,
                unseen: false,
            }),
            pseudonym: None,
        }
    }

    /// The same tombstone without the person whose grant it ends.
    #[must_use]
    pub(crate) fn without_person(mut self, secret: Option<&PseudonymKey>) -> Self {
        if self.pseudonym.is_none() {
            self.pseudonym = Some(Pseudonym::of(&self.key, secret));
            self.key = self.key.without_person();
        }
        self
    }

    /// Whether it is the record of this key, under whose id it was found.
    ///
    /// A mark with a pseudonym has no tokens: what it says is only that the grant with this id is over. One that was made
    /// with another key, or before there was one, says so too, and a login goes over it as over any other.
    pub(crate) fn is_of(&self, key: &TokenKey) -> bool {
        match self.pseudonym {
            None => self.key == *key,
            Some(_) => self.key == key.without_person() && self.tokens.is_none() && self.tombstone.is_some(),
        }
    }

    /// The same tombstone of a grant that was to end at the provider too.
    #[must_use]
    pub(crate) fn ended_at_provider(mut self) -> Self {
        if let Some(tombstone) = &mut self.tombstone {
            tombstone.revoked = true;
        }
        self
    }

    /// The same tombstone for whatever there was before it, of which this process has held the grant of this login. A login
    /// that comes after it knows it by the lineage that it has of its own.
    #[must_use]
    pub(crate) fn of_what_nobody_saw(mut self, held: Option<&Lineage>) -> Self {
        if let Some(tombstone) = &mut self.tombstone {
            tombstone.unseen = true;
            let own = Lineage::begun(tombstone.at);
            tombstone.lineage = Some(own.after(held.map(|held| (Some(held), Some(tombstone.at)))));
        }
        self
    }

    /// The same tombstone for the grant of this login.
    #[must_use]
    pub(crate) fn of(mut self, lineage: Option<&Lineage>) -> Self {
        if let Some(tombstone) = &mut self.tombstone {
            tombstone.lineage = lineage.cloned();
        }
        self
    }

    /// The same tombstone for the grant that ended with another one, and after that whatever clocks say.
    #[must_use]
    pub(crate) fn after_end(self, end: &Self) -> Self {
        let mut ended = self.of(end.lineage());
        if let Some(tombstone) = &mut ended.tombstone {
            tombstone.at = end.ends_at(tombstone.at);
        }
        ended
    }

    /// The same tombstone for a login that came after that of the grant, and is to end with it.
    #[must_use]
    pub(crate) fn of_later(mut self, login: &Self) -> Self {
        if let Some(tombstone) = &mut self.tombstone {
            let ended = tombstone.lineage.take();
            let lineage = login.lineage().cloned();
            tombstone.lineage = lineage.map(|lineage| lineage.ended_with(ended.as_ref(), tombstone.at));
            tombstone.generation = login.generation();
        }
        self
    }

    /// Writes the record for a store, with a checksum as its last field: a store may turn a bit.
    #[must_use]
    pub fn encode(&self) -> RecordBytes {
        // Measured first: a buffer that grows leaves copies of the secrets behind, which nobody overwrites.
        // A struct of strings, numbers and maps with string keys: nothing in it can fail to become JSON.
        let mut length = Length(0);
        let _ = serde_json::to_writer(&mut length, self);
        let mut bytes = Vec::with_capacity(length.0 + Checksum::LENGTH);
        if serde_json::to_writer(&mut bytes, self).is_err() {
            bytes.clear();
        }
        if bytes.pop().is_some() {
            let checksum = Checksum::of(&bytes);
            bytes.extend_from_slice(&checksum.0);
        }
        RecordBytes::from(bytes)
    }

    /// Reads what [`encode`](Self::encode) wrote.
    ///
    /// # Errors
    ///
    /// When the bytes are not a record, or one of a newer version. The error
    /// says where reading stopped, and nothing of what was read.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        #[derive(Deserialize)]
        struct Version {
            version: u32,
        }
        if bytes.starts_with(ENCRYPTED) {
            return Err(DecodeError::Encrypted);
        }
        let Version { version } = serde_json::from_slice(bytes).map_err(|error| DecodeError::at(&error))?;
        // The version too may be what was altered.
        if !Checksum::fits(bytes) {
            return Err(DecodeError::Altered);
        }
        if version > VERSION {
            return Err(DecodeError::Newer { version });
        }
        let record: Self = serde_json::from_slice(bytes).map_err(|error| DecodeError::at(&error))?;
        if record.tokens.is_none() && record.tombstone.is_none() {
            return Err(DecodeError::Empty);
        }
        Ok(record)
    }
}

/// The end of a record: a field of 64 bits of a hash over everything before it. Records of earlier releases have none.
struct Checksum([u8; Self::LENGTH]);

impl Checksum {
    const BEGIN: &[u8] = br#","checksum":""#;
    const END: &[u8] = br#""}"#;
    const LENGTH: usize = Self::BEGIN.len() + 16 + Self::END.len();

    fn of(content: &[u8]) -> Self {
        let digest = Sha256::new()
            .chain_update(b"finrail record 1")
            .chain_update(content)
            .finalize();
        let mut field = [0; Self::LENGTH];
        let (begin, rest) = field.split_at_mut(Self::BEGIN.len());
        let (digits, end) = rest.split_at_mut(16);
        begin.copy_from_slice(Self::BEGIN);
        end.copy_from_slice(Self::END);
        for (pair, byte) in digits.chunks_exact_mut(2).zip(digest) {
            for (digit, nibble) in pair.iter_mut().zip([byte >> 4, byte & 0xf]) {
                *digit = b"0123456789abcdef"[usize::from(nibble)];
            }
        }
        Self(field)
    }

    /// Whether nothing before it was altered, as far as it is there.
    fn fits(bytes: &[u8]) -> bool {
        match bytes.split_last_chunk::<{ Self::LENGTH }>() {
            Some((content, field)) if field.starts_with(Self::BEGIN) => *field == Self::of(content).0,
            _ => true,
        }
    }
}

/// A copy of a record that was found damaged: whose it was stands before it, so that it can go with the grant.
pub(crate) struct DamagedCopy {
    pub key: TokenKey,
}

impl DamagedCopy {
    const BEGIN: &[u8] = b"finrail damaged record\n";

    /// The bytes that were found, behind the key under which they were.
    pub fn encode(key: &TokenKey, found: &[u8]) -> RecordBytes {
        // A struct of strings: nothing in it can fail to become JSON.
        let key = serde_json::to_vec(key).unwrap_or_default();
        RecordBytes::from([Self::BEGIN, &key, b"\n", found].concat())
    }

    /// None: it is something else.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let rest = bytes.strip_prefix(Self::BEGIN)?;
        let key = rest.split(|byte| *byte == b'\n').next()?;
        let key = serde_json::from_slice(key).ok()?;
        Some(Self { key })
    }
}

/// Counts what is written.
struct Length(usize);

impl std::io::Write for Length {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// A stored record that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// Not a record.
    #[error("the stored record is damaged at line {line}, column {column}")]
    Damaged {
        /// From 1.
        line: usize,
        /// From 1.
        column: usize,
    },
    /// A record that can be read, and is not the one that was written.
    #[error("the stored record was altered: its checksum does not fit")]
    Altered,
    /// Neither tokens nor a tombstone.
    #[error("the stored record holds neither tokens nor a tombstone")]
    Empty,
    /// Written with encryption, and read without.
    #[error("the stored record is encrypted: put the store into an `EncryptedStore` with its keys")]
    Encrypted,
    /// Written by a newer finrail.
    #[error("the stored record has version {version}, which a newer finrail wrote: upgrade this process")]
    Newer {
        /// The version.
        version: u32,
    },
}

impl DecodeError {
    /// Whether it is a record of no version.
    pub(crate) fn is_damage(&self) -> bool {
        matches!(self, Self::Damaged { .. } | Self::Altered | Self::Empty)
    }

    /// serde's own message may quote a value, and a value may be a token.
    fn at(error: &serde_json::Error) -> Self {
        Self::Damaged {
            line: error.line(),
            column: error.column(),
        }
    }
}

impl From<DecodeError> for StoreError {
    fn from(error: DecodeError) -> Self {
        Self::corrupt(error)
    }
}

impl StoreError {
    /// What a store gave, `stored`, is no record of any version, as `error` says.
    pub(crate) fn damaged_record(error: DecodeError, stored: StoredRecord) -> Self {
        Self::Corrupt {
            place: None,
            source: Arc::new(error),
            damage: Some(Damage::of(stored)),
        }
    }
}

impl Damage {
    /// What a store has, and nobody can read.
    pub(crate) fn of(stored: StoredRecord) -> Self {
        Self {
            revision: Some(stored.revision),
            bytes: Some(stored.bytes),
            ..Self::default()
        }
    }

    /// The record of this key, where its bytes are whole and only its number is damaged.
    pub(crate) fn record_of(&self, key: &TokenKey) -> Option<Record> {
        let bytes = self
            .bytes
            .as_ref()
            .filter(|_| self.revision.is_none() && !self.kept_aside)?;
        // Not every record has a checksum: what cannot be read is damaged too.
        Record::decode(bytes).ok().filter(|record| record.is_of(key))
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;
    use crate::token::{GrantKind, Rotation, TokenReply};
    use crate::value::Secret;
    use crate::value::{ScopeSet, with_causes};

    fn key() -> TokenKey {
        TokenKey::new("mx", "client", GrantKind::AuthorizationCode)
    }

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_767_225_600 + second, 0).unwrap()
    }

    /// The record of a living grant of this generation, with everything that may be in it.
    fn living(generation: u64) -> Record {
        let scopes = ScopeSet::parse("accounts");
        let mut tokens = TokenSet::first(TokenReply::new("access"), &scopes, at(0).into(), &Rotation::UNKNOWN);
        tokens.generation = generation;
        tokens.lineage = Some(Lineage::begun(at(0)));
        Record::alive(key(), tokens)
            .with_intent(Intent {
                holder: "process-1".to_owned(),
                fence: 3,
                at: at(1),
                first_at: None,
                refresh_token: Fingerprint::of(&Secret::from("refresh")),
                unanswered: 2,
                given_up: false,
                put_back: false,
            })
            .with_revocation(Some(Fingerprint::of(&Secret::from("refresh"))))
    }

    #[test]
    fn a_revision_is_larger_than_all_that_were_seen_and_begins_with_the_time_of_day() {
        let micros = 1_767_225_600_000_000;
        for (seen, shown, now, next) in [
            (None, 0, at(0), micros),
            (Some(u64::MAX), 0, at(0), u64::MAX),
            (Some(7), 0, at(0), 8),
            (Some(7), 6, at(0), 8),
            (Some(7), 7, at(0), 8),
            (Some(7), 8, at(0), 9),
            (None, micros, at(0), micros + 1),
            (None, u64::MAX, at(0), u64::MAX),
            // A clock before 1970.
            (None, 0, DateTime::UNIX_EPOCH, 1),
            (None, 0, DateTime::from_timestamp(-5, 0).unwrap(), 1),
        ] {
            assert_eq!(next_revision(seen, shown, now, 0), next, "{seen:?} {shown} {now}");
            let later = next.saturating_add(7);
            assert_eq!(next_revision(seen, shown, now, 7), later, "{seen:?} {shown} {now}");
        }
    }

    #[test]
    fn a_fingerprint_tells_secrets_apart_and_is_written_in_hexadecimal() {
        let print = Fingerprint::of(&Secret::from("refresh"));
        assert_eq!(print, Fingerprint::of(&Secret::from("refresh")));
        assert_ne!(print, Fingerprint::of(&Secret::from("refresh-2")));
        // The first 64 bits of SHA-256, as stores hold them.
        assert_eq!(format!("{print:?}"), "99722380a9721182");
        assert_eq!(serde_json::to_string(&print).unwrap(), "\"99722380a9721182\"");
        assert_eq!(
            serde_json::from_str::<Fingerprint>("\"99722380a9721182\"").unwrap(),
            print
        );
        let error = serde_json::from_str::<Fingerprint>("\"not one\"")
            .unwrap_err()
            .to_string();
        assert!(error.starts_with("not a fingerprint"), "{error}");
    }

    #[test]
    fn a_record_has_the_generation_and_the_lineage_of_its_tokens_or_of_its_last_ones() {
        let record = living(5);
        let lineage = record.tokens.as_ref().and_then(|tokens| tokens.lineage.clone());
        let ended = record.buried(ReauthorizationReason::Revoked, at(9), "process-1");
        for record in [&record, &ended] {
            assert_eq!((record.generation(), record.lineage()), (5, lineage.as_ref()));
        }
        assert_eq!(record.as_ancestor(), (lineage.as_ref(), None));
        assert_eq!(ended.as_ancestor(), (lineage.as_ref(), Some(at(9))));
        let nothing = Record {
            tombstone: None,
            ..ended
        };
        assert_eq!((nothing.generation(), nothing.lineage()), (0, None));
    }

    #[test]
    fn what_is_about_to_be_sent_is_written_and_taken_out_and_the_rest_stays() {
        let record = living(1);
        assert_eq!(record.revocation, Some(Fingerprint::of(&Secret::from("refresh"))));
        let settled = record.settled();
        assert_eq!((&settled.intent, &settled.tokens), (&None, &record.tokens));
        assert_eq!(settled.revocation, record.revocation);
        assert!(
            record
                .given_up()
                .intent
                .is_some_and(|intent| intent.given_up && intent.unanswered == 2)
        );
        assert_eq!(settled.given_up(), settled);
        let unrevoked = record.with_revocation(None);
        assert_eq!((unrevoked.revocation, &unrevoked.intent), (None, &record.intent));
    }

    #[test]
    fn an_end_on_purpose_leaves_no_tokens_and_any_other_end_what_may_still_serve() {
        let record = living(5);
        for (reason, is_on_purpose) in [
            (ReauthorizationReason::Revoked, true),
            (ReauthorizationReason::Forgotten, true),
            (ReauthorizationReason::Refused, false),
            (ReauthorizationReason::LostReply, false),
        ] {
            let buried = record.buried(reason, at(9), "process-2");
            assert_eq!(buried.tokens.is_none(), is_on_purpose, "{reason:?}");
            assert_eq!(buried.intent.is_none(), is_on_purpose, "{reason:?}");
            assert_eq!(buried.ended_on_purpose().is_some(), is_on_purpose, "{reason:?}");
            assert_eq!(buried.revocation.is_none(), is_on_purpose, "{reason:?}");
            assert_eq!(buried.key, record.key);
            let tombstone = buried.tombstone.clone().unwrap();
            assert_eq!(
                (tombstone.reason, tombstone.at, tombstone.generation),
                (reason, at(9), 5)
            );
            assert_eq!(
                (tombstone.holder.as_str(), tombstone.lineage.as_ref()),
                ("process-2", record.lineage())
            );
        }
        let ended = Record::ended(key(), ReauthorizationReason::Forgotten, at(9), 5, "process-2");
        assert_eq!(ended.lineage(), None);
        assert_eq!(ended.of(record.lineage()).lineage(), record.lineage());
        assert_eq!(record.clone().of(None), record, "there is no tombstone to write it on");
    }

    #[test]
    fn a_record_is_read_back_as_it_was_written() {
        let record = living(5);
        for record in [
            record.buried(ReauthorizationReason::Revoked, at(9), "process-2"),
            record,
        ] {
            assert_eq!(Record::decode(&record.encode()), Ok(record));
        }
        // Measured before it is written: the buffer does not grow.
        let mut length = Length(0);
        length.write_all(b"abc").unwrap();
        length.write_all(b"de").unwrap();
        length.flush().unwrap();
        assert_eq!(length.0, 5);
    }

    #[test]
    fn a_bit_that_turned_anywhere_in_a_record_is_damage_or_changes_nothing_of_it() {
        let record = living(5);
        let written = record.encode();
        let (mut altered, mut unreadable, mut unnoticed) = (0, 0, 0);
        for at in 0..written.len() * 8 {
            let mut bytes = written.to_vec();
            bytes[at / 8] ^= 1 << (at % 8);
            match Record::decode(&bytes) {
                Err(DecodeError::Altered) => altered += 1,
                Err(error) => {
                    assert!(error.is_damage(), "{at}: {error}");
                    unreadable += 1;
                }
                // The name of the checksum.
                Ok(read) => {
                    assert_eq!(read, record, "{at}");
                    unnoticed += 1;
                }
            }
        }
        assert!(
            altered > 1000 && unreadable > 500 && unnoticed < 80,
            "{altered} {unreadable} {unnoticed}"
        );
        // Without it, as earlier releases wrote: taken as it stands.
        let mut before = written[..written.len() - Checksum::LENGTH].to_vec();
        before.push(b'}');
        assert_eq!(Record::decode(&before), Ok(record));
    }

    #[test]
    fn what_is_no_record_of_this_version_says_so_and_shows_nothing_of_it() {
        let of_version = |version: u32, rest: &str| {
            let key = serde_json::to_string(&key()).unwrap();
            format!("{{\"version\":{version},\"key\":{key}{rest}}}").into_bytes()
        };
        let line_and_column = |bytes: &[u8]| match Record::decode(bytes) {
            Err(DecodeError::Damaged { line, column }) => Some((line, column)),
            _ => None,
        };
        assert_eq!(line_and_column(b"{\n\"version\":}"), Some((2, 11)));
        assert!(line_and_column(&of_version(1, ",\"tokens\":7")).is_some());
        assert!(line_and_column(b"").is_some());
        for (bytes, expected, is_damage) in [
            (of_version(1, ""), DecodeError::Empty, true),
            (of_version(2, ""), DecodeError::Newer { version: 2 }, false),
            (b"frcrypt2...".to_vec(), DecodeError::Encrypted, false),
        ] {
            let error = Record::decode(&bytes).unwrap_err();
            assert_eq!((&error, error.is_damage()), (&expected, is_damage));
        }
        assert!(DecodeError::Damaged { line: 1, column: 1 }.is_damage());
    }

    #[test]
    fn a_store_hands_on_what_it_cannot_read_and_damage_with_the_bytes_and_their_revision() {
        let error = StoreError::from(DecodeError::Newer { version: 2 });
        assert!(with_causes(&error).to_string().contains("version 2"));
        assert!(error.damage().is_none(), "nothing is written over it");
        let stored = StoredRecord::new(7, b"{".to_vec());
        let error = StoreError::damaged_record(DecodeError::Empty, stored);
        assert!(
            with_causes(&error)
                .to_string()
                .contains("neither tokens nor a tombstone")
        );
        let damage = error.damage().unwrap();
        assert_eq!((damage.revision, damage.bytes.as_deref()), (Some(7), Some(&b"{"[..])));
    }

    #[test]
    fn a_record_is_of_its_key_and_a_mark_without_a_person_of_the_key_that_says_the_rest() {
        let key = |subject: &str| TokenKey::new("mx", "id", GrantKind::AuthorizationCode).subject(subject);
        let reply = TokenReply::new("access-1");
        let tokens = TokenSet::first(
            reply,
            &ScopeSet::new(),
            std::time::SystemTime::UNIX_EPOCH,
            &Rotation::UNKNOWN,
        );
        let alive = Record::alive(key("a"), tokens.clone());
        assert!(alive.is_of(&key("a")) && !alive.is_of(&key("b")));

        let (reason, secret) = (ReauthorizationReason::Forgotten, PseudonymKey::new([1; 32]));
        let mark = Record::ended(key("a"), reason, DateTime::UNIX_EPOCH, 1, "x").without_person(Some(&secret));
        assert!(mark.is_of(&key("a")));
        let other = TokenKey::new("ofx", "id", GrantKind::AuthorizationCode).subject("a");
        assert!(!mark.is_of(&other));
        // What has tokens, or is no mark, says whose it is.
        let with_tokens = Record {
            tokens: Some(tokens.clone()),
            ..mark.clone()
        };
        let no_mark = Record {
            tombstone: None,
            ..mark.clone()
        };
        assert!(!with_tokens.is_of(&key("a")) && !no_mark.is_of(&key("a")));
        let neither = Record {
            tokens: Some(tokens),
            tombstone: None,
            ..mark
        };
        assert!(!neither.is_of(&key("a")));
    }

    #[test]
    fn a_copy_of_a_damaged_record_says_whose_it_is_and_nothing_else_is_one() {
        let found = b"{\"version\":1,\n\"tok";
        let copy = DamagedCopy::encode(&key(), found);
        assert_eq!(DamagedCopy::decode(&copy).unwrap().key, key());
        assert!(copy.ends_with(found));
        for other in [
            &found[..],
            b"",
            b"finrail damaged record\n",
            b"finrail damaged record\nx\n",
        ] {
            assert!(DamagedCopy::decode(other).is_none());
        }
    }

    #[test]
    fn of_a_record_that_has_lost_its_number_alone_everything_is_known() {
        let record = Record::ended(key(), ReauthorizationReason::Revoked, at(0), 3, "x");
        let without_number = |bytes: RecordBytes| Damage {
            bytes: Some(bytes),
            ..Damage::default()
        };
        let whole = without_number(record.encode());
        assert_eq!(whole.record_of(&key()), Some(record.clone()));
        assert_eq!(whole.record_of(&key().subject("other")), None, "it is of another grant");
        let cut = record.encode();
        assert_eq!(
            without_number(cut[..cut.len() - 1].to_vec().into()).record_of(&key()),
            None
        );
        assert_eq!(Damage::default().record_of(&key()), None);
        let numbered = Damage::of(StoredRecord {
            revision: 7,
            bytes: record.encode(),
        });
        assert_eq!(numbered.record_of(&key()), None, "its bytes are what is damaged");
    }
}
