//! Flake scores follow a test to its new name.

use rasher::attempt::Outcome;
use rasher::estimate::follow_renames;
use rasher::flake::{FlakeOptions, Scores};
use rasher::history::RunRecording;
use rasher::retry::Planned;
use rasher::test_id::TestTable;
use rasher::verdict::{VerdictOptions, Word, judge};

use super::retry::{fold, plan_of, recorded};

const OLD: [&str; 4] = ["old.A#calm", "old.A#shaky", "old.B#one", "old.B#two"];
const NEW: [&str; 4] = ["new.A#calm", "new.A#shaky", "old.B#one", "old.B#two"];

/// Runs of a suite whose second test fails in one of four.
fn runs(scores: &mut Scores, names: &[&str], from: u32, count: u32) {
    for run in from..from + count {
        let end = |at: usize| match at == 1 && run.is_multiple_of(4) {
            true => Outcome::Failed,
            false => Outcome::Passed,
        };
        let rows: Vec<_> = names.iter().enumerate().map(|(at, name)| (*name, end(at))).collect();
        let (context, recording) = recorded(&format!("run-{run}"), &rows);
        assert!(scores.fold(&[RunRecording { context, recording }]));
    }
}

fn scores(names: &[&str], count: u32) -> Scores {
    let mut scores = Scores::new(FlakeOptions::default());
    runs(&mut scores, names, 0, count);
    scores
}

fn table(names: &[&str]) -> TestTable {
    let mut tests = TestTable::new();
    for name in names {
        tests.intern(name, name.split_once('#').map(|(class, _)| class));
    }
    tests.sorted().0
}

#[test]
fn a_test_that_moves_keeps_its_score_and_its_verdict() {
    let mut scores = scores(&OLD, 80);
    let was = scores.belief("old.A#shaky");
    assert_ne!(was, scores.belief("new.A#shaky"));
    let failed = [("new.A#shaky", Outcome::Failed)];
    let first: Vec<_> = NEW.iter().map(|it| (*it, Outcome::Passed)).collect();
    let first: Vec<_> = first.into_iter().filter(|it| it.0 != failed[0].0).chain(failed).collect();
    let outcomes = fold(&[(1, &first), (2, &[("new.A#shaky", Outcome::Passed)])]);
    let planned = Planned::new(&[plan_of(&NEW)]);
    let word = |scores: &Scores| {
        let verdict = judge(&planned, &outcomes, None, scores, &VerdictOptions::default());
        (verdict.tests[0].verdict, verdict.tests[0].evidence.clone())
    };
    assert_eq!(word(&scores).0, Word::Suspect, "nobody knows that name");
    assert_eq!(follow_renames(&mut scores, planned.tests()), 2);
    assert_eq!(scores.belief("new.A#shaky"), was);
    let (word, evidence) = word(&scores);
    assert_eq!(word, Word::Flaky);
    assert!(evidence.contains("20 of 80 earlier runs, then named `old.A#shaky`"), "{evidence}");
}

#[test]
fn the_longer_past_speaks_until_the_new_name_has_its_own() {
    for (own, follows) in [(1, 2), (20, 2), (50, 0)] {
        let mut scores = scores(&OLD, 40);
        runs(&mut scores, &NEW, 40, own);
        assert_eq!(follow_renames(&mut scores, &table(&NEW)), follows, "{own} runs");
    }
}

#[test]
fn tests_that_were_ever_seen_side_by_side_are_two() {
    let mut scores = scores(&OLD, 40);
    let both = [&OLD[..], &NEW[..2]].concat();
    runs(&mut scores, &both, 40, 1);
    runs(&mut scores, &NEW, 41, 3);
    assert_eq!(follow_renames(&mut scores, &table(&NEW)), 0);
}

#[test]
fn a_plan_of_a_part_of_the_suite_takes_no_past_from_the_rest() {
    let many: Vec<String> = (0..20).map(|at| format!("old.C{at}#t")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).chain(OLD).collect();
    let mut scores = scores(&many, 40);
    assert_eq!(follow_renames(&mut scores, &table(&["new.A#calm", "old.B#one"])), 0);
    let moved: Vec<&str> = many[..20].iter().copied().chain(NEW).collect();
    assert_eq!(follow_renames(&mut scores, &table(&moved)), 2);
}
