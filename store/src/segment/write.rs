//! A recording to Parquet.

use std::io::Write;
use std::sync::Arc;

use bytes::Bytes;
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::data_type::{ByteArray, ByteArrayType, DataType, Int32Type, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::metadata::{KeyValue, SortingColumn};
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::parser::parse_message_type;
use parquet::schema::types::ColumnPath;
use rasher::attempt::{Attempt, Isolation, Recording, RunContext};
use rasher::test_id::TestId;

use super::{HEAD_KEY, Head, PAGE_ROWS_MAX, ROWS_MAX, SCHEMA, SegmentError, VERSION};

/// Constant columns are written in slices of this many rows.
const SLICE: usize = 4_096;

/// The bytes of a segment. The same recording and context give the same bytes. Set-ups of groups
/// that have no attempt are left out: there is no row to carry them.
pub fn encode(context: &RunContext, recording: &Recording) -> Result<Vec<u8>, SegmentError> {
    let rows = Rows::of(recording);
    if rows.attempts.len() > ROWS_MAX {
        return Err(SegmentError::TooLarge);
    }
    write(context, &rows).map_err(SegmentError::unreadable)
}

/// The attempts in the order of the file.
struct Rows<'a> {
    recording: &'a Recording,
    attempts: Vec<&'a Attempt>,
    /// The set-up that a row carries for its group.
    setups: Vec<Option<i64>>,
}

impl<'a> Rows<'a> {
    fn of(recording: &'a Recording) -> Self {
        let table = &recording.tests;
        let mut by_name: Vec<TestId> = table.ids().collect();
        // Stable, because it sees that the names come sorted, as they mostly do.
        by_name.sort_by(|a, b| table.name(*a).cmp(table.name(*b)));
        let mut rank = vec![0_u32; table.len()];
        for (at, test) in by_name.iter().enumerate() {
            rank[test.index()] = at as u32;
        }
        let mut attempts: Vec<&Attempt> = recording.attempts.iter().collect();
        attempts.sort_by_key(|attempt| (rank[attempt.test.index()], attempt.ordinal));
        let mut waiting: Vec<Option<i64>> = vec![None; table.group_count()];
        for setup in &recording.setups {
            let new = i64::try_from(setup.setup.get()).unwrap_or(i64::MAX);
            let known = &mut waiting[setup.group.index()];
            *known = Some(known.map_or(new, |known| known.min(new)));
        }
        let setups = attempts
            .iter()
            .map(|attempt| waiting[table.group(attempt.test)?.index()].take())
            .collect();
        Self { recording, attempts, setups }
    }
}

fn properties(context: &RunContext) -> Result<WriterProperties, ParquetError> {
    let head = Head { version: VERSION, context: context.clone() };
    let head = serde_json::to_string(&head).map_err(|why| ParquetError::External(why.into()))?;
    let plain =
        |builder: parquet::file::properties::WriterPropertiesBuilder, name: &str, encoding| {
            let path = ColumnPath::from(name);
            builder
                .set_column_dictionary_enabled(path.clone(), false)
                .set_column_encoding(path, encoding)
        };
    let mut builder = WriterProperties::builder()
        .set_created_by("rasher".into())
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(1)?))
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .set_offset_index_disabled(true)
        .set_data_page_row_count_limit(PAGE_ROWS_MAX)
        .set_max_row_group_row_count(Some(ROWS_MAX))
        .set_sorting_columns(Some(vec![SortingColumn {
            column_idx: 0,
            descending: false,
            nulls_first: false,
        }]))
        .set_key_value_metadata(Some(vec![KeyValue::new(HEAD_KEY.into(), head)]));
    for name in ["test", "message", "unique_id"] {
        builder = plain(builder, name, Encoding::DELTA_BYTE_ARRAY);
    }
    for name in [
        "ordinal",
        "attempt",
        "shard",
        "recorded_at",
        "started_at",
        "duration_us",
        "signature",
        "setup_us",
    ] {
        builder = plain(builder, name, Encoding::DELTA_BINARY_PACKED);
    }
    Ok(builder.build())
}

fn write(context: &RunContext, rows: &Rows<'_>) -> Result<Vec<u8>, ParquetError> {
    let schema = Arc::new(parse_message_type(SCHEMA)?);
    let properties = Arc::new(properties(context)?);
    let mut file = SerializedFileWriter::new(Vec::new(), schema, properties)?;
    let mut group = file.next_row_group()?;
    let mut out = Columns { group: &mut group, rows: rows.attempts.len() };
    let table = &rows.recording.tests;
    let text = |text: &str| ByteArray::from(text.as_bytes().to_vec());
    let maybe = |value: &Option<String>| value.as_deref().map(text);

    let names = Texts::of(table.ids().map(|test| table.name(test)));
    out.each::<ByteArrayType>(rows.attempts.iter().map(|it| names.get(it.test.index())))?;
    let groups = Texts::of(table.group_ids().map(|group| table.group_name(group)));
    let group_of = |it: &&Attempt| table.group(it.test).map(|group| groups.get(group.index()));
    out.each_known::<ByteArrayType>(rows.attempts.iter().map(group_of))?;
    out.same::<ByteArrayType>(&text(&context.environment))?;
    for shared in [&context.branch, &context.commit, &context.base_commit] {
        out.same_known::<ByteArrayType>(maybe(shared))?;
    }
    out.same::<ByteArrayType>(&text(&context.run))?;
    out.same::<Int32Type>(&i32::from(context.attempt))?;
    out.same_known::<Int32Type>(context.shard.map(u32::cast_signed))?;
    for shared in [&context.worker, &context.plan] {
        out.same_known::<ByteArrayType>(maybe(shared))?;
    }
    out.same::<ByteArrayType>(&text(isolation_word(context.isolation)))?;
    out.same::<Int64Type>(&context.at.as_microsecond())?;
    write_attempts(&mut out, rows)?;
    group.close()?;
    file.into_inner()
}

/// The columns that differ from row to row.
fn write_attempts<W: Write + Send>(
    out: &mut Columns<'_, '_, W>,
    rows: &Rows<'_>,
) -> Result<(), ParquetError> {
    let words =
        rasher::attempt::Outcome::ALL.map(|outcome| (outcome, ByteArray::from(outcome.word())));
    let word = |wanted| {
        let found = words.iter().find(|(outcome, _)| *outcome == wanted);
        found.expect("every outcome has a word").1.clone()
    };
    let text = |text: &str| ByteArray::from(text.as_bytes().to_vec());
    let attempts = || rows.attempts.iter();
    out.each::<Int32Type>(attempts().map(|it| i32::from(it.ordinal)))?;
    out.each_known::<Int64Type>(attempts().map(|it| it.start.map(|at| at.as_microsecond())))?;
    out.each_known::<Int64Type>(
        attempts().map(|it| it.duration.map(|span| i64::try_from(span.get()).unwrap_or(i64::MAX))),
    )?;
    out.each::<ByteArrayType>(attempts().map(|it| word(it.outcome)))?;
    out.each_known::<Int64Type>(attempts().map(|it| it.signature.map(u64::cast_signed)))?;
    out.each_known::<ByteArrayType>(attempts().map(|it| it.message.as_deref().map(text)))?;
    out.each_known::<ByteArrayType>(attempts().map(|it| it.unique_id.as_deref().map(text)))?;
    out.each_known::<Int64Type>(rows.setups.iter().copied())
}

const fn isolation_word(isolation: Isolation) -> &'static str {
    match isolation {
        Isolation::FreshProcess => "fresh_process",
        Isolation::FreshWorker => "fresh_worker",
        Isolation::Replay => "replay",
        _ => "in_suite",
    }
}

/// Many texts in one allocation, handed out by reference.
struct Texts {
    bytes: Bytes,
    ends: Vec<usize>,
}

impl Texts {
    fn of<'a>(texts: impl Iterator<Item = &'a str>) -> Self {
        let (mut bytes, mut ends) = (Vec::new(), vec![0]);
        for text in texts {
            bytes.extend_from_slice(text.as_bytes());
            ends.push(bytes.len());
        }
        Self { bytes: bytes.into(), ends }
    }

    fn get(&self, at: usize) -> ByteArray {
        self.bytes.slice(self.ends[at]..self.ends[at + 1]).into()
    }
}

/// Values, and where the column may have gaps: for each row, whether one of them is its.
type Slice<'a, T> = (&'a [T], Option<&'a [i16]>);

/// Writes one column after another.
struct Columns<'a, 'w, W: Write + Send> {
    group: &'a mut SerializedRowGroupWriter<'w, W>,
    rows: usize,
}

impl<W: Write + Send> Columns<'_, '_, W> {
    fn column<D: DataType>(&mut self, parts: &[Slice<'_, D::T>]) -> Result<(), ParquetError> {
        let missing = || ParquetError::General("the schema has too few columns".into());
        let mut column = self.group.next_column()?.ok_or_else(missing)?;
        for (values, levels) in parts {
            column.typed::<D>().write_batch(values, *levels, None)?;
        }
        column.close()
    }

    fn each<D: DataType>(
        &mut self,
        values: impl Iterator<Item = D::T>,
    ) -> Result<(), ParquetError> {
        let values: Vec<D::T> = values.collect();
        self.column::<D>(&[(&values, None)])
    }

    fn each_known<D: DataType>(
        &mut self,
        values: impl Iterator<Item = Option<D::T>>,
    ) -> Result<(), ParquetError> {
        let mut levels = Vec::with_capacity(self.rows);
        let mut known = Vec::new();
        for value in values {
            levels.push(i16::from(value.is_some()));
            known.extend(value);
        }
        self.column::<D>(&[(&known, Some(&levels))])
    }

    fn same<D: DataType>(&mut self, value: &D::T) -> Result<(), ParquetError> {
        let slice = vec![value.clone(); self.rows.min(SLICE)];
        let parts: Vec<_> = slices(self.rows).map(|len| (&slice[..len], None)).collect();
        self.column::<D>(&parts)
    }

    fn same_known<D: DataType>(&mut self, value: Option<D::T>) -> Result<(), ParquetError> {
        let len = self.rows.min(SLICE);
        let levels = vec![i16::from(value.is_some()); len];
        let slice: Vec<D::T> = value.map_or(Vec::new(), |value| vec![value; len]);
        let parts: Vec<_> = slices(self.rows)
            .map(|len| (&slice[..len.min(slice.len())], Some(&levels[..len])))
            .collect();
        self.column::<D>(&parts)
    }
}

/// The lengths of the slices that make up `rows`.
fn slices(rows: usize) -> impl Iterator<Item = usize> {
    (0..rows.div_ceil(SLICE)).map(move |at| SLICE.min(rows - at * SLICE))
}
