//! The straight line: record, plan, shard, verify.

use std::collections::BTreeSet;

use crate::page::assert_sound;
use crate::project::Project;

#[test]
fn reports_become_shards_and_shards_are_proved() {
    let project = Project::new().with_reports();
    let recorded = project.rasher(&["record", "reports", "--json"]).code(0).json();
    assert_eq!(recorded["attempts"], 8);
    assert_eq!(recorded["passed"], 7);
    assert_eq!(recorded["skipped"], 1);
    assert_eq!(recorded["problems"], serde_json::json!([]));
    let plan = project.rasher(&["plan", "--shards", "3", "--out", "p.json", "--json"]).code(0);
    assert_eq!(plan.json()["tests"], 8);
    assert_eq!(plan.stdout, project.read("p.json"), "--out and --json are one document");
    let mut seen = BTreeSet::new();
    for index in 1..=3 {
        let shard = format!("{index}/3");
        let called = project.rasher(&["shard", &shard, "--plan", "p.json"]).code(0);
        for line in called.stdout.lines() {
            assert!(seen.insert(line.to_owned()), "{line} is on two shards");
        }
    }
    assert_eq!(seen.len(), 8);
    let args = ["verify", "--plan", "p.json", "--results", "reports", "--json"];
    let verified = project.rasher(&args).code(0).json();
    assert_eq!((&verified["planned"], &verified["accepted"]), (&8.into(), &8.into()));
    assert_eq!(verified["complete"], true);
}

#[test]
fn the_same_input_gives_the_same_bytes() {
    let plans: Vec<String> = (0..2)
        .map(|_| {
            let project = Project::new().with_reports();
            project.rasher(&["record", "reports"]).code(0);
            project.rasher(&["plan", "--shards", "3", "--json"]).code(0).stdout
        })
        .collect();
    assert_eq!(plans[0], plans[1]);
}

#[test]
fn the_order_of_the_list_has_no_say() {
    let project = Project::new().with_reports();
    project.rasher(&["record", "reports"]).code(0);
    let plan = |list: &str| {
        let args = ["plan", "--shards", "2", "--tests", "-", "--json"];
        project.rasher_in(&[], &args, list).code(0).json()["id"].clone()
    };
    assert_eq!(plan("x.ATest#a\nx.BTest#d\nx.CTest\n"), plan("x.CTest\r\nx.BTest#d\n\nx.ATest#a"));
    assert_eq!(plan("[\"x.ATest#a\", \"x.BTest#d\"]"), plan("x.ATest#a\nx.BTest#d\n"));
}

#[test]
fn recording_twice_changes_nothing() {
    let project = Project::new().with_reports();
    project.rasher(&["record", "reports"]).code(0);
    let before = project.rasher(&["plan", "--shards", "2", "--json"]).code(0).stdout;
    let again = project.rasher(&["record", "reports", "--json"]).code(0).json();
    assert_eq!((&again["attempts"], &again["ignored_duplicates"]), (&0.into(), &8.into()));
    assert_eq!(project.rasher(&["plan", "--shards", "2", "--json"]).code(0).stdout, before);
}

#[test]
fn environments_stay_apart() {
    let project = Project::new().with_reports();
    project.rasher(&["record", "reports", "--env", "linux"]).code(0);
    project.rasher(&["plan", "--shards", "2", "--env", "linux"]).code(0);
    project.rasher(&["plan", "--shards", "2"]).code(2).says("no recorded run");
    project.rasher(&["doctor"]).code(0);
    assert!(project.rasher(&["doctor"]).stdout.contains("recorded are: linux"));
}

#[test]
fn a_class_in_the_list_stands_for_its_tests_and_an_unknown_line_for_itself() {
    let project = Project::new().with_reports();
    project.rasher(&["record", "reports"]).code(0);
    let args = ["plan", "--shards", "2", "--tests", "-", "--json"];
    let called = project.rasher_in(&[], &args, "x.ATest\nx.NewTest\nx.BTest#new\n").code(0);
    let plan = called.json();
    assert_eq!((&plan["tests"], &plan["new_tests"]), (&5.into(), &2.into()));
    assert_eq!(plan["vanished_tests"], 5);
    assert_eq!(plan["sources"]["own"], 3);
    assert_eq!(plan["sources"]["group"], 1, "a new test of a known class is guessed from it");
}

#[test]
fn a_unit_that_is_a_class_is_proved_by_any_of_its_tests() {
    let project = Project::new().with_reports();
    let args = ["plan", "--shards", "2", "--tests", "-", "--out", "p.json"];
    project.rasher_in(&[], &args, "x.ATest\nx.BTest\nx.CTest\n").code(0).says("split evenly");
    let verify = ["verify", "--plan", "p.json", "--results", "reports", "--json"];
    assert_eq!(project.rasher(&verify).code(0).json()["accepted"], 3);
}

#[test]
fn a_class_whose_set_up_failed_is_planned_by_its_tests() {
    let project = Project::new().with_reports();
    project.rasher(&["record", "reports", "--at", "2026-01-01T00:00:00Z"]).code(0);
    let broken = Project::new();
    let failure = "<error message=\"no database\"/>";
    let path = broken.report("reports", "x.ATest", &[("", 0.1, failure)]).path().join("reports");
    let path = path.to_string_lossy();
    project.rasher(&["record", &path, "--at", "2026-01-02T00:00:00Z"]).code(0);
    let plan = project.rasher(&["plan", "--shards", "2", "--json"]).code(0);
    assert_eq!(plan.json()["tests"], 3, "{}", plan.stdout);
}

#[test]
fn quiet_says_nothing() {
    let project = Project::new();
    let args = ["plan", "--shards", "4", "--tests", "-", "--quiet"];
    assert_eq!(project.rasher_in(&[], &args, "a\na\n").code(0).stderr, "");
}

#[test]
fn more_shards_than_tests_is_success_and_said() {
    let project = Project::new().with_reports();
    project.rasher(&["record", "reports"]).code(0);
    project.rasher(&["plan", "--shards", "40", "--out", "p.json"]).code(0).says("without tests");
    let empty = project.rasher(&["shard", "40/40", "--plan", "p.json", "--format", "pytest"]);
    assert_eq!(empty.code(0).says("nothing to run").stdout, "--version\n--version\n");
}

#[test]
fn module_names_part_classes_that_two_modules_share() {
    let project = Project::new();
    for module in ["core", "web"] {
        let folder = format!("{module}/target/surefire-reports");
        project.report(&folder, "x.ATest", &[("a", if module == "web" { 2.0 } else { 1.0 }, "")]);
    }
    project.rasher(&["record", "."]).code(0);
    project.rasher(&["plan", "--shards", "1", "--out", "p.json"]).code(0);
    let lines = project.rasher(&["shard", "1/1", "--plan", "p.json"]).code(0).stdout;
    assert_eq!(lines, "web:x.ATest#a\ncore:x.ATest#a\n");
    project.rasher(&["verify", "--plan", "p.json", "--results", "."]).code(0);
}

#[test]
fn the_demo_proves_every_test_of_the_monolith() {
    let project = Project::new();
    let demo = project.rasher(&["demo", "--json", "--out", "day"]).code(0).json();
    assert_eq!(demo["tests"], 45_000);
    assert_eq!(demo["verified"]["complete"], true);
    assert_eq!(demo["verified"]["accepted"], 45_000);
    assert!(demo["gap"].as_f64().unwrap() < 0.001, "{demo}");
    assert!(!project.path().join(".rasher").exists(), "a demo leaves nothing behind");
    let after = &demo["after"];
    assert_eq!((&after["verdict"], &after["exit_code"]), (&"failed".into(), &1.into()));
    let of = |key: &str| after[key].as_u64().expect("a number");
    assert_eq!([of("broken"), of("judged_failed"), of("outstanding")], [3, 3, 0], "{after}");
    assert!(of("on_base") >= 3, "what goes on failing is asked of the base: {after}");
    let retries = after["retries"].as_array().expect("rounds");
    let of_round = |round: usize| retries[round]["tests"].as_u64().expect("a number");
    assert!(of_round(0) >= of("broken") && of_round(0) < 45_000 / 50, "{after}");
    assert!((1..retries.len()).all(|round| of_round(round) <= of_round(round - 1)), "{after}");
    assert_eq!(after["deadlines"].as_array().map(Vec::len), Some(2));
    let verdict: serde_json::Value =
        serde_json::from_str(&project.read("day/verdict.json")).expect("a verdict");
    assert_eq!(verdict["bypass"][0]["by"], "Ada");
    let junit = project.read("day/junit.xml");
    assert!(junit.contains("tests=\"45000\"") && junit.contains("<flakyFailure "));
    assert!(project.read("day/summary.md").starts_with("## ❌ Tests failed"));
    let page = project.read("day/report.html");
    assert_sound(&page);
    for shown in ["200 shards", "runs: 3h left", "Ada", "demo-today", "tests skipped in"] {
        assert!(page.contains(shown), "{shown} is not on the page");
    }
}

#[test]
fn history_is_kept_as_long_as_asked() {
    let project = Project::new().with_reports();
    for (run, at) in [("one", "2026-01-01"), ("two", "2026-01-02"), ("three", "2026-01-03")] {
        let at = format!("{at}T00:00:00Z");
        let args = ["record", "reports", "--run", run, "--at", &at, "--json"];
        assert_eq!(project.rasher(&args).code, 0);
    }
    let at = "2026-01-04T00:00:00Z";
    let args = ["record", "reports", "--run", "four", "--at", at, "--keep-runs", "2", "--json"];
    let called = project.rasher(&args);
    assert_eq!(called.code, 0, "{called:?}");
    let document: serde_json::Value = serde_json::from_str(&called.stdout).expect("json");
    assert_eq!(document["removed_runs"], 2);
    // By age everything would go, but the newest run always stays.
    let called = project.rasher(&["record", "reports", "--run", "four", "--keep-days", "1"]);
    assert!(called.stdout.contains("runs let go"), "{called:?}");
    assert_eq!(project.rasher(&["plan", "--shards", "2"]).code, 0);
}
