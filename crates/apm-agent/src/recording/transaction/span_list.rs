//! Lists of spans that a thread uses again: one for each transaction that it begins.

use std::cell::RefCell;

use crate::recording::finished_span::FinishedSpan;
use crate::util::spare::{self, Spare};

/// Spans of the longest list that is kept.
pub(super) const LARGEST: usize = 64;

thread_local! {
    static SPARE: Spare<FinishedSpan> = const { RefCell::new(Vec::new()) };
}

/// An empty list; without memory, if this thread has none left.
pub(super) fn take() -> Vec<FinishedSpan> {
    spare::take_from(&SPARE)
}

/// Keeps the memory of a list for the next one of this thread.
pub(super) fn give(list: Vec<FinishedSpan>) {
    spare::give_to(&SPARE, list, LARGEST);
}
