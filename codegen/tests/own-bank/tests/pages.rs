//! Lists whose pages are counted, and lists whose cursor goes into the body.
#![allow(clippy::unwrap_used)]

mod common;

use common::{client, client_of};
use finrail::mock::httpmock::MockServer;
use finrail::transport::{Error, Problem};
use own_bank::Scope;
use own_bank::types::{Document, Search};

/// A bank that answers each query with its page.
fn bank(pages: &[(&str, &str)]) -> (MockServer, own_bank::Client) {
    let server = MockServer::start();
    let _ = own_bank::mock::token(&server);
    for (query, page) in pages {
        server.mock(|when, then| {
            let query = (*query).to_owned();
            when.path_includes("/v1/").is_true(move |request| {
                let asked = request.uri().query().unwrap_or_default().to_owned();
                let body = request.body_ref();
                asked == query || (!body.is_empty() && String::from_utf8_lossy(body) == query.as_str())
            });
            then.status(200).header("content-type", "application/json").body(*page);
        });
    }
    let client = client(&server.base_url(), "client", "s3cr3t", Scope::Accounts);
    (server, client)
}

fn ids(items: &[Document]) -> Vec<&str> {
    items.iter().map(|item| item.id.as_str()).collect()
}

fn is_repeated<T, E>(read: &Result<T, Error<E>>) -> bool {
    matches!(read, Err(Error::InvalidReply(reply)) if matches!(reply.problem, Problem::RepeatedPage))
}

#[tokio::test]
async fn the_sandbox_and_the_client_count_alike() {
    let sandbox = common::bank().await;
    let client = client_of(&sandbox, Scope::Accounts);
    let all = client.list_notices().page_size(2).items().try_collect().await.unwrap();
    assert_eq!(ids(&all), ["s-1", "s-2", "s-3", "s-4", "s-5"]);
    let later = client
        .list_notices()
        .page(1)
        .page_size(2)
        .items()
        .try_collect()
        .await
        .unwrap();
    assert_eq!(ids(&later), ["s-3", "s-4", "s-5"]);
    let all = client.list_fees().limit(2).items().try_collect().await.unwrap();
    assert_eq!(ids(&all), ["f-1", "f-2", "f-3", "f-4", "f-5"]);
    let later = client.list_fees().skip(4).items().try_collect().await.unwrap();
    assert_eq!(ids(&later), ["f-5"]);
    let search = Search::builder().text("rent");
    let mut pages = client.search_bookings().body(search.clone()).pages();
    let mut sizes = Vec::new();
    while let Some(page) = pages.next().await {
        sizes.push(page.unwrap().bookings.len());
    }
    assert_eq!(sizes, [20, 10]);
    let all = client
        .search_bookings()
        .body(search.clone())
        .items()
        .try_collect()
        .await
        .unwrap();
    assert_eq!((all.len(), all.last().unwrap().id.as_str()), (30, "b-30"));
    let none = client
        .search_bookings()
        .body(search.cursor("nonsense"))
        .send()
        .await
        .unwrap_err();
    assert_eq!(none.status().map(|status| status.as_u16()), Some(400));
}

#[tokio::test]
async fn pages_end_where_the_total_does_and_without_one_at_the_first_that_is_empty() {
    let page = |items: &str, pages: &str| format!(r#"{{"notices":[{items}]{pages}}}"#);
    let told = r#","meta":{"pages":2}"#;
    let (first, second) = (page(r#"{"id":"1"}"#, told), page(r#"{"id":"2"}"#, told));
    let (_bank, client) = bank(&[("", &first), ("page=1", &second)]);
    let all = client.list_notices().items().try_collect().await.unwrap();
    assert_eq!(ids(&all), ["1", "2"]);
    let (first, second, third) = (page(r#"{"id":"1"}"#, ""), page(r#"{"id":"2"}"#, ""), page("", ""));
    let (_bank, client) = bank(&[("", &first), ("page=1", &second), ("page=2", &third)]);
    let all = client.list_notices().items().try_collect().await.unwrap();
    assert_eq!(ids(&all), ["1", "2"]);
}

#[tokio::test]
async fn an_item_that_cannot_be_read_is_counted_as_one_that_comes_before() {
    let (_bank, client) = bank(&[
        ("", r#"{"fees":[{"id":"1"},{"id":[]},{"id":"3"}]}"#),
        ("skip=3", r#"{"fees":[{"id":"4"}]}"#),
        ("skip=4", r#"{"fees":[]}"#),
    ]);
    let (read, unreadable) = client.list_fees().items().collect_readable().await.unwrap();
    assert_eq!((ids(&read), unreadable.len()), (vec!["1", "3", "4"], 1));
}

#[tokio::test]
async fn a_bank_that_does_not_know_the_parameter_is_told_from_one_with_more() {
    let same = r#"{"fees":[{"id":"1"}]}"#;
    let (_bank, client) = bank(&[("", same), ("skip=1", same)]);
    let mut items = client.list_fees().items();
    assert_eq!(items.next().await.unwrap().unwrap().id, "1");
    assert!(is_repeated(&items.next().await.unwrap()));
    let same = r#"{"notices":[{"id":"1"}],"meta":{"pages":9}}"#;
    let (_bank, client) = bank(&[("", same), ("page=1", same)]);
    assert!(is_repeated(&client.list_notices().items().try_collect().await));
}

#[tokio::test]
async fn a_total_below_what_was_read_is_none() {
    for total in ["-1", "0"] {
        let page = |items: &str| format!(r#"{{"notices":[{items}],"meta":{{"pages":{total}}}}}"#);
        let (first, second, third) = (page(r#"{"id":"1"}"#), page(r#"{"id":"2"}"#), page(""));
        let (_bank, client) = bank(&[("", &first), ("page=1", &second), ("page=2", &third)]);
        let all = client.list_notices().items().try_collect().await.unwrap();
        assert_eq!(ids(&all), ["1", "2"], "{total}");
    }
}

#[tokio::test]
async fn pages_of_items_that_cannot_be_read_are_pages_like_others() {
    let (_bank, client) = bank(&[
        ("", r#"{"fees":[{"id":[]}]}"#),
        ("skip=1", r#"{"fees":[{"id":{}}]}"#),
        ("skip=2", r#"{"fees":[{"id":"3"}]}"#),
        ("skip=3", r#"{"fees":[]}"#),
    ]);
    let (read, unreadable) = client.list_fees().items().collect_readable().await.unwrap();
    assert_eq!((ids(&read), unreadable.len()), (vec!["3"], 2));
    let same = r#"{"fees":[{"id":[]}]}"#;
    let (_bank, client) = bank(&[("", same), ("skip=1", same)]);
    assert!(is_repeated(&client.list_fees().items().collect_readable().await));
}

#[tokio::test]
async fn what_counts_its_pages_may_speak_of_a_next_one() {
    let (_bank, client) = bank(&[
        ("", r#"{"fees":[{"id":"1"}],"next":"/fees?skip=1","hasMore":true}"#),
        ("skip=1", r#"{"fees":[],"next":null,"hasMore":false}"#),
    ]);
    let all = client.list_fees().items().try_collect().await.unwrap();
    assert_eq!(ids(&all), ["1"]);
}

#[tokio::test]
async fn a_page_that_says_that_there_are_more_and_has_no_cursor_is_no_last_one() {
    for cursor in ["", "null", "0"] {
        let page = format!(r#"{{"bookings":[{{"id":"1"}}],"next_cursor":"{cursor}","has_more":true}}"#);
        let (_bank, own) = bank(&[(r#"{"text":"rent"}"#, &page)]);
        let search = Search::builder().text("rent");
        let mut items = own.search_bookings().body(search).items();
        assert_eq!(items.next().await.unwrap().unwrap().id, "1");
        let error = items.next().await.unwrap().unwrap_err();
        assert!(error.to_string().contains("names no next page"), "{cursor}: {error}");
    }
}

#[tokio::test]
async fn a_cursor_in_the_body_is_followed_until_there_is_no_more_and_not_in_a_circle() {
    let page = |id: &str, next: &str, more: bool| {
        format!(r#"{{"bookings":[{{"id":"{id}"}}],"next_cursor":"{next}","has_more":{more}}}"#)
    };
    let asked = |cursor: &str| format!(r#"{{"cursor":"{cursor}","text":"rent"}}"#);
    let (first, second) = (page("1", "a", true), page("2", "b", false));
    let (_bank, own) = bank(&[(r#"{"text":"rent"}"#, &first), (&asked("a"), &second)]);
    let search = || Search::builder().text("rent");
    let all = own
        .search_bookings()
        .body(search())
        .items()
        .try_collect()
        .await
        .unwrap();
    assert_eq!(ids(&all), ["1", "2"]);
    let (first, second) = (page("1", "a", true), page("2", "a", true));
    let (_bank, own) = bank(&[(r#"{"text":"rent"}"#, &first), (&asked("a"), &second)]);
    let mut items = own.search_bookings().body(search()).items();
    assert_eq!(items.next().await.unwrap().unwrap().id, "1");
    assert_eq!(items.next().await.unwrap().unwrap().id, "2");
    assert!(is_repeated(&items.next().await.unwrap()));
}
