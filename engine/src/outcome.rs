//! outcome (to come).
