use super::*;

const TRACE: u64 = 7;
const SHOP: i64 = 1;
const GONE: u64 = 99;

fn request(id: u64, service: i64, ts: i64, duration: i64) -> TxRow {
    TxRow {
        seq: 0,
        id: StoredId::Short(id),
        trace_id: StoredId::Short(TRACE),
        group_id: 1,
        service_id: service,
        ts,
        duration,
        dropped: 0,
        sent: 0,
    }
}

/// A statement of the shop.
fn row(id: u64, parent: u64, ts: i64) -> Row {
    Row {
        id: StoredId::Short(id),
        parent_id: StoredId::Short(parent),
        trace_id: StoredId::Short(TRACE),
        service_id: SHOP,
        statement_id: Some(5),
        ts,
        calls: 1,
        total: 10,
        failed: false,
        of_one_kind: true,
        steps: None,
        scan_steps: None,
    }
}

fn loose(rows: Vec<Row>) -> Loose {
    let mut loose = Loose::default();
    for row in rows {
        loose.keep(row, 1);
    }
    loose
}

/// The number of statements that a request takes.
fn taken(loose: &mut Loose, requests: &[TxRow], of: u64) -> usize {
    let mut lost = loose.lost(requests.iter());
    let of = StoredId::Short(of);
    let lost = lost.remove(&of).unwrap_or_default();
    loose.take(&of, lost).len()
}

#[test]
fn what_waits_for_a_lost_parent_goes_to_the_only_request_in_which_it_began() {
    let rows = || vec![row(20, GONE, 150), row(21, GONE, 420), row(22, 21, 160)];
    let one = request(1, SHOP, 100, 100);
    let cases = [
        // The first began in it, so all of them are its own, as is what lies below one of them.
        ("contained", vec![one], 3),
        ("after it", vec![request(1, SHOP, 10, 100)], 0),
        (
            "in two at once",
            vec![request(1, SHOP, 100, 100), request(2, SHOP, 120, 100)],
            0,
        ),
        (
            "one of another service around it",
            vec![request(1, SHOP, 100, 100), request(2, 2, 0, 1_000)],
            3,
        ),
        ("of another service", vec![request(1, 2, 100, 100)], 0),
    ];
    for (name, requests, count) in cases {
        let mut loose = loose(rows());
        assert_eq!(taken(&mut loose, &requests, 1), count, "{name}");
        assert_eq!(loose.count, 3 - count, "{name}");
    }
}

#[test]
fn what_waits_below_a_known_span_or_in_another_trace_is_not_guessed() {
    let requests = [request(1, SHOP, 100, 100)];
    // Its parent names another transaction, which has not come.
    let mut below = loose(vec![row(20, 30, 150)]);
    below.count += 1;
    below
        .owned
        .insert(StoredId::Short(2), vec![StoredId::Short(30)]);
    assert_eq!(taken(&mut below, &requests, 1), 0);
    let mut other = row(20, GONE, 150);
    other.trace_id = StoredId::Short(8);
    assert_eq!(taken(&mut loose(vec![other]), &requests, 1), 0);
    // Services that share a lost parent are not told apart.
    let mut mixed = row(21, GONE, 150);
    mixed.service_id = 2;
    let mut both = loose(vec![row(20, GONE, 150), mixed]);
    assert_eq!(taken(&mut both, &requests, 1), 0);
}
