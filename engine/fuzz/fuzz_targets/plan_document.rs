//! A plan that is read, sealed and written is read again as the same plan.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rasher::plan::document::{PLAN_SCHEMA, PlanDocument};

fuzz_target!(|bytes: &[u8]| {
    // Checks the id; a mutated plan stops there.
    let _ = PlanDocument::from_json(bytes);
    let Ok(mut plan) = serde_json::from_slice::<PlanDocument>(bytes) else { return };
    plan.schema = PLAN_SCHEMA.into();
    plan.seal();
    let text = serde_json::to_vec(&plan).expect("a plan can be written");
    let again = PlanDocument::from_json(&text).expect("a sealed plan can be read");
    assert_eq!(again.id, plan.id);
    assert_eq!(text, serde_json::to_vec(&again).expect("a plan can be written"));
});
