//! The pages that a browser sees: log in, allow or deny, and what went wrong.

use std::fmt::Write as _;

use super::authority::{AuthorizationRequest, Refusal};
use super::spec::Spec;

/// The form that asks the user.
pub(super) fn consent(
    spec: &Spec,
    request: &AuthorizationRequest,
    user: &str,
    password: &str,
    complaint: Option<&str>,
) -> String {
    let mut scopes = String::new();
    for scope in &request.scopes {
        let scope = escape(scope);
        let _ = write!(
            scopes,
            "<label><input type=\"checkbox\" name=\"scope\" value=\"{scope}\" checked> <code>{scope}</code></label>"
        );
    }
    if request.scopes.is_empty() {
        scopes.push_str("<p>Everything that you may do yourself.</p>");
    }
    let complaint = complaint
        .map(|text| format!("<p class=\"wrong\">{}</p>", escape(text)))
        .unwrap_or_default();
    frame(
        spec.name(),
        &format!(
            "<h1>{provider}</h1><p><strong>{client}</strong> asks for access to your account:</p>{complaint}\
             <form method=\"post\"><input type=\"hidden\" name=\"choice\" value=\"1\">{scopes}<label>User <input name=\"username\" value=\"{user}\" autocomplete=\"off\"></label>\
             <label>Password <input name=\"password\" type=\"password\" value=\"{password}\" autocomplete=\"off\"></label>\
             <button name=\"decision\" value=\"allow\">Allow</button> \
             <button name=\"decision\" value=\"deny\">Deny</button></form>",
            provider = escape(spec.name()),
            client = escape(&request.client.name),
            user = escape(user),
            password = escape(password),
        ),
    )
}

/// A provider in the index.
pub(super) struct Entry {
    pub(super) name: String,
    /// Address of the resources.
    pub(super) resources: String,
    /// Address of the authorization server.
    pub(super) oauth: String,
    /// Id of a client.
    pub(super) client: String,
}

/// What is played here, and where.
pub(super) fn index(entries: &[Entry]) -> String {
    let mut list = String::new();
    for entry in entries {
        let _ = write!(
            list,
            "<h2>{}</h2><p>Resources <code>{}</code><br>Authorization server <code>{}</code><br>Client id <code>{}</code></p>",
            escape(&entry.name),
            escape(&entry.resources),
            escape(&entry.oauth),
            escape(&entry.client)
        );
    }
    frame("Providers", &format!("<h1>Providers in this sandbox</h1>{list}"))
}

/// The bank's own question.
pub(super) fn bank(spec: &Spec) -> String {
    let provider = escape(spec.name());
    frame(
        "Your bank",
        &format!(
            "<h1>Your bank</h1><p>{provider} asks to see your accounts.</p><form method=\"post\">\
             <button name=\"decision\" value=\"allow\">Allow</button> \
             <button name=\"decision\" value=\"deny\">Deny</button></form>"
        ),
    )
}

/// Why the browser goes nowhere.
pub(super) fn refusal(spec: &Spec, refusal: &Refusal) -> String {
    frame(
        spec.name(),
        &format!(
            "<h1>{}</h1><p class=\"wrong\">{}</p><p><code>{}</code></p>",
            escape(spec.name()),
            escape(&refusal.description),
            escape(&refusal.code)
        ),
    )
}

/// A plain page with one message.
pub(super) fn message(title: &str, text: &str) -> String {
    frame(title, &format!("<h1>{}</h1><p>{}</p>", escape(title), escape(text)))
}

fn frame(title: &str, body: &str) -> String {
    format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>{} (sandbox)</title><style>\
         body{{font:16px/1.5 system-ui,sans-serif;max-width:28rem;margin:4rem auto;padding:0 1rem}}\
         label{{display:block;margin:.5rem 0}}button{{margin-top:1rem;padding:.4rem 1.2rem}}.wrong{{color:#a00}}\
         .note{{color:#666;font-size:.85rem}}</style></head><body>{body}\
         <p class=\"note\">This is a sandbox. Nothing here is a bank.</p></body></html>",
        escape(title)
    )
}

fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}
