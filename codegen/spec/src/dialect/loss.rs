//! What a document says no more in OpenAPI 3.0.

/// Something that OpenAPI 3.0 cannot say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loss {
    /// JSON pointer to the place in the document as it was written.
    pub pointer: String,
    /// How much it matters.
    pub weight: Weight,
    /// What is lost, in words.
    pub what: String,
}

/// How much a loss matters to whoever uses the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weight {
    /// A rule for values that a server checks: a client reads and writes the same without it.
    Rule,
    /// A value is read as any JSON, or a part is left out.
    Meaning,
}
