//! Errors in the place of a list, or of a page of one.

use super::look::Look;
use super::names::CODES;
use super::told::{Told, others};
use crate::value::JsonMap;

/// Of a page without items, or of a report without any: the member that tells of an error in their stead. `described`: what
/// a page has where all is well; `codes`: members by which an error is known; `has_list`: the list is there, and empty. A message
/// alone may say that there are none, if the list is there to say so too.
pub(crate) fn error_of_no_items(
    page: &JsonMap,
    described: &[&str],
    codes: &[&'static str],
    has_list: bool,
) -> Option<&'static str> {
    let look = |codes| Look {
        has_list,
        ..Look::of_page(codes)
    };
    let told = Told::by(others(page, described), look(codes));
    let of_described = || {
        let members = page.iter().filter(|(name, _)| described.contains(name));
        Told::by(members, look(&[])).certain
    };
    let code = told.code.filter(|_| !told.is_informational);
    let own = code.filter(|code| !CODES.contains(code) && codes.contains(code));
    let rest = match has_list {
        true => own.or_else(|| code.filter(|_| told.is_message)),
        false => told.code.or(told.words),
    };
    let failed = || told.failed().or_else(|| told.unless_well(rest));
    let failed = || failed().filter(|_| !told.is_success);
    told.certain.or_else(of_described).or_else(failed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::Json;
    use crate::value::error_in_success::in_error::NO_ERRORS;
    #[test]
    fn a_page_without_items_is_known_for_an_error_by_what_its_success_does_not_have() {
        for (page, member) in [
            (r#"{"items":[],"error":"x"}"#, Some("error")),
            (r#"{"items":[],"success":false}"#, Some("success")),
            (r#"{"items":[],"code":601}"#, None),
            (r#"{"items":[],"code":601,"message":"no"}"#, Some("code")),
            (r#"{"items":[],"code":"NO_SUCH","title":"no"}"#, Some("code")),
            (r#"{"items":[],"code":0,"message":"fine"}"#, None),
            (r#"{"items":[],"code":"0000","message":"fine"}"#, None),
            (r#"{"items":[],"code":200,"message":"fine"}"#, None),
            (r#"{"items":[],"code":"299","message":"fine"}"#, None),
            (r#"{"items":[],"code":"300","message":"moved"}"#, Some("code")),
            (r#"{"items":[],"code":199,"message":"no"}"#, None),
            (r#"{"items":[],"code":1000,"message":"no"}"#, None),
            (r#"{"items":[],"meta":{"code":"NO_DATA","message":"none"}}"#, None),
            (r#"{"items":[],"code":" Ok ","message":"fine"}"#, None),
            (r#"{"items":[],"code":null,"message":"fine"}"#, None),
            (r#"{"items":[],"message":"there are none"}"#, None),
            (r#"{"items":[],"own_code":"LIMIT"}"#, Some("own-code")),
            (r#"{"items":[],"own_code":0}"#, None),
            (r#"{"items":[],"status":503}"#, Some("status")),
            (r#"{"items":[],"statusCode":"503 Down"}"#, Some("statuscode")),
            (r#"{"items":[],"status":"ERR"}"#, Some("status")),
            (r#"{"items":[],"status":200}"#, None),
            (r#"{"items":[],"state":503}"#, None),
            (r#"{"items":[],"meta":{"status":500}}"#, Some("meta")),
            (r#"{"items":[],"meta":{"count":0}}"#, None),
            (
                r#"{"items":[],"tppMessages":[{"category":"WARNING"},{"category":"error"}]}"#,
                Some("tppmessages"),
            ),
            (
                r#"{"items":[],"tppMessages":[{"category":"WARNING","text":"ERROR"}]}"#,
                None,
            ),
            (r#"{"items":[],"messages":{"Severity":"FATAL"}}"#, Some("messages")),
            (r#"{"items":[],"messages":["there are none"]}"#, None),
            // What a page is described with says nothing of an error.
            (r#"{"items":[],"result":"ERROR"}"#, None),
        ] {
            let members: JsonMap = page.parse::<Json>().unwrap().parse().unwrap();
            let told = error_of_no_items(&members, &["items", "result"], &["own-code"], true);
            assert_eq!(told, member, "{page}");
        }
        // Where the list is not there, a message stands in its place.
        for (page, member) in [
            (r#"{"links":{},"message":"down"}"#, Some("message")),
            (r#"{"links":{},"type":"x"}"#, None),
            (r#"{"result":{"message":"x"}}"#, None),
            (r#"{"data":{"id":1}}"#, None),
        ] {
            let members: JsonMap = page.parse::<Json>().unwrap().parse().unwrap();
            assert_eq!(error_of_no_items(&members, &["result"], &[], false), member, "{page}");
        }
    }

    fn members(object: &str) -> JsonMap {
        object.parse::<Json>().unwrap().parse().unwrap()
    }

    /// Beside a list that is there and empty, what is no failure says why there are none.
    #[test]
    fn an_empty_list_is_one_beside_what_tells_of_no_failure() {
        let good = [
            r#""meta":{"code":200,"message":"OK"}"#,
            r#""meta":{"status":"success","message":"OK"}"#,
            r#""meta":{"title":"Transactions"}"#,
            r#""meta":{"description":"your transactions"}"#,
            r#""meta":{"total":0,"message":"none"}"#,
            r#""result":{"code":0,"message":"ok"}"#,
            r#""result":{"message":"no movements"}"#,
            r#""response":{"code":"00","message":"Approved"}"#,
            r#""code":"NO_TRANSACTIONS_FOUND","message":"none in this period""#,
            r#""code":"NO_DATA","message":"x""#,
            r#""code":"EMPTY","message":"x""#,
            r#""code":1,"message":"Success""#,
            r#""code":1,"message":"x""#,
            r#""code":"200 OK""#,
            r#""code":"200 OK","message":"x""#,
            r#""code":"APPROVED","message":"x""#,
            r#""code":100,"message":"x""#,
            r#""code":"2000","message":"x""#,
            r#""code":"DEFAULT""#,
            r#""meta":{"code":"DEFAULT"}"#,
            r#""code":"UNLIMITED""#,
            r#""code":"NO_CUSTOMERS","message":"x""#,
            r#""code":"NoContent","message":"x""#,
            r#""code":"ZERO_RESULTS","message":"x""#,
            r#""code":"NOTHING_FOUND","message":"x""#,
            r#""code":"RESULT_EMPTY","message":"x""#,
            r#""code":"SUCCESS_NO_DATA","message":"x""#,
            r#""code":"NO_PAYMENTS_RECEIVED","message":"x""#,
            r#""status":"NO_PAYMENTS_RECEIVED""#,
            r#""code":"S200","message":"x""#,
            r#""code":"N000","message":"No records found""#,
            r#""code":"INFO_1","message":"No customers yet""#,
            r#""message":"not found""#,
            r#""failed":3"#,
            r#""booked":false"#,
            r#""status":"EXPIRED""#,
            // The states that were asked for.
            r#""status":["FAILED","BOOKED"]"#,
            r#""status":{"value":"FAILED"}"#,
            r#""status":"ZERO_RESULTS","message":"x""#,
            r#""code":"20000","message":"x""#,
            r#""title":"Transactions","code":"TX""#,
            r#""title":"Movements","code":"M1""#,
            r#""success":0"#,
            r#""status":1000"#,
        ];
        for beside in good.iter().chain(NO_ERRORS) {
            let page = members(&format!(r#"{{"items":[],{beside}}}"#));
            for codes in [&[][..], &["code", "error_code", "errorCode"]] {
                assert_eq!(error_of_no_items(&page, &["items"], codes, true), None, "{beside}");
            }
        }
        for beside in [
            r#""code":"NO_CONTRACT","message":"x""#,
            r#""code":"NOT_FOUND","message":"x""#,
            r#""code":"X","message":"x""#,
            r#""code":-1,"message":"x""#,
            r#""code":40101,"message":"x""#,
            r#""code":601,"message":"x""#,
            r#""code":"unauthorized""#,
            r#""code":500"#,
            r#""meta":{"code":"X","message":"x"}"#,
            r#""response":{"status":"failed"}"#,
            r#""data":{"success":false}"#,
            r#""success":"0""#,
            r#""status":"rejected","code":0"#,
            r#""status":"TIMEOUT","message":"upstream timed out""#,
            r#""status":"INTERNAL_SERVER_ERROR""#,
            r#""failed":true"#,
            r#""httpCode":"500""#,
            r#""@type":"hydra:Error""#,
            r#""code":"CONSENT_REVOKED""#,
            r#""code":"CONSENT_REVOKED","message":"x""#,
            r#""accountId":"a","errorCode":"LIMIT""#,
        ] {
            let page = members(&format!(r#"{{"items":[],{beside}}}"#));
            assert!(error_of_no_items(&page, &["items"], &[], true).is_some(), "{beside}");
        }
    }

    /// Where the list is missing, a message or a code stands in its place, unless it is that of a success.
    #[test]
    fn a_list_that_is_missing_is_no_empty_one_beside_words_or_a_code() {
        for (page, is_error) in [
            (r#"{"items":null,"message":"Service unavailable"}"#, true),
            (r#"{"items":null,"code":500}"#, true),
            (r#"{"items":null,"code":"X","message":"x"}"#, true),
            (r#"{"items":null,"success":0}"#, true),
            (r#"{"items":null,"paging":null,"status":"TIMEOUT"}"#, true),
            (r#"{"paging":{"next":null},"status":"SERVICE_UNAVAILABLE"}"#, true),
            (r#"{"items":null,"meta":{"message":"down"}}"#, true),
            (r#"{"items":null,"code":"CONSENT_REVOKED"}"#, true),
            (r#"{"items":null,"message":"The consent was revoked"}"#, true),
            (r#"{"items":null,"status":"REVOKED","message":"x"}"#, true),
            (
                r#"{"@context":"/contexts/Error","@type":"hydra:Error","hydra:title":"x"}"#,
                true,
            ),
            (r#"{"@type":"hydra:Error"}"#, true),
            (r#"{"hydra:title":"An error occurred"}"#, true),
            (r#"{"items":null,"success":true,"message":"none"}"#, false),
            (r#"{"items":null,"code":200,"message":"none"}"#, false),
            (r#"{"items":null,"@type":"hydra:Collection"}"#, false),
            (r#"{"items":null,"count":0}"#, false),
        ] {
            let told = error_of_no_items(&members(page), &["items"], &[], false);
            assert_eq!(told.is_some(), is_error, "{page}");
        }
    }
}
