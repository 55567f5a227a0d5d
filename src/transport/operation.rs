//! What is known of an operation before it is called: a row of a provider's operation table.

/// An operation of a provider, as its specification describes it.
///
/// Every provider module has a table of them, `OPERATIONS`.
///
/// ```
/// # #[cfg(feature = "ofx")] {
/// use finrail::transport::Effect;
///
/// let deal = finrail::ofx::OPERATIONS.iter().find(|operation| operation.id == "create_deal").unwrap();
/// assert_eq!(deal.effect, Effect::Neither); // a deal is booked once, never twice
/// # }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Operation {
    /// `operationId`, which is also the method's name.
    pub id: &'static str,
    /// HTTP method.
    pub method: &'static str,
    /// Path template, relative to the base URL.
    pub path: &'static str,
    /// Which client it belongs to: `api`, `service`, `oauth`, `registration`.
    pub client: &'static str,
    /// Whether a browser performs it; then there is no method for it.
    pub browser: bool,
    /// The ways in which the call may authenticate.
    pub authentication: &'static [Authentication],
    /// The keys that these ways need, beside a token or alone.
    pub keys: &'static [Key],
    /// What repeating it does.
    pub effect: Effect,
    /// The `Accept` header.
    pub accept: Option<&'static str>,
    /// The media type of the request body.
    pub content_type: Option<&'static str>,
    /// Whether its reply is bytes to be streamed, rather than a value.
    pub download: bool,
    /// Headers whose value is made on every call.
    pub headers: &'static [(&'static str, MadeHeader)],
    /// Headers that a call must have and that its client or connection is given once
    /// ([`TypedClient::with_header`](crate::TypedClient::with_header), [`AppBuilder::header`](crate::AppBuilder::header)), such as
    /// the id of a tenant.
    pub needed_headers: &'static [&'static str],
    /// How further pages are asked for.
    pub pagination: Option<PaginationStyle>,
    /// Where the items of a list stand in the reply, whether it comes in pages or as a whole: a JSON pointer.
    pub items: Option<&'static str>,
    /// Where a page names the next one: a JSON pointer to the cursor or the link.
    pub next: Option<&'static str>,
    /// The header that carries a key of the caller's intent, where the provider has one. A call with it may be
    /// repeated under the [`RetryPolicy`](super::RetryPolicy).
    pub idempotency_header: Option<&'static str>,
    /// How an error reply of the provider is told from one of whoever stands in between, where that is documented.
    pub error_proof: Option<ErrorProof>,
    /// How to find out what became of a call whose outcome is unknown, where the provider has a call for it.
    pub lookup: Option<Lookup>,
    /// How often the provider takes it, where that is documented.
    pub limit: Option<Limit>,
    /// Whether a success is an object: a list or `null` in its place is not read as one without fields.
    pub replies_with_object: bool,
    /// Of a call that changes something, and of a reply of which nothing is described: members of an error whose names say so.
    /// Where there are some, a success is looked through for these and for what else tells of an error.
    pub error_members: &'static [&'static str],
    /// Of a call that changes something, and of one that lists: the members that its successful reply is described with.
    pub reply_members: &'static [&'static str],
    /// Members of an error reply that hold the provider's own code. See [`Error::code`](super::Error::code).
    pub error_codes: &'static [&'static str],
    /// Whether a page without items is the last one, whatever it names as the next.
    pub empty_page_ends: bool,
    /// Whether a link to the next page has all that the page needs, though it leaves out what the call set.
    pub next_is_whole: bool,
    /// Fields of its body and its replies whose values may be logged, by their places (`items[].status`). See
    /// [`AppBuilder::wire_log`](crate::AppBuilder::wire_log).
    pub loggable: &'static [&'static str],
    /// How far the operation is to be trusted.
    pub grade: Grade,
}

/// By what an error reply is known to be the provider's own: one of these statuses, and a JSON object with one of these
/// members.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ErrorProof {
    /// The statuses with which the provider is known to answer in this form.
    pub statuses: &'static [u16],
    /// Members of which one is there.
    pub members: &'static [&'static str],
}

impl ErrorProof {
    /// What is so where a specification does not say otherwise: nothing is known, and no reply proves anything.
    pub const BASE: Self = Self {
        statuses: &[],
        members: &[],
    };
}

/// How often a provider takes a call. See [`Limits::of_the_provider`](super::Limits::of_the_provider).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// So many calls ...
    pub calls: u32,
    /// ... in so many seconds ...
    pub seconds: u64,
    /// ... for each value of these parameters of the path; none: for each grant.
    pub by: &'static [&'static str],
}

impl Limit {
    /// What is so where a specification does not say otherwise. Generated code says only what differs.
    pub const BASE: Self = Self {
        calls: 1,
        seconds: 0,
        by: &[],
    };
}

/// How to find out what became of a call whose outcome is unknown ([`Doubt`](crate::Doubt)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lookup {
    /// The operation that is called; it changes nothing.
    pub operation: &'static str,
    /// Its parameters, and where their values stand in the call that is in doubt: runtime expressions, as links in OpenAPI
    /// have them, such as `$request.path.id`.
    pub parameters: &'static [(&'static str, &'static str)],
    /// JSON pointer into its reply: where the matter stands.
    pub state: Option<&'static str>,
    /// States in which the call is known to have taken effect.
    pub settled: &'static [&'static str],
    /// States in which the call is known to have no effect, now or later.
    pub rejected: &'static [&'static str],
    /// Of an operation that lists: which items may be the call's work. JSON pointer into an item, and the expression whose
    /// value stands there.
    pub same: &'static [(&'static str, &'static str)],
    /// Those of `same` that are amounts: they are compared as numbers, whatever zeros they are written with.
    pub amounts: &'static [&'static str],
    /// No other call makes an item that is the `same`.
    pub unique: bool,
    /// Headers that are parameters of both calls: a look-up has the same ones as the call that is in doubt.
    pub headers: &'static [&'static str],
    /// Of an operation that lists: JSON pointer to what names the next page.
    pub next: Option<&'static str>,
    /// The query parameter that takes it, where it is no link.
    pub cursor: Option<&'static str>,
}

impl Lookup {
    /// What is so where a specification does not say otherwise. Generated code says only what differs.
    pub const BASE: Self = Self {
        operation: "",
        parameters: &[],
        state: None,
        settled: &[],
        rejected: &[],
        same: &[],
        amounts: &[],
        unique: false,
        headers: &[],
        next: None,
        cursor: None,
    };
}

impl Operation {
    /// The first of [`needed_headers`](Self::needed_headers) that a call does not have.
    pub(super) fn missing_header(&self, headers: &http::HeaderMap) -> Option<&'static str> {
        let mut needed = self.needed_headers.iter().copied();
        needed.find(|name| !headers.contains_key(*name))
    }

    /// What is so where a specification does not say otherwise. Generated code says only what differs.
    pub const BASE: Self = Self {
        id: "",
        method: "GET",
        path: "",
        client: "api",
        browser: false,
        authentication: &[Authentication::Nothing],
        keys: &[],
        // Where nobody knows, a call is never repeated.
        effect: Effect::Neither,
        accept: None,
        content_type: None,
        download: false,
        headers: &[],
        needed_headers: &[],
        pagination: None,
        items: None,
        next: None,
        idempotency_header: None,
        error_proof: None,
        lookup: None,
        limit: None,
        replies_with_object: false,
        error_members: &[],
        reply_members: &[],
        error_codes: &[],
        empty_page_ends: false,
        next_is_whole: false,
        loggable: &[],
        grade: Grade::Inferred,
    };
}

/// A way in which a call may authenticate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Authentication {
    /// Not in a header: no credentials, or credentials in the body.
    Nothing,
    /// An access token with these scopes (RFC 6750).
    Bearer {
        /// Every one of them is needed.
        scopes: &'static [&'static str],
    },
    /// HTTP Basic with the client's id and secret.
    ClientBasic,
    /// HTTP Basic with an access key.
    AccessKey,
    /// A bearer credential for client registration (RFC 7591).
    RegistrationToken,
}

/// What repeating a call does (RFC 9110 section 9.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Effect {
    /// Nothing: the call only reads.
    Safe,
    /// Twice is the same as once.
    Idempotent,
    /// Twice may be twice. Such a call is sent once, unless it carries a key of the caller's intent
    /// ([`Operation::idempotency_header`]), and once more when the provider rejected its access token as invalid.
    Neither,
}

/// A key that a call takes, in one of the ways in which it may authenticate.
///
/// ```
/// use finrail::transport::{Key, KeyPlace};
///
/// let key = Key { scheme: "ApiKey", place: KeyPlace::Header, name: "X-Api-Key", ..Key::BASE };
/// assert_eq!(key.way, 0); // of the first of `Operation::authentication`
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key {
    /// The name of its security scheme in the specification.
    pub scheme: &'static str,
    /// Where it stands.
    pub place: KeyPlace,
    /// The header's name, or the query parameter's.
    pub name: &'static str,
    /// The way that it belongs to: its place in [`Operation::authentication`].
    pub way: usize,
}

/// Where a key stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyPlace {
    /// In a header of its own.
    Header,
    /// In a parameter of the query.
    Query,
    /// As a bearer credential in `Authorization` (RFC 6750), which nobody refreshes.
    Bearer,
}

impl Key {
    /// What is so where a specification does not say otherwise. Generated code says only what differs.
    pub const BASE: Self = Self {
        scheme: "",
        place: KeyPlace::Header,
        name: "",
        way: 0,
    };
}

/// A header value that the library makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MadeHeader {
    /// A fresh random UUID.
    Uuid,
}

/// Where the next page is named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PaginationStyle {
    /// The reply has the next value of a query parameter.
    Cursor,
    /// The reply has the next URL.
    Link,
    /// Pages have numbers.
    Page,
    /// A parameter says how many items come before the page.
    Offset,
}

/// How far an operation is to be trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Grade {
    /// The provider's own documentation shows it.
    Official,
    /// Public client code that works with the provider shows it.
    ClientCode,
    /// A standard or a neighbouring operation implies it; nobody shows it.
    Inferred,
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderValue};

    use super::Operation;

    #[test]
    fn the_first_header_that_is_missing_is_told() {
        let operation = Operation {
            needed_headers: &["X-Tenant", "x-version"],
            ..Operation::BASE
        };
        let mut headers = HeaderMap::new();
        assert_eq!(Operation::BASE.missing_header(&headers), None);
        assert_eq!(operation.missing_header(&headers), Some("X-Tenant"));
        headers.insert("x-tenant", HeaderValue::from_static("t"));
        assert_eq!(operation.missing_header(&headers), Some("x-version"));
        headers.insert("x-version", HeaderValue::from_static("1"));
        assert_eq!(operation.missing_header(&headers), None);
    }
}
