//! Which rule applies when.
//!
//! Decides for a stretch of time, not for an instant, what [`Policy::first`] decides: for a table of
//! the year, where a slip in days or hours is seen at once.

use jiff::{SignedDuration, Timestamp};

use super::calendar::Calendar;
use super::policy::{Policy, Rule, Situation};

/// A stretch of time in which one rule applies, or none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stretch {
    /// Its first instant.
    pub from: Timestamp,
    /// The first instant after it.
    pub to: Timestamp,
    /// The rule's place in [`Policy::rules`]; none where no rule fits.
    pub rule: Option<usize>,
}

impl Policy {
    /// The rules that apply from `now.at` up to `to`, for a run like `now`: stretches that follow
    /// each other without a gap, each as long as it can be.
    ///
    /// Days and hours change by the minute, and so does the answer: one look at the calendars for
    /// each minute.
    ///
    /// ```
    /// use rasher::budget::{Calendar, Policy, Rule, Situation, Weekdays, Budget};
    /// let weekend = Calendar::new("UTC", Weekdays::parse("weekend")?, &[])?;
    /// let rule = |name: &str, calendar| Rule {
    ///     name: name.to_owned(),
    ///     branches: None,
    ///     triggers: Vec::new(),
    ///     labels: Vec::new(),
    ///     calendar,
    ///     budget: Budget::default(),
    /// };
    /// let policy = Policy::new(vec![rule("weekend", Some(weekend)), rule("else", None)])?;
    /// let monday = "2026-11-23T00:00:00Z".parse()?;
    /// let now = Situation { branch: None, trigger: None, labels: &[], at: monday };
    /// let week = policy.stretches(&now, "2026-11-30T00:00:00Z".parse()?);
    /// assert_eq!(week.len(), 2);
    /// assert_eq!(week[1].from, "2026-11-28T00:00:00Z".parse()?);
    /// assert_eq!((week[0].rule, week[1].rule), (Some(1), Some(0)));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn stretches(&self, now: &Situation, to: Timestamp) -> Vec<Stretch> {
        let place = |rule: &&(usize, &Rule)| rule.1.holds_but_for_time(now);
        let rules: Vec<(usize, &Rule)> = self.rules().iter().enumerate().collect();
        let possible: Vec<(usize, Option<&Calendar>)> =
            rules.iter().filter(place).map(|(at, rule)| (*at, rule.calendar.as_ref())).collect();
        let rule_at = |at: Timestamp| {
            let fits = |(_, calendar): &&(usize, Option<&Calendar>)| {
                calendar.is_none_or(|calendar| calendar.contains(at))
            };
            possible.iter().find(fits).map(|(rule, _)| *rule)
        };
        let mut stretches: Vec<Stretch> = Vec::new();
        let mut at = now.at;
        while at < to {
            let second = at.as_second().rem_euclid(60);
            let next = at.checked_add(SignedDuration::from_secs(60 - second)).unwrap_or(to);
            let (rule, next) = (rule_at(at), next.min(to));
            match stretches.last_mut().filter(|last| last.rule == rule) {
                Some(last) => last.to = next,
                None => stretches.push(Stretch { from: at, to: next, rule }),
            }
            at = next;
        }
        stretches
    }
}
