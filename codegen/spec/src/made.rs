//! Values where a specification has no example: made from the schema, the same every time.

use crate::json::Json;
use crate::model::Specification;
use regex_syntax::hir::{Class, Hir, HirKind};
use rust_decimal::Decimal;

/// Deeper than this, only what a schema requires is made.
const SHALLOW: usize = 4;
/// Deeper than this, nothing is: a schema that requires itself has no value.
const DEEPEST: usize = 12;

/// What a server may answer: the schema's example, or a value that fits it, with what is optional.
///
/// ```
/// use finrail_spec::json::Json;
/// use finrail_spec::model::Specification;
///
/// let root = r#"{"openapi":"3.0.3","x-provider":{"id":"own","name":"Own","env_prefix":"OWN"},"paths":{}}"#;
/// let document = Specification::read_as_it_is(Json::parse(root)?).map_err(|faults| format!("{faults:?}"))?;
/// let schema = Json::parse(r#"{"type":"object","properties":{"iban":{"type":"string","pattern":"^SK[0-9]{4}$"}}}"#)?;
/// assert_eq!(finrail_spec::made::reply(&document, &schema).to_string(), r#"{"iban":"SK1111"}"#);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub fn reply(document: &Specification, schema: &Json) -> Json {
    let is_reply = true;
    Making { document, is_reply }.value(schema, "", 0).unwrap_or(Json::Null)
}

/// What a client may send: the schema's example, or a value that fits it, with what is required alone.
#[must_use]
pub fn request(document: &Specification, schema: &Json) -> Json {
    let is_reply = false;
    Making { document, is_reply }.value(schema, "", 0).unwrap_or(Json::Null)
}

struct Making<'d> {
    document: &'d Specification,
    is_reply: bool,
}

impl Making<'_> {
    /// A value for what is called `name`; none where the schema leads into itself.
    fn value(&self, schema: &Json, name: &str, depth: usize) -> Option<Json> {
        if depth > DEEPEST {
            return None;
        }
        let keyword = |keyword: &str| self.document.keyword(schema, keyword);
        if let Some(shown) = keyword("example").or_else(|| keyword("default")) {
            return Some(shown.clone());
        }
        if let Some(first) = keyword("enum").and_then(|values| values.items().first()) {
            return Some(first.clone());
        }
        let properties = self.document.properties(schema);
        match self.document.kind(schema) {
            Some("array") => self.array(schema, name, depth),
            Some("string") => Some(Json::String(self.text(schema, name))),
            Some("integer") => Some(Json::Number(self.integer(schema))),
            Some("number") => Some(Json::Number(self.number(schema))),
            Some("boolean") => Some(Json::Bool(true)),
            _ if !properties.is_empty() => self.object(schema, &properties, depth),
            _ => match keyword("oneOf").or_else(|| keyword("anyOf")).map(Json::items) {
                Some([first, ..]) => self.value(first, name, depth + 1),
                _ => Some(Json::Object(Vec::new())),
            },
        }
    }

    fn object(&self, schema: &Json, properties: &[(&str, &Json)], depth: usize) -> Option<Json> {
        // One key, or one field, names the kind.
        let names_kinds = self.document.keyword(schema, "x-wrapper-key").and_then(Json::as_bool) == Some(true);
        if names_kinds {
            return properties
                .iter()
                .find_map(|(name, kind)| Some(Json::object([(*name, self.value(kind, name, depth + 1)?)])));
        }
        if let Some(tag) = self.document.keyword(schema, "x-tag").and_then(Json::as_str) {
            return properties.iter().find_map(|(kind, member)| {
                let mut value = self.value(member, kind, depth + 1)?;
                value.set(tag, Json::str(*kind));
                Some(value)
            });
        }
        let mut members = Vec::new();
        for (name, property) in properties {
            let is_needed = self.document.requires(schema, name);
            let other_way = if self.is_reply { "writeOnly" } else { "readOnly" };
            if self.document.keyword(property, other_way).and_then(Json::as_bool) == Some(true)
                || (!is_needed && (!self.is_reply || depth >= SHALLOW || is_absent(name)))
            {
                continue;
            }
            match self.value(property, name, depth + 1) {
                Some(value) => members.push(((*name).to_owned(), value)),
                None if is_needed => return None,
                None => {}
            }
        }
        Some(Json::Object(members))
    }

    fn array(&self, schema: &Json, name: &str, depth: usize) -> Option<Json> {
        let least = self.bound(schema, "minItems").unwrap_or(0).min(100);
        let items = self.document.keyword(schema, "items");
        let item = items.and_then(|items| self.value(items, name, depth + 1));
        match (item, least) {
            (Some(item), least) => {
                let most = self.bound(schema, "maxItems").unwrap_or(u64::MAX);
                let count = usize::try_from(least.max(1).min(most)).unwrap_or(1);
                Some(Json::Array(vec![item; count]))
            }
            (None, 0) => Some(Json::Array(Vec::new())),
            (None, _) => None,
        }
    }

    fn bound(&self, schema: &Json, keyword: &str) -> Option<u64> {
        self.document.keyword(schema, keyword).and_then(Json::as_u64)
    }

    /// `keyword` of a schema as it is written.
    fn digits(&self, schema: &Json, keyword: &str) -> Option<String> {
        match self.document.keyword(schema, keyword) {
            Some(Json::Number(digits)) => Some(digits.clone()),
            _ => None,
        }
    }

    fn integer(&self, schema: &Json) -> String {
        let bound = |keyword: &str| self.digits(schema, keyword)?.parse::<i64>().ok();
        let is_without = |keyword: &str| self.document.keyword(schema, keyword).and_then(Json::as_bool) == Some(true);
        let least = bound("minimum").map(|least| least.saturating_add(i64::from(is_without("exclusiveMinimum"))));
        let most = bound("maximum").map(|most| most.saturating_sub(i64::from(is_without("exclusiveMaximum"))));
        let value = 1.max(least.unwrap_or(1)).min(most.unwrap_or(i64::MAX));
        match bound("multipleOf") {
            Some(step) if step > 1 => (value.saturating_add(step - 1) / step * step).to_string(),
            _ => value.to_string(),
        }
    }

    fn number(&self, schema: &Json) -> String {
        let usual = "10.50";
        let read = |text: &str| {
            Decimal::from_str_exact(text)
                .or_else(|_| Decimal::from_scientific(text))
                .ok()
        };
        let is_without = |keyword: &str| self.document.keyword(schema, keyword).and_then(Json::as_bool) == Some(true);
        let is_more = |one: &str, other: &str| read(one).zip(read(other)).is_some_and(|(one, other)| one > other);
        let least = self.digits(schema, "minimum");
        let most = self.digits(schema, "maximum");
        match (least, most) {
            (Some(least), _) if least == usual || is_more(&least, usual) => match read(&least) {
                Some(size) if is_without("exclusiveMinimum") => size.saturating_add(Decimal::ONE).to_string(),
                _ => least,
            },
            (_, Some(most)) if most == usual || is_more(usual, &most) => match read(&most) {
                Some(size) if is_without("exclusiveMaximum") => size.saturating_sub(Decimal::ONE).to_string(),
                _ => most,
            },
            _ => usual.to_owned(),
        }
    }

    fn text(&self, schema: &Json, name: &str) -> String {
        let keyword = |keyword: &str| self.document.keyword(schema, keyword).and_then(Json::as_str);
        if let Some(made) = keyword("pattern").and_then(matching) {
            return made;
        }
        let usual = match keyword("format") {
            Some("date") => "2026-01-15".to_owned(),
            Some("date-time") => "2026-01-15T09:30:00Z".to_owned(),
            Some("time") => "09:30:00Z".to_owned(),
            Some("uuid") => "3f2b6c1e-8a4d-4c55-9f0e-1d2c3b4a5e6f".to_owned(),
            Some("uri" | "url") => "https://bank.example/".to_owned(),
            Some("email") => "somebody@bank.example".to_owned(),
            Some("decimal") => "10.50".to_owned(),
            Some("byte") => "AAAA".to_owned(),
            Some("ipv4") => "127.0.0.1".to_owned(),
            _ => usual(name),
        };
        let most = self
            .bound(schema, "maxLength")
            .and_then(|most| usize::try_from(most).ok());
        let least = self.bound(schema, "minLength").unwrap_or(0).min(4096);
        let mut text: String = usual.chars().take(most.unwrap_or(usize::MAX)).collect();
        while u64::try_from(text.chars().count()).unwrap_or(u64::MAX) < least {
            text.push('x');
        }
        text
    }
}

/// Whether a reply says something by this that is not so: that there are more pages, or that it is an error.
fn is_absent(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    lower.starts_with("next") || ["error", "fault", "exception"].iter().any(|word| lower.contains(word))
}

/// What stands under such a name as a rule.
fn usual(name: &str) -> String {
    let lower = name.to_ascii_lowercase();
    match lower.as_str() {
        _ if lower.contains("currency") => "EUR".to_owned(),
        _ if lower.contains("country") => "SK".to_owned(),
        _ if lower.ends_with("url") || lower.ends_with("uri") || lower.ends_with("href") => {
            "https://bank.example/".to_owned()
        }
        _ if name.is_empty() => "text".to_owned(),
        _ => format!("{name}-1"),
    }
}

/// The shortest text that a pattern takes, as far as it can be made.
fn matching(pattern: &str) -> Option<String> {
    // A longer pattern is none of a field.
    if pattern.len() > 1000 {
        return None;
    }
    let hir = regex_syntax::ParserBuilder::new().build().parse(pattern).ok()?;
    let mut text = String::new();
    write(&hir, &mut text)?;
    Some(text)
}

/// More repetitions of one part are not made.
const MOST: u32 = 256;

fn write(hir: &Hir, text: &mut String) -> Option<()> {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => Some(()),
        HirKind::Literal(literal) => {
            text.push_str(std::str::from_utf8(&literal.0).ok()?);
            Some(())
        }
        HirKind::Class(class) => {
            text.push(letter_of(class)?);
            Some(())
        }
        HirKind::Repetition(repetition) => {
            // A text of one letter looks more like one than an empty text.
            let usual = repetition.min.max(1).min(repetition.max.unwrap_or(u32::MAX));
            (0..usual.min(MOST)).try_for_each(|_| write(&repetition.sub, text))
        }
        HirKind::Capture(capture) => write(&capture.sub, text),
        HirKind::Concat(parts) => parts.iter().try_for_each(|part| write(part, text)),
        HirKind::Alternation(kinds) => write(kinds.first()?, text),
    }
}

/// A letter that people write, where the class has one.
fn letter_of(class: &Class) -> Option<char> {
    let Class::Unicode(class) = class else { return None };
    let is_in = |letter: &char| {
        class
            .ranges()
            .iter()
            .any(|range| (range.start()..=range.end()).contains(letter))
    };
    let usual = ('A'..='Z').chain('1'..='9').chain('a'..='z').chain(['0']);
    usual
        .into_iter()
        .find(is_in)
        .or_else(|| class.ranges().first().map(|range| range.start()))
}

#[cfg(test)]
mod tests {
    #[cfg(feature = "check")]
    use super::matching;
    use super::{reply, request};
    use crate::json::Json;
    use crate::model::Specification;

    fn document(schemas: &str) -> Specification {
        let root = format!(
            r#"{{"openapi":"3.0.3","x-provider":{{"id":"own","name":"Own","env_prefix":"OWN"}},"paths":{{}},
            "components":{{"schemas":{schemas}}}}}"#
        );
        Specification::read_as_it_is(Json::parse(&root).unwrap()).unwrap()
    }

    #[test]
    fn a_value_fits_its_schema() {
        for (schema, value) in [
            (r#"{"type":"string"}"#, r#""text""#),
            (r#"{"type":"string","format":"date"}"#, r#""2026-01-15""#),
            (r#"{"type":"string","format":"decimal"}"#, r#""10.50""#),
            (r#"{"type":"string","maxLength":2}"#, r#""te""#),
            (r#"{"type":"string","minLength":6}"#, r#""textxx""#),
            (r#"{"type":"string","pattern":"^[A-Z]{3}$"}"#, r#""AAA""#),
            (r#"{"type":"string","enum":["b","a"]}"#, r#""b""#),
            (r#"{"type":"string","example":"e","enum":["b"]}"#, r#""e""#),
            (r#"{"type":"integer"}"#, "1"),
            (r#"{"type":"integer","minimum":5,"exclusiveMinimum":true}"#, "6"),
            (r#"{"type":"integer","maximum":-3}"#, "-3"),
            (r#"{"type":"integer","minimum":7,"multipleOf":5}"#, "10"),
            (r#"{"type":"number","format":"decimal"}"#, "10.50"),
            (r#"{"type":"number","format":"decimal","minimum":11}"#, "11"),
            (
                r#"{"type":"number","minimum":10.50000000000000000001}"#,
                "10.50000000000000000001",
            ),
            (r#"{"type":"number","minimum":11,"exclusiveMinimum":true}"#, "12"),
            (r#"{"type":"number","minimum":0,"exclusiveMinimum":true}"#, "10.50"),
            (
                r#"{"type":"number","maximum":10.49999999999999999999}"#,
                "10.49999999999999999999",
            ),
            (r#"{"type":"number","maximum":1e1,"exclusiveMaximum":true}"#, "9"),
            (r#"{"type":"number","maximum":1e400}"#, "10.50"),
            (r#"{"type":"number","format":"decimal","maximum":0.3}"#, "0.3"),
            (r#"{"type":"boolean"}"#, "true"),
            ("{}", "{}"),
            (r#"{"type":"array","items":{"type":"integer"}}"#, "[1]"),
            (r#"{"type":"array","minItems":2,"items":{"type":"integer"}}"#, "[1,1]"),
            (r#"{"type":"array","maxItems":0,"items":{"type":"integer"}}"#, "[]"),
            (
                r#"{"type":"object","properties":{"currency":{"type":"string"},"accountId":{"type":"string"},"pin":{"type":"string","writeOnly":true}}}"#,
                r#"{"currency":"EUR","accountId":"accountId-1"}"#,
            ),
            // A reply that is neither an error nor one of several pages.
            (
                r#"{"type":"object","required":["errors"],"properties":{"nextCursor":{"type":"string"},"errorCode":{"type":"integer"},"errors":{"type":"integer"}}}"#,
                r#"{"errors":1}"#,
            ),
            (
                r#"{"allOf":[{"type":"object","properties":{"a":{"type":"integer"}}},{"type":"object","properties":{"b":{"type":"boolean"}}}]}"#,
                r#"{"a":1,"b":true}"#,
            ),
            (
                r#"{"type":"object","x-wrapper-key":true,"properties":{"one":{"type":"object","properties":{"a":{"type":"integer"}}},"two":{"type":"integer"}}}"#,
                r#"{"one":{"a":1}}"#,
            ),
            (
                r#"{"type":"object","x-tag":"kind","properties":{"card":{"type":"object","properties":{"kind":{"type":"string"}}}}}"#,
                r#"{"kind":"card"}"#,
            ),
            (r#"{"oneOf":[{"type":"integer"},{"type":"string"}]}"#, "1"),
        ] {
            let document = document(&format!(r#"{{"A":{schema}}}"#));
            let found = reply(&document, &document.schemas()[0].1).to_string();
            assert_eq!(found, value, "{schema}");
        }
    }

    #[test]
    fn what_is_sent_has_what_is_required_alone() {
        let document = document(
            r#"{"A":{"type":"object","required":["id","amount"],"properties":{"id":{"type":"string","readOnly":true},
            "amount":{"type":"number"},"note":{"type":"string"}}}}"#,
        );
        assert_eq!(
            request(&document, &document.schemas()[0].1).to_string(),
            r#"{"amount":10.50}"#
        );
    }

    #[test]
    fn a_schema_that_leads_into_itself_ends() {
        let tree = document(
            r##"{"Tree":{"type":"object","required":["name"],"properties":{"name":{"type":"string"},
            "parent":{"$ref":"#/components/schemas/Tree"},"children":{"type":"array","items":{"$ref":"#/components/schemas/Tree"}}}}}"##,
        );
        let value = reply(&tree, &tree.schemas()[0].1);
        assert_eq!(value.get("name").and_then(Json::as_str), Some("name-1"));
        assert!(value.to_string().len() < 2000, "{value}");
        // A value of this cannot be.
        let endless = document(
            r##"{"E":{"type":"object","required":["e"],"properties":{"e":{"$ref":"#/components/schemas/E"}}}}"##,
        );
        assert_eq!(reply(&endless, &endless.schemas()[0].1), Json::Null);
    }

    #[cfg(feature = "check")]
    #[test]
    fn a_text_fits_its_pattern() {
        for pattern in [
            "^[A-Z]{3,3}$",
            r"^\d{1,13}$|^\d{1,13}\.\d{1,5}$",
            "[A-Z]{2,2}[0-9]{2,2}[a-zA-Z0-9]{1,30}",
            "^(Debit|Credit)$",
            r"^[\w-]{1,12}$",
            "^$|^x$",
            "a|b*",
        ] {
            let text = matching(pattern).unwrap();
            // As JSON Schema takes it: somewhere in the text.
            let schema = serde_json::json!({ "pattern": pattern });
            assert!(
                jsonschema::is_valid(&schema, &serde_json::json!(text)),
                "{pattern} {text}"
            );
        }
        assert_eq!(matching("(?=x)y"), None);
    }
}
