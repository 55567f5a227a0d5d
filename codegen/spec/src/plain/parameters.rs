//! Parameters: texts and lists of texts, in path, query and header.

use super::Work;
use crate::dialect::Weight;
use crate::json::Json;
use crate::names::is_header_name;

/// Headers that the library writes itself.
const WRITTEN_BY_THE_LIBRARY: [&str; 3] = ["accept", "content-type", "authorization"];

impl Work<'_> {
    /// The parameters of an operation and of its path, in the order of the document. Of two in one place the operation's counts.
    pub(super) fn parameters(&mut self, item: &Json, operation: &mut Json, path: &str, pointer: &str) {
        let own = operation
            .get("parameters")
            .map(Json::items)
            .unwrap_or_default()
            .to_vec();
        let of_path = item.get("parameters").map(Json::items).unwrap_or_default();
        let inherited = of_path
            .iter()
            .filter(|one| !own.iter().any(|mine| key(mine) == key(one)));
        let mut all: Vec<Json> = inherited.cloned().collect();
        for parameter in &own {
            if !all.iter().any(|known| key(known) == key(parameter)) {
                all.push(parameter.clone());
            }
        }
        let mut out = Vec::new();
        for parameter in &all {
            self.parameter(parameter, path, pointer, &mut out);
        }
        for name in names_in(path) {
            if !all
                .iter()
                .any(|one| text(one, "in") == "path" && text(one, "name") == name)
            {
                self.fault(
                    pointer,
                    format!("the path has `{{{name}}}`, and no parameter says what it is"),
                );
            }
        }
        match out.is_empty() {
            true => drop(operation.remove("parameters")),
            false => operation.set("parameters", Json::Array(out)),
        }
    }

    fn parameter(&mut self, parameter: &Json, path: &str, pointer: &str, out: &mut Vec<Json>) {
        // A reference that could not be followed was told as one.
        if parameter.get("$ref").is_some() {
            return;
        }
        let (name, place) = (text(parameter, "name"), text(parameter, "in"));
        let is_required = parameter.get("required").and_then(Json::as_bool) == Some(true);
        match place {
            "header" if WRITTEN_BY_THE_LIBRARY.contains(&name.to_lowercase().as_str()) => return,
            "header" if !is_header_name(name) => {
                return self.without(
                    pointer,
                    is_required,
                    format!("header parameter `{name}`, which no header can be called"),
                );
            }
            "path" if !names_in(path).any(|step| step == name) => {
                return self.lose(
                    pointer,
                    Weight::Rule,
                    format!("path parameter `{name}`, which is not in the path"),
                );
            }
            "path" | "query" | "header" => {}
            "cookie" => return self.without(pointer, is_required, format!("cookie parameter `{name}`")),
            _ => {
                return self.fault(
                    pointer,
                    format!("parameter `{name}` is in `{place}`, which is no place"),
                );
            }
        }
        let mut plain = parameter.clone();
        if place == "path" {
            plain.set("required", Json::Bool(true));
        }
        // What says how it is written is looked at here, and said otherwise.
        let style = plain.remove("style");
        let style = style.as_ref().and_then(Json::as_str).map(str::to_owned);
        let explode = plain.remove("explode").and_then(|explode| explode.as_bool());
        for keyword in ["allowReserved", "allowEmptyValue", "examples"] {
            plain.remove(keyword);
        }
        if plain.get("schema").is_none() {
            let content = plain.remove("content");
            if let Some((media_type, _)) = content.as_ref().and_then(|content| content.members().first()) {
                let what = format!("what parameter `{name}` is made of: it is the text of `{media_type}`");
                self.lose(pointer, Weight::Meaning, what);
            }
            plain.set("schema", a_text());
            out.push(plain);
            return;
        }
        let schema = plain.get("schema").cloned().unwrap_or_default();
        let target = self.target(&schema).clone();
        let kind = target.get("type").and_then(Json::as_str).unwrap_or_default();
        let has_properties = target.get("properties").is_some_and(|all| !all.members().is_empty());
        match (place, kind) {
            ("query", "object") if has_properties => {
                let in_brackets = style.as_deref() == Some("deepObject");
                if !in_brackets && explode == Some(false) {
                    return self.as_text(
                        plain,
                        pointer,
                        name,
                        "its names and values, with commas between them",
                        out,
                    );
                }
                self.spread(&target, name, in_brackets, is_required, pointer, out);
            }
            (_, "object") => self.without(pointer, is_required, format!("parameter `{name}`, a map of any names")),
            ("query", "array") => {
                let items = target
                    .get("items")
                    .map(|items| self.target(items).clone())
                    .unwrap_or_default();
                let is_composite = matches!(items.get("type").and_then(Json::as_str), Some("array" | "object"));
                let between = match between(style.as_deref()) {
                    Some(between) => Some(between),
                    None if explode == Some(false) => Some("commas"),
                    None => None,
                };
                match between {
                    _ if is_composite => self.without(
                        pointer,
                        is_required,
                        format!("parameter `{name}`, a list of lists or objects"),
                    ),
                    Some(between) => {
                        let how = format!("several with {between} between them");
                        self.as_text(plain, pointer, name, &how, out);
                    }
                    None => out.push(plain),
                }
            }
            (_, "array") => {
                let how = format!(
                    "several with {} between them",
                    between(style.as_deref()).unwrap_or("commas")
                );
                self.as_text(plain, pointer, name, &how, out);
            }
            ("path" | "header", _) => {
                match target.get("format").and_then(Json::as_str) {
                    Some("date-time") => {
                        let mut schema = target.clone();
                        schema.remove("format");
                        schema.set("x-lenient", Json::str("date-time"));
                        plain.set("schema", schema);
                    }
                    Some("password") => {
                        let mut schema = target.clone();
                        schema.remove("format");
                        plain.set("schema", schema);
                    }
                    _ => {}
                }
                if matches!(style.as_deref(), Some("label" | "matrix")) {
                    return self.fault(
                        pointer,
                        format!("path parameter `{name}` is written in a style that is not supported"),
                    );
                }
                out.push(plain);
            }
            _ => out.push(plain),
        }
    }

    /// A parameter that cannot be sent: where it must be, neither can the call.
    fn without(&mut self, pointer: &str, is_required: bool, what: String) {
        match is_required {
            true => self.fault(pointer, format!("it needs {what}")),
            false => self.lose(pointer, Weight::Meaning, what),
        }
    }

    /// A list that is written into one text: by the caller.
    fn as_text(&mut self, mut parameter: Json, pointer: &str, name: &str, how: &str, out: &mut Vec<Json>) {
        let what = format!("that parameter `{name}` is a list: it is a text, {how}");
        self.lose(pointer, Weight::Meaning, what);
        let description = text(&parameter, "description");
        let description = match description.is_empty() {
            true => format!("A text: {how}."),
            false => format!("{description} (A text: {how}.)"),
        };
        parameter.set("description", Json::str(description));
        parameter.remove("example");
        parameter.set("schema", a_text());
        out.push(parameter);
    }

    /// An object in a query is a parameter for each of its properties.
    fn spread(
        &mut self,
        object: &Json,
        name: &str,
        in_brackets: bool,
        is_required: bool,
        pointer: &str,
        out: &mut Vec<Json>,
    ) {
        let required = object.get("required").map(Json::items).unwrap_or_default();
        for (property, schema) in object.get("properties").map(Json::members).unwrap_or_default() {
            let wire = match in_brackets {
                true => format!("{name}[{property}]"),
                false => property.clone(),
            };
            let needed = is_required && required.iter().any(|one| one.as_str() == Some(property));
            let target = self.target(schema);
            if matches!(target.get("type").and_then(Json::as_str), Some("object" | "array")) && in_brackets {
                self.without(
                    pointer,
                    needed,
                    format!("parameter `{wire}`, a list or an object in an object"),
                );
                continue;
            }
            if out
                .iter()
                .any(|one| text(one, "name") == wire && text(one, "in") == "query")
            {
                continue;
            }
            let mut parameter = Json::object([("name", Json::str(wire)), ("in", Json::str("query"))]);
            if needed {
                parameter.set("required", Json::Bool(true));
            }
            if let Some(description) = schema.get("description").or_else(|| target.get("description")) {
                parameter.set("description", description.clone());
            }
            parameter.set("schema", schema.clone());
            out.push(parameter);
        }
    }
}

/// What stands between the items of a list that is written in one text, if not commas.
fn between(style: Option<&str>) -> Option<&'static str> {
    match style? {
        "spaceDelimited" => Some("spaces"),
        "pipeDelimited" => Some("`|`"),
        // No style of OpenAPI: what becomes of `tsv` of Swagger 2.0.
        "tabDelimited" => Some("tabs"),
        _ => None,
    }
}

fn a_text() -> Json {
    Json::object([("type", Json::str("string"))])
}

fn text<'j>(json: &'j Json, name: &str) -> &'j str {
    json.get(name).and_then(Json::as_str).unwrap_or_default()
}

/// The names in the braces of a path.
fn names_in(path: &str) -> impl Iterator<Item = &str> {
    path.split('{')
        .skip(1)
        .filter_map(|rest| rest.split_once('}'))
        .map(|(name, _)| name)
}

/// What tells one parameter from another.
fn key(parameter: &Json) -> (&str, &str) {
    (text(parameter, "name"), text(parameter, "in"))
}
