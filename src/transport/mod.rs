//! Calls: credentials, attempts, the retry law, replies, pages, errors, and the runtime of the generated code.

mod charset;
mod connection_error;
mod core;
mod counted_pages;
mod credentials;
mod download;
mod ending;
mod error;
#[cfg(feature = "mock")]
mod exchange;
mod intent;
mod invalid_reply;
mod keys;
mod limits;
mod machine;
mod multipart;
mod no_content;
mod operation;
mod options;
mod outcome;
mod pages;
mod prepared;
mod raw;
mod reading;
mod request;
mod response;
mod retry;
mod secrets;
mod trace;
mod unreadable;
mod wire_log;

pub use crate::http::RetryAfter;
pub use connection_error::{ConnectionError, ConnectionPoint};
pub(crate) use core::{Core, Settings as CoreSettings};
pub(crate) use credentials::Credential;
pub use download::{ByteStream, DownloadError};
pub use error::{Error, InvalidRequest, MissingScope};
#[cfg(feature = "mock")]
pub(crate) use exchange::Exchange;
pub use intent::Intent;
pub use invalid_reply::{InvalidReply, Problem, RawBody};
pub(crate) use keys::{Keys, UnfitKey};
pub(crate) use limits::Limiter;
pub use limits::{LimitKind, Limited, Limits};
pub use multipart::FilePart;
pub use operation::{
    Authentication, Effect, ErrorProof, Grade, Key, KeyPlace, Limit, Lookup, MadeHeader, Operation, PaginationStyle,
};
pub use options::CallOptions;
pub(crate) use options::ExtraHeaders;
pub use outcome::{Outcome, Proof};
pub use pages::{Items, Pages};
pub use prepared::Prepared;
pub use raw::RawCall;
#[cfg(feature = "mock")]
pub(crate) use request::{form, parameter_texts};
pub use response::{MAX_BODY, ResponseValue};
pub use retry::RetryPolicy;
pub(crate) use secrets::ClientSecrets;
pub use unreadable::UnreadableItem;

/// What generated code calls with and no user needs. It is public by the numbered contract `rt::v1` alone, which promises
/// it to generated code; to users nothing is promised of it.
pub(crate) mod generated {
    pub use super::core::Core;
    pub use super::counted_pages::{Counted, Told, counted_pages, page_number, told, told_cursor_pages};
    pub use super::error::Failure;
    pub use super::multipart::{FileParts, Multipart, in_parts};
    pub use super::pages::{cursor_pages, items, link_pages, link_pages_of};
    pub use super::prepared::{prepare, prepare_again};
    pub use super::request::{FormStyle, QueryParam, RequestBuilderExt, encode_path};
    pub use super::response::Response;
}
