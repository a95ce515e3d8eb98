//! Prints the tables of scores and run verdicts beside their baselines.
//!
//! `cargo run --profile quick -p rasher-bench --example verdicts -- scoring 6`
//! `cargo run --profile quick -p rasher-bench --example verdicts -- policies 4 base`
//! `cargo run --profile quick -p rasher-bench --example verdicts -- cost`

use rasher_bench::simulate::{World, policy_table, scoring_table, verdict_cost};

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let number = |text: &str| text.parse::<u64>().ok();
    // One number is the last seed; two with a dash are the first and the last.
    let seeds = args.get(1).map_or(1..=1, |text| match text.split_once('-') {
        Some((first, last)) => number(first).unwrap_or(1)..=number(last).unwrap_or(1),
        None => 1..=number(text).unwrap_or(1),
    });
    let wanted = |world: &World| args.get(2).is_none_or(|name| *name == world.name);
    match args.first().map(String::as_str) {
        Some("cost") => println!("{:#?}", verdict_cost(45_000)),
        Some("policies") => {
            for world in World::branch().into_iter().filter(wanted) {
                let runs = if world.name == "base" { 1_000 } else { 800 };
                println!("{}", policy_table(&world, seeds.clone(), runs));
            }
        }
        _ => {
            for world in World::scoring().into_iter().filter(wanted) {
                println!("{}", scoring_table(&world, seeds.clone()));
            }
        }
    }
}
