//! history (to come).
