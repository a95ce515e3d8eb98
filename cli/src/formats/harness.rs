//! A shard for the Rasher harness, which asks a hash table about each class and method of a JVM.
//!
//! Decides which shard runs a method whose invocations the plan has spread (the one with most of
//! them) and which shard of a shared class runs the methods that the plan does not know (the one
//! with most of the class), so that every test runs exactly once. The classes of the other shards
//! are told by hashes: what is planned nowhere is new, and runs where its hash falls.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::{Chunk, Selection, Written, chunks};
use crate::fault::Fault;

/// How many tests of something each shard has.
type Held = BTreeMap<u32, usize>;

/// An outermost class of the plan.
#[derive(Default)]
struct Class {
    held: Held,
    /// Nested class and method, without parameters and invocations.
    units: BTreeMap<String, Held>,
    /// A test of the plan stands for the class itself.
    asked_whole: bool,
}

pub(super) fn write(selection: Selection<'_>) -> Result<Written, Fault> {
    let plan = selection.plan;
    let here = selection.shard.index;
    let retry = plan.retry_of.is_some();
    let mut classes: BTreeMap<String, Class> = BTreeMap::new();
    for shard in &plan.shards {
        for chunk in chunks(shard) {
            add(&mut classes, shard.index, chunk);
        }
    }
    let mut text = String::from("rasher-shard 1\n");
    let kind = if retry { "retry" } else { "plan" };
    let _ = write!(text, "plan {}\nshard {here} {} {kind}\n", plan.id, plan.shards.len());
    for (name, class) in &classes {
        if !class.held.contains_key(&here) {
            let _ = writeln!(text, "known {:016x}", hash(name));
        } else if class.asked_whole || class.held.len() == 1 && !retry {
            let _ = writeln!(text, "class {}", escaped(name));
        } else {
            split(&mut text, name, class, here);
        }
    }
    let _ = writeln!(text, "end {:08x}", crc32(text.as_bytes()));
    Ok(Written { text, notices: Vec::new() })
}

fn split(text: &mut String, name: &str, class: &Class, here: u32) {
    let new = if most(&class.held) == Some(here) { "new" } else { "old" };
    let _ = writeln!(text, "split {new} {}", escaped(name));
    for (unit, held) in &class.units {
        let place = if most(held) == Some(here) { "here" } else { "there" };
        let _ = writeln!(text, "{place} {}", escaped(unit));
    }
}

fn add(classes: &mut BTreeMap<String, Class>, shard: u32, chunk: Chunk<'_>) {
    for test in chunk.tests {
        let (class, name) = parts(chunk.group, test);
        let outer = outermost(class);
        let entry = classes.entry(outer.to_owned()).or_default();
        *entry.held.entry(shard).or_default() += 1;
        match name {
            None => entry.asked_whole = true,
            Some(name) => {
                let unit = format!("{}#{}", &class[outer.len()..], bare(name));
                *entry.units.entry(unit).or_default().entry(shard).or_default() += 1;
            }
        }
    }
}

/// The class of a test, with its module where it has one, and its name; no name for a test that
/// stands for the class.
fn parts<'t>(group: Option<&'t str>, test: &'t str) -> (&'t str, Option<&'t str>) {
    if let Some(group) = group {
        let plain = group.split_once(':').map_or(group, |(_, class)| class);
        for class in [group, plain] {
            if test == class {
                return (group, None);
            }
            if let Some(name) = test.strip_prefix(class).and_then(|rest| rest.strip_prefix('#')) {
                return (group, Some(name));
            }
        }
    }
    test.split_once('#').map_or((test, None), |(class, name)| (class, Some(name)))
}

/// The part of a class name before the first `$` of its simple name.
fn outermost(class: &str) -> &str {
    let simple = class.rfind('.').map_or(0, |dot| dot + 1);
    let first = class[simple..].chars().next().map_or(0, char::len_utf8);
    let dollar = class[simple + first..].find('$');
    dollar.map_or(class, |at| &class[..simple + first + at])
}

/// What remains of a test's name without parameters and invocations.
fn bare(name: &str) -> &str {
    name.split(['(', '[', '{']).next().unwrap_or_default().trim()
}

/// The shard with most; of equals the first.
fn most(held: &Held) -> Option<u32> {
    let most = held.values().max()?;
    held.iter().find(|(_, count)| *count == most).map(|(shard, _)| *shard)
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('\n', "\\n").replace('\r', "\\r")
}

/// FNV-1a with a final mix: the same in the harness.
fn hash(text: &str) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for byte in text.bytes() {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3);
    }
    hash = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    hash = (hash ^ (hash >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    hash ^ (hash >> 33)
}

/// The checksum of zip and of `java.util.zip.CRC32`.
fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32, byte: &u8| {
        let shift = |crc: u32, _| if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 };
        (0..8).fold(crc ^ u32::from(*byte), shift)
    };
    !bytes.iter().fold(!0, step)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksum_and_hash_are_those_of_java() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
        assert_eq!(hash("demo.ATest"), 0x681f_b2f9_6b69_c513);
    }

    #[test]
    fn names_are_taken_apart_as_the_harness_does() {
        assert_eq!(outermost("d.A$In$Core"), "d.A");
        assert_eq!(outermost("d.$A$B"), "d.$A");
        assert_eq!(outermost("core:d.A$B"), "core:d.A");
        for (name, unit) in [("a", "a"), ("a(int)[1]", "a"), ("t{int}[2]", "t"), ("[1] 5", "")] {
            assert_eq!(bare(name), unit);
        }
        assert_eq!(parts(Some("core:d.A"), "d.A#b"), ("core:d.A", Some("b")));
        assert_eq!(parts(Some("core:d.A"), "core:d.A#b#c"), ("core:d.A", Some("b#c")));
        assert_eq!(parts(None, "d.A#b"), ("d.A", Some("b")));
        assert_eq!(parts(Some("d.A"), "d.A"), ("d.A", None));
    }
}
