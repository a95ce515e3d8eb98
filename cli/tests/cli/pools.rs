//! Pools of rasher.toml: workers that differ in speed, start-up, price and in what they can run.

use serde_json::{Value, json};

use crate::project::Project;

const TWO: &str = "[account]\ncurrency = \"EUR\"\n\
    [[pool]]\nname = \"quick\"\nspeed = 2.0\nstartup = \"2s\"\nprice = \"0.36\"\nworkers-max = 3\ntags = [\"gpu\"]\n\
    [[pool]]\nname = \"plain\"\nprice = \"0.06\"\n";

/// Sixteen tests of four seconds in classes of their own, and two pools.
fn project(more: &str) -> Project {
    let project = Project::new();
    for class in 0..16 {
        project.report("reports", &format!("x.T{class:02}"), &[("a", 4.0, "")]);
    }
    project.rasher(&["record", "reports"]).code(0);
    project.write("rasher.toml", format!("{TWO}{more}"));
    project
}

fn tests_of(plan: &Value, pool: &str) -> usize {
    let shards = plan["shards"].as_array().expect("shards");
    let own = shards.iter().filter(|shard| shard["pool"] == pool);
    own.map(|shard| shard["tests"].as_array().expect("tests").len()).sum()
}

#[test]
fn a_plan_gives_each_pool_what_it_can_do_in_the_same_time() {
    let project = project("");
    let args = ["plan", "--pool", "quick=2", "--pool", "plain=2", "--json"];
    let plan = project.rasher(&args).code(0).json();
    // Two seconds of start-up, then a test every two seconds; the others take four for each.
    assert_eq!((tests_of(&plan, "quick"), tests_of(&plan, "plain")), (10, 6));
    assert_eq!((&plan["makespan_ms"], &plan["lower_bound_ms"]), (&json!(12_000), &json!(12_000)));
    assert_eq!(plan["budget"]["predicted_finish_ms"], 12_000);
    assert_eq!(plan["budget"]["why"], "2 of quick, 2 of plain were asked for");
    // A minute is billed at least: 2 x 0.006 and 2 x 0.001.
    assert_eq!(
        (&plan["budget"]["cost"], &plan["budget"]["currency"]),
        (&json!(0.014), &json!("EUR"))
    );
}

#[test]
fn tagged_tests_run_only_where_the_tag_is() {
    let project = project("[constraints.tags]\ngpu = [\"x.T00\", \"x.T01\", \"x.T02\"]\n");
    let args = ["plan", "--pool", "quick=1", "--pool", "plain=4", "--json"];
    let plan = project.rasher(&args).code(0).json();
    let shards = plan["shards"].as_array().expect("shards");
    for shard in shards.iter().filter(|shard| shard["pool"] == "plain") {
        for test in ["x.T00#a", "x.T01#a", "x.T02#a"] {
            assert!(!shard["tests"].as_array().expect("tests").contains(&json!(test)));
        }
    }
    let called = project.rasher(&["plan", "--pool", "plain=4"]).code(2);
    called.says("needs the tags [\"gpu\"], and no pool with workers carries them all");
    project.rasher(&["plan", "--shards", "4"]).code(0).says("tags mean nothing on equal workers");
}

#[test]
fn a_budget_plans_on_the_pools_it_chooses() {
    let rule = "[[rule]]\nname = \"quickly\"\ndeadline = \"12s\"\n";
    let project = project(rule);
    let plan = project.rasher(&["plan", "--policy", "--json"]).code(0).json();
    let budget = &plan["budget"];
    assert_eq!(budget["feasible"], true);
    // The bill of a plain worker is a sixth of a quick one's, and it does three tests in time
    // where the quick one does five.
    assert_eq!(budget["workers"], 6);
    assert_eq!(tests_of(&plan, "plain"), 16);
    assert_eq!(plan["makespan_ms"], budget["predicted_finish_ms"]);
    let args = ["plan", "--deadline", "3s", "--json"];
    let plan = project.rasher(&args).code(3).json();
    assert_eq!(plan["budget"]["feasible"], false);
}

#[test]
fn a_budget_knows_tags_and_slots() {
    let tags = "[constraints.tags]\ngpu = [\"x.T00\"]\n";
    let tagged = project(tags);
    let plan = tagged.rasher(&["plan", "--deadline", "12s", "--json"]).code(0).json();
    assert!(tests_of(&plan, "quick") > 0, "{plan}");
    let workers = |slots: &str| {
        let args = ["plan", "--deadline", "16s", "--slots", slots, "--json"];
        let plan = project("").rasher(&args).code(0).json();
        assert_eq!(plan["budget"]["feasible"], true);
        plan["budget"]["workers"].as_u64().expect("a number")
    };
    assert_eq!((workers("1"), workers("4")), (4, 1));
}

#[test]
fn what_no_pool_can_give_is_refused() {
    let project = project("");
    project
        .rasher(&["plan", "--pool", "slow=1"])
        .code(2)
        .says("pools of rasher.toml: quick, plain");
    project.rasher(&["plan", "--pool", "quick=4"]).code(2).says("has at most 3 workers");
    let twice = ["plan", "--pool", "quick=1", "--pool", "quick=1"];
    project.rasher(&twice).code(2).says("asked for twice");
    project.rasher(&["plan", "--pool", "quick"]).code(2).says("`spot=20`");
    project.rasher(&["plan", "--pool", "quick=1", "--shards", "2"]).code(2);
    let bare = Project::new().with_reports();
    bare.rasher(&["record", "reports"]).code(0);
    bare.rasher(&["plan", "--pool", "workers=2"]).code(2).says("rasher.toml has no [[pool]]");
}
