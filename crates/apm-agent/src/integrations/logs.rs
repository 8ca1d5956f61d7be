//! Log lines as ECS JSON: for a service's own output, and for the server.
//!
//! Pure functions of a record and the ids around it: who calls them decides where the text goes. A record never holds a
//! line break, whatever the message does, and ids are left out where there is no transaction.

mod observe;

use serde::Serialize;

use crate::config::Settings;
use crate::recording::current::TraceIds;
use crate::trace::ids::ErrorId;

pub(crate) use observe::{Observed, observe};

/// The version of the Elastic Common Schema that the field names are from.
const ECS_VERSION: &str = "8.11.0";

/// The service's fields, the same in every record.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ServiceFields {
    name: String,
    version: Option<String>,
    environment: Option<String>,
    node_name: Option<String>,
}

impl ServiceFields {
    pub(crate) fn new(settings: &Settings) -> Self {
        Self {
            name: settings.service_name.clone(),
            version: settings.service_version.clone(),
            environment: settings.environment.clone(),
            node_name: settings.service_node_name.clone(),
        }
    }
}

/// A log record.
#[derive(Clone, Debug, Default)]
pub(crate) struct Record<'a> {
    /// Microseconds since the epoch.
    pub(crate) timestamp: u64,
    /// In lower case: `error`, `warn`, `info`.
    pub(crate) level: &'a str,
    pub(crate) message: &'a str,
    pub(crate) logger: Option<&'a str>,
    pub(crate) file: Option<&'a str>,
    pub(crate) line: Option<u32>,
    pub(crate) thread: Option<&'a str>,
    pub(crate) ids: Option<TraceIds>,
    pub(crate) error_id: Option<ErrorId>,
}

/// The fields in the order that ECS loggers write them; absent ones are left out.
#[derive(Serialize)]
struct Fields<'a, Timestamp> {
    #[serde(rename = "@timestamp")]
    timestamp: Timestamp,
    #[serde(rename = "log.level")]
    level: &'a str,
    message: &'a str,
    #[serde(rename = "ecs.version")]
    ecs_version: &'a str,
    #[serde(rename = "service.name")]
    service_name: &'a str,
    #[serde(rename = "service.version", skip_serializing_if = "Option::is_none")]
    service_version: Option<&'a str>,
    #[serde(
        rename = "service.environment",
        skip_serializing_if = "Option::is_none"
    )]
    service_environment: Option<&'a str>,
    #[serde(rename = "service.node.name", skip_serializing_if = "Option::is_none")]
    service_node_name: Option<&'a str>,
    #[serde(rename = "event.dataset")]
    dataset: &'a str,
    #[serde(rename = "log.logger", skip_serializing_if = "Option::is_none")]
    logger: Option<&'a str>,
    #[serde(
        rename = "log.origin.file.name",
        skip_serializing_if = "Option::is_none"
    )]
    file: Option<&'a str>,
    #[serde(
        rename = "log.origin.file.line",
        skip_serializing_if = "Option::is_none"
    )]
    line: Option<u32>,
    #[serde(
        rename = "process.thread.name",
        skip_serializing_if = "Option::is_none"
    )]
    thread: Option<&'a str>,
    #[serde(rename = "trace.id", skip_serializing_if = "Option::is_none")]
    trace_id: Option<crate::trace::ids::TraceId>,
    #[serde(rename = "transaction.id", skip_serializing_if = "Option::is_none")]
    transaction_id: Option<crate::trace::ids::SpanId>,
    #[serde(rename = "span.id", skip_serializing_if = "Option::is_none")]
    span_id: Option<crate::trace::ids::SpanId>,
    #[serde(rename = "error.id", skip_serializing_if = "Option::is_none")]
    error_id: Option<ErrorId>,
}

impl Record<'_> {
    /// Writes the record as one line of ECS JSON, for the service's own log.
    pub(crate) fn write_ecs(&self, service: &ServiceFields, out: &mut Vec<u8>) {
        write_line(&self.fields(service, rfc3339(self.timestamp)), out);
    }

    /// Writes the record as an event for the server.
    pub(crate) fn write_event(&self, service: &ServiceFields, out: &mut Vec<u8>) {
        #[derive(Serialize)]
        struct Event<'a> {
            log: Fields<'a, u64>,
        }
        write_line(
            &Event {
                log: self.fields(service, self.timestamp),
            },
            out,
        );
    }

    fn fields<'f, Timestamp>(
        &'f self,
        service: &'f ServiceFields,
        timestamp: Timestamp,
    ) -> Fields<'f, Timestamp> {
        Fields {
            timestamp,
            level: self.level,
            message: self.message,
            ecs_version: ECS_VERSION,
            service_name: &service.name,
            service_version: service.version.as_deref(),
            service_environment: service.environment.as_deref(),
            service_node_name: service.node_name.as_deref(),
            dataset: &service.name,
            logger: self.logger,
            file: self.file,
            line: self.line,
            thread: self.thread,
            trace_id: self.ids.map(|ids| ids.trace_id),
            transaction_id: self.ids.map(|ids| ids.transaction_id),
            span_id: self.ids.and_then(|ids| ids.span_id),
            error_id: self.error_id,
        }
    }
}

fn write_line(fields: &impl Serialize, out: &mut Vec<u8>) {
    let start = out.len();
    // Texts and numbers into memory: there is nothing that could fail; half a record would break the stream.
    match serde_json::to_writer(&mut *out, fields) {
        Ok(()) => out.push(b'\n'),
        Err(_) => out.truncate(start),
    }
}

/// `2026-11-22T16:29:42.123456Z`, by Howard Hinnant's `civil_from_days`
/// (<https://howardhinnant.github.io/date_algorithms.html>).
pub(crate) fn rfc3339(micros: u64) -> String {
    let (seconds, micros) = (micros / 1_000_000, micros % 1_000_000);
    let (days, second_of_day) = (seconds / 86_400, seconds % 86_400);
    // Days since 0000-03-01, in eras of 400 years: a year that begins in March ends with the leap day.
    let days = days + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    // Each fourth year has a leap day, but each hundredth has none, and the last of an era has one.
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    // From March on, five months have 153 days.
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 {
        month_from_march + 3
    } else {
        month_from_march - 9
    };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    let (hour, minute, second) = (
        second_of_day / 3_600,
        second_of_day / 60 % 60,
        second_of_day % 60,
    );
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{micros:06}Z")
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::config::{Config, LocalSources};
    use crate::trace::ids::{SpanId, TraceId};

    fn service(code: &[(&str, &str)]) -> ServiceFields {
        let code = code
            .iter()
            .map(|&(key, value)| (key.to_owned(), value.to_owned()))
            .collect();
        ServiceFields::new(
            &Config::resolve(LocalSources {
                code,
                ..LocalSources::default()
            })
            .0
            .load(),
        )
    }

    fn text(write: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        write(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_record_has_the_required_fields_first_and_the_ids_of_its_span() {
        let ids = TraceIds {
            trace_id: TraceId::parse_hex(b"0af7651916cd43dd8448eb211c80319c").unwrap(),
            transaction_id: SpanId::parse_hex(b"b7ad6b7169203331").unwrap(),
            span_id: SpanId::parse_hex(b"00f067aa0ba902b7"),
        };
        let record = Record {
            timestamp: 1_700_000_000_123_456,
            level: "error",
            message: "cannot\n\"write\"",
            logger: Some("shop::cart"),
            file: Some("src/cart.rs"),
            line: Some(7),
            thread: Some("actix-rt|system:0|arbiter:0"),
            ids: Some(ids),
            error_id: ErrorId::from_bytes([1; 16]),
        };
        let service = service(&[
            ("service_name", "my-app-01"),
            ("service_version", "1.2"),
            ("environment", "dev"),
            ("service_node_name", "n1"),
        ]);
        assert_eq!(
            text(|out| record.write_ecs(&service, out)),
            "{\"@timestamp\":\"2023-11-14T22:13:20.123456Z\",\"log.level\":\"error\",\
             \"message\":\"cannot\\n\\\"write\\\"\",\
             \"ecs.version\":\"8.11.0\",\"service.name\":\"my-app-01\",\"service.version\":\"1.2\",\
             \"service.environment\":\"dev\",\
             \"service.node.name\":\"n1\",\"event.dataset\":\"my-app-01\",\"log.logger\":\"shop::cart\",\
             \"log.origin.file.name\":\"src/cart.rs\",\"log.origin.file.line\":7,\
             \"process.thread.name\":\"actix-rt|system:0|arbiter:0\",\"trace.id\":\"0af7651916cd43dd8448eb211c80319c\",\
             \"transaction.id\":\"b7ad6b7169203331\",\"span.id\":\"00f067aa0ba902b7\",\
             \"error.id\":\"01010101010101010101010101010101\"}\n"
        );
    }

    #[test]
    fn without_a_transaction_there_are_no_ids_and_nothing_is_null() {
        let record = Record {
            timestamp: 7,
            level: "info",
            message: "started",
            ..Record::default()
        };
        let service = service(&[]);
        let event: Value =
            serde_json::from_str(&text(|out| record.write_event(&service, out))).unwrap();
        assert_eq!(
            event,
            json!({"log": {"@timestamp": 7, "log.level": "info", "message": "started", "ecs.version": "8.11.0",
                "service.name": "unknown-rust-service", "event.dataset": "unknown-rust-service"}})
        );
    }

    #[test]
    fn a_message_never_breaks_the_line() {
        let message: String = (0..0x300).filter_map(char::from_u32).collect();
        let record = Record {
            message: &message,
            level: "warn",
            ..Record::default()
        };
        let line = text(|out| record.write_event(&service(&[]), out));
        assert_eq!(line.matches('\n').count(), 1);
        let event: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(event["log"]["message"], message);
    }

    #[test]
    fn times_are_written_as_rfc_3339() {
        let table = [
            (0, "1970-01-01T00:00:00.000000Z"),
            (951_782_400, "2000-02-29T00:00:00.000000Z"),
            (1_078_012_799, "2004-02-28T23:59:59.000000Z"),
            (1_709_210_096, "2024-02-29T12:34:56.000000Z"),
            (1_735_689_599, "2024-12-31T23:59:59.000000Z"),
            (4_107_542_400, "2100-03-01T00:00:00.000000Z"),
        ];
        for (seconds, expected) in table {
            assert_eq!(rfc3339(seconds * 1_000_000), expected);
        }
    }
}
