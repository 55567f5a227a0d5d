//! Objects that keep the fields which their schema does not describe.

use std::fmt;

use serde::de::value::{MapAccessDeserializer, StringDeserializer};
use serde::de::{DeserializeSeed, Error as _, IntoDeserializer as _, MapAccess};
use serde::{Deserializer, Serialize, Serializer};

use crate::value::error_in_success::error_in;
use crate::value::fields::{EACH_ONCE, Fields};
use crate::value::objects::{tell_bare, tell_kept};
use crate::value::{Json, JsonMap};

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
            let mut is_bare = true;
            let sieve = Sieve {
                map,
                described: T::DESCRIBED,
                rest: &mut rest,
                is_bare: &mut is_bare,
            };
            let mut value = T::read(MapAccessDeserializer::new(sieve))?;
            // Other fields are welcome here, but for those of an error. Where nothing at all is described, nothing can be
            // told of it.
            let is_bare = is_bare && !T::DESCRIBED.is_empty();
            tell_bare(is_bare && error_in(&rest).is_some());
            tell_kept(rest.names());
            *value.rest_mut() = rest;
            Ok(value)
        }
    }

    /// Lets the described fields through and keeps the others.
    struct Sieve<'a, A> {
        map: A,
        described: &'static [&'static str],
        rest: &'a mut JsonMap,
        /// No described field was there so far.
        is_bare: &'a mut bool,
    }

    impl<'de, A: MapAccess<'de>> MapAccess<'de> for Sieve<'_, A> {
        type Error = A::Error;

        fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, A::Error> {
            while let Some(key) = self.map.next_key::<String>()? {
                if self.described.contains(&key.as_str()) {
                    *self.is_bare = false;
                    let key: StringDeserializer<A::Error> = key.into_deserializer();
                    return seed.deserialize(key).map(Some);
                }
                let json: Json = self.map.next_value()?;
                if self.rest.insert(key, json).is_some() {
                    return Err(A::Error::custom(EACH_ONCE));
                }
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

    // What serde says may quote a value.
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

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;
    use crate::value::decode::decode_items;

    /// What a type describes: an id, or nothing at all.
    #[derive(Debug, Default)]
    struct Kept<const DESCRIBES: bool> {
        id: Option<u8>,
        rest: JsonMap,
    }

    impl<const DESCRIBES: bool> KeepsTheRest for Kept<DESCRIBES> {
        const DESCRIBED: &'static [&'static str] = if DESCRIBES { &["id"] } else { &[] };

        fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            #[derive(Deserialize)]
            struct Described {
                id: Option<u8>,
            }
            let Described { id } = Described::deserialize(deserializer)?;
            let rest = JsonMap::default();
            Ok(Self { id, rest })
        }

        fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            #[derive(Serialize)]
            struct Described {
                id: Option<u8>,
            }
            Described { id: self.id }.serialize(serializer)
        }

        fn rest(&self) -> &JsonMap {
            &self.rest
        }

        fn rest_mut(&mut self) -> &mut JsonMap {
            &mut self.rest
        }
    }

    impl<'de, const DESCRIBES: bool> Deserialize<'de> for Kept<DESCRIBES> {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            read_with_the_rest(deserializer)
        }
    }

    #[test]
    fn the_rest_is_kept_and_an_error_alone_is_no_value() {
        let read = |text: &str| decode_items::<Kept<true>>(text.as_bytes()).map(|(kept, _)| kept);
        for (text, id, rest) in [
            (r#"{"x":1,"id":7,"y":2}"#, Some(7), 2),
            (r#"{"id":7}"#, Some(7), 0),
            ("{}", None, 0),
            (r#"{"x":1}"#, None, 1),
            (r#"{"id":7,"error":1}"#, Some(7), 1),
        ] {
            let kept = read(text).unwrap();
            assert_eq!((kept.id, kept.rest().len()), (id, rest), "{text}");
        }
        for text in [r#"{"error":1}"#, r#"{"x":1,"x":1,"id":7}"#, r#"{"id":7,"id":7}"#] {
            assert!(read(text).is_err(), "{text}");
        }
    }

    #[test]
    fn of_a_type_that_describes_nothing_everything_is_the_rest() {
        let (kept, _) = decode_items::<Kept<false>>(br#"{"id":7}"#).unwrap();
        assert_eq!((kept.id, kept.rest().len()), (None, 1));
        // Nothing tells an error from a value there.
        let (kept, _) = decode_items::<Kept<false>>(br#"{"error":7}"#).unwrap();
        assert_eq!(kept.rest().len(), 1);
    }

    #[test]
    fn what_is_no_object_is_told_so() {
        let told = serde_json::from_str::<Kept<true>>("7").unwrap_err().to_string();
        assert!(told.contains("expected an object"), "{told}");
    }

    #[test]
    fn the_rest_is_written_behind_the_described_fields_and_none_of_them_twice() {
        let kept = Kept::<true> {
            id: Some(7),
            rest: serde_json::from_str(r#"{"x":1,"id":8,"y":2}"#).unwrap(),
        };
        let mut written = Vec::new();
        write_with_the_rest(&kept, &mut serde_json::Serializer::new(&mut written)).unwrap();
        assert_eq!(written, br#"{"id":7,"x":1,"y":2}"#);
    }

    #[test]
    fn what_is_kept_beside_items_may_name_the_next_page() {
        for (text, names_next) in [
            (r#"{"id":7,"next":"x"}"#, true),
            (r#"{"id":7,"Links":{}}"#, true),
            (r#"{"id":7,"url":"x"}"#, true),
            (r#"{"id":7,"note":1}"#, false),
            (r#"{"id":7}"#, false),
        ] {
            let (_, bare) = decode_items::<Kept<false>>(text.as_bytes()).unwrap();
            assert_eq!(bare.names_next, names_next, "{text}");
            let items = format!("[{text}]");
            let (_, bare) = decode_items::<Vec<Kept<false>>>(items.as_bytes()).unwrap();
            assert!(!bare.names_next, "{text}");
        }
    }
}
