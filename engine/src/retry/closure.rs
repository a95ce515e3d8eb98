//! What else must run when one test does.

use petgraph::graph::{DiGraph, NodeIndex};
use petgraph::visit::Dfs;

use super::case::{Case, Planned};
use super::demands::Demands;
use crate::attempt::Outcome;
use crate::test_id::TestId;

fn node(test: TestId) -> NodeIndex {
    NodeIndex::new(test.index())
}

/// From each member all others are reached.
fn ring(graph: &mut DiGraph<(), ()>, members: &[TestId]) {
    for (at, test) in members.iter().enumerate() {
        graph.add_edge(node(*test), node(members[(at + 1) % members.len()]), ());
    }
}

/// How many invocations of a method were not reported under the names they were planned by.
enum Changed {
    No,
    Some,
    All,
}

/// An invocation can be asked for by its name only as long as the names of its siblings hold: with
/// other parameters the same number is another invocation.
fn changed(unit: &[TestId], cases: &[Case]) -> Changed {
    match unit.iter().filter(|test| cases[test.index()].is_missing()).count() {
        0 => Changed::No,
        all if all == unit.len() => Changed::All,
        _ => Changed::Some,
    }
}

/// What else must run when one test does: a graph of tests, an arrow to each test demanded.
pub(super) struct Closure {
    graph: DiGraph<(), ()>,
}

impl Closure {
    pub(super) fn new(planned: &Planned, cases: &[Case], demands: &Demands) -> Self {
        let tests = planned.tests();
        let mut graph = DiGraph::with_capacity(tests.len(), 0);
        for _ in tests.ids() {
            graph.add_node(());
        }
        for (test, first) in &demands.needs {
            graph.add_edge(node(*test), node(*first), ());
            // Skipped for the sake of what failed: it comes back with it.
            if cases[test.index()].is_skipped() {
                graph.add_edge(node(*first), node(*test), ());
            }
        }
        let mut of_group = vec![Vec::new(); tests.group_count()];
        for test in tests.ids() {
            if let Some(group) = tests.group(test) {
                of_group[group.index()].push(test);
            }
        }
        let whole = |group: &Vec<TestId>| {
            let failed_set_up = |test: &TestId| {
                cases[test.index()].last_failure() == Some(Outcome::SetUpFailed)
                    && cases[test.index()].counts().1 == 0
            };
            let name = group.first().and_then(|test| tests.group(*test));
            let listed = name.is_some_and(|group| {
                demands.whole.iter().any(|class| class == tests.group_name(group))
            });
            listed || group.iter().any(failed_set_up)
        };
        for unit in &demands.units {
            match changed(unit, cases) {
                Changed::No => {}
                Changed::Some => ring(&mut graph, unit),
                Changed::All => {
                    let group = unit.first().and_then(|test| tests.group(*test));
                    ring(&mut graph, group.map_or(unit, |group| &of_group[group.index()]));
                }
            }
        }
        for group in of_group.iter().filter(|group| whole(group)) {
            ring(&mut graph, group);
        }
        Self { graph }
    }

    pub(super) fn of(&self, test: TestId) -> Vec<TestId> {
        let mut search = Dfs::new(&self.graph, NodeIndex::new(test.index()));
        let mut found = Vec::new();
        while let Some(node) = search.next(&self.graph) {
            found.push(TestId(node.index() as u32));
        }
        found
    }
}
