//! The voice of the tool: right-aligned headers as cargo has them, and exit codes that mean something.

use std::borrow::Cow;
use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use serde_json::{Value, json};

/// The exit codes of every command, for the page of each.
pub const EXIT_CODES: &str = "\
Exit codes, of every command:
  0    done
  2    the command itself is wrong: an unknown word, a missing argument; nothing was done
  4    something is stale; the command in the last line puts it right
  100  refused, or a person must decide; the text says what";

/// What a run comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// Nothing to do.
    Fresh,
    /// A command can put it right; the last line names it.
    Stale,
    /// A person must decide.
    Failure,
}

impl Outcome {
    /// The exit code of the process.
    #[must_use]
    pub fn code(self) -> u8 {
        match self {
            Self::Fresh => 0,
            Self::Stale => 4,
            Self::Failure => 100,
        }
    }

    /// The word for programs.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Fresh => "done",
            Self::Stale => "stale",
            Self::Failure => "refused",
        }
    }
}

/// Colour of a header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// As it should be.
    Good,
    /// To be looked at.
    Warn,
    /// To be put right.
    Bad,
    /// Neither.
    Note,
}

impl Tone {
    fn style(self) -> Style {
        let colour = match self {
            Self::Good => AnsiColor::Green,
            Self::Warn => AnsiColor::Yellow,
            Self::Bad => AnsiColor::Red,
            Self::Note => AnsiColor::Cyan,
        };
        colour.on_default().bold()
    }
}

/// Where the tool speaks to.
pub struct Shell<'w> {
    out: &'w mut dyn Write,
    colour: bool,
    /// What was said in words to a program, which reads one JSON document and nothing else.
    kept: Option<Vec<(String, String)>>,
    /// The JSON document was written.
    is_told: bool,
}

impl<'w> Shell<'w> {
    /// A shell on a writer.
    pub fn new(out: &'w mut dyn Write, colour: bool) -> Self {
        Self {
            out,
            colour,
            kept: None,
            is_told: false,
        }
    }

    /// A shell that writes JSON alone: what a command says in words is kept until [`end`](Self::end).
    pub fn for_a_program(out: &'w mut dyn Write) -> Self {
        Self {
            kept: Some(Vec::new()),
            ..Self::new(out, false)
        }
    }

    /// The end of a run: a program that has had no JSON yet gets what was said in words.
    ///
    /// # Errors
    ///
    /// The writer's.
    pub fn end(&mut self, outcome: Outcome) -> io::Result<()> {
        match self.kept {
            Some(_) if !self.is_told => {
                let value = json!({ "outcome": outcome.word(), "told": self.told() });
                self.raw(&format!("{value:#}"))
            }
            _ => Ok(()),
        }
    }

    /// What was said in words until now, for a program.
    #[must_use]
    pub fn told(&self) -> Vec<Value> {
        let kept = self.kept.iter().flatten();
        kept.map(|(kind, text)| json!({ "kind": kind, "text": text })).collect()
    }

    /// A line with a header of twelve columns.
    ///
    /// # Errors
    ///
    /// The writer's.
    pub fn header(&mut self, tone: Tone, header: &str, text: &str) -> io::Result<()> {
        let text = one_line(text);
        if let Some(kept) = &mut self.kept {
            kept.push((header.to_lowercase(), text));
            return Ok(());
        }
        if self.colour {
            let style = tone.style();
            writeln!(self.out, "{style}{header:>12}{style:#} {text}")
        } else {
            writeln!(self.out, "{header:>12} {text}")
        }
    }

    /// A line under a header.
    ///
    /// # Errors
    ///
    /// The writer's.
    pub fn line(&mut self, text: &str) -> io::Result<()> {
        if let Some(kept) = &mut self.kept {
            if let Some((_, last)) = kept.last_mut() {
                last.push('\n');
                last.push_str(&one_line(text));
            }
            return Ok(());
        }
        writeln!(self.out, "{:>12} {}", "", one_line(text))
    }

    /// Text as it is: a diff, the command to run.
    ///
    /// # Errors
    ///
    /// The writer's.
    pub fn raw(&mut self, text: &str) -> io::Result<()> {
        self.is_told = true;
        self.out.write_all(text.as_bytes())?;
        if text.ends_with('\n') {
            Ok(())
        } else {
            writeln!(self.out)
        }
    }

    /// A unified diff, coloured by line.
    ///
    /// # Errors
    ///
    /// The writer's.
    pub fn diff(&mut self, diff: &str) -> io::Result<()> {
        for line in diff.lines() {
            let colour = match line.as_bytes().first() {
                Some(b'+') => Some(AnsiColor::Green),
                Some(b'-') => Some(AnsiColor::Red),
                Some(b'@') => Some(AnsiColor::Cyan),
                _ => None,
            };
            // A style without a colour writes nothing.
            let style = colour
                .filter(|_| self.colour)
                .map_or(Style::new(), AnsiColor::on_default);
            writeln!(self.out, "{style}{line}{style:#}")?;
        }
        Ok(())
    }
}

/// An argument as a shell takes it.
#[must_use]
pub fn quoted(argument: &str) -> String {
    // No argument of a process has a NUL, which is all that cannot be quoted.
    shlex::try_quote(argument).map_or_else(|_| argument.to_owned(), Cow::into_owned)
}

/// Texts of others can carry line breaks and orders to a terminal; neither is ours to say.
fn one_line(text: &str) -> String {
    text.chars()
        .map(|letter| if letter.is_control() { ' ' } else { letter })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_in_the_last_line_can_be_run() {
        for (argument, written) in [
            ("--docs", "--docs"),
            ("https://x.example/a", "https://x.example/a"),
            ("https://x.example/a?b&c", "'https://x.example/a?b&c'"),
            ("a page, \"b\"", "'a page, \"b\"'"),
            ("it's", "\"it's\""),
            ("", "''"),
        ] {
            assert_eq!(quoted(argument), written);
            assert_eq!(shlex::split(written), Some(vec![argument.to_owned()]));
        }
    }

    #[test]
    fn colours_go_around_what_is_said_and_nothing_else() {
        let mut said = Vec::new();
        let mut shell = Shell::new(&mut said, true);
        let told = shell
            .header(Tone::Bad, "Stale", "a")
            .and_then(|()| shell.diff("+b\n c\n"));
        assert!(told.is_ok());
        let said = String::from_utf8_lossy(&said);
        assert_eq!(
            said,
            "\u{1b}[1m\u{1b}[31m       Stale\u{1b}[0m a\n\u{1b}[32m+b\u{1b}[0m\n c\n"
        );
    }

    #[test]
    fn what_others_wrote_makes_no_line_of_its_own() {
        let mut said = Vec::new();
        let mut shell = Shell::new(&mut said, false);
        let told = shell.header(Tone::Bad, "Wire", "`x\n       Fresh all\u{1b}[2J` is new");
        assert!(told.is_ok());
        assert_eq!(
            String::from_utf8_lossy(&said),
            "        Wire `x        Fresh all [2J` is new\n"
        );
    }
}
