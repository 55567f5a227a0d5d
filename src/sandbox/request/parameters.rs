//! Path, query and headers of a request.

use finrail_spec::json::Json;
use finrail_spec::model::{KeyPlace, Parameter, Place};

use super::Reader;
use crate::sandbox::http::RawRequest;
use crate::sandbox::refused::{Refused, refused};
use crate::sandbox::spec::Operation;

impl Reader<'_> {
    pub(super) fn check_path(&self, operation: &Operation, path: &[(String, String)]) -> Result<(), Refused> {
        for parameter in operation.parameters_in(Place::Path) {
            if let Some((_, value)) = path.iter().find(|(name, _)| *name == parameter.name) {
                self.check_value(parameter, value)?;
            }
        }
        Ok(())
    }

    pub(super) fn check_query(&self, operation: &Operation, query: &[(String, String)]) -> Result<(), Refused> {
        for (name, value) in query {
            self.check_query_pair(operation, name, value)?;
        }
        for parameter in operation.parameters_in(Place::Query) {
            let name = &parameter.name;
            let given = query.iter().filter(|(n, _)| n == name).count();
            if given == 0 && parameter.required {
                return Err(refused(400, format!("the query parameter `{name}` is missing")));
            }
            if given > 1 && !self.is_list(parameter) {
                return Err(refused(400, format!("the query parameter `{name}` is there twice")));
            }
        }
        Ok(())
    }

    fn check_query_pair(&self, operation: &Operation, name: &str, value: &str) -> Result<(), Refused> {
        let is_known = |p: &&Parameter| p.name == name || (p.is_deep() && base(name) == Some(p.name.as_str()));
        match operation.parameters_in(Place::Query).find(is_known) {
            Some(parameter) if parameter.is_deep() => Ok(()),
            Some(parameter) => self.check_value(parameter, value),
            None if operation.is_own_cursor(name) || is_key(operation, name) => Ok(()),
            None => Err(refused(
                400,
                format!("the query parameter `{name}` is not one of this call's"),
            )),
        }
    }

    pub(super) fn check_headers(&self, operation: &Operation, raw: &RawRequest) -> Result<(), Refused> {
        let declared = operation
            .parameters_in(Place::Header)
            .map(|parameter| parameter.name.as_str());
        for name in operation.made_headers().chain(declared) {
            if raw.is_repeated(&name.to_ascii_lowercase()) {
                return Err(refused(400, format!("the header `{name}` is there twice")));
            }
            // An empty one says no more than none, and was meant to say something.
            if header(raw, name).is_some_and(str::is_empty) {
                return Err(refused(400, format!("the header `{name}` is empty")));
            }
        }
        if let Some(twice) = raw.repeated(["content-type"]) {
            return Err(refused(400, format!("the header `{twice}` is there twice")));
        }
        let is_missing = |name: &&str| header(raw, name).is_none_or(str::is_empty);
        if let Some(missing) = operation.made_headers().find(is_missing) {
            return Err(refused(400, format!("the header `{missing}` is missing")));
        }
        for parameter in operation.parameters_in(Place::Header) {
            match header(raw, &parameter.name) {
                Some(value) => self.check_value(parameter, value)?,
                None if parameter.required => {
                    return Err(refused(400, format!("the header `{}` is missing", parameter.name)));
                }
                None => {}
            }
        }
        Ok(())
    }

    fn is_list(&self, parameter: &Parameter) -> bool {
        parameter.name.ends_with("[]") || self.is_array(&parameter.schema)
    }

    pub(super) fn is_array(&self, schema: &Json) -> bool {
        self.spec.document.kind(schema) == Some("array")
    }

    fn check_value(&self, parameter: &Parameter, text: &str) -> Result<(), Refused> {
        let place = match parameter.place {
            Place::Path => "path parameter",
            Place::Header => "header",
            Place::Query | Place::Other => "query parameter",
        };
        let check = |schema: &Json, value: &str| match self.typed(schema, value) {
            Ok(_) => Ok(()),
            Err(why) => Err(refused(400, format!("{place} `{}`: {why}", parameter.name))),
        };
        if !self.is_array(&parameter.schema) {
            return check(&parameter.schema, text);
        }
        let item = self.item_schema(&parameter.schema);
        match parameter.is_joined() {
            true => text.split(',').try_for_each(|value| check(&item, value)),
            false => check(&item, text),
        }
    }
}

/// Whether a parameter of the query is a key, which is looked at beside the call.
fn is_key(operation: &Operation, name: &str) -> bool {
    operation
        .keys
        .iter()
        .any(|key| key.place == KeyPlace::Query && key.name == name)
}

fn header<'a>(raw: &'a RawRequest, name: &str) -> Option<&'a str> {
    raw.header(&name.to_ascii_lowercase())
}

/// `tranDate` of `tranDate[gte]`.
fn base(name: &str) -> Option<&str> {
    name.split_once('[').map(|(base, _)| base)
}
