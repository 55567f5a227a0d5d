//! Everything that touches the wire: errors, replies, the retry law, pages, and the runtime of the generated code.

mod bearer;
mod body;
mod core;
mod error;
pub(crate) mod http;
mod operation;
mod pages;
mod request;
mod response;
mod retry;
#[doc(hidden)]
pub mod wire;

pub use bearer::{Bearer, Rejection, TokenSource};
pub(crate) use body::sent_once;
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
pub(crate) use response::{ReadError, read, without_mark};
pub use retry::RetryPolicy;
pub(crate) use retry::retry_after;
