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
    let [base_url, client_id, client_secret, redirect_uri] = variables([
        (
            "MX_BASE_URL",
            "the institution's host, such as https://fdx.bank.example",
        ),
        ("MX_CLIENT_ID", "the registered client"),
        ("MX_CLIENT_SECRET", "its secret"),
        (
            "MX_REDIRECT_URI",
            "the redirect URI of this institution and of no other, such as https://app.example/callback/first-bank",
        ),
    ])?;
    let app = App::builder()
        .base_url(base_url)
        .credentials(Credentials::new(client_id, client_secret))
        // One per institution: a callback from another institution's server is then refused, and no code goes astray.
        .redirect_uri(redirect_uri)
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
