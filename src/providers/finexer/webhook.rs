//! Webhooks of Finexer: is it theirs, and what does it say.
//!
//! Finexer signs each delivery with the signing secret of the dashboard:
//! `fx-signature: t=<ISO 8601 UTC>;s=<hex>`, where the hex is HMAC-SHA256 over
//! `<t>.<raw body>`. A header with several signatures is one of a time at which the secret
//! changes: any of them may be the one that fits, and a [`Verifier`] may have several secrets
//! for the same reason. The facts are of grade `client-code`: a production code base that
//! receives these webhooks shows them, with tests.
//!
//! A delivery that is not answered with a 2xx comes again every 3 seconds. After
//! ten failures in a row, of whatever events, Finexer pauses the webhook, and no
//! event comes any more. So answer a 2xx to everything authentic, also to what
//! cannot be used ([`WebhookError::is_authentic`]), and keep what was seen by
//! [`Event::id`]: a delivery may come twice.
//!
//! Events that are known, in [`Event::kind`]; there may be others:
//!
//! | event | source |
//! |---|---|
//! | `oauth.authorization.revoked` | Finexer's OAuth guide |
//! | `consent.authorized`, `consent.canceled`, `consent.expired`, `consent.failed` | public client code |
//! | `bank_account.created` | public client code |
//! | `reminder.consent_expiry.sent` | public client code |
//!
//! None of them tells of a new transaction: those are found with `start_sync`.

use std::fmt;
use std::time::{Duration, SystemTime};

use chrono::DateTime;
use hmac::{Hmac, Mac as _};
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use sha2::Sha256;

use crate::value::Secret;
use crate::value::decode::{Undecodable, decode};

/// Name of the header with the signature.
pub const SIGNATURE_HEADER: &str = "fx-signature";

/// How far the time of a delivery may lie from now, either way, where nothing else is said.
pub const TOLERANCE: Duration = Duration::from_secs(300);

/// Some servers put it before a body (RFC 8259 section 8.1 lets a reader ignore it).
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Verifies deliveries of one webhook.
///
/// ```
/// use finrail::finexer::webhook::{Verifier, WebhookError};
///
/// let verifier = Verifier::new("whsec_example")?;
/// let error = verifier.verify("t=2026-11-21T10:00:00Z;s=00", b"{}").unwrap_err();
/// assert_eq!(error, WebhookError::Signature);
///
/// // While the secret is being changed, both are good.
/// let verifier = Verifier::new("whsec_new")?.or("whsec_old")?;
/// # Ok::<(), finrail::finexer::webhook::EmptySecret>(())
/// ```
#[derive(Clone, Debug)]
pub struct Verifier {
    secrets: Vec<Secret>,
    tolerance: Duration,
}

/// A signing secret without a character: anyone can sign with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the signing secret is empty, and anyone could sign with it; check where it is read from")]
pub struct EmptySecret;

/// Why a delivery was not accepted. Do not act on it.
///
/// Answer a 400 where it is not authentic, and a 2xx where it is: Finexer
/// repeats what fails, and pauses the webhook after ten failures in a row.
///
/// ```
/// use finrail::finexer::webhook::WebhookError;
///
/// let status = |error: WebhookError| if error.is_authentic() { 204 } else { 400 };
/// assert_eq!(status(WebhookError::Body), 204);
/// assert_eq!(status(WebhookError::Signature), 400);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WebhookError {
    /// The header is missing or has another form.
    #[error(
        "the `fx-signature` header is missing or not of the form `t=<time>;s=<hex>`; hand on the header as it came, and answer a 4xx to what has none"
    )]
    Header,
    /// The signature is not the secret's, or the body is not the one that was signed.
    #[error("the signature does not fit the body; check the signing secret and verify the raw bytes of the body")]
    Signature,
    /// The delivery is too old, or from the future: it may be a replay.
    #[error("the delivery is too far from the present; check the clock, or treat it as a replay")]
    Stale,
    /// Finexer sent it, but the body has a form that this version does not know. It would have it the next time too: answer a 2xx.
    #[error("the body is authentic, but not an event of a known form; answer a 2xx, a failure would be repeated")]
    Body,
}

impl WebhookError {
    /// Whether Finexer did send the delivery: its signature and its time are right, its body is of an unknown form.
    #[must_use]
    pub fn is_authentic(self) -> bool {
        matches!(self, Self::Body)
    }
}

/// The thing of an event is not of the type that was asked for. It says where, and what was expected there, and no value.
///
/// As a [`WebhookError`] it is [`Body`](WebhookError::Body): the delivery is authentic.
///
/// ```
/// use finrail::finexer::webhook::{UnfitObject, WebhookError};
///
/// fn of(error: UnfitObject) -> WebhookError {
///     println!("{} at {}", error.reason(), error.path());
///     error.into()
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the object of the event is not of that type at `{path}`: {reason}")]
pub struct UnfitObject {
    path: String,
    reason: String,
}

impl UnfitObject {
    /// Where, as a JSON path; `.` for the whole.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// What was expected there.
    #[must_use]
    pub fn reason(&self) -> &str {
        &self.reason
    }
}

impl From<UnfitObject> for WebhookError {
    fn from(_: UnfitObject) -> Self {
        Self::Body
    }
}

impl Verifier {
    /// With the signing secret of the dashboard.
    ///
    /// # Errors
    ///
    /// When it is empty, or blank.
    pub fn new(secret: impl Into<Secret>) -> Result<Self, EmptySecret> {
        let none = Self {
            secrets: Vec::new(),
            tolerance: TOLERANCE,
        };
        none.or(secret)
    }

    /// Accepts deliveries that are signed with this secret too: the next one, or the one before.
    ///
    /// # Errors
    ///
    /// When it is empty, or blank.
    pub fn or(mut self, secret: impl Into<Secret>) -> Result<Self, EmptySecret> {
        let secret = secret.into();
        if secret.is_blank() {
            return Err(EmptySecret);
        }
        self.secrets.push(secret);
        Ok(self)
    }

    /// Accepts deliveries whose time lies this far from now, either way.
    #[must_use]
    pub fn tolerance(mut self, tolerance: Duration) -> Self {
        self.tolerance = tolerance;
        self
    }

    /// Verifies a delivery and reads its event. `body` is the raw body, before any parsing.
    ///
    /// # Errors
    ///
    /// See [`WebhookError`].
    pub fn verify(&self, signature: &str, body: &[u8]) -> Result<Event, WebhookError> {
        self.verify_at(signature, body, SystemTime::now())
    }

    /// As [`verify`](Self::verify), at another time than now.
    ///
    /// # Errors
    ///
    /// See [`WebhookError`].
    pub fn verify_at(&self, signature: &str, body: &[u8], now: SystemTime) -> Result<Event, WebhookError> {
        let (time, signatures) = parts(signature).ok_or(WebhookError::Header)?;
        let mut any = false;
        for secret in &self.secrets {
            // HMAC takes keys of any length, so this cannot fail.
            let mut mac = Hmac::<Sha256>::new_from_slice(secret.expose_secret().as_bytes())
                .map_err(|_| WebhookError::Signature)?;
            mac.update(time.as_bytes());
            mac.update(b".");
            mac.update(body);
            // Compares in constant time.
            any |= signatures
                .iter()
                .any(|claimed| mac.clone().verify_slice(claimed).is_ok());
        }
        if !any {
            return Err(WebhookError::Signature);
        }
        // What the parser says of the time is less than the form that the error names.
        let at = DateTime::parse_from_rfc3339(time).map_err(|_| WebhookError::Header)?;
        let distance = match now.duration_since(at.into()) {
            Ok(since) => since,
            Err(before) => before.duration(),
        };
        if distance > self.tolerance {
            return Err(WebhookError::Stale);
        }
        Event::read(body)
    }
}

/// The time and the signatures of a header. None: there is no signature, or not one time. An HTTP server may have joined
/// two headers with a comma. What is no hex fits nothing.
fn parts(header: &str) -> Option<(&str, Vec<Vec<u8>>)> {
    let (mut time, mut signatures, mut signed) = (None, Vec::new(), false);
    for part in header.split([';', ',']) {
        match part.trim().split_once('=') {
            Some(("t", value)) if time.is_some_and(|time| time != value) => return None,
            Some(("t", value)) => time = Some(value),
            Some(("s", value)) => {
                signed = true;
                signatures.extend(bytes_of(value));
            }
            _ => {}
        }
    }
    Some((time.filter(|_| signed)?, signatures))
}

fn bytes_of(hex: &str) -> Option<Vec<u8>> {
    let hex = hex.trim().as_bytes();
    if !hex.len().is_multiple_of(2) {
        return None;
    }
    let digit = |byte: u8| char::from(byte).to_digit(16);
    hex.chunks_exact(2)
        .map(|pair| u8::try_from(digit(pair[0])? * 16 + digit(pair[1])?).ok())
        .collect()
}

/// What a webhook tells.
///
/// `Debug` shows the id and the kind, not the data.
#[derive(Clone)]
#[non_exhaustive]
pub struct Event {
    /// The event's id: the same for every delivery of it.
    pub id: String,
    /// What happened: `consent.authorized`, `oauth.authorization.revoked`, and [others](self).
    pub kind: String,
    object: Box<RawValue>,
}

impl Event {
    fn read(body: &[u8]) -> Result<Self, WebhookError> {
        #[derive(serde::Deserialize)]
        struct Envelope<'a> {
            #[serde(default, borrow)]
            id: Option<&'a RawValue>,
            #[serde(rename = "type")]
            kind: String,
            #[serde(borrow)]
            data: &'a RawValue,
        }

        #[derive(serde::Deserialize)]
        struct Wrapped {
            object: Box<RawValue>,
        }

        // What serde says may quote the body, which is about a person: it is dropped.
        let envelope: Envelope<'_> = serde_json::from_slice(body.strip_prefix(BYTE_ORDER_MARK).unwrap_or(body))
            .map_err(|_| WebhookError::Body)?;
        // Two forms are seen: the thing in `data.object`, and the thing as `data`, whose `object` is its kind.
        let object = match serde_json::from_str::<Wrapped>(envelope.data.get()) {
            Ok(wrapped) if wrapped.object.get().starts_with('{') => wrapped.object,
            _ => envelope.data.to_owned(),
        };
        // An id of another kind costs no event that is authentic.
        let id = envelope.id.map(RawValue::get).unwrap_or_default();
        let id = serde_json::from_str(id).unwrap_or_else(|_| id.to_owned());
        Ok(Self {
            id,
            kind: envelope.kind,
            object,
        })
    }

    /// The thing that the event is about, as one of the [`types`](super::types): a consent, a bank account.
    ///
    /// # Errors
    ///
    /// When it is not of that type: where, and what was expected there.
    ///
    /// ```
    /// use finrail::finexer::types::Consent;
    /// use finrail::finexer::webhook::{Event, UnfitObject};
    ///
    /// fn consent(event: &Event) -> Result<Consent, UnfitObject> {
    ///     event.object()
    /// }
    /// ```
    pub fn object<T: DeserializeOwned>(&self) -> Result<T, UnfitObject> {
        decode(self.object.get().as_bytes()).map_err(|Undecodable { path, reason }| UnfitObject { path, reason })
    }
}

impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Event")
            .field("id", &self.id)
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finexer::types::{Consent, ConsentStatus};

    const SECRET: &str = "whsec_example";
    const TIME: &str = "2026-11-21T10:00:00Z";

    fn signed(time: &str, body: &[u8]) -> String {
        format!("t={time};s={}", signature(SECRET, time, body))
    }

    fn signature(secret: &str, time: &str, body: &[u8]) -> String {
        let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
        mac.update(format!("{time}.").as_bytes());
        mac.update(body);
        mac.finalize()
            .into_bytes()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect()
    }

    fn at(time: &str) -> SystemTime {
        DateTime::parse_from_rfc3339(time).unwrap().into()
    }

    #[test]
    fn a_signature_made_elsewhere_fits() {
        // printf '%s.%s' 2026-11-21T10:00:00Z '{"type":"a","data":{}}' | openssl dgst -sha256 -hmac whsec_example
        let hex = "e4476d115cbb5a991930a2a7e9c31c3fc51b79145c95987d45604a31efc8fc6d";
        let event = Verifier::new(SECRET)
            .unwrap()
            .verify_at(&format!("t={TIME};s={hex}"), br#"{"type":"a","data":{}}"#, at(TIME))
            .unwrap();
        assert_eq!(event.kind, "a");
    }

    #[test]
    fn both_forms_of_the_envelope_are_read() {
        for body in [
            r#"{"id":"evt_1","object":"event","type":"consent.authorized","data":{"object":{"id":"bc_1","status":"authorized"}}}"#,
            r#"{"id":"evt_1","object":"event","type":"consent.authorized","data":{"id":"bc_1","object":"consent","status":"authorized"}}"#,
        ] {
            let event = Verifier::new(SECRET)
                .unwrap()
                .verify_at(&signed(TIME, body.as_bytes()), body.as_bytes(), at(TIME))
                .unwrap();
            let consent: Consent = event.object().unwrap();
            assert_eq!(
                (consent.id.as_str(), consent.status),
                ("bc_1", Some(ConsentStatus::Authorized))
            );
        }
    }

    #[test]
    fn what_is_not_theirs_is_refused() {
        let body: &[u8] = br#"{"id":"evt_1","type":"consent.authorized","data":{}}"#;
        let good = signed(TIME, body);
        let verifier = Verifier::new(SECRET).unwrap();
        let check = |signature: &str, body: &[u8], now: &str| verifier.verify_at(signature, body, at(now)).map(|_| ());
        assert_eq!(check(&good, body, TIME), Ok(()));
        assert_eq!(
            check(&good, br#"{"id":"evt_2","type":"consent.authorized","data":{}}"#, TIME),
            Err(WebhookError::Signature)
        );
        assert_eq!(
            check(&good.replace("10:00:00", "10:00:01"), body, TIME),
            Err(WebhookError::Signature)
        );
        assert_eq!(check(&good, body, "2026-11-21T10:05:01Z"), Err(WebhookError::Stale));
        assert_eq!(check(&good, body, "2026-11-21T09:54:59Z"), Err(WebhookError::Stale));
        assert_eq!(check(&good, body, "2026-11-21T10:05:00Z"), Ok(()));
        for bad in ["", "s=00", "t=x", "nonsense"] {
            assert_eq!(check(bad, body, TIME), Err(WebhookError::Header), "{bad}");
        }
        for bad in ["s=", "s=zz", "s=0", "s=00"] {
            assert_eq!(
                check(&format!("t={TIME};{bad}"), body, TIME),
                Err(WebhookError::Signature),
                "{bad}"
            );
        }
        let other = Verifier::new("another secret").unwrap();
        assert_eq!(
            other.verify_at(&good, body, at(TIME)).unwrap_err(),
            WebhookError::Signature
        );
    }

    #[test]
    fn what_is_theirs_and_not_understood_is_told_apart() {
        let verifier = Verifier::new(SECRET).unwrap();
        for body in ["[]", "", "not json", r#"{"id":"evt_1","data":{}}"#, r#"{"type":"a"}"#] {
            let error = verifier
                .verify_at(&signed(TIME, body.as_bytes()), body.as_bytes(), at(TIME))
                .unwrap_err();
            assert_eq!((error, error.is_authentic()), (WebhookError::Body, true), "{body}");
        }
        for error in [WebhookError::Header, WebhookError::Signature, WebhookError::Stale] {
            assert!(!error.is_authentic(), "{error}");
        }
    }

    #[test]
    fn an_id_of_another_kind_costs_no_event() {
        let verifier = Verifier::new(SECRET).unwrap();
        for (id, read) in [
            ("null", ""),
            ("7", "7"),
            (r#""evt_1""#, "evt_1"),
            (r#""evt\u005f1""#, "evt_1"),
        ] {
            let body = format!(r#"{{"id":{id},"type":"a","data":{{}}}}"#);
            let event = verifier.verify_at(&signed(TIME, body.as_bytes()), body.as_bytes(), at(TIME));
            assert_eq!(event.unwrap().id, read, "{id}");
        }
    }

    #[test]
    fn events_that_are_known_are_read_with_what_they_are_about() {
        use crate::finexer::types::BankAccount;
        let read = |body: &str| {
            let body = body.as_bytes();
            Verifier::new(SECRET)
                .unwrap()
                .verify_at(&signed(TIME, body), body, at(TIME))
                .unwrap()
        };
        for (kind, status) in [
            ("consent.authorized", ConsentStatus::Authorized),
            ("consent.canceled", ConsentStatus::Canceled),
            ("consent.expired", ConsentStatus::Expired),
            ("consent.failed", ConsentStatus::Failed),
        ] {
            let event = read(&format!(
                r#"{{"id":"evt_1","object":"event","type":"{kind}","data":{{"object":{{"id":"bc_1","status":"{status}"}}}}}}"#
            ));
            assert_eq!((event.id.as_str(), event.kind.as_str()), ("evt_1", kind));
            assert_eq!(event.object::<Consent>().unwrap().status, Some(status));
        }
        let event =
            read(r#"{"id":"evt_2","type":"bank_account.created","data":{"object":{"id":"ba_1","currency":"gbp"}}}"#);
        assert_eq!(event.object::<BankAccount>().unwrap().id, "ba_1");
        let unfit = event.object::<Vec<u8>>().unwrap_err();
        assert_eq!(WebhookError::from(unfit), WebhookError::Body, "another type");
        let event = read(r#"{"id":"evt_3","type":"t","data":{"object":{"id":"ba_1","currency":["planted"]}}}"#);
        let unfit = event.object::<BankAccount>().unwrap_err();
        assert_eq!(unfit.path(), "currency");
        assert!(
            unfit.to_string().contains(unfit.reason()) && !unfit.to_string().contains("planted"),
            "{unfit}"
        );
        for kind in [
            "reminder.consent_expiry.sent",
            "oauth.authorization.revoked",
            "of.tomorrow",
        ] {
            assert_eq!(read(&format!(r#"{{"type":"{kind}","data":{{}}}}"#)).kind, kind);
        }
    }

    #[test]
    fn an_empty_secret_is_refused() {
        for empty in [
            "",
            " ",
            "\n",
            "\t \r\n",
            "\u{a0}",
            "\u{feff}\n",
            "\0",
            "\u{200b}",
            "\u{2060}",
        ] {
            assert_eq!(Verifier::new(empty).unwrap_err(), EmptySecret, "{empty:?}");
            assert_eq!(Verifier::new(SECRET).unwrap().or(empty).unwrap_err(), EmptySecret);
        }
    }

    #[test]
    fn any_good_signature_among_several_counts() {
        let body: &[u8] = br#"{"type":"a","data":{}}"#;
        let (good, other) = (signature(SECRET, TIME, body), signature("other", TIME, body));
        let late = signature(SECRET, "2026-11-21T10:00:01Z", body);
        let verifier = Verifier::new(SECRET).unwrap();
        let check = |header: String| verifier.verify_at(&header, body, at(TIME)).map(|event| event.kind);
        for header in [
            format!("t={TIME};s={good};s={other}"),
            format!("t={TIME};s={other};s={good}"),
            format!("s={other};s={good};t={TIME}"),
            format!("t={TIME};s=;s=zz;s=0;v=1;s={good};s="),
            format!("t={TIME}; s={other}; s={good}"),
            format!("t={TIME};s={other}, t={TIME};s={good}"),
            format!("t={TIME},s={}", good.to_ascii_uppercase()),
        ] {
            assert_eq!(check(header.clone()).as_deref(), Ok("a"), "{header}");
        }
        for (header, error) in [
            (format!("t={TIME};s={other};s={late}"), WebhookError::Signature),
            (
                format!("t={TIME};s={};s={}", &good[..32], &good[32..]),
                WebhookError::Signature,
            ),
            // Two times: there is no telling which was signed.
            (
                format!("t=2026-11-21T10:00:01Z;t={TIME};s={good}"),
                WebhookError::Header,
            ),
            (
                format!("t={TIME};s={good};t=2026-11-21T10:00:01Z;s={late}"),
                WebhookError::Header,
            ),
            (format!("s={good};s={other}"), WebhookError::Header),
        ] {
            assert_eq!(check(header.clone()), Err(error), "{header}");
        }
    }

    #[test]
    fn during_a_rotation_each_secret_is_good_and_no_other_is() {
        let body: &[u8] = br#"{"type":"a","data":{}}"#;
        let verifier = Verifier::new("new").unwrap().or(SECRET).unwrap();
        for (secret, good) in [
            ("new", true),
            (SECRET, true),
            ("", false),
            ("other", false),
            ("newwhsec_example", false),
        ] {
            let header = format!("t={TIME};s={}", signature(secret, TIME, body));
            assert_eq!(verifier.verify_at(&header, body, at(TIME)).is_ok(), good, "{secret}");
        }
        let header = format!("t={TIME};s={}", signature("new", TIME, body));
        let far = Duration::from_secs(i64::MAX as u64 / 2);
        let patient = verifier.clone().tolerance(Duration::MAX);
        for now in [SystemTime::UNIX_EPOCH + far, SystemTime::UNIX_EPOCH - far] {
            assert!(patient.verify_at(&header, body, now).is_ok());
            let stale = verifier.verify_at(&header, body, now).unwrap_err();
            assert_eq!(stale, WebhookError::Stale);
        }
        let short = verifier.tolerance(Duration::ZERO);
        let header = format!("t={TIME};s={}", signature("new", TIME, body));
        let late = short.verify_at(&header, body, at("2026-11-21T10:00:01Z"));
        assert_eq!(
            late.unwrap_err(),
            WebhookError::Stale,
            "the tolerance is for all secrets"
        );
    }

    #[test]
    fn a_byte_order_mark_does_not_hide_an_event() {
        let body =
            b"\xef\xbb\xbf{\"id\":\"evt_1\",\"type\":\"consent.authorized\",\"data\":{\"object\":{\"id\":\"bc_1\"}}}";
        let event = Verifier::new(SECRET)
            .unwrap()
            .verify_at(&signed(TIME, body), body, at(TIME))
            .unwrap();
        assert_eq!(
            (event.id.as_str(), event.kind.as_str()),
            ("evt_1", "consent.authorized")
        );
        assert_eq!(event.object::<Consent>().unwrap().id, "bc_1");
        // The mark is part of what was signed.
        let without = Verifier::new(SECRET)
            .unwrap()
            .verify_at(&signed(TIME, body), &body[3..], at(TIME));
        assert_eq!(without.unwrap_err(), WebhookError::Signature);
    }
}
