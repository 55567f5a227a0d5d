//! The tests that `call_scenarios.txt` describes.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::HashMap;

use super::*;

/// One row of a table: cells by column, and where it stands.
struct Row {
    line: usize,
    cells: HashMap<&'static str, &'static str>,
}

impl Row {
    fn cell(&self, column: &str) -> &'static str {
        self.cells
            .get(column)
            .unwrap_or_else(|| panic!("call_scenarios.txt:{}: no column {column}", self.line))
    }

    fn yes(&self, column: &str) -> bool {
        match self.cell(column) {
            "yes" => true,
            "-" => false,
            other => panic!("call_scenarios.txt:{}: {column} is {other}", self.line),
        }
    }

    fn check(&self, column: &str, got: &str) {
        assert_eq!(got, self.cell(column), "call_scenarios.txt:{}: {column}", self.line);
    }
}

/// The rows of a section, of all its tables.
fn rows(name: &str) -> Vec<Row> {
    let (mut section, mut columns) = ("", None::<Vec<&'static str>>);
    let mut rows = Vec::new();
    for (number, line) in include_str!("call_scenarios.txt").lines().enumerate() {
        if let Some(title) = line.strip_prefix("== ") {
            section = title;
        }
        let Some(cells) = line.strip_prefix('|') else {
            columns = None;
            continue;
        };
        let cells: Vec<_> = cells.split('|').map(str::trim).collect();
        match &columns {
            None => columns = Some(cells),
            Some(columns) if section == name => rows.push(Row {
                line: number + 1,
                cells: columns.iter().copied().zip(cells).collect(),
            }),
            Some(_) => {}
        }
    }
    assert!(!rows.is_empty(), "no table {name}");
    rows
}

fn shown<T: std::fmt::Debug>(value: Option<T>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| format!("{value:?}"))
}

fn situation(row: &Row) -> Situation {
    let proof = match row.cell("proof") {
        "-" => None,
        "assumed" => Some(Proof::Assumed),
        "documented" => Some(Proof::Documented),
        other => panic!("call_scenarios.txt:{}: proof is {other}", row.line),
    };
    let happened = match row.cell("happened") {
        "never-left" => Happened::NeverLeft,
        "no-answer" => Happened::NoAnswer,
        "elsewhere" => Happened::Elsewhere,
        status => Happened::Answered(Answer {
            status: status.split(' ').next().unwrap().parse().unwrap(),
            names_token: status.ends_with(" named"),
            proof,
            asked: None,
        }),
    };
    Situation {
        effect: match row.cell("effect") {
            "safe" => Effect::Safe,
            "idempotent" => Effect::Idempotent,
            "neither" => Effect::Neither,
            other => panic!("call_scenarios.txt:{}: effect is {other}", row.line),
        },
        has_key: row.yes("key"),
        tries_left: row.yes("tries"),
        may_renew: row.yes("token"),
        may_resend: row.yes("resend"),
        happened,
    }
}

#[test]
fn every_attempt_is_followed_by_what_its_row_says() {
    for row in rows("attempts") {
        let situation = situation(&row);
        row.check("step", &format!("{:?}", situation.decide()));
        let concluded = situation.conclude();
        row.check("outcome", &format!("{:?}", concluded.outcome));
        row.check("rests", &shown(concluded.proof));
    }
}

/// The law of all rows, those that are not written down included: what may have been carried out is not sent again, unless
/// twice is the same as once.
#[test]
fn nothing_that_may_have_been_carried_out_is_sent_twice() {
    let statuses = (100..600).map(Some).chain([None]);
    for (status, choice) in statuses.flat_map(|status| (0..96).map(move |choice| (status, choice))) {
        let bit = |bit: u32| choice >> bit & 1 == 1;
        let proof = [None, Some(Proof::Assumed), Some(Proof::Documented)][choice / 32];
        let situation = Situation {
            effect: Effect::Neither,
            has_key: false,
            tries_left: bit(0),
            may_renew: bit(1),
            may_resend: bit(2),
            happened: match status {
                Some(status) => Happened::Answered(Answer {
                    status,
                    proof,
                    names_token: bit(3) && status == 401,
                    asked: None,
                }),
                None if bit(4) => Happened::NoAnswer,
                None => Happened::Elsewhere,
            },
        };
        let again = matches!(situation.decide(), Step::Renew | Step::Repeat);
        let named = matches!(situation.happened, Happened::Answered(answer) if answer.names_token);
        assert!(!again || named, "{situation:?}");
        if again {
            assert_eq!(situation.conclude().outcome, Outcome::Rejected, "{situation:?}");
        }
    }
}

#[test]
fn every_renewal_is_followed_by_what_its_row_says() {
    for row in rows("renewals") {
        let renewal = match row.cell("renewal") {
            "Another" => Renewal::Another,
            "Same" => Renewal::Same,
            "Over" => Renewal::Over,
            "NotNow" => Renewal::NotNow,
            "OutOfTime" => Renewal::OutOfTime,
            other => panic!("call_scenarios.txt:{}: renewal is {other}", row.line),
        };
        row.check("then", &format!("{:?}", after_renewal(renewal, row.yes("named"))));
    }
}

#[test]
fn every_pause_is_as_long_as_its_row_says() {
    let policy = RetryPolicy::default();
    for row in rows("pauses") {
        let asked = match row.cell("asked") {
            "-" => None,
            "unreadable" => Some(RetryAfter::Unreadable),
            seconds => Some(RetryAfter::After(Duration::from_secs(seconds.parse().unwrap()))),
        };
        let left = Duration::from_millis(row.cell("left").parse().unwrap());
        let (next, draw) = (row.cell("next").parse().unwrap(), row.cell("draw").parse().unwrap());
        let pause = pause(&policy, next, asked, left, draw);
        row.check("pause", &shown(pause.map(|pause| pause.as_millis())));
    }
}
