//! Hosts: each environment has one, and every operation is at one of them.

use super::Work;
use crate::dialect::Weight;
use crate::json::Json;
use crate::names::{is_snake_case, snake_case};

impl Work<'_> {
    /// An operation with servers of its own is left out, unless they are those of the document.
    pub(super) fn servers(&mut self, item: &Json, operation: &mut Json, pointer: &str) {
        let own = operation.remove("servers").or_else(|| item.get("servers").cloned());
        let Some(own) = own.filter(|own| !own.items().is_empty()) else {
            return;
        };
        let urls = |servers: &Json| -> Vec<String> {
            let all = servers.items().iter().flat_map(addresses_of);
            all.map(|url| url.trim_end_matches('/').to_owned()).collect()
        };
        let of_document = self.root.get("servers").map(urls).unwrap_or_default();
        let own = urls(&own);
        if own.iter().any(|one| !of_document.contains(one)) {
            self.fault(
                pointer,
                format!("it is at {}, and not where the others are", own.join(" or ")),
            );
        }
    }

    /// Servers with their variables written out, each with the name of an environment: that of the document, the values of its
    /// variables, or what the words of its address say.
    pub(super) fn environments(&mut self, root: &mut Json) {
        let listed = root.get("servers").map(Json::items).unwrap_or_default().to_vec();
        let said = listed.iter().filter_map(|server| server.get("x-environment"));
        let mut names: Vec<String> = said.filter_map(Json::as_str).map(str::to_owned).collect();
        let mut out: Vec<(bool, Json)> = Vec::new();
        for (n, server) in listed.iter().enumerate() {
            let pointer = format!("/servers/{n}");
            let mut addresses = self.addresses(server, &pointer);
            addresses.retain(|address| self.is_of_use(&address.url, &pointer));
            let varying = varying(&addresses);
            for address in &addresses {
                let is_known =
                    |(_, known): &(bool, Json)| known.get("url").and_then(Json::as_str) == Some(&address.url);
                if out.iter().any(is_known) {
                    continue;
                }
                let mut plain = server.clone();
                plain.remove("variables");
                plain.set("url", Json::str(address.url.as_str()));
                let description = server.get("description").and_then(Json::as_str).unwrap_or_default();
                let word = word_of(&address.url, description);
                let said = server.get("x-environment").and_then(Json::as_str);
                let is_production = match said {
                    Some(said) => said.starts_with("production"),
                    None => word.is_none(),
                };
                if said.is_none() {
                    let name = address.name(&varying);
                    let name = name.unwrap_or_else(|| word.unwrap_or("production").to_owned());
                    let numbered = (2..).map(|number| format!("{name}_{number}"));
                    let mut all = std::iter::once(name.clone()).chain(numbered);
                    let free = all.find(|name| !names.contains(name)).unwrap_or_default();
                    names.push(free.clone());
                    plain.set("x-environment", Json::str(free));
                }
                out.push((is_production, plain));
            }
        }
        // Whoever chooses none gets the first: not the one where money moves.
        out.sort_by_key(|(is_production, _)| *is_production);
        if root.get("servers").is_some() {
            let servers = out.into_iter().map(|(_, server)| server);
            root.set("servers", Json::Array(servers.collect()));
        }
    }

    /// The addresses that a server may have; where the document or an overlay says which environment it is, the one by default.
    fn addresses(&mut self, server: &Json, pointer: &str) -> Vec<Address> {
        let by_default: Vec<Address> = Address::by_default(server).into_iter().collect();
        if server.get("x-environment").is_some() {
            return by_default;
        }
        let all = Address::all(server);
        if all.len() > MOST {
            self.lose(
                pointer,
                Weight::Meaning,
                format!(
                    "that the variables of its address may have other values than those by default: they make more than {MOST} \
                     environments; an overlay can list `servers`"
                ),
            );
            return by_default;
        }
        all
    }

    /// Whether a client can be sent there.
    fn is_of_use(&mut self, url: &str, pointer: &str) -> bool {
        let wrong = if url.contains(['{', '}']) {
            "has a variable without `default` and `enum`: the overlay has to say which"
        } else if url.starts_with("http://") {
            "is not https, and is left out"
        } else if !url.starts_with("https://") {
            "is no whole address: the overlay has to say which"
        } else {
            return true;
        };
        self.lose(pointer, Weight::Meaning, format!("server `{url}`, which {wrong}"));
        false
    }
}

/// An address of a server, with the values of its variables.
struct Address {
    url: String,
    values: Vec<(String, String)>,
}

impl Address {
    /// With what its variables are by default: the first of the values where the document says of none that it is.
    fn by_default(server: &Json) -> Option<Self> {
        let mut address = Self::bare(server)?;
        for (name, values) in variables(server) {
            if let Some(value) = values.into_iter().next() {
                address.put(&name, value);
            }
        }
        Some(address.whole())
    }

    /// With all that its variables may be, those by default first; or more than are of use.
    fn all(server: &Json) -> Vec<Self> {
        let mut all: Vec<Self> = Self::bare(server).into_iter().collect();
        for (name, values) in variables(server) {
            if values.is_empty() || all.len() > MOST {
                continue;
            }
            let with = |address: &Self, value: &String| {
                let mut address = Self {
                    url: address.url.clone(),
                    values: address.values.clone(),
                };
                address.put(&name, value.clone());
                address
            };
            all = all
                .iter()
                .flat_map(|address| values.iter().map(|value| with(address, value)))
                .collect();
        }
        all.into_iter().map(Self::whole).collect()
    }

    fn bare(server: &Json) -> Option<Self> {
        Some(Self {
            url: server.get("url")?.as_str()?.to_owned(),
            values: Vec::new(),
        })
    }

    fn put(&mut self, name: &str, value: String) {
        self.url = self.url.replace(&format!("{{{name}}}"), &value);
        self.values.push((name.to_owned(), value));
    }

    fn whole(mut self) -> Self {
        self.url.truncate(self.url.trim_end_matches('/').len());
        self
    }

    /// What its environment is called after: the values of the variables in which it differs from the others.
    fn name(&self, varying: &[String]) -> Option<String> {
        let values = self.values.iter().filter(|(name, _)| varying.contains(name));
        let words: Vec<String> = values
            .filter(|(_, value)| !value.is_empty())
            .map(|(name, value)| match snake_case(value) {
                word if word.starts_with(|c: char| c.is_ascii_alphabetic()) => word,
                word => format!("{}_{}", snake_case(name), word.trim_start_matches('_')),
            })
            .collect();
        let name = words.join("_");
        (!name.is_empty() && is_snake_case(&name)).then_some(name)
    }
}

/// The variables that have several values in these addresses.
fn varying(addresses: &[Address]) -> Vec<String> {
    let Some((first, others)) = addresses.split_first() else {
        return Vec::new();
    };
    let differs = |(name, value): &&(String, String)| {
        let is_other = |(known, other): &(String, String)| known == name && other != value;
        others.iter().any(|address| address.values.iter().any(is_other))
    };
    let varying = first.values.iter().filter(differs);
    varying.map(|(name, _)| name.clone()).collect()
}

/// The word of an address or a description that says that a host is not the real one.
fn word_of(url: &str, description: &str) -> Option<&'static str> {
    let words = format!("{} {}", snake_case(url), snake_case(description));
    words.split(['_', ' ', '/', '.', ':', '-']).find_map(|word| {
        let mut known = ENVIRONMENTS.iter();
        known.find(|(known, _)| word.starts_with(known)).map(|(_, name)| *name)
    })
}

/// The variables of a server, each with its values: that by default first, and no value twice.
fn variables(server: &Json) -> Vec<(String, Vec<String>)> {
    let variables = server.get("variables").map(Json::members).unwrap_or_default();
    let variables = variables.iter().map(|(name, variable)| {
        let default = variable.get("default").and_then(Json::scalar);
        let listed = variable.get("enum").map(Json::items).unwrap_or_default();
        let mut values: Vec<String> = default
            .into_iter()
            .chain(listed.iter().filter_map(Json::scalar))
            .collect();
        let mut seen = std::collections::BTreeSet::new();
        values.retain(|value| seen.insert(value.clone()));
        (name.clone(), values)
    });
    variables.collect()
}

/// The addresses of a server, with all that its variables may be.
pub(crate) fn addresses_of(server: &Json) -> Vec<String> {
    let Some(url) = server.get("url").and_then(Json::as_str) else {
        return Vec::new();
    };
    let mut urls = vec![url.to_owned()];
    for (name, values) in variables(server) {
        if values.is_empty() || urls.len() * values.len() > MOST {
            continue;
        }
        let name = format!("{{{name}}}");
        urls = urls
            .iter()
            .flat_map(|url| values.iter().map(|value| url.replace(&name, value)))
            .collect();
        urls.dedup();
    }
    urls
}

/// More addresses than a bank has.
const MOST: usize = 64;

/// Words in the address or the description of a host that is not the real one, and what its environment is called.
const ENVIRONMENTS: [(&str, &str); 9] = [
    ("sandbox", "sandbox"),
    ("uat", "uat"),
    ("staging", "staging"),
    ("preprod", "preprod"),
    ("integration", "integration"),
    ("test", "test"),
    ("demo", "demo"),
    ("dev", "development"),
    ("mock", "mock"),
];
