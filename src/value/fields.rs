//! The fields of a JSON object in their order, each as it stands.

use std::collections::HashSet;
use std::fmt;
use std::marker::PhantomData;

use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

/// What is expected where a name stands twice: of two states or two amounts, nobody can say which one is meant.
pub(crate) const EACH_ONCE: &str = "expected an object that has each name once";

/// The fields of an object in their order, each as it stands: on its own, or as a part of the text that is read. A name that
/// stands there twice is refused.
pub(crate) struct Fields<V = Box<RawValue>>(pub Vec<(String, V)>);

impl<'de, V: Deserialize<'de>> Deserialize<'de> for Fields<V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor<V>(PhantomData<V>);

        impl<'de, V: Deserialize<'de>> serde::de::Visitor<'de> for Visitor<V> {
            type Value = Fields<V>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Fields<V>, A::Error> {
                let mut fields = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    fields.push(entry);
                }
                match has_each_once(&fields) {
                    true => Ok(Fields(fields)),
                    false => Err(serde::de::Error::custom(EACH_ONCE)),
                }
            }
        }

        deserializer.deserialize_map(Visitor(PhantomData))
    }
}

fn has_each_once<V>(fields: &[(String, V)]) -> bool {
    // Of a few, comparing them is faster than a set.
    if fields.len() <= 16 {
        let mut named = fields.iter().enumerate();
        return named.all(|(at, (name, _))| fields[..at].iter().all(|(before, _)| before != name));
    }
    let mut names = HashSet::with_capacity(fields.len());
    fields.iter().all(|(name, _)| names.insert(name))
}
