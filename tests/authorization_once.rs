//! An authorization is finished once: by whichever tab, process or reload comes first, in its own session, in its time
//! (RFC 6749 sections 4.1.2 and 10.12, RFC 9700 section 4.7).
#![cfg(all(feature = "mx", feature = "file", feature = "encryption"))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod recorder;

use std::collections::HashMap;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use finrail::oauth::Error;
use finrail::token::store::{
    EncryptedStore, EncryptionKeys, FileStore, Lease, Leased, MemoryStore, StoredRecord, Swap, Swapped,
};
use finrail::token::{ManualClock, StoreError, TokenKey, TokenStore};
use finrail::{AppBuilder, mx};
use futures_util::future::BoxFuture;
use recorder::{Answer, Recorder};
use url::Url;

const REDIRECT: &str = "https://app.example.com/callback";
const SCOPES: [mx::Scope; 1] = [mx::Scope::Accounts];

fn builder(origin: &str, store: &Arc<dyn TokenStore>) -> AppBuilder<mx::Provider> {
    mx::App::builder()
        .base_url(origin)
        .redirect_uri(REDIRECT)
        .credentials(mx::Credentials::new("client", "secret"))
        .store(Arc::clone(store))
}

fn memory() -> Arc<dyn TokenStore> {
    Arc::new(MemoryStore::new())
}

async fn granting() -> Recorder {
    Recorder::granting(|_, _| Answer::json("{}")).await
}

fn state_in(url: &Url) -> String {
    let mut query = url.query_pairs();
    query.find(|(name, _)| name == "state").unwrap().1.into_owned()
}

fn callback(state: &str) -> String {
    format!("{REDIRECT}?code=code-of-{state}&state={state}")
}

fn is_used<T>(outcome: &Result<T, Error>) -> bool {
    matches!(outcome, Err(Error::AuthorizationUsed))
}

/// A web server cuts off the handler of a page that is loaded again or closed. The code is spent by then.
#[tokio::test]
async fn a_callback_whose_handler_is_cut_off_brings_the_grant_all_the_same() {
    for begun in [false, true] {
        let recorder = Recorder::with_tokens(
            |_, _| {
                let body = recorder::token(1);
                let head = format!(
                    "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
                    body.len()
                );
                Answer::Pieces(vec![(Duration::from_millis(300), [head, body].concat().into_bytes())])
            },
            |_, _| Answer::json("{}"),
        )
        .await;
        let app = builder(recorder.origin(), &memory()).build().unwrap();
        let authorization = app.authorize(SCOPES).unwrap().subject("user-1");
        let pending = authorization.pending.clone();
        let back = callback(pending.state().expose_secret());
        if begun {
            app.begin("session", authorization).await.unwrap();
        }
        let handler = async {
            match begun {
                true => app.complete("session", &back).await,
                false => app.finish(pending.clone(), &back).await,
            }
        };
        let cut_off = tokio::time::timeout(Duration::from_millis(100), handler).await;
        assert!(cut_off.is_err());
        // What is under way is waited for before a process ends.
        app.settled().await;
        let again = match begun {
            true => app.complete("session", &back).await,
            false => app.finish(pending, &back).await,
        };
        assert!(is_used(&again));
        let mut grants = app.grants();
        let key = grants.next().await.unwrap().unwrap().key;
        assert_eq!(key.subject, "user-1");
        assert!(app.connection(&key).await.unwrap().is_some());
        assert_eq!(recorder.token_requests().len(), 1);
    }
}

#[tokio::test]
async fn a_reloaded_callback_does_not_send_the_code_again() {
    let recorder = granting().await;
    let app = builder(recorder.origin(), &memory()).build().unwrap();

    // Kept by the application.
    let pending = app.authorize(SCOPES).unwrap().pending;
    let back = callback(pending.state().expose_secret());
    app.finish(pending.clone(), &back).await.unwrap();
    for _ in 0..3 {
        let error = app.finish(pending.clone(), &back).await.unwrap_err();
        assert!(matches!(error, Error::AuthorizationUsed), "{error:?}");
        assert!(error.to_string().contains("already used"), "{error}");
    }
    assert_eq!(recorder.token_requests().len(), 1);

    // Kept in the store.
    let url = app.begin("session", app.authorize(SCOPES).unwrap()).await.unwrap();
    let back = callback(&state_in(&url));
    app.complete("session", &back).await.unwrap();
    for _ in 0..3 {
        assert!(is_used(&app.complete("session", &back).await));
    }
    assert_eq!(recorder.token_requests().len(), 2);
}

#[tokio::test]
async fn what_was_begun_in_one_process_is_completed_in_another() {
    let recorder = granting().await;
    let store = memory();
    let app = || builder(recorder.origin(), &store).build().unwrap();
    let authorization = app().authorize(SCOPES).unwrap().subject("customer-42");
    let url = app().begin("session", authorization).await.unwrap();
    let user = app().complete("session", &callback(&state_in(&url))).await.unwrap();
    assert_eq!(user.subject(), "customer-42");
    assert!(
        recorder.seen()[0].field("code_verifier").is_some(),
        "the verifier was kept too"
    );
    assert!(is_used(&app().complete("session", &callback(&state_in(&url))).await));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_who_finish_at_once_one_sends_the_code() {
    let recorder = Arc::new(granting().await);
    let directory = std::env::temp_dir().join(format!("finrail-once-{}", uuid::Uuid::new_v4().simple()));
    for round in 0..4 {
        let store: Arc<dyn TokenStore> = match round % 2 {
            0 => memory(),
            _ => Arc::new(FileStore::open(&directory).unwrap()),
        };
        let app = || builder(recorder.origin(), &store).build().unwrap();
        let begun = round < 2;
        let authorization = app().authorize(SCOPES).unwrap();
        let pending = authorization.pending.clone();
        if begun {
            app().begin("session", authorization).await.unwrap();
        }
        let back = callback(pending.state().expose_secret());
        let before = recorder.token_requests().len();
        let tries: Vec<_> = (0..8)
            .map(|_| {
                let (app, pending, back) = (app(), pending.clone(), back.clone());
                tokio::spawn(async move {
                    match begun {
                        true => app.complete("session", &back).await.map(drop),
                        false => app.finish(pending, &back).await.map(drop),
                    }
                })
            })
            .collect();
        let mut finished = 0;
        for tried in tries {
            match tried.await.unwrap() {
                Ok(()) => finished += 1,
                Err(Error::AuthorizationUsed) => {}
                Err(other) => panic!("{other:?}"),
            }
        }
        assert_eq!(
            (finished, recorder.token_requests().len() - before),
            (1, 1),
            "round {round}"
        );
    }
    std::fs::remove_dir_all(&directory).unwrap();
}

/// The part of a child process in the test below; without its variables there is nothing to do.
#[tokio::test]
async fn a_child_process() {
    let Ok(origin) = std::env::var("ONCE_ORIGIN") else {
        return;
    };
    let [directory, back] = ["ONCE_DIRECTORY", "ONCE_CALLBACK"].map(|name| std::env::var(name).unwrap());
    let store: Arc<dyn TokenStore> = Arc::new(FileStore::open(directory).unwrap());
    let outcome = builder(&origin, &store)
        .build()
        .unwrap()
        .complete("session", &back)
        .await;
    match outcome {
        Ok(_) => println!("\nfinished"),
        Err(Error::AuthorizationUsed) => println!("\nused"),
        Err(other) => println!("\n{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_several_processes_one_sends_the_code() {
    let recorder = granting().await;
    let directory = std::env::temp_dir().join(format!("finrail-once-{}", uuid::Uuid::new_v4().simple()));
    let store: Arc<dyn TokenStore> = Arc::new(FileStore::open(&directory).unwrap());
    let app = builder(recorder.origin(), &store).build().unwrap();
    let url = app.begin("session", app.authorize(SCOPES).unwrap()).await.unwrap();
    let children: Vec<_> = (0..6)
        .map(|_| {
            Command::new(std::env::current_exe().unwrap())
                .args(["--exact", "a_child_process", "--nocapture"])
                .env("ONCE_ORIGIN", recorder.origin())
                .env("ONCE_DIRECTORY", &directory)
                .env("ONCE_CALLBACK", callback(&state_in(&url)))
                .stdout(Stdio::piped())
                .spawn()
                .unwrap()
        })
        .collect();
    let mut said: Vec<String> = Vec::new();
    for child in children {
        let output = tokio::task::spawn_blocking(|| child.wait_with_output().unwrap())
            .await
            .unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let lines = text.lines().filter(|line| ["finished", "used"].contains(line));
        said.extend(lines.map(str::to_owned));
    }
    said.sort();
    assert_eq!(said, ["finished", "used", "used", "used", "used", "used"]);
    assert_eq!(recorder.token_requests().len(), 1);
    std::fs::remove_dir_all(&directory).unwrap();
}

#[tokio::test]
async fn two_tabs_are_two_authorizations() {
    let recorder = granting().await;
    let app = builder(recorder.origin(), &memory()).build().unwrap();
    let mut states = Vec::new();
    for _ in 0..2 {
        let url = app.begin("session", app.authorize(SCOPES).unwrap()).await.unwrap();
        states.push(state_in(&url));
    }
    // The tab that was opened first comes back last.
    for state in states.iter().rev() {
        app.complete("session", &callback(state)).await.unwrap();
        let sent = recorder.token_requests().pop().unwrap();
        assert_eq!(sent.field("code"), Some(format!("code-of-{state}")));
    }
    assert_eq!(recorder.token_requests().len(), 2);
}

#[tokio::test]
async fn a_forged_callback_or_another_session_ends_no_login() {
    let recorder = granting().await;
    let store = memory();
    let app = builder(recorder.origin(), &store).build().unwrap();
    let url = app.begin("session", app.authorize(SCOPES).unwrap()).await.unwrap();
    let state = state_in(&url);
    let back = callback(&state);

    type Expected = fn(&Error) -> bool;
    let forged: [(&str, String, Expected); 8] = [
        ("session", callback("forged"), |e| {
            matches!(e, Error::UnknownAuthorization)
        }),
        ("session", format!("{REDIRECT}?code=c"), |e| {
            matches!(e, Error::StateMismatch)
        }),
        ("session", format!("{REDIRECT}?error=access_denied"), |e| {
            matches!(e, Error::StateMismatch)
        }),
        ("session", format!("{back}&iss=https://evil.example"), |e| {
            matches!(e, Error::IssuerMismatch)
        }),
        ("session", back.replace("app.example.com", "evil.example"), |e| {
            matches!(e, Error::RedirectUriMismatch)
        }),
        ("session", format!("{back}&code=second"), |e| {
            matches!(e, Error::Callback(_))
        }),
        // An attacker's callback in a user's browser, and a user without a session.
        ("another session", back.clone(), |e| matches!(e, Error::ForeignSession)),
        ("", back.clone(), |e| matches!(e, Error::ForeignSession)),
    ];
    for (session, forged, expected) in &forged {
        let error = app.complete(session, forged).await.unwrap_err();
        assert!(expected(&error), "{session} {forged}: {error:?}");
    }
    // The user changes their mind at the bank: no code is spent.
    let refused = format!("{REDIRECT}?error=access_denied&state={state}");
    assert!(app.complete("session", &refused).await.unwrap_err().refusal().is_some());
    // Another app does not take it, wherever the callback goes.
    let elsewhere = builder("https://other-bank.example", &store).build().unwrap();
    let error = elsewhere.complete("session", &back).await.unwrap_err();
    assert!(matches!(error, Error::ForeignPending), "{error:?}");
    assert!(recorder.seen().is_empty(), "nothing was sent");

    app.complete("session", &back).await.unwrap();
    // Who has no part in it does not learn that it was used.
    let error = app.complete("another session", &back).await.unwrap_err();
    assert!(matches!(error, Error::ForeignSession), "{error:?}");
    let error = app.begin("", app.authorize(SCOPES).unwrap()).await.unwrap_err();
    assert!(matches!(error, Error::NoSession), "{error:?}");
}

#[tokio::test]
async fn an_authorization_ends_after_its_time() {
    let recorder = granting().await;
    let clock = Arc::new(ManualClock::new());
    let minutes = |n: u64| Duration::from_secs(n * 60);
    for (lifetime, in_time, late) in [
        (None, minutes(10) - Duration::from_secs(1), minutes(10)),
        (Some(minutes(2)), minutes(2) - Duration::from_secs(1), minutes(2)),
        (Some(minutes(60)), minutes(59), minutes(60)),
    ] {
        for (wait, ends) in [(in_time, false), (late, true)] {
            let mut builder = builder(recorder.origin(), &memory()).clock(clock.clone());
            if let Some(lifetime) = lifetime {
                builder = builder.authorization_lifetime(lifetime);
            }
            let app = builder.build().unwrap();
            let before = recorder.token_requests().len();
            let pending = app.authorize(SCOPES).unwrap().pending;
            let url = app.begin("session", app.authorize(SCOPES).unwrap()).await.unwrap();
            clock.advance(wait);
            let kept = app
                .finish(pending.clone(), &callback(pending.state().expose_secret()))
                .await;
            let begun = app.complete("session", &callback(&state_in(&url))).await;
            for outcome in [kept, begun] {
                match outcome {
                    Ok(_) => assert!(!ends, "{lifetime:?} {wait:?}"),
                    Err(Error::AuthorizationEnded) => assert!(ends, "{lifetime:?} {wait:?}"),
                    Err(other) => panic!("{other:?}"),
                }
            }
            let sent = recorder.token_requests().len() - before;
            assert_eq!(sent, if ends { 0 } else { 2 });
        }
    }
}

#[tokio::test]
async fn a_callback_is_told_apart_as_used_for_as_long_as_it_might_be_reloaded() {
    let recorder = granting().await;
    let clock = Arc::new(ManualClock::new());
    let app = builder(recorder.origin(), &memory())
        .clock(clock.clone())
        .build()
        .unwrap();
    let url = app.begin("session", app.authorize(SCOPES).unwrap()).await.unwrap();
    let pending = app.authorize(SCOPES).unwrap().pending;
    let (begun, kept) = (callback(&state_in(&url)), callback(pending.state().expose_secret()));
    app.complete("session", &begun).await.unwrap();
    app.finish(pending.clone(), &kept).await.unwrap();
    for _ in 0..4 {
        clock.advance(Duration::from_secs(15 * 60));
        assert!(is_used(&app.complete("session", &begun).await));
        assert!(is_used(&app.finish(pending.clone(), &kept).await));
    }
    // Later it is over, and still not sent.
    clock.advance(Duration::from_secs(3600));
    app.complete("session", &begun).await.unwrap_err();
    let error = app.finish(pending.clone(), &kept).await.unwrap_err();
    assert!(matches!(error, Error::AuthorizationEnded), "{error:?}");
    assert_eq!(recorder.token_requests().len(), 2);
}

#[tokio::test]
async fn a_code_that_was_not_spent_may_be_sent_again_and_one_in_doubt_may_not() {
    let token = || Answer::json(recorder::token(1));
    for (first, unspent) in [
        (Answer::status(401, r#"{"error":"invalid_client"}"#), true),
        (Answer::status(429, "{}"), true),
        (Answer::Drop, false),
        (Answer::html(500, "<html>"), false),
        (Answer::html(502, "<html>"), false),
        (Answer::status(503, r#"{"error":"temporarily_unavailable"}"#), false),
        (Answer::status(400, r#"{"error":"of_no_standard"}"#), false),
        (Answer::status(400, r#"{"error":"invalid_grant"}"#), false),
    ] {
        for begun in [false, true] {
            let recorder = Recorder::in_order([first.clone(), token()]).await;
            let app = builder(recorder.origin(), &memory()).build().unwrap();
            let authorization = app.authorize(SCOPES).unwrap();
            let pending = authorization.pending.clone();
            let back = callback(pending.state().expose_secret());
            if begun {
                app.begin("session", authorization).await.unwrap();
            }
            let mut again = Vec::new();
            for _ in 0..2 {
                again.push(match begun {
                    true => app.complete("session", &back).await,
                    false => app.finish(pending.clone(), &back).await,
                });
            }
            let (second, first) = (again.pop().unwrap(), again.pop().unwrap());
            let error = first.as_ref().unwrap_err();
            // Whoever tries the same callback again as the error says is not told that it is used.
            assert!(
                unspent || !(error.is_retryable() || error.may_succeed_later()),
                "{error:?}"
            );
            let says = error.to_string();
            let over = ["start the authorization again", "the user has to authorize again"];
            assert_eq!(over.iter().any(|over| says.contains(over)), !unspent, "{says}");
            assert!(unspent || !says.contains("try again later"), "{says}");
            assert_eq!(second.is_ok(), unspent, "{:?} then {:?}", first.err(), second.err());
            assert_eq!(recorder.token_requests().len(), if unspent { 2 } else { 1 });
        }
    }
}

#[tokio::test]
async fn a_request_that_never_left_spends_nothing() {
    let nowhere = "http://127.0.0.1:1";
    let store = memory();
    let app = builder(nowhere, &store).build().unwrap();
    let pending = app.authorize(SCOPES).unwrap().pending;
    for _ in 0..2 {
        let error = app
            .finish(pending.clone(), &callback(pending.state().expose_secret()))
            .await
            .unwrap_err();
        assert!(matches!(error, Error::Connection { sent: false, .. }), "{error:?}");
    }
}

/// As an application kept it in a session before this was known: it does not say when it ends.
#[tokio::test]
async fn a_pending_authorization_of_an_earlier_version_is_used_once_too() {
    let recorder = granting().await;
    let app = builder(recorder.origin(), &memory()).build().unwrap();
    let mut json = serde_json::to_value(app.authorize(SCOPES).unwrap().pending).unwrap();
    json.as_object_mut().unwrap().remove("until").unwrap();
    let pending: finrail::oauth::Pending = serde_json::from_value(json).unwrap();
    let back = callback(pending.state().expose_secret());
    app.finish(pending.clone(), &back).await.unwrap();
    assert!(is_used(&app.finish(pending, &back).await));
}

/// A store that shows what it was given, and can be away or change nothing without a lease.
#[derive(Default)]
struct Watched {
    inner: MemoryStore,
    away: AtomicBool,
    needs_a_lease: bool,
    /// Writes arrive, and nobody is told.
    loses_answers: AtomicBool,
    keys: Mutex<Vec<TokenKey>>,
    records: Mutex<HashMap<String, Vec<u8>>>,
}

impl Watched {
    fn is_there(&self) -> Result<(), StoreError> {
        match self.away.load(Ordering::SeqCst) {
            true => Err(StoreError::unavailable("answer", "it is away")),
            false => Ok(()),
        }
    }

    fn texts(&self) -> Vec<String> {
        let records = self.records.lock().unwrap();
        records
            .values()
            .map(|bytes| String::from_utf8_lossy(bytes).into_owned())
            .collect()
    }
}

impl TokenStore for Watched {
    fn load<'a>(&'a self, key: &'a TokenKey) -> BoxFuture<'a, Result<Option<StoredRecord>, StoreError>> {
        Box::pin(async move {
            self.is_there()?;
            self.inner.load(key).await
        })
    }

    fn swap<'a>(&'a self, key: &'a TokenKey, swap: Swap) -> BoxFuture<'a, Result<Swapped, StoreError>> {
        Box::pin(async move {
            self.is_there()?;
            if self.needs_a_lease && swap.fence == 0 {
                return Ok(Swapped::Fenced);
            }
            self.keys.lock().unwrap().push(key.clone());
            let next = swap.next.clone();
            let swapped = self.inner.swap(key, swap).await?;
            if swapped == Swapped::Done {
                let mut records = self.records.lock().unwrap();
                match next {
                    Some(next) => records.insert(key.storage_id(), next.bytes.to_vec()),
                    None => records.remove(&key.storage_id()),
                };
            }
            match self.loses_answers.load(Ordering::SeqCst) {
                true => Err(StoreError::unavailable("answer", "the answer was lost")),
                false => Ok(swapped),
            }
        })
    }

    fn lease<'a>(
        &'a self,
        key: &'a TokenKey,
        holder: &'a str,
        ttl: Duration,
    ) -> BoxFuture<'a, Result<Leased, StoreError>> {
        self.inner.lease(key, holder, ttl)
    }

    fn release<'a>(&'a self, key: &'a TokenKey, lease: Lease) -> BoxFuture<'a, Result<(), StoreError>> {
        self.inner.release(key, lease)
    }
}

#[tokio::test]
async fn neither_state_nor_session_is_in_a_key_and_an_encrypted_store_shows_no_verifier() {
    let recorder = granting().await;
    let watched = Arc::new(Watched::default());
    let keys = EncryptionKeys::new(1, [7; 32]);
    let store: Arc<dyn TokenStore> = Arc::new(EncryptedStore::new(watched.clone(), keys));
    let app = builder(recorder.origin(), &store).build().unwrap();
    let authorization = app.authorize(SCOPES).unwrap();
    let json = serde_json::to_value(&authorization.pending).unwrap();
    let [state, verifier] = ["state", "verifier"].map(|field| json[field].as_str().unwrap().to_owned());
    app.begin("the-session-id", authorization).await.unwrap();
    let under_way = watched.texts();
    app.complete("the-session-id", &callback(&state)).await.unwrap();
    let shown = format!("{:?} {under_way:?} {:?}", watched.keys.lock().unwrap(), watched.texts());
    assert!(under_way.len() == 1 && shown.contains("authorization"), "{shown}");
    for secret in [state.as_str(), &verifier, "the-session-id"] {
        assert!(!shown.contains(secret), "{shown}");
    }

    // Without encryption the session is a hash all the same, and nothing secret is left once it is used.
    let watched = Arc::new(Watched::default());
    let store: Arc<dyn TokenStore> = watched.clone();
    let app = builder(recorder.origin(), &store).build().unwrap();
    let url = app
        .begin("the-session-id", app.authorize(SCOPES).unwrap())
        .await
        .unwrap();
    assert!(watched.texts().iter().all(|text| !text.contains("the-session-id")));
    app.complete("the-session-id", &callback(&state_in(&url)))
        .await
        .unwrap();
    let left = watched.texts();
    assert!(
        left.iter()
            .all(|text| !text.contains(&state_in(&url)) && !text.contains("verifier")),
        "{left:?}"
    );
}

#[tokio::test]
async fn a_store_that_changes_nothing_without_a_lease_is_asked_for_one() {
    let recorder = granting().await;
    let store: Arc<dyn TokenStore> = Arc::new(Watched {
        needs_a_lease: true,
        ..Watched::default()
    });
    let app = || builder(recorder.origin(), &store).build().unwrap();
    let url = app().begin("session", app().authorize(SCOPES).unwrap()).await.unwrap();
    let back = callback(&state_in(&url));
    let (one, other) = (app(), app());
    let (one, other) = tokio::join!(one.complete("session", &back), other.complete("session", &back));
    assert!(
        one.is_ok() != other.is_ok() && (is_used(&one) || is_used(&other)),
        "{:?} {:?}",
        one.err(),
        other.err()
    );
    assert_eq!(recorder.token_requests().len(), 1);
}

#[tokio::test]
async fn while_the_store_is_away_no_code_is_sent_and_afterwards_it_is() {
    let recorder = granting().await;
    let watched = Arc::new(Watched::default());
    let store: Arc<dyn TokenStore> = watched.clone();
    let app = builder(recorder.origin(), &store).build().unwrap();
    let pending = app.authorize(SCOPES).unwrap().pending;
    let back = callback(pending.state().expose_secret());
    watched.away.store(true, Ordering::SeqCst);
    let error = app.finish(pending.clone(), &back).await.unwrap_err();
    assert!(matches!(error, Error::AuthorizationStore { .. }), "{error:?}");
    assert!(error.is_retryable(), "the same callback may be tried again");
    assert!(recorder.seen().is_empty(), "the code is not spent");
    watched.away.store(false, Ordering::SeqCst);
    app.finish(pending, &back).await.unwrap();
}

#[tokio::test]
async fn a_callback_whose_mark_had_no_answer_may_be_tried_again_in_the_same_process() {
    for begun in [true, false] {
        let recorder = granting().await;
        let watched = Arc::new(Watched::default());
        let store: Arc<dyn TokenStore> = watched.clone();
        let app = || builder(recorder.origin(), &store).build().unwrap();
        let (process, other) = (app(), app());
        let authorization = process.authorize(SCOPES).unwrap().subject("customer-42");
        let pending = authorization.pending.clone();
        let back = callback(pending.state().expose_secret());
        if begun {
            process.begin("session", authorization).await.unwrap();
        }
        let finish = async |app: &mx::App| match begun {
            true => app.complete("session", &back).await,
            false => app.finish(pending.clone(), &back).await,
        };
        for _ in 0..2 {
            watched.loses_answers.store(true, Ordering::SeqCst);
            let error = finish(&process).await.unwrap_err();
            watched.loses_answers.store(false, Ordering::SeqCst);
            assert!(matches!(error, Error::AuthorizationStore { .. }), "{error:?}");
            // Another process cannot tell whether the code was sent.
            assert!(is_used(&finish(&other).await), "begun: {begun}");
        }
        assert!(recorder.seen().is_empty(), "the code is not sent");
        let (one, two) = tokio::join!(finish(&process), finish(&process));
        let user = match (one, two) {
            (Ok(user), used) | (used, Ok(user)) if is_used(&used) => user,
            other => panic!("begun {begun}: {other:?}"),
        };
        assert_eq!(user.subject(), "customer-42");
        assert!(is_used(&finish(&process).await) && is_used(&finish(&other).await));
        assert_eq!(recorder.token_requests().len(), 1, "begun: {begun}");
    }
}

#[tokio::test]
async fn authorizations_that_are_over_do_not_pile_up() {
    let recorder = granting().await;
    let clock = Arc::new(ManualClock::new());
    let watched = Arc::new(Watched::default());
    let store: Arc<dyn TokenStore> = watched.clone();
    let app = builder(recorder.origin(), &store).clock(clock.clone()).build().unwrap();
    for day in 0..20 {
        for login in 0..5 {
            let url = app.begin("session", app.authorize(SCOPES).unwrap()).await.unwrap();
            // Every other user never comes back.
            if login % 2 == 0 {
                let user = app.complete("session", &callback(&state_in(&url))).await.unwrap();
                user.tokens().forget().await.unwrap();
            }
        }
        let left = watched
            .texts()
            .iter()
            .filter(|text| !text.contains("tombstone"))
            .count();
        assert!(left <= 10, "{left} after {day} days");
        clock.advance(Duration::from_secs(86_400));
    }
}
