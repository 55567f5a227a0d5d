//! Filters: whether an item of a list is among those that the query asks for.

use std::cmp::Ordering;

use chrono::{DateTime, Days, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Utc};
use finrail_spec::json::Json;
use rust_decimal::Decimal;

use super::call::Call;

/// Whether an item is among those that the query asks for.
pub(in crate::sandbox) fn passes(call: &Call<'_>, doc: &Json) -> bool {
    let query = &call.request.query;
    let mut names: Vec<&str> = query.iter().map(|(name, _)| name.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    names.retain(|name| !call.operation.is_about_pages(&call.page_words, name));
    names.into_iter().all(|name| {
        let (field, comparison) = split_filter(name);
        let Some(found) = field_of(doc, field) else {
            return true;
        };
        let mut wanted = query.iter().filter(|(n, _)| n == name);
        wanted.any(|(_, wanted)| found.iter().any(|value| compare(value, comparison, wanted)))
    })
}

/// Whether the ranges that the query asks for have ends that can be compared; if not, which has none.
pub(in crate::sandbox) fn check_ranges(call: &Call<'_>) -> Result<(), String> {
    for (name, value) in &call.request.query {
        let is_right = match split_filter(name).1 {
            "between" => value.split_once("..").is_some_and(|(from, to)| {
                let are = |is_end: fn(&str) -> bool| is_end(from) && is_end(to);
                are(is_number) || are(is_moment)
            }),
            "gte" | "lte" | "gt" | "lt" => !is_about_time(call, name) || is_moment(value),
            _ => true,
        };
        if !is_right {
            return Err(format!("the query parameter `{name}` is no range of this list"));
        }
    }
    Ok(())
}

/// Whether the values of a query parameter are dates or times.
fn is_about_time(call: &Call<'_>, name: &str) -> bool {
    let Some(parameter) = call.operation.parameter(name) else {
        return false;
    };
    ["format", "x-lenient"].iter().any(|keyword| {
        let form = call.spec.document.keyword(&parameter.schema, keyword);
        matches!(form.and_then(Json::as_str), Some("date-time" | "date"))
    })
}

/// `tranDate[gte]`, `timestamp.gte`, `id[]`, `customer`
fn split_filter(name: &str) -> (&str, &str) {
    if let Some((field, rest)) = name.split_once('[') {
        return (field, rest.trim_end_matches(']'));
    }
    match name.rsplit_once('.') {
        Some((field, comparison @ ("gte" | "lte" | "gt" | "lt"))) => (field, comparison),
        _ => (name, ""),
    }
}

/// The values of a field, at the top or below the key that names the kind; an object counts by its id.
pub(in crate::sandbox) fn field_of(doc: &Json, name: &str) -> Option<Vec<String>> {
    let value = doc.get(name).or_else(|| match doc.members() {
        [(_, inner)] => inner.get(name),
        _ => None,
    })?;
    match value {
        Json::Array(items) => Some(items.iter().filter_map(Json::scalar).collect()),
        Json::Object(_) => Some(vec![value.get("id")?.scalar()?]),
        Json::Null => Some(Vec::new()),
        scalar => Some(vec![scalar.scalar()?]),
    }
}

/// Compares as numbers where both are, as moments where both are, else as text.
pub(in crate::sandbox) fn compare(value: &str, comparison: &str, wanted: &str) -> bool {
    match comparison {
        "gte" => order(value, wanted, first) != Ordering::Less,
        // A day includes all its hours.
        "lte" => order(value, wanted, last) != Ordering::Greater,
        "gt" => order(value, wanted, last) == Ordering::Greater,
        "lt" => order(value, wanted, first) == Ordering::Less,
        "between" => wanted
            .split_once("..")
            .is_some_and(|(from, to)| compare(value, "gte", from) && compare(value, "lte", to)),
        _ => match (value.parse::<Decimal>(), wanted.parse::<Decimal>()) {
            (Ok(a), Ok(b)) => a == b,
            _ => value == wanted,
        },
    }
}

fn order(value: &str, wanted: &str, end: fn(&str) -> Option<DateTime<Utc>>) -> Ordering {
    if let (Ok(a), Ok(b)) = (value.parse::<Decimal>(), wanted.parse::<Decimal>()) {
        return a.cmp(&b);
    }
    match (first(value), end(wanted)) {
        (Some(a), Some(b)) => a.cmp(&b),
        _ => value.cmp(wanted),
    }
}

/// Whether the text is a date, or a date with a time (ISO 8601).
pub(in crate::sandbox) fn is_moment(text: &str) -> bool {
    first(text).is_some()
}

/// The moment that the text names, or the first one of the day.
pub(in crate::sandbox) fn first(text: &str) -> Option<DateTime<Utc>> {
    if let Some(day) = day(text) {
        return Some(day.and_time(NaiveTime::MIN).and_utc());
    }
    let with_offset = DateTime::parse_from_rfc3339(text).map(|time| time.to_utc());
    let local = || NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f").map(|time| time.and_utc());
    with_offset.or_else(|_| local()).ok()
}

/// The moment that the text names, or the last one of the day.
pub(in crate::sandbox) fn last(text: &str) -> Option<DateTime<Utc>> {
    match day(text) {
        Some(day) => {
            let next = day.checked_add_days(Days::new(1))?.and_time(NaiveTime::MIN).and_utc();
            next.checked_sub_signed(TimeDelta::nanoseconds(1))
        }
        None => first(text),
    }
}

fn day(text: &str) -> Option<NaiveDate> {
    text.parse().ok().filter(|_| text.len() == 10)
}

fn is_number(text: &str) -> bool {
    text.parse::<Decimal>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::{compare, is_moment};

    #[test]
    fn ranges_compare_what_is_meant_and_not_how_it_is_written() {
        for (value, comparison, wanted, passes) in [
            ("9", "gte", "10", false),
            ("10.0", "", "10", true),
            ("2026-11-20T23:30:00-05:00", "gte", "2026-11-21", true),
            ("2026-11-20T23:30:00Z", "lte", "2026-11-20", true),
            ("2026-11-21T00:00:00Z", "lte", "2026-11-20", false),
            ("2026-11-20T08:00:00Z", "lte", "2026-11-20T09:00:00+02:00", false),
            ("2026-11-20T23:30:00Z", "gt", "2026-11-20", false),
            ("15", "between", "10..20", true),
            ("25", "between", "10..20", false),
            ("25", "between", "nonsense", false),
        ] {
            assert_eq!(
                compare(value, comparison, wanted),
                passes,
                "{value} {comparison} {wanted}"
            );
        }
    }

    #[test]
    fn a_moment_is_a_date_or_a_date_with_a_time() {
        for text in [
            "2026-11-20",
            "2026-11-20T08:00:00Z",
            "2026-11-20T08:00:00.000+01:00",
            "2026-11-20T08:00:00",
        ] {
            assert!(is_moment(text), "{text}");
        }
        for text in [
            "banana",
            "",
            "2026-13-01",
            "2026-1-1",
            "20261120",
            "2026-11-20T08:00:00 01:00",
            "1553538663",
        ] {
            assert!(!is_moment(text), "{text}");
        }
    }
}
