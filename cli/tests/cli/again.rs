//! What runs again is planned under what the first plan was planned under.

use serde_json::{Value, json};

use crate::project::Project;

const BOOM: &str = "<failure message=\"boom\" type=\"E\">at x</failure>";

const RULES: &str = "[constraints]\n\
    before = [[\"x.CTest#f\", \"x.BTest#e\", \"x.ATest#b\"]]\n\
    apart = [[\"x.ATest#b\", \"x.ATest#c\"]]\n\
    resources = { db = [\"x.ATest#c\", \"x.BTest#d\"] }\n";

/// For each shard its tests in order.
fn shards(plan: &Value) -> Vec<Vec<String>> {
    let text = |test: &Value| test.as_str().expect("a name").to_owned();
    let tests =
        |shard: &Value| shard["tests"].as_array().expect("tests").iter().map(text).collect();
    plan["shards"].as_array().expect("shards").iter().map(tests).collect()
}

/// A plan of eight tests under the rules, and a run in which `b`, `c` and `d` failed.
fn failed() -> Project {
    let project = Project::new().with_reports();
    project.write("rasher.toml", RULES);
    project.rasher(&["record", "reports", "--run", "1"]).code(0);
    project.rasher(&["plan", "--shards", "2", "--out", "plan.json"]).code(0);
    project
        .report("one", "x.ATest", &[("a", 1.0, ""), ("b", 2.0, BOOM), ("c", 3.0, BOOM)])
        .report("one", "x.BTest", &[("d", 2.0, BOOM), ("e", 2.0, "")])
        .report("one", "x.CTest", &[("f", 1.0, ""), ("g", 0.5, ""), ("h", 0.0, "<skipped/>")]);
    project
}

const RETRY: [&str; 6] = ["retry", "--plan", "plan.json", "--results", "one", "--json"];

#[test]
fn a_retry_keeps_order_resources_and_distance_of_rasher_toml() {
    let project = failed();
    let plan = project.rasher(&RETRY).code(0).json();
    let mut found = shards(&plan);
    found.sort();
    // What the plain plan would not do: `f` and `e` passed, and the longest test comes first.
    assert_eq!(found[1], ["x.CTest#f", "x.BTest#e", "x.ATest#b"]);
    assert_eq!(found[0].len(), 2, "{found:?}");
    assert!(
        found[0].contains(&"x.ATest#c".to_owned()) && found[0].contains(&"x.BTest#d".to_owned())
    );
    // On one worker `b` and `c` would meet.
    let one = [&RETRY[..], &["--shards", "1"]].concat();
    project.rasher(&one).code(2).says("must be kept apart");
    // The plan knows its rules, wherever it is retried.
    project.write("rasher.toml", "");
    assert_eq!(project.rasher(&RETRY).code(0).json(), plan);
}

#[test]
fn rules_that_were_written_after_the_plan_hold_for_its_retry_too() {
    let project = failed();
    project.write("rasher.toml", "");
    project.rasher(&["plan", "--shards", "2", "--out", "plan.json"]).code(0);
    let plain: Value = serde_json::from_str(&project.read("plan.json")).expect("a plan");
    assert_eq!(plain["terms"], Value::Null);
    project.write("needs.tsv", "x.ATest#b\tx.CTest#g\n");
    let args = [&RETRY[..], &["--needs", "needs.tsv", "--shards", "3"]].concat();
    let found = shards(&project.rasher(&args).code(0).json());
    let pair = vec!["x.CTest#g".to_owned(), "x.ATest#b".to_owned()];
    assert!(found.contains(&pair), "{found:?}");
    project.write("rasher.toml", RULES);
    let found = shards(&project.rasher(&RETRY).code(0).json());
    assert!(found.iter().any(|shard| shard == &["x.CTest#f", "x.BTest#e", "x.ATest#b"]));
}

#[test]
fn a_retry_takes_its_workers_from_the_pools_of_the_plan() {
    let project = Project::new().with_reports();
    project.write(
        "rasher.toml",
        "[[pool]]\nname = \"plain\"\n[[pool]]\nname = \"gpu\"\ntags = [\"gpu\"]\nstartup = \"3s\"\n\
         [constraints.tags]\ngpu = [\"x.BTest\"]\n",
    );
    project.rasher(&["record", "reports"]).code(0);
    let plan = ["plan", "--pool", "plain=2", "--pool", "gpu=1", "--out", "plan.json"];
    project.rasher(&plan).code(0);
    project
        .report("one", "x.ATest", &[("a", 1.0, BOOM), ("b", 2.0, ""), ("c", 3.0, "")])
        .report("one", "x.BTest", &[("d", 2.0, BOOM), ("e", 2.0, "")])
        .report("one", "x.CTest", &[("f", 1.0, ""), ("g", 0.5, ""), ("h", 0.0, "<skipped/>")]);
    let again = project.rasher(&[&RETRY[..], &["--shards", "2"]].concat()).code(0).json();
    let pool_of = |shard: &Value| (shard["pool"].clone(), shard["tests"].clone());
    let found: Vec<_> = again["shards"].as_array().expect("shards").iter().map(pool_of).collect();
    assert_eq!(found[0], (json!("plain"), json!(["x.ATest#a"])));
    assert_eq!(found[1], (json!("gpu"), json!(["x.BTest#d"])));
    assert_eq!(again["shards"][1]["predicted_ms"], 5_000, "with the start-up of its pool");
}
