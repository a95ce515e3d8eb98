//! The peers' figures as a section: from what `benches/peers/compare.py --json` prints.

use serde_json::{Value, json};

use super::document::{Measured, Target};
use super::text::cell;

/// Fields of a peer's row, and the heads of their columns.
const COLUMNS: [(&str, &str); 8] = [
    ("peer", "peer"),
    ("mode", "mode"),
    ("process_ms_median", "process ms, median"),
    ("process_ms_min", "min"),
    ("cpu_ms_min", "CPU ms"),
    ("peak_mb", "peak MB"),
    ("over_bound", "makespan / bound"),
    ("note", "note"),
];

/// The section of the peers.
///
/// # Errors
/// Where the document is not of schema `rasher.peers/1`: what is missing, in words.
pub fn peers_section(document: &Value) -> Result<Measured, String> {
    if document["schema"] != "rasher.peers/1" {
        return Err(format!("schema is {}, not `rasher.peers/1`", document["schema"]));
    }
    let rows = document["peers"].as_array().ok_or("`peers` is not a list")?;
    let title = format!(
        "{} durations on {} shards: whole processes, called in turn on the same durations",
        cell(&document["tests"]),
        document["shards"]
    );
    let mut heads = COLUMNS.map(|(_, head)| head).to_vec();
    heads.insert(3, "× rasher");
    let mut found = Measured::new("peers", &title, &heads);
    found.section.command = "rasher bench peers".to_owned();
    let median = |row: &Value| row["process_ms_median"].as_f64();
    let own = rows.iter().find(|row| row["peer"] == "rasher").and_then(median);
    for row in rows {
        let value = |(field, _): &(&str, &str)| match row[*field].as_f64() {
            // Three digits would hide what lies between the best of them.
            Some(over) if *field == "over_bound" => json!(format!("{over:.6}")),
            _ => row[*field].clone(),
        };
        let mut cells: Vec<Value> = COLUMNS.iter().map(value).collect();
        let ratio = own.zip(median(row)).map(|(own, other)| json!(other / own));
        cells.insert(3, ratio.unwrap_or(Value::Null));
        found.row(cells);
    }
    let least = rows.iter().find(|row| row["mode"] == "least_duration").and_then(median);
    if let (Some(own), Some(least)) = (own, least) {
        let what = "whole `rasher plan` process / pytest-split least_duration process";
        found.target(Target::at_most("peers", what, 1.0, own / least));
    }
    Ok(found)
}
