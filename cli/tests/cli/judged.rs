//! From results to a retry and a verdict.

use crate::project::Project;

const BOOM: &str = "<failure message=\"boom\" type=\"E\">at x</failure>";

/// A plan of eight tests, and a run in which one failed and one never reported.
fn failed() -> Project {
    let project = Project::new().with_reports();
    project.rasher(&["record", "reports", "--run", "1"]).code(0);
    project.rasher(&["plan", "--shards", "2", "--out", "plan.json"]).code(0);
    project
        .report("one", "x.ATest", &[("a", 1.0, ""), ("b", 2.0, BOOM), ("c", 3.0, "")])
        .report("one", "x.BTest", &[("d", 2.0, "")])
        .report("one", "x.CTest", &[("f", 1.0, ""), ("g", 0.5, ""), ("h", 0.0, "<skipped/>")]);
    project
}

fn tests(plan: &serde_json::Value) -> Vec<String> {
    let shards = plan["shards"].as_array().expect("shards");
    let tests = shards.iter().flat_map(|shard| shard["tests"].as_array().expect("tests"));
    let mut tests: Vec<String> =
        tests.map(|test| test.as_str().expect("text").to_owned()).collect();
    tests.sort();
    tests
}

#[test]
fn what_failed_and_what_never_reported_runs_again_and_nothing_else() {
    let project = failed();
    let retry = ["retry", "--plan", "plan.json", "--results", "one", "--json"];
    let plan = project.rasher(&retry).code(0).json();
    assert_eq!(tests(&plan), ["x.ATest#b", "x.BTest#e"]);
    assert_eq!(plan["settled"].as_array().map(Vec::len), Some(6));
    let first: serde_json::Value =
        serde_json::from_str(&project.read("plan.json")).expect("a plan");
    assert_eq!(plan["retry_of"], first["id"]);
}

#[test]
fn a_replay_runs_whole_shards_as_planned() {
    let project = failed();
    let retry = ["retry", "--plan", "plan.json", "--results", "one", "--mode", "replay", "--json"];
    let plan = project.rasher(&retry).code(0).json();
    let first: serde_json::Value =
        serde_json::from_str(&project.read("plan.json")).expect("a plan");
    for (again, before) in plan["shards"]
        .as_array()
        .expect("shards")
        .iter()
        .zip(first["shards"].as_array().expect("shards"))
    {
        let empty = again["tests"].as_array().is_some_and(Vec::is_empty);
        assert!(empty || again["tests"] == before["tests"]);
    }
    assert!(tests(&plan).contains(&"x.ATest#b".to_owned()));
}

#[test]
fn a_run_goes_from_incomplete_through_failed_to_flaky() {
    let project = failed();
    let one = ["verdict", "--plan", "plan.json", "--results", "one", "--json"];
    assert_eq!(project.rasher(&one).code(4).json()["run"], "incomplete");
    let retry = ["retry", "--plan", "plan.json", "--results", "one", "--out", "again.json"];
    project.rasher(&retry).code(0);
    let both = [
        "verdict",
        "--plan",
        "plan.json",
        "--plan",
        "again.json",
        "--results",
        "one",
        "--results",
        "2=two",
        "--json",
    ];
    project.report("two", "x.ATest", &[("b", 2.0, BOOM)]).report(
        "two",
        "x.BTest",
        &[("e", 1.0, "")],
    );
    let verdict = project.rasher(&both).code(1).json();
    assert_eq!((&verdict["run"], &verdict["blocks"]), (&"failed".into(), &true.into()));
    project.report("two", "x.ATest", &[("b", 2.0, "")]);
    let verdict = project.rasher(&both).code(0).json();
    assert_eq!((&verdict["run"], &verdict["blocks"]), (&"flaky".into(), &false.into()));
    assert_eq!(verdict["tests"][0]["verdict"], "suspect", "it had never failed before");
}

#[test]
fn a_green_run_leaves_nothing_to_do() {
    let project = Project::new().with_reports();
    project.rasher(&["record", "reports", "--run", "1"]).code(0);
    project.rasher(&["plan", "--shards", "2", "--out", "plan.json"]).code(0);
    let given = ["--plan", "plan.json", "--results", "reports"];
    let retry = project.rasher(&[&["retry"], &given[..]].concat()).code(0);
    assert!(retry.stderr.contains("nothing to do"));
    let verdict = project.rasher(&[&["verdict", "--json"], &given[..]].concat()).code(0).json();
    assert_eq!(verdict["run"], "passed");
}

#[test]
fn tests_that_fail_without_cause_are_ranked() {
    let project = Project::new();
    for run in 0..12 {
        let shaky = if run % 3 == 0 { BOOM } else { "" };
        project.report("r", "x.ATest", &[("calm", 1.0, ""), ("shaky", 1.0, shaky)]);
        let at = format!("2026-01-{:02}T00:00:00Z", run + 1);
        project.rasher(&["record", "r", "--run", &run.to_string(), "--at", &at]).code(0);
    }
    let flaky = project.rasher(&["flaky", "--json"]).code(0).json();
    assert_eq!(flaky["tests"].as_array().map(Vec::len), Some(1));
    let row = &flaky["tests"][0];
    assert_eq!(row["test"], "x.ATest#shaky");
    assert_eq!((&row["failures"], &row["runs"]), (&4.into(), &12.into()));
    assert_eq!(row["last_runs"], "F..F..F..F..");
}

#[test]
fn tests_that_fail_together_are_told_as_one_cause() {
    let project = Project::new();
    for run in 0..24 {
        let both = if run % 6 == 0 { BOOM } else { "" };
        project.report(
            "r",
            "x.ATest",
            &[("calm", 1.0, ""), ("one", 1.0, both), ("two", 1.0, both)],
        );
        let at = format!("2026-01-{:02}T00:00:00Z", run + 1);
        project.rasher(&["record", "r", "--run", &run.to_string(), "--at", &at]).code(0);
    }
    let flaky = project.rasher(&["flaky", "--json"]).code(0).json();
    assert_eq!(flaky["clusters"], serde_json::json!([["x.ATest#one", "x.ATest#two"]]));
    assert_eq!(flaky["tests"][0]["cluster"], 0);
    let told = project.rasher(&["flaky"]).code(0);
    assert!(told.stdout.contains("`x.ATest#one` fails together with 1 test"), "{}", told.stdout);
}

#[test]
fn a_mass_failure_asks_for_a_probe_and_believes_the_base() {
    let project = Project::new();
    let names: Vec<String> = (0..30).map(|at| format!("x.T{at}")).collect();
    let report = |folder: &str, end: &str, count: usize| {
        for name in &names[..count] {
            project.report(folder, name, &[("t", 1.0, end)]);
        }
    };
    report("green", "", 30);
    project.rasher(&["record", "green", "--run", "1"]).code(0);
    project.rasher(&["plan", "--shards", "2", "--out", "plan.json"]).code(0);
    report("one", BOOM, 30);
    let given = ["retry", "--plan", "plan.json", "--results", "one", "--json"];
    let called = project.rasher(&given).code(0);
    let probe = called.says("mass failure").json();
    assert_eq!(tests(&probe).len(), 10);
    assert_eq!(probe["budget"]["rule"], "probe");
    for test in tests(&probe) {
        let class = test.split('#').next().expect("a class");
        project.report("head", class, &[("t", 1.0, BOOM)]);
        project.report("base", class, &[("t", 1.0, BOOM)]);
    }
    let read = [&given[..], &["--base-results", "base"]].concat();
    let told = project.rasher(&read).code(5);
    assert_eq!(tests(&told.says("the environment is to blame").json()).len(), 0);
    assert_eq!(
        tests(&project.rasher(&[&given[..], &["--no-probe"]].concat()).code(0).json()).len(),
        30
    );
}

#[test]
fn copies_are_rounds_planned_ahead_and_money_limits_them() {
    let project = failed();
    let retry = ["retry", "--plan", "plan.json", "--results", "one", "--out", "again.json"];
    project.rasher(&[&retry[..], &["--copies", "3"]].concat()).code(0);
    let read = |name: &str| -> serde_json::Value {
        serde_json::from_str(&project.read(name)).expect("a plan")
    };
    let (first, second, third) = (read("again.json"), read("again.2.json"), read("again.3.json"));
    assert_eq!((&second["retry_of"], &third["retry_of"]), (&first["id"], &second["id"]));
    assert_eq!(tests(&first), tests(&third));
    let none = ["--max-cost", "0.0000001", "--price", "9999"];
    let poor = project.rasher(&[&retry[..], &none].concat()).code(0);
    poor.says("stay outstanding");
    assert!(read("again.json")["settled"].to_string().contains("over the limit"));
    project.rasher(&[&retry[..], &["--max-cost", "1"]].concat()).code(2).says("--price");
}

#[test]
fn what_rasher_toml_puts_before_a_test_runs_again_with_it() {
    let project = failed();
    project.write("rasher.toml", "[constraints]\nbefore = [[\"x.ATest#a\", \"x.ATest#b\"]]\n");
    let retry = ["retry", "--plan", "plan.json", "--results", "one", "--json"];
    let plan = project.rasher(&retry).code(0).json();
    assert_eq!(tests(&plan), ["x.ATest#a", "x.ATest#b", "x.BTest#e"]);
}

/// A suite whose `b` is known to be flaky, and a run in which it fails beside three tests of a class
/// that goes on failing.
fn broken_beside_a_flake() -> Project {
    let project = Project::new();
    let calm = [("p", 1.0, ""), ("q", 1.0, ""), ("r", 1.0, "")];
    for run in 0..30 {
        let shaky = if run % 4 == 0 { BOOM } else { "" };
        project.report("past", "x.ATest", &[("a", 1.0, ""), ("b", 1.0, shaky)]);
        project.report("past", "x.BTest", &calm);
        let at = format!("2026-01-{:02}T00:00:00Z", run + 1);
        project.rasher(&["record", "past", "--run", &run.to_string(), "--at", &at]).code(0);
    }
    project.rasher(&["plan", "--shards", "2", "--out", "plan.json"]).code(0);
    // A copy of a report is that report: each takes its own time.
    let broken = |took: f64| [("p", took, BOOM), ("q", took, BOOM), ("r", took, BOOM)];
    project
        .report("one", "x.ATest", &[("a", 1.0, ""), ("b", 1.0, BOOM)])
        .report("one", "x.BTest", &broken(1.1))
        .report("two", "x.BTest", &broken(1.2))
        .report("three", "x.BTest", &broken(1.3))
        .report("base", "x.BTest", &calm);
    project
}

const THRICE: [&str; 8] =
    ["--plan", "plan.json", "--results", "one", "--results", "2=two", "--results", "3=three"];

#[test]
fn what_goes_on_failing_is_planned_for_the_base_and_once_it_is_proven_a_flake_stays_open() {
    let project = broken_beside_a_flake();
    let retry = |more: &[&str]| project.rasher(&[&["retry", "--json"], &THRICE[..], more].concat());
    let answer = retry(&["--base-out", "base.json"]).code(0);
    assert_eq!(tests(&answer.json()), ["x.ATest#b"], "nothing is proven yet");
    assert!(answer.stderr.contains("3 tests go on failing"), "{}", answer.stderr);
    let control: serde_json::Value =
        serde_json::from_str(&project.read("base.json")).expect("a plan");
    assert_eq!(tests(&control), ["x.BTest#p", "x.BTest#q", "x.BTest#r"]);
    assert_eq!(control["retry_of"], serde_json::Value::Null);
    let base = ["--base-results", "base"];
    let plan = retry(&base).code(0).json();
    assert!(tests(&plan).is_empty());
    let settled = plan["settled"].as_array().expect("settled");
    let why = settled.iter().find(|it| it["test"] == "x.ATest#b").expect("accounted for");
    assert!(why["reason"].as_str().is_some_and(|it| it.contains("blocks this run already")));
    let all = [&base[..], &["--settle-all"]].concat();
    assert_eq!(tests(&retry(&all).code(0).json()), ["x.ATest#b"]);
    let verdict = [&["verdict", "--json"], &THRICE[..], &base[..]].concat();
    let verdict = project.rasher(&verdict).code(1).json();
    assert_eq!(verdict["run"], "failed");
    let told = verdict["tests"].as_array().expect("tests");
    let word = |name: &str| told.iter().find(|it| it["test"] == name).map(|it| &it["verdict"]);
    assert_eq!(word("x.ATest#b"), Some(&"open".into()));
    assert_eq!(word("x.BTest#p"), Some(&"failed".into()));
}

#[test]
fn what_is_in_quarantine_is_not_retried() {
    let project = broken_beside_a_flake();
    project.write(
        "quarantine.toml",
        "[[test]]\ntest = \"x.ATest#b\"\nowner = \"a\"\nreason = \"r\"\nsince = 2026-01-01\n\
         expires = 2999-01-01\n",
    );
    let plan = project.rasher(&[&["retry", "--json"], &THRICE[..]].concat());
    assert!(tests(&plan.code(0).json()).is_empty());
}

#[test]
fn a_run_recorded_under_another_name_is_no_earlier_run() {
    let project = Project::new();
    for run in 0..12 {
        project.report("past", "x.ATest", &[("a", 1.0, ""), ("b", 1.0, "")]);
        let at = format!("2026-01-{:02}T00:00:00Z", run + 1);
        project.rasher(&["record", "past", "--run", &run.to_string(), "--at", &at]).code(0);
    }
    project.rasher(&["plan", "--shards", "1", "--out", "plan.json"]).code(0);
    let failing = |folder: &str, took: f64| {
        project.report(folder, "x.ATest", &[("a", 1.0, ""), ("b", took, BOOM)]);
    };
    failing("one", 1.25);
    project.report("two", "x.ATest", &[("b", 1.5, "")]);
    let judged = || {
        let verdict = ["verdict", "--plan", "plan.json", "--results", "one", "--results", "2=two"];
        let answer = project.rasher(&[&verdict[..], &["--json"]].concat()).code(0);
        let test = answer.json()["tests"][0].clone();
        let evidence = test["evidence"].as_str().expect("text").to_owned();
        (test["verdict"].clone(), evidence, answer.stderr.contains("it is no earlier run"))
    };
    let known = |(word, evidence, said): (serde_json::Value, String, bool), past: &str| {
        assert!(evidence.contains(past), "{evidence}");
        (word.as_str().expect("a word").to_owned(), said)
    };
    let new = ("suspect".to_owned(), false);
    assert_eq!(known(judged(), "failed in 0 of 12 earlier runs"), new);
    let at = ["--at", "2026-02-01T00:00:00Z"];
    project.rasher(&[&["record", "one", "--run", "mine"], &at[..]].concat()).code(0);
    let left_out = ("suspect".to_owned(), true);
    assert_eq!(known(judged(), "failed in 0 of 12 earlier runs"), left_out);
    // Another run that failed alike took another time.
    failing("other", 1.26);
    let at = ["--at", "2026-01-30T00:00:00Z"];
    project.rasher(&[&["record", "other", "--run", "other"], &at[..]].concat()).code(0);
    assert_eq!(known(judged(), "failed in 1 of 13 earlier runs"), ("flaky".to_owned(), true));
}

#[test]
fn a_flaky_test_that_moved_is_still_known() {
    let project = Project::new();
    for run in 0..30 {
        let shaky = if run % 4 == 0 { BOOM } else { "" };
        project.report("past", "old.ATest", &[("a", 1.0, ""), ("b", 1.0, shaky)]);
        let at = format!("2026-01-{:02}T00:00:00Z", run + 1);
        project.rasher(&["record", "past", "--run", &run.to_string(), "--at", &at]).code(0);
    }
    project.write("tests.txt", "new.ATest#a\nnew.ATest#b\n");
    let plan = ["plan", "--tests", "tests.txt", "--shards", "1", "--out", "plan.json"];
    project.rasher(&plan).code(0);
    project.report("one", "new.ATest", &[("a", 1.0, ""), ("b", 1.0, BOOM)]);
    project.report("two", "new.ATest", &[("b", 1.0, "")]);
    let verdict =
        ["verdict", "--json", "--plan", "plan.json", "--results", "one", "--results", "2=two"];
    let test = project.rasher(&verdict).code(0).json()["tests"][0].clone();
    assert_eq!(test["verdict"], "flaky", "{test}");
    assert!(test["evidence"].as_str().is_some_and(|it| it.contains("then named `old.ATest#b`")));
}
