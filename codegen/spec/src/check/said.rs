//! What a JSON Schema finds wrong, so that a person can put it right: every word that is allowed, the name that was meant,
//! and the key that is wrong instead of what is around it.

use std::collections::BTreeMap;

use jsonschema::error::{ValidationError, ValidationErrorKind};
use serde_json::Value;

use crate::meant::did_you_mean;
use crate::pointer::join;

/// Tells an error of a schema: pointers and messages. `schema` is the root of what was validated against.
pub(super) fn say(error: &ValidationError<'_>, schema: &Value, report: &mut dyn FnMut(&str, String)) {
    let at = error.instance_path().as_str();
    match error.kind() {
        ValidationErrorKind::OneOfNotValid { context } | ValidationErrorKind::AnyOf { context } => {
            match one_of_words(context) {
                Some((at, words)) => report(&at, words.say()),
                None => deepest(error, context, schema, report),
            }
        }
        ValidationErrorKind::Enum { .. } | ValidationErrorKind::Constant { .. } => match Words::of(error) {
            Some(words) => report(at, words.say()),
            None => report(at, brief(error)),
        },
        ValidationErrorKind::AdditionalProperties { unexpected } => {
            let known = names_beside(schema, error.schema_path().as_str());
            for key in unexpected {
                let meant = did_you_mean(key, known.iter().copied());
                report(&join(at, key), format!("`{key}` means nothing here{meant}"));
            }
        }
        ValidationErrorKind::Required { property } => {
            let name = property.as_str().unwrap_or_default();
            report(at, format!("there is no `{name}`, which is required"));
        }
        _ => report(at, brief(error)),
    }
}

/// The message without a copy of half the document.
pub(crate) fn brief(error: &ValidationError<'_>) -> String {
    let message = match Words::of(error) {
        Some(words) => words.say(),
        None => error.to_string(),
    };
    if message.chars().count() <= 200 {
        return message;
    }
    error.masked_with("the value").to_string()
}

/// The names that an object may have, by the place of the keyword that refused another one.
fn names_beside<'s>(schema: &'s Value, keyword: &str) -> Vec<&'s str> {
    let around = keyword.rfind('/').map(|at| &keyword[..at]).unwrap_or_default();
    let named = schema.pointer(around).and_then(|it| it.get("properties"));
    let named = named.and_then(Value::as_object).into_iter().flatten();
    named.map(|(name, _)| name.as_str()).collect()
}

/// A word, and those of which it is none.
struct Words {
    found: Value,
    allowed: Vec<Value>,
}

impl Words {
    fn of(error: &ValidationError<'_>) -> Option<Self> {
        let allowed = match error.kind() {
            ValidationErrorKind::Enum { options } => options.as_array()?.clone(),
            ValidationErrorKind::Constant { expected_value } => vec![expected_value.as_ref().clone()],
            _ => return None,
        };
        let found = error.instance().clone().into_owned();
        Some(Self { found, allowed })
    }

    fn say(&self) -> String {
        let allowed: Vec<String> = self.allowed.iter().map(shown).collect();
        let of = if allowed.len() == 1 { "not" } else { "none of" };
        let near = did_you_mean(
            self.found.as_str().unwrap_or_default(),
            self.allowed.iter().filter_map(Value::as_str),
        );
        format!("{} is {of} {}{near}", shown(&self.found), allowed.join(", "))
    }
}

fn shown(value: &Value) -> String {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    match text.char_indices().nth(60) {
        Some((end, _)) => format!("`{}..`", &text[..end]),
        None => format!("`{text}`"),
    }
}

/// The words of all branches together, where every branch wants another word in the same place.
fn one_of_words(branches: &[Vec<ValidationError<'_>>]) -> Option<(String, Words)> {
    let meant: Vec<&Vec<ValidationError<'_>>> = branches.iter().filter(|branch| is_meant(branch)).collect();
    let alone = meant.len() == 1;
    let mut all: Option<BTreeMap<String, Words>> = None;
    for branch in meant {
        let places = words_of(branch);
        if places.is_empty() || alone && places.len() < branch.len() {
            return None;
        }
        all = Some(match all {
            None => places,
            Some(mut before) => {
                before.retain(|at, _| places.contains_key(at));
                for (at, words) in places {
                    if let Some(known) = before.get_mut(&at) {
                        known.allowed.extend(words.allowed);
                    }
                }
                before
            }
        });
    }
    let (at, mut words) = all?.into_iter().next()?;
    let mut seen = Vec::new();
    words.allowed.retain(|word| {
        let new = !seen.contains(word);
        seen.push(word.clone());
        new
    });
    Some((at, words))
}

/// A branch that is neither `null` nor a reference.
fn is_meant(branch: &[ValidationError<'_>]) -> bool {
    !branch.iter().all(|error| match error.kind() {
        ValidationErrorKind::Required { property } => property == "$ref",
        ValidationErrorKind::Type { .. } => true,
        _ => false,
    })
}

fn words_of(branch: &[ValidationError<'_>]) -> BTreeMap<String, Words> {
    let mut places = BTreeMap::new();
    for error in branch {
        let found = match error.kind() {
            ValidationErrorKind::OneOfNotValid { context } | ValidationErrorKind::AnyOf { context } => {
                one_of_words(context)
            }
            _ => Words::of(error).map(|words| (error.instance_path().as_str().to_owned(), words)),
        };
        places.extend(found);
    }
    places
}

/// Most objects of OpenAPI are "this or a reference", and "neither fits" helps
/// nobody: the branch whose complaint lies deepest is the one that was meant.
fn deepest(
    error: &ValidationError<'_>,
    branches: &[Vec<ValidationError<'_>>],
    schema: &Value,
    report: &mut dyn FnMut(&str, String),
) {
    let depth = |branch: &Vec<ValidationError<'_>>| {
        let deepest = branch
            .iter()
            .map(|error| error.instance_path().as_str().matches('/').count());
        let reference = branch
            .iter()
            .any(|error| matches!(error.kind(), ValidationErrorKind::Required { property } if property == "$ref"));
        (!reference, deepest.max().unwrap_or(0))
    };
    match branches
        .iter()
        .filter(|branch| !branch.is_empty())
        .max_by_key(|branch| depth(branch))
    {
        Some(branch) => branch.iter().for_each(|error| say(error, schema, report)),
        None => report(error.instance_path().as_str(), brief(error)),
    }
}
