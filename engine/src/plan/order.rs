//! Order inside a shard: which class runs first, and which test of it.
//!
//! Decides nothing about balance. Classes stay together, so that a set-up is paid once; those that
//! may take longest come first, so that what goes wrong goes wrong early.

use super::families::Families;
use super::{Shard, Span, Workload};
use crate::test_id::{GroupId, TestId};
use crate::units::Micros;

/// The tests of one family on one shard.
struct Chunk {
    family: u32,
    units: Vec<u32>,
    risk: Micros,
}

/// Fills the shards of an assignment of units.
pub(crate) fn fill(
    workload: &Workload<'_>,
    families: &Families,
    worker: &[u32],
    workers: usize,
) -> Vec<Shard> {
    let mut chunks: Vec<Vec<Chunk>> = (0..workers).map(|_| Vec::new()).collect();
    let mut pieces = vec![0u32; families.len()];
    for (family, pieces) in pieces.iter_mut().enumerate() {
        for unit in families.range(family) {
            let own = &mut chunks[worker[unit] as usize];
            let risk = workload.upper()[families.test[unit] as usize];
            match own.last_mut().filter(|chunk| chunk.family == family as u32) {
                Some(chunk) => {
                    chunk.units.push(unit as u32);
                    chunk.risk += risk;
                }
                None => {
                    *pieces += 1;
                    let risk = risk + Micros::new(families.setup[family]);
                    own.push(Chunk { family: family as u32, units: vec![unit as u32], risk });
                }
            }
        }
    }
    chunks.into_iter().map(|own| shard(workload, families, own, &pieces)).collect()
}

fn shard(
    workload: &Workload<'_>,
    families: &Families,
    mut chunks: Vec<Chunk>,
    pieces: &[u32],
) -> Shard {
    let upper = |unit: u32| workload.upper()[families.test[unit as usize] as usize];
    chunks.sort_by_key(|chunk| std::cmp::Reverse(chunk.risk));
    let mut shard = Shard::default();
    for chunk in &mut chunks {
        chunk.units.sort_by_key(|unit| std::cmp::Reverse(upper(*unit)));
        let family = chunk.family as usize;
        let work: u64 = chunk.units.iter().map(|unit| families.work[*unit as usize]).sum();
        shard.setup += Micros::new(families.setup[family]);
        shard.predicted += Micros::new(families.setup[family] + work);
        shard.tests.extend(chunk.units.iter().map(|unit| TestId(families.test[*unit as usize])));
        shard.spans.push(Span {
            group: (families.group[family] != u32::MAX).then_some(GroupId(families.group[family])),
            tests: chunk.units.len(),
            whole: pieces[family] == 1,
        });
    }
    shard
}
