//! What shows that the reply to a call that succeeded is an error.
//!
//! Each member of an object gives a sign. Some are certain: whatever stands beside it, a reply that has an `error` is none of a
//! success. Some state a failure: a status, a member such as `declined`. Some an error has and a success may: a code, words.
//! Words acquit of nothing, unless they are as a whole a short phrase of a success, and a sentence with a word of a failure in it
//! convicts only where neither a good status nor an id of what was done is beside it. A status that says only that the call was
//! taken outweighs no refusal that is as short as a code. Of the objects in an object those count that are named for what a call
//! makes or answers: a deal has more in it that may be refused. How much of that is enough depends on what was expected: a value,
//! a page, or nothing; and whether the call changed something, for a failure that is taken for a success is then worse than a
//! success that nobody is sure of.

mod codes;
mod in_error;
mod lists;
mod look;
mod names;
mod node;
mod told;

use super::outcome_words::{Says, says};
use super::{Json, JsonMap};

use codes::has_a_grave_one;
pub(crate) use lists::error_of_no_items;
use look::Look;
use names::{AROUND, MESSAGES, NO_ERROR, OF_A_STATUS, OF_A_SUCCESS, of_an_error};
pub(super) use names::{are_alike, letters, named};
use node::Node;
pub(crate) use node::is_blank;
pub(crate) use told::reason;
use told::{Told, others};

/// The member by which an object is known for an error of which nothing is described, neither as a value nor as an error. Names
/// are compared without regard to case, `_`, `-` and their vocabulary. Anything else that is in it speaks for a value.
pub(crate) fn error_in(object: &JsonMap) -> Option<&'static str> {
    let told = Told::by(object.iter(), Look::default());
    let rest = || told.failed().or_else(|| told.unless_well(told.code.or(told.words)));
    told.certain
        .or_else(|| rest().filter(|_| !(told.other || told.is_success || told.is_taken)))
}

/// The same for the reply to a call that changed something. A failure that is stated is then outweighed by nothing, and an
/// object with nothing in it is no value.
pub(crate) fn error_of_effect(object: &JsonMap) -> Option<&'static str> {
    let told = Told::by(object.iter(), Look::OF_EFFECT);
    let alone = told.code.or(told.words).or(told.blank);
    let alone = alone.filter(|_| !(told.other || told.is_success || told.is_taken));
    let failed = told.certain.or_else(|| told.failed());
    failed.or_else(|| told.unless_well(told.pair().or(alone)))
}

/// The same where no object was expected, but nothing: words alone are those of a success.
pub(crate) fn error_for_nothing(object: &JsonMap) -> Option<&'static str> {
    let look = Look {
        ends_something: true,
        ..Look::OF_EFFECT
    };
    let told = Told::by(object.iter(), look);
    let failed = told.certain.or_else(|| told.failed());
    failed.or_else(|| told.unless_well(told.pair().filter(|_| !told.other)))
}

/// The same for an object of which the members `described` are described, where none of those that speak for a success has a
/// value: one of the others.
pub(crate) fn error_instead(object: &JsonMap, described: &[&str], speaking: &[&str]) -> Option<&'static str> {
    let mut members = object.iter();
    if members.any(|(name, value)| speaking.contains(&name) && !Node::of(value).is_blank_or_none()) {
        return None;
    }
    let told = Told::by(others(object, described), Look::OF_EFFECT);
    let failed = told.certain.or_else(|| told.failed());
    let rest = || told.code.or(told.words).filter(|_| !told.is_success);
    failed.or_else(|| told.unless_well(rest()))
}

/// The same for one that has described values, or items: what nobody described, and tells of an error whatever is beside it.
pub(crate) fn error_beside(object: &JsonMap, described: &[&str]) -> Option<&'static str> {
    Told::by(others(object, described), Look::of_page(&[])).certain
}

/// The same for one that says where a matter stands: of messages, one of an error is enough.
pub(crate) fn error_beside_a_state(object: &JsonMap, described: &[&str]) -> Option<&'static str> {
    let look = Look {
        messages_are_certain: true,
        ..Look::of_page(&[])
    };
    Told::by(others(object, described), look).certain
}

/// Of a member with messages: those that say of themselves that they are an error's.
pub(crate) fn grave_messages(name: &str, value: &Json) -> Vec<Json> {
    let items = named(name, MESSAGES).map(|_| value.items().unwrap_or_else(|| vec![value.clone()]));
    let mut grave = items.unwrap_or_default();
    grave.retain(|message| has_a_grave_one(&Node::of(message)));
    grave
}

/// Whether a name itself says that its member is of an error, whatever is in it.
pub(crate) fn is_of_an_error(name: &str) -> bool {
    of_an_error(name).is_some()
}

/// Whether a member of this name, which nobody described, may tell of an error whatever is beside it.
pub(crate) fn may_tell(name: &str) -> bool {
    is_of_an_error(name)
        || [OF_A_SUCCESS, OF_A_STATUS, AROUND]
            .iter()
            .any(|names| named(name, names).is_some())
}

/// What a text says that stands alone in the place of a reply without a body: whether it is an error's words ...
pub(crate) fn says_error(text: &str) -> bool {
    says(text) == Says::Failure || NO_ERROR.contains(&text.trim().to_ascii_lowercase().as_str())
}

/// ... and whether it is as a whole those of a success.
pub(crate) fn says_success(text: &str) -> bool {
    matches!(says(text), Says::NoError | Says::Done | Says::Ended)
}

#[cfg(test)]
mod tests {
    use super::in_error::NO_ERRORS;
    use super::*;
    use crate::value::Json;

    #[test]
    fn beside_a_state_a_message_of_an_error_is_enough() {
        for (object, beside_a_state, beside) in [
            (
                r#"{"state":"DONE","tppMessages":[{"category":"ERROR"}]}"#,
                Some("tppmessages"),
                None,
            ),
            (r#"{"state":"DONE","tppMessages":[{"category":"WARNING"}]}"#, None, None),
            (r#"{"state":"DONE","error":"x"}"#, Some("error"), Some("error")),
            (r#"{"state":"DONE"}"#, None, None),
        ] {
            let members: JsonMap = object.parse::<Json>().unwrap().parse().unwrap();
            assert_eq!(error_beside_a_state(&members, &["state"]), beside_a_state, "{object}");
            assert_eq!(error_beside(&members, &["state"]), beside, "{object}");
        }
    }

    #[test]
    fn of_messages_those_are_grave_that_say_so_themselves() {
        let grave = r#"{"category":"ERROR","text":"no"}"#;
        let slight = r#"{"category":"WARNING"}"#;
        for (name, value, expected) in [
            ("tppMessages", format!("[{slight},{grave}]"), vec![grave]),
            ("tppMessages", grave.to_owned(), vec![grave]),
            ("tppMessages", slight.to_owned(), vec![]),
            ("items", format!("[{grave}]"), vec![]),
        ] {
            let found = grave_messages(name, &value.parse().unwrap());
            let found: Vec<_> = found
                .iter()
                .map(|message| serde_json::to_string(message).unwrap())
                .collect();
            assert_eq!(found, expected, "{name} {value}");
        }
    }

    #[test]
    fn an_error_is_known_by_its_members_where_nothing_speaks_for_a_success() {
        for (object, member) in [
            (r#"{"Error":"x","id":"1"}"#, Some("error")),
            (r#"{"ERRORS":[1]}"#, Some("errors")),
            (r#"{"Message":"declined"}"#, Some("message")),
            (r#"{"fault":{"faultstring":"x"}}"#, Some("fault")),
            (r#"{"success":false}"#, Some("success")),
            (r#"{"Success":"False","id":"1"}"#, Some("success")),
            (r#"{"success":true}"#, None),
            (r#"{"success":null}"#, None),
            (r#"{"status":"FAILED"}"#, Some("status")),
            (r#"{"status":"error","timestamp":"t"}"#, Some("status")),
            (r#"{"timestamp":"t","status":500,"path":"/x"}"#, Some("status")),
            (r#"{"Status":"422"}"#, Some("status")),
            (r#"{"httpStatus":500,"message":"Internal"}"#, Some("httpstatus")),
            (r#"{"data":{"error":"declined"}}"#, Some("data")),
            (r#"{"data":{"id":"1"}}"#, None),
            (r#"{"data":{"id":"1"},"message":"booked"}"#, None),
            (r#"{"data":{"id":"1"},"message":"noted"}"#, None),
            (r#"{"data":{"success":true,"message":"declined"}}"#, None),
            (r#"{"status":"X9","message":"declined"}"#, Some("message")),
            (r#"{"id":"1","status":"X9","message":"noted"}"#, None),
            (r#"{"result":1234,"message":"noted"}"#, None),
            (r#"{"meta":{"status":400}}"#, Some("meta")),
            (r#"{"meta":{"status":200},"id":"1"}"#, None),
            (r#"{"Result":{"Success":false}}"#, Some("result")),
            (r#"{"result":"ERROR"}"#, Some("result")),
            (r#"{"result":"OK","message":"booked"}"#, None),
            (r#"{"ok":false}"#, Some("ok")),
            (r#"{"success":0}"#, Some("success")),
            (r#"{"success":"0","id":"1"}"#, Some("success")),
            (r#"{"success":" No "}"#, Some("success")),
            (r#"{"success":""}"#, None),
            (r#"{"success":1}"#, None),
            (r#"{"isSuccessful":false}"#, Some("issuccessful")),
            (r#"{"response":{"error":"x"}}"#, Some("response")),
            (r#"{"Response":{"Errors":[{"Code":1}]}}"#, Some("response")),
            (r#"{"response":{"id":"1"}}"#, None),
            (r#"{"payload":{"success":0},"requestId":"1"}"#, Some("payload")),
            (r#"{"tppMessages":[{"category":"ERROR"}]}"#, Some("tppmessages")),
            (r#"{"tppMessages":[{"category":"WARNING"}]}"#, None),
            (r#"{"errno":5}"#, Some("errno")),
            (r#"{"errno":0}"#, None),
            (r#"{"err":"x"}"#, Some("err")),
            (r#"{"errand":"x"}"#, None),
            (r#"{"is_success":"FALSE","id":"1"}"#, Some("issuccess")),
            (r#"{"succeeded":false}"#, Some("succeeded")),
            (r#"{"errorMessages":["x"]}"#, Some("error")),
            (r#"{"validationErrors":[{"field":"quoteId"}]}"#, Some("errors")),
            (r#"{"exception":"java.lang.X"}"#, Some("exception")),
            (r#"{"errors":[],"message":"declined"}"#, Some("message")),
            (r#"{"errors":[],"message":"noted"}"#, Some("message")),
            (r#"{"message":null}"#, None),
            (r#"{"dealId":"","message":"declined"}"#, Some("message")),
            (r#"{"traceId":"1","errorDescription":"late"}"#, Some("error")),
            (r#"{"dealId":null,"errorDescription":"x"}"#, Some("error")),
            (r#"{"statusCode":400}"#, Some("statuscode")),
            (r#"{"statusCode":200}"#, None),
            (r#"{"status":"rejected"}"#, Some("status")),
            (r#"{"status":"DECLINED"}"#, Some("status")),
            (r#"{"status":"400 Bad Request"}"#, Some("status")),
            (r#"{"status":"200 OK"}"#, None),
            (r#"{"status":{"code":400,"message":"no"}}"#, Some("status")),
            (r#"{"msg":"declined"}"#, Some("msg")),
            (r#"{"error-code":"5"}"#, Some("error")),
            (r#"{"faultString":"x"}"#, Some("fault")),
            (r#"{"status":400,"id":"1"}"#, Some("status")),
            (r#"{"status":201}"#, None),
            (r#"{"status":"DONE","success":true}"#, None),
            (r#"{"code":"CONSENT_REVOKED","message":"x"}"#, Some("code")),
            (r#"{"errorCode":"TOKEN_REVOKED"}"#, Some("error")),
            (r#"{"fault":null,"error":"","status":200}"#, None),
            ("{}", None),
        ] {
            let members: JsonMap = object.parse::<Json>().unwrap().parse().unwrap();
            assert_eq!(error_in(&members), member, "{object}");
            assert_eq!(error_of_effect(&members), member, "{object}");
        }
    }

    #[test]
    fn a_described_field_without_a_value_does_not_speak_for_a_success() {
        for (object, member) in [
            (r#"{"id":null,"errorCode":"LIMIT"}"#, Some("error")),
            (r#"{"id":" ","error":"declined"}"#, Some("error")),
            (r#"{"id":null,"new":1,"message":"no"}"#, Some("message")),
            (r#"{"id":null,"data":{"error":"x"}}"#, Some("data")),
            (
                r#"{"id":null,"tppMessages":[{"category":"ERROR"}]}"#,
                Some("tppmessages"),
            ),
            (r#"{"id":null,"tppMessages":[{"category":"WARNING"}]}"#, None),
            (r#"{"id":"1","success":0}"#, None),
            (r#"{"id":[],"success":false}"#, Some("success")),
            (r#"{"id":"1","errorCode":"LIMIT"}"#, None),
            (r#"{"id":null,"status":"FAILED"}"#, None),
            (r#"{"id":null,"status":null,"Status":"FAILED"}"#, Some("status")),
            (r#"{"id":null,"error":null,"new":1}"#, None),
            (r#"{"id":"N/A","code":"LIMIT","message":"declined"}"#, Some("code")),
            (r#"{"id":"null","message":"declined"}"#, Some("message")),
            (r#"{"id":"\ufeff","message":"declined"}"#, Some("message")),
            (r#"{"id":null,"failure":{"code":"X"}}"#, Some("failure")),
            (r#"{"id":null,"responseCode":"05"}"#, Some("responsecode")),
            (r#"{"id":null,"statusCode":"TIMEOUT"}"#, Some("statuscode")),
            (r#"{"id":null,"received":true,"State":"FAILED"}"#, Some("state")),
            (r#"{"id":null,"errors":[{"code":"CONSENT_REVOKED"}]}"#, Some("errors")),
            (r#"{"id":null}"#, None),
            ("{}", None),
        ] {
            let members: JsonMap = object.parse::<Json>().unwrap().parse().unwrap();
            assert_eq!(
                error_instead(&members, &["id", "status"], &["id", "status"]),
                member,
                "{object}"
            );
        }
    }

    /// What speaks for a success outweighs words and codes, and what says that there was no error tells of none.
    #[test]
    fn what_says_that_all_is_well_is_no_error() {
        for beside in NO_ERRORS {
            for object in [format!(r#"{{{beside}}}"#), format!(r#"{{"id":"1",{beside}}}"#)] {
                let members = members(&object);
                let told = [
                    error_in(&members),
                    error_for_nothing(&members),
                    error_beside(&members, &["id"]),
                ];
                assert_eq!(told, [None; 3], "{object}");
            }
        }
        for (object, of_value, of_nothing) in [
            (r#"{"success":true,"message":"deleted"}"#, None, None),
            (r#"{"status":"success","message":"deleted"}"#, None, None),
            (r#"{"code":0,"message":"OK"}"#, None, None),
            (r#"{"code":"0","message":"OK"}"#, None, None),
            (r#"{"code":200,"message":"OK"}"#, None, None),
            (r#"{"code":"200","message":"OK","data":null}"#, None, None),
            (r#"{"code":"200 OK","message":"gone"}"#, None, None),
            (r#"{"message":"Accepted"}"#, None, None),
            (r#"{"message":"Success!"}"#, None, None),
            (r#"{"data":{"message":"deleted"}}"#, None, None),
            (r#"{"meta":{"code":200,"message":"OK"}}"#, None, None),
            (r#"{"status":"deleted","reason":"user request"}"#, None, None),
            (r#"{"title":"Deleted","status":200,"detail":"gone"}"#, None, None),
            (
                r#"{"timestamp":"t","status":200,"message":"Deleted","path":"/x"}"#,
                None,
                None,
            ),
            (r#"{"Response":{"Code":"00","Message":"Approved"}}"#, None, None),
            (r#"{"id":"t","deleted":true,"message":"Template deleted"}"#, None, None),
            (r#"{"id":"t","deleted":true,"code":"ok"}"#, None, None),
            (r#"{"deleted":true,"message":"Template deleted"}"#, None, None),
            (r#"{"data":{"code":"D1","status":"BOOKED","type":"spot"}}"#, None, None),
            (r#"{"data":{"title":"Deal","code":"D-1"},"success":true}"#, None, None),
            (
                r#"{"type":"deal","status":"CONFIRMED","description":"spot"}"#,
                None,
                None,
            ),
            (r#"{"status":"success","message":"Deal created"}"#, None, None),
            (r#"{"code":0,"message":"Deal booked"}"#, None, None),
            (r#"{"code":0,"message":"noted"}"#, None, None),
            (r#"{"errorCode":"0","message":"noted"}"#, None, None),
            (r#"{"error":{"id":"e0","code":0},"message":"noted"}"#, None, None),
            (r#"{"deleted":true,"message":"noted"}"#, None, None),
            (r#"{"errors":false,"message":"Deal booked"}"#, None, None),
            (r#"{"noErrors":true,"message":"gone"}"#, None, None),
            (r#"{"noError":false}"#, Some("noerror"), Some("noerror")),
            (r#"{"result":1234}"#, None, None),
            (r#"{"result":1234,"message":"ok"}"#, None, None),
            (r#"{"result":"deleted","message":"gone"}"#, None, None),
            // Words alone are enough where nothing was to come.
            (r#"{"message":"Template gone"}"#, Some("message"), None),
            (r#"{"message":"Template deleted"}"#, None, None),
            (r#"{"title":"x","detail":"y"}"#, Some("detail"), None),
            (r#"{"code":"X"}"#, Some("code"), None),
            (r#"{"code":"X","message":"y"}"#, Some("code"), Some("code")),
            (r#"{"code":"E200","message":"y"}"#, Some("code"), Some("code")),
            (r#"{"code":"S500","message":"y"}"#, Some("code"), Some("code")),
            (
                r#"{"code":"CONSENT_IN_USE","message":"not deleted"}"#,
                Some("message"),
                Some("message"),
            ),
            (r#"{"code":17,"message":"declined"}"#, Some("message"), Some("message")),
            (r#"{"data":{"code":"X"},"message":"y"}"#, Some("data"), Some("data")),
            (r#"{"code":"ACCESS_DENIED"}"#, Some("code"), Some("code")),
            (r#"{"code":"404"}"#, Some("code"), Some("code")),
            (
                r#"{"errorCode":"CONSENT_IN_USE","errorDescription":"x"}"#,
                Some("error"),
                Some("error"),
            ),
            (r#"{"error":"x","success":true}"#, Some("error"), Some("error")),
            (r#"{"success":false,"message":"OK"}"#, Some("success"), Some("success")),
            (r#"{"status":403,"message":"no"}"#, Some("status"), Some("status")),
            (
                r#"{"status":"error","code":0,"message":"declined"}"#,
                Some("status"),
                Some("status"),
            ),
            (r#"{"status":"failed","message":"OK"}"#, Some("status"), Some("status")),
            (
                r#"{"type":"ValidationError","message":"x"}"#,
                Some("type"),
                Some("type"),
            ),
            (
                r#"{"@type":"hydra:Error","hydra:title":"x"}"#,
                Some("type"),
                Some("type"),
            ),
            (r#"{"object":"error","message":"x"}"#, Some("object"), Some("object")),
            (r#"{"data":{"id":"1","error":"x"}}"#, Some("data"), Some("data")),
        ] {
            let members = members(object);
            let told = (error_in(&members), error_for_nothing(&members));
            assert_eq!(told, (of_value, of_nothing), "{object}");
        }
    }

    /// An error that is there tells of one whatever is beside it; beside values and items a number may be a count of successes.
    #[test]
    fn some_of_what_tells_of_an_error_is_certain_beside_described_values_and_items() {
        for (beside, member) in [
            (r#""success":false,"error":"upstream timed out""#, Some("error")),
            (r#""status":500,"message":"incomplete""#, Some("status")),
            (r#""statusCode":"503 Down""#, Some("statuscode")),
            (r#""status":{"code":503,"message":"x"}"#, Some("status")),
            (r#""success":"no""#, Some("success")),
            (r#""success":"Not successful""#, Some("success")),
            (r#""success":"Not applicable""#, None),
            (r#""success":"not yet""#, None),
            (r#""success":"1 failed""#, None),
            (r#""ok":"Ask again if your bank has declined it""#, None),
            (r#""hasErrors":true"#, Some("errors")),
            (r#""errors":[{"code":1}]"#, Some("errors")),
            (r#""meta":{"error":"x"}"#, Some("meta")),
            (r#""error":1"#, Some("error")),
            (r#""success":0"#, None),
            (r#""result":450"#, None),
            (r#""status":"FAILED""#, None),
            (r#""status":399"#, None),
            (r#""status":600"#, None),
            (r#""code":500,"message":"x""#, None),
            (r#""message":"x""#, None),
        ] {
            let page = members(&format!(r#"{{"items":[1],"error_of_mine":"x",{beside}}}"#));
            assert_eq!(error_beside(&page, &["items", "error_of_mine"]), member, "{beside}");
        }
    }

    #[test]
    fn a_reply_without_anything_in_it_is_not_said_to_have_a_member_that_it_has_not() {
        let nothing = "the reply to a success says nothing of what was done";
        for (object, told) in [
            (r#"{"deals":[],"count":0}"#, nothing),
            (r#"{"deals":null}"#, nothing),
            (r#"{"data":{"deals":[]}}"#, nothing),
            (
                r#"{"errors":[{"code":"X"}]}"#,
                "the reply to a success has `errors`, as an error has",
            ),
        ] {
            assert_eq!(
                error_of_effect(&members(object)).map(reason).as_deref(),
                Some(told),
                "{object}"
            );
        }
    }

    fn members(object: &str) -> JsonMap {
        object.parse::<Json>().unwrap().parse().unwrap()
    }

    #[test]
    fn of_a_call_with_an_effect_nothing_outweighs_a_failure_that_is_stated() {
        let failed = [
            r#"{"status":"INTERNAL_SERVER_ERROR"}"#,
            r#"{"status":"BAD_REQUEST","timestamp":"t"}"#,
            r#"{"status":"SERVICE_UNAVAILABLE","requestId":"r"}"#,
            r#"{"status":"INSUFFICIENT_FUNDS"}"#,
            r#"{"status":"TIMEOUT"}"#,
            r#"{"status":"INVALID"}"#,
            r#"{"status":"NOT_FOUND"}"#,
            r#"{"status":"ABORTED"}"#,
            r#"{"status":"CANCELLED"}"#,
            r#"{"status":"EXPIRED"}"#,
            r#"{"status":"FAILED","id":"1"}"#,
            r#"{"status":{"code":"LIMIT"}}"#,
            r#"{"failed":true,"message":"insufficient funds"}"#,
            r#"{"failed":true,"id":"1"}"#,
            r#"{"declined":true,"reason":"limit"}"#,
            r#"{"rejected":true}"#,
            r#"{"approved":false}"#,
            r#"{"accepted":false}"#,
            r#"{"booked":false}"#,
            r#"{"failure":{"code":"LIMIT"}}"#,
            r#"{"failure_code":"LIMIT","failure_message":"over the limit"}"#,
            r#"{"failureReason":"x"}"#,
            r#"{"problem":{"title":"x","status":400}}"#,
            r#"{"responseCode":"05","responseMessage":"Do not honour"}"#,
            r#"{"resultCode":"DECLINED"}"#,
            r#"{"returnCode":-1}"#,
            r#"{"httpCode":"500","httpMessage":"Internal Server Error"}"#,
            r#"{"http_code":500}"#,
            r#"{"http_status_code":500}"#,
            r#"{"code":"51","message":"Insufficient funds","transactionId":"t-1"}"#,
            r#"{"code":"51","message":"abgelehnt","transactionId":"t-1"}"#,
            r#"{"code":"INSUFFICIENT_FUNDS","message":"x","documentationUrl":"https://x"}"#,
            r#"{"code":1001,"message":"insufficient funds","serverTime":1}"#,
            r#"{"message":"declined","path":"/x","method":"POST"}"#,
            r#"{"name":"UNPROCESSABLE_ENTITY","message":"x","debug_id":"1","details":[{"issue":"x"}]}"#,
            r#"{"__type":"ThrottlingException"}"#,
            r#"{"violations":[{"field":"x"}]}"#,
            r#"{"logref":42,"message":"x"}"#,
            r#"{"class":"java.lang.NullPointerException","message":"x"}"#,
            r#"{"cause":"x","stackTrace":["x"]}"#,
            r#"{"detail":[{"loc":["body"],"msg":"field required","type":"value_error.missing"}]}"#,
            // What the reply says may stand in other things.
            r#"{"data":[{"error":"declined"}]}"#,
            r#"{"deal":{"error":"declined"}}"#,
            r#"{"deal":{"error":"declined"},"timestamp":"t"}"#,
            r#"{"createDealResponse":{"error":"x"}}"#,
            r#"{"soap:Envelope":{"soap:Body":{"soap:Fault":{"faultcode":"x"}}}}"#,
            r#"{"result":{"data":{"error":"x"}}}"#,
            r#"{"deal":null,"userMessage":"declined"}"#,
            r#"{"dealId":null}"#,
            r#"{"dealId":"N/A","timestamp":"t"}"#,
            // What was ended is none of what was to be made.
            r#"{"status":"REVOKED"}"#,
            r#"{"status":"TERMINATED"}"#,
            r#"{"status":"DELETED"}"#,
            r#"{"status":"REMOVED"}"#,
            r#"{"dealId":"D1","status":"REVOKED"}"#,
            r#"{"code":"DEAL_DELETED","dealId":"D1"}"#,
            r#"{"message":"Access revoked"}"#,
            r#"{"rate":"1.2","message":"Access revoked"}"#,
            r#"{"message":"Your contract was terminated"}"#,
            // A sentence acquits of nothing, whatever word of a success is in it.
            r#"{"code":"Q17","message":"Quote booked by another"}"#,
            r#"{"code":"Q17","message":"Deal executed by another user"}"#,
            r#"{"code":"Q17","message":"Duplicate of a deal that was booked"}"#,
            r#"{"code":"Q17","message":"Request received. Balance too low"}"#,
            r#"{"code":"Q17","message":"Request received. Not ready"}"#,
            r#"{"code":"Q17","message":"Request processed: quote gone"}"#,
            r#"{"code":"Q17","message":"The deal was neither booked nor queued"}"#,
            r#"{"message":"Duplicate of a deal that was booked"}"#,
            r#"{"message":"No deal was created"}"#,
            r#"{"message":"No payment was executed"}"#,
            r#"{"message":"Nothing was booked"}"#,
            r#"{"message":"None of the deals were booked"}"#,
            r#"{"message":"0 deals created"}"#,
            // A failure that is stated is outweighed by nothing.
            r#"{"success":true,"status":"FAILED"}"#,
            r#"{"received":true,"status":"FAILED","message":"insufficient funds"}"#,
            r#"{"processed":true,"status":"DECLINED"}"#,
            r#"{"submitted":true,"result":"DECLINED"}"#,
            r#"{"completed":true,"declined":true}"#,
            r#"{"pending":1,"failed":2}"#,
            r#"{"created":1,"status":"FAILED"}"#,
            r#"{"accepted":"1","rejected":true,"reason":"x"}"#,
            r#"{"data":{"received":true},"status":"FAILED"}"#,
            r#"{"ok":true,"data":{"status":"DECLINED","reason":"insufficient funds"}}"#,
            r#"{"meta":{"success":true},"status":"REJECTED"}"#,
            r#"{"meta":{"success":true},"code":"Q17","message":"the quote is gone"}"#,
            r#"{"ok":true,"data":{"code":"Q17","message":"the quote is gone"}}"#,
            r#"{"received":true,"code":"Q17","message":"the quote is gone"}"#,
            r#"{"pending":true,"message":"The quote was rejected by the desk"}"#,
            r#"{"state":"FAILED"}"#,
            r#"{"dealStatus":"REJECTED"}"#,
            r#"{"dealId":"D1","dealStatus":"REJECTED"}"#,
            r#"{"outcome":"DECLINED"}"#,
            r#"{"status":"RJCT"}"#,
            r#"{"status":"VOID"}"#,
            // What states a failure may stand in an object beside others, and denials and usual names of a refusal are stated.
            r#"{"deal":{"id":"D1","status":"REJECTED"},"version":"1.0"}"#,
            r#"{"transactionId":"T1","payment":{"status":"FAILED"}}"#,
            r#"{"deal":{"id":"D1"},"payment":{"status":"FAILED"}}"#,
            r#"{"deal":{"error":"declined"},"apiVersion":"1"}"#,
            r#"{"deal":{"status":"FAILED"},"links":{"self":"/x"}}"#,
            r#"{"createDealResponse":{"success":false},"elapsed":12}"#,
            r#"{"deals":[{"status":"REJECTED"}],"count":1}"#,
            r#"{"results":[{"success":false,"error":"x"}],"total":1}"#,
            r#"{"status":"OK","deal":{"status":"REJECTED"}}"#,
            r#"{"transactionResponse":{"responseCode":"2","errors":[{"errorCode":"2"}]},"refId":"1"}"#,
            r#"{"transactionResponse":{"errors":[{"errorCode":"2"}]},"refId":"1","messages":{"resultCode":"Ok"}}"#,
            r#"{"result":false}"#,
            r#"{"status":false,"dealId":"D1"}"#,
            r#"{"status":"false","dealId":"D1"}"#,
            r#"{"data":false}"#,
            r#"{"response":false}"#,
            r#"{"success":"error"}"#,
            r#"{"dealId":"D1","success":"failed"}"#,
            r#"{"ok":"error"}"#,
            r#"{"status":"0","msg":"quote gone"}"#,
            r#"{"result":"0","reason":"quote gone"}"#,
            r#"{"status":"-1"}"#,
            r#"{"dealId":"D1","rejectReason":"limit"}"#,
            r#"{"dealId":"D1","reject_code":"AM04"}"#,
            r#"{"dealId":"D1","declineReason":"limit"}"#,
            r#"{"dealId":"D1","decline_code":"x"}"#,
            r#"{"dealId":"D1","refusalReason":"x"}"#,
            r#"{"dealId":"D1","denyReason":"x"}"#,
            r#"{"dealId":"D1","isRejected":true}"#,
            r#"{"dealId":"D1","hasFailed":true}"#,
            r#"{"dealId":"D1","cancelled":true}"#,
            r#"{"dealId":"D1","isExpired":true}"#,
            r#"{"dealId":"D1","isBooked":false}"#,
            r#"{"dealId":"D1","executed":false}"#,
            r#"{"dealId":"D1","wasSuccessful":false}"#,
            r#"{"dealId":"D1","dealStatusCode":"REJECTED"}"#,
            r#"{"dealId":"D1","statusDescription":"Rejected"}"#,
            r#"{"dealId":"D1","status":{"value":"REJECTED"}}"#,
            r#"{"dealId":"D1","status":{"name":"REJECTED","id":5}}"#,
            r#"{"dealId":"D1","status":["REJECTED"]}"#,
            r#"{"response":"2","responsetext":"DECLINE"}"#,
            r#"{"ResponseCode":"1","ResponseDescription":"Rejected"}"#,
            r#"{"ResultCode":1,"ResultDesc":"The balance is insufficient"}"#,
            r#"{"ack":"Failure"}"#,
            r#"{"respCode":"05","respMsg":"Do not honour"}"#,
            r#"{"rc":"51","message":"x"}"#,
            r#"{"dealId":"D1","status":"returned"}"#,
            r#"{"dealId":"D1","status":"REVERSED"}"#,
            r#"{"dealId":"D1","status":"BOUNCED"}"#,
            r#"{"dealId":"D1","status":"DISHONOURED"}"#,
            r#"{"dealId":"D1","status":"LAPSED"}"#,
            r#"{"dealId":"D1","status":"Withdrawn"}"#,
            r#"{"dealId":"D1","status":"NOT_BOOKED"}"#,
            r#"{"status":"NOT_PAID"}"#,
            r#"{"id":"e1","name":"VALIDATION_ERROR","message":"x"}"#,
            r#"{"id":"e1","name":"VALIDATION_ERROR","details":[{"issue":"x"}]}"#,
            r#"{"name":"VALIDATION_ERROR"}"#,
            // An id of the call, or of what it was about, is none of what was done; words as short as a code are one.
            r#"{"quoteId":"q-1","message":"The quote was rejected by the desk"}"#,
            r#"{"requestId":"r-1","message":"The quote was rejected by the desk"}"#,
            r#"{"dealId":"D1","message":"Insufficient funds"}"#,
            r#"{"dealId":"D1","code":450,"message":"x"}"#,
            r#"{"quoteId":"q-1","code":450}"#,
            // Nor is that of a gateway; and what the call makes says more than what is around it, as a short refusal does.
            r#"{"deal":{"booked":false},"version":1}"#,
            r#"{"createDealResponse":{"booked":false},"elapsed":12}"#,
            r#"{"dealDetails":{"status":"REJECTED"},"version":1}"#,
            r#"{"newDeal":{"status":"REJECTED"},"version":1}"#,
            r#"{"item":{"status":"REJECTED"},"version":1}"#,
            r#"{"supportId":"A1","message":"The requested URL was rejected."}"#,
            r#"{"incidentId":"A1","message":"Access was denied by policy"}"#,
            r#"{"ray_id":"A1","message":"Access was denied by policy"}"#,
            r#"{"activityId":"a","code":"Q17"}"#,
            r#"{"accountId":"a","message":"The quote was rejected by the desk"}"#,
            r#"{"deal":{"status":"REJECTED"},"status":"COMPLETED"}"#,
            r#"{"deal":{"status":"REJECTED"},"status":"PROCESSED"}"#,
            r#"{"transactionId":"T1","deal":{"status":"REJECTED"}}"#,
            r#"{"batchId":"T1","deals":[{"status":"REJECTED"}]}"#,
            r#"{"id":"req-1","deal":{"status":"REJECTED"}}"#,
            r#"{"id":"req-1","payment":{"status":"REJECTED"}}"#,
            r#"{"status":"COMPLETED","transfer":{"status":"REJECTED"}}"#,
            r#"{"dealId":"D1","deal":{"error":"declined"}}"#,
            r#"{"deal":{"status":"REJECTED"},"payment":{"id":"P1","status":"PENDING"}}"#,
            r#"{"deals":[{"id":"D1","status":"Booked"},{"id":"D2","status":"REJECTED"}]}"#,
            r#"{"deals":[{"id":"D0","status":"CANCELLED"}],"count":1}"#,
            r#"{"status":"processed","message":"Declined"}"#,
            r#"{"status":"completed","message":"Insufficient funds"}"#,
            r#"{"status":"ACCEPTED","message":"Quote expired"}"#,
            r#"{"status":"received","message":"Rejected"}"#,
            r#"{"status":"open","message":"Rejected"}"#,
            r#"{"status":"OK","message":"Quote expired"}"#,
            r#"{"completed":true,"message":"Declined"}"#,
            r#"{"success":"The quote was rejected by the desk"}"#,
            // What is empty, or an error has beside it, makes no second thing of an object that is alone.
            r#"{"answer":{"code":"Q17"},"timestamp":"t"}"#,
            r#"{"answer":{"code":"Q17"},"deal":null}"#,
            r#"{"name":"VALIDATION_ERROR","documentation":"https://bank.example/e"}"#,
            r#"{"rate":"1.2","message":"Your contract was terminated"}"#,
            // An id does not make an error that of a thing, as it does where a thing is read.
            r#"{"dealId":"D1","errorCode":"X"}"#,
        ];
        for object in failed {
            assert!(error_of_effect(&members(object)).is_some(), "{object}");
        }
        let done = [
            r#"{"id":"1","note":"x"}"#,
            r#"{"id":"1","status":"X9"}"#,
            r#"{"status":"LIVE","message":"Your deal is live"}"#,
            r#"{"status":"AWAITING_FUNDS","message":"Deal booked, awaiting funds"}"#,
            r#"{"status":"OPEN","description":"Spot deal"}"#,
            r#"{"code":"D-1001","message":"Deal booked"}"#,
            r#"{"detail":{"dealId":"D1","rate":"1.2"}}"#,
            r#"{"deal":{"id":"D1","status":"BOOKED"}}"#,
            r#"{"data":[{"id":"D1"}]}"#,
            r#"{"id":"D1","settled":false}"#,
            r#"{"id":"D1","failed":false,"failureReason":null}"#,
            r#"{"id":"D1","description":"limit order"}"#,
            r#"{"id":"D1","reason":"Purchase of goods"}"#,
            r#"{"success":true,"code":"D-1001","message":"noted"}"#,
            r#"{"received":true,"message":"noted"}"#,
            r#"{"message":"Deal booked successfully"}"#,
            r#"{"message":"Deal D1 created"}"#,
            r#"{"dealId":"D1","failureUrl":"https://shop.example/fail"}"#,
            r#"{"dealId":"D1","failureRedirectUrl":"https://shop.example/fail"}"#,
            r#"{"dealId":"D1","declinedUrl":"https://shop.example/fail"}"#,
            r#"{"dealId":"D1","problemContact":"support@bank.example"}"#,
            r#"{"dealId":"D1","rejectedAmount":{"value":"0.00","currency":"EUR"}}"#,
            r#"{"dealId":"D1","status":"BOOKED","reason":"Refund for rejected goods"}"#,
            r#"{"status":"BOOKED","reason":"Refund for rejected goods"}"#,
            r#"{"dealId":"D1","status":"BOOKED","details":"Refund of failed delivery"}"#,
            r#"{"dealId":"D1","details":"Refund of failed delivery"}"#,
            r#"{"status":"SUCCESS","details":"Refund of failed delivery"}"#,
            r#"{"meta":{"status":"SUCCESS"},"details":"Refund of failed delivery"}"#,
            r#"{"dealId":"D1","name":"Jo"}"#,
            r#"{"dealId":"D1","payment":{"status":"FAILED"}}"#,
            r#"{"dealReference":"D1","payment":{"status":"FAILED"}}"#,
            r#"{"dealNumber":"D1","payment":{"status":"FAILED"}}"#,
            r#"{"amount":1,"name":"Jo"}"#,
            r#"{"amount":1,"name":"Rejected goods"}"#,
            r#"{"dealId":"D1","deleted":false}"#,
            r#"{"dealId":"D1","updated":false}"#,
            r#"{"dealId":"D1","removed":false}"#,
            r#"{"dealId":"D1","revoked":false,"status":"BOOKED"}"#,
            r#"{"dealId":"D1","booked":false,"status":"PENDING"}"#,
            r#"{"booked":false,"status":"PENDING"}"#,
            r#"{"dealId":"D1","approved":"N","status":"AWAITING_APPROVAL"}"#,
            r#"{"dealId":"D1","message":"Deal booked. 0 legs failed"}"#,
            r#"{"dealId":"D1","message":"Deal booked. Funds not received by 17:00 are rejected"}"#,
            r#"{"dealId":"D1","message":"Completed with no validation errors"}"#,
            r#"{"dealId":"D1","message":"Errors: 0"}"#,
            r#"{"dealId":"D1","message":"Errors: none"}"#,
            r#"{"dealId":"D1","message":"Error free"}"#,
            r#"{"dealId":"D1","status":"NOT_SETTLED"}"#,
            r#"{"dealId":"D1","status":"NOT_YET_PROCESSED"}"#,
            r#"{"dealId":"D1","status":"LIMIT"}"#,
            r#"{"dealId":"D1","status":"LIMIT_ORDER"}"#,
            r#"{"dealId":"D1","code":450}"#,
            r#"{"dealId":"D1","previousStatus":"FAILED"}"#,
            r#"{"dealId":"D1","legs":[{"status":"FAILED"},{"status":"BOOKED"}]}"#,
            r#"{"deal":{"id":"D1"},"quote":{"id":"q","status":"EXPIRED"}}"#,
            r#"{"data":{"id":"D1"},"warnings":[{"code":"LIMIT_EXCEEDED","message":"x"}],"version":1}"#,
            r#"{"deal":{"id":"D1","status":"BOOKED"},"fees":[{"code":"F1","message":"x"}]}"#,
            r#"{"id":"x","status":"awaiting_funds","deposit_required":false,"deposit_status":"not_required"}"#,
            r#"{"dealId":"D1","paymentStatus":"NOT_PAID"}"#,
            r#"{"dealId":"D1","paymentStatus":"Not Received"}"#,
            r#"{"dealId":"D1","status":"NotFunded"}"#,
            r#"{"dealId":"D1","status":"Incomplete"}"#,
            r#"{"dealId":"D1","kycStatus":"Not Applicable"}"#,
            r#"{"dealId":"D1","refundState":"NOT_REFUNDED"}"#,
            r#"{"dealId":"D1","isApproved":false,"status":"AWAITING_APPROVAL"}"#,
            r#"{"dealId":"D1","notifyOnError":true}"#,
            r#"{"dealId":"D1","stop_on_error":true}"#,
            r#"{"dealId":"D1","ignoreErrors":true}"#,
            r#"{"dealId":"D1","errorEmail":"ops@x.example"}"#,
            r#"{"dealId":"D1","errorHandler":"default"}"#,
            r#"{"dealId":"D1","rejectionDeadline":"2026-12-01"}"#,
            r#"{"dealId":"D1","status":"Created","name":"Limited"}"#,
            r#"{"deal":{"id":"D1"},"beneficiary":{"id":"b","name":"FAILSAFE"}}"#,
            r#"{"dealId":"D1","success":"Not applicable"}"#,
            r#"{"dealNumber":"D1","funds":{"received":false}}"#,
            r#"{"deal":{"dealId":"D1","status":"Booked"},"payment":{"received":false}}"#,
            r#"{"deal":{"dealId":"D1"},"beneficiary":{"approved":false}}"#,
            r#"{"dealNumber":"D1","status":"OK","beneficiary":{"status":"REJECTED"}}"#,
            r#"{"dealNumber":"D1","fees":[{"waived":true,"status":"CANCELLED"}]}"#,
            r#"{"dealNumber":"D1","promotion":{"code":"X","status":"EXPIRED"}}"#,
            r#"{"dealNumber":"D1","rate":{"expired":true}}"#,
            r#"{"dealNumber":"D1","company":{"registrationStatus":"NOT_REGISTERED"}}"#,
            r#"{"dealNumber":"D1","payments":[{"submitted":false}]}"#,
            r#"{"deal":{"dealId":"D1","status":"Booked"},"order":{"id":"D0","status":"EXPIRED"}}"#,
            r#"{"deal":{"dealId":"D1","status":"Booked"},"replaces":{"id":"D0","status":"CANCELLED"}}"#,
            r#"{"deal":{"dealId":"D1","status":"Booked"},"payments":[{"status":"FAILED"}]}"#,
            r#"{"deals":[{"id":"D1","status":"Booked"},{"id":"D0","status":"CANCELLED"}]}"#,
            r#"{"deals":[{"id":"D1","status":"Booked"},{"id":"D0","status":"CANCELLED"}],"count":2}"#,
            r#"{"dealId":"D1","status":"Booked","order":{"status":"CANCELLED"}}"#,
            r#"{"orderNo":"1","message":"Funds for rejected goods"}"#,
            r#"{"dealRef":"1","message":"Funds for rejected goods"}"#,
            r#"{"dealId":"D1","supportId":"A1","message":"Refund for rejected goods"}"#,
            r#"{"beneficiaryId":"b","name":"Failsafe"}"#,
            r#"{"beneficiaryId":"b","approved":true,"message":"Beneficiary created"}"#,
            r#"{"dealId":"D1","status":"Open","details":"Missing invoice"}"#,
            r#"{"status":"BOOKED","message":"Declined"}"#,
            r#"{"status":"processed","reason":"Refund for rejected goods"}"#,
            r#"{"lastResult":{"status":"REJECTED"},"version":1}"#,
            // An id says that it was done as well as a status does: what stands further in is then of a part of it, or of
            // another thing.
            r#"{"deal":{"approved":"N"},"status":"AWAITING_APPROVAL"}"#,
            r#"{"dealReference":"D1","deal":{"booked":false}}"#,
            r#"{"dealId":"D1","records":[{"status":"FAILED"}]}"#,
            r#"{"status":"BOOKED","items":[{"status":"CANCELLED"}]}"#,
            r#"{"detail":{"dealId":"D1","rate":"1.2"},"payment":{"status":"FAILED"}}"#,
            r#"{"beneficiaryId":"b","status":"ACTIVE","name":"Failsafe","message":"Beneficiary added"}"#,
            r#"{"beneficiaryId":"b","status":"SUCCESS","name":"Failsafe","message":"Beneficiary added"}"#,
            r#"{"booked":true,"message":"Declined"}"#,
            // A status in words is a word or two; a number is the provider's own, and no status of HTTP.
            r#"{"dealId":"D1","dealStatusCode":450}"#,
            r#"{"dealId":"D1","dealStatusCode":"450"}"#,
            r#"{"dealId":"D1","statusDescription":"The first of your quotes was rejected by the desk"}"#,
        ];
        for object in done {
            assert_eq!(error_of_effect(&members(object)), None, "{object}");
        }
        // What is read may be a thing that failed.
        for read in [
            r#"{"id":"1","status":"FAILED"}"#,
            r#"{"id":"1","booked":false}"#,
            r#"{"id":null}"#,
            r#"{"status":"CANCELLED"}"#,
            r#"{"deals":[{"error":"x"}]}"#,
            r#"{"statusDescription":"Rejected"}"#,
            r#"{"data":[{"error":"x"}]}"#,
            r#"{"deal":{"error":"x"}}"#,
            r#"{"dealId":"D1","status":"FAILED","error":{"code":"X"}}"#,
            r#"{"dealId":"D1","errorMessage":"late"}"#,
            r#"{"id":"D1","status":"FAILED","error":{"code":"X"}}"#,
        ] {
            assert_eq!(error_in(&members(read)), None, "{read}");
        }
    }

    #[test]
    fn where_nothing_was_to_come_a_denial_is_an_error_and_what_came_to_its_end_is_none() {
        for (object, is_error) in [
            (r#"{"status":"INTERNAL_SERVER_ERROR"}"#, true),
            (r#"{"failed":true,"message":"in use"}"#, true),
            (r#"{"flag":true,"code":"X","message":"y"}"#, false),
            (r#"{"deleted":true,"message":"its tokens are now invalid"}"#, false),
            (r#"{"deleted":false}"#, true),
            (r#"{"deleted":false,"message":"in use"}"#, true),
            (r#"{"id":"c1","deleted":false}"#, true),
            (r#"{"message":"Consent was not deleted"}"#, true),
            (r#"{"code":"CONSENT_EXPIRED","message":"x"}"#, true),
            (r#"{"code":1,"message":"Deleted successfully"}"#, false),
            (r#"{"code":"REVOKED","message":"consent revoked"}"#, false),
            (r#"{"code":"S0001","message":"Consent removed"}"#, false),
            (r#"{"code":"CONSENT_DELETED","message":"x"}"#, false),
            (r#"{"code":"DEFAULT"}"#, false),
            (r#"{"id":"c1","status":"expired"}"#, false),
            (r#"{"status":"terminatedByTpp"}"#, false),
            (r#"{"message":"Consent cancelled"}"#, false),
            (r#"{"message":"Consent was already deleted"}"#, false),
            (r#"{"consent":null}"#, false),
            (r#"{"message":"0 consents deleted"}"#, true),
            (r#"{"message":"No consent was deleted"}"#, true),
            (r#"{"id":"c1","message":"The consent was not deleted"}"#, true),
            (r#"{"code":"C17","message":"Request received, consent in use"}"#, true),
            (r#"{"deleted":0}"#, true),
            (r#"{"consent":{"status":"FAILED"},"version":1}"#, true),
            (r#"{"consent":{"approved":false},"version":1}"#, true),
            (r#"{"previousConsent":{"status":"FAILED"},"version":1}"#, false),
            (r#"{"consentId":"c","consent":{"status":"FAILED"}}"#, true),
            (r#"{"deleted":true,"account":{"status":"FAILED"}}"#, false),
            (r#"{"result":false}"#, true),
            (r#"{"status":false}"#, true),
            (r#"{"status":"NOT_CONFIRMED"}"#, true),
            (r#"{"id":"t","name":"Failure","default":false}"#, false),
            (r#"{"id":"c","cancelled":true}"#, false),
            (
                r#"{"id":"c","status":"authorized","error_callback":"https://x"}"#,
                false,
            ),
            (r#"{"received":true,"status":"FAILED"}"#, true),
            (r#"{"processed":true,"deleted":false}"#, true),
            (r#"{"received":true,"code":"C17","message":"consent in use"}"#, true),
            (r#"{"errorCode":"CONSENT_REVOKED"}"#, true),
            (
                r#"{"status":"terminatedByTpp","reason":"customer rejected the terms"}"#,
                false,
            ),
            (r#"{"message":"Consent deleted; its tokens are now invalid"}"#, false),
            (r#"{"consentId":"c","status":"revoked","failedAttempts":1}"#, false),
        ] {
            assert_eq!(error_for_nothing(&members(object)).is_some(), is_error, "{object}");
        }
    }

    #[test]
    fn names_that_go_on_after_an_error_and_what_denies_one_are_none() {
        for beside in [
            r#""errorUrl":"https://bank.example/e""#,
            r#""errorRedirectURI":"https://bank.example/e""#,
            r#""errorRedirectUri":"x""#,
            r#""error_redirect_url":"x""#,
            r#""errorReportUrl":"x""#,
            r#""errors_url":"x""#,
            r#""errorHandling":"CONTINUE""#,
            r#""onError":"continue""#,
            r#""faultTolerance":"0.01""#,
            r#""errorMargin":0.5"#,
            r#""errorThreshold":0.5"#,
            r#""meta":{"errorRate":0.01}"#,
            r#""meta":{"errors":{"total":0,"url":"/errors"}}"#,
            r#""errors":{"items":[],"href":"/x"}"#,
            r#""hasError":"N""#,
            r#""errorFlag":"F""#,
            r#""errorIndicator":"n""#,
            r#""errorMessage":"No errors found""#,
            r#""errorMessage":"Request successful""#,
            r#""errorCode":"00000","errorMessage":"Operation completed successfully""#,
            r#""errorCode":"S""#,
            r#""errorCode":"E0000","errorMessage":"Success""#,
            r#""errorCode":1,"errorMessage":"Success""#,
            r#""errorCode":"0","errorMessage":"Deal booked""#,
            r#""errorCode":"0","errorType":"INFO""#,
            r#""errorMessage":"Errors: 0""#,
            r#""errorMessage":"Error free""#,
            r#""errorLevel":"INFO""#,
            r#""errorDescription":"N.A.""#,
            r#""errorPolicy":"CONTINUE""#,
            r#""errorContact":"support@bank.example""#,
            r#""roundingError":"0.004""#,
            r#""error":{"code":0,"message":"No error occurred"}"#,
            r#""error":{"id":"e0","code":0,"message":""}"#,
            r#""error":{"hasError":false,"message":"none"}"#,
            r#""errorDetails":{"status":"OK","timestamp":"t"}"#,
        ] {
            let object = members(&format!(r#"{{"id":"1",{beside}}}"#));
            let told = [
                error_in(&object),
                error_of_effect(&object),
                error_beside(&object, &["id"]),
            ];
            assert_eq!(told, [None; 3], "{beside}");
        }
        for beside in [
            r#""error_uri":"https://bank.example/e""#,
            r#""errorCount":"2""#,
            r#""errors":{"total":2,"url":"/errors"}"#,
            r#""errorCode":"0","errorMessage":"Insufficient funds""#,
            r#""errorCode":"0","errors":[{"code":"LIMIT"}]"#,
            r#""errorCode":"Q17","errorMessage":"Success""#,
            r#""errorCode":1,"errorMessage":"x""#,
            r#""errorCode":1,"errorMessage":"Deal booked""#,
            r#""errors":[{"code":"CONSENT_REVOKED","message":"The consent was revoked"}]"#,
            r#""errors":[{"code":"TOKEN_REVOKED","detail":"x"}]"#,
            r#""error":{"code":"ACCOUNT_TERMINATED","message":"x"}"#,
            r#""errorCode":"ACCOUNT_DELETED","errorMessage":"the account is gone""#,
            r#""errorCode":"CONSENT_REVOKED""#,
            r#""errorCode":"DEAL_COMPLETED""#,
            r#""errorCode":"TRADE_BOOKED","errorMessage":"this quote is gone""#,
            r#""error":{"code":"QUOTE_EXECUTED"}"#,
            r#""error":"quote no longer ok""#,
            r#""errorMessage":"approved funds only""#,
            r#""error":{"code":1,"message":"deal booked by another"}"#,
            r#""errorLevel":"FATAL""#,
            r#""errorCode":1"#,
            r#""error":"the quote was booked by another""#,
            r#""error":{"status":200,"code":"Q17","message":"the quote is gone"}"#,
            r#""error":{"status":200,"message":"the quote is gone"}"#,
            r#""error":{"url":"/x","id":"e1"}"#,
            r#""error":"half a sur\ud800rogate""#,
            r#""error":{"code":0,"code":1}"#,
            r#""errors":[{"code":0},{"code":"Q17"}]"#,
        ] {
            let object = members(&format!(r#"{{"id":"1",{beside}}}"#));
            assert!(error_beside(&object, &["id"]).is_some(), "{beside}");
            assert!(error_of_effect(&object).is_some(), "{beside}");
            let empty = members(&format!(r#"{{"items":[],{beside}}}"#));
            assert!(error_of_no_items(&empty, &["items"], &[], true).is_some(), "{beside}");
        }
        // A code of no error is one of a page; of a call that changed something, words beside it are an error's.
        for beside in [
            r#""errorCode":"204","errorMessage":"upstream gone""#,
            r#""errorCode":"0","errorMessage":"quote gone""#,
            r#""errorCode":"0","errorMessage":"450 of them are gone""#,
            r#""error":{"code":"00","message":"quote gone"}"#,
        ] {
            let object = members(&format!(r#"{{"id":"1",{beside}}}"#));
            assert!(error_of_effect(&object).is_some(), "{beside}");
            assert!(error_for_nothing(&object).is_some(), "{beside}");
            assert_eq!(error_beside(&object, &["id"]), None, "{beside}");
        }
    }

    #[test]
    fn words_in_the_place_of_a_reply_are_those_of_an_error_of_a_success_or_of_neither() {
        for (text, of_an_error, of_a_success) in [
            ("INTERNAL_SERVER_ERROR", true, false),
            ("false", true, false),
            (" No ", true, false),
            ("OK", false, true),
            ("Deal booked", false, true),
            ("CONSENT_DELETED", false, true),
            ("PENDING", false, false),
            ("noted", false, false),
            ("", false, false),
        ] {
            assert_eq!(
                (says_error(text), says_success(text)),
                (of_an_error, of_a_success),
                "{text}"
            );
        }
    }

    #[test]
    fn of_a_reply_no_more_is_read_than_says_what_became_of_its_call() {
        fn read(value: &Node) -> usize {
            match value {
                Node::Unread => 0,
                Node::Null | Node::Plain(_) => 1,
                Node::List(items) => 1 + items.iter().map(read).sum::<usize>(),
                Node::Object(members) => 1 + members.iter().map(|(_, value)| read(value)).sum::<usize>(),
            }
        }
        let rows = vec![r#"{"k":"v"}"#; 20_000].join(",");
        for name in ["data", "a"] {
            let around = format!("{{\"{name}\":").repeat(6);
            let object = members(&format!("{around}[{rows}]{}", "}".repeat(6)));
            assert_eq!(error_of_effect(&object), None);
            assert_eq!(
                object.iter().map(|(_, value)| read(&Node::of(value))).sum::<usize>(),
                1006
            );
        }
        let deep = members(&format!("{{\"a\":{}{}}}", "[".repeat(50_000), "]".repeat(50_000)));
        assert_eq!(error_of_effect(&deep), None);
        assert_eq!(deep.iter().map(|(_, value)| read(&Node::of(value))).sum::<usize>(), 8);
        // Lists in lists are many values, too.
        let row = format!("[{}]", vec!["0"; 400].join(","));
        let rows: Json = format!("[{}]", vec![row; 400].join(",")).parse().unwrap();
        assert!(read(&Node::of(&rows)) < 10_000);
        let errors = vec!["0"; 20_000].join(",");
        let errors = members(&format!(r#"{{"id":"1","errors":[{errors},"x"]}}"#));
        assert_eq!(error_of_effect(&errors), Some("errors"));
    }
}
