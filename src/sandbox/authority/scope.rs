//! Scopes: how they are written, where they are sent, and which of them there are.

use super::client::field;
use super::{Binding, Refusal, refusal};
use crate::sandbox::spec::Profile;

/// `scope` of a token request: there where the provider wants it, and nowhere else.
pub(super) fn scope_field<'a>(
    profile: &Profile,
    grant: &str,
    fields: &'a [(String, String)],
) -> Result<Option<&'a str>, Refusal> {
    let sent = field(fields, "scope");
    let wanted = profile.scope_sent_on.iter().any(|request| request == grant);
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
    profile: &Profile,
    text: &str,
    exists: &dyn Fn(&str, &str) -> bool,
) -> Result<(Vec<String>, Vec<Binding>), String> {
    let known = profile.scopes_of("authorization_code");
    let requested = words(profile, text);
    if requested.is_empty() {
        // Separators alone ask for nothing, and one scope at a time is not all of them.
        if !text.is_empty() || profile.single_scope {
            return Err("no scope is named".to_owned());
        }
        return Ok((known.to_vec(), Vec::new()));
    }
    let mut scopes = Vec::new();
    let mut bindings = Vec::new();
    for word in requested {
        if let Some(binding) = bound(profile, &word) {
            if !exists(&binding.name, &binding.value) {
                return Err(format!("the {} in {} is not known", binding.name, binding.scope));
            }
            scopes.push(binding.scope.clone());
            bindings.push(binding);
            continue;
        }
        let needs_id = profile.scope_templates.iter().any(|(scope, _)| *scope == word)
            && !profile.scope_template_optional.contains(&word);
        if needs_id {
            return Err(format!("{word} needs an id after it"));
        }
        // A list that may lack some refuses none.
        if profile.scopes_complete && !known.contains(&word) {
            return Err("the scope is not known".to_owned());
        }
        scopes.push(word);
    }
    if profile.single_scope && scopes.len() > 1 {
        return Err("one scope at a time".to_owned());
    }
    if let Some(missing) = profile.scopes_always.iter().find(|scope| !scopes.contains(scope)) {
        return Err(format!("{missing} must be among the scopes"));
    }
    Ok((scopes, bindings))
}

/// What stands in the place of `{consentId}`, when the word was made by a template.
fn bound(profile: &Profile, word: &str) -> Option<Binding> {
    profile.scope_templates.iter().find_map(|(scope, template)| {
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
pub(super) fn narrowed(profile: &Profile, granted: &[String], scope: Option<&str>) -> Result<Vec<String>, Refusal> {
    let Some(scope) = scope else {
        return Ok(granted.to_vec());
    };
    let scopes = named(profile, scope)?;
    match scopes.iter().find(|scope| !granted.contains(scope)) {
        Some(more) => Err(refusal("invalid_scope", format!("{more} was not granted"))),
        None => Ok(scopes),
    }
}

/// The scopes of a token request that has `scope`: at least one.
pub(super) fn named(profile: &Profile, text: &str) -> Result<Vec<String>, Refusal> {
    let scopes = words(profile, text);
    if scopes.is_empty() {
        return Err(refusal("invalid_scope", "no scope is named"));
    }
    Ok(scopes)
}

/// The text between the separators that the provider documents, and no others.
fn words(profile: &Profile, text: &str) -> Vec<String> {
    let mut words = vec![text];
    for separator in &profile.scope_separators {
        words = words
            .into_iter()
            .flat_map(|word| word.split(separator.as_str()))
            .collect();
    }
    words
        .into_iter()
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect()
}
