//! Lines of browsers: short names, and what is within a transaction.

use std::sync::Arc;
use std::time::Duration;

use apm_store::event::{Batch, Event, Outcome};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::{Browser, Stream, Terms, Visitor};

const METADATA: &str =
    r#"{"m":{"se":{"n":"shop","ve":"1","a":{"n":"rum-js","ve":"5"}},"l":{"tier":"gold"}}}"#;
const PAGE: &str = r#"{"x":{"id":"00000000000000a1","tid":"000000000000000000000000000000b1","n":"/","t":"page-load",
    "d":292.5,"yc":{"sd":3},"sm":true,"sr":0.5,"k":{"a":{"fb":5,"xx":1},"nt":{"fs":0},"mine":{"lp":2}},
    "exp":{"cls":0.1},"c":{"p":{"url":"http://h:81/a?b#c","rf":"http://r/"},"r":{"ts":10},"u":null},
    "y":[{"id":"c1","n":"one","t":"resource","su":"script","s":98.94,"d":2,"sy":true,"c":null},
         {"id":"c2","pi":0,"n":"two","t":"external.http","s":3,"d":1,
          "c":{"h":{"url":"http://b/","mt":"GET","sc":404},
               "dt":{"se":{"n":"N/A","rc":"b:80","t":"N/A"},"ad":"b","po":80}}},
         {"id":"c3","pi":99,"n":"three","t":"app","s":4,"d":1,"st":[{"f":"a.js","fn":"g","li":1,"co":2}]}],
    "me":[{"y":{"t":"app"},"sa":{"ysc":{"v":1}}},{"y":{"t":"db"},"sa":{}}]}}"#;
const ERROR: &str = r#"{"e":{"id":"e1","cl":"f","ex":{"mg":"Uncaught","ca":[{"t":"T"}],"st":[{"f":"a.js","li":1}]},
    "tid":"b1","pid":"a1","xid":"a1","x":{"t":"page-load","sm":true}}}"#;

/// Terms that know one service and so many events.
#[derive(Debug)]
struct Few(u32);

impl Terms for Few {
    fn admit(&self, agent: &str, service: &str) -> Result<(), String> {
        match (agent, service) {
            ("rum-js", "shop") => Ok(()),
            _ => Err(format!("no {agent} of {service}")),
        }
    }

    fn take(&self, events: u32) -> bool {
        events <= self.0
    }
}

fn lines(page: &[&str]) -> String {
    let one_line = |line: &&str| line.replace('\n', " ");
    page.iter().map(one_line).collect::<Vec<_>>().join("\n")
}

/// Reads a body: its batch, its status and its report.
fn read(body: &[u8], terms: Option<Few>) -> (Option<Batch>, u16, String) {
    let browser = Browser {
        visitor: Visitor {
            user_agent: Some("Lynx \"2\"".to_owned()),
            ip: Some([203, 0, 113, 44].into()),
            ..Visitor::default()
        },
        terms: terms.map(|terms| Box::new(terms) as Box<dyn Terms>),
        longest: Duration::from_secs(1),
    };
    let mut stream = Stream::new(None, 20_000, None, Arc::default()).browser(browser);
    let mut body = body;
    let full = stream.advance(&mut body);
    stream.finish();
    let batch = full.or_else(|| stream.take());
    let report = serde_json::to_string(stream.report()).expect("it is plain");
    (batch, stream.report().status(), report)
}

fn rest(batch: &Batch, event: &Event) -> Value {
    serde_json::from_str(batch.text(event.rest())).expect("it is JSON")
}

#[test]
fn a_page_load_becomes_a_transaction_its_spans_and_its_metricsets() {
    let (batch, status, report) = read(lines(&[METADATA, PAGE]).as_bytes(), Some(Few(6)));
    let batch = batch.unwrap_or_else(|| panic!("{report}"));
    assert_eq!((status, batch.events.len()), (202, 5), "{report}");
    let Event::Transaction(page) = &batch.events[0] else {
        panic!("{:?}", batch.events[0]);
    };
    assert_eq!((page.duration, page.spans_started), (292_500, 3));
    assert_eq!(page.sample_rate, Some(0.5));
    assert_eq!(page.outcome, Outcome::Unknown);
    let wanted = json!({
        "marks": {
            "agent": {"timeToFirstByte": 5, "xx": 1},
            "navigationTiming": {"fetchStart": 0},
            "mine": {"largestContentfulPaint": 2},
        },
        "experience": {"cls": 0.1},
        "context": {
            "page": {"url": "http://h:81/a?b#c", "referer": "http://r/"},
            "response": {"transfer_size": 10},
        },
        "visitor": {"user_agent": "Lynx \"2\"", "ip": "203.0.113.44"},
    });
    assert_eq!(rest(&batch, &batch.events[0]), wanted);
    let spans: Vec<_> = batch.events[1..4]
        .iter()
        .map(|event| match event {
            Event::Span(span) => span,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(spans[0].timestamp, batch.received + 98_940);
    let parents = spans.iter().map(|span| batch.id(span.parent_id));
    assert_eq!(
        parents.collect::<Vec<_>>(),
        ["00000000000000a1", "c1", "00000000000000a1"]
    );
    assert!(spans.iter().all(|span| span.sample_rate == Some(0.5)));
    assert_eq!(spans[1].outcome, Outcome::Failure);
    assert_eq!(batch.text(spans[1].kind), "external");
    assert_eq!(batch.opt(spans[1].subtype), Some("http"));
    assert_eq!(batch.opt(spans[1].resource), Some("b:80"));
    let stack = spans[2].stack.expect("it has frames");
    let frames: Value = serde_json::from_str(batch.text(stack)).unwrap();
    assert_eq!(
        frames,
        json!([{"filename": "a.js", "function": "g", "lineno": 1, "colno": 2}])
    );
    let Event::Metricset(set) = &batch.events[4] else {
        panic!("{:?}", batch.events[4]);
    };
    let breakdown = set.breakdown.expect("it is one");
    assert_eq!(batch.opt(breakdown.transaction_name), Some("/"));
    assert_eq!((breakdown.count, breakdown.sum), (1.0, 0.0));
}

#[test]
fn an_error_gets_long_names_within_its_causes_too() {
    let (batch, _, report) = read(lines(&[METADATA, ERROR]).as_bytes(), None);
    let batch = batch.unwrap_or_else(|| panic!("{report}"));
    let told = rest(&batch, &batch.events[0]);
    assert_eq!(told["exception"]["cause"], json!([{"type": "T"}]), "{told}");
    assert_eq!(told["visitor"]["ip"], "203.0.113.44");
    let Event::Error(error) = &batch.events[0] else {
        panic!("{:?}", batch.events[0]);
    };
    assert_eq!(batch.opt(error.message), Some("Uncaught"));
    assert!(error.stack.is_some() && error.timestamp == batch.received);
}

#[test]
fn both_versions_are_taken_in_one_body_and_short_names_by_no_backend() {
    let long = concat!(
        r#"{"transaction":{"id":"a","trace_id":"b","type":"t","duration":1,"#,
        r#""span_count":{"started":0},"visitor":1}}"#,
    );
    let (batch, _, report) = read(lines(&[METADATA, long, ERROR]).as_bytes(), None);
    let batch = batch.unwrap_or_else(|| panic!("{report}"));
    assert_eq!(batch.events.len(), 2);
    assert_eq!(
        rest(&batch, &batch.events[0])["visitor"]["user_agent"],
        "Lynx \"2\""
    );
    let mut stream = Stream::new(None, 2000, None, Arc::default());
    let body = lines(&[METADATA, PAGE]);
    assert!(stream.advance(&mut body.as_bytes()).is_none() && stream.take().is_none());
    assert_eq!(stream.report().status(), 400);
}

#[test]
fn without_a_secret_only_what_is_allowed_is_taken() {
    let other = METADATA.replace("rum-js", "python");
    let (batch, status, report) = read(lines(&[&other, PAGE]).as_bytes(), Some(Few(9)));
    assert!(batch.is_none() && status == 403, "{report}");
    assert!(report.contains("no python of shop"), "{report}");
    let (batch, status, _) = read(lines(&[&other, PAGE]).as_bytes(), None);
    assert_eq!(
        (status, batch.map(|batch| batch.events.len())),
        (202, Some(5))
    );
    // An event may name a service of its own, which counts as well.
    let foreign = ERROR.replace("\"c\":{", "").replace(
        "\"id\":\"e1\"",
        "\"id\":\"e1\",\"timestamp\":5,\"c\":{\"se\":{\"n\":\"bank\"}}",
    );
    let (batch, status, report) =
        read(lines(&[METADATA, &foreign, ERROR]).as_bytes(), Some(Few(9)));
    let batch = batch.unwrap_or_else(|| panic!("{report}"));
    assert_eq!((status, batch.events.len()), (403, 1), "{report}");
    assert!(
        batch.sent.is_empty(),
        "the time of what was taken back is no other event's"
    );
    let (batch, status, report) = read(lines(&[METADATA, ERROR, PAGE]).as_bytes(), Some(Few(4)));
    assert_eq!(batch.map(|batch| batch.events.len()), Some(1));
    assert!(
        status == 429 && report.contains("rate limit exceeded"),
        "{report}"
    );
    let log = r#"{"log":{"message":"m"}}"#;
    let (batch, status, _) = read(lines(&[METADATA, log]).as_bytes(), Some(Few(9)));
    assert!(batch.is_none() && status == 400);
}

#[test]
fn a_transaction_that_breaks_a_rule_takes_its_spans_with_it_and_a_span_only_itself() {
    let page = PAGE.replace("\"t\":\"page-load\",", "");
    let (batch, status, report) = read(lines(&[METADATA, &page]).as_bytes(), None);
    assert!(batch.is_none() && status == 400, "{report}");
    assert_eq!(report.matches("message").count(), 1, "{report}");
    let page = PAGE.replace("\"n\":\"one\",", "");
    let (batch, status, report) = read(lines(&[METADATA, &page]).as_bytes(), None);
    assert_eq!(
        (status, batch.map(|batch| batch.events.len())),
        (400, Some(4)),
        "{report}"
    );
    let deep = format!("{{\"x\":{}", "[".repeat(300));
    let cut = r#"{"e":{"id":"1","log":{"mg":"\ud800"}}}"#;
    let (batch, _, report) = read(
        lines(&[METADATA, &deep, "{\"x\":7}", "{\"x\":", cut]).as_bytes(),
        None,
    );
    assert_eq!(batch.map(|batch| batch.events.len()), Some(1), "{report}");
    // It would fill the memory once it is written out.
    let spans = vec!["{\"id\":\"1\"}"; 1500].join(",");
    let ids = "7".repeat(1000);
    let bomb = format!("{{\"x\":{{\"id\":\"{ids}\",\"tid\":\"{ids}\",\"y\":[{spans}]}}}}");
    let (batch, status, report) = read(lines(&[METADATA, &bomb]).as_bytes(), None);
    assert!(batch.is_none() && status == 400, "{report}");
    assert!(report.contains("permitted size"), "{report}");
}

#[test]
fn a_body_ends_where_it_grows_too_large() {
    let mut body = METADATA.as_bytes().to_vec();
    body.resize(9 << 20, b'\n');
    let (_, status, report) = read(&body, Some(Few(9)));
    assert!(status == 413 && report.contains("too large"), "{report}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn no_line_makes_the_decoder_panic(
        which in 0usize..3,
        edits in prop::collection::vec(
            (any::<prop::sample::Index>(), 0usize..9, r#"[\[\]{}:,"\\a-z0-9.eE +-]{0,9}"#),
            0..5,
        ),
    ) {
        let mut line = lines(&[[METADATA, PAGE, ERROR][which]]).into_bytes();
        for (at, cut, new) in edits {
            let at = at.index(line.len().max(1)).min(line.len());
            let end = (at + cut).min(line.len());
            line.splice(at..end, new.into_bytes());
        }
        let body = [METADATA.as_bytes(), b"\n", &line, b"\n"].concat();
        let (batch, status, _) = read(&body, Some(Few(9)));
        prop_assert!(batch.is_some() || status >= 202);
    }
}
