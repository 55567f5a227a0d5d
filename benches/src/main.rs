//! The way from "there is a fresh token" to "there is a header", beside the ways of others; prints the table of the README.

mod ways;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::future::Future;
use std::hint::black_box;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Barrier};
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use finrail::token::store::{FileStore, MemoryStore};
use finrail::token::{Issuer, Renewal, TokenHandle, TokenStore};
use http::HeaderValue;
use ways::{Bench, HandWritten, Once, TOKEN, handle, key, refreshing, yup};

// ---- allocations, counted per thread ----

struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}
static LIVE: AtomicI64 = AtomicI64::new(0);
static TRACK: std::sync::atomic::AtomicBool = std::sync::atomic::AtomicBool::new(false);

// SAFETY: every call goes to the system allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let _ = ALLOCATIONS.try_with(|count| count.set(count.get() + 1));
        if TRACK.load(Ordering::Relaxed) {
            LIVE.fetch_add(layout.size() as i64, Ordering::Relaxed);
        }
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        if TRACK.load(Ordering::Relaxed) {
            LIVE.fetch_sub(layout.size() as i64, Ordering::Relaxed);
        }
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn allocations() -> u64 {
    ALLOCATIONS.with(Cell::get)
}

// ---- measuring ----

const THREADS: [usize; 4] = [1, 2, 4, 16];
/// Many short runs: the best of them fell between the other things that the machine had to do.
const RUNS: usize = 100;
const CALLS: u32 = 20_000;

struct Row {
    name: &'static str,
    nanos: Vec<f64>,
    allocations: f64,
}

/// Runs `call` on so many threads at once. Nanoseconds of processor time per call; the best of some runs, because the
/// machine has other things to do. Threads beyond the number of processors take turns, and are charged for their turn.
fn measure<C, F, Fut>(name: &'static str, make: F) -> Row
where
    C: Send + 'static,
    F: Fn() -> C,
    C: Fn() -> Fut,
    Fut: Future<Output = ()>,
{
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let mut allocated = 0.0;
    let nanos = THREADS
        .iter()
        .map(|&threads| {
            let calls = CALLS / u32::try_from(threads).unwrap().min(4);
            let mut best = f64::MAX;
            for _ in 0..RUNS {
                let barrier = Arc::new(Barrier::new(threads));
                let workers: Vec<_> = (0..threads)
                    .map(|_| {
                        let (call, barrier) = (make(), Arc::clone(&barrier));
                        std::thread::spawn(move || {
                            let runtime = tokio::runtime::Builder::new_current_thread()
                                .enable_all()
                                .build()
                                .unwrap();
                            runtime.block_on(async {
                                for _ in 0..100 {
                                    call().await;
                                }
                                barrier.wait();
                                let (before, started) = (allocations(), Instant::now());
                                for _ in 0..calls {
                                    call().await;
                                }
                                let ended = Instant::now();
                                (started, ended, (allocations() - before) as f64 / f64::from(calls))
                            })
                        })
                    })
                    .collect();
                let done: Vec<_> = workers.into_iter().map(|worker| worker.join().unwrap()).collect();
                let started = done.iter().map(|done| done.0).min().unwrap();
                let ended = done.iter().map(|done| done.1).max().unwrap();
                let elapsed = ended.duration_since(started).as_nanos() as f64;
                best = best.min(elapsed * threads.min(processors) as f64 / (f64::from(calls) * threads as f64));
                if threads == 1 {
                    allocated = done[0].2;
                }
            }
            best
        })
        .collect();
    Row {
        name,
        nanos,
        allocations: allocated,
    }
}

fn fresh_path() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    let hour = Duration::from_secs(3600);
    let mut rows = Vec::new();

    let shared = Arc::new(ArcSwap::from_pointee(
        HeaderValue::from_str(&format!("Bearer {TOKEN}")).unwrap(),
    ));
    rows.push(measure("bare `ArcSwap<HeaderValue>` (the floor)", || {
        let shared = Arc::clone(&shared);
        move || {
            black_box(HeaderValue::clone(&shared.load()));
            std::future::ready(())
        }
    }));

    let calm = handle(&runtime, &Bench::new(hour, false));
    rows.push(measure("**finrail** `TokenHandle::header`", || {
        let handle = calm.clone();
        move || {
            black_box(handle.header().unwrap());
            std::future::ready(())
        }
    }));

    let refreshing = refreshing(&runtime);
    let during = || {
        let handle = refreshing.clone();
        move || {
            black_box(handle.header().unwrap());
            std::future::ready(())
        }
    };
    rows.push(measure("**finrail**, while a refresh is under way", during));

    if std::env::args().any(|argument| argument == "--floor-only") {
        return table(&rows);
    }
    let by_hand = Arc::new(HandWritten(tokio::sync::Mutex::new((
        oauth2::AccessToken::new(TOKEN.to_owned()),
        Instant::now() + hour,
    ))));
    rows.push(measure("a mutex over `oauth2`, by hand", || {
        let by_hand = Arc::clone(&by_hand);
        move || {
            let by_hand = Arc::clone(&by_hand);
            async move {
                black_box(by_hand.header().await);
            }
        }
    }));

    let cache = huskarl::cache::InMemoryTokenCache::builder().source(Once).build();
    let authorizer = Arc::new(huskarl::authorizer::HttpAuthorizer::builder().cache(cache).build());
    let uri: http::Uri = "https://api.example.com/accounts".parse().unwrap();
    rows.push(measure("huskarl `HttpAuthorizer::get_headers`", || {
        let (authorizer, uri) = (Arc::clone(&authorizer), uri.clone());
        move || {
            let (authorizer, uri) = (Arc::clone(&authorizer), uri.clone());
            async move {
                black_box(authorizer.get_headers(&http::Method::GET, &uri).await.unwrap());
            }
        }
    }));

    let authenticator = runtime.block_on(yup());
    rows.push(measure("yup-oauth2 `token`, and a header of it", || {
        let authenticator = Arc::clone(&authenticator);
        move || {
            let authenticator = Arc::clone(&authenticator);
            async move {
                let token = authenticator.token(&["a"]).await.unwrap();
                black_box(HeaderValue::try_from(format!("Bearer {}", token.token().unwrap())).unwrap());
            }
        }
    }));

    table(&rows);
}

fn table(rows: &[Row]) {
    println!("\n| fresh path, ns per call | 1 thread | 2 | 4 | 16 | allocations |");
    println!("|---|---:|---:|---:|---:|---:|");
    let floor = rows[0].nanos.clone();
    for row in rows {
        print!("| {} |", row.name);
        for (nanos, floor) in row.nanos.iter().zip(&floor) {
            print!(" {nanos:.0} ({:.1}x) |", nanos / floor);
        }
        println!(" {:.0} |", row.allocations);
    }
}

fn herd() -> (usize, Duration) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    let issuer = Bench::new(Duration::from_millis(1), false);
    let handle = handle(&runtime, &issuer);
    std::thread::sleep(Duration::from_millis(5));
    let started = Instant::now();
    runtime.block_on(async {
        let callers: Vec<_> = (0..1000)
            .map(|_| {
                let handle = handle.clone();
                tokio::spawn(async move { handle.fresh().await.unwrap() })
            })
            .collect();
        for caller in callers {
            caller.await.unwrap();
        }
    });
    (issuer.requests.load(Ordering::Relaxed), started.elapsed())
}

fn idle() -> (i64, usize) {
    const CONNECTIONS: usize = 10_000;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let issuer = Bench::new(Duration::from_secs(3600), false);
    let store: Arc<dyn TokenStore> = Arc::new(MemoryStore::new());
    let make = |subject| {
        TokenHandle::builder(key(subject), Arc::clone(&issuer) as Arc<dyn Issuer>, Renewal::Refresh)
            .store(Arc::clone(&store))
            .build()
    };
    // The records are the store's: here they are there already.
    runtime.block_on(async {
        for subject in 0..CONNECTIONS {
            make(subject).adopt(issuer.reply()).await.unwrap();
        }
    });
    let mut handles = Vec::with_capacity(CONNECTIONS);
    LIVE.store(0, Ordering::Relaxed);
    TRACK.store(true, Ordering::Relaxed);
    runtime.block_on(async {
        for subject in 0..CONNECTIONS {
            let handle = make(subject);
            handle.load().await.unwrap();
            handles.push(handle);
        }
    });
    TRACK.store(false, Ordering::Relaxed);
    let bytes = LIVE.load(Ordering::Relaxed) / CONNECTIONS as i64;
    (bytes, runtime.metrics().num_alive_tasks())
}

fn opening() -> (Duration, Duration) {
    let directory = std::env::temp_dir().join(format!("finrail-bench-{}", std::process::id()));
    drop(FileStore::open(&directory).unwrap());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let issuer = Bench::new(Duration::from_secs(3600), false);
    let files = FileStore::open(&directory).unwrap();
    let records = files.directory().to_owned();
    let store: Arc<dyn TokenStore> = Arc::new(files);
    let handle = |store: &Arc<dyn TokenStore>| {
        TokenHandle::builder(key(7), Arc::clone(&issuer) as Arc<dyn Issuer>, Renewal::Refresh)
            .store(Arc::clone(store))
            .build()
    };
    runtime.block_on(handle(&store).adopt(issuer.reply())).unwrap();
    let record = std::fs::read(records.join(format!("{}.token", key(7).storage_id()))).unwrap();
    for other in 0..100_000 {
        std::fs::write(records.join(format!("mx-{other:032x}.token")), &record).unwrap();
    }
    let started = Instant::now();
    let store: Arc<dyn TokenStore> = Arc::new(FileStore::open(&directory).unwrap());
    let opened = started.elapsed();
    let started = Instant::now();
    runtime.block_on(handle(&store).load()).unwrap().unwrap();
    let found = started.elapsed();
    std::fs::remove_dir_all(&directory).unwrap();
    (opened, found)
}

fn main() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    fresh_path();
    if std::env::args().any(|argument| argument == "--floor-only") {
        return;
    }
    let (requests, elapsed) = herd();
    let (bytes, tasks) = idle();
    let (opened, found) = opening();
    println!("\n| beside the fresh path | |");
    println!("|---|---:|");
    println!("| 1,000 callers at expiry: requests | {requests} |");
    println!(
        "| ... until all of them have a header, the reply taking 20 ms | {:.1} ms |",
        elapsed.as_secs_f64() * 1e3
    );
    println!("| memory per idle connection, with its tokens | {bytes} bytes |");
    println!("| tasks and timers of 10,000 idle connections | {tasks} |");
    println!(
        "| opening a file store with 100,000 records | {:.1} ms |",
        opened.as_secs_f64() * 1e3
    );
    println!("| finding one grant among them | {:.2} ms |", found.as_secs_f64() * 1e3);
}
