//! What an address of Redis says: where the server is or the nodes of a cluster are, and whether they are reached over TLS.

use std::net::IpAddr;
use std::time::Duration;

use redis::cluster::{ClusterClient, ClusterClientBuilder};
use redis::io::tcp::{TcpSettings, socket2::TcpKeepalive};
use redis::{Client, ConnectionAddr, ConnectionInfo, ErrorKind, IntoConnectionInfo as _, RedisError, TlsCertificates};

use super::super::StoreError;
use super::super::remote::PATIENCE;
use super::connection::{ACTION, Server};

/// Where the server is, or some of the nodes of a cluster.
pub(super) enum Servers {
    One(String),
    Cluster(Vec<String>),
}

impl Servers {
    pub fn client(&self, tls: Option<TlsCertificates>) -> Result<Server, RedisError> {
        match self {
            Self::One(address) => single(address, tls).map(Server::Single),
            Self::Cluster(nodes) => cluster(nodes, tls).map(Server::Cluster),
        }
    }

    /// Host, port and database, for errors. A user and a password may stand beside them in an address.
    pub fn place(&self) -> String {
        let (addresses, cluster) = match self {
            Self::One(address) => (std::slice::from_ref(address), false),
            Self::Cluster(nodes) => (nodes.as_slice(), true),
        };
        let servers: Vec<_> = addresses.iter().filter_map(|address| read(address).ok()).collect();
        let hosts: Vec<String> = servers.iter().map(|server| server.addr().to_string()).collect();
        match servers.first() {
            None => "an address that cannot be read".to_owned(),
            Some(_) if cluster => format!("a cluster with {}", hosts.join(", ")),
            Some(server) => format!("{}, database {}", hosts.join(", "), server.redis_settings().db()),
        }
    }

    /// Whether every server is reached over TLS, as the certificates ask for that were given. A cluster whose nodes are given
    /// otherwise is talked to in the clear, at whatever address its nodes name.
    pub fn demand_tls(&self) -> Result<(), StoreError> {
        let is_over_tls = |address: &String| match read(address) {
            Ok(server) => matches!(server.addr(), ConnectionAddr::TcpTls { .. }),
            // What is wrong with it is told when it is connected to.
            Err(_) => true,
        };
        match self.addresses().iter().all(is_over_tls) {
            true => Ok(()),
            false => {
                let reason = "there are certificates for TLS, and an address without it: give rediss:// addresses";
                Err(StoreError::unavailable(ACTION, reason))
            }
        }
    }

    fn addresses(&self) -> &[String] {
        match self {
            Self::One(address) => std::slice::from_ref(address),
            Self::Cluster(nodes) => nodes.as_slice(),
        }
    }

    /// Whether what is sent stays on this machine or is encrypted.
    pub fn refuse_plaintext(&self) -> Result<(), StoreError> {
        #[derive(Debug, thiserror::Error)]
        #[error(
            "{0} would be reached without TLS, and tokens would cross the network in the clear: give a rediss:// \
             address, or allow_plaintext() for a network that nobody else is on"
        )]
        struct Plaintext(String);

        for address in self.addresses() {
            let server = read(address).map_err(|error| StoreError::unavailable(ACTION, error))?;
            if let ConnectionAddr::Tcp(host, _) = server.addr()
                && !is_here(host)
            {
                return Err(StoreError::unavailable(ACTION, Plaintext(host.clone())));
            }
        }
        Ok(())
    }
}

/// Reads an address. What is wrong with it is told without a word of it: a password may stand in any place.
fn read(address: &str) -> Result<ConnectionInfo, RedisError> {
    address.into_connection_info().map_err(|error| match error.detail() {
        None => error,
        Some(_) => RedisError::from((
            ErrorKind::InvalidClientConfig,
            "a value in the query of the address cannot be used",
        )),
    })
}

/// Whether nothing that is sent there leaves this machine.
fn is_here(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost") || bare.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

fn single(address: &str, tls: Option<TlsCertificates>) -> Result<Client, RedisError> {
    let mut server = read(address)?;
    if matches!(server.addr(), ConnectionAddr::TcpTls { .. }) {
        crate::http::install_crypto();
    }
    server = server.set_tcp_settings(tcp());
    match tls {
        Some(tls) => Client::build_with_tls(server, tls),
        None => Client::open(server),
    }
}

fn cluster(nodes: &[String], tls: Option<TlsCertificates>) -> Result<ClusterClient, RedisError> {
    crate::http::install_crypto();
    let nodes = nodes.iter().map(|address| read(address));
    let nodes: Vec<ConnectionInfo> = nodes.collect::<Result<_, _>>()?;
    let builder = ClusterClientBuilder::new(nodes)
        .connection_timeout(PATIENCE)
        .response_timeout(PATIENCE)
        .tcp_settings(tcp());
    match tls {
        Some(tls) => builder.certs(tls).build(),
        None => builder.build(),
    }
}

/// A peer that is gone without a word is noticed before the next call needs the connection.
fn tcp() -> TcpSettings {
    let keepalive = TcpKeepalive::new()
        .with_time(Duration::from_secs(15))
        .with_interval(Duration::from_secs(5));
    let settings = TcpSettings::default().set_nodelay(true).set_keepalive(keepalive);
    #[cfg(any(target_os = "android", target_os = "fuchsia", target_os = "linux"))]
    let settings = settings.set_user_timeout(PATIENCE * 2);
    settings
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn one(address: &str) -> Servers {
        Servers::One(address.to_owned())
    }

    fn nodes(addresses: [&str; 2]) -> Servers {
        Servers::Cluster(addresses.map(str::to_owned).to_vec())
    }

    #[test]
    fn a_place_is_hosts_and_database_and_neither_user_nor_password() {
        for (servers, place) in [
            (
                one("redis://app:secret@db.example.com/3"),
                "db.example.com:6379, database 3",
            ),
            (
                nodes(["redis://app:secret@a.example.com:7000", "redis://b.example.com:7001"]),
                "a cluster with a.example.com:7000, b.example.com:7001",
            ),
            (one("app:secret@db.example.com"), "an address that cannot be read"),
        ] {
            assert_eq!(servers.place(), place);
        }
    }

    #[test]
    fn what_is_wrong_with_an_address_is_told_without_a_word_of_it() {
        for address in [
            "redis://db.example.com/0?protocol=planted",
            "redis://app:planted@db.example.com/0?protocol=planted",
            "redis://db.example.com/planted",
            "redis://app:planted@db.example.com:planted",
            "redis://app:planted@host name",
            "rediss://db.example.com/#planted",
            "app:planted@db.example.com",
            "planted",
        ] {
            let error = one(address).refuse_plaintext().unwrap_err();
            let cause = std::error::Error::source(&error).map(|cause| format!("{cause} {cause:?}"));
            assert!(
                cause.is_some_and(|told| !told.contains("planted")),
                "{address}: {error:?}"
            );
            for servers in [one(address), nodes(["redis://127.0.0.1", address])] {
                let told = servers.client(None).err().map(|error| format!("{error} {error:?}"));
                assert!(told.is_some_and(|told| !told.contains("planted")), "{address}");
            }
        }
    }

    #[test]
    fn with_certificates_every_address_is_one_over_tls() {
        for (servers, is_taken) in [
            (one("rediss://db.example.com"), true),
            (one("redis://db.example.com"), false),
            (one("redis://127.0.0.1"), false),
            (nodes(["rediss://a.example.com", "rediss://b.example.com"]), true),
            (nodes(["rediss://a.example.com", "redis://b.example.com"]), false),
        ] {
            assert_eq!(servers.demand_tls().is_ok(), is_taken, "{}", servers.place());
        }
    }

    #[test]
    fn what_leaves_this_machine_goes_over_tls() {
        for (servers, is_taken) in [
            (one("rediss://db.example.com"), true),
            (one("redis://db.example.com"), false),
            (one("redis://192.0.2.2"), false),
            (one("redis://127.0.0.1"), true),
            (one("redis://127.8.9.1:7000"), true),
            (one("redis://[::1]:7000"), true),
            (one("redis://LocalHost"), true),
            (one("unix:///run/redis.sock"), true),
            (nodes(["redis://127.0.0.1:7000", "redis://127.0.0.1:7001"]), true),
            (nodes(["redis://127.0.0.1:7000", "redis://b.example.com"]), false),
        ] {
            assert_eq!(servers.refuse_plaintext().is_ok(), is_taken, "{}", servers.place());
        }
        assert!(one("no address").refuse_plaintext().is_err());
    }

    #[test]
    fn a_peer_that_is_gone_is_noticed_within_twice_the_patience() {
        assert!(tcp().nodelay() && tcp().keepalive().is_some());
        #[cfg(any(target_os = "android", target_os = "fuchsia", target_os = "linux"))]
        assert_eq!(tcp().user_timeout(), Some(Duration::from_secs(10)));
    }
}
