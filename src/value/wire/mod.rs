//! How single values are read from and written to the wire: exactly, and whatever form they came in.
//!
//! Generated types refer to these functions. They read JSON text itself, so a
//! number never passes through a binary float.

mod decimal;
mod lenient;
mod open_enum;
mod rest;
mod scalar;
mod tagged;

pub(crate) use decimal::decimal;
pub use decimal::{decimal_number, decimal_string};
pub(crate) use lenient::{Place, listed};
pub use lenient::{lenient_array, lenient_bool, lenient_string, map, null_as_default};
pub use open_enum::{OpenEnum, open_enum};
pub use rest::{KeepsTheRest, read_with_the_rest, write_with_the_rest};
pub(crate) use scalar::{Scalar, scalar};
pub use tagged::{of_kind, tagged, with_tag};
