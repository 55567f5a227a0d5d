//! Replies that come in pages: where the next one is asked for, and where not.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod recorder;

use finrail::transport::Problem;
use finrail::{Connection, Error, finexer, grant, mx, omnifund, tatrabanka};
use recorder::{Answer, Recorder, Seen};

const REDIRECT: &str = "https://app.example.com/callback";

/// A user's connection to the recorder, whose calls go to paths below `prefix`.
async fn connect<P: grant::AuthorizationCode>(
    recorder: &Recorder,
    prefix: &str,
    scopes: &[&'static str],
) -> Connection<P> {
    let app = finrail::App::<P>::builder()
        .base_url(format!("{}{prefix}", recorder.origin()))
        .credentials(finrail::Credentials::new("client", "secret"))
        .redirect_uri(REDIRECT)
        .build()
        .unwrap();
    let pending = app.authorize(scopes.iter().copied()).unwrap().pending;
    let callback = format!("{REDIRECT}?code=code-1&state={}", pending.state().expose_secret());
    app.finish(pending, &callback).await.unwrap()
}

#[tokio::test]
async fn pages_by_cursor_end_when_there_is_no_next_and_stop_at_a_repeated_one() {
    let page = |ids: &str, next: &str| {
        let accounts: Vec<String> = ids
            .chars()
            .map(|id| format!(r#"{{"depositAccount":{{"accountId":"{id}"}}}}"#))
            .collect();
        format!(r#"{{"accounts":[{}]{next}}}"#, accounts.join(","))
    };
    let next = |cursor: &str| format!(r#","page":{{"nextOffset":"{cursor}","total":5}}"#);
    for (last, whole) in [
        ("", true),
        (r#","page":null"#, true),
        (r#","page":{}"#, true),
        (&*next("x1"), false),
        (&*next(""), true),
    ] {
        let pages = [page("ab", &next("x1")), page("", &next("x 2&")), page("c", last)];
        let recorder = Recorder::granting(move |_, before| Answer::json(pages[before.min(2)].clone())).await;
        let user = connect::<mx::Provider>(&recorder, "", &["accounts"]).await;
        let mut items = user.client().list_accounts().limit(2).items();
        let mut read = 0;
        let end = loop {
            match items.next().await {
                Some(Ok(_)) => read += 1,
                Some(Err(error)) => break Some(error),
                None => break None,
            }
        };
        match end {
            None => assert!(whole && read == 3, "{last}"),
            Some(error) => {
                let Error::InvalidReply(reply) = &error else {
                    panic!("{error:?}")
                };
                assert!(
                    !whole && matches!(reply.problem, Problem::RepeatedPage),
                    "{last}: {error}"
                );
                assert_eq!(read, 3, "the last page is given before what is wrong with its cursor");
            }
        }
        let targets: Vec<String> = recorder.calls().iter().map(|call| call.target.clone()).collect();
        assert_eq!(targets.len(), 3);
        assert!(
            targets[1].ends_with("?limit=2&offset=x1") || targets[1].ends_with("?offset=x1&limit=2"),
            "{targets:?}"
        );
        assert_eq!(
            recorder.calls()[2]
                .query()
                .into_iter()
                .find(|(name, _)| name == "offset")
                .unwrap()
                .1,
            "x 2&"
        );
    }
}

#[tokio::test]
async fn the_cursor_that_a_call_begins_with_is_that_of_a_page_too() {
    let page = |next: &str| {
        format!(r#"{{"accounts":[{{"depositAccount":{{"accountId":"a"}}}}],"page":{{"nextOffset":"{next}"}}}}"#)
    };
    for (nexts, read, repeats) in [
        (["x", "x", "x"], 1, true),
        (["y", "x", ""], 2, true),
        // No cursor, but another parameter's value.
        (["2", "y", ""], 3, false),
    ] {
        let recorder = Recorder::granting(move |_, before| Answer::json(page(nexts[before.min(2)]))).await;
        let user = connect::<mx::Provider>(&recorder, "", &["accounts"]).await;
        let mut items = user.client().list_accounts().limit(2).offset("x").items();
        let mut found = 0;
        let end = loop {
            match items.next().await {
                Some(Ok(_)) => found += 1,
                Some(Err(error)) => break Some(error),
                None => break None,
            }
        };
        let is_repeated =
            |error: &_| matches!(error, Error::InvalidReply(reply) if matches!(reply.problem, Problem::RepeatedPage));
        assert_eq!(found, read, "{nexts:?}");
        assert_eq!(end.as_ref().is_some_and(is_repeated), repeats, "{nexts:?}: {end:?}");
        let asked = recorder.calls().len();
        items.resume();
        assert_eq!(items.next().await.is_some_and(|item| item.is_err()), repeats);
        assert_eq!(recorder.calls().len(), asked, "nothing is left that could be asked for");
    }
}

#[tokio::test]
async fn what_stands_in_the_place_of_a_next_page_and_is_none_is_the_end() {
    let words = [
        "null",
        "false",
        "0",
        "-1",
        r#""null""#,
        r#""None""#,
        r#""-1""#,
        r#""false""#,
        r#""0""#,
        r#""undefined""#,
    ];
    for next in words {
        let by_link = format!(r#"{{"data":[{{"id":"c"}}],"paging":{{"next":{next}}}}}"#);
        let recorder = Recorder::granting(move |_, _| Answer::json(by_link.clone())).await;
        let user = connect::<finexer::Provider>(&recorder, "", &["accounts"]).await;
        let read = user.client().list_customers().items().try_collect().await;
        assert_eq!((read.unwrap().len(), recorder.calls().len()), (1, 1), "{next}");
        let by_cursor =
            format!(r#"{{"accounts":[{{"depositAccount":{{"accountId":"a"}}}}],"page":{{"nextOffset":{next}}}}}"#);
        let recorder = Recorder::granting(move |_, _| Answer::json(by_cursor.clone())).await;
        let user = connect::<mx::Provider>(&recorder, "", &["accounts"]).await;
        let read = user.client().list_accounts().items().try_collect().await;
        assert_eq!((read.unwrap().len(), recorder.calls().len()), (1, 1), "{next}");
    }
    // It is named elsewhere all the same.
    let page = r#"{"data":[{"id":"c"}],"paging":{"next":"none"},"next_page_url":"/x"}"#;
    let recorder = Recorder::granting(move |_, _| Answer::json(page)).await;
    let user = connect::<finexer::Provider>(&recorder, "", &["accounts"]).await;
    user.client().list_customers().items().try_collect().await.unwrap_err();
}

#[tokio::test]
async fn an_error_of_a_further_page_is_the_providers_own() {
    let page = r#"{"transactions":{"booked":[{"transactionId":"t"}]},"_links":{"next":{"href":"?page=2"}}}"#;
    let recorder = Recorder::granting(move |_, before| match before {
        0 => Answer::json(page),
        _ => Answer::status(400, r#"{"errorCode":"FORMAT_ERROR"}"#),
    })
    .await;
    let user = connect::<tatrabanka::Provider>(&recorder, "", &["PREMIUM_AIS"]).await;
    let mut items = user.client().list_transactions().account_id("a").items();
    items.next().await.unwrap().unwrap();
    let error = items.next().await.unwrap().unwrap_err();
    assert!(matches!(error, Error::ErrorResponse(_)), "{error:?}");
}

#[tokio::test]
async fn a_further_page_with_nothing_in_it_is_no_end_and_is_asked_for_again() {
    for nothing in ["{}", " {\n} "] {
        let recorder = Recorder::granting(move |_, before| match before {
            0 => Answer::json(r#"{"transactions":[{"transactionId":"a"}],"_links":{"next":{"href":"?page=2"}}}"#),
            1 => Answer::json(nothing),
            _ => Answer::json(r#"{"transactions":[{"transactionId":"b"}]}"#),
        })
        .await;
        let user = connect::<tatrabanka::Provider>(&recorder, "", &["PREMIUM_AIS"]).await;
        let mut items = user.client().list_transactions().account_id("a").items();
        items.next().await.unwrap().unwrap();
        let error = items.next().await.unwrap().unwrap_err();
        assert!(error.to_string().contains("nothing is in it"), "{error}");
        items.resume();
        items.next().await.unwrap().unwrap();
        assert!(items.next().await.is_none());
        let targets: Vec<_> = recorder
            .calls()
            .iter()
            .map(|call| call.target.contains("page=2"))
            .collect();
        assert_eq!(targets, [false, true, true]);
    }
    // Of a list that has none it is all there is.
    let recorder = Recorder::granting(|_, _| Answer::json("{}")).await;
    let user = connect::<tatrabanka::Provider>(&recorder, "", &["PREMIUM_AIS"]).await;
    let items = user.client().list_transactions().account_id("a").items();
    assert!(items.try_collect().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_first_page_that_failed_is_asked_for_again() {
    let first = |answer: &'static str| {
        Recorder::granting(move |_, before| match before {
            0 => Answer::status(400, r#"{"error":{"message":"no"}}"#),
            _ => Answer::json(answer),
        })
    };
    let recorder = first(r#"{"transactions":{"booked":[{"transactionId":"t"}]}}"#).await;
    let user = connect::<tatrabanka::Provider>(&recorder, "", &["PREMIUM_AIS"]).await;
    let mut items = user.client().list_transactions().account_id("a").items();
    items.next().await.unwrap().unwrap_err();
    items.resume();
    items.next().await.unwrap().unwrap();
    assert!(items.next().await.is_none());
    let recorder = first(r#"{"accounts":[{"depositAccount":{"accountId":"a"}}]}"#).await;
    let user = connect::<mx::Provider>(&recorder, "", &["accounts"]).await;
    let mut items = user.client().list_accounts().items();
    items.next().await.unwrap().unwrap_err();
    items.resume();
    items.next().await.unwrap().unwrap();
}

/// A list does not seem to be whole where its own report names another page.
#[tokio::test]
async fn a_link_to_the_next_page_that_stands_where_nobody_follows_it_is_no_end() {
    for (links, is_whole) in [
        (r#"{"next":{"href":"/v5/accounts/a/transactions?page=2"}}"#, false),
        (r#"{"next":"?page=2"}"#, false),
        (r#"{"next":null}"#, true),
        (r#"{"account":{"href":"/v5/accounts/a"}}"#, true),
        (r#"{"Next":{"href":"?page=2"}}"#, false),
        (r#"[{"rel":"next last","href":"?page=2"}]"#, false),
    ] {
        let page = format!(r#"{{"transactions":{{"booked":[{{"transactionId":"t"}}],"_links":{links}}}}}"#);
        assert_whole(&page, is_whole).await;
    }
    // By what the report says of the page.
    for (beside, is_whole) in [
        (r#""nextPage":1,"currentPage":1"#, true),
        (r#""hasMore":false,"nextCursor":"x""#, true),
        (r#""nextPage":2,"currentPage":1"#, false),
        (r#""hasMore":true"#, false),
    ] {
        let page = format!(r#"{{"transactions":{{"booked":[{{"transactionId":"t"}}],{beside}}}}}"#);
        assert_whole(&page, is_whole).await;
    }
    // Beside the list, in another form than the one that is followed.
    for (beside, is_whole) in [
        (r#""_links":{"next":{"url":"?page=2"}}"#, false),
        (r#""_links":{"next":{"HREF":"?page=2"}}"#, false),
        (r#""_links":{"Next":{"href":"?page=2"}}"#, false),
        (r#""links":{"next":{"href":"?page=2"}}"#, false),
        (r#""next":"?page=2""#, false),
        (
            r#""_links":{"next":{"href":null,"title":"x"},"self":{"href":"/x"}}"#,
            true,
        ),
        (r#""meta":{"total":1},"links":{"self":"/x"}"#, true),
    ] {
        for items in [r#"{"transactionId":"t"}"#, r#"{"transactionId":"t"},{"new":1}"#] {
            let page = format!(r#"{{"transactions":[{items}],{beside}}}"#);
            assert_whole(&page, is_whole).await;
        }
    }
}

/// Whether a page of transactions is taken for the end of its list.
async fn assert_whole(page: &str, is_whole: bool) {
    let answer = page.to_owned();
    let recorder = Recorder::granting(move |_, _| Answer::json(answer.clone())).await;
    let user = connect::<tatrabanka::Provider>(&recorder, "", &["PREMIUM_AIS"]).await;
    let call = user.client().list_transactions().account_id("a");
    assert_eq!(call.items().collect_readable().await.is_ok(), is_whole, "{page}");
}

/// What the call asked for does not change from page to page.
#[tokio::test]
async fn a_link_that_leaves_out_or_changes_a_filter_of_the_call_is_not_followed() {
    for (next, is_followed) in [
        ("/consents?customer=cus_A&offset=1", true),
        ("/consents?cursor=x7", true),
        ("/consents?offset=1", false),
        ("/consents?customer=cus_B&offset=1", false),
        ("/consents?customer=cus_A&customer=cus_B&offset=1", false),
    ] {
        let recorder = Recorder::granting(move |_, before| match before {
            0 => Answer::json(format!(r#"{{"data":[{{"id":"c1"}}],"paging":{{"next":"{next}"}}}}"#)),
            _ => Answer::json(r#"{"data":[{"id":"c2"}],"paging":{"next":null}}"#),
        })
        .await;
        let user = connect::<finexer::Provider>(&recorder, "", &[]).await;
        let read = user
            .client()
            .list_consents()
            .customer("cus_A")
            .items()
            .try_collect()
            .await;
        assert_eq!(read.is_ok(), is_followed, "{next}");
        let told = read.err().map(|error| error.to_string()).unwrap_or_default();
        assert_eq!(told.contains("another resource"), !is_followed, "{next}: {told}");
    }
    // Tatra banka's link has all that the next page needs, and still asks for no other days.
    for (next, is_followed) in [
        ("?page=2", true),
        ("?page=2&dateFrom=2026-10-02", false),
        // All of the account's, from its first day.
        ("/v5/accounts/a/transactions", false),
        ("?", false),
    ] {
        let page = format!(r#"{{"transactions":[{{"transactionId":"t"}}],"_links":{{"next":{{"href":"{next}"}}}}}}"#);
        let recorder = Recorder::granting(move |_, before| match before {
            0 => Answer::json(page.clone()),
            _ => Answer::json(r#"{"transactions":[]}"#),
        })
        .await;
        let user = connect::<tatrabanka::Provider>(&recorder, "", &["PREMIUM_AIS"]).await;
        let day: chrono::NaiveDate = "2026-10-01".parse().unwrap();
        let call = user.client().list_transactions().account_id("a").date_from(day);
        assert_eq!(call.items().try_collect().await.is_ok(), is_followed, "{next}");
    }
}

/// An error is no list without items.
#[tokio::test]
async fn a_page_that_has_an_error_in_the_place_of_its_items_is_not_empty() {
    for (body, is_page) in [
        (r#"{"transactions":null,"error":"x"}"#, false),
        (r#"{"transactions":[],"errors":[{"code":"X"}]}"#, false),
        (r#"{"_links":{},"error":"x"}"#, false),
        (r#"{"transactions":{"errors":[]}}"#, false),
        (r#"{"transactions":{"booked":[]},"statusCode":503}"#, false),
        (r#"{"transactions":{"booked":[],"success":false}}"#, false),
        (r#"{"transactions":{"booked":[],"code":"X","message":"x"}}"#, false),
        (r#"{"_links":{},"message":"down","code":"X"}"#, false),
        (r#"{"transactions":[],"success":"0"}"#, false),
        (r#"{"transactions":[],"errorCode":"X"}"#, false),
        (r#"{"transactions":[],"errorCode":"CONSENT_REVOKED"}"#, false),
        (r#"{"transactions":[],"code":"CONSENT_REVOKED"}"#, false),
        (r#"{"transactions":null,"code":"CONSENT_REVOKED","message":"x"}"#, false),
        (r#"{"transactions":[],"errorPolicy":"CONTINUE"}"#, true),
        (r#"{"transactions":[],"tppMessages":[{"category":"ERROR"}]}"#, false),
        (
            r#"{"transactions":{"tppMessages":[{"category":"ERROR"}],"booked":[]}}"#,
            false,
        ),
        (r#"{"errors":{"transactions":[{"code":"X"}]},"transactions":[]}"#, false),
        (r#"{"transactions":[],"tppMessages":[{"category":"WARNING"}]}"#, true),
        (r#"{"transactions":[],"message":"there are none"}"#, true),
        (r#"{"transactions":[],"status":200,"code":0,"message":"fine"}"#, true),
        (r#"{"transactions":{"total":5}}"#, false),
        (r#"{"transactions":{"total":0}}"#, true),
        (r#"{"transactions":[],"errors":[]}"#, true),
        (r#"{"transactions":null}"#, true),
        (r#"{"transactions":null,"message":"down"}"#, false),
        (r#"{"transactions":null,"code":500}"#, false),
        (r#"{"transactions":[{"transactionId":"1"}],"error":"x"}"#, false),
        (r#"{"transactions":[{"transactionId":"1"}],"status":500}"#, false),
        (
            r#"{"transactions":{"booked":[{"transactionId":"1"}],"success":false}}"#,
            false,
        ),
        (r#"{"transactions":[{"transactionId":"1"}],"has_more":true}"#, false),
        (
            r#"{"transactions":[{"transactionId":"1"}],"@odata.nextLink":"/x"}"#,
            false,
        ),
        (
            r#"{"transactions":[{"transactionId":"1"}],"meta":{"links":{"next":"/x"}}}"#,
            false,
        ),
        (
            r#"{"transactions":[{"transactionId":"1"}],"error":null,"status":200}"#,
            true,
        ),
        (
            r#"{"transactions":{"booked":[],"title":"Movements","code":"M1"}}"#,
            true,
        ),
        (
            r#"{"transactions":[],"code":"NO_TRANSACTIONS_FOUND","message":"none"}"#,
            true,
        ),
        (r#"{"transactions":[],"links":["/x"]}"#, true),
    ] {
        let recorder = Recorder::granting(move |_, _| Answer::json(body)).await;
        let user = connect::<tatrabanka::Provider>(&recorder, "", &["PREMIUM_AIS"]).await;
        let read = user
            .client()
            .list_transactions()
            .account_id("a")
            .items()
            .collect_readable()
            .await;
        assert_eq!(read.is_ok(), is_page, "{body}");
    }
    for (body, is_page) in [
        (r#"{"data":null,"error":{"message":"x"}}"#, false),
        (r#"{"data":null,"code":"unauthorized","message":"no"}"#, false),
        (r#"{"data":[],"code":"unauthorized"}"#, false),
        (r#"{"data":[],"status":500}"#, false),
        (r#"{"count":0,"error":{"code":"x","data":[{"f":1}]}}"#, false),
        (r#"{"data":[],"object":"list","code":0}"#, true),
        (r#"{"data":null,"message":"Service unavailable"}"#, false),
        (
            r#"{"data":[{"id":"1","object":"customer"}],"success":false,"error":"upstream timed out"}"#,
            false,
        ),
        (r#"{"data":[],"title":"Customers","code":"C"}"#, true),
        (r#"{"data":[],"error_code":"0"}"#, true),
    ] {
        let recorder = Recorder::granting(move |_, _| Answer::json(body)).await;
        let user = connect::<finexer::Provider>(&recorder, "", &[]).await;
        let read = user.client().list_customers().items().try_collect().await;
        assert_eq!(read.is_ok(), is_page, "{body}");
    }
    for second in [
        r#"{"accounts":[],"code":601,"message":"Customer not found"}"#,
        r#"{"page":{"nextOffset":null},"code":500,"message":"Internal server error"}"#,
        r#"{"accounts":null,"status":"error"}"#,
    ] {
        let recorder = Recorder::granting(move |_, before| match before {
            0 => Answer::json(r#"{"accounts":[{"depositAccount":{"accountId":"a"}}],"page":{"nextOffset":"x"}}"#),
            _ => Answer::json(second),
        })
        .await;
        let user = connect::<mx::Provider>(&recorder, "", &["accounts"]).await;
        let mut items = user.client().list_accounts().items();
        assert!(items.next().await.unwrap().is_ok());
        assert!(items.next().await.is_some_and(|item| item.is_err()), "{second}");
    }
}

#[tokio::test]
async fn pages_by_link_are_followed_under_the_base_url_only() {
    let elsewhere = Recorder::in_order([Answer::json("{}")]).await;
    let foreign = format!("{}/v5/accounts/a/transactions?page=2", elsewhere.origin());
    let page = |next: &str| {
        let next = serde_json::to_string(next).unwrap();
        format!(r#"{{"transactions":{{"booked":[{{"transactionId":"t"}}]}},"_links":{{"next":{{"href":{next}}}}}}}"#)
    };
    for (link, expected) in [
        (
            "/v5/accounts/a/transactions?page=2",
            Ok("/v5/accounts/a/transactions?page=2"),
        ),
        ("?page=2", Ok("/v5/accounts/a/transactions?page=2")),
        (
            r#"/v5/accounts/a/transactions?page=2&&pageSize=50""#,
            Ok("/v5/accounts/a/transactions?page=2&pageSize=50"),
        ),
        (
            r#""/v5/accounts/a/transactions?page=2&&pageSize=50""#,
            Ok("/v5/accounts/a/transactions?page=2&pageSize=50"),
        ),
        (
            "HERE/v5/accounts/a/transactions?x=%20",
            Ok("/v5/accounts/a/transactions?x=%20"),
        ),
        // Another list would end this one as if it were whole, and another account's bookings are nobody's business.
        ("/v5/accounts?offset=100", Err("leads to another resource")),
        ("/v5/accounts/b/transactions?page=2", Err("leads to another resource")),
        ("HERE/opaque/2?x=%20", Err("leads to another resource")),
        ("", Ok("")),
        (foreign.as_str(), Err("leads to another origin")),
        ("//evil.example/x", Err("leads to another origin")),
        ("https://user:pw@127.0.0.1/x", Err("leads to another origin")),
        ("javascript:alert(1)", Err("leads to another origin")),
        ("../../../../v5/other", Err("leads to another resource")),
        ("/v5/accounts/a/transactions", Err("the page that was just read")),
    ] {
        // Tatra banka's gateway serves several APIs on one host; its links begin where the API does, or where the host does.
        for prefix in ["", "/premium/sandbox"] {
            let expected = match (link, expected) {
                // Out of the sandbox there is another API.
                ("../../../../v5/other", _) if !prefix.is_empty() => Err("outside the base URL"),
                (link, _) if link.starts_with("HERE/") && !prefix.is_empty() => Err("outside the base URL"),
                (_, expected) => expected,
            };
            let link = link.to_owned();
            let pages = page(&link);
            let recorder = Recorder::granting(move |seen, before| match before {
                0 => Answer::json(pages.replace("HERE", &format!("http://{}", seen.header("host").unwrap()))),
                _ => Answer::json(r#"{"transactions":[{"transactionId":"u"}]}"#),
            })
            .await;
            let user = connect::<tatrabanka::Provider>(&recorder, prefix, &["PREMIUM_AIS"]).await;
            let call = user.client().list_transactions().account_id("a");
            let mut items = call.items();
            let mut count = 0;
            let read = loop {
                match items.next().await {
                    Some(Ok(_)) => count += 1,
                    Some(Err(error)) => break Err(error),
                    None => break Ok(count),
                }
            };
            match expected {
                Ok("") => assert_eq!((read.unwrap(), recorder.calls().len()), (1, 1)),
                Ok(target) => {
                    assert_eq!(read.unwrap(), 2, "{link}");
                    let second = &recorder.calls()[1];
                    assert_eq!(second.target, format!("{prefix}{target}"), "{link}");
                    assert_eq!(second.header("authorization"), Some("Bearer token-1"));
                    assert!(
                        second.header("x-request-id").is_some(),
                        "a further page is a call like the first"
                    );
                }
                Err(part) => {
                    let error = read.unwrap_err().to_string();
                    assert!(error.contains(part), "{link}: {error}");
                    assert_eq!(recorder.calls().len(), 1, "{link}");
                    assert_eq!(count, 1, "{link}: the page is given before what is wrong with its link");
                }
            }
        }
    }
    assert!(elsewhere.seen().is_empty());

    // The other two providers with links, and a walk in a circle.
    let circle = |seen: &Seen| {
        if seen.target.contains("p=2") { "?p=3" } else { "?p=2" }
    };
    let recorder = Recorder::granting(move |seen, _| {
        let next = circle(seen);
        Answer::json(format!(
            r#"{{"data":[],"paging":{{"next":"{next}"}},"hydra:member":[],"hydra:view":{{"hydra:next":"{next}"}}}}"#
        ))
    })
    .await;
    let error = connect::<finexer::Provider>(&recorder, "", &[])
        .await
        .client()
        .list_customers()
        .items()
        .try_collect()
        .await
        .unwrap_err();
    assert!(error.to_string().contains("the page that was just read"), "{error}");
    let error = connect::<omnifund::Provider>(&recorder, "", &[])
        .await
        .client()
        .list_customers()
        .items()
        .try_collect()
        .await
        .unwrap_err();
    assert!(error.to_string().contains("the page that was just read"), "{error}");
    assert_eq!(recorder.calls().len(), 6);
}

/// One booking that a bank writes wrongly hides no month of them, and is not overlooked.
#[tokio::test]
async fn an_item_that_cannot_be_read_costs_no_other_and_is_told() {
    let page = |next: &str| {
        format!(
            r#"{{"transactions":[{{"transactionId":"1"}},{{"transactionId":"2","transactionAmount":{{"amount":"NaN","currency":"SECRET-VALUE"}}}},{{"transactionId":"3"}}]{next}}}"#
        )
    };
    let first = page(r#","_links":{"next":{"href":"?page=2"}}"#);
    let last = page("");
    let recorder = Recorder::granting(move |seen, _| {
        Answer::json(match seen.target.contains("page=2") {
            false => first.clone(),
            true => last.clone(),
        })
    })
    .await;
    let user = connect::<tatrabanka::Provider>(&recorder, "", &["PREMIUM_AIS"]).await;
    let call = || user.client().list_transactions().account_id("a");

    let mut items = call().items();
    let mut told = Vec::new();
    while let Some(item) = items.next().await {
        told.push(match item {
            Ok(item) => item.transaction_id.unwrap(),
            Err(error) => {
                let Error::UnreadableItem(item) = &error else {
                    panic!("{error:?}")
                };
                assert_eq!(item.path, "transactions[1].transactionAmount.amount", "{item}");
                let raw = std::str::from_utf8(item.raw.expose()).unwrap();
                assert!(raw.starts_with(r#"{"transactionId":"2""#), "{raw}");
                let shown = format!("{error} {error:?} {item:#?}");
                assert!(
                    shown.contains("item 1 of the page") && !shown.contains("SECRET-VALUE"),
                    "{shown}"
                );
                format!("-{}", item.position)
            }
        });
    }
    assert_eq!(told, ["1", "-1", "3", "1", "-1", "3"]);

    // One page, alone and in a row.
    let page = call().send().await.unwrap();
    assert_eq!((page.transactions.len(), page.unreadable().len()), (2, 1));
    assert_eq!(call().pages().next().await.unwrap().unwrap().unreadable().len(), 1);
    let error = call().items().try_collect().await.unwrap_err();
    assert!(matches!(error, Error::UnreadableItem(_)), "{error:?}");
    let (read, unreadable) = call().items().collect_readable().await.unwrap();
    assert_eq!((read.len(), unreadable.len()), (4, 2));
}

#[tokio::test]
async fn a_list_that_does_not_come_in_pages_is_whole_and_read_item_by_item() {
    // What came of it: the items that can be read and the paths of the others, or an error.
    type Read = Option<(usize, Vec<String>)>;
    fn read<T, E>(reply: Result<finrail::transport::ResponseValue<T>, Error<E>>, count: fn(&T) -> usize) -> Read {
        let reply = reply.ok()?;
        let unreadable = reply.unreadable().iter().map(|item| item.path.clone()).collect();
        Some((count(&reply), unreadable))
    }
    let all = |count| Some((count, Vec::new()));
    let but = |count, path: &str| Some((count, vec![path.to_owned()]));
    for (body, expected) in [
        (r#"{"LIST":[{"ID":"a"}]}"#, all(1)),
        (r#"{"LIST":[]}"#, all(0)),
        (r#"{"LIST":null}"#, all(0)),
        (r#"{"LIST":[],"message":"there are none"}"#, all(0)),
        (
            r#"{"LIST":[{"ID":"a"}],"_links":{"self":{"href":"/x"},"next":null}}"#,
            all(1),
        ),
        // An error in place of the items, or beside them.
        (r#"{"LIST":null,"errorCode":"X"}"#, None),
        (r#"{"LIST":[],"errors":[{"code":"X"}]}"#, None),
        (r#"{"LIST":[],"error":"timeout"}"#, None),
        (r#"{"LIST":[{"ID":"a"}],"error":"timeout"}"#, None),
        (r#"{"LIST":[{"ID":"a"}],"errors":[{"code":"CONSENT_REVOKED"}]}"#, None),
        (r#"{"LIST":[{"ID":"a"}],"errorPolicy":"CONTINUE"}"#, all(1)),
        // More than that, and nobody who would ask for it.
        (r#"{"LIST":[{"ID":"a"}],"_links":{"next":{"href":"/x?page=2"}}}"#, None),
        (r#"{"LIST":[{"ID":"a"}],"hasMore":true}"#, None),
        // An item costs itself alone.
        (r#"{"LIST":[{"ID":"a"},{"error":"x"}]}"#, but(1, "LIST[1]")),
        (r#"{"LIST":[{"error":"x"}]}"#, None),
        (r#"{"LIST":[7,{"ID":"a"}]}"#, but(1, "LIST[0]")),
    ] {
        for list in ["accounts", "balances"] {
            let name = |text: &str| {
                let id = if list == "accounts" { "accountId" } else { "balanceType" };
                text.replace("LIST", list).replace("ID", id)
            };
            let body = name(body);
            let answer = body.clone();
            let recorder = Recorder::granting(move |_, _| Answer::json(answer.clone())).await;
            let user = connect::<tatrabanka::Provider>(&recorder, "", &["PREMIUM_AIS"]).await;
            let client = user.client();
            let got = match list {
                "accounts" => read(client.list_accounts().send().await, |list| list.accounts.len()),
                _ => read(client.list_balances().account_id("a").send().await, |list| {
                    list.balances.len()
                }),
            };
            let expected = expected
                .clone()
                .map(|(count, paths): (_, Vec<_>)| (count, paths.iter().map(|path: &String| name(path)).collect()));
            assert_eq!(got, expected, "{body}");
        }
    }
    for (body, expected) in [
        (r#"[{"id":"1"},{"id":"2"}]"#, all(2)),
        ("[]", all(0)),
        (r#"[{"id":"1"},7]"#, but(1, "[1]")),
        (r#"{"error":"x"}"#, None),
        (r#"{"booked":[],"errors":[{"code":"X"}]}"#, None),
    ] {
        let recorder = Recorder::granting(move |_, _| Answer::json(body)).await;
        let app = finrail::ofx::App::builder()
            .base_url(recorder.origin())
            .credentials(finrail::Credentials::new("client", "secret"))
            .build()
            .unwrap();
        let own = app.client_credentials(["payments"]).unwrap();
        assert_eq!(
            read(own.list_beneficiaries().send().await, |list| list.len()),
            expected,
            "{body}"
        );
    }
}
