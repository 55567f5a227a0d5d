#![doc = include_str!("../README.md")]

mod checks;
mod document;
mod documentation;
mod emit;
mod error;
mod generate;
mod names;
mod pagination;
mod passes;
mod schemas;
mod transform;

pub use finrail_spec::vocabulary;

pub use error::{Error, Errors};
pub use generate::{Options, generate, tree};
