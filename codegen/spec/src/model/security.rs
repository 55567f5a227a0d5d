//! What a call has to show: one alternative of `security`.

/// One alternative of an operation's `security`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Requirement {
    /// Nothing in a header.
    Nothing,
    /// The access token of a grant (`oauth`).
    Bearer {
        /// The scopes that it must have.
        scopes: Vec<String>,
    },
    /// Client id and secret in HTTP Basic (`clientBasic`).
    ClientBasic,
    /// An access key in HTTP Basic (`accessKey`).
    AccessKey,
    /// The credential of client registration (`registrationToken`).
    RegistrationToken,
}

/// A key that an alternative needs (`apiKey`, or `http` with the scheme `bearer`, beside `oauth`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// The name of its security scheme.
    pub scheme: String,
    /// Where it stands.
    pub place: KeyPlace,
    /// The name of the header or of the query parameter.
    pub name: String,
    /// The place of its alternative in `security`.
    pub way: usize,
}

/// Where a key stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyPlace {
    /// In a header of its own.
    Header,
    /// In a parameter of the query.
    Query,
    /// As a bearer credential that nobody refreshes.
    Bearer,
}

impl Requirement {
    /// The name of its security scheme in a document.
    #[must_use]
    pub fn scheme(&self) -> Option<&'static str> {
        match self {
            Self::Nothing => None,
            Self::Bearer { .. } => Some("oauth"),
            Self::ClientBasic => Some("clientBasic"),
            Self::AccessKey => Some("accessKey"),
            Self::RegistrationToken => Some("registrationToken"),
        }
    }
}
