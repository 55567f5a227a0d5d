//! What of a page is what of the specification.

use std::collections::BTreeMap;

use finrail_spec::operations::OperationObject;

use crate::drift::facts::{Fact, Facts, Kind, Waived};
use crate::drift::spec::Spec;

/// A waiver for an endpoint covers what belongs to it, unless it says which operation is meant.
pub(super) fn is_waived(waived: &Waived, fact: &Fact) -> bool {
    let endpoint = fact.endpoint.as_ref();
    let with_endpoint = endpoint.and_then(|endpoint| waived.get(&Fact::new(Kind::Endpoint, endpoint.clone())));
    waived.contains_key(fact) || with_endpoint.is_some_and(|waiver| waiver.operation().is_none())
}

/// Which operation each endpoint of a page is.
pub(super) struct Places {
    /// Endpoint to operation id, and whether the path is the one of the specification.
    pub known: BTreeMap<String, (String, bool)>,
}

impl Places {
    pub fn of(spec: &Spec, facts: &Facts, waived: &Waived) -> Self {
        let meant = |endpoint: &String| waived.get(&Fact::new(Kind::Endpoint, endpoint.clone()))?.operation();
        let endpoints: Vec<&String> = facts
            .keys()
            .filter(|fact| fact.kind == Kind::Endpoint)
            .map(|fact| &fact.name)
            .collect();
        let mut known = BTreeMap::new();
        for endpoint in &endpoints {
            let (method, path) = endpoint.split_once(' ').unwrap_or(("", endpoint));
            let shown = || spec.matching(method, path).map(|operation| operation.id().to_owned());
            if let Some(id) = meant(endpoint).map(str::to_owned).or_else(shown) {
                known.insert((*endpoint).clone(), (id, true));
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
