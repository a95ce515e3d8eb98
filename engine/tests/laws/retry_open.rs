//! What need not be settled, what is asked of the base, and the alarm before the last result.

use std::collections::BTreeSet;

use proptest::prelude::*;
use rasher::attempt::Outcome;
use rasher::flake::Scores;
use rasher::outcome::Outcomes;
use rasher::outcome::environment::{Disturbance, alarm_rings, read_probe};
use rasher::retry::{Demands, Planned, RetryEvidence, RetryOptions, RetrySet, cases, outstanding};
use rasher::units::Micros;
use rasher::verdict::{VerdictDocument, VerdictOptions, Word, judge};

use super::retry::{Report, fold, names, plan_of, scores_of};

const TESTS: [&str; 6] = ["a#1", "a#2", "a#3", "b#flaky", "c#flaky", "d#calm"];
const PASS: Outcome = Outcome::Passed;
const FAIL: Outcome = Outcome::Failed;

/// The two flaky tests fail in one of five runs.
fn history() -> Scores {
    scores_of(&TESTS, 60, |at, run| (3..5).contains(&at) && (run as usize + at).is_multiple_of(5))
}

/// Retries and verdict of one run.
struct Seen {
    planned: Planned,
    set: RetrySet,
    verdict: VerdictDocument,
}

impl Seen {
    fn new(scores: &Scores, reports: &[Report<'_>], base: Option<&Outcomes>) -> Self {
        Self::with(scores, reports, base, &RetryOptions::default())
    }

    fn with(
        scores: &Scores,
        reports: &[Report<'_>],
        base: Option<&Outcomes>,
        options: &RetryOptions,
    ) -> Self {
        let planned = Planned::new(&[plan_of(&TESTS)]);
        let outcomes = fold(reports);
        let (demands, spans) = (Demands::default(), vec![Micros::from_secs(1); TESTS.len()]);
        let evidence = RetryEvidence { scores, base, demands: &demands, durations: &spans };
        let set = outstanding(&planned, &cases(&planned, &outcomes), &evidence, options);
        let judging = VerdictOptions {
            quarantined: options.quarantined.clone(),
            ..VerdictOptions::default()
        };
        let verdict = judge(&planned, &outcomes, base, scores, &judging);
        Self { planned, set, verdict }
    }

    fn retried(&self) -> Vec<String> {
        names(&self.planned, &self.set)
    }

    fn reason(&self, name: &str) -> &str {
        let found = self.set.settled.iter().find(|it| it.test == name);
        found.map_or("", |it| it.reason.as_str())
    }

    fn word(&self, name: &str) -> Option<Word> {
        self.verdict.tests.iter().find(|it| it.test == name).map(|it| it.verdict)
    }
}

/// All of class `a` fails for good beside a flaky test; three rounds of it.
const BROKEN: [(&str, Outcome); 3] = [("a#1", FAIL), ("a#2", FAIL), ("a#3", FAIL)];

fn first_round() -> Vec<(&'static str, Outcome)> {
    let rest = [("b#flaky", FAIL), ("c#flaky", PASS), ("d#calm", PASS)];
    BROKEN.iter().chain(&rest).copied().collect()
}

#[test]
fn a_flake_beside_a_proven_breakage_stays_open_and_is_not_let_through() {
    let scores = history();
    let first = first_round();
    let rounds: [Report<'_>; 3] = [(1, &first), (2, &BROKEN), (3, &BROKEN)];
    // As long as the base was not asked nothing is proven.
    let seen = Seen::new(&scores, &rounds, None);
    assert_eq!(seen.retried(), ["b#flaky"]);
    let base = fold(&[(1, &[("a#1", PASS), ("a#2", PASS), ("a#3", PASS)])]);
    let seen = Seen::new(&scores, &rounds, Some(&base));
    assert_eq!(seen.retried(), [""; 0]);
    assert!(seen.reason("b#flaky").contains("`a#1` blocks this run already"));
    assert_eq!(seen.word("b#flaky"), Some(Word::Open));
    assert_eq!(seen.word("a#1"), Some(Word::Failed));
    assert!(seen.verdict.blocks);
    let all = RetryOptions { settle_all: true, ..RetryOptions::default() };
    assert_eq!(Seen::with(&scores, &rounds, Some(&base), &all).retried(), ["b#flaky"]);
}

#[test]
fn a_failure_in_quarantine_is_not_retried_and_proves_nothing() {
    let scores = history();
    let first = first_round();
    let rounds: [Report<'_>; 3] = [(1, &first), (2, &BROKEN), (3, &BROKEN)];
    let base = fold(&[(1, &[("a#1", PASS), ("a#2", PASS), ("a#3", PASS)])]);
    let quarantined: BTreeSet<String> = BROKEN.iter().map(|it| it.0.to_owned()).collect();
    let options = RetryOptions { quarantined, ..RetryOptions::default() };
    let seen = Seen::with(&scores, &rounds, Some(&base), &options);
    assert_eq!(seen.retried(), ["b#flaky"]);
    assert_eq!(seen.word("b#flaky"), Some(Word::Failed), "nothing else blocks: it does");
    let seen = Seen::with(&scores, &[(1, &first)], None, &options);
    assert_eq!(seen.retried(), ["b#flaky"]);
    assert!(seen.reason("a#1").contains("in quarantine"));
}

#[test]
fn what_goes_on_failing_is_asked_of_the_base_and_what_the_base_fails_runs_no_more() {
    let scores = history();
    let first: Vec<_> =
        TESTS.iter().map(|it| (*it, if *it == "d#calm" { FAIL } else { PASS })).collect();
    let again = [("d#calm", FAIL)];
    let asked = |seen: &Seen| -> Vec<String> {
        seen.set.controls.iter().map(|it| seen.planned.tests().name(*it).to_owned()).collect()
    };
    let seen = Seen::new(&scores, &[(1, &first)], None);
    assert_eq!((asked(&seen), seen.retried()), (vec![], vec!["d#calm".to_owned()]));
    let rounds: [Report<'_>; 2] = [(1, &first), (2, &again)];
    assert_eq!(asked(&Seen::new(&scores, &rounds, None)), ["d#calm"]);
    let base = fold(&[(1, &again)]);
    let seen = Seen::new(&scores, &rounds, Some(&base));
    assert_eq!((asked(&seen), seen.retried()), (vec![], vec![]));
    assert_eq!(seen.word("d#calm"), Some(Word::PreExisting));
    assert!(!seen.verdict.blocks);
}

/// Of 1,000 tests in as many classes the first `ran` reported, the first `failed` as failures.
fn early(ran: usize, failed: usize) -> RetrySet {
    let all: Vec<String> = (0..1_000).map(|at| format!("c{at:03}#t")).collect();
    let all: Vec<&str> = all.iter().map(String::as_str).collect();
    let planned = Planned::new(&[plan_of(&all)]);
    let scores = scores_of(&all, 20, |_, _| false);
    let end = |at: usize| if at < failed { FAIL } else { PASS };
    let rows: Vec<_> = all.iter().take(ran).enumerate().map(|(at, it)| (*it, end(at))).collect();
    let (demands, spans) = (Demands::default(), vec![]);
    let evidence =
        RetryEvidence { scores: &scores, base: None, demands: &demands, durations: &spans };
    let outcomes = fold(&[(1, &rows)]);
    outstanding(&planned, &cases(&planned, &outcomes), &evidence, &RetryOptions::default())
}

#[test]
fn the_alarm_rings_early_where_the_first_results_foretell_a_mass_failure() {
    assert!(early(40, 12).alarm.is_some(), "0.8 would be many");
    assert!(early(40, 7).alarm.is_none(), "too few to say");
    assert!(early(1_000, 12).alarm.is_none(), "all results are in, and they are no mass failure");
    assert!(early(1_000, 21).alarm.is_some());
}

/// What each test shows at first, in two retries, and on the base.
fn shown() -> impl Strategy<Value = Vec<[Option<bool>; 4]>> {
    let end = || prop::option::weighted(0.8, any::<bool>());
    let one = (prop::option::weighted(0.95, any::<bool>()), end(), end(), end());
    prop::collection::vec(one.prop_map(|it| [it.0, it.1, it.2, it.3]), TESTS.len())
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: Some(Box::new(
            proptest::test_runner::FileFailurePersistence::SourceParallel("../../proptest-regressions"),
        )),
        ..ProptestConfig::default()
    })]

    #[test]
    fn what_is_left_open_never_turns_a_run_green(shown in shown()) {
        let scores = history();
        let column = |at: usize| -> Vec<(&'static str, Outcome)> {
            let end = |failed: bool| if failed { FAIL } else { PASS };
            TESTS.iter().zip(&shown).filter_map(|(it, ends)| Some((*it, end(ends[at]?)))).collect()
        };
        let (first, second, third, base) = (column(0), column(1), column(2), column(3));
        let rounds: [Report<'_>; 3] = [(1, &first), (2, &second), (3, &third)];
        let seen = Seen::new(&scores, &rounds, Some(&fold(&[(1, &base)])));
        let left = seen.set.settled.iter().any(|it| it.reason.contains("blocks this run already"));
        let open = seen.verdict.tests.iter().any(|it| it.verdict == Word::Open);
        prop_assert!(seen.verdict.blocks || !(left || open), "{:#?}", seen.verdict);
        let failed = seen.verdict.tests.iter().any(|it| it.verdict == Word::Failed);
        prop_assert!(failed || !open, "something else is proven");
    }

    #[test]
    fn the_early_alarm_never_falls_silent_for_one_failure_more(
        seen in 0..60_u32, ran in 1..5_000_usize, planned in 1..5_000_usize, limit in 20..80_u32,
    ) {
        let ran = ran.min(planned);
        if alarm_rings(seen, ran, planned, limit) {
            prop_assert!(alarm_rings(seen + 1, ran, planned, limit));
            prop_assert!(seen > limit || ran < planned, "at the end only the limit counts");
        }
    }
}

#[test]
fn a_probe_that_fails_here_and_not_on_the_base_is_never_told_to_have_passed() {
    for of in 5..=10 {
        for head in 0..=of {
            // Two of ten are no accident; one is.
            let few = 20 * head < 3 * of;
            let word = read_probe((head, of), (0, of));
            assert_eq!(word == Disturbance::Transient, few, "{head} of {of}");
        }
    }
}
