//! What of a page is what of the specification.

use std::collections::BTreeMap;

use finrail_spec::operations::OperationObject;

use crate::drift::facts::{Fact, Facts, Kind};
use crate::drift::spec::Spec;

/// A waiver for an endpoint covers what belongs to it.
pub(super) fn is_waived(waived: &BTreeMap<Fact, String>, fact: &Fact) -> bool {
    waived.contains_key(fact)
        || fact
            .endpoint
            .as_ref()
            .is_some_and(|endpoint| waived.contains_key(&Fact::new(Kind::Endpoint, endpoint.clone())))
}

/// Which operation each endpoint of a page is.
pub(super) struct Places {
    /// Endpoint to operation id, and whether the path is the one of the specification.
    pub known: BTreeMap<String, (String, bool)>,
}

impl Places {
    pub fn of(spec: &Spec, facts: &Facts) -> Self {
        let endpoints: Vec<&String> = facts
            .keys()
            .filter(|fact| fact.kind == Kind::Endpoint)
            .map(|fact| &fact.name)
            .collect();
        let mut known = BTreeMap::new();
        for endpoint in &endpoints {
            let (method, path) = endpoint.split_once(' ').unwrap_or(("", endpoint));
            if let Some(operation) = spec.matching(method, path) {
                known.insert((*endpoint).clone(), (operation.id().to_owned(), true));
            }
        }
        let taken: Vec<String> = known.values().map(|(id, _)| id.clone()).collect();
        for endpoint in endpoints {
            let (method, path) = endpoint.split_once(' ').unwrap_or(("", endpoint));
            if known.contains_key(endpoint) || method == "URL" {
                continue;
            }
            if let Some(operation) = spec.moved(method, path, &taken) {
                known.insert(endpoint.clone(), (operation.id().to_owned(), false));
            }
        }
        Self { known }
    }

    pub fn operation<'s>(&self, spec: &'s Spec, endpoint: &str) -> Option<OperationObject<'s>> {
        let (id, _) = self.known.get(endpoint)?;
        spec.operation(id)
    }

    /// A fact by what it is about, so that an endpoint's move is one change and not ten.
    pub fn identity(&self, fact: &Fact) -> Fact {
        let place = |endpoint: &String| self.known.get(endpoint).map_or(endpoint.clone(), |(id, _)| id.clone());
        match fact.kind {
            Kind::Endpoint => Fact::new(Kind::Endpoint, place(&fact.name)),
            kind => Fact {
                kind,
                endpoint: fact.endpoint.as_ref().map(place),
                name: fact.name.clone(),
            },
        }
    }
}
