//! The made monolith has the figures of the talk, and its reports say what its recording says.

use super::*;
use rasher::attempt::Outcome;

#[test]
fn the_monolith_has_the_figures_of_the_talk() {
    let made = Monolith::full();
    assert_eq!(made.tests(), 45_000);
    assert!((3_600..=3_900).contains(&made.classes.len()), "{} classes", made.classes.len());
    let work = made.work().as_secs_f64();
    assert!((479_000.0..=481_000.0).contains(&work), "{work} s");
    let longest = made.cases().map(|(_, case)| case.duration).max();
    assert_eq!(longest, Some(LONGEST));
    let setups: Micros = made.classes.iter().map(|class| class.setup).sum();
    let share = setups.as_secs_f64() / work;
    assert!((0.03..=0.10).contains(&share), "set-ups are {share} of the work");
}

#[test]
fn ids_are_unique() {
    let made = Monolith::full();
    let mut seen = HashSet::new();
    assert!(made.run(0).ids().all(|id| seen.insert(id)));
    assert_eq!(seen.len(), 45_000);
}

#[test]
fn any_size_can_be_made() {
    for tests in [0, 1, 2, 100, 5_000, 200_000] {
        let made = Monolith::new(tests, 1);
        assert_eq!(made.tests(), tests);
        assert_eq!(made.run(1).results.len(), tests);
    }
}

#[test]
fn runs_differ_a_little_and_repeat_exactly() {
    let made = Monolith::new(5_000, 3);
    let (one, two) = (made.run(1), made.run(2));
    assert_ne!(one.results, two.results);
    assert_eq!(one.results, made.run(1).results);
    let total = |run: &MadeRun<'_>| {
        run.results.iter().map(|result| result.duration).sum::<Micros>().as_secs_f64()
    };
    let ratio = total(&one) / total(&two);
    assert!((0.7..=1.4).contains(&ratio), "{ratio}");
    assert!(two.at > one.at);
}

#[test]
fn some_tests_are_flaky_and_some_are_skipped() {
    let made = Monolith::full();
    let flaky = made.cases().filter(|(_, case)| case.flake_rate > 0.0).count();
    assert!((150..=320).contains(&flaky), "{flaky}");
    let run = made.run(1);
    let count = |outcome| run.results.iter().filter(|result| result.outcome == outcome).count();
    assert!((1..=60).contains(&count(Outcome::Failed)), "{}", count(Outcome::Failed));
    assert!((40..=160).contains(&count(Outcome::Skipped)), "{}", count(Outcome::Skipped));
}

#[test]
fn the_report_is_of_the_size_of_a_real_one() {
    let bytes = Monolith::full().run(0).junit().len();
    assert!((4_000_000..=7_500_000).contains(&bytes), "{bytes} bytes");
}
