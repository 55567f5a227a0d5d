//! Bodies in parts: what a call and its mock write of them.

use finrail_spec::names::ident_name;
use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::Expr;

use crate::notes::PartNotes;

/// The parts of a body, as the runtime writes them.
pub(super) fn in_parts(parts: &[PartNotes], body: &Expr) -> TokenStream {
    let parts = parts.iter().map(|part| {
        let (name, field) = (&part.wire, format_ident!("{}", ident_name(&part.rust)));
        let media_type = match &part.media_type {
            Some(media_type) => quote!(::std::option::Option::Some(#media_type)),
            None => quote!(::std::option::Option::None),
        };
        match part.is_file {
            true => quote!(.files(#name, #media_type, &body.#field)),
            false => quote!(.values(#name, #media_type, &body.#field)),
        }
    });
    quote!({ let body = #body; ::finrail::rt::v1::Multipart::new() #(#parts)* })
}
