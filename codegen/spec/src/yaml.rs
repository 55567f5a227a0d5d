//! Reads YAML and remembers where every value stood.

use std::collections::HashMap;

use serde_json::Value;
use serde_saphyr::granit_parser::{Event, Parser, ScalarStyle, ScanError, Span, Tag};

use crate::json::Json;
use crate::pointer::{join, keys};

/// A place in a file, counted from one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// Line.
    pub line: usize,
    /// Column, in characters.
    pub column: usize,
}

/// JSON pointer to the position of the value's key, or of the value in a list.
pub type Positions = HashMap<String, Position>;

/// Where a value stands; for one that is not there, where the nearest value around it stands.
pub(crate) fn nearest(positions: &Positions, pointer: &str) -> Option<Position> {
    let mut at = pointer;
    loop {
        if let Some(position) = positions.get(at) {
            return Some(*position);
        }
        at = &at[..at.rfind('/')?];
    }
}

/// Why a text is not a specification's YAML.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct YamlError {
    /// Where.
    pub position: Position,
    /// What, in words.
    pub message: String,
}

/// A key that an object has twice: one of the two vanishes, and readers differ in which.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}:{}: {}", position.line, position.column, self.message())]
pub struct Twice {
    /// JSON pointer to what it names.
    pub pointer: String,
    /// Where it stands first.
    pub first: Position,
    /// Where it stands again.
    pub position: Position,
}

impl Twice {
    /// Without its place.
    pub(crate) fn message(&self) -> String {
        let key = keys(&self.pointer).pop().unwrap_or_default();
        let Position { line, column } = self.first;
        format!(
            "the key `{}` occurs twice; it stands at {line}:{column} already",
            brief(&key)
        )
    }
}

/// Reads one document in the core schema of YAML 1.2, with every key as text.
///
/// # Errors
///
/// Syntax, a key that occurs twice, a merge key, a tag, a second document, and
/// numbers that JSON cannot carry without changing them.
pub fn parse(text: &str) -> Result<(Value, Positions), YamlError> {
    let (json, positions) = read(text, Rules::HandWritten).map_err(|error| about_a_tab(text, error))?;
    Ok((json.to_value(), positions))
}

/// The reader stumbles at what stands before a tab; a person has to find the tab.
fn about_a_tab(text: &str, error: YamlError) -> YamlError {
    let indented_by = |line: &str| {
        line.chars()
            .take_while(|letter| letter.is_whitespace())
            .position(|it| it == '\t')
    };
    let from = error.position.line.saturating_sub(1);
    // What the reader tells may begin some lines before.
    let lines = text.lines().enumerate().skip(from);
    let nearby = if error.message.contains("tab") { usize::MAX } else { 2 };
    let found = lines
        .take(nearby)
        .find_map(|(index, line)| Some((index, indented_by(line)?)));
    match found {
        Some((index, column)) => YamlError {
            position: Position {
                line: index + 1,
                column: column + 1,
            },
            message: "a tab stands in the indentation: YAML takes spaces there".to_owned(),
        },
        None => error,
    }
}

/// How strictly a text is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rules {
    /// A specification that a person can correct: what different readers of YAML read differently is refused.
    HandWritten,
    /// A document as a provider published it: merge keys are merged (<https://yaml.org/type/merge.html>), `!!str` and the
    /// other tags of the core schema are obeyed, and what only looks like a number stays the text that it is. Numbers keep
    /// all their digits.
    Published,
}

/// Reads one document in the core schema of YAML 1.2: `no`, `on` and `y` are texts. Every key is a text.
///
/// ```
/// use finrail_spec::yaml::{Rules, read};
///
/// let (json, positions) = read("country: NO\nversion: 1.10\n", Rules::Published)?;
/// assert_eq!(json.to_string(), r#"{"country":"NO","version":1.10}"#);
/// assert_eq!(positions["/version"].line, 2);
/// # Ok::<(), finrail_spec::yaml::YamlError>(())
/// ```
///
/// # Errors
///
/// Syntax, a key that occurs twice (with the place of both), a tag of no core type, a second document; and what the rules say.
pub fn read(text: &str, rules: Rules) -> Result<(Json, Positions), YamlError> {
    let (json, positions, twice) = read_the_last(text, rules)?;
    match twice.first() {
        Some(twice) => Err(YamlError {
            position: twice.position,
            message: twice.message(),
        }),
        None => Ok((json, positions)),
    }
}

/// The same, where of a key that occurs twice the last counts, and each is told.
pub(crate) fn read_the_last(text: &str, rules: Rules) -> Result<(Json, Positions, Vec<Twice>), YamlError> {
    let mut reader = Reader {
        rules,
        events: Parser::new_from_str(text),
        anchors: HashMap::new(),
        positions: Positions::new(),
        twice: Vec::new(),
        values: 0,
        depth: 0,
    };
    let (first, span) = reader.next()?;
    if matches!(first, Event::StreamEnd) {
        return Err(error(span, "the file is empty"));
    }
    let value = reader.node(first, span, "")?;
    match reader.next()? {
        (Event::StreamEnd, _) => Ok((value, reader.positions, reader.twice)),
        (_, span) => Err(error(
            span,
            "another document begins here, and one is read: keep the one that is meant in a file of its own",
        )),
    }
}

struct Reader<'t, I: Iterator<Item = Result<(Event<'t>, Span), ScanError>>> {
    rules: Rules,
    events: I,
    /// Values by anchor, each with the number of values in it.
    anchors: HashMap<usize, (Json, usize)>,
    positions: Positions,
    /// Keys that occur twice.
    twice: Vec<Twice>,
    /// How many values there are so far, repeated ones counted as often as they are repeated.
    values: usize,
    depth: usize,
}

/// More values than any document of an API has. A few lines of aliases can make billions.
const MOST_VALUES: usize = 2_000_000;

/// As deep as JSON may be nested for its reader.
const DEEPEST: usize = 128;

impl<'t, I: Iterator<Item = Result<(Event<'t>, Span), ScanError>>> Reader<'t, I> {
    /// The next event that is data.
    fn next(&mut self) -> Result<(Event<'t>, Span), YamlError> {
        loop {
            return match self.events.next() {
                None => Ok((Event::StreamEnd, Span::default())),
                Some(Err(scan)) => Err(YamlError {
                    position: Position {
                        line: scan.marker().line(),
                        column: scan.marker().col() + 1,
                    },
                    message: scan.info(),
                }),
                Some(Ok((Event::StreamStart | Event::DocumentStart(..) | Event::DocumentEnd, _))) => continue,
                Some(Ok((Event::Comment(..), _))) => continue,
                Some(Ok(event)) => Ok(event),
            };
        }
    }

    fn node(&mut self, event: Event<'t>, span: Span, pointer: &str) -> Result<Json, YamlError> {
        self.positions
            .entry(pointer.to_owned())
            .or_insert_with(|| position(span));
        let before = self.values;
        self.values += 1;
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(error(span, &format!("nested more than {DEEPEST} deep")));
        }
        let (value, anchor) = match event {
            Event::Scalar(text, style, anchor, tag) => (self.scalar(&text, style, tag.as_deref(), span)?, anchor),
            Event::SequenceStart(_, anchor, tag) => {
                self.tag(tag.as_deref(), "seq", span)?;
                (self.sequence(pointer)?, anchor)
            }
            Event::MappingStart(_, anchor, tag) => {
                self.tag(tag.as_deref(), "map", span)?;
                (self.mapping(pointer)?, anchor)
            }
            Event::Alias(id) => {
                let known = self.anchors.get(&id);
                let (value, size) = known.ok_or_else(|| error(span, "an alias inside its own anchor"))?;
                self.values += size;
                if self.values > MOST_VALUES {
                    return Err(error(span, &format!("aliases make more than {MOST_VALUES} values")));
                }
                (value.clone(), 0)
            }
            _ => return Err(error(span, "a value is expected here")),
        };
        self.depth -= 1;
        if anchor != 0 {
            self.anchors.insert(anchor, (value.clone(), self.values - before));
        }
        Ok(value)
    }

    /// A tag that says what a collection is anyway.
    fn tag(&self, tag: Option<&Tag>, own: &str, span: Span) -> Result<(), YamlError> {
        match tag {
            None => Ok(()),
            Some(tag) if self.rules == Rules::Published && tag.is_yaml_core_schema_tag(own) => Ok(()),
            Some(_) => Err(error(span, "tags are not used in specifications")),
        }
    }

    fn scalar(&self, text: &str, style: ScalarStyle, tag: Option<&Tag>, span: Span) -> Result<Json, YamlError> {
        let unquoted = style == ScalarStyle::Plain;
        let Some(tag) = tag else {
            return if unquoted {
                plain(text, self.rules).map_err(|message| error(span, message))
            } else {
                Ok(Json::str(text))
            };
        };
        if self.rules == Rules::HandWritten || !tag.is_yaml_core_schema() {
            return Err(error(span, "tags are not used in specifications"));
        }
        let read = plain(text, self.rules).map_err(|message| error(span, message))?;
        match (tag.suffix(), read) {
            ("str", _) => Ok(Json::str(text)),
            ("int" | "float", number @ Json::Number(_)) => Ok(number),
            ("bool", flag @ Json::Bool(_)) => Ok(flag),
            ("null", null @ Json::Null) => Ok(null),
            (name, _) => Err(error(
                span,
                &format!("`{}` is no `!!{name}` of the core schema", brief(text)),
            )),
        }
    }

    fn sequence(&mut self, pointer: &str) -> Result<Json, YamlError> {
        let mut items = Vec::new();
        loop {
            match self.next()? {
                (Event::SequenceEnd, _) => return Ok(Json::Array(items)),
                (event, span) => items.push(self.node(event, span, &format!("{pointer}/{}", items.len()))?),
            }
        }
    }

    fn mapping(&mut self, pointer: &str) -> Result<Json, YamlError> {
        let mut map: Vec<(String, Json)> = Vec::new();
        // In which place each key of its own stands; what was merged stands behind them.
        let mut own: HashMap<String, Position> = HashMap::new();
        let mut merged: Vec<(String, Json)> = Vec::new();
        loop {
            let (key, key_span) = match self.next()? {
                (Event::MappingEnd, _) => break,
                (Event::Scalar(key, ScalarStyle::Plain, ..), span) if key == "<<" => {
                    if self.rules == Rules::HandWritten {
                        return Err(error(span, "merge keys are not used in specifications: write a `$ref`"));
                    }
                    let (event, value_span) = self.next()?;
                    let value = self.node(event, value_span, &join(pointer, "<<"))?;
                    merge(value, &mut merged).map_err(|message| error(value_span, message))?;
                    continue;
                }
                (Event::Scalar(key, ..), span) => (key.into_owned(), span),
                (_, span) => return Err(error(span, "a key is a text")),
            };
            let at = position(key_span);
            let child = join(pointer, &key);
            if let Some(first) = own.insert(key.clone(), at) {
                map.retain(|(known, _)| *known != key);
                self.twice.push(Twice {
                    pointer: child.clone(),
                    first,
                    position: at,
                });
            }
            self.positions.insert(child.clone(), at);
            let (event, span) = self.next()?;
            let value = self.node(event, span, &child)?;
            map.push((key, value));
        }
        // What a mapping says itself goes before what is merged into it.
        map.extend(merged.into_iter().filter(|(key, _)| !own.contains_key(key)));
        Ok(Json::Object(map))
    }
}

/// What a merge key brings: a mapping, or a list of them of which the earlier go before the later.
fn merge(value: Json, into: &mut Vec<(String, Json)>) -> Result<(), &'static str> {
    const WRONG: &str = "a merge key takes a mapping or a list of mappings";
    let mappings = match value {
        one @ Json::Object(_) => vec![one],
        Json::Array(several) => several,
        _ => return Err(WRONG),
    };
    for mapping in mappings {
        let Json::Object(members) = mapping else {
            return Err(WRONG);
        };
        for (key, value) in members {
            if !into.iter().any(|(known, _)| *known == key) {
                into.push((key, value));
            }
        }
    }
    Ok(())
}

/// No more of a text than says which one it is.
pub(crate) fn brief(text: &str) -> String {
    const LONGEST: usize = 60;
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}..", &text[..end]),
        None => text.to_owned(),
    }
}

fn position(span: Span) -> Position {
    Position {
        line: span.start.line(),
        column: span.start.col() + 1,
    }
}

fn error(span: Span, message: &str) -> YamlError {
    YamlError {
        position: position(span),
        message: message.to_owned(),
    }
}

/// A plain scalar by the core schema (YAML 1.2.2 section 10.3.2).
fn plain(text: &str, rules: Rules) -> Result<Json, &'static str> {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Ok(Json::Null),
        "true" | "True" | "TRUE" => return Ok(Json::Bool(true)),
        "false" | "False" | "FALSE" => return Ok(Json::Bool(false)),
        _ => {}
    }
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let looks_like_a_number = digits.starts_with(|c: char| c.is_ascii_digit() || c == '.')
        && digits.contains(|c: char| c.is_ascii_digit())
        && digits.chars().all(|c| c.is_ascii_digit() || "+-.eE".contains(c))
        && digits.matches('.').count() <= 1
        && !digits.starts_with(['e', 'E'])
        && number_shape(digits);
    if !looks_like_a_number {
        return Ok(Json::str(text));
    }
    let leading_zeros = digits.len() > 1 && digits.starts_with('0') && digits.chars().all(|c| c.is_ascii_digit());
    match rules {
        // A code, an account, a day: what was a number would not begin so.
        Rules::Published if leading_zeros || text.starts_with('+') => Ok(Json::str(text)),
        Rules::Published => Ok(Json::Number(as_json(text))),
        Rules::HandWritten if leading_zeros => Err("a number with leading zeros: quote it if it is a text"),
        Rules::HandWritten => {
            let significant = digits
                .split(['e', 'E'])
                .next()
                .unwrap_or_default()
                .chars()
                .filter(char::is_ascii_digit);
            // A double keeps fifteen significant decimal digits, whichever they are.
            let is_whole = text.parse::<i64>().is_ok();
            if !is_whole && significant.skip_while(|c| *c == '0').count() > 15 {
                return Err("a number with more digits than JSON readers keep: use fewer, or a text");
            }
            if !text.parse::<f64>().is_ok_and(f64::is_finite) {
                return Err("a number that JSON cannot carry");
            }
            Ok(Json::Number(as_json(text)))
        }
    }
}

/// The same number as JSON writes it (RFC 8259 section 6): no plus, a digit on each side of the point.
fn as_json(text: &str) -> String {
    let text = text.strip_prefix('+').unwrap_or(text);
    let (mantissa, exponent) = match text.find(['e', 'E']) {
        Some(at) => text.split_at(at),
        None => (text, ""),
    };
    let (sign, mantissa) = match mantissa.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", mantissa),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let whole = match whole.trim_start_matches('0') {
        "" => "0",
        whole => whole,
    };
    let point = if fraction.is_empty() { "" } else { "." };
    format!("{sign}{whole}{point}{fraction}{exponent}")
}

/// `[0-9]* ( . [0-9]* )? ( [eE] [-+]? [0-9]+ )?`
fn number_shape(text: &str) -> bool {
    let (mantissa, exponent) = match text.find(['e', 'E']) {
        Some(at) => (&text[..at], Some(&text[at + 1..])),
        None => (text, None),
    };
    let exponent_fits = exponent.is_none_or(|exponent| {
        let digits = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        !digits.is_empty() && digits.chars().all(|c| c.is_ascii_digit())
    });
    exponent_fits && mantissa.chars().all(|c| c.is_ascii_digit() || c == '.')
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn scalars_follow_the_core_schema() {
        for (text, value) in [
            ("a: 1", json!({"a": 1})),
            ("a: -1.50", json!({"a": -1.5})),
            ("a: 1e3", json!({"a": 1000.0})),
            ("a: 2026-11-21", json!({"a": "2026-11-21"})),
            ("a: 4XX", json!({"a": "4XX"})),
            ("a: 3.0.3", json!({"a": "3.0.3"})),
            ("a: yes", json!({"a": "yes"})),
            ("a: '032100'", json!({"a": "032100"})),
            ("a: ~", json!({"a": null})),
            ("200: ok", json!({"200": "ok"})),
            ("a: &x [1]\nb: *x", json!({"a": [1], "b": [1]})),
        ] {
            let (read, _) = parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!(read, value, "{text}");
        }
    }

    #[test]
    fn what_would_be_misread_is_refused() {
        for (text, line, column, message) in [
            ("a: 1\nb: [", 2, 0, ""),
            ("a: 1\na: 2", 2, 1, "the key `a` occurs twice; it stands at 1:1 already"),
            ("a: 032100", 1, 4, "leading zeros"),
            ("a: 12345678901234567.89", 1, 4, "more digits"),
            ("a:\n  <<: {b: 1}", 2, 3, "merge keys"),
            ("a: !!str 1", 1, 10, "tags"),
            ("a: 1\n---\nb: 2", 3, 1, "another document begins here"),
        ] {
            let Err(error) = parse(text) else {
                panic!("{text} was read")
            };
            assert_eq!(error.position.line, line, "{text}: {error}");
            assert!(
                column == 0 || error.position.column == column,
                "{text}: {:?}",
                error.position
            );
            assert!(error.message.contains(message), "{text}: {error}");
        }
    }

    #[test]
    fn a_published_document_is_read_as_it_was_meant() {
        for (text, json) in [
            ("a: [NO, on, y, yes, Off]", r#"{"a":["NO","on","y","yes","Off"]}"#),
            ("version: 1.10", r#"{"version":1.10}"#),
            ("a: 12345678901234567.890", r#"{"a":12345678901234567.890}"#),
            (
                "a: [007, +31, 0, 0.50, .5, 1., -.5e3, 1e400]",
                r#"{"a":["007","+31",0,0.50,0.5,1,-0.5e3,1e400]}"#,
            ),
            (
                "a: [0x1F, 0o17, 1_000, .inf, 2026-11-21, 12:30]",
                r#"{"a":["0x1F","0o17","1_000",".inf","2026-11-21","12:30"]}"#,
            ),
            (
                "a: [!!str 1, !!int 2, !!float 1.0, !!bool true, !!null ~, !!seq [], !!map {}]",
                r#"{"a":["1",2,1.0,true,null,[],{}]}"#,
            ),
            (
                "x: &x {a: 1, b: 2}\ny:\n  b: 3\n  <<: *x\n  c: 4",
                r#"{"x":{"a":1,"b":2},"y":{"b":3,"c":4,"a":1}}"#,
            ),
            ("y: {<<: [{a: 1}, {a: 2, b: 3}]}", r#"{"y":{"a":1,"b":3}}"#),
            ("\"<<\": 1", r#"{"<<":1}"#),
        ] {
            let (read, _) = read(text, Rules::Published).unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!(read.to_string(), json, "{text}");
        }
        for (text, message) in [
            ("y: {<<: 1}", "a merge key takes a mapping"),
            ("y: {<<: [1]}", "a merge key takes a mapping"),
            ("a: !!binary aGk=", "tags are not used"),
            ("a: !!int x", "`x` is no `!!int`"),
            ("a: !secret x", "tags are not used"),
            ("a: !!seq {}", "tags are not used"),
            ("? [a]\n: 1", "a key is a text"),
            (
                "200: a\n'200': b",
                "the key `200` occurs twice; it stands at 1:1 already",
            ),
        ] {
            let Err(error) = read(text, Rules::Published) else {
                panic!("{text} was read")
            };
            assert!(error.message.contains(message), "{text}: {error}");
        }
    }

    #[test]
    fn a_few_lines_do_not_become_billions_of_values() {
        let mut bomb = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n".to_owned();
        for level in 1..12 {
            let before = vec![format!("*a{}", level - 1); 10].join(",");
            bomb.push_str(&format!("a{level}: &a{level} [{before}]\n"));
        }
        for (text, message) in [
            (bomb, "aliases make more"),
            ("[".repeat(100_000), "recursion limit"),
            ("- ".repeat(5_000), "nested more than"),
        ] {
            let Err(error) = parse(&text) else { panic!("read") };
            assert!(error.message.contains(message), "{error}");
        }
    }

    #[test]
    fn positions_are_those_of_the_keys() {
        let Ok((_, positions)) = parse("a:\n  b/c: 1\n  d:\n    - x\n    - y: 2\n") else {
            panic!("valid")
        };
        for (pointer, line, column) in [("/a", 1, 1), ("/a/b~1c", 2, 3), ("/a/d/0", 4, 7), ("/a/d/1/y", 5, 7)] {
            assert_eq!(positions.get(pointer), Some(&Position { line, column }), "{pointer}");
        }
    }
}
