//! How single values are read from and written to the wire: exactly, and whatever form they came in.
//!
//! Generated types refer to these functions. They read JSON text itself, so a
//! number never passes through a binary float.

use std::fmt;

use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::Decimal;
use crate::canary::{self, Unmodelled};

/// The text of a scalar: a string without its quotes, anything else as it stands.
enum Scalar {
    Null,
    Text(String),
    Bare(String),
}

fn scalar<'de, D: Deserializer<'de>>(deserializer: D, expected: &str) -> Result<Scalar, D::Error> {
    let raw = Box::<RawValue>::deserialize(deserializer)?;
    let text = raw.get();
    match text.as_bytes().first() {
        Some(b'"') => serde_json::from_str(text)
            .map(Scalar::Text)
            .map_err(|_| D::Error::custom(format!("expected {expected}"))),
        Some(b'n') => Ok(Scalar::Null),
        Some(b'{' | b'[') | None => Err(D::Error::custom(format!("expected {expected}"))),
        Some(_) => Ok(Scalar::Bare(text.to_owned())),
    }
}

/// Digit for digit, or not at all.
fn decimal(text: &str) -> Option<Decimal> {
    let text = text.trim();
    if text.contains(['e', 'E']) {
        return Decimal::from_scientific(text).ok();
    }
    Decimal::from_str_exact(text).ok()
}

const A_DECIMAL: &str = "a decimal of at most 28 digits";

/// A decimal that is a JSON number on the wire; a string is read too.
pub mod decimal_number {
    use super::*;
    use serde::{Serialize, Serializer};

    /// Writes a JSON number with the decimal's own digits.
    ///
    /// # Errors
    ///
    /// As the serializer.
    pub fn serialize<S: Serializer>(value: &Decimal, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::Error as _;
        let raw = RawValue::from_string(value.to_string()).map_err(|_| S::Error::custom("not a number"))?;
        raw.serialize(serializer)
    }

    /// Reads a number or a string, digit for digit.
    ///
    /// # Errors
    ///
    /// When it is no decimal, or has more digits than a decimal holds.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Decimal, D::Error> {
        match scalar(deserializer, A_DECIMAL)? {
            Scalar::Text(text) | Scalar::Bare(text) => decimal(&text),
            Scalar::Null => None,
        }
        .ok_or_else(|| D::Error::custom(format!("expected {A_DECIMAL}")))
    }

    /// The same for a value that may be absent.
    pub mod option {
        use super::*;

        /// Writes a JSON number, or `null`.
        ///
        /// # Errors
        ///
        /// As the serializer.
        #[allow(clippy::ref_option)]
        pub fn serialize<S: Serializer>(value: &Option<Decimal>, serializer: S) -> Result<S::Ok, S::Error> {
            match value {
                Some(value) => super::serialize(value, serializer),
                None => serializer.serialize_none(),
            }
        }

        /// Reads a number, a string, `null` or an empty string.
        ///
        /// # Errors
        ///
        /// When it is no decimal, or has more digits than a decimal holds.
        pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Decimal>, D::Error> {
            let text = match scalar(deserializer, A_DECIMAL)? {
                Scalar::Null => return Ok(None),
                Scalar::Text(text) if text.trim().is_empty() => return Ok(None),
                Scalar::Text(text) | Scalar::Bare(text) => text,
            };
            decimal(&text)
                .map(Some)
                .ok_or_else(|| D::Error::custom(format!("expected {A_DECIMAL}")))
        }
    }
}

/// A decimal that is a JSON string on the wire; a number is read too.
pub mod decimal_string {
    use super::*;
    use serde::Serializer;

    pub use super::decimal_number::deserialize;

    /// Writes a JSON string with the decimal's own digits.
    ///
    /// # Errors
    ///
    /// As the serializer.
    pub fn serialize<S: Serializer>(value: &Decimal, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(value)
    }

    /// The same for a value that may be absent.
    pub mod option {
        use super::*;

        pub use super::super::decimal_number::option::deserialize;

        /// Writes a JSON string, or `null`.
        ///
        /// # Errors
        ///
        /// As the serializer.
        #[allow(clippy::ref_option)]
        pub fn serialize<S: Serializer>(value: &Option<Decimal>, serializer: S) -> Result<S::Ok, S::Error> {
            match value {
                Some(value) => super::serialize(value, serializer),
                None => serializer.serialize_none(),
            }
        }
    }
}

/// A boolean, whatever form it came in: `true`, `1`, `"1"`, `"true"`.
pub mod lenient_bool {
    use super::*;
    use serde::Serializer;

    fn read(text: &str) -> Option<bool> {
        match text.trim().to_ascii_lowercase().as_str() {
            "true" | "1" | "y" | "yes" => Some(true),
            "false" | "0" | "n" | "no" | "" => Some(false),
            _ => None,
        }
    }

    /// Writes a JSON boolean.
    ///
    /// # Errors
    ///
    /// As the serializer.
    pub fn serialize<S: Serializer>(value: &bool, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bool(*value)
    }

    /// Reads a boolean in any of its forms.
    ///
    /// # Errors
    ///
    /// When it is none of them.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
        option::deserialize(deserializer)?.ok_or_else(|| D::Error::custom("expected a boolean, 0 or 1"))
    }

    /// The same for a value that may be absent.
    pub mod option {
        use super::*;

        /// Writes a JSON boolean, or `null`.
        ///
        /// # Errors
        ///
        /// As the serializer.
        #[allow(clippy::ref_option)]
        pub fn serialize<S: Serializer>(value: &Option<bool>, serializer: S) -> Result<S::Ok, S::Error> {
            match value {
                Some(value) => serializer.serialize_bool(*value),
                None => serializer.serialize_none(),
            }
        }

        /// Reads a boolean in any of its forms, or `null`.
        ///
        /// # Errors
        ///
        /// When it is none of them.
        pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<bool>, D::Error> {
            match scalar(deserializer, "a boolean, 0 or 1")? {
                Scalar::Null => Ok(None),
                Scalar::Text(text) | Scalar::Bare(text) => read(&text)
                    .map(Some)
                    .ok_or_else(|| D::Error::custom("expected a boolean, 0 or 1")),
            }
        }
    }
}

/// A text, whatever form it came in: a number or a boolean is its own text.
pub mod lenient_string {
    use super::*;
    use serde::Serializer;

    /// Writes a JSON string.
    ///
    /// # Errors
    ///
    /// As the serializer.
    pub fn serialize<S: Serializer>(value: &str, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(value)
    }

    /// Reads a string, a number or a boolean.
    ///
    /// # Errors
    ///
    /// When it is a list, an object or `null`.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
        option::deserialize(deserializer)?.ok_or_else(|| D::Error::custom("expected a text"))
    }

    /// The same for a value that may be absent.
    pub mod option {
        use super::*;

        /// Writes a JSON string, or `null`.
        ///
        /// # Errors
        ///
        /// As the serializer.
        #[allow(clippy::ref_option)]
        pub fn serialize<S: Serializer>(value: &Option<String>, serializer: S) -> Result<S::Ok, S::Error> {
            match value {
                Some(value) => serializer.serialize_str(value),
                None => serializer.serialize_none(),
            }
        }

        /// Reads a string, a number, a boolean or `null`.
        ///
        /// # Errors
        ///
        /// When it is a list or an object.
        pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
            match scalar(deserializer, "a text")? {
                Scalar::Null => Ok(None),
                Scalar::Text(text) | Scalar::Bare(text) => Ok(Some(text)),
            }
        }
    }
}

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

/// Reads `null` as the empty value: an empty list, an empty map.
///
/// # Errors
///
/// As the type itself.
pub fn null_as_default<'de, T, D>(deserializer: D) -> Result<T, D::Error>
where
    T: Default + Deserialize<'de>,
    D: Deserializer<'de>,
{
    Option::<T>::deserialize(deserializer).map(Option::unwrap_or_default)
}

/// Reads a list in the forms that providers are known to use: a list, a list
/// of lists, an object of lists (one after the other), a single object, `null`.
///
/// # Errors
///
/// When it is none of them, or an item does not fit.
pub fn lenient_array<'de, T, D>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    T: DeserializeOwned,
    D: Deserializer<'de>,
{
    fn item<T: DeserializeOwned, E: serde::de::Error>(raw: &RawValue) -> Result<T, E> {
        super::response::decode(raw.get().as_bytes()).map_err(|problem| match problem {
            super::error::Problem::Decode { path, reason } => E::custom(format!("expected an item: {path}: {reason}")),
            _ => E::custom("expected an item"),
        })
    }

    fn list<T: DeserializeOwned, E: serde::de::Error>(raw: &RawValue, out: &mut Vec<T>) -> Result<(), E> {
        let items: Vec<&RawValue> = serde_json::from_str(raw.get()).map_err(|_| E::custom("expected a list"))?;
        for raw in items {
            if raw.get().starts_with('[') {
                list(raw, out)?;
            } else {
                out.push(item(raw)?);
            }
        }
        Ok(())
    }

    let raw = Box::<RawValue>::deserialize(deserializer)?;
    let mut out = Vec::new();
    match raw.get().as_bytes().first() {
        Some(b'n') => {}
        Some(b'[') => list(&raw, &mut out)?,
        Some(b'{') => {
            let fields: Vec<(String, Box<RawValue>)> = serde_json::from_str::<Fields>(raw.get())
                .map_err(|_| D::Error::custom("expected a list"))?
                .0;
            let lists: Vec<&Box<RawValue>> = fields
                .iter()
                .map(|(_, value)| value)
                .filter(|value| value.get().starts_with('['))
                .collect();
            if lists.is_empty() {
                // `{"booked": null, "pending": null}` and `{}` are empty lists; anything else is one item.
                if fields.iter().any(|(_, value)| value.get() != "null") {
                    out.push(item(&raw)?);
                }
            } else {
                for value in lists {
                    list(value, &mut out)?;
                }
            }
        }
        _ => return Err(D::Error::custom("expected a list")),
    }
    Ok(out)
}

/// The fields of an object in their order.
struct Fields(Vec<(String, Box<RawValue>)>);

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;

        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = Fields;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Fields, A::Error> {
                let mut fields = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    fields.push(entry);
                }
                Ok(Fields(fields))
            }
        }

        deserializer.deserialize_map(Visitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Serialize;

    #[derive(Debug, Serialize, Deserialize, PartialEq)]
    struct Amounts {
        #[serde(with = "decimal_number")]
        number: Decimal,
        #[serde(with = "decimal_string")]
        string: Decimal,
        #[serde(default, with = "decimal_number::option", skip_serializing_if = "Option::is_none")]
        maybe: Option<Decimal>,
    }

    #[test]
    fn decimals_survive_digit_for_digit_as_number_and_as_string() {
        let text = r#"{"number":12345678901234567.89,"string":"12345678901234567.89","maybe":0.10}"#;
        let amounts: Amounts = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&amounts).unwrap(), text);
        let swapped = r#"{"number":"12345678901234567.89","string":12345678901234567.89,"maybe":"0.10"}"#;
        assert_eq!(serde_json::from_str::<Amounts>(swapped).unwrap(), amounts);
    }

    #[test]
    fn a_decimal_with_too_many_digits_is_refused_and_not_rounded() {
        let text = r#"{"number":0.12345678901234567890123456789,"string":"1"}"#;
        let error = serde_json::from_str::<Amounts>(text).unwrap_err().to_string();
        assert!(error.contains("28 digits") && !error.contains("0.123"), "{error}");
    }

    #[test]
    fn decimals_are_read_from_every_form_that_json_has() {
        for (form, expected) in [
            ("1e3", "1000"),
            ("-0.5", "-0.5"),
            ("\" 7.00 \"", "7.00"),
            ("1.5E-2", "0.015"),
        ] {
            let text = format!(r#"{{"number":{form},"string":"1"}}"#);
            assert_eq!(
                serde_json::from_str::<Amounts>(&text).unwrap().number.to_string(),
                expected
            );
        }
        for form in ["true", "[1]", "{}", "null", "\"\"", "\"abc\""] {
            let text = format!(r#"{{"number":{form},"string":"1"}}"#);
            assert!(serde_json::from_str::<Amounts>(&text).is_err(), "{form}");
        }
        let absent: Amounts = serde_json::from_str(r#"{"number":1,"string":"1","maybe":null}"#).unwrap();
        assert_eq!(absent.maybe, None);
    }

    #[derive(Debug, Deserialize, PartialEq)]
    struct List {
        #[serde(default, deserialize_with = "lenient_array")]
        items: Vec<Item>,
    }

    #[derive(Debug, Deserialize, PartialEq)]
    struct Item {
        #[serde(with = "decimal_number")]
        n: Decimal,
    }

    #[test]
    fn lists_are_read_from_every_form_that_providers_use() {
        for (form, expected) in [
            (r#"{"items":[{"n":1},{"n":2}]}"#, 2),
            (r#"{"items":[[{"n":1},{"n":2}],[{"n":3}]]}"#, 3),
            (r#"{"items":{"booked":[{"n":1}],"pending":[{"n":2}],"total":2}}"#, 2),
            (r#"{"items":{"n":1}}"#, 1),
            (r#"{"items":{"booked":null}}"#, 0),
            (r#"{"items":null}"#, 0),
            (r#"{"items":{}}"#, 0),
            (r"{}", 0),
        ] {
            let list: List = serde_json::from_str(form).unwrap_or_else(|e| panic!("{form}: {e}"));
            assert_eq!(list.items.len(), expected, "{form}");
        }
        assert!(serde_json::from_str::<List>(r#"{"items":7}"#).is_err());
    }

    #[test]
    fn booleans_are_read_from_every_form_that_providers_use() {
        #[derive(Deserialize)]
        struct Flag {
            #[serde(default, with = "lenient_bool::option")]
            on: Option<bool>,
        }
        for (form, expected) in [
            ("true", Some(true)),
            ("0", Some(false)),
            ("1", Some(true)),
            ("\"1\"", Some(true)),
            ("\"\"", Some(false)),
            ("null", None),
        ] {
            let flag: Flag = serde_json::from_str(&format!(r#"{{"on":{form}}}"#)).unwrap();
            assert_eq!(flag.on, expected, "{form}");
        }
        assert!(serde_json::from_str::<Flag>(r#"{"on":"maybe"}"#).is_err());
    }
}
