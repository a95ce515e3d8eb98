//! Laws of what people are told: nothing that blocks looks green, nothing foreign is markup, and
//! what is written is read back the same.
#![expect(clippy::disallowed_methods, reason = "goldens are files")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use proptest::test_runner::FileFailurePersistence;
use rasher::attempt::{Attempt, Isolation, Outcome, Recording, RunContext};
use rasher::flake::{FlakeOptions, Scores};
use rasher::ingest::{Dialect, Limits, ProblemKind, Reader};
use rasher::outcome::{Folder, Outcomes};
use rasher::report::owners::{Owners, OwnersDialect, places};
use rasher::report::quarantine::{Quarantine, QuarantineEntry};
use rasher::report::skips::{PERIODS_BEFORE, SkipLabel, SkipPeriod, SkipResult, SkipRun, Skips};
use rasher::report::{MarkdownOptions, junit, markdown};
use rasher::retry::{Planned, cases};
use rasher::test_id::TestTable;
use rasher::units::Micros;
use rasher::verdict::{RunVerdict, VerdictDocument, VerdictOptions, Word, judge};

use super::retry::plan_of;

fn config() -> ProptestConfig {
    ProptestConfig {
        failure_persistence: Some(Box::new(FileFailurePersistence::SourceParallel(
            "../../proptest-regressions",
        ))),
        ..ProptestConfig::default()
    }
}

/// One execution: test, class, how it ended, what it said.
type Row = (String, Option<String>, Outcome, String);

fn recording(rows: &[Row]) -> Recording {
    let mut recording = Recording::default();
    let mut ordinals: BTreeMap<&str, u16> = BTreeMap::new();
    for (name, group, outcome, message) in rows {
        let test = recording.tests.intern(name, group.as_deref());
        let ordinal = ordinals.entry(name).or_default();
        let failed = outcome.is_failure() && !message.trim().is_empty();
        recording.attempts.push(Attempt {
            test,
            ordinal: *ordinal,
            start: None,
            duration: Some(Micros::from_millis(1_234)),
            outcome: *outcome,
            signature: None,
            message: failed.then(|| message.trim().into()),
            unique_id: None,
        });
        *ordinal += 1;
    }
    recording
}

fn fold(rounds: &[Vec<Row>]) -> Outcomes {
    let mut folder = Folder::new();
    for (rows, round) in rounds.iter().zip(1..) {
        let context = RunContext {
            environment: "ci".into(),
            branch: None,
            commit: None,
            base_commit: None,
            run: "run".into(),
            attempt: round,
            shard: Some(u32::from(round)),
            worker: None,
            plan: None,
            isolation: if round > 1 { Isolation::FreshWorker } else { Isolation::InSuite },
            at: Timestamp::UNIX_EPOCH,
        };
        folder.add(&context, &recording(rows));
    }
    folder.finish()
}

fn judged(planned: &Planned, outcomes: &Outcomes, options: &VerdictOptions) -> VerdictDocument {
    judge(planned, outcomes, None, &Scores::new(FlakeOptions::default()), options)
}

/// A plan whose tests keep their groups.
fn planned(tests: &[(String, Option<String>)]) -> Planned {
    let mut table = TestTable::new();
    for (name, group) in tests {
        table.intern(name, group.as_deref());
    }
    let (table, _) = table.sorted();
    let mut plan = plan_of(&["x#y"]);
    plan.shards.truncate(1);
    plan.shards[0].tests = table.ids().map(|test| table.name(test).to_owned()).collect();
    let span = |test| rasher::plan::document::GroupSpan {
        group: table.group(test).map_or(String::new(), |group| table.group_name(group).to_owned()),
        tests: 1,
        whole: true,
    };
    plan.shards[0].groups = table.ids().map(span).collect();
    Planned::new(&[plan])
}

/// Tests as the dialects name them, with anything in their own names.
fn named() -> impl Strategy<Value = (String, Option<String>)> {
    let inner = "[ -~äß\t\n🦀]{0,6}[a-z<>&\"']";
    let class = prop::sample::select(vec!["x.ATest", "x.b.CTest$Inner", "pkg/sub"]);
    let java = (class, inner).prop_map(|(class, name)| (format!("{class}#{name}!"), Some(class)));
    let node = (0..2_u8, "[a-z_]{1,5}(\\[[a-z:<&]{1,4}\\])?").prop_map(|(deep, name)| {
        let class = if deep == 1 { "TestC::" } else { "" };
        (format!("tests/test_x.py::{class}{name}"), Some("tests/test_x.py"))
    });
    let whole = "[a-z]{2,4}\\.[A-Z]{3}".prop_map(|name| (name, None));
    prop_oneof![java, node, whole].prop_map(|(test, group)| (test, group.map(str::to_owned)))
}

fn outcome() -> impl Strategy<Value = Outcome> {
    prop::sample::select(Outcome::ALL.to_vec())
}

/// A run: its tests, and what each showed in each of up to three rounds.
type Made = (Vec<(String, Option<String>)>, Vec<Vec<Row>>);

fn run() -> impl Strategy<Value = Made> {
    let shown = prop::collection::vec(prop::option::of((outcome(), "[ -~\nä]{0,20}")), 3);
    prop::collection::vec((named(), shown), 1..8).prop_map(|tests| {
        let mut known = BTreeSet::new();
        let mut rounds = vec![Vec::new(); 3];
        let mut names = Vec::new();
        for ((test, group), shown) in tests {
            if !known.insert(test.clone()) {
                continue;
            }
            for (round, it) in shown.into_iter().enumerate() {
                if let Some((outcome, message)) = it {
                    rounds[round].push((test.clone(), group.clone(), outcome, message));
                }
            }
            names.push((test, group));
        }
        (names, rounds)
    })
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn what_is_written_is_read_back_the_same((tests, rounds) in run()) {
        let (planned, outcomes) = (planned(&tests), fold(&rounds));
        let verdict = judged(&planned, &outcomes, &VerdictOptions::default());
        let xml = junit(&planned, &outcomes, &verdict);
        let mut reader = Reader::new(Limits::default());
        let file = reader.read(xml.as_bytes(), None);
        prop_assert!(!file.is_refused());
        prop_assert!(file.problems.iter().all(|it| it.kind == ProblemKind::Time), "{:?}\n{xml}", file);
        let back = reader.finish();
        for case in cases(&planned, &outcomes) {
            let name = planned.tests().name(case.test);
            let told: Vec<&Attempt> = back.attempts.iter()
                .filter(|it| back.tests.name(it.test) == name).collect();
            prop_assert!(!told.is_empty(), "`{name}` is not in\n{xml}");
            let word = verdict.tests.iter().find(|it| it.test == name).map(|it| it.verdict);
            let failed: Vec<Outcome> =
                told.iter().map(|it| it.outcome).filter(|it| it.is_failure()).collect();
            let ends: Vec<Outcome> =
                case.executions.iter().map(|it| it.0).filter(|it| it.is_failure()).collect();
            let passes = told.iter().any(|it| it.outcome == Outcome::Passed);
            match word {
                None => prop_assert!(failed.is_empty() && told.len() == 1),
                Some(Word::Missing) => prop_assert!(!passes && failed.len() == 1),
                Some(Word::Flaky | Word::Suspect) => prop_assert!(passes && failed.len() == ends.len()),
                Some(_) => prop_assert!(!passes && failed.len() == ends.len()),
            }
            let whole = planned.tests().group(case.test).is_none();
            if word.is_some_and(|word| word != Word::Missing) && !whole {
                prop_assert_eq!(failed, ends, "`{}` in\n{}", name, xml);
            }
        }
    }

    #[test]
    fn messages_come_back_as_they_were(message in "[ -~äß\t\n]{0,60}") {
        let tests = [("x.ATest#a".to_owned(), Some("x.ATest".to_owned()))];
        let row = |outcome, said: &str| vec![(
            tests[0].0.clone(), tests[0].1.clone(), outcome, said.to_owned(),
        )];
        let rounds = [row(Outcome::Errored, &message), row(Outcome::Passed, "")];
        let (planned, outcomes) = (planned(&tests), fold(&rounds));
        let verdict = judged(&planned, &outcomes, &VerdictOptions::default());
        let mut reader = Reader::new(Limits::default());
        reader.read(junit(&planned, &outcomes, &verdict).as_bytes(), None);
        let back = reader.finish();
        let known = recording(&rounds[0]).attempts[0].message.clone();
        let says_nothing = ["Failed", "failed", "test failed", "null", "None"];
        if !known.as_deref().is_some_and(|it| says_nothing.contains(&it)) {
            prop_assert_eq!(&back.attempts[0].message, &known);
        }
    }

    #[test]
    fn markdown_is_bounded_and_nothing_foreign_is_markup(
        (tests, rounds) in run(), bytes_max in 0_usize..4_000, owner in "[ -~]{0,20}",
    ) {
        let (planned, outcomes) = (planned(&tests), fold(&rounds));
        let verdict = judged(&planned, &outcomes, &VerdictOptions::default());
        let mut verdict = verdict;
        verdict.tests.iter_mut().for_each(|test| test.owner = Some(owner.clone()));
        let text = markdown(&verdict, MarkdownOptions { bytes_max });
        let smallest = markdown(&verdict, MarkdownOptions { bytes_max: 0 }).len();
        prop_assert!(text.len() <= bytes_max.max(smallest));
        prop_assert!(text.chars().all(|c| !"@[]`_".contains(c)), "{text}");
        let tags = text.replace("<code>", "").replace("</code>", "");
        prop_assert!(!tags.contains(['<', '>']), "{text}");
        let rows = text.lines().filter(|line| line.contains("<code>")).count();
        for line in text.lines().filter(|line| line.contains("<code>")) {
            prop_assert_eq!(line.matches('|').count(), 7, "{}", line);
        }
        let left = text.lines().find_map(|line| line.strip_prefix("and ")?.split(' ').next());
        let left: usize = left.map_or(0, |left| left.parse().expect("a number"));
        prop_assert_eq!(rows + left, verdict.tests.len(), "each is shown or counted");
    }

    #[test]
    fn a_quarantine_changes_what_blocks_and_nothing_that_is_shown((tests, rounds) in run()) {
        let (planned, outcomes) = (planned(&tests), fold(&rounds));
        let plain = judged(&planned, &outcomes, &VerdictOptions::default());
        let all: BTreeSet<String> = tests.iter().map(|it| it.0.clone()).collect();
        let shielded = VerdictOptions { quarantined: all, ..VerdictOptions::default() };
        let shielded = judged(&planned, &outcomes, &shielded);
        let told = |it: &VerdictDocument| it.tests.iter()
            .map(|test| (test.test.clone(), test.verdict, test.reason.clone())).collect::<Vec<_>>();
        prop_assert_eq!(told(&plain), told(&shielded));
        prop_assert!(shielded.tests.iter().all(|it| it.quarantined));
        let missing = shielded.tests.iter().any(|it| it.verdict == Word::Missing);
        let wanted = if missing { RunVerdict::Incomplete } else { RunVerdict::Passed };
        prop_assert_eq!(shielded.run, wanted, "what did not run is never excused");
    }

    #[test]
    fn a_quarantine_shields_from_its_first_day_to_the_one_before_it_expires(
        since in -40_i32..40, days in 1_i32..40, at in -100_i32..100,
    ) {
        let day = |days: i32| Date::constant(2026, 6, 15) + SignedDuration::from_hours(24 * i64::from(days));
        let entry = QuarantineEntry {
            test: "x.ATest".into(), owner: "@a".into(), reason: "r".into(),
            since: day(since), expires: day(since + days),
        };
        let now: Timestamp = format!("{}T23:59:59Z", day(at)).parse().expect("an instant");
        let list = Quarantine::new(vec![entry], 1, now).expect("one of one");
        let shields = list.shield("x.ATest#a", Some("x.ATest"), now).is_some();
        prop_assert_eq!(shields, since <= at && at < since + days);
        prop_assert_eq!(list.expired(now).count() == 1, at >= since + days);
        prop_assert!(list.shield("x.BTest#a", Some("x.BTest"), now).is_none());
    }

    #[test]
    fn skips_are_counted_as_one_would_by_hand(
        runs in prop::collection::vec((0_i64..14, 0_u8..4, any::<bool>(), prop::collection::vec(0_u8..3, 4)), 0..12),
    ) {
        let until: Timestamp = "2026-03-01T00:00:00Z".parse().expect("an instant");
        let period = SkipPeriod { until, length: SignedDuration::from_hours(24) };
        let mut skips = Skips::new(period);
        let names = ["x.A#a", "x.A#b", "x.B#c", "d"];
        let of = |code: u8| [Outcome::Skipped, Outcome::Passed, Outcome::Failed][usize::from(code)];
        let hours = |days: i64| SignedDuration::from_hours(24 * days + 1);
        for (days, commit, on_main, codes) in &runs {
            let at = until - hours(*days);
            let results = names.iter().zip(codes).map(|(test, code)| SkipResult {
                test, group: test.split_once('#').map(|it| it.0), outcome: of(*code),
            });
            skips.add(SkipRun { at, commit: &commit.to_string(), on_main: *on_main }, results);
        }
        let document = skips.finish(|_, _| SkipLabel::default());
        let now = || runs.iter().filter(|it| it.0 == 0);
        let commits: BTreeSet<u8> = now().map(|it| it.1).collect();
        prop_assert_eq!((document.runs, document.commits), (now().count(), commits.len()));
        let before = runs.iter().filter(|it| (1..=PERIODS_BEFORE as i64).contains(&it.0)).count();
        prop_assert_eq!(document.runs_before, before);
        for (place, name) in names.iter().enumerate() {
            let skipped = |it: &&(i64, u8, bool, Vec<u8>)| it.3[place] == 0;
            let times = now().filter(skipped).count() as u64;
            let row = document.skipped.iter().find(|it| it.test == *name);
            prop_assert_eq!(row.map_or(0, |it| it.skips), times);
            let Some(row) = row else { continue };
            let own: BTreeSet<u8> = now().filter(skipped).map(|it| it.1).collect();
            prop_assert_eq!(row.commits, own.len());
            prop_assert_eq!(row.once, times == 1);
            prop_assert_eq!(row.over_half, 2 * own.len() > commits.len());
            let before = |days: std::ops::RangeInclusive<i64>| {
                runs.iter().filter(skipped).any(|it| days.contains(&it.0))
            };
            prop_assert_eq!(row.not_in_previous, !before(1..=1));
            prop_assert_eq!(row.not_in_previous_ten, !before(1..=PERIODS_BEFORE as i64));
            let mut main = runs.iter().filter(|it| it.2 && it.0 <= PERIODS_BEFORE as i64);
            let newest = main.clone().map(|it| it.0).min();
            let last = main.rfind(|it| Some(it.0) == newest);
            prop_assert_eq!(row.status_on_main, last.map(|it| of(it.3[place])));
        }
        let total: u64 = document.skipped.iter().map(|it| it.skips).sum();
        for counts in [&document.users, &document.areas, &document.classes] {
            prop_assert_eq!(counts.iter().map(|it| it.skips).sum::<u64>(), total);
            prop_assert_eq!(counts.iter().map(|it| it.tests).sum::<usize>(), document.tests);
        }
    }

    #[test]
    fn the_last_line_that_matches_decides(lines in prop::collection::vec("[a-c*/]{1,6} @[a-z]", 0..6)) {
        let text = lines.join("\n") + "\n* @last\n";
        for dialect in [OwnersDialect::GitHub, OwnersDialect::GitLab] {
            let (owners, _) = Owners::parse(&text, dialect);
            let of = owners.of("a/b/c.java").expect("somebody");
            prop_assert_eq!(of.owners, vec!["@last".to_owned()]);
        }
    }

    #[test]
    fn no_text_is_too_strange_for_owners(text in "(?s).{0,80}", path in "(?s).{0,20}") {
        for dialect in [OwnersDialect::GitHub, OwnersDialect::GitLab] {
            let _ = Owners::parse(&text, dialect).0.of(&path);
        }
        prop_assert!(!places(&path, None).ends.is_empty());
    }
}

#[test]
fn a_list_over_its_limit_is_refused_and_expired_entries_do_not_count() {
    let now: Timestamp = "2026-06-15T12:00:00Z".parse().expect("an instant");
    let entry = |test: &str, until: &str| QuarantineEntry {
        test: test.into(),
        owner: "@a".into(),
        reason: "r".into(),
        since: Date::constant(2026, 1, 1),
        expires: until.parse().expect("a day"),
    };
    let (open, over) = ("2026-12-31", "2026-02-01");
    let list = vec![entry("a", open), entry("b", over), entry("c", open), entry("d", open)];
    let refused = Quarantine::new(list.clone(), 2, now).expect_err("three are open");
    assert_eq!((refused.entry, refused.key), (3, "test"));
    assert!(refused.to_string().contains("the 2 tests that may be in quarantine"));
    assert!(Quarantine::new(list, 3, now).is_ok());
    let twice = Quarantine::new(vec![entry("a", open), entry("a", over)], 9, now);
    assert_eq!(twice.expect_err("twice").entry, 1);
    let backwards = Quarantine::new(vec![entry("a", "2026-01-01")], 9, now);
    assert_eq!(backwards.expect_err("ends as it begins").key, "expires");
    let silent = QuarantineEntry { reason: "  ".into(), ..entry("a", open) };
    assert_eq!(Quarantine::new(vec![silent], 9, now).expect_err("why?").key, "reason");
}

#[test]
fn owners_follow_the_rules_of_github() {
    let text = "# who\n*.rs @rust # all of it\n/docs/ @docs\napps/ @apps\nlib/*\t@lib\n\
                /a/**/z.java @deep\nspace\\ d.txt @s\n/docs/free\n/x[1].java @odd\n!no @no\n";
    let (owners, problems) = Owners::parse(text, OwnersDialect::GitHub);
    assert_eq!(problems.iter().map(|it| it.line).collect::<Vec<_>>(), [10]);
    for (path, owner) in [
        ("src/a.rs", Some("@rust")),
        ("docs/x/y.md", Some("@docs")),
        ("other/docs/x.md", None),
        ("other/apps/deep/x.java", Some("@apps")),
        ("lib/a.java", Some("@lib")),
        ("lib/sub/a.java", None),
        ("other/lib/a.java", None),
        ("a/z.java", Some("@deep")),
        ("a/b/c/z.java", Some("@deep")),
        ("space d.txt", Some("@s")),
        ("docs/free", None),
        ("docs/free/x", None),
        ("x[1].java", Some("@odd")),
        ("README.md", None),
    ] {
        let of = owners.of(path).map(|it| it.owners.join(" "));
        assert_eq!(of.as_deref(), owner, "{path}");
    }
}

#[test]
fn owners_follow_the_rules_of_gitlab() {
    let text = "* @all\n[Money][2] @money @cash\nbilling/\n/top/ledger.java @ledger\n!billing/open/\n\
                ^[Docs] @docs\n*.md\n[money]\n*.sql\n";
    assert_eq!(OwnersDialect::of_text(text), OwnersDialect::GitLab);
    assert_eq!(OwnersDialect::of_text("* @all\n"), OwnersDialect::GitHub);
    let (owners, problems) = Owners::parse(text, OwnersDialect::GitLab);
    assert!(problems.is_empty(), "{problems:?}");
    for (path, of, area) in [
        ("x.java", "@all", None),
        ("deep/billing/A.java", "@all @money @cash", Some("Money")),
        ("billing/open/A.java", "@all", None),
        ("top/ledger.java", "@all @ledger", Some("Money")),
        ("not/top/ledger.java", "@all", None),
        ("billing/a.md", "@all @money @cash @docs", Some("Money")),
        ("a.sql", "@all @money @cash", Some("Money")),
    ] {
        let found = owners.of(path).expect("somebody");
        assert_eq!((found.owners.join(" ").as_str(), found.area.as_deref()), (of, area), "{path}");
    }
}

#[test]
fn a_class_is_looked_for_at_its_package_and_a_node_at_its_file() {
    let first = |test: &str, group: Option<&str>| {
        let found = places(test, group);
        (found.module, found.ends[0].clone())
    };
    let core = Some("core".to_owned());
    for (test, group, wanted) in [
        ("a.BTest#c", Some("a.BTest"), (None, "a/BTest.java")),
        ("a.BTest$In$Er#c", Some("a.BTest$In$Er"), (None, "a/BTest.java")),
        ("core:a.BTest#c", Some("core:a.BTest"), (core, "a/BTest.java")),
        ("t/test_a.py::T::x[a::b]", Some("t/test_a.py"), (None, "t/test_a.py")),
        ("src/a.test.ts#renders", Some("src/a.test.ts"), (None, "src/a.test.ts")),
        ("BTest#c", None, (None, "BTest.java")),
    ] {
        assert_eq!(first(test, group), (wanted.0, wanted.1.to_owned()), "{test}");
    }
    assert_eq!(places("a.B#c", None).ends.len(), 4);
}

fn golden(name: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reports").join(name);
    if std::env::var("UPDATE_GOLDENS").is_ok() {
        std::fs::write(&path, text).expect("a writable golden");
    }
    assert_eq!(text, std::fs::read_to_string(&path).expect("a golden"), "{name}");
}

#[test]
fn a_run_is_told_as_written_in_the_goldens() {
    let of = |test: &str| {
        (test.to_owned(), Some(test.split(['#', ':']).next().unwrap_or("").to_owned()))
    };
    let names = ["a.CartTest#adds", "a.CartTest#<pays>", "a.CartTest#skips", "a.PayTest#fails"];
    let more = ["a.PayTest#hangs", "a.PayTest#lost", "tests/test_x.py::TestC::shy[a|b]"];
    let tests: Vec<_> = names.iter().chain(&more).map(|it| of(it)).collect();
    let row = |at: usize, outcome, said: &str| {
        (tests[at].0.clone(), tests[at].1.clone(), outcome, said.to_owned())
    };
    let rounds = [
        vec![
            row(0, Outcome::Passed, ""),
            row(1, Outcome::Failed, "expected \"5 & 6\"\nbut was <7>"),
            row(2, Outcome::Skipped, ""),
            row(3, Outcome::Failed, "boom | `bang` @team"),
            row(4, Outcome::TimedOut, "hangs() timed out after 5 seconds"),
            row(6, Outcome::Errored, "no connection"),
        ],
        vec![
            row(1, Outcome::Passed, ""),
            row(3, Outcome::Errored, "boom again"),
            row(4, Outcome::Failed, "expected 1"),
            row(6, Outcome::Passed, ""),
        ],
    ];
    let (planned, outcomes) = (planned(&tests), fold(&rounds));
    let quarantined = BTreeSet::from([tests[4].0.clone()]);
    let options = VerdictOptions { quarantined, ..VerdictOptions::default() };
    let mut verdict = judged(&planned, &outcomes, &options);
    verdict.bypass.push(serde_json::json!({
        "by": "Ada <ada@example.com>", "at": "2026-01-05T02:00:00Z", "reason": "hot fix | now",
    }));
    let xml = junit(&planned, &outcomes, &verdict);
    golden("junit.xml", &xml);
    for test in verdict.tests.iter_mut().filter(|test| test.test.starts_with("a.Pay")) {
        test.owner = Some("@org/pay".to_owned());
    }
    golden("summary.md", &markdown(&verdict, MarkdownOptions::default()));
    let (java, _) = xml.split_once("  <testsuite name=\"pytest\"").expect("a suite of pytest");
    let java = format!("{java}</testsuites>");
    let mut reader = Reader::new(Limits::default());
    assert_eq!(reader.read(java.as_bytes(), None).dialect, Some(Dialect::Surefire));
}
