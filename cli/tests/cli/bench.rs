//! `rasher bench`: the made corpus, the independent check, the comparison.

use serde_json::Value;

use crate::project::Project;

const CHECK: [&str; 7] =
    ["bench", "check", "--plan", "plan.json", "--durations", "durations.json", "--json"];

/// A project with the durations of 2,000 made tests, recorded and planned.
fn planned() -> Project {
    let project = Project::new();
    for arguments in [
        &["bench", "corpus", "durations", "--tests", "2000", "--out", "durations.json"][..],
        &["record", "durations.json"],
        &["plan", "--shards", "12", "--out", "plan.json"],
    ] {
        let called = project.rasher(arguments);
        assert_eq!(called.code, 0, "{called:?}");
    }
    project
}

#[test]
fn a_plan_of_the_command_is_found_sound() {
    let called = planned().rasher(&CHECK);
    let checked: Value = serde_json::from_str(&called.stdout).unwrap();
    assert_eq!(called.code, 0, "{checked}");
    assert_eq!((&checked["sound"], &checked["tests"]), (&true.into(), &2_000.into()));
}

#[test]
fn a_changed_plan_is_found_unsound() {
    let project = planned();
    let mut plan: Value = serde_json::from_str(&project.read("plan.json")).unwrap();
    plan["shards"][3]["tests"].as_array_mut().unwrap().pop();
    project.write("plan.json", plan.to_string());
    let called = project.rasher(&CHECK);
    assert_eq!(called.code, 4, "{called:?}");
    let checked: Value = serde_json::from_str(&called.stdout).unwrap();
    let faults = checked["faults"].as_array().unwrap();
    assert!(faults.iter().any(|fault| fault.as_str().is_some_and(|f| f.starts_with("Partition"))));
}

#[test]
fn what_is_no_plan_no_results_or_no_script_is_wrong_usage() {
    let project = planned();
    project.write("other.json", "[");
    for arguments in [
        &["bench", "check", "--plan", "other.json", "--durations", "durations.json"][..],
        &["bench", "compare", "--results", "durations.json", "--out", "COMPARE.md"],
        &["bench", "peers", "--peers-script", "gone.py"],
    ] {
        let called = project.rasher(arguments);
        assert_eq!(called.code, 2, "{called:?}");
    }
}

#[test]
fn a_part_is_kept_beside_what_was_measured_before() {
    let project = Project::new();
    for part in ["history", "frontier"] {
        let called = project.rasher(&[
            "bench",
            part,
            "--seeds",
            "1",
            "--rounds",
            "1",
            "--into",
            "results.json",
            "--svg",
            "t.svg",
        ]);
        assert_eq!(called.code, 0, "{called:?}");
    }
    let results: Value = serde_json::from_str(&project.read("results.json")).unwrap();
    let sections = results["sections"].as_array().unwrap();
    let names: Vec<_> = sections.iter().map(|section| section["name"].as_str()).collect();
    assert_eq!(names, [Some("history"), Some("frontier")]);
    assert!(project.read("t.svg").starts_with("<svg"));
    let called =
        project.rasher(&["bench", "compare", "--results", "results.json", "--out", "COMPARE.md"]);
    assert_eq!(called.code, 0, "{called:?}");
    let text = project.read("COMPARE.md");
    assert!(text.contains("## frontier") && text.contains("| T12 |"), "{text}");
}
