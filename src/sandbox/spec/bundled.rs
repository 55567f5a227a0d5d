//! The specifications that are compiled in.

const OFX: &str = include_str!("../../../specs/bundled/ofx.json");
const MX: &str = include_str!("../../../specs/bundled/mx.json");
const OMNIFUND: &str = include_str!("../../../specs/bundled/omnifund.json");
const TATRABANKA: &str = include_str!("../../../specs/bundled/tatrabanka.json");
const FINEXER: &str = include_str!("../../../specs/bundled/finexer.json");

/// The specification of every provider whose feature is on.
pub(in crate::sandbox) const BUNDLES: &[&str] = &[
    #[cfg(feature = "ofx")]
    OFX,
    #[cfg(feature = "mx")]
    MX,
    #[cfg(feature = "omnifund")]
    OMNIFUND,
    #[cfg(feature = "tatrabanka")]
    TATRABANKA,
    #[cfg(feature = "finexer")]
    FINEXER,
];

/// That of a provider.
pub(in crate::sandbox) fn of(provider: &str) -> Option<&'static str> {
    match provider {
        "ofx" => Some(OFX),
        "mx" => Some(MX),
        "omnifund" => Some(OMNIFUND),
        "tatrabanka" => Some(TATRABANKA),
        "finexer" => Some(FINEXER),
        _ => None,
    }
}
