//! Which ids a runner selects as one: invocations of one method, sub-tests and their parent.
//!
//! Decides from how the readers beside it write ids, and from nothing else: `class#method` with the
//! types and the invocation behind it for JUnit, the parent's id and a slash for Go. Never renames
//! or splits a test.

/// True where whoever runs the test `first` of a group runs `second` too, because a runner cannot
/// tell them apart or because one contains the other. `first` stands before `second` in the order
/// of ids, and is where such a family of ids begins.
pub(crate) fn runs_with(group: &str, first: &str, second: &str) -> bool {
    let (a, b) = (first.as_bytes(), second.as_bytes());
    if b.get(a.len()) == Some(&b'/') && b.starts_with(a) {
        return true;
    }
    let start = group.len() + 1;
    let Some(marker) = b.get(start..).and_then(|name| name.iter().position(|at| opens(*at))) else {
        return false;
    };
    // Up to here the ids must be the same, and here the name of the method must end in both.
    let end = start + marker;
    marker > 0
        && a.len() >= end
        && a[..end] == b[..end]
        && a.get(end).is_none_or(|at| opens(*at))
        && b[group.len()] == b'#'
        && second.starts_with(group)
}

/// What ends the name of a method.
fn opens(at: u8) -> bool {
    matches!(at, b'(' | b'[' | b'{')
}

#[cfg(test)]
mod tests {
    use super::runs_with;

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
}
