use super::*;
use crate::recording::cost::Cost;
use crate::recording::service_target::{ExitSpan, Peer};
use crate::recording::span_kind::{SpanKind, Tail};
use crate::trace::ids::SpanId;
use crate::util::clock::Moment;

const LIMITS: Thresholds = Thresholds {
    enabled: true,
    exact_match: Duration::from_millis(50),
    same_kind: Duration::from_millis(5),
};

/// A query of a given name, from and to milliseconds after `base`.
fn query(base: Moment, name: &str, database: &str, from: u64, to: u64) -> FinishedSpan {
    statement(base, name, database, "", from, to)
}

/// The same with a statement.
fn statement(
    base: Moment,
    name: &str,
    database: &str,
    sql: &str,
    from: u64,
    to: u64,
) -> FinishedSpan {
    let target = ExitSpan {
        span_type: "db",
        subtype: Some("sqlite"),
        peer: Peer::Database(Some(database)),
        ..ExitSpan::default()
    };
    let kind = SpanKind {
        span_type: "db".into(),
        subtype: Some("sqlite".into()),
        exit: true,
        target: target.target().map(|target| target.at(None)),
    };
    FinishedSpan {
        id: SpanId::random(),
        parent_id: SpanId::random(),
        start: base.after(Duration::from_millis(from)),
        end: base.after(Duration::from_millis(to)),
        outcome: Outcome::Success,
        propagated: false,
        tail: Arc::new(Tail::new(Arc::new(kind), name, None, |out| {
            out.extend_from_slice(format!("\"db\":{{\"statement\":\"{sql}\"}},").as_bytes());
        })),
        binds: Binds::Unknown,
        composite: None,
        rows: None,
        cost: None,
        stack: None,
    }
}

/// Offers all, then takes what is kept: `name×count strategy`.
fn reported(spans: impl IntoIterator<Item = FinishedSpan>, thresholds: Thresholds) -> Vec<String> {
    let mut kept = None;
    let mut out = Vec::new();
    for span in spans {
        offer(&mut kept, span, thresholds, |span| {
            out.push(shown(&span));
        });
    }
    out.extend(kept.as_ref().map(shown));
    out
}

/// Offers a span of which nothing is to be reported yet.
fn keep(kept: &mut Option<FinishedSpan>, span: FinishedSpan) {
    offer(kept, span, LIMITS, |span| {
        panic!("reported {}", shown(&span))
    });
}

fn shown(span: &FinishedSpan) -> String {
    let name = span
        .composite
        .as_ref()
        .and_then(|composite| composite.renamed.as_deref())
        .unwrap_or(&span.tail.name);
    match &span.composite {
        None => name.to_owned(),
        Some(composite) => format!(
            "{name} x{} {}",
            composite.count,
            composite.strategy.as_str()
        ),
    }
}

#[test]
fn equal_neighbours_become_one_with_their_sum_and_their_whole_time() {
    let base = Moment::now();
    let mut kept = None;
    for (from, to) in [(0, 10), (20, 30), (30, 45)] {
        keep(&mut kept, query(base, "a", "x", from, to));
    }
    let kept = kept.unwrap();
    assert_eq!(shown(&kept), "a x3 exact_match");
    assert_eq!(kept.sum(), Duration::from_millis(35));
    assert_eq!(kept.duration(), Duration::from_millis(45));
}

#[test]
fn thresholds_are_inclusive_and_the_first_merge_chooses_the_strategy() {
    let base = Moment::now();
    let q = |name: &str, to| query(base, name, "x", 0, to);
    let table: [(Vec<FinishedSpan>, &[&str]); 7] = [
        (vec![q("a", 50), q("a", 50)], &["a x2 exact_match"]),
        (vec![q("a", 51), q("a", 50)], &["a", "a"]),
        (vec![q("a", 50), q("a", 51), q("a", 1)], &["a", "a", "a"]),
        (
            vec![q("a", 5), q("b", 5), q("a", 5)],
            &["Calls to sqlite/x x3 same_kind"],
        ),
        (vec![q("a", 5), q("b", 6)], &["a", "b"]),
        (
            vec![q("a", 5), q("a", 5), q("b", 5)],
            &["a x2 exact_match", "b"],
        ),
        (vec![q("a", 5), query(base, "a", "y", 0, 5)], &["a", "a"]),
    ];
    for (spans, expected) in table {
        assert_eq!(reported(spans, LIMITS), expected);
    }
}

#[test]
fn different_statements_of_one_name_stay_apart() {
    let base = Moment::now();
    let q = |sql: &str| statement(base, "SELECT FROM people", "x", sql, 0, 1);
    let twelve: Vec<String> = (0..12)
        .map(|i| format!("SELECT c{i} FROM people"))
        .collect();
    let name = ["SELECT FROM people"; 12];
    let equal_names = Thresholds {
        same_kind: Duration::ZERO,
        ..LIMITS
    };
    assert_eq!(reported(twelve.iter().map(|sql| q(sql)), equal_names), name);
    assert_eq!(
        reported([q("SELECT 1"), q("SELECT 1"), q("SELECT 2")], equal_names),
        ["SELECT FROM people x2 exact_match", "SELECT FROM people"]
    );
    // If spans of one kind may be folded, the name says that they are several.
    assert_eq!(
        reported([q("SELECT 1"), q("SELECT 2"), q("SELECT 1")], LIMITS),
        ["Calls to sqlite/x x3 same_kind"]
    );
}

#[test]
fn what_failed_or_was_sent_downstream_stays_alone_and_in_order() {
    let base = Moment::now();
    let q = || query(base, "a", "x", 0, 1);
    let failed = FinishedSpan {
        outcome: Outcome::Failure,
        ..q()
    };
    assert_eq!(
        reported([q(), q(), failed, q()], LIMITS),
        ["a x2 exact_match", "a", "a"]
    );
    let propagated = FinishedSpan {
        propagated: true,
        ..q()
    };
    assert_eq!(reported([q(), propagated, q()], LIMITS), ["a", "a", "a"]);
}

#[test]
fn switched_off_nothing_is_merged() {
    let base = Moment::now();
    let off = Thresholds {
        enabled: false,
        ..LIMITS
    };
    assert_eq!(
        reported((0..3).map(|_| query(base, "a", "x", 0, 1)), off),
        ["a", "a", "a"]
    );
}

#[test]
fn a_composite_has_the_sums_of_what_its_statements_took_without_one_that_leaves_it() {
    let base = Moment::now();
    let run = |steps: u64, rows: u64| FinishedSpan {
        cost: Some(Cost([steps, 0, 0, 0, 0, 1, 0, 0])),
        rows: Some(rows),
        ..query(base, "UPDATE a", "x", 0, 1)
    };
    let mut kept = None;
    for (steps, rows) in [(10, 1), (20, 2), (30, 0)] {
        keep(&mut kept, run(steps, rows));
    }
    let sums = |span: &FinishedSpan| (span.cost.map(|cost| (cost.0[0], cost.0[5])), span.rows);
    assert_eq!(kept.as_ref().map(sums), Some((Some((60, 3)), Some(3))));

    let mut reported = Vec::new();
    fail_last_query(&mut kept, |span| reported.push(sums(&span)));
    assert_eq!(reported, [(Some((30, 2)), Some(3)), (Some((30, 1)), None)]);
}

#[test]
fn a_composite_with_a_statement_that_was_not_measured_claims_no_sums() {
    let base = Moment::now();
    let measured = || FinishedSpan {
        cost: Some(Cost::default()),
        ..query(base, "a", "x", 0, 1)
    };
    for spans in [
        [measured(), query(base, "a", "x", 0, 1)],
        [query(base, "a", "x", 0, 1), measured()],
    ] {
        let mut kept = None;
        for span in spans {
            keep(&mut kept, span);
        }
        assert_eq!(kept.map(|span| span.cost), Some(None));
    }
}

#[test]
fn a_query_whose_caller_saw_it_fail_leaves_its_composite() {
    let base = Moment::now();
    let mut kept = None;
    for (from, to) in [(0, 10), (10, 20), (20, 35)] {
        keep(&mut kept, query(base, "a", "x", from, to));
    }
    let mut reported = Vec::new();
    fail_last_query(&mut kept, |span| {
        let times = [span.sum(), span.duration()].map(|time| time.as_millis());
        reported.push((shown(&span), span.outcome, times));
    });
    assert!(kept.is_none());
    let rest = ("a x2 exact_match".to_owned(), Outcome::Success, [20, 20]);
    let failed = ("a".to_owned(), Outcome::Failure, [15, 15]);
    assert_eq!(reported, [rest, failed]);
}
