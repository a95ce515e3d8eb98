//! A year of hours: which rule of the policy applies in each, so that a slip in days, hours or a
//! zone is seen before it costs a hot fix.

use jiff::civil::Date;
use jiff::tz::{TimeZone, TimeZoneDatabase};
use jiff::{SignedDuration, Timestamp};
use rasher::budget::{Calendar, Policy, Situation, Stretch};
use serde::Serialize;

use crate::fault::Fault;
use crate::output::table;

/// `rasher.calendar/1`.
#[derive(Debug, Serialize)]
pub(crate) struct CalendarDocument {
    schema: &'static str,
    year: i16,
    /// By whose clock the days are.
    zone: String,
    rules: Vec<RuleHours>,
    stretches: Vec<StretchDocument>,
    #[serde(skip)]
    days: Vec<Day>,
}

/// How long a rule applies in the year.
#[derive(Debug, Serialize)]
struct RuleHours {
    /// The rule; none for the time in which none fits.
    rule: Option<String>,
    hours: f64,
}

#[derive(Debug, Serialize)]
struct StretchDocument {
    from: Timestamp,
    to: Timestamp,
    rule: Option<String>,
}

/// One day, an hour a letter.
#[derive(Debug)]
struct Day {
    date: Date,
    hours: String,
}

/// The year of a run like `now`, by the clock of the first zone that the rules name.
///
/// # Errors
/// Exit code 2 where there is no such year.
pub(crate) fn year(policy: &Policy, now: &Situation, year: i16) -> Result<CalendarDocument, Fault> {
    let named = policy.rules().iter().find_map(|rule| rule.calendar.as_ref());
    let zone_name = named.map_or("UTC", Calendar::zone_name);
    let zone = TimeZoneDatabase::bundled().get(zone_name).unwrap_or(TimeZone::UTC);
    let wrong = |_| Fault::usage(format!("{year} is no year that can be shown"));
    let first = Date::new(year, 1, 1).map_err(wrong)?;
    let last = Date::new(year, 12, 31).map_err(wrong)?;
    let begin = |date: Date| zone.to_zoned(date.at(0, 0, 0, 0)).map(|day| day.timestamp());
    let mut dates: Vec<Date> = first.series(jiff::Span::new().days(1)).take(366).collect();
    dates.retain(|date| *date <= last);
    let mut begins = Vec::with_capacity(dates.len() + 1);
    for date in &dates {
        begins.push(begin(*date).map_err(wrong)?);
    }
    begins.push(begin(last.tomorrow().map_err(wrong)?).map_err(wrong)?);
    let end = begins[dates.len()];
    let stretches = policy.stretches(&Situation { at: begins[0], ..now.clone() }, end);
    let spans = begins.windows(2).zip(&dates);
    let days = spans.map(|(span, date)| Day { date: *date, hours: hours(&stretches, span) });
    let name = |rule: Option<usize>| rule.map(|at| policy.rules()[at].name.clone());
    let of_rule = |rule: Option<usize>| RuleHours {
        rule: name(rule),
        // An empty sum is minus nought.
        hours: stretches.iter().filter(|it| it.rule == rule).map(length).sum::<f64>() + 0.0,
    };
    let named = (0..policy.rules().len()).map(Some).chain([None]);
    Ok(CalendarDocument {
        schema: "rasher.calendar/1",
        year,
        zone: zone_name.to_owned(),
        rules: named.map(of_rule).collect(),
        days: days.collect(),
        stretches: stretches
            .iter()
            .map(|it| StretchDocument { from: it.from, to: it.to, rule: name(it.rule) })
            .collect(),
    })
}

fn length(stretch: &Stretch) -> f64 {
    stretch.to.duration_since(stretch.from).as_secs_f64() / 3_600.0
}

/// A letter for each hour of a day: `a` is the first rule, `-` none, `+` more than one.
fn hours(stretches: &[Stretch], span: &[Timestamp]) -> String {
    let mut text = String::new();
    let mut at = span[0];
    while at < span[1] {
        let next = at.checked_add(SignedDuration::from_hours(1)).unwrap_or(span[1]).min(span[1]);
        let first = stretches.partition_point(|it| it.to <= at);
        let stretch = stretches.get(first);
        text.push(match stretch {
            Some(it) if it.to >= next => it.rule.map_or('-', letter),
            _ => '+',
        });
        at = next;
    }
    text
}

fn letter(rule: usize) -> char {
    char::from(b'a' + (rule % 26) as u8)
}

/// The whole year, a line a day, and how long each rule applies.
pub(crate) fn people(document: &CalendarDocument) -> String {
    let mut text = format!("{}, hours by the clock of {}\n\n", document.year, document.zone);
    text += "                 0     6     12    18\n";
    for Day { date, hours } in &document.days {
        let weekday = &format!("{:?}", date.weekday())[..3];
        let note = match hours.len() {
            24 => String::new(),
            other => format!("  {other} hours: the clock changes"),
        };
        text += &format!("{date} {weekday}   {hours}{note}\n");
    }
    let rows =
        document.rules.iter().enumerate().filter(|(_, it)| it.rule.is_some() || it.hours > 0.0);
    let rows = rows.map(|(at, it)| {
        let mark = if it.rule.is_some() { letter(at) } else { '-' };
        let name = it.rule.clone().unwrap_or_else(|| "no rule".to_owned());
        [mark.to_string(), name, format!("{:.1}", it.hours)]
    });
    text + "\n" + &table(["", "rule", "hours"], &[2], rows)
}
