//! Finexer: the customers of a connected account.
//!
//! With one's own key: `FINEXER_API_KEY=.. cargo run --example finexer`.
//! For another account: `FINEXER_CLIENT_ID=.. FINEXER_CLIENT_SECRET=.. cargo run --example finexer`.

use std::io::BufRead as _;
use std::process::ExitCode;

use finrail::finexer::{App, Client, Credentials, Scope};

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("finexer: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), Box<dyn std::error::Error>> {
    let client = match std::env::var("FINEXER_API_KEY") {
        Ok(key) => Client::builder().access_key(key, "").build()?,
        Err(_) => connect().await?,
    };
    let customers = client.list_customers().limit(20).send().await?;
    for customer in &customers.data {
        println!("{}: {}", customer.id, customer.name.as_deref().unwrap_or("(no name)"));
    }
    Ok(())
}

async fn connect() -> Result<Client, Box<dyn std::error::Error>> {
    let credentials = Credentials::from_env().map_err(|error| format!("{error}; or set FINEXER_API_KEY"))?;
    let app = App::builder().credentials(credentials).build()?;
    let authorization = app.authorize([Scope::CustomerRead])?;
    println!(
        "Open this in a browser:\n\n{}\n\nthen paste the URL that the browser ends at:",
        authorization.url
    );
    let mut callback = String::new();
    std::io::stdin().lock().read_line(&mut callback)?;
    let user = app.finish(authorization.pending, callback.trim()).await?;
    println!(
        "connected to account {}",
        user.extra().account_id.as_deref().unwrap_or("(not told)")
    );
    Ok(user.into_client())
}
