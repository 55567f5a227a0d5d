//! All providers of a sandbox, and which of them an address belongs to.

use std::sync::{Arc, OnceLock};

use ::http::Method;

use super::client::SandboxClient;
use super::clock::Clock;
use super::html;
use super::http::{RawRequest, Reply};
use super::player::{Host, Outcome, Player};
use super::spec::SpecError;

/// All providers, and the clock they share.
pub(super) struct Players {
    players: Vec<Player>,
    pub(super) clock: Arc<Clock>,
    /// The client that is registered at each from the start.
    clients: OnceLock<Vec<(String, SandboxClient)>>,
}

/// What the first part of a path leads to; with the rest of the path.
enum Place<'p, 'a> {
    Host(&'p Player, Host, &'a str),
    Bank(&'p Player, &'a str),
}

impl Players {
    /// Plays these specifications under this origin.
    pub(super) fn new(bundles: &[&str], origin: &str) -> Result<Self, SpecError> {
        let clock = Arc::new(Clock::default());
        let players = bundles
            .iter()
            .map(|bundle| Player::new(bundle, origin, Arc::clone(&clock)))
            .collect::<Result<_, _>>()?;
        Ok(Self {
            players,
            clock,
            clients: OnceLock::new(),
        })
    }

    /// Registers a client at each provider, once.
    pub(super) fn register(&self) {
        let registered = |player: &Player| {
            let client = SandboxClient::register(player, None, &[]);
            (player.spec.id().to_owned(), client)
        };
        self.clients
            .get_or_init(|| self.players.iter().map(registered).collect());
    }

    /// The client that is registered at a provider from the start.
    pub(super) fn client(&self, id: &str) -> Option<&SandboxClient> {
        let mut clients = self.clients.get()?.iter();
        clients.find(|(known, _)| known == id).map(|(_, client)| client)
    }

    /// The ids of the providers.
    pub(super) fn ids(&self) -> Vec<String> {
        self.players.iter().map(|player| player.spec.id().to_owned()).collect()
    }

    /// A provider by its id.
    pub(super) fn get(&self, id: &str) -> Option<&Player> {
        self.players.iter().find(|player| player.spec.id() == id)
    }

    /// The provider to which an address belongs: its own, or its bank's.
    pub(super) fn whose(&self, path: &str) -> Option<&Player> {
        match self.at(path)? {
            Place::Host(player, ..) | Place::Bank(player, _) => Some(player),
        }
    }

    fn at<'a>(&self, path: &'a str) -> Option<Place<'_, 'a>> {
        let hosts = self.players.iter().find_map(|player| at_host(player, path));
        hosts.or_else(|| self.players.iter().find_map(|player| at_bank(player, path)))
    }

    /// Answers a request.
    pub(super) fn handle(&self, raw: &RawRequest) -> Outcome {
        if let Some(reply) = self.control(raw) {
            return Outcome { reply, trouble: None };
        }
        let reply = match self.at(&raw.path) {
            Some(Place::Host(player, host, path)) => return player.handle(host, path, raw),
            Some(Place::Bank(player, id)) => player.at_the_bank(id, raw),
            None if raw.path == "/" => Reply::html(200, html::index(&self.directory())),
            None => {
                let text = "No provider of the sandbox has this address.";
                Reply::html(404, html::message("Not found", text))
            }
        };
        Outcome { reply, trouble: None }
    }

    /// Refuses a request whose body is not read, in the form of whom it came to.
    pub(super) fn refuse(&self, path: &str, method: &Method, status: u16, why: &str) -> Reply {
        match self.at(path) {
            Some(Place::Host(player, host, rest)) => player.refuse(host, rest, method, status, why),
            Some(Place::Bank(..)) | None => Reply::bytes(status, "text/plain", why),
        }
    }

    fn directory(&self) -> Vec<html::Entry> {
        let entry = |player: &Player| html::Entry {
            name: player.spec.name().to_owned(),
            resources: player.base(),
            oauth: player.oauth_base(),
            client: player.state().authority.first_client().unwrap_or_default(),
        };
        self.players.iter().map(entry).collect()
    }
}

/// A provider's own host, when the path is on one: that of its resources, or that of its authorization server.
fn at_host<'p, 'a>(player: &'p Player, path: &'a str) -> Option<Place<'p, 'a>> {
    let spec = &player.spec;
    if let Some(rest) = below(path, &format!("/{}{}", spec.id(), spec.prefix())) {
        return Some(Place::Host(player, Host::of_resources(spec), rest));
    }
    let prefix = spec.oauth_prefix()?;
    let rest = below(path, &format!("/{}-oauth{prefix}", spec.id()))?;
    Some(Place::Host(player, Host::Oauth, rest))
}

/// The pages of the bank of a provider's users.
fn at_bank<'p, 'a>(player: &'p Player, path: &'a str) -> Option<Place<'p, 'a>> {
    let id = below(path, &format!("/{}-bank", player.spec.id()))?;
    Some(Place::Bank(player, id.trim_start_matches('/')))
}

fn below<'a>(path: &'a str, prefix: &str) -> Option<&'a str> {
    path.strip_prefix(prefix)
        .filter(|rest| rest.is_empty() || rest.starts_with('/'))
}
