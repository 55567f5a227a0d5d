//! From the lines of a documentation page to the facts that a client depends on.

mod layout;
mod patterns;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::address::{self, Address};
use super::facts::{Fact, Facts, Kind, UNENCRYPTED};
use super::page::Text;
use layout::Layout;
use patterns::{
    ADDRESS, AUTHENTICATION, COMMAND, DATA_OPTION, FORM_LINE, GRANT_NAMES, GRANT_VALUE, GRANT_WORDS, HEADER_LINE,
    HEADER_OPTION, JSON_KEY, JSON_LINE, JSON_SCOPE, LIFETIME, LISTED, MARKED, METHOD_OPTION, NAMED, NEEDED_BELOW, PAIR,
    PLACEHOLDER, REQUEST_LINE, ROTATION, SCOPE_ITEM, SPAN, STATUS, TABLE_HEAD, TABLE_ROW, VALUE_IN_WORDS,
};

/// What a page says, and where it could not be read.
#[derive(Clone, Debug, Default)]
pub struct Reading {
    /// The facts.
    pub facts: Facts,
    /// What looks like a fact and could not be read for certain.
    pub unread: Vec<String>,
    /// Its text as far as it is text, for the comparison of its words.
    pub passages: Vec<Passage>,
    /// How many lines were looked at, which grows as the page does and no faster.
    pub steps: usize,
}

/// A line as it is compared: rows and items of parameters are alike, however they are set.
#[derive(Clone, Debug)]
pub struct Passage {
    /// The text.
    pub text: String,
    /// A command, a request or an example.
    pub code: bool,
    /// Whether facts stand in its section.
    pub with_facts: bool,
    /// Its section, by the line of the heading.
    pub section: usize,
    /// Whether it belongs to the site, and not to the page.
    pub apart: bool,
}

/// Reads the facts out of a page.
#[must_use]
pub fn read(page: &Text) -> Reading {
    let mut reader = Reader::new(page);
    reader.requests();
    reader.by_section();
    reader.tables();
    reader.examples();
    reader.lists();
    reader.prose();
    if reader.requests.is_empty() {
        reader.unread.push("the page shows no request".to_owned());
    }
    reader.reading()
}

/// The lines of an example that are read, at most.
const LONGEST_EXAMPLE: usize = 400;

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
    html: bool,
    layout: Layout,
    used: Vec<bool>,
    code: Vec<bool>,
    requests: Vec<Request>,
    /// The requests of a section, in the order of the page.
    of_section: BTreeMap<usize, Vec<usize>>,
    /// What is said of each fact, in one place or several.
    said: BTreeMap<Fact, BTreeSet<String>>,
    unread: Vec<String>,
    /// The line that is read.
    at: usize,
    /// Sections in which facts stand.
    with_facts: BTreeSet<usize>,
    /// Rows and items in their one form.
    alike: BTreeMap<usize, String>,
    steps: usize,
}

impl<'l> Reader<'l> {
    fn new(page: &'l Text) -> Self {
        let lines = &page.lines;
        Self {
            lines,
            html: page.html,
            layout: Layout::of(lines, page.html),
            used: vec![false; lines.len()],
            code: vec![false; lines.len()],
            requests: Vec::new(),
            of_section: BTreeMap::new(),
            said: BTreeMap::new(),
            unread: Vec::new(),
            at: 0,
            with_facts: BTreeSet::new(),
            alike: BTreeMap::new(),
            steps: lines.len(),
        }
    }

    fn reading(self) -> Reading {
        let joined = |(fact, words): (Fact, BTreeSet<String>)| {
            let between = if fact.kind == Kind::Scope { " " } else { " or " };
            let words: Vec<String> = words.into_iter().collect();
            (fact, words.join(between))
        };
        let passages = (0..self.lines.len()).map(|at| Passage {
            text: self.alike.get(&at).unwrap_or(&self.lines[at]).clone(),
            code: self.code[at],
            with_facts: self.with_facts.contains(&self.layout.sections[at]),
            section: self.layout.sections[at],
            apart: self.layout.apart[at],
        });
        Reading {
            passages: passages.collect(),
            facts: self.said.into_iter().map(joined).collect(),
            unread: self.unread,
            steps: self.steps,
        }
    }

    /// A fact that is there, without more being said of it.
    fn there(&mut self, fact: Fact) -> &mut BTreeSet<String> {
        if let Some(section) = self.layout.sections.get(self.at) {
            self.with_facts.insert(*section);
        }
        self.said.entry(fact).or_default()
    }

    fn say(&mut self, fact: Fact, what: impl Into<String>) {
        let what = what.into();
        let said = self.there(fact);
        if !what.is_empty() {
            said.insert(what);
        }
    }

    fn by_section(&mut self) {
        for (index, request) in self.requests.iter().enumerate() {
            let section = self.layout.sections[request.line];
            self.of_section.entry(section).or_default().push(index);
        }
    }

    /// Commands, request lines and addresses with a query, in the order of the page.
    fn requests(&mut self) {
        let mut at = 0;
        while at < self.lines.len() {
            self.at = at;
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
            let last = end.min(self.lines.len() - 1);
            self.steps += last - at;
            if end > at {
                self.used[at..=last].fill(true);
                self.code[at..=last].fill(true);
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
        self.layout.fenced[at]
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
                    self.unread.push(format!("line {at}: a JSON body that is not JSON"));
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
            } else if next.trim().is_empty() && self.lines.get(end + 2).is_some_and(|body| FORM_LINE.is_match(body)) {
                // A blank line parts the headers from the body.
                end += 2;
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
            const LONGEST: usize = 40;
            let last = self.lines.len().min(at + LONGEST);
            let end = (at..last).find(|at| self.lines[*at].trim_start().starts_with("```"));
            self.steps += end.unwrap_or(last) - at;
            let end = end?;
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
        let plain = address.starts_with("http://");
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
            self.say(
                Fact::new(Kind::Host, host.clone()),
                if plain { UNENCRYPTED } else { "" },
            );
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
        self.there(Fact::of(Kind::Parameter, endpoint, name));
    }

    /// Values that the protocol fixes; placeholders and samples are nobody's fact.
    fn value(&mut self, endpoint: &str, name: &str, value: &str) {
        let value = decoded(value);
        let value = value.trim_matches(['"', '\'', '`']);
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
        let named = |scope: &&str| !scope.is_empty() && !scope.starts_with(['{', '<']) && !scope.starts_with("your_");
        let scopes: Vec<&str> = list.split([' ', '+', ',']).filter(named).collect();
        for scope in &scopes {
            self.there(Fact::new(Kind::Scope, *scope));
        }
        if scopes.len() > 1 {
            let between = if list.contains(',') { "comma" } else { "space" };
            self.say(Fact::new(Kind::Separator, between), "");
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

    fn requests_of(&self, line: usize) -> &[usize] {
        self.of_section
            .get(&self.layout.sections[line])
            .map_or(&[], Vec::as_slice)
    }

    /// The request before a line, in its section.
    fn request_before(&self, line: usize) -> Option<&Request> {
        let all = self.requests_of(line);
        let before = all.partition_point(|index| self.requests[*index].last_line < line);
        all.get(before.checked_sub(1)?).map(|index| &self.requests[*index])
    }

    /// The request that a list or a table belongs to: the nearer one of its section.
    fn request_near(&self, first: usize, last: usize) -> Option<&Request> {
        let all = self.requests_of(first);
        let before = self.request_before(first);
        let after = all.partition_point(|index| self.requests[*index].line <= last);
        let after = all.get(after).map(|index| &self.requests[*index]);
        match (before, after) {
            (Some(before), Some(after)) if after.line - last < first - before.last_line => Some(after),
            (Some(before), _) => Some(before),
            (None, after) => after,
        }
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
            self.alike.insert(at, String::new());
            at += 1;
            while at < self.lines.len() && !self.lines[at].trim().is_empty() {
                let line = self.lines[at].clone();
                self.used[at] = true;
                self.at = at;
                at += 1;
                if line.chars().all(|c| "|-: ".contains(c)) {
                    continue;
                }
                let Some(row) = TABLE_ROW.captures(&line) else {
                    match &scope {
                        Some(scope) if line.trim_start_matches([' ', '|']).starts_with('/') => {
                            let scope = scope.clone();
                            self.scope_row(&scope, &line);
                        }
                        _ => self.unread.push(format!("line {at}: a row of a table")),
                    }
                    continue;
                };
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
                self.alike.insert(self.at, alike(&row[1], Some(needed), &notes));
                if about_scopes {
                    scope = Some(row[1].to_owned());
                    if needed == "needed" {
                        self.scope_words(&row[1], &["needed"]);
                    }
                    self.there(Fact::new(Kind::Scope, &row[1]));
                    self.scope_row(&row[1], &notes);
                    continue;
                }
                if let Some(endpoint) = &request {
                    self.described(endpoint, &row[1], Some(needed), &notes);
                } else {
                    self.unread
                        .push(format!("line {at}: a table of parameters without a request"));
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
        let words = words.iter().map(|word| (*word).to_owned());
        self.there(Fact::new(Kind::Scope, scope)).extend(words);
    }

    /// A parameter that is described in a table or a list.
    fn described(&mut self, endpoint: &str, name: &str, needed: Option<&str>, notes: &str) {
        let fact = Fact::of(Kind::Parameter, endpoint, name);
        let said = self.there(fact);
        if let Some(needed) = needed {
            *said = BTreeSet::from([needed.to_owned()]);
        }
        if let Some(found) = VALUE_IN_WORDS.captures(notes) {
            let value = found.get(1).or_else(|| found.get(2)).map_or("", |value| value.as_str());
            self.value(endpoint, name, value);
            // What it must be is its value, whatever it is called.
            if name == "grant_type" && value == value.to_lowercase() {
                self.say(Fact::new(Kind::Grant, value), "");
            }
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
            self.at = at;
            let (marked, text) = marked(&text);
            if self.layout.scopes[at] {
                self.scope_item(&text, marked);
                continue;
            }
            let Some(found) = NAMED.captures(&text) else { continue };
            let notes = found.get(3).map_or("", |notes| notes.as_str());
            let needed = marked.or_else(|| self.announced(at));
            let names: Vec<String> = [1, 2]
                .iter()
                .filter_map(|group| found.get(*group))
                .map(|name| name.as_str().to_owned())
                .collect();
            if names.len() == 1 && needed.is_some() {
                self.alike.insert(at, alike(&names[0], needed, notes));
            }
            let (first, last) = self.layout.groups[at];
            let needed = needed.or_else(|| self.introduced(first));
            let Some(request) = self.request_near(first, last).cloned() else {
                self.unread
                    .push(format!("line {}: `{}` without a request", at + 1, names.join("`, `")));
                continue;
            };
            for name in names {
                match &request.endpoint {
                    None => self.say(Fact::new(Kind::Callback, name), ""),
                    Some(endpoint) if notes.is_empty() && bullet.is_some() && needed.is_none() => {
                        self.there(Fact::of(Kind::Reply, endpoint, name));
                    }
                    Some(endpoint) => self.described(endpoint, &name, needed, notes),
                }
            }
        }
    }

    /// A scope of a list: its name, and the resources that it opens.
    fn scope_item(&mut self, text: &str, needed: Option<&'static str>) {
        let Some(found) = SCOPE_ITEM.captures(text) else { return };
        let notes = found.get(2).map_or("", |notes| notes.as_str());
        self.alike.insert(self.at, alike(&found[1], needed, notes));
        let words: &[&str] = if needed == Some("needed") { &["needed"] } else { &[] };
        self.scope_words(&found[1], words);
        self.scope_row(&found[1], notes);
    }

    /// `Required parameter` on the line before.
    fn announced(&self, at: usize) -> Option<&'static str> {
        let before = self.layout.spoken_before[at]?;
        match self.lines[before].trim().to_lowercase().as_str() {
            "required parameter" => Some("needed"),
            "optional parameter" => Some("optional"),
            _ => None,
        }
    }

    /// `The following parameters are needed:` before the list.
    fn introduced(&self, first: usize) -> Option<&'static str> {
        let before = self.layout.spoken_before[first]?;
        NEEDED_BELOW.is_match(&self.lines[before]).then_some("needed")
    }

    /// JSON examples: names and types, and nothing of the values but scopes and lifetimes.
    fn examples(&mut self) {
        let mut at = 0;
        // An example that does not end is read once, and not from each of its lines.
        let mut open_until = 0;
        while at < self.lines.len() {
            self.at = at;
            let opens = self.lines[at].trim();
            let list = opens == "[" || opens.starts_with("[{") || opens.starts_with('[') && self.fenced(at);
            if self.used[at] || !opens.starts_with('{') && !list || PLACEHOLDER.is_match(opens) {
                at += 1;
                continue;
            }
            let Some(ends) = self.layout.ends[at].or((at >= open_until).then_some(at)) else {
                at += 1;
                continue;
            };
            let whole = self.layout.ends[at].is_some();
            let (text, end) = self.example(at, if whole { ends } else { at + LONGEST_EXAMPLE });
            open_until = open_until.max(end + 1);
            let end = if whole { end } else { at };
            self.used[at..=end].fill(true);
            self.code[at..=end].fill(true);
            let Some(endpoint) = self.request_before(at).and_then(|request| request.endpoint.clone()) else {
                self.unread
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
                        if name == "token_type"
                            && let Some(kind) = value.as_str().filter(|kind| !kind.eq_ignore_ascii_case("bearer"))
                            && kind.starts_with(|letter: char| letter.is_ascii_alphabetic())
                        {
                            self.say(Fact::of(Kind::Value, &endpoint, format!("token_type={kind}")), "");
                        }
                        if name == "scope"
                            && let Some(scopes) = value.as_str()
                        {
                            self.scopes(scopes);
                        }
                    }
                }
                _ => {
                    self.unread.push(format!(
                        "line {}: a JSON example that is not JSON; names were read",
                        at + 1
                    ));
                    let squeezed: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
                    for found in JSON_KEY.captures_iter(&squeezed) {
                        self.there(Fact::of(Kind::Reply, &endpoint, &found[1]));
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
    fn example(&mut self, start: usize, end: usize) -> (String, usize) {
        let end = end.min(start + LONGEST_EXAMPLE).min(self.lines.len() - 1);
        self.steps += end - start;
        let lines = self.lines[start..=end].iter();
        let kept = lines.filter(|line| !line.trim_start().starts_with("```"));
        let text = kept.fold(String::new(), |text, line| text + line + "\n");
        (text, end)
    }

    fn lifetimes(&mut self, at: usize, line: &str) {
        let mut read = false;
        for found in LIFETIME.captures_iter(line) {
            let Some(seconds) = seconds(&found[2], &found[3]) else {
                continue;
            };
            read = true;
            let whose = format!("{}_token", found[1].to_lowercase());
            self.say(Fact::new(Kind::Lifetime, whose), seconds.to_string());
        }
        if !read && !self.used[at] && SPAN.is_match(line) {
            self.unread
                .push(format!("line {}: a span of time beside a token", at + 1));
        }
    }

    /// What sentences say: lifetimes, grants, client authentication, rotation, statuses.
    fn prose(&mut self) {
        for at in 0..self.lines.len() {
            self.sentence(at, self.lines[at].clone());
            if let Some(sentence) = self.broken_sentence(at) {
                self.sentence(at, sentence);
            }
        }
    }

    /// A sentence that starts on a line of a text and goes on below.
    fn broken_sentence(&mut self, at: usize) -> Option<String> {
        const MOST: usize = 6;
        if self.html || self.used[at] {
            return None;
        }
        let line = self.lines[at].trim();
        let start = line.rfind(". ").map_or(0, |at| at + 2);
        let mut sentence = line[start..].to_owned();
        let goes_on = |text: &str| !text.is_empty() && !text.ends_with(['.', '!', '?', ':', '|']);
        for next in at + 1..self.lines.len().min(at + MOST) {
            let text = self.lines[next].trim();
            let lower = |letter: char| letter.is_lowercase() || letter.is_ascii_digit();
            if !goes_on(&sentence) || self.used[next] || !text.starts_with(lower) {
                break;
            }
            self.steps += 1;
            sentence.push(' ');
            sentence.push_str(text.split(". ").next().unwrap_or_default());
            if text.contains(". ") {
                break;
            }
        }
        (sentence.len() > line.len() - start).then_some(sentence)
    }

    fn sentence(&mut self, at: usize, line: String) {
        self.at = at;
        // A mark around a word says nothing here.
        let line = line.replace('`', "");
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
            let status = (1..=5)
                .find_map(|group| found.get(group))
                .map_or("", |status| status.as_str());
            if let Some(endpoint) = self.request_before(at).and_then(|request| request.endpoint.clone()) {
                self.say(Fact::of(Kind::Status, &endpoint, status), "");
            }
        }
    }
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

/// Seconds of a count and a unit: `thirty`, `days`; `half an`, `hour`. A month is thirty days.
fn seconds(count: &str, unit: &str) -> Option<u64> {
    let count = count.to_lowercase();
    let unit = match unit.to_lowercase().as_str() {
        "minute" | "min" => 60,
        "hour" | "hr" => 3_600,
        "day" => 86_400,
        "week" => 604_800,
        "month" => 2_592_000,
        "year" => 31_536_000,
        _ => 1,
    };
    match count.strip_prefix("half a") {
        Some(_) => Some(unit / 2),
        None => number(&count)?.checked_mul(unit),
    }
}

/// A row or an item in one form, however the page sets it.
fn alike(name: &str, needed: Option<&str>, notes: &str) -> String {
    let notes = notes.trim_matches([' ', '|', '-', ':', '\t', '\r']);
    format!("{name} {} {notes}", needed.unwrap_or_default())
}

/// What an item says of being required, and the item without it: `client_id (string, required): notes`.
fn marked(item: &str) -> (Option<&'static str>, String) {
    let Some(found) = MARKED.captures(item) else {
        return (None, item.to_owned());
    };
    let notes = found.get(3).map_or("", |notes| notes.as_str());
    let needed = match found[2].to_lowercase().as_str() {
        "optional" | "not required" => "optional",
        _ if notes.starts_with("if ") => "needed sometimes",
        _ => "needed",
    };
    let between = if notes.is_empty() { "" } else { " - " };
    (Some(needed), format!("{}{between}{notes}", &found[1]))
}

/// `2,592,000`, `thirty`
fn number(text: &str) -> Option<u64> {
    const WORDS: [(&str, u64); 26] = [
        ("a", 1),
        ("an", 1),
        ("one", 1),
        ("two", 2),
        ("three", 3),
        ("four", 4),
        ("five", 5),
        ("six", 6),
        ("seven", 7),
        ("eight", 8),
        ("nine", 9),
        ("ten", 10),
        ("eleven", 11),
        ("twelve", 12),
        ("fourteen", 14),
        ("fifteen", 15),
        ("twenty", 20),
        ("twenty-four", 24),
        ("thirty", 30),
        ("forty", 40),
        ("forty-five", 45),
        ("forty-eight", 48),
        ("fifty", 50),
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
