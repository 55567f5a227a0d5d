//! OFX: deals refer to quotes and beneficiaries, quotes have two sides, rates convert amounts.

use finrail_spec::json::Json;
use rust_decimal::Decimal;

use crate::sandbox::http::Reply;
use crate::sandbox::particular::Particular;
use crate::sandbox::refused::{Refused, refused};
use crate::sandbox::resource::{Call, Record, Store};

pub(super) struct Ofx;

impl Particular for Ofx {
    fn check_references(&self, store: &Store, call: &Call<'_>) -> Result<(), Refused> {
        let ("create_deal", Some(deal)) = (call.id(), &call.request.body) else {
            return Ok(());
        };
        store.check_named(deal, "quoteId", "/payments/quotes")?;
        let paid = deal.get("beneficiaries").map(Json::items).unwrap_or_default();
        paid.iter()
            .try_for_each(|one| store.check_named(one, "beneficiaryId", "/payments/beneficiaries"))
    }

    fn created(&self, call: &Call<'_>, record: &mut Record) -> Result<(), Refused> {
        if call.id() == "create_quote" {
            price(&mut record.doc);
        }
        Ok(())
    }

    fn acknowledged(&self, call: &Call<'_>, reply: &mut Json) {
        if call.id() == "create_deal" {
            // Deals are made in the background, and no field of this reply is documented, the deal's id least of all.
            *reply = call.operation.example().cloned().unwrap_or(Json::Object(Vec::new()));
        }
    }

    fn worked_out(&self, call: &Call<'_>, _: &Store) -> Result<Option<Reply>, Refused> {
        if call.id() != "get_rate" {
            return Ok(None);
        }
        let mut reply = call.operation.example().cloned().unwrap_or_default();
        let rate = reply.get("ofxRate").and_then(Json::scalar);
        let Some(rate) = rate.and_then(|rate| rate.parse().ok()) else {
            // A specification without a rate is answered as it is.
            return Ok(None);
        };
        let amount = call.request.path_value("amount").unwrap_or_default();
        let converted = converted(amount, rate).ok_or_else(|| refused(400, "the amount cannot be converted"))?;
        reply.set("convertedAmount", Json::Number(converted.to_string()));
        Ok(Some(Reply::json(200, "application/json", reply)))
    }
}

/// The side of a quote that was left open, from the other one and the rate of the example.
fn price(quote: &mut Json) {
    let number = |name: &str| quote.get(name).and_then(Json::scalar)?.parse::<Decimal>().ok();
    let (buy, sell) = (
        number("buyAmount").unwrap_or_default(),
        number("sellAmount").unwrap_or_default(),
    );
    let (name, known, rate) = match (buy.is_zero(), sell.is_zero()) {
        (false, true) => ("sellAmount", buy, number("inverseCustomerRate")),
        (true, false) => ("buyAmount", sell, number("customerRate")),
        _ => return,
    };
    if let Some(amount) = rate.and_then(|rate| known.checked_mul(rate)) {
        quote.set(name, Json::Number(amount.round_dp(2).normalize().to_string()));
    }
    if let (Some(currency), true) = (quote.get("sellCurrency").cloned(), quote.get("feeCurrency").is_some()) {
        quote.set("feeCurrency", currency);
    }
}

fn converted(amount: &str, rate: Decimal) -> Option<Decimal> {
    let amount: Decimal = amount.parse().ok()?;
    Some(amount.checked_mul(rate)?.round_dp(2))
}
