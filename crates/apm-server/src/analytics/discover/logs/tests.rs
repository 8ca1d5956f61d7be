use super::*;

#[test]
fn a_level_means_a_severity_however_it_is_spelled() {
    for (level, want) in [
        ("ERROR", Severity::Error),
        ("error", Severity::Error),
        ("Fatal", Severity::Error),
        ("CRITICAL", Severity::Error),
        ("WARNING", Severity::Warn),
        ("warn", Severity::Warn),
        ("Information", Severity::Info),
        ("NOTICE", Severity::Info),
        ("TRACE", Severity::Debug),
        ("fine", Severity::Debug),
        ("", Severity::Other),
        ("17", Severity::Other),
    ] {
        assert_eq!(Severity::from_level(level), want, "{level}");
    }
}

#[test]
fn the_query_of_a_severity_finds_its_levels_and_no_others() {
    for level in ["ERROR", "Warning", "info", "debug", "7", "severe", "err"] {
        let document = serde_json::json!({"log": {"level": level}});
        let found = Severity::ALL
            .into_iter()
            .filter(|severity| kql::matches(&severity.query(), &document));
        let found: Vec<Severity> = found.collect();
        assert_eq!(found, [Severity::from_level(level)], "{level}");
    }
    let without = serde_json::json!({"message": "x"});
    assert!(kql::matches(&Severity::Other.query(), &without));
}

#[test]
fn the_counts_of_an_engine_are_those_of_here_and_of_others_but_for_the_last_seconds() {
    let range = Range {
        from: 0,
        to: 600 * SECOND,
    };
    let mut tally = Tally::new(range);
    let axis = tally.axis.clone();
    let last = axis.buckets.len() - 1;
    let at = |bucket: usize| axis.buckets[bucket].start;
    tally.add(at(0), "ERROR", 3);
    tally.add(at(last), "warn", 5);
    let mut logs = Logs {
        levels: tally.levels,
        complete: true,
        hits: Vec::new(),
        next: None,
        axis: axis.clone(),
    };
    let counts = [
        (0, "error", 4),
        (0, "Fatal", 3),
        (last, "WARN", 2),
        (last, "", 1),
    ];
    let counts = counts.map(|(bucket, level, count)| (at(bucket), level.to_owned(), count));
    logs.add_at_least(counts.into());
    let found: Vec<u64> = logs.levels.iter().map(|lines| lines.count).collect();
    assert_eq!(found, [7, 5, 0, 0, 1]);
    assert_eq!(logs.levels[0].histogram[0], 7);
    assert_eq!(
        logs.levels[1].histogram[last], 5,
        "the last seconds are here only"
    );
}

#[test]
fn severities_are_named_in_addresses() {
    for severity in Severity::ALL {
        assert_eq!(Severity::parse(severity.as_str()), Some(severity));
    }
    assert_eq!(Severity::parse("loud"), None);
}
