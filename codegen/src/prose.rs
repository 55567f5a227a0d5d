//! Text of a specification as documentation of Rust code.

use std::fmt::Write as _;

/// Text of a specification as rustdoc takes it: no accidental code, links or HTML.
///
/// What stands in backticks, and Markdown's own links, stay as they are. A block between fences stays one, of plain text: what
/// a bank shows is no Rust, and rustdoc would compile it.
pub(crate) fn prose(text: &str) -> String {
    let text = &in_lines(text);
    let mut shown: Vec<String> = Vec::new();
    let mut between: Vec<&str> = Vec::new();
    let mut open: Option<char> = None;
    for line in text.trim().lines() {
        // In an open block, the mark of a list is a part of what it shows.
        let here = if open.is_some() {
            quoted(line)
        } else {
            behind_marks(line)
        };
        match (fence(here), open) {
            (Some(fence), None) => {
                shown.extend(words(&std::mem::take(&mut between)));
                shown.push("```text".to_owned());
                open = Some(fence);
            }
            (Some(fence), Some(opened)) if fence == opened => {
                shown.push("```".to_owned());
                open = None;
            }
            (_, Some(_)) => shown.push(line.trim_end().replace("```", "` ` `")),
            (None, None) => between.push(line),
        }
    }
    // One that nobody closed would take whatever is said after it.
    match open {
        Some(_) => shown.push("```".to_owned()),
        None => shown.extend(words(&between)),
    }
    shown.join("\n")
}

/// A text as code in one line.
pub(crate) fn code(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            // It would end the code, or begin a block of it.
            '`' => shown.push('\''),
            c if c.is_control() => shown.extend(c.escape_debug()),
            c => shown.push(c),
        }
    }
    format!("`{shown}`")
}

/// A text with Unix line ends, and without the marks that turn the direction of what follows: a comment with one of these,
/// or with a carriage return that ends no line, is no Rust.
pub(crate) fn in_lines(text: &str) -> String {
    let is_turning = |c: char| matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    text.chars().filter(|c| !is_turning(*c)).collect()
}

/// What may stand before a fence, as Markdown has it: no other blank of Unicode, behind which a fence is words. Where one of them
/// were taken away alone, what follows would become a fence.
const INDENTS: &[char] = &[' ', '\t', '\u{b}', '\u{c}'];

/// A line without the marks of quotations.
fn quoted(line: &str) -> &str {
    line.trim_start_matches(|c| c == '>' || INDENTS.contains(&c))
}

/// A line without the marks of quotations and of lists, in whatever order they stand.
fn behind_marks(line: &str) -> &str {
    let mut line = quoted(line);
    loop {
        let digits = line.len() - line.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let behind = match digits {
            0 => line.strip_prefix(['-', '*', '+']),
            _ => line[digits..].strip_prefix(['.', ')']),
        };
        match behind.filter(|behind| behind.starts_with([' ', '\t'])) {
            Some(behind) => line = quoted(behind),
            None => return line,
        }
    }
}

/// The character of the fence that a line begins with.
fn fence(line: &str) -> Option<char> {
    let fence = ["```", "~~~"].into_iter().find(|fence| line.starts_with(fence));
    fence?.chars().next()
}

/// Lines outside of fences.
fn words(lines: &[&str]) -> Option<String> {
    if lines.is_empty() {
        return None;
    }
    // Four spaces would begin a code block, which rustdoc compiles: at the beginning of a line, and behind the marks of a
    // list or a quotation.
    let lines = lines.iter().map(|line| {
        let words = line.trim_start_matches(INDENTS);
        let indent = (line.len() - words.len()).min(3);
        format!("{:indent$}{}", "", single_spaces(words))
    });
    let text = lines.collect::<Vec<_>>().join("\n");
    let parts = text.split('`').enumerate();
    let parts = parts.map(|(n, part)| if n % 2 == 0 { escaped(part) } else { part.to_owned() });
    Some(parts.collect::<Vec<_>>().join("`"))
}

/// Markdown shows several spaces as one.
fn single_spaces(words: &str) -> String {
    let mut out = String::with_capacity(words.len());
    for c in words.trim_end().chars() {
        let c = if c == '\t' { ' ' } else { c };
        if c != ' ' || !out.ends_with(' ') {
            out.push(c);
        }
    }
    out
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let address = (rest.starts_with("https://") || rest.starts_with("http://")).then(|| {
            let end = rest
                .find(|c: char| c.is_whitespace() || matches!(c, '<' | '>' | '"' | '(' | ')'))
                .unwrap_or(rest.len());
            rest[..end].trim_end_matches(['.', ',', ';', ':'])
        });
        if let Some(address) = address {
            let in_link = out.ends_with('<') || out.ends_with("](");
            let _ = if in_link {
                write!(out, "{address}")
            } else {
                write!(out, "<{address}>")
            };
            rest = &rest[address.len()..];
            continue;
        }
        let link = c == '[' && rest.find(']').is_some_and(|end| rest[end..].starts_with("]("));
        let marked = c == '<' && (rest.starts_with("<https://") || rest.starts_with("<http://"));
        if (c == '[' && !link) || (c == '<' && !marked) {
            out.push('\\');
        }
        out.push(c);
        rest = &rest[c.len_utf8()..];
    }
    out
}

#[cfg(test)]
mod tests {
    use super::prose;

    #[test]
    fn text_of_a_specification_stays_text() {
        let table = [
            ("an id, as in `list<T>[0]`", "an id, as in `list<T>[0]`"),
            ("<b>bold</b> [0]", "\\<b>bold\\</b> \\[0]"),
            (
                "see https://bank.example/a, or [there](https://bank.example/b).",
                "see <https://bank.example/a>, or [there](https://bank.example/b).",
            ),
            ("see <https://bank.example>", "see <https://bank.example>"),
            ("first\n        let x = 1;\n - item", "first\n   let x = 1;\n - item"),
            (
                "such:\n\n```\n{ \"a\": [1] }\n```\nand so on [0]",
                "such:\n\n```text\n{ \"a\": [1] }\n```\nand so on \\[0]",
            ),
            ("such:\n~~~rust\nlet x = 1;", "such:\n```text\nlet x = 1;\n```"),
            // Of the blanks of Unicode, only those of Markdown stand before a fence.
            (
                "such:\n\u{a0}```\nx;\n```\nafter",
                "such:\n\u{a0}```\nx;\n```text\nafter\n```",
            ),
            ("```\n~~~\n```", "```text\n~~~\n```"),
            ("> ```\n> x\n> ```\nafter", "```text\n> x\n```\nafter"),
            ("* ```\n  { \"a\": 1 }\n  ```", "```text\n  { \"a\": 1 }\n```"),
            (
                "- one\n- ```json\n  {}\n  ```\n- two",
                "- one\n```text\n  {}\n```\n- two",
            ),
            (
                "1. ```\n   a\n   ```\n2)  ~~~\n    b\n    ~~~",
                "```text\n   a\n```\n```text\n    b\n```",
            ),
            ("+ - > 10. ```\n  a\n> ```", "```text\n  a\n```"),
            ("```\n- ```\n```", "```text\n- ` ` `\n```"),
            ("-```\nx", "-```\nx"),
            // No comment may have these.
            ("a\rb\r\nc\r\r\n```\rlet x;", "a\nb\nc\n\n```text\nlet x;\n```"),
            ("pay\u{202e}abc\u{2066}d", "payabcd"),
            ("all:\n* -a    - one\n*       - two", "all:\n* -a - one\n* - two"),
            ("> so:\n>\n>     no code;\n1.\t\t\tx", "> so:\n>\n> no code;\n1. x"),
        ];
        for (text, shown) in table {
            assert_eq!(prose(text), shown);
        }
    }
}
