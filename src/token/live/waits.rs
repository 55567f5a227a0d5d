//! What an attempt waits for that others do: told to callers whose time runs out, and a reason to serve what lives.

use std::time::Duration;

use tokio::sync::watch;

use crate::token::Error;

/// What the attempt that is under way waits for.
pub(crate) struct Waits(watch::Sender<Option<Waiting>>);

#[derive(Clone)]
struct Waiting {
    holder: String,
    retry_after: Option<Duration>,
    /// It may take longer than callers should be kept.
    long: bool,
}

impl Waits {
    pub fn new() -> Self {
        Self(watch::Sender::new(None))
    }

    /// The attempt waits for this holder's work, which is over in so long at the latest.
    pub fn begin(&self, holder: &str, retry_after: Option<Duration>, long: bool) {
        self.0.send_replace(Some(Waiting {
            holder: holder.to_owned(),
            retry_after,
            long,
        }));
    }

    /// The attempt waits for nobody.
    pub fn end(&self) {
        self.0.send_if_modified(|waiting| waiting.take().is_some());
    }

    /// For whom callers wait now.
    pub fn error(&self) -> Option<Error> {
        let waiting = self.0.borrow();
        waiting.as_ref().map(|waiting| Error::Busy {
            holder: waiting.holder.clone(),
            retry_after: waiting.retry_after,
        })
    }

    /// Ends when a wait has begun that may take long.
    pub async fn long(&self) {
        let mut waiting = self.0.subscribe();
        let is_long = |waiting: &Option<Waiting>| waiting.as_ref().is_some_and(|waiting| waiting.long);
        // The sender lives as long as this borrow of it.
        let _ = waiting.wait_for(is_long).await;
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use futures_util::FutureExt as _;

    use super::*;

    #[tokio::test]
    async fn a_wait_is_told_by_its_holder_and_only_a_long_one_is_a_reason_to_serve_what_lives() {
        let waits = Waits::new();
        assert!(waits.error().is_none() && waits.long().now_or_never().is_none());
        waits.begin("replica 2", Some(Duration::from_secs(7)), false);
        let error = waits.error().unwrap();
        assert!(
            matches!(&error, Error::Busy { holder, retry_after } if holder == "replica 2" && retry_after.unwrap().as_secs() == 7)
        );
        assert!(waits.long().now_or_never().is_none());
        waits.begin("replica 2", None, true);
        assert!(waits.long().now_or_never().is_some());
        waits.end();
        assert!(waits.error().is_none() && waits.long().now_or_never().is_none());
    }
}
