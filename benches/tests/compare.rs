//! No figure in `COMPARE.md` that is not in the results, and no target called met that is not.

use std::fs;
use std::path::Path;

use rasher_bench::command::{BENCH_SCHEMA, BenchDocument};

fn top(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path);
    fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

fn results() -> BenchDocument {
    let results: BenchDocument =
        serde_json::from_str(&top("benches/results.json")).expect("results");
    assert_eq!(results.schema, BENCH_SCHEMA);
    results
}

#[test]
fn the_comparison_is_what_the_results_say() {
    let said = top("COMPARE.md");
    assert!(said == results().markdown(), "run `rasher bench compare` again");
}

#[test]
fn a_target_is_called_met_only_where_its_limit_is_kept() {
    let results = results();
    assert!(!results.targets.is_empty());
    for target in &results.targets {
        let kept = if target.at_most {
            target.measured <= target.limit
        } else {
            target.measured >= target.limit
        };
        assert_eq!(target.met, kept, "{} {}", target.id, target.what);
        assert!(results.sections.iter().any(|section| section.name == target.section));
    }
}
