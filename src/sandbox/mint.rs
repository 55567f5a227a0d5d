//! New identifiers, codes and tokens, in the form of an example.

const ALPHANUMERIC: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/// A fresh identifier that looks like `example`.
///
/// A UUID gives a UUID, digits give digits, hex gives hex, and a prefix like `cus_` stays.
pub(super) fn like(example: &str) -> String {
    if uuid::Uuid::try_parse(example).is_ok() && example.len() == 36 {
        return uuid::Uuid::new_v4().to_string();
    }
    let (prefix, rest) = split_prefix(example);
    let alphabet: &[u8] = if !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_digit()) {
        b"123456789"
    } else if rest.len() >= 8 && rest.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)) {
        b"0123456789abcdef"
    } else if rest.bytes().any(|b| b.is_ascii_uppercase()) {
        ALPHANUMERIC
    } else {
        b"abcdefghijklmnopqrstuvwxyz0123456789"
    };
    let shape = if rest.len() < 6 { "??????????" } else { rest };
    let random = shape.chars().map(|c| match c {
        '-' | '_' | '.' | ':' => c,
        _ => pick(alphabet),
    });
    prefix.chars().chain(random).collect()
}

/// A fresh secret with the prefix of `example`, hard to guess whatever the example looks like.
pub(super) fn secret(example: &str, length: usize) -> String {
    if uuid::Uuid::try_parse(example).is_ok() && example.len() == 36 {
        return uuid::Uuid::new_v4().to_string();
    }
    let (prefix, _) = split_prefix(example);
    let mut bytes = vec![0; length];
    if getrandom::fill(&mut bytes).is_err() {
        return prefix.chars().chain((0..length).map(|_| pick(ALPHANUMERIC))).collect();
    }
    let letter = |byte: u8| ALPHANUMERIC.get(usize::from(byte) % ALPHANUMERIC.len()).copied();
    let letters = bytes.into_iter().filter_map(letter).map(char::from);
    prefix.chars().chain(letters).collect()
}

/// `cus_` and the rest, when the example has a short word before an underscore.
fn split_prefix(example: &str) -> (&str, &str) {
    match example.find(['_', '-']) {
        Some(at) if at <= 6 && example.len() > at + 4 && example[..at].bytes().all(|b| b.is_ascii_alphanumeric()) => {
            example.split_at(at + 1)
        }
        _ => ("", example),
    }
}

fn pick(alphabet: &[u8]) -> char {
    let bound = u32::try_from(alphabet.len()).unwrap_or(1);
    let at = random() % bound;
    char::from(alphabet.get(at as usize).copied().unwrap_or(b'x'))
}

/// A random number; a sandbox without a source of randomness counts instead.
fn random() -> u32 {
    use std::sync::atomic::{AtomicU32, Ordering};
    static FALLBACK: AtomicU32 = AtomicU32::new(1);
    let mut bytes = [0; 4];
    match getrandom::fill(&mut bytes) {
        Ok(()) => u32::from_le_bytes(bytes),
        Err(_) => FALLBACK.fetch_add(0x9e37_79b9, Ordering::Relaxed),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn identifiers_keep_the_form_of_the_example() {
        for (example, prefix, length) in [
            ("cus_8HqT2bVxNw", "cus_", 14),
            ("2f6c9a1e-8d34-4b7a-b0c5-91e7d3a4f628", "", 36),
            ("f4244e2e8b29426b9c490597f21e6b51", "", 32),
            ("20261120-0417", "", 13),
            ("txn-0a7f41c8", "txn-", 12),
            ("a", "", 10),
            ("", "", 10),
        ] {
            let id = super::like(example);
            assert!(id.starts_with(prefix) && id.len() == length, "{example} gave {id}");
            assert_ne!(id, super::like(example));
        }
        assert!(super::like("23143879").parse::<u64>().is_ok());
    }
}
