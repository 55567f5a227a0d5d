//! Clients that are registered at a provider from outside its protocol.

use super::authority::Client;
use super::mint;
use super::player::{Player, State};
use crate::value::Secret;

/// A client that is registered at a provider of the sandbox.
///
/// ```no_run
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let sandbox = finrail::sandbox::Sandbox::start().await?;
/// let client = sandbox.client("omnifund");
/// println!("{} logs in as {}", client.client_id, client.username);
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SandboxClient {
    /// The client id.
    pub client_id: String,
    /// The client secret.
    pub client_secret: Secret,
    /// The registered redirect URI.
    pub redirect_uri: String,
    /// A user who can log in.
    pub username: String,
    /// The user's password.
    pub password: Secret,
    /// User name of HTTP Basic, where resources take an access key.
    pub access_key: Secret,
    /// Password of HTTP Basic, where resources take an access key; may be empty.
    pub access_key_secret: Secret,
    /// Every key of the provider, where calls take keys (`apiKey`).
    pub key: Secret,
    /// Bearer credential of client registration, where the provider has one.
    pub registration_token: Secret,
}

impl SandboxClient {
    /// Registers a client at a provider, with credentials of its own or with these.
    pub(super) fn register(player: &Player, credentials: Option<(&str, &str)>, redirect_uris: &[&str]) -> Self {
        let example = |name: &str| example(player, name);
        let mut redirect_uris: Vec<String> = redirect_uris.iter().map(|&uri| uri.to_owned()).collect();
        if redirect_uris.is_empty() {
            let own = example("redirect_uri").unwrap_or_else(|| "https://app.example.com/callback".to_owned());
            redirect_uris.push(own);
        }
        let (id, secret) = match credentials {
            Some((id, secret)) => (id.to_owned(), secret.to_owned()),
            None => {
                let id = mint::like(&example("client_id").unwrap_or_default());
                (id, mint::secret("", 40))
            }
        };
        let access_key = if player.spec.oauth.access_key_is_client_secret {
            // The user name; the password stays empty.
            (secret.clone(), String::new())
        } else {
            (mint::secret("", 24), mint::secret("", 40))
        };
        let registration_token = mint::secret("", 40);
        let key = mint::secret("", 32);
        let mut state = player.state();
        let (username, password) = own_user(&mut state);
        state.authority.add_registration_token(registration_token.clone());
        state.authority.register(Client {
            id: id.clone(),
            secret: secret.clone(),
            name: "An application in the sandbox".to_owned(),
            redirect_uris: redirect_uris.clone(),
            access_key: access_key.clone(),
            key: key.clone(),
        });
        Self {
            client_id: id,
            client_secret: secret.into(),
            redirect_uri: redirect_uris.swap_remove(0),
            username,
            password: password.into(),
            access_key: access_key.0.into(),
            access_key_secret: access_key.1.into(),
            key: key.into(),
            registration_token: registration_token.into(),
        }
    }
}

/// The example of a parameter of the authorization endpoint.
fn example(player: &Player, name: &str) -> Option<String> {
    let spec = &player.spec;
    let authorize = spec.by_id(spec.oauth.operations.authorize.as_deref()?)?;
    authorize.parameter(name)?.example.as_ref()?.scalar()
}

/// Name and password of the sandbox's own user, who is made known with the first client.
fn own_user(state: &mut State) -> (String, String) {
    if state.user.is_empty() {
        "sandbox-user".clone_into(&mut state.user);
    }
    let user = state.user.clone();
    let password = state.authority.password_or_new(&user);
    (user, password)
}
