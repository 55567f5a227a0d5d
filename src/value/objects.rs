//! The layer between JSON and the types that are read from it. Objects are read from JSON objects alone; it is known of each
//! whether it had a field that its type describes, of each field that no type has a place for where it stands, and where a
//! reading failed.
//!
//! What serde derives reads a list as an object too, by the position of its items: a bank that sends `["5", "EUR"]` would
//! have sent an amount of five euros. The layer here hands everything else on, and copies nothing: the way to a value is kept
//! on the stack. What it counts stands beside the reading, on its thread, because a type that is generated has no other way
//! to tell whoever reads it.
//!
//! What serde reads ahead and keeps, to read it a second time, stands outside of the layer: the fields of a type with
//! `#[serde(flatten)]`, and what is in an enum that is untagged or has its tag inside. No type that is generated has any of
//! these; one of a user's own may.

use std::borrow::Cow;
use std::cell::{Cell, OnceCell};
use std::fmt;
use std::marker::PhantomData;

use serde::Deserializer;
use serde::de::{DeserializeSeed, EnumAccess, Error as _, MapAccess, SeqAccess, Unexpected, VariantAccess, Visitor};

use super::canary::{self, Unmodelled};
use super::error_in_success::may_tell;
use super::next_page::{may_belong_to_next, may_name_next};
use super::place::Place;

thread_local! {
    /// The value that was read last is an object with fields of which its type describes none.
    static LAST_IS_BARE: Cell<bool> = const { Cell::new(false) };
    /// Such an object stood in an outermost list.
    static BARE_ITEM: Cell<bool> = const { Cell::new(false) };
    /// A field that no type has a place for may name the next page.
    static NAMES_NEXT: Cell<bool> = const { Cell::new(false) };
    /// Such a field may tell of an error.
    static TELLS: Cell<bool> = const { Cell::new(false) };
    /// What is read next is kept by a type that does not describe it.
    static KEPT: Cell<bool> = const { Cell::new(false) };
    /// How many lists are around what is being read.
    static LISTS: Cell<u32> = const { Cell::new(0) };
    /// How many parts are being read, each inside the one before.
    static PARTS: Cell<u32> = const { Cell::new(0) };
    /// Lenient lists are read where they stand, as the lists of objects that they nearly always are.
    static IN_PLACE: Cell<bool> = const { Cell::new(false) };
    /// One of them was something else: what was read says nothing.
    static LEFT_OFF: Cell<bool> = const { Cell::new(false) };
    /// The value that was read last as a whole is a JSON object.
    static IS_OBJECT: Cell<bool> = const { Cell::new(false) };
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
///
/// A lenient list is what nearly every page of a bank is. To take it apart, whatever its form, is to read it three times, so it
/// is read as a list of objects first, in its place. Where it turns out to be something else, or an item does not fit, all of the
/// text is read once more, without haste: what is read, and what is said of it, is the same in both ways.
pub(crate) fn observed<R>(mut read: impl FnMut() -> R) -> (R, Bare) {
    LEFT_OFF.set(false);
    IN_PLACE.set(true);
    let first = observed_without_haste(&mut read);
    IN_PLACE.set(false);
    if !LEFT_OFF.get() {
        return first;
    }
    canary::begin_again();
    observed_without_haste(read)
}

/// The same, where every lenient list is taken apart.
pub(crate) fn observed_without_haste<R>(read: impl FnOnce() -> R) -> (R, Bare) {
    LAST_IS_BARE.set(false);
    BARE_ITEM.set(false);
    NAMES_NEXT.set(false);
    TELLS.set(false);
    KEPT.set(false);
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

/// The items of a list of objects, read where they stand. An error of the inner kind: the text is read once more. Of the outer
/// kind: the list is to be taken apart, and nothing of it was read.
pub(crate) fn in_place<'de, T, D>(list: D) -> Result<Result<Vec<T>, D::Error>, D>
where
    T: serde::Deserialize<'de>,
    D: Deserializer<'de>,
{
    if !IN_PLACE.get() {
        return Err(list);
    }
    // The layer hands bytes on as they are, and what serde_json takes for bytes is a text or a list. So each item is read through
    // a layer of its own, as those that were taken out of their list are.
    let items = list.deserialize_bytes(ObjectsOfAList(PhantomData));
    if items.is_err() {
        LEFT_OFF.set(true);
    }
    Ok(items)
}

struct ObjectsOfAList<T>(PhantomData<T>);

/// It is told to nobody: the text is read once more.
const SOMETHING_ELSE: &str = "something else than a list of objects";

impl<'de, T: serde::Deserialize<'de>> Visitor<'de> for ObjectsOfAList<T> {
    type Value = Vec<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of objects")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Vec<T>, A::Error> {
        let mut items = Vec::new();
        loop {
            IS_OBJECT.set(false);
            let next = observed_part(|| list.next_element_seed(OneOfAList(PhantomData)));
            match next {
                Some((Ok(Some(item)), false)) if IS_OBJECT.get() => items.push(item),
                Some((Ok(None), _)) => return Ok(items),
                Some((Err(error), _)) => return Err(error),
                _ => return Err(A::Error::custom(SOMETHING_ELSE)),
            }
        }
    }
}

struct OneOfAList<T>(PhantomData<T>);

impl<'de, T: serde::Deserialize<'de>> DeserializeSeed<'de> for OneOfAList<T> {
    type Value = T;

    fn deserialize<D: Deserializer<'de>>(self, item: D) -> Result<T, D::Error> {
        read(item).map_err(|(_, error)| error)
    }
}

/// Told of a field that no type has a place for: the page may name the next one in it, or tell of an error. Of a part, which is
/// an item, it does not.
fn tell_ignored(place: &Place<'_>) {
    canary::note(Unmodelled::Field, || place.common());
    let Place::Member { parent, key } = *place else { return };
    if PARTS.get() > 0 || NAMES_NEXT.get() && TELLS.get() {
        return;
    }
    let (mut around, mut here) = (None, parent);
    loop {
        here = match *here {
            Place::Root => break,
            // It is of an item.
            Place::Item { .. } => return,
            Place::Member { parent, key } => {
                around = around.or(Some(key));
                parent
            }
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

/// Reads the JSON of a field that a type keeps without describing it, though all of the object was described once: the field
/// is noted.
pub(crate) fn kept<R>(read: impl FnOnce() -> R) -> R {
    KEPT.set(true);
    let value = read();
    // Whoever reads around the layer did not look.
    KEPT.set(false);
    value
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

/// Where a reading failed first.
#[derive(Default)]
struct Failure(OnceCell<String>);

impl Failure {
    /// Told by all that stands around a value that cannot be read, from the innermost on.
    fn at(&self, place: &Place<'_>) {
        self.0.get_or_init(|| place.path());
    }
}

/// Reads a value through the layer. An error has the path to where it arose, empty for the whole.
pub(crate) fn read<'de, T: serde::Deserialize<'de>, D: Deserializer<'de>>(inner: D) -> Result<T, (String, D::Error)> {
    let failure = Failure::default();
    let members = &Members::default();
    let around = Around {
        place: &Place::Root,
        failure: &failure,
    };
    T::deserialize(Objects { inner, members, around })
        .map_err(|error| (failure.0.into_inner().unwrap_or_default(), error))
}

/// What is around a value that is being read.
#[derive(Clone, Copy)]
struct Around<'a> {
    /// Where the value stands.
    place: &'a Place<'a>,
    failure: &'a Failure,
}

/// A deserializer that takes no list for an object, at any depth but inside of what serde keeps and reads again.
struct Objects<'a, D> {
    inner: D,
    /// Those that the value is one of.
    members: &'a Members,
    around: Around<'a>,
}

/// What a visitor was made for.
const ANYTHING: u8 = 0;
const A_MAP: u8 = 1;
const AN_OBJECT: u8 = 2;

macro_rules! as_it_is {
    ($($method:ident($($name:ident: $type:ty),*);)*) => {$(
        #[inline]
        fn $method<V: Visitor<'de>>(self, $($name: $type,)* visitor: V) -> Result<V::Value, D::Error> {
            self.inner.$method($($name,)* visitor)
        }
    )*};
}

macro_rules! looked_at {
    ($($method:ident($($name:ident: $type:ty),*) $for:ident;)*) => {$(
        #[inline]
        fn $method<V: Visitor<'de>>(self, $($name: $type,)* visitor: V) -> Result<V::Value, D::Error> {
            self.inner.$method($($name,)* Visiting::<V, $for> { visitor, around: self.around })
        }
    )*};
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Objects<'_, D> {
    type Error = D::Error;

    // Nothing stands in these.
    as_it_is! {
        deserialize_bool();
        deserialize_i8();
        deserialize_i16();
        deserialize_i32();
        deserialize_i64();
        deserialize_i128();
        deserialize_u8();
        deserialize_u16();
        deserialize_u32();
        deserialize_u64();
        deserialize_u128();
        deserialize_f32();
        deserialize_f64();
        deserialize_char();
        deserialize_str();
        deserialize_string();
        deserialize_bytes();
        deserialize_byte_buf();
        deserialize_unit();
        deserialize_unit_struct(name: &'static str);
        deserialize_identifier();
    }

    looked_at! {
        deserialize_any() ANYTHING;
        deserialize_option() ANYTHING;
        deserialize_seq() ANYTHING;
        deserialize_tuple(len: usize) ANYTHING;
        deserialize_tuple_struct(name: &'static str, len: usize) ANYTHING;
        deserialize_map() A_MAP;
        deserialize_struct(name: &'static str, fields: &'static [&'static str]) AN_OBJECT;
        deserialize_enum(name: &'static str, variants: &'static [&'static str]) ANYTHING;
    }

    #[inline]
    fn deserialize_newtype_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value, D::Error> {
        let Self { inner, around, .. } = self;
        // JSON as it came is read as such a struct.
        if KEPT.replace(false) {
            canary::note(Unmodelled::Field, || around.place.common());
        }
        let value = inner.deserialize_newtype_struct(name, Visiting::<V, ANYTHING> { visitor, around });
        // What JSON as it came is, its text says.
        IS_OBJECT.set(false);
        value
    }

    #[inline]
    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        one_more(&self.members.ignored);
        tell_ignored(self.around.place);
        self.inner.deserialize_ignored_any(visitor)
    }

    fn is_human_readable(&self) -> bool {
        self.inner.is_human_readable()
    }
}

struct Visiting<'a, V, const FOR: u8> {
    visitor: V,
    around: Around<'a>,
}

macro_rules! handed_on {
    ($($method:ident($type:ty);)*) => {$(
        #[inline]
        fn $method<E: serde::de::Error>(self, value: $type) -> Result<V::Value, E> {
            self.visitor.$method(value)
        }
    )*};
}

impl<'de, V: Visitor<'de>, const FOR: u8> Visitor<'de> for Visiting<'_, V, FOR> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.visitor.expecting(f)
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
        self.visitor.visit_none()
    }

    #[inline]
    fn visit_unit<E: serde::de::Error>(self) -> Result<V::Value, E> {
        self.visitor.visit_unit()
    }

    #[inline]
    fn visit_some<D: Deserializer<'de>>(self, inner: D) -> Result<V::Value, D::Error> {
        let Self { visitor, around } = self;
        let members = &Members::default();
        visitor.visit_some(Objects { inner, members, around })
    }

    #[inline]
    fn visit_newtype_struct<D: Deserializer<'de>>(self, inner: D) -> Result<V::Value, D::Error> {
        let Self { visitor, around } = self;
        let members = &Members::default();
        visitor.visit_newtype_struct(Objects { inner, members, around })
    }

    #[inline]
    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<V::Value, A::Error> {
        let Self { visitor, around } = self;
        if FOR == AN_OBJECT {
            return Err(A::Error::invalid_type(Unexpected::Seq, &visitor));
        }
        let lists = LISTS.get();
        LISTS.set(lists + 1);
        let value = visitor.visit_seq(Items {
            items,
            index: 0,
            around,
        });
        LISTS.set(lists);
        LAST_IS_BARE.set(false);
        IS_OBJECT.set(false);
        value
    }

    #[inline]
    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<V::Value, A::Error> {
        let Self { visitor, around } = self;
        let members = &Members::default();
        let value = visitor.visit_map(Map {
            map,
            key: Key::None,
            members,
            around,
        });
        match FOR {
            AN_OBJECT => LAST_IS_BARE.set(members.are_bare()),
            A_MAP => LAST_IS_BARE.set(false),
            // It may be a type that keeps the rest, which told already.
            _ if members.are_bare() => LAST_IS_BARE.set(true),
            _ => {}
        }
        IS_OBJECT.set(true);
        value
    }

    #[inline]
    fn visit_enum<A: EnumAccess<'de>>(self, choice: A) -> Result<V::Value, A::Error> {
        let Self { visitor, around } = self;
        visitor.visit_enum(Choice { choice, around })
    }
}

/// The key of the member that is read next. Most stand in the text as they are, and are not copied.
enum Key<'de> {
    None,
    Borrowed(&'de str),
    Owned(String),
}

impl<'de> Key<'de> {
    fn of_bytes(bytes: &'de [u8]) -> Self {
        match String::from_utf8_lossy(bytes) {
            Cow::Borrowed(key) => Self::Borrowed(key),
            Cow::Owned(key) => Self::Owned(key),
        }
    }

    fn as_str(&self) -> &str {
        match self {
            Self::None => "?",
            Self::Borrowed(key) => key,
            Self::Owned(key) => key,
        }
    }
}

struct Map<'a, 'de, A> {
    map: A,
    key: Key<'de>,
    members: &'a Members,
    around: Around<'a>,
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Map<'_, 'de, A> {
    type Error = A::Error;

    #[inline]
    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, A::Error> {
        self.key = Key::None;
        let key = &mut self.key;
        self.map.next_key_seed(Keeping { inner: seed, key })
    }

    #[inline]
    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, A::Error> {
        one_more(&self.members.all);
        let place = Place::Member {
            parent: self.around.place,
            key: self.key.as_str(),
        };
        let around = Around {
            place: &place,
            ..self.around
        };
        let members = self.members;
        let value = self.map.next_value_seed(Seed { seed, members, around });
        if value.is_err() {
            around.failure.at(&place);
        }
        value
    }

    #[inline]
    fn size_hint(&self) -> Option<usize> {
        self.map.size_hint()
    }
}

struct Items<'a, A> {
    items: A,
    index: usize,
    around: Around<'a>,
}

impl<'de, A: SeqAccess<'de>> SeqAccess<'de> for Items<'_, A> {
    type Error = A::Error;

    #[inline]
    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, A::Error> {
        let place = Place::Item {
            parent: self.around.place,
            index: self.index,
        };
        let around = Around {
            place: &place,
            ..self.around
        };
        self.index += 1;
        let members = &Members::default();
        LAST_IS_BARE.set(false);
        let item = self.items.next_element_seed(Seed { seed, members, around });
        if item.is_err() {
            around.failure.at(&place);
        }
        if LAST_IS_BARE.get() && LISTS.get() == 1 {
            BARE_ITEM.set(true);
        }
        item
    }

    #[inline]
    fn size_hint(&self) -> Option<usize> {
        self.items.size_hint()
    }
}

struct Seed<'a, S> {
    seed: S,
    members: &'a Members,
    around: Around<'a>,
}

impl<'de, S: DeserializeSeed<'de>> DeserializeSeed<'de> for Seed<'_, S> {
    type Value = S::Value;

    #[inline]
    fn deserialize<D: Deserializer<'de>>(self, inner: D) -> Result<S::Value, D::Error> {
        let Self { seed, members, around } = self;
        seed.deserialize(Objects { inner, members, around })
    }
}

/// One of several kinds, and what stands in it.
struct Choice<'a, A> {
    choice: A,
    around: Around<'a>,
}

impl<'a, 'de, A: EnumAccess<'de>> EnumAccess<'de> for Choice<'a, A> {
    type Error = A::Error;
    type Variant = Choice<'a, A::Variant>;

    #[inline]
    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Self::Variant), A::Error> {
        let around = self.around;
        let (value, choice) = self.choice.variant_seed(seed)?;
        Ok((value, Choice { choice, around }))
    }
}

impl<'de, A: VariantAccess<'de>> VariantAccess<'de> for Choice<'_, A> {
    type Error = A::Error;

    #[inline]
    fn unit_variant(self) -> Result<(), A::Error> {
        self.choice.unit_variant()
    }

    #[inline]
    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, A::Error> {
        let Self { choice, around } = self;
        let members = &Members::default();
        choice.newtype_variant_seed(Seed { seed, members, around })
    }

    #[inline]
    fn tuple_variant<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, A::Error> {
        let Self { choice, around } = self;
        choice.tuple_variant(len, Visiting::<V, ANYTHING> { visitor, around })
    }

    #[inline]
    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, A::Error> {
        let Self { choice, around } = self;
        choice.struct_variant(fields, Visiting::<V, AN_OBJECT> { visitor, around })
    }
}

/// Reads a key, and keeps its text.
struct Keeping<'a, 'de, T> {
    inner: T,
    key: &'a mut Key<'de>,
}

impl<'de, K: DeserializeSeed<'de>> DeserializeSeed<'de> for Keeping<'_, 'de, K> {
    type Value = K::Value;

    #[inline]
    fn deserialize<D: Deserializer<'de>>(self, inner: D) -> Result<K::Value, D::Error> {
        let Self { inner: seed, key } = self;
        seed.deserialize(Keeping { inner, key })
    }
}

macro_rules! kept {
    ($($method:ident($($name:ident: $type:ty),*);)*) => {$(
        #[inline]
        fn $method<V: Visitor<'de>>(self, $($name: $type,)* visitor: V) -> Result<V::Value, D::Error> {
            let Self { inner, key } = self;
            inner.$method($($name,)* Keeping { inner: visitor, key })
        }
    )*};
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Keeping<'_, 'de, D> {
    type Error = D::Error;

    kept! {
        deserialize_any();
        deserialize_bool();
        deserialize_i8();
        deserialize_i16();
        deserialize_i32();
        deserialize_i64();
        deserialize_i128();
        deserialize_u8();
        deserialize_u16();
        deserialize_u32();
        deserialize_u64();
        deserialize_u128();
        deserialize_f32();
        deserialize_f64();
        deserialize_char();
        deserialize_str();
        deserialize_string();
        deserialize_bytes();
        deserialize_byte_buf();
        deserialize_option();
        deserialize_unit();
        deserialize_unit_struct(name: &'static str);
        deserialize_newtype_struct(name: &'static str);
        deserialize_seq();
        deserialize_tuple(len: usize);
        deserialize_tuple_struct(name: &'static str, len: usize);
        deserialize_map();
        deserialize_struct(name: &'static str, fields: &'static [&'static str]);
        deserialize_enum(name: &'static str, variants: &'static [&'static str]);
        deserialize_identifier();
        deserialize_ignored_any();
    }

    fn is_human_readable(&self) -> bool {
        self.inner.is_human_readable()
    }
}

macro_rules! kept_value {
    ($($method:ident($value:ident: $type:ty) $key:expr;)*) => {$(
        #[inline]
        fn $method<E: serde::de::Error>(self, $value: $type) -> Result<V::Value, E> {
            *self.key = $key;
            self.inner.$method($value)
        }
    )*};
}

// A key is a string, or what is written in one.
impl<'de, V: Visitor<'de>> Visitor<'de> for Keeping<'_, 'de, V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.expecting(f)
    }

    kept_value! {
        visit_borrowed_str(text: &'de str) Key::Borrowed(text);
        visit_str(text: &str) Key::Owned(text.to_owned());
        visit_string(text: String) Key::Owned(text.clone());
        visit_bool(value: bool) Key::Owned(value.to_string());
        visit_i64(number: i64) Key::Owned(number.to_string());
        visit_i128(number: i128) Key::Owned(number.to_string());
        visit_u64(number: u64) Key::Owned(number.to_string());
        visit_u128(number: u128) Key::Owned(number.to_string());
        visit_f64(number: f64) Key::Owned(number.to_string());
        visit_bytes(bytes: &[u8]) Key::Owned(String::from_utf8_lossy(bytes).into_owned());
        visit_borrowed_bytes(bytes: &'de [u8]) Key::of_bytes(bytes);
        visit_byte_buf(bytes: Vec<u8>) Key::Owned(String::from_utf8_lossy(&bytes).into_owned());
    }

    #[inline]
    fn visit_some<D: Deserializer<'de>>(self, inner: D) -> Result<V::Value, D::Error> {
        let Self { inner: visitor, key } = self;
        visitor.visit_some(Keeping { inner, key })
    }

    #[inline]
    fn visit_newtype_struct<D: Deserializer<'de>>(self, inner: D) -> Result<V::Value, D::Error> {
        let Self { inner: visitor, key } = self;
        visitor.visit_newtype_struct(Keeping { inner, key })
    }

    #[inline]
    fn visit_enum<A: EnumAccess<'de>>(self, choice: A) -> Result<V::Value, A::Error> {
        let Self { inner: visitor, key } = self;
        visitor.visit_enum(Keeping { inner: choice, key })
    }
}

impl<'de, A: EnumAccess<'de>> EnumAccess<'de> for Keeping<'_, 'de, A> {
    type Error = A::Error;
    type Variant = A::Variant;

    #[inline]
    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, A::Variant), A::Error> {
        let Self { inner: choice, key } = self;
        choice.variant_seed(Keeping { inner: seed, key })
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    fn field(name: &str) -> Place<'_> {
        Place::Member {
            parent: &Place::Root,
            key: name,
        }
    }

    /// What fields tell that no type has a place for: of the next page, and of an error.
    fn told(tell: impl FnOnce()) -> (bool, bool) {
        let ((), bare) = observed_without_haste(tell);
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
        let item = Place::Item {
            parent: &Place::Root,
            index: 0,
        };
        let of_an_item = Place::Member {
            parent: &item,
            key: "next",
        };
        assert_eq!(told(|| tell_ignored(&of_an_item)), (false, false));
        let in_a_list = told(|| {
            LISTS.set(1);
            tell_kept(["error"].into_iter());
        });
        assert_eq!(in_a_list, (false, false));
    }

    #[derive(Debug, Deserialize, PartialEq, Eq, PartialOrd, Ord)]
    struct Named(String);

    /// Asks for bytes, where most ask for a text.
    #[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
    struct OfBytes(Vec<u8>);

    impl<'de> Deserialize<'de> for OfBytes {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            struct Bytes;

            impl<'de> Visitor<'de> for Bytes {
                type Value = OfBytes;

                fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    f.write_str("bytes")
                }

                fn visit_bytes<E: serde::de::Error>(self, bytes: &[u8]) -> Result<OfBytes, E> {
                    Ok(OfBytes(bytes.to_owned()))
                }
            }

            deserializer.deserialize_bytes(Bytes)
        }
    }

    #[derive(Debug, Deserialize, PartialEq, Eq, PartialOrd, Ord)]
    #[serde(rename_all = "lowercase")]
    enum Kind {
        Booked,
        Nested(Box<Deal>),
        Pair(u8, u8),
        Whole { amount: u8 },
    }

    #[derive(Debug, Deserialize, PartialEq, Eq, PartialOrd, Ord)]
    struct Deal {
        amount: u8,
    }

    /// The path to where a text cannot be read as a type.
    fn path_in<T: serde::de::DeserializeOwned>(text: &str) -> String {
        let refused = read::<T, _>(&mut serde_json::Deserializer::from_str(text)).err();
        refused.map_or_else(|| "it is read".to_owned(), |(path, _)| path)
    }

    #[test]
    fn a_path_has_keys_of_every_type_and_form() {
        use std::collections::BTreeMap as Map;
        assert_eq!(
            path_in::<Map<String, Vec<Deal>>>(r#"{"a":[{"amount":1},{"amount":"x"}]}"#),
            "a[1].amount"
        );
        assert_eq!(
            path_in::<Map<String, Deal>>(r#"{"a\u0062\n":{"amount":"x"}}"#),
            "ab\n.amount"
        );
        assert_eq!(
            path_in::<Map<Named, Deal>>(r#"{"a":{"amount":1},"b":{"amount":"x"}}"#),
            "b.amount"
        );
        assert_eq!(path_in::<Map<Option<Named>, u8>>(r#"{"a":"x"}"#), "a");
        assert_eq!(path_in::<Map<Kind, u8>>(r#"{"booked":"x"}"#), "booked");
        assert_eq!(path_in::<Map<bool, u8>>(r#"{"true":"x"}"#), "true");
        assert_eq!(path_in::<Map<char, u8>>(r#"{"c":"x"}"#), "c");
        assert_eq!(path_in::<Map<u8, u8>>(r#"{"7":"x"}"#), "7");
        assert_eq!(path_in::<Map<i64, u8>>(r#"{"-7":"x"}"#), "-7");
        assert_eq!(path_in::<Map<OfBytes, u8>>(r#"{"a":"x"}"#), "a");
        assert_eq!(path_in::<Map<OfBytes, u8>>(r#"{"a\u0062":"x"}"#), "ab");
        assert_eq!(path_in::<Map<i128, u8>>(r#"{"-8":"x"}"#), "-8");
        assert_eq!(path_in::<Map<u128, u8>>(r#"{"8":"x"}"#), "8");
        // A key that is written otherwise for people is read as they write it.
        assert_eq!(
            path_in::<Map<std::net::Ipv4Addr, u8>>(r#"{"127.0.0.1":"x"}"#),
            "127.0.0.1"
        );
        // A key that cannot be read stands in what it is a key of.
        assert_eq!(path_in::<Map<String, Map<u8, u8>>>(r#"{"a":{"1":1,"x":1}}"#), "a");
        assert_eq!(path_in::<Map<u8, u8>>("7"), "");
        let map: Map<u64, Deal> = read(&mut serde_json::Deserializer::from_str(r#"{"7":{"amount":1}}"#)).unwrap();
        assert_eq!(map[&7], Deal { amount: 1 });
    }

    #[test]
    fn an_error_says_what_was_expected_of_a_value_and_of_a_key() {
        use std::collections::BTreeMap as Map;
        fn refused<T: serde::de::DeserializeOwned>(text: &str) -> String {
            let read = read::<T, _>(&mut serde_json::Deserializer::from_str(text));
            read.err().map_or_else(String::new, |(_, error)| error.to_string())
        }
        let value = refused::<Deal>("7");
        assert!(value.contains("expected struct Deal"), "{value}");
        let key = refused::<Map<bool, u8>>(r#"{"x":1}"#);
        assert!(key.contains("expected a boolean"), "{key}");
    }

    #[test]
    fn what_stands_in_one_of_several_kinds_is_looked_at_too() {
        let kind = |text: &str| read::<Kind, _>(&mut serde_json::Deserializer::from_str(text)).ok();
        assert_eq!(kind(r#""booked""#), Some(Kind::Booked));
        assert_eq!(kind(r#"{"booked":null}"#), Some(Kind::Booked));
        assert_eq!(
            kind(r#"{"nested":{"amount":1}}"#),
            Some(Kind::Nested(Box::new(Deal { amount: 1 })))
        );
        assert_eq!(kind(r#"{"pair":[1,2]}"#), Some(Kind::Pair(1, 2)));
        assert_eq!(kind(r#"{"whole":{"amount":3}}"#), Some(Kind::Whole { amount: 3 }));
        // A list is no object there either.
        assert_eq!(kind(r#"{"nested":[1]}"#), None);
        assert_eq!(kind(r#"{"whole":[3]}"#), None);
        assert_eq!(path_in::<Vec<Kind>>(r#"["booked",{"pair":[1,"x"]}]"#), "[1][1]");
        assert_eq!(path_in::<Vec<Kind>>(r#"[{"nested":{"amount":"x"}}]"#), "[0].amount");
        assert_eq!(path_in::<Vec<Kind>>(r#"["lost"]"#), "[0]");
    }
}
