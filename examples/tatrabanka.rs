//! Tatra banka Premium: consent, authorization, accounts with balances.
//!
//! `TATRABANKA_CLIENT_ID=.. TATRABANKA_CLIENT_SECRET=.. TATRABANKA_REDIRECT_URI=.. cargo run --example tatrabanka`
//! talks to the bank's sandbox.

use std::io::BufRead as _;
use std::process::ExitCode;

use finrail::tatrabanka::{App, Credentials, Environment, Scope};

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("tatrabanka: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), Box<dyn std::error::Error>> {
    let [client_id, client_secret, redirect_uri] = variables([
        (
            "TATRABANKA_CLIENT_ID",
            "the application's id, from the bank's developer portal",
        ),
        ("TATRABANKA_CLIENT_SECRET", "its secret"),
        (
            "TATRABANKA_REDIRECT_URI",
            "a redirect URI that is registered for the application",
        ),
    ])?;
    let app = App::builder()
        .environment(Environment::Sandbox)
        .credentials(Credentials::new(client_id, client_secret))
        .redirect_uri(redirect_uri)
        .build()?;
    // The service token creates the consent, the user's token reads under it.
    let consent = app
        .client_credentials([Scope::PremiumAis])?
        .create_consent()
        .send()
        .await?;
    let consent_id = consent.consent_id.clone().ok_or("the bank gave no consent id")?;
    let authorization = app.authorize([Scope::PremiumAis.of(consent_id)])?;
    println!(
        "Open this in a browser:\n\n{}\n\nthen paste the URL that the browser ends at:",
        authorization.url
    );
    let mut callback = String::new();
    std::io::stdin().lock().read_line(&mut callback)?;
    let user = app.finish(authorization.pending, callback.trim()).await?;
    let accounts = user.client().list_accounts().with_balance(true).send().await?;
    for account in &accounts.accounts {
        println!(
            "{}: {} balances",
            account.display_name.as_deref().unwrap_or("(no name)"),
            account.balances.len()
        );
    }
    Ok(())
}

/// The values of these environment variables, or the names of all that are not set, each with what it is.
fn variables<const N: usize>(wanted: [(&str, &str); N]) -> Result<[String; N], String> {
    let values = wanted.map(|(name, _)| std::env::var(name).unwrap_or_default());
    let missing: Vec<String> = wanted
        .iter()
        .zip(&values)
        .filter(|(_, value)| value.is_empty())
        .map(|((name, meaning), _)| format!("\n  {name}: {meaning}"))
        .collect();
    if missing.is_empty() {
        Ok(values)
    } else {
        Err(format!("not set in the environment:{}", missing.concat()))
    }
}
