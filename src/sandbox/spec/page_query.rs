//! Which query parameters of a list say where a part begins and how long it is.

use finrail_spec::model::Place;
use finrail_spec::vocabulary::PaginationStyle;

use super::operation::Operation;

/// The query parameter of a next link, where the specification has none that could carry it.
const CURSOR: &str = "cursor";
/// Query parameters that say how many items make a page.
const SIZES: [&str; 3] = ["limit", "pageSize", "itemsPerPage"];

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
    /// The id of the first item, in this query parameter.
    Entry(String),
    Page,
    Offset,
}

impl Operation {
    /// What says where a page of this list starts.
    pub(in crate::sandbox) fn carrier(&self, words: &PageWords) -> Carrier {
        let first_entry = words.first_entry.filter(|name| self.has_query(name));
        match (&self.pagination, first_entry) {
            (Some(paging), _) if paging.style == PaginationStyle::Cursor => {
                Carrier::Opaque(paging.parameter.clone().unwrap_or_else(|| CURSOR.to_owned()))
            }
            (_, Some(name)) => Carrier::Entry(name.to_owned()),
            _ if self.has_query("offset") => Carrier::Offset,
            _ if self.has_query("page") => Carrier::Page,
            _ => Carrier::Opaque(CURSOR.to_owned()),
        }
    }

    /// The query parameter that says how many items make a page, where there is one.
    pub(in crate::sandbox) fn size_parameter(&self) -> Option<&'static str> {
        SIZES.into_iter().find(|name| self.has_query(name))
    }

    /// Whether the query parameter is about pages and not about items.
    pub(in crate::sandbox) fn is_about_pages(&self, words: &PageWords, name: &str) -> bool {
        let carries = match self.carrier(words) {
            Carrier::Opaque(own) | Carrier::Entry(own) => own == name,
            Carrier::Page | Carrier::Offset => false,
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
