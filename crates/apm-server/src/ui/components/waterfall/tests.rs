use super::*;

fn row(id: &str, level: usize, at: i64, duration: i64) -> Row {
    Row {
        id: id.into(),
        level,
        expanded: None,
        hidden: false,
        class: "t-db",
        label: "SELECT FROM <people>".into(),
        service: None,
        badges: Vec::new(),
        duration,
        at,
        bar: Bar::Plain,
        failed: false,
        quiet: false,
        selected: false,
        marks: Vec::new(),
        critical: Vec::new(),
        href: None,
        place: None,
        name: String::new(),
        turn: None,
        hit: false,
        current_hit: false,
    }
}

#[test]
fn every_kind_of_row_is_golden() {
    let rows = vec![
        Row {
            service: Some("my-app".into()),
            expanded: Some(true),
            class: "t-app",
            critical: vec![(0, 20_000)],
            href: Some("/t?item=a".into()),
            ..row("a", 1, 0, 80_000)
        },
        Row {
            bar: Bar::Slices(4),
            badges: vec![(Tone::Neutral, "4×".into())],
            ..row("b", 2, 20_000, 9_600)
        },
        Row {
            bar: Bar::Total { until: 50_000 },
            expanded: Some(false),
            badges: vec![(Tone::Warn, "repeated 137×".into())],
            ..row("c", 2, 30_000, 20_000)
        },
        Row {
            failed: true,
            selected: true,
            ..row("d", 2, 60_000, 40)
        },
        Row {
            bar: Bar::Gap,
            quiet: true,
            hidden: true,
            ..row("e", 2, 61_000, 19_000)
        },
    ];
    let table = Waterfall {
        rows,
        from: 0,
        to: 80_000,
        part: None,
    };
    insta::assert_snapshot!(table.render().into_string().replace("><", ">\n<"));
}

#[test]
fn groups_hold_all_rows_once_and_full_ones_are_of_one_height() {
    let rows: Vec<Row> = (0..300)
        .map(|i| Row {
            hidden: i % 3 == 2,
            ..row(&i.to_string(), 1, 0, 10)
        })
        .collect();
    let table = Waterfall {
        rows,
        from: 0,
        to: 10,
        part: None,
    };
    let groups = table.groups();
    let mut next = 0;
    for group in &groups {
        assert_eq!(group.rows.start, next);
        next = group.rows.end;
        let seen = table.rows[group.rows.clone()]
            .iter()
            .filter(|row| !row.hidden)
            .count();
        assert_eq!(group.full, seen == GROUP, "{seen} rows");
        assert!(
            !table.rows[group.rows.start].hidden,
            "a row stays with what it is below"
        );
    }
    assert_eq!((next, groups.len()), (300, 4));
}

#[test]
fn an_empty_trace_and_an_instant_one_still_have_a_ruler() {
    for rows in [vec![], vec![row("a", 1, 0, 0)]] {
        let text = Waterfall {
            rows,
            from: 0,
            to: 0,
            part: None,
        }
        .render()
        .into_string();
        assert!(text.contains("class=\"ruler\"") && !text.contains("NaN"));
    }
}
