//! The passes over `builder`: what a call sends, under which rules, and its pages.

use finrail_spec::media_type::BodyKind;
use finrail_spec::model::Operation;
use quote::ToTokens;
use syn::visit_mut::{self, VisitMut};
use syn::{Expr, ImplItemFn, Item, ItemImpl, ItemMod, ItemStruct, ItemUse, Lit, Stmt, Type, parse_quote};

use super::forms::form_styles;
use super::pagination;
use super::parts::in_parts;
use super::setter::list_setter;
use super::state::Passes;
use super::tree::*;
use super::union_body::kept_whole;
use crate::document::is_in_steps;
use crate::transform::Prepared;
use finrail_spec::names::pascal_case;

impl Passes<'_> {
    pub(super) fn builders(&mut self, mut module: ItemMod) -> ItemMod {
        set_doc(
            &mut module.attrs,
            "Calls under construction: a setter for each parameter, then `send`.",
        );
        if let Some((_, items)) = module.content.as_mut() {
            *items = std::mem::take(items)
                .into_iter()
                .flat_map(|item| self.builder(item))
                .collect();
        }
        module
    }

    fn builder(&mut self, mut item: Item) -> Vec<Item> {
        kept_whole(&mut item, self.prepared);
        match item {
            Item::Use(item) => vec![import(item)],
            Item::Impl(item) if item.trait_.is_none() => vec![Item::Impl(self.call(item))],
            Item::Struct(mut item) => {
                let of_this = |operation: &&Operation| item.ident == pascal_case(&operation.id);
                let called = self.document.operations.iter().find(of_this);
                let method = called.map_or("", |operation| operation.id.as_str());
                let kind = called.and_then(Operation::content_type).and_then(BodyKind::of);
                let text = format!("A call of [`Client::{method}`](super::Client::{method}).");
                set_doc(&mut item.attrs, &text);
                item.attrs
                    .push(parse_quote!(#[must_use = "nothing is sent until `send`"]));
                if let syn::Fields::Named(fields) = &mut item.fields {
                    // Bytes and no stream: a call can be made again, and what it sends is known before it is sent.
                    for field in fields.named.iter_mut().filter(|_| kind == Some(BodyKind::Bytes)) {
                        if field.ident.as_ref().is_some_and(|name| name == "body") {
                            field.ty = parse_quote!(Result<::finrail::rt::v1::Bytes, String>);
                        }
                    }
                    fields.named.push(parse_quote!(with_: ::finrail::rt::v1::CallOptions));
                }
                let debug = debug_of_a_call(&mut item, method);
                vec![Item::Struct(item), debug]
            }
            other => vec![other],
        }
    }

    /// The methods of one call: its setters, `send`, and its pages where it has any.
    fn call(&mut self, mut item: ItemImpl) -> ItemImpl {
        let name = type_name(&item.self_ty);
        let document = self.document;
        let of_this = |operation: &Operation| pascal_case(&operation.id) == name;
        let Some(index) = document.operations.iter().position(of_this) else {
            return item;
        };
        let operation = &document.operations[index];
        let kind = operation.content_type().and_then(BodyKind::of);
        let mut replies = None;
        for method in methods(&mut item) {
            match method.sig.ident.to_string().as_str() {
                "new" => {
                    method.vis = parse_quote!(pub(super));
                    WithOptions.visit_impl_item_fn_mut(method);
                }
                "send" => {
                    replies = reply_types(&method.sig.output);
                    self.sender(method, operation, index);
                }
                "body" if kind == Some(BodyKind::Bytes) => bytes_setter(method, operation),
                "body" => set_doc(&mut method.attrs, "Sets the request body."),
                "body_map" => set_doc(&mut method.attrs, "Changes the request body."),
                name => self.setter(method, operation, name),
            }
        }
        let with: syn::ImplItem = parse_quote! {
            /// What is set for this call alone: times, retries, headers.
            pub fn with(mut self, options: ::finrail::rt::v1::CallOptions) -> Self {
                self.with_ = options;
                self
            }
        };
        let send = item
            .items
            .iter()
            .position(|item| matches!(item, syn::ImplItem::Fn(method) if method.sig.ident == "send"));
        item.items.insert(send.unwrap_or(item.items.len()), with);
        if let Some((reply, error)) = &replies {
            let divided = match (is_in_steps(operation), pagination::has_headers(document, operation)) {
                (true, _) => in_steps(&mut item, self.root, index, reply, error),
                (false, true) => with_its_request(&mut item, self.root, index, error),
                (false, false) => Ok(()),
            };
            if let Err(reason) = divided {
                self.errors.push(document.error(Some(&operation.id), reason));
            }
        }
        if let Some((reply, error)) = replies {
            match pagination::methods(document, operation, index, self.root, &reply, &error, &self.structs) {
                Ok(items) => item.items.extend(items),
                Err(reason) => self.errors.push(document.error(Some(&operation.id), reason)),
            }
        }
        item
    }

    fn sender(&mut self, method: &mut ImplItemFn, operation: &Operation, index: usize) {
        let text = format!(
            "Sends `{} {}`.\n\n# Errors\n\nSee [`Error`]: what it says of the call's effect is in `outcome()`.",
            operation.method, operation.path
        );
        set_doc(&mut method.attrs, &text);
        let statements = std::mem::take(&mut method.block.stmts);
        method.block.stmts = self.send(operation, index, self.root, statements);
    }

    fn setter(&self, method: &mut ImplItemFn, operation: &Operation, name: &str) {
        let described = self
            .prepared
            .parameter_docs
            .get(&(operation.id.clone(), name.to_owned()));
        let text = described.cloned().unwrap_or_else(|| format!("Sets `{name}`."));
        set_doc(&mut method.attrs, &text);
        list_setter(method);
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
                out.push(parse_quote!(let #response = #client.inner.execute_with(&#client.client, #sent, info, with_).await?;));
                continue;
            }
            Wire {
                operation,
                prepared: self.prepared,
                has_headers,
            }
            .visit_stmt_mut(&mut statement);
            WithOptions.visit_stmt_mut(&mut statement);
            out.push(statement);
        }
        out
    }
}

/// `Debug` of a call: its operation, and nothing of what it carries, which may be secret.
fn debug_of_a_call(item: &mut ItemStruct, operation: &str) -> Item {
    item.attrs.retain(|attribute| !attribute.path().is_ident("derive"));
    item.attrs.push(parse_quote!(#[derive(Clone)]));
    let (ident, name) = (&item.ident, item.ident.to_string());
    parse_quote! {
        impl ::std::fmt::Debug for #ident<'_> {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.debug_struct(#name).field("operation", &#operation).finish_non_exhaustive()
            }
        }
    }
}

/// Divides `send` into what makes the request, what sends it and what reads the reply, and adds `prepare`, between whose
/// steps the caller keeps what it is going to do.
fn in_steps(
    item: &mut ItemImpl,
    root: &proc_macro2::TokenStream,
    index: usize,
    reply: &Type,
    error: &Type,
) -> Result<(), String> {
    let (request, response, read) = request_of_its_own(item, root, index, error)?;
    let send = methods(item).find(|method| method.sig.ident == "send");
    let read_apart = Stmt::Expr(parse_quote!(Self::reply_(#response).await), None);
    send.ok_or_else(changed)?.block.stmts.push(read_apart);
    let steps: ItemImpl = parse_quote! {
        impl X {
            #request

            fn reply_(
                #response: ::finrail::rt::v1::Response,
            ) -> ::std::pin::Pin<
                ::std::boxed::Box<
                    dyn ::std::future::Future<Output = Result<ResponseValue<#reply>, Error<#error>>> + ::std::marker::Send,
                >,
            > {
                ::std::boxed::Box::pin(async move { #read })
            }

            /// Makes the call ready to be sent, with what is to be kept before that. Nothing is sent.
            ///
            /// # Errors
            ///
            /// When a parameter is missing or unfit.
            pub fn prepare(self) -> Result<::finrail::rt::v1::Prepared<'a, #reply, #error>, Error<#error>> {
                let (client, request, with_) = self.request_()?;
                let info = &#root::OPERATIONS[#index];
                ::finrail::rt::v1::prepare(&client.inner, &client.client, request, info, with_, Self::reply_)
            }

            /// Makes the call ready to be sent once more, with the idempotency key of an intent that was kept.
            ///
            /// What the call before may have done, no refusal of this one takes back: every error leaves the outcome unknown.
            ///
            /// # Errors
            ///
            /// When the provider has no header for such a key, or this is not the call of that intent.
            pub fn prepare_again(
                self,
                intent: &::finrail::rt::v1::Intent,
            ) -> Result<::finrail::rt::v1::Prepared<'a, #reply, #error>, Error<#error>> {
                let (client, request, with_) = self.request_().map_err(Error::in_doubt)?;
                let info = &#root::OPERATIONS[#index];
                ::finrail::rt::v1::prepare_again(&client.inner, &client.client, request, info, with_, Self::reply_, intent)
            }
        }
    };
    item.items.extend(steps.items);
    Ok(())
}

/// Divides `send` into what makes the request, which a further page is asked for with too, and the rest.
fn with_its_request(
    item: &mut ItemImpl,
    root: &proc_macro2::TokenStream,
    index: usize,
    error: &Type,
) -> Result<(), String> {
    let (request, _, read) = request_of_its_own(item, root, index, error)?;
    let send = methods(item).find(|method| method.sig.ident == "send");
    send.ok_or_else(changed)?.block.stmts.push(read);
    item.items.push(request);
    Ok(())
}

fn changed() -> String {
    "progenitor's output has changed: `send` is not a request, its execution and a `match`".to_owned()
}

/// Takes what makes the request out of `send`, into a method of its own; with what `send` called the reply, and how it read it.
/// What is left of `send` ends with the reply.
fn request_of_its_own(
    item: &mut ItemImpl,
    root: &proc_macro2::TokenStream,
    index: usize,
    error: &Type,
) -> Result<(syn::ImplItem, syn::Pat, Stmt), String> {
    let send = methods(item)
        .find(|method| method.sig.ident == "send")
        .ok_or_else(changed)?;
    let statements = std::mem::take(&mut send.block.stmts);
    let info = statements
        .iter()
        .position(|statement| statement.to_token_stream().to_string().starts_with("let info ="))
        .ok_or_else(changed)?;
    let [_, Stmt::Local(execution), read] = &statements[info..] else {
        return Err(changed());
    };
    let response = &execution.pat;
    let (client, request) = executed(execution).ok_or_else(changed)?;
    let make = &statements[..info];
    send.block.stmts = parse_quote! {
        let (client, request, with_) = self.request_()?;
        let info = &#root::OPERATIONS[#index];
        let #response = client.inner.execute_with(&client.client, request, info, with_).await?;
    };
    let request = parse_quote! {
        fn request_(
            self,
        ) -> Result<(&'a super::Client, ::finrail::rt::v1::reqwest::Request, ::finrail::rt::v1::CallOptions), Error<#error>> {
            #(#make)*
            Ok((#client, #request, with_))
        }
    };
    Ok((request, response.clone(), read.clone()))
}

/// The client and the request of `client.inner.execute_with(&client.client, request, ..).await?`.
fn executed(execution: &syn::Local) -> Option<(Expr, Expr)> {
    let Expr::Try(tried) = &*execution.init.as_ref()?.expr else {
        return None;
    };
    let Expr::Await(awaited) = &*tried.expr else {
        return None;
    };
    let Expr::MethodCall(call) = &*awaited.base else {
        return None;
    };
    let Expr::Field(inner) = &*call.receiver else {
        return None;
    };
    Some(((*inner.base).clone(), call.args.iter().nth(1)?.clone()))
}

/// The field of the call's options, where a call is made and where it is taken apart.
struct WithOptions;

impl VisitMut for WithOptions {
    fn visit_expr_struct_mut(&mut self, item: &mut syn::ExprStruct) {
        if item.path.is_ident("Self") {
            item.fields
                .push(parse_quote!(with_: ::std::default::Default::default()));
        }
    }

    fn visit_pat_struct_mut(&mut self, item: &mut syn::PatStruct) {
        if item.path.is_ident("Self")
            && let syn::Pat::Struct(with) = parse_quote!(Self { with_ })
        {
            item.fields.extend(with.fields);
        }
    }
}

/// What progenitor imports into its builders, from our runtime.
fn import(item: ItemUse) -> Item {
    let text = item.to_token_stream().to_string();
    if text.contains("types") {
        parse_quote! {
            #[allow(unused_imports)]
            use super::types;
        }
    } else if text.contains("encode_path") {
        parse_quote! {
            #[allow(unused_imports)]
            use super::{ByteStream, Error, RequestBuilderExt, ResponseValue, encode_path};
        }
    } else {
        Item::Use(item)
    }
}

/// Names on the wire, form styles and the error of an unlisted status, inside `send`.
struct Wire<'a> {
    operation: &'a Operation,
    prepared: &'a Prepared,
    has_headers: bool,
}

impl Wire<'_> {
    /// progenitor knows one media type of bytes; the document has its own.
    fn media_type(&self, argument: Option<&mut Expr>) {
        let Some(Expr::Lit(literal)) = argument else { return };
        let Lit::Str(name) = &literal.lit else { return };
        let sent = self
            .operation
            .content_type()
            .filter(|_| name.value() == "application/octet-stream");
        let sent = sent.filter(|sent| BodyKind::of(sent) == Some(BodyKind::Bytes));
        if let Some(sent) = sent {
            literal.lit = Lit::Str(syn::LitStr::new(sent, name.span()));
        }
    }

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
    /// A status that is listed itself is looked for before the class that it is of.
    fn visit_expr_match_mut(&mut self, expression: &mut syn::ExprMatch) {
        visit_mut::visit_expr_match_mut(self, expression);
        if expression
            .expr
            .to_token_stream()
            .to_string()
            .replace(' ', "")
            .ends_with(".status().as_u16()")
        {
            expression.arms.sort_by_key(|arm| match &arm.pat {
                syn::Pat::Lit(_) => 0,
                syn::Pat::Range(_) => 1,
                _ => 2,
            });
        }
    }

    fn visit_expr_call_mut(&mut self, call: &mut syn::ExprCall) {
        visit_mut::visit_expr_call_mut(self, call);
        let function = call.func.to_token_stream().to_string().replace(' ', "");
        if function == "progenitor_client::QueryParam::new" {
            self.rename(call.args.first_mut());
        } else if function.ends_with("HeaderValue::from_static") {
            self.media_type(call.args.first_mut());
        } else if function == "Error::UnexpectedResponse" {
            *call.func = parse_quote!(Error::unexpected);
        } else if function == "Error::ErrorResponse" {
            *call.func = parse_quote!(Error::error_response);
        }
    }

    fn visit_expr_mut(&mut self, expression: &mut Expr) {
        visit_mut::visit_expr_mut(self, expression);
        if let Expr::MethodCall(call) = expression
            && call.method == "form_urlencoded"
            && let (Some(parts), Some(body)) = (self.prepared.parts.get(&self.operation.id), call.args.first())
        {
            let (request, parts) = (&call.receiver, in_parts(parts, body));
            *expression = parse_quote!(::finrail::rt::v1::in_parts(#request, #parts));
        }
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
        } else if call.method == "form_urlencoded" && !self.prepared.parts.contains_key(&self.operation.id) {
            let styles = form_styles(self.operation);
            call.args.push(parse_quote!(#styles));
        }
    }
}

/// A body of bytes takes what is bytes, and no stream: what is sent has to be known to be kept and looked up.
fn bytes_setter(method: &mut ImplItemFn, operation: &Operation) {
    let text = format!(
        "Sets the request body: bytes or a text, sent as `{}`.",
        operation.content_type().unwrap_or_default()
    );
    let setter: ImplItemFn = parse_quote! {
        pub fn body<B>(mut self, value: B) -> Self
        where
            B: ::std::convert::Into<::finrail::rt::v1::Bytes>,
        {
            self.body = Ok(value.into());
            self
        }
    };
    *method = setter;
    set_doc(&mut method.attrs, &text);
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
