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
    Ok(own
        .with_safe_default_protocol_versions()
        .map_err(|error| StoreError::unavailable("set up TLS", error))?
        .with_root_certificates(roots(config.get_ssl_mode()))
        .with_no_client_auth())
}

/// Those of the system, which are not looked for where there is no TLS.
fn roots(mode: SslMode) -> rustls::RootCertStore {
    let mut roots = rustls::RootCertStore::empty();
    if mode != SslMode::Disable {
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    }
    roots
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
    fn the_roots_of_the_system_are_looked_for_where_there_is_tls() {
        assert!(roots(SslMode::Disable).is_empty());
        let (certificates, _) =
            rustls::RootCertStore::empty().add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        assert_eq!(roots(SslMode::Require).len(), certificates);
    }

    #[test]
    fn a_place_is_hosts_database_and_table_and_neither_user_nor_password() {
        for (address, place) in [
            (
                "postgres://app:secret@db.example.com/grants",
                "db.example.com:5432, database grants, table t",
            ),
            (
                "postgres://app:secret@a.example.com:1,b.example.com:2/grants",
                "a.example.com:1, b.example.com:2, database grants, table t",
            ),
            (
                "host=a.example.com,b.example.com port=7 user=app password=secret",
                "a.example.com:7, b.example.com:7, database of the user's name, table t",
            ),
            (
                "host=/run/postgresql user=app dbname=grants",
                "/run/postgresql, database grants, table t",
            ),
            (
                "hostaddr=192.0.2.2 user=app dbname=grants",
                "192.0.2.2, database grants, table t",
            ),
        ] {
            assert_eq!(place_of(&parse(address).unwrap(), "t"), place, "{address}");
        }
    }

    #[test]
    fn an_address_that_cannot_be_read_is_an_error() {
        assert!(parse("postgres://app@db.example.com:no-port/app").is_err());
    }

    #[test]
    fn a_silent_peer_is_noticed_as_the_address_says_and_otherwise_soon() {
        let noticed = |address: &str| {
            let mut config = parse(address).unwrap();
            notice_silence(&mut config);
            let seconds = |time: &Duration| time.as_secs();
            (
                config.get_keepalives_idle().as_secs(),
                config.get_keepalives_interval().as_ref().map(seconds),
                config.get_keepalives_retries(),
                config.get_tcp_user_timeout().map(seconds),
            )
        };
        assert_eq!(noticed("host=db.example.com"), (15, Some(5), Some(3), Some(10)));
        let said =
            "host=db.example.com keepalives_idle=60 keepalives_interval=7 keepalives_retries=2 tcp_user_timeout=9";
        assert_eq!(noticed(said), (60, Some(7), Some(2), Some(9)));
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
