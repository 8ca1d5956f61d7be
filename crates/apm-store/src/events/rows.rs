//! The columns of a range of events of one kind.

use diesel::SqliteConnection;

use crate::error::StoreError;
use crate::event::{Kind, Outcome};
use crate::id::StoredId;
use crate::insert::{Row as _, place};
use crate::row_checksums::{BadValue, Stored, Values, read};
use crate::rows::{ErrorRow, LogRow, MetricsetRow, SpanRow, TxRow};

/// The columns of an event; `None` for those that its kind does not have.
#[derive(Debug, Default)]
pub(crate) struct Row {
    pub(crate) seq: i64,
    pub(crate) resource_id: i64,
    pub(crate) timestamp: i64,
    pub(crate) id: Option<StoredId>,
    pub(crate) trace_id: Option<StoredId>,
    pub(crate) transaction_id: Option<StoredId>,
    pub(crate) parent_id: Option<StoredId>,
    pub(crate) duration: Option<i64>,
    pub(crate) name: Option<String>,
    pub(crate) event_type: Option<String>,
    pub(crate) subtype: Option<String>,
    pub(crate) action: Option<String>,
    pub(crate) result: Option<String>,
    pub(crate) outcome: Option<Outcome>,
    pub(crate) sampled: Option<bool>,
    pub(crate) sample_rate: Option<f64>,
    pub(crate) spans_started: Option<i64>,
    pub(crate) spans_dropped: Option<i64>,
    pub(crate) grouping_key: Option<u64>,
}

/// Hands on the rows of a kind from `first` to `last`, all in one block, each compared with its checksum.
pub(super) fn each(
    conn: &mut SqliteConnection,
    kind: Kind,
    range: (i64, i64),
    sums: Option<&[u8]>,
    row: impl FnMut(Row),
) -> Result<(), StoreError> {
    match kind {
        Kind::Transaction => read::<TxRow<'static>>(conn, range, sums, row),
        Kind::Span => read::<SpanRow<'static>>(conn, range, sums, row),
        Kind::Error => read::<ErrorRow<'static>>(conn, range, sums, row),
        Kind::Metricset => read::<MetricsetRow>(conn, range, sums, row),
        Kind::Log => read::<LogRow<'static>>(conn, range, sums, row),
    }
}

/// The place of a column of a row.
macro_rules! at {
    ($row:ty, $name:literal) => {
        const { place(<$row>::NAMES, $name) }
    };
}

/// The place of one of the names that a row refers to.
macro_rules! name {
    ($row:ty, $number:literal) => {
        const { <$row>::NAMES.len() + $number }
    };
}

type Tx = TxRow<'static>;

impl Stored for Tx {
    type Event = Row;
    const MORE: &'static str = ", g.name, g.type, v.value";
    const JOIN: &'static str =
        "LEFT JOIN tx_group g ON g.id = r.group_id LEFT JOIN result v ON v.id = r.result_id";

    fn event(values: &mut Values) -> Result<Option<Row>, BadValue> {
        let Some(name) = values.optional_text(name!(Tx, 0))? else {
            return Ok(None);
        };
        Ok(Some(Row {
            id: values.id(at!(Tx, "id"))?,
            trace_id: values.id(at!(Tx, "trace_id"))?,
            parent_id: values.id(at!(Tx, "parent_id"))?,
            duration: Some(values.int(at!(Tx, "duration"))?),
            name: present(name),
            event_type: values.optional_text(name!(Tx, 1))?,
            result: values.optional_text(name!(Tx, 2))?,
            outcome: Some(outcome(values.int(at!(Tx, "outcome"))?)),
            sampled: Some(values.int(at!(Tx, "sampled"))? != 0),
            sample_rate: values.optional_real(at!(Tx, "sample_rate"))?,
            spans_started: values.optional_int(at!(Tx, "spans_started"))?,
            spans_dropped: values.optional_int(at!(Tx, "spans_dropped"))?,
            ..common(values)?
        }))
    }
}

type Span = SpanRow<'static>;

impl Stored for Span {
    type Event = Row;
    const MORE: &'static str = ", g.name, g.type, g.subtype, g.action";
    const JOIN: &'static str = "LEFT JOIN span_group g ON g.id = r.group_id";

    fn event(values: &mut Values) -> Result<Option<Row>, BadValue> {
        let Some(name) = values.optional_text(name!(Span, 0))? else {
            return Ok(None);
        };
        Ok(Some(Row {
            id: values.id(at!(Span, "id"))?,
            trace_id: values.id(at!(Span, "trace_id"))?,
            transaction_id: values.id(at!(Span, "transaction_id"))?,
            parent_id: values.id(at!(Span, "parent_id"))?,
            duration: Some(values.int(at!(Span, "duration"))?),
            name: Some(name),
            event_type: values.optional_text(name!(Span, 1))?,
            subtype: values.optional_text(name!(Span, 2))?.and_then(present),
            action: values.optional_text(name!(Span, 3))?.and_then(present),
            outcome: Some(outcome(values.int(at!(Span, "outcome"))?)),
            sample_rate: values.optional_real(at!(Span, "sample_rate"))?,
            ..common(values)?
        }))
    }
}

type Error = ErrorRow<'static>;

impl Stored for Error {
    type Event = Row;
    const MORE: &'static str = ", g.grouping_key";
    const JOIN: &'static str = "LEFT JOIN error_group g ON g.id = r.group_id";

    fn event(values: &mut Values) -> Result<Option<Row>, BadValue> {
        let Some(grouping_key) = values.optional_int(name!(Error, 0))? else {
            return Ok(None);
        };
        Ok(Some(Row {
            id: values.id(at!(Error, "id"))?,
            trace_id: values.id(at!(Error, "trace_id"))?,
            transaction_id: values.id(at!(Error, "transaction_id"))?,
            parent_id: values.id(at!(Error, "parent_id"))?,
            grouping_key: Some(grouping_key.cast_unsigned()),
            ..common(values)?
        }))
    }
}

impl Stored for MetricsetRow {
    type Event = Row;
    const MORE: &'static str = "";
    const JOIN: &'static str = "";

    fn event(values: &mut Values) -> Result<Option<Row>, BadValue> {
        common(values).map(Some)
    }
}

type Log = LogRow<'static>;

impl Stored for Log {
    type Event = Row;
    const MORE: &'static str = "";
    const JOIN: &'static str = "";

    fn event(values: &mut Values) -> Result<Option<Row>, BadValue> {
        Ok(Some(Row {
            id: values.id(at!(Log, "span_id"))?,
            trace_id: values.id(at!(Log, "trace_id"))?,
            transaction_id: values.id(at!(Log, "transaction_id"))?,
            ..common(values)?
        }))
    }
}

/// The columns that events of all kinds have, in these places.
fn common(values: &mut Values) -> Result<Row, BadValue> {
    Ok(Row {
        seq: values.int(SEQ)?,
        resource_id: values.int(RESOURCE)?,
        timestamp: values.int(TS)?,
        ..Row::default()
    })
}

const SEQ: usize = 0;
const RESOURCE: usize = 2;
const TS: usize = 3;

const _: () = {
    let rows = [
        Tx::NAMES,
        Span::NAMES,
        Error::NAMES,
        MetricsetRow::NAMES,
        Log::NAMES,
    ];
    let mut at = 0;
    while at < rows.len() {
        assert!(place(rows[at], "seq") == SEQ);
        assert!(place(rows[at], "resource_id") == RESOURCE);
        assert!(place(rows[at], "ts") == TS);
        at += 1;
    }
};

/// Dictionaries keep what is absent as an empty text.
fn present(text: String) -> Option<String> {
    Some(text).filter(|text| !text.is_empty())
}

fn outcome(code: i64) -> Outcome {
    match code {
        0 => Outcome::Failure,
        1 => Outcome::Success,
        _ => Outcome::Unknown,
    }
}
