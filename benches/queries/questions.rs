//! The questions of the pages of services, transactions, errors, dependencies, statements and Discover.

use apm_server::analytics::dependencies::Choice;
use apm_server::analytics::discover::{self, Limits, Request};
use apm_server::analytics::distribution::Scale;
use apm_server::analytics::samples::Durations;
use apm_server::analytics::window::Window;
use apm_server::analytics::{
    Scope, breakdown, dependencies, distribution, errors, latency, samples, services, statements,
    throughput, transactions,
};
use apm_time::{Range, SECOND};

use super::{Ask, data};

const HOUR: f64 = 3_600.0 * SECOND as f64;

pub(crate) fn of_lists(end: i64, hours: f64) -> Vec<(&'static str, Ask)> {
    let range = Range {
        from: end - (hours * HOUR) as i64,
        to: end,
    };
    let window = Window::new(range, end);
    let all = Scope::default();
    let service = Scope {
        service: Some(data::SERVICES[0].to_owned()),
        ..Scope::default()
    };
    let group = Scope {
        transaction_type: Some("request".to_owned()),
        transaction_name: Some("GET /0".to_owned()),
        ..service.clone()
    };
    macro_rules! ask {
        ($scope:expr, |$conn:ident, $of:ident, $in:ident| $answer:expr) => {{
            let (scope, window) = ($scope.clone(), window.clone());
            let ask: Ask = Box::new(move |$conn| {
                let ($of, $in) = (&scope, &window);
                $answer?;
                Ok(())
            });
            ask
        }};
    }
    let search = |query: &str| {
        let request = Request {
            query: kql::parse(query, end).expect("a query"),
            range,
            size: 100,
            after: None,
            limits: Limits::default(),
        };
        let ask: Ask = Box::new(move |conn| discover::search(conn, &request).map(drop));
        ask
    };
    vec![
        (
            "services",
            ask!(all, |conn, of, at| services::list(conn, of, at)),
        ),
        (
            "transactions",
            ask!(service, |conn, of, at| transactions::list(conn, of, at)),
        ),
        (
            "latency",
            ask!(service, |conn, of, at| latency::chart(conn, of, at)),
        ),
        (
            "latency of one group",
            ask!(group, |conn, of, at| latency::chart(conn, of, at)),
        ),
        (
            "throughput",
            ask!(service, |conn, of, at| throughput::chart(conn, of, at)),
        ),
        (
            "breakdown",
            ask!(service, |conn, of, at| breakdown::chart(conn, of, at)),
        ),
        (
            "distribution",
            ask!(group, |conn, of, at| distribution::chart(
                conn,
                of,
                at,
                Scale::Log
            )),
        ),
        (
            "samples",
            ask!(group, |conn, of, at| samples::list(
                conn,
                of,
                at,
                Durations::default(),
                500
            )),
        ),
        (
            "errors",
            ask!(service, |conn, of, at| errors::list(conn, of, None, at)),
        ),
        (
            "dependencies",
            ask!(all, |conn, of, at| dependencies::list(
                conn,
                of,
                &Choice::default(),
                at
            )),
        ),
        (
            "statements of a service",
            ask!(service, |conn, of, at| statements::list(conn, of, at)),
        ),
        (
            "statements of all",
            ask!(all, |conn, of, at| statements::list(conn, of, at)),
        ),
        ("discover", search("")),
        (
            "discover, failures",
            search("event.outcome:failure and processor.event:transaction"),
        ),
    ]
}
