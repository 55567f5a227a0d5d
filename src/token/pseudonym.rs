//! What stands for a person where the person is to be forgotten.

use std::fmt;

use hmac::{Hmac, Mac as _};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use zeroize::Zeroizing;

use super::TokenKey;

/// The key of the [pseudonyms](Pseudonym) that an application's stores keep.
///
/// `Debug` does not show it, and it is overwritten when it goes away.
#[derive(Clone)]
pub struct PseudonymKey(Zeroizing<[u8; 32]>);

impl PseudonymKey {
    /// 32 bytes of chance, the same in every process and for as long as tombstones live.
    #[must_use]
    pub fn new(key: [u8; 32]) -> Self {
        Self(Zeroizing::new(key))
    }
}

impl fmt::Debug for PseudonymKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PseudonymKey([REDACTED])")
    }
}

/// Stands in a tombstone for the subject of the grant that it ends, and for what the grant was bound to: a hash
/// (HMAC-SHA-256) with a key of the application's and chance of its own.
///
/// Whoever has the key and guesses the subject finds out whether it is this one; nobody else does by this hash.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Pseudonym {
    salt: String,
    hash: String,
}

impl Pseudonym {
    pub(crate) fn of(key: &TokenKey, secret: Option<&PseudonymKey>) -> Self {
        Self::with(uuid::Uuid::new_v4().simple().to_string(), key, secret)
    }

    /// Whether it stands for the person of this key: for whoever looks into a store and has to know. `secret`: the key with
    /// which it was made; `None`: it was made without.
    ///
    /// ```
    /// use finrail::token::{GrantKind, PseudonymKey, Record, TokenKey};
    ///
    /// fn is_of(record: &Record, key: &TokenKey, secret: &PseudonymKey) -> bool {
    ///     let pseudonym = record.pseudonym.as_ref();
    ///     pseudonym.is_some_and(|pseudonym| pseudonym.stands_for(key, Some(secret)))
    /// }
    /// ```
    #[must_use]
    pub fn stands_for(&self, key: &TokenKey, secret: Option<&PseudonymKey>) -> bool {
        Self::with(self.salt.clone(), key, secret) == *self
    }

    fn with(salt: String, key: &TokenKey, secret: Option<&PseudonymKey>) -> Self {
        // Without a key of the application's own, the salt alone makes it differ from every other.
        let secret: &[u8] = secret.map_or(&[], |secret| secret.0.as_slice());
        let mut hash = Hmac::<Sha256>::new_from_slice(secret).unwrap_or_else(|_| {
            // HMAC takes keys of every length (RFC 2104 section 3): this is never reached.
            Hmac::<Sha256>::new(&Default::default())
        });
        let mut field = |text: &str| {
            hash.update(&(text.len() as u64).to_be_bytes());
            hash.update(text.as_bytes());
        };
        field("finrail pseudonym 1");
        field(&salt);
        field(&key.subject);
        key.bound.iter().for_each(|id| field(id));
        let hash = hash.finalize().into_bytes();
        Self {
            salt,
            hash: hash.iter().map(|byte| format!("{byte:02x}")).collect(),
        }
    }
}

impl TokenKey {
    /// The same key without the person: no subject, and nothing that scopes are bound to.
    #[must_use]
    pub(crate) fn without_person(&self) -> Self {
        Self {
            subject: String::new(),
            bound: Vec::new(),
            ..self.clone()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::token::GrantKind;

    #[test]
    fn a_pseudonym_stands_for_one_person_with_one_key() {
        let key = |subject: &str| TokenKey::new("mx", "id", GrantKind::AuthorizationCode).subject(subject);
        let secrets = [None, Some(PseudonymKey::new([1; 32])), Some(PseudonymKey::new([2; 32]))];
        for (at, secret) in secrets.iter().enumerate() {
            let pseudonym = Pseudonym::of(&key("user-1"), secret.as_ref());
            assert!(pseudonym.stands_for(&key("user-1"), secret.as_ref()));
            assert!(!pseudonym.stands_for(&key("user-2"), secret.as_ref()));
            assert!(!pseudonym.stands_for(&key("user-1").bound_to(["x"]), secret.as_ref()));
            for (other, secret) in secrets.iter().enumerate() {
                assert_eq!(pseudonym.stands_for(&key("user-1"), secret.as_ref()), at == other);
            }
            // The same person is not recognised from one tombstone to the next.
            assert_ne!(pseudonym, Pseudonym::of(&key("user-1"), secret.as_ref()));
            assert!(!format!("{pseudonym:?}").contains("user-1"));
        }
    }

    #[test]
    fn a_key_without_its_person_is_the_same_for_all_persons() {
        let key = TokenKey::new("mx", "id", GrantKind::AuthorizationCode);
        let of_a_person = key.clone().subject("user-1").bound_to(["consent-1"]);
        assert_ne!(of_a_person, key);
        assert_eq!(of_a_person.without_person(), key);
    }

    #[test]
    fn a_key_does_not_print_itself() {
        assert_eq!(format!("{:?}", PseudonymKey::new([7; 32])), "PseudonymKey([REDACTED])");
    }
}
