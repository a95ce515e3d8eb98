//! constraint (to come).
