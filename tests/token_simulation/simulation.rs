//! A world from a seed, what goes on in it, and the quiet end at which everything must come right that can.

use std::sync::{Arc, Mutex, MutexGuard};

use finrail::token::store::{Leased, MemoryStore, StoredRecord, Swap};
use finrail::token::{Bearer, Rejection};
use finrail::token::{Clock, Error, ReauthorizationReason, Renewal, Rotation, TokenHandle, TokenStore as _};
use tokio::time::{Instant, sleep};

use super::chance::Chance;
use super::counts::Counts;
use super::process::{Process, ProcessClock, Server, Store};
use super::token_support::{self, VirtualClock, secs};
use super::world::{Habits, Weather, World, on_purpose};

/// What broke, and the story of it.
pub type Broken = (Vec<String>, Vec<String>);

type Running = (Arc<Process>, TokenHandle, tokio::task::JoinHandle<()>);

pub struct Simulation {
    pub world: Arc<Mutex<World>>,
    clock: Arc<VirtualClock>,
    next_pid: u64,
    seed: u64,
}

fn habits(chance: &mut Chance) -> Habits {
    let rotates = !chance.one_in(8);
    let grace = chance.pick(&[None, None, Some(secs(30)), Some(secs(600))]);
    let reuse_revokes_family = chance.one_in(2);
    let as_it_is = Rotation::new(Some(rotates), grace).reuse_revokes_family(reuse_revokes_family);
    let declared = match chance.below(8) {
        // Nothing is documented.
        0 => Rotation::UNKNOWN,
        1 => Rotation::new(None, grace),
        // The documentation is wrong.
        2 => Rotation::new(Some(true), Some(secs(3600))).reuse_revokes_family(!reuse_revokes_family),
        3 => Rotation::new(Some(true), None).reuse_revokes_family(!reuse_revokes_family),
        _ => as_it_is,
    };
    let renewal = if chance.one_in(8) {
        Renewal::Anew
    } else {
        Renewal::Refresh
    };
    let exclusive = chance.one_in(3);
    Habits {
        rotates,
        grace,
        reuse_revokes_family,
        life: secs(chance.pick(&[90, 120, 300, 900])),
        renewal,
        declared,
        exclusive,
        renews: !exclusive && chance.one_in(2),
        repeats: chance.pick(&[0, 0, 0, 2, 4]),
    }
}

fn weather(chance: &mut Chance, habits: &Habits) -> Weather {
    let user = habits.renewal == Renewal::Refresh;
    let mut weather = Weather {
        server: chance.pick(&[0, 3, 8, 20]),
        store: chance.pick(&[0, 0, 30, 120]),
        outage: chance.pick(&[0, 0, 20, 40]),
        kill: chance.pick(&[0, 1, 2, 4]),
        freeze: chance.pick(&[0, 0, 60, 200]),
        jump: chance.pick(&[0, 0, 0, 12]),
        withdraw: chance.pick(&[0, 0, 0, 0, 0, 100]),
        loss: chance.pick(&[0, 0, 0, 6]),
        event: chance.pick(&[0, 0, 0, 6, 15]),
        keep_alive: chance.pick(&[0, 0, 6]),
        damage: chance.pick(&[0, 0, 0, 8]),
    };
    // A directory on a disk does not fail over. Whether a login, or the end of a grant, is newer than what a store
    // forgot is another story (`token_store_losses.rs`). And with a grace period two processes can go on from one
    // older copy, each with tokens that work for a while: which of them last, only the server knows.
    if habits.exclusive || weather.event > 0 || habits.grace.is_some() {
        weather.loss = 0;
    }
    // Which of two sets is newer, the time of day alone says then.
    if weather.loss > 0 {
        weather.jump = 0;
    }
    // Of a damaged mark only who wrote it knows (`token_damage.rs`).
    if weather.loss > 0 || weather.event > 0 || !user {
        weather.damage = 0;
    }
    if !user {
        (weather.withdraw, weather.event, weather.keep_alive) = (0, 0, 0);
    }
    weather
}

impl Simulation {
    pub fn new(seed: u64) -> Self {
        let mut chance = Chance(seed);
        let habits = habits(&mut chance);
        let weather = weather(&mut chance, &habits);
        Self::with(seed, chance, habits, weather)
    }

    pub fn with(seed: u64, chance: Chance, habits: Habits, weather: Weather) -> Self {
        let clock = VirtualClock::new();
        let store = MemoryStore::with_clock(Arc::clone(&clock) as Arc<dyn Clock>);
        let mut world = World::new(chance, habits, weather, store);
        let as_it_is =
            Rotation::new(Some(habits.rotates), habits.grace).reuse_revokes_family(habits.reuse_revokes_family);
        world.counts.misdeclared = u64::from(habits.declared != as_it_is && habits.renewal == Renewal::Refresh);
        world.counts.anew = u64::from(habits.renewal == Renewal::Anew);
        Self {
            world: Arc::new(Mutex::new(world)),
            clock,
            next_pid: 0,
            seed,
        }
    }

    pub fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap()
    }

    /// A process, which is killed at the last of so many steps.
    pub fn start(&mut self, steps: Option<u64>) -> (Arc<Process>, TokenHandle) {
        self.next_pid += 1;
        let pid = self.next_pid;
        let (habits, key) = {
            let mut world = self.world();
            world.living.insert(pid);
            world.note(format!("P{pid} starts"));
            (world.habits, world.key())
        };
        let clock = ProcessClock::new(Arc::clone(&self.clock));
        let process = Process::new(pid, Arc::clone(&self.world), clock, steps);
        let handle = TokenHandle::builder(key, Arc::new(Server(Arc::clone(&process))), habits.renewal)
            .store(Arc::new(Store(Arc::clone(&process))))
            .rotation(habits.declared)
            .clock(Arc::clone(&process.clock) as Arc<dyn Clock>)
            .holder(format!("P{pid}"))
            .seed(self.seed.wrapping_mul(31).wrapping_add(pid))
            .build();
        (process, handle)
    }

    fn working(&mut self) -> Running {
        let steps = {
            let mut world = self.world();
            let odds = world.weather.kill;
            (world.chance_of(odds)).then(|| world.chance.below(80) + 1)
        };
        let (process, handle) = self.start(steps);
        let (at_work, caller) = (Arc::clone(&process), handle.clone());
        let work = tokio::spawn(async move {
            loop {
                let pause = at_work.world.lock().unwrap().chance.millis(40_000);
                sleep(pause).await;
                let _ = call(&at_work, &caller).await;
            }
        });
        (process, handle, work)
    }

    /// The user has authorized: the first tokens are stored, no fault yet.
    pub async fn authorized(&mut self) {
        if self.world().habits.renewal == Renewal::Refresh {
            let (process, login) = self.start(None);
            let reply = self.world().login(process.pid);
            login.adopt(reply).await.unwrap();
            self.world().living.remove(&process.pid);
        }
    }

    pub async fn run(mut self) -> Result<Counts, Broken> {
        const ROUNDS: u32 = 30;

        self.authorized().await;
        self.world().faults = true;
        let replicas = self.world().chance.below(3) + 1;
        let mut processes: Vec<Running> = (0..replicas).map(|_| self.working()).collect();
        for _ in 0..ROUNDS {
            let pause = self.world().chance.millis(30_000);
            sleep(pause).await;
            for running in &mut processes {
                let dead = !self.world().living.contains(&running.0.pid);
                if dead {
                    running.2.abort();
                    *running = self.working();
                }
            }
            self.something_happens(&processes).await;
        }
        self.quiet_end(processes).await;
        self.world().verdict()
    }

    async fn something_happens(&self, processes: &[Running]) {
        let (loses, event, who) = {
            let mut world = self.world();
            let weather = world.weather;
            if world.chance.one_in(weather.outage) {
                let length = world.chance.millis(120_000);
                world.outage_until = Some(Instant::now() + length);
                world.counts.outages += 1;
                world.note(format!("the store is out for {length:?}"));
            }
            if world.chance.one_in(weather.withdraw) {
                world.note("the user withdraws the consent");
                world.withdraw();
            }
            if world.chance.one_in(weather.jump) {
                let by = i64::try_from(world.chance.below(4000)).unwrap() - 2000;
                world.note(format!("the wall clock jumps by {by} s"));
                world.jumped_at = Some(Instant::now());
                world.counts.jumps += 1;
                self.clock.jump(by);
            }
            if world.chance.one_in(weather.damage) {
                world.store_damages();
            }
            let loses = world.chance.one_in(weather.loss);
            let event = (world.chance.one_in(weather.event) && !world.event_under_way).then(|| world.chance.below(5));
            let who = usize::try_from(world.chance.below(processes.len() as u64)).unwrap();
            world.event_under_way |= event.is_some();
            (loses, event, who)
        };
        if loses {
            self.store_loses().await;
        }
        self.keep_alive(processes);
        if let Some(event) = event {
            let (process, handle, _) = &processes[who];
            tokio::spawn(begin_or_end(event, Arc::clone(process), handle.clone()));
        }
    }

    /// Every process has seen the same tokens, whose refresh token is near its end.
    fn keep_alive(&self, processes: &[Running]) {
        let seen = {
            let mut world = self.world();
            let odds = world.weather.keep_alive;
            let tokens = world.durable.as_ref().and_then(|record| record.tokens.as_ref());
            let seen = tokens.map(|tokens| tokens.generation).filter(|_| odds > 0);
            seen.filter(|_| world.chance.one_in(odds))
        };
        let Some(seen) = seen else { return };
        self.world().counts.kept_alive += 1;
        self.world().note(format!("all processes renew generation {seen}"));
        for (process, handle, _) in processes {
            let (process, handle) = (Arc::clone(process), handle.clone());
            tokio::spawn(async move {
                process.awake().await;
                let outcome = handle.renew(seen).await;
                let mut world = process.world.lock().unwrap();
                world.note(format!("P{} renewed: {outcome:?}", process.pid));
            });
        }
    }

    /// An older copy takes over, or one that holds nothing.
    async fn store_loses(&self) {
        let (record, key) = {
            let mut world = self.world();
            let back = usize::try_from(world.chance.below(6)).unwrap();
            // Not the last one: that would be no loss.
            let at = world.copies.len().checked_sub(2 + back);
            (at.map(|at| world.copies[at].clone()), world.key())
        };
        let copy = MemoryStore::with_clock(Arc::clone(&self.clock) as Arc<dyn Clock>);
        if let Some(record) = record.clone() {
            put(&copy, &key, record).await;
        }
        self.world().store_loses(copy, record);
    }

    /// The faults end, and everything must come right that can.
    async fn quiet_end(&mut self, processes: Vec<Running>) {
        {
            let mut world = self.world();
            world.faults = false;
            world.outage_until = None;
            world.note("the faults end");
        }
        for (process, _, work) in &processes {
            *process.steps.lock().unwrap() = None;
            work.abort();
        }
        sleep(secs(240)).await;
        let late = self.start(None);
        let mut callers: Vec<_> = processes
            .iter()
            .filter(|(process, ..)| self.world().living.contains(&process.pid))
            .map(|(process, handle, _)| (Arc::clone(process), handle.clone()))
            .collect();
        callers.push(late);
        // What a store lost comes back from those who have it.
        callers.sort_by_key(|(process, _)| !self.world().holds_current(process.pid));
        // Over a damaged record goes who wrote it, and the others wait for that.
        for (process, handle) in &callers {
            if self.world().is_damaged() {
                let _ = call(process, handle).await;
            }
        }
        for (process, handle) in callers {
            let life = self.world().habits.life;
            sleep(life).await;
            self.settles(&process, &handle).await;
        }
        let mut world = self.world();
        let calm = Weather {
            withdraw: 0,
            ..world.weather
        };
        if calm == Weather::default() && !world.withdrawn {
            let (requests, generation) = (world.counts.refreshes, world.durable.as_ref().map(|r| r.generation()));
            let first = u64::from(world.habits.renewal == Renewal::Refresh);
            if generation != Some(requests + first) {
                world.violation(format!(
                    "3: nothing went wrong, and {requests} requests made {generation:?} generations"
                ));
            }
        }
    }

    /// One process, without faults, calls until it has an answer, and the answer is right.
    pub async fn settles(&self, process: &Arc<Process>, handle: &TokenHandle) {
        let saveable = self.world().at_hand();
        let pid = process.pid;
        let mut outcome = call(process, handle).await;
        for _ in 0..40 {
            match &outcome {
                Err(Error::RequestRejected { .. } | Error::TokenRefused { .. }) => {}
                Err(error) if error.is_retryable() => {}
                _ => break,
            }
            sleep(secs(15)).await;
            outcome = call(process, handle).await;
        }
        let mut world = self.world();
        let ended = world.ended_on_purpose();
        match outcome {
            Ok(_) if ended => world.violation(format!("7: the grant was ended, and P{pid} calls")),
            Ok(bearer) => {
                let access = token_support::text(&bearer);
                if !world.works(access.trim_start_matches("Bearer ")) {
                    world.violation(format!("4: P{pid} ends with {access}, which does not work"));
                }
            }
            Err(error) if saveable => {
                world.violation(format!("1: the consent could be saved, and P{pid} got: {error}"));
            }
            Err(Error::NoGrant { .. }) if ended => {}
            Err(Error::ReauthorizationRequired { reason, .. }) => {
                // Somebody else than the wire and the server had a part in it.
                let excused = world.withdrawn || world.overtaken || world.counts.losses > 0;
                world.counts.lost = u64::from(!excused && !ended);
                let right = match ended {
                    true => on_purpose(reason),
                    false => excused || reason == ReauthorizationReason::LostReply,
                };
                if !right {
                    world.violation(format!(
                        "5: the consent was lost with a reply, and P{pid} was told: {reason}"
                    ));
                }
            }
            // Nobody lives who knows what was in it.
            Err(Error::Store { .. }) if world.counts.damages > 0 => {}
            // Nothing is stored, and nobody has anything.
            Err(Error::NoGrant { .. }) if world.counts.losses > 0 => {}
            Err(error) => world.violation(format!("5: the consent is lost, and P{pid} got: {error}")),
        }
    }
}

/// Writes a record into an empty store.
async fn put(store: &MemoryStore, key: &finrail::token::TokenKey, record: StoredRecord) {
    let Leased::Granted(lease) = store.lease(key, "x", secs(1)).await.unwrap() else {
        panic!("a new store has no holders");
    };
    store
        .swap(key, Swap::new(None, lease.fence, Some(record)))
        .await
        .unwrap();
    store.release(key, lease).await.unwrap();
}

/// The application ends the grant, or the user authorizes once more.
async fn begin_or_end(event: u64, process: Arc<Process>, handle: TokenHandle) {
    let world = || process.world.lock().unwrap();
    process.awake().await;
    let pid = process.pid;
    match event {
        0 => {
            let done = handle.revoke().await;
            let mut world = world();
            world.counts.revocations += u64::from(done.is_ok());
            world.note(format!("P{pid} revoked: {done:?}"));
        }
        1 => {
            let done = handle.forget().await;
            let mut world = world();
            world.counts.forgotten += u64::from(done.is_ok());
            world.note(format!("P{pid} forgot: {done:?}"));
        }
        _ if !world().living.contains(&pid) => {}
        _ => {
            let reply = world().login(pid);
            let token = reply.refresh_token.as_ref().unwrap().expose_secret().to_owned();
            world().note(format!("the user authorizes through P{pid}: {token}"));
            let done = handle.adopt(reply).await;
            if done.is_err() {
                world().late_logins.insert(token);
            }
            world().note(format!("P{pid} adopted: {:?}", done.map(|_| ())));
        }
    }
    world().event_under_way = false;
}

/// What the transport does: one call, and once more with another token when the provider refuses the first.
async fn call(process: &Process, handle: &TokenHandle) -> Result<Bearer, Error> {
    process.awake().await;
    let outcome = handle.fresh().await;
    let refused = {
        let mut world = process.world.lock().unwrap();
        check(&mut world, process.pid, &outcome);
        let Ok(bearer) = &outcome else { return outcome };
        let access = token_support::text(bearer);
        if world.works(access.trim_start_matches("Bearer ")) {
            return outcome;
        }
        world.note(format!(
            "P{} is refused with {access}, generation {}",
            process.pid, bearer.generation
        ));
        bearer.generation
    };
    let outcome = handle.rejected(refused, Rejection::InvalidToken).await;
    check(&mut process.world.lock().unwrap(), process.pid, &outcome);
    outcome
}

/// What a caller was told must be true.
fn check(world: &mut World, pid: u64, outcome: &Result<Bearer, Error>) {
    let anew = world.habits.renewal == Renewal::Anew;
    match outcome {
        Ok(bearer) => {
            let access = token_support::text(bearer);
            let access = access.trim_start_matches("Bearer ");
            world.serves(pid, access, bearer.generation);
            let stored = world.durable.as_ref().and_then(|record| record.tokens.as_ref());
            let stored = stored.map(|tokens| tokens.access_token.expose_secret().to_owned());
            if world.expired(access)
                && !world.time_of_is_wrong(access)
                && stored.is_some_and(|stored| world.works(&stored))
            {
                world.violation(format!(
                    "4: P{pid} got {access}, which is over, and the store had one that works"
                ));
            }
        }
        Err(
            error @ (Error::ReauthorizationRequired { .. }
            | Error::NoGrant { .. }
            | Error::Store { .. }
            | Error::InDoubt { .. }),
        ) if anew => {
            world.violation(format!(
                "1: client credentials need no user and no store, and P{pid} was told: {error}"
            ));
        }
        Err(error @ Error::ReauthorizationRequired { .. }) => {
            // Who read what a store forgot cannot know what another process still has.
            let at_hand = match world.counts.losses {
                0 => world.at_hand(),
                _ => world.at_hand_of(pid),
            };
            // Who slept while somebody set the wall clock back cannot know that time has passed.
            let jumped = world.jumped_at.is_some_and(|at| at.elapsed() < secs(120));
            // A look that began before somebody logged in takes two seconds at most, and rests for half a second.
            let just_now = world.login_stored_at.is_some_and(|at| at.elapsed() < secs(3));
            if at_hand && !jumped && !just_now {
                let current = world.current().to_owned();
                world.violation(format!("1: P{pid} was told \"{error}\" while {current} was at hand"));
            }
        }
        Err(error) => world.note(format!("P{pid} is told: {error}")),
    }
}
