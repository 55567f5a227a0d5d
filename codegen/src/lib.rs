#![doc = include_str!("../README.md")]

mod checks;
mod document;
mod documentation;
mod emit;
mod error;
mod generate;
mod lines;
mod names;
mod pagination;
mod passes;
mod schemas;
mod transform;
pub mod vocabulary;

pub use error::{Error, Errors};
pub use generate::{Options, generate, tree};
