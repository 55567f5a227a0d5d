//! One case against one client: what differs from what was expected.

use std::time::Duration;

use finrail::Error;
use finrail::transport::{Limits, Outcome, Proof, RetryAfter, RetryPolicy};

use crate::banks::{Bank, Client, Http, Kind, SECRET, Setup};
use crate::case::{Answer, Case, Expect, Reply, Retry, ThenGiven, Where, Word};
use crate::logged::Log;
use crate::recorder::Recorder;
use crate::refusing_server::Refusal;
use crate::server::{Act, Server, Then, Told};

/// What no case may show: the client's secret, tokens and codes.
const ALWAYS_PLANTED: [&str; 5] = [SECRET, "token-1", "token-2", "refresh-1", "code-1"];

pub fn applies(case: &Case, bank: Bank, kind: Kind) -> bool {
    let only = &case.only;
    bank.has(kind)
        && only.paging.is_none_or(|paging| bank.paging() == Some(paging))
        && only
            .documented_refusals
            .is_none_or(|documented| bank.documents_refusals() == documented)
        && (!only.with_amount || bank.sends_amount())
}

pub async fn run(case: &Case, bank: Bank, kind: Kind) -> Vec<String> {
    let (log, _listening) = Log::everything();
    let given = &case.given;
    let server = match given.server {
        Where::Told => Server::Told(Told::start().await),
        Where::RefusedStream => Server::refusing(Refusal::RefusedStream).await,
        Where::Goaway => Server::refusing(Refusal::GoAway).await,
        Where::Nobody => Server::nobody().await,
        Where::Full => Server::full().await,
    };
    let other = Told::start().await;
    other.tell([Act::Send {
        reply: bytes(&Reply::default(), bank, kind, server.origin(), other.origin()),
        then: Then::Keep,
    }]);
    if let Server::Told(told) = &server {
        told.tell(
            case.answers
                .iter()
                .map(|answer| act(answer, bank, kind, &server, &other)),
        );
    }
    let oauth = Recorder::granting(|_, _| panic!("a call came to the authorization server")).await;
    let setup = setup(case, &server, &oauth);
    let client = Client::of(bank, kind, &setup).await;
    let mut wrong = Vec::new();
    for _ in 0..given.earlier {
        if let Some(error) = client.call(kind, &setup).await.error {
            wrong.push(format!("an earlier call failed: {error:?}"));
        }
        server.settle().await;
    }
    let before = server.arrived();
    let came = client.call(kind, &setup).await;

    let mut compare = |what: &str, found: String, expected: String| {
        if found != expected {
            wrong.push(format!("{what}: {found}, expected {expected}; {:?}", came.error));
        }
    };
    let expect = &case.expect;
    assert!(
        expect.requests.or(expect.executions).is_some(),
        "{}: how many?",
        case.id
    );
    if let Some(requests) = expect.requests {
        compare(
            "requests",
            (server.arrived() - before).to_string(),
            requests.to_string(),
        );
    }
    if let (Some(executions), Server::Told(told)) = (expect.executions, &server) {
        let found = told.executions() + other.executions();
        compare("executions", found.to_string(), executions.to_string());
    }
    // What is not said to go elsewhere goes there in no case, unless what asks for an effect is counted instead.
    let elsewhere = expect.elsewhere.or(expect.executions.is_none().then_some(0));
    if let Some(elsewhere) = elsewhere {
        compare("elsewhere", other.arrived().to_string(), elsewhere.to_string());
    }
    if let Some(tokens) = expect.tokens {
        compare("tokens", oauth.token_requests().len().to_string(), tokens.to_string());
    }
    if let Some(amounts) = &expect.amounts {
        compare("amounts", format!("{:?}", came.amounts), format!("{amounts:?}"));
    }
    if let Some(unreadable) = expect.unreadable {
        compare("unreadable", came.unreadable.to_string(), unreadable.to_string());
    }
    if let (Some(sent), Server::Told(told)) = (&expect.sent, &server) {
        compare(
            "the body has the amount",
            told.was_sent(sent).to_string(),
            "true".to_owned(),
        );
    }
    match &came.error {
        None => compare("succeeded", "true".to_owned(), expect.ok.to_string()),
        Some(error) => {
            compare("succeeded", "false".to_owned(), expect.ok.to_string());
            for (what, found, expected) in of_error(error, expect) {
                compare(what, found, expected);
            }
        }
    }
    drop(client);
    let log = log.text();
    for (place, text) in [("what was printed", &came.shown), ("the log", &log)] {
        for planted in ALWAYS_PLANTED
            .into_iter()
            .chain(case.planted.iter().map(String::as_str))
        {
            if let Some(at) = text.find(planted) {
                let line = text[..at].lines().last().unwrap_or_default();
                wrong.push(format!("{place} shows {planted}: {line}"));
            }
        }
    }
    wrong
}

/// What was found of an error, and what was expected.
fn of_error(error: &Error, expect: &Expect) -> Vec<(&'static str, String, String)> {
    let mut found = Vec::new();
    let mut put = |what, found_one: String, expected: Option<String>| {
        if let Some(expected) = expected {
            found.push((what, found_one, expected));
        }
    };
    let outcome = match error.outcome() {
        Outcome::NotSent => "not-sent",
        Outcome::Rejected => "rejected",
        Outcome::Unknown => "unknown",
    };
    put("outcome", outcome.to_owned(), expect.outcome.clone());
    let proof = match error.proof() {
        None => "none",
        Some(Proof::Assumed) => "assumed",
        Some(Proof::Documented) => "documented",
        Some(other) => panic!("{other:?}"),
    };
    put("proof", proof.to_owned(), expect.proof.clone());
    put("kind", error.kind().into_owned(), expect.kind.clone());
    let status = error.status().map_or(0, |status| status.as_u16());
    put(
        "status",
        status.to_string(),
        expect.status.map(|status| status.to_string()),
    );
    let flag = |flag: Option<bool>| flag.map(|flag| flag.to_string());
    put("retryable", error.is_retryable().to_string(), flag(expect.retryable));
    put(
        "may succeed later",
        error.may_succeed_later().to_string(),
        flag(expect.may_succeed_later),
    );
    let asked = match error.retry_after() {
        Some(RetryAfter::After(wait)) => i64::try_from(wait.as_secs()).unwrap().to_string(),
        Some(_) => "-1".to_owned(),
        None => "none".to_owned(),
    };
    put("retry after", asked, expect.retry_after.map(|asked| asked.to_string()));
    if let Some(part) = &expect.told {
        let told = error.to_string();
        put(
            "told",
            told.contains(part.as_str()).to_string(),
            Some("true".to_owned()),
        );
    }
    found
}

fn setup(case: &Case, server: &Server, oauth: &Recorder) -> Setup {
    let given = &case.given;
    let policy = RetryPolicy {
        backoff: Duration::from_millis(1),
        attempt_timeout: Duration::from_millis(given.attempt_ms.unwrap_or(10_000)),
        ..match given.retry {
            Retry::Usual => RetryPolicy::default(),
            Retry::None => RetryPolicy::none(),
            Retry::Once => RetryPolicy::once(),
        }
    };
    let limits = given.limits.map(|given| {
        let mut limits = Limits::new();
        if let Some(calls) = given.concurrent {
            limits = limits.concurrent(calls);
        }
        if let Some((calls, seconds)) = given.rate {
            limits = limits.rate(calls, Duration::from_secs(seconds));
        }
        if given.refuse { limits.refuse() } else { limits }
    });
    // Over HTTP/2 nobody is there who gives tokens.
    let http2 = matches!(given.http, Http::OwnHttp2 | Http::UsualHttp2);
    Setup {
        api: server.origin().to_owned(),
        oauth: (!http2).then(|| oauth.origin().to_owned()),
        retry: policy,
        limits,
        http: given.http,
        amount: given.amount.as_deref().unwrap_or("1.00").parse().unwrap(),
        text: "x".repeat(given.body_bytes.max(1)),
    }
}

fn act(answer: &Answer, bank: Bank, kind: Kind, server: &Server, other: &Told) -> Act {
    let reply = match answer {
        Answer::Word(Word::CloseAtHead) => return Act::CloseAtHead,
        Answer::Word(Word::NeverRead) => return Act::NeverRead,
        Answer::Word(word) => {
            let then = match word {
                Word::Silence => Then::Silence,
                _ => Then::Close,
            };
            return Act::Send {
                reply: Vec::new(),
                then,
            };
        }
        Answer::Reply(reply) => reply,
    };
    let then = match reply.then {
        ThenGiven::Keep => Then::Keep,
        ThenGiven::Close => Then::Close,
        ThenGiven::Silence => Then::Silence,
    };
    Act::Send {
        reply: bytes(reply, bank, kind, server.origin(), other.origin()),
        then,
    }
}

/// A reply to the byte. `HERE` and `OTHER` stand for the two servers, `LIST` for the path of the provider's list.
fn bytes(reply: &Reply, bank: Bank, kind: Kind, here: &str, other: &str) -> Vec<u8> {
    let placed = |text: &str| {
        text.replace("HERE", here)
            .replace("OTHER", other)
            .replace("LIST", bank.list_path())
    };
    let (usual, body) = match (&reply.success, &reply.page, &reply.body) {
        (Some(amount), ..) => bank.success(kind, amount),
        (_, Some(page), _) => {
            let items: Vec<String> = page
                .amounts
                .iter()
                .enumerate()
                .map(|(number, amount)| match amount.strip_prefix('!') {
                    Some(item) => item.to_owned(),
                    None => bank.item(number, amount),
                })
                .collect();
            let next = match (&page.link, &page.next, bank.paging()) {
                (Some(link), ..) => Some(placed(link)),
                (_, Some(next), Some(crate::banks::Paging::Link)) if !next.is_empty() => Some(format!("?page={next}")),
                (_, next, _) => next.clone(),
            };
            (200, bank.page(&items, next.as_deref()))
        }
        (_, _, Some(body)) => (200, body.clone()),
        _ => (200, "{}".to_owned()),
    };
    let body = format!("{}{body}", " ".repeat(reply.padding));
    let status = reply.status.unwrap_or(usual);
    let length = reply.length.unwrap_or(body.len() as u64);
    let media_type = reply.media_type.as_deref().unwrap_or("application/json");
    let mut head = format!("HTTP/1.1 {status} Told\r\ncontent-type: {media_type}\r\n");
    if status != 204 && status != 304 {
        head.push_str(&format!("content-length: {length}\r\n"));
    }
    for (name, value) in &reply.headers {
        head.push_str(&format!("{name}: {}\r\n", placed(value)));
    }
    head.push_str("\r\n");
    let mut bytes: Vec<u8> = head.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect();
    bytes.extend(body.into_bytes());
    bytes
}
