//! Objects are read from JSON objects alone, and it is known of each whether it had a field that its type describes.
//!
//! What serde derives reads a list as an object too, by the position of its items: a bank that sends `["5", "EUR"]` would
//! have sent an amount of five euros. The layer here hands everything else on. What it counts stands beside the reading, on
//! its thread, because a type that is generated has no other way to tell whoever reads it.

use std::cell::Cell;
use std::fmt;

use serde::Deserializer;
use serde::de::{DeserializeSeed, Error as _, MapAccess, SeqAccess, Unexpected, Visitor};
use serde_ignored::Path;

use super::error_in_success::may_tell;
use super::next_page::{may_belong_to_next, may_name_next};

thread_local! {
    /// The value that was read last is an object with fields of which its type describes none.
    static LAST_IS_BARE: Cell<bool> = const { Cell::new(false) };
    /// Such an object stood in an outermost list.
    static BARE_ITEM: Cell<bool> = const { Cell::new(false) };
    /// A field that no type has a place for may name the next page.
    static NAMES_NEXT: Cell<bool> = const { Cell::new(false) };
    /// Such a field may tell of an error.
    static TELLS: Cell<bool> = const { Cell::new(false) };
    /// How many lists are around what is being read.
    static LISTS: Cell<u32> = const { Cell::new(0) };
    /// How many parts are being read, each inside the one before.
    static PARTS: Cell<u32> = const { Cell::new(0) };
}

/// How deep parts are read in parts. Each is read by a reader of its own, whose limit of depth says nothing of the others.
const MOST_PARTS: u32 = 16;

/// What objects lacked in a text that was read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Bare {
    /// The value itself is an object with fields of which its type describes none.
    pub value: bool,
    /// So is an item of an outermost list.
    pub item: bool,
    /// A field that no type has a place for may name the next page.
    pub names_next: bool,
    /// Such a field may tell of an error.
    pub tells: bool,
}

/// Reads a text, and tells of it what its objects lacked.
pub(crate) fn observed<R>(read: impl FnOnce() -> R) -> (R, Bare) {
    LAST_IS_BARE.set(false);
    BARE_ITEM.set(false);
    NAMES_NEXT.set(false);
    TELLS.set(false);
    LISTS.set(0);
    PARTS.set(0);
    let value = read();
    let bare = Bare {
        value: LAST_IS_BARE.get(),
        item: BARE_ITEM.get(),
        names_next: NAMES_NEXT.get(),
        tells: TELLS.get(),
    };
    (value, bare)
}

/// Reads a part of a text that is being read, and tells whether it is a bare object. None: it stands in too many others.
pub(crate) fn observed_part<R>(read: impl FnOnce() -> R) -> Option<(R, bool)> {
    let parts = PARTS.get();
    if parts >= MOST_PARTS {
        return None;
    }
    let lists = LISTS.get();
    PARTS.set(parts + 1);
    LISTS.set(lists + 1);
    LAST_IS_BARE.set(false);
    let value = read();
    LISTS.set(lists);
    PARTS.set(parts);
    // The part is not what was read last, but what it stands in.
    Some((value, LAST_IS_BARE.replace(false)))
}

/// Told of a field that no type has a place for: the page may name the next one in it, or tell of an error. Of a part, which is
/// an item, it does not.
pub(crate) fn tell_ignored(path: &Path<'_>) {
    let Path::Map { parent, key } = path else { return };
    if PARTS.get() > 0 || NAMES_NEXT.get() && TELLS.get() {
        return;
    }
    let (mut around, mut here) = (None, *parent);
    loop {
        here = match here {
            Path::Root => break,
            // It is of an item.
            Path::Seq { .. } => return,
            Path::Map { parent, key } => {
                around = around.or(Some(key.as_str()));
                parent
            }
            Path::Some { parent } | Path::NewtypeStruct { parent } | Path::NewtypeVariant { parent } => parent,
        };
    }
    NAMES_NEXT.set(NAMES_NEXT.get() || may_name_next(key, around));
    TELLS.set(TELLS.get() || may_tell(key));
}

/// The same of fields that a type keeps without describing them: where it stands is not known, but for that it is of no item.
pub(crate) fn tell_kept<'n>(names: impl Iterator<Item = &'n str>) {
    if PARTS.get() > 0 || LISTS.get() > 0 {
        return;
    }
    for name in names {
        NAMES_NEXT.set(NAMES_NEXT.get() || may_belong_to_next(name));
        TELLS.set(TELLS.get() || may_tell(name));
    }
}

/// Told by types that keep the fields which they do not describe: nobody else sees which those are.
pub(crate) fn tell_bare(is_bare: bool) {
    LAST_IS_BARE.set(is_bare);
}

/// The members of an object, and those of them that its type has no place for.
#[derive(Default)]
struct Members {
    all: Cell<u32>,
    ignored: Cell<u32>,
}

impl Members {
    fn are_bare(&self) -> bool {
        self.all.get() > 0 && self.all == self.ignored
    }
}

fn one_more(count: &Cell<u32>) {
    count.set(count.get().wrapping_add(1));
}

/// A deserializer that takes no list for an object, at any depth.
pub(crate) struct Objects<'a, D> {
    inner: D,
    /// Those that the value is one of.
    members: &'a Members,
}

/// Reads a value through it.
pub(crate) fn read<'de, T: serde::Deserialize<'de>, D: Deserializer<'de>>(inner: D) -> Result<T, D::Error> {
    let members = &Members::default();
    T::deserialize(Objects { inner, members })
}

/// What a visitor was made for.
const ANYTHING: u8 = 0;
const A_MAP: u8 = 1;
const AN_OBJECT: u8 = 2;

macro_rules! forwarded {
    ($($method:ident($($name:ident: $type:ty),*) $for:ident;)*) => {$(
        #[inline]
        fn $method<V: Visitor<'de>>(self, $($name: $type,)* visitor: V) -> Result<V::Value, D::Error> {
            self.inner.$method($($name,)* Visiting::<V, $for>(visitor))
        }
    )*};
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Objects<'_, D> {
    type Error = D::Error;

    forwarded! {
        deserialize_any() ANYTHING;
        deserialize_bool() ANYTHING;
        deserialize_i8() ANYTHING;
        deserialize_i16() ANYTHING;
        deserialize_i32() ANYTHING;
        deserialize_i64() ANYTHING;
        deserialize_i128() ANYTHING;
        deserialize_u8() ANYTHING;
        deserialize_u16() ANYTHING;
        deserialize_u32() ANYTHING;
        deserialize_u64() ANYTHING;
        deserialize_u128() ANYTHING;
        deserialize_f32() ANYTHING;
        deserialize_f64() ANYTHING;
        deserialize_char() ANYTHING;
        deserialize_str() ANYTHING;
        deserialize_string() ANYTHING;
        deserialize_bytes() ANYTHING;
        deserialize_byte_buf() ANYTHING;
        deserialize_option() ANYTHING;
        deserialize_unit() ANYTHING;
        deserialize_unit_struct(name: &'static str) ANYTHING;
        deserialize_newtype_struct(name: &'static str) ANYTHING;
        deserialize_seq() ANYTHING;
        deserialize_tuple(len: usize) ANYTHING;
        deserialize_tuple_struct(name: &'static str, len: usize) ANYTHING;
        deserialize_map() A_MAP;
        deserialize_struct(name: &'static str, fields: &'static [&'static str]) AN_OBJECT;
        deserialize_enum(name: &'static str, variants: &'static [&'static str]) ANYTHING;
        deserialize_identifier() ANYTHING;
    }

    #[inline]
    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        one_more(&self.members.ignored);
        self.inner.deserialize_ignored_any(visitor)
    }

    fn is_human_readable(&self) -> bool {
        self.inner.is_human_readable()
    }
}

struct Visiting<V, const FOR: u8>(V);

macro_rules! handed_on {
    ($($method:ident($type:ty);)*) => {$(
        #[inline]
        fn $method<E: serde::de::Error>(self, value: $type) -> Result<V::Value, E> {
            self.0.$method(value)
        }
    )*};
}

impl<'de, V: Visitor<'de>, const FOR: u8> Visitor<'de> for Visiting<V, FOR> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.expecting(f)
    }

    handed_on! {
        visit_bool(bool);
        visit_i8(i8);
        visit_i16(i16);
        visit_i32(i32);
        visit_i64(i64);
        visit_i128(i128);
        visit_u8(u8);
        visit_u16(u16);
        visit_u32(u32);
        visit_u64(u64);
        visit_u128(u128);
        visit_f32(f32);
        visit_f64(f64);
        visit_char(char);
        visit_str(&str);
        visit_borrowed_str(&'de str);
        visit_string(String);
        visit_bytes(&[u8]);
        visit_borrowed_bytes(&'de [u8]);
        visit_byte_buf(Vec<u8>);
    }

    #[inline]
    fn visit_none<E: serde::de::Error>(self) -> Result<V::Value, E> {
        self.0.visit_none()
    }

    #[inline]
    fn visit_unit<E: serde::de::Error>(self) -> Result<V::Value, E> {
        self.0.visit_unit()
    }

    #[inline]
    fn visit_some<D: Deserializer<'de>>(self, inner: D) -> Result<V::Value, D::Error> {
        let members = &Members::default();
        self.0.visit_some(Objects { inner, members })
    }

    #[inline]
    fn visit_newtype_struct<D: Deserializer<'de>>(self, inner: D) -> Result<V::Value, D::Error> {
        let members = &Members::default();
        self.0.visit_newtype_struct(Objects { inner, members })
    }

    #[inline]
    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<V::Value, A::Error> {
        if FOR == AN_OBJECT {
            return Err(A::Error::invalid_type(Unexpected::Seq, &self.0));
        }
        let lists = LISTS.get();
        LISTS.set(lists + 1);
        let value = self.0.visit_seq(Items(items));
        LISTS.set(lists);
        LAST_IS_BARE.set(false);
        value
    }

    #[inline]
    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<V::Value, A::Error> {
        let members = &Members::default();
        let value = self.0.visit_map(Map { map, members });
        match FOR {
            AN_OBJECT => LAST_IS_BARE.set(members.are_bare()),
            A_MAP => LAST_IS_BARE.set(false),
            // It may be a type that keeps the rest, which told already.
            _ if members.are_bare() => LAST_IS_BARE.set(true),
            _ => {}
        }
        value
    }

    #[inline]
    fn visit_enum<A: serde::de::EnumAccess<'de>>(self, variant: A) -> Result<V::Value, A::Error> {
        self.0.visit_enum(variant)
    }
}

struct Map<'a, A> {
    map: A,
    members: &'a Members,
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Map<'_, A> {
    type Error = A::Error;

    #[inline]
    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, A::Error> {
        self.map.next_key_seed(seed)
    }

    #[inline]
    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, A::Error> {
        let members = self.members;
        one_more(&members.all);
        self.map.next_value_seed(Seed { seed, members })
    }

    #[inline]
    fn size_hint(&self) -> Option<usize> {
        self.map.size_hint()
    }
}

struct Items<A>(A);

impl<'de, A: SeqAccess<'de>> SeqAccess<'de> for Items<A> {
    type Error = A::Error;

    #[inline]
    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, A::Error> {
        let members = &Members::default();
        LAST_IS_BARE.set(false);
        let item = self.0.next_element_seed(Seed { seed, members });
        if LAST_IS_BARE.get() && LISTS.get() == 1 {
            BARE_ITEM.set(true);
        }
        item
    }

    #[inline]
    fn size_hint(&self) -> Option<usize> {
        self.0.size_hint()
    }
}

struct Seed<'a, S> {
    seed: S,
    members: &'a Members,
}

impl<'de, S: DeserializeSeed<'de>> DeserializeSeed<'de> for Seed<'_, S> {
    type Value = S::Value;

    #[inline]
    fn deserialize<D: Deserializer<'de>>(self, inner: D) -> Result<S::Value, D::Error> {
        let members = self.members;
        self.seed.deserialize(Objects { inner, members })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(name: &str) -> Path<'static> {
        Path::Map {
            parent: &Path::Root,
            key: name.to_owned(),
        }
    }

    /// What fields tell that no type has a place for: of the next page, and of an error.
    fn told(tell: impl FnOnce()) -> (bool, bool) {
        let ((), bare) = observed(tell);
        (bare.names_next, bare.tells)
    }

    #[test]
    fn a_field_without_a_place_tells_of_the_page_and_not_of_an_item() {
        for (names, expected) in [
            (&["id"][..], (false, false)),
            (&["next"], (true, false)),
            (&["error"], (false, true)),
            (&["error", "next"], (true, true)),
            (&["next", "error"], (true, true)),
            (&["next", "error", "id"], (true, true)),
        ] {
            let ignored = told(|| names.iter().for_each(|name| tell_ignored(&field(name))));
            assert_eq!(ignored, expected, "{names:?}");
            let kept = told(|| tell_kept(names.iter().copied()));
            assert_eq!(kept, expected, "{names:?}");
        }
        // A part is an item, and so is what stands in a list.
        let in_a_part = |tell: fn()| {
            told(|| {
                observed_part(tell);
            })
        };
        assert_eq!(in_a_part(|| tell_ignored(&field("next"))), (false, false));
        assert_eq!(in_a_part(|| tell_kept(["next"].into_iter())), (false, false));
        let of_an_item = Path::Seq {
            parent: &Path::Root,
            index: 0,
        };
        let of_an_item = Path::Map {
            parent: &of_an_item,
            key: "next".to_owned(),
        };
        assert_eq!(told(|| tell_ignored(&of_an_item)), (false, false));
        let in_a_list = told(|| {
            LISTS.set(1);
            tell_kept(["error"].into_iter());
        });
        assert_eq!(in_a_list, (false, false));
    }
}
