//! The rules of Elastic's published intake v2 schemas, as tables.
//!
//! `walk` reads JSON against them. A field that becomes a column names the [`Slot`] in which its value is
//! left. Lengths are in characters. Unknown fields are allowed everywhere, `null` is the same as absence.
//! The tables are in the order in which agents write, as the look-up begins where the last one ended.

mod context;
mod error;
mod log;
mod metadata;
mod metricset;
mod span;
mod transaction;

pub(super) use context::FRAME;
pub(super) use error::ERROR;
pub(super) use log::LOG;
pub(super) use metadata::METADATA;
pub(super) use metricset::{METRICSET, SAMPLE};
pub(super) use span::SPAN;
pub(super) use transaction::{DROPPED_SPANS, TRANSACTION};

/// The place in which the value of a field is left for the code that builds the event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Slot {
    Id,
    TraceId,
    ParentId,
    TransactionId,
    Timestamp,
    Start,
    Duration,
    Name,
    Type,
    Subtype,
    Action,
    Result,
    Outcome,
    Sampled,
    SampleRate,
    SpansStarted,
    SpansDropped,
    Status,
    ServiceName,
    ServiceEnvironment,
    TargetType,
    TargetName,
    DestinationResource,
    DbInstance,
    DbStatement,
    RowsAffected,
    CompositeCount,
    CompositeSum,
    Culprit,
    ExceptionType,
    ExceptionMessage,
    ExceptionHandled,
    LogMessage,
    TransactionName,
    TransactionType,
    SpanType,
    SpanSubtype,
    AgentName,
    AgentVersion,
    ServiceVersion,
    Language,
}

impl Slot {
    /// The number of slots.
    pub(super) const COUNT: usize = Self::Language as usize + 1;
}

/// A rule for a value.
#[derive(Debug)]
pub(super) enum Rule {
    /// Anything at all.
    Any,
    /// A string of at most so many characters (0: any length).
    Text(u16),
    /// A string that is not empty.
    NonEmpty(u16),
    /// A service's name: not empty, `^[a-zA-Z0-9 _-]+$`. The flag: whether the empty string is refused.
    ServiceName(bool),
    /// `success`, `failure` or `unknown`.
    Outcome,
    /// A whole number of at least so much.
    Int(i64),
    /// Any number of at least so much.
    Number(f64),
    Bool,
    /// A whole number, or a string of at most so many characters.
    TextOrInt(u16),
    /// A whole number, or a string that holds one.
    Port,
    /// Microseconds since the epoch.
    Timestamp,
    /// A string or an object.
    Body,
    /// An object with any content.
    Free,
    /// An object of strings, booleans and numbers.
    Labels,
    /// An object of strings and arrays of strings.
    Headers,
    /// An object of objects of numbers.
    Marks,
    /// An object of numbers.
    Numbers,
    /// The samples of a metricset.
    Samples,
    /// The `dropped_spans_stats` of a transaction.
    DroppedSpans,
    /// A stack trace whose frames are checked later, and only once for all traces with the same text.
    Stack,
    /// An array of numbers; what is left in the slot is that it has any.
    Present,
    /// The same of whole numbers that are not negative.
    Counts,
    /// An array of strings of at most so many characters.
    Texts(u16),
    Object(&'static Object),
    /// An array of objects.
    List(&'static Object),
}

impl Rule {
    /// The type that was expected, for a message.
    pub(super) fn expected(&self) -> &'static str {
        match self {
            Self::Any => "any value",
            Self::Text(_) | Self::NonEmpty(_) | Self::ServiceName(_) | Self::Outcome => "a string",
            Self::Int(_) => "a whole number",
            Self::Number(_) => "a number",
            Self::Bool => "a boolean",
            Self::TextOrInt(_) | Self::Port => "a string or a whole number",
            Self::Timestamp => "microseconds since the epoch, or a time as in RFC 3339",
            Self::Body => "a string or an object",
            Self::Free
            | Self::Labels
            | Self::Headers
            | Self::Marks
            | Self::Numbers
            | Self::Samples
            | Self::Object(_) => "an object",
            Self::DroppedSpans | Self::Stack | Self::List(_) => "an array of objects",
            Self::Texts(_) => "an array of strings",
            Self::Present => "an array of numbers",
            Self::Counts => "an array of whole numbers",
        }
    }
}

/// One member of an object.
#[derive(Debug)]
pub(super) struct Field {
    pub(super) name: &'static str,
    pub(super) rule: Rule,
    pub(super) slot: Option<Slot>,
    pub(super) required: bool,
    /// Whether it stays in the document's `rest` (at the top level of an event).
    pub(super) kept: bool,
}

impl Field {
    pub(super) const fn required(mut self) -> Self {
        self.required = true;
        self
    }

    /// Its value is wanted.
    pub(super) const fn slot(mut self, slot: Slot) -> Self {
        self.slot = Some(slot);
        self
    }

    /// It is not part of `rest`.
    pub(super) const fn taken_out(mut self) -> Self {
        self.kept = false;
        self
    }

    /// It becomes a column, and is taken out of `rest`.
    pub(super) const fn column(self, slot: Slot) -> Self {
        self.slot(slot).taken_out()
    }
}

/// An object's members, and what of them must be there.
#[derive(Debug)]
pub(super) struct Object {
    pub(super) fields: &'static [Field],
    /// At least one of these, in the words of the message.
    pub(super) any_of: Option<(&'static [&'static str], &'static str)>,
    /// The members that must be there, a bit each.
    pub(super) required: u64,
}

impl Object {
    pub(super) const fn new(fields: &'static [Field]) -> Self {
        assert!(
            fields.len() <= 64,
            "the fields that were met are counted in 64 bits"
        );
        let mut required = 0;
        let mut index = 0;
        // A constant function has no `for`.
        while index < fields.len() {
            if fields[index].required {
                required |= 1 << index;
            }
            index += 1;
        }
        Self {
            fields,
            any_of: None,
            required,
        }
    }

    pub(super) const fn any_of(self, names: &'static [&'static str], words: &'static str) -> Self {
        Self {
            fields: self.fields,
            any_of: Some((names, words)),
            required: self.required,
        }
    }

    /// The index of a field. The look-up begins at `at`, and leaves there what comes after the field.
    pub(super) fn find(&self, name: &str, at: &mut usize) -> Option<usize> {
        let from = (*at).min(self.fields.len());
        let (before, after) = self.fields.split_at(from);
        let index = match after.iter().position(|field| field.name == name) {
            Some(index) => from + index,
            None => before.iter().position(|field| field.name == name)?,
        };
        *at = index + 1;
        Some(index)
    }
}

/// The longest keyword, characters.
const KEYWORD: Rule = Rule::Text(1024);
/// A string of any length.
const TEXT: Rule = Rule::Text(0);
/// Any whole number.
const INT: Rule = Rule::Int(i64::MIN);
/// Any number.
const NUMBER: Rule = Rule::Number(f64::NEG_INFINITY);

const fn field(name: &'static str, rule: Rule) -> Field {
    Field {
        name,
        rule,
        slot: None,
        required: false,
        kept: true,
    }
}

/// Members that the server writes itself, for events of OpenTelemetry and of browsers: members of these names are left
/// out of what an agent sends.
pub(super) const RESERVED: [&str; 3] = ["ecs", "attributes", "visitor"];

const fn reserved(name: &'static str) -> Field {
    field(name, Rule::Any).taken_out()
}
