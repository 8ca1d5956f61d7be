use super::*;

#[test]
fn durations_keep_three_figures_and_change_their_unit() {
    for (us, want) in [
        (0.0, "0 µs"),
        (0.04, "< 0.1 µs"),
        (0.1, "0.1 µs"),
        (0.84, "0.8 µs"),
        (9.96, "10 µs"),
        (48.0, "48 µs"),
        (999.4, "999 µs"),
        (999.6, "1.00 ms"),
        (1_080.0, "1.08 ms"),
        (9_996.0, "10.0 ms"),
        (46_200.0, "46.2 ms"),
        (99_960.0, "100 ms"),
        (251_000.0, "251 ms"),
        (999_600.0, "1.00 s"),
        (1_250_000.0, "1.25 s"),
        (157_000_000.0, "157 s"),
        (599_600_000.0, "9.99 min"),
        (720_000_000.0, "12.0 min"),
        (3_594_000_000.0, "59.9 min"),
        (3_598_000_000.0, "1.00 h"),
        (5_400_000_000.0, "1.50 h"),
        (72_000_000_000.0, "20.0 h"),
        (172_700_000_000.0, "2.00 d"),
        (864_000_000_000.0, "10.0 d"),
        (31_536_000_000_000.0, "365 d"),
    ] {
        assert_eq!(
            duration(us).to_string().replace(NARROW, " "),
            want,
            "{us} µs"
        );
    }
}

#[test]
fn counts_are_exact_below_ten_thousand() {
    for (n, want) in [
        (0, "0"),
        (9_999, "9,999"),
        (10_000, "10.0k"),
        (28_412, "28.4k"),
        (99_960, "100k"),
        (142_310, "142k"),
        (999_700, "1.00M"),
        (1_940_000, "1.94M"),
        (99_960_000, "100M"),
        (4_200_000_000, "4.20G"),
    ] {
        assert_eq!(compact(n), want, "{n}");
    }
    assert_eq!(grouped(1_234_567), "1,234,567");
    assert_eq!(grouped(12), "12");
}

#[test]
fn rates_show_that_something_is_there() {
    for (value, want) in [
        (0.0, "0"),
        (0.04, "<\u{202f}0.1"),
        (0.5, "0.5"),
        (38.4, "38.4"),
        (12.0, "12"),
        (242.4, "242"),
        (2_985.0, "2,985"),
    ] {
        assert_eq!(rate(value), want, "{value}");
    }
}

#[test]
fn percentages_lose_their_decimal_from_ten_on() {
    for (share, want) in [
        (0.0, "0 %"),
        (0.0004, "< 0.1 %"),
        (0.008, "0.8 %"),
        (0.0994, "9.9 %"),
        (0.0996, "10 %"),
        (0.562, "56 %"),
        (0.9949, "99 %"),
        (0.996, "99.6 %"),
        (0.99951, "> 99.9 %"),
        (1.0, "100 %"),
    ] {
        assert_eq!(
            percent(share).to_string().replace(NARROW, " "),
            want,
            "{share}"
        );
    }
}

#[test]
fn bytes_use_decimal_units() {
    for (n, want) in [
        (0, "0 B"),
        (999, "999 B"),
        (1_500, "1.50 kB"),
        (128_000_000, "128 MB"),
        (2_000_000_000, "2.00 GB"),
        (999_600_000_000, "1.00 TB"),
        (7_000_000_000_000_000, "7.00 PB"),
    ] {
        assert_eq!(bytes(n).to_string().replace(NARROW, " "), want, "{n}");
    }
}

#[test]
fn deltas_are_whole_and_told_only_on_enough_events() {
    let many = (50, 50);
    assert_eq!(
        delta(Some(102.9), Some(100.0), many),
        Delta::Changed { percent: 3 }
    );
    assert_eq!(delta(Some(102.0), Some(100.0), many), Delta::Same);
    assert_eq!(
        delta(Some(241.0), Some(100.0), many),
        Delta::Changed { percent: 141 }
    );
    assert_eq!(
        delta(Some(62.0), Some(100.0), many),
        Delta::Changed { percent: -38 }
    );
    for few in [(9, 50), (50, 9), (1, 1)] {
        assert_eq!(delta(Some(62.0), Some(100.0), few), Delta::TooFew);
        assert_eq!(delta(Some(100.0), Some(100.0), few), Delta::TooFew);
        assert_eq!(delta(Some(5.0), Some(0.0), few), Delta::TooFew);
    }
    assert_eq!(delta(Some(5.0), Some(0.0), many), Delta::FromZero);
    assert_eq!(delta(Some(0.0), Some(0.0), many), Delta::Same);
    assert_eq!(delta(None, Some(1.0), many), Delta::Unknown);
}

#[test]
fn a_row_is_new_only_where_all_of_the_earlier_window_is_known() {
    let row = |then, is_covered| Delta::of_row((Some(20.0), 50), then, is_covered);
    assert_eq!(row(None, true), Delta::New);
    assert_eq!(row(None, false), Delta::NoEarlierData);
    assert_eq!(row(Some((Some(10.0), 50)), false), Delta::NoEarlierData);
    assert_eq!(row(Some((Some(10.0), 3)), true), Delta::TooFew);
    let twice = Delta::Changed { percent: 100 };
    assert_eq!(row(Some((Some(10.0), 50)), true), twice);
}

#[test]
fn a_duration_in_a_field_is_read_as_it_was() {
    for (us, want) in [
        (0, "0us"),
        (250, "250us"),
        (46_200, "46.2ms"),
        (999_999, "999.999ms"),
        (1_200_001, "1.200001s"),
        (86_400_000_000, "86400s"),
    ] {
        assert_eq!(typed_duration(us), want);
        let read = kql::micros(want).map(|read| read.round() as i64);
        assert_eq!(read, Some(us), "{want}");
    }
}
