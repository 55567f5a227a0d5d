//! No code but its own knows a provider: by its id, by the names of its modules and types, by its feature.

use std::collections::BTreeSet;

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use quote::ToTokens;
use syn::visit::Visit;

use crate::items::{attributes, attributes_in_impl, is_punct, is_test_only, plain};
use crate::parts::{called_macro, joined, parts_in, parts_of, parts_of_pattern, text_of, text_of_macro};
use crate::paths::Target;
use crate::sources::{File, Sources};
use crate::standing_for::{constants, names_of};
use crate::workspace;

const IDS: [&str; 5] = ["ofx", "mx", "omnifund", "tatrabanka", "finexer"];

/// How code can know a provider.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum By {
    /// A text that is its id, or is compared and tells whose it is.
    Text,
    /// The name of something: `ofx::Client`, `is_mx`.
    Name,
    /// Its feature: `#[cfg(feature = "mx")]`, `cfg!(feature = "mx")`.
    Condition,
}

/// Files that may know one provider from another.
struct Place {
    /// How their names begin.
    files: &'static str,
    by: &'static [By],
    why: &'static str,
}

const PLACES: [Place; 3] = [
    Place {
        files: "providers/",
        by: &[By::Text, By::Name, By::Condition],
        why: "the module of each provider, which its feature compiles in",
    },
    Place {
        files: "sandbox/providers/",
        by: &[By::Text, By::Name],
        why: "what each provider does that its specification does not say, and the one function that looks it up",
    },
    Place {
        files: "sandbox/spec/bundled.rs",
        by: &[By::Condition],
        why: "the list of the specifications that are compiled in: each is data, and the features say which",
    },
];

#[test]
fn a_provider_is_known_in_its_own_files_only() {
    let sources = Sources::read(&workspace().join("src"));
    let mut used = vec![Vec::new(); PLACES.len()];
    let mut found = Vec::new();
    for (file, knows) in known(&sources.files) {
        for (by, what) in knows {
            let place = PLACES
                .iter()
                .position(|place| file.starts_with(place.files) && place.by.contains(&by));
            match place {
                Some(place) => used[place].push(by),
                None => found.push(format!("{file}: {by:?} {what}")),
            }
        }
    }
    let places: Vec<String> = PLACES
        .iter()
        .map(|place| format!("{}: {}", place.files, place.why))
        .collect();
    assert_eq!(
        found,
        Vec::<String>::new(),
        "only these may know a provider:\n{}\nelsewhere the profile and the operation table say what differs",
        places.join("\n")
    );
    for (place, used) in PLACES.iter().zip(used) {
        for by in place.by {
            assert!(used.contains(by), "{} needs no {by:?} any more", place.files);
        }
    }
}

/// What others take from the files that know providers: a text or a test from there would tell them apart as well. The
/// providers' modules are handed on to users, and nothing inside the crate looks into them.
#[test]
fn one_function_is_taken_from_what_is_particular_to_providers() {
    let sources = Sources::read(&workspace().join("src"));
    assert_eq!(taken(&sources), ["sandbox/player/mod.rs: super::providers::particular"]);
    let small = |player: &str| {
        let files = [
            ("lib.rs", "mod sandbox;"),
            ("sandbox/mod.rs", "mod player; mod providers;"),
            ("sandbox/player.rs", player),
            (
                "sandbox/providers/mod.rs",
                "mod one; pub(super) use one::which; pub(super) fn particular() {}",
            ),
            ("sandbox/providers/one.rs", "pub(in crate::sandbox) fn which() {}"),
        ];
        let files = files.map(|(name, text)| File::parse(name.to_owned(), text.to_owned()));
        taken(&Sources::of(files.into()))
    };
    assert_eq!(
        small("use super::providers::{particular, which as x}; fn f() { x() }"),
        [
            "sandbox/player.rs: super::providers::particular",
            "sandbox/player.rs: super::providers::which"
        ]
    );
    assert_eq!(small("fn f() {}"), Vec::<String>::new());
}

/// The paths by which other files lead into those that may know a provider by a text.
fn taken(sources: &Sources) -> Vec<String> {
    let knows = |file: &str| {
        let mut places = PLACES.iter().filter(|place| place.by.contains(&By::Text));
        places.any(|place| file.starts_with(place.files))
    };
    let mut found = BTreeSet::new();
    for file in sources.files.iter().filter(|file| !knows(&file.name)) {
        for reference in sources.references(file) {
            let leads_there = sources.targets(file, &reference).iter().any(|to| knows(to));
            let what = match reference.to {
                Target::Path(names) => names.join("::"),
                Target::File(name) => name,
                Target::Unreadable(what) => what,
            };
            if leads_there {
                found.insert(format!("{}: {what}", file.name));
            }
        }
    }
    found.into_iter().collect()
}

/// By what each file knows a provider.
fn known(files: &[File]) -> Vec<(&str, Vec<(By, String)>)> {
    let syntaxes: Vec<&syn::File> = files.iter().map(|file| &file.syntax).collect();
    let constants = constants(&syntaxes, tells_when_compared);
    let knows = |file: &File| known_in(&file.syntax, &constants);
    files.iter().map(|file| (file.name.as_str(), knows(file))).collect()
}

/// Calls that only make a value of what they are given. Any other may compare it with something, or look it up.
const MAKING: [&str; 10] = [
    "concat",
    "expect",
    "from",
    "from_static",
    "into",
    "join",
    "new",
    "push_str",
    "to_owned",
    "to_string",
];

/// Whether a call may compare: not what makes a value, `Some("ofx")` included.
fn may_compare(name: &str) -> bool {
    !name.starts_with(char::is_uppercase) && !MAKING.contains(&name)
}

/// Macros that compare one text with another.
const COMPARING_MACROS: [&str; 5] = [
    "assert_eq",
    "assert_ne",
    "debug_assert_eq",
    "debug_assert_ne",
    "matches",
];

/// By what the code of a file knows a provider: not in documentation, not in tests.
fn known_in(file: &syn::File, constants: &BTreeSet<String>) -> Vec<(By, String)> {
    let mut standing_for = names_of(file, tells_when_compared);
    standing_for.extend(constants.iter().cloned());
    let mut texts = Texts {
        standing_for,
        ..Texts::default()
    };
    texts.visit_file(file);
    texts.telling()
}

/// Whether one of the texts of an expression tells whose it is, once it is compared.
fn tells_when_compared(value: &syn::Expr) -> bool {
    let mut texts = Texts {
        compared: true,
        ..Texts::default()
    };
    texts.visit_expr(value);
    texts.telling().iter().any(|(by, _)| *by == By::Text)
}

fn has_id(text: &str) -> bool {
    let mut words = text.split(|c: char| !c.is_alphanumeric());
    words.any(|word| IDS.iter().any(|id| id.eq_ignore_ascii_case(word)))
}

/// Whether something is named after a provider: `ofx`, `MX_URL`, `is_ofx`, `TatraBanka`.
fn is_named_after_one(name: &str) -> bool {
    let mut words = String::new();
    let letters: Vec<char> = name.chars().collect();
    for (n, letter) in letters.iter().enumerate() {
        let after_small = n > 0 && !letters[n - 1].is_uppercase();
        let before_small = letters.get(n + 1).is_some_and(|next| next.is_lowercase());
        if letter.is_uppercase() && (after_small || before_small) {
            words.push('_');
        }
        words.push(*letter);
    }
    let whole: String = letters.iter().filter(|letter| **letter != '_').collect();
    let whole = whole.to_ascii_lowercase();
    has_id(&words) || IDS.iter().any(|id| id.len() > 4 && whole.contains(id))
}

/// Whether a text is enough to know a provider by: its name as people write it, or how its id begins.
fn says_who(text: &str) -> bool {
    let letters: String = text.chars().filter(|c| c.is_alphanumeric()).collect();
    let letters = letters.to_ascii_lowercase();
    IDS.iter().filter(|id| id.len() > 4).any(|id| {
        let is_beginning = letters.len() >= 4 && id.starts_with(&letters);
        is_beginning || letters.contains(id)
    })
}

/// The texts of a file, each with whether something is compared with it, and the names.
#[derive(Default)]
struct Texts {
    texts: Vec<(By, String, bool)>,
    names: Vec<(By, String)>,
    /// Names that stand for a text that tells whose it is, when it is compared.
    standing_for: BTreeSet<String>,
    /// Whether what is looked at now is part of a comparison.
    compared: bool,
    /// Whether it is a condition on which code is compiled.
    in_condition: bool,
}

impl Texts {
    /// Those that tell one provider from another.
    fn telling(self) -> Vec<(By, String)> {
        let texts = self.texts.into_iter().filter(|(_, text, compared)| {
            // Prose may speak of a provider.
            let is_prose = text.contains(char::is_whitespace) && !compared;
            !is_prose && (has_id(text) || *compared && says_who(text))
        });
        let texts = texts.map(|(by, text, _)| (by, format!("{text:?}")));
        texts.chain(self.names).collect()
    }

    fn by(&self, otherwise: By) -> By {
        if self.in_condition { By::Condition } else { otherwise }
    }

    fn text(&mut self, text: String) {
        self.texts.push((self.by(By::Text), text, self.compared));
    }

    fn name(&mut self, name: &syn::Ident) {
        let name = plain(name);
        if is_named_after_one(&name) {
            self.names.push((self.by(By::Name), name));
        } else if self.compared && self.standing_for.contains(&name) {
            self.names.push((By::Text, name));
        }
    }

    /// A text that an expression has in several parts: `["o", "fx"].concat()`.
    fn parts(&mut self, parts: &[String]) {
        if parts.len() > 1 {
            self.text(joined(parts));
        }
    }

    fn in_condition(&mut self, in_condition: bool, look: impl FnOnce(&mut Self)) {
        let outer = self.in_condition;
        self.in_condition |= in_condition;
        look(self);
        self.in_condition = outer;
    }

    fn comparing(&mut self, compared: bool, look: impl FnOnce(&mut Self)) {
        let outer = self.compared;
        self.compared |= compared;
        look(self);
        self.compared = outer;
    }

    fn literal(&mut self, literal: &syn::Lit) {
        if let Some(text) = text_of(literal) {
            self.text(text);
        }
    }

    fn tokens(&mut self, tokens: TokenStream) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        for (n, token) in tokens.iter().enumerate() {
            match token {
                TokenTree::Group(group) => {
                    let before = &tokens[..n];
                    if let Some(name) = called_macro(before) {
                        self.in_macro(&name, group.stream());
                        continue;
                    }
                    let by_call =
                        group.delimiter() == Delimiter::Parenthesis && is_call_that_may_compare(before.last());
                    let compared = by_call || is_compared(&tokens, n);
                    self.comparing(compared, |texts| {
                        if group.delimiter() != Delimiter::Brace {
                            texts.parts(&parts_in(group.stream()));
                        }
                        texts.tokens(group.stream());
                    });
                }
                TokenTree::Literal(literal) => {
                    if let Ok(literal) = syn::parse2(TokenTree::from(literal.clone()).into()) {
                        self.comparing(is_compared(&tokens, n), |texts| texts.literal(&literal));
                    }
                }
                TokenTree::Ident(name) => {
                    self.comparing(is_compared(&tokens, n), |texts| texts.name(name));
                }
                TokenTree::Punct(_) => {}
            }
        }
    }

    fn in_macro(&mut self, name: &str, tokens: TokenStream) {
        // A bundle is data, and the file's name says whose.
        if name == "include_str" {
            return;
        }
        if let Some(text) = text_of_macro(name, &tokens) {
            self.text(text);
        }
        self.comparing(COMPARING_MACROS.contains(&name), |texts| {
            texts.in_condition(name == "cfg", |texts| {
                // A definition is no text.
                if name != "macro_rules" {
                    texts.parts(&parts_in(tokens.clone()));
                }
                texts.tokens(tokens);
            });
        });
    }
}

fn is_call_that_may_compare(name: Option<&TokenTree>) -> bool {
    matches!(name, Some(TokenTree::Ident(name)) if may_compare(&plain(name)))
}

/// Whether `==`, `!=`, or the `|` and `=>` of a pattern stand beside a token or its path, or a comparing call behind it.
fn is_compared(tokens: &[TokenTree], n: usize) -> bool {
    let mut start = n;
    while let [.., TokenTree::Ident(_), first, second] = &tokens[..start]
        && is_punct(first, ':')
        && is_punct(second, ':')
    {
        start -= 3;
    }
    let mut before = tokens[..start].iter().rev().skip_while(|token| is_punct(token, '&'));
    let is_behind = match (before.next(), before.next()) {
        (Some(last), Some(first)) if is_punct(last, '=') => is_punct(first, '=') || is_punct(first, '!'),
        (Some(last), _) => is_punct(last, '|'),
        _ => false,
    };
    let is_in_front = match &tokens[n + 1..] {
        [first, second, ..] if is_punct(first, '=') => is_punct(second, '=') || is_punct(second, '>'),
        [first, second, ..] if is_punct(first, '!') => is_punct(second, '='),
        [first, second, TokenTree::Group(given), ..] if is_punct(first, '.') => {
            !given.stream().is_empty() && is_call_that_may_compare(Some(second))
        }
        [first, ..] => is_punct(first, '|'),
        [] => false,
    };
    is_behind || is_in_front
}

impl<'ast> Visit<'ast> for Texts {
    fn visit_item(&mut self, item: &'ast syn::Item) {
        if !is_test_only(attributes(item)) {
            syn::visit::visit_item(self, item);
        }
    }

    fn visit_impl_item(&mut self, item: &'ast syn::ImplItem) {
        if !is_test_only(attributes_in_impl(item)) {
            syn::visit::visit_impl_item(self, item);
        }
    }

    fn visit_attribute(&mut self, attribute: &'ast syn::Attribute) {
        let is = |names: &[&str]| names.iter().any(|name| attribute.path().is_ident(name));
        if is(&["doc"]) {
            return;
        }
        let tokens = match &attribute.meta {
            syn::Meta::Path(_) => return,
            syn::Meta::List(list) => list.tokens.clone(),
            syn::Meta::NameValue(pair) => pair.value.to_token_stream(),
        };
        // What is read under a name is compared with it.
        self.comparing(is(&["serde"]), |texts| {
            texts.in_condition(is(&["cfg", "cfg_attr"]), |texts| texts.tokens(tokens));
        });
    }

    fn visit_ident(&mut self, name: &'ast syn::Ident) {
        self.name(name);
    }

    fn visit_expr(&mut self, expression: &'ast syn::Expr) {
        self.parts(&parts_of(expression));
        syn::visit::visit_expr(self, expression);
    }

    fn visit_lit(&mut self, literal: &'ast syn::Lit) {
        self.literal(literal);
    }

    fn visit_expr_binary(&mut self, binary: &'ast syn::ExprBinary) {
        let compared = matches!(binary.op, syn::BinOp::Eq(_) | syn::BinOp::Ne(_));
        self.comparing(compared, |texts| syn::visit::visit_expr_binary(texts, binary));
    }

    fn visit_expr_method_call(&mut self, call: &'ast syn::ExprMethodCall) {
        let compared = !call.args.is_empty() && may_compare(&plain(&call.method));
        self.comparing(compared, |texts| syn::visit::visit_expr_method_call(texts, call));
    }

    fn visit_expr_call(&mut self, call: &'ast syn::ExprCall) {
        let compared = match &*call.func {
            syn::Expr::Path(function) => {
                let name = function.path.segments.last().map(|segment| plain(&segment.ident));
                name.is_some_and(|name| may_compare(&name))
            }
            _ => false,
        };
        self.comparing(compared, |texts| syn::visit::visit_expr_call(texts, call));
    }

    fn visit_expr_index(&mut self, index: &'ast syn::ExprIndex) {
        self.comparing(true, |texts| syn::visit::visit_expr_index(texts, index));
    }

    fn visit_expr_for_loop(&mut self, of: &'ast syn::ExprForLoop) {
        // Each of what is gone through may be compared.
        self.comparing(true, |texts| texts.visit_expr(&of.expr));
        self.visit_pat(&of.pat);
        self.visit_block(&of.body);
    }

    fn visit_pat(&mut self, pattern: &'ast syn::Pat) {
        self.comparing(true, |texts| {
            texts.parts(&parts_of_pattern(pattern));
            syn::visit::visit_pat(texts, pattern);
        });
    }

    fn visit_pat_ident(&mut self, pattern: &'ast syn::PatIdent) {
        // A variable is new here. A constant is compared.
        let is_new = plain(&pattern.ident).starts_with(|first: char| first.is_lowercase());
        let outer = self.compared;
        self.compared &= !is_new;
        syn::visit::visit_pat_ident(self, pattern);
        self.compared = outer;
    }

    fn visit_macro(&mut self, item: &'ast syn::Macro) {
        self.visit_path(&item.path);
        let name = item.path.segments.last().map(|name| plain(&name.ident));
        self.in_macro(&name.unwrap_or_default(), item.tokens.clone());
    }
}

#[test]
fn every_way_to_know_a_provider_is_seen() {
    for seen in [
        "fn f(x: &str) -> bool { x == \"ofx\" }",
        "fn f(x: &str) -> bool { matches!(x, \"ofx\") }",
        "fn f(x: &[u8]) -> bool { x == b\"mx\" }",
        "fn f(x: &str) -> u8 { match x { \"ofx\" | \"mx\" => 1, _ => 2 } }",
        "fn f(x: &str) -> bool { x.eq(\"ofx\") }",
        "fn f(x: &str) -> bool { x.starts_with(\"ofx\") }",
        "fn f(x: &str) -> bool { x.starts_with(\"ofx-\") }",
        "fn f(x: &str) -> bool { [\"finexer\", \"tatrabanka\"].contains(&x) }",
        "const ONE: &str = r\"omnifund\";",
        "fn f(x: &str) { assert!(x.len() > 1 || !matches!(x, r#\"mx\"#)); }",
        "#[cfg(any(test, feature = \"mx\"))] fn f(x: &str) -> bool { x == \"mx\" }",
        "fn f(x: &str) -> bool { x.eq_ignore_ascii_case(\"OFX\") }",
        // Put together.
        "fn f(x: &str) -> bool { x == stringify!(mx) }",
        "fn f(x: &str) -> bool { x == std::concat!(\"m\", \"x\") }",
        "fn f(x: &str) -> bool { x == concat!(\"m\", stringify!(x)) }",
        "fn f(x: &str) { assert!(x != concat!(\"tatra\", 'b', \"anka\")); }",
        "fn f(x: &[u8]) -> bool { x == [b'm', b'x'] }",
        "fn f(x: &[u8]) -> bool { x.starts_with(&[b'o', b'f', b'x']) }",
        "fn f(x: &[char]) -> bool { matches!(x, ['m', 'x']) }",
        "fn f(x: &[u8]) -> u8 { match x { [b'm', b'x', ..] => 1, _ => 2 } }",
        // A part of it.
        "fn f(x: &str) -> bool { x.starts_with(\"tatra\") }",
        "fn f(x: &str) -> bool { str::starts_with(x, \"Omni\") }",
        "fn f(x: &str) { assert!(x.contains(\"finex\")); }",
        "fn f(x: &str) -> bool { x.strip_prefix(\"tatra\").is_some() }",
        "fn f(x: &str) -> bool { &x[..5] == \"tatra\" }",
        // As people write it.
        "fn f(x: &str) -> bool { x == \"Tatra banka\" }",
        "fn f(x: &str) -> u8 { match x { \"Tatra banka\" => 1, _ => 2 } }",
        "fn f(x: &str) -> bool { matches!(x, \"OmniFund\" | \"Tatra banka\") }",
        "fn f(x: &str) -> bool { [\"Tatra banka\"].contains(&x) }",
        "fn f(x: &str) { assert!(x == \"Tatra banka\" || \"Tatra banka\" != x); }",
        "fn f(x: &str) { m!(match x { \"Tatra banka\" => 1 }); }",
        "fn f(x: &str) { m!([\"Tatra banka\"].contains(x)); }",
        "fn f(x: &str) -> bool { x == \"OFX Payments\" }",
        "fn f(x: &str) -> bool { if let \"Tatra banka Premium API\" = x { true } else { false } }",
        "#[derive(Deserialize)] enum Of { #[serde(rename = \"Tatra banka\")] One }",
        "#[derive(Deserialize)] #[serde(tag = \"mx\")] enum Of { One }",
        // Looked up, or compared by a call of any name.
        "fn f(x: &str) -> bool { HashMap::from([(\"Tatra banka\", 1)]).contains_key(x) }",
        "fn f(x: &str) -> bool { HashSet::from([\"Tatra banka\"]).get(x).is_some() }",
        "fn f(x: &str) -> bool { [\"OFX Payments\", \"Tatra banka\"].binary_search(&x).is_ok() }",
        "fn f(x: &str) -> bool { [\"Tatra banka\"].iter().any(|one| *one == x) }",
        "fn f(x: &str) -> bool { [\"Tatra banka\"].iter().position(|one| *one == x).is_some() }",
        "fn f(x: &str) -> bool { let all = HashSet::from([\"Tatra banka\"]); all.get(x).is_some() }",
        "static ALL: LazyLock<Set> = LazyLock::new(|| Set::from([\"Tatra banka\"])); fn f(x: &str) { ALL.get(x); }",
        "fn f(x: &Map) -> u8 { x[\"Tatra banka\"] }",
        "fn f(x: &Map) -> bool { x.get(\"Tatra banka\").is_some() }",
        "fn f(x: &str) -> bool { for one in [\"Tatra banka\"] { if one == x { return true; } } false }",
        "fn f(x: &str) -> bool { x.rsplit_once(\"tatra\").is_some() }",
        "fn f(x: &str) -> bool { x.split(\"tatra\").count() > 1 }",
        "fn f(x: &str) -> bool { x.trim_start_matches(\"tatra\").len() < x.len() }",
        "fn f(x: &str) -> bool { is_same(x, \"Tatra banka\") }",
        "fn f(x: &str) -> bool { x.is_same(\"Tatra banka\") }",
        "const THEIRS: &str = \"Tatra banka\"; fn f(x: &str) -> bool { is_same(x, THEIRS) }",
        "fn f(x: &str) { assert!(is_same(x, \"Tatra banka\")); }",
        "fn f(x: &str) { assert!(x.split(\"tatra\").count() > 1); }",
        "fn f(x: &str) { m!([\"Tatra banka\"].binary_search(x)); }",
        // By another name.
        "fn f(x: &str) -> bool { x == super::providers::ofx::ID }",
        "use super::providers::ofx::ID as THEIRS; fn f(x: &str) -> bool { x == THEIRS }",
        "fn f(x: &str) -> bool { matches!(x, super::providers::r#mx::ID) }",
        "fn f(x: &str) -> u8 { match x { providers::omnifund::ID => 1, _ => 2 } }",
        "fn f(x: &str) -> bool { x.starts_with(providers::tatrabanka::ID) }",
        "fn f(x: TypeId) -> bool { x == TypeId::of::<crate::finexer::Provider>() }",
        "fn f(x: &Kind) -> bool { matches!(x, Kind::TatraBanka) }",
        "fn f(x: &Kind) -> bool { x.is_mx() }",
        "fn f(x: &str) -> bool { x == OFX_ID }",
        "fn f(x: &str) { m!(x, ofx::ID); }",
        "use crate::ofx::Client;",
        "const THEIRS: &str = \"Tatra banka\"; fn f(x: &str) -> bool { x == THEIRS }",
        "const THEIRS: &str = \"tatra\"; fn f(x: &str) -> bool { x.starts_with(THEIRS) }",
        "static THEIRS: &[&str] = &[\"Tatra banka\"]; fn f(x: &str) -> bool { THEIRS.contains(&x) }",
        "const THEIRS: &str = concat!(\"Tatra \", \"banka\"); fn f(x: &str) -> u8 { match x { THEIRS => 1, _ => 2 } }",
        "struct A; impl A { const WHO: &str = \"Tatra banka\"; fn f(x: &str) -> bool { matches!(x, Self::WHO) } }",
        "mod a { pub const WHO: &str = \"Tatra banka\"; } use a::WHO as X; fn f(x: &str) -> bool { x == X }",
        "const A: &str = \"Tatra banka\"; const B: &str = A; fn f(x: &str) { assert!(x == self::B); }",
        "fn f(x: &str) -> bool { let theirs = \"Tatra banka\"; x == theirs }",
        "fn f(x: &str) -> bool { let theirs: String = \"Tatra banka\".to_owned(); x.eq(&theirs) }",
        // Made in parts.
        "fn f(x: &str) -> bool { x == [\"o\", \"fx\"].concat() }",
        "fn f(x: &str) -> bool { x == [\"tatra\", \"banka\"].join(\"\") }",
        "fn f(x: &str) -> bool { let id = [\"m\", \"x\"].concat(); x == id }",
        "fn f(x: &str) -> bool { x == \"o\".to_owned() + \"fx\" }",
        "fn f(x: &str) -> bool { *x == String::from(\"o\") + \"fx\" }",
        "fn f(x: &str) -> bool { x == format!(\"o{}\", \"fx\") }",
        "fn f(x: &str) -> bool { x == format!(\"{}{a}\", \"tatra\", a = \"banka\") }",
        "fn f(x: &str) { assert!(x == [\"o\", \"fx\"].concat()); }",
        "const ID: &str = concat!(\"o\", \"fx\");",
        "fn f(x: &str) -> bool { x.starts_with(\"o\") && x.ends_with(\"fx\") }",
        "fn f(x: &str) -> bool { x.strip_prefix('m') == Some(\"x\") }",
        "fn f(x: &str) -> bool { x == [\"Tatra\", \"banka\"].join(\" \") }",
        // By its feature.
        "fn f() -> bool { cfg!(feature = \"mx\") }",
        "fn f() { if cfg!(any(feature = \"ofx\", feature = \"mx\")) {} }",
        "#[cfg(feature = \"ofx\")] fn f() {}",
        "#[cfg(not(feature = \"ofx\"))] use a::b;",
        "fn f() { #[cfg(feature = \"mx\")] let x = 1; }",
        "fn f(x: u8) -> u8 { match x { #[cfg(feature = \"mx\")] 1 => 2, _ => 3 } }",
        "struct A { #[cfg(feature = \"mx\")] x: u8 }",
        "const ALL: &[&str] = &[#[cfg(feature = \"mx\")] ONE];",
        "#[cfg_attr(feature = \"mx\", derive(Debug))] struct A;",
        "macro_rules! m { () => { #[cfg(feature = \"mx\")] fn f() {} } }",
        "fn f() -> bool { option_env!(\"CARGO_FEATURE_MX\").is_some() }",
    ] {
        assert_ne!(known_by(&[seen]), [], "{seen}");
    }
    for unseen in [
        "#[cfg(feature = \"sandbox\")] fn f() {}",
        "/// Such as `ofx`.\nfn f() {}",
        "#[cfg(test)] fn f(x: &str) -> bool { x == \"ofx\" }",
        "#[cfg(all(test, feature = \"ofx\"))] mod tests { const ID: &str = \"ofx\"; }",
        "static BUNDLE: &str = include_str!(\"../specs/bundled/ofx.json\");",
        "fn f() -> &'static str { \"as the pages of MX say\" }",
        "fn f() -> &'static str { \"amx\" }",
        "fn f() -> &'static str { \"Tatra banka\" }",
        "fn f() -> Option<String> { Some(\"Tatra banka\".to_owned()) }",
        "fn f() -> String { String::from(\"Tatra banka\") }",
        "fn f() -> Vec<String> { vec![String::from(\"Tatra banka\")] }",
        "fn f(x: &mut String) { x.push_str(\"Tatra banka\"); }",
        "const NAME: &str = \"Tatra banka\"; fn f() -> &'static str { NAME }",
        "const OTHER: &str = \"banks\"; fn f(x: &str) -> bool { x == OTHER }",
        "fn f() -> &'static str { let name = \"Tatra banka\"; name }",
        "fn f() -> &'static str { concat!(\"as \", \"MX says\") }",
        "fn f(x: &str) -> bool { x.starts_with(\"ta\") || x == \"find\" || x == \"finally\" }",
        "fn f(x: &str) -> &str { x.trim_end(); \"tatra\" }",
        "fn f(x: &[u8]) -> bool { x == [b'm', b'y'] }",
        "fn f(x: &str) -> bool { x == stringify!(amx) }",
        "fn f(mxs: u8, max: Amx) -> u8 { mix(mxs) }",
        "fn f(x: &str) -> bool { x == \"m\" || { x.len() > 1 && x.ends_with(\"y\") } }",
        "fn f(x: &str) -> String { format!(\"m{x}\") }",
        "#[must_use = \"as MX says\"] fn f() -> u8 { 1 }",
        "#[cfg(all(test, feature = \"mx\"))] use a::b;",
    ] {
        assert_eq!(known_by(&[unseen]), [], "{unseen}");
    }
    // What has the text may be in another file.
    let constant = "pub(crate) const THEIRS: &str = \"Tatra banka\";";
    for (using, seen) in [
        ("fn f(x: &str) -> bool { x == a::THEIRS }", 1),
        ("use crate::a::THEIRS as X; fn f(x: &str) -> bool { x.contains(X) }", 1),
        ("fn f() -> &'static str { a::THEIRS }", 0),
        ("fn f(x: &str) -> bool { x == a::OTHERS }", 0),
    ] {
        assert_eq!(known_by(&[constant, using]).len(), seen, "{using}");
    }
}

/// By what small files know a provider.
fn known_by(texts: &[&str]) -> Vec<(By, String)> {
    let file = |text: &&str| File::parse("a.rs".to_owned(), (*text).to_owned());
    let files: Vec<File> = texts.iter().map(file).collect();
    known(&files).into_iter().flat_map(|(_, knows)| knows).collect()
}
