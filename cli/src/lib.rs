//! Tasks that cargo has not: `regen` makes the bundles from the hand-written specifications.
//!
//! A library, so that tests drive the same code as the command and read the
//! text that people read.

pub mod bundle;
pub mod document;
pub mod drift;
pub mod examples;
pub mod git;
pub mod grammar;
pub mod outline;
pub mod pages;
pub mod problem;
pub mod provider;
pub mod regen;
pub mod rules;
pub mod shell;
pub mod structure;
pub mod surface;
pub mod usage;
pub mod vocabulary;
pub mod wire_schemas;
pub mod workspace;
pub mod yaml;
