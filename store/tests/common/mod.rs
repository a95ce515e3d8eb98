//! Recordings made from a seed.

use jiff::{SignedDuration, Timestamp};
use rasher::attempt::{Attempt, GroupSetUp, Isolation, Outcome, Recording, RunContext};
use rasher::units::Micros;

pub(crate) const ENVIRONMENT: &str = "linux";

/// What a recording of run `run` shares, made `hour` hours into the series.
pub(crate) fn context(run: &str, hour: i64) -> RunContext {
    let start: Timestamp = "2026-01-05T08:00:00Z".parse().expect("a time");
    RunContext {
        environment: ENVIRONMENT.into(),
        branch: Some("main".into()),
        commit: Some(format!("c0ffee{run}")),
        base_commit: None,
        run: run.into(),
        attempt: 1,
        shard: None,
        worker: None,
        plan: None,
        isolation: Isolation::InSuite,
        at: start + SignedDuration::from_hours(hour),
    }
}

/// A recording of `tests` tests in classes of twelve; equal seeds give equal recordings.
pub(crate) fn recording(tests: usize, seed: u64) -> Recording {
    let mut recording = Recording::default();
    for at in 0..tests {
        let class = format!("com.example.shop.module{}.Class{}Test", at / 480, at / 12);
        let name = format!("{class}#checksOrder{at}");
        let test = recording.tests.intern(&name, Some(&class));
        let draw = mix(seed, at as u64);
        let failed = draw.is_multiple_of(300);
        recording.attempts.push(Attempt {
            test,
            ordinal: 0,
            start: None,
            duration: Some(Micros::new(1_000 + mix(0, at as u64) % 5_000_000 + draw % 200_000)),
            outcome: if failed { Outcome::Failed } else { Outcome::Passed },
            signature: failed.then_some(draw),
            message: failed.then(|| "expected 3 but was 4".into()),
            unique_id: None,
        });
    }
    for group in recording.tests.group_ids() {
        let setup = Micros::new(mix(seed, u64::from(group.0) << 32) % 1_000_000);
        recording.setups.push(GroupSetUp { group, setup });
    }
    recording
}

fn mix(seed: u64, at: u64) -> u64 {
    let mut x = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ at.wrapping_mul(0xd134_2543_de82_ef95);
    x = (x ^ x >> 32).wrapping_mul(0xd6e8_feb8_6659_fd93);
    x ^ x >> 32
}
