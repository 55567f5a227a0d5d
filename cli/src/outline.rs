//! The public Rust surface of a generated client as text: what users of the crate see of a change.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use quote::ToTokens;
use syn::{Attribute, Fields, FnArg, ImplItem, Item, Signature, Stmt, Visibility};

/// What a user of the crate can name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outline {
    /// Path to signature. A path with `.` is a field, one with `::` the rest.
    entries: BTreeMap<String, String>,
}

impl Outline {
    /// Reads the surface from a generated file.
    #[must_use]
    pub fn of(file: &syn::File) -> Self {
        let mut outline = Self::default();
        outline.items(&file.items, "");
        outline
    }

    /// The entries.
    #[must_use]
    pub fn entries(&self) -> &BTreeMap<String, String> {
        &self.entries
    }

    /// The outline as a file, as `command` makes it.
    #[must_use]
    pub fn render(&self, module: &str, command: &str) -> String {
        let mut text = format!(
            "# The public Rust surface of `{module}`. Made by `{command} regen`; not edited by hand.\n\
             # Types with a builder are made by it: they may gain optional fields in a minor version.\n"
        );
        let mut holder = "";
        for (path, signature) in &self.entries {
            let inside = !holder.is_empty()
                && path
                    .strip_prefix(holder)
                    .is_some_and(|rest| rest.starts_with('.') || rest.starts_with("::"));
            if inside {
                let _ = writeln!(text, "    {}{signature}", &path[holder.len()..]);
            } else {
                holder = path;
                let _ = writeln!(text, "\n{path}{signature}");
            }
        }
        text
    }

    fn add(&mut self, path: String, signature: String) {
        self.entries.insert(path, signature);
    }

    fn items(&mut self, items: &[Item], module: &str) {
        // `types::builder` says again, field by field, what `types` says.
        let setters = module.ends_with("types::builder::") || module.ends_with("types::error::");
        for item in items {
            match item {
                Item::Mod(inner) if public(&inner.vis) => {
                    let items = inner.content.as_ref().map(|(_, items)| items.as_slice());
                    self.items(items.unwrap_or_default(), &format!("{module}{}::", inner.ident));
                }
                _ if setters => {}
                Item::Struct(item) if public(&item.vis) => {
                    let path = format!("{module}{}", item.ident);
                    self.add(path.clone(), format!(": struct{}", openness(&item.attrs)));
                    self.fields(&item.fields, &path, true);
                }
                Item::Enum(item) if public(&item.vis) => self.enumeration(item, module),
                Item::Type(item) if public(&item.vis) => {
                    self.add(format!("{module}{}", item.ident), format!(" = {}", plain(&item.ty)));
                }
                Item::Static(item) if public(&item.vis) => {
                    self.add(format!("{module}{}", item.ident), format!(": {}", plain(&item.ty)));
                }
                Item::Const(item) if public(&item.vis) => {
                    self.add(format!("{module}{}", item.ident), format!(": {}", plain(&item.ty)));
                }
                Item::Impl(item) => self.implementation(item, module),
                _ => {}
            }
        }
    }

    fn enumeration(&mut self, item: &syn::ItemEnum, module: &str) {
        let path = format!("{module}{}", item.ident);
        self.add(path.clone(), format!(": enum{}", openness(&item.attrs)));
        for variant in &item.variants {
            let path = format!("{path}::{}", variant.ident);
            self.add(path.clone(), payload(&variant.fields));
            if matches!(variant.fields, Fields::Named(_)) {
                self.fields(&variant.fields, &path, false);
            }
        }
    }

    fn implementation(&mut self, item: &syn::ItemImpl, module: &str) {
        let holder = format!("{module}{}", plain(&item.self_ty)).replace("<'a>", "");
        let Some((path, _)) = &item.trait_ else {
            return self.methods(&item.items, &holder);
        };
        // What a provider can do, and what it cannot, is told by traits of the crate.
        let name = plain(path);
        if name.starts_with("grant::") || name == "Environment" {
            self.add(format!("{holder}::(implements {name})"), String::new());
        }
    }

    fn fields(&mut self, fields: &Fields, path: &str, only_public: bool) {
        for (index, field) in fields.iter().enumerate() {
            if only_public && !public(&field.vis) {
                continue;
            }
            let name = field
                .ident
                .as_ref()
                .map_or_else(|| index.to_string(), ToString::to_string);
            self.add(format!("{path}.{name}"), format!(": {}", plain(&field.ty)));
        }
    }

    fn methods(&mut self, items: &[ImplItem], holder: &str) {
        let needed = needed_parameters(items);
        for item in items {
            match item {
                ImplItem::Fn(method) if public(&method.vis) => {
                    let name = method.sig.ident.to_string();
                    let must = if needed.contains(&name) { ", needed" } else { "" };
                    self.add(format!("{holder}::{name}"), format!("{}{must}", signature(&method.sig)));
                }
                ImplItem::Const(item) if public(&item.vis) => {
                    self.add(format!("{holder}::{}", item.ident), format!(": {}", plain(&item.ty)));
                }
                _ => {}
            }
        }
    }
}

/// What an unnamed variant holds.
fn payload(fields: &Fields) -> String {
    let Fields::Unnamed(fields) = fields else {
        return String::new();
    };
    let types: Vec<String> = fields.unnamed.iter().map(|field| plain(&field.ty)).collect();
    format!("({})", types.join(", "))
}

/// The parameters without which a call is not sent: a builder starts them as errors.
fn needed_parameters(items: &[ImplItem]) -> Vec<String> {
    let starts = items.iter().filter_map(|item| match item {
        ImplItem::Fn(method) if method.sig.ident == "new" => Some(&method.block.stmts),
        _ => None,
    });
    let starts = starts.flatten().filter_map(|statement| match statement {
        Stmt::Expr(syn::Expr::Struct(start), _) => Some(&start.fields),
        _ => None,
    });
    let needed = starts
        .flatten()
        .filter(|field| field.expr.to_token_stream().to_string().starts_with("Err"));
    needed.map(|field| field.member.to_token_stream().to_string()).collect()
}

fn signature(signature: &Signature) -> String {
    let bounds: BTreeMap<String, String> = signature
        .generics
        .where_clause
        .iter()
        .flat_map(|clause| &clause.predicates)
        .filter_map(|predicate| match predicate {
            syn::WherePredicate::Type(bound) => {
                let bounds: Vec<String> = bound.bounds.iter().map(plain).collect();
                Some((plain(&bound.bounded_ty), bounds.join(" + ")))
            }
            _ => None,
        })
        .collect();
    let mut inputs = Vec::new();
    for input in &signature.inputs {
        match input {
            FnArg::Receiver(receiver) => inputs.push(plain(receiver).replace("mut self", "self")),
            FnArg::Typed(argument) => {
                let kind = plain(&argument.ty);
                let kind = bounds.get(&kind).map_or(kind, |bound| format!("impl {bound}"));
                inputs.push(format!("{}: {kind}", plain(&argument.pat)));
            }
        }
    }
    let output = match &signature.output {
        syn::ReturnType::Default => String::new(),
        syn::ReturnType::Type(_, output) => format!(" -> {}", plain(output)),
    };
    let asynchronous = if signature.asyncness.is_some() { " async" } else { "" };
    format!("({}){asynchronous}{output}", inputs.join(", "))
}

fn public(visibility: &Visibility) -> bool {
    matches!(visibility, Visibility::Public(_))
}

fn openness(attributes: &[Attribute]) -> &'static str {
    if attributes
        .iter()
        .any(|attribute| attribute.path().is_ident("non_exhaustive"))
    {
        ", open"
    } else {
        ""
    }
}

/// Tokens as a person writes them, without the paths that generated code needs.
fn plain(tokens: &impl ToTokens) -> String {
    let mut text = tokens.to_token_stream().to_string();
    for (from, to) in [
        (" :: ", "::"),
        (":: ", "::"),
        (" ::", "::"),
        (" < ", "<"),
        ("< ", "<"),
        (" <", "<"),
        (" >", ">"),
        (" ,", ","),
        ("& ", "&"),
        ("( ", "("),
        (" )", ")"),
        (" (", "("),
    ] {
        text = text.replace(from, to);
    }
    for path in [
        "::std::option::",
        "::std::vec::",
        "::std::string::",
        "::std::result::",
        "::std::collections::",
        "::std::convert::",
        "std::convert::",
        "::std::iter::",
        "::finrail::rt::v1::",
        "::finrail::",
    ] {
        text = text.replace(path, "");
    }
    text.replace("<'_>", "")
        .replace(",>", ">")
        .replace("implInto", "impl Into")
}

/// How one generation of a client differs from another, for users of the crate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effect {
    /// The same code.
    Same,
    /// Only documentation differs.
    DocsOnly,
    /// Code that compiled and worked still does.
    Additive,
    /// Code that compiled no longer does, or no longer sends what is needed.
    Breaking,
}

impl Effect {
    /// The word in reports.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Same => "same",
            Self::DocsOnly => "docs-only",
            Self::Additive => "additive",
            Self::Breaking => "breaking",
        }
    }
}

/// One difference between two outlines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Breaking or additive.
    pub effect: Effect,
    /// The path.
    pub path: String,
    /// What happened to it.
    pub what: String,
}

/// What changed between two outlines. `required_in_requests` are the fields
/// (`types::NewLabel.text`) without which a request cannot be made.
#[must_use]
pub fn differences(old: &Outline, new: &Outline, required_in_requests: &dyn Fn(&str) -> bool) -> Vec<Difference> {
    let mut found = Vec::new();
    for (path, was) in &old.entries {
        match new.entries.get(path) {
            None => found.push(Difference {
                effect: Effect::Breaking,
                path: path.clone(),
                what: format!("is gone (was `{}`)", shown(path, was)),
            }),
            Some(is) if is != was => found.push(Difference {
                effect: if is == &was.replace(", needed", "") {
                    Effect::Additive
                } else {
                    Effect::Breaking
                },
                path: path.clone(),
                what: format!("was `{}`, is `{}`", shown(path, was), shown(path, is)),
            }),
            Some(_) => {}
        }
    }
    for (path, is) in new.entries.iter().filter(|(path, _)| !old.entries.contains_key(*path)) {
        let holder_is_new = |separator: &str| {
            path.rfind(separator)
                .is_some_and(|at| !old.entries.contains_key(&path[..at]))
        };
        let inside_something_new = if path.contains('.') {
            holder_is_new(".")
        } else {
            holder_is_new("::")
        };
        let must = is.ends_with(", needed") || (path.contains('.') && required_in_requests(path));
        let (effect, what) = if must && !inside_something_new {
            (Effect::Breaking, format!("is new and needed: `{}`", shown(path, is)))
        } else if closed(old, path) {
            (
                Effect::Breaking,
                format!(
                    "is new in an enum that callers may match without a wildcard: `{}`",
                    shown(path, is)
                ),
            )
        } else {
            (Effect::Additive, format!("is new: `{}`", shown(path, is)))
        };
        found.push(Difference {
            effect,
            path: path.clone(),
            what,
        });
    }
    found.sort_by(|a, b| (b.effect, &a.path).cmp(&(a.effect, &b.path)));
    found
}

/// Whether a path is a variant of an enum that was there and is not open.
fn closed(old: &Outline, path: &str) -> bool {
    path.rfind("::")
        .and_then(|at| old.entries.get(&path[..at]))
        .is_some_and(|holder| holder == ": enum")
        && path
            .rsplit("::")
            .next()
            .is_some_and(|name| name.starts_with(|c: char| c.is_ascii_uppercase()))
}

fn shown(path: &str, signature: &str) -> String {
    let name = path.rsplit(['.', ':']).next().unwrap_or(path);
    format!("{name}{signature}")
}

/// The code without its documentation, for telling whether only that changed.
#[must_use]
pub fn without_docs(file: &syn::File) -> String {
    struct Strip;
    impl syn::visit_mut::VisitMut for Strip {
        fn visit_attributes_mut(&mut self, attributes: &mut Vec<Attribute>) {
            attributes.retain(|attribute| !attribute.path().is_ident("doc"));
        }
    }
    let mut file = file.clone();
    syn::visit_mut::VisitMut::visit_file_mut(&mut Strip, &mut file);
    file.to_token_stream().to_string()
}
