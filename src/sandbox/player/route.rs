//! Which operation a request is for.

use http::Method;

use super::Player;
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
        match spec.oauth_prefix {
            Some(_) => Self::Resources,
            None => Self::Both,
        }
    }

    /// Whether an operation is one of this host's.
    fn has(self, operation: &Operation) -> bool {
        match self {
            Self::Both => true,
            Self::Resources => operation.client != "oauth",
            Self::Oauth => operation.client == "oauth",
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

impl Player {
    pub(super) fn route(&self, host: Host, path: &str, method: &Method) -> Route<'_> {
        let Some(segments) = path.split('/').skip(1).map(decode).collect::<Option<Vec<_>>>() else {
            return Route::Unknown;
        };
        let operations = self.spec.operations.iter().filter(|o| host.has(o));
        let mut candidates: Vec<(&Operation, Vec<(String, String)>)> =
            operations.filter_map(|o| Some((o, o.matches(&segments)?))).collect();
        let Some(best) = candidates.iter().map(|(o, _)| o.specificity()).max() else {
            return Route::Unknown;
        };
        candidates.retain(|(o, _)| o.specificity() == best);
        // The authorization page posts its form back to itself.
        let takes = |o: &Operation| o.method == method.as_str() || (self.is_authorize(o) && *method == Method::POST);
        if let Some(at) = candidates.iter().position(|(o, _)| takes(o)) {
            let (operation, values) = candidates.swap_remove(at);
            return Route::Found(operation, values);
        }
        let allowed: Vec<&str> = candidates.iter().map(|(o, _)| o.method.as_str()).collect();
        match candidates.first() {
            Some((operation, _)) => Route::WrongMethod(operation, allowed.join(", ")),
            None => Route::Unknown,
        }
    }

    /// Whether this is the authorization endpoint.
    pub(super) fn is_authorize(&self, operation: &Operation) -> bool {
        Some(&operation.id) == self.spec.profile.authorize_operation.as_ref()
    }
}
