//! `rasher flaky`: which tests cost most by failing without cause.

use jiff::civil::Date;
use rasher::estimate::estimate;
use rasher::flake::Scores;
use rasher::test_id::TestId;
use rasher::units::Micros;
use serde::Serialize;

use crate::clock;
use crate::evidence;
use crate::fault::{Exit, Fault};
use crate::output::{count, table};
use crate::people::{self, People};
use crate::session::Session;

/// Options of `flaky`.
#[derive(Debug, clap::Args)]
pub(crate) struct Flags {
    /// Score tests by this many of the newest recorded runs only [default: all]
    #[arg(long, value_name = "N")]
    history_runs: Option<usize>,
    /// Show at most this many tests in the table
    #[arg(long, value_name = "N", default_value_t = 50)]
    top: usize,
    /// List tests that never failed too
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    people: people::Flags,
}

/// What one flaky failure costs beside its retry: somebody waits.
const BLOCKED: Micros = Micros::from_secs(60);

/// The document.
#[derive(Serialize)]
pub(crate) struct Document {
    schema: &'static str,
    pub(crate) runs: u32,
    pub(crate) tests: Vec<Row>,
    /// Tests that failed in the same runs again and again: one cause each, probably.
    clusters: Vec<Vec<String>>,
}

/// One test.
#[derive(Serialize)]
pub(crate) struct Row {
    pub(crate) test: String,
    environment: String,
    pub(crate) score: f64,
    p_flaky: f64,
    p_broken: f64,
    pub(crate) flagged: bool,
    pub(crate) low: f64,
    pub(crate) high: f64,
    pub(crate) recent_pass: Option<f64>,
    pub(crate) long_pass: Option<f64>,
    pub(crate) failures: u32,
    pub(crate) runs: u32,
    pub(crate) impact_ms: f64,
    pub(crate) last_runs: String,
    pub(crate) owner: Option<String>,
    /// Its place in `clusters`, from 0, where it always fails together with others.
    cluster: Option<usize>,
    /// The first day on which its failures block again, where it is in quarantine.
    pub(crate) quarantined_until: Option<Date>,
}

/// Six figures: beyond them the last bits of a logarithm speak.
fn rounded(value: f64) -> f64 {
    format!("{value:.5e}").parse().unwrap_or(value)
}

/// Ranks.
pub(crate) fn run(flags: &Flags, session: &Session) -> Result<Exit, Fault> {
    let people = People::load(&flags.people, session, clock::now())?;
    let scores = evidence::scores(session, flags.history_runs, &[])?;
    let document = rank(session, &scores, &people, flags.all)?;
    session.output.show(&document, |document| table_of(document, flags.top))?;
    Ok(Exit::DONE)
}

/// Every test that ever failed, or every test, the costliest first.
pub(crate) fn rank(
    session: &Session,
    scores: &Scores,
    people: &People,
    all: bool,
) -> Result<Document, Fault> {
    let estimates = estimate(&session.history()?, scores.names());
    let mut tests: Vec<Row> = Vec::new();
    let clusters = scores.clusters();
    for test in scores.names().ids() {
        let strip = scores.filter().strip(test);
        if strip.failures > 0 || all {
            let row = row((session, people), scores, test, estimates.mean[test.index()]);
            tests.push(Row { cluster: clusters.of(test), ..row });
        }
    }
    let name = |test: &TestId| scores.names().name(*test).to_owned();
    let clusters = clusters.lists().iter().map(|list| list.iter().map(name).collect()).collect();
    tests.sort_by(|a, b| b.impact_ms.total_cmp(&a.impact_ms).then_with(|| a.test.cmp(&b.test)));
    Ok(Document { schema: "rasher.flaky/1", runs: scores.runs(), tests, clusters })
}

fn row(
    (session, people): (&Session, &People),
    scores: &Scores,
    test: TestId,
    duration: Micros,
) -> Row {
    let names = scores.names();
    let (name, group) = (names.name(test), names.group(test).map(|group| names.group_name(group)));
    let shield = people.quarantine().shield(name, group, clock::now());
    let (score, strip) = (scores.filter().score(test), scores.filter().strip(test));
    let rate = f64::from(score.rate);
    Row {
        test: name.to_owned(),
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
        owner: people.owner(name, group),
        cluster: None,
        quarantined_until: shield.map(|entry| entry.expires),
    }
}

fn mark(row: &Row) -> &'static str {
    match (row.quarantined_until, row.flagged) {
        (Some(_), _) => "quarantine",
        (None, true) => "flaky",
        (None, false) => "",
    }
}

fn table_of(document: &Document, top: usize) -> String {
    if document.tests.is_empty() {
        return format!("no test failed in {}\n", count(document.runs as usize, "run"));
    }
    let share = |value: Option<f64>| value.map_or(String::new(), |v| format!("{:.1}%", 100.0 * v));
    let cells = |row: &Row| {
        [
            format!("{:.4}", row.score),
            format!("{:.4}–{:.4}", row.low, row.high),
            mark(row).to_owned(),
            format!("{:.2}", row.p_broken),
            share(row.recent_pass),
            share(row.long_pass),
            format!("{} / {}", row.failures, row.runs),
            row.last_runs.clone(),
            row.test.escape_debug().to_string(),
            row.owner.clone().unwrap_or_default(),
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
        "owner",
    ];
    let rows = document.tests.iter().take(top).map(cells);
    let mut text = table(header, &[0, 3, 4, 5, 6], rows);
    if document.tests.len() > top {
        text += &format!("and {} more\n", count(document.tests.len() - top, "test"));
    }
    for cluster in document.clusters.iter().take(top) {
        let others = count(cluster.len() - 1, "test");
        text += &format!("`{}` fails together with {others}\n", cluster[0].escape_debug());
    }
    text
}
