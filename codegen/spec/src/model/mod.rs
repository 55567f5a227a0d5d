//! A document as those who act on it see it: its hosts, its authorization server, its operations.
//!
//! One reading for all of them. The code generator makes clients of it, regen and drift describe and compare it, the
//! sandbox plays it; what only one of them needs is its own. What cannot be read is a [`Fault`] with its place, and all
//! faults of a document are told at once.

mod content;
mod fault;
mod operation;
mod read;
mod schema;
mod security;
mod specification;

pub use content::{Body, Content, Parameter, Place, Reply};
pub use fault::{Fault, Wrong};
pub use operation::{METHODS, Operation};
pub use security::{Key, KeyPlace, Requirement};
pub use specification::{Flow, Server, Specification};
