//! Mutations of a documentation page.

use finrail_cli::drift::{self, Options, Source};
use serde_json::Value;

use super::{PROVIDERS, Tally, bundle, workspace};

/// Changes that a provider has nothing for, each with the reason.
const NOT_APPLICABLE: &[(&str, &[&str], &str)] = &[
    (
        "refresh lifetime shortened",
        &["finexer", "omnifund", "tatrabanka"],
        "no lifetime is known",
    ),
    (
        "refresh lifetime lengthened",
        &["finexer", "omnifund", "tatrabanka"],
        "no lifetime is known",
    ),
    (
        "token endpoint at another base address",
        &["mx"],
        "every institution has its own",
    ),
    ("form became JSON", &["omnifund"], "JSON is taken too"),
    ("scope dropped", &["omnifund"], "there are no scopes"),
];
const CAUGHT: usize = 61;
const SKIPPED: usize = 9;

/// The base address of the authorization server, as the specification writes it.
fn base_url(bundle: &Value) -> String {
    let servers = bundle["servers"].as_array().cloned().unwrap_or_default();
    let oauth = servers.iter().find(|server| server["x-client"] == "oauth");
    let server = oauth.or(servers.first()).cloned().unwrap_or_default();
    server["url"].as_str().unwrap_or_default().to_owned()
}

fn base_of(bundle: &Value) -> String {
    base_url(bundle).replace("{host}", "base.url.com")
}

/// A documentation page that says what the specification says about the authorization server.
fn page_of(bundle: &Value) -> String {
    let oauth = &bundle["components"]["securitySchemes"]["oauth"];
    let x = &oauth["x-oauth"];
    let base = base_of(bundle);
    let mut page = String::from("# Authorization\n\n");
    for (path, item) in bundle["paths"].as_object().into_iter().flatten() {
        for (method, operation) in item.as_object().into_iter().flatten() {
            let roles = x["operations"].as_object().cloned().unwrap_or_default();
            if !roles.values().any(|id| *id == operation["operationId"]) {
                continue;
            }
            page.push_str(&format!("# {}\n\n", operation["summary"].as_str().unwrap_or_default()));
            page.push_str("Name | Required? | Notes |\n");
            for parameter in operation["parameters"].as_array().into_iter().flatten() {
                let needed = if parameter["required"] == true { "Yes" } else { "No" };
                page.push_str(&format!(
                    "{} | {needed} | - |\n",
                    parameter["name"].as_str().unwrap_or_default()
                ));
            }
            if operation["requestBody"].is_object() && roles["token"] == operation["operationId"] {
                page.push_str("grant_type | Yes | - |\ncode | No | - |\n");
            }
            page.push_str(&format!("\n{} {base}{path}\n", method.to_uppercase()));
            if operation["requestBody"].is_object() {
                page.push_str("Content-Type: application/x-www-form-urlencoded\n");
            }
            page.push('\n');
        }
    }
    let mut scopes: Vec<String> = Vec::new();
    for flow in oauth["flows"].as_object().into_iter().flatten().map(|(_, flow)| flow) {
        scopes.extend(
            flow["scopes"]
                .as_object()
                .into_iter()
                .flatten()
                .map(|(scope, _)| scope.clone()),
        );
    }
    scopes.sort();
    scopes.dedup();
    page.push_str("# Scopes\n\nScope | Required? | Resource |\n");
    for scope in &scopes {
        page.push_str(&format!("{scope} | No | - |\n"));
    }
    page.push_str("\n# Rules\n\n");
    for grant in x["grants"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        page.push_str(&format!("The grant type {grant} is supported.\n"));
    }
    for way in x["client_authentication"]
        .as_object()
        .into_iter()
        .flatten()
        .filter_map(|(_, way)| way.as_str())
    {
        page.push_str(&format!("Clients use {way}.\n"));
    }
    if let Some(seconds) = x["refresh"]["lifetime"].as_u64() {
        page.push_str(&format!("Refresh tokens expire after {} days.\n", seconds / 86_400));
    }
    page
}

#[test]
fn each_mutation_of_a_page_is_found() {
    let mut tally = Tally::new("docs", NOT_APPLICABLE);
    for provider in PROVIDERS {
        let bundle = bundle(provider);
        let original = page_of(&bundle);
        let project = super::support::Project::new(&format!("pages-{provider}"));
        let path = format!("specs/{provider}.yaml");
        project.write(
            &path,
            &workspace()
                .read(std::path::Path::new(&path))
                .ok()
                .flatten()
                .unwrap_or_default(),
        );
        let read = |page: &str, accept: bool| -> Vec<(String, String)> {
            project.write("page.txt", page);
            let options = Options {
                provider: provider.to_owned(),
                evidence: Source::Docs {
                    place: "page.txt".to_owned(),
                    page: Some("https://made-up.example/oauth".to_owned()),
                    accept,
                },
                json: true,
                today: "2026-11-22".to_owned(),
            };
            let (_, said) = super::support::speak(|shell| drift::run(&project.workspace(), &options, shell));
            let report: Value =
                serde_json::from_str(&said).unwrap_or_else(|error| panic!("{provider}: {error}\n{said}"));
            let word = |finding: &Value, key: &str| finding[key].as_str().unwrap_or_default().to_owned();
            let all = report["findings"].as_array().cloned().unwrap_or_default();
            all.iter()
                .map(|finding| (word(finding, "rule"), word(finding, "class")))
                .collect()
        };
        let first = read(&original, true);
        assert!(first.is_empty(), "{provider}: {first:?}\n{original}");
        let x = &bundle["components"]["securitySchemes"]["oauth"]["x-oauth"];
        let path_of = |role: &str| -> String {
            let id = &x["operations"][role];
            let found = bundle["paths"].as_object().into_iter().flatten().find(|(_, item)| {
                item.as_object()
                    .into_iter()
                    .flatten()
                    .any(|(_, operation)| operation["operationId"] == *id)
            });
            found.map_or_else(String::new, |(path, _)| path.clone())
        };
        let token = path_of("token");
        let base = base_of(&bundle);
        let host = finrail_cli::drift::address::Address::host_of(&base_url(&bundle));
        let mut check = |mutation: &str, expected: &[(&str, &str)], page: String| {
            let made = mutation == "nothing" || page != original;
            if !tally.applies(provider, mutation, made) {
                return;
            }
            let found = read(&page, false);
            let expected: Vec<(String, String)> = expected
                .iter()
                .map(|(rule, class)| ((*rule).to_owned(), (*class).to_owned()))
                .collect();
            let told = format!("expected {expected:?}, found {found:?}");
            tally.found(provider, mutation, found == expected, told);
        };
        let versioned = match token.rsplit_once('/') {
            Some((before, last)) => format!("{before}/v99/{last}"),
            None => token.clone(),
        };
        check("nothing", &[], original.clone());
        check(
            "other words",
            &[("page-reworded", "docs-only")],
            original.replace("is supported", "can be used"),
        );
        check(
            "token endpoint moved",
            &[("endpoint-moved", "wire-breaking")],
            original.replace(&format!("{token}\n"), &format!("{versioned}\n")),
        );
        check(
            "scope added",
            &[("scope-added", "additive")],
            original.replace("Resource |\n", "Resource |\nbrand_new | No | - |\n"),
        );
        let scope = original
            .lines()
            .skip_while(|line| !line.starts_with("Scope |"))
            .nth(1)
            .unwrap_or_default()
            .to_owned();
        let without_scope = if scope.contains('|') {
            original.replace(&format!("{scope}\n"), "")
        } else {
            original.clone()
        };
        check(
            "scope dropped",
            &[("scope-withdrawn", super::class_of_a_lost_scope(&bundle))],
            without_scope,
        );
        check(
            "needed parameter added",
            &[("parameter-undescribed", "wire-breaking")],
            original.replacen("Notes |\n", "Notes |\nbrand_new | Yes | - |\n", 1),
        );
        check(
            "optional parameter added",
            &[("parameter-undescribed", "additive")],
            original.replacen("Notes |\n", "Notes |\nbrand_new | No | - |\n", 1),
        );
        check(
            "refresh lifetime shortened",
            &[("lifetime-changed", "wire-breaking")],
            original.replace("after 30 days", "after 14 days"),
        );
        check(
            "refresh lifetime lengthened",
            &[("lifetime-changed", "docs-only")],
            original.replace("after 30 days", "after 90 days"),
        );
        check(
            "grant added",
            &[("grant-added", "additive")],
            format!("{original}The grant type implicit is supported.\n"),
        );
        check(
            "form became JSON",
            &[("header-differs", "wire-breaking")],
            match x["token_bodies_accepted"].to_string().contains("json") {
                true => original.clone(),
                false => original.replacen("application/x-www-form-urlencoded", "application/json", 1),
            },
        );
        check(
            "client authentication added",
            &[("client-authentication-added", "additive")],
            format!("{original}Clients may use private_key_jwt.\n"),
        );
        let rest = original.replacen(&base, "", 1);
        check(
            "token endpoint at another base address",
            &[("endpoint-moved", "wire-breaking")],
            match host.contains('{') {
                true => original.clone(),
                false => original.replace(&format!("{base}{token}\n"), &format!("https://{host}/v77{token}\n")),
            },
        );
        assert_ne!(rest, original, "{provider}: the page shows its base address");
        let refresh = "The grant type refresh_token is supported.\n";
        check(
            "grant withdrawn",
            &[("grant-withdrawn", "wire-breaking")],
            original.replace(refresh, ""),
        );
    }
    tally.done(CAUGHT, SKIPPED);
}
