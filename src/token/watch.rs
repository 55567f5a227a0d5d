//! Watching a grant: its events, from a moment on.

use std::sync::Weak;
use std::time::Duration;

use tokio::sync::broadcast;

use super::event::Event;
use super::key::TokenKey;
use super::live::Live;

/// The events of a grant, from the moment of [`watch`](super::TokenHandle::watch) on.
///
/// ```
/// # async fn example(handle: finrail::token::TokenHandle) {
/// use finrail::token::Event;
///
/// let mut events = handle.watch();
/// while let Some(event) = events.next().await {
///     match event {
///         Event::ReauthorizationRequired { reason } => println!("ask the user again: {reason}"),
///         Event::ExpiresSoon { what, at } => println!("{what:?} ends at {at}"),
///         other => println!("{other:?}"),
///     }
/// }
/// # }
/// ```
pub struct Events {
    received: broadcast::Receiver<Event>,
    grant: Weak<Live>,
}

impl Events {
    pub(crate) fn new(received: broadcast::Receiver<Event>, grant: Weak<Live>) -> Self {
        Self { received, grant }
    }

    /// The next event; none: the last handle of the grant is gone.
    ///
    /// Whoever waits here is also told of an end that comes near while nothing happens to the grant.
    /// Dropping the future loses no event.
    pub async fn next(&mut self) -> Option<Event> {
        loop {
            let wait = self.until_next_end();
            tokio::select! {
                biased;
                received = self.received.recv() => return match received {
                    Ok(event) => Some(event),
                    Err(broadcast::error::RecvError::Lagged(missed)) => Some(Event::Missed(missed)),
                    Err(broadcast::error::RecvError::Closed) => None,
                },
                () = tokio::time::sleep(wait) => {}
            }
        }
    }

    /// The next event, if there is one already.
    pub fn try_next(&mut self) -> Option<Event> {
        let _ = self.until_next_end();
        match self.received.try_recv() {
            Ok(event) => Some(event),
            Err(broadcast::error::TryRecvError::Lagged(missed)) => Some(Event::Missed(missed)),
            Err(broadcast::error::TryRecvError::Empty | broadcast::error::TryRecvError::Closed) => None,
        }
    }

    /// Tells what is near, and says how long to wait before looking again.
    fn until_next_end(&self) -> Duration {
        /// Tokens come and go meanwhile, and a clock may be set.
        const LONGEST: Duration = Duration::from_secs(3600);
        const SHORTEST: Duration = Duration::from_secs(1);

        self.grant
            .upgrade()
            .and_then(|grant| grant.announce_ends())
            .map_or(LONGEST, |wait| wait.clamp(SHORTEST, LONGEST))
    }
}

impl std::fmt::Debug for Events {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Events").finish_non_exhaustive()
    }
}

/// What happens to the grants of an application in this process, from the moment of [`App::watch`](crate::App::watch) on.
///
/// That an end comes near is told when the grant is used, renewed or looked at by
/// [`keep_alive`](crate::App::keep_alive); what another process does is told when this one learns of it.
pub struct AllEvents(broadcast::Receiver<(TokenKey, Event)>);

/// An event, and whose grant it is of.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct GrantEvent {
    /// The grant. None with [`Event::Missed`], which is of all of them.
    pub key: Option<TokenKey>,
    /// What happened.
    pub event: Event,
}

impl AllEvents {
    pub(crate) fn new(received: broadcast::Receiver<(TokenKey, Event)>) -> Self {
        Self(received)
    }

    /// The next event; none: the application and its connections are gone. Dropping the future loses no event.
    pub async fn next(&mut self) -> Option<GrantEvent> {
        match self.0.recv().await {
            Ok((key, event)) => Some(GrantEvent { key: Some(key), event }),
            Err(broadcast::error::RecvError::Lagged(missed)) => Some(GrantEvent {
                key: None,
                event: Event::Missed(missed),
            }),
            Err(broadcast::error::RecvError::Closed) => None,
        }
    }
}

impl std::fmt::Debug for AllEvents {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AllEvents").finish_non_exhaustive()
    }
}
