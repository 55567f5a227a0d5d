//! What a provider does with refresh tokens, as data.

use std::time::Duration;

/// How an expired access token is replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Renewal {
    /// The grant itself is used again: client credentials have no refresh token.
    Anew,
    /// With the refresh token (RFC 6749 section 6).
    Refresh,
}

/// What a provider does with refresh tokens.
///
/// ```
/// use std::time::Duration;
/// use finrail::token::Rotation;
///
/// const MX: Rotation = Rotation::new(Some(true), None);
/// const FORGIVING: Rotation = Rotation::new(Some(true), Some(Duration::from_secs(600)));
/// assert_eq!(MX.rotates, Some(true));
/// assert!(FORGIVING.grace.is_some());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rotation {
    /// A refresh brings a new refresh token and spends the old one; none: not documented, treated as if it did.
    pub rotates: Option<bool>,
    /// How long a spent refresh token still works after its successor was issued; none: not documented.
    pub grace: Option<Duration>,
    /// A spent refresh token, sent again, ends every token of the grant.
    pub reuse_revokes_family: bool,
    /// How long a consent lives, from the user's authorization on.
    pub consent_lifetime: Option<Duration>,
}

impl Rotation {
    /// Nothing documented: treated as rotating without grace.
    pub const UNKNOWN: Self = Self::new(None, None);

    /// What is documented about rotation and grace.
    #[must_use]
    pub const fn new(rotates: Option<bool>, grace: Option<Duration>) -> Self {
        Self {
            rotates,
            grace,
            reuse_revokes_family: false,
            consent_lifetime: None,
        }
    }

    /// A spent refresh token, sent again, ends every token of the grant (RFC 9700 section 4.14.2).
    #[must_use]
    pub const fn reuse_revokes_family(mut self, revokes: bool) -> Self {
        self.reuse_revokes_family = revokes;
        self
    }

    /// How long a consent lives, from the user's authorization on.
    #[must_use]
    pub const fn consent_lifetime(mut self, lifetime: Option<Duration>) -> Self {
        self.consent_lifetime = lifetime;
        self
    }

    /// Whether a refresh token may be spent by the request that carries it.
    pub(crate) const fn spends(&self) -> bool {
        !matches!(self.rotates, Some(false))
    }
}

impl Default for Rotation {
    fn default() -> Self {
        Self::UNKNOWN
    }
}
