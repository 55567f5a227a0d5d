//! What markup says of a text: that it is there, that it was taken back, or nothing.

use super::*;

/// The page as plain HTML, one element for each block.
fn html(page: &str) -> String {
    let escaped = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;");
    let mut html = String::from("<!doctype html><html><head><title>Tiny</title></head><body>\n");
    let mut lines = page.lines().peekable();
    while let Some(line) = lines.next() {
        if let Some(title) = line.strip_prefix("# ").or_else(|| line.strip_prefix("## ")) {
            html.push_str(&format!("<h2>{}</h2>\n", escaped(title)));
        } else if line.starts_with("```") {
            let code: Vec<&str> = lines.by_ref().take_while(|line| !line.starts_with("```")).collect();
            html.push_str(&format!("<pre>{}</pre>\n", escaped(&code.join("\n"))));
        } else if line.starts_with('|') && !line.starts_with("|---") {
            let head = lines.peek().is_some_and(|next| next.starts_with("|---"));
            let last = lines.peek().is_none_or(|next| !next.starts_with('|'));
            let cells = line.trim_matches('|').split('|').map(str::trim);
            let cells: String = cells.map(|cell| format!("<td>{}</td>", escaped(cell))).collect();
            let (start, end) = (if head { "<table>" } else { "" }, if last { "</table>" } else { "" });
            html.push_str(&format!("{start}<tr>{cells}</tr>{end}\n"));
        } else if let Some(item) = line.strip_prefix("- ") {
            html.push_str(&format!("<li>{}</li>\n", escaped(item)));
        } else if line.starts_with("GET ") {
            html.push_str(&format!("<pre>{}</pre>\n", escaped(line)));
        } else if !line.is_empty() && !line.starts_with('|') {
            html.push_str(&format!("<p>{}</p>\n", escaped(line)));
        }
    }
    html + "</body></html>"
}

/// The page as HTML with changes, each of which finds its place.
fn edited(changes: &[(&str, &str)]) -> String {
    changes.iter().fold(html(PAGE), |html, (from, to)| {
        assert!(html.contains(from), "the page has no {from:?} in\n{html}");
        html.replacen(from, to, 1)
    })
}

/// What a page says, and what markup makes of it. Each row gives the findings that must be among those that are told.
const TAKEN_BACK: &[(&str, &str, &str)] = &[
    (
        " and refresh_token.",
        "<del> and refresh_token</del>.",
        "grant-withdrawn",
    ),
    (" and refresh_token.", "<s> and refresh_token</s>.", "grant-withdrawn"),
    (
        " and refresh_token.",
        "<strike> and <b>refresh_token</b></strike>.",
        "grant-withdrawn",
    ),
    (
        " and refresh_token.",
        "<span hidden> and refresh_token</span>.",
        "grant-withdrawn",
    ),
    (
        " and refresh_token.",
        "<span hidden> and <span>refresh</span>_token</span>.",
        "grant-withdrawn",
    ),
    (
        " and refresh_token.",
        "<span style='color: red; display : none'> and refresh_token</span>.",
        "grant-withdrawn",
    ),
    (
        " and refresh_token.",
        "<span style='text-decoration: line-through'> and refresh_token</span>.",
        "grant-withdrawn",
    ),
    (
        " and refresh_token.",
        "<template> and refresh_token</template>.",
        "grant-withdrawn",
    ),
    (
        "<li>code (required)",
        "<li hidden>old <ul><li>older</li></ul><li>code (optional)",
        "page-facts-moved",
    ),
    ("<tr><td>offline", "<tr hidden><td>offline", "scope-withdrawn"),
    ("<tr><td>offline", "<tr><td><del>offline</del>", "scope-withdrawn"),
    (
        "<p>Clients use",
        "<p hidden>Clients use",
        "client-authentication-withdrawn",
    ),
];

/// Marks that take nothing back.
const KEPT: &[(&str, &str)] = &[
    (" and refresh_token.", " <ins>and refresh_token</ins>."),
    (" and refresh_token.", " and refresh_token.<span hidden>never</span>"),
    ("<p>Clients use", "<p hidden>It must be so.<p>Clients use"),
    ("<p>Clients use", "<ul><li hidden>It must be so.</ul><p>Clients use"),
    ("<p>Clients use", "<input hidden name=x required><p>Clients use"),
    ("<p>Clients use", "<div role=tabpanel hidden><p>Clients use"),
    ("<p>Clients use", "<div hidden=until-found><p>Clients use"),
    (
        "<p>Clients use",
        "<template shadowrootmode=open></template><p>Clients use",
    ),
    (
        "<p>Clients use",
        "<dialog><p>You must accept.</p></dialog><p>Clients use",
    ),
    ("<p>Clients use", "<dialog open></dialog><p>Clients use"),
];

#[test]
fn what_a_page_takes_back_is_not_on_it() {
    let project = recorded("markup-taken-back");
    let (code, report) = read(&project, &html(PAGE));
    assert_eq!(code, 0, "{report}");
    let mut wrong = Vec::new();
    for (from, to, rule) in TAKEN_BACK {
        let (_, report) = read(&project, &edited(&[(from, to)]));
        if !found(&report).iter().any(|(told, _)| told == rule) {
            wrong.push(format!("{to}: expected {rule}, found {:?}", found(&report)));
        }
    }
    for (from, to) in KEPT {
        let (code, report) = read(&project, &edited(&[(from, to)]));
        if code != 0 {
            wrong.push(format!("{to}: {} {}", report["findings"], report["new"]));
        }
    }
    assert_all(&wrong, TAKEN_BACK.len() + KEPT.len());
}

#[test]
fn a_page_that_is_kept_for_later_is_not_the_page() {
    let project = recorded("markup-template");
    let page = html(PAGE).replace("<body>", "<body><h1>Sign in</h1><template>");
    let (code, report) = read(&project, &page.replace("</body>", "</template></body>"));
    assert_eq!(
        (code, found(&report)),
        (100, vec![("page-without-facts".to_owned(), "unhandled".to_owned())])
    );
}
