//! Whether an HTTP client that is not ours asked again by itself.
//!
//! reqwest tells where a redirect that it followed ended, and nothing else of it: one that leads back to where it began is not
//! to be seen in the response. Yet the future that follows a redirect has its next request ready, and wakes itself while it is
//! polled. One that waits for a response does not: it is woken by its connection, which is polled elsewhere.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, ThreadId};

use super::body::Departure;

/// What comes of an exchange, and whether another request was made in it after the one that `departure` is of.
pub(crate) async fn watched<F: Future>(exchange: F, departure: &Departure) -> (F::Output, bool) {
    let mut exchange = Box::pin(exchange);
    let mut asked_again = false;
    let polled = std::future::poll_fn(|cx| {
        let (polled, again) = poll_watched(exchange.as_mut(), cx, departure);
        asked_again |= again;
        polled
    });
    // A task that has run for long is made to wait by what it polls, which would look the same.
    let came = tokio::task::unconstrained(polled).await;
    (came, asked_again)
}

fn poll_watched<F: Future>(exchange: Pin<&mut F>, cx: &Context<'_>, departure: &Departure) -> (Poll<F::Output>, bool) {
    let watch = Arc::new(Watch {
        waker: cx.waker().clone(),
        departure: departure.clone(),
        poller: thread::current().id(),
        is_polled: AtomicBool::new(true),
        again: AtomicBool::new(false),
    });
    let waker = Waker::from(Arc::clone(&watch));
    let polled = exchange.poll(&mut Context::from_waker(&waker));
    // Whatever wakes it from now on is another.
    watch.is_polled.store(false, Ordering::Release);
    let again = polled.is_pending() && watch.again.load(Ordering::Acquire);
    (polled, again)
}

/// A waker that knows whether it is used by what is polled with it.
struct Watch {
    waker: Waker,
    departure: Departure,
    poller: ThreadId,
    is_polled: AtomicBool,
    again: AtomicBool,
}

impl Wake for Watch {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        // Before the request left it is a connection that is being made.
        let by_itself = self.is_polled.load(Ordering::Acquire) && thread::current().id() == self.poller;
        if by_itself && self.departure.happened() {
            self.again.store(true, Ordering::Release);
        }
        self.waker.wake_by_ref();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use bytes::Bytes;
    use tokio::sync::oneshot;

    use super::super::body::sent_once;
    use super::*;

    /// A departure that has happened, or not.
    fn departure(happened: bool) -> Departure {
        let (_, departure) = sent_once(Bytes::new());
        if happened {
            departure.happens();
        }
        departure
    }

    #[tokio::test]
    async fn who_wakes_itself_after_the_request_left_asked_again() {
        for (left, pauses) in [(true, 0), (true, 1), (false, 1), (true, 300)] {
            let mut before = pauses;
            let exchange = std::future::poll_fn(move |cx| {
                if before == 0 {
                    return Poll::Ready(7);
                }
                before -= 1;
                cx.waker().wake_by_ref();
                Poll::Pending
            });
            let came = watched(exchange, &departure(left)).await;
            assert_eq!(came, (7, left && pauses > 0), "{left} {pauses}");
        }
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn who_is_woken_by_others_did_not_ask_again() {
        for round in 0..200 {
            let (sender, receiver) = oneshot::channel();
            let other = tokio::spawn(async move {
                tokio::time::sleep(Duration::from_micros(round)).await;
                sender.send(round)
            });
            let exchange = async {
                tokio::time::sleep(Duration::from_micros(100)).await;
                receiver.await.ok()
            };
            assert_eq!(watched(exchange, &departure(true)).await, (Some(round), false));
            other.await.unwrap().unwrap();
        }
    }

    /// Its connection is polled by another thread, which may wake it at any time.
    #[tokio::test]
    async fn who_is_woken_by_another_thread_while_it_is_polled_did_not_ask_again() {
        let mut is_woken = false;
        let exchange = std::future::poll_fn(move |cx| {
            if std::mem::replace(&mut is_woken, true) {
                return Poll::Ready(());
            }
            let waker = cx.waker().clone();
            thread::spawn(move || waker.wake()).join().unwrap();
            Poll::Pending
        });
        assert_eq!(watched(exchange, &departure(true)).await, ((), false));
    }

    /// What the runtime makes wait is not what makes itself wait.
    #[tokio::test]
    async fn who_has_run_for_long_did_not_ask_again() {
        let exchange = async {
            for _ in 0..1000 {
                let (sender, receiver) = oneshot::channel();
                sender.send(()).unwrap();
                receiver.await.unwrap();
            }
        };
        assert_eq!(watched(exchange, &departure(true)).await, ((), false));
    }
}
