//! What finrail does with specifications beside generating clients: `import` makes them of what providers publish, `regen`
//! makes what derives from them, `drift` holds them against evidence of what the provider does now.
//!
//! A library: each command is a caller with arguments of its own, and tests drive the same code and read the text that
//! people read.

pub mod addresses;
pub mod drift;
pub mod git;
pub mod import;
pub mod new;
pub mod outline;
pub mod pages;
pub mod place;
pub mod provider;
pub mod regen;
#[cfg(feature = "sandbox")]
pub mod sandbox;
pub mod shell;
pub mod surface;
pub mod tasks;
pub mod usage;
mod whole;
pub mod wire_schemas;
pub mod workspace;
