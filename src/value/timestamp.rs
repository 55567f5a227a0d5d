//! A point in time as a provider wrote it.

use std::fmt;

use chrono::{DateTime, Datelike as _, FixedOffset, NaiveDate, NaiveDateTime, Utc};
use serde::de::Error as _;
use serde::ser::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

use super::wire::{Scalar, scalar};

/// A point in time as a provider wrote it: a date-time, a date, a number, or a text that is none of these.
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
pub struct Timestamp {
    text: String,
    /// It came as a number, and not as a text that has one in it.
    is_number: bool,
}

impl Timestamp {
    /// The text as it came.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The point in time: of an RFC 3339 date-time, or of a number that counts Unix seconds (10 digits) or milliseconds (13
    /// digits), from September 2001 up to the year 2100, or of milliseconds as `/Date(1573755038314+0000)/` has them. None for everything else: digits in a text, and a number of
    /// another length or that reads as a day and an hour, may be a date without its dashes.
    ///
    /// ```
    /// use finrail::Timestamp;
    ///
    /// let shown = |json: &str| {
    ///     let at: Timestamp = serde_json::from_str(json).ok()?;
    ///     at.date_time().map(|at| at.to_rfc3339())
    /// };
    /// assert_eq!(shown("1581669923").as_deref(), Some("2020-02-14T08:45:23+00:00"));
    /// assert_eq!(shown("1581669923800").as_deref(), Some("2020-02-14T08:45:23.800+00:00"));
    /// assert_eq!(shown(r#""2611261030""#), None);
    /// ```
    #[must_use]
    pub fn date_time(&self) -> Option<DateTime<FixedOffset>> {
        let text = self.text.trim();
        if written_day(text).is_none() {
            let counted = || self.unix_time().map(|at| at.fixed_offset());
            return in_slashes(text).or_else(counted);
        }
        DateTime::parse_from_rfc3339(text)
            .ok()
            .or_else(|| DateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f%z").ok())
    }

    /// The calendar day: that of the text, in the text's own offset, or that of a count of Unix time, in UTC.
    #[must_use]
    pub fn date(&self) -> Option<NaiveDate> {
        let text = self.text.trim();
        let counted = || self.unix_time().map(|at| at.date_naive());
        written_day(text)
            .or_else(|| in_slashes(text).map(|at| at.date_naive()))
            .or_else(counted)
    }

    fn unix_time(&self) -> Option<DateTime<Utc>> {
        unix_time(&self.text).filter(|_| self.is_number)
    }

    fn of_text(text: String) -> Self {
        Self { text, is_number: false }
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

/// `/Date(1573755038314+0100)/`: Unix milliseconds, and the offset of the place, which the count does not have in it.
fn in_slashes(text: &str) -> Option<DateTime<FixedOffset>> {
    let inner = text.strip_prefix("/Date(")?.strip_suffix(")/")?;
    let sign = inner.get(1..)?.find(['+', '-']).map(|at| at + 1);
    let (count, offset) = inner.split_at_checked(sign.unwrap_or(inner.len()))?;
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(count.strip_prefix('-').unwrap_or(count)) {
        return None;
    }
    let at = DateTime::from_timestamp_millis(count.parse().ok()?)?;
    let Some((sign, hours)) = offset.split_at_checked(1).filter(|(sign, _)| !sign.is_empty()) else {
        return Some(at.fixed_offset());
    };
    if !digits(hours) || hours.len() != 4 {
        return None;
    }
    let (hours, minutes) = hours.split_at(2);
    let seconds = (hours.parse::<i32>().ok()? * 60 + minutes.parse::<i32>().ok()?) * 60;
    let offset = FixedOffset::east_opt(if sign == "-" { -seconds } else { seconds })?;
    Some(at.with_timezone(&offset))
}

fn unix_time(text: &str) -> Option<DateTime<Utc>> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(fraction) {
        return None;
    }
    let count = whole.parse().ok()?;
    // `2026112610` is the 26th of November in more replies than it is a second of the year 2034.
    let is_hour = whole.len() == 10
        && whole.starts_with("20")
        && NaiveDateTime::parse_from_str(&format!("{whole}00"), "%Y%m%d%H%M").is_ok();
    let at = match whole.len() {
        10 => {
            let nanos = format!("{fraction:0<9}").get(..9)?.parse().ok()?;
            DateTime::from_timestamp(count, nanos)
        }
        13 => DateTime::from_timestamp_millis(count),
        _ => None,
    };
    at.filter(|at| at.year() <= 2100 && !is_hour)
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl From<&str> for Timestamp {
    fn from(text: &str) -> Self {
        Self::of_text(text.to_owned())
    }
}

impl From<String> for Timestamp {
    fn from(text: String) -> Self {
        Self::of_text(text)
    }
}

impl From<DateTime<Utc>> for Timestamp {
    fn from(at: DateTime<Utc>) -> Self {
        Self::of_text(at.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true))
    }
}

impl From<NaiveDate> for Timestamp {
    fn from(day: NaiveDate) -> Self {
        Self::of_text(day.to_string())
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if !self.is_number {
            return serializer.serialize_str(&self.text);
        }
        // What came as a number is the same one again when it is kept, digit for digit.
        match self.text.parse::<i64>() {
            Ok(count) if count.to_string() == self.text => serializer.serialize_i64(count),
            _ => RawValue::from_string(self.text.clone())
                .map_err(S::Error::custom)?
                .serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match scalar(deserializer, "a text")? {
            Scalar::Null => Err(D::Error::custom("expected a text")),
            Scalar::Text(text) => Ok(Self::of_text(text)),
            Scalar::Bare(text) => Ok(Self { text, is_number: true }),
        }
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
            (
                "/Date(1573755038314)/",
                Some("2019-11-14T18:10:38.314+00:00"),
                Some("2019-11-14"),
            ),
            (
                "/Date(1573755038314+0000)/",
                Some("2019-11-14T18:10:38.314+00:00"),
                Some("2019-11-14"),
            ),
            (
                "/Date(1573770000000+1330)/",
                Some("2019-11-15T11:50:00+13:30"),
                Some("2019-11-15"),
            ),
            (
                "/Date(-86400000-0500)/",
                Some("1969-12-30T19:00:00-05:00"),
                Some("1969-12-30"),
            ),
            ("/Date(15737+)/", None, None),
            ("/Date()/", None, None),
            ("/Date(1573755038314+99990)/", None, None),
            ("/Date(\u{e9}1)/", None, None),
            ("/Date(1573755038314", None, None),
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

    #[test]
    fn a_count_since_1970_is_a_number_and_digits_in_a_text_are_none() {
        for (number, date_time) in [
            ("1581669923", Some("2020-02-14T08:45:23+00:00")),
            ("1581669923.8", Some("2020-02-14T08:45:23.800+00:00")),
            ("1581669923.123456789123", Some("2020-02-14T08:45:23.123456789+00:00")),
            ("1581669923800", Some("2020-02-14T08:45:23.800+00:00")),
            ("1581669923000.5", Some("2020-02-14T08:45:23+00:00")),
            ("1000000000", Some("2001-09-09T01:46:40+00:00")),
            ("1000000000000", Some("2001-09-09T01:46:40+00:00")),
            ("4133980799", Some("2100-12-31T23:59:59+00:00")),
            // Some day of the year 1705.
            ("1705011200", Some("2024-01-11T22:13:20+00:00")),
            // Beyond it, or neither seconds nor milliseconds: some of them are dates.
            ("999999999", None),
            ("202611261", None),
            ("100000000", None),
            ("4133980800", None),
            ("9999999999", None),
            ("2026112610", None),
            ("202611261030", None),
            ("20261126", None),
            ("20261126103000", None),
            ("1581669923800000", None),
            ("99999999999", None),
            ("-1581669923", None),
            ("-158166992", None),
            ("1581669923000.5e1", None),
            ("1.5e9", None),
            ("-0", None),
            (
                "1581669923.123456789012345678901234567890",
                Some("2020-02-14T08:45:23.123456789+00:00"),
            ),
            ("true", None),
        ] {
            let at: Timestamp = serde_json::from_str(number).unwrap();
            assert_eq!(
                at.date_time().map(|at| at.to_rfc3339()).as_deref(),
                date_time,
                "{number}"
            );
            assert_eq!(
                at.date().map(|day| day.to_string()).as_deref(),
                date_time.map(|at| &at[..10]),
                "{number}"
            );
            assert_eq!(at.as_str(), number);
            let kept = serde_json::to_string(&at).unwrap();
            assert_eq!(kept, number);
            assert_eq!(serde_json::from_str::<Timestamp>(&kept).unwrap(), at, "{kept}");
            let text = format!("\"{number}\"");
            let at: Timestamp = serde_json::from_str(&text).unwrap();
            assert_eq!((at.date_time(), at.date(), at.as_str()), (None, None, number));
            assert_eq!(serde_json::to_string(&at).unwrap(), text);
        }
        for text in [
            "202611261",
            "2026112610",
            "2611261030",
            "1126103000",
            "0000000001234",
            "1_581_669_923",
            "+158166992",
        ] {
            let at = Timestamp::from(text);
            assert_eq!((at.date_time(), at.date()), (None, None), "{text}");
        }
        serde_json::from_str::<Timestamp>("null").unwrap_err();
        // In a form that is not JSON it is a number too.
        struct Shown(Timestamp);
        impl fmt::Display for Shown {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.serialize(f)
            }
        }
        let at = serde_json::from_str("1581669923").unwrap();
        assert_eq!(Shown(at).to_string(), "1581669923");
    }
}
