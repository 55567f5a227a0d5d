//! Calls: credentials, attempts, the retry law, replies, pages, errors, and the runtime of the generated code.

mod connection_error;
mod core;
mod credentials;
mod download;
mod error;
mod invalid_reply;
mod operation;
mod outcome;
mod pages;
mod reading;
mod request;
mod response;
mod retry;

pub use connection_error::{ConnectionError, ConnectionPoint};
pub use core::Core;
pub(crate) use credentials::Credential;
pub use download::{ByteStream, DownloadError};
pub use error::{Error, Failure, InvalidRequest, MissingScope};
pub use invalid_reply::{InvalidReply, Problem, RawBody};
pub use operation::{Authentication, Effect, Grade, MadeHeader, Operation, PaginationStyle};
pub use outcome::Outcome;
pub use pages::{Items, Pages};
#[doc(hidden)]
pub use pages::{cursor_pages, items, link_pages};
#[doc(hidden)]
pub use request::{FormStyle, QueryParam, RequestBuilderExt, encode_path};
pub use response::{MAX_BODY, Response, ResponseValue};
pub use retry::RetryPolicy;
