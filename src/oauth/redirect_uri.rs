//! The redirect URI: which ones can receive a callback, and whether a callback came to it.

use std::collections::BTreeSet;

use percent_encoding::percent_decode_str;
use url::Url;

use super::error::Error;
use super::profile::Profile;
use crate::http::{has_user_info, is_loopback, is_loopback_literal};

/// Schemes that lead no browser back to the application that began. What is not here, not `https` and not `http`, is
/// taken for a private-use scheme (RFC 8252 section 7.1).
const NOT_A_CALLBACK: &[&str] = &[
    "about",
    "afp",
    "android-app",
    "blob",
    "cid",
    "content",
    "data",
    "dav",
    "devtools",
    "ecmascript",
    "facetime",
    "feed",
    "file",
    "filesystem",
    "ftp",
    "ftps",
    "geo",
    "gopher",
    "hcp",
    "intent",
    "irc",
    "ircs",
    "itms",
    "itms-apps",
    "itms-services",
    "jar",
    "javascript",
    "jscript",
    "jscript.encode",
    "ldap",
    "ldaps",
    "livescript",
    "magnet",
    "mailto",
    "market",
    "mhtml",
    "mid",
    "mk",
    "mocha",
    "ms-appinstaller",
    "ms-its",
    "ms-msdt",
    "ms-settings",
    "news",
    "nfs",
    "nntp",
    "resource",
    "res",
    "rtsp",
    "search-ms",
    "sftp",
    "shell",
    "sip",
    "sips",
    "smb",
    "sms",
    "smsto",
    "ssh",
    "tel",
    "telnet",
    "tftp",
    "urn",
    "vbs",
    "vbscript",
    "vbscript.encode",
    "view-source",
    "wasm",
    "webcal",
    "ws",
    "wss",
    "wyciwyg",
    "xmpp",
];

/// Schemes of the pages of browsers and of their extensions.
const OF_A_BROWSER: [&str; 8] = [
    "brave", "chrome", "edge", "firefox", "moz", "opera", "safari", "vivaldi",
];

/// What an authorization server adds to the redirect URI: a parameter that stands there before would be taken for its word.
const OF_THE_RESPONSE: [&str; 11] = [
    "access_token",
    "code",
    "error",
    "error_description",
    "error_uri",
    "id_token",
    "iss",
    "response",
    "scope",
    "session_state",
    "state",
];

/// Checks a redirect URI: RFC 6749 section 3.1.2, RFC 8252 section 7, and whether the provider demands one.
pub(crate) fn check_redirect_uri(profile: &Profile, uri: Option<&str>) -> Result<(), Error> {
    let Some(uri) = uri else {
        return if profile.redirect_uri.required {
            Err(bad("the provider demands one; set it on the app"))
        } else {
            Ok(())
        };
    };
    let bad = |reason| Err(bad(reason));
    // A parser of URLs passes over these, and a server compares the text.
    if uri.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return bad("it has a space or a control character in it");
    }
    // A parser of URLs takes it for a slash, and what compares the text does not: the host would be another one.
    if uri.contains('\\') {
        return bad("it has a backslash in it; write / in its place, or %5C");
    }
    let url = Url::parse(uri).map_err(not_absolute)?;
    if url.fragment().is_some() {
        return bad("it must not have a fragment (RFC 6749 section 3.1.2)");
    }
    let scheme = url.scheme();
    let behind = uri.get(scheme.len() + 1..).unwrap_or_default();
    if url.has_authority() && (!behind.starts_with("//") || behind.starts_with("///")) {
        return bad("it is not written as it is read; write scheme://host/path, with two slashes");
    }
    let is_a_port = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if is_a_port(behind.split(['/', '?']).next().unwrap_or_default()) {
        return bad("its scheme is missing; write https:// before the host, or http:// on loopback");
    }
    let of_a_browser = OF_A_BROWSER.iter().any(|name| {
        scheme
            .strip_prefix(name)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
    });
    if of_a_browser || NOT_A_CALLBACK.contains(&scheme) {
        return bad("its scheme cannot receive a callback; use https, http on loopback, or a scheme of your own");
    }
    let is_reserved = |name: &str| OF_THE_RESPONSE.contains(&name) || profile.refusal_code_field == Some(name);
    if url.query_pairs().any(|(name, _)| is_reserved(&name)) {
        return bad(
            "its query has a parameter that the authorization response brings (code, state, iss, error, scope); give it another name",
        );
    }
    if has_user_info(&url, uri) {
        return bad("it has a user name or a password in it, which would be shown to the browser and the provider");
    }
    if url.scheme() == "http" && !is_loopback(&url) {
        return bad(
            "plain http is taken on loopback only, because the code could be read on its way; use https or a custom scheme",
        );
    }
    Ok(())
}

/// Whether a callback came to this redirect URI, as far as it says where it came to.
///
/// `callback` is a whole URL, or the path and the query that a server behind a proxy sees, or the query alone from its
/// question mark on.
pub(super) fn check_address(redirect_uri: &str, callback: &str) -> Result<(), Error> {
    let expected = Url::parse(redirect_uri).map_err(not_absolute)?;
    same(has_query_of(&expected, callback))?;
    if callback.starts_with('?') {
        return Ok(());
    }
    if callback.starts_with('/') {
        let mut came_to = expected.clone();
        came_to.set_path(callback.split(['?', '#']).next().unwrap_or_default());
        return same(path(&came_to) == path(&expected));
    }
    // What the parser says of it is less than this.
    let Ok(came_to) = Url::parse(callback) else {
        return Err(Error::Callback(
            "is neither a whole URL nor a path with a query; give the whole URL that the browser came back with",
        ));
    };
    same(
        came_to.scheme() == expected.scheme()
            && !has_user_info(&came_to, callback)
            && host(&came_to) == host(&expected)
            && same_port(&came_to, &expected)
            && path(&came_to) == path(&expected),
    )
}

/// Whether a callback has what stands in the query of the redirect URI, which the server has to keep (RFC 6749 section
/// 3.1.2), and nothing else by these names: it may be all that tells two redirect URIs apart.
fn has_query_of(expected: &Url, callback: &str) -> bool {
    let before_fragment = callback.split('#').next().unwrap_or_default();
    let query = before_fragment.split_once('?').map_or("", |(_, query)| query);
    let own = parameters(expected.query().unwrap_or_default());
    let names: BTreeSet<&[u8]> = own.iter().map(|(name, _)| name.as_slice()).collect();
    // A parameter without a value is as good as none (RFC 6749 section 3.1).
    let values = |of: &[Parameter]| {
        let mut values: Vec<Parameter> = of.to_vec();
        values.retain(|(name, value)| names.contains(name.as_slice()) && !value.is_empty());
        values.sort();
        values
    };
    values(&own) == values(&parameters(query))
}

/// A name and a value, in bytes: two that are no text are not the same because of that.
type Parameter = (Vec<u8>, Vec<u8>);

fn parameters(query: &str) -> Vec<Parameter> {
    let decoded = |text: &str| percent_decode_str(&text.replace('+', " ")).collect();
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decoded(name), decoded(value))
        })
        .collect()
}

fn bad(reason: &'static str) -> Error {
    Error::RedirectUri { reason, source: None }
}

/// What the parser says holds nothing of the URI.
pub(super) fn not_absolute(error: url::ParseError) -> Error {
    Error::RedirectUri {
        reason: "it is not an absolute URI; write it as it is registered with the provider",
        source: Some(error),
    }
}

fn same(is_same: bool) -> Result<(), Error> {
    if is_same {
        Ok(())
    } else {
        Err(Error::RedirectUriMismatch)
    }
}

/// A native application may get another port each time it starts (RFC 8252 section 7.3). The section speaks of the two
/// loopback addresses, and section 8.3 advises against the name `localhost`.
fn same_port(came_to: &Url, expected: &Url) -> bool {
    (expected.scheme() == "http" && is_loopback_literal(expected))
        || came_to.port_or_known_default() == expected.port_or_known_default()
}

/// A parser lowers the case of hosts of https and http; a host has no case under other schemes either.
fn host(url: &Url) -> Option<String> {
    url.host_str().map(str::to_ascii_lowercase)
}

/// `demoapp://redirect` and `demoapp://redirect/` are the same place (RFC 3986 section 6.2.3), as for https.
fn path(url: &Url) -> String {
    match url.path() {
        "/" => String::new(),
        path => with_equal_escapes(path),
    }
}

/// A path with its escapes in one writing: in capitals, and none for what needs none (RFC 3986 sections 6.2.2.1 and
/// 6.2.2.2). `%2F` is no slash, and stays as it is.
fn with_equal_escapes(path: &str) -> String {
    let mut parts = path.split('%');
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let escape = part.get(..2).zip(part.get(2..));
        let byte = escape.and_then(|(digits, rest)| {
            let is_hex = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
            let byte = u8::from_str_radix(digits, 16).ok().filter(|_| is_hex)?;
            Some((byte, digits, rest))
        });
        match byte {
            Some((byte, _, rest)) if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) => {
                text.push(char::from(byte));
                text.push_str(rest);
            }
            Some((_, digits, rest)) => {
                text.push('%');
                text.push_str(&digits.to_ascii_uppercase());
                text.push_str(rest);
            }
            None => {
                text.push('%');
                text.push_str(part);
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::profile::RedirectUriRules;

    #[test]
    fn a_redirect_uri_brings_the_browser_back_and_shows_the_code_to_nobody() {
        for good in [
            "https://app.example/callback?bank=1",
            "https://127.0.0.1/cb",
            "http://127.0.0.1:9000/cb",
            "http://[::1]/cb",
            "http://localhost/cb",
            "demoapp://redirect",
            "chromed://redirect",
            "jscripts://redirect",
            "com.example.app:/oauth2redirect",
            "com.example.app:/you@example",
            "https://app.example/you@example?as=you@example",
        ] {
            assert!(check_redirect_uri(&Profile::BASE, Some(good)).is_ok(), "{good}");
        }
        for (bad, reason) in [
            ("https://app.example/a b", "a space or a control character"),
            ("https://app.example/a\u{7f}", "a space or a control character"),
            ("java\nscript:alert(1)", "a space or a control character"),
            ("app.example/callback", "not an absolute URI"),
            ("https://app.example/callback#part", "a fragment"),
            ("javascript:alert(1)", "cannot receive a callback"),
            ("jscript:alert(1)", "cannot receive a callback"),
            ("JScript:alert(1)", "cannot receive a callback"),
            ("ecmascript:alert(1)", "cannot receive a callback"),
            ("vbs:msgbox(1)", "cannot receive a callback"),
            ("vbscript:msgbox(1)", "cannot receive a callback"),
            ("jscript.encode:x", "cannot receive a callback"),
            ("VBScript.Encode:x", "cannot receive a callback"),
            ("mk:@MSITStore:x", "cannot receive a callback"),
            ("hcp://services/subsite", "cannot receive a callback"),
            ("ms-msdt:/id", "cannot receive a callback"),
            ("wss://app.example/cb", "cannot receive a callback"),
            ("localhost:8080/cb", "its scheme is missing"),
            ("app.example:8080/cb", "its scheme is missing"),
            ("app.example:8080", "its scheme is missing"),
            ("https:app.example/cb", "with two slashes"),
            ("https:/app.example/cb", "with two slashes"),
            ("https:///app.example/cb", "with two slashes"),
            (r"https:\\app.example\cb", "a backslash"),
            (r"https://app.example\cb", "a backslash"),
            (r"https://app.example\@evil.example/cb", "a backslash"),
            (r"demoapp://redirect\cb", "a backslash"),
            ("jar:https://app.example/cb", "cannot receive a callback"),
            ("intent://cb#Intent;end", "a fragment"),
            ("chrome://settings", "cannot receive a callback"),
            ("chrome-extension://abc/cb", "cannot receive a callback"),
            ("moz-extension://abc/cb", "cannot receive a callback"),
            ("https://app.example/cb?code=1", "give it another name"),
            ("https://app.example/cb?bank=1&%73tate=1", "give it another name"),
            ("https://app.example/cb?access_token=1", "give it another name"),
            ("com.example.app:/cb?iss=x", "give it another name"),
            ("https://app.example/cb?scope=accounts", "give it another name"),
            ("https://user@app.example/cb", "a user name or a password"),
            ("https://:pw@app.example/cb", "a user name or a password"),
            ("https://@app.example/cb", "a user name or a password"),
            ("https://:@app.example/cb", "a user name or a password"),
            (r"https://@app.example\cb", "a backslash"),
            ("demoapp://@redirect", "a user name or a password"),
            ("demoapp://user@redirect", "a user name or a password"),
            ("http://app.example/callback", "on loopback only"),
            ("http://127.0.0.1.evil.example/cb", "on loopback only"),
        ] {
            let error = check_redirect_uri(&Profile::BASE, Some(bad)).unwrap_err().to_string();
            assert!(error.contains(reason), "{bad}: {error}");
        }
    }

    #[test]
    fn the_field_of_a_providers_refusals_is_no_parameter_of_a_redirect_uri() {
        let uri = Some("https://app.example/cb?refusal=7");
        assert!(check_redirect_uri(&Profile::BASE, uri).is_ok());
        let with_field = Profile {
            refusal_code_field: Some("refusal"),
            ..Profile::BASE
        };
        let error = check_redirect_uri(&with_field, uri).unwrap_err().to_string();
        assert!(error.contains("give it another name"), "{error}");
    }

    #[test]
    fn none_is_needed_unless_the_provider_demands_one() {
        assert!(check_redirect_uri(&Profile::BASE, None).is_ok());
        let demanding = Profile {
            redirect_uri: RedirectUriRules {
                required: true,
                ..RedirectUriRules::BASE
            },
            ..Profile::BASE
        };
        let error = check_redirect_uri(&demanding, None).unwrap_err().to_string();
        assert!(error.contains("the provider demands one"), "{error}");
        assert!(check_redirect_uri(&demanding, Some("https://app.example/cb")).is_ok());
    }

    #[test]
    fn a_whole_url_is_compared_in_scheme_host_port_path_and_its_own_query() {
        for (redirect_uri, callback) in [
            ("https://app.example/cb", "https://app.example/cb?code=c"),
            ("https://app.example/cb", "https://APP.example:443/cb?code=c"),
            ("https://app.example/a%2fb?x=1", "https://app.example/a%2fb?x=1&code=c"),
            ("https://app.example", "https://app.example/?code=c"),
            ("demoapp://redirect", "demoapp://redirect?code=c"),
            ("demoapp://redirect", "demoapp://redirect/?code=c"),
            ("com.example.app:/oauth", "com.example.app:/oauth?code=c"),
            ("http://127.0.0.1/cb", "http://127.0.0.1:51004/cb?code=c"),
            ("http://127.0.0.1:9000/cb", "http://127.0.0.1:51004/cb?code=c"),
            ("http://[::1]:9000/cb", "http://[::1]/cb?code=c"),
            ("https://app.example/cb", "/cb?code=c"),
            ("https://app.example", "/?code=c"),
            ("https://app.example/cb", "?code=c"),
            // What the server keeps of its query, in whatever place and writing.
            (
                "https://app.example/cb?bank=a b",
                "https://app.example/cb?code=c&bank=a%20b#_",
            ),
            ("https://app.example/cb?bank=a", "/cb?bank=a&code=c"),
            ("https://app.example/cb?bank=a", "?bank=%61&code=c"),
            ("https://app.example/cb?x=1&x=2&y", "/cb?x=1&code=c&x=2&y="),
            ("https://app.example/cb?bank=&y", "/cb?code=c"),
            ("https://app.example/cb?bank=a", "/cb?bank=a&bank=&code=c"),
            ("https://app.example/cb?x=1&x=", "/cb?x=1&code=c"),
            ("https://app.example/cb?x=1&x=2", "/cb?x=2&x=1&code=c"),
            ("https://app.example/cb?bank=%E9&&y=1", "/cb?y=1&bank=%e9&code=c"),
            // Escapes in whatever writing.
            ("https://app.example/\u{fc}", "/%c3%bc?code=c"),
            ("https://app.example/a%2fb", "https://app.example/a%2Fb?code=c"),
            ("https://app.example/call%62ack%7e", "/callback~?code=c"),
            ("https://app.example/100%", "/100%?code=c"),
            ("demoapp:cb%2d1", "demoapp:cb-1?code=c"),
        ] {
            assert!(
                check_address(redirect_uri, callback).is_ok(),
                "{redirect_uri} {callback}"
            );
        }
        for (redirect_uri, callback) in [
            ("https://app.example/cb", "http://app.example/cb?code=c"),
            ("https://app.example/cb", "https://evil.example/cb?code=c"),
            ("https://app.example/cb", "https://app.example.evil.example/cb?code=c"),
            ("https://app.example/cb", "https://app.example@evil.example/cb?code=c"),
            ("https://app.example/cb", "https://user@app.example/cb?code=c"),
            ("https://app.example/cb", "https://:pw@app.example/cb?code=c"),
            ("https://app.example/cb", "https://@app.example/cb?code=c"),
            ("https://app.example/cb", "https://app.example:8443/cb?code=c"),
            ("https://app.example:8443/cb", "https://app.example/cb?code=c"),
            ("https://app.example/cb", "https://app.example/cb/?code=c"),
            ("https://app.example/cb", "https://app.example/CB?code=c"),
            ("https://app.example/bank-a", "https://app.example/bank-b?code=c"),
            ("https://app.example/bank-a", "/bank-b?code=c"),
            ("https://app.example/a%2Fb", "/a/b?code=c"),
            ("https://app.example/a%252fb", "/a%2fb?code=c"),
            ("https://app.example/%2562", "/%62?code=c"),
            ("https://app.example/%42", "/b?code=c"),
            ("https://app.example/%+62", "/b?code=c"),
            ("https://app.example/cb?bank=a", "https://app.example/cb?bank=b&code=c"),
            ("https://app.example/cb?bank=a", "https://app.example/cb?code=c"),
            ("https://app.example/cb?bank=a", "/cb?bank=b&code=c"),
            ("https://app.example/cb?bank=a", "?bank=b&code=c"),
            ("https://app.example/cb?bank=a", "/cb?bank=a&bank=b&code=c"),
            ("https://app.example/cb?bank=a", "/cb?bank=b&bank=a&code=c"),
            ("https://app.example/cb?bank=a", "/cb?code=c#?bank=a"),
            ("https://app.example/cb?bank=a", "/cb?BANK=a&code=c"),
            ("https://app.example/cb?bank=", "/cb?bank=b&code=c"),
            ("https://app.example/cb?bank", "?bank=b&code=c"),
            ("https://app.example/cb?x=1&x=1", "/cb?x=1&code=c"),
            ("https://app.example/cb?bank=%E9", "/cb?bank=%E8&code=c"),
            ("https://app.example/cb?bank=%E9", "/cb?bank=%EF%BF%BD&code=c"),
            ("https://127.0.0.1/cb", "https://127.0.0.1:9000/cb?code=c"),
            ("http://127.0.0.1:9000/cb", "http://[::1]:9000/cb?code=c"),
            ("http://127.0.0.1:9000/cb", "http://127.0.0.1:9000/other?code=c"),
            ("http://localhost:9000/cb", "http://localhost:9001/cb?code=c"),
            ("demoapp://redirect", "otherapp://redirect?code=c"),
            ("demoapp://redirect", "demoapp://elsewhere?code=c"),
        ] {
            let outcome = check_address(redirect_uri, callback);
            assert!(
                matches!(outcome, Err(Error::RedirectUriMismatch)),
                "{redirect_uri} {callback}: {outcome:?}"
            );
        }
        for callback in ["cb?code=c", "app.example/cb?code=c", ""] {
            let outcome = check_address("https://app.example/cb", callback);
            assert!(matches!(outcome, Err(Error::Callback(_))), "{callback}: {outcome:?}");
        }
    }
}
