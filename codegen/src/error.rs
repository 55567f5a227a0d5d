//! Why a bundle could not be turned into a client.

use std::fmt;

/// What is wrong with a bundle, and where.
///
/// The text names the file, the line and the operation where they are known,
/// then the reason and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    /// The bundle's file name, as it was given.
    pub file: String,
    /// Line in the file, counted from 1; none when the problem has no line of its own.
    pub line: Option<usize>,
    /// The operation, when the problem belongs to one.
    pub operation: Option<String>,
    /// What is wrong and what to do.
    pub reason: String,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file)?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        write!(f, ": ")?;
        if let Some(operation) = &self.operation {
            write!(f, "operation `{operation}`: ")?;
        }
        f.write_str(&self.reason)
    }
}

impl std::error::Error for Error {}

/// Every problem of a bundle, one on a line.
#[derive(Clone, PartialEq, Eq)]
pub struct Errors(pub Vec<Error>);

impl fmt::Display for Errors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, error) in self.0.iter().enumerate() {
            if n > 0 {
                writeln!(f)?;
            }
            write!(f, "{error}")?;
        }
        Ok(())
    }
}

/// As [`Display`](fmt::Display): `main` of a build script prints this of the error that it returns.
impl fmt::Debug for Errors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for Errors {}

impl From<Error> for Errors {
    fn from(error: Error) -> Self {
        Self(vec![error])
    }
}
