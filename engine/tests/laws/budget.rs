use jiff::Timestamp;
use jiff::tz::TimeZoneDatabase;
use proptest::prelude::*;
use proptest::test_runner::FileFailurePersistence;
use rasher::budget::{
    Ask, Billing, Bounds, Branches, Budget, Calendar, Calibration, DaySpan, Factor, Fleet, Limits,
    Money, Policy, Pool, Rule, Situation, Sizing, Spot, Trigger, Unit, Weekdays, Work, frontier,
    size,
};
use rasher::units::Micros;

const MINUTE: u64 = 60_000_000;

fn config(cases: u32) -> ProptestConfig {
    ProptestConfig {
        cases,
        failure_persistence: Some(Box::new(FileFailurePersistence::SourceParallel(
            "../../proptest-regressions",
        ))),
        ..ProptestConfig::default()
    }
}

/// Longest first on the worker that would be done first: a planner that is good enough here.
fn loads(tests: &[u64], pools: &[Pool], fleet: &[u32]) -> Vec<(usize, Micros)> {
    let mut sorted = tests.to_vec();
    sorted.sort_unstable_by(|a, b| b.cmp(a));
    let mut loads: Vec<(usize, Micros)> = Vec::new();
    for (pool, count) in fleet.iter().enumerate() {
        loads.extend((0..*count).map(|_| (pool, Micros::ZERO)));
    }
    for test in sorted {
        let test = Micros::new(test);
        if let Some(best) = loads.iter_mut().min_by_key(|(pool, l)| pools[*pool].up(*l + test)) {
            best.1 += test;
        }
    }
    loads
}

/// Finish, promise and cost of a fleet, worked out without the module under test.
fn judge(loads: &[(usize, Micros)], pools: &[Pool], cap: Option<u32>, factor: f64) -> [u64; 3] {
    let up = |pool: &Pool, load: Micros, factor: f64| {
        (pool.startup + pool.overhead + load.scale(pool.slowdown() * factor)).get()
    };
    let finish = |factor: f64| {
        let mut ups: Vec<u64> = loads.iter().map(|(p, l)| up(&pools[*p], *l, factor)).collect();
        ups.sort_unstable_by(|a, b| b.cmp(a));
        let mut slots = vec![0u64; cap.map_or(ups.len(), |c| c as usize).max(1)];
        for one in ups {
            let least = slots.iter_mut().min().expect("a slot");
            *least += one;
        }
        slots.into_iter().max().unwrap_or(0)
    };
    let mut product = 0u128;
    for (pool, load) in loads {
        let pool = &pools[*pool];
        let time = up(pool, *load, 1.0).max(pool.billing.minimum.get());
        let steps = time.div_ceil(pool.billing.granularity.get().max(1));
        let price = pool.price_per_hour.unwrap_or(Money::ZERO).millionths();
        product += u128::from(steps * pool.billing.granularity.get().max(1)) * u128::from(price);
    }
    let cost = u64::try_from(product.div_ceil(3_600_000_000)).expect("a small sum");
    [finish(1.0), finish(factor), cost]
}

fn fleets(pools: &[Pool], most: u32) -> Vec<Fleet> {
    let mut all: Vec<Fleet> = vec![Vec::new()];
    for pool in pools {
        let cap = pool.workers_max.unwrap_or(most).min(most);
        all = all
            .into_iter()
            .flat_map(|head| (0..=cap).map(move |n| head.iter().copied().chain([n]).collect()))
            .collect();
    }
    all.retain(|f| (1..=most).contains(&f.iter().sum()));
    all
}

/// One budget question, with everything that bears on it.
#[derive(Clone, Debug)]
struct Question {
    tests: Vec<u64>,
    pools: Vec<Pool>,
    limits: Limits,
    ask: Ask,
}

impl Question {
    fn answer(&self) -> Sizing {
        let bounds = Bounds::new(&self.tests, self.limits.workers_max);
        let mut plan = |fleet: &[u32]| loads(&self.tests, &self.pools, fleet);
        let work = Work { bounds: &bounds, loads: &mut plan };
        size(work, &self.pools, self.limits, self.ask)
    }

    /// Every fleet there is, with [finish, promise, cost].
    fn every(&self) -> Vec<(Fleet, [u64; 3])> {
        let most = self.limits.workers_max;
        let there: u32 = self.pools.iter().map(|p| p.workers_max.unwrap_or(most)).sum();
        let least = self.limits.workers_min.min(there);
        fleets(&self.pools, self.limits.workers_max)
            .into_iter()
            .filter(|f| f.iter().sum::<u32>() >= least)
            .map(|fleet| {
                let loads = loads(&self.tests, &self.pools, &fleet);
                let cap = self.limits.concurrent_max;
                let facts = judge(&loads, &self.pools, cap, self.ask.factor.factor);
                (fleet, facts)
            })
            .collect()
    }

    fn meets(&self, [_, promise, cost]: [u64; 3]) -> bool {
        self.ask.deadline.is_none_or(|d| promise <= d.get())
            && self.ask.cost_max.is_none_or(|c| cost <= c.millionths())
    }

    /// Asserts that the answer is the one that the exhaustive search finds.
    fn check(&self) -> Sizing {
        let found = self.answer();
        let every = self.every();
        let meeting: Vec<_> = every.iter().filter(|(_, facts)| self.meets(*facts)).collect();
        assert_eq!(found.feasible, !meeting.is_empty(), "{self:?}: {found:?}");
        let (_, facts) =
            every.iter().find(|(fleet, _)| *fleet == found.fleet).expect("a fleet within limits");
        assert_eq!(found.finish.get(), facts[0]);
        assert_eq!(found.promised.get(), facts[1]);
        if let Some(cost) = found.cost {
            assert_eq!(cost.millionths(), facts[2]);
        }
        let workers = |fleet: &Fleet| u64::from(fleet.iter().sum::<u32>());
        let priced = self.pools.iter().all(|p| p.price_per_hour.is_some());
        let value = |fleet: &Fleet, facts: [u64; 3]| match (self.ask.deadline, found.feasible) {
            (Some(_), true) if priced && !self.ask.fewest => facts[2],
            (Some(_), true) => workers(fleet),
            (Some(_), false) | (None, true) => facts[1],
            (None, false) => facts[2],
        };
        let among = if found.feasible { meeting } else { every.iter().collect() };
        let best = among.into_iter().map(|(fleet, facts)| value(fleet, *facts)).min();
        assert_eq!(Some(value(&found.fleet, *facts)), best, "{self:?}: {found:?}");
        assert!(found.gap == 0.0, "{}", found.gap);
        found
    }
}

fn pool(name: &str) -> impl Strategy<Value = Pool> + use<> {
    let name = name.to_owned();
    let billing = prop_oneof![
        Just(Billing::SECOND),
        Just(Billing::MINUTE),
        Just(Billing::HOUR),
        Just(Billing { granularity: Micros::ZERO, minimum: Micros::ZERO }),
    ];
    let spot = prop::option::of((0.0..4.0, 1u64..60)).prop_map(|s| {
        s.map(|(interruptions_per_hour, lost)| Spot {
            interruptions_per_hour,
            work_lost: Micros::new(lost * MINUTE),
        })
    });
    let speed = prop::sample::select(vec![1.0, 1.0, 0.5, 1.7]);
    let price = prop::option::weighted(0.85, 10_000u64..900_000);
    let cap = prop::option::of(1u32..6);
    (billing, spot, speed, 0u64..20, price, cap).prop_map(
        move |(billing, spot, speed, startup, price, workers_max)| Pool {
            tags: Vec::new(),
            name: name.clone(),
            price_per_hour: price.map(Money::from_millionths),
            billing,
            startup: Micros::new(startup * MINUTE / 2),
            overhead: Micros::new(startup * 1_000_000),
            speed,
            workers_max,
            spot,
        },
    )
}

fn question() -> impl Strategy<Value = Question> {
    let tests = prop::collection::vec(1u64..40 * MINUTE, 1..12);
    let pools = prop_oneof![
        pool("one").prop_map(|p| vec![p]),
        (pool("one"), pool("two")).prop_map(|(a, b)| vec![a, b]),
    ];
    let limits = (1u32..3, 3u32..9, prop::option::of(2u32..6)).prop_map(|(min, max, cap)| Limits {
        workers_min: min,
        workers_max: max,
        concurrent_max: cap,
    });
    let deadline = prop::option::of(1u64..120);
    let cost = prop::option::weighted(0.4, 100_000u64..9_000_000);
    let ask =
        (deadline, cost, 1.0..1.6f64, any::<bool>()).prop_map(|(deadline, cost, f, fewest)| Ask {
            deadline: deadline.map(|d| Micros::new(d * MINUTE)),
            cost_max: cost.map(Money::from_millionths),
            factor: Factor { factor: f, ..Factor::ONE },
            fewest,
        });
    (tests, pools, limits, ask).prop_map(|(tests, pools, limits, ask)| Question {
        tests,
        pools,
        limits,
        ask,
    })
}

proptest! {
    #![proptest_config(config(400))]

    #[test]
    fn the_fleet_is_the_one_an_exhaustive_search_finds(question in question()) {
        // Where the sum is short but time is not, nearness is by cost; tested by its own law.
        let both = question.ask.deadline.is_some() && question.ask.cost_max.is_some();
        prop_assume!(!both || question.answer().feasible);
        question.check();
    }

    #[test]
    fn what_cannot_be_met_is_answered_with_the_nearest_and_a_reason(question in question()) {
        let mut question = question;
        question.ask.deadline = Some(Micros::new(1));
        question.ask.cost_max = None;
        let found = question.check();
        prop_assert!(!found.feasible);
        prop_assert!(found.why.contains("deadline is"), "{}", found.why);
    }

    #[test]
    fn a_frontier_point_is_never_slower_than_a_plan_and_bounds_never_rise(
        tests in prop::collection::vec(1u64..40 * MINUTE, 1..30),
        pool in pool("one"),
    ) {
        let bounds = Bounds::new(&tests, 40);
        let pool = Pool { workers_max: None, ..pool };
        let table = frontier(&bounds, &pool, 1..=40, None);
        for point in &table.points {
            let loads = loads(&tests, std::slice::from_ref(&pool), &[point.workers]);
            let [finish, ..] = judge(&loads, std::slice::from_ref(&pool), None, 1.0);
            prop_assert!(point.finish.get() <= finish);
        }
        prop_assert!(table.points.windows(2).all(|w| w[1].finish <= w[0].finish));
        let useful = table.useful_workers_max;
        prop_assert_eq!(bounds.lower(useful), bounds.lower(1_000));
        prop_assert!(useful == 1 || bounds.lower(useful - 1) > bounds.lower(useful));
    }

    #[test]
    fn the_bound_with_set_ups_is_the_smallest_time_that_has_room_for_them(
        units in prop::collection::vec((1u64..60, 0u64..30), 1..12),
        workers in 1u32..12,
    ) {
        let units: Vec<Unit> =
            units.iter().map(|(work, setup)| Unit { work: *work, setup: *setup, longest: 1 }).collect();
        let tests: Vec<u64> = units.iter().flat_map(|u| vec![1; u.work as usize]).collect();
        let bound = Bounds::new(&tests, 12).with_units(&units).lower(workers).get();
        let room = |time: u64| {
            let needed: u64 = units
                .iter()
                .map(|u| {
                    if u.work + u.setup <= time { return u.work + u.setup; }
                    u.work + u.setup * u.work.div_ceil(time.saturating_sub(u.setup).max(1))
                })
                .sum();
            needed <= time * u64::from(workers)
        };
        let single = units.iter().map(|u| u.setup + u.longest).max().unwrap_or(0);
        let pair = if tests.len() > workers as usize { 2 } else { 0 };
        let least = (single.max(pair)..).find(|t| room(*t)).expect("some time has room");
        prop_assert_eq!(bound, least);
    }

    #[test]
    fn a_factor_is_a_ratio_that_was_seen_or_wider_than_all_of_them(
        ratios in prop::collection::vec(0.2..4.0f64, 0..80),
        confidence in 0.01..0.97f64,
    ) {
        let past = Calibration::new(&ratios);
        let found = past.factor(confidence);
        let newest = &ratios[ratios.len().saturating_sub(60)..];
        let longest = newest.iter().copied().fold(1.0, f64::max);
        if found.is_widened() {
            prop_assert!(found.factor > longest);
        } else {
            prop_assert!(newest.contains(&found.factor));
        }
        if let Some(kept) = past.p_meet(found.factor, confidence) {
            prop_assert!(kept > 0.0 && kept < 1.0);
            prop_assert!(found.is_widened() || kept >= confidence);
        }
    }

    #[test]
    fn the_first_rule_that_fits_applies_and_no_kept_rule_is_shadowed_by_one(
        seeds in prop::collection::vec(rule_seed(), 1..6),
        seconds in -2_000_000_000i64..4_000_000_000,
        branch in 0usize..4,
        trigger in 0usize..7,
    ) {
        let rules: Vec<Rule> = seeds.iter().enumerate().map(|(k, s)| s.rule(k)).collect();
        let Ok(policy) = Policy::new(rules.clone()) else { return Ok(()) };
        let branch = [None, Some("main"), Some("hotfix/a"), Some("rel-1")][branch];
        let trigger = Trigger::ALL.get(trigger).copied();
        let at = Timestamp::from_second(seconds).expect("in range");
        let now = Situation { branch, trigger, labels: &[], at };
        let fits = |rule: &Rule| {
            rule.branches.as_ref().is_none_or(|b| branch.is_some_and(|name| b.has(name)))
                && (rule.triggers.is_empty() || trigger.is_some_and(|t| rule.triggers.contains(&t)))
                && rule.calendar.as_ref().is_none_or(|c| c.contains(at))
        };
        let first = rules.iter().find(|r| fits(r)).map(|r| r.name.as_str());
        let choice = policy.choose(&now);
        prop_assert_eq!(choice.rule.map(|r| r.name.as_str()), first);
        for (rule, trace) in rules.iter().zip(&choice.traces) {
            prop_assert_eq!(trace.matched, fits(rule), "{}", trace.why);
        }
    }

    #[test]
    fn a_rule_refused_as_shadowed_never_applies(
        seeds in prop::collection::vec(rule_seed(), 2..5),
        instants in prop::collection::vec(0i64..4_000_000_000, 50),
    ) {
        let rules: Vec<Rule> = seeds.iter().enumerate().map(|(k, s)| s.rule(k)).collect();
        let Err(error) = Policy::new(rules.clone()) else { return Ok(()) };
        if error.key != "name" { return Ok(()); }
        let kept = Policy::new(rules[..error.index].to_vec()).expect("rules above the wrong one");
        let wrong = Policy::new(vec![rules[error.index].clone()]).expect("it stands alone");
        for seconds in instants {
            let at = Timestamp::from_second(seconds).expect("in range");
            for branch in [None, Some("main"), Some("hotfix/a"), Some("rel-1"), Some("x")] {
                for trigger in Trigger::ALL.into_iter().map(Some).chain([None]) {
                    let now = Situation { branch, trigger, labels: &[], at };
                    let alone = wrong.choose(&now).rule.is_some();
                    prop_assert!(!alone || kept.choose(&now).rule.is_some());
                }
            }
        }
    }
}

/// A rule in numbers.
#[derive(Clone, Debug)]
struct RuleSeed {
    branches: Option<usize>,
    triggers: Vec<usize>,
    calendar: Option<(usize, usize, u8, u8)>,
}

fn rule_seed() -> impl Strategy<Value = RuleSeed> {
    let triggers = prop::collection::vec(0usize..6, 0..3);
    let calendar = prop::option::weighted(0.6, (0usize..3, 0usize..4, 0u8..24, 0u8..24));
    (prop::option::of(0usize..4), triggers, calendar)
        .prop_map(|(branches, triggers, calendar)| RuleSeed { branches, triggers, calendar })
}

impl RuleSeed {
    fn rule(&self, number: usize) -> Rule {
        let pattern = |k: usize| ["**", "main", "hotfix/*", "rel-*"][k];
        let calendar = self.calendar.map(|(zone, days, from, to)| {
            let zone = ["UTC", "Europe/Vienna", "Australia/Lord_Howe"][zone];
            let days = ["mon-sun", "weekday", "weekend", "fri"][days];
            let hours = DaySpan::parse(&format!("{from}:00-{to}:00")).ok();
            let days = Weekdays::parse(days).expect("days");
            Calendar::new(zone, days, hours.as_slice()).expect("a zone")
        });
        Rule {
            name: format!("rule {number}"),
            branches: self.branches.map(|k| Branches::new(&[pattern(k)]).expect("a pattern")),
            triggers: self.triggers.iter().map(|k| Trigger::ALL[*k]).collect(),
            labels: Vec::new(),
            calendar,
            budget: Budget::default(),
        }
    }
}

/// The minute of the week from the offset alone, without the civil calendar under test.
fn minute_of_week(zone: &str, at: Timestamp) -> i64 {
    let zone = TimeZoneDatabase::bundled().get(zone).expect("a zone");
    let local = at.as_second() + i64::from(zone.to_offset(at).seconds());
    // 1970-01-01 was a Thursday.
    (local.div_euclid(60) + 3 * 1_440).rem_euclid(10_080)
}

#[test]
fn days_and_hours_hold_in_every_zone_at_every_instant() {
    let zones: Vec<String> =
        TimeZoneDatabase::bundled().available().map(|z| z.as_str().to_owned()).collect();
    assert!(zones.len() > 500, "the zone data is not compiled in");
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = |below: u64| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    let per_zone = 1_000_000 / zones.len() + 1;
    for zone in &zones {
        let (from, to) = (next(24), next(24));
        let Ok(span) = DaySpan::parse(&format!("{from}:30-{to}:15")) else { continue };
        let calendar = Calendar::new(zone, Weekdays::parse("fri-sun").expect("days"), &[span])
            .expect("a zone that is available");
        let (from, to) = ((from * 60 + 30) as i64, (to * 60 + 15) as i64);
        let length = if to > from { to - from } else { to + 1_440 - from };
        for _ in 0..per_zone {
            // From 1900 to 2100, seconds.
            let at = Timestamp::from_second(next(6_311_433_600) as i64 - 2_208_988_800)
                .expect("in range");
            let minute = minute_of_week(zone, at);
            let inside =
                (4..7).any(|day| (minute - day * 1_440 - from).rem_euclid(10_080) < length);
            assert_eq!(calendar.contains(at), inside, "{zone} {at}");
        }
    }
}

/// Forty tests of a minute to ten: an hour and more of work.
fn forty_tests() -> Vec<u64> {
    (0..40u64).map(|k| (1 + k * 7 % 10) * MINUTE + k * 1_234_567).collect()
}

fn priced(billing: Billing, price: &str) -> Pool {
    Pool { price_per_hour: Some(price.parse().expect("a price")), billing, ..Pool::plain("priced") }
}

fn cost_cases() -> Vec<(&'static str, Vec<Pool>, Option<u32>)> {
    let spot = Pool {
        name: "spot".to_owned(),
        startup: Micros::from_secs(180),
        workers_max: Some(6),
        spot: Some(Spot { interruptions_per_hour: 0.5, work_lost: Micros::from_secs(600) }),
        ..priced(Billing::SECOND, "0.03")
    };
    let on_demand = Pool { startup: Micros::from_secs(60), ..priced(Billing::SECOND, "0.1") };
    let slow_start = Pool { startup: Micros::from_secs(450), ..priced(Billing::MINUTE, "0.1") };
    vec![
        ("by the hour", vec![priced(Billing::HOUR, "0.1")], None),
        ("by the minute", vec![priced(Billing::MINUTE, "0.1")], None),
        ("by the second", vec![priced(Billing::SECOND, "0.1")], None),
        ("two pools, one of them spot", vec![on_demand, spot], None),
        ("at most 20 at once", vec![priced(Billing::SECOND, "0.1")], Some(20)),
        ("7.5 minutes to start", vec![slow_start], None),
    ]
}

#[test]
fn every_cost_case_agrees_with_an_exhaustive_search() {
    for (name, pools, concurrent_max) in cost_cases() {
        for minutes in [20u64, 35, 60, 90, 150] {
            for fewest in [false, true] {
                let question = Question {
                    tests: forty_tests(),
                    pools: pools.clone(),
                    limits: Limits { workers_min: 1, workers_max: 40, concurrent_max },
                    ask: Ask {
                        deadline: Some(Micros::new(minutes * MINUTE)),
                        cost_max: None,
                        factor: Factor::ONE,
                        fewest,
                    },
                };
                let found = question.check();
                assert!(found.feasible, "{name}, {minutes} min: {}", found.why);
            }
        }
        for cost in ["0.2", "0.4", "1", "4"] {
            let question = Question {
                tests: forty_tests(),
                pools: pools.clone(),
                limits: Limits { workers_min: 1, workers_max: 40, concurrent_max },
                ask: Ask {
                    deadline: None,
                    cost_max: Some(cost.parse().expect("a sum")),
                    factor: Factor::ONE,
                    fewest: false,
                },
            };
            question.check();
        }
    }
}

/// A pool billed by the minute without a start-up: every number of workers costs nearly the same.
fn flat() -> Vec<Pool> {
    vec![priced(Billing { granularity: Micros::from_secs(60), minimum: Micros::ZERO }, "0.1")]
}

#[test]
fn a_search_that_is_cut_short_says_how_much_it_may_have_missed() {
    let tests: Vec<u64> = (0..1_500u64).map(|k| (1 + k * 7_919 % 600) * 500_003).collect();
    let limits = Limits { workers_min: 1, workers_max: 900, concurrent_max: None };
    let deadline = Micros::new(4 * 3_600 * 1_000_000);
    let ask = Ask { deadline: Some(deadline), cost_max: None, factor: Factor::ONE, fewest: false };
    let question = Question { tests, pools: flat(), limits, ask };
    let found = question.answer();
    assert!(found.feasible && found.probes <= 401, "{found:?}");
    let meets = |(_, facts): &(Fleet, [u64; 3])| Micros::new(facts[1]) <= deadline;
    let every = question.every();
    let least = every.iter().filter(|it| meets(it)).map(|(_, facts)| facts[2]).min();
    let (least, cost) = (least.expect("a fleet"), found.cost.expect("a price").millionths());
    assert!(least as f64 >= cost as f64 * (1.0 - found.gap) - 1.0, "{least} {found:?}");
    assert!(found.gap < 0.02, "{found:?}");
}

#[test]
fn what_no_fleet_meets_is_known_after_a_few_plans() {
    // One test of ten minutes, and a deadline of five: the bound is reached exactly.
    let mut tests = vec![MINUTE; 400];
    tests[7] = 10 * MINUTE;
    let limits = Limits { workers_min: 1, workers_max: 2_000, concurrent_max: None };
    let deadline = Some(Micros::new(5 * MINUTE));
    let ask = Ask { deadline, cost_max: None, factor: Factor::ONE, fewest: false };
    let pools = vec![Pool { startup: Micros::new(123_457), ..Pool::plain("any") }];
    let found = Question { tests, pools, limits, ask }.answer();
    assert!(!found.feasible && found.probes < 5 && found.gap == 0.0, "{found:?}");
    assert_eq!(found.workers, 41, "as soon as the longest test alone binds");
}

#[test]
fn a_lazy_budget_never_adds_workers() {
    let tests = forty_tests();
    let sized = |budget: Budget, idle: Option<u32>| {
        let limits = budget.limits(40, idle);
        let ask = budget.ask(Factor::ONE);
        Question { tests: tests.clone(), pools: vec![priced(Billing::HOUR, "0.1")], limits, ask }
            .answer()
    };
    let hours = |hours: u64| Some(Micros::new(hours * 60 * MINUTE));
    let lazy = Budget { deadline: hours(1), lazy: true, ..Budget::default() };
    let found = sized(lazy.clone(), None);
    let (_, least) = (1..=40)
        .map(|n| (n, loads(&tests, &[Pool::plain("any")], &[n])))
        .map(|(n, loads)| (loads.iter().map(|l| l.1).max(), n))
        .filter(|(end, _)| *end <= hours(1))
        .min_by_key(|(_, n)| *n)
        .expect("some number does");
    assert_eq!(found.workers, least, "the fewest, whatever is cheapest");
    let idle = sized(lazy.clone(), Some(2));
    assert!(idle.workers <= 2 && !idle.feasible, "{idle:?}");
    assert_eq!(sized(Budget { lazy: true, ..Budget::default() }, None).workers, 1);
    assert!(sized(Budget { lazy: false, ..lazy }, Some(2)).feasible, "only lazy runs wait");
}

#[test]
fn stretches_say_of_every_minute_what_the_first_rule_that_fits_says() {
    let calendar = |zone: &str, days: &str, hours: &str| {
        let hours = DaySpan::parse(hours).expect("hours");
        Calendar::new(zone, Weekdays::parse(days).expect("days"), &[hours]).expect("a zone")
    };
    let rule = |name: &str, calendar, branch: Option<&str>| Rule {
        name: name.to_owned(),
        branches: branch.map(|b| Branches::new(&[b]).expect("a pattern")),
        triggers: Vec::new(),
        labels: Vec::new(),
        calendar,
        budget: Budget::default(),
    };
    let policy = Policy::new(vec![
        rule("hot", None, Some("hotfix/*")),
        rule("night", Some(calendar("America/New_York", "mon-sun", "22:30-06:15")), None),
        rule("howe", Some(calendar("Australia/Lord_Howe", "sun", "01:00-03:00")), None),
    ])
    .expect("a policy");
    let at: Timestamp = "2026-03-25T00:00:30Z".parse().expect("an instant");
    let to: Timestamp = "2026-04-08T00:00:00Z".parse().expect("an instant");
    let now = Situation { branch: Some("main"), trigger: None, labels: &[], at };
    let stretches = policy.stretches(&now, to);
    assert_eq!((stretches[0].from, stretches[stretches.len() - 1].to), (at, to));
    assert!(stretches.windows(2).all(|w| w[0].to == w[1].from && w[0].rule != w[1].rule));
    for seconds in (at.as_second()..to.as_second()).step_by(97) {
        let at = Timestamp::from_second(seconds).expect("in range");
        let held = stretches.iter().find(|it| it.from <= at && at < it.to).expect("no gap");
        let first = policy.choose(&Situation { at, ..now.clone() }).rule.map(|r| r.name.as_str());
        assert_eq!(held.rule.map(|rule| policy.rules()[rule].name.as_str()), first, "{at}");
    }
    let hot = Situation { branch: Some("hotfix/a"), ..now };
    assert_eq!(policy.stretches(&hot, to).len(), 1);
}
