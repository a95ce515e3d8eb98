//! The verdict on a run and on each of its failures.
//!
//! Decides in this order: is every planned test accounted for, was it the environment, is any
//! failure the commit's. Every verdict carries its evidence and the probability of each
//! explanation. Never lets a test through that has not passed on this commit, unless the base was
//! run and fails it too; no label and no score alone does that.

mod document;

use std::collections::{BTreeMap, BTreeSet};

use crate::flake::{Clusters, Scores};
use crate::outcome::Outcomes;
use crate::outcome::environment::Disturbance;
use crate::retry::{Case, Doubt, DoubtOptions, Next, ORDER_SURE, Planned, Scan, cases};
use crate::test_id::TestId;

pub use document::{
    PosteriorDocument, RunVerdict, TestVerdict, VERDICT_SCHEMA, VerdictDocument, Word,
};

/// What decides a verdict.
#[derive(Clone, Debug)]
pub struct VerdictOptions {
    /// The rule for one failing test.
    pub doubt: DoubtOptions,
    /// The run blocks where the probability of any real failure is above this, even if every
    /// failing test passed again.
    pub p_real_max: f64,
    /// Planned tests that the ledger does not accept, by name, beside those without a result:
    /// told twice, stale.
    pub unaccounted: Vec<String>,
    /// Tests in quarantine, by name: they are judged and shown like all others, and their failures
    /// do not block. One without a result still makes the run incomplete.
    pub quarantined: BTreeSet<String>,
}

impl Default for VerdictOptions {
    fn default() -> Self {
        let doubt = DoubtOptions { quarantine_rate: 2.0, ..DoubtOptions::default() };
        let (unaccounted, quarantined) = (Vec::new(), BTreeSet::new());
        Self { doubt, p_real_max: 0.5, unaccounted, quarantined }
    }
}

/// One judged test.
struct Judged {
    test: TestId,
    word: Word,
    doubt: Option<Doubt>,
    reason: String,
    /// Whether earlier runs know it to fail.
    failed_before: bool,
}

impl Judged {
    /// True where its failure alone makes the run block. A test that depends on the order does not
    /// where it did so before this commit.
    const fn blocks(&self) -> bool {
        match self.word {
            Word::Failed | Word::Open | Word::Environment | Word::Missing => true,
            Word::Order => !self.failed_before,
            Word::Flaky | Word::Suspect | Word::PreExisting => false,
        }
    }
}

/// What makes failures one: they count once.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Cause {
    Cluster(usize),
    Signature(u64),
    Test(TestId),
}

/// What the judge looks at.
struct Bench<'a> {
    clusters: Clusters,
    planned: &'a Planned,
    scan: Scan<'a>,
    /// A failure that blocks the run, whatever comes of the others.
    proof: Option<TestId>,
    scores: &'a Scores,
    options: &'a VerdictOptions,
}

/// Judges a run: what was planned, what came of it, what the base showed for the same tests where
/// somebody ran it, and what history says. O(n log n) in the tests.
///
/// ```
/// use rasher::flake::{FlakeOptions, Scores};
/// use rasher::outcome::Folder;
/// use rasher::retry::Planned;
/// use rasher::verdict::{RunVerdict, VerdictOptions, judge};
/// let scores = Scores::new(FlakeOptions::default());
/// let (planned, outcomes) = (Planned::new(&[]), Folder::new().finish());
/// let verdict = judge(&planned, &outcomes, None, &scores, &VerdictOptions::default());
/// assert_eq!(verdict.run, RunVerdict::Incomplete, "a run without tests proves nothing");
/// ```
pub fn judge(
    planned: &Planned,
    outcomes: &Outcomes,
    base: Option<&Outcomes>,
    scores: &Scores,
    options: &VerdictOptions,
) -> VerdictDocument {
    let cases = cases(planned, outcomes);
    let scan = Scan::new(planned, &cases, scores, base);
    let proof = scan.proof(&cases, &options.doubt, &options.quarantined).map(|case| case.test);
    let bench = Bench { clusters: scores.clusters(), planned, scan, proof, scores, options };
    let judged: Vec<Judged> = cases.iter().filter_map(|case| bench.judge(case)).collect();
    bench.sum_up(&cases, &judged)
}

impl Bench<'_> {
    fn name(&self, test: TestId) -> &str {
        self.planned.tests().name(test)
    }

    fn is_quarantined(&self, name: &str) -> bool {
        self.options.quarantined.contains(name)
    }

    /// `None` for a test that passed without ado.
    fn judge(&self, case: &Case) -> Option<Judged> {
        let name = self.name(case.test);
        let failed_before = self.scores.strip(name).failures > 0;
        let verdict = |word, doubt, reason: &str| {
            Some(Judged { test: case.test, word, doubt, reason: reason.to_owned(), failed_before })
        };
        let Some(doubt) = self.scan.doubt(case, &self.options.doubt) else {
            if case.is_missing() {
                return verdict(Word::Missing, None, "planned, and no result arrived");
            }
            if self.options.unaccounted.iter().any(|other| other == name) {
                return verdict(Word::Missing, None, "its result does not count; see `verify`");
            }
            return None;
        };
        let (word, reason) = word(case, &doubt, failed_before, self.options);
        if word == Word::Failed
            && case.counts().1 == 0
            && doubt.may_stay_open()
            && let Some(proof) = self.proof
        {
            let by = self.name(proof);
            let why = format!("undecided: hardly the commit's, and `{by}` blocks this run already");
            return verdict(Word::Open, Some(doubt), &why);
        }
        verdict(word, Some(doubt), &reason)
    }

    fn sum_up(&self, cases: &[Case], judged: &[Judged]) -> VerdictDocument {
        let disturbance = self.scan.disturbance;
        let p_real = self.p_any_real(cases, judged);
        let counts =
            |it: &&Judged| it.word == Word::Missing || !self.is_quarantined(self.name(it.test));
        let of = |word: Word| judged.iter().filter(counts).filter(|it| it.word == word).count();
        let incomplete = self.planned.tests().is_empty()
            || of(Word::Missing) > 0
            || !self.options.unaccounted.is_empty();
        let in_order = |it: &&Judged| it.word == Word::Order && it.blocks();
        let blocking = of(Word::Failed)
            + of(Word::Open)
            + judged.iter().filter(counts).filter(in_order).count();
        let excused = disturbance == Some(Disturbance::Environment);
        let run = if incomplete {
            RunVerdict::Incomplete
        } else if excused || (of(Word::Environment) > 0 && blocking == 0) {
            RunVerdict::Environment
        } else if blocking > 0 || p_real > self.options.p_real_max {
            RunVerdict::Failed
        } else if of(Word::Flaky) + of(Word::Suspect) + of(Word::Order) > 0 {
            RunVerdict::Flaky
        } else {
            RunVerdict::Passed
        };
        let tests = judged.iter().map(|it| {
            let case = &cases[it.test.index()];
            let name = self.name(it.test);
            let quarantined = self.is_quarantined(name);
            let blocks = it.blocks() && (!quarantined || it.word == Word::Missing);
            let mut told = document::test(name, it.word, it.doubt.as_ref(), self.evidence(case))
                .because(it.reason.clone(), quarantined, blocks);
            if it.word == Word::Order {
                told.after = self.run_before(it.test);
            }
            told
        });
        VerdictDocument {
            schema: VERDICT_SCHEMA.to_owned(),
            run,
            blocks: !matches!(run, RunVerdict::Passed | RunVerdict::Flaky),
            p_real,
            planned: cases.len(),
            skipped: cases.iter().filter(|case| case.is_skipped()).count(),
            disturbance: disturbance.map(|it| format!("{it:?}").to_lowercase()),
            tests: tests.collect(),
            bypass: Vec::new(),
        }
    }

    /// What runs before a test on its shard, each class once; a class of its own among them.
    fn run_before(&self, test: TestId) -> Vec<String> {
        let tests = self.planned.tests();
        let mut told = BTreeSet::new();
        let class = |test: &TestId| {
            tests.group(*test).map_or(tests.name(*test), |group| tests.group_name(group))
        };
        let before = self.planned.before(test);
        let once = before.iter().map(class).filter(|class| told.insert(*class));
        once.map(str::to_owned).collect()
    }

    /// Probability that any failure is the commit's: independent over root causes. Failures of one
    /// signature are one cause, and so are those of tests that always fail together; a cause is as
    /// real as its most real member.
    fn p_any_real(&self, cases: &[Case], judged: &[Judged]) -> f64 {
        let mut causes: BTreeMap<Cause, f64> = BTreeMap::new();
        for it in judged.iter().filter(|it| it.word != Word::PreExisting) {
            if self.is_quarantined(self.name(it.test)) {
                continue;
            }
            let Some(doubt) = &it.doubt else { continue };
            let signature = cases[it.test.index()].signature;
            let cause = match (self.cluster(it.test), signature) {
                (Some(cluster), _) => Cause::Cluster(cluster),
                (None, Some(signature)) => Cause::Signature(signature),
                (None, None) => Cause::Test(it.test),
            };
            let p = causes.entry(cause).or_default();
            *p = p.max(doubt.p_real());
        }
        1.0 - causes.values().map(|p| 1.0 - p).product::<f64>()
    }

    /// The cluster of a test, as history knows it.
    fn cluster(&self, test: TestId) -> Option<usize> {
        self.clusters.of(self.scores.find(self.name(test))?)
    }

    /// The line that a person reads: what happened here, what history says, what the base showed.
    fn evidence(&self, case: &Case) -> String {
        let name = self.name(case.test);
        let (failed, passed) = case.counts();
        let mut line = match (failed, passed) {
            (0, 0) => "no result on this commit".to_owned(),
            _ => format!("failed {failed}, passed {passed} on this commit"),
        };
        let strip = self.scores.strip(name);
        line += &match strip.runs {
            0 => "; no history".to_owned(),
            runs => format!("; failed in {} of {runs} earlier runs", strip.failures),
        };
        if let Some(other) = self.scores.known_as(name) {
            line += &format!(", then named `{other}`");
        }
        line += match self.scan.on_base(case.test) {
            Some(true) => "; fails on base: yes",
            Some(false) => "; fails on base: no",
            None => "; base not run",
        };
        if let Some(cluster) = self.cluster(case.test) {
            let others = self.clusters.lists()[cluster].len() - 1;
            line += &format!("; fails together with {others} others");
        }
        if case.conflicting {
            line += "; reports contradict each other";
        }
        if case.several {
            line += "; several invocations under one id";
        }
        line
    }
}

/// The verdict on a test that fails after the tests before it and passes without them: a pass alone
/// does not speak for it, for the suite stays red. None for all others.
fn order(case: &Case, doubt: &Doubt, failed_before: bool) -> Option<(Word, String)> {
    let sure = doubt.posterior().order >= ORDER_SURE;
    if !sure && (failed_before || !case.depends_on_order()) {
        return None;
    }
    let (failed, passed) = case.in_order().unwrap_or_default();
    let seen = format!(
        "failed {failed} of {} after the tests before it, passed without them",
        failed + passed
    );
    Some(match (doubt.control(), failed_before) {
        (Some(true), _) => (Word::PreExisting, format!("{seen}; the base fails it too")),
        (_, true) => (Word::Order, format!("{seen}: keep it apart from what runs before")),
        (_, false) => (
            Word::Order,
            format!("{seen}, and never failed before this commit: find what is left behind"),
        ),
    })
}

/// The verdict on a test that failed at least once.
fn word(
    case: &Case,
    doubt: &Doubt,
    failed_before: bool,
    options: &VerdictOptions,
) -> (Word, String) {
    let (_, passed) = case.counts();
    let p_real = doubt.p_real();
    if passed == 0 {
        if doubt.control() == Some(true) && doubt.next(&options.doubt, false) == Next::PreExisting {
            return (Word::PreExisting, "the base fails it too".to_owned());
        }
        if doubt.posterior().environment > 0.5 {
            return (
                Word::Environment,
                "its worker, or a mass failure that passed, is suspected; retry it".to_owned(),
            );
        }
        return (Word::Failed, "no passing attempt on this commit".to_owned());
    }
    if case.is_final() {
        return (Word::Failed, "passed again, but such a failure is never taken back".to_owned());
    }
    if let Some(why) = order(case, doubt, failed_before) {
        return why;
    }
    if p_real > 0.5 {
        return (Word::Failed, "passed at times, but is more likely real than not".to_owned());
    }
    let first_ever = "first failure in its history: new nondeterminism since this commit?";
    if p_real > options.doubt.error_max {
        return (Word::Suspect, "passed on retry, but doubt remains; retry to settle".to_owned());
    }
    if !failed_before {
        return (Word::Suspect, first_ever.to_owned());
    }
    (Word::Flaky, "passed on this commit, and is known to fail without cause".to_owned())
}
