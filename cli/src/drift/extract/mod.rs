//! From the lines of a documentation page to the facts that a client depends on.

mod patterns;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::address::{self, Address};
use super::facts::{Fact, Facts, Kind};
use patterns::{
    ADDRESS, AUTHENTICATION, COMMAND, DATA_OPTION, FORM_LINE, GRANT_NAMES, GRANT_VALUE, GRANT_WORDS, HEADER_LINE,
    HEADER_OPTION, JSON_KEY, JSON_LINE, JSON_SCOPE, LIFETIME, LISTED, METHOD_OPTION, NAMED, PAIR, PLACEHOLDER,
    REQUEST_LINE, ROTATION, SPAN, STATUS, TABLE_HEAD, TABLE_ROW, VALUE_IN_WORDS,
};

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
        let sent: Vec<&str> = DATA_OPTION
            .captures_iter(text)
            .filter_map(|found| (1..=3).find_map(|group| found.get(group)))
            .map(|found| found.as_str())
            .collect();
        let (json, forms): (Vec<&str>, Vec<&str>) = sent
            .iter()
            .partition(|body| body.trim_start().starts_with(['{', '[']) && !PLACEHOLDER.is_match(body.trim_start()));
        let mut data: Vec<(String, String)> = forms.into_iter().flat_map(pairs).collect();
        for body in json {
            match serde_json::from_str::<Value>(body) {
                Ok(body) => data.extend(fields(&body).into_keys().map(|name| (name, String::new()))),
                Err(_) => {
                    let at = line + 1;
                    self.reading
                        .unread
                        .push(format!("line {at}: a JSON body that is not JSON"));
                }
            }
        }
        let has_body = !sent.is_empty();
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
                if form.is_empty() && !has_body {
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
        let Address { host, path, query } = Address::read(address);
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
        // With the hosts that the page asks it at; which path is meant depends on the host.
        self.say(Fact::new(Kind::Endpoint, endpoint.clone()), host.unwrap_or_default());
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
            "grant_type" if GRANT_NAMES.is_match(value) || GRANT_VALUE.is_match(value) => {
                self.say(Fact::new(Kind::Grant, value), "")
            }
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
        let path = Address::read(address).path;
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
                        if matches!(&row[2], "Yes" | "Required") {
                            self.scope_words(&row[1], &["needed"]);
                        }
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
        let words: Vec<&str> = if resource.starts_with('/') {
            resource.split_whitespace().collect()
        } else {
            Vec::new()
        };
        self.scope_words(scope, &words);
    }

    /// A scope with the resources that it opens, and `needed` where it must be asked for.
    fn scope_words(&mut self, scope: &str, words: &[&str]) {
        let said = self.reading.facts.entry(Fact::new(Kind::Scope, scope)).or_default();
        let mut all: BTreeSet<&str> = said.split(' ').filter(|it| !it.is_empty()).collect();
        all.extend(words);
        *said = all.into_iter().collect::<Vec<_>>().join(" ");
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
            let list = opens == "[" || opens.starts_with("[{") || opens.starts_with('[') && self.fenced(at);
            if self.used[at] || !opens.starts_with('{') && !list || PLACEHOLDER.is_match(opens) {
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
                Ok(example) if whole => {
                    for (name, kind) in fields(&example) {
                        self.say(Fact::of(Kind::Reply, &endpoint, name), kind);
                    }
                    for (name, value) in example.as_object().into_iter().flatten() {
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
            if index > 400 {
                break;
            }
            text.push_str(line);
            text.push('\n');
            depth += i32::try_from(line.matches(['{', '[']).count()).unwrap_or(0);
            depth -= i32::try_from(line.matches(['}', ']']).count()).unwrap_or(0);
            if depth <= 0 {
                return (text, start + index, true);
            }
        }
        (text, start, false)
    }

    fn lifetimes(&mut self, at: usize, line: &str) {
        let mut read = false;
        for found in LIFETIME.captures_iter(line) {
            let unit = match found[3].to_lowercase().as_str() {
                "minute" => 60,
                "hour" => 3_600,
                "day" => 86_400,
                "week" => 604_800,
                _ => 1,
            };
            let Some(seconds) = number(&found[2]).and_then(|count| count.checked_mul(unit)) else {
                continue;
            };
            read = true;
            let whose = format!("{}_token", found[1].to_lowercase());
            self.say(Fact::new(Kind::Lifetime, whose), seconds.to_string());
        }
        if !read && !self.used[at] && SPAN.is_match(line) {
            self.reading
                .unread
                .push(format!("line {}: a span of time beside a token", at + 1));
        }
    }

    /// What sentences say: lifetimes, grants, client authentication, rotation, statuses.
    fn prose(&mut self) {
        for at in 0..self.lines.len() {
            let line = self.lines[at].clone();
            self.lifetimes(at, &line);
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

/// The pairs of a form or a query; a word without a value is a placeholder.
fn pairs(form: &str) -> Vec<(String, String)> {
    address::pairs(form)
        .into_iter()
        .filter_map(|(name, value)| Some((name.trim().to_owned(), value?.trim().to_owned())))
        .filter(|(name, _)| !name.is_empty())
        .collect()
}

/// The fields of a JSON value by their paths, each with its types.
fn fields(value: &Value) -> BTreeMap<String, &'static str> {
    fn walk(value: &Value, at: &str, found: &mut BTreeMap<String, &'static str>) {
        match value {
            Value::Object(object) => {
                for (name, value) in object {
                    let at = if at.is_empty() {
                        name.clone()
                    } else {
                        format!("{at}.{name}")
                    };
                    found.insert(at.clone(), json_type(value));
                    walk(value, &at, found);
                }
            }
            Value::Array(items) => items.iter().for_each(|item| walk(item, &format!("{at}[]"), found)),
            _ => {}
        }
    }
    let mut found = BTreeMap::new();
    walk(value, "", &mut found);
    found
}

/// `%XX` as the letters they stand for, where that is ASCII.
pub(super) fn decoded(text: &str) -> String {
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

/// `2,592,000`, `thirty`
fn number(text: &str) -> Option<u64> {
    const WORDS: [(&str, u64); 16] = [
        ("one", 1),
        ("two", 2),
        ("three", 3),
        ("four", 4),
        ("five", 5),
        ("six", 6),
        ("seven", 7),
        ("ten", 10),
        ("twelve", 12),
        ("fourteen", 14),
        ("fifteen", 15),
        ("twenty", 20),
        ("thirty", 30),
        ("sixty", 60),
        ("ninety", 90),
        ("hundred", 100),
    ];
    let word = WORDS.iter().find(|(word, _)| text.eq_ignore_ascii_case(word));
    word.map_or_else(|| text.replace(',', "").parse().ok(), |(_, number)| Some(*number))
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
