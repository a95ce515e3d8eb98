use jiff::Timestamp;
use proptest::prelude::*;
use rasher::attempt::{Attempt, Isolation, Outcome, Recording, RunContext};
use rasher::flake::{Belief, FlakeOptions, LEVELS, Scores};
use rasher::outcome::{Folder, Outcomes};
use rasher::plan::document::PlanDocument;
use rasher::plan::{PlanFacts, PlanOptions, Workload, plan};
use rasher::retry::{
    Demands, Doubt, DoubtOptions, Known, Next, Planned, RetryEvidence, RetryLimits, RetryOptions,
    RetrySet, cases, outstanding,
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
        ..Demands::default()
    };
    let scores = Scores::new(FlakeOptions::default());
    let spans = vec![Micros::from_secs(1); planned.tests().len()];
    let evidence =
        RetryEvidence { scores: &scores, base: None, demands: &demands, durations: &spans };
    let set = outstanding(&planned, &cases, &evidence, options);
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
        let sum = posterior.real + posterior.partial + posterior.flake + posterior.base;
        let sum = sum + posterior.environment + posterior.order;
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

fn evidence_of<'a>(
    scores: &'a Scores,
    demands: &'a Demands,
    spans: &'a [Micros],
) -> RetryEvidence<'a> {
    RetryEvidence { scores, base: None, demands, durations: spans }
}

/// A run as it is recorded.
pub(crate) fn recorded(run: &str, rows: &[(&str, Outcome)]) -> (RunContext, Recording) {
    let mut recording = Recording::default();
    for (name, outcome) in rows {
        let test = recording.tests.intern(name, name.split_once('#').map(|(class, _)| class));
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
    let context = RunContext {
        environment: "ci".into(),
        branch: None,
        commit: None,
        base_commit: None,
        run: run.to_owned(),
        attempt: 1,
        shard: None,
        worker: None,
        plan: None,
        isolation: Isolation::InSuite,
        at: Timestamp::UNIX_EPOCH,
    };
    (context, recording)
}

/// Scores of a suite in which each of these tests failed in the runs that `fails` says.
pub(crate) fn scores_of(tests: &[&str], runs: u32, fails: impl Fn(usize, u32) -> bool) -> Scores {
    let mut scores = Scores::new(FlakeOptions::default());
    for run in 0..runs {
        let end = |at| if fails(at, run) { Outcome::Failed } else { Outcome::Passed };
        let rows: Vec<_> = tests.iter().enumerate().map(|(at, name)| (*name, end(at))).collect();
        let (context, recording) = recorded(&format!("run-{run}"), &rows);
        scores.fold(&[rasher::history::RunRecording { context, recording }]);
    }
    scores
}

#[test]
fn every_limit_is_named_in_the_reason_and_copies_count_against_time_and_money() {
    let plan = plan_of(&TESTS);
    let rows: Vec<(&str, Outcome)> = TESTS.iter().map(|name| (*name, Outcome::Failed)).collect();
    let outcomes = fold(&[(1, &rows)]);
    let with = |limits: RetryLimits| {
        let options = RetryOptions { limits, ..RetryOptions::default() };
        let (_, set) = retry_of(&plan, &outcomes, &options);
        let reason = set.settled.first().map(|it| it.reason.clone()).unwrap_or_default();
        (set.tests.len(), reason)
    };
    let none = RetryLimits::default;
    let (taken, reason) = with(RetryLimits { tests_max: 2, ..none() });
    assert_eq!((taken, reason.as_str()), (2, "not retried: over the limit of 2 tests"));
    let (taken, reason) = with(RetryLimits { share_max: 0.5, ..none() });
    assert_eq!(taken, 3);
    assert!(reason.contains("50% of the planned tests"), "{reason}");
    let (taken, reason) = with(RetryLimits { time_max: Micros::from_secs(4), ..none() });
    assert_eq!(taken, 4);
    assert!(reason.contains("of test time"), "{reason}");
    let (taken, _) = with(RetryLimits { time_max: Micros::from_secs(4), copies: 2, ..none() });
    assert_eq!(taken, 2);
    let (taken, reason) = with(RetryLimits { cost_max: 0.5, price_per_hour: 360.0, ..none() });
    assert_eq!(taken, 5, "a second costs a tenth");
    assert!(reason.contains("0.5 in money"), "{reason}");
}

#[test]
fn a_mass_failure_is_probed_first_and_the_base_says_what_it_was() {
    let names: Vec<String> = (0..60).map(|at| format!("c{at}#t")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let planned = Planned::new(&[plan_of(&names)]);
    let ended = |of: Outcome| names.iter().map(|name| (*name, of)).collect::<Vec<_>>();
    let (failed, passed) = (ended(Outcome::Failed), ended(Outcome::Passed));
    let scores = scores_of(&names, 20, |_, _| false);
    let (demands, spans) = (Demands::default(), vec![Micros::from_secs(1); names.len()]);
    let first = fold(&[(1, &failed)]);
    let plain = evidence_of(&scores, &demands, &spans);
    let options = RetryOptions::default();
    let set = outstanding(&planned, &cases(&planned, &first), &plain, &options);
    let alarm = set.alarm.expect("sixty failures out of nothing");
    assert_eq!((set.tests.len(), alarm.disturbance), (10, None));
    assert!(set.settled.iter().all(|it| it.reason.contains("mass failure")));
    let ignoring = RetryOptions { ignore_alarm: true, ..RetryOptions::default() };
    let set = outstanding(&planned, &cases(&planned, &first), &plain, &ignoring);
    assert_eq!(set.tests.len(), 60);
    let after = |head: &[(&str, Outcome)], base: &[(&str, Outcome)]| {
        let probed: Vec<(&str, Outcome)> =
            head.iter().filter(|it| names[..10].contains(&it.0)).copied().collect();
        let outcomes = fold(&[(1, &failed), (2, &probed)]);
        let base = fold(&[(1, &base[..10])]);
        let evidence = RetryEvidence { base: Some(&base), ..plain };
        outstanding(&planned, &cases(&planned, &outcomes), &evidence, &options)
    };
    use rasher::outcome::environment::Disturbance;
    let word = |set: &RetrySet| set.alarm.as_ref().and_then(|alarm| alarm.disturbance);
    let set = after(&failed, &failed);
    assert_eq!((word(&set), set.tests.len()), (Some(Disturbance::Environment), 0));
    let set = after(&failed, &passed);
    assert_eq!((word(&set), set.tests.len()), (Some(Disturbance::Wide), 0));
    let set = after(&passed, &passed);
    assert_eq!(word(&set), Some(Disturbance::Transient));
    assert_eq!(set.tests.len(), 50, "the ten of the probe have passed");
}

#[test]
fn without_history_a_number_of_retries_settles_and_the_first_pass_does() {
    let plan = plan_of(&["a#1"]);
    let options = RetryOptions::default();
    let after = |reports: &[Report<'_>]| retry_of(&plan, &fold(reports), &options).1.tests.len();
    let failed = [("a#1", Outcome::Failed)];
    let rounds = |count: u16| (1..=count).map(|round| (round, &failed[..])).collect::<Vec<_>>();
    assert_eq!(after(&rounds(1)), 1);
    assert_eq!(after(&rounds(2)), 1);
    assert_eq!(after(&rounds(13)), 0, "twelve retries at most");
    let mut passed = rounds(1);
    passed.push((2, &[("a#1", Outcome::Passed)]));
    assert_eq!(after(&passed), 0);
}

#[test]
fn of_a_cluster_the_cheapest_runs_again_until_it_passes() {
    let names = ["a#1", "b#1", "c#1", "d#1"];
    // The first three always fail together.
    let scores = scores_of(&names, 60, |at, run| at < 3 && run % 9 == 0);
    let planned = Planned::new(&[plan_of(&names)]);
    let options = RetryOptions { one_of_cluster: true, ..RetryOptions::default() };
    let demands = Demands::default();
    let spans: Vec<Micros> = [5, 2, 9, 1].map(Micros::from_secs).to_vec();
    let failed: Vec<(&str, Outcome)> = names.iter().map(|name| (*name, Outcome::Failed)).collect();
    let again = |reports: &[Report<'_>]| {
        let cases = cases(&planned, &fold(reports));
        let set = outstanding(&planned, &cases, &evidence_of(&scores, &demands, &spans), &options);
        (self::names(&planned, &set), set)
    };
    let (tests, set) = again(&[(1, &failed)]);
    assert_eq!(tests, ["b#1", "d#1"]);
    assert!(set.settled.iter().all(|it| it.reason.contains("waits for `b#1`")));
    let (tests, _) = again(&[(1, &failed), (2, &[("b#1", Outcome::Passed)])]);
    assert!(tests.contains(&"a#1".to_owned()) && tests.contains(&"c#1".to_owned()));
}

#[test]
fn an_invocation_runs_again_alone_only_where_its_siblings_are_as_planned() {
    let names = ["a#m[1]", "a#m[2]", "a#n", "b#1"];
    let plan = plan_of(&names);
    let planned = Planned::new(std::slice::from_ref(&plan));
    let find = |name: &str| planned.tests().find(name).expect("planned");
    let units = vec![vec![find("a#m[1]"), find("a#m[2]")]];
    let demands = Demands { units, ..Demands::default() };
    let scores = Scores::new(FlakeOptions::default());
    let again = |rows: &[(&str, Outcome)]| {
        let cases = cases(&planned, &fold(&[(1, rows)]));
        let evidence = evidence_of(&scores, &demands, &[]);
        self::names(&planned, &outstanding(&planned, &cases, &evidence, &RetryOptions::default()))
    };
    let (pass, fail) = (Outcome::Passed, Outcome::Failed);
    let rest = [("a#n", pass), ("b#1", pass)];
    let told = |rows: &[(&'static str, Outcome)]| again(&[rows, &rest].concat());
    assert_eq!(told(&[("a#m[1]", fail), ("a#m[2]", pass)]), ["a#m[1]"]);
    assert_eq!(told(&[("a#m[1]", fail), ("a#m[7]", pass)]), ["a#m[1]", "a#m[2]"]);
    assert_eq!(told(&[("a#m[7]", fail)]), ["a#m[1]", "a#m[2]", "a#n"]);
}

/// A test of no known flakiness that fails after a first failure as `outcomes` says.
fn calm_test(outcomes: &[bool], neighbours: u32, suspected: bool) -> Doubt {
    let mut healthy = [0.0; LEVELS];
    (healthy[0], healthy[4]) = (0.999_99, 0.000_01);
    let belief = Belief { healthy, broken: 0.0, rate: 1.5e-6 };
    let known = Known { belief, correlation: 0.1, neighbours, suspected };
    let mut doubt = Doubt::after_failure(&known, &DoubtOptions::default());
    outcomes.iter().for_each(|failed| doubt.observe(*failed));
    doubt
}

#[test]
fn a_test_that_goes_on_failing_now_and_then_is_the_commits_and_not_the_environments() {
    let mut outcomes = Vec::new();
    for _ in 0..7 {
        outcomes.extend([false, true]);
        let doubt = calm_test(&outcomes, 0, false);
        assert_ne!(doubt.next(&DoubtOptions::default(), false), Next::Flaky, "{outcomes:?}");
    }
    let doubt = calm_test(&outcomes, 0, false);
    assert_eq!(
        doubt.next(&DoubtOptions::default(), false),
        Next::Failed,
        "{:?}",
        doubt.posterior()
    );
    // Failures in a row before the first pass may well be an outage that went on for a while.
    let doubt = calm_test(&[true, true, false, false, false, false, false, false], 0, false);
    assert_eq!(doubt.next(&DoubtOptions::default(), false), Next::Flaky, "{:?}", doubt.posterior());
}

#[test]
fn a_suspected_worker_excuses_a_failure_that_passes_elsewhere_and_none_that_goes_on() {
    let options = DoubtOptions::default();
    assert_eq!(calm_test(&[false], 4, true).next(&options, false), Next::Flaky);
    let doubt = calm_test(&[true; 4], 4, true);
    assert!(doubt.p_real() > 0.9, "{:?}", doubt.posterior());
}

#[test]
fn only_what_the_base_passes_is_proven_and_no_proof_may_stay_open() {
    let options = DoubtOptions::default();
    let sure = calm_test(&[true, true, true, true], 4, false);
    assert!(sure.p_real() >= 0.99 && !sure.is_proven(&options), "the base was not asked");
    for (failed, proven) in [(false, true), (true, false)] {
        let mut doubt = sure;
        doubt.observe_base(failed);
        assert_eq!(doubt.is_proven(&options), proven, "{:?}", doubt.posterior());
        assert!(!(doubt.is_proven(&options) && doubt.may_stay_open()));
    }
    let known_flaky = {
        let mut healthy = [0.0; LEVELS];
        healthy[5] = 1.0;
        let belief = Belief { healthy, broken: 0.0, rate: 0.2 };
        let known = Known { belief, correlation: 0.1, neighbours: 0, suspected: false };
        Doubt::after_failure(&known, &options)
    };
    assert!(known_flaky.may_stay_open() && !sure.may_stay_open());
    // Open is not let through: nothing has passed.
    assert_eq!(known_flaky.next(&options, false), Next::Retry);
}

/// What the rule says after each outcome sequence of up to five attempts, for three kinds of tests
/// and every answer of the base: all of the finite table.
#[test]
fn the_whole_table_of_retries_keeps_its_promises() {
    let options = DoubtOptions { attempts_max: 5, ..DoubtOptions::default() };
    for rate in [1_usize, 4, 5, 7] {
        let mut healthy = [0.0_f32; LEVELS];
        healthy[rate] = 1.0;
        let belief = Belief { healthy, broken: 0.0, rate: rasher::flake::RATES[rate] };
        let known = Known { belief, correlation: 0.1, neighbours: 0, suspected: false };
        for code in 0..(1_u32 << 4) * 5 * 3 {
            let (bits, rest) = (code & 15, code >> 4);
            let (retries, base) = (rest % 5, [None, Some(true), Some(false)][rest as usize / 5]);
            let mut doubt = Doubt::after_failure(&known, &options);
            let mut passed = false;
            for at in 0..retries {
                doubt.observe(bits >> at & 1 == 1);
                passed |= bits >> at & 1 == 0;
            }
            if let Some(failed) = base {
                doubt.observe_base(failed);
            }
            let (p, next) = (doubt.p_real(), doubt.next(&options, base.is_none()));
            let case = format!(
                "rate {rate}, retries {retries} of {bits:04b}, base {base:?}: {next:?}, {p}"
            );
            match next {
                Next::Flaky => assert!(passed && p <= options.error_max, "{case}"),
                Next::PreExisting => {
                    assert!(base == Some(true) || p <= options.error_max, "{case}")
                }
                Next::Suspect => assert!(passed && p <= 0.5 && retries == 4, "{case}"),
                Next::Failed => assert!(p >= 0.99 || retries == 4, "{case}"),
                Next::Control => assert!(!passed && base.is_none() && retries > 0, "{case}"),
                Next::Retry => assert!(retries < 4, "{case}"),
                Next::Quarantined => assert!(belief.rate >= options.quarantine_rate, "{case}"),
                _ => panic!("a word that the table does not know: {case}"),
            }
        }
    }
}
