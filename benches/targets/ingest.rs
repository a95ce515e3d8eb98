//! Reports and timing files into attempts.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use rasher::ingest::{Limits, Reader};
use rasher_bench::corpus::Monolith;

fn ingest(criterion: &mut Criterion) {
    let made = Monolith::full();
    let run = made.run(0);
    let mut group = criterion.benchmark_group("record");
    group.sample_size(10);
    for (algorithm, bytes) in [("junit", run.junit()), ("test_durations", run.test_durations())] {
        group.throughput(Throughput::Bytes(bytes.len() as u64));
        group.bench_function(format!("{algorithm}/{}", made.tests()), |bencher| {
            bencher.iter(|| {
                let mut reader = Reader::new(Limits::default());
                let report = reader.read(&bytes, None);
                (report, reader.finish())
            });
        });
    }
    group.finish();
}

criterion_group!(benches, ingest);
criterion_main!(benches);
