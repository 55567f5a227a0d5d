//! One provider: a request comes in, a reply goes out.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http::Method;

use crate::sandbox::authority::{Access, Authority, AuthorizationRequest, Client, Refusal, Stop};
use crate::sandbox::clock::Clock;
use crate::sandbox::fault::{Fault, Trouble};
use crate::sandbox::http::{Call, Reply, decode, pairs};
use crate::sandbox::json::Json;
use crate::sandbox::recorded::{Log, RecordedRequest};
use crate::sandbox::request::Reader;
use crate::sandbox::resource::store::{Context, Store};
use crate::sandbox::spec::schema::Schemas;
use crate::sandbox::spec::{Content, Operation, Segment, Spec, SpecError};
use crate::sandbox::{html, particular};

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

/// One provider with its memory.
pub(in crate::sandbox) struct Provider {
    pub(in crate::sandbox) spec: Spec,
    schemas: Schemas,
    state: Mutex<State>,
    clock: Arc<Clock>,
    /// `http://127.0.0.1:PORT`
    origin: String,
}

pub(in crate::sandbox) struct State {
    pub(in crate::sandbox) authority: Authority,
    pub(in crate::sandbox) store: Store,
    pub(in crate::sandbox) user: String,
    pub(in crate::sandbox) requests: Log,
    pub(in crate::sandbox) faults: Vec<Fault>,
}

impl State {
    /// The fault that this request meets, which is used up a little by that.
    fn next_fault(&mut self, operation: Option<&str>, call: &Call) -> Option<Fault> {
        let is_met = |fault: &mut Fault| fault.concerns(operation, call) && !fault.lets_pass();
        let at = self.faults.iter_mut().position(is_met)?;
        let fault = self.faults.get(at).cloned();
        if self.faults.get_mut(at).is_some_and(Fault::use_up) {
            self.faults.remove(at);
        }
        fault
    }
}

/// What goes back over the wire.
pub(in crate::sandbox) struct Outcome {
    pub(in crate::sandbox) reply: Reply,
    pub(in crate::sandbox) trouble: Option<Trouble>,
}

impl Provider {
    /// Plays a specification under this origin.
    pub(in crate::sandbox) fn new(bundle: &str, origin: &str, clock: Arc<Clock>) -> Result<Self, SpecError> {
        let spec = Spec::read(bundle)?;
        let state = State {
            authority: Authority::default(),
            store: Store::new(&spec),
            user: String::new(),
            requests: Log::default(),
            faults: Vec::new(),
        };
        Ok(Self {
            schemas: Schemas::new(&spec)?,
            spec,
            state: Mutex::new(state),
            clock,
            origin: origin.to_owned(),
        })
    }

    /// Its memory. A panic elsewhere does not make it unusable.
    pub(in crate::sandbox) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Address of the resources.
    pub(in crate::sandbox) fn base(&self) -> String {
        format!("{}/{}{}", self.origin, self.spec.id, self.spec.prefix)
    }

    /// Address of the authorization server.
    pub(in crate::sandbox) fn oauth_base(&self) -> String {
        match &self.spec.oauth_prefix {
            Some(prefix) => format!("{}/{}-oauth{prefix}", self.origin, self.spec.id),
            None => self.base(),
        }
    }

    /// Address of the pages of the user's bank; an id follows.
    pub(in crate::sandbox) fn bank(&self) -> String {
        format!("{}/{}-bank/", self.origin, self.spec.id)
    }

    /// The page on which a user agrees to what has this id.
    pub(in crate::sandbox) fn at_the_bank(&self, id: &str, call: &Call) -> Outcome {
        let outcome = |reply| Outcome { reply, trouble: None };
        let now = self.clock.now();
        let mut state = self.state();
        particular::pass_time(&self.spec, &mut state.store, now);
        let is_open = state
            .store
            .find_mut("consent_id", id)
            .iter()
            .any(|record| record.id == id && particular::is_open(record));
        if !is_open {
            let text = "There is no consent here that waits for you.";
            return outcome(Reply::html(404, html::message(&self.spec.name, text)));
        }
        let form = pairs(&call.body);
        let decision = form
            .iter()
            .find(|(name, _)| name == "decision")
            .map(|(_, value)| value.as_str());
        let end = match decision.filter(|_| call.method == Method::POST) {
            Some("allow") => particular::decided(&self.spec, &mut state.store, id, true, now),
            Some("deny") => particular::decided(&self.spec, &mut state.store, id, false, now),
            _ => return outcome(Reply::html(200, html::bank(&self.spec))),
        };
        outcome(match end {
            Some(url) => Reply::redirect(url),
            None => Reply::html(
                200,
                html::message(&self.spec.name, "Done. The return address cannot be opened."),
            ),
        })
    }

    /// Answers a request; `path` is what follows the base address.
    pub(in crate::sandbox) fn handle(&self, host: Host, path: &str, call: &Call) -> Outcome {
        let found = self.route(host, path, &call.method);
        let operation = match &found {
            Route::Found(operation, _) => Some(*operation),
            _ => None,
        };
        let fault = {
            let mut state = self.state();
            if !call.is_browser {
                let request = RecordedRequest::new(call, path, operation.map(|o| o.id.as_str()));
                state.requests.push(request);
            }
            state.next_fault(operation.map(|o| o.id.as_str()), call)
        };
        if let Some(reply) = fault.as_ref().and_then(|fault| fault.instead(&self.spec, operation)) {
            return Outcome {
                reply,
                trouble: fault.and_then(|fault| fault.trouble()),
            };
        }
        let mut reply = match found {
            Route::Found(operation, _) if Some(&operation.id) == self.spec.profile.authorize_operation.as_ref() => {
                self.authorize(operation, call)
            }
            Route::Found(operation, _) if operation.client == "oauth" => self.oauth(operation, call),
            Route::Found(operation, values) => self.resource(operation, values, call),
            Route::WrongMethod(operation, allowed) => self
                .error(Some(operation), 405, &format!("this address takes {allowed}"))
                .with("allow", allowed),
            // No endpoint of the authorization server answers here, but the web server around it.
            Route::Unknown if host == Host::Oauth => {
                Reply::html(404, html::message("Not found", "There is nothing at this address."))
            }
            Route::Unknown => self.error(None, 404, "there is nothing at this address"),
        };
        if let Some(id) = call.header("x-request-id") {
            reply = reply.with("x-request-id", id.to_owned());
        }
        if let Some(fault) = &fault {
            reply = fault.spoil(&self.spec, operation, reply);
        }
        Outcome {
            reply,
            trouble: fault.and_then(|fault| fault.trouble()),
        }
    }

    /// A refusal of a request that is not looked at any further, in the form of the address it came to.
    pub(in crate::sandbox) fn refuse(&self, host: Host, path: &str, method: &Method, status: u16, why: &str) -> Reply {
        let operation = match self.route(host, path, method) {
            Route::Found(operation, _) | Route::WrongMethod(operation, _) => Some(operation),
            Route::Unknown => None,
        };
        self.error(operation, status, why)
    }

    fn route(&self, host: Host, path: &str, method: &Method) -> Route<'_> {
        let Some(segments) = path.split('/').skip(1).map(decode).collect::<Option<Vec<_>>>() else {
            return Route::Unknown;
        };
        let mut candidates: Vec<(&Operation, Vec<(String, String)>)> = self
            .spec
            .operations
            .iter()
            .filter(|o| match host {
                Host::Both => true,
                Host::Resources => o.client != "oauth",
                Host::Oauth => o.client == "oauth",
            })
            .filter_map(|o| Some((o, o.matches(&segments)?)))
            .collect();
        let Some(best) = candidates.iter().map(|(o, _)| o.specificity()).max() else {
            return Route::Unknown;
        };
        candidates.retain(|(o, _)| o.specificity() == best);
        let is_authorize = |o: &Operation| Some(&o.id) == self.spec.profile.authorize_operation.as_ref();
        let at = candidates
            .iter()
            // The authorization page posts its form back to itself.
            .position(|(o, _)| o.method == method.as_str() || (is_authorize(o) && *method == Method::POST));
        match at {
            Some(at) => {
                let (operation, values) = candidates.swap_remove(at);
                Route::Found(operation, values)
            }
            None => {
                let allowed: Vec<&str> = candidates.iter().map(|(o, _)| o.method.as_str()).collect();
                let allowed = allowed.join(", ");
                // There is one: all candidates are as specific as the best.
                let first = candidates.into_iter().next();
                first.map_or(Route::Unknown, |(operation, _)| Route::WrongMethod(operation, allowed))
            }
        }
    }

    // --- the authorization server

    fn authorize(&self, operation: &Operation, call: &Call) -> Reply {
        let mut state = self.state();
        let state = &mut *state;
        let query = call.query_pairs();
        let request = {
            let store = &state.store;
            let exists = |name: &str, value: &str| store.exists(name, value);
            state
                .authority
                .authorization_request(&self.spec, operation, &query, &exists)
        };
        let mut request = match request {
            Ok(request) => request,
            Err(Stop::Back(url)) => return Reply::redirect(url),
            Err(Stop::Here(refusal)) => {
                return match call.header("accept") {
                    Some(accept) if !accept.contains("text/html") && accept.contains("json") => self.refusal(&refusal),
                    _ => Reply::html(400, html::refusal(&self.spec, &refusal)),
                };
            }
        };
        if call.method == Method::GET {
            return self.ask(state, &request, None);
        }
        let form = pairs(&call.body);
        let field = |name: &str| form.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str());
        match field("decision") {
            Some("allow") => {
                let user = field("username").unwrap_or_default();
                let known = state.authority.password(user);
                if known.is_none() || known != field("password") {
                    return self.ask(state, &request, Some("The user name or the password is wrong."));
                }
                let profile = &self.spec.profile;
                let is_chosen = |scope: &str| form.iter().any(|(n, v)| n == "scope" && v == scope);
                if field("choice").is_some() && !request.keep(profile, is_chosen) {
                    // Who allows nothing of what was asked for refuses.
                    return Reply::redirect(Authority::refuse(profile, &request));
                }
                let now = self.clock.now();
                for binding in &request.bindings {
                    particular::approved(&self.spec, &mut state.store, binding, now);
                }
                Reply::redirect(state.authority.allow(&request, user, now))
            }
            Some("deny") => Reply::redirect(Authority::refuse(&self.spec.profile, &request)),
            _ => self.ask(state, &request, Some("Choose Allow or Deny.")),
        }
    }

    fn ask(&self, state: &State, request: &AuthorizationRequest, complaint: Option<&str>) -> Reply {
        let password = state.authority.password(&state.user).unwrap_or_default();
        let status = if complaint.is_some() { 400 } else { 200 };
        Reply::html(
            status,
            html::consent(&self.spec, request, &state.user, password, complaint),
        )
    }

    fn oauth(&self, operation: &Operation, call: &Call) -> Reply {
        let profile = &self.spec.profile;
        let mut state = self.state();
        if operation.id == profile.token_operation {
            return match state.authority.token(&self.spec, call, self.clock.now()) {
                Ok(reply) => Reply::json(200, "application/json", reply)
                    .with("cache-control", "no-store")
                    .with("pragma", "no-cache"),
                Err(refusal) => self.refusal(&refusal),
            };
        }
        if Some(&operation.id) == profile.revoke_operation.as_ref() {
            return match state.authority.revoke(&self.spec, call) {
                Ok(()) => Reply::empty(profile.revocation_status),
                Err(refusal) => self.refusal(&refusal),
            };
        }
        self.error(Some(operation), 404, "the sandbox does not play this endpoint")
    }

    /// RFC 6749 section 5.2.
    fn refusal(&self, refusal: &Refusal) -> Reply {
        let body = Json::object([
            ("error", Json::str(&refusal.code)),
            ("error_description", Json::str(&refusal.description)),
        ]);
        let reply = Reply::json(refusal.status, "application/json", body).with("cache-control", "no-store");
        match refusal.status {
            401 => reply.with("www-authenticate", format!("Basic realm=\"{}\"", self.spec.id)),
            _ => reply,
        }
    }

    // --- the resources

    fn resource(&self, operation: &Operation, values: Vec<(String, String)>, call: &Call) -> Reply {
        let now = self.clock.now();
        let mut state = self.state();
        let state = &mut *state;
        particular::pass_time(&self.spec, &mut state.store, now);
        if call.is_repeated("authorization") {
            return self.error(Some(operation), 400, "the header Authorization is there twice");
        }
        let caller = match self.caller(&state.authority, operation, &values, call, now) {
            Ok(caller) => caller,
            Err(reply) => return *reply,
        };
        if let Some((status, why)) = particular::refuses_header(&self.spec, &call.headers) {
            return self.error(Some(operation), status, why);
        }
        let reader = Reader {
            spec: &self.spec,
            schemas: &self.schemas,
        };
        let request = match reader.read(operation, values, call) {
            Ok(request) => request,
            Err(misfit) => return self.error(Some(operation), misfit.status, &misfit.message),
        };
        let context = Context {
            spec: &self.spec,
            schemas: &self.schemas,
            base: &self.base(),
            bank: &self.bank(),
            now,
            client: &caller.client,
            other_user: caller.user.as_deref().filter(|user| *user != state.user),
        };
        let mut reply = match state.store.answer(&context, operation, &request) {
            Ok(reply) => reply,
            Err(refused) => {
                return error_reply(
                    &self.spec,
                    Some(operation),
                    refused.status,
                    refused.code,
                    &refused.message,
                );
            }
        };
        if operation.method == "DELETE"
            && let Some((Segment::Parameter(name), value)) =
                operation.segments.last().zip(request.path.last().map(|(_, v)| v))
        {
            state.authority.end_bound(name, value);
        }
        if let Some(json) = &mut reply.json {
            self.relocate(json);
        }
        if operation.client == "registration" {
            self.registered(&mut state.authority, operation, request.path_value("client_id"), &reply);
        }
        reply
    }

    /// Links to the real hosts lead here.
    fn relocate(&self, json: &mut Json) {
        match json {
            Json::String(text) => {
                for (server, is_oauth) in &self.spec.servers {
                    if let Some(rest) = text.strip_prefix(server.as_str()).filter(|rest| rest.starts_with('/')) {
                        let base = if *is_oauth { self.oauth_base() } else { self.base() };
                        *text = format!("{base}{rest}");
                        return;
                    }
                }
            }
            Json::Array(items) => items.iter_mut().for_each(|item| self.relocate(item)),
            Json::Object(members) => members.iter_mut().for_each(|(_, value)| self.relocate(value)),
            _ => {}
        }
    }

    /// Who calls, by one of the schemes that the operation accepts.
    fn caller(
        &self,
        authority: &Authority,
        operation: &Operation,
        values: &[(String, String)],
        call: &Call,
        now: u64,
    ) -> Result<Caller, Box<Reply>> {
        if operation.security.is_empty() || operation.security.iter().any(Vec::is_empty) {
            return Ok(Caller::default());
        }
        if operation.accepts("accessKey")
            && let Some(key) = call.basic()
        {
            return match authority.client_of_key(&key) {
                Some(client) => Ok(Caller {
                    client: client.id.clone(),
                    user: None,
                }),
                None => Err(Box::new(self.unauthorized(
                    operation,
                    "Basic",
                    None,
                    "the access key is wrong",
                ))),
            };
        }
        if operation.accepts("registrationToken") {
            return match call.bearer() {
                Some(token) if authority.is_registration_token(token) => Ok(Caller::default()),
                Some(_) => {
                    let why = "the registration token is wrong";
                    Err(Box::new(self.unauthorized(
                        operation,
                        "Bearer",
                        Some("invalid_token"),
                        why,
                    )))
                }
                None => Err(Box::new(self.unauthorized(
                    operation,
                    "Bearer",
                    None,
                    "the registration token is missing",
                ))),
            };
        }
        let Some(token) = call.bearer() else {
            return Err(Box::new(self.unauthorized(
                operation,
                "Bearer",
                None,
                "the access token is missing",
            )));
        };
        let Some(access) = authority.access(token, now) else {
            let why = "the access token is unknown, expired or revoked";
            return Err(Box::new(self.unauthorized(
                operation,
                "Bearer",
                Some("invalid_token"),
                why,
            )));
        };
        self.check_access(operation, values, &access).map_err(Box::new)?;
        Ok(Caller {
            client: access.grant.client,
            user: access.grant.user,
        })
    }

    fn check_access(&self, operation: &Operation, values: &[(String, String)], access: &Access) -> Result<(), Reply> {
        let needed = operation.scopes().unwrap_or_default();
        if let Some(missing) = needed.iter().find(|scope| !access.scopes.contains(scope)) {
            let challenge = format!(
                "Bearer realm=\"{}\", error=\"insufficient_scope\", scope=\"{}\"",
                self.spec.id,
                needed.join(" ")
            );
            let why = format!("the access token does not have the scope {missing}");
            return Err(self
                .error(Some(operation), 403, &why)
                .with("www-authenticate", challenge));
        }
        // Where a provider tells service tokens from user tokens, neither opens the other's calls.
        let tells_apart = self.spec.operations.iter().any(|o| o.client == "service");
        let is_service = access.grant.user.is_none();
        if tells_apart && is_service != (operation.client == "service") {
            let why = if is_service {
                "a service token does not open this call"
            } else {
                "this call needs a service token"
            };
            let code = Some(particular::WRONG_KIND_OF_TOKEN);
            return Err(error_reply(&self.spec, Some(operation), 403, code, why));
        }
        for binding in &access.grant.bindings {
            let name = &binding.name;
            if values.iter().any(|(n, v)| n == name && *v != binding.value) {
                return Err(self.error(Some(operation), 403, &format!("the access token is for another {name}")));
            }
        }
        Ok(())
    }

    fn unauthorized(&self, operation: &Operation, scheme: &str, code: Option<&str>, why: &str) -> Reply {
        let mut challenge = format!("{scheme} realm=\"{}\"", self.spec.id);
        if let Some(code) = code {
            challenge.push_str(&format!(", error=\"{code}\", error_description=\"{why}\""));
        }
        self.error(Some(operation), 401, why)
            .with("www-authenticate", challenge)
    }

    /// What was registered can be used, and what was removed cannot (RFC 7591, RFC 7592).
    fn registered(&self, authority: &mut Authority, operation: &Operation, id: Option<&str>, reply: &Reply) {
        if operation.method == "DELETE" {
            if let Some(id) = id {
                authority.unregister(id);
            }
            return;
        }
        let text = |name: &str| {
            reply
                .json
                .as_ref()
                .and_then(|json| json.get(name)?.as_str().map(str::to_owned))
        };
        let (Some(client_id), Some(secret)) = (text("client_id"), text("client_secret")) else {
            return;
        };
        if operation.method == "GET" && authority.client(&client_id).is_some() {
            return;
        }
        let redirect_uris = reply
            .json
            .as_ref()
            .and_then(|json| json.get("redirect_uris"))
            .map(Json::items);
        authority.register(Client {
            name: text("client_name").unwrap_or_else(|| client_id.clone()),
            id: client_id,
            secret,
            redirect_uris: redirect_uris
                .unwrap_or_default()
                .iter()
                .filter_map(Json::as_str)
                .map(str::to_owned)
                .collect(),
            access_key: Default::default(),
        });
    }

    // --- errors

    /// An error in the provider's own form.
    pub(in crate::sandbox) fn error(&self, operation: Option<&Operation>, status: u16, message: &str) -> Reply {
        error_reply(&self.spec, operation, status, None, message)
    }
}

/// Who calls, and for whom.
#[derive(Default)]
struct Caller {
    client: String,
    user: Option<String>,
}

enum Route<'a> {
    Found(&'a Operation, Vec<(String, String)>),
    WrongMethod(&'a Operation, String),
    Unknown,
}

/// An error in the form of the operation's own error replies, or of others of its kind; `own_code` goes before the
/// status's code.
pub(in crate::sandbox) fn error_reply(
    spec: &Spec,
    operation: Option<&Operation>,
    status: u16,
    own_code: Option<&str>,
    message: &str,
) -> Reply {
    let of_oauth = operation.is_some_and(|o| o.client == "oauth");
    let content = operation.and_then(|o| refusal_content(o, status)).or_else(|| {
        spec.operations
            .iter()
            .filter(|o| (o.client == "oauth") == of_oauth)
            .find_map(|o| refusal_content(o, status))
    });
    let Some(content) = content else {
        return Reply::json(
            status,
            "application/json",
            Json::object([("message", Json::str(message))]),
        );
    };
    let is_oauth = spec.property(&content.schema, "error_description").is_some();
    let code = match (is_oauth, status) {
        (true, 401) if of_oauth => Some("invalid_client"),
        (true, 401) => Some("invalid_token"),
        (true, 429 | 503) => Some("temporarily_unavailable"),
        (true, 400..500) => Some("invalid_request"),
        (true, _) => Some("server_error"),
        (false, _) => own_code.or_else(|| particular::error_code(&spec.id, operation, status)),
    };
    let mut body = Json::Object(Vec::new());
    if !explain(spec, &content.schema, &mut body, code, message, 0) {
        body.set("message", Json::str(message));
    }
    particular::explained(spec, operation, status, &mut body);
    Reply::json(status, &content.media_type, body)
}

fn refusal_content(operation: &Operation, status: u16) -> Option<&Content> {
    let family = format!("{}XX", status / 100);
    let exact = status.to_string();
    let find = |wanted: &str| {
        operation
            .refusals
            .iter()
            .find(|(s, _)| s.eq_ignore_ascii_case(wanted))
            .map(|(_, c)| c)
    };
    find(&exact).or_else(|| find(&family))
}

/// Puts message and code where the error schema has room for them.
fn explain(spec: &Spec, schema: &Json, body: &mut Json, code: Option<&str>, message: &str, depth: usize) -> bool {
    const MESSAGES: [&str; 5] = [
        "error_description",
        "errorDescription",
        "message",
        "detail",
        "additionalInformation",
    ];
    const CODES: [&str; 3] = ["error", "errorCode", "code"];
    if depth > 4 {
        return false;
    }
    let properties = spec.properties(schema);
    let is_text = |property: &Json| spec.kind(property) == Some("string");
    if let Some(code) = code
        && let Some((name, _)) = properties.iter().find(|(n, p)| CODES.contains(n) && is_text(p))
    {
        body.set(name, Json::str(code));
    }
    for (name, property) in &properties {
        if spec.properties(property).is_empty() && spec.kind(property) != Some("array") {
            continue;
        }
        let mut inner = Json::Object(Vec::new());
        let item = spec.keyword(property, "items");
        if explain(spec, item.unwrap_or(property), &mut inner, code, message, depth + 1) {
            body.set(
                name,
                if item.is_some() {
                    Json::Array(vec![inner])
                } else {
                    inner
                },
            );
            return true;
        }
    }
    match MESSAGES
        .iter()
        .find(|name| properties.iter().any(|(n, p)| n == *name && is_text(p)))
    {
        Some(name) => {
            body.set(name, Json::str(message));
            true
        }
        None => false,
    }
}
