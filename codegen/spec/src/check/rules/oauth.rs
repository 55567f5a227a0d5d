//! The rules of `x-oauth`: roles, flows and scopes that fit each other.

use serde_json::Value;

use super::found::{Rules, scopes_of};
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
                    format!("there is no operation `{id}`"),
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
                        format!("the scope `{scope}` is in no flow"),
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
}
