//! What comes after the run of the demo: failures, a retry, a verdict, a bypass and a page.
//!
//! Real breakages are put in by hand; everything else that fails, fails by the rates of the made
//! suite. The steps are those of `retry`, `verdict` and `report`.

use std::collections::HashMap;
use std::path::Path;

use jiff::{SignedDuration, Timestamp};
use rasher::attempt::{Isolation, Outcome, Recording, RunContext};
use rasher::bypass::{BypassRecord, bypassed};
use rasher::error::ErrorKind;
use rasher::estimate::estimate;
use rasher::flake::Scores;
use rasher::history::History;
use rasher::ingest::{Limits, Reader};
use rasher::outcome::{Folder, Outcomes};
use rasher::plan::document::PlanDocument;
use rasher::plan::{PlanOptions, Terms};
use rasher::report::{MarkdownOptions, junit, markdown};
use rasher::retry::{
    Again, Demands, Planned, RetryEvidence, RetryOptions, RetrySet, cases, outstanding,
};
use rasher::units::Micros;
use rasher::verdict::{RunVerdict, VerdictDocument, VerdictOptions, Word, judge};
use rasher_bench::corpus::{MadeRun, Monolith};
use rasher_store::Store;
use serde::Serialize;

use super::RECORDED;
use crate::budgets::Demand;
use crate::evidence;
use crate::fault::Fault;
use crate::files;
use crate::output::{count, span, thousands, to_json};
use crate::plans;
use crate::policy::Settings;
use crate::session::{Session, store_fault};
use crate::verbs::{frontier, report};

/// Tests that the commit breaks for good; two of them are neighbours.
const BROKEN: [usize; 3] = [4_242, 4_243, 31_007];
/// The talk's deadlines.
const DEADLINES: [(&str, Micros); 2] =
    [("hot fix", Micros::from_secs(30 * 60)), ("weekend", Micros::from_secs(90 * 60))];

/// The run that is planned.
const TODAY: &str = "demo-today";
/// Rounds after which the rest of the doubt is left to people: as many as attempts of one test.
const ROUNDS_MAX: u16 = 15;
/// A retry gets so many workers that it takes no longer.
const RETRY: Micros = Micros::from_secs(10 * 60);

/// What a deadline of the talk asks for.
#[derive(Debug, Serialize)]
pub(super) struct Deadline {
    name: &'static str,
    deadline_ms: Micros,
    feasible: bool,
    /// The fewest that meet it; where none do, the fewest that come nearest.
    workers: u32,
    finish_ms: Micros,
    bound_by: String,
}

/// What came of the run.
#[derive(Debug, Serialize)]
pub(super) struct After {
    deadlines: Vec<Deadline>,
    failed: usize,
    broken: usize,
    retries: Vec<Round>,
    /// Tests that would run again still.
    outstanding: usize,
    /// Tests that ran once on the base commit, since they went on failing here.
    on_base: usize,
    verdict: RunVerdict,
    blocks: bool,
    exit_code: u8,
    p_real: f64,
    judged_failed: usize,
    judged_flaky: usize,
    bypass: String,
}

/// One retry.
#[derive(Debug, PartialEq, Serialize)]
struct Round {
    tests: usize,
    shards: usize,
    makespan_ms: Micros,
}

/// What the steps have in common.
pub(super) struct Day<'a> {
    pub(super) session: &'a Session,
    pub(super) store: &'a Store,
    pub(super) monolith: &'a Monolith,
    pub(super) history: &'a History,
    pub(super) plan: &'a PlanDocument,
}

/// What every shard of a round reported.
type Reports = Vec<(RunContext, Recording)>;

impl Day<'_> {
    /// Plays the rest of the day, and leaves its papers in `out`.
    pub(super) fn play(&self, out: Option<&Path>) -> Result<After, Fault> {
        let mut reports = self.round(&self.broken(RECORDED), self.plan, 1);
        let first = fold(&reports);
        let failed = first.trials().iter().filter(|it| it.outcome.is_failure()).count();
        let scores = evidence::scores_or_none(self.session, Some(200), &[]);
        let mut plans = vec![self.plan.clone()];
        let mut base = Reports::new();
        let mut set = self.outstanding(&plans, (&reports, &base), &scores);
        for round in 2..=ROUNDS_MAX {
            if set.tests.is_empty() {
                break;
            }
            let Some(retry) = self.retry(&plans, &set)? else { break };
            let made = self.broken(RECORDED + u32::from(round) - 1);
            reports.extend(self.round(&made, &retry, round));
            plans.push(retry);
            set = self.outstanding(&plans, (&reports, &base), &scores);
            if !set.controls.is_empty() {
                base.push(self.on_base(&Planned::new(&plans), &set));
                set = self.outstanding(&plans, (&reports, &base), &scores);
            }
        }
        let outcomes = fold(&reports);
        let planned = Planned::new(&plans);
        let base = fold(&base);
        let options = VerdictOptions::default();
        let mut verdict = judge(&planned, &outcomes, Some(&base), &scores, &options);
        let exit_code = exit_code(verdict.run);
        let bypass = self.bypass(&mut verdict)?;
        if let Some(out) = out {
            self.papers(out, &plans, (&planned, &outcomes, &verdict))?;
            self.page(out, reports)?;
        }
        let of = |wanted: &[Word]| {
            verdict.tests.iter().filter(|it| wanted.contains(&it.verdict)).count()
        };
        Ok(After {
            deadlines: self.deadlines()?,
            failed,
            broken: BROKEN.len(),
            retries: plans[1..].iter().map(Round::of).collect(),
            outstanding: set.tests.len(),
            on_base: base.tests().len(),
            verdict: verdict.run,
            blocks: verdict.blocks,
            exit_code,
            p_real: verdict.p_real,
            judged_failed: of(&[Word::Failed]),
            judged_flaky: of(&[Word::Flaky, Word::Suspect]),
            bypass,
        })
    }

    /// What is still in doubt.
    fn outstanding(
        &self,
        plans: &[PlanDocument],
        (reports, base): (&Reports, &Reports),
        scores: &Scores,
    ) -> RetrySet {
        let planned = Planned::new(plans);
        let estimates = estimate(self.history, planned.tests());
        let (demands, base) = (Demands::default(), fold(base));
        let evidence = RetryEvidence {
            scores,
            base: Some(&base),
            demands: &demands,
            durations: &estimates.mean,
        };
        let options = RetryOptions {
            isolation: Isolation::FreshWorker,
            ignore_alarm: true,
            ..RetryOptions::default()
        };
        outstanding(&planned, &cases(&planned, &fold(reports)), &evidence, &options)
    }

    /// A run of the suite in which the breakages are there.
    fn broken(&self, number: u32) -> MadeRun<'_> {
        let mut made = self.monolith.run(number);
        for at in BROKEN {
            made.results[at].outcome = Outcome::Failed;
        }
        made
    }

    fn context(&self, run: &str, round: u16, shard: Option<u32>, at: Timestamp) -> RunContext {
        RunContext {
            environment: self.session.environment.clone(),
            branch: Some(if shard.is_some() { "hotfix" } else { "main" }.to_owned()),
            commit: Some(format!("commit of {run}")),
            base_commit: None,
            run: run.to_owned(),
            attempt: round,
            shard,
            worker: None,
            plan: Some(self.plan.id.clone()),
            isolation: if round > 1 { Isolation::FreshWorker } else { Isolation::InSuite },
            at,
        }
    }

    /// Each shard runs its tests and reports.
    fn round(&self, made: &MadeRun<'_>, plan: &PlanDocument, round: u16) -> Reports {
        let ids: Vec<String> = made.ids().collect();
        let place: HashMap<&str, usize> = ids.iter().map(String::as_str).zip(0..).collect();
        let mut reports = Reports::new();
        for shard in &plan.shards {
            let mut here = vec![false; ids.len()];
            for test in shard.tests.iter().filter_map(|id| place.get(id.as_str())) {
                here[*test] = true;
            }
            let mut reader = Reader::new(Limits::default());
            reader.read(&made.junit_of(|test| here[test]), None);
            let context = self.context(TODAY, round, Some(shard.index), made.at);
            reports.push((context, reader.finish()));
        }
        reports
    }

    /// What goes on failing, run once on the commit before.
    fn on_base(&self, planned: &Planned, set: &RetrySet) -> (RunContext, Recording) {
        let made = self.monolith.run(RECORDED - 1);
        let asked = |id: &str| set.controls.iter().any(|test| planned.tests().name(*test) == id);
        let here: Vec<bool> = made.ids().map(|id| asked(&id)).collect();
        let mut reader = Reader::new(Limits::default());
        reader.read(&made.junit_of(|test| here[test]), None);
        (self.context("demo-base", 1, None, made.at), reader.finish())
    }

    /// The outstanding tests as a plan of their own.
    fn retry(&self, plans: &[PlanDocument], set: &RetrySet) -> Result<Option<PlanDocument>, Fault> {
        let terms = Terms::of(plans);
        let again = Again::Reshard { shards: None, deadline: Some(RETRY), terms: &terms };
        let planned = Planned::new(plans);
        set.plan(&planned, plans, self.history, again).map_err(|e| Fault::usage(e.to_string()))
    }

    /// Somebody cannot wait.
    fn bypass(&self, verdict: &mut VerdictDocument) -> Result<String, Fault> {
        let record = BypassRecord {
            at: self.monolith.run(RECORDED).at + SignedDuration::from_hours(2),
            by: "Ada".to_owned(),
            reason: "customers cannot sign in; the three are not about that".to_owned(),
            environment: self.session.environment.clone(),
            run: Some(TODAY.to_owned()),
            commit: Some(format!("commit of {TODAY}")),
            branch: Some("hotfix".to_owned()),
            plan: Some(self.plan.id.clone()),
            verdict: verdict.run,
            p_real: verdict.p_real,
            fence: None,
            tests: bypassed(verdict, 0.01),
        };
        let entry = self.store.record_bypass(&record).map_err(|e| store_fault(&e))?;
        verdict.bypass.push(serde_json::to_value(&entry.record).unwrap_or_default());
        Ok(entry.hash)
    }

    fn papers(
        &self,
        out: &Path,
        plans: &[PlanDocument],
        (planned, outcomes, verdict): (&Planned, &Outcomes, &VerdictDocument),
    ) -> Result<(), Fault> {
        let write = |name: &str, text: &str| files::write(&out.join(name), text.as_bytes());
        for (round, plan) in plans.iter().enumerate() {
            let name = match round {
                0 => "plan.json".to_owned(),
                1 => "retry.json".to_owned(),
                _ => format!("retry-{round}.json"),
            };
            write(&name, &to_json(plan)?)?;
        }
        write("verdict.json", &to_json(verdict)?)?;
        write("junit.xml", &junit(planned, outcomes, verdict))?;
        write("summary.md", &markdown(verdict, MarkdownOptions::default()))
    }

    /// Records the day and the night after it, in which the main branch fails, and draws the page
    /// as it looks one hour later.
    fn page(&self, out: &Path, reports: Reports) -> Result<(), Fault> {
        let bar = self.session.output.progress(reports.len() as u64, "recording");
        for (context, recording) in reports {
            self.store.record(&context, recording).map_err(|e| store_fault(&e))?;
            bar.inc(1);
        }
        bar.finish_and_clear();
        plans::keep(self.session, TODAY, self.plan)?;
        let night = self.broken(RECORDED + 2);
        let context = self.context("demo-night", 1, None, night.at);
        self.store.record(&context, night.recording()).map_err(|e| store_fault(&e))?;
        let html = report::page_at(self.session, night.at + SignedDuration::from_hours(1))?;
        files::write(&out.join("report.html"), html.as_bytes())
    }

    /// The fewest workers for the talk's deadlines.
    fn deadlines(&self) -> Result<Vec<Deadline>, Fault> {
        let settings = Settings::read(None)?;
        let Some(pool) = settings.pools.first() else { return Ok(Vec::new()) };
        let planned = Planned::new(std::slice::from_ref(self.plan));
        let estimates = estimate(self.history, planned.tests());
        let options = PlanOptions::new(1);
        let tests = planned.tests();
        let demand =
            Demand { tests, estimates: &estimates, branch: None, options: &options, idle: None };
        let document = frontier::document((1_000, None), &settings, pool, &demand)?;
        let best = document.points.iter().map(|it| it.finish_ms).min().unwrap_or_default();
        let fewest = |(name, deadline): (&'static str, Micros)| {
            let feasible = best <= deadline;
            let by = if feasible { deadline } else { best };
            let point = document.points.iter().find(|it| it.finish_ms <= by)?;
            Some(Deadline {
                name,
                deadline_ms: deadline,
                feasible,
                workers: point.workers,
                finish_ms: point.finish_ms,
                bound_by: document.bound_by.name.clone(),
            })
        };
        Ok(DEADLINES.into_iter().filter_map(fewest).collect())
    }
}

impl Round {
    fn of(retry: &PlanDocument) -> Self {
        Self { tests: retry.tests, shards: retry.shards.len(), makespan_ms: retry.makespan_ms }
    }
}

fn fold(reports: &Reports) -> Outcomes {
    let mut folder = Folder::new();
    for (context, recording) in reports {
        folder.add(context, recording);
    }
    folder.finish()
}

/// What `rasher verdict` would end with.
fn exit_code(verdict: RunVerdict) -> u8 {
    match verdict {
        RunVerdict::Passed | RunVerdict::Flaky => 0,
        RunVerdict::Failed => ErrorKind::Blocked.exit_code(),
        RunVerdict::Incomplete => ErrorKind::Incomplete.exit_code(),
        RunVerdict::Environment => ErrorKind::Environment.exit_code(),
    }
}

/// The rest of the day in words.
pub(super) fn words(after: &After) -> String {
    let mut text = String::from("\n");
    for it in &after.deadlines {
        let (deadline, workers) = (span(it.deadline_ms), count(it.workers as usize, "worker"));
        let finish = span(it.finish_ms);
        text += &match it.feasible {
            true => format!("{:<9} within {deadline}: {workers}, {finish}\n", it.name),
            false => format!(
                "{:<9} within {deadline}: no number of workers; {workers} come nearest with \
                 {finish}, bound by {}\n",
                it.name, it.bound_by
            ),
        };
    }
    let number = |number: usize| thousands(number as u64);
    text += &format!(
        "\nthen {} failed, {} of them because the commit is broken\n",
        count(after.failed, "test"),
        number(after.broken),
    );
    for alike in after.retries.chunk_by(|one, next| one == next) {
        let (retry, rounds) = (&alike[0], alike.len());
        let (tests, shards) = (count(retry.tests, "test"), count(retry.shards, "shard"));
        let rounds = if rounds > 1 { format!(", {rounds} times") } else { String::new() };
        text += &format!("retry    {tests} on {shards}, {}{rounds}\n", span(retry.makespan_ms));
    }
    let on_base = count(after.on_base, "test");
    text += &format!(
        "base     {on_base} once on the commit before\n         {}\n\
         verdict  {} failed, {} flaky or suspect, P(any real failure) {:.4}: {}, exit code {}\n",
        match after.outstanding {
            0 => "nothing else runs again".to_owned(),
            left => format!("{} still in doubt", count(left, "test")),
        },
        number(after.judged_failed),
        number(after.judged_flaky),
        after.p_real,
        if after.blocks { "the merge is blocked" } else { "it may be merged" },
        after.exit_code,
    );
    text + &format!(
        "bypass   Ada merges all the same; the ledger notes it under {}…\n",
        &after.bypass[..12.min(after.bypass.len())]
    )
}
