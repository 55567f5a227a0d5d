//! A documentation page as lines of text, whether it came as HTML or as text.

mod html;
mod table;

pub(crate) use html::{APART, BACK};

/// A page as it is read.
#[derive(Clone, Debug, Default)]
pub struct Text {
    /// Plain lines: HTML without its tags, quotes straightened, what viewers add left out.
    pub lines: Vec<String>,
    /// Whether it came as HTML, where only `h1` to `h6` are headings.
    pub html: bool,
    /// Its title.
    pub title: String,
    /// Whether it asks for a password.
    pub password: bool,
    /// How many scripts it has.
    pub scripts: usize,
    /// The work of taking it apart, which grows as the page does and no faster.
    pub steps: usize,
}

/// Reads a page, HTML or text.
#[must_use]
pub fn read(page: &str) -> Text {
    let html = looks_like_html(page);
    let read = if html {
        html::read(page)
    } else {
        html::Read {
            text: page.to_owned(),
            steps: page.len(),
            ..html::Read::default()
        }
    };
    let text = read
        .text
        .replace("\r\n", "\n")
        .replace(['\r', '\u{2028}', '\u{2029}'], "\n");
    let lines = text
        .lines()
        .map(straight)
        .filter(|line| !is_number_of_viewer(line))
        .collect();
    Text {
        lines: if html { lines } else { table::in_text(lines) },
        html,
        title: straight(read.title.trim()),
        password: read.password,
        scripts: read.scripts,
        steps: read.steps,
    }
}

/// Line numbers of a code viewer.
fn is_number_of_viewer(line: &str) -> bool {
    let number = line.trim().strip_prefix('_');
    number.is_some_and(|number| !number.is_empty() && number.chars().all(|c| c.is_ascii_digit()))
}

fn straight(line: &str) -> String {
    let straight: String = line
        .chars()
        .filter(|letter| !is_invisible(*letter))
        .map(|letter| match letter {
            '\u{2018}' | '\u{2019}' => '\'',
            '\u{201c}' | '\u{201d}' => '"',
            '\u{a0}' | '\u{202f}' => ' ',
            '\u{2013}' | '\u{2014}' => '-',
            other => other,
        })
        .collect();
    without_anchor(straight.trim_end()).to_owned()
}

/// Letters without width, which stand in anchors and for breaks.
fn is_invisible(letter: char) -> bool {
    matches!(
        letter,
        '\u{200b}'..='\u{200d}' | '\u{2060}' | '\u{feff}' | '\u{ad}' | '\u{200e}' | '\u{200f}' | '\u{fe0f}'
    )
}

/// A line without the sign that links to it.
fn without_anchor(line: &str) -> &str {
    let without = line
        .trim_end_matches(['\u{b6}', '\u{a7}', '\u{1f517}', '\u{1f587}'])
        .trim_end();
    let heading = without.starts_with('#') && without.trim_matches(['#', ' ']).len() > 1;
    if heading {
        without.trim_end_matches(['#', ' '])
    } else {
        without
    }
}

/// A text may show a tag here and there; HTML starts with one.
fn looks_like_html(page: &str) -> bool {
    let lower = page.to_ascii_lowercase();
    let tagged = ["<!doctype html", "<html", "<body"]
        .iter()
        .any(|tag| lower.contains(tag));
    tagged || lower.trim_start_matches('\u{feff}').trim_start().starts_with('<')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(page: &str) -> Vec<String> {
        read(page).lines
    }

    #[test]
    fn html_reads_as_text() {
        let html = "<html><style>p{}</style><body><h2>Get a token</h2><p>Send <code>grant_type</code> &amp; more.</p>\
            <table><tr><th>Name</th><th>Required?</th></tr><tr><td>code</td><td>Yes</td></tr></table>\
            <pre>POST /token\nHost: x</pre></body></html>";
        let read: Vec<String> = lines(html).into_iter().filter(|line| !line.trim().is_empty()).collect();
        assert_eq!(
            read,
            [
                "## Get a token",
                "Send `grant_type` & more.",
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
