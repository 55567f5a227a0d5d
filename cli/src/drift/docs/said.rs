//! What is said of a page that was not read, not read before, or not read to the end.

use crate::drift::facts::Recorded;
use crate::drift::finding::Class;
use crate::drift::spec::Issue;

fn unhandled(rule: &'static str, subject: &str, what: String, effect: &str, fix: &str) -> Issue {
    Issue {
        rule,
        class: Class::Unhandled,
        operation: None,
        subject: subject.to_owned(),
        pointer: String::new(),
        what,
        effect: effect.to_owned(),
        fix: fix.to_owned(),
    }
}

const SAVE: &str = "see that it is the page, and save what a browser shows of it";

/// A page without facts is an error page, a page that a browser must make first, or one that this tool cannot read.
pub(super) fn empty(source: &str, sign: Option<&str>) -> Issue {
    let like = sign.map(|sign| format!(", and looks like {sign}")).unwrap_or_default();
    unhandled(
        "page-without-facts",
        source,
        format!("the page has no facts{like}"),
        "nothing was compared",
        SAVE,
    )
}

/// Something else stands at the address.
pub(super) fn not_the_page(source: &str, why: &str) -> Issue {
    unhandled(
        "not-the-page",
        source,
        format!("this is not the page: {why}"),
        "nothing was compared, and nothing is taken for withdrawn",
        SAVE,
    )
}

/// A page that is read for the first time.
pub(super) fn not_recorded(source: &str, recorded: &Recorded) -> Issue {
    let known: Vec<&str> = recorded.pages.iter().map(|page| page.source.as_str()).collect();
    let fix = match known.as_slice() {
        [] => "see that it is the page, then record it with --accept".to_owned(),
        known => format!(
            "add --page with one of {}, or record this one with --accept",
            known.join(", ")
        ),
    };
    unhandled(
        "page-not-recorded",
        source,
        "nothing is recorded of this page".to_owned(),
        "it was compared with the specification alone: what it says no longer cannot be told",
        &fix,
    )
}

/// Places that look as if they held facts.
pub(super) fn unread(source: &str, unread: &[String]) -> Issue {
    const SHOWN: usize = 3;
    let more = unread.len().saturating_sub(SHOWN);
    let mut shown = unread[..unread.len().min(SHOWN)].join("; ");
    if more > 0 {
        shown.push_str(&format!("; and {more} more"));
    }
    unhandled(
        "page-unread",
        source,
        format!("not read: {shown}"),
        "what stands there was not compared",
        "read it there, then record the page with --accept",
    )
}

/// A record of before there were fingerprints.
pub(super) fn without_lines(source: &str) -> Issue {
    unhandled(
        "page-without-lines",
        source,
        "the text of the page is another one, and no fingerprints of its passages are recorded".to_owned(),
        "its facts were compared, and which of its words are new cannot be told",
        "read the page, then record it with --accept",
    )
}

/// The same words, which say something else in another order.
pub(super) fn moved(source: &str, section: &str) -> Issue {
    unhandled(
        "page-passages-moved",
        source,
        format!(
            "the section that starts with `{}` has the passages that the page had, in another order, or more or less often",
            short(section)
        ),
        "what they say together is not understood by this tool",
        "read it there, follow it in the specification where it concerns the client, then record the page with --accept",
    )
}

fn short(text: &str) -> String {
    const LONGEST: usize = 200;
    match text.char_indices().nth(LONGEST) {
        Some((at, _)) => format!("{}...", &text[..at]),
        None => text.to_owned(),
    }
}

/// New passages that a client might have to obey, each a finding; of very many only the first.
pub(super) fn demands(source: &str, demands: &[String]) -> Vec<Issue> {
    const SHOWN: usize = 12;
    let told = |what: String| {
        unhandled(
            "page-demands",
            source,
            what,
            "what it asks of the client is not understood by this tool",
            "read it there, follow it in the specification where it concerns the client, then record the page with --accept",
        )
    };
    let first = demands.iter().take(SHOWN);
    let mut all: Vec<Issue> = first
        .map(|text| told(format!("new on the page: {}", short(text))))
        .collect();
    if demands.len() > SHOWN {
        all.push(told(format!(
            "{} more passages like these are new on the page",
            demands.len() - SHOWN
        )));
    }
    all
}
