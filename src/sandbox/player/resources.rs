//! Calls for resources: who may call, what the request says, the answer, and what follows from it.

use finrail_spec::json::Json;
use finrail_spec::vocabulary::ClientKind;

use super::access::Rejection;
use super::intents::Intent;
use super::registration::registered;
use super::{Player, State};
use crate::sandbox::answer::answer;
use crate::sandbox::http::{RawRequest, Reply};
use crate::sandbox::refused::refused;
use crate::sandbox::request::Reader;
use crate::sandbox::resource::Call;
use crate::sandbox::spec::{Operation, Segment};

impl Player {
    pub(super) fn resource(&self, operation: &Operation, values: Vec<(String, String)>, raw: &RawRequest) -> Reply {
        self.try_resource(operation, values, raw).unwrap_or_else(|rejection| {
            let reply = self.refused(Some(operation), &rejection.refused);
            match rejection.challenge {
                Some(challenge) => reply.with("www-authenticate", challenge),
                None => reply,
            }
        })
    }

    fn try_resource(
        &self,
        operation: &Operation,
        values: Vec<(String, String)>,
        raw: &RawRequest,
    ) -> Result<Reply, Rejection> {
        let now = self.clock.now();
        let mut state = self.state();
        let state = &mut *state;
        self.particular.pass_time(&mut state.store, now);
        if raw.is_repeated("authorization") {
            return Err(refused(400, "the header Authorization is there twice").into());
        }
        let caller = self.caller(&state.authority, operation, &values, raw)?;
        self.particular.check_headers(&raw.headers)?;
        let reader = Reader {
            spec: &self.spec,
            schemas: &self.schemas,
        };
        let request = reader.read(operation, values, raw)?;
        let intent = Intent::of(operation, &caller.client, caller.user.as_deref(), raw);
        if let Some(intent) = &intent
            && let Some(reply) = state.intents.answered(intent, &request)?
        {
            return Ok(reply);
        }
        let call = Call {
            spec: &self.spec,
            schemas: &self.schemas,
            operation,
            page_words: self.particular.page_words(),
            request: &request,
            base: &self.base(),
            bank: &self.bank(),
            now,
            client: &caller.client,
            other_user: caller.user.as_deref().filter(|user| *user != state.user),
        };
        let mut reply = answer(&mut state.store, &call, self.particular)?;
        if let Some(json) = &mut reply.json {
            self.relocate(json);
        }
        follow_up(state, &call, &reply);
        if let Some(intent) = intent {
            state.intents.keep(intent, &request, &reply);
        }
        Ok(reply)
    }

    /// Links to the real hosts lead here.
    fn relocate(&self, json: &mut Json) {
        match json {
            Json::String(text) => {
                for (address, is_oauth) in self.spec.hosts() {
                    if let Some(rest) = text.strip_prefix(address).filter(|rest| rest.starts_with('/')) {
                        let base = if is_oauth { self.oauth_base() } else { self.base() };
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
}

/// What the authorization server learns from a call that succeeded.
fn follow_up(state: &mut State, call: &Call<'_>, reply: &Reply) {
    let (last, value) = (call.operation.segments.last(), call.request.path.last());
    if call.operation.method == "DELETE"
        && let (Some(Segment::Parameter(name)), Some((_, value))) = (last, value)
    {
        state.authority.end_bound(name, value);
    }
    if call.operation.client == ClientKind::Registration {
        registered(&mut state.authority, call, reply);
    }
}
