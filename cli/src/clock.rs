//! The only place that reads the clock.

use std::time::Instant;

use jiff::Timestamp;
use rasher::units::Micros;

/// This instant.
#[expect(clippy::disallowed_methods, reason = "the one place that may")]
pub(crate) fn now() -> Timestamp {
    Timestamp::now()
}

/// Measures how long something took.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stopwatch(Instant);

impl Stopwatch {
    /// Starts to measure.
    #[expect(clippy::disallowed_methods, reason = "the one place that may")]
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    /// The time since the start.
    pub(crate) fn elapsed(self) -> Micros {
        Micros::new(u64::try_from(self.0.elapsed().as_micros()).unwrap_or(u64::MAX))
    }
}
