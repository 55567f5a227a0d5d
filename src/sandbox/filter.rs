//! Filters: whether an item of a list is among those that the query asks for.

use super::json::Json;
use super::paging;
use super::request::Request;
use super::spec::Operation;

/// Whether an item is among those that the query asks for.
pub(super) fn passes(operation: &Operation, request: &Request, doc: &Json) -> bool {
    let mut names: Vec<&str> = request.query.iter().map(|(name, _)| name.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    names
        .into_iter()
        .filter(|name| !paging::is_paging(operation, name))
        .all(|name| {
            let values: Vec<&str> = request
                .query
                .iter()
                .filter(|(n, _)| n == name)
                .map(|(_, v)| v.as_str())
                .collect();
            let (field, comparison) = split_filter(name);
            let Some(found) = field_of(doc, field) else {
                return true;
            };
            values
                .iter()
                .any(|wanted| found.iter().any(|value| compare(value, comparison, wanted)))
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
pub(super) fn field_of(doc: &Json, name: &str) -> Option<Vec<String>> {
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

/// Compares as numbers where both are, else as text (which orders ISO 8601 dates).
pub(super) fn compare(value: &str, comparison: &str, wanted: &str) -> bool {
    use std::cmp::Ordering;
    let order = |a: &str, b: &str| match (a.parse::<rust_decimal::Decimal>(), b.parse::<rust_decimal::Decimal>()) {
        (Ok(a), Ok(b)) => a.cmp(&b),
        _ => a.cmp(b),
    };
    match comparison {
        "gte" => order(value, wanted) != Ordering::Less,
        // A day includes all its hours.
        "lte" => order(value, wanted) != Ordering::Greater || value.starts_with(wanted),
        "gt" => order(value, wanted) == Ordering::Greater,
        "lt" => order(value, wanted) == Ordering::Less,
        "between" => match wanted.split_once("..") {
            Some((from, to)) => compare(value, "gte", from) && compare(value, "lte", to),
            None => true,
        },
        _ => order(value, wanted) == Ordering::Equal,
    }
}
