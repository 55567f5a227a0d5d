//! OmniFund: customers and their payment accounts.
//!
//! With an access key: `OMNIFUND_ACCESS_KEY=.. OMNIFUND_ACCESS_SECRET=.. cargo run --example omnifund`.
//! With a user's consent: `OMNIFUND_CLIENT_ID=.. OMNIFUND_CLIENT_SECRET=.. OMNIFUND_REDIRECT_URI=.. cargo run --example omnifund`.

use std::io::BufRead as _;
use std::process::ExitCode;

use finrail::NO_SCOPES;
use finrail::omnifund::{App, Client, Credentials};

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
    const KEY: [(&str, &str); 2] = [
        ("OMNIFUND_ACCESS_KEY", "the access key"),
        ("OMNIFUND_ACCESS_SECRET", "its secret"),
    ];
    // One part of the key is enough to know that it was meant.
    let has_key = KEY
        .iter()
        .any(|(name, _)| std::env::var(name).is_ok_and(|value| !value.is_empty()));
    let client = if has_key {
        let [key, secret] = variables(KEY).map_err(|missing| format!("a part of the access key is {missing}"))?;
        Client::builder().access_key(key, secret).build()?
    } else {
        connect().await?
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
    let [client_id, client_secret, redirect_uri] = variables([
        ("OMNIFUND_CLIENT_ID", "the registered client"),
        ("OMNIFUND_CLIENT_SECRET", "its secret"),
        (
            "OMNIFUND_REDIRECT_URI",
            "a redirect URI that is registered for the client",
        ),
    ])
    .map_err(|missing| format!("{missing}\nor set OMNIFUND_ACCESS_KEY and OMNIFUND_ACCESS_SECRET instead"))?;
    let app = App::builder()
        .credentials(Credentials::new(client_id, client_secret))
        .redirect_uri(redirect_uri)
        .build()?;
    let authorization = app.authorize(NO_SCOPES)?;
    println!(
        "Open this in a browser:\n\n{}\n\nthen paste the URL that the browser ends at:",
        authorization.url
    );
    let mut callback = String::new();
    std::io::stdin().lock().read_line(&mut callback)?;
    Ok(app.finish(authorization.pending, callback.trim()).await?.into_client())
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
