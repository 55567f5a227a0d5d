//! The HTTP client and the rule for base URLs.

use std::time::Duration;

use url::{Host, Url};

use super::config_error::{ConfigError, HttpClientError, TlsError};
use super::proxy::with_proxies;
use super::tls::shared_config;

/// A client with the settings that fit: rustls, no redirect, nothing sent again, bounded connecting, no proxy for loopback.
pub(crate) fn default_client() -> Result<reqwest::Client, ConfigError> {
    let tls = shared_config().map_err(|error| ConfigError::Tls(TlsError::new(error)))?;
    finished(usual().tls_backend_preconfigured(tls))
}

/// The same, with what the caller sets. reqwest makes its TLS configuration then, because what the caller says of
/// certificates is known to it alone.
pub(crate) fn client_with(
    settings: impl FnOnce(reqwest::ClientBuilder) -> reqwest::ClientBuilder,
) -> Result<reqwest::Client, ConfigError> {
    install_crypto();
    finished(settings(usual().tls_backend_rustls()))
}

fn usual() -> reqwest::ClientBuilder {
    let client = reqwest::Client::builder()
        .user_agent(concat!("finrail/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(Duration::from_secs(10));
    with_proxies(client, |name| std::env::var(name).ok())
}

/// What no caller may set otherwise, because outcomes would be told wrong.
fn finished(settings: reqwest::ClientBuilder) -> Result<reqwest::Client, ConfigError> {
    settings
        .redirect(reqwest::redirect::Policy::none())
        // Without it, what a server refuses over HTTP/2 is sent twice more, whatever it does.
        .retry(reqwest::retry::never())
        .build()
        .map_err(|error| ConfigError::HttpClient(HttpClientError::new(error)))
}

/// For libraries below this one that know of no cryptography but the process's own. What an application has installed
/// stays.
pub(crate) fn install_crypto() {
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        // Fails only when another thread was first, and then there is one.
        let _ = rustls::crypto::ring::default_provider().install_default();
    }
}

/// Reads a base URL, which paths are put under: https, or http on a loopback address, without a query.
pub(crate) fn secure_url(what: &'static str, text: &str) -> Result<Url, ConfigError> {
    let url = endpoint_url(what, text)?;
    if url.query().is_some() {
        return Err(ConfigError::Url {
            what,
            reason: "it has a query, and paths are put behind it; leave the query out",
            source: None,
        });
    }
    Ok(url)
}

/// Reads an endpoint: https, or http on a loopback address. It may have a query, which stays, and has no fragment (RFC
/// 6749 sections 3.1 and 3.2).
pub(crate) fn endpoint_url(what: &'static str, text: &str) -> Result<Url, ConfigError> {
    let bad = |reason| ConfigError::Url {
        what,
        reason,
        source: None,
    };
    let url = Url::parse(text.trim()).map_err(|error| ConfigError::Url {
        what,
        reason: "it is not an absolute URL; write it with its scheme and host",
        source: Some(error),
    })?;
    if has_user_info(&url, text) {
        return Err(bad("it has a user name or a password in it; use credentials"));
    }
    if url.fragment().is_some() {
        return Err(bad("it has a fragment; leave it out"));
    }
    match url.scheme() {
        "https" => Ok(url),
        "http" if is_loopback(&url) => Ok(url),
        "http" => Err(bad("plain http is accepted for loopback addresses only; use https")),
        _ => Err(bad("its scheme is not https; use https")),
    }
}

/// Checks an issuer, which callbacks name letter for letter: https, or http on a loopback address, with neither query nor
/// fragment (RFC 8414 section 2, RFC 9207 section 2), and written as a parser of URLs writes it.
pub(crate) fn check_issuer(text: &str) -> Result<(), ConfigError> {
    const WHAT: &str = "issuer";
    let bad = |reason| {
        Err(ConfigError::Url {
            what: WHAT,
            reason,
            source: None,
        })
    };
    // A parser of URLs passes over these.
    if text.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return bad("it has a space or a control character in it; write it as the metadata of the server have it");
    }
    let url = endpoint_url(WHAT, text)?;
    if url.query().is_some() {
        return bad("it has a query, and no issuer has one; write it as the metadata of the server have it");
    }
    // An empty path is read as a slash. Nothing else is added at the end.
    let written = url.as_str();
    let is_written = |written: &str| written.eq_ignore_ascii_case(text);
    if !is_written(written) && !written.strip_suffix('/').is_some_and(is_written) {
        return bad("it is not written as it is read; write https://host/path in ASCII letters, and without :443");
    }
    Ok(())
}

/// Whom a URL leads to, and nothing else of it: its path and query may hold ids, names and codes.
pub(crate) fn host_of(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    }
}

/// Whether two URLs have scheme, host and port in common (RFC 6454), where they are http or https. No other URL is of an
/// origin that anything else has.
pub(crate) fn is_same_origin(one: &Url, other: &Url) -> bool {
    matches!(one.scheme(), "http" | "https")
        && one.scheme() == other.scheme()
        && one.host() == other.host()
        && one.port_or_known_default() == other.port_or_known_default()
}

/// Whether the authority of a URL has user information in it (RFC 3986 section 3.2.1), be it empty: a parser of URLs does not
/// tell `https://@host` from `https://host`, and a server compares the text. `text`: what the URL was read from.
pub(crate) fn has_user_info(url: &Url, text: &str) -> bool {
    let behind = text.split_once(':').map_or("", |(_, behind)| behind);
    // As the parser reads it, which passes over line breaks and takes more slashes than two.
    let authority = behind.trim_start_matches(['/', '\\', '\t', '\n', '\r']);
    let authority = authority.split(['/', '\\', '?', '#']).next().unwrap_or_default();
    !url.username().is_empty() || url.password().is_some() || (url.has_authority() && authority.contains('@'))
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

/// Whether the host is a loopback address, and not a name for one (RFC 8252 sections 7.3 and 8.3).
pub(crate) fn is_loopback_literal(url: &Url) -> bool {
    !matches!(url.host(), Some(Host::Domain(_))) && is_loopback(url)
}

#[cfg(test)]
mod tests {
    use super::super::refusing_server::{Refusal, RefusingServer};
    use super::*;

    #[test]
    fn an_origin_is_scheme_host_and_port_of_http() {
        for (one, other, is_same) in [
            ("https://bank.example/x?y", "https://user@bank.example:443/z", true),
            ("http://BANK.example", "http://bank.example:80", true),
            ("http://[::1]:8080", "http://[::1]:8080/x", true),
            ("http://127.0.0.1", "http://0x7f.1", true),
            ("https://bank.example", "http://bank.example:443", false),
            ("https://bank.example", "https://bank.example:8443", false),
            ("https://bank.example", "https://bank.example.net", false),
            ("file:///x", "file:///x", false),
            ("data:,x", "data:,x", false),
        ] {
            let [one, other] = [one, other].map(|url| Url::parse(url).unwrap());
            assert_eq!(is_same_origin(&one, &other), is_same, "{one} {other}");
            assert_eq!(one.origin() == other.origin(), is_same, "{one} {other}");
        }
    }

    #[test]
    fn user_information_is_none_for_a_base_url_be_it_empty() {
        for text in [
            "https://user@bank.example",
            "https://:pw@bank.example/x",
            "https://@bank.example",
            "https://:@bank.example/x?y",
            "https:/@bank.example",
            r"https:\\@bank.example\x",
            "https:/\t/@bank.example",
            " https://@bank.example",
            "http://@127.0.0.1:9",
        ] {
            for error in [secure_url("url", text).err(), endpoint_url("url", text).err()] {
                let error = error.map(|error| error.to_string()).unwrap_or_default();
                assert!(error.contains("a user name"), "{text}: {error}");
            }
        }
        for text in [
            "https://bank.example/you@example",
            "https://bank.example?you@example",
            "https://bank.example/x//@y",
        ] {
            assert!(endpoint_url("url", text).is_ok(), "{text}");
        }
    }

    /// A caller's wish that is not granted.
    fn repeating() -> reqwest::retry::Builder {
        reqwest::retry::for_host("127.0.0.1").max_retries_per_request(3)
    }

    #[tokio::test]
    async fn what_a_server_did_not_take_is_not_sent_again_below_the_call() {
        for refusal in [Refusal::RefusedStream, Refusal::GoAway] {
            let server = RefusingServer::start(refusal).await;
            let client = client_with(|http| http.http2_prior_knowledge().retry(repeating())).unwrap();
            client.put(&server.origin).send().await.unwrap_err();
            assert_eq!(server.arrived(), 1, "{refusal:?}");
        }
    }

    #[test]
    fn only_https_and_loopback_are_accepted() {
        for good in [
            "https://api.bank.example/v1",
            "http://127.0.0.1:8080",
            "http://[::1]:1/x",
            "http://localhost/",
        ] {
            assert!(secure_url("base URL", good).is_ok(), "{good}");
            assert!(endpoint_url("base URL", good).is_ok(), "{good}");
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

    #[test]
    fn an_issuer_is_a_url_without_query_and_fragment() {
        for good in [
            "https://bank.example",
            "https://bank.example/",
            "https://Login.Bank.example/Tenant",
            "https://bank.example:8443/tenants/a%20b",
            "https://bank.example/Tenants//1/",
            "https://xn--bnk-qla.example",
            "http://127.0.0.1:9000/issuer",
            "http://localhost:9000",
        ] {
            assert_eq!(check_issuer(good), Ok(()), "{good}");
        }
        for (bad, reason) in [
            ("", "not an absolute URL"),
            ("bank.example", "not an absolute URL"),
            (" ", "a space or a control character"),
            (" https://bank.example", "a space or a control character"),
            ("https://bank.example\n", "a space or a control character"),
            ("https://bank\t.example", "a space or a control character"),
            ("not a url", "a space or a control character"),
            ("https://bank.example?tenant=1", "it has a query"),
            ("https://bank.example?", "it has a query"),
            ("https://bank.example#x", "it has a fragment"),
            ("https://user@bank.example", "a user name or a password"),
            ("http://bank.example", "loopback addresses only"),
            ("urn:bank", "its scheme is not https"),
            ("https:bank.example", "not written as it is read"),
            ("https:/bank.example", "not written as it is read"),
            ("https:///bank.example", "not written as it is read"),
            (r"https:\\bank.example", "not written as it is read"),
            (r"https://bank.example\x", "not written as it is read"),
            ("https://bank\u{200b}.example", "not written as it is read"),
            ("https://bank.example/\u{200b}", "not written as it is read"),
            ("https://b\u{e4}nk.example", "not written as it is read"),
            ("https://bank.example:443", "not written as it is read"),
            ("https://bank.example/a/../b", "not written as it is read"),
        ] {
            let error = check_issuer(bad).unwrap_err().to_string();
            assert!(
                error.starts_with("issuer: ") && error.contains(reason),
                "{bad}: {error}"
            );
        }
    }

    #[test]
    fn of_a_url_its_host_is_shown_and_nothing_else() {
        for (url, host) in [
            ("https://user:pw@bank.example/accounts/7?code=c#f", "bank.example"),
            ("https://bank.example:8443/accounts/7", "bank.example:8443"),
            ("http://[::1]:9000/", "[::1]:9000"),
        ] {
            assert_eq!(host_of(&Url::parse(url).unwrap()), host);
        }
    }

    #[test]
    fn an_endpoint_may_have_a_query_and_no_fragment() {
        let with_query = "https://bank.example/token?tenant=7";
        assert_eq!(endpoint_url("token endpoint", with_query).unwrap().as_str(), with_query);
        for bad in ["https://bank.example/token#part", "http://bank.example/token?tenant=7"] {
            assert!(endpoint_url("token endpoint", bad).is_err(), "{bad}");
        }
    }
}
