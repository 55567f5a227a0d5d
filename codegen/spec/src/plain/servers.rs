//! Hosts: each environment has one, and every operation is at one of them.

use super::Work;
use crate::dialect::Weight;
use crate::json::Json;
use crate::names::snake_case;

impl Work<'_> {
    /// An operation with servers of its own is left out, unless they are those of the document.
    pub(super) fn servers(&mut self, item: &Json, operation: &mut Json, pointer: &str) {
        let own = operation.remove("servers").or_else(|| item.get("servers").cloned());
        let Some(own) = own.filter(|own| !own.items().is_empty()) else {
            return;
        };
        let url = |servers: &Json| -> Vec<String> { servers.items().iter().filter_map(url_of).collect() };
        let of_document = self.root.get("servers").map(url).unwrap_or_default();
        let own = url(&own);
        if own.iter().any(|one| !of_document.contains(one)) {
            self.fault(
                pointer,
                format!("it is at {}, and not where the others are", own.join(" or ")),
            );
        }
    }

    /// Servers with their variables written out, and with the name of an environment.
    pub(super) fn environments(&mut self, root: &mut Json) {
        let listed = root.get("servers").map(Json::items).unwrap_or_default().to_vec();
        let mut out: Vec<Json> = Vec::new();
        let mut names: Vec<String> = Vec::new();
        for (n, server) in listed.iter().enumerate() {
            let Some(url) = url_of(server) else { continue };
            if out
                .iter()
                .any(|known| known.get("url").and_then(Json::as_str) == Some(url.as_str()))
            {
                continue;
            }
            if !url.starts_with("https://") {
                let wrong = match url.starts_with("http://") {
                    true => "is not https, and is left out",
                    false => "is no whole address: the overlay has to say which",
                };
                self.lose(
                    &format!("/servers/{n}"),
                    Weight::Meaning,
                    format!("server `{url}`, which {wrong}"),
                );
                continue;
            }
            let mut plain = server.clone();
            plain.remove("variables");
            plain.set("url", Json::str(url.as_str()));
            if plain.get("x-environment").is_none() {
                let description = server.get("description").and_then(Json::as_str).unwrap_or_default();
                let words = format!("{} {}", snake_case(&url), snake_case(description));
                let word = words.split(['_', ' ', '/', '.', ':', '-']).find_map(|word| {
                    ENVIRONMENTS
                        .iter()
                        .find(|(known, _)| word.starts_with(known))
                        .map(|(_, name)| *name)
                });
                let name = word.unwrap_or("production");
                let mut free = name.to_owned();
                let mut number = 2;
                while names.contains(&free) {
                    free = format!("{name}_{number}");
                    number += 1;
                }
                names.push(free.clone());
                plain.set("x-environment", Json::str(free));
            }
            out.push(plain);
        }
        // Whoever chooses none gets the first: not the one where money moves.
        out.sort_by_key(|server| {
            let name = server.get("x-environment").and_then(Json::as_str).unwrap_or_default();
            name.starts_with("production")
        });
        if root.get("servers").is_some() {
            root.set("servers", Json::Array(out));
        }
    }
}

/// The address of a server, with what its variables are by default.
fn url_of(server: &Json) -> Option<String> {
    let mut url = server.get("url")?.as_str()?.to_owned();
    for (name, variable) in server.get("variables").map(Json::members).unwrap_or_default() {
        if let Some(default) = variable.get("default").and_then(Json::scalar) {
            url = url.replace(&format!("{{{name}}}"), &default);
        }
    }
    Some(url.trim_end_matches('/').to_owned())
}

/// The addresses of a server, with all that its variables may be.
pub(crate) fn addresses_of(server: &Json) -> Vec<String> {
    let Some(url) = server.get("url").and_then(Json::as_str) else {
        return Vec::new();
    };
    let mut urls = vec![url.to_owned()];
    for (name, variable) in server.get("variables").map(Json::members).unwrap_or_default() {
        let default = variable.get("default").and_then(Json::scalar);
        let listed = variable.get("enum").map(Json::items).unwrap_or_default();
        let others = listed.iter().filter_map(Json::scalar);
        let mut values: Vec<String> = default.into_iter().chain(others).collect();
        let mut seen = std::collections::BTreeSet::new();
        values.retain(|value| seen.insert(value.clone()));
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
