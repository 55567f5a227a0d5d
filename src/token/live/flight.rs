//! One attempt at a time, and one outcome for all who wait for it.

use super::sync::{AtomicBool, Mutex, Ordering};

/// The attempt that is under way, as `R`, through which its outcome is awaited.
pub(crate) struct Flight<R> {
    current: Mutex<Option<R>>,
    /// The same for readers that must not lock.
    under_way: AtomicBool,
}

/// How somebody comes to an outcome.
pub(crate) enum Joined<R> {
    /// Waits for an attempt that is under way.
    Waits(R),
    /// Has to make the attempt, and to [`land`](Flight::land) it.
    Leads(R),
}

impl<R: Clone> Flight<R> {
    pub fn new() -> Self {
        Self {
            current: Mutex::new(None),
            under_way: AtomicBool::new(false),
        }
    }

    pub fn is_under_way(&self) -> bool {
        self.under_way.load(Ordering::Acquire)
    }

    /// The attempt that is under way.
    pub fn current(&self) -> Option<R> {
        lock(&self.current).clone()
    }

    /// Joins the attempt that is under way, or starts one. `start` may refuse.
    pub fn join<E>(&self, start: impl FnOnce() -> Result<R, E>) -> Result<Joined<R>, E> {
        let mut current = lock(&self.current);
        if let Some(waiting) = current.as_ref() {
            return Ok(Joined::Waits(waiting.clone()));
        }
        let started = start()?;
        *current = Some(started.clone());
        self.under_way.store(true, Ordering::Release);
        Ok(Joined::Leads(started))
    }

    /// Ends the attempt, and then lets its outcome be known.
    ///
    /// In this order: who asks after having seen an outcome wants another attempt, and not the same outcome again.
    pub fn land(&self, make_known: impl FnOnce()) {
        *lock(&self.current) = None;
        self.under_way.store(false, Ordering::Release);
        make_known();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> super::sync::MutexGuard<'_, T> {
    match mutex.lock() {
        Ok(guard) => guard,
        Err(poisoned) => poisoned.into_inner(),
    }
}
