use jiff::Timestamp;
use proptest::prelude::*;
use rasher::attempt::{Attempt, Isolation, Outcome, Recording, RunContext};
use rasher::outcome::{Folder, Outcomes, Standing, standing};

/// One report of one execution: (test, round, ordinal, shard, outcome).
type Report = (u8, u16, u16, u32, Outcome);

fn reports() -> impl Strategy<Value = Vec<Report>> {
    let outcome = prop::sample::select(Outcome::ALL.to_vec());
    prop::collection::vec((0..6_u8, 1..4_u16, 0..2_u16, 1..3_u32, outcome), 0..40)
}

fn recording(report: &Report) -> (RunContext, Recording) {
    let (test, round, ordinal, shard, outcome) = *report;
    let context = RunContext {
        environment: "ci".into(),
        branch: None,
        commit: None,
        base_commit: None,
        run: "run".into(),
        attempt: round,
        shard: Some(shard),
        worker: Some(format!("worker-{shard}")),
        plan: None,
        isolation: Isolation::InSuite,
        at: Timestamp::UNIX_EPOCH,
    };
    let mut recording = Recording::default();
    let test = recording.tests.intern(&format!("test-{test}"), None);
    recording.attempts.push(Attempt {
        test,
        ordinal,
        start: None,
        duration: None,
        outcome,
        signature: None,
        message: None,
        unique_id: None,
    });
    (context, recording)
}

fn fold(reports: &[Report]) -> Outcomes {
    let mut folder = Folder::new();
    for report in reports {
        let (context, recording) = recording(report);
        folder.add(&context, &recording);
    }
    folder.finish()
}

fn standings(outcomes: &Outcomes) -> Vec<(String, Standing)> {
    let tests = outcomes.tests();
    tests.ids().map(|test| (tests.name(test).to_owned(), standing(outcomes.of(test)))).collect()
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: Some(Box::new(
            proptest::test_runner::FileFailurePersistence::SourceParallel("../../proptest-regressions"),
        )),
        ..ProptestConfig::default()
    })]

    #[test]
    fn the_order_of_reports_has_no_say(
        (reports, shuffled) in reports().prop_flat_map(|r| (Just(r.clone()), Just(r).prop_shuffle()))
    ) {
        let (one, two) = (fold(&reports), fold(&shuffled));
        prop_assert_eq!(one.trials(), two.trials());
        prop_assert_eq!(standings(&one), standings(&two));
    }

    #[test]
    fn telling_an_execution_twice_changes_nothing(reports in reports(), again in 0..40_usize) {
        let once = fold(&reports);
        let mut twice = reports.clone();
        twice.extend(reports.iter().take(again));
        let twice = fold(&twice);
        prop_assert_eq!(once.trials(), twice.trials());
    }

    #[test]
    fn no_test_stands_as_passed_without_an_uncontradicted_pass_of_its_own(
        reports in reports(), keep in prop::collection::vec(any::<bool>(), 40)
    ) {
        // Any subset of results may be lost on the way.
        let arrived: Vec<Report> =
            reports.iter().zip(&keep).filter(|(_, keep)| **keep).map(|(r, _)| *r).collect();
        let outcomes = fold(&arrived);
        for (name, stands) in standings(&outcomes) {
            let own = |r: &&Report| format!("test-{}", r.0) == name;
            let passes = arrived.iter().filter(own).filter(|r| r.4 == Outcome::Passed);
            let sound = passes.into_iter().any(|pass| {
                !arrived.iter().any(|r| {
                    (r.0, r.1, r.2, r.3) == (pass.0, pass.1, pass.2, pass.3)
                        && r.4 != Outcome::Passed && r.4 != Outcome::NotRun
                })
            });
            let failed = arrived.iter().filter(own).any(|r| r.4.is_failure());
            let as_passed = matches!(stands, Standing::Passed | Standing::Flaky);
            prop_assert_eq!(as_passed, sound, "{} stands as {:?}", name, stands);
            prop_assert_eq!(
                matches!(stands, Standing::Failed(_) | Standing::Flaky), failed, "{}", name
            );
        }
    }
}

#[test]
fn two_reports_that_contradict_each_other_count_as_the_worse_and_say_so() {
    let outcomes = fold(&[(1, 1, 0, 1, Outcome::Passed), (1, 1, 0, 1, Outcome::Failed)]);
    let trials = outcomes.of_name("test-1");
    assert_eq!(trials.len(), 1);
    assert!(trials[0].conflicting);
    assert_eq!(standing(trials), Standing::Failed(Outcome::Failed));
    assert_eq!(outcomes.duplicates(), 1);
}

#[test]
fn a_test_that_never_reported_is_missing() {
    assert_eq!(standing(fold(&[]).of_name("test-1")), Standing::Missing);
    let outcomes = fold(&[(1, 1, 0, 1, Outcome::NotRun)]);
    assert_eq!(standing(outcomes.of_name("test-1")), Standing::Missing);
}
