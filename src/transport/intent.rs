//! What is kept of a call before it is sent, so that its outcome can be found out whatever happens.

use std::collections::BTreeMap;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, SecondsFormat, Utc};
use http::{HeaderMap, HeaderName};
use percent_encoding::percent_decode_str;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use url::Url;
use uuid::Uuid;

use super::operation::Operation;
use super::options::is_own;
use crate::value::Json;

/// A call that is about to be made: what it is, what to look up if its outcome stays unknown, and a digest of it. Keep it
/// before the call is sent, where a restart finds it; serde reads and writes it.
///
/// What is kept has a check over all of it, key and ids of the look-up included: an intent that was cut or altered by mistake
/// is not read. The check is no signature, so keep an intent where only you can write. Every format of serde will do, those that do
/// not describe themselves too.
///
/// It has the ids that the look-up needs, and the idempotency key where the provider has a header for one. The digest is
/// SHA-256 over method, path, query, body and headers: whoever can guess the body can check the guess, so keep an intent as you keep
/// the payment itself. `Debug` shows provider, operation and the intent's own id.
///
/// The headers are all that the caller gives, as parameters, for this call ([`CallOptions::header`](super::CallOptions::header))
/// and for all calls of the client: `x-tenant` may say whose payment it is. Those are not in it that differ from one sending of
/// the same call to the next: `Authorization`, the idempotency key, ids of requests (those that the specification has made on
/// every call, `x-request-id`, `x-correlation-id`), those of tracing (`traceparent`, `tracestate`, `baggage`, `b3`, `x-b3-…`), and
/// `user-agent`. Give a trace under one of these names. Those that the call or its client was given are given to a look-up too: see
/// [`Doubt::look_up_with`](crate::Doubt::look_up_with).
///
/// ```
/// # #[cfg(feature = "tatrabanka")] {
/// use finrail::tatrabanka;
///
/// async fn submit(
///     user: &tatrabanka::Client,
///     payment: &str,
///     authorization: &str,
/// ) -> Result<(), Box<dyn std::error::Error>> {
///     let call = user.submit_payment().product("sepa-credit-transfers");
///     let prepared = call.payment_id(payment).authorization_id(authorization).prepare()?;
///     std::fs::write("payment.json", serde_json::to_vec(prepared.intent())?)?; // before anything is sent
///     prepared.send().await?;
///     Ok(())
/// }
/// # }
/// ```
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Kept", into = "Kept")]
pub struct Intent {
    id: Uuid,
    provider: String,
    operation: String,
    prepared_at: DateTime<Utc>,
    digest: String,
    idempotency_key: Option<String>,
    /// The grant that it is made under, by a name that tells nothing of a person; none: it is not known.
    connection: Option<String>,
    /// What a look-up needs of the call, by runtime expression; and [its headers](HEADERS).
    values: BTreeMap<String, String>,
}

/// Where the headers of the call stand among the values; an intent that was kept by an earlier version has none. A line for each:
/// its name, a digest of its value, and whether it was given beside the parameters of the call.
const HEADERS: &str = "$request.headers";
const GIVEN: &str = "given";
const OF_A_PARAMETER: &str = "parameter";

/// An intent as it is kept. All of it is written: a format that does not describe itself has no place for what is left out.
#[derive(Serialize, Deserialize)]
struct Kept {
    version: Version,
    id: Uuid,
    provider: String,
    operation: String,
    prepared_at: DateTime<Utc>,
    digest: String,
    #[serde(default)]
    idempotency_key: Option<String>,
    #[serde(default)]
    connection: Option<String>,
    values: BTreeMap<String, String>,
    /// Of all the rest.
    check: String,
}

impl From<Intent> for Kept {
    fn from(intent: Intent) -> Self {
        let check = intent.check();
        let Intent {
            id,
            provider,
            operation,
            prepared_at,
            digest,
            idempotency_key,
            connection,
            values,
        } = intent;
        Self {
            version: Version,
            id,
            provider,
            operation,
            prepared_at,
            digest,
            idempotency_key,
            connection,
            values,
            check,
        }
    }
}

impl TryFrom<Kept> for Intent {
    type Error = &'static str;

    fn try_from(kept: Kept) -> Result<Self, Self::Error> {
        let Kept {
            version: Version,
            id,
            provider,
            operation,
            prepared_at,
            digest,
            idempotency_key,
            connection,
            values,
            check,
        } = kept;
        let intent = Self {
            id,
            provider,
            operation,
            prepared_at,
            digest,
            idempotency_key,
            connection,
            values,
        };
        match intent.check() == check {
            true => Ok(intent),
            false => Err(
                "this intent is not as it was kept: it was cut or altered, so it says nothing sure of the call; ask the provider what became of it",
            ),
        }
    }
}

/// The form in which intents are kept. A later one that cannot be read by this crate has another number.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
struct Version;

impl From<Version> for u8 {
    fn from(_: Version) -> Self {
        2
    }
}

impl TryFrom<u8> for Version {
    type Error = &'static str;

    fn try_from(number: u8) -> Result<Self, Self::Error> {
        match number {
            2 => Ok(Self),
            0 | 1 => Err(
                "this intent was kept by a version of finrail before its release: look up with that one what became of the call",
            ),
            _ => Err("this intent was kept by a newer version of finrail: update finrail to read it"),
        }
    }
}

impl Intent {
    /// Names this intent among others.
    #[must_use]
    pub fn id(&self) -> Uuid {
        self.id
    }

    /// Whose operation it is: the provider's id, such as `ofx`.
    #[must_use]
    pub fn provider(&self) -> &str {
        &self.provider
    }

    /// The operation, by its `operationId`.
    #[must_use]
    pub fn operation(&self) -> &str {
        &self.operation
    }

    /// When the call was prepared, by the system's clock.
    #[must_use]
    pub fn prepared_at(&self) -> DateTime<Utc> {
        self.prepared_at
    }

    /// The key by which the provider knows the call again, where it has a header for one.
    #[must_use]
    pub fn idempotency_key(&self) -> Option<&str> {
        self.idempotency_key.as_deref()
    }

    /// Whether this is the intent of that very call: the same operation, parameters and body.
    pub(super) fn is_of(&self, provider: &str, operation: &Operation, base: &Url, request: &reqwest::Request) -> bool {
        self.provider == provider && self.operation == operation.id && self.digest == digest(operation, base, request)
    }

    /// Whether it may be sent under this grant. Where one of them is not known, the caller knows.
    pub(crate) fn is_under(&self, connection: Option<String>) -> bool {
        match (&self.connection, connection) {
            (Some(own), Some(other)) => *own == other,
            (None, _) | (_, None) => true,
        }
    }

    pub(super) fn under(self, connection: Option<String>) -> Self {
        Self { connection, ..self }
    }

    /// The same, with what a look-up has to have of these headers of the call: those that are `given` for it or by its client, which
    /// may say whose it is, and those that are parameters of it.
    pub(super) fn with_headers(mut self, operation: &Operation, headers: &HeaderMap, given: &HeaderMap) -> Self {
        if operation.lookup.is_none() {
            return self;
        }
        let mut names: Vec<&HeaderName> = headers.keys().filter(|name| !is_own(name)).collect();
        names.retain(|name| !is_of_one_sending(operation, name.as_str()));
        names.sort_by_key(|name| name.as_str());
        let lines = names.into_iter().map(|name| {
            let kind = if given.contains_key(name) {
                GIVEN
            } else {
                OF_A_PARAMETER
            };
            format!("{name} {} {kind}", self.header(headers, name.as_str()))
        });
        let lines: Vec<_> = lines.collect();
        self.values.insert(HEADERS.to_owned(), lines.join("\n"));
        self
    }

    /// Whether the headers of a look-up by this operation are those of the call, as far as they may say whose it is; if not, why.
    pub(crate) fn suits(&self, call: &Operation, looks_up: &Operation, headers: &HeaderMap) -> Result<(), String> {
        let Some(kept) = self.values.get(HEADERS) else {
            return Ok(());
        };
        let is_left_out = |name: &str| is_of_one_sending(call, name) || is_of_one_sending(looks_up, name);
        let is_one_of = |names: &[&str], name: &str| names.iter().any(|one| one.eq_ignore_ascii_case(name));
        let is_needed = |name: &str| {
            call.lookup
                .as_ref()
                .is_some_and(|lookup| is_one_of(lookup.headers, name))
        };
        let mut known = Vec::new();
        for line in kept.lines() {
            let mut words = line.split(' ');
            let (Some(name), Some(value), Some(kind)) = (words.next(), words.next(), words.next()) else {
                continue;
            };
            known.push(name);
            let has = match headers.contains_key(name) {
                _ if is_left_out(name) => continue,
                true if self.header(headers, name) == value => continue,
                false if kind != GIVEN && !is_needed(name) => continue,
                true => "has another value of it",
                false => "does not have it",
            };
            return Err(format!(
                "the call in doubt had the header `{name}`, which may say whose it is, and this look-up {has}: give the same one \
                 with `look_up_with`"
            ));
        }
        let mut others = headers.keys().map(HeaderName::as_str);
        let is_other =
            |name: &&str| !known.contains(name) && !is_left_out(name) && !is_one_of(looks_up.needed_headers, name);
        match others.find(is_other) {
            Some(name) => Err(format!(
                "this look-up has the header `{name}`, which may say whose payments it shows, and the call in doubt had none: \
                 look it up without it"
            )),
            None => Ok(()),
        }
    }

    /// A digest of a header's values that is of this intent alone.
    fn header(&self, headers: &HeaderMap, name: &str) -> String {
        let mut hash = Sha256::new();
        add(&mut hash, self.id.as_bytes());
        add(&mut hash, name.as_bytes());
        for value in headers.get_all(name) {
            add(&mut hash, value.as_bytes());
        }
        named(hash)
    }

    fn check(&self) -> String {
        let mut hash = Sha256::new();
        let mut add = |part: &str| add(&mut hash, part.as_bytes());
        add(&self.id.to_string());
        add(&self.provider);
        add(&self.operation);
        add(&self.prepared_at.to_rfc3339_opts(SecondsFormat::Nanos, true));
        add(&self.digest);
        for option in [&self.idempotency_key, &self.connection] {
            add(if option.is_some() { "1" } else { "0" });
            add(option.as_deref().unwrap_or_default());
        }
        for (name, value) in &self.values {
            add(name);
            add(value);
        }
        named(hash)
    }

    /// The value of a runtime expression in the call, where the call had one.
    pub(crate) fn value(&self, expression: &str) -> Option<&str> {
        self.values.get(expression).map(String::as_str)
    }

    pub(super) fn of(
        provider: &str,
        operation: &Operation,
        base: &Url,
        request: &reqwest::Request,
        idempotency_key: Option<String>,
    ) -> Self {
        let lookup = operation.lookup.iter();
        let wanted = lookup.flat_map(|lookup| lookup.parameters.iter().chain(lookup.same));
        let values = wanted.filter_map(|(_, expression)| {
            let value = value_of(expression, operation, base, request)?;
            Some(((*expression).to_owned(), value))
        });
        Self {
            id: Uuid::new_v4(),
            provider: provider.to_owned(),
            operation: operation.id.to_owned(),
            prepared_at: Utc::now(),
            digest: digest(operation, base, request),
            idempotency_key,
            connection: None,
            values: values.collect(),
        }
    }
}

impl fmt::Debug for Intent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Intent")
            .field("id", &self.id)
            .field("provider", &self.provider)
            .field("operation", &self.operation)
            .field("prepared_at", &self.prepared_at)
            .finish_non_exhaustive()
    }
}

/// The path below the base URL.
fn below<'a>(base: &Url, url: &'a Url) -> &'a str {
    let path = url.path();
    path.strip_prefix(base.path().trim_end_matches('/')).unwrap_or(path)
}

/// Of the call, not of where it is sent: another host of the same provider has the same call.
fn digest(operation: &Operation, base: &Url, request: &reqwest::Request) -> String {
    let url = request.url();
    let body = request.body().and_then(reqwest::Body::as_bytes).unwrap_or_default();
    let mut hash = Sha256::new();
    for part in [
        request.method().as_str().as_bytes(),
        below(base, url).as_bytes(),
        url.query().unwrap_or_default().as_bytes(),
        body,
    ] {
        add(&mut hash, part);
    }
    let belongs = |name: &HeaderName| !is_of_one_sending(operation, name.as_str());
    let mut headers: Vec<_> = request.headers().iter().filter(|(name, _)| belongs(name)).collect();
    headers.sort_by_key(|(name, _)| name.as_str());
    for (name, value) in headers {
        for part in [name.as_str().as_bytes(), value.as_bytes()] {
            add(&mut hash, part);
        }
    }
    named(hash)
}

/// With its length before it, no part can pass for the beginning of the next.
fn add(hash: &mut Sha256, part: &[u8]) {
    hash.update((part.len() as u64).to_be_bytes());
    hash.update(part);
}

fn named(hash: Sha256) -> String {
    format!("sha-256:{}", URL_SAFE_NO_PAD.encode(hash.finalize()))
}

/// Whether a header may be another one when the same call is sent again. The key is among them: the intent has it apart.
fn is_of_one_sending(operation: &Operation, name: &str) -> bool {
    const OF_ONE_SENDING: [&str; 8] = [
        "authorization",
        "b3",
        "baggage",
        "traceparent",
        "tracestate",
        "user-agent",
        "x-correlation-id",
        "x-request-id",
    ];
    let made = operation.headers.iter().map(|(name, _)| *name);
    let mut named = made.chain(operation.idempotency_header);
    OF_ONE_SENDING.contains(&name) || name.starts_with("x-b3-") || named.any(|own| own.eq_ignore_ascii_case(name))
}

/// What stands at a runtime expression; the generator lets no other through than these three.
fn value_of(expression: &str, operation: &Operation, base: &Url, request: &reqwest::Request) -> Option<String> {
    let part = expression.strip_prefix("$request.")?;
    if let Some(name) = part.strip_prefix("path.") {
        return path_value(operation.path, below(base, request.url()), name);
    }
    if let Some(name) = part.strip_prefix("query.") {
        let mut pairs = request.url().query_pairs();
        return pairs.find(|(key, _)| key == name).map(|(_, value)| value.into_owned());
    }
    let pointer = part.strip_prefix("body#")?;
    let body = request.body()?.as_bytes()?;
    match serde_json::from_slice::<Json>(body) {
        Ok(json) => json.pointer(pointer).and_then(|value| value.plain()),
        Err(_) => {
            let name = pointer.strip_prefix('/')?;
            let mut fields = url::form_urlencoded::parse(body);
            fields.find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
        }
    }
}

/// What stands for `{name}` of the template in the path.
fn path_value(template: &str, path: &str, name: &str) -> Option<String> {
    let mut steps = template.split('/').zip(path.split('/'));
    steps.find_map(|(expected, step)| {
        let (before, behind) = expected.split_once(&format!("{{{name}}}"))?;
        let value = step.strip_prefix(before)?.strip_suffix(behind)?;
        Some(percent_decode_str(value).decode_utf8().ok()?.into_owned())
    })
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::super::operation::Lookup;
    use super::*;

    const OPERATION: Operation = Operation {
        id: "pay",
        path: "/payments/{product}/{id}.json",
        lookup: Some(Lookup {
            operation: "get_payment",
            parameters: &[
                ("product", "$request.path.product"),
                ("id", "$request.path.id"),
                ("page", "$request.query.page"),
            ],
            same: &[
                ("/to", "$request.body#/to/account"),
                ("/amount", "$request.body#/amount"),
            ],
            ..Lookup::BASE
        }),
        ..Operation::BASE
    };

    fn request(url: &str, body: &str) -> reqwest::Request {
        let mut request = reqwest::Request::new(http::Method::POST, url.parse().unwrap());
        *request.body_mut() = Some(body.to_owned().into());
        request
    }

    fn base() -> Url {
        "https://bank.example/v1/".parse().unwrap()
    }

    #[test]
    fn an_intent_that_was_altered_or_cut_is_not_read() {
        let url = "https://bank.example/v1/payments/sepa/p7.json?page=2";
        let intent = Intent::of(
            "bank",
            &OPERATION,
            &base(),
            &request(url, "{}"),
            Some("key-1".to_owned()),
        );
        let intent = intent.under(Some("grant-1".to_owned()));
        let kept = serde_json::to_value(&intent).unwrap();
        assert_eq!(serde_json::from_value::<Intent>(kept.clone()).unwrap(), intent);
        let refused = |change: &dyn Fn(&mut Value)| {
            let mut altered = kept.clone();
            change(&mut altered);
            assert_ne!(altered, kept);
            serde_json::from_value::<Intent>(altered).unwrap_err().to_string()
        };
        for name in [
            "id",
            "provider",
            "operation",
            "prepared_at",
            "digest",
            "idempotency_key",
            "connection",
            "check",
        ] {
            let other = match name {
                "id" => Value::from(Uuid::new_v4().to_string()),
                "prepared_at" => Value::from("2026-11-27T10:00:00Z"),
                _ => Value::from("x"),
            };
            let told = refused(&|kept| kept[name] = other.clone());
            assert!(told.contains("not as it was kept"), "{name}: {told}");
        }
        for (name, change) in [
            ("$request.path.id", Value::from("p8")),
            ("$request.path.other", Value::from("")),
        ] {
            let told = refused(&|kept| kept["values"][name] = change.clone());
            assert!(told.contains("not as it was kept"), "{name}: {told}");
        }
        assert!(refused(&|kept| kept["idempotency_key"] = Value::Null).contains("not as it was kept"));
        assert!(refused(&|kept| kept["idempotency_key"] = Value::from("")).contains("not as it was kept"));
        assert!(refused(&|kept| kept["version"] = Value::from(1)).contains("before its release"));
        assert!(refused(&|kept| kept["version"] = Value::from(3)).contains("newer version"));
    }

    #[test]
    fn all_of_an_intent_is_written_in_one_order_for_formats_that_describe_nothing() {
        for (key, grant) in [(None, None), (Some("key-1"), Some("grant-1"))] {
            let url = "https://bank.example/v1/payments/sepa/p7.json";
            let intent = Intent::of("bank", &OPERATION, &base(), &request(url, "{}"), key.map(str::to_owned));
            let intent = intent.under(grant.map(str::to_owned));
            let kept = serde_json::to_string(&intent).unwrap();
            let names = [
                "version",
                "id",
                "provider",
                "operation",
                "prepared_at",
                "digest",
                "idempotency_key",
                "connection",
                "values",
                "check",
            ];
            let places: Vec<_> = names.iter().map(|name| kept.find(&format!("\"{name}\":"))).collect();
            assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{kept}");
        }
    }

    #[test]
    fn what_a_look_up_needs_is_taken_from_path_query_and_body() {
        let url = "https://bank.example/v1/payments/sepa%2Fplus/p%207.json?page=2&page=3";
        let request = request(url, r#"{"amount":12345678901234.50,"to":{"account":"a-1"}}"#);
        let intent = Intent::of("bank", &OPERATION, &base(), &request, None);
        for (expression, expected) in [
            ("$request.path.product", Some("sepa/plus")),
            ("$request.path.id", Some("p 7")),
            ("$request.query.page", Some("2")),
            ("$request.body#/to/account", Some("a-1")),
            ("$request.body#/amount", Some("12345678901234.50")),
            ("$request.body#/nothing", None),
        ] {
            assert_eq!(intent.value(expression), expected, "{expression}");
        }
    }

    #[test]
    fn of_a_form_a_field_is_taken_and_of_a_body_that_is_neither_nothing() {
        let form = Operation {
            lookup: Some(Lookup {
                same: &[("/customer", "$request.body#/customer")],
                ..Lookup::BASE
            }),
            ..OPERATION
        };
        let url = "https://bank.example/v1/payments/a/b.json";
        for (body, expected) in [
            ("a=1&customer=c+7&customer=8", Some("c 7")),
            ("customer", Some("")),
            ("\u{1}", None),
        ] {
            let intent = Intent::of("bank", &form, &base(), &request(url, body), None);
            assert_eq!(intent.value("$request.body#/customer"), expected, "{body}");
        }
    }

    #[test]
    fn an_intent_is_of_one_call_wherever_it_is_sent() {
        let (url, body) = ("https://bank.example/v1/payments/a/b.json?x=1", "{}");
        let intent = Intent::of("bank", &OPERATION, &base(), &request(url, body), None);
        let is_of = |base: &Url, request: &reqwest::Request| intent.is_of("bank", &OPERATION, base, request);
        assert!(is_of(&base(), &request(url, body)));
        let other_host = "http://127.0.0.1:7".parse().unwrap();
        assert!(is_of(
            &other_host,
            &request("http://127.0.0.1:7/payments/a/b.json?x=1", body)
        ));
        for (url, body) in [
            ("https://bank.example/v1/payments/a/c.json?x=1", "{}"),
            ("https://bank.example/v1/payments/a/b.json?x=2", "{}"),
            ("https://bank.example/v1/payments/a/b.json", "x=1{}"),
            (url, "{} "),
        ] {
            assert!(!is_of(&base(), &request(url, body)), "{url} {body}");
        }
        let mut other = request(url, body);
        *other.method_mut() = http::Method::PUT;
        assert!(!is_of(&base(), &other));
        assert!(!intent.is_of("other", &OPERATION, &base(), &request(url, body)));
        let mut other = request(url, body);
        other
            .headers_mut()
            .insert("x-account", http::HeaderValue::from_static("b"));
        assert!(!is_of(&base(), &other));
        for (name, same) in [
            ("x-tenant", false),
            ("x-trace", false),
            ("accept-language", false),
            ("X-Request-ID", true),
            ("traceparent", true),
            ("x-b3-spanid", true),
            ("user-agent", true),
            ("authorization", true),
            ("bank-request", true),
            ("Idempotency-Key", true),
        ] {
            let named = Operation {
                headers: &[("Bank-Request", super::super::operation::MadeHeader::Uuid)],
                idempotency_header: Some("idempotency-key"),
                ..OPERATION
            };
            let intent = Intent::of("bank", &named, &base(), &request(url, body), None);
            let mut other = request(url, body);
            let name = HeaderName::try_from(name).unwrap();
            other.headers_mut().insert(&name, http::HeaderValue::from_static("b"));
            assert_eq!(intent.is_of("bank", &named, &base(), &other), same, "{name}");
        }
        let renamed = Operation {
            id: "refund",
            ..OPERATION
        };
        assert!(!intent.is_of("bank", &renamed, &base(), &request(url, body)));
    }

    #[test]
    fn an_intent_is_under_one_grant_where_that_is_known() {
        let request = request("https://bank.example/v1/payments/a/b.json", "{}");
        let under = |connection: Option<&str>| {
            let intent = Intent::of("bank", &OPERATION, &base(), &request, None);
            intent.under(connection.map(str::to_owned))
        };
        for (own, other, same) in [
            (Some("bank-1"), Some("bank-1"), true),
            (Some("bank-1"), Some("bank-2"), false),
            (Some("bank-1"), None, true),
            (None, Some("bank-1"), true),
        ] {
            assert_eq!(under(own).is_under(other.map(str::to_owned)), same, "{own:?} {other:?}");
        }
    }

    #[test]
    fn a_look_up_has_the_headers_that_may_say_whose_the_call_is() {
        let call = Operation {
            headers: &[("Bank-Request", super::super::operation::MadeHeader::Uuid)],
            idempotency_header: Some("x-key"),
            lookup: Some(Lookup {
                headers: &["X-Account"],
                ..Lookup::BASE
            }),
            ..OPERATION
        };
        let looks_up = Operation {
            needed_headers: &["X-Version"],
            ..Operation::BASE
        };
        let map = |headers: &[(&'static str, &'static str)]| -> HeaderMap {
            let headers = headers.iter().map(|(name, value)| (*name, *value));
            let headers = headers.map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap()));
            headers.collect()
        };
        let given = map(&[("x-tenant", "t"), ("traceparent", "p")]);
        let mut all = map(&[
            ("x-account", "a"),
            ("callback-url", "c"),
            ("x-key", "k"),
            ("bank-request", "b"),
            ("accept", "application/json"),
        ]);
        all.extend(given.clone());
        let request = request("https://bank.example/v1/payments/a/b.json", "{}");
        let intent = Intent::of("bank", &call, &base(), &request, None);
        let old = intent.clone();
        let intent = intent.with_headers(&call, &all, &given);
        for (headers, suits) in [
            (&[("x-tenant", "t"), ("x-account", "a")][..], true),
            (
                &[("x-tenant", "t"), ("x-account", "a"), ("x-version", "1"), ("b3", "x")],
                true,
            ),
            (&[("x-tenant", "t"), ("x-account", "a"), ("callback-url", "c")], true),
            (&[("x-tenant", "t"), ("x-account", "a"), ("callback-url", "d")], false),
            (&[("x-tenant", "t"), ("x-account", "b")], false),
            (&[("x-tenant", "t")], false),
            (&[("x-account", "a")], false),
            (&[], false),
            (&[("x-tenant", "t"), ("x-account", "a"), ("x-other", "o")], false),
        ] {
            let headers = map(headers);
            assert_eq!(intent.suits(&call, &looks_up, &headers).is_ok(), suits, "{headers:?}");
            // One that was kept before headers were.
            assert_eq!(old.suits(&call, &looks_up, &headers), Ok(()));
        }
        let plain = old.clone().with_headers(&call, &HeaderMap::new(), &HeaderMap::new());
        assert_eq!(plain.suits(&call, &looks_up, &HeaderMap::new()), Ok(()));
        assert!(plain.suits(&call, &looks_up, &given).is_err());
        let another = Intent::of("bank", &call, &base(), &request, None).with_headers(&call, &all, &given);
        assert_ne!(
            another.values[HEADERS], intent.values[HEADERS],
            "nothing is known again by it"
        );
        let without = Operation { lookup: None, ..call };
        assert_eq!(old.clone().with_headers(&without, &all, &given), old);
        // What a look-up makes for itself is of that one sending, whatever the call had in its place.
        let all = map(&[("x-look", "l")]);
        let intent = old.with_headers(&call, &all, &all);
        let looks_up = Operation {
            headers: &[("X-Look", super::super::operation::MadeHeader::Uuid)],
            ..looks_up
        };
        for headers in [&[][..], &[("x-look", "m")]] {
            assert_eq!(intent.suits(&call, &looks_up, &map(headers)), Ok(()), "{headers:?}");
        }
    }

    #[test]
    fn an_intent_is_read_as_it_was_written_and_one_of_a_newer_version_is_refused() {
        let request = request(
            "https://bank.example/v1/payments/a/b.json",
            r#"{"to":{"account":"planted-1f"}}"#,
        );
        let intent = Intent::of("bank", &OPERATION, &base(), &request, Some("key-planted-1f".to_owned()));
        let text = serde_json::to_string(&intent).unwrap();
        assert_eq!(serde_json::from_str::<Intent>(&text).unwrap(), intent);
        let another = Intent::of("bank", &OPERATION, &base(), &request, None);
        assert_ne!(intent.id(), another.id(), "each has an id of its own");
        assert_eq!(intent.idempotency_key(), Some("key-planted-1f"));
        assert_eq!((intent.provider(), intent.operation()), ("bank", "pay"));
        assert!((Utc::now() - intent.prepared_at()).num_seconds().abs() < 3600);
        assert!(!format!("{intent:?}").contains("planted"), "{intent:?}");
        let mut newer: Value = serde_json::from_str(&text).unwrap();
        // What a later version of the same form adds is left alone.
        newer["more"] = serde_json::json!(1);
        assert_eq!(serde_json::from_value::<Intent>(newer.clone()).unwrap(), intent);
        newer["version"] = serde_json::json!(3);
        let error = serde_json::from_value::<Intent>(newer).unwrap_err().to_string();
        assert!(error.contains("update finrail"), "{error}");
    }
}
