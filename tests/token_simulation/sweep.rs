//! One refresh, killed at each of its steps in turn: before and after every store operation, before the request
//! leaves, while it is under way, while the reply is, and when the reply is read.

use finrail::token::{Renewal, Rotation};

use super::chance::Chance;
use super::simulation::{Broken, Simulation};
use super::token_support::secs;
use super::world::{Habits, Outcome, Weather};

/// What a kill at one step did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// The refresh was through before that step.
    NotKilled,
    /// The next process works, and the server had not taken the request.
    NothingTaken,
    /// The next process works with what the first one stored.
    Stored,
    /// The server took the request, nothing was stored, and the next process works all the same.
    Saved,
    /// The server took the request, nothing was stored, and the consent is lost with the reply.
    Lost,
}

/// Every habit of a server and of a store, with a client that knows and one that does not.
pub fn all_habits() -> Vec<Habits> {
    let mut all = Vec::new();
    for rotates in [true, false] {
        for grace in [None, Some(secs(30)), Some(secs(600))] {
            for reuse_revokes_family in [false, true] {
                for (exclusive, renews) in [(false, false), (false, true), (true, false)] {
                    let known = Rotation::new(Some(rotates), grace).reuse_revokes_family(reuse_revokes_family);
                    for declared in [known, Rotation::UNKNOWN] {
                        all.push(Habits {
                            rotates,
                            grace,
                            reuse_revokes_family,
                            life: secs(300),
                            renewal: Renewal::Refresh,
                            declared,
                            exclusive,
                            renews,
                            repeats: 0,
                        });
                    }
                }
            }
        }
    }
    all
}

/// The first process is killed at this step of its refresh; then a second one starts.
pub async fn kill_at(step: u64, habits: Habits) -> Result<Ended, Broken> {
    let mut simulation = Simulation::with(step, Chance(step), habits, Weather::default());
    simulation.authorized().await;
    tokio::time::sleep(habits.life).await;
    let (first, handle) = simulation.start(Some(step));
    let refresh = tokio::spawn(async move { handle.fresh().await });
    // A refresh without a fault takes some steps, each of them milliseconds.
    tokio::time::sleep(secs(3)).await;
    refresh.abort();
    if simulation.world().living.remove(&first.pid) {
        assert!(*first.taken.lock().unwrap() < step);
        return Ok(Ended::NotKilled);
    }
    let (taken, stored) = {
        let world = simulation.world();
        let taken =
            world.sent.iter().any(|sent| sent.outcome == Outcome::Granted) || world.stored() != Some(world.current());
        (taken, world.durable.as_ref().unwrap().generation() == 2)
    };
    let (second, handle) = simulation.start(None);
    simulation.settles(&second, &handle).await;
    let world = simulation.world();
    world.verdict().map(|counts| match (counts.lost > 0, stored, taken) {
        (true, ..) => Ended::Lost,
        (false, true, _) => Ended::Stored,
        (false, false, true) => Ended::Saved,
        (false, false, false) => Ended::NothingTaken,
    })
}
