use super::*;

/// The small world says the same as the large one, only less exactly.
#[test]
fn the_filter_ranks_better_than_every_detector_in_a_small_world() {
    let table = scoring_table(&World::base().scaled(2_000, 300), 1..=2);
    let area = |name: &str| {
        let row = table.rows.iter().find(|row| row.detector == name).expect("a row");
        row.gated.auc
    };
    let filter = area("filter, E[p]");
    // In so short a past many flaky tests have not failed yet: no score can find them.
    assert!(filter > 0.8, "{table}");
    for detector in detect::DETECTORS {
        assert!(filter > area(detector.name), "{table}");
    }
}

#[test]
fn the_rule_is_wrong_less_often_than_every_product_in_a_small_world() {
    let world = World::branch().remove(0).scaled(4_000, 200);
    let table = policy_table(&world, 1..=2, 150);
    let row = |name: &str| table.rows.iter().find(|row| row.policy == name).expect("a row");
    let rule = row("rule");
    assert!(rule.wrong < 0.05, "{table}");
    for product in ["no retry", "fixed 2", "ATR 5, cap 1,000", "label list", "closed form"] {
        assert!(rule.wrong < row(product).wrong, "{table}");
    }
    assert!(rule.seconds < row("fixed 2").seconds, "{table}");
}

#[test]
fn a_seed_gives_the_same_table() {
    let table = || scoring_table(&World::base().scaled(900, 60), 1..=1).to_string();
    assert_eq!(table(), table());
}
