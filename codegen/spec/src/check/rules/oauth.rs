//! The rules of `x-oauth`: roles, flows and scopes that fit each other.

use serde_json::Value;

use super::found::{Rules, scopes_of};
use crate::meant::did_you_mean;
use crate::operations::OperationObject;
use crate::pointer::join;
use crate::vocabulary::Oauth;

impl Rules<'_> {
    pub(super) fn oauth(&mut self) {
        let scheme_at = "/components/securitySchemes/oauth";
        let Some(scheme) = self.document.get(scheme_at) else {
            self.add(
                "oauth",
                "/components",
                "there is no security scheme `oauth`",
                "describe it, with `x-oauth`",
            );
            return;
        };
        let Some(oauth) = scheme.get("x-oauth") else {
            self.add(
                "oauth",
                scheme_at,
                "there is no `x-oauth`",
                "describe the authorization server",
            );
            return;
        };
        let at = join(scheme_at, "x-oauth");
        let operations = self.document.operations();
        for (role, id) in oauth.get("operations").and_then(Value::as_object).into_iter().flatten() {
            let id = id.as_str().unwrap_or_default();
            let at = join(&join(&at, "operations"), role);
            match operations.iter().find(|operation| operation.id() == id) {
                None => self.add(
                    "oauth",
                    &at,
                    format!(
                        "there is no operation `{id}`{}",
                        did_you_mean(id, operations.iter().map(|it| it.id()))
                    ),
                    "correct the operationId",
                ),
                Some(operation) => {
                    if operation.value.get("x-client").and_then(Value::as_str) != Some("oauth") {
                        self.add(
                            "oauth",
                            &at,
                            format!("`{id}` is not `x-client: oauth`"),
                            "mark the operation",
                        );
                    }
                    let browser = operation.value.get("x-browser") == Some(&Value::Bool(true));
                    if browser != (role == "authorize") {
                        self.add(
                            "oauth",
                            &at,
                            format!("`x-browser` of `{id}` is wrong"),
                            "`x-browser: true` stands on the authorization endpoint, and only there",
                        );
                    }
                }
            }
        }
        self.flows(scheme, oauth, &at);
        self.flow_addresses(scheme, oauth, &operations);
        let known = scopes_of(scheme);
        let named = |key: &str| -> Vec<String> {
            match oauth.get(key) {
                Some(Value::Array(list)) => list.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
                Some(Value::Object(map)) => map.keys().cloned().collect(),
                _ => Vec::new(),
            }
        };
        for key in ["scopes_always", "scope_templates", "scope_template_optional"] {
            for scope in named(key) {
                if !known.contains(scope.as_str()) {
                    self.add(
                        "scope",
                        &join(&at, key),
                        format!(
                            "the scope `{scope}` is in no flow{}",
                            did_you_mean(&scope, known.iter().copied())
                        ),
                        "correct the scope, or describe it under the flows",
                    );
                }
            }
        }
        // What is no `x-oauth` is another rule's.
        let read = serde_json::from_value::<Oauth>(oauth.clone()).ok();
        for (field, problem) in read
            .iter()
            .flat_map(|oauth| oauth.unfit_separators(known.iter().copied()))
        {
            self.add(
                "scope",
                &join(&at, field),
                problem,
                "write the one character that stands between scopes",
            );
        }
        if oauth.get("revocation").is_some() != oauth.pointer("/operations/revoke").is_some() {
            self.add(
                "oauth",
                &at,
                "`revocation` and `operations.revoke` go together",
                "write both or neither",
            );
        }
    }

    fn flows(&mut self, scheme: &Value, oauth: &Value, at: &str) {
        let grants: Vec<&str> = oauth
            .get("grants")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        for (grant, flow) in [
            ("authorization_code", "authorizationCode"),
            ("client_credentials", "clientCredentials"),
            ("password", "password"),
        ] {
            let has_flow = scheme.pointer(&format!("/flows/{flow}")).is_some();
            if grants.contains(&grant) != has_flow {
                self.add(
                    "oauth",
                    &join(at, "grants"),
                    format!("the grant `{grant}` and the flow `{flow}` go together"),
                    "write both or neither",
                );
            }
        }
        if grants.contains(&"authorization_code") != oauth.pointer("/operations/authorize").is_some() {
            self.add(
                "oauth",
                &join(at, "operations"),
                "the grant `authorization_code` and `operations.authorize` go together",
                "write both or neither",
            );
        }
    }

    /// The addresses of the flows are those of the operations, at a host that `servers` lists.
    fn flow_addresses(&mut self, scheme: &Value, oauth: &Value, operations: &[OperationObject<'_>]) {
        let servers = self.document.get("/servers").and_then(Value::as_array);
        let servers: Vec<Value> = servers.cloned().unwrap_or_default();
        let flows = scheme.get("flows").and_then(Value::as_object);
        for (flow, object) in flows.into_iter().flatten() {
            for (key, role) in [
                ("authorizationUrl", "authorize"),
                ("tokenUrl", "token"),
                ("refreshUrl", "token"),
            ] {
                let named = oauth
                    .get("operations")
                    .and_then(|it| it.get(role))
                    .and_then(Value::as_str);
                let operation = operations.iter().find(|it| Some(it.id()) == named);
                let written = object.get(key).and_then(Value::as_str);
                let (Some(operation), Some(written)) = (operation, written) else {
                    continue;
                };
                let hosts = hosts_of(&servers, role).into_iter();
                let addresses: Vec<String> = hosts
                    .map(|host| format!("{}{}", host.trim_end_matches('/'), operation.path))
                    .collect();
                if addresses.is_empty() || addresses.iter().any(|address| is_of(address, written)) {
                    continue;
                }
                let at = join(&join("/components/securitySchemes/oauth/flows", flow), key);
                self.add(
                    "flow-address",
                    &at,
                    format!("`{written}` is not the address of `{}`", operation.id()),
                    format!("write {}, or correct the path or `servers`", addresses.join(" or ")),
                );
            }
        }
    }
}

/// The addresses of the hosts that serve an operation of the authorization server.
fn hosts_of<'s>(servers: &'s [Value], role: &str) -> Vec<&'s str> {
    let is_oauth = |server: &&Value| server.get("x-client").and_then(Value::as_str) == Some("oauth");
    let authorizes = |server: &&Value| server.get("x-authorize") == Some(&Value::Bool(true));
    let same = |one: &Value, other: &Value| one.get("x-environment") == other.get("x-environment");
    // How near a host is to the role: the lower the better.
    let rank = |server: &&Value| match (is_oauth(server), authorizes(server)) {
        (true, true) if role == "authorize" => Some(0),
        (true, true) => None,
        (true, false) => Some(1),
        (false, _) => Some(2),
    };
    let serves = |server: &&Value| {
        let beside = servers.iter().filter(|other| same(server, other));
        rank(server).is_some() && rank(server) == beside.filter_map(|other| rank(&other)).min()
    };
    let hosts = servers.iter().filter(serves);
    let addresses = hosts.filter_map(|server| server.get("url").and_then(Value::as_str));
    // Another rule tells of the rest.
    addresses.filter(|address| address.starts_with("https://")).collect()
}

/// Whether an address is one of a template: what stands in braces is anything without a slash.
fn is_of(template: &str, address: &str) -> bool {
    let segments =
        |text: &'_ str| -> Vec<String> { text.trim_end_matches('/').split('/').map(str::to_owned).collect() };
    let (template, address) = (segments(template), segments(address));
    let fits = |(known, found): (&String, &String)| match (known.split_once('{'), known.rsplit_once('}')) {
        (Some((before, _)), Some((_, after))) => {
            found.len() > before.len() + after.len() && found.starts_with(before) && found.ends_with(after)
        }
        _ => known == found,
    };
    template.len() == address.len() && template.iter().zip(&address).all(fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_of_a_template() {
        for (template, address, expected) in [
            ("https://x.example/a", "https://x.example/a", true),
            ("https://x.example/a", "https://x.example/a/", true),
            ("https://x.example/a", "http://x.example/a", false),
            ("https://x.example/a", "https://x.example/b", false),
            ("https://{host}/a", "https://bank.example/a", true),
            ("https://api.{bank}.example/a", "https://api.one.example/a", true),
            ("https://api.{bank}.example/a", "https://api..example/a", false),
            ("https://{host}/a", "https://bank.example/b/a", false),
        ] {
            assert_eq!(is_of(template, address), expected, "{template} {address}");
        }
    }
}
