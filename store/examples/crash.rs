//! Many writers in one store, killed at random: is anything lost that was acknowledged?
//!
//! `cargo run --release -p rasher-store --example crash -- --kills 1000 --writers 64`
//!
//! Each writer is a process that records run after run and says so only once the store has said
//! so. The parent kills one at random (SIGKILL on Unix), starts another in its place, and in the
//! end reads everything back.

#[path = "../tests/common/mod.rs"]
mod common;
#[path = "../tests/common/crash.rs"]
mod crash;

use std::path::Path;

use crash::{Toll, toll, writer};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [word, store, number] = &arguments[..]
        && word == "writer"
    {
        writer(Path::new(store), number);
        return Ok(());
    }
    let number = |name: &str, other: usize| -> Result<usize, std::num::ParseIntError> {
        let at = arguments.iter().position(|argument| argument == name);
        at.and_then(|at| arguments.get(at + 1)).map_or(Ok(other), |text| text.parse())
    };
    let (kills, writers) = (number("--kills", 1_000)?, number("--writers", 64)?);
    let folder = tempfile::tempdir()?;
    let began = std::time::Instant::now();
    let own = std::env::current_exe()?;
    let Toll { acknowledged, unacknowledged, lost, damaged, temporary } =
        toll(folder.path(), (kills, writers), |store, number| {
            let mut command = std::process::Command::new(&own);
            command.arg("writer").arg(store).arg(number);
            command
        })?;
    println!("writers at once                  {writers:>8}");
    println!("writers killed                   {kills:>8}");
    println!("runs acknowledged                {acknowledged:>8}");
    println!("of them lost                     {lost:>8}");
    println!("kept without acknowledgement     {unacknowledged:>8}");
    println!("segments damaged                 {damaged:>8}");
    println!("temporary files left             {temporary:>8}");
    println!("seconds                          {:>8.1}", began.elapsed().as_secs_f64());
    if lost + damaged > 0 { Err("something was lost".into()) } else { Ok(()) }
}
