//! What calls have to show, in the schemes that the generator knows, and the endpoints of the authorization server as operations.
//!
//! A document calls its schemes as it likes, and may have one for each grant: together they are one authorization server, whose
//! endpoints stand in its flows. What only a person knows of it, `x-oauth` of the scheme, is filled up with what the flows say.

use std::collections::{BTreeMap, BTreeSet};

use crate::authorization_server::{NO_SCOPE, Replaced, SCHEMES, other_addresses, server_of, text, with_endpoints};
use crate::bearer::{self, CREDENTIAL, CREDENTIALS, Taken, is_bearer, is_of_a_server};
use crate::dialect::{Loss, Weight};
use crate::grammar::Kind;
use crate::json::Json;
use crate::names::is_scope;
use crate::plain::OperationFault;
use crate::pointer::join;
use crate::rebuild::rebuilt;

/// A document whose security is in the schemes that the generator knows.
#[derive(Clone, Debug)]
pub struct Secured {
    /// The document.
    pub root: Json,
    /// What it says no more, or has to be told otherwise.
    pub losses: Vec<Loss>,
    /// Operations whose security is not supported, each with the reason.
    pub faults: Vec<OperationFault>,
    /// What is wrong with the authorization server: nothing can be generated without it.
    pub problems: Vec<String>,
    /// Operations in whose places endpoints of the authorization server stand now.
    pub(crate) replaced: Vec<Replaced>,
}

/// A scheme of a document.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Scheme {
    /// The access token of a grant, or one that the user has.
    Bearer,
    /// HTTP Basic with a key.
    Basic,
    /// A key that an application has once and for all: in a header, in the query, or as a bearer credential. Where it stands.
    Key(String),
    /// Shown below HTTP: a client certificate.
    Below,
    /// Anything else, in words.
    Other(String),
}

/// Where access tokens and the pair of HTTP Basic stand (RFC 9110 section 11.6.2).
const AUTHORIZATION: &str = "header `authorization`";

/// Brings the security of a document in OpenAPI 3.0 whose references are resolved into the schemes `oauth` and `accessKey`, and
/// makes operations of the endpoints that its flows name.
///
/// ```
/// use finrail_spec::json::Json;
/// use finrail_spec::security::secured;
///
/// let document = Json::parse(
///     r#"{"servers":[{"url":"https://api.bank.example","x-environment":"live"}],"security":[{"Login":["read"]}],
///     "paths":{"/a":{"get":{}}},"components":{"securitySchemes":{"Login":{"type":"oauth2","flows":{"clientCredentials":
///     {"tokenUrl":"https://login.bank.example/connect/token","scopes":{"read":"Read."}}}}}}}"#,
/// )?;
/// let root = secured(&document).root;
/// let text = |pointer| root.pointer(pointer).map(ToString::to_string).unwrap_or_default();
/// assert_eq!(text("/paths/~1a/get/security"), r#"[{"oauth":["read"]}]"#);
/// assert_eq!(text("/paths/~1connect~1token/post/operationId"), r#""create_token""#);
/// assert_eq!(text("/servers/1/url"), r#""https://login.bank.example""#);
/// # Ok::<(), finrail_spec::json::NotJson>(())
/// ```
#[must_use]
pub fn secured(root: &Json) -> Secured {
    secured_within(root, root)
}

/// The same of a part of a document: what a bearer token is, all of its calls say.
pub(crate) fn secured_within(root: &Json, whole: &Json) -> Secured {
    let listed = root.pointer(SCHEMES).map(Json::members).unwrap_or_default();
    let in_doubt = bearer::taken(listed, &[root, whole]);
    let schemes: BTreeMap<String, Scheme> = listed
        .iter()
        .map(|(name, scheme)| (name.clone(), kind_of(scheme, taken(&in_doubt, name))))
        .collect();
    let mut work = Work {
        names: names_of_keys(&schemes),
        schemes,
        used_bearers: BTreeSet::new(),
        everywhere: root.get("security").cloned(),
        used: BTreeSet::new(),
        used_keys: BTreeSet::new(),
        used_basics: BTreeSet::new(),
        losses: Vec::new(),
        faults: Vec::new(),
    };
    let mut out = rebuilt(Kind::Document, root, "", &mut |kind, object, pointer| {
        (kind == Kind::Operation).then(|| work.operation(object, pointer))
    });
    out.remove("security");
    let Work {
        schemes: kinds,
        names,
        used,
        used_bearers,
        used_keys,
        used_basics,
        mut losses,
        faults,
        ..
    } = work;
    let mut problems = unknown_credentials(listed);
    let of_use = in_doubt
        .iter()
        .filter(|(name, _)| used_keys.contains(name) || used_bearers.contains(name));
    losses.extend(of_use.map(|(name, taken)| Loss {
        pointer: join(SCHEMES, name),
        weight: Weight::Meaning,
        what: taken.told(name),
    }));
    let named: Vec<(&str, &Json)> = listed
        .iter()
        .filter(|(name, _)| kinds.get(name) == Some(&Scheme::Bearer))
        .map(|(name, scheme)| (name.as_str(), scheme))
        .collect();
    let bearers: Vec<&Json> = named.iter().map(|(_, scheme)| *scheme).collect();
    let mut schemes = Vec::new();
    let mut replaced = Vec::new();
    if !bearers.is_empty() {
        let server = server_of(&bearers, &used, &mut losses);
        other_addresses(&named, &server, &mut losses, &mut problems);
        schemes.push((
            "oauth".to_owned(),
            with_endpoints(&mut out, server, &mut losses, &mut problems, &mut replaced),
        ));
    }
    if used_basics.len() > 1 {
        let names: Vec<String> = used_basics.iter().map(|name| format!("`{name}`")).collect();
        losses.push(Loss {
            pointer: SCHEMES.to_owned(),
            weight: Weight::Meaning,
            what: format!(
                "that {} are different: a client has one name and password, so build one for each",
                names.join(" and ")
            ),
        });
    }
    if !used_basics.is_empty() {
        let basic = Json::object([("type", Json::str("http")), ("scheme", Json::str("basic"))]);
        schemes.push(("accessKey".to_owned(), basic));
    }
    for (name, to) in &names {
        if used_keys.contains(name)
            && let Some((_, scheme)) = listed.iter().find(|(known, _)| known == name)
        {
            let kept = scheme
                .members()
                .iter()
                .filter(|(keyword, _)| KEPT_OF_KEYS.contains(&keyword.as_str()));
            schemes.push((to.clone(), Json::Object(kept.cloned().collect())));
        }
    }
    if schemes.is_empty() {
        let what = "no operation is called with credentials; if the bank has OAuth that the document does not tell of, write the security \
                    scheme into the overlay";
        losses.push(Loss {
            pointer: SCHEMES.to_owned(),
            weight: Weight::Rule,
            what: what.to_owned(),
        });
    }
    out.set_pointer(SCHEMES, Json::Object(schemes));
    Secured {
        root: out,
        losses,
        faults,
        problems,
        replaced,
    }
}

/// What is kept of the scheme of a key.
const KEPT_OF_KEYS: [&str; 5] = ["type", "in", "name", "scheme", "description"];

/// Schemes of the library's own.
const TAKEN: [&str; 4] = ["oauth", "accessKey", "clientBasic", "registrationToken"];

/// What the schemes of keys are called: as the document has it, unless the library has one of that name.
fn names_of_keys(schemes: &BTreeMap<String, Scheme>) -> BTreeMap<String, String> {
    let keys = schemes.iter().filter(|(_, kind)| matches!(kind, Scheme::Key(_)));
    let named = keys.map(|(name, _)| match TAKEN.contains(&name.as_str()) {
        true => (name.clone(), format!("{name}Key")),
        false => (name.clone(), name.clone()),
    });
    named.collect()
}

/// What a person says of schemes, and means nothing.
fn unknown_credentials(listed: &[(String, Json)]) -> Vec<String> {
    let said = listed
        .iter()
        .filter_map(|(name, scheme)| Some((name, scheme, scheme.get(CREDENTIAL)?)));
    let is_known = |word: &Json| word.as_str().is_some_and(|word| CREDENTIALS.contains(&word));
    let unfit = said.filter_map(|(name, scheme, word)| {
        let what = match is_known(word) {
            true if is_bearer(scheme) => return None,
            true => "which says of a bearer token what it is, and this scheme is another".to_owned(),
            false => format!("which is none of `{}`", CREDENTIALS.join("` and `")),
        };
        Some(format!(
            "the security scheme `{name}` has `{CREDENTIAL}: {word}`, {what}"
        ))
    });
    unfit.collect()
}

fn taken(in_doubt: &[(String, Taken)], name: &str) -> Option<Taken> {
    let found = in_doubt.iter().find(|(known, _)| known == name);
    found.map(|(_, taken)| *taken)
}

/// What a scheme is; one that may be an access token or a key is taken for one of them.
fn kind_of(scheme: &Json, taken: Option<Taken>) -> Scheme {
    let place = text(scheme, "in");
    let name = text(scheme, "name");
    if is_of_a_server(scheme) || taken.is_some_and(|taken| taken != Taken::Key) {
        return Scheme::Bearer;
    }
    match (text(scheme, "type"), text(scheme, "scheme").to_lowercase().as_str()) {
        _ if is_bearer(scheme) => Scheme::Key(AUTHORIZATION.to_owned()),
        ("http", "basic") => Scheme::Basic,
        ("mutualTLS", _) => Scheme::Below,
        ("apiKey", _) if place == "header" && !name.is_empty() => {
            Scheme::Key(format!("header `{}`", name.to_lowercase()))
        }
        ("apiKey", _) if place == "query" && !name.is_empty() => Scheme::Key(format!("query parameter `{name}`")),
        ("apiKey", _) => Scheme::Other(format!(
            "a key in {} `{name}`",
            if place.is_empty() { "no place" } else { place }
        )),
        ("http", other) => Scheme::Other(format!("HTTP authentication of the scheme `{other}`")),
        (other, _) => Scheme::Other(format!("security of type `{other}`")),
    }
}

struct Work {
    schemes: BTreeMap<String, Scheme>,
    /// What the schemes of keys are called.
    names: BTreeMap<String, String>,
    /// Those that operations need.
    used_keys: BTreeSet<String>,
    everywhere: Option<Json>,
    /// Schemes of the access token that operations need.
    used_bearers: BTreeSet<String>,
    /// Scopes that operations need.
    used: BTreeSet<String>,
    /// Schemes of HTTP Basic that operations need.
    used_basics: BTreeSet<String>,
    losses: Vec<Loss>,
    faults: Vec<OperationFault>,
}

impl Work {
    fn operation(&mut self, operation: &Json, pointer: &str) -> Json {
        let mut out = operation.clone();
        let listed = operation.get("security").or(self.everywhere.as_ref()).cloned();
        let alternatives = listed.as_ref().map(Json::items).unwrap_or_default();
        let mut kept: Vec<Json> = Vec::new();
        let mut reasons: Vec<String> = Vec::new();
        for alternative in alternatives {
            match self.alternative(alternative) {
                Ok(plain) if !kept.contains(&plain) => kept.push(plain),
                Ok(_) => {}
                Err(reason) => reasons.push(reason),
            }
        }
        if kept.is_empty() && !reasons.is_empty() {
            self.faults.push(OperationFault {
                pointer: pointer.to_owned(),
                wrong: format!("it needs {}", reasons.join(" or ")),
            });
        } else if let [reason, ..] = reasons.as_slice() {
            self.losses.push(Loss {
                pointer: pointer.to_owned(),
                weight: Weight::Rule,
                what: format!("that it can be called with {reason} too"),
            });
        }
        self.without_keys_twice(&kept, &mut out);
        out.set("security", Json::Array(kept));
        out
    }

    /// A parameter that is the very key which every call shows is given by the scheme, and nowhere else.
    fn without_keys_twice(&self, kept: &[Json], operation: &mut Json) {
        let shows = |alternative: &Json, place: &str| {
            let mut keys = self.names.iter().filter(|(_, named)| alternative.get(named).is_some());
            keys.any(|(name, _)| matches!(self.schemes.get(name), Some(Scheme::Key(known)) if known == place))
        };
        let is_key = |parameter: &Json| {
            let place = match text(parameter, "in") {
                "header" => format!("header `{}`", text(parameter, "name").to_lowercase()),
                "query" => format!("query parameter `{}`", text(parameter, "name")),
                _ => return false,
            };
            !kept.is_empty() && kept.iter().all(|alternative| shows(alternative, &place))
        };
        let parameters = operation.get("parameters").map(Json::items).unwrap_or_default();
        let others: Vec<Json> = parameters.iter().filter(|one| !is_key(one)).cloned().collect();
        match others.is_empty() {
            _ if others.len() == parameters.len() => {}
            true => drop(operation.remove("parameters")),
            false => operation.set("parameters", Json::Array(others)),
        }
    }

    /// Schemes of which all are needed.
    fn alternative(&mut self, alternative: &Json) -> Result<Json, String> {
        let (mut bearer, mut basic): (Option<Vec<Json>>, Option<String>) = (None, None);
        let mut keys: Vec<String> = Vec::new();
        // Where each credential stands: one place carries one of them.
        let mut places: Vec<(&str, &str)> = Vec::new();
        for (name, scopes) in alternative.members() {
            let place = match self.schemes.get(name) {
                None => return Err(format!("`{name}`, which is no scheme of the document")),
                Some(Scheme::Other(what)) => return Err(what.clone()),
                Some(Scheme::Bearer) => {
                    self.used_bearers.insert(name.clone());
                    let is_first = bearer.is_none();
                    let all = bearer.get_or_insert_with(Vec::new);
                    for scope in scopes.items() {
                        if let Some(unfit) = scope.as_str().filter(|scope| !is_scope(scope)) {
                            return Err(format!("the scope `{unfit}`, {NO_SCOPE}"));
                        }
                        if !all.contains(scope) {
                            all.push(scope.clone());
                        }
                    }
                    is_first.then_some(AUTHORIZATION)
                }
                Some(Scheme::Basic) => {
                    basic = Some(name.clone());
                    Some(AUTHORIZATION)
                }
                Some(Scheme::Key(place)) => {
                    keys.push(name.clone());
                    Some(place.as_str())
                }
                Some(Scheme::Below) => None,
            };
            let Some(place) = place else { continue };
            if let Some((_, other)) = places.iter().find(|(known, _)| *known == place) {
                return Err(format!("`{other}` and `{name}` at once, and both stand in the {place}"));
            }
            places.push((place, name));
        }
        let mut plain = match (bearer, basic) {
            (Some(scopes), _) => {
                self.used
                    .extend(scopes.iter().filter_map(Json::as_str).map(str::to_owned));
                Json::object([("oauth", Json::Array(scopes))])
            }
            (None, Some(name)) => {
                self.used_basics.insert(name);
                Json::object([("accessKey", Json::Array(Vec::new()))])
            }
            (None, None) => Json::Object(Vec::new()),
        };
        for key in keys {
            let name = self.names.get(&key).cloned().unwrap_or_else(|| key.clone());
            plain.set(&name, Json::Array(Vec::new()));
            self.used_keys.insert(key);
        }
        Ok(plain)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A document with one operation at `/a`, whose security is given, beside these schemes.
    fn of(security: &str, schemes: &str) -> Secured {
        let document = Json::parse(&format!(
            r#"{{"servers":[{{"url":"https://api.sandbox.bank.example","x-environment":"sandbox"}},
            {{"url":"https://api.bank.example/v1","x-environment":"production"}}],
            "paths":{{"/a":{{"get":{{"security":{security}}}}}}},"components":{{"securitySchemes":{{{schemes}}}}}}}"#
        ))
        .unwrap();
        secured(&document)
    }

    fn at(secured: &Secured, pointer: &str) -> String {
        secured
            .root
            .pointer(pointer)
            .map(ToString::to_string)
            .unwrap_or_default()
    }

    const LOGIN: &str = r#""Login":{"type":"oauth2","flows":{"authorizationCode":{"authorizationUrl":"https://login.bank.example/authorize",
        "tokenUrl":"https://login.bank.example/token","scopes":{"read":"Read."}}}}"#;
    const SERVICE: &str = r#""Service":{"type":"oauth2","flows":{"clientCredentials":{"tokenUrl":"https://login.bank.example/token",
        "scopes":{"admin":"All."}}}}"#;
    const KEYS: &str = r#""Basic":{"type":"http","scheme":"basic"},"Key":{"type":"apiKey","in":"header","name":"X-Api-Key"},
        "Query":{"type":"apiKey","in":"query","name":"key"},"Cookie":{"type":"apiKey","in":"cookie","name":"sid"},"Digest":{"type":"http","scheme":"digest"},"Certificate":{"type":"mutualTLS"},
        "Token":{"type":"http","scheme":"bearer"},"Header":{"type":"apiKey","in":"header","name":"Authorization"}"#;

    #[test]
    fn the_revocation_endpoint_is_an_operation_too() {
        let with = |url: &str| {
            let scheme = LOGIN.replacen("\"type\":", &format!("\"x-revocation-url\":\"{url}\",\"type\":"), 1);
            of(r#"[{"Login":["read"]}]"#, &scheme)
        };
        let secured = with("https://login.bank.example/revoke");
        assert_eq!(secured.problems, Vec::<String>::new());
        assert_eq!(at(&secured, "/paths/~1revoke/post/operationId"), r#""revoke_token""#);
        let oauth = "/components/securitySchemes/oauth";
        assert_eq!(
            at(&secured, &format!("{oauth}/x-oauth/operations/revoke")),
            r#""revoke_token""#
        );
        assert_eq!(at(&secured, &format!("{oauth}/x-oauth/revocation/success")), "[200]");
        assert_eq!(at(&secured, &format!("{oauth}/x-revocation-url")), "");
        let other = with("https://other.bank.example/revoke");
        assert!(other.problems[0].contains("another host"), "{:?}", other.problems);
    }

    #[test]
    fn what_an_operation_has_to_be_shown_is_in_the_generators_schemes() {
        let schemes = format!("{LOGIN},{SERVICE},{KEYS}");
        for (security, plain, lost, wrong) in [
            ("[]", "[]", "", ""),
            ("[{}]", "[{}]", "", ""),
            (r#"[{"Login":["read"]}]"#, r#"[{"oauth":["read"]}]"#, "", ""),
            (
                r#"[{"Login":["read"],"Service":["admin"]}]"#,
                r#"[{"oauth":["read","admin"]}]"#,
                "",
                "",
            ),
            // No call takes OAuth otherwise.
            (r#"[{"Token":[]},{"Header":[]}]"#, r#"[{"oauth":[]}]"#, "", ""),
            (r#"[{"Token":[],"Key":[]}]"#, r#"[{"oauth":[],"Key":[]}]"#, "", ""),
            // It cannot be another one.
            (
                r#"[{"Token":[],"Login":["read"]},{"Token":[]}]"#,
                r#"[{"oauth":["read"]},{"oauth":[]}]"#,
                "",
                "",
            ),
            (
                r#"[{"Token":[]},{"Login":[]},{"Header":[],"Key":[]}]"#,
                r#"[{"Token":[]},{"oauth":[]},{"Header":[],"Key":[]}]"#,
                "",
                "",
            ),
            (
                r#"[{"Basic":[],"Key":[]},{"Query":[]},{"Login":[]}]"#,
                r#"[{"accessKey":[],"Key":[]},{"Query":[]},{"oauth":[]}]"#,
                "",
                "",
            ),
            (
                r#"[{"Login":[]},{"Token":[],"Basic":[]}]"#,
                r#"[{"oauth":[]}]"#,
                "that it can be called with `Token` and `Basic` at once, and both stand in the header `authorization` too",
                "",
            ),
            (
                r#"[{"Basic":[]},{"Login":[]}]"#,
                r#"[{"accessKey":[]},{"oauth":[]}]"#,
                "",
                "",
            ),
            (
                r#"[{"Login":["read"],"Key":[],"Certificate":[]}]"#,
                r#"[{"oauth":["read"],"Key":[]}]"#,
                "",
                "",
            ),
            (r#"[{"Key":[]}]"#, r#"[{"Key":[]}]"#, "", ""),
            (
                r#"[{"Login":["read"]},{"Query":[],"Key":[]}]"#,
                r#"[{"oauth":["read"]},{"Query":[],"Key":[]}]"#,
                "",
                "",
            ),
            (
                r#"[{"Login":["read"]},{"Cookie":[]}]"#,
                r#"[{"oauth":["read"]}]"#,
                "that it can be called with a key in cookie `sid` too",
                "",
            ),
            (r#"[{"Cookie":[]}]"#, "[]", "", "it needs a key in cookie `sid`"),
            (
                r#"[{"Digest":[]}]"#,
                "[]",
                "",
                "it needs HTTP authentication of the scheme `digest`",
            ),
            (
                r#"[{"Lost":[]}]"#,
                "[]",
                "",
                "it needs `Lost`, which is no scheme of the document",
            ),
            (
                r#"[{"Basic":[],"Login":[]}]"#,
                "[]",
                "",
                "it needs `Basic` and `Login` at once, and both stand in the header `authorization`",
            ),
        ] {
            let secured = of(security, &schemes);
            assert_eq!(at(&secured, "/paths/~1a/get/security"), plain, "{security}");
            let of_operation = secured.losses.iter().filter(|loss| loss.pointer.starts_with("/paths"));
            let losses: Vec<&str> = of_operation.map(|loss| loss.what.as_str()).collect();
            assert_eq!(losses.join("; "), lost, "{security}");
            let faults: Vec<&str> = secured.faults.iter().map(|fault| fault.wrong.as_str()).collect();
            assert_eq!(faults.join("; "), wrong, "{security}");
        }
    }

    #[test]
    fn a_key_that_every_call_shows_is_no_parameter_too() {
        let parameter = |place: &str, name: &str| format!(r#"{{"name":"{name}","in":"{place}","required":true}}"#);
        let key = parameter("header", "x-api-key");
        for (security, parameters, kept) in [
            (r#"[{"Key":[]}]"#, key.clone(), String::new()),
            (
                r#"[{"Key":[],"Login":["read"]},{"Key":[]}]"#,
                key.clone(),
                String::new(),
            ),
            // There it is the only way to give it.
            (r#"[{"Key":[]},{"Login":["read"]}]"#, key.clone(), key.clone()),
            (r#"[{"Query":[]}]"#, key.clone(), key.clone()),
            ("[]", key.clone(), key.clone()),
            (r#"[{"Query":[]}]"#, parameter("query", "key"), String::new()),
            (
                r#"[{"Query":[]}]"#,
                parameter("query", "Key"),
                parameter("query", "Key"),
            ),
            (
                r#"[{"Key":[]}]"#,
                format!("{key},{}", parameter("query", "n")),
                parameter("query", "n"),
            ),
        ] {
            let document = Json::parse(&format!(
                r#"{{"servers":[],"paths":{{"/a":{{"get":{{"parameters":[{parameters}],"security":{security}}}}}}},
                "components":{{"securitySchemes":{{{LOGIN},{KEYS}}}}}}}"#
            ))
            .unwrap();
            let secured = secured(&document);
            let wanted = match kept.as_str() {
                "" => String::new(),
                kept => format!("[{kept}]"),
            };
            assert_eq!(
                at(&secured, "/paths/~1a/get/parameters"),
                wanted,
                "{security} {parameters}"
            );
            assert!(!secured.losses.iter().any(|loss| loss.pointer.starts_with("/paths/~1a")));
        }
    }

    #[test]
    fn what_a_bearer_token_is_taken_for_is_told_and_a_person_may_say_otherwise() {
        let staff = |word: &str| format!(r#"{LOGIN},"Staff":{{"type":"http","scheme":"bearer"{word}}}"#);
        for (security, word, plain, told) in [
            (
                r#"[{"Login":[]},{"Staff":[]}]"#,
                "",
                r#"[{"oauth":[]},{"Staff":[]}]"#,
                "is taken for a key that the bank hands out",
            ),
            (
                r#"[{"Staff":[]}]"#,
                "",
                r#"[{"oauth":[]}]"#,
                "is taken for the access token",
            ),
            (
                r#"[{"Staff":[],"Login":[]}]"#,
                "",
                r#"[{"oauth":[]}]"#,
                "is taken for the access token",
            ),
            (r#"[{"Login":[]}]"#, "", r#"[{"oauth":[]}]"#, ""),
            (
                r#"[{"Login":[]},{"Staff":[]}]"#,
                "access_token",
                r#"[{"oauth":[]}]"#,
                "",
            ),
            (r#"[{"Staff":[]}]"#, "key", r#"[{"Staff":[]}]"#, ""),
        ] {
            let word = match word {
                "" => String::new(),
                word => format!(r#","x-credential":"{word}""#),
            };
            let secured = of(security, &staff(&word));
            assert_eq!(at(&secured, "/paths/~1a/get/security"), plain, "{security} {word}");
            let of_scheme = secured
                .losses
                .iter()
                .filter(|loss| loss.pointer == "/components/securitySchemes/Staff");
            let losses: Vec<&str> = of_scheme.map(|loss| loss.what.as_str()).collect();
            assert_eq!(losses.len(), usize::from(!told.is_empty()), "{losses:?}");
            assert!(losses.iter().all(|what| what.contains(told)), "{losses:?}");
            assert_eq!(secured.problems, <[String; 0]>::default());
        }
        for (schemes, problem) in [
            (
                staff(r#","x-credential":"token""#),
                "which is none of `key` and `access_token`",
            ),
            (
                LOGIN.replacen('{', r#"{"x-credential":"key","#, 1),
                "and this scheme is another",
            ),
        ] {
            let secured = of("[]", &schemes);
            assert!(secured.problems[0].ends_with(problem), "{:?}", secured.problems);
        }
    }

    #[test]
    fn a_scope_that_no_request_can_carry_is_left_out_with_what_needs_it() {
        let scheme = r#""Login":{"type":"oauth2","flows":{"clientCredentials":{"tokenUrl":"https://login.bank.example/token",
            "scopes":{"read":"","read all":"","*":"","https://bank.example/auth":""}}}}"#;
        for (security, plain, fault) in [
            (r#"[{"Login":["read","*"]}]"#, r#"[{"oauth":["read","*"]}]"#, ""),
            (
                r#"[{"Login":["read"]},{"Login":["read all"]}]"#,
                r#"[{"oauth":["read"]}]"#,
                "",
            ),
            (
                r#"[{"Login":["read all"]}]"#,
                "[]",
                "it needs the scope `read all`, which no request can carry",
            ),
        ] {
            let secured = of(security, scheme);
            assert_eq!(at(&secured, "/paths/~1a/get/security"), plain, "{security}");
            let wrong = secured.faults.first().map_or("", |fault| fault.wrong.as_str());
            assert!(
                wrong.starts_with(fault) && wrong.is_empty() == fault.is_empty(),
                "{wrong}"
            );
            if !fault.is_empty() {
                continue;
            }
            let scopes = at(
                &secured,
                "/components/securitySchemes/oauth/flows/clientCredentials/scopes",
            );
            assert_eq!(scopes, r#"{"read":"","*":"","https://bank.example/auth":""}"#);
            let told = secured.losses.iter().any(|loss| {
                loss.what
                    .starts_with("the scope `read all` of flow `clientCredentials`")
            });
            assert!(told, "{:?}", secured.losses);
        }
    }

    #[test]
    fn several_pairs_of_http_basic_are_told() {
        let pairs = r#""Clerk":{"type":"http","scheme":"basic"},"Branch":{"type":"http","scheme":"Basic"}"#;
        for (security, told) in [
            (r#"[{"Clerk":[]}]"#, None),
            (
                r#"[{"Clerk":[]},{"Branch":[]}]"#,
                Some(
                    "that `Branch` and `Clerk` are different: a client has one name and password, so build one for each",
                ),
            ),
        ] {
            let secured = of(security, pairs);
            assert_eq!(at(&secured, "/paths/~1a/get/security"), r#"[{"accessKey":[]}]"#);
            assert_eq!(secured.losses.first().map(|loss| loss.what.as_str()), told);
        }
        let secured = of(r#"[{"Clerk":[],"Branch":[]}]"#, pairs);
        assert!(
            secured.faults[0].wrong.contains("`Clerk` and `Branch` at once"),
            "{:?}",
            secured.faults
        );
    }

    #[test]
    fn schemes_of_one_server_are_one_and_its_endpoints_are_operations() {
        let secured = of(r#"[{"Login":["read","more"]}]"#, &format!("{LOGIN},{SERVICE}"));
        assert_eq!(secured.problems, <[String; 0]>::default());
        assert_eq!(
            at(
                &secured,
                "/components/securitySchemes/oauth/flows/authorizationCode/scopes"
            ),
            r#"{"read":"Read.","more":""}"#
        );
        assert_eq!(
            at(&secured, "/components/securitySchemes/oauth/x-oauth"),
            r#"{"grants":["client_credentials","authorization_code","refresh_token"],"operations":{"authorize":"authorize","token":"create_token"},"client_authentication":{"default":"client_secret_basic"},"scope_sent_on":["authorize","client_credentials","password"]}"#
        );
        assert_eq!(at(&secured, "/paths/~1authorize/get/x-browser"), "true");
        assert_eq!(at(&secured, "/paths/~1token/post/x-client"), r#""oauth""#);
        let urls: Vec<String> = (2..4).map(|n| at(&secured, &format!("/servers/{n}/url"))).collect();
        assert_eq!(
            urls,
            [r#""https://login.bank.example""#, r#""https://login.bank.example""#]
        );
        // That is what the document says of neither environment.
        assert!(
            secured
                .losses
                .iter()
                .any(|loss| loss.what.starts_with("which authorization server each of"))
        );
    }

    #[test]
    fn each_environment_has_its_own_authorization_server_where_that_is_beside_the_resources() {
        let beside = SERVICE.replace("login.bank.example", "api.bank.example");
        let secured = of(r#"[{"Service":[]}]"#, &beside);
        let urls: Vec<String> = (2..4).map(|n| at(&secured, &format!("/servers/{n}/url"))).collect();
        assert_eq!(
            urls,
            [r#""https://api.sandbox.bank.example""#, r#""https://api.bank.example""#]
        );
        assert_eq!(secured.losses, []);
    }

    #[test]
    fn browsers_may_be_sent_to_another_host_than_the_one_that_gives_tokens() {
        let two = LOGIN.replace(
            "https://login.bank.example/token",
            "https://identity.bank.example/connect/token",
        );
        let secured = of(r#"[{"Login":[]}]"#, &two);
        assert_eq!(at(&secured, "/servers/2/url"), r#""https://identity.bank.example""#);
        assert_eq!(at(&secured, "/servers/3/url"), r#""https://login.bank.example""#);
        assert_eq!(at(&secured, "/servers/3/x-authorize"), "true");
    }

    #[test]
    fn what_a_person_knows_of_the_server_is_kept_and_what_is_missing_is_told() {
        let known = LOGIN.replacen(
            '{',
            r#"{"x-oauth":{"pkce":"required","client_authentication":{"default":"none"}},"#,
            1,
        );
        let secured = of(r#"[{"Login":[]}]"#, &known);
        let oauth = at(&secured, "/components/securitySchemes/oauth/x-oauth");
        assert!(
            oauth.starts_with(r#"{"pkce":"required","client_authentication":{"default":"none"},"grants":"#),
            "{oauth}"
        );
        for (scheme, problem) in [
            (
                r#""Token":{"type":"http","scheme":"bearer","x-oauth":{"grants":["client_credentials"]}}"#,
                "no flow says how tokens are got",
            ),
            (
                &SERVICE.replace("https://login.bank.example/token", "https://{host}/token"),
                "is no whole https address",
            ),
            (&SERVICE.replace("https://", "http://"), "is no whole https address"),
            (
                &SERVICE.replace("/token", "/token?p=one"),
                "write it without the query into the overlay, and give the application the whole with `token_endpoint`",
            ),
        ] {
            let name = scheme.split('"').nth(1).unwrap();
            let secured = of(&format!(r#"[{{"{name}":[]}}]"#), scheme);
            assert!(
                secured.problems.iter().any(|told| told.contains(problem)),
                "{:?}",
                secured.problems
            );
        }
    }

    #[test]
    fn a_bank_of_keys_alone_has_no_server_and_its_tokens_are_keys() {
        let secured = of(
            r#"[{"Key":[],"Query":[]},{"Token":[]},{"Header":[]},{"oauth":[]}]"#,
            &format!(r#"{KEYS},"oauth":{{"type":"apiKey","in":"header","name":"X-Other"}}"#),
        );
        assert_eq!(secured.problems, Vec::<String>::new());
        assert_eq!(
            at(&secured, "/paths/~1a/get/security"),
            r#"[{"Key":[],"Query":[]},{"Token":[]},{"Header":[]},{"oauthKey":[]}]"#
        );
        let schemes = "/components/securitySchemes";
        for (scheme, kept) in [
            ("Query", r#"{"type":"apiKey","in":"query","name":"key"}"#),
            ("Token", r#"{"type":"http","scheme":"bearer"}"#),
            ("Header", r#"{"type":"apiKey","in":"header","name":"Authorization"}"#),
            ("oauthKey", r#"{"type":"apiKey","in":"header","name":"X-Other"}"#),
            ("Cookie", ""),
            ("oauth", ""),
        ] {
            assert_eq!(at(&secured, &format!("{schemes}/{scheme}")), kept, "{scheme}");
        }
    }

    #[test]
    fn every_address_that_secrets_are_not_sent_to_is_told_with_the_one_that_they_are() {
        let used = "https://login.bank.example/token";
        let at_other = |scheme: &str| scheme.replace(used, "https://other.bank.example/token");
        let second = at_other(LOGIN).replacen("Login", "Second", 1);
        let refreshed = LOGIN.replace(
            "\"tokenUrl\"",
            "\"refreshUrl\":\"https://other.bank.example/token\",\"tokenUrl\"",
        );
        let staff = |host: &str| {
            format!(r#""Staff":{{"type":"openIdConnect","openIdConnectUrl":"https://{host}.bank.example/token"}}"#)
        };
        let implicit =
            r#""Login":{"type":"oauth2","flows":{"implicit":{"authorizationUrl":"https://other.bank.example/token"}}}"#;
        let password = at_other(SERVICE).replace("clientCredentials", "password");
        for (schemes, is_refused) in [
            (format!("{LOGIN},{}", at_other(SERVICE)), true),
            (format!("{LOGIN},{second}"), false),
            (format!("{LOGIN},{password}"), false),
            (refreshed, false),
            (format!("{LOGIN},{}", staff("other")), false),
            (format!("{implicit},{SERVICE}"), false),
        ] {
            let secured = of(r#"[{"Login":[]},{"Service":[]},{"Second":[]},{"Staff":[]}]"#, &schemes);
            let names_both = |text: &str| {
                text.contains(used) && text.contains("https://other.bank.example/token") && text.contains("overlay")
            };
            let losses = secured.losses.iter();
            let told = losses.filter(|loss| loss.weight == Weight::Meaning && names_both(&loss.what));
            let refused = secured.problems.iter().filter(|problem| names_both(problem));
            let found = (told.count(), refused.count());
            assert_eq!(found, (usize::from(!is_refused), usize::from(is_refused)), "{schemes}");
        }
        let secured = of(r#"[{"Login":[]}]"#, &format!("{LOGIN},{}", staff("login")));
        assert!(
            secured
                .losses
                .iter()
                .any(|loss| loss.weight == Weight::Rule && loss.what.contains("`Staff`"))
        );
    }

    #[test]
    fn an_operation_of_another_host_with_the_path_of_an_endpoint_is_left_out_with_its_reason() {
        for (server, left_out) in [
            ("https://api.bank.example/v1", true),
            ("https://login.bank.example/v1", true),
            ("https://login.bank.example/", false),
        ] {
            let document = Json::parse(&format!(
                r#"{{"openapi":"3.0.3","info":{{"title":"Bank","version":"1"}},"servers":[{{"url":"{server}"}}],"security":[{{"Service":[]}}],
                "paths":{{"/token":{{"post":{{"operationId":"tokenizeCard","responses":{{"200":{{"description":""}}}}}}}},
                "/a":{{"get":{{"responses":{{"200":{{"description":""}}}}}}}}}},"components":{{"securitySchemes":{{{SERVICE}}}}}}}"#
            ))
            .unwrap();
            let normal = crate::normal::normalised(&document, &crate::normal::Only::default()).unwrap();
            let operation = normal.root.pointer("/paths/~1token/post/operationId").cloned();
            assert_eq!(
                operation.as_ref().and_then(Json::as_str),
                Some("create_token"),
                "{server}"
            );
            let names: Vec<String> = normal.left_out.iter().map(|one| one.operation()).collect();
            assert_eq!(!names.is_empty(), left_out, "{server} {names:?}");
            if let Some(one) = normal.left_out.first() {
                assert_eq!(one.operation(), "POST /token");
                let reason = &one.reasons[0];
                assert!(reason.contains(&format!("`{server}/token`")), "{reason}");
                assert!(reason.contains("`https://login.bank.example/token`"), "{reason}");
            }
        }
    }

    #[test]
    fn another_operation_under_the_path_of_an_endpoint_stays() {
        for server in ["https://api.bank.example/v1", "https://login.bank.example"] {
            let document = Json::parse(&format!(
                r#"{{"openapi":"3.0.3","info":{{"title":"Bank","version":"1"}},"servers":[{{"url":"{server}"}}],"security":[{{"Service":[]}}],
                "paths":{{"/token":{{"get":{{"operationId":"readToken","responses":{{"200":{{"description":""}}}}}}}}}},
                "components":{{"securitySchemes":{{{SERVICE}}}}}}}"#
            ))
            .unwrap();
            let normal = crate::normal::normalised(&document, &crate::normal::Only::default()).unwrap();
            let name = |method: &str| {
                let operation = normal.root.at(&["paths", "/token", method, "operationId"]);
                operation.and_then(Json::as_str).unwrap_or_default()
            };
            assert_eq!((name("get"), name("post")), ("read_token", "create_token"), "{server}");
            assert_eq!(normal.left_out.len(), 0, "{server}");
        }
    }

    #[test]
    fn an_operation_that_is_the_token_endpoint_is_told() {
        let document = Json::parse(&format!(
            r#"{{"servers":[],"paths":{{"/token":{{"post":{{"operationId":"issueToken"}}}}}},"components":{{"securitySchemes":{{{SERVICE}}}}}}}"#
        ))
        .unwrap();
        let secured = secured(&document);
        assert_eq!(at(&secured, "/paths/~1token/post/operationId"), r#""create_token""#);
        assert!(
            secured
                .losses
                .iter()
                .any(|loss| loss.what.contains("`issueToken`: it is the token endpoint"))
        );
    }
}
