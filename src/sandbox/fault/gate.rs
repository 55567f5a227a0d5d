//! A gate that replies wait at.

use std::sync::Arc;

use tokio::sync::watch;

/// Holds replies back until it is opened; see [`Fault::held_by`](super::Fault::held_by).
///
/// ```
/// let gate = finrail::sandbox::Gate::new();
/// gate.open();
/// ```
#[derive(Clone, Debug)]
pub struct Gate {
    is_open: Arc<watch::Sender<bool>>,
    arrivals: Arc<watch::Sender<usize>>,
}

impl Gate {
    /// A closed gate.
    ///
    /// ```
    /// let gate = finrail::sandbox::Gate::new();
    /// ```
    #[must_use]
    pub fn new() -> Self {
        Self {
            is_open: Arc::new(watch::Sender::new(false)),
            arrivals: Arc::new(watch::Sender::new(0)),
        }
    }

    /// Lets all replies go, those to come too.
    ///
    /// ```
    /// finrail::sandbox::Gate::new().open();
    /// ```
    pub fn open(&self) {
        self.is_open.send_replace(true);
    }

    /// Waits until this many replies have come to the gate.
    ///
    /// ```no_run
    /// # async fn example(gate: finrail::sandbox::Gate) {
    /// gate.arrived(1).await;
    /// # }
    /// ```
    pub async fn arrived(&self, replies: usize) {
        // Fails only when the sender is gone, and `self` holds it.
        let _ = self.arrivals.subscribe().wait_for(|arrived| *arrived >= replies).await;
    }

    /// A reply waits here.
    pub(in crate::sandbox) async fn pass(&self) {
        self.arrivals.send_modify(|arrived| *arrived += 1);
        let _ = self.is_open.subscribe().wait_for(|is_open| *is_open).await;
    }
}

impl Default for Gate {
    fn default() -> Self {
        Self::new()
    }
}
