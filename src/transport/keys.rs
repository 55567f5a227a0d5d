//! Keys that a client has from its provider once and for all: shown beside tokens, or in their place (OpenAPI, `apiKey`).

use std::fmt;
use std::sync::Arc;

use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderName, HeaderValue};
use url::Url;

use super::operation::{Key, KeyPlace, Operation};
use crate::value::Secret;

/// The keys that a client was given. `Debug` shows the names of their schemes.
#[derive(Clone, Default)]
pub(crate) struct Keys(Arc<Vec<Given>>);

struct Given {
    scheme: String,
    value: Secret,
    /// Where it stands; known when the client is built.
    of: Option<Key>,
}

/// A key that a client was given, and that cannot be used.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum UnfitKey {
    /// No call takes it; which keys there are.
    Unknown { scheme: String, known: Vec<&'static str> },
    /// It is empty, or has characters that a header cannot carry.
    Unwritable { scheme: String },
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.0.iter().map(|given| &given.scheme))
            .finish()
    }
}

impl Keys {
    /// With one more; a later one of the same scheme counts.
    pub fn with(mut self, scheme: String, value: Secret) -> Self {
        let given = Given {
            scheme,
            value,
            of: None,
        };
        let mut all: Vec<Given> = std::mem::take(Arc::make_mut(&mut self.0));
        all.retain(|known| known.scheme != given.scheme);
        all.push(given);
        Self(Arc::new(all))
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The same, each with its place as the operations of the provider have it.
    pub fn placed(self, operations: &[Operation]) -> Result<Self, UnfitKey> {
        let known = || operations.iter().flat_map(|operation| operation.keys);
        let mut all = Vec::new();
        for given in self.0.iter() {
            let scheme = given.scheme.clone();
            let Some(key) = known().find(|key| key.scheme == scheme) else {
                let mut known: Vec<&str> = known().map(|key| key.scheme).collect();
                known.sort_unstable();
                known.dedup();
                return Err(UnfitKey::Unknown { scheme, known });
            };
            if given.value.expose_secret().is_empty() || header(key, given.value.expose_secret()).is_none() {
                return Err(UnfitKey::Unwritable { scheme });
            }
            all.push(Given {
                scheme,
                value: given.value.clone(),
                of: Some(*key),
            });
        }
        Ok(Self(Arc::new(all)))
    }

    /// Of the headers that a call has of its own, those in which a key would stand. Each stands in place of the key, and is as
    /// secret.
    pub fn mark(&self, headers: &mut HeaderMap) -> HeaderMap {
        let keys = self.0.iter().filter_map(|given| given.of.as_ref());
        let mut of_call = HeaderMap::new();
        for key in keys.filter(|key| key.place == KeyPlace::Header) {
            let Ok(name) = HeaderName::try_from(key.name) else {
                continue;
            };
            if let Some(value) = headers.get_mut(&name) {
                value.set_sensitive(true);
                of_call.insert(name, value.clone());
            }
        }
        of_call
    }

    /// Puts into a request what the first of these ways needs of which all keys are there; what is nobody's business of it, or the
    /// name of a key that is missing.
    pub fn add_to(
        &self,
        url: &mut Url,
        headers: &mut HeaderMap,
        operation: &Operation,
        ways: &[usize],
    ) -> Result<Vec<HeaderValue>, &'static str> {
        if operation.keys.is_empty() {
            return Ok(Vec::new());
        }
        let mut missing = None;
        for way in ways {
            let needed: Vec<&Key> = operation.keys.iter().filter(|key| key.way == *way).collect();
            // A header that the caller set is as good.
            let is_there = |key: &Key| {
                self.given(key).is_some() || (key.place == KeyPlace::Header && headers.contains_key(key.name))
            };
            match needed.iter().find(|key| !is_there(key)) {
                Some(key) => missing = missing.or(Some(key.scheme)),
                None => {
                    let found = needed.iter().filter_map(|key| Some((*key, self.given(key)?)));
                    return Ok(found.filter_map(|(key, value)| put(url, headers, key, value)).collect());
                }
            }
        }
        missing.map_or(Ok(Vec::new()), Err)
    }

    /// Puts into a request all keys that there are: of a call that no specification describes.
    pub fn add_all_to(&self, url: &mut Url, headers: &mut HeaderMap) -> Vec<HeaderValue> {
        let placed = self
            .0
            .iter()
            .filter_map(|given| Some((given.of.as_ref()?, &given.value)));
        placed
            .filter_map(|(key, value)| put(url, headers, key, value))
            .collect()
    }

    fn given(&self, key: &Key) -> Option<&Secret> {
        let given = self.0.iter().find(|given| given.scheme == key.scheme)?;
        Some(&given.value)
    }
}

impl Clone for Given {
    fn clone(&self) -> Self {
        Self {
            scheme: self.scheme.clone(),
            value: self.value.clone(),
            of: self.of,
        }
    }
}

fn put(url: &mut Url, headers: &mut HeaderMap, key: &Key, value: &Secret) -> Option<HeaderValue> {
    let text = value.expose_secret();
    let shown = header(key, text)?;
    match key.place {
        KeyPlace::Header => {
            headers.insert(HeaderName::try_from(key.name).ok()?, shown.clone());
        }
        KeyPlace::Bearer => {
            headers.insert(AUTHORIZATION, shown.clone());
        }
        KeyPlace::Query => {
            // A link to a next page may bring it back.
            let others: Vec<(String, String)> = url
                .query_pairs()
                .filter(|(name, _)| name != key.name)
                .map(|(name, value)| (name.into_owned(), value.into_owned()))
                .collect();
            let is_there = url.query_pairs().any(|(name, _)| name == key.name);
            if is_there {
                url.set_query(None);
                if !others.is_empty() {
                    url.query_pairs_mut().extend_pairs(others);
                }
            }
            url.query_pairs_mut().append_pair(key.name, text);
        }
    }
    Some(shown)
}

/// The value as a header has it, which is no business of a log.
fn header(key: &Key, text: &str) -> Option<HeaderValue> {
    let mut value = match key.place {
        KeyPlace::Bearer => HeaderValue::try_from(format!("Bearer {text}")),
        KeyPlace::Header | KeyPlace::Query => HeaderValue::try_from(text),
    }
    .ok()?;
    value.set_sensitive(true);
    Some(value)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use http::{HeaderMap, HeaderValue};
    use url::Url;

    use super::{Keys, UnfitKey};
    use crate::transport::operation::{Authentication, Key, KeyPlace, Operation};
    use crate::value::Secret;

    static TAKES: &[Operation] = &[Operation {
        id: "look",
        authentication: &[
            Authentication::Bearer { scopes: &[] },
            Authentication::Nothing,
            Authentication::Nothing,
        ],
        keys: &[
            Key {
                scheme: "App",
                name: "X-App",
                ..Key::BASE
            },
            Key {
                scheme: "Query",
                place: KeyPlace::Query,
                name: "key",
                way: 1,
            },
            Key {
                scheme: "Other",
                name: "X-Other",
                way: 1,
                ..Key::BASE
            },
            Key {
                scheme: "Personal",
                place: KeyPlace::Bearer,
                name: "",
                way: 2,
            },
        ],
        ..Operation::BASE
    }];

    fn keys(given: &[(&str, &str)]) -> Keys {
        let all = given.iter().fold(Keys::default(), |keys, (scheme, value)| {
            keys.with((*scheme).to_owned(), Secret::from(*value))
        });
        all.placed(TAKES).unwrap()
    }

    #[test]
    fn the_first_way_of_which_all_keys_are_there_is_gone() {
        for (given, query, header, missing) in [
            (&[][..], "a=1", "", Some("Query")),
            (&[("Query", "s3cr3t")], "a=1", "", Some("Other")),
            (
                &[("Query", "s3cr3t&"), ("Other", "o")],
                "a=1&key=s3cr3t%26",
                "x-other: o",
                None,
            ),
            (&[("Personal", "p")], "a=1", "authorization: Bearer p", None),
            (
                &[("Personal", "p"), ("Query", "q"), ("Other", "o")],
                "a=1&key=q",
                "x-other: o",
                None,
            ),
            (&[("App", "x")], "a=1", "", Some("Query")),
        ] {
            let mut url = Url::parse("https://bank.example/a?a=1").unwrap();
            let mut headers = HeaderMap::new();
            let added = keys(given).add_to(&mut url, &mut headers, &TAKES[0], &[1, 2]);
            assert_eq!(added.as_ref().err().copied(), missing, "{given:?}");
            assert_eq!(url.query(), Some(query), "{given:?}");
            assert_eq!(shown(&headers), header, "{given:?}");
            assert!(headers.values().all(HeaderValue::is_sensitive));
        }
    }

    fn shown(headers: &HeaderMap) -> String {
        let all = headers
            .iter()
            .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()));
        all.collect::<Vec<_>>().join(", ")
    }

    #[test]
    fn a_header_of_the_caller_is_as_good_as_its_key_and_no_parameter_of_the_query() {
        for (given, header, missing) in [
            (&[("Query", "q")][..], "x-other", None),
            (&[("Query", "q")], "key", Some("Other")),
            (&[("Other", "o")], "key", Some("Query")),
        ] {
            let mut url = Url::parse("https://bank.example/a").unwrap();
            let mut headers = HeaderMap::new();
            headers.insert(header, HeaderValue::from_static("of the caller"));
            let added = keys(given).add_to(&mut url, &mut headers, &TAKES[0], &[1]);
            assert_eq!(added.as_ref().err().copied(), missing, "{given:?} {header}");
            assert_eq!(added.map_or(0, |added| added.len()), usize::from(missing.is_none()));
            assert_eq!(shown(&headers), format!("{header}: of the caller"));
        }
    }

    #[test]
    fn of_the_headers_of_a_call_those_in_the_place_of_a_key_are_secret() {
        let mut headers = HeaderMap::new();
        for name in ["x-app", "x-other", "key"] {
            headers.insert(name, HeaderValue::from_static("of the caller"));
        }
        let of_call = keys(&[("App", "x"), ("Query", "q")]).mark(&mut headers);
        assert_eq!(shown(&of_call), "x-app: of the caller");
        let secret = ["x-app", "x-other", "key"].map(|name| headers[name].is_sensitive());
        assert_eq!((secret, of_call["x-app"].is_sensitive()), ([true, false, false], true));
    }

    #[test]
    fn a_call_that_takes_no_keys_has_none_and_one_that_nobody_describes_has_all() {
        let given = keys(&[("Query", "q"), ("App", "x"), ("Personal", "p"), ("App", "y")]);
        for (is_described, query, header, added) in [
            (true, "a=b%20c", "", &[][..]),
            (
                false,
                "a=b%20c&key=q",
                "authorization: Bearer p, x-app: y",
                &["q", "Bearer p", "y"],
            ),
        ] {
            let mut url = Url::parse("https://bank.example/a?a=b%20c").unwrap();
            let mut headers = HeaderMap::new();
            let values = match is_described {
                true => given.add_to(&mut url, &mut headers, &Operation::BASE, &[0]).unwrap(),
                false => given.add_all_to(&mut url, &mut headers),
            };
            assert_eq!((url.query(), shown(&headers)), (Some(query), header.to_owned()));
            assert_eq!(values, added);
            assert!(values.iter().all(HeaderValue::is_sensitive));
        }
        assert!(Keys::default().is_empty() && !given.is_empty());
    }

    #[test]
    fn a_key_in_a_link_is_not_there_twice() {
        let mut url = Url::parse("https://bank.example/a?key=old&page=2&key=older").unwrap();
        let keys = keys(&[("Query", "new"), ("Other", "o")]);
        let added = keys.add_to(&mut url, &mut HeaderMap::new(), &TAKES[0], &[1, 2]);
        assert_eq!((added.unwrap().len(), url.query()), (2, Some("page=2&key=new")));
    }

    #[test]
    fn a_key_that_no_call_takes_or_no_header_carries_is_refused() {
        let given = |scheme: &str, value: &str| {
            Keys::default()
                .with(scheme.to_owned(), Secret::from(value))
                .placed(TAKES)
        };
        assert_eq!(
            given("Nope", "s").unwrap_err(),
            UnfitKey::Unknown {
                scheme: "Nope".to_owned(),
                known: vec!["App", "Other", "Personal", "Query"],
            }
        );
        for value in ["", "a\nb", "ž\u{7f}"] {
            assert_eq!(
                given("App", value).unwrap_err(),
                UnfitKey::Unwritable {
                    scheme: "App".to_owned()
                }
            );
        }
        assert_eq!(format!("{:?}", keys(&[("App", "s3cr3t")])), "[\"App\"]");
    }
}
