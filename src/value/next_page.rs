//! Whether a page names a next one in a form in which nobody finds it, or says that there is one and names none.

use chrono::{DateTime, NaiveDate};
use rust_decimal::Decimal;

use super::error_in_success::{are_alike, is_blank, letters, named};
use super::{Json, JsonMap};

/// A name for the next page is this and any of the words behind it, as they are compared, or one of the others.
const NEXT: &str = "next";
const BEHIND_NEXT: &[&str] = &[
    "page",
    "pagination",
    "continuation",
    "result",
    "results",
    "batch",
    "link",
    "url",
    "uri",
    "href",
    "number",
    "cursor",
    "token",
    "offset",
    "start",
    "marker",
    "key",
    "id",
    "index",
];
const OTHERS: &[&str] = &["continuationtoken", "continuationkey", "resumptiontoken", "scrollid"];

/// A member that says whether there are more has a name of one of these and one of those behind it.
const MORE: &[&str] = &["hasmore", "hasnext", "ismore", "more"];
const BEHIND_MORE: &[&str] = &[
    "",
    "page",
    "pages",
    "item",
    "items",
    "result",
    "results",
    "record",
    "records",
    "data",
    "entries",
    "available",
    "dataavailable",
];
/// Before the name of the things in a list, which nobody knows: it says that there are more of them. That there are none is not
/// believed, because it may be said of others.
const MORE_THINGS: &str = "hasmore";
/// Members that say that a page is not the whole.
const TRUNCATED: &[&str] = &["istruncated", "truncated"];
/// Members that say in a word whether the page is the last.
const IS_LAST: &[&str] = &[
    "last",
    "islast",
    "lastpage",
    "islastpage",
    "lastpagereached",
    "islastpagereached",
];
const YES: &[&str] = &["true", "yes", "y"];
const NO: &[&str] = &["false", "no", "n"];

/// Members with the number of the page itself, from one or from zero on; of the last one; and with how many there are.
const THIS: &[&str] = &["currentpage", "page", "pagenumber", "number"];
const LAST: &[&str] = &["lastpage"];
const ALL: &[&str] = &["totalpages", "pages", "pagecount", "numberofpages"];
/// Those of them that can be nothing else, as how many items a page has.
const CURRENT: &[&str] = &["currentpage", "pagenumber"];
const MOST: &[&str] = &["lastpage", "totalpages"];
/// Members with the number of the next page.
const NEXT_NUMBER: &[&str] = &["nextpage", "nextpagenumber"];
/// Members with the place of the first item and of the one behind the last, and with the number of all items, or of those of
/// the page.
const OFFSET: &[&str] = &["offset"];
const NEXT_OFFSET: &[&str] = &["nextoffset"];
const TOTAL: &[&str] = &[
    "total",
    "totalcount",
    "totalitems",
    "totalresults",
    "totalelements",
    "totalrecords",
];

/// Members with links in them, and others around what tells one page from another.
const LINKS: &[&str] = &["links", "link"];
const AROUND: &[&str] = &[
    "page",
    "pages",
    "pageinfo",
    "pageinformation",
    "paginginfo",
    "paginginformation",
    "paginationinfo",
    "pager",
    "paging",
    "pagination",
    "meta",
    "metadata",
    "responsemetadata",
    "resultinfo",
    "info",
    "view",
    "navigation",
    "cursor",
    "cursors",
];

/// How deep these stand in each other.
const MOST_AROUND: usize = 4;

/// Members of a link that say where it leads, those with its target, and those that say nothing of one.
const RELATIONS: &[&str] = &["rel", "relation", "name", "type", "label"];
const TARGETS: &[&str] = &["href", "url", "uri", "link", "target", "location"];
const BESIDE_A_TARGET: &[&str] = &["size", "pagesize", "perpage", "limit", "count", "disabled"];

/// What stands in the place of a next page where there is none.
const NONE: &[&str] = &[
    "",
    "-",
    "-1",
    "0",
    "#",
    "null",
    "none",
    "nil",
    "n/a",
    "false",
    "undefined",
    "end",
    "last",
];

/// What is wrong with a page that does not name the next one where it is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lost {
    /// It is named in another form: by a name that is written otherwise, in another place, or by a link whose target stands
    /// under another name.
    Elsewhere,
    /// There is one, and it is not named.
    Unnamed,
}

/// Whether a text that stands in the place of a next page says that there is none.
pub(crate) fn is_none(next: &str) -> bool {
    NONE.iter().any(|none| none.eq_ignore_ascii_case(next.trim()))
}

/// Whether a page without a text at `pointer`, where one would be followed, has a next page all the same. `items`: where its
/// items are.
pub(crate) fn lost(page: &Json, pointer: &str, items: Option<&str>) -> Option<Lost> {
    let next = page.pointer(pointer).and_then(|next| next.plain());
    if next.is_some_and(|next| !is_none(&next)) {
        return None;
    }
    let members = page.parse::<JsonMap>().ok()?;
    let steps: Vec<&str> = pointer.split('/').skip(1).collect();
    let items = items.and_then(|items| items.split('/').nth(1));
    match stands_at(&members, &steps, false) {
        true => Some(Lost::Elsewhere),
        false => led_on(&members, items.as_slice(), MOST_AROUND, false),
    }
}

pub(crate) fn is_lost(page: &Json, pointer: &str, items: Option<&str>) -> bool {
    lost(page, pointer, items).is_some()
}

/// Whether an object beside whose lists of items something is said names a next page, or says that there is one.
pub(crate) fn names_next(members: &JsonMap, lists: &[&str]) -> bool {
    led_on(members, lists, MOST_AROUND, false).is_some()
}

/// Whether something stands where these names lead. `is_over`: what is around it says that there are no more.
fn stands_at(members: &JsonMap, steps: &[&str], is_over: bool) -> bool {
    let Some((step, rest)) = steps.split_first() else {
        return false;
    };
    let beside = Beside::of(members, is_over);
    let mut alike = members.iter().filter(|(name, _)| are_alike(name, step));
    alike.any(|(name, value)| {
        let leads = || (rest.is_empty() || is_next(name)) && !leads_nowhere(name, value, &beside);
        match value.parse::<JsonMap>() {
            Ok(inner) if !rest.is_empty() => stands_at(&inner, rest, beside.is_over) || leads(),
            _ => leads(),
        }
    })
}

/// Whether members of a page, or of what is around its number, lead to a next one, but for those of these names.
fn led_on(members: &JsonMap, but: &[&str], depth: usize, is_over: bool) -> Option<Lost> {
    let beside = Beside::of(members, is_over);
    let others = members.iter().filter(|(name, _)| !but.contains(name));
    let lost = others.filter_map(|(name, value)| leads_on(name, value, &beside, depth));
    let counted = (beside.is_last == Some(false) && !beside.is_over).then_some(Lost::Unnamed);
    // Where it is named, that is what has to be told.
    lost.chain(counted)
        .reduce(|all, lost| if all == Lost::Elsewhere { all } else { lost })
}

fn leads_on(name: &str, value: &Json, beside: &Beside, depth: usize) -> Option<Lost> {
    if is_next(name) {
        return (!leads_nowhere(name, value, beside)).then_some(Lost::Elsewhere);
    }
    if says_more(name, value) == Some(true) {
        return Some(Lost::Unnamed);
    }
    let is_of_links = named(name, LINKS).is_some();
    if depth == 0 || !is_of_links && named(name, AROUND).is_none() {
        return None;
    }
    let inside = |value: &Json| match value.parse() {
        Ok(inner) => led_on(&inner, &[], depth - 1, beside.is_over),
        // Of two that have the same name, nobody can tell.
        Err(_) => Some(Lost::Elsewhere),
    };
    match value.get().as_bytes().first()? {
        b'{' => inside(value),
        b'[' if is_of_links => {
            let links = value.items()?;
            let mut links = links.iter();
            links
                .any(|link| is_a_link_to_next(link, beside))
                .then_some(Lost::Elsewhere)
        }
        b'[' => {
            let parts = value.items()?;
            parts.iter().filter(|part| part.get().starts_with('{')).find_map(inside)
        }
        _ => None,
    }
}

/// Whether a field that a page is not described with may name the next one, or belong to what does: `around` is the field that
/// it stands in, if it is not of the page itself.
pub(crate) fn may_name_next(name: &str, around: Option<&str>) -> bool {
    let says = |name: &str, word: &[u8]| name.as_bytes().windows(4).any(|part| part.eq_ignore_ascii_case(word));
    let says_next = |name: &str| says(name, b"next");
    says_next(name)
        || says(name, b"more")
        || says(name, b"last")
        || [TRUNCATED, THIS, ALL].iter().any(|names| named(name, names).is_some())
        || around.is_some_and(says_next)
        || named(name, LINKS).or(named(name, AROUND)).is_some()
        || is_next(name)
}

/// The same where nobody knows what the field stands in.
pub(crate) fn may_belong_to_next(name: &str) -> bool {
    may_name_next(name, None) || named(name, TARGETS).is_some()
}

/// Whether a link in a list leads to the next page. One that does not say where it leads does not; where it leads may be one
/// of several words, in letters of either case (RFC 8288 section 3.3), how an address ends, or the name of the link itself.
fn is_a_link_to_next(link: &Json, beside: &Beside) -> bool {
    if !link.get().starts_with('{') {
        return false;
    }
    let Ok(members) = link.parse::<JsonMap>() else {
        return true;
    };
    let says_next = |text: &Json| {
        let text = text.text().unwrap_or_default();
        let mut words = text.split_whitespace();
        words.any(|word| word.rsplit(['.', '/', '#', ':']).next().is_some_and(is_next))
    };
    let mut relations = members.iter().filter(|(name, _)| named(name, RELATIONS).is_some());
    let is_next_one = relations.any(|(_, relation)| match relation.items() {
        Some(relations) => relations.iter().any(says_next),
        None => says_next(relation),
    });
    is_next_one && !beside.is_over && !has_no_target(link) || led_on(&members, &[], 0, beside.is_over).is_some()
}

/// What is said of the page beside what may name the next one.
///
/// Only a word says that there are no more, whatever names a next page. Numbers may be counted from zero or from one on, or
/// count something else: they say so of the number of a next page alone, and where they say the same however they are read.
struct Beside {
    /// There are no more, in a word.
    is_over: bool,
    this: Option<Decimal>,
    /// Whether the page is the last by the numbers of the pages; none: they do not say, or not for certain.
    is_last: Option<bool>,
    /// The numbers of the page and of the last one, by names that have no other meaning.
    current: Option<Decimal>,
    most: Option<Decimal>,
    offset: Option<Decimal>,
    total: Option<Decimal>,
}

impl Beside {
    fn of(members: &JsonMap, is_over: bool) -> Self {
        let number = |names: &[&'static str]| {
            let members = members.iter().filter(|(name, _)| named(name, names).is_some());
            let mut numbers = members.filter_map(|(_, value)| value.decimal());
            let first = numbers.next().filter(|number| !number.is_sign_negative())?;
            // Of two that differ one is something else.
            numbers.all(|other| other == first).then_some(first)
        };
        let this = number(THIS);
        let said = || members.iter().filter_map(|(name, value)| says_more(name, value));
        Self {
            is_over: is_over || said().any(|more| !more) && !said().any(|more| more),
            this,
            is_last: is_last(this, number(LAST), number(ALL)),
            current: number(CURRENT),
            most: number(MOST),
            offset: number(OFFSET),
            total: number(TOTAL).filter(|total| !total.is_zero()),
        }
    }

    /// Whether what stands under this name is the number of a page, and of none that is behind this one.
    fn has_no_page(&self, name: &str, next: Decimal) -> bool {
        let follows = || self.this.and_then(|this| this.checked_add(Decimal::ONE)) == Some(next);
        let is_number = named(name, NEXT_NUMBER).is_some();
        let is_none_behind =
            || self.current.is_some_and(|current| next <= current) || self.most.is_some_and(|most| next > most);
        match self.is_last {
            Some(is_last) => is_last && (is_number || are_alike(name, NEXT) && follows()),
            None => is_number && is_none_behind(),
        }
    }

    /// Whether what stands under this name is an offset behind all items. Where the total is as large as the page, it may be
    /// no more than that.
    fn has_no_item(&self, name: &str, next: Decimal) -> bool {
        let is_behind = |(offset, total): (Decimal, Decimal)| next >= total && next.checked_sub(offset) != Some(total);
        named(name, NEXT_OFFSET).is_some() && self.offset.zip(self.total).is_some_and(is_behind)
    }
}

/// Whether a page is the last by its number, that of the last one, and how many there are: none, where that depends on whether
/// they are counted from zero on, or makes no sense.
fn is_last(this: Option<Decimal>, last: Option<Decimal>, all: Option<Decimal>) -> Option<bool> {
    let (this, one) = (this?, Decimal::ONE);
    if let Some(last) = last {
        return (this <= last).then_some(this == last);
    }
    let all = all?;
    // Of none or one there is no other.
    if all <= one {
        return (this <= one).then_some(true);
    }
    match this.checked_add(one)? {
        next if next < all || this.is_zero() => Some(false),
        // The last one, counted from zero on, or the one before it.
        next if next == all => None,
        _ => (this == all).then_some(true),
    }
}

/// Whether a member says that there are more, or that there are none.
fn says_more(name: &str, value: &Json) -> Option<bool> {
    // Most names are none of these.
    let may_say = matches!(letters(name).next(), Some('h' | 'i' | 'l' | 'm' | 't'));
    let text = may_say.then(|| value.plain()).flatten()?;
    let is_one_of = |words: &[&str]| words.iter().any(|word| word.eq_ignore_ascii_case(text.trim()));
    let said = match () {
        () if is_one_of(YES) => Some(true),
        () if is_one_of(NO) => Some(false),
        () => None,
    };
    if named(name, IS_LAST).is_some() {
        return said.map(|is_last| !is_last);
    }
    let name: String = letters(name).collect();
    let mut behind = MORE.iter().filter_map(|more| name.strip_prefix(more));
    if !behind.any(|behind| BEHIND_MORE.contains(&behind)) {
        let is_of_things = name
            .strip_prefix(MORE_THINGS)
            .is_some_and(|things| things.ends_with('s'));
        let is_the_rest = is_of_things || TRUNCATED.contains(&name.as_str());
        return said.filter(|more| *more && is_the_rest);
    }
    said.or_else(|| {
        value
            .decimal()
            .filter(|count| !count.is_sign_negative())
            .map(|count| !count.is_zero())
    })
}

/// Whether what stands under a name for the next page says that there is none.
fn leads_nowhere(name: &str, next: &Json, beside: &Beside) -> bool {
    let says_none = |text: String| {
        let text = text.trim();
        // Words for people, and no link that has blanks in it.
        let is_said = text.contains(char::is_whitespace) && !text.contains(['/', '?', '=']);
        // When something comes next.
        let is_time = || {
            are_alike(name, NEXT) && (text.parse::<NaiveDate>().is_ok() || DateTime::parse_from_rfc3339(text).is_ok())
        };
        is_none(text) || is_said || is_time()
    };
    let has_no_page = |number| beside.has_no_page(name, number) || beside.has_no_item(name, number);
    beside.is_over
        || is_blank(next)
        || next.plain().is_some_and(says_none)
        || has_no_target(next)
        || next.decimal().is_some_and(has_no_page)
}

/// Whether a link is an object that says of its target that there is none, or has nothing that might be one.
fn has_no_target(link: &Json) -> bool {
    let members = link.parse::<JsonMap>().unwrap_or_default();
    let is_none = |value: &Json| is_blank(value) || value.plain().is_some_and(|text| is_none(&text));
    let targets = || members.iter().filter(|(name, _)| named(name, TARGETS).is_some());
    match targets().next() {
        Some(_) => targets().all(|(_, target)| is_none(target)),
        None => {
            let mut others = members
                .iter()
                .filter(|(name, _)| named(name, BESIDE_A_TARGET).is_none());
            !members.is_empty() && others.all(|(_, value)| is_none(value))
        }
    }
}

fn is_next(name: &str) -> bool {
    fn is_of_words(letters: &str) -> bool {
        let mut behind = BEHIND_NEXT.iter().filter_map(|word| letters.strip_prefix(word));
        letters.is_empty() || behind.any(is_of_words)
    }
    let mut first = letters(name);
    // Most names are none of these.
    if !matches!(first.next(), Some('n' | 'c' | 'r' | 's')) {
        return false;
    }
    let name: String = letters(name).collect();
    name.strip_prefix(NEXT).is_some_and(is_of_words) || OTHERS.contains(&name.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_next_page_that_stands_where_nobody_looks_for_it_is_lost() {
        for (pointer, page, lost) in [
            (
                "/_links/next/href",
                r#"{"_links":{"next":{"href":"/x","url":"/y"}}}"#,
                false,
            ),
            ("/_links/next/href", r#"{"_links":{"next":{"url":"/x"}}}"#, true),
            ("/_links/next/href", r#"{"_links":{"next":{"HREF":"/x"}}}"#, true),
            ("/_links/next/href", r#"{"_links":{"next":{"title":"x"}}}"#, true),
            (
                "/_links/next/href",
                r#"{"_links":{"next":{"href":null,"title":"x"}}}"#,
                false,
            ),
            (
                "/_links/next/href",
                r#"{"_links":{"next":{"href":" ","url":"/x"}}}"#,
                true,
            ),
            (
                "/_links/next/href",
                r#"{"_links":{"next":{"href":null,"url":""}}}"#,
                false,
            ),
            ("/_links/next/href", r#"{"_links":{"next":"/x"}}"#, true),
            ("/_links/next/href", r#"{"_links":{"next":{}}}"#, false),
            ("/_links/next/href", r#"{"_links":{"Next":{"href":"/x"}}}"#, true),
            ("/_links/next/href", r#"{"_Links":{"next":{"href":"/x"}}}"#, true),
            ("/_links/next/href", r#"{"links":{"next":{"href":"/x"}}}"#, true),
            ("/_links/next/href", r#"{"links":[{"rel":"next","href":"/x"}]}"#, true),
            ("/_links/next/href", r#"{"links":[{"rel":"self","href":"/x"}]}"#, false),
            ("/_links/next/href", r#"{"links":"/x"}"#, false),
            ("/_links/next/href", r#"{"_links":{"account":{"href":"/x"}}}"#, false),
            ("/_links/next/href", r#"{"_links":null,"meta":{"next_page":2}}"#, true),
            (
                "/_links/next/href",
                r#"{"meta":{"next_page":null},"page":1,"view":[1]}"#,
                false,
            ),
            ("/_links/next/href", r#"{"next":"/x"}"#, true),
            ("/_links/next/href", r#"{"nextPaymentDate":"2026-11-27"}"#, false),
            ("/listing/continueAt", r#"{"Listing":{"Continue_At":"x"}}"#, true),
            ("/listing/continueAt", r#"{"listing":{"continueAt":{"a":"x"}}}"#, true),
            ("/listing/continueAt", r#"{"listing":{"continueAt":{"a":null}}}"#, false),
            ("/paging/next", r#"{"meta":[{"rel":"next","href":"/x"}]}"#, false),
            (
                "/paging/next",
                r#"{"meta":{"meta":{"meta":{"meta":{"next":"/x"}}}}}"#,
                true,
            ),
            (
                "/paging/next",
                r#"{"meta":{"meta":{"meta":{"meta":{"meta":{"next":"/x"}}}}}}"#,
                false,
            ),
            ("/paging/next", r#"{"paging":{"next":null,"Next":"/x"}}"#, true),
            ("/paging/next", r#"{"paging":{"next":"/x","Next":"/y"}}"#, false),
            ("/paging/next", r#"{"paging":{"next":{"href":"/x"}}}"#, true),
            (
                "/paging/next",
                r#"{"paging":{"total":3,"next":null,"prev":"/x"}}"#,
                false,
            ),
            (
                "/page/nextOffset",
                r#"{"page":{"nextOffset":null,"NextOffset":"7"}}"#,
                true,
            ),
            ("/page/nextOffset", r#"{"page":{"nextOffset":" ","next":""}}"#, false),
            ("/page/nextOffset", r#"{"Page":{"next_offset":7}}"#, true),
            (
                "/hydra:view/hydra:next",
                r#"{"hydra:view":{"hydra:last":"/x","next":"/y"}}"#,
                true,
            ),
            ("/hydra:view/hydra:next", r#"{"hydra:view":{"hydra:last":"/x"}}"#, false),
            // Of two that have the same name, nobody can tell.
            ("/_links/next/href", r#"{"_links":{"a":1,"a":2}}"#, true),
            ("/meta/links/next", r#"{"meta":{"Links":{"next":"/x"}}}"#, true),
            ("/paging/next", "[]", false),
            // What would be followed, and is none.
            ("/paging/next", r#"{"paging":{"next":"none","Next":"/x"}}"#, true),
            ("/paging/next", r#"{"paging":{"next":"none"},"has_more":true}"#, true),
            ("/paging/next", r##"{"paging":{"next":"#"}}"##, false),
            // Nobody would follow it anywhere.
            ("", r#"{"list":[],"next":"/x"}"#, true),
            ("", r#"{"list":[],"next":null}"#, false),
        ] {
            let page: Json = page.parse().unwrap();
            assert_eq!(is_lost(&page, pointer, None), lost, "{pointer}: {}", page.get());
        }
        let items: Json = r#"{"links":[{"rel":"next","href":"/x"}]}"#.parse().unwrap();
        assert!(is_lost(&items, "/next", None) && !is_lost(&items, "/next", Some("/links")));
    }

    #[test]
    fn what_names_no_next_page_is_the_end() {
        for beside in [
            r#""links":["/x"]"#,
            r#""links":[{"href":"/x","method":"GET"}]"#,
            r#""links":[{"name":"self","href":"/x"}]"#,
            r#""links":[{"type":"self","url":"/x"}]"#,
            r#""links":[{"rel":["self"],"href":"/x"}]"#,
            r#""links":[{"rel":null,"href":"/x"}]"#,
            r#""_links":[{"self":{"href":"/x"}}]"#,
            r#""_links":"/x""#,
            r#""links":[{"url":null,"label":"Previous"},{"url":"/x?page=1","label":"1"},{"url":null,"label":"Next &raquo;"}],
               "next_page_url":null"#,
            r#""pagination":{"next":"null"}"#,
            r#""pagination":{"next_page":1,"current_page":1,"last_page":1}"#,
            r#""pagination":{"nextCursor":"-1"}"#,
            r#""next":{"page":null}"#,
            r#""next":{"available":false}"#,
            r#""next":-1"#,
            r#""page":{"total":1,"next":"none"}"#,
            r#""navigation":{"next":"Next page"}"#,
            r#""meta":{"next":"2026-12-01"}"#,
            r#""has_more":false"#,
            r#""has_more":"0""#,
            r#""pageInfo":{"hasNextPage":false,"endCursor":"x"}"#,
            r#""meta":{"links":{"self":"/x","next":null}}"#,
            // It says in a word that it is the last, or by its number, and what is still there is of no use.
            r#""has_more":false,"next_cursor":"abc""#,
            r#""hasMore":"N","nextPageToken":"abc""#,
            r#""pagination":{"hasNext":false,"nextCursor":"abc"}"#,
            r#""has_more":false,"response_metadata":{"next_cursor":"abc"}"#,
            r#""last":true,"number":4,"next":5"#,
            r#""moreData":0,"links":[{"rel":"next","href":"/x"}]"#,
            r#""meta":{"page":1,"total_pages":1,"next":2}"#,
            r#""page":{"number":0,"totalPages":1,"nextPage":1}"#,
            r#""page":{"number":4,"totalPages":4,"nextPage":5}"#,
            r#""page":{"number":4,"totalPages":4,"nextPage":1}"#,
            r#""page":1,"pages":0,"nextPage":2"#,
            r#""currentPage":4,"lastPage":4,"nextPage":5"#,
            r#""pagination":{"next_page":2,"last_page":1}"#,
            r#""nextPage":3,"totalPages":2"#,
            r#""nextPage":1,"currentPage":1"#,
            // The last one, or the one before it.
            r#""page":{"number":3,"totalPages":4}"#,
            r#""pagination":{"page":9,"totalPages":9}"#,
            r#""page":1,"pageCount":1"#,
            r#""lastPageReached":true"#,
            r#""resumptionToken":null"#,
            r#""page":50,"pages":9"#,
            r#""isTruncated":false,"hasMoreTransactions":false"#,
            r#""hasMoreInfo":true"#,
            r#""page":{"page":0,"totalPages":1,"next":1}"#,
            r#""meta":{"total":1,"limit":100,"offset":0,"nextOffset":100}"#,
            r#""meta":{"total":200,"limit":100,"offset":100,"nextOffset":200}"#,
            // Words for none.
            r#""nextCursor":"0""#,
            r#""nextPage":"0""#,
            r#""next":"END""#,
            r#""nextCursor":"LAST""#,
            r#""nextOffset":"undefined""#,
            r##""next":"#""##,
            r##""links":[{"rel":"next","href":"#"}]"##,
            r##""_links":{"next":{"href":"#"}}"##,
            r#""pagination":{"next":{"page":null,"size":10}}"#,
            r#""pagination":{"next":{"cursor":null,"limit":100}}"#,
            r#""pagination":{"next":{"disabled":true}}"#,
            r#""meta":{"next":"2026-12-01T06:00:00Z"}"#,
            r#""links":[{"rel":"https://next.example/rels/self","href":"/x"}]"#,
            r#""more":false,"moreInformation":"/x","more_info":true"#,
            r#""last":"/x?page=9","lastPage":9"#,
            r#""nextPaymentId":7,"nextdue":"x""#,
            r#""pagination":[{"next":null}],"view":[1]"#,
        ] {
            let page: Json = format!(r#"{{"data":[1],"paging":{{"next":null}},{beside}}}"#)
                .parse()
                .unwrap();
            assert_eq!(lost(&page, "/paging/next", Some("/data")), None, "{beside}");
        }
    }

    #[test]
    fn a_next_page_is_found_by_its_usual_names_and_where_one_is_only_said_to_be() {
        for (beside, is) in [
            (r#""next_page_url":"/x""#, Lost::Elsewhere),
            (r#""next_page_uri":"/x""#, Lost::Elsewhere),
            (r#""nextPageLink":"/x""#, Lost::Elsewhere),
            (r#""nextPageNumber":2"#, Lost::Elsewhere),
            (r#""continuationToken":"x""#, Lost::Elsewhere),
            (r#""@odata.nextLink":"/x""#, Lost::Elsewhere),
            (r#""odata.nextLink":"/x""#, Lost::Elsewhere),
            (r#""Paging":{"next_page_url":"/x"}"#, Lost::Elsewhere),
            (r#""meta":{"links":{"next":"/x"}}"#, Lost::Elsewhere),
            (r#""meta":{"links":[{"rel":"next","href":"/x"}]}"#, Lost::Elsewhere),
            (r#""meta":{"pagination":{"links":{"next":"/x"}}}"#, Lost::Elsewhere),
            (r#""metadata":{"next":"/x"}"#, Lost::Elsewhere),
            (r#""pages":{"next":"/x"}"#, Lost::Elsewhere),
            (r#""links":[{"label":"Next &raquo;","url":"/x"}]"#, Lost::Elsewhere),
            (r#""links":[{"label":"pagination.next","url":"/x"}]"#, Lost::Elsewhere),
            (r#""links":[{"next":"/x"}]"#, Lost::Elsewhere),
            (r#""links":[{"rel":"self","rel":"x"}]"#, Lost::Elsewhere),
            (
                r#""pagination":{"next_page":2,"current_page":1,"last_page":2}"#,
                Lost::Elsewhere,
            ),
            (r#""pagination":{"next":7,"page":9,"pages":3}"#, Lost::Elsewhere),
            (r#""next":"/x?from=2026-12-01 10:00""#, Lost::Elsewhere),
            (r#""nextCursor":"2026-12-01""#, Lost::Elsewhere),
            (r#""has_more":true"#, Lost::Unnamed),
            (r#""hasMore":"true""#, Lost::Unnamed),
            (r#""pageInfo":{"hasNextPage":true,"endCursor":"x"}"#, Lost::Unnamed),
            (r#""has_more":true,"meta":{"next":"/x"}"#, Lost::Elsewhere),
            (r#""has_more":true,"hasNextPage":false,"next":"/x""#, Lost::Elsewhere),
            (r#""meta":{"page":1,"total_pages":2,"next":2}"#, Lost::Elsewhere),
            // Numbers say nothing of a link, a cursor or a token.
            (r#""number":1,"totalPages":2,"next":"/x?page=2""#, Lost::Elsewhere),
            (
                r#""number":1,"size":1,"totalElements":2,"totalPages":2,"links":{"next":"/x?page=2"}"#,
                Lost::Elsewhere,
            ),
            (
                r#""number":1,"totalPages":2,"links":[{"rel":"next","href":"/x"}]"#,
                Lost::Elsewhere,
            ),
            (
                r#""page":{"number":2,"totalPages":3,"links":{"next":"/x?page=3"}}"#,
                Lost::Elsewhere,
            ),
            (r#""number":1,"pages":2,"nextPageToken":"abc""#, Lost::Elsewhere),
            (r#""page":1,"pages":1,"next":"/x?page=2""#, Lost::Elsewhere),
            (r#""page":1,"pages":1,"nextPage":"/x?page=2""#, Lost::Elsewhere),
            (r#""page":0,"pages":1,"next":"/x?cursor=abc""#, Lost::Elsewhere),
            (r#""page":1,"pages":1,"nextCursor":"abc""#, Lost::Elsewhere),
            (r#""page":1,"pages":1,"nextCursor":2"#, Lost::Elsewhere),
            // They may be counted from one or from zero on, or be none of pages.
            (r#""page":{"number":1,"totalPages":2,"nextPage":2}"#, Lost::Elsewhere),
            (r#""page":{"number":3,"totalPages":4,"nextPage":4}"#, Lost::Elsewhere),
            (r#""currentPage":1,"nextPage":2"#, Lost::Elsewhere),
            (r#""currentPage":2,"totalPages":9,"nextPage":1"#, Lost::Elsewhere),
            (r#""page":2,"nextPage":2"#, Lost::Elsewhere),
            (r#""page":50,"nextPage":2"#, Lost::Elsewhere),
            (r#""page":2,"pageNumber":1,"pages":2,"nextPage":2"#, Lost::Elsewhere),
            (r#""meta":{"pageCount":100,"nextPage":101}"#, Lost::Elsewhere),
            (r#""meta":{"total":100,"count":100,"next_offset":100}"#, Lost::Elsewhere),
            (r#""meta":{"total":100,"offset":0,"next_offset":100}"#, Lost::Elsewhere),
            (
                r#""meta":{"total":100,"offset":100,"next_offset":200}"#,
                Lost::Elsewhere,
            ),
            (r#""hasMoreTransactions":false,"nextCursor":"abc""#, Lost::Elsewhere),
            (r#""isTruncated":false,"nextCursor":"abc""#, Lost::Elsewhere),
            // There are more, by the numbers or in a word.
            (r#""pagination":{"page":1,"totalPages":9}"#, Lost::Unnamed),
            (r#""_metadata":{"page":1,"page_count":3}"#, Lost::Unnamed),
            (r#""pageCount":3,"page":1"#, Lost::Unnamed),
            (r#""lastPageReached":false"#, Lost::Unnamed),
            (r#""pagingInfo":{"nextPageKey":"x"}"#, Lost::Elsewhere),
            (r#""pagingInformation":{"next":"x"}"#, Lost::Elsewhere),
            (r#""continuationKey":"x""#, Lost::Elsewhere),
            (r#""resumptionToken":"x""#, Lost::Elsewhere),
            (r#""scrollId":"x""#, Lost::Elsewhere),
            (r#""pagination":{"page":0,"totalPages":2}"#, Lost::Unnamed),
            (r#""currentPage":1,"lastPage":2"#, Lost::Unnamed),
            (r#""isTruncated":true"#, Lost::Unnamed),
            (r#""truncated":"true""#, Lost::Unnamed),
            (r#""hasMoreTransactions":true"#, Lost::Unnamed),
            (r#""page":{"number":1,"totalPages":3,"nextPage":2}"#, Lost::Elsewhere),
            (r#""meta":{"total":101,"offset":0,"nextOffset":100}"#, Lost::Elsewhere),
            (r#""meta":{"total":0,"offset":0,"nextOffset":100}"#, Lost::Elsewhere),
            (r#""next":{"page":2,"size":10}"#, Lost::Elsewhere),
            (r#""next":{"url":"/x","disabled":false}"#, Lost::Elsewhere),
            (r#""hasMore":"Y""#, Lost::Unnamed),
            (r#""more":true"#, Lost::Unnamed),
            (r#""moreData":true"#, Lost::Unnamed),
            (r#""moreDataAvailable":true"#, Lost::Unnamed),
            (r#""pagination":{"is_last_page":false}"#, Lost::Unnamed),
            (r#""last":false"#, Lost::Unnamed),
            (r#""has_more_results":2"#, Lost::Unnamed),
            (r#""nextPageKey":"x""#, Lost::Elsewhere),
            (r#""nextPageId":"x""#, Lost::Elsewhere),
            (r#""next_page_offset":"x""#, Lost::Elsewhere),
            (r#""NextContinuationToken":"x""#, Lost::Elsewhere),
            (r#""nextPaginationToken":"x""#, Lost::Elsewhere),
            (r#""pagination":{"cursor":{"next":"x"}}"#, Lost::Elsewhere),
            (r#""link":[{"rel":"next","href":"/x"}]"#, Lost::Elsewhere),
            (r#""link":{"next":"/x"}"#, Lost::Elsewhere),
            (r#""pagination":[{"next":"/x"}]"#, Lost::Elsewhere),
            (r#""result_info":{"next":"x"}"#, Lost::Elsewhere),
            (r#""links":[{"relation":"next","href":"/x"}]"#, Lost::Elsewhere),
            (
                r#""links":[{"rel":"https://x.example/rels/next","href":"/x"}]"#,
                Lost::Elsewhere,
            ),
            (r#""meta":{"next":"/x"},"pager":{"hasMore":1}"#, Lost::Elsewhere),
        ] {
            let page: Json = format!(r#"{{"data":[1],"paging":{{"next":null}},{beside}}}"#)
                .parse()
                .unwrap();
            assert_eq!(lost(&page, "/paging/next", Some("/data")), Some(is), "{beside}");
        }
        let named = r#"{"data":[1],"paging":{"next":"/x"},"has_more":true}"#.parse().unwrap();
        assert_eq!(lost(&named, "/paging/next", Some("/data")), None);
    }

    #[test]
    fn a_field_that_nobody_described_is_looked_at_where_it_may_name_the_next_page() {
        for (name, around, may) in [
            ("Next", None, true),
            ("url", Some("next"), true),
            ("url", Some("hydra:next"), true),
            ("url", Some("account"), false),
            ("page_next", Some("page"), true),
            ("Links", None, true),
            ("Links", Some("meta"), true),
            ("meta", None, true),
            ("has_more", None, true),
            ("metadata", None, true),
            ("continuation_token", None, true),
            ("is_last_page", None, true),
            ("nextPageKey", None, true),
            ("isTruncated", None, true),
            ("totalPages", None, true),
            ("pageNumber", None, true),
            ("hasMoreTransactions", None, true),
            ("note", None, false),
            ("nex", None, false),
        ] {
            assert_eq!(may_name_next(name, around), may, "{name}");
        }
    }
}
