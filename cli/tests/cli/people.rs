//! What people are told and what they answer for: outputs of a verdict, bypasses, owners,
//! quarantine, skips, the merge lock.

use serde_json::Value;

use crate::project::{Called, Project};

const BOOM: &str = "<failure message=\"boom\" type=\"E\">at x</failure>";
const OWNERS: &str = "* @all\n/pay/ @org/pay\n";

/// Eight tests, recorded and planned; a run in `bad` in which `x.ATest#b` failed.
fn failed() -> Project {
    let project = Project::new().with_reports();
    let record = ["record", "reports", "--run", "1", "--branch", "main", "--at"];
    project.rasher(&[&record[..], &["2026-01-01T00:00:00Z"]].concat()).code(0);
    project.rasher(&["plan", "--shards", "2", "--out", "plan.json"]).code(0);
    bad(&project, "bad", BOOM);
    project
}

fn bad(project: &Project, folder: &str, inner: &str) {
    project
        .report(folder, "x.ATest", &[("a", 1.0, ""), ("b", 2.0, inner), ("c", 3.0, "")])
        .report(folder, "x.BTest", &[("d", 2.0, ""), ("e", 2.0, "")])
        .report(folder, "x.CTest", &[("f", 1.0, ""), ("g", 0.5, ""), ("h", 0.0, "<skipped/>")]);
}

fn verdict(project: &Project, more: &[&str]) -> Called {
    project.rasher(&[&["verdict", "--plan", "plan.json", "--results", "bad"], more].concat())
}

fn bypass(project: &Project, at: &str) -> Called {
    let by = ["--bypass", "Ada", "--reason", "the fix cannot wait", "--commit", "c1", "--at", at];
    verdict(project, &by)
}

fn main_run(project: &Project, at: &str, inner: &str) {
    bad(project, at, inner);
    project.rasher(&["record", at, "--run", at, "--branch", "main", "--at", at]).code(0);
}

fn bypasses(project: &Project, at: &str) -> Value {
    project.rasher(&["report", "bypass", "--json", "--at", at]).code(0).json()
}

#[test]
fn a_verdict_is_written_for_tools_and_for_people() {
    let project = failed();
    verdict(&project, &["--junit", "out/judged.xml", "--markdown", "out/summary.md"]).code(1);
    let xml = project.read("out/judged.xml");
    assert!(xml.contains("<failure message=\"boom\" type=\"failed\">"), "{xml}");
    let recorded =
        project.rasher(&["record", "out/judged.xml", "--json", "--run", "again"]).code(0);
    assert_eq!((&recorded.json()["attempts"], &recorded.json()["failed"]), (&8.into(), &1.into()));
    let summary = project.read("out/summary.md");
    assert!(summary.starts_with("## ❌ Tests failed\n"), "{summary}");
    let printed = verdict(&project, &["--markdown", "-"]).code(1);
    assert_eq!(printed.stdout, summary);
    let step = project.path().join("step.md");
    let step = step.to_str().expect("text");
    project.write("step.md", "before\n");
    let args = ["verdict", "--plan", "plan.json", "--results", "bad", "--markdown", step];
    project.rasher_in(&[("GITHUB_STEP_SUMMARY", step)], &args, "").code(1);
    assert_eq!(project.read("step.md"), format!("before\n{summary}"), "what was there stays");
    project.rasher(&args).code(1);
    assert_eq!(project.read("step.md"), summary, "any other file is written anew");
}

#[test]
fn a_bypass_is_written_down_before_anything_is_let_through() {
    let project = failed();
    verdict(&project, &["--bypass", "Ada"]).code(2);
    verdict(&project, &["--bypass", " ", "--reason", "r"]).code(2).says("--bypass says nothing");
    let called = bypass(&project, "2026-01-02T00:00:00Z").code(0).says("bypass 1 by Ada");
    assert!(called.stdout.contains("FAILED") && called.stdout.contains("BYPASSED by Ada"));
    let again = verdict(&project, &["--bypass", "Bea", "--reason", "r", "--json"]).code(0).json();
    assert_eq!((&again["run"], &again["blocks"]), (&"failed".into(), &true.into()));
    let record = &again["bypass"][0];
    assert_eq!((&record["by"], &record["entry"]), (&"Bea".into(), &2.into()));
    assert_eq!(record["tests"][0]["test"], "x.ATest#b");
    let line = project.read(".rasher/bypass.jsonl").lines().nth(1).expect("a line").to_owned();
    assert!(line.ends_with(&format!(",\"hash\":{}}}", record["hash"])), "{line}");
    let report = bypasses(&project, "2026-01-02T01:00:00Z");
    assert_eq!(report["counts"]["people"].as_array().map(Vec::len), Some(2));
    assert_eq!(report["counts"]["tests"][0]["total"], 2);
    // A store that takes no record lets nothing through.
    project.write("file", "");
    let refused = verdict(&project, &["--bypass", "Ada", "--reason", "r", "--store", "file"]);
    assert_eq!(refused.code, 6, "{}", refused.stderr);
}

#[test]
fn where_nothing_blocks_nothing_is_bypassed() {
    let project = failed();
    bad(&project, "bad", "");
    let by = ["--bypass", "Ada", "--reason", "r"];
    verdict(&project, &by).code(0).says("there is nothing to bypass");
    assert_eq!(bypasses(&project, "2026-01-02T01:00:00Z")["bypasses"], serde_json::json!([]));
}

#[test]
fn the_clock_runs_from_the_first_failure_on_main_until_the_fix() {
    let project = failed();
    bypass(&project, "2026-01-02T00:00:00Z").code(0);
    let state = |at: &str| bypasses(&project, at)["clocks"][0].clone();
    assert_eq!(state("2026-01-02T01:00:00Z")["state"], "waiting");
    main_run(&project, "2026-01-02T02:00:00Z", BOOM);
    let running = state("2026-01-02T05:00:00Z");
    assert_eq!((&running["state"], &running["overdue"]), (&"running".into(), &false.into()));
    assert_eq!(running["due"], "2026-01-02T06:00:00Z");
    assert_eq!(state("2026-01-02T06:00:01Z")["overdue"], true);
    let shown = project.rasher(&["report", "bypass", "--at", "2026-01-02T07:30:00Z"]).code(0);
    assert!(shown.stdout.contains("OVERDUE by 1h30m"), "{}", shown.stdout);
    main_run(&project, "2026-01-02T05:30:00Z", "");
    let stopped = state("2026-01-03T00:00:00Z");
    assert_eq!((&stopped["state"], &stopped["by"]), (&"stopped".into(), &"Ada".into()));
    assert_eq!((&stopped["stopped_by"], &stopped["late"]), (&"fix".into(), &false.into()));
}

#[test]
fn every_hand_on_the_ledger_is_seen() {
    let project = failed();
    for day in ["02", "03", "04"] {
        bypass(&project, &format!("2026-01-{day}T00:00:00Z")).code(0);
    }
    let head = bypasses(&project, "2026-01-05T00:00:00Z")["head"]["hash"].clone();
    let head = head.as_str().expect("a hash").to_owned();
    project.rasher(&["report", "bypass", "--head", &head]).code(0);
    project.rasher(&["doctor"]).code(0);
    let ledger = project.read(".rasher/bypass.jsonl");
    project.write(".rasher/bypass.jsonl", ledger.replacen("Ada", "Eve", 1));
    let called = project.rasher(&["report", "bypass"]).code(6);
    assert!(called.stdout.contains("TAMPERED  line 1"), "{}", called.stdout);
    let doctor = project.rasher(&["doctor"]).code(2);
    assert!(doctor.stdout.contains("was tampered with"), "{}", doctor.stdout);
    let cut: String = ledger.lines().take(2).map(|line| format!("{line}\n")).collect();
    project.write(".rasher/bypass.jsonl", &cut);
    project.rasher(&["report", "bypass"]).code(6);
    // Whoever changes the head too is found by a hash that somebody noted.
    project.write(".rasher/bypass.jsonl", "");
    project.write(".rasher/bypass.head.json", "{\"entries\":0,\"hash\":\"\"}");
    project.rasher(&["report", "bypass", "--head", &head]).code(6);
}

#[test]
fn a_quarantine_shields_shows_and_ends() {
    let project = failed();
    let list = |expires: &str| {
        format!(
            "max = 1\n\n[[test]]\ntest = \"x.ATest\"\nowner = \"@ada\"\nreason = \"flaky port\"\n\
             since = 2026-01-01\nexpires = {expires}\n"
        )
    };
    project.write("quarantine.toml", list("2026-02-01"));
    let shielded = verdict(&project, &["--json", "--at", "2026-01-31T23:00:00Z"]).code(0).json();
    assert_eq!((&shielded["run"], &shielded["blocks"]), (&"passed".into(), &false.into()));
    let test = &shielded["tests"][0];
    assert_eq!((&test["verdict"], &test["quarantined"]), (&"failed".into(), &true.into()));
    let reason = test["reason"].as_str().expect("text");
    assert!(reason.ends_with("in quarantine until 2026-02-01 by @ada: flaky port"), "{reason}");
    let expired = verdict(&project, &["--at", "2026-02-01T00:00:00Z"]).code(1);
    expired.says("the quarantine of `x.ATest` expired on 2026-02-01");
    let doctor = project.rasher(&["doctor"]).code(0);
    assert!(doctor.stdout.contains("shielded no longer: x.ATest"), "{}", doctor.stdout);
    project.write("quarantine.toml", list("2026-02-01").replace("max = 1", "max = 0"));
    let full = verdict(&project, &["--at", "2026-01-31T23:00:00Z"]).code(2);
    full.says("one more than the 0 tests").says("quarantine.toml:4:8");
    project.write("quarantine.toml", list("\"soon\""));
    verdict(&project, &[]).code(2).says("quarantine.toml:8:11");
    project.write("quarantine.toml", list("2026-02-01") + "until = 1\n");
    verdict(&project, &[]).code(2).says("unknown field `until`");
    verdict(&project, &["--quarantine", "none.toml"]).code(2).says("none.toml");
    project.write("quarantine.toml", include_str!("../../examples/quarantine.toml"));
    verdict(&project, &["--at", "2026-01-31T23:00:00Z"]).code(1);
}

#[test]
fn a_quarantine_excuses_no_test_that_did_not_run() {
    let project = failed();
    let entry = "[[test]]\ntest = \"x.BTest#e\"\nowner = \"@a\"\nreason = \"r\"\n\
                 since = 2026-01-01\nexpires = 2999-01-01\n";
    project.write("quarantine.toml", entry);
    project.report("bad", "x.BTest", &[("d", 2.0, "")]);
    verdict(&project, &[]).code(4);
}

#[test]
fn tests_find_their_owners_by_the_source_they_stand_in() {
    let project = failed();
    project.write(".github/CODEOWNERS", OWNERS).write("pay/src/test/java/x/ATest.java", "");
    project.write("src/test/java/x/BTest.java", "");
    let judged = verdict(&project, &["--json"]).code(1).json();
    assert_eq!(judged["tests"][0]["owner"], "@org/pay");
    project.rasher(&["record", "bad", "--run", "2", "--branch", "main"]).code(0);
    let flaky = project.rasher(&["flaky", "--json", "--all"]).code(0).json();
    let owner = |test: &str| {
        let rows = flaky["tests"].as_array().expect("tests");
        rows.iter().find(|row| row["test"] == test).expect("there")["owner"].clone()
    };
    assert_eq!((owner("x.ATest#b"), owner("x.BTest#d")), ("@org/pay".into(), "@all".into()));
    let doctor = project.rasher(&["doctor"]).code(0);
    assert!(doctor.stdout.contains(".github/CODEOWNERS"), "{}", doctor.stdout);
    project.write("mine", "x.y @z\n!odd @z\n");
    let odd = project.rasher(&["flaky", "--codeowners", "mine"]).code(0);
    odd.says("mine:2: `!odd`: GitHub knows no exclusion");
}

#[test]
fn skips_are_reported_by_owner_area_and_class() {
    let project = Project::new();
    project.write("CODEOWNERS", "* @all\n").write("t/a/pay/PTest.java", "");
    let skip = "<skipped/>";
    for (day, inner) in [("01", ""), ("09", skip), ("10", skip), ("11", "")] {
        let folder = format!("r{day}");
        project.report(&folder, "a.pay.PTest", &[("p", 1.0, inner), ("=q", 0.0, skip)]).report(
            &folder,
            "a.cart.CTest",
            &[("c", 1.0, "")],
        );
        let at = format!("2026-01-{day}T00:00:00Z");
        let args = ["record", &folder, "--run", day, "--commit", day, "--branch", "main"];
        project.rasher(&[&args[..], &["--at", &at]].concat()).code(0);
    }
    let document = project.rasher(&["report", "skips", "--json"]).code(0).json();
    assert_eq!((&document["tests"], &document["runs"]), (&2.into(), &3.into()));
    let row = |at: usize| document["skipped"][at].clone();
    assert_eq!((&row(0)["method"], &row(0)["skips"]), (&"=q".into(), &3.into()));
    assert_eq!((&row(0)["over_half"], &row(0)["not_in_previous"]), (&true.into(), &false.into()));
    assert_eq!((&row(1)["skips"], &row(1)["not_in_previous_ten"]), (&2.into(), &true.into()));
    assert_eq!((&row(1)["area"], &row(1)["team"]), (&"pay".into(), &"@all".into()));
    assert_eq!(
        (&row(1)["status_on_main"], &row(0)["status_on_main"]),
        (&"passed".into(), &"skipped".into())
    );
    let csv = project.rasher(&["report", "skips", "--csv"]).code(0).stdout;
    assert!(csv.contains("a.pay.PTest,'=q,pay,'@all,skipped,3,3,false,true"), "{csv}");
    let tables = project.rasher(&["report", "skips"]).code(0).stdout;
    assert!(tables.contains("2 tests skipped in 3 runs of 3 commits"), "{tables}");
    let source = "class PTest {\n  @Test\n  @Ignore\n  void p() {}\n  @Test void r() {}\n}\n";
    project.write("t/a/pay/PTest.java", source);
    project.write("blame", "t/a/pay/PTest.java,3,ann\nnobody\n");
    let blamed = project.rasher(&["report", "skips", "--blame", "blame", "--json"]).code(0);
    assert!(blamed.stderr.contains("blame: line 2: not `path,line,user`"), "{}", blamed.stderr);
    let users = &blamed.json()["users"];
    assert_eq!((&users[0]["name"], &users[0]["skips"]), (&"(unknown)".into(), &3.into()));
    assert_eq!((&users[1]["name"], &users[1]["skips"]), (&"ann".into(), &2.into()));
    let tables = project.rasher(&["report", "skips", "--blame", "blame"]).code(0).stdout;
    assert!(tables.contains("skipped by"), "{tables}");
    project.write("empty", "# nothing\n");
    project.rasher(&["report", "skips", "--blame", "empty"]).code(2).says("blames nobody");
    project.write("rasher.toml", "[report]\ndays = 1\n");
    let day = project.rasher(&["report", "skips", "--json"]).code(0).json();
    assert_eq!(day["runs"], 1, "an option of the file");
}

#[test]
fn one_merge_runs_at_a_time() {
    let project = failed();
    let at = |minute: &str| format!("2026-01-02T00:{minute}:00Z");
    let lock = |more: &[&str]| project.rasher(&[&["lock"], more].concat());
    assert_eq!(lock(&["show"]).code(0).stdout, "free\n");
    let taken = lock(&["acquire", "--owner", "one", "--at", &at("00")]).code(0);
    let fence = taken.stdout.trim().to_owned();
    lock(&["acquire", "--owner", "two", "--at", &at("29")]).code(1).says("`one` holds");
    let judged = |minute: &str| verdict(&project, &["--merge-fence", &fence, "--at", &at(minute)]);
    assert!(judged("29").code(1).stdout.contains("FAILED"), "judged under the lock");
    judged("30").code(1).says("is not held any more");
    let second = lock(&["acquire", "--owner", "two", "--at", &at("30")]).code(0).stdout;
    assert!(second.trim().parse::<u64>().expect("a number") > fence.parse().expect("a number"));
    lock(&["release", "--fence", &fence, "--at", &at("31")]).code(1);
    lock(&["renew", "--fence", second.trim(), "--lease", "50m", "--at", &at("31")]).code(0);
    lock(&["release", "--fence", second.trim(), "--at", &at("59")]).code(0);
    lock(&["acquire", "--at", &at("59")]).code(2).says("who takes the lock?");
    lock(&["release"]).code(2);
}
