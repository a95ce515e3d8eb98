//! A run in which so much failed that single retries tell nothing: a probe of a few tests, here and
//! on the base, says what happened.

use super::case::{Case, Planned};
use super::scan::Scan;
use super::select::RetryEvidence;
use crate::outcome::environment::{Candidate, Disturbance, PROBE_TESTS, probe};
use crate::test_id::TestSet;
use crate::units::Micros;

/// A mass failure.
#[derive(Clone, Debug, PartialEq)]
pub struct Alarm {
    /// Failures of tests that hardly ever fail.
    pub surprising: u32,
    /// More than this are a mass failure in this suite; fewer foretell one among the first results.
    pub limit: u32,
    /// The tests to run once here and once on the base, on fresh workers.
    pub probe: TestSet,
    /// What they said, once they ran.
    pub disturbance: Option<Disturbance>,
}

/// Rings where more failures surprise than in any normal run, and chooses the probe.
/// O(n log n) in the failures.
pub(super) fn alarm(
    planned: &Planned,
    scan: &Scan<'_>,
    evidence: &RetryEvidence<'_>,
) -> Option<Alarm> {
    if !scan.rings {
        return None;
    }
    let mut set = TestSet::with_len(planned.tests().len());
    let candidates = scan.odd.iter().enumerate().map(|it| candidate(planned, evidence, it));
    for index in probe(candidates.collect()) {
        set.insert(scan.odd[index].test);
    }
    let surprising = scan.odd.len() as u32;
    Some(Alarm { surprising, limit: scan.limit, probe: set, disturbance: scan.disturbance })
}

fn candidate(
    planned: &Planned,
    evidence: &RetryEvidence<'_>,
    (index, case): (usize, &&Case),
) -> Candidate {
    let span = evidence.durations.get(case.test.index()).copied().unwrap_or(Micros::ZERO);
    let group = planned.tests().group(case.test);
    Candidate {
        index,
        seconds: span.as_secs_f64(),
        module: group.map_or(u32::MAX - case.test.0, |group| group.0),
        worker: Some(planned.shard(case.test)),
        signature: case.signature,
    }
}

impl Alarm {
    /// Why a failing test does not run again while the alarm stands; `None` where it does.
    pub(super) fn halts(&self, case: &Case) -> Option<String> {
        if case.counts().0 == 0 {
            return None;
        }
        let why = match self.disturbance {
            Some(Disturbance::Environment) => "the environment failed: the base fails alike",
            Some(Disturbance::Wide) => "this commit broke much: the base does not fail",
            Some(_) => return None,
            None if self.probe.contains(case.test) => return None,
            None => {
                return Some(format!(
                    "not retried: mass failure ({} surprising failures, usual at most {}); {} tests run \
                 here and on the base first",
                    self.surprising,
                    self.limit,
                    self.probe.iter().count().min(PROBE_TESTS)
                ));
            }
        };
        Some(format!("not retried: {why}"))
    }
}
