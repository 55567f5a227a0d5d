//! How long ago a day was.

/// A day in words, seen from another: `on 2026-11-21, 3 days ago`.
pub(super) fn ago(then: &str, today: &str) -> String {
    match (number_of(then), number_of(today)) {
        (Some(then_number), Some(today)) if today > then_number => {
            let days = today - then_number;
            let plural = if days == 1 { "day" } else { "days" };
            format!("on {then}, {days} {plural} ago")
        }
        _ => format!("on {then}"),
    }
}

/// The number of a day since 1970, the inverse of `day`.
fn number_of(date: &str) -> Option<u64> {
    let mut parts = date.split('-').map(str::parse::<u64>);
    let (year, month, day) = (parts.next()?.ok()?, parts.next()?.ok()?, parts.next()?.ok()?);
    let year = if month <= 2 { year.checked_sub(1)? } else { year };
    let era = year / 400;
    let of_era = year % 400;
    let of_year = (153 * (if month > 2 { month.checked_sub(3)? } else { month + 9 }) + 2) / 5 + day.checked_sub(1)?;
    (era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year).checked_sub(719_468)
}

#[cfg(test)]
mod tests {
    #[test]
    fn age_is_told_in_days() {
        assert_eq!(super::ago("2026-11-21", "2026-11-21"), "on 2026-11-21");
        assert_eq!(super::ago("2026-11-21", "2026-11-22"), "on 2026-11-21, 1 day ago");
        assert_eq!(super::ago("2024-02-28", "2024-03-01"), "on 2024-02-28, 2 days ago");
        assert_eq!(super::ago("2025-11-21", "2026-11-21"), "on 2025-11-21, 365 days ago");
    }
}
