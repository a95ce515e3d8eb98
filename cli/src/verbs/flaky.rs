//! `rasher flaky`: which tests cost most by failing without cause.

use rasher::estimate::estimate;
use rasher::test_id::TestId;
use rasher::units::Micros;
use serde::Serialize;

use crate::evidence;
use crate::fault::{Exit, Fault};
use crate::output::{count, table};
use crate::session::Session;

/// Options of `flaky`.
#[derive(Debug, clap::Args)]
pub(crate) struct Flags {
    /// Score tests by this many of the newest recorded runs
    #[arg(long, value_name = "N", default_value_t = 400)]
    history_runs: usize,
    /// Show at most this many tests in the table
    #[arg(long, value_name = "N", default_value_t = 50)]
    top: usize,
    /// List tests that never failed too
    #[arg(long)]
    all: bool,
}

/// What one flaky failure costs beside its retry: somebody waits.
const BLOCKED: Micros = Micros::from_secs(60);

/// The document.
#[derive(Serialize)]
struct Document {
    schema: &'static str,
    runs: u32,
    tests: Vec<Row>,
}

#[derive(Serialize)]
struct Row {
    test: String,
    environment: String,
    score: f64,
    p_flaky: f64,
    p_broken: f64,
    flagged: bool,
    low: f64,
    high: f64,
    recent_pass: Option<f64>,
    long_pass: Option<f64>,
    failures: u32,
    runs: u32,
    impact_ms: f64,
    last_runs: String,
    owner: Option<String>,
}

/// Six figures: beyond them the last bits of a logarithm speak.
fn rounded(value: f64) -> f64 {
    format!("{value:.5e}").parse().unwrap_or(value)
}

/// Ranks.
pub(crate) fn run(flags: &Flags, session: &Session) -> Result<Exit, Fault> {
    let scores = evidence::scores(session, flags.history_runs, None)?;
    let estimates = estimate(&session.history()?, scores.names());
    let mut tests: Vec<Row> = Vec::new();
    for test in scores.names().ids() {
        let strip = scores.filter().strip(test);
        if strip.failures > 0 || flags.all {
            tests.push(row(session, &scores, test, estimates.mean[test.index()]));
        }
    }
    tests.sort_by(|a, b| b.impact_ms.total_cmp(&a.impact_ms).then_with(|| a.test.cmp(&b.test)));
    let document = Document { schema: "rasher.flaky/1", runs: scores.runs(), tests };
    session.output.show(&document, |document| people(document, flags.top))?;
    Ok(Exit::DONE)
}

fn row(session: &Session, scores: &rasher::flake::Scores, test: TestId, duration: Micros) -> Row {
    let (score, strip) = (scores.filter().score(test), scores.filter().strip(test));
    let rate = f64::from(score.rate);
    Row {
        test: scores.names().name(test).to_owned(),
        environment: session.environment.clone(),
        score: rounded(rate),
        p_flaky: rounded(f64::from(score.p_flaky)),
        p_broken: rounded(f64::from(score.p_broken)),
        flagged: score.flagged,
        low: rounded(score.low),
        high: rounded(score.high),
        recent_pass: strip.pass_rate(20).map(rounded),
        long_pass: strip.long_pass_rate().map(rounded),
        failures: strip.failures,
        runs: strip.runs,
        impact_ms: rounded(rate * (duration + BLOCKED).as_millis_f64()),
        last_runs: strip.text(40),
        owner: None,
    }
}

fn people(document: &Document, top: usize) -> String {
    if document.tests.is_empty() {
        return format!("no test failed in {}\n", count(document.runs as usize, "run"));
    }
    let share = |value: Option<f64>| value.map_or(String::new(), |v| format!("{:.1}%", 100.0 * v));
    let cells = |row: &Row| {
        [
            format!("{:.4}", row.score),
            format!("{:.4}–{:.4}", row.low, row.high),
            if row.flagged { "flaky" } else { "" }.to_owned(),
            format!("{:.2}", row.p_broken),
            share(row.recent_pass),
            share(row.long_pass),
            format!("{} / {}", row.failures, row.runs),
            row.last_runs.clone(),
            row.test.escape_debug().to_string(),
        ]
    };
    let header = [
        "fails",
        "90%",
        "flag",
        "P(broken)",
        "recent",
        "long",
        "failed / runs",
        "last runs",
        "test",
    ];
    let rows = document.tests.iter().take(top).map(cells);
    let mut text = table(header, &[0, 3, 4, 5, 6], rows);
    if document.tests.len() > top {
        text += &format!("and {} more\n", count(document.tests.len() - top, "test"));
    }
    text
}
