#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

// Generated code names the crate from outside, so that it is the same here and in a user's crate.
#[allow(unused_extern_crates)] // without a provider there is no generated code
extern crate self as finrail;

mod app;
mod backoff;
pub mod canary;
mod config;
mod connection;
#[doc(hidden)]
pub mod fuzzing;
mod json;
pub mod oauth;
mod provider;
mod providers;
mod random;
#[cfg(feature = "sandbox")]
pub mod sandbox;
mod scope;
mod secret;
mod timestamp;
pub mod token;
pub mod transport;
mod unknown_kind;

pub use app::{App, AppBuilder, ClientBuilder};
pub use config::{ConfigError, Credentials, Hosts};
pub use connection::Connection;
pub use json::{Json, JsonMap};
pub use provider::{ClientKind, Environment, Provider, TypedClient, grant};
#[allow(unused_imports)] // without a provider feature there is none
pub use providers::*;
pub use rust_decimal::Decimal;
pub use scope::ScopeSet;
pub use secret::Secret;
pub use timestamp::Timestamp;
pub use transport::Error;
pub use unknown_kind::UnknownKind;

/// The crates that generated code refers to.
#[doc(hidden)]
pub mod rt {
    pub use {chrono, reqwest, serde, serde_json, uuid};
}
