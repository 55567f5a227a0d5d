//! The rules of an operation: its names, what it needs, where it comes from, its parameters, its pages.

use std::collections::{BTreeSet, HashSet};

use serde_json::Value;

use super::found::{Rules, parent, scopes_of};
use crate::date::{is_date, of_no_calendar};
use crate::grammar;
use crate::meant::did_you_mean;
use crate::operations::{OperationObject, operations, success_schema, template_names};
use crate::pointer::join;
use crate::reference::deref;

impl<'d> Rules<'d> {
    pub(super) fn operation(&mut self, operation: &OperationObject<'d>) {
        let at = operation.pointer();
        self.identity(operation, &at);
        self.security(operation, &at);
        self.provenance(operation, &at);
        self.parameters(operation, &at);
        self.request_body(operation, &at);
        self.responses(operation, &at);
        self.pagination(operation, &at);
        self.lookup(operation, &at);
        if operation.value.contains_key("servers") || operation.item.contains_key("servers") {
            self.add(
                "server",
                &at,
                "an operation has servers of its own",
                "use `x-client` on the document's servers",
            );
        }
    }

    fn identity(&mut self, operation: &OperationObject<'_>, at: &str) {
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
        for (index, tag) in tags.iter().enumerate() {
            if !declared.iter().any(|known| known.get("name") == Some(tag)) {
                self.add(
                    "tag",
                    &format!("{at}/tags/{index}"),
                    format!(
                        "the tag {tag} is not declared{}",
                        did_you_mean(
                            tag.as_str().unwrap_or_default(),
                            declared.iter().filter_map(|it| it.get("name")?.as_str())
                        )
                    ),
                    "declare it under the document's `tags`, with a description",
                );
            }
        }
    }

    fn security(&mut self, operation: &OperationObject<'_>, at: &str) {
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
                        format!(
                            "the scheme `{name}` does not exist{}",
                            did_you_mean(name, self.names("/components/securitySchemes"))
                        ),
                        "correct the name, or add it under components.securitySchemes",
                    );
                    continue;
                };
                let is_key = scheme.get("type").and_then(Value::as_str) == Some("apiKey");
                if !is_key && !["oauth", "clientBasic", "accessKey", "registrationToken"].contains(&name.as_str()) {
                    self.add(
                        "security",
                        &at,
                        format!("`{name}` is not a name of the vocabulary"),
                        "use oauth, clientBasic, accessKey or registrationToken, or a scheme of type `apiKey`",
                    );
                }
                let known = scopes_of(scheme);
                let listed = scopes.as_array().into_iter().flatten().filter_map(Value::as_str);
                for (index, scope) in listed.enumerate() {
                    if !known.contains(scope) {
                        self.add(
                            "scope",
                            &format!("{at}/{index}"),
                            format!(
                                "the scope `{scope}` is in no flow of `{name}`{}",
                                did_you_mean(scope, known.iter().copied())
                            ),
                            "correct the scope, or describe it under the scheme's flows",
                        );
                    }
                }
            }
        }
    }

    fn provenance(&mut self, operation: &OperationObject<'_>, at: &str) {
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
        self.checked(&at, provenance);
        if provenance
            .get("sources")
            .and_then(Value::as_array)
            .is_none_or(Vec::is_empty)
        {
            self.add("provenance", &at, "there are no `sources`", "name at least one");
        }
    }

    /// The day of a provenance.
    pub(super) fn checked(&mut self, at: &str, provenance: &Value) {
        let day = provenance.get("checked").and_then(Value::as_str).unwrap_or_default();
        if !is_date(day) {
            let what = format!("`checked` is not a day{}", of_no_calendar(day));
            let fix = match of_no_calendar(day).is_empty() {
                true => "write YYYY-MM-DD",
                false => "write a day that the calendar has",
            };
            self.add("provenance", &join(at, "checked"), what, fix);
        }
    }

    /// Of what comes from a repository it is said which state of it was read: the next one may say something else.
    pub(super) fn revisions(&mut self) {
        let mut found = Vec::new();
        grammar::walk(&self.document.value, &mut |_, pointer, object| {
            let sources = object.get("x-provenance").and_then(|it| it.get("sources"));
            let sources = sources.and_then(Value::as_array).into_iter().flatten();
            for (index, source) in sources.enumerate() {
                let source = source.as_str().unwrap_or_default();
                if is_repository_without_revision(source) {
                    found.push((format!("{pointer}/x-provenance/sources/{index}"), source.to_owned()));
                }
            }
        });
        for (at, source) in found {
            self.add(
                "provenance",
                &at,
                format!("`{source}` is a repository, and no state of it is named"),
                "name the commit that was read (`.../tree/0a1b2c3`), or its day (`... (state of YYYY-MM-DD)`)",
            );
        }
    }

    fn parameters(&mut self, operation: &OperationObject<'d>, at: &str) {
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

    fn pagination(&mut self, operation: &OperationObject<'d>, at: &str) {
        let Some(pagination) = operation.value.get("x-pagination") else {
            return;
        };
        let at = join(at, "x-pagination");
        let reply = success_schema(self.root, operation);
        let style = pagination.get("style").and_then(Value::as_str).unwrap_or_default();
        let is_named = matches!(style, "cursor" | "link");
        for (key, is_needed) in [("next", is_named), ("items", true), ("more", false), ("total", false)] {
            let pointer = match pagination.get(key).and_then(Value::as_str) {
                Some(pointer) => pointer,
                None if is_needed => "",
                None => continue,
            };
            if !reply.is_some_and(|schema| resolves(self.root, schema, pointer)) {
                self.add(
                    "pagination",
                    &join(&at, key),
                    format!("`{pointer}` is not in the reply"),
                    "correct the pointer, or describe the field in the reply's schema",
                );
            }
        }
        let is_in_body = pagination.get("in").and_then(Value::as_str) == Some("body");
        match pagination.get("parameter").and_then(Value::as_str) {
            // The generator looks into the body.
            Some(_) if is_in_body => {}
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
            None if style != "link" => self.add(
                "pagination",
                &at,
                format!("pages of style `{style}` without `parameter`"),
                "name what takes the cursor or the number",
            ),
            None => {}
        }
    }

    /// What a look-up reads of a reply is described there. What it calls is checked by the generator.
    fn lookup(&mut self, operation: &OperationObject<'d>, at: &str) {
        let Some(lookup) = operation.value.get("x-lookup") else {
            return;
        };
        let at = join(at, "x-lookup");
        let name = lookup.get("operation").and_then(Value::as_str).unwrap_or_default();
        let called = operations(self.root).into_iter().find(|known| known.id() == name);
        let Some(called) = called else { return };
        let reply = success_schema(self.root, &called);
        let is_described = |pointer: &str| reply.is_some_and(|schema| resolves(self.root, schema, pointer));
        let items = called.value.get("x-pagination").and_then(|paging| paging.get("items"));
        let items = items.and_then(Value::as_str).unwrap_or_default();
        let of_items = lookup.get("same").and_then(Value::as_object).into_iter().flatten();
        let of_items = of_items.map(|(pointer, _)| (join(&join(&at, "same"), pointer), format!("{items}/0{pointer}")));
        let state = lookup.get("state").and_then(Value::as_str);
        let state = state.map(|pointer| (join(&at, "state"), pointer.to_owned()));
        let missing: Vec<(String, String)> = state
            .into_iter()
            .chain(of_items)
            .filter(|(_, pointer)| !is_described(pointer))
            .collect();
        for (at, pointer) in missing {
            self.add(
                "lookup",
                &at,
                format!("`{pointer}` is not in the reply of `{name}`"),
                "correct the pointer, or describe the field in the reply's schema",
            );
        }
    }
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

fn is_snake_case(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_lowercase())
        && name
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
        && !name.contains("__")
        && !name.ends_with('_')
}

const REPOSITORIES: [&str; 7] = [
    "github.com/",
    "raw.githubusercontent.com/",
    "gitlab.com/",
    "bitbucket.org/",
    "codeberg.org/",
    "git.sr.ht/",
    "gitee.com/",
];

/// Whether a source is in a repository and names neither a commit of it nor a day.
fn is_repository_without_revision(source: &str) -> bool {
    let Some((_, path)) = REPOSITORIES.iter().find_map(|host| source.split_once(host)) else {
        return false;
    };
    // Owner and repository may have names that look like a commit.
    let name = |text: &str| text.find(|c: char| !(c.is_ascii_alphanumeric() || "-_.~".contains(c)));
    let Some((_, repository)) = path.split_once('/') else {
        return true;
    };
    let state = name(repository).map_or("", |end| &repository[end..]);
    let has_commit = state.split(|c: char| !c.is_ascii_alphanumeric()).any(is_commit);
    let has_day = state.split(|c: char| !c.is_ascii_digit() && c != '-').any(is_date);
    !has_commit && !has_day
}

/// Whether a word is a commit, whole or shortened as git shortens it.
fn is_commit(word: &str) -> bool {
    let is_hexadecimal = word.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
    (7..=64).contains(&word.len()) && is_hexadecimal && word.bytes().any(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repository_is_named_with_the_state_that_was_read() {
        for (source, is_without) in [
            ("https://docs.bank.example/api", false),
            ("a public client", false),
            ("https://github.com/owner/client", true),
            ("https://github.com/owner", true),
            ("https://github.com/owner/client/", true),
            ("https://github.com/0a1b2c3/4d5e6f7", true),
            ("https://github.com/owner/client/tree/main", true),
            ("https://github.com/owner/client/blob/main/decade/api.yaml", true),
            ("https://github.com/owner/client/tree/0a1b2c3", false),
            (
                "https://github.com/owner/client/blob/8223ea0a6d160952d0091fca84b1e0cdf18b60cf/src/types.ts",
                false,
            ),
            ("https://gitlab.com/owner/client (state of 2026-08-21)", false),
            ("https://gitlab.com/owner/client (state of 2026-13-21)", true),
            ("Go module git.sr.ht/~owner/api", true),
            (
                "Go module git.sr.ht/~owner/api, v0.0.0-20250312101530-0a1b2c3d4e5f",
                false,
            ),
            ("the client at github.com/owner/client, commit 0a1b2c3", false),
        ] {
            assert_eq!(is_repository_without_revision(source), is_without, "{source}");
        }
    }
}
