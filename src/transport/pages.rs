//! Replies that come in pages, as streams.

use std::collections::VecDeque;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::Stream;
use futures_util::future::BoxFuture;
use futures_util::stream::{self, BoxStream, StreamExt as _, TryStreamExt as _};
use percent_encoding::percent_decode_str;
use url::Url;

use super::error::Error;
use super::invalid_reply::Problem;
use super::response::ResponseValue;

/// The pages of a reply, one request each, in order. See `pages()` of a call.
#[must_use = "no page is asked for until `next`"]
pub struct Pages<'a, T, E>(BoxStream<'a, Reply<T, E>>);

/// The items of all pages, in order. See `items()` of a call.
#[must_use = "no page is asked for until `next` or `try_collect`"]
pub struct Items<'a, T, E>(BoxStream<'a, Result<T, Error<E>>>);

impl<T, E> Pages<'_, T, E> {
    /// The next page, or `None` after the last.
    ///
    /// # Errors
    ///
    /// As the call itself; the stream ends with the first error.
    pub async fn next(&mut self) -> Option<Result<ResponseValue<T>, Error<E>>> {
        self.0.next().await
    }
}

impl<T, E> Items<'_, T, E> {
    /// The next item, or `None` after the last.
    ///
    /// # Errors
    ///
    /// As the call itself; the stream ends with the first error.
    pub async fn next(&mut self) -> Option<Result<T, Error<E>>> {
        self.0.next().await
    }

    /// All items that are left.
    ///
    /// # Errors
    ///
    /// As the call itself. The items before the error are given up; use [`next`](Self::next) to keep them.
    pub async fn try_collect(self) -> Result<Vec<T>, Error<E>> {
        self.0.try_collect().await
    }
}

impl<T, E> Stream for Pages<'_, T, E> {
    type Item = Result<ResponseValue<T>, Error<E>>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.as_mut().poll_next(cx)
    }
}

impl<T, E> Stream for Items<'_, T, E> {
    type Item = Result<T, Error<E>>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.as_mut().poll_next(cx)
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

type Reply<T, E> = Result<ResponseValue<T>, Error<E>>;

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
    struct State<C, S, F, N, E> {
        call: C,
        cursor: Option<String>,
        seen: Vec<String>,
        send: S,
        set: F,
        next: N,
        /// Why no further page is asked for, told after the page that says so: its items are good.
        problem: Option<Error<E>>,
    }
    let state = State {
        call,
        cursor: None,
        seen: Vec::new(),
        send,
        set,
        next,
        problem: None,
    };
    Pages(Box::pin(stream::try_unfold(Some(state), |state| async move {
        let Some(mut state) = state else { return Ok(None) };
        if let Some(problem) = state.problem.take() {
            return Err(problem);
        }
        let call = match state.cursor.take() {
            None => state.call.clone(),
            Some(cursor) => (state.set)(state.call.clone(), cursor),
        };
        let page = (state.send)(call).await?;
        match (state.next)(&page).filter(|cursor| !cursor.is_empty()) {
            None => return Ok(Some((page, None))),
            Some(cursor) if state.seen.contains(&cursor) => state.problem = Some(page.invalid(Problem::RepeatedPage)),
            Some(cursor) => {
                state.seen.push(cursor.clone());
                state.cursor = Some(cursor);
            }
        }
        Ok(Some((page, Some(state))))
    })))
}

/// Pages where the reply has the next URL. `base` is the client's: no link is followed outside it.
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
    struct State<'a, T, E, F, N> {
        base: Url,
        fetch: Option<BoxFuture<'a, Reply<T, E>>>,
        seen: Vec<Url>,
        follow: F,
        next: N,
        /// Why no further page is asked for, told after the page that says so: its items are good.
        problem: Option<Error<E>>,
    }
    let state = State {
        base: base.clone(),
        fetch: Some(first),
        seen: Vec::new(),
        follow,
        next,
        problem: None,
    };
    Pages(Box::pin(stream::try_unfold(state, |mut state| async move {
        if let Some(problem) = state.problem.take() {
            return Err(problem);
        }
        let Some(fetch) = state.fetch.take() else {
            return Ok(None);
        };
        let page = fetch.await?;
        let link = (state.next)(&page).filter(|link| !link.trim().is_empty());
        if let Some(link) = link {
            let from = page.url().clone();
            if state.seen.is_empty() {
                state.seen.push(from.clone());
            }
            match link_target(&state.base, &from, &link) {
                None => state.problem = Some(page.invalid(Problem::ForeignLink)),
                Some(to) if !same_resource(&from, &to) => state.problem = Some(page.invalid(Problem::OtherResource)),
                Some(to) if state.seen.contains(&to) => state.problem = Some(page.invalid(Problem::RepeatedPage)),
                Some(to) => {
                    state.seen.push(to.clone());
                    state.fetch = Some((state.follow)(to));
                }
            }
        }
        Ok(Some((page, state)))
    })))
}

/// The URL of a link that came from `from`, when it stays under the client's base URL: its origin and its path.
///
/// A link is opaque but for slips that banks are known to make: a quote or
/// blanks around it, a doubled `&`, a path without the gateway's own prefix.
fn link_target(base: &Url, from: &Url, link: &str) -> Option<Url> {
    let link = link.trim().trim_matches(['"', '\'', ' ']);
    let mut link = link.to_owned();
    while link.contains("&&") {
        link = link.replace("&&", "&");
    }
    let prefix = base.path().trim_end_matches('/');
    let under = |url: &Url| {
        url.path()
            .strip_prefix(prefix)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    let own = |url: &Url| url.origin() == base.origin() && url.username().is_empty() && url.password().is_none();
    let to = from.join(&link).ok().filter(own)?;
    if under(&to) {
        return Some(to);
    }
    // Rooted where the API stands, not where the gateway in front of it does.
    let rooted = link.starts_with('/') && !link.starts_with("//");
    let prefixed = rooted.then(|| from.join(&format!("{prefix}{link}")).ok()).flatten();
    prefixed.filter(|url| own(url) && under(url))
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

/// How many pages without an item may follow one another.
const EMPTY_PAGES: u32 = 10;

/// The items of pages.
#[doc(hidden)]
pub fn items<'a, P, T, E>(pages: Pages<'a, P, E>, take: impl Fn(P) -> Vec<T> + Send + 'a) -> Items<'a, T, E>
where
    P: Send + 'a,
    T: Send + 'a,
    E: Send + 'a,
{
    let state = (pages, VecDeque::<T>::new(), take);
    Items(Box::pin(stream::try_unfold(
        state,
        |(mut pages, mut ready, take)| async move {
            let mut empty = 0;
            loop {
                if let Some(item) = ready.pop_front() {
                    return Ok(Some((item, (pages, ready, take))));
                }
                let Some(page) = pages.next().await else {
                    return Ok(None);
                };
                let page = page?;
                empty += 1;
                let endless = (empty == EMPTY_PAGES).then(|| page.invalid(Problem::EmptyPages));
                ready = take(page.into_inner()).into();
                if let Some(error) = endless.filter(|_| ready.is_empty()) {
                    return Err(error);
                }
            }
        },
    )))
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::super::machine::Answer;
    use super::super::operation::Operation;
    use super::super::response::Head;
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
        let head = Head {
            provider: "",
            operation: &OPERATION,
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
            not_renewed: None,
        };
        let reply = page.map(|inner| ResponseValue { inner, head });
        Box::pin(async move { reply.ok_or_else(|| Error::invalid_request("no such page".to_owned())) })
    }

    /// The pages of a provider that says the value of `cursor` for the next one.
    fn by_cursor(asked: &Asked, page: impl Fn(&str) -> Option<Page> + Send + 'static) -> Pages<'static, Page, ()> {
        let asked = Arc::clone(asked);
        let send = move |cursor: String| {
            asked.lock().unwrap().push(cursor.clone());
            reply(BASE, page(&cursor))
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

    #[tokio::test]
    async fn pages_are_asked_for_one_by_one_until_there_is_no_next_one() {
        for end in [None, Some("")] {
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
        for back in ["https://api.bank.example/v1/items", "?page=2"] {
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
            assert_eq!(matches!(problem, Some(Problem::EmptyPages)), is_error, "{problem:?}");
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
            (bare, "https://evil.example/v1/items?page=2", None),
            (bare, "//evil.example/items", None),
            (bare, "/\\evil.example/items", None),
            (bare, "http://api.bank.example/v1/items?page=2", None),
            (bare, "https://api.bank.example:8443/v1/items", None),
            (bare, "https://user:pw@api.bank.example/v1/items", None),
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
