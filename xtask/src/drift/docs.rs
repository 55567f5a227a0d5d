//! `drift --docs`: what a documentation page says, what it said the last time, and what the specification says.

use std::collections::{BTreeMap, BTreeSet};

use finrail_codegen::vocabulary as v;
use serde_json::Value;

use super::facts::{Fact, Facts, Kind, Page};
use super::finding::{Class, Evidence, Finding};
use super::spec::{Issue, Spec};
use crate::document::Operation;
use crate::provider::authentication_word;

/// Compares a reading of a page with the specification, and with the reading before it.
#[must_use]
pub fn compare(spec: &Spec, before: Option<&Page>, now: &Facts, evidence: &Evidence) -> Vec<Finding> {
    let nothing = BTreeMap::new();
    let waived = before.map_or(&nothing, |page| &page.waived);
    let places = Places::of(spec, now);
    let mut issues = Vec::new();
    for (fact, says) in now {
        if !is_waived(waived, fact) {
            issues.extend(against_spec(spec, &places, fact, says));
        }
    }
    if let Some(before) = before {
        let old_places = Places::of(spec, &before.facts);
        issues.extend(since(spec, before, &old_places, now, &places, &issues));
    }
    let mut findings: Vec<Finding> = issues.into_iter().map(|issue| spec.finding(issue, evidence)).collect();
    findings.sort_by(|a, b| (b.class, &a.subject, &a.what).cmp(&(a.class, &b.subject, &b.what)));
    findings.dedup_by(|a, b| a.fingerprint == b.fingerprint);
    findings
}

/// A waiver for an endpoint covers what belongs to it.
fn is_waived(waived: &BTreeMap<Fact, String>, fact: &Fact) -> bool {
    waived.contains_key(fact)
        || fact
            .endpoint
            .as_ref()
            .is_some_and(|endpoint| waived.contains_key(&Fact::new(Kind::Endpoint, endpoint.clone())))
}

/// Which operation each endpoint of a page is.
struct Places {
    /// Endpoint to operation id, and whether the path is the one of the specification.
    known: BTreeMap<String, (String, bool)>,
}

impl Places {
    fn of(spec: &Spec, facts: &Facts) -> Self {
        let endpoints: Vec<&String> = facts
            .keys()
            .filter(|fact| fact.kind == Kind::Endpoint)
            .map(|fact| &fact.name)
            .collect();
        let mut known = BTreeMap::new();
        for endpoint in &endpoints {
            let (method, path) = endpoint.split_once(' ').unwrap_or(("", endpoint));
            if let Some(operation) = spec.matching(method, path) {
                known.insert((*endpoint).clone(), (operation.id().to_owned(), true));
            }
        }
        let taken: Vec<String> = known.values().map(|(id, _)| id.clone()).collect();
        for endpoint in endpoints {
            let (method, path) = endpoint.split_once(' ').unwrap_or(("", endpoint));
            if known.contains_key(endpoint) || method == "URL" {
                continue;
            }
            if let Some(operation) = spec.moved(method, path, &taken) {
                known.insert(endpoint.clone(), (operation.id().to_owned(), false));
            }
        }
        Self { known }
    }

    fn operation<'s>(&self, spec: &'s Spec, endpoint: &str) -> Option<Operation<'s>> {
        let (id, _) = self.known.get(endpoint)?;
        spec.operation(id)
    }

    /// A fact by what it is about, so that an endpoint's move is one change and not ten.
    fn identity(&self, fact: &Fact) -> Fact {
        let place = |endpoint: &String| self.known.get(endpoint).map_or(endpoint.clone(), |(id, _)| id.clone());
        match fact.kind {
            Kind::Endpoint => Fact::new(Kind::Endpoint, place(&fact.name)),
            kind => Fact {
                kind,
                endpoint: fact.endpoint.as_ref().map(place),
                name: fact.name.clone(),
            },
        }
    }
}

/// What the specification lacks of a fact, or says otherwise.
fn against_spec(spec: &Spec, places: &Places, fact: &Fact, says: &str) -> Option<Issue> {
    let oauth = &spec.provider.oauth;
    let operation = fact.endpoint.as_ref().map(|endpoint| places.operation(spec, endpoint));
    // What belongs to an endpoint that nobody knows is told with the endpoint.
    if operation.as_ref().is_some_and(Option::is_none) {
        return None;
    }
    let operation = operation.flatten();
    let id = operation.as_ref().map(|operation| operation.id().to_owned());
    let issue = |rule, class, pointer: String, what: String, effect: &str, fix: &str| {
        Some(Issue {
            rule,
            class,
            operation: id.clone(),
            subject: fact.name.clone(),
            pointer,
            what,
            effect: effect.to_owned(),
            fix: fix.to_owned(),
        })
    };
    match fact.kind {
        Kind::Host => host(spec, fact),
        Kind::Endpoint => endpoint(spec, places, fact),
        Kind::Parameter => parameter(spec, &operation?, fact, says),
        Kind::Value => None,
        Kind::Header => header(spec, &operation?, fact, says),
        Kind::Reply => reply(spec, &operation?, fact, says),
        Kind::Status => {
            let operation = operation?;
            let class = format!("{}XX", fact.name.get(..1).unwrap_or_default());
            let responses = operation.value.get("responses")?;
            if responses.get(&fact.name).or_else(|| responses.get(&class)).is_some() {
                return None;
            }
            issue(
                "status-undescribed",
                if fact.name.starts_with('2') {
                    Class::WireBreaking
                } else {
                    Class::Additive
                },
                operation.pointer(),
                format!("the page shows the status {}, the specification does not", fact.name),
                "the client takes a success that is not listed for a failure",
                "describe the status",
            )
        }
        Kind::Callback => {
            let name = fact.name.split('=').next().unwrap_or_default();
            let known = [
                "code",
                "state",
                "error",
                "error_description",
                "error_uri",
                "iss",
                "scope",
            ]
            .contains(&name)
                || oauth.refusal_code_field.as_deref() == Some(name);
            if known {
                return None;
            }
            issue(
                "callback-parameter-added",
                Class::Additive,
                Spec::oauth_pointer(""),
                format!("the way back carries `{name}`"),
                "the client does not read it",
                "name it in x-oauth, or waive it",
            )
        }
        Kind::Grant => {
            if oauth.grants.iter().any(|grant| grant.as_str() == fact.name) {
                return None;
            }
            issue(
                "grant-added",
                Class::Additive,
                Spec::oauth_pointer("/grants"),
                format!("the page has the grant `{}`", fact.name),
                "the client does not offer it",
                "add it to x-oauth.grants, with its flow",
            )
        }
        Kind::Scope => scope(spec, fact, says),
        Kind::Lifetime => lifetime(spec, fact, says),
        Kind::ClientAuthentication => {
            let all = &oauth.client_authentication;
            let used = [
                Some(all.default),
                all.client_credentials,
                all.authorization_code,
                all.password,
                all.refresh_token,
                all.revocation,
            ];
            if used
                .into_iter()
                .flatten()
                .any(|one| authentication_word(one) == fact.name)
            {
                return None;
            }
            issue(
                "client-authentication-added",
                Class::Additive,
                Spec::oauth_pointer("/client_authentication"),
                format!("the page has the client authentication `{}`", fact.name),
                "the client authenticates in another way, which the page may not have any more",
                "see whether the one in x-oauth.client_authentication still holds",
            )
        }
        Kind::Pkce => {
            if oauth.pkce == v::Pkce::Required && fact.name == "S256" {
                return None;
            }
            issue(
                "pkce-changed",
                if oauth.pkce == v::Pkce::Required {
                    Class::WireBreaking
                } else {
                    Class::Additive
                },
                Spec::oauth_pointer("/pkce"),
                format!("the page has the PKCE method `{}`", fact.name),
                "the client sends what x-oauth.pkce says",
                "follow it in x-oauth.pkce",
            )
        }
        Kind::Rotation => {
            if oauth.refresh.rotates == Some(true) {
                return None;
            }
            issue(
                "rotation-changed",
                Class::DocsOnly,
                Spec::oauth_pointer("/refresh/rotates"),
                "the page says that a refresh brings a new refresh token".to_owned(),
                "the client keeps a new refresh token wherever one comes",
                "write `rotates: true` in x-oauth.refresh",
            )
        }
        Kind::Oddity => issue(
            "page-oddity",
            Class::DocsOnly,
            operation.as_ref().map(Operation::pointer).unwrap_or_default(),
            format!("the page shows {}", fact.name),
            "the client does not copy it",
            "waive it, with the reason",
        ),
    }
}

fn host(spec: &Spec, fact: &Fact) -> Option<Issue> {
    let servers = &spec.provider.servers;
    let known = servers
        .iter()
        .any(|server| server.url.contains(&format!("://{}", fact.name)));
    let own_hosts = servers.iter().any(|server| server.url.contains('{'));
    let example = fact.name.starts_with("your") || fact.name.ends_with(".example") || fact.name.contains("example.com");
    if known || own_hosts || example {
        return None;
    }
    Some(Issue {
        rule: "host-undescribed",
        class: Class::WireBreaking,
        operation: None,
        subject: fact.name.clone(),
        pointer: "/servers".to_owned(),
        what: format!("the page asks the host {}", fact.name),
        effect: "the client asks other hosts".to_owned(),
        fix: "list the host under `servers`, or waive it".to_owned(),
    })
}

fn endpoint(spec: &Spec, places: &Places, fact: &Fact) -> Option<Issue> {
    match places.known.get(&fact.name) {
        Some((_, true)) => None,
        Some((id, false)) => {
            let operation = spec.operation(id)?;
            let (method, path) = fact.name.split_once(' ')?;
            Some(Issue {
                rule: "endpoint-moved",
                class: Class::WireBreaking,
                operation: Some(id.clone()),
                subject: id.clone(),
                pointer: operation.pointer(),
                what: format!("`{}` is now `{method} {}`", path_of(&operation), spec.relative(path)),
                effect: format!("the client asks {}", operation.path),
                fix: "move the operation in the specification".to_owned(),
            })
        }
        None if fact.name.starts_with("URL ") => None,
        None => Some(Issue {
            rule: "endpoint-undescribed",
            class: Class::Additive,
            operation: None,
            subject: fact.name.clone(),
            pointer: "/paths".to_owned(),
            what: format!("the page has `{}`, the specification does not", fact.name),
            effect: "the client does not offer it".to_owned(),
            fix: "describe the operation, or waive it with the reason".to_owned(),
        }),
    }
}

fn path_of(operation: &Operation<'_>) -> String {
    format!("{} {}", operation.method.to_uppercase(), operation.path)
}

fn parameter(spec: &Spec, operation: &Operation<'_>, fact: &Fact, says: &str) -> Option<Issue> {
    let in_body = spec
        .request(operation)
        .and_then(|schema| spec.property(schema, &fact.name));
    let described = spec.parameter(operation, &fact.name);
    let token_request = spec
        .provider
        .endpoint("token")
        .is_some_and(|call| call.id == operation.id())
        || spec
            .provider
            .endpoint("revoke")
            .is_some_and(|call| call.id == operation.id());
    let (rule, class, what, effect, fix) = match (described, in_body) {
        (None, None) if says == "needed" => (
            "parameter-undescribed",
            Class::WireBreaking,
            format!("the page needs the parameter `{}`", fact.name),
            "the client does not send it",
            "describe the parameter as required",
        ),
        (None, None) => (
            "parameter-undescribed",
            Class::Additive,
            format!("the page has the parameter `{}`", fact.name),
            "the client cannot send it",
            "describe the parameter",
        ),
        (Some(described), _)
            if says == "needed" && !token_request && described.get("required") != Some(&Value::Bool(true)) =>
        {
            (
                "parameter-became-needed",
                Class::WireBreaking,
                format!("the page needs the parameter `{}`", fact.name),
                "the client lets it be left out",
                "mark the parameter as required",
            )
        }
        (None, Some(_)) if says == "needed" && !token_request => {
            let required = spec
                .request(operation)
                .is_some_and(|schema| spec.requires(schema, &fact.name));
            if required {
                return None;
            }
            (
                "parameter-became-needed",
                Class::WireBreaking,
                format!("the page needs the field `{}`", fact.name),
                "the client lets it be left out",
                "add the field to `required`",
            )
        }
        (Some(described), _) if says == "optional" && described.get("required") == Some(&Value::Bool(true)) => (
            "parameter-became-optional",
            Class::Additive,
            format!("the page lets the parameter `{}` be left out", fact.name),
            "the client demands it",
            "mark the parameter as optional",
        ),
        _ => return None,
    };
    Some(Issue {
        rule,
        class,
        operation: Some(operation.id().to_owned()),
        subject: fact.name.clone(),
        pointer: spec.parameter_pointer(operation, &fact.name),
        what,
        effect: effect.to_owned(),
        fix: fix.to_owned(),
    })
}

fn header(spec: &Spec, operation: &Operation<'_>, fact: &Fact, says: &str) -> Option<Issue> {
    let browser = operation.value.get("x-browser") == Some(&Value::Bool(true));
    let issue = |class, what: String, effect: &str| {
        Some(Issue {
            rule: "header-differs",
            class,
            operation: Some(operation.id().to_owned()),
            subject: fact.name.clone(),
            pointer: operation.pointer(),
            what,
            effect: effect.to_owned(),
            fix: "follow it in the operation, or waive it with the reason".to_owned(),
        })
    };
    match fact.name.as_str() {
        // A browser sends its own, and a request without body needs no type.
        "accept" | "content-type" if browser => None,
        "content-type" => match spec.request_media(operation) {
            None => None,
            Some(media) if media.eq_ignore_ascii_case(says) => None,
            Some(media) => issue(
                Class::WireBreaking,
                format!("the page sends `Content-Type: {says}`"),
                &format!("the client sends {media}"),
            ),
        },
        "accept" => {
            let accepted = operation.value.get("x-accept").and_then(Value::as_str);
            let replies = operation.value.get("responses")?.as_object()?;
            let media = replies
                .values()
                .filter_map(|reply| reply.get("content")?.as_object())
                .flatten();
            let fits = says.contains('*')
                || accepted == Some(says)
                || media.into_iter().any(|(media, _)| media.eq_ignore_ascii_case(says));
            if fits {
                return None;
            }
            issue(
                Class::WireBreaking,
                format!("the page sends `Accept: {says}`"),
                "the client accepts something else",
            )
        }
        "authorization" => {
            let security = operation.value.get("security").and_then(Value::as_array);
            let schemes: BTreeSet<&str> = security
                .into_iter()
                .flatten()
                .filter_map(Value::as_object)
                .flat_map(|scheme| scheme.keys().map(String::as_str))
                .collect();
            let fits = match says.to_lowercase().as_str() {
                "basic" => schemes.contains("clientBasic") || schemes.contains("accessKey"),
                "bearer" => schemes.contains("oauth") || schemes.contains("registrationToken"),
                _ => false,
            };
            if fits {
                return None;
            }
            issue(
                Class::WireBreaking,
                format!("the page sends `Authorization: {says}`"),
                "the client authenticates in another way",
            )
        }
        name => {
            let made = operation.value.get("x-headers").and_then(Value::as_object);
            let known = spec.parameter(operation, name).is_some()
                || made.is_some_and(|made| made.keys().any(|known| known.eq_ignore_ascii_case(name)));
            if known {
                return None;
            }
            issue(
                Class::Additive,
                format!("the page sends the header `{name}`"),
                "the client does not send it",
            )
        }
    }
}

fn reply(spec: &Spec, operation: &Operation<'_>, fact: &Fact, says: &str) -> Option<Issue> {
    let token = spec
        .provider
        .endpoint("token")
        .is_some_and(|call| call.id == operation.id());
    let success = spec.success(operation);
    let described = success
        .and_then(|schema| spec.property(schema, &fact.name))
        .or_else(|| {
            spec.failure(operation)
                .and_then(|schema| spec.property(schema, &fact.name))
        });
    let extra = token
        && spec
            .provider
            .oauth
            .token_reply
            .extra
            .iter()
            .any(|field| field.name == fact.name);
    let Some(described) = described else {
        // Without a described reply there is nothing to compare with.
        if extra || success.is_none() {
            return None;
        }
        return Some(Issue {
            rule: "reply-field-undescribed",
            class: Class::Additive,
            operation: Some(operation.id().to_owned()),
            subject: fact.name.clone(),
            pointer: operation.pointer(),
            what: format!("a reply has the field `{}`", fact.name),
            effect: "the client leaves the field out".to_owned(),
            fix: "describe the field".to_owned(),
        });
    };
    // Scope and lifetime of a token reply are read in every form.
    if token && ["scope", "expires_in"].contains(&fact.name.as_str()) || says.is_empty() {
        return None;
    }
    let described = spec.deref(described);
    let expected = described.get("type").and_then(Value::as_str)?;
    let required = success.is_some_and(|schema| spec.requires(schema, &fact.name));
    let fits = |kind: &str| {
        kind == expected
            || kind == "number" && expected == "integer"
            || kind == "null" && !required
            || described.get("x-lenient").is_some()
            || described.get("format").and_then(Value::as_str) == Some("decimal") && kind != "object" && kind != "array"
    };
    if says.split(" or ").all(fits) {
        return None;
    }
    Some(Issue {
        rule: "reply-type-differs",
        class: Class::WireBreaking,
        operation: Some(operation.id().to_owned()),
        subject: fact.name.clone(),
        pointer: operation.pointer(),
        what: format!("the field `{}` of a reply is {says}", fact.name),
        effect: format!("the client reads {expected}, and nothing else"),
        fix: "correct the type of the field".to_owned(),
    })
}

fn scope(spec: &Spec, fact: &Fact, says: &str) -> Option<Issue> {
    let pointer = "/components/securitySchemes/oauth/flows".to_owned();
    let Some(_) = spec.provider.scopes.iter().find(|(name, _)| *name == fact.name) else {
        return Some(Issue {
            rule: "scope-added",
            class: Class::Additive,
            operation: None,
            subject: fact.name.clone(),
            pointer,
            what: format!("the page has the scope `{}`", fact.name),
            effect: "the client cannot name it".to_owned(),
            fix: "describe the scope under the flows of `oauth`".to_owned(),
        });
    };
    // A resource that the page gives to this scope and the specification to another.
    for resource in says.split_whitespace() {
        let Some(operation) = spec.matching("GET", resource) else {
            continue;
        };
        let call = spec.provider.operations.iter().find(|call| call.id == operation.id())?;
        let needed = call.scopes.clone().unwrap_or_default();
        if !needed.is_empty() && !needed.contains(&fact.name) {
            return Some(Issue {
                rule: "scope-moved",
                class: Class::WireBreaking,
                operation: Some(call.id.clone()),
                subject: fact.name.clone(),
                pointer: operation.pointer(),
                what: format!("the page opens `{resource}` by the scope `{}`", fact.name),
                effect: format!("the client demands {}", needed.join(" and ")),
                fix: "correct the operation's `security`".to_owned(),
            });
        }
    }
    None
}

fn lifetime(spec: &Spec, fact: &Fact, says: &str) -> Option<Issue> {
    let oauth = &spec.provider.oauth;
    let seconds: u64 = says.parse().ok()?;
    let (claimed, field) = if fact.name == "refresh_token" {
        (oauth.refresh.lifetime, "/refresh/lifetime")
    } else {
        (
            oauth.access_token_lifetime.or(oauth.token_reply.default_lifetime),
            "/access_token_lifetime",
        )
    };
    let claimed = match claimed {
        // An example is one reply, a second or two after the token was made.
        Some(claimed) if fact.name.ends_with("example") && claimed.abs_diff(seconds) <= 5 => return None,
        Some(claimed) if claimed == seconds => return None,
        None if fact.name.ends_with("example") => return None,
        other => other,
    };
    let (class, effect) = match claimed {
        Some(claimed) if fact.name == "refresh_token" && seconds < claimed => (
            Class::WireBreaking,
            format!(
                "a refresh after {} is refused, and the client counts on {}",
                in_words(seconds),
                in_words(claimed)
            ),
        ),
        Some(claimed) => (
            Class::DocsOnly,
            format!("the client's tables say {}", in_words(claimed)),
        ),
        None => (Class::DocsOnly, "the client claims no lifetime".to_owned()),
    };
    let whose = fact.name.replace("_token", " token");
    Some(Issue {
        rule: "lifetime-changed",
        class,
        operation: None,
        subject: fact.name.clone(),
        pointer: Spec::oauth_pointer(field),
        what: match claimed {
            Some(claimed) => format!("the {whose} lives {}, not {}", in_words(seconds), in_words(claimed)),
            None => format!("the {whose} lives {}", in_words(seconds)),
        },
        effect,
        fix: format!("write {seconds} in x-oauth{}", field.replace('/', ".")),
    })
}

fn in_words(seconds: u64) -> String {
    crate::pages::duration(seconds)
}

/// What the page said and says no longer, where the specification still claims it; and what moved
/// where the specification claims nothing.
fn since(spec: &Spec, before: &Page, old_places: &Places, now: &Facts, places: &Places, told: &[Issue]) -> Vec<Issue> {
    let today: BTreeMap<Fact, &String> = now.iter().map(|(fact, says)| (places.identity(fact), says)).collect();
    let endpoints: BTreeSet<&String> = today
        .keys()
        .filter(|fact| fact.kind == Kind::Endpoint)
        .map(|fact| &fact.name)
        .collect();
    let mut issues = Vec::new();
    for (fact, said) in &before.facts {
        if is_waived(&before.waived, fact) {
            continue;
        }
        let identity = old_places.identity(fact);
        match today.get(&identity) {
            None => {
                // What belonged to an endpoint that is gone is told with the endpoint.
                let with_endpoint = fact.kind != Kind::Endpoint
                    && identity
                        .endpoint
                        .as_ref()
                        .is_some_and(|endpoint| !endpoints.contains(endpoint));
                if !with_endpoint {
                    issues.extend(gone(spec, old_places, fact));
                }
            }
            Some(says) if *says != said => {
                let known = told.iter().any(|issue| issue.subject == identity.name);
                if !known && !accounted(spec, fact) {
                    issues.push(Issue {
                        rule: "fact-moved",
                        class: Class::DocsOnly,
                        operation: None,
                        subject: identity.name.clone(),
                        pointer: String::new(),
                        what: format!("{fact}: was `{said}`, is `{says}`"),
                        effect: "the specification does not depend on it".to_owned(),
                        fix: "see that it means nothing for the client, then record it with --accept".to_owned(),
                    });
                }
            }
            Some(_) => {}
        }
    }
    issues
}

/// Whether a fact's value is one that the specification states, so that a change of it is told
/// by the comparison with the specification, or has been followed.
fn accounted(spec: &Spec, fact: &Fact) -> bool {
    match fact.kind {
        Kind::Lifetime => fact.name == "refresh_token" && spec.provider.oauth.refresh.lifetime.is_some(),
        Kind::Parameter | Kind::Header | Kind::Reply => true,
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
                .servers
                .iter()
                .any(|server| server.url.contains(&format!("://{}", fact.name)));
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
            let still = spec.parameter(operation, &fact.name).is_some()
                || spec
                    .request(operation)
                    .is_some_and(|schema| spec.property(schema, &fact.name).is_some());
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
            spec.property(schema, &fact.name)?;
            if spec.requires(schema, &fact.name) {
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
            if !spec.provider.scopes.iter().any(|(scope, _)| *scope == fact.name) {
                return None;
            }
            issue(
                "scope-withdrawn",
                Class::WireBreaking,
                "/components/securitySchemes/oauth/flows".to_owned(),
                "an authorization that asks for it is refused",
                "remove the scope",
            )
        }
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
        Kind::Lifetime if !fact.name.ends_with("example") => issue(
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
