//! Five providers in one process: every grant, typed calls, expiry, refresh, revocation.
//!
//! `cargo run --example quickstart` needs nothing but a Rust toolchain: the
//! providers are played by the sandbox on loopback, from the same
//! specifications that the clients are generated from.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use finrail::oauth::RequestedScope;
use finrail::sandbox::{Sandbox, SandboxClient};
use finrail::token::{ManualClock, MemoryStore, TokenInfo};
use finrail::{App, Connection, NO_SCOPES, Provider, finexer, grant, mx, ofx, omnifund, tatrabanka};

type Step = Result<(), Box<dyn Error>>;

#[tokio::main]
async fn main() -> Step {
    let mut tour = Tour {
        sandbox: Sandbox::start().await?,
        clock: Arc::new(ManualClock::new()),
        store: Arc::new(MemoryStore::new()),
        rows: Vec::new(),
    };
    tour.ofx().await?;
    tour.mx().await?;
    tour.omnifund().await?;
    tour.tatra_banka().await?;
    tour.finexer().await?;
    tour.print();
    Ok(())
}

/// The sandbox, a clock that both sides follow, where the grants are kept, and what has been seen.
struct Tour {
    sandbox: Sandbox,
    clock: Arc<ManualClock>,
    store: Arc<MemoryStore>,
    rows: Vec<[String; 6]>,
}

/// Everything that an app needs to talk to the sandbox instead of the real host.
macro_rules! app {
    ($tour:expr, $provider:ident) => {{
        let client: SandboxClient = $tour.sandbox.client(stringify!($provider));
        $provider::App::builder()
            .base_url($tour.sandbox.url(stringify!($provider)))
            .oauth_base_url($tour.sandbox.oauth_url(stringify!($provider)))
            .credentials($provider::Credentials::new(client.client_id, client.client_secret))
            .redirect_uri(client.redirect_uri)
            .clock($tour.clock.clone())
            .store($tour.store.clone())
            .build()?
    }};
}

impl Tour {
    async fn ofx(&mut self) -> Step {
        let app = app!(self, ofx);

        let own = app.client_credentials([ofx::Scope::Payments])?;
        let page = own.list_beneficiaries().page_size(2).send().await?;
        let info = app.client_tokens([ofx::Scope::Payments])?.info();
        self.granted(
            "OFX",
            info,
            "client_credentials",
            "list_beneficiaries",
            format!("{} beneficiaries", page.len()),
        );
        let quote = own
            .create_quote()
            .body_map(|quote| {
                quote
                    .buy_currency("USD")
                    .buy_amount(1100)
                    .sell_currency("AUD")
                    .sell_amount(0)
            })
            .send()
            .await?;
        self.step("", "create_quote", format!("rate {}", shown(quote.customer_rate)));
        self.sleep(Duration::from_secs(3600));
        own.get_quote()
            .quote_id(quote.id.clone().unwrap_or_default())
            .send()
            .await?;
        self.step("expired", "get_quote", "fetched a new token, then the quote");

        let user = self.consent(&app, [ofx::Scope::Payments]).await?;
        let page = user.client().list_beneficiaries().send().await?;
        self.granted(
            "OFX",
            user.info(),
            "authorization_code",
            "list_beneficiaries",
            format!("{} beneficiaries", page.len()),
        );
        self.sleep(Duration::from_secs(3600));
        user.client().list_beneficiaries().send().await?;
        self.refreshed(&user, "list_beneficiaries")?;
        Ok(())
    }

    async fn mx(&mut self) -> Step {
        let app = app!(self, mx);
        let user = self
            .consent(
                &app,
                [mx::Scope::Customers, mx::Scope::Accounts, mx::Scope::Transactions],
            )
            .await?;
        let accounts = user.client().list_accounts().items().try_collect().await?;
        let kinds: Vec<&str> = accounts.iter().map(mx::types::Account::kind).collect();
        self.granted(
            "MX",
            user.info(),
            "authorization_code + PKCE",
            "list_accounts",
            kinds.join(", "),
        );
        if let Some(mx::types::Account::DepositAccount(account)) = accounts.first() {
            let id = account.account_id.clone().unwrap_or_default();
            let transactions = user
                .client()
                .list_account_transactions()
                .account_id(id)
                .items()
                .try_collect()
                .await?;
            self.step(
                "",
                "list_account_transactions",
                format!("{} transactions", transactions.len()),
            );
        }
        self.sleep(Duration::from_secs(2 * 24 * 3600));
        user.client().get_current_customer().send().await?;
        self.refreshed(&user, "get_current_customer")?;
        user.revoke().await?;
        let refused = user.client().list_accounts().send().await.err();
        let says = said(refused)?;
        self.step("revoked", "list_accounts", says);
        Ok(())
    }

    async fn omnifund(&mut self) -> Step {
        let app = app!(self, omnifund);
        let client = self.sandbox.client("omnifund");

        let user = app.password(&client.username, client.password, NO_SCOPES).await?;
        let customers = user.client().list_customers().send().await?;
        self.granted(
            "OmniFund",
            user.info(),
            "password",
            "list_customers",
            format!("{} customers", customers.hydra_member.len()),
        );
        self.sleep(Duration::from_secs(3600));
        user.client().list_customers().send().await?;
        self.refreshed(&user, "list_customers")?;

        let user = self.consent(&app, NO_SCOPES).await?;
        let events = user.client().list_events().items().try_collect().await?;
        self.granted(
            "OmniFund",
            user.info(),
            "authorization_code",
            "list_events",
            format!("{} events", events.len()),
        );
        Ok(())
    }

    async fn tatra_banka(&mut self) -> Step {
        let app = app!(self, tatrabanka);
        let service = app.client_credentials([tatrabanka::Scope::PremiumAis])?;
        let consent = service.create_consent().send().await?;
        let consent_id = consent.consent_id.clone().unwrap_or_default();
        let info = app.client_tokens([tatrabanka::Scope::PremiumAis])?.info();
        self.granted(
            "Tatra banka",
            info,
            "client_credentials",
            "create_consent",
            "a consent to be authorized",
        );

        let user = self
            .consent(&app, [tatrabanka::Scope::PremiumAis.of(consent_id)])
            .await?;
        let accounts = user.client().list_accounts().with_balance(true).send().await?;
        self.granted(
            "Tatra banka",
            user.info(),
            "authorization_code + PKCE",
            "list_accounts",
            format!("{} accounts", accounts.accounts.len()),
        );
        let account = accounts
            .accounts
            .first()
            .map(|account| account.account_id.clone())
            .unwrap_or_default();
        let transactions = user
            .client()
            .list_transactions()
            .account_id(account)
            .items()
            .try_collect()
            .await?;
        self.step("", "list_transactions", format!("{} transactions", transactions.len()));
        self.sleep(Duration::from_secs(24 * 3600));
        user.client().list_accounts().send().await?;
        self.refreshed(&user, "list_accounts")?;

        // A payment: the service initiates it, the user authorizes it, the user's token submits it.
        let service = app.client_credentials([tatrabanka::Scope::PremiumPis])?;
        let product = tatrabanka::service::types::PaymentProduct::from("sepa-credit-transfers");
        let order: tatrabanka::service::types::InitiatePaymentRequest = serde_json::from_str(
            r#"{"instructedAmount": {"amount": "12.50", "currency": "EUR"}, "creditorName": "Example s.r.o.",
                "creditorAccount": {"iban": "SK6911000000003968781519"}}"#,
        )?;
        let payment = service
            .initiate_payment()
            .product(product.clone())
            .body(order)
            .send()
            .await?;
        let payment_id = payment.payment_id.clone().unwrap_or_default();
        let authorization_id = payment.authorization_id.clone().unwrap_or_default();
        let initiated = payment
            .transaction_status
            .as_ref()
            .map_or("?", |status| status.as_str())
            .to_owned();
        let info = app.client_tokens([tatrabanka::Scope::PremiumPis])?.info();
        self.granted(
            "Tatra banka",
            info,
            "client_credentials",
            "initiate_payment",
            format!("status {initiated}"),
        );
        let payer = self
            .consent(&app, [tatrabanka::Scope::PremiumPis.of(authorization_id.clone())])
            .await?;
        payer
            .client()
            .submit_payment()
            .product(product.as_str())
            .payment_id(payment_id.clone())
            .authorization_id(authorization_id)
            .send()
            .await?;
        self.granted(
            "Tatra banka",
            payer.info(),
            "authorization_code + PKCE",
            "submit_payment",
            "submitted once, never repeated",
        );
        let status = service
            .get_payment_status()
            .product(product)
            .payment_id(payment_id)
            .send()
            .await?;
        let status = status
            .transaction_status
            .as_ref()
            .map_or("?", |status| status.as_str())
            .to_owned();
        self.step("", "get_payment_status", format!("status {status}"));
        Ok(())
    }

    async fn finexer(&mut self) -> Step {
        let app = app!(self, finexer);
        let user = self
            .consent(&app, [finexer::Scope::CustomerRead, finexer::Scope::CustomerWrite])
            .await?;
        let customers = user.client().list_customers().limit(2).send().await?;
        let account = user.extra().account_id.unwrap_or_default();
        self.granted(
            "Finexer",
            user.info(),
            "authorization_code",
            "list_customers",
            format!("{} customers of {account}", customers.data.len()),
        );
        let customer = customers
            .data
            .first()
            .map(|customer| customer.id.clone())
            .unwrap_or_default();
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
        let status = consent.status.as_ref().map_or("?", |status| status.as_str()).to_owned();
        self.step("", "create_consent", format!("consent with status {status}"));
        // No life was told, so the client learns from a 401 that the token is over.
        self.sleep(Duration::from_secs(7 * 24 * 3600));
        user.client().list_customers().send().await?;
        self.refreshed(&user, "list_customers")?;
        user.revoke().await?;
        let refused = user.client().list_customers().send().await.err();
        let says = said(refused)?;
        self.step("revoked", "list_customers", says);
        Ok(())
    }

    /// A user's consent, as a browser would give it.
    async fn consent<P: grant::AuthorizationCode, S: Into<RequestedScope<P>>>(
        &self,
        app: &App<P>,
        scopes: impl IntoIterator<Item = S>,
    ) -> Result<Connection<P>, Box<dyn Error>> {
        let authorization = app.authorize(scopes)?;
        let callback = self.sandbox.approve(authorization.url.as_str()).await?;
        Ok(app.finish(authorization.pending, &callback).await?)
    }

    /// Both sides' time goes on.
    fn sleep(&self, by: Duration) {
        self.clock.advance(by);
        self.sandbox.advance(by);
    }

    fn granted(&mut self, provider: &str, info: Option<TokenInfo>, grant: &str, call: &str, result: impl Into<String>) {
        let life = info
            .as_ref()
            .and_then(|info| info.expires_at.map(|end| end - info.obtained_at));
        let life = life.map_or("not told".to_owned(), |life| match life.num_seconds() {
            seconds if seconds % 3600 == 0 => format!("{} h", seconds / 3600),
            seconds => format!("{seconds} s"),
        });
        let scopes = info
            .map(|info| info.scopes.to_string())
            .filter(|scopes| !scopes.is_empty())
            .unwrap_or("none".into());
        self.row([provider, grant, &life, &scopes], call, result);
    }

    fn refreshed<P: Provider>(&mut self, user: &Connection<P>, call: &str) -> Step {
        let generation = user.info().map_or(0, |info| info.generation);
        if generation < 2 {
            return Err(format!("{call}: the token was not refreshed").into());
        }
        self.step(
            "expired",
            call,
            format!("refreshed by itself: token number {generation}"),
        );
        Ok(())
    }

    /// A further step with the tokens of the row above.
    fn step(&mut self, life: &str, call: &str, result: impl Into<String>) {
        self.row(["", "", life, ""], call, result);
    }

    fn row(&mut self, [provider, grant, life, scopes]: [&str; 4], call: &str, result: impl Into<String>) {
        self.rows
            .push([provider, grant, life, scopes, call, &result.into()].map(str::to_owned));
    }

    fn print(&self) {
        let head = ["provider", "grant", "token life", "scopes", "call", "result"].map(str::to_owned);
        let width = |column: usize| {
            std::iter::once(&head)
                .chain(&self.rows)
                .map(|row| row[column].chars().count())
                .max()
                .unwrap_or(0)
        };
        let widths: [usize; 6] = std::array::from_fn(width);
        let line = |row: &[String; 6]| {
            let cells: Vec<String> = row
                .iter()
                .zip(widths)
                .map(|(cell, width)| format!("{cell:width$}"))
                .collect();
            println!("{}", cells.join("  ").trim_end());
        };
        line(&head);
        line(&widths.map(|width| "-".repeat(width)));
        self.rows.iter().for_each(line);
        let sent: usize = ["ofx", "mx", "omnifund", "tatrabanka", "finexer"]
            .iter()
            .map(|p| self.sandbox.requests(p).len())
            .sum();
        println!(
            "\n5 providers, {} steps, {sent} requests on the wire, all on loopback. No step failed.",
            self.rows.len()
        );
    }
}

/// What a call under a revoked grant says.
fn said<E>(refused: Option<finrail::Error<E>>) -> Result<String, Box<dyn Error>> {
    match refused {
        Some(error) if error.reauthorization_required() => Ok(error.to_string()),
        _ => Err("a call under a revoked grant did not ask for a new authorization".into()),
    }
}

fn shown(value: Option<finrail::Decimal>) -> String {
    value.map_or("not told".to_owned(), |value| value.to_string())
}
