//! The instance sets are what they claim to be.

use super::*;

#[test]
fn every_instance_has_its_size_and_repeats_exactly() {
    for family in balance::Family::ALL {
        let made = balance::make(family, (2_000, 20), 5);
        assert_eq!(made.durations.len(), 2_000, "{}", made.name);
        assert_eq!(made.durations, balance::make(family, (2_000, 20), 5).durations);
        assert_ne!(made.durations, balance::make(family, (2_000, 20), 6).durations);
    }
}

#[test]
fn the_perfect_partition_adds_up_to_its_optimum() {
    for (tests, shards) in [(2_000, 20), (2_003, 20), (13_000, 50)] {
        let made = balance::make(balance::Family::PerfectPartition, (tests, shards), 1);
        assert_eq!(made.durations.len(), tests);
        let optimum = made.optimum.expect("known");
        assert_eq!(made.durations.iter().sum::<u64>(), optimum * shards as u64);
    }
}

#[test]
fn the_literature_set_has_588_instances_with_four_seeds() {
    let all: Vec<_> = literature::all(4).collect();
    assert_eq!(all.len(), 588);
    assert!(all.iter().all(|(_, _, made)| made.durations.iter().all(|d| *d >= 1)));
    let mut names: Vec<_> = all.iter().map(|(_, _, made)| made.name.clone()).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), 588);
}

#[test]
fn groups_are_all_in_use_and_set_ups_have_their_share() {
    for size in families::SIZES {
        for share in families::SETUP_SHARES {
            let made = families::make(size, share, 2);
            assert_eq!((made.durations.len(), made.setups.len()), (size.0, size.1));
            let mut used = made.group_of.clone();
            used.dedup();
            assert_eq!(used.len(), size.1);
            let (work, setup) =
                (made.durations.iter().sum::<u64>(), made.setups.iter().sum::<u64>());
            let found = 100.0 * setup as f64 / (work + setup) as f64;
            assert!((found - f64::from(share)).abs() < 0.5, "{found} is not {share}");
        }
    }
}

#[test]
fn constrained_instances_carry_their_constraints() {
    let size = (2_000, 20);
    let restricted = constrained::pools(size, 1).pool_of.iter().flatten().count();
    assert!((200..400).contains(&restricted), "{restricted}");
    let chains = constrained::chains(size, 1).before;
    assert!(chains.len() > 100 && chains.iter().all(|(first, second)| first < second));
    let exclusive = constrained::exclusive(size, 1).resource_of.iter().flatten().count();
    assert!((40..160).contains(&exclusive), "{exclusive}");
}
