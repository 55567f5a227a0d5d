//! The matrix of what ran: subjects in rows, clients in columns.

use std::path::Path;

use crate::banks::BANKS;

/// A subject.
pub struct Row {
    pub subject: String,
    pub cases: usize,
    /// Runs that came out as expected, for each client.
    pub held: [usize; BANKS.len()],
}

const BEGIN: &str = "<!-- conformance:begin -->";
const END: &str = "<!-- conformance:end -->";

fn table(rows: &[Row]) -> String {
    let names: Vec<&str> = BANKS.iter().map(|bank| bank.name()).collect();
    let mut table = format!("| subject | cases | {} |\n|---|---:|", names.join(" | "));
    table.push_str(&"---:|".repeat(BANKS.len()));
    table.push('\n');
    let mut line = |subject: &str, cases: usize, held: &[usize]| {
        let cells: Vec<String> = held
            .iter()
            .map(|held| match held {
                0 => "-".to_owned(),
                held => held.to_string(),
            })
            .collect();
        table.push_str(&format!("| {subject} | {cases} | {} |\n", cells.join(" | ")));
    };
    for row in rows {
        line(&row.subject, row.cases, &row.held);
    }
    let of_all: Vec<usize> = (0..BANKS.len())
        .map(|bank| rows.iter().map(|row| row.held[bank]).sum())
        .collect();
    line("all", rows.iter().map(|row| row.cases).sum(), &of_all);
    table
}

/// The page with the table between its marks.
fn with_table(page: &str, table: &str) -> String {
    let (before, rest) = page
        .split_once(BEGIN)
        .expect("the page has the mark where the matrix begins");
    let (_, after) = rest
        .split_once(END)
        .expect("the page has the mark where the matrix ends");
    format!("{before}{BEGIN}\n{table}{END}{after}")
}

pub fn write_or_compare(rows: &[Row]) {
    let table = table(rows);
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let writes = std::env::var_os("FINRAIL_WRITE_MATRIX").is_some();
    for page in ["docs/conformance-matrix.md", "README.md"] {
        let path = root.join(page);
        let current = std::fs::read_to_string(&path).unwrap();
        let text = with_table(&current, &table);
        if writes {
            std::fs::write(path, text).unwrap();
        } else {
            assert_eq!(
                current, text,
                "{page} says otherwise: FINRAIL_WRITE_MATRIX=1 cargo test --all-features --test conformance"
            );
        }
    }
}
