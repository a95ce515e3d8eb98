//! Falling order, exactly: longest first, equal ones by their place.
//!
//! Decides nothing else. Where value and place fit one `u64`, which is nearly always, single words
//! are sorted, at half the cost of pairs.

use std::cmp::Reverse;

/// Sorts lists one after another in buffers that are used again.
#[derive(Default)]
pub(crate) struct Falling {
    packed: Vec<u64>,
    pairs: Vec<(Reverse<u64>, u32)>,
}

impl Falling {
    /// Tells the values in falling order to `to`, each with its place in the list. O(n log n).
    pub(crate) fn sort(
        &mut self,
        values: impl ExactSizeIterator<Item = u64> + Clone,
        mut to: impl FnMut(u64, u32),
    ) {
        let last = values.len() as u64;
        let place_bits = u64::BITS - last.leading_zeros();
        let all = values.clone().fold(0, |all, value| all | value);
        if u64::BITS - all.leading_zeros() + place_bits > u64::BITS {
            self.pairs.clear();
            self.pairs.extend(values.map(Reverse).zip(0..));
            self.pairs.sort_unstable();
            self.pairs.iter().for_each(|(value, place)| to(value.0, *place));
            return;
        }
        self.packed.clear();
        // Equal values by rising place: the first has the largest key.
        self.packed
            .extend(values.zip(0..).map(|(value, place)| value << place_bits | (last - place)));
        self.packed.sort_unstable_by(|a, b| b.cmp(a));
        let mask = (1 << place_bits) - 1;
        for key in &self.packed {
            to(key >> place_bits, (last - (key & mask)) as u32);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_pairs_give_the_same_order() {
        let short = [3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 0];
        // The same with one that leaves no room for its place.
        let long: Vec<u64> = short.iter().map(|value| value << 59).collect();
        let order = |values: &[u64]| {
            let mut places = Vec::new();
            Falling::default().sort(values.iter().copied(), |value, place| {
                assert_eq!(value, values[place as usize]);
                places.push(place);
            });
            places
        };
        let mut by_pairs: Vec<u32> = (0..short.len() as u32).collect();
        by_pairs.sort_by_key(|place| Reverse(short[*place as usize]));
        assert_eq!((order(&short), order(&long)), (by_pairs.clone(), by_pairs));
        assert!(order(&[]).is_empty());
    }
}
