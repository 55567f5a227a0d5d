//! Whether what was read is the page at all.

use crate::drift::extract::Reading;
use crate::drift::facts::{Facts, Page};
use crate::drift::page::Text;

/// What stands at the top of a page that is shown instead of another, and what it is then.
const SIGNS: [(&str, &[&str]); 4] = [
    (
        "a page of a log-in",
        &[
            "log in",
            "login",
            "log-in",
            "sign in",
            "signin",
            "sign-in",
            "single sign-on",
            "authentication required",
        ],
    ),
    (
        "a page that says that there is no such page",
        &[
            "404",
            "not found",
            "page not found",
            "does not exist",
            "no longer exists",
            "cannot be found",
            "page missing",
        ],
    ),
    (
        "a page of a server that is away",
        &[
            "maintenance",
            "temporarily unavailable",
            "service unavailable",
            "be right back",
            "back soon",
            "502",
            "503",
            "bad gateway",
            "internal server error",
        ],
    ),
    (
        "a page that stops robots",
        &[
            "just a moment",
            "attention required",
            "are you human",
            "you are human",
            "not a robot",
            "captcha",
            "checking your browser",
            "access denied",
            "forbidden",
            "unusual traffic",
            "security check",
        ],
    ),
];

/// What a page without much on it is instead of the page, as far as it can be told.
#[must_use]
pub fn sign(page: &Text) -> Option<&'static str> {
    /// The lines at the top, where such a page says what it is.
    const TOP: usize = 12;
    let spoken = page.lines.iter().filter(|line| !line.trim().is_empty());
    let top: Vec<String> = std::iter::once(&page.title)
        .chain(spoken.clone().take(TOP))
        .filter(|line| line.len() < 160)
        .map(|line| {
            format!(
                " {} ",
                line.to_lowercase()
                    .replace(|c: char| !c.is_alphanumeric() && c != '-', " ")
            )
        })
        .collect();
    let says = |word: &&str| top.iter().any(|line| line.contains(&format!(" {word} ")));
    let found = SIGNS.iter().find(|(_, words)| words.iter().any(says));
    if page.password {
        return Some(SIGNS[0].0);
    }
    let letters: usize = spoken.map(String::len).sum();
    let shell = page.html && page.scripts > 0 && letters < 400;
    found
        .map(|(what, _)| *what)
        .or(shell.then_some("an empty page that scripts fill"))
}

/// Why what was read is not the page that is recorded, or no page of that kind.
#[must_use]
pub fn not_the_page(
    page: &Text,
    reading: &Reading,
    before: Option<&Page>,
    kept: usize,
    placed: bool,
) -> Option<String> {
    let sign = sign(page);
    let Some(before) = before.filter(|before| !before.facts.is_empty()) else {
        return match sign {
            Some(sign) if few(&reading.facts) => Some(format!("it looks like {sign}")),
            _ => None,
        };
    };
    let of = before.facts.len();
    match sign {
        Some(sign) if kept * 2 < of => Some(format!(
            "it has {kept} of the {of} facts that are recorded, and looks like {sign}"
        )),
        None if !placed && kept * 2 < of => Some(format!(
            "it has none of the recorded endpoints and hosts, and {kept} of the {of} facts that are recorded"
        )),
        // A page that was written anew has a fact or two of the old one still.
        None if kept * 10 < of => Some(format!("it has {kept} of the {of} facts that are recorded")),
        _ => None,
    }
}

/// A page of this kind describes a request or a grant; a form has neither.
fn few(facts: &Facts) -> bool {
    facts.len() < 8
}
