//! The proxies that the environment names, for every host but this machine.

use reqwest::{ClientBuilder, NoProxy, Proxy};

/// Requests to these hosts never leave the machine, so no proxy gets to see them.
const LOOPBACK: &str = "localhost,127.0.0.0/8,::1";

/// The client with the proxies of the environment, read as reqwest reads them by default (`HTTP_PROXY`, `HTTPS_PROXY`,
/// `ALL_PROXY`, `NO_PROXY`, in capitals or not), with one exception more.
///
/// What goes to a loopback address is sent in plain http, secrets and tokens included. A proxy would read them.
pub(super) fn with_proxies(client: ClientBuilder, variable: impl Fn(&str) -> Option<String>) -> ClientBuilder {
    let first = |names: [&str; 2]| names.into_iter().find_map(&variable).filter(|value| !value.is_empty());
    let all = first(["ALL_PROXY", "all_proxy"]);
    let http = first(["HTTP_PROXY", "http_proxy"]);
    let https = first(["HTTPS_PROXY", "https_proxy"]);
    // In a CGI program `HTTP_PROXY` is a header of the request that it answers, and reqwest uses no proxy.
    let named = all.is_some() || http.is_some() || https.is_some();
    if !named || variable("REQUEST_METHOD").is_some() {
        return client;
    }
    let except = first(["NO_PROXY", "no_proxy"]).map_or(LOOPBACK.to_owned(), |hosts| format!("{hosts},{LOOPBACK}"));
    let proxies = [
        usable(http, Proxy::http).or_else(|| usable(all.clone(), Proxy::http)),
        usable(https, Proxy::https).or_else(|| usable(all, Proxy::https)),
    ];
    // Without this reqwest adds the proxies of the environment once more.
    let client = client.no_proxy();
    proxies.into_iter().flatten().fold(client, |client, proxy| {
        client.proxy(proxy.no_proxy(NoProxy::from_string(&except)))
    })
}

/// What is no URL counts as not set, as in reqwest.
fn usable(named: Option<String>, proxy: impl Fn(String) -> reqwest::Result<Proxy>) -> Option<Proxy> {
    proxy(named?).ok()
}
