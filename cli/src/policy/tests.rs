use std::path::PathBuf;

use jiff::Timestamp;
use rasher::budget::Situation;

use super::*;

fn read_text(text: &str) -> Result<Settings, Fault> {
    let file = ConfigFile::of_text(PathBuf::from("rasher.toml"), text);
    Settings::read(Some(&file))
}

fn refused(text: &str) -> String {
    format!("{:?}", read_text(text).expect_err("a file that cannot be meant"))
}

#[test]
fn the_example_file_holds_the_talk_s_two_rules() {
    let settings = read_text(include_str!("../../examples/rasher.toml")).expect("a good file");
    let ask = |branch: &str, at: &str| {
        let at: Timestamp = at.parse().expect("an instant");
        let now = Situation { branch: Some(branch), trigger: None, labels: &[], at };
        let rule = settings.policy.choose(&now).rule.expect("a rule");
        (rule.name.clone(), rule.budget.deadline)
    };
    let minutes = |m: u64| Some(Micros::from_secs(m * 60));
    let (monday, sunday) = ("2026-11-23T12:00:00-08:00", "2026-11-22T12:00:00-08:00");
    assert_eq!(ask("hotfix/login", sunday), ("hot fix".to_owned(), minutes(30)));
    assert_eq!(ask("main", sunday), ("weekend".to_owned(), minutes(90)));
    assert_eq!(ask("main", monday), ("working day".to_owned(), minutes(40)));
    assert!(settings.pools.iter().any(|p| p.spot.is_some()));
}

#[test]
fn what_cannot_be_meant_is_blamed_on_its_line_and_column() {
    for (text, place, word) in [
        ("[[rule]]\nname = \"a\"\ndeadlin = \"30m\"\n", "3:1", "deadlin"),
        ("[[rule]]\ndeadline = \"soon\"\n", "2:12", "soon"),
        ("[[rule]]\ndays = [\"sun\"]\nzone = \"Europe/Atlantis\"\n", "3:8", "Europe/Atlantis"),
        ("[[rule]]\ndays = [\"sun\"]\n", "2:8", "which zone"),
        ("[[rule]]\nzone = \"UTC\"\n", "2:8", "neither"),
        ("[[rule]]\nzone = \"UTC\"\nhours = [\"9:00-9:00\"]\n", "3:10", "empty"),
        ("[[rule]]\nzone = \"UTC\"\ndays = []\n", "3:8", "never match"),
        ("[[rule]]\ntriggers = [\"pul\"]\n", "2:13", "pull-request"),
        ("[[rule]]\npools = [\"big\"]\n", "2:10", "big"),
        ("[[rule]]\nretry-share = \"120%\"\n", "2:15", "120%"),
        ("[[rule]]\nbranches = [\"rel-[1\"]\n", "2:12", "rel-[1"),
        ("[[rule]]\nname = \"all\"\n[[rule]]\nname = \"late\"\n", "4:8", "always matches"),
        ("[[pool]]\nname = \"a\"\nprice = \"-1\"\n", "3:9", "-1"),
        ("[[pool]]\nname = \"a\"\nspeed = 0.0\n", "3:9", "not above 0"),
    ] {
        let fault = refused(text);
        assert!(fault.contains(&format!("rasher.toml:{place}")), "{text}: {fault}");
        assert!(fault.contains(word), "{text}: {fault}");
    }
}

#[test]
fn a_budget_uses_only_the_pools_it_allows() {
    let settings = read_text(
        "[[pool]]\nname = \"big\"\n[[pool]]\nname = \"cheap\"\n\
         spot = { interruptions-per-hour = 0.1, work-lost = \"5m\" }\n",
    )
    .expect("a good file");
    let names = |budget: Budget| -> Vec<String> {
        settings.pools_for(&budget).into_iter().map(|p| p.name).collect()
    };
    assert_eq!(names(Budget::default()), ["big", "cheap"]);
    assert_eq!(names(Budget { spot: false, ..Budget::default() }), ["big"]);
    assert_eq!(names(Budget { pools: vec!["cheap".into()], ..Budget::default() }), ["cheap"]);
}

#[test]
fn shares_are_percentages_or_fractions() {
    assert_eq!(share("20%"), Ok(0.2));
    assert_eq!(share("0.25"), Ok(0.25));
    assert!(share("100%").is_err() && share("-1%").is_err() && share("x").is_err());
}
