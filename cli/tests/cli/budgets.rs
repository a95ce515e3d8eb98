//! Budgets as people ask for them: the policy, the size, the frontier, the past played again.

use std::fs;
use std::path::Path;

use crate::project::{Called, Project, suite};

const RULES: &str = r#"
[account]
currency = "EUR"
concurrent-max = 40

[[pool]]
name = "plain"
price = "0.60"
billing = "minute"
startup = "30s"

[[pool]]
name = "spot"
price = "0.20"
billing = "minute"
startup = "1m"
workers-max = 4
spot = { interruptions-per-hour = 0.1, work-lost = "5m" }

[[rule]]
name = "hot fix"
branches = ["hotfix/**"]
deadline = "6m"
spot = false
retry-share = "25%"

[[rule]]
name = "night"
days = ["mon-fri"]
hours = ["22:00-06:00"]
zone = "America/New_York"
deadline = "40m"
priority = "lazy"

[[rule]]
name = "else"
deadline = "12m"
"#;

/// Ten classes of four tests, forty minutes of work, recorded `runs` times with some noise.
fn recorded(runs: u64) -> Project {
    recorded_with(runs, |run, class, case| {
        30.0 + class as f64 * 6.0 + ((run * 13 + class * 7 + case * 5) % 11) as f64
    })
}

/// The same with tests that are all alike: only the level of a run changes, and every planner gives
/// equal shards.
fn levelled(runs: u64) -> Project {
    recorded_with(runs, |run, _, _| 60.0 + (run * 13 % 11) as f64)
}

fn recorded_with(runs: u64, seconds: impl Fn(u64, u64, u64) -> f64) -> Project {
    let project = Project::new();
    for run in 0..runs {
        let folder = format!("run{run:02}");
        for class in 0..10u64 {
            let cases: Vec<(String, f64)> =
                (0..4u64).map(|case| (format!("t{case}"), seconds(run, class, case))).collect();
            let cases: Vec<(&str, f64, &str)> =
                cases.iter().map(|(name, seconds)| (name.as_str(), *seconds, "")).collect();
            let class = format!("x.C{class}Test");
            project.write(&format!("{folder}/TEST-{class}.xml"), suite(&class, &cases));
        }
        let (id, at) = (format!("run {run}"), format!("2026-03-{:02}T12:00:00Z", run % 28 + 1));
        project.rasher(&["record", &folder, "--run", &id, "--at", &at]).code(0);
    }
    project
}

/// Holds a text against a file beside this one; `UPDATE_GOLDENS=1` writes it.
#[track_caller]
fn golden(name: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli/goldens").join(name);
    if std::env::var_os("UPDATE_GOLDENS").is_some() {
        fs::write(&path, text).expect("a disk that works");
    }
    let wanted = fs::read_to_string(&path).expect("a golden");
    assert_eq!(text, wanted, "{name} differs; UPDATE_GOLDENS=1 writes it anew");
}

fn budget(called: &Called) -> serde_json::Value {
    called.json()["budget"].clone()
}

#[test]
fn the_frontier_as_table_csv_json_and_picture() {
    let project = recorded(3);
    project.write("rasher.toml", RULES);
    let ask = |more: &[&str]| {
        let fixed = ["frontier", "--workers", "48", "--quiet", "--branch", "main", "--policy"];
        let at = ["--at", "2026-11-23T12:00:00Z"];
        project.rasher(&[&fixed[..], &at, more].concat()).code(0)
    };
    golden("frontier.txt", &ask(&[]).stdout);
    golden("frontier.csv", &ask(&["--csv"]).stdout);
    golden("frontier.json", &ask(&["--json"]).stdout);
    ask(&["--svg", "f.svg"]);
    let svg = project.read("f.svg");
    assert!(svg.starts_with("<svg") && svg.contains("else: ") && svg.contains("cost"));
    let json = ask(&["--json"]).json();
    assert_eq!(json["schema"], "rasher.frontier/1");
    let points = json["points"].as_array().expect("points");
    assert_eq!(points.len(), 48);
    assert!(points.iter().any(|p| p["dominated"] == true));
    assert_eq!(json["chosen"]["rule"], "else");
}

#[test]
fn the_rule_that_applies_decides_the_workers_and_says_why() {
    let project = recorded(3);
    project.write("rasher.toml", RULES);
    let plan = |branch: &str, at: &str, code: i32, more: &[&str]| {
        let fixed = ["plan", "--policy", "--branch", branch, "--at", at, "--json"];
        project.rasher(&[&fixed[..], more].concat()).code(code)
    };
    let monday_noon = "2026-11-23T12:00:00-05:00";
    let hot = plan("hotfix/a", monday_noon, 0, &["--explain-budget", "--out", "p.json"]);
    let hot = hot.says("fits  hot fix: branch hotfix/a fits hotfix/**");
    let hot = hot.says("durations by `");
    let document = hot.json();
    assert_eq!(document["budget"]["rule"], "hot fix");
    assert_eq!(document["budget"]["deadline_ms"], 360_000.0);
    assert_eq!(document["budget"]["retry_ms"], 90_000.0);
    let finish = document["budget"]["predicted_finish_ms"].as_f64().expect("a time");
    assert!(finish <= 270_000.0, "a quarter is kept for retries: {finish}");
    let pools: Vec<_> = document["shards"].as_array().expect("shards").iter().collect();
    assert!(pools.iter().all(|shard| shard["pool"] == "plain"), "no spot for a hot fix");
    let night = budget(&plan("main", "2026-11-23T23:00:00-05:00", 0, &[]));
    assert_eq!(night["rule"], "night");
    assert!(night["why"].as_str().expect("a reason").contains("never adds workers"));
    let idle = plan("main", "2026-11-23T23:00:00-05:00", 3, &["--idle", "1"]);
    assert_eq!(budget(&idle)["workers"], 1);
    assert_eq!(budget(&idle)["feasible"], false);
    assert_eq!(budget(&plan("main", monday_noon, 0, &[]))["rule"], "else");
}

#[test]
fn a_mixed_fleet_is_planned_for_the_pools_it_has() {
    let project = recorded(3);
    project.write("rasher.toml", RULES);
    let args = ["plan", "--deadline", "10m", "--json", "--quiet", "--out", "p.json"];
    let plan = project.rasher(&args).code(0).json();
    let mut pools: Vec<&str> = plan["shards"]
        .as_array()
        .expect("shards")
        .iter()
        .map(|shard| shard["pool"].as_str().expect("a pool"))
        .collect();
    pools.dedup();
    assert_eq!(pools, ["plain", "spot"], "four of the cheap ones, the rest on demand");
    let finish = plan["budget"]["predicted_finish_ms"].as_f64().expect("a time");
    let makespan = plan["makespan_ms"].as_f64().expect("a time");
    // The planner works with whole thousandths of a pool's speed.
    assert!((finish - makespan).abs() < 2e-3 * finish, "{finish} {makespan}");
    assert!(finish <= 600_000.0);
    assert_eq!(plan["tests"], 40);
}

#[test]
fn what_is_kept_for_retries_is_what_a_retry_may_take() {
    let project = recorded(3);
    project.write("rasher.toml", RULES);
    let args = ["plan", "--policy", "--branch", "hotfix/a", "--out", "p.json", "--quiet"];
    project.rasher(&args).code(0);
    let class = |failed: &str| {
        let cases: Vec<(String, &str)> = (0..4).map(|c| (format!("t{c}"), failed)).collect();
        let cases: Vec<(&str, f64, &str)> =
            cases.iter().map(|(name, inner)| (name.as_str(), 40.0, *inner)).collect();
        suite("x.C5Test", &cases)
    };
    project.write("results/TEST-x.C5Test.xml", class("<failure message=\"no\"/>"));
    for other in (0..10).filter(|class| *class != 5) {
        let text = project.read(&format!("run00/TEST-x.C{other}Test.xml"));
        project.write(&format!("results/TEST-x.C{other}Test.xml"), text);
    }
    let args = ["retry", "--plan", "p.json", "--results", "results", "--json", "--quiet"];
    let retry = project.rasher(&args).code(0).json();
    assert_eq!(retry["budget"]["rule"], "retry-share");
    // Ninety seconds are kept, thirty of them go by until a worker is up.
    assert_eq!(retry["budget"]["deadline_ms"], 60_000.0);
    assert!(retry["shards"].as_array().expect("shards").len() > 2, "{}", retry["budget"]);
}

#[test]
fn a_deadline_that_cannot_be_met_ends_with_three_and_names_what_binds() {
    let project = recorded(3);
    let args = ["plan", "--deadline", "50s", "--out", "p.json", "--json"];
    let called = project.rasher(&args).code(3).says("the longest test alone takes until");
    assert_eq!(budget(&called)["feasible"], false);
    assert!(project.read("p.json").contains("rasher.plan/1"), "the best plan is written");
}

#[test]
fn a_short_history_widens_the_promise_and_says_so() {
    let project = recorded(3);
    let args = ["plan", "--deadline", "12m", "--confidence", "95%", "--json"];
    let short = budget(&project.rasher(&args).code(0));
    assert!(short["why"].as_str().expect("a reason").contains("widened"), "{short}");
    let long = budget(&recorded(24).rasher(&args).code(0));
    assert!(!long["why"].as_str().expect("a reason").contains("widened"), "{long}");
    assert!(long["p_meet"].as_f64().expect("a chance") > 0.9, "{long}");
    assert!(long["workers"].as_u64() <= short["workers"].as_u64());
}

#[test]
fn a_promise_is_learned_from_runs_that_were_made_in_the_same_way() {
    let project = recorded(24);
    let args = ["plan", "--deadline", "12m", "--confidence", "95%", "--json"];
    let fixed = budget(&project.rasher(&args).code(0));
    let open = budget(&project.rasher(&[&args[..], &["--fixed", "50%"]].concat()).code(0));
    assert!(open["why"].as_str().expect("a reason").contains("idle workers took over"), "{open}");
    let chance = |budget: &serde_json::Value| budget["p_meet"].as_f64().expect("a chance");
    assert!(open["workers"].as_u64() <= fixed["workers"].as_u64());
    assert!(open["workers"] != fixed["workers"] || chance(&open) >= chance(&fixed));
}

#[test]
fn the_past_is_played_again_under_a_budget() {
    let project = levelled(28);
    let args = ["backtest", "--deadline", "12m", "--confidence", "90%", "--estimators", "--json"];
    let document = project.rasher(&args).code(0).json();
    golden(
        "backtest.json",
        &format!("{}\n", serde_json::to_string_pretty(&document).expect("JSON")),
    );
    assert_eq!(document["schema"], "rasher.backtest/1");
    assert_eq!(document["runs"].as_array().map(Vec::len), Some(8));
    assert_eq!(document["estimators"][0]["estimator"], "suited");
    assert!(document["kept_share"].as_f64().expect("a share") > 0.8);
    let table = project.rasher(&["backtest", "--workers", "5"]).code(0).stdout;
    golden("backtest.txt", &table);
    project.rasher(&["backtest"]).code(2).says("under which budget?");
    project.rasher(&["backtest", "--workers", "5", "--learn", "40"]).code(2).says("only to learn");
}

#[test]
fn suites_kept_as_snapshots_are_set_side_by_side() {
    let project = Project::new();
    for run in 0..12 {
        let tests: Vec<String> =
            (0..60).map(|test| format!("\"t/a.py::t{test}\": {}.5", 1 + run * 7 % 9)).collect();
        let text = format!("{{{}}}", tests.join(","));
        project.write(&format!("one/2026-01-{:02}_abc.json", run + 1), text);
        let report = suite("x.ATest", &[("a", 2.0, ""), ("b", f64::from(run), "")]);
        project.write(&format!("two/2026-02-{:02}/TEST-x.ATest.xml", run + 1), report);
    }
    project.write("one/notes.txt", "no run");
    let args = ["backtest", "--snapshots", "one", "--snapshots", "two", "--workers", "4"];
    let table = project.rasher(&args).code(0).says("notes.txt: no date");
    golden("series.txt", &table.stdout);
    let json = project.rasher(&[&args[..], &["--json"]].concat()).code(0).json();
    assert_eq!(json["schema"], "rasher.series/1");
    assert_eq!(json["series"][0]["name"], "one");
    assert_eq!(json["series"][1]["runs"], 6);
    project.write("three/notes.txt", "no run");
    project.rasher(&["backtest", "--snapshots", "three"]).code(2).says("by their date");
}

#[test]
fn a_year_of_hours_shows_where_a_rule_applies() {
    let project = Project::new();
    project.write("rasher.toml", RULES);
    let ask = ["plan", "--policy", "--calendar", "2026"];
    let year = project.rasher(&ask).code(0).stdout;
    golden("calendar.txt", &year);
    assert!(year.contains("2026-03-08 Sun   ccccccccccccccccccccccc  23 hours"));
    assert!(year.contains("2026-11-23 Mon   ccccccccccccccccccccccbb\n"), "not on Sunday night");
    let json = project.rasher(&[&ask[..], &["--json"]].concat()).code(0).json();
    assert_eq!(json["zone"], "America/New_York");
    let hours = |at: usize| json["rules"][at]["hours"].as_f64().expect("hours");
    assert_eq!((hours(0) + hours(1) + hours(2)) as u32, 8_760);
    let hot = project.rasher(&[&ask[..], &["--branch", "hotfix/x", "--json"]].concat());
    assert_eq!(hot.code(0).json()["rules"][0]["hours"], 8_760.0);
}

#[test]
fn rules_that_cannot_be_meant_are_blamed_on_line_and_column() {
    let project = Project::new().with_reports();
    project.rasher(&["record", "reports"]).code(0);
    for (rules, place, word) in [
        ("[[rule]]\nname = \"a\"\npriority = \"low\"\n", "3:12", "lazy"),
        ("[[rule]]\nname = \"a\"\nlazy = true\n", "3:1", "lazy"),
        ("[[rule]]\nzone = \"Europe/Atlantis\"\ndays = [\"sun\"]\n", "2:8", "Europe/Atlantis"),
        ("[[rule]]\nname = \"a\"\n[[rule]]\nname = \"b\"\n", "4:8", "can never match"),
    ] {
        project.write("rasher.toml", rules);
        let called = project.rasher(&["plan", "--policy"]).code(2);
        assert!(called.stderr.contains(&format!("rasher.toml:{place}")), "{}", called.stderr);
        assert!(called.stderr.contains(word), "{}", called.stderr);
    }
}

#[test]
fn a_report_from_the_future_is_recorded_as_of_now() {
    let project = Project::new();
    let text = suite("x.ATest", &[("a", 1.0, "")]).replace("2026-01-02", "2999-01-02");
    project.write("r/TEST-x.ATest.xml", text);
    let recorded = project.rasher(&["record", "r"]).code(0).says("which is to come");
    assert!(recorded.stdout.contains("recorded 1 report"));
    let plan = project.rasher(&["plan", "--shards", "1", "--json"]).code(0).json();
    assert!(!plan["created"].as_str().expect("a time").starts_with("2999"));
}

#[test]
fn another_environment_lends_its_ranking_to_a_cold_start() {
    let project = Project::new().with_reports();
    project.rasher(&["record", "reports", "--env", "linux"]).code(0);
    project.write("tests.txt", "x.ATest#a\nx.ATest#c\nx.BTest#d\n");
    let args = ["plan", "--env", "windows", "--tests", "tests.txt", "--shards", "2", "--json"];
    let called = project.rasher(&args).code(0).says("3 tests never timed here");
    let plan = called.json();
    assert_eq!(plan["sources"]["borrowed"], 3);
    assert_eq!(plan["sources"]["own"], 0);
    assert_eq!(plan["makespan_ms"], 3_000.0, "the longest of them alone");
}

#[test]
fn renamed_tests_keep_their_past_in_a_plan() {
    let project = Project::new().with_reports();
    project.rasher(&["record", "reports"]).code(0);
    project.write("tests.txt", "y.z.ATest#a\ny.z.ATest#b\ny.z.ATest#c\nx.BTest#d\n");
    let args = ["plan", "--tests", "tests.txt", "--shards", "4", "--json"];
    let plan = project.rasher(&args).code(0).json();
    assert_eq!(plan["sources"]["renamed"], 3, "{}", plan["sources"]);
    assert_eq!(plan["makespan_ms"], 3_000.0);
}
