//! What is particular to each provider: one file for each.

mod finexer;
mod mx;
mod ofx;
mod omnifund;
mod tatrabanka;

use super::particular::Particular;

/// A provider of which nothing is known but its specification.
struct Plain;

impl Particular for Plain {}

/// What is particular to the provider with this id; nothing, when it is none of the five.
pub(super) fn particular(id: &str) -> &'static dyn Particular {
    match id {
        "ofx" => &ofx::Ofx,
        "mx" => &mx::Mx,
        "omnifund" => &omnifund::OmniFund,
        "tatrabanka" => &tatrabanka::TatraBanka,
        "finexer" => &finexer::Finexer,
        _ => &Plain,
    }
}
