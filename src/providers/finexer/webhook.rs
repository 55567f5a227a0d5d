//! Webhooks of Finexer: is it theirs, and what does it say.
//!
//! Finexer signs each delivery with the signing secret of the dashboard:
//! `fx-signature: t=<ISO 8601 UTC>;s=<hex>`, where the hex is HMAC-SHA256 over
//! `<t>.<raw body>`. The facts are of grade `client-code`: a production code base
//! that receives these webhooks shows them, with tests.
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

use chrono::{DateTime, Utc};
use hmac::{Hmac, Mac as _};
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use sha2::Sha256;

use crate::value::Secret;

/// Name of the header with the signature.
pub const SIGNATURE_HEADER: &str = "fx-signature";

/// How far the time of a delivery may lie from now, either way, where nothing else is said.
pub const TOLERANCE: Duration = Duration::from_secs(300);

/// Verifies deliveries of one webhook.
///
/// ```
/// use finrail::finexer::webhook::{Verifier, WebhookError};
///
/// let verifier = Verifier::new("whsec_example");
/// let error = verifier.verify("t=2026-11-21T10:00:00Z;s=00", b"{}").unwrap_err();
/// assert_eq!(error, WebhookError::Signature);
/// ```
#[derive(Clone, Debug)]
pub struct Verifier {
    secret: Secret,
    tolerance: Duration,
}

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

impl Verifier {
    /// With the signing secret of the dashboard.
    pub fn new(secret: impl Into<Secret>) -> Self {
        Self {
            secret: secret.into(),
            tolerance: TOLERANCE,
        }
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
        let (mut time, mut hex) = (None, None);
        for part in signature.split(';') {
            match part.trim().split_once('=') {
                Some(("t", value)) => time = Some(value),
                Some(("s", value)) => hex = Some(value),
                _ => {}
            }
        }
        let (Some(time), Some(hex)) = (time, hex) else {
            return Err(WebhookError::Header);
        };
        // HMAC takes keys of any length, so this cannot fail.
        let mut mac = Hmac::<Sha256>::new_from_slice(self.secret.expose_secret().as_bytes())
            .map_err(|_| WebhookError::Signature)?;
        mac.update(time.as_bytes());
        mac.update(b".");
        mac.update(body);
        let claimed = bytes_of(hex).ok_or(WebhookError::Signature)?;
        // Compares in constant time; of a forgery there is no more to say.
        mac.verify_slice(&claimed).map_err(|_| WebhookError::Signature)?;
        let at: DateTime<Utc> = DateTime::parse_from_rfc3339(time)
            .map_err(|_| WebhookError::Header)?
            .with_timezone(&Utc);
        let distance = (DateTime::<Utc>::from(now) - at)
            .abs()
            .to_std()
            .unwrap_or(Duration::MAX);
        if distance > self.tolerance {
            return Err(WebhookError::Stale);
        }
        Event::read(body)
    }
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
            #[serde(default)]
            id: String,
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
        let envelope: Envelope<'_> = serde_json::from_slice(body).map_err(|_| WebhookError::Body)?;
        // Two forms are seen: the thing in `data.object`, and the thing as `data`, whose `object` is its kind.
        let object = match serde_json::from_str::<Wrapped>(envelope.data.get()) {
            Ok(wrapped) if wrapped.object.get().starts_with('{') => wrapped.object,
            _ => envelope.data.to_owned(),
        };
        Ok(Self {
            id: envelope.id,
            kind: envelope.kind,
            object,
        })
    }

    /// The thing that the event is about, as one of the [`types`](super::types): a consent, a bank account.
    ///
    /// # Errors
    ///
    /// When it is not of that type.
    pub fn object<T: DeserializeOwned>(&self) -> Result<T, WebhookError> {
        // As above: what serde says may quote the body.
        serde_json::from_str(self.object.get()).map_err(|_| WebhookError::Body)
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
        let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
        mac.update(format!("{time}.").as_bytes());
        mac.update(body);
        let hex: String = mac
            .finalize()
            .into_bytes()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        format!("t={time};s={hex}")
    }

    fn at(time: &str) -> SystemTime {
        DateTime::parse_from_rfc3339(time).unwrap().into()
    }

    #[test]
    fn a_signature_made_elsewhere_fits() {
        // printf '%s.%s' 2026-11-21T10:00:00Z '{"type":"a","data":{}}' | openssl dgst -sha256 -hmac whsec_example
        let hex = "e4476d115cbb5a991930a2a7e9c31c3fc51b79145c95987d45604a31efc8fc6d";
        let event = Verifier::new(SECRET)
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
        let verifier = Verifier::new(SECRET);
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
        let other = Verifier::new("another secret");
        assert_eq!(
            other.verify_at(&good, body, at(TIME)).unwrap_err(),
            WebhookError::Signature
        );
    }

    #[test]
    fn what_is_theirs_and_not_understood_is_told_apart() {
        let verifier = Verifier::new(SECRET);
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
    fn events_that_are_known_are_read_with_what_they_are_about() {
        use crate::finexer::types::BankAccount;
        let read = |body: &str| {
            let body = body.as_bytes();
            Verifier::new(SECRET)
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
        assert_eq!(event.object::<Vec<u8>>(), Err(WebhookError::Body), "another type");
        for kind in [
            "reminder.consent_expiry.sent",
            "oauth.authorization.revoked",
            "of.tomorrow",
        ] {
            assert_eq!(read(&format!(r#"{{"type":"{kind}","data":{{}}}}"#)).kind, kind);
        }
    }
}
