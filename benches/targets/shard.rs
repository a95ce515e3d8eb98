//! A plan document back from its bytes, as every worker reads it.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use rasher::plan::document::PlanDocument;
use rasher::plan::{PlanFacts, PlanOptions, Workload, plan};
use rasher::test_id::TestTable;
use rasher::units::Micros;
use rasher_bench::corpus::Monolith;

fn shard(criterion: &mut Criterion) {
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
    let made = plan(&workload, &PlanOptions::new(200)).expect("a plan");
    let document = made.document(&workload, PlanFacts::default());
    let bytes = serde_json::to_vec(&document).expect("json");
    let mut group = criterion.benchmark_group("shard");
    group.sample_size(10).throughput(Throughput::Bytes(bytes.len() as u64));
    group.bench_function("read/45000×200", |bencher| {
        bencher.iter(|| PlanDocument::from_json(&bytes).expect("a plan"));
    });
    group.finish();
}

criterion_group!(benches, shard);
criterion_main!(benches);
