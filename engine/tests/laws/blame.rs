//! Who left a test out.

use proptest::prelude::*;
use rasher::report::blame::Blame;

const JAVA: &str = "\
package a;
import x.Disabled;

@Tag(\"slow\")
class ATest {
    @Disabled(\"later; or { never }\")
    // until the service is back
    @Test
    void adds() { halves(); }

    @Test
    void halves() {
        check(adds());
    }

    @Disabled
    class Inner {
        @Test void doubles() {}
    }
}
";

fn who(lines: &str, names: &[&str]) -> Option<String> {
    let (blame, problems) = Blame::parse(lines);
    assert!(problems.is_empty(), "{problems:?}");
    blame.of("a/ATest.java", JAVA, names).map(str::to_owned)
}

#[test]
fn a_line_speaks_for_the_declaration_that_follows_it_and_for_no_other() {
    let lines = "a/ATest.java,6,ann\na/ATest.java,16,bob\n";
    assert_eq!(who(lines, &["adds", "ATest"]).as_deref(), Some("ann"));
    assert_eq!(who(lines, &["halves", "ATest"]), None, "the call in `adds` declares nothing");
    assert_eq!(who(lines, &["doubles", "Inner", "ATest"]).as_deref(), Some("bob"));
    assert_eq!(who("a/ATest.java,4,eve\n", &["halves", "ATest"]).as_deref(), Some("eve"));
    assert_eq!(who("b/ATest.java,6,ann\n", &["adds", "ATest"]), None, "another file");
}

#[test]
fn tests_of_other_languages_are_found_by_their_line() {
    let of = |path: &str, source: &str, line: usize, name: &str| {
        let (blame, _) = Blame::parse(&format!("{path},{line},ann\n"));
        blame.of(path, source, &[name]).is_some()
    };
    let python = "@pytest.mark.skip(reason=\"x\")\ndef test_adds():\n    pass\n\ndef test_halves():\n    pass\n";
    assert!(of("t.py", python, 1, "test_adds"));
    let script = "describe('sums', () => {\n  it.skip('adds up', () => {});\n});\n";
    assert!(of("t.js", script, 2, "adds up"));
    let kotlin = "class A {\n  @Disabled\n  fun `adds up`() {}\n}\n";
    assert!(of("A.kt", kotlin, 2, "adds up"));
}

#[test]
fn the_file_is_that_of_the_class_in_its_module() {
    let lines = "core/src/a/ATest.java,1,ann\nweb/src/a/ATest.java,1,bob\n";
    let (blame, _) = Blame::parse(lines);
    assert_eq!(blame.file_of("a.ATest#x", Some("a.ATest")), Some("core/src/a/ATest.java"));
    let inner = blame.file_of("web:a.ATest$In#x", Some("web:a.ATest$In"));
    assert_eq!(inner, Some("web/src/a/ATest.java"));
    assert_eq!(blame.file_of("b.ATest#x", Some("b.ATest")), None);
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: Some(Box::new(
            proptest::test_runner::FileFailurePersistence::SourceParallel("../../proptest-regressions"),
        )),
        ..ProptestConfig::default()
    })]

    #[test]
    fn no_line_is_lost_without_a_word(rows in prop::collection::vec("[a,1 #é]{0,8}", 0..12)) {
        let text = rows.join("\n");
        let (blame, problems) = Blame::parse(&text);
        let said = rows.iter().filter(|row| !row.trim().is_empty() && !row.starts_with('#')).count();
        prop_assert!(problems.len() <= said);
        prop_assert_eq!(blame.is_empty(), problems.len() == said);
        let _ = blame.of("a", &text, &["a", "é", ""]);
    }
}
