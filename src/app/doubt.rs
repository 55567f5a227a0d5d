//! What became of a call whose outcome is unknown.

use std::fmt;
use std::marker::PhantomData;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::HeaderMap;

use super::provider::{Provider, TypedClient};
use crate::transport::generated::{cursor_pages, encode_path, link_pages};
use crate::transport::{
    CallOptions, Error, Intent, Lookup, Operation, Outcome, Pages, PaginationStyle, Problem, ResponseValue,
};
use crate::value::error_in_success::{error_beside_a_state, grave_messages, is_blank, is_of_an_error, says_error};
use crate::value::next_page::{is_lost, is_none};
use crate::value::wire::decimal;
use crate::value::{Decimal, Json, JsonMap};

/// A call that may have taken effect, and may not: its outcome was [`Unknown`](Outcome::Unknown), or the program was stopped
/// before it had one. It looks up what became of it, and has no way to send it again.
///
/// **While it stays [open](Found::Open)** nothing is known: a provider may show the effect of a call minutes after it, or not
/// before the user has done something. Keep the intent, look again after some seconds, then after minutes, for as long as
/// the provider says that such a call may take; show what was [seen](Evidence::seen) to a person; ask the provider with the
/// intent's time and the request id. Never make the payment anew because nothing was found: that is how money is sent twice.
/// Only where the provider has a header for an idempotency key may the call itself be sent again, with `prepare_again`.
///
/// ```
/// # #[cfg(feature = "tatrabanka")] {
/// use finrail::transport::Intent;
/// use finrail::{Found, tatrabanka};
///
/// /// At the start of the program: a payment was under way when it stopped.
/// async fn what_became_of_it(
///     kept: Intent,
///     bank: &tatrabanka::service::Client,
/// ) -> Result<(), Box<dyn std::error::Error>> {
///     let doubt = tatrabanka::Doubt::of(kept)?;
///     match doubt.look_up(bank).await? {
///         Found::Settled(evidence) => println!("it was carried out: {:?}", evidence.state),
///         Found::Rejected(evidence) => println!("it has no effect: {:?}", evidence.state),
///         Found::Open(_) => println!("nothing is known yet: look again later, and send nothing"),
///     }
///     Ok(())
/// }
/// # }
/// ```
pub struct Doubt<P: Provider> {
    intent: Intent,
    /// The call that is in doubt.
    call: &'static Operation,
    lookup: &'static Lookup,
    operation: &'static Operation,
    /// It is looked up with whatever client is given.
    under_another_grant: bool,
    provider: PhantomData<P>,
}

/// What was found out.
#[derive(Clone, Debug)]
pub enum Found {
    /// The call took effect.
    Settled(Evidence),
    /// It has no effect, and will have none.
    Rejected(Evidence),
    /// Nothing is known yet. See [`Doubt`] for what to do.
    Open(Evidence),
}

impl Found {
    /// What it rests on.
    #[must_use]
    pub fn evidence(&self) -> &Evidence {
        match self {
            Self::Settled(evidence) | Self::Rejected(evidence) | Self::Open(evidence) => evidence,
        }
    }
}

/// What the provider showed. `Debug` leaves out the replies, and a state that no specification knows: they may hold personal data.
#[derive(Clone, Default)]
#[non_exhaustive]
pub struct Evidence {
    /// Where the matter stands, in the provider's own word.
    pub state: Option<String>,
    /// The reply, or the items of a list that may be the call's work. Empty where nothing of it is there.
    pub seen: Vec<Json>,
    /// The state is one that the specification names.
    is_known: bool,
}

impl fmt::Debug for Evidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Evidence")
            .field(
                "state",
                &self
                    .state
                    .as_deref()
                    .map(|state| if self.is_known { state } else { "\u{2026}" }),
            )
            .field("seen", &self.seen.len())
            .finish()
    }
}

/// Why an intent gives no [`Doubt`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DoubtError {
    /// It is of another provider.
    #[error("the intent is of the provider `{of}`, and not of `{asked}`: use that provider's `Doubt`")]
    OtherProvider {
        /// The intent's provider.
        of: String,
        /// The one that was asked.
        asked: &'static str,
    },
    /// The provider has no such operation.
    #[error("`{0}` is no operation of the provider: the intent was kept by another version, or is not whole")]
    UnknownOperation(String),
    /// Nobody documents how to find out.
    #[error(
        "no call is known that tells what became of `{0}`: ask the provider, with the time of the intent and the request id, \
         and do not make the call anew before you know"
    )]
    NoLookup(&'static str),
}

/// A listing with more pages, or with so many without an item in a row, is taken for one without an end.
const MOST_PAGES: u32 = 500;
const EMPTY_PAGES: u32 = 10;

impl<P: Provider> Doubt<P> {
    /// Of a call that was prepared, and whose outcome is not known.
    ///
    /// # Errors
    ///
    /// When the intent is of another provider, or no call is known that tells what became of it.
    pub fn of(intent: Intent) -> Result<Self, DoubtError> {
        let asked = P::profile().provider;
        if intent.provider() != asked {
            return Err(DoubtError::OtherProvider {
                of: intent.provider().to_owned(),
                asked,
            });
        }
        let find = |id: &str| P::operations().iter().find(|operation| operation.id == id);
        let call =
            find(intent.operation()).ok_or_else(|| DoubtError::UnknownOperation(intent.operation().to_owned()))?;
        let lookup = call.lookup.as_ref().ok_or(DoubtError::NoLookup(call.id))?;
        let operation = find(lookup.operation).ok_or(DoubtError::NoLookup(call.id))?;
        Ok(Self {
            intent,
            call,
            lookup,
            operation,
            under_another_grant: false,
            provider: PhantomData,
        })
    }

    /// Of a call that failed, where its outcome is [`Unknown`](Outcome::Unknown). `None`: the error itself says what
    /// became of it.
    ///
    /// # Errors
    ///
    /// As [`of`](Self::of).
    pub fn after<E>(error: &Error<E>, intent: &Intent) -> Result<Option<Self>, DoubtError> {
        match error.outcome() {
            Outcome::Unknown => Self::of(intent.clone()).map(Some),
            Outcome::NotSent | Outcome::Rejected => Ok(None),
        }
    }

    /// The call that is in doubt.
    #[must_use]
    pub fn intent(&self) -> &Intent {
        &self.intent
    }

    /// It is to be looked up with a client of another grant than that under which the call was made: the same person's, who
    /// has authorized anew, or with other scopes. Without it such a client is refused, because another person's shows nothing
    /// of the call, and that looks as if nothing had been done.
    ///
    /// ```
    /// # #[cfg(feature = "finexer")] {
    /// use finrail::{AnyError, Found, finexer};
    ///
    /// /// The user's first grant was lost; `again` is the one that the same user gave in its place.
    /// async fn look(doubt: finexer::Doubt, again: &finexer::Client) -> Result<Found, AnyError> {
    ///     Ok(doubt.under_another_grant().look_up(again).await?)
    /// }
    /// # }
    /// ```
    #[must_use]
    pub fn under_another_grant(self) -> Self {
        Self {
            under_another_grant: true,
            ..self
        }
    }

    /// The operation that is called to look it up, and whose client it takes.
    #[must_use]
    pub fn operation(&self) -> &'static Operation {
        self.operation
    }

    /// Looks up what became of it. This changes nothing at the provider, and may be done again.
    ///
    /// # Errors
    ///
    /// When the provider could not be asked, or the client is of another grant or has other headers than the call had (see
    /// [`look_up_with`](Self::look_up_with)): nothing is known then. A reply that says that there is no such thing is no
    /// error: the matter is [open](Found::Open).
    pub async fn look_up<C: TypedClient<Provider = P>>(&self, client: &C) -> Result<Found, Error<Bytes>> {
        self.look_up_with(client, CallOptions::new()).await
    }

    /// The same, with what is set for this look-up alone.
    ///
    /// A header that the call had beside its parameters may say whose payment it is (`x-tenant`), and without it the payments of
    /// another may be looked at. So it is given again here, unless the client has it for all its calls: a look-up that does not
    /// have the same ones is refused, and nothing is asked for.
    ///
    /// ```
    /// # #[cfg(feature = "tatrabanka")] {
    /// use finrail::transport::CallOptions;
    /// use finrail::{AnyError, Found, tatrabanka};
    ///
    /// /// The payment was made with this header too.
    /// async fn look(doubt: tatrabanka::Doubt, bank: &tatrabanka::service::Client) -> Result<Found, AnyError> {
    ///     let of_tenant = CallOptions::new().header("x-tenant", "one");
    ///     Ok(doubt.look_up_with(bank, of_tenant).await?)
    /// }
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`look_up`](Self::look_up).
    pub async fn look_up_with<C: TypedClient<Provider = P>>(
        &self,
        client: &C,
        with: CallOptions,
    ) -> Result<Found, Error<Bytes>> {
        let id = self.operation.id;
        if C::KIND.name() != self.operation.client {
            return Err(Error::invalid_request(format!(
                "{id}: this is a call of another client of the provider (`{}`); look it up with that one",
                self.operation.client
            )));
        }
        let core = client.core();
        // Another person's grant does not show what was done under this one. Where the look-up is made with another kind of
        // client than the call, so is its grant.
        let is_anothers = core.is_of_a_user() && !self.intent.is_under(core.connection());
        if self.call.client == self.operation.client && is_anothers && !self.under_another_grant {
            return Err(Error::invalid_request(format!(
                "{id}: the call in doubt was made under another grant, and this one may show nothing of it; look it up with \
                 the client under which it was prepared, or, where you know that this grant is the same person's, say so with \
                 `under_another_grant`"
            )));
        }
        let mut headers = HeaderMap::new();
        with.add_to(&mut headers, self.operation)
            .map_err(|problem| Error::invalid_request(format!("{id}: {problem}")))?;
        core.add_headers(&mut headers, self.operation);
        self.intent
            .suits(self.call, self.operation, &headers)
            .map_err(|why| Error::invalid_request(format!("{id}: {why}")))?;
        let base = core.base().as_str().trim_end_matches('/');
        let mut path = self.operation.path.to_owned();
        let mut query = Vec::new();
        for (name, expression) in self.lookup.parameters {
            let place = format!("{{{name}}}");
            match self.intent.value(expression) {
                Some("" | "." | "..") if path.contains(&place) => {
                    return Err(Error::invalid_request(format!(
                        "{id}: the call in doubt had no id at `{expression}`, so it cannot be looked up; ask the provider"
                    )));
                }
                Some(value) if path.contains(&place) => path = path.replace(&place, &encode_path(value)),
                Some(value) => query.push((*name, value)),
                None if path.contains(&place) => {
                    return Err(Error::invalid_request(format!(
                        "{id}: the call in doubt had nothing at `{expression}`, so it cannot be looked up; ask the provider"
                    )));
                }
                None => {}
            }
        }
        let mut url = url::Url::parse(&format!("{base}{path}"))
            .map_err(|_| Error::invalid_request(format!("{id}: what the intent holds gives no URL")))?;
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(&query);
        }
        match self.operation.pagination {
            None => self.in_reply(client, url, with).await,
            Some(style) => self.in_list(client, url, style, with).await,
        }
    }

    /// One reply that says where the matter stands.
    async fn in_reply<C: TypedClient>(
        &self,
        client: &C,
        url: url::Url,
        with: CallOptions,
    ) -> Result<Found, Error<Bytes>> {
        let reply = match ask(client, self.operation, url, with).await {
            // Nothing of it is there: not yet, perhaps.
            Err(error) if error.status().is_some_and(|status| status == 404) && is_the_providers(&error) => {
                return Ok(Found::Open(Evidence::default()));
            }
            reply => reply?,
        };
        let state = self.lookup.state.and_then(|pointer| reply.pointer(pointer)?.plain());
        let is_one_of = |states: &[&str]| state.as_deref().is_some_and(|state| states.contains(&state));
        let (is_settled, is_rejected) = (is_one_of(self.lookup.settled), is_one_of(self.lookup.rejected));
        let evidence = Evidence {
            seen: vec![Json::clone(&reply)],
            is_known: is_settled || is_rejected,
            state,
        };
        // A reply that tells of an error beside the state says nothing for certain of where the matter stands, unless it says no
        // more than why the payment was rejected.
        let failed = is_rejected && evidence.state.as_deref().is_some_and(says_error);
        Ok(if tells_of_an_error(&reply, self.operation, self.lookup, failed) {
            Found::Open(evidence)
        } else if is_settled {
            Found::Settled(evidence)
        } else if is_rejected {
            Found::Rejected(evidence)
        } else {
            Found::Open(evidence)
        })
    }

    /// The items of a list that may be the call's work.
    async fn in_list<C: TypedClient>(
        &self,
        client: &C,
        url: url::Url,
        style: PaginationStyle,
        with: CallOptions,
    ) -> Result<Found, Error<Bytes>> {
        let (operation, lookup) = (self.operation, self.lookup);
        let next = |page: &Json| lookup.next.and_then(|pointer| page.pointer(pointer)?.plain());
        let first = {
            let (url, with) = (url.clone(), with.clone());
            Box::pin(async move { ask(client, operation, url, with).await })
        };
        let follow = move |url| -> BoxFuture<'_, _> { Box::pin(ask(client, operation, url, with.clone())) };
        let mut pages: Pages<'_, Json, Bytes> = match (style, lookup.cursor) {
            (PaginationStyle::Cursor, Some(parameter)) => cursor_pages(
                url,
                follow,
                move |mut url, cursor| {
                    let others = url.query_pairs().filter(|(name, _)| name != parameter);
                    let others: Vec<_> = others
                        .map(|(name, value)| (name.into_owned(), value.into_owned()))
                        .collect();
                    url.query_pairs_mut()
                        .clear()
                        .extend_pairs(others)
                        .append_pair(parameter, &cursor);
                    url
                },
                next,
            ),
            _ => link_pages(client.core().base(), first, follow, next),
        };
        let mut listed = Listed::default();
        let (mut read, mut empty) = (0, 0);
        while let Some(page) = pages.next().await {
            let page = page?;
            let (items, next_is_readable) = (items_of(operation, &page), has_readable_next(lookup, &page));
            // What cannot be read does not show that nothing of it is there.
            let Some(items) = items.filter(|_| next_is_readable) else {
                let path = operation
                    .items
                    .filter(|_| next_is_readable)
                    .or(lookup.next)
                    .unwrap_or_default();
                let (path, reason) = (
                    path.trim_start_matches('/').replace('/', "."),
                    NOT_TO_BE_READ.to_owned(),
                );
                return Err(page.invalid(Problem::Decode { path, reason }));
            };
            if items.is_empty() && operation.empty_page_ends {
                break;
            }
            // A listing without an end finds nothing out.
            read += 1;
            empty = if items.is_empty() { empty + 1 } else { 0 };
            if empty == EMPTY_PAGES || read == MOST_PAGES {
                return Err(page.invalid(Problem::EndlessPages));
            }
            for item in items {
                let likeness = self.likeness(&item);
                listed.add(item, likeness);
            }
        }
        Ok(listed.found(lookup.unique))
    }

    /// Whether nothing that is known of the call speaks against it, and something for it.
    fn likeness(&self, item: &Json) -> Likeness {
        let lookup = self.lookup;
        let compared = lookup.same.iter().filter_map(|(pointer, expression)| {
            let sent = self.intent.value(expression)?;
            let is_amount = lookup.amounts.contains(pointer);
            let found = item.pointer(pointer);
            Some(found.map_or(Likeness::Other, |found| likeness(sent, &found, is_amount)))
        });
        // Of a call that sent none of it, every item would be the same.
        compared.min().unwrap_or(Likeness::Other)
    }
}

/// What a list has of the call's work.
#[derive(Default)]
struct Listed {
    evidence: Evidence,
    /// One of the items is like the call in all that is known of it.
    is_there: bool,
}

impl Listed {
    fn add(&mut self, item: Json, likeness: Likeness) {
        self.is_there |= likeness == Likeness::Same;
        if likeness != Likeness::Other {
            self.evidence.seen.push(item);
        }
    }

    /// `unique`: an item that is like one call is the work of no other.
    fn found(self, unique: bool) -> Found {
        if unique && self.is_there {
            Found::Settled(self.evidence)
        } else {
            Found::Open(self.evidence)
        }
    }
}

/// How like what was sent something is, from the least.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Likeness {
    Other,
    /// The same number, in two texts of which nobody says that they are amounts: `2024.1` and `2024.10` may be two references.
    Perhaps,
    Same,
}

/// Compares letter for letter, and amounts as numbers: `10.50` is listed as `10.5` too. `007` and `7` stay two accounts: a text
/// is no amount unless it is known for one, or one of the two has a fraction or an exponent.
fn likeness(sent: &str, found: &Json, is_amount: bool) -> Likeness {
    let Some(listed) = found.plain() else {
        return Likeness::Other;
    };
    if listed == sent {
        return Likeness::Same;
    }
    let has_form = |text: &str| text.contains(['.', 'e', 'E']);
    let may_be_amounts = is_amount || has_form(sent) || has_form(&listed);
    match (amount(sent), amount(&listed)) {
        (Some(one), Some(other)) if may_be_amounts && one == other => match is_amount || found.text().is_none() {
            true => Likeness::Same,
            false => Likeness::Perhaps,
        },
        _ => Likeness::Other,
    }
}

/// An amount, exactly, as JSON has numbers: a zero or a sign before it makes an identifier of it.
fn amount(text: &str) -> Option<Decimal> {
    let whole = text.strip_prefix('-').unwrap_or(text).split(['.', 'e', 'E']).next()?;
    let is_plain = !whole.is_empty() && whole.bytes().all(|byte| byte.is_ascii_digit());
    let is_number = is_plain && (whole == "0" || !whole.starts_with('0')) && text.trim_end() == text;
    is_number.then(|| decimal(text)).flatten()
}

/// Asks by the rules of the operation.
async fn ask<C: TypedClient>(
    client: &C,
    operation: &'static Operation,
    url: url::Url,
    with: CallOptions,
) -> Result<ResponseValue<Json>, Error<Bytes>> {
    let core = client.core();
    let request = reqwest::Request::new(http::Method::GET, url);
    let response = core.execute_at(request, operation, with).await?;
    match response.status().as_u16() {
        200..=299 => ResponseValue::from_response(response).await,
        400..=599 => Err(Error::error_response(ResponseValue::as_it_came(response)?)),
        _ => Err(Error::unexpected(response)),
    }
}

/// Whether a reply has what tells of an error whatever is beside it, as the reply to the call itself is looked through for. Of one
/// that says that the matter `failed`, the reasons for that are no error.
fn tells_of_an_error(reply: &Json, operation: &Operation, lookup: &Lookup, failed: bool) -> bool {
    let state = lookup.state.and_then(|pointer| pointer.split('/').nth(1));
    let Ok(members) = reply.parse::<JsonMap>() else {
        return false;
    };
    let reasons = if failed { reasons(&members) } else { Vec::new() };
    let described = operation.reply_members.iter().copied().chain(state);
    let described: Vec<_> = described.chain(reasons).collect();
    error_beside_a_state(&members, &described).is_some()
}

/// How the names of words end that stand beside a reason.
const WORDS_OF_A_REASON: &[&str] = &["description", "message", "text"];

/// How the codes of ISO 20022 begin that say why a payment was rejected, and those that are whole. `AB`, of a payment that was
/// stopped because somebody did not answer in time, is none of them.
const REASONS_BEGIN: &[&str] = &[
    "AC", "AG", "AM", "BE", "CH", "CN", "CU", "DS", "DT", "DU", "ED", "FF", "FR", "MD", "MS", "RC", "RF", "RR", "SL",
    "TM",
];
const REASONS: &[&str] = &["CUST", "DUPL", "NARR"];

/// What words have in them of an error on the way of the reply: the state beside it is then perhaps of before.
const OF_THE_WAY: &[&str] = &[
    "cache",
    "gateway",
    "internal",
    "stale",
    "time out",
    "timed out",
    "timed-out",
    "timeout",
    "unavail",
    "upstream",
];

/// The members of an error that hold the reason of a rejection, in the codes that ISO 20022 has for it, and words beside it.
/// An error of another kind may be one of the reply, whose state is then perhaps of before: who takes it for the reason pays twice.
fn reasons(members: &JsonMap) -> Vec<&str> {
    let errors = || members.iter().filter(|(name, _)| is_of_an_error(name));
    let holds_words = |name: &str| {
        let name = name.to_ascii_lowercase();
        WORDS_OF_A_REASON.iter().any(|end| name.ends_with(end))
    };
    let mut words = members.iter().filter(|(name, _)| holds_words(name));
    if words.any(|(_, value)| is_of_the_way(value)) {
        return Vec::new();
    }
    let mut names: Vec<_> = errors()
        .filter(|(_, value)| is_a_reason(value))
        .map(|(name, _)| name)
        .collect();
    if !names.is_empty() {
        names.extend(errors().map(|(name, _)| name).filter(|name| holds_words(name)));
    }
    // Messages beside those of an error say nothing of why.
    let messages = members.iter().filter(|(name, value)| {
        let grave = grave_messages(name, value);
        !grave.is_empty() && grave.iter().all(has_a_reason)
    });
    names.extend(messages.map(|(name, _)| name));
    names
}

/// Whether a value is such a code, as `AM04`, an object that has one, or a list of them.
fn is_a_reason(value: &Json) -> bool {
    let is_one = |value: &Json| is_code_of_a_reason(value) || has_a_reason(value);
    match value.items() {
        Some(items) => !items.is_empty() && items.iter().all(is_one),
        None => is_one(value),
    }
}

fn is_code_of_a_reason(value: &Json) -> bool {
    let code = value.text().unwrap_or_default();
    let is_known = code.get(..2).is_some_and(|start| REASONS_BEGIN.contains(&start));
    let is_numbered = match code.as_bytes() {
        [_, _, first, second] => first.is_ascii_digit() && (second.is_ascii_digit() || second.is_ascii_uppercase()),
        _ => false,
    };
    is_known && is_numbered || REASONS.contains(&&*code)
}

/// Whether an object has such a code, and nothing beside it but words.
fn has_a_reason(object: &Json) -> bool {
    let Ok(members) = object.parse::<JsonMap>() else {
        return false;
    };
    let is_of_a_code = |name: &str| matches!(name, "code" | "errorCode");
    let speaks_of_it = |(name, value): (&str, &Json)| match is_of_a_code(name) {
        true => is_code_of_a_reason(value),
        false => is_blank(value) || value.text().is_some() && !is_of_the_way(value),
    };
    members.iter().any(|(name, _)| is_of_a_code(name)) && members.iter().all(speaks_of_it)
}

fn is_of_the_way(words: &Json) -> bool {
    let words = words.text().unwrap_or_default().to_lowercase();
    OF_THE_WAY.iter().any(|of_it| words.contains(of_it))
}

const NOT_TO_BE_READ: &str = "expected a list of objects that have each name once, and a text for the next page";

/// The items of a page, where it has a list of objects.
fn items_of(operation: &Operation, page: &Json) -> Option<Vec<Json>> {
    let items = page.pointer(operation.items?)?.items()?;
    let is_object = |item: &Json| item.parse::<JsonMap>().is_ok();
    items.iter().all(is_object).then_some(items)
}

/// Whether a page says in a form that is known where the next one is, or that there is none.
fn has_readable_next(lookup: &Lookup, page: &Json) -> bool {
    let Some(pointer) = lookup.next else { return true };
    let mut at = page.clone();
    for step in pointer.split('/').skip(1) {
        let members = match at.parse::<JsonMap>() {
            Ok(members) => members,
            Err(_) => return is_blank(&at) && !is_lost(page, pointer, None),
        };
        match members.json(&step.replace("~1", "/").replace("~0", "~")) {
            Some(inner) => at = inner.clone(),
            None => return !is_lost(page, pointer, None),
        }
    }
    let next = at.plain();
    match is_blank(&at) || next.as_deref().is_some_and(is_none) {
        true => !is_lost(page, pointer, None),
        false => next.is_some(),
    }
}

/// Whether the provider itself answered so, as far as that can be known: the body is one of its own.
fn is_the_providers(error: &Error<Bytes>) -> bool {
    matches!(error, Error::ErrorResponse(reply) if reply.json::<JsonMap>().is_ok())
}

impl<P: Provider> Clone for Doubt<P> {
    fn clone(&self) -> Self {
        Self {
            intent: self.intent.clone(),
            ..*self
        }
    }
}

impl<P: Provider> fmt::Debug for Doubt<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Doubt")
            .field("intent", &self.intent)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_settles_a_call_if_it_is_the_same_and_can_be_of_no_other() {
        use Likeness::{Other, Perhaps, Same};
        for (items, unique, is_settled, seen) in [
            (&[Other, Same, Perhaps][..], true, true, 2),
            (&[Same, Same], true, true, 2),
            (&[Same], false, false, 1),
            (&[Perhaps, Other], true, false, 1),
            (&[Other], true, false, 0),
            (&[], true, false, 0),
        ] {
            let mut listed = Listed::default();
            for likeness in items {
                listed.add("{}".parse().unwrap(), *likeness);
            }
            let found = listed.found(unique);
            assert_eq!(matches!(found, Found::Settled(_)), is_settled, "{items:?} {unique}");
            assert_eq!(found.evidence().seen.len(), seen, "{items:?} {unique}");
        }
    }

    #[test]
    fn amounts_are_compared_as_numbers_and_identifiers_letter_for_letter() {
        use Likeness::{Other, Perhaps, Same};
        for (sent, listed, is_amount, expected) in [
            ("10.50", r#""10.50""#, false, Same),
            ("10.50", "10.5", false, Same),
            ("10.50", "10.500", false, Same),
            ("10.50", "1.05e1", false, Same),
            ("10.00", "10", false, Same),
            ("10", "10.0", false, Same),
            ("-0.10", "-0.1", false, Same),
            ("10.50", r#""10.5""#, true, Same),
            ("10.50", r#""10.500""#, true, Same),
            ("1000", r#""1e3""#, true, Same),
            ("10.50", r#""10.5""#, false, Perhaps),
            ("2024.10", r#""2024.1""#, false, Perhaps),
            ("0e12", r#""0e34""#, false, Perhaps),
            ("10.50", "10.51", true, Other),
            ("10.50", "-10.5", true, Other),
            ("10.5", "10.50000000000000000000000000001", true, Other),
            ("7", "7", false, Same),
            ("007", r#""007""#, false, Same),
            ("007", r#""7""#, false, Other),
            ("007", "7", false, Other),
            ("007", "7.0", false, Other),
            ("007", r#""7""#, true, Other),
            ("+7", "7.0", false, Other),
            ("7 ", "7.0", false, Other),
            ("a.b", r#""a.B""#, false, Other),
            ("10.50", "null", true, Other),
            ("10.50", "[10.5]", true, Other),
            ("1.0", "true", true, Other),
            ("", r#""0.0""#, true, Other),
        ] {
            let found: Json = serde_json::from_str(listed).unwrap();
            assert_eq!(
                likeness(sent, &found, is_amount),
                expected,
                "{sent} {listed} {is_amount}"
            );
        }
    }
}
