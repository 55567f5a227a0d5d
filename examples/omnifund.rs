//! OmniFund: customers and their payment accounts.
//!
//! With an access key: `OMNIFUND_ACCESS_KEY=.. OMNIFUND_ACCESS_SECRET=.. cargo run --example omnifund`.
//! With a user's consent: `OMNIFUND_CLIENT_ID=.. OMNIFUND_CLIENT_SECRET=.. OMNIFUND_REDIRECT_URI=.. cargo run --example omnifund`.

use std::io::BufRead as _;
use std::process::ExitCode;

use finrail::omnifund::{App, Client, Credentials, Scope};

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("omnifund: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), Box<dyn std::error::Error>> {
    let client = match (
        std::env::var("OMNIFUND_ACCESS_KEY"),
        std::env::var("OMNIFUND_ACCESS_SECRET"),
    ) {
        (Ok(key), Ok(secret)) => Client::builder().access_key(key, secret).build()?,
        _ => connect().await?,
    };
    let customers = client.list_customers().send().await?;
    for customer in &customers.hydra_member {
        let name = customer
            .company
            .as_deref()
            .or(customer.last_name.as_deref())
            .unwrap_or("(no name)");
        println!("{name}: {} payment accounts", customer.payment_accounts.len());
    }
    Ok(())
}

async fn connect() -> Result<Client, Box<dyn std::error::Error>> {
    let redirect_uri = std::env::var("OMNIFUND_REDIRECT_URI").map_err(|_| {
        "set OMNIFUND_ACCESS_KEY and OMNIFUND_ACCESS_SECRET, or OMNIFUND_CLIENT_ID, OMNIFUND_CLIENT_SECRET and OMNIFUND_REDIRECT_URI"
    })?;
    let app = App::builder()
        .credentials(Credentials::from_env()?)
        .redirect_uri(redirect_uri)
        .build()?;
    let none: [Scope; 0] = [];
    let authorization = app.authorize(none)?;
    println!(
        "Open this in a browser:\n\n{}\n\nthen paste the URL that the browser ends at:",
        authorization.url
    );
    let mut callback = String::new();
    std::io::stdin().lock().read_line(&mut callback)?;
    Ok(app.finish(authorization.pending, callback.trim()).await?.into_client())
}
