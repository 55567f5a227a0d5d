//! Tokens, and the reply that carries them.

use finrail_spec::json::Json;
use finrail_spec::vocabulary::{Grant as GrantType, Oauth, TimeUnit};

use super::revoke::revocation_field;
use super::{AccessToken, Authority, RefreshToken};
use crate::sandbox::mint;
use crate::sandbox::spec::Spec;

/// How long an access token lives where nobody says.
const DEFAULT_LIFETIME: u64 = 3600;
/// Length of a token that carries no user.
const SERVICE_TOKEN_LENGTH: usize = 320;

/// How long tokens live, in milliseconds; a refresh token without a lifetime does not end by itself.
struct Lifetimes {
    access: u64,
    refresh: Option<u64>,
}

/// Which tokens a request gets.
pub(super) struct Order<'a> {
    /// `grant_type` of the request.
    pub(super) grant_type: &'a str,
    /// Under which grant they are issued.
    pub(super) grant: u64,
    pub(super) scopes: Vec<String>,
    /// Whether a refresh token belongs to them.
    pub(super) with_refresh: bool,
}

/// What a token reply says.
struct Issued {
    access: String,
    refresh: Option<String>,
    scopes: Vec<String>,
    user: Option<String>,
    lifetimes: Lifetimes,
}

/// How many of the provider's units a second has.
fn unit(oauth: &Oauth) -> u64 {
    match oauth.token_reply.expires_in_unit {
        TimeUnit::Seconds => 1,
        TimeUnit::Milliseconds => 1000,
    }
}

impl Authority {
    /// Makes the tokens and the reply, in the form of the provider's own example.
    pub(super) fn issue(&mut self, spec: &Spec, order: Order<'_>, now: u64) -> Json {
        let Order {
            grant_type,
            grant: id,
            scopes,
            with_refresh,
        } = order;
        let oauth = &spec.oauth;
        let example = token_example(spec, grant_type);
        let text = |name: &str| example.get(name).and_then(Json::as_str).unwrap_or_default();
        let lifetimes = self.lifetimes(oauth, &example);
        let user = self.grants.get(&id).and_then(|grant| grant.user.clone());

        let length = if user.is_some() { 40 } else { SERVICE_TOKEN_LENGTH };
        let access = mint::secret(text("access_token"), length);
        self.access.insert(
            access.clone(),
            AccessToken {
                grant: id,
                scopes: scopes.clone(),
                expires: now + lifetimes.access,
            },
        );
        let refreshable =
            user.is_some() && (oauth.has(GrantType::RefreshToken) || revocation_field(oauth) == "refresh_token");
        let refresh = (with_refresh && refreshable).then(|| mint::secret(text("refresh_token"), 40));
        if let Some(refresh) = &refresh {
            self.refresh.insert(
                refresh.clone(),
                RefreshToken {
                    grant: id,
                    expires: lifetimes.refresh.map(|life| now + life),
                    spent: None,
                },
            );
        }
        let issued = Issued {
            access,
            refresh,
            scopes,
            user,
            lifetimes,
        };
        let mut reply = Json::Object(Vec::new());
        for (name, value) in example.members() {
            if let Some(value) = self.member(oauth, &issued, name, value) {
                reply.set(name, value);
            }
        }
        reply
    }

    /// How long tokens live that are issued now.
    fn lifetimes(&self, oauth: &Oauth, example: &Json) -> Lifetimes {
        let seconds = example
            .get("expires_in")
            .and_then(|n| n.scalar()?.parse::<u64>().ok())
            .map(|n| n / unit(oauth))
            .or(oauth.access_token_lifetime)
            .or(oauth.token_reply.default_lifetime)
            .unwrap_or(DEFAULT_LIFETIME);
        let refresh = oauth.refresh.lifetime.map(|life| life * 1000);
        Lifetimes {
            access: self.tuning.access_lifetime.unwrap_or(seconds * 1000),
            refresh: self.tuning.refresh_lifetime.or(refresh),
        }
    }

    /// What a member of the example says in this reply; none when this reply leaves it out.
    fn member(&mut self, oauth: &Oauth, issued: &Issued, name: &str, value: &Json) -> Option<Json> {
        let is = |own: Option<&str>| own == Some(name);
        match name {
            "access_token" => Some(Json::str(&issued.access)),
            "expires_in" if self.tuning.access_lifetime.is_some() => {
                let written = (issued.lifetimes.access / 1000 * unit(oauth)).to_string();
                Some(match value {
                    Json::String(_) => Json::String(written),
                    _ => Json::Number(written),
                })
            }
            "expires_in" | "token_type" => Some(value.clone()),
            // A refresh without rotation leaves it out (RFC 6749 section 6): the old one stays good.
            "refresh_token" => issued.refresh.as_ref().map(Json::str),
            "scope" => Some(match value {
                Json::String(written) if written.contains(',') => Json::str(issued.scopes.join(",")),
                Json::String(_) => Json::str(issued.scopes.join(" ")),
                other => other.clone(),
            }),
            "id_token" => Some(Json::str(mint::secret("", 60))),
            _ if is(oauth.subject_field()) => {
                let user = issued.user.as_deref()?;
                Some(Json::str(self.account(user, value.as_str().unwrap_or_default())))
            }
            _ if is(oauth.refresh.lifetime_field.as_deref()) => {
                let life = issued.refresh.as_ref().and(issued.lifetimes.refresh)?;
                Some(Json::Number((life / 1000).to_string()))
            }
            _ => Some(value.clone()),
        }
    }

    /// The provider's own identifier of a user's account.
    fn account(&mut self, user: &str, example: &str) -> String {
        self.accounts
            .entry(user.to_owned())
            .or_insert_with(|| mint::like(example))
            .clone()
    }

    #[cfg(test)]
    pub(in crate::sandbox) fn grant_for_test(
        &mut self,
        spec: &Spec,
        user: Option<&str>,
        scopes: Vec<String>,
        now: u64,
    ) -> String {
        self.forget(now);
        let grant = self.open(super::Grant {
            client: "client".to_owned(),
            user: user.map(str::to_owned),
            scopes: scopes.clone(),
            bindings: Vec::new(),
            dead: false,
        });
        let order = Order {
            grant_type: "test",
            grant,
            scopes,
            with_refresh: user.is_some(),
        };
        let reply = self.issue(spec, order, now);
        reply.get("access_token").and_then(Json::scalar).unwrap_or_default()
    }
}

/// The provider's example of a token reply, for this grant where it has several.
fn token_example(spec: &Spec, grant: &str) -> Json {
    let content = spec
        .by_id(&spec.oauth.operations.token)
        .and_then(|o| o.success_content());
    let examples = content.map(|c| c.examples.as_slice()).unwrap_or_default();
    let of_grant = examples.iter().find(|(name, _)| name.contains(grant));
    match of_grant.or_else(|| examples.first()) {
        Some((_, example)) => example.clone(),
        None => Json::object([
            ("access_token", Json::str("")),
            ("token_type", Json::str("Bearer")),
            ("expires_in", Json::Number(usual_lifetime(&spec.oauth).to_string())),
            ("refresh_token", Json::str("")),
            ("scope", Json::str("")),
        ]),
    }
}

/// How long an access token lives as nobody shows it, in the provider's unit.
fn usual_lifetime(oauth: &Oauth) -> u64 {
    oauth
        .access_token_lifetime
        .unwrap_or(DEFAULT_LIFETIME)
        .saturating_mul(unit(oauth))
}

#[cfg(test)]
mod tests {
    use super::super::KEPT;
    use super::Authority;
    use crate::sandbox::spec::Spec;
    use crate::sandbox::spec::bundled::BUNDLES;

    #[test]
    fn tokens_that_are_over_are_forgotten_and_others_are_kept() {
        let Some(Ok(spec)) = BUNDLES.first().map(|bundle| Spec::read(bundle)) else {
            panic!("no bundle can be read")
        };
        let mut authority = Authority::default();
        authority.tuning.access_lifetime = Some(10);
        let lasting = authority.grant_for_test(&spec, Some("user"), Vec::new(), u64::from(u32::MAX));
        for now in 0..4000 {
            authority.grant_for_test(&spec, None, Vec::new(), now);
        }
        assert!(authority.access.len() <= KEPT, "{}", authority.access.len());
        assert!(authority.grants.len() <= KEPT, "{}", authority.grants.len());
        assert!(authority.access(&lasting, 4000).is_some());
    }
}
