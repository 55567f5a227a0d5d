//! What a scheme with a bearer token is where a document has OAuth too: the access token of a grant, or a key that the bank hands
//! out. Both are usual, and where calls need it says which; a person may say otherwise (`x-credential` of the scheme).

use crate::json::Json;
use crate::naming::operations_of;

/// What a person says of a scheme.
pub(crate) const CREDENTIAL: &str = "x-credential";
/// What `x-credential` may be.
pub const CREDENTIALS: [&str; 2] = ["key", "access_token"];

/// What a scheme is taken for, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// A key: calls take OAuth, and this one is something else.
    Key,
    /// The access token: no call would take one otherwise.
    OnlyToken,
    /// The access token: calls need it together with OAuth, and a request has one such header.
    SameHeader,
}

impl Taken {
    /// The word of `x-credential` that says the same.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Key => "key",
            Self::OnlyToken | Self::SameHeader => "access_token",
        }
    }

    /// What is told of the scheme of this name.
    #[must_use]
    pub fn told(self, name: &str) -> String {
        let (other, why, way) = match self {
            Self::Key => (
                "access_token",
                "other calls take OAuth, so it is taken for a key that the bank hands out",
                format!(", which the client is given with `key(\"{name}\", ..)`"),
            ),
            Self::OnlyToken => (
                "key",
                "no call takes OAuth otherwise, so it is taken for the access token",
                String::new(),
            ),
            Self::SameHeader => (
                "key",
                "calls take it together with OAuth, in one header, so it is taken for the access token",
                String::new(),
            ),
        };
        format!(
            "whether `{name}` is the access token of OAuth or a key of its own: {why}{way}; if that is wrong, write `{CREDENTIAL}: {other}` \
             of this scheme into the overlay"
        )
    }
}

/// The schemes of a document in any dialect that may be the access token or a key, each with its place and with what it is taken
/// for; none where a person says what it is, or where the document has no OAuth.
#[must_use]
pub fn in_doubt(root: &Json) -> Vec<(Vec<String>, Taken)> {
    let mut found = Vec::new();
    for section in [&["components", "securitySchemes"][..], &["securityDefinitions"]] {
        let listed = root.at(section).map(Json::members).unwrap_or_default();
        for (name, taken) in taken(listed, &[root]) {
            let place = section.iter().map(|key| (*key).to_owned()).chain([name]);
            found.push((place.collect(), taken));
        }
    }
    found
}

/// The same of schemes that the calls of some documents need.
pub(crate) fn taken(listed: &[(String, Json)], documents: &[&Json]) -> Vec<(String, Taken)> {
    let servers: Vec<&str> = named(listed, is_of_a_server);
    if servers.is_empty() {
        return Vec::new();
    }
    let alternatives: Vec<Vec<&str>> = documents.iter().flat_map(|document| alternatives(document)).collect();
    let has_server = |names: &[&str]| names.iter().any(|name| servers.contains(name));
    let is_open = |scheme: &Json| scheme.get(CREDENTIAL).is_none() && !is_of_a_server(scheme) && is_bearer(scheme);
    let taken = named(listed, is_open).into_iter().map(|name| {
        let with_server = |names: &&Vec<&str>| names.contains(&name) && has_server(names);
        let taken = match alternatives.iter().find(with_server) {
            Some(_) => Taken::SameHeader,
            None if alternatives.iter().any(|names| has_server(names)) => Taken::Key,
            None => Taken::OnlyToken,
        };
        (name.to_owned(), taken)
    });
    taken.collect()
}

fn named(listed: &[(String, Json)], fits: impl Fn(&Json) -> bool) -> Vec<&str> {
    let all = listed.iter().filter(|(_, scheme)| fits(scheme));
    all.map(|(name, _)| name.as_str()).collect()
}

/// The names of schemes that calls need together, of every alternative of every call.
fn alternatives(root: &Json) -> Vec<Vec<&str>> {
    let everywhere = root.get("security");
    let operations = operations_of(root).into_iter();
    let listed = operations.filter_map(|(_, operation)| operation.get("security").or(everywhere));
    let each = listed.flat_map(Json::items).map(Json::members);
    each.map(|all| all.iter().map(|(name, _)| name.as_str()).collect())
        .collect()
}

/// Whether a scheme is of an authorization server, or a person says that it is.
pub(crate) fn is_of_a_server(scheme: &Json) -> bool {
    matches!(text(scheme, "type"), "oauth2" | "openIdConnect")
        // What an overlay assumes of a bearer token says of no server yet.
        || scheme.at(&["x-oauth", "grants"]).is_some()
        || scheme.get("flows").is_some()
        || text(scheme, CREDENTIAL) == "access_token"
}

/// Whether a scheme may be an access token. Some documents have no other word for one than a key in `Authorization`.
pub(crate) fn is_bearer(scheme: &Json) -> bool {
    match text(scheme, "type") {
        "http" => text(scheme, "scheme").eq_ignore_ascii_case("bearer"),
        "apiKey" => text(scheme, "in") == "header" && text(scheme, "name").eq_ignore_ascii_case("authorization"),
        _ => false,
    }
}

fn text<'j>(json: &'j Json, name: &str) -> &'j str {
    json.get(name).and_then(Json::as_str).unwrap_or_default()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const OAUTH: &str = r#""Login":{"type":"oauth2","flows":{}}"#;
    const STAFF: &str = r#""Staff":{"type":"http","scheme":"Bearer"}"#;

    fn found(schemes: &str, securities: &[&str], everywhere: &str) -> Vec<(String, Taken)> {
        let paths: Vec<String> = securities
            .iter()
            .enumerate()
            .map(|(n, security)| format!(r#""/{n}":{{"get":{{"security":{security}}},"post":{{}}}}"#))
            .collect();
        let document = Json::parse(&format!(
            r#"{{"security":{everywhere},"paths":{{{}}},"components":{{"securitySchemes":{{{schemes}}}}}}}"#,
            paths.join(",")
        ));
        let found = in_doubt(&document.unwrap()).into_iter();
        found.map(|(mut place, taken)| (place.pop().unwrap(), taken)).collect()
    }

    #[test]
    fn what_calls_need_says_what_a_bearer_token_is() {
        let both = format!("{OAUTH},{STAFF}");
        let header = format!(r#"{OAUTH},"Staff":{{"type":"apiKey","in":"header","name":"authorization"}}"#);
        let said = |word: &str| both.replace("\"Bearer\"", &format!("\"bearer\",\"x-credential\":\"{word}\""));
        for (schemes, securities, everywhere, taken) in [
            (
                &both,
                &[r#"[{"Staff":[]}]"#, r#"[{"Login":["read"]}]"#][..],
                "[]",
                Some(Taken::Key),
            ),
            (
                &header,
                &[r#"[{"Login":["read"]},{"Staff":[]}]"#],
                "[]",
                Some(Taken::Key),
            ),
            (&both, &[r#"[{"Staff":[]}]"#], r#"[{"Login":[]}]"#, Some(Taken::Key)),
            (&both, &[r#"[{"Staff":[]}]"#], "[]", Some(Taken::OnlyToken)),
            (&header, &[], r#"[{"Staff":[]}]"#, Some(Taken::OnlyToken)),
            (
                &both,
                &[r#"[{"Staff":[]}]"#, r#"[{"Staff":[],"Login":[]}]"#],
                "[]",
                Some(Taken::SameHeader),
            ),
            (&STAFF.to_owned(), &[r#"[{"Staff":[]}]"#], "[]", None),
            (&said("key"), &[r#"[{"Staff":[]}]"#], "[]", None),
            (
                &said("access_token"),
                &[r#"[{"Staff":[]}]"#, r#"[{"Login":[]}]"#],
                "[]",
                None,
            ),
        ] {
            let expected: Vec<(String, Taken)> = taken.map(|taken| ("Staff".to_owned(), taken)).into_iter().collect();
            assert_eq!(
                found(schemes, securities, everywhere),
                expected,
                "{securities:?} {everywhere}"
            );
        }
    }

    #[test]
    fn what_is_told_names_the_other_word() {
        for (taken, other) in [
            (Taken::Key, "`x-credential: access_token`"),
            (Taken::OnlyToken, "`x-credential: key`"),
            (Taken::SameHeader, "`x-credential: key`"),
        ] {
            let told = taken.told("Staff");
            assert!(told.contains(other) && !other.contains(taken.word()), "{told}");
        }
    }
}
