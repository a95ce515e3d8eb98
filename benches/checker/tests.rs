//! The checker passes an honest plan and catches every mutation of it.

use serde_json::json;

use super::*;

fn facts() -> Facts {
    Facts::from_json(
        &serde_json::to_vec(&json!({
            "durations": {"A#a": 3, "A#b": 1, "B#c": 2, "B#d": 1.5, "e": 0.5},
            "groups": {"A#a": "A", "A#b": "A", "B#c": "B", "B#d": "B"},
            "setups": {"A": 0.25, "B": 1},
            "eligible": {"e": ["fast", "slow"]},
            "together": [["B#c", "B#d"]],
            "apart": [["A#a", "B#c"]],
            "before": [["A#a", "A#b"]],
        }))
        .expect("json"),
    )
    .expect("facts")
}

fn plan() -> Value {
    json!({
        "schema": "rasher.plan/1", "tests": 5, "makespan_ms": 5000, "lower_bound_ms": 4625.0,
        "gap": 0.081_081_081_081_081_09, "bound_by": {"kind": "work", "name": "9.25 s"},
        "shards": [
            {"index": 1, "pool": "slow", "predicted_ms": 4250, "setup_ms": 250,
             "tests": ["A#a", "A#b"], "groups": [{"group": "A", "tests": 2, "whole": true}]},
            {"index": 2, "pool": "fast", "predicted_ms": 5000, "setup_ms": 1000,
             "tests": ["B#c", "B#d", "e"],
             "groups": [{"group": "B", "tests": 2, "whole": true}, {"group": "e", "tests": 1, "whole": true}]},
        ],
    })
}

#[test]
fn an_honest_plan_passes() {
    assert_eq!(check(&plan(), &facts()), []);
}

/// Changes the plan, and demands that the rule is found broken.
fn caught(rule: Rule, change: impl Fn(&mut Value)) {
    let mut mutant = plan();
    change(&mut mutant);
    let faults = check(&mutant, &facts());
    assert!(faults.iter().any(|fault| fault.rule == rule), "{rule:?} not found in {faults:?}");
}

#[test]
fn a_dropped_test_is_caught() {
    caught(Rule::Partition, |plan| {
        plan["shards"][1]["tests"].as_array_mut().expect("list").pop();
    });
}

#[test]
fn a_test_on_two_shards_is_caught() {
    caught(Rule::Partition, |plan| {
        plan["shards"][0]["tests"].as_array_mut().expect("list").push(json!("e"));
    });
}

#[test]
fn a_test_twice_on_one_shard_is_caught() {
    caught(Rule::Partition, |plan| {
        plan["shards"][1]["tests"].as_array_mut().expect("list").push(json!("e"));
    });
}

#[test]
fn an_invented_test_is_caught() {
    caught(Rule::Partition, |plan| {
        plan["shards"][1]["tests"][2] = json!("f");
    });
}

#[test]
fn a_moved_test_is_caught_by_the_loads() {
    caught(Rule::Load, |plan| {
        let moved = plan["shards"][1]["tests"].as_array_mut().expect("list").pop();
        plan["shards"][0]["tests"].as_array_mut().expect("list").extend(moved);
    });
}

#[test]
fn a_wrong_load_or_set_up_is_caught_to_the_microsecond() {
    caught(Rule::Load, |plan| plan["shards"][0]["predicted_ms"] = json!(4250.001));
    caught(Rule::Load, |plan| plan["shards"][1]["setup_ms"] = json!(999.999));
}

#[test]
fn a_wrong_makespan_gap_or_count_is_caught() {
    caught(Rule::Makespan, |plan| plan["makespan_ms"] = json!(4999));
    caught(Rule::Makespan, |plan| plan["gap"] = json!(0.0));
    caught(Rule::Partition, |plan| plan["tests"] = json!(6));
}

#[test]
fn a_bound_that_cannot_be_or_names_nothing_is_caught() {
    caught(Rule::Bound, |plan| plan["lower_bound_ms"] = json!(5001));
    caught(Rule::Bound, |plan| plan["lower_bound_ms"] = json!(1000));
    caught(Rule::Bound, |plan| plan["bound_by"] = json!({"kind": "test", "name": "gone"}));
    caught(Rule::Bound, |plan| plan["bound_by"] = json!({"kind": "class", "name": "gone"}));
    caught(Rule::Bound, |plan| plan["bound_by"] = Value::Null);
    let reachable = Facts { reachable: Some(4_624_999), ..facts() };
    assert!(check(&plan(), &reachable).iter().any(|fault| fault.rule == Rule::Bound));
}

#[test]
fn wrong_spans_are_caught() {
    caught(Rule::Groups, |plan| plan["shards"][0]["groups"][0]["whole"] = json!(false));
    caught(Rule::Groups, |plan| plan["shards"][0]["groups"][0]["group"] = json!("B"));
    caught(Rule::Groups, |plan| plan["shards"][1]["groups"][0]["tests"] = json!(1));
    caught(Rule::Groups, |plan| plan["shards"][1]["groups"][1]["tests"] = json!(2));
}

#[test]
fn spans_are_held_against_each_other_where_the_facts_name_no_groups() {
    let plain = Facts { group_of: BTreeMap::new(), setups: BTreeMap::new(), ..facts() };
    let mut split = plan();
    split["shards"][0]["groups"] = json!([
        {"group": "A", "tests": 1, "whole": false}, {"group": "B", "tests": 1, "whole": false}]);
    split["shards"][1]["groups"][0]["whole"] = json!(false);
    split["shards"][1]["groups"][1]["group"] = json!("A");
    let groups = |plan: &Value| {
        check(plan, &plain).iter().filter(|fault| fault.rule == Rule::Groups).count()
    };
    assert_eq!(groups(&split), 1, "the last span is not whole and says that it is");
    split["shards"][1]["groups"][1]["whole"] = json!(false);
    assert_eq!(groups(&split), 0);
}

#[test]
fn broken_constraints_are_caught() {
    let swapped = |plan: &mut Value, one: (usize, usize), two: (usize, usize)| {
        let (a, b) = (
            plan["shards"][one.0]["tests"][one.1].clone(),
            plan["shards"][two.0]["tests"][two.1].clone(),
        );
        plan["shards"][one.0]["tests"][one.1] = b;
        plan["shards"][two.0]["tests"][two.1] = a;
    };
    caught(Rule::Constraint, |plan| swapped(plan, (0, 0), (0, 1)));
    caught(Rule::Constraint, |plan| swapped(plan, (0, 1), (1, 0)));
    caught(Rule::Constraint, |plan| plan["shards"][1]["pool"] = json!("other"));
    let together = |plan: &mut Value| swapped(plan, (0, 1), (1, 1));
    caught(Rule::Constraint, together);
}

#[test]
fn what_is_no_plan_is_said_to_be_none() {
    for change in [
        json!({}),
        json!({"schema": "rasher.plan/2", "shards": []}),
        json!({"schema": "rasher.plan/1", "shards": [{"index": 2, "tests": [], "predicted_ms": 0, "setup_ms": 0}]}),
        json!({"schema": "rasher.plan/1", "shards": [{"index": 1, "tests": [1], "predicted_ms": 0, "setup_ms": 0}]}),
        json!({"schema": "rasher.plan/1", "shards": [{"index": 1, "tests": [], "predicted_ms": -1, "setup_ms": 0}]}),
    ] {
        let faults = check(&change, &facts());
        assert!(faults.iter().any(|fault| fault.rule == Rule::Shape), "{change}: {faults:?}");
    }
}

#[test]
fn facts_that_are_none_are_refused_with_the_reason() {
    for (text, part) in [
        ("[1]", "not a map"),
        (r#"{"a": -1}"#, "`a`: -1"),
        (r#"{"a": "x"}"#, "no duration"),
        (r#"{"durations": {"a": 1}, "apart": 3}"#, "`apart`"),
        ("{", "EOF"),
    ] {
        let error = Facts::from_json(text.as_bytes()).expect_err("refused");
        assert!(error.contains(part), "{error}");
    }
}

/// Two workers with two slots, one test that runs alone, a pool that starts late and is quick.
fn laned() -> (Value, Facts) {
    let facts = Facts::from_json(
        &serde_json::to_vec(&json!({
            "durations": {"a": 1, "b": 2, "c": 3, "d": 6, "e": 4},
            "slots": 2, "serial": ["a"], "speeds": {"quick": 2.0}, "startups": {"quick": 1},
            "exclusive": [["b", "c"]], "before": [["b", "c"]],
        }))
        .expect("json"),
    )
    .expect("facts");
    let plan = json!({
        "schema": "rasher.plan/1", "tests": 5, "makespan_ms": 6000, "lower_bound_ms": 4000,
        "gap": 0.5, "bound_by": {"kind": "work", "name": "17 s"},
        "shards": [
            {"index": 1, "pool": "plain", "predicted_ms": 6000, "setup_ms": 0,
             "tests": ["a", "b", "c", "e"], "lanes": [1, 2, 1]},
            {"index": 2, "pool": "quick", "predicted_ms": 4000, "setup_ms": 0,
             "tests": ["d"], "lanes": [0, 1, 0]},
        ],
    });
    (plan, facts)
}

#[test]
fn lanes_run_side_by_side_after_what_runs_alone() {
    let (plan, facts) = laned();
    assert_eq!(check(&plan, &facts), []);
}

#[test]
fn every_lie_about_lanes_and_pools_is_caught() {
    let found = |rule: Rule, change: &dyn Fn(&mut Value, &mut Facts)| {
        let (mut plan, mut facts) = laned();
        change(&mut plan, &mut facts);
        let faults = check(&plan, &facts);
        assert!(faults.iter().any(|fault| fault.rule == rule), "{rule:?} not in {faults:?}");
    };
    found(Rule::Lanes, &|plan, _| plan["shards"][0]["lanes"] = json!([2, 1, 1]));
    found(Rule::Lanes, &|plan, _| plan["shards"][0]["lanes"] = json!([1, 2]));
    found(Rule::Lanes, &|plan, _| plan["shards"][0]["lanes"] = json!([1, 2, 2]));
    found(Rule::Lanes, &|plan, _| {
        plan["shards"][0].as_object_mut().expect("a shard").remove("lanes");
    });
    found(Rule::Load, &|plan, _| plan["shards"][0]["lanes"] = json!([1, 1, 2]));
    found(Rule::Constraint, &|plan, _| plan["shards"][0]["lanes"] = json!([1, 1, 2]));
    found(Rule::Load, &|_, facts| facts.startups.clear());
    found(Rule::Load, &|_, facts| facts.speeds.clear());
    found(Rule::Bound, &|plan, _| plan["lower_bound_ms"] = json!(2000));
}
