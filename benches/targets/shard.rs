//! A plan document back from its bytes, as every worker reads it.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use rasher::plan::document::PlanDocument;
use rasher::plan::{PlanFacts, PlanOptions, plan};
use rasher::units::Micros;
use rasher_bench::corpus::Monolith;
use rasher_bench::suite::Suite;

fn shard(criterion: &mut Criterion) {
    let suite = Suite::of_monolith(&Monolith::full(), Micros::from_secs(2));
    let workload = suite.workload();
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
