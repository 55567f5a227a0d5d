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

/// Dress in which the page says the same: each row changes the page's HTML everywhere.
const SAME: &[(&str, &[(&str, &str)])] = &[
    (
        "names in code",
        &[("<td>client_id</td>", "<td><code>client_id</code></td>")],
    ),
    (
        "grants in code",
        &[(
            "authorization_code and refresh_token.",
            "<code>authorization_code</code> and <code>refresh_token</code>.",
        )],
    ),
    (
        "anchors without width",
        &[
            ("</h2>", "<a href='#x'>\u{200b}</a></h2>"),
            ("authorize?", "authorize\u{200b}?"),
        ],
    ),
    (
        "pilcrows",
        &[("</h2>", "<a class=headerlink href='#x'>\u{b6}</a></h2>")],
    ),
    ("hashes", &[("</h2>", " <a href='#x'>#</a></h2>")]),
    ("hashes before", &[("<h2>", "<h2><a href='#x'>#</a> ")]),
    ("a number of a note", &[("30 days", "30<sup>1</sup> days")]),
    (
        "a linked number of a note",
        &[("30 days", "30<sup><a href='#n'>[2]</a></sup> days")],
    ),
    ("a star of a note", &[("30 days", "30<sup>*</sup> days")]),
    (
        "boxes that are checked",
        &[
            ("<td>Yes</td>", "<td><input type=checkbox checked disabled></td>"),
            ("<td>No</td>", "<td><input type=checkbox disabled></td>"),
        ],
    ),
    (
        "drawings with a title",
        &[
            (
                "<td>Yes</td>",
                "<td><svg viewBox='0 0 1 1'><title>Yes</title><path d='M0'/></svg></td>",
            ),
            ("<td>No</td>", "<td><svg><title>No</title></svg></td>"),
        ],
    ),
    (
        "labels",
        &[
            ("<td>Yes</td>", "<td><span class=icon aria-label=Yes></span></td>"),
            ("<td>No</td>", "<td><i class='fa fa-x' title=optional></i></td>"),
        ],
    ),
    (
        "a label and a word",
        &[(
            "<td>Yes</td>",
            "<td><i class=icon aria-label=Yes></i><span class=sr-only>Yes</span></td>",
        )],
    ),
    (
        "a drawing beside a word",
        &[("<td>Yes</td>", "<td><svg><path d='M0'/></svg> Yes</td>")],
    ),
    (
        "tables by role",
        &[
            ("<table>", "<div role=table>"),
            ("</table>", "</div>"),
            ("<tr>", "<div role=row>"),
            ("</tr>", "</div>"),
            ("<td>", "<div role=cell>"),
            ("</td>", "</div>"),
        ],
    ),
    (
        "notes in a paragraph of their own",
        &[
            (
                "<li>code (required): The code of the redirect.",
                "<li><code>code</code> <em>Required</em><p>The code of the redirect.</p>",
            ),
            (
                "<li>refresh_token (optional): The latest one.",
                "<li><b>refresh_token</b> <em>Optional</em><div>The latest one.</div>",
            ),
        ],
    ),
    (
        "a heading over the request",
        &[(
            "<pre>GET https://api.tiny.example/v1/oauth",
            "<h3>GET /v1/oauth/authorize</h3><pre>GET https://api.tiny.example/v1/oauth",
        )],
    ),
];

#[test]
fn the_same_in_other_markup_is_the_same() {
    let project = recorded("markup-same");
    let mut wrong = Vec::new();
    for (name, changes) in SAME {
        let page = changes.iter().fold(html(PAGE), |page, (from, to)| {
            assert!(page.contains(from), "the page has no {from:?} in\n{page}");
            page.replace(from, to)
        });
        let (_, report) = read(&project, &page);
        if strongest(&report) > class("docs-only") || found(&report).iter().any(|(rule, _)| rule != "page-reworded") {
            wrong.push(format!("{name}: {} {}", report["findings"], report["new"]));
        }
    }
    assert_all(&wrong, SAME.len());
}

/// What a site puts around all of its pages.
const AROUND: &[&str] = &[
    "<footer><p>You must accept the terms of use.</p></footer>",
    "<div id=cookie><p>We use cookies. Required cookies are always on.</p></div>",
    "<div class='site-footer'><p>Use is only for those who must.</p></div>",
    "<div role=dialog><p>You must choose.</p></div>",
    "<nav><ul><li>Only here</li></ul></nav>",
];

#[test]
fn what_stands_on_every_page_of_a_site_asks_nothing() {
    let project = recorded("markup-around");
    let mut wrong = Vec::new();
    for part in AROUND {
        for place in ["</body>", "<p>Clients use"] {
            let (code, report) = read(&project, &edited(&[(place, &format!("{part}{place}"))]));
            if code != 4 || found(&report) != [("page-reworded".to_owned(), "docs-only".to_owned())] {
                wrong.push(format!("{part}: {code} {}", report["findings"]));
            }
        }
    }
    let demanded = edited(&[(
        "</body>",
        "<footer>The refresh_token grant is no longer available.</footer></body>",
    )]);
    let (code, report) = read(&project, &demanded);
    if code != 100 {
        wrong.push(format!("{report}"));
    }
    assert_all(&wrong, AROUND.len() * 2 + 1);
}

#[test]
fn a_drawing_without_a_name_is_not_read() {
    let project = recorded("markup-drawing");
    for drawing in [
        "<svg><path d='M0'/></svg>",
        "<i class='fa fa-check'></i>",
        "<img src='yes.png'>",
    ] {
        let page = html(PAGE).replacen("<td>Yes</td>", &format!("<td>{drawing}</td>"), 1);
        let (code, report) = read(&project, &page);
        let unread = ("page-unread".to_owned(), "unhandled".to_owned());
        assert!(code == 100 && found(&report).contains(&unread), "{drawing}: {report}");
    }
}
