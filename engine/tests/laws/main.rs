//! Laws: what holds for every input, each named as a sentence.
mod backtest;
mod budget;
mod constraint;
mod dispatch;
mod dialects;
mod estimate;
mod history;
mod ingest;
mod ledger;
mod outcome;
mod plan;
mod plan_size;
mod plan_steady;
mod test_id;
mod flake;
mod retry;
mod verdict;
