//! Spans of queries, for databases that the agent has no integration of.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use crate::recording::context;
use crate::recording::leaf_span::LeafSpan;
use crate::recording::outcome::Outcome;
use crate::recording::service_target::{Address, ExitSpan, Peer};
use crate::recording::span_kind::SpanKind;
use crate::recording::statement;
use crate::trace::ids::SpanId;
use crate::util::clock::Moment;

/// Bytes of a statement that are kept until the query ends: enough for the longest that is sent.
pub(crate) const MAX_STATEMENT: usize = 64 * 1024;

/// A query that runs; see [`span_db`]. It ends when it is dropped, on whatever thread that is.
///
/// Without a current transaction, or when that is not sampled, it does nothing.
#[derive(Debug)]
#[must_use = "the span ends as soon as it is dropped"]
pub struct DbSpan {
    query: Option<Query>,
    outcome: Option<Outcome>,
}

#[derive(Debug)]
struct Query {
    span: LeafSpan,
    subtype: Cow<'static, str>,
    instance: Option<String>,
    statement: String,
    address: Option<Address>,
}

/// Begins the span of a query, for clients of databases that the agent has no integration of.
///
/// `subtype` is the system (`mssql`, `postgresql`), `instance` the name of the database, `statement` its SQL, with
/// placeholders: what is bound must not be in it. The span is named after the statement (`SELECT FROM people`).
/// Literals that may be secrets are replaced in the text as in that of any other query, and all literals with
/// `sanitize_sql`. A command of Redis is named after its first word (`GET`), and loses all of its arguments where one
/// of them may be a secret.
///
/// ```
/// async fn count(client: &Client) -> Result<u64, Error> {
///     let mut span = apm_agent::span_db("mssql", Some("shop"), "SELECT count(*) FROM orders WHERE day = ?");
///     span.set_address("sql.example", 1433);
///     let counted = client.query("…").await;
///     span.set_outcome(apm_agent::Outcome::of_result(&counted));
///     counted
/// }
/// # struct Client; struct Error;
/// # impl Client { async fn query(&self, _: &str) -> Result<u64, Error> { Ok(7) } }
/// ```
pub fn span_db(
    subtype: impl Into<Cow<'static, str>>,
    instance: Option<&str>,
    statement: impl AsRef<str>,
) -> DbSpan {
    // The conversions may be the service's own code.
    let subtype = subtype.into();
    let kind = Arc::new(kind(subtype.clone(), instance, None));
    let query = context::begin_leaf(&kind).map(|span| {
        let statement = statement.as_ref();
        Query {
            span,
            subtype,
            instance: instance.map(str::to_owned),
            statement: statement[..statement.floor_char_boundary(MAX_STATEMENT)].to_owned(),
            address: None,
        }
    });
    DbSpan {
        query,
        outcome: None,
    }
}

impl DbSpan {
    /// Sets how the query ended. Without it, it succeeds, unless a panic passes through it.
    pub fn set_outcome(&mut self, outcome: Outcome) {
        self.outcome = Some(outcome);
    }

    /// Says how many rows the statement changed.
    pub fn set_rows_affected(&mut self, rows: u64) {
        if let Some(query) = &mut self.query {
            query.span.rows = Some(rows);
        }
    }

    /// Says where the database listens.
    pub fn set_address(&mut self, host: &str, port: u16) {
        if let Some(query) = &mut self.query {
            query.address = Some(Address {
                host: host.to_owned(),
                port: Some(port),
            });
        }
    }

    /// The span's id; `None` if it is not recorded.
    #[must_use]
    pub fn id(&self) -> Option<SpanId> {
        self.query.as_ref().map(|query| query.span.id())
    }
}

impl Drop for DbSpan {
    fn drop(&mut self) {
        let Some(query) = self.query.take() else {
            return;
        };
        let found = Outcome::failed(std::thread::panicking());
        let outcome = self.outcome.unwrap_or(found);
        if !query.span.admitted() {
            return query.span.end(outcome, None);
        }
        let kind = kind(
            query.subtype.clone(),
            query.instance.as_deref(),
            query.address,
        );
        let sanitize = query.span.recorder().config.load().sanitize_sql;
        let instance = query.instance.as_deref();
        let tail = statement::tail_in(
            &query.subtype,
            &Arc::new(kind),
            instance,
            &query.statement,
            sanitize,
        );
        query.span.end(outcome, Some(Arc::new(tail)));
    }
}

/// Records the span of a query that has ended just now, for clients of databases that tell of a query at its end only.
/// Without a current transaction, or when that is not sampled, it does nothing.
///
/// The arguments are those of [`span_db`], and how long the query took. It counts as successful.
///
/// ```
/// # use std::time::Duration;
/// /// Called by a client, on the thread that asked.
/// fn ended(statement: &str, duration: Duration) {
///     apm_agent::span_db_ended("sqlite", Some("people.db"), statement, duration);
/// }
/// # ended("SELECT 7", Duration::from_millis(3));
/// ```
pub fn span_db_ended(subtype: &str, instance: Option<&str>, statement: &str, duration: Duration) {
    record_past(&Past {
        subtype,
        instance,
        statement,
        duration,
        rows_affected: None,
    });
}

/// A query that has ended just now.
#[derive(Debug)]
pub(crate) struct Past<'a> {
    pub(crate) subtype: &'a str,
    pub(crate) instance: Option<&'a str>,
    pub(crate) statement: &'a str,
    pub(crate) duration: Duration,
    pub(crate) rows_affected: Option<u64>,
}

/// The longest time that a query is believed to have taken.
const LONGEST: Duration = Duration::from_secs(24 * 3600);

/// Records a query under what is current.
pub(crate) fn record_past(past: &Past<'_>) {
    let Some(current) = context::current() else {
        return;
    };
    let subtype = Cow::Owned(past.subtype.to_owned());
    let kind = Arc::new(kind(subtype, past.instance, None));
    let end = Moment::now();
    let start = end.before(past.duration.min(LONGEST));
    let Some(mut span) = LeafSpan::begin_at(&current, &kind, start) else {
        return;
    };
    let tail = span.admitted().then(|| {
        let statement = past.statement;
        let statement = &statement[..statement.floor_char_boundary(MAX_STATEMENT)];
        let sanitize = span.recorder().config.load().sanitize_sql;
        let tail = statement::tail_in(past.subtype, &kind, past.instance, statement, sanitize);
        if tail.changes_rows() {
            span.rows = past.rows_affected;
        }
        Arc::new(tail)
    });
    span.end_at(end, Outcome::Success, tail);
}

/// The kind of the queries of a database.
pub(crate) fn kind(
    subtype: Cow<'static, str>,
    instance: Option<&str>,
    address: Option<Address>,
) -> SpanKind {
    let span = ExitSpan {
        span_type: "db",
        subtype: Some(&subtype),
        peer: Peer::Database(instance),
        ..ExitSpan::default()
    };
    let target = span.target().map(|target| target.at(address));
    SpanKind {
        span_type: "db".into(),
        subtype: Some(subtype),
        exit: true,
        target,
    }
}
