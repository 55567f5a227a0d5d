//! The TLS configuration, which the process shares.

use std::sync::{Arc, Mutex, PoisonError};

use rustls::ClientConfig;
use rustls_platform_verifier::BuilderVerifierExt as _;

/// One configuration for all clients that ask for nothing of their own: reading the machine's certificates takes a tenth of a second.
/// A `ClientConfig` is a few shared parts, and sessions that it keeps to resume are of use to all.
///
/// It brings its cryptography with it. Nothing is installed in the process, so that whoever else uses rustls there finds
/// what it would find without this crate.
pub(super) fn shared_config() -> Result<ClientConfig, rustls::Error> {
    static SHARED: Mutex<Option<ClientConfig>> = Mutex::new(None);
    let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
    match &*shared {
        Some(config) => Ok(config.clone()),
        // A failure is not kept: the certificates may be there next time.
        None => Ok(shared.insert(config()?).clone()),
    }
}

fn config() -> Result<ClientConfig, rustls::Error> {
    let mut config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_platform_verifier()?
        .with_no_client_auth();
    // reqwest says this of a configuration that it makes, and of no other.
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}
