//! Every document has the fields it was promised to have.

use serde_json::Value;

use crate::project::Project;

#[track_caller]
fn has_fields(document: &Value, schema: &str, fields: &[&str]) {
    assert_eq!(document["schema"], schema);
    has(document, fields);
}

#[track_caller]
fn has(object: &Value, fields: &[&str]) {
    for field in fields {
        assert!(object.get(field).is_some(), "`{field}` is not in {object}");
    }
}

#[test]
fn record_plan_shard_and_verify() {
    let project = Project::new().with_reports();
    project.write("reports/bad.xml", "<testsuite><testcase name=\"a\"");
    let recorded = project.rasher(&["record", "reports", "--json"]).code(0).json();
    has_fields(
        &recorded,
        "rasher.record/1",
        &[
            "files",
            "attempts",
            "new_tests",
            "passed",
            "failed",
            "errored",
            "skipped",
            "ignored_duplicates",
            "problems",
        ],
    );
    has(&recorded["problems"][0], &["file", "line", "what"]);
    let plan =
        project.rasher(&["plan", "--shards", "2", "--json", "--out", "p.json"]).code(0).json();
    has_fields(
        &plan,
        "rasher.plan/1",
        &[
            "id",
            "run",
            "created",
            "environment",
            "tests",
            "shards",
            "makespan_ms",
            "lower_bound_ms",
            "gap",
            "bound_by",
            "sources",
            "budget",
            "moved",
        ],
    );
    has(&plan["shards"][0], &["index", "pool", "predicted_ms", "setup_ms", "tests"]);
    has(&plan["bound_by"], &["kind", "name"]);
    has(&plan["sources"], &["own", "group", "suite", "default"]);
    has(
        &plan["budget"],
        &[
            "rule",
            "deadline_ms",
            "confidence",
            "p_meet",
            "predicted_finish_ms",
            "startup_ms",
            "workers",
            "cost",
            "currency",
            "feasible",
            "why",
        ],
    );
    assert_eq!(plan["created"], "2026-01-02T03:04:05Z", "the newest evidence, never the clock");
    let shard = project.rasher(&["shard", "1/2", "--plan", "p.json", "--json"]).code(0).json();
    has_fields(&shard, "rasher.shard/1", &["plan", "index", "of", "tests", "predicted_ms"]);
    let args = ["verify", "--plan", "p.json", "--results", "reports", "--json"];
    let verified = project.rasher(&args).code(0).json();
    has_fields(
        &verified,
        "rasher.verify/1",
        &["planned", "accepted", "missing", "duplicate", "unknown", "complete"],
    );
}

#[test]
fn explain_doctor_and_demo() {
    let project = Project::new().with_reports();
    project.rasher(&["record", "reports"]).code(0);
    let explained = project.rasher(&["explain", "x.ATest", "--json"]).code(0).json();
    has_fields(&explained, "rasher.explain/1", &["tests"]);
    has(
        &explained["tests"][0],
        &["test", "estimate_ms", "source", "history", "flake", "constraints", "group", "place"],
    );
    let doctor = project.rasher(&["doctor", "--json"]).code(0).json();
    has_fields(&doctor, "rasher.doctor/1", &["checks", "healthy"]);
    has(&doctor["checks"][0], &["step", "state", "found", "advice"]);
}
