//! The overlay of a new import: what only a person knows, with what is assumed until they say it, and what is proposed.

use std::borrow::Borrow;
use std::fmt::Write as _;

use finrail_spec::bearer::{Taken, in_doubt};
use finrail_spec::json::Json;

use super::metadata::Known;
use super::proposals::{Proposal, step};

/// The choice of operations, in the overlay: `x-only`.
const ONLY: &str = "x-only";

/// The operations that an overlay chooses.
pub(super) fn only(overlay: &Json) -> Vec<String> {
    let listed = overlay.get(ONLY).map(Json::items).unwrap_or_default();
    listed.iter().filter_map(Json::as_str).map(str::to_owned).collect()
}

/// More proposals of one import are counted and not written.
const MOST: usize = 200;

pub(super) fn text(
    root: &Json,
    id: &str,
    name: &str,
    only: &[String],
    known: &Known,
    proposals: &[Proposal],
) -> String {
    let quoted = |text: &str| Json::str(text).to_string();
    let mut out = String::new();
    let _ = writeln!(
        out,
        "# What the document does not say, and only a person knows. The document itself is never edited."
    );
    let _ = writeln!(out, "overlay: 1.1.0");
    let _ = writeln!(
        out,
        "info:\n  title: {}\n  version: 1.0.0",
        quoted(&format!("What the document of {name} does not say"))
    );
    if !only.is_empty() {
        let only: Vec<String> = only.iter().map(|selector| quoted(selector)).collect();
        let _ = writeln!(
            out,
            "# Which operations: `tag:..`, `path:..`, or an operationId. Without it, all.\n{ONLY}: [{}]",
            only.join(", ")
        );
    }
    let _ = writeln!(out, "actions:");
    let _ = writeln!(out, "  - target: $\n    update:\n      x-provider:");
    let _ = writeln!(out, "        id: {id}\n        name: {}", quoted(name));
    let _ = writeln!(
        out,
        "        # Environment variables with credentials begin so.\n        env_prefix: {}",
        id.to_uppercase()
    );
    if let Some((path, scheme)) = oauth(root) {
        let _ = writeln!(out, "  - target: {path}\n    update:");
        if scheme.get("flows").is_none() && scheme.get("flow").is_none() {
            let address = |known: &Option<String>| quoted(known.as_deref().unwrap_or_default());
            let said = match known.token {
                Some(_) => "# As the server's metadata has them.",
                None => "# The document does not say where tokens are got: put the addresses in.",
            };
            let _ = writeln!(out, "      {said}\n      type: oauth2\n      flows:");
            // A server without a page for users gives tokens to applications alone.
            let _ = match (&known.token, &known.authorize) {
                (Some(_), None) => writeln!(out, "        clientCredentials:"),
                _ => writeln!(
                    out,
                    "        authorizationCode:\n          authorizationUrl: {}",
                    address(&known.authorize)
                ),
            };
            let _ = writeln!(out, "          tokenUrl: {}", address(&known.token));
            let scopes = scopes(root, &path);
            let _ = match scopes.as_slice() {
                [] => writeln!(
                    out,
                    "          # Scopes, each with what it allows.\n          scopes: {{}}"
                ),
                scopes => {
                    let _ = writeln!(
                        out,
                        "          # What operations ask for; say what each allows.\n          scopes:"
                    );
                    scopes
                        .iter()
                        .try_for_each(|scope| writeln!(out, "            {}: \"\"", quoted(scope)))
                }
            };
        }
        if let Some(revoke) = &known.revoke {
            let _ = writeln!(
                out,
                "      # Where tokens are revoked (RFC 7009).\n      x-revocation-url: {}",
                quoted(revoke)
            );
        }
        let _ = writeln!(
            out,
            "      x-oauth:\n        # How the client shows who it is (RFC 6749 section 2.3.1): client_secret_basic, client_secret_post, none.\n        client_authentication:\n          default: {}\n        # Whether the server checks PKCE (RFC 7636): required, supported, undocumented, refused.\n        pkce: {}",
            known.authentication.as_deref().unwrap_or("client_secret_basic"),
            known.pkce.as_deref().unwrap_or("undocumented")
        );
        let _ = writeln!(
            out,
            "        # If it is documented: whether a refresh replaces the refresh token, and how many seconds tokens live.\n        # refresh:\n        #   rotates: true\n        #   lifetime: 2592000\n        # access_token_lifetime: 1800"
        );
        if known.revoke.is_none() {
            let _ = writeln!(
                out,
                "      # If tokens can be revoked (RFC 7009), where:\n      # x-revocation-url: https://..."
            );
        }
        for note in &known.notes {
            let _ = writeln!(out, "      # {note}");
        }
    }
    if oauth(root).is_none() {
        let _ = writeln!(
            out,
            "  # The document tells of no authorization server: a bearer token is taken for one that the bank gives an application, as a key.\n  # If there is OAuth, say so of the scheme:\n  # - target: $.components.securitySchemes['...']\n  #   update: {{ type: oauth2, flows: {{ authorizationCode: {{ authorizationUrl: \"\", tokenUrl: \"\", scopes: {{}} }} }}, x-oauth: {{ client_authentication: {{ default: client_secret_basic }} }} }}"
        );
    }
    for (place, taken) in in_doubt(root) {
        out.push_str(&of_bearer(&place, taken, known));
    }
    if !proposals.is_empty() {
        let _ = writeln!(
            out,
            "  # Proposed by names, patterns and examples. Take the `# ` away from what is so."
        );
    }
    for proposal in proposals.iter().take(MOST) {
        let _ = writeln!(out, "{}  #   description: {}", action(proposal), quoted(&proposal.why));
    }
    if proposals.len() > MOST {
        let _ = writeln!(out, "  # And {} more.", proposals.len() - MOST);
    }
    out
}

/// What a bearer token beside OAuth is: what a person answered, or what it is taken for until they say.
fn of_bearer(place: &[String], taken: Taken, known: &Known) -> String {
    let (name, section) = place
        .split_last()
        .map_or(("", &[][..]), |(name, section)| (name.as_str(), section));
    let (mark, word) = match known.bearers.get(name) {
        Some(word) => ("", word.as_str()),
        None => ("# ", taken.word()),
    };
    format!(
        "  # {}: `key` if the bank hands out its token, `access_token` if it is the one of OAuth.\n  {mark}- target: {}\n  {mark}  update: {{ \
         x-credential: {word} }}\n",
        Json::str(name),
        Json::str(target(section, name))
    )
}

fn target<S: Borrow<str>>(section: &[S], name: &str) -> String {
    format!("$.{}{}", section.join("."), step(name))
}

/// What a proposal does, as the comment that it is in an overlay.
pub(super) fn action(proposal: &Proposal) -> String {
    let target = Json::str(proposal.target.as_str());
    format!("  # - target: {target}\n  #   update: {}\n", proposal.update)
}

/// Where the document says that the metadata of its authorization server is (OpenID Connect Discovery).
pub(super) fn discovered(root: &Json) -> Option<&str> {
    let (_, scheme) = oauth(root)?;
    let url = scheme.get("openIdConnectUrl").and_then(Json::as_str)?;
    crate::place::is_address(url).then_some(url)
}

/// The scopes that requirements name of the scheme at a target, sorted.
fn scopes(root: &Json, path: &str) -> Vec<String> {
    let is_it = |name: &str| SECTIONS.iter().any(|section| target(section, name) == path);
    let operations = finrail_spec::normal::operations_of(root);
    let of_operations = operations.iter().filter_map(|(_, operation)| operation.get("security"));
    let mut found: Vec<String> = of_operations
        .chain(root.get("security"))
        .flat_map(Json::items)
        .flat_map(Json::members)
        .filter(|(name, _)| is_it(name))
        .flat_map(|(_, scopes)| scopes.items())
        .filter_map(Json::as_str)
        .map(str::to_owned)
        .collect();
    found.sort();
    found.dedup();
    found
}

/// Where the dialects keep security schemes.
const SECTIONS: [&[&str]; 2] = [&["components", "securitySchemes"], &["securityDefinitions"]];

/// The security scheme with access tokens, and its place.
pub(super) fn oauth(root: &Json) -> Option<(String, &Json)> {
    for section in SECTIONS {
        for (name, scheme) in root.at(section).map(Json::members).unwrap_or_default() {
            let kind = scheme.get("type").and_then(Json::as_str).unwrap_or_default();
            if matches!(kind, "oauth2" | "openIdConnect") {
                return Some((target(section, name), scheme));
            }
        }
    }
    None
}
