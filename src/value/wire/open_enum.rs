//! Enums of lists that may grow.

use std::fmt;

use serde::Deserializer;

use crate::value::canary::{self, Unmodelled};

/// A generated enum of a list that may grow.
pub trait OpenEnum: for<'t> From<&'t str> {
    /// The schema's name.
    const NAME: &'static str;

    /// Whether the value is not in the list.
    fn is_unknown(&self) -> bool;
}

/// Reads an open enum from a string, or from a number or a boolean as its text.
///
/// # Errors
///
/// When it is a list, an object or `null`.
pub fn open_enum<'de, T, D>(deserializer: D, expected: &str) -> Result<T, D::Error>
where
    T: OpenEnum,
    D: Deserializer<'de>,
{
    struct Visitor<'a, T>(&'a str, std::marker::PhantomData<T>);

    impl<T: OpenEnum> serde::de::Visitor<'_> for Visitor<'_, T> {
        type Value = T;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(self.0)
        }

        fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<T, E> {
            let value = T::from(text);
            if value.is_unknown() {
                canary::note(Unmodelled::EnumValue, || T::NAME.to_owned());
            }
            Ok(value)
        }

        fn visit_bool<E: serde::de::Error>(self, flag: bool) -> Result<T, E> {
            self.visit_str(&flag.to_string())
        }

        fn visit_i64<E: serde::de::Error>(self, number: i64) -> Result<T, E> {
            self.visit_str(&number.to_string())
        }

        fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<T, E> {
            self.visit_str(&number.to_string())
        }
    }

    deserializer.deserialize_any(Visitor(expected, std::marker::PhantomData))
}
