//! Days as documents write them.

/// Whether a text is a day, `YYYY-MM-DD`.
///
/// ```
/// assert!(finrail_spec::date::is_date("2026-11-21"));
/// assert!(!finrail_spec::date::is_date("21.11.2026"));
/// ```
#[must_use]
pub fn is_date(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let digits = |part: &str, length: usize| part.len() == length && part.chars().all(|c| c.is_ascii_digit());
    matches!(parts.as_slice(), [year, month, day] if digits(year, 4) && digits(month, 2) && digits(day, 2)
        && ("01"..="12").contains(month) && ("01"..="31").contains(day))
}
