//! Laws of the ledger: whatever goes wrong on the way from a plan to its reports is seen.

use std::collections::BTreeSet;

use proptest::prelude::*;
use proptest::test_runner::FileFailurePersistence;
use rasher::attempt::{Attempt, Outcome, Recording};
use rasher::outcome::ledger::{Ledger, LedgerError, Rules, Verification};
use rasher::plan::document::PlanDocument;
use rasher::plan::{PlanFacts, PlanOptions, Workload, plan};
use rasher::test_id::TestTable;
use rasher::units::Micros;

fn config() -> ProptestConfig {
    ProptestConfig {
        cases: 200,
        failure_persistence: Some(Box::new(FileFailurePersistence::SourceParallel(
            "../../proptest-regressions",
        ))),
        ..ProptestConfig::default()
    }
}

/// A row of a report: test, class, outcome.
type Row = (String, String, Outcome);

fn made_plan(tests: &[String], shards: u32, retry_of: Option<&str>) -> PlanDocument {
    let mut table = TestTable::new();
    for test in tests {
        table.intern(test, test.split('#').next());
    }
    let (table, _) = table.sorted();
    let spans = vec![Micros::from_secs(1); table.len()];
    let setup = vec![Micros::ZERO; table.group_count()];
    let workload = Workload::new(&table, &spans, &spans, &setup).expect("columns");
    let made = plan(&workload, &PlanOptions::new(shards)).expect("a plan");
    let mut document = made.document(&workload, PlanFacts::default());
    document.retry_of = retry_of.map(str::to_owned);
    document.seal();
    document
}

fn row(test: &str, outcome: Outcome) -> Row {
    (test.to_owned(), test.split('#').next().unwrap_or_default().to_owned(), outcome)
}

fn recording(rows: &[Row]) -> Recording {
    let mut recording = Recording::default();
    for (test, class, outcome) in rows {
        let test = recording.tests.intern(test, Some(class));
        recording.attempts.push(Attempt {
            test,
            ordinal: 0,
            start: None,
            duration: None,
            outcome: *outcome,
            signature: None,
            message: None,
            unique_id: None,
        });
    }
    recording
}

fn verify(plans: &[PlanDocument], reports: &[(u16, Vec<Row>)]) -> Verification {
    let mut ledger = Ledger::open(plans).expect("one run");
    for (round, rows) in reports {
        let recording = recording(rows);
        ledger.report(*round, &recording, 0..rows.len()).expect("a round from 1");
    }
    ledger.close()
}

/// The reports of a run that went well, one a shard.
fn good(plan: &PlanDocument) -> Vec<(u16, Vec<Row>)> {
    let rows = |tests: &[String]| tests.iter().map(|test| row(test, Outcome::Passed)).collect();
    plan.shards.iter().map(|shard| (1, rows(&shard.tests))).collect()
}

fn tests() -> impl Strategy<Value = Vec<String>> {
    let test = (0..4_u8, 0..6_u8).prop_map(|(class, case)| format!("C{class}#t{case}"));
    prop::collection::btree_set(test, 1..20).prop_map(|set| set.into_iter().collect())
}

fn no(list: &[String]) -> bool {
    list.is_empty()
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn a_run_in_which_every_shard_reports_its_tests_is_complete(
        tests in tests(), shards in 1..6_u32, skip in any::<bool>(),
    ) {
        let plan = made_plan(&tests, shards, None);
        let mut reports = good(&plan);
        if skip && let Some(row) = reports[0].1.first_mut() {
            row.2 = Outcome::Skipped;
        }
        let verified = verify(&[plan], &reports);
        prop_assert!(verified.complete);
        prop_assert_eq!((verified.planned, verified.accepted), (tests.len(), tests.len()));
    }

    #[test]
    fn a_result_that_is_lost_or_not_run_is_missed_by_name(
        tests in tests(), shards in 1..6_u32, which in any::<prop::sample::Index>(),
        not_run in any::<bool>(),
    ) {
        let plan = made_plan(&tests, shards, None);
        let lost = which.get(&tests).clone();
        let mut reports = good(&plan);
        for (_, rows) in &mut reports {
            if not_run {
                rows.iter_mut().filter(|it| it.0 == lost).for_each(|it| it.2 = Outcome::NotRun);
            } else {
                rows.retain(|it| it.0 != lost);
            }
        }
        let verified = verify(&[plan], &reports);
        prop_assert!(!verified.complete);
        prop_assert_eq!(verified.missing, [lost]);
    }

    #[test]
    fn a_shard_that_reports_nothing_is_named(
        tests in tests(), shards in 1..6_u32, which in any::<prop::sample::Index>(),
    ) {
        let plan = made_plan(&tests, shards, None);
        let busy: Vec<usize> =
            (0..plan.shards.len()).filter(|at| !plan.shards[*at].tests.is_empty()).collect();
        let dead = *which.get(&busy);
        let mut reports = good(&plan);
        reports[dead].1.clear();
        let verified = verify(std::slice::from_ref(&plan), &reports);
        prop_assert!(!verified.complete);
        prop_assert_eq!(verified.missing.len(), plan.shards[dead].tests.len());
        let silent: Vec<u32> = verified.silent_shards.iter().map(|it| it.shard).collect();
        prop_assert_eq!(silent, [plan.shards[dead].index]);
    }

    #[test]
    fn a_test_with_another_name_is_missing_and_unknown(
        tests in tests(), shards in 1..6_u32, which in any::<prop::sample::Index>(),
    ) {
        let plan = made_plan(&tests, shards, None);
        let old = which.get(&tests).clone();
        let mut reports = good(&plan);
        for found in reports.iter_mut().flat_map(|it| &mut it.1).filter(|it| it.0 == old) {
            found.0 = "C0#renamed".to_owned();
        }
        let verified = verify(&[plan], &reports);
        prop_assert!(!verified.complete);
        prop_assert_eq!((&verified.missing[..], &verified.unknown[..]),
            (&[old][..], &["C0#renamed".to_owned()][..]));
    }

    #[test]
    fn a_test_that_two_workers_report_is_a_duplicate_whatever_is_let_pass(
        tests in tests(), shards in 1..6_u32, which in any::<prop::sample::Index>(),
        outcome in prop::sample::select(vec![Outcome::Passed, Outcome::Failed, Outcome::Skipped]),
    ) {
        let plan = made_plan(&tests, shards, None);
        let twice = which.get(&tests).clone();
        let mut reports = good(&plan);
        reports.push((1, vec![row(&twice, outcome)]));
        let rules = Rules { accept_unknown: true, accept_repeated: true };
        let mut ledger = Ledger::open(&[plan]).expect("one run").with_rules(rules);
        for (round, rows) in &reports {
            ledger.report(*round, &recording(rows), 0..rows.len()).expect("a round");
        }
        let verified = ledger.close();
        prop_assert!(!verified.complete);
        prop_assert_eq!(verified.duplicate, [twice]);
    }

    #[test]
    fn a_second_row_in_one_report_is_a_rerun_only_after_a_failure(
        failed in any::<bool>(), again in prop::sample::select(vec![Outcome::Passed, Outcome::Failed]),
    ) {
        let plan = made_plan(&["C0#t0".to_owned()], 1, None);
        let first = if failed { Outcome::Failed } else { Outcome::Passed };
        let verified = verify(&[plan], &[(1, vec![row("C0#t0", first), row("C0#t0", again)])]);
        prop_assert_eq!(verified.complete, failed);
        prop_assert_eq!(verified.repeated.is_empty(), failed);
    }

    #[test]
    fn a_result_from_before_its_retry_never_stands_for_it(
        tests in tests(), shards in 1..6_u32, retried in prop::collection::vec(any::<bool>(), 20),
    ) {
        let first = made_plan(&tests, shards, None);
        let again: Vec<String> =
            tests.iter().zip(&retried).filter(|it| *it.1).map(|it| it.0.clone()).collect();
        prop_assume!(!again.is_empty());
        let retry = made_plan(&again, 1, Some(&first.id));
        let mut reports = good(&first);
        let plans = [retry.clone(), first];
        let stale = verify(&plans, &reports);
        prop_assert!(!stale.complete);
        prop_assert_eq!((&stale.missing, &stale.stale), (&again, &again));
        reports.push((2, good(&retry).remove(0).1));
        prop_assert!(verify(&plans, &reports).complete, "the order of plans has no say");
    }

    #[test]
    fn the_order_of_reports_has_no_say_in_what_is_complete(
        tests in tests(), shards in 1..6_u32, rows in prop::collection::vec((0..4_u8, 0..6_u8), 0..9),
        seed in any::<u64>(),
    ) {
        let plan = made_plan(&tests, shards, None);
        let mut reports = good(&plan);
        let extra = |(class, case)| vec![row(&format!("C{class}#t{case}"), Outcome::Passed)];
        reports.extend(rows.into_iter().map(|it| (1, extra(it))));
        let before = verify(std::slice::from_ref(&plan), &reports);
        let turn = seed as usize % reports.len();
        reports.rotate_left(turn);
        reports.reverse();
        prop_assert_eq!(verify(&[plan], &reports), before);
    }

    #[test]
    fn what_is_planned_is_accepted_or_missing_and_nothing_is_both(
        tests in tests(), shards in 1..6_u32,
        rows in prop::collection::vec((0..5_u8, 0..7_u8, 1..4_u16, 0..8_usize), 0..40),
    ) {
        let plan = made_plan(&tests, shards, None);
        let reports: Vec<(u16, Vec<Row>)> = rows
            .iter()
            .map(|(class, case, round, outcome)| {
                (*round, vec![row(&format!("C{class}#t{case}"), Outcome::ALL[*outcome])])
            })
            .collect();
        let verified = verify(&[plan], &reports);
        prop_assert_eq!(verified.accepted + verified.missing.len(), verified.planned);
        let told: BTreeSet<&String> = reports.iter().flat_map(|it| &it.1)
            .filter(|it| it.2 != Outcome::NotRun).map(|it| &it.0).collect();
        prop_assert!(verified.missing.iter().all(|test| !told.contains(test)));
        let foreign = told.iter().filter(|test| !tests.contains(test)).count();
        prop_assert_eq!(verified.unknown.len(), foreign);
        prop_assert!(!verified.complete
            || no(&verified.missing) && no(&verified.duplicate) && no(&verified.unknown));
    }
}

#[test]
fn a_class_planned_as_one_unit_is_proved_by_its_tests_and_fails_with_any_of_them() {
    let plan = made_plan(&["C0".to_owned()], 1, None);
    let rows = vec![row("C0#a", Outcome::Failed), row("C0#b", Outcome::Passed)];
    let verified = verify(&[plan], &[(1, rows)]);
    assert!(verified.complete);
    assert_eq!((verified.accepted, verified.failed), (1, 1));
}

#[test]
fn a_class_whose_set_up_failed_does_not_stand_for_its_tests_and_one_left_out_does() {
    let plan = made_plan(&["C0#a".to_owned(), "C0#b".to_owned()], 1, None);
    let whole = |outcome| vec![(1, vec![("C0".to_owned(), "C0".to_owned(), outcome)])];
    let broken = verify(std::slice::from_ref(&plan), &whole(Outcome::SetUpFailed));
    assert_eq!((broken.missing.len(), broken.unknown.len()), (2, 0));
    let left_out = verify(&[plan], &whole(Outcome::Skipped));
    assert!(left_out.complete);
    assert_eq!(left_out.skipped, 2);
}

#[test]
fn plans_that_are_no_chain_are_refused() {
    let tests = ["C0#a".to_owned()];
    let first = made_plan(&tests, 1, None);
    let other = made_plan(&["C0#b".to_owned()], 1, None);
    let one = made_plan(&tests, 1, Some(&first.id));
    let two = made_plan(&tests, 2, Some(&first.id));
    let open = |plans: &[&PlanDocument]| {
        Ledger::open(&plans.iter().map(|plan| (*plan).clone()).collect::<Vec<_>>()).err()
    };
    assert!(matches!(open(&[]), Some(LedgerError::NoPlan)));
    assert!(matches!(open(&[&first, &other]), Some(LedgerError::Unlinked(..))));
    assert!(
        matches!(open(&[&one]), Some(LedgerError::NoFirst(..))),
        "a retry alone proves nothing"
    );
    assert!(matches!(open(&[&first, &one, &two]), Some(LedgerError::Forked(..))));
    assert!(open(&[&one, &first, &first]).is_none(), "a plan given twice counts once");
    let mut ledger = Ledger::open(&[first]).expect("one run");
    assert_eq!(ledger.report(0, &Recording::default(), 0..0), Err(LedgerError::NoRound));
}

/// A plan of one shard of two classes, some reports, and what somebody says is gone.
fn with_gone(reports: &[(u16, Vec<Row>)], gone: &[&str]) -> Verification {
    let names = ["a#1", "a#2", "a#3", "b#1", "b#2"].map(str::to_owned);
    let plan = made_plan(&names, 1, None);
    let retry = made_plan(&["a#3".to_owned(), "b#2".to_owned()], 1, Some(&plan.id));
    let plans = if reports.iter().any(|it| it.0 > 1) { vec![plan, retry] } else { vec![plan] };
    let mut ledger = Ledger::open(&plans).expect("one run").with_gone(gone.iter().copied());
    for (round, rows) in reports {
        let told = recording(rows);
        ledger.report(*round, &told, 0..told.attempts.len()).expect("rounds count from 1");
    }
    ledger.close()
}

#[test]
fn a_test_that_was_deleted_is_asked_for_and_gone_only_by_somebodys_word() {
    let pass = |test: &str| row(test, Outcome::Passed);
    let told = vec![pass("a#1"), pass("a#2"), pass("b#1"), pass("b#2")];
    let asked = with_gone(&[(1, told.clone())], &[]);
    assert_eq!((asked.vanished, asked.complete), (vec!["a#3".to_owned()], false));
    for word in ["a#3", "a"] {
        let said = with_gone(&[(1, told.clone())], &[word]);
        assert_eq!((said.gone, said.complete), (vec!["a#3".to_owned()], true));
        assert!(said.missing.is_empty() && said.vanished.is_empty() && said.not_gone.is_empty());
    }
    // A word about what is there, or was never planned, is told to be in vain.
    let vain = with_gone(&[(1, told.clone())], &["a#3", "a#1", "other"]);
    assert_eq!(
        (vain.not_gone, vain.complete),
        (["a#1", "other"].map(str::to_owned).to_vec(), true)
    );
    // Of a class without any result nobody can tell whether it is gone; a person can.
    let rest: Vec<Row> = told[..2].iter().cloned().chain([pass("a#3")]).collect();
    let asked = with_gone(&[(1, rest.clone())], &[]);
    assert_eq!((asked.vanished.len(), asked.missing.len()), (0, 2));
    assert!(with_gone(&[(1, rest)], &["b"]).complete);
    // Retried in vain before anyone said so.
    let retried = [(1, told.clone()), (2, vec![pass("b#2")])];
    assert!(!with_gone(&retried, &[]).complete);
    assert!(with_gone(&retried, &["a#3"]).complete);
}

#[test]
fn a_test_that_was_lost_is_never_gone_whatever_is_said() {
    let pass = |test: &str| row(test, Outcome::Passed);
    let rest = || vec![pass("a#1"), pass("a#2"), pass("b#1")];
    let lost = |reports: &[(u16, Vec<Row>)]| {
        let said = with_gone(reports, &["a#3", "a"]);
        assert!(!said.complete && said.gone.is_empty() && said.missing.contains(&"a#3".to_owned()));
        assert_eq!(said.not_gone, ["a", "a#3"]);
        assert!(with_gone(reports, &[]).vanished.is_empty());
    };
    for end in [Outcome::Crashed, Outcome::TimedOut, Outcome::SetUpFailed] {
        // What ran last on its shard may have taken it along, whichever class it is of, and
        // whether or not a rerun made it good.
        lost(&[(1, [rest(), vec![row("b#2", end)]].concat())]);
        lost(&[(1, [rest(), vec![row("b#2", end), pass("b#2")]].concat())]);
        // So may a crash that nobody planned.
        lost(&[(1, [rest(), vec![pass("b#2"), row("other#1", end)]].concat())]);
    }
    // Its class failed as a whole.
    lost(&[(1, [rest(), vec![pass("b#2"), row("a", Outcome::Errored)]].concat())]);
    // Its shard is silent.
    lost(&[(1, Vec::new())]);
    // It was there in an earlier round of this run, or began and has no result.
    let again = (2, vec![pass("b#2")]);
    lost(&[(1, [rest(), vec![pass("b#2"), row("a#3", Outcome::Failed)]].concat()), again.clone()]);
    // Its runner knows it, and did not run it.
    lost(&[(1, [rest(), vec![pass("b#2"), row("a#3", Outcome::NotRun)]].concat())]);
    // Its retry crashed.
    let crash = (2, vec![row("b#2", Outcome::Crashed)]);
    lost(&[(1, [rest(), vec![pass("b#2")]].concat()), crash]);
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn somebodys_word_takes_out_only_what_was_never_reported(
        ends in prop::collection::vec(prop::option::of(prop::sample::select(Outcome::ALL.to_vec())), 5),
        said in prop::collection::vec(prop::sample::select(vec!["a#1", "a#3", "a", "b", "b#2", "x"]), 0..4),
    ) {
        let names = ["a#1", "a#2", "a#3", "b#1", "b#2"];
        let rows: Vec<Row> =
            names.iter().zip(&ends).filter_map(|(name, end)| end.map(|end| row(name, end))).collect();
        let plain = with_gone(&[(1, rows.clone())], &[]);
        let verified = with_gone(&[(1, rows)], &said);
        for name in &verified.gone {
            let at = names.iter().position(|it| it == name).expect("planned");
            prop_assert!(ends[at].is_none(), "{} was reported", name);
            let class = name.split('#').next().unwrap_or_default();
            prop_assert!(said.contains(&name.as_str()) || said.contains(&class));
        }
        // Nothing else changes: what was missing is missing or gone, never both.
        let mut parts = [verified.missing.clone(), verified.gone.clone()].concat();
        parts.sort();
        prop_assert_eq!(parts, plain.missing);
        prop_assert_eq!(verified.accepted, plain.accepted);
        let abrupt = |end: &Option<Outcome>| {
            matches!(end, Some(Outcome::Crashed | Outcome::TimedOut | Outcome::SetUpFailed))
        };
        prop_assert!(verified.gone.is_empty() || !ends.iter().any(abrupt));
    }
}
