//! Things that go wrong on purpose.

mod gate;
mod surprise;

use std::time::Duration;

use finrail_spec::json::Json;
use finrail_spec::media_type::is_json;
use http::header::{HeaderName, HeaderValue};

pub use self::gate::Gate;

use self::surprise::Surprise;
use super::wrong::wrong;
use crate::sandbox::http::{RawRequest, Reply};
use crate::sandbox::spec::{Operation, Spec};

/// A thing that goes wrong, for the next request or for several.
///
/// ```no_run
/// # use std::time::Duration;
/// # use finrail::sandbox::{Fault, Sandbox};
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let sandbox = Sandbox::start().await?;
/// // The refresh reaches the server, its reply never comes back.
/// sandbox.fault("ofx", Fault::lost_reply().on("create_token"));
/// // Two calls meet a busy server, the third succeeds.
/// sandbox.fault("ofx", Fault::too_many_requests(Duration::from_secs(1)).on("list_beneficiaries").times(2));
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct Fault {
    kind: Kind,
    operation: Option<String>,
    /// Form fields, query parameters or members of JSON that the request must have.
    fields: Vec<(String, String)>,
    skip: u32,
    left: Option<u32>,
}

#[derive(Clone, Debug)]
enum Kind {
    Status {
        status: u16,
        media_type: String,
        body: Option<Vec<u8>>,
        headers: Vec<(&'static str, String)>,
    },
    Trouble(Trouble),
    Garbled,
    Surprise(Surprise),
}

/// What happens to the connection.
#[derive(Clone, Debug)]
pub(in crate::sandbox) enum Trouble {
    /// The request is processed, the reply waits.
    Held(Gate),
    /// The reply takes its time.
    Slow(Duration),
    /// The request is not looked at, the connection closes.
    Drop,
    /// The request is processed, the connection closes before the reply.
    LostReply,
    /// The request is processed, the connection closes before the reply's last bytes.
    Truncated,
}

impl Fault {
    fn new(kind: Kind) -> Self {
        Self {
            kind,
            operation: None,
            fields: Vec::new(),
            skip: 0,
            left: Some(1),
        }
    }

    /// A status with an error in the provider's own form; nothing is processed.
    ///
    /// # Panics
    ///
    /// When no reply ends a call with this status: it is under 200 or over 999.
    ///
    /// ```
    /// let fault = finrail::sandbox::Fault::status(503);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn status(status: u16) -> Self {
        if !(200..1000).contains(&status) {
            wrong(&format!("no reply ends with the status {status}"))
        }
        Self::new(Kind::Status {
            status,
            media_type: "application/json".to_owned(),
            body: None,
            headers: Vec::new(),
        })
    }

    /// A status with a page, as a proxy in the way would answer.
    ///
    /// # Panics
    ///
    /// As [`status`](Self::status).
    ///
    /// ```
    /// let fault = finrail::sandbox::Fault::html(502);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn html(status: u16) -> Self {
        let page = "<html><head><title>Error</title></head><body><h1>Something went wrong</h1></body></html>";
        Self::status(status).body("text/html", page)
    }

    /// 429 with `Retry-After` in seconds, rounded up.
    ///
    /// ```
    /// # use std::time::Duration;
    /// let fault = finrail::sandbox::Fault::too_many_requests(Duration::from_secs(2));
    /// ```
    #[must_use]
    pub fn too_many_requests(retry_after: Duration) -> Self {
        let more = u64::from(retry_after.subsec_nanos() > 0);
        let seconds = retry_after.as_secs().saturating_add(more);
        Self::status(429).header("retry-after", seconds.to_string())
    }

    /// 401 with `WWW-Authenticate: Bearer error="invalid_token"`.
    ///
    /// ```
    /// let fault = finrail::sandbox::Fault::invalid_token();
    /// ```
    #[must_use]
    pub fn invalid_token() -> Self {
        Self::status(401).header("www-authenticate", "Bearer error=\"invalid_token\"")
    }

    /// 401 that does not say why.
    ///
    /// ```
    /// let fault = finrail::sandbox::Fault::bare_unauthorized();
    /// ```
    #[must_use]
    pub fn bare_unauthorized() -> Self {
        Self::status(401)
    }

    /// The reply comes after this long.
    ///
    /// ```
    /// # use std::time::Duration;
    /// let fault = finrail::sandbox::Fault::slow(Duration::from_millis(200));
    /// ```
    #[must_use]
    pub fn slow(by: Duration) -> Self {
        Self::new(Kind::Trouble(Trouble::Slow(by)))
    }

    /// The request is processed, and its reply waits until the gate opens.
    ///
    /// ```no_run
    /// # use finrail::sandbox::{Fault, Gate, Sandbox};
    /// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
    /// # let sandbox = Sandbox::start().await?;
    /// let gate = Gate::new();
    /// sandbox.fault("ofx", Fault::held_by(&gate).on("create_token"));
    /// // ... a client refreshes in another task ...
    /// gate.arrived(1).await; // the refresh token is spent, the reply is still here
    /// gate.open();
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn held_by(gate: &Gate) -> Self {
        Self::new(Kind::Trouble(Trouble::Held(gate.clone())))
    }

    /// The connection closes, and nothing was processed.
    ///
    /// ```
    /// let fault = finrail::sandbox::Fault::drop_connection();
    /// ```
    #[must_use]
    pub fn drop_connection() -> Self {
        Self::new(Kind::Trouble(Trouble::Drop))
    }

    /// The request is processed, and the connection closes before the reply.
    ///
    /// ```
    /// let fault = finrail::sandbox::Fault::lost_reply();
    /// ```
    #[must_use]
    pub fn lost_reply() -> Self {
        Self::new(Kind::Trouble(Trouble::LostReply))
    }

    /// The request is processed, and the connection closes in the middle of the reply's body.
    ///
    /// ```
    /// let fault = finrail::sandbox::Fault::truncated();
    /// ```
    #[must_use]
    pub fn truncated() -> Self {
        Self::new(Kind::Trouble(Trouble::Truncated))
    }

    /// The reply arrives whole, but its JSON ends in the middle.
    ///
    /// ```
    /// let fault = finrail::sandbox::Fault::garbled();
    /// ```
    #[must_use]
    pub fn garbled() -> Self {
        Self::new(Kind::Garbled)
    }

    /// Every enumerated value in the reply is one that the specification does not list.
    ///
    /// ```
    /// let fault = finrail::sandbox::Fault::unknown_values();
    /// ```
    #[must_use]
    pub fn unknown_values() -> Self {
        Self::new(Kind::Surprise(Surprise::Values))
    }

    /// Every object in the reply has a field more than the specification lists.
    ///
    /// ```
    /// let fault = finrail::sandbox::Fault::unknown_fields();
    /// ```
    #[must_use]
    pub fn unknown_fields() -> Self {
        Self::new(Kind::Surprise(Surprise::Fields))
    }

    /// Every key that names a kind (`depositAccount`) is one that the specification does not list.
    ///
    /// ```
    /// let fault = finrail::sandbox::Fault::unknown_kinds();
    /// ```
    #[must_use]
    pub fn unknown_kinds() -> Self {
        Self::new(Kind::Surprise(Surprise::Kinds))
    }

    /// With this body.
    ///
    /// # Panics
    ///
    /// When it is no fault with a status, which alone has a body of its own, or no header carries the media type.
    ///
    /// ```
    /// let fault = finrail::sandbox::Fault::status(200).body("application/json", r#"{"error":"server_error"}"#);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn body(mut self, media_type: &str, text: impl Into<Vec<u8>>) -> Self {
        check_header("content-type", media_type);
        match &mut self.kind {
            Kind::Status {
                media_type: m, body, ..
            } => {
                media_type.clone_into(m);
                *body = Some(text.into());
            }
            _ => wrong("only a fault with a status has a body of its own; begin with `Fault::status`"),
        }
        self
    }

    /// With this header.
    ///
    /// # Panics
    ///
    /// When it is no fault with a status, which alone has headers of its own, it is no name of a header, or no header carries
    /// the value.
    ///
    /// ```
    /// let fault = finrail::sandbox::Fault::status(503).header("retry-after", "Fri, 31 Dec 1999 23:59:59 GMT");
    /// ```
    #[must_use]
    #[track_caller]
    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        let value = value.into();
        check_header(name, &value);
        match &mut self.kind {
            Kind::Status { headers, .. } => headers.push((name, value)),
            _ => wrong("only a fault with a status has headers of its own; begin with `Fault::status`"),
        }
        self
    }

    /// Only for the operation with this `operationId`. [`Sandbox::fault`](super::Sandbox::fault) refuses one that the provider
    /// does not have.
    ///
    /// ```
    /// let fault = finrail::sandbox::Fault::status(500).on("create_deal");
    /// ```
    #[must_use]
    pub fn on(mut self, operation: impl Into<String>) -> Self {
        self.operation = Some(operation.into());
        self
    }

    /// Only for requests with this form field, query parameter or member of a JSON body, at its top: a text, or a number, `true`
    /// or `false` as it is written there.
    ///
    /// ```
    /// let fault = finrail::sandbox::Fault::lost_reply().on("create_token").with_field("grant_type", "refresh_token");
    /// ```
    #[must_use]
    pub fn with_field(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.fields.push((name.into(), value.into()));
        self
    }

    /// Not for the first matching requests, but after this many.
    ///
    /// ```
    /// let fault = finrail::sandbox::Fault::status(500).on("list_customers").after(2);
    /// ```
    #[must_use]
    pub fn after(mut self, requests: u32) -> Self {
        self.skip = requests;
        self
    }

    /// For this many matching requests instead of one.
    ///
    /// # Panics
    ///
    /// When it is for none.
    ///
    /// ```
    /// let fault = finrail::sandbox::Fault::status(500).times(3);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn times(mut self, times: u32) -> Self {
        if times == 0 {
            wrong("a fault for no request goes wrong never; leave it out")
        }
        self.left = Some(times);
        self
    }

    /// For every matching request from now on.
    ///
    /// ```
    /// let fault = finrail::sandbox::Fault::status(500).always();
    /// ```
    #[must_use]
    pub fn always(mut self) -> Self {
        self.left = None;
        self
    }

    // --- used by the sandbox

    /// The operation that it is for.
    pub(in crate::sandbox) fn operation(&self) -> Option<&str> {
        self.operation.as_deref()
    }

    pub(in crate::sandbox) fn concerns(&self, operation: Option<&str>, raw: &RawRequest) -> bool {
        if self.left == Some(0)
            || self
                .operation
                .as_deref()
                .is_some_and(|wanted| operation != Some(wanted))
        {
            return false;
        }
        if self.fields.is_empty() {
            return true;
        }
        let sent = [raw.query_pairs(), fields(raw)].concat();
        self.fields.iter().all(|field| sent.contains(field))
    }

    /// Lets a matching request pass, when it is to be skipped.
    pub(in crate::sandbox) fn lets_pass(&mut self) -> bool {
        let passes = self.skip > 0;
        self.skip = self.skip.saturating_sub(1);
        passes
    }

    /// Counts one use; whether it was the last.
    pub(in crate::sandbox) fn use_up(&mut self) -> bool {
        if let Some(left) = &mut self.left {
            *left = left.saturating_sub(1);
        }
        self.left == Some(0)
    }

    pub(in crate::sandbox) fn trouble(&self) -> Option<Trouble> {
        match &self.kind {
            Kind::Trouble(trouble) => Some(trouble.clone()),
            _ => None,
        }
    }

    /// The reply that is given without processing the request; `in_own_form` is an error of the provider with a status.
    pub(in crate::sandbox) fn instead(&self, in_own_form: impl FnOnce(u16) -> Reply) -> Option<Reply> {
        match &self.kind {
            Kind::Status {
                status,
                media_type,
                body,
                headers,
            } => {
                let reply = match body {
                    Some(body) => Reply::bytes(*status, media_type, body.clone()),
                    None => in_own_form(*status),
                };
                let with = |reply: Reply, (name, value): &(&'static str, String)| reply.with(name, value.clone());
                Some(headers.iter().fold(reply, with))
            }
            Kind::Trouble(Trouble::Drop) => Some(Reply::empty(500)),
            _ => None,
        }
    }

    /// The reply with the fault in it.
    pub(in crate::sandbox) fn spoil(&self, spec: &Spec, operation: Option<&Operation>, reply: Reply) -> Reply {
        match &self.kind {
            Kind::Garbled => garbled(reply),
            Kind::Surprise(surprise) => surprise.put_into(spec, operation, reply),
            _ => reply,
        }
    }
}

/// What a body says by name.
fn fields(raw: &RawRequest) -> Vec<(String, String)> {
    if !raw.media_type().is_some_and(|media_type| is_json(&media_type)) {
        return raw.form_pairs();
    }
    let json = std::str::from_utf8(&raw.body)
        .ok()
        .and_then(|text| Json::parse(text).ok());
    let Some(Json::Object(members)) = json else {
        return Vec::new();
    };
    let text = |value| match value {
        Json::String(text) | Json::Number(text) => Some(text),
        Json::Bool(value) => Some(value.to_string()),
        _ => None,
    };
    let members = members.into_iter();
    members.filter_map(|(name, value)| Some((name, text(value)?))).collect()
}

#[track_caller]
fn check_header(name: &str, value: &str) {
    if HeaderName::try_from(name).is_err() || HeaderValue::try_from(value).is_err() {
        wrong(&format!("`{name}` is no header, or its value is none"))
    }
}

/// The reply with half of its body.
fn garbled(reply: Reply) -> Reply {
    let (status, headers) = (reply.status, reply.headers.clone());
    let mut body = reply.into_body();
    body.truncate(body.len() / 2);
    Reply {
        headers,
        body,
        ..Reply::empty(status)
    }
}
