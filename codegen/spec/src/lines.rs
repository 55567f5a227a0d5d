//! On which line of a bundle something stands.

use std::collections::HashMap;

use crate::pointer::token;

/// JSON pointer (RFC 6901) to line, counted from 1.
///
/// A member of an object stands where its key is, an element of an array where it begins.
pub struct Lines(HashMap<String, usize>);

impl Lines {
    /// Reads a text that is known to be JSON; of anything else it knows no lines.
    #[must_use]
    pub fn of(text: &str) -> Self {
        let mut scan = Scan {
            rest: text,
            line: 1,
            found: HashMap::new(),
        };
        let _ = scan.value(&mut String::new(), None);
        Self(scan.found)
    }

    /// The line of what a pointer names.
    #[must_use]
    pub fn get(&self, pointer: &str) -> Option<usize> {
        self.0.get(pointer).copied()
    }
}

struct Scan<'t> {
    rest: &'t str,
    line: usize,
    found: HashMap<String, usize>,
}

impl Scan<'_> {
    fn value(&mut self, pointer: &mut String, key_line: Option<usize>) -> Option<()> {
        let first = self.peek()?;
        self.found
            .entry(pointer.clone())
            .or_insert(key_line.unwrap_or(self.line));
        match first {
            '{' => self.members(pointer, '}'),
            '[' => self.members(pointer, ']'),
            '"' => self.string().map(drop),
            _ => {
                let end = self.rest.find([',', ']', '}']).unwrap_or(self.rest.len());
                let (scalar, rest) = self.rest.split_at(end);
                self.line += scalar.matches('\n').count();
                self.rest = rest;
                Some(())
            }
        }
    }

    fn members(&mut self, pointer: &mut String, close: char) -> Option<()> {
        self.take()?;
        for n in 0.. {
            if self.peek()? == close {
                return self.take();
            }
            if n > 0 {
                self.take()?; // the comma
            }
            let length = pointer.len();
            let mut key_line = None;
            let name = if close == '}' {
                self.peek()?;
                key_line = Some(self.line);
                let key = self.string()?;
                self.peek()?;
                self.take()?; // the colon
                token(&key)
            } else {
                n.to_string()
            };
            pointer.push('/');
            pointer.push_str(&name);
            self.value(pointer, key_line)?;
            pointer.truncate(length);
        }
        None
    }

    /// The next character that is not white space.
    fn peek(&mut self) -> Option<char> {
        let trimmed = self.rest.trim_start();
        let skipped = &self.rest[..self.rest.len() - trimmed.len()];
        self.line += skipped.matches('\n').count();
        self.rest = trimmed;
        trimmed.chars().next()
    }

    fn take(&mut self) -> Option<()> {
        let mut chars = self.rest.chars();
        chars.next()?;
        self.rest = chars.as_str();
        Some(())
    }

    fn string(&mut self) -> Option<String> {
        let mut escaped = false;
        let end = self.rest.char_indices().skip(1).find(|&(_, c)| {
            let ends = c == '"' && !escaped;
            escaped = c == '\\' && !escaped;
            ends
        })?;
        let (quoted, rest) = self.rest.split_at(end.0 + 1);
        self.rest = rest;
        serde_json::from_str(quoted).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::Lines;

    #[test]
    fn a_pointer_leads_to_the_line_of_its_key() {
        let lines = Lines::of("{\n \"a/b\": [1,\n  {\"c\\\"\": {}}],\n \"d\":\n  \"}{\"\n}");
        let table = [
            ("", 1),
            ("/a~1b", 2),
            ("/a~1b/0", 2),
            ("/a~1b/1", 3),
            ("/a~1b/1/c\"", 3),
            ("/d", 4),
        ];
        for (pointer, line) in table {
            assert_eq!(lines.get(pointer), Some(line), "{pointer}");
        }
        assert_eq!(lines.get("/e"), None);
        assert_eq!(Lines::of("{\"a\": ").get("/b"), None);
    }
}
