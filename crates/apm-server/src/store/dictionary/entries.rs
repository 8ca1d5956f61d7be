//! The dictionaries' rows: what identifies each, and what else is kept of the first one seen.

use diesel::prelude::*;
use diesel::{OptionalExtension, insert_into, update};
use xxhash_rust::xxh3::xxh3_64;

use super::super::block::{Packer, unpack};
use super::super::schema::{
    destination, error_group, metric_name, resource, result, service, span_group, stack, statement,
    tx_group,
};
use super::{Entry, Key, Known};
use crate::event;

/// Columns of a row that was found.
type Found = (i64, i64);

impl From<Found> for Known {
    fn from((id, last_seen): Found) -> Self {
        Self { id, last_seen }
    }
}

/// What all entries answer alike.
macro_rules! touch {
    ($table:ident) => {
        fn touch(id: i64, now: i64, conn: &mut SqliteConnection) -> QueryResult<usize> {
            update($table::table.filter($table::id.eq(id)))
                .set($table::last_seen.eq(now))
                .execute(conn)
        }
    };
}

/// The row of the table that passes a filter.
macro_rules! find {
    ($table:ident, $conn:ident, $filter:expr) => {
        $table::table
            .filter($filter)
            .select(($table::id, $table::last_seen))
            .first::<Found>($conn)
            .optional()
            .map(|found| found.map(Known::from))
    };
}

/// A service in an environment.
#[derive(Debug)]
pub(in crate::store) struct Service<'a> {
    pub(in crate::store) name: &'a str,
    pub(in crate::store) environment: &'a str,
    /// Who reported it: the latest wins.
    pub(in crate::store) reporter: &'a event::Resource,
}

impl Service<'_> {
    /// Brings what may change from one start of the service to the next up to date.
    pub(in crate::store) fn refresh(
        &self,
        id: i64,
        conn: &mut SqliteConnection,
    ) -> QueryResult<usize> {
        let reporter = self.reporter;
        update(service::table.filter(service::id.eq(id)))
            .set((
                service::agent_name.eq(&reporter.agent_name),
                service::agent_version.eq(&reporter.agent_version),
                service::language.eq(reporter.language.as_deref().unwrap_or_default()),
                service::version.eq(reporter.service_version.as_deref().unwrap_or_default()),
            ))
            .execute(conn)
    }
}

impl Entry for Service<'_> {
    touch!(service);

    fn key(&self, key: &mut Key<'_>) {
        key.text(self.name).text(self.environment);
    }

    fn find(&self, conn: &mut SqliteConnection) -> QueryResult<Option<Known>> {
        let same = service::name
            .eq(self.name)
            .and(service::environment.eq(self.environment));
        find!(service, conn, same)
    }

    fn insert(&self, now: i64, conn: &mut SqliteConnection) -> QueryResult<i64> {
        let reporter = self.reporter;
        insert_into(service::table)
            .values((
                service::name.eq(self.name),
                service::environment.eq(self.environment),
                service::agent_name.eq(&reporter.agent_name),
                service::agent_version.eq(&reporter.agent_version),
                service::language.eq(reporter.language.as_deref().unwrap_or_default()),
                service::version.eq(reporter.service_version.as_deref().unwrap_or_default()),
                service::first_seen.eq(now),
                service::last_seen.eq(now),
            ))
            .returning(service::id)
            .get_result(conn)
    }
}

/// A metadata line.
#[derive(Debug)]
pub(in crate::store) struct Resource<'a> {
    pub(in crate::store) service: i64,
    pub(in crate::store) document: &'a str,
}

impl Entry for Resource<'_> {
    touch!(resource);

    fn key(&self, key: &mut Key<'_>) {
        key.number(self.service).text(self.document);
    }

    fn find(&self, conn: &mut SqliteConnection) -> QueryResult<Option<Known>> {
        let same = resource::hash
            .eq(hash(self.document))
            .and(resource::service_id.eq(self.service))
            .and(resource::document.eq(self.document));
        find!(resource, conn, same)
    }

    fn insert(&self, now: i64, conn: &mut SqliteConnection) -> QueryResult<i64> {
        insert_into(resource::table)
            .values((
                resource::service_id.eq(self.service),
                resource::hash.eq(hash(self.document)),
                resource::document.eq(self.document),
                resource::last_seen.eq(now),
            ))
            .returning(resource::id)
            .get_result(conn)
    }
}

/// Transactions of one type and name.
#[derive(Debug)]
pub(in crate::store) struct TxGroup<'a> {
    pub(in crate::store) service: i64,
    pub(in crate::store) kind: &'a str,
    pub(in crate::store) name: &'a str,
}

impl Entry for TxGroup<'_> {
    touch!(tx_group);

    fn key(&self, key: &mut Key<'_>) {
        key.number(self.service).text(self.kind).text(self.name);
    }

    fn find(&self, conn: &mut SqliteConnection) -> QueryResult<Option<Known>> {
        let same = tx_group::service_id
            .eq(self.service)
            .and(tx_group::type_.eq(self.kind))
            .and(tx_group::name.eq(self.name));
        find!(tx_group, conn, same)
    }

    fn insert(&self, now: i64, conn: &mut SqliteConnection) -> QueryResult<i64> {
        insert_into(tx_group::table)
            .values((
                tx_group::service_id.eq(self.service),
                tx_group::type_.eq(self.kind),
                tx_group::name.eq(self.name),
                tx_group::last_seen.eq(now),
            ))
            .returning(tx_group::id)
            .get_result(conn)
    }
}

/// Spans of one name and type.
#[derive(Debug)]
pub(in crate::store) struct SpanGroup<'a> {
    pub(in crate::store) service: i64,
    pub(in crate::store) name: &'a str,
    pub(in crate::store) kind: &'a str,
    pub(in crate::store) subtype: &'a str,
    pub(in crate::store) action: &'a str,
}

impl Entry for SpanGroup<'_> {
    touch!(span_group);

    fn key(&self, key: &mut Key<'_>) {
        key.number(self.service)
            .text(self.name)
            .text(self.kind)
            .text(self.subtype)
            .text(self.action);
    }

    fn find(&self, conn: &mut SqliteConnection) -> QueryResult<Option<Known>> {
        let same = span_group::service_id
            .eq(self.service)
            .and(span_group::name.eq(self.name))
            .and(span_group::type_.eq(self.kind))
            .and(span_group::subtype.eq(self.subtype))
            .and(span_group::action.eq(self.action));
        find!(span_group, conn, same)
    }

    fn insert(&self, now: i64, conn: &mut SqliteConnection) -> QueryResult<i64> {
        insert_into(span_group::table)
            .values((
                span_group::service_id.eq(self.service),
                span_group::name.eq(self.name),
                span_group::type_.eq(self.kind),
                span_group::subtype.eq(self.subtype),
                span_group::action.eq(self.action),
                span_group::last_seen.eq(now),
            ))
            .returning(span_group::id)
            .get_result(conn)
    }
}

/// What a service calls.
#[derive(Debug)]
pub(in crate::store) struct Destination<'a> {
    pub(in crate::store) service: i64,
    pub(in crate::store) resource: &'a str,
    pub(in crate::store) target_type: &'a str,
    pub(in crate::store) target_name: &'a str,
    /// Of the first span that was seen: for its icon.
    pub(in crate::store) span_type: &'a str,
    pub(in crate::store) span_subtype: &'a str,
}

impl Entry for Destination<'_> {
    touch!(destination);

    fn key(&self, key: &mut Key<'_>) {
        key.number(self.service)
            .text(self.resource)
            .text(self.target_type)
            .text(self.target_name);
    }

    fn find(&self, conn: &mut SqliteConnection) -> QueryResult<Option<Known>> {
        let same = destination::service_id
            .eq(self.service)
            .and(destination::resource.eq(self.resource))
            .and(destination::target_type.eq(self.target_type))
            .and(destination::target_name.eq(self.target_name));
        find!(destination, conn, same)
    }

    fn insert(&self, now: i64, conn: &mut SqliteConnection) -> QueryResult<i64> {
        insert_into(destination::table)
            .values((
                destination::service_id.eq(self.service),
                destination::resource.eq(self.resource),
                destination::target_type.eq(self.target_type),
                destination::target_name.eq(self.target_name),
                destination::span_type.eq(self.span_type),
                destination::span_subtype.eq(self.span_subtype),
                destination::last_seen.eq(now),
            ))
            .returning(destination::id)
            .get_result(conn)
    }
}

/// Statements that differ in values only, in one database.
#[derive(Debug)]
pub(in crate::store) struct Statement<'a> {
    pub(in crate::store) service: i64,
    pub(in crate::store) instance: &'a str,
    pub(in crate::store) subtype: &'a str,
    pub(in crate::store) fingerprint: &'a crate::fingerprint::Fingerprint,
    /// As it was sent; cut to [`MAX_SAMPLE`].
    pub(in crate::store) sample: &'a str,
    /// When it happened, seconds since the epoch.
    pub(in crate::store) seen: i64,
}

/// Bytes that are kept of a sample: the whole statement is in its event.
const MAX_SAMPLE: usize = 4096;

impl Entry for Statement<'_> {
    touch!(statement);

    fn key(&self, key: &mut Key<'_>) {
        key.number(self.service)
            .text(self.instance)
            .text(self.subtype)
            .text(&self.fingerprint.normalized);
    }

    fn find(&self, conn: &mut SqliteConnection) -> QueryResult<Option<Known>> {
        let same = statement::fingerprint
            .eq(self.fingerprint.hash.cast_signed())
            .and(statement::service_id.eq(self.service))
            .and(statement::instance.eq(self.instance))
            .and(statement::subtype.eq(self.subtype))
            .and(statement::normalized.eq(&self.fingerprint.normalized));
        find!(statement, conn, same)
    }

    fn insert(&self, now: i64, conn: &mut SqliteConnection) -> QueryResult<i64> {
        let sample = &self.sample[..self.sample.floor_char_boundary(MAX_SAMPLE)];
        insert_into(statement::table)
            .values((
                statement::service_id.eq(self.service),
                statement::instance.eq(self.instance),
                statement::subtype.eq(self.subtype),
                statement::fingerprint.eq(self.fingerprint.hash.cast_signed()),
                statement::normalized.eq(&self.fingerprint.normalized),
                statement::sample.eq(sample),
                statement::verb.eq(&self.fingerprint.verb),
                statement::table_name.eq(&self.fingerprint.table),
                statement::first_seen.eq(self.seen),
                statement::last_seen.eq(now),
            ))
            .returning(statement::id)
            .get_result(conn)
    }
}

/// Errors that are the same by their grouping key.
#[derive(Debug)]
pub(in crate::store) struct ErrorGroup<'a> {
    pub(in crate::store) service: i64,
    pub(in crate::store) grouping_key: u64,
    pub(in crate::store) kind: &'a str,
    /// Cut to [`MAX_SAMPLE`]: the whole message is in its event.
    pub(in crate::store) message: &'a str,
    pub(in crate::store) culprit: &'a str,
    pub(in crate::store) handled: Option<bool>,
    /// When it happened, seconds since the epoch.
    pub(in crate::store) seen: i64,
}

impl Entry for ErrorGroup<'_> {
    touch!(error_group);

    fn key(&self, key: &mut Key<'_>) {
        key.number(self.service)
            .number(self.grouping_key.cast_signed());
    }

    fn find(&self, conn: &mut SqliteConnection) -> QueryResult<Option<Known>> {
        let same = error_group::service_id
            .eq(self.service)
            .and(error_group::grouping_key.eq(self.grouping_key.cast_signed()));
        find!(error_group, conn, same)
    }

    fn insert(&self, now: i64, conn: &mut SqliteConnection) -> QueryResult<i64> {
        let message = &self.message[..self.message.floor_char_boundary(MAX_SAMPLE)];
        insert_into(error_group::table)
            .values((
                error_group::service_id.eq(self.service),
                error_group::grouping_key.eq(self.grouping_key.cast_signed()),
                error_group::type_.eq(self.kind),
                error_group::message.eq(message),
                error_group::culprit.eq(self.culprit),
                error_group::handled.eq(self.handled),
                error_group::first_seen.eq(self.seen),
                error_group::last_seen.eq(now),
            ))
            .returning(error_group::id)
            .get_result(conn)
    }
}

/// A transaction's result, such as `HTTP 2xx`.
#[derive(Debug)]
pub(in crate::store) struct ResultValue<'a>(pub(in crate::store) &'a str);

impl Entry for ResultValue<'_> {
    touch!(result);

    fn key(&self, key: &mut Key<'_>) {
        key.text(self.0);
    }

    fn find(&self, conn: &mut SqliteConnection) -> QueryResult<Option<Known>> {
        find!(result, conn, result::value.eq(self.0))
    }

    fn insert(&self, now: i64, conn: &mut SqliteConnection) -> QueryResult<i64> {
        insert_into(result::table)
            .values((result::value.eq(self.0), result::last_seen.eq(now)))
            .returning(result::id)
            .get_result(conn)
    }
}

/// The name of a metric.
#[derive(Debug)]
pub(in crate::store) struct MetricName<'a>(pub(in crate::store) &'a str);

impl Entry for MetricName<'_> {
    touch!(metric_name);

    fn key(&self, key: &mut Key<'_>) {
        key.text(self.0);
    }

    fn find(&self, conn: &mut SqliteConnection) -> QueryResult<Option<Known>> {
        find!(metric_name, conn, metric_name::name.eq(self.0))
    }

    fn insert(&self, now: i64, conn: &mut SqliteConnection) -> QueryResult<i64> {
        insert_into(metric_name::table)
            .values((metric_name::name.eq(self.0), metric_name::last_seen.eq(now)))
            .returning(metric_name::id)
            .get_result(conn)
    }
}

/// A stack trace.
#[derive(Debug)]
pub(in crate::store) struct Stack<'a> {
    /// The JSON array.
    pub(in crate::store) json: &'a str,
    /// A hash of it; the text is compared too.
    pub(in crate::store) hash: u128,
    pub(in crate::store) packer: &'a std::cell::RefCell<Packer>,
}

impl Stack<'_> {
    /// The lower half of the hash.
    fn hash(&self) -> i64 {
        (self.hash as u64).cast_signed()
    }
}

impl Entry for Stack<'_> {
    touch!(stack);

    fn key(&self, key: &mut Key<'_>) {
        key.text(self.json);
    }

    fn find(&self, conn: &mut SqliteConnection) -> QueryResult<Option<Known>> {
        let same_hash: Vec<(i64, i64, Vec<u8>)> = stack::table
            .filter(stack::hash.eq(self.hash()))
            .select((stack::id, stack::last_seen, stack::data))
            .load(conn)?;
        Ok(same_hash
            .into_iter()
            .find(|(_, _, data)| unpack(data).is_ok_and(|text| text == self.json.as_bytes()))
            .map(|(id, last_seen, _)| Known { id, last_seen }))
    }

    fn insert(&self, now: i64, conn: &mut SqliteConnection) -> QueryResult<i64> {
        let data = self.packer.borrow_mut().pack(self.json.as_bytes());
        insert_into(stack::table)
            .values((
                stack::hash.eq(self.hash()),
                stack::last_seen.eq(now),
                stack::data.eq(data),
            ))
            .returning(stack::id)
            .get_result(conn)
    }
}

fn hash(text: &str) -> i64 {
    xxh3_64(text.as_bytes()).cast_signed()
}
