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

/// Thirty green runs, and a plan of one shard on which `victim` runs after the others.
fn with_a_victim() -> Project {
    let project = Project::new();
    for run in 1..31 {
        suite(&project, "green", "");
        let at = format!("2026-01-{run:02}T00:00:00Z");
        project.rasher(&["record", "green", "--run", &run.to_string(), "--at", &at]).code(0);
    }
    project.rasher(&["plan", "--shards", "1", "--out", "plan.json"]).code(0);
    project
}

fn suite(project: &Project, folder: &str, victim: &str) {
    // No two rounds take the very same time.
    let time = 3.0 + folder.len() as f64 / 100.0;
    project.report(folder, "x.Loud", &[("polluter", time, "")]);
    project.report(folder, "x.Quiet", &[("victim", time - 2.0, victim), ("calm", 1.0, "")]);
}

#[test]
fn what_fails_only_after_others_is_told_as_their_order_and_not_as_flaky() {
    let project = with_a_victim();
    suite(&project, "one", BOOM);
    let first = ["--plan", "plan.json", "--results", "one", "--json"];
    let again = [&["retry", "--out", "alone.json"], &first[..]].concat();
    let alone = project.rasher(&again).code(0).json();
    assert_eq!(
        (&alone["mode"], shards(&alone)),
        (&json!("reshard"), vec![vec!["x.Quiet#victim".to_owned()]])
    );
    // It passes alone: who stops here calls it flaky.
    project.report("two", "x.Quiet", &[("victim", 1.0, "")]);
    let second = [&first[..], &["--plan", "alone.json", "--results", "2=two"]].concat();
    let verdict = project.rasher(&[&["verdict"], &second[..]].concat()).code(0).json();
    assert_eq!((&verdict["run"], &verdict["blocks"]), (&json!("flaky"), &json!(false)));
    // A replay of its shard is not refused as settled, and holds what ran before it.
    let again = [&["retry", "--mode", "replay", "--out", "replay.json"], &second[..]].concat();
    let replay = project.rasher(&again).code(0).json();
    assert_eq!(replay["mode"], "replay");
    let plan: Value = serde_json::from_str(&project.read("plan.json")).expect("a plan");
    assert_eq!(shards(&replay), shards(&plan));
    suite(&project, "three", BOOM);
    let third = [&second[..], &["--plan", "replay.json", "--results", "3=three"]].concat();
    let verdict = project.rasher(&[&["verdict"], &third[..]].concat()).code(1).json();
    assert_eq!((&verdict["run"], &verdict["blocks"]), (&json!("failed"), &json!(true)));
    let told = &verdict["tests"][0];
    assert_eq!((&told["test"], &told["verdict"]), (&json!("x.Quiet#victim"), &json!("order")));
    let reason = told["reason"].as_str().expect("a reason");
    assert!(reason.starts_with("failed 2 of 2 after the tests before it, passed without them"));
    assert!(told["after"].as_array().expect("who ran before").contains(&json!("x.Loud")), "{told}");
    let order = told["posterior"]["order"].as_f64().expect("a share");
    // Without its plan nobody knows that the third round was a replay.
    let bare = [&["verdict"], &second[..], &["--results", "3=three"]].concat();
    let bare = project.rasher(&bare).json();
    assert_ne!(bare["tests"][0]["verdict"], "order");
    assert!(bare["tests"][0]["posterior"]["order"].as_f64().expect("a share") < order);
}

#[test]
fn what_passes_in_its_order_too_stays_a_flake() {
    let project = with_a_victim();
    suite(&project, "one", BOOM);
    project.report("two", "x.Quiet", &[("victim", 1.0, "")]);
    let first = ["--plan", "plan.json", "--results", "one", "--json"];
    project.rasher(&[&["retry", "--out", "alone.json"], &first[..]].concat()).code(0);
    let second = [&first[..], &["--plan", "alone.json", "--results", "2=two"]].concat();
    let replay = [&["retry", "--mode", "replay", "--out", "replay.json"], &second[..]].concat();
    project.rasher(&replay).code(0);
    suite(&project, "three", "");
    let third = [&second[..], &["--plan", "replay.json", "--results", "3=three"]].concat();
    let verdict = project.rasher(&[&["verdict"], &third[..]].concat()).code(0).json();
    assert_eq!(
        (&verdict["run"], &verdict["tests"][0]["verdict"]),
        (&json!("flaky"), &json!("suspect"))
    );
    // And nothing is left to replay.
    let more = [&["retry", "--mode", "replay"], &third[..]].concat();
    assert_eq!(shards(&project.rasher(&more).code(0).json()).concat().len(), 0);
}

#[test]
fn a_deleted_test_is_asked_for_with_the_command_that_says_so() {
    let project = Project::new().with_reports();
    project.rasher(&["record", "reports", "--run", "1"]).code(0);
    project.rasher(&["plan", "--shards", "1", "--out", "plan.json"]).code(0);
    // `c` was deleted.
    let run = |folder: &str| {
        project
            .report(folder, "x.ATest", &[("a", 1.1, ""), ("b", 2.1, "")])
            .report(folder, "x.BTest", &[("d", 2.1, ""), ("e", 2.0, "")])
            .report(folder, "x.CTest", &[("f", 1.0, ""), ("g", 0.6, ""), ("h", 0.0, "<skipped/>")]);
    };
    run("one");
    let given = ["--plan", "plan.json", "--results", "one", "--json"];
    let verify = |more: &[&str]| project.rasher(&[&["verify"], &given[..], more].concat());
    let asked = verify(&[]).code(4);
    assert_eq!(asked.json()["vanished"], json!(["x.ATest#c"]));
    let asked = asked.says("rasher verify --plan 'plan.json' --results '1=one' --gone 'x.ATest#c'");
    assert!(asked.stderr.contains("not left out by a filter"));
    let gone = ["--gone", "x.ATest#c"];
    assert_eq!(verify(&gone).code(0).json()["gone"], json!(["x.ATest#c"]));
    // Verdict and retry take the same word, and nothing without it.
    let judged = |verb: &str, more: &[&str]| project.rasher(&[&[verb], &given[..], more].concat());
    assert_eq!(judged("verdict", &[]).code(4).json()["run"], "incomplete");
    assert_eq!(judged("verdict", &gone).code(0).json()["run"], "passed");
    assert_eq!(shards(&judged("retry", &[]).code(0).json()).concat(), ["x.ATest#c"]);
    assert_eq!(shards(&judged("retry", &gone).code(0).json()).concat().len(), 0);
    // Of what was reported nobody is believed, nor of a run that lost something.
    verify(&["--gone", "x.ATest#c", "--gone", "x.ATest#a"]).code(0).says("does not count as gone");
    project.write("one/TEST-x.DTest.xml", "<testsuite name=\"x.DTest\"><testcase classn");
    let torn = verify(&gone).code(4).says("a report could not be read whole");
    assert_eq!(torn.json()["missing"], json!(["x.ATest#c"]));
    std::fs::remove_file(project.path().join("one/TEST-x.DTest.xml")).expect("a disk that works");
    let dead = "<error message=\"The forked VM terminated without saying properly goodbye\"/>";
    project.report("one", "x.BTest", &[("d", 2.1, ""), ("e", 2.0, dead)]);
    let crashed = verify(&gone).code(4).says("does not count as gone").json();
    assert_eq!(crashed["missing"], json!(["x.ATest#c"]));
}
