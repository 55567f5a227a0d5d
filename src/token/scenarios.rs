//! The tests that `scenarios.txt` describes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::HashMap;
use std::time::{Duration, SystemTime};

use chrono::{DateTime, Utc};

use super::clock::{Now, Tick};
use super::machine::*;
use super::{Fingerprint, Intent};
use super::{
    GrantKind, Lineage, ReauthorizationReason, Record, Renewal, Rotation, TokenKey, TokenReply, TokenSet, Tombstone,
    Verdict,
};
use crate::value::{ScopeSet, Secret};

/// One row of a table: cells by column, and where it stands.
struct Row {
    line: usize,
    cells: HashMap<&'static str, &'static str>,
}

impl Row {
    fn cell(&self, column: &str) -> &'static str {
        self.cells
            .get(column)
            .unwrap_or_else(|| panic!("scenarios.txt:{}: no column {column}", self.line))
    }

    fn check<T: std::fmt::Debug>(&self, column: &str, got: T) {
        let got = format!("{got:?}")
            .replace(['(', ')'], " ")
            .replace("{ unanswered:", " ")
            .replace('}', "");
        let got = got.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(got, self.cell(column), "scenarios.txt:{}", self.line);
    }
}

fn table(name: &str) -> Vec<Row> {
    let text = include_str!("scenarios.txt");
    let mut section = "";
    let mut columns: Option<Vec<&'static str>> = None;
    let mut rows = Vec::new();
    for (number, line) in text.lines().enumerate() {
        if let Some(title) = line.strip_prefix("== ") {
            section = title;
            columns = None;
        }
        let Some(cells) = line.strip_prefix('|').filter(|_| section == name) else {
            continue;
        };
        let cells: Vec<_> = cells.split('|').map(str::trim).collect();
        match &columns {
            None => columns = Some(cells),
            Some(columns) => rows.push(Row {
                line: number + 1,
                cells: columns.iter().copied().zip(cells).collect(),
            }),
        }
    }
    assert!(!rows.is_empty(), "no table {name}");
    rows
}

const WALL: Duration = Duration::from_secs(1_767_225_600);

fn now(after: Duration) -> Now {
    let (wall, monotonic) = (SystemTime::UNIX_EPOCH + WALL + after, Duration::from_secs(7) + after);
    Now {
        wall,
        monotonic,
        tick: Tick { wall, monotonic },
    }
}

fn tokens(life: Option<Duration>, refresh_token: bool) -> TokenSet {
    let mut reply = TokenReply::new("access-1");
    reply.expires_in = life;
    reply.refresh_token = refresh_token.then(|| Secret::from("refresh-1"));
    TokenSet::first(reply, &ScopeSet::new(), now(Duration::ZERO).wall, &Rotation::UNKNOWN)
}

fn key() -> TokenKey {
    TokenKey::new("mx", "client", GrantKind::AuthorizationCode)
}

fn reason(text: &str) -> ReauthorizationReason {
    match text {
        "Revoked" => ReauthorizationReason::Revoked,
        "Refused" => ReauthorizationReason::Refused,
        "LostReply" => ReauthorizationReason::LostReply,
        "Forgotten" => ReauthorizationReason::Forgotten,
        other => panic!("reason {other}"),
    }
}

#[test]
fn freshness_by_example() {
    freshness_of("freshness", true);
    freshness_of("the last token", false);
}

fn freshness_of(section: &str, refresh_token: bool) {
    for row in table(section) {
        let number = |column| row.cell(column).parse::<i64>().unwrap();
        let life = row.cell("life").parse().ok().map(Duration::from_secs);
        let set = tokens(life, refresh_token);
        let mut later = now(Duration::from_secs(number("age").unsigned_abs())).tick;
        let jump = Duration::from_secs(number("wall").unsigned_abs());
        later.wall = if number("wall") < 0 {
            later.wall - jump
        } else {
            later.wall + jump
        };
        let jitter = row.cell("jitter").parse().unwrap();
        let horizon = Horizon::of(&set, now(Duration::ZERO), jitter, Renewal::Refresh);
        row.check(
            "state",
            horizon.map_or(Freshness::Unknown, |horizon| horizon.freshness(later)),
        );
    }
}

#[test]
fn freshness_of_a_token_from_elsewhere_by_example() {
    for row in table("read elsewhere") {
        let number = |column| row.cell(column).parse::<i64>().unwrap();
        let set = tokens(Some(Duration::from_secs(number("life").unsigned_abs())), true);
        let mut read = now(Duration::from_secs(10_000));
        let asked = now(Duration::ZERO).wall;
        let off = Duration::from_secs(number("read").unsigned_abs());
        read.wall = if number("read") < 0 { asked - off } else { asked + off };
        read.tick.wall = read.wall;
        let age = Duration::from_secs(number("age").unsigned_abs());
        let later = Tick {
            wall: read.wall + age,
            monotonic: read.monotonic + age,
        };
        let horizon = Horizon::of(&set, read, 0.0, Renewal::Refresh).unwrap();
        row.check("state", horizon.freshness(later));
    }
}

#[test]
fn what_is_left_of_a_life_is_what_the_clock_that_is_further_leaves() {
    let set = tokens(Some(Duration::from_secs(3600)), true);
    let horizon = Horizon::of(&set, now(Duration::ZERO), 1.0, Renewal::Refresh).unwrap();
    for (age, jump, left) in [
        (0, 0, 3600),
        (3599, 0, 1),
        (3600, 0, 0),
        (9999, 0, 0),
        (10, 3000, 590),
        (10, 9999, 0),
        (10, -3000, 3590),
        (3599, -9999, 1),
        (3600, -9999, 0),
    ] {
        let mut later = now(Duration::from_secs(age));
        let jumped = Duration::from_secs(i64::unsigned_abs(jump));
        later.tick.wall = if jump < 0 {
            later.tick.wall - jumped
        } else {
            later.tick.wall + jumped
        };
        assert_eq!(horizon.left(later).as_secs(), left, "{age} {jump}");
    }
}

#[test]
fn decisions_by_example() {
    for row in table("decide") {
        let mut set = match row.cell("tokens") {
            "none" => None,
            kind => Some(tokens(Some(Duration::from_secs(3600)), kind != "plain")),
        };
        let at = now(Duration::from_secs(100));
        if let Some(set) = &mut set {
            let in_seconds = |seconds| Some(DateTime::<Utc>::from(at.wall + Duration::from_secs(seconds)));
            match row.cell("tokens") {
                "brief" => set.refresh_expires_at = in_seconds(100),
                "long" => (set.expires_at, set.refresh_expires_at) = (in_seconds(9_999_999), in_seconds(9_999_999)),
                "lasting" => set.refresh_expires_at = in_seconds(9_999_999),
                _ => {}
            }
        }
        let mut record = set.clone().map(|set| Record::alive(key(), set));
        if let (Some((whose, unanswered)), Some(record)) = (row.cell("intent").split_once(' '), &mut record) {
            let age = Duration::from_secs(row.cell("age").parse().unwrap());
            let (unanswered, first) = match unanswered.trim().split_once('/') {
                Some((unanswered, age)) => (unanswered, Some(Duration::from_secs(age.parse().unwrap()))),
                None => (unanswered.trim(), None),
            };
            record.intent = Some(Intent {
                holder: whose.to_owned(),
                fence: 1,
                at: DateTime::<Utc>::from(at.wall - age),
                first_at: first.map(|age| DateTime::<Utc>::from(at.wall - age)),
                refresh_token: Fingerprint::of(&Secret::from("refresh-1")),
                unanswered: unanswered.parse().unwrap(),
                given_up: whose == "left",
                put_back: whose == "lost",
            });
        }
        if row.cell("tombstone") != "-" {
            let base = record.unwrap_or_else(|| Record::alive(key(), tokens(None, true)));
            let intent = base.intent.clone();
            let mut buried = base.buried(reason(row.cell("tombstone")), at.utc(), "x");
            buried.intent = intent.filter(|_| buried.tokens.is_some());
            record = Some(buried);
        }
        let want = match row.cell("want") {
            "usable" => Want::Usable,
            "younger" => Want::Younger,
            "other" => Want::Other(Issued::with(&tokens(None, true))),
            "instead" => Want::Instead(Issued::with(&tokens(None, true))),
            "later" => Want::Later { than: 1 },
            "renewed" => Want::Later { than: 0 },
            other => panic!("want {other}"),
        };
        let rotation = row.cell("rotation");
        let grace = rotation
            .split(' ')
            .next()
            .unwrap()
            .parse()
            .ok()
            .map(Duration::from_secs);
        let step = decide(&Situation {
            want: &want,
            record: record.as_ref(),
            freshness: match row.cell("state") {
                "Fresh" => Freshness::Fresh,
                "Advisory" => Freshness::Advisory,
                "Mandatory" => Freshness::Mandatory,
                "Expired" | "-" => Freshness::Expired,
                "Unknown" => Freshness::Unknown,
                other => panic!("state {other}"),
            },
            renewal: if row.cell("renewal") == "Anew" {
                Renewal::Anew
            } else {
                Renewal::Refresh
            },
            rotation: &Rotation::new(Some(rotation != "kept"), grace)
                .reuse_revokes_family(rotation.ends_with("family")),
            exclusive: row.cell("lease") == "sole",
            own_intent: row.cell("intent").starts_with("own"),
            waited_for: match row.cell("lease") {
                "waited" => Some(1),
                "changed" => Some(2),
                _ => None,
            },
            now: at,
        });
        row.check("step", step);
    }
}

#[test]
fn judgements_by_example() {
    for row in table("judge") {
        let at = now(Duration::from_secs(100)).utc();
        let mut set = tokens(Some(Duration::from_secs(60)), true);
        match row.cell("ended") {
            "refresh" => set.refresh_expires_at = Some(at),
            "consent" => set.consent_expires_at = Some(at),
            _ => {}
        }
        let verdict = match row.cell("verdict") {
            "Dead" => Verdict::Dead,
            "Transient" => Verdict::Transient { retry_after: None },
            "InDoubt" => Verdict::InDoubt,
            "NotSent" => Verdict::NotSent,
            "Throttled" => Verdict::Throttled { retry_after: None },
            "Rejected" => Verdict::RequestRejected,
            "Misconfigured" => Verdict::ClientMisconfigured,
            other => panic!("verdict {other}"),
        };
        let rotates = match row.cell("rotates") {
            "yes" => Some(true),
            "no" => Some(false),
            _ => None,
        };
        let before = row.cell("before").parse().unwrap();
        row.check(
            "consequence",
            judge(verdict, before, &set, &Rotation::new(rotates, None), at),
        );
    }
}

#[test]
fn rescues_by_example() {
    for row in table("rescue") {
        let at = now(Duration::from_secs(100));
        let before = tokens(None, true);
        let parent = before.next(TokenReply::new("access-2"), at.wall);
        let alive = Record::alive(key(), parent.clone());
        let older = Record::alive(key(), before);
        let stored = match row.cell("stored") {
            "older" => Some(older),
            "older refused" => Some(older.buried(ReauthorizationReason::LostReply, at.utc(), "x")),
            "older revoked" => Some(older.buried(ReauthorizationReason::Revoked, at.utc(), "x")),
            "parent" => Some(alive),
            "parent intent" => Some(alive.with_intent(Intent {
                holder: "somebody".to_owned(),
                fence: 1,
                at: at.utc(),
                first_at: None,
                refresh_token: Fingerprint::of(&Secret::from("refresh-1")),
                unanswered: 0,
                given_up: false,
                put_back: false,
            })),
            "parent refused" => Some(alive.buried(ReauthorizationReason::LostReply, at.utc(), "x")),
            "newer" => Some(Record::alive(key(), parent.next(TokenReply::new("access-3"), at.wall))),
            "newer alike" => Some(Record::alive(key(), parent.next(TokenReply::new("access-2"), at.wall))),
            "revoked" => Some(alive.buried(ReauthorizationReason::Revoked, at.utc(), "x")),
            "forgotten" => Some(alive.buried(ReauthorizationReason::Forgotten, at.utc(), "x")),
            "none" => None,
            other => panic!("stored {other}"),
        };
        let made_from = (row.cell("made from") == "parent").then_some(&parent);
        let set = parent.next(TokenReply::new("access-4"), at.wall);
        row.check("then", rescue(&set, made_from, stored.as_ref()));
    }
}

#[test]
fn what_is_stored_is_known_by_both_tokens_their_number_and_their_login() {
    let at = now(Duration::from_secs(100));
    let login = || Some(Lineage::begun(at.utc()));
    let mut parent = tokens(None, true);
    parent.lineage = login();
    let set = parent.next(TokenReply::new("access-2"), at.wall);
    let with = |change: &dyn Fn(&mut TokenSet)| {
        let mut stored = set.clone();
        change(&mut stored);
        stored
    };
    // What is stored, and whether it is this set as a refresh and as a login, which is numbered with each write.
    for (stored, refreshed, logged_in) in [
        (set.clone(), true, true),
        (with(&|set| set.access_token = Secret::from("access-1")), false, false),
        (
            with(&|set| set.refresh_token = Some(Secret::from("refresh-2"))),
            false,
            false,
        ),
        (with(&|set| set.refresh_token = None), false, false),
        (with(&|set| set.generation = 3), false, true),
        (with(&|set| set.lineage = login()), false, false),
        // A version without lineages wrote over it.
        (with(&|set| set.lineage = None), true, true),
    ] {
        assert_eq!(is_stored(&set, Some(&parent), &stored), refreshed, "{stored:?}");
        assert_eq!(is_stored(&set, None, &stored), logged_in, "{stored:?}");
    }
}

/// A record by its cells; none: there is none.
fn stored(row: &Row, generation: &str, login: Option<Lineage>) -> Option<Record> {
    let generation = row.cell(generation).parse().ok()?;
    let mut tokens = asked_for(generation, row.cell("sent").parse().unwrap());
    tokens.lineage = login;
    let record = Record::alive(key(), tokens);
    Some(match row.cell("ended").split_once(' ') {
        None => record,
        Some((why, when)) => {
            let at = now(Duration::ZERO).utc() + chrono::TimeDelta::seconds(when.trim().parse().unwrap());
            record.buried(reason(why), at, "x")
        }
    })
}

/// The logins to which what the store holds goes back, and what this process holds.
fn logins(row: &Row) -> (Option<Lineage>, Option<Lineage>) {
    let login = |before: Option<&Lineage>| {
        let begun = Lineage::begun(now(Duration::ZERO).utc());
        begun.after(before.map(|before| (Some(before), None)))
    };
    let first = login(None);
    match row.cell("login") {
        "-" => (None, None),
        "same" => (Some(first.clone()), Some(first)),
        "later" => (Some(login(Some(&first))), Some(first)),
        "earlier" => (Some(first.clone()), Some(login(Some(&first)))),
        "ended" => {
            let end = now(Duration::from_secs(90)).utc();
            let ours = Lineage::begun(end).after(Some((Some(&first), Some(end))));
            (Some(first), Some(ours))
        }
        "apart" => (Some(login(Some(&first))), Some(login(Some(&first)))),
        "left out" => (None, Some(first)),
        // Theirs began so many seconds before ours, over the same grant.
        of_a_copy if of_a_copy.starts_with("copy ") || of_a_copy.starts_with("waited ") => {
            let (how, seconds) = of_a_copy.split_once(' ').unwrap();
            let before = now(Duration::ZERO).utc() - chrono::TimeDelta::seconds(seconds.parse().unwrap());
            let theirs = Lineage::begun(before).after(Some((Some(&first), None)));
            let ours = login(Some(&first));
            let ours = if how == "waited" { ours.that_waited() } else { ours };
            (Some(theirs), Some(ours))
        }
        // Theirs came after ours, and began so many seconds before the beginning; or saw ours ended then.
        after if after.starts_with("later ") || after.starts_with("saw ") => {
            let (how, seconds) = after.split_once(' ').unwrap();
            let beginning = now(Duration::ZERO).utc();
            let before = beginning - chrono::TimeDelta::seconds(seconds.parse().unwrap());
            let end = (how == "saw").then_some(beginning);
            (
                Some(Lineage::begun(before).after(Some((Some(&first), end)))),
                Some(first),
            )
        }
        // An end of the first one became that of theirs, or of ours. The other one saw it, or waited, and had not.
        "common" => {
            let beginning = now(Duration::ZERO).utc();
            let theirs = login(Some(&first)).ended_with(Some(&first), beginning);
            let before = beginning - chrono::TimeDelta::seconds(50);
            let ours = Lineage::begun(before).after(Some((Some(&first), Some(beginning))));
            (Some(theirs), Some(ours))
        }
        missed if missed.starts_with("missed ") || missed.starts_with("knew ") => {
            let (how, seconds) = missed.split_once(' ').unwrap();
            let beginning = now(Duration::ZERO).utc();
            let before = beginning - chrono::TimeDelta::seconds(seconds.parse().unwrap());
            let end = (how == "knew").then_some(beginning);
            let theirs = Lineage::begun(before).after(Some((Some(&first), end))).that_waited();
            (
                Some(theirs),
                Some(login(Some(&first)).ended_with(Some(&first), beginning)),
            )
        }
        // Ours found nothing, so many seconds after theirs.
        found_nothing if found_nothing.starts_with("none ") => {
            let seconds = found_nothing["none ".len()..].parse().unwrap();
            let ours = Lineage::begun(now(Duration::from_secs(seconds)).utc()).after(None);
            (Some(first), Some(ours))
        }
        other => panic!("login {other}"),
    }
}

/// The end that somebody knows, by its cell.
fn end(row: &Row, generation: u64, login: Option<&Lineage>) -> Tombstone {
    let over = |why| Record::ended(key(), reason(why), now(Duration::ZERO).utc(), generation, "x").of(login);
    let (why, how) = row.cell("over").split_once(' ').unwrap_or((row.cell("over"), ""));
    let mut end = over(why.trim_end_matches(',')).tombstone.unwrap();
    end.revoked = how == "revoked";
    end.unseen = how == "unseen";
    end
}

/// What this process holds.
fn held(login: Option<Lineage>) -> TokenSet {
    TokenSet {
        lineage: login,
        ..asked_for(3, 0)
    }
}

/// Tokens whose request was sent so many seconds after the beginning.
fn asked_for(generation: u64, sent: i64) -> TokenSet {
    let mut set = tokens(None, true);
    set.generation = generation;
    set.obtained_at += chrono::TimeDelta::seconds(sent);
    set
}

fn yes(answer: bool) -> &'static str {
    if answer { "yes" } else { "no" }
}

#[test]
fn losses_of_the_store_by_example() {
    for row in table("went back") {
        let (theirs, ours) = logins(&row);
        let back = went_back(stored(&row, "stored", theirs).as_ref(), &held(ours));
        assert_eq!(yes(back), row.cell("back"), "scenarios.txt:{}", row.line);
    }
}

/// An import that is run again, minutes or days later, of the token that it brought first.
#[test]
fn an_import_that_is_run_again_is_older_than_what_came_of_the_first_one() {
    let imported = |sent| {
        let mut set = asked_for(1, sent);
        let token = set.imported();
        set.lineage = Some(Lineage::begun(set.obtained_at).after(None).of_import(token));
        set
    };
    let refreshed = |from: &TokenSet, sent| {
        let mut reply = crate::token::TokenReply::new("access-2");
        reply.refresh_token = Some(crate::value::Secret::from("another"));
        from.next(reply, (from.obtained_at + chrono::TimeDelta::seconds(sent)).into())
    };
    let key = || crate::token::TokenKey::new("mx", "client", crate::token::GrantKind::AuthorizationCode);
    let first = imported(0);
    let held = refreshed(&first, 10);
    for again in [0, 120, 86_400] {
        let stored = Record::alive(key(), imported(again));
        assert!(went_back(Some(&stored), &held), "{again}");
        assert!(
            is_outdated((99, &stored), (30, Some(&held)), Renewal::Refresh),
            "{again}"
        );
    }
    // Whoever went on with it has newer tokens.
    let stored = Record::alive(key(), refreshed(&imported(120), 10));
    assert!(!went_back(Some(&stored), &held));
}

#[test]
fn outdated_reads_by_example() {
    for row in table("outdated") {
        let (theirs, ours) = logins(&row);
        let record = stored(&row, "read", theirs).unwrap();
        let revision = row.cell("revision").parse().unwrap();
        let renewal = if row.cell("renewal") == "Anew" {
            Renewal::Anew
        } else {
            Renewal::Refresh
        };
        let outdated = is_outdated((revision, &record), (30, Some(&held(ours))), renewal);
        assert_eq!(yes(outdated), row.cell("outdated"), "scenarios.txt:{}", row.line);
    }
}

/// Days after the tokens came.
#[test]
fn what_goes_on_with_a_grant_that_is_known_to_be_over_by_example() {
    for row in table("known ends") {
        let (theirs, ours) = logins(&row);
        let (read, end) = (stored(&row, "read", theirs).unwrap(), end(&row, 3, ours.as_ref()));
        assert_eq!(
            yes(undoes(&read, &end)),
            row.cell("undoes"),
            "scenarios.txt:{}",
            row.line
        );
        let another = is_another_login(&read, &end);
        assert_eq!(yes(another), row.cell("another"), "scenarios.txt:{}", row.line);
    }
}

#[test]
fn tokens_that_outlive_their_grant_by_example() {
    for row in table("outlived") {
        let (ended, ours) = logins(&row);
        let end = end(&row, row.cell("generation").parse().unwrap(), ended.as_ref());
        let outlives = outlives(&held(ours), &end);
        assert_eq!(yes(outlives), row.cell("outlives"), "scenarios.txt:{}", row.line);
    }
}

fn day(days: i64) -> DateTime<Utc> {
    now(Duration::ZERO).utc() + chrono::TimeDelta::days(days)
}

#[test]
fn a_grant_is_renewed_in_the_last_quarter_of_its_refresh_tokens_life_a_week_before_its_end_at_most() {
    let second = chrono::TimeDelta::seconds(1);
    for (life, from) in [(4, 3), (28, 21), (60, 53)] {
        let mut set = tokens(None, true);
        set.refresh_expires_at = Some(day(life));
        assert!(!is_to_be_renewed(&set, None, day(from) - second), "{life}");
        assert!(is_to_be_renewed(&set, None, day(from)), "{life}");
        assert!(is_to_be_renewed(&set, None, day(life + 1)), "{life}");
        // Where the end is known, it alone counts.
        assert!(
            !is_to_be_renewed(&set, Some(Duration::ZERO), day(from) - second),
            "{life}"
        );
        set.refresh_token = None;
        assert!(!is_to_be_renewed(&set, Some(Duration::ZERO), day(from)), "{life}");
    }
    let unknown = tokens(None, true);
    assert!(!is_to_be_renewed(&unknown, None, day(400)));
    let fortnight = Some(Duration::from_secs(14 * 86_400));
    assert!(!is_to_be_renewed(&unknown, fortnight, day(14) - second));
    assert!(is_to_be_renewed(&unknown, fortnight, day(14)));
}

#[test]
fn a_consents_end_is_near_by_the_time_since_the_login_however_often_its_tokens_were_refreshed() {
    let mut set = tokens(None, true);
    assert_eq!(consent_ends(&set), None);
    set.consent_expires_at = Some(day(90));
    set.lineage = Some(Lineage::begun(day(0)));
    set.obtained_at = day(89);
    assert_eq!(consent_ends(&set), Some((day(90), day(83))));
    // Of earlier versions only the tokens' own time is known.
    set.lineage = None;
    set.obtained_at = day(86);
    assert_eq!(consent_ends(&set), Some((day(90), day(89))));
}
