//! The plan call beside its unit: sorting the same durations, in one run.

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use rasher::plan::longest_first::longest_first;
use rasher::plan::{PlanOptions, plan};
use rasher::units::Micros;
use rasher_bench::corpus::Monolith;
use rasher_bench::suite::Suite;

const SHARDS: u32 = 200;

fn planned(criterion: &mut Criterion) {
    let suite = Suite::of_monolith(&Monolith::full(), Micros::from_secs(2));
    let workload = suite.workload();
    let plain: Vec<u64> = suite.mean.iter().map(|duration| duration.get()).collect();
    let name = |what: &str| format!("{what}/{}×{SHARDS}", plain.len());
    let mut group = criterion.benchmark_group("plan");
    group.sample_size(20).throughput(Throughput::Elements(plain.len() as u64));
    group.bench_function(name("sort_unstable"), |bencher| {
        let sort = |mut durations: Vec<u64>| {
            durations.sort_unstable();
            durations
        };
        bencher.iter_batched(|| plain.clone(), sort, BatchSize::LargeInput);
    });
    group.bench_function(name("longest_first"), |bencher| {
        bencher.iter(|| longest_first(&plain, SHARDS as usize));
    });
    group.bench_function(name("classes"), |bencher| {
        bencher.iter(|| plan(&workload, &PlanOptions::new(SHARDS)).expect("a plan"));
    });
    group.finish();
}

criterion_group!(benches, planned);
criterion_main!(benches);
