//! Buffers that a thread uses again: a transaction fills one, which is too large for the fast lists of an allocator.
//! Other lists that a thread uses again are kept in the same way.

use std::cell::RefCell;
use std::thread::LocalKey;

/// Lists of each kind that a thread keeps.
const MOST: usize = 8;
/// Bytes of the largest buffer that is kept.
const LARGEST: usize = 16 * 1024;

/// The lists of one kind that a thread keeps.
pub(crate) type Spare<T> = RefCell<Vec<Vec<T>>>;

thread_local! {
    static SPARE: Spare<u8> = const { RefCell::new(Vec::new()) };
}

/// An empty buffer; without memory, if this thread has none left.
pub(crate) fn take() -> Vec<u8> {
    take_from(&SPARE)
}

/// Keeps the memory of a buffer for the next one of this thread.
pub(crate) fn give(buffer: Vec<u8>) {
    give_to(&SPARE, buffer, LARGEST);
}

/// An empty list; without memory, if this thread has none left.
#[inline]
pub(crate) fn take_from<T: 'static>(spare: &'static LocalKey<Spare<T>>) -> Vec<T> {
    let list = spare.try_with(|spare| spare.try_borrow_mut().ok()?.pop());
    list.ok().flatten().unwrap_or_default()
}

/// Keeps the memory of a list for the next one of this thread, unless it has room for more than `largest`.
#[inline]
pub(crate) fn give_to<T: 'static>(
    spare: &'static LocalKey<Spare<T>>,
    mut list: Vec<T>,
    largest: usize,
) {
    if list.capacity() == 0 || list.capacity() > largest {
        return;
    }
    list.clear();
    // While a thread is being torn down, its lists go.
    let _ = spare.try_with(|spare| {
        if let Ok(mut spare) = spare.try_borrow_mut()
            && spare.len() < MOST
        {
            spare.push(list);
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_buffers_of_a_usual_size_are_used_again_and_are_empty() {
        let mut buffer = take();
        buffer.extend_from_slice(&[7; 5000]);
        let place = buffer.as_ptr();
        give(buffer);
        let again = take();
        assert_eq!((again.as_ptr(), again.len()), (place, 0));
        give(Vec::with_capacity(LARGEST + 1));
        assert_eq!(take().capacity(), 0);
        for _ in 0..2 * MOST {
            give(Vec::with_capacity(10));
        }
        let kept = std::iter::repeat_with(take).take_while(|it| it.capacity() > 0);
        assert_eq!(kept.count(), MOST);
    }
}
