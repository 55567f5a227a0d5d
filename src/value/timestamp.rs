//! A point in time as a provider wrote it.

use std::fmt;

use chrono::{DateTime, FixedOffset, NaiveDate, Utc};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A point in time as a provider wrote it: a date-time, a date, or a text that is neither.
///
/// Providers do not keep to one form, and a page of transactions must not be
/// lost to a date. The text is kept as it came; the accessors read it.
///
/// ```
/// use finrail::Timestamp;
///
/// let full = Timestamp::from("2021-07-15T14:46:41.375Z");
/// assert_eq!(full.date_time().unwrap().timestamp_millis(), 1_626_360_401_375);
/// assert_eq!(full.date().unwrap().to_string(), "2021-07-15");
///
/// let day = Timestamp::from("2022-01-30");
/// assert!(day.date_time().is_none());
/// assert_eq!(day.date().unwrap().to_string(), "2022-01-30");
///
/// assert_eq!(Timestamp::from("soon").as_str(), "soon");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Timestamp(String);

impl Timestamp {
    /// The text as it came.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The point in time, when the text is an RFC 3339 date-time or a count of Unix seconds.
    #[must_use]
    pub fn date_time(&self) -> Option<DateTime<FixedOffset>> {
        DateTime::parse_from_rfc3339(&self.0)
            .ok()
            .or_else(|| DateTime::parse_from_str(&self.0, "%Y-%m-%dT%H:%M:%S%.f%z").ok())
            .or_else(|| {
                let seconds = self.0.parse().ok().filter(|_| self.0.len() > 8)?;
                DateTime::from_timestamp(seconds, 0).map(|at| at.fixed_offset())
            })
    }

    /// The calendar day, in the text's own offset.
    #[must_use]
    pub fn date(&self) -> Option<NaiveDate> {
        NaiveDate::parse_from_str(&self.0, "%Y-%m-%d")
            .ok()
            .or_else(|| NaiveDate::parse_from_str(self.0.get(..10)?, "%Y-%m-%d").ok())
            .or_else(|| self.date_time().map(|at| at.date_naive()))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<&str> for Timestamp {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl From<String> for Timestamp {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl From<DateTime<Utc>> for Timestamp {
    fn from(at: DateTime<Utc>) -> Self {
        Self(at.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true))
    }
}

impl From<NaiveDate> for Timestamp {
    fn from(day: NaiveDate) -> Self {
        Self(day.to_string())
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        super::wire::lenient_string::deserialize(deserializer).map(Self)
    }
}
