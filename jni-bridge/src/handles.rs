//! Workloads that are kept between calls, each known by a number.
//!
//! Decides whether a number still means something. A number holds a place and the generation of
//! that place, so that one which was closed is refused for ever, also after the place has been given
//! away again. What is kept never changes: any number of threads may use it, also while it is closed.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::fault::Fault;

/// More than these at a time are refused: somebody forgets to close them.
pub const OPEN_MAX: usize = 1 << 16;

struct Slot<T> {
    generation: u32,
    kept: Option<Arc<T>>,
}

/// The table: places, and which of them are free.
pub(crate) struct Handles<T> {
    table: Mutex<Table<T>>,
}

struct Table<T> {
    slots: Vec<Slot<T>>,
    free: Vec<u32>,
}

impl<T> Handles<T> {
    /// Nothing kept yet.
    pub(crate) const fn new() -> Self {
        Self { table: Mutex::new(Table { slots: Vec::new(), free: Vec::new() }) }
    }

    /// Every step leaves the table whole, so that a panic elsewhere takes nothing from it.
    fn table(&self) -> MutexGuard<'_, Table<T>> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps a value. The number is never 0 and fits a positive `i64`.
    pub(crate) fn open(&self, value: T) -> Result<u64, Fault> {
        let mut table = self.table();
        if table.slots.len() - table.free.len() >= OPEN_MAX {
            return Err(Fault::usage(format!(
                "{OPEN_MAX} workloads are open; close those that are done"
            )));
        }
        let at = table.free.pop().unwrap_or_else(|| {
            table.slots.push(Slot { generation: 1, kept: None });
            table.slots.len() as u32 - 1
        });
        let slot = &mut table.slots[at as usize];
        slot.kept = Some(Arc::new(value));
        Ok(u64::from(slot.generation) << 32 | u64::from(at))
    }

    /// What a number stands for.
    pub(crate) fn get(&self, handle: u64) -> Result<Arc<T>, Fault> {
        let mut table = self.table();
        let kept = table.slot(handle).and_then(|slot| slot.kept.clone());
        kept.ok_or_else(|| Fault::usage(format!("the workload {handle:#x} is not open (any more)")))
    }

    /// Lets go of a value; calls that use it still have it. False where it was not open.
    pub(crate) fn close(&self, handle: u64) -> bool {
        let mut table = self.table();
        let Some(slot) = table.slot(handle) else { return false };
        let Some(kept) = slot.kept.take() else { return false };
        slot.generation += 1;
        // A place whose generations are used up stays empty.
        if slot.generation < GENERATIONS {
            table.free.push(handle as u32);
        }
        drop(table);
        drop(kept);
        true
    }
}

const GENERATIONS: u32 = i32::MAX as u32;

impl<T> Table<T> {
    fn slot(&mut self, handle: u64) -> Option<&mut Slot<T>> {
        let slot = self.slots.get_mut(handle as u32 as usize)?;
        (u64::from(slot.generation) == handle >> 32).then_some(slot)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::thread;

    use super::*;

    #[test]
    fn a_number_means_one_value_and_nothing_once_it_is_closed() {
        let handles = Handles::new();
        let mut closed = Vec::new();
        for round in 0..100 {
            let handle = handles.open(round).expect("room");
            assert_eq!(handles.get(handle).map(|kept| *kept), Ok(round));
            assert!(handles.close(handle));
            assert!(!handles.close(handle), "closed twice");
            closed.push(handle);
            for stale in &closed {
                assert!(handles.get(*stale).is_err());
            }
        }
        assert_eq!(handles.table().slots.len(), 1, "places are given away again");
        for foreign in [0, 1, u64::MAX, 1 << 32 | 7] {
            assert!(handles.get(foreign).is_err() && !handles.close(foreign));
        }
    }

    #[test]
    fn a_place_without_generations_is_not_given_away_again() {
        let handles = Handles::new();
        let first = handles.open(1).expect("room");
        handles.table().slots[0].generation = GENERATIONS - 1;
        let last = u64::from(GENERATIONS - 1) << 32 | (first & 0xffff_ffff);
        assert!(handles.close(last));
        let next = handles.open(2).expect("room");
        assert_eq!(next & 0xffff_ffff, 1);
        assert!(handles.get(last).is_err());
    }

    #[test]
    fn too_many_are_refused_and_closing_makes_room() {
        let handles = Handles::new();
        let all: Vec<u64> = (0..OPEN_MAX).map(|at| handles.open(at).expect("room")).collect();
        assert!(handles.open(0).is_err());
        assert!(handles.close(all[7]));
        assert!(handles.open(0).is_ok());
    }

    #[test]
    fn threads_race_to_close_and_one_wins() {
        let handles = Handles::new();
        for round in 0..200_usize {
            let handle = handles.open(round).expect("room");
            let won = AtomicUsize::new(0);
            thread::scope(|scope| {
                for _ in 0..8 {
                    scope.spawn(|| {
                        if let Ok(kept) = handles.get(handle) {
                            assert_eq!(*kept, round);
                        }
                        won.fetch_add(usize::from(handles.close(handle)), Ordering::Relaxed);
                    });
                }
            });
            assert_eq!(won.into_inner(), 1);
            assert!(handles.get(handle).is_err());
        }
    }
}
