//! Lenient readers that examples ask for: where an example cannot be read, what an overlay may say so that it is. Each is tried
//! before it is proposed: one that does not make its example readable, or costs an operation, is none.

use std::cell::Cell;
use std::collections::BTreeSet;

use finrail_spec::json::Json;
use finrail_spec::overlay;
use finrail_spec::pointer::keys;
use finrail_spec::readable::Unreadable;
use finrail_spec::readers::Reader;
use finrail_spec::sources::Sources;

use super::bundle::{Facts, Imported, import};
use super::proposals::{Proposal, step};

/// What examples ask for.
#[derive(Clone, Debug, Default)]
pub struct Readers {
    /// What an overlay may say.
    pub proposals: Vec<Proposal>,
    /// What is read then: the example, and where in the reply.
    reads: BTreeSet<Wanted>,
}

/// The example, and where in the reply.
type Wanted = (String, String);

fn wanted(one: &Unreadable) -> Wanted {
    (one.example.clone(), one.at.clone())
}

impl Readers {
    /// Whether one of the proposals makes this readable.
    #[must_use]
    pub fn read(&self, one: &Unreadable) -> bool {
        self.reads.contains(&wanted(one))
    }
}

/// More rounds than there are places that one value may be described in.
const ROUNDS: usize = 12;

/// More imports than a person waits for.
const TRIALS: usize = 64;

/// What the examples ask for that a document and an overlay were imported with, each at a place in the document.
#[must_use]
pub fn readers(document: &Json, overlay: Option<&Json>, facts: &Facts, imported: &Imported) -> Readers {
    let Ok(source) = overlay.map_or_else(|| Ok(document.clone()), |overlay| overlay::apply(document, overlay)) else {
        return Readers::default();
    };
    let trial = Trial {
        document,
        source: &source,
        overlay,
        facts,
        before: imported,
        left: Cell::new(TRIALS),
    };
    let mut taken: Vec<Attempt> = Vec::new();
    let mut tried = BTreeSet::new();
    let mut now = imported.clone();
    for _ in 0..ROUNDS {
        let attempts = trial.attempts(&now, &mut tried);
        if attempts.is_empty() {
            break;
        }
        let working = trial.working(&taken, attempts);
        let all = [taken.as_slice(), working.as_slice()].concat();
        if let Some(then) = trial.with(&all).filter(|_| !working.is_empty()) {
            (taken, now) = (all, then);
        }
    }
    Readers {
        proposals: taken.iter().map(|attempt| trial.proposal(attempt)).collect(),
        reads: taken.into_iter().flat_map(|attempt| attempt.reads).collect(),
    }
}

/// A reader at a place of the document.
#[derive(Clone)]
struct Attempt {
    place: String,
    reader: Reader,
    /// What it is for; of one that works, what is read with it.
    reads: BTreeSet<Wanted>,
    why: String,
}

struct Trial<'t> {
    document: &'t Json,
    /// The document under its overlay.
    source: &'t Json,
    overlay: Option<&'t Json>,
    facts: &'t Facts,
    before: &'t Imported,
    /// Imports that may still be made.
    left: Cell<usize>,
}

impl Trial<'_> {
    /// What is to be tried next for what is not read.
    fn attempts(&self, now: &Imported, tried: &mut BTreeSet<(String, Reader)>) -> Vec<Attempt> {
        let mut attempts: Vec<Attempt> = Vec::new();
        for one in now.unreadable() {
            let Some(reader) = one.reader else { continue };
            let places = self.places(one, reader);
            let place = places.into_iter().find(|place| {
                let is_new = !tried.contains(&(place.clone(), reader));
                is_new || attempts.iter().any(|attempt| attempt.is(place, reader))
            });
            let Some(place) = place else { continue };
            tried.insert((place.clone(), reader));
            match attempts.iter_mut().find(|attempt| attempt.is(&place, reader)) {
                Some(attempt) => drop(attempt.reads.insert(wanted(one))),
                None => attempts.push(Attempt {
                    place,
                    reader,
                    reads: BTreeSet::from([wanted(one)]),
                    why: one.wrong.clone(),
                }),
            }
        }
        attempts
    }

    /// Where the document may say it: that it may be `null` where it is used, and all else where the type is said.
    fn places(&self, one: &Unreadable, reader: Reader) -> Vec<String> {
        let mut places = Sources::of(self.source).along(&one.operation, &one.status, &one.at);
        if reader != Reader::Null {
            let has = |place: &String, keyword: &str| {
                let schema = self.source.pointer(place);
                schema.is_some_and(|schema| schema.get(keyword).is_some())
            };
            places.retain(|place| !has(place, "$ref"));
            places.sort_by_key(|place| ["allOf", "oneOf", "anyOf"].iter().any(|keyword| has(place, keyword)));
        }
        places
    }

    /// Those of the attempts with which something is read that was not, and nothing is lost.
    fn working(&self, taken: &[Attempt], mut attempts: Vec<Attempt>) -> Vec<Attempt> {
        if let Some(then) = self.with(&[taken, attempts.as_slice()].concat()) {
            let is_left = |read: &Wanted| {
                let below = |at: &str| {
                    at.strip_prefix(&read.1)
                        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
                };
                let mut left = then.unreadable();
                left.any(|one| one.example == read.0 && below(&one.at))
            };
            for attempt in &mut attempts {
                attempt.reads.retain(|read| !is_left(read));
            }
            attempts.retain(|attempt| !attempt.reads.is_empty());
            return attempts;
        }
        if attempts.len() < 2 {
            return Vec::new();
        }
        let others = attempts.split_off(attempts.len() / 2);
        let mut working = self.working(taken, attempts);
        let further = self.working(&[taken, working.as_slice()].concat(), others);
        working.extend(further);
        working
    }

    /// What the document becomes, where every operation is generated that was, and loses no more.
    fn with(&self, attempts: &[Attempt]) -> Option<Imported> {
        self.left.set(self.left.get().checked_sub(1)?);
        let mut overlay = self.overlay.cloned().unwrap_or_else(|| {
            let info = [("title", Json::str("Readers")), ("version", Json::str("1"))];
            Json::object([
                ("overlay", Json::str("1.1.0")),
                ("info", Json::object(info)),
                ("actions", Json::Array(Vec::new())),
            ])
        });
        if let Some(Json::Array(actions)) = overlay.get_mut("actions") {
            actions.extend(attempts.iter().map(|attempt| {
                let target = Json::String(self.target(&attempt.place));
                Json::object([
                    ("target", target),
                    ("update", Json::object([self.keyword(attempt.reader)])),
                ])
            }));
        }
        let then = import(self.document, Some(&overlay), self.facts).ok()?;
        let keeps = |(pointer, lost): (&String, &Vec<String>)| {
            then.generated.get(pointer).is_some_and(|now| now.len() <= lost.len())
        };
        self.before.generated.iter().all(keeps).then_some(then)
    }

    fn keyword(&self, reader: Reader) -> (&'static str, Json) {
        reader.keyword(self.source.get("swagger").is_some())
    }

    fn proposal(&self, attempt: &Attempt) -> Proposal {
        let (keyword, value) = self.keyword(attempt.reader);
        let more = match attempt.reads.len() {
            0 | 1 => String::new(),
            all => format!(" (and {} more like it)", all - 1),
        };
        Proposal {
            kind: "values that examples show in another form",
            target: self.target(&attempt.place),
            update: format!(r#"{{ "{keyword}": {value} }}"#),
            why: format!("an example cannot be read without it: {}{more}", attempt.why),
        }
    }

    /// JSONPath of a place (RFC 9535).
    fn target(&self, place: &str) -> String {
        let mut path = "$".to_owned();
        let mut here = Some(self.source);
        // Whether the key is a word of OpenAPI, and not a name that the provider gave.
        let mut is_word = true;
        for key in keys(place) {
            let is_list = matches!(here, Some(Json::Array(_)));
            here = match here {
                Some(Json::Array(items)) => key.parse::<usize>().ok().and_then(|n| items.get(n)),
                other => other.and_then(|json| json.get(&key)),
            };
            match (is_list, is_word && key.bytes().all(|byte| byte.is_ascii_alphabetic())) {
                (true, _) => path.push_str(&format!("[{key}]")),
                (false, true) => path.push_str(&format!(".{key}")),
                (false, false) => path.push_str(&step(&key)),
            }
            is_word = is_list || !is_word || !NAMING.contains(&key.as_str());
        }
        path
    }
}

/// What has names below it that the provider gave.
const NAMING: [&str; 11] = [
    "paths",
    "schemas",
    "definitions",
    "responses",
    "content",
    "properties",
    "patternProperties",
    "parameters",
    "requestBodies",
    "pathItems",
    "$defs",
];

impl Attempt {
    fn is(&self, place: &str, reader: Reader) -> bool {
        self.place == place && self.reader == reader
    }
}
