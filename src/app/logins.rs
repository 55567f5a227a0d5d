//! Logins under way: what was begun is finished, whoever waits for it.

use tokio::sync::watch;

use crate::oauth;
use crate::token;

/// How many requests for the first tokens of a grant are under way, from before they are sent until the tokens are stored.
pub(super) struct Logins(watch::Sender<usize>);

impl Logins {
    pub fn new() -> Self {
        Self(watch::Sender::new(0))
    }

    /// Runs a login in a task of its own. A code and a password are spent when they are sent: a caller that is cut off, as a
    /// web server cuts off the handler of a page that is loaded again, must not cost the tokens.
    pub async fn run<T: Send + 'static>(
        &self,
        login: impl Future<Output = Result<T, oauth::Error>> + Send + 'static,
    ) -> Result<T, oauth::Error> {
        self.0.send_modify(|count| *count += 1);
        let under_way = UnderWay(self.0.clone());
        tokio::spawn(async move {
            let _under_way = under_way;
            login.await
        })
        .await
        .unwrap_or(Err(oauth::Error::Token(token::Error::Interrupted(
            "the runtime is shutting down; authorize again after the next start",
        ))))
    }

    /// Waits until none is under way.
    pub async fn over(&self) {
        // The sender lives as long as this borrow of it.
        let _ = self.0.subscribe().wait_for(|count| *count == 0).await;
    }
}

struct UnderWay(watch::Sender<usize>);

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.send_modify(|count| *count -= 1);
    }
}
