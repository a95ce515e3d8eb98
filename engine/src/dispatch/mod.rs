//! Who runs what next while a run is under way.
//!
//! Decides, in virtual time, how a plan plays out on workers that start late, differ in speed and
//! meet durations that nobody predicted: as planned, with idle workers taking over, or from a
//! queue. Never waits and never talks to a worker.

mod course;
mod machines;

pub use course::{Chunk, Course, Mode, Overheads, Reality, Script, execute};
pub use machines::{Machines, Worker};
