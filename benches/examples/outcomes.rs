//! What the gate, the filter and the retry rule would have done on a recorded past.
//!
//! Reads lines `run,test,outcome` in order of time, outcome `0` for a pass and `1` for a failure,
//! and prints one line of a table. There is no truth in such a file: a failure that is followed by
//! a pass of the same test in the next run counts as passing, one followed by a failure as lasting.
//!
//! `cargo run --profile quick -p rasher-bench --example outcomes -- NAME FILE`

use std::collections::{BTreeMap, HashMap};

use rasher::flake::{Filter, FlakeOptions, Seen, gate};
use rasher::retry::{Doubt, DoubtOptions, Known, Next};
use rasher::test_id::TestId;
use rasher_bench::simulate::metric::{Rated, measure};

/// One failure that the gate let through, before and after the run it stands in.
struct Event {
    test: usize,
    run: usize,
    broken: f64,
    first_verdict: Next,
    retries: u32,
}

fn main() {
    let mut args = std::env::args().skip(1);
    let (Some(name), Some(file)) = (args.next(), args.next()) else {
        eprintln!("usage: outcomes NAME FILE");
        return;
    };
    let text = match std::fs::read_to_string(&file) {
        Ok(text) => text,
        Err(e) => return eprintln!("cannot read {file}: {e}"),
    };
    let (runs, tests) = parse(&text);
    let mut filter = Filter::new(FlakeOptions::default());
    (0..tests).for_each(|_| {
        filter.add(0);
    });
    let (mut gated, mut failures, mut events) = (0, 0, Vec::new());
    let mut shares: Vec<f64> = Vec::new();
    for (number, run) in runs.iter().enumerate() {
        let mut seen = run.clone();
        seen.resize(tests, Seen::Nothing);
        failures += seen.iter().filter(|it| **it == Seen::Failed).count();
        let mut sorted = shares.clone();
        sorted.sort_unstable_by(f64::total_cmp);
        let usual = sorted.get(sorted.len() / 2).copied().unwrap_or_default();
        shares.push(share(&seen));
        if gate(&mut seen, &[], usual).whole_run {
            gated += 1;
        }
        let failed = (0..tests).filter(|test| seen[*test] == Seen::Failed);
        let judged: Vec<(usize, Next, u32)> =
            failed.map(|test| (test, first(&filter, test), retries(&filter, test))).collect();
        filter.update(&seen, &[], true);
        for (test, first_verdict, retries) in judged {
            let broken = f64::from(filter.belief(TestId(test as u32)).broken);
            events.push(Event { test, run: number, broken, first_verdict, retries });
        }
    }
    show(&name, &runs, (tests, gated, failures), &events, &filter);
}

/// The share of failing tests.
fn share(seen: &[Seen]) -> f64 {
    let of = |what: &dyn Fn(Seen) -> bool| seen.iter().filter(|it| what(**it)).count() as f64;
    of(&|it| it == Seen::Failed) / of(&|it| it != Seen::Nothing).max(1.0)
}

fn known(filter: &Filter, test: usize) -> Known {
    let belief = filter.belief(TestId(test as u32));
    Known { belief, correlation: 0.1, neighbours: 0, suspected: false }
}

/// What the rule says right after the failure.
fn first(filter: &Filter, test: usize) -> Next {
    let options = DoubtOptions::default();
    Doubt::after_failure(&known(filter, test), &options).next(&options, false)
}

/// Retries until the rule is sure, if each of them passes.
fn retries(filter: &Filter, test: usize) -> u32 {
    let options = DoubtOptions::default();
    let mut doubt = Doubt::after_failure(&known(filter, test), &options);
    while doubt.next(&options, false) == Next::Retry {
        doubt.observe(false);
    }
    doubt.attempts().1
}

fn parse(text: &str) -> (Vec<Vec<Seen>>, usize) {
    let mut names: HashMap<&str, usize> = HashMap::new();
    let mut runs: BTreeMap<usize, Vec<Seen>> = BTreeMap::new();
    let mut number: HashMap<&str, usize> = HashMap::new();
    for line in text.lines() {
        let mut fields = line.splitn(2, ',');
        let (Some(run), Some(rest)) = (fields.next(), fields.next()) else { continue };
        let Some((test, outcome)) = rest.rsplit_once(',') else { continue };
        let count = number.len();
        let run = *number.entry(run).or_insert(count);
        let count = names.len();
        let test = *names.entry(test).or_insert(count);
        let row = runs.entry(run).or_default();
        if row.len() <= test {
            row.resize(test + 1, Seen::Nothing);
        }
        let failed = outcome.trim() != "0" || row[test] == Seen::Failed;
        row[test] = if failed { Seen::Failed } else { Seen::Passed };
    }
    (runs.into_values().collect(), names.len())
}

fn show(
    name: &str,
    runs: &[Vec<Seen>],
    (tests, gated, failures): (usize, usize, usize),
    events: &[Event],
    filter: &Filter,
) {
    let next = |event: &Event| {
        let later = runs[event.run + 1..].iter().filter_map(|run| run.get(event.test));
        later.copied().find(|seen| *seen != Seen::Nothing)
    };
    let lasting: Vec<Rated> = events
        .iter()
        .filter_map(|event| {
            let flaky = next(event)? == Seen::Failed;
            Some(Rated { score: event.broken, flaky, never: !flaky })
        })
        .collect();
    let flagged = (0..tests).filter(|test| filter.score(TestId(*test as u32)).flagged).count();
    let count = |of: Next| events.iter().filter(|event| event.first_verdict == of).count();
    let retries: f64 = events.iter().map(|event| f64::from(event.retries)).sum();
    println!(
        "{name}: {} runs, {tests} tests, {failures} failures; gate left out {gated} runs, {} \
         failures remain, {} of them lasting; tests flagged {flagged}; P(broken) tells lasting from \
         passing with AUC {:.3}; rule: {} retried, {} quarantined, {} known broken, {:.1} retries \
         each if all pass",
        runs.len(),
        events.len(),
        lasting.iter().filter(|rated| rated.flaky).count(),
        measure(lasting.clone()).auc,
        count(Next::Retry),
        count(Next::Quarantined),
        count(Next::PreExisting),
        retries / events.len().max(1) as f64,
    );
}
