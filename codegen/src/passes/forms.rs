//! How the fields of a form are written.

use finrail_spec::model::Operation;
use finrail_spec::vocabulary::FormStyle;
use proc_macro2::TokenStream;
use quote::quote;

/// How the fields of the form that an operation sends are written, where that has to be said: of a list of a field for each item
/// it has not.
pub(super) fn form_styles(operation: &Operation) -> TokenStream {
    let forms = operation.sent().into_iter().flat_map(|content| &content.forms);
    let styles = forms.filter_map(|(name, style)| {
        let style = match style {
            FormStyle::Brackets => quote!(Brackets),
            FormStyle::Map => quote!(Map),
            FormStyle::Repeated => return None,
        };
        Some(quote!((#name, ::finrail::rt::v1::FormStyle::#style)))
    });
    quote!(&[#(#styles),*])
}
