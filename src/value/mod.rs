//! What the wire carries: secrets, scopes, amounts, times, and JSON that nobody described. It knows nothing of HTTP,
//! tokens or providers.

pub mod canary;
mod causes;
pub(crate) mod decode;
pub(crate) mod error_in_success;
mod exact_number;
pub(crate) mod fields;
mod json;
pub(crate) mod next_page;
mod objects;
mod outcome_words;
mod place;
mod scope;
mod scope_error;
mod secret;
mod secret_header;
mod timestamp;
mod unknown_kind;
#[doc(hidden)]
pub mod wire;

pub(crate) use causes::with_causes;
pub use exact_number::ExactNumber;
pub use json::{Json, JsonMap};
pub use rust_decimal::Decimal;
pub use scope::ScopeSet;
pub use scope_error::ScopeError;
pub use secret::Secret;
pub(crate) use secret::is_unseen;
pub(crate) use secret_header::{copied, secret_header};
pub use timestamp::Timestamp;
pub use unknown_kind::UnknownKind;
