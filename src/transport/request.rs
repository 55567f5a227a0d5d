//! What generated code builds requests with.

use http::header::{CONTENT_TYPE, HeaderValue};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::RequestBuilder;
use serde::Serialize;
use serde::ser::SerializeSeq as _;
use serde_json::value::{RawValue, to_raw_value};

use super::error::Error;
use crate::value::fields::Fields;

/// Everything but the unreserved characters of RFC 3986 section 2.3.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Encodes a path parameter. The characters of a path's structure do not survive in it.
#[doc(hidden)]
#[must_use]
pub fn encode_path(text: &str) -> String {
    utf8_percent_encode(text, SEGMENT).to_string()
}

/// How a property of a form body is written, where it is no text and no list of a field for each item: `scopes=a&scopes=b`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[doc(hidden)]
pub enum FormStyle {
    /// `scopes[]=a&scopes[]=b`
    Brackets,
    /// `metadata[key]=value`
    Map,
}

/// Form bodies.
#[doc(hidden)]
pub trait RequestBuilderExt: Sized {
    /// Writes the body as `application/x-www-form-urlencoded`; lists and maps as `styles` says, and a list of which it says nothing
    /// as a field for each item.
    ///
    /// # Errors
    ///
    /// When the body has a map that no style covers, or a list of lists or maps, which the generator refuses to build.
    fn form_urlencoded<E, T: Serialize + ?Sized>(
        self,
        body: &T,
        styles: &[(&str, FormStyle)],
    ) -> Result<RequestBuilder, Error<E>>;
}

impl RequestBuilderExt for RequestBuilder {
    fn form_urlencoded<E, T: Serialize + ?Sized>(
        self,
        body: &T,
        styles: &[(&str, FormStyle)],
    ) -> Result<RequestBuilder, Error<E>> {
        let form = form(body, styles).map_err(Error::invalid_request)?;
        Ok(self
            .header(
                CONTENT_TYPE,
                HeaderValue::from_static("application/x-www-form-urlencoded"),
            )
            .body(form))
    }
}

/// The text of a form body.
pub(crate) fn form<T: Serialize + ?Sized>(body: &T, styles: &[(&str, FormStyle)]) -> Result<String, String> {
    // As text all the way: a number that passed through a binary float would not be the caller's. What serde says may
    // quote a value of the call, so it is dropped here and below.
    let body = to_raw_value(body).map_err(|_| "the body could not be written as a form".to_owned())?;
    let fields: Fields = serde_json::from_str(body.get()).map_err(|_| "a form body is an object".to_owned())?;
    let mut form = url::form_urlencoded::Serializer::new(String::new());
    for (name, value) in &fields.0 {
        let style = styles.iter().find(|(styled, _)| styled == name).map(|(_, style)| style);
        match (value.get().as_bytes().first(), style) {
            (Some(b'n'), _) => {}
            (Some(b'['), Some(FormStyle::Brackets)) => {
                for item in items(name, value)? {
                    form.append_pair(&format!("{name}[]"), &scalar(name, &item)?);
                }
            }
            (Some(b'['), None) => {
                for item in items(name, value)? {
                    form.append_pair(name, &scalar(name, &item)?);
                }
            }
            (Some(b'{'), Some(FormStyle::Map)) => {
                let entries: Fields = serde_json::from_str(value.get()).map_err(|_| misplaced(name))?;
                for (key, item) in &entries.0 {
                    form.append_pair(&format!("{name}[{key}]"), &scalar(name, item)?);
                }
            }
            _ => {
                form.append_pair(name, &scalar(name, value)?);
            }
        }
    }
    Ok(form.finish())
}

pub(super) fn items(name: &str, list: &RawValue) -> Result<Vec<Box<RawValue>>, String> {
    serde_json::from_str(list.get()).map_err(|_| misplaced(name))
}

/// A text without its quotes, anything else as it stands.
pub(super) fn scalar(name: &str, value: &RawValue) -> Result<String, String> {
    match value.get().as_bytes().first() {
        Some(b'"') => serde_json::from_str(value.get()).map_err(|_| misplaced(name)),
        Some(b'n') => Ok(String::new()),
        Some(b'[' | b'{') | None => Err(misplaced(name)),
        Some(_) => Ok(value.get().to_owned()),
    }
}

fn misplaced(name: &str) -> String {
    format!("`{name}` holds a list or a map, which cannot be written there")
}

/// A query parameter: nothing when it is absent, once for a scalar, repeated for a list.
#[doc(hidden)]
pub struct QueryParam<'a, T> {
    name: &'a str,
    value: &'a T,
}

impl<'a, T> QueryParam<'a, T> {
    /// A parameter of that name.
    pub fn new(name: &'a str, value: &'a T) -> Self {
        Self { name, value }
    }
}

impl<T: Serialize> Serialize for QueryParam<'_, T> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let texts = parameter_texts(self.name, self.value).map_err(serde::ser::Error::custom)?;
        let mut pairs = serializer.serialize_seq(Some(texts.len()))?;
        for text in &texts {
            pairs.serialize_element(&(self.name, text))?;
        }
        pairs.end()
    }
}

/// The texts of a parameter: none when it is absent, one of a scalar, those of a list.
pub(crate) fn parameter_texts<T: Serialize>(name: &str, value: &T) -> Result<Vec<String>, String> {
    let value = to_raw_value(value).map_err(|why| why.to_string())?;
    match value.get().as_bytes().first() {
        Some(b'n') => Ok(Vec::new()),
        Some(b'[') => items(name, &value)?.iter().map(|item| scalar(name, item)).collect(),
        _ => scalar(name, &value).map(|text| vec![text]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn lists_and_maps_are_written_as_the_styles_say() {
        let body = json!({ "customer": "cus_1", "scopes": ["accounts", "balance"], "metadata": { "order id": "a&b" }, "absent": null });
        let styles = [("scopes", FormStyle::Brackets), ("metadata", FormStyle::Map)];
        let text = form(&body, &styles).unwrap();
        let mut pairs: Vec<(String, String)> = url::form_urlencoded::parse(text.as_bytes()).into_owned().collect();
        pairs.sort();
        let expected = [
            ("customer", "cus_1"),
            ("metadata[order id]", "a&b"),
            ("scopes[]", "accounts"),
            ("scopes[]", "balance"),
        ];
        assert_eq!(pairs, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
    }

    #[test]
    fn a_list_may_be_a_field_for_each_item() {
        for (body, text) in [
            (
                json!({ "ids": ["a b", "c"], "of[]": [1, 2] }),
                "ids=a+b&ids=c&of%5B%5D=1&of%5B%5D=2",
            ),
            (json!({ "ids": [], "of[]": null }), ""),
        ] {
            assert_eq!(form(&body, &[]).unwrap(), text, "{body}");
        }
    }

    #[test]
    fn a_map_without_a_style_and_a_list_of_more_than_texts_are_refused() {
        for body in [
            json!({ "scopes": { "a": 1 } }),
            json!({ "scopes": [["a"]] }),
            json!({ "scopes": [{ "a": 1 }] }),
        ] {
            let problem = form(&body, &[]).unwrap_err();
            assert!(problem.contains("`scopes`"), "{problem}");
        }
        assert!(form(&json!({ "scopes": ["a"] }), &[("scopes", FormStyle::Map)]).is_err());
    }

    #[test]
    fn numbers_are_written_digit_for_digit() {
        #[derive(Serialize)]
        struct Amount(#[serde(with = "crate::value::wire::decimal_number")] crate::value::Decimal);

        let amount = Amount("12345678901234567.89".parse().unwrap());
        assert_eq!(
            form(&std::collections::BTreeMap::from([("a", &amount)]), &[]).unwrap(),
            "a=12345678901234567.89"
        );
        let url = |request: reqwest::RequestBuilder| request.build().unwrap().url().query().unwrap().to_owned();
        crate::http::install_crypto();
        let get = || reqwest::Client::new().get("http://localhost/");
        assert_eq!(
            url(get().query(&QueryParam::new("a", &amount))),
            "a=12345678901234567.89"
        );
        let list = vec![&amount, &amount];
        assert_eq!(
            url(get().query(&QueryParam::new("a[]", &list))),
            "a%5B%5D=12345678901234567.89&a%5B%5D=12345678901234567.89"
        );
    }

    #[test]
    fn a_path_parameter_cannot_change_the_path() {
        assert_eq!(encode_path("../admin?x=1#y"), "..%2Fadmin%3Fx%3D1%23y");
        assert_eq!(encode_path("a b%20"), "a%20b%2520");
    }
}
