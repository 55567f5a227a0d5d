//! The list of a collection: filtered, in pages.

use finrail_spec::json::Json;
use finrail_spec::model::Specification;
use finrail_spec::pointer::keys;

use super::reply::{about, document};
use crate::sandbox::http::Reply;
use crate::sandbox::particular::Particular;
use crate::sandbox::refused::{Refused, refused};
use crate::sandbox::resource::{Call, Page, Record, Store, check_ranges, passes, project};

pub(super) fn list(store: &mut Store, call: &Call<'_>, particular: &dyn Particular) -> Result<Reply, Refused> {
    let location = call.location();
    check_ranges(call).map_err(|why| refused(400, why))?;
    particular.check_query(call)?;
    let above = store.parent(call.spec, &location).map(|parent| parent.doc.clone());
    particular.check_opened(store, call, above.as_ref())?;
    let is_chosen = |record: &&Record| particular.is_listed(call, &record.doc) && passes(call, &record.doc);
    let collection = store.open(call.spec, &location);
    let chosen: Vec<&Record> = collection.records.iter().filter(is_chosen).collect();
    let position = |id: &str| chosen.iter().position(|record| record.id == id);
    let page = Page::of(call, chosen.len(), &position).map_err(|why| refused(400, why))?;

    let pointer = call.operation.items_pointer();
    let items = Json::Array(items(call, particular, &pointer, page.cut(&chosen)));
    let mut reply = about(call);
    match pointer.as_str() {
        "" => reply = items,
        _ => reply.set_pointer(&pointer, items),
    }
    particular.listed(call, above.as_ref(), &mut reply);
    let id_at = |at: usize| chosen.get(at).map(|record| record.id.clone());
    page.describe(call, &mut reply, &link_address(call), &id_at);
    Ok(document(call, reply))
}

/// The items of a page, as the list shows them.
fn items(call: &Call<'_>, particular: &dyn Particular, pointer: &str, page: &[&Record]) -> Vec<Json> {
    let specification = &call.spec.document;
    let schema = call
        .operation
        .reply_schema()
        .and_then(|schema| schema_at(specification, schema, pointer))
        .and_then(|list| specification.keyword(list, "items"));
    let shown = |record: &&Record| {
        let mut item = match schema {
            Some(schema) if !record.is_raw => project(call, schema, &record.doc, None),
            _ => record.doc.clone(),
        };
        particular.shorten_item(call, &mut item);
        item
    };
    page.iter().map(shown).collect()
}

fn schema_at<'a>(document: &'a Specification, schema: &'a Json, pointer: &str) -> Option<&'a Json> {
    let mut names = keys(pointer).into_iter();
    names.try_fold(schema, |schema, name| document.property(schema, &name))
}

/// The list's own address, in the form of the example's link: absolute, or a path.
fn link_address(call: &Call<'_>) -> String {
    let mut path = call.operation.path.clone();
    for (name, value) in &call.request.path {
        let encoded = percent_encoding::utf8_percent_encode(value, percent_encoding::NON_ALPHANUMERIC).to_string();
        let kept = encoded.replace("%2D", "-").replace("%5F", "_").replace("%2E", ".");
        path = path.replace(&format!("{{{name}}}"), &kept);
    }
    let address = format!("{}{path}", call.base);
    let is_path = example_link(call).is_some_and(|link| link.starts_with('/'));
    match (is_path, url::Url::parse(&address)) {
        (true, Ok(url)) => url.path().to_owned(),
        _ => address,
    }
}

/// The next link of the example, or another one beside it.
fn example_link<'a>(call: &Call<'a>) -> Option<&'a str> {
    let next = &call.operation.pagination.as_ref()?.next;
    let example = call.operation.example()?;
    let shown = example.pointer(next).and_then(Json::as_str);
    let beside = || {
        let (holder, _) = next.rsplit_once('/')?;
        let links = example.pointer(holder)?.members().iter();
        links
            .filter_map(|(_, value)| value.as_str())
            .find(|link| link.contains('?'))
    };
    shown.or_else(beside)
}
