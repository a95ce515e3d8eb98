use proptest::prelude::*;
use rasher::attempt::Outcome;
use rasher::flake::{FlakeOptions, Scores};
use rasher::outcome::Outcomes;
use rasher::retry::Planned;
use rasher::verdict::{RunVerdict, VerdictDocument, VerdictOptions, Word, judge};

use super::retry::{Report, fold, plan_of};

fn verdict(names: &[&str], reports: &[Report<'_>], base: Option<&Outcomes>) -> VerdictDocument {
    let planned = Planned::new(&[plan_of(names)]);
    let outcomes = fold(reports);
    let planned = planned.with_unplanned(&outcomes);
    let scores = Scores::new(FlakeOptions::default());
    judge(&planned, &outcomes, base, &scores, &VerdictOptions::default())
}

const TESTS: [&str; 5] = ["a#1", "a#2", "b#1", "b#2", "c#1"];

/// Reports of three rounds, any test any number of times, any of them lost.
fn reports() -> impl Strategy<Value = Vec<(u16, Vec<(&'static str, Outcome)>)>> {
    let row = (prop::sample::select(TESTS.to_vec()), prop::sample::select(Outcome::ALL.to_vec()));
    let report = (1..4_u16, prop::collection::vec(row, 0..8));
    prop::collection::vec(report, 0..6)
}

fn borrowed<'a>(reports: &'a [(u16, Vec<(&'static str, Outcome)>)]) -> Vec<Report<'a>> {
    reports.iter().map(|(round, rows)| (*round, rows.as_slice())).collect()
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: Some(Box::new(
            proptest::test_runner::FileFailurePersistence::SourceParallel("../../proptest-regressions"),
        )),
        ..ProptestConfig::default()
    })]

    #[test]
    fn a_run_that_does_not_block_has_a_pass_or_a_skip_of_every_planned_test(reports in reports()) {
        let verdict = verdict(&TESTS, &borrowed(&reports), None);
        if !verdict.blocks {
            for test in TESTS {
                let told = |of: fn(Outcome) -> bool| {
                    reports.iter().flat_map(|(_, rows)| rows).any(|(name, it)| *name == test && of(*it))
                };
                let failed = told(Outcome::is_failure);
                let passed = told(|it| it == Outcome::Passed);
                prop_assert!(passed || (!failed && told(|it| it == Outcome::Skipped)), "{}", test);
            }
        }
    }

    #[test]
    fn the_order_of_reports_has_no_say_in_a_verdict(reports in reports()) {
        let mut backwards = reports.clone();
        backwards.reverse();
        let (one, two) = (
            verdict(&TESTS, &borrowed(&reports), None), verdict(&TESTS, &borrowed(&backwards), None),
        );
        prop_assert_eq!(one, two);
    }

    #[test]
    fn every_verdict_names_its_evidence_and_its_reason(reports in reports()) {
        for test in verdict(&TESTS, &borrowed(&reports), None).tests {
            prop_assert!(!test.evidence.is_empty() && !test.reason.is_empty());
            prop_assert_eq!(test.posterior.is_some(), test.verdict != Word::Missing);
            if let Some(it) = test.posterior {
                let sum = it.real + it.partial + it.flake + it.base + it.environment + it.order;
                prop_assert!((sum - 1.0).abs() < 1e-6);
            }
        }
    }
}

#[test]
fn the_base_excuses_only_what_it_fails_itself() {
    let rows = [("a#1", Outcome::Failed)];
    let run = |base: &Outcomes| {
        let reports: [Report<'_>; 2] = [(1, &rows), (2, &rows)];
        verdict(&["a#1"], &reports, Some(base)).run
    };
    assert_eq!(run(&fold(&[(1, &[("a#1", Outcome::Failed)])])), RunVerdict::Passed);
    assert_eq!(run(&fold(&[(1, &[("a#1", Outcome::Passed)])])), RunVerdict::Failed);
    assert_eq!(run(&fold(&[(1, &[("a#2", Outcome::Failed)])])), RunVerdict::Failed);
}

#[test]
fn a_bad_machine_is_told_from_a_broken_class() {
    let names: Vec<String> =
        (0..120).map(|at| format!("{}{}#{at}", if at < 60 { "x" } else { "y" }, at / 4)).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let planned = Planned::new(&[plan_of(&names)]);
    let sick = |test: &str| planned.shard(planned.tests().find(test).expect("planned")) == 1;
    let end = |bad: bool| if bad { Outcome::Errored } else { Outcome::Passed };
    let machine: Vec<(&str, Outcome)> = names.iter().map(|name| (*name, end(sick(name)))).collect();
    // Of two machines one is half of everything: that alone is no evidence.
    assert_eq!(verdict(&names, &[(1, &machine)], None).run, RunVerdict::Failed);
    let class: Vec<(&str, Outcome)> =
        names.iter().map(|name| (*name, end(name.starts_with("x0#")))).collect();
    assert_eq!(verdict(&names, &[(1, &class)], None).run, RunVerdict::Failed);
}
