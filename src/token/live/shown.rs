//! What calls see of a grant: each thread's own copy of it, or the shared value.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::cell::{Cell, Copied};
use super::snapshot::{Ready, Snapshot};
use crate::token::machine::Horizon;
use crate::token::source::Bearer;
use crate::value::{ScopeSet, copied};

/// The present snapshot of one grant.
pub(crate) struct Shown {
    /// Which grant this is, for the copies of threads.
    number: u64,
    cell: Cell<Snapshot>,
    /// How often the snapshot was replaced: a copy from before that is of no use any more, and holds a token.
    replaced: Arc<AtomicU64>,
}

impl Shown {
    pub fn new() -> Self {
        Self {
            number: next_number(),
            cell: Cell::new(),
            replaced: Arc::default(),
        }
    }

    /// Replaces what all threads see. Their copies of what was there before go away: this thread's now, that of another
    /// one when it looks at any grant next, or ends.
    pub fn replace(&self, snapshot: Option<Arc<Snapshot>>) {
        self.cell.replace(snapshot);
        self.outdate_copies();
    }

    fn outdate_copies(&self) {
        self.replaced.fetch_add(1, Ordering::Release);
        REPLACED.fetch_add(1, Ordering::Release);
        let _ = PLACES.try_with(|places| {
            if let Ok(mut places) = places.try_borrow_mut() {
                places.tidy();
            }
        });
    }

    /// Makes all threads look again at a snapshot that has changed inside.
    pub fn touch(&self) {
        self.cell.touch();
    }

    pub fn load(&self) -> Option<Arc<Snapshot>> {
        self.cell.load()
    }

    /// What a call needs; none: there is no token that could be served. Lock-free, and without an allocation unless
    /// the token is new.
    ///
    /// A grant gets its place among the thread's copies at the second look in a row: a thread that serves more
    /// grants than it has places for looks at the shared value, and does not copy all the time.
    pub fn see(&self) -> Option<Seen> {
        let own = PLACES.try_with(|places| {
            let mut places = places.try_borrow_mut().ok()?;
            places.tidy();
            let place = &mut places.all[usize::try_from(self.number).unwrap_or(0) % THREAD_COPIES];
            if place.grant != self.number {
                *place = Place {
                    grant: self.number,
                    ..Place::EMPTY
                };
                return None;
            }
            // Read before the snapshot is: whatever is replaced from here on outdates the copy.
            place.as_of = self.replaced.load(Ordering::Acquire);
            if place.replaced.is_none() {
                place.replaced = Some(Arc::clone(&self.replaced));
            }
            Some(self.cell.read(&mut place.copied, OwnCopy::of).map(Rc::clone))
        });
        match own {
            Ok(Some(own)) => own.map(Seen::Own),
            // No copy yet, or the thread is ending.
            _ => self.cell.load().map(Seen::Shared),
        }
    }
}

impl Drop for Shown {
    fn drop(&mut self) {
        self.outdate_copies();
    }
}

/// A look at a grant. What is taken from it is taken last: a value that is moved on costs as much as one that is cloned.
pub(crate) enum Seen {
    Own(Rc<OwnCopy>),
    Shared(Arc<Snapshot>),
}

impl Seen {
    /// None: there is no token that could be served.
    pub fn ready(&self) -> Option<Ready<'_>> {
        match self {
            Self::Own(own) => Some(own.ready()),
            Self::Shared(snapshot) => snapshot.ready(),
        }
    }
}

/// How many grants a thread keeps copies of at a time.
const THREAD_COPIES: usize = 16;

/// A thread's place for the copy of one grant.
struct Place {
    /// The number of the grant that was looked at here last.
    grant: u64,
    copied: Copied<Rc<OwnCopy>>,
    /// How often the grant's snapshot was replaced.
    replaced: Option<Arc<AtomicU64>>,
    /// How often it was when the copy was looked at last.
    as_of: u64,
}

impl Place {
    const EMPTY: Self = Self {
        grant: 0,
        copied: Copied::NONE,
        replaced: None,
        as_of: 0,
    };

    fn is_outdated(&self) -> bool {
        let replaced = self.replaced.as_ref();
        replaced.is_some_and(|replaced| replaced.load(Ordering::Acquire) != self.as_of)
    }
}

/// How often the snapshot of any grant was replaced.
static REPLACED: AtomicU64 = AtomicU64::new(0);

/// A thread's places.
struct Places {
    all: [Place; THREAD_COPIES],
    /// How often anything had been replaced when they were tidied last.
    as_of: u64,
}

impl Places {
    /// Lets go of copies that are of no use any more: no thread that serves other grants keeps tokens of a grant that is
    /// over.
    fn tidy(&mut self) {
        let now = REPLACED.load(Ordering::Acquire);
        if self.as_of == now {
            return;
        }
        self.as_of = now;
        for place in &mut self.all {
            if place.is_outdated() {
                place.copied = Copied::NONE;
            }
        }
    }
}

thread_local! {
    /// Each thread's own copies, by the number of the handle. A copy goes away when its place is needed.
    static PLACES: RefCell<Places> = const {
        RefCell::new(Places {
            all: [Place::EMPTY; THREAD_COPIES],
            as_of: 0,
        })
    };
}

/// Never 0, which is the number of an empty place.
fn next_number() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// What a call needs, as one thread's own: not even a reference count is shared with other threads.
pub(crate) struct OwnCopy {
    bearer: Bearer,
    horizon: Option<Horizon>,
    scopes: Arc<ScopeSet>,
}

impl OwnCopy {
    fn of(snapshot: &Snapshot) -> Option<Rc<Self>> {
        let shared = snapshot.ready()?;
        let header = copied(&shared.bearer.header).ok()?;
        Some(Rc::new(Self {
            bearer: Bearer {
                header,
                generation: shared.bearer.generation,
            },
            horizon: shared.horizon.copied(),
            scopes: Arc::clone(shared.scopes),
        }))
    }

    fn ready(&self) -> Ready<'_> {
        Ready {
            bearer: &self.bearer,
            horizon: self.horizon.as_ref(),
            scopes: &self.scopes,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]

    use super::*;
    use crate::token::clock::Now;
    use crate::token::record::Versioned;
    use crate::token::{GrantKind, ManualClock, Record, Rotation, TokenKey, TokenReply, TokenSet};

    fn showing(access_token: &str) -> Shown {
        let shown = Shown::new();
        shown.replace(Some(snapshot(access_token)));
        shown
    }

    fn snapshot(access_token: &str) -> Arc<Snapshot> {
        let now = Now::read(&ManualClock::new());
        let reply = TokenReply::new(access_token.to_owned());
        let tokens = TokenSet::first(reply, &ScopeSet::new(), now.wall, &Rotation::UNKNOWN);
        let key = TokenKey::new("mx", "client", GrantKind::AuthorizationCode);
        let record = Record::alive(key, tokens);
        Arc::new(Snapshot::of(Versioned { revision: 1, record }, None, now))
    }

    fn token(seen: &Seen) -> String {
        let bearer = seen.ready().unwrap().bearer;
        bearer.header.to_str().unwrap().replace("Bearer ", "")
    }

    #[test]
    fn a_thread_takes_no_grants_token_for_anothers_however_many_it_serves() {
        // Many times as many as a thread has places, in turn and each twice in a row.
        let names: Vec<_> = (0..THREAD_COPIES * 20)
            .map(|number| format!("access-{number}"))
            .collect();
        let grants: Vec<_> = names.iter().map(|name| showing(name)).collect();
        for _ in 0..2 {
            for (grant, name) in grants.iter().zip(&names) {
                assert_eq!(token(&grant.see().unwrap()), *name);
                assert_eq!(token(&grant.see().unwrap()), *name);
            }
        }
    }

    #[test]
    fn the_second_look_in_a_row_is_at_the_threads_own_copy_until_another_grant_needs_its_place() {
        let first = showing("access-1");
        // Other tests make grants meanwhile.
        let another = |same_place: bool| {
            let place = |grant: &Shown| grant.number % THREAD_COPIES as u64;
            let mut others = std::iter::repeat_with(|| showing("access-2"));
            others
                .find(|other| (place(other) == place(&first)) == same_place)
                .unwrap()
        };
        let (neighbour, rival) = (another(false), another(true));
        let own = |grant: &Shown| matches!(grant.see(), Some(Seen::Own(_)));
        assert!(!own(&first));
        assert!(own(&first) && own(&first));
        assert!(!own(&neighbour));
        assert!(own(&neighbour) && own(&first));
        assert!(!own(&rival));
        assert!(!own(&first));
        assert!(own(&first));
    }

    #[test]
    fn what_is_replaced_or_refused_is_seen_at_the_next_look() {
        let shown = Shown::new();
        assert!(shown.see().is_none() && shown.see().is_none() && shown.load().is_none());
        shown.replace(Some(snapshot("access-1")));
        assert_eq!(token(&shown.see().unwrap()), "access-1");
        let second = snapshot("access-2");
        shown.replace(Some(Arc::clone(&second)));
        assert_eq!(token(&shown.see().unwrap()), "access-2");
        second.refuse(crate::token::Rejection::InvalidToken);
        shown.touch();
        assert!(shown.see().is_none_or(|seen| seen.ready().is_none()));
        shown.replace(None);
        assert!(shown.see().is_none());
    }

    #[test]
    fn a_thread_lets_go_of_copies_that_are_of_no_use_any_more_and_of_no_others() {
        let grant = showing("access-1");
        // Other tests make grants meanwhile.
        let place = |grant: &Shown| grant.number % THREAD_COPIES as u64;
        let other = std::iter::repeat_with(|| showing("access-2")).find(|other| place(other) != place(&grant));
        let other = other.unwrap();
        let own = |grant: &Shown| {
            grant.see();
            match grant.see() {
                Some(Seen::Own(own)) => own,
                _ => panic!("the second look is at the own copy"),
            }
        };
        // This one, and that of the thread.
        let copy = own(&grant);
        other.replace(Some(snapshot("access-3")));
        other.see();
        assert_eq!(Rc::strong_count(&copy), 2);
        // Another thread cannot reach this one's copies: they go at the next look, whatever it is at.
        std::thread::scope(|scope| {
            scope.spawn(|| grant.replace(Some(snapshot("access-4"))));
        });
        assert_eq!(Rc::strong_count(&copy), 2);
        other.see();
        assert_eq!(Rc::strong_count(&copy), 1);
        // This thread's go at once.
        let copy = own(&grant);
        assert_eq!(Rc::strong_count(&copy), 2);
        grant.replace(Some(snapshot("access-5")));
        assert_eq!(Rc::strong_count(&copy), 1);
        let copy = own(&grant);
        assert_eq!(Rc::strong_count(&copy), 2);
        drop(grant);
        assert_eq!(Rc::strong_count(&copy), 1);
    }
}
