//! The verbs about a run over the bridge: what holds for a plan holds for its retry.

use rasher::constraint::{ConstraintSpec, Constraints};
use rasher::plan::document::PlanDocument;
use rasher::plan::{PlanFacts, PlanOptions, Terms, Workload, plan};
use rasher::test_id::TestTable;
use rasher::units::Micros;
use rasher_jni::frame::{Frame, FrameWriter};
use rasher_jni::ops::section::*;
use rasher_jni::ops::{call, op};

const TESTS: [&str; 4] = ["demo.A#one", "demo.A#two", "demo.B#one", "demo.B#two"];

fn rules() -> ConstraintSpec {
    let before = vec![vec![TESTS[3].to_owned(), TESTS[0].to_owned()]];
    ConstraintSpec { before, ..ConstraintSpec::default() }
}

fn plan_under(spec: ConstraintSpec) -> PlanDocument {
    let mut tests = TestTable::new();
    for name in TESTS {
        tests.intern(name, name.split_once('#').map(|(class, _)| class));
    }
    let spans = [Micros::from_secs(1); 4];
    let workload = Workload::new(&tests, &spans, &spans, &[Micros::ZERO; 2]).expect("columns fit");
    let mut options = PlanOptions::new(2);
    options.constraints = Constraints::resolve(&spec, &tests).expect("no contradiction");
    let facts = PlanFacts { terms: Terms::new(spec, &options), ..PlanFacts::default() };
    plan(&workload, &options).expect("a plan").document(&workload, facts)
}

/// A report in which the first test failed.
fn report() -> Vec<u8> {
    let row = |name: &str| {
        let (class, method) = name.split_once('#').expect("a class and a method");
        let end = if name == TESTS[0] { "<failure message=\"no\"/>" } else { "" };
        format!("<testcase classname=\"{class}\" name=\"{method}\" time=\"1\">{end}</testcase>")
    };
    let rows: String = TESTS.iter().map(|name| row(name)).collect();
    format!("<testsuite name=\"demo\" time=\"4\">{rows}</testsuite>").into_bytes()
}

fn retry(plan: &PlanDocument, control: &str) -> PlanDocument {
    let plan = serde_json::to_vec(plan).expect("a document");
    let report = report();
    let request = FrameWriter::default()
        .bytes(CONTROL, control.as_bytes().to_vec())
        .strings(PLANS, PLAN_ENDS, [&plan[..]])
        .strings(FILES, FILE_ENDS, [&report[..]])
        .finish(op::RETRY);
    let answer = call(&request);
    let frame = Frame::read(&answer, &[CONTROL, DOCUMENT]).expect("an answer is a frame");
    PlanDocument::from_json(frame.needed(DOCUMENT).expect("a document")).expect("a plan")
}

#[test]
fn a_retry_over_the_bridge_brings_back_what_comes_first_and_keeps_its_order() {
    let again = retry(&plan_under(rules()), "{}");
    assert_eq!(again.shards.len(), 1);
    assert_eq!(again.shards[0].tests, [TESTS[3], TESTS[0]]);
    // The same where the caller says it, of a plan that was made without.
    let plain = plan_under(ConstraintSpec::default());
    assert_eq!(retry(&plain, "{}").shards[0].tests, [TESTS[0]]);
    let said =
        format!("{{\"constraints\":{}}}", serde_json::to_string(&rules()).expect("rules are JSON"));
    assert_eq!(retry(&plain, &said).shards, again.shards);
}
