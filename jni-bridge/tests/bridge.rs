//! Laws of the bridge: what any bytes are answered, and that a plan over it is the crate's plan.

use proptest::prelude::*;
use rasher::plan::{PlanFacts, PlanOptions, Workload, plan};
use rasher::test_id::TestTable;
use rasher::units::Micros;
use rasher_jni::frame::{Frame, FrameWriter};
use rasher_jni::ops::section::*;
use rasher_jni::ops::{call, call_on, close, op, open};

/// All sections of an answer.
const ANSWER: [u32; 11] = [
    CONTROL,
    NAMES,
    NAME_ENDS,
    SHARD_TESTS,
    SHARD_ENDS,
    DOCUMENT,
    ATTEMPT_TEST,
    ATTEMPT_OUTCOME,
    ATTEMPT_US,
    SHARD_US,
    SHARD_SETUP_US,
];

/// A test: its name, group, duration and upper quantile.
type Row = (String, Option<usize>, u64, u64);

/// Tests, and set-ups by group.
#[derive(Clone, Debug)]
struct Suite {
    tests: Vec<Row>,
    groups: Vec<(String, u64)>,
    shards: u32,
}

fn suite() -> impl Strategy<Value = Suite> {
    let name = "[ab]{0,2}(com\\.example\\.)?[xyz#é?]{0,6}";
    let group = prop::option::weighted(0.7, 0..6_usize);
    let micros = prop_oneof![0..50_u64, 0..5_000_000_u64, Just(u64::MAX)];
    let tests = prop::collection::btree_map(name, (group, micros, 0..9_000_000_u64), 0..40);
    let groups = prop::collection::btree_map(name, 0..3_000_000_u64, 6);
    let shuffled = tests.prop_map(|it| it.into_iter().collect::<Vec<_>>()).prop_shuffle();
    let groups = groups.prop_map(|it| it.into_iter().collect::<Vec<_>>()).prop_shuffle();
    (shuffled, groups, 1..9_u32).prop_map(|(tests, groups, shards)| {
        let tests = tests.into_iter();
        Suite {
            tests: tests.map(|(name, (group, mean, upper))| (name, group, mean, upper)).collect(),
            groups,
            shards,
        }
    })
}

impl Suite {
    fn frame(&self) -> FrameWriter {
        let names = self.tests.iter().map(|test| test.0.as_bytes());
        let group = |group: Option<usize>| group.map_or(u32::MAX, |group| group as u32);
        FrameWriter::default()
            .strings(NAMES, NAME_ENDS, names)
            .u32s(GROUP_OF, self.tests.iter().map(|test| group(test.1)))
            .strings(GROUPS, GROUP_ENDS, self.groups.iter().map(|group| group.0.as_bytes()))
            .u64s(MEAN_US, self.tests.iter().map(|test| test.2))
            .u64s(UPPER_US, self.tests.iter().map(|test| test.3))
            .u64s(SETUP_US, self.groups.iter().map(|group| group.1))
    }

    fn control(&self) -> Vec<u8> {
        format!(r#"{{"shards":{},"document":true,"environment":"e"}}"#, self.shards).into_bytes()
    }

    fn request(&self) -> Vec<u8> {
        self.frame().bytes(CONTROL, self.control()).finish(op::PLAN)
    }

    /// The document as a caller of the crate gets it.
    fn document(&self) -> Vec<u8> {
        let mut given = TestTable::new();
        for (name, group, ..) in &self.tests {
            given.intern(name, group.map(|group| self.groups[group].0.as_str()));
        }
        let (tests, old) = given.sorted();
        let column = |of: fn(&Row) -> u64| -> Vec<Micros> {
            old.iter().map(|test| Micros::new(of(&self.tests[test.index()]))).collect()
        };
        let (mean, upper) = (column(|test| test.2), column(|test| test.3));
        let setup: Vec<Micros> = tests
            .group_ids()
            .map(|group| {
                let name = tests.group_name(group);
                let known = self.groups.iter().find(|known| known.0 == name);
                known.map_or(Micros::ZERO, |known| Micros::new(known.1))
            })
            .collect();
        let workload = Workload::new(&tests, &mean, &upper, &setup).expect("columns that fit");
        let plan = plan(&workload, &PlanOptions::new(self.shards)).expect("a plan");
        let facts = PlanFacts { environment: "e".to_owned(), ..PlanFacts::default() };
        serde_json::to_vec(&plan.document(&workload, facts)).expect("a document")
    }
}

fn read(answer: &[u8]) -> Frame<'_> {
    Frame::read(answer, &ANSWER).expect("an answer is a frame")
}

/// The exit code and the message of a fault.
fn fault(answer: &[u8]) -> Option<(u64, String)> {
    let frame = read(answer);
    if frame.op != op::FAULT {
        return None;
    }
    let told = frame.needed(CONTROL).expect("a fault is a document");
    let told: serde_json::Value = serde_json::from_slice(told).expect("JSON");
    Some((told["exit_code"].as_u64()?, told["message"].as_str()?.to_owned()))
}

fn config() -> ProptestConfig {
    ProptestConfig {
        failure_persistence: Some(Box::new(prop::test_runner::FileFailurePersistence::Direct(
            "../proptest-regressions/bridge.txt",
        ))),
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn any_bytes_are_answered_and_never_by_a_defect(
        mut bytes in prop::collection::vec(any::<u8>(), 0..200),
        head in any::<bool>(),
        asked in 0..12_u8,
        count in 0..9_u8,
    ) {
        if head && bytes.len() >= 16 {
            bytes[..8].copy_from_slice(b"RSHR\x01\0\0\0");
            bytes[8..16].copy_from_slice(&[asked, 0, 0, 0, count, 0, 0, 0]);
        }
        for answer in [call(&bytes), open(&bytes), call_on(u64::from(asked), &bytes)] {
            let defect = fault(&answer).filter(|fault| fault.0 == 70);
            prop_assert_eq!(defect, None);
        }
    }

    #[test]
    fn a_request_that_was_changed_anywhere_is_answered_or_refused_as_wrong_usage(
        suite in suite(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..5),
        cut in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let mut bytes = suite.request();
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        let answer = call(&bytes);
        let told = fault(&answer);
        let answered = [op::PLAN, op::ABOUT, op::WORKLOAD, op::INGEST, op::AGAIN];
        let answered = answered.contains(&read(&answer).op);
        prop_assert!(answered || told.as_ref().is_some_and(|told| told.0 == 2), "{told:?}");
    }

    #[test]
    fn columns_that_do_not_fit_are_refused_with_what_is_wrong(
        suite in suite(),
        section in prop::sample::select(vec![NAME_ENDS, GROUP_OF, GROUP_ENDS, MEAN_US, UPPER_US, SETUP_US]),
        values in prop::collection::vec(prop_oneof![0..99_u32, Just(u32::MAX), Just(1 << 31)], 0..6),
        text in prop::collection::vec(any::<u8>(), 0..12),
    ) {
        // The first section of a number is the one that counts.
        let columns = suite.frame();
        let raw: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        let other = FrameWriter::default().bytes(section, raw).bytes(NAMES, text);
        let answer = call(&other.and(columns).bytes(CONTROL, suite.control()).finish(op::PLAN));
        if let Some((code, message)) = fault(&answer) {
            prop_assert_eq!(code, 2);
            prop_assert!(!message.is_empty());
        } else {
            prop_assert!([op::PLAN, op::AGAIN].contains(&read(&answer).op));
        }
    }

    #[test]
    fn a_plan_over_the_bridge_is_byte_for_byte_that_of_the_crate(suite in suite()) {
        let expected = suite.document();
        let answer = call(&suite.request());
        let frame = read(&answer);
        prop_assert_eq!(frame.section(DOCUMENT), Some(&*expected), "{:?}", fault(&answer));
        // Its positions name the tests of the document.
        let document: serde_json::Value = serde_json::from_slice(&expected).expect("JSON");
        let named: Vec<&str> = document["shards"].as_array().into_iter().flatten()
            .flat_map(|shard| shard["tests"].as_array().into_iter().flatten())
            .filter_map(|test| test.as_str())
            .collect();
        let placed = frame.u32s(SHARD_TESTS).expect("positions");
        let placed: Vec<&str> =
            placed.iter().map(|at| suite.tests[*at as usize].0.as_str()).collect();
        prop_assert_eq!(placed, named);
    }

    #[test]
    fn a_kept_workload_is_planned_as_if_it_came_again(suite in suite()) {
        let opened = open(&suite.frame().finish(op::WORKLOAD));
        let told: serde_json::Value =
            serde_json::from_slice(read(&opened).needed(CONTROL).expect("a summary")).expect("JSON");
        let handle: u64 = told["handle"].as_str().and_then(|it| it.parse().ok()).expect("a handle");
        prop_assert_eq!(told["tests"].as_u64(), Some(suite.tests.len() as u64));
        let ask = FrameWriter::default().bytes(CONTROL, suite.control()).finish(op::PLAN);
        prop_assert_eq!(call_on(handle, &ask), call(&suite.request()));
        prop_assert!(close(handle) && !close(handle));
        prop_assert_eq!(fault(&call_on(handle, &ask)).map(|told| told.0), Some(2));
    }

    #[test]
    fn names_in_latin_1_are_those_in_utf_8_or_are_asked_for_again(
        names in prop::collection::btree_set("[aé?ÿ\u{80}]{0,4}", 1..9),
    ) {
        let control = br#"{"shards":2,"document":true}"#.to_vec();
        let means = || vec![7; names.len()];
        let wide = FrameWriter::default().strings(NAMES, NAME_ENDS, names.iter().map(String::as_bytes));
        let wide = wide.u64s(MEAN_US, means()).bytes(CONTROL, control.clone()).finish(op::PLAN);
        let narrow: Vec<Vec<u8>> =
            names.iter().map(|name| name.chars().map(|c| c as u8).collect()).collect();
        let narrow = FrameWriter::default()
            .strings(NAMES_LATIN1, NAME_ENDS, narrow.iter().map(Vec::as_slice))
            .u64s(MEAN_US, means())
            .bytes(CONTROL, control)
            .finish(op::PLAN);
        let answer = call(&narrow);
        if names.iter().any(|name| name.contains('?')) {
            prop_assert_eq!(read(&answer).op, op::AGAIN);
        } else {
            prop_assert_eq!(answer, call(&wide));
        }
    }
}

#[test]
fn what_is_wrong_with_a_request_is_said() {
    let names = |ends: &[u32], text: &[u8]| {
        FrameWriter::default()
            .bytes(NAMES, text.to_vec())
            .u32s(NAME_ENDS, ends.iter().copied())
            .u64s(MEAN_US, ends.iter().map(|_| 1))
            .bytes(CONTROL, br#"{"shards":1}"#.to_vec())
    };
    let told = |frame: FrameWriter| fault(&call(&frame.finish(op::PLAN))).map(|told| told.1);
    let cases = [
        (names(&[2, 1], b"ab"), "tests: name 1 ends at 1"),
        (names(&[1, 3], b"ab"), "tests: name 1 ends at 3"),
        (names(&[u32::MAX], b"ab"), "tests: name 0 ends at 4294967295"),
        (names(&[1, 3], "éa".as_bytes()), "tests: name 0 ends at 1"),
        (names(&[1, 2], b"a\xff"), "the names of tests are no UTF-8 at byte 1"),
        (names(&[1, 2], b"aa"), "tests 0 and 1 have the same id"),
        (names(&[1], b"a").u32s(GROUP_OF, [3]), "test 0 is of group 3, and there are 0"),
        (names(&[1], b"a").u32s(GROUP_OF, [3, 4]), "1 tests, but groups for 2"),
        (names(&[1], b"a").u64s(UPPER_US, []), "0 upper durations where 1 are wanted"),
        (names(&[1], b"a").u64s(SETUP_US, [5]), "1 set-ups where 0 are wanted"),
        (names(&[1], b"a").bytes(UPPER_US, vec![1; 9]), "section 8 has 1 bytes too many"),
    ];
    for (frame, wanted) in cases {
        let told = told(frame);
        assert!(told.as_deref().is_some_and(|told| told.contains(wanted)), "{wanted}: {told:?}");
    }
    let mut overlapping = names(&[1], b"a").finish(op::PLAN);
    // The second entry of the table: all of the frame.
    overlapping[16 + 24 + 8..16 + 48].fill(0);
    let length = overlapping.len() as u64;
    overlapping[16 + 24 + 16..16 + 48].copy_from_slice(&length.to_le_bytes());
    let told = fault(&call(&overlapping)).map(|told| told.1);
    assert_eq!(told.as_deref(), Some("not a frame: section 3 overlaps another"));
}

#[test]
fn threads_plan_and_close_one_workload_without_disturbing_each_other() {
    let names: Vec<String> = (0..200).map(|at| format!("t{at:03}")).collect();
    let frame = || {
        let names = names.iter().map(|name| name.as_bytes());
        FrameWriter::default()
            .strings(NAMES, NAME_ENDS, names)
            .u64s(MEAN_US, (0..200).map(|at| at * 7))
    };
    let control = br#"{"shards":3,"document":true}"#;
    let ask = FrameWriter::default().bytes(CONTROL, control.to_vec()).finish(op::PLAN);
    let expected = call(&frame().bytes(CONTROL, control.to_vec()).finish(op::PLAN));
    for _ in 0..20 {
        let opened = open(&frame().finish(op::WORKLOAD));
        let told = read(&opened).needed(CONTROL).expect("a summary").to_vec();
        let told: serde_json::Value = serde_json::from_slice(&told).expect("JSON");
        let handle: u64 = told["handle"].as_str().and_then(|it| it.parse().ok()).expect("a handle");
        std::thread::scope(|scope| {
            for closer in 0..6 {
                let (ask, expected) = (&ask, &expected);
                scope.spawn(move || {
                    let answer = call_on(handle, ask);
                    assert!(answer == *expected || fault(&answer).is_some_and(|told| told.0 == 2));
                    if closer == 3 {
                        assert!(close(handle));
                    }
                });
            }
        });
    }
}

#[test]
fn a_hundred_panics_are_told_with_message_and_place_and_the_next_call_works() {
    for round in 0..100 {
        let control = format!(r#"{{"panic":"round {round}"}}"#).into_bytes();
        let answer = call(&FrameWriter::default().bytes(CONTROL, control).finish(op::FAIL));
        let told: serde_json::Value =
            serde_json::from_slice(read(&answer).needed(CONTROL).expect("a fault")).expect("JSON");
        assert_eq!(told["exit_code"], 70);
        assert!(told["message"].as_str().is_some_and(|it| it.ends_with(&format!("round {round}"))));
        assert!(told["place"].as_str().is_some_and(|it| it.contains("mod.rs:")));
    }
    let answer = call(&FrameWriter::default().finish(op::ABOUT));
    assert_eq!(read(&answer).op, op::ABOUT);
}
