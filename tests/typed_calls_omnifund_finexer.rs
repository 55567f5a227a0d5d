//! Every call of OmniFund and of Finexer through its typed client: what goes over the wire, and that every described field of
//! the reply is read.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod recorder;

use std::collections::BTreeMap;

use finrail::{Decimal, finexer, omnifund};
use recorder::{Answer, Recorder};
use serde_json::{Value, json};

/// This file: what it calls can be found in it.
const THIS_FILE: &str = include_str!("typed_calls_omnifund_finexer.rs");

/// A client with an access key at a server whose every reply is this document.
macro_rules! telling {
    ($provider:ident, $reply:expr) => {{
        let text = $reply.to_string();
        let recorder = Recorder::start(move |_, _| Answer::json(text.clone())).await;
        let client = $provider::Client::builder()
            .base_url(recorder.origin())
            .access_key("key", "secret")
            .build()
            .unwrap();
        (recorder, client)
    }};
}

/// One request went out, and this is it, to the byte.
#[track_caller]
fn sent(recorder: &Recorder, method: &str, target: &str) -> recorder::Seen {
    let seen = recorder.seen();
    assert_eq!(seen.len(), 1);
    assert_eq!((seen[0].method.as_str(), seen[0].target.as_str()), (method, target));
    seen[0].clone()
}

/// As [`sent`], with these fields in a form, in any order.
#[track_caller]
fn sent_form(recorder: &Recorder, target: &str, fields: &[(&str, &str)]) {
    let seen = sent(recorder, "POST", target);
    assert_eq!(seen.header("content-type"), Some("application/x-www-form-urlencoded"));
    let mut form = seen.form();
    form.sort();
    let mut fields: Vec<(String, String)> = fields
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    fields.sort();
    assert_eq!(form, fields);
}

/// As [`sent`], with a JSON body that is this text.
#[track_caller]
fn sent_json(recorder: &Recorder, target: &str, body: &str) {
    let seen = sent(recorder, "POST", target);
    assert_eq!(seen.header("content-type"), Some("application/json"));
    assert_eq!(seen.text(), body);
}

/// The reply has every field that the specification describes, and the typed value has kept each.
#[track_caller]
fn reads_all(provider: &str, schema: &str, reply: &Value, read: &impl serde::Serialize) {
    let path = format!("{}/specs/bundled/{provider}.json", env!("CARGO_MANIFEST_DIR"));
    let spec: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let mut missing = Vec::new();
    let described = json!({ "$ref": format!("#/components/schemas/{schema}") });
    not_told(&spec, &described, &[reply], schema, &mut missing);
    assert!(missing.is_empty(), "the reply of this test lacks {missing:?}");
    assert_eq!(&serde_json::to_value(read).unwrap(), reply);
}

/// Fields that a schema describes and that none of the values has.
fn not_told(spec: &Value, schema: &Value, values: &[&Value], path: &str, missing: &mut Vec<String>) {
    let schema = match schema["allOf"].as_array() {
        Some(all) => &all[0],
        None => schema,
    };
    let schema = match schema["$ref"].as_str() {
        Some(reference) => spec.pointer(&reference[1..]).unwrap(),
        None => schema,
    };
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        let path = format!("{path}.{name}");
        let found: Vec<&Value> = values.iter().filter_map(|value| value.get(name)).collect();
        if found.is_empty() {
            missing.push(path);
        } else {
            not_told(spec, property, &found, &path, missing);
        }
    }
    if schema.get("items").is_some() {
        let items: Vec<&Value> = values.iter().filter_map(|value| value.as_array()).flatten().collect();
        not_told(spec, &schema["items"], &items, path, missing);
    }
}

fn decimal(text: &str) -> Decimal {
    text.parse().unwrap()
}

#[test]
fn every_call_stands_in_this_file() {
    for operation in finexer::OPERATIONS.iter().chain(omnifund::OPERATIONS) {
        let call = format!(".{}()", operation.id);
        assert!(operation.client != "api" || THIS_FILE.contains(&call), "{call}");
    }
}

// --- Finexer

fn customer() -> Value {
    json!({ "id": "cus_1", "object": "customer", "name": "Jo & Co", "email": "jo@mail.example" })
}

fn list(items: &[Value]) -> Value {
    json!({ "data": items, "count": 1, "paging": { "total": 3, "next": "/next?offset=1", "prev": "/prev?offset=0" } })
}

#[tokio::test]
async fn finexer_customers() {
    let reply = list(&[customer()]);
    let (recorder, client) = telling!(finexer, reply);
    let read = client.list_customers().limit(20).offset(40).send().await.unwrap();
    sent(&recorder, "GET", "/customers?limit=20&offset=40");
    reads_all("finexer", "CustomerList", &reply, &*read);

    let (recorder, client) = telling!(finexer, customer());
    let create = client.create_customer().body_map(|body| {
        body.name("Jo & Co")
            .email("jo@mail.example".to_owned())
            .phone("+447700900123".to_owned())
            .currency("gbp".to_owned())
            .metadata(BTreeMap::from([("ref no".to_owned(), "7=8".to_owned())]))
    });
    let read = create.send().await.unwrap();
    sent_form(
        &recorder,
        "/customers",
        &[
            ("name", "Jo & Co"),
            ("email", "jo@mail.example"),
            ("phone", "+447700900123"),
            ("currency", "gbp"),
            ("metadata[ref no]", "7=8"),
        ],
    );
    reads_all("finexer", "Customer", &customer(), &*read);

    let (recorder, client) = telling!(finexer, customer());
    let read = client.get_customer().customer_id("cus/1").send().await.unwrap();
    sent(&recorder, "GET", "/customers/cus%2F1");
    reads_all("finexer", "Customer", &customer(), &*read);
}

fn consent() -> Value {
    json!({
        "id": "cst_1", "object": "consent",
        "created_at": "2026-11-19T09:12:40Z", "updated_at": "2026-11-19T09:15:02Z", "renewed_at": "2027-02-15T08:30:00Z",
        "authed_at": "2026-11-19T09:15:02Z",
        "provider": "northbank", "customer": "cus_1", "consent_link": "cl_1",
        "failure_code": "access_denied", "failure_message": "The customer refused",
        "expiry_date": "2027-11-19", "retro_date": "2025-11-19",
        "scopes": ["accounts", "balance", "transactions"], "status": "authorized",
        "redirect": { "return_url": "https://platform.example/back", "consent_url": "https://finexer.example/consent/cst_1" },
        "metadata": { "order": "7" },
    })
}

#[tokio::test]
async fn finexer_consents() {
    use finexer::types::{ConsentScope, ConsentStatus};
    let reply = list(&[consent()]);
    let (recorder, client) = telling!(finexer, reply);
    let listed = client
        .list_consents()
        .customer("cus_1")
        .status(ConsentStatus::Authorized)
        .limit(10)
        .offset(20);
    let read = listed.send().await.unwrap();
    sent(
        &recorder,
        "GET",
        "/consents?customer=cus_1&limit=10&offset=20&status=authorized",
    );
    reads_all("finexer", "ConsentList", &reply, &*read);

    let (recorder, client) = telling!(finexer, consent());
    let create = client.create_consent().body_map(|body| {
        body.customer("cus_1")
            .return_url("https://platform.example/back".to_owned())
            .scopes([ConsentScope::Accounts, ConsentScope::Transactions])
            .provider("northbank".to_owned())
            .retro_date(chrono::NaiveDate::from_ymd_opt(2025, 11, 19).unwrap())
            .expiry_date(chrono::NaiveDate::from_ymd_opt(2027, 11, 19).unwrap())
            .metadata(BTreeMap::from([("order".to_owned(), "7".to_owned())]))
    });
    let read = create.send().await.unwrap();
    sent_form(
        &recorder,
        "/consents",
        &[
            ("customer", "cus_1"),
            ("return_url", "https://platform.example/back"),
            ("scopes[]", "accounts"),
            ("scopes[]", "transactions"),
            ("provider", "northbank"),
            ("retro_date", "2025-11-19"),
            ("expiry_date", "2027-11-19"),
            ("metadata[order]", "7"),
        ],
    );
    reads_all("finexer", "Consent", &consent(), &*read);

    let (recorder, client) = telling!(finexer, consent());
    let read = client.get_consent().consent_id("cst_1").send().await.unwrap();
    sent(&recorder, "GET", "/consents/cst_1");
    reads_all("finexer", "Consent", &consent(), &*read);

    let (recorder, client) = telling!(finexer, consent());
    let renew = client.renew_consent().consent_id("cst_1");
    let renew = renew.body_map(|body| body.renewed_at("2027-02-15T08:30:00Z"));
    let read = renew.send().await.unwrap();
    sent_form(&recorder, "/consents/cst_1", &[("renewed_at", "2027-02-15T08:30:00Z")]);
    reads_all("finexer", "Consent", &consent(), &*read);

    let (recorder, client) = telling!(finexer, consent());
    let read = client.revoke_consent().consent_id("cst_1").send().await.unwrap();
    let seen = sent(&recorder, "POST", "/consents/cst_1/revoke");
    assert!(seen.body.is_empty());
    reads_all("finexer", "Consent", &consent(), &*read);
}

#[tokio::test]
async fn finexer_consent_links() {
    use finexer::types::{ConsentLinkType, ConsentScope};
    // Nobody shows the reply: what comes beside the id is kept.
    let reply = json!({ "id": "cl_1", "url": "https://finexer.example/l/cl_1", "uses": { "left": 1 } });
    let (recorder, client) = telling!(finexer, reply);
    let create = client.create_consent_link().body_map(|body| {
        body.customer("cus_1")
            .type_(ConsentLinkType::Single)
            .expiry_days(90)
            .retro_days(365)
            .return_url("https://platform.example/back".to_owned())
            .scopes([ConsentScope::Accounts, ConsentScope::Balance])
            .metadata(BTreeMap::from([("order".to_owned(), "7".to_owned())]))
    });
    let read = create.send().await.unwrap();
    sent_form(
        &recorder,
        "/consent_links",
        &[
            ("customer", "cus_1"),
            ("type", "single"),
            ("expiry_days", "90"),
            ("retro_days", "365"),
            ("return_url", "https://platform.example/back"),
            ("scopes[]", "accounts"),
            ("scopes[]", "balance"),
            ("metadata[order]", "7"),
        ],
    );
    reads_all("finexer", "ConsentLink", &reply, &*read);
    assert_eq!((read.id.as_deref(), read.extra.len()), (Some("cl_1"), 2));

    let (recorder, client) = telling!(finexer, reply);
    let read = client.get_consent_link().consent_link_id("cl_1").send().await.unwrap();
    sent(&recorder, "GET", "/consent_links/cl_1");
    reads_all("finexer", "ConsentLink", &reply, &*read);

    // Only the customer has to be named.
    let (recorder, client) = telling!(finexer, reply);
    let create = client.create_consent_link().body_map(|body| body.customer("cus_1"));
    create.send().await.unwrap();
    sent_form(&recorder, "/consent_links", &[("customer", "cus_1")]);
}

fn bank_account() -> Value {
    json!({
        "id": "ba_1", "object": "bank_account", "created_at": "2026-11-19T09:15:08Z",
        "holder_name": "Jo", "nickname": "Everyday", "currency": "gbp",
        "identification": { "sort_code": "601613", "account_number": "31926819", "iban": "GB29NWBK60161331926819", "pan": "************4821" },
        "type": "personal", "class": "current", "provider": "northbank", "consent": "cst_1", "customer": "cus_1",
        "fingerprint": "3f0c9d5be2714a68", "metadata": { "order": "7" },
    })
}

#[tokio::test]
async fn finexer_bank_accounts() {
    let reply = list(&[bank_account()]);
    let (recorder, client) = telling!(finexer, reply);
    let listed = client
        .list_bank_accounts()
        .customer("cus_1")
        .consent("cst_1")
        .limit(10)
        .offset(0);
    let read = listed.send().await.unwrap();
    sent(
        &recorder,
        "GET",
        "/bank_accounts?consent=cst_1&customer=cus_1&limit=10&offset=0",
    );
    reads_all("finexer", "BankAccountList", &reply, &*read);

    let (recorder, client) = telling!(finexer, bank_account());
    let read = client.get_bank_account().bank_account_id("ba_1").send().await.unwrap();
    sent(&recorder, "GET", "/bank_accounts/ba_1");
    reads_all("finexer", "BankAccount", &bank_account(), &*read);
    let pan = read.identification.as_ref().unwrap().pan.as_ref().unwrap();
    assert_eq!(pan.expose_secret(), "************4821");
    assert!(!format!("{read:?}").contains("4821"));

    let reply = json!({ "data": [
        { "current": 1482.37, "available": 1882.37, "currency": "gbp", "synced_at": "2026-11-21T07:00:12Z",
          "overdraft": { "limit": 400, "type": "arranged" }, "type": "actual" },
        { "current": -0.01, "type": "interim" },
    ] });
    let (recorder, client) = telling!(finexer, reply);
    let read = client.get_balance().bank_account_id("ba_1").send().await.unwrap();
    sent(&recorder, "GET", "/bank_accounts/ba_1/balance");
    reads_all("finexer", "BalanceList", &reply, &*read);
    assert_eq!(read.data[1].current, Some(decimal("-0.01")));

    let reply = json!({
        "synced_from": "2025-11-19T00:00:00Z", "synced_to": "2026-11-21T07:00:12Z", "status": "running", "auto_sync_interval": "1d",
    });
    let (recorder, client) = telling!(finexer, reply);
    let read = client.get_sync().bank_account_id("ba_1").send().await.unwrap();
    sent(&recorder, "GET", "/bank_accounts/ba_1/sync");
    reads_all("finexer", "BankAccountSync", &reply, &*read);

    let (recorder, client) = telling!(finexer, reply);
    let read = client.start_sync().bank_account_id("ba_1").send().await.unwrap();
    let seen = sent(&recorder, "POST", "/bank_accounts/ba_1/sync");
    assert!(seen.body.is_empty());
    reads_all("finexer", "BankAccountSync", &reply, &*read);
}

/// Ranges have dotted names in the query.
#[tokio::test]
async fn finexer_transactions() {
    use finexer::types::TransactionStatus;
    let reply = list(&[json!({
        "id": "txn_1", "object": "transaction", "timestamp": "2026-11-20T18:22:05Z", "amount": -42.25, "currency": "gbp",
        "type": "debit", "reference": "R-1", "description": "GREENLEAF", "category": "groceries", "balance": 1482.37,
        "merchant": "Greenleaf", "status": "booked", "metadata": { "party_name": "Greenleaf Ltd" },
    })]);
    let (recorder, client) = telling!(finexer, reply);
    let listed = client
        .list_transactions()
        .bank_account_id("ba_1")
        .timestamp_gte("2026-11-01")
        .timestamp_lte("2026-11-21T23:59:59+00:00")
        .status(TransactionStatus::Pending)
        .limit(100)
        .offset(200);
    let read = listed.send().await.unwrap();
    sent(
        &recorder,
        "GET",
        "/bank_accounts/ba_1/transactions?limit=100&offset=200&status=pending&timestamp.gte=2026-11-01&timestamp.lte=2026-11-21T23%3A59%3A59%2B00%3A00",
    );
    reads_all("finexer", "TransactionList", &reply, &*read);
    assert_eq!(read.data[0].amount, Some(decimal("-42.25")));
}

#[tokio::test]
async fn finexer_providers() {
    let reply = list(&[json!({
        "id": "northbank", "object": "provider", "name": "Northbank", "roles": ["ais"],
        "logo_url": "https://cdn.example/n.svg", "bg_colors": ["#0B3D91"], "health_status": "fine",
    })]);
    let (recorder, client) = telling!(finexer, reply);
    let listed = client.list_providers().roles(["ais", "pis"]).limit(100).offset(0);
    let read = listed.send().await.unwrap();
    sent(
        &recorder,
        "GET",
        "/providers?limit=100&offset=0&roles%5B%5D=ais&roles%5B%5D=pis",
    );
    reads_all("finexer", "BankProviderList", &reply, &*read);
}

#[tokio::test]
async fn finexer_templates() {
    let template = json!({ "id": "tpl_1", "name": "Light", "default": true });
    let reply = list(std::slice::from_ref(&template));
    let (recorder, client) = telling!(finexer, reply);
    let read = client.list_templates().app_id("app_1").send().await.unwrap();
    sent(&recorder, "GET", "/apps/app_1/templates");
    reads_all("finexer", "TemplateList", &reply, &*read);

    let (recorder, client) = telling!(finexer, template);
    let create = client.create_template().app_id("app_1").body_map(|body| {
        body.name("Light".to_owned())
            .app_name("Platform".to_owned())
            .file("file_1".to_owned())
            .css("body{color:#111}".to_owned())
            .header_html("<p>Hi</p>".to_owned())
            .footer_html("".to_owned())
            .is_default(false)
            .metadata(BTreeMap::from([("theme".to_owned(), "light".to_owned())]))
    });
    let read = create.send().await.unwrap();
    let fields = [
        ("name", "Light"),
        ("app_name", "Platform"),
        ("file", "file_1"),
        ("css", "body{color:#111}"),
        ("header_html", "<p>Hi</p>"),
        ("footer_html", ""),
        ("default", "false"),
        ("metadata[theme]", "light"),
    ];
    sent_form(&recorder, "/apps/app_1/templates", &fields);
    reads_all("finexer", "Template", &template, &*read);

    let (recorder, client) = telling!(finexer, template);
    let get = client.get_template().app_id("app_1").template_id("tpl_1");
    let read = get.send().await.unwrap();
    sent(&recorder, "GET", "/apps/app_1/templates/tpl_1");
    reads_all("finexer", "Template", &template, &*read);

    let (recorder, client) = telling!(finexer, template);
    let update = client.update_template().app_id("app_1").template_id("tpl_1");
    let read = update.body_map(|body| body.is_default(true)).send().await.unwrap();
    sent_form(&recorder, "/apps/app_1/templates/tpl_1", &[("default", "true")]);
    reads_all("finexer", "Template", &template, &*read);

    for status in [200, 204] {
        let recorder = Recorder::start(move |_, _| Answer::empty(status)).await;
        let client = finexer::Client::builder()
            .base_url(recorder.origin())
            .access_key("key", "");
        let client = client.build().unwrap();
        let delete = client.delete_template().app_id("app_1").template_id("tpl_1");
        delete.send().await.unwrap();
        sent(&recorder, "DELETE", "/apps/app_1/templates/tpl_1");
    }
}

// --- OmniFund

fn collection(path: &str, items: &[Value]) -> Value {
    json!({
        "@context": format!("/api/contexts/{path}"), "@id": format!("/api/{path}"), "@type": "hydra:Collection",
        "hydra:member": items, "hydra:totalItems": 54,
        "hydra:view": {
            "@id": format!("/api/{path}?page=2"), "@type": "hydra:PartialCollectionView",
            "hydra:first": format!("/api/{path}?page=1"), "hydra:last": format!("/api/{path}?page=27"),
            "hydra:next": format!("/api/{path}?page=3"),
        },
    })
}

const JSON_LD: Option<&str> = Some("application/ld+json, application/json;q=0.9, */*;q=0.8");

#[tokio::test]
async fn omnifund_customers() {
    let reply = collection(
        "customers",
        &[json!({
            "@id": "/api/customers/23143879", "@type": "customers", "id": 23143879, "customerRef": "acme-1042",
            "company": "Acme", "firstName": "Maria", "lastName": "Lopez", "displayAs": "company",
            "address1": "12 Main Street", "address2": "Apt 3", "city": "Boulder", "state": "CO", "zip": "80302",
            "phone": "(303) 555-0142", "email": "maria@acme.example",
            "paymentAccounts": [{
                "@type": "Card", "@id": "_:2271", "id": 46908, "accountName": "Main", "bankName": "visa", "ccName": "Maria Lopez",
                "expiration": "427", "isSavings": false, "businessAccount": false, "enabled": true,
                "referenceId": "tok_00000000000000000000000000000002", "maskedAccountNumber": "xx-1111",
            }],
        })],
    );
    // Flags come in several forms, and are read as flags.
    let mut told = reply.clone();
    let account = &mut told["hydra:member"][0]["paymentAccounts"][0];
    (account["isSavings"], account["businessAccount"], account["enabled"]) = (json!(0), json!(false), json!(1));
    let (recorder, client) = telling!(omnifund, told);
    let listed = client
        .list_customers()
        .id(23143879)
        .ids([1, 2])
        .customer_ref("acme-1042")
        .first_name("Maria")
        .last_name("Lopez")
        .company("Acme & Co")
        .email("maria@acme.example")
        .items_per_page(100)
        .page(2);
    let read = listed.send().await.unwrap();
    let seen = sent(
        &recorder,
        "GET",
        "/api/customers?company=Acme+%26+Co&customerRef=acme-1042&email=maria%40acme.example&firstName=Maria&id=23143879&id%5B%5D=1&id%5B%5D=2&itemsPerPage=100&lastName=Lopez&page=2",
    );
    assert_eq!(seen.header("accept"), JSON_LD);
    reads_all("omnifund", "CustomerCollection", &reply, &*read);
}

#[tokio::test]
async fn omnifund_pending_transactions() {
    let reply = collection(
        "transactions-pending",
        &[json!({ "@id": "/api/transactions-pending/7", "@type": "transactions-pending", "id": 7, "amount": 1.25 })],
    );
    let (recorder, client) = telling!(omnifund, reply);
    let listed = client
        .list_pending_transactions()
        .id(7)
        .ids([7, 8])
        .customer(1)
        .customers([1, 2])
        .amount(decimal("1.25"))
        .amounts([decimal("1.25"), decimal("25.30")])
        .reference_id("A1234")
        .reference_ids(["A1234", "B&2"])
        .tran_date(1553538663)
        .tran_date_between("1553538663..1553638663")
        .tran_date_gte(1553538663)
        .items_per_page(2)
        .page(3);
    let read = listed.send().await.unwrap();
    let seen = sent(&recorder, "GET", &format!("/api/transactions-pending?{EVERY_FILTER}"));
    assert_eq!(seen.header("accept"), JSON_LD);
    reads_all("omnifund", "PendingTransactionCollection", &reply, &*read);
    assert!(read.hydra_member[0].extra.is_empty());
}

/// Both lists of transactions take the same.
const EVERY_FILTER: &str = "amount=1.25&amount%5B%5D=1.25&amount%5B%5D=25.30&customer=1&customer%5B%5D=1&customer%5B%5D=2&id=7&id%5B%5D=7&id%5B%5D=8&itemsPerPage=2&page=3&referenceId=A1234&referenceId%5B%5D=A1234&referenceId%5B%5D=B%262&tranDate=1553538663&tranDate%5Bbetween%5D=1553538663..1553638663&tranDate%5Bgte%5D=1553538663";

#[tokio::test]
async fn omnifund_processed_transactions() {
    let transaction = json!({
        "@id": "/api/transactions-history/7", "@type": "transactions-history", "id": 7, "amount": 125.5,
        "customer": { "id": 1 }, "loginID": "4711",
    });
    let reply = collection("transactions-history", std::slice::from_ref(&transaction));
    let (recorder, client) = telling!(omnifund, reply);
    let listed = client
        .list_transaction_history()
        .id(7)
        .ids([7, 8])
        .customer(1)
        .customers([1, 2])
        .amount(decimal("1.25"))
        .amounts([decimal("1.25"), decimal("25.30")])
        .reference_id("A1234")
        .reference_ids(["A1234", "B&2"])
        .tran_date(1553538663)
        .tran_date_between("1553538663..1553638663")
        .tran_date_gte(1553538663)
        .items_per_page(2)
        .page(3);
    let read = listed.send().await.unwrap();
    let seen = sent(&recorder, "GET", &format!("/api/transactions-history?{EVERY_FILTER}"));
    assert_eq!(seen.header("accept"), JSON_LD);
    reads_all("omnifund", "TransactionCollection", &reply, &*read);

    let (recorder, client) = telling!(omnifund, transaction);
    let read = client.get_transaction().id(7).send().await.unwrap();
    let seen = sent(&recorder, "GET", "/api/transactions-history/7");
    assert_eq!(seen.header("accept"), JSON_LD);
    reads_all("omnifund", "Transaction", &transaction, &*read);
    assert!(read.extra.is_empty());
    assert_eq!(read.amount, Some(decimal("125.5")));
}

#[tokio::test]
async fn omnifund_events() {
    let event = json!({
        "@id": "/api/events/e1", "@type": "events", "id": "e1", "owner": "merch_1", "resource": "cust_1", "source": "api-user",
        "location": "dashboard", "type": "customer.updated", "createdAt": 1553538663,
        "eventData": {
            "object": {
                "id": "5c991e6774567", "object": "customer", "customerRef": "acme-1042", "displayName": "Maria Lopez",
                "company": "Acme", "firstName": "Maria", "lastName": "Lopez", "displayAs": "contact",
                "address1": "12 Main Street", "address2": "Apt 3", "city": "Boulder", "state": "CO", "zip": "80302",
                "country": "US", "phone": "1-303-555-0142", "phoneExt": "12", "email": "maria@acme.example",
                "dateAdded": "2019-03-25", "notes": "call first", "active": true,
            },
            "previousAttributes": { "phone": "" },
        },
    });
    let reply = collection("events", std::slice::from_ref(&event));
    let (recorder, client) = telling!(omnifund, reply);
    let listed = client.list_events().type_("customer.updated").items_per_page(2).page(3);
    let read = listed.send().await.unwrap();
    let seen = sent(
        &recorder,
        "GET",
        "/api/events?itemsPerPage=2&page=3&type=customer.updated",
    );
    assert_eq!(seen.header("accept"), JSON_LD);
    reads_all("omnifund", "EventCollection", &reply, &*read);

    // A flag is the text `1` here.
    let mut told = event.clone();
    told["eventData"]["object"]["active"] = json!("1");
    let (recorder, client) = telling!(omnifund, told);
    let read = client.get_event().id("e1").send().await.unwrap();
    let seen = sent(&recorder, "GET", "/api/events/e1");
    assert_eq!(seen.header("accept"), JSON_LD);
    reads_all("omnifund", "Event", &event, &*read);
    assert!(
        read.event_data
            .as_ref()
            .unwrap()
            .object
            .as_ref()
            .unwrap()
            .extra
            .is_empty()
    );
}

/// A passport is changed by POST, and amounts are numbers, digit for digit.
#[tokio::test]
async fn omnifund_passports() {
    use omnifund::types::{NoSurcharge, PassportType};
    let reply = json!({
        "id": "f4244e2e8b29426b9c490597f21e6b51", "type": "email", "description": "Invoice 1042", "email": "maria@acme.example",
        "phone": "-303-555-0142", "country_code": "1", "poNumber": "PO-1", "referenceId": "INV-1", "subTotal": 120.25,
        "tax": 10.5, "discount": 5.25, "total": 125.5, "notes": "second reminder", "memo": "Thank you",
    });
    let body = |body: omnifund::types::builder::PassportRequest| {
        body.type_(PassportType::Text)
            .customer(23143879)
            .description("Invoice 1042".to_owned())
            .email("maria@acme.example".to_owned())
            .phone("-303-555-0142".to_owned())
            .country_code("1".to_owned())
            .po_number("PO-1")
            .reference_id("")
            .sub_total(decimal("120.20"))
            .tax(decimal("10.50"))
            .discount(0)
            .total(decimal("12345678901234567.89"))
            .line_items(Vec::<Value>::new())
            .notes("second reminder".to_owned())
            .memo("Thank you".to_owned())
            .nosurcharge(NoSurcharge::Y)
            .tip(json!("n"))
    };
    let text = r#"{"country_code":"1","customer":23143879,"description":"Invoice 1042","discount":0,"email":"maria@acme.example","lineItems":[],"memo":"Thank you","nosurcharge":"y","notes":"second reminder","phone":"-303-555-0142","poNumber":"PO-1","referenceId":"","subTotal":120.20,"tax":10.50,"tip":"n","total":12345678901234567.89,"type":"text"}"#;

    let (recorder, client) = telling!(omnifund, reply);
    let read = client.create_passport().body_map(body).send().await.unwrap();
    sent_json(&recorder, "/api/v1/passports", text);
    reads_all("omnifund", "Passport", &reply, &*read);
    assert!(read.extra.is_empty());

    let (recorder, client) = telling!(omnifund, reply);
    let update = client.update_passport().id("f42");
    let read = update.body_map(body).send().await.unwrap();
    sent_json(&recorder, "/api/v1/passports/f42", text);
    reads_all("omnifund", "Passport", &reply, &*read);

    let (recorder, client) = telling!(omnifund, reply);
    let read = client.get_passport().id("f42").send().await.unwrap();
    sent(&recorder, "GET", "/api/v1/passports/f42");
    reads_all("omnifund", "Passport", &reply, &*read);

    for status in [200, 204] {
        let recorder = Recorder::start(move |_, _| Answer::empty(status)).await;
        let client = omnifund::Client::builder()
            .base_url(recorder.origin())
            .access_key("key", "secret");
        client
            .build()
            .unwrap()
            .delete_passport()
            .id("f42")
            .send()
            .await
            .unwrap();
        sent(&recorder, "DELETE", "/api/v1/passports/f42");
    }
}

/// The filter is JSON in a parameter.
#[tokio::test]
async fn omnifund_settlements() {
    let reply = json!({
        "items": [{ "anything": "goes", "amount": 1 }], "total": 2, "count": 1, "filters": { "settleDate": ">=20260101" },
        "recordCount": 14, "recordAmount": 1840.75, "returnCount": 1,
    });
    let (recorder, client) = telling!(omnifund, reply);
    let listed = client
        .list_settlements()
        .filter(r#"{"settleDate":">=20260101"}"#)
        .limit(25);
    let read = listed.send().await.unwrap();
    sent(
        &recorder,
        "GET",
        "/api/v1/settlements?filter=%7B%22settleDate%22%3A%22%3E%3D20260101%22%7D&limit=25",
    );
    reads_all("omnifund", "SettlementList", &reply, &*read);
    assert!(read.extra.is_empty());
    assert_eq!(read.items[0].0.text("anything").as_deref(), Some("goes"));
    assert_eq!(read.record_amount, Some(decimal("1840.75")));
}
