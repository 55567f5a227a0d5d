//! Authorizations of users: kept from the redirect to the callback, and finished once.

use url::Url;

use super::application::App;
use super::connection::Connection;
use super::provider::{Provider, grant};
use crate::oauth::{self, Authorization, Pending, Seen, read_callback};
use crate::token::GrantKind;
use crate::value::Secret;

impl<P: Provider> App<P> {
    /// Begins an authorization: keeps it in the app's [store](crate::AppBuilder::store) until its callback comes, and gives
    /// the URL for the user's browser. [`complete`](Self::complete) finds it again, in whatever process, by `state`.
    ///
    /// `session` is what tells this user's browser from every other: the id of its session at the application. The
    /// callback must come in the same session, otherwise anyone could finish an authorization of theirs in a user's name
    /// (RFC 6749 section 10.12, RFC 9700 section 4.7). The store gets a hash of it. An application with one user gives a constant.
    ///
    /// Any number may be under way at once; each tab has its own. What the store keeps is protected as its grants are:
    /// encrypt it where they are encrypted. It holds nothing of use once the authorization is used, and is removed some
    /// time after its end by the process that wrote it.
    ///
    /// ```
    /// # #[cfg(feature = "mx")] {
    /// use finrail::mx;
    ///
    /// async fn connect(app: &mx::App, session: &str, user: &str) -> Result<url::Url, finrail::oauth::Error> {
    ///     let authorization = app.authorize([mx::Scope::Accounts])?.subject(user);
    ///     app.begin(session, authorization).await // send the browser there
    /// }
    ///
    /// async fn come_back(app: &mx::App, session: &str, callback: &str) -> Result<mx::Connection, finrail::oauth::Error> {
    ///     app.complete(session, callback).await
    /// }
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// When the session or the [subject](Authorization::subject) is empty, the authorization belongs to another application
    /// or tenant, or the store cannot be used.
    pub async fn begin(&self, session: &str, authorization: Authorization) -> Result<Url, oauth::Error>
    where
        P: grant::AuthorizationCode,
    {
        self.check_pending(&authorization.pending)?;
        self.0.authorizations.keep(session, authorization.pending).await?;
        Ok(authorization.url)
    }

    /// Completes the authorization that [`begin`](Self::begin) keeps: finds it by the `state` of the callback, checks the
    /// callback as [`finish`](Self::finish) does, exchanges the code and stores the grant, once.
    ///
    /// # Errors
    ///
    /// Those of [`finish`](Self::finish), and besides: no authorization with this `state` is pending
    /// ([`UnknownAuthorization`](oauth::Error::UnknownAuthorization)), or it was begun in another session
    /// ([`ForeignSession`](oauth::Error::ForeignSession)). None of them ends an authorization that is under way: neither a
    /// forged callback nor a refusal by the user, who may go back and agree.
    pub async fn complete(&self, session: &str, callback: &str) -> Result<Connection<P>, oauth::Error>
    where
        P: grant::AuthorizationCode,
    {
        let state = oauth::callback_state(callback)?;
        let (pending, seen) = self.0.authorizations.find(session, &state).await?;
        self.check_pending(&pending)?;
        let code = self.read(&pending, callback)?;
        self.exchange(pending, Some(seen), code).await
    }

    /// The code of a callback that belongs to the authorization.
    pub(super) fn read(&self, pending: &Pending, callback: &str) -> Result<Secret, oauth::Error> {
        let server = &self.0.server;
        let issuer = server.expected_issuer(self.0.issuer.as_deref());
        read_callback(P::profile(), pending, &issuer, callback).map_err(|error| match error {
            oauth::Error::Refused(mut refusal) => {
                refusal.may_be_pkce = pending.verifier.is_some() && server.may_be_pkce(&refusal.error);
                oauth::Error::Refused(refusal)
            }
            other => other,
        })
    }

    /// Takes the authorization for its one use, sends the code, stores the grant. What was begun is finished.
    pub(super) async fn exchange(
        &self,
        pending: Pending,
        seen: Option<Seen>,
        code: Secret,
    ) -> Result<Connection<P>, oauth::Error> {
        let app = self.clone();
        let exchange = async move { app.exchange_to_the_end(pending, seen, &code).await };
        self.0.logins.run(exchange).await
    }

    async fn exchange_to_the_end(
        &self,
        pending: Pending,
        seen: Option<Seen>,
        code: &Secret,
    ) -> Result<Connection<P>, oauth::Error> {
        let claim = self.0.authorizations.claim(&pending, seen).await?;
        let sent_at = self.now();
        let exchanged = self.0.server.authorization_code(
            code,
            pending.verifier.as_ref(),
            pending.redirect_uri.as_deref(),
            &pending.scopes,
        );
        let reply = match exchanged.await {
            Ok(reply) => reply,
            Err(error) => {
                if error.leaves_the_code_unspent() {
                    self.0.authorizations.give_back(claim).await;
                }
                return Err(error);
            }
        };
        let mut named = P::profile().extra.iter().filter(|field| field.subject);
        let named = named.find_map(|field| reply.extra.get(field.name).cloned());
        let subject = pending
            .subject
            .or(named)
            .unwrap_or_else(|| uuid::Uuid::new_v4().to_string());
        // A grant that is bound to one thing (a payment's authorization) lives beside the same user's others.
        let key = self
            .key(GrantKind::AuthorizationCode, pending.scopes)
            .tenant(pending.tenant)
            .subject(subject)
            .bound_to(pending.bound);
        self.adopt(key, reply, sent_at).await
    }
}
