//! What a page says, and the specification lacks or says otherwise.

use std::collections::BTreeSet;

use finrail_spec::operations::OperationObject;
use finrail_spec::vocabulary as v;
use serde_json::Value;

use super::places::Places;
use super::rule::{At, Case, Rule, first};
use crate::drift::address::Address;
use crate::drift::facts::{Fact, Kind, UNENCRYPTED};
use crate::drift::finding::Class;
use crate::drift::spec::{Issue, Spec, path_fits};

/// What the page says and the specification lacks, where the kind of fact is enough to say what it means. The first row of
/// the kind that applies is told.
const LACKING: [Rule; 11] = [
    Rule {
        kind: Kind::Separator,
        applies: |case| !takes_separator(case),
        name: "scope-separator-differs",
        class: Class::WireBreaking,
        at: At::Oauth("/scope_separator"),
        what: "between scopes of the page is a {}",
        effect: "the client sends another separator, which makes one unknown scope of several",
        fix: "follow it in x-oauth.scope_separator",
    },
    Rule {
        kind: Kind::Status,
        applies: |case| lacks_status(case) && case.fact.name.starts_with('2'),
        name: "status-undescribed",
        class: Class::WireBreaking,
        at: At::Operation,
        what: "the page shows the status {}, the specification does not",
        effect: "the client takes a success that is not listed for a failure",
        fix: "describe the status",
    },
    Rule {
        kind: Kind::Status,
        applies: lacks_status,
        name: "status-undescribed",
        class: Class::Additive,
        at: At::Operation,
        what: "the page shows the status {}, the specification does not",
        effect: "the client takes a success that is not listed for a failure",
        fix: "describe the status",
    },
    Rule {
        kind: Kind::Callback,
        applies: adds_error,
        name: "callback-error-added",
        class: Class::Additive,
        at: At::Oauth("/errors"),
        what: "the way back may carry the error `{}`",
        effect: "the client tells it as an error that it does not know",
        fix: "name it in x-oauth.errors with its verdict, or waive it",
    },
    Rule {
        kind: Kind::Callback,
        applies: |case| !reads_callback(case),
        name: "callback-parameter-added",
        class: Class::Additive,
        at: At::Oauth(""),
        what: "the way back carries `{}`",
        effect: "the client does not read it",
        fix: "name it in x-oauth, or waive it",
    },
    Rule {
        kind: Kind::Grant,
        applies: |case| !has_grant(case.spec, &case.fact.name),
        name: "grant-added",
        class: Class::Additive,
        at: At::Oauth("/grants"),
        what: "the page has the grant `{}`",
        effect: "the client does not offer it",
        fix: "add it to x-oauth.grants, with its flow",
    },
    Rule {
        kind: Kind::ClientAuthentication,
        applies: |case| !authenticates(case.spec, &case.fact.name),
        name: "client-authentication-added",
        class: Class::Additive,
        at: At::Oauth("/client_authentication"),
        what: "the page has the client authentication `{}`",
        effect: "the client authenticates in another way, which the page may not have any more",
        fix: "see whether the one in x-oauth.client_authentication still holds",
    },
    Rule {
        kind: Kind::Pkce,
        applies: |case| case.spec.provider.oauth.pkce.is_sent() && case.fact.name != "S256",
        name: "pkce-changed",
        class: Class::WireBreaking,
        at: At::Oauth("/pkce"),
        what: "the page has the PKCE method `{}`",
        effect: "the client sends what x-oauth.pkce says",
        fix: "follow it in x-oauth.pkce",
    },
    Rule {
        kind: Kind::Pkce,
        applies: |case| !case.spec.provider.oauth.pkce.is_checked() && case.fact.name == "S256",
        name: "pkce-changed",
        class: Class::Additive,
        at: At::Oauth("/pkce"),
        what: "the page has the PKCE method `{}`",
        effect: "the client sends what x-oauth.pkce says",
        fix: "follow it in x-oauth.pkce",
    },
    Rule {
        kind: Kind::Rotation,
        applies: |case| case.spec.provider.oauth.refresh.rotates != Some(true),
        name: "rotation-changed",
        class: Class::DocsOnly,
        at: At::Oauth("/refresh/rotates"),
        what: "the page says that a refresh brings a new refresh token",
        effect: "the client keeps a new refresh token wherever one comes",
        fix: "write `rotates: true` in x-oauth.refresh",
    },
    Rule {
        kind: Kind::Oddity,
        applies: |_| true,
        name: "page-oddity",
        class: Class::DocsOnly,
        at: At::Operation,
        what: "the page shows {}",
        effect: "the client does not copy it",
        fix: "waive it, with the reason",
    },
];

/// What the specification lacks of a fact, or says otherwise.
pub(super) fn against_spec(spec: &Spec, places: &Places, fact: &Fact, says: &str) -> Option<Issue> {
    let operation = match &fact.endpoint {
        // What belongs to an endpoint that nobody knows is told with the endpoint.
        Some(endpoint) => Some(places.operation(spec, endpoint)?),
        None => None,
    };
    match fact.kind {
        Kind::Host if says == UNENCRYPTED => unencrypted(spec, fact).or_else(|| host(spec, fact)),
        Kind::Host => host(spec, fact),
        Kind::Endpoint => endpoint(spec, places, fact, says),
        Kind::Parameter => parameter(spec, &operation?, fact, says),
        Kind::Value => value(&operation?, fact),
        Kind::Header => header(spec, &operation?, fact, says),
        Kind::Reply => reply(spec, &operation?, fact, says),
        Kind::Scope => scope(spec, fact, says),
        Kind::Lifetime => lifetime(spec, fact, says),
        Kind::Callback => {
            let (parameter, code) = of_callback(fact);
            first(&LACKING, &Case { spec, fact, operation }, code.unwrap_or(parameter))
        }
        _ => first(&LACKING, &Case { spec, fact, operation }, &fact.name),
    }
}

/// A separator by its name on pages.
pub(super) fn is_separator(separator: &str, name: &str) -> bool {
    match name {
        "comma" => separator == ",",
        _ => separator == " ",
    }
}

fn takes_separator(case: &Case<'_>) -> bool {
    let oauth = &case.spec.provider.oauth;
    oauth
        .separators()
        .any(|separator| is_separator(separator, &case.fact.name))
}

fn lacks_status(case: &Case<'_>) -> bool {
    let name = &case.fact.name;
    let class = format!("{}XX", name.get(..1).unwrap_or_default());
    let responses = case
        .operation
        .as_ref()
        .and_then(|operation| operation.value.get("responses"));
    responses.is_some_and(|responses| responses.get(name).or_else(|| responses.get(&class)).is_none())
}

/// The parameter of a callback, and the error code where it is one: `error=access_denied`.
fn of_callback(fact: &Fact) -> (&str, Option<&str>) {
    let parameter = fact.name.split('=').next().unwrap_or_default();
    (parameter, fact.name.strip_prefix("error="))
}

fn adds_error(case: &Case<'_>) -> bool {
    let (_, code) = of_callback(case.fact);
    code.is_some_and(|code| !is_refusal(case.spec, code))
}

fn reads_callback(case: &Case<'_>) -> bool {
    const READ: [&str; 7] = [
        "code",
        "state",
        "error",
        "error_description",
        "error_uri",
        "iss",
        "scope",
    ];
    let (name, _) = of_callback(case.fact);
    READ.contains(&name) || case.spec.provider.oauth.refusal_code_field.as_deref() == Some(name)
}

pub(super) fn has_grant(spec: &Spec, name: &str) -> bool {
    spec.provider.oauth.grants.iter().any(|grant| grant.as_str() == name)
}

/// Whether the client authenticates in a way, at any endpoint.
pub(super) fn authenticates(spec: &Spec, way: &str) -> bool {
    let all = &spec.provider.oauth.client_authentication;
    let used = [
        Some(all.default),
        all.client_credentials,
        all.authorization_code,
        all.password,
        all.refresh_token,
        all.revocation,
    ];
    used.into_iter().flatten().any(|one| one.as_str() == way)
}

fn host(spec: &Spec, fact: &Fact) -> Option<Issue> {
    let servers = &spec.provider.specification.servers;
    let known = spec.knows_host(&fact.name);
    let own_hosts = servers.iter().any(|server| server.url.contains('{'));
    let example = fact.name.starts_with("your") || fact.name.ends_with(".example") || fact.name.contains("example.com");
    if known || own_hosts || example || fact.name.is_empty() {
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

/// A host that the page asks without TLS, and the client with it.
fn unencrypted(spec: &Spec, fact: &Fact) -> Option<Issue> {
    let mut servers = spec.provider.specification.servers.iter();
    servers.find(|server| server.url.starts_with("https://") && Address::host_of(&server.url) == fact.name)?;
    Some(Issue {
        rule: "scheme-differs",
        class: Class::WireBreaking,
        operation: None,
        subject: fact.name.clone(),
        pointer: "/servers".to_owned(),
        what: format!("the page asks the host {} by http, without TLS", fact.name),
        effect: "the client asks it by https, and never otherwise".to_owned(),
        fix: "see whether the host still serves https, or waive the fact with the reason".to_owned(),
    })
}

/// What is gone for this client when it is refused, by RFC 6749 section 4.1.2.1 or by `x-oauth.errors`.
fn is_refusal(spec: &Spec, code: &str) -> bool {
    const REFUSALS: [&str; 7] = [
        "access_denied",
        "invalid_request",
        "invalid_scope",
        "server_error",
        "temporarily_unavailable",
        "unauthorized_client",
        "unsupported_response_type",
    ];
    let oauth = &spec.provider.oauth;
    REFUSALS.contains(&code)
        || oauth.errors.contains_key(code)
        || oauth.refusal_error == code
        || oauth.errors_not_redirected.iter().any(|known| known == code)
}

/// Values that the client sends and nobody can choose.
fn value(operation: &OperationObject<'_>, fact: &Fact) -> Option<Issue> {
    if fact.name.starts_with("token_type=") {
        return Some(Issue {
            rule: "value-differs",
            class: Class::WireBreaking,
            operation: Some(operation.id().to_owned()),
            subject: fact.name.clone(),
            pointer: operation.pointer(),
            what: format!("a reply has `{}`", fact.name),
            effect: "the client sends every token as a bearer token".to_owned(),
            fix: "see how the token is to be sent".to_owned(),
        });
    }
    let asked = fact.name.strip_prefix("response_type=")?;
    if asked.split([' ', '+']).any(|word| word == "code") {
        return None;
    }
    Some(Issue {
        rule: "value-differs",
        class: Class::WireBreaking,
        operation: Some(operation.id().to_owned()),
        subject: fact.name.clone(),
        pointer: operation.pointer(),
        what: format!("the page sends `{}`", fact.name),
        effect: "the client asks for `code` in every authorization".to_owned(),
        fix: "see which response types are left".to_owned(),
    })
}

/// An endpoint whose path is known, at a host that is known, and at another base address than the described one.
fn at_another_base(spec: &Spec, id: &str, name: &str, hosts: &str) -> Option<Issue> {
    let operation = spec.operation(id)?;
    let (_, path) = name.split_once(' ')?;
    let bases: Vec<Address> = spec.bases(&operation).collect();
    if bases
        .iter()
        .any(|base| base.host.as_ref().is_some_and(|host| host.contains('{')))
    {
        return None;
    }
    let fits = |host: &str| {
        bases.iter().any(|base| {
            let template = format!("{}{}", base.path.trim_end_matches('/'), operation.path);
            base.host.as_deref() == Some(host) && path_fits(&template, path)
        })
    };
    let mut hosts = hosts.split(" or ").filter(|host| spec.knows_host(host));
    let moved = hosts.find(|host| !fits(host))?;
    Some(Issue {
        rule: "endpoint-moved",
        class: Class::WireBreaking,
        operation: Some(id.to_owned()),
        subject: id.to_owned(),
        pointer: operation.pointer(),
        what: format!("`{}` is asked at {moved}{path}", path_of(&operation)),
        effect: format!(
            "the client asks {}",
            bases.iter().map(Address::place).collect::<Vec<_>>().join(" or ")
        ),
        fix: "correct `servers`, or the operation's path".to_owned(),
    })
}

fn endpoint(spec: &Spec, places: &Places, fact: &Fact, says: &str) -> Option<Issue> {
    match places.known.get(&fact.name) {
        Some((id, true)) => at_another_base(spec, id, &fact.name, says),
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

fn path_of(operation: &OperationObject<'_>) -> String {
    format!("{} {}", operation.method.to_uppercase(), operation.path)
}

fn parameter(spec: &Spec, operation: &OperationObject<'_>, fact: &Fact, says: &str) -> Option<Issue> {
    let sent = sent(spec, operation);
    let token_request = sent.is_some();
    let in_body = in_body(spec, operation, &fact.name);
    let described = spec.parameter(operation, &fact.name);
    let describe = if token_request {
        "follow it in x-oauth, which says what these requests carry"
    } else {
        "describe the parameter"
    };
    let (rule, class, what, effect, fix) = match (described, in_body) {
        (None, None) if says == "needed" => (
            "parameter-undescribed",
            Class::WireBreaking,
            format!("the page needs the parameter `{}`", fact.name),
            "the client does not send it",
            describe,
        ),
        (None, None) => (
            "parameter-undescribed",
            Class::Additive,
            format!("the page has the parameter `{}`", fact.name),
            "the client cannot send it",
            describe,
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
                .is_some_and(|schema| requires(spec, schema, &fact.name));
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

/// What the client sends to the token and revocation endpoints, by `x-oauth`. The shared schema has more than any one
/// provider takes.
fn sent(spec: &Spec, operation: &OperationObject<'_>) -> Option<BTreeSet<String>> {
    let oauth = &spec.provider.oauth;
    let is = |role: &str| {
        spec.provider
            .endpoint(role)
            .is_some_and(|call| call.id == operation.id())
    };
    // With Basic these two are in the header.
    let mut fields = vec!["client_id", "client_secret"];
    if is("token") {
        fields.push("grant_type");
        for grant in &oauth.grants {
            match grant {
                v::Grant::AuthorizationCode => {
                    fields.push("code");
                    fields.extend(oauth.redirect_uri.on_token_request.then_some("redirect_uri"));
                    fields.extend(oauth.pkce.is_checked().then_some("code_verifier"));
                }
                v::Grant::Password => fields.extend(["username", "password"]),
                v::Grant::RefreshToken => fields.push("refresh_token"),
                v::Grant::ClientCredentials => {}
            }
        }
        let scope = oauth.scope_sent_on.iter().any(|on| *on != v::ScopeSentOn::Authorize);
        fields.extend(scope.then_some("scope"));
    } else if is("revoke") {
        let revocation = oauth.revocation.as_ref()?;
        fields.push(&revocation.token_field);
        fields.extend(revocation.token_type_hint.then_some("token_type_hint"));
    } else {
        return None;
    }
    Some(fields.into_iter().map(str::to_owned).collect())
}

/// The field of a request's body, where the client sends it.
pub(super) fn in_body<'s>(spec: &'s Spec, operation: &OperationObject<'s>, name: &str) -> Option<&'s Value> {
    if sent(spec, operation).is_some_and(|sent| !sent.contains(name)) {
        return None;
    }
    spec.request(operation).and_then(|schema| spec.field(schema, name))
}

/// Whether the field at a place must be there; of what stands in something that may be absent, nothing must.
pub(super) fn requires(spec: &Spec, schema: &Value, place: &str) -> bool {
    !place.contains(['.', '[']) && spec.requires(schema, place)
}

fn takes_json(spec: &Spec, operation: &OperationObject<'_>) -> bool {
    let oauth = &spec.provider.oauth;
    oauth.operations.token == operation.id() && oauth.token_bodies_accepted.contains(&v::TokenBody::Json)
}

fn header(spec: &Spec, operation: &OperationObject<'_>, fact: &Fact, says: &str) -> Option<Issue> {
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
            // What the provider takes beside what is sent.
            Some(_) if takes_json(spec, operation) && says.eq_ignore_ascii_case("application/json") => None,
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

/// A field of the token reply that the client keeps beside those of the protocol.
pub(super) fn is_extra(spec: &Spec, name: &str) -> bool {
    spec.provider
        .oauth
        .token_reply
        .extra
        .iter()
        .any(|field| field.name == name)
}

fn reply(spec: &Spec, operation: &OperationObject<'_>, fact: &Fact, says: &str) -> Option<Issue> {
    let token = spec
        .provider
        .endpoint("token")
        .is_some_and(|call| call.id == operation.id());
    let success = spec.success(operation);
    let described = success.and_then(|schema| spec.field(schema, &fact.name)).or_else(|| {
        spec.failure(operation)
            .and_then(|schema| spec.field(schema, &fact.name))
    });
    let extra = token && is_extra(spec, &fact.name);
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
    let required = success.is_some_and(|schema| requires(spec, schema, &fact.name));
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

/// What a table of scopes says of one that every request must carry.
pub(super) const NEEDED: &str = "needed";

fn scope(spec: &Spec, fact: &Fact, says: &str) -> Option<Issue> {
    let pointer = "/components/securitySchemes/oauth/flows".to_owned();
    if !spec.scopes().contains(&fact.name.as_str()) {
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
    if says.split_whitespace().any(|word| word == NEEDED) && !spec.provider.oauth.scopes_always.contains(&fact.name) {
        return Some(Issue {
            rule: "scope-needed",
            class: Class::WireBreaking,
            operation: None,
            subject: fact.name.clone(),
            pointer: Spec::oauth_pointer("/scopes_always"),
            what: format!("the page needs the scope `{}` in every request", fact.name),
            effect: "the client lets it be left out".to_owned(),
            fix: "add it to x-oauth.scopes_always".to_owned(),
        });
    }
    // A resource that the page gives to this scope and the specification to another.
    for resource in says.split_whitespace().filter(|word| *word != NEEDED) {
        let Some(operation) = spec.matching("GET", resource) else {
            continue;
        };
        let call = spec.provider.specification.operation(operation.id())?;
        let needed = call.scopes().unwrap_or_default();
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
