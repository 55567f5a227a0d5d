//! What a macro of the crate makes where it is called between items: `exact!(u8, u16)`.
//!
//! It takes the forms that such macros have: `$name:kind`, `$(..),*`, and tokens as they are. What it cannot read is a
//! fault: an `impl` that nobody sees is not kept.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::{Group, TokenStream, TokenTree};
use syn::Item;

use crate::tree::plain;

/// How deep macros may call macros.
const DEPTH: usize = 8;

/// Macros of other crates: what they make has no name that a contract could have.
const FOREIGN: [&str; 3] = ["thread_local", "proptest", "include"];

/// The arms of every `macro_rules!` of a crate, by its name.
#[derive(Default)]
pub(crate) struct Macros(BTreeMap<String, Vec<(TokenStream, TokenStream)>>);

impl Macros {
    pub(crate) fn add(&mut self, items: &[Item]) {
        for item in items {
            match item {
                Item::Macro(item) => {
                    if let Some(name) = &item.ident {
                        self.0.insert(plain(name), arms(item.mac.tokens.clone()));
                    }
                }
                Item::Mod(module) => self.add(module.content.as_ref().map_or(&[][..], |(_, items)| items)),
                _ => {}
            }
        }
    }

    /// The items with those that macros make in place of the calls.
    pub(crate) fn expand(&self, items: Vec<Item>) -> Vec<Item> {
        self.expand_within(items, 0)
    }

    fn expand_within(&self, items: Vec<Item>, depth: usize) -> Vec<Item> {
        assert!(depth < DEPTH, "macros that call macros without an end");
        let mut all = Vec::new();
        for item in items {
            match item {
                Item::Macro(call) if call.ident.is_none() => {
                    let made = self.made(&call.mac);
                    // What is there on a condition stays so.
                    let made = made.into_iter().map(|item| on_the_condition_of(item, &call.attrs));
                    all.extend(self.expand_within(made.collect(), depth + 1));
                }
                other => all.push(other),
            }
        }
        all
    }

    fn made(&self, call: &syn::Macro) -> Vec<Item> {
        let name = call.path.segments.last().map(|segment| plain(&segment.ident));
        let name = name.unwrap_or_default();
        let Some(arms) = self.0.get(&name) else {
            assert!(
                FOREIGN.contains(&name.as_str()),
                "what does {name}! make? Say so in {}",
                file!()
            );
            return Vec::new();
        };
        let given: Vec<TokenTree> = call.tokens.clone().into_iter().collect();
        let made = arms.iter().find_map(|(pattern, body)| {
            let pattern: Vec<TokenTree> = pattern.clone().into_iter().collect();
            let (bound, rest) = fit(&pattern, &given)?;
            rest.is_empty().then(|| write(body.clone(), &bound))
        });
        let file = made.and_then(|made| syn::parse2::<syn::File>(made).ok());
        file.unwrap_or_else(|| panic!("write out what this makes: {name}! {{ {} }}", call.tokens))
            .items
    }
}

fn on_the_condition_of(mut item: Item, attributes: &[syn::Attribute]) -> Item {
    let of_item = match &mut item {
        Item::Const(item) => &mut item.attrs,
        Item::Enum(item) => &mut item.attrs,
        Item::Fn(item) => &mut item.attrs,
        Item::Impl(item) => &mut item.attrs,
        Item::Macro(item) => &mut item.attrs,
        Item::Mod(item) => &mut item.attrs,
        Item::Static(item) => &mut item.attrs,
        Item::Struct(item) => &mut item.attrs,
        Item::Trait(item) => &mut item.attrs,
        Item::Type(item) => &mut item.attrs,
        Item::Use(item) => &mut item.attrs,
        _ => return item,
    };
    of_item.extend(attributes.iter().cloned());
    item
}

fn arms(tokens: TokenStream) -> Vec<(TokenStream, TokenStream)> {
    let groups: Vec<TokenStream> = tokens
        .into_iter()
        .filter_map(|token| match token {
            TokenTree::Group(group) => Some(group.stream()),
            _ => None,
        })
        .collect();
    groups
        .chunks(2)
        .filter_map(|arm| Some((arm.first()?.clone(), arm.get(1)?.clone())))
        .collect()
}

/// What the names of a pattern stand for.
#[derive(Clone, Default)]
struct Bound {
    once: BTreeMap<String, TokenStream>,
    /// Of each repetition: its names, and what they stand for each time.
    repeated: Vec<(BTreeSet<String>, Vec<Bound>)>,
}

fn is_punct(token: Option<&TokenTree>, mark: char) -> bool {
    matches!(token, Some(TokenTree::Punct(punct)) if punct.as_char() == mark)
}

/// A repetition at the start of tokens behind `$`: what is repeated, what stands between, and how many tokens say so.
fn repetition(tokens: &[TokenTree]) -> Option<(TokenStream, Option<TokenTree>, usize)> {
    let TokenTree::Group(group) = tokens.first()? else {
        return None;
    };
    let is_end = |token: Option<&TokenTree>| ['*', '+', '?'].iter().any(|mark| is_punct(token, *mark));
    if is_end(tokens.get(1)) {
        return Some((group.stream(), None, 2));
    }
    let between = tokens.get(1)?.clone();
    is_end(tokens.get(2)).then_some((group.stream(), Some(between), 3))
}

/// Fits a pattern to the start of what is given: what its names stand for, and what is left.
fn fit<'a>(mut pattern: &[TokenTree], mut given: &'a [TokenTree]) -> Option<(Bound, &'a [TokenTree])> {
    let mut bound = Bound::default();
    while let Some((first, behind)) = pattern.split_first() {
        if is_punct(Some(first), '$') {
            if let [TokenTree::Ident(name), colon, TokenTree::Ident(kind), rest @ ..] = behind
                && is_punct(Some(colon), ':')
            {
                let length = length_of(&kind.to_string(), given)?;
                bound
                    .once
                    .insert(plain(name), given[..length].iter().cloned().collect());
                (pattern, given) = (rest, &given[length..]);
                continue;
            }
            let (inner, between, length) = repetition(behind)?;
            let names = names_in(inner.clone());
            let inner: Vec<TokenTree> = inner.into_iter().collect();
            let mut times = Vec::new();
            while !given.is_empty() {
                let Some((once, rest)) = fit(&inner, given) else { break };
                times.push(once);
                given = rest;
                match (&between, given.first()) {
                    (Some(between), Some(next)) if between.to_string() == next.to_string() => {
                        // A comma at the end belongs to what comes behind the repetition.
                        if fit(&inner, &given[1..]).is_none() {
                            break;
                        }
                        given = &given[1..];
                    }
                    (Some(_), _) => break,
                    (None, _) => {}
                }
            }
            bound.repeated.push((names, times));
            pattern = &behind[length..];
            continue;
        }
        let (next, rest) = given.split_first()?;
        match (first, next) {
            (TokenTree::Group(wanted), TokenTree::Group(next)) if wanted.delimiter() == next.delimiter() => {
                let wanted: Vec<TokenTree> = wanted.stream().into_iter().collect();
                let next: Vec<TokenTree> = next.stream().into_iter().collect();
                let (inner, left) = fit(&wanted, &next)?;
                if !left.is_empty() {
                    return None;
                }
                bound.once.extend(inner.once);
                bound.repeated.extend(inner.repeated);
            }
            (TokenTree::Group(_), _) | (_, TokenTree::Group(_)) => return None,
            (wanted, next) if wanted.to_string() == next.to_string() => {}
            _ => return None,
        }
        (pattern, given) = (behind, rest);
    }
    Some((bound, given))
}

/// How many tokens a part of this kind has.
fn length_of(kind: &str, given: &[TokenTree]) -> Option<usize> {
    let first = given.first()?;
    let length = match kind {
        "ident" => usize::from(matches!(first, TokenTree::Ident(_))),
        "literal" => usize::from(matches!(first, TokenTree::Literal(_))),
        "lifetime" => 2,
        "tt" => 1,
        "ty" | "path" | "expr" => {
            let mut depth = 0_usize;
            let is_over = |token: &TokenTree| {
                let TokenTree::Punct(punct) = token else { return false };
                match punct.as_char() {
                    '<' => depth += 1,
                    '>' => depth = depth.saturating_sub(1),
                    ',' | ';' => return depth == 0,
                    _ => {}
                }
                // `=>` and `=`
                punct.as_char() == '=' && depth == 0
            };
            given.iter().position(is_over).unwrap_or(given.len())
        }
        _ => 0,
    };
    (length > 0 && length <= given.len()).then_some(length)
}

fn names_in(tokens: TokenStream) -> BTreeSet<String> {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let mut names = BTreeSet::new();
    for (n, token) in tokens.iter().enumerate() {
        match token {
            TokenTree::Ident(name) if n > 0 && is_punct(tokens.get(n - 1), '$') => {
                names.insert(plain(name));
            }
            TokenTree::Group(group) => names.extend(names_in(group.stream())),
            _ => {}
        }
    }
    names
}

/// The code of an arm with what its names stand for.
fn write(body: TokenStream, bound: &Bound) -> TokenStream {
    let tokens: Vec<TokenTree> = body.into_iter().collect();
    let mut made = TokenStream::new();
    let mut n = 0;
    while let Some(token) = tokens.get(n) {
        n += 1;
        match token {
            TokenTree::Punct(mark) if mark.as_char() == '$' => {
                if let Some(TokenTree::Ident(name)) = tokens.get(n) {
                    let name_stands_for = bound.once.get(&plain(name)).cloned();
                    made.extend(name_stands_for.unwrap_or_else(|| TokenTree::Ident(name.clone()).into()));
                    n += 1;
                } else if let Some((inner, between, length)) = repetition(&tokens[n..]) {
                    let names = names_in(inner.clone());
                    let times = bound.repeated.iter().find(|(of, _)| !of.is_disjoint(&names));
                    for (time, once) in times.map_or(&[][..], |(_, times)| times).iter().enumerate() {
                        if time > 0 {
                            made.extend(between.clone());
                        }
                        let mut here = bound.clone();
                        here.once.extend(once.once.clone());
                        here.repeated.extend(once.repeated.clone());
                        made.extend(write(inner.clone(), &here));
                    }
                    n += length;
                }
            }
            TokenTree::Group(group) => {
                made.extend([TokenTree::Group(Group::new(
                    group.delimiter(),
                    write(group.stream(), bound),
                ))]);
            }
            other => made.extend([other.clone()]),
        }
    }
    made
}
