//! How a field of a form is written.

use finrail_spec::vocabulary::FormStyle;
use proc_macro2::TokenStream;
use quote::quote;

/// How a field of a form is written, where that has to be said: of a list of a field for each item it has not.
pub(super) fn form_style(style: FormStyle) -> Option<TokenStream> {
    match style {
        FormStyle::Brackets => Some(quote!(::finrail::rt::v1::FormStyle::Brackets)),
        FormStyle::Map => Some(quote!(::finrail::rt::v1::FormStyle::Map)),
        FormStyle::Repeated => None,
    }
}
