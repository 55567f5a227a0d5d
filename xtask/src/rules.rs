//! The rules of specs/README.md that no schema can say.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use serde_json::{Map, Value};

use crate::document::{Document, Operation, component_name, deref, pointer_of};
use crate::grammar::{self, Kind};
use crate::problem::Problem;
use crate::wire_schemas::shared_schemas;
use crate::yaml::join;

/// Every rule on one document. `with_shared` is the document with the OAuth schemas.
#[must_use]
pub fn check(document: &Document, with_shared: &Value) -> Vec<Problem> {
    let mut rules = Rules {
        document,
        root: with_shared,
        problems: Vec::new(),
    };
    rules.references();
    rules.root();
    rules.servers();
    let mut ids = BTreeMap::new();
    for operation in document.operations() {
        rules.operation(&operation);
        if let Some(first) = ids.insert(operation.id().to_owned(), operation.pointer()) {
            rules.add(
                "operation-id",
                &join(&operation.pointer(), "operationId"),
                format!("`{}` is the id of {first} too", operation.id()),
                "give each operation an id of its own",
            );
        }
    }
    rules.schemas();
    rules.oauth();
    rules.unused_components();
    rules.problems
}

struct Rules<'d> {
    document: &'d Document,
    root: &'d Value,
    problems: Vec<Problem>,
}

impl<'d> Rules<'d> {
    fn add(&mut self, rule: &'static str, pointer: &str, message: impl Into<String>, fix: impl Into<String>) {
        self.problems.push(self.document.problem(rule, pointer, message, fix));
    }

    fn text(&mut self, rule: &'static str, pointer: &str, object: &Map<String, Value>, key: &str) {
        let text = object.get(key).and_then(Value::as_str).unwrap_or_default();
        if text.trim().is_empty() {
            self.add(
                rule,
                pointer,
                format!("there is no `{key}`"),
                format!("write a `{key}` in our own words"),
            );
        }
    }

    /// References name something that is there and of the right kind, and stand alone.
    fn references(&mut self) {
        let mut found = Vec::new();
        grammar::walk(&self.document.value, &mut |kind, pointer, object| {
            if let Some(reference) = object.get("$ref") {
                found.push((kind, join(pointer, "$ref"), reference.clone(), object.len()));
            }
        });
        for (kind, at, reference, keys) in found {
            let reference = reference.as_str().unwrap_or_default();
            let section = kind.component_section().unwrap_or_default();
            if component_name(reference, section).is_none() {
                self.add(
                    "reference",
                    &at,
                    format!("`{reference}` is not `#/components/{section}/...`"),
                    "refer to a named component of this document",
                );
            } else if pointer_of(reference).is_none_or(|pointer| self.root.pointer(&pointer).is_none()) {
                self.add(
                    "reference",
                    &at,
                    format!("`{reference}` does not exist"),
                    "correct the name, or add the component",
                );
            }
            if keys > 1 {
                self.add(
                    "reference",
                    &at,
                    "OpenAPI 3.0 ignores what stands beside a `$ref`",
                    "move it to the component, or wrap the reference: `allOf: [$ref: ...]`",
                );
            }
        }
    }

    fn root(&mut self) {
        let document = self.document;
        let id = document.get("/x-provider/id").and_then(Value::as_str);
        if document.get("/x-provider").is_none() {
            self.add(
                "provider",
                "",
                "there is no `x-provider`",
                "add id, name and env_prefix",
            );
        } else if id != Some(document.provider.as_str()) {
            self.add(
                "provider",
                "/x-provider/id",
                format!("the id is not the name of the file, `{}`", document.provider),
                "make them the same",
            );
        }
        let version = document
            .get("/info/version")
            .and_then(Value::as_str)
            .unwrap_or_default();
        if !is_date(version) {
            self.add(
                "version",
                "/info/version",
                "the version is not a day",
                "write the day of the last check against the sources, as YYYY-MM-DD",
            );
        }
        let info = document
            .get("/info")
            .and_then(Value::as_object)
            .cloned()
            .unwrap_or_default();
        self.text("description", "/info", &info, "description");
        let tags = document
            .get("/tags")
            .and_then(Value::as_array)
            .cloned()
            .unwrap_or_default();
        for (index, tag) in tags.iter().filter_map(Value::as_object).enumerate() {
            self.text("description", &format!("/tags/{index}"), tag, "description");
        }
    }

    fn servers(&mut self) {
        let servers = self
            .document
            .get("/servers")
            .and_then(Value::as_array)
            .cloned()
            .unwrap_or_default();
        if servers.is_empty() {
            self.add(
                "server",
                "",
                "there are no `servers`",
                "list the hosts with `x-environment`",
            );
        }
        let mut seen = HashSet::new();
        for (index, server) in servers.iter().enumerate() {
            let at = format!("/servers/{index}");
            let url = server.get("url").and_then(Value::as_str).unwrap_or_default();
            let environment = server.get("x-environment").and_then(Value::as_str);
            let client = server.get("x-client").and_then(Value::as_str);
            if !url.starts_with("https://") {
                self.add(
                    "server",
                    &at,
                    format!("`{url}` is not https"),
                    "write the https address",
                );
            }
            if environment.is_none() && !url.contains('{') {
                self.add(
                    "server",
                    &at,
                    "a host without `x-environment`",
                    "name its environment, or give the URL a variable where every institution has its own",
                );
            }
            if !seen.insert((environment, client)) {
                self.add(
                    "server",
                    &at,
                    "a second host for the same environment",
                    "keep one of them",
                );
            }
            if server.get("x-grade").is_none() {
                self.add(
                    "server",
                    &at,
                    "a host without `x-grade`",
                    "say how far the host is to be trusted",
                );
            }
        }
    }

    fn operation(&mut self, operation: &Operation<'d>) {
        let at = operation.pointer();
        self.identity(operation, &at);
        self.security(operation, &at);
        self.provenance(operation, &at);
        self.parameters(operation, &at);
        self.request_body(operation, &at);
        self.responses(operation, &at);
        self.pagination(operation, &at);
        if operation.value.contains_key("servers") || operation.item.contains_key("servers") {
            self.add(
                "server",
                &at,
                "an operation has servers of its own",
                "use `x-client` on the document's servers",
            );
        }
    }

    fn identity(&mut self, operation: &Operation<'_>, at: &str) {
        let id = operation.id();
        if id.is_empty() {
            self.add(
                "operation-id",
                at,
                "there is no `operationId`",
                "name it verb_noun, in snake_case",
            );
        } else if !is_snake_case(id) {
            self.add(
                "operation-id",
                &join(at, "operationId"),
                format!("`{id}` is not snake_case"),
                "name it verb_noun, in snake_case",
            );
        }
        self.text("summary", at, operation.value, "summary");
        let summary = operation
            .value
            .get("summary")
            .and_then(Value::as_str)
            .unwrap_or_default();
        if summary.trim_end().contains('\n') || summary.trim_end().ends_with('.') {
            self.add(
                "summary",
                &join(at, "summary"),
                "the summary has several lines or ends with a full stop",
                "write one line without a full stop",
            );
        }
        self.text("description", at, operation.value, "description");
        let tags = operation
            .value
            .get("tags")
            .and_then(Value::as_array)
            .cloned()
            .unwrap_or_default();
        if tags.len() != 1 {
            self.add("tag", at, format!("{} tags", tags.len()), "give the operation one tag");
        }
        let declared = self
            .document
            .get("/tags")
            .and_then(Value::as_array)
            .cloned()
            .unwrap_or_default();
        for tag in &tags {
            if !declared.iter().any(|known| known.get("name") == Some(tag)) {
                self.add(
                    "tag",
                    &join(at, "tags"),
                    format!("the tag {tag} is not declared"),
                    "declare it under the document's `tags`, with a description",
                );
            }
        }
    }

    fn security(&mut self, operation: &Operation<'_>, at: &str) {
        let Some(alternatives) = operation.value.get("security").and_then(Value::as_array) else {
            self.add(
                "security",
                at,
                "there is no `security`",
                "list the scheme with the scopes needed, or write `security: []`",
            );
            return;
        };
        let at = join(at, "security");
        let client = operation.value.get("x-client").and_then(Value::as_str).unwrap_or("api");
        if alternatives.is_empty() && client != "oauth" && client != "registration" {
            self.add(
                "security",
                &at,
                "a resource that needs no token",
                "list `oauth` with the scopes needed (an empty list where the provider has none)",
            );
        }
        for (index, alternative) in alternatives.iter().enumerate() {
            for (name, scopes) in alternative.as_object().into_iter().flatten() {
                let at = join(&format!("{at}/{index}"), name);
                let scheme = self.root.pointer(&join("/components/securitySchemes", name));
                let Some(scheme) = scheme else {
                    self.add(
                        "security",
                        &at,
                        format!("the scheme `{name}` does not exist"),
                        "correct the name, or add it under components.securitySchemes",
                    );
                    continue;
                };
                if !["oauth", "clientBasic", "accessKey", "registrationToken"].contains(&name.as_str()) {
                    self.add(
                        "security",
                        &at,
                        format!("`{name}` is not a name of the vocabulary"),
                        "use oauth, clientBasic, accessKey or registrationToken",
                    );
                }
                let known = scopes_of(scheme);
                for scope in scopes.as_array().into_iter().flatten().filter_map(Value::as_str) {
                    if !known.contains(scope) {
                        self.add(
                            "scope",
                            &at,
                            format!("the scope `{scope}` is in no flow of `{name}`"),
                            "correct the scope, or describe it under the scheme's flows",
                        );
                    }
                }
            }
        }
    }

    fn provenance(&mut self, operation: &Operation<'_>, at: &str) {
        let Some(provenance) = operation.value.get("x-provenance") else {
            self.add(
                "provenance",
                at,
                "there is no `x-provenance`",
                "say where the operation comes from: grade, checked, sources",
            );
            return;
        };
        let at = join(at, "x-provenance");
        if !provenance.get("checked").and_then(Value::as_str).is_some_and(is_date) {
            self.add("provenance", &at, "`checked` is not a day", "write YYYY-MM-DD");
        }
        if provenance
            .get("sources")
            .and_then(Value::as_array)
            .is_none_or(Vec::is_empty)
        {
            self.add("provenance", &at, "there are no `sources`", "name at least one");
        }
    }

    fn parameters(&mut self, operation: &Operation<'d>, at: &str) {
        let mut in_path = BTreeSet::new();
        let mut seen = HashSet::new();
        for (holder, at) in [(operation.item, parent(at)), (operation.value, at.to_owned())] {
            let listed = holder.get("parameters").and_then(Value::as_array);
            for (index, listed) in listed.into_iter().flatten().enumerate() {
                let at = format!("{at}/parameters/{index}");
                let Some(parameter) = deref(self.root, listed).and_then(Value::as_object) else {
                    continue;
                };
                let name = parameter.get("name").and_then(Value::as_str).unwrap_or_default();
                let place = parameter.get("in").and_then(Value::as_str).unwrap_or_default();
                self.text("description", &at, parameter, "description");
                match place {
                    "path" => {
                        in_path.insert(name);
                    }
                    "cookie" => self.add(
                        "parameter",
                        &at,
                        "a cookie parameter",
                        "cookies are not sent: leave it out",
                    ),
                    _ => {}
                }
                if place == "header" && ["accept", "content-type", "authorization"].contains(&&*name.to_lowercase()) {
                    self.add(
                        "parameter",
                        &at,
                        format!("OpenAPI ignores a header parameter `{name}`"),
                        "use `content`, `x-accept` or `security`",
                    );
                }
                if !seen.insert((at.starts_with(&operation.pointer()), name, place)) {
                    self.add("parameter", &at, format!("`{name}` is listed twice"), "remove one");
                }
                if parameter.get("schema").is_none() {
                    self.add("parameter", &at, format!("`{name}` has no schema"), "give it a schema");
                }
            }
        }
        let template: BTreeSet<&str> = template_names(operation.path).collect();
        for missing in template.difference(&in_path) {
            self.add(
                "parameter",
                at,
                format!("`{{{missing}}}` of the path is not described"),
                "add a parameter `in: path`, `required: true`",
            );
        }
        for extra in in_path.difference(&template) {
            self.add(
                "parameter",
                at,
                format!("the parameter `{extra}` is not in the path"),
                "correct its name or the path",
            );
        }
    }

    fn request_body(&mut self, operation: &Operation<'d>, at: &str) {
        let Some(body) = operation.value.get("requestBody") else {
            return;
        };
        let at = join(at, "requestBody");
        let content = deref(self.root, body)
            .and_then(|body| body.get("content"))
            .and_then(Value::as_object);
        let Some(content) = content else { return };
        if content.len() != 1 {
            self.add(
                "media-type",
                &at,
                "a request has one media type",
                "keep the one that the provider documents",
            );
        }
        for (name, media) in content {
            let at = join(&join(&at, "content"), name);
            let form = name == "application/x-www-form-urlencoded";
            if !form && !is_json(name) {
                self.add(
                    "media-type",
                    &at,
                    format!("`{name}` is neither JSON nor a form"),
                    "the generator writes JSON and application/x-www-form-urlencoded",
                );
            }
            if media.get("schema").is_none() {
                self.add("media-type", &at, "a body without schema", "give it a schema");
            }
            if !has_example(media) {
                self.add(
                    "example",
                    &at,
                    "a request body without example",
                    "add one that the provider would accept",
                );
            }
            let schema = media.get("schema").and_then(|schema| deref(self.root, schema));
            for property in media
                .get("encoding")
                .and_then(Value::as_object)
                .into_iter()
                .flatten()
                .map(|(name, _)| name)
            {
                let known = schema
                    .and_then(|schema| schema.get("properties"))
                    .and_then(|all| all.get(property));
                if known.is_none() {
                    self.add(
                        "form",
                        &join(&join(&at, "encoding"), property),
                        format!("the form has no property `{property}`"),
                        "correct the name",
                    );
                }
            }
        }
    }

    fn responses(&mut self, operation: &Operation<'d>, at: &str) {
        let at = join(at, "responses");
        let responses = operation.value.get("responses").and_then(Value::as_object);
        let mut success = Vec::new();
        let mut failure = Vec::new();
        for (status, response) in responses.into_iter().flatten() {
            let at = join(&at, status);
            let Some(response) = deref(self.root, response) else {
                continue;
            };
            let content = response.get("content").and_then(Value::as_object);
            if content.is_some_and(|content| content.len() > 1) {
                self.add(
                    "media-type",
                    &at,
                    "a reply has one media type",
                    "keep the one that is asked for",
                );
            }
            let media = content.and_then(|content| content.iter().next());
            let shape = media.map(|(name, media)| (name.clone(), media.get("schema").cloned()));
            match status.as_bytes().first() {
                Some(b'2') => {
                    if let Some((name, media)) = media
                        && is_json(name)
                        && !has_example(media)
                    {
                        self.add(
                            "example",
                            &at,
                            "a success reply without example",
                            "add one, as the provider shows it",
                        );
                    }
                    success.push(shape);
                }
                Some(b'4' | b'5') => {
                    if status != "4XX" && status != "5XX" {
                        self.add(
                            "error-status",
                            &at,
                            format!("the status `{status}` stands alone"),
                            "describe errors as 4XX and 5XX",
                        );
                    }
                    failure.push(shape);
                }
                Some(b'3') => {
                    if operation.value.get("x-browser") != Some(&Value::Bool(true)) {
                        self.add(
                            "redirect",
                            &at,
                            "a redirect",
                            "only operations with `x-browser: true` redirect",
                        );
                    }
                }
                _ => self.add(
                    "error-status",
                    &at,
                    format!("`{status}` is not used"),
                    "describe success by its status or 2XX, and errors as 4XX and 5XX",
                ),
            }
        }
        if success.windows(2).any(|pair| pair[0] != pair[1]) {
            self.add(
                "success-schema",
                &at,
                "success replies of different schemas",
                "one operation has one success schema, or none: merge them",
            );
        }
        if failure.windows(2).any(|pair| pair[0] != pair[1]) {
            self.add(
                "error-schema",
                &at,
                "error replies of different schemas",
                "one operation has one error schema: merge them",
            );
        }
        if success.is_empty() && operation.value.get("x-browser") != Some(&Value::Bool(true)) {
            self.add(
                "success-schema",
                &at,
                "there is no success reply",
                "describe it, with its status or 2XX",
            );
        }
    }

    fn pagination(&mut self, operation: &Operation<'d>, at: &str) {
        let Some(pagination) = operation.value.get("x-pagination") else {
            return;
        };
        let at = join(at, "x-pagination");
        let reply = success_schema(self.root, operation);
        for key in ["next", "items"] {
            let pointer = pagination.get(key).and_then(Value::as_str).unwrap_or_default();
            if !reply.is_some_and(|schema| resolves(self.root, schema, pointer)) {
                self.add(
                    "pagination",
                    &join(&at, key),
                    format!("`{pointer}` is not in the reply"),
                    "correct the pointer, or describe the field in the reply's schema",
                );
            }
        }
        let style = pagination.get("style").and_then(Value::as_str).unwrap_or_default();
        match pagination.get("parameter").and_then(Value::as_str) {
            Some(parameter) => {
                let known = [operation.item, operation.value]
                    .into_iter()
                    .filter_map(|holder| holder.get("parameters").and_then(Value::as_array))
                    .flatten()
                    .filter_map(|listed| deref(self.root, listed))
                    .any(|known| known.get("name").and_then(Value::as_str) == Some(parameter));
                if !known {
                    self.add(
                        "pagination",
                        &join(&at, "parameter"),
                        format!("the operation has no parameter `{parameter}`"),
                        "correct the name",
                    );
                }
            }
            None if style == "cursor" => self.add(
                "pagination",
                &at,
                "a cursor without `parameter`",
                "name the query parameter that takes it",
            ),
            None => {}
        }
    }

    fn schemas(&mut self) {
        let mut found = Vec::new();
        grammar::walk(&self.document.value, &mut |kind, pointer, object| {
            if kind == Kind::Schema {
                found.push((pointer.to_owned(), object));
            }
        });
        for (at, schema) in found {
            self.schema(&at, schema);
        }
        let named = self.document.get("/components/schemas").and_then(Value::as_object);
        let shared = shared_schemas();
        for name in named.into_iter().flatten().map(|(name, _)| name) {
            let at = join("/components/schemas", name);
            if !is_pascal_case(name) {
                self.add(
                    "schema-name",
                    &at,
                    format!("`{name}` is not PascalCase"),
                    "it is the Rust name users see",
                );
            }
            if shared.contains_key(name) {
                self.add(
                    "schema-name",
                    &at,
                    format!("`{name}` is the name of a shared OAuth schema"),
                    "remove it (it is added by itself), or choose another name",
                );
            }
        }
    }

    fn schema(&mut self, at: &str, schema: &Map<String, Value>) {
        let named_or_property = ["/properties/", "/components/schemas/"]
            .iter()
            .any(|holder| parent(at).ends_with(holder.trim_end_matches('/')));
        if schema.contains_key("$ref") {
            return;
        }
        if named_or_property {
            self.text("description", at, schema, "description");
        }
        if schema.get("additionalProperties") == Some(&Value::Bool(false)) {
            self.add(
                "additional-properties",
                at,
                "the object refuses unknown fields",
                "leave `additionalProperties` out: a provider may add a field",
            );
        }
        let kind = schema.get("type").and_then(Value::as_str).unwrap_or_default();
        let format = schema.get("format").and_then(Value::as_str).unwrap_or_default();
        if kind == "number" && format != "decimal" {
            self.add(
                "decimal",
                at,
                "a number that would become a float",
                "add `format: decimal`",
            );
        }
        if schema.contains_key("enum") && kind != "string" {
            self.add(
                "enum",
                at,
                "an enum of something other than strings",
                "describe it as `type: string`",
            );
        }
        let required: Vec<&str> = schema
            .get("required")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        let properties = schema.get("properties").and_then(Value::as_object);
        for (name, property) in properties.into_iter().flatten() {
            let at = join(&join(at, "properties"), name);
            if required.contains(&name.as_str()) && property.get("nullable") == Some(&Value::Bool(true)) {
                self.add(
                    "nullable",
                    &at,
                    format!("`{name}` is required and nullable"),
                    "make it optional: a null then reads as absent",
                );
            }
            let is_text = property.get("type").and_then(Value::as_str) == Some("string");
            if is_text && SECRETS.contains(&name.as_str()) && property.get("format").is_none_or(|it| it != "password") {
                self.add(
                    "secret",
                    &at,
                    format!("`{name}` would be printed"),
                    "add `format: password`",
                );
            }
        }
        let holds_properties = schema.contains_key("properties") || !schema.contains_key("allOf");
        for name in required {
            if holds_properties && properties.is_none_or(|properties| !properties.contains_key(name)) {
                self.add(
                    "required",
                    &join(at, "required"),
                    format!("`{name}` is required and not described"),
                    "describe the property, or correct its name",
                );
            }
        }
        if schema.get("x-wrapper-key") == Some(&Value::Bool(true)) && properties.is_none_or(Map::is_empty) {
            self.add(
                "wrapper-key",
                at,
                "`x-wrapper-key` on an object without kinds",
                "list the kinds as properties",
            );
        }
    }

    fn oauth(&mut self) {
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

    /// A component that nobody refers to is a type that users see and never meet.
    fn unused_components(&mut self) {
        let mut used = BTreeSet::new();
        grammar::walk(&self.document.value, &mut |_, _, object| {
            if let Some(reference) = object.get("$ref").and_then(Value::as_str) {
                used.insert(reference.to_owned());
            }
        });
        for section in [
            "schemas",
            "responses",
            "parameters",
            "requestBodies",
            "headers",
            "examples",
        ] {
            let at = join("/components", section);
            let named = self.document.get(&at).and_then(Value::as_object);
            for name in named.into_iter().flatten().map(|(name, _)| name.clone()) {
                if !used.contains(&format!("#{at}/{name}")) {
                    self.add(
                        "unused",
                        &join(&at, &name),
                        format!("nothing refers to `{name}`"),
                        "use it or remove it",
                    );
                }
            }
        }
    }
}

/// The schema of an operation's success reply.
#[must_use]
pub fn success_schema<'d>(root: &'d Value, operation: &Operation<'d>) -> Option<&'d Value> {
    let responses = operation.value.get("responses").and_then(Value::as_object)?;
    responses
        .iter()
        .filter(|(status, _)| status.starts_with('2'))
        .filter_map(|(_, response)| {
            deref(root, response)?
                .get("content")?
                .as_object()?
                .values()
                .next()?
                .get("schema")
        })
        .next()
}

/// Whether a JSON pointer names something in what a schema describes.
#[must_use]
pub fn resolves(root: &Value, schema: &Value, pointer: &str) -> bool {
    if pointer.is_empty() {
        return true;
    }
    let Some(rest) = pointer.strip_prefix('/') else {
        return false;
    };
    let (token, rest) = rest.find('/').map_or((rest, ""), |at| (&rest[..at], &rest[at..]));
    let token = token.replace("~1", "/").replace("~0", "~");
    let Some(schema) = deref(root, schema) else {
        return false;
    };
    let parts = ["allOf", "oneOf", "anyOf"];
    let alternatives = parts
        .iter()
        .filter_map(|key| schema.get(key))
        .filter_map(Value::as_array)
        .flatten();
    let named = schema.get("properties").and_then(|all| all.get(&token));
    let item = token.parse::<usize>().ok().and_then(|_| schema.get("items"));
    named.or(item).is_some_and(|schema| resolves(root, schema, rest))
        || alternatives.into_iter().any(|schema| resolves(root, schema, pointer))
}

/// Names of properties that are secrets by their meaning in OAuth.
const SECRETS: [&str; 9] = [
    "access_token",
    "refresh_token",
    "id_token",
    "client_secret",
    "code_verifier",
    "password",
    "registration_access_token",
    "accessToken",
    "refreshToken",
];

fn scopes_of(scheme: &Value) -> BTreeSet<&str> {
    scheme
        .get("flows")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
        .filter_map(|(_, flow)| flow.get("scopes").and_then(Value::as_object))
        .flat_map(|scopes| scopes.keys().map(String::as_str))
        .collect()
}

/// The names between braces in a path.
pub fn template_names(path: &str) -> impl Iterator<Item = &str> {
    path.split('{').skip(1).filter_map(|part| part.split('}').next())
}

/// Whether a media type is JSON: `application/json`, `application/vnd.mx.api.v1+json`.
#[must_use]
pub fn is_json(media_type: &str) -> bool {
    let essence = media_type.split(';').next().unwrap_or_default().trim();
    essence == "application/json" || essence.ends_with("+json")
}

fn has_example(media: &Value) -> bool {
    media.get("example").is_some()
        || media
            .get("examples")
            .and_then(Value::as_object)
            .is_some_and(|examples| !examples.is_empty())
}

fn parent(pointer: &str) -> String {
    pointer.rfind('/').map_or("", |at| &pointer[..at]).to_owned()
}

fn is_snake_case(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_lowercase())
        && name
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
        && !name.contains("__")
        && !name.ends_with('_')
}

fn is_pascal_case(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_uppercase()) && name.chars().all(|c| c.is_ascii_alphanumeric())
}

/// `YYYY-MM-DD`
#[must_use]
pub fn is_date(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let digits = |part: &str, length: usize| part.len() == length && part.chars().all(|c| c.is_ascii_digit());
    matches!(parts.as_slice(), [year, month, day] if digits(year, 4) && digits(month, 2) && digits(day, 2)
        && ("01"..="12").contains(month) && ("01"..="31").contains(day))
}
