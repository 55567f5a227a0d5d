//! What an address of PostgreSQL says: where the server is, and whether it is reached over TLS.

use std::time::Duration;

use rustls::ClientConfig;
use tokio_postgres::config::{Host, SslMode};

use crate::token::StoreError;
use crate::token::store::remote::PATIENCE;

/// Hosts, database and table, for errors. A user and a password may stand beside them in an address.
pub(super) fn place_of(config: &tokio_postgres::Config, table: &str) -> String {
    let ports = config.get_ports();
    let mut hosts: Vec<String> = Vec::new();
    for (at, host) in config.get_hosts().iter().enumerate() {
        let port = ports.get(at).or(ports.first()).copied().unwrap_or(5432);
        hosts.push(match host {
            Host::Tcp(name) => format!("{name}:{port}"),
            #[cfg(unix)]
            Host::Unix(directory) => directory.display().to_string(),
        });
    }
    if hosts.is_empty() {
        hosts.extend(config.get_hostaddrs().iter().map(ToString::to_string));
    }
    let database = config.get_dbname().unwrap_or("of the user's name");
    format!("{}, database {database}, table {table}", hosts.join(", "))
}

/// TLS as the address asks for it, with the caller's own settings or the roots of the system.
pub(super) fn tls(config: &mut tokio_postgres::Config, own: Option<ClientConfig>) -> Result<ClientConfig, StoreError> {
    settle(config, own.is_some())?;
    let own = match own {
        Some(own) => return Ok(own),
        None => ClientConfig::builder_with_provider(rustls::crypto::ring::default_provider().into()),
    };
    let mut roots = rustls::RootCertStore::empty();
    if config.get_ssl_mode() != SslMode::Disable {
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    }
    Ok(own
        .with_safe_default_protocol_versions()
        .map_err(|error| StoreError::unavailable("set up TLS", error))?
        .with_root_certificates(roots)
        .with_no_client_auth())
}

/// Whether there is TLS or none: a server that says that it has none is never talked to in the clear instead.
fn settle(config: &mut tokio_postgres::Config, has_own: bool) -> Result<(), StoreError> {
    let mode = match config.get_ssl_mode() {
        // PostgreSQL has no TLS on a socket of this machine.
        SslMode::Prefer if is_on_sockets(config) => SslMode::Disable,
        SslMode::Prefer if !has_own && stays_here(config) => SslMode::Disable,
        SslMode::Prefer => SslMode::Require,
        SslMode::Disable if has_own => {
            let reason = "it says `sslmode=disable`, and there are TLS settings for it: take one of them away";
            return Err(StoreError::unavailable("read its address", reason));
        }
        mode => mode,
    };
    config.ssl_mode(mode);
    Ok(())
}

/// A peer that is gone without a word is noticed before the next call needs the connection. What the address says of it
/// stays as it is.
pub(super) fn notice_silence(config: &mut tokio_postgres::Config) {
    /// What tokio-postgres has when the address says nothing.
    const UNSET: Duration = Duration::from_secs(2 * 60 * 60);
    if config.get_keepalives_idle() == UNSET {
        config.keepalives_idle(Duration::from_secs(15));
    }
    if config.get_keepalives_interval().is_none() {
        config.keepalives_interval(Duration::from_secs(5));
    }
    if config.get_keepalives_retries().is_none() {
        config.keepalives_retries(3);
    }
    if config.get_tcp_user_timeout().is_none() {
        config.tcp_user_timeout(PATIENCE * 2);
    }
}

pub(super) fn parse(address: &str) -> Result<tokio_postgres::Config, StoreError> {
    address
        .parse()
        .map_err(|error: tokio_postgres::Error| StoreError::unavailable("read its address", error))
}

/// Whether all servers are sockets of this machine.
fn is_on_sockets(config: &tokio_postgres::Config) -> bool {
    let hosts = config.get_hosts();
    !hosts.is_empty() && !hosts.iter().any(|host| matches!(host, Host::Tcp(_)))
}

/// Whether nothing leaves this machine.
fn stays_here(config: &tokio_postgres::Config) -> bool {
    let addresses = config.get_hostaddrs();
    // Where the address is given beside the name, that is where the connection goes; without a name it is all there is.
    addresses.iter().all(|address| address.is_loopback())
        && config.get_hosts().iter().all(|host| match host {
            Host::Tcp(name) => ["127.0.0.1", "::1", "localhost"].contains(&name.as_str()),
            #[cfg(unix)]
            Host::Unix(_) => true,
        })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn an_address_stays_here_by_where_the_connection_goes() {
        for (address, stays) in [
            ("postgres://app@localhost/app", true),
            ("postgres://app@db.example.com/app", false),
            ("host=localhost hostaddr=127.0.0.1 user=app", true),
            ("host=localhost hostaddr=192.0.2.2 user=app", false),
            ("hostaddr=192.0.2.2 user=app", false),
            ("hostaddr=::1 user=app", true),
            ("host=localhost,db.example.com user=app", false),
        ] {
            assert_eq!(stays_here(&address.parse().unwrap()), stays, "{address}");
        }
    }
    #[test]
    fn an_address_that_says_nothing_of_tls_means_it_unless_it_stays_here_and_nobody_set_it_up() {
        for (address, without, with_own) in [
            ("postgres://app@localhost/app", "Disable", "Require"),
            ("postgres://app@db.example.com/app", "Require", "Require"),
            ("host=db.example.com hostaddr=127.0.0.1 user=app", "Require", "Require"),
            (
                "postgres://app@db.example.com/app?sslmode=require",
                "Require",
                "Require",
            ),
            (
                "postgres://app@db.example.com/app?sslmode=disable",
                "Disable",
                "an error",
            ),
            ("host=/run/postgresql user=app", "Disable", "Disable"),
            ("host=/run/postgresql,db.example.com user=app", "Require", "Require"),
        ] {
            for (has_own, expected) in [(false, without), (true, with_own)] {
                let mut config = address.parse().unwrap();
                let mode = match settle(&mut config, has_own) {
                    Ok(()) => format!("{:?}", config.get_ssl_mode()),
                    Err(_) => "an error".to_owned(),
                };
                assert_eq!(mode, expected, "{address}, own: {has_own}");
            }
        }
    }
}
