#![allow(clippy::unwrap_used, clippy::panic)]

use std::sync::{Arc, Mutex};

use futures_util::future::BoxFuture;
use http::StatusCode;

use super::*;
use crate::oauth::client_secret_source::{ClientSecretSource, ClientSecrets};
use crate::oauth::client_secrets::SecretSettings;
use crate::oauth::error::ServerError;

const WHOLE: Duration = Duration::from_secs(32);

/// Gives these, one after another, the last one again and again, each after a time.
struct Vault {
    gives: Vec<ClientSecrets>,
    after: Duration,
    readings: Mutex<usize>,
}

impl ClientSecretSource for Vault {
    fn read(&self) -> BoxFuture<'_, Result<ClientSecrets, Box<dyn std::error::Error + Send + Sync>>> {
        let mut readings = self.readings.lock().unwrap();
        let given = self.gives[(*readings).min(self.gives.len() - 1)].clone();
        *readings += 1;
        Box::pin(async move {
            tokio::time::sleep(self.after).await;
            Ok(given)
        })
    }
}

fn vault(gives: &[(&str, &str)], after: Duration) -> (KeptSecrets, Arc<Vault>) {
    let gives = gives.iter().map(|(one, other)| ClientSecrets::new(*one).other(*other));
    let vault = Arc::new(Vault {
        gives: gives.collect(),
        after,
        readings: Mutex::new(0),
    });
    let settings = SecretSettings {
        source: Some(Arc::clone(&vault) as _),
        fixed: Vec::new(),
    };
    (KeptSecrets::new(settings, WHOLE / 2), vault)
}

fn fixed(secrets: &[&str]) -> KeptSecrets {
    let settings = SecretSettings {
        source: None,
        fixed: secrets.iter().map(|secret| Secret::from(*secret)).collect(),
    };
    KeptSecrets::new(settings, WHOLE / 2)
}

fn server_error(code: &str, verdict: Verdict) -> Error {
    Error::Server(ServerError {
        request: "refresh",
        status: StatusCode::BAD_REQUEST,
        error: code.to_owned(),
        description: None,
        retry_after: None,
        verdict,
    })
}

fn refused() -> Error {
    server_error("invalid_client", Verdict::ClientMisconfigured)
}

/// Sends to a server that answers like this, after a time. Gives what came and every secret and timeout that was sent.
async fn send(
    secrets: &KeptSecrets,
    method: ClientAuthentication,
    takes: Duration,
    answer: impl Fn(&str) -> Result<(), Error> + Copy,
) -> (Result<(), Error>, Vec<(String, Duration)>) {
    let seen = Mutex::new(Vec::new());
    let outcome = with_a_secret(secrets, "refresh", method, WHOLE, |sending: Sending| {
        let secret = sending.client_secret().to_owned();
        seen.lock().unwrap().push((secret.clone(), sending.timeout));
        async move {
            tokio::time::sleep(takes.min(sending.timeout)).await;
            answer(&secret)
        }
    })
    .await;
    (outcome, seen.into_inner().unwrap())
}

fn names(seen: &[(String, Duration)]) -> Vec<&str> {
    seen.iter().map(|(secret, _)| secret.as_str()).collect()
}

/// Takes the client with this secret only.
fn takes(good: &'static str) -> impl Fn(&str) -> Result<(), Error> + Copy {
    move |secret| if secret == good { Ok(()) } else { Err(refused()) }
}

const NOW: Duration = Duration::ZERO;
const POST: ClientAuthentication = ClientAuthentication::Post;

#[tokio::test(start_paused = true)]
async fn every_secret_is_sent_once_until_one_is_taken() {
    for (gives, good, sent, readings) in [
        (&[("a", "")][..], "a", &["a"][..], 1),
        (&[("a", ""), ("b", "")], "b", &["a", "b"], 2),
        (&[("a", "b")], "b", &["a", "b"], 1),
        (&[("a", "b"), ("b", "c")], "c", &["a", "b", "c"], 2),
        // None is taken: the source is asked once more for one request, and not again.
        (&[("a", "")], "-", &["a"], 2),
        (&[("a", "b")], "-", &["a", "b"], 2),
        (&[("a", "b"), ("c", "d"), ("e", "f")], "-", &["a", "b", "c", "d"], 2),
        (&[("a", ""), ("b", ""), ("c", "")], "-", &["a", "b"], 2),
    ] {
        let (secrets, vault) = vault(gives, NOW);
        let (outcome, seen) = send(&secrets, POST, NOW, takes(good)).await;
        assert_eq!(names(&seen), sent);
        assert_eq!(*vault.readings.lock().unwrap(), readings, "{sent:?}");
        match outcome {
            Ok(()) => assert_ne!(good, "-"),
            Err(Error::Server(error)) => assert_eq!((error.error.as_str(), good), ("invalid_client", "-")),
            Err(other) => panic!("{other}"),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn one_request_asks_the_source_once_again_however_slow_the_server_is() {
    let (secrets, vault) = vault(&[("a", ""), ("b", ""), ("c", "")], NOW);
    let (_, seen) = send(&secrets, POST, Duration::from_secs(6), takes("c")).await;
    assert_eq!(names(&seen), ["a", "b"]);
    assert_eq!(*vault.readings.lock().unwrap(), 2);
    // The next request does.
    let (outcome, seen) = send(&secrets, POST, NOW, takes("c")).await;
    outcome.unwrap();
    assert_eq!(names(&seen), ["b", "c"]);
}

#[tokio::test(start_paused = true)]
async fn secrets_of_the_settings_are_tried_in_turn_and_the_one_that_was_taken_goes_first_afterwards() {
    let secrets = fixed(&["a", "b"]);
    for (good, sent) in [
        ("a", &["a"][..]),
        ("b", &["a", "b"]),
        ("b", &["b"]),
        ("-", &["b", "a"]),
        ("b", &["a", "b"]),
        ("a", &["b", "a"]),
        ("a", &["a"]),
    ] {
        let (_, seen) = send(&secrets, POST, NOW, takes(good)).await;
        assert_eq!(names(&seen), sent, "{good}");
    }
}

#[tokio::test(start_paused = true)]
async fn one_secret_of_the_settings_is_sent_once_with_all_of_the_time() {
    let (outcome, seen) = send(&fixed(&["a"]), POST, NOW, takes("-")).await;
    assert!(matches!(outcome, Err(Error::Server(error)) if error.error == "invalid_client"));
    assert_eq!(seen, [("a".to_owned(), WHOLE)]);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_sent_again_after_any_other_answer_and_after_none() {
    let lost = |sent| Error::Connection {
        request: "refresh",
        host: None,
        sent,
        source: None,
    };
    let reply = |status, in_doubt| Error::Reply {
        request: "refresh",
        status,
        problem: "odd",
        retry_after: None,
        in_doubt,
    };
    let transient = Verdict::Transient { retry_after: None };
    // (the answer, whether it says that the server took the client)
    let table: Vec<(Box<dyn Fn() -> Error>, bool)> = vec![
        (Box::new(|| server_error("invalid_grant", Verdict::Dead)), true),
        (
            Box::new(|| server_error("invalid_scope", Verdict::RequestRejected)),
            true,
        ),
        (
            Box::new(|| server_error("unauthorized_client", Verdict::ClientMisconfigured)),
            false,
        ),
        (
            Box::new(move || server_error("temporarily_unavailable", transient)),
            false,
        ),
        // A provider that documents another meaning of the code.
        (Box::new(move || server_error("invalid_client", transient)), false),
        (Box::new(|| server_error("invalid_client", Verdict::Dead)), true),
        (Box::new(move || reply(StatusCode::SERVICE_UNAVAILABLE, false)), false),
        (Box::new(move || reply(StatusCode::OK, true)), false),
        (Box::new(move || reply(StatusCode::UNAUTHORIZED, false)), false),
        (Box::new(move || lost(true)), false),
        (Box::new(move || lost(false)), false),
    ];
    for (answer, taken) in &table {
        let secrets = fixed(&["a", "b"]);
        let (outcome, seen) = send(&secrets, POST, NOW, |_| Err(answer())).await;
        assert_eq!(outcome.unwrap_err().to_string(), answer().to_string());
        assert_eq!(names(&seen), ["a"], "{}", answer());
        let second = fixed(&["a", "b"]);
        let (_, seen) = send(&second, POST, NOW, |secret| match secret {
            "a" => Err(refused()),
            _ => Err(answer()),
        })
        .await;
        assert_eq!(names(&seen), ["a", "b"]);
        let next = second.at_hand();
        assert_eq!(next.expose_secret() == "b", *taken, "{}", answer());
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_without_authentication_asks_nobody_for_a_secret_and_sends_once() {
    let (secrets, vault) = vault(&[("a", "b")], NOW);
    let (outcome, seen) = send(&secrets, ClientAuthentication::None, NOW, takes("-")).await;
    outcome.unwrap_err();
    assert_eq!(names(&seen), [""]);
    assert_eq!(*vault.readings.lock().unwrap(), 0);
}

#[tokio::test(start_paused = true)]
async fn readings_and_sendings_share_the_time_of_one_request() {
    let secs = Duration::from_secs;
    // (a reading takes, a sending takes, the times for the sendings, the end)
    for (reading, sending, timeouts, end) in [
        (0, 0, &[32, 32][..], 0),
        // The second reading may take half of what is left, which is too little for this source.
        (15, 1, &[17], 24),
        (4, 4, &[28, 20], 16),
        // A quarter of the time is enough for a sending. With less the source is not asked, or what it gave is for the next.
        (2, 10, &[30, 18], 24),
        (2, 20, &[30, 8], 32),
        (2, 21, &[30], 25),
        (2, 23, &[30], 25),
    ] {
        let (secrets, _) = vault(&[("a", ""), ("b", "")], secs(reading));
        let began = Instant::now();
        let (_, seen) = send(&secrets, POST, secs(sending), takes("b")).await;
        let given: Vec<u64> = seen.iter().map(|(_, timeout)| timeout.as_secs()).collect();
        assert_eq!(given, timeouts, "{reading} {sending}");
        assert_eq!(began.elapsed().as_secs(), end, "{reading} {sending}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_source_that_is_silent_for_half_of_the_time_is_an_error_that_says_that_nothing_was_sent() {
    let (secrets, _) = vault(&[("a", "")], WHOLE);
    let began = Instant::now();
    let (outcome, seen) = send(&secrets, POST, NOW, takes("a")).await;
    let error = outcome.unwrap_err();
    assert_eq!(began.elapsed(), WHOLE / 2);
    assert_eq!(names(&seen), [""; 0]);
    assert_eq!(error.verdict(), Verdict::NotSent);
    assert!(error.is_retryable() && error.leaves_the_code_unspent());
    assert_eq!(
        crate::value::with_causes(&error).to_string(),
        "refresh: nothing was sent, because the source of the client's secret gave none; look at the cause, and try again when the source can be used: the source gave no answer within 16 s"
    );
}
