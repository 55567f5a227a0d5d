//! A scope belongs to its provider, and one that the provider does not have is refused before anything is sent.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use finrail::oauth::{Error, RequestedScope};
use finrail::{App, Credentials, NO_SCOPES, Provider, finexer, mx, ofx, omnifund, tatrabanka};

fn app<P: Provider>() -> App<P> {
    let app = App::<P>::builder().credentials(Credentials::new("client", "secret"));
    app.base_url("https://bank.example")
        .redirect_uri("https://app.example/callback")
        .build()
        .unwrap()
}

#[test]
fn a_text_that_is_no_scope_is_refused_where_the_list_is_complete() {
    let complete = [
        ofx::PROFILE.scopes_complete,
        mx::PROFILE.scopes_complete,
        omnifund::PROFILE.scopes_complete,
        tatrabanka::PROFILE.scopes_complete,
        finexer::PROFILE.scopes_complete,
    ];
    assert!(
        complete.contains(&true) && complete.contains(&false),
        "both kinds are among the five: {complete:?}"
    );
    macro_rules! check {
        ($($provider:ident)*) => {$(
            let profile = &$provider::PROFILE;
            let refused = app::<$provider::Provider>().authorize(["no_such_scope"]);
            match refused {
                Err(Error::Scope(error)) if profile.scopes_complete => {
                    let text = error.to_string();
                    assert!(text.contains("no_such_scope") && text.contains(profile.name), "{text}");
                    assert!(profile.scopes.iter().all(|scope| text.contains(scope)), "it lists what there is: {text}");
                }
                Ok(authorization) if !profile.scopes_complete => {
                    assert!(authorization.url.query().unwrap().contains("no_such_scope"));
                }
                other => panic!("{}: {other:?}", profile.name),
            }
            // What is in the list is taken, as text and as the provider's own type.
            for scope in $provider::Scope::ALL {
                assert!(profile.scopes.contains(&scope.as_str()));
            }
            assert_eq!($provider::Scope::ALL.len(), profile.scopes.len());
            // The list itself is taken too, as are texts from settings.
            if !profile.single_scope && profile.scope_templates.is_empty() {
                let names: Vec<&str> = profile.scopes.to_vec();
                let owned = names.iter().map(|name| std::borrow::Cow::Owned((*name).to_owned()));
                let of_all = app::<$provider::Provider>().authorize($provider::Scope::ALL).unwrap();
                let scope = |url: &url::Url| url.query_pairs().find(|(name, _)| name == "scope").map(|(_, of)| of.into_owned());
                for again in [
                    app::<$provider::Provider>().authorize(&names).unwrap(),
                    app::<$provider::Provider>().authorize(owned).unwrap(),
                ] {
                    assert_eq!(scope(&of_all.url), scope(&again.url));
                }
            }
        )*};
    }
    check!(ofx mx omnifund tatrabanka finexer);
}

#[test]
fn a_provider_without_scopes_says_so_and_takes_none() {
    assert!(omnifund::PROFILE.scopes.is_empty() && omnifund::PROFILE.scopes_complete);
    let app = app::<omnifund::Provider>();
    let refused = app.authorize(["x"]).unwrap_err().to_string();
    assert!(
        refused.contains("has no scope `x`; it has none: ask without scopes"),
        "{refused}"
    );
    assert!(app.authorize(NO_SCOPES).is_ok());
}

#[test]
fn a_text_that_no_scope_can_be_is_refused_where_the_list_is_not_complete_too() {
    assert!(!finexer::PROFILE.scopes_complete);
    for none in ["\u{e9}", "customer\u{a0}read", "customer_read\u{200b}", "", "a b"] {
        let refused = app::<finexer::Provider>().authorize([none]).unwrap_err();
        assert!(matches!(refused, Error::Scope(_)), "{none}: {refused:?}");
        assert!(
            refused.to_string().contains("characters that no scope has"),
            "{refused}"
        );
    }
}

#[test]
fn an_unlisted_scope_is_refused_for_the_application_itself_too() {
    for profile in [&tatrabanka::PROFILE, &ofx::PROFILE] {
        if !profile.scopes_complete {
            continue;
        }
        let refused = match profile.provider {
            "ofx" => app::<ofx::Provider>().client_credentials(["no_such_scope"]).map(|_| ()),
            _ => app::<tatrabanka::Provider>()
                .client_credentials(["no_such_scope"])
                .map(|_| ()),
        };
        assert!(matches!(refused, Err(Error::Scope(_))), "{}: {refused:?}", profile.name);
    }
}

#[test]
fn a_scope_with_an_id_is_written_by_its_template_and_read_back() {
    let scope: RequestedScope<tatrabanka::Provider> = tatrabanka::Scope::PremiumAis.of("consent-1");
    assert_eq!((scope.name(), scope.id()), ("PREMIUM_AIS", Some("consent-1")));
    let authorization = app::<tatrabanka::Provider>().authorize([scope]).unwrap();
    let sent = authorization
        .url
        .query_pairs()
        .find(|(name, _)| name == "scope")
        .unwrap()
        .1;
    assert_eq!(sent, "PREMIUM_AIS:consent-1");
    for template in tatrabanka::PROFILE.scope_templates {
        assert!(
            template.before.ends_with(':') && template.after.is_empty(),
            "{template:?}"
        );
    }
}
