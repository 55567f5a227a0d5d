//! The authorization server: clients, codes, grants and tokens, and the rules by which they change.
//!
//! RFC 6749 (codes, grants), RFC 7636 (PKCE), RFC 7009 (revocation), RFC 9700 section 4.14.2
//! (rotation with reuse detection); where a provider differs, `x-oauth` of its specification says so.

mod authentication;
mod authorize;
mod client;
mod issue;
mod revoke;
mod scope;
mod token;

use std::collections::{HashMap, HashSet};

pub(super) use self::authorize::{AuthorizationRequest, Stop};
pub(super) use self::client::Client;

use super::mint;

/// How many codes and tokens there may be before those that are over are looked for.
const KEPT: usize = 1024;

struct Code {
    client: String,
    /// Where the browser went: as it was sent, or the client's own when none was.
    redirect_uri: String,
    was_sent: bool,
    challenge: Option<String>,
    grant: Grant,
    expires: u64,
    spent_by: Option<u64>,
}

/// What a user or a client was allowed.
#[derive(Clone)]
pub(super) struct Grant {
    pub(super) client: String,
    /// None: the client's own.
    pub(super) user: Option<String>,
    pub(super) scopes: Vec<String>,
    pub(super) bindings: Vec<Binding>,
    dead: bool,
}

/// What a scope template was filled with: `PREMIUM_AIS`, `consentId` and its value.
#[derive(Clone)]
pub(super) struct Binding {
    pub(super) scope: String,
    pub(super) name: String,
    pub(super) value: String,
}

struct AccessToken {
    grant: u64,
    scopes: Vec<String>,
    expires: u64,
}

struct RefreshToken {
    grant: u64,
    expires: Option<u64>,
    spent: Option<u64>,
}

/// Clients, users, codes and tokens of one provider. Times are milliseconds of the sandbox's clock.
#[derive(Default)]
pub(super) struct Authority {
    clients: Vec<Client>,
    users: HashMap<String, String>,
    accounts: HashMap<String, String>,
    codes: HashMap<String, Code>,
    grants: HashMap<u64, Grant>,
    access: HashMap<String, AccessToken>,
    refresh: HashMap<String, RefreshToken>,
    registration_tokens: Vec<String>,
    next_grant: u64,
    /// How many codes and tokens make it worth to look for those that are over.
    forget_at: usize,
    /// What a test wants otherwise than `x-oauth` has it.
    pub(super) tuning: Tuning,
}

/// Lifetimes in place of those of `x-oauth`, in milliseconds.
#[derive(Default)]
pub(super) struct Tuning {
    pub(super) access_lifetime: Option<u64>,
    pub(super) refresh_lifetime: Option<u64>,
    pub(super) grace: Option<u64>,
}

/// An error reply of RFC 6749 section 5.2.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) status: u16,
    pub(super) code: String,
    pub(super) description: String,
}

fn refusal(code: &str, description: impl Into<String>) -> Refusal {
    Refusal {
        status: if code == "invalid_client" { 401 } else { 400 },
        code: code.to_owned(),
        description: description.into(),
    }
}

/// A bearer token that holds, and what it allows.
pub(super) struct Access {
    pub(super) scopes: Vec<String>,
    pub(super) grant: Grant,
}

impl Authority {
    /// Adds a user who can log in.
    pub(super) fn add_user(&mut self, name: &str, password: &str) {
        self.users.insert(name.to_owned(), password.to_owned());
    }

    /// The password of a user.
    pub(super) fn password(&self, name: &str) -> Option<&str> {
        self.users.get(name).map(String::as_str)
    }

    /// The password of a user, who is made known when nobody has this name.
    pub(super) fn password_or_new(&mut self, name: &str) -> String {
        let password = || mint::secret("", 16);
        self.users.entry(name.to_owned()).or_insert_with(password).clone()
    }

    /// What a bearer token allows, while it holds.
    pub(super) fn access(&self, token: &str, now: u64) -> Option<Access> {
        let access = self.access.get(token)?;
        let grant = self.grants.get(&access.grant)?;
        (access.expires > now && !grant.dead).then(|| Access {
            scopes: access.scopes.clone(),
            grant: grant.clone(),
        })
    }

    fn open(&mut self, grant: Grant) -> u64 {
        self.next_grant += 1;
        self.grants.insert(self.next_grant, grant);
        self.next_grant
    }

    /// Throws away codes, tokens and grants that nobody can use any more, when there are many.
    ///
    /// A spent code is kept as long as what it issued: whoever sends it again ends that.
    fn forget(&mut self, now: u64) {
        let held = |all: &Self| all.codes.len() + all.access.len() + all.refresh.len();
        if held(self) < self.forget_at.max(KEPT) {
            return;
        }
        let grants = &self.grants;
        let lives = |id: u64| grants.get(&id).is_some_and(|grant| !grant.dead);
        self.access.retain(|_, token| token.expires > now && lives(token.grant));
        self.refresh
            .retain(|_, token| token.expires.is_none_or(|expires| expires > now) && lives(token.grant));
        let access = self.access.values().map(|token| token.grant);
        let used: HashSet<u64> = access.chain(self.refresh.values().map(|token| token.grant)).collect();
        self.grants.retain(|id, _| used.contains(id));
        self.codes.retain(|_, code| match code.spent_by {
            None => code.expires > now,
            Some(issued) => used.contains(&issued),
        });
        self.forget_at = held(self) * 2;
    }
}
