//! What names and patterns of a document suggest and only a person knows: which texts are money, which calls only read, how a
//! caller names its intent, how the next page is asked for.

use finrail_spec::json::Json;
use finrail_spec::model::METHODS;
use finrail_spec::names::snake_case;
use finrail_spec::readable::is_decimal;

/// Something that an overlay may say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposal {
    /// Of what kind it is, in words that follow a number.
    pub kind: &'static str,
    /// JSONPath of what it is about (RFC 9535).
    pub target: String,
    /// What is put there, as JSON, which is YAML too.
    pub update: String,
    /// Why.
    pub why: String,
}

/// Words of a property that is an amount.
const MONEY: [&str; 12] = [
    "amount", "balance", "price", "fee", "fees", "total", "subtotal", "tax", "rate", "cost", "charge", "limit",
];

/// Words of a call that only reads.
const READS: [&str; 9] = [
    "get", "list", "search", "query", "find", "lookup", "retrieve", "read", "fetch",
];

/// Headers by which a caller names its intent.
const IDEMPOTENCY: [&str; 6] = [
    "idempotency-key",
    "x-idempotency-key",
    "paypal-request-id",
    "x-request-idempotency-key",
    "idempotence-key",
    "x-idempotence-key",
];

/// Members of a reply that are about its pages.
const ABOUT_PAGES: [&str; 6] = ["links", "paging", "pagination", "page", "meta", "cursors"];

/// Members of a reply that say whether another page comes.
const MORE: [&str; 4] = ["has_more", "more", "has_next", "has_next_page"];

/// Parameters that take the number of a page.
const PAGES: [&str; 4] = ["page", "page_number", "page_no", "page_index"];

/// Parameters that say how many items come before.
const OFFSETS: [&str; 4] = ["offset", "skip", "start_index", "start"];

/// Parameters that take a cursor.
const CURSORS: [&str; 10] = [
    "cursor",
    "page_token",
    "next_token",
    "continuation_token",
    "starting_after",
    "after",
    "next",
    "offset",
    "page_key",
    "next_page",
];

/// Calls that may be asked again.
const MAY_READ: &str = "calls by POST that may only read";

/// What a document suggests, in its order.
#[must_use]
pub fn proposals(root: &Json) -> Vec<Proposal> {
    let mut found = Vec::new();
    for (path, item) in root.get("paths").map(Json::members).unwrap_or_default() {
        for (method, operation) in item
            .members()
            .iter()
            .filter(|(name, _)| METHODS.contains(&name.as_str()))
        {
            let target = format!("$.paths{}.{method}", step(path));
            of_operation(root, operation, path, method, &target, &mut found);
        }
    }
    of_headers(root, &mut found);
    for section in [&["components", "schemas"][..], &["definitions"]] {
        for (name, schema) in root.at(section).map(Json::members).unwrap_or_default() {
            let target = format!("$.{}{}", section.join("."), step(name));
            of_schema(schema, &target, 0, &mut found);
        }
    }
    for section in HOLDING_SCHEMAS {
        let target = format!("$.{}", section.join("."));
        if let Some(holder) = root.at(section) {
            of_schemas_within(holder, &target, 0, &mut found);
        }
    }
    found
}

/// Where bodies and replies stand whose schemas have no name.
const HOLDING_SCHEMAS: [&[&str]; 5] = [
    &["paths"],
    &["components", "requestBodies"],
    &["components", "responses"],
    &["parameters"],
    &["responses"],
];

/// What the schemas of bodies and replies show that stand in their places.
fn of_schemas_within(holder: &Json, target: &str, depth: usize, found: &mut Vec<Proposal>) {
    if depth > 16 {
        return;
    }
    for (name, value) in holder.members() {
        let here = format!("{target}{}", step(name));
        match name.as_str() {
            "schema" if matches!(value, Json::Object(_)) => of_schema(value, &here, 0, found),
            "example" | "examples" | "x-example" => {}
            _ => of_schemas_within(value, &here, depth + 1, found),
        }
    }
    for (n, item) in holder.items().iter().enumerate() {
        of_schemas_within(item, &format!("{target}[{n}]"), depth + 1, found);
    }
}

/// Headers that most calls must have: one value for a client or a connection, and not for each call.
fn of_headers(root: &Json, found: &mut Vec<Proposal>) {
    let mut counted: Vec<(String, usize)> = Vec::new();
    let mut operations = 0;
    for (_, item) in root.get("paths").map(Json::members).unwrap_or_default() {
        let shared = item.get("parameters").map(Json::items).unwrap_or_default();
        for (_, operation) in item
            .members()
            .iter()
            .filter(|(name, _)| METHODS.contains(&name.as_str()))
        {
            operations += 1;
            let own = operation.get("parameters").map(Json::items).unwrap_or_default();
            let mut names: Vec<&str> = Vec::new();
            for parameter in own.iter().chain(shared).map(|parameter| target_of(root, parameter)) {
                let name = text(parameter, "name");
                let is_needed = parameter.get("required").and_then(Json::as_bool) == Some(true);
                let lower = name.to_lowercase();
                let is_own = IDEMPOTENCY.contains(&lower.as_str())
                    || ["authorization", "accept", "content-type"].contains(&lower.as_str())
                    || lower.ends_with("request-id")
                    || lower.ends_with("interaction-id")
                    || parameter.get("x-given-by-client").is_some();
                if text(parameter, "in") == "header" && is_needed && !is_own && !names.contains(&name) {
                    names.push(name);
                }
            }
            for name in names {
                match counted.iter_mut().find(|(known, _)| known == name) {
                    Some((_, count)) => *count += 1,
                    None => counted.push((name.to_owned(), 1)),
                }
            }
        }
    }
    for (name, count) in counted
        .into_iter()
        .filter(|(_, count)| *count >= 3 && count * 2 >= operations)
    {
        found.push(Proposal {
            kind: "headers that may have one value for each client",
            target: format!("$..[?@.name == '{name}' && @.in == 'header']"),
            update: r#"{ "x-given-by-client": true }"#.to_owned(),
            why: format!(
                "{count} calls must have it; say so if a client or a connection has one value for all of its calls"
            ),
        });
    }
}

/// What a schema shows of its values.
fn shown(schema: &Json) -> impl Iterator<Item = String> {
    let one = ["example", "default", "x-example"]
        .into_iter()
        .filter_map(|keyword| schema.get(keyword));
    let several = schema.get("examples").map(Json::items).unwrap_or_default();
    one.chain(several).filter_map(Json::scalar)
}

/// A step of a JSONPath.
pub(super) fn step(name: &str) -> String {
    format!("['{}']", name.replace('\\', "\\\\").replace('\'', "\\'"))
}

fn text<'j>(json: &'j Json, name: &str) -> &'j str {
    json.get(name).and_then(Json::as_str).unwrap_or_default()
}

/// What a reference leads to.
fn target_of<'j>(root: &'j Json, json: &'j Json) -> &'j Json {
    let mut here = json;
    for _ in 0..32 {
        match here
            .get("$ref")
            .and_then(Json::as_str)
            .and_then(|reference| reference.strip_prefix('#'))
        {
            Some(pointer) => match root.pointer(pointer) {
                Some(target) => here = target,
                None => break,
            },
            None => break,
        }
    }
    here
}

fn of_operation(root: &Json, operation: &Json, path: &str, method: &str, target: &str, found: &mut Vec<Proposal>) {
    let parameters: Vec<&Json> = operation
        .get("parameters")
        .map(Json::items)
        .unwrap_or_default()
        .iter()
        .map(|parameter| target_of(root, parameter))
        .collect();
    let id = snake_case(text(operation, "operationId"));
    let words = format!("{id}_{}", snake_case(path.rsplit('/').next().unwrap_or_default()));
    let reads = words.split('_').find(|word| READS.contains(word));
    if method == "post"
        && operation.get("x-effect").is_none()
        && let Some(word) = reads
    {
        found.push(Proposal {
            kind: MAY_READ,
            target: target.to_owned(),
            update: r#"{ "x-effect": "safe" }"#.to_owned(),
            why: format!("its name has `{word}`; say so only if it changes nothing"),
        });
    }
    let header = parameters.iter().find(|parameter| {
        text(parameter, "in") == "header" && IDEMPOTENCY.contains(&text(parameter, "name").to_lowercase().as_str())
    });
    if let Some(header) = header.filter(|_| operation.get("x-idempotency").is_none() && method != "get") {
        let name = text(header, "name");
        found.push(Proposal {
            kind: "headers that may name the caller's intent",
            target: target.to_owned(),
            update: format!(r#"{{ "x-idempotency": {{ "header": "{name}" }} }}"#),
            why: "say so only if the provider promises to do the same intent once".to_owned(),
        });
    }
    let may_list = method == "get" || (method == "post" && reads.is_some());
    if may_list && operation.get("x-pagination").is_none() {
        of_pages(root, operation, &parameters, target, found);
    }
}

/// A list with a cursor in the reply, or with a link.
fn of_pages(root: &Json, operation: &Json, parameters: &[&Json], target: &str, found: &mut Vec<Proposal>) {
    let replies = operation.get("responses").map(Json::members).unwrap_or_default();
    let Some((_, reply)) = replies.iter().find(|(status, _)| status.starts_with('2')) else {
        return;
    };
    let reply = target_of(root, reply);
    let schema = match reply.get("content").map(Json::members) {
        Some(contents) => contents.first().and_then(|(_, content)| content.get("schema")),
        None => reply.get("schema"),
    };
    let Some(schema) = schema.map(|schema| in_one(root, schema, 0)) else {
        return;
    };
    let schema = &schema;
    let properties = schema.get("properties").map(Json::members).unwrap_or_default();
    let lists: Vec<(&str, &Json)> = properties
        .iter()
        .map(|(name, property)| (name.as_str(), target_of(root, property)))
        .filter(|(_, property)| text(property, "type") == "array")
        .collect();
    // Beside a list of things, one of texts or numbers is about them.
    let of_things = lists.iter().filter(|(_, list)| {
        let item = list.get("items").map(|item| in_one(root, item, 0));
        item.is_some_and(|item| item.get("properties").is_some())
    });
    let of_things: Vec<&str> = of_things.map(|(name, _)| *name).collect();
    let items = match (lists.as_slice(), of_things.as_slice()) {
        ([(one, _)], _) | (_, [one]) => *one,
        _ => return,
    };
    let Some(next) = next_in(root, schema, "", 0) else {
        return of_numbers(root, schema, parameters, items, target, found);
    };
    let is_text = |described: &Json| text(target_of(root, described), "type") == "string";
    let field = snake_case(next.rsplit('/').next().unwrap_or_default());
    // One of the same name before one of another.
    let paired = |names: Vec<&'_ str>| -> Option<String> {
        let fits = |name: &&str| may_take(&snake_case(name), &field);
        let is_same = |name: &&str| bare(&snake_case(name)) == bare(&field);
        let same = names.iter().copied().filter(fits).find(is_same);
        same.or_else(|| names.iter().copied().find(fits)).map(str::to_owned)
    };
    let cursor = parameters
        .iter()
        .filter(|parameter| text(parameter, "in") == "query")
        .filter(|parameter| is_text(parameter.get("schema").unwrap_or(parameter)))
        .map(|parameter| text(parameter, "name"));
    let cursor = paired(cursor.collect());
    let body = operation.get("requestBody").map(|body| target_of(root, body));
    let body = body.and_then(|body| body.get("content")?.members().first()?.1.get("schema"));
    let body = body.map(|schema| target_of(root, schema));
    let sent = body.and_then(|body| {
        let properties = body.get("properties")?.members().iter();
        let texts = properties.filter(|(_, property)| is_text(property));
        paired(texts.map(|(name, _)| name.as_str()).collect())
    });
    let is_link = next.to_lowercase().contains("link")
        || next.to_lowercase().ends_with("/href")
        || next.to_lowercase().contains("url");
    let update = match (cursor, is_link) {
        (_, true) => format!(r#"{{ "x-pagination": {{ "style": "link", "next": "{next}", "items": "/{items}" }} }}"#),
        (Some(parameter), false) => format!(
            r#"{{ "x-pagination": {{ "style": "cursor", "next": "{next}", "parameter": "{parameter}", "items": "/{items}" }} }}"#
        ),
        (None, false) => match sent {
            Some(parameter) => {
                // A page may be asked for again only of a call that reads.
                let effect = match operation.get("x-effect") {
                    Some(_) => "",
                    None => r#""x-effect": "safe", "#,
                };
                found.retain(|one| one.target != target || one.kind != MAY_READ);
                let more = named_in(root, schema, "", &MORE, "boolean", 0);
                let more = more.map(|more| format!(r#", "more": "{more}""#)).unwrap_or_default();
                format!(
                    r#"{{ {effect}"x-pagination": {{ "style": "cursor", "in": "body", "next": "{next}", "parameter": "{parameter}"{more}, "items": "/{items}" }} }}"#
                )
            }
            None => return of_numbers(root, schema, parameters, items, target, found),
        },
    };
    found.push(Proposal {
        kind: "lists that may come in pages",
        target: target.to_owned(),
        update,
        why: "its reply names a next page".to_owned(),
    });
}

/// A schema with the properties of all that its `allOf` names.
fn in_one(root: &Json, schema: &Json, depth: usize) -> Json {
    let mut whole = target_of(root, schema).clone();
    let parts = whole.remove("allOf");
    for part in parts.as_ref().map(Json::items).unwrap_or_default() {
        if depth > 8 {
            break;
        }
        let part = in_one(root, part, depth + 1);
        let mut properties = whole.get("properties").cloned().unwrap_or(Json::Object(Vec::new()));
        for (name, property) in part.get("properties").map(Json::members).unwrap_or_default() {
            properties.set(name, property.clone());
        }
        if !properties.members().is_empty() {
            whole.set("properties", properties);
        }
    }
    whole
}

/// A list whose pages a parameter counts.
fn of_numbers(root: &Json, schema: &Json, parameters: &[&Json], items: &str, target: &str, found: &mut Vec<Proposal>) {
    let of_query = |names: &[&str]| {
        let mut named = parameters.iter().filter(|parameter| text(parameter, "in") == "query");
        named.find(|parameter| names.contains(&snake_case(text(parameter, "name")).as_str()))
    };
    let (style, parameter) = match (of_query(&PAGES), of_query(&OFFSETS)) {
        (Some(parameter), _) => ("page", parameter),
        (None, Some(parameter)) => ("offset", parameter),
        (None, None) => return,
    };
    let described = parameter.get("schema").unwrap_or(parameter);
    let described = target_of(root, described);
    if text(described, "type") != "integer" {
        return;
    }
    let totals: &[&str] = match style {
        "page" => &["total_pages", "page_count", "pages", "last_page"],
        _ => &["total", "total_count", "total_items", "total_results"],
    };
    let mut update = format!(
        r#"{{ "style": "{style}", "parameter": "{}", "items": "/{items}""#,
        text(parameter, "name")
    );
    let first = described.get("default").or_else(|| described.get("minimum"));
    if style == "page" && first.and_then(Json::as_u64) == Some(0) {
        update.push_str(r#", "first": 0"#);
    }
    if let Some(total) = named_in(root, schema, "", totals, "integer", 0) {
        update.push_str(&format!(r#", "total": "{total}""#));
    }
    if let Some(more) = named_in(root, schema, "", &MORE, "boolean", 0) {
        update.push_str(&format!(r#", "more": "{more}""#));
    }
    found.push(Proposal {
        kind: "lists that may come in pages",
        target: target.to_owned(),
        update: format!(r#"{{ "x-pagination": {update} }} }}"#),
        why: format!(
            "its parameter `{}` may count {}; say so only if the first is where the document says",
            text(parameter, "name"),
            if style == "page" { "pages" } else { "items" }
        ),
    });
}

/// JSON pointer to a property of one of these names and of this type, in the reply or in what it says of its pages.
fn named_in(root: &Json, schema: &Json, at: &str, names: &[&str], kind: &str, depth: usize) -> Option<String> {
    if depth > 3 {
        return None;
    }
    let properties = schema.get("properties").map(Json::members).unwrap_or_default();
    let here = |name: &str| format!("{at}/{}", name.replace('~', "~0").replace('/', "~1"));
    let own = properties.iter().find(|(name, property)| {
        names.contains(&snake_case(name).as_str()) && text(target_of(root, property), "type") == kind
    });
    if let Some((name, _)) = own {
        return Some(here(name));
    }
    let mut about = properties
        .iter()
        .filter(|(name, _)| ABOUT_PAGES.contains(&snake_case(name).as_str()));
    about.find_map(|(name, property)| named_in(root, target_of(root, property), &here(name), names, kind, depth + 1))
}

/// What a name of a cursor says besides that it is of the next page.
fn bare(words: &str) -> &str {
    words.strip_prefix("next_").unwrap_or(match words {
        "next" => "",
        other => other,
    })
}

/// Whether a parameter can take what a field of the reply has: an offset is no cursor, and a page is no key.
fn may_take(parameter: &str, field: &str) -> bool {
    if !CURSORS.contains(&parameter) {
        return false;
    }
    let of_its_own = |words: &str| {
        let last = bare(words).rsplit('_').next().unwrap_or_default().to_owned();
        Some(last).filter(|last| ["offset", "page", "key"].contains(&last.as_str()))
    };
    match (of_its_own(parameter), of_its_own(field)) {
        (Some(one), Some(other)) => one == other,
        (None, None) => true,
        // A field that says no more than `next` may be anything of which there is one kind.
        (Some(one), None) => bare(field).is_empty() && one != "offset",
        (None, Some(_)) => false,
    }
}

/// JSON pointer to what names the next page: a text.
fn next_in(root: &Json, schema: &Json, at: &str, depth: usize) -> Option<String> {
    if depth > 3 {
        return None;
    }
    let properties = schema.get("properties").map(Json::members).unwrap_or_default();
    for (name, property) in properties {
        let property = target_of(root, property);
        let here = format!("{at}/{}", name.replace('~', "~0").replace('/', "~1"));
        let words = snake_case(name);
        let is_next = words == "next"
            || words.starts_with("next_")
                && [
                    "cursor", "token", "page", "link", "url", "href", "offset", "key", "after",
                ]
                .iter()
                .any(|word| words.ends_with(word));
        match (property.get("properties"), text(property, "type")) {
            (Some(inner), _) if is_next => return inner.get("href").map(|_| format!("{here}/href")),
            (None, "string" | "") if is_next => return Some(here),
            _ => {}
        }
        if ABOUT_PAGES.contains(&words.as_str())
            && let Some(found) = next_in(root, property, &here, depth + 1)
        {
            return Some(found);
        }
    }
    None
}

/// Names of properties that are secrets, and what a longer name of one ends in.
const SECRETS: [&str; 16] = [
    "password",
    "passwd",
    "passphrase",
    "passcode",
    "pin",
    "pin_code",
    "cvv",
    "cvv2",
    "cvc",
    "otp",
    "secret",
    "client_secret",
    "access_token",
    "refresh_token",
    "api_key",
    "private_key",
];

/// Whether a property of that name is a secret: `newPassword`, `cardPin` and `access_token`, and no `passwordPolicy`.
fn is_secret(words: &str) -> bool {
    SECRETS.iter().any(|secret| {
        let front = words.strip_suffix(secret);
        front.is_some_and(|front| front.is_empty() || front.ends_with('_'))
    })
}

/// Texts that are amounts, and texts that are secrets.
fn of_schema(schema: &Json, target: &str, depth: usize, found: &mut Vec<Proposal>) {
    if depth > 16 {
        return;
    }
    for (name, property) in schema.get("properties").map(Json::members).unwrap_or_default() {
        let target = format!("{target}.properties{}", step(name));
        let words = snake_case(name);
        let is_text =
            text(property, "type") == "string" && property.get("enum").is_none() && property.get("format").is_none();
        if is_text && is_secret(&words) {
            found.push(Proposal {
                kind: "texts that may be secrets",
                target: target.clone(),
                update: r#"{ "format": "password" }"#.to_owned(),
                why: format!("it is called `{name}`; with it the client prints it nowhere"),
            });
        }
        if is_text && let Some(word) = words.split('_').find(|word| MONEY.contains(word)) {
            let pattern = text(property, "pattern");
            let looks_so = pattern.is_empty() || pattern.contains("\\d") || pattern.contains("0-9");
            let is_no_amount = [
                "currency",
                "type",
                "id",
                "code",
                "name",
                "date",
                "time",
                "text",
                "description",
                "words",
                "count",
            ];
            let is_shown_otherwise = shown(property).any(|value| !is_decimal(&value));
            if looks_so && !is_shown_otherwise && !words.split('_').any(|word| is_no_amount.contains(&word)) {
                found.push(Proposal {
                    kind: "texts that may be money",
                    target: target.clone(),
                    update: r#"{ "format": "decimal" }"#.to_owned(),
                    why: match pattern.is_empty() {
                        true => format!("its name has `{word}`; say so only if it is always a number"),
                        false => format!("its name has `{word}`, and its pattern is `{pattern}`"),
                    },
                });
            }
        }
        of_schema(property, &target, depth + 1, found);
    }
    for keyword in ["items", "additionalProperties"] {
        if let Some(inner) = schema.get(keyword) {
            of_schema(inner, &format!("{target}.{keyword}"), depth + 1, found);
        }
    }
    for keyword in ["allOf", "oneOf", "anyOf"] {
        for (n, part) in schema
            .get(keyword)
            .map(Json::items)
            .unwrap_or_default()
            .iter()
            .enumerate()
        {
            of_schema(part, &format!("{target}.{keyword}[{n}]"), depth + 1, found);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is proposed of a list with these parameters and these properties beside its items.
    fn proposed(parameters: &str, properties: &str) -> Vec<String> {
        let document = format!(
            r#"{{"openapi":"3.0.3","paths":{{"/a":{{"get":{{
                "parameters":[{parameters}],
                "responses":{{"200":{{"content":{{"application/json":{{"schema":{{"type":"object","properties":{{
                    "items":{{"type":"array","items":{{"type":"object"}}}}{properties}
                }}}}}}}}}}}}
            }}}}}}}}"#
        );
        #[allow(clippy::unwrap_used)]
        let document = Json::parse(&document).unwrap();
        let found = proposals(&document).into_iter();
        found
            .filter(|one| one.kind == "lists that may come in pages")
            .map(|one| one.update)
            .collect()
    }

    #[test]
    fn a_text_is_proposed_as_money_by_its_name_unless_what_it_shows_is_no_amount() {
        for (name, property, is_proposed) in [
            ("amount", r#"{"type":"string"}"#, true),
            ("feeAmount", r#"{"type":"string","example":"-1.20"}"#, true),
            ("amount", r#"{"type":"string","example":"12.50 EUR"}"#, false),
            ("amount", r#"{"type":"string","examples":["1","1,234.50"]}"#, false),
            ("rate", r#"{"type":"string","default":"1.25%"}"#, false),
            ("amountInWords", r#"{"type":"string"}"#, false),
            ("totalCount", r#"{"type":"string"}"#, false),
        ] {
            let document = format!(
                r#"{{"openapi":"3.0.3","components":{{"schemas":{{"A":{{"type":"object","properties":{{"{name}":{property}}}}}}}}}}}"#
            );
            #[allow(clippy::unwrap_used)]
            let found = proposals(&Json::parse(&document).unwrap());
            let found = found.iter().any(|one| one.kind == "texts that may be money");
            assert_eq!(found, is_proposed, "{name} {property}");
        }
    }

    #[test]
    fn a_cursor_is_proposed_with_a_parameter_that_can_take_it() {
        let query = |name: &str| format!(r#"{{"name":"{name}","in":"query","schema":{{"type":"string"}}}}"#);
        for (names, field, parameter) in [
            (&["cursor"][..], r#""next_cursor":{"type":"string"}"#, Some("cursor")),
            (
                &["pageToken"],
                r#""nextPageToken":{"type":"string"}"#,
                Some("pageToken"),
            ),
            (
                &["starting_after", "cursor"],
                r#""next_cursor":{"type":"string"}"#,
                Some("cursor"),
            ),
            (&["after"], r#""next_cursor":{"type":"string"}"#, Some("after")),
            (&["cursor"], r#""next":{"type":"string"}"#, Some("cursor")),
            (
                &["offset", "cursor"],
                r#""next_cursor":{"type":"string"}"#,
                Some("cursor"),
            ),
            (&["offset"], r#""next_offset":{"type":"string"}"#, Some("offset")),
            (&["page_key"], r#""next_page_key":{"type":"string"}"#, Some("page_key")),
            // What cannot be what the other is.
            (&["offset"], r#""next_cursor":{"type":"string"}"#, None),
            (&["offset"], r#""next":{"type":"string"}"#, None),
            (&["cursor"], r#""next_page":{"type":"string"}"#, None),
            (&["cursor"], r#""next_page":{"type":"integer"}"#, None),
            (&["cursor"], r#""next":{"type":"boolean"}"#, None),
            (&["next_page"], r#""next_cursor":{"type":"string"}"#, None),
            (&["limit"], r#""next_cursor":{"type":"string"}"#, None),
        ] {
            let parameters: Vec<String> = names.iter().map(|name| query(name)).collect();
            let found = proposed(&parameters.join(","), &format!(",{field}"));
            let wanted = parameter.map(|parameter| format!(r#""parameter": "{parameter}""#));
            assert_eq!(
                found.len(),
                usize::from(parameter.is_some()),
                "{names:?} {field}: {found:?}"
            );
            assert!(
                found.iter().zip(wanted).all(|(one, wanted)| one.contains(&wanted)),
                "{found:?}"
            );
        }
        let header = query("cursor").replace("query", "header");
        assert!(proposed(&header, r#","next_cursor":{"type":"string"}"#).is_empty());
    }

    #[test]
    fn amounts_and_secrets_are_proposed_wherever_their_schema_stands() {
        let property = r#"{"type":"object","properties":{"amount":{"type":"string"},"newPassword":{"type":"string"},"passwordPolicy":{"type":"string"},"pin":{"type":"string","format":"password"},"shipping":{"type":"string"}}}"#;
        let content = format!(
            r#"{{"content":{{"application/json":{{"schema":{property},"example":{{"schema":{property}}}}}}}}}"#
        );
        for (document, place) in [
            (
                format!(r#"{{"openapi":"3.0.3","paths":{{"/a":{{"get":{{"responses":{{"200":{content}}}}}}}}}}}"#),
                "$.paths['/a']['get']['responses']['200']['content']['application/json']['schema'].properties",
            ),
            (
                format!(r#"{{"openapi":"3.0.3","paths":{{"/a":{{"post":{{"requestBody":{content}}}}}}}}}"#),
                "$.paths['/a']['post']['requestBody']['content']['application/json']['schema'].properties",
            ),
            (
                format!(r#"{{"openapi":"3.0.3","components":{{"responses":{{"R":{content}}}}}}}"#),
                "$.components.responses['R']['content']['application/json']['schema'].properties",
            ),
            (
                format!(
                    r#"{{"swagger":"2.0","paths":{{"/a":{{"post":{{"parameters":[{{"name":"b","in":"body","schema":{property}}}]}}}}}}}}"#
                ),
                "$.paths['/a']['post']['parameters'][0]['schema'].properties",
            ),
            (
                format!(
                    r#"{{"openapi":"3.0.3","components":{{"schemas":{{"A":{{"type":"object","additionalProperties":{property}}}}}}}}}"#
                ),
                "$.components.schemas['A'].additionalProperties.properties",
            ),
        ] {
            #[allow(clippy::unwrap_used)]
            let document = Json::parse(&document).unwrap();
            let found = proposals(&document).into_iter();
            let found: Vec<(String, String)> = found.map(|one| (one.target, one.update)).collect();
            let wanted = [("amount", "decimal"), ("newPassword", "password")];
            let wanted =
                wanted.map(|(name, format)| (format!("{place}['{name}']"), format!(r#"{{ "format": "{format}" }}"#)));
            assert_eq!(found, wanted, "{document}");
        }
    }

    #[test]
    fn a_cursor_in_the_body_of_what_reads_is_proposed() {
        let document = r#"{"openapi":"3.0.3","paths":{"/orders/NAME":{"post":{
            "requestBody":{"content":{"application/json":{"schema":{"type":"object","properties":{"cursor":{"type":"string"}}}}}},
            "responses":{"200":{"content":{"application/json":{"schema":{"type":"object","properties":{
                "orders":{"type":"array","items":{"type":"object"}},"next_cursor":{"type":"string"},"has_more":{"type":"boolean"}
            }}}}}}
        }}}}"#;
        let proposed = |name: &str| {
            #[allow(clippy::unwrap_used)]
            let document = Json::parse(&document.replace("NAME", name)).unwrap();
            let found = proposals(&document).into_iter();
            found
                .filter(|one| one.kind == "lists that may come in pages")
                .map(|one| one.update)
                .collect::<Vec<_>>()
        };
        let update = r#"{ "x-effect": "safe", "x-pagination": { "style": "cursor", "in": "body", "next": "/next_cursor", "parameter": "cursor", "more": "/has_more", "items": "/orders" } }"#;
        assert_eq!(proposed("search"), [update]);
        // That it only reads is proposed once, and not where it is said.
        let searched = document.replace("NAME", "search");
        for (document, all) in [
            (searched.clone(), vec![update.to_owned()]),
            (
                searched.replacen(r#""post":{"#, r#""post":{"x-effect":"safe","#, 1),
                vec![update.replacen(r#""x-effect": "safe", "#, "", 1)],
            ),
        ] {
            #[allow(clippy::unwrap_used)]
            let found = proposals(&Json::parse(&document).unwrap());
            let found: Vec<String> = found.into_iter().map(|one| one.update).collect();
            assert_eq!(found, all);
        }
        assert_eq!(proposed("close"), <[String; 0]>::default());
    }

    #[test]
    fn pages_that_are_counted_are_proposed_with_what_tells_their_end() {
        let query =
            |name: &str, more: &str| format!(r#"{{"name":"{name}","in":"query","schema":{{"type":"integer"{more}}}}}"#);
        let meta = r#","meta":{"type":"object","properties":{"totalPages":{"type":"integer"},"total_count":{"type":"integer"},"hasMore":{"type":"boolean"}}}"#;
        for (parameters, properties, update) in [
            (
                query("page", ""),
                meta,
                r#"{ "x-pagination": { "style": "page", "parameter": "page", "items": "/items", "total": "/meta/totalPages", "more": "/meta/hasMore" } }"#,
            ),
            (
                query("pageNumber", r#","minimum":0"#),
                "",
                r#"{ "x-pagination": { "style": "page", "parameter": "pageNumber", "items": "/items", "first": 0 } }"#,
            ),
            (
                query("offset", r#","default":0"#),
                meta,
                r#"{ "x-pagination": { "style": "offset", "parameter": "offset", "items": "/items", "total": "/meta/total_count", "more": "/meta/hasMore" } }"#,
            ),
        ] {
            assert_eq!(proposed(&parameters, properties), [update], "{parameters}");
        }
        let next = r#","next_offset":{"type":"integer"}"#;
        assert_eq!(
            proposed(&query("offset", ""), next),
            [r#"{ "x-pagination": { "style": "offset", "parameter": "offset", "items": "/items" } }"#]
        );
        for none in [
            query("limit", ""),
            r#"{"name":"page","in":"query","schema":{"type":"string"}}"#.to_owned(),
            r#"{"name":"page","in":"header","schema":{"type":"integer"}}"#.to_owned(),
        ] {
            assert_eq!(proposed(&none, meta), <[String; 0]>::default(), "{none}");
        }
    }
}
