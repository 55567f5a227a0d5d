//! Replies that come in pages, as streams.

use std::collections::{HashSet, VecDeque};
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta};
use futures_core::Stream;
use futures_util::future::BoxFuture;
use futures_util::stream::{StreamExt, TryStreamExt};
use percent_encoding::percent_decode_str;
use url::Url;

use super::error::Error;
use super::invalid_reply::{InvalidReply, Problem};
use super::operation::{KeyPlace, Operation};
use super::response::{Head, ResponseValue};
use super::unreadable::UnreadableItem;
use crate::http::is_same_origin;
use crate::value::next_page::is_none;

/// The pages of a reply, one request each, in order. See `pages()` of a call.
///
/// Ten pages in a row that have no item and name a next one are an error behind the tenth ([`Problem::EmptyPages`]), because
/// such a listing may have no end; [`resume`](Self::resume) asks for ten more. A page that was read before is not asked for
/// again ([`Problem::RepeatedPage`]), in whatever order its parameters stand.
#[must_use = "no page is asked for until `next`"]
pub struct Pages<'a, T, E> {
    state: State<'a, T, E>,
    /// The last page could not be had: there is no next one before [`resume`](Self::resume).
    failed: bool,
    /// Whether a page has an item that can be read; none: whoever reads the pages says so.
    has_items: Option<HasItems<'a, T>>,
    /// How many pages in a row had no item.
    empty: u32,
    /// Too many had none: the next thing is this, unless there is no next page.
    endless: Option<Box<InvalidReply>>,
}

/// Whether a page has an item.
type HasItems<'a, T> = Box<dyn Fn(&T) -> bool + Send + 'a>;

/// The items of all pages, in order. See `items()` of a call.
///
/// An item that cannot be read is an error of its own kind ([`Error::UnreadableItem`]) in its place, and the stream goes on
/// behind it. Every other error ends the stream, until [`resume`](Self::resume).
///
/// ```
/// # #[cfg(feature = "tatrabanka")] {
/// use finrail::tatrabanka::Client;
///
/// async fn bookings(client: &Client, account: &str) -> Result<(), finrail::AnyError> {
///     let call = client.list_transactions().account_id(account);
///     let (read, unreadable) = call.items().collect_readable().await?;
///     for item in &unreadable {
///         eprintln!("{item}"); // names the place, and no value
///     }
///     println!("{} bookings, and {} that nobody can read", read.len(), unreadable.len());
///     Ok(())
/// }
/// # }
/// ```
#[must_use = "no page is asked for until `next` or `try_collect`"]
pub struct Items<'a, T, E>(Box<dyn ItemSource<T, E> + 'a>);

impl<T, E> Pages<'_, T, E> {
    /// The next page, or `None` after the last. Items of it that cannot be read are in its
    /// [`unreadable`](ResponseValue::unreadable).
    ///
    /// # Errors
    ///
    /// As the call itself; there is no next page then, unless it is [resumed](Self::resume).
    pub async fn next(&mut self) -> Option<Result<ResponseValue<T>, Error<E>>> {
        StreamExt::next(self).await
    }

    /// Goes on after an error: the page that could not be had is asked for again.
    ///
    /// Where nothing is left that could be asked for (the link led elsewhere, or in a circle), that is an error again, and no
    /// end: the listing is not whole.
    pub fn resume(&mut self) {
        self.failed = false;
    }
}

impl<T, E> Items<'_, T, E> {
    /// The next item, or `None` after the last.
    ///
    /// # Errors
    ///
    /// [`Error::UnreadableItem`] for an item that cannot be read; the next one comes behind it. Otherwise as the call itself:
    /// there is no next item then, unless it is [resumed](Self::resume).
    pub async fn next(&mut self) -> Option<Result<T, Error<E>>> {
        StreamExt::next(self).await
    }

    /// Goes on after an error: the page that could not be had is asked for again. See [`Pages::resume`].
    pub fn resume(&mut self) {
        self.0.resume();
    }

    /// All items that are left.
    ///
    /// # Errors
    ///
    /// The first error, that of an item which cannot be read included. The items before it are given up; use
    /// [`next`](Self::next) to keep them, or [`collect_readable`](Self::collect_readable).
    pub async fn try_collect(self) -> Result<Vec<T>, Error<E>> {
        TryStreamExt::try_collect(self).await
    }

    /// All items that are left, and those that cannot be read.
    ///
    /// # Errors
    ///
    /// The first error that is not of one item alone.
    pub async fn collect_readable(mut self) -> Result<(Vec<T>, Vec<UnreadableItem>), Error<E>> {
        let (mut read, mut unreadable) = (Vec::new(), Vec::new());
        while let Some(item) = self.next().await {
            match item {
                Ok(item) => read.push(item),
                Err(Error::UnreadableItem(item)) => unreadable.push(*item),
                Err(error) => return Err(error),
            }
        }
        Ok((read, unreadable))
    }
}

/// Where the pages come from.
pub(super) trait Source<'a, T, E>: Send {
    /// The next page, and the source behind it. After an error it is asked for the same page again.
    fn fetch(self: Box<Self>) -> BoxFuture<'a, Fetched<'a, T, E>>;
    /// There is no further page.
    fn is_over(&self) -> bool;
}

pub(super) type Fetched<'a, T, E> = (Box<dyn Source<'a, T, E> + 'a>, Option<Reply<T, E>>);

enum State<'a, T, E> {
    Ready(Box<dyn Source<'a, T, E> + 'a>),
    Fetches(BoxFuture<'a, Fetched<'a, T, E>>),
    /// While one becomes the other.
    Between,
}

impl<T, E> Stream for Pages<'_, T, E> {
    type Item = Result<ResponseValue<T>, Error<E>>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.failed {
            return Poll::Ready(None);
        }
        if let State::Ready(source) = &self.state
            && !source.is_over()
            && let Some(endless) = self.endless.take()
        {
            self.failed = true;
            return Poll::Ready(Some(Err(Error::InvalidReply(endless))));
        }
        let mut fetch = match std::mem::replace(&mut self.state, State::Between) {
            State::Ready(source) => source.fetch(),
            State::Fetches(fetch) => fetch,
            // A fetch that panicked.
            State::Between => return Poll::Ready(None),
        };
        match fetch.as_mut().poll(cx) {
            Poll::Pending => {
                self.state = State::Fetches(fetch);
                Poll::Pending
            }
            Poll::Ready((source, page)) => {
                self.state = State::Ready(source);
                self.failed = matches!(page, Some(Err(_)));
                if let (Some(Ok(page)), Some(has_items)) = (&page, &self.has_items) {
                    let is_empty = page.unreadable().is_empty() && !has_items(page);
                    self.tally(page.head(), is_empty);
                }
                Poll::Ready(page)
            }
        }
    }
}

impl<T, E> Stream for Items<'_, T, E> {
    type Item = Result<T, Error<E>>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.poll_item(cx)
    }
}

impl<T, E> fmt::Debug for Pages<'_, T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pages")
    }
}

impl<T, E> fmt::Debug for Items<'_, T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Items")
    }
}

pub(super) type Reply<T, E> = Result<ResponseValue<T>, Error<E>>;

/// What comes after a page, where `N` says which one.
pub(super) enum Next<N> {
    /// A page; none: the first.
    Page(Option<N>),
    /// Nothing: that was the last one.
    End,
    /// Nothing that could be asked for, and not the end. It is told after the page that says so: its items are good.
    Nowhere(Box<Head>, Nowhere),
}

/// Why a listing cannot go on.
#[derive(Clone, Copy)]
pub(super) enum Nowhere {
    Foreign,
    OtherResource,
    Repeated,
    /// There is said to be another page, and it is not named.
    Unnamed,
}

impl Nowhere {
    pub(super) fn after<T, N>(self, page: &ResponseValue<T>) -> Next<N> {
        Next::Nowhere(Box::new(page.head().clone()), self)
    }

    fn problem(self, operation: &Operation) -> Problem {
        match self {
            Self::Unnamed => Problem::unnamed_next(operation.next.unwrap_or_default()),
            Self::Foreign => Problem::ForeignLink,
            Self::OtherResource => Problem::OtherResource,
            Self::Repeated => Problem::RepeatedPage,
        }
    }
}

/// Pages where the reply has the next value of a query parameter.
#[doc(hidden)]
pub fn cursor_pages<'a, C, T, E>(
    call: C,
    send: impl Fn(C) -> BoxFuture<'a, Reply<T, E>> + Send + 'a,
    set: impl Fn(C, String) -> C + Send + 'a,
    next: impl Fn(&T) -> Option<String> + Send + 'a,
) -> Pages<'a, T, E>
where
    C: Clone + Send + 'a,
    T: Send + 'a,
    E: Send + 'a,
{
    let mut first = None::<Query>;
    // The cursor that the call began with is known to the call alone, and shows in the URL.
    let is_first_again = move |page: &ResponseValue<T>| {
        let asked = query(page.url());
        match &first {
            None => {
                first = Some(asked);
                false
            }
            Some(first) => *first == asked,
        }
    };
    by_cursor(call, send, set, next, |_| None, is_first_again)
}

/// Pages where the reply has the next cursor, and perhaps a word on whether there is another page. `is_repeated`: the page
/// is one that came before, whatever its cursors say.
pub(super) fn by_cursor<'a, C, T, E>(
    call: C,
    send: impl Fn(C) -> BoxFuture<'a, Reply<T, E>> + Send + 'a,
    set: impl Fn(C, String) -> C + Send + 'a,
    next: impl Fn(&T) -> Option<String> + Send + 'a,
    more: impl Fn(&T) -> Option<bool> + Send + 'a,
    mut is_repeated: impl FnMut(&ResponseValue<T>) -> bool + Send + 'a,
) -> Pages<'a, T, E>
where
    C: Clone + Send + 'a,
    T: Send + 'a,
    E: Send + 'a,
{
    let mut seen = HashSet::<String>::new();
    let fetch = move |cursor: Option<String>| {
        send(match cursor {
            None => call.clone(),
            Some(cursor) => set(call.clone(), cursor),
        })
    };
    let behind = move |page: &ResponseValue<T>| {
        if is_repeated(page) {
            return Err(Nowhere::Repeated);
        }
        let is_further = more(page);
        if is_further == Some(false) {
            return Ok(Next::End);
        }
        Ok(match next(page).filter(|cursor| !is_none(cursor)) {
            None if is_further == Some(true) => Nowhere::Unnamed.after(page),
            None => Next::End,
            Some(cursor) if !seen.insert(cursor.clone()) => Nowhere::Repeated.after(page),
            Some(cursor) => Next::Page(Some(cursor)),
        })
    };
    Pages::of(Walk {
        next: Next::Page(None),
        fetch,
        behind,
    })
}

/// Pages where the reply has the next URL. `base` is the client's: no link is followed outside it. The first page is asked
/// for by the call, as often as it takes.
#[doc(hidden)]
pub fn link_pages_of<'a, C, T, E>(
    base: &Url,
    call: C,
    send: impl Fn(C) -> BoxFuture<'a, Reply<T, E>> + Send + 'a,
    follow: impl Fn(Url) -> BoxFuture<'a, Reply<T, E>> + Send + 'a,
    next: impl Fn(&T) -> Option<String> + Send + 'a,
) -> Pages<'a, T, E>
where
    C: Clone + Send + 'a,
    T: Send + 'a,
    E: Send + 'a,
{
    by_links(base, move || send(call.clone()), follow, next)
}

/// The same for a first page that is asked for once.
#[doc(hidden)]
pub fn link_pages<'a, T, E>(
    base: &Url,
    first: BoxFuture<'a, Reply<T, E>>,
    follow: impl Fn(Url) -> BoxFuture<'a, Reply<T, E>> + Send + 'a,
    next: impl Fn(&T) -> Option<String> + Send + 'a,
) -> Pages<'a, T, E>
where
    T: Send + 'a,
    E: Send + 'a,
{
    let mut first = Some(first);
    let first = move || {
        first.take().unwrap_or_else(|| {
            let again = "the first page was not read; make the call again".to_owned();
            Box::pin(std::future::ready(Err(Error::invalid_request(again))))
        })
    };
    by_links(base, first, follow, next)
}

fn by_links<'a, T, E>(
    base: &Url,
    mut first: impl FnMut() -> BoxFuture<'a, Reply<T, E>> + Send + 'a,
    follow: impl Fn(Url) -> BoxFuture<'a, Reply<T, E>> + Send + 'a,
    next: impl Fn(&T) -> Option<String> + Send + 'a,
) -> Pages<'a, T, E>
where
    T: Send + 'a,
    E: Send + 'a,
{
    let (base, mut seen) = (base.clone(), HashSet::<Query>::new());
    let mut asked = None::<Query>;
    let fetch = move |link: Option<Url>| match link {
        Some(link) => follow(link),
        None => first(),
    };
    let behind = move |page: &ResponseValue<T>| {
        let Some(link) = next(page).filter(|link| !is_none(link)) else {
            return Ok(Next::End);
        };
        let from = page.url().clone();
        // A key of the client is no part of what is asked for; a link may leave it out or mask it.
        let keys = page.head().operation.keys.iter();
        let keys: Vec<_> = keys
            .filter(|key| key.place == KeyPlace::Query)
            .map(|key| key.name)
            .collect();
        let query = |url: &Url| {
            let mut query = query(url);
            query.retain(|(name, _)| !keys.iter().any(|key| key.as_bytes() == name));
            query
        };
        let asked = asked.get_or_insert_with(|| query(&from));
        let is_whole = page.head().operation.next_is_whole;
        if seen.is_empty() {
            seen.insert(query(&from));
        }
        Ok(match link_target(&base, &from, &link) {
            None => Nowhere::Foreign.after(page),
            Some(to) if !same_resource(&from, &to) || !same_question(asked, &query(&to), is_whole) => {
                Nowhere::OtherResource.after(page)
            }
            // The resource is the same: its query alone tells one page from another.
            Some(to) if !seen.insert(query(&to)) => Nowhere::Repeated.after(page),
            Some(to) => Next::Page(Some(to)),
        })
    };
    Pages::of(Walk {
        next: Next::Page(None),
        fetch,
        behind,
    })
}

impl<'a, T, E> Pages<'a, T, E> {
    /// The same, with what tells whether a page has an item that could be read.
    #[doc(hidden)] // for generated code, which makes what users see of it
    pub fn counted(self, has_items: impl Fn(&T) -> bool + Send + 'a) -> Self {
        Self {
            has_items: Some(Box::new(has_items)),
            ..self
        }
    }

    /// A page was read, and had no item or had some.
    fn tally(&mut self, head: &Head, is_empty: bool) {
        self.empty = if is_empty { self.empty + 1 } else { 0 };
        if is_empty && head.operation.empty_page_ends {
            self.state = State::Between;
        } else if self.empty == EMPTY_PAGES {
            self.empty = 0;
            self.endless = Some(Box::new(head.invalid(Problem::EmptyPages, None)));
        }
    }

    pub(super) fn of(source: impl Source<'a, T, E> + 'a) -> Self {
        Self {
            state: State::Ready(Box::new(source)),
            failed: false,
            has_items: None,
            empty: 0,
            endless: None,
        }
    }
}

/// A walk from page to page, where `N` says which one.
pub(super) struct Walk<N, F, B> {
    pub(super) next: Next<N>,
    /// Asks for a page.
    pub(super) fetch: F,
    /// Says what comes after one. An error: it was read before, and its items are not given again.
    pub(super) behind: B,
}

impl<'a, N, F, B, T, E> Source<'a, T, E> for Walk<N, F, B>
where
    N: Clone + Send + 'a,
    F: FnMut(Option<N>) -> BoxFuture<'a, Reply<T, E>> + Send + 'a,
    B: FnMut(&ResponseValue<T>) -> Result<Next<N>, Nowhere> + Send + 'a,
    T: Send + 'a,
    E: Send + 'a,
{
    fn fetch(mut self: Box<Self>) -> BoxFuture<'a, Fetched<'a, T, E>> {
        let page = match &self.next {
            Next::Page(which) => (self.fetch)(which.clone()),
            Next::End => return Box::pin(std::future::ready((self as Box<_>, None))),
            Next::Nowhere(head, why) => {
                let error = Error::invalid_reply(head.invalid(why.problem(head.operation), None));
                return Box::pin(std::future::ready((self as Box<_>, Some(Err(error)))));
            }
        };
        let is_further = matches!(self.next, Next::Page(Some(_)));
        Box::pin(async move {
            let page = match page.await {
                // What is named as the next page and is none does not say that the one before was the last.
                Ok(page) if is_further && page.head().is_blank => Err(page.invalid(Problem::Decode {
                    path: ".".to_owned(),
                    reason: "expected the next page, and nothing is in it".to_owned(),
                })),
                page => page,
            };
            let page = match page {
                Ok(page) => page,
                Err(error) => return (self as Box<_>, Some(Err(error))),
            };
            match (self.behind)(&page) {
                Ok(next) => self.next = next,
                Err(why) => {
                    self.next = why.after(&page);
                    return self.fetch().await;
                }
            }
            (self as Box<_>, Some(Ok(page)))
        })
    }

    fn is_over(&self) -> bool {
        matches!(self.next, Next::End)
    }
}

/// The URL of a link that came from `from`, when it stays under the client's base URL: its origin and its path.
///
/// A link is opaque but for slips that banks are known to make: a quote or
/// blanks around it, a doubled `&` or one as HTML writes it, a path without the gateway's own prefix.
fn link_target(base: &Url, from: &Url, link: &str) -> Option<Url> {
    let link = link.trim().trim_matches(['"', '\'', ' ']);
    let mut link = link.replace("&amp;", "&");
    while link.contains("&&") {
        link = link.replace("&&", "&");
    }
    let prefix = base.path().trim_end_matches('/');
    let under = |url: &Url| {
        url.path()
            .strip_prefix(prefix)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    let own = |url: &Url| is_same_origin(url, base) && url.username().is_empty() && url.password().is_none();
    let to = from.join(&link).ok().filter(own)?;
    if under(&to) {
        return Some(to);
    }
    // Rooted where the API stands, not where the gateway in front of it does.
    let rooted = link.starts_with('/') && !link.starts_with("//");
    let prefixed = rooted.then(|| from.join(&format!("{prefix}{link}")).ok()).flatten();
    prefixed.filter(|url| own(url) && under(url))
}

/// The parameters of a query, in an order of their own. They are bytes: of two cursors that are no text neither passes for the
/// other.
type Query = Vec<(Vec<u8>, Vec<u8>)>;

/// What a URL asks its resource for, in whatever order it does; its fragment is not sent, and says nothing.
fn query(url: &Url) -> Query {
    let decoded = |text: &str| percent_decode_str(&text.replace('+', " ")).collect();
    let pairs = url
        .query()
        .unwrap_or_default()
        .split('&')
        .filter(|pair| !pair.is_empty());
    let mut pairs: Query = pairs
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| (decoded(name), decoded(value)))
        .collect();
    pairs.sort();
    pairs
}

/// Whether a link leads to the resource that was asked for: its query alone may be another one. Where it leads elsewhere, a
/// listing would end as if it were whole, or go on with somebody else's items.
fn same_resource(asked: &Url, next: &Url) -> bool {
    let segments = |url: &Url| -> Vec<Vec<u8>> {
        let path = url.path().trim_end_matches('/');
        path.split('/')
            .map(|segment| percent_decode_str(segment).collect())
            .collect()
    };
    segments(asked) == segments(next)
}

/// Names of parameters that say which page it is, or how large: without `_`, `-` and what is in brackets.
const OF_A_PAGE: &[&str] = &[
    "limit",
    "offset",
    "page",
    "pagesize",
    "perpage",
    "itemsperpage",
    "size",
    "count",
    "start",
    "skip",
    "first",
    "top",
    "pagenumber",
    "pageindex",
];

/// Names of parameters that say where a listing goes on, in a word of the provider's own, and how others end: not `dateFrom`,
/// which says what is asked for.
const OF_A_PLACE: &[&str] = &["after", "before", "from", "next", "startingafter", "endingbefore"];
const END_AS_A_PLACE: &[&str] = &["cursor", "token", "marker", "continuation", "referencefrom", "idfrom"];
/// Those of them that are such a word, though it may have nothing but digits.
const ARE_WORDS: &[&str] = &["cursor", "token"];

/// How the names of those end whose values are words of the provider's own, which may be written in letters of the other case. In
/// any other each letter counts: `abc` and `ABC` may be two customers.
const ARE_OF_AN_ENUM: &[&str] = &[
    "status",
    "state",
    "type",
    "kind",
    "direction",
    "sort",
    "sortorder",
    "currency",
];

/// Whether a link asks for more of what the call asked for: every parameter that the call set and that is none of paging
/// stands in it as the call has it, in whatever way the value is written, and something else is asked for, which tells its page from the first. Where the link says
/// with a word of the provider's own where to go on, or `is_whole` (as the provider documents), it may leave them out, because
/// the word stands for them; it may not change them.
fn same_question(asked: &Query, next: &Query, is_whole: bool) -> bool {
    let values_of = |query: &Query, name: &[u8]| -> Vec<Vec<u8>> {
        let named = query.iter().filter(|(other, _)| plain_name(other) == name);
        named
            .map(|(_, value)| value.clone())
            .filter(|value| !value.is_empty())
            .collect()
    };
    // One that asks for nothing else leads to the page that was asked for, or to what its filters kept out of it.
    let is_new = |(name, value): &(Vec<u8>, Vec<u8>)| {
        let was_asked =
            |(set, before): &(Vec<u8>, Vec<u8>)| plain_name(set) == plain_name(name) && is_same(name, before, value);
        !value.is_empty() && !asked.iter().any(was_asked)
    };
    let is_new_place = |pair: &(Vec<u8>, Vec<u8>)| {
        // A number may count pages or days, but for one whose name says what it is.
        let is_word = !pair.1.iter().all(u8::is_ascii_digit) || ends_in(&pair.0, ARE_WORDS);
        is_word && is_of_a_place(&pair.0) && is_new(pair)
    };
    if asked != next && !next.iter().any(is_new) {
        return false;
    }
    let may_leave_out = is_whole || next.iter().any(is_new_place);
    asked.iter().filter(|(name, _)| !is_of_paging(name)).all(|(name, _)| {
        let name = plain_name(name);
        let (before, now) = (values_of(asked, &name), values_of(next, &name));
        let is_in = |value: &Vec<u8>, others: &[Vec<u8>]| others.iter().any(|other| is_same(&name, value, other));
        before.len() == now.len()
            && before.iter().all(|value| is_in(value, &now))
            && now.iter().all(|value| is_in(value, &before))
            || now.is_empty() && may_leave_out
    })
}

fn is_of_paging(name: &[u8]) -> bool {
    let plain = plain_name(name);
    OF_A_PAGE.iter().any(|of_page| of_page.as_bytes() == plain) || is_of_a_place(name)
}

fn is_of_a_place(name: &[u8]) -> bool {
    let plain = plain_name(name);
    OF_A_PLACE.iter().any(|place| place.as_bytes() == plain) || ends_in(name, END_AS_A_PLACE)
}

fn ends_in(name: &[u8], ends: &[&str]) -> bool {
    let plain = plain_name(name);
    ends.iter().any(|end| plain.ends_with(end.as_bytes()))
}

/// Whether two values of a parameter are one. A word of an enum may be written in letters of the other case.
fn is_same(name: &[u8], one: &[u8], other: &[u8]) -> bool {
    let is_word = one
        .iter()
        .all(|byte| byte.is_ascii_alphabetic() || matches!(byte, b'_' | b'-'));
    let may_differ = is_word && !is_of_paging(name) && (ends_in(name, ARE_OF_AN_ENUM) || plain_name(name) == b"order");
    is_same_value(one, other) || may_differ && one.eq_ignore_ascii_case(other)
}

/// Whether two values are one, perhaps written otherwise: as a number with fewer zeros at its end, or as a time in another
/// zone, of a day without its hour.
fn is_same_value(one: &[u8], other: &[u8]) -> bool {
    let (Ok(first), Ok(second)) = (std::str::from_utf8(one), std::str::from_utf8(other)) else {
        return one == other;
    };
    let numbers = || Some(number(first)? == number(second)?);
    let times = || {
        let ((first, zone), (second, other)) = (time(first)?, time(second)?);
        Some(match (zone, other) {
            (Some(zone), Some(other)) => first - zone == second - other,
            // Of which zone one of them is, nobody says.
            _ => first == second,
        })
    };
    first == second || numbers() == Some(true) || times() == Some(true)
}

/// A number that is an amount or a count, as its digits without the zeros at its end, and whether it is below zero: of those
/// none is rounded. What begins with a zero may be somebody's id, in which each digit counts.
fn number(text: &str) -> Option<(bool, &str, &str)> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let unsigned = whole.strip_prefix('-').unwrap_or(whole);
    let is_plain = digits(unsigned) && digits(fraction) && (unsigned == "0" || !unsigned.starts_with('0'));
    let fraction = fraction.trim_end_matches('0');
    let is_zero = unsigned == "0" && fraction.is_empty();
    is_plain.then_some((whole != unsigned && !is_zero, unsigned, fraction))
}

/// A day or a time, and how far its zone is from UTC, where it says so.
fn time(text: &str) -> Option<(NaiveDateTime, Option<TimeDelta>)> {
    if let Ok(day) = text.parse::<NaiveDate>() {
        return Some((day.and_time(NaiveTime::MIN), None));
    }
    // A sign that was not written as a query wants it is a blank.
    let (start, end) = text.split_at_checked(11)?;
    let text = format!("{start}{}", end.replace(' ', "+"));
    match DateTime::parse_from_rfc3339(&text) {
        Ok(at) => {
            let zone = TimeDelta::seconds(at.offset().local_minus_utc().into());
            Some((at.naive_local(), Some(zone)))
        }
        Err(_) => Some((text.parse().ok()?, None)),
    }
}

/// A parameter's name as it is compared: `roles[0]` and `roles[]` are one, and so are `page_size` and `pageSize`.
fn plain_name(name: &[u8]) -> Vec<u8> {
    let end = name.iter().position(|byte| *byte == b'[');
    let is_index = |inner: &[u8]| {
        inner
            .strip_suffix(b"]")
            .is_some_and(|inner| inner.iter().all(u8::is_ascii_digit))
    };
    let end = end.filter(|end| is_index(&name[end + 1..])).unwrap_or(name.len());
    let letters = name[..end].iter().filter(|byte| !matches!(byte, b'_' | b'-'));
    letters.map(u8::to_ascii_lowercase).collect()
}

/// How many pages without an item may follow one another.
const EMPTY_PAGES: u32 = 10;

/// Where items come from.
trait ItemSource<T, E>: Send {
    fn poll_item(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<T, Error<E>>>>;
    fn resume(&mut self);
}

struct ItemsOf<'a, P, T, E> {
    pages: Pages<'a, P, E>,
    /// What the page that was read last still has.
    ready: VecDeque<Result<T, Error<E>>>,
    take: Box<dyn Fn(P) -> Vec<T> + Send + 'a>,
}

impl<P, T, E> ItemsOf<'_, P, T, E> {
    /// The items of a page in their order, those that cannot be read in their places.
    fn fill(&mut self, mut page: ResponseValue<P>) {
        let mut unreadable = page.take_unreadable().into_iter().peekable();
        let ResponseValue { inner, head, .. } = page;
        let mut items = (self.take)(inner).into_iter();
        loop {
            let position = self.ready.len();
            match unreadable.next_if(|item| item.position <= position) {
                Some(item) => self.ready.push_back(Err(Error::UnreadableItem(Box::new(item)))),
                None => match items.next() {
                    Some(item) => self.ready.push_back(Ok(item)),
                    None => break,
                },
            }
        }
        if self.pages.has_items.is_none() {
            self.pages.tally(&head, self.ready.is_empty());
        }
    }
}

impl<P: Send, T: Send, E: Send> ItemSource<T, E> for ItemsOf<'_, P, T, E> {
    fn poll_item(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<T, Error<E>>>> {
        loop {
            if let Some(item) = self.ready.pop_front() {
                return Poll::Ready(Some(item));
            }
            match std::task::ready!(Pin::new(&mut self.pages).poll_next(cx)) {
                None => return Poll::Ready(None),
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                Some(Ok(page)) => self.fill(page),
            }
        }
    }

    fn resume(&mut self) {
        self.pages.resume();
    }
}

/// The items of pages.
#[doc(hidden)]
pub fn items<'a, P, T, E>(pages: Pages<'a, P, E>, take: impl Fn(P) -> Vec<T> + Send + 'a) -> Items<'a, T, E>
where
    P: Send + 'a,
    T: Send + 'a,
    E: Send + 'a,
{
    Items(Box::new(ItemsOf {
        pages,
        ready: VecDeque::new(),
        take: Box::new(take),
    }))
}

#[cfg(test)]
pub(super) mod tests {
    use std::sync::{Arc, Mutex};

    use super::super::invalid_reply::RawBody;
    use super::super::machine::Answer;
    use super::super::operation::{Key, Operation};
    use super::super::response::Head;
    use super::super::secrets::KnownSecrets;
    use super::*;

    static OPERATION: Operation = Operation {
        id: "list_items",
        ..Operation::BASE
    };
    const BASE: &str = "https://api.bank.example/v1";

    /// The items of a page, and where the next one is.
    type Page = (Vec<u8>, Option<&'static str>);
    /// What was asked for, in order.
    type Asked = Arc<Mutex<Vec<String>>>;

    fn reply(url: &str, page: Option<Page>) -> BoxFuture<'static, Reply<Page, ()>> {
        reply_of(&OPERATION, url, page)
    }

    pub(in super::super) fn reply_of<T: Send + 'static>(
        operation: &'static Operation,
        url: &str,
        page: Option<T>,
    ) -> BoxFuture<'static, Reply<T, ()>> {
        let head = Head {
            provider: "",
            operation,
            status: http::StatusCode::OK,
            headers: http::HeaderMap::new(),
            url: url.parse().unwrap(),
            sent_id: None,
            answer: Answer {
                status: 200,
                proof: None,
                names_token: false,
                asked: None,
            },
            repeatable: true,
            in_doubt: false,
            asked_again: false,
            not_renewed: None,
            keeps_body: false,
            is_blank: false,
            code: None,
            secrets: KnownSecrets::default(),
        };
        let reply = page.map(|inner| ResponseValue {
            inner,
            head: Box::new(head),
            unreadable: Vec::new(),
            raw: None,
        });
        Box::pin(async move { reply.ok_or_else(|| Error::invalid_request("no such page".to_owned())) })
    }

    #[tokio::test]
    async fn a_page_without_items_is_the_last_one_where_the_specification_says_so_and_there_alone() {
        static ENDING: Operation = Operation {
            empty_page_ends: true,
            ..OPERATION
        };
        for (operation, expected) in [(&ENDING, vec![1]), (&OPERATION, vec![1, 3])] {
            let page = |cursor: &str| match cursor {
                "first" => (vec![1], Some("second")),
                "second" => (vec![], Some("third")),
                _ => (vec![3], None),
            };
            let send = move |cursor: String| {
                let url = format!("{BASE}/items?cursor={cursor}");
                reply_of(operation, &url, Some(page(&cursor)))
            };
            let next = |(_, next): &Page| next.map(str::to_owned);
            let pages = cursor_pages("first".to_owned(), send, |_, cursor| cursor, next);
            let mut items = items(pages, |(items, _)| items);
            let mut read = Vec::new();
            while let Some(item) = items.next().await {
                read.push(item.unwrap());
            }
            assert_eq!(read, expected);
            assert!(items.next().await.is_none(), "the end stays the end");
            // Of the pages too, where they know what is an item.
            for counted in [true, false] {
                let mut pages = cursor_pages("first".to_owned(), send, |_, cursor| cursor, next);
                if counted {
                    pages = pages.counted(has_items);
                }
                let mut read = 0;
                while let Some(page) = pages.next().await {
                    page.unwrap();
                    read += 1;
                }
                assert_eq!(read, if counted && operation.empty_page_ends { 2 } else { 3 });
                assert!(pages.next().await.is_none(), "the end stays the end");
            }
        }
    }

    #[tokio::test]
    async fn a_key_of_the_client_is_no_part_of_what_a_link_asks_for() {
        static KEYED: Operation = Operation {
            keys: &[
                Key {
                    place: KeyPlace::Query,
                    name: "key",
                    ..Key::BASE
                },
                Key {
                    name: "X-App",
                    ..Key::BASE
                },
            ],
            ..OPERATION
        };
        for (link, is_followed) in [
            ("?customer=a&offset=1", true),
            ("?customer=a&key=***&offset=1", true),
            ("?customer=b&key=k&offset=1", false),
            ("?key=k&offset=1", false),
        ] {
            let page = move |url: Url| {
                let is_first = !url.as_str().contains("offset");
                let page = if is_first {
                    (vec![1], Some(link))
                } else {
                    (vec![2], None)
                };
                reply_of(&KEYED, url.as_str(), Some(page))
            };
            let first = page(format!("{BASE}/items?customer=a&key=k").parse().unwrap());
            let pages = link_pages(&BASE.parse().unwrap(), first, page, |(_, next): &Page| {
                next.map(str::to_owned)
            });
            let (items, problem) = read(pages).await;
            assert_eq!(
                (items.len(), problem.is_none()),
                (1 + usize::from(is_followed), is_followed),
                "{link}"
            );
        }
    }

    fn has_items((items, _): &Page) -> bool {
        !items.is_empty()
    }

    #[tokio::test]
    async fn of_all_items_those_that_cannot_be_read_are_told_apart() {
        let unreadable = |position| UnreadableItem {
            operation: OPERATION.id,
            status: http::StatusCode::OK,
            request_id: None,
            position,
            path: String::new(),
            reason: String::new(),
            raw: RawBody("x".into()),
        };
        let pages = |page: &'static str| {
            let send = move |cursor: String| async move {
                let next = (cursor == "first").then_some("second");
                let page = (cursor == "first" || page == "readable").then_some((vec![1, 2], next));
                let mut reply = reply(&format!("{BASE}/items?cursor={cursor}"), page).await?;
                reply.unreadable = vec![unreadable(1)];
                Ok(reply)
            };
            let send = move |cursor: String| -> BoxFuture<'static, Reply<Page, ()>> { Box::pin(send(cursor)) };
            let next = |(_, next): &Page| next.map(str::to_owned);
            items(
                cursor_pages("first".to_owned(), send, |_, cursor| cursor, next),
                |(items, _)| items,
            )
        };
        let (read, unreadable) = pages("readable").collect_readable().await.unwrap();
        assert_eq!((read, unreadable.len()), (vec![1, 2, 1, 2], 2));
        assert!(pages("refused").collect_readable().await.is_err());
    }

    #[tokio::test]
    async fn a_next_page_with_nothing_in_it_is_an_error_and_a_first_one_is_none() {
        for (blank, expected) in [("first", vec![true, true]), ("b", vec![true, false])] {
            let send = move |cursor: String| async move {
                let next = (cursor == "first").then_some("b");
                let page = reply(&format!("{BASE}/items?cursor={cursor}"), Some((vec![], next)));
                let mut page = page.await?;
                page.head.is_blank = cursor == blank;
                Ok(page)
            };
            let send = move |cursor: String| -> BoxFuture<'static, Reply<Page, ()>> { Box::pin(send(cursor)) };
            let next = |(_, next): &Page| next.map(str::to_owned);
            let pages = cursor_pages("first".to_owned(), send, |_, cursor| cursor, next);
            let read: Vec<_> = pages.map(|page| page.is_ok()).collect().await;
            assert_eq!(read, expected, "{blank}");
        }
    }

    /// The pages of a provider that says the value of `cursor` for the next one.
    fn by_cursor(asked: &Asked, page: impl Fn(&str) -> Option<Page> + Send + 'static) -> Pages<'static, Page, ()> {
        let asked = Arc::clone(asked);
        let send = move |cursor: String| {
            asked.lock().unwrap().push(cursor.clone());
            reply(&format!("{BASE}/items?cursor={cursor}"), page(&cursor))
        };
        cursor_pages(
            "first".to_owned(),
            send,
            |_, cursor| cursor,
            |(_, next)| next.map(str::to_owned),
        )
    }

    /// The pages of a provider that says the URL of the next one. The first is `/v1/items`.
    fn by_link(asked: &Asked, page: impl Fn(&str) -> Option<Page> + Send + 'static) -> Pages<'static, Page, ()> {
        let asked = Arc::clone(asked);
        let fetch = move |url: Url| {
            asked.lock().unwrap().push(url.to_string());
            reply(url.as_str(), page(url.as_str()))
        };
        let first = fetch(format!("{BASE}/items").parse().unwrap());
        link_pages(&BASE.parse().unwrap(), first, fetch, |(_, next)| {
            next.map(str::to_owned)
        })
    }

    /// The items that came, and the problem that ended them.
    async fn read(pages: Pages<'_, Page, ()>) -> (Vec<u8>, Option<Problem>) {
        let mut items = items(pages, |(items, _)| items);
        let mut found = Vec::new();
        while let Some(item) = items.next().await {
            match item {
                Ok(item) => {
                    found.push(item);
                    assert!(found.len() < 10, "there is no end");
                }
                Err(Error::InvalidReply(reply)) => {
                    assert!(items.next().await.is_none(), "the first error is the end");
                    return (found, Some(reply.problem));
                }
                Err(other) => panic!("{other:?}"),
            }
        }
        (found, None)
    }

    #[test]
    fn a_link_asks_for_more_of_what_the_call_asked_for() {
        let of = |text: &str| query(&format!("{BASE}/items?{text}").parse().unwrap());
        for (asked, next, is_same, is_same_where_links_are_whole) in [
            ("", "offset=1", true, true),
            ("customer=a", "customer=a&offset=1", true, true),
            ("customer=a&limit=5", "offset=1&customer=a", true, true),
            ("customer=a", "offset=1", false, true),
            ("customer=a", "page=2", false, true),
            ("customer=a", "customer=b&offset=1", false, false),
            ("customer=a", "customer=a&customer=b&offset=1", false, false),
            ("customer=a", "customer=&offset=1", false, true),
            ("customer=a", "status=failed&offset=1", false, true),
            ("customer=", "offset=1", true, true),
            // With a word of the provider's own, which stands for the filters.
            ("customer=a", "cursor=x7", true, true),
            ("customer=a", "page_token=x7", true, true),
            ("customer=a", "cursor=x7&customer=b", false, false),
            ("customer=a", "cursor=7", true, true),
            ("customer=a", "page_token=123456", true, true),
            ("customer=a", "after=7", false, true),
            ("customer=a&cursor=7", "cursor=7", false, false),
            // Written otherwise.
            (
                "dateFrom=2026-10-01",
                "dateFrom=2026-10-01T00:00:00Z&page=2",
                true,
                true,
            ),
            (
                "dateFrom=2026-10-01",
                "dateFrom=2026-10-01T00:00:00.000&page=2",
                true,
                true,
            ),
            (
                "dateFrom=2026-10-01",
                "dateFrom=2026-10-01T00:00:01Z&page=2",
                false,
                false,
            ),
            ("dateFrom=2026-10-01", "dateFrom=2026-10-01T00:00:00Z", false, false),
            (
                "at.gte=2026-10-01T10:00:00Z",
                "at.gte=2026-10-01T10:00:00.000Z&page=2",
                true,
                true,
            ),
            (
                "at.gte=2026-10-01T10:00:00Z",
                "at.gte=2026-10-01T10:00:00%2B00:00&page=2",
                true,
                true,
            ),
            (
                "at.gte=2026-10-01T10:00:00Z",
                "at.gte=2026-10-01T12:00:00+02:00&page=2",
                true,
                true,
            ),
            (
                "at.gte=2026-10-01T10:00:00Z",
                "at.gte=2026-10-01T10:00:00%2B02:00&page=2",
                false,
                false,
            ),
            ("amountFrom=10.0", "amountFrom=10&page=2", true, true),
            ("status=booked", "status=BOOKED&page=2", true, true),
            ("status=booked", "status=PENDING&page=2", false, false),
            ("status=booked", "status=BOOKED", false, false),
            ("accountId=ab", "accountId=AB&page=2", false, false),
            ("customer=abc", "customer=ABC&offset=1", false, false),
            ("paymentOrder=abc", "paymentOrder=ABC&offset=1", false, false),
            ("order=asc", "order=ASC&page=2", true, true),
            ("q=abc", "q=ABC&offset=1", false, false),
            ("consentState=new", "consentState=NEW&page=2", true, true),
            ("type[]=new", "type[]=NEW&page=2", true, true),
            ("accountId=a1", "accountId=A1&page=2", false, false),
            ("amountFrom=10.0", "amountFrom=10.00&page=2", true, true),
            ("amountFrom=10.0", "amountFrom=10.01&page=2", false, false),
            (
                "amountFrom=1.23456789012345678901234567891",
                "amountFrom=1.23456789012345678901234567892&page=2",
                false,
                false,
            ),
            ("amountFrom=-0", "amountFrom=0.0&page=2", true, true),
            ("amountFrom=-1", "amountFrom=1&page=2", false, false),
            ("customer=7", "customer=007&page=2", false, false),
            // What is no number: a zero at its end counts.
            ("customer=a", "customer=a.0&page=2", false, false),
            ("customer=a.5", "customer=a.50&page=2", false, false),
            ("customer=10.a", "customer=10.a0&page=2", false, false),
            ("customer=007", "customer=007.0&page=2", false, false),
            // Nor a text.
            ("customer=%FE", "customer=%FE&page=2", true, true),
            ("customer=%FE", "customer=%FF&page=2", false, false),
            ("id=1&id=2", "id=1&id=1&page=2", false, false),
            ("customer=a", "entryReferenceFrom=x7", true, true),
            ("dateFrom=2026-10-01", "dateFrom=2026-10-02&page=2", false, false),
            ("dateFrom=2026-10-01", "page=2", false, true),
            ("customer=a&cursor=x7", "cursor=x7", false, false),
            // Without anything that tells one page from another.
            ("customer=a", "", false, false),
            ("customer=a", "page=", false, false),
            ("limit=5", "", false, false),
            ("limit=5&page=1", "limit=5", false, false),
            ("", "", true, true),
            ("limit=5", "limit=5", true, true),
            ("customer=a&cursor=x7", "cursor=x8", true, true),
            // The word is the one that was asked with: it stands for nothing new.
            ("customer=a&cursor=x7", "cursor=x7&page=2", false, true),
            // In another form.
            ("roles[]=a&roles[]=b", "roles[1]=b&roles[0]=a&page=2", true, true),
            ("roles[]=a&roles[]=b", "roles[0]=a&page=2", false, false),
            ("at[gte]=1", "at[lte]=1&page=2", false, true),
        ] {
            for (is_whole, is_same) in [(false, is_same), (true, is_same_where_links_are_whole)] {
                let same = same_question(&of(asked), &of(next), is_whole);
                assert_eq!(same, is_same, "{asked} {next} {is_whole}");
            }
        }
    }

    #[tokio::test]
    async fn pages_are_asked_for_one_by_one_until_there_is_no_next_one() {
        for end in [None, Some(""), Some(" \n"), Some("\u{a0}")] {
            let asked = Asked::default();
            let pages = by_cursor(&asked, move |cursor| match cursor {
                "first" => Some((vec![1, 2], Some("b"))),
                "b" => Some((vec![], Some("c"))),
                _ => Some((vec![3], end)),
            });
            assert!(
                asked.lock().unwrap().is_empty(),
                "no page is asked for before it is read"
            );
            assert!(matches!(read(pages).await, (items, None) if items == [1, 2, 3]));
            assert_eq!(*asked.lock().unwrap(), ["first", "b", "c"]);
        }
        for end in [None, Some(" ")] {
            let asked = Asked::default();
            let pages = by_link(&asked, move |url| match url {
                "https://api.bank.example/v1/items" => Some((vec![1, 2], Some("?page=2"))),
                "https://api.bank.example/v1/items?page=2" => Some((vec![3], Some("/items?page=3"))),
                _ => Some((vec![4], end)),
            });
            assert!(matches!(read(pages).await, (items, None) if items == [1, 2, 3, 4]));
            let expected = ["", "?page=2", "?page=3"].map(|query| format!("{BASE}/items{query}"));
            assert_eq!(*asked.lock().unwrap(), expected);
        }
    }

    #[tokio::test]
    async fn a_page_that_was_read_is_not_asked_for_again_and_its_items_are_good() {
        let asked = Asked::default();
        let pages = by_cursor(&asked, |cursor| match cursor {
            "first" => Some((vec![1], Some("b"))),
            _ => Some((vec![2], Some("b"))),
        });
        assert!(matches!(read(pages).await, (items, Some(Problem::RepeatedPage)) if items == [1, 2]));
        assert_eq!(asked.lock().unwrap().len(), 2);
        // The cursor that the call began with is seen in the URL, at once or later.
        for (second, items_read) in [("first", vec![1]), ("b", vec![1, 2])] {
            let asked = Asked::default();
            let pages = by_cursor(&asked, move |cursor| match cursor {
                "first" => Some((vec![1], Some(second))),
                _ => Some((vec![2], Some("first"))),
            });
            assert!(matches!(read(pages).await, (items, Some(Problem::RepeatedPage)) if items == items_read));
            assert_eq!(asked.lock().unwrap().len(), items_read.len() + 1);
        }
        for back in [
            "https://api.bank.example/v1/items",
            "?page=2",
            "?page=2#7",
            "?#page=2",
            "/items?page=2&",
            "?p%61ge=2",
            "/v1/%69tems?page=2",
        ] {
            let asked = Asked::default();
            let pages = by_link(&asked, move |url| {
                let is_first = url == "https://api.bank.example/v1/items";
                Some(if is_first {
                    (vec![1], Some("?page=2"))
                } else {
                    (vec![2], Some(back))
                })
            });
            assert!(matches!(read(pages).await, (items, Some(Problem::RepeatedPage)) if items == [1, 2]));
            assert_eq!(asked.lock().unwrap().len(), 2, "{back}");
        }
        // Fragments are not sent, however many there are, and an order of parameters says nothing.
        let asked = Asked::default();
        let pages = by_link(&asked, |url| {
            let next: &'static str = format!("?a=1&o=1&o=%20#{}", url.len()).leak();
            Some((vec![1], Some(if url.contains("?a=1") { "?o=+&o=1&a=1" } else { next })))
        });
        assert!(matches!(read(pages).await, (items, Some(Problem::RepeatedPage)) if items == [1, 1]));
        assert_eq!(asked.lock().unwrap().len(), 2);
    }

    #[tokio::test]
    async fn cursors_that_alternate_end_and_those_that_only_look_alike_do_not() {
        for (first, second, third, expected) in [("a", "b", "a", vec![1, 2, 3]), ("a", "a", "a", vec![1, 2])] {
            let asked = Asked::default();
            let pages = by_cursor(&asked, move |cursor| {
                Some(match cursor {
                    "first" => (vec![1], Some(first)),
                    "a" => (vec![2], Some(second)),
                    _ => (vec![3], Some(third)),
                })
            });
            let (items, problem) = read(pages).await;
            assert!(matches!(problem, Some(Problem::RepeatedPage)), "{problem:?}");
            assert_eq!((items, asked.lock().unwrap().len()), (expected.clone(), expected.len()));
        }
        // Cursors of bytes that are no text, and of signs that mean something in a query.
        let pages = by_link(&Asked::default(), |url| {
            let (_, cursor) = url.split_once('=').unwrap_or_default();
            let cursors = ["", "%FE", "%FF", "%2B", "+", "A", "a", "%26", "a%3D"];
            let at = cursors.iter().position(|known| *known == cursor).unwrap();
            let next = cursors.get(at + 1).map(|next| &*format!("?c={next}").leak());
            Some((vec![1], next))
        });
        assert!(matches!(read(pages).await, (items, None) if items.len() == 9));
    }

    #[tokio::test]
    async fn a_link_to_elsewhere_ends_the_pages_after_the_one_that_has_it() {
        let asked = Asked::default();
        let pages = by_link(&asked, |_| Some((vec![1], Some("https://evil.example/items"))));
        assert!(matches!(read(pages).await, (items, Some(Problem::ForeignLink)) if items == [1]));
        assert_eq!(asked.lock().unwrap().len(), 1);
    }

    #[tokio::test]
    async fn a_link_to_another_resource_ends_the_pages_after_the_one_that_has_it() {
        for (link, goes_on) in [
            ("?page=2", true),
            ("/v1/items/?page=2", true),
            ("/v1/%69tems?page=2", true),
            ("/items?page=2", true),
            ("/v1/accounts?page=2", false),
            ("/v1/items/7?page=2", false),
            ("/v1?page=2", false),
            ("items%2f7?page=2", false),
            ("ITEMS?page=2", false),
            ("more?page=2", false),
        ] {
            let asked = Asked::default();
            let pages = by_link(&asked, move |url| match url.contains("page=2") {
                false => Some((vec![1], Some(link))),
                true => Some((vec![2], None)),
            });
            let (items, problem) = read(pages).await;
            let is_other = matches!(problem, Some(Problem::OtherResource));
            assert_eq!((items.len() == 2, is_other), (goes_on, !goes_on), "{link}: {problem:?}");
        }
    }

    #[tokio::test]
    async fn ten_pages_without_an_item_in_a_row_are_an_error_and_fewer_are_none() {
        for (empty, is_error) in [(9, false), (10, true)] {
            let asked = Asked::default();
            let counted = Arc::new(Mutex::new(0));
            let pages = by_cursor(&asked, move |_| {
                let mut count = counted.lock().unwrap();
                *count += 1;
                let cursor: &'static str = format!("c{count}").leak();
                // Empty ones, one item, and the same again.
                let items = if *count % (empty + 1) == 0 { vec![1] } else { vec![] };
                Some((items, Some(cursor).filter(|_| *count < 2 * (empty + 1))))
            });
            let (items, problem) = read(pages).await;
            assert_eq!(items.len(), if is_error { 0 } else { 2 });
            assert_eq!(asked.lock().unwrap().len(), if is_error { 10 } else { 20 });
            assert_eq!(matches!(problem, Some(Problem::EmptyPages)), is_error, "{problem:?}");
        }
        // An item in between begins the count anew, wherever it stands.
        for (before, after, is_error) in [(5, 9, false), (9, 9, false), (9, 10, false), (9, 11, true)] {
            let counted = Arc::new(Mutex::new(0));
            let pages = by_cursor(&Asked::default(), move |_| {
                let mut count = counted.lock().unwrap();
                *count += 1;
                let cursor: &'static str = format!("c{count}").leak();
                let items = if *count == before + 1 { vec![1] } else { vec![] };
                Some((items, Some(cursor).filter(|_| *count < before + 1 + after)))
            });
            let (items, problem) = read(pages).await;
            assert_eq!(items, [1]);
            assert_eq!(
                matches!(problem, Some(Problem::EmptyPages)),
                is_error,
                "{before} {after}: {problem:?}"
            );
        }
    }

    #[tokio::test]
    async fn pages_without_an_item_are_counted_where_nobody_asks_for_items_too() {
        let counted = Arc::new(Mutex::new(0));
        let asked = Asked::default();
        let endless = by_cursor(&asked, move |_| {
            let mut count = counted.lock().unwrap();
            *count += 1;
            let cursor: &'static str = format!("c{count}").leak();
            Some((vec![], Some(cursor).filter(|_| *count < 25)))
        });
        let mut pages = endless.counted(has_items);
        for expected in [10, 20] {
            let error = loop {
                match pages.next().await.unwrap() {
                    Ok(page) => assert!(page.0.is_empty()),
                    Err(error) => break error,
                }
            };
            assert!(matches!(&error, Error::InvalidReply(reply) if matches!(reply.problem, Problem::EmptyPages)));
            assert_eq!(
                asked.lock().unwrap().len(),
                expected,
                "it is told before more is asked for"
            );
            assert!(pages.next().await.is_none());
            pages.resume();
        }
        // And on to the end.
        let left: Vec<bool> = pages.map(|page| page.is_ok()).collect().await;
        assert_eq!((left, asked.lock().unwrap().len()), (vec![true; 5], 25));
        // The items of pages that are counted, and those of pages that are not.
        for is_counted in [true, false] {
            let asked = Asked::default();
            let pages = by_link(&asked, |url| {
                let (_, page) = url.split_once("?page=").unwrap_or(("", "0"));
                let next: &'static str = format!("?page={}", page.parse::<u32>().unwrap() + 1).leak();
                Some((vec![], Some(next)))
            });
            let pages = if is_counted { pages.counted(has_items) } else { pages };
            let (_, problem) = read(pages).await;
            assert!(matches!(problem, Some(Problem::EmptyPages)), "{problem:?}");
            assert_eq!(asked.lock().unwrap().len(), 10);
        }
    }

    #[tokio::test]
    async fn pages_and_items_are_streams_that_end_with_the_first_error() {
        let fails_at = |at: &'static str| {
            move |cursor: &str| match cursor {
                cursor if cursor == at => None,
                "first" => Some((vec![1, 2], Some("b"))),
                _ => Some((vec![3], None)),
            }
        };
        let pages = |at| by_cursor(&Asked::default(), fails_at(at));
        let counted: Vec<bool> = pages("b").map(|page| page.is_ok()).collect().await;
        assert_eq!(counted, [true, false]);
        let mut one_by_one = pages("never");
        let first = one_by_one.next().await.and_then(Result::ok);
        assert_eq!(first.map(|page| page.into_inner().0), Some(vec![1, 2]));
        assert!(one_by_one.next().await.is_some() && one_by_one.next().await.is_none());
        let items_of = |at| items(pages(at), |(items, _)| items);
        let streamed: Vec<Option<u8>> = items_of("b").map(Result::ok).collect().await;
        assert_eq!(streamed, [Some(1), Some(2), None]);
        assert_eq!(items_of("never").try_collect().await.ok(), Some(vec![1, 2, 3]));
        assert!(items_of("b").try_collect().await.is_err());
    }

    #[tokio::test]
    async fn after_an_error_the_page_that_could_not_be_had_is_asked_for_again() {
        let asked = Asked::default();
        let fails = Arc::new(Mutex::new(2));
        let left = Arc::clone(&fails);
        let pages = by_cursor(&asked, move |cursor| match cursor {
            "first" => Some((vec![1], Some("b"))),
            "b" if *left.lock().unwrap() > 0 => {
                *left.lock().unwrap() -= 1;
                None
            }
            "b" => Some((vec![2], Some("c"))),
            _ => Some((vec![3], None)),
        });
        let mut items = items(pages, |(items, _)| items);
        let mut found = Vec::new();
        for failures in [1, 2] {
            loop {
                match items.next().await {
                    Some(Ok(item)) => found.push(item),
                    Some(Err(_)) => break,
                    None => panic!("{failures}"),
                }
            }
            assert!(items.next().await.is_none(), "an error is the end until it is resumed");
            items.resume();
        }
        assert_eq!(items.try_collect().await.unwrap(), [2, 3]);
        assert_eq!(
            (found, asked.lock().unwrap().join(" ")),
            (vec![1], "first b b b c".to_owned())
        );

        // What leads nowhere does so again, and is no end.
        let mut pages = by_link(&Asked::default(), |_| {
            Some((vec![1], Some("https://evil.example/items")))
        });
        assert!(pages.next().await.unwrap().is_ok());
        for _ in 0..2 {
            let error = pages.next().await.unwrap().unwrap_err();
            assert!(matches!(error, Error::InvalidReply(reply) if matches!(reply.problem, Problem::ForeignLink)));
            assert!(pages.next().await.is_none());
            pages.resume();
        }
        let mut pages = by_link(&Asked::default(), |_| None);
        for _ in 0..2 {
            assert!(pages.next().await.unwrap().is_err());
            pages.resume();
        }
    }

    #[tokio::test]
    async fn an_item_that_cannot_be_read_comes_in_its_place() {
        for (good, bad, expected) in [
            (vec![1, 2], vec![], "1 2"),
            (vec![1, 2], vec![0], "- 1 2"),
            (vec![1, 2], vec![1], "1 - 2"),
            (vec![1, 2], vec![2], "1 2 -"),
            (vec![1, 2], vec![0, 1, 4], "- - 1 2 -"),
            (vec![], vec![0, 1], "- -"),
        ] {
            let page = reply(BASE, Some((good, None))).await.map(|mut page| {
                let unreadable = |position| UnreadableItem {
                    status: http::StatusCode::OK,
                    operation: "list_items",
                    request_id: None,
                    position,
                    path: format!("items[{position}]"),
                    reason: "it is another kind".to_owned(),
                    raw: RawBody(bytes::Bytes::new()),
                };
                page.unreadable = bad.iter().copied().map(unreadable).collect();
                page
            });
            let once = Arc::new(Mutex::new(Some(page)));
            let send = move |_: String| -> BoxFuture<'static, Reply<Page, ()>> {
                Box::pin(std::future::ready(once.lock().unwrap().take().unwrap()))
            };
            let pages = || cursor_pages("first".to_owned(), send, |_, cursor| cursor, |_| None);
            let told = items(pages(), |(items, _)| items).map(|item| match item {
                Ok(item) => item.to_string(),
                Err(Error::UnreadableItem(_)) => "-".to_owned(),
                Err(other) => panic!("{other:?}"),
            });
            assert_eq!(told.collect::<Vec<_>>().await.join(" "), expected);
        }
    }

    #[test]
    fn a_link_is_followed_under_the_base_url_only() {
        let bare = "https://api.bank.example";
        let gateway = "https://api.bank.example/premium/sandbox";
        let slashed = "https://api.bank.example/premium/sandbox/";
        for (base, link, expected) in [
            (
                bare,
                "https://api.bank.example/v1/items?page=2",
                Some("/v1/items?page=2"),
            ),
            (bare, "/v1/items?page=2", Some("/v1/items?page=2")),
            (bare, "?page=2&&size=1\"", Some("/v1/items?page=2&size=1")),
            (bare, "?page=2&amp;size=1", Some("/v1/items?page=2&size=1")),
            (bare, "https://evil.example/v1/items?page=2", None),
            (bare, "//evil.example/items", None),
            (bare, "/\\evil.example/items", None),
            (bare, "http://api.bank.example/v1/items?page=2", None),
            (bare, "https://api.bank.example:8443/v1/items", None),
            (bare, "https://user:pw@api.bank.example/v1/items", None),
            (bare, "https://:pw@api.bank.example/v1/items", None),
            (bare, "https://user@api.bank.example/v1/items", None),
            (bare, "javascript:alert(1)", None),
            (gateway, "/v1/items?page=2", Some("/premium/sandbox/v1/items?page=2")),
            (slashed, "/v1/items?page=2", Some("/premium/sandbox/v1/items?page=2")),
            (
                gateway,
                "/premium/sandbox/v1/items?page=2",
                Some("/premium/sandbox/v1/items?page=2"),
            ),
            (gateway, "?page=2", Some("/premium/sandbox/v1/items?page=2")),
            (gateway, "more?page=2", Some("/premium/sandbox/v1/more?page=2")),
            // Another API of the same gateway is another host as far as tokens go.
            (
                gateway,
                "/premium/production/v1/items",
                Some("/premium/sandbox/premium/production/v1/items"),
            ),
            (gateway, "https://api.bank.example/premium/production/v1/items", None),
            (gateway, "https://api.bank.example/premium/sandboxes/v1/items", None),
            (gateway, "../../production/v1/items", None),
            (gateway, "/../production/v1/items", None),
            (gateway, "/v1/../../production/items", None),
            (gateway, "/%2e%2e/production/items", None),
            (gateway, "//evil.example/items", None),
            (gateway, "//api.bank.example/premium/production/v1/items", None),
        ] {
            let from = Url::parse(&format!("{}/v1/items?page=1", base.trim_end_matches('/'))).unwrap();
            let base = Url::parse(base).unwrap();
            let target = link_target(&base, &from, link).map(String::from);
            let expected = expected.map(|path| format!("https://api.bank.example{path}"));
            assert_eq!(target, expected, "{base}: {link}");
        }
    }
}
