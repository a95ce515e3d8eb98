//! `rasher explain`: what is known of a test, what binds it, and why it sits where it sits.

use crate::project::Project;

const CONSTRAINTS: &str = "[constraints]\ntogether = [[\"x.ATest#a\", \"x.BTest#d\"]]\n\
    apart = [[\"x.CTest\", \"x.BTest\"]]\n[constraints.resources]\ndb = [\"x.ATest#a\", \"x.ATest#b\"]\n";

/// Seven tests on some shards in `p.json`; two shards take six seconds each, with whole classes.
fn planned(constraints: &str, shards: &str) -> Project {
    let project = Project::new().with_reports();
    project.report("reports", "x.CTest", &[("f", 1.0, ""), ("g", 1.0, "")]);
    project.rasher(&["record", "reports"]).code(0);
    project.write("rasher.toml", constraints);
    project.rasher(&["plan", "--shards", shards, "--out", "p.json"]).code(0);
    project
}

#[test]
fn a_test_is_explained_with_its_place() {
    let project = planned("", "2");
    let args = ["explain", "x.ATest#c", "--plan", "p.json", "--json"];
    let explained = project.rasher(&args).code(0).json();
    let test = &explained["tests"][0];
    assert_eq!((&test["estimate_ms"], &test["source"]), (&3000.into(), &"own".into()));
    let place = &test["place"];
    assert_eq!((&place["group"], &place["group_whole"]), (&"x.ATest".into(), &true.into()));
    assert_eq!((&place["of"], &place["group_tests_here"]), (&2.into(), &3.into()));
    // Its class takes six seconds, and so does the other shard: together they would be the whole run.
    assert_eq!(place["elsewhere"]["shard_ms"], 12_000);
    assert_eq!(explained["plan"]["reasons"]["work_ms"], 12_000);
    assert_eq!(explained["plan"]["workers"], 2);
    assert_eq!(test["flake"], serde_json::Value::Null, "it never failed");
}

#[test]
fn people_read_why_a_test_sits_where_it_sits() {
    let project = planned("", "2");
    let called = project.rasher(&["explain", "x.ATest#c", "--plan", "p.json"]).code(0);
    let text: Vec<&str> = called.stdout.lines().filter(|line| !line.starts_with("plan ")).collect();
    let wanted = [
        "x.ATest#c",
        "  expected  3.00s, seldom above 3.00s; from its own history",
        "  history   1 passed, 0 failed, 0 skipped, last passed at 2026-01-02T03:04:05Z",
        "  recent    3.00s (newest first)",
        "  class     x.ATest, no set-up known",
        "  shard     1/2, position 1 of 3; the shard takes 6.00s, the longest",
        "            its class stays together (3 tests), so that its set-up is paid once",
        "            on shard 2, the shortest other one, that one would take 12s and the run 12s",
        "  run       takes 6.00s; none can be shorter than 6.00s (gap 0.0000 %)",
        "  bound by  12s of work on 2 workers",
        "  work      12s; no class split, 0s of set-up paid again for that",
        "  workers   it has 2 workers; more than 5 cannot help",
    ];
    assert_eq!(text, wanted, "{}", called.stdout);
}

#[test]
fn a_test_is_expected_to_take_what_its_plan_counts_for_it() {
    let project = Project::new();
    // Every sixth time a test takes twelve times as long: another estimator than the first suits.
    for run in 0..12 {
        for test in 0..24 {
            let seconds = f64::from(5 + test) * if (test + run) % 6 == 0 { 12.0 } else { 1.0 };
            let class = format!("x.T{test}Test");
            project.report(&format!("r{run}"), &class, &[("a", seconds, "")]);
        }
        let at = format!("2026-01-{:02}T00:00:00Z", run + 1);
        project.rasher(&["record", &format!("r{run}"), "--run", &at, "--at", &at]).code(0);
    }
    let args = ["plan", "--shards", "3", "--out", "p.json", "--explain-budget", "--json"];
    let planned = project.rasher(&args).code(0);
    assert!(!planned.stderr.contains("durations by `weighted`"), "{}", planned.stderr);
    let shard = planned.json()["shards"][0].clone();
    let expected = |test: &serde_json::Value| {
        let test = test.as_str().expect("a name");
        let args = ["explain", test, "--plan", "p.json", "--json"];
        project.rasher(&args).code(0).json()["tests"][0]["estimate_ms"].as_f64().expect("a time")
    };
    let all: f64 = shard["tests"].as_array().expect("tests").iter().map(expected).sum();
    let predicted = shard["predicted_ms"].as_f64().expect("a time");
    assert!((all - predicted).abs() < 0.01, "{all} of {predicted}");
}

#[test]
fn what_binds_a_test_is_named() {
    let project = planned(CONSTRAINTS, "3");
    project.write("facts.tsv", "x.ATest#a\tdependsOnMethods\tc\nx.CTest#f\tIsolated\n");
    let args = ["explain", "x.ATest#a", "--plan", "p.json", "--facts", "facts.tsv", "--json"];
    let bonds = project.rasher(&args).code(0).json()["tests"][0]["constraints"].clone();
    let wanted = serde_json::json!([
        {"kind": "together", "with": ["x.BTest#d"]},
        {"kind": "after", "with": ["x.ATest#c"]},
        {"kind": "resource", "name": "db", "with": ["x.ATest#b"]},
    ]);
    assert_eq!(bonds, wanted);
    let called = project.rasher(&["explain", "x.CTest#f", "--facts", "facts.tsv"]).code(0);
    for line in [
        "  bound to  never on one shard with `x.BTest`\n",
        "  bound to  runs alone on its machine\n",
        "no plan was given (--plan FILE): where it sits is not known\n",
    ] {
        assert!(called.stdout.contains(line), "{}", called.stdout);
    }
}

#[test]
fn a_test_that_failed_is_explained_with_its_flake_score() {
    let project = Project::new();
    for run in 1..=6 {
        let inner = if run == 3 { "<failure message=\"late\"/>" } else { "" };
        project.report("reports", "x.ATest", &[("a", 1.0, inner), ("b", 1.0, "")]);
        let at = format!("2026-01-0{run}T00:00:00Z");
        let name = run.to_string();
        project.rasher(&["record", "reports", "--run", &name, "--at", &at]).code(0);
    }
    let document = project.rasher(&["explain", "x.ATest", "--json"]).code(0).json();
    let (one, other) = (&document["tests"][0], &document["tests"][1]);
    assert_eq!((&one["flake"]["failures"], &one["flake"]["runs"]), (&1.into(), &6.into()));
    assert!(one["flake"]["p_flaky"].as_f64().is_some_and(|p| p > 0.0));
    assert_eq!(other["flake"], serde_json::Value::Null);
    let people = project.rasher(&["explain", "x.ATest#a"]).code(0).stdout;
    assert!(people.contains("1 of 6 runs failed"), "{people}");
}

#[test]
fn a_class_that_binds_says_what_splitting_it_would_give() {
    let project = Project::new();
    let slow = "<testsuite name=\"x.Slow\" time=\"70\" timestamp=\"2026-01-02T03:04:05Z\">\
        <testcase classname=\"x.Slow\" name=\"a\" time=\"60\"/></testsuite>";
    project.write("reports/TEST-x.Slow.xml", slow);
    project.report("reports", "x.ATest", &[("a", 3.0, ""), ("b", 2.0, "")]);
    project.rasher(&["record", "reports"]).code(0);
    project.rasher(&["plan", "--shards", "2", "--out", "p.json"]).code(0);
    let document = project.rasher(&["explain", "x.Slow#a", "--plan", "p.json", "--json"]).code(0);
    let document = document.json();
    assert_eq!(document["tests"][0]["place"]["binds"], true);
    let plan = &document["plan"];
    let (bound, split) = (&plan["lower_bound_ms"], &plan["reasons"]["bound_if_split_ms"]);
    assert!(split.as_f64().unwrap_or(f64::MAX) < bound.as_f64().unwrap_or(0.0), "{plan}");
    let people = project.rasher(&["explain", "x.Slow#a", "--plan", "p.json"]).code(0).stdout;
    assert!(people.contains("this is what bounds the run"), "{people}");
    assert!(people.contains("cut into small pieces, the bound would be"), "{people}");
}

#[test]
fn an_unknown_test_is_refused_with_those_near_it() {
    let project = planned("", "2");
    let called = project.rasher(&["explain", "x.ATest#cc", "--plan", "p.json"]).code(2);
    called.says("nor the plan knows `x.ATest#cc`").says("did you mean `x.ATest#c`, ");
    project.rasher(&["explain", "btest"]).code(2).says("did you mean `x.BTest`, `x.BTest#d` or ");
    project.rasher(&["explain", "zzzz"]).code(2).says("ids are written as `rasher shard` prints");
}

#[test]
fn a_new_test_is_explained_by_its_plan() {
    let project = Project::new().with_reports();
    project.rasher(&["record", "reports"]).code(0);
    let args = ["plan", "--shards", "2", "--tests", "-", "--out", "p.json"];
    project.rasher_in(&[], &args, "x.ATest\nx.New#one\n").code(0);
    let args = ["explain", "x.New#one", "--plan", "p.json", "--json"];
    let document = project.rasher(&args).code(0).json();
    let test = &document["tests"][0];
    assert_eq!((&test["source"], &test["history"]), (&"suite".into(), &serde_json::Value::Null));
    assert_eq!(test["place"]["of"], 2);
    project.rasher(&["explain", "x.New#one"]).code(2).says("does not know `x.New#one`");
}
