//! Pages that are counted, and those whose cursor goes into the body.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash as _, Hasher as _};

use futures_util::future::BoxFuture;

use super::pages::{Next, Nowhere, Pages, Reply, Walk, by_cursor};
use super::response::ResponseValue;

/// Pages where the reply has the next cursor, and may say whether there is another page. What the call began with is in no
/// URL where the cursor goes into the body.
#[doc(hidden)]
pub fn told_cursor_pages<'a, C, T, E>(
    call: C,
    send: impl Fn(C) -> BoxFuture<'a, Reply<T, E>> + Send + 'a,
    set: impl Fn(C, String) -> C + Send + 'a,
    next: impl Fn(&T) -> Option<String> + Send + 'a,
    more: impl Fn(&T) -> Option<bool> + Send + 'a,
) -> Pages<'a, T, E>
where
    C: Clone + Send + 'a,
    T: Send + 'a,
    E: Send + 'a,
{
    by_cursor(call, send, set, next, more, |_| false)
}

/// How pages are counted.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub enum Counted {
    /// By their number, from this one on.
    Pages {
        /// The number of the first.
        first: u64,
    },
    /// By the items before them.
    Items,
}

impl Counted {
    /// By their number, of which this is the first.
    #[must_use]
    pub const fn from(first: u64) -> Self {
        Self::Pages { first }
    }
}

/// What a page tells of those behind it.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub struct Told {
    items: usize,
    total: Option<i64>,
    more: Option<bool>,
    print: u64,
}

/// How many items a page has that could be read, how many pages or items there are, whether there is another one, and the
/// items, by which a page is known that comes again.
#[doc(hidden)]
pub fn told<T: serde::Serialize>(items: usize, total: Option<i64>, more: Option<bool>, list: &T) -> Told {
    let mut hasher = DefaultHasher::new();
    serde_json::to_vec(list).unwrap_or_default().hash(&mut hasher);
    Told {
        items,
        total,
        more,
        print: hasher.finish(),
    }
}

/// A number as a parameter of a specification takes it.
#[doc(hidden)]
#[must_use]
pub fn page_number(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// Pages that a query parameter counts. The last one is the one that says so, or that is as far as the total goes; where a
/// page says neither, the one without items.
#[doc(hidden)]
pub fn counted_pages<'a, C, T, E>(
    call: C,
    parameter: &'static str,
    counted: Counted,
    send: impl Fn(C) -> BoxFuture<'a, Reply<T, E>> + Send + 'a,
    set: impl Fn(C, u64) -> C + Send + 'a,
    told: impl Fn(&T) -> Told + Send + 'a,
) -> Pages<'a, T, E>
where
    C: Clone + Send + 'a,
    T: Send + 'a,
    E: Send + 'a,
{
    let mut before = None::<u64>;
    let fetch = move |number: Option<u64>| {
        send(match number {
            None => call.clone(),
            Some(number) => set(call.clone(), number),
        })
    };
    let behind = move |page: &ResponseValue<T>| {
        let asked = page.url().query_pairs().find(|(name, _)| name == parameter);
        let asked = asked.and_then(|(_, number)| number.parse::<u64>().ok());
        let Told {
            items,
            total,
            more,
            print,
        } = told(page);
        // An item that could not be read is one all the same.
        let mut hasher = DefaultHasher::new();
        print.hash(&mut hasher);
        for item in page.unreadable() {
            item.raw.expose().hash(&mut hasher);
        }
        let print = hasher.finish();
        let items = u64::try_from(items + page.unreadable().len()).unwrap_or(u64::MAX);
        // A server that does not know the parameter answers with the same page for ever.
        if items > 0 && before.replace(print) == Some(print) {
            return Err(Nowhere::Repeated);
        }
        let (next, read) = match counted {
            Counted::Pages { first } => {
                let next = asked.unwrap_or(first).saturating_add(1);
                (next, next.saturating_sub(first))
            }
            Counted::Items => {
                let next = asked.unwrap_or(0).saturating_add(items);
                (next, next)
            }
        };
        // Fewer than were read already are no total: some banks write -1 or 0 where they have not counted.
        let total = total
            .map(i128::from)
            .filter(|total| items == 0 || *total >= i128::from(read));
        let is_within = total.map(|total| i128::from(read) < total);
        // Two that contradict each other: whoever says that there is more is believed, as nothing may be overlooked.
        let is_further = match (more, is_within) {
            (None, None) => items > 0,
            (more, is_within) => more == Some(true) || is_within == Some(true),
        };
        Ok(match (is_further, counted, items) {
            (false, ..) => Next::End,
            // More is said, and nothing leads there.
            (true, Counted::Items, 0) => Nowhere::Repeated.after(page),
            (true, ..) => Next::Page(Some(next)),
        })
    };
    Pages::of(Walk {
        next: Next::Page(None),
        fetch,
        behind,
    })
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::super::error::Error;
    use super::super::invalid_reply::{Problem, RawBody};
    use super::super::operation::Operation;
    use super::super::pages::tests::reply_of;
    use super::super::unreadable::UnreadableItem;
    use super::*;

    static OPERATION: Operation = Operation {
        id: "list_items",
        ..Operation::BASE
    };
    const BASE: &str = "https://api.bank.example/v1/items";

    /// How many items that can be read a page has, and how many that cannot, and what it says: the total, and whether there is
    /// another one.
    type Page = (u8, usize, Option<i64>, Option<bool>);

    /// What was asked for one after the other, and whether it ended with a page that came again.
    async fn walked<T>(mut pages: Pages<'_, T, ()>, asked: &Mutex<Vec<String>>) -> (String, bool) {
        let mut is_repeated = false;
        while let Some(page) = pages.next().await {
            if let Err(error) = page {
                assert!(matches!(error, Error::InvalidReply(reply) if matches!(reply.problem, Problem::RepeatedPage)));
                is_repeated = true;
            }
        }
        (asked.lock().unwrap().join(" "), is_repeated)
    }

    /// Those pages, of which the first is asked for without a number. The items of two pages differ, unless `same`.
    async fn counting(counted: Counted, same: bool, pages: &'static [Page]) -> (String, bool) {
        let asked = Arc::new(Mutex::new(Vec::new()));
        let sent = Arc::clone(&asked);
        let send = move |number: Option<u64>| -> BoxFuture<'static, Reply<(usize, Page), ()>> {
            let number = number.map_or("-".to_owned(), |number| number.to_string());
            let mut sent = sent.lock().unwrap();
            let page = *pages.get(sent.len()).expect("there is no end");
            let url = match number.as_str() {
                "-" => format!("{BASE}?size=50"),
                number => format!("{BASE}?size=50&page={number}"),
            };
            let reply = reply_of(&OPERATION, &url, Some((sent.len(), page)));
            let place = if same { 0 } else { sent.len() };
            sent.push(number);
            Box::pin(async move {
                let mut reply = reply.await?;
                reply.unreadable = (0..page.1)
                    .map(|position| UnreadableItem {
                        operation: OPERATION.id,
                        status: http::StatusCode::OK,
                        request_id: None,
                        position,
                        path: String::new(),
                        reason: String::new(),
                        raw: RawBody(place.to_string().into()),
                    })
                    .collect();
                Ok(reply)
            })
        };
        let told = move |(place, (items, _, total, more)): &(usize, Page)| {
            let list = vec![if same { 0 } else { *place }; usize::from(*items)];
            told(list.len(), *total, *more, &list)
        };
        let pages = counted_pages(None, "page", counted, send, |_, number| Some(number), told);
        walked(pages, &asked).await
    }

    #[tokio::test]
    async fn pages_that_say_nothing_end_with_one_without_items() {
        let pages: &[Page] = &[(2, 0, None, None), (0, 1, None, None), (0, 0, None, None)];
        for (counted, expected) in [
            (Counted::Pages { first: 1 }, "- 2 3"),
            (Counted::Pages { first: 0 }, "- 1 2"),
            (Counted::Items, "- 2 3"),
        ] {
            assert_eq!(counting(counted, false, pages).await, (expected.to_owned(), false));
        }
    }

    #[tokio::test]
    async fn a_total_is_one_of_pages_or_of_items() {
        for first in [1, 0] {
            let pages: &[Page] = &[(2, 0, Some(3), None), (2, 0, Some(3), None), (2, 0, Some(3), None)];
            let expected = if first == 1 { "- 2 3" } else { "- 1 2" };
            let counted = Counted::Pages { first };
            assert_eq!(counting(counted, false, pages).await, (expected.to_owned(), false));
        }
        let pages: &[Page] = &[(1, 1, Some(5), None), (2, 0, Some(5), None), (1, 0, Some(5), None)];
        assert_eq!(
            counting(Counted::Items, false, pages).await,
            ("- 2 4".to_owned(), false)
        );
    }

    #[tokio::test]
    async fn who_says_that_there_is_more_is_believed() {
        let counted = Counted::Pages { first: 1 };
        let pages: &[Page] = &[
            (1, 0, Some(1), Some(true)),
            (1, 0, Some(9), Some(false)),
            (1, 0, Some(1), Some(false)),
        ];
        assert_eq!(counting(counted, false, pages).await, ("- 2 3".to_owned(), false));
        // Also of pages without items, which are alike. Where items are counted, nothing leads behind them.
        let pages: &[Page] = &[
            (1, 0, None, Some(true)),
            (0, 0, None, Some(true)),
            (0, 0, None, Some(true)),
            (1, 0, None, Some(false)),
        ];
        assert_eq!(counting(counted, false, pages).await, ("- 2 3 4".to_owned(), false));
        assert_eq!(counting(Counted::Items, false, pages).await, ("- 1".to_owned(), true));
    }

    #[tokio::test]
    async fn a_total_below_what_was_read_is_none() {
        for total in [-1, 0, 1] {
            let unknown: Page = (2, 0, Some(total), None);
            let pages: Vec<Page> = vec![unknown, unknown, (0, 0, Some(total), None)];
            let (first, expected) = if total == 1 { (0, "-") } else { (1, "- 2 3") };
            let counted = Counted::from(first);
            // One page is all where one is told, and it is the first.
            let walked = counting(counted, false, pages.clone().leak()).await;
            assert_eq!(walked, (expected.to_owned(), false), "{total}");
            let walked = counting(Counted::Items, false, pages.leak()).await;
            assert_eq!(walked, ("- 2 4".to_owned(), false), "{total}");
        }
    }

    #[tokio::test]
    async fn whether_there_is_another_page_is_said_beside_the_cursor() {
        for (cursor, more, asked, is_unnamed) in [
            (Some("b"), Some(false), 1, false),
            (Some("b"), Some(true), 2, false),
            (None, Some(true), 1, true),
            (Some(""), Some(true), 1, true),
            (None, None, 1, false),
        ] {
            let sent = Arc::new(Mutex::new(0));
            let counted = Arc::clone(&sent);
            let send = move |_: String| {
                let mut sent = counted.lock().unwrap();
                *sent += 1;
                let page = if *sent == 1 {
                    (cursor, more)
                } else {
                    (None, Some(false))
                };
                reply_of(&OPERATION, BASE, Some(page))
            };
            type Told = (Option<&'static str>, Option<bool>);
            let next = |page: &Told| page.0.map(str::to_owned);
            let mut pages: Pages<'_, Told, ()> =
                told_cursor_pages("-".to_owned(), send, |_, cursor| cursor, next, |page: &Told| page.1);
            let mut unnamed = false;
            while let Some(page) = pages.next().await {
                if let Err(error) = page {
                    unnamed = error.to_string().contains("names no next page");
                }
            }
            assert_eq!(
                (*sent.lock().unwrap(), unnamed),
                (asked, is_unnamed),
                "{cursor:?} {more:?}"
            );
        }
    }

    #[tokio::test]
    async fn a_page_that_comes_again_is_an_error() {
        let pages: &[Page] = &[(2, 0, None, None); 2];
        let unreadable: &[Page] = &[(0, 2, None, None); 2];
        for counted in [Counted::Pages { first: 1 }, Counted::Items] {
            assert_eq!(counting(counted, true, pages).await, ("- 2".to_owned(), true));
            assert_eq!(counting(counted, true, unreadable).await, ("- 2".to_owned(), true));
        }
        let others: &[Page] = &[(0, 1, None, None), (0, 1, None, None), (0, 0, None, None)];
        assert_eq!(
            counting(Counted::Items, false, others).await,
            ("- 1 2".to_owned(), false)
        );
    }

    #[tokio::test]
    async fn a_cursor_leads_on_until_there_is_none_or_it_comes_again() {
        for (last, is_repeated) in [(None, false), (Some(""), false), (Some("b"), true)] {
            let asked = Arc::new(Mutex::new(Vec::new()));
            let sent = Arc::clone(&asked);
            let send = move |cursor: String| {
                let mut sent = sent.lock().unwrap();
                assert!(sent.len() < 3, "there is no end");
                let next = [Some("b"), Some("c"), last][sent.len()];
                sent.push(cursor);
                reply_of(&OPERATION, BASE, Some(next))
            };
            let next = |next: &Option<&'static str>| next.map(str::to_owned);
            let pages = told_cursor_pages("-".to_owned(), send, |_, cursor| cursor, next, |_| None);
            assert_eq!(
                walked(pages, &asked).await,
                ("- b c".to_owned(), is_repeated),
                "{last:?}"
            );
        }
    }

    #[test]
    fn a_number_is_as_large_as_a_parameter_can_be() {
        assert_eq!((page_number(7), page_number(u64::MAX)), (7, i64::MAX));
    }
}
