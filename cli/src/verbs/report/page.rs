//! One HTML page that needs nothing else: no network, no script, readable in light and dark.
//!
//! Decides what the page shows and in which words; how it looks is `templates/report.html`, which
//! escapes every value that is put into it.

use std::collections::BTreeMap;

use askama::Template;
use jiff::Timestamp;
use rasher::error::ErrorKind;

use rasher::history::{RunRecording, RunSeen};
use rasher::plan::PlanOptions;
use rasher::plan::document::PlanDocument;
use rasher::report::quarantine::QuarantineState;
use rasher::report::skips::SkipsDocument;
use rasher::units::Micros;

use super::{Flags, bypass, skips};
use crate::budgets::Demand;
use crate::clock;
use crate::evidence;
use crate::fault::{Exit, Fault};
use crate::files;
use crate::frontier_picture;
use crate::output::{count, span, thousands};
use crate::people::People;
use crate::plans;
use crate::policy::Settings;
use crate::prediction;
use crate::session::{Session, store_fault};
use crate::verbs::{flaky, frontier};
use crate::workload;

/// What the template is given.
#[derive(Template)]
#[template(path = "report.html")]
struct Page {
    environment: String,
    made: String,
    tiles: Vec<Tile>,
    runs: Vec<RunRow>,
    shards: Option<Shards>,
    /// The picture as the address of an image: an image runs nothing.
    frontier: Option<String>,
    frontier_words: String,
    flaky: Vec<FlakyRow>,
    flaky_more: usize,
    skips: Option<SkipsDocument>,
    skips_more: usize,
    bypasses: Vec<BypassRow>,
    ledger: Option<String>,
    clocks: Vec<ClockCells>,
    people: Vec<(String, u64)>,
    quarantine: Vec<QuarantineRow>,
}

struct Tile {
    value: String,
    what: &'static str,
    bad: bool,
}

struct RunRow {
    run: String,
    at: String,
    branch: String,
    tests: String,
    not_passed: String,
    shards: String,
    longest: String,
    imbalance: String,
    predicted: String,
    promise: &'static str,
}

/// One column a shard, in a box of 1000 × 200.
struct Shards {
    run: String,
    words: String,
    columns: Vec<Column>,
    /// Where the mean is.
    mean_y: String,
}

struct Column {
    x: String,
    width: String,
    y: String,
    height: String,
    words: String,
    longest: bool,
}

struct FlakyRow {
    test: String,
    owner: String,
    score: String,
    interval: String,
    recent: String,
    long: String,
    failures: String,
    /// One letter a run, oldest first.
    strip: Vec<char>,
    mark: &'static str,
}

struct BypassRow {
    entry: u64,
    at: String,
    by: String,
    p_real: String,
    tests: String,
    reason: String,
}

struct ClockCells {
    test: String,
    by: String,
    words: String,
    overdue: bool,
}

struct QuarantineRow {
    test: String,
    owner: String,
    reason: String,
    since: String,
    expires: String,
    state: &'static str,
}

/// Tests of a table on the page.
const ROWS: usize = 50;

/// Writes the page.
pub(super) fn run(flags: &Flags, session: &Session) -> Result<Exit, Fault> {
    let now = flags.at.unwrap_or_else(clock::now);
    let html = html(flags, session, now)?;
    if flags.out.as_os_str() == "-" {
        session.output.raw(&html)?;
        return Ok(Exit::DONE);
    }
    files::write(&flags.out, html.as_bytes())?;
    session.output.data(&flags.out.display().to_string())?;
    Ok(Exit::DONE)
}

/// The page of a store.
pub(crate) fn html(flags: &Flags, session: &Session, now: Timestamp) -> Result<String, Fault> {
    let people = People::load(&flags.people, session, now)?;
    let page = gather(flags, session, &people, now)?;
    page.render().map_err(|e| Fault::new(ErrorKind::Defect, format!("no page: {e}")))
}

fn gather(
    flags: &Flags,
    session: &Session,
    people: &People,
    now: Timestamp,
) -> Result<Page, Fault> {
    let store = session.open_store()?;
    let all = store.runs(&session.environment, None).map_err(|e| store_fault(&e))?;
    let all = session.usable(all);
    let mut runs = Vec::new();
    let mut shards = None;
    let mut promises = (0, 0);
    for seen in all.iter().rev().take(flags.runs) {
        let loaded =
            store.load_run(&session.environment, &seen.run).map_err(|e| store_fault(&e))?;
        let loads = loads(&session.usable(loaded));
        let plan = plans::kept(session, &seen.run)?;
        let row = run_row(seen, &loads, plan.as_ref());
        promises.0 += usize::from(row.promise == "kept");
        promises.1 += usize::from(!row.promise.is_empty());
        runs.push(row);
        if shards.is_none() && loads.len() > 1 {
            shards = Some(columns(&seen.run, &loads));
        }
    }
    let scores = evidence::scores(session, None, &[])?;
    let ranked = flaky::rank(session, &scores, people, false)?;
    let limit = bypass::micros(flags.fix_within);
    let bypassed = bypass::document(session, people, (None, limit, now))?;
    let authors = skips::Authors::read(flags, session)?;
    let skips = (!all.is_empty())
        .then(|| skips::document(session, (people, &authors), (flags.days, flags.at)))
        .transpose()?;
    let (frontier, frontier_words) = frontier_of(session)?;
    let flaky: Vec<FlakyRow> = ranked.tests.iter().take(ROWS).map(flaky_row).collect();
    Ok(Page {
        environment: session.environment.clone(),
        made: now.to_string(),
        tiles: tiles(&all, promises, (&ranked, skips.as_ref(), &bypassed)),
        runs,
        shards,
        frontier,
        frontier_words,
        flaky_more: ranked.tests.len() - flaky.len(),
        flaky,
        skips_more: skips.as_ref().map_or(0, |it| it.skipped.len().saturating_sub(ROWS)),
        skips: skips.map(|mut it| {
            it.skipped.truncate(ROWS);
            it
        }),
        bypasses: bypassed.bypasses.iter().rev().take(ROWS).map(bypass_row).collect(),
        ledger: bypassed.trouble(),
        clocks: bypassed.clocks.iter().rev().take(ROWS).map(|it| clock_cells(it, now)).collect(),
        people: bypassed.counts.people.iter().map(|it| (it.name.clone(), it.total)).collect(),
        quarantine: quarantine(people, now),
    })
}

fn tiles(
    all: &[RunSeen],
    (kept, promised): (usize, usize),
    (ranked, skips, bypassed): (&flaky::Document, Option<&SkipsDocument>, &bypass::Document),
) -> Vec<Tile> {
    let number = |number: usize| thousands(number as u64);
    let good = |value, what| Tile { value, what, bad: false };
    let overdue = bypassed.clocks.iter().filter(|it| it.is_overdue()).count();
    let flagged = ranked.tests.iter().filter(|it| it.flagged).count();
    let promise = if promised > 0 { format!("{kept} of {promised}") } else { "–".to_owned() };
    vec![
        good(number(all.last().map_or(0, |run| run.tests as usize)), "tests in the newest run"),
        good(number(all.len()), "runs recorded"),
        Tile { value: promise, what: "predictions kept", bad: kept < promised },
        good(number(flagged), "tests flagged flaky"),
        good(number(skips.map_or(0, |it| it.tests)), "tests skipped in the period"),
        good(number(bypassed.bypasses.len()), "bypasses"),
        Tile { value: number(overdue), what: "clocks overdue", bad: overdue > 0 },
    ]
}

/// What every shard of a run took in its first round, by its number.
fn loads(recordings: &[RunRecording]) -> BTreeMap<u32, Micros> {
    let mut loads: BTreeMap<u32, Micros> = BTreeMap::new();
    for it in recordings.iter().filter(|it| it.context.attempt == 1) {
        let tests: Micros = it.recording.attempts.iter().filter_map(|it| it.duration).sum();
        let setups: Micros = it.recording.setups.iter().map(|it| it.setup).sum();
        let load = loads.entry(it.context.shard.unwrap_or(1)).or_default();
        *load = *load + tests + setups;
    }
    loads
}

fn mean(loads: &BTreeMap<u32, Micros>) -> Micros {
    let sum: Micros = loads.values().copied().sum();
    Micros::new(sum.get() / (loads.len() as u64).max(1))
}

fn run_row(seen: &RunSeen, loads: &BTreeMap<u32, Micros>, plan: Option<&PlanDocument>) -> RunRow {
    let longest = loads.values().copied().max().unwrap_or_default();
    let (mean, many) = (mean(loads), loads.len() > 1);
    let over = longest.as_secs_f64() / mean.as_secs_f64().max(1e-9) - 1.0;
    let complete = plan.filter(|plan| plan.shards.len() == loads.len());
    let finish = |plan: &PlanDocument| plan.budget.startup_ms + longest;
    let by =
        |plan: &PlanDocument| plan.budget.deadline_ms.unwrap_or(plan.budget.predicted_finish_ms);
    RunRow {
        run: seen.run.clone(),
        at: seen.at.to_string(),
        branch: seen.branch.clone().unwrap_or_default(),
        tests: thousands(u64::from(seen.tests)),
        not_passed: thousands(u64::from(
            seen.tests.saturating_sub(seen.passed).saturating_sub(seen.skipped),
        )),
        shards: loads.len().to_string(),
        longest: span(longest),
        imbalance: if many { format!("{:.1} %", 100.0 * over) } else { String::new() },
        predicted: complete.map_or(String::new(), |plan| span(plan.makespan_ms)),
        promise: match complete.map(|plan| (finish(plan), by(plan))) {
            None => "",
            Some((finish, by)) if finish <= by => "kept",
            Some(_) => "late",
        },
    }
}

/// Two decimals are finer than any screen.
fn decimals(value: f64) -> String {
    format!("{value:.2}")
}

fn columns(run: &str, loads: &BTreeMap<u32, Micros>) -> Shards {
    const HEIGHT: f64 = 200.0;
    let most = loads.values().copied().max().unwrap_or_default();
    let share = |load: Micros| load.as_secs_f64() / most.as_secs_f64().max(1e-9);
    let step = 1_000.0 / loads.len() as f64;
    let column = |(at, (shard, load)): (usize, (&u32, &Micros))| {
        let height = HEIGHT * share(*load);
        Column {
            x: decimals(step * at as f64),
            width: decimals(step * 0.86),
            y: decimals(HEIGHT - height),
            height: decimals(height),
            words: format!("shard {shard}: {}", span(*load)),
            longest: *load == most,
        }
    };
    let least = loads.values().copied().min().unwrap_or_default();
    Shards {
        run: run.to_owned(),
        words: format!(
            "{}: the longest took {}, the mean {}, the shortest {}",
            count(loads.len(), "shard"),
            span(most),
            span(mean(loads)),
            span(least)
        ),
        columns: loads.iter().enumerate().map(column).collect(),
        mean_y: decimals(HEIGHT - HEIGHT * share(mean(loads))),
    }
}

/// The frontier of the newest run as the address of an image, and what it says.
fn frontier_of(session: &Session) -> Result<(Option<String>, String), Fault> {
    const WORKERS: u32 = 1_000;
    let settings = Settings::read(session.config.as_ref())?;
    let (store, history) = (session.open_store()?, session.history()?);
    let newest = workload::newest_run(session, &store, &history, None)?;
    let (Some((_, names)), Some(pool)) = (newest, settings.pools.first()) else {
        return Ok((None, String::new()));
    };
    let tests = workload::of_newest(&history, &names).tests;
    let estimates = prediction::expect(session, &history, &tests, None).estimates;
    let options = PlanOptions::new(1);
    let demand = Demand {
        tests: &tests,
        estimates: &estimates,
        branch: None,
        options: &options,
        idle: None,
    };
    let document = frontier::document((WORKERS, None), &settings, pool, &demand)?;
    let picture =
        frontier_picture::draw(&document).map_err(|e| Fault::new(ErrorKind::Defect, e))?;
    let most = count(document.useful_workers_max as usize, "worker");
    let words = format!("More than {most} cannot help: bound by {}.", document.bound_by.name);
    Ok((Some(format!("data:image/svg+xml,{}", percent(&picture))), words))
}

/// Text as a part of an address.
fn percent(text: &str) -> String {
    let mut address = String::with_capacity(2 * text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z'
            | b'A'..=b'Z'
            | b'0'..=b'9'
            | b'-'
            | b'_'
            | b'.'
            | b'~'
            | b'/'
            | b'='
            | b','
            | b';' => address.push(char::from(byte)),
            _ => address.push_str(&format!("%{byte:02X}")),
        }
    }
    address
}

fn flaky_row(row: &flaky::Row) -> FlakyRow {
    let share = |value: Option<f64>| value.map_or(String::new(), |v| format!("{:.1} %", 100.0 * v));
    FlakyRow {
        test: row.test.clone(),
        owner: row.owner.clone().unwrap_or_default(),
        score: format!("{:.4}", row.score),
        interval: format!("{:.4}–{:.4}", row.low, row.high),
        recent: share(row.recent_pass),
        long: share(row.long_pass),
        failures: format!("{} of {}", row.failures, row.runs),
        strip: row.last_runs.chars().collect(),
        mark: match (row.quarantined_until.is_some(), row.flagged) {
            (true, _) => "in quarantine",
            (false, true) => "flaky",
            (false, false) => "",
        },
    }
}

fn bypass_row(entry: &rasher::bypass::chain::Entry) -> BypassRow {
    let record = &entry.record;
    BypassRow {
        entry: entry.entry,
        at: record.at.to_string(),
        by: record.by.clone(),
        p_real: format!("{:.4}", record.p_real),
        tests: count(record.tests.len(), "test"),
        reason: record.reason.clone(),
    }
}

fn clock_cells(clock: &crate::bypasses::ClockRow, now: Timestamp) -> ClockCells {
    ClockCells {
        test: clock.test.clone(),
        by: clock.by.clone(),
        words: bypass::clock_words(clock, now),
        overdue: clock.is_overdue(),
    }
}

fn quarantine(people: &People, now: Timestamp) -> Vec<QuarantineRow> {
    let row = |entry: &rasher::report::quarantine::QuarantineEntry| QuarantineRow {
        test: entry.test.clone(),
        owner: entry.owner.clone(),
        reason: entry.reason.clone(),
        since: entry.since.to_string(),
        expires: entry.expires.to_string(),
        state: match entry.state(now) {
            QuarantineState::Ahead => "ahead",
            QuarantineState::Active => "shields",
            QuarantineState::Expired => "expired: shields no longer",
        },
    };
    people.quarantine().entries().iter().map(row).collect()
}
