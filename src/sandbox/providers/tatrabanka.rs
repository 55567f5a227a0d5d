//! Tatra banka, Premium API: consents and payments that a user agrees to, statements that take a while.

mod payment;

use ::http::HeaderMap;
use finrail_spec::json::Json;

use crate::sandbox::authority::Binding;
use crate::sandbox::clock::timestamp;
use crate::sandbox::http::Reply;
use crate::sandbox::mint;
use crate::sandbox::particular::Particular;
use crate::sandbox::refused::{Refused, refused};
use crate::sandbox::resource::{Call, Record, Store, compare};
use crate::sandbox::spec::{Operation, PageWords, Segment};

/// The code with which a service token is refused where a user's is needed.
const WRONG_KIND_OF_TOKEN: &str = "TOKEN_INVALID";
/// The scope with which a user agrees to a cancellation.
const CANCELLATION_SCOPE: &str = "PREMIUM_PIS_CANC";
/// Marks a payment for which a cancellation was asked.
const CANCELLATION: &str = "cancellation";
/// Marks a statement task that was looked at before.
const SEEN: &str = "seen";
/// The statements of a task that is still at work.
const LATER: &str = "later";

pub(super) struct TatraBanka;

impl Particular for TatraBanka {
    fn page_words(&self) -> PageWords {
        PageWords {
            // In the words of the Berlin Group.
            first_entry: Some("entryReferenceFrom"),
            ..PageWords::default()
        }
    }

    fn check_headers(&self, headers: &HeaderMap) -> Result<(), Refused> {
        // The Berlin Group's header is unknown to the Premium API, and leads to 404.
        match headers.contains_key("consent-id") {
            true => Err(refused(404, "Consent-ID is not taken here")),
            false => Ok(()),
        }
    }

    fn is_listed(&self, call: &Call<'_>, doc: &Json) -> bool {
        call.id() != "list_transactions" || is_chosen(call, doc)
    }

    fn shorten_item(&self, call: &Call<'_>, item: &mut Json) {
        if call.id() == "list_accounts" && call.query("withBalance") != Some("true") {
            item.remove("balances");
        }
    }

    fn listed(&self, call: &Call<'_>, above: Option<&Json>, reply: &mut Json) {
        if call.id() == "list_transactions"
            && let Some(account) = above.and_then(|above| above.get("accountReference"))
        {
            reply.set("account", account.clone());
        }
    }

    fn created(&self, call: &Call<'_>, record: &mut Record) -> Result<(), Refused> {
        match call.id() {
            "initiate_payment" => begin_payment(call, record),
            "create_statement_task" => {
                begin_statement(&mut record.doc);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn read(&self, call: &Call<'_>, record: &mut Record) {
        if call.id() == "get_statement_task" {
            go_on_with_statement(record);
        }
    }

    fn outlives_deletion(&self, call: &Call<'_>, record: &mut Record) -> Result<bool, Refused> {
        if call.id() != "cancel_payment" {
            return Ok(false);
        }
        match record.text("transactionStatus") {
            // The user agrees with a scope of its own, whether the payment was submitted or not.
            Some("ACTC" | "PDNG") => {
                record.views.insert(CANCELLATION.to_owned(), Json::Null);
                Ok(true)
            }
            _ => Err(refused(400, "this payment is done or cancelled already")),
        }
    }

    fn viewed(&self, call: &Call<'_>, _: &str, record: &mut Record) -> Result<(), Refused> {
        match call.id() {
            "submit_payment" => submit_payment(record, call.now),
            _ => Ok(()),
        }
    }

    fn worked_out(&self, call: &Call<'_>, store: &Store) -> Result<Option<Reply>, Refused> {
        if call.id() != "download_statement" {
            return Ok(None);
        }
        let id = call.request.path_value("statementId").unwrap_or_default();
        let task = store.holder("statementId", id);
        Ok(Some(match task.and_then(|task| task.get("exportType")?.as_str()) {
            Some("XML") => Reply::bytes(200, "application/zip", ZIP),
            _ => Reply::bytes(200, "application/pdf", PDF),
        }))
    }

    fn approved(&self, store: &mut Store, binding: &Binding, now: u64) {
        let cancels = binding.scope == CANCELLATION_SCOPE;
        for record in store.find_mut(&binding.name, &binding.value) {
            match binding.name.as_str() {
                "authorizationId" if cancels => cancel_payment(record, now),
                "authorizationId" if record.text("scaStatus") == Some("received") => {
                    record.doc.set("scaStatus", Json::str("unconfirmed"));
                }
                "consentId" if record.doc.get("consentStatus").is_some() => {
                    record.doc.set("consentStatus", Json::str("valid"));
                }
                _ => {}
            }
        }
    }

    fn error_code(&self, operation: Option<&Operation>, status: u16) -> Option<&'static str> {
        match status {
            401 => Some(WRONG_KIND_OF_TOKEN),
            403 => Some("NO_AUTHORIZATION"),
            400 if is_initiation(operation) => Some("FORMAT_ERROR"),
            _ => None,
        }
    }

    fn missing_code(&self, call: &Call<'_>, parameter: &str) -> Option<&'static str> {
        let is_about_statements = call.template().contains(&Segment::Literal("statements".to_owned()));
        (parameter == "accountId" && is_about_statements).then_some("NO_ACCOUNT")
    }

    fn wrong_kind_of_token_code(&self) -> Option<&'static str> {
        Some(WRONG_KIND_OF_TOKEN)
    }

    fn explained(&self, operation: Option<&Operation>, status: u16, body: &mut Json) {
        if status == 400 && is_initiation(operation) {
            // A refused payment says so in the form of a payment.
            body.set("transactionStatus", Json::str("RJCT"));
            if let Some(why) = body.remove("errorDescription") {
                body.set("additionalInformation", why);
            }
        }
    }
}

fn is_initiation(operation: Option<&Operation>) -> bool {
    operation.is_some_and(|operation| operation.id == "initiate_payment")
}

/// Whether a transaction is within the dates, amounts and states that the query asks for.
fn is_chosen(call: &Call<'_>, transaction: &Json) -> bool {
    let is_within = |parameter: &str, way: &[&str], comparison: &str| match (
        call.query(parameter),
        transaction.at(way).and_then(Json::scalar),
    ) {
        (Some(wanted), Some(value)) => compare(&value, comparison, wanted),
        _ => true,
    };
    let is_in_state = || match (call.query("bookingStatus"), transaction.get("transactionState")) {
        (Some(wanted), Some(Json::String(state))) => state.to_ascii_lowercase().contains(wanted),
        _ => true,
    };
    is_within("dateFrom", &["bookingDate"], "gte")
        && is_within("dateTo", &["bookingDate"], "lte")
        && is_within("amountFrom", &["transactionAmount", "amount"], "gte")
        && is_within("amountTo", &["transactionAmount", "amount"], "lte")
        && is_in_state()
}

/// A new payment waits for its user at the authorization server.
fn begin_payment(call: &Call<'_>, record: &mut Record) -> Result<(), Refused> {
    let order = call.request.body.clone().unwrap_or_default();
    let product = call.request.path_value("product").unwrap_or_default();
    payment::check(product, &order, call.now).map_err(|why| refused(400, why))?;
    record.doc.set("transactionStatus", Json::str("ACTC"));
    record.doc.set("scaStatus", Json::str("received"));
    if let Some(Json::String(link)) = record.doc.pointer_mut("/_links/scaRedirect/href") {
        *link = with_client(link, call.client);
    }
    Ok(())
}

/// The link with the caller's client id in it.
fn with_client(link: &str, client: &str) -> String {
    let Ok(mut url) = url::Url::parse(link) else {
        return link.to_owned();
    };
    let pairs: Vec<(String, String)> = url
        .query_pairs()
        .map(|(n, v)| (n.into_owned(), v.into_owned()))
        .collect();
    let pairs = pairs
        .iter()
        .map(|(n, v)| (n.as_str(), if n == "client_id" { client } else { v.as_str() }));
    url.query_pairs_mut().clear().extend_pairs(pairs);
    url.to_string()
}

/// A payment whose user agreed goes to the bank: at once, or on its day.
fn submit_payment(record: &mut Record, now: u64) -> Result<(), Refused> {
    if record.text("scaStatus") == Some("received") {
        return Err(refused(403, "the user has not authorized this payment"));
    }
    if record.text("transactionStatus") != Some("ACTC") {
        return Err(refused(400, "this payment was submitted or cancelled before"));
    }
    let now = timestamp(now);
    let today = now.get(..10).unwrap_or_default();
    let is_later = record.text("requestedExecutionDate").is_some_and(|date| date > today);
    let status = if is_later { "PDNG" } else { "ACSC" };
    record.doc.set("transactionStatus", Json::str(status));
    record.doc.set("scaStatus", Json::str("finalised"));
    record.doc.set("statusDateTime", Json::str(now));
    Ok(())
}

/// The user agreed to a cancellation; it happens when one was asked for.
fn cancel_payment(record: &mut Record, now: u64) {
    if record.views.remove(CANCELLATION).is_some() {
        record.doc.set("transactionStatus", Json::str("CANC"));
        record.doc.set("statusDateTime", Json::str(timestamp(now)));
    }
}

/// A new task has the dates that were asked for in its first statement.
fn begin_statement(task: &mut Json) {
    task.set("state", Json::str("PROCESSING"));
    let (from, to) = (
        task.get("dateFromStatements").cloned(),
        task.get("dateToStatements").cloned(),
    );
    if let (Some(statement), Some(from), Some(to)) = (task.pointer_mut("/statements/0"), from, to) {
        let id = statement.get("statementId").and_then(Json::as_str).unwrap_or_default();
        statement.set("statementId", Json::str(mint::like(id)));
        statement.set("dateFrom", from);
        statement.set("dateTo", to);
    }
}

/// The first look finds a task at work, the next one done. The examples stay as they are.
fn go_on_with_statement(record: &mut Record) {
    let was_seen = record.views.insert(SEEN.to_owned(), Json::Null).is_some();
    if record.since == 0 {
        return;
    }
    let (state, kept_as, shown_as) = match was_seen {
        false => ("PROCESSING", "statements", LATER),
        true => ("SUCCEEDED", LATER, "statements"),
    };
    record.doc.set("state", Json::str(state));
    if let Some(statements) = record.doc.remove(kept_as) {
        record.doc.set(shown_as, statements);
    }
}

/// The smallest document that is a PDF by its first and last lines.
const PDF: &[u8] =
    b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj 2 0 obj<</Type/Pages/Kids[]/Count 0>>endobj\n\
trailer<</Root 1 0 R>>\n%%EOF\n";
/// An archive with nothing in it.
const ZIP: &[u8] = b"PK\x05\x06\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
