//! Runs that some tool called green and that were not. Each case comes from a public thread, states
//! the naive rule that it fools, shows that the rule is fooled, and that the verdict is not.

use jiff::Timestamp;
use rasher::attempt::{Attempt, Isolation, Outcome, Recording, RunContext};
use rasher::flake::{FlakeOptions, Scores};
use rasher::history::RunRecording;
use rasher::outcome::{Folder, Outcomes};
use rasher::plan::document::PlanDocument;
use rasher::plan::{PlanFacts, PlanOptions, Workload, plan};
use rasher::retry::{Planned, RetryOptions, cases, outstanding};
use rasher::test_id::TestTable;
use rasher::units::Micros;
use rasher::verdict::{RunVerdict, VerdictDocument, VerdictOptions, judge};

use Outcome::{Crashed, Errored, Failed, NotRun, Passed, SetUpFailed, Skipped, TimedOut};

type Row = (&'static str, Outcome);

/// One file of one round.
type File<'a> = (u16, &'a [Row]);

fn context(run: &str, round: u16, file: u32) -> RunContext {
    RunContext {
        environment: "ci".into(),
        branch: None,
        commit: None,
        base_commit: None,
        run: run.into(),
        attempt: round,
        shard: Some(file),
        worker: None,
        plan: None,
        isolation: Isolation::InSuite,
        at: Timestamp::UNIX_EPOCH,
    }
}

fn recording(rows: &[Row]) -> Recording {
    let mut recording = Recording::default();
    for (name, outcome) in rows {
        let group = name.split_once('#').map_or(*name, |(class, _)| class);
        let test = recording.tests.intern(name, Some(group));
        let ordinal = recording.attempts.iter().filter(|it| it.test == test).count() as u16;
        recording.attempts.push(Attempt {
            test,
            ordinal,
            start: None,
            duration: Some(Micros::from_millis(10)),
            outcome: *outcome,
            signature: None,
            message: None,
            unique_id: None,
        });
    }
    recording
}

fn fold(files: &[File<'_>]) -> Outcomes {
    let mut folder = Folder::new();
    for (at, (round, rows)) in files.iter().enumerate() {
        folder.add(&context("run", *round, at as u32 + 1), &recording(rows));
    }
    folder.finish()
}

fn plan_of(names: &[&str]) -> PlanDocument {
    let mut tests = TestTable::new();
    for name in names {
        tests.intern(name, name.split_once('#').map(|(class, _)| class));
    }
    let (tests, _) = tests.sorted();
    let spans = vec![Micros::from_secs(1); tests.len()];
    let setups = vec![Micros::ZERO; tests.group_count()];
    let workload = Workload::new(&tests, &spans, &spans, &setups).expect("columns fit");
    plan(&workload, &PlanOptions::new(2)).expect("a plan").document(&workload, PlanFacts::default())
}

fn verdict(names: &[&str], files: &[File<'_>]) -> VerdictDocument {
    verdict_with(names, files, &Scores::new(FlakeOptions::default()))
}

fn verdict_with(names: &[&str], files: &[File<'_>], scores: &Scores) -> VerdictDocument {
    let outcomes = fold(files);
    let planned = Planned::new(&[plan_of(names)]).with_unplanned(&outcomes);
    judge(&planned, &outcomes, None, scores, &VerdictOptions::default())
}

/// What the newest result of each name says: the rule of most report mergers.
fn last_wins(files: &[File<'_>]) -> bool {
    let mut last = std::collections::BTreeMap::new();
    for (name, outcome) in files.iter().flat_map(|(_, rows)| rows.iter()) {
        last.insert(*name, *outcome);
    }
    last.values().all(|outcome| !outcome.is_failure())
}

/// Green where no result of the newest round is a failure: the rule of a re-run job.
fn newest_round_is_green(files: &[File<'_>]) -> bool {
    let newest = files.iter().map(|(round, _)| *round).max().unwrap_or_default();
    let rows = files.iter().filter(|(round, _)| *round == newest).flat_map(|(_, rows)| rows.iter());
    rows.into_iter().all(|(_, outcome)| !outcome.is_failure())
}

/// Green where nothing that was reported failed: the rule of a CI step.
fn nothing_reported_failed(files: &[File<'_>]) -> bool {
    files.iter().flat_map(|(_, rows)| rows.iter()).all(|(_, outcome)| !outcome.is_failure())
}

/// The naive rule is fooled; the verdict blocks with the word wanted.
fn holds(names: &[&str], files: &[File<'_>], naive: fn(&[File<'_>]) -> bool, run: RunVerdict) {
    assert!(naive(files), "the naive rule was to be fooled");
    let verdict = verdict(names, files);
    assert_eq!(verdict.run, run, "{verdict:#?}");
    assert!(verdict.blocks);
}

// peers.md fact 6: a re-run job is planned anew, and the failing test moves to a shard that does
// not run again. MetaMask/metamask-mobile#31217, TileDB-Cloud-Py#580, knapsack_pro-ruby#100,
// tuist#11284, cypress-io/github-action#531, test-engine-client#577, playwright#35066.
#[test]
fn a_failing_test_that_moved_out_of_the_rerun_stays_failed() {
    let first = [("a#1", Passed), ("a#2", Failed), ("b#1", Passed)];
    holds(
        &["a#1", "a#2", "b#1"],
        &[(1, &first), (2, &[("a#1", Passed)])],
        newest_round_is_green,
        RunVerdict::Failed,
    );
}

// circleci-docs#8159, aqa-tests#6084: the re-run of a dynamic split runs nothing, or others.
#[test]
fn a_rerun_that_ran_nothing_proves_nothing() {
    holds(
        &["a#1", "a#2"],
        &[(1, &[("a#1", Failed), ("a#2", Passed)]), (2, &[])],
        newest_round_is_green,
        RunVerdict::Failed,
    );
}

#[test]
fn what_runs_again_comes_from_results_and_not_from_the_split() {
    let plan = plan_of(&["a#1", "a#2", "b#1", "c#1"]);
    let planned = Planned::new(std::slice::from_ref(&plan));
    let outcomes = fold(&[(1, &[("a#1", Passed), ("b#1", TimedOut), ("c#1", Crashed)])]);
    let cases = cases(&planned, &outcomes);
    let scores = Scores::new(FlakeOptions::default());
    let nothing = (&rasher::retry::Demands::default(), &[][..]);
    let set = outstanding(&planned, &cases, &scores, nothing, &RetryOptions::default());
    let names: Vec<&str> = set.tests.iter().map(|test| planned.tests().name(*test)).collect();
    assert_eq!(names, ["a#2", "b#1", "c#1"]);
}

// gotestsum#192, #423, #565, golang/go#45508, maven-surefire#2257, PR 545: tests never ran.
#[test]
fn tests_that_never_ran_are_not_green() {
    holds(
        &["a#1", "a#2", "b#1"],
        &[(1, &[("a#1", Passed)])],
        nothing_reported_failed,
        RunVerdict::Incomplete,
    );
    let told = [("a#1", Passed), ("a#2", NotRun), ("b#1", Passed)];
    holds(&["a#1", "a#2", "b#1"], &[(1, &told)], nothing_reported_failed, RunVerdict::Incomplete);
}

// pytest-split#95, jest#13476, consul#2165: an empty shard is green.
#[test]
fn a_run_without_any_result_is_not_green() {
    holds(&["a#1"], &[], nothing_reported_failed, RunVerdict::Incomplete);
    holds(&[], &[], nothing_reported_failed, RunVerdict::Incomplete);
}

// maven-surefire#2258, junit-framework#6031, gradle#7802: a crash loses what came after it.
#[test]
fn a_crash_keeps_the_lost_tests_missing() {
    let first = [("a#1", Passed), ("a#2", Crashed)];
    let again = [("a#2", Passed)];
    let files: [File<'_>; 2] = [(1, &first), (2, &again)];
    holds(&["a#1", "a#2", "a#3"], &files, newest_round_is_green, RunVerdict::Incomplete);
}

// maven-surefire#2768, #3303: invocations with other parameters share an id, and the pass of one
// hides the failure of another.
#[test]
fn a_pass_of_one_invocation_is_no_pass_of_another() {
    let rows = [("a#p", Passed), ("a#p", Failed), ("a#p", Passed)];
    holds(&["a#p"], &[(1, &rows)], last_wins, RunVerdict::Failed);
    // Nor where only the second round shows that there are several.
    let (first, second) = ([("a#p", Failed), ("a#p", Passed)], [("a#p", Passed), ("a#p", Failed)]);
    assert!(verdict(&["a#p"], &[(1, &first), (2, &second)]).blocks);
    let green = [("a#p", Passed), ("a#p", Passed)];
    assert!(!verdict(&["a#p"], &[(1, &rows), (2, &green)]).blocks, "all of them passed again");
}

// bktec#236, datahub#19018: two tests of one name, or one test told by two shards.
#[test]
fn two_reports_of_one_round_that_differ_are_not_a_retry() {
    let files: [File<'_>; 2] = [(1, &[("a#1", Failed)]), (1, &[("a#1", Passed)])];
    holds(&["a#1"], &files, last_wins, RunVerdict::Failed);
}

// test-retry#72, #84, #105, maven-surefire#2622: the set-up of a class fails, its tests vanish.
#[test]
fn a_set_up_that_failed_fails_the_tests_of_its_class() {
    let rows = [("a", SetUpFailed), ("b#1", Passed)];
    let only_methods = |files: &[File<'_>]| {
        let rows = files.iter().flat_map(|(_, rows)| rows.iter());
        rows.filter(|(name, _)| name.contains('#')).all(|(_, outcome)| !outcome.is_failure())
    };
    holds(&["a#1", "a#2", "b#1"], &[(1, &rows)], only_methods, RunVerdict::Failed);
}

// A tear-down of the class fails after all its tests passed (maven-surefire#2622, reversed).
#[test]
fn a_tear_down_that_failed_is_seen() {
    let rows = [("a#1", Passed), ("a", Errored)];
    let planned_only = |files: &[File<'_>]| {
        files
            .iter()
            .flat_map(|(_, rows)| rows.iter())
            .all(|(name, it)| *name == "a" || !it.is_failure())
    };
    holds(&["a#1"], &[(1, &rows)], planned_only, RunVerdict::Failed);
}

// LifeOS#1028 and jvm.md 9: a test that is skipped once its prerequisite has failed.
#[test]
fn a_skip_after_a_failure_is_no_pass() {
    let files: [File<'_>; 2] = [(1, &[("a#1", Failed)]), (2, &[("a#1", Skipped)])];
    holds(&["a#1"], &files, newest_round_is_green, RunVerdict::Failed);
}

// Bacon's rule, and dotnet/aspnetcore#67278: a known flaky test fails for good.
#[test]
fn a_flaky_label_lets_nothing_through() {
    let mut scores = Scores::new(FlakeOptions::default());
    for run in 0..120 {
        let end = if run % 3 == 0 { Failed } else { Passed };
        let context = context(&format!("run-{run}"), 1, 1);
        scores.fold(&[RunRecording { context, recording: recording(&[("a#1", end)]) }]);
    }
    assert!(scores.score("a#1").expect("seen").flagged, "listed as flaky");
    let failed: [File<'_>; 2] = [(1, &[("a#1", Failed)]), (2, &[("a#1", Failed)])];
    let verdict = verdict_with(&["a#1"], &failed, &scores);
    assert_eq!(verdict.run, RunVerdict::Failed);
    let passed: [File<'_>; 2] = [(1, &[("a#1", Failed)]), (2, &[("a#1", Passed)])];
    assert_eq!(verdict_with(&["a#1"], &passed, &scores).run, RunVerdict::Flaky);
}

// bazel#4145, opentelemetry-collector-contrib#9236, mui-x#20399: a race of the product passes on
// retry and is never heard of again.
#[test]
fn the_first_failure_ever_does_not_vanish_with_a_pass() {
    let files: [File<'_>; 2] = [(1, &[("a#1", Failed)]), (2, &[("a#1", Passed)])];
    let verdict = verdict(&["a#1"], &files);
    assert_eq!(verdict.run, RunVerdict::Flaky);
    assert_eq!(verdict.tests[0].verdict, rasher::verdict::Word::Suspect);
}

// bazel#3783 and the fixed counts of flakiness.md 0.5: one pass among many failures.
#[test]
fn one_pass_among_many_failures_is_no_flake() {
    let mut scores = Scores::new(FlakeOptions::default());
    for run in 0..200 {
        let context = context(&format!("run-{run}"), 1, 1);
        scores.fold(&[RunRecording { context, recording: recording(&[("a#1", Passed)]) }]);
    }
    let ends = [Failed, Failed, Failed, Failed, Failed, Failed, Failed, Passed];
    let rows: Vec<[Row; 1]> = ends.iter().map(|end| [("a#1", *end)]).collect();
    let files: Vec<File<'_>> =
        rows.iter().zip(1..).map(|(rows, round)| (round, &rows[..])).collect();
    assert!(newest_round_is_green(&files));
    assert_eq!(verdict_with(&["a#1"], &files, &scores).run, RunVerdict::Failed);
}

// A failure of a test that nobody planned (stale plans, jvm.md 9).
#[test]
fn a_failure_that_nobody_planned_is_a_failure() {
    let rows = [("a#1", Passed), ("new#1", Failed)];
    let planned_only = |files: &[File<'_>]| {
        files
            .iter()
            .flat_map(|(_, rows)| rows.iter())
            .all(|(name, it)| *name == "new#1" || !it.is_failure())
    };
    holds(&["a#1"], &[(1, &rows)], planned_only, RunVerdict::Failed);
}

// A class planned as one unit: a pass of some of its tests is no pass of the class.
#[test]
fn a_class_passes_only_as_a_whole() {
    let first = [("a#1", Failed), ("a#2", Passed)];
    let files: [File<'_>; 2] = [(1, &first), (2, &[("a#2", Passed), ("a#1", Failed)])];
    assert!(verdict(&["a"], &files).blocks);
    let files: [File<'_>; 2] = [(1, &first), (2, &[("a#2", Passed), ("a#1", Passed)])];
    assert!(!verdict(&["a"], &files).blocks);
}
