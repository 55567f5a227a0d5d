//! `Retry-After`: how long a server asks to be left alone.

use std::time::Duration;

use chrono::{DateTime, NaiveDateTime, Utc};
use http::HeaderMap;
use http::header::{DATE, RETRY_AFTER};

/// What a reply says of when to ask again, where it says something (RFC 9110 section 10.2.3).
///
/// ```
/// use finrail::transport::RetryAfter;
///
/// fn pause(error: &finrail::Error) -> std::time::Duration {
///     match error.retry_after() {
///         Some(RetryAfter::After(wait)) => wait,
///         // Somebody asked for time and nobody knows how much: not at once.
///         Some(RetryAfter::Unreadable) => std::time::Duration::from_secs(60),
///         None => std::time::Duration::from_secs(1),
///     }
/// }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetryAfter {
    /// After so long, counted from the reply on; zero: at once. A time that is over already says nothing.
    After(Duration),
    /// The server asks for time, in words that cannot be read, or not all of them: of `soon, 30` nobody knows whether 30
    /// seconds are enough. It is not to be taken for "at once".
    Unreadable,
}

impl RetryAfter {
    /// What can be read of it.
    #[must_use]
    pub fn after(self) -> Option<Duration> {
        match self {
            Self::After(wait) => Some(wait),
            Self::Unreadable => None,
        }
    }

    /// Reads the header, in the forms that the standard has and in those that servers send. Of several waits the longest
    /// counts. Where one of them cannot be read, nobody knows which is the longest, so none of them is.
    pub(crate) fn of(headers: &HeaderMap) -> Option<Self> {
        let Asked { longest, unreadable } = Asked::of(headers)?;
        Some(match longest {
            Some(wait) if !unreadable => Self::After(wait),
            _ => Self::Unreadable,
        })
    }
}

/// How long a server is to be left alone by all who would ask it: the longest wait that can be read, and at least a minute
/// where one cannot be.
pub(crate) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let Asked { longest, unreadable } = Asked::of(headers)?;
    let least = if unreadable {
        Duration::from_secs(60)
    } else {
        Duration::ZERO
    };
    Some(longest.unwrap_or_default().max(least))
}

/// All that a reply says of when to ask again.
struct Asked {
    /// The longest wait that can be read.
    longest: Option<Duration>,
    /// There is something beside it that cannot be read, or nothing else.
    unreadable: bool,
}

impl Asked {
    fn of(headers: &HeaderMap) -> Option<Self> {
        // Most replies have none: nothing is read of these, their date neither.
        headers.get(RETRY_AFTER)?;
        let now = headers
            .get(DATE)
            .and_then(|date| date.to_str().ok())
            .and_then(date)
            .unwrap_or_else(Utc::now);
        let mut asked = Self {
            longest: None,
            unreadable: false,
        };
        for value in headers.get_all(RETRY_AFTER) {
            let text = value.to_str().unwrap_or_default();
            if is_grouped(text) {
                asked.unreadable = true;
                continue;
            }
            let parts = parts(text);
            // A comma too many says nothing (RFC 9110 section 5.6.1). A field with nothing in it is no wait.
            let is_list = parts.iter().any(|part| !part.is_empty());
            for part in parts.iter().filter(|part| !is_list || !part.is_empty()) {
                match wait(part, now) {
                    Some(Wait::Of(wait)) => asked.longest = asked.longest.max(Some(wait)),
                    Some(Wait::Over) => {}
                    None => asked.unreadable = true,
                }
            }
        }
        (asked.unreadable || asked.longest.is_some()).then_some(asked)
    }
}

/// Whether a text may be one number with its thousands apart, as well as a list. Of `120,120` it is not likely: a proxy has
/// put its own wait behind the server's.
fn is_grouped(text: &str) -> bool {
    let mut groups = text.trim_matches(|c: char| c.is_whitespace() || c == '"').split(',');
    let is_of = |group: &str, most: std::ops::RangeInclusive<usize>| {
        most.contains(&group.len()) && group.bytes().all(|byte| byte.is_ascii_digit())
    };
    let first = groups.next().is_some_and(|first| is_of(first, 1..=2));
    let rest: Vec<&str> = groups.collect();
    first && !rest.is_empty() && rest.iter().all(|group| is_of(group, 3..=3))
}

/// The members of a list. A date has a comma too, behind the name of its day.
fn parts(text: &str) -> Vec<String> {
    let mut parts: Vec<String> = Vec::new();
    for part in text.split([',', ';']) {
        let part = part.trim_matches(|c: char| c.is_whitespace() || c == '"' || c == '\'');
        match parts.last_mut() {
            Some(last) if is_a_day(last) => *last = format!("{last}, {part}"),
            _ => parts.push(part.to_owned()),
        }
    }
    parts
}

fn is_a_day(text: &str) -> bool {
    ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
        .iter()
        .any(|day| text.get(..3).is_some_and(|start| start.eq_ignore_ascii_case(day)))
        && text.chars().all(|c| c.is_ascii_alphabetic())
}

/// What one member of the field says.
enum Wait {
    Of(Duration),
    /// The time that it names is over: it says nothing of how long, so that it is no less than where nothing is said.
    Over,
}

fn wait(text: &str, now: DateTime<Utc>) -> Option<Wait> {
    let until = |time: DateTime<Utc>| match time.signed_duration_since(now).to_std() {
        Ok(left) if !left.is_zero() => Wait::Of(left),
        _ => Wait::Over,
    };
    match seconds(text) {
        Some(count) => Some(unix_time(count).map_or(Wait::Of(Duration::from_secs(count)), until)),
        None => date(text).map(until),
    }
}

/// The time that a number is, counted from 1970 on in seconds, or in thousandths or millionths of them. Nobody asks for thirty
/// years of peace.
fn unix_time(count: u64) -> Option<DateTime<Utc>> {
    let number = i64::try_from(count).ok()?;
    match count {
        1_000_000_000..10_000_000_000 => DateTime::from_timestamp(number, 0),
        1_000_000_000_000..10_000_000_000_000 => DateTime::from_timestamp_millis(number),
        1_000_000_000_000_000..10_000_000_000_000_000 => DateTime::from_timestamp_micros(number),
        _ => None,
    }
}

/// A count of seconds, rounded up. One that is too large to count is as long as can be counted.
fn seconds(text: &str) -> Option<u64> {
    let number = text
        .strip_suffix("seconds")
        .or_else(|| text.strip_suffix("sec"))
        .or_else(|| text.strip_suffix('s'))
        .unwrap_or(text)
        .trim_end();
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(fraction) {
        return None;
    }
    let more = u64::from(fraction.bytes().any(|digit| digit != b'0'));
    // Nothing but digits: only a number that is too large is none.
    Some(whole.parse().unwrap_or(u64::MAX).saturating_add(more))
}

/// A date of RFC 9110 section 5.6.7, the same with another name or number for its zone, or one of ISO 8601.
fn date(text: &str) -> Option<DateTime<Utc>> {
    if let Ok(date) = httpdate::parse_http_date(text) {
        return Some(date.into());
    }
    if let Ok(date) = DateTime::parse_from_rfc3339(text) {
        return Some(date.to_utc());
    }
    let without_name = text.strip_suffix(" UTC").map(|date| format!("{date} +0000"));
    if let Ok(date) = DateTime::parse_from_rfc2822(without_name.as_deref().unwrap_or(text)) {
        return Some(date.to_utc());
    }
    let iso = text
        .strip_suffix("UTC")
        .or_else(|| text.strip_suffix('Z'))
        .unwrap_or(text)
        .trim_end();
    ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f"]
        .iter()
        .find_map(|form| NaiveDateTime::parse_from_str(iso, form).ok())
        .or_else(|| {
            // With a zone that has no colon.
            let date = DateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f%z").ok()?;
            Some(date.naive_utc())
        })
        .map(|date| date.and_utc())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of a reply that was made at 12:00:00 on 1 December 2026.
    fn read(values: &[&str]) -> Option<RetryAfter> {
        let mut headers = HeaderMap::new();
        headers.insert(DATE, "Tue, 01 Dec 2026 12:00:00 GMT".parse().unwrap());
        for value in values {
            headers.append(RETRY_AFTER, value.parse().unwrap());
        }
        RetryAfter::of(&headers)
    }

    #[test]
    fn it_is_read_in_every_form_that_servers_send() {
        for (value, secs) in [
            ("7", 7),
            ("0", 0),
            (" 7 ", 7),
            ("\"7\"", 7),
            ("'7'", 7),
            ("007", 7),
            // Rounded up.
            ("1.5", 2),
            ("0.001", 1),
            ("7.0", 7),
            ("7s", 7),
            ("7 seconds", 7),
            ("7 sec", 7),
            ("99999999999999999999999", u64::MAX),
            ("1796126500", 100),
            ("1796126500000", 100),
            ("1796126500000000", 100),
            ("1796126499.5", 100),
            ("1796126500s", 100),
            ("1796126500 seconds", 100),
            ("0000000120", 120),
            ("0000000000120", 120),
            ("86400000", 86_400_000),
            ("999999999", 999_999_999),
            ("Tue, 01 Dec 2026 12:01:40 GMT", 100),
            ("Tuesday, 01-Dec-26 12:01:40 GMT", 100),
            ("Tue Dec  1 12:01:40 2026", 100),
            ("Tue, 01 Dec 2026 12:01:40 +0000", 100),
            ("Tue, 01 Dec 2026 13:01:40 +0100", 100),
            ("Tue, 01 Dec 2026 12:01:40 UTC", 100),
            ("01 Dec 2026 12:01:40 GMT", 100),
            ("\"Tue, 01 Dec 2026 12:01:40 GMT\"", 100),
            ("2026-12-01T12:01:40Z", 100),
            ("2026-12-01T12:01:40.000Z", 100),
            ("2026-12-01T13:01:40+01:00", 100),
            ("2026-12-01T13:01:40+0100", 100),
            ("2026-12-01T12:01:40", 100),
            ("2026-12-01 12:01:40", 100),
            ("2026-12-01 12:01:40 UTC", 100),
            ("Wed, 21 Oct 2015 07:28:00 GMT, 7", 7),
            // Lists: the longest.
            ("5, 7", 7),
            ("7;5", 7),
            ("1, 500", 500),
            ("7,30", 30),
            ("120,120", 120),
            ("120,300", 300),
            ("300,120,60", 300),
            ("7, Tue, 01 Dec 2026 12:01:40 GMT", 100),
            ("Tue, 01 Dec 2026 12:01:40 GMT, 700", 700),
            ("7,", 7),
            (", 7;", 7),
        ] {
            assert_eq!(
                read(&[value]),
                Some(RetryAfter::After(Duration::from_secs(secs))),
                "{value}"
            );
        }
        for (values, secs) in [(["7", "5"], 7), (["5", "7"], 7), (["0", "7"], 7), (["0", "0"], 0)] {
            let expected = Some(RetryAfter::After(Duration::from_secs(secs)));
            assert_eq!(read(&values), expected, "{values:?}");
        }
    }

    #[test]
    fn a_time_that_is_over_says_nothing_of_how_long() {
        for value in [
            "1420000000",
            "1420000000.5",
            "1420000000000",
            "1796126400",
            "Wed, 21 Oct 2015 07:28:00 GMT",
            "2015-10-21T07:28:00Z",
            "1420000000, Wed, 21 Oct 2015 07:28:00 GMT",
        ] {
            assert_eq!(read(&[value]), None, "{value}");
        }
        assert_eq!(read(&["0", "1420000000"]), Some(RetryAfter::After(Duration::ZERO)));
    }

    #[test]
    fn what_cannot_be_read_is_not_taken_for_none() {
        for value in [
            "",
            "soon",
            "-1",
            "+7",
            "7x",
            "1e3",
            "1.2.3",
            "1,500",
            "5,120",
            "\"12,000,000\"",
            ".5",
            "7.",
            "٧",
            "Tue",
            "Tue, 01",
            "0x10",
            "2026-12-01",
            "s",
            "null",
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(RETRY_AFTER, http::HeaderValue::from_bytes(value.as_bytes()).unwrap());
            assert_eq!(RetryAfter::of(&headers), Some(RetryAfter::Unreadable), "{value}");
            assert_eq!(retry_after(&headers), Some(Duration::from_secs(60)));
        }
        assert_eq!(read(&[]), None);
        assert_eq!(RetryAfter::Unreadable.after(), None);
        assert_eq!(RetryAfter::After(Duration::ZERO).after(), Some(Duration::ZERO));
    }

    #[test]
    fn what_cannot_be_read_beside_what_can_may_be_the_longest() {
        for (values, secs) in [
            (&["soon", "0"][..], 60),
            (&["0", "soon"], 60),
            (&["soon, 0"], 60),
            (&["0;soon"], 60),
            (&["", "0"], 60),
            (&["0", ","], 60),
            (&["-1, 0"], 60),
            (&["Wed, 21 Oct 2015 07:28:00 GMT, soon"], 60),
            // What can be read is the least, for whoever waits anyway.
            (&["soon, 30"], 60),
            (&["30", "soon"], 60),
            (&["soon, 3600"], 3600),
            (&["3600", "soon", "7"], 3600),
        ] {
            assert_eq!(read(values), Some(RetryAfter::Unreadable), "{values:?}");
            let mut headers = HeaderMap::new();
            headers.insert(DATE, "Tue, 01 Dec 2026 12:00:00 GMT".parse().unwrap());
            for value in values {
                headers.append(RETRY_AFTER, value.parse().unwrap());
            }
            assert_eq!(retry_after(&headers), Some(Duration::from_secs(secs)), "{values:?}");
        }
    }

    #[test]
    fn without_a_date_of_the_reply_the_time_of_day_here_counts() {
        let mut headers = HeaderMap::new();
        let soon = std::time::SystemTime::now() + Duration::from_secs(100);
        headers.insert(RETRY_AFTER, httpdate::fmt_http_date(soon).parse().unwrap());
        let read = RetryAfter::of(&headers).and_then(RetryAfter::after).unwrap();
        assert!(
            read > Duration::from_secs(90) && read <= Duration::from_secs(100),
            "{read:?}"
        );
    }
}
