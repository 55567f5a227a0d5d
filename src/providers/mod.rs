//! The providers' modules: generated from their specifications, and the little that is particular to each.

#[cfg(feature = "finexer")]
pub mod finexer;
#[cfg(feature = "mx")]
pub mod mx;
#[cfg(feature = "ofx")]
pub mod ofx;
#[cfg(feature = "omnifund")]
pub mod omnifund;
#[cfg(feature = "tatrabanka")]
pub mod tatrabanka;
