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
