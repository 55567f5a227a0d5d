//! A registered client.

/// A registered client: who it is, and where its users may be sent back to.
#[derive(Clone)]
pub(in crate::sandbox) struct Client {
    pub(in crate::sandbox) id: String,
    pub(in crate::sandbox) secret: String,
    pub(in crate::sandbox) name: String,
    pub(in crate::sandbox) redirect_uris: Vec<String>,
    pub(in crate::sandbox) access_key: (String, String),
    /// Empty: it has none, and opens nothing with one.
    pub(in crate::sandbox) key: String,
}
