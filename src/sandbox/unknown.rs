//! Names that a test got wrong: a fault or a document that waits where nothing comes by would make it pass for no reason.

/// What is said of a name that is none of these.
pub(super) fn unknown(what: &str, given: &str, known: &[String]) -> String {
    match known.iter().min_by_key(|known| distance(given, known)) {
        Some(nearest) => format!(
            "there is no {what} `{given}`; did you mean `{nearest}`? Known are: {}",
            known.join(", ")
        ),
        None => format!("there is no {what} `{given}`, nor any other"),
    }
}

/// How many letters have to be put in, taken out or changed.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (n, letter) in a.chars().enumerate() {
        let mut next = vec![n + 1];
        for (at, other) in b.iter().enumerate() {
            let changed = row[at] + usize::from(letter != *other);
            next.push(changed.min(row[at + 1] + 1).min(next[at] + 1));
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{distance, unknown};

    #[test]
    fn the_nearest_name_is_named_and_all_others_too() {
        for (a, b, expected) in [
            ("", "", 0),
            ("", "abc", 3),
            ("abc", "", 3),
            ("kitten", "sitting", 3),
            ("ab", "ba", 2),
        ] {
            assert_eq!(distance(a, b), expected, "{a} {b}");
        }
        let known = ["list_accounts".to_owned(), "get_account".to_owned()];
        assert_eq!(
            unknown("operation", "get_acount", &known),
            "there is no operation `get_acount`; did you mean `get_account`? Known are: list_accounts, get_account"
        );
        assert_eq!(
            unknown("operation", "x", &[]),
            "there is no operation `x`, nor any other"
        );
    }
}
