//! Whether a page names a next one in a form in which nobody finds it, or says that there is one and names none.

use super::error_in_success::{are_alike, is_blank, named};
use super::{Json, JsonMap};

/// Names for the next page, as they are compared.
const NEXT: &[&str] = &[
    "next",
    "nextpage",
    "nextlink",
    "nexturl",
    "nexturi",
    "nexthref",
    "nextpageurl",
    "nextpageuri",
    "nextpagelink",
    "nextpagehref",
    "nextpagenumber",
    "nextpagecursor",
    "nextcursor",
    "nexttoken",
    "nextpagetoken",
    "nextoffset",
    "nextstart",
    "nextmarker",
    "nextkey",
    "continuationtoken",
];

/// Members that say whether there are more.
const MORE: &[&str] = &[
    "hasmore",
    "hasnext",
    "hasnextpage",
    "hasmorepages",
    "hasmoreitems",
    "hasmoreresults",
];
const YES: &[&str] = &["true", "1", "yes"];

/// Members with the number of the page itself, and of the last one.
const THIS: &[&str] = &["currentpage", "page", "pagenumber"];
const LAST: &[&str] = &["lastpage", "totalpages", "pages", "pagecount"];

/// Members with links in them, and others around what tells one page from another.
const LINKS: &str = "links";
const AROUND: &[&str] = &[
    LINKS,
    "page",
    "pages",
    "pageinfo",
    "pager",
    "paging",
    "pagination",
    "meta",
    "metadata",
    "responsemetadata",
    "info",
    "view",
    "navigation",
    "cursors",
];

/// How deep these stand in each other.
const MOST_AROUND: usize = 4;

/// Members of a link that say where it leads, and those with its target.
const RELATIONS: &[&str] = &["rel", "name", "type", "label"];
const TARGETS: &[&str] = &["href", "url", "uri", "link", "target", "location"];

/// What stands in the place of a next page where there is none.
const NONE: &[&str] = &["", "-", "-1", "null", "none", "nil", "n/a", "false"];

/// What is wrong with a page that does not name the next one where it is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lost {
    /// It is named in another form: by a name that is written otherwise, in another place, or by a link whose target stands
    /// under another name.
    Elsewhere,
    /// There is one, and it is not named.
    Unnamed,
}

/// Whether a page without a text at `pointer`, where one would be followed, has a next page all the same. `items`: where its
/// items are.
pub(crate) fn lost(page: &Json, pointer: &str, items: Option<&str>) -> Option<Lost> {
    let is_text = |text: String| !text.trim().is_empty();
    if page.pointer(pointer).and_then(|next| next.plain()).is_some_and(is_text) {
        return None;
    }
    let members = page.parse::<JsonMap>().ok()?;
    let steps: Vec<&str> = pointer.split('/').skip(1).collect();
    let items = items.and_then(|items| items.split('/').nth(1));
    match stands_at(&members, &steps) {
        true => Some(Lost::Elsewhere),
        false => led_on(&members, items, MOST_AROUND),
    }
}

pub(crate) fn is_lost(page: &Json, pointer: &str, items: Option<&str>) -> bool {
    lost(page, pointer, items).is_some()
}

/// Whether something stands where these names lead.
fn stands_at(members: &JsonMap, steps: &[&str]) -> bool {
    let Some((step, rest)) = steps.split_first() else {
        return false;
    };
    let mut alike = members.iter().filter(|(name, _)| are_alike(name, step));
    alike.any(|(name, value)| match value.parse::<JsonMap>() {
        Ok(inner) if !rest.is_empty() => {
            stands_at(&inner, rest) || is_next(name) && !leads_nowhere(name, value, members)
        }
        _ => (rest.is_empty() || is_next(name)) && !leads_nowhere(name, value, members),
    })
}

/// Whether a member beside items names a next page, or says that there is one.
pub(crate) fn names_next(name: &str, value: &Json) -> bool {
    leads_on(name, value, &JsonMap::new(), MOST_AROUND).is_some()
}

/// Whether members of a page, or of what is around its number, lead to a next one.
fn led_on(members: &JsonMap, items: Option<&str>, depth: usize) -> Option<Lost> {
    let others = members.iter().filter(|(name, _)| Some(*name) != items);
    let mut lost = others.filter_map(|(name, value)| leads_on(name, value, members, depth));
    let first = lost.next()?;
    // Where it is named, that is what has to be told.
    Some(lost.fold(first, |all, lost| if all == Lost::Elsewhere { all } else { lost }))
}

fn leads_on(name: &str, value: &Json, beside: &JsonMap, depth: usize) -> Option<Lost> {
    if is_next(name) {
        return (!leads_nowhere(name, value, beside)).then_some(Lost::Elsewhere);
    }
    if named(name, MORE).is_some() {
        let says_so = |text: String| YES.iter().any(|yes| yes.eq_ignore_ascii_case(text.trim()));
        return value.plain().is_some_and(says_so).then_some(Lost::Unnamed);
    }
    let around = named(name, AROUND).filter(|_| depth > 0)?;
    match value.get().as_bytes().first()? {
        b'{' => match value.parse() {
            Ok(inner) => led_on(&inner, None, depth - 1),
            // Of two that have the same name, nobody can tell.
            Err(_) => Some(Lost::Elsewhere),
        },
        b'[' if around == LINKS => {
            let links = value.items()?;
            links.iter().any(is_a_link_to_next).then_some(Lost::Elsewhere)
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
        || around.is_some_and(says_next)
        || named(name, AROUND).is_some()
        || is_next(name)
}

/// The same where nobody knows what the field stands in.
pub(crate) fn may_belong_to_next(name: &str) -> bool {
    may_name_next(name, None) || named(name, TARGETS).is_some()
}

/// Whether a link in a list leads to the next page. One that does not say where it leads does not; where it leads may be one
/// of several words, in letters of either case (RFC 8288 section 3.3), or the name of the link itself.
fn is_a_link_to_next(link: &Json) -> bool {
    if !link.get().starts_with('{') {
        return false;
    }
    let Ok(members) = link.parse::<JsonMap>() else {
        return true;
    };
    let says_next = |text: &Json| {
        let text = text.text().unwrap_or_default();
        text.split(|letter: char| letter.is_whitespace() || letter == '.')
            .any(is_next)
    };
    let mut relations = members.iter().filter(|(name, _)| named(name, RELATIONS).is_some());
    let is_next_one = relations.any(|(_, relation)| match relation.items() {
        Some(relations) => relations.iter().any(says_next),
        None => says_next(relation),
    });
    is_next_one && !has_no_target(link) || led_on(&members, None, 0).is_some()
}

/// Whether what stands under a name for the next page says that there is none.
fn leads_nowhere(name: &str, next: &Json, beside: &JsonMap) -> bool {
    let is_none = |text: &str| {
        let is_word = NONE.iter().any(|none| none.eq_ignore_ascii_case(text));
        // Words for people, and no link that has blanks in it.
        let is_said = text.contains(char::is_whitespace) && !text.contains(['/', '?', '=']);
        // The day on which something comes next.
        let is_day = || named(name, &["next"]).is_some() && text.parse::<chrono::NaiveDate>().is_ok();
        is_word || is_said || is_day()
    };
    let says_none = next.plain().is_some_and(|text| is_none(text.trim()));
    let is_numbered = || named(name, &["nextpage", "nextpagenumber"]).is_some();
    is_blank(next) || says_none || has_no_target(next) || is_numbered() && is_of_no_other_page(next, beside)
}

/// Whether the number of a page is that of the page itself or of one before it, or lies behind the last page.
fn is_of_no_other_page(next: &Json, beside: &JsonMap) -> bool {
    let number = |names: &[&'static str]| {
        let mut members = beside.iter().filter(|(name, _)| named(name, names).is_some());
        members.find_map(|(_, value)| value.decimal())
    };
    next.decimal().is_some_and(|next| {
        number(THIS).is_some_and(|this| next <= this) || number(LAST).is_some_and(|last| next > last)
    })
}

/// Whether a link is an object that says of its target that there is none.
fn has_no_target(link: &Json) -> bool {
    let members = link.parse::<JsonMap>().unwrap_or_default();
    let targets = members.iter().filter(|(name, _)| named(name, TARGETS).is_some());
    let targets: Vec<_> = targets.map(|(_, target)| is_blank(target)).collect();
    !targets.is_empty() && !targets.contains(&false)
}

fn is_next(name: &str) -> bool {
    named(name, NEXT).is_some()
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
            r#""pagination":{"next_page":2,"last_page":1}"#,
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
            ("note", None, false),
            ("nex", None, false),
        ] {
            assert_eq!(may_name_next(name, around), may, "{name}");
        }
    }
}
