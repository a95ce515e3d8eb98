//! budget (to come).
