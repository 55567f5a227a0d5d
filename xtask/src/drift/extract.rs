//! From the lines of a documentation page to the facts that a client depends on.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use regex::Regex;
use serde_json::Value;

use super::facts::{Fact, Facts, Kind};

/// What a page says, and where it could not be read.
#[derive(Clone, Debug, Default)]
pub struct Reading {
    /// The facts.
    pub facts: Facts,
    /// What looks like a fact and could not be read for certain.
    pub unread: Vec<String>,
}

/// Reads the facts out of a page's lines.
#[must_use]
pub fn read(lines: &[String]) -> Reading {
    let mut reader = Reader {
        lines,
        sections: sections(lines),
        used: vec![false; lines.len()],
        requests: Vec::new(),
        reading: Reading::default(),
    };
    reader.requests();
    reader.tables();
    reader.examples();
    reader.lists();
    reader.prose();
    if reader.requests.is_empty() {
        reader.reading.unread.push("the page shows no request".to_owned());
    }
    reader.reading
}

/// A request that the page shows.
#[derive(Clone, Debug, Default)]
struct Request {
    line: usize,
    last_line: usize,
    /// `POST /oauth/token`; `None` for the way back to the application.
    endpoint: Option<String>,
}

struct Reader<'l> {
    lines: &'l [String],
    sections: Vec<usize>,
    used: Vec<bool>,
    requests: Vec<Request>,
    reading: Reading,
}

macro_rules! pattern {
    ($name:ident, $text:expr) => {
        #[allow(clippy::expect_used)]
        static $name: LazyLock<Regex> = LazyLock::new(|| Regex::new($text).expect("a pattern of this file"));
    };
}

pattern!(
    COMMAND,
    r"^\W*(curl)\b|^\W*(http)\s+(GET|POST|PUT|PATCH|DELETE)\s+https?://"
);
pattern!(
    REQUEST_LINE,
    r"\b(GET|POST|PUT|PATCH|DELETE)\s+(https?://[^\s'\x22<>]+|/[A-Za-z0-9_][^\s'\x22<>|]*)"
);
pattern!(METHOD_OPTION, r"(?:-X\s*|--request\s+)(GET|POST|PUT|PATCH|DELETE)\b");
pattern!(ADDRESS, r"https?://[^\s'\x22\\<>`]+");
pattern!(HEADER_OPTION, r#"(?:-H|--header)\s*['"]([A-Za-z-]+):\s*([^'"]*)['"]"#);
pattern!(
    DATA_OPTION,
    r#"(?:-d|--data(?:-raw|-urlencode|-binary)?)\s+(?:'([^']*)'|"([^"]*)"|([A-Za-z_]\S*))"#
);
pattern!(PAIR, r"(?:^|\s)([A-Za-z_][\w.\[\]-]*)=(\S*)");
pattern!(HEADER_LINE, r"^\s*([A-Z][A-Za-z]*(?:-[A-Za-z]+)*):\s+(\S.*)$");
pattern!(
    FORM_LINE,
    r"^\s*[A-Za-z_][\w.\[\]-]*=[^\s&]*(?:&+[A-Za-z_][\w.\[\]-]*=[^\s&]*)+\s*$"
);
pattern!(
    TABLE_HEAD,
    r"(?i)^\s*\|?\s*(?:name|parameter|scope)\s*[|\t]?\s*required\??\s*[|\t]?\s*(.*)$"
);
pattern!(
    TABLE_ROW,
    r"^\s*\|?\s*`?([A-Za-z_][\w.:\[\]-]*?)`?\s*[|\t]?\s*(Yes|No\b|No[^a-z]|No[A-Z/]|Required\b|Optional\b)(.*)$"
);
pattern!(LISTED, r#"^\s*[-•*]\s+(.*)$"#);
pattern!(
    NAMED,
    r#"^["`]?([a-z][a-z0-9]*(?:_[a-z0-9]+)*)["`]?(?:=[A-Z_]+|=[a-z_]+)?(?:\s+(?:and|&)\s+["`]?([a-z][a-z0-9]*(?:_[a-z0-9]+)*)["`]?)?\s*(?:[-:,.]\s*(.*))?$"#
);
pattern!(
    VALUE_IN_WORDS,
    r#"(?i)(?:(?:should be|must be)(?: set to)?|set to)\s+(?:['"`]([A-Za-z0-9_]+)['"`]|((?-i:[A-Z][A-Z0-9]+))\b)"#
);
pattern!(
    LIFETIME,
    r"(?i)\b(refresh|access)\s+tokens?\b[^.\n]*?\bexpires?\b\s+(?:in|after)\s+[^.\n]*?\b(\d+)\s*(second|minute|hour|day)s?\b"
);
pattern!(
    GRANT_WORDS,
    r"(?i)\b(client credentials|authorization code|password|refresh token|implicit|device code)\s+(?:grant|flow|type work-?flow)\b"
);
pattern!(
    GRANT_NAMES,
    r"\b(client_credentials|authorization_code|refresh_token|password|implicit)\b"
);
pattern!(
    AUTHENTICATION,
    r"\b(client_secret_basic|client_secret_post|client_secret_jwt|private_key_jwt|tls_client_auth)\b"
);
pattern!(
    ROTATION,
    r"(?i)refresh tokens? (?:are|is) rotated|new access and refresh token|always use the refresh token returned"
);
pattern!(
    STATUS,
    r"(?i)\bHTTP/[\d.]+ (\d{3})\b|\b(\d{3}) HTTP status code\b|\bHTTP status code (\d{3})\b"
);
pattern!(JSON_LINE, r#"^"[A-Za-z_][\w.:-]*"\s*:"#);
pattern!(PLACEHOLDER, r"^\{[A-Z_]+\}");
pattern!(JSON_KEY, r#""([A-Za-z_][\w.:-]*)"\s*:"#);
pattern!(JSON_SCOPE, r#""scope"\s*:\s*"([^"]+)"#);

impl Reader<'_> {
    fn say(&mut self, fact: Fact, what: impl Into<String>) {
        let what = what.into();
        let said = self.reading.facts.entry(fact).or_default();
        if said.is_empty() {
            *said = what;
        } else if !what.is_empty() {
            let mut all: BTreeSet<String> = said.split(" or ").map(str::to_owned).collect();
            all.insert(what);
            *said = all.into_iter().collect::<Vec<_>>().join(" or ");
        }
    }

    /// Commands, request lines and addresses with a query, in the order of the page.
    fn requests(&mut self) {
        let mut at = 0;
        while at < self.lines.len() {
            let line = self.lines[at].clone();
            let end = if COMMAND.is_match(&line) {
                let (text, end) = self.command(at);
                self.command_request(at, end, &text);
                end
            } else if let Some(found) = REQUEST_LINE.captures(&line) {
                let end = self.request_block(at, &found[1], &found[2]);
                self.request_line(at, end, &found[1], &found[2]);
                end
            } else if let Some(end) = self.bare_address(at) {
                end
            } else {
                at
            };
            if end > at {
                self.used[at..=end.min(self.lines.len() - 1)].fill(true);
            }
            at = end + 1;
        }
    }

    /// The lines of a command: to the end of its fence, or as long as they continue.
    fn command(&self, start: usize) -> (String, usize) {
        if self.fenced(start) {
            // A box may hold the reply too.
            let over = |line: &str| {
                let json = line.starts_with('{') && !PLACEHOLDER.is_match(line);
                line.is_empty() || json || line.starts_with("```") || line.starts_with("HTTP/")
            };
            let end = (start + 1..self.lines.len()).find(|at| over(self.lines[*at].trim()));
            let end = end.unwrap_or(self.lines.len());
            return (joined(&self.lines[start..end]), end.saturating_sub(1).max(start));
        }
        let mut end = start;
        while end + 1 < self.lines.len() {
            let next = self.lines[end + 1].trim_start();
            let continues = self.lines[end].ends_with('\\') || next.starts_with("-H") || next.starts_with("-d");
            if !continues || next.is_empty() {
                break;
            }
            end += 1;
        }
        (joined(&self.lines[start..=end]), end)
    }

    fn fenced(&self, at: usize) -> bool {
        self.lines[..at]
            .iter()
            .filter(|line| line.trim_start().starts_with("```"))
            .count()
            % 2
            == 1
    }

    fn command_request(&mut self, line: usize, last_line: usize, text: &str) {
        let Some(address) = ADDRESS.find(text) else { return };
        let data: Vec<(String, String)> = DATA_OPTION
            .captures_iter(text)
            .filter_map(|found| (1..=3).find_map(|group| found.get(group)))
            .flat_map(|found| pairs(found.as_str()))
            .collect();
        let words: Vec<(String, String)> = if text
            .trim_start()
            .trim_start_matches('$')
            .trim_start()
            .starts_with("http ")
        {
            let rest = &text[address.end()..];
            PAIR.captures_iter(rest)
                .map(|found| (found[1].to_owned(), found[2].to_owned()))
                .collect()
        } else {
            Vec::new()
        };
        let form: Vec<(String, String)> = data.into_iter().chain(words).collect();
        let method = METHOD_OPTION
            .captures(text)
            .or_else(|| REQUEST_LINE.captures(text))
            .map(|found| found[1].to_owned())
            .unwrap_or_else(|| {
                if form.is_empty() {
                    "GET".to_owned()
                } else {
                    "POST".to_owned()
                }
            });
        let headers: Vec<(String, String)> = HEADER_OPTION
            .captures_iter(text)
            .map(|found| (found[1].to_owned(), found[2].to_owned()))
            .collect();
        self.odd_form(text, &method, address.as_str());
        self.request(line, last_line, &method, address.as_str(), &headers, &form);
    }

    /// Headers and a form body under a request line.
    fn request_block(&self, start: usize, _method: &str, _address: &str) -> usize {
        let mut end = start;
        while let Some(next) = self.lines.get(end + 1) {
            if HEADER_LINE.is_match(next) && !COMMAND.is_match(next) || FORM_LINE.is_match(next) {
                end += 1;
            } else {
                break;
            }
        }
        end
    }

    fn request_line(&mut self, line: usize, last_line: usize, method: &str, address: &str) {
        let block: Vec<String> = self.lines[(line + 1).min(last_line + 1)..=last_line].to_vec();
        let headers: Vec<(String, String)> = block
            .iter()
            .filter_map(|line| HEADER_LINE.captures(line))
            .map(|found| (found[1].to_owned(), found[2].trim().to_owned()))
            .collect();
        let form: Vec<(String, String)> = block
            .iter()
            .filter(|line| FORM_LINE.is_match(line))
            .flat_map(|line| pairs(line.trim()))
            .collect();
        self.request(line, last_line, method, address, &headers, &form);
    }

    /// An address alone in a line or a fence: a browser's request, or the way back.
    fn bare_address(&mut self, at: usize) -> Option<usize> {
        let line = self.lines[at].trim();
        let (text, end) = if self.fenced(at) && line.starts_with("http") {
            let end = (at..self.lines.len()).find(|at| self.lines[*at].trim_start().starts_with("```"))?;
            let text: String = self.lines[at..end].iter().map(|line| line.trim()).collect();
            (text, end - 1)
        } else {
            (line.to_owned(), at)
        };
        let address = ADDRESS.find(&text)?.as_str().to_owned();
        let alone = address.len() == text.trim().len();
        if alone || address.contains('?') && !text.starts_with("Specification") {
            self.request(at, end, "", &address, &[], &[]);
            return Some(end);
        }
        None
    }

    fn request(
        &mut self,
        line: usize,
        last_line: usize,
        method: &str,
        address: &str,
        headers: &[(String, String)],
        form: &[(String, String)],
    ) {
        let address = address.trim_end_matches(['.', ',', ')', ';']);
        let (host, path, query) = parts(address);
        let query = pairs(&query);
        let back = query.iter().any(|(name, _)| name == "code" || name == "error")
            && !query.iter().any(|(name, _)| name == "client_id");
        if back {
            for (name, value) in &query {
                self.say(Fact::new(Kind::Callback, name.clone()), "");
                if name.starts_with("error") {
                    self.say(Fact::new(Kind::Callback, format!("{name}={value}")), "");
                }
            }
            self.requests.push(Request {
                line,
                last_line,
                endpoint: None,
            });
            return;
        }
        // A bare link says where something is; with a query it says how a browser asks for it too.
        let shown = !method.is_empty() || !query.is_empty();
        let method = if method.is_empty() { "GET" } else { method };
        if let Some(host) = &host {
            self.say(Fact::new(Kind::Host, host.clone()), "");
        }
        let endpoint = if shown {
            format!("{method} {path}")
        } else {
            format!("URL {path}")
        };
        self.say(Fact::new(Kind::Endpoint, endpoint.clone()), "");
        if !shown {
            return;
        }
        for (place, pairs) in [("query", &query), ("form", &form.to_vec())] {
            for (name, value) in pairs {
                self.parameter(&endpoint, name, place);
                self.value(&endpoint, name, value);
            }
        }
        for (name, value) in headers {
            self.header(&endpoint, name, value);
        }
        self.requests.push(Request {
            line,
            last_line,
            endpoint: Some(endpoint),
        });
    }

    fn parameter(&mut self, endpoint: &str, name: &str, _place: &str) {
        self.reading
            .facts
            .entry(Fact::of(Kind::Parameter, endpoint, name))
            .or_default();
    }

    /// Values that the protocol fixes; placeholders and samples are nobody's fact.
    fn value(&mut self, endpoint: &str, name: &str, value: &str) {
        let value = decoded(value);
        let value = value.trim_matches(['"', '\'']);
        match name {
            "scope" => self.scopes(value),
            "grant_type" if GRANT_NAMES.is_match(value) => self.say(Fact::new(Kind::Grant, value), ""),
            "code_challenge_method" => self.say(Fact::new(Kind::Pkce, value), ""),
            "response_type" if value == value.to_lowercase() => {
                self.say(Fact::of(Kind::Value, endpoint, format!("{name}={value}")), "");
            }
            _ => {}
        }
    }

    fn scopes(&mut self, list: &str) {
        for scope in list.split([' ', '+', ',']).filter(|scope| !scope.is_empty()) {
            let placeholder = scope.starts_with(['{', '<']) || scope.starts_with("your_");
            if !placeholder {
                self.reading.facts.entry(Fact::new(Kind::Scope, scope)).or_default();
            }
        }
    }

    fn header(&mut self, endpoint: &str, name: &str, value: &str) {
        let name = name.to_lowercase();
        let value = match name.as_str() {
            "authorization" => value.split_whitespace().next().unwrap_or_default().to_owned(),
            "accept" | "content-type" => value.split(';').next().unwrap_or_default().trim().to_owned(),
            "host" | "connection" | "cache-control" | "user-agent" => return,
            _ => String::new(),
        };
        self.say(Fact::of(Kind::Header, endpoint, name), value);
    }

    /// A form with an empty pair cannot be meant.
    fn odd_form(&mut self, text: &str, method: &str, address: &str) {
        let (_, path, _) = parts(address);
        if text.contains("&&") {
            self.say(
                Fact::of(
                    Kind::Oddity,
                    &format!("{method} {path}"),
                    "an empty pair in the form (&&)",
                ),
                "",
            );
        }
    }

    /// The request before a line, in its section.
    fn request_before(&self, line: usize) -> Option<&Request> {
        let section = self.sections[line];
        self.requests
            .iter()
            .filter(|request| self.sections[request.line] == section)
            .rfind(|request| request.last_line < line)
    }

    /// The request that a list or a table belongs to: the nearer one of its section.
    fn request_near(&self, first: usize, last: usize) -> Option<&Request> {
        let section = self.sections[first];
        let before = self.request_before(first);
        let after = self
            .requests
            .iter()
            .find(|request| request.line > last && self.sections[request.line] == section);
        match (before, after) {
            (Some(before), Some(after)) if after.line - last < first - before.last_line => Some(after),
            (Some(before), _) => Some(before),
            (None, after) => after,
        }
    }

    /// The lines around one that are a list with it, blank ones between them left out of account.
    fn group(&self, at: usize) -> (usize, usize) {
        let listed = |line: &String| {
            let line = line.trim();
            line.is_empty() || LISTED.is_match(line) || line.starts_with(['"', '`']) && !line.starts_with("```")
        };
        let first = (0..at)
            .rev()
            .take_while(|before| listed(&self.lines[*before]))
            .last()
            .unwrap_or(at);
        let last = (at + 1..self.lines.len())
            .take_while(|after| listed(&self.lines[*after]))
            .last()
            .unwrap_or(at);
        let spoken = |line: &usize| !self.lines[*line].trim().is_empty();
        (
            (first..=at).find(spoken).unwrap_or(at),
            (at..=last).rev().find(spoken).unwrap_or(at),
        )
    }

    fn tables(&mut self) {
        let mut at = 0;
        while at < self.lines.len() {
            let Some(head) = TABLE_HEAD.captures(&self.lines[at]) else {
                at += 1;
                continue;
            };
            let about_scopes = head[0].to_lowercase().contains("resource")
                || self.lines[at.saturating_sub(3)..at]
                    .iter()
                    .any(|line| line.to_lowercase().contains("scope"));
            let request = self.request_near(at, at).and_then(|request| request.endpoint.clone());
            let mut scope: Option<String> = None;
            at += 1;
            while at < self.lines.len() && !self.lines[at].trim().is_empty() {
                let line = self.lines[at].clone();
                self.used[at] = true;
                at += 1;
                if line.chars().all(|c| "|-: ".contains(c)) {
                    continue;
                }
                match TABLE_ROW.captures(&line) {
                    Some(row) if about_scopes => {
                        let glued = row[2]
                            .strip_prefix("No")
                            .filter(|rest| !rest.is_empty())
                            .unwrap_or_default();
                        let rest = format!("{glued}{}", &row[3]);
                        scope = Some(row[1].to_owned());
                        self.scope_row(&row[1], &rest);
                    }
                    Some(row) => {
                        let glued = row[2]
                            .strip_prefix("No")
                            .filter(|rest| !rest.is_empty())
                            .unwrap_or_default();
                        let notes = format!("{glued}{}", &row[3]);
                        let needed = match &row[2] {
                            "Yes" => "needed",
                            "Required" if notes.trim_start().starts_with("if") => "needed sometimes",
                            "Required" => "needed",
                            _ => "optional",
                        };
                        if let Some(endpoint) = &request {
                            self.described(endpoint, &row[1], Some(needed), &notes);
                        } else {
                            self.reading
                                .unread
                                .push(format!("line {at}: a table of parameters without a request"));
                        }
                    }
                    None => match &scope {
                        Some(scope) if line.trim_start_matches([' ', '|']).starts_with('/') => {
                            let scope = scope.clone();
                            self.scope_row(&scope, &line);
                        }
                        _ => self.reading.unread.push(format!("line {at}: a row of a table")),
                    },
                }
            }
        }
    }

    fn scope_row(&mut self, scope: &str, resource: &str) {
        let resource = resource.trim_matches([' ', '|']);
        let fact = Fact::new(Kind::Scope, scope);
        let said = self.reading.facts.entry(fact).or_default();
        if resource.starts_with('/') {
            let mut all: BTreeSet<String> = said.split(' ').filter(|it| !it.is_empty()).map(str::to_owned).collect();
            all.extend(resource.split_whitespace().map(str::to_owned));
            *said = all.into_iter().collect::<Vec<_>>().join(" ");
        }
    }

    /// A parameter that is described in a table or a list.
    fn described(&mut self, endpoint: &str, name: &str, needed: Option<&str>, notes: &str) {
        let fact = Fact::of(Kind::Parameter, endpoint, name);
        let said = self.reading.facts.entry(fact).or_default();
        if let Some(needed) = needed {
            needed.clone_into(said);
        }
        if let Some(found) = VALUE_IN_WORDS.captures(notes) {
            let value = found.get(1).or_else(|| found.get(2)).map_or("", |value| value.as_str());
            self.value(endpoint, name, value);
        }
        if name == "grant_type" {
            for found in GRANT_NAMES.find_iter(notes) {
                self.say(Fact::new(Kind::Grant, found.as_str()), "");
            }
        }
        if name == "response_type" && notes.contains("only supported") {
            let value = notes
                .trim_start_matches(['|', ' ', '-'])
                .split_whitespace()
                .next()
                .unwrap_or_default();
            self.value(endpoint, name, value);
        }
    }

    /// Lists of parameters and of reply fields.
    fn lists(&mut self) {
        for at in 0..self.lines.len() {
            if self.used[at] || self.fenced(at) {
                continue;
            }
            let mut line = self.lines[at].trim().to_owned();
            if line.ends_with("must be")
                && let Some(next) = (at + 1..self.lines.len()).find(|next| !self.lines[*next].trim().is_empty())
            {
                line = format!("{line} {}", self.lines[next].trim());
                self.used[next] = true;
            }
            let bullet = LISTED.captures(&line).map(|found| found[1].to_owned());
            let quoted = line.starts_with(['"', '`']) && !line.starts_with("```") && !JSON_LINE.is_match(&line);
            let Some(text) = bullet.clone().or_else(|| quoted.then(|| line.clone())) else {
                continue;
            };
            let Some(found) = NAMED.captures(&text) else { continue };
            let notes = found.get(3).map_or("", |notes| notes.as_str());
            let names: Vec<String> = [1, 2]
                .iter()
                .filter_map(|group| found.get(*group))
                .map(|name| name.as_str().to_owned())
                .collect();
            let (first, last) = self.group(at);
            let Some(request) = self.request_near(first, last).cloned() else {
                self.reading
                    .unread
                    .push(format!("line {}: `{}` without a request", at + 1, names.join("`, `")));
                continue;
            };
            for name in names {
                match &request.endpoint {
                    None => self.say(Fact::new(Kind::Callback, name), ""),
                    Some(endpoint) if notes.is_empty() && bullet.is_some() => {
                        self.reading
                            .facts
                            .entry(Fact::of(Kind::Reply, endpoint, name))
                            .or_default();
                    }
                    Some(endpoint) => {
                        let needed = self.announced(at);
                        self.described(endpoint, &name, needed, notes);
                    }
                }
            }
        }
    }

    /// `Required parameter` on the line before.
    fn announced(&self, at: usize) -> Option<&'static str> {
        let before = self.lines[..at]
            .iter()
            .rev()
            .find(|line| !line.trim().is_empty())?
            .trim()
            .to_lowercase();
        match before.as_str() {
            "required parameter" => Some("needed"),
            "optional parameter" => Some("optional"),
            _ => None,
        }
    }

    /// JSON examples: names and types, and nothing of the values but scopes and lifetimes.
    fn examples(&mut self) {
        let mut at = 0;
        while at < self.lines.len() {
            let opens = self.lines[at].trim();
            if self.used[at] || !opens.starts_with('{') || PLACEHOLDER.is_match(opens) {
                at += 1;
                continue;
            }
            let (text, end, whole) = self.braces(at);
            self.used[at..=end].fill(true);
            let Some(endpoint) = self.request_before(at).and_then(|request| request.endpoint.clone()) else {
                self.reading
                    .unread
                    .push(format!("line {}: a JSON example without a request", at + 1));
                at = end + 1;
                continue;
            };
            // A text viewer breaks long strings.
            let unbroken = text.replace('\n', " ");
            match serde_json::from_str::<Value>(&text).or_else(|_| serde_json::from_str(&unbroken)) {
                Ok(Value::Object(object)) if whole => {
                    for (name, value) in &object {
                        self.say(Fact::of(Kind::Reply, &endpoint, name.clone()), json_type(value));
                        if name == "expires_in"
                            && let Some(seconds) = value.as_u64()
                        {
                            self.say(
                                Fact::new(Kind::Lifetime, "access_token in an example"),
                                seconds.to_string(),
                            );
                        }
                        if name == "scope"
                            && let Some(scopes) = value.as_str()
                        {
                            self.scopes(scopes);
                        }
                    }
                }
                _ => {
                    self.reading.unread.push(format!(
                        "line {}: a JSON example that is not JSON; names were read",
                        at + 1
                    ));
                    let squeezed: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
                    for found in JSON_KEY.captures_iter(&squeezed) {
                        self.reading
                            .facts
                            .entry(Fact::of(Kind::Reply, &endpoint, &found[1]))
                            .or_default();
                    }
                    if let Some(found) = JSON_SCOPE.captures(&squeezed) {
                        self.scopes(found[1].trim_end_matches(['}', ' ']));
                    }
                }
            }
            at = end + 1;
        }
    }

    /// An object's text; a fence inside an example is a page's accident.
    fn braces(&self, start: usize) -> (String, usize, bool) {
        let mut text = String::new();
        let mut depth = 0i32;
        for (index, line) in self.lines[start..].iter().enumerate() {
            if line.trim_start().starts_with("```") {
                continue;
            }
            if index > 40 {
                break;
            }
            text.push_str(line);
            text.push('\n');
            depth += i32::try_from(line.matches('{').count()).unwrap_or(0);
            depth -= i32::try_from(line.matches('}').count()).unwrap_or(0);
            if depth <= 0 {
                return (text, start + index, true);
            }
        }
        (text, start, false)
    }

    /// What sentences say: lifetimes, grants, client authentication, rotation, statuses.
    fn prose(&mut self) {
        for at in 0..self.lines.len() {
            let line = self.lines[at].clone();
            for found in LIFETIME.captures_iter(&line) {
                let count: u64 = found[2].parse().unwrap_or_default();
                let unit = match found[3].to_lowercase().as_str() {
                    "minute" => 60,
                    "hour" => 3_600,
                    "day" => 86_400,
                    _ => 1,
                };
                let whose = format!("{}_token", found[1].to_lowercase());
                self.say(Fact::new(Kind::Lifetime, whose), (count * unit).to_string());
            }
            for found in GRANT_WORDS.captures_iter(&line) {
                self.say(Fact::new(Kind::Grant, found[1].to_lowercase().replace(' ', "_")), "");
            }
            if line.to_lowercase().contains("grant type") || line.contains("grant_types") {
                for found in GRANT_NAMES.find_iter(&line) {
                    self.say(Fact::new(Kind::Grant, found.as_str()), "");
                }
            }
            for found in AUTHENTICATION.find_iter(&line) {
                self.say(Fact::new(Kind::ClientAuthentication, found.as_str()), "");
            }
            if ROTATION.is_match(&line) {
                self.say(Fact::new(Kind::Rotation, "refresh_token"), "");
            }
            for found in STATUS.captures_iter(&line) {
                let status = (1..=3)
                    .find_map(|group| found.get(group))
                    .map_or("", |status| status.as_str());
                if let Some(endpoint) = self.request_before(at).and_then(|request| request.endpoint.clone()) {
                    self.say(Fact::of(Kind::Status, &endpoint, status), "");
                }
            }
        }
    }
}

/// The line of the heading above each line.
fn sections(lines: &[String]) -> Vec<usize> {
    const GENERIC: [&str; 9] = [
        "parameters",
        "query parameters",
        "request",
        "response",
        "example",
        "language",
        "oauth",
        "scopes",
        "available scopes",
    ];
    let blank = |at: Option<usize>| {
        at.and_then(|at| lines.get(at))
            .is_none_or(|line| line.trim().is_empty())
    };
    let mut fence = false;
    let mut current = 0;
    let mut sections = Vec::with_capacity(lines.len());
    for (at, line) in lines.iter().enumerate() {
        let text = line.trim();
        if text.starts_with("```") {
            fence = !fence;
        }
        let title = text.trim_start_matches(['#', ' ']);
        let generic = GENERIC.contains(&title.to_lowercase().as_str());
        let plain_heading = text.len() <= 48
            && text.starts_with(|c: char| c.is_ascii_uppercase())
            && text.chars().all(|c| c.is_alphanumeric() || " -".contains(c))
            && !text.to_lowercase().ends_with(" parameter")
            && blank(at.checked_sub(1))
            && blank(Some(at + 1));
        if !fence && !generic && (text.starts_with('#') && text.len() > 1 || plain_heading && !text.is_empty()) {
            current = at;
        }
        sections.push(current);
    }
    sections
}

fn joined(lines: &[String]) -> String {
    lines
        .iter()
        .map(|line| line.trim().trim_end_matches('\\').trim_end())
        .collect::<Vec<_>>()
        .join(" ")
}

/// Host, path and query of an address.
fn parts(address: &str) -> (Option<String>, String, String) {
    let (host, rest) = match address.split_once("://") {
        Some((_, rest)) => {
            let end = rest.find(['/', '?']).unwrap_or(rest.len());
            (Some(rest[..end].to_lowercase()), &rest[end..])
        }
        None => (None, address),
    };
    let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
    let path = if path.is_empty() { "/" } else { path };
    (host, path.to_owned(), query.to_owned())
}

fn pairs(form: &str) -> Vec<(String, String)> {
    form.split('&')
        .filter_map(|pair| pair.split_once('='))
        .map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned()))
        .filter(|(name, _)| !name.is_empty())
        .collect()
}

/// `%XX` as the letters they stand for, where that is ASCII.
fn decoded(text: &str) -> String {
    let mut decoded = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('%') {
        decoded.push_str(&rest[..at]);
        let code = rest
            .get(at + 1..at + 3)
            .and_then(|code| u8::from_str_radix(code, 16).ok());
        match code.filter(u8::is_ascii) {
            Some(letter) => {
                decoded.push(letter as char);
                rest = &rest[at + 3..];
            }
            None => {
                decoded.push('%');
                rest = &rest[at + 1..];
            }
        }
    }
    decoded + rest
}

fn json_type(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}
