//! Constraints, order and an earlier plan, from files to shards.

use crate::project::Project;

fn shard_of(plan: &serde_json::Value, test: &str) -> usize {
    let shards = plan["shards"].as_array().expect("shards");
    let holds = |shard: &serde_json::Value| {
        shard["tests"].as_array().is_some_and(|tests| tests.iter().any(|own| own == test))
    };
    shards.iter().position(holds).expect("a planned test")
}

#[test]
fn constraints_of_the_configuration_and_of_other_tools_hold() {
    let project = Project::new().with_reports();
    project.rasher(&["record", "reports"]).code(0);
    project.write("rasher.toml", "[constraints]\ntogether = [[\"x.ATest#a\", \"x.BTest#d\"]]\n");
    project.write("facts.tsv", "x.CTest#f\tResourceLock\tdb\nx.ATest#c\tResourceLock\tdb\n");
    let args = ["plan", "--shards", "3", "--facts", "facts.tsv", "--json"];
    let plan = project.rasher(&args).code(0).json();
    assert_eq!(shard_of(&plan, "x.ATest#a"), shard_of(&plan, "x.BTest#d"));
    assert_eq!(shard_of(&plan, "x.CTest#f"), shard_of(&plan, "x.ATest#c"));
}

#[test]
fn a_contradiction_is_refused_with_the_cycle() {
    let project = Project::new().with_reports();
    project.rasher(&["record", "reports"]).code(0);
    let text = "[constraints]\nbefore = [[\"x.ATest#a\", \"x.BTest#d\"], [\"x.BTest#d\", \"x.ATest#a\"]]\n";
    project.write("rasher.toml", text);
    let called = project.rasher(&["plan", "--shards", "2"]).code(2);
    assert!(
        called.stderr.contains("x.ATest#a → x.BTest#d → x.ATest#a")
            || called.stderr.contains("x.BTest#d → x.ATest#a → x.BTest#d"),
        "{}",
        called.stderr
    );
}

#[test]
fn an_unknown_kind_of_constraint_is_refused_where_it_stands() {
    let project = Project::new().with_reports();
    project.rasher(&["record", "reports"]).code(0);
    project.write("rasher.toml", "[constraints]\ntogehter = []\n");
    let called = project.rasher(&["plan", "--shards", "2"]).code(2);
    assert!(called.stderr.contains("togehter"), "{}", called.stderr);
}

#[test]
fn an_earlier_plan_is_kept_where_nothing_changed() {
    let project = Project::new().with_reports();
    project.rasher(&["record", "reports"]).code(0);
    project.rasher(&["plan", "--shards", "3", "--out", "old.json"]).code(0);
    let args = ["plan", "--shards", "3", "--previous", "old.json", "--fixed", "60%", "--json"];
    let plan = project.rasher(&args).code(0).json();
    assert_eq!(plan["moved"], 0);
    assert!(plan["shards"][0]["fixed_tests"].is_u64());
}
