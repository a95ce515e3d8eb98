//! The state of scores as bytes, and back: what a store keeps between two calls.
//!
//! Equal states give equal bytes. What is not such a state is refused, never half read; whether
//! bytes were damaged on their way is for a checksum to say.

use std::collections::BTreeMap;

use super::block::{Block, LANES, Lane};
use super::learn::{Correlation, Levels, Priors, Retries};
use super::together::{HASHES, Together};
use super::trace::Trace;
use super::{Filter, FlakeOptions, LEVELS, Scores};
use crate::test_id::TestTable;

const MAGIC: &[u8] = b"rashflk2";

/// Stands for no group.
const NO_GROUP: u32 = u32::MAX;

impl Scores {
    /// The state as bytes. O(tests).
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Out(MAGIC.to_vec());
        let names = self.names();
        out.count(names.group_count());
        names.group_ids().for_each(|group| out.text(names.group_name(group)));
        out.count(names.len());
        for test in names.ids() {
            out.text(names.name(test));
            out.u32(names.group(test).map_or(NO_GROUP, |group| group.0));
        }
        let (folded, last_commit, surprising, shares) = self.told();
        out.count(folded.len());
        folded.iter().for_each(|run| out.text(run));
        out.count(usize::from(last_commit.is_some()));
        last_commit.iter().for_each(|commit| out.text(commit));
        out.count(surprising.len());
        surprising.iter().for_each(|count| out.u32(*count));
        out.count(shares.len());
        shares.iter().for_each(|share| out.u64(share.to_bits()));
        self.filter().pack(&mut out);
        out.0
    }

    /// The state in bytes that [`Scores::to_bytes`] gave; `None` where they are anything else.
    ///
    /// ```
    /// use rasher::flake::{FlakeOptions, Scores};
    /// let scores = Scores::new(FlakeOptions::default());
    /// let bytes = scores.to_bytes();
    /// let again = Scores::from_bytes(&bytes, FlakeOptions::default());
    /// assert_eq!(again.map(|it| it.to_bytes()), Some(bytes));
    /// assert!(Scores::from_bytes(b"rashflk2", FlakeOptions::default()).is_none());
    /// ```
    pub fn from_bytes(bytes: &[u8], options: FlakeOptions) -> Option<Self> {
        let mut from = In(bytes.strip_prefix(MAGIC)?);
        let groups = from.list(4, In::text)?;
        let tests = from.list(8, |from| Some((from.text()?, from.u32()?)))?;
        let mut names = TestTable::new();
        for group in &groups {
            names.intern_group(group);
        }
        for (name, group) in &tests {
            let group = match *group {
                NO_GROUP => None,
                at => Some(*groups.get(at as usize)?),
            };
            names.intern(name, group);
        }
        if names.len() != tests.len() || names.group_count() != groups.len() {
            return None;
        }
        let folded = from.list(4, In::text)?;
        let last_commit = from.list(4, In::text)?.first().map(|commit| (*commit).to_owned());
        let surprising = from.list(4, In::u32)?;
        let shares = from.list(8, |from| from.u64().map(f64::from_bits))?;
        let filter = Filter::unpack(&mut from, options, names.len())?;
        let folded = folded.into_iter().map(str::to_owned).collect();
        from.0
            .is_empty()
            .then(|| Self::restored((names, filter), folded, last_commit, (surprising, shares)))
    }
}

impl Filter {
    fn pack(&self, out: &mut Out) {
        out.u32(self.runs);
        out.count(self.classes.len());
        out.0.extend_from_slice(&self.classes);
        for block in &self.blocks {
            let lanes = block.healthy.iter().chain(&block.broken);
            for lane in lanes.chain([&block.attempts, &block.failures]) {
                lane.iter().for_each(|value| out.u32(value.to_bits()));
            }
            out.0.extend(block.flagged.map(u8::from));
        }
        for trace in &self.traces {
            out.u64(trace.failed);
            out.u64(trace.absent);
            for count in [trace.anchor, trace.born, trace.failures, trace.absences] {
                out.u32(count);
            }
            out.u32(u32::from(trace.retries) << 16 | u32::from(trace.retries_failed));
        }
        out.count(self.priors.of_class.len());
        for weights in self.priors.of_class.iter().chain([self.priors.means()]) {
            weights.iter().for_each(|weight| out.u32(weight.to_bits()));
        }
        let levels = &self.priors.levels;
        for value in levels.failures.iter().chain(&levels.attempts).chain([&levels.since]) {
            out.u64(value.to_bits());
        }
        out.count(self.correlation.of_class.len());
        for retries in self.correlation.of_class.iter().flatten() {
            for value in [retries.tried, retries.failed, retries.explained] {
                out.u64(value.to_bits());
            }
        }
        out.count(self.together.of_test.len());
        for (test, hashes) in &self.together.of_test {
            out.u32(*test);
            hashes.iter().for_each(|hash| out.u32(*hash));
        }
    }

    fn unpack(from: &mut In<'_>, options: FlakeOptions, tests: usize) -> Option<Self> {
        let runs = from.u32()?;
        let classes = from.count(1)?;
        if classes != tests {
            return None;
        }
        let classes = from.bytes(classes)?.to_vec();
        let mut filter = Self::new(options);
        filter.runs = runs;
        for _ in 0..tests.div_ceil(LANES) {
            filter.blocks.push(block(from)?);
        }
        for _ in 0..tests {
            filter.traces.push(trace(from, runs)?);
        }
        filter.classes = classes;
        let known = from.count(4 * LEVELS)?;
        let of_class = (0..known).map(|_| from.row()).collect::<Option<Vec<_>>>()?;
        let means = from.row()?;
        filter.priors = Priors::restored(of_class, means, levels(from)?);
        let known = from.count(4 * 24)?;
        let of_class = (0..known).map(|_| correlation(from)).collect::<Option<_>>()?;
        filter.correlation = Correlation { of_class };
        let known = from.count(4 + 4 * HASHES)?;
        let of_test = (0..known)
            .map(|_| {
                let test = from.u32().filter(|test| (*test as usize) < tests)?;
                Some((test, from.array()?))
            })
            .collect::<Option<BTreeMap<u32, [u32; HASHES]>>>()?;
        filter.together = Together { of_test };
        Some(filter)
    }
}

fn block(from: &mut In<'_>) -> Option<Block> {
    let mut block = Block::default();
    for lane in block.healthy.iter_mut().chain(&mut block.broken) {
        *lane = from.lane().filter(|lane| lane.iter().all(|p| (0.0..=1.01).contains(p)))?;
    }
    for lane in [&mut block.attempts, &mut block.failures] {
        *lane = from.lane().filter(|lane| lane.iter().all(|it| it.is_finite() && *it >= 0.0))?;
    }
    for (flagged, byte) in block.flagged.iter_mut().zip(from.bytes(LANES)?) {
        *flagged = *byte == 1;
    }
    Some(block)
}

fn trace(from: &mut In<'_>, runs: u32) -> Option<Trace> {
    let (failed, absent) = (from.u64()?, from.u64()?);
    let [anchor, born, failures, absences, retries] = from.array()?;
    let sound = anchor <= runs && born <= anchor && absences <= runs - born;
    sound.then_some(Trace {
        failed,
        absent,
        anchor,
        born,
        failures,
        absences,
        retries: (retries >> 16) as u16,
        retries_failed: retries as u16,
    })
}

fn levels(from: &mut In<'_>) -> Option<Levels> {
    let mut levels = Levels::default();
    let sums = levels.failures.iter_mut().chain(&mut levels.attempts);
    for value in sums.chain([&mut levels.since]) {
        *value = from.u64().map(f64::from_bits).filter(|it| it.is_finite() && *it >= 0.0)?;
    }
    Some(levels)
}

fn correlation(from: &mut In<'_>) -> Option<[Retries; 4]> {
    let mut found = [Retries::default(); 4];
    for retries in &mut found {
        for value in [&mut retries.tried, &mut retries.failed, &mut retries.explained] {
            *value = from.u64().map(f64::from_bits).filter(|it| it.is_finite() && *it >= 0.0)?;
        }
    }
    Some(found)
}

/// Bytes that grow.
struct Out(Vec<u8>);

impl Out {
    fn u32(&mut self, value: u32) {
        self.0.extend_from_slice(&value.to_le_bytes());
    }

    fn u64(&mut self, value: u64) {
        self.0.extend_from_slice(&value.to_le_bytes());
    }

    fn count(&mut self, count: usize) {
        self.u32(count as u32);
    }

    fn text(&mut self, text: &str) {
        self.count(text.len());
        self.0.extend_from_slice(text.as_bytes());
    }
}

/// Bytes that are used up.
struct In<'a>(&'a [u8]);

impl<'a> In<'a> {
    fn bytes(&mut self, len: usize) -> Option<&'a [u8]> {
        let (head, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(head)
    }

    fn u32(&mut self) -> Option<u32> {
        Some(u32::from_le_bytes(*self.bytes(4)?.first_chunk()?))
    }

    fn u64(&mut self) -> Option<u64> {
        Some(u64::from_le_bytes(*self.bytes(8)?.first_chunk()?))
    }

    /// How many follow, each of at least so many bytes: a count that the rest cannot hold is wrong.
    fn count(&mut self, bytes_each: usize) -> Option<usize> {
        let count = self.u32()? as usize;
        (count.checked_mul(bytes_each)? <= self.0.len()).then_some(count)
    }

    fn text(&mut self) -> Option<&'a str> {
        let len = self.u32()? as usize;
        std::str::from_utf8(self.bytes(len)?).ok()
    }

    fn list<T>(
        &mut self,
        bytes_each: usize,
        mut one: impl FnMut(&mut Self) -> Option<T>,
    ) -> Option<Vec<T>> {
        let count = self.count(bytes_each)?;
        (0..count).map(|_| one(self)).collect()
    }

    fn array<const N: usize>(&mut self) -> Option<[u32; N]> {
        let (numbers, _) = self.bytes(4 * N)?.as_chunks::<4>();
        let mut array = [0; N];
        for (value, bytes) in array.iter_mut().zip(numbers) {
            *value = u32::from_le_bytes(*bytes);
        }
        Some(array)
    }

    fn lane(&mut self) -> Option<Lane> {
        Some(self.array::<LANES>()?.map(f32::from_bits))
    }

    /// Weights or rates of all levels.
    fn row(&mut self) -> Option<[f32; LEVELS]> {
        let row = self.array::<LEVELS>()?.map(f32::from_bits);
        row.iter().all(|value| (0.0..=1.01).contains(value)).then_some(row)
    }
}
