//! The words of a page, and which of them were not there the last time. What is recorded is a fingerprint of each
//! passage, and never its text.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use crate::drift::extract::{Passage, Reading};
use crate::drift::facts::{Fact, Kind};

/// A fingerprint is a polynomial modulo this prime (2^61 - 1), so that it can be looked for at every place of a text in
/// one walk: how a page breaks its lines does not matter.
const PRIME: u64 = (1 << 61) - 1;
const BASE: u64 = 0x0005_deec_e66d_1b4f;
/// Letters of a passage, at most; a longer one is several.
const LONGEST: usize = 400;

/// What a client might have to obey.
const DEMANDS: [&str; 99] = [
    "fails",
    "have to",
    "has to",
    "had to",
    "compulsory",
    "expect",
    "expects",
    "expected",
    "carry",
    "carries",
    "always",
    "phase out",
    "phased out",
    "phases out",
    "phasing out",
    "close",
    "closes",
    "closed",
    "closing",
    "ends",
    "ended",
    "will end",
    "goes away",
    "go away",
    "went away",
    "stop",
    "not offered",
    "not issue",
    "from now on",
    "as of",
    "ceases",
    "ceased",
    "expires on",
    "unless",
    "without",
    "no other",
    "unmaintained",
    "drops",
    "dropped",
    "no longer",
    "deprecated",
    "deprecation",
    "must",
    "required",
    "requires",
    "require",
    "mandatory",
    "obligatory",
    "removed",
    "removes",
    "only",
    "retired",
    "retire",
    "retires",
    "retirement",
    "withdrawn",
    "withdraws",
    "discontinued",
    "sunset",
    "decommissioned",
    "switched off",
    "shut down",
    "turned off",
    "end of life",
    "ends on",
    "obsolete",
    "replaced",
    "replaces",
    "superseded",
    "instead of",
    "migrate",
    "moved to",
    "moves to",
    "rejected",
    "rejects",
    "refused",
    "refuses",
    "not supported",
    "unsupported",
    "not accepted",
    "not allowed",
    "not available",
    "not issued",
    "not returned",
    "not valid",
    "not rotated",
    "never",
    "cannot",
    "at least",
    "at most",
    "minimum",
    "maximum",
    "no more",
    "stops",
    "stopped",
    "blocked",
    "forbidden",
    "mtls",
    "need to",
];

/// What is told wherever it stands on a page.
const GONE: [&str; 10] = [
    "unsupported",
    "no longer",
    "deprecated",
    "discontinued",
    "decommissioned",
    "retired",
    "superseded",
    "obsolete",
    "unmaintained",
    "end of life",
];

/// What a sentence speaks of when it speaks of the protocol.
const SUBJECTS: [&str; 24] = [
    "code_challenge",
    "code_verifier",
    "api",
    "apis",
    "endpoint",
    "endpoints",
    "token",
    "tokens",
    "grant",
    "grants",
    "pkce",
    "scope",
    "scopes",
    "tls",
    "mtls",
    "certificate",
    "certificates",
    "basic",
    "redirect",
    "signature",
    "host",
    "hosts",
    "challenge",
    "oauth",
];

/// What is new on a page.
#[derive(Debug, Default)]
pub struct Words {
    /// Passages that were not there, as they stand.
    pub new: Vec<String>,
    /// Of these the ones that a client might have to obey.
    pub demands: Vec<String>,
    /// Of these the ones that stand where facts stand, come in no other's place, and speak of the protocol.
    pub named: Vec<String>,
    /// How many passages are gone.
    pub gone: usize,
    /// Sections whose passages are known, and stand in another order, or more or less often: what each starts with, and
    /// whether facts stand in it.
    pub moved: Vec<(String, bool)>,
    /// The work, which grows as the page does.
    pub steps: usize,
}

/// The fingerprints of a page's passages.
#[must_use]
pub fn fingerprints(reading: &Reading) -> Vec<String> {
    let stream = Stream::of(&reading.passages);
    let all: BTreeSet<(usize, u64)> = stream
        .pieces
        .iter()
        .flat_map(|piece| stream.parts(piece.start, piece.end))
        .map(|(start, end)| (end - start, stream.fingerprint(start, end)))
        .collect();
    all.into_iter()
        .map(|(length, mark)| format!("{length}:{mark:016x}"))
        .collect()
}

/// The sections of a page, each as the places of its passages among the fingerprints.
#[must_use]
pub fn order(reading: &Reading) -> Vec<String> {
    let stream = Stream::of(&reading.passages);
    let fingerprints = fingerprints(reading);
    let places: HashMap<Mark, usize> = fingerprints
        .iter()
        .enumerate()
        .filter_map(|(place, mark)| Some((read(mark)?, place)))
        .collect();
    let sections = stream.sections().into_iter().map(|(_, pieces)| {
        let parts = pieces.iter().flat_map(|piece| stream.parts(piece.start, piece.end));
        let places = parts.filter_map(|(start, end)| places.get(&(end - start, stream.fingerprint(start, end))));
        let places: Vec<String> = places.map(usize::to_string).collect();
        places.join(" ")
    });
    sections.collect()
}

/// Compares a page with the fingerprints that are recorded of it, and with the order in which they stood where that is
/// recorded.
#[must_use]
pub fn compare(recorded: &[String], order: &[String], reading: &Reading) -> Words {
    let stream = Stream::of(&reading.passages);
    let known: HashSet<Mark> = recorded.iter().filter_map(|mark| read(mark)).collect();
    let lengths: BTreeSet<usize> = known.iter().map(|(length, _)| *length).collect();
    let mut found = HashSet::new();
    // How many known passages start and end at each place.
    let mut covers = vec![0i64; stream.letters.len() + 1];
    let mut steps = 0;
    for start in (0..stream.letters.len()).filter(|at| stream.starts[*at]) {
        for length in &lengths {
            steps += 1;
            let end = start + length;
            if end > stream.letters.len() {
                break;
            }
            if !stream.ends(end) {
                continue;
            }
            let mark = (*length, stream.fingerprint(start, end));
            if known.contains(&mark) {
                found.insert(mark);
                covers[start] += 1;
                covers[end] -= 1;
            }
        }
    }
    let mut depth = 0;
    let covered: Vec<bool> = covers
        .iter()
        .map(|change| {
            depth += change;
            depth > 0
        })
        .collect();
    let is_new = |piece: &Piece<'_>| !covered[piece.start..piece.end].iter().all(|covered| *covered);
    let new: Vec<&Piece<'_>> = stream.pieces.iter().filter(|piece| is_new(piece)).collect();
    let subjects = subjects(reading);
    let before = recorded_sections(recorded, order);
    let replacing = replacing(&stream, &before, &found, is_new);
    let mut words = Words {
        gone: known.len() - found.len(),
        moved: moved(&stream, &before, &found, is_new),
        steps,
        ..Words::default()
    };
    // Not one for another, where a sentence in parts is one.
    let runs = new.iter().enumerate().filter(|(at, piece)| {
        let before = at.checked_sub(1).and_then(|before| new.get(before));
        before.is_none_or(|before| before.end != piece.start || !std::ptr::eq(before.passage, piece.passage))
    });
    let more = runs.count() > words.gone;
    // A demand may be broken over two lines.
    for (at, piece) in new.iter().enumerate() {
        let text = piece.text.trim().to_owned();
        let broken = |other: &&&Piece<'_>| {
            let item = other.text.trim_start().starts_with("- ");
            other.start == piece.end && !item && !text.ends_with(['.', ';', '!', '?', ':'])
        };
        let whole = match new.get(at + 1).filter(broken) {
            Some(next) => format!("{text} {}", next.text.trim()),
            None => text.clone(),
        };
        let (names, with_facts) = (names(&whole, &subjects), piece.passage.with_facts);
        let told = demands(&whole) && (with_facts || names) || !piece.passage.apart && says(&whole, &GONE);
        if !piece.passage.code && told {
            words.demands.push(whole);
        } else if !piece.passage.code
            && more
            && with_facts
            && names
            && !text.starts_with('#')
            && !replacing.contains(&piece.start)
        {
            words.named.push(whole);
        }
        words.new.push(text);
    }
    words.new.dedup();
    words.demands.dedup();
    words.named.dedup();
    words
}

/// The sections of today whose passages are all known, and that no recorded section is, with what is gone of it or without.
fn moved(
    stream: &Stream<'_>,
    before: &[Vec<Mark>],
    found: &HashSet<Mark>,
    is_new: impl Fn(&Piece<'_>) -> bool,
) -> Vec<(String, bool)> {
    let kept = |marks: &[Mark]| joined(marks.iter().copied().filter(|mark| found.contains(mark)));
    let now = stream.sections();
    let of = |piece: &Piece<'_>| stream.mark(piece);
    let same = now.iter().flat_map(|(_, pieces)| pieces).filter(|piece| !is_new(piece));
    let whole: Vec<Mark> = before.concat();
    if before.is_empty() || joined(same.map(of)) == kept(&whole) {
        return Vec::new();
    }
    let known: HashSet<Mark> = before
        .iter()
        .flat_map(|marks| [joined(marks.iter().copied()), kept(marks)])
        .collect();
    let moved = now
        .iter()
        .filter(|(_, pieces)| !pieces.iter().any(&is_new) && !known.contains(&joined(pieces.iter().map(of))));
    moved
        .filter_map(|(with_facts, pieces)| Some((pieces.first()?.text.trim().to_owned(), *with_facts)))
        .collect()
}

/// The sections of a record, where it has them and they are whole.
fn recorded_sections(recorded: &[String], order: &[String]) -> Vec<Vec<Mark>> {
    let marks: Vec<Option<Mark>> = recorded.iter().map(|mark| read(mark)).collect();
    let section = |places: &String| -> Option<Vec<Mark>> {
        let places = places.split_whitespace().map(|place| place.parse::<usize>().ok());
        places.map(|place| marks.get(place?).copied().flatten()).collect()
    };
    order.iter().map(section).collect::<Option<_>>().unwrap_or_default()
}

/// The new passages, by their places, that stand where one is gone: after the passage that was before that one.
fn replacing(
    stream: &Stream<'_>,
    before: &[Vec<Mark>],
    found: &HashSet<Mark>,
    is_new: impl Fn(&Piece<'_>) -> bool,
) -> HashSet<usize> {
    let pairs = before.iter().flat_map(|marks| marks.windows(2));
    let before_gone: HashSet<Mark> = pairs
        .filter(|pair| !found.contains(&pair[1]))
        .map(|pair| pair[0])
        .collect();
    let mut last = None;
    let mut replacing = HashSet::new();
    for piece in &stream.pieces {
        if !is_new(piece) {
            last = Some(stream.mark(piece));
        } else if last.is_some_and(|last| before_gone.contains(&last)) {
            replacing.insert(piece.start);
        }
    }
    replacing
}

/// The fingerprint of passages one after another.
fn joined(marks: impl Iterator<Item = Mark>) -> Mark {
    marks.fold((0, 0), |(length, mark), (more, next)| {
        (length + more, (times(mark, power(more)) + next) % PRIME)
    })
}

fn power(mut exponent: usize) -> u64 {
    let (mut power, mut base) = (1, BASE);
    while exponent > 0 {
        if exponent % 2 == 1 {
            power = times(power, base);
        }
        base = times(base, base);
        exponent /= 2;
    }
    power
}

/// How long a passage is, and its fingerprint.
type Mark = (usize, u64);

fn read(mark: &str) -> Option<Mark> {
    let (length, mark) = mark.split_once(':')?;
    Some((length.parse().ok()?, u64::from_str_radix(mark, 16).ok()?))
}

/// The words of a text, in lower case, each between two blanks.
fn spaced(text: &str) -> String {
    let mut spaced = String::from(" ");
    for letter in text.chars().flat_map(char::to_lowercase) {
        if letter.is_alphanumeric() || letter == '_' {
            spaced.push(letter);
        } else if !spaced.ends_with(' ') {
            spaced.push(' ');
        }
    }
    spaced.push(' ');
    spaced
}

fn demands(text: &str) -> bool {
    says(text, &DEMANDS)
}

fn says(text: &str, words: &[&str]) -> bool {
    let text = spaced(text);
    words.iter().any(|word| text.contains(&format!(" {word} ")))
}

fn names(text: &str, subjects: &HashSet<String>) -> bool {
    let text = spaced(text);
    text.split(' ')
        .any(|word| SUBJECTS.contains(&word) || subjects.contains(word))
}

/// What the facts of a page are called, where that is no everyday word.
fn subjects(reading: &Reading) -> HashSet<String> {
    let named = |fact: &&Fact| {
        matches!(
            fact.kind,
            Kind::Parameter | Kind::Reply | Kind::Grant | Kind::Scope | Kind::Header
        )
    };
    let facts = reading.facts.keys().filter(named);
    facts
        .map(|fact| fact.name.to_lowercase())
        .filter(|name| name.contains('_') || name.len() > 8)
        .chain(["client_id".to_owned()])
        .collect()
}

/// A passage between two marks of a sentence.
#[derive(Clone, Copy)]
struct Piece<'p> {
    passage: &'p Passage,
    text: &'p str,
    /// Its place in the stream.
    start: usize,
    end: usize,
}

/// All letters and digits of a page, without what stands between them.
struct Stream<'p> {
    letters: Vec<u8>,
    /// Whether a word starts at a letter.
    starts: Vec<bool>,
    /// Fingerprints of all beginnings, and the powers of the base.
    before: Vec<u64>,
    powers: Vec<u64>,
    pieces: Vec<Piece<'p>>,
}

impl<'p> Stream<'p> {
    fn of(passages: &'p [Passage]) -> Self {
        let mut stream = Self {
            letters: Vec::new(),
            starts: Vec::new(),
            before: vec![0],
            powers: vec![1],
            pieces: Vec::new(),
        };
        for passage in passages {
            for text in pieces(&passage.text, passage.code) {
                let start = stream.letters.len();
                stream.push(text);
                let end = stream.letters.len();
                if end > start {
                    stream.pieces.push(Piece {
                        passage,
                        text,
                        start,
                        end,
                    });
                }
            }
        }
        stream
    }

    /// The pieces of each section that has any, and whether facts stand in it.
    fn sections(&self) -> Vec<(bool, Vec<Piece<'p>>)> {
        let mut places: BTreeMap<usize, usize> = BTreeMap::new();
        let mut sections: Vec<(bool, Vec<Piece<'p>>)> = Vec::new();
        for piece in &self.pieces {
            let place = *places.entry(piece.passage.section).or_insert(sections.len());
            if place == sections.len() {
                sections.push((piece.passage.with_facts, Vec::new()));
            }
            if let Some((_, pieces)) = sections.get_mut(place) {
                pieces.push(*piece);
            }
        }
        sections
    }

    fn push(&mut self, text: &str) {
        let mut inside = false;
        for letter in text.chars().flat_map(char::to_lowercase) {
            let counts = letter.is_alphanumeric() || letter == '_';
            let mut bytes = [0; 4];
            for (at, byte) in letter.encode_utf8(&mut bytes).bytes().enumerate().filter(|_| counts) {
                self.starts.push(!inside && at == 0);
                self.letters.push(byte);
                let last = self.before.last().copied().unwrap_or_default();
                self.before.push((times(last, BASE) + u64::from(byte) + 1) % PRIME);
                let power = self.powers.last().copied().unwrap_or(1);
                self.powers.push(times(power, BASE));
            }
            inside = counts;
        }
    }

    fn mark(&self, piece: &Piece<'_>) -> Mark {
        (piece.end - piece.start, self.fingerprint(piece.start, piece.end))
    }

    fn ends(&self, at: usize) -> bool {
        self.starts.get(at).copied().unwrap_or(true)
    }

    fn fingerprint(&self, start: usize, end: usize) -> u64 {
        (self.before[end] + PRIME - times(self.before[start], self.powers[end - start])) % PRIME
    }

    /// A piece in parts that are not too long.
    fn parts(&self, start: usize, end: usize) -> Vec<(usize, usize)> {
        let mut parts = Vec::new();
        let mut from = start;
        for at in start..end {
            if at - from >= LONGEST && self.starts[at] {
                parts.push((from, at));
                from = at;
            }
        }
        parts.push((from, end));
        parts
    }
}

fn times(one: u64, other: u64) -> u64 {
    let product = u128::from(one) * u128::from(other) % u128::from(PRIME);
    u64::try_from(product).unwrap_or_default()
}

/// A text at the marks that end a sentence or a part of it.
fn pieces(text: &str, code: bool) -> Vec<&str> {
    if code {
        return vec![text];
    }
    let mut all = Vec::new();
    let mut from = 0;
    let mut last = ' ';
    for (at, letter) in text.char_indices() {
        if letter.is_whitespace() && ".,;:!?".contains(last) || letter == '|' {
            all.push(&text[from..at]);
            from = at;
        }
        last = letter;
    }
    all.push(&text[from..]);
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drift::{extract, page};

    fn reading(page: &str) -> Reading {
        extract::read(&page::read(page))
    }

    #[test]
    fn how_lines_are_broken_does_not_matter() {
        let recorded = fingerprints(&reading("A token is opaque. Keep it safe,\nand renew it.\n\nThe end"));
        let words = compare(
            &recorded,
            &[],
            &reading("A token\nis opaque. Keep it safe, and\nrenew\nit. The end"),
        );
        assert!(words.new.is_empty() && words.gone == 0, "{words:?}");
    }

    #[test]
    fn what_is_new_is_shown_as_it_stands() {
        let recorded = fingerprints(&reading("A token is opaque.\nKeep it safe."));
        let words = compare(
            &recorded,
            &[],
            &reading("A token is opaque. Basic is retired.\nKeep it safe."),
        );
        assert_eq!(words.new, ["Basic is retired."]);
        assert_eq!((words.demands.len(), words.gone), (1, 0));
        let words = compare(&recorded, &[], &reading("A token is opaque.\nKeep it very safe."));
        assert_eq!(words.new, ["Keep it very safe."]);
        assert_eq!((words.demands.len(), words.gone), (0, 1));
    }

    #[test]
    fn no_passage_can_be_read_back_as_text() {
        let marks = fingerprints(&reading("A token is opaque."));
        assert_eq!(marks.len(), 1);
        assert!(marks[0].starts_with("14:") && !marks[0].contains("opaque"), "{marks:?}");
    }

    #[test]
    fn twice_the_page_is_twice_the_work() {
        let page = |count: usize| "Some words about the account, and more of them.\nA token is opaque.\n".repeat(count);
        let recorded = fingerprints(&reading(&page(1)));
        let steps = |count| compare(&recorded, &[], &reading(&page(count))).steps;
        assert!(steps(2000) <= 2 * steps(1000) + 100);
    }
}
