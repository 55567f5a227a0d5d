//! Text of a specification as documentation of Rust code.

use std::fmt::Write as _;

/// Text of a specification as rustdoc takes it: no accidental code, links or HTML.
///
/// What stands in backticks, and Markdown's own links, stay as they are.
pub(crate) fn prose(text: &str) -> String {
    // Four spaces would begin a code block, which rustdoc compiles.
    let lines = text.trim().lines().map(|line| {
        let words = line.trim_start();
        let indent = (line.len() - words.len()).min(3);
        format!("{:indent$}{words}", "")
    });
    let text = lines.collect::<Vec<_>>().join("\n");
    let parts = text.split('`').enumerate();
    let parts = parts.map(|(n, part)| if n % 2 == 0 { escaped(part) } else { part.to_owned() });
    parts.collect::<Vec<_>>().join("`")
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
        ];
        for (text, shown) in table {
            assert_eq!(prose(text), shown);
        }
    }
}
