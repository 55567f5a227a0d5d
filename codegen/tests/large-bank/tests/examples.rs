//! Every example of a reply is read by the type that is generated for it, and written again: nothing that it says is lost, and no
//! digit of an amount.
#![allow(clippy::unwrap_used, clippy::panic)]

use finrail::Decimal;
use finrail_spec::json::Json;
use finrail_spec::pointer::join;
use large_bank::types;
use serde::Serialize;
use serde::de::DeserializeOwned;

type Again = fn(&str) -> Result<String, serde_json::Error>;

/// What a type reads, as it writes it.
fn again<T: DeserializeOwned + Serialize>(text: &str) -> Result<String, serde_json::Error> {
    serde_json::to_string(&serde_json::from_str::<T>(text)?)
}

fn examples() -> Vec<(&'static str, &'static str, Again)> {
    include!(concat!(env!("OUT_DIR"), "/examples.rs"))
}

/// What of the first is not in the second, as places and values. `null` is the same as nothing; an amount may be written as a
/// text, and a lenient value in another form.
fn missing(shown: &Json, read: Option<&Json>, at: &str, found: &mut Vec<String>) {
    match (shown, read) {
        (Json::Null, None | Some(Json::Null)) => {}
        (Json::Object(members), Some(Json::Object(_))) => {
            for (name, value) in members {
                missing(value, read.and_then(|read| read.get(name)), &join(at, name), found);
            }
        }
        // An empty list may be left out.
        (Json::Array(items), None) if items.is_empty() => {}
        (Json::Array(items), Some(Json::Array(others))) if items.len() == others.len() => {
            for (n, item) in items.iter().enumerate() {
                missing(item, others.get(n), &format!("{at}/{n}"), found);
            }
        }
        (shown, Some(read)) if shown.scalar().is_some() && shown.scalar() == read.scalar() => {}
        // With an exponent it is the same number in another form.
        (Json::Number(shown), Some(Json::Number(read)))
            if shown.contains('E') && Decimal::from_scientific(shown).ok() == read.parse().ok() => {}
        (shown, read) => found.push(format!(
            "{at}: {shown} is {}",
            read.map_or("gone".to_owned(), Json::to_string)
        )),
    }
}

#[test]
fn every_example_is_read_with_all_that_it_says() {
    let examples = examples();
    let mut wrong = Vec::new();
    for (place, text, again) in &examples {
        match again(text) {
            Err(error) => wrong.push(format!("{place}: {error}")),
            Ok(written) => {
                let mut found = Vec::new();
                let (shown, read) = (Json::parse(text).unwrap(), Json::parse(&written).unwrap());
                missing(&shown, Some(&read), "", &mut found);
                wrong.extend(found.into_iter().map(|one| format!("{place} {one}")));
            }
        }
    }
    assert_eq!(wrong.join("\n"), "");
    // Of 85; one is of a reply whose schema has no name.
    assert_eq!(examples.len(), 84);
}

/// The example of a reply, read as a type.
fn read<T: DeserializeOwned>(place: &str, begins: &str) -> T {
    let examples = examples();
    let found = examples
        .iter()
        .find(|(known, text, _)| *known == place && text.starts_with(begins));
    let (_, text, _) = found.unwrap_or_else(|| panic!("{place}"));
    serde_json::from_str(text).unwrap()
}

#[test]
fn amounts_dates_and_kinds_are_what_the_bank_says() {
    let amount = |text: &str| -> Decimal { text.parse().unwrap() };
    let account: types::Account = read("/paths/~1accounts~1{accountId}/get 200", r#"{"id":"acc-1""#);
    assert_eq!(account.balance, Some(amount("12345678901234567890123456.78")));
    assert_eq!(account.sequence, Some(amount("18446744073709551615")));
    let serial = account.serial.as_ref().map(finrail::Json::get);
    assert_eq!(serial, Some("340282366920938463463374607431768211455"));
    assert_eq!((account.close_reason, account.closed_on), (None, None));
    let closed: types::Account = read("/paths/~1accounts~1{accountId}/get 200", r#"{"id":"acc-2""#);
    assert_eq!(closed.version, Some(9_007_199_254_740_993));
    assert_eq!(closed.close_reason, Some(types::AccountCloseReason::Customer));
    let day = closed.closed_on.unwrap();
    assert_eq!(
        (day.as_str(), day.date().map(|day| day.to_string())),
        ("2026-01-02+01:00", Some("2026-01-02".to_owned()))
    );

    let page: types::BookingPage = read("/paths/~1accounts~1{accountId}~1bookings/get 200", "{");
    let [first, second, third] = page.bookings.as_slice() else {
        panic!("{page:?}")
    };
    let booked = first.booked_at.as_ref().unwrap();
    assert_eq!(booked.as_str(), "/Date(1767312000000+0000)/");
    assert_eq!(booked.date_time().unwrap().to_rfc3339(), "2026-01-02T00:00:00+00:00");
    assert_eq!(first.amount.to_string(), "-12.30");
    let other = |booking: &types::Booking| booking.counterparty.clone().unwrap().account.unwrap();
    assert!(matches!(other(first), types::Identification::Iban(iban) if iban.iban == "GB00SHOP00000000000001"));
    let types::Identification::SortCode(second) = other(second) else {
        panic!("{second:?}")
    };
    assert_eq!(second.balance, Some(amount("1234567890123456789012345678")));
    // A kind and a value that the document does not know are kept.
    assert!(matches!(other(third), types::Identification::Unknown(_)));
    assert_eq!(third.status.as_ref().map(types::BookingStatus::as_str), Some("HELD"));

    let score: types::Verification = read("/paths/~1customers~1{customerId}~1verification/get 200", "{");
    assert_eq!(score.score.as_deref(), Some("0.987654321012345678901234567890"));
}
