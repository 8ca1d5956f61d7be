//! `/metrics/services`: requests, errors and durations of each service, for Prometheus.
//!
//! They are gauges over the last five whole minutes, read from the same rollups as the pages. Counters would fall when
//! retention deletes what they count.

use std::fmt::Write as _;

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use apm_store::{Store, StoreError};
use apm_time::{Range, SECOND};

use crate::analytics::Scope;
use crate::analytics::services::{self, Service};
use crate::analytics::window::Window;
use crate::http::respond;

/// Services that are told of, those with most requests first.
const MOST: usize = 200;

/// Minutes that the numbers are of.
const MINUTES: i64 = 5;

/// `GET /metrics/services`
pub(in crate::http) async fn metrics(
    request: HttpRequest,
    store: web::Data<Store>,
) -> HttpResponse {
    let minute = 60 * SECOND;
    let now = apm_time::now();
    let to = now.div_euclid(minute) * minute;
    let range = Range {
        from: to - MINUTES * minute,
        to,
    };
    let found = store.read_async(move |conn| {
        let found = services::list(conn, &Scope::default(), &Window::new(range, now))?;
        Ok::<_, StoreError>(found.services)
    });
    match found.await {
        Ok(services) => HttpResponse::Ok()
            .insert_header((header::CONTENT_TYPE, "text/plain; version=0.0.4"))
            .body(text(&services)),
        Err(error) => respond::error(&request, 503, &error.to_string()),
    }
}

/// Reads a number of a service; nothing where it has none.
type Number = fn(&Service) -> Option<f64>;

fn text(services: &[Service]) -> String {
    const US: f64 = 1e-6;
    let families: [(&str, &str, Number); 7] = [
        (
            "requests_per_second",
            "Transactions per second.",
            |service| Some(service.throughput / 60.0),
        ),
        ("failed_ratio", "Failed transactions, 0 to 1.", |service| {
            service.failed_rate
        }),
        ("errors_per_second", "Error events per second.", |service| {
            service.errors_per_minute.map(|errors| errors / 60.0)
        }),
        (
            "duration_seconds_avg",
            "Mean duration of a transaction.",
            |service| service.latency_avg.map(|us| us * US),
        ),
        (
            "duration_seconds_p95",
            "95th percentile of the duration.",
            |service| service.latency.map(|latency| latency.p95 * US),
        ),
        (
            "duration_seconds_p99",
            "99th percentile of the duration.",
            |service| service.latency.map(|latency| latency.p99 * US),
        ),
        (
            "sql_ratio",
            "Time in database statements / time in transactions, 0 to 1.",
            |service| service.db_share,
        ),
    ];
    let mut text = String::new();
    for (name, help, number) in families {
        let _ = writeln!(
            text,
            "# HELP pocket_apm_service_{name} {help} Over the last {MINUTES} whole minutes.\n\
             # TYPE pocket_apm_service_{name} gauge"
        );
        for service in services.iter().take(MOST) {
            if let Some(number) = number(service).filter(|number| number.is_finite()) {
                let _ = writeln!(
                    text,
                    "pocket_apm_service_{name}{{service=\"{}\"}} {number}",
                    label(&service.name)
                );
            }
        }
    }
    text
}

/// A value of a label: telemetry may hold any character.
pub(super) fn label(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    for c in value.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '"' => out.push_str("\\\""),
            '\n' => out.push_str("\\n"),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::label;

    #[test]
    fn values_of_labels_cannot_end_their_line() {
        assert_eq!(label("a\"} 1\nb\\"), "a\\\"} 1\\nb\\\\");
    }
}
