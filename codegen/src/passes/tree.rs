//! Small questions to a syntax tree, and small changes of it.

use crate::prose::in_lines;
use quote::ToTokens;
use syn::punctuated::Punctuated;
use syn::{
    Attribute, Expr, File, GenericArgument, Ident, ImplItem, Item, ItemImpl, Lit, Meta, PathArguments, Token, Type,
    parse_quote,
};

/// Fields of a generated struct: (Rust name, name on the wire, type).
pub(super) type StructFields = Vec<(Ident, String, Type)>;

pub(super) fn parse_items(tokens: proc_macro2::TokenStream) -> Vec<Item> {
    syn::parse2::<File>(tokens).map(|file| file.items).unwrap_or_default()
}

pub(super) fn is_marker(attribute: &Attribute) -> bool {
    attribute.path().is_ident("finrail_own")
}

pub(super) fn is_flatten(attribute: &Attribute) -> bool {
    attribute.path().is_ident("serde") && attribute.to_token_stream().to_string().contains("flatten")
}

pub(super) fn methods(item: &mut ItemImpl) -> impl Iterator<Item = &mut syn::ImplItemFn> {
    item.items.iter_mut().filter_map(|item| match item {
        ImplItem::Fn(method) => Some(method),
        _ => None,
    })
}

pub(super) fn type_name(ty: &Type) -> String {
    match ty {
        Type::Path(path) => path
            .path
            .segments
            .last()
            .map(|segment| segment.ident.to_string())
            .unwrap_or_default(),
        _ => String::new(),
    }
}

pub(super) fn inner_of_option(ty: &Type) -> Option<&Type> {
    generic_of(ty, "Option")
}

pub(super) fn inner_of_vec(ty: &Type) -> Option<&Type> {
    generic_of(ty, "Vec")
}

pub(super) fn generic_of<'t>(ty: &'t Type, outer: &str) -> Option<&'t Type> {
    let Type::Path(path) = ty else { return None };
    let segment = path.path.segments.last().filter(|segment| segment.ident == outer)?;
    let PathArguments::AngleBracketed(arguments) = &segment.arguments else {
        return None;
    };
    match arguments.args.first() {
        Some(GenericArgument::Type(inner)) => Some(inner),
        _ => None,
    }
}

/// `Result<ResponseValue<T>, Error<E>>` -> (T, E)
pub(super) fn reply_types(output: &syn::ReturnType) -> Option<(Type, Type)> {
    let syn::ReturnType::Type(_, ty) = output else {
        return None;
    };
    let Type::Path(path) = &**ty else { return None };
    let PathArguments::AngleBracketed(arguments) = &path.path.segments.last()?.arguments else {
        return None;
    };
    let mut types = arguments.args.iter().filter_map(|argument| match argument {
        GenericArgument::Type(ty) => Some(ty),
        _ => None,
    });
    let reply = generic_of(types.next()?, "ResponseValue")?.clone();
    let error = generic_of(types.next()?, "Error")?.clone();
    Some((reply, error))
}

/// Takes `rename = ".."` out of the serde attributes.
pub(super) fn take_rename(attributes: &mut Vec<Attribute>) -> Option<String> {
    let mut found = None;
    for attribute in attributes
        .iter_mut()
        .filter(|attribute| attribute.path().is_ident("serde"))
    {
        let Ok(metas) = attribute.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated) else {
            continue;
        };
        let (renames, rest): (Vec<Meta>, Vec<Meta>) =
            metas.into_iter().partition(|meta| meta.path().is_ident("rename"));
        if let Some(Meta::NameValue(pair)) = renames.first()
            && let Expr::Lit(syn::ExprLit {
                lit: Lit::Str(text), ..
            }) = &pair.value
        {
            found = Some(text.value());
        }
        *attribute = parse_quote!(#[serde(#(#rest),*)]);
    }
    attributes.retain(|attribute| attribute.to_token_stream().to_string().replace(' ', "") != "#[serde()]");
    found
}

pub(super) fn set_doc(attributes: &mut Vec<Attribute>, text: &str) {
    attributes.retain(|attribute| !attribute.path().is_ident("doc"));
    let text = doc_text(text);
    attributes.insert(0, parse_quote!(#[doc = #text]));
}

/// Keeps the words of a doc comment, drops the JSON Schema that typify appends, and fills a gap from the specification.
pub(super) fn tidy_doc(attributes: &mut Vec<Attribute>, description: Option<&str>) {
    let written = attributes
        .iter()
        .find(|attribute| attribute.path().is_ident("doc"))
        .and_then(|attribute| match &attribute.meta {
            Meta::NameValue(pair) => match &pair.value {
                Expr::Lit(syn::ExprLit {
                    lit: Lit::Str(text), ..
                }) => Some(text.value()),
                _ => None,
            },
            _ => None,
        });
    let written = written.map(|text| text.split("<details>").next().unwrap_or_default().trim().to_owned());
    let text = match (description, written) {
        (Some(description), _) => description.to_owned(),
        (None, Some(written)) if !written.is_empty() => written,
        _ => "Described by its type.".to_owned(),
    };
    set_doc(attributes, &text);
}

/// Text of a specification as rustdoc takes it: one leading space a line, no accidental links or HTML.
pub(crate) fn doc_text(text: &str) -> String {
    in_lines(text)
        .trim()
        .lines()
        .map(|line| format!(" {line}"))
        .collect::<Vec<_>>()
        .join("\n")
}
