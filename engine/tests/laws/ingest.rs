use std::fmt::Write;

use proptest::prelude::*;
use rasher::attempt::{Outcome, Recording};
use rasher::ingest::{Dialect, FileReport, Limits, ProblemKind, Reader};
use rasher::units::Micros;

fn read(bytes: &[u8]) -> (FileReport, Recording) {
    let mut reader = Reader::new(Limits::default());
    let report = reader.read(bytes, None);
    (report, reader.finish())
}

/// One row as it is written and as it should be read.
#[derive(Clone, Debug)]
struct Row {
    class: String,
    name: String,
    millis: u32,
    outcome: Outcome,
}

fn rows() -> impl Strategy<Value = Vec<Row>> {
    let outcome = prop::sample::select(vec![
        Outcome::Passed,
        Outcome::Failed,
        Outcome::Errored,
        Outcome::Skipped,
    ]);
    let name = prop_oneof!["[ab]", "[ -~äöü💥]{1,12}"];
    let row =
        ("[A-C]", name, 1..100_000_u32, outcome).prop_map(|(class, name, millis, outcome)| Row {
            class: format!("demo.{class}Test"),
            name: format!("t{name}."),
            millis,
            outcome,
        });
    prop::collection::vec(row, 0..30)
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;").replace('>', "&#62;")
}

fn case(row: &Row) -> String {
    let time = format!("{}.{:03}", row.millis / 1_000, row.millis % 1_000);
    let child = match row.outcome {
        Outcome::Failed => "<failure message='no' type='E'>trace</failure>",
        Outcome::Errored => "<error message='no' type='E'/>",
        Outcome::Skipped => "<skipped message='on purpose'/>",
        _ => "",
    };
    let (class, name) = (escaped(&row.class), escaped(&row.name));
    format!("<testcase classname=\"{class}\" name=\"{name}\" time=\"{time}\">{child}</testcase>\n")
}

fn document(rows: &[Row]) -> String {
    let cases: String = rows.iter().map(case).collect();
    format!("<testsuites>\n<testsuite name=\"all\">\n{cases}</testsuite>\n</testsuites>\n")
}

fn as_read(recording: &Recording) -> Vec<(String, u64, Outcome)> {
    let tests = &recording.tests;
    let read = recording.attempts.iter().map(|attempt| {
        let time = attempt.duration.map_or(0, Micros::get);
        (tests.name(attempt.test).to_owned(), time, attempt.outcome)
    });
    read.collect()
}

/// A skip beside a result of the same test is a retry: here all skips give a reason, and count as
/// one only just before the result.
fn as_written(rows: &[Row]) -> Vec<(String, u64, Outcome)> {
    let id = |row: &Row| format!("{}#{}", row.class, row.name);
    let mut written: Vec<(String, u64, Outcome)> =
        rows.iter().map(|row| (id(row), u64::from(row.millis) * 1_000, row.outcome)).collect();
    for at in (0..written.len()).rev() {
        let next = written.get(at + 1).cloned();
        let retried =
            next.is_some_and(|(name, _, outcome)| name == written[at].0 && (outcome.is_result()));
        if written[at].2 == Outcome::Skipped && retried {
            written[at].2 = Outcome::Failed;
        }
    }
    written
}

/// The shape of a report with anything in its places.
fn nearly_a_report() -> impl Strategy<Value = Vec<u8>> {
    let pieces = prop::sample::select(vec![
        "<testsuites>",
        "</testsuites>",
        "<testsuite name='a' time='1'>",
        "<testsuite name=\"pytest\">",
        "</testsuite>",
        "<testcase classname='a.B' name='c' time='1'>",
        "<testcase name='d'/>",
        "</testcase>",
        "<failure message='m'>",
        "</failure>",
        "<skipped/>",
        "<flakyFailure>",
        "<error/>",
        "</flakyFailure>",
        "<rerunError/>",
        "<![CDATA[",
        "]]>",
        "<!--",
        "-->",
        "&amp;",
        "&x;",
        "&#0;",
        "&#xD800;",
        "<?xml version='1.0'?>",
        "<!DOCTYPE a [",
        "]>",
        " time='",
        "'",
        "\"",
        "<",
        ">",
        "=",
        "{",
        "}",
        "[",
        "]",
        "\"a::b\": 1",
        ",",
        ":",
        "1e9",
        "NaN",
        "spec/a_spec.rb:1.5\n",
        "\n",
        "é",
        "\u{feff}",
        "\0",
        "<system-out>unique-id: [a]",
        "</system-out>",
        "-1",
        "1,5",
        "timestamp='2026-01-01T00:00:00Z'",
    ]);
    prop::collection::vec(pieces, 0..60).prop_map(|pieces| pieces.concat().into_bytes())
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: Some(Box::new(
            proptest::test_runner::FileFailurePersistence::SourceParallel("../../proptest-regressions"),
        )),
        ..ProptestConfig::default()
    })]

    #[test]
    fn what_a_report_says_is_what_is_read(rows in rows()) {
        let (report, recording) = read(document(&rows).as_bytes());
        prop_assert_eq!(report.problems, []);
        prop_assert_eq!(as_read(&recording), as_written(&rows));
        for (attempt, row) in recording.attempts.iter().zip(&rows) {
            let group = recording.tests.group(attempt.test).map(|g| recording.tests.group_name(g));
            prop_assert_eq!(group, Some(row.class.as_str()));
        }
    }

    #[test]
    fn attempts_of_one_test_count_up_from_zero(rows in rows()) {
        let (_, recording) = read(document(&rows).as_bytes());
        for test in recording.tests.ids() {
            let of_test = recording.attempts.iter().filter(|attempt| attempt.test == test);
            let mut ordinals: Vec<u16> = of_test.map(|attempt| attempt.ordinal).collect();
            ordinals.sort_unstable();
            let counted: Vec<u16> = (0..ordinals.len() as u16).collect();
            prop_assert_eq!(ordinals, counted);
        }
    }

    #[test]
    fn a_cut_keeps_the_rows_before_it_and_says_so(rows in rows(), share in 0.0..1.0_f64) {
        let whole = document(&rows);
        let whole = whole.trim_end();
        let mut at = (whole.len() as f64 * share) as usize;
        while !whole.is_char_boundary(at) {
            at -= 1;
        }
        let (report, recording) = read(&whole.as_bytes()[..at]);
        let complete = whole[..at].matches("</testcase>").count();
        prop_assert_eq!(recording.attempts.len(), complete);
        let kinds = [ProblemKind::Cut, ProblemKind::Refused];
        let said = report.problems.iter().any(|problem| kinds.contains(&problem.kind));
        prop_assert!(said, "{:?}", report.problems);
    }

    #[test]
    fn a_bad_file_between_good_ones_costs_only_itself(rows in rows(), bad in any::<Vec<u8>>()) {
        let good = document(&rows);
        let mut alone = Reader::new(Limits::default());
        alone.read(good.as_bytes(), None);
        let mut among = Reader::new(Limits::default());
        among.read(&bad, Some("bad"));
        among.read(good.as_bytes(), None);
        let (alone, among) = (as_read(&alone.finish()), as_read(&among.finish()));
        prop_assert_eq!(&among[among.len() - alone.len()..], &alone[..]);
    }

    #[test]
    fn no_bytes_panic(bytes in any::<Vec<u8>>()) {
        let (report, recording) = read(&bytes);
        prop_assert_eq!(report.attempts, recording.attempts.len());
        prop_assert_eq!(report.is_refused(), report.problems.iter().any(|problem| problem.kind == ProblemKind::Refused));
    }

    #[test]
    fn nothing_that_is_nearly_a_report_panics(bytes in nearly_a_report()) {
        let (report, recording) = read(&bytes);
        prop_assert_eq!(report.attempts, recording.attempts.len());
        for attempt in &recording.attempts {
            prop_assert!(!recording.tests.name(attempt.test).is_empty());
        }
    }

    #[test]
    fn the_same_bytes_twice_are_one_report(rows in rows()) {
        let text = document(&rows);
        let mut reader = Reader::new(Limits::default());
        let first = reader.read(text.as_bytes(), None);
        let second = reader.read(text.as_bytes(), None);
        prop_assert_eq!(second.attempts, 0);
        prop_assert_eq!(second.problems.last().map(|problem| problem.kind), Some(ProblemKind::Repeated));
        prop_assert_eq!(reader.finish().attempts.len(), first.attempts);
    }

    #[test]
    fn a_module_stands_in_front_only_of_names_that_collide(one in rows(), other in rows()) {
        let mut reader = Reader::new(Limits::default());
        reader.read(document(&one).as_bytes(), Some("one"));
        reader.read(document(&other).as_bytes(), Some("other"));
        let recording = reader.finish();
        let (one, other) = (as_written(&one), as_written(&other));
        let in_one = |id: &str| one.iter().any(|row| row.0 == id);
        let in_other = |id: &str| other.iter().any(|row| row.0 == id);
        let spelled = |module: &str, id: &str| match in_one(id) && in_other(id) {
            true => format!("{module}:{id}"),
            false => id.to_owned(),
        };
        let expected: Vec<String> = (one.iter().map(|row| spelled("one", &row.0)))
            .chain(other.iter().map(|row| spelled("other", &row.0)))
            .collect();
        let read: Vec<String> = as_read(&recording).into_iter().map(|row| row.0).collect();
        prop_assert_eq!(read, expected);
    }

    #[test]
    fn every_time_in_a_timing_file_comes_back(millis in prop::collection::vec(1..10_000_000_u32, 1..40)) {
        let seconds = |at: &u32| f64::from(*at) / 1e3;
        let json: Vec<String> = millis.iter().enumerate()
            .map(|(at, time)| format!("\"a_test.py::t{at}\": {}", seconds(time))).collect();
        let json = format!("{{{}}}", json.join(", "));
        let lines: String = millis.iter().enumerate().fold(String::new(), |mut lines, (at, time)| {
            writeln!(lines, "spec/{at}_spec.rb:{}", seconds(time)).expect("a string");
            lines
        });
        let whole: Vec<String> =
            millis.iter().enumerate().map(|(at, time)| format!("\"/{at}.test.js\":{time}")).collect();
        let balance = format!("{{{}}}", whole.join(","));
        let wanted: Vec<u64> = millis.iter().map(|time| u64::from(*time) * 1_000).collect();
        for (text, dialect) in [
            (json, Dialect::TestDurations),
            (lines, Dialect::ParallelTests),
            (balance, Dialect::JestBalance),
        ] {
            let (report, recording) = read(text.as_bytes());
            prop_assert_eq!(report.dialect, Some(dialect));
            let read: Vec<u64> = as_read(&recording).iter().map(|row| row.1).collect();
            prop_assert_eq!(&read, &wanted);
        }
    }
}

#[test]
fn one_bad_row_costs_that_row() {
    let suite = |inner: &str| format!("<testsuite name='a.B'>{inner}</testsuite>");
    let good = "<testcase classname='a.B' name='c' time='1'/>";
    for bad in [
        "<testcase classname='' name='' time='1'><testcase name='inner'/></testcase>",
        "<testcase classname=a.B name='unquoted' time='1'/>",
        &format!("<testcase classname='{}' name='c' time='1'/>", "x".repeat(70_000)),
    ] {
        let text = suite(&format!("{good}{bad}<testcase classname='a.B' name='d' time='1'/>"));
        let (report, recording) = read(text.as_bytes());
        let names: Vec<String> = as_read(&recording).into_iter().map(|row| row.0).collect();
        assert!(names.contains(&"a.B#c".to_owned()) && names.contains(&"a.B#d".to_owned()));
        assert!(
            report.problems.iter().any(|problem| problem.kind == ProblemKind::Row),
            "{report:?}"
        );
    }
}

#[test]
fn what_is_no_report_is_refused_with_a_reason() {
    let cases: [(&[u8], &str); 12] = [
        (b"", "empty"),
        (b"   \n", "empty"),
        (b"\x7fELF\x02\x01\x01\0\0\0", "binary"),
        (b"\x1f\x8b\x08\0", "gzip"),
        (b"<!DOCTYPE html><html><body><testsuite/></body></html>", "HTML"),
        (b"<project><testsuite/></project>", "`project`"),
        (b"{\"a\": {\"b\": 1}}", "an object"),
        (b"{\"Time\":\"2026\",\"Action\":\"run\"}", "gotestsum"),
        (b"{}", "empty"),
        (b"[1, 2, 3]", "pair"),
        (b"{\"version\": 1}", "names no test"),
        (b"all tests passed\n", "begins `all tests passed`"),
    ];
    for (bytes, word) in cases {
        let (report, recording) = read(bytes);
        assert!(report.is_refused(), "{word}");
        assert!(recording.attempts.is_empty());
        assert!(report.problems[0].what.contains(word), "{word}: {:?}", report.problems);
    }
}

#[test]
fn limits_bound_what_is_kept() {
    let mut limits = Limits::default();
    limits.rows = 3;
    limits.depth = 4;
    limits.file_bytes = 4_000;
    let mut reader = Reader::new(limits);
    let many =
        format!("<testsuite name='a'>{}</testsuite>", "<testcase name='b' time='1'/>".repeat(9));
    let report = reader.read(many.as_bytes(), None);
    assert_eq!((report.attempts, report.problems[0].kind), (3, ProblemKind::Limit));
    let deep = format!(
        "{}<testcase name='deep' time='1'/>{}",
        "<testsuite>".repeat(9),
        "</testsuite>".repeat(9)
    );
    let report = reader.read(deep.as_bytes(), None);
    assert_eq!((report.attempts, report.problems[0].kind), (0, ProblemKind::Limit));
    assert!(reader.read(&[b' '; 4_001], None).is_refused());
}

#[test]
fn a_test_seen_too_often_is_reported_and_never_counted_twice() {
    let text = format!(
        "<testsuite name='a'>{}</testsuite>",
        "<testcase name='b' time='1'/>".repeat(70_000)
    );
    let (report, recording) = read(text.as_bytes());
    assert_eq!(recording.attempts.len(), usize::from(u16::MAX));
    assert!(report.problems.iter().any(|problem| problem.what.starts_with("4465 attempts")));
}

/// A hostile document made of `size` pieces.
type Hostile = (&'static str, fn(usize) -> String);

const HOSTILE: [Hostile; 10] = [
    ("attributes", |size| {
        let attributes: String = (0..size).fold(String::new(), |mut text, at| {
            write!(text, " a{at}='x'").expect("a string");
            text
        });
        format!("<testsuite name='a'><testcase name='b' time='1'{attributes}/></testsuite>")
    }),
    ("depth", |size| {
        format!("<testsuite>{}{}</testsuite>", "<a>".repeat(size), "</a>".repeat(size))
    }),
    ("suites in suites", |size| "<testsuite name='a'>".repeat(size)),
    ("entities", |size| {
        let uses = "&l9;".repeat(size);
        format!(
            "<!DOCTYPE t [<!ENTITY l0 'lol'><!ENTITY l9 '&l0;&l0;'>]><testsuite name='{uses}'>\
                 <testcase name='b' time='1'><failure>{uses}</failure></testcase></testsuite>"
        )
    }),
    ("declarations", |size| format!("{}<testsuite/>", "<!ELEMENT a>".repeat(size))),
    ("a long suite name over short rows", |size| {
        format!(
            "<testsuite name='{}'>{}</testsuite>",
            "n".repeat(60_000),
            "<testcase name='b'/>".repeat(size)
        )
    }),
    ("failures in one case", |size| {
        format!(
            "<testsuite name='a'><testcase name='b' time='1'>{}</testcase></testsuite>",
            "<error/>".repeat(size)
        )
    }),
    ("text", |size| {
        format!(
            "<testsuite name='a'><testcase name='b' time='1'><failure>{}</failure></testcase></testsuite>",
            "words &amp; ".repeat(size)
        )
    }),
    ("namesakes in a harness recording", |size| {
        let head = "{\"schema\":\"rasher.attempts/1\"}".to_owned();
        (0..size).fold(head, |mut text, at| {
            let line = "{\"class\":\"a.B\",\"name\":\"c\",\"outcome\":\"passed\",\"end\":";
            write!(text, "\n{line}{at},\"unique\":\"{at}\"}}").expect("a string");
            text
        })
    }),
    ("json", |size| format!("{{\"a::b\": {}", "[".repeat(size))),
];

/// Cost is measured in time, but only as a ratio of two halves of like length in one process: a
/// document thirty-two times as long against the short one read thirty-two times. Where reading is
/// linear they cost the same, where it is quadratic the long one costs thirty-two times as much. A
/// loaded machine slows both; a round that it disturbs is measured again.
#[test]
fn hostile_documents_cost_no_more_than_their_bytes() {
    const LONGER: usize = 32;
    let spent = |text: &str, times: usize| {
        let began = clock();
        for _ in 0..times {
            std::hint::black_box(read(text.as_bytes()));
        }
        began.elapsed().as_secs_f64()
    };
    for (what, make) in HOSTILE {
        let (short, long) = (make(4_000), make(4_000 * LONGER));
        let round = || spent(&long, 1) / spent(&short, LONGER).max(1e-3);
        let ratio = (0..10).map(|_| round()).find(|ratio| *ratio < 8.0);
        assert!(ratio.is_some(), "{what}: {LONGER} times the bytes cost far more, ten times over");
    }
}

#[expect(clippy::disallowed_types, reason = "a slope is measured in time")]
fn clock() -> std::time::Instant {
    std::time::Instant::now()
}
