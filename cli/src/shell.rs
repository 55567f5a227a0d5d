//! The voice of the tool: right-aligned headers as cargo has them, and exit codes that mean something.

use std::io::{self, Write};

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

/// Where the tool speaks to.
pub struct Shell<'w> {
    out: &'w mut dyn Write,
    colour: bool,
}

impl<'w> Shell<'w> {
    /// A shell on a writer.
    pub fn new(out: &'w mut dyn Write, colour: bool) -> Self {
        Self { out, colour }
    }

    /// A line with a header of twelve columns.
    ///
    /// # Errors
    ///
    /// The writer's.
    pub fn header(&mut self, tone: Tone, header: &str, text: &str) -> io::Result<()> {
        let text = one_line(text);
        if self.colour {
            let code = match tone {
                Tone::Good => "32",
                Tone::Warn => "33",
                Tone::Bad => "31",
                Tone::Note => "36",
            };
            writeln!(self.out, "\x1b[1;{code}m{header:>12}\x1b[0m {text}")
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
        writeln!(self.out, "{:>12} {}", "", one_line(text))
    }

    /// Text as it is: a diff, the command to run.
    ///
    /// # Errors
    ///
    /// The writer's.
    pub fn raw(&mut self, text: &str) -> io::Result<()> {
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
            let code = match line.as_bytes().first() {
                Some(b'+') => "32",
                Some(b'-') => "31",
                Some(b'@') => "36",
                _ => "",
            };
            if self.colour && !code.is_empty() {
                writeln!(self.out, "\x1b[{code}m{line}\x1b[0m")?;
            } else {
                writeln!(self.out, "{line}")?;
            }
        }
        Ok(())
    }
}

/// An argument as a shell takes it.
#[must_use]
pub fn quoted(argument: &str) -> String {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "-_./:=,@%+".contains(letter);
    if !argument.is_empty() && argument.chars().all(plain) {
        argument.to_owned()
    } else {
        format!("'{}'", argument.replace('\'', "'\\''"))
    }
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
            ("it's", "'it'\\''s'"),
            ("", "''"),
        ] {
            assert_eq!(quoted(argument), written);
        }
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
