//! Bad input: a clear error or a stated behaviour, never a loss.

use std::fs;

use crate::project::Project;

fn planned() -> Project {
    let project = Project::new().with_reports();
    project.rasher(&["record", "reports"]).code(0);
    project.rasher(&["plan", "--shards", "2", "--out", "p.json"]).code(0);
    project
}

#[test]
fn a_path_that_does_not_exist() {
    let project = Project::new().with_reports();
    project.rasher(&["record", "nowhere"]).code(6).says("nowhere").says("check the path");
    let both = project.rasher(&["record", "reports", "nowhere", "--json"]).code(6).says("nowhere");
    assert_eq!(both.json()["attempts"], 8, "the good files are recorded all the same");
    project.rasher(&["record", "no*/**/*.xml"]).code(6).says("no file matches");
    project.rasher(&["record"]).code(2).says("PATH");
}

#[test]
fn an_empty_folder() {
    let project = Project::new();
    fs::create_dir(project.path().join("empty")).unwrap();
    project.rasher(&["record", "empty"]).code(6).says("no report in `empty`");
    assert!(!project.path().join(".rasher").exists(), "no store is made for nothing");
}

#[test]
fn a_truncated_report_keeps_its_complete_rows() {
    let project = Project::new();
    let cut =
        "<testsuite name=\"x.A\">\n<testcase classname=\"x.A\" name=\"a\" time=\"1\"/>\n<testca";
    project.write("cut.xml", cut);
    let recorded =
        project.rasher(&["record", "cut.xml", "--json"]).code(0).says("cut.xml:3").json();
    assert_eq!(recorded["attempts"], 1);
    assert_eq!(recorded["problems"][0]["line"], 3);
}

#[test]
fn binary_files_and_files_of_other_kinds() {
    let project = Project::new();
    project.write("x.xml", [0_u8, 159, 146, 150, 255, 0, 7]).write("pom.xml", "<project/>");
    project.rasher(&["record", "x.xml"]).code(6).says("x.xml");
    project.rasher(&["record", "."]).code(6).says("none of the files is a report");
    let beside = Project::new().with_reports();
    beside.write("reports/x.xml", [0_u8, 159, 146, 150]);
    let recorded = beside.rasher(&["record", "reports", "--json"]).code(0).json();
    assert_eq!(recorded["attempts"], 8);
    assert_eq!(recorded["problems"][0]["file"], "reports/x.xml");
}

#[test]
fn a_plan_of_another_schema_or_an_edited_one_or_none() {
    let project = planned();
    let plan = project.read("p.json");
    project.write("other.json", plan.replace("rasher.plan/1", "rasher.plan/9"));
    project.write("edited.json", plan.replace("x.ATest#a", "x.ATest#z"));
    project.write("none.json", "{\"schema\": 7}");
    for verb in [&["shard", "1/2"][..], &["verify", "--results", "reports"]] {
        let with = |plan| project.rasher(&[verb, &["--plan", plan]].concat());
        with("other.json").code(2).says("rasher.plan/9").says("other.json");
        with("edited.json").code(2).says("changed after it was made");
        with("none.json").code(2).says("not a plan");
        with("nowhere.json").code(6).says("nowhere.json");
    }
}

#[test]
fn impossible_numbers_of_shards() {
    let project = planned();
    project.rasher(&["plan", "--shards", "0"]).code(2).says("0 is not in");
    project.rasher(&["plan", "--shards", "-3"]).code(2);
    project.rasher(&["plan", "--shards", "99999999"]).code(2);
    project.rasher(&["plan"]).code(2).says("how many workers?");
    for shard in ["0/2", "3/2", "1", "x/y", "1/0"] {
        project.rasher(&["shard", shard, "--plan", "p.json"]).code(2);
    }
    project.rasher(&["shard", "1/3", "--plan", "p.json"]).code(2).says("a plan of 2 shards");
    project.rasher(&["shard", "--plan", "p.json"]).code(2).says("which shard?");
}

#[test]
fn a_test_named_twice_is_planned_once() {
    let project = planned();
    let args = ["plan", "--shards", "2", "--tests", "-", "--json"];
    let list = "x.ATest#a\nx.BTest#d\nx.ATest#a\n";
    let plan = project.rasher_in(&[], &args, list).code(0).says("planned once").json();
    assert_eq!(plan["tests"], 2);
}

#[test]
fn a_list_that_is_empty_or_no_text() {
    let project = planned();
    let args = ["plan", "--shards", "2", "--tests", "-"];
    project.rasher_in(&[], &args, "\n  \n").code(2).says("the list of tests is empty");
    project.write("bad", b"x.ATest#a\n\xff\xfe\n");
    project.rasher(&["plan", "--shards", "2", "--tests", "bad"]).code(2).says("bad:2");
    project.rasher(&["plan", "--shards", "2", "--tests", "nowhere"]).code(6).says("nowhere");
}

#[test]
fn a_store_that_is_a_file() {
    let project = Project::new().with_reports();
    project.write("store", "not a folder");
    project.rasher(&["record", "reports", "--store", "store"]).code(6).says("store");
    let list = ["plan", "--shards", "2", "--tests", "-", "--store", "store"];
    let said = project.rasher_in(&[], &list, "a\nb\n").code(0);
    said.says("history cannot be used").says("split evenly");
    project.rasher(&["plan", "--shards", "2", "--store", "store"]).code(6);
    assert_eq!(project.read("store"), "not a folder");
}

/// Root may write everywhere, so that this can only be seen as another user.
#[cfg(unix)]
#[test]
fn a_store_without_rights() {
    use std::os::unix::fs::PermissionsExt;
    let project = Project::new().with_reports();
    let store = project.path().join("store");
    fs::create_dir(&store).unwrap();
    fs::set_permissions(&store, fs::Permissions::from_mode(0o500)).unwrap();
    let is_root = fs::write(store.join("try"), "").is_ok();
    let called = project.rasher(&["record", "reports", "--store", "store"]);
    if is_root {
        called.code(0);
    } else {
        called.code(6).says("give this user the right");
        project.rasher(&["doctor", "--store", "store"]).code(2);
    }
    fs::set_permissions(&store, fs::Permissions::from_mode(0o700)).unwrap();
}

#[test]
fn a_damaged_segment_costs_only_itself() {
    let project = planned();
    let other = Project::new();
    other.report("r", "x.New", &[("n", 5.0, "")]);
    let path = other.path().join("r").to_string_lossy().into_owned();
    project.rasher(&["record", &path, "--at", "2026-02-01T00:00:00Z"]).code(0);
    let mut segments = Vec::new();
    find(&project.path().join(".rasher"), "parquet", &mut segments);
    assert_eq!(segments.len(), 2, "{segments:?}");
    segments.sort_by_key(|path| fs::metadata(path).unwrap().len());
    let bytes = fs::read(&segments[0]).unwrap();
    fs::write(&segments[0], &bytes[..bytes.len() / 2]).unwrap();
    let mut summaries = Vec::new();
    find(&project.path().join(".rasher"), "summary", &mut summaries);
    summaries.iter().for_each(|path| fs::remove_file(path).unwrap());
    let said = project.rasher(&["plan", "--shards", "2", "--json"]).code(0).says("not used");
    assert_eq!(said.json()["tests"], 8);
}

fn find(folder: &std::path::Path, name: &str, into: &mut Vec<std::path::PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            find(&path, name, into);
        } else if path.to_string_lossy().contains(name) {
            into.push(path);
        }
    }
}

#[test]
fn results_that_do_not_prove_the_plan() {
    let project = planned();
    let verify =
        |args: &[&str]| project.rasher(&[&["verify", "--plan", "p.json", "--json"], args].concat());
    // A shard that died.
    fs::remove_file(project.path().join("reports/TEST-x.BTest.xml")).unwrap();
    let missing = verify(&["--results", "reports"]).code(4).json();
    assert_eq!(missing["missing"], serde_json::json!(["x.BTest#d", "x.BTest#e"]));
    assert_eq!(missing["complete"], false);
    // Nothing at all.
    verify(&["--results", "nowhere"]).code(4).says("nowhere");
    // What was not planned, and what was run twice.
    project.report("more", "x.BTest", &[("d", 1.0, ""), ("e", 1.0, ""), ("z", 1.0, "")]);
    let unknown = verify(&["--results", "reports", "--results", "more"]).code(4).json();
    assert_eq!(unknown["unknown"], serde_json::json!(["x.BTest#z"]));
    assert_eq!(unknown["missing"], serde_json::json!([]));
    verify(&["--results", "reports", "--results", "more", "--accept-unknown"]).code(0);
    project.report("again", "x.ATest", &[("a", 1.5, "")]);
    let results = ["--results", "reports", "--results", "more", "--results", "again"];
    let twice = verify(&[&results[..], &["--accept-unknown"]].concat()).code(4).json();
    assert_eq!(twice["duplicate"], serde_json::json!(["x.ATest#a"]));
    // The same in a later attempt is a retry.
    let results = ["--results", "reports", "--results", "more", "--results", "2=again"];
    verify(&[&results[..], &["--accept-unknown"]].concat()).code(0);
}

#[test]
fn a_row_told_twice_is_a_rerun_only_after_a_failure() {
    let failure = "<failure message=\"no\"/>";
    for (rows, code) in [
        (&[("a", 1.0, failure), ("a", 1.0, "")][..], 0),
        (&[("a", 1.0, ""), ("a", 1.0, "")][..], 4),
        (&[("a", 1.0, ""), ("a", 1.0, failure)][..], 4),
    ] {
        let project = Project::new();
        let args = ["plan", "--shards", "1", "--tests", "-", "--out", "p.json"];
        project.rasher_in(&[], &args, "x.A#a\n").code(0);
        project.report("r", "x.A", rows);
        let verify = ["verify", "--plan", "p.json", "--results", "r"];
        project.rasher(&verify).code(code);
        project.rasher(&[&verify[..], &["--accept-repeated"]].concat()).code(0);
    }
}

#[test]
fn wrong_usage() {
    let project = Project::new();
    project.rasher(&[]).code(2);
    project.rasher(&["pla"]).code(2).says("plan");
    project.rasher(&["plan", "--shard", "3"]).code(2).says("--shards");
    project.rasher(&["verify"]).code(2).says("--results");
    project.rasher(&["verify", "--results", "r"]).code(2).says("which plan?");
    project.rasher(&["verify", "--results", "0=r", "--plan", "p"]).code(2).says("from 1");
    assert!(project.rasher(&["--help"]).code(0).stdout.contains("Exit codes"));
    assert!(project.rasher(&["--version"]).code(0).stdout.starts_with("rasher "));
}
