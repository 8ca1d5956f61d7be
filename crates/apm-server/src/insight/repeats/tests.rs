use super::*;

fn span(statement: i64, verb: &str, start: i64, calls: f64) -> DbSpan<'_> {
    DbSpan {
        statement,
        verb,
        start,
        calls,
        total: 100.0 * calls,
        alike: true,
        failed: false,
    }
}

/// Calls of a loop of statement 2, and whether a query came before it.
fn of_two(spans: &[DbSpan<'_>]) -> (f64, bool) {
    let found = repeats(spans);
    let repeat = found.iter().find(|repeat| repeat.statement == 2);
    repeat.map_or((0.0, false), |repeat| {
        (repeat.looped, repeat.follows_a_query)
    })
}

#[test]
fn a_loop_counts_alike_whether_the_agent_folds_it_or_not() {
    let single: Vec<_> = (0..5)
        .map(|i| span(2, "INSERT", 10 + 200 * i, 1.0))
        .collect();
    let folded = [span(2, "INSERT", 10, 4.0), span(2, "INSERT", 900, 1.0)];
    for spans in [&single[..], &folded[..]] {
        let mut spans = spans.to_vec();
        spans.insert(0, span(1, "BEGIN", 0, 1.0));
        spans.push(span(3, "COMMIT", 9_900, 1.0));
        assert_eq!(of_two(&spans), (5.0, false));
    }
}

#[test]
fn a_query_before_the_loop_is_told() {
    let mut spans = vec![span(1, "SELECT", 0, 1.0)];
    spans.extend((1..8).map(|i| span(2, "SELECT", 200 * i, 1.0)));
    assert_eq!(of_two(&spans), (7.0, true));
    assert_eq!(of_two(&spans[1..]), (7.0, false));
}

#[test]
fn polls_retries_and_calls_of_other_statements_are_no_loop() {
    const SECOND: i64 = 1_000_000;
    let polls: Vec<_> = (0..60)
        .map(|i| span(2, "SELECT", i * SECOND, 1.0))
        .collect();
    assert_eq!(of_two(&polls).0, 1.0);
    // A loop that does something else for each row is one.
    let busy: Vec<_> = (0..60)
        .map(|i| span(2, "SELECT", i * 20_000, 1.0))
        .collect();
    assert_eq!(of_two(&busy).0, 60.0);
    // Slow calls a second apart are no polls: they take the time.
    let slow: Vec<_> = (0..10)
        .map(|i| DbSpan {
            total: 900_000.0,
            ..span(2, "SELECT", i * SECOND, 1.0)
        })
        .collect();
    assert_eq!(of_two(&slow).0, 10.0);

    let mut retries: Vec<_> = (0..5)
        .map(|i| DbSpan {
            failed: true,
            ..span(2, "UPDATE", i * 200, 1.0)
        })
        .collect();
    assert_eq!(of_two(&retries).0, 0.0);
    retries.push(span(2, "UPDATE", 1_000, 1.0));
    assert_eq!(of_two(&retries).0, 1.0);

    let unequal = DbSpan {
        alike: false,
        ..span(2, "SELECT", 0, 12.0)
    };
    assert_eq!(of_two(&[unequal]).0, 1.0);
}
