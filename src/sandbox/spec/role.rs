//! What an operation does, by its path.
//!
//! `/things` is a collection when `/things/{id}` exists or it is read in pages, `POST` there creates, and
//! `/things/{id}/balance` is a view of one thing. Versions in a path name the same things.

use super::path::Segment;

/// What an operation does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::sandbox) enum Role {
    List,
    Create,
    Item,
    View,
}

/// What an operation on this thing does; `all` are the things of all operations, `paged` those that are read in pages.
pub(in crate::sandbox) fn role(thing: &[Segment], method: &str, paged: &[&[Segment]], all: &[Vec<Segment>]) -> Role {
    // `{id}` follows this path in some operation.
    let has_items = all
        .iter()
        .any(|other| other.starts_with(thing) && matches!(other.get(thing.len()), Some(Segment::Parameter(_))));
    let is_paged = paged.contains(&thing);
    let ends_in_parameter = matches!(thing.last(), Some(Segment::Parameter(_)));
    match method {
        "POST" if has_items || (is_paged && !ends_in_parameter) => Role::Create,
        _ if ends_in_parameter => Role::Item,
        "GET" if has_items || is_paged => Role::List,
        _ => Role::View,
    }
}
