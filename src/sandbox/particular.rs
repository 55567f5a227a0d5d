//! What is particular to one provider and cannot be read from its specification: hooks, each with a default.
//!
//! Every hook is about meaning: which field is the state of a thing, and what changes it.

use ::http::HeaderMap;
use finrail_spec::json::Json;

use super::authority::Binding;
use super::http::Reply;
use super::refused::Refused;
use super::resource::{Call, Record, Store};
use super::spec::{Operation, PageWords, Spec};

/// What a user decided on the page of a bank.
pub(super) struct Decision<'a> {
    /// Of what waits there.
    pub(super) id: &'a str,
    pub(super) allowed: bool,
    /// When, in milliseconds.
    pub(super) now: u64,
}

/// A provider's own ways. What a provider does not implement is as its specification says.
// The defaults look at nothing, and their parameters keep the names that an implementation needs.
#[allow(unused_variables)]
pub(super) trait Particular: Sync {
    /// What happens by itself as time goes by; `now` is in milliseconds, as everywhere here.
    fn pass_time(&self, store: &mut Store, now: u64) {}

    // --- what is refused

    /// A header with which nothing works.
    fn check_headers(&self, headers: &HeaderMap) -> Result<(), Refused> {
        Ok(())
    }

    /// What a creation names must exist.
    fn check_references(&self, store: &Store, call: &Call<'_>) -> Result<(), Refused> {
        Ok(())
    }

    /// Whether the thing above opens the list below it.
    fn check_opened(&self, store: &Store, call: &Call<'_>, above: Option<&Json>) -> Result<(), Refused> {
        Ok(())
    }

    /// What the query of a list may ask for, beyond the types of its parameters.
    fn check_query(&self, call: &Call<'_>) -> Result<(), Refused> {
        Ok(())
    }

    // --- lists

    /// The words about pages that other providers do not have.
    fn page_words(&self) -> PageWords {
        PageWords::default()
    }

    /// Whether a list shows an item, beyond the filters whose name is a field's.
    fn is_listed(&self, call: &Call<'_>, doc: &Json) -> bool {
        true
    }

    /// What a list leaves out of an item.
    fn shorten_item(&self, call: &Call<'_>, item: &mut Json) {}

    /// A list below a thing says whose it is.
    fn listed(&self, call: &Call<'_>, above: Option<&Json>, reply: &mut Json) {}

    // --- things

    /// A thing was created: the state in which it begins.
    fn created(&self, call: &Call<'_>, record: &mut Record) -> Result<(), Refused> {
        Ok(())
    }

    /// What the direct reply to a creation says.
    fn acknowledged(&self, call: &Call<'_>, reply: &mut Json) {}

    /// A thing is about to be read.
    fn read(&self, call: &Call<'_>, record: &mut Record) {}

    /// A thing was changed by PUT or POST on itself.
    fn updated(&self, call: &Call<'_>, record: &mut Record) {}

    /// Whether a thing is marked, and not removed, when it is deleted.
    fn outlives_deletion(&self, call: &Call<'_>, record: &mut Record) -> Result<bool, Refused> {
        Ok(false)
    }

    // --- views

    /// A view of a thing is asked for, or something is done to the thing.
    fn viewed(&self, call: &Call<'_>, view: &str, record: &mut Record) -> Result<(), Refused> {
        Ok(())
    }

    /// The reply of a view is ready.
    fn answered(&self, call: &Call<'_>, reply: &mut Json) -> Result<(), Refused> {
        Ok(())
    }

    /// A reply that is worked out from the path, or bytes.
    fn worked_out(&self, call: &Call<'_>, store: &Store) -> Result<Option<Reply>, Refused> {
        Ok(None)
    }

    // --- users

    /// A user agreed to what a scope template names.
    fn approved(&self, store: &mut Store, binding: &Binding, now: u64) {}

    /// Whether what has this id waits for its user at the bank's own page, away from the authorization server.
    fn waits_at_the_bank(&self, store: &Store, id: &str) -> bool {
        false
    }

    /// What a user decided on that page: where the browser goes.
    fn decided(&self, spec: &Spec, store: &mut Store, decision: &Decision<'_>) -> Option<String> {
        None
    }

    // --- errors

    /// The code in an error reply of the resources, where the provider has codes.
    fn error_code(&self, operation: Option<&Operation>, status: u16) -> Option<&'static str> {
        None
    }

    /// The code of a refusal because a thing in the path does not exist, where one is documented.
    fn missing_code(&self, call: &Call<'_>, parameter: &str) -> Option<&'static str> {
        None
    }

    /// The code with which a service token is refused where a user's is needed, and the other way round.
    fn wrong_kind_of_token_code(&self) -> Option<&'static str> {
        None
    }

    /// What an error reply says beyond message and code.
    fn explained(&self, operation: Option<&Operation>, status: u16, body: &mut Json) {}
}
