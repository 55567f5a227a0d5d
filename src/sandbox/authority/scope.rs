//! Scopes: how they are written, where they are sent, and which of them there are.

use finrail_spec::vocabulary::{Grant as GrantType, Oauth, ScopeSentOn};

use super::authentication::field;
use super::{Binding, Refusal, refusal};
use crate::sandbox::spec::Spec;

/// `scope` of a token request: there where the provider wants it, and nowhere else.
pub(super) fn scope_field<'a>(
    oauth: &Oauth,
    request: ScopeSentOn,
    fields: &'a [(String, String)],
) -> Result<Option<&'a str>, Refusal> {
    let sent = field(fields, "scope");
    let wanted = oauth.scope_sent_on.contains(&request);
    match (wanted, sent) {
        (true, None) => Err(refusal(
            "invalid_scope",
            "scope is missing; this provider wants it on this request",
        )),
        (false, Some(_)) => Err(refusal("invalid_scope", "this provider takes no scope on this request")),
        (_, sent) => Ok(sent),
    }
}

/// The scopes of an authorization request, and what their templates were filled with.
pub(super) fn authorized_scopes(
    spec: &Spec,
    text: &str,
    exists: &dyn Fn(&str, &str) -> bool,
) -> Result<(Vec<String>, Vec<Binding>), String> {
    let oauth = &spec.oauth;
    let known = spec.scopes_of(GrantType::AuthorizationCode);
    let requested = words(oauth, text);
    if requested.is_empty() {
        // Separators alone ask for nothing, and one scope at a time is not all of them.
        if !text.is_empty() || oauth.single_scope {
            return Err("no scope is named".to_owned());
        }
        return Ok((known, Vec::new()));
    }
    let mut scopes = Vec::new();
    let mut bindings = Vec::new();
    for word in requested {
        if let Some(binding) = bound(oauth, &word) {
            if !exists(&binding.name, &binding.value) {
                return Err(format!("the {} in {} is not known", binding.name, binding.scope));
            }
            scopes.push(binding.scope.clone());
            bindings.push(binding);
            continue;
        }
        let needs_id = oauth.scope_templates.contains_key(&word) && !oauth.scope_template_optional.contains(&word);
        if needs_id {
            return Err(format!("{word} needs an id after it"));
        }
        // A list that may lack some refuses none.
        if oauth.scopes_complete && !known.contains(&word) {
            return Err("the scope is not known".to_owned());
        }
        scopes.push(word);
    }
    if oauth.single_scope && scopes.len() > 1 {
        return Err("one scope at a time".to_owned());
    }
    if let Some(missing) = oauth.scopes_always.iter().find(|scope| !scopes.contains(scope)) {
        return Err(format!("{missing} must be among the scopes"));
    }
    Ok((scopes, bindings))
}

/// What stands in the place of `{consentId}`, when the word was made by a template.
fn bound(oauth: &Oauth, word: &str) -> Option<Binding> {
    oauth.scope_templates.iter().find_map(|(scope, template)| {
        let (before, rest) = template.split_once('{')?;
        let (name, after) = rest.split_once('}')?;
        let value = word.strip_prefix(before)?.strip_suffix(after)?;
        (!value.is_empty()).then(|| Binding {
            scope: scope.clone(),
            name: name.to_owned(),
            value: value.to_owned(),
        })
    })
}

/// A token request may ask for less than was granted, never for more.
pub(super) fn narrowed(oauth: &Oauth, granted: &[String], scope: Option<&str>) -> Result<Vec<String>, Refusal> {
    let Some(scope) = scope else {
        return Ok(granted.to_vec());
    };
    let scopes = named(oauth, scope)?;
    match scopes.iter().find(|scope| !granted.contains(scope)) {
        Some(more) => Err(refusal("invalid_scope", format!("{more} was not granted"))),
        None => Ok(scopes),
    }
}

/// The scopes of a token request that has `scope`: at least one.
pub(super) fn named(oauth: &Oauth, text: &str) -> Result<Vec<String>, Refusal> {
    let scopes = words(oauth, text);
    if scopes.is_empty() {
        return Err(refusal("invalid_scope", "no scope is named"));
    }
    Ok(scopes)
}

/// The text between the separators that the provider documents, and no others.
fn words(oauth: &Oauth, text: &str) -> Vec<String> {
    let mut words = vec![text];
    for separator in oauth.separators() {
        words = words.into_iter().flat_map(|word| word.split(separator)).collect();
    }
    words
        .into_iter()
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect()
}
