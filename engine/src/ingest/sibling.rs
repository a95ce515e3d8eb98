//! Which ids a runner selects as one: invocations of one method, sub-tests and their parent.
//!
//! Decides from how the readers beside it write ids, and from nothing else: `class#method` with the
//! types and the invocation behind it for JUnit, the parent's id and a slash for Go. Never renames
//! or splits a test.

use std::collections::BTreeMap;

use crate::test_id::{GroupId, TestId, TestTable};

/// True where whoever runs the test `first` of a group runs `second` too, because a runner cannot
/// tell them apart or because one contains the other. `first` stands before `second` in the order
/// of ids, and is where such a family of ids begins.
pub(crate) fn runs_with(group: &str, first: &str, second: &str) -> bool {
    if contains(first, second) {
        return true;
    }
    let Some(end) = method_end(group, second) else { return false };
    // Up to here the ids must be the same, and here the name of the method must end in both.
    let (a, b) = (first.as_bytes(), second.as_bytes());
    a.len() >= end && a[..end] == b[..end] && a.get(end).is_none_or(|at| opens(*at))
}

/// The tests of each method that has several, in the order of their ids: its invocations, its
/// overloads, its sub-tests. What one of them is called may depend on what the others are, so none
/// can be asked for by name once some of the names have changed. Wider than [`runs_with`]: pytest
/// selects `test[1]` alone, yet the number means another case once the list of parameters changed.
pub(crate) fn units(tests: &TestTable) -> Vec<Vec<TestId>> {
    let mut units: BTreeMap<(Option<GroupId>, &str), Vec<TestId>> = BTreeMap::new();
    for test in tests.ids() {
        let group = tests.group(test);
        units.entry((group, method(tests, group, tests.name(test)))).or_default().push(test);
    }
    let mut units: Vec<Vec<TestId>> = units.into_values().filter(|unit| unit.len() > 1).collect();
    units.sort();
    units
}

/// The part of an id that all tests of its method share.
fn method<'a>(tests: &TestTable, group: Option<GroupId>, name: &'a str) -> &'a str {
    let holds = |end: &usize| tests.find(&name[..*end]).is_some_and(|it| tests.group(it) == group);
    let outer = name.match_indices('/').map(|(at, _)| at).find(holds);
    let name = outer.map_or(name, |end| &name[..end]);
    let group = group.map_or("", |group| tests.group_name(group));
    if let Some(end) = method_end(group, name) {
        return &name[..end];
    }
    let plain = !name.strip_prefix(group).is_some_and(|rest| rest.starts_with('#'));
    let bracket = name.find('[').filter(|at| plain && *at > 0);
    bracket.map_or(name, |at| name[..at].trim_end())
}

/// Where the name of the method ends in an id that reads `group#method` and goes on after it.
fn method_end(group: &str, name: &str) -> Option<usize> {
    let rest = name.strip_prefix(group)?.strip_prefix('#')?;
    let end = rest.bytes().position(opens).filter(|end| *end > 0)?;
    Some(name.len() - rest.len() + end)
}

/// True where the second is a sub-test of the first.
fn contains(first: &str, second: &str) -> bool {
    second.strip_prefix(first).is_some_and(|rest| rest.starts_with('/'))
}

/// What ends the name of a method.
fn opens(at: u8) -> bool {
    matches!(at, b'(' | b'[' | b'{')
}

#[cfg(test)]
mod tests {
    use super::{runs_with, units};
    use crate::test_id::TestTable;

    #[test]
    fn invocations_of_a_method_and_sub_tests_belong_together() {
        let java = "com.x.ATest";
        for (first, second) in [
            ("com.x.ATest#adds(int)[1]", "com.x.ATest#adds(int)[2]"),
            ("com.x.ATest#adds", "com.x.ATest#adds[1]"),
            ("com.x.ATest#adds{int}[1]", "com.x.ATest#adds{int}[10]"),
            ("com.x.ATest#adds()", "com.x.ATest#adds(int)"),
        ] {
            assert!(runs_with(java, first, second), "{first} {second}");
        }
        assert!(runs_with("x.org/p", "x.org/p#TestX", "x.org/p#TestX/a/b"));
    }

    #[test]
    fn other_tests_do_not() {
        let java = "com.x.ATest";
        for (first, second) in [
            ("com.x.ATest#adds", "com.x.ATest#addsMore(int)"),
            ("com.x.ATest#add(int)", "com.x.ATest#adds(int)"),
            ("com.x.ATest#[1] 5", "com.x.ATest#[2] 6"),
            ("com.x.ATest#adds", "com.x.ATest#adds2"),
        ] {
            assert!(!runs_with(java, first, second), "{first} {second}");
        }
        // pytest selects each invocation by its node id.
        assert!(!runs_with("t/test_a.py", "t/test_a.py::test[1]", "t/test_a.py::test[2]"));
        assert!(!runs_with("x.org/p", "x.org/p#TestX", "x.org/p#TestX2"));
        assert!(!runs_with("", "", ""));
    }

    fn units_of(rows: &[(&str, &str)]) -> Vec<Vec<String>> {
        let mut tests = TestTable::new();
        for (group, name) in rows {
            tests.intern(name, Some(group).filter(|group| !group.is_empty()).copied());
        }
        let (tests, _) = tests.sorted();
        let named = |unit: Vec<_>| unit.iter().map(|test| tests.name(*test).to_owned()).collect();
        units(&tests).into_iter().map(named).collect()
    }

    #[test]
    fn what_is_asked_for_by_number_or_by_its_parent_is_one_unit() {
        // `m2` stands between the invocations of `m` in the order of ids.
        let java = ["A#m", "A#m(int)[1]", "A#m2", "A#m[2]", "A#other", "B#m[1]"];
        let rows = java.map(|name| (name.split('#').next().unwrap_or_default(), name));
        assert_eq!(units_of(&rows), [["A#m", "A#m(int)[1]", "A#m[2]"]]);
        let go = ["p#TestX", "p#TestX/a", "p#TestX/a/b", "p#TestXY", "p#TestZ/q"];
        assert_eq!(units_of(&go.map(|it| ("p", it))), [["p#TestX", "p#TestX/a", "p#TestX/a/b"]]);
        let py = ["t.py::test[1]", "t.py::test[2]", "t.py::tests[1]", "t.py::plain"];
        assert_eq!(units_of(&py.map(|it| ("t.py", it))), [["t.py::test[1]", "t.py::test[2]"]]);
        assert_eq!(units_of(&[("", "x[1]"), ("", "x [2]"), ("", "[3]")]), [["x [2]", "x[1]"]]);
        // A parameter with a slash is no sub-test, and a name without a method no unit.
        assert_eq!(units_of(&[("A", "A#m[1] a/b"), ("A", "A#n[1] a/c")]).len(), 0);
        assert_eq!(units_of(&[("A", "A#[1] 5"), ("A", "A#[2] 6")]).len(), 0);
    }
}
