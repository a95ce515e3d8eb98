//! Pages of a column, checked before they are decoded.
//!
//! The Parquet reader gives memory to as many values as a page says it holds. A file made to harm
//! can say anything, and memory that is not there ends the process: so what a page says is held
//! against the rows of its file, and its texts against a limit, before the reader sees it.

use bytes::Bytes;
use parquet::basic::Encoding;
use parquet::column::page::{Page, PageMetadata, PageReader};
use parquet::errors::{ParquetError, Result};

/// Texts of one page come to no more than this, written out: 64 KiB for each row of a full page.
const TEXT_MAX: u64 = (super::PAGE_ROWS_MAX as u64) << 16;

/// The largest block of packed integers; writers use 128 or 256.
const BLOCK_MAX: u64 = 1 << 16;

/// Passes on the pages of another reader that keep their word.
pub(super) struct Checked {
    pub(super) inner: Box<dyn PageReader>,
    /// How many rows the column has.
    pub(super) rows: usize,
    /// Whether rows may lack a value, so that levels stand before the values.
    pub(super) optional: bool,
}

impl Iterator for Checked {
    type Item = Result<Page>;

    fn next(&mut self) -> Option<Self::Item> {
        self.get_next_page().transpose()
    }
}

impl PageReader for Checked {
    fn get_next_page(&mut self) -> Result<Option<Page>> {
        let page = self.inner.get_next_page()?;
        if page.as_ref().is_none_or(|page| self.keeps_its_word(page).is_some()) {
            Ok(page)
        } else {
            Err(ParquetError::General("a page holds something else than it says".into()))
        }
    }

    fn peek_next_page(&mut self) -> Result<Option<PageMetadata>> {
        self.inner.peek_next_page()
    }

    fn skip_next_page(&mut self) -> Result<()> {
        self.inner.skip_next_page()
    }

    fn at_record_boundary(&mut self) -> Result<bool> {
        self.inner.at_record_boundary()
    }
}

impl Checked {
    fn keeps_its_word(&self, page: &Page) -> Option<()> {
        let count = page.num_values() as usize;
        if count > self.rows {
            return None;
        }
        match page {
            Page::DictionaryPage { .. } => Some(()),
            // Later than what any release wrote.
            Page::DataPageV2 { .. } => None,
            Page::DataPage { buf, encoding, .. } => {
                let values = if self.optional { after_levels(buf)? } else { buf };
                match encoding {
                    Encoding::PLAIN | Encoding::RLE_DICTIONARY => Some(()),
                    Encoding::DELTA_BINARY_PACKED => Packed::open(values, count).map(drop),
                    Encoding::DELTA_BYTE_ARRAY => texts(values, count),
                    _ => None,
                }
            }
        }
    }
}

/// Levels begin with their length.
fn after_levels(buf: &Bytes) -> Option<&[u8]> {
    let len = u32::from_le_bytes(*buf.first_chunk()?) as usize;
    buf.get(4..)?.get(len..)
}

/// Texts are lengths shared with the text before, lengths of the rest, and the rests.
fn texts(values: &[u8], count: usize) -> Option<()> {
    let (shared, values) = Packed::open(values, count)?.read_all()?;
    let (rest, values) = Packed::open(values, count)?.read_all()?;
    let total = |lengths: &[i64]| {
        lengths.iter().try_fold(0_u64, |sum, len| sum.checked_add(u64::try_from(*len).ok()?))
    };
    let (shared_len, rest_len) = (total(&shared)?, total(&rest)?);
    let whole = shared.len() == rest.len() && rest_len <= values.len() as u64;
    (whole && shared_len.checked_add(rest_len)? <= TEXT_MAX).then_some(())
}

/// Integers as differences, packed in blocks to the bits they need.
struct Packed<'a> {
    bytes: &'a [u8],
    count: usize,
    first: i64,
    /// How many parts a block has, each with a width of its own, and how many values a part.
    parts: usize,
    part_len: usize,
}

impl<'a> Packed<'a> {
    /// The head, if it promises at most `count` values in blocks of a size that writers use.
    fn open(mut bytes: &'a [u8], count: usize) -> Option<Self> {
        let (block, parts) = (varint(&mut bytes)?, varint(&mut bytes)?);
        let promised = usize::try_from(varint(&mut bytes)?).ok()?;
        let first = zigzag(varint(&mut bytes)?);
        let sound = block <= BLOCK_MAX && parts > 0 && block % parts == 0;
        let part_len = if sound { usize::try_from(block / parts).ok()? } else { 0 };
        let sound = part_len > 0 && part_len.is_multiple_of(32) && promised <= count;
        let parts = usize::try_from(parts).ok()?;
        sound.then_some(Self { bytes, count: promised, first, parts, part_len })
    }

    /// All values, and the bytes behind them.
    fn read_all(mut self) -> Option<(Vec<i64>, &'a [u8])> {
        let mut values = Vec::with_capacity(self.count);
        if self.count > 0 {
            values.push(self.first);
        }
        while values.len() < self.count {
            let least = zigzag(varint(&mut self.bytes)?);
            let (widths, bytes) = self.bytes.split_at_checked(self.parts)?;
            self.bytes = bytes;
            for width in widths {
                if values.len() < self.count {
                    self.read_part(usize::from(*width), least, &mut values)?;
                }
            }
        }
        Some((values, self.bytes))
    }

    fn read_part(&mut self, width: usize, least: i64, values: &mut Vec<i64>) -> Option<()> {
        if width > 64 {
            return None;
        }
        let (packed, bytes) = self.bytes.split_at_checked(self.part_len * width / 8)?;
        self.bytes = bytes;
        let mut last = values.last().copied().unwrap_or_default();
        for at in 0..self.part_len.min(self.count - values.len()) {
            last = last.wrapping_add(least).wrapping_add(bits(packed, at * width, width));
            values.push(last);
        }
        Some(())
    }
}

/// `width` bits from bit `start` on, the lowest first.
fn bits(packed: &[u8], start: usize, width: usize) -> i64 {
    let mut window = [0; 16];
    let from = packed.get(start / 8..).unwrap_or_default();
    let len = from.len().min(9);
    window[..len].copy_from_slice(&from[..len]);
    let mask = if width == 64 { u64::MAX } else { (1 << width) - 1 };
    ((u128::from_le_bytes(window) >> (start % 8)) as u64 & mask).cast_signed()
}

fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

fn zigzag(value: u64) -> i64 {
    (value >> 1).cast_signed() ^ -(value & 1).cast_signed()
}
