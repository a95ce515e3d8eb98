//! What the CI says of this job: which worker of how many, which run, attempt, branch and commit.
//!
//! Decides by a table, from a lookup of variables; reads no environment itself. Shard indices are
//! turned to count from 1, whatever base the CI counts from.

use crate::fault::Fault;

/// The facts of one CI job. All absent outside of a known CI.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Ci {
    /// Which CI it is.
    pub(crate) name: Option<&'static str>,
    /// Which worker this is, where the CI splits jobs.
    pub(crate) node: Option<Node>,
    /// The run that all its workers and retries share.
    pub(crate) run: Option<String>,
    /// Which attempt at the run this is, from 1.
    pub(crate) attempt: Option<u16>,
    /// The branch; for a merge request its source.
    pub(crate) branch: Option<String>,
    /// The commit under test.
    pub(crate) commit: Option<String>,
}

/// One worker among several.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Node {
    /// From 1.
    pub(crate) index: u32,
    /// How many workers.
    pub(crate) total: u32,
    /// The variable that gave the index.
    pub(crate) variable: &'static str,
}

/// How a CI tells its workers apart.
struct Nodes {
    index: &'static str,
    total: &'static str,
    /// The number of the first worker.
    base: u32,
}

/// How a CI counts attempts at a run.
enum Attempts {
    /// It does not say.
    Unknown,
    /// A number from 1.
    From1(&'static str),
    /// A number from 0.
    From0(&'static str),
    /// A word that is `true` for every attempt after the first.
    Again(&'static str),
}

struct Provider {
    name: &'static str,
    /// It is this CI where one of these variables is set.
    marks: &'static [&'static str],
    nodes: Option<Nodes>,
    run: &'static [&'static str],
    attempts: Attempts,
    branch: &'static [&'static str],
    commit: &'static [&'static str],
}

const fn nodes(index: &'static str, total: &'static str, base: u32) -> Option<Nodes> {
    Some(Nodes { index, total, base })
}

/// In order of detection. Bazel comes first, for it may run inside any other.
const PROVIDERS: [Provider; 11] = [
    Provider {
        name: "Bazel",
        marks: &["TEST_TOTAL_SHARDS"],
        nodes: nodes("TEST_SHARD_INDEX", "TEST_TOTAL_SHARDS", 0),
        run: &[],
        attempts: Attempts::From1("TEST_RUN_NUMBER"),
        branch: &[],
        commit: &[],
    },
    Provider {
        name: "GitHub Actions",
        marks: &["GITHUB_ACTIONS"],
        nodes: nodes("CI_NODE_INDEX", "CI_NODE_TOTAL", 0),
        run: &["GITHUB_RUN_ID"],
        attempts: Attempts::From1("GITHUB_RUN_ATTEMPT"),
        branch: &["GITHUB_HEAD_REF", "GITHUB_REF_NAME"],
        commit: &["GITHUB_SHA"],
    },
    Provider {
        name: "GitLab CI",
        marks: &["GITLAB_CI"],
        nodes: nodes("CI_NODE_INDEX", "CI_NODE_TOTAL", 1),
        run: &["CI_PIPELINE_ID"],
        attempts: Attempts::Unknown,
        branch: &["CI_MERGE_REQUEST_SOURCE_BRANCH_NAME", "CI_COMMIT_REF_NAME"],
        commit: &["CI_COMMIT_SHA"],
    },
    Provider {
        name: "CircleCI",
        marks: &["CIRCLECI"],
        nodes: nodes("CIRCLE_NODE_INDEX", "CIRCLE_NODE_TOTAL", 0),
        run: &["CIRCLE_WORKFLOW_ID"],
        attempts: Attempts::Unknown,
        branch: &["CIRCLE_BRANCH"],
        commit: &["CIRCLE_SHA1"],
    },
    Provider {
        name: "Buildkite",
        marks: &["BUILDKITE"],
        nodes: nodes("BUILDKITE_PARALLEL_JOB", "BUILDKITE_PARALLEL_JOB_COUNT", 0),
        run: &["BUILDKITE_BUILD_ID"],
        attempts: Attempts::From0("BUILDKITE_RETRY_COUNT"),
        branch: &["BUILDKITE_BRANCH"],
        commit: &["BUILDKITE_COMMIT"],
    },
    Provider {
        name: "Semaphore",
        marks: &["SEMAPHORE"],
        nodes: nodes("SEMAPHORE_JOB_INDEX", "SEMAPHORE_JOB_COUNT", 1),
        run: &["SEMAPHORE_WORKFLOW_ID"],
        attempts: Attempts::Again("SEMAPHORE_PIPELINE_RERUN"),
        branch: &["SEMAPHORE_GIT_WORKING_BRANCH", "SEMAPHORE_GIT_BRANCH"],
        commit: &["SEMAPHORE_GIT_SHA"],
    },
    Provider {
        name: "Bitbucket Pipelines",
        marks: &["BITBUCKET_BUILD_NUMBER"],
        nodes: nodes("BITBUCKET_PARALLEL_STEP", "BITBUCKET_PARALLEL_STEP_COUNT", 0),
        run: &["BITBUCKET_PIPELINE_UUID", "BITBUCKET_BUILD_NUMBER"],
        attempts: Attempts::From1("BITBUCKET_STEP_RUN_NUMBER"),
        branch: &["BITBUCKET_BRANCH"],
        commit: &["BITBUCKET_COMMIT"],
    },
    Provider {
        name: "Azure Pipelines",
        marks: &["TF_BUILD"],
        nodes: nodes("SYSTEM_JOBPOSITIONINPHASE", "SYSTEM_TOTALJOBSINPHASE", 1),
        run: &["BUILD_BUILDID"],
        attempts: Attempts::From1("SYSTEM_JOBATTEMPT"),
        branch: &["SYSTEM_PULLREQUEST_SOURCEBRANCH", "BUILD_SOURCEBRANCH"],
        commit: &["BUILD_SOURCEVERSION"],
    },
    Provider {
        name: "Jenkins",
        marks: &["JENKINS_URL"],
        nodes: nodes("CI_NODE_INDEX", "CI_NODE_TOTAL", 0),
        run: &["BUILD_TAG", "BUILD_ID"],
        attempts: Attempts::Unknown,
        branch: &["CHANGE_BRANCH", "BRANCH_NAME", "GIT_BRANCH"],
        commit: &["GIT_COMMIT"],
    },
    Provider {
        name: "Travis CI",
        marks: &["TRAVIS"],
        nodes: nodes("CI_NODE_INDEX", "CI_NODE_TOTAL", 0),
        run: &["TRAVIS_BUILD_ID"],
        attempts: Attempts::Unknown,
        branch: &["TRAVIS_PULL_REQUEST_BRANCH", "TRAVIS_BRANCH"],
        commit: &["TRAVIS_COMMIT"],
    },
    Provider {
        name: "CI",
        marks: &["CI_NODE_TOTAL"],
        nodes: nodes("CI_NODE_INDEX", "CI_NODE_TOTAL", 0),
        run: &[],
        attempts: Attempts::Unknown,
        branch: &[],
        commit: &[],
    },
];

/// Reads the facts through `lookup`, which gives the value of a variable that is set and not
/// empty.
///
/// # Errors
/// Exit code 2 where a worker's number makes no sense: a worker that guessed would run another's
/// tests.
pub(crate) fn detect(lookup: impl Fn(&str) -> Option<String>) -> Result<Ci, Fault> {
    let present = |p: &&Provider| p.marks.iter().any(|mark| lookup(mark).is_some());
    let Some(provider) = PROVIDERS.iter().find(present) else { return Ok(Ci::default()) };
    let first = |names: &[&str]| names.iter().find_map(|name| lookup(name));
    let node = match &provider.nodes {
        Some(nodes) => read_node(nodes, &lookup)?,
        None => None,
    };
    Ok(Ci {
        name: Some(provider.name),
        node,
        run: first(provider.run),
        attempt: read_attempt(&provider.attempts, &lookup)?,
        branch: first(provider.branch).map(|name| short_branch(&name)),
        commit: first(provider.commit),
    })
}

fn read_node(
    nodes: &Nodes,
    lookup: &impl Fn(&str) -> Option<String>,
) -> Result<Option<Node>, Fault> {
    let (Some(index), Some(total)) = (lookup(nodes.index), lookup(nodes.total)) else {
        return Ok(None);
    };
    let index = number(nodes.index, &index)?;
    let total = number(nodes.total, &total)?;
    let last = nodes.base + total.saturating_sub(1);
    if total == 0 || index < nodes.base || index > last {
        let what = format!(
            "{}={index} is no worker of {}={total}: it counts from {}",
            nodes.index, nodes.total, nodes.base
        );
        return Err(Fault::usage(what).hint("name the shard yourself: `rasher shard I/N`"));
    }
    Ok(Some(Node { index: index - nodes.base + 1, total, variable: nodes.index }))
}

fn read_attempt(
    attempts: &Attempts,
    lookup: &impl Fn(&str) -> Option<String>,
) -> Result<Option<u16>, Fault> {
    let read = |name: &str, add: u32| -> Result<Option<u16>, Fault> {
        let Some(text) = lookup(name) else { return Ok(None) };
        let attempt = number(name, &text)?.saturating_add(add).max(1);
        Ok(Some(u16::try_from(attempt).unwrap_or(u16::MAX)))
    };
    match attempts {
        Attempts::Unknown => Ok(None),
        Attempts::From1(name) => read(name, 0),
        Attempts::From0(name) => read(name, 1),
        Attempts::Again(name) => Ok(lookup(name).map(|word| if word == "true" { 2 } else { 1 })),
    }
}

fn number(name: &str, text: &str) -> Result<u32, Fault> {
    text.trim().parse().map_err(|_| Fault::usage(format!("{name}=`{text}` is no number")))
}

fn short_branch(name: &str) -> String {
    name.strip_prefix("refs/heads/").unwrap_or(name).to_owned()
}

#[cfg(test)]
mod tests;
