//! Applications that share a store with the grants of many people.
#![allow(dead_code, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::connected::*;
use crate::recorder::{Answer, Recorder};
use finrail::token::store::MemoryStore;
use finrail::token::{self, ManualClock, TokenKey, TokenStore};
use finrail::{AppBuilder, ListedGrant, mx, oauth};

pub struct World {
    pub bank: Recorder,
    pub store: Arc<dyn TokenStore>,
    pub clock: Arc<ManualClock>,
}

impl World {
    pub async fn new() -> Self {
        Self::over(|clock| Arc::new(MemoryStore::with_clock(clock))).await
    }

    pub async fn over(store: impl FnOnce(Arc<ManualClock>) -> Arc<dyn TokenStore>) -> Self {
        let clock = Arc::new(ManualClock::new());
        Self {
            bank: Recorder::granting(|_, _| Answer::json("{}")).await,
            store: store(Arc::clone(&clock)),
            clock,
        }
    }

    pub fn builder<P: finrail::Provider>(&self) -> AppBuilder<P> {
        builder(&self.bank)
            .store(Arc::clone(&self.store))
            .clock(Arc::clone(&self.clock) as _)
    }

    /// The application in a process of its own.
    pub fn app(&self) -> mx::App {
        self.builder().build().unwrap()
    }

    pub fn refreshes(&self) -> Vec<String> {
        let requests = self.bank.token_requests();
        let refreshes = requests
            .iter()
            .filter(|request| request.field("grant_type").as_deref() == Some("refresh_token"));
        refreshes
            .map(|request| request.field("refresh_token").unwrap())
            .collect()
    }

    pub fn revocations(&self) -> Vec<String> {
        let calls = self.bank.calls();
        calls.iter().map(|request| request.field("token").unwrap()).collect()
    }

    /// All that the store has, as text.
    pub async fn text(&self) -> String {
        let mut text = String::new();
        let mut after = None;
        loop {
            let listed = self.store.list("", after.as_deref()).await.unwrap();
            for listed in listed.records {
                let record = listed.record.unwrap();
                text.push_str(&format!("{} {}\n", listed.id, String::from_utf8_lossy(&record.bytes)));
            }
            match listed.next {
                Some(next) => after = Some(next),
                None => return text,
            }
        }
    }
}

pub async fn listed(app: &mx::App) -> Vec<Result<ListedGrant, oauth::Error>> {
    let mut grants = app.grants();
    let mut found = Vec::new();
    while let Some(grant) = grants.next().await {
        found.push(grant);
    }
    found
}

pub async fn subjects(app: &mx::App) -> BTreeSet<String> {
    let found = listed(app).await;
    let subjects: Vec<_> = found.into_iter().map(|grant| grant.unwrap().key.subject).collect();
    let set: BTreeSet<_> = subjects.iter().cloned().collect();
    assert_eq!(set.len(), subjects.len(), "each is listed once");
    set
}

pub fn set<const N: usize>(names: [&str; N]) -> BTreeSet<String> {
    names.map(str::to_owned).into()
}

pub fn app_key(subject: &str) -> TokenKey {
    TokenKey::new("mx", "client", token::GrantKind::AuthorizationCode).subject(subject)
}
