//! The default HTTP client takes the proxies of the environment for every host but this machine.
//!
//! The environment belongs to the whole process, so the calls are made in a process of their own: this very program,
//! started again for the test `child`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod recorder;

use std::process::Command;

use finrail::ofx;
use recorder::{Answer, Recorder};

/// Where the child calls; not set: there is nothing to do.
const BASE_URL: &str = "FINRAIL_TEST_BASE_URL";

/// Makes a call in a process with these variables; the answer is whether it succeeded.
async fn call(base_url: &str, variables: &[(&str, &str)]) -> bool {
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", "child", "--nocapture"]).env(BASE_URL, base_url);
    for name in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "REQUEST_METHOD"] {
        child.env_remove(name).env_remove(name.to_lowercase());
    }
    child.envs(variables.iter().copied());
    let output = tokio::task::spawn_blocking(move || child.output().unwrap())
        .await
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(said.contains("1 passed"), "{said}");
    said.contains("the call succeeded")
}

#[tokio::test]
async fn child() {
    let Ok(base_url) = std::env::var(BASE_URL) else {
        return;
    };
    let client = ofx::Client::builder()
        .base_url(base_url)
        .credentials(finrail::Credentials::new("client", "secret"))
        .client_credentials(["payments"])
        .build()
        .unwrap();
    if client.get_quote().quote_id("q-1").send().await.is_ok() {
        println!("the call succeeded");
    }
}

#[tokio::test]
async fn secrets_for_a_loopback_address_go_through_no_proxy_of_the_environment() {
    let bank = Recorder::granting(|_, _| Answer::json("{}")).await;
    let proxy = Recorder::start(|_, _| Answer::status(502, "{}")).await;
    let proxy_url = proxy.origin();
    let without_scheme = proxy_url.trim_start_matches("http://");
    let named = bank.origin().replace("127.0.0.1", "localhost");
    let mut calls = 0;
    for variables in [
        &[][..],
        &[("HTTP_PROXY", proxy_url)],
        &[("http_proxy", proxy_url)],
        &[("ALL_PROXY", proxy_url)],
        &[("all_proxy", without_scheme)],
        &[("HTTP_PROXY", proxy_url), ("NO_PROXY", "bank.example")],
        &[("HTTP_PROXY", "not a proxy"), ("ALL_PROXY", proxy_url)],
        &[("HTTPS_PROXY", proxy_url)],
    ] {
        for base_url in [bank.origin(), &named] {
            assert!(call(base_url, variables).await, "{base_url} {variables:?}");
            calls += 1;
        }
    }
    assert_eq!((bank.calls().len(), bank.token_requests().len()), (calls, calls));
    assert_eq!(proxy.seen().len(), 0);
}

#[tokio::test]
async fn other_hosts_are_asked_through_the_proxy_unless_the_environment_excepts_them() {
    let connects = |proxy: &Recorder| {
        let seen = proxy.seen();
        let to_bank = seen
            .iter()
            .filter(|seen| seen.method == "CONNECT" && seen.target == "bank.invalid:443");
        to_bank.count()
    };
    for (variable, except, proxied) in [
        ("HTTPS_PROXY", "", true),
        ("https_proxy", "localhost", true),
        ("ALL_PROXY", "other.invalid", true),
        ("HTTPS_PROXY", "bank.invalid", false),
        ("HTTPS_PROXY", "*", false),
        ("HTTP_PROXY", "", false),
    ] {
        let proxy = Recorder::start(|_, _| Answer::status(502, "{}")).await;
        let variables = [(variable, proxy.origin()), ("NO_PROXY", except)];
        assert!(!call("https://bank.invalid", &variables).await);
        assert_eq!(connects(&proxy) > 0, proxied, "{variables:?}");
    }
}
