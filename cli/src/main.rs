//! The command `rasher` (to come).
fn main() {}
