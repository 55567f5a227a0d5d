//! Which part of a list a request asks for, and how the reply names the next part.

use base64::Engine as _;
use finrail_spec::json::Json;
use finrail_spec::vocabulary::PaginationStyle;

use super::call::Call;
use crate::sandbox::spec::Carrier;

/// How many items make a page when nobody says.
const DEFAULT_SIZE: usize = 20;

/// A part of a list.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::sandbox) struct Page {
    start: usize,
    size: usize,
    total: usize,
}

impl Page {
    /// Reads what the request asks for. `position` finds an item by its id.
    pub(in crate::sandbox) fn of(
        call: &Call<'_>,
        total: usize,
        position: &dyn Fn(&str) -> Option<usize>,
    ) -> Result<Self, String> {
        let size = size(call)?;
        let by_number = |name: &str, first: usize| -> Result<usize, String> {
            let page = number(call, name)?.unwrap_or(first);
            Ok(page.saturating_sub(first).saturating_mul(size))
        };
        let start = match call.operation.carrier(&call.page_words) {
            Carrier::Opaque(name) => match call.query(&name) {
                Some(cursor) => open_cursor(cursor).ok_or_else(|| format!("`{name}` is not a cursor of this list"))?,
                None => 0,
            },
            Carrier::Sent(name) => match call.sent().iter().find(|(known, _)| *known == name) {
                Some((_, cursor)) => {
                    let start = cursor.as_str().and_then(open_cursor);
                    start.ok_or_else(|| format!("`{name}` is not a cursor of this list"))?
                }
                None => 0,
            },
            Carrier::Entry(name) => match call.query(&name) {
                Some(id) => position(id).ok_or_else(|| format!("`{name}` names no entry of this list"))?,
                None => by_number("page", 1)?,
            },
            Carrier::Page(name, first) => by_number(&name, first)?,
            Carrier::Offset(name) => number(call, &name)?.unwrap_or(0),
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
        call: &Call<'_>,
        reply: &mut Json,
        address: &str,
        id_at: &dyn Fn(usize) -> Option<String>,
    ) {
        let shown = self.size.min(self.total.saturating_sub(self.start));
        let counts = Counts {
            total: self.total,
            shown,
            own_total: call.page_words.total,
        };
        counts.write(reply, 0);
        let Some(paging) = &call.operation.pagination else {
            return;
        };
        if let Some(pointer) = &paging.total {
            let total = match paging.style {
                PaginationStyle::Page => self.total.div_ceil(self.size),
                _ => self.total,
            };
            reply.set_pointer(pointer, Json::Number(total.to_string()));
        }
        if let Some(pointer) = &paging.more {
            reply.set_pointer(pointer, Json::Bool(self.next().is_some()));
        }
        if matches!(paging.style, PaginationStyle::Page | PaginationStyle::Offset) {
            return;
        }
        let link = |start: usize| self.link(call, address, start, id_at);
        let is_link = call.operation.pages_by_link();
        match self.next() {
            Some(next) if is_link => reply.set_pointer(&paging.next, link(next)),
            Some(next) => reply.set_pointer(&paging.next, Json::str(cursor(next))),
            // Whether there is another one is said beside it.
            None if paging.more.is_some() => reply.set_pointer(&paging.next, Json::str("")),
            None => clear(reply, &paging.next),
        }
        if is_link {
            self.link_others(reply, &paging.next, &link);
        }
    }

    /// The address of the page that starts at this item.
    fn link(&self, call: &Call<'_>, address: &str, start: usize, id_at: &dyn Fn(usize) -> Option<String>) -> Json {
        let (name, value) = match call.operation.carrier(&call.page_words) {
            Carrier::Opaque(name) | Carrier::Sent(name) => (name, cursor(start)),
            Carrier::Entry(name) => (name, id_at(start).unwrap_or_default()),
            Carrier::Page(name, first) => (name, (start / self.size + first).to_string()),
            Carrier::Offset(name) => (name, start.to_string()),
        };
        let kept = call.request.query.iter().filter(|(n, _)| *n != name);
        let query = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(kept)
            .append_pair(&name, &value)
            .finish();
        Json::str(format!("{address}?{query}"))
    }

    /// The other links beside `next`, where the example has them.
    fn link_others(&self, reply: &mut Json, next: &str, link: &dyn Fn(usize) -> Json) {
        let (holder, own) = next.rsplit_once('/').unwrap_or_default();
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

/// How many items make a page: what the request says, what the specification says, or what nobody says.
fn size(call: &Call<'_>) -> Result<usize, String> {
    let said = match call.operation.size_parameter() {
        Some(name) => number(call, name)?.or_else(|| default_of(call, name)),
        None => None,
    };
    Ok(match said {
        Some(0) => DEFAULT_SIZE,
        Some(size) => size,
        None if call.operation.pagination.is_some() => DEFAULT_SIZE,
        None => usize::MAX,
    })
}

fn number(call: &Call<'_>, name: &str) -> Result<Option<usize>, String> {
    call.query(name)
        .map(|text| text.parse().map_err(|_| format!("`{name}` is not a number of items")))
        .transpose()
}

fn default_of(call: &Call<'_>, name: &str) -> Option<usize> {
    let parameter = call.operation.parameter(name)?;
    usize::try_from(parameter.schema.get("default")?.as_u64()?).ok()
}

/// How many there are and how many are shown.
struct Counts {
    total: usize,
    shown: usize,
    /// The provider's own name of the total.
    own_total: Option<&'static str>,
}

impl Counts {
    /// Writes them where the example says so.
    fn write(&self, reply: &mut Json, depth: usize) {
        let Json::Object(members) = reply else { return };
        for (name, value) in members {
            let number = match name.as_str() {
                "total" => self.total,
                own if self.own_total == Some(own) => self.total,
                "count" => self.shown,
                "paging" | "page" if depth == 0 => {
                    self.write(value, 1);
                    continue;
                }
                _ => continue,
            };
            if matches!(value, Json::Number(_)) {
                *value = Json::Number(number.to_string());
            }
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
