//! Parquet to a recording.

use std::panic::{AssertUnwindSafe, catch_unwind};

use bytes::Bytes;
use jiff::Timestamp;
use parquet::column::reader::ColumnReaderImpl;
use parquet::data_type::{ByteArray, ByteArrayType, DataType, Int32Type, Int64Type};
use parquet::file::reader::{FileReader, RowGroupReader};
use parquet::file::serialized_reader::SerializedFileReader;
use rasher::attempt::{Attempt, GroupSetUp, Outcome, Recording, RunContext};
use rasher::history::RunRecording;
use rasher::test_id::TestTable;
use rasher::units::Micros;

use super::pages::Checked;
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
    let mut names = columns.get::<ByteArrayType>("test")?;
    let mut groups = columns.get::<ByteArrayType>("test_group")?;
    let mut ordinals = columns.get::<Int32Type>("ordinal")?;
    let mut starts = columns.get::<Int64Type>("started_at")?;
    let mut durations = columns.get::<Int64Type>("duration_us")?;
    let mut outcomes = columns.get::<ByteArrayType>("outcome")?;
    let mut signatures = columns.get::<Int64Type>("signature")?;
    let mut messages = columns.get::<ByteArrayType>("message")?;
    let mut unique_ids = columns.get::<ByteArrayType>("unique_id")?;
    let mut setups = columns.get::<Int64Type>("setup_us")?;
    let gap = || SegmentError::unreadable("a row of it lacks its test, ordinal or outcome");
    into.attempts.reserve(columns.rows);
    for _ in 0..columns.rows {
        let (name, group) = (names.next().ok_or_else(gap)?, groups.next());
        let group = group.as_ref().map(text).transpose()?;
        let test = into.tests.intern(text(&name)?, group);
        let outcome = outcomes.next().ok_or_else(gap)?;
        into.attempts.push(Attempt {
            test,
            ordinal: u16::try_from(ordinals.next().ok_or_else(gap)?)
                .map_err(SegmentError::unreadable)?,
            start: starts.next().map(timestamp).transpose()?,
            duration: durations.next().map(micros).transpose()?,
            outcome: Outcome::from_word(text(&outcome)?)
                .ok_or_else(|| SegmentError::unreadable("it holds an unknown outcome"))?,
            signature: signatures.next().map(i64::cast_unsigned),
            message: messages.next().as_ref().map(text).transpose()?.map(Into::into),
            unique_id: unique_ids.next().as_ref().map(text).transpose()?.map(Into::into),
        });
        if let Some(setup) = setups.next() {
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

    /// A column of that name; one that the file lacks has no value in any row.
    fn get<D: DataType>(&self, name: &str) -> Result<Column<D::T>, SegmentError> {
        let wrong = || SegmentError::unreadable(format!("its column `{name}` is broken"));
        let schema = self.group.metadata().schema_descr();
        let place = schema.columns().iter().position(|column| column.path().string() == name);
        let Some(place) = place else { return Ok(Column::absent()) };
        let column = schema.column(place);
        let optional = column.max_def_level() == 1;
        if column.physical_type() != D::get_physical_type()
            || column.max_rep_level() != 0
            || column.max_def_level() > 1
        {
            return Err(wrong());
        }
        let inner = self.group.get_column_page_reader(place).map_err(SegmentError::unreadable)?;
        let pages = Checked { inner, rows: self.rows, optional };
        let mut reader = ColumnReaderImpl::<D>::new(column, Box::new(pages));
        let (mut values, mut levels) = (Vec::new(), Vec::new());
        let mut rows = 0;
        while rows < self.rows {
            let wanted = SLICE.min(self.rows - rows);
            let (read, _, _) = reader
                .read_records(wanted, optional.then_some(&mut levels), None, &mut values)
                .map_err(SegmentError::unreadable)?;
            rows += read;
            let given = if optional { levels.len() } else { values.len() };
            if read == 0 || given != rows {
                return Err(wrong());
            }
        }
        Ok(Column { levels: optional.then(|| levels.into_iter()), values: values.into_iter() })
    }
}

/// The values of a column, and where it may have gaps, for each row whether one of them is its.
struct Column<T> {
    levels: Option<std::vec::IntoIter<i16>>,
    values: std::vec::IntoIter<T>,
}

impl<T> Column<T> {
    fn absent() -> Self {
        Self { levels: None, values: Vec::new().into_iter() }
    }

    /// The value of the next row.
    fn next(&mut self) -> Option<T> {
        match self.levels.as_mut().map(Iterator::next) {
            None | Some(Some(1)) => self.values.next(),
            Some(_) => None,
        }
    }
}
