//! The endpoints of the authorization server that a document names by their addresses, in the flows of its security schemes.

use serde_json::Value;

use crate::drift::address::Address;

/// The keys of a flow that hold addresses (OpenAPI 3.0.3, OAuth Flow Object).
pub(super) const ADDRESSES: [&str; 3] = ["tokenUrl", "authorizationUrl", "refreshUrl"];

/// The security schemes of a document.
pub(super) fn schemes(root: &Value) -> Vec<&Value> {
    let schemes = root.pointer("/components/securitySchemes").and_then(Value::as_object);
    schemes.into_iter().flatten().map(|(_, scheme)| scheme).collect()
}

/// All addresses that the flows of a document name, and where its schemes say that tokens are revoked.
pub(super) fn named_by_flows(root: &Value) -> Vec<String> {
    let mut named = Vec::new();
    for scheme in schemes(root) {
        let flows = scheme.get("flows").and_then(Value::as_object).into_iter().flatten();
        for (_, flow) in flows {
            named.extend(ADDRESSES.iter().filter_map(|key| flow.get(key)?.as_str()));
        }
        named.extend(scheme.get("x-revocation-url").and_then(Value::as_str));
    }
    named.sort_unstable();
    named.dedup();
    named.into_iter().map(str::to_owned).collect()
}

/// Whether two addresses are one, as far as both are said: one may be relative, and every institution may have its own host.
pub(super) fn same_address(ours: &Address, theirs: &Address) -> bool {
    let is_any = |host: &Option<String>| host.as_ref().is_none_or(|host| host.contains('{'));
    let path = |address: &Address| address.path.trim_end_matches('/').to_owned();
    let (here, there) = (path(ours), path(theirs));
    if is_any(&ours.host) && ours.host.is_some() || is_any(&theirs.host) {
        let ends_with =
            |whole: &str, end: &str| whole == end || whole.ends_with(&format!("/{}", end.trim_start_matches('/')));
        return ends_with(&here, &there) || ends_with(&there, &here);
    }
    ours.host == theirs.host && here == there
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_the_same_as_far_as_it_is_said() {
        for (ours, theirs, same) in [
            ("https://a.example/token", "https://A.example:443/token/", true),
            ("https://a.example/token", "https://b.example/token", false),
            ("https://a.example/v1/token", "https://a.example/v2/token", false),
            ("https://a.example/v1/token", "/v1/token", true),
            ("https://a.example/v1/token", "token", true),
            ("https://a.example/v1/token", "/v2/token", false),
            ("https://{host}/oauth/token", "https://bank.example/oauth/token", true),
            ("https://{host}/oauth/token", "https://bank.example/oauth2/token", false),
        ] {
            assert_eq!(
                same_address(&Address::read(ours), &Address::read(theirs)),
                same,
                "{ours} {theirs}"
            );
        }
    }
}
