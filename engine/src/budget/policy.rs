//! Which budget a run has.
//!
//! Decides the first rule whose branch, trigger, labels, days and hours match, and says of every
//! rule why it matched or not. Refuses a policy that contradicts itself, above all a rule that
//! can never match. Never reads a file: the command turns `rasher.toml` into these types.

use globset::{Glob, GlobBuilder, GlobSet, GlobSetBuilder};
use jiff::Timestamp;

use super::calendar::Calendar;
use super::confidence::Factor;
use super::cost::Money;
use super::size::{Ask, Limits};
use crate::units::Micros;

/// What started a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Trigger {
    /// A push to a branch.
    Push,
    /// A pull or merge request.
    PullRequest,
    /// A merge, or a merge queue about to.
    Merge,
    /// A timer.
    Schedule,
    /// An urgent repair of what is released.
    Hotfix,
    /// A person.
    Manual,
}

impl Trigger {
    /// Every trigger.
    pub const ALL: [Self; 6] =
        [Self::Push, Self::PullRequest, Self::Merge, Self::Schedule, Self::Hotfix, Self::Manual];

    /// The word in a policy.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Push => "push",
            Self::PullRequest => "pull-request",
            Self::Merge => "merge",
            Self::Schedule => "schedule",
            Self::Hotfix => "hotfix",
            Self::Manual => "manual",
        }
    }

    /// The trigger of a word of [`Trigger::word`].
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|trigger| trigger.word() == word)
    }
}

/// Branch patterns: `*` stays between slashes, `**` crosses them, `{a,b}` and `[a-z]` choose.
#[derive(Clone, Debug)]
pub struct Branches {
    patterns: Vec<String>,
    set: GlobSet,
}

impl Branches {
    /// Compiles the patterns.
    ///
    /// ```
    /// use rasher::budget::Branches;
    /// let hot = Branches::new(&["hotfix/*", "release-*"])?;
    /// assert!(hot.has("hotfix/login") && !hot.has("hotfix/a/b") && !hot.has("main"));
    /// # Ok::<(), String>(())
    /// ```
    ///
    /// # Errors
    /// Says which pattern is malformed and how.
    pub fn new<S: AsRef<str>>(patterns: &[S]) -> Result<Self, String> {
        let mut set = GlobSetBuilder::new();
        for pattern in patterns {
            set.add(glob(pattern.as_ref())?);
        }
        let patterns = patterns.iter().map(|p| p.as_ref().to_owned()).collect();
        Ok(Self { patterns, set: set.build().map_err(|e| e.to_string())? })
    }

    /// Whether one of the patterns fits the whole name.
    pub fn has(&self, branch: &str) -> bool {
        self.set.is_match(branch)
    }

    /// True only if every branch that fits `other` fits these too; a pattern without special
    /// characters is a name and is simply tried.
    fn cover(&self, other: &Self) -> bool {
        let literal = |p: &str| !p.contains(['*', '?', '[', '{', '\\', '!']);
        self.patterns.iter().any(|p| p == "**")
            || other
                .patterns
                .iter()
                .all(|p| self.patterns.contains(p) || (literal(p) && self.has(p)))
    }
}

fn glob(pattern: &str) -> Result<Glob, String> {
    GlobBuilder::new(pattern)
        .literal_separator(true)
        .backslash_escape(true)
        .build()
        .map_err(|e| format!("`{pattern}` is no branch pattern: {}", e.kind()))
}

/// What a run may take, what it may cost and what it may use.
#[derive(Clone, Debug, PartialEq)]
pub struct Budget {
    /// By when it must be done, counted from the request.
    pub deadline: Option<Micros>,
    /// How sure that must be, from 0 to 1; without it the plain prediction must meet it.
    pub confidence: Option<f64>,
    /// What it may cost.
    pub cost_max: Option<Money>,
    /// At least so many workers.
    pub workers_min: u32,
    /// At most so many workers.
    pub workers_max: Option<u32>,
    /// The pools that may be used; empty means all.
    pub pools: Vec<String>,
    /// Whether interruptible workers may be used.
    pub spot: bool,
    /// A lazy run never adds workers: it takes the fewest that meet its deadline, though more were
    /// cheaper, no more than are idle, and the least there may be without a deadline.
    pub lazy: bool,
    /// The part of the deadline that is kept for retries, from 0 to 1.
    pub retry_share: f64,
}

impl Default for Budget {
    fn default() -> Self {
        Self {
            deadline: None,
            confidence: None,
            cost_max: None,
            workers_min: 1,
            workers_max: None,
            pools: Vec::new(),
            spot: true,
            lazy: false,
            retry_share: 0.0,
        }
    }
}

impl Budget {
    /// The deadline of the first attempt: what is kept for retries is taken off.
    pub fn first_deadline(&self) -> Option<Micros> {
        Some(self.deadline? - self.retry_time()?)
    }

    /// The part of the deadline that is kept for retries.
    ///
    /// ```
    /// use rasher::{budget::Budget, units::Micros};
    /// let deadline = Some(Micros::from_secs(1_800));
    /// let budget = Budget { deadline, retry_share: 0.2, ..Budget::default() };
    /// assert_eq!(budget.retry_time(), Some(Micros::from_secs(360)));
    /// assert_eq!(budget.first_deadline(), Some(Micros::from_secs(1_440)));
    /// ```
    pub fn retry_time(&self) -> Option<Micros> {
        self.deadline.map(|deadline| deadline.scale(self.retry_share.clamp(0.0, 1.0)))
    }

    /// What is asked of a fleet for the first attempt, where predictions are stretched by `factor`.
    pub fn ask(&self, factor: Factor) -> Ask {
        let (deadline, cost_max) = (self.first_deadline(), self.cost_max);
        Ask { deadline, cost_max, factor, fewest: self.lazy }
    }

    /// The limits of a fleet: this budget's within `workers_max`, and those of the account. A lazy
    /// run has no more workers than are `idle`, and without a deadline no more than it must.
    pub fn limits(&self, workers_max: u32, idle: Option<u32>) -> Limits {
        let mut most = self.workers_max.unwrap_or(workers_max).min(workers_max);
        if self.lazy {
            most = most.min(idle.unwrap_or(most).max(1));
            if self.deadline.is_none() {
                most = most.min(self.workers_min);
            }
        }
        Limits { workers_min: self.workers_min, workers_max: most, concurrent_max: None }
    }
}

/// A named rule: when it applies, and the budget then.
#[derive(Clone, Debug)]
pub struct Rule {
    /// Its name in answers.
    pub name: String,
    /// The branches; `None` means every one, known or not.
    pub branches: Option<Branches>,
    /// The triggers; empty means every one, known or not.
    pub triggers: Vec<Trigger>,
    /// Labels that the run must all have.
    pub labels: Vec<String>,
    /// The days and hours.
    pub calendar: Option<Calendar>,
    /// What applies then.
    pub budget: Budget,
}

/// What is known of a run when its budget is asked for.
#[derive(Clone, Debug)]
pub struct Situation<'a> {
    /// The branch, where it is known.
    pub branch: Option<&'a str>,
    /// What started the run, where it is known.
    pub trigger: Option<Trigger>,
    /// Its labels.
    pub labels: &'a [String],
    /// The instant of the request.
    pub at: Timestamp,
}

/// What a rule said to a situation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleTrace {
    /// The rule.
    pub rule: String,
    /// Whether it fits.
    pub matched: bool,
    /// Why it fits, or the first condition that does not.
    pub why: String,
}

/// The rule that applies and what every rule said.
#[derive(Clone, Debug)]
pub struct Choice<'a> {
    /// The first rule that fits; `None` where no rule does.
    pub rule: Option<&'a Rule>,
    /// Every rule in order.
    pub traces: Vec<RuleTrace>,
}

/// A rule that cannot stand, and which of its keys says so.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("rule `{name}`: {what}")]
pub struct PolicyError {
    /// Its position, from 0.
    pub index: usize,
    /// Its name.
    pub name: String,
    /// The key that is wrong, as `rasher.toml` spells it.
    pub key: &'static str,
    /// What is wrong and what to do.
    pub what: String,
}

/// The rules in order; the first that fits applies.
#[derive(Clone, Debug, Default)]
pub struct Policy {
    rules: Vec<Rule>,
}

impl Policy {
    /// Takes the rules, unless one is without sense or can never match.
    ///
    /// A rule that can never match is found exactly as far as branch patterns can be compared (a
    /// pattern against itself, `**`, a plain name against a pattern): its triggers and the
    /// minutes of its week are covered by the rules above it.
    ///
    /// # Errors
    /// The first wrong rule, with the key to blame.
    pub fn new(rules: Vec<Rule>) -> Result<Self, PolicyError> {
        for (index, rule) in rules.iter().enumerate() {
            let wrong = |(key, what): (&'static str, String)| PolicyError {
                index,
                name: rule.name.clone(),
                key,
                what,
            };
            if rules[..index].iter().any(|r| r.name == rule.name) {
                return Err(wrong(("name", "another rule above has this name".to_owned())));
            }
            check_budget(&rule.budget).map_err(wrong)?;
            if rule.calendar.as_ref().is_some_and(Calendar::is_empty) {
                return Err(wrong(("days", "no day is left, so it can never match".to_owned())));
            }
            if let Some(above) = shadow(&rules[..index], rule) {
                let what = format!("it can never match: {above} always matches before it");
                return Err(wrong(("name", what)));
            }
        }
        Ok(Self { rules })
    }

    /// The rules in order.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// The first rule that fits, without what the others said.
    pub fn first(&self, situation: &Situation) -> Option<&Rule> {
        self.rules.iter().find(|rule| rule.holds(situation))
    }

    /// The first rule that fits, and what every rule said.
    pub fn choose(&self, situation: &Situation) -> Choice<'_> {
        let mut first = None;
        let traces = self.rules.iter().map(|rule| {
            let said = rule.fits(situation);
            let matched = said.is_ok();
            if matched && first.is_none() {
                first = Some(rule);
            }
            let why = match said {
                Ok(why) | Err(why) => why,
            };
            RuleTrace { rule: rule.name.clone(), matched, why }
        });
        let traces = traces.collect();
        Choice { rule: first, traces }
    }
}

impl Rule {
    /// Whether it fits.
    fn holds(&self, now: &Situation) -> bool {
        let calendar = self.calendar.as_ref();
        self.holds_but_for_time(now) && calendar.is_none_or(|it| it.contains(now.at))
    }

    /// Whether branch, trigger and labels fit.
    pub(super) fn holds_but_for_time(&self, now: &Situation) -> bool {
        let branches = self.branches.as_ref();
        branches.is_none_or(|own| now.branch.is_some_and(|branch| own.has(branch)))
            && (self.triggers.is_empty() || now.trigger.is_some_and(|t| self.triggers.contains(&t)))
            && self.labels.iter().all(|label| now.labels.contains(label))
    }

    /// Why it fits, or why not.
    fn fits(&self, now: &Situation) -> Result<String, String> {
        let mut why = Vec::new();
        if let Some(branches) = &self.branches {
            let patterns = branches.patterns.join(", ");
            match now.branch {
                None => return Err(format!("the branch is not known; it wants {patterns}")),
                Some(b) if !branches.has(b) => {
                    return Err(format!("branch {b} does not fit {patterns}"));
                }
                Some(b) => why.push(format!("branch {b} fits {patterns}")),
            }
        }
        if !self.triggers.is_empty() {
            let words: Vec<_> = self.triggers.iter().map(|t| t.word()).collect();
            let words = words.join(", ");
            match now.trigger {
                None => return Err(format!("the trigger is not known; it wants {words}")),
                Some(t) if !self.triggers.contains(&t) => {
                    return Err(format!("trigger {} is none of {words}", t.word()));
                }
                Some(t) => why.push(format!("trigger {}", t.word())),
            }
        }
        if let Some(missing) = self.labels.iter().find(|l| !now.labels.contains(l)) {
            return Err(format!("the run has no label {missing}"));
        }
        why.extend(self.labels.iter().map(|l| format!("label {l}")));
        if let Some(calendar) = &self.calendar {
            let clock = format!("{} in {}", calendar.wall_clock(now.at), calendar.zone_name());
            if !calendar.contains(now.at) {
                return Err(format!("{clock} is outside its days and hours"));
            }
            why.push(format!("{clock} is within its days and hours"));
        }
        Ok(if why.is_empty() { "it has no conditions".to_owned() } else { why.join("; ") })
    }

    /// Whether branch and labels leave nothing of `other`.
    fn covers_place(&self, other: &Self) -> bool {
        let branches = match (&self.branches, &other.branches) {
            (None, _) => true,
            (Some(own), Some(others)) => own.cover(others),
            (Some(_), None) => false,
        };
        branches && self.labels.iter().all(|label| other.labels.contains(label))
    }
}

/// What no budget may say.
fn check_budget(budget: &Budget) -> Result<(), (&'static str, String)> {
    if budget.confidence.is_some_and(|c| !(0.0..1.0).contains(&c)) {
        return Err(("confidence", "write a share from 0 to below 1, such as 0.95".to_owned()));
    }
    if budget.confidence.is_some() && budget.deadline.is_none() {
        return Err(("confidence", "there is no `deadline` to be sure of".to_owned()));
    }
    if budget.deadline.is_some_and(Micros::is_zero) {
        return Err(("deadline", "no run is done at once".to_owned()));
    }
    if budget.workers_min == 0 {
        return Err(("workers-min", "a run needs at least one worker".to_owned()));
    }
    if budget.workers_max.is_some_and(|most| most < budget.workers_min) {
        return Err(("workers-max", "it is less than `workers-min`".to_owned()));
    }
    if !(0.0..1.0).contains(&budget.retry_share) {
        return Err(("retry-share", "write a share from 0 to below 1, such as 20%".to_owned()));
    }
    Ok(())
}

/// The rules above that leave nothing to `rule`, named.
fn shadow(above: &[Rule], rule: &Rule) -> Option<String> {
    let above: Vec<&Rule> = above.iter().filter(|r| r.covers_place(rule)).collect();
    // `None` stands for an unknown trigger, which only a rule without triggers takes.
    let mut triggers: Vec<Option<Trigger>> = rule.triggers.iter().copied().map(Some).collect();
    if triggers.is_empty() {
        triggers = Trigger::ALL.into_iter().map(Some).chain([None]).collect();
    }
    let mut blamed: Vec<&str> = Vec::new();
    for trigger in triggers {
        let takes =
            |r: &&&Rule| r.triggers.is_empty() || trigger.is_some_and(|t| r.triggers.contains(&t));
        let by = covering(above.iter().filter(takes).copied(), rule.calendar.as_ref())?;
        blamed.extend(by.into_iter().filter(|name| !blamed.contains(name)).collect::<Vec<_>>());
    }
    let quoted: Vec<_> = blamed.iter().map(|name| format!("`{name}`")).collect();
    Some(quoted.join(" or "))
}

/// The rules among `above` whose days and hours together cover those of `calendar`.
///
/// Weeks can be compared only within a zone: either the rules of the calendar's own zone cover
/// its minutes, or those of some zone cover the whole week.
fn covering<'a>(
    above: impl Iterator<Item = &'a Rule>,
    calendar: Option<&'a Calendar>,
) -> Option<Vec<&'a str>> {
    let above: Vec<&Rule> = above.collect();
    let always = |r: &&&Rule| r.calendar.as_ref().is_none_or(Calendar::is_always);
    if let Some(one) = above.iter().find(always) {
        return Some(vec![&one.name]);
    }
    let full = Calendar::always();
    let own = calendar.map(|c| (c.zone_name(), c.week()));
    let zones = above.iter().filter_map(|r| r.calendar.as_ref()).map(Calendar::zone_name);
    own.into_iter()
        .chain(zones.map(|zone| (zone, full.week())))
        .find_map(|(zone, week)| covering_in(&above, zone, week))
}

fn covering_in<'a>(above: &[&'a Rule], zone: &str, week: &[u64]) -> Option<Vec<&'a str>> {
    let mut open = week.to_vec();
    let mut by = Vec::new();
    for rule in above {
        let Some(own) = rule.calendar.as_ref().filter(|c| c.zone_name() == zone) else { continue };
        if open.iter().zip(own.week()).any(|(left, has)| left & has != 0) {
            by.push(rule.name.as_str());
        }
        for (left, has) in open.iter_mut().zip(own.week()) {
            *left &= !has;
        }
    }
    open.iter().all(|word| *word == 0).then_some(by)
}

#[cfg(test)]
#[path = "policy_tests.rs"]
mod tests;
