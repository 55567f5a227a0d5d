//! Answers to calls for resources. What an operation does follows from its path (`spec/role.rs`).

mod create;
mod item;
mod list;
mod reply;
mod view;

use super::http::Reply;
use super::particular::Particular;
use super::refused::{Refused, refused};
use super::resource::{Call, Store};
use super::spec::Role;

/// Answers a call.
pub(super) fn answer(store: &mut Store, call: &Call<'_>, particular: &dyn Particular) -> Result<Reply, Refused> {
    // Every thing that the path goes through must exist.
    if let Some(name) = store.missing_above(call.spec, &call.location()) {
        let missing = refused(404, format!("no {name} like this exists"));
        return Err(missing.coded(particular.missing_code(call, name)));
    }
    match call.operation.role {
        Role::List => list::list(store, call, particular),
        Role::Create => create::create(store, call, particular),
        Role::Item => item::item(store, call, particular),
        Role::View => view::view(store, call, particular),
    }
}
