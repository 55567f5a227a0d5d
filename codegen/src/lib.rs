#![doc = include_str!("../README.md")]

mod argument;
mod checks;
mod document;
mod documentation;
mod emit;
mod error;
mod format;
mod generate;
mod notes;
mod passes;
mod prose;
mod schemas;
mod shared;
mod transform;

pub use finrail_spec::vocabulary;

pub use error::{Error, Errors};
pub use generate::{Options, generate, tree};
