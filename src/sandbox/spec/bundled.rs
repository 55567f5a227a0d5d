//! The specifications that are compiled in: those of the providers whose feature is on.

/// The specification of every provider that is compiled in.
pub(in crate::sandbox) const BUNDLES: &[&str] = &[
    #[cfg(feature = "ofx")]
    include_str!("../../../specs/bundled/ofx.json"),
    #[cfg(feature = "mx")]
    include_str!("../../../specs/bundled/mx.json"),
    #[cfg(feature = "omnifund")]
    include_str!("../../../specs/bundled/omnifund.json"),
    #[cfg(feature = "tatrabanka")]
    include_str!("../../../specs/bundled/tatrabanka.json"),
    #[cfg(feature = "finexer")]
    include_str!("../../../specs/bundled/finexer.json"),
];
