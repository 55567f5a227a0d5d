//! `pages()` and `items()` of a call that comes in pages.

use std::collections::BTreeMap;

use finrail_spec::model::Operation;
use finrail_spec::vocabulary::{CursorPlace, Pagination, PaginationStyle};
use proc_macro2::TokenStream;
use quote::{ToTokens as _, format_ident, quote};
use syn::{ImplItem, Type};

use super::tree::{StructFields, inner_of_option, inner_of_vec};
use crate::document::Document;
use finrail_spec::names::{ident_name, snake_case};

/// The two methods, for the builder of an operation that comes in pages.
pub(crate) fn methods(
    document: &Document,
    operation: &Operation,
    index: usize,
    root: &TokenStream,
    reply: &Type,
    error: &Type,
    structs: &BTreeMap<String, StructFields>,
) -> Result<Vec<ImplItem>, String> {
    let Some(paging) = &operation.pagination else {
        return Ok(Vec::new());
    };
    let items = Accessor::find(reply, &paging.items, structs)?;
    let item = inner_of_vec(&items.ty).ok_or_else(|| format!("`x-pagination.items` {} is no list", paging.items))?;
    let item = in_types(item);
    let named = match paging.style {
        PaginationStyle::Cursor | PaginationStyle::Link => Some(next_of(paging, reply, structs)?),
        PaginationStyle::Page | PaginationStyle::Offset => None,
    };
    let next_value = named.as_ref().map(Accessor::optional_text);
    let flag = |pointer: &Option<String>, key: &str, is_fit: &dyn Fn(&str) -> bool| -> Result<TokenStream, String> {
        let Some(pointer) = pointer else {
            return Ok(quote!(::std::option::Option::None));
        };
        let found = Accessor::find(reply, pointer, structs)?;
        let ty = found.ty.to_token_stream().to_string().replace(' ', "");
        if !is_fit(&ty) {
            return Err(format!("`x-pagination.{key}` {pointer} has the wrong type"));
        }
        let value = found.followed();
        Ok(quote!(#value.copied()))
    };
    let more = flag(&paging.more, "more", &|ty| ty == "bool" || ty.ends_with("LenientBool"))?;
    let total = flag(&paging.total, "total", &|ty| matches!(ty, "i64" | "i32"))?;
    let total = match &paging.total {
        Some(_) => quote!(#total.map(i64::from)),
        None => total,
    };
    let next_value = quote!(#next_value);
    let (take_items, has_items) = (items.take(), items.is_filled());
    let ends = match paging.style {
        PaginationStyle::Cursor => "A page that repeats the previous cursor ends the stream with an error.",
        PaginationStyle::Page | PaginationStyle::Offset => {
            "A page that has the same as the one before ends the stream with an error."
        }
        PaginationStyle::Link => {
            "A link leads to the resource that was asked for, or the stream ends with an error. A page that repeats the previous link ends the stream with an error."
        }
    };
    let pages_doc = format!("Streams the pages, from the one that the call asks for to the last.\n\n{ends}");
    let pages = match paging.style {
        PaginationStyle::Cursor => {
            let parameter = paging
                .parameter
                .as_deref()
                .ok_or("`x-pagination` of style `cursor` needs `parameter`")?;
            let setter = format_ident!("{}", setter(document, operation, paging.place, parameter));
            let set = match paging.place {
                CursorPlace::Query => quote!(call.#setter(cursor)),
                CursorPlace::Body => quote!(call.body_map(|body| body.#setter(cursor))),
            };
            let is_told = paging.place == CursorPlace::Body || paging.more.is_some();
            let pages = if is_told {
                quote!(told_cursor_pages)
            } else {
                quote!(cursor_pages)
            };
            let page = match paging.more {
                Some(_) => quote!(page),
                None => quote!(_),
            };
            let more = is_told.then(|| quote!(|#page: &#reply| #more,));
            quote! {
                ::finrail::rt::v1::#pages(
                    self,
                    |call| ::std::boxed::Box::pin(call.send()),
                    |call, cursor| #set,
                    |page: &#reply| #next_value,
                    #more
                )
            }
        }
        PaginationStyle::Page | PaginationStyle::Offset => {
            let parameter = paging.parameter.as_deref().unwrap_or_default();
            let setter = format_ident!("{}", setter(document, operation, CursorPlace::Query, parameter));
            let first = u64::from(paging.first);
            let counted = match paging.style {
                PaginationStyle::Page => quote!(::finrail::rt::v1::Counted::from(#first)),
                _ => quote!(::finrail::rt::v1::Counted::Items),
            };
            let list = items.followed();
            quote! {
                ::finrail::rt::v1::counted_pages(
                    self,
                    #parameter,
                    #counted,
                    |call| ::std::boxed::Box::pin(call.send()),
                    |call, number| call.#setter(::finrail::rt::v1::page_number(number)),
                    |page: &#reply| {
                        let items = #list;
                        ::finrail::rt::v1::told(items.map_or(0, |items| items.len()), #total, #more, &items)
                    },
                )
            }
        }
        PaginationStyle::Link if has_headers(document, operation) => quote! {
            {
                let client = self.client;
                let with = self.with_.clone();
                let info = &#root::OPERATIONS[#index];
                // Of a call that cannot be made there is no further page: its first one says why.
                let headers = self.clone().request_().map(|(_, request, _)| request.headers().clone()).unwrap_or_default();
                ::finrail::rt::v1::link_pages_of(
                    client.inner.base(),
                    self,
                    |call| ::std::boxed::Box::pin(call.send()),
                    move |link| {
                        ::std::boxed::Box::pin(client.inner.follow_with_headers(
                            &client.client,
                            info,
                            link,
                            headers.clone(),
                            with.clone(),
                        ))
                    },
                    |page: &#reply| #next_value,
                )
            }
        },
        PaginationStyle::Link => quote! {
            {
                let client = self.client;
                let with = self.with_.clone();
                let info = &#root::OPERATIONS[#index];
                ::finrail::rt::v1::link_pages_of(
                    client.inner.base(),
                    self,
                    |call| ::std::boxed::Box::pin(call.send()),
                    move |link| ::std::boxed::Box::pin(client.inner.follow_with(&client.client, info, link, with.clone())),
                    |page: &#reply| #next_value,
                )
            }
        },
    };
    let methods = quote! {
        #[doc = #pages_doc]
        pub fn pages(self) -> ::finrail::rt::v1::Pages<'a, #reply, #error> {
            let pages = #pages;
            pages.counted(|page: &#reply| #has_items)
        }

        /// Streams the items of all pages. See [`pages`](Self::pages).
        pub fn items(self) -> ::finrail::rt::v1::Items<'a, #item, #error> {
            ::finrail::rt::v1::items(self.pages(), |page: #reply| #take_items)
        }
    };
    let block: syn::ItemImpl = syn::parse2(quote!(impl X { #methods })).map_err(|e| e.to_string())?;
    Ok(block.items)
}

/// Whether its further pages are asked for by link, with headers that are parameters of the call: they may say whose list it is.
pub(crate) fn has_headers(document: &Document, operation: &Operation) -> bool {
    let is_by_link = |paging: &Pagination| paging.style == PaginationStyle::Link;
    operation.pagination.as_ref().is_some_and(is_by_link)
        && document
            .parameters(operation)
            .iter()
            .any(|parameter| parameter["in"] == "header")
}

/// Where the next page is named.
fn next_of(paging: &Pagination, reply: &Type, structs: &BTreeMap<String, StructFields>) -> Result<Accessor, String> {
    let next = Accessor::find(reply, &paging.next, structs)?;
    let fields = generated(&next.ty).and_then(|name| structs.get(&name));
    let is_object = fields.is_some_and(|fields| !fields.is_empty());
    if is_object || inner_of_vec(&next.ty).is_some() {
        return Err(format!("`x-pagination.next` {} is no text", paging.next));
    }
    Ok(next)
}

/// The setter of what takes the cursor, or the number.
fn setter(document: &Document, operation: &Operation, place: CursorPlace, name: &str) -> String {
    if place == CursorPlace::Body {
        let property = document.body_property(operation, name);
        let given = property.and_then(|property| property["x-rust-name"].as_str());
        return ident_name(&given.map_or_else(|| snake_case(name), str::to_owned));
    }
    let parameters = document.parameters(operation);
    let found = parameters
        .into_iter()
        .find(|parameter| parameter["in"] == "query" && parameter["name"] == name);
    let given = found.and_then(|parameter| parameter["x-rust-name"].as_str());
    ident_name(&given.map_or_else(|| snake_case(name), str::to_owned))
}

/// How a JSON pointer is followed through the generated types.
struct Accessor {
    steps: Vec<(syn::Ident, bool)>,
    ty: Type,
}

impl Accessor {
    fn find(reply: &Type, pointer: &str, structs: &BTreeMap<String, StructFields>) -> Result<Self, String> {
        let mut ty = reply.clone();
        let mut steps = Vec::new();
        for wire in pointer.trim_start_matches('/').split('/') {
            let name =
                generated(&ty).ok_or_else(|| format!("`x-pagination` {pointer} goes on behind a text or a list"))?;
            let fields = structs
                .get(&name)
                .ok_or_else(|| format!("`x-pagination` {pointer}: `{name}` is no object"))?;
            let (ident, _, field) = fields
                .iter()
                .find(|(_, field_wire, _)| field_wire == wire)
                .ok_or_else(|| format!("`x-pagination` {pointer}: `{name}` has no property `{wire}`"))?;
            let inner = inner_of_option(field);
            steps.push((ident.clone(), inner.is_some()));
            ty = inner.unwrap_or(field).clone();
        }
        Ok(Self { steps, ty })
    }

    /// The text at the pointer, as `Option<String>`.
    fn optional_text(&self) -> TokenStream {
        let text = self.followed();
        quote!(#text.map(::std::string::ToString::to_string))
    }

    /// What is at the pointer, as `Option<&_>`.
    fn followed(&self) -> TokenStream {
        let mut expression = quote!(::std::option::Option::Some(page));
        for (ident, optional) in &self.steps {
            expression = if *optional {
                quote!(#expression.and_then(|value| value.#ident.as_ref()))
            } else {
                quote!(#expression.map(|value| &value.#ident))
            };
        }
        expression
    }

    /// Whether the list at the pointer has an item.
    fn is_filled(&self) -> TokenStream {
        let list = self.followed();
        quote!(#list.is_some_and(|items| !items.is_empty()))
    }

    /// The list at the pointer, taken out of the page.
    fn take(&self) -> TokenStream {
        let mut expression = quote!(::std::option::Option::Some(page));
        for (ident, optional) in &self.steps {
            expression = if *optional {
                quote!(#expression.and_then(|value| value.#ident))
            } else {
                quote!(#expression.map(|value| value.#ident))
            };
        }
        quote!(#expression.unwrap_or_default())
    }
}

/// The name of a generated type; `::std::string::String` is none.
fn generated(ty: &Type) -> Option<String> {
    match ty {
        Type::Path(path) if path.path.leading_colon.is_none() => {
            path.path.segments.last().map(|segment| segment.ident.to_string())
        }
        _ => None,
    }
}

/// A type named inside `types` as it is named from `builder`.
fn in_types(ty: &Type) -> TokenStream {
    match ty {
        Type::Path(path) if path.path.leading_colon.is_none() && path.path.segments.len() == 1 => quote!(types::#ty),
        other => quote!(#other),
    }
}
