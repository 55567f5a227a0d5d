//! An error with all that is behind it, in one line for a log.

use std::error::Error;
use std::fmt;

/// An error as it is logged: its text, and after a colon each the texts of what is behind it.
///
/// No error of this crate has a secret in its text, nor has what it keeps as its source.
pub(crate) fn with_causes<'e>(error: &'e (dyn Error + 'static)) -> WithCauses<'e> {
    WithCauses(error)
}

/// What [`with_causes`] shows.
pub(crate) struct WithCauses<'e>(&'e (dyn Error + 'static));

impl fmt::Display for WithCauses<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        let mut at = self.0;
        while let Some(cause) = at.source() {
            write!(f, ": {cause}")?;
            at = cause;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("no token")]
    struct Outer(#[source] Inner);

    #[derive(Debug, thiserror::Error)]
    #[error("no connection")]
    struct Inner(#[source] fmt::Error);

    #[test]
    fn all_that_is_behind_an_error_is_in_its_line() {
        let shown = with_causes(&Outer(Inner(fmt::Error))).to_string();
        assert_eq!(shown, format!("no token: no connection: {}", fmt::Error));
    }
}
