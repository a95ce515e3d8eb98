//! The plan call beside its unit: sorting the same durations, in one run.

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use rasher::plan::longest_first::longest_first;
use rasher::plan::{PlanOptions, Workload, plan};
use rasher::test_id::TestTable;
use rasher::units::Micros;
use rasher_bench::corpus::Monolith;

const SHARDS: u32 = 200;

fn planned(criterion: &mut Criterion) {
    let made = Monolith::full();
    let mut tests = TestTable::new();
    for (class, case) in made.cases() {
        tests.intern(&format!("{}#{}", class.name, case.name), Some(&class.name));
    }
    let (tests, order) = tests.sorted();
    let durations: Vec<Micros> = made.cases().map(|(_, case)| case.duration).collect();
    let mean: Vec<Micros> = order.iter().map(|test| durations[test.index()]).collect();
    let setup = vec![Micros::from_secs(2); tests.group_count()];
    let workload = Workload::new(&tests, &mean, &mean, &setup).expect("columns of one length");
    let plain: Vec<u64> = mean.iter().map(|duration| duration.get()).collect();
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
