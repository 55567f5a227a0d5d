//! MX Data Access: a user's accounts at one institution, then the revocation of the consent.
//!
//! `MX_BASE_URL=https://<institution> MX_CLIENT_ID=.. MX_CLIENT_SECRET=.. MX_REDIRECT_URI=.. cargo run --example mx`

use std::io::BufRead as _;
use std::process::ExitCode;

use finrail::mx::{App, Credentials, Scope};

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("mx: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), Box<dyn std::error::Error>> {
    let credentials = Credentials::from_env()?;
    let app = App::builder()
        .base_url(variable(
            "MX_BASE_URL",
            "the institution's host, such as https://fdx.bank.example",
        )?)
        .redirect_uri(variable(
            "MX_REDIRECT_URI",
            "a redirect URI that is registered for the client",
        )?)
        .credentials(credentials)
        .build()?;
    let authorization = app.authorize([Scope::Accounts, Scope::Transactions])?;
    println!(
        "Open this in a browser:\n\n{}\n\nthen paste the URL that the browser ends at:",
        authorization.url
    );
    let mut callback = String::new();
    std::io::stdin().lock().read_line(&mut callback)?;
    let user = app.finish(authorization.pending, callback.trim()).await?;
    let mut accounts = user.client().list_accounts().items();
    while let Some(account) = accounts.next().await {
        println!("{}", account?.kind());
    }
    user.revoke().await?;
    println!("the consent is revoked");
    Ok(())
}

fn variable(name: &str, meaning: &str) -> Result<String, String> {
    std::env::var(name).map_err(|_| format!("{name} is not set: {meaning}"))
}
