use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use rasher::attempt::{Attempt, GroupSetUp, Isolation, Outcome, Recording, RunContext};
use rasher::estimate::{DEFAULT_DURATION, Source, estimate};
use rasher::history::{History, RunRecording};
use rasher::test_id::TestTable;
use rasher::units::Micros;

/// (test, run, passed, microseconds); test `t` is of class `t / 3`.
type Timing = (u8, u8, bool, u64);

fn timings() -> impl Strategy<Value = Vec<Timing>> {
    let micros = prop_oneof![4 => 0..10_000_000_u64, 1 => Just(u64::MAX)];
    prop::collection::vec((0..12_u8, 0..3_u8, prop::bool::weighted(0.8), micros), 0..40)
}

fn name(test: u8) -> (String, String) {
    (format!("class-{}#test-{test}", test / 3), format!("class-{}", test / 3))
}

fn history(timings: &[Timing]) -> History {
    let recording = |&(test, run, passed, micros): &Timing| {
        let mut recording = Recording::default();
        let (name, group) = name(test);
        let test = recording.tests.intern(&name, Some(&group));
        recording.attempts.push(Attempt {
            test,
            ordinal: 0,
            start: None,
            duration: Some(Micros::new(micros)),
            outcome: if passed { Outcome::Passed } else { Outcome::Errored },
            signature: None,
            message: None,
            unique_id: None,
        });
        let group = recording.tests.group(test).expect("just given");
        recording.setups.push(GroupSetUp { group, setup: Micros::new(micros / 2) });
        let context = RunContext {
            environment: "ci".into(),
            branch: None,
            commit: None,
            base_commit: None,
            run: run.to_string(),
            attempt: 1,
            shard: None,
            worker: None,
            plan: None,
            isolation: Isolation::InSuite,
            at: Timestamp::UNIX_EPOCH + SignedDuration::from_hours(run.into()),
        };
        RunRecording { context, recording }
    };
    History::of("ci", timings.iter().map(recording).collect()).expect("one environment")
}

/// All twelve tests, one more of a known class, one of an unknown class and one of none.
fn table(turn: usize) -> TestTable {
    let mut names: Vec<(String, Option<String>)> =
        (0..12).map(name).map(|(name, group)| (name, Some(group))).collect();
    names.push(("class-0#new".into(), Some("class-0".into())));
    names.push(("class-9#new".into(), Some("class-9".into())));
    names.push(("new".into(), None));
    names.rotate_left(turn % 15);
    let mut table = TestTable::new();
    for (name, group) in names {
        table.intern(&name, group.as_deref());
    }
    table
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: Some(Box::new(
            prop::test_runner::FileFailurePersistence::SourceParallel("../../proptest-regressions"),
        )),
        ..ProptestConfig::default()
    })]

    #[test]
    fn every_estimate_is_positive_and_says_where_it_comes_from(timings in timings()) {
        let (history, table) = (history(&timings), table(0));
        let known = estimate(&history, &table);
        let counts = known.sources();
        prop_assert_eq!(counts.own + counts.group + counts.suite + counts.default, table.len());
        let own = |name: &str| history.test(name).and_then(|it| it.mean.or(it.failed_mean));
        let of_class = |class: &str| {
            let names = history.tests().iter().filter(|name| name.starts_with(class));
            names.filter_map(own).collect::<Vec<_>>()
        };
        for test in table.ids() {
            let (name, at) = (table.name(test), test.index());
            let mean = known.mean[at];
            prop_assert!(!mean.is_zero() && known.upper[at] >= mean);
            let class = table.group(test).map_or(Vec::new(), |it| of_class(table.group_name(it)));
            let all = of_class("");
            let (source, of) = match own(name) {
                Some(own) => (Source::Own, vec![own]),
                None if !class.is_empty() => (Source::Group, class),
                None if !all.is_empty() => (Source::Suite, all),
                None => (Source::Default, vec![DEFAULT_DURATION]),
            };
            prop_assert_eq!(known.source[at], source, "{}", name);
            let (least, most) = (of.iter().min(), of.iter().max());
            let floor = Micros::new(1);
            prop_assert!(mean >= *least.expect("one"), "{} below its evidence", name);
            prop_assert!(mean <= (*most.expect("one")).max(floor), "{} above its evidence", name);
        }
    }

    #[test]
    fn the_order_of_the_tests_changes_no_estimate(timings in timings(), turn in 0..15_usize) {
        let history = history(&timings);
        let (one, other) = (table(0), table(turn));
        let (of_one, of_other) = (estimate(&history, &one), estimate(&history, &other));
        for test in one.ids() {
            let same = other.find(one.name(test)).expect("the same tests").index();
            prop_assert_eq!(of_one.mean[test.index()], of_other.mean[same]);
            prop_assert_eq!(of_one.upper[test.index()], of_other.upper[same]);
            prop_assert_eq!(of_one.source[test.index()], of_other.source[same]);
        }
        for group in one.group_ids() {
            let same = other.find_group(one.group_name(group)).expect("the same groups").index();
            prop_assert_eq!(of_one.setup[group.index()], of_other.setup[same]);
        }
    }
}

#[test]
fn a_class_without_a_measured_set_up_takes_the_usual_one() {
    let timings: Vec<Timing> = (0..9).map(|test| (test, 0, true, 2_000)).collect();
    let table = table(0);
    let known = estimate(&history(&timings), &table);
    let unknown = table.find_group("class-9").expect("a group of the table");
    assert_eq!(known.setup[unknown.index()], Micros::new(1_000));
    assert_eq!(estimate(&History::new("ci"), &table).setup[unknown.index()], Micros::ZERO);
}
