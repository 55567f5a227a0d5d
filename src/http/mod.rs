//! One HTTP client, and what every exchange needs, with the authorization server as with the resources.

mod asked_again;
mod backoff;
mod body;
mod challenge;
mod client;
mod config_error;
mod content_encoding;
mod deadline;
pub(crate) mod meter;
mod no_reply;
mod proxy;
mod random;
mod read;
#[cfg(test)]
mod refusing_server;
mod retry_after;
mod tls;

pub(crate) use asked_again::watched;
pub(crate) use backoff::{Backoff, spread};
pub(crate) use body::{Departure, nothing_once, sent_once, sent_once_while};
pub(crate) use challenge::challenge_is_invalid_token;
#[cfg(any(test, feature = "redis"))]
pub(crate) use client::install_crypto;
pub(crate) use client::{
    check_issuer, client_with, default_client, endpoint_url, has_user_info, host_of, is_loopback, is_loopback_literal,
    is_same_origin, secure_url,
};
pub use config_error::{ConfigError, HttpClientError, TlsError};
pub(crate) use content_encoding::{Encoding, Pieces, decoded, encodings, is_said_to_be_compressed};
pub(crate) use deadline::within;
pub(crate) use no_reply::NoReply;
pub(crate) use random::Random;
pub(crate) use read::{ReadError, read, without_mark};
pub use retry_after::RetryAfter;
pub(crate) use retry_after::retry_after;
