//! The other ways to score flakiness, each as published or as its product describes it, computed
//! from the same runs. A test's past is kept as the runs in which it failed; all others passed.

use rasher::flake::RATES;

/// One failed first attempt of a test.
#[derive(Clone, Copy, Debug)]
pub struct Event {
    /// The run, counted in runs that were learned from.
    pub run: u32,
    /// True where the retry failed too.
    pub retry_failed: bool,
}

/// A way to score one test from its failures up to now.
#[derive(Clone, Copy, Debug)]
pub struct Detector {
    /// What it is called in tables.
    pub name: &'static str,
    /// What it must keep of each test.
    pub memory: &'static str,
    /// The score after `now` runs.
    pub score: fn(&[Event], u32) -> f64,
}

/// All of them, in the order of the table.
pub const DETECTORS: [Detector; 10] = [
    Detector { name: "Flakinizer recent/long", memory: "2 windows", score: flakinizer },
    Detector { name: "1 - recent 20", memory: "window", score: |e, n| fail_rate(e, n, 20) },
    Detector { name: "1 - long 200", memory: "window", score: |e, n| fail_rate(e, n, 200) },
    Detector { name: "entropy, 100 runs", memory: "window", score: entropy },
    Detector { name: "flip rate, 100 runs", memory: "window", score: |e, n| flips(e, n, 100) },
    Detector { name: "flip rate, 300 runs", memory: "window", score: |e, n| flips(e, n, 300) },
    Detector { name: "EWMA of flips, 0.02", memory: "1 float", score: ewma_flips },
    Detector { name: "passed on retry, 300 runs", memory: "window", score: passed_on_retry },
    Detector { name: "PFS-like", memory: "3 floats", score: pfs_like },
    Detector { name: "LUCI-like", memory: "full window", score: luci_like },
];

fn recent(events: &[Event], now: u32, window: u32) -> &[Event] {
    let from = now.saturating_sub(window);
    &events[events.partition_point(|event| event.run < from)..]
}

fn fail_rate(events: &[Event], now: u32, window: u32) -> f64 {
    recent(events, now, window).len() as f64 / f64::from(window.min(now.max(1)))
}

/// The talk's ranking: how far the recent pass average is from the long one.
fn flakinizer(events: &[Event], now: u32) -> f64 {
    let long = 1.0 - fail_rate(events, now, 200);
    if long <= 0.0 { 0.0 } else { (1.0 - (1.0 - fail_rate(events, now, 20)) / long).abs() }
}

fn entropy(events: &[Event], now: u32) -> f64 {
    let p = fail_rate(events, now, 100);
    let term = |p: f64| if p > 0.0 { -p * libm::log2(p) } else { 0.0 };
    term(p) + term(1.0 - p)
}

/// The runs at which the outcome differs from the one before.
fn turns(events: &[Event], now: u32) -> impl Iterator<Item = u32> + '_ {
    events.iter().enumerate().flat_map(move |(at, event)| {
        let after_pass = event.run > 0 && (at == 0 || events[at - 1].run + 1 != event.run);
        let before_pass = events.get(at + 1).is_none_or(|next| next.run != event.run + 1);
        let back = (before_pass && event.run + 1 < now).then_some(event.run + 1);
        after_pass.then_some(event.run).into_iter().chain(back)
    })
}

fn flips(events: &[Event], now: u32, window: u32) -> f64 {
    turns(recent(events, now, window), now).count() as f64 / f64::from(window)
}

fn ewma_flips(events: &[Event], now: u32) -> f64 {
    const LAMBDA: f64 = 0.02;
    let weight = |run: u32| LAMBDA * libm::pow(1.0 - LAMBDA, f64::from(now - 1 - run));
    turns(recent(events, now, 1_000), now).map(weight).sum()
}

fn passed_on_retry(events: &[Event], now: u32) -> f64 {
    recent(events, now, 300).iter().filter(|event| !event.retry_failed).count() as f64
}

/// In the manner of Meta's probabilistic flakiness score: a good and a bad state, and the chance
/// to fail in the good one, with a half-life of 200 runs.
fn pfs_like(events: &[Event], now: u32) -> f64 {
    let (breaking, fixing, keep) = (5e-4, 0.1, libm::exp2(-1.0 / 200.0));
    let (mut runs, mut failures, mut bad) = (0.0_f64, 0.0_f64, 0.0_f64);
    let mut last = 0_u32;
    let pass = |runs: &mut f64, failures: &mut f64, bad: &mut f64, count: u32| {
        // The bad state dies out within a few passes; the rest is a closed form.
        let slow = count.min(8);
        for _ in 0..slow {
            let before = *bad * (1.0 - fixing) + (1.0 - *bad) * breaking;
            *bad = before * 0.03 / (before * 0.03 + (1.0 - before));
            *runs = *runs * keep + (1.0 - *bad);
            *failures *= keep;
        }
        let decay = libm::pow(keep, f64::from(count - slow));
        *runs = *runs * decay + (1.0 - decay) / (1.0 - keep);
        *failures *= decay;
    };
    for event in events {
        pass(&mut runs, &mut failures, &mut bad, event.run - last);
        last = event.run + 1;
        let before = bad * (1.0 - fixing) + (1.0 - bad) * breaking;
        let good_fails = (failures + 0.01) / (runs + 1.0);
        bad = before * 0.97 / (before * 0.97 + (1.0 - before) * good_fails);
        let retry_good = if event.retry_failed { good_fails.max(0.1) } else { 1.0 - good_fails };
        let retry_bad = if event.retry_failed { 0.97 } else { 0.03 };
        bad = bad * retry_bad / (bad * retry_bad + (1.0 - bad) * retry_good);
        runs = runs * keep + (1.0 - bad);
        failures = failures * keep + (1.0 - bad);
    }
    pass(&mut runs, &mut failures, &mut bad, now - last);
    mean_on_grid(failures, runs)
}

/// The mean rate given decayed counts, on the grid and with the start weights of the filter.
fn mean_on_grid(failures: f64, runs: f64) -> f64 {
    let (mut total, mut mean) = (0.0, 0.0);
    for (level, rate) in RATES.iter().enumerate() {
        let rate = f64::from(*rate);
        let prior = if level == 0 { 0.97 } else { 0.03 / 7.0 };
        let passes = (runs - failures).max(0.0);
        let weight = prior * libm::exp(failures * libm::log(rate) + passes * libm::log1p(-rate));
        total += weight;
        mean += weight * rate;
    }
    if total > 0.0 { mean / total } else { 1.0 }
}

/// In the manner of LUCI's change points: the past is cut where that is likeliest, each piece with
/// rates of its own under a Beta prior, each cut at odds of 1 in 10,000; the score is the mean
/// rate of the newest piece that is not simply broken.
fn luci_like(events: &[Event], now: u32) -> f64 {
    const CUTS_MAX: usize = 160;
    if events.is_empty() {
        return 0.0;
    }
    let skip = events.len().saturating_sub(CUTS_MAX / 2);
    let start = if skip == 0 { 0 } else { events[skip - 1].run + 1 };
    let events = &events[skip..];
    // The best cuts lie right before or right after a failure.
    let mut cuts: Vec<u32> = vec![start];
    for event in events {
        cuts.extend([event.run, event.run + 1]);
    }
    cuts.push(now);
    cuts.sort_unstable();
    cuts.dedup();
    let piece = |from: u32, to: u32| {
        let (low, high) = (
            events.partition_point(|event| event.run < from),
            events.partition_point(|event| event.run < to),
        );
        let failures = (high - low) as f64;
        let again = events[low..high].iter().filter(|event| event.retry_failed).count() as f64;
        (failures, f64::from(to - from), again)
    };
    let evidence = |from: u32, to: u32| {
        let (failures, runs, again) = piece(from, to);
        beta_ratio(failures, runs - failures, 0.3, 0.5)
            + beta_ratio(again, failures - again, 0.5, 0.5)
    };
    let mut best = vec![(0.0_f64, 0_usize); cuts.len()];
    for to in 1..cuts.len() {
        best[to] = (0..to)
            .map(|from| {
                let cut = if from == 0 { 0.0 } else { libm::log(1e-4) };
                (best[from].0 + cut + evidence(cuts[from], cuts[to]), from)
            })
            .fold((f64::NEG_INFINITY, 0), |a, b| if b.0 > a.0 { b } else { a });
    }
    let mut to = cuts.len() - 1;
    loop {
        let from = best[to].1;
        let (failures, runs, again) = piece(cuts[from], cuts[to]);
        let broken = failures > 0.9 * runs && again > 0.8 * failures && failures >= 2.0;
        if !broken || from == 0 {
            return if broken { 0.0 } else { (failures + 0.3) / (runs + 0.8) };
        }
        to = from;
    }
}

/// ln B(x + a, y + b) − ln B(a, b).
fn beta_ratio(x: f64, y: f64, a: f64, b: f64) -> f64 {
    let ln_beta = |a: f64, b: f64| libm::lgamma(a) + libm::lgamma(b) - libm::lgamma(a + b);
    ln_beta(x + a, y + b) - ln_beta(a, b)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn events(runs: &[u32], retry_failed: bool) -> Vec<Event> {
        runs.iter().map(|run| Event { run: *run, retry_failed }).collect()
    }

    #[test]
    fn turns_are_counted_at_both_ends_of_a_streak() {
        let past = events(&[3, 4, 9], false);
        assert_eq!(turns(&past, 20).collect::<Vec<_>>(), [3, 5, 9, 10]);
        assert_eq!(turns(&past, 10).collect::<Vec<_>>(), [3, 5, 9]);
    }

    #[test]
    fn every_detector_ranks_a_flaky_test_over_a_sound_one() {
        let flaky = events(&[10, 60, 110, 160, 210, 260, 285], false);
        for detector in DETECTORS {
            let (high, low) = ((detector.score)(&flaky, 300), (detector.score)(&[], 300));
            assert!(high > low, "{}: {high} {low}", detector.name);
        }
    }

    #[test]
    fn change_points_do_not_call_a_breakage_flaky() {
        let broken = events(&(280..300).collect::<Vec<_>>(), true);
        let flaky = events(&[10, 60, 110, 160, 210, 260], false);
        assert!(luci_like(&broken, 300) < luci_like(&flaky, 300));
    }
}
