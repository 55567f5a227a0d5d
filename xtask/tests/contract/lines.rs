//! What a contract offers, a line for each thing.

use std::collections::{BTreeMap, BTreeSet};

use quote::ToTokens;
use syn::punctuated::Punctuated;
use syn::visit_mut::VisitMut;
use syn::{Fields, FnArg, Generics, ImplItem, Item, ReturnType, Signature, Token, TraitItem, TypeParamBound};

use crate::tree::{Found, Tree, flatten, has, is_always_there, is_public, name_of, plain};

/// What a module of contracts offers, with the crates whose types are in it.
///
/// What an application sets up has methods for people, which are no part of the contract. `taken` says which of them
/// generated code calls: `ClientBuilder::new`.
pub(crate) fn lines<'a>(tree: &'a Tree, contract: &[&str], taken: &'a BTreeSet<String>) -> Lines<'a> {
    let module: Vec<String> = contract.iter().map(|name| (*name).to_owned()).collect();
    let mut lines = Lines {
        tree,
        found: BTreeSet::new(),
        crates: BTreeSet::new(),
        aliases: BTreeMap::new(),
        taken,
    };
    lines.module("", &module);
    lines.aliases();
    lines
}

pub(crate) struct Lines<'a> {
    tree: &'a Tree,
    pub(crate) found: BTreeSet<String>,
    pub(crate) crates: BTreeSet<String>,
    /// The other names of types that signatures use, and whether each is written down.
    aliases: BTreeMap<(Vec<String>, String), bool>,
    taken: &'a BTreeSet<String>,
}

impl<'a> Lines<'a> {
    /// What the other names stand for that are in signatures.
    fn aliases(&mut self) {
        while let Some(key) = self
            .aliases
            .iter()
            .find(|(_, done)| !**done)
            .map(|(key, _)| key.clone())
        {
            self.aliases.insert(key.clone(), true);
            let (module, name) = key;
            self.path(&format!("type {name}"), &module, &["self".to_owned(), name.clone()]);
        }
    }

    fn add(&mut self, line: impl Into<String>) {
        self.found.insert(line.into());
    }

    /// Everything public of a module, and what it hands on.
    fn module(&mut self, prefix: &str, module: &[String]) {
        let items = self.tree.modules().find(|(path, _)| path.as_slice() == module);
        let (_, items) = items.unwrap_or_else(|| panic!("there is no module {}", module.join("::")));
        for item in items {
            if let Item::Use(item) = item {
                if is_public(&item.vis) {
                    let mut given = Vec::new();
                    flatten(&item.tree, &mut Vec::new(), &mut given);
                    for (name, path) in given {
                        assert_ne!(name, "*", "write the names out: {}::*", path.join("::"));
                        self.path(&format!("{prefix}{name}"), module, &path);
                    }
                }
            } else if let Some(name) = name_of(item)
                && is_public(visibility(item))
            {
                let name = plain(name);
                self.path(&format!("{prefix}{name}"), module, &["self".to_owned(), name]);
            }
        }
    }

    fn path(&mut self, name: &str, module: &[String], path: &[String]) {
        if let [root, exported] = path
            && root == "crate"
            && self.tree.exports(exported)
        {
            self.add(format!("{name}!: macro"));
            return;
        }
        let found = self.tree.resolve(module, path);
        assert!(
            !found.is_empty(),
            "{} leads to nothing that users always have",
            path.join("::")
        );
        for found in found {
            match found {
                Found::Outside(path) => {
                    self.crates.insert(path[0].clone());
                    self.add(format!("{name} = {}", path.join("::")));
                }
                Found::Module(inner) => {
                    self.add(format!("{name}: module"));
                    self.module(&format!("{name}::"), &inner);
                }
                Found::Item(module, item) => self.item(name, &module, item),
            }
        }
    }

    fn item(&mut self, name: &str, module: &[String], item: &'a Item) {
        match item {
            Item::Const(item) => {
                let line = format!("{name}: {}", self.kind(module, &item.ty));
                self.add(line);
            }
            Item::Static(item) => {
                let line = format!("{name}: {}", self.kind(module, &item.ty));
                self.add(line);
            }
            Item::Type(item) => {
                let generics = self.generics(module, &item.generics);
                let line = format!("{name}{generics} = {}", self.kind(module, &item.ty));
                self.add(line);
            }
            Item::Fn(item) => {
                let line = self.signature(name, module, &item.sig);
                self.add(line);
            }
            Item::Struct(item) => {
                let generics = self.generics(module, &item.generics);
                let whole = self.whole(module, item);
                self.add(format!("{name}: struct{generics}{whole}"));
                self.fields(&format!("{name}."), module, &item.fields, false);
                self.derives(name, &item.attrs);
                self.impls(name, module, &item.ident);
            }
            Item::Enum(item) => {
                let generics = self.generics(module, &item.generics);
                self.add(format!("{name}: enum{generics}"));
                if !has(&item.attrs, "non_exhaustive") {
                    // Whoever has an arm for each variant would need one more.
                    let all: Vec<String> = item.variants.iter().map(|variant| plain(&variant.ident)).collect();
                    self.add(format!("{name}: is matched without `_`, with {{{}}}", all.join(", ")));
                }
                for variant in item.variants.iter().filter(|variant| is_always_there(&variant.attrs)) {
                    let variant_name = format!("{name}::{}", plain(&variant.ident));
                    // A field more would break whoever writes the variant.
                    let all: Vec<String> = fields_of(&variant.fields).collect();
                    let all = if has(&variant.attrs, "non_exhaustive") {
                        "..".to_owned()
                    } else {
                        all.join(", ")
                    };
                    self.add(format!("{variant_name} {{{all}}}"));
                    self.fields(&format!("{variant_name}."), module, &variant.fields, true);
                }
                self.derives(name, &item.attrs);
                self.impls(name, module, &item.ident);
            }
            Item::Trait(item) => self.a_trait(name, module, item),
            other => panic!("{name}: what is this? {}", other.to_token_stream()),
        }
    }

    /// Which fields whoever writes a structure has to name: none, where it ends in `..BASE` or nobody else can write it.
    fn whole(&self, module: &[String], item: &syn::ItemStruct) -> String {
        let can_be_written =
            item.fields.iter().all(|field| is_public(&field.vis)) && !has(&item.attrs, "non_exhaustive");
        if !can_be_written {
            return String::new();
        }
        if self.has_base(module, &item.ident) {
            return ", which is written with `..BASE`".to_owned();
        }
        let all: Vec<String> = fields_of(&item.fields).collect();
        format!(", which has {{{}}}", all.join(", "))
    }

    fn has_base(&self, module: &[String], name: &syn::Ident) -> bool {
        self.impls_of(module, name).into_iter().any(|(_, found)| {
            found
                .items
                .iter()
                .any(|item| matches!(item, ImplItem::Const(base) if base.ident == "BASE" && is_public(&base.vis)))
        })
    }

    fn fields(&mut self, prefix: &str, module: &[String], fields: &Fields, all: bool) {
        for (n, field) in fields.iter().enumerate() {
            if (all || is_public(&field.vis)) && is_always_there(&field.attrs) {
                let name = field.ident.as_ref().map_or_else(|| n.to_string(), plain);
                let line = format!("{prefix}{name}: {}", self.kind(module, &field.ty));
                self.add(line);
            }
        }
    }

    fn derives(&mut self, name: &str, attributes: &[syn::Attribute]) {
        for attribute in attributes
            .iter()
            .filter(|attribute| attribute.path().is_ident("derive"))
        {
            let _ = attribute.parse_nested_meta(|derived| {
                let last = derived.path.segments.last();
                self.add(format!(
                    "{name}: has {}",
                    last.map(|last| plain(&last.ident)).unwrap_or_default()
                ));
                Ok(())
            });
        }
    }

    fn a_trait(&mut self, name: &str, module: &[String], item: &'a syn::ItemTrait) {
        let generics = self.generics(module, &item.generics);
        let above = self.bounds(module, &item.supertraits);
        let above = if above.is_empty() { above } else { format!(": {above}") };
        let mut needed = BTreeSet::new();
        for member in item
            .items
            .iter()
            .filter(|member| is_always_there(attributes_in_trait(member)))
        {
            let (member_name, line, has_default) = match member {
                TraitItem::Fn(member) => {
                    let member_name = plain(&member.sig.ident);
                    let line = self.signature(&format!("{name}::{member_name}"), module, &member.sig);
                    (member_name, line, member.default.is_some())
                }
                TraitItem::Const(member) => {
                    let member_name = plain(&member.ident);
                    let line = format!("{name}::{member_name}: const {}", self.kind(module, &member.ty));
                    (member_name, line, member.default.is_some())
                }
                TraitItem::Type(member) => {
                    let member_name = plain(&member.ident);
                    let generics = self.generics(module, &member.generics);
                    let bounds = self.bounds(module, &member.bounds);
                    let line = format!("{name}::{member_name}: type{generics} {bounds}");
                    (member_name, line.trim_end().to_owned(), member.default.is_some())
                }
                other => panic!("{name}: what is this? {}", other.to_token_stream()),
            };
            self.add(line);
            if !has_default {
                needed.insert(member_name);
            }
        }
        // One more that is needed would break whoever implements the trait.
        let needed: Vec<String> = needed.into_iter().collect();
        self.add(format!(
            "{name}: trait{generics}{above}, which needs {{{}}}",
            needed.join(", ")
        ));
        // Which types have it, such as one of another crate.
        for (at, found) in self.all_impls() {
            let Some((path, _)) = &found.trait_ else { continue };
            if found.generics.lt_token.is_none() && self.leads_to(at, path, module, &item.ident) {
                let of = self.kind(at, &found.self_ty);
                self.add(format!("{name}: is had by {of}"));
            }
        }
    }

    /// What the `impl`s of a type give it.
    fn impls(&mut self, name: &str, module: &[String], ident: &syn::Ident) {
        for (at, found) in self.impls_of(module, ident) {
            let generics = self.generics(at, &found.generics);
            let of = self.kind(at, &found.self_ty);
            if let Some((path, _)) = &found.trait_ {
                let mut path = path.clone();
                self.visitor(at).visit_path_mut(&mut path);
                let path = tidy(&path);
                let line = format!("{name}: impl{generics} {path} for {of}");
                self.add(line);
                continue;
            }
            // Where it is not for every kind of the type.
            let whom = if found.generics.params.is_empty() && found.generics.where_clause.is_none() {
                String::new()
            } else {
                format!(", of impl{generics} {of}")
            };
            let is_for_people = module.first().is_some_and(|room| room == "app");
            for item in &found.items {
                match item {
                    ImplItem::Fn(item)
                        if is_for_people && !self.taken.contains(&format!("{name}::{}", plain(&item.sig.ident))) => {}
                    ImplItem::Fn(item) if is_public(&item.vis) && is_always_there(&item.attrs) => {
                        let line = self.signature(&format!("{name}::{}", plain(&item.sig.ident)), at, &item.sig);
                        self.add(format!("{line}{whom}"));
                    }
                    ImplItem::Const(item) if is_public(&item.vis) && is_always_there(&item.attrs) => {
                        let kind = self.kind(at, &item.ty);
                        self.add(format!("{name}::{}: {kind}{whom}", plain(&item.ident)));
                        if item.ident == "BASE" {
                            self.base(name, &item.expr);
                        }
                    }
                    ImplItem::Macro(call) => panic!("{name}: write out what this makes: {}", call.to_token_stream()),
                    _ => {}
                }
            }
        }
    }

    /// What code that leaves a field out means by that.
    fn base(&mut self, name: &str, value: &syn::Expr) {
        match value {
            syn::Expr::Struct(value) => {
                for field in &value.fields {
                    self.add(format!("{name}::BASE.{} = {}", tidy(&field.member), tidy(&field.expr)));
                }
            }
            other => self.add(format!("{name}::BASE = {}", tidy(other))),
        }
    }

    fn all_impls(&self) -> Vec<(&'a [String], &'a syn::ItemImpl)> {
        let mut all = Vec::new();
        for (at, items) in self.tree.modules() {
            for item in items {
                if let Item::Impl(found) = item {
                    all.push((at.as_slice(), found));
                }
            }
        }
        all
    }

    fn impls_of(&self, module: &[String], ident: &syn::Ident) -> Vec<(&'a [String], &'a syn::ItemImpl)> {
        let mut all = self.all_impls();
        all.retain(|(at, found)| {
            let syn::Type::Path(of) = &*found.self_ty else {
                return false;
            };
            self.leads_to(at, &of.path, module, ident)
        });
        all
    }

    fn leads_to(&self, at: &[String], path: &syn::Path, module: &[String], ident: &syn::Ident) -> bool {
        let path: Vec<String> = path.segments.iter().map(|segment| plain(&segment.ident)).collect();
        let found = self.tree.resolve(at, &path);
        found.iter().any(|found| match found {
            Found::Item(in_module, item) => in_module == module && name_of(item) == Some(ident),
            Found::Module(_) | Found::Outside(_) => false,
        })
    }

    /// A function without the names of its arguments.
    fn signature(&mut self, name: &str, module: &[String], signature: &Signature) -> String {
        let mut words = String::new();
        if signature.constness.is_some() {
            words.push_str("const ");
        }
        if signature.asyncness.is_some() {
            words.push_str("async ");
        }
        let (generics, bounds) = self.generics_and_bounds(module, &signature.generics);
        let arguments: Vec<String> = signature
            .inputs
            .iter()
            .map(|argument| match argument {
                FnArg::Receiver(receiver) => {
                    let receiver = tidy(receiver);
                    receiver.strip_prefix("mut ").unwrap_or(&receiver).to_owned()
                }
                FnArg::Typed(argument) => self.kind(module, &argument.ty),
            })
            .collect();
        let output = match &signature.output {
            ReturnType::Default => String::new(),
            ReturnType::Type(_, kind) => format!(" -> {}", self.kind(module, kind)),
        };
        format!("{name}: {words}fn{generics}({}){output}{bounds}", arguments.join(", "))
    }

    fn generics(&mut self, module: &[String], generics: &Generics) -> String {
        let (params, bounds) = self.generics_and_bounds(module, generics);
        params + &bounds
    }

    fn generics_and_bounds(&mut self, module: &[String], generics: &Generics) -> (String, String) {
        let mut generics = generics.clone();
        self.visitor(module).visit_generics_mut(&mut generics);
        let params = &generics.params;
        let params = if params.is_empty() {
            String::new()
        } else {
            format!("<{}>", tidy(params))
        };
        let bounds = generics.where_clause.as_ref().map(|bounds| {
            let bounds = tidy(bounds);
            format!(" {}", bounds.trim_end_matches(','))
        });
        (params, bounds.unwrap_or_default())
    }

    fn kind(&mut self, module: &[String], kind: &syn::Type) -> String {
        let mut kind = kind.clone();
        self.visitor(module).visit_type_mut(&mut kind);
        tidy(&kind)
    }

    fn bounds(&mut self, module: &[String], bounds: &Punctuated<TypeParamBound, Token![+]>) -> String {
        let mut bounds = bounds.clone();
        for bound in &mut bounds {
            self.visitor(module).visit_type_param_bound_mut(bound);
        }
        tidy(&bounds)
    }

    fn visitor(&mut self, module: &[String]) -> WholePaths<'_> {
        WholePaths {
            tree: self.tree,
            module: module.to_vec(),
            crates: &mut self.crates,
            aliases: &mut self.aliases,
        }
    }
}

/// Gives what comes from another crate its whole path, so that another thing of the same name is seen.
struct WholePaths<'a> {
    tree: &'a Tree,
    module: Vec<String>,
    crates: &'a mut BTreeSet<String>,
    aliases: &'a mut BTreeMap<(Vec<String>, String), bool>,
}

impl VisitMut for WholePaths<'_> {
    fn visit_path_mut(&mut self, path: &mut syn::Path) {
        let names: Vec<String> = path.segments.iter().map(|segment| plain(&segment.ident)).collect();
        let found = self.tree.resolve(&self.module, &names[..1]);
        let whole_path = self.tree.resolve(&self.module, &names);
        if let Some(Found::Item(module, syn::Item::Type(alias))) = whole_path.first() {
            let key = (module.clone(), plain(&alias.ident));
            self.aliases.entry(key).or_insert(false);
        }
        if let Some(Found::Outside(whole)) = found.first() {
            // `T::Item` starts with a parameter.
            let is_crate = path.segments.len() > 1 && !whole[0].starts_with(char::is_uppercase);
            if whole.len() > 1 || is_crate {
                self.crates.insert(whole[0].clone());
            }
            let start: syn::Path = syn::parse_str(&whole.join("::")).expect("a path");
            let arguments = path.segments[0].arguments.clone();
            let rest = path.segments.iter().skip(1).cloned();
            let mut segments: Punctuated<syn::PathSegment, Token![::]> = start.segments.into_iter().collect();
            if let Some(last) = segments.last_mut() {
                last.arguments = arguments;
            }
            segments.extend(rest);
            path.segments = segments;
        }
        syn::visit_mut::visit_path_mut(self, path);
    }
}

/// The names of fields, or their numbers.
fn fields_of(fields: &Fields) -> impl Iterator<Item = String> {
    fields
        .iter()
        .enumerate()
        .map(|(n, field)| field.ident.as_ref().map_or_else(|| n.to_string(), plain))
}

/// Tokens as people write them.
fn tidy(tokens: &impl ToTokens) -> String {
    let mut text = tokens.to_token_stream().to_string();
    for (spaced, close) in [
        (" :: ", "::"),
        (":: ", "::"),
        (" < ", "<"),
        ("< ", "<"),
        (" >", ">"),
        ("& ", "&"),
        (" ,", ","),
        (",>", ">"),
        (" (", "("),
        ("( ", "("),
        (" )", ")"),
        ("[ ", "["),
        (" ]", "]"),
        (" ;", ";"),
        (" : ", ": "),
        ("? ", "?"),
        ("=(", "= ("),
        ("=[", "= ["),
        (">->", "> ->"),
        (" - >", " ->"),
    ] {
        text = text.replace(spaced, close);
    }
    text
}

fn visibility(item: &Item) -> &syn::Visibility {
    match item {
        Item::Const(item) => &item.vis,
        Item::Enum(item) => &item.vis,
        Item::Fn(item) => &item.vis,
        Item::Mod(item) => &item.vis,
        Item::Static(item) => &item.vis,
        Item::Struct(item) => &item.vis,
        Item::Trait(item) => &item.vis,
        Item::Type(item) => &item.vis,
        Item::Union(item) => &item.vis,
        _ => &syn::Visibility::Inherited,
    }
}

fn attributes_in_trait(item: &TraitItem) -> &[syn::Attribute] {
    match item {
        TraitItem::Const(item) => &item.attrs,
        TraitItem::Fn(item) => &item.attrs,
        TraitItem::Type(item) => &item.attrs,
        TraitItem::Macro(item) => &item.attrs,
        _ => &[],
    }
}
