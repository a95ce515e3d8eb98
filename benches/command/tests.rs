//! The document says what was found, and its text says what the document says.

use serde_json::json;

use super::*;

fn document() -> BenchDocument {
    let mut document = BenchDocument {
        schema: BENCH_SCHEMA.to_owned(),
        version: "1.2.3".to_owned(),
        unit: Unit { processors: 2, sort_us: 512.4 },
        sections: Vec::new(),
        targets: Vec::new(),
    };
    let mut found = Measured::new("plan", "A title", &["family", "× sort"]);
    found.row(vec![json!("a|b"), json!(1.234)]);
    found.target(Target::at_most("T1", "fast", 1.25, 1.234));
    found.target(Target::at_least("T5", "proved", 0.75, 0.7));
    document.add(found);
    document
}

#[test]
fn a_target_is_met_only_where_its_limit_is_kept() {
    let met = |target: Target| target.met;
    assert!(met(Target::at_most("", "", 1.0, 1.0)) && !met(Target::at_most("", "", 1.0, 1.01)));
    assert!(met(Target::at_least("", "", 1.0, 1.0)) && !met(Target::at_least("", "", 1.0, 0.99)));
    assert!(!met(Target::at_most("", "", 1.0, f64::NAN)));
}

#[test]
fn a_section_measured_again_replaces_the_old_one() {
    let mut document = document();
    let mut again = Measured::new("plan", "B title", &["family"]);
    again.target(Target::at_most("T1", "fast", 1.25, 9.0));
    document.add(again);
    assert_eq!(document.sections.len(), 1);
    assert_eq!(document.sections[0].title, "B title");
    assert_eq!(document.targets.iter().map(|t| t.met).collect::<Vec<_>>(), [false]);
}

#[test]
fn the_markdown_holds_every_cell_and_target() {
    let text = document().markdown();
    for part in [
        "| a\\|b | 1.234 |",
        "| T1 | fast | ≤ 1.250 | 1.234 | met |",
        "| T5 | proved | ≥ 0.750 | 0.700 | missed |",
        "`rasher bench plan`",
        "512 µs",
        "version 1.2.3",
    ] {
        assert!(text.contains(part), "{part} is not in\n{text}");
    }
}

#[test]
fn the_document_survives_its_own_json() {
    let document = document();
    let text = serde_json::to_string(&document).expect("json");
    assert_eq!(serde_json::from_str::<BenchDocument>(&text).expect("document"), document);
}

#[test]
fn the_picture_shows_met_and_missed_in_different_colours() {
    let svg = picture(&document()).expect("drawn");
    assert!(svg.starts_with("<svg") && svg.trim_end().ends_with("</svg>"));
    assert!(svg.contains("#2E8B57") && svg.contains("#C84838"), "{svg}");
}

#[test]
fn peers_become_a_section_with_their_ratio_to_rasher() {
    let found = peers_section(&json!({
        "schema": "rasher.peers/1", "tests": 45_000, "shards": 200, "peers": [
            {"peer": "rasher", "mode": "plan", "process_ms_median": 20.0, "note": null},
            {"peer": "pytest-split", "mode": "least_duration", "process_ms_median": 800.0},
            {"peer": "gone", "mode": "x", "note": "not installed"},
        ],
    }))
    .expect("a section");
    assert_eq!(found.section.rows[1][3], json!(40.0));
    assert_eq!(found.section.rows[2][3], json!(null));
    assert!(found.targets[0].met);
    assert!(peers_section(&json!({"schema": "other"})).is_err());
}

#[test]
fn the_oracle_s_answers_become_excess_and_open_ones_are_counted_apart() {
    let question = oracle_question(Effort { seeds: 1, rounds: 1 });
    let asked = question.instances.as_array().expect("a list");
    assert!(!asked.is_empty());
    // Every plan is one above its optimum, but for the first, which stays open.
    let answers: Vec<_> = asked
        .iter()
        .enumerate()
        .map(|(at, instance)| {
            let makespan = instance["makespan"].as_u64().expect("a makespan");
            let low = makespan - 1;
            let high = if at == 0 { makespan } else { low };
            json!({"name": instance["name"], "low": low, "high": high, "cp_sat": 2 * makespan})
        })
        .collect();
    let document = json!({"schema": "rasher.oracle/1", "answers": answers});
    let found = oracle_section(&question, &document).expect("a section");
    let open: u64 = found.section.rows.iter().filter_map(|row| row[4].as_u64()).sum();
    assert_eq!(open, 1);
    assert!(found.targets[0].measured > 0.0);
    let fewer = json!({"schema": "rasher.oracle/1", "answers": []});
    assert!(oracle_section(&question, &fewer).is_err(), "an instance without an answer");
    assert!(oracle_section(&question, &json!({"schema": "other"})).is_err());
}
