use rasher::plan::Terms;
use rasher::plan::document::{BoundBy, BoundKind, BudgetDocument, GroupSpan, PLAN_SCHEMA};
use rasher::units::Micros;

use super::*;

/// A group, whether it is whole, and its tests here.
type Part<'a> = (&'a str, bool, &'a [&'a str]);

fn plan(shards: &[&[Part<'_>]]) -> PlanDocument {
    let shard = |(at, groups): (usize, &&[Part<'_>])| ShardDocument {
        index: at as u32 + 1,
        pool: None,
        predicted_ms: Micros::ZERO,
        setup_ms: Micros::ZERO,
        tests: groups.iter().flat_map(|it| it.2.iter().map(|test| (*test).to_owned())).collect(),
        groups: groups
            .iter()
            .map(|(group, whole, tests)| GroupSpan {
                group: (*group).to_owned(),
                tests: tests.len(),
                whole: *whole,
            })
            .collect(),
        fixed_tests: None,
        lanes: Vec::new(),
    };
    PlanDocument {
        schema: PLAN_SCHEMA.to_owned(),
        id: "id".to_owned(),
        run: None,
        created: jiff::Timestamp::UNIX_EPOCH,
        environment: "default".to_owned(),
        tests: 0,
        shards: shards.iter().enumerate().map(shard).collect(),
        makespan_ms: Micros::ZERO,
        lower_bound_ms: Micros::ZERO,
        gap: 0.0,
        bound_by: BoundBy { kind: BoundKind::Work, name: String::new() },
        useful_workers_max: None,
        reasons: None,
        sources: Default::default(),
        budget: BudgetDocument::default(),
        moved: None,
        new_tests: 0,
        vanished_tests: 0,
        terms: Terms::default(),
        notes: Vec::new(),
        retry_of: None,
        mode: None,
        settled: None,
    }
}

fn written(plan: &PlanDocument, shard: usize, format: Format) -> Written {
    write(Selection { plan, shard: &plan.shards[shard] }, format).expect("a format that can")
}

fn text(plan: &PlanDocument, shard: usize, format: Format) -> String {
    written(plan, shard, format).text
}

#[test]
fn an_empty_shard_never_means_all() {
    let plan = plan(&[&[]]);
    for (format, wanted) in [
        (Format::Lines, ""),
        (Format::Classes, ""),
        (Format::Surefire, "rasher/empty/NoTestsOnThisShard.java\n"),
        (Format::Gradle, "rasher.empty.NoTestsOnThisShard\n"),
        (Format::Pytest, "--version\n--version\n"),
        (Format::Nextest, "none()\n"),
        (Format::Go, "^$\n"),
    ] {
        assert_eq!(text(&plan, 0, format), wanted, "{format:?}");
    }
}

#[test]
fn a_name_with_a_line_end_is_refused_where_lines_count_and_kept_in_json() {
    let plan = plan(&[&[("f", true, &["a\nb"])]]);
    for format in [Format::Lines, Format::Pytest] {
        assert!(write(Selection { plan: &plan, shard: &plan.shards[0] }, format).is_err());
    }
    let json: serde_json::Value =
        serde_json::from_str(&text(&plan, 0, Format::Json)).expect("json");
    assert_eq!(json["tests"][0], "a\nb");
}

#[test]
fn surefire_and_gradle_name_whole_classes_and_methods_of_split_ones() {
    let whole: Part<'_> = ("com.x.ATest", true, &["com.x.ATest#a", "com.x.ATest#b"]);
    let split: Part<'_> = (
        "com.x.BTest",
        false,
        &["com.x.BTest#c", "com.x.BTest#d(int)[1]", "com.x.BTest#d(int)[2]"],
    );
    let plan = plan(&[&[whole, split], &[("com.x.BTest", false, &["com.x.BTest#e"])]]);
    assert_eq!(
        text(&plan, 0, Format::Surefire),
        "com/x/ATest.java\ncom/x/BTest.java#c\ncom/x/BTest.java#d\n"
    );
    assert_eq!(text(&plan, 0, Format::Gradle), "com.x.ATest\ncom.x.BTest.c\ncom.x.BTest.d\n");
    assert_eq!(written(&plan, 0, Format::Gradle).notices.len(), 1, "invocations are widened");
    assert_eq!(written(&plan, 1, Format::Gradle).notices.len(), 0);
}

/// As tried with Surefire 3.2.5 and Gradle 8.11: a class brings its nested ones. Surefire does not
/// find a nested one alone.
#[test]
fn nested_classes_come_with_their_outermost_class_unless_that_is_torn() {
    let outer: Part<'_> = ("x.Outer", true, &["x.Outer#b"]);
    let inner: Part<'_> = ("x.Outer$In", true, &["x.Outer$In#a(int)[1]", "x.Outer$In#a(int)[2]"]);
    let other: Part<'_> = ("x.Outer$In$Deep", true, &["x.Outer$In$Deep#c"]);
    let together = plan(&[&[inner, outer, other], &[]]);
    assert_eq!(text(&together, 0, Format::Surefire), "x/Outer.java\n");
    let torn = plan(&[&[inner, outer], &[other]]);
    let first = written(&torn, 0, Format::Surefire);
    let anchor = "x/Outer.java#noTestsOfItsOwnOnThisShard\n";
    assert_eq!(first.text, format!("{anchor}x/Outer$In.java#a\nx/Outer.java#b\n"));
    assert_eq!(first.notices.len(), 0, "all invocations are here");
    let second = format!("{anchor}x/Outer$In$Deep.java#c\n");
    assert_eq!(text(&torn, 1, Format::Surefire), second);
    assert_eq!(text(&together, 0, Format::Gradle), "x.Outer\n");
    assert_eq!(text(&torn, 0, Format::Gradle), "x.Outer$In.a\nx.Outer.b\n");
}

#[test]
fn names_that_are_no_methods_widen_to_the_class() {
    let plan = plan(&[
        &[("x.Spec", false, &["x.Spec#adds two numbers"])],
        &[("x.Spec", false, &["x.Spec#b"])],
    ]);
    let it = written(&plan, 0, Format::Surefire);
    assert_eq!((it.text.as_str(), it.notices.len()), ("x/Spec.java\n", 1));
}

#[test]
fn nextest_names_binaries_and_escapes() {
    let plan = plan(&[
        &[
            ("app::it", true, &["app::it#a", "app::it#b"]),
            ("app", false, &["app#m::t", "app#odd (a/b), c\\d"]),
        ],
        &[("app", false, &["app#m::u"])],
    ]);
    assert_eq!(
        text(&plan, 0, Format::Nextest),
        "binary_id(=app::it) + (binary_id(=app) & (test(=m::t) + \
         test(=odd\\u{20}(a\\/b\\)\\,\\u{20}c\\\\d)))\n"
    );
}

#[test]
fn go_patterns_are_anchored_escaped_and_split_by_level() {
    let plan = plan(&[
        &[
            ("m/a", true, &["m/a#TestA", "m/a#TestB", "m/a#TestB/x", "m/a#Test.C"]),
            ("m/b", false, &["m/b#TestD", "m/b#TestD/one"]),
            ("m/c", false, &["m/c#TestE"]),
        ],
        &[
            ("m/b", false, &["m/b#TestD/two"]),
            ("m/c", false, &["m/c#TestE/s(1)", "m/c#TestE/s(2)"]),
        ],
    ]);
    assert_eq!(
        text(&plan, 0, Format::Go),
        "^(TestA|TestB|Test\\.C)$ m/a\n^TestD$/^one$ m/b\n^TestE$/^$ m/c\n"
    );
    assert_eq!(
        text(&plan, 1, Format::Go),
        "^TestD$/^two$ m/b\n^TestE$/^(s\\(1\\)|s\\(2\\))$ m/c\n"
    );
}

#[test]
fn pytest_arguments_are_never_options() {
    let plan = plan(&[&[("f", true, &["-odd.py::test_a", "t.py::test b[x, \"y\"]"])]]);
    assert_eq!(text(&plan, 0, Format::Pytest), "./-odd.py::test_a\nt.py::test b[x, \"y\"]\n");
}
