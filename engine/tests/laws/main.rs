//! Laws: what holds for every input, each named as a sentence.
mod backtest;
mod budget;
mod dispatch;
mod dialects;
mod estimate;
mod history;
mod ingest;
mod outcome;
mod plan;
mod plan_size;
mod test_id;
