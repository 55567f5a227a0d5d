//! The class of a change, proved by doing: the sandbox plays the changed specification, and the client
//! that was compiled from the unchanged one does what the class says.

#![allow(clippy::panic)]

#[path = "drift_proof/changes.rs"]
mod changes;
mod support;

use std::error::Error;

use changes::Change;
use finrail::oauth::RequestedScope;
use finrail::sandbox::Sandbox;
use finrail::transport::ResponseValue;
use finrail::{App, Connection, NO_SCOPES, finexer, grant, mx, ofx, omnifund, tatrabanka};
use finrail_cli::drift::{self, Options, Source};
use finrail_cli::workspace::Workspace;
use serde_json::Value;
use support::speak;

/// What the client got out of the provider, or what stopped it.
type Outcome = Result<String, Box<dyn Error>>;

/// A page of which every item can be read.
fn whole<T>(page: ResponseValue<T>) -> Result<ResponseValue<T>, Box<dyn Error>> {
    match page.unreadable().first() {
        Some(item) => Err(Box::new(item.clone())),
        None => Ok(page),
    }
}

/// An app that talks to the sandbox.
macro_rules! app {
    ($sandbox:expr, $provider:ident) => {{
        let client = $sandbox.client(stringify!($provider));
        $provider::App::builder()
            .base_url($sandbox.url(stringify!($provider)))
            .oauth_base_url($sandbox.oauth_url(stringify!($provider)))
            .credentials($provider::Credentials::new(client.client_id, client.client_secret))
            .redirect_uri(client.redirect_uri)
            .build()?
    }};
}

async fn ofx(sandbox: &Sandbox) -> Outcome {
    let app = app!(sandbox, ofx);
    let rate = app
        .client_credentials([ofx::Scope::Ofxrates])?
        .get_rate()
        .from_currency("AUD")
        .to_currency("USD")
        .amount("1000.5".parse::<finrail::Decimal>()?)
        .send()
        .await?;
    let payments = app.client_credentials([ofx::Scope::Payments])?;
    let beneficiaries = payments.list_beneficiaries().send().await?;
    Ok(format!("{:?} {:?}", rate.into_inner(), beneficiaries.into_inner()))
}

async fn mx(sandbox: &Sandbox) -> Outcome {
    let app = app!(sandbox, mx);
    let user = consent(sandbox, &app, [mx::Scope::Customers, mx::Scope::Accounts]).await?;
    let customer = user.client().get_current_customer().send().await?;
    let accounts = user.client().list_accounts().items().try_collect().await?;
    Ok(format!("{:?} {accounts:?}", customer.into_inner()))
}

async fn omnifund(sandbox: &Sandbox) -> Outcome {
    let app = app!(sandbox, omnifund);
    let client = sandbox.client("omnifund");
    let user = consent(sandbox, &app, NO_SCOPES).await?;
    let customers = whole(user.client().list_customers().send().await?)?;
    let user = app.password(&client.username, client.password, NO_SCOPES).await?;
    let events = whole(user.client().list_events().send().await?)?;
    Ok(format!("{:?} {:?}", customers.into_inner(), events.into_inner()))
}

async fn tatra_banka(sandbox: &Sandbox) -> Outcome {
    let app = app!(sandbox, tatrabanka);
    let service = app.client_credentials([tatrabanka::Scope::PremiumAis])?;
    let agreed = service.create_consent().send().await?;
    let id = agreed.consent_id.clone().unwrap_or_default();
    let user = consent(sandbox, &app, [tatrabanka::Scope::PremiumAis.of(id)]).await?;
    let accounts = whole(user.client().list_accounts().send().await?)?;
    Ok(format!("{:?}", accounts.into_inner()))
}

async fn finexer(sandbox: &Sandbox) -> Outcome {
    let app = app!(sandbox, finexer);
    let user = consent(sandbox, &app, [finexer::Scope::CustomerRead]).await?;
    let customers = whole(user.client().list_customers().send().await?)?;
    let customer = customers.data.first().ok_or("no customer")?.id.clone();
    let consent = user
        .client()
        .create_consent()
        .body_map(|consent| {
            consent
                .customer(customer)
                .return_url("https://app.example/return")
                .scopes(["accounts", "balance"])
        })
        .send()
        .await?;
    Ok(format!("{:?} {:?}", customers.into_inner(), consent.into_inner()))
}

/// A user's consent, as a browser would give it.
async fn consent<P: grant::AuthorizationCode, S: Into<RequestedScope<P>>>(
    sandbox: &Sandbox,
    app: &App<P>,
    scopes: impl IntoIterator<Item = S>,
) -> Result<Connection<P>, Box<dyn Error>> {
    let authorization = app.authorize(scopes)?;
    let callback = sandbox.approve(authorization.url.as_str()).await?;
    Ok(app.finish(authorization.pending, &callback).await?)
}

/// The strongest class that drift finds.
fn class_of(provider: &str, spec: &Value, name: &str) -> String {
    let file = format!("proof-{provider}-{}.json", name.replace(' ', "-"));
    let file = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(file);
    std::fs::write(&file, spec.to_string()).unwrap_or_else(|error| panic!("{error}"));
    let options = Options {
        provider: provider.to_owned(),
        evidence: Source::Openapi {
            place: file.display().to_string(),
            complete: true,
        },
        json: true,
        today: "2026-11-22".to_owned(),
    };
    let (_, said) = speak(|shell| drift::run(&workspace(), &options, shell));
    let report: Value = serde_json::from_str(&said).unwrap_or_default();
    // Strongest first.
    report["findings"][0]["class"].as_str().unwrap_or("nothing").to_owned()
}

fn workspace() -> Workspace {
    Workspace::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."), "cargo xtask")
}

/// Every change of a provider, and where the client does not do what the class says.
async fn prove(provider: &str, changes: &[Change], flow: impl AsyncFn(&Sandbox) -> Outcome) {
    let bundle = workspace().read(&workspace().bundle(provider)).ok().flatten();
    let original: Value = serde_json::from_str(&bundle.unwrap_or_default()).unwrap_or_default();
    let mut wrong = Vec::new();
    for change in changes {
        let mut spec = original.clone();
        (change.apply)(&mut spec);
        let class = class_of(provider, &spec, change.name);
        let sandbox = Sandbox::start_from(([127, 0, 0, 1], 0).into(), &[&spec.to_string()])
            .await
            .unwrap_or_else(|error| panic!("{provider}, {}: {error}", change.name));
        let outcome = flow(&sandbox).await.map_err(|error| error.to_string());
        let said = outcome.as_ref().map_or_else(String::as_str, |_| "works");
        println!("{class:>15}  {}: {said}", change.name);
        // Only what breaks the wire may stop a client that is compiled already.
        let (Ok(says) | Err(says)) = &outcome;
        let as_said = outcome.is_err() == (change.class == "wire-breaking") && says.contains(change.says);
        if class != change.class || !as_said {
            wrong.push(format!(
                "{}: expected {} and {:?}, classed {class}, the client: {outcome:?}",
                change.name, change.class, change.says
            ));
        }
    }
    assert!(wrong.is_empty(), "{provider}:\n{}", wrong.join("\n"));
}

#[tokio::test]
async fn ofx_does_what_the_class_says() {
    prove("ofx", changes::OFX, ofx).await;
}

#[tokio::test]
async fn mx_does_what_the_class_says() {
    prove("mx", changes::MX, mx).await;
}

#[tokio::test]
async fn omnifund_does_what_the_class_says() {
    prove("omnifund", changes::OMNIFUND, omnifund).await;
}

#[tokio::test]
async fn tatra_banka_does_what_the_class_says() {
    prove("tatrabanka", changes::TATRABANKA, tatra_banka).await;
}

#[tokio::test]
async fn finexer_does_what_the_class_says() {
    prove("finexer", changes::FINEXER, finexer).await;
}
