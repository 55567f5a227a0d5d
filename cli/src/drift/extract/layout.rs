//! Where the lines of a page stand: sections, boxes, lists and examples. Each is found in one walk over the lines.

use super::patterns::{LISTED, MARKED, REQUEST_LINE, TABLE_HEAD};
use crate::drift::page::{APART, BACK};

/// What is known of each line.
pub(super) struct Layout {
    /// The line of the heading above.
    pub sections: Vec<usize>,
    /// Whether it belongs to the site, and not to the page.
    pub apart: Vec<bool>,
    /// Whether it stands in a box.
    pub fenced: Vec<bool>,
    /// The first and the last spoken line of the list that it stands in.
    pub groups: Vec<(usize, usize)>,
    /// The line before it that is not blank.
    pub spoken_before: Vec<Option<usize>>,
    /// Whether it stands in a list of scopes.
    pub scopes: Vec<bool>,
    /// The line on which the braces that it opens are closed.
    pub ends: Vec<Option<usize>>,
}

impl Layout {
    pub fn of(lines: &[String], html: bool) -> Self {
        let spoken_before = spoken_before(lines);
        let groups = groups(lines);
        Self {
            sections: sections(lines, html),
            apart: apart(lines),
            fenced: fenced(lines),
            scopes: scopes(lines, &groups, &spoken_before),
            groups,
            spoken_before,
            ends: ends(lines),
        }
    }
}

fn apart(lines: &[String]) -> Vec<bool> {
    let mut inside = false;
    let mut all = Vec::with_capacity(lines.len());
    for line in lines {
        inside = line == APART || inside && line != BACK;
        all.push(inside);
    }
    all
}

fn opens_box(line: &str) -> bool {
    line.trim_start().starts_with("```")
}

fn fenced(lines: &[String]) -> Vec<bool> {
    let mut inside = false;
    let mut all = Vec::with_capacity(lines.len());
    for line in lines {
        all.push(inside);
        inside ^= opens_box(line);
    }
    all
}

fn spoken_before(lines: &[String]) -> Vec<Option<usize>> {
    let mut last = None;
    let mut all = Vec::with_capacity(lines.len());
    for (at, line) in lines.iter().enumerate() {
        all.push(last);
        if !line.trim().is_empty() {
            last = Some(at);
        }
    }
    all
}

/// Blank lines between the items of a list do not end it.
fn groups(lines: &[String]) -> Vec<(usize, usize)> {
    let listed = |line: &String| {
        let line = line.trim();
        line.is_empty() || LISTED.is_match(line) || line.starts_with(['"', '`']) && !opens_box(line)
    };
    let mut all: Vec<(usize, usize)> = (0..lines.len()).map(|at| (at, at)).collect();
    let mut at = 0;
    while at < lines.len() {
        let length = lines[at..].iter().take_while(|line| listed(line)).count();
        let spoken: Vec<usize> = (at..at + length).filter(|at| !lines[*at].trim().is_empty()).collect();
        if let (Some(first), Some(last)) = (spoken.first(), spoken.last()) {
            all[at..at + length].fill((*first, *last));
        }
        at += length.max(1);
    }
    all
}

/// Lists under a line that says no more than that scopes follow.
fn scopes(lines: &[String], groups: &[(usize, usize)], spoken_before: &[Option<usize>]) -> Vec<bool> {
    const TITLES: [&str; 6] = [
        "scope",
        "scopes",
        "available scopes",
        "supported scopes",
        "oauth scopes",
        "list of scopes",
    ];
    let title = |at: usize| lines[at].trim_matches(['#', ' ', ':', '*']).to_lowercase();
    groups
        .iter()
        .map(|(first, _)| spoken_before[*first].is_some_and(|before| TITLES.contains(&title(before).as_str())))
        .collect()
}

/// The nearest later line after which no more braces are open than before it.
fn ends(lines: &[String]) -> Vec<Option<usize>> {
    let mut ends = vec![None; lines.len()];
    // Lines that wait for their end, each with the depth before it.
    let mut open: Vec<(usize, i64)> = Vec::new();
    let mut depth = 0i64;
    for (at, line) in lines.iter().enumerate() {
        if opens_box(line) {
            continue;
        }
        open.push((at, depth));
        let count = |braces: [char; 2]| i64::try_from(line.matches(braces).count()).unwrap_or(0);
        depth += count(['{', '[']) - count(['}', ']']);
        while let Some((start, _)) = open.pop_if(|(_, before)| depth <= *before) {
            ends[start] = Some(at);
        }
    }
    ends
}

/// The line of the heading above each line.
fn sections(lines: &[String], html: bool) -> Vec<usize> {
    const GENERIC: [&str; 9] = [
        "parameters",
        "query parameters",
        "request",
        "response",
        "example",
        "language",
        "oauth",
        "scopes",
        "available scopes",
    ];
    let blank = |at: Option<usize>| {
        at.and_then(|at| lines.get(at))
            .is_none_or(|line| line.trim().is_empty())
    };
    let mut fence = false;
    let mut current = 0;
    let mut level = 0;
    // Whether parameters are described in the section, and whether it has a request.
    let (mut described, mut asked) = (false, false);
    let mut left = None;
    let mut sections = Vec::with_capacity(lines.len());
    for (at, line) in lines.iter().enumerate() {
        let text = line.trim();
        if text.starts_with("```") {
            fence = !fence;
        }
        let title = text.trim_start_matches(['#', ' ']);
        let generic = GENERIC.contains(&title.to_lowercase().as_str());
        let plain_heading = !html
            && text.len() <= 48
            && text.starts_with(|c: char| c.is_ascii_uppercase())
            && text.chars().all(|c| c.is_alphanumeric() || " -".contains(c))
            && !text.to_lowercase().ends_with(" parameter")
            && blank(at.checked_sub(1))
            && blank(Some(at + 1));
        let depth = text.chars().take_while(|letter| *letter == '#').count();
        let shows = REQUEST_LINE.is_match(text);
        // Parameters that stand before the request that they are for, however it is headed.
        let belongs = shows && described && !asked && depth > level;
        if !fence && text == APART {
            left = Some(current);
            current = at;
        } else if !fence && text == BACK {
            current = left.take().unwrap_or(current);
        } else if !fence
            && !generic
            && !belongs
            && (text.starts_with('#') && text.len() > 1 || plain_heading && !text.is_empty())
        {
            current = at;
            level = depth;
            (described, asked) = (false, shows);
        } else {
            asked |= shows;
            described |=
                TABLE_HEAD.is_match(line) || LISTED.captures(text).is_some_and(|item| MARKED.is_match(&item[1]));
        }
        sections.push(current);
    }
    sections
}
