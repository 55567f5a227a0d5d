//! Tables with their columns in one order: the name, whether it is required, and the rest.

/// Stands in a cell for a drawing that has no name.
pub(super) const DRAWING: &str = "\u{fffc}";

/// The rows of a table that is being read.
#[derive(Debug, Default)]
pub(super) struct Rows {
    rows: Vec<Vec<String>>,
}

impl Rows {
    pub fn row(&mut self) {
        self.rows.push(Vec::new());
    }

    pub fn cell(&mut self) {
        if self.rows.is_empty() {
            self.row();
        }
        if let Some(row) = self.rows.last_mut() {
            row.push(String::new());
        }
    }

    /// The cell that text goes into.
    pub fn open(&mut self) -> Option<&mut String> {
        self.rows.last_mut()?.last_mut()
    }

    /// Whether text goes into a cell.
    pub fn is_open(&self) -> bool {
        self.rows.last().is_some_and(|row| !row.is_empty())
    }

    /// Whether its head says that it is one of parameters.
    pub fn describes(&self) -> bool {
        self.rows.first().is_some_and(|head| required_column(head).is_some())
    }

    pub fn lines(self) -> Vec<String> {
        let clean = |cell: String| {
            let words: Vec<&str> = cell
                .split_whitespace()
                .filter(|word| !["```", DRAWING].contains(word))
                .collect();
            // A cell with a drawing alone is not empty.
            if words.is_empty() && cell.contains(DRAWING) {
                return DRAWING.to_owned();
            }
            words.join(" ").replace('|', "/")
        };
        let rows = self.rows.into_iter().filter(|row| !row.is_empty());
        arranged(rows.map(|row| row.into_iter().map(clean).collect()).collect())
    }
}

/// The tables of a text, where their columns are told apart by bars or tabs.
pub(super) fn in_text(lines: Vec<String>) -> Vec<String> {
    let mut arranged_lines = Vec::with_capacity(lines.len());
    let mut rows: Vec<Vec<String>> = Vec::new();
    let mut fenced = false;
    for line in lines {
        fenced ^= line.trim_start().starts_with("```");
        let cells = if fenced { None } else { cells(&line) };
        match cells {
            Some(cells) if !rows.is_empty() || is_head(&cells) => rows.push(cells),
            _ => {
                arranged_lines.extend(arranged(std::mem::take(&mut rows)));
                arranged_lines.push(line);
            }
        }
    }
    arranged_lines.extend(arranged(rows));
    arranged_lines
}

fn cells(line: &str) -> Option<Vec<String>> {
    let line = line.trim();
    let mark = if line.contains('\t') { '\t' } else { '|' };
    if !line.contains(mark) {
        return None;
    }
    let inner = line.strip_prefix(mark).unwrap_or(line);
    let inner = inner.strip_suffix(mark).unwrap_or(inner);
    Some(inner.split(mark).map(|cell| cell.trim().to_owned()).collect())
}

fn is_head(cells: &[String]) -> bool {
    cells.len() > 1 && required_column(cells).is_some()
}

fn letters(text: &str) -> String {
    let kept = text.chars().filter(|letter| letter.is_alphabetic() || *letter == ' ');
    kept.collect::<String>().trim().to_lowercase()
}

/// The column that says what is required, and whether it says the contrary.
fn required_column(head: &[String]) -> Option<(usize, bool)> {
    head.iter()
        .enumerate()
        .find_map(|(at, cell)| match letters(cell).as_str() {
            "required" | "is required" | "mandatory" | "is mandatory" | "obligatory" | "needed" | "req"
            | "must have" | "requirement" | "presence" => Some((at, false)),
            "optional" | "is optional" => Some((at, true)),
            _ => None,
        })
}

fn name_column(head: &[String], required: usize) -> usize {
    let named = head.iter().position(|cell| {
        let cell = letters(cell);
        let words: Vec<&str> = cell.split(' ').collect();
        [
            "name",
            "parameter",
            "param",
            "field",
            "key",
            "scope",
            "property",
            "argument",
            "attribute",
            "header",
        ]
        .iter()
        .any(|word| words.contains(word))
    });
    named.unwrap_or_else(|| usize::from(required == 0))
}

/// Rows as lines. Where the head names them, columns are put into one order, and ticks are words.
fn arranged(rows: Vec<Vec<String>>) -> Vec<String> {
    let line = |cells: Vec<&str>| cells.join(" | ") + " |";
    let Some(((required, contrary), name)) = rows.first().and_then(|head| {
        let required = required_column(head)?;
        Some((required, name_column(head, required.0)))
    }) else {
        return rows
            .iter()
            .map(|row| line(row.iter().map(String::as_str).collect()))
            .collect();
    };
    let mut lines = Vec::with_capacity(rows.len());
    for (at, row) in rows.iter().enumerate() {
        let separator = row
            .iter()
            .all(|cell| !cell.is_empty() && cell.chars().all(|c| "-: ".contains(c)));
        if separator && at == 1 {
            continue;
        }
        let cell = |column: usize| row.get(column).map_or("", String::as_str);
        let rest = row
            .iter()
            .enumerate()
            .filter(|(column, _)| ![required, name].contains(column));
        let head = letters(cell(name));
        let named = match head.as_str() {
            "name" | "parameter" | "scope" => cell(name),
            _ if at == 0 && head.contains("scope") => "Scope",
            _ if at == 0 => "Name",
            _ => cell(name),
        };
        let needed = match at {
            0 => "Required?".to_owned(),
            _ if named.is_empty() => String::new(),
            _ => in_words(cell(required), contrary),
        };
        let mut cells = vec![named, needed.as_str()];
        cells.extend(rest.map(|(_, cell)| cell.as_str()));
        lines.push(line(cells));
    }
    lines
}

const YES: [&str; 11] = [
    "yes",
    "y",
    "true",
    "required",
    "mandatory",
    "obligatory",
    "always",
    "x",
    "must",
    "needed",
    "m",
];
const NO: [&str; 7] = ["no", "n", "false", "optional", "never", "o", "not required"];
const SOMETIMES: [&str; 4] = ["conditional", "sometimes", "depends", "c"];

/// Whether a word says that something is required, or that it is not.
pub(super) fn says_needed(text: &str) -> bool {
    let word = letters(text);
    word.len() > 1
        && [&YES[..], &NO, &SOMETIMES]
            .iter()
            .any(|words| words.contains(&word.as_str()))
}

/// What a cell says of being required, as `Yes`, `No` or `Required if`.
fn in_words(cell: &str, contrary: bool) -> String {
    // A sign, and its name for those who do not see it.
    let said = letters(cell);
    let mut words = said.split(' ').filter(|word| !word.is_empty());
    let first = words.next().unwrap_or_default();
    let word = if words.all(|word| word == first) {
        first.to_owned()
    } else {
        said
    };
    let tick = cell.contains([
        '\u{2713}', '\u{2714}', '\u{2611}', '\u{2705}', '\u{25cf}', '\u{2022}', '*',
    ]);
    let cross = cell.contains([
        '\u{2717}', '\u{2718}', '\u{274c}', '\u{2610}', '\u{2715}', '\u{d7}', '\u{25cb}',
    ]);
    let nothing = cell.chars().all(|letter| "-\u{2013}\u{2014} ".contains(letter));
    let said = if YES.contains(&word.as_str()) || word.is_empty() && tick {
        Some(true)
    } else if NO.contains(&word.as_str()) || word.is_empty() && cross || nothing {
        Some(false)
    } else {
        None
    };
    match said {
        Some(said) if said != contrary => "Yes".to_owned(),
        Some(_) => "No".to_owned(),
        None if SOMETIMES.contains(&word.as_str()) => "Required if".to_owned(),
        None => cell.to_owned(),
    }
}
