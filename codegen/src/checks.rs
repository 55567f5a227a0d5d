//! What a document as a whole must be, beyond its operations and schemas one by one.

use std::collections::BTreeMap;

use finrail_spec::media_type::BodyKind;
use finrail_spec::model::{Operation, Server};
use finrail_spec::pointer::token;
use finrail_spec::vocabulary::{
    ClientKind, CursorPlace, Effect, Grant, Oauth, Pagination, PaginationStyle, RequestPart,
};

use crate::document::Document;
use crate::error::Error;
use finrail_spec::names::{
    CALLS_TAKEN, METHODS_TAKEN, ident_name, is_header_name, is_keyword, is_scope, is_snake_case, pascal_case,
    snake_case, variant_problem,
};

/// Everything that is wrong with the document as a whole.
pub(crate) fn check(document: &Document) -> Vec<Error> {
    let mut checks = Checks {
        document,
        errors: Vec::new(),
    };
    checks.provider();
    checks.servers();
    checks.scopes();
    checks.operation_names();
    for operation in &document.operations {
        checks.path(operation);
        checks.headers(operation);
        checks.pagination(operation);
        checks.lookup(operation);
        checks.limit(operation);
        checks.proof(operation);
    }
    if let Some(oauth) = &document.oauth {
        checks.oauth(oauth);
    }
    checks.errors
}

struct Checks<'d> {
    document: &'d Document,
    errors: Vec<Error>,
}

const OAUTH: &str = "/components/securitySchemes/oauth/x-oauth";

impl Checks<'_> {
    fn at(&mut self, pointer: &str, reason: impl Into<String>) {
        self.errors.push(self.document.error_at(pointer, reason));
    }

    fn operation(&mut self, id: &str, reason: impl Into<String>) {
        self.errors.push(self.document.error(Some(id), reason));
    }

    fn provider(&mut self) {
        let provider = &self.document.provider;
        if !is_snake_case(&provider.id) || is_keyword(&provider.id) {
            self.at(
                "/x-provider/id",
                format!(
                    "`x-provider.id` is `{}`; it is a module's name, in snake_case",
                    provider.id
                ),
            );
        }
        let prefix = &provider.env_prefix;
        if !is_snake_case(&prefix.to_lowercase()) || *prefix != prefix.to_uppercase() {
            self.at(
                "/x-provider/env_prefix",
                format!("`x-provider.env_prefix` is `{prefix}`; it begins environment variables, as in `MY_BANK`"),
            );
        }
    }

    fn servers(&mut self) {
        let mut environments: Vec<&str> = Vec::new();
        for (n, server) in self.document.servers.iter().enumerate() {
            let pointer = format!("/servers/{n}/url");
            let url = &server.url;
            match &server.environment {
                None if !url.contains('{') => self.at(
                    &pointer,
                    format!("server `{url}` has no `x-environment`; name it, or give the URL a variable where every institution has a host"),
                ),
                Some(_) if url.contains('{') => {
                    self.at(&pointer, format!("server `{url}` has a variable, so it is no `x-environment`; leave that out"));
                }
                _ => {}
            }
            if !url.starts_with("https://") {
                self.at(&pointer, format!("server `{url}` is not https"));
            }
            if url.ends_with('/') {
                self.at(
                    &pointer,
                    format!("server `{url}` ends with a slash, and every path begins with one; leave it out"),
                );
            }
            if let Some(environment) = server
                .environment
                .as_deref()
                .filter(|name| !environments.contains(name))
            {
                environments.push(environment);
                let of_this = |server: &&Server| server.environment.as_deref() == Some(environment);
                if self
                    .document
                    .servers
                    .iter()
                    .filter(of_this)
                    .all(|server| server.client == Some(ClientKind::Oauth))
                {
                    self.at(
                        &pointer,
                        format!(
                            "environment `{environment}` has no server for resources, only one with `x-client: oauth`"
                        ),
                    );
                }
            }
        }
        if let Some(problem) = variant_problem(environments, "rename one") {
            self.at("/servers", format!("`x-environment`: {problem}"));
        }
    }

    fn scopes(&mut self) {
        let unfit: Vec<String> = self
            .document
            .scopes
            .keys()
            .filter(|scope| !is_scope(scope))
            .cloned()
            .collect();
        for scope in unfit {
            let what = format!(
                "scopes: no request can carry `{scope}`: a scope is printable ASCII without spaces, `\"` and `\\`"
            );
            self.at("/components/securitySchemes/oauth/flows", what);
        }
    }

    fn operation_names(&mut self) {
        let mut seen: BTreeMap<String, &str> = BTreeMap::new();
        for Operation { id, method, path, .. } in &self.document.operations {
            let pascal = pascal_case(id);
            if !is_snake_case(id) || id.starts_with('_') {
                self.operation(
                    id,
                    format!(
                        "an `operationId` is a method's name, in snake_case: `{}`",
                        snake_case(id)
                    ),
                );
                continue;
            }
            if is_keyword(id) || METHODS_TAKEN.contains(&id.as_str()) || CALLS_TAKEN.contains(&pascal.as_str()) {
                self.operation(id, "this name is taken by Rust or by the client; name it verb_noun");
            }
            match seen.insert(pascal, id) {
                Some(first) if first == id => {
                    let pointer = format!("/paths/{}/{}/operationId", token(path), method.to_lowercase());
                    let mut error = self.document.error_at(
                        &pointer,
                        "this `operationId` is used twice; every operation has its own",
                    );
                    error.operation = Some(id.clone());
                    self.errors.push(error);
                }
                Some(first) => {
                    self.operation(
                        id,
                        format!("its builder would have the same name as that of `{first}`; rename one"),
                    );
                }
                None => {}
            }
        }
    }

    fn path(&mut self, operation: &Operation) {
        let Operation { id, path, .. } = operation;
        if !path.starts_with('/') {
            self.operation(id, format!("the path `{path}` does not begin with a slash"));
        }
        if path.contains("//") || path.contains(['?', '#']) {
            self.operation(
                id,
                format!("the path `{path}` has an empty segment, a query or a fragment; a path is segments only"),
            );
        }
        let mut open = false;
        let mut empty = true;
        for c in path.chars() {
            match c {
                '{' if !open => (open, empty) = (true, true),
                '}' if open && !empty => open = false,
                '{' | '}' => {
                    open = true;
                    break;
                }
                '/' if open => break,
                _ => empty = false,
            }
        }
        if open {
            self.operation(id, format!("the braces of the path `{path}` do not match"));
        }
    }

    fn headers(&mut self, operation: &Operation) {
        let key = operation.idempotency.iter().map(|idempotency| &idempotency.header);
        let named: Vec<&String> = operation.headers.keys().chain(key).collect();
        for name in named {
            if !is_header_name(name) {
                self.operation(&operation.id, format!("`{name}` is no name of a header"));
            }
        }
        // A call that carries it is repeated, so there must be a way to make it carry it.
        let Some(header) = operation.idempotency.as_ref().map(|idempotency| &idempotency.header) else {
            return;
        };
        let parameters = self.document.parameters(operation);
        let is_parameter = parameters.iter().any(|parameter| {
            let name = parameter["name"].as_str();
            parameter["in"] == "header" && name.is_some_and(|name| name.eq_ignore_ascii_case(header))
        });
        if is_header_name(header) && !is_parameter {
            self.operation(
                &operation.id,
                format!("`x-idempotency.header` is `{header}`, which is no header parameter of it"),
            );
        }
    }

    fn pagination(&mut self, operation: &Operation) {
        let Some(paging) = &operation.pagination else { return };
        let id = operation.id.as_str();
        if operation.effect != Effect::Safe {
            self.operation(
                id,
                "it comes in pages and may change something: each page is a call; write `x-effect: safe` if it only reads, or \
                 leave `x-pagination` out",
            );
        }
        let is_named = matches!(paging.style, PaginationStyle::Cursor | PaginationStyle::Link);
        let (more, total) = (paging.more.as_ref(), paging.total.as_ref());
        let pointers = [("items", Some(&paging.items)), ("more", more), ("total", total)];
        for (key, pointer) in pointers.into_iter().chain([("next", is_named.then_some(&paging.next))]) {
            if let Some(pointer) = pointer.filter(|pointer| !pointer.starts_with('/')) {
                self.operation(
                    id,
                    format!("`x-pagination.{key}` is `{pointer}`; a JSON pointer begins with a slash"),
                );
            }
        }
        let style = match paging.style {
            PaginationStyle::Cursor => "cursor",
            PaginationStyle::Link => "link",
            PaginationStyle::Page => "page",
            PaginationStyle::Offset => "offset",
        };
        let is_counted = matches!(paging.style, PaginationStyle::Page | PaginationStyle::Offset);
        for (key, is_there, is_allowed) in [
            ("next", !paging.next.is_empty(), is_named),
            ("total", total.is_some(), is_counted),
            ("more", more.is_some(), paging.style != PaginationStyle::Link),
            ("first", paging.first != 1, paging.style == PaginationStyle::Page),
            (
                "in",
                paging.place != CursorPlace::Query,
                paging.style == PaginationStyle::Cursor,
            ),
            (
                "parameter",
                paging.parameter.is_some(),
                paging.style != PaginationStyle::Link,
            ),
            (
                "next_is_whole",
                paging.next_is_whole,
                paging.style == PaginationStyle::Link,
            ),
        ] {
            if is_there && !is_allowed {
                self.operation(
                    id,
                    format!("`x-pagination.{key}` says nothing of pages of style `{style}`; leave it out"),
                );
            }
        }
        let Some(name) = &paging.parameter else {
            if paging.style != PaginationStyle::Link {
                self.operation(id, format!("`x-pagination` of style `{style}` needs `parameter`"));
            }
            return;
        };
        if paging.style == PaginationStyle::Link {
            return;
        }
        let (schema, place) = match paging.place {
            CursorPlace::Query => {
                let parameters = self.document.parameters(operation);
                let found = parameters
                    .into_iter()
                    .find(|parameter| parameter["in"] == "query" && parameter["name"] == name.as_str());
                (
                    found.map(|parameter| parameter["schema"].clone()),
                    "query parameter of it",
                )
            }
            CursorPlace::Body => (
                self.document.body_property(operation, name).cloned(),
                "property of its JSON body",
            ),
        };
        let wants_text = paging.style == PaginationStyle::Cursor;
        match schema {
            None => self.operation(id, format!("`x-pagination.parameter` is `{name}`, which is no {place}")),
            Some(schema) if wants_text && schema["type"] != "string" => self.operation(
                id,
                format!("`x-pagination.parameter` is `{name}`, which is no string; a cursor goes back as the text that it came as"),
            ),
            Some(schema) if !wants_text && schema["type"] != "integer" => self.operation(
                id,
                format!("`x-pagination.parameter` is `{name}`, which is no integer; pages of style `{style}` are counted"),
            ),
            Some(_) => {}
        }
    }

    /// The members by which a refusal is known are described, where the form of refusals is.
    fn proof(&mut self, operation: &Operation) {
        let own = &self.document.json["paths"][&operation.path][operation.method.to_lowercase()]["x-error-proof"];
        let described = self.document.error_properties(operation);
        let (false, Some(proof)) = (own.is_null() || described.is_empty(), &operation.error_proof) else {
            return;
        };
        for member in proof
            .members
            .iter()
            .filter(|member| !described.contains(&member.as_str()))
        {
            self.operation(
                &operation.id,
                format!("`x-error-proof.members` has `{member}`, which the schema of its 4XX replies does not have"),
            );
        }
    }

    /// What a limit counts by is a step of the path.
    fn limit(&mut self, operation: &Operation) {
        for name in operation.limit.iter().flat_map(|limit| &limit.by) {
            if !operation.path.split('/').any(|step| step == format!("{{{name}}}")) {
                self.operation(
                    &operation.id,
                    format!("`x-limit.by` has `{name}`, which is no step of the path; leave it out to count by grant"),
                );
            }
        }
    }

    /// Whether what became of a call can be looked up as it says.
    fn lookup(&mut self, operation: &Operation) {
        let Some(lookup) = &operation.lookup else { return };
        let id = operation.id.as_str();
        if operation.effect == Effect::Safe {
            self.operation(
                id,
                "`x-lookup` is for a call that has an effect; this one changes nothing",
            );
        }
        let Some(called) = self
            .document
            .operations
            .iter()
            .find(|known| known.id == lookup.operation)
        else {
            self.operation(
                id,
                format!("`x-lookup.operation` is `{}`, which is no operation", lookup.operation),
            );
            return;
        };
        if called.effect != Effect::Safe || called.method != "GET" || called.is_download() || called.browser {
            self.operation(
                id,
                format!(
                    "`x-lookup.operation` is `{}`, which is no `GET` that changes nothing and answers with JSON",
                    called.id
                ),
            );
        }
        let parameters = self.document.parameters(called);
        let is_there = |place: &str, name: &str| {
            parameters
                .iter()
                .any(|known| known["in"] == place && known["name"] == name)
        };
        let mut reasons = Vec::new();
        for name in lookup.parameters.keys() {
            if !is_there("path", name) && !is_there("query", name) {
                reasons.push(format!(
                    "`x-lookup.parameters` has `{name}`, which is no parameter of `{}`",
                    called.id
                ));
            }
        }
        for parameter in &parameters {
            let name = parameter["name"].as_str().unwrap_or_default();
            let needed = parameter["in"] == "path" || parameter["required"] == true && parameter["in"] == "query";
            if needed && !lookup.parameters.contains_key(name) {
                reasons.push(format!(
                    "`x-lookup.parameters` lacks `{name}`, which `{}` needs",
                    called.id
                ));
            }
        }
        let own = self.document.parameters(operation);
        for parameter in parameters.iter().filter(|known| known["in"] == "header") {
            let name = parameter["name"].as_str().unwrap_or_default();
            let is_made = called.headers.keys().any(|made| made.eq_ignore_ascii_case(name));
            if parameter["required"] == true && !is_made {
                reasons.push(format!(
                    "`x-lookup.operation` is `{}`, which needs the header `{name}`: a look-up does not have it, and it may say whose \
                     payments are looked at; where it is one for all calls of a client, mark it `x-given-by-client`",
                    called.id
                ));
            }
        }
        let sent = |place: &str, name: &str| own.iter().any(|known| known["in"] == place && known["name"] == name);
        for expression in lookup.parameters.values().chain(lookup.same.values()) {
            let known = match RequestPart::read(expression) {
                None => {
                    reasons.push(format!(
                        "`x-lookup` has `{expression}`; write `$request.path.name`, `$request.query.name` or `$request.body#/name`"
                    ));
                    continue;
                }
                Some(RequestPart::Path(name)) => sent("path", name),
                Some(RequestPart::Query(name)) => sent("query", name),
                Some(RequestPart::Body(_)) => {
                    let kind = operation.content_type().and_then(BodyKind::of);
                    matches!(kind, Some(BodyKind::Json | BodyKind::Form))
                }
            };
            if !known {
                reasons.push(format!(
                    "`x-lookup` has `{expression}`, which the call does not send, or not in JSON or a form"
                ));
            }
        }
        if let Some(both) = lookup.settled.iter().find(|state| lookup.rejected.contains(state)) {
            reasons.push(format!("`x-lookup` has `{both}` both as settled and as rejected"));
        }
        if lookup.state.is_none() && !(lookup.settled.is_empty() && lookup.rejected.is_empty()) {
            reasons.push("`x-lookup` names states and not where they stand; give `state`".to_owned());
        }
        let paging = called.pagination.as_ref();
        let is_followed = |paging: &Pagination| {
            matches!(paging.style, PaginationStyle::Cursor | PaginationStyle::Link)
                && paging.place == CursorPlace::Query
                && paging.more.is_none()
        };
        if paging.is_some_and(|paging| !is_followed(paging)) {
            reasons.push(format!(
                "`x-lookup` reads pages of style `cursor`, with the cursor in the query, and `link`; those of `{}` are others",
                called.id
            ));
        }
        let lists = called.pagination.is_some();
        if lists == lookup.same.is_empty() {
            reasons.push(format!(
                "`x-lookup.same` says which items of a list may be the call's work: it is needed where the operation has `x-pagination`, \
                 and only there; `{}` {}",
                called.id,
                if lists { "has it" } else { "has none" }
            ));
        }
        if lists && lookup.state.is_some() {
            reasons.push("`x-lookup.state` is of a single reply; of a list leave it out".to_owned());
        }
        if lookup.unique && lookup.same.is_empty() {
            reasons.push("`x-lookup.unique` says something of `same`, which is empty".to_owned());
        }
        for reason in reasons {
            self.operation(id, reason);
        }
    }

    fn oauth(&mut self, oauth: &Oauth) {
        let known = |id: &String| self.document.operations.iter().any(|operation| operation.id == *id);
        let operations = [
            ("authorize", oauth.operations.authorize.as_ref()),
            ("token", Some(&oauth.operations.token)),
            ("revoke", oauth.operations.revoke.as_ref()),
        ];
        let missing: Vec<_> = operations
            .into_iter()
            .filter_map(|(key, id)| id.filter(|id| !known(id)).map(|id| (key, id)))
            .collect();
        for (key, id) in missing {
            let reason = format!("`x-oauth.operations.{key}` names `{id}`, which is no operation");
            self.at(&format!("{OAUTH}/operations/{key}"), reason);
        }
        if oauth.grants.contains(&Grant::AuthorizationCode) && oauth.operations.authorize.is_none() {
            self.at(
                &format!("{OAUTH}/operations"),
                "`x-oauth.grants` has `authorization_code` but `operations.authorize` is missing",
            );
        }
        if oauth.revocation.is_some() != oauth.operations.revoke.is_some() {
            self.at(
                &format!("{OAUTH}/operations"),
                "`x-oauth.revocation` and `x-oauth.operations.revoke` belong together; one of them is missing",
            );
        }
        let lists = [
            ("scopes_always", oauth.scopes_always.iter().collect::<Vec<_>>()),
            ("scope_templates", oauth.scope_templates.keys().collect()),
        ];
        for (key, scopes) in lists {
            for scope in scopes {
                if !self.document.scopes.contains_key(scope) {
                    self.at(
                        &format!("{OAUTH}/{key}"),
                        format!("`x-oauth.{key}` has `{scope}`, which is in no flow"),
                    );
                }
            }
        }
        for (field, problem) in oauth.unfit_separators(self.document.scopes.keys().map(String::as_str)) {
            self.at(
                &format!("{OAUTH}/{field}"),
                format!("`x-oauth.{field}`: {problem}; write the one character that stands between scopes"),
            );
        }
        for scope in &oauth.scope_template_optional {
            if !oauth.scope_templates.contains_key(scope) {
                self.at(
                    &format!("{OAUTH}/scope_template_optional"),
                    format!("`x-oauth.scope_template_optional` has `{scope}`, which has no template"),
                );
            }
        }
        let mut seen: BTreeMap<String, &str> = BTreeMap::new();
        for field in &oauth.token_reply.extra {
            let name = ident_name(&snake_case(&field.name));
            let pointer = format!("{OAUTH}/token_reply/extra");
            if name.is_empty() {
                self.at(
                    &pointer,
                    format!("`x-oauth.token_reply.extra`: `{}` gives no Rust name", field.name),
                );
            } else if let Some(first) = seen.insert(name.clone(), &field.name) {
                self.at(
                    &pointer,
                    format!(
                        "`x-oauth.token_reply.extra`: `{first}` and `{}` would both be called `{name}`",
                        field.name
                    ),
                );
            }
        }
    }
}
