//! dispatch (to come).
