//! What an application meets first: settings, grants, the connections of its users, and what a provider's module
//! says of the provider.

mod any_error;
mod application;
mod authorization;
mod builder;
mod client_builder;
mod connection;
mod credentials;
mod doubt;
mod erasure;
mod given_source;
mod grants;
mod keep_alive;
mod logins;
mod provider;

pub use any_error::AnyError;
pub use application::App;
pub use builder::AppBuilder;
pub use client_builder::ClientBuilder;
pub use connection::Connection;
pub use credentials::Credentials;
pub use doubt::{Doubt, DoubtError, Evidence, Found};
pub use erasure::{Erased, Erasure};
pub use grants::{GrantState, Grants, ListedGrant};
pub use keep_alive::{KeepAlive, KeptAlive};
pub use provider::{ClientKind, Environment, Hosts, Provider, TypedClient, grant};
