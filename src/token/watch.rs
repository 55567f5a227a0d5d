//! Watching a grant: its events, from a moment on.

use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::sync::broadcast;

use super::event::Event;
use super::key::{GrantKind, TokenKey};
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
///
/// Of a [tenant's](crate::App::tenant) application, what happens to the grants of its users alone.
pub struct AllEvents {
    received: broadcast::Receiver<(TokenKey, Event)>,
    /// The tenant whose grants they are of; none: all of them.
    tenant: Option<Arc<str>>,
}

/// An event, and whose grant it is of.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct GrantEvent {
    /// The grant. None with [`Event::Missed`], which is of all of them, of other tenants' too.
    pub key: Option<TokenKey>,
    /// What happened.
    pub event: Event,
}

impl AllEvents {
    pub(crate) fn new(received: broadcast::Receiver<(TokenKey, Event)>, tenant: Option<Arc<str>>) -> Self {
        Self { received, tenant }
    }

    /// The next event; none: the application and its connections are gone. Dropping the future loses no event.
    pub async fn next(&mut self) -> Option<GrantEvent> {
        loop {
            return match self.received.recv().await {
                Ok((key, _)) if !self.is_told_of(&key) => continue,
                Ok((key, event)) => Some(GrantEvent { key: Some(key), event }),
                Err(broadcast::error::RecvError::Lagged(missed)) => Some(GrantEvent {
                    key: None,
                    event: Event::Missed(missed),
                }),
                Err(broadcast::error::RecvError::Closed) => None,
            };
        }
    }

    fn is_told_of(&self, key: &TokenKey) -> bool {
        // The application's own tokens are no tenant's.
        let is_own = |tenant: &Arc<str>| **tenant == *key.tenant && key.grant != GrantKind::ClientCredentials;
        self.tenant.as_ref().is_none_or(is_own)
    }
}

impl std::fmt::Debug for AllEvents {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AllEvents").finish_non_exhaustive()
    }
}
