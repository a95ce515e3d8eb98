//! The document of `rasher bench` as text: cells, and Markdown for `COMPARE.md`.

use std::fmt::Write;

use serde_json::Value;

use super::document::{BenchDocument, Section, Target};

/// A value of a table as people read it: counts with separators, other numbers to three digits that
/// mean something.
///
/// ```
/// use rasher_bench::command::cell;
/// use serde_json::json;
/// assert_eq!(cell(&json!(45_000)), "45,000");
/// assert_eq!(cell(&json!(1.234_56)), "1.235");
/// assert_eq!(cell(&json!(0.000_012_3)), "1.23e-5");
/// assert_eq!(cell(&json!(null)), "");
/// ```
pub fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::String(text) => text.clone(),
        Value::Number(number) => match (number.as_u64(), number.as_f64()) {
            (Some(count), _) => thousands(count),
            (None, Some(number)) => float(number),
            (None, None) => number.to_string(),
        },
        other => other.to_string(),
    }
}

fn float(number: f64) -> String {
    let size = number.abs();
    match size {
        0.0 => "0".to_owned(),
        _ if size >= 1e5 => thousands(number.round() as u64),
        _ if size >= 100.0 => format!("{number:.0}"),
        _ if size >= 10.0 => format!("{number:.1}"),
        _ if size >= 0.1 => format!("{number:.3}"),
        _ if size >= 0.001 => format!("{number:.4}"),
        _ => format!("{number:.2e}"),
    }
}

/// A count with separators: `45,000`.
pub fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// The rows of the table of targets: id, demand, measured, met.
pub fn target_cells(target: &Target) -> [String; 5] {
    let sign = if target.at_most { "≤" } else { "≥" };
    let (limit, measured) = (float(target.limit), float(target.measured));
    let met = if target.met { "met" } else { "missed" };
    [target.id.clone(), target.what.clone(), format!("{sign} {limit}"), measured, met.to_owned()]
}

/// A table in Markdown.
fn markdown_table<'a>(columns: &[String], rows: impl Iterator<Item = Vec<String>> + 'a) -> String {
    let mut text = String::new();
    let line = |cells: &[String]| {
        let cells: Vec<_> = cells.iter().map(|cell| cell.replace('|', "\\|")).collect();
        format!("| {} |\n", cells.join(" | "))
    };
    text.push_str(&line(columns));
    let _ = writeln!(text, "|{}", "---|".repeat(columns.len()));
    for row in rows {
        text.push_str(&line(&row));
    }
    text
}

/// A section in Markdown, with the command that prints it.
fn section_markdown(section: &Section) -> String {
    let rows = section.rows.iter().map(|row| row.iter().map(cell).collect());
    let table = markdown_table(&section.columns, rows);
    format!(
        "## {}\n\n{}.\nPrinted by `{}`.\n\n{table}\n",
        section.name, section.title, section.command
    )
}

const HEAD: &str = "\
# Rasher beside its peers, and beside its own targets

This file is written by `rasher bench compare` from `benches/results.json`, which `rasher bench` \
measured; a test holds the two together. Times are multiples of the machine's unit, \
`sort_unstable` of the same durations as `u64`, taken turn by turn in the same run, since seconds \
mean little from one machine to the next. A gap is (makespan - lower bound) / lower bound. All \
instances are made from seeds; every plan is read by a checker that shares no code with the \
planner.
";

/// `COMPARE.md`.
pub(super) fn compare_markdown(document: &BenchDocument) -> String {
    let mut text = String::from(HEAD);
    let unit = document.unit;
    let _ = write!(
        text,
        "\nMeasured with version {} on {} processors, where sorting the 45,000 durations of the made \
         monolith took {} µs.\n\n## Targets\n\n{}\n",
        document.version,
        unit.processors,
        float(unit.sort_us),
        targets_markdown(document),
    );
    let (peers, own): (Vec<_>, Vec<_>) =
        document.sections.iter().partition(|section| section.name == "peers");
    for section in peers.into_iter().chain(own) {
        text.push_str(&section_markdown(section));
    }
    text.truncate(text.trim_end().len());
    text.push('\n');
    text
}

/// All targets in Markdown.
fn targets_markdown(document: &BenchDocument) -> String {
    let columns = ["", "target", "demanded", "measured", ""].map(str::to_owned);
    markdown_table(&columns, document.targets.iter().map(|target| target_cells(target).to_vec()))
}
