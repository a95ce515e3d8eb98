//! Laws: what holds for every input, each named as a sentence.
mod budget;
mod outcome;
mod plan;
mod plan_size;
