//! Every interleaving of threads on the snapshot cell and on the single flight, with loom.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, dead_code)]

/// loom's primitives in place of the standard library's: the code under test is the very same.
mod sync {
    pub use loom::sync::atomic::{AtomicBool, AtomicU64, Ordering};
    pub use loom::sync::{Mutex, MutexGuard};

    use std::sync::Arc;

    /// `ArcSwapOption` is tested by its own authors: here it is a lock.
    pub struct Slot<T>(Mutex<Option<Arc<T>>>);

    impl<T> Default for Slot<T> {
        fn default() -> Self {
            Self(Mutex::new(None))
        }
    }

    impl<T> Slot<T> {
        pub fn store(&self, value: Option<Arc<T>>) {
            *self.0.lock().unwrap() = value;
        }

        pub fn load_full(&self) -> Option<Arc<T>> {
            self.0.lock().unwrap().clone()
        }
    }
}

#[path = "../src/token/live/cell.rs"]
mod cell;
#[path = "../src/token/live/flight.rs"]
mod flight;

use std::sync::Arc;

use cell::{Cell, Copied};
use flight::{Flight, Joined};
use loom::sync::atomic::{AtomicUsize, Ordering};
use loom::thread;

/// A reader never goes back to an older value, and who knows of a new value reads it.
#[test]
fn a_thread_never_reads_a_value_older_than_one_it_knows_of() {
    loom::model(|| {
        let cell = loom::sync::Arc::new(Cell::<usize>::new());
        let announced = loom::sync::Arc::new(AtomicUsize::new(0));
        let writer = {
            let (cell, announced) = (cell.clone(), announced.clone());
            thread::spawn(move || {
                for value in 1..=2 {
                    cell.replace(Some(Arc::new(value)));
                    announced.store(value, Ordering::Release);
                }
            })
        };
        let mut own = Copied::NONE;
        let mut last = 0;
        for _ in 0..3 {
            let known = announced.load(Ordering::Acquire);
            let read = cell.read(&mut own, |value| Some(*value)).copied().unwrap_or(0);
            assert!(read >= known, "{known} was announced, {read} was read");
            assert!(read >= last, "{read} was read after {last}");
            last = read;
        }
        writer.join().unwrap();
        assert_eq!(cell.read(&mut own, |value| Some(*value)), Some(&2));
    });
}

/// A value that changes inside (a token that is refused) is seen by all who are told of it.
#[test]
fn a_touched_value_is_looked_at_again() {
    loom::model(|| {
        let cell = loom::sync::Arc::new(Cell::<loom::sync::atomic::AtomicBool>::new());
        cell.replace(Some(Arc::new(loom::sync::atomic::AtomicBool::new(false))));
        let mut own = Copied::NONE;
        let look = |value: &loom::sync::atomic::AtomicBool| Some(value.load(Ordering::Acquire));
        assert_eq!(cell.read(&mut own, look), Some(&false));
        let toucher = {
            let cell = cell.clone();
            thread::spawn(move || {
                cell.load().unwrap().store(true, Ordering::Release);
                cell.touch();
            })
        };
        cell.read(&mut own, look);
        toucher.join().unwrap();
        assert_eq!(cell.read(&mut own, look), Some(&true));
    });
}

/// The way to an outcome: its number, and whether it is known.
#[derive(Clone)]
struct Ticket(loom::sync::Arc<AtomicUsize>);

/// Two callers: at most one attempt at a time, everybody gets an outcome, and who asks after an outcome gets another.
#[test]
fn one_attempt_at_a_time_and_never_an_outcome_twice() {
    loom::model(|| {
        let flight = loom::sync::Arc::new(Flight::<Ticket>::new());
        let under_way = loom::sync::Arc::new(AtomicUsize::new(0));
        let started = loom::sync::Arc::new(AtomicUsize::new(0));
        let caller = |flight: loom::sync::Arc<Flight<Ticket>>,
                      under_way: loom::sync::Arc<AtomicUsize>,
                      started: loom::sync::Arc<AtomicUsize>,
                      rounds: usize| {
            let mut seen = 0;
            for _ in 0..rounds {
                let joined = flight
                    .join(|| Ok::<_, ()>(Ticket(loom::sync::Arc::new(AtomicUsize::new(0)))))
                    .unwrap_or_else(|()| unreachable!());
                let outcome = match joined {
                    Joined::Leads(ticket) => {
                        assert_eq!(under_way.fetch_add(1, Ordering::AcqRel), 0, "two attempts at a time");
                        let number = started.fetch_add(1, Ordering::AcqRel) + 1;
                        under_way.fetch_sub(1, Ordering::AcqRel);
                        flight.land(|| ticket.0.store(number, Ordering::Release));
                        number
                    }
                    Joined::Waits(ticket) => match ticket.0.load(Ordering::Acquire) {
                        // Still under way: a real caller sleeps here.
                        0 => continue,
                        number => number,
                    },
                };
                assert!(outcome > seen, "outcome {outcome} after {seen}");
                seen = outcome;
            }
        };
        let other = {
            let (flight, under_way, started) = (flight.clone(), under_way.clone(), started.clone());
            thread::spawn(move || caller(flight, under_way, started, 1))
        };
        caller(flight.clone(), under_way, started, 2);
        other.join().unwrap();
        assert!(!flight.is_under_way());
    });
}
