//! What the words of a status, of a code or of a message say of the call that they are told of.

/// What words say of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Says {
    /// That it failed.
    Failure,
    /// That what it was about came to its end by itself.
    End,
    /// That something was ended: the success of a call that ends something, and of no other.
    Ended,
    /// That there was no error.
    NoError,
    /// That something was done. In the place of an error that is none of a success: `the quote was booked`.
    Done,
    /// That it is being done, or is yet to be.
    UnderWay,
    /// None of this.
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
    "rjct ",
    "void ",
    "voided ",
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

/// How what was done ends that did not stay so. Only a status says it with the word alone.
const UNDONE: &[&str] = &[
    "bounced",
    "dishonored",
    "dishonoured",
    "lapsed",
    "returned",
    "reversed",
    "reverted",
    "withdrawn",
];

/// What is not so of something that goes on: `not required`, `not paid`.
const YET_TO_BE: &[&str] = &[
    "allocated",
    "applicable",
    "assigned",
    "checked",
    "confirmed",
    "delivered",
    "due",
    "flagged",
    "funded",
    "invoiced",
    "matched",
    "needed",
    "paid",
    "received",
    "reconciled",
    "refunded",
    "released",
    "required",
    "reviewed",
    "scheduled",
    "screened",
    "sent",
    "set",
    "started",
    "verified",
];

/// What turns the next word, or what was done, into its opposite.
const NOT: &[&str] = &[
    "not", "never", "cannot", "cant", "couldnt", "didnt", "doesnt", "isnt", "wasnt", "wont", "un", "non",
];
const NO: &[&str] = &["no", "not", "without", "any", "zero", "0"];

/// Before what was done, these say that it was not.
const NONE_OF_IT: &[&str] = &["no", "none", "nothing", "neither", "nor", "zero", "0"];

/// What there may be none of: `no validation errors`.
const FAULTS: &[&str] = &["error", "exception", "failure", "fault"];

/// With these in it, no short phrase is one of a success.
const NOT_OF_A_SUCCESS: &[&str] = &[
    "already",
    "another",
    "be",
    "before",
    "can",
    "could",
    "duplicate",
    "if",
    "may",
    "must",
    "only",
    "other",
    "partially",
    "partly",
    "please",
    "should",
    "unless",
    "until",
    "will",
    "would",
];

/// Phrases that say that there was no error.
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
    "no error",
    "no errors",
    "no error found",
    "no errors found",
    "no error occurred",
    "no errors occurred",
    "without error",
    "without errors",
    "error free",
    "error none",
    "errors none",
    "errors 0",
];
const OF_A_SUCCESS: &[&str] = &["successful", "successfully", "succeeded"];

/// What was done ...
pub(super) const DONE: &[&str] = &[
    "approved",
    "booked",
    "complete",
    "completed",
    "confirmed",
    "created",
    "done",
    "executed",
    "settled",
    "updated",
];

/// ... or taken, to be done: this says less of how it ends ...
pub(super) const TAKEN: &[&str] = &["accepted", "processed", "received", "submitted"];

/// What may be said of the call as well as of what it was to do.
const OF_THE_CALL: &[&str] = &["complete", "completed", "done", "new", "open"];

/// ... or ended.
pub(super) const ENDED: &[&str] = &["deleted", "removed", "revoked", "terminated"];

/// Who ends something, in a status: `terminatedByTpp`.
const WHO_ENDS: &[&str] = &["bank", "client", "customer", "psu", "tpp", "user", "you"];

/// What is being done.
pub(super) const UNDER_WAY: &[&str] = &["pending", "processing", "queued"];

/// How something stands that was done.
const STANDING: &[&str] = &["active", "initiated", "live", "new", "open", "scheduled"];

/// How many words a phrase has at most, and how many a text that is read as a code is.
const MOST_OF_A_PHRASE: usize = 4;
const MOST_OF_A_CODE: usize = 2;

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

/// What a text says of a call. That all is well it says as a whole, or not at all: a sentence may go on in any way.
pub(super) fn says(text: &str) -> Says {
    let spelled = spelled(text);
    let words: Vec<_> = spelled.split_whitespace().collect();
    if let Some(said) = of_a_phrase(&words) {
        return said;
    }
    // What was done stands first: what follows is of what comes of it.
    let is_done_first = text.split_once(['.', ';', '!']).is_some_and(|(first, _)| {
        let first = self::spelled(first);
        let words: Vec<_> = first.split_whitespace().collect();
        let is_taken = words.iter().any(|word| TAKEN.contains(word));
        !is_taken && matches!(of_a_phrase(&words), Some(Says::Done | Says::Ended))
    });
    match is_done_first {
        true => Says::Nothing,
        false => of_a_sentence(&spelled),
    }
}

/// Whether a text is as short as a code.
pub(super) fn is_short(text: &str) -> bool {
    spelled(text).split_whitespace().count() <= MOST_OF_A_CODE
}

/// Whether the text is the name of a kind of order, which has a word of an obstacle in it.
pub(super) fn is_a_limit(text: &str) -> bool {
    matches!(spelled(text).trim(), "limit" | "limit order" | "stop limit")
}

/// Whether a status says of a thing only what is yet to be, or needs not be.
pub(super) fn is_yet_to_be(text: &str) -> bool {
    let spelled = spelled(text);
    match spelled.split_whitespace().collect::<Vec<_>>()[..] {
        ["incomplete"] | ["not", "yet"] => true,
        ["not", word] | [_, "not", word] => YET_TO_BE.contains(&word),
        _ => false,
    }
}

/// Whether a status says that what was done did not stay so.
pub(super) fn was_undone(text: &str) -> bool {
    let spelled = spelled(text);
    is_short(text)
        && spelled
            .split_whitespace()
            .last()
            .is_some_and(|word| UNDONE.contains(&word))
}

/// Whether a status says no more than that the call was taken, or is over: not what became of it.
pub(super) fn is_of_the_call_only(text: &str) -> bool {
    spelled(text)
        .split_whitespace()
        .last()
        .is_some_and(|word| TAKEN.contains(&word) || OF_THE_CALL.contains(&word))
}

/// What the words say as a whole, if they are a short phrase of no failure.
fn of_a_phrase(words: &[&str]) -> Option<Says> {
    let whole = words.join(" ");
    if OF_NO_ERROR.contains(&whole.as_str()) {
        return Some(Says::NoError);
    }
    if let ["not", "settled"] | ["not", "yet", _] = words
        && !words.iter().any(|word| ENDED.contains(word))
    {
        return Some(Says::UnderWay);
    }
    let denies = |word: &&str| {
        [NOT, NONE_OF_IT, NOT_OF_A_SUCCESS]
            .iter()
            .any(|words| words.contains(word))
    };
    if words.iter().any(denies) || of_a_sentence(&format!(" {whole} ")) != Says::Nothing {
        return None;
    }
    let (mut words, mut is_success) = (words, false);
    if let Some((_, before)) = words.split_last().filter(|(last, _)| OF_A_SUCCESS.contains(last)) {
        (words, is_success) = (before, true);
    }
    // `terminatedByTpp`
    if let [before @ .., "by", who] = words
        && WHO_ENDS.contains(who)
        && before.last().is_some_and(|word| ENDED.contains(word))
    {
        words = before;
    }
    let last = words.last()?;
    match words.len() <= MOST_OF_A_PHRASE {
        false => None,
        true if ENDED.contains(last) => Some(Says::Ended),
        true if is_success => Some(Says::NoError),
        true if DONE.contains(last) || TAKEN.contains(last) => Some(Says::Done),
        true if whole.starts_with("awaiting ") || words.first().is_some_and(|word| UNDER_WAY.contains(word)) => {
            Some(Says::UnderWay)
        }
        true => STANDING.contains(&whole.as_str()).then_some(Says::Done),
    }
}

/// What a text says that goes on: that something failed or came to its end, or nothing.
fn of_a_sentence(spelled: &str) -> Says {
    let mut rest = spelled.trim_start();
    let (mut fails, mut obstacle, mut is_done) = (false, None, false);
    // The last two words, and whether there was one that denies what is done.
    let (mut last, mut before, mut denies) = ("", "", false);
    while let Some((word, behind)) = rest.split_once(' ') {
        let begins = |stems: &[&str]| stems.iter().any(|stem| rest.starts_with(stem));
        let is_failure = begins(FAILURES) || ENDS_OF_FAILURES.iter().any(|end| word.ends_with(end));
        let is_obstacle = begins(OBSTACLES);
        let is_end = begins(ENDS);
        let there_is_none = NO.contains(&last) || NO.contains(&before) && begins(FAULTS);
        if OF_NO_ERROR.contains(&word) || [DONE, TAKEN, ENDED].iter().any(|words| words.contains(&word)) {
            fails |= denies;
            is_done |= !TAKEN.contains(&word);
        } else if there_is_none && (is_failure || is_obstacle || is_end) {
            denies = false;
        } else if is_failure {
            fails = true;
        } else if is_obstacle || NOT.contains(&last) {
            obstacle = Some(Says::Failure);
        } else if is_end {
            obstacle = obstacle.or(Some(Says::End));
        }
        // `order no. 5` denies nothing.
        let is_numbered = word == "no" && behind.starts_with(|next: char| next.is_ascii_digit());
        denies |= NOT.contains(&word) || NONE_OF_IT.contains(&word) && !is_numbered;
        (before, last, rest) = (last, word, behind);
    }
    match obstacle {
        _ if fails => Says::Failure,
        Some(told) if !is_done => told,
        _ => Says::Nothing,
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
pub(super) fn spelled(text: &str) -> String {
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
                    "Rejected by the desk. Try again",
                    "Request received. It failed later",
                    "KO",
                    "RJCT",
                    "VOID",
                    "No deal was created",
                    "Nothing was booked",
                    "0 deals created",
                    "The deal was neither booked nor queued",
                    "No access: denied",
                    "quote no longer ok",
                ][..],
            ),
            (Says::End, &["CANCELLED", "expired", "ABORTED", "The consent expired"]),
            (
                Says::Ended,
                &[
                    "REVOKED",
                    "CONSENT_DELETED",
                    "terminatedByTpp",
                    "Deleted successfully",
                    "Your contract was terminated",
                ],
            ),
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
                    "Deal booked successfully",
                    "Errors: none",
                    "Error free",
                    "Approved",
                ],
            ),
            (Says::Done, &["BOOKED", "Deal D1 created", "Request received", "LIVE"]),
            (
                Says::UnderWay,
                &[
                    "PENDING",
                    "PENDING_APPROVAL",
                    "AWAITING_FUNDS",
                    "NOT_SETTLED",
                    "NOT_YET_PROCESSED",
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
                    "Deal booked, awaiting funds",
                    "SUCCESS_NO_DATA",
                    "Quote booked by another",
                    "Duplicate deal booked",
                    "Quote already booked",
                    "approved funds only",
                    "Deal booked. 0 legs failed",
                    "Consent deleted; its tokens are now invalid",
                    "Completed with no validation errors",
                    "order no. 5 accepted by the desk",
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
            ("No longer any transactions", true),
            ("No one may look at transactions", false),
            ("NOT_FOUND", false),
            ("NO_CONTRACT", false),
            ("NO_ACCESS", false),
            ("no", false),
        ] {
            assert_eq!(there_are_none(text), so, "{text}");
        }
    }
}
