//! How the names of a specification become names of Rust, and which are names on the wire.

use std::collections::BTreeMap;

/// Methods that a client or its builder has anyway.
pub const METHODS_TAKEN: [&str; 5] = ["api_version", "builder", "clone", "new", "new_with_client"];

/// Types that the module of the call builders knows by their bare names.
pub const CALLS_TAKEN: [&str; 9] = [
    "ByteStream",
    "Error",
    "From",
    "Option",
    "RequestBuilderExt",
    "ResponseValue",
    "Result",
    "Self",
    "String",
];

/// `list_accounts`, `accountId` -> `ListAccounts`, `AccountId`.
#[must_use]
pub fn pascal_case(name: &str) -> String {
    words(name).iter().map(|word| capitalise(word)).collect()
}

/// `accountId`, `PSU-IP-Address`, `id[]` -> `account_id`, `psu_ip_address`, `id`.
#[must_use]
pub fn snake_case(name: &str) -> String {
    let snake = words(name)
        .iter()
        .map(|word| word.to_lowercase())
        .collect::<Vec<_>>()
        .join("_");
    if snake.starts_with(|c: char| c.is_ascii_digit()) {
        format!("_{snake}")
    } else {
        snake
    }
}

fn capitalise(word: &str) -> String {
    let mut chars = word.chars();
    match chars.next() {
        Some(first) => first.to_uppercase().chain(chars.flat_map(char::to_lowercase)).collect(),
        None => String::new(),
    }
}

/// Splits at everything that is not a letter or a digit, and where a capital follows a small letter.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let chars: Vec<char> = name.chars().collect();
    for (n, &c) in chars.iter().enumerate() {
        if !c.is_ascii_alphanumeric() {
            words.push(String::new());
            continue;
        }
        // A digit goes with the letters before it.
        let previous = chars[..n]
            .iter()
            .rev()
            .find(|c| !c.is_ascii_digit())
            .filter(|c| c.is_ascii_alphabetic());
        let next_is_small = chars.get(n + 1).is_some_and(char::is_ascii_lowercase);
        let starts =
            c.is_ascii_uppercase() && previous.is_some_and(|previous| previous.is_ascii_lowercase() || next_is_small);
        if starts {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut() {
            word.push(c);
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// The name of a method, an argument or a field: a keyword gets an underscore, as progenitor writes it.
#[must_use]
pub fn ident_name(snake: &str) -> String {
    if is_keyword(snake) {
        format!("{snake}_")
    } else {
        snake.to_owned()
    }
}

/// Whether a name in snake_case can be used as it is written; keywords can, see [`ident_name`].
#[must_use]
pub fn is_snake_case(name: &str) -> bool {
    !name.is_empty() && snake_case(name) == name
}

/// The variant that a text becomes: a scope, an environment, an enum value, a kind's key.
#[must_use]
pub fn variant_name(text: &str) -> Option<String> {
    let name = match text {
        // typify has the same two.
        "+1" => "Plus1".to_owned(),
        "-1" => "Minus1".to_owned(),
        _ => pascal_case(text),
    };
    match name.chars().next()? {
        '0'..='9' => Some(pascal_case(&format!("X{text}"))),
        _ if name == "Self" => Some("Self_".to_owned()),
        _ => Some(name),
    }
}

/// The variants that scopes become, in the order of their texts: where two would be called the same, the later ones have a
/// number.
///
/// ```
/// let names = finrail_spec::names::scope_names(["accounts.read", "accounts:read", "*"]);
/// assert_eq!(names, ["AccountsRead", "AccountsRead2", "Scope"]);
/// ```
#[must_use]
pub fn scope_names<'t>(scopes: impl IntoIterator<Item = &'t str>) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for scope in scopes {
        let name = variant_name(scope).unwrap_or_else(|| "Scope".to_owned());
        let numbered = (2..).map(|number| format!("{name}{number}"));
        let mut all = std::iter::once(name.clone()).chain(numbered);
        names.extend(all.find(|name| !names.contains(name)));
    }
    names
}

/// Whether a request can carry a scope of this text (RFC 6749 section 3.3).
#[must_use]
pub fn is_scope(text: &str) -> bool {
    let is_of_a_scope = |byte: u8| matches!(byte, 0x21 | 0x23..=0x5b | 0x5d..=0x7e);
    !text.is_empty() && text.bytes().all(is_of_a_scope)
}

/// Two texts of a list that would become the same variant, or one that becomes none.
pub fn variant_problem<'t>(texts: impl IntoIterator<Item = &'t str>, way_out: &str) -> Option<String> {
    let mut seen: BTreeMap<String, &str> = BTreeMap::new();
    for text in texts {
        let Some(name) = variant_name(text) else {
            return Some(format!("`{text}` gives no Rust name; {way_out}"));
        };
        if let Some(first) = seen.insert(name.clone(), text) {
            return Some(if first == text {
                format!("`{text}` is listed twice")
            } else {
                format!("`{first}` and `{text}` would both be called `{name}`; {way_out}")
            });
        }
    }
    None
}

/// The words that no edition of Rust takes as a name.
#[must_use]
pub fn is_keyword(name: &str) -> bool {
    [
        "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "crate", "do", "dyn",
        "else", "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl", "in", "let", "loop", "macro",
        "match", "mod", "move", "mut", "override", "priv", "pub", "ref", "return", "self", "static", "struct", "super",
        "trait", "true", "try", "type", "typeof", "unsafe", "unsized", "use", "virtual", "where", "while", "yield",
    ]
    .contains(&name)
}

/// Whether a text can be the name of a header (RFC 9110 section 5.6.2, `token`).
#[must_use]
pub fn is_header_name(name: &str) -> bool {
    !name.is_empty()
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b))
}

#[cfg(test)]
mod tests {
    use super::{pascal_case, snake_case, variant_name};

    #[test]
    fn names_are_split_as_people_read_them() {
        let table = [
            ("accountId", "account_id", "AccountId"),
            ("PSU-IP-Address", "psu_ip_address", "PsuIpAddress"),
            ("IBANCode", "iban_code", "IbanCode"),
            ("address1Line", "address1_line", "Address1Line"),
            ("SHA256", "sha256", "Sha256"),
            ("id[]", "id", "Id"),
            ("@context", "context", "Context"),
            ("_links", "links", "Links"),
            ("$", "", ""),
        ];
        for (text, snake, pascal) in table {
            assert_eq!(snake_case(text), snake);
            assert_eq!(pascal_case(text), pascal);
        }
    }

    #[test]
    fn every_variant_begins_with_a_letter() {
        let table = [
            ("401A", "X401a"),
            ("5-YEAR", "X5Year"),
            ("529", "X529"),
            ("+1", "Plus1"),
            ("self", "Self_"),
        ];
        for (text, variant) in table {
            assert_eq!(variant_name(text).as_deref(), Some(variant));
        }
        assert_eq!(variant_name("*"), None);
    }
}
