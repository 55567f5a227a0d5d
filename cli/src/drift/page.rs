//! A documentation page as lines of text, whether it came as HTML or as text.

/// Plain lines: HTML without its tags, quotes straightened, what viewers add left out.
#[must_use]
pub fn lines(page: &str) -> Vec<String> {
    let text = if looks_like_html(page) {
        text_of_html(page)
    } else {
        page.to_owned()
    };
    text.replace("\r\n", "\n")
        .lines()
        .map(straight)
        // Line numbers of a code viewer.
        .filter(|line| {
            let number = line.trim().strip_prefix('_');
            !number.is_some_and(|number| !number.is_empty() && number.chars().all(|c| c.is_ascii_digit()))
        })
        .collect()
}

fn straight(line: &str) -> String {
    line.chars()
        .map(|letter| match letter {
            '\u{2018}' | '\u{2019}' => '\'',
            '\u{201c}' | '\u{201d}' => '"',
            '\u{a0}' | '\u{202f}' => ' ',
            '\u{2013}' | '\u{2014}' => '-',
            other => other,
        })
        .collect::<String>()
        .trim_end()
        .to_owned()
}

fn looks_like_html(page: &str) -> bool {
    let lower = page.to_ascii_lowercase();
    ["<html", "<body", "</p>", "</div>", "</table>", "</h1>", "</h2>", "<br"]
        .iter()
        .any(|tag| lower.contains(tag))
}

/// Tags as line breaks and separators; scripts and styles gone; entities decoded.
fn text_of_html(page: &str) -> String {
    let mut text = String::new();
    let mut rest = page;
    // Inside `pre`, the source's own line breaks count.
    let mut preformatted = 0usize;
    while let Some(start) = rest.find('<') {
        push_text(&mut text, &rest[..start], preformatted > 0);
        rest = &rest[start..];
        if let Some(comment) = rest.strip_prefix("<!--") {
            rest = comment.find("-->").map_or("", |end| &comment[end + 3..]);
            continue;
        }
        let Some(end) = rest.find('>') else { break };
        let tag = rest[1..end].trim().to_ascii_lowercase();
        rest = &rest[end + 1..];
        let closing = tag.starts_with('/');
        let name: String = tag
            .trim_start_matches('/')
            .chars()
            .take_while(char::is_ascii_alphanumeric)
            .collect();
        match name.as_str() {
            "script" | "style" | "svg" | "noscript" if !closing && !tag.ends_with('/') => {
                let until = format!("</{name}");
                // Letters that grow in lower case would move every place after them.
                rest = rest.to_ascii_lowercase().find(&until).map_or("", |at| &rest[at..]);
            }
            "h1" | "h2" | "h3" | "h4" if !closing => text.push_str("\n\n# "),
            "h1" | "h2" | "h3" | "h4" => text.push_str("\n\n"),
            "pre" => {
                preformatted = if closing {
                    preformatted.saturating_sub(1)
                } else {
                    preformatted + 1
                };
                text.push_str("\n```\n");
            }
            "li" if !closing => text.push_str("\n- "),
            "td" | "th" if closing => text.push_str(" | "),
            "tr" if closing => {}
            "br" | "tr" => text.push('\n'),
            "p" | "div" | "table" | "ul" | "ol" | "section" | "dl" | "dt" | "dd" => text.push_str("\n\n"),
            _ => {}
        }
    }
    push_text(&mut text, rest, preformatted > 0);
    text
}

fn push_text(text: &mut String, part: &str, preformatted: bool) {
    let part = part
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&#39;", "'")
        .replace("&#x27;", "'")
        .replace("&nbsp;", " ")
        .replace("&amp;", "&");
    if preformatted {
        text.push_str(&part);
    } else {
        let words: Vec<&str> = part.split_whitespace().collect();
        if part.starts_with(char::is_whitespace) && !text.ends_with(char::is_whitespace) {
            text.push(' ');
        }
        text.push_str(&words.join(" "));
        if part.ends_with(char::is_whitespace) && !words.is_empty() {
            text.push(' ');
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn html_reads_as_text() {
        let html = "<html><style>p{}</style><body><h2>Get a token</h2><p>Send <code>grant_type</code> &amp; more.</p>\
            <table><tr><th>Name</th><th>Required?</th></tr><tr><td>code</td><td>Yes</td></tr></table>\
            <pre>POST /token\nHost: x</pre></body></html>";
        let read: Vec<String> = lines(html).into_iter().filter(|line| !line.trim().is_empty()).collect();
        assert_eq!(
            read,
            [
                "# Get a token",
                "Send grant_type & more.",
                "Name | Required? |",
                "code | Yes |",
                "```",
                "POST /token",
                "Host: x",
                "```"
            ]
        );
    }

    #[test]
    fn letters_that_change_their_length_in_lower_case_move_nothing() {
        let html = format!(
            "<html><script>{}K\u{212a}</script><p>after</p></html>",
            "\u{23a}".repeat(20)
        );
        assert!(lines(&html).contains(&"after".to_owned()), "{:?}", lines(&html));
        assert!(
            lines(&format!("<html><script>{}</script", "\u{23a}".repeat(20)))
                .iter()
                .all(|line| !line.contains('\u{23a}'))
        );
    }

    #[test]
    fn text_keeps_its_lines() {
        assert_eq!(lines("a\u{a0}b\n_10\n\u{2018}c\u{2019} \n"), ["a b", "'c'"]);
    }
}
