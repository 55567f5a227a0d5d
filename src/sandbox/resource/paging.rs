//! Which part of a list a request asks for, and how the reply names the next part.

use base64::Engine as _;

use crate::sandbox::json::Json;
use crate::sandbox::request::Request;
use crate::sandbox::spec::{Operation, Place};

/// The query parameter of a next link, where the specification has none that could carry it.
pub(in crate::sandbox) const CURSOR: &str = "cursor";

/// Query parameters that say how many items make a page.
const SIZES: [&str; 3] = ["limit", "pageSize", "itemsPerPage"];
/// How many items make a page when nobody says.
const DEFAULT_SIZE: usize = 20;

/// A part of a list.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::sandbox) struct Page {
    pub(in crate::sandbox) start: usize,
    pub(in crate::sandbox) size: usize,
    total: usize,
}

impl Page {
    /// Reads what the request asks for. `position` finds an item by its id.
    pub(in crate::sandbox) fn of(
        operation: &Operation,
        request: &Request,
        total: usize,
        position: &dyn Fn(&str) -> Option<usize>,
    ) -> Result<Self, String> {
        let number = |name: &str| -> Result<Option<usize>, String> {
            request
                .query_value(name)
                .map(|text| text.parse().map_err(|_| format!("`{name}` is not a number of items")))
                .transpose()
        };
        let mut size = match SIZES.iter().find(|name| declared(operation, name)) {
            Some(name) => number(name)?.or_else(|| default_of(operation, name)),
            None => None,
        }
        .unwrap_or(if operation.pagination.is_some() {
            DEFAULT_SIZE
        } else {
            usize::MAX
        });
        if size == 0 {
            size = DEFAULT_SIZE;
        }
        let start = match carrier(operation) {
            Carrier::Opaque(name) => match request.query_value(&name) {
                Some(cursor) => open_cursor(cursor).ok_or_else(|| format!("`{name}` is not a cursor of this list"))?,
                None => 0,
            },
            Carrier::Entry(name) => match request.query_value(&name) {
                Some(id) => position(id).ok_or_else(|| format!("`{name}` names no entry of this list"))?,
                None => number("page")?.unwrap_or(1).saturating_sub(1).saturating_mul(size),
            },
            Carrier::Page => number("page")?.unwrap_or(1).saturating_sub(1).saturating_mul(size),
            Carrier::Offset => number("offset")?.unwrap_or(0),
        };
        Ok(Self { start, size, total })
    }

    /// The items of this part.
    pub(in crate::sandbox) fn cut<'a, T>(&self, items: &'a [T]) -> &'a [T] {
        let start = self.start.min(items.len());
        let end = self.start.saturating_add(self.size).min(items.len());
        &items[start..end]
    }

    fn next(&self) -> Option<usize> {
        let next = self.start.saturating_add(self.size);
        (next < self.total).then_some(next)
    }

    /// Writes what the reply says about this page and the next one.
    ///
    /// `id_at` names an item by its place; `address` is the list's own URL without a query, as the
    /// example writes links (absolute, or a path).
    pub(in crate::sandbox) fn describe(
        &self,
        operation: &Operation,
        request: &Request,
        reply: &mut Json,
        address: &str,
        id_at: &dyn Fn(usize) -> Option<String>,
    ) {
        let shown = self.size.min(self.total.saturating_sub(self.start));
        count(reply, self.total, shown, 0);
        let Some(paging) = &operation.pagination else {
            return;
        };
        if !paging.link {
            match self.next() {
                Some(next) => reply.set_pointer(&paging.next, Json::str(cursor(next))),
                None => clear(reply, &paging.next),
            }
            return;
        }
        let link = |start: usize| -> Json {
            let mut pairs: Vec<(String, String)> = request.query.clone();
            let (name, value) = match carrier(operation) {
                Carrier::Opaque(name) => (name, cursor(start)),
                Carrier::Entry(name) => (name, id_at(start).unwrap_or_default()),
                Carrier::Page => ("page".to_owned(), (start / self.size + 1).to_string()),
                Carrier::Offset => ("offset".to_owned(), start.to_string()),
            };
            pairs.retain(|(n, _)| *n != name);
            pairs.push((name, value));
            let query = url::form_urlencoded::Serializer::new(String::new())
                .extend_pairs(pairs)
                .finish();
            Json::str(format!("{address}?{query}"))
        };
        match self.next() {
            Some(next) => reply.set_pointer(&paging.next, link(next)),
            None => clear(reply, &paging.next),
        }
        // The other links beside `next`, where the example has them.
        let (holder, own) = paging.next.rsplit_once('/').unwrap_or_default();
        let Some(Json::Object(members)) = reply.pointer_mut(holder) else {
            return;
        };
        for (name, value) in members.iter_mut().filter(|(name, _)| name != own) {
            let target = match name.rsplit(':').next().unwrap_or_default() {
                "@id" => Some(self.start),
                "first" => Some(0),
                "last" => Some(self.total.saturating_sub(1) / self.size * self.size),
                "prev" | "previous" => (self.start > 0).then(|| self.start.saturating_sub(self.size)),
                _ => continue,
            };
            *value = target.map_or(Json::Null, link);
        }
    }
}

enum Carrier {
    Opaque(String),
    Entry(String),
    Page,
    Offset,
}

/// The query parameter that says where a page starts.
fn carrier(operation: &Operation) -> Carrier {
    match &operation.pagination {
        Some(paging) if !paging.link => Carrier::Opaque(paging.parameter.clone().unwrap_or_else(|| CURSOR.to_owned())),
        _ if declared(operation, "entryReferenceFrom") => Carrier::Entry("entryReferenceFrom".to_owned()),
        _ if declared(operation, "offset") => Carrier::Offset,
        _ if declared(operation, "page") => Carrier::Page,
        _ => Carrier::Opaque(CURSOR.to_owned()),
    }
}

/// Whether the query parameter is about pages and not about items.
pub(in crate::sandbox) fn is_paging(operation: &Operation, name: &str) -> bool {
    let carries = match carrier(operation) {
        Carrier::Opaque(own) | Carrier::Entry(own) => own == name,
        Carrier::Page | Carrier::Offset => false,
    };
    carries || SIZES.contains(&name) || matches!(name, "page" | "offset")
}

fn declared(operation: &Operation, name: &str) -> bool {
    operation
        .parameters
        .iter()
        .any(|p| p.place == Place::Query && p.name == name)
}

fn default_of(operation: &Operation, name: &str) -> Option<usize> {
    let parameter = operation.parameters.iter().find(|p| p.name == name)?;
    usize::try_from(parameter.schema.get("default")?.as_u64()?).ok()
}

/// How many there are and how many are shown, where the example says so.
fn count(reply: &mut Json, total: usize, shown: usize, depth: usize) {
    let Json::Object(members) = reply else { return };
    for (name, value) in members {
        let number = match name.as_str() {
            "total" | "hydra:totalItems" | "totalElements" => total,
            "count" => shown,
            "paging" | "page" if depth == 0 => {
                count(value, total, shown, 1);
                continue;
            }
            _ => continue,
        };
        if matches!(value, Json::Number(_)) {
            *value = Json::Number(number.to_string());
        }
    }
}

/// No next page: `null` where the example has it so, else nothing.
fn clear(reply: &mut Json, pointer: &str) {
    match reply.pointer(pointer) {
        Some(Json::Null) | None => {}
        Some(_) => {
            reply.remove_pointer(pointer);
            // An object that held the next link and nothing else goes with it.
            if let Some((holder, _)) = pointer.rsplit_once('/')
                && holder.contains('/')
                && holder.rfind('/') != Some(0)
                && reply.pointer(holder).is_some_and(|h| h.members().is_empty())
            {
                reply.remove_pointer(holder);
            }
        }
    }
}

fn cursor(start: usize) -> String {
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(format!("from:{start}"))
}

fn open_cursor(cursor: &str) -> Option<usize> {
    let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(cursor).ok()?;
    std::str::from_utf8(&bytes).ok()?.strip_prefix("from:")?.parse().ok()
}
