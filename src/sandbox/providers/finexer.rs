//! Finexer: consents that a user gives at the bank's own page, bank accounts that come with them, and synchronisation.

use finrail_spec::json::Json;

use crate::sandbox::clock::timestamp;
use crate::sandbox::particular::{Decision, Particular};
use crate::sandbox::refused::{Refused, refused};
use crate::sandbox::resource::{Call, Record, Store};
use crate::sandbox::spec::Spec;

/// An hour of the sandbox's clock.
const HOUR: u64 = 3_600_000;
/// How long a consent waits for its user.
const WAITS: u64 = 7 * 24 * HOUR;

const CONSENTS: &str = "/consents";

pub(super) struct Finexer;

impl Particular for Finexer {
    fn pass_time(&self, store: &mut Store, now: u64) {
        // A consent that nobody authorizes is cancelled after a week.
        for record in store.records_mut(CONSENTS) {
            let over = record.since + WAITS;
            if waits(record) && record.since > 0 && now >= over {
                record.doc.set("status", Json::str("canceled"));
                record.doc.set("updated_at", Json::str(timestamp(over)));
            }
        }
    }

    fn check_references(&self, store: &Store, call: &Call<'_>) -> Result<(), Refused> {
        match (call.id(), &call.request.body) {
            ("create_consent", Some(consent)) => {
                store.check_named(consent, "customer", "/customers")?;
                store.check_named(consent, "provider", "/providers")
            }
            _ => Ok(()),
        }
    }

    fn check_opened(&self, store: &Store, call: &Call<'_>, above: Option<&Json>) -> Result<(), Refused> {
        if call.id() != "list_transactions" {
            return Ok(());
        }
        let consent = above
            .and_then(|account| account.get("consent")?.scalar())
            .and_then(|id| store.get(CONSENTS, &id));
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

    fn is_listed(&self, call: &Call<'_>, doc: &Json) -> bool {
        // Without `status` only booked transactions come.
        let only_booked = call.id() == "list_transactions" && call.query("status").is_none();
        !only_booked || doc.get("status").and_then(Json::as_str) != Some("pending")
    }

    fn created(&self, call: &Call<'_>, record: &mut Record) -> Result<(), Refused> {
        if call.id() == "create_consent" {
            begin(call, record);
        }
        Ok(())
    }

    fn updated(&self, call: &Call<'_>, record: &mut Record) {
        if record.doc.get("updated_at").is_some() {
            record.doc.set("updated_at", Json::str(timestamp(call.now)));
        }
        if call.id() == "update_template"
            && let Json::Object(members) = &mut record.doc
        {
            // An empty value clears the field.
            members.retain(|(_, value)| value.as_str() != Some(""));
        }
    }

    fn viewed(&self, call: &Call<'_>, view: &str, record: &mut Record) -> Result<(), Refused> {
        match call.id() {
            "revoke_consent" => {
                record.doc.set("status", Json::str("canceled"));
                record.doc.set("updated_at", Json::str(timestamp(call.now)));
                record.views.remove(view);
            }
            "start_sync" => {
                if record.since > 0 && call.now < record.since + HOUR {
                    return Err(refused(429, "this bank account was synchronised less than an hour ago"));
                }
                record.since = call.now;
                let running = Json::object([("status", Json::str("running"))]);
                record.views.insert(view.to_owned(), running);
            }
            "get_sync" => {
                if let Some(state) = record.views.get_mut(view) {
                    *state = next_of_sync(state, call.now);
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn answered(&self, _: &Call<'_>, reply: &mut Json) -> Result<(), Refused> {
        reply.remove(SEEN);
        Ok(())
    }

    fn waits_at_the_bank(&self, store: &Store, id: &str) -> bool {
        store.record(CONSENTS, id).is_some_and(waits)
    }

    fn decided(&self, spec: &Spec, store: &mut Store, decision: &Decision<'_>) -> Option<String> {
        let Decision { id, allowed, now } = *decision;
        let bank = store.first_id("/providers").map(Json::String).unwrap_or_default();
        let mut consents = store.records_mut(CONSENTS).iter_mut();
        let consent = consents.find(|consent| consent.id == id && waits(consent))?;
        consent.doc.set("updated_at", Json::str(timestamp(now)));
        match allowed {
            true => authorize(consent, bank, now),
            false => fail(consent),
        }
        let customer = consent.doc.get("customer").cloned().unwrap_or_default();
        let return_url = consent.doc.pointer("/redirect/return_url").and_then(Json::as_str);
        let url = url::Url::parse(return_url.unwrap_or_default());
        if allowed {
            // The bank accounts appear by themselves.
            let fields = [("consent", Json::str(id)), ("customer", customer)];
            store.copy_first(spec, "/bank_accounts", &fields);
        }
        let mut url = url.ok()?;
        url.query_pairs_mut().append_pair("fx_consent", id);
        Some(url.to_string())
    }
}

/// A new consent waits for its user at the bank.
fn begin(call: &Call<'_>, record: &mut Record) {
    record.doc.set("status", Json::str("pending"));
    for name in ["updated_at", "renewed_at", "authed_at"] {
        record.doc.set(name, Json::Null);
    }
    let body = call.request.body.as_ref();
    let return_url = body.and_then(|body| body.get("return_url")).cloned();
    record.doc.remove("return_url");
    let address = format!("{}{}", call.bank, record.id);
    if let Some(redirect) = record.doc.get_mut("redirect") {
        redirect.set("return_url", return_url.unwrap_or_default());
        redirect.set("consent_url", Json::str(address));
    }
}

/// Whether a consent still waits for its user.
fn waits(consent: &Record) -> bool {
    matches!(consent.text("status"), Some("new" | "pending"))
}

/// The user agreed; `bank` is the one that the user picks when the consent names none.
fn authorize(consent: &mut Record, bank: Json, now: u64) {
    if consent.doc.get("provider").is_none() {
        consent.doc.set("provider", bank);
    }
    consent.doc.set("status", Json::str("authorized"));
    consent.doc.set("authed_at", Json::str(timestamp(now)));
}

/// The user refused.
fn fail(consent: &mut Record) {
    consent.doc.set("status", Json::str("failed"));
    consent.doc.set("failure_code", Json::str("access_denied"));
    let why = "The customer refused access at the bank";
    consent.doc.set("failure_message", Json::str(why));
}

/// The member that marks a synchronisation that was looked at before; no reply shows it.
const SEEN: &str = "seen";

/// Seen running once, then it is done.
fn next_of_sync(state: &Json, now: u64) -> Json {
    match state.get(SEEN) {
        None => Json::object([("status", Json::str("running")), (SEEN, Json::Null)]),
        Some(_) => Json::object([
            ("status", Json::str("idle")),
            ("synced_to", Json::str(timestamp(now))),
            (SEEN, Json::Null),
        ]),
    }
}
