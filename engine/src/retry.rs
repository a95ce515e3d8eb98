//! retry (to come).
