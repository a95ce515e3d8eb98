//! Parquet to a recording.

use std::panic::{AssertUnwindSafe, catch_unwind};

use bytes::Bytes;
use jiff::Timestamp;
use parquet::column::reader::get_typed_column_reader;
use parquet::data_type::{ByteArray, ByteArrayType, DataType, Int32Type, Int64Type};
use parquet::file::reader::{FileReader, RowGroupReader};
use parquet::file::serialized_reader::SerializedFileReader;
use rasher::attempt::{Attempt, GroupSetUp, Outcome, Recording, RunContext};
use rasher::history::RunRecording;
use rasher::test_id::TestTable;
use rasher::units::Micros;

use super::{HEAD_KEY, Head, ROWS_MAX, SegmentError, VERSION};

/// Rows are read in slices of this many, so that a file cannot claim memory it does not fill.
const SLICE: usize = 8_192;

/// What all rows of a segment share, from the end of the file alone.
pub fn decode_context(bytes: &Bytes) -> Result<RunContext, SegmentError> {
    contained(|| Ok(open(bytes)?.1))
}

/// The recording in a segment. Tests come in canonical order, and so do their attempts.
pub fn decode(bytes: &Bytes) -> Result<RunRecording, SegmentError> {
    contained(|| {
        let (file, context) = open(bytes)?;
        let mut recording = Recording::default();
        for group in 0..file.num_row_groups() {
            let group = file.get_row_group(group).map_err(SegmentError::unreadable)?;
            read_rows(group.as_ref(), &mut recording)?;
        }
        Ok(RunRecording { context, recording })
    })
}

/// The reader of a foreign format is not trusted with foreign bytes: its panic is an unreadable
/// file and nothing more.
fn contained<T>(read: impl FnOnce() -> Result<T, SegmentError>) -> Result<T, SegmentError> {
    catch_unwind(AssertUnwindSafe(read))
        .unwrap_or_else(|_| Err(SegmentError::unreadable("its structure is broken")))
}

fn open(bytes: &Bytes) -> Result<(SerializedFileReader<Bytes>, RunContext), SegmentError> {
    let file = SerializedFileReader::new(bytes.clone()).map_err(SegmentError::unreadable)?;
    let metadata = file.metadata().file_metadata();
    let heads = metadata.key_value_metadata().into_iter().flatten();
    let head = heads
        .filter(|pair| pair.key == HEAD_KEY)
        .find_map(|pair| pair.value.as_deref())
        .ok_or_else(|| SegmentError::unreadable("it was not written by rasher"))?;
    #[derive(serde::Deserialize)]
    struct Version {
        version: u32,
    }
    let Version { version } = serde_json::from_str(head).map_err(SegmentError::unreadable)?;
    if version > VERSION {
        return Err(SegmentError::Newer(version));
    }
    let Head { context, .. } = serde_json::from_str(head).map_err(SegmentError::unreadable)?;
    if usize::try_from(metadata.num_rows()).is_ok_and(|rows| rows <= ROWS_MAX) {
        Ok((file, context))
    } else {
        Err(SegmentError::TooLarge)
    }
}

fn read_rows(group: &dyn RowGroupReader, into: &mut Recording) -> Result<(), SegmentError> {
    let columns = Columns::of(group)?;
    let names = columns.all::<ByteArrayType>("test")?;
    let groups = columns.known::<ByteArrayType>("test_group")?;
    let ordinals = columns.all::<Int32Type>("ordinal")?;
    let starts = columns.known::<Int64Type>("start")?;
    let durations = columns.known::<Int64Type>("duration_us")?;
    let outcomes = columns.all::<ByteArrayType>("outcome")?;
    let mut signatures = columns.known::<Int64Type>("signature")?.into_iter();
    let mut messages = columns.known::<ByteArrayType>("message")?.into_iter();
    let mut unique_ids = columns.known::<ByteArrayType>("unique_id")?.into_iter();
    let setups = columns.known::<Int64Type>("setup_us")?;

    let mut groups = groups.into_iter();
    let mut starts = starts.into_iter();
    let mut durations = durations.into_iter();
    let mut setups = setups.into_iter();
    into.attempts.reserve(names.len());
    for ((name, ordinal), outcome) in names.iter().zip(ordinals).zip(outcomes) {
        let group = groups.next().flatten();
        let group = group.as_ref().map(text).transpose()?;
        let test = into.tests.intern(text(name)?, group);
        let known = |it: Option<ByteArray>| it.as_ref().map(text).transpose().map(own);
        into.attempts.push(Attempt {
            test,
            ordinal: u16::try_from(ordinal).map_err(SegmentError::unreadable)?,
            start: starts.next().flatten().map(timestamp).transpose()?,
            duration: durations.next().flatten().map(micros).transpose()?,
            outcome: Outcome::from_word(text(&outcome)?)
                .ok_or_else(|| SegmentError::unreadable("it holds an unknown outcome"))?,
            signature: signatures.next().flatten().map(i64::cast_unsigned),
            message: known(messages.next().flatten())?,
            unique_id: known(unique_ids.next().flatten())?,
        });
        if let Some(setup) = setups.next().flatten() {
            set_up(&into.tests, group, micros(setup)?, &mut into.setups);
        }
    }
    Ok(())
}

fn set_up(tests: &TestTable, group: Option<&str>, setup: Micros, into: &mut Vec<GroupSetUp>) {
    let group = group.and_then(|group| tests.find_group(group));
    into.extend(group.map(|group| GroupSetUp { group, setup }));
}

fn text(bytes: &ByteArray) -> Result<&str, SegmentError> {
    std::str::from_utf8(bytes.data()).map_err(SegmentError::unreadable)
}

fn own(text: Option<&str>) -> Option<Box<str>> {
    text.map(Into::into)
}

fn micros(value: i64) -> Result<Micros, SegmentError> {
    u64::try_from(value).map(Micros::new).map_err(SegmentError::unreadable)
}

fn timestamp(micros: i64) -> Result<Timestamp, SegmentError> {
    Timestamp::from_microsecond(micros).map_err(SegmentError::unreadable)
}

/// The columns of one row group, by name, so that later layouts may add some.
struct Columns<'a> {
    group: &'a dyn RowGroupReader,
    rows: usize,
}

impl<'a> Columns<'a> {
    fn of(group: &'a dyn RowGroupReader) -> Result<Self, SegmentError> {
        match usize::try_from(group.metadata().num_rows()) {
            Ok(rows) if rows <= ROWS_MAX => Ok(Self { group, rows }),
            _ => Err(SegmentError::TooLarge),
        }
    }

    fn all<D: DataType>(&self, name: &str) -> Result<Vec<D::T>, SegmentError> {
        let values = self.known::<D>(name)?;
        let values: Vec<D::T> = values.into_iter().flatten().collect();
        if values.len() == self.rows {
            Ok(values)
        } else {
            Err(SegmentError::unreadable(format!("its column `{name}` has gaps")))
        }
    }

    /// One value a row; none at all where the column is absent.
    fn known<D: DataType>(&self, name: &str) -> Result<Vec<Option<D::T>>, SegmentError> {
        let wrong = || SegmentError::unreadable(format!("its column `{name}` is not of its type"));
        let schema = self.group.metadata().schema_descr();
        let place = schema.columns().iter().position(|column| column.path().string() == name);
        let Some(place) = place else { return Ok(Vec::new()) };
        let column = schema.column(place);
        if column.physical_type() != D::get_physical_type()
            || column.max_rep_level() != 0
            || column.max_def_level() > 1
        {
            return Err(wrong());
        }
        let reader = self.group.get_column_reader(place).map_err(SegmentError::unreadable)?;
        let mut reader = get_typed_column_reader::<D>(reader);
        let optional = column.max_def_level() == 1;
        let mut rows = Vec::new();
        while rows.len() < self.rows {
            let (mut values, mut levels) = (Vec::new(), Vec::new());
            let wanted = SLICE.min(self.rows - rows.len());
            let (read, _, _) = reader
                .read_records(wanted, optional.then_some(&mut levels), None, &mut values)
                .map_err(SegmentError::unreadable)?;
            if read == 0 || read > wanted {
                return Err(wrong());
            }
            let before = rows.len();
            let mut values = values.into_iter();
            if optional {
                rows.extend(
                    levels.iter().map(|level| if *level == 1 { values.next() } else { None }),
                );
            } else {
                rows.extend(values.map(Some));
            }
            if rows.len() != before + read {
                return Err(wrong());
            }
        }
        Ok(rows)
    }
}
