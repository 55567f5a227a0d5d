//! Reads YAML and remembers where every value stood.

use std::collections::HashMap;

use serde_json::{Map, Number, Value};
use serde_saphyr::granit_parser::{Event, Parser, ScalarStyle, ScanError, Span};

use crate::pointer::join;

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

/// Why a text is not a specification's YAML.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct YamlError {
    /// Where.
    pub position: Position,
    /// What, in words.
    pub message: String,
}

/// Reads one document in the core schema of YAML 1.2, with every key as text.
///
/// # Errors
///
/// Syntax, a key that occurs twice, a merge key, a tag, a second document, and
/// numbers that JSON cannot carry without changing them.
pub fn parse(text: &str) -> Result<(Value, Positions), YamlError> {
    let mut reader = Reader {
        events: Parser::new_from_str(text),
        anchors: HashMap::new(),
        positions: Positions::new(),
        values: 0,
        depth: 0,
    };
    let (first, span) = reader.next()?;
    if matches!(first, Event::StreamEnd) {
        return Err(error(span, "the file is empty"));
    }
    let value = reader.node(first, span, "")?;
    match reader.next()? {
        (Event::StreamEnd, _) => Ok((value, reader.positions)),
        (_, span) => Err(error(span, "a specification is one document")),
    }
}

struct Reader<'t, I: Iterator<Item = Result<(Event<'t>, Span), ScanError>>> {
    events: I,
    /// Values by anchor, each with the number of values in it.
    anchors: HashMap<usize, (Value, usize)>,
    positions: Positions,
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

    fn node(&mut self, event: Event<'t>, span: Span, pointer: &str) -> Result<Value, YamlError> {
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
            Event::Scalar(text, style, anchor, tag) => {
                if tag.is_some() {
                    return Err(error(span, "tags are not used in specifications"));
                }
                let value = match style {
                    ScalarStyle::Plain => plain(&text).map_err(|message| error(span, message))?,
                    _ => Value::String(text.into_owned()),
                };
                (value, anchor)
            }
            Event::SequenceStart(_, anchor, _) => (self.sequence(pointer)?, anchor),
            Event::MappingStart(_, anchor, _) => (self.mapping(pointer)?, anchor),
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

    fn sequence(&mut self, pointer: &str) -> Result<Value, YamlError> {
        let mut items = Vec::new();
        loop {
            match self.next()? {
                (Event::SequenceEnd, _) => return Ok(Value::Array(items)),
                (event, span) => items.push(self.node(event, span, &format!("{pointer}/{}", items.len()))?),
            }
        }
    }

    fn mapping(&mut self, pointer: &str) -> Result<Value, YamlError> {
        let mut map = Map::new();
        loop {
            let (key, key_span) = match self.next()? {
                (Event::MappingEnd, _) => return Ok(Value::Object(map)),
                (Event::Scalar(key, ..), span) => (key.into_owned(), span),
                (_, span) => return Err(error(span, "a key is a text")),
            };
            if key == "<<" {
                return Err(error(
                    key_span,
                    "merge keys are not used in specifications: write a `$ref`",
                ));
            }
            if map.contains_key(&key) {
                return Err(error(key_span, &format!("the key `{key}` occurs twice")));
            }
            let child = join(pointer, &key);
            self.positions.insert(child.clone(), position(key_span));
            let (event, span) = self.next()?;
            let value = self.node(event, span, &child)?;
            map.insert(key, value);
        }
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
fn plain(text: &str) -> Result<Value, &'static str> {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Ok(Value::Null),
        "true" | "True" | "TRUE" => return Ok(Value::Bool(true)),
        "false" | "False" | "FALSE" => return Ok(Value::Bool(false)),
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
        return Ok(Value::String(text.to_owned()));
    }
    if let Ok(integer) = text.parse::<i64>() {
        return if digits.len() > 1 && digits.starts_with('0') {
            Err("a number with leading zeros: quote it if it is a text")
        } else {
            Ok(Value::Number(integer.into()))
        };
    }
    let significant = digits
        .split(['e', 'E'])
        .next()
        .unwrap_or_default()
        .chars()
        .filter(char::is_ascii_digit);
    // A double keeps fifteen significant decimal digits, whichever they are.
    if significant.skip_while(|c| *c == '0').count() > 15 {
        return Err("a number with more digits than JSON readers keep: use fewer, or a text");
    }
    text.parse::<f64>()
        .ok()
        .and_then(Number::from_f64)
        .map(Value::Number)
        .ok_or("a number that JSON cannot carry")
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
            ("a: 1\na: 2", 2, 1, "the key `a` occurs twice"),
            ("a: 032100", 1, 4, "leading zeros"),
            ("a: 12345678901234567.89", 1, 4, "more digits"),
            ("a:\n  <<: {b: 1}", 2, 3, "merge keys"),
            ("a: !!str 1", 1, 10, "tags"),
            ("a: 1\n---\nb: 2", 3, 1, "one document"),
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
