//! Plans again, by the crate alone, what Java has planned, and compares byte for byte.
//!
//! `equal_plans FILE`: the file holds for each input the length and the bytes of its request, then
//! of the document that Java got (`dev.rasher.EqualPlans` writes it). Names are interned one by
//! one and sorted here, as a caller of the crate does; nothing of the bridge is used but the frame.

use std::process::ExitCode;

use rasher::plan::{PlanFacts, PlanOptions, Workload, plan};
use rasher::test_id::TestTable;
use rasher::units::Micros;
use rasher_jni::frame::Frame;
use rasher_jni::ops::section::*;

/// The next length and its bytes.
fn next<'b>(file: &mut &'b [u8]) -> Option<&'b [u8]> {
    let (length, rest) = file.split_first_chunk::<4>()?;
    let (bytes, rest) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
    *file = rest;
    Some(bytes)
}

/// The document of a request.
fn document(request: &[u8]) -> Option<Vec<u8>> {
    let frame = Frame::read(request, &REQUEST).ok()?;
    let control: serde_json::Value = serde_json::from_slice(frame.section(CONTROL)?).ok()?;
    let names = frame.blobs(NAMES, NAME_ENDS).ok()?;
    let groups = frame.blobs(GROUPS, GROUP_ENDS).ok()?;
    let group_of = frame.u32s(GROUP_OF).ok()?;
    let mut given = TestTable::new();
    for (at, name) in names.iter().enumerate() {
        let group = group_of.get(at).and_then(|group| groups.get(*group as usize));
        let group = group.map(|group| str::from_utf8(group)).transpose().ok()?;
        given.intern(str::from_utf8(name).ok()?, group);
    }
    let (tests, old) = given.sorted();
    let column = |id: u32| -> Option<Vec<Micros>> {
        let given = frame.u64s(id).ok()??;
        old.iter().map(|test| given.get(test.index()).copied().map(Micros::new)).collect()
    };
    let mean = column(MEAN_US)?;
    let upper = column(UPPER_US).unwrap_or_else(|| mean.clone());
    let given_setup = frame.u64s(SETUP_US).ok()?;
    let setup = tests.group_ids().map(|group| {
        let name = tests.group_name(group).as_bytes();
        let at = groups.iter().position(|known| *known == name)?;
        Some(given_setup.as_ref().map_or(Micros::ZERO, |given| Micros::new(given[at])))
    });
    let setup: Vec<Micros> = setup.collect::<Option<_>>()?;
    let workload = Workload::new(&tests, &mean, &upper, &setup).ok()?;
    let shards = u32::try_from(control["shards"].as_u64()?).ok()?;
    let plan = plan(&workload, &PlanOptions::new(shards)).ok()?;
    let environment = control["environment"].as_str()?.to_owned();
    let facts = PlanFacts { environment, ..PlanFacts::default() };
    serde_json::to_vec(&plan.document(&workload, facts)).ok()
}

fn main() -> ExitCode {
    let Some(bytes) = std::env::args().nth(1).and_then(|path| std::fs::read(path).ok()) else {
        eprintln!("equal_plans FILE");
        return ExitCode::from(2);
    };
    let mut file = bytes.as_slice();
    let (mut inputs, mut different) = (0, 0);
    while let Some(request) = next(&mut file) {
        let java = next(&mut file);
        if java.is_none() || document(request).as_deref() != java {
            eprintln!("input {inputs}: the plans differ");
            different += 1;
        }
        inputs += 1;
    }
    println!("{inputs} inputs, {different} of them with a plan of the crate that differs");
    ExitCode::from(u8::from(different > 0 || inputs == 0 || !file.is_empty()))
}
