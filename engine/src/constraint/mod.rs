//! What a plan may not do: tests that stay together, keep apart, run in order or share a resource.
//!
//! Decides which tests form an indivisible block and which pairs may not meet; explains
//! contradictions by naming the cycle or the pair. Never plans.
//!
//! Two rules mean more here than their names say, because shards do not wait for each other:
//! *before* and *exclusive resource* put the tests concerned on the **same** shard, the first in
//! order. Gluing costs nothing against the bound, since the total of a resource is a bound itself.

use std::collections::{BTreeMap, BTreeSet};

use petgraph::graph::{DiGraph, NodeIndex, UnGraph};
use petgraph::unionfind::UnionFind;
use serde::{Deserialize, Serialize};

use crate::test_id::{TestId, TestSet, TestTable};

mod bond;
pub mod import;

pub use bond::{Bond, BondKind};

/// Constraints as people write them, in `[constraints]` of `rasher.toml` or as an importer's
/// answer. Every name is a test or a group; a group stands for its tests.
///
/// ```
/// use rasher::constraint::ConstraintSpec;
/// let text = r#"{"apart": [["Polluter", "Victim"]], "resources": {"db": ["A", "B"]}}"#;
/// let spec: ConstraintSpec = serde_json::from_str(text)?;
/// assert_eq!(spec.resources["db"], ["A", "B"]);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ConstraintSpec {
    /// Lists of what stays on one shard.
    pub together: Vec<Vec<String>>,
    /// Lists of what is spread: no two entries of a list on one shard.
    pub apart: Vec<Vec<String>>,
    /// Lists in order: each entry on the same shard as the next, and before it.
    pub before: Vec<Vec<String>>,
    /// By name of a resource, what only one test at a time may hold: one shard for all of them.
    pub resources: BTreeMap<String, Vec<String>>,
    /// What runs alone on its machine; with one slot to a machine that is no constraint.
    pub serial: Vec<String>,
    /// By tag, what runs only in pools that carry the tag.
    pub tags: BTreeMap<String, Vec<String>>,
}

impl ConstraintSpec {
    /// Adds another list of constraints to this one. What both say counts once.
    pub fn merge(&mut self, other: Self) {
        join(&mut self.together, other.together);
        join(&mut self.apart, other.apart);
        join(&mut self.before, other.before);
        join(&mut self.serial, other.serial);
        for (name, tests) in other.resources {
            join(self.resources.entry(name).or_default(), tests);
        }
        for (tag, tests) in other.tags {
            join(self.tags.entry(tag).or_default(), tests);
        }
    }

    /// True where nothing is asked for.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Adds to a list what it does not hold yet.
fn join<T: Clone + Ord>(own: &mut Vec<T>, other: Vec<T>) {
    let known: BTreeSet<T> = own.iter().cloned().collect();
    own.extend(other.into_iter().filter(|it| !known.contains(it)));
}

/// Why constraints cannot all hold.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConstraintError {
    /// Tests that come before themselves.
    #[error("these tests must each run before the next: {}", cycle.join(" → "))]
    Cycle {
        /// The tests, the first again at the end.
        cycle: Vec<String>,
    },
    /// A pair that is kept apart and together.
    #[error("`{first}` and `{second}` must be kept apart, but other constraints keep them together: {}", path.join(", "))]
    Torn {
        /// One of the pair.
        first: String,
        /// The other.
        second: String,
        /// The steps that tie them.
        path: Vec<String>,
    },
    /// More kinds of machines than a plan tells apart.
    #[error(
        "{count} tags are in use, at most {TAGS_MAX}; let one tag stand for machines that are alike"
    )]
    Tags {
        /// How many tags tests need.
        count: usize,
    },
}

/// How many tags the tests of one plan may need: they are bits of one word where pools are chosen.
pub const TAGS_MAX: usize = 64;

/// Why tests of a block stay together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tie {
    /// They were asked to.
    Together,
    /// One runs before the other.
    Before,
    /// They hold this resource.
    Resource(String),
}

/// Tests that run on one shard, in this order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// At least two tests.
    pub tests: Vec<TestId>,
    /// What ties them; a resource before an order before a wish.
    pub tie: Tie,
}

/// Constraints on the tests of one table, free of contradictions.
#[derive(Clone, Debug, Default)]
pub struct Constraints {
    /// Blocks, each test in at most one.
    pub blocks: Vec<Block>,
    /// Pairs that may not meet on a shard, the smaller id first, in order.
    pub apart: Vec<(TestId, TestId)>,
    /// Tests that run alone on their machine.
    pub serial: TestSet,
    /// By tag, the tests that need it.
    pub tags: Vec<(String, TestSet)>,
    /// Names that are neither a test nor a group of the table.
    pub unknown: Vec<String>,
}

impl Constraints {
    /// Applies constraints to a table. O(n) and a little more than the size of the lists.
    ///
    /// # Errors
    /// Where they contradict each other.
    pub fn resolve(spec: &ConstraintSpec, tests: &TestTable) -> Result<Self, ConstraintError> {
        if spec.is_empty() {
            return Ok(Self::default());
        }
        let mut resolver = Resolver::new(tests);
        let ties = resolver.ties(spec);
        let order = resolver.order(spec)?;
        let apart = resolver.apart(spec);
        let mut groups = UnionFind::<u32>::new(tests.len());
        for (one, other, _) in &ties {
            groups.union(one.0, other.0);
        }
        if let Some((one, other)) = apart.iter().find(|pair| groups.equiv(pair.0.0, pair.1.0)) {
            return Err(torn(tests, &ties, *one, *other));
        }
        let mut serial = TestSet::with_len(tests.len());
        for test in spec.serial.iter().flat_map(|name| resolver.select(name)) {
            serial.insert(test);
        }
        let mut tags = Vec::new();
        for (tag, names) in &spec.tags {
            let mut tagged = TestSet::with_len(tests.len());
            for test in names.iter().flat_map(|name| resolver.select(name)) {
                tagged.insert(test);
            }
            if !tagged.is_empty() {
                tags.push((tag.clone(), tagged));
            }
        }
        if tags.len() > TAGS_MAX {
            return Err(ConstraintError::Tags { count: tags.len() });
        }
        let blocks = blocks(tests, &ties, &groups, &order);
        let unknown = resolver.unknown.into_iter().collect();
        Ok(Self { blocks, apart, serial, tags, unknown })
    }

    /// True where no test is bound by anything.
    pub fn is_empty(&self) -> bool {
        self.blocks.is_empty()
            && self.apart.is_empty()
            && self.serial.is_empty()
            && self.tags.is_empty()
    }
}

/// Two tests on one shard, and why: the position of a rule in words.
type Link = (TestId, TestId, Tie);

/// Turns names into tests.
pub(crate) struct Resolver<'a> {
    tests: &'a TestTable,
    /// The tests of each group, made when a group is first named.
    members: Option<Vec<Vec<TestId>>>,
    unknown: BTreeSet<String>,
}

impl<'a> Resolver<'a> {
    pub(crate) fn new(tests: &'a TestTable) -> Self {
        Self { tests, members: None, unknown: BTreeSet::new() }
    }

    /// The tests that a name stands for; an unknown one is noted.
    pub(crate) fn select(&mut self, name: &str) -> Vec<TestId> {
        if let Some(test) = self.tests.find(name) {
            return vec![test];
        }
        let Some(group) = self.tests.find_group(name) else {
            self.unknown.insert(name.to_owned());
            return Vec::new();
        };
        let members = self.members.get_or_insert_with(|| {
            let mut members = vec![Vec::new(); self.tests.group_count()];
            for test in self.tests.ids() {
                if let Some(group) = self.tests.group(test) {
                    members[group.index()].push(test);
                }
            }
            members
        });
        members[group.index()].clone()
    }

    fn ties(&mut self, spec: &ConstraintSpec) -> Vec<Link> {
        let lists = (spec.together.iter().map(|list| (list, Tie::Together)))
            .chain(spec.before.iter().map(|list| (list, Tie::Before)))
            .chain(spec.resources.iter().map(|(name, list)| (list, Tie::Resource(name.clone()))));
        let mut ties = Vec::new();
        for (list, tie) in lists {
            let all: Vec<TestId> = list.iter().flat_map(|name| self.select(name)).collect();
            for pair in all.windows(2).filter(|pair| pair[0] != pair[1]) {
                ties.push((pair[0], pair[1], tie.clone()));
            }
        }
        ties
    }

    /// The rank of each test that `before` names, earlier ones first.
    fn order(&mut self, spec: &ConstraintSpec) -> Result<BTreeMap<TestId, usize>, ConstraintError> {
        let mut graph: DiGraph<Option<TestId>, ()> = DiGraph::new();
        let mut nodes: BTreeMap<TestId, NodeIndex> = BTreeMap::new();
        for list in &spec.before {
            let entries: Vec<Vec<TestId>> = list.iter().map(|name| self.select(name)).collect();
            let entries: Vec<&Vec<TestId>> =
                entries.iter().filter(|entry| !entry.is_empty()).collect();
            for pair in entries.windows(2) {
                // A node between the two keeps many-before-many from being a product.
                let between = graph.add_node(None);
                for test in pair[0] {
                    let node = *nodes.entry(*test).or_insert_with(|| graph.add_node(Some(*test)));
                    graph.update_edge(node, between, ());
                }
                for test in pair[1] {
                    let node = *nodes.entry(*test).or_insert_with(|| graph.add_node(Some(*test)));
                    graph.update_edge(between, node, ());
                }
            }
        }
        let sorted = petgraph::algo::toposort(&graph, None)
            .map_err(|found| self.cycle(&graph, found.node_id()))?;
        // The longest way to a test, so that equals keep the order of their ids.
        let mut depth = vec![0; graph.node_count()];
        for node in &sorted {
            for next in graph.neighbors(*node) {
                depth[next.index()] = depth[next.index()].max(depth[node.index()] + 1);
            }
        }
        Ok(nodes.into_iter().map(|(test, node)| (test, depth[node.index()])).collect())
    }

    /// The shortest way from a node back to itself.
    fn cycle(&self, graph: &DiGraph<Option<TestId>, ()>, start: NodeIndex) -> ConstraintError {
        let mut from: BTreeMap<NodeIndex, NodeIndex> = BTreeMap::new();
        let mut queue = std::collections::VecDeque::from([start]);
        while let Some(node) = queue.pop_front() {
            for next in graph.neighbors(node) {
                if let std::collections::btree_map::Entry::Vacant(entry) = from.entry(next) {
                    entry.insert(node);
                    queue.push_back(next);
                }
            }
        }
        let mut way = vec![start];
        let mut at = from.get(&start).copied();
        while let Some(node) = at {
            way.push(node);
            at = if node == start { None } else { from.get(&node).copied() };
        }
        way.reverse();
        let mut cycle: Vec<String> = way
            .into_iter()
            .filter_map(|node| graph[node])
            .map(|test| self.tests.name(test).to_owned())
            .collect();
        if cycle.first() != cycle.last() || cycle.len() == 1 {
            cycle.extend(cycle.first().cloned());
        }
        ConstraintError::Cycle { cycle }
    }

    fn apart(&mut self, spec: &ConstraintSpec) -> Vec<(TestId, TestId)> {
        let mut apart = BTreeSet::new();
        for list in &spec.apart {
            let entries: Vec<Vec<TestId>> = list.iter().map(|name| self.select(name)).collect();
            for (at, one) in entries.iter().enumerate() {
                for other in &entries[at + 1..] {
                    for (a, b) in one.iter().flat_map(|a| other.iter().map(move |b| (*a, *b))) {
                        if a != b {
                            apart.insert((a.min(b), a.max(b)));
                        }
                    }
                }
            }
        }
        apart.into_iter().collect()
    }
}

/// Tests by union, in order of the ranks where they have one, else of their ids.
fn blocks(
    tests: &TestTable,
    ties: &[Link],
    groups: &UnionFind<u32>,
    order: &BTreeMap<TestId, usize>,
) -> Vec<Block> {
    let mut found: BTreeMap<u32, Block> = BTreeMap::new();
    let mut seen = TestSet::with_len(tests.len());
    for (one, other, tie) in ties {
        let block = found
            .entry(groups.find(one.0))
            .or_insert_with(|| Block { tests: Vec::new(), tie: Tie::Together });
        for test in [*one, *other] {
            if seen.insert(test) {
                block.tests.push(test);
            }
        }
        match (&block.tie, tie) {
            (Tie::Together, _) | (Tie::Before, Tie::Resource(_)) => block.tie = tie.clone(),
            _ => {}
        }
    }
    let mut blocks: Vec<Block> = found.into_values().collect();
    for block in &mut blocks {
        block.tests.sort_by_key(|test| (order.get(test).copied(), *test));
    }
    blocks.sort_by_key(|block| block.tests.iter().min().copied());
    blocks
}

/// The chain of rules that keeps two tests together.
fn torn(tests: &TestTable, ties: &[Link], one: TestId, other: TestId) -> ConstraintError {
    let mut graph: UnGraph<(), usize, u32> = UnGraph::new_undirected();
    for _ in 0..tests.len() {
        graph.add_node(());
    }
    for (at, (a, b, _)) in ties.iter().enumerate() {
        graph.add_edge(NodeIndex::new(a.index()), NodeIndex::new(b.index()), at);
    }
    let start = NodeIndex::new(one.index());
    let goal = NodeIndex::new(other.index());
    let way = petgraph::algo::astar(&graph, start, |node| node == goal, |_| 1u32, |_| 0);
    let mut path = Vec::new();
    for step in way.map(|(_, way)| way).unwrap_or_default().windows(2) {
        let link = graph.edges_connecting(step[0], step[1]).map(|edge| *edge.weight()).min();
        let names = [step[0], step[1]].map(|node| tests.name(TestId(node.index() as u32)));
        let why = match link.map(|at| &ties[at].2) {
            Some(Tie::Resource(name)) => format!("both hold `{name}`"),
            Some(Tie::Before) => "run in order".to_owned(),
            _ => "stay together".to_owned(),
        };
        path.push(format!("`{}` and `{}` {why}", names[0], names[1]));
    }
    ConstraintError::Torn {
        first: tests.name(one).to_owned(),
        second: tests.name(other).to_owned(),
        path,
    }
}
