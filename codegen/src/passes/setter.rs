//! Setters of a builder: what they take.

use quote::{ToTokens, quote};
use syn::visit_mut::{self, VisitMut};
use syn::{Expr, FnArg, GenericArgument, PathArguments, Type, WherePredicate, parse_quote};

use super::tree::{generic_of, inner_of_option, inner_of_vec};

/// `value: T where T: TryInto<Option<X>>` becomes `T: TryInto<X>`.
pub(super) fn unwrap_optional_setter(method: &mut syn::ImplItemFn) {
    let takes_value = method.sig.inputs.iter().any(|input| matches!(input, FnArg::Typed(_)));
    let Some(clause) = method.sig.generics.where_clause.as_mut().filter(|_| takes_value) else {
        return;
    };
    let mut changed = false;
    for predicate in &mut clause.predicates {
        let WherePredicate::Type(predicate) = predicate else {
            continue;
        };
        for bound in &mut predicate.bounds {
            let syn::TypeParamBound::Trait(bound) = bound else {
                continue;
            };
            let Some(segment) = bound
                .path
                .segments
                .last_mut()
                .filter(|segment| segment.ident == "TryInto")
            else {
                continue;
            };
            let PathArguments::AngleBracketed(arguments) = &mut segment.arguments else {
                continue;
            };
            let Some(GenericArgument::Type(ty)) = arguments.args.first_mut() else {
                continue;
            };
            if let Some(inner) = inner_of_option(ty).cloned() {
                *ty = inner;
                changed = true;
            }
        }
    }
    if changed {
        IntoSome.visit_block_mut(&mut method.block);
    }
}

/// `T: TryInto<Vec<X>>` becomes `T: IntoIterator<Item: Into<X>>`: `.scopes(["a", "b"])` without a `vec!` of owned texts.
pub(super) fn list_setter(method: &mut syn::ImplItemFn) {
    let Some(clause) = &method.sig.generics.where_clause else {
        return;
    };
    let found = clause.predicates.iter().find_map(|predicate| match predicate {
        WherePredicate::Type(predicate) => predicate.bounds.iter().find_map(|bound| {
            let syn::TypeParamBound::Trait(bound) = bound else {
                return None;
            };
            let list = generic_of(
                &Type::Path(syn::TypePath {
                    attrs: Vec::new(),
                    qself: None,
                    path: bound.path.clone(),
                }),
                "TryInto",
            )
            .and_then(inner_of_vec)
            .cloned()?;
            Some((predicate.bounded_ty.clone(), list))
        }),
        _ => None,
    });
    let Some((parameter, element)) = found else {
        return;
    };
    let field = &method.sig.ident;
    let list = quote!(
        ::std::iter::IntoIterator::into_iter(value)
            .map(::std::convert::Into::into)
            .collect()
    );
    let optional = method.block.to_token_stream().to_string().contains("Some)");
    let list = if optional {
        quote!(::std::option::Option::Some(#list))
    } else {
        list
    };
    method.block = parse_quote!({
        self.#field = Ok(#list);
        self
    });
    method.sig.generics.where_clause = Some(parse_quote! {
        where
            #parameter: ::std::iter::IntoIterator<Item: ::std::convert::Into<#element>>,
    });
}

/// `value.try_into()` -> `value.try_into().map(Some)`
struct IntoSome;

impl VisitMut for IntoSome {
    fn visit_expr_mut(&mut self, expression: &mut Expr) {
        visit_mut::visit_expr_mut(self, expression);
        if let Expr::MethodCall(call) = expression
            && call.method == "try_into"
        {
            let inner = expression.clone();
            *expression = parse_quote!(#inner.map(::std::option::Option::Some));
        }
    }
}

/// `T: TryInto<Decimal>` becomes `T: TryInto<Decimal> + ExactNumber`: a binary float has a conversion, and other digits
/// than were written.
pub(super) struct ExactNumbers;

impl VisitMut for ExactNumbers {
    fn visit_predicate_type_mut(&mut self, predicate: &mut syn::PredicateType) {
        let takes_decimals = predicate.bounds.iter().any(|bound| match bound {
            syn::TypeParamBound::Trait(bound) => {
                let into = Type::Path(syn::TypePath {
                    attrs: Vec::new(),
                    qself: None,
                    path: bound.path.clone(),
                });
                let into = generic_of(&into, "TryInto").map(|into| into.to_token_stream().to_string().replace(' ', ""));
                into.is_some_and(|into| into == "::finrail::rt::v1::Decimal")
            }
            _ => false,
        });
        if takes_decimals {
            predicate.bounds.push(parse_quote!(::finrail::rt::v1::ExactNumber));
        }
    }
}
