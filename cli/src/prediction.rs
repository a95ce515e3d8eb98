//! What the tests of a plan are expected to take.
//!
//! Decides nothing itself: the estimator that suits the suite's own past, then, for tests that were
//! never timed in this environment, what another one knows of them.

use rasher::backtest::{Suited, suited};
use rasher::estimate::{Estimates, Source, borrow, estimate_by};
use rasher::history::History;
use rasher::test_id::TestTable;

use crate::fault::Fault;
use crate::output::count;
use crate::session::{Session, store_fault};

/// Environments that are looked into for tests unknown here.
const LENDERS_MAX: usize = 8;
/// An estimator is chosen for so many workers where a budget has not yet decided.
const WORKERS: u32 = 20;

/// Expected durations and how they were found.
pub(crate) struct Expected {
    pub(crate) estimates: Estimates,
    suited: Suited,
    /// The environment that lent, and for how many tests.
    lender: Option<(String, usize)>,
}

/// What is expected of the tests, on so many workers where that is known.
pub(crate) fn expect(
    session: &Session,
    history: &History,
    tests: &TestTable,
    workers: Option<u32>,
) -> Expected {
    let suited = suited(history, workers.unwrap_or(WORKERS));
    let mut estimates = estimate_by(history, tests, suited.estimator);
    let lender = lend(session, tests, &mut estimates).unwrap_or_else(|fault| {
        session.output.warn(&format!("other environments cannot be used: {}", fault.what()));
        None
    });
    if let Some((name, borrowed)) = &lender {
        let tests = count(*borrowed, "test");
        session.output.say(&format!("{tests} never timed here: ranked as in environment {name}"));
    }
    Expected { estimates, suited, lender }
}

/// Looks for tests that are unknown here in the environment that knows most of them.
fn lend(
    session: &Session,
    tests: &TestTable,
    estimates: &mut Estimates,
) -> Result<Option<(String, usize)>, Fault> {
    let unknown = |source: &Source| !matches!(source, Source::Own | Source::Renamed);
    if !estimates.source.iter().any(unknown) || !session.store.exists() {
        return Ok(None);
    }
    let store = session.open_store()?;
    let others = session.usable(store.environments().map_err(|e| store_fault(&e))?);
    let others = others.into_iter().filter(|name| *name != session.environment);
    let mut best: Option<(usize, String, Estimates)> = None;
    for name in others.take(LENDERS_MAX) {
        let other = session.usable(store.history(&name).map_err(|e| store_fault(&e))?);
        let mut filled = estimates.clone();
        let borrowed = borrow(&mut filled, tests, &other);
        if borrowed > best.as_ref().map_or(0, |best| best.0) {
            best = Some((borrowed, name, filled));
        }
    }
    Ok(best.map(|(borrowed, name, filled)| {
        *estimates = filled;
        (name, borrowed)
    }))
}

impl Expected {
    /// The same of other tests, by the same estimator; nothing is borrowed for them.
    pub(crate) fn of(&self, history: &History, tests: &TestTable) -> Estimates {
        estimate_by(history, tests, self.suited.estimator)
    }

    /// Says what durations are expected by, and why.
    pub(crate) fn explain(&self, session: &Session) {
        let Suited { estimator, runs, over_bound } = &self.suited;
        let by = estimator.word();
        if *runs < 4 {
            session.output.say(&format!("durations by `{by}`: the past is too short to choose"));
            return;
        }
        let scores: Vec<String> = over_bound
            .iter()
            .map(|(by, over)| format!("{} {:.1} %", by.word(), over * 100.0))
            .collect();
        let runs = count(*runs, "run");
        session.output.say(&format!(
            "durations by `{by}`: over the bound in the last {runs}, {}",
            scores.join(", ")
        ));
        if let Some((name, borrowed)) = &self.lender {
            let tests = count(*borrowed, "test");
            session.output.say(&format!("durations of {tests} are those of environment {name}"));
        }
    }
}
