//! After a grant is forgotten and everything is dropped, no token is left in the memory of the process.
//!
//! The test looks through all memory that the process can write to. It plants tokens that it never holds itself: it has
//! them in another form, and the authorization server makes the text in one go, for finrail to keep.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::channel;

use finrail::Secret;
use finrail::token::{
    GrantKind, Issuer, IssuerError, Obtain, Rejection, Renewal, RevokeRequest, TokenHandle, TokenKey, TokenReply,
};
use futures_util::future::BoxFuture;

/// A token, every byte of it changed.
#[derive(Clone, Copy)]
struct Planted([u8; 192]);

const MASK: u8 = 0x80;
/// What is looked for: whoever frees memory, or uses a part of it again, writes over its beginning.
const MIDDLE: std::ops::Range<usize> = 80..112;

impl Planted {
    fn new() -> Self {
        let mut chances = std::iter::repeat_with(uuid::Uuid::new_v4).flat_map(uuid::Uuid::into_bytes);
        Self([0; 192].map(|_: u8| (b'a' + chances.next().unwrap() % 26) | MASK))
    }

    /// The text, in memory that is overwritten when it goes away.
    fn token(&self) -> Secret {
        let mut text = String::with_capacity(self.0.len() * 2);
        text.extend(self.0.iter().map(|byte| char::from(byte & !MASK)));
        Secret::new(text)
    }

    fn is_at(&self, memory: &[u8]) -> bool {
        let middle = &self.0[MIDDLE];
        memory.len() >= middle.len()
            && middle
                .iter()
                .zip(memory)
                .all(|(planted, byte)| planted & !MASK == *byte)
    }
}

/// Which of the planted texts are somewhere in the memory that the process can write to.
fn found(planted: &[Planted]) -> Vec<usize> {
    const PIECE: usize = 1 << 16;
    const OVERLAP: usize = 64;
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
    let memory = File::open("/proc/self/mem").unwrap();
    let mut buffer = vec![0; PIECE + OVERLAP];
    let mut found = Vec::new();
    for line in maps
        .lines()
        .filter(|line| line.split(' ').nth(1).unwrap().starts_with("rw"))
    {
        let (start, end) = line.split(' ').next().unwrap().split_once('-').unwrap();
        let (start, end) = (address(start), address(end));
        for at in (start..end).step_by(PIECE) {
            // Of a mapping that is gone by now, or has a page that cannot be read, there is nothing to see.
            let length = usize::try_from(end - at).unwrap().min(buffer.len());
            let Ok(read) = memory.read_at(&mut buffer[..length], at) else {
                continue;
            };
            for (which, text) in planted.iter().enumerate() {
                let first = text.0[MIDDLE.start] & !MASK;
                let mut rest = &buffer[..read];
                while let Some(next) = rest.iter().position(|byte| *byte == first) {
                    if text.is_at(&rest[next..]) && !found.contains(&which) {
                        found.push(which);
                    }
                    rest = &rest[next + 1..];
                }
            }
            buffer.fill(0);
        }
    }
    found.sort_unstable();
    found
}

fn address(text: &str) -> u64 {
    u64::from_str_radix(text, 16).unwrap()
}

/// Gives the planted tokens, two at a time: an access token and a refresh token.
struct Bank {
    planted: Vec<Planted>,
    given: AtomicUsize,
}

impl Bank {
    fn reply(&self) -> TokenReply {
        let given = self.given.fetch_add(2, Ordering::SeqCst);
        let mut reply = TokenReply::new(self.planted[given].token());
        reply.refresh_token = Some(self.planted[given + 1].token());
        reply
    }
}

impl Issuer for Bank {
    fn obtain(&self, _: Obtain) -> BoxFuture<'_, Result<TokenReply, IssuerError>> {
        Box::pin(async { Ok(self.reply()) })
    }

    fn revoke(&self, _: RevokeRequest) -> BoxFuture<'_, Result<bool, IssuerError>> {
        Box::pin(async { Ok(true) })
    }
}

fn handle(bank: &Arc<Bank>, subject: &str) -> TokenHandle {
    let key = TokenKey::new("mx", "client", GrantKind::AuthorizationCode).subject(subject);
    TokenHandle::builder(key, Arc::clone(bank) as Arc<dyn Issuer>, Renewal::Refresh).build()
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap()
}

#[test]
fn a_forgotten_grant_leaves_no_token_in_memory() {
    let planted: Vec<Planted> = std::iter::repeat_with(Planted::new).take(6).collect();
    let bank = Arc::new(Bank {
        planted: planted.clone(),
        given: AtomicUsize::new(0),
    });
    let (here, other) = (runtime(), handle(&bank, "other"));
    here.block_on(other.adopt(TokenReply::new("of-another-grant"))).unwrap();
    let forgotten = handle(&bank, "forgotten");
    here.block_on(forgotten.adopt(bank.reply())).unwrap();

    // A thread that serves calls, for as long as the process lives.
    let (ask, asked) = channel::<TokenHandle>();
    let (tell, told) = channel();
    let server = std::thread::spawn(move || {
        for handle in asked {
            // The second look is at the thread's own copy.
            let looks = [handle.header(), handle.header(), handle.header()];
            let seen = looks.iter().all(Option::is_some);
            drop((looks, handle));
            tell.send(seen).unwrap();
        }
    });
    let serve = |handle: &TokenHandle| {
        ask.send(handle.clone()).unwrap();
        assert!(told.recv().unwrap());
    };
    // Tokens come and go: the first ones are refused, and so are the next.
    for _ in 0..2 {
        let bearer = forgotten.header().unwrap();
        assert!(forgotten.header().is_some() && forgotten.header().is_some());
        serve(&forgotten);
        here.block_on(async {
            // Young tokens that are refused in a row are left alone for a while.
            let _ = forgotten.rejected(bearer.generation, Rejection::InvalidToken).await;
        });
    }
    serve(&forgotten);
    assert_eq!(bank.given.load(Ordering::SeqCst), 4);
    let alive = found(&planted);
    assert!(
        alive.contains(&2) && alive.contains(&3),
        "what is looked for is found: {alive:?}"
    );
    assert!(
        !alive.contains(&4) && !alive.contains(&5),
        "and nothing else is: {alive:?}"
    );

    here.block_on(forgotten.forget()).unwrap();
    assert!(forgotten.header().is_none());
    drop(forgotten);
    serve(&other);
    assert_eq!(found(&planted), [0; 0]);

    // What was never forgotten, and only dropped.
    let dropped = handle(&bank, "dropped");
    here.block_on(dropped.adopt(bank.reply())).unwrap();
    serve(&dropped);
    assert!(found(&planted).contains(&4));
    drop(dropped);
    serve(&other);
    drop(here);
    assert_eq!(found(&planted), [0; 0]);
    drop(ask);
    server.join().unwrap();
}
