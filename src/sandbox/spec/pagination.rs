//! `x-pagination`: how the reply of a list names the next part of the list.

use finrail_spec::json::Json;

/// Where the next part and the items stand in a reply, as JSON pointers.
pub(in crate::sandbox) struct Pagination {
    /// The next part is an address, and not a cursor.
    pub(in crate::sandbox) link: bool,
    pub(in crate::sandbox) next: String,
    /// The query parameter that takes the cursor.
    pub(in crate::sandbox) parameter: Option<String>,
    pub(in crate::sandbox) items: String,
}

impl Pagination {
    pub(super) fn read(node: &Json) -> Self {
        let text = |name: &str| node.get(name).and_then(Json::as_str);
        Self {
            link: text("style") == Some("link"),
            next: text("next").unwrap_or_default().to_owned(),
            parameter: text("parameter").map(str::to_owned),
            items: text("items").unwrap_or_default().to_owned(),
        }
    }
}
