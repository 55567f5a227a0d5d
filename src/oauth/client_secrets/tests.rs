#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::VecDeque;

use futures_util::future::BoxFuture;
use tokio::task::JoinSet;

use super::*;

const LIMIT: Duration = Duration::from_secs(15);
const TICK: Duration = Duration::from_millis(1);

/// What the source does with a reading. The last one is done again and again.
#[derive(Clone, Copy)]
enum Does {
    Gives(&'static str),
    GivesTwo(&'static str, &'static str),
    GivesAfter(Duration, &'static str),
    Fails,
    IsSilent,
    PanicsAtOnce,
    PanicsLater,
}

#[derive(Default)]
struct Vault {
    script: Mutex<VecDeque<Does>>,
    readings: Mutex<usize>,
}

impl Vault {
    fn readings(&self) -> usize {
        *self.readings.lock().unwrap()
    }
}

impl ClientSecretSource for Vault {
    fn read(&self) -> BoxFuture<'_, Result<ClientSecrets, Box<dyn std::error::Error + Send + Sync>>> {
        *self.readings.lock().unwrap() += 1;
        let mut script = self.script.lock().unwrap();
        let does = script.pop_front().unwrap();
        if script.is_empty() {
            script.push_back(does);
        }
        drop(script);
        if matches!(does, Does::PanicsAtOnce) {
            panic!("the vault is broken");
        }
        Box::pin(async move {
            match does {
                Does::Gives(secret) => Ok(ClientSecrets::new(secret)),
                Does::GivesTwo(one, other) => Ok(ClientSecrets::new(one).other(other)),
                Does::GivesAfter(time, secret) => {
                    tokio::time::sleep(time).await;
                    Ok(ClientSecrets::new(secret))
                }
                Does::Fails => Err("the vault is sealed".into()),
                Does::IsSilent => std::future::pending().await,
                Does::PanicsAtOnce | Does::PanicsLater => panic!("the vault is broken"),
            }
        })
    }
}

fn kept(script: impl IntoIterator<Item = Does>) -> (KeptSecrets, Arc<Vault>) {
    let vault = Arc::new(Vault::default());
    vault.script.lock().unwrap().extend(script);
    let source: Arc<dyn ClientSecretSource> = Arc::clone(&vault) as _;
    let settings = SecretSettings {
        source: Some(source),
        fixed: Vec::new(),
    };
    (KeptSecrets::new(settings, LIMIT), vault)
}

fn fixed(secrets: &[&str]) -> KeptSecrets {
    let settings = SecretSettings {
        source: None,
        fixed: all(secrets),
    };
    KeptSecrets::new(settings, LIMIT)
}

fn all(secrets: &[&str]) -> Vec<Secret> {
    secrets.iter().map(|secret| Secret::from(*secret)).collect()
}

async fn first(secrets: &KeptSecrets) -> String {
    secrets.first(LIMIT).await.unwrap().expose_secret().to_owned()
}

#[test]
fn the_secret_that_was_taken_last_goes_first_and_a_refused_one_not_at_all() {
    let read = |one: &str, other: &str| Some(ClientSecrets::new(one).other(other));
    for (read, fixed, taken, refused, choice) in [
        // (from the source), (from the settings), (taken last), (refused for this request)
        (None, &[][..], None, &[][..], None),
        (None, &["a"], None, &[], Some("a")),
        (None, &["a"], None, &["a"], None),
        (None, &["a", "b"], None, &[], Some("a")),
        (None, &["a", "b"], Some("b"), &[], Some("b")),
        (None, &["a", "b"], Some("b"), &["b"], Some("a")),
        (None, &["a", "b"], Some("b"), &["b", "a"], None),
        // One that was taken once, and is given no more.
        (None, &["a", "b"], Some("c"), &[], Some("a")),
        (read("a", "b"), &[], None, &[], Some("a")),
        (read("a", "b"), &[], Some("b"), &[], Some("b")),
        (read("a", "b"), &[], Some("b"), &["b"], Some("a")),
        (read("a", ""), &[], None, &["a"], None),
        (read("a", ""), &["b"], None, &["a"], Some("b")),
        (read("a", ""), &["b"], Some("b"), &[], Some("b")),
        // The same secret twice is one secret.
        (read("a", "a"), &["a"], None, &["a"], None),
    ] {
        let state = State {
            read,
            taken: taken.map(Secret::from),
            ..State::default()
        };
        let chosen = state.choice(&all(fixed), &all(refused));
        let chosen = chosen.as_ref().map(Secret::expose_secret);
        assert_eq!(chosen, choice, "{fixed:?} {taken:?} {refused:?}");
    }
}

#[test]
fn what_was_taken_is_forgotten_when_it_is_refused_and_not_when_another_one_is() {
    let secrets = fixed(&["a", "b"]);
    secrets.took(&"b".into());
    secrets.refused(&"a".into());
    assert_eq!(secrets.at_hand().expose_secret(), "b");
    secrets.refused(&"b".into());
    assert_eq!(secrets.at_hand().expose_secret(), "a");
}

#[tokio::test]
async fn secrets_of_the_settings_are_at_hand_and_nobody_is_asked_for_others() {
    let secrets = fixed(&["a"]);
    assert_eq!(first(&secrets).await, "a");
    assert!(secrets.known(&all(&["a"])).is_none());
    assert!(secrets.read_again(&all(&["a"]), LIMIT).await.is_none());
}

#[tokio::test(start_paused = true)]
async fn callers_at_the_same_time_are_one_reading_and_later_ones_are_none() {
    let (secrets, vault) = kept([Does::GivesAfter(Duration::from_secs(1), "a")]);
    let mut callers = JoinSet::new();
    for _ in 0..50 {
        let secrets = secrets.clone();
        callers.spawn(async move { first(&secrets).await });
    }
    assert_eq!(callers.join_all().await, vec!["a"; 50]);
    assert_eq!(first(&secrets).await, "a");
    assert_eq!(vault.readings(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_goes_away_does_not_end_the_reading_of_the_others() {
    let (secrets, vault) = kept([Does::GivesAfter(Duration::from_secs(2), "a"), Does::Gives("b")]);
    let leaves = tokio::time::timeout(Duration::from_secs(1), secrets.first(LIMIT));
    let stays = secrets.clone();
    let stays = tokio::spawn(async move {
        tokio::task::yield_now().await;
        first(&stays).await
    });
    leaves.await.unwrap_err();
    assert_eq!(stays.await.unwrap(), "a");
    // Without anybody who waits, too.
    let (secrets, alone) = kept([Does::GivesAfter(Duration::from_secs(2), "a")]);
    let leaves = tokio::time::timeout(Duration::from_secs(1), secrets.first(LIMIT));
    leaves.await.unwrap_err();
    tokio::time::sleep(LIMIT).await;
    assert_eq!(secrets.at_hand().expose_secret(), "a");
    assert_eq!((vault.readings(), alone.readings()), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn whatever_the_source_does_is_an_error_for_all_who_wait_and_it_is_asked_again_after_a_second() {
    for (does, said) in [
        (Does::Fails, "the source failed: the vault is sealed"),
        (Does::IsSilent, "the source gave no answer within 15 s"),
        (
            Does::Gives(""),
            "the secret that the source gave is empty; store the one that the provider registered",
        ),
        (
            Does::Gives(" \n"),
            "the secret that the source gave is empty; store the one that the provider registered",
        ),
        (Does::PanicsAtOnce, "the source panicked; correct it"),
        (Does::PanicsLater, "the source panicked; correct it"),
    ] {
        let (secrets, vault) = kept([does, Does::Gives("a")]);
        for error in futures_util::future::join_all((0..3).map(|_| secrets.first(LIMIT * 2))).await {
            assert_eq!(with_causes(&error.unwrap_err()).to_string(), said);
        }
        tokio::time::sleep(AFTER_A_FAILURE - TICK).await;
        assert_eq!(with_causes(&secrets.first(LIMIT).await.unwrap_err()).to_string(), said);
        assert_eq!(vault.readings(), 1, "{said}");
        tokio::time::sleep(TICK).await;
        assert_eq!(first(&secrets).await, "a");
        assert_eq!(vault.readings(), 2, "{said}");
    }
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_longer_than_their_own_time() {
    let (secrets, vault) = kept([Does::GivesAfter(Duration::from_secs(10), "a")]);
    let began = Instant::now();
    let error = secrets.first(Duration::from_secs(4)).await.unwrap_err();
    assert!(matches!(error, ClientSecretError::Silent(time) if time.as_secs() == 4));
    assert_eq!(began.elapsed().as_secs(), 4);
    // The reading goes on for the next one.
    assert_eq!(first(&secrets).await, "a");
    assert_eq!(vault.readings(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_refused_client_is_a_reason_to_read_again_once_in_five_seconds() {
    let (secrets, vault) = kept([Does::Gives("a"), Does::Gives("a"), Does::Gives("b")]);
    let refused = all(&[&first(&secrets).await]);
    // The first reading does not count: the secret may have been replaced right after it.
    for _ in 0..100 {
        let all_at_once = (0..100).map(|_| secrets.read_again(&refused, LIMIT));
        let found = futures_util::future::join_all(all_at_once).await;
        assert!(found.iter().all(Option::is_none));
    }
    assert_eq!(vault.readings(), 2);
    tokio::time::sleep(BETWEEN_READINGS - TICK).await;
    assert!(secrets.read_again(&refused, LIMIT).await.is_none());
    assert_eq!(vault.readings(), 2);
    tokio::time::sleep(TICK).await;
    let all_at_once = (0..100).map(|_| secrets.read_again(&refused, LIMIT));
    let found = futures_util::future::join_all(all_at_once).await;
    assert!(found.iter().all(|secret| *secret == Some("b".into())));
    // Somebody who was refused with the old secret just before needs no reading.
    assert_eq!(secrets.known(&refused), Some("b".into()));
    assert_eq!(secrets.read_again(&refused, LIMIT).await, Some("b".into()));
    assert_eq!(vault.readings(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_reading_that_fails_because_of_a_refused_client_leaves_the_secrets_that_were_there() {
    for does in [
        Does::Fails,
        Does::IsSilent,
        Does::Gives(""),
        Does::Gives("\u{feff}\n"),
        Does::PanicsLater,
    ] {
        let (secrets, vault) = kept([Does::GivesTwo("a", "b"), does]);
        first(&secrets).await;
        for _ in 0..100 {
            assert!(secrets.read_again(&all(&["a", "b"]), LIMIT).await.is_none());
        }
        assert_eq!(vault.readings(), 2);
        assert_eq!(first(&secrets).await, "a");
        assert_eq!(secrets.known(&all(&["a"])), Some("b".into()));
    }
}

#[test]
fn a_reading_that_ends_with_its_runtime_is_an_error_and_the_next_runtime_reads_anew() {
    let (secrets, vault) = kept([Does::IsSilent, Does::Gives("a")]);
    let runtime = || {
        tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .unwrap()
    };
    let first_runtime = runtime();
    first_runtime.block_on(async {
        let leaves = tokio::time::timeout(TICK, secrets.first(LIMIT));
        leaves.await.unwrap_err();
    });
    drop(first_runtime);
    assert_eq!(runtime().block_on(first(&secrets)), "a");
    assert_eq!(vault.readings(), 2);
}
