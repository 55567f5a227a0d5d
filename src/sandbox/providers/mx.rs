//! MX: the codes and the ranges of FDX 4.6, and a customer for each user.

use finrail_spec::json::Json;
use sha2::{Digest as _, Sha256};

use crate::sandbox::particular::Particular;
use crate::sandbox::refused::{Refused, refused};
use crate::sandbox::resource::{Call, compare, field_of, first, last};
use crate::sandbox::spec::{Operation, PageWords};

pub(super) struct Mx;

impl Particular for Mx {
    fn page_words(&self) -> PageWords {
        PageWords {
            // FDX counts elements.
            total: Some("totalElements"),
            ..PageWords::default()
        }
    }

    fn check_query(&self, call: &Call<'_>) -> Result<(), Refused> {
        if call.id() != "list_account_transactions" {
            return Ok(());
        }
        let coded = |code: &'static str, why: &str| refused(400, why).coded(Some(code));
        let moment = |name: &str, end: fn(&str) -> Option<_>| {
            let text = call.query(name);
            text.map(|text| end(text).ok_or_else(|| coded("702", "invalid start or end date")))
                .transpose()
        };
        match (moment("startTime", first)?, moment("endTime", last)?) {
            (Some(start), Some(end)) if start > end => Err(coded("703", "invalid date range")),
            _ => Ok(()),
        }
    }

    fn is_listed(&self, call: &Call<'_>, doc: &Json) -> bool {
        if call.id() != "list_account_transactions" {
            return true;
        }
        let posted = field_of(doc, "postedTimestamp").and_then(|v| v.into_iter().next());
        let is_within = |parameter: &str, comparison: &str| match (call.query(parameter), &posted) {
            (Some(wanted), Some(posted)) => compare(posted, comparison, wanted),
            _ => true,
        };
        is_within("startTime", "gte") && is_within("endTime", "lte")
    }

    fn answered(&self, call: &Call<'_>, reply: &mut Json) -> Result<(), Refused> {
        if let ("get_current_customer", Some(user)) = (call.id(), call.other_user) {
            // Another user is another customer, and the same one every time.
            let digest = Sha256::digest(user);
            let bytes: Vec<u8> = digest.iter().copied().take(16).collect();
            if let Ok(id) = uuid::Uuid::from_slice(&bytes) {
                reply.set("customerId", Json::str(id.to_string()));
            }
        }
        Ok(())
    }

    fn error_code(&self, _: Option<&Operation>, status: u16) -> Option<&'static str> {
        Some(match status {
            401 | 403 => "602",
            404 => "701",
            500.. => "500",
            _ => "401",
        })
    }
}
