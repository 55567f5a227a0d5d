//! Whether a page names a next one in a form in which nobody finds it.

use super::error_in_success::is_blank;
use super::{Json, JsonMap};

/// Names for the next page, as they are compared.
const NEXT: &[&str] = &[
    "next",
    "nextpage",
    "nextlink",
    "nexturl",
    "nexturi",
    "nexthref",
    "nextcursor",
    "nexttoken",
    "nextpagetoken",
    "nextoffset",
    "nextkey",
];

/// Members with links in them, and others around what tells one page from another.
const LINKS: &str = "links";
const AROUND: &[&str] = &[
    LINKS,
    "page",
    "paging",
    "pagination",
    "meta",
    "view",
    "navigation",
    "cursors",
];

/// Members of a link with its target.
const TARGETS: &[&str] = &["href", "url", "uri", "link", "target", "location"];

/// Whether a page without a text at `pointer`, where one would be followed, names a next page in another way: by a name that is
/// written otherwise, in another place, or by a link whose target stands under another name. `items`: where its items are.
pub(crate) fn is_lost(page: &Json, pointer: &str, items: Option<&str>) -> bool {
    let is_text = |text: String| !text.trim().is_empty();
    if page.pointer(pointer).and_then(|next| next.plain()).is_some_and(is_text) {
        return false;
    }
    let Ok(members) = page.parse::<JsonMap>() else {
        return false;
    };
    let steps: Vec<String> = pointer.split('/').skip(1).map(plain_name).collect();
    let items = items.and_then(|items| items.split('/').nth(1));
    let mut others = members.iter().filter(|(name, _)| Some(*name) != items);
    stands_at(&members, &steps) || others.any(|(name, value)| names_next(name, value))
}

/// Whether something stands where these names lead.
fn stands_at(members: &JsonMap, steps: &[String]) -> bool {
    let Some((step, rest)) = steps.split_first() else {
        return false;
    };
    let mut alike = members.iter().filter(|(name, _)| plain_name(name) == *step);
    alike.any(|(name, value)| match value.parse::<JsonMap>() {
        Ok(inner) if !rest.is_empty() => stands_at(&inner, rest) || is_next(name) && !leads_nowhere(value),
        _ => (rest.is_empty() || is_next(name)) && !is_blank(value),
    })
}

/// Whether a member beside items names a next page.
pub(crate) fn names_next(name: &str, value: &Json) -> bool {
    let plain = plain_name(name);
    if is_next(name) {
        return !leads_nowhere(value);
    }
    match value.get().as_bytes().first() {
        Some(b'{') => AROUND.contains(&plain.as_str()) && may_lead_on(value),
        Some(b'[') => plain == LINKS && may_lead_on(value),
        _ => name == "_links" && may_lead_on(value),
    }
}

/// Whether a field that a page is not described with may name the next one, or belong to what does: `around` is the field that
/// it stands in, if it is not of the page itself.
pub(crate) fn may_name_next(name: &str, around: Option<&str>) -> bool {
    let says_next = |name: &str| {
        let mut parts = name.as_bytes().windows(4);
        parts.any(|part| part.eq_ignore_ascii_case(b"next"))
    };
    says_next(name) || around.is_some_and(says_next) || AROUND.contains(&plain_name(name).as_str())
}

/// The same where nobody knows what the field stands in.
pub(crate) fn may_belong_to_next(name: &str) -> bool {
    may_name_next(name, None) || TARGETS.contains(&plain_name(name).as_str())
}

/// Whether links may have one to a next page: one that has, or links of which nobody can tell.
fn may_lead_on(links: &Json) -> bool {
    match links.get().as_bytes().first() {
        Some(b'{') => match links.parse::<JsonMap>() {
            Ok(links) => links.iter().any(|(name, link)| is_next(name) && !leads_nowhere(link)),
            Err(_) => true,
        },
        Some(b'[') => match links.items() {
            Some(links) => links
                .iter()
                .any(|link| !is_of_another_page(link) && !has_no_target(link)),
            None => true,
        },
        _ => !is_blank(links),
    }
}

fn leads_nowhere(link: &Json) -> bool {
    is_blank(link) || has_no_target(link)
}

/// Whether a link in a list is known to lead elsewhere than to the next page. A relation may be one of several, in letters of
/// either case (RFC 8288 section 3.3).
fn is_of_another_page(link: &Json) -> bool {
    let members = link.parse::<JsonMap>().unwrap_or_default();
    let relations = members.iter().filter(|(name, _)| name.eq_ignore_ascii_case("rel"));
    let relations: Vec<_> = relations.map(|(_, relations)| relations.text()).collect();
    let is_other = |relations: &String| !relations.split_whitespace().any(is_next);
    !relations.is_empty()
        && relations
            .iter()
            .all(|relations| relations.as_ref().is_some_and(is_other))
}

/// Whether a link is an object that says of its target that there is none.
fn has_no_target(link: &Json) -> bool {
    let members = link.parse::<JsonMap>().unwrap_or_default();
    let targets = members
        .iter()
        .filter(|(name, _)| TARGETS.contains(&plain_name(name).as_str()));
    let targets: Vec<_> = targets.map(|(_, target)| is_blank(target)).collect();
    !targets.is_empty() && !targets.contains(&false)
}

fn is_next(name: &str) -> bool {
    NEXT.contains(&plain_name(name).as_str())
}

/// A name as it is compared: without its vocabulary, as in `hydra:next`, and without `_` and `-`.
fn plain_name(name: &str) -> String {
    let name = name.rsplit(':').next().unwrap_or_default();
    let letters = name.chars().filter(|letter| !matches!(letter, '_' | '-'));
    letters.map(|letter| letter.to_ascii_lowercase()).collect()
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
        let items: Json = r#"{"links":[{"href":"/x"}]}"#.parse().unwrap();
        assert!(is_lost(&items, "/next", None) && !is_lost(&items, "/next", Some("/links")));
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
            ("note", None, false),
            ("nex", None, false),
        ] {
            assert_eq!(may_name_next(name, around), may, "{name}");
        }
    }
}
