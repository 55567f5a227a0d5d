//! `WWW-Authenticate`: what a 401 says of the access token.

use std::borrow::Cow;

use http::HeaderMap;
use http::header::WWW_AUTHENTICATE;

/// Whether a 401 says that the bearer token itself is the reason (RFC 6750 section 3.1).
///
/// Only the `error` of a Bearer challenge says so, and only where no other Bearer challenge says something else, and nothing
/// stands beside it that cannot be read: a call that moves money is sent once more because of it.
pub(crate) fn challenge_is_invalid_token(headers: &HeaderMap) -> bool {
    let (mut says_so, mut says_otherwise) = (false, false);
    for challenge in challenges(headers) {
        if !challenge.is_bearer() {
            continue;
        }
        says_otherwise |= challenge.is_broken;
        let mut errors = challenge
            .parameters
            .iter()
            .filter(|(name, _)| name.eq_ignore_ascii_case(b"error"));
        match (errors.next(), errors.next()) {
            (None, _) => {}
            (Some((_, error)), None) if error.eq_ignore_ascii_case(b"invalid_token") => says_so = true,
            // Another reason, or two (section 3: the attribute must not stand there twice).
            _ => says_otherwise = true,
        }
    }
    says_so && !says_otherwise
}

/// A way to authenticate that the server names (RFC 9110 section 11.6.1).
#[derive(Debug, PartialEq, Eq)]
struct Challenge<'a> {
    /// Empty: what stands there cannot be read, and what follows is of nobody.
    scheme: &'a [u8],
    parameters: Vec<(&'a [u8], Cow<'a, [u8]>)>,
    /// It has a text in place of parameters.
    has_token68: bool,
    /// Behind it, in its field or in one that goes on with it, stands what cannot be read.
    is_broken: bool,
}

impl<'a> Challenge<'a> {
    fn of(scheme: &'a [u8]) -> Self {
        Self {
            scheme,
            parameters: Vec::new(),
            has_token68: false,
            is_broken: false,
        }
    }

    fn is_bearer(&self) -> bool {
        self.scheme.eq_ignore_ascii_case(b"bearer")
    }
}

/// Every challenge of every header field; of a field that cannot be read to its end, those before that place.
fn challenges(headers: &HeaderMap) -> Vec<Challenge<'_>> {
    let mut found = Vec::new();
    for field in headers.get_all(WWW_AUTHENTICATE) {
        // A challenge of the field before may go on in this one.
        let from = found.len().saturating_sub(1);
        if Reader(field.as_bytes()).read_into(&mut found).is_none() {
            found
                .iter_mut()
                .skip(from)
                .for_each(|challenge| challenge.is_broken = true);
            found.push(Challenge::of(b""));
        }
    }
    found
}

/// What is left of a field.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    /// Reads to the end of the field; none: something in it cannot be read.
    fn read_into(mut self, found: &mut Vec<Challenge<'a>>) -> Option<()> {
        // Two fields are one list, so the parameters of a challenge may go on in the next one.
        loop {
            self.skip(|byte| is_space(byte) || byte == b',');
            if self.0.is_empty() {
                return Some(());
            }
            let name = self.token();
            if name.is_empty() {
                return None;
            }
            let after_name = self.0;
            self.skip(is_space);
            if self.takes(b'=') {
                self.skip(is_space);
                let value = self.value()?;
                let challenge = found.last_mut().filter(|challenge| !challenge.has_token68)?;
                // What does not end here is not what it seems to be.
                if !self.is_at_end_of_part() {
                    return None;
                }
                challenge.parameters.push((name, value));
                continue;
            }
            let is_apart = after_name.first().is_none_or(|byte| is_space(*byte) || *byte == b',');
            if !is_apart {
                return None;
            }
            let mut challenge = Challenge::of(name);
            challenge.has_token68 = self.skip_token68();
            found.push(challenge);
            if !self.is_at_end_of_part() && !self.is_at_a_parameter() {
                return None;
            }
        }
    }

    /// The credentials-like text that some schemes have in place of parameters: `Negotiate abc==`.
    fn skip_token68(&mut self) -> bool {
        let before = self.0;
        let text = self.skip(|byte| byte.is_ascii_alphanumeric() || b"-._~+/".contains(&byte));
        self.skip(|byte| byte == b'=');
        if !self.is_at_end_of_part() {
            self.0 = before;
            return false;
        }
        !text.is_empty()
    }

    /// A token, or a quoted string without its quotes and escapes; none: it has no end.
    fn value(&mut self) -> Option<Cow<'a, [u8]>> {
        if !self.takes(b'"') {
            let token = self.token();
            return (!token.is_empty()).then_some(Cow::Borrowed(token));
        }
        let mut value = Cow::Borrowed(&[][..]);
        loop {
            let plain = self.skip(|byte| byte != b'"' && byte != b'\\');
            if value.is_empty() {
                value = Cow::Borrowed(plain);
            } else {
                value.to_mut().extend_from_slice(plain);
            }
            if self.takes(b'"') {
                return Some(value);
            }
            let [b'\\', escaped, rest @ ..] = self.0 else {
                return None;
            };
            value.to_mut().push(*escaped);
            self.0 = rest;
        }
    }

    fn is_at_end_of_part(&self) -> bool {
        let mut rest = Reader(self.0);
        rest.skip(is_space);
        rest.0.first().is_none_or(|byte| *byte == b',')
    }

    fn is_at_a_parameter(&self) -> bool {
        let mut rest = Reader(self.0);
        rest.skip(is_space);
        let name = rest.token();
        rest.skip(is_space);
        !name.is_empty() && rest.takes(b'=')
    }

    /// RFC 9110 section 5.6.2.
    fn token(&mut self) -> &'a [u8] {
        self.skip(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
    }

    fn takes(&mut self, byte: u8) -> bool {
        let rest = self.0.strip_prefix(&[byte]);
        self.0 = rest.unwrap_or(self.0);
        rest.is_some()
    }

    /// Goes over these bytes, and gives them.
    fn skip(&mut self, skipped: impl Fn(u8) -> bool) -> &'a [u8] {
        let length = self.0.iter().take_while(|byte| skipped(**byte)).count();
        let (taken, rest) = self.0.split_at(length);
        self.0 = rest;
        taken
    }
}

fn is_space(byte: u8) -> bool {
    byte == b' ' || byte == b'\t'
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn headers(fields: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for field in fields {
            // As a server sends what is not ASCII: one byte a character.
            let bytes: Vec<u8> = field.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect();
            headers.append(WWW_AUTHENTICATE, HeaderValue::from_bytes(&bytes).unwrap());
        }
        headers
    }

    #[test]
    fn a_challenge_names_the_token_by_its_error_however_it_is_written() {
        for fields in [
            &[r#"Bearer realm="bank", error="invalid_token""#][..],
            &["bearer ERROR = Invalid_Token"],
            &["Basic", r#"Bearer error="invalid_token", error_description="over""#],
            &["bEaReR  realm=\"x\" , ERROR = \"invalid_token\""],
            &["Bearer\terror=\"invalid_token\""],
            &["Bearer realm=\"x\",\terror=\"invalid_token\""],
            &["Bearer realm=\"caf\u{e9}\", error=\"invalid_token\""],
            &[r#"Bearer error="invalid\_token""#],
            &[r#"Bearer error="\i\nvalid_token""#],
            &[r#"Bearer realm="a \"b\", c\\", error=invalid_token"#],
            &[r#"Negotiate abc==, Bearer realm="a, b", error="invalid_token""#],
            &["NTLM TlRMTVNTUAACAAAA=, Bearer error=invalid_token"],
            &["Basic, Bearer error=invalid_token"],
            &[r#", , Bearer error="invalid_token",,"#],
            &[r#"DPoP algs="ES256", Bearer error="invalid_token", DPoP error="use_dpop_nonce""#],
            &[r#"Bearer realm="x""#, r#"error="invalid_token""#],
            &["Basic realm=\"open", r#"Bearer error="invalid_token""#],
            &[r#"Bearer, Bearer error="invalid_token""#],
            &[r#"Basic realm="open"#, "\"junk\"", r#"Bearer error="invalid_token""#],
        ] {
            assert!(challenge_is_invalid_token(&headers(fields)), "{fields:?}");
        }
    }

    #[test]
    fn nothing_else_names_the_token() {
        for fields in [
            &[][..],
            &[""],
            &["Bearer"],
            &[r#"Bearer realm="bank""#],
            &[r#"Bearer error="insufficient_scope""#],
            &[r#"Bearer error="invalid_request""#, "Basic"],
            &[r#"Bearer error="insufficient_scope", error_description="not error=invalid_token""#],
            &[r#"Bearer error="insufficient_scope", error_description="not error=\"invalid_token\"""#],
            &[r#"Bearer error="invalid_token_binding""#],
            &["Bearer error=invalid_token.x"],
            &[r#"Bearer realm="error=invalid_token""#],
            &[r#"Basic realm="error=invalid_token""#],
            &[r#"Basic error="invalid_token""#],
            &[r#"DPoP error="invalid_token""#],
            &[r#"Bearer realm="x", DPoP algs="ES256", error="invalid_token""#],
            &["Bearer, Basic error=invalid_token"],
            &[r#"Bearer realm="x", Basic"#, r#"error="invalid_token""#],
            &[r#"Bearer realm="x, error="invalid_token""#],
            &[r#"Bearer realm="open, error=invalid_token"#],
            &[r#"Bearer error="invalid_token"#],
            &[r#"Bearer error="invalid_token\"#],
            &["Bearer error=invalid token"],
            &["Bearer error=invalid_token expired"],
            &[r#"Bearer error="invalid_token"; scope="a""#],
            &[r#"Bearer x_error="invalid_token""#],
            &[r#"Bearer error*=UTF-8''invalid_token"#],
            &[r#"Bearer error_description=invalid_token"#],
            &["Bearer invalid_token"],
            &["Bearer error"],
            &["Bearer error="],
            &[r#"Bearer error="""#],
            &["error=invalid_token"],
            &["error=\"invalid_token\", Bearer"],
            &["Bearer=error=invalid_token"],
            &["Bearererror=invalid_token"],
            &["Bearer/1 error=invalid_token"],
            &["Bearer:error=invalid_token"],
            &["Negotiate Bearer error=invalid_token"],
            // What cannot be read stands beside it, or before it.
            &[r#"Bearer realm="a"#, r#"error="invalid_token""#],
            &[r#"Bearer realm="x", Basic@"#, r#"error="invalid_token""#],
            &[
                r#"Bearer realm="a""#,
                r#"Basic/1 realm="b""#,
                r#"error="invalid_token""#,
            ],
            &[r#"Bearer realm="a""#, "Basic:x", r#"error="invalid_token""#],
            &[r#"Bearer realm="a""#, "\"junk\"", r#"error="invalid_token""#],
            &[r#"Bearer realm="x"; y"#, r#"error="invalid_token""#],
            &[r#"Bearer realm="x", "y" , DPoP "#, "error=invalid_token"],
            &[r#"Bearer error="invalid_token", Bearer error="insufficient_scope"#],
            &[r#"Bearer error="invalid_token""#, r#"Bearer error="insufficient_scope"#],
            &[r#"Bearer error="invalid_token""#, r#"error="insufficient_scope"#],
            &[r#"Bearer error="invalid_token""#, "\"junk\""],
            &[r#"Bearer error="invalid_token", error=insufficient scope"#],
            &[r#"Bearer error="invalid_token", realm="open"#],
            &[r#"Bearer error="invalid_token", scope=""#],
            &[r#"Bearer error="invalid_token", error_description="a"b""#],
            &[r#"Bearer error="invalid_token", Basic@"#],
            &[r#"Bearer abc, error="invalid_token""#],
            &["Bearer abc==", r#"error="invalid_token""#],
            // Two that do not agree.
            &[r#"Bearer error="invalid_token", error="insufficient_scope""#],
            &[r#"Bearer error="invalid_token", error="invalid_token""#],
            &[
                r#"Bearer error="invalid_token""#,
                r#"Bearer error="insufficient_scope""#,
            ],
        ] {
            assert!(!challenge_is_invalid_token(&headers(fields)), "{fields:?}");
        }
    }

    #[test]
    fn a_field_is_read_as_far_as_it_goes() {
        for (field, expected) in [
            ("Bearer", &[("Bearer", &[][..])][..]),
            ("A b=c, D", &[("A", &[("b", "c")]), ("D", &[])]),
            ("A b=\"\"", &[("A", &[("b", "")])]),
            ("A b=\"\\\"\"", &[("A", &[("b", "\"")])]),
            ("A abc==, B c = d , E", &[("A", &[]), ("B", &[("c", "d")]), ("E", &[])]),
            ("A abc, b=c", &[("A", &[])]),
            ("A b=c d=e", &[("A", &[])]),
            ("A b=c, \"d\"", &[("A", &[("b", "c")])]),
            ("A B C", &[("A", &[])]),
            ("A b=c, d", &[("A", &[("b", "c")]), ("d", &[])]),
        ] {
            let headers = headers(&[field]);
            let read: Vec<_> = challenges(&headers)
                .into_iter()
                .filter(|challenge| !challenge.scheme.is_empty())
                .map(|challenge| {
                    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
                    let parameters: Vec<_> = challenge
                        .parameters
                        .iter()
                        .map(|(name, value)| (text(name), text(value)))
                        .collect();
                    (text(challenge.scheme), parameters)
                })
                .collect();
            let expected: Vec<_> = expected
                .iter()
                .map(|(scheme, parameters)| {
                    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
                    ((*scheme).to_owned(), parameters.iter().map(owned).collect::<Vec<_>>())
                })
                .collect();
            assert_eq!(read, expected, "{field}");
        }
    }
}
