use super::*;

fn seen(vars: &[(&str, &str)]) -> Result<Ci, Fault> {
    detect(|name| vars.iter().find(|(n, _)| *n == name).map(|(_, value)| (*value).to_owned()))
}

fn node(index: u32, total: u32, variable: &'static str) -> Option<Node> {
    Some(Node { index, total, variable })
}

/// The first and the last of four workers, as each CI numbers them.
#[test]
fn every_base_is_turned_to_one() {
    let cases: [(&str, &str, &'static str, &str, u32); 9] = [
        ("GITLAB_CI", "true", "CI_NODE_INDEX", "CI_NODE_TOTAL", 1),
        ("CIRCLECI", "true", "CIRCLE_NODE_INDEX", "CIRCLE_NODE_TOTAL", 0),
        ("BUILDKITE", "true", "BUILDKITE_PARALLEL_JOB", "BUILDKITE_PARALLEL_JOB_COUNT", 0),
        ("SEMAPHORE", "true", "SEMAPHORE_JOB_INDEX", "SEMAPHORE_JOB_COUNT", 1),
        (
            "BITBUCKET_BUILD_NUMBER",
            "7",
            "BITBUCKET_PARALLEL_STEP",
            "BITBUCKET_PARALLEL_STEP_COUNT",
            0,
        ),
        ("TF_BUILD", "True", "SYSTEM_JOBPOSITIONINPHASE", "SYSTEM_TOTALJOBSINPHASE", 1),
        ("JENKINS_URL", "http://ci", "CI_NODE_INDEX", "CI_NODE_TOTAL", 0),
        ("GITHUB_ACTIONS", "true", "CI_NODE_INDEX", "CI_NODE_TOTAL", 0),
        ("CI_NODE_TOTAL", "4", "CI_NODE_INDEX", "CI_NODE_TOTAL", 0),
    ];
    for (mark, value, index, total, base) in cases {
        for worker in 1..=4 {
            let number = (worker - 1 + base).to_string();
            let ci = seen(&[(mark, value), (index, &number), (total, "4")]).expect("a worker");
            assert_eq!(ci.node, node(worker, 4, index), "{mark} {number}");
        }
        for wrong in [base + 4, base.wrapping_sub(1)] {
            let number = wrong.to_string();
            assert!(seen(&[(mark, value), (index, &number), (total, "4")]).is_err(), "{mark}");
        }
    }
}

#[test]
fn bazel_inside_another_ci_counts_its_own_shards() {
    let ci = seen(&[
        ("GITHUB_ACTIONS", "true"),
        ("CI_NODE_INDEX", "0"),
        ("CI_NODE_TOTAL", "2"),
        ("TEST_SHARD_INDEX", "2"),
        ("TEST_TOTAL_SHARDS", "3"),
    ])
    .expect("a worker");
    assert_eq!(ci.node, node(3, 3, "TEST_SHARD_INDEX"));
}

#[test]
fn attempts_count_from_one() {
    type Case<'a> = (&'a [(&'a str, &'a str)], Option<u16>);
    let cases: [Case<'_>; 8] = [
        (&[("GITHUB_ACTIONS", "true"), ("GITHUB_RUN_ATTEMPT", "1")], Some(1)),
        (&[("GITHUB_ACTIONS", "true"), ("GITHUB_RUN_ATTEMPT", "3")], Some(3)),
        (&[("BUILDKITE", "true"), ("BUILDKITE_RETRY_COUNT", "0")], Some(1)),
        (&[("BUILDKITE", "true"), ("BUILDKITE_RETRY_COUNT", "2")], Some(3)),
        (&[("SEMAPHORE", "true"), ("SEMAPHORE_PIPELINE_RERUN", "false")], Some(1)),
        (&[("SEMAPHORE", "true"), ("SEMAPHORE_PIPELINE_RERUN", "true")], Some(2)),
        (&[("GITLAB_CI", "true")], None),
        (&[], None),
    ];
    for (vars, attempt) in cases {
        assert_eq!(seen(vars).expect("facts").attempt, attempt, "{vars:?}");
    }
}

#[test]
fn run_branch_and_commit_come_from_the_right_variables() {
    let ci = seen(&[
        ("GITHUB_ACTIONS", "true"),
        ("GITHUB_RUN_ID", "77"),
        ("GITHUB_HEAD_REF", "feature"),
        ("GITHUB_REF_NAME", "12/merge"),
        ("GITHUB_SHA", "abc"),
    ])
    .expect("facts");
    assert_eq!(ci.name, Some("GitHub Actions"));
    assert_eq!(ci.run.as_deref(), Some("77"));
    assert_eq!(ci.branch.as_deref(), Some("feature"));
    assert_eq!(ci.commit.as_deref(), Some("abc"));
    let azure = seen(&[("TF_BUILD", "True"), ("BUILD_SOURCEBRANCH", "refs/heads/main")]);
    assert_eq!(azure.expect("facts").branch.as_deref(), Some("main"));
}

#[test]
fn a_number_that_is_none_is_refused() {
    let vars = [("CIRCLECI", "true"), ("CIRCLE_NODE_INDEX", "x"), ("CIRCLE_NODE_TOTAL", "4")];
    assert!(seen(&vars).is_err());
    let vars = [("GITLAB_CI", "true"), ("CI_NODE_INDEX", "1"), ("CI_NODE_TOTAL", "0")];
    assert!(seen(&vars).is_err());
}

#[test]
fn outside_of_a_ci_nothing_is_known() {
    assert_eq!(seen(&[]).expect("facts"), Ci::default());
}
