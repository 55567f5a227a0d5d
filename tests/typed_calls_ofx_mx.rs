//! Typed calls of OFX and MX, field by field: what goes over the wire, and what is read from the reply.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod recorder;

use finrail::{App, Connection, Decimal, Provider, mx, ofx};
use recorder::{Answer, Recorder, Seen};
use serde_json::{Value, json};

const REDIRECT: &str = "https://app.example.com/callback";

fn builder<P: Provider>(recorder: &Recorder) -> finrail::AppBuilder<P> {
    let app = App::<P>::builder().base_url(recorder.origin()).redirect_uri(REDIRECT);
    app.credentials(finrail::Credentials::new("client", "secret"))
}

/// OFX for the application itself, for a server that answers every call with this.
async fn ofx_answering(status: u16, body: &'static str) -> (Recorder, ofx::Client) {
    let recorder = Recorder::granting(move |_, _| Answer::status(status, body)).await;
    let app: ofx::App = builder(&recorder).build().unwrap();
    let own = app
        .client_credentials([ofx::Scope::Payments, ofx::Scope::Ofxrates])
        .unwrap();
    (recorder, own)
}

async fn mx_connection(recorder: &Recorder) -> Connection<mx::Provider> {
    let app: mx::App = builder(recorder).build().unwrap();
    let scopes = [mx::Scope::Customers, mx::Scope::Accounts, mx::Scope::Transactions];
    let pending = app.authorize(scopes).unwrap().pending;
    let callback = format!("{REDIRECT}?code=code-1&state={}", pending.state().expose_secret());
    app.finish(pending, &callback).await.unwrap()
}

fn registrar(recorder: &Recorder) -> mx::registration::Client {
    mx::registration::Client::builder()
        .base_url(recorder.origin())
        .registration_token("dcr-token")
        .unwrap()
        .build()
        .unwrap()
}

/// The one call that was made.
fn only_call(recorder: &Recorder) -> Seen {
    let mut calls = recorder.calls();
    assert_eq!(calls.len(), 1);
    calls.remove(0)
}

fn line(seen: &Seen) -> String {
    format!("{} {}", seen.method, seen.target)
}

fn json_of(seen: &Seen) -> Value {
    serde_json::from_str(seen.text()).unwrap()
}

/// The headers that say something about the call, in the order of their names.
fn headers(seen: &Seen) -> Vec<(&str, &str)> {
    const OF_HTTP: [&str; 4] = ["accept-encoding", "host", "content-length", "user-agent"];
    let all = seen.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let mut headers: Vec<_> = all.filter(|(name, _)| !OF_HTTP.contains(name)).collect();
    headers.sort_unstable();
    headers
}

fn decimal(text: &str) -> Decimal {
    text.parse().unwrap()
}

// --- OFX

#[tokio::test]
async fn a_deal_is_booked_with_its_callback_and_keeps_whatever_the_reply_has() {
    for status in [200, 201, 202] {
        let (recorder, own) = ofx_answering(status, r#"{"processId":"p-1","steps":[{"n":1}],"total":0.10}"#).await;
        let deal = own
            .create_deal()
            .callback_url("https://app.example.com/ofx/events")
            .callback_nonce("order-2026-000381")
            .body_map(|deal| {
                let payment = ofx::types::DealBeneficiary::builder()
                    .beneficiary_id("b-1".to_owned())
                    .amount(decimal("13208.50"))
                    .pay_reason("Invoice".to_owned())
                    .pay_reference("INV-1042".to_owned());
                deal.quote_id("q-1".to_owned())
                    .funding_source("Own account".to_owned())
                    .beneficiaries([ofx::types::DealBeneficiary::try_from(payment).unwrap()])
            })
            .send()
            .await
            .unwrap();
        let sent = only_call(&recorder);
        assert_eq!(line(&sent), "POST /payments/deals");
        assert_eq!(
            headers(&sent),
            [
                ("accept", "application/json"),
                ("authorization", "Bearer token-1"),
                ("callback-nonce", "order-2026-000381"),
                ("callback-url", "https://app.example.com/ofx/events"),
                ("content-type", "application/json"),
            ]
        );
        assert!(sent.text().contains(r#""amount":13208.50"#), "{}", sent.text());
        assert_eq!(
            json_of(&sent),
            json!({
                "quoteId": "q-1",
                "fundingSource": "Own account",
                "beneficiaries": [
                    { "beneficiaryId": "b-1", "amount": decimal_json("13208.50"), "payReason": "Invoice", "payReference": "INV-1042" }
                ]
            })
        );
        assert_eq!(deal.status().as_u16(), status);
        assert_eq!(deal.text("processId").as_deref(), Some("p-1"));
        assert_eq!(
            deal.json("steps").unwrap().parse::<Value>().unwrap(),
            json!([{ "n": 1 }])
        );
    }
}

fn decimal_json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

#[tokio::test]
async fn a_deal_without_a_callback_has_no_callback_headers() {
    let (recorder, own) = ofx_answering(202, "{}").await;
    own.create_deal()
        .body_map(|deal| deal.quote_id("q-1".to_owned()))
        .send()
        .await
        .unwrap();
    let sent = only_call(&recorder);
    let names: Vec<_> = headers(&sent).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["accept", "authorization", "content-type"]);
    assert_eq!(sent.text(), r#"{"quoteId":"q-1"}"#);
}

#[tokio::test]
async fn a_rate_is_read_in_either_spelling_to_the_digit() {
    for (body, extra) in [
        (
            r#"{"ofxRate":0.66020,"inverseOfxRate":1.514692,"convertedAmount":660.53}"#,
            json!({}),
        ),
        (
            r#"{"OfxRate":0.66020,"InverseOfxRate":"1.514692","ConvertedAmount":660.53,"SellAmount":1000.5,"MarketRate":"0.67"}"#,
            json!({ "SellAmount": decimal_json("1000.5"), "MarketRate": "0.67" }),
        ),
    ] {
        let (recorder, own) = ofx_answering(200, body).await;
        let rate = own
            .get_rate()
            .from_currency("AUD")
            .to_currency("USD")
            .amount(decimal("1000.50"))
            .send()
            .await
            .unwrap();
        let sent = only_call(&recorder);
        assert_eq!(line(&sent), "GET /ofxrates/AUD/USD/1000.50");
        assert!(sent.body.is_empty());
        let read = [rate.ofx_rate, rate.inverse_ofx_rate, rate.converted_amount];
        assert_eq!(
            read.map(|number| number.unwrap().to_string()),
            ["0.66020", "1.514692", "660.53"]
        );
        assert_eq!(serde_json::to_value(&rate.extra).unwrap(), extra);
    }
}

#[tokio::test]
async fn a_quote_keeps_the_fields_whose_names_are_not_public() {
    let (recorder, own) = ofx_answering(
        201,
        r#"{"id":"q-1","buyAmount":1100.00,"fee":15,"feeCurrency":"AUD","fixedSide":"buy","expires":{"in":[60]}}"#,
    )
    .await;
    let quote = own
        .create_quote()
        .body_map(|quote| {
            quote
                .buy_currency("USD")
                .buy_amount(1100)
                .sell_currency("AUD")
                .sell_amount(0)
        })
        .send()
        .await
        .unwrap();
    let sent = only_call(&recorder);
    assert_eq!(line(&sent), "POST /payments/quotes");
    assert_eq!(
        json_of(&sent),
        json!({ "buyCurrency": "USD", "buyAmount": 1100, "sellCurrency": "AUD", "sellAmount": 0 })
    );
    assert_eq!(quote.id.as_deref(), Some("q-1"));
    assert_eq!(quote.buy_amount.unwrap().to_string(), "1100.00");
    assert_eq!(
        serde_json::to_value(&quote.extra).unwrap(),
        json!({ "fixedSide": "buy", "expires": { "in": [60] } })
    );
}

#[tokio::test]
async fn a_beneficiary_is_created_with_what_is_known_of_it() {
    let (recorder, own) = ofx_answering(201, r#"{"beneficiaryId":"b-1","name":"Jane Citizen"}"#).await;
    let address = |city: &str, code: &str| {
        ofx::types::Address::builder()
            .address_line("9 Bridge Street".to_owned())
            .city_suburb(city.to_owned())
            .state_province("New South Wales".to_owned())
            .post_code(code.to_owned())
            .country("AU".to_owned())
    };
    let created = own
        .create_beneficiary()
        .body_map(|beneficiary| {
            let bank = ofx::types::BankDetails::builder()
                .bank_name("Westpac".to_owned())
                .bank_branch_name("Chatswood".to_owned())
                .branch_code("032100".to_owned())
                .account("0456637".to_owned())
                .bank_address(address("Chatswood", "2067"));
            beneficiary
                .currency("AUD".to_owned())
                .name("Jane Citizen".to_owned())
                .classification("Own Account".to_owned())
                .payment_reason("Savings".to_owned())
                .beneficiary_bank_details(bank)
                .beneficiary_address(address("Sydney", "2000"))
        })
        .send()
        .await
        .unwrap();
    let sent = only_call(&recorder);
    assert_eq!(line(&sent), "POST /payments/beneficiaries");
    let address = |city: &str, code: &str| {
        json!({
            "addressLine": "9 Bridge Street", "citySuburb": city, "stateProvince": "New South Wales", "postCode": code, "country": "AU"
        })
    };
    assert_eq!(
        json_of(&sent),
        json!({
            "currency": "AUD",
            "name": "Jane Citizen",
            "classification": "Own Account",
            "paymentReason": "Savings",
            "beneficiaryBankDetails": {
                "bankName": "Westpac",
                "bankBranchName": "Chatswood",
                "branchCode": "032100",
                "account": "0456637",
                "bankAddress": address("Chatswood", "2067")
            },
            "beneficiaryAddress": address("Sydney", "2000")
        })
    );
    assert_eq!(created.name.as_deref(), Some("Jane Citizen"));
    let id = created.extra.text("beneficiaryId");
    assert_eq!(id.as_deref(), Some("b-1"), "whatever the id is called");
}

#[tokio::test]
async fn things_are_read_by_an_id_that_goes_into_the_path_as_one_segment() {
    let (recorder, own) = ofx_answering(200, r#"{"id":"1","name":"Jane"}"#).await;
    let id = "a/b ?#";
    let beneficiary = own.get_beneficiary().beneficiary_id(id).send().await.unwrap();
    assert_eq!(
        (beneficiary.name.as_deref(), beneficiary.extra.text("id").as_deref()),
        (Some("Jane"), Some("1"))
    );
    assert_eq!(
        own.get_quote().quote_id(id).send().await.unwrap().id.as_deref(),
        Some("1")
    );
    let deal = own.get_deal().deal_id(id).send().await.unwrap();
    assert_eq!(deal.text("name").as_deref(), Some("Jane"));
    let lines: Vec<_> = recorder.calls().iter().map(line).collect();
    assert_eq!(
        lines,
        [
            "GET /payments/beneficiaries/a%2Fb%20%3F%23",
            "GET /payments/quotes/a%2Fb%20%3F%23",
            "GET /payments/deals/a%2Fb%20%3F%23"
        ]
    );
}

// --- MX

#[tokio::test]
async fn an_account_is_read_by_its_id_with_its_holdings() {
    let reply = r#"{"investmentAccount":{"accountId":"inv-1","accountType":"DIGITALASSET","status":"RESTRICTED","holdings":[
        {"securityId":"CH0012032048","securityIdType":"VALOR","units":"2.50","taxLots":[
            {"originalPurchaseDate":"2024-03-01","quantity":1.50,"costBasis":300.10,"positionType":"LONG"},
            {"lotId":"l-2","units":1.00,"marketValue":"210.00"}]}]}}"#;
    let recorder = Recorder::granting(move |_, _| Answer::json(reply)).await;
    let user = mx_connection(&recorder).await;
    let account = user.client().get_account().account_id("inv/1").send().await.unwrap();
    let sent = only_call(&recorder);
    assert_eq!(line(&sent), "GET /accounts/inv%2F1");
    assert_eq!(
        headers(&sent),
        [("accept", "application/json"), ("authorization", "Bearer token-1")]
    );
    let mx::types::Account::InvestmentAccount(account) = account.into_inner() else {
        panic!("another kind")
    };
    assert_eq!(account.account_type, Some(mx::types::AccountType::Digitalasset));
    assert_eq!(account.status, Some(mx::types::AccountStatus::Restricted));
    let holding = &account.holdings[0];
    assert_eq!(holding.security_id_type, Some(mx::types::SecurityIdType::Valor));
    let [first, second] = &holding.tax_lots[..] else {
        panic!("{} lots", holding.tax_lots.len())
    };
    assert_eq!(first.quantity.unwrap().to_string(), "1.50");
    assert_eq!(first.cost_basis.unwrap().to_string(), "300.10");
    assert_eq!(first.position_type, Some(mx::types::PositionType::Long));
    assert_eq!(second.lot_id.as_deref(), Some("l-2"));
    assert_eq!(
        (
            second.units.unwrap().to_string(),
            second.market_value.unwrap().to_string()
        ),
        ("1.00".to_owned(), "210.00".to_owned())
    );
}

#[tokio::test]
async fn transactions_are_asked_for_by_time_on_every_page() {
    let recorder = Recorder::granting(|_, before| match before {
        0 => Answer::json(r#"{"page":{"nextOffset":"n 2","totalElements":2},"transactions":[{"depositTransaction":{"transactionId":"1"}}]}"#),
        _ => Answer::json(r#"{"page":{},"transactions":[{"depositTransaction":{"transactionId":"2"}}]}"#),
    })
    .await;
    let user = mx_connection(&recorder).await;
    let client = user.client();
    let call = client.list_account_transactions().account_id("dep-1");
    let call = call
        .start_time("2026-01-30")
        .end_time("2026-05-30T00:00:00+02:00")
        .limit(50);
    let read: Vec<mx::types::Transaction> = call.items().try_collect().await.unwrap();
    assert_eq!(read.len(), 2);
    let calls = recorder.calls();
    let asked = |n: usize| {
        let mut query = calls[n].query();
        query.sort();
        query
    };
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let filters = [
        pair("endTime", "2026-05-30T00:00:00+02:00"),
        pair("limit", "50"),
        pair("startTime", "2026-01-30"),
    ];
    assert_eq!((calls.len(), calls[0].path()), (2, "/accounts/dep-1/transactions"));
    assert_eq!(asked(0), filters);
    let [end, limit, start] = filters;
    assert_eq!(asked(1), [end, limit, pair("offset", "n 2"), start]);
}

#[tokio::test]
async fn a_page_tells_how_many_items_there_are() {
    let recorder =
        Recorder::granting(|_, _| Answer::json(r#"{"page":{"nextOffset":7,"totalElements":3},"accounts":[]}"#)).await;
    let user = mx_connection(&recorder).await;
    let page = user.client().list_accounts().limit(1).offset("o").send().await.unwrap();
    assert_eq!(line(&only_call(&recorder)), "GET /accounts?limit=1&offset=o");
    let page = page.page.clone().unwrap();
    assert_eq!((page.next_offset.as_deref(), page.total_elements), (Some("7"), Some(3)));
}

#[tokio::test]
async fn a_customer_in_a_wrapper_is_not_lost() {
    let recorder = Recorder::granting(|_, before| match before {
        0 => Answer::json(r#"{"customer":{"customerId":"c-1","email":["a@example.com"]}}"#),
        1 => Answer::json(r#"{"customerId":"c-1","emails":["a@example.com"],"dateOfBirth":"1990-01-01"}"#),
        _ => Answer::json(r#"{"customerId":"c-1","email":["a@example.com"]}"#),
    })
    .await;
    let user = mx_connection(&recorder).await;
    let read = || user.client().get_current_customer().send();
    let wrapped = read().await.unwrap();
    assert_eq!(wrapped.customer_id, None);
    let customer: Value = wrapped.extra.get("customer").unwrap().unwrap();
    assert_eq!(customer["customerId"], "c-1");
    for extra in [json!({ "dateOfBirth": "1990-01-01" }), json!({})] {
        let bare = read().await.unwrap();
        assert_eq!(
            (bare.customer_id.as_deref(), &bare.email[..]),
            (Some("c-1"), &["a@example.com".to_owned()][..])
        );
        assert_eq!(serde_json::to_value(&bare.extra).unwrap(), extra);
    }
    assert!(
        recorder
            .calls()
            .iter()
            .all(|seen| line(seen) == "GET /customers/current")
    );
}

// --- MX, registration of a client

const REGISTERED: &str = r#"{"client_id":"c-1","client_secret":"s-1","client_id_issued_at":1795219200,"client_secret_expires_at":0,
    "client_name":"Ledgerly","grant_types":["authorization_code","refresh_token"],"redirect_uris":["https://app.example.com/cb"]}"#;

/// No page shows the status: the secret must not be lost because it is another than the RFC's.
#[tokio::test]
async fn a_client_is_registered_whatever_success_is_called() {
    for status in [200, 201, 202] {
        let recorder = Recorder::in_order([Answer::status(status, REGISTERED)]).await;
        let registered = registrar(&recorder)
            .register_client()
            .body_map(|client| {
                client
                    .client_name("Ledgerly")
                    .grant_type(mx::registration::types::RegistrationGrantType::AuthorizationCode)
                    .categories(vec!["Personal Finance".to_owned()])
                    .logo_uri("https://app.example.com/logo.png".to_owned())
                    .redirect_uris(vec!["https://app.example.com/cb".to_owned()])
                    .software_id("ledgerly-web".to_owned())
            })
            .send()
            .await
            .unwrap();
        let sent = only_call(&recorder);
        assert_eq!(line(&sent), "POST /oauth2/v4/register");
        assert_eq!(
            headers(&sent),
            [
                ("accept", "application/json"),
                ("authorization", "Bearer dcr-token"),
                ("content-type", "application/json"),
            ]
        );
        assert_eq!(
            json_of(&sent),
            json!({
                "client_name": "Ledgerly",
                "grant_type": "authorization_code",
                "categories": ["Personal Finance"],
                "logo_uri": "https://app.example.com/logo.png",
                "redirect_uris": ["https://app.example.com/cb"],
                "software_id": "ledgerly-web"
            })
        );
        assert_eq!(registered.client_id.as_deref(), Some("c-1"), "{status}");
        assert_eq!(
            registered.client_secret.as_ref().unwrap().expose_secret(),
            "s-1",
            "{status}"
        );
        assert_eq!(registered.client_secret_expires_at, Some(0));
        let grants: Vec<_> = registered.grant_types.iter().map(|grant| grant.as_str()).collect();
        assert_eq!(
            grants,
            ["authorization_code", "refresh_token"],
            "a grant that is not listed survives"
        );
    }
}

#[tokio::test]
async fn a_registered_client_is_changed_and_deleted_whatever_success_is_called() {
    for status in [200, 202] {
        let recorder = Recorder::in_order([Answer::status(status, REGISTERED)]).await;
        let registrar = registrar(&recorder);
        let update = registrar
            .update_registered_client()
            .client_id("c/1")
            .body_map(|client| {
                client
                    .client_id("c/1".to_owned())
                    .client_name("Ledgerly Plus".to_owned())
                    .grant_types(vec![mx::registration::types::RegistrationGrantType::AuthorizationCode])
            });
        let changed = update.send().await.unwrap();
        assert_eq!(
            changed.client_secret.as_ref().unwrap().expose_secret(),
            "s-1",
            "{status}"
        );
        let sent = only_call(&recorder);
        assert_eq!(line(&sent), "PUT /oauth2/v4/register/c%2F1");
        assert_eq!(
            json_of(&sent),
            json!({ "client_id": "c/1", "client_name": "Ledgerly Plus", "grant_types": ["authorization_code"] })
        );
    }
    for answer in [Answer::empty(204), Answer::empty(200), Answer::status(202, "{}")] {
        let recorder = Recorder::in_order([answer]).await;
        registrar(&recorder)
            .delete_registered_client()
            .client_id("c/1")
            .send()
            .await
            .unwrap();
        let sent = only_call(&recorder);
        assert_eq!(line(&sent), "DELETE /oauth2/v4/register/c%2F1");
        assert_eq!(sent.header("authorization"), Some("Bearer dcr-token"));
        assert!(sent.body.is_empty());
    }
}

#[tokio::test]
async fn a_token_is_revoked_by_the_success_that_is_documented_and_the_bare_call_takes_any() {
    for (answer, ends_the_grant) in [
        (Answer::empty(200), true),
        (Answer::empty(204), false),
        (Answer::status(202, "{}"), false),
    ] {
        let recorder = Recorder::start(move |seen, _| match seen.path() {
            "/oauth2/v4/revoke" => answer.clone(),
            _ => Answer::json(recorder::token(1)),
        })
        .await;
        // What MX documents is 200; of another success nobody has said that the token is gone.
        let revoked = mx_connection(&recorder).await.revoke().await;
        assert_eq!(revoked.is_ok(), ends_the_grant);
        let client = mx::oauth::Client::builder()
            .base_url(recorder.origin())
            .credentials(mx::Credentials::new("client", "secret"))
            .build()
            .unwrap();
        let body = finrail::oauth::wire::RevocationRequest::new("refresh-1".to_owned().into());
        client.revoke_token().body(body).send().await.unwrap();
        let sent: Vec<_> = recorder.calls().iter().map(|seen| seen.text().to_owned()).collect();
        assert_eq!(
            sent,
            ["token=refresh-1&token_type_hint=refresh_token", "token=refresh-1"]
        );
    }
}
