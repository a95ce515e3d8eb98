//! What the gate, the filter and the retry rule would have done on a recorded past.
//!
//! Reads tables of outcomes in order of time: which run, which test, how it ended. There is no
//! truth in such a table: a failure that is followed by a pass of the same test in its next run
//! counts as passing, one followed by a failure as lasting. A table that only counts failing and
//! passing runs has no order; runs are then drawn from its rates, and rates are the truth.

use std::collections::HashMap;

use rasher::attempt::Isolation;
use rasher::flake::{Belief, Filter, FlakeOptions, Seen, gate};
use rasher::outcome::environment::mass_limit;
use rasher::retry::{Doubt, DoubtOptions, Known, Next, retries_needed};
use rasher::test_id::{TestId, TestTable};
use serde_json::json;

use super::metric::{Rated, measure};
use crate::command::Measured;
use crate::draw::Draw;

/// Runs drawn from a table that has no order.
const DRAWN_RUNS: usize = 400;

/// A recorded past.
#[derive(Clone, Debug, Default)]
pub struct Past {
    /// Where it comes from.
    pub name: String,
    /// The tests, with their classes where the table names them.
    pub tests: TestTable,
    /// For each run what each test showed.
    pub runs: Vec<Vec<Seen>>,
    /// Tests that are flaky in truth, where the table says so.
    pub flaky: Option<Vec<bool>>,
}

/// One failure that the gate let through.
struct Event {
    test: usize,
    run: usize,
    broken: f64,
    first: Next,
    retries: u32,
    closed_form: u32,
}

/// The columns of a table that tells outcomes.
struct Columns {
    run: usize,
    class: Option<usize>,
    test: usize,
    end: usize,
}

impl Past {
    /// Reads a table: CSV with a header. Runs are `run` or `BuildId`, tests `test` (with `class`)
    /// or `Name`, ends `status`, `outcome` or `Verdict` (0 for a pass); or `Test`,
    /// `NumFailingRuns` and `NumPassingRuns`.
    ///
    /// # Errors
    /// What is wrong with it, with the line.
    pub fn read(name: &str, bytes: &[u8]) -> Result<Self, String> {
        let mut reader = csv::Reader::from_reader(bytes);
        let header = reader.headers().map_err(|e| e.to_string())?.clone();
        let column = |names: &[&str]| header.iter().position(|it| names.contains(&it));
        if let (Some(test), Some(failing), Some(passing)) =
            (column(&["Test"]), column(&["NumFailingRuns"]), column(&["NumPassingRuns"]))
        {
            return Self::drawn(name, reader, (column(&["Project"]), test, failing, passing));
        }
        let (run, test) = (column(&["run", "BuildId"]), column(&["test", "Name"]));
        let end = column(&["status", "outcome", "Verdict"]);
        let (Some(run), Some(test), Some(end)) = (run, test, end) else {
            return Err("no columns for run, test and outcome (or counts of runs)".to_owned());
        };
        let columns = Columns { run, class: column(&["class"]), test, end };
        let mut past = Self { name: name.to_owned(), ..Self::default() };
        let mut numbers: HashMap<String, usize> = HashMap::new();
        for record in reader.records() {
            past.add(&columns, &mut numbers, &record.map_err(|e| e.to_string())?);
        }
        let tests = past.tests.len();
        past.runs.iter_mut().for_each(|run| run.resize(tests, Seen::Nothing));
        Ok(past)
    }

    fn add(
        &mut self,
        columns: &Columns,
        numbers: &mut HashMap<String, usize>,
        record: &csv::StringRecord,
    ) {
        let field = |at: usize| record.get(at).unwrap_or_default();
        let class = columns.class.map(field);
        let full = class.map_or(field(columns.test).to_owned(), |class| {
            format!("{class}#{}", field(columns.test))
        });
        let test = self.tests.intern(&full, class).index();
        let count = numbers.len();
        let run = *numbers.entry(field(columns.run).to_owned()).or_insert(count);
        if run == self.runs.len() {
            self.runs.push(Vec::new());
        }
        let row = &mut self.runs[run];
        row.resize(row.len().max(test + 1), Seen::Nothing);
        let seen = match field(columns.end) {
            "pass" | "passed" | "0" => Seen::Passed,
            "skip" | "skipped" => return,
            _ => Seen::Failed,
        };
        // Of several invocations under one name the worst counts.
        row[test] = row[test].max(seen);
    }

    fn drawn(
        name: &str,
        mut reader: csv::Reader<&[u8]>,
        (project, test, failing, passing): (Option<usize>, usize, usize, usize),
    ) -> Result<Self, String> {
        let mut past = Self { name: format!("{name} (drawn)"), ..Self::default() };
        let mut rates = Vec::new();
        for record in reader.records() {
            let record = record.map_err(|e| e.to_string())?;
            let count = |at: usize| record.get(at).and_then(|it| it.parse::<f64>().ok());
            let (Some(failed), Some(passed)) = (count(failing), count(passing)) else {
                return Err(format!("no counts in line {}", rates.len() + 2));
            };
            let class = project.and_then(|at| record.get(at));
            let full = format!("{}:{}", class.unwrap_or_default(), &record[test]);
            if past.tests.intern(&full, class).index() == rates.len() {
                rates.push(failed / (failed + passed).max(1.0));
            }
        }
        let mut draw = Draw::new(1, "outcomes");
        let mut one = |rate: &f64| if draw.chance(*rate) { Seen::Failed } else { Seen::Passed };
        past.runs = (0..DRAWN_RUNS).map(|_| rates.iter().map(&mut one).collect()).collect();
        past.flaky = Some(rates.iter().map(|rate| *rate >= 0.001 && *rate < 0.95).collect());
        Ok(past)
    }
}

/// What one past showed.
struct Told {
    failures: usize,
    gated: usize,
    alarms: usize,
    events: Vec<Event>,
    filter: Filter,
}

/// Replays a past: at each run the gate, what the rule says of each failure, then the update.
fn replay(past: &Past) -> Told {
    let tests = past.tests.len();
    let mut filter = Filter::new(FlakeOptions::default());
    (0..tests).for_each(|_| {
        filter.add(0);
    });
    let group = |test: TestId| past.tests.group(test).map_or(u32::MAX - test.0, |group| group.0);
    let groups: Vec<u32> = past.tests.ids().map(group).collect();
    let (mut shares, mut surprising): (Vec<f64>, Vec<u32>) = (Vec::new(), Vec::new());
    let mut told = Told { failures: 0, gated: 0, alarms: 0, events: Vec::new(), filter };
    for (number, run) in past.runs.iter().enumerate() {
        let mut seen = run.clone();
        let failed: Vec<usize> = (0..tests).filter(|at| seen[*at] == Seen::Failed).collect();
        told.failures += failed.len();
        let odd = |at: &&usize| told.filter.belief(TestId(**at as u32)).is_surprising();
        let odd = failed.iter().filter(odd).count() as u32;
        told.alarms += usize::from(odd > mass_limit(&mut surprising.clone()));
        let ran = seen.iter().filter(|it| **it != Seen::Nothing).count();
        let usual = median(&shares);
        shares.push(failed.len() as f64 / ran.max(1) as f64);
        if gate(&mut seen, &[], usual).whole_run {
            told.gated += 1;
        } else {
            surprising.push(odd);
        }
        let failed = failed.into_iter().filter(|at| seen[*at] == Seen::Failed);
        let judged: Vec<(usize, (Next, u32))> =
            failed.map(|test| (test, judged(&told.filter, test))).collect();
        told.filter.update_grouped(&seen, &[], &groups, true);
        let count = judged.len();
        for (test, (first, retries)) in judged {
            let belief = told.filter.belief(TestId(test as u32));
            let closed_form = retries_needed(0.01, count, fails(&belief));
            let broken = f64::from(belief.broken);
            told.events.push(Event { test, run: number, broken, first, retries, closed_form });
        }
    }
    told
}

fn fails(belief: &Belief) -> f64 {
    let rate = f64::from(belief.rate);
    rate + 0.1 * (1.0 - rate)
}

/// The median of the newest values.
fn median(values: &[f64]) -> f64 {
    let mut newest = values[values.len().saturating_sub(50)..].to_vec();
    newest.sort_unstable_by(f64::total_cmp);
    newest.get(newest.len() / 2).copied().unwrap_or_default()
}

/// What the rule says right after a failure, and its retries until it is sure if all of them pass.
fn judged(filter: &Filter, test: usize) -> (Next, u32) {
    let options = DoubtOptions::default();
    let belief = filter.belief(TestId(test as u32));
    let correlation = filter.correlation(0, Isolation::FreshWorker);
    let known = Known { belief, correlation, neighbours: 0, suspected: false };
    let start = Doubt::after_failure(&known, &options);
    let mut doubt = start;
    while doubt.next(&options, false) == Next::Retry {
        doubt.observe(false);
    }
    (start.next(&options, false), doubt.attempts().1)
}

/// What is told of each past.
const COLUMNS: [&str; 17] = [
    "past",
    "runs",
    "tests",
    "failures",
    "runs left out",
    "mass alarms",
    "failures left",
    "of them lasting",
    "P(broken) AUC",
    "flagged",
    "flagged rightly, %",
    "retried",
    "quarantined",
    "known broken",
    "retries each if all pass",
    "closed form each",
    "clusters",
];

/// The table of these pasts, a line each.
pub fn table(pasts: &[Past]) -> Measured {
    let mut found = Measured::new(
        "outcomes",
        "What gate, filter and rule would have done on recorded pasts",
        &COLUMNS,
    );
    for past in pasts {
        let told = replay(past);
        let next = |event: &Event| {
            let later = past.runs[event.run + 1..].iter().map(|run| run[event.test]);
            later.into_iter().find(|seen| *seen != Seen::Nothing)
        };
        let lasting: Vec<Rated> = told
            .events
            .iter()
            .filter_map(|event| {
                let flaky = next(event)? == Seen::Failed;
                Some(Rated { score: event.broken, flaky, never: !flaky })
            })
            .collect();
        let flagged: Vec<usize> = (0..past.tests.len())
            .filter(|test| told.filter.score(TestId(*test as u32)).flagged)
            .collect();
        let right = past.flaky.as_ref().map(|flaky| {
            let right = flagged.iter().filter(|test| flaky[**test]).count();
            100.0 * right as f64 / flagged.len().max(1) as f64
        });
        let count = |of: Next| told.events.iter().filter(|event| event.first == of).count();
        let mean = |of: fn(&Event) -> u32| {
            let all: f64 = told.events.iter().map(|event| f64::from(of(event))).sum();
            all / told.events.len().max(1) as f64
        };
        found.row(vec![
            json!(past.name),
            json!(past.runs.len()),
            json!(past.tests.len()),
            json!(told.failures),
            json!(told.gated),
            json!(told.alarms),
            json!(told.events.len()),
            json!(lasting.iter().filter(|rated| rated.flaky).count()),
            json!(measure(lasting.clone()).auc),
            json!(flagged.len()),
            json!(right),
            json!(count(Next::Retry)),
            json!(count(Next::Quarantined)),
            json!(count(Next::PreExisting)),
            json!(mean(|event| event.retries)),
            json!(mean(|event| event.closed_form)),
            json!(told.filter.clusters().lists().len()),
        ]);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_read_in_every_shape() {
        let cases = "run,class,test,status,seconds\n0,a.A,x,pass,1\n0,a.A,x,error,1\n0,a.A,\"y, z\",skip,0\n1,a.A,x,pass,1\n";
        let past = Past::read("cases", cases.as_bytes()).expect("a table");
        assert_eq!((past.runs.len(), past.tests.len()), (2, 2));
        assert_eq!(past.runs[0], [Seen::Failed, Seen::Nothing]);
        let history = "Name,BuildId,Duration,Verdict\n7,1,0.5,0\n7,2,0.5,1\n";
        let past = Past::read("history", history.as_bytes()).expect("a table");
        assert_eq!(past.runs, [[Seen::Passed], [Seen::Failed]]);
        let counts = "Project,Test,NumFailingRuns,NumPassingRuns\np,t,0,10000\np,u,2500,7500\n";
        let past = Past::read("counts", counts.as_bytes()).expect("a table");
        assert_eq!(past.flaky, Some(vec![false, true]));
        let failed = past.runs.iter().filter(|run| run[1] == Seen::Failed).count();
        assert!((60..140).contains(&failed), "{failed} of {DRAWN_RUNS}");
        assert!(Past::read("other", b"a,b\n1,2\n").is_err());
    }

    #[test]
    fn a_past_with_a_collapse_and_a_flaky_test_is_told_as_such() {
        let mut text = "run,test,outcome\n".to_owned();
        for run in 0..60 {
            for test in 0..40 {
                let collapsed = run == 30;
                let failed = collapsed || (test == 0 && run % 7 == 0);
                text += &format!("{run},t{test},{}\n", u8::from(failed));
            }
        }
        let past = Past::read("made", text.as_bytes()).expect("a table");
        let told = replay(&past);
        assert_eq!((told.gated, told.alarms), (1, 1));
        assert_eq!(told.events.len(), 9);
        assert!(told.filter.score(TestId(0)).flagged);
        assert!(!told.filter.score(TestId(1)).flagged);
    }
}
