//! What metadata of an authorization server says that a document does not (RFC 8414, OpenID Connect Discovery).

use std::collections::BTreeMap;

use serde_json::Value;

/// How a client shows who it is, as far as finrail has it, the best known first.
pub const AUTHENTICATIONS: [&str; 3] = ["client_secret_basic", "client_secret_post", "none"];

/// What is known of an authorization server beside its document.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Known {
    /// How the client shows who it is.
    pub authentication: Option<String>,
    /// What is known of PKCE.
    pub pkce: Option<String>,
    /// `authorization_endpoint`
    pub authorize: Option<String>,
    /// `token_endpoint`
    pub token: Option<String>,
    /// `revocation_endpoint`
    pub revoke: Option<String>,
    /// What bearer tokens beside OAuth are, by the names of their schemes: `key` or `access_token`.
    pub bearers: BTreeMap<String, String>,
    /// What a person should know.
    pub notes: Vec<String>,
}

/// Reads metadata.
///
/// # Errors
///
/// In words, why it is none.
///
/// ```
/// use finrail_cli::import::metadata::known;
///
/// let known = known(br#"{"issuer":"https://login.bank.example","token_endpoint":"https://login.bank.example/token",
///     "token_endpoint_auth_methods_supported":["private_key_jwt","client_secret_post"],
///     "code_challenge_methods_supported":["S256"]}"#)?;
/// assert_eq!(known.authentication.as_deref(), Some("client_secret_post"));
/// assert_eq!(known.pkce.as_deref(), Some("supported"));
/// # Ok::<(), String>(())
/// ```
pub fn known(bytes: &[u8]) -> Result<Known, String> {
    let metadata: Value = serde_json::from_slice(bytes).map_err(|error| format!("it is no JSON: {error}"))?;
    let text = |name: &str| {
        metadata[name]
            .as_str()
            .filter(|text| !text.is_empty())
            .map(str::to_owned)
    };
    if text("issuer").is_none() && text("token_endpoint").is_none() {
        return Err(
            "it is no metadata of an authorization server: it has neither `issuer` nor `token_endpoint`".to_owned(),
        );
    }
    let list = |name: &str| -> Option<Vec<&str>> {
        Some(metadata[name].as_array()?.iter().filter_map(Value::as_str).collect())
    };
    let mut notes = Vec::new();
    // RFC 8414 section 2: where it is left out, the default is this one.
    let methods = list("token_endpoint_auth_methods_supported").unwrap_or_else(|| vec!["client_secret_basic"]);
    let authentication = AUTHENTICATIONS.iter().find(|known| methods.contains(known));
    if authentication.is_none() {
        notes.push(format!(
            "the server knows clients by {}, none of which is supported yet",
            methods.join(", ")
        ));
    }
    // RFC 8414 section 2: where it is left out, the server has no PKCE; servers that forget to say so are usual.
    let pkce = match list("code_challenge_methods_supported") {
        Some(methods) if methods.contains(&"S256") => Some("supported".to_owned()),
        _ => None,
    };
    if metadata["require_pushed_authorization_requests"] == true {
        notes.push(
            "the server takes pushed authorization requests alone (RFC 9126), which are not supported yet".to_owned(),
        );
    }
    Ok(Known {
        authentication: authentication.map(|&known| known.to_owned()),
        pkce,
        authorize: text("authorization_endpoint"),
        token: text("token_endpoint"),
        revoke: text("revocation_endpoint"),
        bearers: BTreeMap::new(),
        notes,
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::known;

    #[test]
    fn what_is_no_metadata_is_refused() {
        for (bytes, told) in [
            (&b"<html>"[..], "no JSON"),
            (b"[]", "neither `issuer` nor `token_endpoint`"),
            (b"{}", "neither `issuer` nor `token_endpoint`"),
        ] {
            assert!(known(bytes).unwrap_err().contains(told));
        }
    }

    #[test]
    fn what_is_left_out_has_the_meaning_of_the_rfc() {
        let found = known(br#"{"issuer":"https://a.example"}"#).unwrap();
        assert_eq!(found.authentication.as_deref(), Some("client_secret_basic"));
        assert_eq!((found.pkce, found.revoke), (None, None));
        let found = known(
            br#"{"issuer":"https://a.example","token_endpoint_auth_methods_supported":["tls_client_auth"],
            "require_pushed_authorization_requests":true,"revocation_endpoint":"https://a.example/revoke"}"#,
        )
        .unwrap();
        assert_eq!((found.authentication, found.notes.len()), (None, 2));
        assert_eq!(found.revoke.as_deref(), Some("https://a.example/revoke"));
    }
}
