//! Everything that touches the wire: errors, replies, the retry law, pages, and the runtime of the generated code.

mod core;
mod error;
mod operation;
mod pages;
mod request;
mod response;
mod retry;

#[doc(hidden)]
pub use crate::value::wire;
pub use core::Core;
pub(crate) use core::Credential;
pub use error::{ConnectionError, ConnectionPoint, Error, Failure, InvalidReply, MissingScope, Outcome, Problem};
pub use operation::{Authentication, Effect, Grade, MadeHeader, Operation, PaginationStyle};
pub use pages::{Items, Pages};
#[doc(hidden)]
pub use pages::{cursor_pages, items, link_pages};
#[doc(hidden)]
pub use request::{FormStyle, QueryParam, RequestBuilderExt, encode_path};
pub use response::{ByteStream, DownloadError, MAX_BODY, RawBody, Response, ResponseValue};
pub use retry::RetryPolicy;
