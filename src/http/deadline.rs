//! A limit on waiting for a reply, which counts nothing as lost that has arrived.

use std::pin::pin;
use std::time::Duration;

use tokio::time::Instant;

/// A timer that fires this much late fired in a process that stood still: a paused container, a machine that was moved.
const LATE: Duration = Duration::from_millis(100);
/// Longer than any process lives.
const FOREVER: Duration = Duration::from_secs(30 * 365 * 86_400);
/// How long such a process has to read what arrived meanwhile, which lies in its socket.
const LAST_LOOK: Duration = Duration::from_secs(3);

/// Waits for the work to end, for as long as the limit says. None: the time is over, and nothing has come.
///
/// After a standstill both the timer and the reply are there, and the timer is often seen first, because a reply goes
/// through several hands. So the work is given a little more time then.
pub(crate) async fn within<T>(limit: Duration, work: impl Future<Output = T>) -> Option<T> {
    let mut work = pin!(work);
    // No sum of it and a time overflows.
    let limit = limit.min(FOREVER);
    let end = Instant::now() + limit;
    if let Ok(done) = tokio::time::timeout(limit, &mut work).await {
        return Some(done);
    }
    if Instant::now().saturating_duration_since(end) < LATE {
        return None;
    }
    tokio::time::timeout(LAST_LOOK, work).await.ok()
}

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot;

    use super::*;

    /// Something that arrives after a time, and needs some turns of the runtime to be read.
    async fn arrives(after: Duration) -> &'static str {
        let (sender, receiver) = oneshot::channel();
        std::thread::spawn(move || {
            std::thread::sleep(after);
            sender.send("reply")
        });
        let reader = tokio::spawn(async move {
            let arrived = receiver.await;
            for _ in 0..20 {
                tokio::task::yield_now().await;
            }
            arrived
        });
        reader.await.unwrap().unwrap()
    }

    #[tokio::test]
    async fn what_arrived_while_the_process_stood_still_is_read() {
        let waiting = tokio::spawn(within(Duration::from_millis(100), arrives(Duration::from_millis(50))));
        tokio::task::yield_now().await;
        // Nothing of this runtime runs meanwhile.
        std::thread::sleep(Duration::from_millis(400));
        assert_eq!(waiting.await.unwrap(), Some("reply"));
    }

    #[tokio::test(start_paused = true)]
    async fn a_limit_that_is_over_in_time_is_over() {
        let began = Instant::now();
        assert_eq!(
            within(Duration::from_secs(30), std::future::pending::<()>()).await,
            None
        );
        assert_eq!(began.elapsed().as_secs(), 30);
    }

    #[tokio::test(start_paused = true)]
    async fn a_limit_of_years_is_kept_and_one_without_end_is_no_failure() {
        let year = Duration::from_secs(365 * 86_400);
        for limit in [year * 10, Duration::MAX] {
            assert_eq!(within(limit, tokio::time::sleep(year * 2)).await, Some(()));
        }
    }
}
