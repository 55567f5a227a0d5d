//! Which media type of one document is which of the other.

use finrail_spec::media_type::is_json;
use finrail_spec::pointer::join;
use serde_json::Value;

fn essence(media: &str) -> String {
    media.split(';').next().unwrap_or_default().trim().to_lowercase()
}

pub(super) fn same_media(one: &str, other: &str) -> bool {
    essence(one) == essence(other) || is_json(one) && is_json(other)
}

/// The media type of a body that is the one of ours: by name, or JSON for JSON.
pub(super) fn chosen<'v>(ours: &str, theirs: &'v serde_json::Map<String, Value>) -> Option<(&'v String, &'v Value)> {
    let exact = theirs.iter().find(|(name, _)| essence(name) == essence(ours));
    exact.or_else(|| theirs.iter().find(|(name, _)| same_media(name, ours)))
}

pub(super) fn place_of_media(at: &str, media: &str) -> String {
    join(&join(&join(at, "content"), media), "schema")
}
