//! Room on workers: which of them can take an item, found through a tree.
//!
//! Decides first fit and emptiest; nothing else.

/// What is free on each worker, with the largest at the root of a tree.
pub(crate) struct Room {
    tree: Vec<u64>,
    leaves: usize,
}

impl Room {
    /// `workers` workers with `target` free on each.
    pub(crate) fn new(workers: usize, target: u64) -> Self {
        let leaves = workers.next_power_of_two();
        let mut tree = vec![0; 2 * leaves];
        tree[leaves..leaves + workers].fill(target);
        for at in (1..leaves).rev() {
            tree[at] = tree[2 * at].max(tree[2 * at + 1]);
        }
        Self { tree, leaves }
    }

    /// Gives `amount` of the first worker that has so much to its taker.
    pub(crate) fn take_first(&mut self, amount: u64) -> Option<u32> {
        if self.tree[1] < amount {
            return None;
        }
        let mut at = 1;
        while at < self.leaves {
            at *= 2;
            if self.tree[at] < amount {
                at += 1;
            }
        }
        let worker = (at - self.leaves) as u32;
        self.fill(worker, amount);
        Some(worker)
    }

    /// The first of the workers with the most room, and how much that is.
    pub(crate) fn emptiest(&self) -> (u32, u64) {
        let mut at = 1;
        while at < self.leaves {
            at *= 2;
            if self.tree[at] < self.tree[1] {
                at += 1;
            }
        }
        ((at - self.leaves) as u32, self.tree[1])
    }

    /// Takes `amount`, which must be free, of one worker.
    pub(crate) fn fill(&mut self, worker: u32, amount: u64) {
        let mut at = self.leaves + worker as usize;
        self.tree[at] -= amount;
        while at > 1 {
            at /= 2;
            let most = self.tree[2 * at].max(self.tree[2 * at + 1]);
            if self.tree[at] == most {
                break;
            }
            self.tree[at] = most;
        }
    }

    /// What is free on each of `workers` workers.
    pub(crate) fn free(&self, workers: usize) -> &[u64] {
        &self.tree[self.leaves..self.leaves + workers]
    }
}
