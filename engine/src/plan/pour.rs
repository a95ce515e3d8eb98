//! Pouring: the units of one family taken out piece by piece, longest first.
//!
//! Decides which units fill a given room; nothing else.

use super::falling::Falling;
use super::families::Families;

/// Families, and the units of those that are to be split, each sorted when it is first wanted.
pub(crate) struct Pours<'a> {
    pub(crate) families: &'a Families,
    of: Vec<Option<Pour>>,
    sorter: Falling,
}

impl<'a> Pours<'a> {
    pub(crate) fn new(families: &'a Families) -> Self {
        let of = (0..families.len()).map(|_| None).collect();
        Self { families, of, sorter: Falling::default() }
    }

    /// All units of a family, none of them taken.
    pub(crate) fn full(&mut self, family: usize) -> &mut Pour {
        let Self { families, of, sorter } = self;
        let pour = of[family].get_or_insert_with(|| Pour::of(families, family, sorter));
        pour.refill();
        pour
    }
}

/// The units of one family that are not yet taken.
pub(crate) struct Pour {
    /// Duration and unit, by falling duration.
    falling: Vec<(u64, u32)>,
    /// For a taken position one further on, or more; for a free one itself.
    jump: Vec<u32>,
}

impl Pour {
    /// All units of a family. O(n log n).
    fn of(families: &Families, family: usize, sorter: &mut Falling) -> Self {
        let (first, units) = (families.range(family).start as u32, families.units(family));
        let mut falling = Vec::with_capacity(units.len());
        sorter.sort(units.iter().copied(), |work, at| falling.push((work, first + at)));
        let jump = (0..=falling.len() as u32).collect();
        Self { falling, jump }
    }

    /// Puts everything back.
    fn refill(&mut self) {
        self.jump.iter_mut().zip(0..).for_each(|(jump, at)| *jump = at);
    }

    /// True where everything is taken.
    pub(crate) fn is_empty(&mut self) -> bool {
        self.next(0) == self.falling.len()
    }

    /// Takes units, longest first, as long as they fit into `room`, and tells each to `to`; the
    /// work that is taken, none where nothing fits.
    pub(crate) fn take(&mut self, room: u64, mut to: impl FnMut(u32)) -> Option<u64> {
        let (mut open, mut at, mut any) = (room, 0, false);
        loop {
            at = self.next(at);
            let Some(&(work, unit)) = self.falling.get(at) else { break };
            if work > open {
                // On to the first that is short enough.
                at += self.falling[at..].partition_point(|(work, _)| *work > open);
                continue;
            }
            open -= work;
            to(unit);
            self.jump[at] = at as u32 + 1;
            any = true;
        }
        any.then_some(room - open)
    }

    /// The first free position from `at` on; the length of the list where there is none.
    fn next(&mut self, at: usize) -> usize {
        let mut end = at;
        while self.jump[end] as usize != end {
            end = self.jump[end] as usize;
        }
        let mut walk = at;
        while walk != end {
            walk = std::mem::replace(&mut self.jump[walk], end as u32) as usize;
        }
        end
    }
}
