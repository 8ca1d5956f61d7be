//! The tables of names, in the same columns.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Nullable, Text};

/// Tables of names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Table {
    Service,
    Transaction,
    Result,
    Destination,
    Statement,
    Error,
    Series,
    Instance,
}

/// A row of a table of names.
#[derive(Clone, Debug, QueryableByName)]
pub(super) struct Name {
    #[diesel(sql_type = BigInt)]
    pub(super) service: i64,
    #[diesel(sql_type = Text)]
    pub(super) a: String,
    #[diesel(sql_type = Text)]
    pub(super) b: String,
    #[diesel(sql_type = Text)]
    pub(super) c: String,
    #[diesel(sql_type = Text)]
    pub(super) d: String,
    #[diesel(sql_type = Text)]
    pub(super) e: String,
    #[diesel(sql_type = Text)]
    pub(super) f: String,
    #[diesel(sql_type = BigInt)]
    pub(super) number: i64,
    #[diesel(sql_type = BigInt)]
    pub(super) seen: i64,
    #[diesel(sql_type = Nullable<Bool>)]
    pub(super) flag: Option<bool>,
}

impl Table {
    /// Its row by id, in the columns of [`Name`].
    pub(super) fn query(self) -> &'static str {
        match self {
            Self::Service => {
                "SELECT 0 AS service, name AS a, environment AS b, agent_name AS c, agent_version AS d, \
                 language AS e, version AS f, 0 AS number, 0 AS seen, NULL AS flag FROM service WHERE id = ?"
            }
            Self::Transaction => {
                "SELECT service_id AS service, type AS a, name AS b, '' AS c, '' AS d, '' AS e, '' AS f, \
                 0 AS number, 0 AS seen, NULL AS flag FROM tx_group WHERE id = ?"
            }
            Self::Result => {
                "SELECT service_id AS service, value AS a, '' AS b, '' AS c, '' AS d, '' AS e, '' AS f, \
                 0 AS number, 0 AS seen, NULL AS flag FROM result WHERE id = ?"
            }
            Self::Destination => {
                "SELECT service_id AS service, resource AS a, target_type AS b, target_name AS c, span_type AS d, \
                 span_subtype AS e, '' AS f, 0 AS number, 0 AS seen, NULL AS flag FROM destination WHERE id = ?"
            }
            Self::Statement => {
                "SELECT service_id AS service, instance AS a, subtype AS b, normalized AS c, sample AS d, verb AS e, \
                 table_name AS f, 0 AS number, first_seen AS seen, NULL AS flag FROM statement WHERE id = ?"
            }
            Self::Error => {
                "SELECT service_id AS service, type AS a, message AS b, culprit AS c, '' AS d, '' AS e, '' AS f, \
                 grouping_key AS number, first_seen AS seen, handled AS flag FROM error_group WHERE id = ?"
            }
            Self::Series => {
                "SELECT m.service_id AS service, n.name AS a, m.unit AS b, m.labels AS c, '' AS d, '' AS e, '' AS f, \
                 m.kind AS number, 0 AS seen, NULL AS flag FROM metric_series m JOIN metric_name n ON n.id = m.name_id \
                 WHERE m.id = ?"
            }
            Self::Instance => {
                "SELECT service_id AS service, node AS a, version AS b, host AS c, pod AS d, runtime AS e, '' AS f, \
                 0 AS number, 0 AS seen, NULL AS flag FROM instance WHERE id = ?"
            }
        }
    }
}
