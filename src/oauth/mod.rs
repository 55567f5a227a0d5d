//! Requests to an authorization server.

pub mod wire;
