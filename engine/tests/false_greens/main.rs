//! Runs that some tool called green and that were not. Each case comes from a public thread, states
//! the naive rule that it fools, shows that the rule is fooled, and that the verdict is not.

mod corpus;
mod threads;

use jiff::Timestamp;
use rasher::attempt::{Attempt, Isolation, Outcome, Recording, RunContext};
use rasher::flake::{FlakeOptions, Scores};
use rasher::history::RunRecording;
use rasher::outcome::{Folder, Outcomes};
use rasher::plan::document::PlanDocument;
use rasher::plan::{PlanFacts, PlanOptions, Workload, plan};
use rasher::retry::{Demands, Planned, RetryEvidence, RetryOptions, RetrySet, cases, outstanding};
use rasher::test_id::{TestId, TestTable};
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
    let evidence =
        RetryEvidence { scores: &scores, base: None, demands: &Demands::default(), durations: &[] };
    let set = outstanding(&planned, &cases, &evidence, &RetryOptions::default());
    let names: Vec<&str> = set.tests.iter().map(|test| planned.tests().name(*test)).collect();
    assert_eq!(names, ["a#2", "b#1", "c#1"]);
}

// gotestsum#192, #423, #565, golang/go#45508, maven-surefire#2257, PR 545, pragmatica#1344: tests
// never ran.
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

// bazel#4145, opentelemetry-collector-contrib#9236, mui-x#20399, vic-product#2073: a race of the product passes on
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

fn retry_of(
    names: &[&str],
    files: &[File<'_>],
    demands: &Demands,
    options: &RetryOptions,
) -> RetrySet {
    let planned = Planned::new(&[plan_of(names)]);
    let cases = cases(&planned, &fold(files));
    let scores = Scores::new(FlakeOptions::default());
    let evidence = RetryEvidence { scores: &scores, base: None, demands, durations: &[] };
    outstanding(&planned, &cases, &evidence, options)
}

/// The names of a plan in the order of their ids.
fn id(names: &[&str], name: &str) -> TestId {
    Planned::new(&[plan_of(names)]).tests().find(name).expect("planned")
}

// test-retry#152, #423, #13, #21, #45, kotest#268, #315, rules_jvm#472: an invocation is asked for
// by a number, which after a change of parameters is another invocation.
#[test]
fn an_invocation_whose_siblings_changed_is_not_retried_alone() {
    let names = ["a#p[1]", "a#p[2]"];
    let units = vec![names.map(|name| id(&names, name)).to_vec()];
    let demands = Demands { units, ..Demands::default() };
    let rows = [("a#p[1]", Failed), ("a#p[3]", Passed)];
    let set = retry_of(&names, &[(1, &rows)], &demands, &RetryOptions::default());
    assert_eq!(set.tests.len(), 2, "the naive retry asks for a#p[1] alone and finds another test");
    // The pass of the renumbered one proves nothing for the one that vanished.
    let files: [File<'_>; 2] = [(1, &rows), (2, &[("a#p[1]", Passed), ("a#p[3]", Passed)])];
    holds(&names, &files, newest_round_is_green, RunVerdict::Incomplete);
}

// claude-power-pack#900, #864, caura#803, ginkgo#1468, bluepill#41: it passes alone, so it is
// called a flake, and fails again tomorrow in the same order.
#[test]
fn a_test_that_fails_only_after_others_is_not_called_flaky() {
    let mut folder = Folder::new();
    let alone = (Passed, Isolation::FreshWorker);
    let replay = (Failed, Isolation::Replay);
    let rounds =
        [(Failed, Isolation::InSuite), alone, alone, alone, replay, replay, replay, replay];
    for ((outcome, isolation), round) in rounds.into_iter().zip(1..) {
        let context = RunContext { isolation, ..context("run", round, u32::from(round)) };
        folder.add(&context, &recording(&[("a#1", outcome)]));
    }
    let planned = Planned::new(&[plan_of(&["a#1"])]);
    let mut scores = Scores::new(FlakeOptions::default());
    for run in 0..200 {
        let context = context(&format!("run-{run}"), 1, 1);
        scores.fold(&[RunRecording { context, recording: recording(&[("a#1", Passed)]) }]);
    }
    let verdict = judge(&planned, &folder.finish(), None, &scores, &VerdictOptions::default());
    assert_eq!(verdict.tests[0].verdict, rasher::verdict::Word::Order, "{verdict:#?}");
}

// pytest-rerunfailures#199, #51, #274: what a test needs is not run again with it.
#[test]
fn what_a_test_needs_runs_again_with_it() {
    let names = ["a#login", "a#logout", "b#1"];
    let needs = vec![(id(&names, "a#logout"), id(&names, "a#login"))];
    let demands = Demands { needs, ..Demands::default() };
    let rows = [("a#login", Passed), ("a#logout", Failed), ("b#1", Passed)];
    let set = retry_of(&names, &[(1, &rows)], &demands, &RetryOptions::default());
    assert_eq!((set.tests.len(), set.demanded), (2, 1));
}

// bazel#4145, omicron#10043, rsync#7845: a data race passes on retry.
#[test]
fn a_data_race_is_not_made_good_by_a_pass() {
    let mut race = recording(&[("a#1", Failed)]);
    race.attempts[0].message = Some("WARNING: DATA RACE at counter.go:7".into());
    let mut folder = Folder::new();
    folder.add(&context("run", 1, 1), &race);
    folder.add(&context("run", 2, 2), &recording(&[("a#1", Passed)]));
    let planned = Planned::new(&[plan_of(&["a#1"])]);
    let scores = Scores::new(FlakeOptions::default());
    let verdict = judge(&planned, &folder.finish(), None, &scores, &VerdictOptions::default());
    assert_eq!(verdict.run, RunVerdict::Failed, "{verdict:#?}");
}

// dotnet/aspnetcore#67278: a consistent regression is put into quarantine as flaky.
#[test]
fn two_failures_in_a_row_are_a_breakage_and_not_a_flaky_test() {
    let mut scores = Scores::new(FlakeOptions::default());
    for run in 0..206 {
        let end = if run < 200 { Passed } else { Failed };
        let name = format!("run-{run:03}");
        let first =
            RunRecording { context: context(&name, 1, 1), recording: recording(&[("a#1", end)]) };
        let again =
            RunRecording { context: context(&name, 2, 2), recording: recording(&[("a#1", end)]) };
        let runs = if run < 200 { vec![first] } else { vec![first, again] };
        scores.fold(&runs);
    }
    let score = scores.score("a#1").expect("seen");
    assert!(score.p_broken > 0.95 && !score.flagged, "{score:?}");
    // The naive share of failures would rank it among the flakiest.
    assert!(scores.strip("a#1").pass_rate(20).is_some_and(|rate| rate < 0.8));
}

// pytorch#92555, #117132, test-infra#6044: one cause, fifty bugs.
#[test]
fn tests_that_always_fail_together_are_one_cause() {
    let names = ["a#1", "b#1", "c#1", "d#1"];
    let mut scores = Scores::new(FlakeOptions::default());
    for run in 0..90 {
        let end = if run % 15 == 0 { Failed } else { Passed };
        let rows = names.map(|name| (name, end));
        let context = context(&format!("run-{run:02}"), 1, 1);
        scores.fold(&[RunRecording { context, recording: recording(&rows) }]);
    }
    assert_eq!(scores.clusters().lists().len(), 1);
    let (failed, passed) = (names.map(|name| (name, Failed)), names.map(|name| (name, Passed)));
    let p_of = |count: usize| {
        let files: [File<'_>; 2] = [(1, &failed[..count]), (2, &passed[..count])];
        verdict_with(&names[..count], &files, &scores).p_real
    };
    assert!(p_of(4) < 2.0 * p_of(1), "counted as four causes it would be four times as likely");
}

// test-retry#481: too many failures, and nobody says why nothing was retried.
#[test]
fn what_a_limit_leaves_out_says_so_and_blocks() {
    let names = ["a#1", "b#1"];
    let rows = [("a#1", Failed), ("b#1", Failed)];
    let mut options = RetryOptions::default();
    options.limits.tests_max = 1;
    let set = retry_of(&names, &[(1, &rows)], &Demands::default(), &options);
    assert_eq!((set.tests.len(), set.over_limit), (1, 1));
    assert!(set.settled[0].reason.contains("over the limit of 1 tests"));
    let files: [File<'_>; 2] = [(1, &rows), (2, &[("a#1", Passed)])];
    holds(&names, &files, newest_round_is_green, RunVerdict::Failed);
}

// maven-surefire#2471 (the other way round): a flake is counted as a failure of the run.
#[test]
fn a_flake_that_passed_again_does_not_fail_the_run() {
    let files: [File<'_>; 2] = [(1, &[("a#1", Failed)]), (2, &[("a#1", Passed)])];
    assert!(!nothing_reported_failed(&files), "counting attempts fails the run");
    assert!(!verdict(&["a#1"], &files).blocks);
}

// dfinity/ic#4325: a flaky pass is cached as a pass.
#[test]
fn a_pass_after_failures_says_so_wherever_it_goes() {
    let files: [File<'_>; 2] = [(1, &[("a#1", Failed)]), (2, &[("a#1", Passed)])];
    let verdict = verdict(&["a#1"], &files);
    assert!(last_wins(&files));
    assert_eq!(verdict.run, RunVerdict::Flaky, "not `passed`");
    assert!(verdict.tests[0].evidence.contains("failed 1, passed 1"));
}

// sveltejs/kit#6995, fcvm#629: a test that hangs is retried as often as one that fails at once.
#[test]
fn retries_of_tests_that_hang_stop_at_the_limit_of_time() {
    let names = ["a#hangs", "b#1", "c#1"];
    let planned = Planned::new(&[plan_of(&names)]);
    let rows = [("a#hangs", TimedOut), ("b#1", Failed), ("c#1", Failed)];
    let cases = cases(&planned, &fold(&[(1, &rows)]));
    let scores = Scores::new(FlakeOptions::default());
    let durations = [600, 1, 1].map(Micros::from_secs);
    let demands = Demands::default();
    let evidence =
        RetryEvidence { scores: &scores, base: None, demands: &demands, durations: &durations };
    let mut options = RetryOptions::default();
    options.limits.time_max = Micros::from_secs(60);
    let set = outstanding(&planned, &cases, &evidence, &options);
    assert_eq!(set.tests, [id(&names, "b#1"), id(&names, "c#1")]);
}

// surefire#858, #3264, #2541, #2537: a rerun told by class and name meets another test of that name.
#[test]
fn a_pass_of_a_test_of_the_same_name_elsewhere_is_no_pass() {
    let rows = [("a#1", Failed), ("b#1", Passed)];
    let by_method = |files: &[File<'_>]| {
        let newest = files.last().map(|(_, rows)| rows.to_vec()).unwrap_or_default();
        newest.iter().any(|(name, end)| name.ends_with("#1") && *end == Passed)
    };
    let files: [File<'_>; 2] = [(1, &rows), (2, &[("b#1", Passed)])];
    holds(&["a#1", "b#1"], &files, by_method, RunVerdict::Failed);
}
