//! Days as documents write them.

/// Whether a text is a day of the calendar, `YYYY-MM-DD`.
///
/// ```
/// assert!(finrail_spec::date::is_date("2026-11-21"));
/// assert!(!finrail_spec::date::is_date("21.11.2026"));
/// assert!(!finrail_spec::date::is_date("2026-02-29"));
/// ```
#[must_use]
pub fn is_date(text: &str) -> bool {
    let Some((year, month, day)) = parts(text) else {
        return false;
    };
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        2 => 28 + u16::from(leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => 0,
    };
    (1..=days).contains(&day)
}

/// For the end of a sentence: that a day is written in the right form, and no calendar has it.
#[cfg(feature = "check")]
pub(crate) fn of_no_calendar(text: &str) -> String {
    match parts(text) {
        Some(_) if !is_date(text) => format!(": no calendar has {text}"),
        _ => String::new(),
    }
}

/// Year, month and day.
fn parts(text: &str) -> Option<(u16, u16, u16)> {
    let parts: Vec<&str> = text.split('-').collect();
    let number = |part: &str, length: usize| {
        let digits = part.len() == length && part.bytes().all(|byte| byte.is_ascii_digit());
        digits.then(|| part.parse().ok()).flatten()
    };
    match parts.as_slice() {
        [year, month, day] => Some((number(year, 4)?, number(month, 2)?, number(day, 2)?)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_day_is_one_of_the_calendar() {
        for day in ["2026-11-21", "2024-02-29", "2000-02-29", "2026-12-31"] {
            assert!(super::is_date(day), "{day}");
        }
        for none in [
            "2026-02-29",
            "1900-02-29",
            "2026-04-31",
            "2026-13-01",
            "2026-00-10",
            "2026-01-00",
            "2026-1-01",
            "+026-01-01",
            "yesterday",
            "",
        ] {
            assert!(!super::is_date(none), "{none}");
        }
    }
}
