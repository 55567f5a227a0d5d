//! What generated text looks like: rules for every client, and the items that a reader meets as they are.
#![allow(clippy::unwrap_used, clippy::panic)]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use finrail_codegen::{Options, generate, tree};
use serde_json::{Value, json};
use syn::visit_mut::{self, VisitMut};
use syn::{Attribute, Expr, Item, Lit, Meta, Visibility};

/// The five bundles, and the one with every kind of thing in it.
fn bundles() -> Vec<(String, String)> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let of_the_project = std::fs::read_dir(here.join("../specs/bundled")).unwrap();
    let mut paths: Vec<_> = of_the_project.map(|entry| entry.unwrap().path()).collect();
    assert_eq!(paths.len(), 5);
    paths.push(here.join("tests/every-kind/every_kind.json"));
    paths
        .into_iter()
        .map(|path| {
            let name = path.file_stem().unwrap().to_string_lossy().into_owned();
            (name, std::fs::read_to_string(path).unwrap())
        })
        .collect()
}

/// These, and that of a bank of one's own.
fn all_bundles() -> Vec<(String, String)> {
    let own = include_str!("own-bank/bank.json").to_owned();
    bundles().into_iter().chain([("own".to_owned(), own)]).collect()
}

#[test]
fn the_authorization_server_that_the_readme_shows_is_one_that_is_generated() {
    let readme = include_str!("../README.md");
    let shown = readme.split("```json").nth(1).unwrap().split("```").next().unwrap();
    let client = support::client(&support::patched(&serde_json::from_str(shown).unwrap())).unwrap();
    let profile = client.split_whitespace().collect::<Vec<_>>().join(" ");
    for written in [
        r#"authorize_path: ::std::option::Option::Some("/authorize")"#,
        r#"grants: &["authorization_code", "refresh_token"]"#,
        "authorization_code: ::finrail::rt::v1::ClientAuthentication::Post",
        "refresh_token: ::finrail::rt::v1::ClientAuthentication::Basic",
    ] {
        assert!(profile.contains(written), "{written}");
    }
    assert!(!client.contains("pub fn authorize("), "a browser opens it");
}

fn every_kind() -> syn::File {
    let (_, bundle) = bundles().pop().unwrap();
    tree("every_kind.json", &bundle, &Options::default()).unwrap()
}

fn words(attributes: &[Attribute]) -> String {
    let texts = attributes.iter().filter_map(|attribute| match &attribute.meta {
        Meta::NameValue(pair) if pair.path.is_ident("doc") => match &pair.value {
            Expr::Lit(syn::ExprLit {
                lit: Lit::Str(text), ..
            }) => Some(text.value()),
            _ => None,
        },
        _ => None,
    });
    texts.collect::<Vec<_>>().join("\n").trim().to_owned()
}

/// Collects what a client must not have.
#[derive(Default)]
struct Rules {
    broken: Vec<String>,
}

impl Rules {
    fn documented(&mut self, visibility: &Visibility, attributes: &[Attribute], name: &dyn std::fmt::Display) {
        if matches!(visibility, Visibility::Public(_)) {
            self.described(attributes, name);
        }
    }

    fn described(&mut self, attributes: &[Attribute], name: &dyn std::fmt::Display) {
        if words(attributes).is_empty() {
            self.broken.push(format!("`{name}` has no documentation"));
        }
    }
}

impl VisitMut for Rules {
    fn visit_path_mut(&mut self, path: &mut syn::Path) {
        let first = path
            .segments
            .first()
            .map(|segment| segment.ident.to_string())
            .unwrap_or_default();
        if path.leading_colon.is_some() && !["finrail", "std"].contains(&first.as_str()) {
            self.broken.push(format!("a path into the crate `{first}`"));
        }
        if path
            .segments
            .iter()
            .any(|segment| segment.ident == "f64" || segment.ident == "f32")
        {
            self.broken.push("a binary float".to_owned());
        }
        visit_mut::visit_path_mut(self, path);
    }

    /// What a structure of the library gets later must not break the code.
    fn visit_expr_struct_mut(&mut self, made: &mut syn::ExprStruct) {
        if made.path.leading_colon.is_some() && made.rest.is_none() {
            let path = made.path.segments.iter().map(|segment| segment.ident.to_string());
            let path = path.collect::<Vec<_>>().join("::");
            self.broken.push(format!(
                "`{path}` is written out, without base values for fields to come"
            ));
        }
        visit_mut::visit_expr_struct_mut(self, made);
    }

    fn visit_lit_str_mut(&mut self, text: &mut syn::LitStr) {
        if text.value().contains("api-version") {
            self.broken.push("a header that no provider asked for".to_owned());
        }
    }

    fn visit_item_mut(&mut self, item: &mut Item) {
        match item {
            Item::Struct(item) => self.documented(&item.vis, &item.attrs, &item.ident),
            Item::Enum(item) => self.documented(&item.vis, &item.attrs, &item.ident),
            Item::Mod(item) => self.documented(&item.vis, &item.attrs, &item.ident),
            Item::Type(item) => self.documented(&item.vis, &item.attrs, &item.ident),
            Item::Static(item) => self.documented(&item.vis, &item.attrs, &item.ident),
            _ => {}
        }
        visit_mut::visit_item_mut(self, item);
    }

    fn visit_field_mut(&mut self, field: &mut syn::Field) {
        // The field of a tuple struct is described by the struct.
        if let Some(name) = &field.ident {
            self.documented(&field.vis, &field.attrs, name);
        }
        visit_mut::visit_field_mut(self, field);
    }

    fn visit_variant_mut(&mut self, variant: &mut syn::Variant) {
        self.described(&variant.attrs, &variant.ident);
        visit_mut::visit_variant_mut(self, variant);
    }

    fn visit_impl_item_fn_mut(&mut self, method: &mut syn::ImplItemFn) {
        self.documented(&method.vis, &method.attrs, &method.sig.ident);
        visit_mut::visit_impl_item_fn_mut(self, method);
    }

    fn visit_impl_item_const_mut(&mut self, constant: &mut syn::ImplItemConst) {
        self.documented(&constant.vis, &constant.attrs, &constant.ident);
        visit_mut::visit_impl_item_const_mut(self, constant);
    }
}

#[test]
fn no_client_breaks_a_rule() {
    for (name, bundle) in all_bundles() {
        let mut tree = tree(&name, &bundle, &Options::default()).unwrap();
        let mut rules = Rules::default();
        rules.visit_file_mut(&mut tree);
        assert!(rules.broken.is_empty(), "{name}: {:#?}", rules.broken);
        let text = prettyplease::unparse(&tree);
        for word in ["progenitor", "codegen_marker", "Described by its type"] {
            let line = text.lines().find(|line| line.contains(word));
            assert_eq!(line, None, "{name}: `{word}`");
        }
    }
}

/// The fields of the library's structures that generated code writes.
#[derive(Default)]
struct Fields(BTreeSet<String>);

impl VisitMut for Fields {
    fn visit_expr_struct_mut(&mut self, made: &mut syn::ExprStruct) {
        if made.path.leading_colon.is_some()
            && let Some(name) = made.path.segments.last()
        {
            let name = name.ident.to_string();
            let fields = made.fields.iter().map(|field| match &field.member {
                syn::Member::Named(field) => format!("{name}.{field}"),
                syn::Member::Unnamed(place) => format!("{name}.{}", place.index),
            });
            self.0.extend(fields);
        }
        visit_mut::visit_expr_struct_mut(self, made);
    }
}

/// The names of the contract in a text, those in the texts of attributes included.
fn names_of_the_contract(text: &str) -> BTreeSet<String> {
    let of_a_name = |c: char| c.is_alphanumeric() || matches!(c, '_' | ':');
    let names = text.split("::finrail::rt::v1::").skip(1).flat_map(|rest| {
        let names: Vec<&str> = match rest.strip_prefix('{') {
            Some(group) => group.split('}').next().unwrap_or_default().split(',').collect(),
            None => rest.split(|c| !of_a_name(c)).take(1).collect(),
        };
        names
            .into_iter()
            .map(|name| name.trim().trim_end_matches(':').to_owned())
    });
    names.filter(|name| !name.is_empty()).collect()
}

/// Rows of a mock have the operation's method, its place in the table, and the names of its types.
#[test]
fn every_operation_that_is_called_is_told_to_mocks() {
    for (name, bundle) in all_bundles() {
        let code = generate(&name, &bundle, &Options::default()).unwrap();
        let plain = code.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(
            plain.matches("token token;").count(),
            1,
            "{name}: one endpoint gives tokens"
        );
        let table = plain.split_once("pub static OPERATIONS").unwrap().1;
        let table = table.split_once("];").unwrap().0;
        for (index, row) in table.split("::finrail::rt::v1::Operation {").skip(1).enumerate() {
            let id = row.split('"').nth(1).unwrap();
            let told = format!(" {id} {index}usize ");
            let is_called = row.contains("browser: false");
            assert_eq!(plain.contains(&told), is_called, "{name}: {id}");
        }
    }
}

/// Each name that is taken stands in `since.txt` with the minor number that had it first (7: that, or earlier ones), and the
/// greatest of them is the one that the code asks for. So a name more is a number more, and no finrail that lacks it is asked.
fn numbered(contracts: &BTreeSet<String>, taken: &BTreeSet<String>) {
    let listed = include_str!("since.txt").lines().filter(|line| !line.starts_with('#'));
    let listed: BTreeMap<&str, u32> = listed
        .map(|line| line.split_once(' ').unwrap())
        .map(|(number, name)| (name, number.parse().unwrap()))
        .collect();
    let greatest = *listed.values().max().unwrap();
    let unlisted: Vec<_> = taken
        .iter()
        .filter(|name| !listed.contains_key(name.as_str()))
        .collect();
    assert!(
        unlisted.is_empty(),
        "generated code newly needs {unlisted:?} of the contract: add lines `{} NAME` to since.txt unless that number is not \
         published yet, an arm for it in src/rt/mod.rs, and raise MINOR in codegen/src/generate.rs to it",
        greatest + 1
    );
    let asked = format!("::finrail::rt::contract! {{ 1, {greatest}");
    assert_eq!(
        contracts.iter().collect::<Vec<_>>(),
        [&asked],
        "MINOR and since.txt differ"
    );
}

#[test]
fn what_is_taken_from_the_contract() {
    let mut fields = Fields::default();
    let mut taken = BTreeSet::new();
    let mut contracts = BTreeSet::new();
    for (name, bundle) in all_bundles() {
        fields.visit_file_mut(&mut tree(&name, &bundle, &Options::default()).unwrap());
        let text = generate(&name, &bundle, &Options::default()).unwrap();
        let numbers = text
            .lines()
            .nth(1)
            .unwrap()
            .trim_end_matches(',')
            .rsplit_once(',')
            .unwrap()
            .0;
        contracts.insert(numbers.to_owned());
        taken.extend(names_of_the_contract(&text));
    }
    taken.extend(fields.0);
    numbered(&contracts, &taken);
    let lines = |set: BTreeSet<String>| set.into_iter().collect::<Vec<_>>().join("\n");
    check(&format!("{}\n\n{}\n", lines(contracts), lines(taken)));
}

/// What a problem of RFC 9457 is described with may be there in a success too, but for what is named as an error's.
#[test]
fn an_error_is_known_by_members_whose_names_say_so() {
    let text = std::fs::read_to_string("tests/own-bank/bank.json").unwrap();
    let mut bundle: serde_json::Value = serde_json::from_str(&text).unwrap();
    let member = serde_json::json!({ "type": "string", "description": "x" });
    let names = [
        "type",
        "title",
        "detail",
        "instance",
        "id",
        "errorCode",
        "fault_text",
        "validation_errors",
    ];
    let properties = names.map(|name| (name.to_owned(), member.clone()));
    bundle["components"]["schemas"]["Refusal"]["properties"] = serde_json::Map::from_iter(properties).into();
    let created = &mut bundle["paths"]["/v1/payouts"]["post"]["responses"]["201"];
    created.as_object_mut().unwrap().remove("content").unwrap();
    let client = support::client(&bundle.to_string()).unwrap();
    let words = client.split_whitespace().collect::<String>();
    let payout = words.split(r#"id:"create_payout""#).nth(1).unwrap();
    let known = payout.split("error_members:&[").nth(1).unwrap().split(']').next();
    assert_eq!(
        known.map(|known| known.trim_end_matches(',')),
        Some(r#""error","errorCode","errors","fault_text","validation_errors""#)
    );
}

#[test]
fn the_same_bundle_gives_the_same_text() {
    for (name, bundle) in bundles() {
        let options = Options {
            module: Some(format!("finrail::{name}")),
        };
        let text = generate(&name, &bundle, &options).unwrap();
        assert_eq!(text, generate(&name, &bundle, &options).unwrap());
        assert!(text.starts_with("// @generated by finrail-codegen"), "{name}");
    }
}

/// Every item with a name, the `impl`s of a type included, in the order of the text.
fn items(tree: &syn::File, module: &str, wanted: &[&str]) -> String {
    let items = match module {
        "" => &tree.items,
        module => tree
            .items
            .iter()
            .find_map(|item| match item {
                Item::Mod(found) if found.ident == module => found.content.as_ref().map(|(_, items)| items),
                _ => None,
            })
            .unwrap(),
    };
    let named = items.iter().filter(|item| {
        let name = match item {
            Item::Struct(item) => item.ident.to_string(),
            Item::Enum(item) => item.ident.to_string(),
            Item::Static(item) => item.ident.to_string(),
            // The twin of a struct, which serde is shown in its place.
            Item::Const(item) => {
                let text = quote::ToTokens::to_token_stream(item).to_string();
                let remote = text.split("remote = \"").nth(1);
                remote
                    .and_then(|text| text.split('"').next())
                    .unwrap_or_default()
                    .to_owned()
            }
            Item::Impl(item) => match &*item.self_ty {
                syn::Type::Path(path) => path
                    .path
                    .segments
                    .last()
                    .map(|s| s.ident.to_string())
                    .unwrap_or_default(),
                _ => String::new(),
            },
            _ => String::new(),
        };
        wanted.contains(&name.as_str())
    });
    prettyplease::unparse(&syn::File {
        shebang: None,
        frontmatter: None,
        attrs: Vec::new(),
        items: named.cloned().collect(),
    })
}

/// Compares with the snapshot that has the name of the test.
fn check(text: &str) {
    let thread = std::thread::current();
    let test = thread.name().unwrap_or_default();
    insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => false }, {
        insta::assert_snapshot!(format!("generated_{test}"), text);
    });
}

#[test]
fn an_open_enum() {
    check(&items(&every_kind(), "types", &["ShapesStatus"]));
}

#[test]
fn kinds_by_key() {
    check(&items(&every_kind(), "types", &["Node", "NodeVisitor"]));
}

#[test]
fn a_struct_of_every_type() {
    check(&items(&every_kind(), "types", &["Shapes"]));
}

#[test]
fn a_call_with_parameters() {
    check(&items(&every_kind(), "builder", &["GetNames"]));
}

#[test]
fn a_call_with_a_form() {
    check(&items(&every_kind(), "builder", &["SendForm"]));
}

#[test]
fn a_call_with_pages() {
    check(&items(&every_kind(), "builder", &["ListCursor", "ListLinked"]));
}

#[test]
fn what_stands_beside_the_client() {
    check(&items(
        &every_kind(),
        "",
        &["OPERATIONS", "PROFILE", "Scope", "Environment", "Extra"],
    ));
}

#[test]
fn the_documentation_of_a_call() {
    let text = prettyplease::unparse(&every_kind());
    let options = Options {
        module: Some("every_kind".to_owned()),
    };
    let with_examples = tree("every_kind.json", &bundles().pop().unwrap().1, &options).unwrap();
    let with_examples = prettyplease::unparse(&with_examples);
    assert!(!text.contains("```"));
    assert!(with_examples.contains("only with `Idempotency-Key` set"));
    assert!(with_examples.contains("```no_run"));
    let file: syn::File = syn::parse_str(&with_examples).unwrap();
    let docs = file.items.iter().find_map(|item| match item {
        Item::Impl(item) => item.items.iter().find_map(|item| match item {
            syn::ImplItem::Fn(method) if method.sig.ident == "send_shapes" => Some(words(&method.attrs)),
            _ => None,
        }),
        _ => None,
    });
    check(&docs.unwrap());
}

/// The documentation of everything that is generated, an entry for each.
struct Docs(Vec<String>);

impl VisitMut for Docs {
    fn visit_attribute_mut(&mut self, attribute: &mut Attribute) {
        if let syn::Meta::NameValue(pair) = &attribute.meta
            && pair.path.is_ident("doc")
            && let syn::Expr::Lit(syn::ExprLit {
                lit: syn::Lit::Str(text),
                ..
            }) = &pair.value
        {
            self.0.push(text.value());
        }
    }
}

/// Puts a text in the place of every text for people.
fn told_instead(json: &mut Value, text: &str) {
    match json {
        Value::Object(members) => {
            for (name, value) in members.iter_mut() {
                match name.as_str() {
                    "description" | "summary" if value.is_string() => *value = json!(text),
                    _ => told_instead(value, text),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| told_instead(item, text)),
        _ => {}
    }
}

#[test]
fn whatever_a_document_says_is_a_comment_that_rust_takes_and_no_code() {
    for said in [
        "A text\rwith it.",
        "one\r\ntwo \u{202e}three\u{2066}",
        "such:\n```\nlet x = 1;",
        "    let x = 1;",
        "> ~~~rust\n> x",
        "*/ /* \" #[doc]",
    ] {
        // The one with every kind of thing in it, and that of a bank of one's own.
        for (name, bundle) in all_bundles().split_off(5) {
            let mut bundle: Value = serde_json::from_str(&bundle).unwrap();
            told_instead(&mut bundle, said);
            let options = Options {
                module: Some("own_bank".to_owned()),
            };
            let mut docs = Docs(Vec::new());
            docs.visit_file_mut(&mut tree(&name, &bundle.to_string(), &options).unwrap());
            let is_unfit = |c: char| c == '\r' || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
            assert!(
                docs.0.len() > 20 && !docs.0.concat().contains(is_unfit),
                "{name}: {said:?}"
            );
            for doc in docs.0 {
                let mut open = false;
                for line in doc.lines().map(str::trim) {
                    let Some(kind) = line.strip_prefix("```") else { continue };
                    assert!(
                        if open {
                            kind.is_empty()
                        } else {
                            ["text", "no_run"].contains(&kind)
                        },
                        "{name}: {doc}"
                    );
                    open = !open;
                }
                assert!(!open, "{name}: {doc}");
            }
        }
    }
}

#[test]
fn what_a_body_must_have_and_may_be_null_is_written_as_null() {
    let text = |required: bool, media_type: &str| {
        let required: &[&str] = if required { &["until"] } else { &[] };
        let until = json!({ "type": "string", "format": "date", "nullable": true });
        let mut bundle: Value = serde_json::from_str(include_str!("specs/small.json")).unwrap();
        bundle["paths"]["/mandates"] = json!({ "post": {
            "operationId": "create_mandate", "summary": "Create a mandate", "x-provenance": { "grade": "official", "checked": "2026-11-21" },
            "requestBody": { "required": true, "content": { media_type: { "schema": {
                "type": "object", "required": required,
                "properties": { "name": { "type": "string" }, "until": until } } } } },
            "responses": { "204": { "description": "Done." } } } });
        let tree = tree("small.json", &bundle.to_string(), &Options::default()).unwrap();
        let mandate = items(&tree, "types", &["CreateMandateBody"]);
        assert!(mandate.contains("until: "), "{mandate}");
        mandate
            .split("pub until")
            .next()
            .unwrap()
            .rsplit("pub name")
            .next()
            .unwrap()
            .to_owned()
    };
    assert!(!text(true, "application/json").contains("skip_serializing_if"));
    assert!(text(false, "application/json").contains("skip_serializing_if"));
    // A form has no `null`.
    assert!(text(true, "application/x-www-form-urlencoded").contains("skip_serializing_if"));
}
