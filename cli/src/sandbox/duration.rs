//! Lengths of time as people write them.

use std::time::Duration;

/// `90d`, `2h`, `30m`, `10s`, or a number of seconds.
///
/// # Errors
///
/// In words, what can be written.
///
/// ```
/// use std::time::Duration;
/// use finrail_cli::sandbox::duration;
///
/// assert_eq!(duration("90d"), Ok(Duration::from_secs(90 * 24 * 3600)));
/// assert_eq!(duration("15"), Ok(Duration::from_secs(15)));
/// assert!(duration("soon").is_err());
/// ```
pub fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || format!("`{text}` is no length of time: write `90d`, `2h`, `30m` or `10s`");
    let (number, unit) = match text.find(|letter: char| !letter.is_ascii_digit()) {
        Some(at) => text.split_at(at),
        None => (text, "s"),
    };
    let number: u64 = number.parse().map_err(|_| wrong())?;
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 24 * 3600,
        _ => return Err(wrong()),
    };
    number.checked_mul(seconds).map(Duration::from_secs).ok_or_else(wrong)
}
