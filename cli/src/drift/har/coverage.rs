//! How much of a specification a recording shows.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::seen::Seen;
use crate::drift::finding::Coverage;
use crate::drift::spec::Spec;

impl Seen<'_> {
    pub(super) fn coverage(&self, exchanges: usize) -> Coverage {
        let calls: Vec<_> = self.spec.calls().into_iter().filter(|call| !call.browser).collect();
        let unseen: Vec<&str> = calls
            .iter()
            .filter(|call| !self.exercised.contains_key(&call.id))
            .map(|call| call.id.as_str())
            .collect();
        let mut parameters = (0, 0);
        let mut fields = (0, 0);
        let mut statuses: BTreeMap<u64, usize> = BTreeMap::new();
        for call in &calls {
            let Some(operation) = self.spec.operation(&call.id) else {
                continue;
            };
            let exercised = self.exercised.get(&call.id);
            let listed = operation
                .value
                .get("parameters")
                .and_then(Value::as_array)
                .map_or(0, |listed| {
                    listed
                        .iter()
                        .filter(|parameter| parameter.get("in") == Some(&json!("query")))
                        .count()
                });
            parameters.1 += listed;
            let all = self
                .spec
                .success(&operation)
                .map(|schema| fields_of(self.spec, schema, "reply", 0))
                .unwrap_or_default();
            fields.1 += all.len();
            if let Some(exercised) = exercised {
                parameters.0 += exercised.parameters.len().min(listed);
                fields.0 += exercised.fields.intersection(&all).count();
                for status in &exercised.statuses {
                    *statuses.entry(*status).or_default() += 1;
                }
            }
        }
        let mut lines = vec![format!(
            "{exchanges} exchanges; {} of {} operations, {} of {} query parameters, {} of {} reply fields",
            calls.len() - unseen.len(),
            calls.len(),
            parameters.0,
            parameters.1,
            fields.0,
            fields.1
        )];
        if !statuses.is_empty() {
            let statuses: Vec<String> = statuses
                .iter()
                .map(|(status, count)| format!("{status} on {count} operations"))
                .collect();
            lines.push(format!("statuses: {}", statuses.join(", ")));
        }
        if !unseen.is_empty() {
            lines.push(format!("never called: {}", unseen.join(", ")));
        }
        if self.elsewhere > 0 {
            lines.push(format!("{} exchanges with other hosts were left out", self.elsewhere));
        }
        lines.push(format!(
            "{} replies were read, {} of them of success",
            self.replies, self.successes
        ));
        if !self.unread.is_empty() {
            lines.push(format!("replies that were not read: {}", self.reasons().join("; ")));
        }
        if !self.unsent.is_empty() {
            let reasons: Vec<String> = self
                .unsent
                .iter()
                .map(|(why, count)| format!("{count} {why}"))
                .collect();
            lines.push(format!("requests that were not read: {}", reasons.join("; ")));
        }
        for (path, count) in &self.missing {
            lines.push(format!("{path}: answered with 404, {count} times"));
        }
        Coverage { lines }
    }
}

/// Every field that a reply may have, to a depth that ends recursion.
fn fields_of(spec: &Spec, schema: &Value, path: &str, depth: usize) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    if depth > 8 {
        return found;
    }
    let schema = spec.deref(schema);
    for (name, property) in schema
        .get("properties")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
    {
        let at = format!("{path}.{name}");
        found.extend(fields_of(spec, property, &at, depth + 1));
        found.insert(at);
    }
    if let Some(items) = schema.get("items") {
        found.extend(fields_of(spec, items, &format!("{path}[]"), depth + 1));
    }
    for part in schema.get("allOf").and_then(Value::as_array).into_iter().flatten() {
        found.extend(fields_of(spec, part, path, depth + 1));
    }
    found
}
