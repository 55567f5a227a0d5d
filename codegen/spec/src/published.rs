//! A document as its provider published it: JSON or YAML, every value in its place.

use std::cell::Cell;
use std::collections::HashMap;

use crate::json::Json;
use crate::pointer::token;
use crate::yaml::{self, Position, Positions, Rules, Twice, YamlError, nearest};

/// A document that was read, whatever it says.
#[derive(Clone, Debug)]
pub struct Published {
    /// The whole document; numbers have all their digits, members their order.
    pub root: Json,
    /// In which language it is written.
    pub language: Language,
    positions: Positions,
    twice: Vec<Twice>,
}

/// In which language a document is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// RFC 8259.
    Json,
    /// YAML 1.2, in the core schema.
    Yaml,
}

/// Why the bytes are no document, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}:{}: {message}", position.line, position.column)]
pub struct Unreadable {
    /// The place of it.
    pub position: Position,
    /// What, in words, and what to do.
    pub message: String,
}

impl Published {
    /// Reads what came, as JSON where it begins as JSON does, else as YAML. A byte order mark says nothing.
    ///
    /// ```
    /// use finrail_spec::published::Published;
    ///
    /// let document = Published::read(b"openapi: 3.1.0\npaths: {}\n")?;
    /// assert_eq!(document.root.to_string(), r#"{"openapi":"3.1.0","paths":{}}"#);
    /// assert_eq!(document.line("/paths"), Some(2));
    ///
    /// let twice = Published::read(b"{\n \"get\": 1,\n \"get\": 2\n}").unwrap_err();
    /// assert_eq!(twice.to_string(), "3:2: the key `get` occurs twice; it stands at 2:2 already");
    /// # Ok::<(), finrail_spec::published::Unreadable>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Bytes that are no text in UTF-8, text that is neither JSON nor YAML, a key that an object has twice (one of the two
    /// would vanish), half a surrogate pair, and more than 128 levels.
    pub fn read(bytes: &[u8]) -> Result<Self, Unreadable> {
        let read = Self::read_the_last(bytes)?;
        match read.twice.first() {
            Some(twice) => Err(Unreadable {
                position: twice.position,
                message: twice.message(),
            }),
            None => Ok(read),
        }
    }

    /// The same, where of a key that an object has twice the last counts, as most readers have it: [`twice`](Self::twice) tells
    /// of each.
    ///
    /// # Errors
    ///
    /// Those of [`read`](Self::read) but for such keys.
    pub fn read_the_last(bytes: &[u8]) -> Result<Self, Unreadable> {
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let text = std::str::from_utf8(bytes).map_err(|error| not_utf8(bytes, error.valid_up_to()))?;
        if text.trim_start().starts_with(['{', '[']) && !is_flow_yaml(text) {
            let (root, positions, twice) = json(text)?;
            return Ok(Self {
                root,
                language: Language::Json,
                positions,
                twice,
            });
        }
        let (root, positions, twice) = yaml::read_the_last(text, Rules::Published)
            .map_err(|YamlError { position, message }| Unreadable { position, message })?;
        Ok(Self {
            root,
            language: Language::Yaml,
            positions,
            twice,
        })
    }

    /// The keys that an object has twice, each with the place of both.
    #[must_use]
    pub fn twice(&self) -> &[Twice] {
        &self.twice
    }

    /// Where a value stands; for one that is not there, where the nearest value around it stands.
    #[must_use]
    pub fn position(&self, pointer: &str) -> Option<Position> {
        nearest(&self.positions, pointer)
    }

    /// The line of [`position`](Self::position).
    #[must_use]
    pub fn line(&self, pointer: &str) -> Option<usize> {
        self.position(pointer).map(|position| position.line)
    }
}

/// YAML in one pair of braces, as in `{openapi: 3.0.3}`: no key of JSON goes without quotes.
fn is_flow_yaml(text: &str) -> bool {
    let inside = text.trim_start().trim_start_matches(['{', '[']).trim_start();
    !inside.starts_with(['"', '{', '[', '}', ']']) && !inside.is_empty()
}

fn not_utf8(bytes: &[u8], valid: usize) -> Unreadable {
    let message = match bytes {
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] | [0, ..] | [_, 0, ..] => "this is UTF-16 or UTF-32; convert it to UTF-8",
        [0x1f, 0x8b, ..] => "this is packed with gzip; unpack it",
        [b'P', b'K', 3, 4, ..] => "this is an archive; unpack it",
        _ => "this is no text in UTF-8; convert it",
    };
    let valid = String::from_utf8_lossy(&bytes[..valid]);
    Unreadable {
        position: place(&valid, valid.len()),
        message: message.to_owned(),
    }
}

/// The place of an offset.
fn place(text: &str, offset: usize) -> Position {
    let before = &text[..offset];
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    Position {
        line: before.matches('\n').count() + 1,
        column: before[line_start..].chars().count() + 1,
    }
}

/// How deep a document may nest, as [`Json`] and the readers of YAML have it.
const DEEPEST: usize = 96;

/// JSON with the place of each value: of a member that of its key.
fn json(text: &str) -> Result<(Json, Positions, Vec<Twice>), Unreadable> {
    let mut reader = Reader {
        text,
        at: 0,
        line: 1,
        counted: Cell::new((0, 0)),
        positions: Positions::new(),
        twice: Vec::new(),
    };
    reader.space();
    reader.positions.insert(String::new(), reader.here());
    let root = reader.value(&mut String::new(), 0)?;
    reader.space();
    if reader.at < text.len() {
        return Err(reader.wrong("the document has ended, and more follows"));
    }
    Ok((root, reader.positions, reader.twice))
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
    line: usize,
    /// How far the line is counted, and the characters of it up to there: many documents are one line.
    counted: Cell<(usize, usize)>,
    positions: Positions,
    /// Keys that an object has twice.
    twice: Vec<Twice>,
}

impl Reader<'_> {
    fn here(&self) -> Position {
        let (to, before) = self.counted.get();
        let column = before + self.text[to..self.at].chars().count();
        self.counted.set((self.at, column));
        Position {
            line: self.line,
            column: column + 1,
        }
    }

    fn wrong(&self, message: &str) -> Unreadable {
        Unreadable {
            position: self.here(),
            message: message.to_owned(),
        }
    }

    fn next(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// White space (RFC 8259 section 2).
    fn space(&mut self) {
        while let Some(byte @ (b' ' | b'\t' | b'\r' | b'\n')) = self.next() {
            self.at += 1;
            if byte == b'\n' {
                self.line += 1;
                self.counted.set((self.at, 0));
            }
        }
    }

    fn value(&mut self, pointer: &mut String, depth: usize) -> Result<Json, Unreadable> {
        if depth > DEEPEST {
            return Err(self.wrong(&format!("nested more than {DEEPEST} deep")));
        }
        match self.next() {
            Some(b'{') => self.object(pointer, depth),
            Some(b'[') => self.array(pointer, depth),
            Some(b'"') => self.string().map(Json::String),
            Some(_) => self.word(),
            None => Err(self.wrong("the text ends, and a value is expected")),
        }
    }

    fn object(&mut self, pointer: &mut String, depth: usize) -> Result<Json, Unreadable> {
        let mut members: Vec<(String, Json)> = Vec::new();
        let mut known: HashMap<String, Position> = HashMap::new();
        self.at += 1;
        self.space();
        while self.next() != Some(b'}') {
            if !known.is_empty() {
                self.expect(b',', "a comma or a closing brace")?;
            }
            if self.next() != Some(b'"') {
                return Err(self.wrong("a key in double quotes is expected"));
            }
            let at = self.here();
            let key = self.string()?;
            self.space();
            self.expect(b':', "a colon")?;
            let length = pointer.len();
            pointer.push('/');
            pointer.push_str(&token(&key));
            if let Some(first) = known.insert(key.clone(), at) {
                members.retain(|(known, _)| *known != key);
                self.twice.push(Twice {
                    pointer: pointer.clone(),
                    first,
                    position: at,
                });
            }
            self.positions.insert(pointer.clone(), at);
            let value = self.value(pointer, depth + 1)?;
            pointer.truncate(length);
            members.push((key, value));
            self.space();
        }
        self.at += 1;
        Ok(Json::Object(members))
    }

    fn array(&mut self, pointer: &mut String, depth: usize) -> Result<Json, Unreadable> {
        let mut items = Vec::new();
        self.at += 1;
        self.space();
        while self.next() != Some(b']') {
            if !items.is_empty() {
                self.expect(b',', "a comma or a closing bracket")?;
            }
            let length = pointer.len();
            pointer.push('/');
            pointer.push_str(&items.len().to_string());
            self.positions.insert(pointer.clone(), self.here());
            items.push(self.value(pointer, depth + 1)?);
            pointer.truncate(length);
            self.space();
        }
        self.at += 1;
        Ok(Json::Array(items))
    }

    /// Takes a character and the white space behind it.
    fn expect(&mut self, byte: u8, what: &str) -> Result<(), Unreadable> {
        if self.next() != Some(byte) {
            return Err(self.wrong(&format!("{what} is expected")));
        }
        self.at += 1;
        self.space();
        Ok(())
    }

    fn string(&mut self) -> Result<String, Unreadable> {
        let bytes = self.text.as_bytes();
        let mut end = self.at + 1;
        loop {
            match bytes.get(end) {
                Some(b'"') => break,
                Some(b'\\') => end += 2,
                Some(_) => end += 1,
                None => return Err(self.wrong("a text has no closing quote")),
            }
        }
        let quoted = &self.text[self.at..=end];
        let text = serde_json::from_str(quoted)
            .map_err(|error| self.wrong(&format!("no text of JSON: {}", without_place(&error))))?;
        self.at = end + 1;
        Ok(text)
    }

    /// `null`, `true`, `false` or a number.
    fn word(&mut self) -> Result<Json, Unreadable> {
        let rest = &self.text[self.at..];
        let ends = |c: char| matches!(c, ',' | ']' | '}' | ':' | '"') || c.is_ascii_whitespace();
        let word = &rest[..rest.find(ends).unwrap_or(rest.len())];
        let read =
            Json::parse(word).map_err(|_| self.wrong(&format!("`{}` is no value of JSON", yaml::brief(word))))?;
        self.at += word.len();
        Ok(read)
    }
}

/// What serde_json says, without the place in the little text that it was given.
fn without_place(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let end = text.rfind(" at line ").unwrap_or(text.len());
    text[..end].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(bytes: impl AsRef<[u8]>) -> String {
        match Published::read(bytes.as_ref()) {
            Err(error) => error.to_string(),
            Ok(document) => panic!("{} was read", document.root),
        }
    }

    #[test]
    fn both_languages_keep_digits_order_and_places() {
        let in_json = "\u{feff}{\n \"z\": 1.10,\n \"a/b\": [1,\n  {\"c\\\"\": \"\\ud83d\\ude00\"}],\n \"d\":\n  12345678901234567890.5\n}\n";
        let document = Published::read(in_json.as_bytes()).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(document.language, Language::Json);
        assert_eq!(
            document.root.to_string(),
            r#"{"z":1.10,"a/b":[1,{"c\"":"😀"}],"d":12345678901234567890.5}"#
        );
        for (pointer, line, column) in [
            ("", 1, 1),
            ("/z", 2, 2),
            ("/a~1b/0", 3, 10),
            ("/a~1b/1/c\"", 4, 4),
            ("/d", 5, 2),
            ("/d/nowhere/at/all", 5, 2),
        ] {
            assert_eq!(document.position(pointer), Some(Position { line, column }), "{pointer}");
        }
        let in_yaml = "\u{feff}z: 1.10\na/b:\n- 1\n- c: NO\n";
        let document = Published::read(in_yaml.as_bytes()).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(document.language, Language::Yaml);
        assert_eq!(document.root.to_string(), r#"{"z":1.10,"a/b":[1,{"c":"NO"}]}"#);
        assert_eq!(document.line("/a~1b/1/c"), Some(4));
        for flow in ["{openapi: 3.0.3}", "{ 'a': 1 }", "[a, b]"] {
            assert_eq!(
                Published::read(flow.as_bytes()).map(|read| read.language),
                Ok(Language::Yaml)
            );
        }
        for json in ["{}", " [ ] ", "{\"a\":{}}", "[[{\"a\":null}]]"] {
            assert_eq!(
                Published::read(json.as_bytes()).map(|read| read.language),
                Ok(Language::Json)
            );
        }
    }

    #[test]
    fn what_is_no_document_is_refused_with_its_place() {
        for (text, error) in [
            (
                "{\"a\": 1,\n \"b\": {\"c\": 1, \"c\": 2}}",
                "2:16: the key `c` occurs twice; it stands at 2:8 already",
            ),
            ("{\"a\": 1 \"b\": 2}", "1:9: a comma or a closing brace is expected"),
            ("{\"a\": [1 2]}", "1:10: a comma or a closing bracket is expected"),
            ("{\"a\": [1,]}", "1:10: `` is no value of JSON"),
            ("{\"a\": 1,}", "1:9: a key in double quotes is expected"),
            ("{\"a\" 1}", "1:6: a colon is expected"),
            ("{\"a\": 01}", "1:7: `01` is no value of JSON"),
            ("{\"a\": nul}", "1:7: `nul` is no value of JSON"),
            ("{\"a\": 'x'}", "1:7: `'x'` is no value of JSON"),
            ("{\"a\": \"x", "1:7: a text has no closing quote"),
            ("{\"a\": \"\\ud800\"}", "1:7: no text of JSON: "),
            ("{\"a\": \"\n\"}", "1:7: no text of JSON: "),
            ("{\"a\":", "1:6: the text ends, and a value is expected"),
            ("{\"a\": 1}\n{}", "2:1: the document has ended, and more follows"),
            ("a: 1\na: 2", "2:1: the key `a` occurs twice; it stands at 1:1 already"),
            ("", "the file is empty"),
        ] {
            let refused = refused(text);
            assert!(refused.contains(error), "{text}: {refused}");
        }
        assert!(refused("[".repeat(100_000)).contains("nested more than 96 deep"));
        let deep = "{\"a\":".repeat(97) + "1" + &"}".repeat(97);
        assert!(refused(deep).contains("nested more than 96 deep"));
        assert!(refused(b"\xff\xfe{\0}\0").contains("UTF-16"));
        assert!(refused(b"\x1f\x8b\x08\x00").contains("gzip"));
        assert_eq!(
            refused(b"a: 1\nb: caf\xe9"),
            "2:7: this is no text in UTF-8; convert it"
        );
    }
}
