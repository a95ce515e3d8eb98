//! The search for a culprit.

use proptest::prelude::*;
use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};
use rasher::culprit::{Finding, Search};

/// One execution: how many of the first suspects were there, and what came of it.
type Seen = (usize, bool);

fn after(suspects: usize, seen: &[Seen], rate: f64) -> Search {
    let mut search = Search::new(suspects);
    for (cut, failed) in seen {
        search.observe(|suspect| suspect < *cut, *failed, rate);
    }
    search
}

fn entropy(search: &Search) -> f64 {
    let each = (0..search.len()).map(|suspect| search.probability(suspect));
    let each = each.chain([search.probability_of_chance()]);
    -each.filter(|p| *p > 0.0).map(|p| p * p.log2()).sum::<f64>()
}

/// What an execution is expected to tell of who it was, by trying both outcomes.
fn told(seen: &[Seen], suspects: usize, cut: usize, rate: f64) -> f64 {
    let before = after(suspects, seen, rate);
    let mut left = 0.0;
    for failed in [false, true] {
        // The probability of the outcome, by what each kind of culprit does.
        let mut next = before.clone();
        next.observe(|suspect| suspect < cut, failed, rate);
        left += likelihood(seen, suspects, (cut, failed), rate) * entropy(&next);
    }
    entropy(&before) - left
}

/// The probability of an outcome after others, by enumerating every culprit and how often it makes
/// the test fail.
fn likelihood(seen: &[Seen], suspects: usize, next: Seen, rate: f64) -> f64 {
    let kinds = [(0.98, 0.85), (0.75, 0.05), (0.55, 0.05), (0.35, 0.05)];
    let chance = |fails: f64, failed: bool| if failed { fails } else { 1.0 - fails };
    let (mut both, mut one) = (0.0, 0.0);
    let mut worlds = vec![(usize::MAX, rate, 0.5)];
    for suspect in 0..suspects {
        worlds.extend(kinds.map(|(q, share)| (suspect, q, share * 0.5 / suspects as f64)));
    }
    for (culprit, q, prior) in worlds {
        let fails = |cut: usize| if culprit < cut { 1.0 - (1.0 - q) * (1.0 - rate) } else { rate };
        let past: f64 = seen.iter().map(|(cut, failed)| chance(fails(*cut), *failed)).product();
        one += prior * past;
        both += prior * past * chance(fails(next.0), next.1);
    }
    both / one
}

/// Searches for a culprit that makes a flaky test fail; the answer and the executions it took.
fn hunt(culprit: Option<usize>, suspects: usize, rate: f64, seed: u64) -> (Finding, u32) {
    let mut draw = ChaCha8Rng::seed_from_u64(seed);
    let mut search = Search::new(suspects);
    search.observe(|_| true, true, rate);
    for runs in 1..5_000 {
        if let Some(found) = search.finding(0.01) {
            return (found, runs);
        }
        let cut = search.next_cut(rate);
        let fails = if culprit.is_some_and(|culprit| culprit < cut) { 0.98 } else { rate };
        search.observe(|suspect| suspect < cut, draw.random_bool(fails), rate);
    }
    panic!("a search ends");
}

/// Bisection as people do it: one execution a step, each believed.
fn bisect(culprit: usize, suspects: usize, rate: f64, seed: u64) -> usize {
    let mut draw = ChaCha8Rng::seed_from_u64(seed);
    let (mut low, mut high) = (0, suspects - 1);
    while low < high {
        let middle = (low + high) / 2;
        let fails = if culprit <= middle { 0.98 } else { rate };
        if draw.random_bool(fails) { high = middle } else { low = middle + 1 }
    }
    low
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: Some(Box::new(
            proptest::test_runner::FileFailurePersistence::SourceParallel("../../proptest-regressions"),
        )),
        ..ProptestConfig::default()
    })]

    #[test]
    fn what_is_believed_adds_up_and_does_not_hang_on_the_order_of_executions(
        suspects in 0..20_usize,
        seen in prop::collection::vec((0..21_usize, any::<bool>()), 0..12),
        rate in 0.0..1.0_f64,
    ) {
        let search = after(suspects, &seen, rate);
        let sum: f64 = (0..suspects).map(|suspect| search.probability(suspect)).sum();
        prop_assert!((sum + search.probability_of_chance() - 1.0).abs() < 1e-9);
        let mut turned = seen.clone();
        turned.reverse();
        let turned = after(suspects, &turned, rate);
        for suspect in 0..suspects {
            prop_assert!((search.probability(suspect) - turned.probability(suspect)).abs() < 1e-9);
        }
        prop_assert!(search.next_cut(rate) <= suspects);
    }

    #[test]
    fn the_next_execution_tells_as_much_as_any_cut_could(
        suspects in 1..9_usize,
        seen in prop::collection::vec((0..10_usize, any::<bool>()), 0..5),
        rate in 0.001..0.6_f64,
    ) {
        let cut = after(suspects, &seen, rate).next_cut(rate);
        let best = (0..=suspects).map(|cut| told(&seen, suspects, cut, rate)).fold(0.0, f64::max);
        prop_assert!((told(&seen, suspects, cut, rate) - best).abs() < 1e-6, "{} {}", cut, best);
    }

    #[test]
    fn without_chance_failures_a_search_is_a_bisection(suspects in 1..300_usize, at in any::<prop::sample::Index>()) {
        let culprit = at.index(suspects);
        let mut search = Search::new(suspects);
        search.observe(|_| true, true, 0.0);
        let mut runs = 0;
        while search.finding(0.01).is_none() {
            let cut = search.next_cut(0.0);
            search.observe(|suspect| suspect < cut, culprit < cut, 0.0);
            runs += 1;
        }
        prop_assert_eq!(search.finding(0.01), Some(Finding::Suspect(culprit)));
        // One pass of a partial culprit proves little, so the neighbour is asked some times more.
        prop_assert!(runs <= 2 * suspects.ilog2() + 8, "{} runs", runs);
    }
}

#[test]
fn a_flaky_test_misleads_a_bisection_and_not_the_search() {
    const HUNTS: u64 = 400;
    let (mut wrong, mut naive, mut runs) = (0, 0, 0);
    for seed in 0..HUNTS {
        let culprit = (seed * 37 % 64) as usize;
        let (found, took) = hunt(Some(culprit), 64, 0.2, seed);
        wrong += u32::from(found != Finding::Suspect(culprit));
        naive += u32::from(bisect(culprit, 64, 0.2, seed) != culprit);
        runs += took;
    }
    assert!(wrong <= 8, "{wrong} of {HUNTS} wrong");
    assert!(naive >= 100, "{naive} of {HUNTS} wrong by plain bisection: too easy a case");
    assert!(runs <= 30 * HUNTS as u32, "{runs} executions");
}

#[test]
fn a_test_that_fails_by_chance_alone_has_no_culprit() {
    for rate in [0.01, 0.2, 0.5, 0.8] {
        let accused = |seed: &u64| hunt(None, 64, rate, *seed).0 != Finding::Chance;
        let wrong = (0..200).filter(accused).count();
        assert!(wrong <= 4, "{wrong} of 200 accused at {rate}");
    }
}
