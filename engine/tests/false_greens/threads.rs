//! Further threads: reruns that find nothing, plans that change between attempts, reports that are
//! lost on the way, names that do not hold.

use rasher::history::History;
use rasher::ingest::{Limits, Reader};
use rasher::outcome::ledger::{Ledger, LedgerError, Verification};
use rasher::plan::Terms;
use rasher::retry::Again;
use rasher::verdict::Word;

use super::*;

/// Green where each name has a pass somewhere: the rule of tools that rerun.
fn any_pass_counts(files: &[File<'_>]) -> bool {
    let rows = || files.iter().flat_map(|(_, rows)| rows.iter());
    rows().all(|(name, _)| rows().any(|(other, end)| other == name && *end == Passed))
}

/// Green where no row of the newest round fails and a row for each name, cut like this, passed.
fn newest_pass_of(files: &[File<'_>], names: &[&str], cut: fn(&str) -> &str) -> bool {
    let newest = files.iter().map(|(round, _)| *round).max().unwrap_or_default();
    let of_newest = || files.iter().filter(|(round, _)| *round == newest);
    let rows = || of_newest().flat_map(|(_, rows)| rows.iter());
    let passed =
        |wanted: &&str| rows().any(|(name, end)| cut(name) == cut(wanted) && *end == Passed);
    rows().all(|(_, end)| !end.is_failure()) && names.iter().any(passed)
}

fn ledger(plans: &[PlanDocument], files: &[File<'_>]) -> Verification {
    let mut ledger = Ledger::open(plans).expect("plans of one run");
    for (round, rows) in files {
        let told = recording(rows);
        ledger.report(*round, &told, 0..told.attempts.len()).expect("rounds count from 1");
    }
    ledger.close()
}

/// The plan that runs again what these files leave outstanding.
fn again(first: &PlanDocument, files: &[File<'_>], shards: u32) -> PlanDocument {
    let plans = std::slice::from_ref(first);
    let planned = Planned::new(plans);
    let cases = cases(&planned, &fold(files));
    let scores = Scores::new(FlakeOptions::default());
    let demands = Demands::default();
    let evidence = RetryEvidence { scores: &scores, base: None, demands: &demands, durations: &[] };
    let set = outstanding(&planned, &cases, &evidence, &RetryOptions::default());
    let terms = Terms::default();
    let again = Again::Reshard { shards: Some(shards), deadline: None, terms: &terms };
    let made = set.plan(&planned, plans, &History::new("ci"), again).expect("a plan");
    made.expect("a plan was given")
}

// maven-surefire#2537, #2541: a rerun is told to run methods, finds none in the suite class, runs
// nothing, and the row of the suite is green.
#[test]
fn a_rerun_that_found_no_method_leaves_the_failure() {
    let files: [File<'_>; 2] =
        [(1, &[("a#1", Failed), ("a#2", Passed)]), (2, &[("AllTests", Passed)])];
    holds(&["a#1", "a#2"], &files, newest_round_is_green, RunVerdict::Failed);
}

// playwright#35066, #35117, woocommerce#50492: the failed tests are dealt to several nodes, and all
// but the first node get none and are green.
#[test]
fn what_failed_is_dealt_over_all_nodes_and_each_must_report() {
    let names = ["a#1", "b#1", "c#1", "d#1"];
    let first = plan_of(&names);
    let failed = names.map(|name| (name, Failed));
    let retry = again(&first, &[(1, &failed)], 4);
    assert!(retry.shards.iter().all(|shard| shard.tests.len() == 1), "each node has its share");
    let one = [(names[0], Passed)];
    let files: [File<'_>; 2] = [(1, &failed), (2, &one)];
    assert!(newest_round_is_green(&files));
    let verified = ledger(&[first, retry], &files);
    assert_eq!((verified.silent_shards.len(), verified.complete), (3, false));
    assert_eq!(verified.stale.len(), 3, "their failures of before do not count as results");
}

// knapsack_pro-ruby#100, tuist#11284: the plan is keyed by attempt, so a second attempt follows a
// plan of its own, and the tests that moved to a node that is not started again are never run.
#[test]
fn a_second_plan_of_a_run_that_is_no_retry_of_the_first_is_refused() {
    let (first, second) = (plan_of(&["a#1", "b#1", "c#1"]), plan_of(&["a#1", "b#1"]));
    let rows = [("a#1", Passed), ("b#1", Passed)];
    let newest = ledger(std::slice::from_ref(&second), &[(1, &rows)]);
    assert!(newest.complete, "who believes the newest plan alone is fooled");
    let both = Ledger::open(&[first, second]);
    assert!(matches!(both, Err(LedgerError::Unlinked(_, _))));
}

// The build of the rerun fails, and the reports of the attempt before still lie there (bktec's
// masked build failure, pragmatica#1344).
#[test]
fn reports_of_the_attempt_before_are_no_results_of_this_one() {
    let first = plan_of(&["a#1", "a#2"]);
    let rows = [("a#1", Passed), ("a#2", TimedOut)];
    let retry = again(&first, &[(1, &rows)], 1);
    let all_reported = |files: &[File<'_>]| {
        let rows = || files.iter().flat_map(|(_, rows)| rows.iter());
        ["a#1", "a#2"].iter().all(|test| rows().any(|(name, _)| name == test))
    };
    let files: [File<'_>; 1] = [(1, &rows)];
    assert!(all_reported(&files), "each planned test has a report");
    let verified = ledger(&[first, retry], &files);
    assert_eq!((verified.stale, verified.complete), (vec!["a#2".to_owned()], false));
}

// gradle#25311, #25983, #26210, #24613: under the configuration cache the listener is dropped; the
// tests run, nobody hears of it, and the build is green.
#[test]
fn a_shard_that_nobody_heard_of_makes_the_run_incomplete() {
    let names = ["a#1", "b#1"];
    let plan = plan_of(&names);
    let heard = plan.shards[0].tests[0].clone();
    let heard = if heard == "a#1" { [("a#1", Passed)] } else { [("b#1", Passed)] };
    let files: [File<'_>; 1] = [(1, &heard)];
    let verified = ledger(std::slice::from_ref(&plan), &files);
    assert_eq!((verified.silent_shards.len(), verified.complete), (1, false));
    holds(&names, &files, nothing_reported_failed, RunVerdict::Incomplete);
}

// maven-surefire#2530, #2278, #2863, #3148, #2066, J2V8#377, cuopt PR 1825: output of the tests
// corrupts the channel of the forked JVM, and what came after it never arrives.
#[test]
fn a_report_that_breaks_off_is_believed_as_far_as_it_goes() {
    let case = |name: &str| format!("<testcase classname=\"a\" name=\"{name}\" time=\"1\"/>\n");
    let head = "<testsuite name=\"a\" tests=\"3\" failures=\"0\" errors=\"0\" time=\"3\">\n";
    let whole = format!("{head}{}{}{}</testsuite>", case("1"), case("2"), case("3"));
    let cut = &whole[..head.len() + case("1").len() + case("2").len() / 2];
    assert!(cut.contains("failures=\"0\" errors=\"0\""), "who reads the head sees three passes");
    let mut reader = Reader::new(Limits::default());
    let report = reader.read(cut.as_bytes(), None);
    assert!(!report.problems.is_empty(), "and nobody is told");
    let told = reader.finish();
    let mut folder = Folder::new();
    folder.add(&context("run", 1, 1), &told);
    let planned = Planned::new(&[plan_of(&["a#1", "a#2", "a#3"])]);
    let scores = Scores::new(FlakeOptions::default());
    let verdict = judge(&planned, &folder.finish(), None, &scores, &VerdictOptions::default());
    let missing: Vec<&str> = verdict.tests.iter().map(|test| test.test.as_str()).collect();
    assert_eq!((verdict.run, missing), (RunVerdict::Incomplete, vec!["a#2", "a#3"]));
}

// gradle#39079: the report drops the method of parameterised tests, so that two methods of a class
// share the id of their first invocation.
#[test]
fn invocations_of_two_methods_under_one_id_do_not_speak_for_each_other() {
    let rows = [("a#[1] x", Passed), ("a#[1] x", Failed)];
    holds(&["a#[1] x"], &[(1, &rows)], any_pass_counts, RunVerdict::Failed);
    let files: [File<'_>; 2] = [(1, &rows), (2, &[("a#[1] x", Passed)])];
    assert!(newest_round_is_green(&files));
    let cut = ledger(&[plan_of(&["a#[1] x"])], &files[..1]);
    assert_eq!((cut.repeated.len(), cut.complete), (1, false));
}

// wala/WALA#1498, junit-framework#3686, #3775: names that are made anew in each run, or numbers
// that mean another invocation after an edit.
#[test]
fn a_pass_under_a_new_name_is_no_pass_of_the_old_one() {
    let names = ["a#p[id 4f]"];
    let files: [File<'_>; 2] = [(1, &[("a#p[id 9c]", Failed)]), (2, &[("a#p[id 07]", Passed)])];
    holds(&names, &files, newest_round_is_green, RunVerdict::Incomplete);
    let verdict = verdict(&names, &files);
    let word = |name: &str| verdict.tests.iter().find(|it| it.test == name).map(|it| it.verdict);
    assert_eq!(word("a#p[id 4f]"), Some(Word::Missing));
    assert_eq!(word("a#p[id 9c]"), Some(Word::Failed), "and the failure stays");
}

// reportportal#445: a failing test is given another name, and its history looks settled.
#[test]
fn a_failing_test_that_was_renamed_stays_failed() {
    let files: [File<'_>; 2] = [(1, &[("a#old", Failed)]), (2, &[("a#new", Passed)])];
    holds(&["a#old"], &files, newest_round_is_green, RunVerdict::Failed);
}

// test-retry#500, PR 501: a row with an empty class name is matched by its method.
#[test]
fn a_row_without_a_class_is_no_pass_of_a_test_of_that_name() {
    let files: [File<'_>; 2] = [(1, &[("a#1", Failed)]), (2, &[("#1", Passed)])];
    assert!(newest_pass_of(&files, &["a#1"], |name| name.rsplit('#').next().unwrap_or_default()));
    holds(&["a#1"], &files, newest_round_is_green, RunVerdict::Failed);
}

// test-retry#70, #235, #227, rules_jvm#325, circleci-docs#4430: a nested class is taken for the one
// that it stands in.
#[test]
fn a_pass_in_a_nested_class_is_no_pass_of_the_outer_one() {
    let files: [File<'_>; 2] =
        [(1, &[("a#1", Failed), ("a$In#1", Passed)]), (2, &[("a$In#1", Passed)])];
    assert!(newest_pass_of(&files, &["a#1"], |name| name
        .split(['$', '#'])
        .next()
        .unwrap_or_default()));
    holds(&["a#1", "a$In#1"], &files, newest_round_is_green, RunVerdict::Failed);
}

// claude-power-pack#900, caura#803: the pass alone is the last word, though the suite stays red.
#[test]
fn a_pass_alone_does_not_speak_for_a_test_that_fails_in_its_order() {
    let mut scores = Scores::new(FlakeOptions::default());
    for run in 0..40 {
        let context = context(&format!("run-{run}"), 1, 1);
        scores.fold(&[RunRecording { context, recording: recording(&[("a#1", Passed)]) }]);
    }
    let judged = |ends: &[(Outcome, Isolation)]| {
        let mut folder = Folder::new();
        for ((outcome, isolation), round) in ends.iter().zip(1..) {
            let context = RunContext { isolation: *isolation, ..context("run", round, 1) };
            folder.add(&context, &recording(&[("a#1", *outcome)]));
        }
        let planned = Planned::new(&[plan_of(&["a#1"])]);
        judge(&planned, &folder.finish(), None, &scores, &VerdictOptions::default())
    };
    let (suite, alone) = ((Failed, Isolation::InSuite), (Passed, Isolation::FreshWorker));
    let replay = |end| (end, Isolation::Replay);
    assert!(!judged(&[suite, alone]).blocks, "the naive answer, as long as nobody replays it");
    let verdict = judged(&[suite, alone, replay(Failed)]);
    assert_eq!((verdict.run, verdict.tests[0].verdict), (RunVerdict::Failed, Word::Order));
    // Nor where it passes alone once more, after the replay.
    assert!(judged(&[suite, alone, replay(Failed), alone]).blocks);
    assert!(!judged(&[suite, alone, replay(Passed)]).blocks, "it passed in its order too");
}

// test-infra disable_flaky_tests.py: the service that knows what is flaky was dead for four weeks,
// and nobody noticed.
#[test]
fn a_history_that_was_lost_is_said_and_excuses_nothing() {
    let failed: [File<'_>; 2] = [(1, &[("a#1", Failed)]), (2, &[("a#1", Failed)])];
    let verdict = verdict(&["a#1"], &failed);
    assert!(verdict.blocks && verdict.tests[0].evidence.contains("no history"), "{verdict:#?}");
    let passed: [File<'_>; 2] = [(1, &[("a#1", Failed)]), (2, &[("a#1", Passed)])];
    assert!(any_pass_counts(&passed));
    let verdict = self::verdict(&["a#1"], &passed);
    assert_eq!(verdict.tests[0].verdict, Word::Suspect, "not `flaky`: nothing is known of it");
}
