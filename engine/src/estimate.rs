//! estimate (to come).
