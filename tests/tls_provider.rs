//! No cryptography provider is installed in the process: a test of its own process, so that nobody else installs one.
#![cfg(feature = "ofx")]
#![allow(clippy::unwrap_used, clippy::panic)]

use finrail::ofx;
use rustls::crypto::CryptoProvider;

fn app() -> finrail::AppBuilder<ofx::Provider> {
    ofx::App::builder().credentials(ofx::Credentials::new("client", "secret"))
}

#[test]
fn an_application_installs_no_cryptography_in_the_process_and_leaves_alone_what_is_there() {
    let first = app().build().unwrap();
    let own = first.client_credentials([ofx::Scope::Payments]).unwrap();
    drop((first, own));
    assert!(
        CryptoProvider::get_default().is_none(),
        "whoever comes later finds what it would have found"
    );
    // The application's own choice, which its own client goes by.
    let chosen = CryptoProvider {
        cipher_suites: vec![rustls::crypto::ring::cipher_suite::TLS13_AES_128_GCM_SHA256],
        ..rustls::crypto::ring::default_provider()
    };
    chosen.install_default().unwrap();
    let suites = || CryptoProvider::get_default().unwrap().cipher_suites.len();
    assert_eq!(suites(), 1);
    drop(reqwest::Client::builder().build().unwrap());
    drop(app().http(|http| http.pool_max_idle_per_host(1)).build().unwrap());
    assert_eq!(suites(), 1, "settings of the HTTP client go by it too");
}
