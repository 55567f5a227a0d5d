//! Which operation a request is for.

use http::Method;

use crate::sandbox::http::decode;
use crate::sandbox::spec::{Operation, Spec};

/// Which of a provider's hosts a request came to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::sandbox) enum Host {
    /// The only one.
    Both,
    /// The one with the resources, where the authorization server has its own.
    Resources,
    /// The authorization server's own.
    Oauth,
}

impl Host {
    /// The one with the resources of a provider.
    pub(in crate::sandbox) fn of_resources(spec: &Spec) -> Self {
        match spec.oauth_prefix() {
            Some(_) => Self::Resources,
            None => Self::Both,
        }
    }

    /// Whether an operation is one of this host's.
    fn has(self, operation: &Operation) -> bool {
        match self {
            Self::Both => true,
            Self::Resources => !operation.is_oauth(),
            Self::Oauth => operation.is_oauth(),
        }
    }
}

pub(super) enum Route<'a> {
    /// With the values of its path parameters.
    Found(&'a Operation, Vec<(String, String)>),
    /// The address is an operation's, the method is not; with the methods that are.
    WrongMethod(&'a Operation, String),
    Unknown,
}

impl<'a> Route<'a> {
    /// Where a request leads that came to this host of a provider; `path` is what follows the host's address.
    pub(super) fn of(spec: &'a Spec, host: Host, path: &str, method: &Method) -> Self {
        let Some(segments) = path.split('/').skip(1).map(decode).collect::<Option<Vec<_>>>() else {
            return Self::Unknown;
        };
        let operations = spec.operations.iter().filter(|o| host.has(o));
        let mut candidates: Vec<(&Operation, Vec<(String, String)>)> =
            operations.filter_map(|o| Some((o, o.matches(&segments)?))).collect();
        let Some(best) = candidates.iter().map(|(o, _)| o.specificity()).max() else {
            return Self::Unknown;
        };
        candidates.retain(|(o, _)| o.specificity() == best);
        // The authorization page posts its form back to itself.
        let takes = |o: &Operation| o.method == method.as_str() || (spec.is_authorize(o) && *method == Method::POST);
        if let Some(at) = candidates.iter().position(|(o, _)| takes(o)) {
            let (operation, values) = candidates.swap_remove(at);
            return Self::Found(operation, values);
        }
        let allowed: Vec<&str> = candidates.iter().map(|(o, _)| o.method.as_str()).collect();
        match candidates.first() {
            Some((operation, _)) => Self::WrongMethod(operation, allowed.join(", ")),
            None => Self::Unknown,
        }
    }

    /// The operation, when address and method are right.
    pub(super) fn found(&self) -> Option<&'a Operation> {
        match self {
            Self::Found(operation, _) => Some(operation),
            Self::WrongMethod(..) | Self::Unknown => None,
        }
    }

    /// The operation whose address it is.
    pub(super) fn operation(&self) -> Option<&'a Operation> {
        match self {
            Self::Found(operation, _) | Self::WrongMethod(operation, _) => Some(operation),
            Self::Unknown => None,
        }
    }
}
