//! The frame that carries a request or an answer: a head, a table of sections, their bytes.
//!
//! Little-endian throughout. Decides only what is well-formed; never what a section means. Counts
//! are checked against the bytes that are there before anything is allocated.
//!
//! | at | bytes | what |
//! |---|---|---|
//! | 0 | 4 | `RSHR` |
//! | 4 | 2, 2 | major version, minor version |
//! | 8 | 4 | operation |
//! | 12 | 4 | number of sections |
//! | 16 | 24 each | id (4), flags (4: 1 = must be understood), offset (8), length (8) |
//!
//! A section begins at a multiple of eight. A reader skips a section that it does not know, unless
//! its flag says that it must be understood.

use std::borrow::Cow;
use std::ops::Range;

use rasher::error::ErrorKind;

use crate::fault::Fault;

/// The version of frames that this library reads and writes; a reader refuses another major one.
pub const MAJOR: u16 = 1;
/// Grows with every section or operation that is added.
pub const MINOR: u16 = 0;

const MAGIC: &[u8; 4] = b"RSHR";
const HEAD_BYTES: usize = 16;
const ENTRY_BYTES: usize = 24;
const SECTIONS_MAX: usize = 64;
const MUST_BE_UNDERSTOOD: u32 = 1;

/// No head with its table is longer.
#[cfg(any(feature = "jni", test))]
const HEAD_MAX: usize = HEAD_BYTES + SECTIONS_MAX * ENTRY_BYTES;

/// A frame, checked, over the bytes it came in or with its sections on their own.
#[derive(Clone, Debug)]
pub struct Frame<'b> {
    /// Which operation is asked for, or was answered.
    pub op: u32,
    sections: Vec<(u32, Cow<'b, [u8]>)>,
}

/// What the head and the table of a frame say, checked against its length.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) op: u32,
    pub(crate) sections: Vec<(u32, Range<usize>)>,
}

fn broken(what: impl Into<String>) -> Fault {
    Fault::new(ErrorKind::Usage, format!("not a frame: {}", what.into()))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at.checked_add(4)?)?.try_into().ok()?))
}

fn usize_at(bytes: &[u8], at: usize) -> Option<usize> {
    let raw = u64::from_le_bytes(bytes.get(at..at.checked_add(8)?)?.try_into().ok()?);
    usize::try_from(raw).ok()
}

impl Head {
    /// Reads the head of a frame of `length` bytes, of which `bytes` are the first: all, or
    /// `HEAD_MAX` at least. Sections lie within the frame and are not longer than it together.
    fn read(bytes: &[u8], length: usize, known: &[u32]) -> Result<Self, Fault> {
        if bytes.get(..4) != Some(MAGIC) {
            return Err(broken("it does not begin with `RSHR`"));
        }
        let cut = || broken("it is cut in its head");
        let major = u32_at(bytes, 4).ok_or_else(cut)? as u16;
        if major != MAJOR {
            return Err(broken(format!("it is of version {major}, this library reads {MAJOR}")));
        }
        let op = u32_at(bytes, 8).ok_or_else(cut)?;
        let count = u32_at(bytes, 12).ok_or_else(cut)? as usize;
        if count > SECTIONS_MAX {
            return Err(broken(format!("{count} sections are more than {SECTIONS_MAX}")));
        }
        let mut sections = Vec::with_capacity(count);
        let mut left = length;
        for at in (0..count).map(|entry| HEAD_BYTES + entry * ENTRY_BYTES) {
            let parts = (u32_at(bytes, at), u32_at(bytes, at + 4));
            let place = (usize_at(bytes, at + 8), usize_at(bytes, at + 16));
            let ((Some(id), Some(flags)), (Some(offset), Some(size))) = (parts, place) else {
                return Err(broken("it is cut in its table"));
            };
            let end = offset.checked_add(size).filter(|end| *end <= length);
            let end = end.ok_or_else(|| broken(format!("section {id} lies outside")))?;
            left = left
                .checked_sub(size)
                .ok_or_else(|| broken(format!("section {id} overlaps another")))?;
            if !known.contains(&id) && flags & MUST_BE_UNDERSTOOD != 0 {
                return Err(broken(format!("section {id} must be understood and is not known")));
            }
            sections.push((id, offset..end));
        }
        Ok(Self { op, sections })
    }
}

impl<'b> Frame<'b> {
    /// Reads a frame of which every section lies within the bytes. `known` are the sections that
    /// the caller understands.
    ///
    /// # Errors
    /// Where the bytes are no frame, one of another major version, cut, or need understanding that
    /// this version lacks.
    pub fn read(bytes: &'b [u8], known: &[u32]) -> Result<Self, Fault> {
        let head = Head::read(bytes, bytes.len(), known)?;
        let sections = head.sections.into_iter();
        let sections = sections.map(|(id, range)| (id, Cow::Borrowed(&bytes[range]))).collect();
        Ok(Self { op: head.op, sections })
    }

    /// Reads a frame of `length` bytes that lies elsewhere, each known section by itself, so that
    /// none is copied twice.
    ///
    /// # Errors
    /// As [`Frame::read`], and where `part` cannot give a part of it.
    #[cfg(any(feature = "jni", test))]
    pub(crate) fn gather<E: From<Fault>>(
        length: usize,
        known: &[u32],
        part: impl Fn(Range<usize>) -> Result<Vec<u8>, E>,
    ) -> Result<Self, E> {
        let head = Head::read(&part(0..length.min(HEAD_MAX))?, length, known)?;
        let mut sections = Vec::with_capacity(head.sections.len());
        for (id, range) in head.sections.into_iter().filter(|(id, _)| known.contains(id)) {
            sections.push((id, Cow::Owned(part(range)?)));
        }
        Ok(Self { op: head.op, sections })
    }

    /// The bytes of a section, where it is there.
    pub fn section(&self, id: u32) -> Option<&[u8]> {
        self.sections.iter().find(|(known, _)| *known == id).map(|(_, bytes)| &**bytes)
    }

    /// The bytes of a section that must be there.
    ///
    /// # Errors
    /// Where it is missing.
    pub fn needed(&self, id: u32) -> Result<&[u8], Fault> {
        self.section(id).ok_or_else(|| broken(format!("section {id} is missing")))
    }

    /// Takes the bytes of a section out of the frame; none are left.
    pub fn take(&mut self, id: u32) -> Vec<u8> {
        let place = self.sections.iter().position(|(known, _)| *known == id);
        place.map_or_else(Vec::new, |at| self.sections.swap_remove(at).1.into_owned())
    }

    /// A column of `u32`; empty where the section is missing.
    ///
    /// # Errors
    /// Where its bytes are no whole number of values.
    pub fn u32s(&self, id: u32) -> Result<Vec<u32>, Fault> {
        let (chunks, rest) = self.section(id).unwrap_or_default().as_chunks::<4>();
        whole(id, rest)?;
        Ok(chunks.iter().map(|chunk| u32::from_le_bytes(*chunk)).collect())
    }

    /// A column of `u64`; `None` where the section is missing.
    ///
    /// # Errors
    /// Where its bytes are no whole number of values.
    pub fn u64s(&self, id: u32) -> Result<Option<Vec<u64>>, Fault> {
        let Some(bytes) = self.section(id) else { return Ok(None) };
        let (chunks, rest) = bytes.as_chunks::<8>();
        whole(id, rest)?;
        Ok(Some(chunks.iter().map(|chunk| u64::from_le_bytes(*chunk)).collect()))
    }

    /// Byte strings laid end to end in section `arena`, each ending where section `ends` says.
    ///
    /// # Errors
    /// Where the ends go back or beyond the arena.
    pub fn blobs(&self, arena: u32, ends: u32) -> Result<Vec<&[u8]>, Fault> {
        let bytes = self.section(arena).unwrap_or_default();
        let mut start = 0;
        let ends = self.u32s(ends)?;
        let blobs = ends.into_iter().map(|end| {
            let end = end as usize;
            let blob = bytes.get(start..end);
            start = end;
            blob.ok_or_else(|| broken(format!("section {arena}: an end at {end} is out of order")))
        });
        blobs.collect()
    }
}

fn whole(id: u32, rest: &[u8]) -> Result<(), Fault> {
    if rest.is_empty() {
        return Ok(());
    }
    Err(broken(format!("section {id} has {} bytes too many", rest.len())))
}

/// A frame being written.
#[derive(Clone, Debug, Default)]
pub struct FrameWriter {
    sections: Vec<(u32, Vec<u8>)>,
}

impl FrameWriter {
    /// Adds a section of bytes.
    #[must_use]
    pub fn bytes(mut self, id: u32, bytes: Vec<u8>) -> Self {
        self.sections.push((id, bytes));
        self
    }

    /// Adds a column of `u32`.
    #[must_use]
    pub fn u32s(self, id: u32, values: impl IntoIterator<Item = u32>) -> Self {
        let bytes = values.into_iter().flat_map(u32::to_le_bytes).collect();
        self.bytes(id, bytes)
    }

    /// Adds a column of `u64`.
    #[must_use]
    pub fn u64s(self, id: u32, values: impl IntoIterator<Item = u64>) -> Self {
        let bytes = values.into_iter().flat_map(u64::to_le_bytes).collect();
        self.bytes(id, bytes)
    }

    /// Adds strings as an arena and its ends.
    #[must_use]
    pub fn strings<'s>(
        self,
        arena: u32,
        ends: u32,
        strings: impl IntoIterator<Item = &'s [u8]>,
    ) -> Self {
        let mut bytes = Vec::new();
        let mut stops = Vec::new();
        for text in strings {
            bytes.extend_from_slice(text);
            stops.push(bytes.len() as u32);
        }
        self.bytes(arena, bytes).u32s(ends, stops)
    }

    /// Adds the sections of another frame after these; a reader takes the first of a number.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.sections.extend(other.sections);
        self
    }

    /// The frame.
    pub fn finish(self, op: u32) -> Vec<u8> {
        let table = HEAD_BYTES + self.sections.len() * ENTRY_BYTES;
        let total: usize = self.sections.iter().map(|(_, bytes)| bytes.len() + 8).sum();
        let mut out = Vec::with_capacity(table + 8 + total);
        out.extend_from_slice(MAGIC);
        out.extend_from_slice(&MAJOR.to_le_bytes());
        out.extend_from_slice(&MINOR.to_le_bytes());
        out.extend_from_slice(&op.to_le_bytes());
        out.extend_from_slice(&(self.sections.len() as u32).to_le_bytes());
        let mut offset = table.next_multiple_of(8);
        for (id, bytes) in &self.sections {
            out.extend_from_slice(&id.to_le_bytes());
            out.extend_from_slice(&0_u32.to_le_bytes());
            out.extend_from_slice(&(offset as u64).to_le_bytes());
            out.extend_from_slice(&(bytes.len() as u64).to_le_bytes());
            offset = (offset + bytes.len()).next_multiple_of(8);
        }
        for (_, bytes) in &self.sections {
            out.resize(out.len().next_multiple_of(8), 0);
            out.extend_from_slice(bytes);
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn a_frame_that_is_gathered_is_the_frame_that_is_read(
            sections in prop::collection::vec((1..5_u32, prop::collection::vec(any::<u8>(), 0..40)), 0..6),
            changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..3),
        ) {
            let writer = FrameWriter { sections };
            let mut bytes = writer.finish(7);
            for (at, byte) in changes {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
            let known = [1, 2, 3];
            let part = |range: Range<usize>| Ok::<_, Fault>(bytes[range].to_vec());
            match (Frame::read(&bytes, &known), Frame::gather(bytes.len(), &known, part)) {
                (Ok(read), Ok(gathered)) => {
                    prop_assert_eq!(read.op, gathered.op);
                    for id in known {
                        prop_assert_eq!(read.section(id), gathered.section(id));
                    }
                }
                (read, gathered) => prop_assert_eq!(read.err(), gathered.err()),
            }
        }
    }
}
