//! What is known of the schemas of a document beyond what progenitor understands.

use std::collections::BTreeMap;

/// What is known of a named schema beyond what progenitor understands.
#[derive(Default)]
pub(crate) struct SchemaNotes {
    pub description: Option<String>,
    /// Rust field name -> notes.
    pub fields: BTreeMap<String, FieldNotes>,
    pub wrapper: bool,
    /// The field that names the kind of an object, where one does (`x-tag`).
    pub tag: Option<String>,
    /// An object with one property, which a text may stand in for.
    pub or_text: bool,
    /// All its fields were described once: what is not is kept, and is news.
    pub is_known: bool,
    /// The values of an enum, as they are on the wire.
    pub values: Vec<String>,
}

/// One part of a body, or as many as a list has items.
pub(crate) struct PartNotes {
    pub wire: String,
    /// The field that has it.
    pub rust: String,
    pub is_file: bool,
    /// What the document says of what is in it.
    pub media_type: Option<String>,
}

/// What is known of a property beyond what progenitor understands.
#[derive(Default)]
pub(crate) struct FieldNotes {
    pub wire: String,
    pub description: Option<String>,
    pub aliases: Vec<String>,
    pub lenient_array: bool,
    /// It is sent in a body, and has to be there, if only as `null`.
    pub null_where_none: bool,
}
