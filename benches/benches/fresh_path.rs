//! The same ways as in the table, with divan: medians, spread and allocations at 1, 2, 4 and 16 threads.

#[path = "../src/ways.rs"]
mod ways;

use std::cell::Cell;
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use divan::{AllocProfiler, Bencher};
use finrail::token::TokenHandle;
use http::HeaderValue;
use ways::{Bench, HandWritten, Once, TOKEN};

#[global_allocator]
static ALLOCATOR: AllocProfiler = AllocProfiler::system();

const THREADS: [usize; 4] = [1, 2, 4, 16];
const HOUR: Duration = Duration::from_secs(3600);

static RUNTIME: LazyLock<tokio::runtime::Runtime> = LazyLock::new(|| {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap()
});
static CALM: LazyLock<TokenHandle> = LazyLock::new(|| ways::handle(&RUNTIME, &Bench::new(HOUR, false)));
static REFRESHING: LazyLock<TokenHandle> = LazyLock::new(|| ways::refreshing(&RUNTIME));

fn main() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    divan::main();
}

/// Waits for a future that is ready, on a thread that knows of a runtime.
fn ready<T>(future: impl Future<Output = T>) -> T {
    thread_local! {
        static INSIDE: Cell<bool> = const { Cell::new(false) };
    }
    if !INSIDE.replace(true) {
        // For as long as the thread lives: at its end there is nothing left that a guard could leave in order.
        std::mem::forget(RUNTIME.enter());
    }
    pollster::block_on(future)
}

#[divan::bench(threads = THREADS)]
fn a_floor_arc_swap(bencher: Bencher<'_, '_>) {
    let shared = ArcSwap::from_pointee(HeaderValue::from_str(&format!("Bearer {TOKEN}")).unwrap());
    bencher.bench(|| HeaderValue::clone(&shared.load()));
}

#[divan::bench(threads = THREADS)]
fn b_finrail(bencher: Bencher<'_, '_>) {
    bencher.bench(|| CALM.header());
}

#[divan::bench(threads = THREADS)]
fn c_finrail_during_a_refresh(bencher: Bencher<'_, '_>) {
    LazyLock::force(&REFRESHING);
    bencher.bench(|| REFRESHING.header());
}

#[divan::bench(threads = THREADS)]
fn d_mutex_over_oauth2(bencher: Bencher<'_, '_>) {
    let cached = (oauth2::AccessToken::new(TOKEN.to_owned()), Instant::now() + HOUR);
    let by_hand = HandWritten(tokio::sync::Mutex::new(cached));
    bencher.bench(|| ready(by_hand.header()));
}

#[divan::bench(threads = THREADS)]
fn e_huskarl(bencher: Bencher<'_, '_>) {
    let cache = huskarl::cache::InMemoryTokenCache::builder().source(Once).build();
    let authorizer = huskarl::authorizer::HttpAuthorizer::builder().cache(cache).build();
    let uri: http::Uri = "https://api.example.com/accounts".parse().unwrap();
    bencher.bench(|| ready(authorizer.get_headers(&http::Method::GET, &uri)).unwrap());
}

#[divan::bench(threads = THREADS)]
fn f_yup_oauth2(bencher: Bencher<'_, '_>) {
    let authenticator: Arc<_> = RUNTIME.block_on(ways::yup());
    bencher.bench(|| {
        let token = ready(authenticator.token(&["a"])).unwrap();
        HeaderValue::try_from(format!("Bearer {}", token.token().unwrap())).unwrap()
    });
}
