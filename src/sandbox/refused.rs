//! Refusals, before they are said in the provider's own form.

/// Why a call for a resource is refused.
#[derive(Debug)]
pub(super) struct Refused {
    pub(super) status: u16,
    /// The provider's own code, where it is another than the status has.
    pub(super) code: Option<&'static str>,
    pub(super) message: String,
}

/// A refusal with the code that the status has.
pub(super) fn refused(status: u16, message: impl Into<String>) -> Refused {
    Refused {
        status,
        code: None,
        message: message.into(),
    }
}

impl Refused {
    /// With a code of its own.
    pub(super) fn coded(self, code: Option<&'static str>) -> Self {
        Self { code, ..self }
    }
}
