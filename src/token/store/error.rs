//! Why a store did not do what it was asked to.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::RecordBytes;

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
        /// It is no record of any version, and a process that holds the tokens puts them back. None: it is one that this
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
    /// The bytes; none: the store keeps them aside itself.
    pub bytes: Option<RecordBytes>,
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
            damage: Some(Damage::default()),
        }
    }

    /// As [`damaged`](Self::damaged), for a record whose bytes can be read and whose revision is no number: whoever goes
    /// over it keeps the bytes aside.
    #[cfg(any(feature = "redis", feature = "postgres"))]
    pub(super) fn without_revision(bytes: RecordBytes) -> Self {
        let source = "the revision of the record is damaged: it is no whole number of zero or more";
        Self::Corrupt {
            place: None,
            source: Arc::from(Box::<dyn std::error::Error + Send + Sync>::from(source)),
            damage: Some(Damage {
                revision: None,
                bytes: Some(bytes),
            }),
        }
    }

    /// What is damaged; none: nothing is.
    pub(crate) fn damage(&self) -> Option<&Damage> {
        match self {
            Self::Corrupt { damage, .. } => damage.as_ref(),
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
