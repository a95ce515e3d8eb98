//! The rules, pools and limits of `rasher.toml` as the engine's types.
//!
//! Decides nothing: it reads, and blames line and column for what cannot be meant.

use rasher::budget::{
    Billing, Branches, Budget, Calendar, DaySpan, Money, Policy, Pool, Rule, Spot, Trigger,
    Weekdays,
};
use rasher::units::Micros;
use serde::Deserialize;
use toml::Spanned;

use crate::config::ConfigFile;
use crate::fault::Fault;

/// The account that workers are taken from.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(crate) struct Account {
    /// The currency of all prices.
    pub(crate) currency: Option<String>,
    /// So many workers run at once; more come in waves.
    pub(crate) concurrent_max: Option<u32>,
}

/// What `rasher.toml` says of budgets.
#[derive(Clone, Debug, Default)]
pub(crate) struct Settings {
    pub(crate) policy: Policy,
    /// Never empty: without pools there is one of plain workers.
    pub(crate) pools: Vec<Pool>,
    /// True where the file names pools: their start-up, speed and tags are then planned with.
    pub(crate) pools_named: bool,
    pub(crate) account: Account,
}

type Text = Spanned<String>;

/// `[[rule]]`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
struct RuleTable {
    name: Option<Text>,
    branches: Option<Spanned<Vec<String>>>,
    triggers: Vec<Text>,
    labels: Vec<String>,
    days: Option<Spanned<Vec<Text>>>,
    hours: Vec<Text>,
    zone: Option<Text>,
    deadline: Option<Text>,
    confidence: Option<Spanned<f64>>,
    max_cost: Option<Text>,
    workers_min: Option<Spanned<u32>>,
    workers_max: Option<Spanned<u32>>,
    pools: Vec<Text>,
    spot: Option<bool>,
    priority: Option<Text>,
    retry_share: Option<Text>,
}

/// `[[pool]]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct PoolTable {
    name: Text,
    price: Option<Text>,
    billing: Option<Text>,
    billing_minimum: Option<Text>,
    startup: Option<Text>,
    overhead: Option<Text>,
    speed: Option<Spanned<f64>>,
    workers_max: Option<u32>,
    #[serde(default)]
    tags: Vec<String>,
    spot: Option<SpotTable>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct SpotTable {
    interruptions_per_hour: Spanned<f64>,
    work_lost: Text,
}

impl Settings {
    /// What the file says, checked.
    ///
    /// # Errors
    /// Exit code 2 with line and column: an unknown key, zone, day, trigger or pool, a rule that
    /// can never match.
    pub(crate) fn read(file: Option<&ConfigFile>) -> Result<Self, Fault> {
        let Some(file) = file else { return Ok(Self::plain()) };
        let pools: Vec<PoolTable> = file.section("pool")?.unwrap_or_default();
        let pools: Vec<Pool> = pools.iter().map(|p| pool(file, p)).collect::<Result<_, _>>()?;
        let tables: Vec<Spanned<RuleTable>> = file.section("rule")?.unwrap_or_default();
        let mut rules = Vec::new();
        for (at, table) in tables.iter().enumerate() {
            rules.push(rule(file, at, table.get_ref(), &pools)?);
        }
        let policy = Policy::new(rules).map_err(|e| {
            let table = &tables[e.index];
            let at = place(table.get_ref(), e.key).unwrap_or(table.span().start);
            file.fault(at, e.to_string())
        })?;
        let account = file.section("account")?.unwrap_or_default();
        let pools_named = !pools.is_empty();
        Ok(Self { policy, pools, pools_named, account }.with_a_pool())
    }

    fn plain() -> Self {
        Self::default().with_a_pool()
    }

    fn with_a_pool(mut self) -> Self {
        if self.pools.is_empty() {
            self.pools.push(Pool::plain("workers"));
        }
        self
    }

    /// The pools that a budget allows.
    pub(crate) fn pools_for(&self, budget: &Budget) -> Vec<Pool> {
        let named = |p: &&Pool| budget.pools.is_empty() || budget.pools.contains(&p.name);
        let allowed = |p: &&Pool| named(p) && (budget.spot || p.spot.is_none());
        self.pools.iter().filter(allowed).cloned().collect()
    }
}

/// Where a key of a rule stands.
fn place(table: &RuleTable, key: &str) -> Option<usize> {
    let span = match key {
        "name" => table.name.as_ref()?.span(),
        "confidence" => table.confidence.as_ref()?.span(),
        "deadline" => table.deadline.as_ref()?.span(),
        "workers-min" => table.workers_min.as_ref()?.span(),
        "workers-max" => table.workers_max.as_ref()?.span(),
        "retry-share" => table.retry_share.as_ref()?.span(),
        "days" => table.days.as_ref()?.span(),
        _ => return None,
    };
    Some(span.start)
}

/// Reads a text of the file, or blames its place.
fn read<T, E: ToString>(
    file: &ConfigFile,
    text: &Text,
    parse: impl FnOnce(&str) -> Result<T, E>,
) -> Result<T, Fault> {
    parse(text.get_ref()).map_err(|e| file.fault(text.span().start, e.to_string()))
}

fn read_some<T, E: ToString>(
    file: &ConfigFile,
    text: Option<&Text>,
    parse: impl FnOnce(&str) -> Result<T, E>,
) -> Result<Option<T>, Fault> {
    text.map(|text| read(file, text, parse)).transpose()
}

fn pool(file: &ConfigFile, table: &PoolTable) -> Result<Pool, Fault> {
    let span = |text: Option<&Text>| read_some(file, text, |t| t.parse::<Micros>());
    let mut billing = match table.billing.as_ref() {
        None => Billing::SECOND,
        Some(text) => read(file, text, |t| match t {
            "second" => Ok(Billing::SECOND),
            "minute" => Ok(Billing::MINUTE),
            "hour" => Ok(Billing::HOUR),
            other => {
                other.parse().map(|step| Billing { granularity: step, minimum: step }).map_err(
                    |_| format!("`{other}` is no billing: `second`, `minute`, `hour` or `10m`"),
                )
            }
        })?,
    };
    if let Some(minimum) = span(table.billing_minimum.as_ref())? {
        billing.minimum = minimum;
    }
    let positive = |number: &Spanned<f64>, what: &str| match *number.get_ref() {
        it if it.is_finite() && it > 0.0 => Ok(it),
        it => Err(file.fault(number.span().start, format!("{what} {it} is not above 0"))),
    };
    let spot = match &table.spot {
        None => None,
        Some(spot) => Some(Spot {
            interruptions_per_hour: positive(&spot.interruptions_per_hour, "a rate of")?,
            work_lost: read(file, &spot.work_lost, str::parse)?,
        }),
    };
    Ok(Pool {
        name: table.name.get_ref().clone(),
        price_per_hour: read_some(file, table.price.as_ref(), |t| t.parse::<Money>())?,
        billing,
        startup: span(table.startup.as_ref())?.unwrap_or_default(),
        overhead: span(table.overhead.as_ref())?.unwrap_or_default(),
        speed: table.speed.as_ref().map(|s| positive(s, "a speed of")).transpose()?.unwrap_or(1.0),
        workers_max: table.workers_max,
        tags: table.tags.clone(),
        spot,
    })
}

fn rule(file: &ConfigFile, at: usize, table: &RuleTable, pools: &[Pool]) -> Result<Rule, Fault> {
    let branches = table.branches.as_ref().map(|patterns| {
        Branches::new(patterns.get_ref()).map_err(|e| file.fault(patterns.span().start, e))
    });
    let trigger = |word: &str| {
        let known: Vec<&str> = Trigger::ALL.iter().map(|t| t.word()).collect();
        let unknown = || format!("`{word}` is no trigger; write {}", known.join(", "));
        Trigger::from_word(word).ok_or_else(unknown)
    };
    let triggers = table.triggers.iter().map(|t| read(file, t, trigger));
    let name = table.name.as_ref().map(|n| n.get_ref().clone());
    Ok(Rule {
        name: name.unwrap_or_else(|| format!("rule {}", at + 1)),
        branches: branches.transpose()?,
        triggers: triggers.collect::<Result<_, _>>()?,
        labels: table.labels.clone(),
        calendar: calendar(file, table)?,
        budget: budget(file, table, pools)?,
    })
}

fn calendar(file: &ConfigFile, table: &RuleTable) -> Result<Option<Calendar>, Fault> {
    if table.days.is_none() && table.hours.is_empty() {
        return match &table.zone {
            None => Ok(None),
            Some(zone) => {
                Err(file
                    .fault(zone.span().start, "there is a `zone` but neither `days` nor `hours`"))
            }
        };
    }
    let mut days = Weekdays::ALL;
    if let Some(texts) = &table.days {
        days = Weekdays::NONE;
        for text in texts.get_ref() {
            days = days.and(read(file, text, Weekdays::parse)?);
        }
    }
    let hours: Vec<DaySpan> =
        table.hours.iter().map(|t| read(file, t, DaySpan::parse)).collect::<Result<_, _>>()?;
    match &table.zone {
        Some(zone) => read(file, zone, |name| Calendar::new(name, days, &hours)).map(Some),
        None => {
            let days = table.days.as_ref().map(|d| d.span().start);
            let at = days.or_else(|| table.hours.first().map(|h| h.span().start)).unwrap_or(0);
            let fault = file.fault(at, "days and hours of which zone?");
            Err(fault.hint("add `zone = \"Europe/Vienna\"`, or `\"UTC\"`"))
        }
    }
}

fn budget(file: &ConfigFile, table: &RuleTable, pools: &[Pool]) -> Result<Budget, Fault> {
    for name in &table.pools {
        let known: Vec<&str> = pools.iter().map(|p| p.name.as_str()).collect();
        if !known.contains(&name.get_ref().as_str()) {
            let what = format!("there is no pool `{}`", name.get_ref());
            let fault = file.fault(name.span().start, what);
            return Err(fault.hint(format!("pools of this file: {}", known.join(", "))));
        }
    }
    let plain = Budget::default();
    Ok(Budget {
        deadline: read_some(file, table.deadline.as_ref(), str::parse)?,
        confidence: table.confidence.as_ref().map(|c| *c.get_ref()),
        cost_max: read_some(file, table.max_cost.as_ref(), str::parse)?,
        workers_min: table.workers_min.as_ref().map_or(plain.workers_min, |n| *n.get_ref()),
        workers_max: table.workers_max.as_ref().map(|n| *n.get_ref()),
        pools: table.pools.iter().map(|p| p.get_ref().clone()).collect(),
        spot: table.spot.unwrap_or(plain.spot),
        lazy: read_some(file, table.priority.as_ref(), lazy)?.unwrap_or(plain.lazy),
        retry_share: read_some(file, table.retry_share.as_ref(), share)?.unwrap_or(0.0),
    })
}

/// Whether a priority is that of a run that waits.
fn lazy(word: &str) -> Result<bool, String> {
    match word {
        "lazy" => Ok(true),
        "normal" => Ok(false),
        other => Err(format!("`{other}` is no priority; write `normal` or `lazy`")),
    }
}

/// `20%` or `0.2`.
pub(crate) fn share(text: &str) -> Result<f64, String> {
    let wrong = || format!("`{text}` is no share such as `20%` or `0.2`");
    let (number, part) = match text.trim().strip_suffix('%') {
        Some(number) => (number, 100.0),
        None => (text.trim(), 1.0),
    };
    let number: f64 = number.trim().parse().map_err(|_| wrong())?;
    let share = number / part;
    if (0.0..1.0).contains(&share) { Ok(share) } else { Err(wrong()) }
}

#[cfg(test)]
mod tests;
