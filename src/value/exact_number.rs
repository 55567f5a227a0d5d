//! What an amount may be set from.

use rust_decimal::Decimal;

/// A value with exact digits, from which a setter takes an amount: [`Decimal`](crate::Decimal), an integer, or a text.
///
/// `0.1` as a binary float is another number, and so is what a calculation with floats gives. They do not compile:
///
/// ```compile_fail,E0277
/// use finrail::ofx;
///
/// let quote = ofx::types::Quote::builder().buy_amount(1100.10);
/// ```
///
/// ```
/// # #[cfg(feature = "ofx")] {
/// use finrail::{Decimal, ofx};
///
/// let quote = ofx::types::Quote::builder();
/// let quote = quote.buy_amount(Decimal::new(110_010, 2)); // 1100.10
/// let quote = quote.buy_amount(1100);
/// let quote = quote.buy_amount("1100.10");
/// # let _ = quote;
/// # }
/// ```
///
/// A type of your own that becomes a `Decimal` digit for digit may say so: implement this trait beside
/// `From<Money> for Decimal`.
#[diagnostic::on_unimplemented(
    message = "an amount is not set from `{Self}`",
    label = "this may have other digits than were meant",
    note = "give a `finrail::Decimal`, an integer, or a text such as \"12.30\"; a binary float is not exact"
)]
pub trait ExactNumber {}

macro_rules! exact {
    ($($number:ty),*) => { $(impl ExactNumber for $number {})* };
}

exact!(
    Decimal, i8, i16, i32, i64, i128, isize, u8, u16, u32, u64, u128, usize, &str
);
