//! What is logged, as text.
#![allow(dead_code, clippy::unwrap_used)]

use std::io;
use std::sync::{Arc, Mutex, Once};

use tracing::Level;
use tracing_subscriber::fmt::format::FmtSpan;

/// The lines logged since the last look.
#[derive(Clone, Default)]
pub struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    /// Hears the events of this thread, of every crate, down to this level.
    pub fn events(level: Level) -> (Self, tracing::subscriber::DefaultGuard) {
        Self::hearing(level, FmtSpan::NONE)
    }

    /// Hears the events and spans of this thread, of every crate, to the finest.
    pub fn everything() -> (Self, tracing::subscriber::DefaultGuard) {
        Self::hearing(Level::TRACE, FmtSpan::FULL)
    }

    fn hearing(level: Level, spans: FmtSpan) -> (Self, tracing::subscriber::DefaultGuard) {
        // A thread beside this one that logs nothing must not decide, for all threads, that nothing is logged.
        static HEARD: Once = Once::new();
        HEARD.call_once(|| {
            let all = tracing_subscriber::fmt()
                .with_max_level(Level::TRACE)
                .with_writer(io::sink);
            let _ = tracing::subscriber::set_global_default(all.finish());
        });
        let log = Self::default();
        let writer = log.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(level)
            .with_span_events(spans)
            .with_ansi(false)
            .with_writer(move || writer.clone())
            .finish();
        (log, tracing::subscriber::set_default(subscriber))
    }

    /// What was logged since the last `take`.
    pub fn take(&self) -> String {
        String::from_utf8(std::mem::take(&mut *self.0.lock().unwrap())).unwrap()
    }

    /// The same, which stays.
    pub fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
