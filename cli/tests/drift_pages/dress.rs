//! The same page in another dress, and changes of its facts, made at random. Each failure names its seed.

use super::*;

/// How many dresses are tried; `FINRAIL_SEEDS=2000` tries more.
fn seeds() -> u64 {
    let asked = std::env::var("FINRAIL_SEEDS").ok();
    asked.and_then(|count| count.parse().ok()).unwrap_or(60)
}

/// A small generator (xorshift), so that a seed is all that a failure needs.
struct Random(u64);

impl Random {
    fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, count: usize) -> usize {
        usize::try_from(self.next() % count.max(1) as u64).unwrap_or(0)
    }

    fn one_in(&mut self, count: usize) -> bool {
        self.below(count) == 0
    }

    fn pick<'t, T: ?Sized>(&mut self, all: &[&'t T]) -> &'t T {
        all[self.below(all.len())]
    }
}

/// The parts of the page.
enum Block<'p> {
    Heading(usize, &'p str),
    Paragraph(&'p str),
    Table(Vec<Vec<&'p str>>),
    List(Vec<&'p str>),
    Code(Vec<&'p str>),
}

fn blocks(page: &str) -> Vec<Block<'_>> {
    let mut all = Vec::new();
    let mut lines = page.lines().peekable();
    while let Some(line) = lines.next() {
        if line.is_empty() {
            continue;
        }
        let mut while_starting = |mark: char, first: &'_ str| {
            let mut found = vec![first.to_owned()];
            while lines.peek().is_some_and(|next| next.starts_with(mark)) {
                found.extend(lines.next().map(str::to_owned));
            }
            found
        };
        if line.starts_with('#') {
            let level = line.chars().take_while(|c| *c == '#').count();
            all.push(Block::Heading(level, line.trim_start_matches(['#', ' '])));
        } else if line.starts_with('|') {
            let count = while_starting('|', line).len();
            let rows = rows_from(page, line, count);
            all.push(Block::Table(rows));
        } else if line.starts_with("- ") {
            let count = while_starting('-', line).len();
            let start = page.find(line).unwrap_or(0);
            all.push(Block::List(
                page[start..].lines().take(count).map(|it| &it[2..]).collect(),
            ));
        } else if line.starts_with("```") {
            let mut code = Vec::new();
            for next in lines.by_ref() {
                if next.starts_with("```") {
                    break;
                }
                code.push(next);
            }
            all.push(Block::Code(code));
        } else {
            all.push(Block::Paragraph(line));
        }
    }
    all
}

fn rows_from<'p>(page: &'p str, first: &str, count: usize) -> Vec<Vec<&'p str>> {
    // Tables of one head are told apart by their second row.
    let start = page.find(first).unwrap_or(0);
    let rows = page[start..].lines().take(count).filter(|row| !row.starts_with("|---"));
    rows.map(|row| row.trim_matches('|').split('|').map(str::trim).collect())
        .collect()
}

/// A text in HTML: each letter may be a character reference, and blanks may be breaks of the source.
fn escaped(text: &str, random: &mut Random, breaks: bool) -> String {
    let mut html = String::new();
    for letter in text.chars() {
        let code = u32::from(letter);
        match letter {
            '&' => html.push_str(random.pick(&["&amp;", "&#38;", "&#x26;"])),
            '<' => html.push_str("&lt;"),
            '"' => html.push_str(random.pick(&["\"", "&quot;", "&#34;", "&ldquo;"])),
            '/' if random.one_in(3) => html.push_str(random.pick(&["&#47;", "&#x2F;", "&sol;"])),
            '_' if random.one_in(4) => html.push_str(random.pick(&["&#95;", "&lowbar;"])),
            ' ' if breaks && random.one_in(4) => {
                html.push_str(random.pick(&["\n", "  ", "\n   ", "&nbsp;", "<!-- x --> ", " <wbr>"]))
            }
            other if random.one_in(25) => html.push_str(
                &format!("&#{code};")
                    .replace("&#32;", " ")
                    .replace("&#10;", &other.to_string()),
            ),
            other => html.push(other),
        }
    }
    html
}

/// Words of a text in elements that mean nothing.
fn inline(text: &str, random: &mut Random) -> String {
    let words = text.split(' ').map(|word| {
        let word = escaped(word, random, false);
        match random.below(9) {
            0 => format!("<code>{word}</code>"),
            1 => format!("<b class=\"x\">{word}</b>"),
            2 => format!("<a href='#{}'>{word}</a>", random.below(99)),
            3 => format!("<SPAN>{word}</SPAN>"),
            _ => word,
        }
    });
    let words: Vec<String> = words.collect();
    words.join(random.pick(&[" ", "\n", "\n  "]))
}

fn tick(required: &str, style: usize) -> String {
    let (yes, no) = [
        ("Yes", "No"),
        ("\u{2713}", ""),
        ("&check;", "&cross;"),
        ("required", "optional"),
        ("\u{2705}", "-"),
        ("<b>yes</b>", "no"),
        ("True", "False"),
    ][style];
    if required == "Yes" {
        yes.to_owned()
    } else {
        no.to_owned()
    }
}

fn table(rows: &[Vec<&str>], random: &mut Random) -> String {
    let scopes = rows[0][0] == "Scope";
    match random.below(3) {
        // A list.
        0 => {
            let items = rows[1..].iter().map(|row| {
                let needed = if row[1] == "Yes" { "required" } else { "optional" };
                let name = random
                    .pick(&["<code>{}</code>", "{}", "<strong>{}</strong>"])
                    .replace("{}", row[0]);
                format!("<li>{name} ({needed}): {}</li>", inline(row[2], random))
            });
            format!("<ul>{}</ul>", items.collect::<Vec<_>>().join(random.pick(&["", "\n"])))
        }
        1 => {
            let items = rows[1..].iter().map(|row| {
                let needed = if row[1] == "Yes" { "required" } else { "optional" };
                format!(
                    "<dt><code>{}</code> <em>{needed}</em></dt><dd>{}</dd>",
                    row[0],
                    inline(row[2], random)
                )
            });
            format!("<dl>{}</dl>", items.collect::<Vec<_>>().join("\n"))
        }
        // A table with its columns in another order, and marks for yes and no.
        _ => {
            let style = random.below(7);
            let order = [[0, 1, 2], [1, 0, 2], [0, 2, 1], [2, 0, 1], [2, 1, 0], [1, 2, 0]][random.below(6)];
            let first = if scopes {
                "Scope"
            } else {
                random.pick(&["Name", "Parameter", "Field"])
            };
            let second = random.pick(&["Required?", "Required", "Mandatory", "REQUIRED"]);
            let head = [first, second, rows[0][2]];
            let head: String = order.iter().map(|at| format!("<th>{}</th>", head[*at])).collect();
            let body: String = rows[1..]
                .iter()
                .map(|row| {
                    let cells = [
                        format!("<code>{}</code>", row[0]),
                        tick(row[1], style),
                        inline(row[2], random),
                    ];
                    let cells: String = order
                        .iter()
                        .map(|at| format!("<td class=c>{}</td>", cells[*at]))
                        .collect();
                    format!("<tr>{cells}</tr>\n")
                })
                .collect();
            format!("<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>")
        }
    }
}

/// The page as HTML.
fn as_html(page: &str, random: &mut Random) -> String {
    let mut html =
        String::from("<!DOCTYPE html>\n<html><head><title>Tiny</title><style>p > b { }</style></head><body>");
    for block in blocks(page) {
        let part = match block {
            Block::Heading(level, text) => {
                let level = (level + random.below(3)).min(6);
                format!("<h{level} id=\"a\">{}</h{level}>", inline(text, random))
            }
            Block::Paragraph(text) if text.starts_with("GET ") => {
                format!("<pre><code>{}</code></pre>", escaped(text, random, false))
            }
            Block::Paragraph(text) => match random.below(3) {
                0 => format!("<div>{}</div>", escaped(text, random, true)),
                _ => format!("<p>{}</p>", inline(text, random)),
            },
            Block::Table(rows) => table(&rows, random),
            Block::List(items) => {
                let items: String = items
                    .iter()
                    .map(|item| match random.below(2) {
                        0 => format!("<li><p>{}</p></li>\n", escaped(item, random, false)),
                        _ => format!("<li>{}", escaped(item, random, true)),
                    })
                    .collect();
                format!("<ul>{items}</ul>")
            }
            Block::Code(lines) => {
                let numbers: Vec<String> = (1..=lines.len()).map(|number| number.to_string()).collect();
                let lines: Vec<String> = lines.iter().map(|line| escaped(line, random, false)).collect();
                let each = |tag: &str| -> String {
                    let lines = lines.iter().map(|line| format!("<{tag} class=\"line\">{line}</{tag}>"));
                    lines.collect::<Vec<_>>().join(if tag == "div" { "" } else { "\n" })
                };
                match random.below(5) {
                    0 => format!("<pre><code>{}</code></pre>", each("span")),
                    1 => format!("<pre>{}</pre>", each("div")),
                    2 => format!(
                        "<table><tr><td><pre>{}</pre></td><td><pre>{}</pre></td></tr></table>",
                        numbers.join("\n"),
                        lines.join("\n")
                    ),
                    _ => format!("<pre>{}</pre>", lines.join("\n")),
                }
            }
        };
        if random.one_in(3) {
            html.push_str(&format!("<section><div class='w'>{part}</div></section>"));
        } else {
            html.push_str(&part);
        }
        if random.one_in(5) {
            html.push_str("<script>var page = '<p>nothing</p>';</script><svg><title>x</title><path d='M0'/></svg>\n");
        }
    }
    html + "</body></html>"
}

/// The page as text, its lines broken elsewhere.
fn as_text(page: &str, random: &mut Random) -> String {
    let width = 30 + random.below(60);
    let mut text = String::new();
    let mut code = false;
    for line in page.lines() {
        code ^= line.starts_with("```");
        if code || line.starts_with(['#', '|', '-', '`', 'G']) || line.is_empty() {
            text.push_str(line);
        } else {
            let mut column = 0;
            for word in line.split(' ') {
                if column > 0 && column + word.len() > width {
                    text.push('\n');
                    column = 0;
                } else if column > 0 {
                    text.push(' ');
                }
                text.push_str(word);
                column += word.len() + 1;
            }
        }
        text.push_str(random.pick(&["\n", "\n", "  \n", "\r\n"]));
    }
    text
}

fn dressed(page: &str, random: &mut Random) -> String {
    if random.one_in(4) {
        as_text(page, random)
    } else {
        as_html(page, random)
    }
}

#[test]
fn another_dress_of_the_page_is_silent() {
    let project = recorded("dress-silent");
    let mut wrong = Vec::new();
    for seed in 1..=seeds() {
        let page = dressed(PAGE, &mut Random::new(seed));
        let (code, report) = read(&project, &page);
        if code != 0 {
            wrong.push(format!(
                "seed {seed}: {:?} new {}\n{page}",
                report["findings"].to_string(),
                report["new"]
            ));
        }
    }
    assert_all(&wrong, usize::try_from(seeds()).unwrap_or(0));
}

/// Changes of a fact, and the weakest class that will do.
fn change(random: &mut Random) -> (String, &'static str) {
    let number = random.below(900) + 100;
    let name = random.pick(&["device", "tenant_id", "audience", "acr"]);
    let replaced = |from: &str, to: &str| {
        assert!(PAGE.contains(from), "the page has no {from:?}");
        PAGE.replace(from, to)
    };
    match random.below(14) {
        0 => (
            replaced("/v1/oauth/token", &format!("/v{number}/oauth/token")),
            "wire-breaking",
        ),
        1 => (
            replaced("| scope | No", &format!("| {name} | Yes | New. |\n| scope | No")),
            "wire-breaking",
        ),
        2 => (
            replaced("| scope | No", &format!("| {name} | No | New. |\n| scope | No")),
            "additive",
        ),
        3 => (
            replaced(
                "- code (required)",
                &format!("- {name} (required): New.\n- code (required)"),
            ),
            "wire-breaking",
        ),
        4 => (replaced("\"access_token\"", &format!("\"{name}\"")), "wire-breaking"),
        5 => (
            replaced("\"token_type\"", &format!("\"{name}\": 1,\n  \"token_type\"")),
            "additive",
        ),
        6 => (
            replaced("after 30 days", &format!("after {} days", 1 + random.below(28))),
            "wire-breaking",
        ),
        7 => (
            replaced("authorization_code and refresh_token", "authorization_code")
                .replace("grant_type=refresh_token", ""),
            "wire-breaking",
        ),
        8 => (replaced("client_secret_basic", "private_key_jwt"), "wire-breaking"),
        9 => (
            replaced("200 OK", &format!("20{} Done", 1 + random.below(8))),
            "wire-breaking",
        ),
        10 => (
            replaced(
                "| accounts | No | /accounts |",
                &format!("| accounts | No | /accounts |\n| {name} | No | - |"),
            ),
            "additive",
        ),
        11 => (replaced("| accounts | No |", "| accounts | Yes |"), "wire-breaking"),
        12 => (
            replaced("\"id\": \"a1\"", &format!("\"id\": {number}")),
            "wire-breaking",
        ),
        _ => (
            replaced(
                "https://api.tiny.example/v1/oauth/token",
                "http://api.tiny.example/v1/oauth/token",
            ),
            "wire-breaking",
        ),
    }
}

#[test]
fn a_changed_fact_is_found_in_every_dress() {
    let project = recorded("dress-changes");
    let mut wrong = Vec::new();
    for seed in 1..=seeds() {
        let mut random = Random::new(seed + 1_000);
        let (page, least) = change(&mut random);
        let dressed = dressed(&page, &mut random);
        let (_, report) = read(&project, &dressed);
        if strongest(&report) < class(least) {
            let changed: Vec<&str> = page.lines().filter(|line| !PAGE.contains(line)).collect();
            wrong.push(format!(
                "seed {}: {changed:?}: expected {least}, found {:?}",
                seed + 1_000,
                found(&report)
            ));
        }
    }
    assert_all(&wrong, usize::try_from(seeds()).unwrap_or(0));
}
