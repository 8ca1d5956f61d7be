//! Lists of spans that a thread uses again: one for each transaction that it begins.

use std::cell::RefCell;

use crate::recording::finished_span::FinishedSpan;

/// Lists that a thread keeps.
const MOST: usize = 8;
/// Spans of the longest list that is kept.
pub(super) const LARGEST: usize = 64;

thread_local! {
    static SPARE: RefCell<Vec<Vec<FinishedSpan>>> = const { RefCell::new(Vec::new()) };
}

/// An empty list; without memory, if this thread has none left.
pub(super) fn take() -> Vec<FinishedSpan> {
    let spare = SPARE.try_with(|spare| spare.try_borrow_mut().ok()?.pop());
    spare.ok().flatten().unwrap_or_default()
}

/// Keeps the memory of a list for the next one of this thread.
pub(super) fn give(mut list: Vec<FinishedSpan>) {
    if list.capacity() == 0 || list.capacity() > LARGEST {
        return;
    }
    list.clear();
    // While a thread is being torn down, its lists go.
    let _ = SPARE.try_with(|spare| {
        if let Ok(mut spare) = spare.try_borrow_mut()
            && spare.len() < MOST
        {
            spare.push(list);
        }
    });
}
