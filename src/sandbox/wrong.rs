//! Mistakes of a test that uses the sandbox: they end it where they are made.

/// Tells a test what it got wrong.
#[track_caller]
#[allow(clippy::panic)]
pub(super) fn wrong(why: &str) -> ! {
    panic!("the sandbox cannot do this: {why}")
}
