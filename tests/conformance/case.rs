//! A case as it is written in the files beside this one; `README.md` there says what the words mean.

use serde::Deserialize;
use serde_json::Value;

use crate::banks::{Http, Kind, Paging};

/// A file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Subject {
    pub subject: String,
    pub cases: Vec<Value>,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Case {
    pub id: String,
    pub says: String,
    /// Of which kinds of calls it is.
    pub kinds: Vec<Kind>,
    #[serde(default)]
    pub only: Only,
    #[serde(default)]
    pub given: Given,
    /// In their order; the last one stays.
    #[serde(default)]
    pub answers: Vec<Answer>,
    pub expect: Expect,
    /// What no error, reply or log line may show.
    #[serde(default)]
    pub planted: Vec<String>,
}

/// Of which clients it is.
#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Only {
    pub paging: Option<Paging>,
    /// Whether the specification documents how a refusal is known to be the provider's own.
    pub documented_refusals: Option<bool>,
    /// The call carries an amount of money.
    #[serde(default)]
    pub with_amount: bool,
}

#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Given {
    #[serde(default)]
    pub server: Where,
    #[serde(default)]
    pub http: Http,
    #[serde(default)]
    pub retry: Retry,
    pub attempt_ms: Option<u64>,
    pub limits: Option<LimitsGiven>,
    /// How many calls are made before the one that the case is about; they succeed.
    #[serde(default)]
    pub earlier: usize,
    /// How large the call's body is.
    #[serde(default)]
    pub body_bytes: usize,
    /// The amount that is sent.
    pub amount: Option<String>,
}

#[derive(Clone, Copy, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum Where {
    /// A server that answers as told.
    #[default]
    Told,
    RefusedStream,
    Goaway,
    /// Nobody listens.
    Nobody,
    /// No connection is taken.
    Full,
}

#[derive(Clone, Copy, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum Retry {
    #[default]
    Usual,
    None,
    Once,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct LimitsGiven {
    pub concurrent: Option<usize>,
    /// How many in how many seconds.
    pub rate: Option<(u32, u64)>,
    #[serde(default)]
    pub refuse: bool,
}

#[derive(Clone, Deserialize)]
#[serde(untagged)]
pub enum Answer {
    Word(Word),
    Reply(Box<Reply>),
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Word {
    /// The connection closes when the whole request has come.
    Drop,
    /// It closes when the request's head has come.
    CloseAtHead,
    /// Nothing is answered, ever.
    Silence,
    /// Nothing is answered, and the request's body is not read.
    NeverRead,
}

#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Reply {
    pub status: Option<u16>,
    /// A character is a byte.
    #[serde(default)]
    pub headers: Vec<(String, String)>,
    #[serde(rename = "type")]
    pub media_type: Option<String>,
    pub body: Option<String>,
    /// The provider's own reply to a call that succeeded, with this amount, as JSON.
    pub success: Option<String>,
    /// The provider's own page of a list.
    pub page: Option<Page>,
    /// So many spaces before the body.
    #[serde(default)]
    pub padding: usize,
    /// What `Content-Length` says, where that is not the body's.
    pub length: Option<u64>,
    #[serde(default)]
    pub then: ThenGiven,
}

#[derive(Clone, Copy, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum ThenGiven {
    #[default]
    Keep,
    Close,
    Silence,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Page {
    /// Of each item, as JSON; behind a `!` stands the item itself.
    pub amounts: Vec<String>,
    /// The next page by its cursor, or its number in a link.
    pub next: Option<String>,
    /// The link itself.
    pub link: Option<String>,
}

#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Expect {
    /// How many requests arrived, of the call that the case is about.
    pub requests: Option<usize>,
    /// How many requests arrived that ask for an effect, here and at the other server: any method but GET.
    pub executions: Option<usize>,
    /// How many arrived at another server, where redirects and links may lead.
    pub elsewhere: Option<usize>,
    /// The call succeeded: there is no error.
    #[serde(default)]
    pub ok: bool,
    pub outcome: Option<String>,
    /// `assumed`, `documented` or `none`.
    pub proof: Option<String>,
    pub kind: Option<String>,
    pub status: Option<u16>,
    /// As decimals are printed, digit for digit.
    pub amounts: Option<Vec<String>>,
    pub unreadable: Option<usize>,
    /// How many tokens were asked for in all; the first one is.
    pub tokens: Option<usize>,
    pub retryable: Option<bool>,
    pub may_succeed_later: Option<bool>,
    /// In seconds; -1: in words that cannot be read.
    pub retry_after: Option<i64>,
    /// A part of the body that was sent.
    pub sent: Option<String>,
    /// A part of what the error prints.
    pub told: Option<String>,
}

impl Subject {
    /// Its cases, those that are written once for several values taken apart.
    pub fn cases(self) -> Vec<Case> {
        let mut cases = Vec::new();
        for mut case in self.cases {
            let each = case.as_object_mut().and_then(|case| case.remove("each"));
            let Some(each) = each else {
                cases.push(read(case));
                continue;
            };
            for value in each.as_array().expect("`each` is a list") {
                let mut one = case.clone();
                assert!(replace(&mut one, value) > 0, "`each` is used nowhere: {case}");
                one["id"] = format!("{} {value}", case["id"].as_str().unwrap()).into();
                cases.push(read(one));
            }
        }
        cases
    }
}

fn read(case: Value) -> Case {
    let text = case.to_string();
    serde_json::from_value(case).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// Puts a value, or the members of it, in the place of `$each`, or of `$` and the member's name.
fn replace(case: &mut Value, value: &Value) -> usize {
    match case {
        Value::String(text) => {
            let Some(name) = text.strip_prefix('$') else { return 0 };
            let found = if name == "each" { Some(value) } else { value.get(name) };
            *case = found.unwrap_or_else(|| panic!("nothing is there for {case}")).clone();
            1
        }
        Value::Array(items) => items.iter_mut().map(|item| replace(item, value)).sum(),
        Value::Object(members) => members.values_mut().map(|member| replace(member, value)).sum(),
        _ => 0,
    }
}
