//! `rasher demo`: the main job on the talk's monolith, made from a seed.
//!
//! Uses the same steps as the other verbs, on reports in memory; nothing here plans or verifies
//! by itself.

mod after;

use std::collections::HashMap;
use std::path::PathBuf;

use rasher::attempt::{Isolation, RunContext};
use rasher::estimate::estimate;
use rasher::history::History;
use rasher::ingest::{Limits, Reader};
use rasher::outcome::ledger::{Ledger, Verification};
use rasher::plan::PlanFacts;
use rasher::plan::document::{PlanDocument, ShardDocument};
use rasher::units::Micros;
use rasher_bench::corpus::{MadeRun, Monolith};
use rasher_store::Store;
use serde::Serialize;

use after::{After, Day};

use crate::clock::Stopwatch;
use crate::fault::{Exit, Fault};
use crate::files;
use crate::output::{count, span, thousands};
use crate::session::{Session, store_fault};
use crate::verbs::plan;
use crate::workload;

/// Options of `demo`.
#[derive(Debug, clap::Args)]
pub(crate) struct Flags {
    /// How many workers
    #[arg(long, value_name = "N", default_value = "200",
        value_parser = clap::value_parser!(u32).range(1..=100_000))]
    shards: u32,
    /// Leave the papers of the day in a folder: plans, verdict, JUnit XML, summary, report page
    #[arg(long, value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    out: Option<PathBuf>,
}

/// Runs that make the history; the one after them is the run that is planned.
const RECORDED: u32 = 3;

/// `rasher.demo/1`.
#[derive(Debug, Serialize)]
struct Document {
    schema: &'static str,
    tests: usize,
    classes: usize,
    work_ms: Micros,
    plan: String,
    shards: usize,
    makespan_ms: Micros,
    lower_bound_ms: Micros,
    gap: f64,
    by_count_ms: Micros,
    realised_ms: Micros,
    verified: Verification,
    after: After,
}

/// What came of the planned run.
struct Played {
    loads: Vec<Micros>,
    by_count: Micros,
    verified: Verification,
}

/// Plays it.
pub(crate) fn run(flags: &Flags, session: &Session) -> Result<Exit, Fault> {
    let output = session.output;
    let folder = files::Scratch::new()?;
    let path =
        if session.store_named { session.store.clone() } else { folder.path().join("store") };
    let store = Store::open(&path).map_err(|e| store_fault(&e))?;
    let watch = Stopwatch::start();
    let monolith = Monolith::full();
    record(&monolith, &store, session)?;
    output.say(&format!("made and recorded {RECORDED} runs in {}", span(watch.elapsed())));
    let watch = Stopwatch::start();
    let history = session.usable(store.history(&session.environment).map_err(|e| store_fault(&e))?);
    let plan = make_plan(&history, &store, session, flags.shards)?;
    output.say(&format!("read history and planned in {}", span(watch.elapsed())));
    let today = monolith.run(RECORDED);
    let played = play(&today, &plan)?;
    let watch = Stopwatch::start();
    let own = session.elsewhere(path);
    let day =
        Day { session: &own, store: &store, monolith: &monolith, history: &history, plan: &plan };
    let after = day.play(flags.out.as_deref())?;
    output.say(&format!("retried and judged in {}", span(watch.elapsed())));
    let document = Document {
        schema: "rasher.demo/1",
        tests: monolith.tests(),
        classes: monolith.classes.len(),
        work_ms: monolith.work(),
        plan: plan.id.clone(),
        shards: plan.shards.len(),
        makespan_ms: plan.makespan_ms,
        lower_bound_ms: plan.lower_bound_ms,
        gap: plan.gap,
        by_count_ms: played.by_count,
        realised_ms: played.loads.iter().copied().max().unwrap_or_default(),
        verified: played.verified,
        after,
    };
    output.show(&document, |document| people(document, &plan, &played.loads))?;
    if let Some(out) = &flags.out {
        output.say(&format!("the papers are in {}", out.display()));
    }
    Ok(Exit::DONE)
}

/// Yesterday's reports into history, through the reader as any report.
fn record(monolith: &Monolith, store: &Store, session: &Session) -> Result<(), Fault> {
    let bar = session.output.progress(u64::from(RECORDED), "recording");
    for number in 0..RECORDED {
        let made = monolith.run(number);
        let mut reader = Reader::new(Limits::default());
        reader.read(&made.junit(), None);
        let context = RunContext {
            environment: session.environment.clone(),
            branch: Some("main".to_owned()),
            commit: None,
            base_commit: None,
            run: format!("demo-{number}"),
            attempt: 1,
            shard: None,
            worker: None,
            plan: None,
            isolation: Isolation::InSuite,
            at: made.at,
        };
        store.record(&context, reader.finish()).map_err(|e| store_fault(&e))?;
        bar.inc(1);
    }
    bar.finish_and_clear();
    Ok(())
}

fn make_plan(
    history: &History,
    store: &Store,
    session: &Session,
    shards: u32,
) -> Result<PlanDocument, Fault> {
    let newest = workload::newest_run(session, store, history, None)?;
    let Some((run, names)) = newest else { return Err(Fault::store("the demo recorded nothing")) };
    let work = workload::of_newest(history, &names);
    let estimates = estimate(history, &work.tests);
    let facts = PlanFacts {
        run: Some("demo".to_owned()),
        created: run.at,
        environment: session.environment.clone(),
        ..PlanFacts::default()
    };
    plan::document(&work, &estimates, shards, facts)
}

/// Runs the plan with today's durations: each shard reports, and the ledger adds up.
fn play(today: &MadeRun<'_>, plan: &PlanDocument) -> Result<Played, Fault> {
    let ids: Vec<String> = today.ids().collect();
    let place: HashMap<&str, usize> = ids.iter().map(String::as_str).zip(0..).collect();
    let classes = today.monolith.classes.iter().enumerate();
    let class_of: Vec<usize> =
        classes.flat_map(|(at, class)| class.cases.iter().map(move |_| at)).collect();
    let at = |id: &String| place.get(id.as_str()).copied();
    let load = |tests: &[usize]| -> Micros {
        let mut classes: Vec<usize> = tests.iter().map(|test| class_of[*test]).collect();
        classes.sort_unstable();
        classes.dedup();
        let setups: Micros = classes.iter().map(|class| today.setups[*class]).sum();
        setups + tests.iter().map(|test| today.results[*test].duration).sum()
    };
    let mut reader = Reader::new(Limits::default());
    let mut reports = Vec::new();
    let mut loads = Vec::new();
    for shard in &plan.shards {
        let tests: Vec<usize> = shard.tests.iter().filter_map(at).collect();
        loads.push(load(&tests));
        let mut here = vec![false; ids.len()];
        tests.iter().for_each(|test| here[*test] = true);
        reports.push(reader.read(&today.junit_of(|test| here[test]), None).attempts);
    }
    let recording = reader.finish();
    let wrong = |e: rasher::outcome::ledger::LedgerError| Fault::usage(e.to_string());
    let mut ledger = Ledger::open(std::slice::from_ref(plan)).map_err(wrong)?;
    let mut from = 0;
    for attempts in reports {
        ledger.report(1, &recording, from..from + attempts).map_err(wrong)?;
        from += attempts;
    }
    let each = ids.len().div_ceil(plan.shards.len());
    let all: Vec<usize> = (0..ids.len()).collect();
    let by_count = all.chunks(each).map(load).max().unwrap_or_default();
    Ok(Played { loads, by_count, verified: ledger.close() })
}

fn people(document: &Document, plan: &PlanDocument, loads: &[Micros]) -> String {
    let realised = document.realised_ms;
    let mut text = format!(
        "The talk's monolith: {} in {}, {} of work.\n\n",
        count(document.tests, "test"),
        count(document.classes, "class"),
        span(document.work_ms),
    );
    text += &format!(
        "                   predicted   on the day, with its noise\n  \
         planned          {:>9}   {}\n  split by count   {:>9}   {}\n\n\
         No plan can be shorter than {} (gap {:.4} %).\n",
        span(document.makespan_ms),
        span(realised),
        "",
        span(document.by_count_ms),
        span(document.lower_bound_ms),
        document.gap * 100.0,
    );
    text += &format!("Bound by {}.\n", plan::bound(plan));
    if let Some(most) = plan.useful_workers_max {
        text += &format!("More than {} cannot help.\n", count(most as usize, "worker"));
    }
    text += &picture("planned", &plan.shards.iter().map(|s| s.predicted_ms).collect::<Vec<_>>());
    text += &picture("as it ran", loads);
    if let Some(shard) = plan.shards.first() {
        text += &first_shard(shard, plan.shards.len());
    }
    let verified = &document.verified;
    text += &format!(
        "\nverified: {} of {} have a result of their own ({} skipped, {} failed), {}\n",
        thousands(verified.accepted as u64),
        count(verified.planned, "planned test"),
        verified.skipped,
        verified.failed,
        if verified.complete { "none missing, none twice" } else { "INCOMPLETE" },
    );
    text += &after::words(&document.after);
    text + "\nThe same on your own reports:\n  rasher record PATH…\n  rasher plan --shards 8 --out \
            plan.json\n  rasher shard 1/8 --plan plan.json --format pytest\n  rasher verify --plan \
            plan.json --results PATH…\n  rasher retry --plan plan.json --results PATH… --out \
            retry.json\n  rasher verdict --plan plan.json --plan retry.json --results PATH… --results \
            2=PATH…\n  rasher report\n"
}

/// One column a shard (or a few), as high as it takes long; the highest is full.
fn picture(what: &str, loads: &[Micros]) -> String {
    const WIDTH: usize = 100;
    const ROWS: usize = 3;
    const LEVELS: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let most = loads.iter().max().map_or(1, |most| most.get().max(1));
    let columns: Vec<usize> = loads
        .chunks(loads.len().div_ceil(WIDTH).max(1))
        .map(|some| some.iter().max().map_or(0, |load| load.get()))
        .map(|load| (load as f64 / most as f64 * (ROWS * 8) as f64).round() as usize)
        .collect();
    let mut text = format!("\n{} shards, {what}\n", loads.len());
    for row in (0..ROWS).rev() {
        let line: String =
            columns.iter().map(|high| LEVELS[high.saturating_sub(row * 8).min(8)]).collect();
        text += line.trim_end();
        text.push('\n');
    }
    text
}

fn first_shard(shard: &ShardDocument, of: usize) -> String {
    const SHOWN: usize = 4;
    let mut text = format!(
        "\nshard {}/{of}: {}, {} of which {} is set-up\n",
        shard.index,
        count(shard.tests.len(), "test"),
        span(shard.predicted_ms),
        span(shard.setup_ms),
    );
    for test in shard.tests.iter().take(SHOWN) {
        text += &format!("  {test}\n");
    }
    if shard.tests.len() > SHOWN {
        text += &format!("  and {} more\n", shard.tests.len() - SHOWN);
    }
    text
}
