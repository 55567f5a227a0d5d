//! OFX: the beneficiaries of the application's own account, and an indicative rate.
//!
//! `OFX_CLIENT_ID=.. OFX_CLIENT_SECRET=.. cargo run --example ofx` talks to the OFX sandbox;
//! with `OFX_ENVIRONMENT=production` to production.

use std::env::VarError;
use std::process::ExitCode;

use finrail::ofx::{Client, Credentials, Environment, Scope};

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("ofx: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), Box<dyn std::error::Error>> {
    let environment = match std::env::var("OFX_ENVIRONMENT") {
        Ok(name) if name == "production" => Environment::Production,
        Ok(name) if name == "sandbox" => Environment::Sandbox,
        // A word that is mistyped must not decide where money is.
        Ok(name) => return Err(format!("OFX_ENVIRONMENT is `{name}`: it can be `sandbox` or `production`").into()),
        Err(VarError::NotPresent) => Environment::Sandbox,
        Err(error) => return Err(format!("OFX_ENVIRONMENT: {error}").into()),
    };
    let client = Client::builder()
        .environment(environment)
        .credentials(Credentials::from_env()?)
        .client_credentials([Scope::Payments])
        .build()?;
    let beneficiaries = client.list_beneficiaries().page_size(10).send().await?;
    println!("{} beneficiaries", beneficiaries.len());
    for beneficiary in beneficiaries.iter() {
        let name = beneficiary.name.as_deref().unwrap_or("(no name)");
        let currency = beneficiary.currency.as_deref().unwrap_or("?");
        println!("  {name} ({currency})");
    }
    Ok(())
}
