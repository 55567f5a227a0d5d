//! Replies that come in pages, as streams.

use std::collections::VecDeque;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::Stream;
use futures_util::future::BoxFuture;
use futures_util::stream::{self, BoxStream, StreamExt as _, TryStreamExt as _};
use url::Url;

use super::error::{Error, Problem};
use super::response::ResponseValue;

/// The pages of a reply, one request each, in order. See `pages()` of a call.
pub struct Pages<'a, T, E>(BoxStream<'a, Reply<T, E>>);

/// The items of all pages, in order. See `items()` of a call.
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
    struct State<C, S, F, N> {
        call: C,
        cursor: Option<String>,
        seen: Vec<String>,
        send: S,
        set: F,
        next: N,
    }
    let state = State {
        call,
        cursor: None,
        seen: Vec::new(),
        send,
        set,
        next,
    };
    Pages(Box::pin(stream::try_unfold(Some(state), |state| async move {
        let Some(mut state) = state else { return Ok(None) };
        let call = match state.cursor.take() {
            None => state.call.clone(),
            Some(cursor) => (state.set)(state.call.clone(), cursor),
        };
        let page = (state.send)(call).await?;
        match (state.next)(&page).filter(|cursor| !cursor.is_empty()) {
            None => Ok(Some((page, None))),
            Some(cursor) if state.seen.contains(&cursor) => Err(page.invalid(Problem::RepeatedPage)),
            Some(cursor) => {
                state.seen.push(cursor.clone());
                state.cursor = Some(cursor);
                Ok(Some((page, Some(state))))
            }
        }
    })))
}

/// Pages where the reply has the next URL.
#[doc(hidden)]
pub fn link_pages<'a, T, E>(
    first: BoxFuture<'a, Reply<T, E>>,
    follow: impl Fn(Url) -> BoxFuture<'a, Reply<T, E>> + Send + 'a,
    next: impl Fn(&T) -> Option<String> + Send + 'a,
) -> Pages<'a, T, E>
where
    T: Send + 'a,
    E: Send + 'a,
{
    struct State<'a, T, E, F, N> {
        fetch: Option<BoxFuture<'a, Reply<T, E>>>,
        seen: Vec<Url>,
        follow: F,
        next: N,
    }
    let state = State {
        fetch: Some(first),
        seen: Vec::new(),
        follow,
        next,
    };
    Pages(Box::pin(stream::try_unfold(state, |mut state| async move {
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
            let Some(to) = same_origin(&from, &link) else {
                return Err(page.invalid(Problem::ForeignLink));
            };
            if state.seen.contains(&to) {
                return Err(page.invalid(Problem::RepeatedPage));
            }
            state.seen.push(to.clone());
            state.fetch = Some((state.follow)(to));
        }
        Ok(Some((page, state)))
    })))
}

/// The URL of a link, when it stays on the origin that it came from.
///
/// A link is opaque but for slips that banks are known to make: a quote or
/// blanks around it, a doubled `&`.
fn same_origin(from: &Url, link: &str) -> Option<Url> {
    let link = link.trim().trim_matches(['"', '\'', ' ']);
    let mut link = link.to_owned();
    while link.contains("&&") {
        link = link.replace("&&", "&");
    }
    let to = from.join(&link).ok()?;
    let plain = to.username().is_empty() && to.password().is_none();
    (to.origin() == from.origin() && plain).then_some(to)
}

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
            loop {
                if let Some(item) = ready.pop_front() {
                    return Ok(Some((item, (pages, ready, take))));
                }
                match pages.next().await {
                    None => return Ok(None),
                    Some(page) => ready = take(page?.into_inner()).into(),
                }
            }
        },
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_is_followed_on_its_own_origin_only() {
        let from = Url::parse("https://api.bank.example/v1/items?page=1").unwrap();
        for (link, expected) in [
            (
                "https://api.bank.example/v1/items?page=2",
                Some("https://api.bank.example/v1/items?page=2"),
            ),
            ("/v1/items?page=2", Some("https://api.bank.example/v1/items?page=2")),
            (
                "?page=2&&size=1\"",
                Some("https://api.bank.example/v1/items?page=2&size=1"),
            ),
            ("https://evil.example/v1/items?page=2", None),
            ("//evil.example/items", None),
            ("http://api.bank.example/v1/items?page=2", None),
            ("https://api.bank.example:8443/v1/items", None),
            ("https://user:pw@api.bank.example/v1/items", None),
            ("javascript:alert(1)", None),
        ] {
            assert_eq!(
                same_origin(&from, link).map(String::from).as_deref(),
                expected,
                "{link}"
            );
        }
    }
}
