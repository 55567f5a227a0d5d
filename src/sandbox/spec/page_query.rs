//! Which query parameters of a list say where a part begins and how long it is.

use finrail_spec::model::Place;
use finrail_spec::vocabulary::{CursorPlace, Pagination, PaginationStyle};

use super::operation::Operation;

/// The query parameter of a next link, where the specification has none that could carry it.
const CURSOR: &str = "cursor";
/// Query parameters that say how many items make a page.
const SIZES: [&str; 6] = ["limit", "pageSize", "itemsPerPage", "page_size", "per_page", "perPage"];

/// A provider's own words about pages.
#[derive(Clone, Copy, Default)]
pub(in crate::sandbox) struct PageWords {
    /// The query parameter with the id of the first entry of a page.
    pub(in crate::sandbox) first_entry: Option<&'static str>,
    /// The field of a reply that says how many there are.
    pub(in crate::sandbox) total: Option<&'static str>,
}

/// What says where a page starts.
pub(in crate::sandbox) enum Carrier {
    /// A cursor in this query parameter.
    Opaque(String),
    /// The same in a member of the body.
    Sent(String),
    /// The id of the first item, in this query parameter.
    Entry(String),
    /// The number of the page, in this query parameter, and that of the first.
    Page(String, usize),
    /// How many items come before, in this query parameter.
    Offset(String),
}

impl Operation {
    /// What says where a page of this list starts.
    pub(in crate::sandbox) fn carrier(&self, words: &PageWords) -> Carrier {
        let first_entry = words.first_entry.filter(|name| self.has_query(name));
        let named = |paging: &Pagination| paging.parameter.clone().unwrap_or_else(|| CURSOR.to_owned());
        if let Some(paging) = &self.pagination {
            match paging.style {
                PaginationStyle::Cursor if paging.place == CursorPlace::Body => return Carrier::Sent(named(paging)),
                PaginationStyle::Cursor => return Carrier::Opaque(named(paging)),
                PaginationStyle::Page => {
                    return Carrier::Page(named(paging), usize::try_from(paging.first).unwrap_or(1));
                }
                PaginationStyle::Offset => return Carrier::Offset(named(paging)),
                PaginationStyle::Link => {}
            }
        }
        match first_entry {
            Some(name) => Carrier::Entry(name.to_owned()),
            None if self.has_query("offset") => Carrier::Offset("offset".to_owned()),
            None if self.has_query("page") => Carrier::Page("page".to_owned(), 1),
            None => Carrier::Opaque(CURSOR.to_owned()),
        }
    }

    /// The query parameter that says how many items make a page, where there is one.
    pub(in crate::sandbox) fn size_parameter(&self) -> Option<&'static str> {
        SIZES.into_iter().find(|name| self.has_query(name))
    }

    /// Whether the query parameter is about pages and not about items.
    pub(in crate::sandbox) fn is_about_pages(&self, words: &PageWords, name: &str) -> bool {
        let carries = match self.carrier(words) {
            Carrier::Opaque(own) | Carrier::Entry(own) | Carrier::Page(own, _) | Carrier::Offset(own) => own == name,
            Carrier::Sent(_) => false,
        };
        carries || SIZES.contains(&name) || matches!(name, "page" | "offset")
    }

    /// Whether the next links of this list may bring a query parameter that the specification does not have.
    pub(in crate::sandbox) fn is_own_cursor(&self, name: &str) -> bool {
        self.pages_by_link() && name == CURSOR
    }

    /// Whether the reply of this list has the address of its next page.
    pub(in crate::sandbox) fn pages_by_link(&self) -> bool {
        let paging = self.pagination.as_ref();
        paging.is_some_and(|paging| paging.style == PaginationStyle::Link)
    }

    fn has_query(&self, name: &str) -> bool {
        self.parameters_in(Place::Query).any(|parameter| parameter.name == name)
    }
}
