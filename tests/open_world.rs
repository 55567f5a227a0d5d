//! What the provider adds tomorrow breaks nothing today, and what it says in digits keeps them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod recorder;

use finrail::sandbox::{Fault, Sandbox};
use finrail::{App, Connection, Decimal, Provider, finexer, mx, ofx, omnifund, tatrabanka};
use recorder::{Answer, Recorder};
use serde_json::{Value, json};

const REDIRECT: &str = "https://app.example.com/callback";
const DIGITS: &str = "12345678901234567.89";

fn app<P: Provider>(recorder: &Recorder) -> App<P> {
    let app = App::<P>::builder().base_url(recorder.origin()).redirect_uri(REDIRECT);
    app.credentials(finrail::Credentials::new("client", "secret"))
        .build()
        .unwrap()
}

async fn connect<P: finrail::grant::AuthorizationCode>(recorder: &Recorder, scopes: &[&'static str]) -> Connection<P> {
    let app = app::<P>(recorder);
    let pending = app.authorize(scopes.iter().copied()).unwrap().pending;
    let callback = format!("{REDIRECT}?code=code-1&state={}", pending.state().expose_secret());
    app.finish(pending, &callback).await.unwrap()
}

/// A server whose every reply, tokens apart, is this document.
async fn telling(document: impl Into<String>) -> Recorder {
    let document = document.into();
    Recorder::granting(move |_, _| Answer::json(document.clone())).await
}

fn digits() -> Decimal {
    DIGITS.parse().unwrap()
}

/// Fifty items, each made from its number.
fn fifty(item: impl Fn(usize) -> Value) -> Vec<Value> {
    (0..50).map(item).collect()
}

#[tokio::test]
async fn mx_accounts_of_unknown_kinds_and_values_leave_all_fifty_readable() {
    let items = fifty(|n| match n {
        7 => json!({ "cryptoAccount": { "accountId": "7", "wallets": [{ "coin": "X" }], "currentBalance": 1.5 } }),
        8 => json!({ "depositAccount": { "accountId": "8", "status": "FROZEN_BY_MAGIC", "accountType": "PIGGYBANK" } }),
        9 => {
            json!({ "depositAccount": { "accountId": "9", "mood": { "today": ["fine", null] }, "fiAttributes": null } })
        }
        10 => json!({ "depositAccount": { "accountId": "10", "currentBalance": "10.50", "availableBalance": null } }),
        11 => json!({ "depositAccount": {} }),
        12 => json!({ "futureAccount": null }),
        n => json!({ "depositAccount": { "accountId": n.to_string(), "status": "OPEN", "currentBalance": 1.10 } }),
    });
    let recorder = telling(json!({ "accounts": items, "page": null, "news": 1 }).to_string()).await;
    let user = connect::<mx::Provider>(&recorder, &["accounts"]).await;
    let read = user.client().list_accounts().items().try_collect().await.unwrap();
    assert_eq!(read.len(), 50);
    let deposit = |n: usize| match &read[n] {
        mx::types::Account::DepositAccount(account) => account,
        other => panic!("{n}: {}", other.kind()),
    };
    assert_eq!((read[7].kind(), read[12].kind()), ("cryptoAccount", "futureAccount"));
    assert_eq!(
        serde_json::to_value(&read[7]).unwrap(),
        items[7],
        "an unknown kind is written back as it came"
    );
    let status = deposit(8).status.as_ref().unwrap();
    assert!(status.is_unknown() && status.as_str() == "FROZEN_BY_MAGIC");
    assert_eq!(
        serde_json::to_value(&read[8]).unwrap(),
        items[8],
        "unknown values are written back as they came"
    );
    assert_eq!(deposit(9).account_id.as_deref(), Some("9"));
    assert!(deposit(9).fi_attributes.is_empty());
    assert_eq!(deposit(10).current_balance, Some("10.50".parse().unwrap()));
    assert_eq!(deposit(11).account_id, None);
    assert!(!deposit(49).status.as_ref().unwrap().is_unknown());

    let items = fifty(|n| match n {
        3 => json!({ "barterTransaction": { "goat": 1 } }),
        4 => json!({ "depositTransaction": { "debitCreditMemo": "SIDEWAYS", "amount": "0.10", "transactionType": 7 } }),
        5 => json!({ "depositTransaction": { "debitCreditMemo": "DEBIT", "amount": 12.30 } }),
        n => json!({ "depositTransaction": { "transactionId": n.to_string(), "new": {} } }),
    });
    let recorder = telling(json!({ "transactions": items }).to_string()).await;
    let user = connect::<mx::Provider>(&recorder, &["transactions"]).await;
    let read = user
        .client()
        .list_account_transactions()
        .account_id("a")
        .items()
        .try_collect()
        .await
        .unwrap();
    assert_eq!((read.len(), read[3].kind()), (50, "barterTransaction"));
    let mx::types::Transaction::DepositTransaction(debit) = &read[5] else {
        panic!("{}", read[5].kind())
    };
    // Amounts have no sign at MX: the direction stands beside them.
    assert_eq!(debit.amount.unwrap().to_string(), "12.3");
    assert_eq!(debit.debit_credit_memo, Some(mx::types::DebitCreditMemo::Debit));
}

#[tokio::test]
async fn tatra_banka_transactions_with_news_in_them_leave_all_fifty_readable() {
    let items = fifty(|n| match n {
        5 => json!({ "transactionId": "5", "transactionState": "TELEPORTED", "colour": "blue" }),
        6 => json!({ "transactionId": "6", "transactionAmount": { "amount": "-10.50", "currency": "EUR", "x": 1 } }),
        7 => json!({ "transactionId": "7", "transactionAmount": { "amount": 10.5, "currency": null } }),
        8 => json!({ "transactionId": null, "transactionAmount": null, "creditorAccount": null }),
        9 => json!({}),
        n => json!({ "transactionId": n.to_string(), "bookingDate": "2026-01-02", "isReversal": false }),
    });
    let (booked, pending) = items.split_at(30);
    for document in [
        json!({ "transactions": items, "_links": null }),
        json!({ "transactions": { "booked": booked, "pending": pending, "information": null }, "_links": {} }),
    ] {
        let recorder = telling(document.to_string()).await;
        let user = connect::<tatrabanka::Provider>(&recorder, &["PREMIUM_AIS"]).await;
        let read = user
            .client()
            .list_transactions()
            .account_id("a")
            .items()
            .try_collect()
            .await
            .unwrap();
        assert_eq!(read.len(), 50);
        assert_eq!(read[5].transaction_state.as_deref(), Some("TELEPORTED"));
        let amount = |n: usize| {
            read[n]
                .transaction_amount
                .as_ref()
                .and_then(|amount| amount.amount)
                .map(|a| a.to_string())
        };
        assert_eq!(
            (amount(6).as_deref(), amount(7).as_deref()),
            (Some("-10.50"), Some("10.5"))
        );
    }
    let accounts = fifty(|n| match n {
        1 => json!({ "accountId": "1", "status": "dreaming", "usage": "ALIEN", "balances": null }),
        2 => {
            json!({ "accountId": "2", "balances": [{ "balanceType": "imagined", "balanceAmount": { "amount": "1.00" } }] })
        }
        n => json!({ "accountId": n.to_string(), "status": "enabled", "usage": "PRIV", "later": [] }),
    });
    let recorder = telling(json!({ "accounts": accounts }).to_string()).await;
    let user = connect::<tatrabanka::Provider>(&recorder, &["PREMIUM_AIS"]).await;
    let read = user.client().list_accounts().send().await.unwrap();
    assert_eq!(read.accounts.len(), 50);
    assert_eq!(read.accounts[1].status.as_ref().unwrap().as_str(), "dreaming");
    assert_eq!(serde_json::to_value(&read.accounts[1]).unwrap()["usage"], "ALIEN");
}

#[tokio::test]
async fn finexer_transactions_with_news_in_them_leave_all_fifty_readable() {
    let items = fifty(|n| match n {
        3 => json!({ "id": "3", "status": "quantum", "type": "gift", "amount": "3.10" }),
        4 => json!({ "id": "4", "metadata": null, "amount": null, "timestamp": null }),
        5 => json!({ "id": "5", "enrichment": { "logo": ["a", 1, null] } }),
        n => {
            json!({ "id": n.to_string(), "status": "booked", "type": "credit", "amount": 7, "timestamp": 1_767_225_600 })
        }
    });
    for data in [json!(items), json!([items])] {
        let recorder = telling(json!({ "data": data, "paging": null, "count": 50 }).to_string()).await;
        let user = connect::<finexer::Provider>(&recorder, &["customer_read"]).await;
        let read = user
            .client()
            .list_transactions()
            .bank_account_id("b")
            .items()
            .try_collect()
            .await
            .unwrap();
        assert_eq!(read.len(), 50);
        assert!(read[3].status.as_ref().unwrap().is_unknown() && read[3].type_.as_ref().unwrap().is_unknown());
        let back = serde_json::to_value(&read[3]).unwrap();
        assert_eq!((&back["status"], &back["type"]), (&json!("quantum"), &json!("gift")));
        assert_eq!(read[3].amount.unwrap().to_string(), "3.10");
        assert!(read[4].metadata.is_empty() && read[4].amount.is_none());
    }
    let consents = fifty(|n| match n {
        1 => json!({ "id": "1", "status": "asleep", "scopes": ["accounts", "palm_reading"] }),
        2 => json!({ "id": "2", "scopes": null, "redirect": null }),
        n => json!({ "id": n.to_string(), "status": "authorized", "scopes": ["balance"] }),
    });
    let recorder = telling(json!({ "data": consents }).to_string()).await;
    let user = connect::<finexer::Provider>(&recorder, &["customer_read"]).await;
    let read = user.client().list_consents().items().try_collect().await.unwrap();
    assert_eq!(read.len(), 50);
    assert_eq!(read[1].scopes[1].as_str(), "palm_reading");
    assert_eq!(
        serde_json::to_value(&read[1]).unwrap()["scopes"],
        json!(["accounts", "palm_reading"])
    );
}

#[tokio::test]
async fn omnifund_customers_with_news_in_them_leave_all_fifty_readable() {
    let items = fifty(|n| match n {
        3 => {
            json!({ "id": 3, "displayAs": "hologram", "paymentAccounts": [{ "@type": "Barter", "isSavings": "1", "enabled": 0 }] })
        }
        4 => json!({ "id": 4, "paymentAccounts": null, "company": null }),
        5 => {
            json!({ "id": 5, "paymentAccounts": [{ "isSavings": false, "enabled": 1, "businessAccount": "0" }], "vip": {} })
        }
        n => json!({ "@id": format!("/api/customers/{n}"), "@type": "Customer", "id": n, "displayAs": "company" }),
    });
    let document =
        json!({ "@context": "/x", "hydra:member": items, "hydra:totalItems": 50, "hydra:search": { "a": 1 } });
    let recorder = telling(document.to_string()).await;
    let user = connect::<omnifund::Provider>(&recorder, &[]).await;
    let read = user.client().list_customers().items().try_collect().await.unwrap();
    assert_eq!(read.len(), 50);
    assert!(read[3].display_as.as_ref().unwrap().is_unknown());
    assert_eq!(serde_json::to_value(&read[3]).unwrap()["displayAs"], "hologram");
    let flags = |n: usize| {
        let account = &read[n].payment_accounts[0];
        (account.is_savings, account.enabled, account.business_account)
    };
    assert_eq!(
        (flags(3), flags(5)),
        ((Some(true), Some(false), None), (Some(false), Some(true), Some(false)))
    );
    assert!(read[4].payment_accounts.is_empty());
    // `text` was once `phone`.
    let recorder = telling(r#"{"id":"p","type":"phone","total":"10.00"}"#).await;
    let user = connect::<omnifund::Provider>(&recorder, &[]).await;
    let read = user.client().get_passport().id("p").send().await.unwrap();
    assert_eq!(serde_json::to_value(&*read).unwrap()["type"], "phone");
}

#[tokio::test]
async fn ofx_beneficiaries_are_read_bare_or_in_an_envelope_and_keep_what_nobody_documented() {
    let items = fifty(|n| json!({ "beneficiaryId": n.to_string(), "currency": "AUD", "status": { "deep": [n] } }));
    for document in [
        json!(items),
        json!({ "beneficiaries": items, "next": null }),
        json!({ "data": items }),
    ] {
        let recorder = telling(document.to_string()).await;
        let own = app::<ofx::Provider>(&recorder)
            .client_credentials(["payments"])
            .unwrap();
        let read = own.list_beneficiaries().send().await.unwrap();
        assert_eq!(read.len(), 50);
        assert_eq!(read[49].extra.text("beneficiaryId").as_deref(), Some("49"));
        assert_eq!(serde_json::to_value(&read[7]).unwrap(), items[7]);
    }
}

#[tokio::test]
async fn a_list_in_the_place_of_an_object_is_not_one_without_fields() {
    // The fields of the second stand in their order, as those of an object.
    for list in ["[]", " \n[[]]", r#"[{"balanceType":"closingBooked"}]"#] {
        let recorder = telling(list).await;
        let user: Connection<tatrabanka::Provider> = connect(&recorder, &["PREMIUM_AIS"]).await;
        let error = user.client().list_balances().account_id("a").send().await.unwrap_err();
        assert!(
            error.to_string().contains("expected an object, and it is a list"),
            "{error}"
        );
    }
}

#[tokio::test]
async fn every_page_of_the_sandbox_is_read_with_unknown_values_fields_and_kinds_in_it() {
    let sandbox = Sandbox::start().await.unwrap();
    macro_rules! user {
        ($provider:ident, $scopes:expr) => {{
            let client = sandbox.client(stringify!($provider));
            let app = $provider::App::builder()
                .base_url(sandbox.url(stringify!($provider)))
                .oauth_base_url(sandbox.oauth_url(stringify!($provider)))
                .credentials($provider::Credentials::new(client.client_id, client.client_secret))
                .redirect_uri(client.redirect_uri)
                .build()
                .unwrap();
            let authorization = app.authorize($scopes).unwrap();
            let callback = sandbox.approve(authorization.url.as_str()).await.unwrap();
            app.finish(authorization.pending, &callback).await.unwrap()
        }};
    }
    const NONE: [&str; 0] = [];
    let mx = user!(mx, ["accounts", "transactions", "customers"]);
    let ofx = user!(ofx, ["payments"]);
    let omnifund = user!(omnifund, NONE);
    let finexer = user!(finexer, ["customer_read"]);
    let tatra = user!(tatrabanka, ["PREMIUM_AIS"]);
    for fault in [Fault::unknown_values(), Fault::unknown_fields(), Fault::unknown_kinds()] {
        for provider in sandbox.providers() {
            sandbox.fault(&provider, fault.clone().always());
        }
        let accounts = mx.client().list_accounts().items().try_collect().await.unwrap();
        assert!(!accounts.is_empty());
        mx.client().get_current_customer().send().await.unwrap();
        assert!(!ofx.client().list_beneficiaries().send().await.unwrap().is_empty());
        assert!(
            !omnifund
                .client()
                .list_customers()
                .items()
                .try_collect()
                .await
                .unwrap()
                .is_empty()
        );
        omnifund.client().list_events().items().try_collect().await.unwrap();
        omnifund
            .client()
            .list_transaction_history()
            .items()
            .try_collect()
            .await
            .unwrap();
        assert!(
            !finexer
                .client()
                .list_customers()
                .items()
                .try_collect()
                .await
                .unwrap()
                .is_empty()
        );
        finexer.client().list_providers().items().try_collect().await.unwrap();
        let list = tatra.client().list_accounts().with_balance(true).send().await.unwrap();
        let account = list.accounts[0].account_id.clone();
        assert!(
            !tatra
                .client()
                .list_transactions()
                .account_id(account)
                .items()
                .try_collect()
                .await
                .unwrap()
                .is_empty()
        );
        sandbox
            .providers()
            .iter()
            .for_each(|provider| sandbox.clear_faults(provider));
    }
}

// --- digits

#[tokio::test]
async fn an_amount_keeps_its_digits_as_a_number_on_the_wire_and_back() {
    let forms = [DIGITS.to_owned(), format!("\"{DIGITS}\"")];
    for form in &forms {
        let reply = format!(r#"{{"id":"q","buyAmount":{form},"sellAmount":0.10,"fee":"1.00"}}"#);
        let recorder = Recorder::granting(move |_, _| Answer::status(201, reply.clone())).await;
        let own = app::<ofx::Provider>(&recorder)
            .client_credentials(["payments", "ofxrates"])
            .unwrap();
        let one_tenth: Decimal = "0.10".parse().unwrap();
        let quote = own
            .create_quote()
            .body_map(|quote| quote.buy_amount(digits()).sell_amount(one_tenth))
            .send()
            .await
            .unwrap();
        let sent = recorder.calls().pop().unwrap();
        assert_eq!(sent.text(), format!(r#"{{"buyAmount":{DIGITS},"sellAmount":0.10}}"#));
        assert_eq!(quote.buy_amount.unwrap().to_string(), DIGITS);
        assert_eq!(quote.sell_amount.unwrap().to_string(), "0.10");
        assert_eq!(quote.fee.unwrap().to_string(), "1.00");
        let back = serde_json::to_string(&*quote).unwrap();
        assert!(
            back.contains(&format!(r#""buyAmount":{DIGITS}"#)) && back.contains(r#""fee":1.00"#),
            "{back}"
        );

        own.get_rate()
            .from_currency("AUD")
            .to_currency("USD")
            .amount(digits())
            .send()
            .await
            .unwrap_err();
        assert_eq!(
            recorder.calls().pop().unwrap().target,
            format!("/ofxrates/AUD/USD/{DIGITS}")
        );
    }
    // What was posted reads back from the sandbox.
    let sandbox = Sandbox::start().await.unwrap();
    let client = sandbox.client("ofx");
    let own = ofx::Client::builder()
        .base_url(sandbox.url("ofx"))
        .credentials(ofx::Credentials::new(client.client_id, client.client_secret))
        .client_credentials(["payments"])
        .build()
        .unwrap();
    let quote = own.create_quote().body_map(|quote| {
        quote
            .buy_currency("USD")
            .buy_amount(digits())
            .sell_currency("AUD")
            .sell_amount(0)
    });
    let id = quote.send().await.unwrap().id.clone().unwrap();
    let read = own.get_quote().quote_id(id).send().await.unwrap();
    assert_eq!(read.buy_amount.unwrap().to_string(), DIGITS);
}

#[tokio::test]
async fn an_amount_keeps_its_digits_as_a_string_on_the_wire() {
    let recorder =
        Recorder::granting(|_, _| Answer::status(201, r#"{"paymentId":"p","transactionStatus":"RCVD_BY_OWL"}"#)).await;
    let service = app::<tatrabanka::Provider>(&recorder)
        .client_credentials(["PREMIUM_PIS"])
        .unwrap();
    use tatrabanka::service::types::{PaymentAccount, PaymentAmount};
    for (amount, written) in [(digits(), DIGITS), ("12.50".parse().unwrap(), "12.50")] {
        let call = service
            .initiate_payment()
            .product("sepa-credit-transfers")
            .body_map(|payment| {
                payment
                    .creditor_name("Jo")
                    .creditor_account(PaymentAccount::builder().iban("SK0811000000002600000000"))
                    .instructed_amount(PaymentAmount::builder().amount(amount).currency("EUR"))
            });
        let reply = call.send().await.unwrap();
        assert!(reply.transaction_status.as_ref().unwrap().is_unknown());
        let sent = recorder.calls().pop().unwrap();
        assert!(
            sent.text().contains(&format!(r#""amount":"{written}""#)),
            "{}",
            sent.text()
        );
    }
}

#[tokio::test]
async fn amounts_of_all_providers_are_read_digit_for_digit() {
    for form in [DIGITS.to_owned(), format!("\"{DIGITS}\"")] {
        let recorder = telling(format!(
            r#"{{"accounts":[{{"depositAccount":{{"currentBalance":{form}}}}}]}}"#
        ))
        .await;
        let user = connect::<mx::Provider>(&recorder, &["accounts"]).await;
        let read = user.client().list_accounts().items().try_collect().await.unwrap();
        let mx::types::Account::DepositAccount(account) = &read[0] else {
            panic!("{}", read[0].kind())
        };
        assert_eq!(account.current_balance, Some(digits()));

        let recorder = telling(format!(r#"{{"data":[{{"id":"t","amount":{form}}}]}}"#)).await;
        let user = connect::<finexer::Provider>(&recorder, &["customer_read"]).await;
        let read = user
            .client()
            .list_transactions()
            .bank_account_id("b")
            .items()
            .try_collect()
            .await
            .unwrap();
        assert_eq!(read[0].amount, Some(digits()));

        let recorder = telling(format!(r#"{{"hydra:member":[{{"id":1,"amount":{form}}}]}}"#)).await;
        let user = connect::<omnifund::Provider>(&recorder, &[]).await;
        let read = user
            .client()
            .list_transaction_history()
            .amount(digits())
            .items()
            .try_collect()
            .await
            .unwrap();
        assert_eq!(read[0].amount, Some(digits()));
        assert_eq!(recorder.calls()[0].query(), [("amount".to_owned(), DIGITS.to_owned())]);

        let recorder = telling(format!(r#"{{"balances":[{{"balanceAmount":{{"amount":{form}}}}}]}}"#)).await;
        let user = connect::<tatrabanka::Provider>(&recorder, &["PREMIUM_AIS"]).await;
        let read = user.client().list_balances().account_id("a").send().await.unwrap();
        assert_eq!(read.balances[0].balance_amount.as_ref().unwrap().amount, Some(digits()));
    }
}

#[test]
fn nobody_has_to_say_that_there_is_nothing_beyond_what_is_described() {
    let made = ofx::types::Beneficiary::builder().name("Jo".to_owned());
    let made = ofx::types::Beneficiary::try_from(made).unwrap();
    assert!(made.extra.is_empty());
    assert_eq!(serde_json::to_string(&made).unwrap(), r#"{"name":"Jo"}"#);
}

#[tokio::test]
async fn what_nobody_documented_keeps_its_digits_both_ways() {
    // A deal is free-form: nobody documents its fields.
    let body = format!(r#"{{"dealId":"d-1","fee":{DIGITS},"rates":[{{"rate":{DIGITS}}}]}}"#);
    let recorder = telling(body.clone()).await;
    let own = app::<ofx::Provider>(&recorder)
        .client_credentials(["payments"])
        .unwrap();
    let deal = own.get_deal().deal_id("d-1").send().await.unwrap();
    assert_eq!(deal.decimal("fee"), Some(digits()));
    assert_eq!(deal.text("dealId").as_deref(), Some("d-1"));
    assert!(deal.json("rates").unwrap().get().contains(DIGITS));
    assert_eq!(serde_json::to_string(&*deal).unwrap(), body);
    let shown = format!("{:?}", *deal);
    assert!(
        shown.contains("fee") && !shown.contains("d-1") && !shown.contains("1234567"),
        "{shown}"
    );

    // Beside what is documented.
    let body = format!(r#"{{"currency":"AUD","name":"Jo","limit":{DIGITS},"paid":{{"total":{DIGITS}}},"none":null}}"#);
    let recorder = telling(body.clone()).await;
    let own = app::<ofx::Provider>(&recorder)
        .client_credentials(["payments"])
        .unwrap();
    let read = own.get_beneficiary().beneficiary_id("b").send().await.unwrap();
    assert_eq!(
        (read.currency.as_deref(), read.name.as_deref()),
        (Some("AUD"), Some("Jo"))
    );
    assert_eq!(read.extra.names().collect::<Vec<_>>(), ["limit", "none", "paid"]);
    assert_eq!(read.extra.decimal("limit"), Some(digits()));
    let written = serde_json::to_string(&*read).unwrap();
    assert_eq!(written.matches(DIGITS).count(), 2, "{written}");
    assert_eq!(
        serde_json::from_str::<Value>(&written).unwrap(),
        serde_json::from_str::<Value>(&body).unwrap()
    );

    // And what is made here.
    let mut extra: finrail::JsonMap = [("limit", digits())].into_iter().collect();
    extra.insert("steps", json!([1, "two"]));
    let made = ofx::types::Beneficiary::builder().name("Jo".to_owned()).extra(extra);
    let made: ofx::types::Beneficiary = made.try_into().unwrap();
    assert_eq!(
        serde_json::to_string(&made).unwrap(),
        format!(r#"{{"name":"Jo","limit":{DIGITS},"steps":[1,"two"]}}"#)
    );

    // What is wrong with a documented field is still found by its place.
    let recorder = telling(r#"{"other":1,"currency":["x"]}"#).await;
    let own = app::<ofx::Provider>(&recorder)
        .client_credentials(["payments"])
        .unwrap();
    let error = own.get_beneficiary().beneficiary_id("b").send().await.unwrap_err();
    assert!(error.to_string().contains("`currency`"), "{error}");
}

#[tokio::test]
async fn a_byte_order_mark_before_the_json_is_not_part_of_it() {
    let recorder = Recorder::with_tokens(
        |_, _| Answer::json(format!("\u{feff}{}", recorder::token(1))),
        |_, before| match before {
            0 => Answer::json("\u{feff}{\"id\":\"q\"}"),
            _ => Answer::status(400, "\u{feff}{\"errors\":[{\"message\":\"no\"}]}"),
        },
    )
    .await;
    let own = app::<ofx::Provider>(&recorder)
        .client_credentials(["payments"])
        .unwrap();
    assert_eq!(
        own.get_quote().quote_id("q").send().await.unwrap().id.as_deref(),
        Some("q")
    );
    let error = own.get_quote().quote_id("q").send().await.unwrap_err();
    assert_eq!(error.body().unwrap().errors.len(), 1);
    let recorder = Recorder::with_tokens(
        |_, _| Answer::status(400, "\u{feff}{\"error\":\"invalid_client\"}"),
        |_, _| Answer::json("{}"),
    )
    .await;
    let own = app::<ofx::Provider>(&recorder)
        .client_credentials(["payments"])
        .unwrap();
    let error = own.get_quote().quote_id("q").send().await.unwrap_err();
    assert!(error.to_string().contains("does not accept this client"), "{error}");
}

#[test]
fn no_binary_float_is_in_the_generated_code() {
    for (provider, code) in [
        ("ofx", include_str!(concat!(env!("OUT_DIR"), "/ofx.rs"))),
        ("mx", include_str!(concat!(env!("OUT_DIR"), "/mx.rs"))),
        ("omnifund", include_str!(concat!(env!("OUT_DIR"), "/omnifund.rs"))),
        ("tatrabanka", include_str!(concat!(env!("OUT_DIR"), "/tatrabanka.rs"))),
        ("finexer", include_str!(concat!(env!("OUT_DIR"), "/finexer.rs"))),
    ] {
        for word in code.split(|c: char| !c.is_alphanumeric() && c != '_') {
            assert!(word != "f64" && word != "f32", "{provider}");
        }
        // It keeps a number as a binary float.
        assert!(!code.contains("serde_json::Value"), "{provider}");
    }
}
