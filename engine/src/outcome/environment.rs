//! Which failures of a run are the environment's: bad workers, and mass failures that a probe on
//! this commit and on its base explains.
//!
//! Decides from counts alone, while a run is still going. Never excuses a test by itself: it says
//! what the retries should assume, or that no verdict can be given.

/// Surprising failures of one worker from which it is suspected, if they are [`WORKER_SHARE`] of
/// its tests.
const WORKER_FAILURES: u32 = 8;
const WORKER_SHARE: f64 = 0.2;

/// Tests of a probe.
pub const PROBE_TESTS: usize = 10;

/// The limit over which the surprising failures of a run are a mass failure, from those of past
/// normal runs: `max(20, 4 × median)`. The order of `past` does not matter.
///
/// ```
/// use rasher::outcome::environment::mass_limit;
/// assert_eq!(mass_limit(&mut [3, 5, 40]), 20);
/// assert_eq!(mass_limit(&mut [30, 9, 8]), 36);
/// ```
pub fn mass_limit(past: &mut [u32]) -> u32 {
    past.sort_unstable();
    let median = past.get(past.len() / 2).copied().unwrap_or_default();
    median.saturating_mul(4).max(20)
}

/// Fewer surprising failures than this never ring the alarm before the run is over.
const EARLY_FAILURES: u32 = 8;

/// How unlikely a normal run must be, as a negative logarithm, for the alarm to ring early: one in
/// ten thousand.
const EARLY_DOUBT: f64 = 9.21;

/// Whether the mass alarm rings after `ran` of `planned` tests, `surprising` of which failed and
/// surprised. It rings over `limit` at any time, and earlier where so many among the first tests
/// would be a chance of less than one in ten thousand if the whole run had no more than `limit`
/// (Chernoff's bound of the binomial tail).
///
/// ```
/// use rasher::outcome::environment::alarm_rings;
/// assert!(alarm_rings(21, 10_000, 20_000, 20));
/// assert!(!alarm_rings(12, 10_000, 20_000, 20));
/// assert!(alarm_rings(8, 150, 20_000, 20), "1 % would have given a fifth of a failure");
/// assert!(!alarm_rings(8, 20_000, 20_000, 20));
/// ```
pub fn alarm_rings(surprising: u32, ran: usize, planned: usize, limit: u32) -> bool {
    if surprising > limit || surprising < EARLY_FAILURES {
        return surprising > limit;
    }
    let seen = f64::from(surprising);
    let expected = f64::from(limit) * ran as f64 / planned.max(1) as f64;
    seen > expected && seen * (seen / expected).ln() - seen + expected >= EARLY_DOUBT
}

/// What one worker reported.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WorkerCount {
    /// Tests with a result.
    pub ran: u32,
    /// Surprising failures among them.
    pub surprising: u32,
}

/// The workers that are to blame for their failures, in order: those with eight or more surprising
/// failures that are a fifth of their tests, if there are at most two of them (or 2 %) and the
/// rest of the run is calm. A worker that ran nearly everything is not one among others.
///
/// ```
/// use rasher::outcome::environment::{WorkerCount, suspected_workers};
/// let mut counts = vec![WorkerCount { ran: 100, surprising: 0 }; 20];
/// counts[7].surprising = 60;
/// assert_eq!(suspected_workers(&counts, 20), [7]);
/// ```
pub fn suspected_workers(counts: &[WorkerCount], mass_limit: u32) -> Vec<u32> {
    let sick = |count: &WorkerCount| {
        count.surprising >= WORKER_FAILURES
            && f64::from(count.surprising) >= WORKER_SHARE * f64::from(count.ran)
    };
    let suspects: Vec<u32> =
        (0..counts.len() as u32).filter(|w| sick(&counts[*w as usize])).collect();
    let most = (counts.len() / 50).max(2);
    let rest: u32 = counts.iter().filter(|count| !sick(count)).map(|count| count.surprising).sum();
    let others = counts.iter().filter(|count| count.ran > 0).count() > 2 * suspects.len();
    if suspects.len() <= most && rest <= mass_limit && others { suspects } else { Vec::new() }
}

/// A surprising failure that a probe may use.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Candidate {
    /// Position in the caller's list.
    pub index: usize,
    /// What one execution costs, in seconds.
    pub seconds: f64,
    /// Its module or class.
    pub module: u32,
    /// Where it failed.
    pub worker: Option<u32>,
    /// Equal for equal failures.
    pub signature: Option<u64>,
}

/// Chooses the tests of a probe: the cheapest, each from another module, and as far as there are
/// any with another signature and another worker. At most [`PROBE_TESTS`]. O(n log n).
pub fn probe(mut candidates: Vec<Candidate>) -> Vec<usize> {
    candidates.sort_by(|a, b| a.seconds.total_cmp(&b.seconds).then(a.index.cmp(&b.index)));
    let mut chosen: Vec<Candidate> = Vec::with_capacity(PROBE_TESTS);
    let clash = |level: u8, one: &Candidate, two: &Candidate| {
        let told = |a: Option<u64>, b: Option<u64>| a.is_some() && a == b;
        let worker = told(one.worker.map(u64::from), two.worker.map(u64::from));
        match level {
            0 => one.module == two.module || told(one.signature, two.signature) || worker,
            1 => one.module == two.module,
            _ => false,
        }
    };
    for level in 0..3 {
        for candidate in &candidates {
            if chosen.len() == PROBE_TESTS {
                break;
            }
            let taken = chosen
                .iter()
                .any(|other| other.index == candidate.index || clash(level, other, candidate));
            if !taken {
                chosen.push(*candidate);
            }
        }
    }
    chosen.into_iter().map(|candidate| candidate.index).collect()
}

/// What a probe found out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Disturbance {
    /// The same tests fail on the base: the environment failed. No verdict for any test.
    Environment,
    /// They fail here and not on the base: the commit broke much. Block, without further retries.
    Wide,
    /// They no longer fail: it passed. Go on with single tests.
    Transient,
    /// Neither. Go on with single tests as if nothing was suspected.
    Mixed,
}

/// What has passed leaves no trace: where two of ten tests still fail and none does on the base, the
/// commit has likelier made many tests fail at times.
const MORE_AT_HEAD: f64 = 0.15;

/// Reads a probe: how many of its tests failed again at the head and on the base, of how many.
///
/// ```
/// use rasher::outcome::environment::{Disturbance, read_probe};
/// assert_eq!(read_probe((9, 10), (8, 10)), Disturbance::Environment);
/// assert_eq!(read_probe((9, 10), (0, 10)), Disturbance::Wide);
/// assert_eq!(read_probe((1, 10), (0, 10)), Disturbance::Transient);
/// assert_eq!(read_probe((2, 10), (0, 10)), Disturbance::Mixed);
/// ```
pub fn read_probe(head: (u32, u32), base: (u32, u32)) -> Disturbance {
    let share = |(failed, of): (u32, u32)| f64::from(failed) / f64::from(of.max(1));
    let (head, base) = (share(head), share(base));
    // Retries in an outage fail some seven times in ten: of ten, four are hardly ever missed.
    if head >= 0.4 && base >= 0.4 {
        Disturbance::Environment
    } else if head - base >= 0.5 {
        Disturbance::Wide
    } else if head <= 0.2 && head - base < MORE_AT_HEAD {
        Disturbance::Transient
    } else {
        Disturbance::Mixed
    }
}
