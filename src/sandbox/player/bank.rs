//! The page of the user's bank, away from the authorization server, on which a user agrees to something.

use http::Method;

use super::Player;
use crate::sandbox::html;
use crate::sandbox::http::{RawRequest, Reply, pairs, value_of};
use crate::sandbox::particular::Decision;

impl Player {
    /// Address of the pages of the user's bank; an id follows.
    pub(super) fn bank(&self) -> String {
        format!("{}/{}-bank/", self.origin, self.spec.id())
    }

    /// The page on which a user agrees to what has this id.
    pub(in crate::sandbox) fn at_the_bank(&self, id: &str, raw: &RawRequest) -> Reply {
        let now = self.clock.now();
        let store = &mut self.state().store;
        self.particular.pass_time(store, now);
        if !self.particular.waits_at_the_bank(store, id) {
            let text = "There is no consent here that waits for you.";
            return Reply::html(404, html::message(self.spec.name(), text));
        }
        let form = pairs(&raw.body);
        let allowed = match value_of(&form, "decision").filter(|_| raw.method == Method::POST) {
            Some("allow") => true,
            Some("deny") => false,
            _ => return Reply::html(200, html::bank(&self.spec)),
        };
        let decision = Decision { id, allowed, now };
        match self.particular.decided(&self.spec, store, &decision) {
            Some(url) => Reply::redirect(url),
            None => {
                let text = "Done. The return address cannot be opened.";
                Reply::html(200, html::message(self.spec.name(), text))
            }
        }
    }
}
