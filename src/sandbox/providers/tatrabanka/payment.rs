//! What a bank checks in a payment order before it takes it (Tatra banka, Premium API payments).

use chrono::{DateTime, Days, NaiveDate};
use finrail_spec::json::Json;
use rust_decimal::Decimal;

/// How far ahead a payment may be dated.
const DAYS_AHEAD: u64 = 60;

/// Whether the bank takes this order; if not, why. `now` is in milliseconds.
pub(super) fn check(product: &str, order: &Json, now: u64) -> Result<(), String> {
    let text = |way: &[&str]| order.at(way).and_then(Json::scalar);
    if let Some(amount) = text(&["instructedAmount", "amount"]) {
        check_amount(&amount)?;
    }
    let is_sepa = matches!(product, "sepa-credit-transfers" | "instant-sepa-credit-transfers");
    if is_sepa && text(&["instructedAmount", "currency"]).is_some_and(|currency| currency != "EUR") {
        return Err("a SEPA payment is in EUR".to_owned());
    }
    for (account, whose) in [("creditorAccount", "Creditor"), ("debtorAccount", "Debtor")] {
        if text(&[account, "iban"]).is_some_and(|iban| !is_iban(&iban)) {
            return Err(format!("Invalid IBAN ({whose} IBAN)"));
        }
    }
    if text(&["creditorName"]).is_some_and(|name| name.contains(['~', '^', '`', '|'])) {
        return Err("creditorName has a character that is not allowed".to_owned());
    }
    match text(&["requestedExecutionDate"]) {
        Some(date) => check_date(&date, now),
        None => Ok(()),
    }
}

fn check_amount(text: &str) -> Result<(), String> {
    let amount: Decimal = text.parse().map_err(|_| "the amount is too large".to_owned())?;
    if amount <= Decimal::ZERO {
        return Err("the amount is not more than nothing".to_owned());
    }
    if text.split_once('.').is_some_and(|(_, fraction)| fraction.len() > 2) {
        return Err("the amount has more than two decimal places".to_owned());
    }
    Ok(())
}

fn check_date(text: &str, now: u64) -> Result<(), String> {
    let wrong = || "requestedExecutionDate is no date".to_owned();
    let date: NaiveDate = text.parse().map_err(|_| wrong())?;
    let today = i64::try_from(now).ok().and_then(DateTime::from_timestamp_millis);
    let today = today.ok_or_else(wrong)?.date_naive();
    if date < today {
        return Err("requestedExecutionDate is past".to_owned());
    }
    if today
        .checked_add_days(Days::new(DAYS_AHEAD))
        .is_some_and(|last| date > last)
    {
        return Err(format!("requestedExecutionDate is more than {DAYS_AHEAD} days ahead"));
    }
    Ok(())
}

/// ISO 13616: country, check digits, account; the whole modulo 97 is 1.
fn is_iban(text: &str) -> bool {
    let is_shaped = (15..=34).contains(&text.len())
        && text.bytes().enumerate().all(|(at, b)| match at {
            0 | 1 => b.is_ascii_uppercase(),
            2 | 3 => b.is_ascii_digit(),
            _ => b.is_ascii_uppercase() || b.is_ascii_digit(),
        });
    if !is_shaped {
        return false;
    }
    let (head, account) = text.split_at(4);
    let remainder = account.chars().chain(head.chars()).fold(0, |sum, c| {
        // A letter counts as the two digits from 10 (A) to 35 (Z).
        let value = c.to_digit(36).unwrap_or_default();
        (sum * if value > 9 { 100 } else { 10 } + value) % 97
    });
    remainder == 1
}

#[cfg(test)]
mod tests {
    use super::is_iban;

    #[test]
    fn an_iban_has_a_check_sum() {
        for iban in [
            "SK6911000000003968781519",
            "SK3711000000007417228416",
            "GB29NWBK60161331926819",
            "NO9386011117947",
        ] {
            assert!(is_iban(iban), "{iban}");
        }
        for wrong in [
            "SK6911000000003968781518",
            "SK9611000000003968781519",
            "sk6911000000003968781519",
            "SK69 1100 0000 0039 6878 1519",
            "SK69",
            "",
            "6911000000003968781519SK",
            "SK69110000000039687815é9",
        ] {
            assert!(!is_iban(wrong), "{wrong}");
        }
    }
}
