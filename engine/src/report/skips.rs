//! Which tests are left out, where and for how long: the talk's Boomerang.
//!
//! Decides what is counted over a period and the ten before it. A test that is skipped and a test
//! that is not there are different things; neither is a pass. The users it names are those who left
//! tests out where somebody knows them ([`super::blame`]), else the owners of the tests: no report
//! says who left a test out, and the engine reads no version control.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use crate::attempt::Outcome;

/// The schema of a [`SkipsDocument`].
pub const SKIPS_SCHEMA: &str = "rasher.skips/1";

/// How many periods before the one at hand are looked at.
pub const PERIODS_BEFORE: usize = 10;

/// Over which time is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SkipPeriod {
    /// The end of the period; what is at this instant still counts.
    pub until: Timestamp,
    /// How long it is.
    pub length: SignedDuration,
}

impl SkipPeriod {
    /// The period an instant is in, counted backwards from 0 for the one at hand; `None` for one
    /// after its end or before the ten earlier ones.
    pub fn place(&self, at: Timestamp) -> Option<usize> {
        let before = self.until.duration_since(at);
        if before.is_negative() || self.length <= SignedDuration::ZERO {
            return None;
        }
        let place = usize::try_from(before.as_nanos() / self.length.as_nanos()).ok()?;
        (place <= PERIODS_BEFORE).then_some(place)
    }
}

/// One test of one run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SkipResult<'a> {
    /// The test id.
    pub test: &'a str,
    /// Its class or file.
    pub group: Option<&'a str>,
    /// How it ended.
    pub outcome: Outcome,
}

/// One run.
#[derive(Clone, Copy, Debug)]
pub struct SkipRun<'a> {
    /// When it was.
    pub at: Timestamp,
    /// Its commit; where that is not known, anything that tells it from others.
    pub commit: &'a str,
    /// True where it was on the main branch.
    pub on_main: bool,
}

/// Whose and what a test is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SkipLabel {
    /// The area of the product.
    pub area: String,
    /// The team that owns it.
    pub team: Option<String>,
    /// Who left it out, where that is known.
    pub user: Option<String>,
}

#[derive(Clone, Debug, Default)]
struct Seen {
    group: Option<String>,
    runs: u64,
    commits: BTreeSet<String>,
    /// Bit `n` stands for the period `n` before.
    periods: u16,
}

/// Counts runs.
#[derive(Clone, Debug)]
pub struct Skips {
    period: SkipPeriod,
    runs: usize,
    runs_before: usize,
    commits: BTreeSet<String>,
    seen: BTreeMap<String, Seen>,
    on_main: BTreeMap<String, (Timestamp, Outcome)>,
}

/// A count of something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SkipCount {
    /// Of what.
    pub name: String,
    /// How many of its tests were skipped.
    pub tests: usize,
    /// How often in all.
    pub skips: u64,
}

/// A skipped test.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SkippedTest {
    /// The test id.
    pub test: String,
    /// Its class or file.
    pub class: String,
    /// Its name in the class.
    pub method: String,
    /// The area of the product.
    pub area: String,
    /// The team that owns it.
    pub team: Option<String>,
    /// Who left it out, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// How it ended in the newest run of the main branch that reported it.
    pub status_on_main: Option<Outcome>,
    /// In how many runs of the period it was skipped.
    pub skips: u64,
    /// In how many commits of the period.
    pub commits: usize,
    /// Skipped once in the period.
    pub once: bool,
    /// Skipped in more than half of the commits of the period.
    pub over_half: bool,
    /// Not skipped in the period before.
    pub not_in_previous: bool,
    /// Not skipped in any of the ten periods before.
    pub not_in_previous_ten: bool,
}

/// What is skipped in a period.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SkipsDocument {
    /// [`SKIPS_SCHEMA`].
    pub schema: &'static str,
    /// The beginning of the period.
    pub from: Timestamp,
    /// Its end.
    pub until: Timestamp,
    /// Runs in it.
    pub runs: usize,
    /// Runs in the ten periods before: where there are none, nothing can be said to be new.
    pub runs_before: usize,
    /// Commits in it.
    pub commits: usize,
    /// Distinct tests skipped in it.
    pub tests: usize,
    /// How many of them were skipped once.
    pub once: usize,
    /// How many in over half of the commits.
    pub over_half: usize,
    /// How many not in the period before.
    pub not_in_previous: usize,
    /// How many not in the ten before.
    pub not_in_previous_ten: usize,
    /// True where `users` left the tests out; else they own them.
    pub blamed: bool,
    /// By user; the most skips first.
    pub users: Vec<SkipCount>,
    /// By area of the product.
    pub areas: Vec<SkipCount>,
    /// By class.
    pub classes: Vec<SkipCount>,
    /// Each of them; the most skipped first.
    pub skipped: Vec<SkippedTest>,
}

impl Skips {
    /// Nothing counted yet.
    ///
    /// ```
    /// use rasher::report::skips::{SkipLabel, SkipPeriod, Skips};
    /// let week = jiff::SignedDuration::from_hours(7 * 24);
    /// let skips = Skips::new(SkipPeriod { until: "2026-01-12T00:00:00Z".parse()?, length: week });
    /// assert_eq!(skips.finish(|_, _| SkipLabel::default()).tests, 0);
    /// # Ok::<(), jiff::Error>(())
    /// ```
    pub fn new(period: SkipPeriod) -> Self {
        let (commits, seen, on_main) = (BTreeSet::new(), BTreeMap::new(), BTreeMap::new());
        Self { period, runs: 0, runs_before: 0, commits, seen, on_main }
    }

    /// Takes a run with one result for each of its tests, in any order of runs. A run outside of
    /// the periods counts for nothing. O(n log n).
    pub fn add<'r>(&mut self, run: SkipRun<'_>, results: impl IntoIterator<Item = SkipResult<'r>>) {
        let Some(place) = self.period.place(run.at) else { return };
        if place == 0 {
            self.runs += 1;
            self.commits.insert(run.commit.to_owned());
        } else {
            self.runs_before += 1;
        }
        for result in results {
            if run.on_main {
                self.note_status(run.at, &result);
            }
            if result.outcome != Outcome::Skipped {
                continue;
            }
            let seen = self.seen.entry(result.test.to_owned()).or_default();
            seen.periods |= 1 << place;
            if place == 0 {
                seen.group = result.group.map(str::to_owned).or(seen.group.take());
                seen.runs += 1;
                seen.commits.insert(run.commit.to_owned());
            }
        }
    }

    fn note_status(&mut self, at: Timestamp, result: &SkipResult<'_>) {
        let newest = self.on_main.get(result.test).is_none_or(|(known, _)| *known <= at);
        if newest && result.outcome != Outcome::NotRun {
            self.on_main.insert(result.test.to_owned(), (at, result.outcome));
        }
    }

    /// The report, with the label of each test by its id and its class. O(n log n) in the skipped
    /// tests.
    pub fn finish(self, label: impl Fn(&str, Option<&str>) -> SkipLabel) -> SkipsDocument {
        let commits = self.commits.len();
        let now = self.seen.iter().filter(|(_, seen)| seen.periods & 1 == 1);
        let mut skipped: Vec<SkippedTest> = now
            .map(|(test, seen)| {
                let label = label(test, seen.group.as_deref());
                let status = self.on_main.get(test).map(|(_, outcome)| *outcome);
                skipped_test(test, seen, (label, status), commits)
            })
            .collect();
        skipped.sort_by(|a, b| b.skips.cmp(&a.skips).then_with(|| a.test.cmp(&b.test)));
        let count = |of: fn(&SkippedTest) -> bool| skipped.iter().filter(|it| of(it)).count();
        let blamed = skipped.iter().any(|it| it.user.is_some());
        let nobody = if blamed { "(unknown)" } else { "(no owner)" }.to_owned();
        let user = |it: &SkippedTest| if blamed { it.user.clone() } else { it.team.clone() };
        let users = counts(&skipped, |it| user(it).unwrap_or_else(|| nobody.clone()));
        SkipsDocument {
            schema: SKIPS_SCHEMA,
            from: self.period.until.checked_sub(self.period.length).unwrap_or(Timestamp::MIN),
            until: self.period.until,
            runs: self.runs,
            runs_before: self.runs_before,
            commits,
            tests: skipped.len(),
            once: count(|it| it.once),
            over_half: count(|it| it.over_half),
            not_in_previous: count(|it| it.not_in_previous),
            not_in_previous_ten: count(|it| it.not_in_previous_ten),
            blamed,
            users,
            areas: counts(&skipped, |it| it.area.clone()),
            classes: counts(&skipped, |it| it.class.clone()),
            skipped,
        }
    }
}

fn skipped_test(
    test: &str,
    seen: &Seen,
    (label, status_on_main): (SkipLabel, Option<Outcome>),
    commits: usize,
) -> SkippedTest {
    let SkipLabel { area, team, user } = label;
    let class = seen.group.clone().unwrap_or_default();
    let rest = test.strip_prefix(class.as_str()).unwrap_or(test);
    let method = rest.strip_prefix('#').or_else(|| rest.strip_prefix("::")).unwrap_or(rest);
    SkippedTest {
        test: test.to_owned(),
        method: method.to_owned(),
        class,
        area,
        team,
        user,
        status_on_main,
        skips: seen.runs,
        commits: seen.commits.len(),
        once: seen.runs == 1,
        over_half: 2 * seen.commits.len() > commits,
        not_in_previous: seen.periods & 0b10 == 0,
        not_in_previous_ten: seen.periods >> 1 == 0,
    }
}

fn counts(skipped: &[SkippedTest], name: impl Fn(&SkippedTest) -> String) -> Vec<SkipCount> {
    let mut counts: BTreeMap<String, (usize, u64)> = BTreeMap::new();
    for test in skipped {
        let count = counts.entry(name(test)).or_default();
        *count = (count.0 + 1, count.1 + test.skips);
    }
    let count = |(name, (tests, skips))| SkipCount { name, tests, skips };
    let mut counts: Vec<SkipCount> = counts.into_iter().map(count).collect();
    counts.sort_by(|a, b| b.skips.cmp(&a.skips).then_with(|| a.name.cmp(&b.name)));
    counts
}
