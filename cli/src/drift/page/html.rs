//! HTML as lines of text. The tokenizer is `html5ever`'s; its tree builder is quadratic in nesting, and is not needed.

use std::cell::RefCell;

use html5ever::tokenizer::states::RawKind;
use html5ever::tokenizer::{BufferQueue, StartTag, Tag, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts};

use super::table;

/// The tokenizer looks through all attributes of a tag for each new one: a longer tag is read without its attributes,
/// which carry no text.
const LONGEST_TAG: usize = 64 * 1024;

/// What a page of HTML holds.
#[derive(Debug, Default)]
pub(super) struct Read {
    pub text: String,
    pub title: String,
    /// A field for a password.
    pub password: bool,
    /// How many scripts it has.
    pub scripts: usize,
    /// Pieces and letters that were handled, to see that the work grows as the page does.
    pub steps: usize,
}

pub(super) fn read(page: &str) -> Read {
    let input = BufferQueue::default();
    input.push_back(shortened(page).as_str().into());
    let tokenizer = Tokenizer::new(Builder::default(), TokenizerOpts::default());
    // A script stops the tokenizer only where the sink says so.
    let _ = tokenizer.feed(&input);
    tokenizer.end();
    let mut state = tokenizer.sink.0.into_inner();
    state.end_table();
    state.read
}

/// The page with its too long tags cut to their names.
fn shortened(page: &str) -> String {
    let mut short = String::with_capacity(page.len());
    let mut rest = page;
    while let Some(start) = rest.find('<') {
        short.push_str(&rest[..start]);
        rest = &rest[start..];
        let name = rest[1..].bytes().take_while(u8::is_ascii_alphanumeric).count();
        let opens = rest[1..].starts_with(|letter: char| letter.is_ascii_alphabetic());
        if !opens {
            short.push('<');
            rest = &rest[1..];
            continue;
        }
        let end = end_of_tag(rest);
        if end > LONGEST_TAG {
            short.push_str(&rest[..=name]);
            short.push('>');
        } else {
            short.push_str(&rest[..end]);
        }
        let raw = ["script", "style", "textarea", "title"]
            .iter()
            .find(|raw| rest[1..=name].eq_ignore_ascii_case(raw));
        rest = &rest[end..];
        if let Some(raw) = raw {
            let end = end_of_raw(rest, raw);
            short.push_str(&rest[..end]);
            rest = &rest[end..];
        }
    }
    short + rest
}

/// After the `>` of a tag, quoted ones left out.
fn end_of_tag(tag: &str) -> usize {
    let mut quote = None;
    let mut after_sign = false;
    for (at, letter) in tag.bytes().enumerate() {
        match (quote, letter) {
            (Some(open), _) if open == letter => quote = None,
            (Some(_), _) => {}
            (None, b'"' | b'\'') if after_sign => quote = Some(letter),
            (None, b'>') => return at + 1,
            _ => {}
        }
        after_sign = letter == b'=' || after_sign && letter.is_ascii_whitespace();
    }
    tag.len()
}

/// Where the text of a `script` and its like ends.
fn end_of_raw(text: &str, name: &str) -> usize {
    let mut from = 0;
    while let Some(at) = text[from..].find("</").map(|at| from + at) {
        let named = text.get(at + 2..at + 2 + name.len());
        if named.is_some_and(|named| named.eq_ignore_ascii_case(name)) {
            return at;
        }
        from = at + 2;
    }
    text.len()
}

#[derive(Default)]
struct Builder(RefCell<State>);

#[derive(Default)]
struct State {
    read: Read,
    /// Inside `pre`, the source's own line breaks count.
    preformatted: usize,
    /// Where the text of the last box starts.
    box_start: usize,
    /// The element whose text is nobody's.
    skipped: Option<Skipped>,
    in_title: bool,
    /// Where the text of an inline element starts that may be a name or a note.
    inline: Option<Inline>,
    /// The innermost open table; one around it is layout.
    table: Option<table::Rows>,
    /// The element that is a table by its role.
    grid: Option<Skipped>,
    /// The element that belongs to every page of a site.
    apart: Option<Skipped>,
    /// Whether a list's item is open.
    in_item: bool,
    /// Whether the title of a drawing in a cell is read.
    in_drawing: bool,
}

/// An element that nobody sees, from its start to its end.
struct Skipped {
    name: String,
    /// How many of the same name are open within it.
    same: usize,
    /// How many lists and tables are open within it. Some elements end without saying so, with the next of their kind or
    /// with what holds them.
    holders: usize,
}

impl Skipped {
    fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            same: 0,
            holders: 0,
        }
    }

    /// Whether another element's start ends it.
    fn ends_before(&mut self, name: &str) -> bool {
        let ended = match self.name.as_str() {
            "svg" => breaks(name),
            "p" => breaks(name),
            "li" | "tr" | "option" => self.holders == 0 && name == self.name,
            "dt" | "dd" => self.holders == 0 && matches!(name, "dt" | "dd"),
            "td" | "th" => self.holders == 0 && matches!(name, "td" | "th" | "tr"),
            _ => false,
        };
        if !ended {
            self.same += usize::from(name == self.name);
            self.holders += usize::from(holds(name));
        }
        ended
    }

    /// Whether it ends here, and whether with the end of another one, which is to be minded.
    fn ends_with(&mut self, name: &str) -> Option<bool> {
        if name == self.name {
            let last = self.same == 0;
            self.same = self.same.saturating_sub(1);
            return last.then_some(false);
        }
        if !holds(name) {
            return None;
        }
        let outside = self.holders == 0
            && matches!(
                self.name.as_str(),
                "p" | "li" | "tr" | "option" | "dt" | "dd" | "td" | "th"
            );
        self.holders = self.holders.saturating_sub(1);
        outside.then_some(true)
    }
}

fn holds(name: &str) -> bool {
    matches!(name, "ul" | "ol" | "menu" | "dl" | "table" | "select")
}

/// Whether what stands in an element is not on the page: taken back, kept for later, or shown to nobody. A panel that is
/// hidden beside the one that is shown is a click away, and read.
fn is_unseen(tag: &Tag) -> bool {
    const EMPTY: [&str; 9] = ["area", "base", "br", "col", "hr", "img", "input", "link", "wbr"];
    if tag.self_closing || EMPTY.contains(&&*tag.name) {
        return false;
    }
    let is = |attribute_name: &str, value: &str| {
        attribute(tag, attribute_name).is_some_and(|it| it.eq_ignore_ascii_case(value))
    };
    match &*tag.name {
        "del" | "s" | "strike" => return true,
        "template" => return attribute(tag, "shadowrootmode").is_none(),
        "dialog" => return attribute(tag, "open").is_none(),
        _ => {}
    }
    let hidden = attribute(tag, "hidden").is_some() && !is("hidden", "until-found");
    let style = attribute(tag, "style").unwrap_or_default().to_ascii_lowercase();
    let style: String = style.split_whitespace().collect();
    let undrawn = style
        .split(';')
        .any(|rule| matches!(rule, "display:none" | "visibility:hidden"));
    let struck = style
        .split(';')
        .any(|rule| rule.starts_with("text-decoration") && rule.contains("line-through"));
    struck || (hidden || undrawn) && !is("role", "tabpanel")
}

impl TokenSink for Builder {
    type Handle = ();

    fn process_token(&self, token: Token, _line: u64) -> TokenSinkResult<()> {
        let mut state = self.0.borrow_mut();
        state.read.steps += 1;
        match token {
            Token::CharacterTokens(text) => state.text(&text),
            Token::TagToken(tag) if tag.kind == StartTag => return state.open(&tag),
            Token::TagToken(tag) => state.close(&tag.name),
            _ => {}
        }
        TokenSinkResult::Continue
    }
}

/// An inline element that means something: `code`, or a mark of a note.
struct Inline {
    element: String,
    /// In a cell or in the text.
    in_cell: bool,
    start: usize,
}

impl State {
    fn open(&mut self, tag: &Tag) -> TokenSinkResult<()> {
        let name: &str = &tag.name;
        let raw = match name {
            "script" => Some(RawKind::ScriptData),
            "style" | "noscript" | "iframe" | "noembed" | "noframes" => Some(RawKind::Rawtext),
            "title" | "textarea" => Some(RawKind::Rcdata),
            _ => None,
        };
        if let Some(raw) = raw {
            self.read.scripts += usize::from(name == "script");
            // The title of a drawing is not the page's.
            self.in_title = name == "title" && self.skipped.is_none();
            self.in_drawing =
                name == "title" && self.in_cell() && self.skipped.as_ref().is_some_and(|it| it.name == "svg");
            if !self.in_title && self.skipped.is_none() {
                self.skipped = Some(Skipped::new(name));
            }
            return TokenSinkResult::RawData(raw);
        }
        if self.skipped.as_mut().is_some_and(|skipped| skipped.ends_before(name)) {
            self.skipped = None;
        }
        if self.skipped.is_some() {
            return TokenSinkResult::Continue;
        }
        if is_unseen(tag) {
            self.skipped = Some(Skipped::new(name));
            return TokenSinkResult::Continue;
        }
        self.element(tag);
        TokenSinkResult::Continue
    }

    fn element(&mut self, tag: &Tag) {
        let name: &str = &tag.name;
        for within in [&mut self.grid, &mut self.apart].into_iter().flatten() {
            within.ends_before(name);
        }
        if self.apart.is_none() && !self.in_cell() && is_apart(tag) {
            self.apart = Some(Skipped::new(name));
            self.push("\n\n");
            self.push(APART);
            self.push("\n\n");
        }
        let name = role(tag).unwrap_or(name);
        if name == "table" && &*tag.name != "table" {
            self.grid = Some(Skipped::new(&tag.name));
        }
        self.sign(tag);
        match name {
            "svg" if !tag.self_closing => self.skipped = Some(Skipped::new(name)),
            "input" => {
                self.read.password |= attribute(tag, "type").is_some_and(|it| it.eq_ignore_ascii_case("password"))
            }
            "img" => self.image(tag),
            "table" => {
                self.end_table();
                self.gap();
                self.table = Some(table::Rows::default());
            }
            "tr" => match &mut self.table {
                Some(table) => table.row(),
                None => self.line(),
            },
            "td" | "th" => {
                if let Some(table) = &mut self.table {
                    table.cell();
                }
            }
            "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => {
                let level = usize::from(name.as_bytes()[1] - b'0');
                self.push(&format!("\n\n{} ", "#".repeat(level)));
            }
            "pre" => {
                // Beside a column of line numbers; a table is layout then.
                if self.table.as_ref().is_some_and(|table| !table.describes()) {
                    self.end_table();
                }
                self.preformatted += 1;
                self.box_start = self.read.text.len();
                self.push("\n```\n");
            }
            "li" | "dt" => {
                self.push("\n- ");
                self.in_item = name == "li";
            }
            "dd" => self.push(" - "),
            "br" => self.line(),
            "code" | "tt" | "sup" if self.preformatted == 0 => {
                let in_cell = self.in_cell();
                self.inline = Some(Inline {
                    element: name.to_owned(),
                    in_cell,
                    start: self.out().len(),
                });
            }
            "p" | "div" if self.in_item && self.names_an_item() => self.push(" - "),
            name if breaks(name) => self.gap(),
            _ => {}
        }
    }

    fn close(&mut self, name: &str) {
        if name == "title" && self.in_title {
            self.in_title = false;
            return;
        }
        self.in_drawing = false;
        if let Some(skipped) = &mut self.skipped {
            let Some(with_another) = skipped.ends_with(name) else {
                return;
            };
            self.skipped = None;
            if !with_another {
                return;
            }
        }
        if matches!(name, "li" | "ul" | "ol" | "dl") {
            self.in_item = false;
        }
        if self
            .grid
            .as_mut()
            .is_some_and(|grid| grid.ends_with(name) == Some(false))
        {
            self.grid = None;
            self.end_table();
        }
        if self
            .apart
            .as_mut()
            .is_some_and(|apart| apart.ends_with(name) == Some(false))
        {
            self.apart = None;
            self.push("\n\n");
            self.push(BACK);
            self.push("\n\n");
        }
        match name {
            "table" => self.end_table(),
            "td" | "th" if self.table.is_none() => self.push(" | "),
            "pre" => {
                self.preformatted = self.preformatted.saturating_sub(1);
                self.push("\n```\n");
                self.drop_numbers();
            }
            "code" | "tt" | "sup" => self.end_inline(name),
            "dt" | "dd" | "td" | "th" | "tr" => {}
            "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => self.gap(),
            name if breaks(name) => self.gap(),
            _ => {}
        }
    }

    /// A name in `code` is marked as it is in a text. A number of a note is no part of the number before it.
    fn end_inline(&mut self, element: &str) {
        let Some(inline) = self.inline.take().filter(|inline| inline.element == element) else {
            return;
        };
        if inline.in_cell != self.in_cell() {
            return;
        }
        let out = self.out();
        let Some(text) = out.get(inline.start..) else { return };
        if element == "sup" {
            let note = |letter: char| letter.is_ascii_digit() || "[]()*,; \u{2020}\u{2021}".contains(letter);
            if text.chars().all(note) || text.trim().len() == 1 {
                out.truncate(inline.start);
            }
        } else if is_name(text.trim()) {
            let start = inline.start + text.len() - text.trim_start().len();
            let end = out.trim_end().len();
            out.insert(end, '`');
            out.insert(start, '`');
        }
    }

    fn in_cell(&self) -> bool {
        self.table.as_ref().is_some_and(table::Rows::is_open)
    }

    fn end_table(&mut self) {
        if let Some(table) = self.table.take() {
            let lines = table.lines();
            self.push("\n\n");
            self.push(&lines.join("\n"));
            self.push("\n\n");
        }
    }

    /// A box of nothing but line numbers stands beside the box that it counts.
    fn drop_numbers(&mut self) {
        let mut lines = self
            .read
            .text
            .get(self.box_start..)
            .unwrap_or_default()
            .lines()
            .map(str::trim);
        if lines.all(|line| line == "```" || line.chars().all(|letter| letter.is_ascii_digit())) {
            self.read.text.truncate(self.box_start);
        }
        self.box_start = self.read.text.len();
    }

    /// Whether an item is no more than a name so far, and whether it is required.
    fn names_an_item(&self) -> bool {
        const LONGEST: usize = 120;
        let text = &self.read.text;
        let from = text.len().saturating_sub(LONGEST);
        let from = (from..=text.len())
            .find(|at| text.is_char_boundary(*at))
            .unwrap_or(text.len());
        let item = text[from..].rsplit_once("\n- ").map(|(_, item)| item.trim());
        self.table.is_none()
            && item.is_some_and(|item| {
                let mut words = item.split_whitespace();
                words.next().is_some_and(|name| is_name(name.trim_matches('`')))
                    && words.all(|word| table::says_needed(word.trim_matches(['(', ')', '[', ']'])))
            })
    }

    fn image(&mut self, tag: &Tag) {
        if let Some(alt) = attribute(tag, "alt") {
            self.text(&format!(" {alt} "));
        }
    }

    /// What a cell says by a sign: a box that is checked, or a drawing with a name. One without a name is not read.
    fn sign(&mut self, tag: &Tag) {
        if !self.in_cell() {
            return;
        }
        let checkbox =
            &*tag.name == "input" && attribute(tag, "type").is_some_and(|it| it.eq_ignore_ascii_case("checkbox"));
        let label = ["aria-label", "title", "alt"].iter().find_map(|name| {
            let label = attribute(tag, name)?;
            table::says_needed(&label).then_some(label)
        });
        let class = attribute(tag, "class").unwrap_or_default().to_ascii_lowercase();
        let drawn = match &*tag.name {
            "svg" | "use" => true,
            "img" => attribute(tag, "alt").is_none_or(|alt| alt.trim().is_empty()),
            "i" | "span" => ["icon", "check", "tick", "fa-"].iter().any(|word| class.contains(word)),
            _ => false,
        };
        if checkbox {
            let checked = attribute(tag, "checked").is_some();
            self.push(if checked { " \u{2713} " } else { " \u{2717} " });
        } else if let Some(label) = label.filter(|_| &*tag.name != "img") {
            self.push(&format!(" {label} "));
        } else if drawn {
            self.push(&format!(" {} ", table::DRAWING));
        }
    }

    fn line(&mut self) {
        self.push("\n");
    }

    /// Between two blocks, and not between the mark of an item and its first block.
    fn gap(&mut self) {
        let text = &self.read.text;
        if self.table.is_some() {
            self.push(" ");
        } else if self.preformatted > 0 {
            // Each line of a box may be an element of its own.
            if !text.ends_with('\n') {
                self.push("\n");
            }
        } else if !["\n- ", " - ", "\n\n"].iter().any(|end| text.ends_with(end)) {
            self.push("\n\n");
        }
    }

    fn text(&mut self, part: &str) {
        self.read.steps += part.len();
        if self.in_title {
            self.read.title.push_str(part);
            return;
        }
        if self.in_drawing && table::says_needed(part) {
            self.push(&format!(" {part} "));
        }
        if self.skipped.is_some() {
            return;
        }
        if self.preformatted > 0 && self.table.is_none() {
            self.push(part);
            return;
        }
        let out = self.out();
        let words: Vec<&str> = part.split_whitespace().collect();
        if part.starts_with(char::is_whitespace) && !out.is_empty() && !out.ends_with(char::is_whitespace) {
            out.push(' ');
        }
        out.push_str(&words.join(" "));
        if part.ends_with(char::is_whitespace) && !words.is_empty() {
            out.push(' ');
        }
    }

    fn push(&mut self, text: &str) {
        self.out().push_str(text);
    }

    fn out(&mut self) -> &mut String {
        match self.table.as_mut().and_then(table::Rows::open) {
            Some(cell) => cell,
            None => &mut self.read.text,
        }
    }
}

/// Starts a line of its own before what stands on every page of a site, and after it.
pub(crate) const APART: &str = "\u{1d}";
pub(crate) const BACK: &str = "\u{1e}";

/// What belongs to the site, and not to the page.
fn is_apart(tag: &Tag) -> bool {
    let role = attribute(tag, "role").unwrap_or_default().to_ascii_lowercase();
    if matches!(&*tag.name, "footer" | "nav" | "dialog")
        || matches!(
            role.as_str(),
            "contentinfo" | "navigation" | "dialog" | "alertdialog" | "search"
        )
    {
        return true;
    }
    let named = ["id", "class"].iter().filter_map(|name| attribute(tag, name));
    let block = matches!(&*tag.name, "div" | "section" | "aside" | "form");
    block
        && named.into_iter().any(|names| {
            let names = names.to_ascii_lowercase();
            let mut words = names.split(|letter: char| !letter.is_ascii_alphanumeric());
            words.any(|word| word == "footer" || word.contains("cookie"))
        })
}

/// The element that another one is by its role.
fn role(tag: &Tag) -> Option<&'static str> {
    if !matches!(&*tag.name, "div" | "span" | "section" | "ul" | "li") {
        return None;
    }
    match attribute(tag, "role")?.to_ascii_lowercase().as_str() {
        "table" | "grid" => Some("table"),
        "row" => Some("tr"),
        "cell" | "gridcell" | "rowheader" => Some("td"),
        "columnheader" => Some("th"),
        _ => None,
    }
}

/// The name of a parameter, a field, a grant or a scope; methods and headers start with a capital.
fn is_name(text: &str) -> bool {
    text.starts_with(|letter: char| letter.is_ascii_lowercase())
        && text.ends_with(|letter: char| letter.is_ascii_alphanumeric() || letter == ']')
        && text
            .chars()
            .all(|letter| letter.is_ascii_alphanumeric() || "_.:[]".contains(letter))
}

fn attribute(tag: &Tag, name: &str) -> Option<String> {
    let found = tag.attrs.iter().find(|attribute| &*attribute.name.local == name)?;
    Some(found.value.to_string())
}

/// Elements that stand in lines of their own.
fn breaks(name: &str) -> bool {
    const BLOCKS: [&str; 24] = [
        "address",
        "article",
        "aside",
        "blockquote",
        "body",
        "caption",
        "details",
        "div",
        "dl",
        "fieldset",
        "figure",
        "footer",
        "form",
        "header",
        "hr",
        "main",
        "nav",
        "ol",
        "p",
        "section",
        "summary",
        "table",
        "ul",
        "pre",
    ];
    BLOCKS.contains(&name) || matches!(name, "li" | "dt" | "dd" | "h1" | "h2" | "h3" | "h4" | "h5" | "h6")
}
