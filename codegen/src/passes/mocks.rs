//! What is told of each operation for mocks: the macro of the contract makes code of it where mocks are wanted.

use finrail_spec::media_type::BodyKind;
use finrail_spec::model::{Operation, Reply};
use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, format_ident, quote};
use syn::{Expr, ImplItem, ImplItemFn, Item, ItemImpl, PathArguments, Stmt, Type};

use super::forms::form_styles;
use super::parts::in_parts;
use super::tree::{generic_of, reply_types, type_name};
use crate::document::Document;
use crate::transform::Prepared;
use finrail_spec::names::{ident_name, pascal_case, snake_case};

/// The call of the macro, for the finished items of one client.
pub(super) fn mocks(document: &Document, prepared: &Prepared, items: &[Item], root: &TokenStream) -> Option<Item> {
    let builders = items.iter().find_map(|item| match item {
        Item::Mod(module) if module.ident == "builder" => Some(&module.content.as_ref()?.1),
        _ => None,
    })?;
    let rows = builders.iter().filter_map(|item| match item {
        Item::Impl(calls) if calls.trait_.is_none() => operation(document, prepared, builders, calls),
        _ => None,
    });
    // One provider has one token endpoint.
    let token = (root.to_string() == "super").then(|| quote!(token));
    let told = quote! {
        imports { #[allow(unused_imports)] use super::types; }
        operations #root::OPERATIONS;
        provider #root::Provider;
        token #token;
        #(#rows)*
    };
    syn::parse2(quote!(::finrail::rt::v1::mock! { #told })).ok()
}

fn operation(document: &Document, prepared: &Prepared, builders: &[Item], calls: &ItemImpl) -> Option<TokenStream> {
    let name = type_name(&calls.self_ty);
    let of_this = |operation: &Operation| pascal_case(&operation.id) == name;
    let index = document.operations.iter().position(of_this)?;
    let operation = &document.operations[index];
    let methods = || {
        calls.items.iter().filter_map(|item| match item {
            ImplItem::Fn(method) => Some(method),
            _ => None,
        })
    };
    let send = methods().find(|method| method.sig.ident == "send")?;
    let (reply, error) = reply_types(&send.sig.output)?;
    let setters =
        methods().filter_map(|method| setter(document, prepared, operation, field(builders, &name, method)?, method));
    let answers = operation.successes().map(|success| answer(success, &reply));
    let failure = (error.to_token_stream().to_string() != "()").then(|| {
        let doc = " The provider's error, with this status (4xx or 5xx).";
        quote!(#doc error (status: u16, error: &#error) failure (status, error))
    });
    let (id, when, then) = (
        format_ident!("{}", operation.id),
        format_ident!("{name}When"),
        format_ident!("{name}Then"),
    );
    let when_doc = format!(" What a call of [`Client::{id}`](super::Client::{id}) is like.");
    let then_doc = format!(" What is answered to a call of [`Client::{id}`](super::Client::{id}).");
    Some(quote! {
        #id #index #when #then [#when_doc #then_doc]
        { #(#setters)* }
        { #(#answers)* #failure }
    })
}

/// The type of the builder's field that a method sets.
fn field<'i>(builders: &'i [Item], name: &str, method: &ImplItemFn) -> Option<&'i Type> {
    let fields = builders.iter().find_map(|item| match item {
        Item::Struct(item) if item.ident == name => Some(&item.fields),
        _ => None,
    })?;
    let field = fields
        .iter()
        .find(|field| field.ident.as_ref() == Some(&method.sig.ident));
    field.map(|field| &field.ty)
}

/// A parameter, or the body: how its setter takes a value, and where that stands in a request.
fn setter(
    document: &Document,
    prepared: &Prepared,
    operation: &Operation,
    field: &Type,
    method: &ImplItemFn,
) -> Option<TokenStream> {
    let ident = &method.sig.ident;
    let taken = method
        .block
        .stmts
        .iter()
        .find_map(|statement| assigned(statement, ident))?;
    let argument = method.sig.inputs.iter().nth(1)?;
    let (generics, bounds) = (&method.sig.generics, &method.sig.generics.where_clause);
    let (place, expected, doc) = if ident == "body" {
        let kind = operation.content_type().and_then(BodyKind::of);
        let place = match (kind, prepared.parts.get(&operation.id)) {
            (Some(BodyKind::Parts), Some(parts)) => {
                let body = built(field)?;
                let parts = in_parts(parts, &syn::parse_quote!(body));
                quote!(parts (|body: &#body| #parts,))
            }
            (Some(BodyKind::Bytes), _) => quote!(bytes()),
            (Some(BodyKind::Form), _) => {
                let styles = form_styles(operation);
                quote!(form (#styles,))
            }
            _ => quote!(json()),
        };
        let doc = " Only with this body, and no other.".to_owned();
        (place, whole(field, taken), doc)
    } else {
        let is_set = |parameter: &&serde_json::Value| *ident == ident_name(&rust_name(parameter));
        let parameters = document.parameters(operation);
        let parameter = parameters.into_iter().find(is_set)?;
        let wire = parameter["name"].as_str()?;
        let place = format_ident!("{}", parameter["in"].as_str()?);
        let doc = format!(" Only with this `{wire}`.");
        let expected = quote!({ let expected: #field = #taken; expected });
        (quote!(#place (#wire,)), expected, doc)
    };
    Some(quote! {
        #doc
        #ident [#generics] (#argument) [#bounds]
        #place #expected
    })
}

fn rust_name(parameter: &serde_json::Value) -> String {
    let wire = parameter["name"].as_str().unwrap_or_default();
    parameter["x-rust-name"]
        .as_str()
        .map_or_else(|| snake_case(wire), str::to_owned)
}

/// A body that is kept as its builder, built.
fn whole(field: &Type, taken: &Expr) -> TokenStream {
    let built = built(field);
    let build = built.map(|built| {
        quote!(.and_then(|body| <#built>::try_from(body).map_err(|why| ::std::string::ToString::to_string(&why))))
    });
    quote!({ let expected: #field = #taken; expected #build })
}

/// `Result<types::builder::X, String>` -> `types::X`
fn built(field: &Type) -> Option<Type> {
    let Some(Type::Path(path)) = generic_of(field, "Result") else {
        return None;
    };
    let mut segments: Vec<_> = path.path.segments.iter().cloned().collect();
    let at = segments.iter().position(|segment| segment.ident == "builder")?;
    segments.remove(at);
    let mut whole = path.clone();
    whole.path.segments = segments.into_iter().collect();
    Some(Type::Path(whole))
}

/// What `self.field = ..;` assigns.
fn assigned<'s>(statement: &'s Stmt, field: &Ident) -> Option<&'s Expr> {
    let Stmt::Expr(Expr::Assign(assignment), _) = statement else {
        return None;
    };
    match &*assignment.left {
        Expr::Field(left) if matches!(&left.member, syn::Member::Named(name) if name == field) => {
            Some(&assignment.right)
        }
        _ => None,
    }
}

/// A success of the specification, under the name of its status.
fn answer(success: &Reply, reply: &Type) -> TokenStream {
    let (parameter, status, name, doc) = match success.status.parse::<u16>() {
        Ok(status) => (
            None,
            quote!(#status),
            name_of(status),
            format!(" A success, with status {status}."),
        ),
        Err(_) => (
            Some(quote!(status: u16,)),
            quote!(status),
            "success".to_owned(),
            " A success, with this status (2xx).".to_owned(),
        ),
    };
    let name = format_ident!("{name}");
    if reply.to_token_stream().to_string() == "()" {
        return quote!(#doc #name (#parameter) empty (#status));
    }
    if is_bytes(reply) {
        return quote!(#doc #name (#parameter bytes: &[u8]) bytes (#status, bytes));
    }
    quote!(#doc #name (#parameter value: &#reply) value (#status, value))
}

fn is_bytes(reply: &Type) -> bool {
    let Type::Path(path) = reply else { return false };
    let last = path.path.segments.last();
    last.is_some_and(|last| last.ident == "ByteStream" && matches!(last.arguments, PathArguments::None))
}

/// The name of a status, as RFC 9110 has it.
fn name_of(status: u16) -> String {
    match status {
        200 => "ok".to_owned(),
        201 => "created".to_owned(),
        202 => "accepted".to_owned(),
        203 => "non_authoritative_information".to_owned(),
        204 => "no_content".to_owned(),
        205 => "reset_content".to_owned(),
        206 => "partial_content".to_owned(),
        other => format!("status_{other}"),
    }
}
