use jiff::Timestamp;
use proptest::prelude::*;
use rasher::attempt::{Attempt, Isolation, Outcome, Recording, RunContext};
use rasher::flake::{Filter, FlakeOptions, Retried, Scores, Seen, gate};
use rasher::history::RunRecording;
use rasher::test_id::TestId;
use rasher::units::Micros;

const SEEN: [Seen; 3] = [Seen::Nothing, Seen::Passed, Seen::Failed];

fn filter(tests: usize, options: FlakeOptions) -> Filter {
    let mut filter = Filter::new(options);
    for test in 0..tests {
        filter.add((test % 3) as u8);
    }
    filter
}

/// Runs of `tests` tests: first attempts, and for each whether its failure was retried and how.
fn runs(tests: usize) -> impl Strategy<Value = Vec<Vec<(Seen, Option<bool>)>>> {
    let one = (prop::sample::select(SEEN.to_vec()), prop::option::of(any::<bool>()));
    prop::collection::vec(prop::collection::vec(one, tests), 1..40)
}

fn play(filter: &mut Filter, run: &[(Seen, Option<bool>)]) {
    let first: Vec<Seen> = run.iter().map(|(seen, _)| *seen).collect();
    let retried: Vec<Retried> = run
        .iter()
        .enumerate()
        .filter(|(_, (seen, _))| *seen == Seen::Failed)
        .filter_map(|(at, (_, again))| {
            let isolation = Isolation::FreshWorker;
            again.map(|failed| Retried { test: TestId(at as u32), failed, isolation })
        })
        .collect();
    filter.update(&first, &retried, true);
}

/// Every number a filter tells of a test, bit by bit.
fn bits(filter: &Filter, test: u32) -> Vec<u32> {
    let belief = filter.belief(TestId(test));
    let score = filter.score(TestId(test));
    let mut bits: Vec<u32> = belief.healthy.iter().map(|p| p.to_bits()).collect();
    bits.extend([belief.broken, belief.rate, score.p_flaky].map(f32::to_bits));
    bits.extend([score.low, score.high].map(|p| p.to_bits() as u32));
    bits
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 64,
        failure_persistence: Some(Box::new(
            proptest::test_runner::FileFailurePersistence::SourceParallel("../../proptest-regressions"),
        )),
        ..ProptestConfig::default()
    })]

    #[test]
    fn the_order_of_tests_has_no_say(runs in runs(11), seed in any::<u64>()) {
        let mut order: Vec<usize> = (0..11).collect();
        order.sort_by_key(|at| (*at as u64).wrapping_mul(seed | 1));
        // One class, so that a test may stand anywhere.
        let plain = || {
            let mut filter = Filter::new(FlakeOptions { relearn_every: 10_000, ..FlakeOptions::default() });
            (0..11).for_each(|_| { filter.add(0); });
            filter
        };
        let (mut one, mut two) = (plain(), plain());
        for run in &runs {
            let first: Vec<Seen> = run.iter().map(|(seen, _)| *seen).collect();
            let moved: Vec<Seen> = order.iter().map(|at| first[*at]).collect();
            one.update(&first, &[], true);
            two.update(&moved, &[], true);
        }
        for (at, from) in order.iter().enumerate() {
            prop_assert_eq!(bits(&two, at as u32), bits(&one, *from as u32));
        }
    }

    #[test]
    fn what_the_gate_left_out_is_not_learned_from(runs in runs(40)) {
        let (mut gated, mut idle) = (filter(40, FlakeOptions::default()), filter(40, FlakeOptions::default()));
        for run in &runs {
            play(&mut gated, run);
            play(&mut idle, run);
        }
        let mut sick = vec![Seen::Failed; 40];
        prop_assert!(gate(&mut sick, &[], 0.0).whole_run);
        gated.update(&sick, &[], true);
        idle.update(&[], &[], true);
        for test in 0..40 {
            prop_assert_eq!(bits(&gated, test), bits(&idle, test));
        }
    }

    #[test]
    fn one_more_failure_never_lowers_the_rate_of_a_test_that_cannot_break(
        passes in prop::collection::vec(any::<bool>(), 1..60), at in 0..60_usize
    ) {
        let healthy = FlakeOptions {
            breaking: 0.0, fixing: 0.0, change: 0.0, relearn_every: 10_000, ..FlakeOptions::default()
        };
        let play = |flip: Option<usize>| {
            let mut filter = filter(1, healthy);
            for (run, passed) in passes.iter().enumerate() {
                let passed = *passed && flip != Some(run);
                filter.update(&[if passed { Seen::Passed } else { Seen::Failed }], &[], true);
            }
            filter.belief(TestId(0)).rate
        };
        let at = at % passes.len();
        prop_assert!(play(Some(at)) >= play(None) * (1.0 - 1e-5));
    }

    #[test]
    fn a_pass_after_a_failure_on_one_commit_never_speaks_for_broken(runs in runs(1)) {
        let mut filter = filter(1, FlakeOptions::default());
        for run in &runs {
            play(&mut filter, run);
        }
        let (mut alone, mut passed) = (filter.clone(), filter);
        alone.update(&[Seen::Failed], &[], true);
        let isolation = Isolation::FreshProcess;
        let again = Retried { test: TestId(0), failed: false, isolation };
        passed.update(&[Seen::Failed], &[again], true);
        let broken = |filter: &Filter| filter.belief(TestId(0)).broken;
        prop_assert!(broken(&passed) <= broken(&alone) + 1e-6);
    }
}

#[test]
fn probabilities_add_up_to_one_after_a_million_random_updates() {
    let mut filter = filter(1_000, FlakeOptions::default());
    let mut state = 1_u64;
    let mut draw = || {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize
    };
    for _ in 0..1_000 {
        let run: Vec<(Seen, Option<bool>)> = (0..1_000)
            .map(|_| (SEEN[draw() % 3], [None, Some(true), Some(false)][draw() % 3]))
            .collect();
        play(&mut filter, &run);
    }
    for test in 0..1_000 {
        let belief = filter.belief(TestId(test));
        let sum: f32 = belief.healthy.iter().sum::<f32>() + belief.broken;
        assert!((sum - 1.0).abs() < 1e-5, "{sum}");
        assert!(belief.healthy.iter().all(|p| (0.0..=1.0).contains(p)));
    }
}

#[test]
fn a_test_takes_at_most_128_bytes_even_where_one_in_ten_has_failed() {
    let mut filter = filter(1_000, FlakeOptions::default());
    let seen = |test| if test % 10 == 0 { Seen::Failed } else { Seen::Passed };
    let first: Vec<Seen> = (0..1_000).map(seen).collect();
    filter.update(&first, &[], true);
    assert!(filter.bytes() <= 128 * 1_000, "{}", filter.bytes());
}

#[test]
fn a_broken_test_is_told_from_a_flaky_one_and_its_rate_comes_back_after_the_fix() {
    let mut filter = filter(2, FlakeOptions::default());
    for run in 0..300 {
        let flaky = if run % 10 == 0 { Seen::Failed } else { Seen::Passed };
        filter.update(&[flaky, Seen::Passed], &[], true);
    }
    let before = filter.belief(TestId(0)).rate;
    for _ in 0..6 {
        filter.update(&[Seen::Failed, Seen::Failed], &[], true);
    }
    assert!(filter.belief(TestId(1)).broken > 0.95);
    for _ in 0..4 {
        filter.update(&[Seen::Passed, Seen::Passed], &[], true);
    }
    assert!(filter.belief(TestId(1)).broken < 0.05);
    let after = filter.belief(TestId(0)).rate;
    assert!((0.5..2.0).contains(&(after / before)), "{before} {after}");
}

#[test]
fn a_suite_that_always_has_failures_is_learned_from_and_its_collapses_are_not() {
    let run = |failed: usize| {
        let mut run = vec![Seen::Passed; 100];
        run[..failed].fill(Seen::Failed);
        run
    };
    assert!(gate(&mut run(10), &[], 0.0).whole_run, "unusual: a collapse");
    assert!(!gate(&mut run(10), &[], 0.1).whole_run, "as always");
    assert!(gate(&mut run(60), &[], 0.1).whole_run);
}

#[test]
fn a_failure_beside_others_of_its_group_is_likelier_a_breakage_unless_they_passed_again() {
    let broken = |groups: [u32; 4], again: Option<bool>| {
        let mut filter = filter(4, FlakeOptions::default());
        for _ in 0..50 {
            filter.update(&[Seen::Passed; 4], &[], true);
        }
        let isolation = Isolation::FreshWorker;
        let retries: Vec<Retried> = again
            .iter()
            .flat_map(|failed| (0..4).map(|at| (TestId(at), *failed)))
            .map(|(test, failed)| Retried { test, failed, isolation })
            .collect();
        filter.update_grouped(&[Seen::Failed; 4], &retries, &groups, true);
        filter.belief(TestId(0)).broken
    };
    let (together, apart) = ([7; 4], [1, 2, 3, 4]);
    assert!(broken(together, None) > broken(apart, None));
    assert!(broken(together, Some(true)) > broken(apart, Some(true)));
    assert_eq!(broken(together, Some(false)), broken(apart, Some(false)));
}

/// The recording of a run in which some tests failed.
fn recorded(run: usize, seen: &[(Seen, Option<bool>)]) -> Vec<RunRecording> {
    let rows = |round: u16, ends: Vec<(usize, bool)>| {
        let mut recording = Recording::default();
        for (at, failed) in ends {
            let (name, group) = (format!("c{}#t{at}", at / 3), format!("c{}", at / 3));
            recording.attempts.push(Attempt {
                test: recording.tests.intern(&name, Some(&group)),
                ordinal: 0,
                start: None,
                duration: Some(Micros::from_millis(100 * at as u64)),
                outcome: if failed { Outcome::Failed } else { Outcome::Passed },
                signature: None,
                message: None,
                unique_id: None,
            });
        }
        let context = RunContext {
            environment: "ci".into(),
            branch: None,
            commit: Some(format!("c{run}")),
            base_commit: None,
            run: format!("run-{run}"),
            attempt: round,
            shard: None,
            worker: None,
            plan: None,
            isolation: if round > 1 { Isolation::FreshWorker } else { Isolation::InSuite },
            at: Timestamp::UNIX_EPOCH,
        };
        RunRecording { context, recording }
    };
    let ran = seen.iter().enumerate().filter(|(_, it)| it.0 != Seen::Nothing);
    let first = ran.map(|(at, it)| (at, it.0 == Seen::Failed)).collect();
    let failed = seen.iter().enumerate().filter(|(_, it)| it.0 == Seen::Failed);
    let again = failed.filter_map(|(at, it)| it.1.map(|failed| (at, failed))).collect();
    vec![rows(1, first), rows(2, again)]
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 48,
        failure_persistence: Some(Box::new(
            proptest::test_runner::FileFailurePersistence::SourceParallel("../../proptest-regressions"),
        )),
        ..ProptestConfig::default()
    })]

    #[test]
    fn a_run_folded_twice_or_kept_as_bytes_between_leaves_the_same_bits(runs in runs(19)) {
        let options = FlakeOptions::default;
        let (mut once, mut twice) = (Scores::new(options()), Scores::new(options()));
        for (at, run) in runs.iter().enumerate() {
            once.fold(&recorded(at, run));
            let recordings = recorded(at, run);
            twice.fold(&recordings);
            prop_assert!(!twice.fold(&recordings));
            // The same reports once more in one run, and the state through its bytes.
            let told: Vec<RunRecording> = recordings.iter().chain(&recordings).cloned().collect();
            prop_assert!(!twice.fold(&told));
            twice = Scores::from_bytes(&twice.to_bytes(), options()).expect("its own bytes");
        }
        prop_assert_eq!(once.to_bytes(), twice.to_bytes());
        let mut doubled = Scores::new(options());
        for (at, run) in runs.iter().enumerate() {
            let recordings = recorded(at, run);
            doubled.fold(&recordings.iter().chain(&recordings).cloned().collect::<Vec<_>>());
        }
        prop_assert_eq!(once.to_bytes(), doubled.to_bytes());
    }

    #[test]
    fn bytes_that_are_no_scores_are_refused_or_harmless(
        cut in 0..4_000_usize, at in 0..4_000_usize, byte in any::<u8>(),
    ) {
        let mut scores = Scores::new(FlakeOptions::default());
        for run in 0..3 {
            scores.fold(&recorded(run, &[(Seen::Failed, Some(false)), (Seen::Passed, None)]));
        }
        let bytes = scores.to_bytes();
        let short = &bytes[..cut.min(bytes.len() - 1)];
        prop_assert!(Scores::from_bytes(short, FlakeOptions::default()).is_none());
        let mut other = bytes.clone();
        let place = at % other.len();
        other[place] = byte;
        if let Some(mut scores) = Scores::from_bytes(&other, FlakeOptions::default()) {
            scores.fold(&recorded(9, &[(Seen::Failed, Some(true)), (Seen::Passed, None)]));
            for test in scores.names().ids() {
                let _ = (scores.filter().score(test), scores.filter().strip(test).text(40));
            }
        }
    }
}
