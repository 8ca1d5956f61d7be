use super::*;

fn listing(page: usize, size: usize) -> Listing {
    Listing {
        search: None,
        sort: Sort::parse("-avg"),
        page,
        size,
    }
}

/// The numbers of the rows on a page of a list with so many rows.
fn cut(listing: Listing, all: usize) -> (Vec<usize>, Rows) {
    let last = all.saturating_sub(1) / MOST * MOST;
    let first = listing.first().min(last);
    let mut rows: Vec<usize> = (first..all.min(first + MOST)).collect();
    let left_out = all - rows.len();
    let cut = listing.cut(&mut rows, (first, left_out), false);
    (rows, cut)
}

#[test]
fn every_row_of_a_long_list_is_on_exactly_one_page() {
    for size in [1, 7, 200, 300, 999, 1_000] {
        for all in [0, 1, 199, 200, 201, 1_000, 1_001, 2_345] {
            let (mut seen, mut page) = (Vec::new(), 1);
            loop {
                let (rows, cut) = cut(listing(page, size), all);
                assert_eq!(
                    rows.first().copied().unwrap_or(0),
                    cut.first,
                    "{size} {all}"
                );
                assert_eq!((cut.page, cut.total), (page, all), "{size} {all}");
                seen.extend(rows);
                let Some(next) = cut.next_page else { break };
                page = next;
            }
            assert_eq!(seen, Vec::from_iter(0..all), "{size} {all}");
        }
    }
}

#[test]
fn rows_of_a_page_lie_within_all_rows() {
    let first = |page, size, total| {
        let rows = Rows::of_page(page, size, total);
        (rows.first, rows.shown, rows.next_page)
    };
    assert_eq!(first(1, 200, 350), (0, 200, Some(2)));
    assert_eq!(first(2, 200, 350), (200, 150, None));
    assert_eq!(first(9, 200, 400), (200, 200, None));
    assert_eq!(first(9, 200, 0), (0, 0, None));
    // Without rows there is no next page to go to.
    assert_eq!(first(9, 0, 350), (0, 0, None));
}

#[test]
fn a_page_beyond_the_last_is_the_last() {
    for page in [3, 6, 7, 500] {
        let (rows, cut) = cut(listing(page, 200), 350);
        assert_eq!(
            (rows.len(), cut.page, cut.next_page),
            (150, 2, None),
            "{page}"
        );
    }
    let (rows, cut) = cut(listing(5_000, 200), 1_350);
    assert_eq!((rows[0], rows.len(), cut.page), (1_200, 150, 7));
}

#[test]
fn unknown_numbers_come_last_either_way() {
    for text in ["avg", "-avg"] {
        let sort = Sort::parse(text);
        let mut rows = [None, Some(1.0), Some(2.0)];
        rows.sort_by(|a, b| sort.compare(*a, *b));
        assert_eq!(rows[2], None);
    }
}
