//! Client registration: what was registered can be used, and what was removed cannot (RFC 7591, RFC 7592).

use finrail_spec::json::Json;

use crate::sandbox::authority::{Authority, Client};
use crate::sandbox::http::Reply;
use crate::sandbox::resource::Call;

/// A call for a registered client was answered.
pub(super) fn registered(authority: &mut Authority, call: &Call<'_>, reply: &Reply) {
    let method = call.operation.method.as_str();
    if method == "DELETE" {
        if let Some(id) = call.request.path_value("client_id") {
            authority.unregister(id);
        }
        return;
    }
    let Some(client) = reply.json.as_ref().and_then(client) else {
        return;
    };
    if method != "GET" || authority.client(&client.id).is_none() {
        authority.register(client);
    }
}

/// The client that a reply describes, when it has an id and a secret.
fn client(reply: &Json) -> Option<Client> {
    let text = |name: &str| reply.get(name)?.as_str().map(str::to_owned);
    let id = text("client_id")?;
    let redirect_uris = reply.get("redirect_uris").map(Json::items).unwrap_or_default();
    Some(Client {
        secret: text("client_secret")?,
        name: text("client_name").unwrap_or_else(|| id.clone()),
        id,
        redirect_uris: redirect_uris
            .iter()
            .filter_map(Json::as_str)
            .map(str::to_owned)
            .collect(),
        access_key: Default::default(),
        key: String::new(),
    })
}
