//! Which operation of a document is which of ours.

use std::collections::BTreeSet;

use finrail_spec::operations::{OperationObject, operations};

use super::compared::Compared;
use crate::drift::finding::Class;

impl<'s> Compared<'s> {
    /// Operations by path and method, then by id, then by likeness; what is left over is told.
    pub(super) fn pairs(&mut self) -> Vec<(OperationObject<'s>, OperationObject<'s>)> {
        let ours = operations(&self.spec.bundle);
        let theirs = operations(self.theirs);
        let shape = |path: &str| -> String {
            path.split('/')
                .map(|part| if part.starts_with('{') { "{}" } else { part })
                .collect::<Vec<_>>()
                .join("/")
        };
        let same = |a: &OperationObject<'_>, b: &OperationObject<'_>| {
            a.method == b.method
                && (shape(a.path) == shape(b.path) || shape(a.path) == shape(&self.spec.relative(b.path)))
        };
        let mut pairs = Vec::new();
        let mut taken = BTreeSet::new();
        let mut lost = Vec::new();
        for operation in &ours {
            match theirs.iter().position(|other| same(operation, other)) {
                Some(index) => {
                    taken.insert(index);
                    pairs.push((*operation, theirs[index]));
                }
                None => lost.push(*operation),
            }
        }
        for operation in lost {
            self.operation = operation.id().to_owned();
            self.pointer = operation.pointer();
            self.place = operation.pointer();
            let renamed = theirs.iter().enumerate().find(|(index, other)| {
                !taken.contains(index)
                    && (other.id() == operation.id() && !other.id().is_empty()
                        || self
                            .spec
                            .moved(other.method, other.path, &[])
                            .is_some_and(|it| it.id() == operation.id()))
            });
            let here = format!("{} {}", operation.method.to_uppercase(), operation.path);
            match renamed {
                Some((index, other)) => {
                    taken.insert(index);
                    pairs.push((operation, *other));
                    let there = format!("{} {}", other.method.to_uppercase(), other.path);
                    self.add(
                        "endpoint-moved",
                        Class::WireBreaking,
                        operation.id(),
                        format!("`{here}` is now `{there}`"),
                        "the client asks where nobody answers",
                        "move the operation in the specification",
                    );
                }
                None => self.add(
                    "endpoint-gone",
                    Class::WireBreaking,
                    operation.id(),
                    format!("`{here}` is not in the document"),
                    "the client still calls it",
                    "remove the operation, or accept the finding if the document does not cover it",
                ),
            }
        }
        self.about("/paths");
        for (_, other) in theirs.iter().enumerate().filter(|(index, _)| !taken.contains(index)) {
            let there = format!("{} {}", other.method.to_uppercase(), other.path);
            self.add(
                "endpoint-undescribed",
                Class::Additive,
                &there,
                format!("the document has `{there}`"),
                "the client does not offer it",
                "describe the operation, or accept the finding with a reason",
            );
        }
        pairs
    }
}
