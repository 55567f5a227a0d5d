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

    /// The point in time: of an RFC 3339 date-time, or of a count of Unix seconds (9 or 10 digits, from 1973 to 2286) or
    /// milliseconds (13 digits, from 2001 on). None for everything else: a number of another length may be a date without
    /// its dashes.
    ///
    /// ```
    /// use finrail::Timestamp;
    ///
    /// let shown = |text: &str| Timestamp::from(text).date_time().map(|at| at.to_rfc3339());
    /// assert_eq!(shown("1581669923").as_deref(), Some("2020-02-14T08:45:23+00:00"));
    /// assert_eq!(shown("1581669923800").as_deref(), Some("2020-02-14T08:45:23.800+00:00"));
    /// assert_eq!(shown("202611261030"), None);
    /// ```
    #[must_use]
    pub fn date_time(&self) -> Option<DateTime<FixedOffset>> {
        let text = self.0.trim();
        if written_day(text).is_none() {
            return unix_time(text).map(|at| at.fixed_offset());
        }
        DateTime::parse_from_rfc3339(text)
            .ok()
            .or_else(|| DateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f%z").ok())
    }

    /// The calendar day: that of the text, in the text's own offset, or that of a count of Unix time, in UTC.
    #[must_use]
    pub fn date(&self) -> Option<NaiveDate> {
        let text = self.0.trim();
        written_day(text).or_else(|| unix_time(text).map(|at| at.date_naive()))
    }
}

/// The day with which a text begins: four digits, two and two, and then the end, a time or an offset. Anything else would
/// be read as another day.
fn written_day(text: &str) -> Option<NaiveDate> {
    let (day, rest) = text.split_at_checked(10)?;
    let is_day = day.bytes().enumerate().all(|(at, byte)| match at {
        4 | 7 => byte == b'-',
        _ => byte.is_ascii_digit(),
    });
    let ends = match rest.as_bytes() {
        [] | [b'T' | b't' | b' ', ..] | [b'Z' | b'z'] => true,
        [b'+' | b'-', offset @ ..] => {
            offset.iter().all(|byte| byte.is_ascii_digit() || *byte == b':') && !offset.is_empty()
        }
        _ => false,
    };
    NaiveDate::parse_from_str(day, "%Y-%m-%d")
        .ok()
        .filter(|_| is_day && ends)
}

fn unix_time(text: &str) -> Option<DateTime<Utc>> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(fraction) {
        return None;
    }
    let count = whole.parse().ok()?;
    match whole.len() {
        9 | 10 => {
            let nanos = format!("{fraction:0<9}").get(..9)?.parse().ok()?;
            DateTime::from_timestamp(count, nanos)
        }
        13 => DateTime::from_timestamp_millis(count),
        _ => None,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timestamp_is_shown_as_it_came() {
        assert_eq!(Timestamp::from(" 26.11.2026").to_string(), " 26.11.2026");
    }

    #[test]
    fn a_day_and_a_year_are_those_of_the_text_or_none() {
        for (text, date_time, date) in [
            ("2026-11-26", None, Some("2026-11-26")),
            (" 2026-11-26\n", None, Some("2026-11-26")),
            ("2026-11-26Z", None, Some("2026-11-26")),
            ("2026-11-26+01:00", None, Some("2026-11-26")),
            ("2026-11-26-05:00", None, Some("2026-11-26")),
            ("2026-11-26T10:00:00", None, Some("2026-11-26")),
            ("2026-11-26 10:00:00", None, Some("2026-11-26")),
            (
                "2026-11-26T10:00:00Z",
                Some("2026-11-26T10:00:00+00:00"),
                Some("2026-11-26"),
            ),
            (
                " 2026-11-26T10:00:00Z",
                Some("2026-11-26T10:00:00+00:00"),
                Some("2026-11-26"),
            ),
            (
                "\t2026-11-26T10:00:00Z",
                Some("2026-11-26T10:00:00+00:00"),
                Some("2026-11-26"),
            ),
            (
                "2026-11-26T00:30:00+02:00",
                Some("2026-11-26T00:30:00+02:00"),
                Some("2026-11-26"),
            ),
            (
                "2026-11-26T10:00:00.5+0100",
                Some("2026-11-26T10:00:00.500+01:00"),
                Some("2026-11-26"),
            ),
            ("1581669923", Some("2020-02-14T08:45:23+00:00"), Some("2020-02-14")),
            (
                "1581669923.8",
                Some("2020-02-14T08:45:23.800+00:00"),
                Some("2020-02-14"),
            ),
            (
                "1581669923.123456789123",
                Some("2020-02-14T08:45:23.123456789+00:00"),
                Some("2020-02-14"),
            ),
            (
                "1581669923800",
                Some("2020-02-14T08:45:23.800+00:00"),
                Some("2020-02-14"),
            ),
            ("100000000", Some("1973-03-03T09:46:40+00:00"), Some("1973-03-03")),
            ("9999999999", Some("2286-11-20T17:46:39+00:00"), Some("2286-11-20")),
            // Neither seconds nor milliseconds: some of them are dates.
            ("202611261030", None, None),
            ("20261126", None, None),
            ("20261126103000", None, None),
            ("1581669923800000", None, None),
            ("99999999999", None, None),
            ("-1581669923", None, None),
            ("+1581669923", None, None),
            ("+158166992", None, None),
            ("1581669923.", None, None),
            ("1_581_669_923", None, None),
            // Nearly a day.
            ("26-11-20", None, None),
            ("26-11-20T10:00:00Z", None, None),
            ("2026-11-261", None, None),
            ("2026-11-261T10:00:00Z", None, None),
            ("12026-11-26", None, None),
            ("2026-1-26", None, None),
            ("2026-11-2 ", None, None),
            ("+2026-11-26T10:00:00Z", None, None),
            ("-2026-11-26", None, None),
            ("2026-02-30", None, None),
            ("2026/11/26", None, None),
            ("26.11.2026", None, None),
            ("2026-11-26x", None, None),
            ("2026-11-26-", None, None),
            ("２026-11-26", None, None),
            ("soon", None, None),
            ("", None, None),
        ] {
            let at = Timestamp::from(text);
            let read = at.date_time().map(|at| at.to_rfc3339());
            assert_eq!(read.as_deref(), date_time, "{text:?}");
            let day = at.date().map(|day| day.to_string());
            assert_eq!(day.as_deref(), date, "{text:?}");
            assert_eq!(at.as_str(), text);
        }
    }
}
