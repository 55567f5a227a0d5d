//! Which operation of a document is which of ours.

use std::collections::BTreeSet;

use finrail_spec::normal::LeftOut;
use finrail_spec::operations::{OperationObject, operations};
use finrail_spec::pointer::keys;

use super::compared::Compared;
use super::endpoints::{named_by_flows, same_address};
use crate::drift::address::Address;
use crate::drift::finding::Class;

/// What a document says of our operations.
#[derive(Default)]
pub(super) struct Paired<'s> {
    /// Operations of ours with theirs.
    pub pairs: Vec<(OperationObject<'s>, OperationObject<'s>)>,
    /// Endpoints of the authorization server that are in the document by their addresses alone.
    pub named: Vec<String>,
    /// How many resources are in the document under their own paths.
    pub in_place: usize,
    /// Operations that the document does not describe.
    pub uncovered: Vec<String>,
}

impl<'s> Compared<'s> {
    /// Operations by path and method, then by id, then by likeness; what is left over is told. `left_out`: operations of the
    /// document that are not in what is compared.
    pub(super) fn pairs(&mut self, left_out: &[LeftOut]) -> Paired<'s> {
        let ours = operations(self.ours);
        let theirs = operations(self.theirs);
        let same = |a: &OperationObject<'_>, b: &OperationObject<'_>| a.method == b.method && self.same_path(a, b.path);
        let mut found = Paired::default();
        let mut taken = BTreeSet::new();
        let mut lost = Vec::new();
        for operation in &ours {
            match theirs.iter().position(|other| same(operation, other)) {
                Some(index) => {
                    taken.insert(index);
                    found.pairs.push((*operation, theirs[index]));
                    found.in_place += usize::from(!is_of_the_authorization_server(operation));
                }
                None => lost.push(*operation),
            }
        }
        let has_endpoints = found.pairs.iter().any(|(ours, _)| is_of_the_authorization_server(ours));
        for operation in lost {
            self.operation = operation.id().to_owned();
            self.pointer = operation.pointer();
            self.place = operation.pointer();
            if self.is_unread(&operation, left_out) {
                continue;
            }
            let mut free = theirs.iter().enumerate().filter(|(index, _)| !taken.contains(index));
            let has_its_name = |other: &OperationObject<'_>| other.id() == operation.id() && !other.id().is_empty();
            let by_name = free.clone().find(|(_, other)| has_its_name(other));
            if by_name.is_none() && self.is_named(&operation) {
                found.named.push(operation.id().to_owned());
                continue;
            }
            let is_like = |other: &OperationObject<'_>| {
                let moved = self.spec.moved(other.method, other.path, &[]);
                moved.is_some_and(|it| it.id() == operation.id())
            };
            let renamed = by_name.or_else(|| free.find(|(_, other)| is_like(other)));
            let here = format!("{} {}", operation.method.to_uppercase(), operation.path);
            // Documents describe resources; of the authorization server they may have nothing but its flows.
            let is_beside = is_of_the_authorization_server(&operation) && !has_endpoints;
            match renamed {
                Some((index, other)) => {
                    taken.insert(index);
                    found.pairs.push((operation, *other));
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
                None if !self.complete || is_beside => found.uncovered.push(operation.id().to_owned()),
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
        found
    }

    /// Whether a path is that of an operation of ours, whatever its variables are called, and with or without the base.
    pub(super) fn same_path(&self, ours: &OperationObject<'_>, path: &str) -> bool {
        let ours = shape(ours.path);
        ours == shape(path) || ours == shape(&self.spec.relative(path))
    }

    /// An operation that the document has, and that cannot be read there, is told as that.
    fn is_unread(&mut self, operation: &OperationObject<'_>, left_out: &[LeftOut]) -> bool {
        let is_it = |pointer: &str| match keys(pointer).as_slice() {
            [paths, path, rest @ ..] => {
                paths == "paths"
                    && rest.first().is_none_or(|method| method == operation.method)
                    && self.same_path(operation, path)
            }
            _ => false,
        };
        let not_made = left_out.iter().filter(|one| is_it(&one.pointer));
        let mut reasons: Vec<String> = not_made.flat_map(|one| one.reasons.clone()).collect();
        let (_, theirs) = self.read;
        let unread = theirs.unread.iter().filter(|(pointer, _)| is_it(pointer));
        reasons.extend(unread.flat_map(|(_, why)| why.clone()));
        if reasons.is_empty() {
            return false;
        }
        let here = format!("{} {}", operation.method.to_uppercase(), operation.path);
        self.add(
            "operation-unread",
            Class::Unhandled,
            operation.id(),
            format!("`{here}` is in the document and was not read: {}", reasons.join("; ")),
            "what it is now is not known",
            "compare the two by eye",
        );
        true
    }

    /// Whether the document names the address of an endpoint of the authorization server.
    fn is_named(&self, operation: &OperationObject<'_>) -> bool {
        if !is_of_the_authorization_server(operation) {
            return false;
        }
        let named = named_by_flows(self.theirs);
        self.spec.bases(operation).any(|base| {
            let mut here = base;
            here.path = format!("{}{}", here.path.trim_end_matches('/'), operation.path);
            named.iter().any(|there| same_address(&here, &Address::read(there)))
        })
    }
}

pub(super) fn is_of_the_authorization_server(operation: &OperationObject<'_>) -> bool {
    operation.value.get("x-client").and_then(serde_json::Value::as_str) == Some("oauth")
}

/// A path whose variables have no names.
pub(super) fn shape(path: &str) -> String {
    path.split('/')
        .map(|part| if part.starts_with('{') { "{}" } else { part })
        .collect::<Vec<_>>()
        .join("/")
}
