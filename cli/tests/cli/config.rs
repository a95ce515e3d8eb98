//! `rasher.toml`: each option once, the command line wins, mistakes have their place.

use crate::project::Project;

#[test]
fn options_of_the_file_are_defaults() {
    let project = Project::new().with_reports();
    project.write("rasher.toml", "store = \"past\"\nenv = \"linux\"\n[plan]\nshards = 3\n");
    project.rasher(&["record", "reports"]).code(0);
    assert!(project.path().join("past").is_dir());
    let plan = project.rasher(&["plan", "--json"]).code(0).json();
    assert_eq!(plan["shards"].as_array().unwrap().len(), 3);
    assert_eq!(plan["environment"], "linux");
    let plan = project.rasher(&["plan", "--json", "--shards", "2"]).code(0).json();
    assert_eq!(plan["shards"].as_array().unwrap().len(), 2);
}

#[test]
fn the_file_is_found_above_and_its_paths_start_there() {
    let project = Project::new().with_reports();
    project.write("rasher.toml", "store = \"past\"\n").write("deep/er/x", "");
    project.rasher(&["record", "reports"]).code(0);
    let deep = project.path().join("deep/er");
    let called = assert_cmd::Command::new(env!("CARGO_BIN_EXE_rasher"))
        .current_dir(&deep)
        .env_clear()
        .args(["plan", "--shards", "2", "--json"])
        .assert()
        .success();
    let plan: serde_json::Value = serde_json::from_slice(&called.get_output().stdout).unwrap();
    assert_eq!(plan["tests"], 8);
    assert!(!deep.join(".rasher").exists());
}

#[test]
fn variables_win_over_the_file_and_the_command_line_over_both() {
    let project = Project::new().with_reports();
    project.write("rasher.toml", "store = \"file\"\n");
    let vars = [("RASHER_STORE", "variable")];
    project.rasher_in(&vars, &["record", "reports"], "").code(0);
    project.rasher_in(&vars, &["record", "reports", "--store", "flag"], "").code(0);
    let there = |name: &str| project.path().join(name).exists();
    assert_eq!((there("variable"), there("flag"), there("file")), (true, true, false));
}

#[test]
fn mistakes_are_named_with_line_and_column() {
    for (text, place, said) in [
        ("[plan]\nshrads = 3\n", "rasher.toml:2:1", "did you mean `shards`?"),
        ("stroe = \"x\"\n", "rasher.toml:1:1", "did you mean `store`?"),
        ("[pln]\nshards = 3\n", "rasher.toml:1:2", "did you mean `plan`?"),
        ("[plan]\nshards = 0\n", "rasher.toml:2:10", "0 is not in"),
        ("[plan]\n  shards = \"many\"\n", "rasher.toml:2:12", "invalid"),
        ("json = 3\n", "rasher.toml:1:8", "true or false"),
        ("plan = 3\n", "rasher.toml:1:8", "a table"),
        ("[plan]\nshards = { a = 1 }\n", "rasher.toml:2:10", "cannot be a table"),
        ("config = \"x\"\n", "rasher.toml:1:1", "no option"),
        ("[plan\n", "rasher.toml:1", ""),
    ] {
        let project = Project::new();
        project.write("rasher.toml", text);
        project.rasher(&["doctor"]).code(2).says(place).says(said);
    }
}

#[test]
fn a_named_file_must_exist() {
    Project::new().rasher(&["doctor", "--config", "nowhere.toml"]).code(2).says("nowhere.toml");
}

#[test]
fn a_switch_of_the_file_holds() {
    let project = Project::new();
    project.write("rasher.toml", "json = true\n");
    assert_eq!(project.rasher(&["doctor"]).code(0).json()["schema"], "rasher.doctor/1");
}
