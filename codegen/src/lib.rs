//! Turns one bundled OpenAPI specification into a typed finrail client.

mod document;
mod documentation;
mod emit;
mod error;
mod generate;
mod pagination;
mod passes;
mod transform;
pub mod vocabulary;

pub use error::{Error, Errors};
pub use generate::{Options, generate, tree};
