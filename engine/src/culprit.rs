//! Which of a row of suspects made a test fail, where the test may also fail by chance: commits in
//! their order, or the tests that ran before it.
//!
//! Decides how likely each suspect is, and which experiment tells most. Never runs one, and never
//! takes one failure of a flaky test for proof.
//!
//! This is bisection under noise by Bayes' rule, with the test's own rate of chance failures as the
//! likelihood (Henderson and others, "Flake Aware Culprit Finding", 2023). A suspect need not make
//! the test fail each time: a share of culprits is thought to be partial, so that one pass does not
//! acquit for good.

/// How often a culprit makes a test fail that chance has spared, and how many culprits are of that
/// kind.
const KINDS: [(f64, f64); 4] = [(0.98, 0.85), (0.75, 0.05), (0.55, 0.05), (0.35, 0.05)];

/// Prior probability that there is no culprit: what failed did so by chance.
const CHANCE: f64 = 0.5;

/// A test fails by chance at least and at most this often: nothing is ever certain.
const RATE: (f64, f64) = (1e-6, 0.95);

/// What a search has come to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Finding {
    /// This suspect, counted from 0.
    Suspect(usize),
    /// None of them: the test fails by chance, or for a reason that was there before.
    Chance,
}

/// A search among suspects that stand in a row.
///
/// ```
/// use rasher::culprit::{Finding, Search};
/// let mut search = Search::new(100);
/// search.observe(|_| true, true, 0.001);
/// // The 42nd of a hundred commits broke a test that fails by chance once in a thousand runs.
/// while search.finding(0.01).is_none() {
///     let tested = search.next_cut(0.001);
///     search.observe(|suspect| suspect < tested, tested > 41, 0.001);
/// }
/// assert_eq!(search.finding(0.01), Some(Finding::Suspect(41)));
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Search {
    /// For each suspect, for each of [`KINDS`], its probability.
    guilty: Vec<[f64; KINDS.len()]>,
    chance: f64,
}

impl Search {
    /// A search that knows nothing yet: all suspects alike.
    pub fn new(suspects: usize) -> Self {
        let each = (1.0 - CHANCE) / suspects.max(1) as f64;
        let chance = if suspects == 0 { 1.0 } else { CHANCE };
        Self { guilty: vec![KINDS.map(|(_, share)| share * each); suspects], chance }
    }

    /// How many suspects there are.
    pub fn len(&self) -> usize {
        self.guilty.len()
    }

    /// True where there is none.
    pub fn is_empty(&self) -> bool {
        self.guilty.is_empty()
    }

    /// Takes in one execution of the test: `present` tells which suspects were there (the commit
    /// holds their change; they ran before the test), `rate` how often the test fails by chance in
    /// such an execution. The order of executions changes nothing. O(n).
    pub fn observe(&mut self, present: impl Fn(usize) -> bool, failed: bool, rate: f64) {
        let likely = |fails: f64| if failed { fails } else { 1.0 - fails };
        let by_chance = rate.clamp(RATE.0, RATE.1);
        for (suspect, kinds) in self.guilty.iter_mut().enumerate() {
            for (weight, (fails, _)) in kinds.iter_mut().zip(KINDS) {
                let fails = if present(suspect) { either(fails, by_chance) } else { by_chance };
                *weight *= likely(fails);
            }
        }
        self.chance *= likely(by_chance);
        let sum = self.chance + self.guilty.as_flattened().iter().sum::<f64>();
        self.chance /= sum;
        self.guilty.as_flattened_mut().iter_mut().for_each(|weight| *weight /= sum);
    }

    /// The probability that a suspect is the culprit.
    ///
    /// # Panics
    /// Where there is no such suspect.
    pub fn probability(&self, suspect: usize) -> f64 {
        self.guilty[suspect].iter().sum()
    }

    /// The probability that none is.
    pub fn probability_of_chance(&self) -> f64 {
        self.chance
    }

    /// What is all but certain, up to a probability of `error`.
    pub fn finding(&self, error: f64) -> Option<Finding> {
        if self.chance >= 1.0 - error {
            return Some(Finding::Chance);
        }
        let at = (0..self.len()).find(|suspect| self.probability(*suspect) >= 1.0 - error)?;
        Some(Finding::Suspect(at))
    }

    /// How many of the first suspects to have present in the next execution, so that its outcome is
    /// expected to tell most of who it was; the fewest where several tell as much. O(n).
    ///
    /// Without a suspect: 0.
    pub fn next_cut(&self, rate: f64) -> usize {
        let rate = rate.clamp(RATE.0, RATE.1);
        let mut best = (f64::MIN, 0);
        // Of those present: their probability, that they fail, and what their failing leaves open.
        let (mut present, mut failing, mut noise) = (0.0, 0.0, 0.0);
        for (suspect, kinds) in self.guilty.iter().enumerate() {
            let weight: f64 = kinds.iter().sum();
            let fails: f64 = kinds.iter().zip(KINDS).map(|(w, (q, _))| w * either(q, rate)).sum();
            present += weight;
            failing += fails;
            if weight > 0.0 {
                noise += weight * entropy(fails / weight);
            }
            let absent = (1.0 - present).max(0.0);
            let told = entropy(failing + absent * rate) - noise - absent * entropy(rate);
            // What is told no better than by rounding does not count.
            if told > best.0 + 1e-12 {
                best = (told, suspect + 1);
            }
        }
        best.1
    }
}

/// How often a test fails for one of two reasons that do not know of each other: a culprit makes a
/// test that fails by chance fail more often, however often that is.
fn either(one: f64, other: f64) -> f64 {
    1.0 - (1.0 - one) * (1.0 - other)
}

/// The bits that an outcome of this probability tells.
fn entropy(p: f64) -> f64 {
    let part = |p: f64| if p > 0.0 { -p * p.log2() } else { 0.0 };
    part(p.clamp(0.0, 1.0)) + part((1.0 - p).clamp(0.0, 1.0))
}
