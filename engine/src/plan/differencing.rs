//! Differencing: the largest difference method of Karmarkar and Karp, for many workers.
//!
//! Decides by combining the two most uneven partial answers until one is left, so that large
//! differences cancel. The best cheap heuristic with ten items or more per worker; its cost grows
//! with the number of workers.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::longest_first::Assignment;

/// Items times workers above which differencing costs more than it wins.
pub(crate) const SIZE_MAX: usize = 4_000_000;

/// A set of items: one of them or two smaller sets.
#[derive(Clone, Copy)]
enum Node {
    Item(u32),
    Both(u32, u32),
}

/// A part of an answer: sums in falling order, less what all have; absent ones are 0.
struct Part {
    sums: Vec<(u64, Option<u32>)>,
}

/// Assigns items to equal workers. O(n m log m).
pub(crate) fn difference(items: &[u64], workers: usize) -> Assignment {
    let mut nodes: Vec<Node> = (0..items.len() as u32).map(Node::Item).collect();
    let mut parts: Vec<Part> = items
        .iter()
        .zip(0..)
        .map(|(item, node)| Part { sums: vec![(*item, Some(node))] })
        .collect();
    let mut heap: BinaryHeap<(u64, Reverse<u32>)> =
        items.iter().zip(0..).map(|(item, at)| (*item, Reverse(at))).collect();
    while let Some((_, Reverse(one))) = heap.pop() {
        let Some((_, Reverse(other))) = heap.pop() else {
            return collect(items, &nodes, &parts[one as usize], workers);
        };
        let a = std::mem::take(&mut parts[one as usize].sums);
        let b = std::mem::take(&mut parts[other as usize].sums);
        let sums = combine(a, b, workers, &mut nodes);
        let least = if sums.len() == workers { sums[workers - 1].0 } else { 0 };
        let sums: Vec<_> = sums.into_iter().map(|(sum, node)| (sum - least, node)).collect();
        heap.push((sums[0].0, Reverse(parts.len() as u32)));
        parts.push(Part { sums });
    }
    Assignment { worker: Vec::new(), loads: vec![0; workers] }
}

/// The largest of one meets the smallest of the other.
fn combine(
    a: Vec<(u64, Option<u32>)>,
    b: Vec<(u64, Option<u32>)>,
    workers: usize,
    nodes: &mut Vec<Node>,
) -> Vec<(u64, Option<u32>)> {
    let lone = workers.saturating_sub(b.len());
    let mut sums = a;
    let mut back = b.into_iter().rev();
    for (sum, node) in sums.iter_mut().skip(lone) {
        let Some((more, other)) = back.next() else { break };
        *sum += more;
        *node = match (*node, other) {
            (Some(one), Some(two)) => {
                nodes.push(Node::Both(one, two));
                Some(nodes.len() as u32 - 1)
            }
            (one, two) => one.or(two),
        };
    }
    sums.extend(back);
    sums.sort_unstable_by(|x, y| y.cmp(x));
    sums
}

fn collect(items: &[u64], nodes: &[Node], last: &Part, workers: usize) -> Assignment {
    let mut worker = vec![0; items.len()];
    let mut loads = vec![0; workers];
    let mut stack = Vec::new();
    for (at, (_, node)) in last.sums.iter().enumerate() {
        stack.extend(*node);
        while let Some(node) = stack.pop() {
            match nodes[node as usize] {
                Node::Item(item) => {
                    worker[item as usize] = at as u32;
                    loads[at] += items[item as usize];
                }
                Node::Both(one, two) => stack.extend([one, two]),
            }
        }
    }
    Assignment { worker, loads }
}
