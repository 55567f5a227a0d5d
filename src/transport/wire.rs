//! How single values are read from and written to the wire: exactly, and whatever form they came in.
//!
//! Generated types refer to these functions. They read JSON text itself, so a
//! number never passes through a binary float.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::value::{MapAccessDeserializer, StringDeserializer};
use serde::de::{DeserializeOwned, DeserializeSeed, Error as _, IntoDeserializer as _, MapAccess};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

use crate::canary::{self, Unmodelled};
use crate::{Decimal, Json, JsonMap};

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
pub(crate) fn decimal(text: &str) -> Option<Decimal> {
    let text = text.trim();
    let Some((mantissa, exponent)) = text.split_once(['e', 'E']) else {
        return Decimal::from_str_exact(text).ok();
    };
    let mantissa = Decimal::from_str_exact(mantissa).ok()?;
    let (mut digits, mut scale) = (mantissa.mantissa(), i64::from(mantissa.scale()));
    scale = scale.checked_sub(exponent.parse().ok()?)?;
    if digits == 0 {
        return Some(Decimal::ZERO);
    }
    while scale < 0 {
        digits = digits.checked_mul(10)?;
        scale += 1;
    }
    while scale > i64::from(Decimal::MAX_SCALE) && digits % 10 == 0 {
        digits /= 10;
        scale -= 1;
    }
    Decimal::try_from_i128_with_scale(digits, u32::try_from(scale).ok()?).ok()
}

const A_DECIMAL: &str = "a decimal of at most 28 digits";

/// A decimal that is a JSON number on the wire; a string is read too.
pub mod decimal_number {
    use super::*;

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

/// Reads a part that was kept as text. Its path goes into the error, because whoever reads the whole sees only
/// where the part is: [`decode`](super::response::decode) puts the two together.
fn part<T: DeserializeOwned, E: serde::de::Error>(raw: &RawValue, at: impl FnOnce() -> String) -> Result<T, E> {
    super::response::decode_part(raw.get()).map_err(|(inside, reason)| {
        let path = super::response::below(&at(), &inside);
        E::custom(format!("at `{path}`: {reason}"))
    })
}

/// Reads an object whose keys are the provider's or the user's own. No error names such a key.
///
/// # Errors
///
/// When it is neither an object nor `null`, or a value does not fit.
pub fn map<'de, T, D>(deserializer: D) -> Result<BTreeMap<String, T>, D::Error>
where
    T: DeserializeOwned,
    D: Deserializer<'de>,
{
    let raw = Box::<RawValue>::deserialize(deserializer)?;
    if raw.get() == "null" {
        return Ok(BTreeMap::new());
    }
    let fields: Fields = serde_json::from_str(raw.get()).map_err(|_| D::Error::custom("expected an object"))?;
    let entries = fields.0.into_iter();
    entries
        .map(|(key, raw)| Ok((key, part(&raw, || "{}".to_owned())?)))
        .collect()
}

/// A generated type that keeps the fields that its schema does not describe.
pub trait KeepsTheRest: Sized {
    /// The names of the fields that it describes, aliases too.
    const DESCRIBED: &'static [&'static str];

    /// Reads the described fields; it is given no others.
    ///
    /// # Errors
    ///
    /// When one of them does not fit.
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error>;

    /// Where a text may stand for the object: the object whose only described field it is.
    fn of_text(_text: &str) -> Option<Self> {
        None
    }

    /// Writes the described fields.
    ///
    /// # Errors
    ///
    /// As the serializer.
    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error>;

    /// The others.
    fn rest(&self) -> &JsonMap;

    /// The same, to be filled.
    fn rest_mut(&mut self) -> &mut JsonMap;
}

/// Reads an object, the described fields as their types and the others as they came.
///
/// serde's own `flatten` reads what nobody described into a buffer that has binary floats for numbers.
///
/// # Errors
///
/// When it is no object, or a described field does not fit.
pub fn read_with_the_rest<'de, T, D>(deserializer: D) -> Result<T, D::Error>
where
    T: KeepsTheRest,
    D: Deserializer<'de>,
{
    struct Visitor<T>(std::marker::PhantomData<T>);

    impl<'de, T: KeepsTheRest> serde::de::Visitor<'de> for Visitor<T> {
        type Value = T;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<T, E> {
            T::of_text(text).ok_or_else(|| E::custom("expected an object"))
        }

        fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
            let mut rest = JsonMap::default();
            let sieve = Sieve {
                map,
                described: T::DESCRIBED,
                rest: &mut rest,
            };
            let mut value = T::read(MapAccessDeserializer::new(sieve))?;
            *value.rest_mut() = rest;
            Ok(value)
        }
    }

    /// Lets the described fields through and keeps the others.
    struct Sieve<'a, A> {
        map: A,
        described: &'static [&'static str],
        rest: &'a mut JsonMap,
    }

    impl<'de, A: MapAccess<'de>> MapAccess<'de> for Sieve<'_, A> {
        type Error = A::Error;

        fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, A::Error> {
            while let Some(key) = self.map.next_key::<String>()? {
                if self.described.contains(&key.as_str()) {
                    let key: StringDeserializer<A::Error> = key.into_deserializer();
                    return seed.deserialize(key).map(Some);
                }
                let json: Json = self.map.next_value()?;
                self.rest.insert(key, json);
            }
            Ok(None)
        }

        fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, A::Error> {
            self.map.next_value_seed(seed)
        }
    }

    deserializer.deserialize_any(Visitor(std::marker::PhantomData))
}

/// Writes the described fields and the others as one object. A field that is described is written once.
///
/// # Errors
///
/// As the serializer, or when a described field cannot be written.
pub fn write_with_the_rest<T: KeepsTheRest, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
    use serde::ser::{Error as _, SerializeMap as _};

    /// The described fields alone.
    struct Described<'a, T>(&'a T);

    impl<T: KeepsTheRest> Serialize for Described<'_, T> {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            self.0.write(serializer)
        }
    }

    let fields: Fields = serde_json::to_string(&Described(value))
        .and_then(|text| serde_json::from_str(&text))
        .map_err(|_| S::Error::custom("a field cannot be written as JSON"))?;
    let mut map = serializer.serialize_map(None)?;
    for (name, json) in &fields.0 {
        map.serialize_entry(name, json)?;
    }
    for (name, json) in value.rest().iter() {
        if fields.0.iter().all(|(described, _)| described != name) {
            map.serialize_entry(name, json)?;
        }
    }
    map.end()
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
    fn list<T: DeserializeOwned, E: serde::de::Error>(raw: &RawValue, at: &str, out: &mut Vec<T>) -> Result<(), E> {
        let items: Vec<&RawValue> = serde_json::from_str(raw.get()).map_err(|_| E::custom("expected a list"))?;
        for (index, raw) in items.into_iter().enumerate() {
            if raw.get().starts_with('[') {
                list(raw, &format!("{at}[{index}]"), out)?;
            } else {
                out.push(part(raw, || format!("{at}[{index}]"))?);
            }
        }
        Ok(())
    }

    let raw = Box::<RawValue>::deserialize(deserializer)?;
    let mut out = Vec::new();
    match raw.get().as_bytes().first() {
        Some(b'n') => {}
        Some(b'[') => list(&raw, "", &mut out)?,
        Some(b'{') => {
            let fields: Vec<(String, Box<RawValue>)> = serde_json::from_str::<Fields>(raw.get())
                .map_err(|_| D::Error::custom("expected a list"))?
                .0;
            let lists: Vec<&(String, Box<RawValue>)> = fields
                .iter()
                .filter(|(_, value)| value.get().starts_with('['))
                .collect();
            if lists.is_empty() {
                // `{"booked": null, "pending": null}` and `{}` are empty lists; anything else is one item.
                if fields.iter().any(|(_, value)| value.get() != "null") {
                    out.push(part(&raw, String::new)?);
                }
            } else {
                for (name, value) in lists {
                    // Any other key is the provider's or the user's own (an account number), and no error names it.
                    let named = ["booked", "pending"].contains(&name.as_str());
                    list(value, if named { name } else { "{}" }, &mut out)?;
                }
            }
        }
        _ => return Err(D::Error::custom("expected a list")),
    }
    Ok(out)
}

/// The fields of an object in their order, each as it stands.
pub(crate) struct Fields(pub Vec<(String, Box<RawValue>)>);

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
            ("1.50e+1", "15.0"),
            ("0e999", "0"),
            ("12345678901234567.89e0", "12345678901234567.89"),
            ("1.0e-28", "0.0000000000000000000000000001"),
            ("79228162514264337593543950335e0", "79228162514264337593543950335"),
        ] {
            let text = format!(r#"{{"number":{form},"string":"1"}}"#);
            assert_eq!(
                serde_json::from_str::<Amounts>(&text).unwrap().number.to_string(),
                expected
            );
        }
        for form in [
            "true",
            "[1]",
            "{}",
            "null",
            "\"\"",
            "\"abc\"",
            "1e-29",
            "1.2e-28",
            "1e29",
            "1e99999999999",
            "-1.5e-28",
            "79228162514264337593543950336e0",
            "\"1e\"",
            "\"e1\"",
        ] {
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
    fn a_part_that_does_not_fit_is_found_by_its_path_and_no_key_of_a_map_is_told() {
        #[derive(Debug, Deserialize)]
        struct Deep {
            #[serde(default, deserialize_with = "lenient_array")]
            #[allow(dead_code)]
            items: Vec<Entry>,
        }

        #[derive(Debug, Deserialize)]
        struct Entry {
            #[serde(default, deserialize_with = "map")]
            #[allow(dead_code)]
            notes: BTreeMap<String, Item>,
            #[serde(default, deserialize_with = "lenient_array")]
            #[allow(dead_code)]
            lines: Vec<Item>,
        }
        for (text, place) in [
            (r#"{"items":[{"lines":[{"n":1},{"n":"x"}]}]}"#, "items[0].lines[1].n"),
            (
                r#"{"items":[[{}],[{"lines":[[{"n":"x"}]]}]]}"#,
                "items[1][0].lines[0][0].n",
            ),
            (
                r#"{"items":{"booked":[{},{"lines":{"n":"x"}}]}}"#,
                "items.booked[1].lines.n",
            ),
            (r#"{"items":{"secret":[{"lines":{"n":"x"}}]}}"#, "items.{}[0].lines.n"),
            (r#"{"items":[{"notes":{"secret":{"n":"x"}}}]}"#, "items[0].notes.{}.n"),
            (r#"{"items":[{"notes":{"secret":7}}]}"#, "items[0].notes.{}"),
            (r#"{"items":[{"notes":["secret"]}]}"#, "items[0].notes"),
            (r#"{"items":[7]}"#, "items[0]"),
        ] {
            let problem = super::super::response::decode::<Deep>(text.as_bytes()).unwrap_err();
            let super::super::error::Problem::Decode { path, reason } = problem else {
                panic!("{text}: {problem:?}")
            };
            assert_eq!(path, place, "{text}: {reason}");
            assert!(
                reason.starts_with("expected ") && !reason.contains("secret"),
                "{text}: {reason}"
            );
        }
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
