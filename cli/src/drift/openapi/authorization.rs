//! Who is let in: the authorization server, the hosts, and what each operation demands.

use std::collections::{BTreeMap, BTreeSet};

use finrail_spec::operations::{OperationObject, operations};
use finrail_spec::pointer::join;
use serde_json::{Map, Value, json};

use super::compared::Compared;
use super::endpoints::{ADDRESSES, named_by_flows, same_address, schemes};
use super::pairs::shape;
use crate::drift::address::Address;
use crate::drift::finding::Class;
use crate::drift::spec::Spec;

/// A bearer token, however it is got.
const TOKEN: &str = "a token";

/// What an operation demands of a caller.
struct Demands {
    /// The ways in; of each, all that it needs.
    ways: Vec<BTreeSet<String>>,
    /// The scopes of its tokens, where it takes OAuth's.
    scopes: Option<BTreeSet<String>>,
}

impl<'s> Compared<'s> {
    pub(super) fn security(&mut self, ours: &OperationObject<'s>, theirs: &OperationObject<'s>) {
        let (Some(mine), Some(other)) = (demands(self.ours, ours), demands(self.theirs, theirs)) else {
            return;
        };
        let known: BTreeSet<&String> = mine.ways.iter().flatten().collect();
        let passes = |way: &BTreeSet<String>| way.iter().all(|need| known.contains(need));
        if !other.ways.is_empty() && !other.ways.iter().any(passes) {
            let ways: Vec<String> = other
                .ways
                .iter()
                .map(|way| way.iter().map(String::as_str).collect::<Vec<_>>().join(" with "))
                .collect();
            // Credentials in a body are no scheme, so a document may show here what the client sends there.
            let class = if mine.ways.is_empty() {
                Class::Unhandled
            } else {
                Class::WireBreaking
            };
            self.add(
                "authentication-changed",
                class,
                ours.id(),
                format!("the operation takes {} now", ways.join(" or ")),
                "the client authenticates in another way",
                "correct the operation's `security`",
            );
            return;
        }
        let (Some(mine), Some(other)) = (mine.scopes, other.scopes) else {
            return;
        };
        for scope in other.difference(&mine) {
            self.add(
                "scope-required",
                Class::WireBreaking,
                scope,
                format!("the scope `{scope}` is needed now"),
                "the client lets a token without it pass, and the call is refused",
                "add the scope to the operation's `security`",
            );
        }
        for scope in mine.difference(&other) {
            self.add(
                "scope-not-required",
                Class::Additive,
                scope,
                format!("the scope `{scope}` is not needed any more"),
                "the client refuses a call that would be answered",
                "remove the scope from the operation's `security`",
            );
        }
    }

    pub(super) fn security_schemes(&mut self) {
        self.about("/components/securitySchemes");
        let flows = |schemes: &[&Value]| -> BTreeMap<String, Value> {
            let flows = schemes
                .iter()
                .filter(|scheme| scheme.get("type") == Some(&json!("oauth2")));
            let flows = flows.filter_map(|scheme| scheme.get("flows")?.as_object()).flatten();
            let mut all: BTreeMap<String, Value> = BTreeMap::new();
            for (name, flow) in flows {
                merge(all.entry(name.clone()).or_default(), flow);
            }
            all
        };
        let (mine, theirs) = (schemes(self.ours), schemes(self.theirs));
        let (mine, other) = (flows(&mine), flows(&theirs));
        if other.is_empty() {
            let kinds: BTreeSet<String> = theirs.iter().map(|scheme| kind_of(scheme)).collect();
            if !kinds.is_empty() && !kinds.contains(TOKEN) {
                let kinds: Vec<String> = kinds.into_iter().collect();
                self.add(
                    "authentication-changed",
                    Class::WireBreaking,
                    "oauth",
                    format!("the document has no OAuth any more, but {}", kinds.join(", ")),
                    "the client gets tokens and sends them",
                    "see how the provider lets clients in now",
                );
            }
            return;
        }
        let scopes = |flows: &BTreeMap<String, Value>| -> BTreeSet<String> {
            flows
                .values()
                .filter_map(|flow| flow.get("scopes")?.as_object())
                .flat_map(|it| it.keys().cloned())
                .collect()
        };
        // What a part of the API needs is no list of all that there is.
        let complete = self.complete;
        for flow in mine.keys().filter(|flow| complete && !other.contains_key(*flow)) {
            self.add(
                "grant-withdrawn",
                Class::WireBreaking,
                flow,
                format!("the flow `{flow}` is gone"),
                "the client still offers it",
                "remove the grant",
            );
        }
        for flow in other.keys().filter(|flow| !mine.contains_key(*flow)) {
            self.add(
                "grant-added",
                Class::Additive,
                flow,
                format!("the flow `{flow}` is new"),
                "the client does not offer it",
                "add the grant",
            );
        }
        let (mine_scopes, other_scopes) = (scopes(&mine), scopes(&other));
        for scope in mine_scopes.difference(&other_scopes).filter(|_| complete) {
            let (class, effect) = self.spec.scope_withdrawn();
            self.add(
                "scope-withdrawn",
                class,
                scope,
                format!("the scope `{scope}` is gone"),
                effect,
                "remove the scope",
            );
        }
        for scope in other_scopes.difference(&mine_scopes) {
            self.add(
                "scope-added",
                Class::Additive,
                scope,
                format!("the scope `{scope}` is new"),
                "the client cannot name it",
                "describe the scope",
            );
        }
        for (name, flow) in &mine {
            for key in ADDRESSES {
                let path = |flow: &Value| flow.get(key).and_then(Value::as_str).map(str::to_owned);
                if let (Some(ours), Some(theirs)) = (path(flow), other.get(name).and_then(path))
                    && !same_address(&Address::read(&ours), &Address::read(&theirs))
                {
                    self.add(
                        "endpoint-moved",
                        Class::WireBreaking,
                        key,
                        format!("{key} of `{name}` is {theirs}"),
                        &format!("the client knows {ours}"),
                        "move the operation and correct the flow",
                    );
                }
            }
        }
    }

    /// Base addresses, host and path: where both name a host, its path must lead to the same operations.
    pub(super) fn servers(&mut self, pairs: &[(OperationObject<'s>, OperationObject<'s>)]) {
        self.own_servers(pairs);
        self.about("/servers");
        let (mine, other) = (bases(self.ours.get("servers")), bases(self.theirs.get("servers")));
        if mine.keys().any(|host| host.contains('{')) || other.is_empty() {
            return;
        }
        self.roles();
        let of_operations = self.hosts_of_operations();
        let named = named_by_flows(self.theirs);
        let of_flows: BTreeSet<String> = named.iter().filter_map(|url| Address::read(url).host).collect();
        let of_resources: BTreeSet<String> = self.of_resources().into_keys().collect();
        let is_there = |host: &String| other.contains_key(host) || of_operations.contains(host);
        let all_gone = !of_resources.iter().any(is_there);
        let (_, read) = self.read;
        let is_a_list = self.complete && !read.is_swagger();
        for (host, paths) in &mine {
            let Some(others) = other.get(host) else {
                let is_gone = all_gone && of_resources.contains(host);
                if of_operations.contains(host) || !is_gone && (of_flows.contains(host) || !is_a_list) {
                    continue;
                }
                let class = if is_gone { Class::WireBreaking } else { Class::DocsOnly };
                self.add(
                    "host-gone",
                    class,
                    host,
                    format!("the host {host} is not in the document"),
                    "the client asks it",
                    "see which host serves now",
                );
                continue;
            };
            // The document may write in its paths what is in the base address here.
            let same_calls = |base: &String| {
                let moved = |(ours, theirs): &(OperationObject<'_>, OperationObject<'_>)| {
                    let (ours, theirs) = (shape(ours.path), shape(theirs.path));
                    paths
                        .iter()
                        .any(|path| format!("{path}{ours}") == format!("{base}{theirs}"))
                };
                pairs.iter().any(moved)
            };
            if let Some(base) = others.iter().find(|base| !paths.contains(*base) && !same_calls(base))
                && paths.is_disjoint(others)
            {
                let shown: Vec<&str> = paths.iter().map(String::as_str).collect();
                self.add(
                    "base-moved",
                    Class::WireBreaking,
                    host,
                    format!("the base address is {host}{base}"),
                    &format!("the client asks {host}{}", shown.join(" and ")),
                    "correct the server's URL",
                );
            }
        }
        for host in other.keys().filter(|host| !mine.contains_key(*host)) {
            self.add(
                "host-added",
                Class::Additive,
                host,
                format!("the host {host} is new"),
                "the client asks it only as a base URL that is given",
                "list it under `servers`",
            );
        }
    }

    /// Operations that the document has at a server of their own.
    fn own_servers(&mut self, pairs: &[(OperationObject<'s>, OperationObject<'s>)]) {
        for (ours, theirs) in pairs {
            let own = theirs.value.get("servers").or_else(|| theirs.item.get("servers"));
            let there = bases(own);
            let here: BTreeSet<String> = self.spec.bases(ours).filter_map(|base| base.host).collect();
            let is_any = here.iter().any(|host| host.contains('{'));
            if there.is_empty() || is_any || here.iter().any(|host| there.contains_key(host)) {
                continue;
            }
            self.operation = ours.id().to_owned();
            self.pointer = ours.pointer();
            self.place = ours.pointer();
            let now: Vec<&str> = there.keys().map(String::as_str).collect();
            let here: Vec<&str> = here.iter().map(String::as_str).collect();
            self.add(
                "base-moved",
                Class::WireBreaking,
                ours.id(),
                format!("the operation is at {} now", now.join(" or ")),
                &format!("the client asks {}", here.join(" or ")),
                "list the server, and say which operations are there",
            );
        }
    }

    /// Hosts that the document names at operations.
    fn hosts_of_operations(&self) -> BTreeSet<String> {
        let mut hosts = BTreeSet::new();
        for operation in operations(self.theirs) {
            for servers in [operation.value.get("servers"), operation.item.get("servers")] {
                hosts.extend(bases(servers).into_keys());
            }
        }
        hosts
    }

    /// The servers of ours that are not the authorization server's alone.
    fn of_resources(&self) -> BTreeMap<String, BTreeSet<String>> {
        let listed = self.ours.get("servers").and_then(Value::as_array);
        let others = listed
            .into_iter()
            .flatten()
            .filter(|server| server.get("x-client").is_none());
        bases(Some(&others.cloned().collect()))
    }

    /// What each host is for, where the document says so (a bundle of ours, at another time).
    fn roles(&mut self) {
        let roles = |root: &Value| -> BTreeMap<(String, String), String> {
            let servers = root.get("servers").and_then(Value::as_array).into_iter().flatten();
            let text =
                |server: &Value, key: &str| server.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
            let roles = servers.filter(|server| server.get("x-environment").is_some());
            let role = |server: &Value| (text(server, "x-environment"), text(server, "x-client"));
            roles
                .map(|server| (role(server), Address::read(&text(server, "url")).place()))
                .collect()
        };
        let (mine, other) = (roles(self.ours), roles(self.theirs));
        for (role, place) in &mine {
            let (environment, client) = role;
            let known = |place: &&String| mine.values().any(|it| it == *place);
            // A host that is new is told as that.
            if let Some(now) = other.get(role).filter(|now| *now != place).filter(known) {
                let client = if client.is_empty() { "the resources" } else { client };
                self.add(
                    "base-moved",
                    Class::WireBreaking,
                    &format!("{environment} {client}"),
                    format!("{client} of {environment} are at {now}"),
                    &format!("the client asks {place}"),
                    "correct the server's URL",
                );
            }
        }
    }

    /// `x-oauth`, where the document carries one (a bundle of ours, at another time).
    pub(super) fn authorization_server(&mut self) {
        self.operation.clear();
        let mine = self
            .ours
            .pointer("/components/securitySchemes/oauth/x-oauth")
            .cloned()
            .unwrap_or_default();
        let Some(other) = self.theirs.pointer("/components/securitySchemes/oauth/x-oauth") else {
            return;
        };
        let fields: BTreeSet<&String> = [mine.as_object(), other.as_object()]
            .into_iter()
            .flatten()
            .flat_map(Map::keys)
            .collect();
        let word = |value: Option<&Value>| value.and_then(Value::as_str).unwrap_or_default().to_owned();
        for field in fields {
            let (ours, theirs) = (mine.get(field), other.get(field));
            if ours == theirs {
                continue;
            }
            self.pointer = Spec::oauth_pointer(&join("", field));
            self.place.clone_from(&self.pointer);
            let (rule, class, effect) = match field.as_str() {
                "grades" => ("grade-changed", Class::DocsOnly, "only how far it is to be trusted"),
                "access_token_lifetime" => ("lifetime-changed", Class::DocsOnly, "the client goes by the reply"),
                "refresh" => {
                    let lifetime =
                        |value: Option<&Value>| value.and_then(|it| it.get("lifetime")).and_then(Value::as_u64);
                    match (lifetime(ours), lifetime(theirs)) {
                        (Some(was), Some(is)) if is < was => (
                            "lifetime-changed",
                            Class::WireBreaking,
                            "a refresh that the client still counts on is refused",
                        ),
                        (was, is) if was != is => {
                            ("lifetime-changed", Class::DocsOnly, "the client's tables say otherwise")
                        }
                        _ => (
                            "refresh-changed",
                            Class::DocsOnly,
                            "the client keeps a new refresh token wherever one comes",
                        ),
                    }
                }
                "client_authentication" => (
                    "client-authentication-changed",
                    Class::WireBreaking,
                    "the client authenticates in another way",
                ),
                "pkce" if still_served(&word(ours), &word(theirs)) => (
                    "pkce-changed",
                    Class::DocsOnly,
                    "the client sends it as before, and the server takes that",
                ),
                "pkce" => (
                    "pkce-changed",
                    Class::WireBreaking,
                    "the client sends what it was generated with",
                ),
                "grants" => continue,
                _ => (
                    "authorization-server-changed",
                    Class::WireBreaking,
                    "the client was generated with the other value",
                ),
            };
            let lifetime = |value: Option<&Value>| value.and_then(|it| it.get("lifetime")).and_then(Value::as_u64);
            let what = match (lifetime(ours), lifetime(theirs)) {
                (Some(was), Some(is)) if was != is => {
                    let (was, is) = (crate::pages::duration(was), crate::pages::duration(is));
                    format!("the refresh token lives {is}, not {was}")
                }
                _ => match theirs {
                    Some(theirs) => format!("x-oauth.{field} is {theirs}"),
                    None => format!("x-oauth.{field} is gone"),
                },
            };
            self.add(rule, class, field, what, effect, "follow it in x-oauth");
        }
    }
}

/// The hosts of servers, each with the paths of its addresses.
fn bases(servers: Option<&Value>) -> BTreeMap<String, BTreeSet<String>> {
    let servers = servers.and_then(Value::as_array).into_iter().flatten();
    let mut bases: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for url in servers.filter_map(|server| server.get("url")?.as_str()) {
        let address = Address::read(url);
        if let Some(host) = address.host {
            let path = address.path.trim_end_matches('/').to_owned();
            bases.entry(host).or_default().insert(path);
        }
    }
    bases
}

/// A flow that several schemes have is what they say together.
fn merge(known: &mut Value, flow: &Value) {
    let Some(known) = known.as_object_mut() else {
        *known = flow.clone();
        return;
    };
    for (key, value) in flow.as_object().into_iter().flatten() {
        match (known.get_mut(key).and_then(Value::as_object_mut), value.as_object()) {
            (Some(all), Some(more)) => all.extend(more.clone()),
            _ => drop(known.entry(key.clone()).or_insert_with(|| value.clone())),
        }
    }
}

/// What a security scheme asks for, in words.
fn kind_of(scheme: &Value) -> String {
    let text = |key: &str| {
        scheme
            .get(key)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_lowercase()
    };
    match text("type").as_str() {
        "oauth2" | "openidconnect" => TOKEN.to_owned(),
        "http" if text("scheme") == "bearer" => TOKEN.to_owned(),
        "http" => format!("HTTP {}", text("scheme")),
        // Swagger 2.0 has no other word for a bearer token.
        "apikey" if text("in") == "header" && text("name") == "authorization" => TOKEN.to_owned(),
        "apikey" => format!("a key in the {}", text("in")),
        "mutualtls" => "a client certificate".to_owned(),
        other => format!("`{other}`"),
    }
}

/// What an operation demands; `None` where its document does not say.
fn demands(root: &Value, operation: &OperationObject<'_>) -> Option<Demands> {
    let alternatives = operation
        .value
        .get("security")
        .or_else(|| root.get("security"))?
        .as_array()?;
    let schemes = root.pointer("/components/securitySchemes");
    let mut found = Demands {
        ways: Vec::new(),
        scopes: None,
    };
    for alternative in alternatives.iter().filter_map(Value::as_object) {
        let mut way = BTreeSet::new();
        for (name, listed) in alternative {
            let Some(scheme) = schemes.and_then(|all| all.get(name)) else {
                way.insert(format!("`{name}`"));
                continue;
            };
            way.insert(kind_of(scheme));
            if matches!(
                scheme.get("type").and_then(Value::as_str),
                Some("oauth2" | "openIdConnect")
            ) {
                let listed = listed.as_array().into_iter().flatten().filter_map(Value::as_str);
                found
                    .scopes
                    .get_or_insert_with(BTreeSet::new)
                    .extend(listed.map(str::to_owned));
            }
        }
        found.ways.push(way);
    }
    Some(found)
}

/// Whether a client that was generated for one `pkce` gets on with a server of the other: it sends a challenge unless the
/// server refuses it, and needs one where the server demands it.
fn still_served(ours: &str, theirs: &str) -> bool {
    match ours {
        "refused" => theirs != "required",
        _ => theirs != "refused",
    }
}
