//! Iterated repartition: pairs and triples of workers dealt out again, many times.
//!
//! Decides what to do where a worker gets only a handful of items and no single exchange helps. It
//! sets itself a goal below the best makespan, lets loads above it exist, and deals the items of an
//! overfull worker and one or two others out again so that less stands above the goal. Its
//! budget is a count of steps, not a clock, and a larger one only goes further on the same path:
//! the answer is deterministic and never worse for more steps.

use super::longest_first::Assignment;

/// Items of a pair that are dealt out again; the others stay.
const PAIR_ITEMS: usize = 13;
/// Items of a triple that are dealt out again.
const TRIPLE_ITEMS: usize = 8;
/// Rounds without success after which a goal is given up for an easier one.
const PATIENCE: u32 = 3_000;

/// Marsaglia's xorshift: a fixed sequence, so that equal input gives equal answers.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        ((self.0 >> 32) as usize * sides) >> 32
    }
}

/// Steps that a deal counts beside the ways it looks at.
const DEAL: u64 = 48;

struct Search<'a> {
    items: &'a [u64],
    lists: Vec<Vec<u32>>,
    loads: Vec<u64>,
    goal: u64,
    /// Workers above the goal, for each worker its place among them, and by how much all are above.
    over: Vec<u32>,
    place: Vec<u32>,
    excess: u64,
    dice: Dice,
    steps: u64,
    sums: Vec<u64>,
    drawn: Vec<u32>,
}

const NOT_OVER: u32 = u32::MAX;

/// Improves `best` until it meets `target` or the steps are used up; a step is one way to deal.
pub(crate) fn repartition(items: &[u64], best: &mut Assignment, target: u64, steps: u64) {
    let workers = best.loads.len();
    if workers < 2 || best.makespan() <= target {
        return;
    }
    let mut lists = vec![Vec::new(); workers];
    for (item, at) in best.worker.iter().enumerate() {
        lists[*at as usize].push(item as u32);
    }
    let mut search = Search {
        items,
        lists,
        loads: best.loads.clone(),
        goal: 0,
        over: Vec::new(),
        place: vec![NOT_OVER; workers],
        excess: 0,
        dice: Dice(0x9E37_79B9_7F4A_7C15),
        steps,
        sums: Vec::new(),
        drawn: Vec::new(),
    };
    let mut easing = 0;
    while search.steps > 0 && best.makespan() > target {
        let makespan = best.makespan();
        search.aim(target.max(makespan - ((makespan - target) >> (easing + 1)).max(1)));
        if search.reach() {
            best.loads.copy_from_slice(&search.loads);
            for (worker, list) in search.lists.iter().enumerate() {
                for item in list {
                    best.worker[*item as usize] = worker as u32;
                }
            }
            easing = 0;
        } else {
            let hardest = (makespan - target) >> (easing + 1) <= 1;
            easing = if hardest { 0 } else { easing + 2 };
        }
    }
}

impl Search<'_> {
    /// Sets a new goal.
    fn aim(&mut self, goal: u64) {
        self.goal = goal;
        self.over.clear();
        self.place.fill(NOT_OVER);
        self.excess = 0;
        for worker in 0..self.loads.len() {
            self.note(worker);
        }
    }

    /// Takes a worker whose load is about to change out of the books.
    fn forget(&mut self, worker: usize) {
        self.excess -= self.loads[worker].saturating_sub(self.goal);
        let place = std::mem::replace(&mut self.place[worker], NOT_OVER);
        if place != NOT_OVER {
            self.over.swap_remove(place as usize);
            if let Some(moved) = self.over.get(place as usize) {
                self.place[*moved as usize] = place;
            }
        }
    }

    /// Puts it back with its new load.
    fn note(&mut self, worker: usize) {
        if self.loads[worker] > self.goal {
            self.excess += self.loads[worker] - self.goal;
            self.place[worker] = self.over.len() as u32;
            self.over.push(worker as u32);
        }
    }

    /// Deals until no load stands above the goal; false where patience or steps end.
    fn reach(&mut self) -> bool {
        let workers = self.loads.len();
        let mut patience = PATIENCE + 40 * workers as u32;
        let mut least = u64::MAX;
        while !self.over.is_empty() {
            if patience == 0 || self.steps == 0 {
                return false;
            }
            if self.excess < least {
                (least, patience) = (self.excess, PATIENCE + 40 * workers as u32);
            }
            patience -= 1;
            let one = if self.dice.roll(4) == 0 {
                self.dice.roll(workers)
            } else {
                self.over[self.dice.roll(self.over.len())] as usize
            };
            let other = (one + 1 + self.dice.roll(workers - 1)) % workers;
            if workers > 2 && self.dice.roll(4) == 0 {
                let mut third = self.dice.roll(workers);
                while third == one || third == other {
                    third = (third + 1) % workers;
                }
                self.deal_three([one, other, third]);
            } else {
                self.deal_two(one, other);
            }
        }
        true
    }

    /// Takes up to `count` items away from workers, at random where they have more.
    fn draw(&mut self, from: &[usize], count: usize) -> Vec<u32> {
        let mut drawn = std::mem::take(&mut self.drawn);
        drawn.clear();
        let mut held: usize = from.iter().map(|at| self.lists[*at].len()).sum();
        for at in from {
            self.forget(*at);
        }
        if held <= count {
            for at in from {
                drawn.append(&mut self.lists[*at]);
                self.loads[*at] = 0;
            }
            return drawn;
        }
        while drawn.len() < count {
            let mut nth = self.dice.roll(held);
            for at in from {
                if nth < self.lists[*at].len() {
                    let item = self.lists[*at].swap_remove(nth);
                    self.loads[*at] -= self.items[item as usize];
                    drawn.push(item);
                    break;
                }
                nth -= self.lists[*at].len();
            }
            held -= 1;
        }
        drawn
    }

    /// The sum of every subset of the drawn items, by its mask.
    fn sum_up(&mut self, drawn: &[u32]) {
        self.sums.clear();
        self.sums.push(0);
        for item in drawn {
            let work = self.items[*item as usize];
            let half = self.sums.len();
            self.sums.extend_from_within(..);
            self.sums[half..].iter_mut().for_each(|sum| *sum += work);
        }
    }

    fn give(&mut self, worker: usize, drawn: &[u32], mask: usize) {
        for (bit, item) in drawn.iter().enumerate() {
            if mask >> bit & 1 == 1 {
                self.lists[worker].push(*item);
                self.loads[worker] += self.items[*item as usize];
            }
        }
        self.note(worker);
    }

    /// Deals the items of two workers so that least stands above the goal; of equal ways one at
    /// random, or one that leaves most room on one of the two.
    fn deal_two(&mut self, one: usize, other: usize) {
        let drawn = self.draw(&[one, other], PAIR_ITEMS);
        self.sum_up(&drawn);
        let masks = self.sums.len();
        let turn = self.dice.roll(masks);
        let crowd = self.dice.roll(2) == 0;
        let total = self.sums[masks - 1];
        let (base, rest) = (self.loads[one], self.loads[other] + total);
        let mut best = ((u64::MAX, u64::MAX), 0);
        let (late, early) = self.sums.split_at(turn);
        for (mask, sum) in (turn..).zip(early).chain((0..).zip(late)) {
            let (a, b) = (base + sum, rest - sum);
            let excess = a.saturating_sub(self.goal) + b.saturating_sub(self.goal);
            let key = (excess, if crowd { a.min(b) } else { 0 });
            if key < best.0 {
                best = (key, mask);
            }
        }
        self.steps = self.steps.saturating_sub(DEAL + masks as u64);
        self.give(one, &drawn, best.1);
        self.give(other, &drawn, !best.1);
        self.drawn = drawn;
    }

    /// The same for three workers.
    fn deal_three(&mut self, workers: [usize; 3]) {
        let drawn = self.draw(&workers, TRIPLE_ITEMS);
        self.sum_up(&drawn);
        let masks = self.sums.len();
        let turn = self.dice.roll(masks);
        let [x, y, z] = workers.map(|at| self.loads[at]);
        let over = |load: u64| load.saturating_sub(self.goal);
        let mut best = (u64::MAX, 0, 0);
        let mut seen = 0;
        for at in 0..masks {
            let first = at ^ turn;
            let left = (masks - 1) ^ first;
            let own = over(x + self.sums[first]);
            let mut second = left;
            while own < best.0 {
                let (b, c) = (self.sums[second], self.sums[left ^ second]);
                let excess = own + over(y + b) + over(z + c);
                seen += 1;
                if excess < best.0 {
                    best = (excess, first, second);
                }
                if second == 0 {
                    break;
                }
                second = (second - 1) & left;
            }
        }
        self.steps = self.steps.saturating_sub(DEAL + seen.max(masks as u64));
        self.give(workers[0], &drawn, best.1);
        self.give(workers[1], &drawn, best.2);
        self.give(workers[2], &drawn, !(best.1 | best.2));
        self.drawn = drawn;
    }
}
