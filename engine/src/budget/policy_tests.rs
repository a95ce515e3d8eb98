use super::*;
use crate::budget::{DaySpan, Weekdays};

fn rule(name: &str) -> Rule {
    Rule {
        name: name.to_owned(),
        branches: None,
        triggers: Vec::new(),
        labels: Vec::new(),
        calendar: None,
        budget: Budget { deadline: Some(Micros::from_secs(1_800)), ..Budget::default() },
    }
}

fn on(name: &str, patterns: &[&str]) -> Rule {
    Rule { branches: Some(Branches::new(patterns).expect("patterns")), ..rule(name) }
}

fn during(name: &str, zone: &str, days: &str, hours: &[&str]) -> Rule {
    let hours: Vec<_> = hours.iter().map(|h| DaySpan::parse(h).expect("hours")).collect();
    let days = Weekdays::parse(days).expect("days");
    Rule { calendar: Some(Calendar::new(zone, days, &hours).expect("zone")), ..rule(name) }
}

fn refused(rules: Vec<Rule>) -> PolicyError {
    Policy::new(rules).expect_err("a policy that cannot stand")
}

#[test]
fn the_talk_s_two_rules_apply_as_told() {
    let weekend = during("weekend", "America/Los_Angeles", "weekend", &[]);
    let policy =
        Policy::new(vec![on("hot fix", &["hotfix/**"]), weekend, rule("else")]).expect("a policy");
    let ask = |branch, at: &str| {
        let at = at.parse().expect("an instant");
        let now = Situation { branch: Some(branch), trigger: None, labels: &[], at };
        policy.choose(&now).rule.map(|r| r.name.clone())
    };
    assert_eq!(ask("hotfix/a/b", "2026-11-21T12:00:00-08:00").as_deref(), Some("hot fix"));
    assert_eq!(ask("main", "2026-11-21T12:00:00-08:00").as_deref(), Some("weekend"));
    assert_eq!(ask("main", "2026-11-23T12:00:00-08:00").as_deref(), Some("else"));
}

#[test]
fn every_rule_says_why() {
    let mut labelled = on("docs", &["main"]);
    labelled.labels = vec!["docs-only".to_owned()];
    let mut timed = rule("nightly");
    timed.triggers = vec![Trigger::Schedule];
    let policy = Policy::new(vec![labelled, timed, rule("else")]).expect("a policy");
    let at = Timestamp::UNIX_EPOCH;
    let now = Situation { branch: Some("main"), trigger: Some(Trigger::Push), labels: &[], at };
    let choice = policy.choose(&now);
    let said: Vec<_> = choice.traces.iter().map(|t| (t.matched, t.why.as_str())).collect();
    assert_eq!(
        said,
        [
            (false, "the run has no label docs-only"),
            (false, "trigger push is none of schedule"),
            (true, "it has no conditions"),
        ]
    );
}

#[test]
fn a_rule_below_one_without_conditions_can_never_match() {
    let error = refused(vec![rule("all"), on("late", &["main"])]);
    assert_eq!((error.index, error.key), (1, "name"));
    assert!(error.what.contains("`all` always matches"), "{}", error.what);
}

#[test]
fn two_rules_that_share_the_week_shadow_a_third() {
    let work = during("work", "Europe/Vienna", "weekday", &[]);
    let free = during("free", "Europe/Vienna", "weekend", &[]);
    let third = during("third", "Europe/Vienna", "mon-sun", &["08:00-09:00"]);
    let error = refused(vec![work.clone(), free.clone(), third]);
    assert!(error.what.contains("`work` or `free`"), "{}", error.what);
    assert!(refused(vec![work.clone(), free, rule("rest")]).what.contains("`work` or `free`"));
    let elsewhere = during("free", "Asia/Tokyo", "weekend", &[]);
    assert!(Policy::new(vec![work, elsewhere, rule("rest")]).is_ok(), "zones leave gaps");
}

#[test]
fn a_rule_for_other_triggers_or_branches_shadows_nothing() {
    let mut merges = rule("merges");
    merges.triggers = vec![Trigger::Merge];
    let mut all = rule("each");
    all.triggers = Trigger::ALL.to_vec();
    assert!(Policy::new(vec![merges, rule("rest")]).is_ok());
    assert!(Policy::new(vec![all, rule("unknown trigger")]).is_ok());
    assert!(Policy::new(vec![on("a", &["rel-*"]), on("b", &["*"])]).is_ok());
    assert_eq!(refused(vec![on("a", &["rel-*"]), on("b", &["rel-1"])]).index, 1);
}

#[test]
fn budgets_without_sense_name_their_key() {
    let with = |change: &dyn Fn(&mut Budget)| {
        let mut one = rule("one");
        change(&mut one.budget);
        refused(vec![one]).key
    };
    assert_eq!(with(&|b| b.confidence = Some(1.0)), "confidence");
    assert_eq!(with(&|b| b.confidence = Some(f64::NAN)), "confidence");
    assert_eq!(with(&|b| (b.deadline, b.confidence) = (None, Some(0.9))), "confidence");
    assert_eq!(with(&|b| b.deadline = Some(Micros::ZERO)), "deadline");
    assert_eq!(with(&|b| b.workers_min = 0), "workers-min");
    assert_eq!(with(&|b| (b.workers_min, b.workers_max) = (5, Some(4))), "workers-max");
    assert_eq!(with(&|b| b.retry_share = 1.0), "retry-share");
    assert_eq!(refused(vec![rule("one"), rule("one")]).key, "name");
}

#[test]
fn a_malformed_pattern_is_named() {
    let error = Branches::new(&["main", "rel-[1"]).expect_err("no pattern");
    assert!(error.starts_with("`rel-[1` is no branch pattern"), "{error}");
}

#[test]
fn the_share_for_retries_comes_off_the_deadline() {
    let budget =
        Budget { deadline: Some(Micros::from_secs(100)), retry_share: 0.2, ..Budget::default() };
    assert_eq!(budget.first_deadline(), Some(Micros::from_secs(80)));
}
