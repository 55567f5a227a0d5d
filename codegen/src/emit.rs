//! What stands beside the client: scopes, environments, the operation table, the profile of the authorization server.
//!
//! Every structure ends in its base values, for the fields that a newer finrail has; until then clippy finds them needless.

use finrail_spec::model::{Key, KeyPlace, Operation, Requirement};
use finrail_spec::vocabulary::{
    ClientAuthentication, ClientKind, Effect, ErrorProof, Grade, Grant, Limit, Lookup, MadeHeader, Oauth,
    PaginationStyle, Pkce, ScopeSentOn, StateOnRefusal, TimeUnit, TokenBody, Verdict,
};
use proc_macro2::TokenStream;
use quote::{format_ident, quote};

use crate::document::Document;
use crate::error::Error;
use crate::prose::{code, prose};
use finrail_spec::names::{ident_name, scope_names, snake_case, variant_name};

/// The items at the root of a provider's module.
pub(crate) fn root(document: &Document, kinds: &[ClientKind]) -> Result<TokenStream, Error> {
    let operations = operations(document);
    let scope = scope(document);
    let environment = environment(document);
    let profile = profile(document)?;
    let provider = provider(document, kinds);
    Ok(quote! {
        #operations
        #scope
        #environment
        #profile
        #provider
    })
}

fn operations(document: &Document) -> TokenStream {
    let rows = document.operations.iter().map(|row| operation(document, row));
    let doc = format!(
        "Every operation of {} that the specification describes: what it needs, what repeating it does, how far it is to be trusted.",
        document.provider.name
    );
    quote! {
        #[doc = #doc]
        #[allow(clippy::needless_update)]
        pub static OPERATIONS: &[::finrail::rt::v1::Operation] = &[#(#rows),*];
    }
}

fn operation(document: &Document, operation: &Operation) -> TokenStream {
    let Operation {
        id,
        method,
        path,
        browser,
        ..
    } = operation;
    let client = operation.client.as_str();
    let authentication = operation.security.iter().map(|requirement| match requirement {
        Requirement::Nothing => quote!(::finrail::rt::v1::Authentication::Nothing),
        Requirement::Bearer { scopes } => {
            quote!(::finrail::rt::v1::bearer(&[#(#scopes),*]))
        }
        Requirement::ClientBasic => quote!(::finrail::rt::v1::Authentication::ClientBasic),
        Requirement::AccessKey => quote!(::finrail::rt::v1::Authentication::AccessKey),
        Requirement::RegistrationToken => quote!(::finrail::rt::v1::Authentication::RegistrationToken),
    });
    let keys = (!operation.keys.is_empty()).then(|| {
        let keys = operation.keys.iter().map(
            |Key {
                 scheme,
                 place,
                 name,
                 way,
             }| {
                let place = match place {
                    KeyPlace::Header => quote!(Header),
                    KeyPlace::Query => quote!(Query),
                    KeyPlace::Bearer => quote!(Bearer),
                };
                quote!(::finrail::rt::v1::Key {
                    scheme: #scheme,
                    place: ::finrail::rt::v1::KeyPlace::#place,
                    name: #name,
                    way: #way,
                    ..::finrail::rt::v1::Key::BASE
                })
            },
        );
        quote!(keys: &[#(#keys),*],)
    });
    let needed = document.needed_headers(operation);
    let needed = (!needed.is_empty()).then(|| quote!(needed_headers: &[#(#needed),*],));
    let effect = match operation.effect {
        Effect::Safe => quote!(Safe),
        Effect::Idempotent => quote!(Idempotent),
        Effect::Neither => quote!(Neither),
    };
    let accept = optional(operation.accept());
    let content_type = optional(operation.content_type());
    let download = operation.is_download();
    let headers = operation.headers.iter().map(|(name, made)| match made {
        MadeHeader::Uuid => quote!((#name, ::finrail::rt::v1::MadeHeader::Uuid)),
    });
    let pagination = optional(operation.pagination.as_ref().map(|pagination| match pagination.style {
        PaginationStyle::Cursor => quote!(::finrail::rt::v1::PaginationStyle::Cursor),
        PaginationStyle::Link => quote!(::finrail::rt::v1::PaginationStyle::Link),
        PaginationStyle::Page => quote!(::finrail::rt::v1::PaginationStyle::Page),
        PaginationStyle::Offset => quote!(::finrail::rt::v1::PaginationStyle::Offset),
    }));
    let items = optional(document.items(operation));
    let next = operation.pagination.as_ref().map(|pagination| &pagination.next);
    let next = optional(next.filter(|next| !next.is_empty()));
    let idempotency = optional(operation.idempotency.as_ref().map(|idempotency| &idempotency.header));
    let error_proof = optional(operation.error_proof.as_ref().map(|ErrorProof { statuses, members }| {
        quote!(::finrail::rt::v1::ErrorProof {
            statuses: &[#(#statuses),*],
            members: &[#(#members),*],
            ..::finrail::rt::v1::ErrorProof::BASE
        })
    }));
    let lookup = optional(
        operation
            .lookup
            .as_ref()
            .map(|lookup| self::lookup(document, operation, lookup)),
    );
    let limit = optional(operation.limit.as_ref().map(|Limit { calls, seconds, by }| {
        let (calls, seconds) = (calls.get(), seconds.get());
        quote!(::finrail::rt::v1::Limit {
            calls: #calls,
            seconds: #seconds,
            by: &[#(#by),*],
            ..::finrail::rt::v1::Limit::BASE
        })
    }));
    let error_members = document.error_members(operation);
    let reply_members = document.reply_members(operation);
    let error_codes = document.error_codes(operation);
    let replies_with_object = document.replies_with_object(operation);
    let loggable = document.loggable(operation);
    let empty_page_ends = operation
        .pagination
        .as_ref()
        .is_some_and(|pagination| pagination.empty_page_ends);
    let next_is_whole = operation
        .pagination
        .as_ref()
        .is_some_and(|pagination| pagination.next_is_whole);
    let grade = operation
        .provenance
        .as_ref()
        .map_or(Grade::Inferred, |provenance| provenance.grade);
    let grade = match grade {
        Grade::Official => quote!(Official),
        Grade::ClientCode => quote!(ClientCode),
        Grade::Inferred => quote!(Inferred),
    };
    quote! {
        ::finrail::rt::v1::Operation {
            id: #id,
            method: #method,
            path: #path,
            client: #client,
            browser: #browser,
            authentication: &[#(#authentication),*],
            #keys
            #needed
            effect: ::finrail::rt::v1::Effect::#effect,
            accept: #accept,
            content_type: #content_type,
            download: #download,
            headers: &[#(#headers),*],
            pagination: #pagination,
            items: #items,
            next: #next,
            idempotency_header: #idempotency,
            error_proof: #error_proof,
            lookup: #lookup,
            limit: #limit,
            replies_with_object: #replies_with_object,
            error_members: &[#(#error_members),*],
            reply_members: &[#(#reply_members),*],
            error_codes: &[#(#error_codes),*],
            empty_page_ends: #empty_page_ends,
            next_is_whole: #next_is_whole,
            loggable: &[#(#loggable),*],
            grade: ::finrail::rt::v1::Grade::#grade,
            ..::finrail::rt::v1::Operation::BASE
        }
    }
}

fn lookup(document: &Document, call: &Operation, lookup: &Lookup) -> TokenStream {
    let Lookup {
        operation,
        parameters,
        state,
        settled,
        rejected,
        same,
        unique,
    } = lookup;
    let called = document.operations.iter().find(|known| known.id == *operation);
    let paging = called.and_then(|called| called.pagination.as_ref());
    let headers = called
        .map(|called| document.headers_of_both(call, called))
        .unwrap_or_default();
    let next = optional(paging.map(|paging| &paging.next));
    let cursor = optional(paging.and_then(|paging| paging.parameter.as_ref()));
    let state = optional(state.as_ref());
    let parameters = parameters.iter().map(|(name, value)| quote!((#name, #value)));
    let amounts = same
        .iter()
        .filter(|(_, expression)| document.is_amount(call, expression));
    let amounts = amounts.map(|(pointer, _)| pointer);
    let same = same.iter().map(|(pointer, value)| quote!((#pointer, #value)));
    quote!(::finrail::rt::v1::Lookup {
        operation: #operation,
        parameters: &[#(#parameters),*],
        state: #state,
        settled: &[#(#settled),*],
        rejected: &[#(#rejected),*],
        same: &[#(#same),*],
        amounts: &[#(#amounts),*],
        unique: #unique,
        headers: &[#(#headers),*],
        next: #next,
        cursor: #cursor,
        ..::finrail::rt::v1::Lookup::BASE
    })
}

fn optional<T: quote::ToTokens>(value: Option<T>) -> TokenStream {
    match value {
        Some(value) => quote!(::std::option::Option::Some(#value)),
        None => quote!(::std::option::Option::None),
    }
}

fn scope(document: &Document) -> TokenStream {
    let scopes: Vec<&String> = document.scopes.keys().collect();
    let names = scope_names(scopes.iter().map(|scope| scope.as_str()));
    let idents: Vec<_> = names.iter().map(|name| format_ident!("{name}")).collect();
    // Where the name does not say which scope it is, the documentation does.
    let docs = document.scopes.iter().zip(&names).map(|((scope, doc), name)| {
        let is_made = variant_name(scope).as_ref() != Some(name);
        if is_made {
            format!("{doc} (`{scope}`)").trim_start().to_owned()
        } else {
            doc.clone()
        }
    });
    let doc = if document.oauth.as_ref().is_none_or(|oauth| oauth.scopes_complete) {
        format!("The scopes of {}.", document.provider.name)
    } else {
        format!(
            "The scopes of {} that are documented. There may be others: name one with `RequestedScope::new`.",
            document.provider.name
        )
    };
    if scopes.is_empty() {
        let doc = format!("{} documents no scopes.", document.provider.name);
        return quote! {
            #[doc = #doc]
            #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
            #[non_exhaustive]
            pub enum Scope {}

            impl Scope {
                /// Every scope that this version knows: none.
                pub const ALL: &'static [Self] = &[];

                /// The scope as requests carry it.
                #[must_use]
                pub fn as_str(self) -> &'static str {
                    match self {}
                }
            }

            impl ::std::convert::From<Scope> for ::finrail::rt::v1::RequestedScope<Provider> {
                fn from(scope: Scope) -> Self {
                    match scope {}
                }
            }

            impl ::std::convert::From<&Scope> for ::finrail::rt::v1::RequestedScope<Provider> {
                fn from(scope: &Scope) -> Self {
                    match *scope {}
                }
            }
        };
    }
    quote! {
        #[doc = #doc]
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Scope {
            #( #[doc = #docs] #idents, )*
        }

        impl Scope {
            /// Every scope that this version knows.
            pub const ALL: &'static [Self] = &[#(Self::#idents),*];

            /// The scope as requests carry it.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self {
                    #( Self::#idents => #scopes, )*
                }
            }

            /// The scope bound to one thing, where the provider has a template for it
            /// (a consent's or an authorization's id).
            #[must_use]
            pub fn of(self, id: impl ::std::convert::Into<::std::string::String>) -> ::finrail::rt::v1::RequestedScope<Provider> {
                ::finrail::rt::v1::RequestedScope::<Provider>::from(self).of(id)
            }
        }

        impl ::std::fmt::Display for Scope {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl ::std::convert::AsRef<str> for Scope {
            fn as_ref(&self) -> &str {
                self.as_str()
            }
        }

        impl ::std::convert::From<Scope> for ::finrail::rt::v1::RequestedScope<Provider> {
            fn from(scope: Scope) -> Self {
                Self::new(scope.as_str())
            }
        }

        impl ::std::convert::From<&Scope> for ::finrail::rt::v1::RequestedScope<Provider> {
            fn from(scope: &Scope) -> Self {
                Self::new(scope.as_str())
            }
        }
    }
}

fn environment(document: &Document) -> TokenStream {
    let mut names: Vec<&String> = Vec::new();
    for environment in document.servers.iter().filter_map(|server| server.environment.as_ref()) {
        if !names.contains(&environment) {
            names.push(environment);
        }
    }
    let provider = &document.provider.name;
    if names.is_empty() {
        let doc = format!("{provider} has no hosts of its own: each institution has one. Give its base URL.");
        return quote! {
            #[doc = #doc]
            #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
            #[non_exhaustive]
            pub enum Environment {}

            impl ::finrail::rt::v1::Environment for Environment {
                const DEFAULT: ::std::option::Option<Self> = None;

                fn hosts(self) -> ::finrail::rt::v1::Hosts {
                    match self {}
                }
            }
        };
    }
    let idents: Vec<_> = names
        .iter()
        .map(|name| format_ident!("{}", variant_name(name).unwrap_or_default()))
        .collect();
    let docs: Vec<String> = names
        .iter()
        .map(|name| {
            let servers = document
                .servers
                .iter()
                .filter(|server| server.environment.as_ref() == Some(*name));
            servers
                .map(|server| {
                    let words = prose(&server.description);
                    let between = if words.contains('\n') { "\n" } else { " " };
                    format!("{words}{between}{}", code(&server.url))
                })
                .collect::<Vec<_>>()
                .join("\n\n")
        })
        .collect();
    let hosts = names.iter().map(|name| {
        let of = |oauth: bool, authorizes: bool| {
            document
                .servers
                .iter()
                .find(|server| {
                    server.environment.as_ref() == Some(*name)
                        && server.is_oauth() == oauth
                        && server.authorizes == authorizes
                })
                .map(|server| server.url.as_str())
        };
        let api = of(false, false).unwrap_or_default();
        let oauth = of(true, false).unwrap_or(api);
        let authorize = of(true, true).map(|url| quote!(authorize: #url,));
        quote!(::finrail::rt::v1::Hosts { api: #api, oauth: #oauth, #authorize ..::finrail::rt::v1::Hosts::BASE })
    });
    let first = &idents[0];
    let doc = format!("The environments of {provider}.");
    quote! {
        #[doc = #doc]
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Environment {
            #( #[doc = #docs] #idents, )*
        }

        impl ::finrail::rt::v1::Environment for Environment {
            const DEFAULT: ::std::option::Option<Self> = Some(Self::#first);

            #[allow(clippy::needless_update)]
            fn hosts(self) -> ::finrail::rt::v1::Hosts {
                match self {
                    #( Self::#idents => #hosts, )*
                }
            }
        }
    }
}

fn client_authentication(method: ClientAuthentication) -> TokenStream {
    match method {
        ClientAuthentication::ClientSecretBasic => quote!(::finrail::rt::v1::ClientAuthentication::Basic),
        ClientAuthentication::ClientSecretPost => quote!(::finrail::rt::v1::ClientAuthentication::Post),
        ClientAuthentication::None => quote!(::finrail::rt::v1::ClientAuthentication::None),
    }
}

fn profile(document: &Document) -> Result<TokenStream, Error> {
    let provider = &document.provider;
    let (id, name, env_prefix) = (&provider.id, &provider.name, &provider.env_prefix);
    let Some(oauth) = &document.oauth else {
        // What takes an access token takes it from somewhere, and what gives one belongs to a server.
        let takes_tokens = document
            .operations
            .iter()
            .any(|operation| operation.scopes().is_some() || operation.client == ClientKind::Oauth);
        if takes_tokens {
            return Err(document.error_at(
                "/components/securitySchemes",
                "`components.securitySchemes.oauth` with `x-oauth` is missing; see https://docs.rs/finrail-codegen",
            ));
        }
        let doc = format!("{name} has no authorization server.");
        return Ok(quote! {
            #[doc = #doc]
            #[allow(clippy::needless_update)]
            pub static PROFILE: ::finrail::rt::v1::Profile = ::finrail::rt::v1::Profile {
                provider: #id,
                name: #name,
                env_prefix: #env_prefix,
                ..::finrail::rt::v1::Profile::BASE
            };
        });
    };
    let path = |id: Option<&String>| -> Result<TokenStream, Error> {
        let Some(id) = id else {
            return Ok(quote!(::std::option::Option::None));
        };
        match document.operations.iter().find(|operation| operation.id == *id) {
            Some(operation) => Ok(optional(Some(&operation.path))),
            None => Err(document.error(
                None,
                format!("`x-oauth.operations` names `{id}`, which is no operation"),
            )),
        }
    };
    let authorize_path = path(oauth.operations.authorize.as_ref())?;
    let token = document
        .operations
        .iter()
        .find(|operation| operation.id == oauth.operations.token);
    let Some(token) = token else {
        return Err(document.error(
            None,
            format!(
                "`x-oauth.operations.token` names `{}`, which is no operation",
                oauth.operations.token
            ),
        ));
    };
    let token_path = &token.path;
    let revoke_path = path(oauth.operations.revoke.as_ref())?;
    let scopes = document.scopes.keys();
    let rest = profile_rest(oauth);
    let doc = format!("The authorization server of {name} as data.");
    Ok(quote! {
        #[doc = #doc]
        #[allow(clippy::needless_update)]
        pub static PROFILE: ::finrail::rt::v1::Profile = ::finrail::rt::v1::Profile {
            provider: #id,
            name: #name,
            env_prefix: #env_prefix,
            authorize_path: #authorize_path,
            token_path: #token_path,
            revoke_path: #revoke_path,
            scopes: &[#(#scopes),*],
            #rest
            ..::finrail::rt::v1::Profile::BASE
        };
    })
}

fn profile_rest(oauth: &Oauth) -> TokenStream {
    let authentications = &oauth.client_authentication;
    let or_default =
        |method: Option<ClientAuthentication>| client_authentication(method.unwrap_or(authentications.default));
    let client_credentials = or_default(authentications.client_credentials);
    let authorization_code = or_default(authentications.authorization_code);
    let password = or_default(authentications.password);
    let refresh_token = or_default(authentications.refresh_token);
    let revocation_authentication = or_default(authentications.revocation);
    let token_body = match oauth.token_body {
        TokenBody::Form => quote!(Form),
        TokenBody::Json => quote!(Json),
    };
    let pkce = match oauth.pkce {
        Pkce::Required => quote!(Required),
        Pkce::Supported => quote!(Supported),
        Pkce::Undocumented => quote!(Undocumented),
        Pkce::Refused => quote!(Refused),
    };
    let separator = &oauth.scope_separator;
    let separators_accepted = &oauth.scope_separators_accepted;
    let always = &oauth.scopes_always;
    let complete = oauth.scopes_complete;
    let single = oauth.single_scope;
    let templates = oauth.scope_templates.iter().map(|(scope, template)| {
        let bare_allowed = oauth.scope_template_optional.contains(scope);
        let (before, rest) = template.split_once('{').unwrap_or((template, ""));
        let after = rest.split_once('}').map_or("", |(_, after)| after);
        quote!(::finrail::rt::v1::ScopeTemplate { scope: #scope, template: #template, before: #before, after: #after, bare_allowed: #bare_allowed, ..::finrail::rt::v1::ScopeTemplate::BASE })
    });
    let sent = |on: ScopeSentOn| oauth.scope_sent_on.contains(&on);
    let on_authorize = sent(ScopeSentOn::Authorize);
    let on_client_credentials = sent(ScopeSentOn::ClientCredentials);
    let on_authorization_code = sent(ScopeSentOn::AuthorizationCode);
    let on_password = sent(ScopeSentOn::Password);
    let on_refresh = sent(ScopeSentOn::RefreshToken);
    let redirect_required = oauth.redirect_uri.required;
    let redirect_on_token = oauth.redirect_uri.on_token_request;
    let redirect_https = oauth.redirect_uri.https_or_custom_scheme;
    let response_type = oauth.response_type_required;
    let state_on_refusal = oauth.state_on_refusal == StateOnRefusal::Required;
    let refusal_code_field = optional(oauth.refusal_code_field.as_ref());
    let milliseconds = oauth.token_reply.expires_in_unit == TimeUnit::Milliseconds;
    let default_lifetime = optional(oauth.token_reply.default_lifetime);
    let extra = oauth.token_reply.extra.iter().map(|field| {
        let (name, subject) = (&field.name, field.subject);
        quote!(::finrail::rt::v1::ExtraField { name: #name, subject: #subject, ..::finrail::rt::v1::ExtraField::BASE })
    });
    let rotates = optional(oauth.refresh.rotates);
    let refresh_lifetime = optional(oauth.refresh.lifetime);
    let refresh_lifetime_field = optional(oauth.refresh.lifetime_field.as_ref());
    let grace = optional(oauth.refresh.grace);
    let access_token_lifetime = optional(oauth.access_token_lifetime);
    let revocation = optional(oauth.revocation.as_ref().map(|revocation| {
        let (field, hint, success) = (&revocation.token_field, revocation.token_type_hint, &revocation.success);
        let unknown = &revocation.unknown_token;
        quote!(::finrail::rt::v1::Revocation { token_field: #field, token_type_hint: #hint, success: &[#(#success),*], unknown_token: &[#(#unknown),*], ..::finrail::rt::v1::Revocation::BASE })
    }));
    let errors = oauth.errors.iter().map(|(code, verdict)| {
        let verdict = match verdict {
            Verdict::Transient => quote!(::finrail::rt::v1::transient()),
            Verdict::Throttled => quote!(::finrail::rt::v1::throttled()),
            Verdict::RequestRejected => quote!(::finrail::rt::v1::Verdict::RequestRejected),
            Verdict::ClientMisconfigured => quote!(::finrail::rt::v1::Verdict::ClientMisconfigured),
            Verdict::Dead => quote!(::finrail::rt::v1::Verdict::Dead),
        };
        quote!((#code, #verdict))
    });
    let grants = oauth.grants.iter().map(|grant| grant.as_str());
    quote! {
        grants: &[#(#grants),*],
        client_authentication: ::finrail::rt::v1::ClientAuthentications {
            client_credentials: #client_credentials,
            authorization_code: #authorization_code,
            password: #password,
            refresh_token: #refresh_token,
            revocation: #revocation_authentication,
            ..::finrail::rt::v1::ClientAuthentications::BASE
        },
        token_body: ::finrail::rt::v1::TokenBody::#token_body,
        pkce: ::finrail::rt::v1::Pkce::#pkce,
        scope_separator: #separator,
        scope_separators_accepted: &[#(#separators_accepted),*],
        scopes_complete: #complete,
        scopes_always: &[#(#always),*],
        single_scope: #single,
        scope_templates: &[#(#templates),*],
        scope_sent_on: ::finrail::rt::v1::ScopeSentOn {
            authorize: #on_authorize,
            client_credentials: #on_client_credentials,
            authorization_code: #on_authorization_code,
            password: #on_password,
            refresh_token: #on_refresh,
            ..::finrail::rt::v1::ScopeSentOn::BASE
        },
        redirect_uri: ::finrail::rt::v1::RedirectUriRules {
            required: #redirect_required,
            on_token_request: #redirect_on_token,
            https_or_custom_scheme: #redirect_https,
            ..::finrail::rt::v1::RedirectUriRules::BASE
        },
        response_type_required: #response_type,
        state_on_refusal: #state_on_refusal,
        refusal_code_field: #refusal_code_field,
        expires_in_milliseconds: #milliseconds,
        default_lifetime: #default_lifetime,
        extra: &[#(#extra),*],
        access_token_lifetime: #access_token_lifetime,
        refresh: ::finrail::rt::v1::RefreshFacts {
            rotates: #rotates,
            lifetime: #refresh_lifetime,
            lifetime_field: #refresh_lifetime_field,
            grace: #grace,
            ..::finrail::rt::v1::RefreshFacts::BASE
        },
        revocation: #revocation,
        errors: &[#(#errors),*],
    }
}

fn provider(document: &Document, kinds: &[ClientKind]) -> TokenStream {
    let the_type = provider_type(document, kinds);
    let names = names_over_the_provider(document);
    let extra = extra(document);
    let grants = grants(document);
    let clients = kinds.iter().map(|kind| client(document, kinds, *kind));
    quote! {
        #the_type
        #names
        #extra
        #grants
        #(#clients)*
    }
}

/// The type that [`App`] and the client builders are generic over.
fn provider_type(document: &Document, kinds: &[ClientKind]) -> TokenStream {
    let name = &document.provider.name;
    let doc = format!("{name}, as a type: what [`App`] and the client builders are generic over.");
    let service = if kinds.contains(&ClientKind::Service) {
        quote!(service::Client)
    } else {
        quote!(Client)
    };
    quote! {
        #[doc = #doc]
        #[derive(Clone, Copy, Debug)]
        #[non_exhaustive]
        pub struct Provider;

        impl ::finrail::rt::v1::Provider for Provider {
            type Environment = Environment;
            type Scope = Scope;
            type Client = Client;
            type ServiceClient = #service;
            type Extra = Extra;

            fn profile() -> &'static ::finrail::rt::v1::Profile {
                &PROFILE
            }

            fn operations() -> &'static [::finrail::rt::v1::Operation] {
                OPERATIONS
            }
        }
    }
}

/// The library's types with this provider in them.
fn names_over_the_provider(document: &Document) -> TokenStream {
    let name = &document.provider.name;
    let credentials_doc = format!("The id and the secret of a client that is registered with {name}.");
    let app_doc = format!("An application that is registered with {name}.");
    quote! {
        #[doc = #app_doc]
        pub type App = ::finrail::rt::v1::App<Provider>;

        /// A user's consent, with the client that acts under it.
        pub type Connection = ::finrail::rt::v1::Connection<Provider>;

        /// A call that may have taken effect, and may not.
        pub type Doubt = ::finrail::rt::v1::Doubt<Provider>;

        #[doc = #credentials_doc]
        pub type Credentials = ::finrail::rt::v1::Credentials<Provider>;
    }
}

/// What a token reply tells beyond RFC 6749.
fn extra(document: &Document) -> TokenStream {
    let fields: Vec<_> = document
        .oauth
        .iter()
        .flat_map(|oauth| &oauth.token_reply.extra)
        .collect();
    let names: Vec<&String> = fields.iter().map(|field| &field.name).collect();
    let idents: Vec<_> = fields
        .iter()
        .map(|field| format_ident!("{}", ident_name(&snake_case(&field.name))))
        .collect();
    let docs: Vec<String> = fields.iter().map(|field| prose(&field.description)).collect();
    let doc = format!(
        "What a token reply of {} tells beyond RFC 6749.",
        document.provider.name
    );
    let argument = if fields.is_empty() {
        quote!(_fields)
    } else {
        quote!(fields)
    };
    quote! {
        #[doc = #doc]
        #[derive(Clone, Debug, Default, PartialEq, Eq)]
        #[non_exhaustive]
        pub struct Extra {
            #( #[doc = #docs] pub #idents: ::std::option::Option<::std::string::String>, )*
        }

        impl ::std::convert::From<&::std::collections::BTreeMap<::std::string::String, ::std::string::String>> for Extra {
            fn from(#argument: &::std::collections::BTreeMap<::std::string::String, ::std::string::String>) -> Self {
                Self { #( #idents: fields.get(#names).cloned(), )* }
            }
        }
    }
}

/// What the provider has, as traits: a method that needs one does not exist without it.
fn grants(document: &Document) -> TokenStream {
    let grants = document.oauth.iter().flat_map(|oauth| &oauth.grants);
    let grants = grants.filter_map(|grant| match grant {
        Grant::ClientCredentials => Some(quote!(ClientCredentials)),
        Grant::AuthorizationCode => Some(quote!(AuthorizationCode)),
        Grant::Password => Some(quote!(Password)),
        Grant::RefreshToken => None,
    });
    let has_revocation = document.oauth.as_ref().is_some_and(|oauth| oauth.revocation.is_some());
    let revocation = has_revocation.then(|| quote!(Revocation));
    let all = grants.chain(revocation);
    quote!(#(impl ::finrail::rt::v1::grant::#all for Provider {})*)
}

/// What stands beside a client: what it takes, how it is put together and built.
fn client(document: &Document, kinds: &[ClientKind], kind_of: ClientKind) -> TokenStream {
    let path = match kind_of {
        ClientKind::Api => quote!(Client),
        other => {
            let module = format_ident!("{}", other.as_str());
            quote!(#module::Client)
        }
    };
    let kind = match kind_of {
        ClientKind::Api => quote!(Api),
        ClientKind::Service => quote!(Service),
        ClientKind::Oauth => quote!(Oauth),
        ClientKind::Registration => quote!(Registration),
    };
    let takes = taken_by(document, kinds, kind_of);
    quote! {
        #(impl ::finrail::rt::v1::grant::#takes for #path {})*

        impl ::finrail::rt::v1::TypedClient for #path {
            type Provider = Provider;
            const KIND: ::finrail::rt::v1::ClientKind = ::finrail::rt::v1::ClientKind::#kind;

            fn from_parts(baseurl: ::std::string::String, client: ::finrail::rt::v1::reqwest::Client, inner: ::finrail::rt::v1::Core) -> Self {
                Self { baseurl, client, inner }
            }

            fn core(&self) -> &::finrail::rt::v1::Core {
                &self.inner
            }
        }

        impl #path {
            /// Starts to build a client.
            pub fn builder() -> ::finrail::rt::v1::ClientBuilder<Self> {
                ::finrail::rt::v1::ClientBuilder::new()
            }
        }
    }
}

/// The ways to authenticate that a client's calls take, as traits.
fn taken_by(document: &Document, kinds: &[ClientKind], kind: ClientKind) -> Vec<TokenStream> {
    let takes = |way: &dyn Fn(&Requirement) -> bool| {
        let mut own = document.operations.iter().filter(|operation| operation.client == kind);
        own.any(|operation| operation.security.iter().any(way))
    };
    // A token of the application itself is for the service calls, where there are any.
    let kind_of_service = if kinds.contains(&ClientKind::Service) {
        ClientKind::Service
    } else {
        ClientKind::Api
    };
    let has_grant = document
        .oauth
        .as_ref()
        .is_some_and(|oauth| oauth.grants.contains(&Grant::ClientCredentials));
    let mut found = Vec::new();
    if kind == kind_of_service && has_grant {
        found.push(quote!(TakesClientCredentials));
    }
    if takes(&|way| *way == Requirement::AccessKey) {
        found.push(quote!(TakesAccessKey));
    }
    if takes(&|way| *way == Requirement::RegistrationToken) {
        found.push(quote!(TakesRegistrationToken));
    }
    if takes(&|way| matches!(way, Requirement::Bearer { .. })) {
        found.push(quote!(TakesToken));
    }
    found
}
