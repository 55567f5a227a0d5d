//! Resources of every provider: what is refused, what is kept, how lists are read.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![cfg(feature = "sandbox")]

mod sandbox_support;

use sandbox_support::{Peer, answer, of_url, peer, played, set, start};
use serde_json::Value;

async fn user_token(peer: &Peer<'_>) -> String {
    peer.tokens().await.string("access_token")
}

// --- who may call

#[tokio::test]
async fn a_call_without_a_good_token_is_unauthorized_in_the_providers_form() {
    // provider, where the message is
    let table = [
        ("ofx", "/errors/0/message"),
        ("mx", "/message"),
        ("omnifund", "/message"),
        ("tatrabanka", "/errorDescription"),
        ("finexer", "/error/message"),
    ];
    let sandbox = start().await;
    for (id, pointer) in table {
        if !sandbox.providers().iter().any(|known| known == id) {
            continue;
        }
        let peer = peer(&sandbox, id);
        let none = answer(peer.http.get(peer.url(peer.rules.call))).await;
        assert_eq!(
            (none.status, none.header("www-authenticate")),
            (401, format!("Bearer realm=\"{id}\"").as_str())
        );
        let wrong = peer.get(peer.rules.call, "made-up").await;
        assert_eq!(wrong.status, 401);
        assert!(
            wrong.header("www-authenticate").contains("error=\"invalid_token\""),
            "{id}"
        );
        let message = wrong
            .json()
            .pointer(pointer)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned();
        assert!(message.contains("access token"), "{id}: {}", wrong.text);
    }
}

#[tokio::test]
async fn access_keys_open_what_the_provider_says() {
    let sandbox = start().await;
    for id in ["omnifund", "finexer"] {
        let peer = peer(&sandbox, id);
        let key = peer.client.access_key.expose_secret();
        let secret = peer.client.access_key_secret.expose_secret();
        let get =
            |key: &str, secret: &str| answer(peer.http.get(peer.url(peer.rules.call)).basic_auth(key, Some(secret)));
        assert_eq!(get(key, secret).await.status, 200, "{id}");
        assert_eq!(get(key, "wrong").await.status, 401, "{id}");
        assert_eq!(get("wrong", secret).await.status, 401, "{id}");
    }
    sandbox.register_known_client("finexer", "without a key", "", &[]);
    let finexer = peer(&sandbox, "finexer");
    let nothing = finexer
        .http
        .get(finexer.url(finexer.rules.call))
        .basic_auth("", Some(""));
    assert_eq!(answer(nothing).await.status, 401, "an empty key opens nothing");
    let finexer = sandbox.client("finexer");
    assert_eq!(finexer.access_key, finexer.client_secret);
    let ofx = peer(&sandbox, "ofx");
    let basic = ofx
        .http
        .get(ofx.url("/payments/beneficiaries"))
        .basic_auth(&ofx.client.client_id, Some("x"));
    assert_eq!(answer(basic).await.status, 401, "OFX takes no access key");
}

#[tokio::test]
async fn a_scope_opens_its_own_calls() {
    let sandbox = start().await;
    let mx = peer(&sandbox, "mx");
    let mut query = mx.authorization();
    set(&mut query, "scope", "openid accounts");
    let code = of_url(&mx.allowed(&query).await, "code").unwrap();
    let tokens = mx.token(&mx.exchange_fields(&code)).await;
    assert_eq!(tokens.string("scope"), "openid accounts");
    let token = tokens.string("access_token");
    for (path, status) in [
        ("/accounts", 200),
        ("/accounts/dep-4c1f9b7e", 200),
        ("/customers/current", 403),
        ("/accounts/dep-4c1f9b7e/transactions", 403),
    ] {
        assert_eq!(mx.get(path, &token).await.status, status, "{path}");
    }

    let finexer = peer(&sandbox, "finexer");
    let mut query = finexer.authorization();
    set(&mut query, "scope", "customer_read");
    let code = of_url(&finexer.allowed(&query).await, "code").unwrap();
    let token = finexer
        .token(&finexer.exchange_fields(&code))
        .await
        .string("access_token");
    assert_eq!(finexer.get("/customers", &token).await.status, 200);
    // Finexer does not document which call needs which scope: none is refused for one.
    let created = finexer
        .post_form("/customers", &token, &[("name", "A"), ("email", "a@b.example")])
        .await;
    assert!(created.status < 300, "{}", created.text);
}

// --- what a request must look like

#[tokio::test]
async fn requests_that_do_not_fit_are_refused_and_say_why() {
    const JSON: &str = "application/json";
    const FORM: &str = "application/x-www-form-urlencoded";
    // provider, method, path, media type, body, status, part of the reason
    let table = [
        (
            "ofx",
            "GET",
            "/payments/beneficiaries?pageSize=two",
            "",
            "",
            400,
            "pageSize",
        ),
        (
            "ofx",
            "GET",
            "/payments/beneficiaries?page_size=2",
            "",
            "",
            400,
            "page_size",
        ),
        (
            "ofx",
            "GET",
            "/payments/beneficiaries?pageSize=1&pageSize=2",
            "",
            "",
            400,
            "twice",
        ),
        ("ofx", "POST", "/payments/quotes", JSON, "{", 400, "not JSON"),
        ("ofx", "POST", "/payments/quotes", JSON, "[]", 400, "does not fit"),
        (
            "ofx",
            "POST",
            "/payments/quotes",
            JSON,
            r#"{"buyAmount":"ten"}"#,
            400,
            "buyAmount",
        ),
        (
            "ofx",
            "POST",
            "/payments/quotes",
            FORM,
            "buyAmount=1",
            415,
            "application/json",
        ),
        ("ofx", "POST", "/payments/quotes", JSON, "", 400, "body is missing"),
        (
            "ofx",
            "GET",
            "/payments/nothing",
            "",
            "",
            404,
            "nothing at this address",
        ),
        ("ofx", "PATCH", "/payments/quotes", JSON, "{}", 405, "POST"),
        (
            "omnifund",
            "POST",
            "/api/v1/passports",
            JSON,
            r#"{"type":"pigeon"}"#,
            400,
            "does not fit",
        ),
        (
            "omnifund",
            "GET",
            "/api/transactions-history?tranDate[gt]=1",
            "",
            "",
            400,
            "tranDate",
        ),
        ("finexer", "POST", "/customers", JSON, "{}", 415, "form"),
        (
            "finexer",
            "POST",
            "/consents",
            FORM,
            "customer=cus_8HqT2bVxNw&return_url=https://a.example&scopes=accounts",
            400,
            "scopes",
        ),
        (
            "finexer",
            "POST",
            "/consents",
            FORM,
            "customer=cus_8HqT2bVxNw&return_url=https://a.example&scopes[0]=accounts",
            400,
            "scopes",
        ),
        (
            "finexer",
            "POST",
            "/consents",
            FORM,
            "customer=cus_8HqT2bVxNw&unheard_of=1",
            400,
            "unheard_of",
        ),
        (
            "omnifund",
            "GET",
            "/api/transactions-history?tranDate%5Bbetween%5D=1553538663",
            "",
            "",
            400,
            "tranDate[between]",
        ),
        (
            "omnifund",
            "GET",
            "/api/transactions-history?tranDate%5Bbetween%5D=one..two",
            "",
            "",
            400,
            "tranDate[between]",
        ),
        (
            "omnifund",
            "GET",
            "/api/transactions-history?tranDate%5Bgte%5D=yesterday",
            "",
            "",
            400,
            "tranDate[gte]",
        ),
        (
            "finexer",
            "GET",
            "/bank_accounts/ba_6VxC2nQfLs/transactions?timestamp.gte=banana",
            "",
            "",
            400,
            "timestamp.gte",
        ),
        (
            "ofx",
            "POST",
            "/payments/quotes",
            JSON,
            r#"{"buyCurrency":"USD","buyAmmount":1}"#,
            400,
            "buyAmmount",
        ),
        (
            "ofx",
            "POST",
            "/payments/deals",
            JSON,
            r#"{"beneficiaries":[{"amount":1},{"ammount":1}]}"#,
            400,
            "/beneficiaries/1/ammount",
        ),
        ("mx", "GET", "/accounts?limit=many", "", "", 400, "limit"),
        ("mx", "GET", "/accounts?offset=made-up", "", "", 400, "offset"),
        ("tatrabanka", "PUT", "/v3/refresh", "", "", 400, "PSU-IP-Address"),
        (
            "tatrabanka",
            "GET",
            "/v3/accounts?withBalance=yes",
            "",
            "",
            400,
            "withBalance",
        ),
    ];
    let sandbox = start().await;
    for (id, method, path, media_type, body, status, reason) in table {
        let peer = peer(&sandbox, id);
        let reply = peer
            .send(method, path, &user_token(&peer).await, media_type, body)
            .await;
        assert_eq!(reply.status, status, "{id} {method} {path}: {}", reply.text);
        assert!(reply.text.contains(reason), "{id} {method} {path}: {}", reply.text);
        assert!(reply.header("content-type").contains("json"), "{id} {method} {path}");
    }
}

#[tokio::test]
async fn the_accept_header_must_allow_the_reply() {
    let sandbox = start().await;
    let omnifund = peer(&sandbox, "omnifund");
    let token = user_token(&omnifund).await;
    for (accept, status) in [
        ("application/json", 200),
        ("application/ld+json, */*;q=0.1", 200),
        ("text/csv", 406),
    ] {
        let request = omnifund
            .http
            .get(omnifund.url("/api/customers"))
            .bearer_auth(&token)
            .header("accept", accept);
        assert_eq!(answer(request).await.status, status, "{accept}");
    }
}

#[tokio::test]
async fn a_request_id_comes_back() {
    let sandbox = start().await;
    let tatra = peer(&sandbox, "tatrabanka");
    let token = user_token(&tatra).await;
    let request = tatra
        .http
        .get(tatra.url("/v3/accounts"))
        .bearer_auth(&token)
        .header("X-Request-ID", "abc-1");
    assert_eq!(answer(request).await.header("x-request-id"), "abc-1");
    let without = tatra
        .http
        .get(tatra.url("/v3/accounts"))
        .bearer_auth(&token)
        .send()
        .await
        .unwrap();
    assert_eq!(without.status(), 400, "Tatra banka wants one on every call");
}

#[tokio::test]
async fn omnifund_repeats_the_filter_of_settlements() {
    let sandbox = start().await;
    let omnifund = peer(&sandbox, "omnifund");
    let token = user_token(&omnifund).await;
    let get = async |query: &str| omnifund.get(&format!("/api/v1/settlements{query}"), &token).await;
    assert!(get("").await.json().get("filters").is_none());
    let filtered = get("?filter=%7B%22settleDate%22%3A%22%3E20261101%22%7D&limit=1")
        .await
        .json();
    assert_eq!(filtered["filters"], serde_json::json!({"settleDate": ">20261101"}));
    assert_eq!(
        (filtered["items"].as_array().unwrap().len(), &filtered["count"]),
        (1, &1.into())
    );
    assert_eq!(get("?filter=today").await.status, 400);
}

#[tokio::test]
async fn the_front_page_says_what_is_played() {
    let sandbox = start().await;
    let page = answer(sandbox_support::http().get(sandbox.url("ofx").replace("/ofx/v1", "/"))).await;
    for id in sandbox.providers() {
        let client = sandbox.client(&id);
        assert!(
            page.text.contains(&sandbox.oauth_url(&id)) && page.text.contains(&client.client_id),
            "{id}"
        );
        assert!(!page.text.contains(client.client_secret.expose_secret()), "{id}");
    }
}

// --- what is kept

#[tokio::test]
async fn another_user_is_another_customer() {
    let sandbox = start().await;
    let mx = peer(&sandbox, "mx");
    let url = mx.authorization_url(&mx.authorization());
    let mut seen = Vec::new();
    for user in ["one", "two", "one"] {
        let code = of_url(&sandbox.approve_as(user, &url).await.unwrap(), "code").unwrap();
        let token = mx.token(&mx.exchange_fields(&code)).await.string("access_token");
        seen.push(mx.get("/customers/current", &token).await.string("customerId"));
    }
    assert!(seen[0] == seen[2] && seen[0] != seen[1], "{seen:?}");
}

#[tokio::test]
async fn omnifund_passport_from_creation_to_deletion() {
    let sandbox = start().await;
    let omnifund = peer(&sandbox, "omnifund");
    let token = user_token(&omnifund).await;
    let body = |total: &str| {
        format!(
            r#"{{"type":"email","customer":23143879,"email":"a@b.example","poNumber":"","referenceId":"","subTotal":{total},"tax":0,"discount":0,"total":{total},"lineItems":[]}}"#
        )
    };
    let created = omnifund
        .post_json("/api/v1/passports", &token, &body("12345678901234567.89"))
        .await;
    assert!(created.status < 300, "{}", created.text);
    let path = format!("/api/v1/passports/{}", created.string("id"));
    let read = omnifund.get(&path, &token).await;
    assert!(read.text.contains(r#""total":12345678901234567.89"#), "{}", read.text);
    assert!(
        read.json().get("memo").is_none(),
        "what was not sent is not there: {}",
        read.text
    );
    assert!(omnifund.post_json(&path, &token, &body("2.50")).await.status < 300);
    assert!(omnifund.get(&path, &token).await.text.contains(r#""total":2.50"#));
    assert!(omnifund.delete(&path, &token).await.status < 300);
    assert_eq!(omnifund.get(&path, &token).await.status, 404);
    assert_eq!(omnifund.delete(&path, &token).await.status, 404);
}

#[tokio::test]
async fn mx_registered_client_can_be_used_until_it_is_deleted() {
    let sandbox = start().await;
    let mut mx = peer(&sandbox, "mx");
    let token = mx.client.registration_token.expose_secret().to_owned();
    let body = r#"{"client_name":"Ledgerly","grant_type":"authorization_code","categories":["Personal Finance"],"redirect_uris":["https://new.example.com/cb"],"software_id":"l","logo_uri":"https://new.example.com/l.png"}"#;
    assert_eq!(mx.post_json("/oauth2/v4/register", "wrong", body).await.status, 401);
    let created = mx.post_json("/oauth2/v4/register", &token, body).await;
    assert_eq!(created.status, 201, "{}", created.text);
    let path = format!("/oauth2/v4/register/{}", created.string("client_id"));
    assert_eq!(
        mx.get(&path, &token).await.string("client_secret"),
        created.string("client_secret")
    );

    mx.client.client_id = created.string("client_id");
    mx.client.client_secret = created.string("client_secret").into();
    mx.client.redirect_uri = "https://new.example.com/cb".to_owned();
    let tokens = mx.tokens().await;
    assert_eq!(mx.get("/accounts", &tokens.string("access_token")).await.status, 200);

    let update = body.replace("https://new.example.com/cb", "https://new.example.com/cb2");
    let update = update.replacen('{', &format!(r#"{{"client_id":"{}","#, mx.client.client_id), 1);
    let updated = mx.send("PUT", &path, &token, "application/json", &update).await;
    assert_eq!(updated.status, 200, "{}", updated.text);
    assert!(
        sandbox
            .approve(&mx.authorization_url(&mx.authorization()))
            .await
            .is_err(),
        "the old redirect URI is gone"
    );
    mx.client.redirect_uri = "https://new.example.com/cb2".to_owned();
    mx.tokens().await;

    assert!(mx.delete(&path, &token).await.status < 300);
    assert_eq!(mx.get(&path, &token).await.status, 404);
    assert!(
        sandbox
            .approve(&mx.authorization_url(&mx.authorization()))
            .await
            .is_err()
    );
    assert_eq!(mx.get("/accounts", &tokens.string("access_token")).await.status, 401);
}

#[tokio::test]
async fn ofx_prices_the_side_that_was_left_open() {
    let sandbox = start().await;
    let ofx = peer(&sandbox, "ofx");
    let token = ofx.service_token("payments").await;
    let quote = r#"{"buyCurrency":"USD","buyAmount":1100,"sellCurrency":"AUD","sellAmount":0}"#;
    let quote = ofx.post_json("/payments/quotes", &token, quote).await.json();
    assert!(quote["sellAmount"].as_f64().unwrap() > 0.0, "{quote}");
}

#[tokio::test]
async fn a_document_can_be_put_in() {
    let sandbox = start().await;
    let mx = peer(&sandbox, "mx");
    let token = user_token(&mx).await;
    let account =
        r#"{"depositAccount":{"accountId":"big","accountType":"CHECKING","currentBalance":12345678901234567.89}}"#;
    assert_eq!(sandbox.put("mx", "/accounts", account), "big");
    assert!(
        mx.get("/accounts/big", &token)
            .await
            .text
            .contains("12345678901234567.89")
    );
    assert!(mx.get("/accounts", &token).await.text.contains("12345678901234567.89"));
    let strange = r#"{"cryptoAccount":{"accountId":"new","accountType":"WALLET","more":[1]}}"#;
    assert_eq!(sandbox.put("mx", "/accounts", strange), "new");
    assert_eq!(mx.get("/accounts/new", &token).await.text, strange, "as it was put in");
}

#[tokio::test]
async fn what_is_put_where_nothing_is_kept_is_refused_with_the_nearest_place_that_is_known() {
    let sandbox = start().await;
    for (path, json, [what, nearest]) in [
        ("/acounts", "{}", ["no collection `/acounts`", "`/accounts`"]),
        (
            "/accounts/{accountId}/transaction",
            "{}",
            [
                "no collection `/accounts/{accountId}/transaction`",
                "`/accounts/{accountId}/transactions`",
            ],
        ),
        (
            "/accounts/nobody/transactions",
            "{}",
            ["no accountId `nobody`", "put it in first"],
        ),
        ("/accounts", "{", ["no JSON", "`/accounts`"]),
    ] {
        let said = sandbox_support::panics::said_by_the_panic(|| sandbox.put("mx", path, json));
        for part in [what, nearest] {
            assert!(said.contains(part), "{said}");
        }
    }
    let said = sandbox_support::panics::said_by_the_panic(|| sandbox.ids("ofx", "/payments/quote"));
    assert!(
        said.contains("did you mean `/payments/quotes`?") && said.contains("/payments/deals"),
        "{said}"
    );
    let said = sandbox_support::panics::said_by_the_panic(|| sandbox.url("ofy"));
    assert!(
        said.contains("did you mean `ofx`?") && said.contains("tatrabanka"),
        "{said}"
    );
}

// --- lists

#[tokio::test]
async fn lists_are_read_page_by_page_to_their_end() {
    // provider, list, size, items, next, cursor parameter (none: `next` is a link), how many
    let table = [
        (
            "mx",
            "/accounts",
            "limit=2",
            "/accounts",
            "/page/nextOffset",
            Some("offset"),
            0,
        ),
        (
            "mx",
            "/accounts/dep-4c1f9b7e/transactions",
            "limit=7",
            "/transactions",
            "/page/nextOffset",
            Some("offset"),
            24,
        ),
        (
            "omnifund",
            "/api/customers",
            "itemsPerPage=1",
            "/hydra:member",
            "/hydra:view/hydra:next",
            None,
            0,
        ),
        (
            "omnifund",
            "/api/events",
            "itemsPerPage=1",
            "/hydra:member",
            "/hydra:view/hydra:next",
            None,
            0,
        ),
        (
            "omnifund",
            "/api/transactions-history",
            "itemsPerPage=1",
            "/hydra:member",
            "/hydra:view/hydra:next",
            None,
            0,
        ),
        ("finexer", "/customers", "limit=1", "/data", "/paging/next", None, 2),
        ("finexer", "/providers", "limit=1", "/data", "/paging/next", None, 0),
        (
            "finexer",
            "/bank_accounts/ba_6VxC2nQfLs/transactions",
            "limit=5",
            "/data",
            "/paging/next",
            None,
            0,
        ),
    ];
    let sandbox = start().await;
    for (id, path, size, items, next, cursor, expected) in table {
        let peer = peer(&sandbox, id);
        let token = user_token(&peer).await;
        let whole = peer.get(path, &token).await.json();
        let page_size: usize = size.split_once('=').unwrap().1.parse().unwrap();
        let first = peer.url(&format!("{path}?{size}"));
        let (mut url, mut seen, mut pages) = (first.clone(), Vec::new(), 0);
        loop {
            let reply = peer.get_url(&url, &token).await;
            assert_eq!(reply.status, 200, "{id} {url}: {}", reply.text);
            let page = reply.json();
            let entries = page
                .pointer(items)
                .and_then(Value::as_array)
                .unwrap_or_else(|| panic!("{id} {path}: {page}"))
                .clone();
            assert!(!entries.is_empty() && entries.len() <= page_size, "{id} {url}");
            seen.extend(entries.iter().map(Value::to_string));
            pages += 1;
            assert!(pages < 100, "{id} {path} never ends");
            match (page.pointer(next).and_then(Value::as_str), cursor) {
                (None, _) => break,
                (Some(next), Some(parameter)) => url = format!("{first}&{parameter}={next}"),
                (Some(next), None) => url = url::Url::parse(&url).unwrap().join(next).unwrap().to_string(),
            }
            assert!(url.starts_with(&sandbox.url(id)), "{id}: {url}");
        }
        let count = seen.len();
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), count, "{id} {path} repeats");
        assert!(
            pages > 1 && pages == count.div_ceil(page_size),
            "{id} {path}: {pages} pages of {count}"
        );
        assert!(expected == 0 || count == expected, "{id} {path}: {count}");
        assert!(
            count >= whole.pointer(items).and_then(Value::as_array).unwrap().len(),
            "{id} {path}"
        );
    }
}

#[tokio::test]
async fn filters_choose() {
    // provider, list with filter, items, how many (none: fewer than all, and more than none)
    let table = [
        ("omnifund", "/api/customers?id=23143879", "/hydra:member", 1),
        ("omnifund", "/api/customers?customerRef=nobody", "/hydra:member", 0),
        (
            "omnifund",
            "/api/transactions-history?id%5B%5D=231432546&id%5B%5D=231432547",
            "/hydra:member",
            2,
        ),
        (
            "omnifund",
            "/api/transactions-history?customer=23143879",
            "/hydra:member",
            1,
        ),
        (
            "omnifund",
            "/api/transactions-history?amount=25.330",
            "/hydra:member",
            1,
        ),
        ("finexer", "/consents?status=failed", "/data", 1),
        ("finexer", "/bank_accounts?customer=nobody", "/data", 0),
        ("finexer", "/providers?roles[]=ais", "/data", 2),
        (
            "finexer",
            "/bank_accounts/ba_6VxC2nQfLs/transactions?timestamp.gte=2030-01-01T00:00:00Z",
            "/data",
            0,
        ),
        (
            "mx",
            "/accounts/dep-4c1f9b7e/transactions?startTime=2030-01-01",
            "/transactions",
            usize::MAX,
        ),
    ];
    let sandbox = start().await;
    for (id, path, items, expected) in table {
        let peer = peer(&sandbox, id);
        let token = user_token(&peer).await;
        let page = peer.get(path, &token).await.json();
        let count = page
            .pointer(items)
            .and_then(Value::as_array)
            .unwrap_or_else(|| panic!("{id} {path}: {page}"))
            .len();
        if expected == usize::MAX {
            assert!(count < 20, "{id} {path}: {count}");
        } else {
            assert_eq!(count, expected, "{id} {path}");
        }
    }
}

#[tokio::test]
async fn mx_refuses_a_range_of_time_that_is_none_with_the_codes_of_fdx() {
    let sandbox = start().await;
    let mx = peer(&sandbox, "mx");
    let token = user_token(&mx).await;
    for (query, status, code) in [
        ("startTime=banana", 400, "702"),
        ("endTime=2026-13-01", 400, "702"),
        ("startTime=2026-11-21&endTime=2026-11-20", 400, "703"),
        ("startTime=2026-11-20T08:00:00Z&endTime=2026-11-20", 200, ""),
        ("startTime=2026-11-20&endTime=2026-11-20", 200, ""),
    ] {
        let reply = mx
            .get(&format!("/accounts/dep-4c1f9b7e/transactions?{query}"), &token)
            .await;
        assert_eq!(reply.status, status, "{query}: {}", reply.text);
        assert_eq!(reply.json()["code"].as_str().unwrap_or_default(), code, "{query}");
    }
}

#[tokio::test]
async fn a_list_leads_to_its_items() {
    let table = [
        ("mx", "/accounts", "/accounts", "/accounts"),
        ("tatrabanka", "/v3/accounts", "/accounts", "/v3/accounts"),
        ("finexer", "/customers", "/data", "/customers"),
        ("finexer", "/consents", "/data", "/consents"),
        ("finexer", "/bank_accounts", "/data", "/bank_accounts"),
        ("omnifund", "/api/events", "/hydra:member", "/api/events"),
        (
            "omnifund",
            "/api/transactions-history",
            "/hydra:member",
            "/api/transactions-history",
        ),
    ];
    let sandbox = start().await;
    for (id, list, items, item) in table {
        let peer = peer(&sandbox, id);
        let token = user_token(&peer).await;
        let page = peer.get(list, &token).await.json();
        for entry in page.pointer(items).and_then(Value::as_array).unwrap() {
            let inner = entry
                .as_object()
                .unwrap()
                .values()
                .next()
                .filter(|_| id == "mx")
                .unwrap_or(entry);
            let key = inner.get("accountId").or_else(|| inner.get("id")).unwrap();
            let key = key.as_str().map_or_else(|| key.to_string(), str::to_owned);
            let reply = peer.get(&format!("{item}/{key}"), &token).await;
            assert_eq!(reply.status, 200, "{id} {item}/{key}: {}", reply.text);
            assert!(reply.text.contains(&key), "{id} {item}/{key}: {}", reply.text);
        }
        let unknown = if item.ends_with("history") { "1" } else { "unheard-of" };
        assert_eq!(
            peer.get(&format!("{item}/{unknown}"), &token).await.status,
            404,
            "{id} {item}"
        );
    }
}

#[tokio::test]
async fn what_was_sent_is_on_record_and_prints_no_value() {
    let sandbox = start().await;
    for rules in played(&sandbox) {
        let peer = peer(&sandbox, rules.id);
        let tokens = peer.tokens().await;
        peer.get(rules.call, &tokens.string("access_token")).await;
        let requests = sandbox.requests(rules.id);
        let sent = requests
            .iter()
            .find(|r| r.operation.as_deref() == Some("create_token"))
            .unwrap();
        assert_eq!((sent.method.as_str(), sent.path.as_str()), ("POST", rules.token));
        assert_eq!(sent.form_value("grant_type").as_deref(), Some("authorization_code"));
        let call = requests.last().unwrap();
        assert_eq!(
            (call.path.as_str(), call.header("authorization").is_some()),
            (rules.call, true)
        );
        let printed = format!("{requests:?} {sandbox:?} {:?}", peer.client);
        for secret in [
            &tokens.string("access_token"),
            &tokens.string("refresh_token"),
            peer.client.client_secret.expose_secret(),
            peer.client.password.expose_secret(),
        ] {
            assert!(!printed.contains(secret), "{}", rules.id);
        }
        sandbox.clear_requests(rules.id);
        assert!(sandbox.requests(rules.id).is_empty());
    }
}

#[tokio::test]
async fn nonsense_is_answered_and_survived() {
    let sandbox = start().await;
    for rules in played(&sandbox) {
        let peer = peer(&sandbox, rules.id);
        let token = user_token(&peer).await;
        let deep = format!("{}{}", "[".repeat(20_000), "]".repeat(20_000));
        for (method, path, body) in [
            ("POST", rules.call, "\u{0}\u{1}"),
            ("POST", rules.call, deep.as_str()),
            ("GET", "/%ff%fe", ""),
            ("GET", "/a%2Fb//%00?%ff=%zz&[]=&=", ""),
            ("DELETE", "/", ""),
            ("POST", rules.token, "grant_type"),
            ("PUT", "", "{}"),
        ] {
            for media_type in ["application/json", "application/x-www-form-urlencoded", "\u{e9}", ""] {
                let request = peer
                    .http
                    .request(reqwest::Method::from_bytes(method.as_bytes()).unwrap(), peer.url(path));
                let request = request
                    .bearer_auth(&token)
                    .header("content-type", media_type.as_bytes())
                    .body(body.to_owned());
                let status = answer(request).await.status;
                assert!((400..500).contains(&status), "{} {method} {path}: {status}", rules.id);
            }
        }
        assert_eq!(peer.get(rules.call, &token).await.status, 200, "{}", rules.id);
    }
    let nowhere = sandbox.url("ofx").replace("/ofx", "/nobody");
    assert_eq!(answer(sandbox_support::http().get(nowhere)).await.status, 404);
}
