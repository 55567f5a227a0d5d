//! A header with a secret in it.

use bytes::Bytes;
use http::HeaderValue;
use http::header::InvalidHeaderValue;
use zeroize::Zeroizing;

/// `<scheme> <secret>`, marked sensitive, in memory that is overwritten when the last clone of the header goes away.
pub(crate) fn secret_header(scheme: &str, secret: &str) -> Result<HeaderValue, InvalidHeaderValue> {
    // A buffer that grows leaves copies of the secret behind.
    let mut text = Zeroizing::new(Vec::with_capacity(scheme.len() + 1 + secret.len()));
    text.extend_from_slice(scheme.as_bytes());
    text.push(b' ');
    text.extend_from_slice(secret.as_bytes());
    sensitive(text)
}

/// The same header in memory of its own.
pub(crate) fn copied(header: &HeaderValue) -> Result<HeaderValue, InvalidHeaderValue> {
    sensitive(Zeroizing::new(header.as_bytes().to_vec()))
}

fn sensitive(text: Zeroizing<Vec<u8>>) -> Result<HeaderValue, InvalidHeaderValue> {
    let mut header = HeaderValue::from_maybe_shared(Bytes::from_owner(text))?;
    header.set_sensitive(true);
    Ok(header)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn it_is_what_it_is_made_of_and_is_not_shown() {
        let header = secret_header("Bearer", "a-token").unwrap();
        let copy = copied(&header).unwrap();
        for header in [&header, &copy] {
            assert_eq!(header.as_bytes(), b"Bearer a-token");
            assert!(header.is_sensitive() && !format!("{header:?}").contains("token"));
        }
        assert_ne!(header.as_bytes().as_ptr(), copy.as_bytes().as_ptr());
        assert!(secret_header("Bearer", "two\nlines").is_err());
    }
}
