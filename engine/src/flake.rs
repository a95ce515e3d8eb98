//! flake (to come).
