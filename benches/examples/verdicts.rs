//! Prints the tables of scores and run verdicts beside their baselines.
//!
//! `cargo run --profile quick -p rasher-bench --example verdicts -- scoring 6`

use rasher_bench::simulate::{World, scoring_table};

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let seeds = args.get(1).and_then(|text| text.parse().ok()).unwrap_or(1);
    for world in World::scoring() {
        if args.get(2).is_some_and(|name| *name != world.name) {
            continue;
        }
        println!("{}", scoring_table(&world, seeds));
    }
}
