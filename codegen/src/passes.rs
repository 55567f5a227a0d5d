//! From progenitor's tree to ours: the passes over one generated client.

use std::collections::BTreeMap;

use quote::{ToTokens, format_ident, quote};
use syn::punctuated::Punctuated;
use syn::visit_mut::{self, VisitMut};
use syn::{
    Attribute, Expr, File, FnArg, GenericArgument, Ident, ImplItem, Item, ItemEnum, ItemImpl, ItemMod, ItemStruct, Lit,
    Meta, Path, PathArguments, Stmt, Token, Type, WherePredicate, parse_quote,
};

use crate::document::{Document, Operation};
use crate::documentation;
use crate::error::Error;
use crate::names::{pascal_case, variant_name};
use crate::pagination;
use crate::transform::{Prepared, SchemaNotes};
use crate::vocabulary::FormStyle;

/// Rewrites one generated client; `root` is the path from its `builder` module to the provider's module.
pub(crate) fn run(
    document: &Document,
    prepared: &Prepared,
    tree: File,
    root: &proc_macro2::TokenStream,
    example_module: Option<&str>,
) -> Result<Vec<Item>, Error> {
    let mut passes = Passes {
        document,
        prepared,
        root,
        example_module,
        structs: BTreeMap::new(),
        errors: Vec::new(),
    };
    let mut items = passes.items(tree);
    if let Some(error) = passes.errors.into_iter().next() {
        return Err(error);
    }
    for item in &mut items {
        Paths.visit_item_mut(item);
    }
    // A word of progenitor's own runtime that is still there means that its output has changed under a pass.
    for item in &items {
        let text = item.to_token_stream().to_string();
        if let Some((word, at)) = [
            "progenitor_client",
            "\"api-version\"",
            "codegen_marker",
            "OperationInfo",
        ]
        .iter()
        .find_map(|word| text.find(word).map(|at| (word, at)))
        {
            let context: String = text
                .chars()
                .skip(text[..at].chars().count().saturating_sub(60))
                .take(120)
                .collect();
            return Err(document.error(
                None,
                format!("progenitor's output has changed: `{word}` is left in `{context}`"),
            ));
        }
    }
    Ok(items)
}

/// Fields of a generated struct: (Rust name, name on the wire, type).
pub(crate) type StructFields = Vec<(Ident, String, Type)>;

struct Passes<'a> {
    document: &'a Document,
    prepared: &'a Prepared,
    root: &'a proc_macro2::TokenStream,
    example_module: Option<&'a str>,
    structs: BTreeMap<String, StructFields>,
    errors: Vec<Error>,
}

impl Passes<'_> {
    fn items(&mut self, tree: File) -> Vec<Item> {
        let mut out: Vec<Item> = vec![parse_quote! {
            #[allow(unused_imports)]
            use ::finrail::transport::{ByteStream, Error, RequestBuilderExt, ResponseValue, encode_path};
        }];
        for item in tree.items {
            match item {
                Item::Mod(module) if module.ident == "types" => out.push(Item::Mod(self.types(module))),
                Item::Mod(module) if module.ident == "builder" => out.push(Item::Mod(self.builders(module))),
                Item::Struct(client) if client.ident == "Client" => out.extend(self.client(client)),
                Item::Impl(item) if item.trait_.is_none() => out.extend(self.client_methods(item).map(Item::Impl)),
                // The re-exports, the hooks and the prelude are progenitor's runtime; ours is imported above.
                _ => {}
            }
        }
        out
    }

    fn client(&mut self, mut client: ItemStruct) -> Vec<Item> {
        // The items beside the client make it from its parts; at a crate's root there is nothing above them.
        let in_a_module = self.root.to_string() != "super";
        for field in &mut client.fields {
            field.vis = if in_a_module {
                parse_quote!(pub(super))
            } else {
                syn::Visibility::Inherited
            };
        }
        let info = &self.document.json["info"];
        let title = info["title"].as_str().unwrap_or_default();
        let description = documentation::prose(info["description"].as_str().unwrap_or_default());
        let checked = info["version"].as_str().unwrap_or_default();
        set_doc(
            &mut client.attrs,
            &format!(
                "Client of {title}.\n\n{description}\n\nThe specification was last checked against its sources on {checked}."
            ),
        );
        // `Debug` is written by hand: the base URL and nothing else.
        client.attrs.retain(|attribute| !attribute.path().is_ident("derive"));
        client.attrs.push(parse_quote!(#[derive(Clone)]));
        vec![
            Item::Struct(client),
            parse_quote! {
                impl ::std::fmt::Debug for Client {
                    fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                        f.debug_struct("Client").field("baseurl", &self.baseurl).finish_non_exhaustive()
                    }
                }
            },
        ]
    }

    fn client_methods(&mut self, mut item: ItemImpl) -> Option<ItemImpl> {
        item.items.retain(|item| match item {
            ImplItem::Fn(method) => method.sig.ident != "new" && method.sig.ident != "new_with_client",
            _ => true,
        });
        for item in &mut item.items {
            let ImplItem::Fn(method) = item else { continue };
            let name = method.sig.ident.to_string();
            if let Some(operation) = self.operation(&name) {
                let text = documentation::method(self.document, operation, self.example_module);
                set_doc(&mut method.attrs, &text);
            }
        }
        (!item.items.is_empty()).then_some(item)
    }

    fn operation(&self, method: &str) -> Option<&Operation> {
        self.document.operations.iter().find(|operation| operation.id == method)
    }

    // ---- types -----------------------------------------------------------------------------------------------------

    fn types(&mut self, mut module: ItemMod) -> ItemMod {
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
                        out.push(Item::Struct(self.structure(item)));
                    }
                }
                other => out.push(other),
            }
        }
        out.retain_mut(|item| match item {
            // What typify derived for the types that are now ours.
            Item::Impl(item) => {
                let own = item.attrs.iter().any(is_marker);
                item.attrs.retain(|attribute| !is_marker(attribute));
                own || !replaced.contains(&type_name(&item.self_ty))
            }
            _ => true,
        });
        for item in &mut out {
            match item {
                Item::Mod(inner) if inner.ident == "builder" => self.type_builders(inner, &replaced),
                Item::Impl(item) if item.trait_.is_none() => {
                    for method in methods(item) {
                        if method.sig.ident == "builder" {
                            set_doc(&mut method.attrs, "Starts to build one.");
                        }
                    }
                }
                _ => {}
            }
        }
        *items = out;
        module
    }

    fn structure(&mut self, mut item: ItemStruct) -> ItemStruct {
        let name = item.ident.to_string();
        let empty = SchemaNotes::default();
        let notes = self.prepared.schemas.get(&name).unwrap_or(&empty);
        tidy_doc(&mut item.attrs, notes.description.as_deref());
        let lenient_newtype = self.document.json["components"]["schemas"][&name]["x-lenient"] == "array";
        let mut fields: StructFields = Vec::new();
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
            if !field.attrs.iter().any(is_flatten) {
                if ident != wire {
                    field.attrs.push(parse_quote!(#[serde(rename = #wire)]));
                }
                for alias in field_notes.into_iter().flat_map(|notes| &notes.aliases) {
                    field.attrs.push(parse_quote!(#[serde(alias = #alias)]));
                }
                let lenient = field_notes.is_some_and(|notes| notes.lenient_array);
                self.field_type(&name, &mut field.ty, &mut field.attrs, lenient);
            } else {
                set_doc(
                    &mut field.attrs,
                    "Fields that the specification does not describe, as they came.",
                );
            }
            fields.push((ident, wire, field.ty.clone()));
        }
        self.structs.insert(name, fields);
        item
    }

    /// Gives a field the serde code that its type needs.
    fn field_type(&mut self, parent: &str, ty: &mut Type, attrs: &mut Vec<Attribute>, lenient_array: bool) {
        let text = ty.to_token_stream().to_string().replace(' ', "");
        let marker = ["DecimalNumber", "DecimalString", "LenientBool", "LenientString"]
            .into_iter()
            .find(|marker| text.contains(&format!("codegen_marker::{marker}")));
        let optional = text.starts_with("::std::option::Option<");
        let list = text.starts_with("::std::vec::Vec<");
        let map = text.starts_with("::std::collections::BTreeMap<") || text.starts_with("::serde_json::Map<");
        if let Some(marker) = marker {
            if list || map {
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
                "::finrail::transport::wire::{module}{}",
                if optional { "::option" } else { "" }
            );
            if optional {
                attrs.push(parse_quote!(#[serde(default, with = #with)]));
            } else {
                attrs.push(parse_quote!(#[serde(with = #with)]));
            }
        } else if list && lenient_array {
            attrs.push(parse_quote!(#[serde(deserialize_with = "::finrail::transport::wire::lenient_array")]));
        } else if list || map {
            attrs.push(parse_quote!(#[serde(deserialize_with = "::finrail::transport::wire::null_as_default")]));
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
        let docs = values.iter().map(|value| format!("`{value}`"));
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
            impl ::finrail::transport::wire::OpenEnum for #name {
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
                    ::finrail::transport::wire::open_enum(deserializer, #list)
                }
            }
        };
        parse_items(tokens)
    }

    fn wrapper_enum(&mut self, item: &ItemStruct, notes: Option<&SchemaNotes>) -> Vec<Item> {
        let name = &item.ident;
        let mut doc = notes.and_then(|notes| notes.description.clone()).unwrap_or_default();
        doc.push_str("\n\nThe one key of the object names the kind; a kind that this version does not know survives as [`Unknown`](Self::Unknown).");
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
        let visitor = format_ident!("{name}Visitor");
        let expecting = format!("an object whose key is one of {}", keys.join(", "));
        let tokens = quote! {
            #[doc = #doc]
            #[derive(Clone, Debug)]
            #[non_exhaustive]
            pub enum #name {
                #( #[doc = #docs] #idents(#types), )*
                /// A kind that this version does not know.
                Unknown(::finrail::UnknownKind),
            }
            #[finrail_own]
            impl #name {
                /// The key that names the kind.
                #[must_use]
                pub fn kind(&self) -> &str {
                    match self {
                        #( Self::#idents(_) => #keys, )*
                        Self::Unknown(unknown) => unknown.kind(),
                    }
                }
            }
            #[finrail_own]
            impl ::serde::Serialize for #name {
                fn serialize<S: ::serde::Serializer>(&self, serializer: S) -> ::std::result::Result<S::Ok, S::Error> {
                    use ::finrail::rt::serde::ser::SerializeMap as _;
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
                    let mut known = None;
                    let mut unknown = None;
                    while let Some(key) = map.next_key::<::std::string::String>()? {
                        match key.as_str() {
                            #( #keys => {
                                if let Some(value) = map.next_value::<::std::option::Option<#types>>()? {
                                    known = Some(#name::#idents(value));
                                }
                            } )*
                            _ => {
                                let json = map.next_value::<::std::boxed::Box<::serde_json::value::RawValue>>()?;
                                unknown.get_or_insert_with(|| ::finrail::UnknownKind::new(key, json));
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
        let structs = &self.structs;
        for item in items {
            match item {
                Item::Struct(item) => {
                    let text = format!("Builder for [`{0}`](super::{0}).", item.ident);
                    set_doc(&mut item.attrs, &text);
                }
                Item::Impl(item) if item.trait_.is_none() => {
                    let parent = item.self_ty.to_token_stream().to_string();
                    let notes = self.prepared.schemas.get(&parent);
                    for method in methods(item) {
                        let name = method.sig.ident.to_string();
                        let wire = structs
                            .get(&parent)
                            .and_then(|fields| fields.iter().find(|(ident, _, _)| ident == &name))
                            .map(|(_, wire, _)| wire.as_str());
                        let text = notes
                            .and_then(|notes| notes.fields.values().find(|field| Some(field.wire.as_str()) == wire))
                            .and_then(|field| field.description.clone())
                            .unwrap_or_else(|| format!("Sets `{name}`."));
                        set_doc(&mut method.attrs, &text);
                        unwrap_optional_setter(method);
                        list_setter(method);
                    }
                }
                _ => {}
            }
        }
    }

    // ---- operation builders -----------------------------------------------------------------------------------------

    fn builders(&mut self, mut module: ItemMod) -> ItemMod {
        set_doc(
            &mut module.attrs,
            "Calls under construction: a setter for each parameter, then `send`.",
        );
        let Some((_, items)) = module.content.as_mut() else {
            return module;
        };
        let root = self.root;
        let mut out: Vec<Item> = Vec::new();
        for item in std::mem::take(items) {
            match item {
                Item::Use(item) if item.to_token_stream().to_string().contains("types") => out.push(parse_quote! {
                    #[allow(unused_imports)]
                    use super::types;
                }),
                Item::Use(item) if item.to_token_stream().to_string().contains("encode_path") => {
                    out.push(parse_quote! {
                        #[allow(unused_imports)]
                        use super::{ByteStream, Error, RequestBuilderExt, ResponseValue, encode_path};
                    })
                }
                Item::Impl(mut item) if item.trait_.is_none() => {
                    let name = type_name(&item.self_ty);
                    let Some(index) = self
                        .document
                        .operations
                        .iter()
                        .position(|operation| pascal_case(&operation.id) == name)
                    else {
                        out.push(Item::Impl(item));
                        continue;
                    };
                    let operation = &self.document.operations[index];
                    let mut replies = None;
                    for method in methods(&mut item) {
                        let method_name = method.sig.ident.to_string();
                        match method_name.as_str() {
                            "new" => {
                                method.vis = parse_quote!(pub(super));
                            }
                            "send" => {
                                let text = format!(
                                    "Sends `{} {}`.\n\n# Errors\n\nSee [`Error`]: what it says of the call's effect is in `outcome()`.",
                                    operation.method, operation.path
                                );
                                set_doc(&mut method.attrs, &text);
                                replies = reply_types(&method.sig.output);
                                let statements = std::mem::take(&mut method.block.stmts);
                                method.block.stmts = self.send(operation, index, root, statements);
                            }
                            "body" => set_doc(&mut method.attrs, "Sets the request body."),
                            "body_map" => set_doc(&mut method.attrs, "Changes the request body."),
                            _ => {
                                let text = self
                                    .prepared
                                    .parameter_docs
                                    .get(&(operation.id.clone(), method_name.clone()))
                                    .cloned()
                                    .unwrap_or_else(|| format!("Sets `{method_name}`."));
                                set_doc(&mut method.attrs, &text);
                                list_setter(method);
                            }
                        }
                    }
                    if let Some((reply, error)) = replies {
                        match pagination::methods(self.document, operation, index, root, &reply, &error, &self.structs)
                        {
                            Ok(items) => item.items.extend(items),
                            Err(reason) => self.errors.push(self.document.error(Some(&operation.id), reason)),
                        }
                    }
                    out.push(Item::Impl(item));
                }
                Item::Struct(mut item) => {
                    let method = self
                        .document
                        .operations
                        .iter()
                        .find(|operation| item.ident == pascal_case(&operation.id))
                        .map_or_else(String::new, |operation| operation.id.clone());
                    set_doc(
                        &mut item.attrs,
                        &format!("A call of [`Client::{method}`](super::Client::{method})."),
                    );
                    out.push(Item::Struct(item));
                }
                other => out.push(other),
            }
        }
        *items = out;
        module
    }

    /// The body of `send`: progenitor's request building, our execution.
    fn send(
        &mut self,
        operation: &Operation,
        index: usize,
        root: &proc_macro2::TokenStream,
        statements: Vec<Stmt>,
    ) -> Vec<Stmt> {
        let mut out = Vec::new();
        let mut request: Option<(Expr, Expr)> = None;
        // Without progenitor's own header the map of header parameters is often empty.
        let has_headers = statements.iter().any(|statement| {
            let text = statement.to_token_stream().to_string().replace(' ', "");
            text.contains("header_map.append(") && !text.contains("\"api-version\"")
        });
        for mut statement in statements {
            let text = statement.to_token_stream().to_string().replace(' ', "");
            if !has_headers && text.starts_with("letmutheader_map=") {
                continue;
            }
            if text.contains("\"api-version\"") || text.contains(".pre(&mut") || text.contains(".post(&") {
                continue;
            }
            if text.starts_with("letinfo=OperationInfo") {
                out.push(parse_quote!(let info = &#root::OPERATIONS[#index];));
                continue;
            }
            if text.contains(".exec(") {
                request = exec_arguments(&statement);
                continue;
            }
            if let (Stmt::Local(local), Some((client, sent))) = (&statement, &request)
                && text.ends_with("?;")
                && !text.contains('(')
            {
                let response = &local.pat;
                out.push(parse_quote!(let #response = #client.inner.execute(&#client.client, #sent, info).await?;));
                continue;
            }
            Wire {
                operation,
                prepared: self.prepared,
                has_headers,
            }
            .visit_stmt_mut(&mut statement);
            out.push(statement);
        }
        out
    }
}

/// Names on the wire, form styles and the error of an unlisted status, inside `send`.
struct Wire<'a> {
    operation: &'a Operation,
    prepared: &'a Prepared,
    has_headers: bool,
}

impl Wire<'_> {
    fn rename(&self, argument: Option<&mut Expr>) {
        let Some(Expr::Lit(literal)) = argument else { return };
        let Lit::Str(name) = &literal.lit else { return };
        if let Some(wire) = self
            .prepared
            .parameter_names
            .get(&(self.operation.id.clone(), name.value()))
        {
            literal.lit = Lit::Str(syn::LitStr::new(wire, name.span()));
        }
    }
}

impl VisitMut for Wire<'_> {
    fn visit_expr_call_mut(&mut self, call: &mut syn::ExprCall) {
        visit_mut::visit_expr_call_mut(self, call);
        let function = call.func.to_token_stream().to_string().replace(' ', "");
        if function == "progenitor_client::QueryParam::new" {
            self.rename(call.args.first_mut());
        } else if function == "Error::UnexpectedResponse" {
            *call.func = parse_quote!(Error::unexpected);
        } else if function == "Error::ErrorResponse" {
            *call.func = parse_quote!(Error::error_response);
        }
    }

    fn visit_expr_mut(&mut self, expression: &mut Expr) {
        visit_mut::visit_expr_mut(self, expression);
        if let Expr::MethodCall(call) = expression
            && call.method == "headers"
            && !self.has_headers
        {
            *expression = (*call.receiver).clone();
        }
    }

    fn visit_expr_method_call_mut(&mut self, call: &mut syn::ExprMethodCall) {
        visit_mut::visit_expr_method_call_mut(self, call);
        if call.method == "append" {
            self.rename(call.args.first_mut());
        } else if call.method == "form_urlencoded" {
            let fields = self.operation.form.iter().map(|(name, style)| {
                let style = match style {
                    FormStyle::Brackets => quote!(::finrail::transport::FormStyle::Brackets),
                    FormStyle::Map => quote!(::finrail::transport::FormStyle::Map),
                };
                quote!((#name, #style))
            });
            call.args.push(parse_quote!(&[#(#fields),*]));
        }
    }
}

/// Outside crates are reached through the library, so that a user's `build.rs` needs none of them.
struct Paths;

impl VisitMut for Paths {
    fn visit_path_mut(&mut self, path: &mut Path) {
        visit_mut::visit_path_mut(self, path);
        let Some(first) = path.segments.first().map(|segment| segment.ident.to_string()) else {
            return;
        };
        let outside = ["serde", "serde_json", "reqwest", "chrono", "uuid"].contains(&first.as_str());
        let through_us = path.segments.len() > 1 && outside && (path.leading_colon.is_some() || first == "reqwest");
        if through_us {
            let segments = std::mem::take(&mut path.segments);
            *path = parse_quote!(::finrail::rt::#segments);
        } else if first == "progenitor_client" {
            let segments: Vec<_> = path.segments.iter().skip(1).collect();
            *path = parse_quote!(::finrail::transport::#(#segments)::*);
        } else if path.segments.iter().any(|segment| segment.ident == "codegen_marker") {
            let marker = path
                .segments
                .last()
                .map(|segment| segment.ident.to_string())
                .unwrap_or_default();
            *path = match marker.as_str() {
                "LenientBool" => parse_quote!(bool),
                "LenientString" => parse_quote!(::std::string::String),
                _ => parse_quote!(::finrail::Decimal),
            };
        }
    }

    /// "conversion to `:: a :: B` for c failed": the type's own name is enough.
    fn visit_lit_str_mut(&mut self, literal: &mut syn::LitStr) {
        let text = literal.value();
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
            attributes.push(parse_quote!(#[serde(crate = "::finrail::rt::serde")]));
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
                .replace("::serde_json::", "::finrail::rt::serde_json::");
            *text = syn::LitStr::new(&path, text.span());
        }
    }
    *attribute = parse_quote!(#[serde(#metas)]);
}

// ---- small questions to the tree -----------------------------------------------------------------------------------

fn parse_items(tokens: proc_macro2::TokenStream) -> Vec<Item> {
    syn::parse2::<File>(tokens).map(|file| file.items).unwrap_or_default()
}

fn is_marker(attribute: &Attribute) -> bool {
    attribute.path().is_ident("finrail_own")
}

fn is_flatten(attribute: &Attribute) -> bool {
    attribute.path().is_ident("serde") && attribute.to_token_stream().to_string().contains("flatten")
}

fn methods(item: &mut ItemImpl) -> impl Iterator<Item = &mut syn::ImplItemFn> {
    item.items.iter_mut().filter_map(|item| match item {
        ImplItem::Fn(method) => Some(method),
        _ => None,
    })
}

fn type_name(ty: &Type) -> String {
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

pub(crate) fn inner_of_option(ty: &Type) -> Option<&Type> {
    generic_of(ty, "Option")
}

pub(crate) fn inner_of_vec(ty: &Type) -> Option<&Type> {
    generic_of(ty, "Vec")
}

fn generic_of<'t>(ty: &'t Type, outer: &str) -> Option<&'t Type> {
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
fn reply_types(output: &syn::ReturnType) -> Option<(Type, Type)> {
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

/// `let result = client.exec(request, &info).await;` -> (client, request)
fn exec_arguments(statement: &Stmt) -> Option<(Expr, Expr)> {
    let Stmt::Local(local) = statement else { return None };
    let Expr::Await(awaited) = &*local.init.as_ref()?.expr else {
        return None;
    };
    let Expr::MethodCall(call) = &*awaited.base else {
        return None;
    };
    Some(((*call.receiver).clone(), call.args.first()?.clone()))
}

/// Takes `rename = ".."` out of the serde attributes.
fn take_rename(attributes: &mut Vec<Attribute>) -> Option<String> {
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

fn set_doc(attributes: &mut Vec<Attribute>, text: &str) {
    attributes.retain(|attribute| !attribute.path().is_ident("doc"));
    let text = doc_text(text);
    attributes.insert(0, parse_quote!(#[doc = #text]));
}

/// Keeps the words of a doc comment, drops the JSON Schema that typify appends, and fills a gap from the specification.
fn tidy_doc(attributes: &mut Vec<Attribute>, description: Option<&str>) {
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
    text.trim()
        .lines()
        .map(|line| format!(" {line}"))
        .collect::<Vec<_>>()
        .join("\n")
}

/// `value: T where T: TryInto<Option<X>>` becomes `T: TryInto<X>`.
fn unwrap_optional_setter(method: &mut syn::ImplItemFn) {
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
fn list_setter(method: &mut syn::ImplItemFn) {
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
