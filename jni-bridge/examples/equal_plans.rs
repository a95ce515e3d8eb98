//! Plans random inputs by the crate alone and holds the command's and Java's plans against them,
//! byte for byte. Nothing of the bridge is used: reports become plans by the engine's own functions.
//!
//! `equal_plans make INPUTS FOLDER` writes what `dev.rasher.EqualPlans` plans from Java.
//! `equal_plans compare INPUTS FOLDER COMMAND` then plans each input by the crate and by the
//! command, from one report, and compares. The command's document tells more than Java's (where the
//! durations come from, what was asked for): the crate writes both, and the command's without those
//! facts must be Java's too.

use std::error::Error;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::thread;

use rasher::attempt::{Isolation, RunContext};
use rasher::backtest::suited;
use rasher::estimate::{Estimates, estimate_by};
use rasher::history::{History, RunRecording};
use rasher::ingest::{Limits, Reader};
use rasher::plan::document::{BudgetDocument, PlanDocument, SourceCounts};
use rasher::plan::{Plan, PlanFacts, PlanOptions, Workload, plan};
use rasher::test_id::TestTable;
use serde_json::json;

type Trouble = Box<dyn Error + Send + Sync>;

/// What stands in a name to try encodings, quoting and order.
const ODD: [&str; 9] = ["", "", "", "é", "?", "\u{4e2d}", "\n", "\"\\", "\u{1f600}"];
const AT: &str = "2026-01-05T10:00:00Z";
const RUN: &str = "r";
/// So many inputs are compared at a time.
const WORKERS: usize = 2;

/// Splitmix64: the inputs are the same on every machine.
struct Draw(u64);

impl Draw {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end.max(1)
    }
}

/// A recording of tests, how many workers are to run them, and where.
struct Input {
    report: String,
    shards: u32,
    environment: String,
}

/// Few tests or hundreds, alike or very different, alone or in classes with and without a set-up.
fn input(number: usize) -> Input {
    let mut draw = Draw(number as u64);
    let large = number.is_multiple_of(10);
    let tests = 1 + draw.below(if large { 600 } else { 40 });
    let classes = 1 + draw.below(1 + tests / 3);
    let micros = [2, 50, 90_000, 1 << 31][draw.below(4) as usize];
    let has_setup = draw.below(2) == 0;
    let odd = ODD[draw.below(ODD.len() as u64) as usize];
    let mut report = format!("{{\"schema\":\"rasher.attempts/1\",\"at\":\"{AT}\"}}\n");
    for at in 0..tests {
        let class = match draw.below(5) {
            0 => format!("Alone{at}{odd}"),
            _ => format!("demo.{odd}C{}", draw.below(classes)),
        };
        let name = format!("{odd}{:x}-{at}", draw.next() >> 32);
        for _ in 0..=draw.below(3) {
            let line = json!({"end": at, "class": class, "name": name, "unique": name,
                "outcome": "passed", "us": draw.below(micros)});
            let _ = writeln!(report, "{line}");
        }
        if has_setup {
            let line = json!({"class": class, "set_up_us": draw.below(micros)});
            let _ = writeln!(report, "{line}");
        }
    }
    let shards = 1 + draw.below(if large { 60 } else { 9 }) as u32;
    Input { report, shards, environment: format!("env-{}", number % 7) }
}

/// What the crate knows of an input.
struct Known {
    tests: TestTable,
    estimates: Estimates,
    shards: u32,
    environment: String,
}

fn known(input: &Input) -> Result<Known, Trouble> {
    let mut reader = Reader::new(Limits::default());
    let report = reader.read(input.report.as_bytes(), None);
    if let Some(problem) = report.problems.first() {
        return Err(format!("the input is no report: {}", problem.what).into());
    }
    let environment = input.environment.clone();
    let context = RunContext {
        environment: environment.clone(),
        branch: None,
        commit: None,
        base_commit: None,
        run: RUN.to_owned(),
        attempt: 1,
        shard: None,
        worker: None,
        plan: None,
        isolation: Isolation::InSuite,
        at: AT.parse()?,
    };
    let recording = RunRecording { context, recording: reader.finish() };
    let history = History::of(&*environment, vec![recording])?;
    let tests = history.tests_of(RUN).ok_or("the run is not in its history")?;
    let estimates = estimate_by(&history, &tests, suited(&history, input.shards).estimator);
    Ok(Known { tests, estimates, shards: input.shards, environment })
}

impl Known {
    /// The plan as Java writes it and as the command does.
    fn documents(&self) -> Result<(Vec<u8>, Vec<u8>), Trouble> {
        let Estimates { mean, upper, setup, .. } = &self.estimates;
        let workload = Workload::new(&self.tests, mean, upper, setup)?;
        let plan = plan(&workload, &PlanOptions::new(self.shards))?;
        let environment = self.environment.clone();
        let bare = PlanFacts { environment: environment.clone(), ..PlanFacts::default() };
        let full = PlanFacts {
            run: Some(RUN.to_owned()),
            created: AT.parse()?,
            environment,
            sources: self.estimates.sources(),
            reasons: Some(plan.reasons(&workload)),
            budget: asked(&plan),
            ..PlanFacts::default()
        };
        let bare = serde_json::to_vec(&plan.document(&workload, bare))?;
        let mut full = serde_json::to_vec_pretty(&plan.document(&workload, full))?;
        full.push(b'\n');
        Ok((bare, full))
    }

    /// The columns for Java, one line.
    fn line(&self) -> String {
        let tests = &self.tests;
        let Estimates { mean, upper, setup, .. } = &self.estimates;
        let row = |(test, (mean, upper)): (_, (&rasher::units::Micros, &rasher::units::Micros))| {
            let group = tests.group(test).map(|group| tests.group_name(group));
            json!([tests.name(test), group, mean.get(), upper.get()])
        };
        let rows: Vec<_> = tests.ids().zip(mean.iter().zip(upper)).map(row).collect();
        let setups = tests.group_ids().zip(setup);
        let setups: Vec<_> =
            setups.map(|(group, setup)| json!([tests.group_name(group), setup.get()])).collect();
        json!({"shards": self.shards, "environment": self.environment, "tests": rows,
            "setups": setups})
        .to_string()
    }
}

/// What the command says of `--shards`.
fn asked(plan: &Plan) -> BudgetDocument {
    let workers = plan.shards.len();
    BudgetDocument {
        rule: "--shards".to_owned(),
        predicted_finish_ms: plan.makespan,
        workers: workers as u32,
        feasible: true,
        why: format!("{workers} worker{} were asked for", if workers == 1 { "" } else { "s" }),
        ..BudgetDocument::default()
    }
}

/// The command's document with nothing but what Java's tells.
fn without_facts(document: &[u8]) -> Result<Vec<u8>, Trouble> {
    let mut plan = PlanDocument::from_json(document)?;
    (plan.run, plan.created, plan.reasons) = (None, jiff::Timestamp::default(), None);
    (plan.sources, plan.budget) = (SourceCounts::default(), BudgetDocument::default());
    plan.seal();
    Ok(serde_json::to_vec(&plan)?)
}

/// Records the report into a store of its own, and plans by it.
fn by_command(command: &Path, folder: &Path, input: &Input) -> Result<Vec<u8>, Trouble> {
    let _ = fs::remove_dir_all(folder);
    fs::create_dir_all(folder)?;
    fs::write(folder.join("report.jsonl"), &input.report)?;
    let rasher = |line: &[&str]| -> Result<Vec<u8>, Trouble> {
        // A CI's variables would name another run, branch and number of workers.
        let out = Command::new(command)
            .args(line)
            .args(["--store", "store", "--env", &input.environment, "--run", RUN])
            .args(["--json", "--quiet"])
            .current_dir(folder)
            .env_clear()
            .output()?;
        match out.status.success() {
            true => Ok(out.stdout),
            false => Err(String::from_utf8_lossy(&out.stderr).into_owned().into()),
        }
    };
    rasher(&["record", "report.jsonl"])?;
    rasher(&["plan", "--shards", &input.shards.to_string()])
}

/// The next document of those that Java wrote: its length and its bytes.
fn next(file: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut length = [0; 4];
    file.read_exact(&mut length)?;
    let mut bytes = vec![0; u32::from_be_bytes(length) as usize];
    file.read_exact(&mut bytes)?;
    Ok(bytes)
}

fn make(inputs: usize, folder: &Path) -> Result<bool, Trouble> {
    fs::create_dir_all(folder)?;
    let mut file = BufWriter::new(File::create(folder.join("inputs.jsonl"))?);
    for number in 0..inputs {
        writeln!(file, "{}", known(&input(number))?.line())?;
    }
    file.flush()?;
    Ok(true)
}

/// Which of the four differ from another, in words; none where they are equal.
fn differing(number: usize, java: [Vec<u8>; 2], places: &[&Path]) -> Result<String, Trouble> {
    let input = input(number);
    let (bare, full) = known(&input)?.documents()?;
    let command = by_command(places[0], places[1], &input)?;
    let [jni, process] = java;
    let parts = [
        ("crate and command", full == command),
        ("command and Java", without_facts(&command)? == jni),
        ("crate and Java (jni)", bare == jni),
        ("crate and Java (process)", bare == process),
    ];
    let told: Vec<&str> = parts.iter().filter(|part| !part.1).map(|part| part.0).collect();
    Ok(told.join(", "))
}

fn compare(inputs: usize, folder: &Path, command: &Path) -> Result<bool, Trouble> {
    let open = |name: &str| File::open(folder.join(name)).map(BufReader::new);
    let (mut jni, mut process) = (open("jni")?, open("process")?);
    let mut java = Vec::with_capacity(inputs);
    for _ in 0..inputs {
        java.push([next(&mut jni)?, next(&mut process)?]);
    }
    let part = |worker: usize| -> Result<usize, Trouble> {
        let store = folder.join(format!("worker-{worker}"));
        let mut different = 0;
        for number in (worker..inputs).step_by(WORKERS) {
            let told = differing(number, java[number].clone(), &[command, &store])?;
            if !told.is_empty() {
                eprintln!("input {number}: {told} differ");
                different += 1;
            }
        }
        Ok(different)
    };
    let part = &part;
    let counts: Result<Vec<usize>, Trouble> = thread::scope(|scope| {
        let all: Vec<_> = (0..WORKERS).map(|worker| scope.spawn(move || part(worker))).collect();
        all.into_iter().map(|one| one.join().map_err(|_| "a worker panicked")?).collect()
    });
    let different: usize = counts?.into_iter().sum();
    println!("{inputs} inputs: crate, command, Java (jni), Java (process): {different} differ");
    Ok(different == 0)
}

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let inputs = words.get(1).and_then(|word| word.parse().ok()).filter(|inputs| *inputs > 0);
    let path = |at: usize| words.get(at).map(PathBuf::from);
    let done = match (words.first().map(String::as_str), inputs, path(2), path(3)) {
        (Some("make"), Some(inputs), Some(folder), None) => make(inputs, &folder),
        (Some("compare"), Some(inputs), Some(folder), Some(command)) => {
            compare(inputs, &folder, &command)
        }
        _ => Err("equal_plans make INPUTS FOLDER | compare INPUTS FOLDER COMMAND".into()),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(trouble) => {
            eprintln!("{trouble}");
            ExitCode::from(2)
        }
    }
}
