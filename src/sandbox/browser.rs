//! The user: opens a page in a browser, logs in, and allows or refuses.

use std::net::IpAddr;

use ::http::{HeaderMap, HeaderValue, Method};
use bytes::Bytes;

use super::http::{RawRequest, Reply};
use super::{Sandbox, SandboxError};

impl Sandbox {
    /// Opens an authorization address as the sandbox's own user, logs in and allows.
    ///
    /// Gives the address at which the browser ends: the redirect URI with `code`, or with `error`
    /// when the provider sends the browser back for that. The page of a bank (Finexer's
    /// `redirect.consent_url`) is opened and answered in the same way.
    ///
    /// # Errors
    ///
    /// When the address is not this sandbox's, or the page refuses the request and the browser stays.
    ///
    /// ```no_run
    /// # async fn example(authorization_url: &str) -> Result<(), Box<dyn std::error::Error>> {
    /// # let sandbox = finrail::sandbox::Sandbox::start().await?;
    /// let callback = sandbox.approve(authorization_url).await?;
    /// # Ok(()) }
    /// ```
    pub async fn approve(&self, authorization_url: &str) -> Result<String, SandboxError> {
        self.browse(authorization_url, None, "allow", &[])
    }

    /// Like [`approve`](Self::approve), as another user, who is made known first.
    ///
    /// # Errors
    ///
    /// As [`approve`](Self::approve).
    ///
    /// ```no_run
    /// # async fn example(authorization_url: &str) -> Result<(), Box<dyn std::error::Error>> {
    /// # let sandbox = finrail::sandbox::Sandbox::start().await?;
    /// let callback = sandbox.approve_as("second-user", authorization_url).await?;
    /// # Ok(()) }
    /// ```
    pub async fn approve_as(&self, user: &str, authorization_url: &str) -> Result<String, SandboxError> {
        self.browse(authorization_url, Some(user), "allow", &[])
    }

    /// Like [`approve`](Self::approve), but the user takes back all scopes except these.
    ///
    /// # Errors
    ///
    /// As [`approve`](Self::approve).
    ///
    /// ```no_run
    /// # async fn example(authorization_url: &str) -> Result<(), Box<dyn std::error::Error>> {
    /// # let sandbox = finrail::sandbox::Sandbox::start().await?;
    /// let callback = sandbox.approve_only(&["customer_read"], authorization_url).await?;
    /// # Ok(()) }
    /// ```
    pub async fn approve_only(&self, scopes: &[&str], authorization_url: &str) -> Result<String, SandboxError> {
        let mut fields = vec![("choice", "1")];
        fields.extend(scopes.iter().map(|&scope| ("scope", scope)));
        self.browse(authorization_url, None, "allow", &fields)
    }

    /// Opens an authorization address and refuses.
    ///
    /// # Errors
    ///
    /// As [`approve`](Self::approve).
    ///
    /// ```no_run
    /// # async fn example(authorization_url: &str) -> Result<(), Box<dyn std::error::Error>> {
    /// # let sandbox = finrail::sandbox::Sandbox::start().await?;
    /// let callback = sandbox.deny(authorization_url).await?;
    /// assert!(callback.contains("error=access_denied"));
    /// # Ok(()) }
    /// ```
    pub async fn deny(&self, authorization_url: &str) -> Result<String, SandboxError> {
        self.browse(authorization_url, None, "deny", &[])
    }

    /// What a browser does: open the page, fill in the form, follow where it leads.
    fn browse(
        &self,
        authorization_url: &str,
        user: Option<&str>,
        decision: &str,
        more: &[(&str, &str)],
    ) -> Result<String, SandboxError> {
        let mut raw = self.opening(authorization_url)?;
        let page = self.players.handle(&raw).reply;
        if let Some(location) = page.header("location") {
            return Ok(location.to_owned());
        }
        if page.status != 200 {
            return Err(refused(page));
        }
        let (username, password) = self.login(&raw.path, user).ok_or(SandboxError::NotHere)?;
        let form = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("username", &username)
            .append_pair("password", &password)
            .append_pair("decision", decision)
            .extend_pairs(more)
            .finish();
        raw.method = Method::POST;
        raw.headers.insert(
            "content-type",
            HeaderValue::from_static("application/x-www-form-urlencoded"),
        );
        raw.body = Bytes::from(form);
        let reply = self.players.handle(&raw).reply;
        match reply.header("location") {
            Some(location) => Ok(location.to_owned()),
            None => Err(refused(reply)),
        }
    }

    /// The request with which a browser opens an address of this sandbox.
    fn opening(&self, address: &str) -> Result<RawRequest, SandboxError> {
        let url = url::Url::parse(address).map_err(|_| SandboxError::NotHere)?;
        let host = match url.host() {
            Some(url::Host::Ipv4(ip)) => Some(IpAddr::V4(ip)),
            Some(url::Host::Ipv6(ip)) => Some(IpAddr::V6(ip)),
            _ => None,
        };
        if host != Some(self.address.ip()) || url.port() != Some(self.address.port()) {
            return Err(SandboxError::NotHere);
        }
        let mut headers = HeaderMap::new();
        headers.insert("accept", HeaderValue::from_static("text/html"));
        Ok(RawRequest {
            method: Method::GET,
            path: url.path().to_owned(),
            query: url.query().unwrap_or_default().to_owned(),
            headers,
            body: Bytes::new(),
            is_browser: true,
        })
    }

    /// Name and password of a user at the provider that the path belongs to.
    fn login(&self, path: &str, user: Option<&str>) -> Option<(String, String)> {
        let mut state = self.players.whose(path)?.state();
        let user = user.map_or_else(|| state.user.clone(), str::to_owned);
        let password = state.authority.password_or_new(&user);
        Some((user, password))
    }
}

/// A page that is not the form: its text, without the markup.
fn refused(page: Reply) -> SandboxError {
    let text = String::from_utf8_lossy(&page.into_body()).into_owned();
    let body = text.split_once("<body>").map_or(text.as_str(), |(_, body)| body);
    let mut plain = String::new();
    let mut inside = false;
    for c in body.chars() {
        match c {
            '<' => {
                inside = true;
                plain.push(' ');
            }
            '>' => inside = false,
            c if !inside => plain.push(c),
            _ => {}
        }
    }
    SandboxError::Refused(plain.split_whitespace().collect::<Vec<_>>().join(" "))
}
