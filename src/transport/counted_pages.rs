//! Pages that are counted, and those whose cursor goes into the body.

use std::collections::HashSet;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash as _, Hasher as _};

use futures_util::future::BoxFuture;

use super::pages::{Next, Nowhere, Pages, Reply, Walk};
use super::response::ResponseValue;
use crate::value::next_page::is_none;

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
    let mut seen = HashSet::<String>::new();
    let fetch = move |cursor: Option<String>| {
        send(match cursor {
            None => call.clone(),
            Some(cursor) => set(call.clone(), cursor),
        })
    };
    let behind = move |page: &ResponseValue<T>| {
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
