//! Writes the made monolith as a file that other tools read, to standard output:
//! `cargo run -p rasher-bench --example corpus -- durations|junit [TESTS [RUN]]`.

use std::io::{self, Write};

use rasher_bench::corpus::{MONOLITH_SEED, MONOLITH_TESTS, Monolith};

fn main() -> io::Result<()> {
    let mut args = std::env::args().skip(1);
    let form = args.next().unwrap_or_default();
    let mut number = |default: usize| args.next().and_then(|n| n.parse().ok()).unwrap_or(default);
    let made = Monolith::new(number(MONOLITH_TESTS), MONOLITH_SEED);
    let run = made.run(number(0) as u32);
    let bytes = match form.as_str() {
        "durations" => run.test_durations(),
        "junit" => run.junit(),
        _ => return Err(io::Error::other("say which form: `durations` or `junit`")),
    };
    io::stdout().write_all(&bytes)
}
