use jiff::Timestamp;
use proptest::prelude::*;
use rasher::attempt::{Attempt, Isolation, Outcome, Recording, RunContext};
use rasher::flake::{Belief, FlakeOptions, LEVELS, Scores};
use rasher::outcome::{Folder, Outcomes};
use rasher::plan::document::PlanDocument;
use rasher::plan::{PlanFacts, PlanOptions, Workload, plan};
use rasher::retry::{
    Demands, Doubt, DoubtOptions, Known, Next, Planned, RetryLimits, RetryOptions, RetrySet, cases,
    outstanding,
};
use rasher::test_id::TestTable;
use rasher::units::Micros;

/// A plan of tests named `class#test`.
pub(crate) fn plan_of(names: &[&str]) -> PlanDocument {
    let mut tests = TestTable::new();
    for name in names {
        tests.intern(name, name.split_once('#').map(|(class, _)| class));
    }
    let (tests, _) = tests.sorted();
    let spans = vec![Micros::from_secs(1); tests.len()];
    let setups = vec![Micros::ZERO; tests.group_count()];
    let workload = Workload::new(&tests, &spans, &spans, &setups).expect("columns fit");
    let plan = plan(&workload, &PlanOptions::new(2)).expect("a plan");
    plan.document(&workload, PlanFacts::default())
}

/// One report: its round and its rows.
pub(crate) type Report<'a> = (u16, &'a [(&'a str, Outcome)]);

pub(crate) fn fold(reports: &[Report<'_>]) -> Outcomes {
    let mut folder = Folder::new();
    for (at, (round, rows)) in reports.iter().enumerate() {
        let context = RunContext {
            environment: "ci".into(),
            branch: None,
            commit: None,
            base_commit: None,
            run: "run".into(),
            attempt: *round,
            shard: Some(at as u32 + 1),
            worker: None,
            plan: None,
            isolation: Isolation::FreshWorker,
            at: Timestamp::UNIX_EPOCH,
        };
        let mut recording = Recording::default();
        let mut ordinals = std::collections::BTreeMap::new();
        for (name, outcome) in *rows {
            let group = name.split_once('#').map_or(*name, |(class, _)| class);
            let test = recording.tests.intern(name, Some(group));
            let ordinal = ordinals.entry(*name).or_insert(0_u16);
            recording.attempts.push(Attempt {
                test,
                ordinal: *ordinal,
                start: None,
                duration: None,
                outcome: *outcome,
                signature: None,
                message: None,
                unique_id: None,
            });
            *ordinal += 1;
        }
        folder.add(&context, &recording);
    }
    folder.finish()
}

fn retry_of(
    plan: &PlanDocument,
    outcomes: &Outcomes,
    options: &RetryOptions,
) -> (Planned, RetrySet) {
    retry_demanding(plan, outcomes, options, &[], &[])
}

fn retry_demanding(
    plan: &PlanDocument,
    outcomes: &Outcomes,
    options: &RetryOptions,
    needs: &[(&str, &str)],
    whole: &[&str],
) -> (Planned, RetrySet) {
    let planned = Planned::new(std::slice::from_ref(plan));
    let cases = cases(&planned, outcomes);
    let find = |name: &str| planned.tests().find(name).expect("planned");
    let demands = Demands {
        needs: needs.iter().map(|(test, first)| (find(test), find(first))).collect(),
        whole: whole.iter().map(|class| (*class).to_owned()).collect(),
    };
    let scores = Scores::new(FlakeOptions::default());
    let spans = vec![Micros::from_secs(1); planned.tests().len()];
    let set = outstanding(&planned, &cases, &scores, (&demands, &spans), options);
    (planned, set)
}

pub(crate) fn names(planned: &Planned, set: &RetrySet) -> Vec<String> {
    set.tests.iter().map(|test| planned.tests().name(*test).to_owned()).collect()
}

const TESTS: [&str; 6] = ["a#1", "a#2", "a#3", "b#1", "b#2", "c#1"];

/// What one test shows in one round: nothing, or an outcome.
fn shown() -> impl Strategy<Value = Vec<Option<Outcome>>> {
    prop::collection::vec(prop::option::of(prop::sample::select(Outcome::ALL.to_vec())), 6)
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: Some(Box::new(
            proptest::test_runner::FileFailurePersistence::SourceParallel("../../proptest-regressions"),
        )),
        ..ProptestConfig::default()
    })]

    #[test]
    fn what_has_not_passed_runs_again_or_says_why(shown in shown(), tests_max in 0..7_usize) {
        let rows: Vec<(&str, Outcome)> =
            TESTS.iter().zip(&shown).filter_map(|(name, o)| o.map(|o| (*name, o))).collect();
        let limits = RetryLimits { tests_max, ..RetryLimits::default() };
        let options = RetryOptions { limits, ..RetryOptions::default() };
        let plan = plan_of(&TESTS);
        let (planned, set) = retry_of(&plan, &fold(&[(1, &rows)]), &options);
        prop_assert!(set.tests.len() <= tests_max);
        let retried = names(&planned, &set);
        prop_assert_eq!(retried.len() + set.settled.len(), TESTS.len(), "every test is accounted for");
        for (name, outcome) in TESTS.iter().zip(&shown) {
            let again = retried.iter().any(|other| other == name);
            let reason = set.settled.iter().find(|it| it.test == *name).map(|it| it.reason.as_str());
            prop_assert_eq!(again, reason.is_none());
            match outcome {
                Some(Outcome::Passed) if again => prop_assert!(
                    shown.contains(&Some(Outcome::SetUpFailed)), "{} passed; nothing demands it", name
                ),
                Some(Outcome::Passed) => prop_assert_eq!(reason, Some("passed")),
                Some(Outcome::Skipped) => {}
                _ if !again => prop_assert!(reason.is_some_and(|it| it.starts_with("not retried"))),
                _ => {}
            }
        }
        if tests_max >= TESTS.len() {
            prop_assert_eq!(set.over_limit, 0);
        }
    }

    #[test]
    fn a_failure_never_speaks_for_a_test_and_a_pass_never_against_it(
        outcomes in prop::collection::vec(any::<bool>(), 0..12), broken in 0.0_f32..0.9, flaky in 0.0_f32..0.5
    ) {
        let mut healthy = [0.0; LEVELS];
        healthy[0] = (1.0 - broken) * (1.0 - flaky);
        healthy[4] = (1.0 - broken) * flaky;
        let belief = Belief { healthy, broken, rate: healthy[4] * 0.045 };
        let known = Known { belief, correlation: 0.1, neighbours: 0, suspected: false };
        let options = DoubtOptions::default();
        let mut doubt = Doubt::after_failure(&known, &options);
        for failed in outcomes {
            doubt.observe(failed);
        }
        let posterior = doubt.posterior();
        let sum = posterior.real + posterior.partial + posterior.flake + posterior.base + posterior.environment;
        prop_assert!((sum - 1.0).abs() < 1e-9);
        let mut passed = doubt;
        passed.observe(false);
        prop_assert!(passed.posterior().real <= posterior.real + 1e-12);
        // A verdict of flaky needs a pass on this commit.
        if matches!(doubt.next(&options, true), Next::Flaky | Next::Suspect) {
            prop_assert!(doubt.attempts().1 > 0);
        }
    }
}

/// For a class of three tests, every combination of ends of two rounds.
#[test]
fn the_finite_table_of_ends_is_decided_as_published() {
    let plan = plan_of(&["a#1"]);
    for first in Outcome::ALL {
        for second in Outcome::ALL.into_iter().map(Some).chain([None]) {
            let one = [("a#1", first)];
            let two: Vec<(&str, Outcome)> = second.map(|it| ("a#1", it)).into_iter().collect();
            let reports: Vec<Report<'_>> = vec![(1, &one), (2, &two)];
            let (_, set) = retry_of(&plan, &fold(&reports), &RetryOptions::default());
            let results: Vec<Outcome> =
                [Some(first), second].into_iter().flatten().filter(|it| it.is_result()).collect();
            let skipped = first == Outcome::Skipped || second == Some(Outcome::Skipped);
            let again = match results.contains(&Outcome::Passed) {
                true => false,
                false => !results.is_empty() || !skipped,
            };
            assert_eq!(!set.tests.is_empty(), again, "{first:?} then {second:?}");
        }
    }
}

#[test]
fn a_set_up_that_failed_brings_back_its_class_and_nothing_else() {
    let rows = [
        ("a", Outcome::SetUpFailed),
        ("b#1", Outcome::Passed),
        ("b#2", Outcome::Passed),
        ("c#1", Outcome::Passed),
    ];
    let (planned, set) = retry_of(&plan_of(&TESTS), &fold(&[(1, &rows)]), &RetryOptions::default());
    assert_eq!(names(&planned, &set), ["a#1", "a#2", "a#3"]);
}

#[test]
fn what_a_test_needs_comes_back_and_what_was_skipped_for_it_too() {
    let rows = [
        ("a#1", Outcome::Passed),
        ("a#2", Outcome::Failed),
        ("a#3", Outcome::Passed),
        ("b#1", Outcome::Skipped),
        ("b#2", Outcome::Passed),
        ("c#1", Outcome::Passed),
    ];
    let needs = [("a#2", "a#1"), ("b#1", "a#2"), ("b#2", "a#1")];
    let plan = plan_of(&TESTS);
    let outcomes = fold(&[(1, &rows)]);
    let (planned, set) = retry_demanding(&plan, &outcomes, &RetryOptions::default(), &needs, &[]);
    assert_eq!(names(&planned, &set), ["a#1", "a#2", "b#1"]);
    assert_eq!(set.demanded, 2);
    let (planned, set) = retry_demanding(&plan, &outcomes, &RetryOptions::default(), &[], &["a"]);
    assert_eq!(names(&planned, &set), ["a#1", "a#2", "a#3"]);
}

#[test]
fn the_closed_form_is_that_of_the_table() {
    let needed = |p: f64| rasher::retry::retries_needed(0.01, 1, p + 0.1 * (1.0 - p));
    assert_eq!([0.01, 0.1, 0.3, 0.5, 0.6].map(needed), [3, 3, 5, 8, 11]);
}
