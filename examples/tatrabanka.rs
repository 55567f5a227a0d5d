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
    let credentials = Credentials::from_env()?;
    let redirect_uri = std::env::var("TATRABANKA_REDIRECT_URI")
        .map_err(|_| "TATRABANKA_REDIRECT_URI is not set: a redirect URI that is registered for the application")?;
    let app = App::builder()
        .environment(Environment::Sandbox)
        .credentials(credentials)
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
