//! No reply loses a field: whatever a specification does not describe is found again in the value that was read.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::{BTreeMap, BTreeSet};

use finrail::{finexer, mx, ofx, omnifund, tatrabanka};
use serde_json::{Value, json};

const BUNDLES: [(&str, &str); 5] = [
    ("finexer", include_str!("../specs/bundled/finexer.json")),
    ("mx", include_str!("../specs/bundled/mx.json")),
    ("ofx", include_str!("../specs/bundled/ofx.json")),
    ("omnifund", include_str!("../specs/bundled/omnifund.json")),
    ("tatrabanka", include_str!("../specs/bundled/tatrabanka.json")),
];

/// The value that was read, written again, and what its `extra` has.
type Read = fn(&str) -> Result<(Value, Value), String>;

macro_rules! types {
    ($($provider:literal $module:tt { $($name:ident)* })*) => {{
        let mut types = BTreeMap::<(&str, &str), Read>::new();
        $(types!(@each types, $provider, $module, $($name)*);)*
        types
    }};
    (@each $types:ident, $provider:literal, $module:tt, $($name:ident)*) => {
        $($types.insert(($provider, stringify!($name)), types!(@read $module $name));)*
    };
    (@read ($($module:tt)*) $name:ident) => {
        |text| read::<$($module)*::$name>(text, |value| json!(value.extra))
    };
}

fn read<T: serde::de::DeserializeOwned + serde::Serialize>(
    text: &str,
    extra: impl Fn(&T) -> Value,
) -> Result<(Value, Value), String> {
    let value: T = serde_json::from_str(text).map_err(|error| error.to_string())?;
    Ok((
        serde_json::to_value(&value).map_err(|error| error.to_string())?,
        extra(&value),
    ))
}

/// Every type that keeps fields. One more in a specification is one more here.
fn types() -> BTreeMap<(&'static str, &'static str), Read> {
    let mut types = types! {
        "finexer" (finexer::types) { ApiError Balance BalanceList BankAccount BankAccountIdentification BankAccountList BankAccountSync BankProvider BankProviderList Consent ConsentLink ConsentList ConsentRedirect Customer CustomerList ErrorDetail Overdraft Paging Template TemplateList Transaction TransactionList }
        "mx" (mx::registration::types) { RegisteredClient }
        "mx" (mx::types) { Accounts Address AnnuityAccount ApiError Currency Customer CustomerName DepositAccount DepositTransaction FiAttribute Holding InsuranceAccount InvestmentAccount InvestmentTransaction LineOfCredit LineOfCreditTransaction LoanAccount LoanTransaction Page TaxLot Telephone Transactions }
        "ofx" (ofx::types) { Address BankDetails Beneficiary ErrorDetail ErrorReply Quote Rate }
        "omnifund" (omnifund::types) { Customer CustomerCollection Event EventCollection EventData EventObject HydraView Passport PaymentAccount PendingTransaction PendingTransactionCollection SettlementList Transaction TransactionCollection }
        "tatrabanka" (tatrabanka::service::types) { ApiError Consent ConsentStatusReply InitiatedPayment Link PaymentAuthorization PaymentLinks PaymentStatus }
        "tatrabanka" (tatrabanka::types) { Account AccountDetail AccountLinks AccountList AccountReference AccountReply Agent Amount ApiError Balance BalanceList CreatedStatementTask CreditorAccount Link RefreshTask Statement StatementTask SubmittedPayment Transaction TransactionLinks TransactionPage }
    };
    // The shared types of OAuth are hand-written.
    for (provider, _) in BUNDLES {
        types.insert((provider, "TokenResponse"), |text| {
            read::<finrail::oauth::wire::TokenResponse>(text, |value| json!(value.extra))
        });
        types.insert((provider, "OAuthError"), |text| {
            read::<finrail::oauth::wire::OAuthError>(text, |value| json!(value.extra))
        });
    }
    types
}

/// The names of the schemas that JSON of these bodies is made of.
fn reached(bundle: &Value, body: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let operations = bundle["paths"]
        .as_object()
        .unwrap()
        .values()
        .flat_map(|item| item.as_object().unwrap().values());
    for operation in operations {
        let bodies: Vec<&Value> = match body {
            "replies" => operation["responses"]
                .as_object()
                .into_iter()
                .flat_map(|all| all.values())
                .collect(),
            _ => vec![&operation["requestBody"]],
        };
        for content in bodies.iter().filter_map(|body| body["content"].as_object()) {
            content
                .values()
                .for_each(|content| reach(bundle, &content["schema"], &mut names));
        }
    }
    names
}

fn reach(bundle: &Value, schema: &Value, names: &mut BTreeSet<String>) {
    if let Some(name) = schema["$ref"]
        .as_str()
        .and_then(|it| it.strip_prefix("#/components/schemas/"))
    {
        if names.insert(name.to_owned()) {
            reach(bundle, &bundle["components"]["schemas"][name], names);
        }
        return;
    }
    if !schema.is_object() {
        return;
    }
    let below = ["properties", "allOf", "oneOf", "anyOf"]
        .into_iter()
        .flat_map(|key| match &schema[key] {
            Value::Object(members) => members.values().collect(),
            Value::Array(items) => items.iter().collect(),
            _ => Vec::new(),
        });
    below
        .chain([&schema["items"], &schema["additionalProperties"]])
        .for_each(|schema| reach(bundle, schema, names));
}

/// A value that fits, with the fields that it must have.
fn least(bundle: &Value, schema: &Value) -> Value {
    if let Some(name) = schema["$ref"]
        .as_str()
        .and_then(|it| it.strip_prefix("#/components/schemas/"))
    {
        return least(bundle, &bundle["components"]["schemas"][name]);
    }
    if let Some(only) = schema["allOf"].get(0) {
        return least(bundle, only);
    }
    match schema["type"].as_str() {
        Some("string") => json!("1"),
        Some("number" | "integer") => json!(1),
        Some("boolean") => json!(true),
        Some("array") => json!([]),
        _ => {
            let required = schema["required"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(Value::as_str);
            required
                .map(|name| (name.to_owned(), least(bundle, &schema["properties"][name])))
                .collect()
        }
    }
}

fn names_kinds(schema: &Value) -> bool {
    schema.get("x-wrapper-key").is_some() || schema.get("x-tag").is_some()
}

#[test]
fn no_reply_drops_a_field() {
    let types = types();
    let mut lost = Vec::new();
    for (provider, text) in BUNDLES {
        let bundle: Value = serde_json::from_str(text).unwrap();
        for name in reached(&bundle, "replies") {
            let schema = &bundle["components"]["schemas"][&name];
            if !schema["properties"].is_object() || names_kinds(schema) {
                continue;
            }
            let Some(read) = types.get(&(provider, name.as_str())) else {
                lost.push(format!(
                    "{provider} {name}: keeps no field, or is not in this test's list"
                ));
                continue;
            };
            let mut reply = least(&bundle, schema);
            reply["neverDescribed"] = json!({ "inside": [1, "two", null] });
            match read(&reply.to_string()) {
                Ok((written, extra)) => {
                    if written != reply || extra["neverDescribed"] != reply["neverDescribed"] {
                        lost.push(format!("{provider} {name}: {reply} became {written}"));
                    }
                }
                Err(error) => lost.push(format!("{provider} {name}: {reply}: {error}")),
            }
        }
    }
    assert!(lost.is_empty(), "{}:\n{}", lost.len(), lost.join("\n"));
}

/// A request is the caller's: it has the fields that are described, and nowhere to put another by mistake.
#[test]
fn what_is_only_sent_has_no_place_for_other_fields() {
    for (provider, text) in BUNDLES {
        let bundle: Value = serde_json::from_str(text).unwrap();
        let replies = reached(&bundle, "replies");
        for name in reached(&bundle, "requests").difference(&replies) {
            let schema = &bundle["components"]["schemas"][name];
            let is_open = schema["properties"].is_object() && schema.get("additionalProperties").is_some();
            assert!(!is_open, "{provider} {name}");
        }
    }
}
