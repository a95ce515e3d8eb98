//! Planned tests that may no longer be there.
//!
//! Decides whether somebody's word counts that a test is gone, and of which tests to ask. A report
//! cannot tell a deleted test from a lost one, so nothing is gone without such a word.

use std::collections::BTreeSet;

use super::Ledger;
use crate::plan::document::ShardDocument;

impl Ledger {
    /// Of the missing tests those that may no longer be there, and those that are said not to be.
    pub(super) fn absent(
        &self,
        missing: &BTreeSet<String>,
    ) -> (BTreeSet<String>, BTreeSet<String>) {
        let (mut vanished, mut gone) = (BTreeSet::new(), BTreeSet::new());
        if missing.is_empty() {
            return (vanished, gone);
        }
        let told = self.told.keys().map(|key| &key.0).chain(&self.listed);
        let told: BTreeSet<&str> = told.map(String::as_str).collect();
        for (plan, round) in self.plans.iter().zip(1_u16..) {
            for shard in &plan.shards {
                let groups = shard.groups.iter();
                let groups = groups.flat_map(|span| std::iter::repeat_n(&*span.group, span.tests));
                let groups: Vec<&str> =
                    groups.chain(std::iter::repeat("")).take(shard.tests.len()).collect();
                let never = |name: &String| {
                    let entry = self.names.find(name).map(|test| &self.entries[test.index()]);
                    missing.contains(name)
                        && !told.contains(name.as_str())
                        && entry.is_some_and(|it| it.first == round && it.result.is_none())
                        && !self.broke_later(name, round)
                };
                if !shard.tests.iter().any(never) || !self.ran_through(shard, &groups, round) {
                    continue;
                }
                let at_work: BTreeSet<&str> = (shard.tests.iter().zip(&groups))
                    .filter(|(name, _)| self.reported(name, round))
                    .map(|(_, group)| *group)
                    .collect();
                for (name, group) in shard.tests.iter().zip(&groups).filter(|it| never(it.0)) {
                    if self.gone.contains(name) || self.gone.contains(*group) {
                        gone.insert(name.clone());
                    } else if !group.is_empty() && at_work.contains(group) {
                        vanished.insert(name.clone());
                    }
                }
            }
        }
        (vanished, gone)
    }

    /// True where a test, or a class with all that is missing of it, counts as gone.
    pub(super) fn is_gone(
        &self,
        name: &str,
        gone: &BTreeSet<String>,
        missing: &BTreeSet<String>,
    ) -> bool {
        let group = self.groups.get(name).into_iter().flatten().copied();
        let tests = || self.names.find(name).into_iter().chain(group.clone());
        let among =
            |set: &BTreeSet<String>| tests().any(|test| set.contains(self.names.name(test)));
        among(gone) && !among(missing)
    }

    /// True where a shard reported in a round, and nothing on it ended so that others may be lost.
    fn ran_through(&self, shard: &ShardDocument, groups: &[&str], round: u16) -> bool {
        let broke = |name: &str| self.broken.contains(&(round, name.to_owned()));
        shard.tests.iter().any(|name| self.reported(name, round))
            && !broke("")
            && !shard.tests.iter().any(|name| broke(name))
            && !groups.iter().any(|group| broke(group))
    }

    /// True where something broke off on a shard that was to run a test again.
    fn broke_later(&self, name: &String, round: u16) -> bool {
        let later = self.plans.iter().zip(1_u16..).skip(usize::from(round));
        later.into_iter().any(|(plan, at)| {
            let broke = |it: &str| self.broken.contains(&(at, it.to_owned()));
            let here = plan.shards.iter().filter(|shard| shard.tests.contains(name));
            broke("") || here.flat_map(|shard| &shard.tests).any(|test| broke(test))
        })
    }
}
