//! One provider, played: a request comes in, a reply goes out.

mod access;
mod authorization;
mod bank;
mod intents;
mod registration;
mod resources;
mod route;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http::Method;

pub(super) use self::route::Host;

use self::intents::Intents;
use self::route::Route;
use super::authority::Authority;
use super::clock::Clock;
use super::error::error_reply;
use super::fault::{Fault, Trouble};
use super::html;
use super::http::{RawRequest, Reply};
use super::particular::Particular;
use super::providers::particular;
use super::recorded::{Log, RecordedRequest};
use super::refused::{Refused, refused};
use super::resource::Store;
use super::spec::{Operation, Schemas, Spec, SpecError};

/// One provider with its memory.
pub(super) struct Player {
    pub(super) spec: Spec,
    particular: &'static dyn Particular,
    schemas: Schemas,
    state: Mutex<State>,
    clock: Arc<Clock>,
    /// `http://127.0.0.1:PORT`
    origin: String,
}

pub(super) struct State {
    pub(super) authority: Authority,
    pub(super) store: Store,
    pub(super) user: String,
    pub(super) requests: Log,
    pub(super) faults: Vec<Fault>,
    intents: Intents,
}

impl State {
    /// The fault that this request meets, which is used up a little by that.
    fn next_fault(&mut self, operation: Option<&str>, raw: &RawRequest) -> Option<Fault> {
        let is_met = |fault: &mut Fault| fault.concerns(operation, raw) && !fault.lets_pass();
        let at = self.faults.iter_mut().position(is_met)?;
        let fault = self.faults.get(at).cloned();
        if self.faults.get_mut(at).is_some_and(Fault::use_up) {
            self.faults.remove(at);
        }
        fault
    }
}

/// What goes back over the wire.
pub(super) struct Outcome {
    pub(super) reply: Reply,
    pub(super) trouble: Option<Trouble>,
}

impl Player {
    /// Plays a specification under this origin.
    pub(super) fn new(bundle: &str, origin: &str, clock: Arc<Clock>) -> Result<Self, SpecError> {
        let spec = Spec::read(bundle)?;
        let state = State {
            authority: Authority::default(),
            store: Store::new(&spec),
            user: String::new(),
            requests: Log::default(),
            faults: Vec::new(),
            intents: Intents::default(),
        };
        Ok(Self {
            particular: particular(spec.id()),
            schemas: Schemas::new(&spec)?,
            spec,
            state: Mutex::new(state),
            clock,
            origin: origin.to_owned(),
        })
    }

    /// Its memory. A panic elsewhere does not make it unusable.
    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Address of the resources.
    pub(super) fn base(&self) -> String {
        format!("{}/{}{}", self.origin, self.spec.id(), self.spec.prefix())
    }

    /// Address of the authorization server.
    pub(super) fn oauth_base(&self) -> String {
        match self.spec.oauth_prefix() {
            Some(prefix) => format!("{}/{}-oauth{prefix}", self.origin, self.spec.id()),
            None => self.base(),
        }
    }

    /// Answers a request; `path` is what follows the base address.
    pub(super) fn handle(&self, host: Host, path: &str, raw: &RawRequest) -> Outcome {
        let route = Route::of(&self.spec, host, path, &raw.method);
        let operation = route.found();
        let fault = self.meet(operation, path, raw);
        let instead = fault
            .as_ref()
            .and_then(|fault| fault.instead(|status| self.error(operation, status, "this was asked for")));
        let reply = instead.unwrap_or_else(|| {
            let reply = self.answer(host, route, raw);
            match &fault {
                Some(fault) => fault.spoil(&self.spec, operation, reply),
                None => reply,
            }
        });
        Outcome {
            reply,
            trouble: fault.and_then(|fault| fault.trouble()),
        }
    }

    /// Records a request that a client sent; the fault that it meets.
    fn meet(&self, operation: Option<&Operation>, path: &str, raw: &RawRequest) -> Option<Fault> {
        let operation = operation.map(|operation| operation.id.as_str());
        let mut state = self.state();
        if !raw.is_browser {
            state.requests.push(RecordedRequest::new(raw, path, operation));
        }
        state.next_fault(operation, raw)
    }

    fn answer(&self, host: Host, route: Route<'_>, raw: &RawRequest) -> Reply {
        let reply = match route {
            Route::Found(operation, _) if self.spec.is_authorize(operation) => self.authorize(operation, raw),
            Route::Found(operation, _) if operation.is_oauth() => self.oauth(operation, raw),
            Route::Found(operation, values) => self.resource(operation, values, raw),
            Route::WrongMethod(operation, allowed) => self
                .error(Some(operation), 405, &format!("this address takes {allowed}"))
                .with("allow", allowed),
            // No endpoint of the authorization server answers here, but the web server around it.
            Route::Unknown if host == Host::Oauth => {
                Reply::html(404, html::message("Not found", "There is nothing at this address."))
            }
            Route::Unknown => self.error(None, 404, "there is nothing at this address"),
        };
        match raw.header("x-request-id") {
            Some(id) => reply.with("x-request-id", id.to_owned()),
            None => reply,
        }
    }

    /// A refusal of a request that is not looked at any further, in the form of the address it came to.
    pub(super) fn refuse(&self, host: Host, path: &str, method: &Method, status: u16, why: &str) -> Reply {
        self.error(Route::of(&self.spec, host, path, method).operation(), status, why)
    }

    /// An error in the provider's own form.
    pub(super) fn error(&self, operation: Option<&Operation>, status: u16, message: &str) -> Reply {
        self.refused(operation, &refused(status, message))
    }

    fn refused(&self, operation: Option<&Operation>, refused: &Refused) -> Reply {
        error_reply(&self.spec, self.particular, operation, refused)
    }
}
