//! The tool against itself: each provider's evidence is made from its specification, changed in one
//! way, and must be found with the class that the change deserves. A silent "nothing changed" fails, and so does a
//! change that could not be made and is not listed as such, with its reason.

#![allow(clippy::panic)]

mod documents;
mod metadata;
mod pages;
#[path = "../support/mod.rs"]
mod support;
mod traffic;

use finrail_cli::drift::{self, Options, Source};
use finrail_cli::workspace::Workspace;
use serde_json::Value;
use support::speak;

const PROVIDERS: [&str; 5] = ["finexer", "mx", "ofx", "omnifund", "tatrabanka"];

fn workspace() -> Workspace {
    Workspace::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."), "cargo xtask")
}

fn bundle(provider: &str) -> Value {
    let text = workspace()
        .read(&workspace().bundle(provider))
        .ok()
        .flatten()
        .unwrap_or_default();
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{provider}: {error}"))
}

/// The findings of one run, as `rule class`.
fn findings(provider: &str, kind: &str, evidence: &str) -> Vec<(String, String)> {
    let file = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!(
        "mutation-{provider}-{kind}-{}-{:?}",
        std::process::id(),
        std::thread::current().id()
    ));
    std::fs::write(&file, evidence).unwrap_or_else(|error| panic!("{error}"));
    let place = file.display().to_string();
    let options = Options {
        provider: provider.to_owned(),
        evidence: match kind {
            "openapi" => Source::Openapi { place, complete: true },
            "metadata" => Source::Metadata(place),
            "har" => Source::Har { place, scrub: None },
            _ => Source::Docs {
                place,
                page: Some("https://made-up.example".to_owned()),
                accept: false,
            },
        },
        json: true,
        today: "2026-11-22".to_owned(),
    };
    let (_, said) = speak(|shell| drift::run(&workspace(), &options, shell));
    let _ = std::fs::remove_file(file);
    let report: Value =
        serde_json::from_str(&said).unwrap_or_else(|error| panic!("{provider} {kind}: {error}\n{said}"));
    let all = report["findings"].as_array().cloned().unwrap_or_default();
    let word = |finding: &Value, key: &str| finding[key].as_str().unwrap_or_default().to_owned();
    all.iter()
        .map(|finding| (word(finding, "rule"), word(finding, "class")))
        .collect()
}

/// What was found of what was changed.
struct Tally {
    evidence: &'static str,
    /// Changes that a provider has nothing for: the change, the providers, the reason.
    not_applicable: &'static [(&'static str, &'static [&'static str], &'static str)],
    caught: usize,
    skipped: Vec<(String, String)>,
    wrong: Vec<String>,
}

impl Tally {
    fn new(
        evidence: &'static str,
        not_applicable: &'static [(&'static str, &'static [&'static str], &'static str)],
    ) -> Self {
        Self {
            evidence,
            not_applicable,
            caught: 0,
            skipped: Vec::new(),
            wrong: Vec::new(),
        }
    }

    /// Whether the change can be made, which must be what the list says.
    fn applies(&mut self, provider: &str, mutation: &str, made: bool) -> bool {
        let listed = self
            .not_applicable
            .iter()
            .any(|(listed, providers, _)| *listed == mutation && providers.contains(&provider));
        match (made, listed) {
            (true, true) => self
                .wrong
                .push(format!("{provider}: {mutation}: is listed as not applicable, and is")),
            (false, false) => self
                .wrong
                .push(format!("{provider}: {mutation}: changes nothing, and is not listed")),
            _ => {}
        }
        if !made {
            self.skipped.push((mutation.to_owned(), provider.to_owned()));
        }
        made
    }

    /// The strongest finding must have the class.
    fn expect(&mut self, provider: &str, mutation: &str, class: &str, evidence: Option<&str>) {
        if !self.applies(provider, mutation, evidence.is_some()) {
            return;
        }
        let order = ["docs-only", "additive", "unhandled", "source-breaking", "wire-breaking"];
        let found = findings(provider, self.evidence, evidence.unwrap_or_default());
        let strongest = found
            .iter()
            .max_by_key(|(_, class)| order.iter().position(|it| it == class));
        let ok = match (strongest, class) {
            (None, "nothing") => true,
            (Some((_, found)), class) => found == class,
            _ => false,
        };
        self.found(provider, mutation, ok, format!("expected {class}, found {found:?}"));
    }

    fn found(&mut self, provider: &str, mutation: &str, ok: bool, what: String) {
        if ok {
            self.caught += 1;
        } else {
            self.wrong.push(format!("{provider}: {mutation}: {what}"));
        }
    }

    /// Every change on every provider was caught or is listed, and there are as many as there were.
    fn done(self, caught: usize, skipped: usize) {
        for (mutation, providers, _) in self.not_applicable {
            for provider in *providers {
                let used = self.skipped.iter().any(|(it, of)| it == mutation && of == provider);
                assert!(used, "{mutation} of {provider} is listed and was never tried");
            }
        }
        assert!(
            self.wrong.is_empty(),
            "{}: {} wrong:\n{}",
            self.evidence,
            self.wrong.len(),
            self.wrong.join("\n")
        );
        assert_eq!(
            (self.caught, self.skipped.len()),
            (caught, skipped),
            "{}: caught, not applicable",
            self.evidence
        );
    }
}

/// Every JSON pointer to an object that satisfies a condition, in the order of the document.
fn pointers(value: &Value, fits: &dyn Fn(&str, &Value) -> bool) -> Vec<String> {
    fn walk(value: &Value, at: &str, fits: &dyn Fn(&str, &Value) -> bool, found: &mut Vec<String>) {
        if fits(at, value) {
            found.push(at.to_owned());
        }
        match value {
            Value::Object(object) => {
                for (key, value) in object {
                    let key = key.replace('~', "~0").replace('/', "~1");
                    walk(value, &format!("{at}/{key}"), fits, found);
                }
            }
            Value::Array(items) => {
                for (index, value) in items.iter().enumerate() {
                    walk(value, &format!("{at}/{index}"), fits, found);
                }
            }
            _ => {}
        }
    }
    let mut found = Vec::new();
    walk(value, "", fits, &mut found);
    found
}

/// Schemas by the direction in which operations carry them.
fn reached(bundle: &Value, requests: bool) -> Vec<String> {
    let usage = finrail_cli::usage::Usage::of(bundle);
    let success = in_success(bundle);
    let names = bundle
        .pointer("/components/schemas")
        .and_then(Value::as_object)
        .cloned()
        .unwrap_or_default();
    names
        .keys()
        .filter(|name| {
            if requests {
                usage.in_requests(name) && !usage.in_replies(name)
            } else {
                success.contains(*name) && !usage.in_requests(name)
            }
        })
        .filter(|name| !["TokenRequest", "TokenResponse", "OAuthError", "RevocationRequest"].contains(&name.as_str()))
        .cloned()
        .collect()
}

/// The class of a scope that is not named any more: where a list is not complete, that is no proof.
fn class_of_a_lost_scope(bundle: &Value) -> &'static str {
    match bundle["components"]["securitySchemes"]["oauth"]["x-oauth"]["scopes_complete"].as_bool() {
        Some(false) => "unhandled",
        _ => "wire-breaking",
    }
}

/// The schemas that success replies reach.
fn in_success(bundle: &Value) -> std::collections::BTreeSet<String> {
    let mut found = std::collections::BTreeSet::new();
    let references = |at: &str, root: &Value| -> Vec<String> {
        let all = root
            .pointer(at)
            .map(|value| pointers(value, &|at, _| at.ends_with("/$ref")))
            .unwrap_or_default();
        let texts = all
            .iter()
            .filter_map(|inner| root.pointer(&format!("{at}{inner}"))?.as_str());
        texts
            .filter_map(|text| text.rsplit('/').next())
            .map(str::to_owned)
            .collect()
    };
    let replies = pointers(bundle, &|at, _| {
        at.starts_with("/paths/") && at.matches('/').count() == 5 && at.contains("/responses/2")
    });
    let mut open: Vec<String> = replies.iter().flat_map(|at| references(at, bundle)).collect();
    while let Some(name) = open.pop() {
        if found.insert(name.clone()) {
            open.extend(references(&format!("/components/schemas/{name}"), bundle));
        }
    }
    found
}

fn api_operation(bundle: &Value, fits: &dyn Fn(&Value) -> bool) -> Option<String> {
    pointers(bundle, &|at, value| {
        at.starts_with("/paths/")
            && at.matches('/').count() == 3
            && value.get("operationId").is_some()
            && value.get("x-client").is_none()
            && fits(value)
    })
    .into_iter()
    .next()
}
