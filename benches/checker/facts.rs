//! What must be true of a plan, stated apart from it: durations, groups, set-ups, constraints.

use std::collections::{BTreeMap, BTreeSet};

use rasher::units::Micros;
use serde_json::Value;

/// The workload that a plan claims to spread. Names are the plan's.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Facts {
    /// Microseconds of each test.
    pub durations: BTreeMap<String, u64>,
    /// The class or file of each test that has one.
    pub group_of: BTreeMap<String, String>,
    /// Microseconds of set-up of each group.
    pub setups: BTreeMap<String, u64>,
    /// Speed of each pool; 1 where it is not named.
    pub speeds: BTreeMap<String, f64>,
    /// Microseconds of each pool from the request to the first test; 0 where it is not named.
    pub startups: BTreeMap<String, u64>,
    /// How many tests a worker runs at a time; 0 is read as 1.
    pub slots: u64,
    /// Tests that run alone on their machine, where workers have several slots.
    pub serial: BTreeSet<String>,
    /// For restricted tests the pools that may run them.
    pub eligible: BTreeMap<String, Vec<String>>,
    /// Sets of tests that must share a shard.
    pub together: Vec<Vec<String>>,
    /// Sets of tests of which no two may run at the same time: one shard, and one lane of it.
    pub exclusive: Vec<Vec<String>>,
    /// Sets of tests of which no two may share a shard.
    pub apart: Vec<Vec<String>>,
    /// Pairs: the first must run before the second, on the same shard.
    pub before: Vec<(String, String)>,
    /// A makespan that some plan reaches; no lower bound may be above it.
    pub reachable: Option<u64>,
}

impl Facts {
    /// Reads facts from JSON: either a plain map of test to seconds (pytest-split's
    /// `.test_durations`), or an object with `durations` in that form and any of `groups` (test to
    /// group), `setups` (group to seconds), `speeds`, `startups` (pool to seconds), `slots`,
    /// `serial`, `eligible`, `together`, `exclusive`, `apart`, `before`.
    ///
    /// A test costs at least a microsecond, as Rasher promises of its estimates, so that none is free.
    ///
    /// ```
    /// use rasher_bench::checker::Facts;
    /// let plain = Facts::from_json(br#"{"a": 1.5, "b": 2}"#)?;
    /// assert_eq!(plain.durations["a"], 1_500_000);
    /// let rich = Facts::from_json(br#"{"durations": {"a": 1}, "apart": [["a", "b"]]}"#)?;
    /// assert_eq!(rich.apart.len(), 1);
    /// # Ok::<(), String>(())
    /// ```
    ///
    /// # Errors
    /// Where the bytes are no JSON of that shape: what is wrong, in words.
    pub fn from_json(bytes: &[u8]) -> Result<Self, String> {
        let value: Value = serde_json::from_slice(bytes).map_err(|e| e.to_string())?;
        let Some(durations) = value.get("durations").filter(|inner| inner.is_object()) else {
            return Ok(Self { durations: at_least_one(micros_of(&value)?), ..Self::default() });
        };
        let part = |name: &str| value.get(name).cloned().unwrap_or(Value::Null);
        let spans = |name: &str| match part(name) {
            Value::Null => Ok(BTreeMap::new()),
            spans => micros_of(&spans),
        };
        Ok(Self {
            durations: at_least_one(micros_of(durations)?),
            group_of: shaped(part("groups"), "groups")?,
            setups: spans("setups")?,
            speeds: shaped(part("speeds"), "speeds")?,
            startups: spans("startups")?,
            slots: shaped(part("slots"), "slots")?,
            serial: shaped(part("serial"), "serial")?,
            eligible: shaped(part("eligible"), "eligible")?,
            together: shaped(part("together"), "together")?,
            exclusive: shaped(part("exclusive"), "exclusive")?,
            apart: shaped(part("apart"), "apart")?,
            before: shaped(part("before"), "before")?,
            reachable: None,
        })
    }

    /// All durations of a list of tests, and the set-up of each group among them once.
    pub(super) fn cost<'a>(&self, tests: impl Iterator<Item = &'a str>) -> (u64, u64) {
        let mut groups = BTreeSet::new();
        let (mut work, mut setup) = (0_u64, 0_u64);
        for test in tests {
            work = work.saturating_add(self.durations.get(test).copied().unwrap_or(0));
            if let Some(group) = self.group_of.get(test)
                && groups.insert(group)
            {
                setup = setup.saturating_add(self.setups.get(group).copied().unwrap_or(0));
            }
        }
        (work, setup)
    }
}

fn shaped<T: serde::de::DeserializeOwned + Default>(value: Value, name: &str) -> Result<T, String> {
    if value.is_null() {
        return Ok(T::default());
    }
    serde_json::from_value(value).map_err(|e| format!("`{name}`: {e}"))
}

fn at_least_one(mut durations: BTreeMap<String, u64>) -> BTreeMap<String, u64> {
    for duration in durations.values_mut() {
        *duration = (*duration).max(1);
    }
    durations
}

/// A map of name to seconds as microseconds.
fn micros_of(value: &Value) -> Result<BTreeMap<String, u64>, String> {
    let map = value.as_object().ok_or("not a map of names to seconds")?;
    map.iter()
        .map(|(name, seconds)| {
            let span = seconds.as_f64().and_then(Micros::from_secs_f64);
            let span = span.ok_or_else(|| format!("`{name}`: {seconds} is no duration"))?;
            Ok((name.clone(), span.get()))
        })
        .collect()
}
