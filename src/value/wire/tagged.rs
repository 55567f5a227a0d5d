//! Objects one of whose fields says of which kind they are.
//!
//! The field is read from the text of the object, and then the object from the same text: no amount passes through anything
//! between.

use serde::de::{DeserializeOwned, Error as _};
use serde::ser::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

use crate::value::decode::{below, decode_part};
use crate::value::fields::{EACH_ONCE, Fields};
use crate::value::{Json, JsonMap};

/// An object of a kind that its tag names: the tag, empty where there is none, and the text.
///
/// # Errors
///
/// When it is no object, or has a name twice.
pub fn tagged<'de, D: Deserializer<'de>>(deserializer: D, tag: &str) -> Result<(String, Box<RawValue>), D::Error> {
    let raw = Box::<RawValue>::deserialize(deserializer)?;
    if !raw.get().trim_start().starts_with('{') {
        return Err(D::Error::custom("expected an object"));
    }
    // What serde says may quote a value.
    let fields: Fields = serde_json::from_str(raw.get()).map_err(|_| D::Error::custom(EACH_ONCE))?;
    let kind = fields.0.into_iter().find(|(name, _)| name == tag);
    let kind = kind.and_then(|(_, value)| Json::from(value).plain());
    Ok((kind.unwrap_or_default(), raw))
}

/// The object as one of the kinds.
///
/// # Errors
///
/// When it is none.
pub fn of_kind<T: DeserializeOwned, E: serde::de::Error>(raw: &RawValue) -> Result<T, E> {
    decode_part(raw.get()).map_err(|(path, reason)| match path.as_str() {
        "" => E::custom(reason),
        _ => E::custom(format!("at `{}`: {reason}", below("", &path))),
    })
}

/// Writes an object with its tag, which is that of its kind where the object has none of its own.
///
/// # Errors
///
/// As the serializer.
pub fn with_tag<T: Serialize, S: Serializer>(
    value: &T,
    tag: &str,
    kind: &str,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let raw = serde_json::value::to_raw_value(value).map_err(|_| S::Error::custom("a value that is no JSON"))?;
    let mut fields: JsonMap =
        serde_json::from_str(raw.get()).map_err(|_| S::Error::custom("a kind that is no object"))?;
    if fields.json(tag).is_some_and(|own| !own.is_null()) {
        return raw.serialize(serializer);
    }
    fields.insert(tag, serde_json::Value::from(kind));
    fields.serialize(serializer)
}
