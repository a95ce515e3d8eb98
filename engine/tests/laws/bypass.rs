//! Laws of the bypass: no byte of the ledger changes unseen, the clock does what its table says,
//! one merge at a time.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use proptest::test_runner::FileFailurePersistence;
use rasher::bypass::chain::{Chain, Head, line, read};
use rasher::bypass::clock::{Clock, ClockEvent, ClockOptions, ClockState, StoppedBy};
use rasher::bypass::lock::{Lease, MergeLock};
use rasher::bypass::tally::{tally, week};
use rasher::bypass::{BypassRecord, BypassedTest};
use rasher::verdict::{RunVerdict, Word};

const HISTORIES: u64 = 1_000_000;

fn config() -> ProptestConfig {
    ProptestConfig {
        cases: 200,
        failure_persistence: Some(Box::new(FileFailurePersistence::SourceParallel(
            "../../proptest-regressions",
        ))),
        ..ProptestConfig::default()
    }
}

/// A cheap sequence of numbers: a million histories want a million seeds.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_767_578_400 + second).expect("an instant of this century")
}

fn record(number: u64, who: &str) -> BypassRecord {
    let test = |name: &str, p_real, clock| BypassedTest {
        test: name.to_owned(),
        verdict: Word::Failed,
        p_real,
        owner: None,
        clock,
    };
    BypassRecord {
        at: at(i64::try_from(number).expect("small") * 3_600),
        by: who.to_owned(),
        reason: "the hot fix \"cannot\" wait\n— ä 🦀".to_owned(),
        environment: "linux".to_owned(),
        run: None,
        commit: None,
        branch: None,
        plan: None,
        verdict: RunVerdict::Failed,
        p_real: 0.97,
        fence: Some(number),
        tests: vec![test("x.ATest#a", Some(0.3), true)],
    }
}

/// A ledger of so many entries, as its lines, with the head after each.
fn ledger(entries: u64) -> (Vec<String>, Vec<Head>) {
    let (mut lines, mut heads) = (Vec::new(), vec![Head::default()]);
    for number in 0..entries {
        let who = ["Ada", "Bea", "Eve"][(number % 3) as usize];
        let (line, head) = line(heads.last().expect("one"), &record(number, who));
        lines.push(line);
        heads.push(head);
    }
    (lines, heads)
}

fn checked(lines: &[String], head: &Head) -> Chain {
    read(lines.concat().as_bytes(), Some(head))
}

#[test]
fn a_ledger_is_read_as_it_was_written() {
    let (lines, heads) = ledger(5);
    let chain = checked(&lines, &heads[5]);
    assert!(chain.is_sound(), "{:?}", chain.problems);
    assert_eq!(chain.head, heads[5]);
    for (number, entry) in chain.entries.iter().enumerate() {
        assert_eq!(entry.entry, number as u64 + 1);
        assert_eq!(entry.record.fence, Some(number as u64));
        assert_eq!(entry.hash, heads[number + 1].hash);
    }
    assert!(read(b"", None).is_sound(), "no bypass yet");
}

#[test]
fn every_edit_of_every_byte_is_found() {
    let (lines, heads) = ledger(3);
    let sound = lines.concat().into_bytes();
    for place in 0..=sound.len() {
        for new in [0_u8, b'\n', b'"', b'0', b'a', b' ', 0xff] {
            let mut edits = vec![{
                let mut put_in = sound.clone();
                put_in.insert(place, new);
                put_in
            }];
            if place < sound.len() {
                let mut changed = sound.clone();
                changed[place] = new;
                edits.push(changed);
                let mut removed = sound.clone();
                removed.remove(place);
                edits.push(removed);
            }
            for edited in edits.into_iter().filter(|edited| *edited != sound) {
                assert!(!read(&edited, Some(&heads[3])).is_sound(), "byte {place} to {new}");
            }
        }
    }
    let one = lines[0].clone().into_bytes();
    for place in 0..one.len() {
        for flip in 1..=u8::MAX {
            let mut changed = one.clone();
            changed[place] ^= flip;
            assert!(!read(&changed, Some(&heads[1])).is_sound(), "byte {place} by {flip}");
        }
    }
}

#[test]
fn a_ledger_that_ends_early_is_found_by_its_head_and_a_crash_is_no_alarm() {
    let (lines, heads) = ledger(4);
    let all = lines.concat().into_bytes();
    for end in 0..all.len() {
        assert!(!read(&all[..end], Some(&heads[4])).is_sound(), "cut to {end} bytes");
    }
    // The writer died between the line and the head, or in the line.
    assert!(checked(&lines, &heads[3]).is_sound());
    let whole = lines[..3].concat().len();
    for end in whole + 1..all.len() {
        let chain = read(&all[..end], Some(&heads[3]));
        assert!(chain.problems.is_empty());
        assert_eq!((chain.torn_bytes, chain.entries.len()), (end - whole, 3));
        assert_eq!(chain.torn_is_entry, end == all.len() - 1);
    }
}

/// What somebody did to the lines; false where they are as they were.
fn tamper(dice: &mut Dice, lines: &mut Vec<String>, spare: &str) -> bool {
    let before = lines.clone();
    let place = dice.below(lines.len() as u64) as usize;
    let other = dice.below(lines.len() as u64) as usize;
    match dice.below(6) {
        0 => {
            lines.remove(place);
        }
        1 => lines.swap(place, other),
        2 => {
            let copy = lines[other].clone();
            lines.insert(place, copy);
        }
        3 => lines[place] = spare.to_owned(),
        4 => {
            let mut bytes = std::mem::take(&mut lines[place]).into_bytes();
            let byte = dice.below(bytes.len() as u64) as usize;
            bytes[byte] = b' ' + dice.below(94) as u8;
            lines[place] = String::from_utf8_lossy(&bytes).into_owned();
        }
        _ => {}
    }
    *lines != before
}

#[test]
fn of_a_million_ledgers_those_are_sound_that_nobody_touched() {
    let mut dice = Dice(7);
    let (lines, heads) = ledger(3);
    let (spare, _) = line(&heads[0], &record(99, "Mal"));
    let mut touched = 0_u64;
    for _ in 0..HISTORIES {
        let length = 1 + dice.below(3) as usize;
        let mut history = lines[..length].to_vec();
        let changed = tamper(&mut dice, &mut history, &spare);
        touched += u64::from(changed);
        assert_eq!(checked(&history, &heads[length]).is_sound(), !changed, "{history:?}");
    }
    assert!(touched > HISTORIES / 2 && touched < HISTORIES);
}

/// The table of the clock, looked up anew from the whole history.
fn looked_up(history: &[(Timestamp, ClockEvent)], merged: Timestamp, now: Timestamp) -> ClockState {
    let options = ClockOptions::default();
    let after = |event: ClockEvent| {
        history.iter().filter(move |it| it.1 == event && it.0 > merged).map(|it| it.0)
    };
    let failed = history.iter().position(|it| it.1 == ClockEvent::Failed && it.0 > merged);
    let before = &history[..failed.unwrap_or(history.len())];
    let passes: Vec<Timestamp> = before
        .iter()
        .filter(|it| it.1 == ClockEvent::Passed && it.0 > merged)
        .map(|it| it.0)
        .collect();
    if let Some(at) = passes.get(options.clear_after as usize - 1) {
        return ClockState::Cleared { at: *at };
    }
    let Some(first) = failed else { return ClockState::Waiting { passes: passes.len() as u32 } };
    let since = after(ClockEvent::Failed).next().expect("it failed");
    let due = since + options.limit;
    let quarantine = before
        .iter()
        .rev()
        .map(|it| it.1)
        .find(|event| matches!(event, ClockEvent::Quarantined | ClockEvent::Released));
    let stop = if quarantine == Some(ClockEvent::Quarantined) {
        Some((since, StoppedBy::Quarantine))
    } else {
        history[first..].iter().find_map(|(at, event)| match event {
            ClockEvent::Passed => Some((*at, StoppedBy::Fix)),
            ClockEvent::Quarantined => Some((*at, StoppedBy::Quarantine)),
            _ => None,
        })
    };
    match stop {
        Some((at, by)) => ClockState::Stopped { since, at, by, late: at > due },
        None => ClockState::Running { since, due, overdue: now > due },
    }
}

#[test]
fn a_million_clocks_stand_as_the_table_says() {
    use ClockEvent::{Failed, Passed, Quarantined, Released};
    let mut dice = Dice(2017);
    let mut seen: BTreeMap<&str, u64> = BTreeMap::new();
    for _ in 0..HISTORIES {
        let merged = at(dice.below(7_200) as i64);
        let mut history: Vec<(Timestamp, ClockEvent)> = Vec::with_capacity(8);
        let mut second = 0;
        for _ in 0..dice.below(9) {
            second += dice.below(2 * 3_600) as i64;
            let event = [Failed, Passed, Quarantined, Released][dice.below(4) as usize];
            history.push((at(second), event));
        }
        let now = at(second + dice.below(8 * 3_600) as i64);
        let mut clock = Clock::new(merged, ClockOptions::default());
        for (at, event) in &history {
            clock.observe(*at, *event);
        }
        let state = clock.state(now);
        assert_eq!(state, looked_up(&history, merged, now), "{merged} {history:?}");
        let name = match state {
            ClockState::Waiting { .. } => "waiting",
            ClockState::Cleared { .. } => "cleared",
            ClockState::Running { overdue: false, .. } => "running",
            ClockState::Running { .. } => "overdue",
            ClockState::Stopped { late: false, .. } => "in time",
            ClockState::Stopped { .. } => "late",
        };
        *seen.entry(name).or_default() += 1;
    }
    assert_eq!(seen.len(), 6, "every state was reached: {seen:?}");
}

#[test]
fn four_hours_to_the_second_are_in_time() {
    let merged = at(0);
    for (second, late) in [(4 * 3_600, false), (4 * 3_600 + 1, true)] {
        let mut clock = Clock::new(merged, ClockOptions::default());
        clock.observe(at(60), ClockEvent::Failed);
        let overdue = ClockState::Running { since: at(60), due: at(60 + 14_400), overdue: late };
        assert_eq!(clock.state(at(60 + second)), overdue);
        clock.observe(at(60 + second), ClockEvent::Passed);
        let by = StoppedBy::Fix;
        let stopped = ClockState::Stopped { since: at(60), at: at(60 + second), by, late };
        assert_eq!(clock.state(at(9_999_999)), stopped);
    }
}

#[test]
fn one_merge_at_a_time_whatever_the_order_of_calls() {
    let mut dice = Dice(41);
    for _ in 0..20_000 {
        let mut lock = MergeLock::default();
        let mut given: Vec<Lease> = Vec::new();
        let mut second = 0;
        for _ in 0..12 {
            second += dice.below(90) as i64;
            let now = at(second);
            let span = SignedDuration::from_secs(dice.below(120) as i64);
            let holder = given.iter().rev().find(|it| lock.holds(it.fence, now)).cloned();
            match dice.below(3) {
                0 => {
                    let owner = ["a", "b", "c"][dice.below(3) as usize];
                    let taken = lock.acquire(owner, now, span);
                    let free = holder.as_ref().is_none_or(|it| it.owner == owner);
                    assert_eq!(taken.is_ok(), free);
                    if let Ok(lease) = taken {
                        assert!(given.iter().all(|before| before.fence < lease.fence));
                        given.push(lease);
                    }
                }
                1 if !given.is_empty() => {
                    let fence = given[dice.below(given.len() as u64) as usize].fence;
                    let renewed = lock.renew(fence, now, span);
                    assert_eq!(
                        renewed.is_ok(),
                        holder.as_ref().is_some_and(|it| it.fence == fence)
                    );
                }
                2 if !given.is_empty() => {
                    let fence = given[dice.below(given.len() as u64) as usize].fence;
                    let released = lock.release(fence, now);
                    assert_eq!(released.is_ok(), holder.is_some_and(|it| it.fence == fence));
                }
                _ => {}
            }
            let holding = given.iter().filter(|it| lock.holds(it.fence, now)).count();
            assert!(holding <= 1, "two merges at once");
        }
    }
}

#[test]
fn a_lease_ends_at_its_end_and_a_stale_number_is_never_good_again() {
    let minute = SignedDuration::from_mins(1);
    let mut lock = MergeLock::default();
    let first = lock.acquire("a", at(0), minute).expect("free");
    assert!(lock.holds(first.fence, at(59)) && !lock.holds(first.fence, at(60)));
    let second = lock.acquire("b", at(60), minute).expect("the lease ended");
    assert!(lock.release(first.fence, at(61)).is_err(), "it would free b's lock");
    assert!(lock.renew(first.fence, at(61), minute).is_err());
    assert!(lock.holds(second.fence, at(61)));
    let again = lock.acquire("b", at(62), minute).expect("its own");
    assert!(!lock.holds(second.fence, at(63)), "the earlier attempt is fenced off");
    let shorter = lock.renew(again.fence, at(63), SignedDuration::ZERO).expect("held");
    assert_eq!(shorter.until, again.until);
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn counts_add_up(bypasses in prop::collection::vec((0_u64..2_000, 0_usize..3), 0..40)) {
        let records: Vec<BypassRecord> =
            bypasses.iter().map(|(hour, who)| record(*hour, ["Ada", "Bea", "Eve"][*who])).collect();
        let counted = tally(&records);
        let total = records.len() as u64;
        prop_assert_eq!(counted.weeks.values().sum::<u64>(), total);
        prop_assert_eq!(counted.people.iter().map(|it| it.total).sum::<u64>(), total);
        for count in counted.people.iter().chain(&counted.tests) {
            prop_assert_eq!(count.weeks.values().sum::<u64>(), count.total);
        }
        for (week_name, count) in &counted.weeks {
            let there = records.iter().filter(|it| week(it.at) == *week_name).count();
            prop_assert_eq!(there as u64, *count);
        }
    }

    #[test]
    fn bytes_of_any_kind_are_no_sound_ledger(bytes in prop::collection::vec(any::<u8>(), 1..300)) {
        let chain = read(&bytes, None);
        prop_assert!(!chain.is_sound());
        prop_assert!(chain.entries.is_empty());
    }
}
