//! Every typed call of Tatra banka: what is sent to the byte, and every field of what comes back.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod recorder;

use std::time::Duration;

use chrono::NaiveDate;
use finrail::tatrabanka::service::types as payments;
use finrail::tatrabanka::types as accounts;
use finrail::tatrabanka::{App, Connection, Credentials, Scope, service};
use finrail::transport::{Outcome, RetryPolicy};
use finrail::{Decimal, Error};
use recorder::{Answer, Recorder, Seen};
use serde_json::{Value, json};

const REDIRECT: &str = "https://app.example.com/callback";
const PRODUCT: &str = "sepa-credit-transfers";

/// What every call carries; the host and the length of a body are HTTP's own.
const PLAIN: [&str; 4] = ["accept", "authorization", "user-agent", "x-request-id"];

fn app(recorder: &Recorder) -> App {
    let quick = RetryPolicy {
        backoff: Duration::from_millis(1),
        ..RetryPolicy::default()
    };
    let app = App::builder().base_url(recorder.origin()).redirect_uri(REDIRECT);
    app.credentials(Credentials::new("client", "secret"))
        .retry(quick)
        .build()
        .unwrap()
}

/// A bank that gives the tokens `token-1`, `token-2`, ... and answers every call with this.
async fn bank(status: u16, reply: &Value) -> Recorder {
    let reply = reply.to_string();
    Recorder::granting(move |_, _| Answer::status(status, reply.as_str())).await
}

fn own(recorder: &Recorder, scope: Scope) -> service::Client {
    app(recorder).client_credentials([scope]).unwrap()
}

async fn user_of(
    app: &App,
    scope: impl Into<finrail::oauth::RequestedScope<finrail::tatrabanka::Provider>>,
) -> Connection {
    let pending = app.authorize([scope]).unwrap().pending;
    let callback = format!("{REDIRECT}?code=code-1&state={}", pending.state().expose_secret());
    app.finish(pending, &callback).await.unwrap()
}

async fn reader(recorder: &Recorder) -> Connection {
    user_of(&app(recorder), Scope::PremiumAis.of("consent-1")).await
}

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn decimal(text: &str) -> Option<Decimal> {
    Some(text.parse().unwrap())
}

fn text(value: &str) -> Option<String> {
    Some(value.to_owned())
}

/// The one call that was made: its method, its target, the headers that it has beside the plain ones, its body.
fn is_sent(recorder: &Recorder, method: &str, target: &str, headers: &[(&str, &str)], body: Option<Value>) {
    let calls = recorder.calls();
    let [sent] = calls.as_slice() else {
        panic!("{} calls", calls.len())
    };
    assert_eq!((sent.method.as_str(), sent.target.as_str()), (method, target));
    let mut names: Vec<&str> = sent.headers.iter().map(|(name, _)| name.as_str()).collect();
    names.retain(|name| !["accept-encoding", "host", "content-length"].contains(name));
    let mut expected: Vec<&str> = PLAIN.into_iter().chain(headers.iter().map(|(name, _)| *name)).collect();
    expected.extend(body.is_some().then_some("content-type"));
    names.sort_unstable();
    expected.sort_unstable();
    assert_eq!(names, expected, "{method} {target}");
    for (name, value) in headers {
        assert_eq!(sent.header(name), Some(*value), "{name}");
    }
    assert_eq!(sent.header("authorization"), Some("Bearer token-1"));
    assert!(uuid::Uuid::parse_str(sent.header("x-request-id").unwrap()).is_ok());
    match body {
        Some(body) => {
            assert_eq!(sent.header("content-type"), Some("application/json"));
            assert_eq!(serde_json::from_slice::<Value>(&sent.body).unwrap(), body);
        }
        None => assert!(sent.body.is_empty(), "{method} {target} has a body"),
    }
}

/// Nothing of the reply is lost on the way into its type.
fn is_kept(typed: &impl serde::Serialize, sent: &Value) {
    let kept: Value = serde_json::from_str(&serde_json::to_string(typed).unwrap()).unwrap();
    assert_eq!(&kept, sent);
}

// --- consents

#[tokio::test]
async fn a_consent_is_created_for_payments_too_when_that_is_asked_for() {
    let reply = json!({"consentId": "consent-1", "consentStatus": "some-status"});
    for (wanted, body) in [
        (Some(true), json!({"combinedServiceIndicator": true})),
        (Some(false), json!({"combinedServiceIndicator": false})),
        (None, json!({})),
    ] {
        let recorder = bank(201, &reply).await;
        let service = own(&recorder, Scope::PremiumAis);
        let call = service.create_consent();
        let consent = call
            .body_map(|body| match wanted {
                Some(wanted) => body.combined_service_indicator(wanted),
                None => body,
            })
            .send()
            .await
            .unwrap();
        is_sent(&recorder, "POST", "/v3/consents", &[], Some(body));
        assert_eq!(consent.status(), 201);
        is_kept(&*consent, &reply);
        let payments::Consent {
            consent_id,
            consent_status,
            extra: _,
        } = consent.into_inner();
        assert_eq!((consent_id, consent_status), (text("consent-1"), text("some-status")));
    }
}

#[tokio::test]
async fn a_consents_status_is_a_text_of_the_banks_own() {
    let reply = json!({"consentStatus": "some-status"});
    let recorder = bank(200, &reply).await;
    let service = own(&recorder, Scope::PremiumAis);
    let call = service.get_consent_status();
    let read = call.consent_id("a/b c").send().await.unwrap();
    is_sent(&recorder, "GET", "/v3/consents/a%2Fb%20c", &[], None);
    is_kept(&*read, &reply);
    let payments::ConsentStatusReply {
        consent_status,
        extra: _,
    } = read.into_inner();
    assert_eq!(consent_status, text("some-status"));
}

#[tokio::test]
async fn a_consent_is_removed_and_one_that_is_gone_says_so() {
    for status in [200, 204] {
        let recorder = Recorder::granting(move |_, _| Answer::empty(status)).await;
        let service = own(&recorder, Scope::PremiumAis);
        let call = service.delete_consent();
        let removed = call.consent_id("consent-1").send().await.unwrap();
        assert_eq!(removed.status(), status);
        is_sent(&recorder, "DELETE", "/v1/consents/consent-1", &[], None);
    }
    let recorder = bank(404, &json!({"errorCode": "NOT_LISTED", "errorDescription": "gone"})).await;
    let service = own(&recorder, Scope::PremiumAis);
    let call = service.delete_consent();
    let gone = call.consent_id("consent-1").send().await.unwrap_err();
    assert_eq!(gone.status().unwrap(), 404);
    let body = gone.body().unwrap();
    assert_eq!(body.error_code, Some("NOT_LISTED".into()));
    assert_eq!(body.error_description, text("gone"));
}

// --- accounts

fn account() -> Value {
    json!({
        "accountId": "account-1",
        "accountReference": {"iban": "SK6911000000003968781519", "currency": "EUR"},
        "name": "Jana",
        "displayName": "Účet",
        "product": "Personal",
        "cashAccountType": "CACC",
        "usage": "ORGA",
        "status": "blocked",
        "bic": "TATRSKBX",
        "bankCode": "1100",
        "bankName": "Tatra banka",
        "consentExpirationDate": "2027-05-20",
        "dateUpdated": "2026-11-21T08:15:30Z",
        "balances": [balance()],
        "_links": {"transactions": {"href": "/v5/accounts/account-1/transactions"}}
    })
}

fn balance() -> Value {
    json!({
        "balanceType": "interimAvailable",
        "balanceAmount": {"amount": 200.2, "currency": "EUR"},
        "referenceDate": "2026-11-21"
    })
}

fn is_the_balance(balance: &accounts::Balance) {
    let accounts::Balance {
        balance_amount,
        balance_type,
        reference_date,
        extra: _,
    } = balance.clone();
    let accounts::Amount {
        amount,
        currency,
        extra: _,
    } = balance_amount.unwrap();
    assert_eq!((amount, currency), (decimal("200.2"), text("EUR")));
    assert_eq!(balance_type, text("interimAvailable"));
    assert_eq!(reference_date.unwrap().date(), Some(day("2026-11-21")));
}

fn is_the_account(account: &accounts::Account) {
    let accounts::Account {
        account_id,
        account_reference,
        balances,
        bank_code,
        bank_name,
        bic,
        cash_account_type,
        consent_expiration_date,
        date_updated,
        display_name,
        links,
        name,
        product,
        status,
        usage,
        extra: _,
    } = account.clone();
    let accounts::AccountReference {
        currency,
        iban,
        extra: _,
    } = account_reference.unwrap();
    assert_eq!((currency, iban), (text("EUR"), text("SK6911000000003968781519")));
    assert_eq!((account_id.as_str(), name), ("account-1", text("Jana")));
    assert_eq!((display_name, product), (text("Účet"), text("Personal")));
    assert_eq!((cash_account_type, bic), (text("CACC"), text("TATRSKBX")));
    assert_eq!((bank_code, bank_name), (text("1100"), text("Tatra banka")));
    assert_eq!(usage, Some(accounts::AccountUsage::Orga));
    assert_eq!(status, Some(accounts::AccountStatus::Blocked));
    assert_eq!(consent_expiration_date.unwrap().date(), Some(day("2027-05-20")));
    let updated = date_updated.unwrap().date_time().unwrap();
    assert_eq!(updated.to_rfc3339(), "2026-11-21T08:15:30+00:00");
    let href = links.unwrap().transactions.unwrap().href;
    assert_eq!(href, text("/v5/accounts/account-1/transactions"));
    assert_eq!(balances.len(), 1);
    is_the_balance(&balances[0]);
}

#[tokio::test]
async fn accounts_come_with_balances_when_they_are_asked_for() {
    let reply = json!({"accounts": [account()]});
    for (balances, target) in [
        (None, "/v3/accounts"),
        (Some(true), "/v3/accounts?withBalance=true"),
        (Some(false), "/v3/accounts?withBalance=false"),
    ] {
        let recorder = bank(200, &reply).await;
        let user = reader(&recorder).await;
        let mut call = user.client().list_accounts();
        if let Some(balances) = balances {
            call = call.with_balance(balances);
        }
        let list = call.send().await.unwrap();
        is_sent(&recorder, "GET", target, &[], None);
        is_kept(&*list, &reply);
        let accounts::AccountList { accounts, extra: _ } = list.into_inner();
        assert_eq!(accounts.len(), 1);
        is_the_account(&accounts[0]);
    }
}

#[tokio::test]
async fn one_account_comes_in_an_envelope() {
    let reply = json!({"account": account()});
    let recorder = bank(200, &reply).await;
    let user = reader(&recorder).await;
    let read = user
        .client()
        .get_account()
        .account_id("account-1")
        .send()
        .await
        .unwrap();
    is_sent(&recorder, "GET", "/v3/accounts/account-1", &[], None);
    is_kept(&*read, &reply);
    let accounts::AccountReply { account, extra: _ } = read.into_inner();
    is_the_account(&account.unwrap());
}

/// One client reads both forms, and nobody shows which of them comes.
#[tokio::test]
async fn an_account_of_version_5_is_read_alone_and_in_a_member() {
    for reply in [account(), json!({"account": account()})] {
        let recorder = bank(200, &reply).await;
        let user = reader(&recorder).await;
        let call = user.client().get_account_v5().account_id("account-1");
        let read = call.send().await.unwrap();
        is_sent(&recorder, "GET", "/v5/accounts/account-1", &[], None);
        is_kept(&*read, &reply);
        let detail = read.into_inner();
        match detail.account {
            Some(account) => is_the_account(&account),
            None => {
                assert_eq!(detail.account_id, text("account-1"));
                assert_eq!(detail.balances.len(), 1);
                assert_eq!(detail.account_reference.unwrap().iban, text("SK6911000000003968781519"));
            }
        }
    }
    let recorder = bank(200, &json!({"maintenance": true})).await;
    let user = reader(&recorder).await;
    let call = user.client().get_account_v5().account_id("account-1");
    assert!(call.send().await.is_err(), "nothing in it is an account");
}

#[tokio::test]
async fn balances_come_by_kind() {
    let reply = json!({"balances": [balance()]});
    let recorder = bank(200, &reply).await;
    let user = reader(&recorder).await;
    let call = user.client().list_balances().account_id("account-1");
    let read = call.send().await.unwrap();
    is_sent(&recorder, "GET", "/v3/accounts/account-1/balances", &[], None);
    is_kept(&*read, &reply);
    let accounts::BalanceList { balances, extra: _ } = read.into_inner();
    assert_eq!(balances.len(), 1);
    is_the_balance(&balances[0]);
}

#[tokio::test]
async fn a_refresh_carries_what_is_known_of_the_user_and_nothing_else_does() {
    let reply = json!({"taskId": "task-1"});
    let (address, browser, system) = (
        ("psu-ip-address", "192.0.2.17"),
        ("psu-user-agent", "Browser/1.0"),
        ("psu-device-os", "Linux"),
    );
    for status in [200, 202] {
        let recorder = bank(status, &reply).await;
        let user = reader(&recorder).await;
        let call = user.client().refresh_accounts().psu_ip_address(address.1);
        let call = call.psu_user_agent(browser.1).psu_device_os(system.1);
        let started = call.send().await.unwrap();
        is_sent(&recorder, "PUT", "/v3/refresh", &[address, browser, system], None);
        is_kept(&*started, &reply);
        let accounts::RefreshTask { task_id, extra: _ } = started.into_inner();
        assert_eq!(task_id, text("task-1"));
    }
    let recorder = bank(200, &reply).await;
    let user = reader(&recorder).await;
    let call = user.client().refresh_accounts().psu_ip_address(address.1);
    call.send().await.unwrap();
    is_sent(&recorder, "PUT", "/v3/refresh", &[address], None);
    // Without the address, which the bank demands, nothing goes out.
    let error = user.client().refresh_accounts().send().await.unwrap_err();
    assert_eq!(error.outcome(), Outcome::NotSent);
    assert_eq!(recorder.calls().len(), 1);
}

// --- transactions

#[tokio::test]
async fn every_filter_of_transactions_has_the_banks_own_name() {
    let reply = json!({
        "account": {"iban": "SK6911000000003968781519", "currency": "EUR"},
        "transactions": [{
            "transactionId": "t-1",
            "originalTransactionId": "t-0",
            "transactionState": "BOOKED",
            "endToEndId": "/VS1/SS2/KS3",
            "variableSymbol": "0042",
            "constantSymbol": "0308",
            "specificSymbol": "0456",
            "paymentReference": "reference",
            "bookingDate": "2026-11-20",
            "valueDate": "2026-11-19",
            "transactionAmount": {"amount": -42.75, "currency": "EUR"},
            "originalAmount": {"amount": -1050.10, "currency": "CZK"},
            "authorizationDate": "2026-11-18",
            "cardNumber": "5***1",
            "cardHolder": "Holder",
            "tradingPartyAddress": "Street 1",
            "tradingPartyIdentification": "M-1",
            "tradingPartyMerchantCode": "5411",
            "transactionComplete": true,
            "creditorName": "Payee",
            "creditorAccount": {"iban": "SK3711000000007417228416", "currency": "EUR"},
            "creditorAgent": {"bic": "SUBASKBX", "name": "Payee's bank", "otherIdentification": "0200"},
            "debtorName": "Payer",
            "debtorAccount": {"iban": "SK6911000000003968781519", "currency": "CZK"},
            "debtorAgent": {"bic": "TATRSKBX", "name": "Payer's bank", "otherIdentification": "1100"},
            "remittanceInformationUnstructured": "message",
            "additionalInformation": "card",
            "bankTransactionCode": "PMNT",
            "isReversal": true
        }],
        "_links": {"account": {"href": "/v3/accounts/a"}, "next": {"href": "/v5/accounts/a/transactions?page=2"}}
    });
    let recorder = bank(200, &reply).await;
    let user = reader(&recorder).await;
    let call = user.client().list_transactions().account_id("a");
    let call = call.date_from(day("2026-10-01")).date_to(day("2026-11-20"));
    let call = call.page(3).page_size(200).entry_reference_from("e-1");
    let call = call.transaction_id_from(9_007_199_254_740_993_i64);
    let call = call.amount_from(Decimal::new(1050, 2)).amount_to(Decimal::new(1500, 0));
    let call = call.variable_symbol("0042").constant_symbol("0308");
    let call = call.specific_symbol("456").e2ereference("/VS1/SS2/KS3");
    let call = call.booking_status(accounts::BookingStatus::Pending);
    let call = call.transaction_direction(accounts::TransactionDirection::Dbt);
    let page = call.bank_transaction_code("PMNT").send().await.unwrap();

    let mut sent = recorder.calls().pop().unwrap().query();
    sent.sort();
    let sent: Vec<(&str, &str)> = sent.iter().map(|(name, value)| (&**name, &**value)).collect();
    assert_eq!(
        sent,
        [
            ("amountFrom", "10.50"),
            ("amountTo", "1500"),
            ("bankTransactionCode", "PMNT"),
            ("bookingStatus", "pending"),
            ("constantSymbol", "0308"),
            ("dateFrom", "2026-10-01"),
            ("dateTo", "2026-11-20"),
            ("e2ereference", "/VS1/SS2/KS3"),
            ("entryReferenceFrom", "e-1"),
            ("page", "3"),
            ("pageSize", "200"),
            ("specificSymbol", "456"),
            ("transactionDirection", "DBT"),
            ("transactionIdFrom", "9007199254740993"),
            ("variableSymbol", "0042"),
        ]
    );
    let target = recorder.calls().pop().unwrap().target;
    assert!(target.starts_with("/v5/accounts/a/transactions?"), "{target}");
    is_sent(&recorder, "GET", &target, &[], None);

    is_kept(&*page, &reply);
    let accounts::TransactionPage {
        account,
        links,
        transactions,
        extra: _,
    } = page.into_inner();
    let account = account.unwrap();
    assert_eq!(
        (account.iban, account.currency),
        (text("SK6911000000003968781519"), text("EUR"))
    );
    let accounts::TransactionLinks {
        account,
        next,
        extra: _,
    } = links.unwrap();
    assert_eq!(account.unwrap().href, text("/v3/accounts/a"));
    assert_eq!(next.unwrap().href, text("/v5/accounts/a/transactions?page=2"));
    assert_eq!(transactions.len(), 1);
    is_the_transaction(&transactions[0]);
}

fn is_the_transaction(transaction: &accounts::Transaction) {
    let accounts::Transaction {
        additional_information,
        authorization_date,
        bank_transaction_code,
        booking_date,
        card_holder,
        card_number,
        constant_symbol,
        creditor_account,
        creditor_agent,
        creditor_name,
        debtor_account,
        debtor_agent,
        debtor_name,
        end_to_end_id,
        is_reversal,
        original_amount,
        original_transaction_id,
        payment_reference,
        remittance_information_unstructured,
        specific_symbol,
        trading_party_address,
        trading_party_identification,
        trading_party_merchant_code,
        transaction_amount,
        transaction_complete,
        transaction_id,
        transaction_state,
        value_date,
        variable_symbol,
        extra: _,
    } = transaction.clone();
    assert_eq!((transaction_id, transaction_state), (text("t-1"), text("BOOKED")));
    assert_eq!((end_to_end_id, variable_symbol), (text("/VS1/SS2/KS3"), text("0042")));
    assert_eq!(booking_date.unwrap().date(), Some(day("2026-11-20")));
    assert_eq!(value_date.unwrap().date(), Some(day("2026-11-19")));
    let amount = transaction_amount.unwrap();
    assert_eq!((amount.amount, amount.currency), (decimal("-42.75"), text("EUR")));
    assert_eq!((creditor_name, debtor_name), (text("Payee"), text("Payer")));
    assert_eq!((constant_symbol, specific_symbol), (text("0308"), text("0456")));
    assert_eq!(
        (original_transaction_id, payment_reference),
        (text("t-0"), text("reference"))
    );
    assert_eq!(authorization_date.unwrap().date(), Some(day("2026-11-18")));
    let original = original_amount.unwrap();
    assert_eq!((original.amount, original.currency), (decimal("-1050.10"), text("CZK")));
    assert_eq!((card_number, card_holder), (text("5***1"), text("Holder")));
    assert_eq!(
        (trading_party_address, trading_party_identification),
        (text("Street 1"), text("M-1"))
    );
    assert_eq!(
        (trading_party_merchant_code, transaction_complete),
        (text("5411"), Some(true))
    );
    let accounts::CreditorAccount {
        iban,
        currency,
        extra: _,
    } = creditor_account.unwrap();
    assert_eq!((iban, currency), (text("SK3711000000007417228416"), text("EUR")));
    let debtor = debtor_account.unwrap();
    assert_eq!(
        (debtor.iban, debtor.currency),
        (text("SK6911000000003968781519"), text("CZK"))
    );
    let agent = |agent: Option<accounts::Agent>| {
        let accounts::Agent {
            bic,
            name,
            other_identification,
            extra: _,
        } = agent.unwrap();
        [bic, name, other_identification].map(Option::unwrap)
    };
    assert_eq!(agent(creditor_agent), ["SUBASKBX", "Payee's bank", "0200"]);
    assert_eq!(agent(debtor_agent), ["TATRSKBX", "Payer's bank", "1100"]);
    assert_eq!(remittance_information_unstructured, text("message"));
    assert_eq!(
        (additional_information, bank_transaction_code),
        (text("card"), text("PMNT"))
    );
    assert_eq!(is_reversal, Some(true));
}

// --- statements

#[tokio::test]
async fn a_statement_is_asked_for_watched_and_downloaded() {
    let reply = json!({"taskId": "task-1"});
    for status in [200, 201] {
        let recorder = bank(status, &reply).await;
        let user = reader(&recorder).await;
        let call = user.client().create_statement_task().account_id("a 1");
        let task = call.body_map(|task| {
            let task = task
                .date_from_statements(day("2026-10-01"))
                .date_to_statements(day("2026-10-31"));
            let task = task
                .export_type(accounts::ExportType::Xml)
                .requested_sequence_number(600);
            task.statements_per_day(true).include_daily_balances(false)
        });
        let task = task.send().await.unwrap();
        let body = json!({
            "dateFromStatements": "2026-10-01",
            "dateToStatements": "2026-10-31",
            "exportType": "XML",
            "requestedSequenceNumber": 600,
            "statementsPerDay": true,
            "includeDailyBalances": false
        });
        is_sent(
            &recorder,
            "POST",
            "/v1/accounts/a%201/statements/tasks",
            &[],
            Some(body),
        );
        is_kept(&*task, &reply);
        let accounts::CreatedStatementTask { task_id, extra: _ } = task.into_inner();
        assert_eq!(task_id, text("task-1"));
    }

    let reply = json!({
        "state": "SUCCEEDED",
        "statements": [{"statementId": "s-1", "dateFrom": "2026-10-01", "dateTo": "2026-10-31"}]
    });
    let recorder = bank(200, &reply).await;
    let user = reader(&recorder).await;
    let call = user.client().get_statement_task().account_id("a 1").task_id("task-1");
    let read = call.send().await.unwrap();
    is_sent(
        &recorder,
        "GET",
        "/v1/accounts/a%201/statements/tasks/task-1",
        &[],
        None,
    );
    is_kept(&*read, &reply);
    let accounts::StatementTask {
        state,
        statements,
        extra: _,
    } = read.into_inner();
    assert_eq!(state, Some(accounts::StatementTaskState::Succeeded));
    assert_eq!(statements.len(), 1);
    let accounts::Statement {
        date_from,
        date_to,
        statement_id,
        extra: _,
    } = statements[0].clone();
    assert_eq!(statement_id, text("s-1"));
    assert_eq!(date_from.unwrap().date(), Some(day("2026-10-01")));
    assert_eq!(date_to.unwrap().date(), Some(day("2026-10-31")));

    // The states that are not published are kept as they come.
    let recorder = bank(200, &json!({"state": "FAILED"})).await;
    let user = reader(&recorder).await;
    let call = user.client().get_statement_task().account_id("a 1").task_id("task-1");
    let read = call.send().await.unwrap();
    assert_eq!(
        read.state,
        Some(accounts::StatementTaskState::Unknown("FAILED".to_owned()))
    );
    assert!(read.statements.is_empty());

    let recorder = Recorder::granting(|_, _| Answer::typed(200, "application/zip", "PK")).await;
    let user = reader(&recorder).await;
    let call = user.client().download_statement().account_id("a 1").statement_id("s-1");
    let file = call.send().await.unwrap();
    assert_eq!(file.headers()["content-type"], "application/zip");
    assert_eq!(file.into_inner().bytes(10).await.unwrap(), "PK");
    let sent = recorder.calls().pop().unwrap();
    assert_eq!(sent.header("accept"), Some("application/pdf, application/zip"));
    is_sent(&recorder, "GET", "/v1/accounts/a%201/statements/s-1", &[], None);
}

// --- payments

#[tokio::test]
async fn a_payment_is_initiated_with_all_that_it_can_carry() {
    let reply = json!({
        "paymentId": "payment-1",
        "authorizationId": "authorization-1",
        "transactionStatus": "ACTC",
        "_links": {"scaRedirect": {"href": "https://bank.example/authorize?scope=PREMIUM_PIS:authorization-1"}}
    });
    let recorder = bank(201, &reply).await;
    let service = own(&recorder, Scope::PremiumPis);
    let call = service.initiate_payment();
    let call = call.product(payments::PaymentProduct::CrossBorderCreditTransfers);
    let call = call.instant_payment_flow(payments::InstantPaymentFlow::Mandatory);
    let call = call.body_map(|payment| {
        let amount = payments::PaymentAmount::builder().amount(Decimal::new(1250, 2));
        payment
            .instructed_amount(amount.currency("EUR"))
            .debtor_account(payments::PaymentAccount::builder().iban("SK6911000000003968781519"))
            .creditor_account(payments::PaymentAccount::builder().iban("SK3711000000007417228416"))
            .creditor_name("Peter Kováč".to_owned())
            .remittance_information_unstructured("Faktúra".to_owned())
            .end_to_end_identification("/VS1/SS2/KS3".to_owned())
            .requested_execution_date(day("2026-11-23"))
            .charge_bearer(payments::ChargeBearer::Shar)
    });
    let payment = call.send().await.unwrap();
    let body = json!({
        // A text with its digits as they were given: no binary number, no lost zero.
        "instructedAmount": {"amount": "12.50", "currency": "EUR"},
        "debtorAccount": {"iban": "SK6911000000003968781519"},
        "creditorAccount": {"iban": "SK3711000000007417228416"},
        "creditorName": "Peter Kováč",
        "remittanceInformationUnstructured": "Faktúra",
        "endToEndIdentification": "/VS1/SS2/KS3",
        "requestedExecutionDate": "2026-11-23",
        "chargeBearer": "SHAR"
    });
    is_sent(
        &recorder,
        "POST",
        "/v3/payments/cross-border-credit-transfers",
        &[("instant-payment-flow", "MANDATORY")],
        Some(body),
    );
    is_kept(&*payment, &reply);
    let payments::InitiatedPayment {
        authorization_id,
        links,
        payment_id,
        transaction_status,
        extra: _,
    } = payment.into_inner();
    assert_eq!(
        (payment_id, authorization_id),
        (text("payment-1"), text("authorization-1"))
    );
    assert_eq!(transaction_status, Some(payments::TransactionStatus::Actc));
    let payments::PaymentLinks { sca_redirect, extra: _ } = links.unwrap();
    let payments::Link { href, extra: _ } = sca_redirect.unwrap();
    assert!(href.unwrap().ends_with("PREMIUM_PIS:authorization-1"));
}

#[tokio::test]
async fn what_a_payment_leaves_out_is_not_sent() {
    let recorder = bank(201, &json!({})).await;
    let service = own(&recorder, Scope::PremiumPis);
    let call = service.initiate_payment().product("instant-sepa-credit-transfers");
    let call = call.instant_payment_flow("OPTIONAL").body_map(least);
    let payment = call.send().await.unwrap();
    let body = json!({
        "instructedAmount": {"amount": "1", "currency": "EUR"},
        "creditorAccount": {"iban": "SK3711000000007417228416"},
        "creditorName": "Peter"
    });
    is_sent(
        &recorder,
        "POST",
        "/v3/payments/instant-sepa-credit-transfers",
        &[("instant-payment-flow", "OPTIONAL")],
        Some(body.clone()),
    );
    assert!(payment.payment_id.is_none() && payment.links.is_none() && payment.transaction_status.is_none());

    let recorder = bank(201, &json!({})).await;
    let service = own(&recorder, Scope::PremiumPis);
    let call = service.initiate_payment().product(PRODUCT);
    call.body_map(least).send().await.unwrap();
    is_sent(&recorder, "POST", "/v3/payments/sepa-credit-transfers", &[], Some(body));
}

/// A payment with what it must have.
fn least(payment: payments::builder::InitiatePaymentRequest) -> payments::builder::InitiatePaymentRequest {
    payment
        .instructed_amount(payments::PaymentAmount::builder().amount(Decimal::ONE).currency("EUR"))
        .creditor_account(payments::PaymentAccount::builder().iban("SK3711000000007417228416"))
        .creditor_name("Peter".to_owned())
}

#[tokio::test]
async fn a_refused_payment_says_why() {
    let recorder = bank(
        400,
        &json!({
            "errorCode": "FORMAT_ERROR",
            "errorDescription": "for people",
            "additionalInformation": "more",
            "transactionStatus": "RJCT"
        }),
    )
    .await;
    let service = own(&recorder, Scope::PremiumPis);
    let call = service.initiate_payment().product(PRODUCT);
    let refused = call.body_map(least).send().await.unwrap_err();
    assert_eq!(
        (refused.outcome(), refused.status().unwrap().as_u16()),
        (Outcome::Rejected, 400)
    );
    let payments::ApiError {
        additional_information,
        error_code,
        error_description,
        transaction_status,
        extra: _,
    } = refused.body().unwrap().clone();
    assert_eq!(error_code, Some(payments::ErrorCode::FormatError));
    assert_eq!(
        (error_description, additional_information),
        (text("for people"), text("more"))
    );
    assert_eq!(transaction_status, Some(payments::TransactionStatus::Rjct));
}

#[tokio::test]
async fn a_payment_is_submitted_by_the_token_of_its_authorization() {
    let reply = json!({"transactionStatus": "ACSP", "statusDateTime": "2026-11-21T09:30:00Z"});
    let recorder = bank(200, &reply).await;
    let user = user_of(&app(&recorder), Scope::PremiumPis.of("authorization-1")).await;
    let call = user.client().submit_payment().product(PRODUCT).payment_id("payment-1");
    let submitted = call.authorization_id("authorization-1").send().await.unwrap();
    is_sent(
        &recorder,
        "PUT",
        "/v1/payments/sepa-credit-transfers/payment-1/authorizations/authorization-1",
        &[],
        None,
    );
    is_kept(&*submitted, &reply);
    let accounts::SubmittedPayment {
        status_date_time,
        transaction_status,
        extra: _,
    } = submitted.into_inner();
    assert_eq!(transaction_status, Some(accounts::TransactionStatus::Acsp));
    assert_eq!(status_date_time.unwrap().as_str(), "2026-11-21T09:30:00Z");
}

#[tokio::test]
async fn how_far_a_payment_and_its_authorization_are_is_told_to_the_service() {
    for (word, expected) in [
        ("received", payments::ScaStatus::Received),
        ("unconfirmed", payments::ScaStatus::Unconfirmed),
        ("finalised", payments::ScaStatus::Finalised),
        ("exempted", payments::ScaStatus::Unknown("exempted".to_owned())),
    ] {
        let reply = json!({"scaStatus": word});
        let recorder = bank(200, &reply).await;
        let service = own(&recorder, Scope::PremiumPis);
        let call = service.get_payment_authorization().product(PRODUCT);
        let call = call.payment_id("payment-1").authorization_id("authorization-1");
        let read = call.send().await.unwrap();
        is_sent(
            &recorder,
            "GET",
            "/v1/payments/sepa-credit-transfers/payment-1/authorizations/authorization-1",
            &[],
            None,
        );
        is_kept(&*read, &reply);
        let payments::PaymentAuthorization { sca_status, extra: _ } = read.into_inner();
        assert_eq!(sca_status, Some(expected));
    }

    let reply = json!({
        "transactionStatus": "RJCT",
        "statusDateTime": "2026-11-21T09:30:04Z",
        "reasonCode": "AM04",
        "additionalInformation": "no money"
    });
    let recorder = bank(200, &reply).await;
    let service = own(&recorder, Scope::PremiumPis);
    let call = service.get_payment_status().product(PRODUCT);
    let read = call.payment_id("payment-1").send().await.unwrap();
    is_sent(
        &recorder,
        "GET",
        "/v3/payments/sepa-credit-transfers/payment-1/status",
        &[],
        None,
    );
    is_kept(&*read, &reply);
    let payments::PaymentStatus {
        additional_information,
        reason_code,
        status_date_time,
        transaction_status,
        extra: _,
    } = read.into_inner();
    assert_eq!(transaction_status, Some(payments::TransactionStatus::Rjct));
    assert_eq!(status_date_time.unwrap().as_str(), "2026-11-21T09:30:04Z");
    assert_eq!((reason_code, additional_information), (text("AM04"), text("no money")));
}

/// What the bank answers to a cancellation is not documented: it comes as it is, and nothing is fine too.
#[tokio::test]
async fn a_cancellation_gives_the_banks_reply_as_it_came() {
    for answer in [Answer::status(200, r#"{"authorizationId":"c-1"}"#), Answer::empty(204)] {
        let Answer::Reply { status, body, .. } = answer.clone() else {
            unreachable!()
        };
        let recorder = Recorder::granting(move |_, _| answer.clone()).await;
        let service = own(&recorder, Scope::PremiumPis);
        let call = service.cancel_payment().product(PRODUCT);
        let reply = call.payment_id("payment-1").send().await.unwrap();
        assert_eq!(reply.status(), status);
        assert_eq!(reply.into_inner().bytes(1000).await.unwrap(), body);
        let sent = recorder.calls().pop().unwrap();
        assert_eq!(sent.header("accept"), Some("application/json"));
        is_sent(
            &recorder,
            "DELETE",
            "/v2/payments/sepa-credit-transfers/payment-1",
            &[],
            None,
        );
    }
}

// --- the id of a request

/// With its id the bank can be asked about a call that it did not answer, or answered without a word (Tatra 14).
#[tokio::test]
async fn an_error_tells_the_id_that_was_sent_where_the_bank_tells_none() {
    fn last(recorder: &Recorder) -> Seen {
        recorder.calls().pop().unwrap()
    }
    fn tells<E: std::fmt::Debug>(error: &Error<E>, recorder: &Recorder) {
        let sent = last(recorder);
        let id = sent.header("x-request-id").unwrap();
        assert!(uuid::Uuid::parse_str(id).is_ok());
        assert_eq!(error.request_id(), Some(id), "{error:?}");
    }
    // A refusal without the echo, one that is not the bank's, and a connection that breaks.
    for (answer, attempts) in [
        (Answer::status(400, r#"{"errorCode":"FORMAT_ERROR"}"#), 1),
        (Answer::html(400, "<h1>Bad request</h1>"), 1),
        (Answer::Drop, 3),
    ] {
        let recorder = Recorder::granting(move |_, _| answer.clone()).await;
        let app = app(&recorder);
        let user = user_of(&app, Scope::PremiumAis.of("consent-1")).await;
        let error = user.client().list_accounts().send().await.unwrap_err();
        assert_eq!(recorder.calls().len(), attempts, "a read is repeated, with a new id");
        tells(&error, &recorder);

        // What moves money is sent once: the id is that of the call that may have happened.
        let payer = user_of(&app, Scope::PremiumPis.of("a")).await;
        let call = payer.client().submit_payment().product(PRODUCT).payment_id("p");
        let error = call.authorization_id("a").send().await.unwrap_err();
        assert_eq!(recorder.calls().len(), attempts + 1);
        tells(&error, &recorder);
    }
    // The bank's own id, where it tells one, is the one to ask it about.
    let recorder = Recorder::granting(|_, _| Answer::status(400, "{}").header("x-request-id", "the-banks-own")).await;
    let user = reader(&recorder).await;
    let error = user.client().list_accounts().send().await.unwrap_err();
    assert_eq!(error.request_id(), Some("the-banks-own"));
}
