//! The files of a new crate beside its specification.

use std::path::Path;

use finrail_spec::model::Specification;
use finrail_spec::names::snake_case;
use finrail_spec::vocabulary::Grant;

use super::journey::{journey, keys, takes_pair};

const SETTINGS: &str = r#"# Where `finrail check`, `regen` and `drift` find the specifications, and where pages and outlines go that they make.
specs = "specs"
pages = "docs"
outlines = "docs/outline"
"#;

/// What the files are made of.
pub(super) struct Crate<'c> {
    pub(super) name: &'c str,
    pub(super) id: &'c str,
    pub(super) command: &'c str,
    pub(super) finrail: Option<&'c Path>,
    pub(super) document: &'c Specification,
}

impl Crate<'_> {
    /// Every file with its text.
    pub(super) fn files(&self) -> Vec<(&'static str, String)> {
        vec![
            ("Cargo.toml", self.manifest()),
            ("build.rs", self.build_script()),
            ("src/lib.rs", self.library()),
            ("tests/sandbox.rs", journey(self.document, &self.module(), self.id)),
            ("README.md", self.page()),
            (".gitignore", "/target\n".to_owned()),
            ("finrail.toml", SETTINGS.to_owned()),
        ]
    }

    /// The name by which the crate is used.
    fn module(&self) -> String {
        self.name.replace('-', "_")
    }

    fn manifest(&self) -> String {
        let version = env!("CARGO_PKG_VERSION");
        let minor = version.rsplit_once('.').map_or(version, |(minor, _)| minor);
        let from = |folder: &str| match self.finrail {
            None => format!("version = \"{minor}\""),
            Some(checkout) => {
                // A literal of TOML takes every path but one with a quote in it.
                let path = checkout.join(folder).display().to_string();
                format!(
                    "version = \"{minor}\", path = {}",
                    toml_text(path.trim_end_matches('/'))
                )
            }
        };
        format!(
            r#"[package]
name = "{name}"
version = "0.1.0"
edition = "2024"
description = {description}
# For a release: `license`, `repository`, and no `publish = false`.
publish = false
include = ["/Cargo.toml", "/build.rs", "/src/**", "/specs/*/bundle.json", "/README.md"]

[dependencies]
finrail = {{ {finrail}, default-features = false, features = ["file"] }}

[build-dependencies]
finrail-codegen = {{ {codegen} }}

[dev-dependencies]
finrail = {{ {finrail}, default-features = false, features = ["file", "mock", "sandbox"] }}
serde_json = "1"
tokio = {{ version = "1", features = ["macros", "rt-multi-thread"] }}

# Of its own, wherever the folder stands.
[workspace]
"#,
            name = self.name,
            description = toml_text(&format!("A typed client of {}", self.document.provider.name)),
            finrail = from(""),
            codegen = from("codegen"),
        )
    }

    fn build_script(&self) -> String {
        let (id, module) = (self.id, self.module());
        format!(
            r#"//! Generates the client: `specs/{id}/bundle.json` -> `OUT_DIR/{id}.rs`.

fn main() -> Result<(), Box<dyn std::error::Error>> {{
    let file = "specs/{id}/bundle.json";
    println!("cargo::rerun-if-changed={{file}}");
    let bundle = std::fs::read_to_string(file)?;
    let options = finrail_codegen::Options {{
        module: Some("{module}".to_owned()),
    }};
    let code = finrail_codegen::generate(file, &bundle, &options)?;
    std::fs::write(format!("{{}}/{id}.rs", std::env::var("OUT_DIR")?), code)?;
    Ok(())
}}
"#
        )
    }

    fn library(&self) -> String {
        let name = one_line(&self.document.provider.name);
        let id = self.id;
        format!(
            "//! A typed client of {name}.\n//!\n//! Tokens look after themselves; amounts are exact; a call is repeated only where that is safe.\n\n\
             include!(concat!(env!(\"OUT_DIR\"), \"/{id}.rs\"));\n"
        )
    }

    /// The setters of the keys that calls take, from the environment.
    fn keys(&self) -> String {
        let prefix = &self.document.provider.env_prefix;
        let all = keys(self.document);
        let variable = |key: &str| match all.len() {
            1 => format!("{prefix}_KEY"),
            _ => format!("{prefix}_{}_KEY", snake_case(key).trim_matches('_').to_uppercase()),
        };
        let setter = |key: &&str| format!("\n    .key({key:?}, std::env::var(\"{}\")?)", variable(key));
        all.iter().map(setter).collect()
    }

    fn page(&self) -> String {
        let (id, module, command) = (self.id, self.module(), self.command);
        let provider = one_line(&self.document.provider.name);
        let prefix = &self.document.provider.env_prefix;
        let environment = self
            .document
            .servers
            .iter()
            .find_map(|server| server.environment.as_deref());
        let environment = match environment.and_then(finrail_spec::names::variant_name) {
            Some(name) => format!(".environment({module}::Environment::{name})"),
            None => ".base_url(\"https://...\")".to_owned(),
        };
        let has = |grant| self.document.oauth.as_ref().is_some_and(|oauth| oauth.has(grant));
        let keys = self.keys();
        let start = if has(Grant::AuthorizationCode) {
            format!(
                r#"let app = {module}::App::builder()
    {environment}
    .credentials({module}::Credentials::from_env()?) // {prefix}_CLIENT_ID, {prefix}_CLIENT_SECRET
    .redirect_uri("https://app.example/callback"){keys}
    .store(std::sync::Arc::new(finrail::token::store::FileStore::open("grants")?))
    .build()?;

// Send the user's browser to `login.url`, and keep what `begin` needs in their session.
let login = app.authorize(finrail::NO_SCOPES)?; // or scopes, as `{module}::Scope` names them
// When it comes back: let connection = app.finish(login.pending, &callback).await?;
// Then: connection.client() has every call."#
            )
        } else if self.document.oauth.is_none() {
            let pair = takes_pair(self.document).then(|| {
                format!("\n    .access_key(std::env::var(\"{prefix}_NAME\")?, std::env::var(\"{prefix}_PASSWORD\")?)")
            });
            let pair = pair.unwrap_or_default();
            format!("let client = {module}::Client::builder()\n    {environment}{pair}{keys}\n    .build()?;")
        } else {
            format!(
                r#"let client = {module}::Client::builder()
    {environment}
    .credentials({module}::Credentials::from_env()?) // {prefix}_CLIENT_ID, {prefix}_CLIENT_SECRET
    .client_credentials(finrail::NO_SCOPES) // or scopes, as `{module}::Scope` names them{keys}
    .build()?;"#
            )
        };
        let mut credentials = Vec::new();
        if self.document.oauth.is_some() {
            credentials.push("`client_id`, `client_secret`");
        }
        if !keys.is_empty() {
            credentials.push("`key`, which is every key of the bank");
        }
        if takes_pair(self.document) {
            credentials.push("`access_key` and `access_key_secret`");
        }
        let credentials = match credentials.is_empty() {
            true => "nothing, for no call asks who calls".to_owned(),
            false => credentials.join("; "),
        };
        format!(
            r#"# {name}

A typed client of {provider}, generated from the document that it publishes.

```rust,ignore
{start}
```

| what | where |
|---|---|
| the document as it was published | `specs/{id}/openapi.yaml` or `openapi.json`; never edited |
| what it does not say, and only a person knows: how the client shows who it is, what is money, which calls only read | `specs/{id}/overlay.yaml` |
| what the build script reads, made of both | `specs/{id}/bundle.json` |
| the client against the bank, played from the same document | `tests/sandbox.rs` |

After a change of the overlay: `{command} import --id {id}`, or `{command} regen`, which writes a page and an outline of the client into `docs` too and
says whether users of the crate will notice; `{command} regen --check` in CI says whether all is as it was made. For a newer document: `{command} import <file|url> --id {id} --again`.
What the bank does now is compared by `{command} drift {id} --openapi <file|url>`; `--docs`, `--metadata`, `--har` and `--canary` take other evidence.
To play the bank for a browser, or for another program: `{command} sandbox`, which says by what clients, keys and passwords it is called, and
`{command} control --help` for its clock, faults and tokens. In a test, `sandbox.client("{id}")` has the same: {credentials}.
"#,
            name = self.name,
        )
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A text as TOML writes it.
fn toml_text(text: &str) -> String {
    let mut out = String::from("\"");
    for letter in one_line(text).chars() {
        match letter {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            letter if letter.is_control() => {}
            letter => out.push(letter),
        }
    }
    out.push('"');
    out
}
