//! The authorization server with its habits, and what an onlooker knows of everybody.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use finrail::Secret;
use finrail::token::store::{MemoryStore, StoredRecord};
use finrail::token::{IssuerError, ReauthorizationReason, Record, Renewal, Rotation, TokenReply, Verdict};
use tokio::time::Instant;

use super::chance::Chance;
use super::counts::Counts;
use super::token_support::verdict;

/// What the server does, drawn once per world.
#[derive(Clone, Copy, Debug)]
pub struct Habits {
    pub rotates: bool,
    pub grace: Option<Duration>,
    pub reuse_revokes_family: bool,
    pub life: Duration,
    pub renewal: Renewal,
    /// What the client was told of it.
    pub declared: Rotation,
    /// Whether a lease of the store ends with its holder only, as a lock of the operating system does.
    pub exclusive: bool,
    /// Whether a lease is short, and renewed while its holder is at work.
    pub renews: bool,
    /// One in so many refreshes brings the access token that there is once more, with a life of its own; 0: none.
    pub repeats: u64,
}

/// How often things go wrong: one in so many, 0 for never.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Weather {
    pub server: u64,
    pub store: u64,
    pub outage: u64,
    pub kill: u64,
    pub freeze: u64,
    pub jump: u64,
    pub withdraw: u64,
    pub loss: u64,
    /// The user, or the application, ends the grant or begins another one.
    pub event: u64,
    /// A bit turns in what the store holds, or it is cut off.
    pub damage: u64,
    /// Every process renews the grant at once, as all of them found its refresh token near its end.
    pub keep_alive: u64,
}

/// One token request, as an onlooker sees it.
#[derive(Debug)]
pub struct Sent {
    pub token: String,
    pub by: u64,
    pub outcome: Outcome,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    UnderWay,
    Unknown,
    NotTaken,
    Granted,
    Refused,
}

/// One authorization by the user, at the server.
#[derive(Debug, Default)]
struct Family {
    current: String,
    revoked: bool,
    /// The last access token.
    access: String,
}

/// What comes of a request for which nothing went wrong.
pub const NO_FAULT: u64 = 0;
/// Faults of a request are numbered from 1 to this.
pub const FAULTS: u64 = 9;
pub const SLOW_REPLY: u64 = 7;
pub const SLOW_REQUEST: u64 = 8;

/// The name of a request that carries no refresh token.
pub const ANEW: &str = "nothing";

struct Access {
    family: usize,
    refresh_token: String,
    /// It came with an earlier reply too.
    repeated: bool,
    from: Instant,
    until: Instant,
}

pub struct World {
    pub chance: Chance,
    pub habits: Habits,
    pub weather: Weather,
    pub faults: bool,
    pub outage_until: Option<Instant>,
    /// What answers where the store is.
    pub store: MemoryStore,
    // The server.
    issued: u64,
    families: Vec<Family>,
    family_of: HashMap<String, usize>,
    spent: HashMap<String, Instant>,
    access: HashMap<String, Access>,
    // What an onlooker knows.
    /// The authorization that is stored, or was last.
    family: usize,
    pub durable: Option<Record>,
    /// Older copies of the record.
    pub copies: Vec<StoredRecord>,
    /// The revision of the record that the store has damaged, and what it reads instead.
    damaged: Option<StoredRecord>,
    superseded: HashSet<String>,
    parent: HashMap<String, String>,
    holders: HashMap<String, HashSet<u64>>,
    pub leases: HashMap<u64, u64>,
    pub living: HashSet<u64>,
    pub sent: Vec<Sent>,
    wait: HashMap<(u64, String), Instant>,
    /// Logins that the store did not take at once: the last one that it takes stays.
    pub late_logins: HashSet<String>,
    /// When a login was stored last.
    pub login_stored_at: Option<Instant>,
    pub jumped_at: Option<Instant>,
    /// The server's end of the grant is not the library's doing.
    pub withdrawn: bool,
    /// A request of which nobody waits for the answer reached the server after a later one.
    pub overtaken: bool,
    pub event_under_way: bool,
    log: Vec<String>,
    violations: Vec<String>,
    started: Instant,
    pub counts: Counts,
}

impl World {
    pub fn new(chance: Chance, habits: Habits, weather: Weather, store: MemoryStore) -> Self {
        Self {
            chance,
            habits,
            weather,
            faults: false,
            outage_until: None,
            store,
            issued: 0,
            families: Vec::new(),
            family_of: HashMap::new(),
            spent: HashMap::new(),
            access: HashMap::new(),
            family: 0,
            durable: None,
            copies: Vec::new(),
            damaged: None,
            superseded: HashSet::new(),
            parent: HashMap::new(),
            holders: HashMap::new(),
            leases: HashMap::new(),
            living: HashSet::new(),
            sent: Vec::new(),
            wait: HashMap::new(),
            late_logins: HashSet::new(),
            login_stored_at: None,
            jumped_at: None,
            withdrawn: false,
            overtaken: false,
            event_under_way: false,
            log: vec![format!("{habits:?} {weather:?}")],
            violations: Vec::new(),
            started: Instant::now(),
            counts: Counts::default(),
        }
    }

    pub fn note(&mut self, text: impl std::fmt::Display) {
        let at = self.started.elapsed().as_secs_f64();
        self.log.push(format!("{at:9.3} {text}"));
    }

    pub fn violation(&mut self, text: impl std::fmt::Display) {
        self.note(format!("VIOLATION {text}"));
        self.violations.push(text.to_string());
    }

    /// What broke, with the story of it; none: nothing did.
    pub fn verdict(&self) -> Result<Counts, (Vec<String>, Vec<String>)> {
        if self.violations.is_empty() {
            Ok(self.counts)
        } else {
            Err((self.violations.clone(), self.log.clone()))
        }
    }

    /// One in so many, as long as things go wrong.
    pub fn chance_of(&mut self, odds: u64) -> bool {
        self.faults && self.chance.one_in(odds)
    }

    /// The refresh token that works now.
    pub fn current(&self) -> &str {
        self.families.get(self.family).map_or("", |family| &family.current)
    }

    pub fn revoked(&self) -> bool {
        self.families.get(self.family).is_some_and(|family| family.revoked)
    }

    /// The refresh token that is stored.
    pub fn stored(&self) -> Option<&str> {
        let tokens = self.durable.as_ref()?.tokens.as_ref()?;
        Some(tokens.refresh_token.as_ref()?.expose_secret())
    }

    /// The application ended the grant, and the store says so.
    pub fn ended_on_purpose(&self) -> bool {
        let tombstone = self.durable.as_ref().and_then(|record| record.tombstone.as_ref());
        tombstone.is_some_and(|tombstone| on_purpose(tombstone.reason))
    }

    /// This process has the refresh token that works, or the store has it.
    pub fn at_hand_of(&self, pid: u64) -> bool {
        let works = !self.revoked() && !self.ended_on_purpose();
        works && (self.stored() == Some(self.current()) || self.holds_current(pid))
    }

    /// The refresh token that works is stored, or a living process has it.
    pub fn at_hand(&self) -> bool {
        self.living.iter().any(|pid| self.at_hand_of(*pid)) || self.at_hand_of(0)
    }

    pub fn holds_current(&self, pid: u64) -> bool {
        self.holders.get(self.current()).is_some_and(|by| by.contains(&pid))
    }

    /// This process has tokens in memory that the store does not have.
    /// Whether the process has a request under way.
    pub fn waits_for_a_reply(&self, pid: u64) -> bool {
        let mut sent = self.sent.iter();
        sent.any(|sent| sent.by == pid && sent.outcome == Outcome::UnderWay)
    }

    pub fn has_unstored(&self, pid: u64) -> bool {
        self.holds_current(pid) && self.stored() != Some(self.current())
    }

    pub fn works(&self, access: &str) -> bool {
        let access = self.access.get(access);
        access.is_some_and(|access| !self.families[access.family].revoked && Instant::now() < access.until)
    }

    /// Its time has run out, whatever the server did to it before.
    pub fn expired(&self, access: &str) -> bool {
        self.access
            .get(access)
            .is_some_and(|access| Instant::now() >= access.until)
    }

    /// Whether a jump of the wall clock may have made the times that are stored with this token wrong.
    pub fn time_of_is_wrong(&self, access: &str) -> bool {
        // A request and its reply may be this long under way.
        const UNDER_WAY: Duration = Duration::from_secs(61);
        let from = self.access.get(access).map(|access| access.from);
        self.jumped_at
            .zip(from)
            .is_some_and(|(jump, from)| from < jump + UNDER_WAY)
    }

    /// A caller in this process got this access token: the process has what came with it.
    pub fn serves(&mut self, pid: u64, access: &str, generation: u64) {
        let stored = self.durable.as_ref().and_then(|record| record.tokens.as_ref());
        let is_stored = stored
            .is_some_and(|stored| stored.generation == generation && stored.access_token.expose_secret() == access);
        // Of one that came several times, the generation alone says which refresh token came with it.
        let token = match self.access.get(access) {
            Some(access) if !access.repeated => Some(access.refresh_token.clone()),
            Some(_) if is_stored => self.stored().map(str::to_owned),
            _ => None,
        };
        if let Some(token) = token {
            self.holders.entry(token).or_default().insert(pid);
        }
    }

    /// The user authorizes.
    pub fn login(&mut self, pid: u64) -> TokenReply {
        self.families.push(Family::default());
        let reply = self.issue(self.families.len() - 1);
        self.counts.logins += 1;
        self.got(pid, "the login", &reply);
        reply
    }

    /// A process has read a reply.
    pub fn got(&mut self, pid: u64, asked_with: &str, reply: &TokenReply) {
        if let Some(token) = &reply.refresh_token {
            let token = token.expose_secret().to_owned();
            self.parent.insert(token.clone(), asked_with.to_owned());
            self.holders.entry(token).or_default().insert(pid);
        }
    }

    /// The user, or the server, ends the grant.
    pub fn withdraw(&mut self) {
        let family = self.family;
        if let Some(family) = self.families.get_mut(family) {
            family.revoked = true;
            self.withdrawn = true;
            self.counts.withdrawn += 1;
        }
    }

    /// A revocation reaches the server. A spent refresh token is an unknown one.
    pub fn end(&mut self, token: &str) {
        self.access.remove(token);
        if let Some(family) = self.family_of.get(token).copied()
            && self.families[family].current == token
        {
            self.families[family].revoked = true;
            self.withdrawn |= family == self.family;
        }
    }

    /// The store holds another record now.
    pub fn stores(&mut self, next: Option<Record>, copy: Option<StoredRecord>) {
        let old = self.stored().map(str::to_owned);
        self.durable = next;
        self.copies.extend(copy);
        let Some(new) = self.stored().map(str::to_owned) else {
            return;
        };
        if let Some(old) = old
            && old != new
        {
            self.superseded.insert(old);
        }
        if let Some(family) = self.family_of.get(&new).copied()
            && family != self.family
        {
            if family < self.family && !self.late_logins.contains(&new) {
                self.violation(format!("7: {new} of an older login was stored over a newer one"));
            }
            (self.family, self.withdrawn, self.overtaken) = (family, false, false);
            self.login_stored_at = Some(Instant::now());
        }
    }

    /// The store loses what it was given last.
    pub fn store_loses(&mut self, store: MemoryStore, record: Option<StoredRecord>) {
        self.counts.losses += 1;
        self.counts.losses_in_flight += u64::from(!self.leases.is_empty());
        self.durable = record.as_ref().map(|record| Record::decode(&record.bytes).unwrap());
        let stored = self.stored().unwrap_or("nothing").to_owned();
        self.note(format!("the store goes back to {stored}"));
        // Nobody can know what nobody stored.
        self.superseded.clear();
        self.store = store;
    }

    /// What is stored is damaged where it is.
    pub fn store_damages(&mut self) {
        let Some(stored) = self.copies.last().filter(|_| self.durable.is_some()) else {
            return;
        };
        // Of nothing nobody can say what was in it: only who wrote it last, and lives.
        let mut left = stored.bytes.to_vec();
        match self.weather.kill == 0 && self.chance.one_in(2) {
            true => left.clear(),
            false => left[0] ^= 0x40,
        }
        let damaged = StoredRecord::new(stored.revision, left);
        self.counts.damages += 1;
        self.note(format!(
            "revision {} is damaged: {} bytes left",
            damaged.revision,
            damaged.bytes.len()
        ));
        self.damaged = Some(damaged);
        self.durable = None;
    }

    pub fn is_damaged(&self) -> bool {
        self.damaged.is_some() && self.durable.is_none()
    }

    /// What is read where this is stored.
    pub fn as_it_is_read(&self, stored: StoredRecord) -> StoredRecord {
        let damaged = self.damaged.clone();
        damaged
            .filter(|damaged| damaged.revision == stored.revision)
            .unwrap_or(stored)
    }

    fn issue(&mut self, family: usize) -> TokenReply {
        self.issued += 1;
        let before = self.families[family].access.clone();
        let repeated = !before.is_empty() && self.chance.one_in(self.habits.repeats);
        let access = if repeated { before } else { format!("A{}", self.issued) };
        self.counts.repeated += u64::from(repeated);
        let mut reply = TokenReply::new(access.clone());
        reply.expires_in = Some(self.habits.life);
        let place = &mut self.families[family];
        place.access.clone_from(&access);
        if self.habits.rotates || place.current.is_empty() {
            let fresh = format!("R{}", self.issued);
            let old = std::mem::replace(&mut place.current, fresh.clone());
            self.spent.entry(old).or_insert_with(Instant::now);
            self.family_of.insert(fresh.clone(), family);
            reply.refresh_token = Some(Secret::from(fresh));
        }
        let now = Instant::now();
        let access_token = Access {
            family,
            refresh_token: self.families[family].current.clone(),
            // Somebody may still go by the times of the first one.
            from: self.access.get(&access).map_or(now, |first| first.from),
            repeated,
            until: now + self.habits.life,
        };
        self.access.insert(access, access_token);
        reply
    }

    /// `awaited`: somebody waits for the answer.
    fn answer(&mut self, token: &str, awaited: bool) -> Result<TokenReply, IssuerError> {
        if token == ANEW {
            self.families.resize_with(1, Family::default);
            let mut reply = self.issue(0);
            reply.refresh_token = None;
            return Ok(reply);
        }
        let dead = || verdict(Verdict::Dead, "invalid_grant");
        let family = self.family_of[token];
        if self.families[family].revoked {
            return Err(dead());
        }
        if token == self.families[family].current {
            return Ok(self.issue(family));
        }
        let overtaken = !awaited;
        self.overtaken |= overtaken && family == self.family;
        let in_grace = match (self.spent.get(token), self.habits.grace) {
            (Some(at), Some(grace)) => at.elapsed() <= grace,
            _ => false,
        };
        if in_grace {
            return Ok(self.issue(family));
        }
        if self.habits.reuse_revokes_family {
            // Who could not know better is not to blame: the network held a request back, the store forgot.
            if family == self.family && self.at_hand() && !overtaken && self.counts.losses == 0 {
                let current = self.current().to_owned();
                self.violation(format!(
                    "1: {token} was sent again, the server ended the grant, and {current} was at hand"
                ));
            }
            self.families[family].revoked = true;
        }
        Err(dead())
    }

    /// A request arrives, and comes to what the fault makes of it.
    pub fn serve(&mut self, number: usize, fault: u64) -> (Outcome, Result<TokenReply, IssuerError>) {
        let token = self.sent[number].token.clone();
        let awaited = self.sent[number].outcome == Outcome::UnderWay && self.living.contains(&self.sent[number].by);
        let retry_after = match self.chance.below(3) {
            0 => Some(Duration::from_secs(1 + self.chance.below(120))),
            _ => None,
        };
        let told = |verdict_: Verdict, text| Err(verdict(verdict_, text));
        match fault {
            1 => {
                self.counts.lost_requests += 1;
                return (Outcome::Unknown, told(Verdict::InDoubt, "the request is lost"));
            }
            2 => return (Outcome::Unknown, told(Verdict::Transient { retry_after }, "503")),
            3 => return (Outcome::NotTaken, told(Verdict::Throttled { retry_after }, "429")),
            4 => return (Outcome::NotTaken, told(Verdict::RequestRejected, "invalid_request")),
            _ => {}
        }
        let answer = self.answer(&token, awaited);
        let text = match &answer {
            Ok(_) => format!("the server takes {token}, {} works now", self.current()),
            Err(_) => format!("the server refuses {token}"),
        };
        self.note(text);
        match fault {
            5 => {
                self.counts.lost_replies += 1;
                (Outcome::Unknown, told(Verdict::InDoubt, "the reply is lost"))
            }
            6 => (Outcome::Unknown, told(Verdict::Transient { retry_after }, "502")),
            _ if answer.is_ok() => (Outcome::Granted, answer),
            _ => (Outcome::Refused, answer),
        }
    }

    /// A reply reaches the process that waits for it.
    pub fn receive(&mut self, number: usize, outcome: Outcome, reply: &Result<TokenReply, IssuerError>) {
        self.sent[number].outcome = outcome;
        let (by, token) = (self.sent[number].by, self.sent[number].token.clone());
        let text = match reply {
            Ok(_) => "tokens".to_owned(),
            Err(error) => format!("{error} {:?}", error.verdict),
        };
        self.note(format!("P{by} gets {text}"));
        match reply {
            Ok(reply) => self.got(by, &token, reply),
            Err(error) => {
                if error.verdict == Verdict::Dead {
                    // What is refused is nothing that a process has.
                    self.holders.entry(token.clone()).or_default().remove(&by);
                }
                if let Verdict::Throttled {
                    retry_after: Some(time),
                }
                | Verdict::Transient {
                    retry_after: Some(time),
                } = error.verdict
                {
                    self.counts.told_to_wait += 1;
                    self.wait.insert((by, token), Instant::now() + time);
                }
            }
        }
    }

    /// Whether this process has a token that came of this one.
    fn knows_better(&self, pid: u64, token: &str) -> bool {
        let held = self
            .holders
            .iter()
            .filter(|(_, by)| by.contains(&pid))
            .map(|(held, _)| held);
        held.into_iter().any(|held| {
            let mut at = held.as_str();
            while let Some(parent) = self.parent.get(at) {
                if parent == token {
                    return true;
                }
                at = parent;
            }
            false
        })
    }

    /// A request leaves a process.
    pub fn send(&mut self, by: u64, token: &str) -> usize {
        if self.superseded.contains(token) {
            self.violation(format!("2: {token} was sent by {by} after its successor was stored"));
        }
        // With the grant ended, and forgotten with the rest, there is nothing to lose.
        let over = self.counts.losses > 0 && self.revoked();
        if !over && self.knows_better(by, token) {
            self.violation(format!("2: {token} was sent by {by}, which had its successor"));
        }
        if self
            .wait
            .get(&(by, token.to_owned()))
            .is_some_and(|until| Instant::now() < *until)
            && token != ANEW
        {
            self.violation(format!("6: {token} was sent by {by} before Retry-After had passed"));
        }
        let mut earlier = 0;
        let mut wrong = Vec::new();
        for sent in self.sent.iter().filter(|sent| sent.token == token) {
            earlier += 1;
            // What a store forgot, only those know who saw it.
            let sender_lives = self.living.contains(&sent.by) && (self.counts.losses == 0 || sent.by == by);
            let answered = sent.outcome == Outcome::Granted && token != ANEW;
            let beside = sent.outcome == Outcome::UnderWay && (token != ANEW || sent.by == by);
            if sender_lives && (beside || answered) {
                wrong.push(format!("{sent:?}"));
            }
        }
        if over || !self.habits.rotates && token != ANEW {
            wrong.clear();
        }
        for wrong in wrong {
            self.violation(format!("3: {token} was sent by {by} although there was {wrong}"));
        }
        self.counts.refreshes += 1;
        self.counts.replays += u64::from(earlier > 0 && token != ANEW && self.habits.rotates);
        self.note(format!("P{by} sends {token}"));
        self.sent.push(Sent {
            token: token.to_owned(),
            by,
            outcome: Outcome::UnderWay,
        });
        self.sent.len() - 1
    }
}

/// The application ended the grant.
pub fn on_purpose(reason: ReauthorizationReason) -> bool {
    matches!(
        reason,
        ReauthorizationReason::Revoked | ReauthorizationReason::Forgotten
    )
}
