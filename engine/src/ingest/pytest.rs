//! pytest's XML back to node ids, so that it meets `.test_durations`.
//!
//! Decides where the path of the file ends and the classes begin. The `file` attribute says it
//! exactly; without one a part of the class name that begins with a capital is a class, as pytest
//! itself collects them.

/// The file and the node id of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Node {
    pub(super) file: String,
    pub(super) id: String,
}

/// The node of `classname` and `name`; for a file that could not be collected the id is the file.
pub(super) fn node(file: Option<&str>, classname: &str, name: &str) -> Node {
    if classname.is_empty() {
        let file = file.map_or_else(|| path(&[name]), slashes);
        return Node { id: file.clone(), file };
    }
    let parts: Vec<&str> = classname.split('.').collect();
    let (file, classes) = match file.filter(|file| !file.is_empty()) {
        Some(file) => {
            let file = slashes(file);
            let at = classes_after(&file, &parts);
            (file, at)
        }
        None => {
            let at = first_class(&parts);
            (path(&parts[..at]), at)
        }
    };
    let mut id = file.clone();
    for part in parts[classes..].iter().chain([&name]) {
        id.push_str("::");
        id.push_str(part);
    }
    Node { file, id }
}

fn slashes(file: &str) -> String {
    file.replace('\\', "/")
}

fn path(parts: &[&str]) -> String {
    parts.join(".").replace('.', "/") + ".py"
}

/// Where the classes begin, given the file: after its parts where the class name begins with them.
fn classes_after(file: &str, parts: &[&str]) -> usize {
    let stem = file.strip_suffix(".py").unwrap_or(file);
    let of_file: Vec<&str> = stem.split('/').filter(|part| !matches!(*part, "" | ".")).collect();
    let longest = of_file.len().min(parts.len());
    (1..=longest)
        .rev()
        .find(|len| of_file[of_file.len() - len..] == parts[..*len])
        .unwrap_or_else(|| first_class(parts))
}

/// Where the classes begin by their capitals; at least one part is the file.
fn first_class(parts: &[&str]) -> usize {
    let capital = |part: &&str| part.chars().next().is_some_and(char::is_uppercase);
    let classes = parts.iter().rev().take_while(|part| capital(part)).count();
    (parts.len() - classes).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_become_the_node_ids_that_pytest_prints() {
        for (file, classname, name, id) in [
            (None, "tests.test_x.TestC", "test_a", "tests/test_x.py::TestC::test_a"),
            (None, "tests.test_x", "test_a[1::2]", "tests/test_x.py::test_a[1::2]"),
            (None, "test_x.TestC.TestD", "t", "test_x.py::TestC::TestD::t"),
            (None, "TestC", "t", "TestC.py::t"),
            (Some("tests/test_x.py"), "tests.test_x.low", "t", "tests/test_x.py::low::t"),
            (Some("a\\test_x.py"), "a.test_x", "t", "a/test_x.py::t"),
            (Some("./pkg/tests/test_x.py"), "tests.test_x.C", "t", "./pkg/tests/test_x.py::C::t"),
            (Some("other.py"), "tests.test_x.C", "t", "other.py::C::t"),
        ] {
            assert_eq!(node(file, classname, name).id, id);
        }
    }

    #[test]
    fn a_file_that_was_not_collected_is_its_own_node() {
        let node = node(None, "", "tests.test_broken");
        assert_eq!(
            (node.file.as_str(), node.id.as_str()),
            ("tests/test_broken.py", "tests/test_broken.py")
        );
    }
}
