//! Events of every kind that rollups count.

use apm_store::share::{self, Caller};
use apm_store::{Store, StoredId};

use super::now;

/// A body with events of every kind that is counted.
pub(crate) fn mixed(service: &str, n: u64, at: i64) -> String {
    let head = format!(
        r#"{{"metadata":{{"service":{{"name":"{service}","environment":"test","version":"{n}",
        "agent":{{"name":"rust","version":"1"}}}}}}}}"#
    );
    let lines = [
        // A call of another service, and a statement with its cost.
        format!(
            r#"{{"transaction":{{"id":"{n:016x}","trace_id":"{n:032x}","name":"GET /a",
            "type":"request",
            "result":"HTTP 2xx","outcome":"success","duration":{n}.25,"timestamp":{at},"sample_rate":0.5,
            "span_count":{{"started":2}},
            "dropped_spans_stats":[{{"destination_service_resource":"redis","outcome":"success",
            "duration":{{"count":3,"sum":{{"us":300}}}}}}]}}}}"#
        ),
        format!(
            r#"{{"span":{{"id":"a{n:015x}","trace_id":"{n:032x}","parent_id":"{n:016x}","transaction_id":"{n:016x}",
            "name":"SELECT FROM t","type":"db","subtype":"sqlite","action":"query","duration":2,"timestamp":{at},
            "outcome":"success","sample_rate":0.5,
            "context":{{"tags":{{"sqlite_steps":{n},"sqlite_scan_steps":1,"sqlite_rows_returned":2}},
            "db":{{"statement":"SELECT * FROM t WHERE id = {n}","type":"sql"}},
            "destination":{{"service":{{"resource":"sqlite/d"}}}}}}}}}}"#
        ),
        format!(
            r#"{{"span":{{"id":"b{n:015x}","trace_id":"{n:032x}","parent_id":"{n:016x}","transaction_id":"{n:016x}",
            "name":"GET shop","type":"external","subtype":"http","duration":5,"timestamp":{at},"outcome":"failure",
            "context":{{"destination":{{"service":{{"resource":"shop:80"}}}}}}}}}}"#
        ),
        format!(
            r#"{{"transaction":{{"id":"c{n:015x}","trace_id":"{n:032x}","parent_id":"b{n:015x}",
            "name":"load","type":"page-load",
            "duration":9,"timestamp":{at},"span_count":{{"started":0}},
            "experience":{{"cls":0.1,"fid":3,"tbt":4}},"marks":{{"agent":{{"largestContentfulPaint":1200}}}}}}}}"#
        ),
        format!(
            r#"{{"error":{{"id":"{n:032x}","timestamp":{at},"exception":{{"message":"no {n}","type":"E{}"}}}}}}"#,
            n % 3
        ),
        format!(
            r#"{{"metricset":{{"timestamp":{at},"transaction":{{"name":"GET /a","type":"request"}},
            "span":{{"type":"db","subtype":"sqlite"}},"samples":{{"span.self_time.count":{{"value":2}},
            "span.self_time.sum.us":{{"value":77}}}}}}}}"#
        ),
        format!(
            r#"{{"metricset":{{"timestamp":{at},"tags":{{"pool":"p{}"}},"samples":{{
            "queue":{{"value":{n},"unit":"{{job}}"}},
            "done":{{"value":{n},"type":"counter","temporality":"delta"}},
            "size":{{"type":"histogram","values":[0.5,8],"counts":[{n},1]}}}}}}}}"#,
            n % 2
        ),
    ];
    let mut body = head.replace('\n', "");
    for line in lines {
        body.push('\n');
        body += &line.replace('\n', "");
    }
    body
}

/// Writes callers as the insights do.
pub(crate) fn call(store: &Store, minute: i64, n: i64) {
    let ticket = store.write(move |conn| {
        let callers = [0, 1].map(|statement| Caller {
            bucket: minute,
            group: 1,
            statement,
            requests: n,
            calls: 2.0 * n as f64,
            most: n as f64,
            sum: 10.0,
            tx_sum: 20.0,
            follows: 1,
            looped: 0.0,
            trace: StoredId::from("00000000000000000000000000000001"),
        });
        share::add_callers(conn, &callers, now())?;
        share::note_callers(conn, &callers)
    });
    ticket.expect("open").wait().expect("written");
}
