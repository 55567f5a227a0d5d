//! Who is let in: the authorization server, the hosts, and what each operation demands.

use std::collections::{BTreeMap, BTreeSet};

use finrail_spec::operations::{OperationObject, operations};
use finrail_spec::pointer::join;
use serde_json::{Map, Value, json};

use super::compared::Compared;
use super::endpoints::{ADDRESSES, named_by_flows, same_address, schemes};
use super::pairs::{Paired, is_of_the_authorization_server, shape};
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
        if !other.ways.is_empty() && !is_let_in(&mine.ways, &other.ways) {
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
                let path = |flow: &Value, key: &str| flow.get(key).and_then(Value::as_str).map(str::to_owned);
                // Where nothing else is said, tokens are refreshed where they are got (RFC 6749 section 6).
                let usual = || path(flow, "tokenUrl").filter(|_| key == "refreshUrl");
                let theirs = other.get(name).and_then(|flow| path(flow, key));
                let (Some(ours), Some(theirs)) = (path(flow, key).or_else(usual), theirs) else {
                    continue;
                };
                if is_plain(&theirs) && !is_plain(&ours) {
                    self.by_http(
                        &format!("{name} {key}"),
                        format!("{key} of `{name}` is {theirs}, by http, without TLS"),
                    );
                }
                if !same_address(&Address::read(&ours), &Address::read(&theirs)) {
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
    pub(super) fn servers(&mut self, pairs: &[Pair<'s>]) {
        self.own_servers(pairs);
        self.about("/servers");
        let (mine, other) = (bases(self.ours.get("servers")), bases(self.theirs.get("servers")));
        if other.is_empty() {
            return;
        }
        self.unencrypted(&mine, &other);
        if mine.keys().any(|host| host.contains('{')) {
            return self.any_host(&mine, &other, pairs);
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
            let is_known = |base: &String| paths.iter().any(|path| same_calls(path, base, pairs));
            let is_kept = |path: &String| others.iter().any(|base| same_calls(path, base, pairs));
            let new = others.iter().find(|base| !paths.contains(*base) && !is_known(base));
            let lost: Vec<&str> = paths
                .iter()
                .filter(|path| !others.contains(*path) && !is_kept(path))
                .map(String::as_str)
                .collect();
            match new {
                Some(base) if paths.is_disjoint(others) || self.complete && !lost.is_empty() => {
                    let shown: Vec<&str> = match paths.is_disjoint(others) {
                        true => paths.iter().map(String::as_str).collect(),
                        false => lost,
                    };
                    self.add(
                        "base-moved",
                        Class::WireBreaking,
                        host,
                        format!("the base address is {host}{base}"),
                        &format!("the client asks {host}{}", shown.join(" and ")),
                        "correct the server's URL",
                    );
                }
                Some(base) => self.add(
                    "base-added",
                    Class::Additive,
                    &format!("{host}{base}"),
                    format!("the base address {host}{base} is new"),
                    "the client asks it only as a base URL that is given",
                    "list it under `servers`",
                ),
                None if is_a_list && !lost.is_empty() => self.add(
                    "base-gone",
                    Class::DocsOnly,
                    host,
                    format!("the base address {host}{} is not in the document", lost.join(" and ")),
                    "the client asks it where it is told to",
                    "see whether it still answers",
                ),
                None => {}
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

    /// Whether the document describes another API: none of the resources is under its path, no host is one of ours, and what is
    /// paired by name or likeness alone is not even half of it.
    pub(super) fn is_of_another(&self, paired: &Paired<'s>) -> bool {
        let resources = |operation: &&OperationObject<'_>| !is_of_the_authorization_server(operation);
        let ours = operations(self.ours);
        let all = ours.iter().filter(resources).count();
        let found = paired.pairs.iter().map(|(ours, _)| ours).filter(resources).count();
        let is_unread = self.issues.iter().any(|issue| issue.rule == "operation-unread");
        if all == 0 || paired.in_place > 0 || 2 * found >= all || is_unread {
            return false;
        }
        let mut hosts = self.hosts_of_operations();
        hosts.extend(bases(self.theirs.get("servers")).into_keys());
        hosts.extend(named_by_flows(self.theirs).iter().map(|url| Address::host_of(url)));
        let known = bases(self.ours.get("servers"));
        !operations(self.theirs).is_empty() && !known.keys().any(|host| hosts.contains(host))
    }

    /// Hosts and base addresses that the document names by http alone, and the client asks by https.
    fn unencrypted(&mut self, mine: &Bases, other: &Bases) {
        let (ours, theirs) = (self.ours.get("servers"), self.theirs.get("servers"));
        let known = by_http_alone(ours, Address::host_of);
        let hosts = by_http_alone(theirs, Address::host_of);
        let places = by_http_alone(theirs, |url| Address::read(url).place());
        for (host, paths) in mine.iter().filter(|(host, _)| !known.contains(*host)) {
            let is_any = host.contains('{') && other.keys().all(|host| hosts.contains(host));
            let all = is_any || hosts.contains(host);
            let named = paths.iter().map(|path| format!("{host}{path}"));
            let named: Vec<String> = match all {
                true => vec![host.clone()],
                false => named.filter(|place| places.contains(place)).collect(),
            };
            for place in named {
                let what = format!("the document names {place} by http, without TLS");
                self.by_http(&place, what);
            }
        }
    }

    /// An address that the document names by http, and the client asks by https.
    fn by_http(&mut self, subject: &str, what: String) {
        self.add(
            "scheme-differs",
            Class::WireBreaking,
            subject,
            what,
            "the client asks it by https, and never otherwise",
            "see whether it is still served by https, or accept the finding with a reason",
        );
    }

    /// Where each institution has a host of its own, the paths of base addresses are all that can be compared.
    fn any_host(&mut self, mine: &Bases, other: &Bases, pairs: &[Pair<'s>]) {
        let known: Vec<&String> = mine.values().flatten().collect();
        let is_known = |base: &String| known.iter().any(|path| *path == base || same_calls(path, base, pairs));
        let all = other
            .iter()
            .flat_map(|(host, bases)| bases.iter().map(move |base| (host, base)));
        let all: Vec<(&String, &String)> = all.collect();
        if all.iter().any(|(_, base)| is_known(base)) {
            return;
        }
        let Some((host, base)) = all.first() else { return };
        // Of an institution that is named, the base URL that a caller gives may have the path in it.
        let (class, effect) = match host.contains('{') {
            true => (
                Class::WireBreaking,
                "the client asks the base URL that it is given, without this path",
            ),
            false => (Class::Unhandled, "it depends on the base URL that callers give"),
        };
        self.add(
            "base-moved",
            class,
            host,
            format!("the base address is {host}{base}"),
            effect,
            "correct the server's URL, or accept the finding where callers give the path with the host",
        );
    }

    /// Operations that the document has at a server of their own.
    fn own_servers(&mut self, pairs: &[Pair<'s>]) {
        let of_all = bases(self.theirs.get("servers"));
        for (ours, theirs) in pairs {
            let own = theirs.value.get("servers").or_else(|| theirs.item.get("servers"));
            let there = bases(own);
            let here: Vec<Address> = self.spec.bases(ours).collect();
            let is_moved = !self.same_path(ours, theirs.path);
            let is_here = |host: &String, base: &String| {
                here.iter().any(|known| {
                    let name = known.host.as_deref().unwrap_or_default();
                    let path = known.path.trim_end_matches('/').to_owned();
                    // Any host is the institution's, but for one that all the others are not at.
                    let is_any = name.contains('{') && (host.contains('{') || of_all.is_empty());
                    let is_all = name.contains('{') && of_all.get(host).is_some_and(|bases| bases.contains(base));
                    let pair = [(*ours, *theirs)];
                    is_all || (is_any || name == host) && (is_moved || same_calls(&path, base, &pair))
                })
            };
            let is_there = there
                .iter()
                .any(|(host, bases)| bases.iter().any(|base| is_here(host, base)));
            if there.is_empty() || here.is_empty() {
                continue;
            }
            self.operation = ours.id().to_owned();
            self.pointer = ours.pointer();
            self.place = ours.pointer();
            if is_there {
                let plain = by_http_alone(own, Address::host_of);
                let asked = here.iter().filter_map(|base| base.host.as_ref());
                let mut asked = asked.filter(|host| there.contains_key(*host));
                if asked.next().is_some_and(|host| plain.contains(host)) {
                    let what = "the document names the operation's server by http, without TLS".to_owned();
                    self.by_http(ours.id(), what);
                }
                continue;
            }
            let now: Vec<String> = there
                .iter()
                .flat_map(|(host, bases)| bases.iter().map(move |base| format!("{host}{base}")))
                .collect();
            let here: Vec<String> = here.iter().map(Address::place).collect();
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
type Bases = BTreeMap<String, BTreeSet<String>>;

/// An operation of ours with theirs.
type Pair<'s> = (OperationObject<'s>, OperationObject<'s>);

fn urls(servers: Option<&Value>) -> impl Iterator<Item = &str> {
    let servers = servers.and_then(Value::as_array).into_iter().flatten();
    servers.filter_map(|server| server.get("url")?.as_str())
}

/// Whether an address is one by http.
fn is_plain(url: &str) -> bool {
    url.get(..7)
        .is_some_and(|scheme| scheme.eq_ignore_ascii_case("http://"))
}

/// What of addresses is named by http alone.
fn by_http_alone(servers: Option<&Value>, of: fn(&str) -> String) -> BTreeSet<String> {
    let (plain, others): (Vec<&str>, Vec<&str>) = urls(servers).partition(|url| is_plain(url));
    let others: BTreeSet<String> = others.into_iter().map(of).collect();
    plain.into_iter().map(of).filter(|it| !others.contains(it)).collect()
}

/// Whether two base addresses lead to the same: the document may write in its paths what is in the base address here.
fn same_calls(path: &str, base: &str, pairs: &[Pair<'_>]) -> bool {
    let same =
        |(ours, theirs): &Pair<'_>| format!("{path}{}", shape(ours.path)) == format!("{base}{}", shape(theirs.path));
    pairs.iter().any(same)
}

fn bases(servers: Option<&Value>) -> Bases {
    let mut bases = Bases::new();
    for url in urls(servers) {
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

/// Whether a client that goes the ways of `ours` passes where those of `theirs` lead in: one of them needs nothing more. A token
/// is what the client sends wherever it may, so each way with one must lead in; of the others one is enough.
fn is_let_in(ours: &[BTreeSet<String>], theirs: &[BTreeSet<String>]) -> bool {
    let passes = |way: &BTreeSet<String>| theirs.iter().any(|needs| needs.is_subset(way));
    let mut with_token = ours.iter().filter(|way| way.contains(TOKEN)).peekable();
    match with_token.peek() {
        Some(_) => with_token.all(passes),
        None if ours.is_empty() => passes(&BTreeSet::new()),
        None => ours.iter().any(passes),
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
