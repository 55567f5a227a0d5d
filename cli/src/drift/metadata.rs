//! `drift --metadata`: what an authorization server says about itself (RFC 8414, OpenID Connect Discovery).

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::address::Address;
use super::finding::{Class, Coverage, Evidence, Finding};
use super::spec::{Issue, Spec};

/// The fields that are compared.
const COMPARED: [&str; 15] = [
    "issuer",
    "authorization_endpoint",
    "token_endpoint",
    "revocation_endpoint",
    "grant_types_supported",
    "response_types_supported",
    "response_modes_supported",
    "token_endpoint_auth_methods_supported",
    "revocation_endpoint_auth_methods_supported",
    "code_challenge_methods_supported",
    "scopes_supported",
    "require_pushed_authorization_requests",
    "require_signed_request_object",
    "tls_client_certificate_bound_access_tokens",
    "authorization_response_iss_parameter_supported",
];

/// Compares a metadata document with `x-oauth`. What is no metadata document is told, and not compared.
#[must_use]
pub fn compare(spec: &Spec, text: &str, evidence: &Evidence) -> (Vec<Finding>, Coverage) {
    let document = match document(text) {
        Ok(document) => document,
        Err(what) => {
            let unread = issue(
                "metadata-unread",
                Class::Unhandled,
                "metadata",
                "",
                format!("this is no metadata document (RFC 8414 section 3.2): it is {what}"),
                "nothing was compared",
                "see what the address gives, and whether it is the right one",
            );
            let lines = vec!["0 fields were compared".to_owned()];
            return (vec![spec.finding(unread, evidence)], Coverage { lines });
        }
    };
    let metadata = &said(&document);
    let mut issues = Vec::new();
    let mut silent = Vec::new();
    malformed(metadata, &mut issues);
    issuer(spec, metadata, &mut issues);
    endpoints(spec, metadata, &mut issues, &mut silent);
    grants(spec, metadata, &mut issues);
    authentication(spec, metadata, &mut issues, &mut silent);
    pkce(spec, metadata, &mut issues);
    scopes(spec, metadata, &mut issues, &mut silent);
    demands(metadata, &mut issues);
    support(spec, metadata, &mut issues);
    let mut findings: Vec<Finding> = issues.into_iter().map(|issue| spec.finding(issue, evidence)).collect();
    findings.sort_by(|a, b| (b.class, &a.subject).cmp(&(a.class, &b.subject)));
    let read: Vec<&str> = COMPARED.into_iter().filter(|it| metadata.get(it).is_some()).collect();
    let mut lines = vec![format!(
        "{} of {} fields were compared: {}",
        read.len(),
        document.len(),
        read.join(", ")
    )];
    if !silent.is_empty() {
        lines.push(format!("not told by the metadata: {}", silent.join(", ")));
    }
    (findings, Coverage { lines })
}

/// A metadata document, or what stands in its place.
fn document(text: &str) -> Result<Map<String, Value>, String> {
    let text = text.trim();
    let value = match serde_json::from_str(text) {
        Ok(value) => value,
        Err(_) if text.is_empty() => return Err("empty".to_owned()),
        Err(_) if text.starts_with('<') => return Err("an HTML page, or another text in tags".to_owned()),
        Err(error) if text.starts_with(['{', '[']) => {
            return Err(format!("JSON that ends or breaks at line {}", error.line()));
        }
        Err(_) => finrail_spec::yaml::parse(text).map_or(Value::String(String::new()), |(value, _)| value),
    };
    match value {
        Value::Object(fields) if fields.keys().any(|field| COMPARED.contains(&field.as_str())) => Ok(fields),
        Value::Object(_) => Err("an object with none of the fields that are compared".to_owned()),
        Value::Array(_) => Err("a list".to_owned()),
        Value::String(_) => Err("a text".to_owned()),
        other => Err(other.to_string()),
    }
}

/// What a document says: a `null` says nothing, and a list without elements should not be there (RFC 8414 section 3.2).
fn said(document: &Map<String, Value>) -> Value {
    let full = |value: &Value| match value {
        Value::Null => None,
        Value::Array(items) => {
            let items: Vec<Value> = items.iter().filter(|item| !item.is_null()).cloned().collect();
            (!items.is_empty()).then_some(Value::Array(items))
        }
        other => Some(other.clone()),
    };
    let fields = document
        .iter()
        .filter_map(|(field, value)| Some((field.clone(), full(value)?)));
    Value::Object(fields.collect())
}

fn issue(rule: &'static str, class: Class, subject: &str, field: &str, what: String, effect: &str, fix: &str) -> Issue {
    Issue {
        rule,
        class,
        operation: None,
        subject: subject.to_owned(),
        pointer: Spec::oauth_pointer(field),
        what,
        effect: effect.to_owned(),
        fix: fix.to_owned(),
    }
}

fn words(metadata: &Value, field: &str) -> Option<BTreeSet<String>> {
    let listed = metadata.get(field)?.as_array()?;
    listed.iter().map(|word| word.as_str().map(str::to_owned)).collect()
}

/// Whether a list of words is there in another form: it was told as [`malformed`], and nothing follows from it.
fn is_malformed(metadata: &Value, field: &str) -> bool {
    metadata.get(field).is_some() && words(metadata, field).is_none()
}

/// Fields in a form that RFC 8414 section 2 does not give them: they say nothing, and look as if they did.
fn malformed(metadata: &Value, issues: &mut Vec<Issue>) {
    for (field, value) in metadata.as_object().into_iter().flatten() {
        let fits = match field.as_str() {
            "issuer" => value.is_string(),
            field if field.ends_with("_endpoint") => value.is_string(),
            "authorization_response_iss_parameter_supported"
            | "require_pushed_authorization_requests"
            | "require_signed_request_object"
            | "tls_client_certificate_bound_access_tokens" => value.is_boolean(),
            field if COMPARED.contains(&field) && field.ends_with("_supported") => words(metadata, field).is_some(),
            field if field.ends_with("_supported") => {
                let words = |listed: &Vec<Value>| listed.iter().all(Value::is_string);
                value.is_boolean() || value.as_array().is_some_and(words)
            }
            _ => true,
        };
        if !fits {
            issues.push(issue(
                "metadata-malformed",
                Class::Unhandled,
                field,
                "",
                format!("{field} is {value}"),
                "it is neither read nor compared",
                "look at the document",
            ));
        }
    }
}

fn issuer(spec: &Spec, metadata: &Value, issues: &mut Vec<Issue>) {
    let Some(issuer) = metadata.get("issuer").and_then(Value::as_str) else {
        issues.push(issue(
            "metadata-without-issuer",
            Class::Unhandled,
            "issuer",
            "",
            "the metadata names no issuer".to_owned(),
            "RFC 8414 section 2 demands one, so this may be another document",
            "look at the document",
        ));
        return;
    };
    let servers = &spec.provider.specification.servers;
    if !spec.own_hosts()
        && !servers
            .iter()
            .any(|server| Address::host_of(&server.url) == Address::host_of(issuer))
    {
        issues.push(issue(
            "issuer-moved",
            Class::WireBreaking,
            "issuer",
            "",
            format!("the issuer is {issuer}"),
            "the client knows other hosts",
            "see which host serves, and list it under `servers`",
        ));
    }
}

fn endpoints(spec: &Spec, metadata: &Value, issues: &mut Vec<Issue>, silent: &mut Vec<&'static str>) {
    for (role, field) in [
        ("authorize", "authorization_endpoint"),
        ("token", "token_endpoint"),
        ("revoke", "revocation_endpoint"),
    ] {
        let told = metadata.get(field).and_then(Value::as_str);
        match (spec.provider.endpoint(role), told) {
            (Some(call), Some(told)) => {
                let asked = Address::read(told);
                let issuer = metadata.get("issuer").and_then(Value::as_str).map(Address::host_of);
                let operation = spec.operation(&call.id);
                let bases = operation.iter().flat_map(|operation| spec.bases(operation));
                let fits = told.starts_with("https://")
                    && bases.into_iter().any(|base| {
                        let path = format!("{}{}", base.path.trim_end_matches('/'), call.path);
                        let host = base.host.unwrap_or_default();
                        // Where each institution has its own host, one base URL leads to all its endpoints.
                        let host = if host.contains('{') { issuer.clone() } else { Some(host) };
                        asked.path.trim_end_matches('/') == path.trim_end_matches('/')
                            && host.is_none_or(|host| asked.host.as_ref() == Some(&host))
                    });
                if !fits {
                    issues.push(Issue {
                        rule: "endpoint-moved",
                        class: Class::WireBreaking,
                        operation: Some(call.id.clone()),
                        subject: field.to_owned(),
                        pointer: spec.pointer(&call.id),
                        what: format!("{field} is {told}"),
                        effect: format!("the client asks {}", call.path),
                        fix: "move the operation in the specification".to_owned(),
                    });
                }
            }
            (Some(_), None) => silent.push(field),
            (None, Some(told)) => issues.push(issue(
                "endpoint-undescribed",
                Class::Additive,
                field,
                "/operations",
                format!("{field} is {told}, the specification has none"),
                "the client does not offer it",
                "describe the operation and name it in x-oauth.operations",
            )),
            (None, None) => {}
        }
    }
}

fn grants(spec: &Spec, metadata: &Value, issues: &mut Vec<Issue>) {
    let ours: BTreeSet<String> = spec
        .provider
        .oauth
        .grants
        .iter()
        .map(|grant| grant.as_str().to_owned())
        .collect();
    response_types(&ours, metadata, issues);
    if is_malformed(metadata, "grant_types_supported") {
        return;
    }
    // RFC 8414 section 2: what holds when the field is left out.
    let told = words(metadata, "grant_types_supported")
        .unwrap_or_else(|| BTreeSet::from(["authorization_code".to_owned(), "implicit".to_owned()]));
    let stated = metadata.get("grant_types_supported").is_some();
    for grant in ours
        .difference(&told)
        .filter(|grant| stated || *grant != "refresh_token")
    {
        issues.push(if stated {
            issue(
                "grant-withdrawn",
                Class::WireBreaking,
                grant,
                "/grants",
                format!("the grant `{grant}` is not supported"),
                "the client still offers it",
                "remove the grant",
            )
        } else {
            issue(
                "grant-unsaid",
                Class::Unhandled,
                grant,
                "/grants",
                format!("the metadata names no grants, which means `authorization_code` and `implicit`, not `{grant}`"),
                "a server that keeps to it refuses the client",
                "see whether it holds, or accept the finding with a reason",
            )
        });
    }
    for grant in told.difference(&ours).filter(|_| stated) {
        issues.push(issue(
            "grant-added",
            Class::Additive,
            grant,
            "/grants",
            format!("the grant `{grant}` is supported"),
            "the client does not offer it",
            "add it to x-oauth.grants, with its flow",
        ));
    }
}

/// How the code comes.
fn response_types(ours: &BTreeSet<String>, metadata: &Value, issues: &mut Vec<Issue>) {
    if let Some(types) = words(metadata, "response_types_supported")
        && ours.contains("authorization_code")
        // `code id_token` is another answer, in the fragment (OAuth 2.0 Multiple Response Type Encoding Practices).
        && !types.iter().any(|kind| kind.trim() == "code")
    {
        issues.push(issue(
            "response-type-withdrawn",
            Class::WireBreaking,
            "code",
            "/grants",
            "the response type `code` is not supported".to_owned(),
            "the client asks for it in every authorization",
            "see which response types are left",
        ));
    }
    // RFC 8414 section 2: query and fragment, when the field is left out.
    if let Some(modes) = words(metadata, "response_modes_supported")
        && ours.contains("authorization_code")
        && !modes.contains("query")
    {
        issues.push(issue(
            "response-mode-withdrawn",
            Class::WireBreaking,
            "query",
            "/grants",
            format!(
                "the way back is {}, and no query",
                modes.into_iter().collect::<Vec<_>>().join(" or ")
            ),
            "the client reads the query of the redirect",
            "see how the authorization response comes now",
        ));
    }
}

fn authentication(spec: &Spec, metadata: &Value, issues: &mut Vec<Issue>, silent: &mut Vec<&'static str>) {
    let all = &spec.provider.oauth.client_authentication;
    let ours: BTreeSet<String> = [
        Some(all.default),
        all.client_credentials,
        all.authorization_code,
        all.password,
        all.refresh_token,
    ]
    .into_iter()
    .flatten()
    .map(|way| way.as_str().to_owned())
    .collect();
    if spec.provider.endpoint("revoke").is_some() && metadata.get("revocation_endpoint").is_some() {
        let way = all.revocation.unwrap_or(all.default).as_str();
        match words(metadata, "revocation_endpoint_auth_methods_supported") {
            Some(told) if !told.contains(way) => issues.push(issue(
                "client-authentication-withdrawn",
                Class::WireBreaking,
                &format!("{way} at revocation"),
                "/client_authentication",
                format!("the client authentication `{way}` is not supported at the revocation endpoint"),
                "the client still authenticates this way",
                "write the supported one in x-oauth.client_authentication.revocation",
            )),
            Some(_) => {}
            None if is_malformed(metadata, "revocation_endpoint_auth_methods_supported") => {}
            None => silent.push("revocation_endpoint_auth_methods_supported"),
        }
    }
    let Some(told) = words(metadata, "token_endpoint_auth_methods_supported") else {
        if is_malformed(metadata, "token_endpoint_auth_methods_supported") {
            return;
        }
        // RFC 8414 section 2: what holds when the field is left out.
        for way in ours.iter().filter(|way| *way != "client_secret_basic") {
            issues.push(issue(
                "client-authentication-unsaid",
                Class::Unhandled,
                way,
                "/client_authentication",
                format!("the metadata names no client authentication, which means `client_secret_basic`, not `{way}`"),
                "a server that keeps to it refuses the client",
                "see which one holds, or accept the finding with a reason",
            ));
        }
        return;
    };
    for way in ours.difference(&told) {
        issues.push(issue(
            "client-authentication-withdrawn",
            Class::WireBreaking,
            way,
            "/client_authentication",
            format!("the client authentication `{way}` is not supported"),
            "the client still authenticates this way",
            "follow the metadata in x-oauth.client_authentication",
        ));
    }
    for way in told.difference(&ours) {
        issues.push(issue(
            "client-authentication-added",
            Class::Additive,
            way,
            "/client_authentication",
            format!("the client authentication `{way}` is supported"),
            "the client authenticates in another way, which is supported too",
            "nothing, unless it is wanted: accept the finding with a reason",
        ));
    }
}

fn pkce(spec: &Spec, metadata: &Value, issues: &mut Vec<Issue>) {
    let ours = spec.provider.oauth.pkce;
    match words(metadata, "code_challenge_methods_supported") {
        Some(methods) if ours.is_sent() && !methods.contains("S256") => issues.push(issue(
            "pkce-withdrawn",
            Class::WireBreaking,
            "S256",
            "/pkce",
            "the PKCE method S256 is not supported".to_owned(),
            "the client sends it with every authorization",
            "follow the metadata in x-oauth.pkce",
        )),
        Some(methods) if !ours.is_checked() && methods.contains("S256") => issues.push(issue(
            "pkce-added",
            Class::Additive,
            "S256",
            "/pkce",
            "the PKCE method S256 is supported".to_owned(),
            if ours.is_sent() {
                "the client sends it already, and counts it as no protection"
            } else {
                "the client does not send it"
            },
            "write `pkce: supported`, or `pkce: required` where the server takes nothing without it",
        )),
        // RFC 8414 section 2. Where the provider never said anything, silence is no news.
        None if is_malformed(metadata, "code_challenge_methods_supported") => {}
        None if ours.is_checked() => issues.push(issue(
            "pkce-unsaid",
            Class::Unhandled,
            "S256",
            "/pkce",
            "the metadata names no PKCE method, which means that the server supports none".to_owned(),
            "the client sends it with every authorization, and counts it as protection",
            "see whether the server refuses a code without its verifier, and follow that in x-oauth.pkce",
        )),
        _ => {}
    }
}

fn scopes(spec: &Spec, metadata: &Value, issues: &mut Vec<Issue>, silent: &mut Vec<&'static str>) {
    let Some(told) = words(metadata, "scopes_supported") else {
        if !is_malformed(metadata, "scopes_supported") {
            silent.push("scopes_supported");
        }
        return;
    };
    let ours: BTreeSet<String> = spec.scopes().into_iter().map(str::to_owned).collect();
    for scope in ours.difference(&told) {
        let users = spec
            .calls()
            .into_iter()
            .filter(|call| call.scopes().is_some_and(|scopes| scopes.contains(scope)));
        let users: Vec<&str> = users.map(|call| call.id.as_str()).collect();
        let (class, effect) = spec.scope_withdrawn();
        let effect = if users.is_empty() {
            effect.to_owned()
        } else {
            format!("{effect}; needed by {}", users.join(", "))
        };
        issues.push(issue(
            "scope-withdrawn",
            class,
            scope,
            "/scopes_always",
            format!("the scope `{scope}` is not supported"),
            &effect,
            "remove the scope, or accept the finding: a server need not list all (RFC 8414 section 2)",
        ));
    }
    for scope in told.difference(&ours) {
        issues.push(issue(
            "scope-added",
            Class::Additive,
            scope,
            "/scopes_always",
            format!("the scope `{scope}` is supported"),
            "the client cannot name it",
            "describe the scope under the flows of `oauth`",
        ));
    }
}

/// What the server demands of every client, and this one does not do.
fn demands(metadata: &Value, issues: &mut Vec<Issue>) {
    for (field, what) in [
        (
            "require_pushed_authorization_requests",
            "pushed authorization requests (RFC 9126)",
        ),
        ("require_signed_request_object", "signed request objects (RFC 9101)"),
    ] {
        if metadata.get(field) == Some(&Value::Bool(true)) {
            issues.push(issue(
                "demand-added",
                Class::WireBreaking,
                field,
                "",
                format!("the server demands {what}"),
                "the client does not do that",
                "see whether it holds for this client",
            ));
        }
    }
}

/// What the server can do and the client does not ask for.
fn support(spec: &Spec, metadata: &Value, issues: &mut Vec<Issue>) {
    let supported = |field: &str| metadata.get(field) == Some(&Value::Bool(true));
    // RFC 8705 section 3.3: of a server it is support; a client of the same name demands it (section 3.4).
    let bound = "tls_client_certificate_bound_access_tokens";
    if supported(bound) {
        issues.push(issue(
            "support-added",
            Class::Additive,
            bound,
            "",
            "the server can bind access tokens to the client's certificate (RFC 8705)".to_owned(),
            "the client works without; it has bound tokens where its HTTP client shows a certificate",
            "nothing, unless it is wanted: accept the finding with a reason",
        ));
    }
    let sent = "authorization_response_iss_parameter_supported";
    if !supported(sent) {
        return;
    }
    let host = |field: &str| metadata.get(field).and_then(Value::as_str).map(Address::host_of);
    let issuer = host("issuer");
    let taken = spec.own_hosts()
        || ["authorization_endpoint", "token_endpoint"]
            .iter()
            .any(|it| host(it) == issuer);
    issues.push(if taken {
        issue(
            "support-added",
            Class::Additive,
            sent,
            "",
            "the server names itself in each callback, as `iss` (RFC 9207)".to_owned(),
            "the client compares the host of `iss` with its endpoints, and takes a callback without it too",
            "nothing in the specification: applications demand it by `AppBuilder::issuer`; accept the finding with a reason",
        )
    } else {
        issue(
            "issuer-in-callbacks",
            Class::WireBreaking,
            sent,
            "",
            "the server names itself in each callback, as `iss` (RFC 9207), with a host that has none of its endpoints".to_owned(),
            "the client refuses such a callback where it is not told the issuer",
            "tell applications to set `AppBuilder::issuer`, and accept the finding with a reason",
        )
    });
}
