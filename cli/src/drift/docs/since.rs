//! What a page said the last time, and says no longer or says otherwise.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::places::{Places, is_waived};
use super::rule::{At, Case, Rule, first};
use super::specified::{NEEDED, authenticates, has_grant, in_body, is_extra, is_separator, requires};
use crate::drift::address::Address;
use crate::drift::facts::{Fact, Facts, Kind, Page, UNENCRYPTED};
use crate::drift::finding::Class;
use crate::drift::spec::{Issue, SCOPE_IN_DOUBT, SCOPE_REFUSED, Spec};

/// A page that says the same in other words.
pub fn reworded(source: &str, digest: &str, new: usize, gone: usize) -> Issue {
    Issue {
        rule: "page-reworded",
        class: Class::DocsOnly,
        operation: None,
        subject: source.to_owned(),
        pointer: String::new(),
        what: format!(
            "the page is in other words: {new} passages are new, {gone} are gone (its text is {})",
            mark(digest)
        ),
        effect: "every fact that was read of it is as it was".to_owned(),
        fix: "see that it means the same, then record it with --accept".to_owned(),
    }
}

fn mark(digest: &str) -> String {
    digest.trim_start_matches("sha256:").chars().take(8).collect()
}

/// A page of which other facts are read than are recorded, each of them as the specification has it.
pub fn read_otherwise(source: &str, digest: &str, before: &Facts, now: &Facts) -> Issue {
    let moved = |one: &Facts, other: &Facts| -> Vec<String> {
        let lacking = one.iter().filter(|(fact, says)| other.get(fact) != Some(says));
        lacking.map(|(fact, _)| fact.to_string()).collect()
    };
    let (new, gone) = (moved(now, before), moved(before, now));
    let both: BTreeSet<&String> = new.iter().chain(&gone).collect();
    let named: Vec<&str> = both.iter().take(6).map(|fact| fact.as_str()).collect();
    let more = if both.len() > named.len() { ", and more" } else { "" };
    Issue {
        rule: "page-facts-moved",
        class: Class::DocsOnly,
        operation: None,
        subject: source.to_owned(),
        pointer: String::new(),
        what: format!(
            "{} facts of the page are not as recorded: {}{more} (its text is {})",
            both.len(),
            named.join(", "),
            mark(digest)
        ),
        effect: "the specification agrees with the page, or does not depend on these".to_owned(),
        fix: "see that it means nothing for the client, then record it with --accept".to_owned(),
    }
}

/// What a page said and says no longer, while the specification still claims it.
#[must_use]
pub fn still_claimed(spec: &Spec, before: &Page, now: &Facts) -> Facts {
    let of = |facts| Places::of(spec, facts, &before.waived);
    let (old_places, places) = (of(&before.facts), of(now));
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

/// How many of the recorded facts a page has still.
pub(super) fn kept(spec: &Spec, before: &Page, now: &Facts) -> usize {
    let of = |facts| Places::of(spec, facts, &before.waived);
    let (old_places, places) = (of(&before.facts), of(now));
    let today = Today::of(now, &places);
    let facts = before.facts.keys();
    facts
        .filter(|fact| today.facts.contains_key(&old_places.identity(fact)))
        .count()
}

/// Whether a page has an endpoint or a host that the recorded one has; `true` where that has none.
pub(super) fn same_places(before: &Page, now: &Facts) -> bool {
    let mut places = before
        .facts
        .keys()
        .filter(|fact| matches!(fact.kind, Kind::Endpoint | Kind::Host))
        .peekable();
    places.peek().is_none() || places.any(|fact| now.contains_key(fact))
}

/// The facts that a page has no more, the waived ones left out.
fn lost<'p>(before: &'p Page, old_places: &Places, today: &Today<'_>) -> Vec<(&'p Fact, &'p String)> {
    let facts = before.facts.iter();
    // Where a waiver says which operation is meant, the address is that operation's, and missed when it is gone.
    let meant = |fact: &Fact| {
        before
            .waived
            .get(fact)
            .is_some_and(|waiver| waiver.operation().is_some())
    };
    let open = facts.filter(|(fact, _)| meant(fact) || !is_waived(&before.waived, fact));
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
        let meant = no_longer_needed(spec, fact, said, says).or_else(|| without_tls(fact, says));
        issues.push(meant.unwrap_or_else(|| Issue {
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

/// A host that was asked with TLS, and that the specification does not name.
fn without_tls(fact: &Fact, says: &str) -> Option<Issue> {
    (fact.kind == Kind::Host && says == UNENCRYPTED).then(|| Issue {
        rule: "scheme-differs",
        class: Class::Unhandled,
        operation: None,
        subject: fact.name.clone(),
        pointer: "/servers".to_owned(),
        what: format!(
            "the page asks the host {} by http, without TLS, and did not before",
            fact.name
        ),
        effect: "the client asks every host by https".to_owned(),
        fix: "see whether the host still serves https, then record the page with --accept".to_owned(),
    })
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

/// What it means that a page no longer says a fact, where the specification still claims it. The first row of the kind that
/// applies is told; an oddity that is gone means nothing.
const GONE: [Rule; 20] = [
    Rule {
        kind: Kind::Separator,
        applies: |case| is_separator(&case.spec.provider.oauth.scope_separator, &case.fact.name),
        name: "scope-separator-unsaid",
        class: Class::DocsOnly,
        at: At::Oauth("/scope_separator"),
        what: NO_LONGER,
        effect: "the client still sends it",
        fix: "see what stands between scopes now, or waive the fact with the reason",
    },
    Rule {
        kind: Kind::Reply,
        applies: keeps_extra,
        name: "reply-field-gone",
        class: Class::SourceBreaking,
        at: At::Oauth("/token_reply/extra"),
        what: NO_LONGER,
        effect: "the client has no value for the field any more; following the page removes it",
        fix: "remove the field from x-oauth.token_reply.extra, or waive the fact with the reason",
    },
    Rule {
        kind: Kind::Endpoint,
        applies: |case| case.operation.is_some() && !case.fact.name.starts_with("URL "),
        name: "endpoint-gone",
        class: Class::WireBreaking,
        at: At::Operation,
        what: NO_LONGER,
        effect: "the client still calls it",
        fix: "remove or move the operation",
    },
    Rule {
        kind: Kind::Host,
        applies: has_host,
        name: "host-gone",
        class: Class::WireBreaking,
        at: At::Place("/servers"),
        what: NO_LONGER,
        effect: "the client still asks it",
        fix: "see which host serves now",
    },
    Rule {
        kind: Kind::Parameter,
        applies: offers,
        name: "parameter-gone",
        class: Class::SourceBreaking,
        at: At::Parameter,
        what: NO_LONGER,
        effect: "the client still offers it; following the page removes a method",
        fix: "remove the parameter, or waive the fact with the reason",
    },
    Rule {
        kind: Kind::Reply,
        applies: |case| reads(case) == Some(true),
        name: "reply-field-gone",
        class: Class::WireBreaking,
        at: At::Operation,
        what: NO_LONGER,
        effect: "the client cannot read a reply without it",
        fix: "make the field optional, or remove it",
    },
    Rule {
        kind: Kind::Reply,
        applies: |case| reads(case) == Some(false),
        name: "reply-field-gone",
        class: Class::SourceBreaking,
        at: At::Operation,
        what: NO_LONGER,
        effect: "following the page removes a field",
        fix: "remove the field, or waive the fact with the reason",
    },
    Rule {
        kind: Kind::Grant,
        applies: |case| has_grant(case.spec, &case.fact.name),
        name: "grant-withdrawn",
        class: Class::WireBreaking,
        at: At::Oauth("/grants"),
        what: NO_LONGER,
        effect: "the client still offers it",
        fix: "remove the grant",
    },
    Rule {
        kind: Kind::Scope,
        applies: |case| has_scope(case) && case.spec.provider.oauth.scopes_complete,
        name: "scope-withdrawn",
        class: SCOPE_REFUSED.0,
        at: At::Place("/components/securitySchemes/oauth/flows"),
        what: NO_LONGER,
        effect: SCOPE_REFUSED.1,
        fix: "remove the scope",
    },
    Rule {
        kind: Kind::Scope,
        applies: has_scope,
        name: "scope-withdrawn",
        class: SCOPE_IN_DOUBT.0,
        at: At::Place("/components/securitySchemes/oauth/flows"),
        what: NO_LONGER,
        effect: SCOPE_IN_DOUBT.1,
        fix: "remove the scope",
    },
    Rule {
        kind: Kind::ClientAuthentication,
        applies: |case| authenticates(case.spec, &case.fact.name),
        name: "client-authentication-withdrawn",
        class: Class::WireBreaking,
        at: At::Oauth("/client_authentication"),
        what: NO_LONGER,
        effect: "the client still authenticates this way",
        fix: "follow the page in x-oauth.client_authentication",
    },
    Rule {
        kind: Kind::Pkce,
        applies: |case| case.spec.provider.oauth.pkce.is_checked(),
        name: "pkce-changed",
        class: Class::DocsOnly,
        at: At::Oauth("/pkce"),
        what: NO_LONGER,
        effect: "the client sends a challenge, which servers without PKCE ignore",
        fix: "see whether PKCE is still there",
    },
    Rule {
        kind: Kind::Lifetime,
        applies: |case| claims_lifetime(case.spec, &case.fact.name),
        name: "lifetime-unsaid",
        class: Class::DocsOnly,
        at: At::Oauth(""),
        what: NO_LONGER,
        effect: "the specification still claims it",
        fix: "remove the lifetime, or waive the fact with the reason",
    },
    Rule {
        kind: Kind::Rotation,
        applies: |case| case.spec.provider.oauth.refresh.rotates == Some(true),
        name: "rotation-unsaid",
        class: Class::DocsOnly,
        at: At::Oauth("/refresh/rotates"),
        what: NO_LONGER,
        effect: "the client keeps a new refresh token wherever one comes",
        fix: "see whether refresh tokens still rotate",
    },
    Rule {
        kind: Kind::Callback,
        applies: |case| case.fact.name.starts_with("error="),
        name: "callback-error-unsaid",
        class: Class::DocsOnly,
        at: At::Oauth(""),
        what: NO_LONGER,
        effect: "the client still knows the error",
        fix: "see what a refusal carries now",
    },
    Rule {
        kind: Kind::Callback,
        applies: |case| ["code", "state"].contains(&case.fact.name.as_str()),
        name: "callback-parameter-gone",
        class: Class::WireBreaking,
        at: At::Oauth(""),
        what: NO_LONGER,
        effect: "the client refuses a way back without it",
        fix: "see what the way back carries now",
    },
    Rule {
        kind: Kind::Header,
        applies: |case| case.fact.name == "authorization" && sends_header(case),
        name: "header-unsaid",
        class: Class::Unhandled,
        at: At::Operation,
        what: NO_LONGER,
        effect: "the client still sends it",
        fix: "see whether it is still wanted, or waive the fact with the reason",
    },
    Rule {
        kind: Kind::Header,
        applies: sends_header,
        name: "header-unsaid",
        class: Class::DocsOnly,
        at: At::Operation,
        what: NO_LONGER,
        effect: "the client still sends it",
        fix: "see whether it is still wanted, or waive the fact with the reason",
    },
    Rule {
        kind: Kind::Value,
        applies: |case| case.operation.is_some(),
        name: "value-unsaid",
        class: Class::Unhandled,
        at: At::Operation,
        what: NO_LONGER,
        effect: "the client still sends it",
        fix: "see which value is sent now, or waive the fact with the reason",
    },
    Rule {
        kind: Kind::Status,
        applies: takes_status,
        name: "status-unsaid",
        class: Class::DocsOnly,
        at: At::Operation,
        what: NO_LONGER,
        effect: "the client still takes it",
        fix: "see which status comes now, or waive the fact with the reason",
    },
];

const NO_LONGER: &str = "the page no longer says: {}";

fn gone(spec: &Spec, places: &Places, fact: &Fact) -> Option<Issue> {
    let endpoint = match fact.kind {
        Kind::Endpoint => Some(&fact.name),
        _ => fact.endpoint.as_ref(),
    };
    let operation = endpoint.and_then(|endpoint| places.operation(spec, endpoint));
    first(&GONE, &Case { spec, fact, operation }, &fact.to_string())
}

fn has_host(case: &Case<'_>) -> bool {
    let servers = &case.spec.provider.specification.servers;
    servers
        .iter()
        .any(|server| Address::host_of(&server.url) == case.fact.name)
}

/// Whether the client takes the parameter, in any place.
fn offers(case: &Case<'_>) -> bool {
    let (spec, name) = (case.spec, &case.fact.name);
    case.operation
        .as_ref()
        .is_some_and(|operation| spec.parameter(operation, name).is_some() || in_body(spec, operation, name).is_some())
}

/// Whether the client cannot do without the field of a reply; `None` where it reads no such field.
fn reads(case: &Case<'_>) -> Option<bool> {
    let schema = case.spec.success(case.operation.as_ref()?)?;
    case.spec.field(schema, &case.fact.name)?;
    Some(requires(case.spec, schema, &case.fact.name))
}

/// A field that the client keeps of a token reply.
fn keeps_extra(case: &Case<'_>) -> bool {
    let token = case.spec.provider.endpoint("token");
    let of_token = case
        .operation
        .as_ref()
        .is_some_and(|operation| token.is_some_and(|token| token.id == operation.id()));
    of_token && is_extra(case.spec, &case.fact.name)
}

fn has_scope(case: &Case<'_>) -> bool {
    case.spec.scopes().contains(&case.fact.name.as_str())
}

fn sends_header(case: &Case<'_>) -> bool {
    let Some(operation) = &case.operation else { return false };
    match case.fact.name.as_str() {
        "authorization" => {
            let security = operation.value.get("security").and_then(Value::as_array);
            security.is_some_and(|all| !all.is_empty())
        }
        "content-type" => case.spec.request_media(operation).is_some(),
        name => case.spec.parameter(operation, name).is_some(),
    }
}

fn takes_status(case: &Case<'_>) -> bool {
    let responses = case
        .operation
        .as_ref()
        .and_then(|operation| operation.value.get("responses"));
    responses.is_some_and(|responses| responses.get(&case.fact.name).is_some())
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
