//! Workers that a CI starts again, and shards that a CI numbers.

use crate::project::Project;

const FIRST: [(&str, &str); 3] =
    [("GITHUB_ACTIONS", "true"), ("GITHUB_RUN_ID", "77"), ("GITHUB_RUN_ATTEMPT", "1")];
const AGAIN: [(&str, &str); 3] =
    [("GITHUB_ACTIONS", "true"), ("GITHUB_RUN_ID", "77"), ("GITHUB_RUN_ATTEMPT", "2")];

#[test]
fn a_retried_worker_without_a_plan_refuses() {
    let project = Project::new().with_reports();
    let called = project.rasher_in(&AGAIN, &["shard", "1/2"], "").code(2);
    assert_eq!(called.says("attempt 2").says("no plan to follow").stdout, "");
    project.rasher_in(&FIRST, &["shard", "1/2"], "").code(2).says("there is no plan");
}

#[test]
fn a_retried_worker_follows_the_plan_of_the_first_attempt() {
    let project = Project::new().with_reports();
    project.rasher_in(&FIRST, &["record", "reports", "--run", "70"], "").code(0);
    let first = project.rasher_in(&FIRST, &["plan", "--shards", "2", "--json"], "").code(0);
    let shard = project.rasher_in(&FIRST, &["shard", "1/2"], "").code(0).stdout;
    // History has moved on since.
    project.report("later", "x.ATest", &[("a", 90.0, ""), ("b", 1.0, ""), ("c", 1.0, "")]);
    let record = ["record", "later", "--run", "71", "--at", "2027-01-01T00:00:00Z"];
    project.rasher_in(&FIRST, &record, "").code(0);
    assert_eq!(project.rasher_in(&AGAIN, &["shard", "1/2"], "").code(0).stdout, shard);
    let again = project.rasher_in(&AGAIN, &["plan", "--shards", "2", "--json"], "").code(0);
    assert_eq!(again.says("its plan stands").stdout, first.stdout);
    let anew = ["plan", "--shards", "2", "--json", "--replan"];
    assert_ne!(project.rasher_in(&AGAIN, &anew, "").code(0).stdout, first.stdout);
}

#[test]
fn plans_of_a_hundred_runs_are_kept_and_those_for_no_run_are_not() {
    let project = Project::new().with_reports();
    project.rasher(&["record", "reports"]).code(0);
    for old in 0..100 {
        project.write(&format!(".rasher/plans/run-{old:03}/default.json"), "{}");
    }
    let there = |run: &str| project.path().join(".rasher/plans").join(run).is_dir();
    project.rasher_in(&FIRST, &["plan", "--shards", "2", "--no-run"], "").code(0);
    assert!(!there("77") && there("run-000"));
    project.rasher_in(&FIRST, &["plan", "--shards", "2"], "").code(0);
    assert!(there("77") && !there("run-000") && there("run-001"));
    project.rasher_in(&FIRST, &["shard", "1/2"], "").code(0);
}

#[test]
fn the_shard_is_found_from_the_variables_with_their_base() {
    let project = Project::new().with_reports();
    project.rasher(&["record", "reports"]).code(0);
    project.rasher(&["plan", "--shards", "2", "--out", "p.json"]).code(0);
    let second = project.rasher(&["shard", "2/2", "--plan", "p.json"]).code(0).stdout;
    let gitlab = [("GITLAB_CI", "true"), ("CI_NODE_INDEX", "2"), ("CI_NODE_TOTAL", "2")];
    let circle = [("CIRCLECI", "true"), ("CIRCLE_NODE_INDEX", "1"), ("CIRCLE_NODE_TOTAL", "2")];
    for vars in [gitlab, circle] {
        let called = project.rasher_in(&vars, &["shard", "--plan", "p.json"], "").code(0);
        assert_eq!(called.says("shard 2/2").stdout, second);
    }
    let args = ["shard", "1/2", "--plan", "p.json"];
    project.rasher_in(&gitlab, &args, "").code(0).says("the shard is 1/2, GitLab CI says 2/2");
    let wrong = [("GITLAB_CI", "true"), ("CI_NODE_INDEX", "0"), ("CI_NODE_TOTAL", "2")];
    project.rasher_in(&wrong, &["shard", "--plan", "p.json"], "").code(2).says("counts from 1");
}

#[test]
fn a_plan_takes_its_workers_from_the_ci() {
    let project = Project::new().with_reports();
    project.rasher(&["record", "reports"]).code(0);
    let vars = [("GITLAB_CI", "true"), ("CI_NODE_INDEX", "1"), ("CI_NODE_TOTAL", "5")];
    let plan = project.rasher_in(&vars, &["plan", "--json"], "").code(0).json();
    assert_eq!(plan["shards"].as_array().unwrap().len(), 5);
    let called = project.rasher_in(&vars, &["plan", "--shards", "3", "--json"], "").code(0);
    called.says("--shards is 3, GitLab CI says 5");
}
