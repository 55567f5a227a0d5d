//! A request body that is one of several kinds: it is kept whole, where progenitor keeps the builder of an object.

use quote::ToTokens;
use syn::visit_mut::{self, VisitMut};
use syn::{Expr, ImplItem, Item, Type, parse_quote};

use crate::transform::Prepared;

/// A call whose body is a union takes and keeps the union: an enum has no builder.
pub(super) fn kept_whole(item: &mut Item, prepared: &Prepared) {
    let mut builders = Builders { prepared, found: false };
    builders.visit_item_mut(item);
    if let (true, Item::Impl(call)) = (builders.found, item) {
        call.items
            .retain(|item| !matches!(item, ImplItem::Fn(method) if method.sig.ident == "body_map"));
        Unbuilt.visit_item_impl_mut(call);
    }
}

/// `types::builder::X` -> `types::X`, where `X` is a union.
struct Builders<'a> {
    prepared: &'a Prepared,
    found: bool,
}

impl VisitMut for Builders<'_> {
    fn visit_type_mut(&mut self, ty: &mut Type) {
        visit_mut::visit_type_mut(self, ty);
        let Type::Path(path) = ty else { return };
        let names: Vec<String> = path.path.segments.iter().map(|one| one.ident.to_string()).collect();
        let [types, builder, name] = names.as_slice() else {
            return;
        };
        let is_union = self.prepared.schemas.get(name).is_some_and(|notes| notes.wrapper);
        if types == "types" && builder == "builder" && is_union {
            let last = &path.path.segments[2];
            path.path = parse_quote!(types::#last);
            self.found = true;
        }
    }
}

/// What is made of a builder of the body, where there is none.
struct Unbuilt;

impl VisitMut for Unbuilt {
    fn visit_field_value_mut(&mut self, field: &mut syn::FieldValue) {
        if matches!(&field.member, syn::Member::Named(name) if name == "body") {
            field.expr = parse_quote!(Err("body was not initialized".to_string()));
        }
    }

    fn visit_expr_mut(&mut self, expression: &mut Expr) {
        visit_mut::visit_expr_mut(self, expression);
        if let Expr::MethodCall(call) = expression {
            let of_body = call.receiver.to_token_stream().to_string() == "body" && call.method == "and_then";
            let converts = call.method == "map" && call.args.to_token_stream().to_string() == "From :: from";
            if of_body || converts {
                *expression = (*call.receiver).clone();
            }
        }
    }
}
