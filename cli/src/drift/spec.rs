//! A specification as drift sees it: the model, the bundle, and the lines of the source.

use std::io;

use finrail_spec::bundle::{resolved, with_shared_schemas};
use finrail_spec::document::Document;
use finrail_spec::model::{Operation, Server};
use finrail_spec::operations::{OperationObject, operations, success_schema};
use finrail_spec::pointer::join;
use finrail_spec::reference::deref;
use serde_json::Value;

use super::address::Address;
use super::finding::{Class, Evidence, Finding, fingerprint};
use crate::provider::Provider;
use crate::wire_schemas::shared_schemas;
use crate::workspace::{Source, Workspace};

/// What it does that a provider names a scope no more, where it lists all of them.
pub const SCOPE_REFUSED: (Class, &str) = (Class::WireBreaking, "an authorization that asks for it is refused");
/// The same where there may be other scopes.
pub const SCOPE_IN_DOUBT: (Class, &str) = (
    Class::Unhandled,
    "the provider's lists are not complete: it may be granted still",
);

/// A specification.
pub struct Spec {
    /// The provider in the words of the vocabulary.
    pub provider: Provider,
    /// The bundle's content.
    pub bundle: Value,
    document: Document,
}

/// What is needed to make a finding.
pub struct Issue {
    /// Stable name of the rule.
    pub rule: &'static str,
    /// What it does to the compiled client.
    pub class: Class,
    /// The operation, where it concerns one.
    pub operation: Option<String>,
    /// What it is about.
    pub subject: String,
    /// Where the specification says otherwise.
    pub pointer: String,
    /// What differs.
    pub what: String,
    /// Why it has its class.
    pub effect: String,
    /// What to do.
    pub fix: String,
}

impl Spec {
    /// Reads a provider's specification.
    ///
    /// # Errors
    ///
    /// A specification that is absent or that `regen` would refuse.
    pub fn read(workspace: &Workspace, provider: &str) -> io::Result<Self> {
        // Of what was imported: the bundle, whose lines are those of the findings.
        let path = match workspace.source(provider) {
            Source::Written(file) => file,
            Source::Imported(_) => workspace.bundle(provider),
        };
        let text = workspace.read(&path)?;
        let text = text.ok_or_else(|| io::Error::other(format!("there is no {}", path.display())))?;
        let refused = |why: String| io::Error::other(format!("{}: {why}", path.display()));
        let document = Document::parse(&path, &text)
            .map_err(|problem| io::Error::other(format!("{}: {}", problem.location(), problem.message)))?;
        let bundle = resolved(&with_shared_schemas(&document.value, &shared_schemas()));
        let provider = Provider::read(&bundle).map_err(refused)?;
        Ok(Self {
            provider,
            bundle,
            document,
        })
    }

    /// The provider's id.
    #[must_use]
    pub fn id(&self) -> &str {
        self.provider.id()
    }

    /// The scopes that its flows list.
    #[must_use]
    pub fn scopes(&self) -> Vec<&str> {
        let listed = self.provider.specification.scopes();
        listed.into_iter().map(|(scope, _)| scope).collect()
    }

    /// Makes a finding of an issue.
    #[must_use]
    pub fn finding(&self, issue: Issue, evidence: &Evidence) -> Finding {
        let location = self
            .document
            .position(&issue.pointer)
            .map(|position| format!("{}:{}", self.document.path.display(), position.line));
        Finding {
            rule: issue.rule,
            class: issue.class,
            fingerprint: fingerprint(
                self.id(),
                issue.rule,
                issue.operation.as_deref().unwrap_or_default(),
                &issue.subject,
                &issue.what,
            ),
            provider: self.id().to_owned(),
            operation: issue.operation,
            subject: issue.subject,
            what: issue.what,
            effect: issue.effect,
            location,
            fix: issue.fix,
            evidence: evidence.clone(),
            accepted: None,
        }
    }

    /// What it does that a provider names a scope no more. Where its lists are not complete, that is no proof.
    #[must_use]
    pub fn scope_withdrawn(&self) -> (Class, &'static str) {
        if self.provider.oauth.scopes_complete {
            SCOPE_REFUSED
        } else {
            SCOPE_IN_DOUBT
        }
    }

    /// The operations of the bundle.
    #[must_use]
    pub fn operations(&self) -> Vec<OperationObject<'_>> {
        operations(&self.bundle)
    }

    /// What each operation of the bundle is, in the order of the source.
    #[must_use]
    pub fn calls(&self) -> Vec<&Operation> {
        let known = &self.provider.specification;
        let listed = self.operations();
        listed
            .iter()
            .filter_map(|operation| known.operation(operation.id()))
            .collect()
    }

    /// An operation by its id.
    #[must_use]
    pub fn operation(&self, id: &str) -> Option<OperationObject<'_>> {
        self.operations().into_iter().find(|operation| operation.id() == id)
    }

    /// JSON pointer to an operation, in the source.
    #[must_use]
    pub fn pointer(&self, id: &str) -> String {
        self.operation(id)
            .map(|operation| operation.pointer())
            .unwrap_or_default()
    }

    /// JSON pointer to a field of `x-oauth`.
    #[must_use]
    pub fn oauth_pointer(field: &str) -> String {
        format!("/components/securitySchemes/oauth/x-oauth{field}")
    }

    /// Follows a reference of the bundle.
    #[must_use]
    pub fn deref<'s>(&'s self, value: &'s Value) -> &'s Value {
        deref(&self.bundle, value).unwrap_or(value)
    }

    /// Follows references, and wrappers of one part that only add a description.
    #[must_use]
    pub fn effective<'s>(&'s self, schema: &'s Value) -> &'s Value {
        let mut schema = self.deref(schema);
        // A chain longer than this is a cycle.
        for _ in 0..32 {
            match schema.get("allOf").and_then(Value::as_array).map(Vec::as_slice) {
                Some([part]) if schema.get("properties").is_none() => schema = self.deref(part),
                _ => return schema,
            }
        }
        schema
    }

    /// The schema of a success reply.
    #[must_use]
    pub fn success<'s>(&'s self, operation: &OperationObject<'s>) -> Option<&'s Value> {
        success_schema(&self.bundle, operation)
    }

    /// The schema of an error reply.
    #[must_use]
    pub fn failure<'s>(&'s self, operation: &OperationObject<'s>) -> Option<&'s Value> {
        let responses = operation.value.get("responses")?.as_object()?;
        responses
            .iter()
            .filter(|(status, _)| status.starts_with(['4', '5']))
            .find_map(|(_, reply)| reply.get("content")?.as_object()?.values().next()?.get("schema"))
    }

    /// The schema of a request body.
    #[must_use]
    pub fn request<'s>(&'s self, operation: &OperationObject<'s>) -> Option<&'s Value> {
        operation
            .value
            .get("requestBody")?
            .get("content")?
            .as_object()?
            .values()
            .next()?
            .get("schema")
    }

    /// The media type of a request body.
    #[must_use]
    pub fn request_media<'s>(&self, operation: &OperationObject<'s>) -> Option<&'s str> {
        let content = operation.value.get("requestBody")?.get("content")?.as_object()?;
        content.keys().next().map(String::as_str)
    }

    /// A property of an object schema, through its parts.
    #[must_use]
    pub fn property<'s>(&'s self, schema: &'s Value, name: &str) -> Option<&'s Value> {
        let schema = self.deref(schema);
        if let Some(found) = schema.get("properties").and_then(|all| all.get(name)) {
            return Some(found);
        }
        ["allOf", "oneOf", "anyOf"]
            .iter()
            .filter_map(|part| schema.get(part)?.as_array())
            .flatten()
            .find_map(|part| self.property(part, name))
    }

    /// The property that replies also spell another way (`x-aliases`).
    #[must_use]
    pub fn aliased<'s>(&self, schema: &'s Value, name: &str) -> Option<&'s Value> {
        let all = schema.get("properties").and_then(Value::as_object)?;
        let has = |property: &&'s Value| {
            let aliases = property.get("x-aliases").and_then(Value::as_array);
            aliases.into_iter().flatten().any(|alias| alias == name)
        };
        all.values().find(has)
    }

    /// The field at a place such as `accounts[].balance`.
    #[must_use]
    pub fn field<'s>(&'s self, schema: &'s Value, place: &str) -> Option<&'s Value> {
        let schema = self.effective(schema);
        if let Some(rest) = place.strip_prefix("[]") {
            let rest = rest.trim_start_matches('.');
            let items = schema.get("items")?;
            return if rest.is_empty() {
                Some(items)
            } else {
                self.field(items, rest)
            };
        }
        // A name may have points and brackets of its own.
        if let Some(found) = self.property(schema, place) {
            return Some(found);
        }
        let (name, rest) = place.split_at(place.find(['.', '[']).filter(|at| *at > 0)?);
        self.field(self.property(schema, name)?, rest.trim_start_matches('.'))
    }

    /// Whether a property must be there.
    #[must_use]
    pub fn requires(&self, schema: &Value, name: &str) -> bool {
        let schema = self.deref(schema);
        let named = schema.get("required").and_then(Value::as_array).into_iter().flatten();
        named.into_iter().any(|required| required == name)
            || schema
                .get("allOf")
                .and_then(Value::as_array)
                .into_iter()
                .flatten()
                .any(|part| self.requires(part, name))
    }

    /// A parameter of an operation, in any place but the body.
    #[must_use]
    pub fn parameter<'s>(&self, operation: &OperationObject<'s>, name: &str) -> Option<&'s Value> {
        let listed = operation.value.get("parameters")?.as_array()?;
        let known = |parameter: &&Value| {
            parameter
                .get("name")
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned()
        };
        let exact = listed
            .iter()
            .find(|parameter| known(parameter).eq_ignore_ascii_case(name));
        exact.or_else(|| {
            listed
                .iter()
                .find(|it| known(it).trim_end_matches("[]") == name.trim_end_matches("[]"))
        })
    }

    /// JSON pointer to a parameter, or to its operation.
    #[must_use]
    pub fn parameter_pointer(&self, operation: &OperationObject<'_>, name: &str) -> String {
        let listed = operation
            .value
            .get("parameters")
            .and_then(Value::as_array)
            .into_iter()
            .flatten();
        let index = listed
            .into_iter()
            .position(|it| it.get("name").and_then(Value::as_str) == Some(name));
        match index {
            Some(index) => join(&join(&operation.pointer(), "parameters"), &index.to_string()),
            None => operation.pointer(),
        }
    }

    /// The base addresses that serve an operation: the authorization server's own where an environment has one.
    pub fn bases(&self, operation: &OperationObject<'_>) -> impl Iterator<Item = Address> {
        let oauth = operation.value.get("x-client").and_then(Value::as_str) == Some("oauth");
        let servers = &self.provider.specification.servers;
        let serves = move |server: &&Server| {
            let own = servers
                .iter()
                .any(|other| other.is_oauth() && other.environment == server.environment);
            if oauth {
                server.is_oauth() || !own
            } else {
                !server.is_oauth()
            }
        };
        servers.iter().filter(serves).map(|server| Address::read(&server.url))
    }

    /// Whether every institution has a host of its own.
    #[must_use]
    pub fn own_hosts(&self) -> bool {
        let mut servers = self.provider.specification.servers.iter();
        servers.any(|server| server.url.contains('{'))
    }

    /// Whether a host is one of the provider's. Where every institution has its own, any may be.
    #[must_use]
    pub fn knows_host(&self, host: &str) -> bool {
        let servers = self.provider.specification.servers.iter();
        servers
            .map(|server| Address::host_of(&server.url))
            .any(|known| known.contains('{') || known == host)
    }

    /// The operation that a request to an address is, and the path of the base address before it.
    #[must_use]
    pub fn asked(&self, method: &str, address: &Address) -> Option<(OperationObject<'_>, String)> {
        let host = address.host.as_deref().unwrap_or_default();
        let mut found: Option<(OperationObject<'_>, String)> = None;
        for operation in self.operations() {
            if !operation.method.eq_ignore_ascii_case(method) {
                continue;
            }
            for base in self.bases(&operation) {
                let known = base.host.unwrap_or_default();
                let prefix = base.path.trim_end_matches('/');
                let Some(path) = address.path.strip_prefix(prefix).filter(|path| path.starts_with('/')) else {
                    continue;
                };
                if (known.contains('{') || known == host) && path_fits(operation.path, path) {
                    // A template fits much; a literal path is meant.
                    if operation.path == path {
                        return Some((operation, prefix.to_owned()));
                    }
                    found.get_or_insert((operation, prefix.to_owned()));
                }
            }
        }
        found
    }

    /// A path of which only what the specification writes itself is left, and versions.
    #[must_use]
    pub fn shape(&self, path: &str, hidden: &str) -> String {
        let operations = self.operations();
        let bases: Vec<Address> = self
            .provider
            .specification
            .servers
            .iter()
            .map(|server| Address::read(&server.url))
            .collect();
        let written = operations
            .iter()
            .map(|operation| operation.path)
            .chain(bases.iter().map(|base| base.path.as_str()));
        let literal: std::collections::BTreeSet<&str> = written.flat_map(|path| path.split('/')).collect();
        path.split('/')
            .map(|segment| {
                if literal.contains(segment) || is_version(segment) {
                    segment
                } else {
                    hidden
                }
            })
            .collect::<Vec<_>>()
            .join("/")
    }

    /// A path as it is, and without the prefix of each server that has one.
    fn without_prefixes(&self, path: &str) -> Vec<String> {
        let mut paths = vec![path.to_owned()];
        for server in &self.provider.specification.servers {
            let base = Address::read(&server.url);
            let prefix = base.path.trim_end_matches('/');
            if let Some(rest) = path
                .strip_prefix(prefix)
                .filter(|rest| !prefix.is_empty() && rest.starts_with('/'))
            {
                paths.push(rest.to_owned());
            }
        }
        paths
    }

    /// A path relative to the server, as the specification writes paths.
    #[must_use]
    pub fn relative(&self, path: &str) -> String {
        self.without_prefixes(path).pop().unwrap_or_default()
    }

    /// The operation that a method and a path belong to. The path may carry the prefix of a server.
    #[must_use]
    pub fn matching(&self, method: &str, path: &str) -> Option<OperationObject<'_>> {
        let paths = self.without_prefixes(path);
        let fits = |operation: &OperationObject<'_>, path: &String| {
            let same_method = method == "URL" || operation.method.eq_ignore_ascii_case(method);
            same_method && path_fits(operation.path, path)
        };
        let all = self.operations();
        // A template fits much; a literal path is meant.
        let literal = paths
            .iter()
            .find_map(|path| all.iter().find(|it| fits(it, path) && it.path == path.as_str()));
        literal
            .or_else(|| paths.iter().find_map(|path| all.iter().find(|it| fits(it, path))))
            .copied()
    }

    /// The operation that a request was, before it moved: same method, a path that differs in a
    /// version or a word.
    #[must_use]
    pub fn moved(&self, method: &str, path: &str, taken: &[String]) -> Option<OperationObject<'_>> {
        let mut best: Option<(usize, OperationObject<'_>)> = None;
        for operation in self.operations() {
            if !operation.method.eq_ignore_ascii_case(method) || taken.contains(&operation.id().to_owned()) {
                continue;
            }
            let score = likeness(operation.path, &self.relative(path));
            if score >= 60 && best.is_none_or(|(highest, _)| score > highest) {
                best = Some((score, operation));
            }
        }
        best.map(|(_, operation)| operation)
    }
}

/// Whether a path is an instance of a template.
#[must_use]
pub fn path_fits(template: &str, path: &str) -> bool {
    let template: Vec<&str> = template.trim_end_matches('/').split('/').collect();
    let path: Vec<&str> = path.trim_end_matches('/').split('/').collect();
    template.len() == path.len()
        && template.iter().zip(&path).all(|(expected, found)| {
            let variable = expected.starts_with('{') && expected.ends_with('}');
            expected == found || variable && !found.is_empty()
        })
}

/// How alike two paths are, in percent of their segments; versions are left out of account.
fn likeness(one: &str, other: &str) -> usize {
    let segments = |path: &'_ str| -> Vec<String> {
        let all = path
            .split('/')
            .filter(|segment| !segment.is_empty() && !is_version(segment));
        all.map(|segment| {
            if segment.starts_with('{') {
                "{}".to_owned()
            } else {
                segment.to_owned()
            }
        })
        .collect()
    };
    let (one, other) = (segments(one), segments(other));
    if one.last() != other.last() {
        return 0;
    }
    let same = one.iter().rev().zip(other.iter().rev()).filter(|(a, b)| a == b).count();
    100 * same / one.len().max(other.len()).max(1)
}

/// `v2`, `v1.1`
fn is_version(segment: &str) -> bool {
    let rest = segment.strip_prefix('v').unwrap_or_default();
    (1..=4).contains(&rest.len()) && rest.chars().all(|c| c.is_ascii_digit() || c == '.')
}
