//! The six clients: which of their calls is of which kind, and how each of them says that a call succeeded.

use std::fmt::Debug;
use std::sync::Arc;

use finrail::transport::{Items, ResponseValue, RetryPolicy};
use finrail::{AppBuilder, Decimal, Error, Provider, finexer, mx, ofx, omnifund, tatrabanka};
use serde::Deserialize;

use crate::connected::{NO_SCOPES, OneToken, REDIRECT};

/// What a call is to the rules of repeating.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// One thing is read, with an amount in it.
    Read,
    /// A list is read in pages, item by item, with an amount in each.
    List,
    /// An effect that may not be repeated is asked for, with a body.
    Money,
    /// The same without a body.
    MoneyWithoutBody,
}

/// How a list says where it goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Paging {
    Cursor,
    Link,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bank {
    Ofx,
    Mx,
    Omnifund,
    Tatrabanka,
    Finexer,
    /// The sixth, which is generated from `codegen/tests/own-bank/bank.json` and known nowhere else.
    Sixth,
}

/// In the order of the matrix's columns.
pub const BANKS: [Bank; 6] = [
    Bank::Ofx,
    Bank::Mx,
    Bank::Omnifund,
    Bank::Tatrabanka,
    Bank::Finexer,
    Bank::Sixth,
];

pub const SECRET: &str = "planted-client-secret";

impl Bank {
    pub fn name(self) -> &'static str {
        match self {
            Self::Ofx => "OFX",
            Self::Mx => "MX",
            Self::Omnifund => "OmniFund",
            Self::Tatrabanka => "Tatra banka",
            Self::Finexer => "Finexer",
            Self::Sixth => "a sixth",
        }
    }

    /// OFX has no list with pages, MX only reads, and a call without a body that may act once is rare.
    pub fn has(self, kind: Kind) -> bool {
        match kind {
            Kind::Read => true,
            Kind::List => self.paging().is_some(),
            Kind::Money => self != Self::Mx,
            Kind::MoneyWithoutBody => matches!(self, Self::Tatrabanka | Self::Finexer),
        }
    }

    pub fn paging(self) -> Option<Paging> {
        match self {
            Self::Ofx => None,
            Self::Mx | Self::Sixth => Some(Paging::Cursor),
            Self::Omnifund | Self::Tatrabanka | Self::Finexer => Some(Paging::Link),
        }
    }

    /// Whether its specification says by which statuses and members a reply that refuses a payment is known to be its own:
    /// 400, 409 and 422 with `code`.
    pub fn documents_refusals(self) -> bool {
        self == Self::Sixth
    }

    /// Whether the call of this kind carries an amount of money.
    pub fn sends_amount(self) -> bool {
        self != Self::Finexer
    }

    /// The status and the body of a call that succeeded. `amount` is JSON.
    pub fn success(self, kind: Kind, amount: &str) -> (u16, String) {
        match (self, kind) {
            (Self::Ofx, Kind::Read) => (200, format!(r#"{{"id":"q-1","buyAmount":{amount}}}"#)),
            (Self::Mx | Self::Omnifund | Self::Sixth, Kind::Read) => (200, self.item(0, amount)),
            (Self::Tatrabanka, Kind::Read) => (
                200,
                format!(r#"{{"account":{{"accountId":"a","balances":[{{"balanceAmount":{{"amount":{amount}}}}}]}}}}"#),
            ),
            (Self::Finexer, Kind::Read) => (200, format!(r#"{{"data":[{{"current":{amount}}}]}}"#)),
            (_, Kind::List) => (200, self.page(&[self.item(0, amount)], None)),
            (Self::Finexer, Kind::Money) => (200, r#"{"id":"cst_1"}"#.to_owned()),
            (Self::Tatrabanka, Kind::Money) => (201, r#"{"paymentId":"p"}"#.to_owned()),
            (Self::Sixth, Kind::Money) => (201, r#"{"id":"t-1"}"#.to_owned()),
            (_, Kind::Money | Kind::MoneyWithoutBody) => (200, "{}".to_owned()),
        }
    }

    /// An item of the list, as JSON.
    pub fn item(self, number: usize, amount: &str) -> String {
        match self {
            Self::Ofx => unreachable!("OFX has no list with pages"),
            Self::Mx => format!(r#"{{"depositAccount":{{"accountId":"a{number}","currentBalance":{amount}}}}}"#),
            Self::Omnifund => format!(r#"{{"id":{number},"amount":{amount}}}"#),
            Self::Tatrabanka => {
                format!(r#"{{"transactionId":"t{number}","transactionAmount":{{"amount":{amount},"currency":"EUR"}}}}"#)
            }
            Self::Finexer => format!(r#"{{"id":"t{number}","amount":{amount}}}"#),
            Self::Sixth => format!(r#"{{"id":"a{number}","balance":{amount}}}"#),
        }
    }

    /// A page of the list. `next` is the cursor or the link.
    pub fn page(self, items: &[String], next: Option<&str>) -> String {
        let items = items.join(",");
        let next = |form: fn(&str) -> String| next.map(|next| form(&serde_json::to_string(next).unwrap()));
        let (list, rest) = match self {
            Self::Ofx => unreachable!("OFX has no list with pages"),
            Self::Mx => ("accounts", next(|next| format!(r#","page":{{"nextOffset":{next}}}"#))),
            Self::Omnifund => (
                "hydra:member",
                next(|next| format!(r#","hydra:view":{{"hydra:next":{next}}}"#)),
            ),
            Self::Tatrabanka => (
                "transactions",
                next(|next| format!(r#","_links":{{"next":{{"href":{next}}}}}"#)),
            ),
            Self::Finexer => ("data", next(|next| format!(r#","paging":{{"next":{next}}}"#))),
            Self::Sixth => ("accounts", next(|next| format!(r#","next":{next}"#))),
        };
        format!(r#"{{"{list}":[{items}]{}}}"#, rest.unwrap_or_default())
    }

    /// Where the list is, so that a link can lead to it.
    pub fn list_path(self) -> &'static str {
        match self {
            Self::Ofx | Self::Mx | Self::Sixth => "/accounts",
            Self::Omnifund => "/api/transactions-history",
            Self::Tatrabanka => "/v5/accounts/a/transactions",
            Self::Finexer => "/bank_accounts/ba/transactions",
        }
    }
}

/// What a client is set up with.
#[derive(Clone)]
pub struct Setup {
    pub api: String,
    /// Where tokens are had; without it the client has one token, for ever.
    pub oauth: Option<String>,
    pub retry: RetryPolicy,
    pub limits: Option<finrail::transport::Limits>,
    pub http: Http,
    pub amount: Decimal,
    /// Text of the call's body.
    pub text: String,
}

/// The HTTP client.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Http {
    #[default]
    Usual,
    /// With settings of the caller's that are not granted: redirects, repeats.
    Settings,
    /// The caller's own, which follows redirects and repeats what HTTP/2 did not take.
    Own,
    /// That speaks HTTP/2.
    UsualHttp2,
    OwnHttp2,
    /// That waits for a connection for a fifth of a second.
    Impatient,
}

/// What a call came to.
pub struct Came {
    /// Of all that was read.
    pub amounts: Vec<String>,
    pub unreadable: usize,
    pub error: Option<Error>,
    /// What errors and replies print of themselves.
    pub shown: String,
}

impl Came {
    fn new() -> Self {
        Self {
            amounts: Vec::new(),
            unreadable: 0,
            error: None,
            shown: String::new(),
        }
    }

    fn failed<E>(&mut self, error: Error<E>)
    where
        Error<E>: std::error::Error,
    {
        let mut behind: Option<&dyn std::error::Error> = Some(&error);
        while let Some(one) = behind {
            self.shown.push_str(&format!("{one} {one:#} {one:?} {one:#?}\n"));
            behind = one.source();
        }
        self.error = Some(error.into_untyped());
    }

    fn replied<T, E>(result: Result<ResponseValue<T>, Error<E>>, read: impl FnOnce(&T) -> Option<Decimal>) -> Self
    where
        Error<E>: std::error::Error,
        ResponseValue<T>: Debug,
    {
        let mut came = Self::new();
        match result {
            Ok(reply) => {
                came.amounts.extend(read(&reply).map(|amount| amount.to_string()));
                came.shown.push_str(&format!("{reply:?}"));
            }
            Err(error) => came.failed(error),
        }
        came
    }

    async fn listed<T, E>(mut items: Items<'_, T, E>, read: impl Fn(&T) -> Option<Decimal>) -> Self
    where
        Error<E>: std::error::Error,
    {
        let mut came = Self::new();
        while let Some(item) = items.next().await {
            match item {
                Ok(item) => came
                    .amounts
                    .push(read(&item).map_or("none".to_owned(), |amount| amount.to_string())),
                Err(error @ Error::UnreadableItem(_)) => {
                    came.unreadable += 1;
                    came.failed(error);
                    came.error = None;
                }
                Err(error) => {
                    came.failed(error);
                    break;
                }
            }
        }
        came
    }
}

fn builder<P: Provider>(setup: &Setup) -> AppBuilder<P> {
    let app = configured(finrail::App::<P>::builder().redirect_uri(REDIRECT), setup)
        .base_url(&setup.api)
        .credentials(finrail::Credentials::new("client", SECRET));
    match &setup.oauth {
        Some(oauth) => app.oauth_base_url(oauth),
        None => app,
    }
}

fn configured<P: Provider>(app: AppBuilder<P>, setup: &Setup) -> AppBuilder<P> {
    let app = app.retry(setup.retry);
    let app = match &setup.limits {
        Some(limits) => app.limits(*limits),
        None => app,
    };
    let follow = || reqwest::redirect::Policy::limited(5);
    let own = || {
        let _ = rustls::crypto::ring::default_provider().install_default();
        reqwest::Client::builder().redirect(follow())
    };
    match setup.http {
        Http::Usual => app,
        Http::Settings => app.http(move |http| {
            let repeats = reqwest::retry::for_host("127.0.0.1").max_retries_per_request(3);
            http.redirect(follow()).retry(repeats)
        }),
        Http::Impatient => app.http(|http| http.connect_timeout(std::time::Duration::from_millis(200))),
        Http::UsualHttp2 => app.http(|http| http.http2_prior_knowledge()),
        Http::Own => app.http_client(own().build().unwrap()),
        Http::OwnHttp2 => app.http_client(own().http2_prior_knowledge().build().unwrap()),
    }
}

/// The client of an application itself.
macro_rules! service {
    ($client:path, $provider:path, $setup:expr, $scopes:expr) => {
        match $setup.oauth {
            Some(_) => builder::<$provider>($setup)
                .build()
                .unwrap()
                .client_credentials($scopes)
                .unwrap(),
            None => with_one_token!($client, $setup),
        }
    };
}

/// The client of a user.
macro_rules! of_user {
    ($bank:ident, $setup:expr, $scopes:expr) => {
        match $setup.oauth {
            Some(_) => connect!($bank, builder($setup).build().unwrap(), $scopes).into_client(),
            None => with_one_token!($bank::Client, $setup),
        }
    };
}

macro_rules! with_one_token {
    ($client:path, $setup:expr) => {{
        let setup = $setup.clone();
        <$client>::builder()
            .base_url(&setup.api)
            .with(move |app| configured(app, &setup))
            .token_source(Arc::new(OneToken))
            .build()
            .unwrap()
    }};
}

/// A client that makes calls of one kind.
pub enum Client {
    Ofx(ofx::Client),
    Mx(mx::Client),
    Omnifund(omnifund::Client),
    Tatrabanka(tatrabanka::Client),
    TatrabankaService(tatrabanka::service::Client),
    Finexer(finexer::Client),
    Sixth(own_bank::Client),
}

impl Client {
    pub async fn of(bank: Bank, kind: Kind, setup: &Setup) -> Self {
        match (bank, kind) {
            (Bank::Ofx, _) => Self::Ofx(service!(ofx::Client, ofx::Provider, setup, ["payments"])),
            (Bank::Mx, _) => Self::Mx(of_user!(mx, setup, ["accounts"])),
            (Bank::Omnifund, _) => Self::Omnifund(of_user!(omnifund, setup, NO_SCOPES)),
            (Bank::Tatrabanka, Kind::Money) => Self::TatrabankaService(service!(
                tatrabanka::service::Client,
                tatrabanka::Provider,
                setup,
                ["PREMIUM_PIS"]
            )),
            (Bank::Tatrabanka, Kind::MoneyWithoutBody) => {
                Self::Tatrabanka(of_user!(tatrabanka, setup, [tatrabanka::Scope::PremiumPis.of("a")]))
            }
            (Bank::Tatrabanka, _) => Self::Tatrabanka(of_user!(tatrabanka, setup, ["PREMIUM_AIS"])),
            (Bank::Finexer, _) => Self::Finexer(of_user!(finexer, setup, NO_SCOPES)),
            (Bank::Sixth, _) => Self::Sixth(service!(
                own_bank::Client,
                own_bank::Provider,
                setup,
                [own_bank::Scope::Accounts, own_bank::Scope::Transfers]
            )),
        }
    }

    pub async fn call(&self, kind: Kind, setup: &Setup) -> Came {
        let (amount, text) = (setup.amount, setup.text.clone());
        match (self, kind) {
            (Self::Ofx(client), Kind::Money) => {
                let payee = ofx::types::DealBeneficiary::builder().amount(amount);
                let payee = ofx::types::DealBeneficiary::try_from(payee).unwrap();
                let deal = client
                    .create_deal()
                    .body_map(|deal| deal.quote_id(text).beneficiaries([payee]));
                Came::replied(deal.send().await, |_| None)
            }
            (Self::Ofx(client), _) => {
                let quote = client.get_quote().quote_id("q-1");
                Came::replied(quote.send().await, |quote| quote.buy_amount)
            }
            (Self::Mx(client), Kind::List) => Came::listed(client.list_accounts().items(), balance).await,
            (Self::Mx(client), _) => {
                let account = client.get_account().account_id("a");
                Came::replied(account.send().await, balance)
            }
            (Self::Omnifund(client), Kind::List) => {
                Came::listed(client.list_transaction_history().items(), |item| item.amount).await
            }
            (Self::Omnifund(client), Kind::Money) => {
                let passport = client.create_passport().body_map(|passport| {
                    let passport = passport.type_(omnifund::types::PassportType::Email);
                    let passport = passport.po_number("PO-1").reference_id("INV-1").description(text);
                    let passport = passport.line_items(Vec::<serde_json::Value>::new());
                    passport.sub_total(amount).tax(0).discount(0).total(amount)
                });
                Came::replied(passport.send().await, |_| None)
            }
            (Self::Omnifund(client), _) => Came::replied(client.get_transaction().id(7).send().await, |transaction| {
                transaction.amount
            }),
            (Self::Tatrabanka(client), Kind::List) => {
                let list = client.list_transactions().account_id("a");
                Came::listed(list.items(), |item| item.transaction_amount.as_ref()?.amount).await
            }
            (Self::Tatrabanka(client), Kind::MoneyWithoutBody) => {
                let payment = client.submit_payment().product("sepa-credit-transfers");
                let payment = payment.payment_id("p").authorization_id("a");
                Came::replied(payment.send().await, |_| None)
            }
            (Self::Tatrabanka(client), _) => {
                let account = client.get_account().account_id("a");
                Came::replied(account.send().await, |reply| {
                    let balance = reply.account.as_ref()?.balances.first()?;
                    balance.balance_amount.as_ref()?.amount
                })
            }
            (Self::TatrabankaService(client), _) => {
                use tatrabanka::service::types::{PaymentAccount, PaymentAmount};
                let payment = client.initiate_payment().product("sepa-credit-transfers");
                let payment = payment.body_map(|payment| {
                    payment
                        .creditor_name(text)
                        .creditor_account(PaymentAccount::builder().iban("SK0811000000002600000000"))
                        .instructed_amount(PaymentAmount::builder().amount(amount).currency("EUR"))
                });
                Came::replied(payment.send().await, |_| None)
            }
            (Self::Finexer(client), Kind::List) => {
                let list = client.list_transactions().bank_account_id("ba");
                Came::listed(list.items(), |item| item.amount).await
            }
            (Self::Finexer(client), Kind::Money) => {
                let consent = client.create_consent().body_map(|consent| consent.customer(text));
                Came::replied(consent.send().await, |_| None)
            }
            (Self::Finexer(client), Kind::MoneyWithoutBody) => {
                let sync = client.start_sync().bank_account_id("ba");
                Came::replied(sync.send().await, |_| None)
            }
            (Self::Finexer(client), Kind::Read) => {
                let balance = client.get_balance().bank_account_id("ba");
                Came::replied(balance.send().await, |reply| reply.data.first()?.current)
            }
            (Self::Sixth(client), Kind::List) => {
                Came::listed(client.list_accounts().items(), |account| account.balance).await
            }
            (Self::Sixth(client), Kind::Money) => {
                let transfer = client
                    .create_transfer()
                    .body_map(|transfer| transfer.amount(amount).to(text));
                Came::replied(transfer.send().await, |_| None)
            }
            (Self::Sixth(client), _) => {
                let account = client.get_account().id("a");
                Came::replied(account.send().await, |account| account.balance)
            }
        }
    }
}

fn balance(account: &mx::types::Account) -> Option<Decimal> {
    match account {
        mx::types::Account::DepositAccount(account) => account.current_balance,
        _ => None,
    }
}
