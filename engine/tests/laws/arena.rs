use proptest::prelude::*;
use rasher::test_id::{Arena, ArenaError, TestTable};

/// Names that begin alike, end at every place of a key, and hold zeros and wide characters.
fn name() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec!["a", "b", "\0", "é", "com.example.", "x$"]);
    prop::collection::vec(piece, 0..6).prop_map(|pieces| pieces.concat())
}

fn arena(names: &[String]) -> Arena {
    let mut end = 0;
    let ends = names.iter().map(|name| {
        end += name.len();
        end
    });
    let ends = ends.collect();
    Arena::new(names.concat(), ends).expect("ends of whole names")
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: Some(Box::new(
            prop::test_runner::FileFailurePersistence::SourceParallel("../../proptest-regressions"),
        )),
        ..ProptestConfig::default()
    })]

    #[test]
    fn a_table_from_arenas_is_the_one_that_interning_and_sorting_gives(
        mut tests in prop::collection::vec((name(), prop::option::of(0..9_usize)), 0..80),
        groups in prop::collection::hash_set(name(), 9),
        sorted in any::<bool>(),
        distinct in any::<bool>(),
    ) {
        let groups: Vec<String> = groups.into_iter().collect();
        if distinct {
            let mut seen = std::collections::BTreeSet::new();
            tests.retain(|(name, _)| seen.insert(name.clone()));
        }
        if sorted {
            tests.sort();
        }
        let names: Vec<String> = tests.iter().map(|(name, _)| name.clone()).collect();
        let mut twice = names.clone();
        twice.sort();
        let twice = twice.windows(2).any(|pair| pair[0] == pair[1]);
        let group_of: Vec<u32> =
            tests.iter().map(|(_, group)| group.map_or(u32::MAX, |at| at as u32)).collect();
        let given = TestTable::from_arenas(arena(&names), &arena(&groups), &group_of);
        let Ok(given) = given else {
            let told = given.expect_err("no table");
            let ArenaError::Same { what: "tests", first, second } = told else {
                return Err(TestCaseError::fail(told.to_string()));
            };
            prop_assert!(twice && first < second);
            prop_assert_eq!(&names[first as usize], &names[second as usize]);
            return Ok(());
        };
        prop_assert!(!twice);
        let mut table = TestTable::new();
        for (name, group) in &tests {
            table.intern(name, group.map(|at| &*groups[at]));
        }
        let (table, places) = table.sorted();
        prop_assert_eq!(&given.tests, &places);
        prop_assert_eq!(given.table.group_count(), table.group_count());
        for test in table.ids() {
            prop_assert_eq!(given.table.name(test), table.name(test));
            prop_assert_eq!(given.table.find(table.name(test)), Some(test));
            prop_assert_eq!(given.table.group(test), table.group(test));
        }
        for group in table.group_ids() {
            prop_assert_eq!(given.table.group_name(group), table.group_name(group));
            let place = given.groups[group.index()];
            prop_assert_eq!(table.group_name(group), &*groups[place.index()]);
        }
    }

    #[test]
    fn an_arena_takes_exactly_the_ends_of_its_characters_in_order(
        text in "[aé]{0,5}",
        ends in prop::collection::vec(0..12_usize, 0..5),
    ) {
        let right = ends.is_sorted() && ends.iter().all(|end| text.is_char_boundary(*end));
        prop_assert_eq!(Arena::new(text, ends).is_ok(), right);
    }
}

#[test]
fn groups_that_do_not_fit_are_refused() {
    let names = || arena(&["a".to_owned(), "b".to_owned()]);
    let groups = arena(&["g".to_owned(), "g".to_owned()]);
    let wrong = |groups: &Arena, of: &[u32]| TestTable::from_arenas(names(), groups, of).err();
    assert_eq!(wrong(&groups, &[0]), Some(ArenaError::Groups { tests: 2, given: 1 }));
    let same = ArenaError::Same { what: "groups", first: 0, second: 1 };
    assert_eq!(wrong(&groups, &[0, 1]), Some(same));
    let missing = ArenaError::NoGroup { test: 1, group: 2, groups: 2 };
    assert_eq!(wrong(&groups, &[0, 2]), Some(missing));
    assert_eq!(wrong(&Arena::default(), &[]), None);
}
