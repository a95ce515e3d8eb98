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
    let mut best = low.max(tuple_bound(falling, workers));
    if falling.len().saturating_mul(workers) <= LIFTED_MAX {
        best = best.max(lifted_bound(falling, workers));
    }
    if falling.len() <= PACKING_MAX && best < high {
        best = packing_bound(falling, workers, best, high);
    }
    best
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
    let mut best = 0;
    for longest in workers + 1..=falling.len() {
        let (each, over) = (longest / workers, longest % workers);
        for full in 1..workers {
            let held = full * each + full.min(over);
            let least = before[longest] - before[longest - held];
            best = best.max(least.div_ceil(full as u64));
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
    smallest.into_iter().any(|least| {
        // Items below `least` are left out, those above `length - least` fill a bin.
        let width = |item: u64| {
            if item > length - least {
                length
            } else if item < least {
                0
            } else {
                item
            }
        };
        by_width(falling, workers, length, width)
            || (least > 0 && by_count(falling, workers, length, least))
    })
}

/// Rounds widths up to divisions of the length in the ways that keep every full bin full.
fn by_width(falling: &[u64], workers: usize, length: u64, width: impl Fn(u64) -> u64) -> bool {
    let widths: Vec<u64> = falling.iter().map(|item| width(*item)).filter(|w| *w > 0).collect();
    let room = workers as u64;
    if widths.iter().sum::<u64>() > room * length {
        return true;
    }
    (1..=DIVISIONS).any(|parts| {
        let rounded = widths.iter().map(|width| {
            let scaled = (parts + 1) * width;
            if scaled.is_multiple_of(length) { parts * width } else { scaled / length * length }
        });
        rounded.sum::<u64>() > room * parts * length
    })
}

/// Counts in items of `least`: a long item leaves room for so many of them.
fn by_count(falling: &[u64], workers: usize, length: u64, least: u64) -> bool {
    let most = length / least;
    let taken = falling.iter().map(|item| {
        if 2 * item > length { most - (length - item) / least } else { u64::from(*item >= least) }
    });
    taken.sum::<u64>() > workers as u64 * most
}
