//! What those who watch all grants of an application are told.

use std::sync::{Arc, OnceLock};

use tokio::sync::broadcast;

use super::event::Event;
use super::key::TokenKey;

/// The way to those who watch all grants of an application.
#[derive(Clone, Default)]
pub(crate) struct NewsOfAll(Arc<OnceLock<broadcast::Sender<(TokenKey, Event)>>>);

impl NewsOfAll {
    pub fn subscribe(&self) -> broadcast::Receiver<(TokenKey, Event)> {
        self.0.get_or_init(|| broadcast::channel(1024).0).subscribe()
    }

    pub fn is_watched(&self) -> bool {
        self.0.get().is_some_and(|events| events.receiver_count() > 0)
    }

    pub fn tell(&self, key: &TokenKey, event: &Event) {
        if let Some(events) = self.0.get().filter(|events| events.receiver_count() > 0) {
            let _ = events.send((key.clone(), event.clone()));
        }
    }
}
