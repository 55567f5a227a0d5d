//! The rules of the document itself: who it is about, its version, its hosts.

use std::collections::HashSet;

use serde_json::Value;

use super::found::Rules;
use crate::date::{is_date, of_no_calendar};
use crate::pointer::join;

impl Rules<'_> {
    pub(super) fn root(&mut self) {
        let document = self.document;
        let id = document.get("/x-provider/id").and_then(Value::as_str);
        if document.get("/x-provider").is_none() {
            self.add(
                "provider",
                "",
                "there is no `x-provider`",
                "add id, name and env_prefix",
            );
        } else if id != Some(document.provider.as_str()) {
            self.add(
                "provider",
                "/x-provider/id",
                format!("the id is not the name of the file, `{}`", document.provider),
                "make them the same",
            );
        }
        let version = document
            .get("/info/version")
            .and_then(Value::as_str)
            .unwrap_or_default();
        if !is_date(version) {
            self.add(
                "version",
                "/info/version",
                format!("the version is not a day{}", of_no_calendar(version)),
                match of_no_calendar(version).is_empty() {
                    true => "write the day of the last check against the sources, as YYYY-MM-DD",
                    false => "write the day of the last check against the sources, one that the calendar has",
                },
            );
        }
        let info = document
            .get("/info")
            .and_then(Value::as_object)
            .cloned()
            .unwrap_or_default();
        self.text("description", "/info", &info, "description");
        let tags = document
            .get("/tags")
            .and_then(Value::as_array)
            .cloned()
            .unwrap_or_default();
        for (index, tag) in tags.iter().filter_map(Value::as_object).enumerate() {
            self.text("description", &format!("/tags/{index}"), tag, "description");
        }
    }

    pub(super) fn servers(&mut self) {
        let servers = self
            .document
            .get("/servers")
            .and_then(Value::as_array)
            .cloned()
            .unwrap_or_default();
        if servers.is_empty() {
            self.add(
                "server",
                "",
                "there are no `servers`",
                "list the hosts with `x-environment`",
            );
        }
        let mut seen = HashSet::new();
        for (index, server) in servers.iter().enumerate() {
            let at = format!("/servers/{index}");
            let url = server.get("url").and_then(Value::as_str).unwrap_or_default();
            let environment = server.get("x-environment").and_then(Value::as_str);
            let client = server.get("x-client").and_then(Value::as_str);
            if !url.starts_with("https://") {
                self.add(
                    "server",
                    &join(&at, "url"),
                    format!("`{url}` is not https"),
                    "write the https address",
                );
            }
            if environment.is_none() && !url.contains('{') {
                self.add(
                    "server",
                    &at,
                    "a host without `x-environment`",
                    "name its environment, or give the URL a variable where every institution has its own",
                );
            }
            let authorizes = server.get("x-authorize").and_then(Value::as_bool) == Some(true);
            if authorizes && client != Some("oauth") {
                self.add(
                    "server",
                    &join(&at, "x-authorize"),
                    "`x-authorize` of a host that is not the authorization server's",
                    "write `x-client: oauth` beside it",
                );
            }
            if !seen.insert((environment, client, authorizes)) {
                self.add(
                    "server",
                    &at,
                    "a second host for the same environment",
                    "keep one of them",
                );
            }
            if server.get("x-grade").is_none() {
                self.add(
                    "server",
                    &at,
                    "a host without `x-grade`",
                    "say how far the host is to be trusted",
                );
            }
        }
    }
}
