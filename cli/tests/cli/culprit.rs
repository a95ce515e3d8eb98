//! `rasher culprit`: who made a test fail, found by running what it asks for.

use serde_json::Value;

use crate::project::Project;

const BOOM: &str = "<failure message=\"boom\"/>";
const COMMITS: [&str; 8] = ["aaaaaaa1", "b2", "c3", "d4", "e5", "f6", "g7", "h8"];

/// Records the test at a commit; from the fifth commit on it fails.
fn run_at(project: &Project, commit: &str, run: usize) {
    let at = COMMITS.iter().position(|it| commit.starts_with(it)).expect("a commit of the list");
    let inner = if at >= 4 { BOOM } else { "" };
    project.report("r", "x.ATest", &[("a", 1.0, inner), ("calm", 1.0, "")]);
    let (run, time) = (format!("at-{run}"), format!("2026-02-01T00:{run:02}:00Z"));
    let record = ["record", "r", "--run", &run, "--commit", commit, "--at", &time];
    project.rasher(&record).code(0);
}

#[test]
fn the_commit_that_broke_a_test_is_found_by_running_it_where_that_tells_most() {
    let project = Project::new();
    project.write("commits", COMMITS.join("\n"));
    let ask = ["culprit", "x.ATest#a", "--commits", "commits", "--json"];
    run_at(&project, "h8", 0);
    let mut answer = project.rasher(&ask).code(0).json();
    assert_eq!((&answer["executions"], &answer["culprit"]), (&1.into(), &Value::Null));
    let mut runs = 1;
    while let Some(commit) = answer["next"]["commit"].as_str() {
        assert!(runs < 20, "{answer}");
        run_at(&project, commit, runs);
        runs += 1;
        answer = project.rasher(&ask).code(0).json();
    }
    assert_eq!(answer["culprit"], "e5", "{answer}");
    assert_eq!(answer["suspects"][4]["name"], "e5");
    let told = project.rasher(&["culprit", "x.ATest#a", "--commits", "commits"]).code(0);
    assert!(told.stdout.ends_with("culprit: e5\n"), "{}", told.stdout);
}

#[test]
fn a_commit_is_known_by_the_beginning_of_its_name() {
    let project = Project::new();
    project.write("commits", "aaaaaaa\nother\n");
    run_at(&project, "aaaaaaa1", 0);
    let ask = ["culprit", "x.ATest#a", "--commits", "commits", "--json"];
    assert_eq!(project.rasher(&ask).code(0).json()["suspects"][0]["passed"], 1);
}

#[test]
fn the_test_that_pollutes_another_is_found_by_running_it_after_some_of_them() {
    let project = Project::new().with_reports();
    project.rasher(&["record", "reports"]).code(0);
    project.rasher(&["plan", "--shards", "1", "--out", "p1.json"]).code(0);
    let planned: Value = serde_json::from_str(&project.read("p1.json")).expect("a plan");
    let tests = planned["shards"][0]["tests"].as_array().expect("tests").clone();
    let victim = tests.last().and_then(Value::as_str).expect("a test").to_owned();
    let polluter = tests[2].as_str().expect("a test").to_owned();
    let mut ask: Vec<String> = ["culprit", &victim, "--json"].map(str::to_owned).into();
    let mut round = 1;
    let answer = loop {
        let plan: Value =
            serde_json::from_str(&project.read(&format!("p{round}.json"))).expect("a plan");
        let ran: Vec<&str> = plan["shards"][0]["tests"]
            .as_array()
            .expect("tests")
            .iter()
            .filter_map(Value::as_str)
            .collect();
        assert_eq!(ran.last(), Some(&victim.as_str()), "the victim runs last");
        for test in &ran {
            let (class, method) = test.split_once('#').expect("a method");
            let inner = if *test == victim && ran.contains(&polluter.as_str()) { BOOM } else { "" };
            let file = format!("r{round}/{method}");
            project.report(&file, class, &[(method, 1.0, inner)]);
        }
        let (plan, results) = (format!("p{round}.json"), format!("{round}=r{round}"));
        ask.extend(["--plan".to_owned(), plan, "--results".to_owned(), results]);
        round += 1;
        let mut call: Vec<&str> = ask.iter().map(String::as_str).collect();
        let out = format!("p{round}.json");
        call.extend(["--out", &out]);
        let answer = project.rasher(&call).code(0).json();
        assert!(round < 20, "{answer}");
        if answer["next"].is_null() {
            break answer;
        }
    };
    assert_eq!(answer["culprit"], polluter.as_str(), "{answer}");
}

#[test]
fn what_is_no_search_is_refused() {
    let project = Project::new().with_reports();
    project.rasher(&["record", "reports"]).code(0);
    project.rasher(&["plan", "--shards", "1", "--out", "p.json"]).code(0);
    project.rasher(&["culprit", "x.ATest#a"]).code(2).says("--commits");
    let unknown = ["culprit", "x.ATest#nobody", "--plan", "p.json", "--results", "reports"];
    project.rasher(&unknown).code(2).says("the plan does not hold `x.ATest#nobody`");
    project.write("commits", "\n");
    project.rasher(&["culprit", "x.ATest#a", "--commits", "commits"]).code(2);
}
