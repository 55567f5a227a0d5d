//! OmniFund: settlements are filtered by JSON.

use finrail_spec::json::Json;

use crate::sandbox::particular::Particular;
use crate::sandbox::refused::{Refused, refused};
use crate::sandbox::resource::Call;
use crate::sandbox::spec::PageWords;

pub(super) struct OmniFund;

impl Particular for OmniFund {
    fn page_words(&self) -> PageWords {
        PageWords {
            // Its lists are collections of Hydra.
            total: Some("hydra:totalItems"),
            ..PageWords::default()
        }
    }

    fn answered(&self, call: &Call<'_>, reply: &mut Json) -> Result<(), Refused> {
        if call.id() != "list_settlements" {
            return Ok(());
        }
        // JSON in a query parameter; the reply repeats it.
        match call.query("filter").map(Json::parse) {
            Some(Ok(filter @ Json::Object(_))) => reply.set("filters", filter),
            Some(_) => return Err(refused(400, "`filter` is not a JSON object")),
            None => {
                reply.remove("filters");
            }
        }
        Ok(())
    }
}
