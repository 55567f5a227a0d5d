//! The one authorization server that the schemes of a document are together, and its endpoints as operations.
//!
//! A document may have a scheme for each grant, and names endpoints in their flows. A client has one token endpoint: whatever
//! else the document names is told, or refused where a secret would go to the wrong host.

use std::collections::BTreeSet;

use crate::dialect::{Loss, Weight};
use crate::json::Json;
use crate::names::is_scope;
use crate::pointer::join;

/// Where a document has its security schemes.
pub(crate) const SCHEMES: &str = "/components/securitySchemes";
/// Where tokens are revoked (RFC 7009), which OpenAPI has no word for.
const REVOCATION: &str = "x-revocation-url";

/// Why a scope is left out.
pub(crate) const NO_SCOPE: &str =
    "which no request can carry: a scope is printable ASCII without spaces, `\"` and `\\` (RFC 6749 section 3.3)";

/// An operation in whose place an endpoint of the authorization server stands now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Replaced {
    /// JSON pointer to it.
    pub(crate) pointer: String,
    /// Why it is left out, where it is another operation than the endpoint.
    pub(crate) wrong: Option<String>,
}

/// A text of an object; empty where it has none.
pub(crate) fn text<'j>(json: &'j Json, name: &str) -> &'j str {
    json.get(name).and_then(Json::as_str).unwrap_or_default()
}

/// What all schemes with an access token say together of the one authorization server.
pub(crate) fn server_of(schemes: &[&Json], used: &BTreeSet<String>, losses: &mut Vec<Loss>) -> Json {
    let mut out = Json::object([("type", Json::str("oauth2"))]);
    let mut flows: Vec<(String, Json)> = Vec::new();
    for scheme in schemes {
        for keyword in ["description", "x-oauth", REVOCATION] {
            if let Some(value) = scheme.get(keyword).filter(|_| out.get(keyword).is_none()) {
                out.set(keyword, value.clone());
            }
        }
        for (name, flow) in scheme.get("flows").map(Json::members).unwrap_or_default() {
            match flows.iter_mut().find(|(known, _)| known == name) {
                None => flows.push((name.clone(), flow.clone())),
                Some((_, known)) => {
                    if text(known, "authorizationUrl") != text(flow, "authorizationUrl") {
                        losses.push(Loss {
                            pointer: SCHEMES.to_owned(),
                            weight: Weight::Meaning,
                            what: format!(
                                "`authorizationUrl` `{}` of flow `{name}`: `{}` is used, which the first scheme has; the overlay can say \
                                 otherwise",
                                text(flow, "authorizationUrl"),
                                text(known, "authorizationUrl"),
                            ),
                        });
                    }
                    let mut scopes = known.get("scopes").cloned().unwrap_or(Json::Object(Vec::new()));
                    for (scope, meaning) in flow.get("scopes").map(Json::members).unwrap_or_default() {
                        if scopes.get(scope).is_none() {
                            scopes.set(scope, meaning.clone());
                        }
                    }
                    known.set("scopes", scopes);
                }
            }
        }
    }
    for (name, flow) in &mut flows {
        let listed = flow.get("scopes").map(Json::members).unwrap_or_default().to_vec();
        let (fit, unfit): (Vec<_>, Vec<_>) = listed.into_iter().partition(|(scope, _)| is_scope(scope));
        if !unfit.is_empty() {
            flow.set("scopes", Json::Object(fit));
        }
        losses.extend(unfit.into_iter().map(|(scope, _)| Loss {
            pointer: SCHEMES.to_owned(),
            weight: Weight::Meaning,
            what: format!("the scope `{scope}` of flow `{name}`, {NO_SCOPE}"),
        }));
    }
    // A scope that an operation needs is one, whether or not a flow lists it.
    let listed =
        |flows: &[(String, Json)], scope: &str| flows.iter().any(|(_, flow)| flow.at(&["scopes", scope]).is_some());
    for scope in used {
        if !listed(&flows, scope)
            && let Some((_, flow)) = flows.first_mut()
        {
            let mut scopes = flow.get("scopes").cloned().unwrap_or(Json::Object(Vec::new()));
            scopes.set(scope, Json::str(""));
            flow.set("scopes", scopes);
        }
    }
    out.set("flows", Json::Object(flows));
    out
}

/// Where else the document sends secrets than to the one token endpoint that a client has.
pub(crate) fn other_addresses(
    schemes: &[(&str, &Json)],
    server: &Json,
    losses: &mut Vec<Loss>,
    problems: &mut Vec<String>,
) {
    let flows = server.get("flows").map(Json::members).unwrap_or_default();
    let first = flows.iter().find(|(_, flow)| !text(flow, "tokenUrl").is_empty());
    let Some((first, used)) = first.map(|(name, flow)| (name.as_str(), text(flow, "tokenUrl"))) else {
        return;
    };
    let mut told: Vec<String> = Vec::new();
    let mut lose = |weight: Weight, what: String| {
        if !told.contains(&what) {
            told.push(what.clone());
            losses.push(Loss {
                pointer: SCHEMES.to_owned(),
                weight,
                what,
            });
        }
    };
    for (scheme, parts) in schemes {
        for (flow, parts) in parts.get("flows").map(Json::members).unwrap_or_default() {
            let own = text(parts, "tokenUrl");
            if !own.is_empty() && own != used {
                let both = [first, flow.as_str()];
                match both.contains(&"clientCredentials") && both.contains(&"authorizationCode") {
                    true => problems.push(format!(
                        "flow `{first}` gets tokens from `{used}` and flow `{flow}` of `{scheme}` from `{own}`, and a client sends its \
                         secret to one of them alone: in the overlay, take one of the flows out, or write one `tokenUrl` into both"
                    )),
                    false => lose(
                        Weight::Meaning,
                        format!(
                            "`tokenUrl` `{own}` of flow `{flow}` of `{scheme}`: every token comes from `{used}`; if that is wrong, write the \
                             right `tokenUrl` into the overlay"
                        ),
                    ),
                }
            }
            let refresh = text(parts, "refreshUrl");
            if !refresh.is_empty() && refresh != used {
                lose(
                    Weight::Meaning,
                    format!(
                        "`refreshUrl` `{refresh}` of flow `{flow}` of `{scheme}`: tokens are refreshed at `{used}`; if that is wrong, write the \
                         right `tokenUrl` into the overlay"
                    ),
                );
            }
            // A server of which nothing but where its browsers are sent is known.
            let opened = text(parts, "authorizationUrl");
            if own.is_empty() && !opened.is_empty() && is_elsewhere(opened, used) {
                lose(Weight::Meaning, melted(scheme, opened, used));
            }
        }
        let discovered = text(parts, "openIdConnectUrl");
        if !discovered.is_empty() {
            let weight = match is_elsewhere(discovered, used) {
                true => Weight::Meaning,
                false => Weight::Rule,
            };
            lose(weight, melted(scheme, discovered, used));
        }
    }
}

fn melted(scheme: &str, own: &str, used: &str) -> String {
    format!(
        "that `{scheme}` has an authorization server of its own, at `{own}`: a client has one, and every token comes from `{used}`; if that \
         is wrong, write the right `tokenUrl` into the overlay"
    )
}

/// Whether two addresses are at different hosts.
fn is_elsewhere(one: &str, other: &str) -> bool {
    match (parts(one), parts(other)) {
        (Some((one, _)), Some((other, _))) => one != other,
        _ => one != other,
    }
}

/// The method of the library by which an application is given the address of an endpoint.
fn setter(what: &str) -> &'static str {
    match what {
        "token" => "token_endpoint",
        "revocation" => "revocation_endpoint",
        _ => "authorization_endpoint",
    }
}

/// An endpoint: origin and path.
fn parts(url: &str) -> Option<(String, String)> {
    let rest = url.strip_prefix("https://")?;
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    if host.is_empty() || url.contains(['{', '}', '#', '?', ' ']) {
        return None;
    }
    Some((format!("https://{host}"), format!("/{}", path.trim_end_matches('/'))))
}

/// The scheme with all that the library needs, after the endpoints became operations of the document.
pub(crate) fn with_endpoints(
    root: &mut Json,
    mut scheme: Json,
    losses: &mut Vec<Loss>,
    problems: &mut Vec<String>,
    replaced: &mut Vec<Replaced>,
) -> Json {
    let flows = scheme.get("flows").map(Json::members).unwrap_or_default().to_vec();
    let has = |flow: &str| flows.iter().any(|(name, _)| name == flow);
    let mut grants = Vec::new();
    for (flow, grant) in [
        ("clientCredentials", "client_credentials"),
        ("authorizationCode", "authorization_code"),
        ("password", "password"),
    ] {
        if has(flow) {
            grants.push(Json::str(grant));
        }
    }
    if has("authorizationCode") || has("password") {
        grants.push(Json::str("refresh_token"));
    }
    if grants.is_empty() {
        problems.push(
            "no flow says how tokens are got: write `flows` and `x-oauth` of the security scheme into the overlay"
                .to_owned(),
        );
    }
    let endpoint = |name: &str| {
        flows
            .iter()
            .find_map(|(_, flow)| Some(text(flow, name)).filter(|url| !url.is_empty()))
    };
    let token = endpoint("tokenUrl").map(str::to_owned);
    let authorize = endpoint("authorizationUrl")
        .filter(|_| has("authorizationCode"))
        .map(str::to_owned);
    let mut oauth = scheme.get("x-oauth").cloned().unwrap_or(Json::Object(Vec::new()));
    let mut fill = |keyword: &str, value: Json| {
        if oauth.get(keyword).is_none() {
            oauth.set(keyword, value);
        }
    };
    fill("grants", Json::Array(grants));
    let revoke = scheme.remove(REVOCATION);
    let revoke = revoke.as_ref().and_then(Json::as_str).map(str::to_owned);
    let mut operations = vec![("token", Json::str("create_token"))];
    if authorize.is_some() {
        operations.insert(0, ("authorize", Json::str("authorize")));
    }
    if revoke.is_some() {
        operations.push(("revoke", Json::str("revoke_token")));
        let revocation = [
            ("token_field", Json::str("token")),
            ("token_type_hint", Json::Bool(true)),
            ("success", Json::Array(vec![Json::int(200)])),
        ];
        fill("revocation", Json::object(revocation));
    }
    fill("operations", Json::object(operations));
    // Every server takes this one of a client with a secret (RFC 6749 section 2.3.1).
    fill(
        "client_authentication",
        Json::object([("default", Json::str("client_secret_basic"))]),
    );
    fill(
        "scope_sent_on",
        Json::Array(["authorize", "client_credentials", "password"].map(Json::str).to_vec()),
    );
    let mut hosts = Vec::new();
    for (what, url) in [("token", token), ("authorize", authorize), ("revocation", revoke)] {
        let Some(url) = url else {
            if what == "token" {
                problems.push("no flow has a `tokenUrl`: write it into the overlay".to_owned());
            }
            continue;
        };
        let whole = match url.starts_with('/') {
            true => format!("{}{url}", first_origin(root).unwrap_or_default()),
            false => url.clone(),
        };
        let Some((origin, path)) = parts(&whole) else {
            problems.push(match parts(whole.split('?').next().unwrap_or_default()) {
                Some(_) => format!(
                    "the {what} endpoint `{url}` has a query, and an address of a document has none: write it without the query into \
                     the overlay, and give the application the whole with `{}`",
                    setter(what)
                ),
                None => format!("the {what} endpoint `{url}` is no whole https address: write it into the overlay"),
            });
            continue;
        };
        let (method, operation) = match what {
            "token" => ("post", token_operation()),
            "revocation" => ("post", revocation_operation()),
            _ => ("get", authorize_operation()),
        };
        let at = join("/paths", &path);
        if let Some(own) = root.pointer(&join(&at, method)) {
            let id = text(own, "operationId").to_owned();
            let pointer = join(&at, method);
            let wrong = own_address(root, &origin, &path).map(|own| {
                format!(
                    "it is at `{own}`, and the {what} endpoint at `{whole}` has the same path: a client has one operation for a path; \
                     call this one without it"
                )
            });
            if wrong.is_none() {
                losses.push(Loss {
                    pointer: pointer.clone(),
                    weight: Weight::Rule,
                    what: format!("operation `{id}`: it is the {what} endpoint, which the library asks itself"),
                });
            }
            // Of two endpoints at one address, the document has the operation once.
            if text(own, "x-client") != "oauth" {
                replaced.push(Replaced { pointer, wrong });
            }
        }
        root.set_pointer(&join(&at, method), operation);
        if what == "revocation" {
            if hosts.first().is_some_and(|(_, of_tokens)| *of_tokens != origin) {
                problems.push(format!(
                    "the revocation endpoint `{url}` is on another host than the token endpoint, which is not supported"
                ));
            }
            continue;
        }
        hosts.push((what, origin));
    }
    hosts_of_endpoints(root, &hosts, losses);
    scheme.set("x-oauth", oauth);
    scheme
}

/// Where the operation of this path is, if that is not at this origin: its host or the path in front of it is another.
fn own_address(root: &Json, origin: &str, path: &str) -> Option<String> {
    let servers = root.get("servers").map(Json::items).unwrap_or_default().iter();
    let servers = servers.filter(|server| text(server, "x-client") != "oauth");
    let addresses: Vec<String> = servers
        .map(|server| {
            let url = text(server, "url");
            format!("{}{path}", url.strip_suffix('/').unwrap_or(url))
        })
        .collect();
    let is_here = addresses.iter().any(|address| *address == format!("{origin}{path}"));
    addresses.into_iter().next().filter(|_| !is_here)
}

fn first_origin(root: &Json) -> Option<String> {
    let url = root.pointer("/servers/0/url")?.as_str()?;
    parts(url).map(|(origin, _)| origin)
}

/// Each environment gets the host of its authorization server: that of its own resources where the document has both at one, and
/// the one that the flows name otherwise.
fn hosts_of_endpoints(root: &mut Json, hosts: &[(&str, String)], losses: &mut Vec<Loss>) {
    let Some((_, origin)) = hosts.first() else { return };
    let other = hosts.iter().map(|(_, other)| other).find(|other| *other != origin);
    let listed = root.get("servers").map(Json::items).unwrap_or_default().to_vec();
    if listed.iter().any(|server| text(server, "x-client") == "oauth") {
        return;
    }
    let origin_of = |server: &Json| parts(text(server, "url")).map(|(origin, _)| origin);
    let is_beside = listed.iter().any(|server| origin_of(server).as_deref() == Some(origin));
    let mut out = listed.clone();
    let mut borrowed = Vec::new();
    for server in &listed {
        let Some(environment) = server.get("x-environment") else {
            continue;
        };
        let own = origin_of(server).filter(|_| is_beside);
        if own.is_none() {
            borrowed.push(environment.as_str().unwrap_or_default().to_owned());
        }
        let mut of_oauth = Json::object([("url", Json::str(own.unwrap_or_else(|| origin.clone())))]);
        of_oauth.set("description", Json::str("The authorization server."));
        of_oauth.set("x-environment", environment.clone());
        of_oauth.set("x-client", Json::str("oauth"));
        let mut of_browsers = of_oauth.clone();
        out.push(of_oauth);
        if let Some(other) = other {
            of_browsers.set("url", Json::str(other.as_str()));
            of_browsers.set("description", Json::str("Where a browser is sent."));
            of_browsers.set("x-authorize", Json::Bool(true));
            out.push(of_browsers);
        }
    }
    if borrowed.len() > 1 {
        losses.push(Loss {
            pointer: "/servers".to_owned(),
            weight: Weight::Meaning,
            what: format!(
                "which authorization server each of {} has: all are given {origin}; the overlay can say otherwise",
                borrowed.join(", ")
            ),
        });
    }
    root.set("servers", Json::Array(out));
}

fn shared(name: &str) -> Json {
    let schema = Json::object([("$ref", Json::str(format!("#/components/schemas/{name}")))]);
    Json::object([("schema", schema)])
}

fn reply(description: &str, name: &str) -> Json {
    Json::object([
        ("description", Json::str(description)),
        ("content", Json::object([("application/json", shared(name))])),
    ])
}

/// The token endpoint (RFC 6749 section 3.2).
fn token_operation() -> Json {
    Json::object([
        ("operationId", Json::str("create_token")),
        ("summary", Json::str("Get or refresh an access token")),
        ("x-client", Json::str("oauth")),
        ("security", Json::Array(Vec::new())),
        (
            "requestBody",
            Json::object([
                ("required", Json::Bool(true)),
                (
                    "content",
                    Json::object([("application/x-www-form-urlencoded", shared("TokenRequest"))]),
                ),
            ]),
        ),
        (
            "responses",
            Json::object([
                ("200", reply("The tokens.", "TokenResponse")),
                ("4XX", reply("The request was refused.", "OAuthError")),
                ("5XX", reply("The authorization server failed.", "OAuthError")),
            ]),
        ),
    ])
}

/// The revocation endpoint (RFC 7009 section 2).
fn revocation_operation() -> Json {
    let body = [("application/x-www-form-urlencoded", shared("RevocationRequest"))];
    let body = [("required", Json::Bool(true)), ("content", Json::object(body))];
    let done = Json::object([("description", Json::str("The token is revoked."))]);
    Json::object([
        ("operationId", Json::str("revoke_token")),
        ("summary", Json::str("Revoke a token")),
        ("x-client", Json::str("oauth")),
        ("security", Json::Array(Vec::new())),
        ("requestBody", Json::object(body)),
        (
            "responses",
            Json::object([
                ("200", done),
                ("4XX", reply("The request was refused.", "OAuthError")),
                ("5XX", reply("The authorization server failed.", "OAuthError")),
            ]),
        ),
    ])
}

/// The authorization endpoint (RFC 6749 section 3.1), which a browser opens.
fn authorize_operation() -> Json {
    Json::object([
        ("operationId", Json::str("authorize")),
        ("summary", Json::str("Ask a user for consent in the browser")),
        ("x-client", Json::str("oauth")),
        ("x-browser", Json::Bool(true)),
        ("security", Json::Array(Vec::new())),
        (
            "responses",
            Json::object([(
                "302",
                Json::object([("description", Json::str("Back to the application."))]),
            )]),
        ),
    ])
}
