//! A run in which so much failed that single retries tell nothing: a probe of a few tests, here and
//! on the base, says what happened.

use super::case::{Case, Planned, failed_on_base};
use super::select::RetryEvidence;
use crate::outcome::environment::{
    Candidate, Disturbance, PROBE_TESTS, mass_limit, probe, read_probe,
};
use crate::test_id::{TestId, TestSet};
use crate::units::Micros;

/// So many tests of a probe must have an answer from the base before it is read.
const ANSWERS_MIN: u32 = 5;

/// A mass failure.
#[derive(Clone, Debug, PartialEq)]
pub struct Alarm {
    /// Failures of tests that hardly ever fail.
    pub surprising: u32,
    /// More than this is a mass failure in this suite.
    pub limit: u32,
    /// The tests to run once here and once on the base, on fresh workers.
    pub probe: TestSet,
    /// What they said, once they ran.
    pub disturbance: Option<Disturbance>,
}

/// Rings where more failures surprise than in any normal run, and reads the probe where enough of
/// the failing tests were run on the base. O(n log n) in the failures.
pub(super) fn alarm(
    planned: &Planned,
    cases: &[Case],
    evidence: &RetryEvidence<'_>,
) -> Option<Alarm> {
    let tests = planned.tests();
    let surprises = |case: &&Case| {
        case.counts().0 > 0 && evidence.scores.belief(tests.name(case.test)).is_surprising()
    };
    let odd: Vec<&Case> = cases.iter().filter(surprises).collect();
    let limit = mass_limit(&mut evidence.scores.surprising().to_vec());
    if odd.len() as u32 <= limit {
        return None;
    }
    let mut set = TestSet::with_len(tests.len());
    for index in probe(odd.iter().enumerate().map(|it| candidate(planned, evidence, it)).collect())
    {
        set.insert(odd[index].test);
    }
    let disturbance =
        read(odd.iter().copied(), |test| failed_on_base(evidence.base?, tests.name(test)));
    Some(Alarm { surprising: odd.len() as u32, limit, probe: set, disturbance })
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

/// Reads the tests that ran on the base, as many as a probe has, against their last run here.
pub(crate) fn read<'a>(
    odd: impl Iterator<Item = &'a Case>,
    on_base: impl Fn(TestId) -> Option<bool>,
) -> Option<Disturbance> {
    let (mut head, mut base, mut of) = (0, 0, 0);
    for case in odd {
        let Some(failed) = on_base(case.test) else { continue };
        of += 1;
        base += u32::from(failed);
        head += u32::from(case.executions.last().is_some_and(|(last, _)| last.is_failure()));
    }
    (of >= ANSWERS_MIN).then(|| read_probe((head, of), (base, of)))
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
