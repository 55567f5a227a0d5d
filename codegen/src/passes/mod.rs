//! From progenitor's tree to ours: the passes over one generated client.

mod forms;
mod mocks;
mod operations;
mod pagination;
mod parts;
mod paths;
mod setter;
mod state;
mod tree;
mod types;
mod union_body;

use quote::ToTokens;
use syn::visit_mut::VisitMut;
use syn::{File, ImplItem, Item, ItemImpl, ItemStruct, parse_quote};

use crate::document::Document;
use crate::documentation;
use crate::error::Errors;
use crate::prose::prose;
use crate::transform::Prepared;
use paths::Paths;
use setter::ExactNumbers;
use state::Passes;
pub(crate) use tree::doc_text;
use tree::set_doc;

/// Rewrites one generated client; `root` is the path from its `builder` module to the provider's module.
pub(crate) fn run(
    document: &Document,
    prepared: &Prepared,
    tree: File,
    root: &proc_macro2::TokenStream,
    example_module: Option<&str>,
) -> Result<Vec<Item>, Errors> {
    let mut passes = Passes::over(document, prepared, root, example_module);
    let mut items = passes.items(tree);
    if !passes.errors.is_empty() {
        return Err(Errors(passes.errors));
    }
    for item in &mut items {
        Paths.visit_item_mut(item);
        ExactNumbers.visit_item_mut(item);
    }
    items.extend(mocks::mocks(document, prepared, &items, root));
    // A word of progenitor's own runtime that is still there means that its output has changed under a pass.
    for item in &items {
        let text = item.to_token_stream().to_string();
        if let Some((word, at)) = [
            "progenitor_client",
            "\"api-version\"",
            "codegen_marker",
            "OperationInfo",
        ]
        .iter()
        .find_map(|word| text.find(word).map(|at| (word, at)))
        {
            let context: String = text
                .chars()
                .skip(text[..at].chars().count().saturating_sub(60))
                .take(120)
                .collect();
            let reason = format!("progenitor's output has changed: `{word}` is left in `{context}`");
            return Err(document.error(None, reason).into());
        }
    }
    Ok(items)
}

impl Passes<'_> {
    fn items(&mut self, tree: File) -> Vec<Item> {
        let mut out: Vec<Item> = vec![parse_quote! {
            #[allow(unused_imports)]
            use ::finrail::rt::v1::{ByteStream, Error, RequestBuilderExt, ResponseValue, encode_path};
        }];
        for item in tree.items {
            match item {
                Item::Mod(module) if module.ident == "types" => out.push(Item::Mod(self.types(module))),
                Item::Mod(module) if module.ident == "builder" => out.push(Item::Mod(self.builders(module))),
                Item::Struct(client) if client.ident == "Client" => out.extend(self.client(client)),
                Item::Impl(item) if item.trait_.is_none() => out.extend(self.client_methods(item).map(Item::Impl)),
                // The re-exports, the hooks and the prelude are progenitor's runtime; ours is imported above.
                _ => {}
            }
        }
        out
    }

    fn client(&mut self, mut client: ItemStruct) -> Vec<Item> {
        // The items beside the client make it from its parts; at a crate's root there is nothing above them.
        let in_a_module = self.root.to_string() != "super";
        for field in &mut client.fields {
            field.vis = if in_a_module {
                parse_quote!(pub(super))
            } else {
                syn::Visibility::Inherited
            };
        }
        let info = &self.document.json["info"];
        let title = info["title"].as_str().unwrap_or_default();
        let description = prose(info["description"].as_str().unwrap_or_default());
        let version = info["version"].as_str().unwrap_or_default();
        // What a bank publishes has a version of its own.
        let version = match finrail_spec::date::is_date(version) {
            true => format!("The specification was last checked against its sources on {version}."),
            false => format!("Made of version {version} of the document."),
        };
        let mut doc = format!("Client of {title}.");
        for part in [description, version].iter().filter(|part| !part.is_empty()) {
            doc.push_str("\n\n");
            doc.push_str(part);
        }
        set_doc(&mut client.attrs, &doc);
        // `Debug` is written by hand: the base URL and nothing else.
        client.attrs.retain(|attribute| !attribute.path().is_ident("derive"));
        client.attrs.push(parse_quote!(#[derive(Clone)]));
        vec![
            Item::Struct(client),
            parse_quote! {
                impl ::std::fmt::Debug for Client {
                    fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                        f.debug_struct("Client").field("baseurl", &self.baseurl).finish_non_exhaustive()
                    }
                }
            },
        ]
    }

    fn client_methods(&mut self, mut item: ItemImpl) -> Option<ItemImpl> {
        item.items.retain(|item| match item {
            ImplItem::Fn(method) => method.sig.ident != "new" && method.sig.ident != "new_with_client",
            _ => true,
        });
        for item in &mut item.items {
            let ImplItem::Fn(method) = item else { continue };
            let name = method.sig.ident.to_string();
            if let Some(operation) = self.operation(&name) {
                let text = documentation::method(self.document, operation, self.example_module);
                set_doc(&mut method.attrs, &text);
            }
        }
        (!item.items.is_empty()).then_some(item)
    }
}
