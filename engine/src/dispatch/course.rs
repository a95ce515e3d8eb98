//! A plan played out in virtual time.
//!
//! Decides when each worker would be done. What is known to those who decide is the prediction
//! and who is idle; the real durations only move the clock.

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap, VecDeque};
use std::ops::Range;

use super::machines::Worker;
use crate::plan::{Plan, Workload};
use crate::test_id::{GroupId, TestId};
use crate::units::Micros;

/// How work reaches the workers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Mode {
    /// Every worker runs its shard and no more.
    Static,
    /// Every worker runs its shard; one that is done takes over from the one that has most left.
    Steal {
        /// The share of each shard, in predicted time, that stays where it is.
        fixed: f64,
    },
    /// Every worker takes the next chunk, riskiest and longest first.
    Queue,
}

/// What handing out work costs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Overheads {
    /// Every chunk that is taken from a queue.
    pub handout: Micros,
    /// Every time that work is taken over.
    pub steal: Micros,
}

/// What the tests really took: by test, and the set-up by group.
#[derive(Clone, Copy, Debug)]
pub struct Reality<'a> {
    /// The duration of each test of the workload.
    pub duration: &'a [Micros],
    /// The set-up of each group, paid once on every worker that runs a test of it.
    pub setup: &'a [Micros],
}

/// Tests that are handed out together: neighbours of one group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chunk {
    /// Where they stand in [`Script::order`].
    pub tests: Range<usize>,
    /// Their group.
    pub group: Option<GroupId>,
    /// What they are predicted to take, with the set-up.
    pub predicted: Micros,
    /// An upper quantile of that.
    pub risk: Micros,
}

/// A plan cut into chunks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Script {
    /// The tests, shard by shard, in the order in which they run.
    pub order: Vec<TestId>,
    /// Their chunks.
    pub chunks: Vec<Chunk>,
    /// The chunks of each shard.
    pub shards: Vec<Range<usize>>,
}

/// How a run went.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Course {
    /// When each worker was done, from the request.
    pub done: Vec<Micros>,
    /// How often work was taken over or handed out.
    pub handouts: usize,
}

impl Course {
    /// When the last worker was done.
    pub fn end(&self) -> Micros {
        self.done.iter().copied().max().unwrap_or_default()
    }
}

impl Script {
    /// Cuts a plan's shards into chunks. A group that pays a set-up stays together up to half of
    /// the makespan; without one, neighbours stay together up to `smallest`, so that handing them
    /// out costs little beside running them. The riskiest chunks of a shard come first.
    pub fn new(workload: &Workload, plan: &Plan, smallest: Micros) -> Self {
        let mut script = Self::default();
        let half = Micros::new(plan.makespan.get() / 2);
        for shard in &plan.shards {
            let first = script.chunks.len();
            let mut rest = shard.tests.as_slice();
            for span in &shard.spans {
                let (own, later) = rest.split_at(span.tests.min(rest.len()));
                rest = later;
                let setup = span.group.map_or(Micros::ZERO, |g| workload.setup()[g.index()]);
                let most = if setup.is_zero() { smallest } else { half.max(smallest) };
                script.cut(workload, own, span.group, (setup, most));
            }
            // What may take longest runs first, so that what is left to take over is small.
            script.chunks[first..].sort_by_key(|chunk| Reverse(chunk.risk));
            script.shards.push(first..script.chunks.len());
        }
        script
    }

    /// Cuts neighbours of one group into chunks of at most `most`, or of one test.
    fn cut(
        &mut self,
        workload: &Workload,
        tests: &[TestId],
        group: Option<GroupId>,
        (setup, most): (Micros, Micros),
    ) {
        let mut open: Option<Chunk> = None;
        for test in tests {
            let (mean, upper) = (workload.mean()[test.index()], workload.upper()[test.index()]);
            let at = self.order.len();
            self.order.push(*test);
            if let Some(chunk) = open.as_mut().filter(|c| c.predicted + mean <= most) {
                chunk.tests.end = at + 1;
                chunk.predicted += mean;
                chunk.risk += upper;
                continue;
            }
            self.chunks.extend(open.take());
            let (predicted, risk) = (setup + mean, setup + upper);
            open = Some(Chunk { tests: at..at + 1, group, predicted, risk });
        }
        self.chunks.extend(open);
    }
}

/// Plays a script out on as many workers as it has shards.
///
/// O(n log m) in the chunks, and O(m) for every take-over.
///
/// # Panics
/// Where there are fewer workers than shards, or the script names a test that has no duration.
pub fn execute(
    script: &Script,
    reality: Reality,
    workers: &[Worker],
    (mode, overheads): (Mode, Overheads),
) -> Course {
    let mut floor = Floor::new(script, reality, workers, overheads);
    match mode {
        Mode::Static => floor.run(|floor, worker| floor.own(worker)),
        Mode::Steal { fixed } => {
            floor.fix(fixed);
            floor.run(|floor, worker| floor.own(worker).or_else(|| floor.steal(worker)));
        }
        Mode::Queue => {
            let mut queue: Vec<usize> = (0..script.chunks.len()).collect();
            queue.sort_by_key(|at| (Reverse(script.chunks[*at].risk), *at));
            let mut queue = queue.into_iter();
            floor.run(|floor, _| {
                let chunk = queue.next()?;
                floor.handouts += 1;
                Some((chunk, floor.overheads.handout))
            });
        }
    }
    Course { done: floor.done, handouts: floor.handouts }
}

/// The workers and what each of them still has.
struct Floor<'a> {
    script: &'a Script,
    reality: Reality<'a>,
    workers: &'a [Worker],
    overheads: Overheads,
    own: Vec<VecDeque<usize>>,
    /// How many chunks at the front of each list may not be taken over.
    fixed: Vec<usize>,
    /// Predicted time of what may be taken over.
    open: Vec<Micros>,
    warm: BTreeSet<(usize, GroupId)>,
    done: Vec<Micros>,
    handouts: usize,
}

impl<'a> Floor<'a> {
    fn new(
        script: &'a Script,
        reality: Reality<'a>,
        workers: &'a [Worker],
        overheads: Overheads,
    ) -> Self {
        let count = script.shards.len();
        assert!(workers.len() >= count, "a worker for every shard");
        let own: Vec<VecDeque<usize>> =
            script.shards.iter().map(|shard| shard.clone().collect()).collect();
        Self {
            script,
            reality,
            workers,
            overheads,
            fixed: own.iter().map(VecDeque::len).collect(),
            own,
            open: vec![Micros::ZERO; count],
            warm: BTreeSet::new(),
            done: workers[..count].iter().map(|w| w.ready).collect(),
            handouts: 0,
        }
    }

    /// Opens what lies behind the first `share` of each shard.
    fn fix(&mut self, share: f64) {
        for (at, list) in self.own.iter().enumerate() {
            let predicted = |chunk: &usize| self.script.chunks[*chunk].predicted;
            let all: Micros = list.iter().map(predicted).sum();
            let (mut kept, limit) = (Micros::ZERO, all.scale(share.clamp(0.0, 1.0)));
            let within = |chunk: &&usize| {
                kept += predicted(chunk);
                kept <= limit
            };
            self.fixed[at] = list.iter().take_while(within).count();
            self.open[at] = list.iter().skip(self.fixed[at]).map(predicted).sum();
        }
    }

    /// Gives every worker work in the order in which they become free, until nobody finds any.
    fn run(&mut self, mut next: impl FnMut(&mut Self, usize) -> Option<(usize, Micros)>) {
        let mut free: BinaryHeap<Reverse<(Micros, usize)>> =
            self.done.iter().enumerate().map(|(at, ready)| Reverse((*ready, at))).collect();
        while let Some(Reverse((now, worker))) = free.pop() {
            let Some((chunk, overhead)) = next(self, worker) else { continue };
            let end = now + overhead + self.takes(worker, chunk);
            self.done[worker] = end;
            free.push(Reverse((end, worker)));
        }
    }

    /// What a chunk really takes on a worker.
    fn takes(&mut self, worker: usize, chunk: usize) -> Micros {
        let chunk = &self.script.chunks[chunk];
        let tests = &self.script.order[chunk.tests.clone()];
        let mut work: Micros = tests.iter().map(|t| self.reality.duration[t.index()]).sum();
        if let Some(group) = chunk.group {
            let setup = self.reality.setup.get(group.index()).copied().unwrap_or_default();
            if !setup.is_zero() && self.warm.insert((worker, group)) {
                work += setup;
            }
        }
        let speed = self.workers[worker].speed;
        if speed == 1.0 { work } else { work.scale(1.0 / speed) }
    }

    /// The next chunk of a worker's own list.
    fn own(&mut self, worker: usize) -> Option<(usize, Micros)> {
        let chunk = self.own[worker].pop_front()?;
        if self.fixed[worker] > 0 {
            self.fixed[worker] -= 1;
        } else {
            self.open[worker] = self.open[worker] - self.script.chunks[chunk].predicted;
        }
        Some((chunk, Micros::ZERO))
    }

    /// Takes over half of what the worker with most left may give, its last chunks first.
    fn steal(&mut self, thief: usize) -> Option<(usize, Micros)> {
        let most = (0..self.own.len()).filter(|at| self.own[*at].len() > self.fixed[*at]);
        let victim = most.max_by_key(|at| (self.open[*at], Reverse(*at)))?;
        let half = Micros::new(self.open[victim].get() / 2);
        let mut taken = Micros::ZERO;
        while self.own[victim].len() > self.fixed[victim] {
            let Some(chunk) = self.own[victim].pop_back() else { break };
            let predicted = self.script.chunks[chunk].predicted;
            self.open[victim] = self.open[victim] - predicted;
            self.open[thief] += predicted;
            self.own[thief].push_front(chunk);
            taken += predicted;
            if taken >= half {
                break;
            }
        }
        let (chunk, _) = self.own(thief)?;
        self.handouts += 1;
        Some((chunk, self.overheads.steal))
    }
}
