//! The corpus as a table: which public thread is played by which test, and the naive rule that calls
//! the run green. The table is held against the tests, so that neither goes without the other.

use std::collections::BTreeSet;

/// Threads, the naive rule, the test. Two cases come from no thread, and say so.
const CORPUS: [(&str, &str, &str); 40] = [
    (
        "metamask-mobile#31217 TileDB-Cloud-Py#580 knapsack_pro-ruby#100 tuist#11284 \
         cypress-io/github-action#531 test-engine-client#577 playwright#35066",
        "nothing in the newest round failed",
        "a_failing_test_that_moved_out_of_the_rerun_stays_failed",
    ),
    (
        "circleci-docs#8159 aqa-tests#6084",
        "nothing in the newest round failed, for it ran nothing",
        "a_rerun_that_ran_nothing_proves_nothing",
    ),
    (
        "circleci-docs#8159 aqa-tests#6084",
        "a node runs again what its split gives it now",
        "what_runs_again_comes_from_results_and_not_from_the_split",
    ),
    (
        "gotestsum#192 gotestsum#423 gotestsum#565 golang/go#45508 maven-surefire#2257 \
         maven-surefire#545 maven-surefire#2686 pragmatica#1344",
        "nothing that was reported failed",
        "tests_that_never_ran_are_not_green",
    ),
    (
        "pytest-split#95 jest#13476 consul#2165",
        "no failure in no results",
        "a_run_without_any_result_is_not_green",
    ),
    (
        "maven-surefire#2258 junit-framework#6031 gradle#7802",
        "the test that crashed passed again, and so did all that reported",
        "a_crash_keeps_the_lost_tests_missing",
    ),
    (
        "maven-surefire#2768 maven-surefire#3303 maven-surefire#2040 maven-surefire#245 \
         maven-surefire#252 maven-surefire#3418",
        "the last row of a name counts",
        "a_pass_of_one_invocation_is_no_pass_of_another",
    ),
    (
        "bktec#236 datahub#19018",
        "two rows of a name are an attempt and its retry",
        "two_reports_of_one_round_that_differ_are_not_a_retry",
    ),
    (
        "test-retry#72 test-retry#84 test-retry#105 maven-surefire#2622",
        "rows of methods count, those of classes do not",
        "a_set_up_that_failed_fails_the_tests_of_its_class",
    ),
    ("maven-surefire#2622", "planned names alone count", "a_tear_down_that_failed_is_seen"),
    ("LifeOS#1028", "a skip is no failure", "a_skip_after_a_failure_is_no_pass"),
    (
        "aspnetcore#67278",
        "a test on the list of flaky ones may fail",
        "a_flaky_label_lets_nothing_through",
    ),
    (
        "bazel#4145 opentelemetry-collector-contrib#9236 mui-x#20399 vic-product#2073",
        "passed on retry is passed",
        "the_first_failure_ever_does_not_vanish_with_a_pass",
    ),
    (
        "bazel#3783 bazel#28635",
        "the first pass of n attempts settles it",
        "one_pass_among_many_failures_is_no_flake",
    ),
    (
        "no-thread:a-plan-older-than-the-tests",
        "planned names alone count",
        "a_failure_that_nobody_planned_is_a_failure",
    ),
    (
        "no-thread:a-class-planned-as-one-unit",
        "a class passed where any of its tests did",
        "a_class_passes_only_as_a_whole",
    ),
    (
        "test-retry#152 test-retry#423 test-retry#13 test-retry#21 test-retry#45 kotest#268 \
         kotest#315 rules_jvm#472",
        "an invocation is asked for by its number",
        "an_invocation_whose_siblings_changed_is_not_retried_alone",
    ),
    (
        "claude-power-pack#900 claude-power-pack#864 caura#803 ginkgo#1468 bluepill#41",
        "it passes alone, so it is a flake",
        "a_test_that_fails_only_after_others_is_not_called_flaky",
    ),
    (
        "pytest-rerunfailures#199 pytest-rerunfailures#51 pytest-rerunfailures#274",
        "what failed runs again, and nothing with it",
        "what_a_test_needs_runs_again_with_it",
    ),
    (
        "bazel#4145 omicron#10043 rsync#7845",
        "passed on retry is passed",
        "a_data_race_is_not_made_good_by_a_pass",
    ),
    (
        "aspnetcore#67278",
        "a share of failures over a limit is flaky",
        "two_failures_in_a_row_are_a_breakage_and_not_a_flaky_test",
    ),
    (
        "pytorch#92555 pytorch#117132 test-infra#6044",
        "each failing test is a cause of its own",
        "tests_that_always_fail_together_are_one_cause",
    ),
    (
        "test-retry#481 test-retry#3",
        "nothing in the newest round failed, for the limit left it out",
        "what_a_limit_leaves_out_says_so_and_blocks",
    ),
    (
        "maven-surefire#2471 maven-surefire#3101",
        "each failed attempt is a failure: red, the other way round",
        "a_flake_that_passed_again_does_not_fail_the_run",
    ),
    (
        "dfinity/ic#4325",
        "the last row counts, and is cached",
        "a_pass_after_failures_says_so_wherever_it_goes",
    ),
    (
        "sveltejs/kit#6995 fcvm#629",
        "n retries each, whatever they take",
        "retries_of_tests_that_hang_stop_at_the_limit_of_time",
    ),
    (
        "maven-surefire#858 maven-surefire#3264 maven-surefire#3342",
        "a method of that name passed",
        "a_pass_of_a_test_of_the_same_name_elsewhere_is_no_pass",
    ),
    (
        "maven-surefire#2537 maven-surefire#2541",
        "the row of the suite class is green",
        "a_rerun_that_found_no_method_leaves_the_failure",
    ),
    (
        "playwright#35066 playwright#35117 woocommerce#50492",
        "nodes without tests are green",
        "what_failed_is_dealt_over_all_nodes_and_each_must_report",
    ),
    (
        "knapsack_pro-ruby#100 tuist#11284",
        "the newest plan is all there is",
        "a_second_plan_of_a_run_that_is_no_retry_of_the_first_is_refused",
    ),
    (
        "bktec#577 pragmatica#1344",
        "a report lies there, so it ran",
        "reports_of_the_attempt_before_are_no_results_of_this_one",
    ),
    (
        "gradle#25311 gradle#25983 gradle#26210 gradle#24613",
        "nothing that was reported failed",
        "a_shard_that_nobody_heard_of_makes_the_run_incomplete",
    ),
    (
        "maven-surefire#2530 maven-surefire#2278 maven-surefire#2863 maven-surefire#3148 \
         maven-surefire#2066 J2V8#377 cuopt#1825",
        "the head of the report says no failures",
        "a_report_that_breaks_off_is_believed_as_far_as_it_goes",
    ),
    (
        "gradle#39079",
        "a pass of that name somewhere",
        "invocations_of_two_methods_under_one_id_do_not_speak_for_each_other",
    ),
    (
        "WALA#1498 junit-framework#3686 junit-framework#3775",
        "nothing in the newest round failed",
        "a_pass_under_a_new_name_is_no_pass_of_the_old_one",
    ),
    (
        "reportportal#445",
        "nothing in the newest round failed",
        "a_failing_test_that_was_renamed_stays_failed",
    ),
    (
        "test-retry#500 test-retry#501",
        "a row of that method passed",
        "a_row_without_a_class_is_no_pass_of_a_test_of_that_name",
    ),
    (
        "test-retry#70 test-retry#235 test-retry#227 rules_jvm#325 circleci-docs#4430",
        "a test of the outermost class passed",
        "a_pass_in_a_nested_class_is_no_pass_of_the_outer_one",
    ),
    (
        "claude-power-pack#900 caura#803",
        "the last word is a pass",
        "a_pass_alone_does_not_speak_for_a_test_that_fails_in_its_order",
    ),
    (
        "test-infra:disable_flaky_tests.py maven-surefire#2445",
        "a pass of that name somewhere, and no news is good news",
        "a_history_that_was_lost_is_said_and_excuses_nothing",
    ),
];

/// The tests of a source, by name.
fn tests_of(source: &str) -> BTreeSet<&str> {
    let lines: Vec<&str> = source.lines().collect();
    let tests = lines.windows(2).filter(|pair| pair[0].trim() == "#[test]");
    tests.filter_map(|pair| pair[1].trim().strip_prefix("fn ")?.split('(').next()).collect()
}

#[test]
fn every_thread_has_its_test_and_every_test_its_thread() {
    let sources = [include_str!("main.rs"), include_str!("threads.rs")];
    let written: BTreeSet<&str> = sources.iter().flat_map(|source| tests_of(source)).collect();
    let told: BTreeSet<&str> = CORPUS.iter().map(|(_, _, test)| *test).collect();
    assert_eq!(told, written);
    assert_eq!(told.len(), CORPUS.len(), "a test stands twice");
    for (threads, naive, test) in CORPUS {
        assert!(!naive.is_empty(), "{test}");
        for thread in threads.split_whitespace() {
            let named = thread.split_once(['#', ':']);
            assert!(named.is_some_and(|(place, what)| !place.is_empty() && !what.is_empty()));
        }
    }
}
