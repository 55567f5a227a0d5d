//! Operations of a published document in the forms that the generator reads: one media type each way, one type for all
//! successes and one for all errors, parameters that are texts and lists of texts.
//!
//! Where a document offers several, one is chosen and the others are told. An operation that has no such form cannot be
//! generated, and is told with the reason; nothing is repaired that would change what is sent.

mod bodies;
mod parameters;
mod replies;
mod servers;

pub(crate) use servers::addresses_of;

use crate::dialect::{Loss, Weight};
use crate::grammar::Kind;
use crate::json::Json;
use crate::model::METHODS;
use crate::pointer::join;
use crate::readable::target;
use crate::rebuild::rebuilt;

/// A document whose operations have plain forms.
#[derive(Clone, Debug)]
pub struct Plain {
    /// The document.
    pub root: Json,
    /// What it says no more.
    pub losses: Vec<Loss>,
    /// Operations that have no plain form, each with the reason.
    pub faults: Vec<OperationFault>,
}

/// Why an operation cannot be generated.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{wrong}")]
pub struct OperationFault {
    /// JSON pointer to the operation.
    pub pointer: String,
    /// What is in the way.
    pub wrong: String,
}

/// Brings the operations of a document in OpenAPI 3.0 whose references are [resolved](crate::references::resolved) into plain
/// forms.
///
/// ```
/// use finrail_spec::json::Json;
/// use finrail_spec::plain::plain;
///
/// let document = Json::parse(
///     r#"{"paths":{"/a":{"get":{"parameters":[{"name":"Accept","in":"header","schema":{"type":"string"}}],
///     "responses":{"200":{"description":"It.","content":{"text/csv":{},"application/json":{"schema":{"type":"object"}}}},
///     "default":{"description":"Not."}}}}}}"#,
/// )?;
/// assert_eq!(
///     plain(&document).root.pointer("/paths/~1a/get").map(ToString::to_string).as_deref(),
///     Some(
///         r#"{"responses":{"200":{"description":"It.","content":{"application/json":{"schema":{"type":"object"}}}},
///         "4XX":{"description":"Not."},"5XX":{"description":"Not."}}}"#
///     ).map(|text| text.replace("\n        ", "")).as_deref(),
/// );
/// # Ok::<(), finrail_spec::json::NotJson>(())
/// ```
#[must_use]
pub fn plain(root: &Json) -> Plain {
    let mut work = Work {
        root,
        losses: Vec::new(),
        faults: Vec::new(),
        made: Vec::new(),
    };
    let mut out = rebuilt(Kind::Document, root, "", &mut |kind, object, pointer| match kind {
        Kind::PathItem => Some(work.path(object, pointer)),
        _ => None,
    });
    // A host of each institution's own stays one, where the document is written for it.
    if !crate::own::is_own(root) {
        work.environments(&mut out);
    }
    let Work {
        losses, faults, made, ..
    } = work;
    for (name, schema) in made {
        out.set_pointer(&join("/components/schemas", &name), schema);
    }
    Plain {
        root: out,
        losses,
        faults,
    }
}

struct Work<'d> {
    root: &'d Json,
    losses: Vec<Loss>,
    faults: Vec<OperationFault>,
    /// Schemas that are made here, by their names.
    made: Vec<(String, Json)>,
}

impl<'d> Work<'d> {
    fn lose(&mut self, pointer: &str, weight: Weight, what: impl Into<String>) {
        self.losses.push(Loss {
            pointer: pointer.to_owned(),
            weight,
            what: what.into(),
        });
    }

    fn fault(&mut self, pointer: &str, wrong: impl Into<String>) {
        self.faults.push(OperationFault {
            pointer: pointer.to_owned(),
            wrong: wrong.into(),
        });
    }

    /// One media type is taken; which others there are is told.
    fn one_of(&mut self, offered: &[(String, Json)], taken: &str, pointer: &str, what: &str) {
        let others = offered.iter().map(|(name, _)| name.as_str());
        let others: Vec<&str> = others.filter(|name| *name != taken).collect();
        if !others.is_empty() {
            self.lose(pointer, Weight::Rule, format!("{what} {}", others.join(" or ")));
        }
    }

    /// A path with its operations. What its operations have in common is written out in each.
    fn path(&mut self, item: &Json, pointer: &str) -> Json {
        let path = crate::pointer::keys(pointer).pop().unwrap_or_default();
        let mut out = Vec::new();
        for (name, value) in item.members() {
            if METHODS.contains(&name.as_str()) {
                let at = join(pointer, name);
                out.push((name.clone(), self.operation(item, value, &path, name, &at)));
            } else if !matches!(name.as_str(), "parameters" | "servers") {
                out.push((name.clone(), value.clone()));
            }
        }
        Json::Object(out)
    }

    fn operation(&mut self, item: &Json, operation: &Json, path: &str, method: &str, pointer: &str) -> Json {
        let mut out = operation.clone();
        if matches!(method, "options" | "trace") {
            self.fault(
                pointer,
                format!("it is called with `{}`, which no client sends", method.to_uppercase()),
            );
        }
        if let Some(Json::Object(callbacks)) = out.remove("callbacks").filter(|all| !all.members().is_empty()) {
            let what = format!(
                "`callbacks` ({}): what the provider calls is not described",
                callbacks.len()
            );
            self.lose(pointer, Weight::Meaning, what);
        }
        self.servers(item, &mut out, pointer);
        self.parameters(item, &mut out, path, pointer);
        self.body(&mut out, method, pointer);
        self.replies(&mut out, pointer);
        out
    }

    /// A schema under a name of its own, which begins as it is given.
    fn under_a_name(&mut self, begin: &str, schema: Json) -> Json {
        let is_taken = |work: &Self, name: &str| {
            work.root.at(&["components", "schemas", name]).is_some() || work.made.iter().any(|(known, _)| known == name)
        };
        let mut name = begin.to_owned();
        let mut number = 2;
        while is_taken(self, &name) {
            name = format!("{begin}{number}");
            number += 1;
        }
        self.made.push((name.clone(), schema));
        Json::object([("$ref", Json::str(format!("#/components/schemas/{name}")))])
    }

    /// The schema that a reference leads to, whatever other names it has.
    fn target<'s>(&self, schema: &'s Json) -> &'s Json
    where
        'd: 's,
    {
        target(self.root, schema, "").0
    }
}

#[cfg(test)]
mod tests;
