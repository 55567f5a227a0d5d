//! A scope that does not fit the provider's rules.

/// A scope that does not fit the provider's rules. Nothing was sent.
///
/// The text names the scope and says what to ask for instead.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ScopeError(String);

impl ScopeError {
    pub(crate) fn new(reason: impl Into<String>) -> Self {
        Self(reason.into())
    }
}
