//! Recordings to disk, and the summary back.

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use rasher::attempt::{Isolation, RunContext};
use rasher_bench::corpus::{MadeRun, Monolith};
use rasher_store::Store;

fn context(run: &MadeRun<'_>) -> RunContext {
    RunContext {
        environment: "bench".to_owned(),
        branch: None,
        commit: None,
        base_commit: None,
        run: "one".to_owned(),
        attempt: 1,
        shard: None,
        worker: None,
        plan: None,
        isolation: Isolation::InSuite,
        at: run.at,
    }
}

fn store(criterion: &mut Criterion) {
    let made = Monolith::full();
    let run = made.run(0);
    let mut group = criterion.benchmark_group("store");
    group.sample_size(10);
    group.bench_function(format!("record/parquet/{}", made.tests()), |bencher| {
        let fresh = || (tempfile::tempdir().expect("a folder"), run.recording());
        bencher.iter_batched(
            fresh,
            |(folder, recording)| {
                let store = Store::open(folder.path()).expect("a store");
                let recorded = store.record(&context(&run), recording).expect("recorded");
                (recorded, folder)
            },
            BatchSize::PerIteration,
        );
    });
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::open(folder.path()).expect("a store");
    store.record(&context(&run), run.recording()).expect("recorded");
    group.bench_function(format!("history/summary/{}", made.tests()), |bencher| {
        bencher.iter(|| store.history("bench").expect("a history"));
    });
    group.finish();
}

criterion_group!(benches, store);
criterion_main!(benches);
