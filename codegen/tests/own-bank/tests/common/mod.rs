//! What the tests of this bank share: the bank, and clients of it.
#![allow(dead_code, clippy::unwrap_used)]

use finrail::sandbox::{Sandbox, SandboxClient};
use finrail::transport::RetryPolicy;

/// The bank of `bank.json`, played by the sandbox.
pub async fn bank() -> Sandbox {
    Sandbox::start_from(([127, 0, 0, 1], 0).into(), &[include_str!("../../bank.json")])
        .await
        .unwrap()
}

/// A client that tries nothing again.
pub fn client(base: &str, id: &str, secret: &str, scope: own_bank::Scope) -> own_bank::Client {
    own_bank::Client::builder()
        .base_url(base)
        .credentials(own_bank::Credentials::new(id, secret))
        .client_credentials([scope])
        .retry(RetryPolicy::none())
        .build()
        .unwrap()
}

/// The same as this client of the sandbox.
pub fn client_as(registered: &SandboxClient, sandbox: &Sandbox, scope: own_bank::Scope) -> own_bank::Client {
    let secret = registered.client_secret.expose_secret();
    client(&sandbox.url("own_bank"), &registered.client_id, secret, scope)
}

/// The same as the client that the sandbox has from the start.
pub fn client_of(sandbox: &Sandbox, scope: own_bank::Scope) -> own_bank::Client {
    client_as(&sandbox.client("own_bank"), sandbox, scope)
}
