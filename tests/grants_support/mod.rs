//! What tests of many grants share: users who connect, and records that are damaged.
#![allow(dead_code, clippy::unwrap_used, clippy::panic)]

use std::time::Duration;

use finrail::mx;
use finrail::token::store::{Leased, StoredRecord, Swap, Swapped};
use finrail::token::{TokenKey, TokenStore};

use crate::connected::REDIRECT;

pub const DAY: Duration = Duration::from_secs(86_400);

/// A user of this application connects.
pub async fn connect(app: &mx::App, user: &str) -> mx::Connection {
    let pending = app.authorize(["accounts"]).unwrap().subject(user).pending;
    let callback = format!("{REDIRECT}?code=code-1&state={}", pending.state().expose_secret());
    app.finish(pending, &callback).await.unwrap()
}

/// A copy of a damaged record of this grant, as it is kept for whoever wants to know why.
pub async fn keep_aside(store: &dyn TokenStore, key: &TokenKey) {
    let copy = key.damaged_copy();
    let bytes = format!(
        "finrail damaged record\n{}\n{{\"version\":1,\"tok",
        serde_json::to_string(key).unwrap()
    );
    let swap = Swap::new(None, 0, Some(StoredRecord::new(1, bytes.into_bytes())));
    assert_eq!(store.swap(&copy, swap).await.unwrap(), Swapped::Done);
}

/// What is stored of this grant is cut short.
pub async fn damage(store: &dyn TokenStore, key: &TokenKey) {
    let Leased::Granted(lease) = store.lease(key, "damage", DAY).await.unwrap() else {
        panic!("somebody has the lease")
    };
    let stored = store.load(key).await.unwrap().unwrap();
    let cut = StoredRecord::new(stored.revision, &stored.bytes[..stored.bytes.len() / 2]);
    let swap = Swap::new(Some(stored.revision), lease.fence, Some(cut));
    assert_eq!(store.swap_and_release(key, swap, &lease).await.unwrap(), Swapped::Done);
}
