//! The passes over `types`: open enums, kinds by key, exact and lenient values, setters.

use std::collections::BTreeSet;

use quote::{ToTokens, format_ident, quote};
use syn::punctuated::Punctuated;
use syn::visit_mut::{self, VisitMut};
use syn::{Attribute, Ident, Item, ItemEnum, ItemImpl, ItemMod, ItemStruct, Meta, Path, Token, Type, parse_quote};

use super::setter::{list_setter, unwrap_optional_setter};
use super::state::Passes;
use super::tree::*;
use crate::notes::SchemaNotes;
use crate::prose::code;
use finrail_spec::names::variant_name;

impl Passes<'_> {
    pub(super) fn types(&mut self, mut module: ItemMod) -> ItemMod {
        set_doc(&mut module.attrs, "Types of parameters, requests and replies.");
        let Some((_, items)) = module.content.as_mut() else {
            return module;
        };
        let mut out: Vec<Item> = Vec::new();
        let mut replaced: Vec<String> = Vec::new();
        for item in std::mem::take(items) {
            match item {
                Item::Enum(item) => {
                    replaced.push(item.ident.to_string());
                    out.extend(self.open_enum(&item));
                }
                Item::Struct(item) => {
                    let name = item.ident.to_string();
                    let notes = self.prepared.schemas.get(&name);
                    if notes.is_some_and(|notes| notes.wrapper) {
                        out.extend(self.wrapper_enum(&item, notes));
                        replaced.push(name);
                    } else {
                        out.extend(self.structure(item));
                    }
                }
                other => out.push(other),
            }
        }
        drop_replaced(&mut out, &replaced);
        for item in &mut out {
            match item {
                Item::Mod(inner) if inner.ident == "builder" => self.type_builders(inner, &replaced),
                Item::Impl(item) if item.trait_.is_none() => {
                    let starts = methods(item).filter(|method| method.sig.ident == "builder");
                    starts.for_each(|method| set_doc(&mut method.attrs, "Starts to build one."));
                }
                Item::Impl(item) if is_of_a_text(item) => with_its_path(item),
                _ => {}
            }
        }
        *items = out;
        module
    }

    fn structure(&mut self, mut item: ItemStruct) -> Vec<Item> {
        let name = item.ident.to_string();
        let empty = SchemaNotes::default();
        let notes = self.prepared.schemas.get(&name).unwrap_or(&empty);
        tidy_doc(&mut item.attrs, notes.description.as_deref());
        let lenient_newtype = self.document.json["components"]["schemas"][&name]["x-lenient"] == "array";
        let mut fields: StructFields = Vec::new();
        let mut rest = None;
        let mut described: Vec<String> = Vec::new();
        for field in &mut item.fields {
            let renamed = take_rename(&mut field.attrs);
            let Some(ident) = field.ident.clone() else {
                // A named schema that is no object: `#[serde(transparent)]` over its only field.
                self.field_type(&name, &mut field.ty, &mut field.attrs, lenient_newtype);
                continue;
            };
            let rust = renamed.unwrap_or_else(|| ident.to_string());
            let field_notes = notes.fields.get(&rust);
            let wire = field_notes.map_or(rust.clone(), |notes| notes.wire.clone());
            tidy_doc(
                &mut field.attrs,
                field_notes.and_then(|notes| notes.description.as_deref()),
            );
            if field.attrs.iter().any(is_flatten) {
                field.attrs.retain(|attribute| !is_flatten(attribute));
                set_doc(
                    &mut field.attrs,
                    "Fields that the specification does not describe, as they came.",
                );
                rest = Some(ident.clone());
            } else {
                let aliases = field_notes.map(|notes| notes.aliases.as_slice()).unwrap_or_default();
                described.push(wire.clone());
                described.extend_from_slice(aliases);
                name_on_the_wire(field, &ident, &wire, aliases);
                let lenient = field_notes.is_some_and(|notes| notes.lenient_array);
                self.field_type(&name, &mut field.ty, &mut field.attrs, lenient);
                if field_notes.is_some_and(|notes| notes.null_where_none) {
                    field.attrs.iter_mut().for_each(null_where_none);
                }
            }
            fields.push((ident, wire, field.ty.clone()));
        }
        if let Some(rest) = &rest {
            self.rests.insert(name.clone(), rest.clone());
        }
        self.structs.insert(name, fields);
        match rest {
            Some(rest) => keeping_the_rest(item, &rest, &described, notes),
            None if notes.or_text => {
                let reading = reading_object_or_text(&mut item);
                std::iter::once(Item::Struct(item)).chain(reading).collect()
            }
            None => vec![Item::Struct(item)],
        }
    }

    /// Gives a field the serde code that its type needs.
    fn field_type(&mut self, parent: &str, ty: &mut Type, attrs: &mut Vec<Attribute>, lenient_array: bool) {
        let text = ty.to_token_stream().to_string().replace(' ', "");
        let marker = ["DecimalNumber", "DecimalString", "LenientBool", "LenientString"]
            .into_iter()
            .find(|marker| text.contains(&format!("codegen_marker::{marker}")));
        let optional = text.starts_with("::std::option::Option<");
        let list = text.starts_with("::std::vec::Vec<");
        let map = text.starts_with("::std::collections::BTreeMap<");
        let raw_map = text.starts_with("::serde_json::Map<");
        if let Some(marker) = marker {
            if list || map || raw_map {
                self.errors.push(self.document.schema_error(
                    parent,
                    "a list or a map of decimals or lenient values is not supported; put each in an object",
                ));
                return;
            }
            let module = match marker {
                "DecimalNumber" => "decimal_number",
                "DecimalString" => "decimal_string",
                "LenientBool" => "lenient_bool",
                _ => "lenient_string",
            };
            let with = format!(
                "::finrail::rt::v1::wire::{module}{}",
                if optional { "::option" } else { "" }
            );
            if optional {
                attrs.push(parse_quote!(#[serde(default, with = #with)]));
            } else {
                attrs.push(parse_quote!(#[serde(with = #with)]));
            }
        } else if list && lenient_array {
            attrs.push(parse_quote!(#[serde(deserialize_with = "::finrail::rt::v1::wire::lenient_array")]));
        } else if map {
            attrs.push(parse_quote!(#[serde(deserialize_with = "::finrail::rt::v1::wire::map")]));
        } else if list || raw_map {
            attrs.push(parse_quote!(#[serde(deserialize_with = "::finrail::rt::v1::wire::null_as_default")]));
        }
    }

    fn open_enum(&mut self, item: &ItemEnum) -> Vec<Item> {
        let name = &item.ident;
        let description = self
            .prepared
            .schemas
            .get(&name.to_string())
            .and_then(|notes| notes.description.clone());
        let mut doc = description.unwrap_or_else(|| "A value from a list that may grow.".to_owned());
        doc.push_str("\n\nA value that is not in the list survives as [`Unknown`](Self::Unknown) and is written back as it came.");
        let values = self
            .prepared
            .schemas
            .get(&name.to_string())
            .map(|notes| notes.values.as_slice())
            .unwrap_or_default();
        let idents: Vec<Ident> = values
            .iter()
            .map(|value| match variant_name(value).unwrap_or_default().as_str() {
                "Unknown" => format_ident!("ValueUnknown"),
                ident => format_ident!("{ident}"),
            })
            .collect();
        let docs = values.iter().map(|value| code(value));
        let list = format!("one of {}, or another text", values.join(", "));
        let name_text = name.to_string();
        let tokens = quote! {
            #[doc = #doc]
            #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
            #[non_exhaustive]
            pub enum #name {
                #( #[doc = #docs] #idents, )*
                /// A value that this version does not know, as it came.
                Unknown(::std::string::String),
            }
            #[finrail_own]
            impl #name {
                /// The values that this version knows.
                pub const VALUES: &'static [&'static str] = &[#(#values),*];

                /// The value on the wire.
                #[must_use]
                pub fn as_str(&self) -> &str {
                    match self {
                        #( Self::#idents => #values, )*
                        Self::Unknown(text) => text,
                    }
                }

                /// Whether this version does not know the value.
                #[must_use]
                pub fn is_unknown(&self) -> bool {
                    ::std::matches!(self, Self::Unknown(_))
                }
            }
            #[finrail_own]
            impl ::finrail::rt::v1::wire::OpenEnum for #name {
                const NAME: &'static str = #name_text;

                fn is_unknown(&self) -> bool {
                    ::std::matches!(self, Self::Unknown(_))
                }
            }
            #[finrail_own]
            impl ::std::convert::From<&str> for #name {
                fn from(text: &str) -> Self {
                    match text {
                        #( #values => Self::#idents, )*
                        other => Self::Unknown(other.to_owned()),
                    }
                }
            }
            #[finrail_own]
            impl ::std::convert::From<::std::string::String> for #name {
                fn from(text: ::std::string::String) -> Self {
                    Self::from(text.as_str())
                }
            }
            #[finrail_own]
            impl ::std::str::FromStr for #name {
                type Err = ::std::convert::Infallible;

                fn from_str(text: &str) -> ::std::result::Result<Self, Self::Err> {
                    Ok(Self::from(text))
                }
            }
            #[finrail_own]
            impl ::std::fmt::Display for #name {
                fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                    f.write_str(self.as_str())
                }
            }
            #[finrail_own]
            impl ::std::convert::AsRef<str> for #name {
                fn as_ref(&self) -> &str {
                    self.as_str()
                }
            }
            #[finrail_own]
            impl ::serde::Serialize for #name {
                fn serialize<S: ::serde::Serializer>(&self, serializer: S) -> ::std::result::Result<S::Ok, S::Error> {
                    serializer.serialize_str(self.as_str())
                }
            }
            #[finrail_own]
            impl<'de> ::serde::Deserialize<'de> for #name {
                fn deserialize<D: ::serde::Deserializer<'de>>(deserializer: D) -> ::std::result::Result<Self, D::Error> {
                    ::finrail::rt::v1::wire::open_enum(deserializer, #list)
                }
            }
        };
        parse_items(tokens)
    }

    fn wrapper_enum(&mut self, item: &ItemStruct, notes: Option<&SchemaNotes>) -> Vec<Item> {
        let name = &item.ident;
        let mut doc = notes.and_then(|notes| notes.description.clone()).unwrap_or_default();
        let (mut idents, mut keys, mut types, mut docs) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for field in &item.fields {
            let mut attrs = field.attrs.clone();
            let Some(ident) = &field.ident else { continue };
            let rust = take_rename(&mut attrs).unwrap_or_else(|| ident.to_string());
            let field_notes = notes.and_then(|notes| notes.fields.get(&rust));
            let key = field_notes.map_or(rust.clone(), |notes| notes.wire.clone());
            idents.push(format_ident!("{}", variant_name(&key).unwrap_or_default()));
            docs.push(
                field_notes
                    .and_then(|notes| notes.description.clone())
                    .unwrap_or_else(|| format!("`{key}`")),
            );
            keys.push(key);
            types.push(inner_of_option(&field.ty).unwrap_or(&field.ty).clone());
        }
        let kinds = Kinds {
            idents,
            keys,
            types,
            docs,
        };
        if let Some(tag) = notes.and_then(|notes| notes.tag.as_deref()) {
            return tagged_enum(name, &doc, tag, &kinds);
        }
        doc.push_str("\n\nThe one key of the object names the kind; a kind that this version does not know survives as [`Unknown`](Self::Unknown).");
        let with_its_kind = enum_of_kinds(name, &doc, "The key that names the kind.", &kinds);
        let Kinds {
            idents, keys, types, ..
        } = &kinds;
        let visitor = format_ident!("{name}Visitor");
        let expecting = format!("an object whose key is one of {}", keys.join(", "));
        let tokens = quote! {
            #with_its_kind
            #[finrail_own]
            impl ::serde::Serialize for #name {
                fn serialize<S: ::serde::Serializer>(&self, serializer: S) -> ::std::result::Result<S::Ok, S::Error> {
                    use ::finrail::rt::v1::serde::ser::SerializeMap as _;
                    let mut map = serializer.serialize_map(Some(1))?;
                    match self {
                        #( Self::#idents(value) => map.serialize_entry(#keys, value)?, )*
                        Self::Unknown(unknown) => map.serialize_entry(unknown.kind(), unknown.json())?,
                    }
                    map.end()
                }
            }
            #[finrail_own]
            impl<'de> ::serde::Deserialize<'de> for #name {
                fn deserialize<D: ::serde::Deserializer<'de>>(deserializer: D) -> ::std::result::Result<Self, D::Error> {
                    deserializer.deserialize_map(#visitor)
                }
            }
            struct #visitor;
            #[finrail_own]
            impl<'de> ::serde::de::Visitor<'de> for #visitor {
                type Value = #name;

                fn expecting(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                    f.write_str(#expecting)
                }

                fn visit_map<A: ::serde::de::MapAccess<'de>>(self, mut map: A) -> ::std::result::Result<#name, A::Error> {
                    use ::finrail::rt::v1::serde::de::Error as _;
                    let mut known = None;
                    let mut unknown = None;
                    while let Some(key) = map.next_key::<::std::string::String>()? {
                        match key.as_str() {
                            // Of two kinds, nobody can say which one is meant.
                            #( #keys => {
                                if let Some(value) = map.next_value::<::std::option::Option<#types>>()? {
                                    if known.replace(#name::#idents(value)).is_some() {
                                        return Err(A::Error::custom("expected one kind"));
                                    }
                                }
                            } )*
                            _ => {
                                if unknown.as_ref().is_some_and(|unknown: &::finrail::rt::v1::UnknownKind| unknown.kind() == key) {
                                    return Err(A::Error::custom("expected one kind"));
                                }
                                let json = map.next_value::<::std::boxed::Box<::serde_json::value::RawValue>>()?;
                                unknown.get_or_insert_with(|| ::finrail::rt::v1::UnknownKind::new(key, json));
                            }
                        }
                    }
                    Ok(known.unwrap_or_else(|| #name::Unknown(unknown.unwrap_or_default())))
                }
            }
        };
        parse_items(tokens)
    }

    /// `types::builder`: setters take the value itself where typify's take an `Option` of it.
    fn type_builders(&mut self, module: &mut ItemMod, replaced: &[String]) {
        set_doc(&mut module.attrs, "Builders of the types: a setter for each field.");
        let Some((_, items)) = module.content.as_mut() else {
            return;
        };
        items.retain(|item| match item {
            Item::Struct(item) => !replaced.contains(&item.ident.to_string()),
            Item::Impl(item) => !replaced.iter().any(|name| {
                let text = item.self_ty.to_token_stream().to_string().replace(' ', "");
                text == *name || text == format!("super::{name}")
            }),
            _ => true,
        });
        for item in items {
            match item {
                Item::Struct(item) => {
                    let text = format!("Builder for [`{0}`](super::{0}).", item.ident);
                    set_doc(&mut item.attrs, &text);
                }
                Item::Impl(item) if item.trait_.is_none() => self.setters(item),
                Item::Impl(item) => {
                    // Nobody has to say that there is nothing beyond what is described.
                    if let Some(rest) = self.rests.get(&type_name(&item.self_ty)) {
                        EmptyRest(rest).visit_item_impl_mut(item);
                    }
                }
                _ => {}
            }
        }
    }

    /// The setters of one builder: what they are for, and what they take.
    fn setters(&self, builder: &mut ItemImpl) {
        let parent = builder.self_ty.to_token_stream().to_string();
        for method in methods(builder) {
            let name = method.sig.ident.to_string();
            let text = self.described(&parent, &name);
            set_doc(&mut method.attrs, &text.unwrap_or_else(|| format!("Sets `{name}`.")));
            unwrap_optional_setter(method);
            list_setter(method);
        }
    }

    /// What the specification says of a field.
    fn described(&self, parent: &str, field: &str) -> Option<String> {
        let fields = self.structs.get(parent)?;
        let (_, wire, _) = fields.iter().find(|(ident, _, _)| ident == field)?;
        let notes = self.prepared.schemas.get(parent)?;
        let field = notes.fields.values().find(|field| field.wire == *wire)?;
        field.description.clone()
    }
}

/// In the `Default` of a builder: the field of what is not described begins empty, and not as missing.
struct EmptyRest<'a>(&'a Ident);

impl VisitMut for EmptyRest<'_> {
    fn visit_field_value_mut(&mut self, field: &mut syn::FieldValue) {
        let is_rest = matches!(&field.member, syn::Member::Named(name) if name == self.0);
        if is_rest && field.expr.to_token_stream().to_string().starts_with("Err") {
            field.expr = parse_quote!(Ok(::std::default::Default::default()));
        }
    }
}

/// Drops what typify derived for the types that are now ours.
fn drop_replaced(items: &mut Vec<Item>, replaced: &[String]) {
    let secrets = secret_newtypes(items);
    items.retain_mut(|item| match item {
        // A secret has no `Display`, and neither has a type that is nothing else.
        Item::Impl(item) if is_display(item) && secrets.contains(&type_name(&item.self_ty)) => false,
        Item::Impl(item) => {
            let own = item.attrs.iter().any(is_marker);
            item.attrs.retain(|attribute| !is_marker(attribute));
            own || !replaced.contains(&type_name(&item.self_ty))
        }
        _ => true,
    });
}

/// Writes `null` for a value that is none, and does not leave the field out.
fn null_where_none(attribute: &mut Attribute) {
    if !attribute.path().is_ident("serde") {
        return;
    }
    let Ok(metas) = attribute.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated) else {
        return;
    };
    let leaves_out = |meta: &Meta| match meta {
        Meta::NameValue(pair) if pair.path.is_ident("skip_serializing_if") => {
            pair.value.to_token_stream().to_string().contains("is_none")
        }
        _ => false,
    };
    let kept: Punctuated<Meta, Token![,]> = metas.into_iter().filter(|meta| !leaves_out(meta)).collect();
    *attribute = parse_quote!(#[serde(#kept)]);
}

/// The name that a field has in JSON, and the others under which it is read.
fn name_on_the_wire(field: &mut syn::Field, ident: &Ident, wire: &str, aliases: &[String]) {
    if ident != wire {
        field.attrs.push(parse_quote!(#[serde(rename = #wire)]));
    }
    for alias in aliases {
        field.attrs.push(parse_quote!(#[serde(alias = #alias)]));
    }
}

/// Takes `Deserialize` off the derived traits and writes it out, so that a text is read as the only described field.
fn reading_object_or_text(item: &mut ItemStruct) -> Vec<Item> {
    for attribute in &mut item.attrs {
        if attribute.path().is_ident("derive")
            && let Meta::List(list) = &attribute.meta
            && let Ok(mut traits) = list.parse_args_with(Punctuated::<Path, Token![,]>::parse_terminated)
        {
            traits = traits
                .into_iter()
                .filter(|path| path.segments.last().is_none_or(|last| last.ident != "Deserialize"))
                .collect();
            *attribute = parse_quote!(#[derive(#traits)]);
        }
    }
    let name = &item.ident;
    let fields = &item.fields;
    let idents: Vec<&Ident> = item.fields.iter().filter_map(|field| field.ident.as_ref()).collect();
    let text = idents.first();
    let expecting = format!("an object or a text ({name})");
    parse_items(quote! {
        const _: () = {
            #[derive(::serde::Deserialize)]
            struct __Fields #fields

            struct __Visitor;

            impl<'de> ::serde::de::Visitor<'de> for __Visitor {
                type Value = #name;

                fn expecting(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                    f.write_str(#expecting)
                }

                fn visit_str<E: ::serde::de::Error>(self, text: &str) -> ::std::result::Result<#name, E> {
                    Ok(#name {
                        #text: ::std::option::Option::Some(text.to_owned()),
                    })
                }

                fn visit_map<A: ::serde::de::MapAccess<'de>>(self, map: A) -> ::std::result::Result<#name, A::Error> {
                    let map = ::serde::de::value::MapAccessDeserializer::new(map);
                    let __Fields { #(#idents),* } = ::serde::Deserialize::deserialize(map)?;
                    Ok(#name { #(#idents),* })
                }
            }

            impl<'de> ::serde::Deserialize<'de> for #name {
                fn deserialize<D: ::serde::Deserializer<'de>>(deserializer: D) -> ::std::result::Result<Self, D::Error> {
                    deserializer.deserialize_any(__Visitor)
                }
            }
        };
    })
}

/// A struct that keeps the fields that nobody described. serde's `flatten` would keep their numbers as binary floats, so
/// serde is shown a twin without them, and the library sorts the fields.
fn keeping_the_rest(mut item: ItemStruct, rest: &Ident, described: &[String], notes: &SchemaNotes) -> Vec<Item> {
    let name = &item.ident;
    let remote = name.to_string();
    let fields = item.fields.iter().map(|field| {
        let (ident, ty) = (&field.ident, &field.ty);
        if ident.as_ref() == Some(rest) {
            return quote!(#[serde(skip)] #ident: #ty);
        }
        let attrs = field
            .attrs
            .iter()
            .filter(|attribute| attribute.path().is_ident("serde"));
        quote!(#(#attrs)* #ident: #ty)
    });
    let idents = item.fields.iter().filter_map(|field| field.ident.as_ref());
    let text = idents
        .into_iter()
        .find(|ident| *ident != rest)
        .filter(|_| notes.or_text);
    let of_text = text.map(|text| {
        quote! {
            fn of_text(text: &str) -> ::std::option::Option<Self> {
                ::std::option::Option::Some(Self {
                    #text: ::std::option::Option::Some(text.to_owned()),
                    #rest: ::std::default::Default::default(),
                })
            }
        }
    });
    let is_known = notes.is_known.then(|| {
        quote!(
            const IS_KNOWN: bool = true;
        )
    });
    let has_default = item
        .fields
        .iter()
        .all(|field| field.ident.as_ref() == Some(rest) || may_be_missing(&field.ty));
    let twin = quote! {
        const _: () = {
            #[derive(::serde::Deserialize, ::serde::Serialize)]
            #[serde(remote = #remote)]
            struct __Described { #(#fields),* }

            impl ::finrail::rt::v1::wire::KeepsTheRest for #name {
                const DESCRIBED: &'static [&'static str] = &[#(#described),*];
                #is_known

                fn read<'de, D: ::serde::Deserializer<'de>>(deserializer: D) -> ::std::result::Result<Self, D::Error> {
                    __Described::deserialize(deserializer)
                }

                fn write<S: ::serde::Serializer>(&self, serializer: S) -> ::std::result::Result<S::Ok, S::Error> {
                    __Described::serialize(self, serializer)
                }

                #of_text

                fn rest(&self) -> &::finrail::rt::v1::JsonMap {
                    &self.#rest
                }

                fn rest_mut(&mut self) -> &mut ::finrail::rt::v1::JsonMap {
                    &mut self.#rest
                }
            }

            impl<'de> ::serde::Deserialize<'de> for #name {
                fn deserialize<D: ::serde::Deserializer<'de>>(deserializer: D) -> ::std::result::Result<Self, D::Error> {
                    ::finrail::rt::v1::wire::read_with_the_rest(deserializer)
                }
            }

            impl ::serde::Serialize for #name {
                fn serialize<S: ::serde::Serializer>(&self, serializer: S) -> ::std::result::Result<S::Ok, S::Error> {
                    ::finrail::rt::v1::wire::write_with_the_rest(self, serializer)
                }
            }
        };
    };
    let mut out = parse_items(twin);
    for field in &mut item.fields {
        field.attrs.retain(|attribute| !attribute.path().is_ident("serde"));
    }
    for attribute in item
        .attrs
        .iter_mut()
        .filter(|attribute| attribute.path().is_ident("derive"))
    {
        let Ok(derives) = attribute.parse_args_with(Punctuated::<Path, Token![,]>::parse_terminated) else {
            continue;
        };
        let own = derives.iter().filter(|path| {
            let last = path.segments.last().map(|segment| segment.ident.to_string());
            !matches!(last.as_deref(), Some("Serialize" | "Deserialize"))
        });
        let default = has_default.then(|| quote!(, Default));
        *attribute = parse_quote!(#[derive(#(#own),* #default)]);
    }
    out.insert(0, Item::Struct(item));
    out
}

/// Whether the type has a value for a field that is not there.
fn may_be_missing(ty: &Type) -> bool {
    let text = ty.to_token_stream().to_string().replace(' ', "");
    ["Option<", "Vec<", "BTreeMap<"].iter().any(|of| text.contains(of))
}

/// The types that are a secret under another name: `struct Pan(Secret)`, and a name of that.
fn secret_newtypes(items: &[Item]) -> BTreeSet<String> {
    let inner = |item: &Item| match item {
        Item::Struct(item) => match &item.fields {
            syn::Fields::Unnamed(fields) if fields.unnamed.len() == 1 => {
                Some((item.ident.to_string(), type_name(&fields.unnamed[0].ty)))
            }
            _ => None,
        },
        _ => None,
    };
    let newtypes: Vec<(String, String)> = items.iter().filter_map(inner).collect();
    let mut secrets = BTreeSet::new();
    loop {
        let more: Vec<&String> = newtypes
            .iter()
            .filter(|(name, of)| (of == "Secret" || secrets.contains(of)) && !secrets.contains(name))
            .map(|(name, _)| name)
            .collect();
        if more.is_empty() {
            return secrets;
        }
        secrets.extend(more.into_iter().cloned());
    }
}

fn is_display(item: &ItemImpl) -> bool {
    let of = item.trait_.as_ref().and_then(|(path, _)| path.segments.last());
    of.is_some_and(|segment| segment.ident == "Display")
}

/// The kinds of a union.
struct Kinds {
    idents: Vec<Ident>,
    keys: Vec<String>,
    types: Vec<Type>,
    docs: Vec<String>,
}

/// The enum of a union, and what names the kind of a value.
fn enum_of_kinds(name: &Ident, doc: &str, what_names_it: &str, kinds: &Kinds) -> proc_macro2::TokenStream {
    let Kinds {
        idents,
        keys,
        types,
        docs,
    } = kinds;
    quote! {
        #[doc = #doc]
        #[derive(Clone, Debug)]
        #[non_exhaustive]
        pub enum #name {
            #( #[doc = #docs] #idents(#types), )*
            /// A kind that this version does not know.
            Unknown(::finrail::rt::v1::UnknownKind),
        }
        #[finrail_own]
        impl #name {
            #[doc = #what_names_it]
            #[must_use]
            pub fn kind(&self) -> &str {
                match self {
                    #( Self::#idents(_) => #keys, )*
                    Self::Unknown(unknown) => unknown.kind(),
                }
            }
        }
    }
}

/// A union whose kinds a field tells apart.
fn tagged_enum(name: &Ident, description: &str, tag: &str, kinds: &Kinds) -> Vec<Item> {
    let Kinds { idents, keys, .. } = kinds;
    let doc = format!(
        "{description}\n\nIts field `{tag}` names the kind; a kind that this version does not know survives as [`Unknown`](Self::Unknown)."
    );
    let with_its_kind = enum_of_kinds(name, &doc, "What names the kind.", kinds);
    let tokens = quote! {
        #with_its_kind
        #[finrail_own]
        impl ::serde::Serialize for #name {
            fn serialize<S: ::serde::Serializer>(&self, serializer: S) -> ::std::result::Result<S::Ok, S::Error> {
                match self {
                    #( Self::#idents(value) => ::finrail::rt::v1::wire::with_tag(value, #tag, #keys, serializer), )*
                    Self::Unknown(unknown) => ::serde::Serialize::serialize(unknown.json(), serializer),
                }
            }
        }
        #[finrail_own]
        impl<'de> ::serde::Deserialize<'de> for #name {
            fn deserialize<D: ::serde::Deserializer<'de>>(deserializer: D) -> ::std::result::Result<Self, D::Error> {
                let (kind, json) = ::finrail::rt::v1::wire::tagged(deserializer, #tag)?;
                match kind.as_str() {
                    #( #keys => ::finrail::rt::v1::wire::of_kind(&json).map(Self::#idents), )*
                    _ => ::std::result::Result::Ok(Self::Unknown(::finrail::rt::v1::UnknownKind::new(kind, json))),
                }
            }
        }
    };
    parse_items(tokens)
}

/// Whether it is `TryFrom<String>`, which typify writes without the path of `String`.
fn is_of_a_text(item: &ItemImpl) -> bool {
    let path = item.trait_.as_ref().map(|(path, _)| path.to_token_stream().to_string());
    path.is_some_and(|path| path.replace(' ', "").ends_with("::TryFrom<String>"))
}

/// A schema may be called `String` too.
fn with_its_path(item: &mut ItemImpl) {
    if let Some((path, _)) = &mut item.trait_ {
        Texts.visit_path_mut(path);
    }
    methods(item).for_each(|method| Texts.visit_signature_mut(&mut method.sig));
}

/// `String` -> `::std::string::String`
struct Texts;

impl VisitMut for Texts {
    fn visit_type_mut(&mut self, ty: &mut Type) {
        if matches!(ty, Type::Path(path) if path.path.is_ident("String")) {
            *ty = parse_quote!(::std::string::String);
        }
        visit_mut::visit_type_mut(self, ty);
    }
}
