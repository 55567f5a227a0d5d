//! What a document must be before anything is made from it.

pub mod examples;
pub mod extensions;
pub mod rules;
pub mod structure;
