//! The changes: of every provider what could happen to its specification, with the class that it has.

use serde_json::{Value, json};

/// A change of a specification.
pub struct Change {
    pub name: &'static str,
    pub class: &'static str,
    /// What is in the client's error when it is stopped, or in what it reads when it goes on.
    pub says: &'static str,
    pub apply: fn(&mut Value),
}

const fn change(name: &'static str, class: &'static str, says: &'static str, apply: fn(&mut Value)) -> Change {
    Change {
        name,
        class,
        says,
        apply,
    }
}

const fn breaking(name: &'static str, says: &'static str, apply: fn(&mut Value)) -> Change {
    change(name, "wire-breaking", says, apply)
}

const fn additive(name: &'static str, says: &'static str, apply: fn(&mut Value)) -> Change {
    change(name, "additive", says, apply)
}

const fn words(name: &'static str, says: &'static str, apply: fn(&mut Value)) -> Change {
    change(name, "docs-only", says, apply)
}

pub const OFX: &[Change] = &[
    change("nothing", "nothing", "", |_| {}),
    breaking("the token endpoint moves", "no usable answer", |spec| {
        moves(spec, "/oauth/token", "/oauth/v2/token");
    }),
    breaking("the endpoint moves", "the provider answered 404", |spec| {
        moves(spec, RATE, "/rates/{fromCurrency}/{toCurrency}/{amount}");
    }),
    breaking("a parameter becomes needed", "the provider answered 400", |spec| {
        parameter(get(spec, RATE), "query", true);
    }),
    breaking(
        "a field becomes an object",
        "at `ofxRate`: expected a decimal",
        |spec| {
            *field(spec, "Rate", "ofxRate") = json!({"type": "object", "description": "Now with its direction."});
            *example(get(spec, RATE)) = json!({"ofxRate": {"rate": "0.66"}});
        },
    ),
    breaking("success has another status", "status 203", |spec| {
        let responses = &mut get(spec, "/payments/beneficiaries")["responses"];
        let reply = remove(responses, "200");
        responses["203"] = reply;
    }),
    breaking("success is empty", "status 204", |spec| {
        let responses = &mut get(spec, RATE)["responses"];
        remove(responses, "200");
        responses["204"] = json!({"description": "Nothing."});
    }),
    breaking("the scope is withdrawn", "check scopes", |spec| {
        withdraw(spec, "ofxrates")
    }),
    breaking("another scope is needed", "the provider answered 403", |spec| {
        get(spec, RATE)["security"] = json!([{"oauth": ["payments"]}]);
    }),
    breaking("another client authentication", "check its id, secret", |spec| {
        oauth(spec)["client_authentication"] = json!({"default": "client_secret_basic"});
    }),
    change(
        "a field of the reply goes",
        "source-breaking",
        "inverse_ofx_rate: None",
        |spec| {
            remove(
                &mut spec["components"]["schemas"]["Rate"]["properties"],
                "inverseOfxRate",
            );
            remove(example(get(spec, RATE)), "inverseOfxRate");
        },
    ),
    additive("a field of the reply is new", "", |spec| {
        *field(spec, "Rate", "midRate") = json!({"type": "number", "format": "decimal"});
        example(get(spec, RATE))["midRate"] = json!(0.67);
    }),
    additive("an optional parameter is new", "", |spec| {
        parameter(get(spec, RATE), "query", false);
    }),
    words("an amount is sent as text", "0.6603", |spec| {
        field(spec, "Rate", "ofxRate")["type"] = json!("string");
        example(get(spec, RATE))["ofxRate"] = json!("0.6603");
    }),
    words("a description is edited", "", |spec| {
        get(spec, RATE)["description"] = json!("Other words.");
    }),
];

pub const MX: &[Change] = &[
    change("nothing", "nothing", "", |_| {}),
    breaking("the token endpoint moves", "answered 404", |spec| {
        moves(spec, "/oauth2/v4/token", "/oauth2/v5/token");
    }),
    breaking("the endpoint moves", "the provider answered 404", |spec| {
        moves(spec, "/customers/current", "/customers/me");
    }),
    breaking("a parameter becomes needed", "the provider answered 400", |spec| {
        parameter(get(spec, "/accounts"), "query", true);
    }),
    breaking("a header becomes needed", "the provider answered 400", |spec| {
        parameter(get(spec, "/accounts"), "header", true);
    }),
    breaking("a list becomes text", "at `email`: expected a sequence", |spec| {
        *field(spec, "Customer", "email") = json!({"type": "string", "description": "The e-mail address."});
        example(get(spec, "/customers/current"))["email"] = json!("maya.okafor@example.com");
    }),
    breaking("the scope is withdrawn", "the scope is not known", |spec| {
        withdraw(spec, "accounts")
    }),
    breaking("another scope is needed", "the provider answered 403", |spec| {
        get(spec, "/accounts")["security"] = json!([{"oauth": ["statements"]}]);
    }),
    breaking("another client authentication", "answered 401", |spec| {
        oauth(spec)["client_authentication"] = json!({"default": "client_secret_post"});
    }),
    additive("a field of the reply is new", "", |spec| {
        *field(spec, "Customer", "pronouns") = json!({"type": "string", "description": "New."});
        example(get(spec, "/customers/current"))["pronouns"] = json!("she/her");
    }),
    additive("a new enum value", r#"Unknown("FROZEN")"#, |spec| {
        value(spec, "AccountStatus", "FROZEN");
        example(get(spec, "/accounts"))["accounts"][0]["depositAccount"]["status"] = json!("FROZEN");
    }),
    words("a description is edited", "", |spec| {
        get(spec, "/accounts")["description"] = json!("Other words.");
    }),
];

pub const OMNIFUND: &[Change] = &[
    change("nothing", "nothing", "", |_| {}),
    breaking("the token endpoint moves", "status 404", |spec| {
        moves(spec, "/oauth/v2/token", "/oauth/v3/token");
    }),
    breaking("the endpoint moves", "the provider answered 404", |spec| {
        moves(spec, "/api/customers", "/api/v2/customers");
    }),
    breaking("a parameter becomes needed", "the provider answered 400", |spec| {
        parameter(get(spec, "/api/customers"), "query", true);
    }),
    breaking(
        "a field becomes an object",
        "at `hydra:member[0].company`: expected a string",
        |spec| {
            *field(spec, "Customer", "company") = json!({"type": "object", "description": "Now with its form."});
            example(get(spec, "/api/customers"))["hydra:member"][0]["company"] = json!({"name": "Acme Hardware"});
        },
    ),
    breaking("the grant is withdrawn", "unsupported_grant_type", |spec| {
        remove(&mut spec["components"]["securitySchemes"]["oauth"]["flows"], "password");
        oauth(spec)["grants"] = json!(["authorization_code", "refresh_token"]);
    }),
    // It is sent already, though nobody documented it.
    words("PKCE is required", "", |spec| {
        oauth(spec)["pkce"] = json!("required");
    }),
    breaking("PKCE is refused", "invalid_request", |spec| {
        oauth(spec)["pkce"] = json!("refused");
    }),
    breaking("another client authentication", "answered 401", |spec| {
        oauth(spec)["client_authentication"] = json!({"default": "client_secret_basic"});
    }),
    additive("a field of the reply is new", "", |spec| {
        *field(spec, "Customer", "country") = json!({"type": "string", "description": "New."});
        example(get(spec, "/api/customers"))["hydra:member"][0]["country"] = json!("US");
    }),
    additive("a new enum value", r#"Unknown("nickname")"#, |spec| {
        value(spec, "DisplayAs", "nickname");
        example(get(spec, "/api/customers"))["hydra:member"][0]["displayAs"] = json!("nickname");
    }),
    words("a description is edited", "", |spec| {
        get(spec, "/api/customers")["description"] = json!("Other words.");
    }),
];

pub const TATRABANKA: &[Change] = &[
    change("nothing", "nothing", "", |_| {}),
    breaking("the token endpoint moves", "no usable answer", |spec| {
        moves(spec, "/auth/oauth/v2/token", "/auth/oauth/v3/token");
    }),
    breaking("the endpoint moves", "the provider answered 404", |spec| {
        moves(spec, "/v3/accounts", "/v4/accounts");
    }),
    breaking("a parameter becomes needed", "the provider answered 400", |spec| {
        parameter(get(spec, "/v3/accounts"), "query", true);
    }),
    breaking("a header becomes needed", "the provider answered 400", |spec| {
        parameter(get(spec, "/v3/accounts"), "header", true);
    }),
    breaking(
        "a field becomes an object",
        "at `accounts[0].displayName`: expected a string",
        |spec| {
            *field(spec, "Account", "displayName") = json!({"type": "object", "description": "Now by language."});
            example(get(spec, "/v3/accounts"))["accounts"][0]["displayName"] = json!({"en": "Current account"});
        },
    ),
    breaking(
        "a needed field of the reply goes",
        "at `accounts[0]`: field `accountId` is missing",
        |spec| {
            remove(&mut spec["components"]["schemas"]["Account"]["properties"], "accountId");
            spec["components"]["schemas"]["Account"]["required"] = json!([]);
            for account in items(&mut example(get(spec, "/v3/accounts"))["accounts"]) {
                remove(account, "accountId");
            }
        },
    ),
    breaking("the scope is withdrawn", "check scopes", |spec| {
        withdraw(spec, "PREMIUM_AIS")
    }),
    breaking("another service authentication", "check its id, secret", |spec| {
        oauth(spec)["client_authentication"] = json!({"default": "client_secret_basic"});
    }),
    breaking("another client authentication", "answered 401", |spec| {
        oauth(spec)["client_authentication"] = json!({"default": "client_secret_post"});
    }),
    additive("a field of the reply is new", "", |spec| {
        *field(spec, "Account", "nickname") = json!({"type": "string", "description": "New."});
        example(get(spec, "/v3/accounts"))["accounts"][0]["nickname"] = json!("Household");
    }),
    additive("a new enum value", r#"Unknown("frozen")"#, |spec| {
        value(spec, "AccountStatus", "frozen");
        example(get(spec, "/v3/accounts"))["accounts"][0]["status"] = json!("frozen");
    }),
    words("a description is edited", "", |spec| {
        get(spec, "/v3/accounts")["description"] = json!("Other words.");
    }),
];

pub const FINEXER: &[Change] = &[
    change("nothing", "nothing", "", |_| {}),
    breaking("the token endpoint moves", "status 404", |spec| {
        moves(spec, "/oauth/token", "/oauth/v2/token");
    }),
    breaking("the endpoint moves", "the provider answered 404", |spec| {
        moves(spec, "/customers", "/v2/customers");
    }),
    breaking("a parameter becomes needed", "the provider answered 400", |spec| {
        parameter(get(spec, "/customers"), "query", true);
    }),
    breaking("the form needs a field", "the provider answered 400", |spec| {
        let form = &mut spec["components"]["schemas"]["CreateConsentRequest"];
        form["properties"]["purpose"] = json!({"type": "string", "description": "New."});
        if let Some(required) = form["required"].as_array_mut() {
            required.push(json!("purpose"));
        }
        let form = &mut spec["paths"]["/consents"]["post"]["requestBody"]["content"];
        form["application/x-www-form-urlencoded"]["example"]["purpose"] = json!("lending");
    }),
    breaking(
        "a needed field of the reply goes",
        "at `data[0]`: field `id` is missing",
        |spec| {
            remove(&mut spec["components"]["schemas"]["Customer"]["properties"], "id");
            spec["components"]["schemas"]["Customer"]["required"] = json!([]);
            for customer in items(&mut example(get(spec, "/customers"))["data"]) {
                remove(customer, "id");
            }
        },
    ),
    breaking(
        "a field becomes an object",
        "at `data[0].name`: expected a string",
        |spec| {
            *field(spec, "Customer", "name") = json!({"type": "object", "description": "Now in parts."});
            example(get(spec, "/customers"))["data"][0]["name"] = json!({"first": "Amelia"});
        },
    ),
    breaking(
        "the list of scopes is complete, and without one",
        "invalid_scope",
        |spec| {
            withdraw(spec, "customer_read");
            oauth(spec)["scopes_complete"] = json!(true);
        },
    ),
    // Finexer's list is not complete.
    change("a scope is not in the list", "unhandled", "CustomerList", |spec| {
        withdraw(spec, "customer_read");
    }),
    // It is sent already, though nobody documented it.
    words("PKCE is required", "", |spec| {
        oauth(spec)["pkce"] = json!("required");
    }),
    breaking("PKCE is refused", "invalid_request", |spec| {
        oauth(spec)["pkce"] = json!("refused");
    }),
    breaking("another client authentication", "answered 401", |spec| {
        oauth(spec)["client_authentication"] = json!({"default": "client_secret_basic"});
    }),
    additive("a field of the reply is new", "", |spec| {
        *field(spec, "Customer", "phone") = json!({"type": "string", "description": "New."});
        example(get(spec, "/customers"))["data"][0]["phone"] = json!("+44 20 7946 0000");
    }),
    words("a description is edited", "", |spec| {
        get(spec, "/customers")["description"] = json!("Other words.");
    }),
];

const RATE: &str = "/ofxrates/{fromCurrency}/{toCurrency}/{amount}";

fn get<'s>(spec: &'s mut Value, path: &str) -> &'s mut Value {
    &mut spec["paths"][path]["get"]
}

fn example(operation: &mut Value) -> &mut Value {
    &mut operation["responses"]["200"]["content"]["application/json"]["example"]
}

fn field<'s>(spec: &'s mut Value, schema: &str, name: &str) -> &'s mut Value {
    &mut spec["components"]["schemas"][schema]["properties"][name]
}

fn oauth(spec: &mut Value) -> &mut Value {
    &mut spec["components"]["securitySchemes"]["oauth"]["x-oauth"]
}

fn items(list: &mut Value) -> impl Iterator<Item = &mut Value> {
    list.as_array_mut().into_iter().flatten()
}

fn remove(object: &mut Value, key: &str) -> Value {
    object
        .as_object_mut()
        .and_then(|it| it.shift_remove(key))
        .unwrap_or_default()
}

/// The value is one more that an enum has.
fn value(spec: &mut Value, schema: &str, value: &str) {
    if let Some(values) = spec["components"]["schemas"][schema]["enum"].as_array_mut() {
        values.push(json!(value));
    }
}

fn moves(spec: &mut Value, from: &str, to: &str) {
    let item = remove(&mut spec["paths"], from);
    spec["paths"][to] = item;
}

fn parameter(operation: &mut Value, place: &str, required: bool) {
    let new = json!({"name": "Purpose", "in": place, "required": required, "description": "New.", "schema": {"type": "string"}});
    match operation["parameters"].as_array_mut() {
        Some(list) => list.push(new),
        None => operation["parameters"] = json!([new]),
    }
}

fn withdraw(spec: &mut Value, scope: &str) {
    let flows = spec["components"]["securitySchemes"]["oauth"]["flows"].as_object_mut();
    for flow in flows.into_iter().flatten().map(|(_, flow)| flow) {
        remove(&mut flow["scopes"], scope);
    }
}
