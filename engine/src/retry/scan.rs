//! What the failures of a run say together of its machines: bad workers, and whether so much failed
//! that a few causes must be behind it.
//!
//! Decides what retry and verdict assume of each failure. Never settles a test.

use std::collections::BTreeSet;

use super::case::{Case, Planned, failed_on_base};
use super::doubt::{Doubt, DoubtOptions};
use super::select::{neighbours, weigh};
use crate::flake::Scores;
use crate::outcome::Outcomes;
use crate::outcome::environment::{
    Disturbance, WorkerCount, alarm_rings, mass_limit, read_probe, suspected_workers,
};
use crate::test_id::TestId;

/// A machine is suspected only where tests of at least so many classes failed on it: whole classes
/// share a shard, and one broken class is no broken machine.
const GROUPS_MIN: usize = 3;

/// So many tests of a probe must have an answer from the base before it is read.
const ANSWERS_MIN: u32 = 5;

/// The look at all failures of a run.
#[derive(Debug)]
pub(crate) struct Scan<'a> {
    planned: &'a Planned,
    scores: &'a Scores,
    base: Option<&'a Outcomes>,
    near: Vec<u32>,
    suspects: Vec<u32>,
    /// The surprising failures that no suspected worker explains.
    pub(super) odd: Vec<&'a Case>,
    /// More of them than this are a mass failure.
    pub(super) limit: u32,
    /// True where there are, or where so many among the first results foretell it.
    pub(super) rings: bool,
    /// What a probe said of a mass failure.
    pub(crate) disturbance: Option<Disturbance>,
}

impl<'a> Scan<'a> {
    /// Looks at the failures of a run. Where it is a mass failure, the tests that also ran on the
    /// base are its probe. O(n log n) in the tests.
    pub(crate) fn new(
        planned: &'a Planned,
        cases: &'a [Case],
        scores: &'a Scores,
        base: Option<&'a Outcomes>,
    ) -> Self {
        let limit = mass_limit(&mut scores.surprising().to_vec());
        let suspects = suspects(planned, cases, scores, limit);
        let mut scan = Self {
            planned,
            scores,
            base,
            near: neighbours(planned, cases, scores),
            suspects,
            odd: Vec::new(),
            limit,
            rings: false,
            disturbance: None,
        };
        let calm = |case: &&Case| !scan.suspects.contains(&planned.shard(case.test));
        scan.odd = cases.iter().filter(calm).filter(|case| scan.surprises(case)).collect();
        scan.rings = scan.alarm_rings(cases);
        if scan.rings {
            scan.disturbance = scan.read();
        }
        scan
    }

    fn surprises(&self, case: &Case) -> bool {
        let name = self.planned.tests().name(case.test);
        case.counts().0 > 0 && self.scores.belief(name).is_surprising()
    }

    /// True where the failure of a test is likeliest that of its machine, or of a mass failure that
    /// has passed.
    pub(crate) fn suspects(&self, case: &Case) -> bool {
        self.suspects.contains(&self.planned.shard(case.test))
            || (self.disturbance == Some(Disturbance::Transient) && self.surprises(case))
    }

    /// What the base showed of a test: `Some(true)` where it failed there and never passed.
    pub(crate) fn on_base(&self, test: TestId) -> Option<bool> {
        failed_on_base(self.base?, self.planned.tests().name(test))
    }

    /// Weighs a failing case with all that is known of it: `None` where nothing of it failed.
    pub(crate) fn doubt(&self, case: &Case, options: &DoubtOptions) -> Option<Doubt> {
        let near = self.near[case.test.index()];
        let name = self.planned.tests().name(case.test);
        let mut doubt = weigh(case, name, self.scores, (near, self.suspects(case)), options)?;
        if let Some(failed) = self.on_base(case.test) {
            doubt.observe_base(failed);
        }
        Some(doubt)
    }

    /// The first failure that is proven the commit's: it blocks, whatever comes of the others. One
    /// in quarantine blocks nothing; and without history nothing is told flaky.
    pub(crate) fn proof(
        &self,
        cases: &'a [Case],
        options: &DoubtOptions,
        quarantined: &BTreeSet<String>,
    ) -> Option<&'a Case> {
        let proves = |case: &&Case| {
            !quarantined.contains(self.planned.tests().name(case.test))
                && self.doubt(case, options).is_some_and(|doubt| doubt.is_proven(options))
        };
        if self.scores.runs() == 0 { None } else { cases.iter().find(proves) }
    }

    /// While results are still out a class counts once: its tests run one after the other, and
    /// fail for one reason.
    fn alarm_rings(&self, cases: &[Case]) -> bool {
        let classes: BTreeSet<u32> =
            self.odd.iter().map(|case| class(self.planned, case)).collect();
        let ran = cases.iter().filter(|case| !case.is_missing()).count();
        self.odd.len() as u32 > self.limit
            || alarm_rings(classes.len() as u32, ran, cases.len(), self.limit)
    }

    /// Reads the tests that ran on the base, as many as a probe has, against their last run here.
    fn read(&self) -> Option<Disturbance> {
        let (mut head, mut fails, mut of) = (0, 0, 0);
        for case in &self.odd {
            let Some(failed) = self.on_base(case.test) else { continue };
            of += 1;
            fails += u32::from(failed);
            head += u32::from(case.executions.last().is_some_and(|(last, _)| last.is_failure()));
        }
        (of >= ANSWERS_MIN).then(|| read_probe((head, of), (fails, of)))
    }
}

/// A number for the class of a test; a test without one is a class of its own.
fn class(planned: &Planned, case: &Case) -> u32 {
    planned.tests().group(case.test).map_or(u32::MAX - case.test.0, |group| group.0)
}

/// The shards whose machine is suspected, where failures on it surprise, are many, belong to at
/// least half of its classes, and the rest of the run is calm.
fn suspects(planned: &Planned, cases: &[Case], scores: &Scores, limit: u32) -> Vec<u32> {
    let tests = planned.tests();
    let last = tests.ids().map(|test| planned.shard(test)).max().unwrap_or_default();
    let mut counts = vec![WorkerCount::default(); last as usize + 1];
    let mut groups = vec![(Vec::new(), Vec::new()); last as usize + 1];
    for case in cases {
        let Some((first, _)) = case.executions.iter().find(|(it, _)| it.is_result()) else {
            continue;
        };
        let at = planned.shard(case.test) as usize;
        let odd = first.is_failure() && scores.belief(tests.name(case.test)).is_surprising();
        counts[at].ran += 1;
        counts[at].surprising += u32::from(odd);
        let group = class(planned, case);
        groups[at].0.push(group);
        if odd {
            groups[at].1.push(group);
        }
    }
    let spread = |shard: &u32| {
        let distinct = |groups: &Vec<u32>| groups.iter().copied().collect::<BTreeSet<u32>>().len();
        let (all, odd) = &groups[*shard as usize];
        let (all, odd) = (distinct(all), distinct(odd));
        odd >= GROUPS_MIN && 2 * odd >= all
    };
    let mut suspects = suspected_workers(&counts, limit);
    suspects.retain(spread);
    suspects
}
