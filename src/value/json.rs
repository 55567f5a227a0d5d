//! JSON that the specification does not describe, as it came.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

use super::Decimal;
use super::fields::{EACH_ONCE, Fields};
use super::wire::decimal;

/// A JSON value as it came, digit for digit. `Debug` shows its length only.
///
/// ```
/// use finrail::Json;
///
/// let amount: Json = "12345678901234567.89".parse()?;
/// assert_eq!(amount.decimal().unwrap().to_string(), "12345678901234567.89");
/// assert_eq!(Json::from(serde_json::json!({ "a": [1] })).get(), r#"{"a":[1]}"#);
/// assert_eq!(format!("{amount:?}"), "Json(20 bytes)");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone)]
pub struct Json(Box<RawValue>);

impl Json {
    /// The JSON text.
    #[must_use]
    pub fn get(&self) -> &str {
        self.0.get()
    }

    /// Whether it is `null`.
    #[must_use]
    pub fn is_null(&self) -> bool {
        self.get() == "null"
    }

    /// The text of a string.
    #[must_use]
    pub fn text(&self) -> Option<String> {
        self.get().starts_with('"').then(|| self.parse().ok()).flatten()
    }

    /// A number, or a string with a number in it, digit for digit. `None` also for more digits than a decimal holds.
    #[must_use]
    pub fn decimal(&self) -> Option<Decimal> {
        match self.text() {
            Some(text) => decimal(&text),
            None => decimal(self.get()),
        }
    }

    /// Reads it as a type of your own. For an amount use [`decimal`](Self::decimal): most types read a number that
    /// has a fraction through a binary float.
    ///
    /// # Errors
    ///
    /// When it does not fit the type. The text of the error may hold the value.
    pub fn parse<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        serde_json::from_str(self.get())
    }
}

impl Json {
    /// What stands at a JSON pointer (RFC 6901), digit for digit.
    pub(crate) fn pointer(&self, pointer: &str) -> Option<Self> {
        let mut here = self.clone();
        for token in pointer.split('/').skip(1) {
            let token = token.replace("~1", "/").replace("~0", "~");
            here = match here.parse::<JsonMap>() {
                Ok(members) => members.json(&token)?.clone(),
                Err(_) => here.items()?.into_iter().nth(token.parse().ok()?)?,
            };
        }
        Some(here)
    }

    /// The items of a list.
    pub(crate) fn items(&self) -> Option<Vec<Self>> {
        self.parse().ok()
    }

    /// A single value as text: a text without its quotes, a number as it is written.
    pub(crate) fn plain(&self) -> Option<String> {
        match self.get().trim_start().as_bytes().first()? {
            b'"' => self.text(),
            b'{' | b'[' | b'n' => None,
            _ => Some(self.get().trim().to_owned()),
        }
    }
}

impl Default for Json {
    fn default() -> Self {
        Self(RawValue::NULL.to_owned())
    }
}

impl fmt::Debug for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Json({} bytes)", self.get().len())
    }
}

impl FromStr for Json {
    type Err = serde_json::Error;

    fn from_str(json: &str) -> Result<Self, serde_json::Error> {
        RawValue::from_string(json.to_owned()).map(Self)
    }
}

impl From<serde_json::Value> for Json {
    fn from(value: serde_json::Value) -> Self {
        // The text of a `Value` is JSON, so the other branch is never taken.
        RawValue::from_string(value.to_string()).map(Self).unwrap_or_default()
    }
}

/// A JSON number.
impl From<Decimal> for Json {
    fn from(number: Decimal) -> Self {
        // The text of a decimal is a JSON number, so the other branch is never taken.
        RawValue::from_string(number.to_string()).map(Self).unwrap_or_default()
    }
}

impl From<Box<RawValue>> for Json {
    fn from(json: Box<RawValue>) -> Self {
        Self(json)
    }
}

impl Serialize for Json {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Box::<RawValue>::deserialize(deserializer).map(Self)
    }
}

/// JSON fields by name, each as it came, digit for digit: what the specification does not describe.
///
/// An object in which a name stands twice is none: nobody can say which of the two values is meant.
///
/// `Debug` shows their names, never their values.
///
/// ```
/// use finrail::{Decimal, JsonMap};
///
/// let extra: JsonMap = serde_json::from_str(r#"{"fee":12345678901234567.89,"note":"now","steps":[1,2]}"#)?;
/// assert_eq!(extra.decimal("fee"), Some("12345678901234567.89".parse::<Decimal>()?));
/// assert_eq!(extra.text("note").as_deref(), Some("now"));
/// assert_eq!(extra.get::<Vec<u8>>("steps").transpose()?, Some(vec![1, 2]));
/// assert!(serde_json::to_string(&extra)?.contains("12345678901234567.89"));
/// assert!(!format!("{extra:?}").contains("now"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Default)]
pub struct JsonMap(BTreeMap<String, Json>);

impl JsonMap {
    /// Without fields.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Their names, in alphabetical order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// Names and values, in alphabetical order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Json)> {
        self.0.iter().map(|(name, json)| (name.as_str(), json))
    }

    /// A field as it came.
    #[must_use]
    pub fn json(&self, name: &str) -> Option<&Json> {
        self.0.get(name)
    }

    /// A field read as a type of your own. For an amount use [`decimal`](Self::decimal).
    pub fn get<T: DeserializeOwned>(&self, name: &str) -> Option<Result<T, serde_json::Error>> {
        self.0.get(name).map(Json::parse)
    }

    /// The text of a field that is a string.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<String> {
        self.0.get(name)?.text()
    }

    /// A field that is a number, or a string with a number in it, digit for digit.
    #[must_use]
    pub fn decimal(&self, name: &str) -> Option<Decimal> {
        self.0.get(name)?.decimal()
    }

    /// Sets a field, and gives what it was.
    pub fn insert(&mut self, name: impl Into<String>, json: impl Into<Json>) -> Option<Json> {
        self.0.insert(name.into(), json.into())
    }
}

impl fmt::Debug for JsonMap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl From<serde_json::Map<String, serde_json::Value>> for JsonMap {
    fn from(fields: serde_json::Map<String, serde_json::Value>) -> Self {
        fields.into_iter().collect()
    }
}

impl<N: Into<String>, J: Into<Json>> FromIterator<(N, J)> for JsonMap {
    fn from_iter<I: IntoIterator<Item = (N, J)>>(fields: I) -> Self {
        let fields = fields.into_iter();
        Self(fields.map(|(name, json)| (name.into(), json.into())).collect())
    }
}

impl Serialize for JsonMap {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for JsonMap {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // As text first: a name here may be anybody's own, and is not told in a path.
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        // What serde says may quote a value.
        let fields: Fields = serde_json::from_str(raw.get()).map_err(|_| D::Error::custom(EACH_ONCE))?;
        Ok(fields.0.into_iter().collect())
    }
}
