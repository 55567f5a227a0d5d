//! A walk through the records of a store.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;

use super::record::Versioned;
use super::store::{Listed, ListedRecord, Stage, in_time};
use super::{Record, StoreError, TokenStore};

/// A walk through the records of a store whose ids begin alike. Each of them is given once.
pub(crate) struct Walk {
    store: Arc<dyn TokenStore>,
    ids: String,
    read: VecDeque<ListedRecord>,
    after: Option<String>,
    /// The store has no more.
    is_over: bool,
    /// Hashes of the ids that were given: some stores give one twice.
    given: HashSet<u64>,
    /// The store has said that it removes nothing.
    keeps_all: bool,
}

impl Walk {
    pub fn new(store: Arc<dyn TokenStore>, ids: String) -> Self {
        Self {
            store,
            ids,
            read: VecDeque::new(),
            after: None,
            is_over: false,
            given: HashSet::new(),
            keeps_all: false,
        }
    }

    /// The next record. An error of the store ends the walk; one of a single record does not.
    pub async fn next(&mut self) -> Option<Result<ListedRecord, StoreError>> {
        loop {
            while let Some(listed) = self.read.pop_front() {
                if self.given.insert(hash(&listed.id)) {
                    return Some(Ok(listed));
                }
            }
            if self.is_over {
                return None;
            }
            match self.step().await {
                Ok(Listed { records, next }) => {
                    self.read.extend(records);
                    self.is_over = next.is_none();
                    self.after = next;
                }
                Err(error) => {
                    self.is_over = true;
                    return Some(Err(error));
                }
            }
        }
    }

    /// Removes a record that this walk gave, unless it changed since or somebody works on it. The walk goes on after an
    /// error. A store that does not remove at all ([`StoreError::Unsupported`]) says so once, and is asked no more.
    pub async fn remove(&mut self, id: &str, revision: u64) -> Result<bool, StoreError> {
        if self.keeps_all {
            return Ok(false);
        }
        let store = &*self.store;
        let removed = in_time(store, "remove a record", store.remove(id, revision)).await;
        self.keeps_all = matches!(removed, Err(StoreError::Unsupported { .. }));
        removed
    }

    /// In its turn: a walk holds up no refresh.
    async fn step(&self) -> Result<Listed, StoreError> {
        let turn = match self.store.admission() {
            Some(admission) => Some(admission.turn(Stage::Look, |_| {}).await?),
            None => None,
        };
        let listed = self.store.list(&self.ids, self.after.as_deref());
        let listed = in_time(&*self.store, "list its records", listed).await;
        if let Some(turn) = turn.filter(|_| listed.is_ok()) {
            turn.answered();
        }
        listed
    }
}

fn hash(id: &str) -> u64 {
    use std::hash::{BuildHasher as _, BuildHasherDefault, DefaultHasher};
    BuildHasherDefault::<DefaultHasher>::default().hash_one(id)
}

/// The record of a grant as a walk found it.
pub(crate) fn read(listed: ListedRecord, store: &dyn TokenStore) -> Result<Versioned, StoreError> {
    let ListedRecord { id, record } = listed;
    let stored = record?;
    let record = Record::decode(&stored.bytes).map_err(|error| match error.is_damage() {
        true => StoreError::damaged_record(error, stored.clone()).of(store),
        false => StoreError::from(error).of(store),
    })?;
    if record.pseudonym.is_none() && record.key.storage_id() != id {
        return Err(StoreError::corrupt("the record belongs to another key").of(store));
    }
    Ok(Versioned {
        revision: stored.revision,
        record,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]

    use std::future::{pending, ready};
    use std::sync::Mutex;
    use std::time::Duration;

    use futures_util::future::BoxFuture;

    use super::*;
    use crate::token::clock::Now;
    use crate::token::store::{Lease, Leased, StoredRecord, Swap, Swapped};
    use crate::token::{GrantKind, ManualClock, Rotation, TokenKey, TokenReply, TokenSet};
    use crate::value::ScopeSet;

    /// A store that gives these steps of a walk, one after the other, and has removed what is asked for or not.
    struct Steps {
        steps: Mutex<VecDeque<Result<Listed, StoreError>>>,
        asked: Mutex<Vec<(String, Option<String>)>>,
        removed: Mutex<VecDeque<bool>>,
    }

    impl Steps {
        fn new(steps: impl IntoIterator<Item = Result<Listed, StoreError>>) -> Arc<Self> {
            Arc::new(Self {
                steps: Mutex::new(steps.into_iter().collect()),
                asked: Mutex::default(),
                removed: Mutex::new(VecDeque::from([true, false])),
            })
        }
    }

    impl TokenStore for Steps {
        fn load<'a>(&'a self, _: &'a TokenKey) -> BoxFuture<'a, Result<Option<StoredRecord>, StoreError>> {
            Box::pin(pending())
        }
        fn swap<'a>(&'a self, _: &'a TokenKey, _: Swap) -> BoxFuture<'a, Result<Swapped, StoreError>> {
            Box::pin(pending())
        }
        fn lease<'a>(&'a self, _: &'a TokenKey, _: &'a str, _: Duration) -> BoxFuture<'a, Result<Leased, StoreError>> {
            Box::pin(pending())
        }
        fn release<'a>(&'a self, _: &'a TokenKey, _: Lease) -> BoxFuture<'a, Result<(), StoreError>> {
            Box::pin(pending())
        }
        fn list<'a>(&'a self, ids: &'a str, after: Option<&'a str>) -> BoxFuture<'a, Result<Listed, StoreError>> {
            let asked = (ids.to_owned(), after.map(str::to_owned));
            self.asked.lock().unwrap().push(asked);
            Box::pin(ready(self.steps.lock().unwrap().pop_front().unwrap()))
        }
        fn remove<'a>(&'a self, _: &'a str, _: u64) -> BoxFuture<'a, Result<bool, StoreError>> {
            Box::pin(ready(Ok(self.removed.lock().unwrap().pop_front().unwrap())))
        }
    }

    fn key(subject: &str) -> TokenKey {
        TokenKey::new("mx", "client", GrantKind::AuthorizationCode).subject(subject)
    }

    fn record(subject: &str) -> Record {
        let now = Now::read(&ManualClock::new());
        let reply = TokenReply::new("access-1");
        let tokens = TokenSet::first(reply, &ScopeSet::new(), now.wall, &Rotation::UNKNOWN);
        Record::alive(key(subject), tokens)
    }

    fn listed(id: &str, bytes: impl Into<crate::token::store::RecordBytes>) -> ListedRecord {
        ListedRecord {
            id: id.to_owned(),
            record: Ok(StoredRecord::new(5, bytes)),
        }
    }

    fn step(ids: &[&str], next: Option<&str>) -> Result<Listed, StoreError> {
        let records = ids.iter().map(|id| listed(id, Vec::new())).collect();
        Ok(Listed::new(records, next.map(str::to_owned)))
    }

    async fn walked(walk: &mut Walk) -> Vec<String> {
        let mut ids = Vec::new();
        while let Some(given) = walk.next().await {
            ids.push(given.map_or_else(|_| "an error".to_owned(), |listed| listed.id));
        }
        ids
    }

    #[tokio::test]
    async fn a_walk_goes_from_step_to_step_and_gives_every_record_once() {
        let store = Steps::new([
            step(&["a", "b"], Some("b")),
            step(&[], Some("b, and more")),
            step(&["b", "c", "a"], Some("c")),
            step(&["d"], None),
        ]);
        let mut walk = Walk::new(Arc::clone(&store) as Arc<dyn TokenStore>, "ids".to_owned());
        assert_eq!(walked(&mut walk).await, ["a", "b", "c", "d"]);
        assert!(walk.next().await.is_none(), "it is over");
        let asked = [None, Some("b"), Some("b, and more"), Some("c")];
        let asked = asked.map(|after| ("ids".to_owned(), after.map(str::to_owned)));
        assert_eq!(*store.asked.lock().unwrap(), asked);
    }

    #[tokio::test]
    async fn an_error_of_the_store_ends_a_walk_and_one_of_a_record_does_not() {
        let out = || StoreError::unavailable("list its records", "it is out");
        let unreadable = ListedRecord {
            id: "b".to_owned(),
            record: Err(out()),
        };
        let first = Listed::new(vec![listed("a", Vec::new()), unreadable], Some("b".to_owned()));
        let store = Steps::new([Ok(first), Err(out())]);
        let mut walk = Walk::new(store, String::new());
        assert_eq!(walked(&mut walk).await, ["a", "b", "an error"]);
        assert!(walk.next().await.is_none());
    }

    #[tokio::test]
    async fn a_walk_says_whether_a_record_was_removed() {
        let mut walk = Walk::new(Steps::new([]), String::new());
        assert!(walk.remove("a", 5).await.unwrap());
        assert!(!walk.remove("a", 5).await.unwrap());
    }

    #[test]
    fn a_record_of_a_walk_is_of_the_key_that_it_is_under_unless_it_does_not_say_whose_it_is() {
        let store = Steps::new([]);
        let (jo, kim) = (key("jo").storage_id(), key("kim").storage_id());
        let found = read(listed(&jo, record("jo").encode()), &*store).unwrap();
        assert_eq!((found.revision, found.record.key), (5, key("jo")));
        let Err(StoreError::Corrupt { damage: None, .. }) = read(listed(&kim, record("jo").encode()), &*store) else {
            panic!("the record of another key");
        };
        let nobodys = record("jo").without_person(None);
        let found = read(listed(&jo, nobodys.encode()), &*store).unwrap();
        assert_eq!(found.record.key, key("jo").without_person());
        let Err(StoreError::Corrupt {
            damage: Some(damage), ..
        }) = read(listed(&jo, b"{".to_vec()), &*store)
        else {
            panic!("a damaged record");
        };
        assert_eq!(damage.revision, Some(5));
        let newer = br#"{"version":2}"#.to_vec();
        let Err(StoreError::Corrupt { damage: None, .. }) = read(listed(&jo, newer), &*store) else {
            panic!("a record of a newer version");
        };
    }
}
