//! Writers that are killed, and the count of what is left.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use rasher_store::Store;

use super::common::{ENVIRONMENT, context, recording};

/// How many tests a run of a writer has.
const TESTS: usize = 200;

/// What a writer says before the name of a run.
const KEPT: &str = "kept ";

/// What was left when the killing was over.
#[derive(Debug)]
pub(crate) struct Toll {
    pub(crate) acknowledged: usize,
    pub(crate) unacknowledged: usize,
    pub(crate) lost: usize,
    pub(crate) damaged: usize,
    pub(crate) temporary: usize,
}

/// Records run after run until it is killed, and prints the name of each that the store took.
pub(crate) fn writer(store: &Path, number: &str) {
    let store = Store::open(store).expect("a store");
    let mut out = std::io::stdout();
    for turn in 0.. {
        let run = format!("{number}-{turn}");
        let seed = number.bytes().fold(turn, |seed, byte| seed * 31 + u64::from(byte));
        let recorded =
            store.record(&context(&run, turn as i64), recording(TESTS, seed)).expect("recorded");
        assert_eq!(recorded.attempts, TESTS);
        // The reader may be gone.
        if writeln!(out, "{KEPT}{run}").and_then(|()| out.flush()).is_err() {
            return;
        }
    }
}

/// Kills `kills` of `writers` writers at once, at random times, and counts.
pub(crate) fn toll(
    folder: &Path,
    (kills, writers): (usize, usize),
    start: impl Fn(&Path, &str) -> Command,
) -> std::io::Result<Toll> {
    let store = folder.join("store");
    let (said, heard) = channel();
    let (mut running, mut dying) = (Vec::new(), Vec::new());
    for number in 0..writers {
        running.push(spawn(&start, &store, number, &said)?);
    }
    let mut draw = 0x9e37_79b9_7f4a_7c15_u64;
    for kill in 0..kills {
        draw ^= draw << 13;
        draw ^= draw >> 7;
        draw ^= draw << 17;
        // An eighth of the writers die together, so that killing keeps pace with many of them.
        if kill % (writers / 8).max(1) == 0 {
            std::thread::sleep(Duration::from_micros(draw % 50_000));
        }
        let victim = draw as usize % writers;
        running[victim].kill()?;
        // One that is syncing dies only when that is done: not waited for here.
        let next = spawn(&start, &store, writers + kill, &said)?;
        dying.push(std::mem::replace(&mut running[victim], next));
    }
    for writer in &mut running {
        writer.kill()?;
    }
    for mut writer in dying.into_iter().chain(running) {
        writer.wait()?;
    }
    drop(said);
    let acknowledged = listen(&heard);
    let temporary = std::fs::read_dir(store.join("tmp"))?.count();
    let store = Store::open(&store).expect("a store");
    let damaged = store.check().expect("a check").problems.len();
    let history = store.history(ENVIRONMENT).expect("a history").value;
    let kept: BTreeSet<String> = history.runs().iter().map(|run| run.run.clone()).collect();
    Ok(Toll {
        acknowledged: acknowledged.len(),
        unacknowledged: kept.difference(&acknowledged).count(),
        lost: acknowledged.difference(&kept).count(),
        damaged,
        temporary,
    })
}

fn spawn(
    start: impl Fn(&Path, &str) -> Command,
    store: &Path,
    number: usize,
    said: &Sender<String>,
) -> std::io::Result<Child> {
    let mut command = start(store, &number.to_string());
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
    let (out, said) = (child.stdout.take().expect("a pipe"), said.clone());
    std::thread::spawn(move || {
        let mut lines = BufReader::new(out);
        let mut line = String::new();
        // A line without its end was not said.
        while lines.read_line(&mut line).is_ok_and(|read| read > 0) && line.ends_with('\n') {
            if let Some(run) = line.trim_end().strip_prefix(KEPT)
                && said.send(run.to_owned()).is_err()
            {
                return;
            }
            line.clear();
        }
    });
    Ok(child)
}

/// Everything that was said, once all writers and their pipes are gone.
fn listen(heard: &Receiver<String>) -> BTreeSet<String> {
    heard.iter().collect()
}
