//! Lower bounds from how long items can be combined: what no assignment can beat although all the
//! work over all the workers would be less.
//!
//! Decides by counting (bound 2 and its lifted form of Haouari, Gharbi and Jemmali 2006) and by
//! proving that items do not fit into bins of a length (bound 3: Martello and Toth 1990, Fekete and
//! Schepers 2001). Worth its cost only where a gap remains.

/// Items times workers above which the lifted bound costs more than it wins.
const LIFTED_MAX: usize = 2_000_000;
/// Items above which the packing bound costs more than it wins.
const PACKING_MAX: usize = 600;
/// Lengths that the packing bound looks at one by one.
const LENGTHS_MAX: u64 = 48;
/// The finest division that the packing bound rounds by.
const DIVISIONS: u64 = 24;

/// The best of these bounds on items in falling order, at least `low`; `high` is a makespan that
/// is reached, above which no bound can lie.
pub(crate) fn combined_bound(falling: &[u64], workers: usize, low: u64, high: u64) -> u64 {
    let best = counted_bound(falling, workers, low);
    packed_bound(falling, workers, best, high)
}

/// Those that count.
pub(crate) fn counted_bound(falling: &[u64], workers: usize, low: u64) -> u64 {
    let best = low.max(tuple_bound(falling, workers));
    if falling.len().saturating_mul(workers) > LIFTED_MAX {
        return best;
    }
    best.max(lifted_bound(falling, workers))
}

/// Those that pack.
pub(crate) fn packed_bound(falling: &[u64], workers: usize, low: u64, high: u64) -> u64 {
    if falling.len() > PACKING_MAX || low >= high {
        return low;
    }
    packing_bound(falling, workers, low, high)
}

/// Of the `k * workers + 1` longest items some worker gets `k + 1`, at least the smallest ones.
/// O(n).
fn tuple_bound(falling: &[u64], workers: usize) -> u64 {
    (1..=falling.len().saturating_sub(1) / workers)
        .map(|k| falling[k * workers - k..=k * workers].iter().sum())
        .max()
        .unwrap_or(0)
}

/// The same for the `k` fullest workers of the `l` longest items, for all `k` and `l`: they hold at
/// least their share of the items, at least the smallest ones. O(n m).
fn lifted_bound(falling: &[u64], workers: usize) -> u64 {
    let mut before = Vec::with_capacity(falling.len() + 1);
    let mut sum = 0u64;
    before.push(0);
    for item in falling {
        sum += item;
        before.push(sum);
    }
    let mut best = 0u64;
    for longest in workers + 1..=falling.len() {
        let (each, over) = (longest / workers, longest % workers);
        for full in 1..workers {
            let held = full * each + full.min(over);
            let least = before[longest] - before[longest - held];
            if least > best * full as u64 {
                best = least.div_ceil(full as u64);
            }
        }
    }
    best
}

/// One more than the largest length below `high` for which bins are proved too few.
fn packing_bound(falling: &[u64], workers: usize, low: u64, high: u64) -> u64 {
    if falling.first().is_some_and(|longest| *longest >= 1 << 40) {
        return low;
    }
    if high - low <= LENGTHS_MAX {
        let long = (low..high).rev().find(|length| too_few(falling, workers, *length));
        return long.map_or(low, |length| length + 1);
    }
    let (mut low, mut high) = (low, high);
    for _ in 0..LENGTHS_MAX / 4 {
        let middle = low + (high - low) / 2;
        if too_few(falling, workers, middle) {
            low = middle + 1
        } else {
            high = middle
        }
        if low >= high {
            break;
        }
    }
    low
}

/// True where `workers` bins of this length cannot hold the items. Never true where they can.
fn too_few(falling: &[u64], workers: usize, length: u64) -> bool {
    if falling.first().is_some_and(|longest| *longest > length) {
        return true;
    }
    let mut smallest: Vec<u64> =
        falling.iter().copied().filter(|item| *item > 0 && *item <= length / 2).collect();
    smallest.dedup();
    smallest.push(0);
    by_width(falling, workers, length, &smallest)
        || smallest.iter().any(|least| *least > 0 && by_count(falling, workers, length, *least))
}

/// Rounds widths up to divisions of the length in the ways that keep every full bin full, with
/// items below each `least` left out and those above `length - least` filling a bin.
fn by_width(falling: &[u64], workers: usize, length: u64, smallest: &[u64]) -> bool {
    let mut before = vec![0; falling.len() + 1];
    (0..=DIVISIONS).any(|parts| {
        // No parts: as wide as it is.
        let full = parts.max(1) * length;
        for (at, item) in falling.iter().enumerate() {
            let scaled = (parts + 1) * item;
            let whole = scaled / length;
            let rounded = match parts {
                0 => *item,
                _ if whole * length == scaled => parts * item,
                _ => whole * length,
            };
            before[at + 1] = before[at] + rounded;
        }
        smallest.iter().any(|least| {
            let wide = falling.partition_point(|item| *item > length - least);
            let end = falling.partition_point(|item| *item >= *least);
            let between = before[end.max(wide)] - before[wide];
            wide as u64 * full + between > workers as u64 * full
        })
    })
}

/// Counts in items of `least`: a long item leaves room for so many of them.
fn by_count(falling: &[u64], workers: usize, length: u64, least: u64) -> bool {
    let most = length / least;
    let long = falling.partition_point(|item| 2 * item > length);
    let end = falling.partition_point(|item| *item >= least).max(long);
    let taken = falling[..long].iter().map(|item| most - (length - item) / least);
    taken.sum::<u64>() + (end - long) as u64 > workers as u64 * most
}
