//! Longest first on identical workers: the fast core of every plan.
//!
//! Decides which worker gets which duration: the longest ones first, each to the worker that is
//! emptiest so far (Graham 1969). The order comes from one counting pass over buckets of 7
//! significant bits, which costs less than a sort and loses nothing that the exchange step does
//! not win back; the emptiest worker comes from a winner tree whose keys carry load and worker in
//! one `u64`, so that the path to the root is recomputed without a branch. Never looks at names,
//! set-ups or constraints.

use std::hint::select_unpredictable;

use super::falling::Falling;

/// Which worker gets each duration, and what each worker then carries.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Assignment {
    /// For each duration its worker, from 0.
    pub worker: Vec<u32>,
    /// For each worker the sum of its durations; sums stop at `u64::MAX`.
    pub loads: Vec<u64>,
}

impl Assignment {
    /// The largest load; 0 without workers.
    pub fn makespan(&self) -> u64 {
        self.loads.iter().copied().max().unwrap_or(0)
    }

    /// The other one where it is shorter.
    pub(crate) fn or_shorter(self, other: Self) -> Self {
        if other.makespan() < self.makespan() { other } else { self }
    }
}

/// Assigns `durations` to `workers` equal workers, longest first.
///
/// Ties go to the smaller index, so the answer depends on nothing but its input. The makespan is
/// at most 4/3 of the best one, up to the width of a bucket (1/128 of a duration); with a hundred
/// durations per worker it is within 1e-4 of the lower bound. O(n log m), with no allocation in
/// the loop. With no worker, nothing is assigned.
///
/// ```
/// use rasher::plan::longest_first::longest_first;
/// let answer = longest_first(&[7, 5, 4, 3, 1], 2);
/// assert_eq!(answer.loads, [10, 10]);
/// ```
pub fn longest_first(durations: &[u64], workers: usize) -> Assignment {
    if workers == 0 {
        return Assignment::default();
    }
    let order = Order::descending(durations, workers);
    in_order(durations, workers, &order)
}

/// The same in an order that is known.
pub(crate) fn in_order(durations: &[u64], workers: usize, order: &Order) -> Assignment {
    let mut worker = vec![0; durations.len()];
    let mask = order.mask();
    let loads = place_on(order.durations(), vec![0; workers], |rank, at| {
        let id = order.packed.get(rank).map_or(0, |key| key & mask);
        if let Some(slot) = worker.get_mut(id as usize) {
            *slot = at;
        }
    });
    let loads = if order.shift == 0 { loads } else { sum_loads(durations, &worker, workers) };
    Assignment { worker, loads }
}

/// The load of each worker under an assignment.
pub(crate) fn sum_loads(durations: &[u64], worker: &[u32], workers: usize) -> Vec<u64> {
    let mut loads = vec![0u64; workers];
    for (duration, at) in durations.iter().zip(worker) {
        if let Some(load) = loads.get_mut(*at as usize) {
            *load = load.saturating_add(*duration);
        }
    }
    loads
}

const OCTAVE: usize = 128;
const BUCKETS: usize = 64 * OCTAVE;

/// A position that rises with the duration: exact below 256, then 7 significant bits.
fn bucket(duration: u64) -> usize {
    let shift = (56 - (duration | 128).leading_zeros()) as usize;
    (shift * OCTAVE + (duration >> shift) as usize) & (BUCKETS - 1)
}

/// Durations in falling order, up to the width of a bucket; equal buckets in order of the index.
pub(crate) struct Order {
    /// `duration >> shift << id_bits | index`, falling.
    pub(crate) packed: Vec<u64>,
    pub(crate) id_bits: u32,
    /// Low bits that decisions leave out because the sum of all would not fit a key; nearly
    /// always 0.
    pub(crate) shift: u32,
}

fn bits(value: u64) -> u32 {
    u64::BITS - value.leading_zeros()
}

/// Bits that a worker needs in a key of the winner tree.
fn worker_bits(workers: usize) -> u32 {
    workers.next_power_of_two().trailing_zeros()
}

impl Order {
    /// Orders `durations`, leaving room for the sum of all beside a worker in one key.
    pub(crate) fn descending(durations: &[u64], workers: usize) -> Self {
        let (mut sum, mut longest) = (0u64, 0u64);
        let mut over = 0u32;
        // Counted in the same pass: a million durations are read from memory once less.
        let mut counts = [0u32; BUCKETS];
        for duration in durations {
            let (next, carry) = sum.overflowing_add(*duration);
            sum = next;
            over += u32::from(carry);
            longest = longest.max(*duration);
            counts[bucket(*duration)] += 1;
        }
        let id_bits = bits(durations.len() as u64);
        let sum_bits = if over > 0 { 64 + bits(u64::from(over)) } else { bits(sum) };
        let shift = (sum_bits + worker_bits(workers) + 1)
            .saturating_sub(64)
            .max((bits(longest) + id_bits).saturating_sub(64))
            .min(63);
        let packed = if durations.len() < 256 {
            sorted(durations, id_bits, shift)
        } else {
            bucketed(durations, counts, id_bits, shift)
        };
        Self { packed, id_bits, shift }
    }

    /// The durations in falling order, without the bits that decisions leave out.
    pub(crate) fn durations(&self) -> impl ExactSizeIterator<Item = u64> + '_ {
        self.packed.iter().map(|key| key >> self.id_bits)
    }

    /// The durations, as [`Order::durations`], each with its index.
    pub(crate) fn pairs(
        &self,
    ) -> impl ExactSizeIterator<Item = (u64, u32)> + DoubleEndedIterator + '_ {
        let mask = self.mask();
        self.packed.iter().map(move |key| (key >> self.id_bits, (key & mask) as u32))
    }

    /// The `count` longest durations, exactly in falling order.
    pub(crate) fn longest(&self, count: usize) -> Vec<u64> {
        let value = |key: &u64| key >> self.id_bits;
        let all = self.packed.len();
        let mut end = count.min(all);
        if self.shift > 0 {
            end = all;
        }
        while 0 < end && end < all && {
            let (last, next) = (&self.packed[end - 1], &self.packed[end]);
            bucket(value(last)) == bucket(value(next))
        } {
            end += 1;
        }
        let mut falling: Vec<u64> = self.packed[..end].iter().map(value).collect();
        falling.sort_unstable_by(|a, b| b.cmp(a));
        falling.truncate(count);
        falling.iter_mut().for_each(|duration| *duration <<= self.shift);
        falling
    }

    fn mask(&self) -> u64 {
        (1 << self.id_bits) - 1
    }
}

fn sorted(durations: &[u64], id_bits: u32, shift: u32) -> Vec<u64> {
    let mut packed = Vec::with_capacity(durations.len());
    let values = durations.iter().map(|duration| duration >> shift);
    Falling::default().sort(values, |value, id| packed.push(value << id_bits | u64::from(id)));
    packed
}

fn bucketed(durations: &[u64], mut ends: [u32; BUCKETS], id_bits: u32, shift: u32) -> Vec<u64> {
    let mut before = 0;
    for end in ends.iter_mut().rev() {
        let count = *end;
        *end = before;
        before += count;
    }
    let mut packed = vec![0u64; durations.len()];
    for (id, duration) in durations.iter().enumerate() {
        let end = &mut ends[bucket(*duration)];
        if let Some(slot) = packed.get_mut(*end as usize) {
            *slot = (duration >> shift) << id_bits | id as u64;
        }
        *end += 1;
    }
    packed
}

/// Places durations, in the order given, each on the emptiest worker; `loads` is what the workers
/// carry before. Tells `write` the rank and worker of each, returns the loads.
pub(crate) fn place_on(
    durations: impl Iterator<Item = u64>,
    loads: Vec<u64>,
    write: impl FnMut(usize, u32),
) -> Vec<u64> {
    match worker_bits(loads.len()) {
        0..=2 => run::<1, 8>(durations, loads, write),
        3..=4 => run::<2, 32>(durations, loads, write),
        5..=6 => run::<3, 128>(durations, loads, write),
        7..=8 => run::<4, 512>(durations, loads, write),
        9..=10 => run::<5, 2048>(durations, loads, write),
        _ => run_any(durations, loads, write),
    }
}

fn smaller(a: u64, b: u64) -> u64 {
    select_unpredictable(a < b, a, b)
}

/// The winner tree, four children to a node, with its size known to the compiler: no bounds check,
/// no loop count to test, and a path to the root of `LEVELS` comparisons that wait for each other.
fn run<const LEVELS: usize, const NODES: usize>(
    durations: impl Iterator<Item = u64>,
    mut loads: Vec<u64>,
    mut write: impl FnMut(usize, u32),
) -> Vec<u64> {
    let leaves = const { 1 << (2 * LEVELS) };
    let bits = const { 2 * LEVELS as u32 };
    let mut tree = [u64::MAX; NODES];
    for (at, load) in loads.iter().enumerate() {
        tree[at & (NODES - 1)] = load << bits | at as u64;
    }
    let (mut below, mut size) = (0, leaves);
    while size > 4 {
        for at in 0..size / 4 {
            let first = below + 4 * at;
            let node = tree[first].min(tree[first + 1]).min(tree[first + 2]).min(tree[first + 3]);
            tree[below + size + at] = node;
        }
        below += size;
        size /= 4;
    }
    let mut winner = tree[below].min(tree[below + 1]).min(tree[below + 2]).min(tree[below + 3]);
    for (rank, duration) in durations.enumerate() {
        let mut at = winner as usize & (leaves - 1);
        write(rank, at as u32);
        let mut key = winner.wrapping_add(duration << bits);
        let (mut base, mut size) = (0, leaves);
        for _ in 0..LEVELS {
            let sibling = |turn: usize| tree[(base + (at ^ turn)) & (NODES - 1)];
            let others = smaller(smaller(sibling(1), sibling(2)), sibling(3));
            tree[(base + at) & (NODES - 1)] = key;
            key = smaller(others, key);
            at >>= 2;
            base += size;
            size >>= 2;
        }
        winner = key;
    }
    for (load, key) in loads.iter_mut().zip(&tree) {
        *load = key >> bits;
    }
    loads
}

/// The same, two children to a node, for more workers than a tree on the stack should hold.
fn run_any(
    durations: impl Iterator<Item = u64>,
    mut loads: Vec<u64>,
    mut write: impl FnMut(usize, u32),
) -> Vec<u64> {
    let leaves = loads.len().next_power_of_two();
    let bits = leaves.trailing_zeros();
    let mut tree = vec![u64::MAX; 2 * leaves];
    for (at, load) in loads.iter().enumerate() {
        tree[leaves + at] = load << bits | at as u64;
    }
    for at in (1..leaves).rev() {
        tree[at] = tree[2 * at].min(tree[2 * at + 1]);
    }
    for (rank, duration) in durations.enumerate() {
        let winner = tree[1];
        let worker = winner as usize & (leaves - 1);
        write(rank, worker as u32);
        let mut key = winner.wrapping_add(duration << bits);
        let mut at = leaves + worker;
        tree[at] = key;
        while at > 1 {
            key = smaller(key, tree[at ^ 1]);
            at >>= 1;
            tree[at] = key;
        }
    }
    for (load, key) in loads.iter_mut().zip(&tree[leaves..]) {
        *load = key >> bits;
    }
    loads
}
