//! Objects that keep the fields which their schema does not describe.

use std::fmt;

use serde::de::value::{MapAccessDeserializer, StrDeserializer};
use serde::de::{DeserializeSeed, Error as _, MapAccess};
use serde::{Deserializer, Serialize, Serializer};

use crate::value::error_in_success::error_in;
use crate::value::fields::{EACH_ONCE, Fields};
use crate::value::objects::{kept, tell_bare, tell_kept};
use crate::value::{Json, JsonMap};

/// A generated type that keeps the fields that its schema does not describe.
pub trait KeepsTheRest: Sized {
    /// The names of the fields that it describes, aliases too.
    const DESCRIBED: &'static [&'static str];

    /// An object with none of the described fields, and with others, is no such value, and a field that is not described is
    /// news of the provider. Not so where nobody shows the whole of it.
    const IS_KNOWN: bool = false;

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
                is_known: T::IS_KNOWN,
                rest: &mut rest,
                is_bare: &mut is_bare,
            };
            let mut value = T::read(MapAccessDeserializer::new(sieve))?;
            // Where the whole is not known, other fields are welcome alone, but for those of an error. Where nothing at all is
            // described, nothing can be told of it.
            let is_bare = is_bare && !T::DESCRIBED.is_empty();
            let is_none = || match T::IS_KNOWN {
                true => !rest.is_empty(),
                false => error_in(&rest).is_some(),
            };
            tell_bare(is_bare && is_none());
            tell_kept(rest.names());
            *value.rest_mut() = rest;
            Ok(value)
        }
    }

    /// Lets the described fields through and keeps the others.
    struct Sieve<'a, A> {
        map: A,
        described: &'static [&'static str],
        is_known: bool,
        rest: &'a mut JsonMap,
        /// No described field was there so far.
        is_bare: &'a mut bool,
    }

    impl<'de, A: MapAccess<'de>> MapAccess<'de> for Sieve<'_, A> {
        type Error = A::Error;

        fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, A::Error> {
            let mut seed = seed;
            loop {
                let described = self.described;
                let name = match self.map.next_key_seed(Described { seed, described })? {
                    None => return Ok(None),
                    Some(Name::Described(key)) => {
                        *self.is_bare = false;
                        return Ok(Some(key));
                    }
                    Some(Name::Other(name, unused)) => {
                        seed = unused;
                        name
                    }
                };
                let json: Json = match self.is_known {
                    true => kept(|| self.map.next_value())?,
                    false => self.map.next_value()?,
                };
                if self.rest.insert(name, json).is_some() {
                    return Err(A::Error::custom(EACH_ONCE));
                }
            }
        }

        fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, A::Error> {
            self.map.next_value_seed(seed)
        }
    }

    /// A key as whoever describes it reads it, or the name of another field and whoever did not read it.
    enum Name<V, K> {
        Described(V),
        Other(String, K),
    }

    /// Reads a described key from where it stands: most fields are described, and no name of theirs is copied.
    struct Described<K> {
        seed: K,
        described: &'static [&'static str],
    }

    impl<'de, K: DeserializeSeed<'de>> DeserializeSeed<'de> for Described<K> {
        type Value = Name<K::Value, K>;

        fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
            deserializer.deserialize_identifier(self)
        }
    }

    impl<'de, K: DeserializeSeed<'de>> serde::de::Visitor<'de> for Described<K> {
        type Value = Name<K::Value, K>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("the name of a field")
        }

        fn visit_str<E: serde::de::Error>(self, name: &str) -> Result<Self::Value, E> {
            let Self { seed, described } = self;
            match described.contains(&name) {
                true => seed.deserialize(StrDeserializer::new(name)).map(Name::Described),
                false => Ok(Name::Other(name.to_owned(), seed)),
            }
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

    /// The same, and all of it was described once.
    #[derive(Debug, Default)]
    struct Known(Kept<true>);

    impl KeepsTheRest for Known {
        const DESCRIBED: &'static [&'static str] = Kept::<true>::DESCRIBED;
        const IS_KNOWN: bool = true;

        fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            <Kept<true> as KeepsTheRest>::read(deserializer).map(Self)
        }

        fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            self.0.write(serializer)
        }

        fn rest(&self) -> &JsonMap {
            self.0.rest()
        }

        fn rest_mut(&mut self) -> &mut JsonMap {
            self.0.rest_mut()
        }
    }

    impl<'de> Deserialize<'de> for Known {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            read_with_the_rest(deserializer)
        }
    }

    #[test]
    fn other_fields_alone_are_no_value_of_a_type_that_is_known() {
        let read = |text: &str| decode_items::<Known>(text.as_bytes()).map(|(known, _)| known);
        for (text, id, rest) in [
            (r#"{"x":1,"id":7}"#, Some(7), 1),
            (r#"{"id":null,"x":1}"#, None, 1),
            ("{}", None, 0),
        ] {
            let known = read(text).unwrap();
            assert_eq!((known.0.id, known.rest().len()), (id, rest), "{text}");
        }
        for text in [r#"{"x":1}"#, r#"{"error":1}"#, r#"{"id":7,"x":1,"x":2}"#] {
            assert!(read(text).is_err(), "{text}");
        }
        let (_, bare) = decode_items::<Vec<Known>>(br#"[{"id":7},{"x":1}]"#).unwrap();
        assert!(bare.item);
    }

    #[test]
    fn what_a_known_type_keeps_is_noted_with_its_place() {
        let noted = |operation: &'static str, text: &str| {
            crate::value::canary::watch(
                "rest",
                operation,
                |_| false,
                || {
                    decode_items::<Vec<Known>>(text.as_bytes()).unwrap();
                },
            );
            let all = crate::value::canary::sightings();
            let seen = all.into_iter().filter(|seen| seen.operation == operation);
            seen.map(|seen| (seen.place, seen.count)).collect::<Vec<_>>()
        };
        let seen = noted("known", r#"[{"id":7,"x":{"y":[1]}},{"id":8,"x":2}]"#);
        assert_eq!(seen, [("[].x".to_owned(), 2)]);
        assert_eq!(noted("as_described", r#"[{"id":7}]"#), []);
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
