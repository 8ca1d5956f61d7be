//! The same answers by one statement each: what lists and charts put together of kept sums must be what these say.

use apm_server::analytics::Scope;
use apm_server::analytics::sql::Sql;
use apm_server::analytics::window::Window;

pub(crate) const SERVICES: &str = include_str!("oracle/services.sql");
pub(crate) const SERVICES_HISTOGRAM: &str = include_str!("oracle/services_histogram.sql");
pub(crate) const SERVICES_SERIES: &str = include_str!("oracle/services_series.sql");
pub(crate) const TRANSACTIONS: &str = include_str!("oracle/transactions.sql");
pub(crate) const TRANSACTIONS_HISTOGRAM: &str = include_str!("oracle/transactions_histogram.sql");
pub(crate) const TRANSACTIONS_SERIES: &str = include_str!("oracle/transactions_series.sql");
pub(crate) const STATEMENTS: &str = include_str!("oracle/statements.sql");
pub(crate) const STATEMENTS_HISTOGRAM: &str = include_str!("oracle/statements_histogram.sql");
pub(crate) const STATEMENTS_SERIES: &str = include_str!("oracle/statements_series.sql");
pub(crate) const DEPENDENCIES: &str = include_str!("oracle/dependencies.sql");
pub(crate) const DEPENDENCIES_HISTOGRAM: &str = include_str!("oracle/dependencies_histogram.sql");
pub(crate) const DEPENDENCIES_SERIES: &str = include_str!("oracle/dependencies_series.sql");
pub(crate) const LATENCY: &str = include_str!("oracle/latency.sql");
pub(crate) const THROUGHPUT: &str = include_str!("oracle/throughput.sql");
pub(crate) const CALLERS: &str = include_str!("oracle/callers.sql");
pub(crate) const CALLERS_OF: &str = include_str!("oracle/callers_of.sql");

/// One of them with its values.
pub(crate) fn question(text: &'static str, scope: &Scope, window: &Window) -> Sql {
    window
        .bind(Sql::new(text))
        .bind("service", &scope.service)
        .bind("environment", &scope.environment)
        .bind("type", &scope.transaction_type)
        .bind("name", &scope.transaction_name)
        .bind("filtered", 0)
        .bind("fingerprint", None::<i64>)
        .bind("dependency", None::<i64>)
        .bind("by_service", 0)
}
