//! From progenitor's tree to ours: the passes over one generated client.

mod operations;
mod tree;
mod types;

use std::collections::BTreeMap;

use finrail_spec::vocabulary::FormStyle;
use quote::{ToTokens, format_ident, quote};
use syn::punctuated::Punctuated;
use syn::visit_mut::{self, VisitMut};
use syn::{
    Attribute, Expr, File, FnArg, GenericArgument, Ident, ImplItem, Item, ItemEnum, ItemImpl, ItemMod, ItemStruct, Lit,
    Meta, Path, PathArguments, Stmt, Token, Type, WherePredicate, parse_quote,
};

use crate::document::{Document, Operation};
use crate::documentation;
use crate::error::{Error, Errors};
use crate::names::{pascal_case, variant_name};
use crate::pagination;
use crate::transform::{Prepared, SchemaNotes};
use tree::*;
pub(crate) use tree::{doc_text, inner_of_option, inner_of_vec};

/// Rewrites one generated client; `root` is the path from its `builder` module to the provider's module.
pub(crate) fn run(
    document: &Document,
    prepared: &Prepared,
    tree: File,
    root: &proc_macro2::TokenStream,
    example_module: Option<&str>,
) -> Result<Vec<Item>, Errors> {
    let mut passes = Passes {
        document,
        prepared,
        root,
        example_module,
        structs: BTreeMap::new(),
        errors: Vec::new(),
    };
    let mut items = passes.items(tree);
    if !passes.errors.is_empty() {
        return Err(Errors(passes.errors));
    }
    for item in &mut items {
        Paths.visit_item_mut(item);
    }
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

/// Fields of a generated struct: (Rust name, name on the wire, type).
pub(crate) type StructFields = Vec<(Ident, String, Type)>;

struct Passes<'a> {
    document: &'a Document,
    prepared: &'a Prepared,
    root: &'a proc_macro2::TokenStream,
    example_module: Option<&'a str>,
    structs: BTreeMap<String, StructFields>,
    errors: Vec<Error>,
}

impl Passes<'_> {
    fn items(&mut self, tree: File) -> Vec<Item> {
        let mut out: Vec<Item> = vec![parse_quote! {
            #[allow(unused_imports)]
            use ::finrail::transport::{ByteStream, Error, RequestBuilderExt, ResponseValue, encode_path};
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
        let description = documentation::prose(info["description"].as_str().unwrap_or_default());
        let checked = info["version"].as_str().unwrap_or_default();
        set_doc(
            &mut client.attrs,
            &format!(
                "Client of {title}.\n\n{description}\n\nThe specification was last checked against its sources on {checked}."
            ),
        );
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

    fn operation(&self, method: &str) -> Option<&Operation> {
        self.document.operations.iter().find(|operation| operation.id == method)
    }
}

/// Outside crates are reached through the library, so that a user's `build.rs` needs none of them.
struct Paths;

impl VisitMut for Paths {
    fn visit_path_mut(&mut self, path: &mut Path) {
        visit_mut::visit_path_mut(self, path);
        let Some(first) = path.segments.first().map(|segment| segment.ident.to_string()) else {
            return;
        };
        let outside = ["serde", "serde_json", "reqwest", "chrono", "uuid"].contains(&first.as_str());
        // JSON that is kept as it came: `Value` would keep its numbers as binary floats.
        if first == "serde_json" {
            match path
                .segments
                .iter()
                .nth(1)
                .map(|segment| segment.ident.to_string())
                .as_deref()
            {
                Some("Map") => return *path = parse_quote!(::finrail::JsonMap),
                Some("Value") => return *path = parse_quote!(::finrail::Json),
                _ => {}
            }
        }
        let through_us = path.segments.len() > 1 && outside && (path.leading_colon.is_some() || first == "reqwest");
        if through_us {
            let segments = std::mem::take(&mut path.segments);
            *path = parse_quote!(::finrail::rt::#segments);
        } else if first == "progenitor_client" {
            let segments: Vec<_> = path.segments.iter().skip(1).collect();
            *path = parse_quote!(::finrail::transport::#(#segments)::*);
        } else if path.segments.iter().any(|segment| segment.ident == "codegen_marker") {
            let marker = path
                .segments
                .last()
                .map(|segment| segment.ident.to_string())
                .unwrap_or_default();
            *path = match marker.as_str() {
                "LenientBool" => parse_quote!(bool),
                "LenientString" => parse_quote!(::std::string::String),
                _ => parse_quote!(::finrail::Decimal),
            };
        }
    }

    /// "conversion to `:: a :: B` for c failed": the type's own name is enough.
    fn visit_lit_str_mut(&mut self, literal: &mut syn::LitStr) {
        let text = literal.value();
        if let Some(name) = text.strip_suffix(" was not initialized") {
            *literal = syn::LitStr::new(&format!("`{name}` is missing: set it before `send`"), literal.span());
            return;
        }
        let Some((before, rest)) = text.split_once("conversion to `") else {
            return;
        };
        let Some((path, after)) = rest.split_once('`') else {
            return;
        };
        let name = match path.rsplit("::").next().unwrap_or(path).trim() {
            "DecimalNumber" | "DecimalString" => "Decimal",
            "LenientBool" => "bool",
            "LenientString" => "String",
            other => other,
        };
        *literal = syn::LitStr::new(&format!("{before}conversion to `{name}`{after}"), literal.span());
    }

    fn visit_attributes_mut(&mut self, attributes: &mut Vec<Attribute>) {
        let mut serde = false;
        for attribute in attributes.iter_mut() {
            if attribute.path().is_ident("serde") {
                serde_paths(attribute);
            }
            if !attribute.path().is_ident("derive") {
                continue;
            }
            let Ok(mut derives) = attribute.parse_args_with(Punctuated::<Path, Token![,]>::parse_terminated) else {
                continue;
            };
            for path in &mut derives {
                serde |= path.segments.first().is_some_and(|segment| segment.ident == "serde");
                self.visit_path_mut(path);
            }
            *attribute = parse_quote!(#[derive(#derives)]);
        }
        if serde {
            attributes.push(parse_quote!(#[serde(crate = "::finrail::rt::serde")]));
        }
    }
}

/// Paths that serde attributes carry as text: typify writes `":: std :: x"`, and names crates of its own.
fn serde_paths(attribute: &mut Attribute) {
    let Ok(mut metas) = attribute.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated) else {
        return;
    };
    for meta in &mut metas {
        if let Meta::NameValue(pair) = meta
            && pair.path.is_ident("skip_serializing_if")
            && let Expr::Lit(syn::ExprLit {
                lit: Lit::Str(text), ..
            }) = &mut pair.value
        {
            let path = text
                .value()
                .replace(' ', "")
                .replace("::serde_json::Map::", "::finrail::JsonMap::");
            *text = syn::LitStr::new(&path, text.span());
        }
    }
    *attribute = parse_quote!(#[serde(#metas)]);
}
