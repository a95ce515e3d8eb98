//! T1 and T2: the fast core against the machine's unit and against the textbook.

use rasher::plan::longest_first::longest_first;
use serde_json::json;

use super::Effort;
use super::document::{Measured, Target};
use crate::instances::balance::{Family, SIZES, make};
use crate::measure::{against_sort, time};
use crate::textbook;

/// Durations to worker array, on every family and size of set A.
pub(super) fn measure(effort: Effort) -> Measured {
    let mut found = Measured::new(
        "plan",
        "From durations to a worker for each test (longest first), as a multiple of sorting the same \
         durations with `sort_unstable` in the same run",
        &[
            "family",
            "tests",
            "shards",
            "× sort",
            "× textbook",
            "ns / test",
            "makespan over longest-or-average",
        ],
    );
    let (mut worst, mut worst_million, mut worst_textbook) = (0.0_f64, 0.0_f64, 0.0_f64);
    for size in SIZES.into_iter().skip(1) {
        for family in Family::ALL {
            let made = make(family, size, 0);
            let rounds = if size.0 > 100_000 { effort.rounds.div_ceil(3) } else { effort.rounds };
            let (durations, shards) = (&made.durations, made.shards);
            let mut textbook = std::time::Duration::MAX;
            let timing = against_sort(durations, rounds, || longest_first(durations, shards));
            for _ in 0..rounds.div_ceil(2) {
                textbook = textbook.min(time(|| textbook::longest_first(durations, shards)));
            }
            let over_textbook = timing.subject.as_secs_f64() / textbook.as_secs_f64();
            let makespan = longest_first(durations, shards).makespan();
            let longest = durations.iter().copied().max().unwrap_or(0);
            let bound = longest.max(durations.iter().sum::<u64>().div_ceil(shards as u64));
            let worst = if size.0 > 100_000 { &mut worst_million } else { &mut worst };
            *worst = worst.max(timing.ratio());
            worst_textbook = worst_textbook.max(over_textbook);
            found.row(vec![
                json!(family.name()),
                json!(size.0),
                json!(shards),
                json!(timing.ratio()),
                json!(over_textbook),
                json!(timing.subject.as_nanos() as f64 / size.0 as f64),
                json!((makespan - bound) as f64 / bound as f64),
            ]);
        }
    }
    found.target(Target::at_most(
        "T1",
        "13,000 to 45,000 tests, worst family, × sort",
        1.25,
        worst,
    ));
    found.target(Target::at_most(
        "T1",
        "1,000,000 × 1,000, worst family, × sort",
        1.0,
        worst_million,
    ));
    found.target(Target::at_most(
        "T2",
        "worst family, × textbook longest first",
        0.25,
        worst_textbook,
    ));
    found
}
