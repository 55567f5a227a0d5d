//! What people read about a provider: a page of its own, and its row in the README.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

use finrail_spec::grammar::{self, Kind};
use finrail_spec::model::{KeyPlace, Operation, Requirement, Server};
use finrail_spec::vocabulary as v;
use serde_json::Value;

use crate::provider::{Call, Provider};

/// Before the providers' table in the README.
pub const TABLE_BEGIN: &str = "<!-- providers:begin -->";
/// After it.
pub const TABLE_END: &str = "<!-- providers:end -->";

/// The page of one provider, as `command` makes it.
#[must_use]
pub fn page(provider: &Provider, bundle: &Value, from: &Path, command: &str) -> String {
    let mut page = String::new();
    let id = provider.id();
    let about = &provider.specification;
    let _ = write!(
        page,
        "{}\n\n# {}\n\n{}\n\n\
         Feature and module: `{id}`. Credentials from the environment: `{}_CLIENT_ID`, `{}_CLIENT_SECRET`.\n\n",
        mark(from, command),
        about.title,
        about.description,
        about.provider.env_prefix,
        about.provider.env_prefix
    );
    trust(provider, &mut page);
    hosts(provider, &mut page);
    authorization(provider, &mut page);
    endpoints(provider, &mut page);
    quirks(provider, bundle, &mut page);
    sources(provider, &mut page);
    page
}

/// The first line of a provider's page.
#[must_use]
pub fn mark(from: &Path, command: &str) -> String {
    format!(
        "<!-- Made by `{command} regen` from {}; not edited by hand. -->",
        from.display()
    )
}

/// What every such line begins with.
#[must_use]
pub fn beginning_of_mark(command: &str) -> String {
    format!("<!-- Made by `{command} regen` from ")
}

fn trust(provider: &Provider, page: &mut String) {
    let oldest = provider
        .calls
        .iter()
        .map(|call| call.provenance.checked.as_str())
        .min()
        .unwrap_or_default();
    let counted: Vec<String> = provider
        .grades()
        .iter()
        .map(|(grade, count)| format!("{count} {}", grade.as_str()))
        .collect();
    let _ = write!(
        page,
        "## How far to trust this\n\n{} operations: {}. The document was last checked on {}, its oldest operation on {oldest}.\n\n\
         *official*: the provider's own documentation shows it. *client-code*: public client code that works with the \
         provider shows it. *inferred*: a standard or a neighbouring operation implies it; nobody shows it.\n\n",
        provider.calls.len(),
        counted.join(", "),
        provider.specification.version
    );
}

fn hosts(provider: &Provider, page: &mut String) {
    page.push_str("## Hosts\n\n| environment | address | serves | grade |\n|---|---|---|---|\n");
    let servers = &provider.specification.servers;
    let separate = servers.iter().any(Server::is_oauth);
    for server in servers {
        let serves = match (server.is_oauth(), separate) {
            (true, _) => "the authorization server",
            (false, true) => "resources",
            (false, false) => "everything",
        };
        let _ = writeln!(
            page,
            "| {} | `{}` {} | {serves} | {} |",
            server.environment.as_deref().unwrap_or("given by the caller"),
            server.url,
            cell(&server.description),
            server.grade.map_or("", v::Grade::as_str)
        );
    }
    page.push('\n');
}

fn authorization(provider: &Provider, page: &mut String) {
    if provider.specification.oauth.is_none() {
        page.push_str("## Authorization\n\nThere is no authorization server. Keys, by the names of their schemes:\n\n");
        let mut keys: Vec<_> = provider
            .specification
            .operations
            .iter()
            .flat_map(|operation| &operation.keys)
            .collect();
        keys.sort_by_key(|key| &key.scheme);
        keys.dedup_by_key(|key| &key.scheme);
        for key in keys {
            let place = match key.place {
                KeyPlace::Header => format!("header `{}`", key.name),
                KeyPlace::Query => format!("parameter `{}` of the query", key.name),
                KeyPlace::Bearer => "bearer credential".to_owned(),
            };
            let _ = writeln!(page, "- `{}`: {place}", key.scheme);
        }
        page.push('\n');
        return;
    }
    let oauth = &provider.oauth;
    let grade = |field: &str| match oauth.grades.get(field) {
        Some(grade) => format!(" ({})", grade.as_str()),
        None => String::new(),
    };
    page.push_str("## Authorization\n\n| | |\n|---|---|\n");
    let mut row = |name: &str, value: String| {
        let _ = writeln!(page, "| {name} | {} |", cell(&value));
    };
    let grants: Vec<String> = oauth
        .grants
        .iter()
        .map(|grant| format!("`{}`{}", grant.as_str(), grade(&format!("grants.{}", grant.as_str()))))
        .collect();
    row("grants", grants.join(", "));
    for (role, name) in [
        ("authorize", "authorization endpoint"),
        ("token", "token endpoint"),
        ("revoke", "revocation endpoint"),
    ] {
        if let Some(call) = provider.endpoint(role) {
            row(name, format!("`{} {}`", call.method, call.path));
        }
    }
    row(
        "client authentication",
        format!("{}{}", client_authentication(provider), grade("client_authentication")),
    );
    let pkce = match oauth.pkce {
        v::Pkce::Required => "required, `S256`",
        v::Pkce::Supported => "supported, `S256`",
        v::Pkce::Undocumented => "not documented; `S256` is sent, can be switched off, and counts as no protection",
        v::Pkce::Refused => "refused, not sent",
    };
    row("PKCE", format!("{pkce}{}", grade("pkce")));
    row(
        "access token",
        lifetime(oauth.access_token_lifetime.or(oauth.token_reply.default_lifetime)),
    );
    row("refresh token", refresh(provider));
    row("revocation", revocation(provider));
    row("redirect URI", redirect(&oauth.redirect_uri));
    let about = &provider.specification;
    if about.flows.iter().all(|flow| flow.scopes.is_empty()) {
        row("scopes", "none: a token may do everything its user may".to_owned());
        page.push('\n');
        return;
    }
    row("scopes are sent", scopes_sent(oauth) + &grade("scope_sent_on"));
    page.push_str("\n| scope | meaning | needed by |\n|---|---|---|\n");
    for (scope, meaning) in about.scopes() {
        let needs = |operation: &&Operation| {
            let mut needed = operation.scopes().unwrap_or_default().iter();
            needed.any(|needed| needed == scope)
        };
        let users = about.operations.iter().filter(needs);
        let users: Vec<String> = users.map(|operation| format!("`{}`", operation.id)).collect();
        let users = match users.is_empty() {
            true if oauth.scopes_always.iter().any(|always| always == scope) => "every authorization".to_owned(),
            true => "no documented operation".to_owned(),
            false => users.join(", "),
        };
        let name = oauth
            .scope_templates
            .get(scope)
            .map_or(format!("`{scope}`"), |template| {
                format!(
                    "`{scope}`, sent as `{template}`{}",
                    grade(&format!("scope_templates.{scope}"))
                )
            });
        let _ = writeln!(page, "| {name} | {} | {users} |", cell(meaning));
    }
    if !oauth.scopes_complete {
        page.push_str("\nThere may be other scopes, which are not documented: name one with `RequestedScope::new`.\n");
    }
    page.push('\n');
}

fn endpoints(provider: &Provider, page: &mut String) {
    page.push_str(
        "## Calls\n\n| call | request | needs | repeating it | pages | grade | checked |\n|---|---|---|---|---|---|---|\n",
    );
    for Call { operation, provenance } in &provider.calls {
        let client = match operation.client {
            _ if operation.browser => "browser: ".to_owned(),
            v::ClientKind::Api => String::new(),
            other => format!("{}: ", other.as_str()),
        };
        let effect = match operation.effect {
            v::Effect::Safe => "changes nothing",
            v::Effect::Idempotent => "is the same as once",
            v::Effect::Neither => "may act twice",
        };
        let paging = operation
            .pagination
            .as_ref()
            .map_or("", |pagination| match pagination.style {
                v::PaginationStyle::Cursor => "cursor",
                v::PaginationStyle::Link => "link",
                v::PaginationStyle::Page => "page number",
                v::PaginationStyle::Offset => "offset",
            });
        let _ = writeln!(
            page,
            "| {client}`{}`: {} | `{} {}` | {} | {effect} | {paging} | {} | {} |",
            operation.id,
            cell(&operation.summary),
            operation.method,
            operation.path,
            needs(operation),
            provenance.grade.as_str(),
            provenance.checked
        );
    }
    page.push('\n');
}

fn needs(operation: &Operation) -> String {
    let mut ways: Vec<String> = Vec::new();
    match operation.scopes() {
        Some([]) => ways.push("a token".to_owned()),
        Some(scopes) => {
            let scopes: Vec<String> = scopes.iter().map(|scope| format!("`{scope}`")).collect();
            ways.push(scopes.join(" and "));
        }
        None => {}
    }
    ways.extend(operation.security.iter().filter_map(|requirement| match requirement {
        Requirement::Nothing | Requirement::Bearer { .. } => None,
        Requirement::AccessKey => Some("an access key".to_owned()),
        Requirement::ClientBasic => Some("client id and secret (Basic)".to_owned()),
        Requirement::RegistrationToken => Some("a registration token".to_owned()),
    }));
    let keys: BTreeSet<&String> = operation.keys.iter().map(|key| &key.scheme).collect();
    ways.extend(keys.into_iter().map(|key| format!("the key `{key}`")));
    if ways.is_empty() {
        "nothing".to_owned()
    } else {
        ways.join(", or ")
    }
}

/// What is unusual, found in the data rather than told.
fn quirks(provider: &Provider, bundle: &Value, page: &mut String) {
    let oauth = &provider.oauth;
    let mut found: Vec<String> = Vec::new();
    if oauth.scope_separator != " " {
        found.push(format!(
            "Several scopes are separated by `{}` in a request.",
            oauth.scope_separator
        ));
    }
    if oauth.single_scope {
        found.push("One authorization carries one scope.".to_owned());
    }
    for (scope, template) in &oauth.scope_templates {
        let bare = if oauth.scope_template_optional.contains(scope) {
            "; the bare form is accepted too"
        } else {
            ""
        };
        found.push(format!("The scope `{scope}` is sent as `{template}`{bare}."));
    }
    if oauth.state_on_refusal == v::StateOnRefusal::Optional {
        found.push("A refusal may come back without `state`.".to_owned());
    }
    if let Some(field) = &oauth.refusal_code_field {
        found.push(format!("A refusal carries the extra query field `{field}`."));
    }
    if oauth.token_body == v::TokenBody::Json {
        found.push("Token requests are JSON.".to_owned());
    }
    if oauth.token_reply.expires_in_unit == v::TimeUnit::Milliseconds {
        found.push("`expires_in` is in milliseconds.".to_owned());
    }
    for field in &oauth.token_reply.extra {
        let subject = if field.subject {
            " (names the connected account)"
        } else {
            ""
        };
        found.push(format!(
            "The token reply has `{}`{subject}: {}.",
            field.name,
            field.description.trim_end_matches('.')
        ));
    }
    for (code, verdict) in &oauth.errors {
        let verdict = serde_json::to_value(verdict).unwrap_or_default();
        let verdict = verdict.as_str().unwrap_or_default().replace('_', " ");
        found.push(format!("The error `{code}` reads as: {verdict}."));
    }
    let mut headers: BTreeSet<&String> = BTreeSet::new();
    for operation in &provider.specification.operations {
        headers.extend(operation.headers.keys());
        if let Some(accept) = &operation.asks_for {
            found.push(format!("`{}` asks for `{accept}`.", operation.id));
        }
    }
    for header in headers {
        found.push(format!(
            "The library sends a fresh `{header}` with the calls that want one."
        ));
    }
    found.extend(schema_quirks(bundle));
    for call in &provider.calls {
        if let Some(note) = &call.provenance.note {
            found.push(format!(
                "`{}`: {}.",
                call.operation.id,
                note.trim().trim_end_matches('.')
            ));
        }
    }
    if found.is_empty() {
        return;
    }
    page.push_str("## Quirks\n\n");
    for quirk in found {
        let _ = writeln!(page, "- {quirk}");
    }
    page.push('\n');
}

fn schema_quirks(bundle: &Value) -> Vec<String> {
    let mut quirks = Vec::new();
    let mut lenient: std::collections::BTreeMap<String, usize> = std::collections::BTreeMap::new();
    let mut media: BTreeSet<String> = BTreeSet::new();
    let mut forms: Vec<String> = Vec::new();
    grammar::walk(bundle, &mut |kind, pointer, object| match kind {
        Kind::Schema => {
            if let Some(form) = object.get("x-lenient").and_then(Value::as_str) {
                *lenient.entry(form.to_owned()).or_default() += 1;
            }
            let name = pointer
                .strip_prefix("/components/schemas/")
                .unwrap_or(pointer)
                .replace("/properties/", ".");
            if object.get("x-wrapper-key") == Some(&Value::Bool(true)) {
                quirks.push(format!(
                    "The one key of `{name}` names its kind; an unknown kind survives."
                ));
            }
            if let Some(aliases) = object.get("x-aliases").and_then(Value::as_array) {
                let aliases: Vec<String> = aliases
                    .iter()
                    .filter_map(Value::as_str)
                    .map(|alias| format!("`{alias}`"))
                    .collect();
                quirks.push(format!("`{name}` is read from {} too.", aliases.join(", ")));
            }
        }
        Kind::Response => {
            for name in object
                .get("content")
                .and_then(Value::as_object)
                .into_iter()
                .flatten()
                .map(|(name, _)| name)
            {
                if name != "application/json" {
                    media.insert(name.clone());
                }
            }
        }
        Kind::Encoding => {
            if let Some(form) = object.get("x-form").and_then(Value::as_str) {
                let property = pointer.rsplit('/').next().unwrap_or_default();
                forms.push(match form {
                    "map" => format!("`{property}[key]=value`"),
                    "repeated" => format!("`{property}=a&{property}=b`"),
                    _ => format!("`{property}[]=a&{property}[]=b`"),
                });
            }
        }
        _ => {}
    });
    for (form, count) in lenient {
        let times = if count == 1 {
            "one place".to_owned()
        } else {
            format!("{count} places")
        };
        quirks.push(match form.as_str() {
            "boolean" => format!("Booleans come in several forms (`x-lenient: boolean`, {times})."),
            "string" => format!("Texts may come as numbers (`x-lenient: string`, {times})."),
            "date-time" => format!("Times come in several forms (`x-lenient: date-time`, {times})."),
            "object" => format!("A text may stand in for an object (`x-lenient: object`, {times})."),
            _ => format!("Lists come in several forms (`x-lenient: array`, {times})."),
        });
    }
    if !media.is_empty() {
        let media: Vec<String> = media.iter().map(|name| format!("`{name}`")).collect();
        quirks.push(format!("Replies come as {} too.", media.join(", ")));
    }
    forms.sort();
    forms.dedup();
    if !forms.is_empty() {
        quirks.push(format!("Forms are written as {}.", forms.join(", ")));
    }
    quirks
}

fn sources(provider: &Provider, page: &mut String) {
    let sources: BTreeSet<&String> = provider
        .calls
        .iter()
        .flat_map(|call| &call.provenance.sources)
        .collect();
    page.push_str("## Sources\n\n");
    for source in sources {
        let _ = if source.starts_with("https://") {
            writeln!(page, "- <{source}>")
        } else {
            writeln!(page, "- {source}")
        };
    }
}

/// The README's table of all providers.
#[must_use]
pub fn table(providers: &[Provider]) -> String {
    let mut table = String::from(
        "| provider | grants | client authentication | PKCE | access token | refresh token | revocation | calls | grades |\n\
         |---|---|---|---|---|---|---|---|---|\n",
    );
    for provider in providers {
        let grants: Vec<&str> = provider
            .oauth
            .grants
            .iter()
            .filter(|grant| **grant != v::Grant::RefreshToken)
            .map(|grant| match grant {
                v::Grant::ClientCredentials => "client credentials",
                v::Grant::AuthorizationCode => "authorization code",
                v::Grant::Password => "password",
                v::Grant::RefreshToken => "",
            })
            .collect();
        let grades: Vec<String> = provider
            .grades()
            .iter()
            .map(|(grade, count)| format!("{count} {}", grade.as_str()))
            .collect();
        let pkce = match provider.oauth.pkce {
            v::Pkce::Required => "required",
            v::Pkce::Supported => "supported",
            v::Pkce::Undocumented => "not documented",
            v::Pkce::Refused => "refused",
        };
        let id = provider.id();
        let _ = writeln!(
            table,
            // The README is also the page of the crate, where only a whole address leads anywhere.
            "| [{}]({}/blob/main/docs/{id}.md) `{id}` | {} | {} | {pkce} | {} | {} | {} | {} | {} |",
            provider.specification.provider.name,
            env!("CARGO_PKG_REPOSITORY"),
            grants.join(", "),
            client_authentication(provider).replace('`', ""),
            lifetime(
                provider
                    .oauth
                    .access_token_lifetime
                    .or(provider.oauth.token_reply.default_lifetime)
            ),
            refresh(provider),
            if provider.oauth.revocation.is_some() {
                "yes"
            } else {
                "no"
            },
            provider.calls.iter().filter(|call| !call.operation.browser).count(),
            grades.join(", ")
        );
    }
    table
}

/// The README with its table made again; `None` without the markers.
#[must_use]
pub fn with_table(readme: &str, table: &str) -> Option<String> {
    let begin = readme.find(TABLE_BEGIN)? + TABLE_BEGIN.len();
    let end = begin + readme[begin..].find(TABLE_END)?;
    Some(format!("{}\n{table}{}", &readme[..begin], &readme[end..]))
}

fn client_authentication(provider: &Provider) -> String {
    let default = provider.oauth.client_authentication.default;
    let exceptions: Vec<String> = provider
        .oauth
        .grants
        .iter()
        .filter(|grant| provider.oauth.client_authentication.of(**grant) != default)
        .map(|grant| {
            format!(
                "`{}` for `{}`",
                provider.oauth.client_authentication.of(*grant).as_str(),
                grant.as_str()
            )
        })
        .collect();
    let mut text = format!("`{}`", default.as_str());
    for exception in exceptions {
        let _ = write!(text, ", {exception}");
    }
    text
}

fn refresh(provider: &Provider) -> String {
    if !provider.oauth.grants.contains(&v::Grant::RefreshToken) {
        return "none".to_owned();
    }
    let refresh = &provider.oauth.refresh;
    let mut facts = vec![match refresh.rotates {
        Some(true) => "rotates".to_owned(),
        Some(false) => "stays".to_owned(),
        None => "rotation not documented".to_owned(),
    }];
    if let Some(lifetime) = refresh.lifetime {
        facts.push(duration(lifetime));
    }
    if let Some(grace) = refresh.grace {
        facts.push(format!("the old one works for {} more", duration(grace)));
    }
    facts.join(", ")
}

fn revocation(provider: &Provider) -> String {
    match &provider.oauth.revocation {
        None => "not documented".to_owned(),
        Some(revocation) => {
            let success: Vec<String> = revocation.success.iter().map(u16::to_string).collect();
            format!(
                "the token in `{}`; success is {}",
                revocation.token_field,
                success.join(" or ")
            )
        }
    }
}

fn redirect(rules: &v::RedirectUri) -> String {
    let mut facts = vec![if rules.required { "required" } else { "optional" }];
    facts.push(if rules.on_token_request {
        "repeated in the code exchange"
    } else {
        "not repeated in the code exchange"
    });
    if rules.https_or_custom_scheme {
        facts.push("https or a custom scheme");
    }
    facts.join(", ")
}

fn scopes_sent(oauth: &v::Oauth) -> String {
    let requests: Vec<&str> = oauth
        .scope_sent_on
        .iter()
        .map(|request| match request {
            v::ScopeSentOn::Authorize => "authorization",
            v::ScopeSentOn::ClientCredentials => "client credentials",
            v::ScopeSentOn::AuthorizationCode => "code exchange",
            v::ScopeSentOn::Password => "password",
            v::ScopeSentOn::RefreshToken => "refresh",
        })
        .collect();
    format!("with: {}", requests.join(", "))
}

fn lifetime(seconds: Option<u64>) -> String {
    seconds.map_or_else(|| "told by the reply".to_owned(), duration)
}

/// Seconds in the largest unit that is exact.
#[must_use]
pub fn duration(seconds: u64) -> String {
    let (count, unit) = match seconds {
        0 => (0, "second"),
        _ if seconds.is_multiple_of(86_400) => (seconds / 86_400, "day"),
        _ if seconds.is_multiple_of(3_600) => (seconds / 3_600, "hour"),
        _ if seconds.is_multiple_of(60) => (seconds / 60, "minute"),
        _ => (seconds, "second"),
    };
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {unit}{plural}")
}

/// A text that keeps a table a table.
fn cell(text: &str) -> String {
    text.split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
        .replace('|', "\\|")
}
