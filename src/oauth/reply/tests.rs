//! The replies of authorization servers by example.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod errors;
mod revocations;
mod token_texts;
mod tokens;

use http::HeaderValue;
use http::header::RETRY_AFTER;

use super::*;

const PLAIN: Profile = Profile::BASE;
const ASKED: Asked<'static> = Asked {
    request: "the refresh",
    spends: Spends::RefreshToken,
    keep_id_token: false,
    secrets: &["", "refresh-1", "pass word"],
};
const SEVEN: Duration = Duration::from_secs(7);

/// What running this costs on the processor, whatever else the machine does.
#[cfg(target_os = "linux")]
fn cost(run: impl FnOnce()) -> Duration {
    let now = || {
        let now = nix::time::clock_gettime(nix::time::ClockId::CLOCK_THREAD_CPUTIME_ID).unwrap();
        Duration::new(now.tv_sec().unsigned_abs(), u32::try_from(now.tv_nsec()).unwrap())
    };
    let began = now();
    run();
    now().saturating_sub(began)
}

fn reply(status: u16, body: &str) -> RawReply {
    RawReply {
        status: StatusCode::from_u16(status).unwrap(),
        headers: HeaderMap::new(),
        body: Zeroizing::new(body.as_bytes().to_vec()),
        cut: false,
        broken: None,
    }
}

/// The same, with `Retry-After: 7`.
fn busy(status: u16, body: &str) -> RawReply {
    let mut reply = reply(status, body);
    reply.headers.insert(RETRY_AFTER, HeaderValue::from_static("7"));
    reply
}

/// Reads it as the reply to a token request, and leaves it for another reading.
fn read(profile: &Profile, asked: &Asked<'_>, reply: &RawReply) -> Result<TokenReply, Error> {
    let reply = RawReply {
        status: reply.status,
        headers: reply.headers.clone(),
        body: reply.body.clone(),
        cut: false,
        broken: None,
    };
    reply.token(profile, asked)
}

/// The problem of a reply that is no answer, and whether what was spent is in doubt.
fn problem(asked: &Asked<'_>, reply: &RawReply) -> (&'static str, bool) {
    match read(&PLAIN, asked, reply).unwrap_err() {
        Error::Reply { problem, in_doubt, .. } => (problem, in_doubt),
        other => panic!("{other:?}"),
    }
}

fn tokens(profile: &Profile, body: &str) -> TokenReply {
    read(profile, &ASKED, &reply(200, body)).unwrap()
}
