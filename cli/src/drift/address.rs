//! An address in the parts that a client depends on.

/// Host, path and query of an address, or of a path alone. Who asks, the fragment and the scheme's own port are left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Address {
    /// In lower case; `None` for a path alone.
    pub host: Option<String>,
    /// With its leading slash.
    pub path: String,
    /// Without the question mark.
    pub query: String,
}

impl Address {
    /// Takes an address apart.
    #[must_use]
    pub fn read(text: &str) -> Self {
        let text = text.split('#').next().unwrap_or_default();
        let (host, rest) = match text.split_once("://").filter(|_| !text.starts_with('/')) {
            Some((scheme, rest)) => {
                let (authority, rest) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
                let port = match scheme.to_ascii_lowercase().as_str() {
                    "https" => ":443",
                    "http" => ":80",
                    _ => "",
                };
                let host = authority.rsplit('@').next().unwrap_or_default();
                let host = host.strip_suffix(port).unwrap_or(host);
                (Some(host.to_ascii_lowercase()), rest)
            }
            None => (None, text),
        };
        let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
        let path = if path.is_empty() { "/" } else { path };
        Self {
            host,
            path: path.to_owned(),
            query: query.to_owned(),
        }
    }

    /// The host of an address, or an empty text.
    #[must_use]
    pub fn host_of(text: &str) -> String {
        Self::read(text).host.unwrap_or_default()
    }

    /// Host and path without a slash at the end.
    #[must_use]
    pub fn place(&self) -> String {
        let host = self.host.as_deref().unwrap_or_default();
        format!("{host}{}", self.path.trim_end_matches('/'))
    }
}

/// The parts of a query or a form; without `=` there is no value.
#[must_use]
pub fn pairs(text: &str) -> Vec<(String, Option<String>)> {
    text.split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| match pair.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (pair, None),
        })
        .map(|(name, value)| (decoded(name), value))
        .collect()
}

/// What a part of a query or a form stands for; as it is, where that is no text.
#[must_use]
pub fn decoded(part: &str) -> String {
    let mut bytes = Vec::with_capacity(part.len());
    let mut rest = part.as_bytes();
    while let [first, after @ ..] = rest {
        let code = match (first, after) {
            (b'%', [high, low, ..]) => hex(*high).zip(hex(*low)),
            _ => None,
        };
        match code {
            Some((high, low)) => bytes.push(high * 16 + low),
            None => bytes.push(if *first == b'+' { b' ' } else { *first }),
        }
        rest = if code.is_some() { &after[2..] } else { after };
    }
    String::from_utf8(bytes).unwrap_or_else(|_| part.to_owned())
}

/// A path in which letters, digits and `-._~` are written as themselves: the same path (RFC 3986 section 6.2.2.2).
#[must_use]
pub fn plain_path(path: &str) -> String {
    let mut plain = String::with_capacity(path.len());
    let mut rest = path;
    while let Some((before, after)) = rest.split_once('%') {
        plain.push_str(before);
        let code = match after.as_bytes() {
            [high, low, ..] => hex(*high).zip(hex(*low)).map(|(high, low)| high * 16 + low),
            _ => None,
        };
        let letter = code.map(char::from);
        match letter.filter(|it| it.is_ascii_alphanumeric() || matches!(it, '-' | '.' | '_' | '~')) {
            Some(letter) => {
                plain.push(letter);
                rest = &after[2..];
            }
            None => {
                plain.push('%');
                rest = after;
            }
        }
    }
    plain.push_str(rest);
    plain
}

fn hex(digit: u8) -> Option<u8> {
    u8::try_from(char::from(digit).to_digit(16)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_what_a_client_asks_and_not_who_asks() {
        for (text, host, path, query) in [
            (
                "https://api.x.example/a/b?c=d#access_token=e",
                Some("api.x.example"),
                "/a/b",
                "c=d",
            ),
            (
                "https://sk_live_1:@API.x.example:443/a",
                Some("api.x.example"),
                "/a",
                "",
            ),
            ("http://x.example:80", Some("x.example"), "/", ""),
            ("https://x.example:8443?a", Some("x.example:8443"), "/", "a"),
            ("https://{host}/oauth2", Some("{host}"), "/oauth2", ""),
            ("/a?next=https://y.example/b", None, "/a", "next=https://y.example/b"),
            ("", None, "/", ""),
        ] {
            let read = Address::read(text);
            assert_eq!(
                (read.host.as_deref(), read.path.as_str(), read.query.as_str()),
                (host, path, query),
                "{text}"
            );
        }
    }

    #[test]
    fn a_part_without_a_sign_has_no_value() {
        let part = |name: &str, value: Option<&str>| (name.to_owned(), value.map(str::to_owned));
        assert_eq!(
            pairs("a=1&b&c%5B%5D=&d=e=f&g%5bh%5d=%20"),
            [
                part("a", Some("1")),
                part("b", None),
                part("c[]", Some("")),
                part("d", Some("e=f")),
                part("g[h]", Some("%20"))
            ]
        );
    }

    #[test]
    fn a_path_is_the_same_however_its_letters_are_written() {
        for (written, plain) in [
            ("/acc%6Funts", "/accounts"),
            ("/%7eme/a%2db", "/~me/a-b"),
            ("/a%2Fb%20c", "/a%2Fb%20c"),
            ("/100%", "/100%"),
            ("/%4", "/%4"),
            ("/%zz%\u{e9}", "/%zz%\u{e9}"),
        ] {
            assert_eq!(plain_path(written), plain, "{written}");
        }
    }

    #[test]
    fn a_name_is_decoded_where_it_is_a_text() {
        for (written, meant) in [
            ("return%5Furl", "return_url"),
            ("scopes%5b%5D", "scopes[]"),
            ("gr%C3%B6%C3%9Fe", "gr\u{f6}\u{df}e"),
            ("a+b%2Bc", "a b+c"),
            ("100%", "100%"),
            ("%4", "%4"),
            ("%zz%5", "%zz%5"),
            ("%ff", "%ff"),
        ] {
            assert_eq!(decoded(written), meant, "{written}");
        }
    }
}
