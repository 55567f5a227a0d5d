//! Formats that stand for the library's own types in what progenitor reads; [`crate::generate`] maps them.

pub(crate) const DECIMAL: &str = "finrail-decimal";
pub(crate) const FILE: &str = "finrail-file";
pub(crate) const SECRET: &str = "finrail-secret";
pub(crate) const BOOLEAN: &str = "finrail-lenient-boolean";
pub(crate) const STRING: &str = "finrail-lenient-string";
pub(crate) const TIMESTAMP: &str = "finrail-timestamp";
