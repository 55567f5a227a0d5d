//! `drift --metadata`: what an authorization server says about itself (RFC 8414, OpenID Connect Discovery).

use std::collections::BTreeSet;

use serde_json::Value;

use super::address::Address;
use super::finding::{Class, Coverage, Evidence, Finding};
use super::spec::{Issue, Spec};

/// Compares a metadata document with `x-oauth`.
#[must_use]
pub fn compare(spec: &Spec, metadata: &Value, evidence: &Evidence) -> (Vec<Finding>, Coverage) {
    let mut issues = Vec::new();
    let mut silent = Vec::new();
    malformed(metadata, &mut issues);
    issuer(spec, metadata, &mut issues);
    endpoints(spec, metadata, &mut issues, &mut silent);
    grants(spec, metadata, &mut issues);
    authentication(spec, metadata, &mut issues, &mut silent);
    pkce(spec, metadata, &mut issues, &mut silent);
    scopes(spec, metadata, &mut issues, &mut silent);
    demands(metadata, &mut issues);
    let mut findings: Vec<Finding> = issues.into_iter().map(|issue| spec.finding(issue, evidence)).collect();
    findings.sort_by(|a, b| (b.class, &a.subject).cmp(&(a.class, &b.subject)));
    let mut lines = vec!["issuer, endpoints, grants, client authentication, PKCE, scopes".to_owned()];
    if !silent.is_empty() {
        lines.push(format!("not told by the metadata: {}", silent.join(", ")));
    }
    (findings, Coverage { lines })
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
    Some(listed.iter().filter_map(Value::as_str).map(str::to_owned).collect())
}

/// Fields in a form that RFC 8414 section 2 does not give them: they say nothing, and look as if they did.
fn malformed(metadata: &Value, issues: &mut Vec<Issue>) {
    for (field, value) in metadata.as_object().into_iter().flatten() {
        let fits = match field.as_str() {
            "issuer" => value.is_string(),
            field if field.ends_with("_endpoint") => value.is_string(),
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
    let own_hosts = servers.iter().any(|server| server.url.contains('{'));
    if !own_hosts
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
    // RFC 8414 section 2: what holds when the field is left out.
    let told = words(metadata, "grant_types_supported")
        .unwrap_or_else(|| BTreeSet::from(["authorization_code".to_owned(), "implicit".to_owned()]));
    let stated = metadata.get("grant_types_supported").is_some();
    for grant in ours
        .difference(&told)
        .filter(|grant| stated || *grant != "refresh_token")
    {
        issues.push(issue(
            "grant-withdrawn",
            Class::WireBreaking,
            grant,
            "/grants",
            format!("the grant `{grant}` is not supported"),
            "the client still offers it",
            "remove the grant",
        ));
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
    if let Some(types) = words(metadata, "response_types_supported")
        && ours.contains("authorization_code")
        && !types.iter().any(|kind| kind.split(' ').any(|word| word == "code"))
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
            None => silent.push("revocation_endpoint_auth_methods_supported"),
        }
    }
    let Some(told) = words(metadata, "token_endpoint_auth_methods_supported") else {
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

fn pkce(spec: &Spec, metadata: &Value, issues: &mut Vec<Issue>, silent: &mut Vec<&'static str>) {
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
        // Where the provider never said anything, silence is no news.
        None if ours.is_checked() => silent.push("code_challenge_methods_supported"),
        _ => {}
    }
}

fn scopes(spec: &Spec, metadata: &Value, issues: &mut Vec<Issue>, silent: &mut Vec<&'static str>) {
    let Some(told) = words(metadata, "scopes_supported") else {
        silent.push("scopes_supported");
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
        (
            "tls_client_certificate_bound_access_tokens",
            "certificate-bound access tokens (RFC 8705)",
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
