//! Chance, to spread load: jitter and pauses. Nothing that has to be secret is made of it.

use std::sync::atomic::{AtomicU64, Ordering};

/// Fractions from 0 to 1, the same ones from the same seed.
#[derive(Debug)]
pub(crate) struct Random {
    seed: u64,
    draws: AtomicU64,
}

impl Random {
    /// Repeatable, for tests.
    pub const fn seeded(seed: u64) -> Self {
        Self {
            seed,
            draws: AtomicU64::new(0),
        }
    }

    /// With a seed from the operating system. Where it has none to give, waits are only less spread.
    pub fn from_system() -> Self {
        Self::seeded(getrandom::u64().unwrap_or(0))
    }

    /// What it was seeded with.
    pub const fn seed(&self) -> u64 {
        self.seed
    }

    /// The next fraction.
    pub fn draw(&self) -> f64 {
        fraction(self.next())
    }

    /// The next whole number from 0 to this one.
    pub fn up_to(&self, largest: u64) -> u64 {
        match largest.checked_add(1) {
            Some(numbers) => self.next() % numbers,
            None => self.next(),
        }
    }

    fn next(&self) -> u64 {
        mix(self.seed.wrapping_add(self.draws.fetch_add(1, Ordering::Relaxed)))
    }

    /// The fraction of a number: always the same here, another one with every other seed.
    pub fn of(&self, number: u64) -> f64 {
        fraction(mix(self.seed ^ number.wrapping_mul(GOLDEN)))
    }
}

const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

/// SplitMix64's finalizer.
const fn mix(seed: u64) -> u64 {
    let z = seed.wrapping_add(GOLDEN);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// From 0 to 1.
fn fraction(bits: u64) -> f64 {
    f64::from(u32::try_from(bits >> 32).unwrap_or(u32::MAX)) / f64::from(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_are_those_of_their_seed_and_spread_from_0_to_1() {
        let draws = |seed| {
            let random = Random::seeded(seed);
            (0..1000).map(|_| random.draw()).collect::<Vec<_>>()
        };
        assert_eq!(draws(7), draws(7));
        assert_ne!(draws(7), draws(1_000_000));
        let drawn = draws(7);
        assert!(drawn.iter().all(|draw| (0.0..=1.0).contains(draw)));
        for tenth in 0..10 {
            let (from, to) = (f64::from(tenth) / 10.0, f64::from(tenth + 1) / 10.0);
            let within = drawn.iter().filter(|draw| (from..to).contains(*draw)).count();
            assert!((60..140).contains(&within), "{within} of 1000 from {from} to {to}");
        }
    }

    #[test]
    fn whole_numbers_are_drawn_up_to_the_largest_and_each_of_them() {
        let random = Random::seeded(7);
        let mut times = [0; 4];
        for _ in 0..1000 {
            times[usize::try_from(random.up_to(3)).unwrap()] += 1;
        }
        assert!(times.iter().all(|times| (200..300).contains(times)), "{times:?}");
        assert_eq!(random.up_to(0), 0);
        assert!(
            (0..10)
                .map(|_| random.up_to(u64::MAX))
                .any(|number| number > u64::MAX / 2)
        );
    }

    #[test]
    fn a_number_has_one_fraction_for_each_seed() {
        let (here, there) = (Random::seeded(1), Random::seeded(2));
        let before = here.of(5);
        here.draw();
        assert_eq!(here.of(5).to_bits(), before.to_bits());
        assert_ne!(here.of(5).to_bits(), there.of(5).to_bits());
        assert_ne!(here.of(5).to_bits(), here.of(6).to_bits());
    }

    #[test]
    fn two_sources_from_the_system_differ() {
        assert_ne!(Random::from_system().seed(), Random::from_system().seed());
    }
}
