//! The known name that a mistyped one was meant to be.

/// The nearest known name, where one is near enough to be meant.
///
/// ```
/// use finrail_spec::meant::meant;
///
/// assert_eq!(meant("requried", ["refused", "required"]), Some("required"));
/// assert_eq!(meant("payments", ["accounts", "offline"]), None);
/// ```
pub fn meant<'k>(word: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    let plain = |text: &str| text.to_lowercase().replace(['-', ' '], "_");
    let typed = plain(word);
    let far = 1 + typed.chars().count() / 4;
    let near = known.into_iter().map(|name| (distance(&typed, &plain(name)), name));
    near.filter(|(distance, _)| *distance <= far)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

/// `: did you mean ...?` for the end of a sentence, or nothing.
#[must_use]
pub fn did_you_mean<'k>(word: &str, known: impl IntoIterator<Item = &'k str>) -> String {
    meant(word, known)
        .map(|name| format!(": did you mean `{name}`?"))
        .unwrap_or_default()
}

/// How many letters are to be typed, left out, changed or swapped with their neighbour to come from one to the other.
fn distance(one: &str, other: &str) -> usize {
    let one: Vec<char> = one.chars().collect();
    let other: Vec<char> = other.chars().collect();
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=other.len()).collect();
    for (row, letter) in one.iter().enumerate() {
        let mut next = vec![row + 1];
        for (column, known) in other.iter().enumerate() {
            let mut least = (last[column] + usize::from(letter != known))
                .min(last[column + 1] + 1)
                .min(next[column] + 1);
            let swapped = row > 0 && column > 0 && *letter == other[column - 1] && one[row - 1] == *known;
            if swapped {
                least = least.min(before[column - 1] + 1);
            }
            next.push(least);
        }
        before = std::mem::replace(&mut last, next);
    }
    last[other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_meant_where_few_letters_differ() {
        let known = ["official", "client-code", "inferred", "pkce", "scope_sent_on"];
        for (typed, name) in [
            ("oficial", Some("official")),
            ("Official", Some("official")),
            ("client_code", Some("client-code")),
            ("clientcode", Some("client-code")),
            ("pcke", Some("pkce")),
            ("scopes_sent_on", Some("scope_sent_on")),
            ("x", None),
            ("", None),
            ("documented", None),
        ] {
            assert_eq!(meant(typed, known), name, "{typed}");
        }
        assert_eq!(did_you_mean("infered", known), ": did you mean `inferred`?");
        assert_eq!(did_you_mean("zzz", known), "");
    }

    #[test]
    fn a_distance_counts_letters() {
        for (one, other, expected) in [
            ("", "", 0),
            ("", "ab", 2),
            ("ab", "ba", 1),
            ("kitten", "sitting", 3),
            ("é", "e", 1),
        ] {
            assert_eq!(distance(one, other), expected, "{one} {other}");
        }
    }
}
