//! What requests and replies carry: media types with their schemas and examples.

use finrail_spec::json::Json;

use super::document::Document;

/// A request body: its media types.
pub(in crate::sandbox) struct Body {
    pub(in crate::sandbox) required: bool,
    pub(in crate::sandbox) contents: Vec<Content>,
}

/// One media type with its schema and examples.
#[derive(Clone)]
pub(in crate::sandbox) struct Content {
    pub(in crate::sandbox) media_type: String,
    pub(in crate::sandbox) schema: Json,
    /// Name and value; a single `example` has no name.
    pub(in crate::sandbox) examples: Vec<(String, Json)>,
    /// Property to `brackets` or `map`.
    pub(in crate::sandbox) forms: Vec<(String, String)>,
}

/// The success reply.
pub(in crate::sandbox) struct Success {
    /// `200`, `201`, `2XX`
    pub(in crate::sandbox) status: String,
    pub(in crate::sandbox) content: Option<Content>,
}

impl Body {
    /// Reads a request body.
    pub(super) fn read(document: &Document, body: &Json) -> Self {
        let body = document.resolve(body);
        Self {
            required: body.get("required").and_then(Json::as_bool).unwrap_or(false),
            contents: Content::all(document, body),
        }
    }
}

impl Success {
    /// Reads the first reply that is a success.
    pub(super) fn read(document: &Document, responses: &[(String, Json)]) -> Self {
        let first = responses.iter().find(|(status, _)| status.starts_with(['2', '3']));
        match first {
            Some((status, response)) => Self {
                status: status.clone(),
                content: Content::first(document, response),
            },
            None => Self {
                status: "200".to_owned(),
                content: None,
            },
        }
    }
}

impl Content {
    /// The first media type of a reply.
    pub(super) fn first(document: &Document, response: &Json) -> Option<Self> {
        Self::all(document, document.resolve(response)).into_iter().next()
    }

    fn all(document: &Document, holder: &Json) -> Vec<Self> {
        let contents = holder.get("content").map(Json::members).unwrap_or_default();
        contents
            .iter()
            .map(|(media_type, content)| Self::read(document, media_type, content))
            .collect()
    }

    fn read(document: &Document, media_type: &str, content: &Json) -> Self {
        let schema = content.get("schema").cloned().unwrap_or(Json::Object(Vec::new()));
        let encoding = content.get("encoding").map(Json::members).unwrap_or_default();
        let form = |(property, e): &(String, Json)| Some((property.clone(), e.get("x-form")?.as_str()?.to_owned()));
        Self {
            media_type: media_type.to_owned(),
            examples: examples(document, content, &schema),
            forms: encoding.iter().filter_map(form).collect(),
            schema,
        }
    }
}

/// The examples of a media type, else the one of its schema.
fn examples(document: &Document, content: &Json, schema: &Json) -> Vec<(String, Json)> {
    let unnamed = |example: &Json| (String::new(), example.clone());
    let single = content.get("example").map(unnamed);
    let named = content.get("examples").map(Json::members).unwrap_or_default();
    let named = named
        .iter()
        .filter_map(|(name, example)| Some((name.clone(), document.resolve(example).get("value")?.clone())));
    let examples: Vec<_> = single.into_iter().chain(named).collect();
    if examples.is_empty() {
        return document.keyword(schema, "example").map(unnamed).into_iter().collect();
    }
    examples
}

/// `application/json` and everything that ends in `+json`.
pub(in crate::sandbox) fn is_json(media_type: &str) -> bool {
    let essence = media_type
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    essence == "application/json" || essence.ends_with("+json")
}
