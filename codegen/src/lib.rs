//! Turns one bundled OpenAPI specification into a typed finrail client.

pub mod vocabulary;
