//! Why a store did not do what it was asked to.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use zeroize::Zeroizing;

use super::{RecordBytes, StoredRecord};
use crate::value::Secret;

/// A store did not do what it was asked to.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum StoreError {
    /// The store cannot be reached or used now; trying again may help.
    Unavailable {
        /// What it should have done, as a verb phrase.
        action: &'static str,
        /// Where its records are, where the store says so.
        place: Option<Arc<str>>,
        /// Why it did not.
        source: Arc<dyn std::error::Error + Send + Sync>,
    },
    /// More was asked of the store than it takes at once, and the turn of this grant has not come. Nothing was done;
    /// trying again may help.
    Crowded {
        /// How long the turn was waited for.
        waited: Duration,
        /// How many steps of other grants go first, about.
        ahead: u64,
    },
    /// The store does not do this at all; trying again does not help.
    Unsupported {
        /// What it should have done, as a verb phrase.
        action: &'static str,
    },
    /// The store answers, and what it holds cannot be used; trying again does not help.
    Corrupt {
        /// Where it is, where the store says so.
        place: Option<Arc<str>>,
        /// Why.
        source: Arc<dyn std::error::Error + Send + Sync>,
        /// It is no record of any version, and a process that holds what was in it puts that back. None: it is one that this
        /// process cannot or may not read, and nothing is written over it.
        damage: Option<Damage>,
    },
}

/// What is known of bytes that are no record of any version: cut, or changed on a disk.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Damage {
    /// The revision at which a swap goes over it; none: that of no record.
    pub revision: Option<u64>,
    /// What is left of the bytes, where they can be read.
    pub bytes: Option<RecordBytes>,
    /// The store keeps them aside itself, when something goes over them.
    pub kept_aside: bool,
    /// The revision that what is left of the record names, where a swap over it expects none. It may be altered too.
    pub named_revision: Option<u64>,
}

impl Damage {
    /// Whether it is known which write the damaged record is.
    pub(crate) fn names_revision(&self) -> bool {
        self.revision.or(self.named_revision).is_some()
    }

    /// Whether the damaged record is known to be a later write than this one.
    pub(crate) fn is_later_than(&self, revision: u64) -> bool {
        match (self.revision, self.named_revision) {
            (Some(written), _) => written > revision,
            // It may be the number in which a bit is turned.
            (None, Some(named)) => named > revision && !differs_in_one_digit(named, revision),
            (None, None) => false,
        }
    }

    /// Whether the damaged record is known to be this very write.
    pub(crate) fn is_at(&self, revision: u64) -> bool {
        self.revision.or(self.named_revision) == Some(revision)
    }

    /// Whether this refresh token still stands in the damaged record, and nothing of an end.
    pub(crate) fn holds(&self, refresh_token: &Secret) -> bool {
        self.has_text(refresh_token.expose_secret()) && !self.has_text("tombstone")
    }

    /// Whether this text, as JSON has it, still stands in the damaged record.
    fn has_text(&self, text: &str) -> bool {
        // A text can always be JSON.
        let text = Zeroizing::new(serde_json::to_string(text).unwrap_or_default());
        let bytes = self.bytes.as_deref().unwrap_or_default();
        !text.is_empty() && bytes.windows(text.len()).any(|part| part == text.as_bytes())
    }
}

/// Why a store refuses a record that it can read. Nothing but a login, an end, or a token that is
/// fetched anew goes over it.
#[derive(Clone, Debug, thiserror::Error)]
#[error(
    "the record has revision {}, and this process has seen revision {newest}: an older record was put in its place, or the \
     store was set back to an earlier state",
    .stored.revision
)]
#[cfg_attr(not(feature = "encryption"), allow(dead_code))]
pub(crate) struct Older {
    /// What the store holds.
    pub stored: StoredRecord,
    /// The newest revision that was seen.
    pub newest: u64,
}

impl Older {
    /// Whether all that was seen was known to somebody who found this revision at their look; none: they could not look.
    pub(crate) fn was_known(&self, until: Option<u64>) -> bool {
        until.is_none_or(|until| self.newest <= until)
    }
}

fn differs_in_one_digit(one: u64, other: u64) -> bool {
    let (one, other) = (one.to_string(), other.to_string());
    let differing = one.bytes().zip(other.bytes()).filter(|(one, other)| one != other);
    one.len() == other.len() && differing.count() == 1
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unavailable { action, place, .. } => {
                write!(
                    f,
                    "the token store cannot {action}{}; check it and try again",
                    Within(place)
                )
            }
            Self::Crowded { waited, ahead } => write!(
                f,
                "the token store has more to do than it takes at once: this grant has waited {:.1} s for its turn, and {ahead} \
                 steps of others go first; try again later, or let the store take more at once",
                waited.as_secs_f64()
            ),
            Self::Unsupported { action } => write!(
                f,
                "the token store cannot {action}: it was not made for that; use a store of this crate, or implement it in yours"
            ),
            Self::Corrupt { place, .. } => write!(
                f,
                "the token store holds something that cannot be used{}; restore it, or forget the grant and let the user authorize again",
                Within(place)
            ),
        }
    }
}

/// A place in parentheses, where there is one.
struct Within<'a>(&'a Option<Arc<str>>);

impl fmt::Display for Within<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(place) => write!(f, " ({place})"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for StoreError {
    /// What is behind it, as itself: it can be downcast.
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Unavailable { source, .. } | Self::Corrupt { source, .. } => Some(&**source),
            Self::Crowded { .. } | Self::Unsupported { .. } => None,
        }
    }
}

impl StoreError {
    /// The store cannot be reached or used now. `action` is a verb phrase such as `"read the record"`.
    ///
    /// The text of `source` is logged: let it hold no secret.
    pub fn unavailable(action: &'static str, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Unavailable {
            action,
            place: None,
            source: Arc::from(source.into()),
        }
    }

    /// What the store holds cannot be used.
    pub fn corrupt(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Corrupt {
            place: None,
            source: Arc::from(source.into()),
            damage: None,
        }
    }

    /// What the store holds is no record of any version, and a swap that expects none goes over it. For a store that
    /// finds this out itself, by a checksum, and keeps what was there aside.
    pub fn damaged(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Corrupt {
            place: None,
            source: Arc::from(source.into()),
            damage: Some(Damage {
                kept_aside: true,
                ..Damage::default()
            }),
        }
    }

    /// The same error with what is left of the damaged record: the revision that it names, if that can be read, and its
    /// bytes. A process that knows an earlier revision, and whose refresh token does not stand in them, puts nothing over it.
    ///
    /// ```
    /// use finrail::token::StoreError;
    ///
    /// let error = StoreError::damaged("its checksum does not match").with_what_is_left(Some(17), &b"{\"ver"[..]);
    /// let StoreError::Corrupt { damage: Some(damage), .. } = error else { panic!() };
    /// assert_eq!(damage.named_revision, Some(17));
    /// ```
    #[must_use]
    pub fn with_what_is_left(mut self, revision: Option<u64>, bytes: impl Into<RecordBytes>) -> Self {
        if let Self::Corrupt {
            damage: Some(damage), ..
        } = &mut self
        {
            damage.named_revision = revision;
            damage.bytes = Some(bytes.into());
        }
        self
    }

    /// What is damaged; none: nothing is.
    pub(crate) fn damage(&self) -> Option<&Damage> {
        match self {
            Self::Corrupt { damage, .. } => damage.as_ref(),
            _ => None,
        }
    }

    /// The record that a store refuses because it is older than one that this process has seen; none: it is not that.
    pub(crate) fn older(&self) -> Option<&Older> {
        match self {
            Self::Corrupt { source, .. } => source.downcast_ref(),
            _ => None,
        }
    }

    /// The same error with the place where the records are, unless it names one.
    ///
    /// ```
    /// use finrail::token::StoreError;
    ///
    /// let error = StoreError::unavailable("read the record", "permission denied").at("/var/lib/app/tokens");
    /// assert!(error.to_string().contains("/var/lib/app/tokens"));
    /// ```
    #[must_use]
    pub fn at(mut self, at: impl Into<Arc<str>>) -> Self {
        if let Self::Unavailable { place, .. } | Self::Corrupt { place, .. } = &mut self {
            place.get_or_insert_with(|| at.into());
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_damaged_record_is_a_later_write_where_its_revision_says_so() {
        for (revision, named_revision, is_later) in [
            (None, None, false),
            (Some(7), None, false),
            (Some(8), None, true),
            (Some(6), None, false),
            // What the store keeps beside the record counts before what the record names.
            (Some(7), Some(99), false),
            (None, Some(7), false),
            (None, Some(5), false),
            (None, Some(3141), true),
            // A digit in which a bit is turned, or another length.
            (None, Some(9), false),
            (None, Some(17), true),
        ] {
            let damage = Damage {
                revision,
                named_revision,
                ..Damage::default()
            };
            assert_eq!(damage.is_later_than(7), is_later, "{revision:?} {named_revision:?}");
            assert_eq!(damage.names_revision(), revision.or(named_revision).is_some());
        }
    }

    #[test]
    fn a_text_stands_in_what_is_left_of_a_record_as_json_has_it_and_whole() {
        let left = Damage {
            bytes: Some(RecordBytes::from(br#"{"x:1,"refresh_token":"a\"b","acc"#.as_slice())),
            ..Damage::default()
        };
        for (text, stands) in [("a\"b", true), ("a", false), ("acc", false), ("refresh_token", true)] {
            assert_eq!(left.has_text(text), stands, "{text}");
        }
        assert!(!Damage::default().has_text("a") && !Damage::default().has_text(""));
    }

    #[test]
    fn an_older_record_is_told_by_the_error_that_refuses_it() {
        let refusal = |newest| Older {
            stored: StoredRecord::new(3, b"record".to_vec()),
            newest,
        };
        let error = StoreError::corrupt(refusal(7)).at("somewhere");
        assert!(error.older().is_some_and(|older| older.stored.revision == 3) && error.damage().is_none());
        assert!(StoreError::corrupt("no").older().is_none());
        assert!(StoreError::unavailable("read", refusal(7)).older().is_none());
        for (until, was_known) in [(None, true), (Some(6), false), (Some(7), true), (Some(8), true)] {
            assert_eq!(refusal(7).was_known(until), was_known, "{until:?}");
        }
    }

    #[test]
    fn an_error_without_damage_names_no_revision() {
        let error = StoreError::corrupt("it belongs to another key").with_what_is_left(Some(7), &b""[..]);
        assert!(error.damage().is_none());
        let error = StoreError::damaged("its checksum does not match").with_what_is_left(Some(70), &b""[..]);
        assert!(
            error
                .damage()
                .is_some_and(|damage| damage.is_later_than(5) && damage.kept_aside)
        );
    }
}
