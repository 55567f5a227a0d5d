//! The Operation Objects of a document held as `serde_json::Value`, as they are written there; what an operation means is in
//! [`model`](crate::model).

use serde_json::{Map, Value};

use crate::model::METHODS;
use crate::pointer::join;
use crate::reference::deref;

/// One Operation Object with what stands around it.
#[derive(Clone, Copy, Debug)]
pub struct OperationObject<'d> {
    /// The path template.
    pub path: &'d str,
    /// The method in lower case.
    pub method: &'static str,
    /// The path item around it.
    pub item: &'d Map<String, Value>,
    /// The operation object.
    pub value: &'d Map<String, Value>,
}

impl OperationObject<'_> {
    /// JSON pointer to the operation object.
    #[must_use]
    pub fn pointer(&self) -> String {
        join(&join("/paths", self.path), self.method)
    }

    /// `operationId`, or an empty text.
    #[must_use]
    pub fn id(&self) -> &str {
        self.value
            .get("operationId")
            .and_then(Value::as_str)
            .unwrap_or_default()
    }
}

/// The operations of a document, in its order.
#[must_use]
pub fn operations(document: &Value) -> Vec<OperationObject<'_>> {
    let paths = document.get("paths").and_then(Value::as_object);
    let mut found = Vec::new();
    for (path, item) in paths.into_iter().flatten() {
        let Some(item) = item.as_object() else { continue };
        for (key, value) in item {
            let method = METHODS.into_iter().find(|method| method == key);
            if let (Some(method), Some(value)) = (method, value.as_object()) {
                found.push(OperationObject {
                    path,
                    method,
                    item,
                    value,
                });
            }
        }
    }
    found
}

/// The schema of an operation's success reply.
#[must_use]
pub fn success_schema<'d>(root: &'d Value, operation: &OperationObject<'d>) -> Option<&'d Value> {
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

/// The names between braces in a path.
pub fn template_names(path: &str) -> impl Iterator<Item = &str> {
    path.split('{').skip(1).filter_map(|part| part.split('}').next())
}
