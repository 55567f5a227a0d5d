//! What the words of a status, of a code or of a message say of the call that they are told of.

/// What words say of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Says {
    /// That it failed.
    Failure,
    /// That it, or what it was about, came to its end: the success of a call that ends something, and of no other.
    End,
    /// That there was no error.
    NoError,
    /// That something was done. In the place of an error that is none of a success: `the quote was booked by another`.
    Done,
    /// Neither.
    Nothing,
}

/// How words of a failure begin, at a border of words; a blank at the end: the word is no longer.
const FAILURES: &[&str] = &[
    "error",
    "err ",
    "fail",
    "fault",
    "exception",
    "declin",
    "reject",
    "denied",
    "denial",
    "refus",
    "insufficient",
    "invalid",
    "forbid",
    "unauthor",
    "unavail",
    "unsuccess",
    "unable",
    "unprocessable",
    "unsupported",
    "timeout",
    "time out",
    "timed out",
    "bad request",
    "bad gateway",
    "no such",
    "nosuch",
    "notallowed",
    "notfound",
    "too many",
    "ko ",
    "nok ",
];

/// How they end, where words are written as one.
const ENDS_OF_FAILURES: &[&str] = &[
    "error",
    "exception",
    "failed",
    "failure",
    "denied",
    "declined",
    "rejected",
    "exceeded",
    "unavailable",
    "forbidden",
    "unauthorized",
    "timeout",
    "notfound",
    "notallowed",
];

/// What is a failure's too, unless it stands in a sentence that says that something was done.
const OBSTACLES: &[&str] = &[
    "missing",
    "block",
    "exceed",
    "limit",
    "conflict",
    "suspend",
    "overload",
    "incomplete",
];

/// That something came to its end.
const ENDS: &[&str] = &["cancel", "expire", "abort"];

/// What turns the next word, or what was done, into its opposite.
const NOT: &[&str] = &[
    "not", "never", "cannot", "cant", "couldnt", "didnt", "doesnt", "isnt", "wasnt", "wont", "un", "non",
];
const NO: &[&str] = &["no", "not", "without", "any", "zero", "0"];

/// Behind these it is not said that something was done.
const HEDGES: &[&str] = &[
    "already", "before", "can", "could", "if", "may", "must", "only", "please", "should", "unless", "until", "will",
    "would",
];

const OF_NO_ERROR: &[&str] = &[
    "ok",
    "okay",
    "success",
    "successful",
    "successfully",
    "succeeded",
    "approved",
    "noerror",
    "noerrors",
];

/// What was done.
pub(super) const DONE: &[&str] = &[
    "accepted",
    "booked",
    "complete",
    "completed",
    "confirmed",
    "created",
    "deleted",
    "done",
    "executed",
    "processed",
    "received",
    "removed",
    "revoked",
    "settled",
    "submitted",
    "terminated",
    "updated",
];

/// What is being done. In a sentence this says nothing.
pub(super) const UNDER_WAY: &[&str] = &["pending", "processing", "queued"];

/// How something stands that was done.
const STANDING: &[&str] = &["active", "awaiting", "initiated", "live", "new", "open", "scheduled"];

/// What there are none of, where there are none.
const THERE_ARE_NO: &[&str] = &[
    "accounts",
    "balances",
    "beneficiaries",
    "cards",
    "consents",
    "content",
    "customers",
    "data",
    "deals",
    "entries",
    "events",
    "found",
    "items",
    "matches",
    "movements",
    "orders",
    "payments",
    "providers",
    "record",
    "records",
    "result",
    "results",
    "rows",
    "settlements",
    "statements",
    "templates",
    "transactions",
];
const NONE: &[&str] = &["empty", "none", "nothing", "zero"];

/// What a text says of a call.
pub(super) fn says(text: &str) -> Says {
    let spelled = spelled(text);
    let mut rest = spelled.trim_start();
    let (mut fails, mut obstacle, mut good) = (false, None, None);
    // What stood before: the last word, and whether there was one that denies or hedges.
    let (mut last, mut denies, mut hedges) = ("", false, false);
    while let Some((word, behind)) = rest.split_once(' ') {
        let begins = |stems: &[&str]| stems.iter().any(|stem| rest.starts_with(stem));
        let is_failure = begins(FAILURES) || ENDS_OF_FAILURES.iter().any(|end| word.ends_with(end));
        let is_obstacle = begins(OBSTACLES);
        let is_end = begins(ENDS);
        let is_of_no_error = OF_NO_ERROR.contains(&word);
        if is_of_no_error || DONE.contains(&word) {
            fails |= denies;
            if is_of_no_error && !hedges {
                good = Some(Says::NoError);
            } else if !hedges {
                good = good.or(Some(Says::Done));
            }
        } else if NO.contains(&last) && (is_failure || is_obstacle || is_end) {
            good = good.or(is_failure.then_some(Says::NoError));
        } else if is_failure {
            fails = true;
        } else if is_obstacle || NOT.contains(&last) {
            obstacle = Some(Says::Failure);
        } else if is_end {
            obstacle = obstacle.or(Some(Says::End));
        }
        denies |= NOT.contains(&word);
        hedges |= HEDGES.contains(&word);
        (last, rest) = (word, behind);
    }
    let words = spelled.trim();
    let stands = UNDER_WAY.contains(&words) || STANDING.contains(&words) || words.starts_with("awaiting ");
    match (obstacle, good) {
        _ if fails => Says::Failure,
        (Some(_), Some(_)) => Says::Nothing,
        (Some(told), None) | (None, Some(told)) => told,
        (None, None) if stands => Says::Done,
        (None, None) => Says::Nothing,
    }
}

/// Whether a text says that there are none of what was asked for.
pub(super) fn there_are_none(text: &str) -> bool {
    let spelled = spelled(text);
    let words: Vec<_> = spelled.split_whitespace().collect();
    let is_of = |part: &[&str]| part.iter().any(|word| THERE_ARE_NO.contains(word));
    words.iter().any(|word| NONE.contains(word))
        || words.iter().enumerate().any(|(at, word)| {
            let behind = words.get(at + 1..).unwrap_or_default();
            *word == "no" && is_of(behind.get(..3).unwrap_or(behind))
        })
}

/// A text word by word, with a blank around each: parted where something else than a letter or a digit stands, and where a
/// capital letter begins a word.
fn spelled(text: &str) -> String {
    let mut spelled = String::from(" ");
    let mut letters = text
        .chars()
        .filter(|letter| !matches!(letter, '\'' | '\u{2019}'))
        .peekable();
    let mut last = ' ';
    while let Some(letter) = letters.next() {
        let begins = letter.is_uppercase()
            && (last.is_lowercase() || last.is_uppercase() && letters.peek().is_some_and(|next| next.is_lowercase()));
        if (begins || !letter.is_alphanumeric()) && !spelled.ends_with(' ') {
            spelled.push(' ');
        }
        if letter.is_alphanumeric() {
            spelled.extend(letter.to_lowercase());
        }
        last = letter;
    }
    if !spelled.ends_with(' ') {
        spelled.push(' ');
    }
    spelled
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_say_that_a_call_failed_was_done_or_neither() {
        for (says_so, texts) in [
            (
                Says::Failure,
                &[
                    "ERROR",
                    "err",
                    "INTERNAL_SERVER_ERROR",
                    "BAD_REQUEST",
                    "Service Unavailable",
                    "INSUFFICIENT_FUNDS",
                    "TIMEOUT",
                    "upstream timed out",
                    "INVALID",
                    "NOT_FOUND",
                    "notFound",
                    "ACCESS_DENIED",
                    "accessdenied",
                    "HTTPError",
                    "ThrottlingException",
                    "NO_SUCH",
                    "LIMIT",
                    "Do not honour",
                    "Consent was not deleted",
                    "could not be booked",
                    "couldn't be created",
                    "un-successful",
                    "Failed: the deal was booked",
                    "KO",
                ][..],
            ),
            (Says::End, &["CANCELLED", "expired", "ABORTED", "The consent expired"]),
            (
                Says::NoError,
                &[
                    "OK",
                    "Success!",
                    "Request successful",
                    "Operation completed successfully",
                    "No error",
                    "No errors found",
                    "NO_ERROR",
                    "noError",
                    "without error",
                    "SUCCESS_NO_DATA",
                    "Approved",
                ],
            ),
            (
                Says::Done,
                &[
                    "BOOKED",
                    "Deal D1 created",
                    "CONSENT_DELETED",
                    "terminatedByTpp",
                    "PENDING",
                    "LIVE",
                    "AWAITING_FUNDS",
                    "Deal booked, awaiting funds",
                ],
            ),
            (
                Says::Nothing,
                &[
                    "",
                    "DEFAULT",
                    "UNLIMITED",
                    "x",
                    "noted",
                    "the quote was already booked",
                    "quotes must be confirmed",
                    "booked within the limit",
                    "booked; it can be cancelled",
                    "not expired",
                    "the deal is pending",
                    "NO_CONTRACT",
                    "koala",
                ],
            ),
        ] {
            for text in texts {
                assert_eq!(says(text), says_so, "{text}");
            }
        }
    }

    #[test]
    fn words_say_that_there_are_none() {
        for (text, so) in [
            ("NO_DATA", true),
            ("NoContent", true),
            ("NO_CUSTOMERS", true),
            ("No new records found", true),
            ("SUCCESS_NO_DATA", true),
            ("ZERO_RESULTS", true),
            ("RESULT_EMPTY", true),
            ("NOTHING_FOUND", true),
            ("NOT_FOUND", false),
            ("NO_CONTRACT", false),
            ("NO_ACCESS", false),
            ("no", false),
        ] {
            assert_eq!(there_are_none(text), so, "{text}");
        }
    }
}
