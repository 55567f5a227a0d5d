//! Mocks: what a mocked server knows a call by, what it answers, and replies and errors that are made by hand.
#![cfg(feature = "mock")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "sandbox_support/panics.rs"]
mod panics;

use std::sync::Arc;
use std::time::Duration;

use finrail::mock::{self, httpmock::MockServer};
use finrail::transport::{CallOptions, ConnectionPoint, Outcome, Problem, Proof, RetryPolicy};
use finrail::{Decimal, Error, JsonMap, Secret, finexer, mx, ofx, omnifund, tatrabanka};
use panics::said_by_the_panic;

/// One token, for ever.
struct OneToken;

impl finrail::token::TokenSource for OneToken {
    fn ready(&self) -> Option<finrail::token::Bearer> {
        finrail::token::Bearer::new(&Secret::from("token-1"), 0).ok()
    }

    fn fresh(&self) -> finrail::BoxFuture<'_, Result<finrail::token::Bearer, finrail::token::Error>> {
        Box::pin(async { Ok(self.ready().unwrap()) })
    }

    fn rejected(
        &self,
        _: u64,
        _: finrail::token::Rejection,
    ) -> finrail::BoxFuture<'_, Result<finrail::token::Bearer, finrail::token::Error>> {
        self.fresh()
    }

    fn granted(&self) -> Option<Arc<finrail::ScopeSet>> {
        None
    }
}

macro_rules! client {
    ($client:ty, $server:expr) => {
        <$client>::builder()
            .base_url($server.base_url())
            .token_source(Arc::new(OneToken))
            .retry(RetryPolicy::none())
            .build()
            .unwrap()
    };
}

fn amount(digits: &str) -> Decimal {
    digits.parse().unwrap()
}

#[tokio::test]
async fn a_client_with_credentials_works_at_once_and_digits_arrive_as_they_are() {
    use ofx::mock::MockServerExt as _;
    let server = MockServer::start();
    let token = ofx::mock::token(&server);
    let rate: ofx::types::Rate = ofx::types::Rate::builder()
        .ofx_rate(amount("1.2345678901234567890123456"))
        .converted_amount(amount("12345678901234567.89"))
        .try_into()
        .unwrap();
    let asked = server.get_rate(|when, then| {
        when.from_currency("AUD").to_currency("USD").amount(amount("10.50"));
        then.ok(&rate);
    });
    let client = ofx::Client::builder()
        .base_url(server.base_url())
        .credentials(ofx::Credentials::new("client", "secret"))
        .client_credentials([ofx::Scope::Ofxrates])
        .build()
        .unwrap();
    let call = || client.get_rate().from_currency("AUD").to_currency("USD");
    let answered = call().amount(amount("10.50")).send().await.unwrap();
    assert_eq!(answered.converted_amount, Some(amount("12345678901234567.89")));
    assert_eq!(answered.ofx_rate, rate.ofx_rate);
    // Another amount is another call, and nobody answers it.
    let error = call().amount(amount("10.51")).send().await.unwrap_err();
    assert_eq!(error.status().unwrap().as_u16(), 404);
    assert_eq!((token.calls(), asked.calls()), (1, 1));
}

#[tokio::test]
async fn a_json_body_is_known_by_its_digits_and_an_error_comes_in_the_providers_form() {
    use ofx::mock::MockServerExt as _;
    let server = MockServer::start();
    let client = client!(ofx::Client, server);
    let deal = |quote: &str, amount: Decimal| {
        let beneficiary = ofx::types::DealBeneficiary::builder().amount(amount);
        let beneficiary = ofx::types::DealBeneficiary::try_from(beneficiary).unwrap();
        ofx::types::DealRequest::builder()
            .quote_id(quote)
            .beneficiaries([beneficiary])
    };
    let exact = amount("12345678901234567.89");
    let booked = server.create_deal(|when, then| {
        when.body(deal("q", exact))
            .callback_url("https://app.example.com/deals");
        then.success(201, &ofx::types::Deal(JsonMap::new()));
    });
    let refused = server.create_deal(|when, then| {
        when.body(deal("gone", exact));
        then.error(400, &ofx::types::ErrorReply::default())
            .header("x-request-id", "r-7");
    });
    let call = |quote: &str, amount| client.create_deal().body(deal(quote, amount));
    let with_url = |quote: &str, amount| call(quote, amount).callback_url("https://app.example.com/deals").send();
    // Both amounts would be the same binary float.
    // A call that no mock fits: nobody refused it.
    let error = with_url("q", amount("12345678901234567.88")).await.unwrap_err();
    assert_eq!((error.outcome(), error.proof()), (Outcome::Unknown, None), "{error}");
    assert!(!error.is_retryable());
    call("q", exact).send().await.unwrap_err();
    assert_eq!(booked.calls(), 0);
    assert_eq!(with_url("q", exact).await.unwrap().status().as_u16(), 201);
    let error = call("gone", exact).send().await.unwrap_err();
    assert!(matches!(error, Error::ErrorResponse(_)), "{error:?}");
    assert_eq!(
        (error.request_id(), refused.calls(), booked.calls()),
        (Some("r-7"), 1, 1)
    );
}

#[tokio::test]
async fn a_list_is_read_to_its_end() {
    use mx::mock::MockServerExt as _;
    let server = MockServer::start();
    let client = client!(mx::Client, server);
    let page = |next: Option<&str>| {
        let mut page = mx::types::Page::builder().total_elements(2);
        if let Some(next) = next {
            page = page.next_offset(next);
        }
        let page = mx::types::Page::try_from(page).unwrap();
        mx::types::Accounts::try_from(mx::types::Accounts::builder().page(page)).unwrap()
    };
    let first = server.list_accounts(|when, then| {
        when.limit(1).and(|when| when.query_param_missing("offset"));
        then.ok(&page(Some("a b")));
    });
    let last = server.list_accounts(|when, then| {
        when.offset("a b").limit(1);
        then.ok(&page(None));
    });
    let mut pages = client.list_accounts().limit(1).pages();
    let mut read = 0;
    while let Some(page) = pages.next().await {
        page.unwrap();
        read += 1;
    }
    assert_eq!((read, first.calls(), last.calls()), (2, 1, 1));
}

#[tokio::test]
async fn calls_of_other_clients_of_a_provider_are_mocked_beside_them() {
    use mx::registration::mock::MockServerExt as _;
    let server = MockServer::start();
    let deleted = server.delete_registered_client(|when, then| {
        when.client_id("c/1");
        then.status(404);
    });
    let client = mx::registration::Client::builder()
        .base_url(server.base_url())
        .registration_token("dcr-token")
        .unwrap()
        .build()
        .unwrap();
    let delete = |id: &str| client.delete_registered_client().client_id(id).send();
    delete("c/1").await.unwrap_err();
    delete("c/2").await.unwrap_err();
    deleted.assert();
}

#[tokio::test]
async fn lists_and_numbers_stand_in_the_query_as_the_client_writes_them() {
    use omnifund::mock::MockServerExt as _;
    let server = MockServer::start();
    let client = client!(omnifund::Client, server);
    let listed = server.list_transaction_history(|when, then| {
        when.ids([1, 2]).amount(amount("1.10"));
        then.json(200, "{}").header("x-request-id", "r-1");
    });
    let call = || client.list_transaction_history().amount(amount("1.10"));
    for ids in [vec![2, 1], vec![1], vec![1, 2, 3]] {
        call().ids(ids).send().await.unwrap_err();
    }
    assert_eq!(listed.calls(), 0);
    let _ = call().ids([1, 2]).send().await;
    listed.assert();
    let one = server.list_transaction_history(|when, then| {
        when.ids([1]);
        then.json(200, "{}");
    });
    for ids in [vec![1, 3], vec![2, 1], vec![1, 1]] {
        client.list_transaction_history().ids(ids).send().await.unwrap_err();
    }
    assert_eq!(one.calls(), 0);
    let _ = client.list_transaction_history().ids([1]).send().await;
    one.assert();
    let gone = server.delete_passport(|when, then| {
        when.id("p 7");
        then.success(204);
    });
    client.delete_passport().id("p 7").send().await.unwrap();
    gone.assert();
}

#[tokio::test]
async fn a_form_is_known_by_all_of_its_fields() {
    use finexer::mock::MockServerExt as _;
    let server = MockServer::start();
    let client = finexer::Client::builder()
        .base_url(server.base_url())
        .access_key("key", "")
        .build()
        .unwrap();
    let body = |order: &str| {
        finexer::types::CreateCustomerRequest::builder()
            .name("Ann & Co")
            .metadata([("order id", order), ("b", "2")].map(|(name, value)| (name.to_owned(), value.to_owned())))
    };
    let created = server.create_customer(|when, then| {
        when.body(body("a=1"));
        then.json(201, r#"{"id":"cus_1"}"#);
    });
    client.create_customer().body(body("a=2")).send().await.unwrap_err();
    client
        .create_customer()
        .body(body("a=1").email("a@b.example"))
        .send()
        .await
        .unwrap_err();
    assert_eq!(created.calls(), 0);
    let _ = client.create_customer().body(body("a=1")).send().await;
    created.assert();
}

#[tokio::test]
async fn a_path_belongs_to_one_operation_and_its_parameters_are_encoded() {
    use tatrabanka::mock::MockServerExt as _;
    let server = MockServer::start();
    let client = client!(tatrabanka::Client, server);
    let submit = |payment: &str| {
        let call = client.submit_payment().product("sepa-credit-transfers");
        call.payment_id(payment).authorization_id("a-1").send()
    };
    let body = tatrabanka::types::ApiError::builder().error_code("NO_CONTRACT");
    let body = tatrabanka::types::ApiError::try_from(body).unwrap();
    let refused = server.submit_payment(|when, then| {
        when.payment_id("p/7");
        then.error(403, &body);
    });
    submit("p").await.unwrap_err();
    submit("p%2F7").await.unwrap_err();
    assert_eq!(refused.calls(), 0);
    let error = submit("p/7").await.unwrap_err();
    assert_eq!(error.body().unwrap().error_code, body.error_code);
    refused.assert();

    let file = server.download_statement(|when, then| {
        when.account_id("a").statement_id("s");
        then.ok(b"PK");
    });
    let reply = client
        .download_statement()
        .account_id("a")
        .statement_id("s")
        .send()
        .await
        .unwrap();
    assert_eq!(reply.headers()["content-type"], "application/pdf");
    assert_eq!(reply.into_inner().bytes(10).await.unwrap(), "PK");
    file.assert();
}

#[tokio::test]
async fn a_reply_may_be_late_or_something_else_altogether() {
    use mx::mock::MockServerExt as _;
    let server = MockServer::start();
    let client = client!(mx::Client, server);
    let mut late = server.list_accounts(|_, then| {
        then.json(200, "{}").delay(Duration::from_secs(60));
    });
    let policy = RetryPolicy {
        attempt_timeout: Duration::from_millis(50),
        ..RetryPolicy::none()
    };
    let call = client.list_accounts().with(CallOptions::new().retry(policy));
    let Err(Error::Connection(error)) = call.send().await else {
        panic!("it came in time")
    };
    assert!(error.timeout, "{error}");
    late.delete();
    server.list_accounts(|_, then| {
        then.body(502, "text/html", "<html>");
    });
    let error = client.list_accounts().send().await.unwrap_err();
    assert_eq!(error.raw_body(), Some("<html>".as_bytes()), "{error}");
}

#[test]
fn what_a_test_got_wrong_is_told() {
    use mx::mock::MockServerExt as _;
    let server = MockServer::start();
    let said = said_by_the_panic(|| {
        server.list_accounts(|when, _| {
            when.limit(i64::MAX);
        })
    });
    assert!(said.contains("`limit` of list_accounts does not fit"), "{said}");
    let error = mx::types::ApiError::default();
    let said = said_by_the_panic(|| {
        server.list_accounts(|_, then| {
            then.error(200, &error);
        })
    });
    assert!(said.contains("200 is no error"), "{said}");
    let said = said_by_the_panic(|| mock::call::<mx::Provider>("list_acounts"));
    assert!(
        said.contains("mx has no operation `list_acounts`") && said.contains("list_accounts"),
        "{said}"
    );
    let call = mock::call::<ofx::Provider>("create_deal");
    for said in [
        said_by_the_panic(|| call.with_key()),
        said_by_the_panic(|| call.reply(()).status(99)),
        said_by_the_panic(|| call.reply(()).header("no header", "")),
        said_by_the_panic(|| call.error_reply(200, ())),
    ] {
        assert!(said.starts_with("the mock cannot be made: "), "{said}");
    }
}

#[test]
fn what_no_real_call_comes_to_is_not_made() {
    // No call without a key is made again after an attempt that may have taken effect, and none that only reads is in doubt.
    let deal = mock::call::<ofx::Provider>("create_deal").in_doubt();
    let list = mock::call::<mx::Provider>("list_accounts").in_doubt();
    let interrupted = || finrail::token::Error::Interrupted("cut off");
    for (call, part) in [(deal, "without a key"), (list, "changes nothing")] {
        for said in [
            said_by_the_panic(|| call.auth_error::<()>(interrupted())),
            said_by_the_panic(|| call.connection_error::<()>(ConnectionPoint::Connect, false)),
            said_by_the_panic(|| call.error_reply(400, ())),
            said_by_the_panic(|| call.reply(()).build()),
            said_by_the_panic(|| call.invalid_reply::<()>(400, Problem::Status, "{}")),
        ] {
            assert!(said.contains(part), "{said}");
        }
    }
    // What a call answers with is a success.
    for status in [199, 304, 400, 500] {
        let said = said_by_the_panic(|| {
            mock::call::<mx::Provider>("list_accounts")
                .reply(())
                .status(status)
                .build()
        });
        assert!(said.contains("is no success"), "{said}");
    }
}

#[test]
fn a_body_that_is_too_large_to_be_read_proves_nothing() {
    let deal = mock::call::<ofx::Provider>("create_deal");
    let text = |length| format!(r#"{{"code":"{}"}}"#, "x".repeat(length));
    let body = |length| serde_json::from_str::<JsonMap>(&text(length)).unwrap();
    let whole = deal.error_reply(400, body(60_000));
    assert_eq!(
        (whole.outcome(), whole.proof()),
        (Outcome::Rejected, Some(Proof::Assumed))
    );
    let busy = deal
        .reply(body(70_000))
        .status(429)
        .header("retry-after", "3")
        .into_error();
    assert!(busy.retry_after().is_some());
    for error in [
        deal.error_reply(400, body(70_000)),
        busy,
        deal.invalid_reply(400, Problem::Status, text(70_000)),
        deal.invalid_reply(400, Problem::TooLarge(65_536), "{}"),
    ] {
        assert_eq!((error.outcome(), error.proof()), (Outcome::Unknown, None), "{error}");
        assert!(error.to_string().contains("larger than 65536 bytes"), "{error}");
        assert!(error.body().is_none() && error.raw_body().is_none());
    }
}

#[test]
fn what_no_client_sends_and_no_server_answers_is_told_where_it_is_mocked() {
    use finexer::mock::MockServerExt as _;
    let server = MockServer::start();
    for id in ["", ".", ".."] {
        let said = said_by_the_panic(|| {
            server.get_customer(|when, _| {
                when.customer_id(id);
            })
        });
        assert!(said.contains("no client sends such a call"), "{id:?}: {said}");
    }
    for status in [0, 42, 101, 1000] {
        let said = said_by_the_panic(|| {
            server.get_customer(|_, then| {
                then.json(status, "{}");
            })
        });
        assert!(said.contains(&format!("status {status}")), "{said}");
    }
    for (name, value) in [("no header", ""), ("x-a", "a\nb")] {
        let said = said_by_the_panic(|| {
            server.get_customer(|_, then| {
                then.status(200).header(name, value);
            })
        });
        assert!(said.contains("is no header"), "{said}");
    }
}

// --- replies and errors made by hand

#[test]
fn a_reply_is_made_with_its_status_and_headers() {
    let reply = mock::call::<mx::Provider>("list_accounts").reply("value");
    let reply = reply.status(206).header("x-request-id", "r-1").build();
    assert_eq!((reply.operation(), reply.status().as_u16()), ("list_accounts", 206));
    assert_eq!((reply.request_id(), *reply), (Some("r-1"), "value"));
    assert!(!format!("{reply:?}").contains("value"));
}

#[test]
fn an_error_that_is_made_proves_what_a_real_one_would() {
    let body = tatrabanka::types::ApiError::builder().error_code("NO_CONTRACT");
    let own = tatrabanka::types::ApiError::try_from(body).unwrap();
    // The document says that 403 with `errorCode` is the bank's own.
    let list = mock::call::<tatrabanka::Provider>("list_accounts");
    for (call, status, outcome, proof) in [
        (list, 403, Outcome::Rejected, Some(Proof::Documented)),
        (list, 409, Outcome::Rejected, None),
        (list, 500, Outcome::Unknown, None),
    ] {
        let error = call.error_reply(status, own.clone());
        assert_eq!((error.outcome(), error.proof()), (outcome, proof), "{error}");
    }
    let deal = mock::call::<ofx::Provider>("create_deal");
    let assumed = deal.error_reply(400, JsonMap::new());
    assert_eq!(
        (assumed.outcome(), assumed.proof()),
        (Outcome::Rejected, Some(Proof::Assumed))
    );
    let gateway = deal.error_reply(429, JsonMap::new());
    assert_eq!((gateway.outcome(), gateway.is_retryable()), (Outcome::Unknown, false));
    let challenge = deal
        .reply(())
        .status(401)
        .header("www-authenticate", r#"Bearer error="invalid_token""#);
    assert_eq!(challenge.into_error().outcome(), Outcome::Rejected);
    let listed = mock::call::<mx::Provider>("list_accounts");
    let busy = listed.reply(()).status(429).header("retry-after", "3").into_error();
    assert!(busy.is_retryable() && busy.retry_after().is_some());
}

#[test]
fn a_connection_that_failed_says_whether_the_call_may_be_made_again() {
    let deal = mock::call::<ofx::Provider>("create_deal");
    let list = mock::call::<mx::Provider>("list_accounts");
    let revoke = mock::call::<finexer::Provider>("revoke_consent");
    for (call, point, outcome, retryable) in [
        (deal, ConnectionPoint::Connect, Outcome::NotSent, true),
        (deal, ConnectionPoint::Sent, Outcome::Unknown, false),
        (deal, ConnectionPoint::Reply, Outcome::Unknown, false),
        (revoke.in_doubt(), ConnectionPoint::Connect, Outcome::Unknown, true),
        (revoke.in_doubt(), ConnectionPoint::Sent, Outcome::Unknown, true),
        (list, ConnectionPoint::Sent, Outcome::Unknown, true),
        (list, ConnectionPoint::Reply, Outcome::Unknown, true),
    ] {
        for timeout in [false, true] {
            let error: Error = call.connection_error(point, timeout);
            assert_eq!((error.outcome(), error.is_retryable()), (outcome, retryable), "{error}");
            assert_eq!(error.kind(), if timeout { "timeout" } else { "connection" });
            assert!(error.to_string().contains("at localhost"), "{error}");
        }
    }
}

#[test]
fn a_token_that_is_missing_and_a_reply_that_cannot_be_read_are_made_too() {
    let deal = mock::call::<ofx::Provider>("create_deal");
    let none = || finrail::token::Error::NoGrant { key: "k".to_owned() };
    let error: Error = deal.auth_error(none());
    assert_eq!(
        (error.outcome(), error.kind()),
        (Outcome::NotSent, none().kind().into())
    );
    let revoke = mock::call::<finexer::Provider>("revoke_consent");
    let error: Error = revoke
        .in_doubt()
        .auth_error(finrail::token::Error::Interrupted("cut off"));
    assert_eq!((error.outcome(), error.is_retryable()), (Outcome::Unknown, true));
    let problem = Problem::NotJson {
        media_type: "text/html".to_owned(),
    };
    let error: Error = deal.invalid_reply(201, problem, "<html>secret");
    assert_eq!(
        (error.outcome(), error.kind()),
        (Outcome::Unknown, "invalid_reply".into())
    );
    assert_eq!(error.raw_body(), Some("<html>secret".as_bytes()));
    assert!(!format!("{error} {error:?}").contains("secret"));
    let error: Error = deal.invalid_reply(400, Problem::Status, "{}");
    assert_eq!(error.proof(), Some(Proof::Assumed));
}
