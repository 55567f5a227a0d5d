//! What a page said the last time, and says no longer or says otherwise.

use std::collections::{BTreeMap, BTreeSet};

use finrail_spec::operations::Operation;
use finrail_spec::vocabulary as v;
use serde_json::Value;

use super::specified::{NEEDED, authenticates, in_body, requires};
use super::{Places, is_waived};
use crate::drift::address::Address;
use crate::drift::facts::{Fact, Facts, Kind, Page};
use crate::drift::finding::Class;
use crate::drift::spec::{Issue, Spec};

/// A page that says the same in other words.
pub fn reworded(source: &str, digest: &str) -> Issue {
    let mark: String = digest.trim_start_matches("sha256:").chars().take(8).collect();
    Issue {
        rule: "page-reworded",
        class: Class::DocsOnly,
        operation: None,
        subject: source.to_owned(),
        pointer: String::new(),
        what: format!("the page is in other words (its text is {mark})"),
        effect: "every fact that was read of it is as it was".to_owned(),
        fix: "see that it means the same, then record it with --accept".to_owned(),
    }
}

/// What a page said and says no longer, while the specification still claims it.
#[must_use]
pub fn still_claimed(spec: &Spec, before: &Page, now: &Facts) -> Facts {
    let (old_places, places) = (Places::of(spec, &before.facts), Places::of(spec, now));
    let mut claimed = Facts::new();
    for (fact, said) in lost(before, &old_places, &Today::of(now, &places)) {
        // What belonged to an endpoint that is gone stays with it.
        let told = match &fact.endpoint {
            Some(endpoint) => Fact::new(Kind::Endpoint, endpoint.clone()),
            None => fact.clone(),
        };
        if gone(spec, &old_places, fact).is_some() || told != *fact && gone(spec, &old_places, &told).is_some() {
            claimed.insert(fact.clone(), said.clone());
        }
    }
    claimed
}

/// What a page says now, by what it is about.
struct Today<'f> {
    facts: BTreeMap<Fact, &'f String>,
    endpoints: BTreeSet<String>,
}

impl<'f> Today<'f> {
    fn of(now: &'f Facts, places: &Places) -> Self {
        let facts: BTreeMap<Fact, &String> = now.iter().map(|(fact, says)| (places.identity(fact), says)).collect();
        let endpoints = facts.keys().filter(|fact| fact.kind == Kind::Endpoint);
        let endpoints = endpoints.map(|fact| fact.name.clone()).collect();
        Self { facts, endpoints }
    }
}

/// The facts that a page has no more, the waived ones left out.
fn lost<'p>(before: &'p Page, old_places: &Places, today: &Today<'_>) -> Vec<(&'p Fact, &'p String)> {
    let facts = before.facts.iter();
    let open = facts.filter(|(fact, _)| !is_waived(&before.waived, fact));
    open.filter(|(fact, _)| !today.facts.contains_key(&old_places.identity(fact)))
        .collect()
}

/// What the page said and says no longer, where the specification still claims it; and what moved
/// where the specification claims nothing.
pub(super) fn since(
    spec: &Spec,
    before: &Page,
    old_places: &Places,
    now: &Facts,
    places: &Places,
    told: &[Issue],
) -> Vec<Issue> {
    let today = Today::of(now, places);
    let mut issues = Vec::new();
    for (fact, _) in lost(before, old_places, &today) {
        // What belonged to an endpoint that is gone is told with the endpoint.
        let endpoint = old_places.identity(fact).endpoint;
        let with_endpoint = fact.kind != Kind::Endpoint && endpoint.is_some_and(|it| !today.endpoints.contains(&it));
        if !with_endpoint {
            issues.extend(gone(spec, old_places, fact));
        }
    }
    for (fact, said) in &before.facts {
        let identity = old_places.identity(fact);
        let Some(says) = today.facts.get(&identity).filter(|says| **says != said) else {
            continue;
        };
        let known = told.iter().any(|issue| issue.subject == identity.name);
        if known || accounted(spec, fact) || is_waived(&before.waived, fact) {
            continue;
        }
        issues.push(no_longer_needed(spec, fact, said, says).unwrap_or_else(|| Issue {
            rule: "fact-moved",
            class: Class::DocsOnly,
            operation: None,
            subject: identity.name.clone(),
            pointer: String::new(),
            what: format!("{fact}: was `{said}`, is `{says}`"),
            effect: "the specification does not depend on it".to_owned(),
            fix: "see that it means nothing for the client, then record it with --accept".to_owned(),
        }));
    }
    issues
}

/// A scope that every request had to carry.
fn no_longer_needed(spec: &Spec, fact: &Fact, said: &str, says: &str) -> Option<Issue> {
    let needed = |words: &str| words.split_whitespace().any(|word| word == NEEDED);
    let always = fact.kind == Kind::Scope && spec.provider.oauth.scopes_always.contains(&fact.name);
    if !always || !needed(said) || needed(says) {
        return None;
    }
    Some(Issue {
        rule: "scope-not-needed",
        class: Class::Additive,
        operation: None,
        subject: fact.name.clone(),
        pointer: Spec::oauth_pointer("/scopes_always"),
        what: format!("the page lets the scope `{}` be left out", fact.name),
        effect: "the client adds it to every request".to_owned(),
        fix: "remove it from x-oauth.scopes_always".to_owned(),
    })
}

/// Whether a fact's value is one that the specification states, so that a change of it is told
/// by the comparison with the specification, or has been followed.
fn accounted(spec: &Spec, fact: &Fact) -> bool {
    match fact.kind {
        Kind::Lifetime => fact.name == "refresh_token" && spec.provider.oauth.refresh.lifetime.is_some(),
        Kind::Endpoint | Kind::Parameter | Kind::Header | Kind::Reply => true,
        _ => false,
    }
}

fn gone(spec: &Spec, places: &Places, fact: &Fact) -> Option<Issue> {
    let oauth = &spec.provider.oauth;
    let operation = match fact.kind {
        Kind::Endpoint => places.operation(spec, &fact.name),
        _ => fact
            .endpoint
            .as_ref()
            .and_then(|endpoint| places.operation(spec, endpoint)),
    };
    let issue = |rule, class, pointer: String, effect: &str, fix: &str| {
        Some(Issue {
            rule,
            class,
            operation: operation.as_ref().map(|operation| operation.id().to_owned()),
            subject: fact.name.clone(),
            pointer,
            what: format!("the page no longer says: {fact}"),
            effect: effect.to_owned(),
            fix: fix.to_owned(),
        })
    };
    let at = operation.as_ref().map(Operation::pointer).unwrap_or_default();
    match fact.kind {
        Kind::Endpoint if fact.name.starts_with("URL ") => None,
        Kind::Endpoint => {
            operation.as_ref()?;
            issue(
                "endpoint-gone",
                Class::WireBreaking,
                at,
                "the client still calls it",
                "remove or move the operation",
            )
        }
        Kind::Host => {
            let known = spec
                .provider
                .specification
                .servers
                .iter()
                .any(|server| Address::host_of(&server.url) == fact.name);
            if !known {
                return None;
            }
            issue(
                "host-gone",
                Class::WireBreaking,
                "/servers".to_owned(),
                "the client still asks it",
                "see which host serves now",
            )
        }
        Kind::Parameter => {
            let operation = operation.as_ref()?;
            let still =
                spec.parameter(operation, &fact.name).is_some() || in_body(spec, operation, &fact.name).is_some();
            if !still {
                return None;
            }
            issue(
                "parameter-gone",
                Class::SourceBreaking,
                spec.parameter_pointer(operation, &fact.name),
                "the client still offers it; following the page removes a method",
                "remove the parameter, or waive the fact with the reason",
            )
        }
        Kind::Reply => {
            let operation = operation.as_ref()?;
            let schema = spec.success(operation)?;
            spec.field(schema, &fact.name)?;
            if requires(spec, schema, &fact.name) {
                issue(
                    "reply-field-gone",
                    Class::WireBreaking,
                    at,
                    "the client cannot read a reply without it",
                    "make the field optional, or remove it",
                )
            } else {
                issue(
                    "reply-field-gone",
                    Class::SourceBreaking,
                    at,
                    "following the page removes a field",
                    "remove the field, or waive the fact with the reason",
                )
            }
        }
        Kind::Grant => {
            if !oauth.grants.iter().any(|grant| grant.as_str() == fact.name) {
                return None;
            }
            issue(
                "grant-withdrawn",
                Class::WireBreaking,
                Spec::oauth_pointer("/grants"),
                "the client still offers it",
                "remove the grant",
            )
        }
        Kind::Scope => {
            if !spec.scopes().contains(&fact.name.as_str()) {
                return None;
            }
            let (class, effect) = spec.scope_withdrawn();
            issue(
                "scope-withdrawn",
                class,
                "/components/securitySchemes/oauth/flows".to_owned(),
                effect,
                "remove the scope",
            )
        }
        Kind::ClientAuthentication if !authenticates(spec, &fact.name) => None,
        Kind::ClientAuthentication => issue(
            "client-authentication-withdrawn",
            Class::WireBreaking,
            Spec::oauth_pointer("/client_authentication"),
            "the client still authenticates this way",
            "follow the page in x-oauth.client_authentication",
        ),
        Kind::Pkce if oauth.pkce == v::Pkce::Required => issue(
            "pkce-changed",
            Class::DocsOnly,
            Spec::oauth_pointer("/pkce"),
            "the client sends a challenge, which servers without PKCE ignore",
            "see whether PKCE is still there",
        ),
        Kind::Lifetime if claims_lifetime(spec, &fact.name) => issue(
            "lifetime-unsaid",
            Class::DocsOnly,
            Spec::oauth_pointer(""),
            "the specification still claims it",
            "remove the lifetime, or waive the fact with the reason",
        ),
        Kind::Rotation if oauth.refresh.rotates == Some(true) => issue(
            "rotation-unsaid",
            Class::DocsOnly,
            Spec::oauth_pointer("/refresh/rotates"),
            "the client keeps a new refresh token wherever one comes",
            "see whether refresh tokens still rotate",
        ),
        Kind::Callback if fact.name.starts_with("error=") => issue(
            "callback-error-unsaid",
            Class::DocsOnly,
            Spec::oauth_pointer(""),
            "the client still knows the error",
            "see what a refusal carries now",
        ),
        Kind::Header => {
            let operation = operation.as_ref()?;
            let (class, claimed) = match fact.name.as_str() {
                "authorization" => {
                    let security = operation.value.get("security").and_then(Value::as_array);
                    (Class::Unhandled, security.is_some_and(|all| !all.is_empty()))
                }
                "content-type" => (Class::DocsOnly, spec.request_media(operation).is_some()),
                name => (Class::DocsOnly, spec.parameter(operation, name).is_some()),
            };
            if !claimed {
                return None;
            }
            issue(
                "header-unsaid",
                class,
                at,
                "the client still sends it",
                "see whether it is still wanted, or waive the fact with the reason",
            )
        }
        Kind::Value => {
            operation.as_ref()?;
            issue(
                "value-unsaid",
                Class::Unhandled,
                at,
                "the client still sends it",
                "see which value is sent now, or waive the fact with the reason",
            )
        }
        Kind::Status => {
            let responses = operation.as_ref()?.value.get("responses")?;
            responses.get(&fact.name)?;
            issue(
                "status-unsaid",
                Class::DocsOnly,
                at,
                "the client still takes it",
                "see which status comes now, or waive the fact with the reason",
            )
        }
        Kind::Callback if ["code", "state"].contains(&fact.name.as_str()) => issue(
            "callback-parameter-gone",
            Class::WireBreaking,
            Spec::oauth_pointer(""),
            "the client refuses a way back without it",
            "see what the way back carries now",
        ),
        _ => None,
    }
}

fn claims_lifetime(spec: &Spec, name: &str) -> bool {
    let oauth = &spec.provider.oauth;
    match name {
        "refresh_token" => oauth.refresh.lifetime.is_some(),
        "access_token" => oauth
            .access_token_lifetime
            .or(oauth.token_reply.default_lifetime)
            .is_some(),
        // An example is one reply.
        _ => false,
    }
}
