//! Folding one run into a history.

use jiff::Timestamp;

use super::{Columns, GroupColumns, History, HistoryError, NONE, RECENT, RunSeen, SPREAD_OVER};
use crate::attempt::{Outcome, Recording, RunContext};
use crate::units::Micros;

/// Of an exponentially weighted mean, the weight of the newest value is 2/5: the best constant of
/// those tried on recorded series (weekly runs of one suite over three years).
const WEIGHT: (u128, u128) = (2, 5);

/// One recording with what its attempts share.
#[derive(Clone, Debug)]
pub struct RunRecording {
    /// What they share.
    pub context: RunContext,
    /// The attempts.
    pub recording: Recording,
}

/// Where a fold put things, for columns kept beside the history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placement {
    /// For each test known before, its place now.
    pub kept: Vec<u32>,
    /// For each recording, for each test of its table, its place.
    pub rows: Vec<Vec<u32>>,
}

/// An attempt with its key first: sorting brings the attempts of a test together in the order of
/// their rounds, and doubles of one attempt side by side, the earliest recorded first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Seen {
    test: u32,
    attempt: u16,
    shard: u32,
    ordinal: u16,
    at: Timestamp,
    outcome: Outcome,
    duration: Option<Micros>,
    group: Option<u32>,
}

/// A measured set-up, ordered in the same way.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct SeenSetUp {
    group: u32,
    attempt: u16,
    shard: u32,
    at: Timestamp,
    setup: Micros,
}

impl History {
    /// Folds recordings of any number of runs, in any order and however they were split.
    /// O(n log n) in the attempts.
    ///
    /// ```
    /// use rasher::attempt::{Attempt, Isolation, Outcome, Recording, RunContext};
    /// use rasher::history::{History, RunRecording};
    /// use rasher::units::Micros;
    ///
    /// let mut recording = Recording::default();
    /// let test = recording.tests.intern("demo.ATest#adds", Some("demo.ATest"));
    /// recording.attempts.push(Attempt {
    ///     test,
    ///     ordinal: 0,
    ///     start: None,
    ///     duration: Some(Micros::from_millis(30)),
    ///     outcome: Outcome::Passed,
    ///     signature: None,
    ///     message: None,
    ///     unique_id: None,
    /// });
    /// let context = RunContext {
    ///     environment: "linux".into(),
    ///     branch: None,
    ///     commit: None,
    ///     base_commit: None,
    ///     run: "17".into(),
    ///     attempt: 1,
    ///     shard: None,
    ///     worker: None,
    ///     plan: None,
    ///     isolation: Isolation::InSuite,
    ///     at: "2026-01-05T10:00:00Z".parse()?,
    /// };
    /// let history = History::of("linux", vec![RunRecording { context, recording }])?;
    /// let known = history.test("demo.ATest#adds").expect("recorded");
    /// assert_eq!(known.mean, Some(Micros::from_millis(30)));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn of(
        environment: impl Into<String>,
        mut recordings: Vec<RunRecording>,
    ) -> Result<Self, HistoryError> {
        let mut history = Self::new(environment);
        recordings.sort_by(|a, b| {
            let (a, b) = (&a.context, &b.context);
            a.run.cmp(&b.run).then(a.at.cmp(&b.at))
        });
        let mut runs: Vec<&[RunRecording]> =
            recordings.chunk_by(|a, b| a.context.run == b.context.run).collect();
        runs.sort_by_key(|run| (run[0].context.at, &run[0].context.run));
        for run in runs {
            history.fold(run)?;
        }
        Ok(history)
    }

    /// Takes in all recordings of one run, which must be later than every run folded so far: by
    /// its first time, then by its id. Recordings may overlap; an attempt counts once.
    ///
    /// Where more than half of the tests of the run did not pass (the skipped left aside), it has
    /// collapsed: outcomes count, durations and set-ups are not learned.
    ///
    /// O(n log n) in the attempts of the run, O(n) in the tests known.
    pub fn fold(&mut self, run: &[RunRecording]) -> Result<Placement, HistoryError> {
        let mut seen_run = self.admit(run)?;
        let placement = self.place(run);
        let (seen, setups) = self.observations(run, &placement);
        judge(&mut seen_run, &seen);
        let number = u32::try_from(self.runs.len()).expect("fewer than 2^32 runs");
        let learn = !seen_run.collapsed;
        for runs in &mut self.columns.seen {
            *runs <<= 1;
        }
        for test in seen.chunk_by(|a, b| a.test == b.test) {
            self.columns.learn(test, number, learn);
        }
        if learn {
            for setup in &setups {
                self.group_columns.learn(setup, number);
            }
        }
        self.runs.push(seen_run);
        Ok(placement)
    }

    /// The run that the recordings are of, if it may be folded now.
    fn admit(&self, run: &[RunRecording]) -> Result<RunSeen, HistoryError> {
        let contexts = || run.iter().map(|recording| &recording.context);
        let first =
            contexts().min_by_key(|context| order(context)).ok_or(HistoryError::NotOneRun)?;
        for context in contexts() {
            if context.environment != self.environment {
                return Err(HistoryError::OtherEnvironment {
                    run: context.run.clone(),
                    found: context.environment.clone(),
                    wanted: self.environment.clone(),
                });
            }
            if context.run != first.run {
                return Err(HistoryError::NotOneRun);
            }
        }
        let seen = RunSeen {
            run: first.run.clone(),
            at: first.at,
            branch: contexts().filter_map(|context| context.branch.clone()).min(),
            commit: contexts().filter_map(|context| context.commit.clone()).min(),
            tests: 0,
            passed: 0,
            skipped: 0,
            collapsed: false,
        };
        let later = self.runs.last().is_none_or(|last| key(last) < key(&seen));
        if !later || self.runs.iter().any(|known| known.run == seen.run) {
            return Err(HistoryError::NotLater { run: seen.run });
        }
        Ok(seen)
    }

    /// Makes room for new names and finds the place of every test.
    fn place(&mut self, run: &[RunRecording]) -> Placement {
        let tables = || run.iter().map(|recording| &recording.recording.tests);
        let mut new_groups: Vec<&str> = tables()
            .flat_map(|table| table.group_ids().map(|group| table.group_name(group)))
            .filter(|name| self.groups.find(name).is_none())
            .collect();
        new_groups.sort_unstable();
        new_groups.dedup();
        if !new_groups.is_empty() {
            let kept = self.groups.insert_all(&new_groups);
            self.group_columns.make_room(&kept, self.groups.len());
            for group in self.columns.group.iter_mut().filter(|group| **group != NONE) {
                *group = kept[*group as usize];
            }
        }
        let mut new: Vec<&str> = Vec::new();
        for table in tables() {
            let names = || table.ids().map(|test| table.name(test));
            let places = self.tests.find_all(names());
            new.extend(names().zip(places).filter(|(_, at)| at.is_none()).map(|(name, _)| name));
        }
        new.sort_unstable();
        new.dedup();
        let kept = if new.is_empty() {
            (0..self.tests.len() as u32).collect()
        } else {
            let kept = self.tests.insert_all(&new);
            self.columns.make_room(&kept, self.tests.len());
            kept
        };
        let rows = tables().map(|table| {
            let names = table.ids().map(|test| table.name(test));
            self.tests.find_all(names).map(|at| at.expect("every name was taken in")).collect()
        });
        Placement { kept, rows: rows.collect() }
    }

    /// The attempts and set-ups of a run, each once, in the order in which they count.
    fn observations(
        &self,
        run: &[RunRecording],
        placement: &Placement,
    ) -> (Vec<Seen>, Vec<SeenSetUp>) {
        let mut seen = Vec::new();
        let mut setups = Vec::new();
        for (RunRecording { context, recording }, rows) in run.iter().zip(&placement.rows) {
            let table = &recording.tests;
            let names = table.group_ids().map(|group| table.group_name(group));
            let groups: Vec<u32> = names
                .map(|name| self.groups.find(name).expect("every group was taken in") as u32)
                .collect();
            let (attempt, at) = (context.attempt, context.at);
            let shard = context.shard.unwrap_or(0);
            seen.extend(recording.attempts.iter().map(|it| Seen {
                test: rows[it.test.index()],
                attempt,
                shard,
                ordinal: it.ordinal,
                at,
                outcome: it.outcome,
                duration: it.duration,
                group: table.group(it.test).map(|group| groups[group.index()]),
            }));
            setups.extend(recording.setups.iter().map(|it| SeenSetUp {
                group: groups[it.group.index()],
                attempt,
                shard,
                at,
                setup: it.setup,
            }));
        }
        // Stable on purpose: rows of one recording come sorted, and that sort sees it.
        seen.sort();
        seen.dedup_by_key(|it| (it.test, it.attempt, it.shard, it.ordinal));
        setups.sort();
        setups.dedup_by_key(|it| (it.group, it.attempt, it.shard));
        (seen, setups)
    }
}

/// By time, then by id: the order in which runs are folded.
pub(super) fn key(run: &RunSeen) -> (Timestamp, &str) {
    (run.at, &run.run)
}

fn order(context: &RunContext) -> (Timestamp, &str) {
    (context.at, &context.run)
}

/// Counts the tests of a run and whether it collapsed.
fn judge(run: &mut RunSeen, seen: &[Seen]) {
    for test in seen.chunk_by(|a, b| a.test == b.test) {
        run.tests += 1;
        run.passed += u32::from(test.iter().any(|it| it.outcome == Outcome::Passed));
        run.skipped += u32::from(test.iter().all(|it| it.outcome == Outcome::Skipped));
    }
    let ran = run.tests - run.skipped;
    run.collapsed = 2 * u64::from(ran - run.passed) > u64::from(ran);
}

/// The mean with one more value.
fn weighted(mean: u64, value: u64, first: bool) -> u64 {
    if first {
        return value;
    }
    let (new, all) = WEIGHT;
    let sum = u128::from(mean) * (all - new) + u128::from(value) * new;
    ((sum + all / 2) / all) as u64
}

/// Gives each value its new place, and the others `empty`.
fn spread_out<T: Copy>(column: &mut Vec<T>, kept: &[u32], len: usize, empty: T) {
    let mut wider = vec![empty; len];
    for (value, at) in column.iter().zip(kept) {
        wider[*at as usize] = *value;
    }
    *column = wider;
}

impl GroupColumns {
    fn make_room(&mut self, kept: &[u32], len: usize) {
        spread_out(&mut self.setup_us, kept, len, 0);
        spread_out(&mut self.measured, kept, len, 0);
        spread_out(&mut self.measured_run, kept, len, NONE);
    }

    fn learn(&mut self, it: &SeenSetUp, run: u32) {
        let at = it.group as usize;
        self.setup_us[at] = weighted(self.setup_us[at], it.setup.get(), self.measured[at] == 0);
        self.measured[at] = self.measured[at].saturating_add(1);
        self.measured_run[at] = run;
    }
}

impl Columns {
    fn make_room(&mut self, kept: &[u32], len: usize) {
        for column in [&mut self.mean_us, &mut self.upper_us, &mut self.failed_mean_us] {
            spread_out(column, kept, len, 0);
        }
        spread_out(&mut self.seen, kept, len, 0);
        for column in [&mut self.passes, &mut self.failures, &mut self.skips, &mut self.state] {
            spread_out(column, kept, len, 0);
        }
        for column in
            [&mut self.group, &mut self.last_run, &mut self.measured_run, &mut self.failed_run]
        {
            spread_out(column, kept, len, NONE);
        }
        spread_out(&mut self.recent_us, kept, len, [0.0; RECENT]);
    }

    /// Takes in the attempts of one test in one run.
    fn learn(&mut self, attempts: &[Seen], run: u32, learn_durations: bool) {
        let at = attempts[0].test as usize;
        self.last_run[at] = run;
        self.seen[at] |= 1;
        for it in attempts {
            self.count(at, it);
            if let (true, Some(duration)) = (learn_durations, it.duration) {
                match self.copied(at, it, run) {
                    true => self.mean_us[at] = weighted(self.mean_us[at], duration.get(), false),
                    false => self.time(at, it.outcome, duration.get(), run),
                }
            }
        }
        if self.measured_run[at] == run {
            self.judge_spread(at);
        }
    }

    fn count(&mut self, at: usize, it: &Seen) {
        let counter = match it.outcome {
            Outcome::Passed => Some(&mut self.passes[at]),
            Outcome::Skipped => Some(&mut self.skips[at]),
            outcome if outcome.is_failure() => Some(&mut self.failures[at]),
            _ => None,
        };
        if let Some(counter) = counter {
            *counter = counter.saturating_add(1);
        }
        let code = Outcome::ALL.iter().position(|known| *known == it.outcome);
        let code = code.map_or(0, |code| code as u32 + 1);
        self.state[at] = self.state[at] & !0xff00 | code << 8;
        if let Some(group) = it.group {
            self.group[at] = group;
        }
    }

    /// True for a pass that took what the last run measured to the microsecond: a timing file that
    /// merges old values repeats them, a measurement does not. A whole number of milliseconds may
    /// come twice by chance. What is copied keeps its age, and what was measured before it fades.
    fn copied(&self, at: usize, it: &Seen, run: u32) -> bool {
        let micros = it.duration.map_or(0, Micros::get);
        it.outcome == Outcome::Passed
            && !micros.is_multiple_of(1_000)
            && self.measured_run[at] != run
            && self.recent_count(at) > 0
            && self.recent_us[at][0] == micros as f32
    }

    fn time(&mut self, at: usize, outcome: Outcome, duration_us: u64, run: u32) {
        if outcome == Outcome::Passed {
            let first = self.measured_run[at] == NONE;
            self.mean_us[at] = weighted(self.mean_us[at], duration_us, first);
            self.measured_run[at] = run;
            let recent = &mut self.recent_us[at];
            recent.copy_within(..RECENT - 1, 1);
            recent[0] = duration_us as f32;
            let count = (self.recent_count(at) + 1).min(RECENT);
            self.state[at] = self.state[at] & !0xff | count as u32;
        } else if outcome.is_failure() {
            let first = self.failed_run[at] == NONE;
            self.failed_mean_us[at] = weighted(self.failed_mean_us[at], duration_us, first);
            self.failed_run[at] = run;
        }
    }

    /// Median and two standard deviations of the last nine: the order by which a queue came
    /// closest to the bound on recorded series.
    fn judge_spread(&mut self, at: usize) {
        let count = self.recent_count(at).min(SPREAD_OVER);
        let mut last = self.recent_us[at];
        let last = &mut last[..count];
        last.sort_unstable_by(f32::total_cmp);
        let median = (f64::from(last[(count - 1) / 2]) + f64::from(last[count / 2])) / 2.0;
        let (_, deviation) = self.recent_spread(at);
        self.upper_us[at] = self.mean_us[at].max((median + 2.0 * deviation) as u64);
    }
}
