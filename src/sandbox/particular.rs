//! The little that is particular to one provider and cannot be read from its specification.
//!
//! Everything here is about meaning: which field is the state of a thing, and what changes it.

use ::http::HeaderMap;
use rust_decimal::Decimal;

use super::authority::Binding;
use super::http::Reply;
use super::json::Json;
use super::providers::tatrabanka::payment;
use super::request::Request;
use super::resource::filter::{compare, field_of, first, last};
use super::resource::store::{Context, Record, Refused, Store, refused};
use super::spec::{Operation, Segment, Spec};

/// An hour of the sandbox's clock.
const HOUR: u64 = 3_600_000;

/// What happens by itself as time goes by.
pub(super) fn pass_time(spec: &Spec, store: &mut Store, now: u64) {
    if spec.id != "finexer" {
        return;
    }
    // A consent that nobody authorizes is cancelled after a week.
    for record in store.records_mut("/consents") {
        let over = record.since + 7 * 24 * HOUR;
        if is_open(record) && record.since > 0 && now >= over {
            record.doc.set("status", Json::str("canceled"));
            record.doc.set("updated_at", Json::str(timestamp(over)));
        }
    }
}

/// What a request names must exist.
pub(super) fn check_references(
    spec: &Spec,
    store: &Store,
    operation: &Operation,
    request: &Request,
) -> Result<(), Refused> {
    let Some(body) = &request.body else { return Ok(()) };
    let check = |doc: &Json, name: &str, path: &str| match doc.get(name).and_then(Json::scalar) {
        Some(id) if !store.has(path, &id) => Err(refused(400, format!("no {name} like this exists"))),
        _ => Ok(()),
    };
    match (spec.id.as_str(), operation.id.as_str()) {
        ("ofx", "create_deal") => {
            check(body, "quoteId", "/payments/quotes")?;
            let paid = body.get("beneficiaries").map(Json::items).unwrap_or_default();
            paid.iter()
                .try_for_each(|one| check(one, "beneficiaryId", "/payments/beneficiaries"))
        }
        ("finexer", "create_consent") => {
            check(body, "customer", "/customers")?;
            check(body, "provider", "/providers")
        }
        _ => Ok(()),
    }
}

/// Whether the thing above opens the list below it.
pub(super) fn check_opened(
    spec: &Spec,
    store: &Store,
    operation: &Operation,
    above: Option<&Json>,
) -> Result<(), Refused> {
    if (spec.id.as_str(), operation.id.as_str()) != ("finexer", "list_transactions") {
        return Ok(());
    }
    let consent = above
        .and_then(|account| account.get("consent")?.scalar())
        .and_then(|id| store.get("/consents", &id));
    let Some(consent) = consent else { return Ok(()) };
    let scopes = consent.get("scopes").map(Json::items).unwrap_or_default();
    match scopes.iter().any(|scope| scope.as_str() == Some("transactions")) {
        true => Ok(()),
        false => Err(refused(
            403,
            "the consent of this bank account does not include transactions",
        )),
    }
}

/// What the query of a list may ask for, beyond the types of its parameters.
pub(super) fn check_query(spec: &Spec, operation: &Operation, request: &Request) -> Result<(), Refused> {
    if (spec.id.as_str(), operation.id.as_str()) != ("mx", "list_account_transactions") {
        return Ok(());
    }
    // FDX 4.6.
    let coded = |code: &'static str, why: &str| Refused {
        code: Some(code),
        ..refused(400, why)
    };
    let moment = |name: &str, end: fn(&str) -> Option<_>| {
        let text = request.query_value(name);
        text.map(|text| end(text).ok_or_else(|| coded("702", "invalid start or end date")))
            .transpose()
    };
    match (moment("startTime", first)?, moment("endTime", last)?) {
        (Some(start), Some(end)) if start > end => Err(coded("703", "invalid date range")),
        _ => Ok(()),
    }
}

/// The code in an error reply of the resources, where the provider has codes.
pub(super) fn error_code(provider: &str, operation: Option<&Operation>, status: u16) -> Option<&'static str> {
    Some(match (provider, status) {
        // FDX 4.6.
        ("mx", 401 | 403) => "602",
        ("mx", 404) => "701",
        ("mx", 500..) => "500",
        ("mx", _) => "401",
        ("tatrabanka", 401) => WRONG_KIND_OF_TOKEN,
        ("tatrabanka", 403) => "NO_AUTHORIZATION",
        ("tatrabanka", 400) if operation.is_some_and(|o| o.id == "initiate_payment") => "FORMAT_ERROR",
        _ => return None,
    })
}

/// The code with which Tatra banka refuses a service token where a user's is needed.
pub(super) const WRONG_KIND_OF_TOKEN: &str = "TOKEN_INVALID";

/// The code of a refusal because a thing in the path does not exist, where one is documented.
pub(super) fn missing(spec: &Spec, template: &[Segment], name: &str) -> Option<&'static str> {
    let is_about_statements = template.contains(&Segment::Literal("statements".to_owned()));
    (spec.id == "tatrabanka" && name == "accountId" && is_about_statements).then_some("NO_ACCOUNT")
}

/// What an error reply says beyond message and code.
pub(super) fn explained(spec: &Spec, operation: Option<&Operation>, status: u16, body: &mut Json) {
    let is_initiation = operation.is_some_and(|o| o.id == "initiate_payment");
    if spec.id == "tatrabanka" && status == 400 && is_initiation {
        // A refused payment says so in the form of a payment.
        body.set("transactionStatus", Json::str("RJCT"));
        if let Some(why) = body.remove("errorDescription") {
            body.set("additionalInformation", why);
        }
    }
}

/// A header with which nothing works.
pub(super) fn refuses_header(spec: &Spec, headers: &HeaderMap) -> Option<(u16, &'static str)> {
    // The Berlin Group's header is unknown to the Premium API, and leads to 404.
    (spec.id == "tatrabanka" && headers.contains_key("consent-id")).then_some((404, "Consent-ID is not taken here"))
}

/// A list below a thing says whose it is.
pub(super) fn listed(spec: &Spec, operation: &Operation, above: Option<&Json>, reply: &mut Json) {
    if (spec.id.as_str(), operation.id.as_str()) == ("tatrabanka", "list_transactions")
        && let Some(account) = above.and_then(|above| above.get("accountReference"))
    {
        reply.set("account", account.clone());
    }
}

/// What a list leaves out of an item.
pub(super) fn shorten_item(spec: &Spec, operation: &Operation, request: &Request, item: &mut Json) {
    if (spec.id.as_str(), operation.id.as_str()) == ("tatrabanka", "list_accounts")
        && request.query_value("withBalance") != Some("true")
    {
        item.remove("balances");
    }
}

/// Whether a list shows an item, beyond the filters whose name is a field's.
pub(super) fn is_listed(spec: &Spec, operation: &Operation, request: &Request, doc: &Json) -> bool {
    let within = |parameter: &str, fields: &[&str], comparison: &str| {
        let Some(wanted) = request.query_value(parameter) else {
            return true;
        };
        let value = fields
            .iter()
            .try_fold(doc, |json, name| json.get(name))
            .and_then(Json::scalar);
        value.is_none_or(|value| compare(&value, comparison, wanted))
    };
    match (spec.id.as_str(), operation.id.as_str()) {
        // Without `status` only booked transactions come.
        ("finexer", "list_transactions") if request.query_value("status").is_none() => {
            doc.get("status").and_then(Json::as_str) != Some("pending")
        }
        ("tatrabanka", "list_transactions") => {
            within("dateFrom", &["bookingDate"], "gte")
                && within("dateTo", &["bookingDate"], "lte")
                && within("amountFrom", &["transactionAmount", "amount"], "gte")
                && within("amountTo", &["transactionAmount", "amount"], "lte")
                && request.query_value("bookingStatus").is_none_or(|wanted| {
                    let state = doc.get("transactionState").and_then(Json::as_str);
                    state.is_none_or(|state| state.to_ascii_lowercase().contains(wanted))
                })
        }
        ("mx", "list_account_transactions") => {
            let posted = field_of(doc, "postedTimestamp").and_then(|v| v.into_iter().next());
            let at = |parameter: &str, comparison: &str| {
                request.query_value(parameter).is_none_or(|wanted| {
                    posted
                        .as_deref()
                        .is_none_or(|posted| compare(posted, comparison, wanted))
                })
            };
            at("startTime", "gte") && at("endTime", "lte")
        }
        _ => true,
    }
}

/// A thing was created: the state in which it begins.
pub(super) fn created(
    context: &Context<'_>,
    operation: &Operation,
    request: &Request,
    record: &mut Record,
) -> Result<(), Refused> {
    match (context.spec.id.as_str(), operation.id.as_str()) {
        ("finexer", "create_consent") => {
            record.doc.set("status", Json::str("pending"));
            for name in ["updated_at", "renewed_at", "authed_at"] {
                record.doc.set(name, Json::Null);
            }
            let return_url = request
                .body
                .as_ref()
                .and_then(|body| body.get("return_url"))
                .cloned()
                .unwrap_or_default();
            record.doc.remove("return_url");
            let address = format!("{}{}", context.bank, record.id);
            if let Some(redirect) = record.doc.get_mut("redirect") {
                redirect.set("return_url", return_url);
                redirect.set("consent_url", Json::str(address));
            }
        }
        ("ofx", "create_quote") => price(&mut record.doc),
        ("tatrabanka", "initiate_payment") => {
            let order = request.body.clone().unwrap_or_default();
            let product = request.path_value("product").unwrap_or_default();
            payment::check(product, &order, context.now).map_err(|why| refused(400, why))?;
            record.doc.set("transactionStatus", Json::str("ACTC"));
            record.doc.set("scaStatus", Json::str("received"));
            if let Some(Json::String(link)) = record.doc.pointer_mut("/_links/scaRedirect/href") {
                *link = with_client(link, context.client);
            }
        }
        ("tatrabanka", "create_statement_task") => {
            record.doc.set("state", Json::str("PROCESSING"));
            let (from, to) = (
                record.doc.get("dateFromStatements").cloned(),
                record.doc.get("dateToStatements").cloned(),
            );
            let statement = record.doc.pointer_mut("/statements/0");
            if let (Some(statement), Some(from), Some(to)) = (statement, from, to) {
                let id = statement.get("statementId").and_then(Json::as_str).unwrap_or_default();
                statement.set("statementId", Json::str(super::mint::like(id)));
                statement.set("dateFrom", from);
                statement.set("dateTo", to);
            }
        }
        _ => {}
    }
    Ok(())
}

/// What the direct reply to a creation says.
pub(super) fn acknowledged(context: &Context<'_>, operation: &Operation, reply: &mut Json) {
    if (context.spec.id.as_str(), operation.id.as_str()) == ("ofx", "create_deal") {
        // Deals are made in the background, and no field of this reply is documented, the deal's id least of all.
        *reply = operation.example().cloned().unwrap_or(Json::Object(Vec::new()));
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

/// What a user decided on the bank's own page, away from the authorization server: where the browser goes.
pub(super) fn decided(spec: &Spec, store: &mut Store, id: &str, allowed: bool, now: u64) -> Option<String> {
    if spec.id != "finexer" {
        return None;
    }
    let bank = store.first_id("/providers").map(Json::String).unwrap_or_default();
    let consent = store
        .find_mut("consent_id", id)
        .into_iter()
        .find(|record| record.id == id)?;
    if !is_open(consent) {
        return None;
    }
    let when = Json::str(timestamp(now));
    consent.doc.set("updated_at", when.clone());
    if allowed {
        if consent.doc.get("provider").is_none() {
            // The user picked the bank.
            consent.doc.set("provider", bank);
        }
        consent.doc.set("status", Json::str("authorized"));
        consent.doc.set("authed_at", when);
    } else {
        consent.doc.set("status", Json::str("failed"));
        consent.doc.set("failure_code", Json::str("access_denied"));
        consent
            .doc
            .set("failure_message", Json::str("The customer refused access at the bank"));
    }
    let customer = consent.doc.get("customer").cloned().unwrap_or_default();
    let return_url = consent
        .doc
        .pointer("/redirect/return_url")
        .and_then(Json::as_str)
        .unwrap_or_default()
        .to_owned();
    if allowed {
        // The bank accounts appear by themselves.
        store.copy_first(
            spec,
            "/bank_accounts",
            &[("consent", Json::str(id)), ("customer", customer)],
        );
    }
    let mut url = url::Url::parse(&return_url).ok()?;
    url.query_pairs_mut().append_pair("fx_consent", id);
    Some(url.to_string())
}

/// Whether a consent still waits for its user.
pub(super) fn is_open(consent: &Record) -> bool {
    matches!(
        consent.doc.get("status").and_then(Json::as_str),
        Some("new" | "pending")
    )
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

/// A thing was changed by PUT or POST on itself.
pub(super) fn updated(context: &Context<'_>, operation: &Operation, record: &mut Record) {
    if context.spec.id == "finexer" {
        if record.doc.get("updated_at").is_some() {
            record.doc.set("updated_at", Json::str(timestamp(context.now)));
        }
        if operation.id == "update_template"
            && let Json::Object(members) = &mut record.doc
        {
            // An empty value clears the field.
            members.retain(|(_, value)| value.as_str() != Some(""));
        }
    }
}

/// A thing is about to be read.
pub(super) fn read(context: &Context<'_>, operation: &Operation, record: &mut Record) {
    if (context.spec.id.as_str(), operation.id.as_str()) == ("tatrabanka", "get_statement_task") {
        // The first look finds it at work, the next one done.
        let state = if record.views.contains_key("seen") {
            "SUCCEEDED"
        } else {
            "PROCESSING"
        };
        record.views.insert("seen".to_owned(), Json::Null);
        if record.since > 0 {
            record.doc.set("state", Json::str(state));
            let taken = if state == "PROCESSING" { "statements" } else { "later" };
            if let Some(value) = record.doc.remove(taken) {
                record
                    .doc
                    .set(if taken == "later" { "statements" } else { "later" }, value);
            }
        }
    }
}

/// Whether a thing is marked, and not removed, when it is deleted.
pub(super) fn outlives_deletion(
    context: &Context<'_>,
    operation: &Operation,
    record: &mut Record,
) -> Result<bool, Refused> {
    if (context.spec.id.as_str(), operation.id.as_str()) != ("tatrabanka", "cancel_payment") {
        return Ok(false);
    }
    match record.doc.get("transactionStatus").and_then(Json::as_str) {
        // The user agrees with the scope PREMIUM_PIS_CANC, whether the payment was submitted or not.
        Some("ACTC" | "PDNG") => {
            record.views.insert(CANCELLATION.to_owned(), Json::Null);
        }
        _ => return Err(refused(400, "this payment is done or cancelled already")),
    }
    Ok(true)
}

/// A payment for which a cancellation was asked.
const CANCELLATION: &str = "cancellation";

/// A view of a thing is asked for, or something is done to the thing.
pub(super) fn viewed(
    context: &Context<'_>,
    operation: &Operation,
    view: &str,
    record: &mut Record,
) -> Result<(), Refused> {
    let now = timestamp(context.now);
    match (context.spec.id.as_str(), operation.id.as_str()) {
        ("finexer", "revoke_consent") => {
            record.doc.set("status", Json::str("canceled"));
            record.doc.set("updated_at", Json::str(now));
            record.views.remove(view);
        }
        ("finexer", "start_sync") => {
            if record.since > 0 && context.now < record.since + HOUR {
                return Err(refused(429, "this bank account was synchronised less than an hour ago"));
            }
            record.since = context.now;
            record
                .views
                .insert(view.to_owned(), Json::object([("status", Json::str("running"))]));
        }
        ("finexer", "get_sync") => {
            // Seen running once, then it is done.
            if let Some(state) = record.views.get_mut(view) {
                let next = match state.get("seen") {
                    None => Json::object([("status", Json::str("running")), ("seen", Json::Null)]),
                    Some(_) => Json::object([
                        ("status", Json::str("idle")),
                        ("synced_to", Json::str(now)),
                        ("seen", Json::Null),
                    ]),
                };
                *state = next;
            }
        }
        ("tatrabanka", "submit_payment") => {
            if record.doc.get("scaStatus").and_then(Json::as_str) == Some("received") {
                return Err(refused(403, "the user has not authorized this payment"));
            }
            if record.doc.get("transactionStatus").and_then(Json::as_str) != Some("ACTC") {
                return Err(refused(400, "this payment was submitted or cancelled before"));
            }
            let today = now.get(..10).unwrap_or_default().to_owned();
            let is_later = record
                .doc
                .get("requestedExecutionDate")
                .and_then(Json::as_str)
                .is_some_and(|date| date > today.as_str());
            record
                .doc
                .set("transactionStatus", Json::str(if is_later { "PDNG" } else { "ACSC" }));
            record.doc.set("scaStatus", Json::str("finalised"));
            record.doc.set("statusDateTime", Json::str(now));
        }
        _ => {}
    }
    Ok(())
}

/// The reply of a view is ready.
pub(super) fn answered(
    context: &Context<'_>,
    operation: &Operation,
    request: &Request,
    reply: &mut Json,
) -> Result<(), Refused> {
    reply.remove("seen");
    if (context.spec.id.as_str(), operation.id.as_str()) == ("omnifund", "list_settlements") {
        // JSON in a query parameter; the reply repeats it.
        match request.query_value("filter").map(Json::parse) {
            Some(Ok(filter @ Json::Object(_))) => reply.set("filters", filter),
            Some(_) => return Err(refused(400, "`filter` is not a JSON object")),
            None => {
                reply.remove("filters");
            }
        }
    }
    if (context.spec.id.as_str(), operation.id.as_str()) == ("mx", "get_current_customer")
        && let Some(user) = context.other_user
    {
        // Another user is another customer, and the same one every time.
        let digest = <sha2::Sha256 as sha2::Digest>::digest(user);
        let bytes: Vec<u8> = digest.iter().copied().take(16).collect();
        if let Ok(id) = uuid::Uuid::from_slice(&bytes) {
            reply.set("customerId", Json::str(id.to_string()));
        }
    }
    Ok(())
}

/// A reply that is worked out from the path, or bytes.
pub(super) fn worked_out(
    context: &Context<'_>,
    operation: &Operation,
    request: &Request,
    store: &Store,
) -> Result<Option<Reply>, Refused> {
    Ok(match (context.spec.id.as_str(), operation.id.as_str()) {
        ("ofx", "get_rate") => {
            let mut reply = operation.example().cloned().unwrap_or_default();
            let rate = reply.get("ofxRate").and_then(Json::scalar);
            let Some(rate) = rate.and_then(|rate| rate.parse().ok()) else {
                // A specification without a rate is answered as it is.
                return Ok(None);
            };
            let amount = request.path_value("amount").unwrap_or_default();
            let converted = converted(amount, rate).ok_or_else(|| refused(400, "the amount cannot be converted"))?;
            reply.set("convertedAmount", Json::Number(converted.to_string()));
            Some(Reply::json(200, "application/json", reply))
        }
        ("tatrabanka", "download_statement") => {
            let id = request.path_value("statementId").unwrap_or_default();
            let task = store.holder("statementId", id);
            Some(match task.and_then(|task| task.get("exportType")?.as_str()) {
                Some("XML") => Reply::bytes(200, "application/zip", ZIP),
                _ => Reply::bytes(200, "application/pdf", PDF),
            })
        }
        _ => None,
    })
}

fn converted(amount: &str, rate: Decimal) -> Option<Decimal> {
    let amount: Decimal = amount.parse().ok()?;
    Some(amount.checked_mul(rate)?.round_dp(2))
}

/// The smallest document that is a PDF by its first and last lines.
const PDF: &[u8] =
    b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj 2 0 obj<</Type/Pages/Kids[]/Count 0>>endobj\n\
trailer<</Root 1 0 R>>\n%%EOF\n";
/// An archive with nothing in it.
const ZIP: &[u8] = b"PK\x05\x06\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";

/// A user agreed to what a scope template names.
pub(super) fn approved(spec: &Spec, store: &mut Store, binding: &Binding, now: u64) {
    if spec.id != "tatrabanka" {
        return;
    }
    let cancels = binding.scope == "PREMIUM_PIS_CANC";
    for record in store.find_mut(&binding.name, &binding.value) {
        let is_asked_for = cancels && record.views.remove(CANCELLATION).is_some();
        match binding.name.as_str() {
            "authorizationId" if is_asked_for => {
                record.doc.set("transactionStatus", Json::str("CANC"));
                record.doc.set("statusDateTime", Json::str(timestamp(now)));
            }
            "authorizationId" if cancels => {}
            "consentId" if record.doc.get("consentStatus").is_some() => {
                record.doc.set("consentStatus", Json::str("valid"));
            }
            "authorizationId" if record.doc.get("scaStatus").and_then(Json::as_str) == Some("received") => {
                record.doc.set("scaStatus", Json::str("unconfirmed"));
            }
            _ => {}
        }
    }
}

/// Dates of birth: the fields that say when a thing was made.
pub(super) fn stamp(doc: &mut Json, now: u64) {
    for name in ["created_at", "createdAt", "client_id_issued_at", "statusDateTime"] {
        match doc.get(name) {
            Some(Json::Number(_)) => doc.set(name, Json::Number((now / 1000).to_string())),
            Some(Json::String(_)) => doc.set(name, Json::str(timestamp(now))),
            _ => {}
        }
    }
}

/// `2026-11-21T09:30:00Z`
pub(super) fn timestamp(now: u64) -> String {
    let seconds = i64::try_from(now / 1000).unwrap_or(0);
    chrono::DateTime::from_timestamp(seconds, 0)
        .map(|time| time.format("%Y-%m-%dT%H:%M:%SZ").to_string())
        .unwrap_or_default()
}
