//! The passes over `builder`: what a call sends, under which rules, and its pages.

use super::types::list_setter;
use super::*;

impl Passes<'_> {
    pub(super) fn builders(&mut self, mut module: ItemMod) -> ItemMod {
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
                    item.attrs
                        .push(parse_quote!(#[must_use = "nothing is sent until `send`"]));
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
                    FormStyle::Brackets => quote!(::finrail::rt::v1::FormStyle::Brackets),
                    FormStyle::Map => quote!(::finrail::rt::v1::FormStyle::Map),
                };
                quote!((#name, #style))
            });
            call.args.push(parse_quote!(&[#(#fields),*]));
        }
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
