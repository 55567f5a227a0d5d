//! One process: all that it does to the world goes through here, and ends when it is killed.

use std::future::pending;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, SystemTime};

use finrail::token::store::{Lease, Leased, LeasedSwap, MemoryStore, StoredRecord, Swap, Swapped};
use finrail::token::{
    Clock, Issuer, IssuerError, Obtain, Record, RevokeRequest, StoreError, TokenKey, TokenReply, TokenStore, Verdict,
};
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use tokio::time::{Instant, sleep, sleep_until};

use super::token_support::{VirtualClock, secs, user_key, verdict};
use super::world::{ANEW, FAULTS, NO_FAULT, Outcome, SLOW_REPLY, SLOW_REQUEST, World};

/// Its monotonic clock stands still while its machine is suspended; the time of day goes on.
pub struct ProcessClock {
    shared: Arc<VirtualClock>,
    slept: Mutex<(Duration, Option<(Instant, Instant)>)>,
}

impl ProcessClock {
    pub fn new(shared: Arc<VirtualClock>) -> Arc<Self> {
        Arc::new(Self {
            shared,
            slept: Mutex::default(),
        })
    }

    fn sleeps_until(&self, until: Instant) {
        let mut slept = self.slept.lock().unwrap();
        let now = Instant::now();
        let mut until = until;
        if let Some((since, before)) = slept.1.take() {
            slept.0 += before.min(now) - since;
            // Something of it was put to sleep already, and sleeps on.
            until = until.max(before);
        }
        slept.1 = Some((now, until));
    }
}

impl Clock for ProcessClock {
    fn wall(&self) -> SystemTime {
        self.shared.wall()
    }

    fn monotonic(&self) -> Duration {
        let (before, now) = *self.slept.lock().unwrap();
        let now = now.map_or(Duration::ZERO, |(since, until)| Instant::now().min(until) - since);
        self.shared.monotonic() - before - now
    }
}

/// Between which steps a process is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum At {
    Store,
    /// There is a connection for a request, which asks for the last time whether it may leave.
    Departure,
    Wire,
    /// The reply is read: what stands still now goes on with it afterwards, and not without it.
    Read,
}

pub struct Process {
    pub pid: u64,
    pub world: Arc<Mutex<World>>,
    pub clock: Arc<ProcessClock>,
    /// It is killed at the last of so many steps.
    pub steps: Mutex<Option<u64>>,
    /// How many steps it has taken.
    pub taken: Mutex<u64>,
    /// It stands still until then.
    stands_until: Mutex<Option<Instant>>,
}

impl Process {
    pub fn new(pid: u64, world: Arc<Mutex<World>>, clock: Arc<ProcessClock>, steps: Option<u64>) -> Arc<Self> {
        Arc::new(Self {
            pid,
            world,
            clock,
            steps: Mutex::new(steps),
            taken: Mutex::new(0),
            stands_until: Mutex::new(None),
        })
    }

    fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap()
    }

    /// Before and after everything: the moment at which a process may end, or stand still.
    async fn step(&self, at: At) {
        *self.taken.lock().unwrap() += 1;
        self.freeze(at);
        self.awake().await;
        let dead = {
            let mut steps = self.steps.lock().unwrap();
            if let Some(left) = steps.as_mut() {
                *left = left.saturating_sub(1);
                if *left == 0 {
                    self.kill();
                }
            }
            !self.world().living.contains(&self.pid)
        };
        if dead {
            pending::<()>().await;
        }
    }

    fn kill(&self) {
        let mut world = self.world();
        if !world.living.remove(&self.pid) {
            return;
        }
        world.counts.kills += 1;
        world.note(format!("P{} is killed", self.pid));
        // The operating system takes its locks back.
        let fence = world.leases.remove(&self.pid);
        if let Some(fence) = fence.filter(|_| world.habits.exclusive) {
            let key = world.key();
            let _ = world.store.release(&key, Lease::new(fence)).now_or_never();
        }
    }

    /// Returns when the process does not stand still.
    pub async fn awake(&self) {
        loop {
            let until = *self.stands_until.lock().unwrap();
            match until {
                Some(until) if Instant::now() < until => sleep_until(until).await,
                _ => return,
            }
        }
    }

    /// The process may stand still, for longer than its lease lives; or its machine is suspended.
    fn freeze(&self, at: At) {
        let mut world = self.world();
        // Where time ends a lease, a stop cannot be told from a death by anybody with tokens on their way to it, or in
        // its memory and not in the store yet. `machine.rs` says so.
        let waits_for_tokens = || world.has_unstored(self.pid) || world.waits_for_a_reply(self.pid);
        // In a process that stands still no timer fires. Here they do, and what waits for a reply would call it lost.
        let other_waits = at == At::Store && world.waits_for_a_reply(self.pid);
        let beyond_help =
            at == At::Read || other_waits || !world.habits.exclusive && (at == At::Wire || waits_for_tokens());
        let odds = world.weather.freeze;
        if !world.chance_of(odds) || beyond_help || !world.living.contains(&self.pid) {
            return;
        }
        let time = world.chance.millis(90_000);
        let until = Instant::now() + time;
        if world.chance.one_in(2) {
            world.counts.suspends += 1;
            world.note(format!("the machine of P{} sleeps for {time:?}", self.pid));
            self.clock.sleeps_until(until);
        } else {
            world.counts.freezes += 1;
            world.note(format!("P{} stands still for {time:?}", self.pid));
        }
        let mut stands = self.stands_until.lock().unwrap();
        *stands = Some(stands.map_or(until, |before| before.max(until)));
    }

    /// One store operation with its faults.
    async fn store_op<T>(
        &self,
        op: impl FnOnce(MemoryStore) -> BoxFuture<'static, Result<T, StoreError>>,
        learn: impl FnOnce(&mut World, &T),
    ) -> Result<T, StoreError> {
        self.step(At::Store).await;
        let (delay, before, after) = {
            let mut world = self.world();
            let delay = match world.chance.one_in(50) {
                true => world.chance.millis(2_000),
                false => world.chance.millis(5),
            };
            let out = world.outage_until.is_some_and(|until| Instant::now() < until);
            let odds = world.weather.store;
            (delay, out || world.chance_of(odds), world.chance_of(odds))
        };
        sleep(delay).await;
        self.step(At::Store).await;
        if before {
            self.world().counts.store_faults += 1;
            return Err(StoreError::unavailable("answer", "fault before"));
        }
        // Nothing waits in here: the operation and what an onlooker sees of it are one.
        let done = {
            let mut world = self.world();
            let store = world.store.clone();
            let done = op(store).now_or_never().unwrap();
            if let Ok(done) = &done {
                learn(&mut world, done);
            }
            done
        };
        self.step(At::Store).await;
        if after {
            self.world().counts.store_faults += 1;
            Err(StoreError::unavailable("answer", "fault after"))
        } else {
            done
        }
    }
}

/// The authorization server as this process reaches it.
pub struct Server(pub Arc<Process>);

/// A caller that gives up waiting leaves an unknown outcome behind.
struct Unanswered<'a>(&'a Process, usize);

impl Drop for Unanswered<'_> {
    fn drop(&mut self) {
        let mut world = self.0.world();
        let sent = &mut world.sent[self.1];
        if sent.outcome == Outcome::UnderWay {
            sent.outcome = Outcome::Unknown;
        }
    }
}

impl Issuer for Server {
    fn obtain(&self, obtain: Obtain) -> BoxFuture<'_, Result<TokenReply, IssuerError>> {
        Box::pin(async move {
            let token = match &obtain {
                Obtain::Refresh(refresh) => refresh.refresh_token.expose_secret().to_owned(),
                _ => ANEW.to_owned(),
            };
            let process = &self.0;
            process.step(At::Departure).await;
            if let Obtain::Refresh(refresh) = &obtain
                && !refresh.permit.holds()
            {
                let mut world = process.world();
                world.counts.too_late += 1;
                world.note(format!("P{} comes too late to send {token}", process.pid));
                return Err(verdict(Verdict::NotSent, "too late"));
            }
            let (number, there, back, fault) = {
                let mut world = process.world();
                let number = world.send(process.pid, &token);
                let odds = world.weather.server;
                let fault = match world.chance_of(odds) {
                    true => world.chance.below(FAULTS) + 1,
                    false => NO_FAULT,
                };
                let mut time = |slow| world.chance.millis(if fault == slow { 60_000 } else { 400 });
                let (there, back) = (time(SLOW_REQUEST), time(SLOW_REPLY));
                world.counts.slow_requests += u64::from(fault == SLOW_REQUEST);
                world.counts.slow_replies += u64::from(fault == SLOW_REPLY);
                (number, there, back, fault)
            };
            // Whatever becomes of the sender, the request goes on: the server does not know who waits.
            let (world, (done, served)) = (Arc::clone(&process.world), tokio::sync::oneshot::channel());
            let server = tokio::spawn(async move {
                sleep(there).await;
                let reply = world.lock().unwrap().serve(number, fault);
                let _ = done.send(());
                sleep(back).await;
                reply
            });
            let guard = Unanswered(process, number);
            // It may end with the request under way, with the reply under way, and with the reply read.
            process.step(At::Wire).await;
            let _ = served.await;
            process.step(At::Wire).await;
            let (outcome, reply) = server.await.unwrap();
            process.world().receive(number, outcome, &reply);
            drop(guard);
            process.step(At::Read).await;
            let mut world = process.world();
            // Of all moments for the store to go away, this is the worst.
            let odds = world.weather.outage / 6;
            if outcome == Outcome::Granted && world.chance_of(odds) {
                let length = secs(20) + world.chance.millis(80_000);
                world.outage_until = Some(Instant::now() + length);
                world.counts.outages += 1;
                world.note(format!("the store is out for {length:?}"));
            }
            drop(world);
            reply
        })
    }

    fn revoke(&self, request: RevokeRequest) -> BoxFuture<'_, Result<bool, IssuerError>> {
        Box::pin(async move {
            let process = &self.0;
            let token = request.token.secret();
            process.step(At::Wire).await;
            let (fault, time) = {
                let mut world = process.world();
                let odds = world.weather.server;
                let fault = match world.chance_of(odds) {
                    true => world.chance.below(2) + 1,
                    false => NO_FAULT,
                };
                world.note(format!("P{} revokes {}", process.pid, token.expose_secret()));
                (fault, world.chance.millis(400))
            };
            sleep(time).await;
            if fault == 1 {
                // The token still lives (RFC 7009 section 2.2.1).
                return Err(verdict(Verdict::Transient { retry_after: None }, "503"));
            }
            process.world().end(token.expose_secret());
            sleep(time).await;
            process.step(At::Wire).await;
            match fault {
                2 => Err(verdict(Verdict::InDoubt, "the reply is lost")),
                _ => Ok(true),
            }
        })
    }
}

/// The store as this process reaches it.
pub struct Store(pub Arc<Process>);

/// A lock of the operating system: given back when it is dropped.
struct Lock(MemoryStore, TokenKey, u64);

impl Drop for Lock {
    fn drop(&mut self) {
        let _ = self.0.release(&self.1, Lease::new(self.2)).now_or_never();
    }
}

impl TokenStore for Store {
    fn load<'a>(&'a self, key: &'a TokenKey) -> BoxFuture<'a, Result<Option<StoredRecord>, StoreError>> {
        let key = key.clone();
        Box::pin(async move {
            let load = move |store: MemoryStore| async move { store.load(&key).await }.boxed();
            let stored = self.0.store_op(load, |_, _| {}).await?;
            Ok(stored.map(|stored| self.0.world().as_it_is_read(stored)))
        })
    }

    fn swap<'a>(&'a self, key: &'a TokenKey, swap: Swap) -> BoxFuture<'a, Result<Swapped, StoreError>> {
        let (key, next) = (key.clone(), swap.next.clone());
        let is_record = key == self.0.world().key();
        Box::pin(self.0.store_op(
            move |store| async move { store.swap(&key, swap).await }.boxed(),
            move |world, swapped| {
                if *swapped == Swapped::Done && is_record {
                    let record = next.as_ref().map(|next| Record::decode(&next.bytes).unwrap());
                    world.stores(record, next);
                }
            },
        ))
    }

    fn lease<'a>(
        &'a self,
        key: &'a TokenKey,
        holder: &'a str,
        ttl: Duration,
    ) -> BoxFuture<'a, Result<Leased, StoreError>> {
        const FOR_EVER: Duration = Duration::from_secs(1_000_000_000);
        let (process, exclusive, key, holder) =
            (&self.0, self.0.world().habits.exclusive, key.clone(), holder.to_owned());
        let ttl = if exclusive { FOR_EVER } else { ttl };
        Box::pin(process.store_op(
            move |store| {
                async move {
                    Ok(match store.lease(&key, &holder, ttl).await? {
                        Leased::Granted(lease) if exclusive => {
                            let lock = Lock(store, key, lease.fence);
                            Leased::Granted(Lease::new(lease.fence).exclusive().guard(lock))
                        }
                        Leased::Held { by, .. } if exclusive => Leased::Held { by, for_at_most: None },
                        leased => leased,
                    })
                }
                .boxed()
            },
            |world, leased| {
                if let Leased::Granted(lease) = leased {
                    world.leases.insert(process.pid, lease.fence);
                }
            },
        ))
    }

    fn lease_and_swap<'a>(
        &'a self,
        key: &'a TokenKey,
        holder: &'a str,
        ttl: Duration,
        swap: Swap,
    ) -> BoxFuture<'a, Result<LeasedSwap, StoreError>> {
        let process = &self.0;
        if !process.world().habits.renews {
            return Box::pin(self.in_two_steps(key, holder, ttl, swap));
        }
        let (key, holder, next) = (key.clone(), holder.to_owned(), swap.next.clone());
        Box::pin(process.store_op(
            move |store| async move { store.lease_and_swap(&key, &holder, ttl, swap).await }.boxed(),
            move |world, done| {
                if let LeasedSwap::Done(lease) = done {
                    world.counts.begun_at_once += 1;
                    world.leases.insert(process.pid, lease.fence);
                    let record = next.as_ref().map(|next| Record::decode(&next.bytes).unwrap());
                    world.stores(record, next);
                }
            },
        ))
    }

    fn swap_and_release<'a>(
        &'a self,
        key: &'a TokenKey,
        swap: Swap,
        lease: &'a Lease,
    ) -> BoxFuture<'a, Result<Swapped, StoreError>> {
        let (process, fence) = (&self.0, lease.fence);
        let habits = process.world().habits;
        if !habits.renews {
            return Box::pin(async move {
                let swapped = self.swap(key, swap).await?;
                if swapped == Swapped::Done && !habits.exclusive {
                    let _ = self.release(key, Lease::new(fence)).await;
                }
                Ok(swapped)
            });
        }
        let (key, again, next) = (key.clone(), Lease::new(fence), swap.next.clone());
        Box::pin(process.store_op(
            move |store| async move { store.swap_and_release(&key, swap, &again).await }.boxed(),
            move |world, swapped| {
                if *swapped == Swapped::Done {
                    let record = next.as_ref().map(|next| Record::decode(&next.bytes).unwrap());
                    if world.durable != record {
                        world.stores(record, next);
                    }
                    if world.leases.get(&process.pid) == Some(&fence) {
                        world.leases.remove(&process.pid);
                    }
                }
            },
        ))
    }

    fn renews_leases(&self) -> bool {
        self.0.world().habits.renews
    }

    fn renew<'a>(
        &'a self,
        key: &'a TokenKey,
        lease: &'a Lease,
        ttl: Duration,
    ) -> BoxFuture<'a, Result<bool, StoreError>> {
        let (key, lease) = (key.clone(), Lease::new(lease.fence));
        Box::pin(self.0.store_op(
            move |store| async move { store.renew(&key, &lease, ttl).await }.boxed(),
            |world, renewed| world.counts.renewals += u64::from(*renewed),
        ))
    }

    fn release<'a>(&'a self, key: &'a TokenKey, lease: Lease) -> BoxFuture<'a, Result<(), StoreError>> {
        let (process, key, fence) = (&self.0, key.clone(), lease.fence);
        if process.world().habits.exclusive {
            // Closing a file needs no store that answers.
            drop(lease);
            process.world().leases.remove(&process.pid);
            return Box::pin(async { Ok(()) });
        }
        Box::pin(async move {
            let released = process.store_op(
                move |store| async move { store.release(&key, lease).await }.boxed(),
                |_, ()| {},
            );
            let released = released.await;
            let mut world = process.world();
            if world.leases.get(&process.pid) == Some(&fence) {
                world.leases.remove(&process.pid);
            }
            released
        })
    }
}

impl Store {
    /// As a store does that has no step for both.
    async fn in_two_steps(
        &self,
        key: &TokenKey,
        holder: &str,
        ttl: Duration,
        swap: Swap,
    ) -> Result<LeasedSwap, StoreError> {
        let lease = match self.lease(key, holder, ttl).await? {
            Leased::Granted(lease) => lease,
            Leased::Held { by, for_at_most } => return Ok(LeasedSwap::Held { by, for_at_most }),
        };
        let refused = match self.swap(key, Swap::new(swap.expected, lease.fence, swap.next)).await {
            Ok(Swapped::Done) => return Ok(LeasedSwap::Done(lease)),
            Ok(Swapped::Conflict(stored)) => Ok(LeasedSwap::Conflict(stored)),
            Ok(Swapped::Fenced) => Ok(LeasedSwap::Conflict(None)),
            Err(error) => Err(error),
        };
        let _ = self.release(key, lease).await;
        refused
    }
}

impl World {
    pub fn key(&self) -> TokenKey {
        use finrail::token::{GrantKind, Renewal};
        match self.habits.renewal {
            Renewal::Anew => TokenKey::new("ofx", "client-1", GrantKind::ClientCredentials),
            _ => user_key(),
        }
    }
}
