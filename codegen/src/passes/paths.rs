//! The paths of a generated client: what progenitor and typify name, through the library.

use syn::punctuated::Punctuated;
use syn::visit_mut::{self, VisitMut};
use syn::{Attribute, Expr, Lit, Meta, Path, Token, parse_quote};

/// Outside crates are reached through the library, so that a user's `build.rs` needs none of them.
pub(super) struct Paths;

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
                Some("Map") => return *path = parse_quote!(::finrail::rt::v1::JsonMap),
                Some("Value") => return *path = parse_quote!(::finrail::rt::v1::Json),
                _ => {}
            }
        }
        // A variant is a form that the library may change; a function is not.
        if first == "Error"
            && let Some(last) = path.segments.last_mut().filter(|last| last.ident == "InvalidRequest")
        {
            last.ident = syn::Ident::new("invalid_request", last.ident.span());
        }
        let through_us = path.segments.len() > 1 && outside && (path.leading_colon.is_some() || first == "reqwest");
        if through_us {
            let segments = std::mem::take(&mut path.segments);
            *path = parse_quote!(::finrail::rt::v1::#segments);
        } else if first == "progenitor_client" {
            let segments: Vec<_> = path.segments.iter().skip(1).collect();
            *path = parse_quote!(::finrail::rt::v1::#(#segments)::*);
        } else if path.segments.iter().any(|segment| segment.ident == "codegen_marker") {
            let marker = path
                .segments
                .last()
                .map(|segment| segment.ident.to_string())
                .unwrap_or_default();
            *path = match marker.as_str() {
                "LenientBool" => parse_quote!(bool),
                "LenientString" => parse_quote!(::std::string::String),
                _ => parse_quote!(::finrail::rt::v1::Decimal),
            };
        }
    }

    /// A success without a described body is looked at all the same.
    fn visit_expr_mut(&mut self, expression: &mut Expr) {
        visit_mut::visit_expr_mut(self, expression);
        let Expr::Call(ok) = &*expression else { return };
        let (Expr::Path(function), Some(Expr::Call(empty))) = (&*ok.func, ok.args.first()) else {
            return;
        };
        let is_empty = matches!(&*empty.func, Expr::Path(path) if path.path.segments.iter().map(|segment| &segment.ident).eq(["ResponseValue", "empty"]));
        if function.path.is_ident("Ok") && is_empty {
            let response = &empty.args;
            *expression = parse_quote!(ResponseValue::nothing(#response).await);
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
            attributes.push(parse_quote!(#[serde(crate = "::finrail::rt::v1::serde")]));
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
                .replace("::serde_json::Map::", "::finrail::rt::v1::JsonMap::");
            *text = syn::LitStr::new(&path, text.span());
        }
    }
    *attribute = parse_quote!(#[serde(#metas)]);
}
