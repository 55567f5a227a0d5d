//! Resources: made from the examples, kept while the sandbox runs, and looked at by calls.

mod call;
mod document;
mod envelope;
mod filter;
mod identity;
mod location;
mod paging;
mod record;
mod seed;
mod store;

pub(super) use self::call::Call;
pub(super) use self::document::{entity_reply, overlay, project, same_fields, update};
pub(super) use self::envelope::entity_of;
pub(super) use self::filter::{check_ranges, compare, field_of, first, last, passes};
pub(super) use self::identity::{id_of, mentions, rename, set_id};
pub(super) use self::location::Location;
pub(super) use self::paging::Page;
pub(super) use self::record::Record;
pub(super) use self::store::Store;
