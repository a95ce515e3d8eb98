use std::collections::BTreeMap;

use proptest::prelude::*;
use rasher::test_id::TestTable;

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: Some(Box::new(
            prop::test_runner::FileFailurePersistence::SourceParallel("../../proptest-regressions"),
        )),
        ..ProptestConfig::default()
    })]

    #[test]
    fn a_name_has_one_id_whatever_order_names_come_in(
        names in prop::collection::vec("[a-c]{0,3}", 0..60),
        sorted in 0..60_usize,
        asked in 0..60_usize,
    ) {
        let mut names = names;
        let ascending = sorted.min(names.len());
        names[..ascending].sort();
        let mut table = TestTable::new();
        let mut ids = BTreeMap::new();
        for (at, name) in names.iter().enumerate() {
            if at == asked {
                prop_assert_eq!(table.find(name), ids.get(name).copied());
            }
            let id = table.intern(name, None);
            prop_assert_eq!(*ids.entry(name.clone()).or_insert(id), id);
        }
        prop_assert_eq!(table.len(), ids.len());
        for (name, id) in &ids {
            prop_assert_eq!(table.find(name), Some(*id));
            prop_assert_eq!(table.name(*id), name);
        }
        prop_assert_eq!(table.find("d"), None);
    }
}
