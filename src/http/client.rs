//! The HTTP client and the rule for base URLs.

use std::time::Duration;

use url::{Host, Url};

use super::config_error::{ConfigError, HttpClientError};

/// A client with the settings that fit: rustls, no redirect to another origin, bounded connecting.
pub(crate) fn default_client() -> Result<reqwest::Client, ConfigError> {
    install_crypto();
    reqwest::Client::builder()
        .user_agent(concat!("finrail/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(Duration::from_secs(10))
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .map_err(|error| ConfigError::HttpClient(HttpClientError::new(error)))
}

/// reqwest comes without a cryptography provider, so that an application can choose one; this is the choice of those who do not.
pub(crate) fn install_crypto() {
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        // Fails only when another thread was first, and then there is one.
        let _ = rustls::crypto::ring::default_provider().install_default();
    }
}

/// Reads a base URL or an endpoint: https, or http on a loopback address.
pub(crate) fn secure_url(what: &'static str, text: &str) -> Result<Url, ConfigError> {
    let bad = |reason| ConfigError::Url { what, reason };
    let url = Url::parse(text.trim()).map_err(|_| bad("it is not an absolute URL"))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(bad("it has a user name or a password in it; use credentials"));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(bad("it has a query or a fragment"));
    }
    match url.scheme() {
        "https" => Ok(url),
        "http" if is_loopback(&url) => Ok(url),
        "http" => Err(bad("plain http is accepted for loopback addresses only; use https")),
        _ => Err(bad("its scheme is not https")),
    }
}

/// Whether a URL stays on this machine (RFC 8252 section 8.3).
pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_https_and_loopback_are_accepted() {
        for good in [
            "https://api.bank.example/v1",
            "http://127.0.0.1:8080",
            "http://[::1]:1/x",
            "http://localhost/",
        ] {
            assert!(secure_url("base URL", good).is_ok(), "{good}");
        }
        for bad in [
            "http://api.bank.example",
            "http://127.0.0.1.evil.example",
            "http://localhost.evil.example",
            "ftp://127.0.0.1",
            "https://user:pw@bank.example",
            "https://bank.example/?a=1",
            "bank.example",
            "",
        ] {
            let error = secure_url("base URL", bad).unwrap_err().to_string();
            assert!(error.starts_with("base URL: ") && !error.contains("pw"), "{error}");
        }
    }
}
