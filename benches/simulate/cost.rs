//! What scoring and judging cost, in one run with a sort of as many numbers.

use std::hint::black_box;
use std::time::Instant;

use rasher::attempt::{Attempt, Isolation, Outcome, Recording, RunContext};
use rasher::flake::{Filter, FlakeOptions, Scores, Seen};
use rasher::history::RunRecording;
use rasher::retry::{Doubt, DoubtOptions, Known, Next};
use rasher::test_id::TestId;

use crate::draw::Draw;

/// Microseconds, the best of several runs.
#[derive(Clone, Copy, Debug)]
pub struct VerdictCost {
    /// One update of `tests` tests.
    pub update_us: f64,
    /// `sort_unstable` of as many u64.
    pub sort_us: f64,
    /// Judging 200 failures of ten attempts each.
    pub verdicts_us: f64,
    /// Scores of `tests` tests from their bytes.
    pub load_us: f64,
    /// Bytes held for each test.
    pub bytes_per_test: usize,
}

fn best(mut run: impl FnMut()) -> f64 {
    let time = |run: &mut dyn FnMut()| {
        let start = Instant::now();
        run();
        start.elapsed().as_secs_f64() * 1e6
    };
    (0..40).map(|_| time(&mut run)).fold(f64::INFINITY, f64::min)
}

/// Measures with `tests` tests.
pub fn verdict_cost(tests: usize) -> VerdictCost {
    let mut draw = Draw::new(1, "cost");
    let mut filter = Filter::new(FlakeOptions::default());
    for test in 0..tests {
        filter.add((3 * test / tests.max(1)) as u8);
    }
    let seen: Vec<Seen> =
        (0..tests).map(|_| if draw.chance(0.002) { Seen::Failed } else { Seen::Passed }).collect();
    let update_us = best(|| filter.update(black_box(&seen), &[], true));
    let numbers: Vec<u64> = (0..tests).map(|_| draw.below(u64::MAX)).collect();
    let mut copy = numbers.clone();
    let sort_us = best(|| {
        copy.copy_from_slice(&numbers);
        black_box(&mut copy).sort_unstable();
    });
    let options = DoubtOptions::default();
    let verdicts_us = best(|| {
        for test in 0..200 {
            let belief = filter.belief(TestId(test % tests.max(1) as u32));
            let known = Known { belief, correlation: 0.1, neighbours: 0, suspected: false };
            let mut doubt = Doubt::after_failure(&known, &options);
            for attempt in 0..10 {
                doubt.observe(attempt % 3 == 0);
                let next: Next = doubt.next(&options, false);
                black_box(next);
            }
        }
    });
    let bytes = made(tests).to_bytes();
    let load_us = best(|| {
        black_box(Scores::from_bytes(black_box(&bytes), FlakeOptions::default()));
    });
    VerdictCost {
        update_us,
        sort_us,
        verdicts_us,
        load_us,
        bytes_per_test: filter.bytes() / filter.len().max(1),
    }
}

/// Scores after one run of so many tests with names of usual length.
fn made(tests: usize) -> Scores {
    let mut recording = Recording::default();
    for at in 0..tests {
        let class = format!("com.example.shop.module{}.Class{}Test", at / 480, at / 12);
        let name = format!("{class}#checksOrder{at}");
        recording.attempts.push(Attempt {
            test: recording.tests.intern(&name, Some(&class)),
            ordinal: 0,
            start: None,
            duration: None,
            outcome: if at % 200 == 0 { Outcome::Failed } else { Outcome::Passed },
            signature: None,
            message: None,
            unique_id: None,
        });
    }
    let context = RunContext {
        environment: String::new(),
        branch: None,
        commit: None,
        base_commit: None,
        run: "1".to_owned(),
        attempt: 1,
        shard: None,
        worker: None,
        plan: None,
        isolation: Isolation::InSuite,
        at: jiff::Timestamp::UNIX_EPOCH,
    };
    let mut scores = Scores::new(FlakeOptions::default());
    scores.fold(&[RunRecording { context, recording }]);
    scores
}
