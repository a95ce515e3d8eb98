use jiff::Timestamp;
use proptest::prelude::*;
use proptest::test_runner::FileFailurePersistence;
use rasher::attempt::{Attempt, Isolation, Outcome, Recording, RunContext};
use rasher::backtest::{
    BacktestDocument, Predictor, Replay, Ruled, Trial, backtest, score_estimators, suited,
};
use rasher::budget::{Budget, Pool};
use rasher::dispatch::{Machines, Mode, Overheads};
use rasher::estimate::Estimator;
use rasher::history::{History, RunRecording};
use rasher::units::Micros;

const LAST: Predictor = Predictor::Always(Estimator::Last);

/// The durations of the tests of each run, in milliseconds.
type Runs = Vec<Vec<u64>>;

fn recordings(runs: &Runs) -> Vec<RunRecording> {
    let recorded = |(number, durations): (usize, &Vec<u64>)| {
        let context = RunContext {
            environment: "ci".into(),
            branch: Some("main".into()),
            commit: None,
            base_commit: None,
            run: format!("run {number}"),
            attempt: 1,
            shard: None,
            worker: None,
            plan: None,
            isolation: Isolation::InSuite,
            at: Timestamp::from_second(number as i64 * 3_600).expect("in range"),
        };
        let mut recording = Recording::default();
        for (at, millis) in durations.iter().enumerate() {
            let test = recording.tests.intern(&format!("test {at}"), Some(&format!("{}", at / 5)));
            recording.attempts.push(Attempt {
                test,
                ordinal: 0,
                start: None,
                duration: Some(Micros::from_millis(*millis)),
                outcome: Outcome::Passed,
                signature: None,
                message: None,
                unique_id: None,
            });
        }
        RunRecording { context, recording }
    };
    runs.iter().enumerate().map(recorded).collect()
}

fn trial() -> Trial {
    Trial {
        pool: Pool::plain("any"),
        machines: Machines { speed_spread: 0.1, seed: 3, ..Machines::EQUAL },
        overheads: Overheads::default(),
        chunk: Micros::ZERO,
        fixed: 0.5,
        mode: Mode::Steal { fixed: 0.5 },
        workers_max: 30,
        learn: 1,
    }
}

fn tried(runs: &Runs, deadline: Micros) -> BacktestDocument {
    let replay = Replay::new("ci", recordings(runs), Predictor::Suited { workers: 4 })
        .expect("one environment");
    let budget = Budget { deadline: Some(deadline), confidence: Some(0.8), ..Budget::default() };
    let ruled = Ruled { rule: "all".into(), budget };
    backtest(&replay, &trial(), &mut |_| Some(ruled.clone()))
}

fn runs() -> impl Strategy<Value = Runs> {
    prop::collection::vec(prop::collection::vec(1u64..2_000, 20), 3..12)
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 40,
        failure_persistence: Some(Box::new(FileFailurePersistence::SourceParallel(
            "../../proptest-regressions",
        ))),
        ..ProptestConfig::default()
    })]

    #[test]
    fn no_run_sees_itself_or_a_later_one(runs in runs(), at in 1usize..12, other in runs()) {
        let deadline = Micros::from_secs(5);
        let at = at.min(runs.len() - 1);
        let mut changed = runs.clone();
        for (own, new) in changed.iter_mut().skip(at).zip(other.iter().cycle()) {
            own.clone_from(new);
        }
        let (before, after) = (tried(&runs, deadline), tried(&changed, deadline));
        for (one, two) in before.runs.iter().zip(&after.runs).take(at) {
            if one.run == format!("run {at}") {
                // Only how it ended may differ, not what was asked for.
                prop_assert_eq!(one.workers, two.workers);
                prop_assert_eq!(one.predicted_ms, two.predicted_ms);
                prop_assert_eq!(one.promised_ms, two.promised_ms);
            } else {
                prop_assert_eq!(one, two);
            }
        }
    }

    #[test]
    fn the_order_in_which_recordings_come_decides_nothing(runs in runs()) {
        let mut shuffled = recordings(&runs);
        shuffled.reverse();
        let replay = |all| Replay::new("ci", all, Predictor::Suited { workers: 4 }).expect("one environment");
        let (one, two) = (replay(recordings(&runs)), replay(shuffled));
        prop_assert_eq!(one.runs().len(), two.runs().len());
        for (a, b) in one.runs().iter().zip(two.runs()) {
            prop_assert_eq!(&a.seen.run, &b.seen.run);
            prop_assert_eq!(&a.expected, &b.expected);
            prop_assert_eq!(&a.real, &b.real);
        }
    }

    #[test]
    fn no_run_ends_before_its_bound_on_equal_workers(runs in runs()) {
        let replay = Replay::new("ci", recordings(&runs), LAST).expect("one environment");
        let equal = Trial { machines: Machines::EQUAL, ..trial() };
        let budget = Budget { workers_min: 3, workers_max: Some(3), ..Budget::default() };
        let ruled = Ruled { rule: "three".into(), budget };
        let document = backtest(&replay, &equal, &mut |_| Some(ruled.clone()));
        prop_assert_eq!(document.runs.len(), runs.len() - 1);
        for run in &document.runs {
            prop_assert_eq!(run.workers, 3);
            let ends = [run.finish_ms.as_planned, run.finish_ms.steal, run.finish_ms.queue];
            prop_assert!(ends.iter().all(|end| *end >= run.bound_ms));
        }
    }
}

#[test]
fn a_suite_that_never_changes_is_foreseen_and_needs_no_more_than_the_oracle() {
    let runs = vec![(1..=100).map(|k| k * 10).collect::<Vec<u64>>(); 60];
    let replay = Replay::new("ci", recordings(&runs), Predictor::Always(Estimator::default()))
        .expect("runs");
    let equal = Trial { machines: Machines::EQUAL, learn: 30, ..trial() };
    let budget = Budget {
        deadline: Some(Micros::from_secs(6)),
        confidence: Some(0.95),
        ..Budget::default()
    };
    let ruled = Ruled { rule: "all".into(), budget };
    let document = backtest(&replay, &equal, &mut |_| Some(ruled.clone()));
    assert_eq!(document.runs.len(), 30);
    assert_eq!(document.kept_share, Some(1.0));
    assert_eq!(document.workers_over_oracle, Some(1.0));
    assert_eq!(document.runs[0].workers, 9, "50.5 s of work in 6 s");
    assert_eq!(document.fixed.map(|f| f.workers), Some(9));
    assert_eq!(document.fixed_oracle.map(|f| f.workers), Some(9));
}

/// Forty runs of forty tests, every duration the usual one times what `odd` says.
fn forty(odd: impl Fn(u64, u64) -> u64) -> Runs {
    let run = |run| (0..40).map(|test| (test + 1) * 50 * odd(run, test) / 4).collect();
    (0..40).map(run).collect()
}

#[test]
fn every_estimator_is_scored_and_the_suited_one_beside_them() {
    // Every fourth duration is out of the ordinary, so that the estimators differ.
    let runs = forty(|run, test| if (run + test).is_multiple_of(4) { 24 } else { 4 });
    let equal = Trial { machines: Machines::EQUAL, learn: 10, ..trial() };
    let scores = score_estimators("ci", &recordings(&runs), (&equal, 6)).expect("one environment");
    let words: Vec<&str> = scores.iter().map(|score| score.estimator).collect();
    assert_eq!(words[0], "suited");
    assert_eq!(words[1..], Estimator::ALL.map(Estimator::word));
    let of = |at: usize| scores[at].over_bound.as_planned;
    assert!((1..scores.len()).any(|at| of(at) < of(1)), "one is better than the default");
}

#[test]
fn the_suited_estimator_is_that_of_the_least_makespan_in_the_past() {
    let runs =
        forty(|run, test| 4 + (run * 7 + test * 13) % 9 + 20 * u64::from(run * test % 11 == 1));
    let history = History::of("ci", recordings(&runs)).expect("one environment");
    let found = suited(&history, 6);
    assert_eq!(found.runs, 12);
    let of = |by: Estimator| {
        found.over_bound.iter().find(|(own, _)| *own == by).map_or(f64::NAN, |(_, over)| *over)
    };
    let least = Estimator::ALL.map(of).into_iter().fold(f64::INFINITY, f64::min);
    assert!(of(found.estimator) <= least || least > of(Estimator::default()) * 0.95);
    // One level for long, then another: what follows at once suits the runs since.
    let runs = forty(|run, test| if run < 35 || test % 2 == 0 { 4 } else { 16 });
    let history = History::of("ci", recordings(&runs)).expect("one environment");
    let found = suited(&history, 6);
    assert_eq!(found.estimator, Estimator::Last, "{found:?}");
}

#[test]
fn too_few_tests_or_runs_choose_nothing() {
    let runs = vec![vec![10; 40]];
    let once = History::of("ci", recordings(&runs)).expect("one environment");
    assert_eq!(suited(&once, 4).runs, 0);
    let few = History::of("ci", recordings(&vec![vec![10; 5]; 9])).expect("one environment");
    assert_eq!(suited(&few, 4).estimator, Estimator::default());
}
