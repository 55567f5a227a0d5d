//! The specifications that are compiled in.

use finrail_spec::json::Json;

/// The specification of every provider whose feature is on.
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

const ALL: [&str; 5] = [
    include_str!("../../../specs/bundled/ofx.json"),
    include_str!("../../../specs/bundled/mx.json"),
    include_str!("../../../specs/bundled/omnifund.json"),
    include_str!("../../../specs/bundled/tatrabanka.json"),
    include_str!("../../../specs/bundled/finexer.json"),
];

/// Id and specification of every provider, whether its feature is on or not.
pub(in crate::sandbox) fn all() -> Vec<(String, &'static str)> {
    let id = |bundle: &str| {
        let root = Json::parse(bundle).ok()?;
        root.at(&["x-provider", "id"])?.as_str().map(str::to_owned)
    };
    let all = ALL.iter().copied();
    all.filter_map(|bundle| Some((id(bundle)?, bundle))).collect()
}
